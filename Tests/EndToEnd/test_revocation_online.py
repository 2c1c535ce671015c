"""Revocation by the network: lists fetched from configured addresses, responders, stapling."""

import datetime
import subprocess
import time

import pytest
from cryptography.x509 import ocsp

from harness.pki import days, now
from harness.revocation import Lists, OpenSSLResponder, Responder
from harness.waiting import until
from test_tls import shake


class Published:
    """A gate whose lists are at an address."""

    def __init__(self, pki, config, make_gate, **source):
        self.pki = pki
        self.lists = Lists()
        self.number = 1
        self.publish()
        config["listeners"][0]["tls"]["revocation_lists"] = [
            {"url": self.lists.url(name), "refresh": "1s", **source}
            for name in ("persons.crl", "root.crl")]
        self.gate = make_gate(config, start=False)

    def publish(self, leaves=(), **options):
        self.number += 1
        for name, authority, revoked in (("persons.crl", self.pki.persons, leaves),
                                         ("root.crl", self.pki.root, ())):
            path = authority.revocation_list(
                self.pki.path(name), [self.pki.certificate(leaf) for leaf in revoked],
                number=self.number, **options)
            self.lists.put(name, path)

    def states(self):
        return {one["name"]: one for one in self.gate.run("status", "--json").json()["lists"]
                if one["kind"] == "revocation"}


@pytest.fixture
def published(pki, config, make_gate, upstream):
    made = []

    def make(**source):
        made.append(Published(pki, config, make_gate, **source))
        return made[-1]

    yield make
    for one in made:
        one.lists.close()


class TestLists:
    def test_somebody_revoked_later_is_cut(self, published, upstream):
        p = published()
        gate = p.gate.start()
        assert gate.get().status == 200
        with gate.connect() as client:
            assert client.get("/fhir/Patient/1").status == 200
            p.publish(leaves=["physician"])
            until(lambda: "REVOKED" in (shake(gate) or "accepted"), what="the list is in force")
            until(lambda: not client.is_open(), what="the live connection is cut")
        assert gate.get(card="pharmacist").status == 200
        assert "fetched" in gate.log()

    def test_status_shows_address_and_age(self, published):
        p = published()
        p.gate.start()
        states = p.states()
        shown = states[p.lists.url("persons.crl")]
        assert shown["state"] in ("fresh", "empty") and shown["age_seconds"] < 60

    def test_without_a_list_nobody_is_believed(self, published, upstream):
        p = published()
        p.lists.files.clear()
        gate = p.gate.start()
        assert shake(gate) is not None
        assert gate.run("status").code == 3
        assert p.states()[p.lists.url("persons.crl")]["state"] == "unknown"
        p.publish()
        until(lambda: shake(gate) is None, within=90, what="the list has come", every=0.5)
        assert gate.get().status == 200

    def test_an_outage_keeps_the_list_until_it_is_stale(self, published, upstream):
        p = published(stale="2s")
        gate = p.gate.start()
        p.lists.files.clear()
        until(lambda: p.states()[p.lists.url("persons.crl")]["state"] == "stale",
              what="the list is stale")
        assert gate.get().status == 200, "its nextUpdate is far"
        assert gate.run("status").code == 3

    def test_a_restart_during_an_outage_keeps_it_too(self, published, upstream):
        p = published()
        p.publish(leaves=["pharmacist"])
        gate = p.gate.start()
        assert gate.get().status == 200
        gate.kill()
        p.lists.files.clear()
        gate.start()
        assert gate.get().status == 200
        assert "REVOKED" in (shake(gate, card="pharmacist") or "accepted")

    @pytest.mark.parametrize("bad", ["foreign", "garbage", "older", "empty"])
    def test_a_bad_list_replaces_none(self, published, upstream, pki, bad):
        p = published()
        p.publish(leaves=["pharmacist"])
        gate = p.gate.start()
        if bad == "foreign":
            path = pki.servers.revocation_list(pki.path("foreign.crl"), number=99)
            p.lists.put("persons.crl", path)
        elif bad == "older":
            path = pki.persons.revocation_list(
                pki.path("older.crl"), number=1, start=now() - days(3), end=now() + days(3))
            p.lists.put("persons.crl", path)
        else:
            p.lists.put("persons.crl", {"garbage": b"\x30\x82" + b"x" * 100, "empty": b""}[bad],
                        der=False)
        asked = p.lists.count()
        until(lambda: p.lists.count() > asked + 2, what="it was fetched", within=15)
        assert gate.get().status == 200
        assert "REVOKED" in (shake(gate, card="pharmacist") or "accepted")


@pytest.fixture
def asked(pki, config, make_gate, upstream):
    """Makes a gate whose clients' certificates a responder is asked about."""
    made = []

    def make(kind=Responder, **rule):
        responder = kind(pki) if kind is OpenSSLResponder else kind(pki.persons)
        made.append(responder)
        config["listeners"][0]["tls"]["ocsp"] = {"url": responder.url, **rule}
        return responder, make_gate(config)

    yield make
    for responder in made:
        responder.close()


class TestResponders:
    def test_who_is_good_passes_and_is_asked_about_once(self, asked, upstream):
        responder, gate = asked()
        for _ in range(3):
            assert gate.get().status == 200
        assert responder.count() == 1
        assert gate.get(card="pharmacist").status == 200
        assert responder.count() == 2

    def test_openssl_s_own_answers_are_understood(self, asked, upstream):
        _, gate = asked(OpenSSLResponder)
        assert gate.get().status == 200

    def test_who_is_revoked_is_refused(self, asked, upstream, pki):
        responder, gate = asked()
        responder.revoke(pki.certificate("physician"))
        reply = gate.get()
        assert reply.status == 403, reply
        assert upstream.requests == []
        assert gate.get(card="pharmacist").status == 200
        assert gate.newest(why="certificate-refused")

    def test_who_is_unknown_is_refused(self, asked, upstream, pki):
        responder, gate = asked()
        responder.unknown.add(pki.certificate("physician").serial_number)
        assert gate.get().status == 403

    def test_who_is_revoked_later_is_refused_on_an_open_connection(self, asked, pki, upstream):
        responder, gate = asked(cache="1s")
        with gate.connect() as client:
            assert client.get("/fhir/Patient/1").status == 200
            responder.revoke(pki.certificate("physician"))
            time.sleep(2.1)
            assert client.get("/fhir/Patient/1").status == 403

    @pytest.mark.parametrize("how", [
        "refuses", "breaks off", "signed by another", "expired", "of another", "slow"])
    def test_no_answer_is_no_permission(self, asked, upstream, pki, how):
        responder, gate = asked()
        if how == "refuses":
            responder.failure = ocsp.OCSPResponseStatus.TRY_LATER
        elif how == "breaks off":
            responder.instead = lambda request, peer: peer.sock.close()
        elif how == "signed by another":
            responder.signer = pki.servers
        elif how == "expired":
            responder.age = datetime.timedelta(hours=3)
        elif how == "of another":
            responder.speaks_of = 4711
        elif how == "slow":
            responder.instead = lambda request, peer: time.sleep(8)
        reply = gate.get()
        assert reply.status == 503, reply
        assert upstream.requests == []

    def test_unless_the_operator_said_so(self, asked, upstream):
        responder, gate = asked(unavailable="unsafe-accept")
        responder.failure = ocsp.OCSPResponseStatus.TRY_LATER
        assert gate.get().status == 200
        assert gate.run("status").code == 3


def test_our_own_certificate_is_stapled(pki, config, make_gate, upstream):
    responder = Responder(pki.servers)
    try:
        config["listeners"][0]["tls"]["ocsp"] = {"staple": {"url": responder.url}}
        gate = make_gate(config)

        def stapled():
            files = pki.card("physician")
            host, port = gate.address()
            run = subprocess.run(
                ["openssl", "s_client", "-connect", f"{host}:{port}", "-status",
                 "-CAfile", pki.path("root-ca.pem"), "-cert", files[0], "-key", files[1],
                 "-cert_chain", files[0]],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
            return "Cert Status: good" in run.stdout

        until(stapled, what="the response is stapled", within=15, every=0.3)
        assert gate.get().status == 200
    finally:
        responder.close()
