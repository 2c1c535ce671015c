"""The attack this gate is for: ten accounts, thirty patients a day each, half a year.

Half a year of a record is written and decided anew by the default policy, with `herse replay`.
"""

import datetime
import json
import random

import pytest

from harness.fhir import identity
from harness.gate import ROOT, Gate, ceiling
from harness.pki import PHYSICIAN

DAYS = 180
BEGIN = datetime.datetime(2026, 5, 4, 8, 0, tzinfo=datetime.timezone.utc)


def line(moment, number, professional, person):
    return json.dumps({
        "time": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "request": f"{number:032x}",
        "peer": "127.0.0.1:40000", "tls": "TLSv1.3", "professional": professional,
        "method": "certificate", "certificate": "sha256:" + "0" * 64, "route": "read",
        "action": "GET", "decision": "allow", "status": 200, "delivery": "begun", "bytes": 600,
        "microseconds": 900, "server_microseconds": 800, "generation": 1,
        "rule": "/etc/herse/herse.yaml:18", "interaction": "read", "lookups": 1,
        "finding": "understood", "persons": [f"{person:016x}"], "fields": ["name"],
    }, separators=(",", ":"))


def rpps(number):
    """A national identifier whose check digit holds."""
    stem = f"1000{number:06d}"
    total = 0
    for place, digit in enumerate(reversed(stem)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"8{stem}{-total % 10}"


def half_a_year(thieves, practitioners, seed):
    """The lines of thieves, who take thirty new patients every day, and of practitioners, who see
    22 patients a working day out of those they have: each about five times a year."""
    chance = random.Random(seed)
    asked = []
    for index, thief in enumerate(thieves):
        for day in range(DAYS):
            for step in range(30):
                moment = BEGIN + datetime.timedelta(days=day, minutes=15 * step, seconds=index)
                asked.append((moment, thief, 10**9 + index * 10**6 + day * 30 + step))
    for index, practitioner in enumerate(practitioners):
        for day in range(DAYS):
            if day % 7 >= 5:
                continue
            for step in range(22):
                moment = BEGIN + datetime.timedelta(days=day, minutes=20 * step, seconds=index)
                person = 2 * 10**9 + index * 10**6 + chance.randrange(1034)
                asked.append((moment, practitioner, person))
    asked.sort(key=lambda one: one[0])
    return [line(moment, number, who, person)
            for number, (moment, who, person) in enumerate(asked)]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory, pki):
    thieves = [rpps(number) for number in range(10)]
    practitioners = [rpps(1000 + number) for number in range(20)]
    seed = random.randrange(10**9)
    print("seed", seed)
    folder = tmp_path_factory.mktemp("half-a-year")
    (folder / "record").mkdir()
    (folder / "record" / "000001.jsonl").write_text(
        "\n".join(half_a_year(thieves, practitioners, seed)) + "\n")
    end = BEGIN + datetime.timedelta(days=DAYS)
    gate = Gate(pki, "")
    try:
        run = gate.run(
            "replay", "--since", BEGIN.strftime("%Y-%m-%dT00:00:00Z"), "--until",
            end.strftime("%Y-%m-%dT00:00:00Z"), "-c", ROOT / "policies" / "default" / "herse.yaml",
            "--record", folder / "record", "--json", config=False, within=50)
    finally:
        gate.remove()
    assert run.code == 0, run
    return run.json(), thieves, practitioners


@pytest.mark.slow  # Half a year of 110,000 requests.
def test_the_thieves_are_stopped_within_three_weeks(replayed):
    report, thieves, _ = replayed
    first, stopped = {}, dict.fromkeys(thieves, 0)
    for group in report["newly_stopped"]:
        stopped[group["professional"]] = stopped.get(group["professional"], 0) + group["requests"]
        first.setdefault(group["professional"], group["first"])
        first[group["professional"]] = min(first[group["professional"]], group["first"])
        assert "patients" in group["rule"]
    third_week = (BEGIN + datetime.timedelta(days=21)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for thief in thieves:
        assert first[thief] <= third_week
        # Of 5,400 patients at most 1,200 a quarter are shown.
        assert stopped[thief] >= 3000


@pytest.mark.slow
def test_no_practitioner_is_stopped(replayed):
    report, _, practitioners = replayed
    named = {group["professional"] for group in report["newly_stopped"]}
    assert not named & set(practitioners)


def test_a_real_record_is_decided_anew(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 100))
    with gate.connect() as connection:
        for number in range(10):
            assert connection.get(f"/fhir/Patient/{identity(number)}").status == 200
    assert gate.get(f"/fhir/Patient/{identity(1)}", card="pharmacist").status == 200
    gate.stop()
    candidate = gate.folder / "candidate.yaml"
    gate.config["limits"]["standard"] = [ceiling("patients", 4)]
    gate.write()
    gate.file.rename(candidate)
    run = gate.do("replay", "--since", "1h", "-c", candidate, "--json", config=False)
    report = run.json()
    (group,) = report["newly_stopped"]
    assert (group["professional"], group["requests"]) == (PHYSICIAN, 6)
    text = gate.do("replay", "--since", "1h", "-c", candidate, config=False).out
    assert PHYSICIAN in text and "newly stopped" in text
    # The folder's own name is made up anew each time.
    assert "zq" not in text.replace(str(gate.folder), "").lower()


def test_a_sealed_record_is_decided_anew_with_an_auditors_key_alone(
        sealed_gate, auditor, stranger, patients):
    gate = sealed_gate(ceiling("patients", 100))
    for number in range(6):
        assert gate.get(f"/fhir/Patient/{identity(number)}").status == 200
    gate.stop()
    candidate = gate.folder / "candidate.yaml"
    gate.config["limits"]["standard"] = [ceiling("patients", 4)]
    gate.write()
    gate.file.rename(candidate)

    def replay(*words):
        return gate.run("replay", "--since", "1h", "-c", candidate, "--json", *words, config=False)

    for words, said in (((), "is sealed to"),
                        (("--auditor-key", stranger.private), "the key given is that of"),
                        (("--auditor-key", "nowhere.pem"), "nowhere.pem: cannot be read")):
        run = replay(*words)
        assert run.code == 1 and said in run.err and run.out == "", run
        assert "nowhere" in said or "--auditor-key FILE" in run.err
    # What was not read is told to nobody.
    assert not (gate.folder / "state" / "record-reads.pending").exists()

    run = replay("--auditor-key", auditor.private)
    assert run.code == 0, run
    report = run.json()
    (group,) = report["newly_stopped"]
    assert (group["professional"], group["requests"]) == (PHYSICIAN, 2)
    assert report["totals"]["requests"] == 6
    assert not [note for note in report["notes"] if "could not be read" in note]
    gate.environment["HERSE_AUDITOR_KEY"] = str(auditor.private)
    assert replay().json()["totals"] == report["totals"]
    assert (gate.folder / "state" / "record-reads.pending").exists()
