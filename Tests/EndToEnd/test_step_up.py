"""A proof that is good, but not good or fresh enough: told what would be, RFC 9470."""

import re
import time

import pytest

from harness.strong import bearing
from harness.pki import PHYSICIAN

pytestmark = pytest.mark.sanitized

LEVELS = {"eidas1": "low", "eidas2": "substantial", "eidas3": "high"}


def ask(gate, token, card=None, **options):
    return gate.get(card=card, fields=bearing(token), **options)


def challenge(reply):
    """The parameters of the challenge, when it is one of RFC 9470."""
    assert reply.status == 401, reply
    told = reply.fields["WWW-Authenticate"]
    assert told.startswith("Bearer "), told
    found = dict(re.findall(r'(\w+)="?([^",]*)"?', told.removeprefix("Bearer ")))
    assert found["error"] == "insufficient_user_authentication", told
    return found


@pytest.mark.parametrize("level, passing", [
    ("low", ["eidas1", "eidas2", "eidas3"]), ("substantial", ["eidas2", "eidas3"]),
    ("high", ["eidas3"]),
])
def test_a_route_asks_for_a_level(token_gate, issuer, upstream, level, passing):
    gate = token_gate(more={"levels": LEVELS}, level=level)
    for context in LEVELS:
        reply = ask(gate, issuer.token(acr=context))
        if context in passing:
            assert reply.status == 200
            continue
        told = challenge(reply)
        assert set(told["acr_values"].split()) == set(passing), told
    assert len(upstream.requests) == len(passing)


@pytest.mark.parametrize("acr", ["unheard of", None, "EIDAS3"])
def test_a_level_nobody_listed_is_worth_what_the_issuer_is(
    token_gate, issuer, upstream, acr
):
    gate = token_gate(more={"levels": LEVELS, "level": "low"}, level="substantial")
    challenge(ask(gate, issuer.token(acr=acr)))
    assert upstream.requests == []


def test_a_route_asks_for_a_fresh_proof(token_gate, issuer, upstream):
    gate = token_gate(max_age="15m")
    now = int(time.time())
    assert ask(gate, issuer.token(auth_time=now - 600)).status == 200
    told = challenge(ask(gate, issuer.token(auth_time=now - 1000)))
    assert told["max_age"] == "900", told
    assert len(upstream.requests) == 1


def test_a_token_renewed_without_its_holder_is_no_fresh_proof(token_gate, issuer, upstream):
    """A token issued now from a sign-in of long ago: `auth_time` counts, not `iat`."""
    gate = token_gate(max_age="15m")
    now = int(time.time())
    challenge(ask(gate, issuer.token(iat=now, exp=now + 100, auth_time=now - 7200)))


def test_a_time_to_come_is_no_fresh_proof(token_gate, issuer, upstream):
    gate = token_gate(max_age="15m")
    now = int(time.time())
    for far in (3600, 10**12, 9223372036854775807):
        assert ask(gate, issuer.token(auth_time=now + far)).status == 401
    assert upstream.requests == []


def test_a_proof_ages_on_an_open_connection(token_gate, issuer, upstream):
    from harness.waiting import until

    gate = token_gate(max_age="3s")
    fields = bearing(issuer.token(auth_time=int(time.time())))
    with gate.connect(None) as connection:
        assert connection.get(fields=fields).status == 200
        until(lambda: connection.get(fields=fields).status == 401, within=8, every=0.2)
        assert connection.get(
            fields=bearing(issuer.token(auth_time=int(time.time())))).status == 200


def test_one_route_asks_for_more_than_another(token_gate, issuer, upstream):
    def change(config):
        for route in config["routes"]:
            if route["name"] == "plain":
                route["level"] = "high"

    gate = token_gate(more={"levels": LEVELS}, change=change)
    token = issuer.token(acr="eidas1")
    with gate.connect(None) as connection:
        assert connection.get("/fhir/Patient/1", bearing(token)).status == 200
        assert connection.get("/plain/1", bearing(token)).status == 401
        assert connection.get("/fhir/Patient/1", bearing(token)).status == 200
        assert connection.get("/plain/1", bearing(issuer.token(acr="eidas3"))).status == 200


def test_a_certificate_is_the_highest_proof(token_gate, issuer, upstream):
    gate = token_gate(more={"levels": LEVELS}, level="high", require=("certificate", "token"))
    assert gate.get(card="physician").status == 200
    challenge(ask(gate, issuer.token(acr="eidas1")))


def stepping(count, limit, **more):
    def change(config):
        config["limits"] = {"standard": [
            {"count": count, "limit": limit, "per": "1h", "enforce": "step-up", **more}]}

    return change


def test_a_limit_asks_for_a_fresher_proof(token_gate, issuer, upstream):
    gate = token_gate(change=stepping("requests", 3, max_age="5m"))
    now = int(time.time())
    old = issuer.token(auth_time=now - 1000)
    assert [ask(gate, old).status for _ in range(3)] == [200] * 3
    told = challenge(ask(gate, old))
    assert told["max_age"] == "300", told
    assert len(upstream.requests) == 3
    # Who proved anew goes on.
    assert ask(gate, issuer.token(auth_time=now)).status == 200
    # And nobody else's proof does.
    assert ask(gate, old).status == 401


def test_a_limit_asks_for_a_stronger_proof(token_gate, issuer, upstream):
    gate = token_gate(
        more={"levels": LEVELS}, change=stepping("requests", 2, level="high", max_age="1h"))
    weak = issuer.token(acr="eidas1")
    assert [ask(gate, weak).status for _ in range(2)] == [200] * 2
    told = challenge(ask(gate, weak))
    assert told["acr_values"] == "eidas3", told
    assert ask(gate, issuer.token(acr="eidas3")).status == 200


def test_a_limit_that_asks_for_more_is_recorded_with_its_rule(token_gate, issuer, upstream):
    gate = token_gate(change=stepping("requests", 1, max_age="5m"))
    old = issuer.token(auth_time=int(time.time()) - 1000)
    ask(gate, old)
    reply = ask(gate, old)
    entry = gate.entry(reply.fields["X-Request-Id"])
    assert entry["decision"] == "deny" and entry["professional"] == PHYSICIAN
    assert re.search(r"herse\.yaml:(\d+)", entry["rule"]), entry
