"""Tokens: whom they prove, what they are tied to, and how they are cut."""

import base64
import hmac
import json
import time

import pytest

from harness.gate import ceiling, configuration
from harness.pki import PHARMACIST, PHYSICIAN
from harness.tokens import ISSUER, Issuer, Key, bearer, digest, part, proof, text
from harness.waiting import until

pytestmark = pytest.mark.sanitized


@pytest.fixture
def issuer(tmp_path):
    return Issuer(tmp_path)


@pytest.fixture
def token_gate(pki, upstream, make_gate, issuer):
    """Makes gates that believe an issuer; cards prove nothing on their routes."""
    def make(tokens=None, require=("token",), limits=None, certificate="optional", **more):
        config = configuration(pki, upstream)
        config["authentication"]["issuers"] = [issuer.rule(tokens, **more.pop("issuer", {}))]
        config["listeners"][0]["tls"]["client_certificate"] = certificate
        for route in config["routes"]:
            route["require"] = list(require)
            route.update(more)
        if limits:
            config["limits"]["standard"] = limits
        return make_gate(config)
    return make


def ask(gate, token, card=None, **options):
    return gate.get(card=card, fields=bearer(token), **options)


def test_a_token_proves_a_professional(token_gate, issuer, upstream):
    gate = token_gate()
    claims = {"jti": "token-1", "sid": "session-1"}
    assert ask(gate, issuer.token(**claims)).status == 200
    fields = upstream.requests[-1].fields
    assert fields["Herse-Professional"] == PHYSICIAN
    assert fields["Herse-Method"] == "token"
    assert "Authorization" not in fields
    line = gate.newest()
    assert line["professional"] == PHYSICIAN and line["method"] == "token"
    assert line["level"] == "high" and line["issuer"] == "psc" and line["client"] == "vendor"
    assert line["token"] == "token-1" and line["session"] == "session-1"


def test_without_a_token_the_way_to_get_in_is_told(token_gate, upstream):
    gate = token_gate()
    refused = gate.get(card=None)
    assert refused.status == 401
    assert "Bearer" in refused.fields["WWW-Authenticate"]
    # A card is no proof where a token is asked for.
    assert gate.get(card="physician").status == 401
    assert not upstream.requests


def test_a_card_still_proves_where_both_do(token_gate, issuer, upstream):
    gate = token_gate(require=("token", "certificate"))
    assert gate.get(card="physician").status == 200
    assert upstream.requests[-1].fields["Herse-Method"] == "certificate"
    assert ask(gate, issuer.token(PHARMACIST), card="physician").status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == PHARMACIST
    # A token that is not believed is not passed over for the card beside it.
    assert ask(gate, issuer.token(exp=1), card="physician").status == 401


def secret_forgery(issuer, secret):
    head = part({"alg": "HS256", "typ": "JWT", "kid": "one"})
    signed = f"{head}.{part(issuer.claims())}"
    return f"{signed}.{text(hmac.digest(secret, signed.encode(), 'sha256'))}"


def duplicated(issuer):
    claims = json.dumps(issuer.claims())
    twice = claims[:-1] + f', "SubjectNameID": "{PHARMACIST}"}}'
    head = part({"alg": "ES256", "typ": "JWT", "kid": "one"})
    return issuer.keys[0].sign(head, text(twice.encode()))


def nested(issuer):
    claims = json.dumps(issuer.claims())[:-1] + ', "x": ' + "[" * 1000 + "]" * 1000 + "}"
    head = part({"alg": "ES256", "typ": "JWT", "kid": "one"})
    return issuer.keys[0].sign(head, text(claims.encode()))


def own_key(issuer, **header):
    thief = Key("one")
    return issuer.token(key=thief, header={name: value(thief) for name, value in header.items()})


FORGED = {
    "no algorithm": lambda i: f"{part({'alg': 'none'})}.{part(i.claims())}.",
    "no algorithm, with a signature": lambda i: i.token(header={"alg": "none"}),
    "a secret made of the public key": lambda i: secret_forgery(i, i.keys[0].pem),
    "a secret made of the key's entry": lambda i: secret_forgery(
        i, json.dumps(i.keys[0].entry).encode()),
    "an empty secret": lambda i: secret_forgery(i, b""),
    "another key under the same name": lambda i: i.token(key=Key("one")),
    "an unknown key": lambda i: i.token(key=Key("two")),
    "a key of its own in it": lambda i: own_key(i, jwk=lambda key: key.public),
    "the address of a key": lambda i: own_key(i, jku=lambda _: "https://thief.example.test/"),
    "an address of certificates": lambda i: own_key(i, x5u=lambda _: "https://thief.example.test/"),
    "expired": lambda i: i.token(exp=int(time.time()) - 60),
    "not yet valid": lambda i: i.token(nbf=int(time.time()) + 3600),
    "issued in the future": lambda i: i.token(iat=int(time.time()) + 3600),
    "for ever": lambda i: i.token(exp=2 ** 62),
    "beyond all numbers": lambda i: i.token(exp=10 ** 400),
    "without an end": lambda i: i.token(exp=None),
    "for somebody else": lambda i: i.token(aud="https://other.example.test"),
    "for nobody": lambda i: i.token(aud=None),
    "of another issuer": lambda i: i.token(iss="https://thief.example.test"),
    "of an issuer that looks alike": lambda i: i.token(iss=ISSUER + "/"),
    "of no professional": lambda i: i.token(SubjectNameID=None),
    "of somebody who is none": lambda i: i.token("alice"),
    "with a claim twice": duplicated,
    "nested a thousand deep": nested,
    "unpacked first": lambda i: i.token(header={"zip": "DEF"}),
    "with a header that must be understood": lambda i: i.token(header={"crit": ["b64"], "b64": False}),
    "an id token": lambda i: i.token(typ="ID"),
    "a refresh token": lambda i: i.token(typ="Refresh"),
    "a logout token": lambda i: i.token(header={"typ": "logout+jwt"}),
    "cut short": lambda i: i.token()[:-4],
    "with bytes after it": lambda i: i.token() + "AAAA",
    "padded": lambda i: i.token() + "==",
    "of four parts": lambda i: i.token() + ".e30",
    "changed": lambda i: i.token().replace(".", ".e30.", 1),
    "no token": lambda i: "zq-not-a-token",
    "nothing": lambda i: "",
    "huge": lambda i: i.token(filler="z" * 20_000),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_token_is_refused(token_gate, issuer, upstream, kind):
    gate = token_gate(require=("token", "certificate"))
    forged = FORGED[kind](issuer)
    with gate.connect("physician") as connection:
        refused = connection.get(fields=bearer(forged))
    assert refused.status in ((401, 431) if kind == "huge" else (401,))
    assert not upstream.requests
    if refused.status == 401:
        assert 'error="invalid_token"' in refused.fields["WWW-Authenticate"]
    # Nothing of it is kept anywhere.
    assert len(forged) < 16 or forged[-40:].encode() not in gate.bytes_kept()
    assert ask(gate, issuer.token(), card="physician").status == 200


RULES = {
    "clients": ({"clients": ["vendor"]}, {"azp": "other"}),
    "scopes": ({"scopes": ["openid", "scope_all"]}, {"scope": "openid"}),
    "acr": ({"acr": ["eidas3"]}, {"acr": "eidas1"}),
    "auth_mode": ({"auth_mode": ["CARD"]}, {"authMode": "MOBILE"}),
    "amr": ({"amr": ["sc"]}, {"amr": ["pwd"]}),
    "lifetime_max": ({"lifetime_max": "5m"}, {"exp": int(time.time()) + 4000}),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_token_must_say_what_its_rules_ask(token_gate, issuer, rule):
    keys, wrong = RULES[rule]
    gate = token_gate(keys)
    right = {"amr": ["sc", "pin"]} if rule == "amr" else {}
    assert ask(gate, issuer.token(**right)).status == 200
    assert ask(gate, issuer.token(**wrong)).status == (403 if rule == "scopes" else 401)


def test_a_token_ends_on_an_open_connection(token_gate, issuer):
    gate = token_gate(issuer={"leeway": "0s"})
    token = issuer.token(exp=int(time.time()) + 3)
    with gate.connect(None) as connection:
        assert connection.get(fields=bearer(token)).status == 200
        refused = until(
            lambda: (got := connection.get(fields=bearer(token))).status == 401 and got,
            within=8, what="the token ends", every=0.1)
        assert refused.keeps_alive
    assert gate.newest(status=401)["why"] == "expired"


@pytest.mark.parametrize("hexadecimal", [False, True])
def test_a_token_is_tied_to_the_certificate_of_its_connection(token_gate, issuer, pki, hexadecimal):
    mark = digest(pki, "organisation")
    written = base64.b64encode(mark.hex().encode()).decode() if hexadecimal else text(mark)
    token = issuer.token(cnf={"x5t#S256": written})
    gate = token_gate({"hex_thumbprints": "accept"} if hexadecimal else {})
    assert ask(gate, token, card="organisation").status == 200
    assert ask(gate, token, card="physician").status == 401
    assert gate.newest(status=401)["why"] == "other-certificate"
    assert ask(gate, token).status == 401


def test_the_other_encoding_wants_its_switch(token_gate, issuer, pki):
    written = base64.b64encode(digest(pki, "organisation").hex().encode()).decode()
    gate = token_gate()
    assert ask(gate, issuer.token(cnf={"x5t#S256": written}), card="organisation").status == 401


def test_a_route_can_want_every_token_tied(token_gate, issuer, pki):
    gate = token_gate({"binding": "certificate"})
    assert ask(gate, issuer.token(), card="organisation").status == 401
    tied = issuer.token(cnf={"x5t#S256": text(digest(pki, "organisation"))})
    assert ask(gate, tied, card="organisation").status == 200


def test_a_token_tied_to_a_key_wants_its_proof_each_time(token_gate, issuer):
    gate = token_gate()
    key = Key("client")
    token = issuer.token(cnf={"jkt": key.thumbprint})
    with gate.connect(None) as connection:
        def send(proven, scheme="DPoP"):
            fields = bearer(token, scheme) + ([f"DPoP: {proven}"] if proven else [])
            return connection.get(fields=fields)

        assert send(None, "Bearer").status == 401
        first = send(proof(key, token))
        assert first.status == 401 and "use_dpop_nonce" in first.fields["WWW-Authenticate"]
        nonce = first.fields["DPoP-Nonce"]
        good = proof(key, token, nonce=nonce)
        assert send(good).status == 200
        assert send(good).status == 401, "replayed"
        assert send(proof(key, token, nonce=nonce)).status == 200
        for wrong in [
            proof(key, token, nonce=nonce, method="POST"),
            proof(key, token, nonce=nonce, target="/fhir/Patient/2"),
            proof(key, token + "x", nonce=nonce), proof(Key("thief"), token, nonce=nonce),
            proof(key, token, nonce=nonce, iat=int(time.time()) - 600),
            proof(key, token, nonce="made-up"), "zq",
        ]:
            assert send(wrong).status == 401
        assert send(proof(key, token, nonce=nonce)).status == 200


@pytest.mark.parametrize("subject", [
    f"account:{PHYSICIAN}", "token:jti-7", "session:sid-7", "client:vendor"])
def test_a_neutralized_token_is_cut_in_mid_request(token_gate, issuer, upstream, subject):
    gate = token_gate()
    token = issuer.token(jti="jti-7", sid="sid-7")
    with gate.connect(None) as connection:
        assert connection.get(fields=bearer(token)).status == 200
        assert connection.get(fields=bearer(token)).status == 200
        gate.do("neutralize", subject, "--reason", "stolen")
        assert connection.get(fields=bearer(token)).status == 403
    assert ask(gate, token).status == 403
    gate.do("reinstate", subject, "--reason", "found")
    assert ask(gate, token).status == 200


def test_one_neutralized_on_a_shared_connection_cuts_no_other(token_gate, issuer):
    """A vendor's software carries many professionals on one connection."""
    gate = token_gate()
    one, other = issuer.token(PHYSICIAN), issuer.token(PHARMACIST)
    with gate.connect("organisation") as connection:
        for token in (one, other, one, other):
            assert connection.get(fields=bearer(token)).status == 200
        gate.do("neutralize", PHYSICIAN, "--reason", "stolen")
        assert connection.get(fields=bearer(other)).status == 200
        assert connection.get(fields=bearer(one)).status == 403
    assert ask(gate, other, card="organisation").status == 200


def test_professionals_of_one_vendor_are_limited_each(token_gate, issuer):
    gate = token_gate(limits=[ceiling("requests", 3)])
    with gate.connect("organisation") as connection:
        answers = [connection.get(fields=bearer(issuer.token())).status for _ in range(4)]
        assert answers == [200, 200, 200, 429]
        assert connection.get(fields=bearer(issuer.token(PHARMACIST))).status == 200
    # Nor does another connection, or another token, begin anew.
    assert ask(gate, issuer.token()).status == 429


def test_a_reload_with_other_keys_ends_the_old_ones_tokens(token_gate, issuer):
    gate = token_gate()
    old = issuer.token()
    with gate.connect(None) as connection:
        assert connection.get(fields=bearer(old)).status == 200
        issuer.keys = [Key("two")]
        issuer.write()
        gate.reload()
        assert connection.get(fields=bearer(old)).status == 401
        assert connection.get(fields=bearer(issuer.token())).status == 200


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}', "[", '{"keys": [{"kty": "oct"}]}'])
def test_a_file_without_keys_is_refused_and_changes_nothing(token_gate, issuer, content):
    gate = token_gate()
    issuer.file.write_text(content)
    refused = gate.run("reload")
    assert refused.code == 1 and "has no key that can be used" in refused.text
    assert "herse.yaml:" in refused.text
    assert ask(gate, issuer.token()).status == 200


def test_a_stronger_or_fresher_proof_is_asked_for(token_gate, issuer):
    gate = token_gate(level="high", max_age="15m")
    assert ask(gate, issuer.token()).status == 200
    for weak in [{"acr": "eidas1"}, {"auth_time": int(time.time()) - 1000}]:
        refused = ask(gate, issuer.token(**weak))
        assert refused.status == 401
        told = refused.fields["WWW-Authenticate"]
        assert 'error="insufficient_user_authentication"' in told
        assert 'acr_values="eidas3"' in told and 'max_age="900"' in told


def test_two_tokens_in_one_request_are_refused(token_gate, issuer, upstream):
    gate = token_gate()
    fields = bearer(issuer.token()) + bearer(issuer.token(PHARMACIST))
    assert gate.get(card=None, fields=fields).status in (400, 401)
    assert not upstream.requests
