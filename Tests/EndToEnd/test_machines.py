"""Organisations by name and structure, with limits of their own, and no search; fresh proofs."""

import pytest

from harness.fhir import identity
from harness.pki import PHYSICIAN
from harness.waiting import until

pytestmark = pytest.mark.sanitized

CN, STRUCTURE = "Padoa", "10B0152872"


def read(number):
    return f"/fhir/Patient/{identity(number)}"


@pytest.fixture
def machine_gate(lookup_gate):
    """Makes gates whose route lets machines pass by this rule."""
    def make(machines, limits=None, **route):
        def change(config):
            config["routes"][0].update(route, machines=machines)
            if limits:
                config["limits"]["machines"] = limits
        return lookup_gate(change=change)
    return make


def organisation_name(pki):
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    pem, _ = pki.card("organisation")
    subject = x509.load_pem_x509_certificate(pem.read_bytes()).subject
    return subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def test_a_machine_passes_by_its_exact_name(machine_gate, patients, pki, upstream):
    name = organisation_name(pki)
    gate = machine_gate({"names": [name]})
    assert gate.get(read(0), card="organisation").status == 200
    assert upstream.requests[-1].fields["Herse-Structure"] == STRUCTURE
    assert gate.newest()["structure"] == STRUCTURE


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda name: name + " ",
                                    lambda name: name[:-1]])
def test_a_machine_of_another_name_is_refused(machine_gate, patients, pki, upstream, change):
    gate = machine_gate({"names": [change(organisation_name(pki)) + "x"]})
    assert gate.get(read(0), card="organisation").status == 403
    assert not upstream.requests
    line = gate.newest(status=403)
    assert line["why"] == "organisation" and line["structure"] == STRUCTURE


def test_a_machine_passes_by_its_structure(machine_gate, patients):
    assert machine_gate({"structures": [STRUCTURE]}).get(
        read(0), card="organisation").status == 200
    assert machine_gate({"structures": ["10B0193488"]}).get(
        read(0), card="organisation").status == 403


def test_people_still_pass_where_machines_do(machine_gate, patients):
    gate = machine_gate({"structures": ["10B0193488"]})
    assert gate.get(read(0)).status == 200


def test_a_machine_searches_nobody(machine_gate, patients, upstream):
    gate = machine_gate({"structures": [STRUCTURE]})
    found = gate.get("/fhir/Patient?family=ZQFAMILY1&birthdate=1950-01-01", card="organisation")
    assert found.status == 403
    assert gate.newest(status=403)["why"] == "interaction-not-allowed"
    assert not upstream.requests
    assert gate.get("/fhir/Patient?family=ZQFAMILY1&birthdate=1950-01-01").status == 200


def test_a_machine_that_may_look_up_does(machine_gate, patients):
    gate = machine_gate({"structures": [STRUCTURE], "lookups": "accept"})
    found = gate.get("/fhir/Patient?family=ZQFAMILY1&birthdate=1950-01-01", card="organisation")
    assert found.status == 200


def test_a_machine_has_limits_of_its_own(machine_gate, patients):
    gate = machine_gate({"structures": [STRUCTURE], "limits": "machines"},
                        limits=[{"count": "patients", "limit": 2, "per": "1h"}])
    assert [gate.get(read(n), card="organisation").status for n in range(3)] == [200, 200, 429]
    # What people may is counted apart.
    assert [gate.get(read(n)).status for n in range(3)] == [200] * 3


def test_a_neutralized_structure_stops_its_machines(machine_gate, patients):
    gate = machine_gate({"structures": [STRUCTURE]})
    assert gate.get(read(0), card="organisation").status == 200
    gate.run("neutralize", f"structure:{STRUCTURE}", "--reason", "key stolen")
    assert gate.get(read(0), card="organisation").status == 403


def test_a_route_can_ask_for_a_fresh_proof(config, make_gate, upstream):
    for route in config["routes"]:
        route["max_age"] = "1s"
    gate = make_gate(config)
    with gate.connect() as connection:
        assert connection.get("/fhir/Patient/1").status == 200
        refused = until(
            lambda: (got := connection.get("/fhir/Patient/1")).status == 403 and got, within=5,
            what="the handshake grows old", every=0.1)
        assert not refused.keeps_alive
    line = gate.newest(status=403)
    assert line["why"] == "proof-too-old" and line["professional"] == PHYSICIAN
    with gate.connect() as connection:
        assert connection.get("/fhir/Patient/1").status == 200
