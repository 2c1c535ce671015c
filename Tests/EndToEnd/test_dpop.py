"""Tokens tied to a key, RFC 9449: each request proves anew that its sender holds it."""

import time

import pytest

from harness import jose
from harness.client import request
from harness.pki import PHYSICIAN
from harness.strong import bearing, proving

pytestmark = pytest.mark.sanitized

ADDRESS = "https://localhost/fhir/Patient/1"


class Holder:
    """Who holds a key and a token tied to it, on one connection."""

    def __init__(self, issuer, connection, key=None, **claims):
        self.key = key or jose.SigningKey()
        self.token = issuer.bound_to_key(self.key, **claims)
        self.connection = connection
        self.nonce = None

    def proof(self, method="GET", address=ADDRESS, key=None, **more):
        told = {"token": self.token, "nonce": self.nonce, **more}
        return jose.proof(key or self.key, method, address, **told)

    def ask(self, proof=None, target="/fhir/Patient/1", method="GET", **more):
        self.connection.send(request(
            target, proving(self.token, proof or self.proof(method=method, **more)), method))
        reply = self.connection.answer(to=method)
        if "DPoP-Nonce" in reply.fields:
            self.nonce = reply.fields["DPoP-Nonce"]
        return reply

    def begin(self):
        """Learns the nonce, as every client does: by being told."""
        reply = self.ask()
        assert reply.status == 401 and "use_dpop_nonce" in reply.fields["WWW-Authenticate"], reply
        assert self.nonce
        return self


@pytest.fixture
def holder(token_gate, issuer):
    gate = token_gate()
    with gate.connect(None) as connection:
        made = Holder(issuer, connection)
        made.gate = gate
        yield made.begin()


def refused(holder, reply, *words):
    assert reply.status == 401, reply
    told = reply.fields["WWW-Authenticate"]
    assert told.startswith("DPoP ") and any(word in told for word in words), told


def test_a_proof_with_the_gates_nonce_passes(holder, upstream):
    assert holder.ask().status == 200
    fields = upstream.requests[-1].fields
    assert fields["Herse-Professional"] == PHYSICIAN
    assert "DPoP" not in fields and "Authorization" not in fields


def test_each_request_has_a_proof_of_its_own(holder, upstream):
    for number in range(5):
        target = f"/fhir/Patient/{number}"
        reply = holder.ask(target=target, address=f"https://localhost{target}")
        assert reply.status == 200
    assert len(upstream.requests) == 5


def test_a_proof_is_taken_once(holder, upstream):
    proof = holder.proof()
    assert holder.ask(proof).status == 200
    refused(holder, holder.ask(proof), "invalid_dpop_proof")
    assert holder.ask().status == 200
    assert len(upstream.requests) == 2


def test_a_proof_is_taken_once_over_all_connections_and_workers(holder, upstream):
    proof = holder.proof()
    statuses = []
    for _ in range(12):
        fields = proving(holder.token, proof)
        statuses.append(holder.gate.get(card=None, fields=fields).status)
    assert sorted(statuses) == [200] + [401] * 11
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("kind", ["ES256", "ES384", "RS256", "PS256", "EdDSA"])
def test_keys_of_every_kind_prove(token_gate, issuer, upstream, kind):
    gate = token_gate()
    with gate.connect(None) as connection:
        holder = Holder(issuer, connection, key=jose.SigningKey(kind)).begin()
        assert holder.ask().status == 200


WRONG = {
    "for another method": {"method": "POST"},
    "for another path": {"address": "https://localhost/fhir/Patient/2"},
    "for a path below": {"address": "https://localhost/fhir/Patient/1/_history"},
    "for another host": {"address": "https://elsewhere/fhir/Patient/1"},
    "for another port": {"address": "https://localhost:9/fhir/Patient/1"},
    "for clear text": {"address": "http://localhost/fhir/Patient/1"},
    "for no address": {"address": "x"},
    "without an address": {"claims": {"htu": None}},
    "without a method": {"claims": {"htm": None}},
    "without an id": {"claims": {"jti": None}},
    "with an empty id": {"claims": {"jti": ""}},
    "with an id that is a number": {"claims": {"jti": 7}},
    "without a time": {"claims": {"iat": None}},
    "of an hour ago": {"claims": {"iat": lambda now: now - 3600}},
    "of an hour to come": {"claims": {"iat": lambda now: now + 3600}},
    "for another token": {"token": "another"},
    "for no token": {"token": None},
    "with a nonce that is nobody's": {"nonce": "AAAAAAAAAAAAAAAA"},
    "with no nonce": {"nonce": None},
    "of another kind": {"kind": "JWT"},
    "of no kind": {"kind": None},
    "with a secret key's member": {"jwk": lambda key: {
        **key.bare(), "d": jose.encode(b"\x01" * 32)}},
    "with a symmetric key": {"jwk": lambda key: {"kty": "oct", "k": "AAAA"}},
    "without its key": {"jwk": lambda key: None},
    "with another key in its header": {"jwk": lambda key: jose.SigningKey().bare()},
    "unsigned": {"alg": "none"},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_proof_of_something_else_is_refused(holder, upstream, case):
    told = dict(WRONG[case])
    now = int(time.time())
    if "claims" in told:
        told["claims"] = {name: value(now) if callable(value) else value
                          for name, value in told["claims"].items()}
    if callable(told.get("jwk")):
        told["jwk"] = told["jwk"](holder.key)
    method = told.pop("method", "GET")
    proof = holder.proof(method=method, **told)
    reply = holder.ask(proof)
    assert reply.status == 401, reply
    assert "DPoP" in reply.fields["WWW-Authenticate"]
    assert upstream.requests == []
    assert holder.ask().status == 200


@pytest.mark.parametrize("spelling", [
    "https://localhost/fhir/Patient/1?x=1", "https://localhost/fhir/Patient/1#x",
    "https://LOCALHOST/fhir/Patient/1", "https://localhost:443/fhir/Patient/1",
    "HTTPS://localhost/fhir/Patient/1", "https://localhost/fhir/%50atient/1",
])
def test_an_address_is_compared_as_an_address(holder, upstream, spelling):
    """RFC 9449 §4.3: without query and fragment, after normalization."""
    assert holder.ask(address=spelling).status == 200


def test_the_query_is_no_part_of_what_is_proven(holder, upstream):
    assert holder.ask(target="/fhir/Patient/1?_elements=id").status == 200


def test_the_port_of_the_host_field_counts(holder, upstream):
    port = holder.gate.address()[1]
    proof = holder.proof(address=f"https://localhost:{port}/fhir/Patient/1")
    holder.connection.send(request(
        fields=proving(holder.token, proof), host=f"localhost:{port}"))
    assert holder.connection.answer().status == 200


def test_another_key_proves_nothing(holder, upstream):
    thief = jose.SigningKey()
    refused(holder, holder.ask(key=thief), "invalid_dpop_proof", "invalid_token")
    assert upstream.requests == []


def test_a_tied_token_as_a_bearer_token_is_refused(holder, upstream):
    reply = holder.connection.get(fields=bearing(holder.token))
    assert reply.status == 401
    # With a proof beside it, too: the scheme says which of the two it is.
    reply = holder.connection.get(
        fields=bearing(holder.token, f"DPoP: {holder.proof()}"))
    assert reply.status == 401
    assert upstream.requests == []


def test_a_token_tied_to_nothing_gains_nothing_by_a_proof(token_gate, issuer, upstream):
    gate = token_gate(rules={"binding": "dpop"})
    with gate.connect(None) as connection:
        holder = Holder(issuer, connection).begin()
        holder.token = issuer.token()
        assert holder.ask().status == 401
    assert upstream.requests == []


@pytest.mark.parametrize("proofs", [0, 2])
def test_one_proof_is_wanted_no_more_no_less(holder, upstream, proofs):
    fields = [f"Authorization: DPoP {holder.token}"]
    fields += [f"DPoP: {holder.proof()}" for _ in range(proofs)]
    assert holder.connection.get(fields=fields).status == 401
    assert upstream.requests == []


@pytest.mark.parametrize("text", ["", "x", "..", "a.b.c", "é", "x" * 6000, "eyJ9.e30.AA"])
def test_a_proof_that_is_none_is_refused(holder, upstream, text):
    fields = [f"Authorization: DPoP {holder.token}", f"DPoP: {text}"]
    assert holder.connection.get(fields=fields).status == 401
    assert upstream.requests == []
    assert holder.ask().status == 200


def test_two_holders_on_one_connection_prove_apart(token_gate, issuer, upstream):
    gate = token_gate()
    with gate.connect("organisation") as connection:
        one = Holder(issuer, connection).begin()
        two = Holder(issuer, connection, professional="810002813839")
        two.nonce = one.nonce
        for _ in range(3):
            assert one.ask().status == two.ask().status == 200
        # The proof of the one beside the token of the other.
        stolen = one.proof(token=two.token)
        assert two.ask(stolen).status == 401
    seen = [asked.fields["Herse-Professional"] for asked in upstream.requests]
    assert seen == [PHYSICIAN, "810002813839"] * 3


def test_strangers_cannot_fill_what_remembers_proofs(token_gate, issuer, upstream):
    """Only proofs of tokens that are believed are remembered."""
    gate = token_gate()
    stranger = jose.SigningKey()
    with gate.connect(None) as connection:
        holder = Holder(issuer, connection).begin()
        before = gate.resident()
        for _ in range(2000):
            proof = jose.proof(stranger, "GET", ADDRESS, token="x", nonce=holder.nonce)
            connection.send(request(fields=proving("x.y.z", proof)))
        for _ in range(2000):
            assert connection.answer().status == 401
        assert gate.resident() - before < 20 << 20
        assert holder.ask().status == 200
