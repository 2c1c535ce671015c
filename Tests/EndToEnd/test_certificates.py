"""Which certificates are believed, and as whom."""

import datetime
import ssl

import pytest

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from harness.pki import PHYSICIAN, Authority, days, name, now, person, usage
from harness.waiting import until
from test_tls import shake

pytestmark = pytest.mark.sanitized

BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
EMAIL = [ExtendedKeyUsageOID.EMAIL_PROTECTION]


def rdns(*parts):
    return x509.Name([
        x509.RelativeDistinguishedName([x509.NameAttribute(oid, value) for oid, value in part])
        for part in parts
    ])


# Each is turned away during the handshake: it proves nothing at all.
UNFIT = {
    "expired": lambda pki: "expired",
    "not valid yet": lambda pki: pki.issue("future", start=now() + days(1)),
    "of another authority": lambda pki: pki.issue("stranger", by=pki.stranger),
    "self-signed": lambda pki: self_signed(pki),
    "an authority itself": lambda pki: pki.issue(
        "authority", authority=True,
        key_usage=usage(digital_signature=True, key_cert_sign=True, crl_sign=True)),
    "without clientAuth": lambda pki: pki.issue("server", purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
    "without any purpose": lambda pki: pki.issue("purposeless", purposes=None),
    "version 1": lambda pki: pki.version_one("v1"),
    "an empty subject": lambda pki: pki.issue(
        "empty", x509.Name([]), names=[x509.DNSName("localhost")]),
    "signed by a card": lambda pki: signed_by_card(pki),
    "only for encryption": lambda pki: pki.issue(
        "encryption", key_usage=usage(key_encipherment=True)),
    "the signature certificate of the card": lambda pki: "signature",
}


def self_signed(pki):
    alone = Authority.make("alone")
    return pki.issue("self-signed", by=alone)


def signed_by_card(pki):
    """A chain that goes through a card: the card is no authority, whatever it signs."""
    from cryptography.hazmat.primitives import serialization

    pem, key = pki.card("pharmacist")
    card = Authority(x509.load_pem_x509_certificate(pem.read_bytes()),
                     serialization.load_pem_private_key(key.read_bytes(), None))
    return pki.issue("of-card", by=card, chain=[card, pki.persons])


@BOTH
@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_certificate_ends_the_handshake(gate, upstream, pki, case, version):
    alert = shake(gate, card=UNFIT[case](pki), low=version, high=version)
    assert alert and "ALERT" in alert, alert
    assert upstream.requests == []


def test_an_intermediate_alone_may_be_the_anchor_and_then_its_siblings_are_nobody(
    config, make_gate, upstream, pki
):
    config["listeners"][0]["tls"]["client_authorities"] = [str(pki.path("persons-ca.pem"))]
    gate = make_gate(config)
    assert gate.get().status == 200
    assert "ALERT" in (shake(gate, card=pki.issue("of-servers", by=pki.servers)) or "accepted")


def test_the_chain_may_come_without_its_root_but_not_without_its_middle(
    config, make_gate, upstream, pki
):
    # Only the root is an anchor here: the client must bring what is between.
    config["listeners"][0]["tls"]["client_authorities"] = [str(pki.path("root-ca.pem"))]
    gate = make_gate(config)
    assert gate.get().status == 200
    pki.issue("alone", chain=[])
    assert "ALERT" in (shake(gate, card="alone") or "accepted")


# Each is a sound certificate that names no human, or not as one.
NOBODY = {
    "an organisation": lambda pki: "organisation",
    "a service card": lambda pki: "service",
    "no identifier in CN": lambda pki: pki.issue("named", person("DURAND ALAIN")),
    "an identifier too short": lambda pki: pki.issue("short", person("89970021889")),
    "an unknown prefix": lambda pki: pki.issue("prefix", person("999700218896")),
    "two CN": lambda pki: pki.issue("two", rdns(
        [(NameOID.COUNTRY_NAME, "FR")], [(NameOID.COMMON_NAME, PHYSICIAN)],
        [(NameOID.COMMON_NAME, "810002813839")], [(NameOID.SURNAME, "A")],
        [(NameOID.GIVEN_NAME, "B")])),
    "an identifier with a NUL behind it": lambda pki: pki.issue(
        "nul", person(PHYSICIAN + "\x00x")),
    "an identifier with a line behind it": lambda pki: pki.issue(
        "line", person(PHYSICIAN + "\r\nX: 1")),
    "an identifier with a blank behind it": lambda pki: pki.issue("blank", person(PHYSICIAN + " ")),
}


@pytest.mark.parametrize("case", NOBODY)
def test_who_is_no_named_human_is_403(gate, upstream, pki, case):
    reply = gate.get(card=NOBODY[case](pki))
    assert reply.status == 403
    assert upstream.requests == []


def test_a_certificate_that_also_signs_documents_is_turned_away(gate, upstream, pki):
    card = pki.issue("both", key_usage=usage(digital_signature=True, content_commitment=True))
    alert = shake(gate, card=card)
    if alert is None:
        assert gate.get(card=card).status == 403
    assert upstream.requests == []


SPELLINGS = {
    "one relative name of three": (person(PHYSICIAN), PHYSICIAN),
    "CN before and after the others": (rdns(
        [(NameOID.COMMON_NAME, PHYSICIAN)], [(NameOID.GIVEN_NAME, "B")], [(NameOID.SURNAME, "A")],
        [(NameOID.TITLE, "Médecin")], [(NameOID.COUNTRY_NAME, "FR")]), PHYSICIAN),
    "an ADELI number": (person("0759912340"), "0759912340"),
    "an ADELI number with letters": (person("02a9912340"), "02A9912340"),
    "an employee of a FINESS structure": (
        person("3760021832/000000018"), "3760021832/000000018"),
    "letters in lower case": (person("500000000029751/cpat0001"), "500000000029751/CPAT0001"),
    "an RPPS number whose key is wrong": (person("899700218897"), "899700218897"),
}


@pytest.mark.parametrize("case", SPELLINGS)
def test_a_professional_is_read_from_the_subject(gate, upstream, pki, case):
    subject, wanted = SPELLINGS[case]
    card = pki.issue("spelling", subject)
    assert gate.get(card=card).status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == wanted


def test_a_slash_in_another_attribute_forges_no_cn(gate, upstream, pki):
    subject = rdns([(NameOID.COUNTRY_NAME, "FR")], [(NameOID.TITLE, "Médecin/CN=810002813839")],
                   [(NameOID.COMMON_NAME, PHYSICIAN), (NameOID.SURNAME, "A/CN=810002813839"),
                    (NameOID.GIVEN_NAME, "B")])
    card = pki.issue("slash", subject)
    assert gate.get(card=card).status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == PHYSICIAN


def test_the_identifier_may_be_another_attribute(config, make_gate, upstream, pki):
    config["authentication"]["certificate"]["professional_id"] = "serialNumber"
    gate = make_gate(config)
    subject = rdns([(NameOID.COUNTRY_NAME, "FR")], [(NameOID.COMMON_NAME, "ALAIN DURAND")],
                   [(NameOID.SERIAL_NUMBER, PHYSICIAN)], [(NameOID.SURNAME, "DURAND")],
                   [(NameOID.GIVEN_NAME, "ALAIN")])
    assert gate.get(card=pki.issue("serial", subject)).status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == PHYSICIAN
    assert gate.get(card="physician").status == 403


def test_organisations_pass_where_they_are_accepted(config, make_gate, upstream):
    config["authentication"]["certificate"]["organisations"] = "accept"
    gate = make_gate(config)
    assert gate.get(card="organisation").status == 200
    fields = upstream.requests[-1].fields
    assert "Herse-Professional" not in fields
    assert fields["Herse-Structure"] == "10B0152872"
    assert gate.get(card="service").status == 403


def test_service_cards_pass_where_they_are_accepted(config, make_gate, upstream):
    config["authentication"]["certificate"]["non_nominative"] = "accept"
    gate = make_gate(config)
    assert gate.get(card="service").status == 200
    assert gate.get(card="organisation").status == 403


def test_a_certificate_that_expires_on_an_open_connection_passes_no_more(
    config, make_gate, upstream, pki
):
    gate = make_gate(config)
    card = pki.issue("brief", start=now() - days(1), end=now() + datetime.timedelta(seconds=3))
    with gate.connect(card) as connection:
        assert connection.get().status == 200

        def ended():
            try:
                return connection.get().status != 200
            except (AssertionError, OSError):
                return True

        until(ended, within=8, what="the expired card is refused", every=0.2)
    assert "ALERT" in (shake(gate, card=card) or "accepted")


def test_a_chain_of_ten_certificates_is_verified_and_a_longer_one_refused(
    config, make_gate, upstream, pki
):
    chain = [pki.stranger]
    for number in range(12):
        chain.append(Authority.make(f"Authority {number}", chain[-1]))
    pki.path("stranger.pem").write_bytes(pki.stranger.pem())
    config["listeners"][0]["tls"]["client_authorities"] = [str(pki.path("stranger.pem"))]
    gate = make_gate(config)
    eight = pki.issue("eight", by=chain[8], chain=chain[8:0:-1])
    assert gate.get(card=eight).status == 200
    twelve = pki.issue("twelve", by=chain[12], chain=chain[12:0:-1])
    assert "ALERT" in (shake(gate, card=twelve) or "accepted")
