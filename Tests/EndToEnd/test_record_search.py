"""What the record says: who asked, who saw a patient, whom a professional saw."""

import json

import pytest

from harness.fhir import INS, LOCAL, identity, ins, ipp, matricule
from harness.gate import ceiling
from harness.pki import PHARMACIST, PHYSICIAN

pytestmark = pytest.mark.sanitized


def read(number):
    return f"/fhir/Patient/{identity(number)}"


def lines(run):
    return [json.loads(line) for line in run.out.splitlines()]


@pytest.fixture
def asked(lookup_gate, patients):
    """A gate by which two professionals saw patients, and one was stopped."""
    gate = lookup_gate(ceiling("patients", 3))
    for number in (0, 1, 0):
        assert gate.get(read(number)).status == 200
    assert gate.get(read(1), card="pharmacist").status == 200
    assert gate.get(read(2)).status == 200
    assert gate.get(read(3)).status == 429
    assert gate.get("/elsewhere").status == 404
    return gate


def test_finds_entries_while_the_gate_runs(asked):
    found = lines(asked.do("record", "search", "--professional", PHYSICIAN, "--json"))
    assert [entry["status"] for entry in found] == [200, 200, 200, 200, 429, 404]
    numbers = [entry["entry"] for entry in found]
    assert numbers == sorted(numbers) and len(set(numbers)) == 6
    refused = lines(asked.do("record", "search", "--decision", "deny", "--since", "1h", "--json"))
    assert [entry["status"] for entry in refused] == [429, 404]
    request = found[2]["request"]
    (one,) = lines(asked.do("record", "search", "--request", request, "--json"))
    assert one == found[2]
    newest = lines(asked.do("record", "search", "--professional", PHYSICIAN, "--reverse",
                            "--limit", 2, "--json"))
    assert newest == found[:-3:-1]
    assert asked.do("record", "search", "--professional", PHYSICIAN, "--count").out.strip() == "6"
    text = asked.do("record", "search", "--professional", PHARMACIST).out
    assert PHARMACIST in text and "PROFESSIONAL" in text.splitlines()[0]


def test_tells_when_there_is_more_and_asks_for_a_question(asked):
    run = asked.do("record", "search", "--professional", PHYSICIAN, "--limit", 2)
    assert len(run.out.splitlines()) == 3 and "more than 2 entries" in run.err
    run = asked.run("record", "search")
    assert run.code == 64 and "what is to be found?" in run.err
    run = asked.run("record", "who-saw", "somebody")
    assert run.code == 64 and "SYSTEM|VALUE" in run.err


def test_a_patient_is_found_by_any_of_their_names(asked):
    by_hash = asked.do("record", "seen-by", PHARMACIST, "--json").json()[0]["patient"]
    for name in [f"{INS}|{ins(1)}", f"{INS.removeprefix('urn:oid:')}|{matricule(1)}", ins(1),
                 matricule(1), f"{LOCAL}|{ipp(1)}", f"Patient/{identity(1)}", by_hash]:
        found = asked.do("record", "who-saw", name, "--json").json()
        assert [(one["professional"], one["requests"]) for one in found] == [
            (PHYSICIAN, 1), (PHARMACIST, 1)], name
        assert "name" in found[0]["fields"] and found[0]["methods"] == ["certificate"]
    nobody = asked.do("record", "who-saw", f"Patient/{identity(9)}")
    assert nobody.out == ""


def test_what_was_withheld_was_seen_by_nobody(asked):
    seen = asked.do("record", "seen-by", PHYSICIAN, "--json").json()
    assert [(one["requests"], one["withheld"]) for one in seen] == [(2, 0), (1, 0), (1, 0), (0, 1)]
    found = asked.do("record", "who-saw", f"Patient/{identity(3)}", "--json").json()
    assert [(one["requests"], one["withheld"]) for one in found] == [(0, 1)]
    text = asked.do("record", "seen-by", PHYSICIAN).out
    assert text.count("patient:") == 4


def test_indexes_are_made_and_kept_beside_the_record(asked):
    asked.do("record", "search", "--professional", PHYSICIAN, "--count")
    folder = asked.folder / "state" / "record" / "index"
    (index,) = folder.iterdir()
    assert index.stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700
    # Only hashes are in it.
    assert PHYSICIAN.encode() not in index.read_bytes()
    # The gate goes on writing, and what it wrote is found.
    assert asked.get(read(0)).status == 200
    assert asked.do("record", "search", "--professional", PHYSICIAN, "--count").out.strip() == "7"
    made = asked.do("record", "index", "--rebuild", "--json").json()
    assert [(one["new"], one["segment"]) for one in made] == [(True, 1)]
    # Who reads the record stands in it, too.
    assert made[0]["entries"] == len(asked.record())
    read_by = lines(asked.do("record", "search", "--event", "record-read", "--json"))
    assert len(read_by) >= 3
    misspelt = asked.run("record", "search", "--event", "read-record")
    assert misspelt.code == 64 and "record-read" in misspelt.text, misspelt
    # A clean stop and another start begin another segment; a new index is made for it.
    asked.stop()
    asked.start()
    assert asked.get(read(0)).status == 200
    assert asked.do("record", "search", "--professional", PHYSICIAN, "--count").out.strip() == "8"
    elsewhere = asked.folder / "elsewhere"
    asked.do("record", "index", "--index", elsewhere)
    assert sorted(path.name for path in elsewhere.iterdir()) == ["000001.index", "000002.index"]
