"""The dossier of a breach: whom it showed to whom, from a gate's own record."""

import csv
import hashlib
import re
import shutil
import stat
import subprocess
import xml.etree.ElementTree

import pytest

from harness.fhir import INS, LOCAL, SECRET, identity, ins, ipp
from harness.gate import ceiling
from harness.pki import PHARMACIST, PHYSICIAN

BEGIN = "2020-01-01T00:00:00Z"
HTML = "{http://www.w3.org/1999/xhtml}"


def breach(gate, folder, *words, professional=PHYSICIAN, since=BEGIN):
    return gate.run("report", "breach", "--professional", professional, "--from", since,
                    "-o", folder, *words)


def rows(file):
    with open(file, newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def pages(folder):
    return {str(path.relative_to(folder)): xml.etree.ElementTree.parse(path).getroot()
            for path in folder.rglob("*.html")}


def text(root):
    return " ".join("".join(root.itertext()).replace("\u00a0", " ").split())


def happened(gate):
    """Three patients shown to the physician, one withheld, one shown to the pharmacist; then the
    physician is cut off, and tries again."""
    for number in (0, 1, 2, 1):
        assert gate.get(f"/fhir/Patient/{identity(number)}").status == 200
    assert gate.get(f"/fhir/Patient/{identity(3)}").status == 429
    assert gate.get(f"/fhir/Patient/{identity(4)}", card="pharmacist").status == 200
    gate.do("neutralize", PHYSICIAN, "--reason", "stolen card", "--ticket", "INC-42")
    assert gate.get(f"/fhir/Patient/{identity(0)}").status == 403
    return gate


@pytest.fixture
def breached(lookup_gate, patients):
    return happened(lookup_gate(ceiling("patients", 3)))


@pytest.fixture
def sealed(sealed_gate, patients):
    """The same, in a record that an auditor alone can read."""
    return happened(sealed_gate(ceiling("patients", 3)))


def must_add_up(folder, told):
    """Whether the sums are those of all files, and the one that was told that of the sums."""
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {line[66:] for line in lines} == files - {"SHA256SUMS"}
    for line in lines:
        assert hashlib.sha256((folder / line[66:]).read_bytes()).hexdigest() == line[:64]
    assert told["sums"] == hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()


def test_three_lookups_are_three_patients_and_nobody_else(breached, tmp_path):
    folder = tmp_path / "dossier"
    known = tmp_path / "known.csv"
    known.write_text("".join(f"urn:oid:1.2.250.1.213.1.4.8|{ins(n)};Patient/x-{n}\r\n"
                             for n in range(50)))
    run = breach(breached, folder, "--resolve", known, "--discovered", "2026-11-28T21:04:00Z",
                 "--operator", "GRADeS d’essai", "--json")
    assert run.code == 0, run
    told = run.json()
    assert (told["patients"], told["accesses"], told["unnamed"]) == (3, 4, 0)
    found = rows(folder / "patients.csv")
    assert {row["identifiers"].split()[0].rpartition("|")[2] for row in found} \
        == {ins(n) for n in range(3)}
    assert sorted(int(row["accesses"]) for row in found) == [1, 1, 2]
    assert {row["accounts"] for row in found} == {PHYSICIAN}
    assert all("name" in row["fields"] for row in found)
    assert len(rows(folder / "accesses.csv")) == 4
    whys = [row["why"] for row in rows(folder / "attempts.csv")]
    assert "limit" in whys and "neutralized" in whys
    acts = [row for row in rows(folder / "events.csv") if row["act"] == "neutralize"]
    assert [(row["ticket"], row["outcome"]) for row in acts] == [("INC-42", "done")]
    whole = pages(folder)
    assert {"dossier.fr.html", "dossier.en.html", "authority.fr.html", "letters/fr/001.html",
            "letters/template.en.html"} <= set(whole)
    assert "INC-42" in text(whole["dossier.fr.html"])
    assert "01/12/2026 à 22 h 04" in text(whole["authority.fr.html"])
    assert len(whole["letters/fr/001.html"].findall(f".//{HTML}article")) == 3
    # Nothing of the pharmacist's, and nobody who was withheld.
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert PHARMACIST.encode() not in kept
    assert ins(3).encode() not in kept and ins(4).encode() not in kept


def test_sums_are_over_every_file_and_nobody_else_reads_them(breached, tmp_path):
    folder = tmp_path / "dossier"
    run = breach(breached, folder, "--language", "fr", "--json")
    assert run.code == 0, run
    must_add_up(folder, run.json())
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert not list(folder.glob("*.en.html"))


def test_without_identifiers_it_says_how_many_stay_unnamed(breached, tmp_path):
    run = breach(breached, tmp_path / "dossier")
    assert run.code == 0, run
    assert "3 patients known by a keyed hash only" in run.out
    keys = {row["patient_key"] for row in rows(tmp_path / "dossier" / "patients.csv")}
    shown = {key for line in breached.record() for key in line.get("persons", ())
             if line.get("professional") == PHYSICIAN}
    assert keys == shown and len(keys) == 3


def test_everybody_since_a_time(breached, tmp_path):
    run = breached.run("report", "breach", "--all-since", BEGIN, "-o", tmp_path / "all", "--json")
    assert run.code == 0, run
    assert run.json()["accounts"] == 2 and run.json()["patients"] == 4
    accounts = rows(tmp_path / "all" / "accounts.csv")
    assert {row["account"]: int(row["patients"]) for row in accounts} \
        == {PHYSICIAN: 3, PHARMACIST: 1}
    assert "aid to reading" in text(pages(tmp_path / "all")["dossier.en.html"])


def test_nobody_shown_is_said_and_is_no_success(breached, tmp_path):
    run = breach(breached, tmp_path / "dossier", professional="899700099999")
    assert run.code == 1 and "nobody was shown" in run.err
    assert rows(tmp_path / "dossier" / "patients.csv") == []
    assert "Aucun patient" in text(pages(tmp_path / "dossier")["dossier.fr.html"])


def test_a_period_may_be_so_long(breached, tmp_path):
    assert breach(breached, tmp_path / "day", since="1d").code == 0
    assert len({row["patient_key"] for row in rows(tmp_path / "day" / "patients.csv")}) == 3
    # All of it was within the last hour.
    run = breach(breached, tmp_path / "before", "--to", "1h", since="1d")
    assert run.code == 1 and "nobody was shown" in run.err
    for word in ("yesterday", "2026-11-01", "7"):
        run = breach(breached, tmp_path / "none", since=word)
        assert run.code == 64 and f"`{word}` is neither a duration" in run.err


@pytest.mark.parametrize("words, said", [
    (["--resolve", "nowhere"], "nowhere"),
    (["--record", "nowhere"], "nowhere"),
    (["--to", "2019-01-01T00:00:00Z"], "ends before it begins"),
])
def test_a_failed_run_leaves_nothing(breached, tmp_path, words, said):
    run = breach(breached, tmp_path / "dossier", *words)
    assert run.code == 1 and said in run.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_refused(breached, tmp_path):
    (tmp_path / "empty").mkdir()
    assert breach(breached, tmp_path / "empty").code == 0
    run = breach(breached, tmp_path / "empty")
    assert run.code == 1 and "not empty" in run.err


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdftotext") or not shutil.which("chromium"),
                    reason="chromium or poppler-utils is missing")
def test_it_prints_on_paper(breached, tmp_path):
    folder = tmp_path / "dossier"
    assert breach(breached, folder).code == 0
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", f"--user-data-dir={tmp_path / 'profile'}",
         "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'dossier.pdf'}",
         (folder / "dossier.fr.html").as_uri()], check=True, capture_output=True, timeout=120)
    printed = subprocess.run(["pdftotext", "-layout", tmp_path / "dossier.pdf", "-"], check=True,
                             capture_output=True, text=True).stdout
    assert re.search(r"Patients.*\b3.patients", printed) and PHYSICIAN in printed


def test_it_says_that_the_record_is_intact(breached, tmp_path):
    run = breach(breached, tmp_path / "dossier")
    assert run.code == 0 and "not intact" not in run.err
    told = text(pages(tmp_path / "dossier")["dossier.fr.html"])
    assert "vérifié à l’établissement de ce dossier" in told and "herse record prove" in told
    reads = [entry for entry in breached.record() if entry.get("event") == "record-read"]
    assert reads, "the gate recorded that its record was read"


def test_a_record_that_was_touched_is_told_and_is_no_success(breached, tmp_path):
    breached.stop()
    copy = shutil.copytree(breached.folder / "state" / "record", tmp_path / "record")
    [segment, *_] = sorted(copy.glob("*.jsonl"))
    lines = segment.read_text().replace(PHARMACIST, "899700000000")
    segment.write_text(lines)
    run = breach(breached, tmp_path / "dossier", "--record", copy)
    assert run.code == 1 and "not intact" in run.err
    root = pages(tmp_path / "dossier")["dossier.en.html"]
    assert "VERIFICATION FAILED" in text(root)
    assert "did not verify" in text(root)


def test_a_sealed_record_names_its_patients_itself(sealed, auditor, tmp_path):
    folder = tmp_path / "dossier"
    run = breach(sealed, folder, "--auditor-key", auditor.private, "--json")
    assert run.code == 0, run
    told = run.json()
    assert {key: told[key] for key in ("patients", "unnamed", "assumed", "accesses", "shown",
                                       "accounts", "structures")} \
        == {"patients": 3, "unnamed": 0, "assumed": 0, "accesses": 4, "shown": 4, "accounts": 1,
            "structures": 1}
    assert told["first"] <= told["last"]
    must_add_up(folder, told)

    known = {frozenset([f"{INS}|{ins(n)}", f"{LOCAL}|{ipp(n)}", f"Patient/{identity(n)}"]): n
             for n in range(3)}
    found = {known[frozenset(row["identifiers"].split())]: row
             for row in rows(folder / "patients.csv")}
    assert {number: int(row["accesses"]) for number, row in found.items()} == {0: 1, 1: 2, 2: 1}
    accesses = rows(folder / "accesses.csv")
    assert len(accesses) == 4 and {row["account"] for row in accesses} == {PHYSICIAN}
    assert {frozenset(row["identifiers"].split()) for row in accesses} == set(known)
    references = {row["reference"] for row in found.values()}
    assert len(references) == 3
    assert [row["why"] for row in rows(folder / "attempts.csv")].count("limit") == 1

    # A letter for each of them, that names nobody; who it is for stands in the list for the merge.
    whole = pages(folder)
    for language in ("fr", "en"):
        letters = whole[f"letters/{language}/001.html"]
        assert len(letters.findall(f".//{HTML}article")) == 3
        assert all(reference in text(letters) for reference in references)
        assert not SECRET.search((folder / f"letters/{language}/001.html").read_bytes())
    merged = rows(folder / "letters" / "merge.csv")
    assert len(merged) == 3
    assert {ins(n) for n in range(3)} == {
        number for row in merged for number in re.findall(r"28005760\d+", " ".join(row.values()))}
    # Each domain of identifiers has the patients that are known there.
    domain = rows(next((folder / "domains").glob(f"*{LOCAL.rpartition(':')[2]}*")) / "patients.csv")
    assert len(domain) == 3

    assert "3 patients" in text(whole["dossier.en.html"])
    assert "verified when this dossier was made" in text(whole["dossier.en.html"])
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for other in (PHARMACIST, ins(3), ins(4), identity(3), identity(4)):
        assert other.encode() not in kept


def test_a_sealed_record_without_its_key_is_one_error_and_no_dossier(
        sealed, auditor, stranger, tmp_path):
    for words, said in (((), ""), (("--auditor-key", stranger.private), "the key given is that of")):
        run = breach(sealed, tmp_path / "dossier", *words, "--json")
        assert run.code == 1 and run.out == "", run
        errors = [line for line in run.err.splitlines() if not line.startswith("looked for ")]
        assert len(errors) == 2 and "is sealed to" in errors[0] and said in errors[0], run
        assert errors[1].startswith("hint: ") and "--auditor-key FILE" in errors[1]
        assert list(tmp_path.iterdir()) == []
    # Nobody has read anything, and the record says of nobody that they did.
    told = sealed.do("record", "search", "--event", "record-read", "--since", "1h", "--json",
                     "--auditor-key", auditor.private).out
    assert "report breach" not in told

    sealed.environment["HERSE_AUDITOR_KEY"] = str(auditor.private)
    assert breach(sealed, tmp_path / "dossier").code == 0
    told = sealed.do("record", "search", "--event", "record-read", "--since", "1h")
    assert "record-read report breach by" in told.out
