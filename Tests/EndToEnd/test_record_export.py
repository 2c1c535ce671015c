"""herse record export: the record in the forms that others take, held to their published rules."""

import csv
import io
import json
import subprocess

import pytest
from lxml import etree

from harness.audit import (
    BASIC, PDQM, PERSON, PIXM, audit_message_schema, bundle_problems, coding, problems)
from harness.fhir import INS as NATIONAL, identity, ins
from harness.gate import executable
from harness.pki import PHYSICIAN

INS = "urn:oid:1.2.250.1.213.1.4.8"
BASE = {
    "time": "2026-11-23T19:12:21.000Z", "peer": "127.0.0.1:37204", "tls": "TLSv1.3",
    "professional": "899700218896", "structure": "10B0152872", "method": "certificate",
    "certificate": "sha256:" + "ab" * 32, "route": "fhir", "action": "GET", "decision": "allow",
    "status": 200, "delivery": "begun", "bytes": 36, "microseconds": 1208, "generation": 1,
    "rule": "/etc/herse/herse.yaml:18", "finding": "understood",
}
TOKEN = {"method": "token", "issuer": "https://psc.example", "account": "s1", "client": "dpi-1",
         "token": "jti-42", "certificate": ""}
ONE = {"persons": ["00000000000000aa"], "fields": ["name", "birth-date"]}
TWO = {"persons": ["00000000000000aa", "00000000000000bb"], "fields": ["name"],
       "identifiers": [[f"{INS}|123", "urn:oid:1.2.3|IPP1"], ["https://mpi.example/id|9"]]}


def lines(*changes):
    made = []
    for number, change in enumerate(changes):
        entry = {**BASE, "request": f"{number:032x}", **change}
        made.append({key: value for key, value in entry.items() if value not in ("", None)})
    return made


def event(**keys):
    """A line that is no exchange."""
    return {**dict.fromkeys(BASE), "time": BASE["time"], "request": None, **keys}


@pytest.fixture
def record(tmp_path):
    """Makes a record of these lines; gives what `herse record export` says of it."""
    folder = tmp_path / "record"
    folder.mkdir()

    def make(*changes):
        (folder / "000001.jsonl").write_text(
            "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines(*changes)))
        return run

    def run(*words, code=0):
        done = subprocess.run(
            [executable(), "record", "export", "--record", folder, *map(str, words)],
            capture_output=True, timeout=120)
        assert done.returncode == code, done.stderr.decode()
        return done

    return make


def events(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def profiles(one):
    return [name for name in one.get("meta", {}).get("profile", [])]


KINDS = [
    ("search", dict(interaction="search", transaction="ITI-78", **TWO),
     [BASIC + "PatientQuery", PDQM + "Query.Audit.Supplier"], "0"),
    ("nobody", dict(interaction="search", transaction="ITI-78", finding="miss"),
     [BASIC + "Query", PDQM + "Query.Audit.Supplier"], "0"),
    ("match", dict(interaction="match", transaction="ITI-119", action="POST", **ONE),
     [BASIC + "PatientQuery", PDQM + "Match.Audit.Supplier"], "0"),
    ("pix", dict(interaction="cross-reference", transaction="ITI-83", **ONE),
     [BASIC + "PatientQuery", PIXM + "Query.Audit.Manager"], "0"),
    ("read", dict(interaction="read", transaction="ITI-78", **ONE), [BASIC + "PatientRead"], "0"),
    ("vread", dict(interaction="vread"), [BASIC + "Read"], "0"),
    ("everything", dict(interaction="everything", **ONE), [BASIC + "PatientQuery"], "0"),
    ("page", dict(interaction="page", page=2, **ONE), [BASIC + "PatientQuery"], "0"),
    ("batch", dict(interaction="batch", action="POST", **TWO), [BASIC + "PatientQuery"], "0"),
    ("token", dict(interaction="search", transaction="ITI-78", **TOKEN, **ONE),
     [BASIC + "PatientQuery", BASIC + "OAUTHaccessTokenUse.Minimal", PDQM + "Query.Audit.Supplier"],
     "0"),
    ("glass", dict(interaction="search", break_glass="vital", **ONE), [BASIC + "PatientQuery"], "0"),
    ("soap", dict(interaction="query", transaction="ITI-47", action="POST", **TWO), [], "0"),
    ("insi", dict(interaction="ins-by-traits", action="POST", **ONE), [], "0"),
    ("feed", dict(interaction="feed", action="PUT"), [], "0"),
    ("plain", dict(route="pages", finding=""), [], "0"),
    ("refused", dict(interaction="search", decision="deny", status=403, why="neutralized",
                     withheld=["00000000000000cc"]), [], "8"),
    ("limited", dict(interaction="search", decision="deny", status=429, why="limit"), [], "8"),
    ("not found", dict(interaction="read", status=404, finding="miss"), [], "4"),
    ("failed", dict(interaction="read", decision="deny", status=502, why="server-unreachable"), [],
     "8"),
    ("malformed", dict(decision="reject", status=400, professional=""), [], "4"),
    ("nobody's", dict(decision="deny", status=401, professional="", structure=""), [], "8"),
    ("aborted", dict(delivery="aborted", finding=""), [], "4"),
    ("signed in", event(event="signed-in", professional="899700218896", peer="[2001:db8::1]:443",
                        method="session", session="s-1", issuer="psc", account="anne"), [], "0"),
    ("wrong password", event(event="refused", why="password", peer="127.0.0.1:1"), [], "4"),
    ("order", event(event="administration", act="neutralize", by="alice", outcome="done",
                    subjects=["899700218896"], ticket="INC-1"), [], "0"),
    ("reading", event(event="record-read", by="bob", what="search"), [], "0"),
    ("something else", event(event="never-seen"), [], "0"),
]


@pytest.mark.parametrize("name, change, named, outcome", KINDS, ids=[kind[0] for kind in KINDS])
def test_an_audit_event_keeps_the_rules_of_every_profile_it_names(
        record, name, change, named, outcome):
    made = events(record(change)("-o", "-"))
    assert len(made) == max(1, len(change.get("persons", [])))
    for one in made:
        assert problems(one) == []
        assert profiles(one) == named
        assert one["outcome"] == outcome
        assert bool(one.get("outcomeDesc")) == (outcome != "0")
    ids = [one["id"] for one in made]
    assert len(set(ids)) == len(ids)


def test_every_patient_of_a_search_has_an_event_that_names_him_alone(record):
    made = events(record(dict(interaction="search", transaction="ITI-78", **TWO))("-o", "-"))
    patients = [entity for one in made for entity in one["entity"] if coding(entity["type"]) == PERSON]
    assert [one["what"]["identifier"] for one in patients] == [
        {"system": INS, "value": "123"}, {"system": "https://mpi.example/id", "value": "9"}]
    user = next(one for one in made[0]["agent"] if one["requestor"])
    assert user["who"]["identifier"] == {
        "system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899700218896"}


def test_an_unsealed_record_names_patients_by_a_key_that_says_what_it_is(record):
    made = events(record(dict(interaction="read", **ONE))("-o", "-"))
    patient = made[0]["entity"][0]["what"]["identifier"]
    assert patient == {"system": "urn:herse:patient-key", "value": "00000000000000aa"}


def test_a_token_is_named_by_its_id(record):
    user = next(one for one in events(record(KINDS[9][1])("-o", "-"))[0]["agent"] if one["requestor"])
    assert user["policy"] == ["urn:ietf:params:oauth:jti:jti-42"]
    assert user["who"]["identifier"]["assigner"] == {"display": "https://psc.example"}


def test_whom_a_limit_withheld_is_in_no_event(record):
    assert b"00000000000000cc" not in record(KINDS[15][1])("-o", "-").stdout


def test_a_line_that_only_ends_a_delivery_is_no_event(record):
    assert record({}, dict(delivery="whole"))("-o", "-").stdout.count(b"\n") == 1


def test_ids_stay_the_same(record):
    run = record(*(kind[1] for kind in KINDS))
    first = run("-o", "-").stdout
    assert first == run("-o", "-").stdout
    ids = [json.loads(line)["id"] for line in first.splitlines()]
    assert len(set(ids)) == len(ids)


def test_bundles_hold_five_hundred_at_most(record, tmp_path):
    many = {**ONE, "persons": [f"{number:016x}" for number in range(1100)]}
    run = record(dict(interaction="search", **many))
    bundles = events(run("--bundle", "-o", "-"))
    assert [len(one["entry"]) for one in bundles] == [500, 500, 100]
    assert bundle_problems(bundles[2]) == []
    run("--bundle", "-o", f"{tmp_path}/bundles/")
    assert sorted(one.name for one in (tmp_path / "bundles").iterdir()) == [
        "00000001.json", "00000002.json", "00000003.json"]


@pytest.mark.parametrize("spelling", [(), ("--rfc3881",)], ids=["dicom", "rfc3881"])
def test_atna_messages_keep_to_the_schema(record, spelling):
    run = record(*(kind[1] for kind in KINDS))
    schema = audit_message_schema(rfc3881=bool(spelling))
    messages = run("--format", "atna", *spelling, "-o", "-").stdout.splitlines()
    assert len(messages) == len(KINDS)
    for message in messages:
        tree = etree.fromstring(message)
        assert schema.validate(tree), (schema.error_log.last_error, message)


def test_an_atna_message_of_a_soap_query_names_each_patient(record):
    message = etree.fromstring(record(KINDS[11][1])("--format", "atna", "-o", "-").stdout)
    patients = message.xpath("ParticipantObjectIdentification[@ParticipantObjectTypeCode='1']")
    assert [one.get("ParticipantObjectID") for one in patients] == [
        "123^^^&1.2.250.1.213.1.4.8&ISO", "9^^^&https://mpi.example/id&URI"]
    assert message.xpath("string(//EventTypeCode/@csd-code)") == "ITI-47"


def test_a_message_of_many_patients_is_several(record):
    many = {**ONE, "persons": [f"{number:016x}" for number in range(120)]}
    done = record(dict(interaction="query", **many))("--format", "atna", "-o", "-").stdout
    assert [line.count(b"Patient Number") for line in done.splitlines()] == [50, 50, 20]
    assert max(map(len, done.splitlines())) < 32768


def test_markup_in_the_record_is_none_in_a_message(record):
    done = record(dict(interaction="query", why='<&"\u0001', client="a\"b<c>&d"))(
        "--format", "atna", "-o", "-").stdout
    tree = etree.fromstring(done)
    assert audit_message_schema().validate(tree)
    assert tree.xpath("string(//ActiveParticipant/@UserID)") == 'a"b<c>&d'


def test_csv_has_a_row_for_each_patient(record):
    text = record(KINDS[0][1], KINDS[1][1])("--format", "csv", "-o", "-").stdout.decode()
    assert text.count("\r\n") == text.count("\n") == 4
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["patient"] for row in rows] == ["00000000000000aa", "00000000000000bb", ""]
    assert {row["entry"] for row in rows} == {"0", "1"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_of_csv_is_a_formula(record, text):
    done = record(dict(client=text + '",2'))("--format", "csv", "-o", "-").stdout.decode()
    row = next(csv.DictReader(io.StringIO(done, newline="")))
    assert row["client"] == "'" + text + '",2'


def test_json_lines_are_the_entries_with_their_number(record):
    done = record({}, {})("--format", "jsonl", "-o", "-")
    assert [one.pop("entry") for one in events(done)] == [0, 1]
    assert [{key: value for key, value in one.items() if key != "entry"}
            for one in events(done)] == lines({}, {})


def test_what_is_asked_for_is_all_that_is_written(record):
    run = record({}, dict(professional="810002813839"), dict(structure="10X"),
                 dict(decision="deny"), dict(time="2026-11-25T00:00:00.000Z"))

    def numbers(*words):
        return [one["entry"] for one in events(run("--format", "jsonl", "-o", "-", *words))]

    assert numbers("--professional", "810002813839") == [1]
    assert numbers("--structure", "10X") == [2]
    assert numbers("--decision", "deny") == [3]
    assert numbers("--since", "2026-11-24T00:00:00Z") == [4]
    assert numbers("--until", "2026-11-24T00:00:00Z", "--decision", "allow") == [0, 1, 2]


def test_a_file_is_never_replaced_unasked_and_a_failed_run_leaves_none(record, tmp_path):
    run = record({})
    place = tmp_path / "out.csv"
    run("--format", "csv", "-o", place)
    first = place.read_bytes()
    assert place.stat().st_mode & 0o777 == 0o600
    assert b"--force" in run("--format", "csv", "-o", place, code=1).stderr
    run("--format", "jsonl", "-o", place, "--force")
    assert place.read_bytes() != first
    (tmp_path / "record" / "000002.jsonl").mkdir()
    run("--format", "csv", "-o", tmp_path / "none.csv", code=1)
    assert [one.name for one in tmp_path.iterdir() if one.name != "record"] == ["out.csv"]


def test_a_full_disk_fails_the_run(record, tmp_path):
    record({})
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [executable(), "record", "export", "--record", tmp_path / "record", "-o", "-"],
            stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and b"no space left" in done.stderr


def test_what_a_gate_recorded_is_exported(lookup_gate, patients, tmp_path):
    gate = lookup_gate()
    gate.get("/fhir/Patient?identifier=zq&birthdate=1970-01-01")
    gate.get(f"/fhir/Patient/{identity(1)}")
    gate.get("/fhir/Patient?birthdate=ge1900")
    gate.settle()
    done = gate.do("record", "export", "-o", "-")
    made = [json.loads(line) for line in done.out.splitlines()]
    assert made and all(problems(one) == [] for one in made)
    reads = [one for one in made if BASIC + "PatientRead" in profiles(one)]
    assert reads and reads[0]["agent"][2]["who"]["identifier"]["value"] == PHYSICIAN
    assert "zq" not in done.out.lower()


def test_a_sealed_record_is_exported_with_an_auditors_key_alone(
        lookup_gate, patients, tmp_path):
    private, public = tmp_path / "anne.key", tmp_path / "anne.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    gate = lookup_gate(change=lambda config: config.update(record={"auditors": [str(public)]}))
    gate.get(f"/fhir/Patient/{identity(7)}")
    gate.settle()
    place = tmp_path / "out.ndjson"
    refused = gate.run("record", "export", "-o", str(place))
    assert refused.code == 1 and "--auditor-key" in refused.err and not place.exists()
    gate.do("record", "export", "-o", str(place), "--auditor-key", str(private))
    made = [json.loads(line) for line in place.read_text().splitlines()]
    assert all(problems(one) == [] for one in made)
    (read,) = [one for one in made if BASIC + "PatientRead" in profiles(one)]
    assert read["entity"][0]["what"]["identifier"] == {"system": NATIONAL, "value": ins(7)}
