"""What is kept tells who asked what and who was shown, by keyed hashes: nobody's name or number."""

import re

import pytest

from harness import soap
from harness.fhir import (
    JSON, LOCAL, SECRET, FHIRServer, batch, bundle, identity, ipp, patient, reply, text,
)
from harness.gate import ceiling, strict
from harness.pki import PHYSICIAN
from harness.waiting import until

pytestmark = pytest.mark.sanitized

FORM = "application/x-www-form-urlencoded"


def read(number):
    return f"/fhir/Patient/{identity(number)}"


def search(*numbers):
    listed = ",".join(f"{LOCAL}%7C{ipp(number)}" for number in numbers)
    return f"/fhir/Patient?identifier={listed}&_count=50"


def test_a_line_tells_what_was_asked_and_who_was_shown(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 100))
    gate.get(search(1, 2, 3))
    line = gate.newest(status=200)
    assert line["interaction"] == "search" and line["transaction"] == "ITI-78"
    assert line["lookups"] >= 1 and line["finding"] == "understood"
    assert line["decision"] == "allow" and line["professional"] == PHYSICIAN
    assert len(line["persons"]) == 3 == len(set(line["persons"]))
    assert all(re.fullmatch(r"[0-9a-f]{16}", key) for key in line["persons"])
    assert set(line["fields"]) == {
        "name", "birth-date", "gender", "phone", "mail", "address", "ins", "identifier"}


def test_a_patient_is_the_same_key_each_time(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 100))
    gate.get(read(1))
    gate.get(search(2, 1))
    gate.get(read(2), card="pharmacist")
    gate.get(read(3))
    first, both, second, third = until(
        lambda: (lines := [e["persons"] for e in gate.record() if "persons" in e])
        and len(lines) == 4 and lines, what="four lines")
    assert len(first) == len(second) == len(third) == 1
    assert set(both) == {*first, *second}
    assert third[0] not in both
    gate.kill()
    gate.start()
    gate.get(read(1))
    until(lambda: [e for e in gate.record() if e.get("persons") == first][1:],
          what="the same key after a restart")


def test_two_gates_know_a_patient_by_different_keys(lookup_gate, patients):
    keys = []
    for _ in range(2):
        gate = lookup_gate(ceiling("patients", 100))
        gate.get(read(1))
        keys += gate.newest(status=200)["persons"]
    assert keys[0] != keys[1]


LINES = {
    "a read": (lambda gate: gate.get(read(1)), "read", "understood", 1),
    "a miss": (lambda gate: gate.get("/fhir/Patient/none"), "read", "miss", 0),
    "a capability statement": (lambda gate: gate.get("/fhir/metadata"), "capabilities", None, 0),
    "a feed": (lambda gate: gate.post("/fhir/Patient", b"{}", JSON), "feed", None, 0),
    "a cross-reference": (
        lambda gate: gate.get(f"/fhir/Patient/$ihe-pix?sourceIdentifier={LOCAL}%7C{ipp(1)}"),
        "cross-reference", "understood", 1),
    "a batch": (lambda gate: gate.post("/fhir", batch(*[f"GET Patient/{identity(n)}"
                                                       for n in range(4)]), JSON),
                "batch", "understood", 4),
}


@pytest.mark.parametrize("case", LINES)
def test_each_kind_of_lookup_has_its_line(lookup_gate, patients, case):
    ask, interaction, finding, count = LINES[case]
    gate = lookup_gate(ceiling("patients", 100))
    ask(gate)
    line = until(lambda: (lines := gate.record()) and lines[0])
    assert line["interaction"] == interaction
    assert line.get("finding") == finding or (finding is None and line.get("finding") != "miss")
    assert len(line.get("persons", ())) == count


def test_a_route_without_lookups_has_none_of_it(make_gate, config, upstream):
    gate = make_gate(config)
    gate.get("/plain/1")
    line = until(lambda: (lines := gate.record()) and lines[0])
    assert not {"interaction", "lookups", "finding", "persons"} & set(line)


# Among hashes, keys and signatures two letters come by themselves.
CHANCE = re.compile(rb'(?m)^\{"checkpoint":.*|[A-Za-z0-9+/]{40,}')
LONG_SECRET = re.compile(rb"(?i)zqfamily|zqid-|zqheader|ippzq|28005760000")


def test_nothing_that_is_kept_names_a_patient(lookup_gate, upstream):
    """Requests and answers of every kind; then the state, the log and the commands are searched."""
    server = FHIRServer(100)
    upstream.answer = server
    gate = lookup_gate(ceiling("patients", 30), ceiling("lookups", 1000), ceiling("misses", 50))
    with gate.connect() as connection:
        for target in (read(1), search(2, 3), "/fhir/Patient?family=ZQFAMILY4", read("zq"),
                       "/fhir/$zqexport", f"/fhir/{identity(5)}/$everything?a=zq",
                       "/fhir?_getpages=zq", "/fhir/Patient?birthdate=1950-01-01&_count=50",
                       "/elsewhere/zq/2800576000001", "/fhir/Patient/%zz"):
            connection.get(target, ["X-Zq: zqheader", "User-Agent: zq"])
            if not connection.is_open():
                break
    gate.post("/fhir/Patient/_search", b"family=ZQFAMILY1&birthdate=1950-01-01", FORM)
    gate.post("/fhir/Patient/$match", text({"resourceType": "Patient", "name": [
        {"family": "ZQFAMILY1"}], "birthDate": "1950-01-01"}), JSON)
    gate.post("/fhir", batch("GET Patient/zqid-1", "GET Patient/$zq"), JSON)
    gate.post("/fhir", b'{"zq":', JSON)
    upstream.answer = reply(b'{"resourceType":"Patient","name":"zq', JSON)
    gate.get(read(1))
    upstream.answer = reply(b"zq" * 1000, "text/plain")
    gate.get(read(1))
    upstream.answer = lambda asked, peer: peer.send(b"HTTP/1.1 200 ZQ\r\nzq: zq: \x01\r\n\r\n")
    gate.get(read(1))
    upstream.answer = soap.HL7Server(2)
    gate.post("/soap", soap.query(1, soap.by_birth("19500101", "ZQFAMILY1")), soap.KIND)
    gate.post("/soap", soap.query(2)[:-30] + b"zq", soap.KIND)
    upstream.answer = soap.reply(soap.insi_found(1))
    gate.post("/insi", soap.insi_query(1), soap.KIND)
    told = gate.do("limits", "show", PHYSICIAN).out + gate.do("status").out
    gate.do("sessions")
    assert gate.stop() == 0
    for name, kept in {**gate.bytes_kept(), "commands": told.encode()}.items():
        found = LONG_SECRET.search(kept)
        if not found and not name.endswith(".table"):
            kept = CHANCE.sub(b"", kept)
            found = SECRET.search(kept)
        assert not found, f"{name}: {kept[max(0, found.start() - 200):found.end() + 50]!r}"


def test_who_is_withheld_is_told_apart_from_who_was_shown(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 2))
    gate.get(search(1, 2))
    gate.get(search(2, 3))
    shown_line, withheld_line = until(lambda: gate.record()[1:] and gate.record(), what="two lines")
    assert len(shown_line["persons"]) == 2 and "withheld" not in shown_line
    assert len(withheld_line["withheld"]) == 2 and "persons" not in withheld_line
    assert len(set(shown_line["persons"]) & set(withheld_line["withheld"])) == 1
    assert (withheld_line["decision"], withheld_line["status"]) == ("deny", 429)


@pytest.mark.parametrize("mode", ["before-delivery", "grouped"])
def test_a_thousand_patients_of_one_answer_are_all_in_one_line(pki, upstream, make_gate, mode):
    upstream.answer = reply(bundle([patient(n) for n in range(1000)]))
    config = strict(pki, upstream, ceiling("patients", 5000))
    config["record"] = {"durable": mode}
    gate = make_gate(config)
    assert gate.get(search(1)).status == 200
    assert len(gate.newest(status=200)["persons"]) == 1000
