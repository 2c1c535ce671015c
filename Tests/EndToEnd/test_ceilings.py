"""Limits of lookups, disclosures and misses; for roles, for structures; in shadow, by step-up."""

import ssl

import pytest

from harness import soap
from harness.client import request
from harness.fhir import JSON, LOCAL, batch, bundle, identity, ipp, outcome, reply, shown
from harness.gate import ceiling
from harness.pki import PHARMACIST, PHYSICIAN, person
from harness.waiting import until

pytestmark = pytest.mark.sanitized


def read(number):
    return f"/fhir/Patient/{identity(number)}"


def search(*numbers):
    listed = ",".join(f"{LOCAL}%7C{ipp(number)}" for number in numbers)
    return f"/fhir/Patient?identifier={listed}&_count=50"


def statuses(gate, *targets, card="physician"):
    with gate.connect(card) as connection:
        return [connection.get(target).status for target in targets]


def ruled(gate, line):
    """The limit in the configuration that a line of the record names."""
    number = int(line["rule"].rsplit(":", 1)[1])
    lines = gate.file.read_text().split("\n")[number - 1 :]
    end = next((n for n, text in enumerate(lines) if n and not text.startswith("    ")
                or n and text.lstrip().startswith("- ")), len(lines))
    return "\n".join(lines[:end])


def test_lookups_are_counted_and_feeds_are_not(lookup_gate, patients):
    gate = lookup_gate(ceiling("lookups", 2))
    assert statuses(gate, "/fhir/metadata", read(0)) == [200, 200]
    for _ in range(3):
        assert gate.post("/fhir/Patient", b"{}", JSON).status == 201
        assert gate.post(read(1), b"{}", JSON, method="PUT").status == 200
    assert statuses(gate, read(0), read(0)) == [200, 429]
    assert len([seen for seen in patients.requests if seen.method == "GET"]) == 3
    assert gate.used("lookups", PHYSICIAN) == 2


def test_each_lookup_of_a_batch_counts(lookup_gate, patients):
    gate = lookup_gate(ceiling("lookups", 5))
    four = batch(*[f"GET Patient/{identity(n)}" for n in range(4)], "GET metadata")
    assert gate.post("/fhir", four, JSON).status == 200
    assert gate.used("lookups", PHYSICIAN) == 4
    refused = gate.post("/fhir", four, JSON)
    assert refused.status == 429
    assert len(patients.requests) == 1, "a batch over the ceiling was asked"
    assert gate.get(read(0)).status == 200


def test_weights_make_some_lookups_count_for_more(lookup_gate, patients):
    gate = lookup_gate(ceiling("lookups", 11), change=lambda config: [
        route.update(weights={"match": 5}) for route in config["routes"][:2]])
    wanted = b'{"resourceType":"Patient","identifier":[{"value":"IPPZQ1"}]}'
    matched = [gate.post("/fhir/Patient/$match", wanted, JSON).status for _ in range(3)]
    assert matched == [200, 200, 429]
    assert statuses(gate, read(1), read(1)) == [200, 429]


def test_disclosures_count_each_time_anew(lookup_gate, patients):
    gate = lookup_gate(ceiling("disclosures", 5))
    assert statuses(gate, read(0), read(0), search(1, 2)) == [200, 200, 200]
    assert gate.used("disclosures", PHYSICIAN) == 4
    refused = gate.get(search(3, 4))
    assert refused.status == 429 and shown(refused.body) == set()
    assert statuses(gate, read(0)) == [200]
    asked = len(patients.requests)
    # Nothing is left: the identity server is not asked any more.
    assert statuses(gate, read(0)) == [429]
    assert len(patients.requests) == asked


MISSES = {
    "404": (read("none"), None, 404),
    "410": (read("gone"), reply(outcome("deleted"), status=410), 410),
    "an empty search": ("/fhir/Patient?birthdate=2020-12-31&name=nobody", None, 200),
    "an empty search with a count only": (
        "/fhir/Patient?birthdate=1950-01-01&_summary=count",
        reply({"resourceType": "Bundle", "type": "searchset", "total": 12}), 200),
    "an outcome within a search": (
        "/fhir/Patient?identifier=1", reply(bundle([outcome("informational")])), 200),
    "$ihe-pix of nobody": (
        f"/fhir/Patient/$ihe-pix?sourceIdentifier={LOCAL}%7CIPPZQ99999", None, 404),
}


@pytest.mark.parametrize("case", MISSES)
def test_who_finds_nobody_again_and_again_is_stopped(lookup_gate, patients, case):
    target, behave, status = MISSES[case]
    if behave:
        patients.answer = behave
    gate = lookup_gate(ceiling("misses", 3))
    assert statuses(gate, *[target] * 4) == [status] * 3 + [429]
    assert gate.newest(status=status)["finding"] == "miss"
    # Nothing more is asked: an answer would tell whether somebody exists.
    assert len(patients.requests) == 3
    assert statuses(gate, read(0)) == [429]


def test_who_finds_somebody_misses_nothing(lookup_gate, patients):
    gate = lookup_gate(ceiling("misses", 1))
    assert statuses(gate, *[read(number) for number in range(5)], "/fhir/metadata") == [200] * 6
    assert gate.used("misses", PHYSICIAN) == 0


def test_an_empty_soap_answer_is_a_miss(lookup_gate, upstream):
    upstream.answer = soap.reply(soap.found([]))
    gate = lookup_gate(ceiling("misses", 2))
    codes = [gate.post("/soap", soap.query(n), soap.KIND).status for n in range(3)]
    assert codes == [200, 200, 429]


@pytest.mark.parametrize("code, counted", [("00", 0), ("01", 1), ("02", 1)])
def test_insi_says_by_its_code_whether_somebody_was_found(lookup_gate, upstream, code, counted):
    upstream.answer = soap.reply(soap.insi_found(1, code))
    gate = lookup_gate(ceiling("misses", 10), ceiling("patients", 10))
    assert gate.post("/insi", soap.insi_query(1), soap.KIND).status == 200
    assert gate.used("misses", PHYSICIAN) == counted
    assert gate.used("patients", PHYSICIAN) == 1 - counted


def colleagues(pki):
    """Two professionals of one structure, and one of another."""
    return [
        pki.issue("colleague-1", person("500000000029751/ZZ01")),
        pki.issue("colleague-2", person("500000000029751/ZZ02")),
        pki.issue("colleague-3", person("500000000029752/ZZ03")),
    ]


def test_a_structure_is_counted_as_one(lookup_gate, patients, pki):
    first, second, other = colleagues(pki)
    gate = lookup_gate(ceiling("patients", 3, each="structure"), ceiling("patients", 100))
    assert statuses(gate, read(0), read(1), card=first) == [200, 200]
    # Who was shown to one is shown to the other: the structure has seen two.
    assert statuses(gate, read(1), read(2), read(3), card=second) == [200, 200, 429]
    assert statuses(gate, read(3), read(2), card=first) == [429, 200]
    assert statuses(gate, *[read(n) for n in range(4)], card=other) == [200] * 3 + [429]
    # Who names no structure has no such ceiling, and keeps those of a professional.
    assert statuses(gate, *[read(n) for n in range(4)]) == [200] * 4
    assert gate.used("patients", PHYSICIAN) == 4


def test_a_limit_for_a_role_holds_for_that_role(lookup_gate, patients):
    """The title on the card, in whatever case."""
    gate = lookup_gate(ceiling("patients", 1, roles=["PHARMACIEN"]), ceiling("patients", 3))
    assert statuses(gate, *[read(n) for n in range(4)]) == [200] * 3 + [429]
    assert statuses(gate, *[read(n) for n in range(2)], card="pharmacist") == [200, 429]


def test_a_limit_for_a_structure_holds_for_that_structure(lookup_gate, patients, pki):
    first, _, other = colleagues(pki)
    gate = lookup_gate(ceiling("patients", 1, structures=["300000000029751"]))
    assert statuses(gate, read(0), read(1), card=first) == [200, 429]
    assert statuses(gate, read(0), read(1), card=other) == [200, 200]
    assert statuses(gate, read(0), read(1)) == [200, 200]


@pytest.mark.parametrize("count", ["patients", "lookups", "disclosures", "requests"])
def test_a_shadow_refuses_nobody_and_tells(lookup_gate, patients, count):
    gate = lookup_gate(ceiling(count, 2, enforce="shadow"))
    assert statuses(gate, *[read(n) for n in range(4)]) == [200] * 4
    lines = until(lambda: (found := [e for e in gate.record() if e["decision"] == "allow"])
                  and len(found) == 4 and found, what="four lines")
    assert [bool(line.get("shadow")) for line in lines] == [False, False, True, True]
    # Patients are kept as shown; of the others, what the limit would have let pass.
    assert gate.used(count, PHYSICIAN) == (4 if count == "patients" else 2)


def test_a_shadow_of_misses_tells(lookup_gate, patients):
    gate = lookup_gate(ceiling("misses", 1, enforce="shadow"))
    assert statuses(gate, *["/fhir/Patient/none"] * 3) == [404] * 3
    lines = until(lambda: (found := gate.record()) and len(found) == 3 and found)
    assert [bool(line.get("shadow")) for line in lines] == [False, True, True]


def test_a_step_up_wants_the_card_again(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 2, enforce="step-up", max_age="1s"))

    with gate.connect() as connection:
        # Within the second a fresh card passes the ceiling, and what it sees is counted.
        assert connection.get(read(0)).status == 200
        assert connection.get(read(1)).status == 200
        number = iter(range(2, 1000))
        refused = until(
            lambda: (got := connection.get(read(next(number)))).status == 403 and got, within=5,
            what="the handshake grows old", every=0.05)
        assert not refused.keeps_alive
        assert shown(refused.body) == set()
        assert "prove your identity again" in str(refused.json())
        assert connection.end()[0] in ("closed", "torn")
    line = gate.newest(status=403)
    assert line["why"] == "step-up" and "step-up" in ruled(gate, line)
    with gate.connect() as connection:
        assert connection.get(read(900)).status == 200


def test_a_resumed_session_is_no_fresh_card(lookup_gate, patients):
    """Only a full handshake shows the card; resumption shows a ticket."""
    gate = lookup_gate(ceiling("patients", 1, enforce="step-up", max_age="1s"))
    context = gate.pki.context("physician", high=ssl.TLSVersion.TLSv1_2)
    with gate.connect(context=context) as connection:
        assert connection.get(read(0)).status == 200
        session = connection.tls.session

        # Someone new each time: who was shown can be shown again.
        number = iter(range(10, 1000))
        until(lambda: connection.get(read(next(number))).status == 403, within=5,
              what="the handshake grows old", every=0.1)
    with gate.connect(context=context, session=session) as connection:
        resumed = connection.tls.session_reused
        status = connection.get(read(2)).status
    assert status == (403 if resumed else 200)
    with gate.connect(context=gate.pki.context("physician", high=ssl.TLSVersion.TLSv1_2)) as fresh:
        assert fresh.get(read(3)).status == 200


def test_a_step_up_beside_a_hard_ceiling(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 2, enforce="step-up", max_age="1h"),
                       ceiling("patients", 4, "1d"))
    assert statuses(gate, *[read(n) for n in range(6)]) == [200] * 4 + [429] * 2


def test_a_refused_disclosure_is_recorded_with_its_limit(lookup_gate, patients):
    gate = lookup_gate(ceiling("requests", 1000), ceiling("patients", 1))
    assert statuses(gate, read(0), search(1, 2)) == [200, 429]
    line = gate.newest(status=429)
    assert line["decision"] == "deny" and line["why"] == "limit"
    assert line["interaction"] == "search" and len(line["withheld"]) == 2
    assert "persons" not in line
    assert "patients" in ruled(gate, line) and "requests" not in ruled(gate, line)


def test_a_request_withheld_still_counts_as_a_lookup(lookup_gate, patients):
    gate = lookup_gate(ceiling("lookups", 100), ceiling("patients", 1))
    assert statuses(gate, read(0), read(1), read(2)) == [200, 429, 429]
    assert gate.used("lookups", PHYSICIAN) == 3
    assert gate.used("lookups", PHARMACIST) == 0


def test_a_pipeline_cannot_outrun_a_ceiling_of_misses(lookup_gate, patients):
    gate = lookup_gate(ceiling("misses", 3))
    with gate.connect() as connection:
        connection.send(request("/fhir/Patient/none") * 10)
        assert [connection.answer().status for _ in range(10)] == [404] * 3 + [429] * 7
