"""Patients are counted, not requests: whom answers show, once each, whatever the way."""

import json
import threading

import pytest

from harness import soap
from harness.client import request
from harness.fhir import (
    INS, JSON, LOCAL, FHIRServer, batch, bundle, encounter, identity, ins, ipp, matricule, next_link,
    patient, reply, shown, text,
)
from harness.gate import ceiling
from harness.pki import PHYSICIAN
from harness.waiting import until

pytestmark = pytest.mark.sanitized


def read(number):
    return f"/fhir/Patient/{identity(number)}"


def search(*numbers, count=50):
    listed = ",".join(f"{LOCAL}%7C{ipp(number)}" for number in numbers)
    return f"/fhir/Patient?identifier={listed}&_count={count}"


def statuses(gate, *targets, card="physician"):
    with gate.connect(card) as connection:
        return [connection.get(target).status for target in targets]


def test_the_fourth_patient_is_one_too_many_and_the_first_is_not(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 3))
    targets = [read(number) for number in (0, 1, 2, 0, 3, 0, 1, 2)]
    assert statuses(gate, *targets) == [200, 200, 200, 200, 429, 200, 200, 200]
    assert gate.used("patients", PHYSICIAN) == 3


def test_who_asks_ten_times_for_one_patient_is_shown_one(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1))
    assert statuses(gate, *[read(5)] * 10, read(6)) == [200] * 10 + [429]


def test_429_tells_the_limit_and_nothing_of_the_patient(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1))
    assert gate.get(read(0)).status == 200
    with gate.connect() as connection:
        connection.send(request(read(1), ["Connection: close"]))
        reader = connection.reader
        reply = connection.answer()
        _, rest = connection.end()
    assert reply.status == 429
    issue = reply.json()["issue"][0]
    assert issue["code"] == "throttled"
    assert "patients" in str(reply.json()) and "standard-patients-3600s" in str(reply.fields)
    assert 3500 <= int(reply.fields["Retry-After"]) <= 3600 * 1.05
    assert reply.fields["RateLimit"] and reply.fields["RateLimit-Policy"]
    received = b"".join(f"{k}: {v}\n".encode() for k, v in reply.fields.pairs) + reply.body + rest
    assert shown(received) == set()
    assert b"zq" not in received.lower() and reader.data == b""
    # The identity server was asked: only its answer tells whom it shows.
    assert len(patients.requests) == 2


def test_what_fits_passes_byte_for_byte(lookup_gate, upstream):
    """Blanks, order, escapes and number forms of the identity server's are the client's."""
    body = (b'{ "resourceType" :"Bundle",\n\t"type":"searchset","total":1.0e0, "entry":[{"resource":'
            b'{"id":"zqid-1","resourceType":"Patient","name":[{"family":"Z\\u00e9Q \xc3\xa9\\/"}]}}]}\r\n ')
    upstream.answer = reply(body, fields=["ETag: W/\"3\"", "X-Served-By: one"])
    gate = lookup_gate(ceiling("patients", 1))
    got = gate.get(search(1))
    assert (got.status, got.body) == (200, body)
    assert got.fields["Content-Length"] == str(len(body))
    assert got.fields["ETag"] == "W/\"3\"" and got.fields["Content-Type"] == JSON


def test_a_bundle_that_would_pass_the_ceiling_is_withheld_whole(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 10))
    assert gate.get(search(*range(7))).status == 200
    refused = gate.get(search(*range(5, 12)))
    assert refused.status == 429 and shown(refused.body) == set()
    # Nobody of those withheld is counted.
    assert gate.used("patients", PHYSICIAN) == 7
    passed = gate.get(search(*range(4, 10)))
    assert passed.status == 200 and shown(passed.body) == set(range(4, 10))
    assert gate.used("patients", PHYSICIAN) == 10


@pytest.mark.parametrize("way", ["search", "form", "match", "batch", "encounters", "pix", "history"])
def test_every_way_to_a_patient_counts(lookup_gate, patients, way):
    gate = lookup_gate(ceiling("patients", 2))
    form = f"identifier={LOCAL}|{ipp(0)},{LOCAL}|{ipp(1)}".encode()
    wanted = text({"resourceType": "Patient", "identifier": [
        {"system": LOCAL, "value": ipp(number)} for number in (0, 1)]})
    ways = {
        "search": lambda: gate.get(search(0, 1)),
        "form": lambda: gate.post("/fhir/Patient/_search", form,
                                  "application/x-www-form-urlencoded"),
        "match": lambda: gate.post("/fhir/Patient/$match", wanted, JSON),
        "batch": lambda: gate.post("/fhir", batch(*[f"GET Patient/{identity(n)}" for n in (0, 1)]),
                                   JSON),
        "encounters": lambda: gate.get(
            "/fhir/Encounter?patient.birthdate=1950-01-01&patient.name=durand&_count=2"
            "&_include=Encounter:patient"),
        "pix": lambda: [gate.get(f"/fhir/Patient/$ihe-pix?sourceIdentifier={LOCAL}|{ipp(n)}")
                        for n in (0, 1)][1],
        "history": lambda: [gate.get(read(n) + "/_history") for n in (0, 1)][1],
    }
    first = ways[way]()
    assert first.status == 200, first.body
    assert gate.used("patients", PHYSICIAN) == 2
    assert gate.get(read(2)).status == 429


def test_names_on_an_encounter_are_patients_shown(lookup_gate, upstream):
    """`subject.display` shows who it is without any Patient in the answer."""
    upstream.answer = reply(bundle([encounter(n) for n in range(3)]))
    gate = lookup_gate(ceiling("patients", 2))
    assert gate.get("/fhir/Encounter?patient=zqid-1").status == 429


@pytest.mark.parametrize("first", ["fhir", "soap"])
def test_a_patient_seen_by_fhir_and_by_soap_is_one(lookup_gate, upstream, first):
    """The INS is the same, with its key digits in one and without a local id in the other."""
    gate = lookup_gate(ceiling("patients", 1))

    def by_fhir(number):
        resource = patient(number, identifier=[{"system": INS, "value": matricule(number)}])
        upstream.answer = reply(resource)
        return gate.get(read(number)).status

    def by_soap(number):
        upstream.answer = soap.reply(soap.found([number], with_local=False))
        return gate.post("/soap", soap.query(), soap.KIND).status

    ways = [by_fhir, by_soap] if first == "fhir" else [by_soap, by_fhir]
    assert [way(1) for way in ways] == [200, 200]
    assert [way(2) for way in ways] == [429, 429]


def test_a_patient_with_many_identifiers_is_one(lookup_gate, upstream):
    many = [{"system": f"urn:oid:1.2.250.1.{number}", "value": f"ZQ{number}"} for number in range(40)]
    upstream.answer = reply(patient(1, identifier=many))
    gate = lookup_gate(ceiling("patients", 1))
    assert gate.get(read(1)).status == 200
    assert gate.used("patients", PHYSICIAN) == 1


def test_duplicates_that_share_an_ins_are_one(lookup_gate, upstream):
    """Two resources of a server that never merged them."""
    same = [patient(1), patient(2, identifier=[{"system": INS, "value": ins(1)},
                                               {"system": LOCAL, "value": ipp(2)}])]
    upstream.answer = reply(bundle(same))
    gate = lookup_gate(ceiling("patients", 1))
    assert gate.get(search(1, 2)).status == 200
    assert gate.used("patients", PHYSICIAN) == 1


def test_two_patients_with_one_placeholder_are_two(lookup_gate, upstream):
    """`0000` in a weak identifier must not make one of everybody."""
    weak = [patient(n, identifier=[{"system": INS, "value": ins(n)},
                                   {"system": "urn:oid:1.2.3", "value": "0000"}]) for n in range(3)]
    upstream.answer = reply(bundle(weak))
    gate = lookup_gate(ceiling("patients", 2))
    assert gate.get(search(0, 1, 2)).status == 429


def test_a_wrong_key_digit_hides_nobody(lookup_gate, upstream):
    wrong = [patient(n, identifier=[{"system": INS, "value": matricule(n) + "00"}])
             for n in range(3)]
    upstream.answer = reply(bundle(wrong))
    gate = lookup_gate(ceiling("patients", 2))
    assert gate.get(search(0, 1, 2)).status == 429


def test_what_a_bundle_declares_is_not_believed(lookup_gate, upstream):
    upstream.answer = reply(bundle([patient(n) for n in range(5)], total=1))
    gate = lookup_gate(ceiling("patients", 4))
    assert gate.get(search(1)).status == 429


def test_professionals_are_counted_apart(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1))
    for card in ("physician", "pharmacist"):
        assert statuses(gate, read(0), read(1), card=card) == [200, 429]


def test_an_answer_without_patients_passes_at_the_ceiling(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1))
    assert statuses(gate, read(0), read(1), "/fhir/metadata", "/fhir/Patient/none") == [
        200, 429, 200, 404]


def test_the_canonical_identifier_tells_patients_apart(lookup_gate, upstream):
    """Where the operator names it, it is stronger than the INS."""
    def change(config):
        config["identity_servers"][0]["canonical_identifier"] = LOCAL

    gate = lookup_gate(ceiling("patients", 1), change=change)
    upstream.answer = reply(bundle([
        patient(1), patient(2, identifier=[{"system": INS, "value": ins(1)},
                                           {"system": LOCAL, "value": ipp(2)}])]))
    assert gate.get(search(1, 2)).status == 429


@pytest.mark.parametrize("lap", range(3))
def test_two_workers_never_show_more_than_the_limit(lookup_gate, patients, lap):
    """Forty connections at once, each after other patients; two workers, one ceiling."""
    limit = 25
    gate = lookup_gate(ceiling("patients", limit))
    seen, codes, lock = set(), [], threading.Lock()
    start = threading.Barrier(40)

    def client(number):
        with gate.connect(within=30) as connection:
            start.wait(20)
            for step in range(4):
                first = (number * 7 + step * 13) % 200
                got = connection.get(search(*range(first, first + 1 + number % 3)))
                with lock:
                    codes.append(got.status)
                    seen.update(shown(got.body))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert len(codes) == 160 and set(codes) == {200, 429}
    assert len(seen) <= limit, f"{len(seen)} patients were shown"
    # Nearly all places are taken: what is withheld is not charged.
    assert len(seen) >= limit - 2
    assert gate.used("patients", PHYSICIAN) == len(seen)


def test_a_pipeline_cannot_outrun_the_ceiling(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 5))
    with gate.connect() as connection:
        connection.send(b"".join(request(read(number)) for number in range(20)))
        got = [connection.answer() for _ in range(20)]
    assert [one.status for one in got] == [200] * 5 + [429] * 15
    assert set.union(*(shown(one.body) for one in got)) == set(range(5))


def test_several_windows_hold_together(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 100, "1m"), ceiling("patients", 4, "30d"),
                       ceiling("patients", 1000, "400d"))
    assert statuses(gate, *[read(number) for number in range(6)]) == [200] * 4 + [429] * 2
    refused = gate.get(read(9))
    assert "w=2592000" in refused.fields["RateLimit-Policy"]


def test_a_window_lets_go_of_who_was_not_shown_again(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1, "1s"))
    assert gate.get(read(0)).status == 200
    until(lambda: gate.get(read(1)).status == 200, within=4, what="the window has passed", every=0.2)


def test_all_pages_of_a_search_are_counted(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 25))
    with gate.connect() as connection:
        got = connection.get("/fhir/Patient?birthdate=1950-01-01&name=durand&_count=10")
        seen = set()
        while got.status == 200:
            page = json.loads(got.body)
            seen |= shown(got.body)
            got = connection.get(next_link(page))
    assert got.status == 429
    assert seen == set(range(20))


def test_an_answer_of_a_thousand_patients_is_counted(lookup_gate, upstream):
    upstream.answer = FHIRServer(1000)
    gate = lookup_gate(ceiling("patients", 1000), vague="allow", answer_max="16M", count_max=1000)
    target = "/fhir/Patient?_id=" + ",".join(identity(number) for number in range(300))
    got = gate.get(target + "&_count=1000")
    assert got.status == 200, got.body
    assert gate.used("patients", PHYSICIAN) == 300
