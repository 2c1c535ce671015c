"""Issuers behind the network: keys fetched, rotated and kept; what they say of opaque tokens."""

import threading
import time

import pytest

from harness import jose
from harness.strong import accept, bearing, secret_file
from harness.waiting import until


def ask(gate, token, **options):
    return gate.get(card=None, fields=bearing(token), **options)


@pytest.fixture
def online(config, make_gate, issuer, upstream):
    """Makes gates that fetch the issuer's keys; `more` are keys of its rule."""
    def make(start=True, rules=None, **more):
        gate = make_gate(config, start=False)
        rules = dict(rules or {})
        for key in ("introspection", "introspection_cache"):
            if key in more:
                rules[key] = more.pop(key)
        if "introspection" in rules:
            more.setdefault("client_id", issuer.client)
            more.setdefault("client_secret", secret_file(gate.folder, "secret", issuer.secret))
        accept(config, issuer.rule(tokens=rules or True, **more),
               require=("certificate", "token"))
        gate.write()
        return gate.start() if start else gate

    return make


def state(gate):
    (shown,) = gate.run("status", "--json").json()["issuers"]
    return shown


class TestKeys:
    def test_are_found_by_discovery_and_fetched_ahead(self, online, issuer):
        gate = online()
        until(lambda: state(gate)["state"] == "fresh", what="keys are there before they are asked for")
        fetched = issuer.count("certs")
        for _ in range(5):
            assert ask(gate, issuer.token()).status == 200
        assert issuer.count("certs") == fetched
        assert "psc" in gate.run("status").out

    def test_are_fetched_from_an_address(self, online, issuer):
        gate = online(discovery=None, keys=issuer.address("certs"))
        assert ask(gate, issuer.token()).status == 200

    def test_rotate(self, online, issuer):
        gate = online(refresh="1s")
        assert ask(gate, issuer.token()).status == 200
        old = issuer.keys[0]
        issuer.rotate()
        until(lambda: ask(gate, issuer.token()).status == 200, what="the new key is known")
        until(lambda: ask(gate, issuer.token(key=old)).status == 401, what="the old one is not")

    def test_an_unknown_key_is_asked_for_once_in_a_while(self, online, issuer):
        gate = online()
        until(lambda: state(gate)["state"] == "fresh", what="keys are there")
        fetched = issuer.count("certs")
        for number in range(40):
            assert ask(gate, issuer.token(key=jose.SigningKey("ES256"))).status == 401
        assert issuer.count("certs") <= fetched + 1

    def test_an_outage_is_tolerated_while_keys_are_believed(self, online, issuer):
        gate = online(refresh="1s", keep="6s")
        assert ask(gate, issuer.token()).status == 200
        issuer.go_down()
        began = time.monotonic()
        until(lambda: state(gate)["state"] == "stale", what="they are stale")
        assert gate.run("status").code == 3
        assert ask(gate, issuer.token()).status == 200
        until(lambda: ask(gate, issuer.token()).status == 503, within=12, every=0.5,
              what="they are believed no more")
        assert time.monotonic() - began > 4
        assert state(gate)["state"] == "unknown"
        assert gate.get().status == 200, "cards go on"
        issuer.come_back()
        until(lambda: ask(gate, issuer.token()).status == 200, within=30, every=0.5,
              what="the issuer is back")

    def test_a_restart_during_an_outage_is_tolerated_too(self, online, issuer):
        gate = online()
        assert ask(gate, issuer.token()).status == 200
        gate.kill()
        issuer.go_down()
        gate.start()
        assert ask(gate, issuer.token()).status == 200

    def test_without_keys_nobody_passes(self, online, issuer, upstream):
        gate = online(start=False)
        issuer.go_down()
        gate.start()
        assert ask(gate, issuer.token()).status == 503
        assert gate.get().status == 200
        assert all("Herse-Method" in one.fields and one.fields["Herse-Method"] == "certificate"
                   for one in upstream.requests)

    @pytest.mark.parametrize("bad", ["other issuer", "garbage", "redirect", "huge", "no keys"])
    def test_bad_answers_make_no_keys(self, online, issuer, bad):
        from harness.upstream import answer

        made = {
            "other issuer": lambda: answer(
                200, b'{"issuer":"https://evil.example","jwks_uri":"https://evil.example/k"}',
                ["Content-Type: application/json"]),
            "garbage": lambda: answer(200, b"<html>", ["Content-Type: text/html"]),
            "redirect": lambda: answer(302, b"", ["Location: https://127.0.0.1:1/"]),
            "huge": lambda: answer(200, b'{"keys":[' + b" " * (4 << 20) + b"]}",
                                   ["Content-Type: application/json"]),
            "no keys": lambda: answer(200, b'{"keys":[]}', ["Content-Type: application/json"]),
        }[bad]
        where = "certs" if bad in ("huge", "no keys") else issuer.discovery.rpartition("/")[2]
        issuer.break_off(where, lambda request, peer: peer.send(made()))
        gate = online()
        assert ask(gate, issuer.token()).status in (401, 503)
        assert state(gate)["state"] == "unknown"
        assert state(gate)["problem"]

    def test_an_issuer_that_hangs_holds_up_nobody_else(self, online, issuer):
        release = threading.Event()
        issuer.break_off("certs", lambda request, peer: release.wait(15))
        gate = online()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            ask(gate, issuer.token(), within=60).status))
                   for _ in range(20)]
        try:
            for thread in threads:
                thread.start()
            worst = 0.0
            for _ in range(100):
                began = time.monotonic()
                assert gate.get().status == 200
                worst = max(worst, time.monotonic() - began)
            assert worst < 1.0, worst
        finally:
            release.set()
            for thread in threads:
                thread.join(30)
        assert set(answers) <= {200, 401, 503}, answers


class TestIntrospection:
    def test_an_opaque_token(self, online, issuer, upstream):
        gate = online(introspection="opaque")
        token = issuer.opaque()
        assert ask(gate, token).status == 200
        assert upstream.requests[-1].fields["Herse-Professional"] == issuer.professional
        assert ask(gate, "x" * 43).status == 401
        assert ask(gate, issuer.opaque(aud=["https://other.example"])).status == 401

    def test_is_not_asked_again_while_that_is_believed(self, online, issuer):
        gate = online(introspection="opaque", introspection_cache="2s")
        token = issuer.opaque()
        with gate.connect(card=None) as client:
            for _ in range(5):
                assert client.get("/fhir/Patient/1", fields=bearing(token)).status == 200
            asked = issuer.count("introspect")
            assert asked == 1
            issuer.tokens[token] = {"active": False}
            until(lambda: client.get("/fhir/Patient/1", fields=bearing(token)).status == 401,
                  within=6, what="the issuer's new word counts")
        assert ask(gate, token).status == 401

    def test_an_opaque_token_is_nothing_where_nobody_asks(self, online, issuer):
        gate = online()
        assert ask(gate, issuer.opaque()).status == 401
        assert issuer.count("introspect") == 0

    def test_always_asks_about_signed_tokens_too(self, online, issuer):
        gate = online(introspection="always", introspection_cache="1s")
        token = issuer.token()
        assert ask(gate, token).status == 401, "the issuer does not know it"
        issuer.tokens[token] = {"active": True, **issuer.claims()}
        until(lambda: ask(gate, token).status == 200, within=15, every=0.5,
              what="the issuer knows it")
        asked = issuer.count("introspect")
        forged = token[:-6] + ("AAAAAA" if not token.endswith("AAAAAA") else "BBBBBB")
        assert ask(gate, forged).status == 401
        assert issuer.count("introspect") == asked, "forged ones make no traffic"

    def test_an_issuer_that_cannot_be_asked(self, online, issuer):
        gate = online(introspection="opaque")
        token = issuer.opaque()
        issuer.break_off("introspect")
        assert ask(gate, token).status == 503
        assert gate.get().status == 200
        issuer.mend()
        until(lambda: ask(gate, token).status == 200, within=20, every=0.5, what="it answers")

    def test_a_wrong_secret_lets_nobody_pass(self, online, issuer):
        gate = online(introspection="opaque", client_id="another")
        assert ask(gate, issuer.opaque()).status == 503
