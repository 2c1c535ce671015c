"""What identity servers are told of who asks: signed, for them alone, with keys that are published."""

import json
import time

import jwt
import pytest

from harness.pki import PHYSICIAN
from harness.strong import accept, bearing, keys_file, optional
from harness.visitor import Visitor

ISSUER = "https://gate.example.fr"


@pytest.fixture
def stating(config, make_gate):
    def make(change=None, **rule):
        config["authentication"]["assertion"] = {"issuer": ISSUER, **rule}
        for one in config["routes"]:
            one.setdefault("forward", {})["assertion"] = True
        if change:
            change(config)
        return make_gate(config)

    return make


def keys(gate, pki):
    host, port = gate.address()
    page = Visitor(pki, "physician").get(f"https://localhost:{port}/.herse/keys")
    assert page.status == 200, page
    assert page.field("Content-Type") == "application/jwk-set+json"
    return jwt.PyJWKSet.from_dict(json.loads(page.body))


def stated(request, gate, pki, audience):
    token = request.fields["Herse-Assertion"]
    key = keys(gate, pki)[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key.key, algorithms=["ES256"], audience=audience, issuer=ISSUER,
                      options={"require": ["exp", "iat", "iss", "aud", "sub"]})


def server(gate):
    return gate.config["identity_servers"][0]["name"]


def test_a_card_is_stated(stating, upstream, pki):
    gate = stating()
    assert gate.get().status == 200
    told = stated(upstream.requests[-1], gate, pki, server(gate))
    assert told["sub"] == PHYSICIAN
    assert told["method"] == "certificate" and told["level"] == "high"
    assert 0 < told["exp"] - told["iat"] <= 60


def test_a_token_s_bearer_is_stated(stating, upstream, pki, issuer, config, make_gate):
    config["authentication"]["assertion"] = {"issuer": ISSUER}
    gate = make_gate(config, start=False)
    accept(config, issuer.rule(discovery=None, authorities=None,
                               keys=keys_file(gate.folder, issuer), levels={"eidas1": "low"}),
           forward={"assertion": True})
    gate.write()
    gate.start()
    moment = int(time.time()) - 30
    assert gate.get(card=None, fields=bearing(issuer.token(auth_time=moment))).status == 200
    told = stated(upstream.requests[-1], gate, pki, server(gate))
    assert told["method"] == "token" and told["level"] == "low"
    assert told["client_id"] == "a-vendor" and told["auth_time"] == moment


def test_what_a_client_states_itself_is_dropped(stating, upstream):
    gate = stating()
    assert gate.get(fields=["Herse-Assertion: forged", "HERSE-assertion: forged"]).status == 200
    assert "forged" not in upstream.requests[-1].raw.decode("latin-1")
    assert upstream.requests[-1].raw.lower().count(b"herse-assertion:") == 1


def test_it_is_stated_only_where_that_is_asked_for(stating, upstream):
    def change(config):
        for one in config["routes"]:
            one["forward"]["assertion"] = False

    gate = stating(change)
    assert gate.get().status == 200
    assert "Herse-Assertion" not in upstream.requests[-1].fields


def test_it_is_made_again_before_it_is_over(stating, upstream, pki):
    gate = stating(lifetime="5s")
    seen = set()
    with gate.connect() as client:
        began = time.monotonic()
        while time.monotonic() - began < 6:
            client.get("/fhir/Patient/1")
            told = stated(upstream.requests[-1], gate, pki, server(gate))
            assert told["exp"] - time.time() >= 0
            seen.add(told["iat"])
            time.sleep(0.5)
    assert len(seen) >= 2


def test_keys_outlive_the_process(stating, upstream, pki):
    gate = stating()
    gate.get()
    old = upstream.requests[-1].fields["Herse-Assertion"]
    gate.kill()
    gate.start()
    key = keys(gate, pki)[jwt.get_unverified_header(old)["kid"]]
    assert jwt.decode(old, key.key, algorithms=["ES256"], audience=server(gate))


def test_nothing_secret_is_published_or_readable(stating, pki, gate=None):
    made = stating()
    host, port = made.address()
    page = Visitor(pki, "physician").get(f"https://localhost:{port}/.herse/keys")
    for key in json.loads(page.body)["keys"]:
        assert "d" not in key and key["kty"] == "EC" and key["crv"] == "P-256"
    state = next(made.folder.rglob("assertion"))
    for path in state.iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_keys_are_read_without_a_card_where_that_is_let_in(stating, pki):
    gate = stating(lambda config: optional(config))
    host, port = gate.address()
    visitor = Visitor(pki, None)
    assert visitor.get(f"https://localhost:{port}/.herse/keys").status == 200
    assert visitor.post(f"https://localhost:{port}/.herse/keys", {}).status == 405
    assert visitor.get(f"https://localhost:{port}/.herse/other").status == 404
