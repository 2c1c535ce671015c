"""Revocation lists: leaf and intermediate, expired lists, reloads, tickets."""

import ssl

import pytest

from harness.pki import Authority, days, now
from harness.waiting import until
from test_tls import resume, shake

pytestmark = pytest.mark.sanitized


class Lists:
    """The two lists of a gate, in its own folder."""

    def __init__(self, pki, config, make_gate):
        self.pki = pki
        self.config = config
        self.gate = make_gate(config, start=False)
        self.number = 1
        self.persons = self.gate.folder / "persons.crl"
        self.root = self.gate.folder / "root.crl"
        config["listeners"][0]["tls"]["revocation_lists"] = ["persons.crl", "root.crl"]
        self.publish()
        self.gate.write()

    def publish(self, leaves=(), middles=(), **options):
        self.number += 1
        self.pki.persons.revocation_list(
            self.persons, [self.pki.certificate(leaf) for leaf in leaves],
            number=self.number, **options)
        self.pki.root.revocation_list(
            self.root, [middle.certificate for middle in middles], number=self.number, **options)


@pytest.fixture
def lists(pki, config, make_gate, upstream):
    return Lists(pki, config, make_gate)


def test_who_is_not_on_a_list_passes(lists, upstream):
    gate = lists.gate.start()
    assert gate.get().status == 200
    assert gate.get(card="pharmacist").status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_revoked_card_ends_the_handshake(lists, upstream, version):
    lists.publish(leaves=["physician"])
    gate = lists.gate.start()
    assert "REVOKED" in (shake(gate, low=version, high=version) or "accepted")
    assert upstream.requests == []
    assert gate.get(card="pharmacist").status == 200


def test_a_revoked_authority_ends_the_handshake(lists, upstream, pki):
    lists.publish(middles=[pki.persons])
    gate = lists.gate.start()
    assert "REVOKED" in (shake(gate) or "accepted")
    assert upstream.requests == []


def test_an_expired_list_refuses(lists, upstream):
    lists.publish(start=now() - days(9), end=now() - days(2))
    gate = lists.gate
    try:
        gate.start()
    except AssertionError:
        # Or the gate refuses to start with it, and says so.
        assert "persons.crl" in gate.log()
        return
    assert "ALERT" in (shake(gate) or "accepted")
    assert upstream.requests == []


def test_an_expired_list_may_be_accepted_and_is_then_shown(lists, upstream, config):
    config["listeners"][0]["tls"]["revocation"] = {"expired": "unsafe-accept"}
    lists.publish(leaves=["pharmacist"], start=now() - days(9), end=now() - days(2))
    gate = lists.gate
    gate.write()
    gate.start()
    assert gate.get().status == 200
    # What it says still counts.
    assert "REVOKED" in (shake(gate, card="pharmacist") or "accepted")
    status = gate.run("status")
    assert status.code == 3, status
    assert "persons.crl" in status.text or "revocation" in status.text.lower()


def test_a_list_that_is_not_the_authoritys_own_is_worth_nothing(lists, upstream, pki):
    # Same name, another key.
    impostor = Authority(pki.persons.certificate, Authority.make("impostor").key)
    impostor.revocation_list(lists.persons)
    gate = lists.gate
    try:
        gate.start()
    except AssertionError:
        assert "revocation list" in gate.log()
        return
    assert "ALERT" in (shake(gate) or "accepted")


def test_a_reload_of_the_list_cuts_who_is_on_it_and_nobody_else(lists, upstream):
    gate = lists.gate.start()
    with gate.connect("physician") as revoked, gate.connect("pharmacist") as other:
        assert revoked.get().status == other.get().status == 200
        lists.publish(leaves=["physician"])
        gate.do("reload")
        ended, left = revoked.end()
        assert left == b"" and ended != "open"
        assert other.get().status == 200
    assert "REVOKED" in (shake(gate) or "accepted")


def test_a_list_in_der_is_read_too(lists, upstream, pki):
    lists.publish(leaves=["physician"])
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    for path in (lists.persons, lists.root):
        parsed = x509.load_pem_x509_crl(path.read_bytes())
        path.write_bytes(parsed.public_bytes(serialization.Encoding.DER))
    gate = lists.gate.start()
    assert "REVOKED" in (shake(gate) or "accepted")
    assert gate.get(card="pharmacist").status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_revoked_card_cannot_resume_after_the_reload(lists, upstream, pki, version):
    gate = lists.gate.start()

    def revoke():
        lists.publish(leaves=["physician"])
        gate.do("reload")

    try:
        with resume(gate, pki, version, revoke) as again:
            assert again.get().status in (401, 403)
    except (ssl.SSLError, OSError, AssertionError):
        pass
    assert len(upstream.requests) == 1


def test_a_broken_list_refuses_the_reload_and_the_one_in_force_stays(lists, upstream):
    lists.publish(leaves=["physician"])
    gate = lists.gate.start()
    lists.persons.write_text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    run = gate.run("reload")
    assert run.code == 1
    assert "persons.crl" in run.text
    assert "REVOKED" in (shake(gate) or "accepted")
    assert gate.get(card="pharmacist").status == 200


def test_a_list_that_expires_while_in_force_refuses_from_then_on(lists, upstream):
    import datetime

    lists.publish(end=now() + datetime.timedelta(seconds=4))
    gate = lists.gate.start()
    assert gate.get().status == 200
    until(lambda: shake(gate) is not None, within=10, what="the list has expired")
    assert gate.run("status").code == 3
