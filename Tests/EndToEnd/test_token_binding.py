"""Tokens tied to a certificate, RFC 8705: worth something only on the connection that shows it."""

import pytest

from harness import jose
from harness.pki import PHARMACIST, PHYSICIAN
from harness.strong import bearing

pytestmark = pytest.mark.sanitized

CARD = "organisation"


def ask(gate, token, card=CARD, **options):
    return gate.get(card=card, fields=bearing(token), **options)


def test_a_tied_token_passes_with_its_certificate(token_gate, issuer, upstream):
    gate = token_gate()
    assert ask(gate, issuer.bound_to_certificate(CARD)).status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == PHYSICIAN


@pytest.mark.parametrize("binding", ["when-bound", "certificate", "either"])
@pytest.mark.parametrize("card", [None, "physician", "pharmacist"])
def test_a_tied_token_is_refused_with_another_certificate_or_none(
    token_gate, issuer, upstream, binding, card
):
    gate = token_gate(rules={"binding": binding})
    reply = ask(gate, issuer.bound_to_certificate(CARD), card=card)
    assert reply.status == 401, reply
    assert 'error="invalid_token"' in reply.fields["WWW-Authenticate"]
    entry = gate.entry(reply.fields["X-Request-Id"])
    assert entry["why"] == "other-certificate", entry
    assert upstream.requests == []


def test_a_new_certificate_of_the_same_holder_is_another(token_gate, issuer, upstream, pki):
    gate = token_gate()
    token = issuer.bound_to_certificate("physician")
    assert ask(gate, token, card="physician").status == 200
    assert ask(gate, token, card=pki.issue("renewed")).status == 401


def test_a_stolen_token_is_refused_beside_its_owners_requests(token_gate, issuer, upstream):
    gate = token_gate()
    token = issuer.bound_to_certificate(CARD)
    with gate.connect(CARD) as owner, gate.connect("pharmacist") as thief:
        for _ in range(3):
            assert owner.get(fields=bearing(token)).status == 200
            assert thief.get(fields=bearing(token)).status == 401
    assert len(upstream.requests) == 3


HEX = {"accept": 200, "refuse": 401, None: 401}


@pytest.mark.parametrize("switch", HEX)
def test_the_second_encoding_passes_behind_its_switch_alone(
    token_gate, issuer, upstream, switch
):
    rules = {} if switch is None else {"hex_thumbprints": switch}
    gate = token_gate(rules=rules)
    assert ask(gate, issuer.bound_to_certificate(CARD, hexadecimal=True)).status == HEX[switch]
    assert ask(gate, issuer.bound_to_certificate(CARD)).status == 200


@pytest.mark.parametrize("card", [None, "physician"])
def test_the_second_encoding_ties_as_the_first_does(token_gate, issuer, upstream, card):
    gate = token_gate(rules={"hex_thumbprints": "accept"})
    token = issuer.bound_to_certificate(CARD, hexadecimal=True)
    assert ask(gate, token, card=card).status == 401
    assert upstream.requests == []


MUST = {
    "certificate": ("unbound", None), "dpop": ("unbound", None), "either": ("unbound", None),
    "when-bound": (None, None),
}


@pytest.mark.parametrize("binding", MUST)
def test_a_token_tied_to_nothing_passes_where_none_need_be(
    token_gate, issuer, upstream, binding
):
    gate = token_gate(rules={"binding": binding})
    why, _ = MUST[binding]
    reply = ask(gate, issuer.token())
    assert reply.status == (401 if why else 200), reply
    if why:
        assert gate.entry(reply.fields["X-Request-Id"])["why"] == why


def test_a_certificate_is_no_stand_in_where_a_key_is_asked_for(token_gate, issuer, upstream):
    gate = token_gate(rules={"binding": "dpop"})
    assert ask(gate, issuer.bound_to_certificate(CARD)).status == 401
    assert upstream.requests == []


NONSENSE = {
    "an empty cnf": {}, "a text": "x", "a list": ["x5t#S256"], "null": None,
    "an unknown member": {"x5t#S512": "x"}, "an empty thumbprint": {"x5t#S256": ""},
    "a thumbprint cut short": {"x5t#S256": "A" * 42}, "a thumbprint too long": {"x5t#S256": "A" * 44},
    "a number": {"x5t#S256": 7}, "a list of thumbprints": {"x5t#S256": ["A" * 43]},
    "of zeros": {"x5t#S256": "A" * 43}, "the key id of a proof": {"kid": "x"},
    "an encrypted key": {"jwe": "x"}, "another address": {"jku": "https://x"},
}


@pytest.mark.parametrize("case", NONSENSE)
def test_a_tie_that_is_not_understood_is_no_permission(token_gate, issuer, upstream, case):
    gate = token_gate()
    claims = issuer.claims()
    claims["cnf"] = NONSENSE[case]
    token = jose.signed(jose.header(issuer.keys[0]), claims, issuer.keys[0])
    assert ask(gate, token).status == 401
    assert upstream.requests == []


def test_a_token_tied_twice_must_keep_both(token_gate, issuer, upstream):
    gate = token_gate()
    key = jose.SigningKey()
    bound = jose.read(issuer.bound_to_certificate(CARD))[1]["cnf"]
    token = issuer.token(cnf={**bound, "jkt": key.thumbprint()})
    assert ask(gate, token).status == 401
    assert upstream.requests == []


def test_one_vendors_connection_carries_many_tied_professionals(token_gate, issuer, upstream):
    gate = token_gate(rules={"binding": "certificate"})
    with gate.connect(CARD) as connection:
        for person in (PHYSICIAN, PHARMACIST, PHYSICIAN):
            token = issuer.bound_to_certificate(CARD, professional=person)
            assert connection.get(fields=bearing(token)).status == 200
    seen = [one.fields["Herse-Professional"] for one in upstream.requests]
    assert seen == [PHYSICIAN, PHARMACIST, PHYSICIAN]
