"""No answer of the record passes for all there is when it is not: what is missing is said."""

import json
import os
import shutil
import signal
import subprocess

import pytest

from harness.fhir import identity, ins, matricule
from harness.gate import ceiling, executable
from harness.pki import PHYSICIAN
from harness.waiting import until


def read(number):
    return f"/fhir/Patient/{identity(number)}"


@pytest.fixture
def two_segments(lookup_gate, patients):
    """A gate whose first segment shows patient 1, and whose second patient 2."""
    gate = lookup_gate(ceiling("patients", 100))
    assert gate.get(read(1)).status == 200
    gate.stop()
    gate.start()
    assert gate.get(read(2)).status == 200
    return gate


@pytest.fixture
def copy(two_segments, tmp_path):
    """A copy of its record with indexes, which is read without the gate."""
    gate = two_segments
    gate.do("record", "index")
    folder = tmp_path / "copy"
    shutil.copytree(gate.folder / "state" / "record", folder)

    def run(verb, *words, **options):
        return gate.run("record", verb, *words, "--record", folder, **options)

    run.folder = folder
    return run


def change(folder, entry):
    """One byte of an entry of the first segment becomes another."""
    path = folder / "000001.jsonl"
    kept = path.read_bytes().split(b"\n")
    assert b'"time"' in kept[entry]
    kept[entry] = kept[entry].replace(b'"time":"2', b'"time";"2')
    path.write_bytes(b"\n".join(kept))


def test_what_was_purged_is_said_wherever_it_is_missing(two_segments, tmp_path):
    gate = two_segments
    gate.do("record", "purge", "--through", "1", "--reason", "a test")
    for words in (["who-saw", f"Patient/{identity(1)}"], ["seen-by", PHYSICIAN],
                  ["search", "--professional", PHYSICIAN],
                  ["export", "--format", "csv", "-o", "-"]):
        run = gate.run("record", *words)
        assert run.code == 0 and "entries 0 to " in run.err and "were purged" in run.err, run
    # Of a period after it nothing is missing: clocks may have been a day wrong, not a year.
    run = gate.run("record", "search", "--since", "2099-01-01T00:00:00Z")
    assert "purged" not in run.err, run
    run = gate.run("record", "prove", "1")
    assert run.code == 1 and "entry 1 was purged on" in run.text and "a test" in run.text, run
    out = tmp_path / "dossier"
    run = gate.run("report", "breach", "--professional", PHYSICIAN, "--from", "1h", "-o", out)
    assert run.code == 0 and "were purged" in run.err, run
    page = (out / "dossier.en.html").read_text()
    assert "nothing was changed or removed" not in page
    assert "This dossier can say nothing of the patients they showed." in page
    assert "ont été purgées" in (out / "dossier.fr.html").read_text()
    told = gate.run("report", "breach", "--professional", PHYSICIAN, "--from", "1h", "-o",
                    tmp_path / "again", "--json").json()
    assert told["intact"] and told["purged"] > 1


def test_a_damaged_entry_is_missed_even_by_an_index_that_knew_it(copy):
    whole = copy("search", "--professional", PHYSICIAN, "--count")
    assert whole.code == 0 and whole.out.strip() == "2", whole
    change(copy.folder, 1)
    for words in (["search", "--professional", PHYSICIAN, "--count"],
                  ["search", "--since", "1h", "--count"],
                  ["who-saw", f"Patient/{identity(1)}"], ["seen-by", PHYSICIAN]):
        run = copy(*words)
        assert run.code == 1 and "1 line of the record could not be read" in run.err, run
        assert "entry 1" in run.err and "herse record verify" in run.err, run
    assert copy("verify").code == 1
    # Without the index as well, and in files that others get.
    shutil.rmtree(copy.folder / "index")
    for words in (["search", "--professional", PHYSICIAN, "--count"],
                  ["export", "--format", "jsonl", "-o", "-"]):
        run = copy(*words)
        assert run.code == 1 and "could not be read" in run.err, run


def test_no_proof_is_written_that_does_not_hold(copy, tmp_path):
    proof = tmp_path / "proof"
    assert copy("prove", "1", "-o", proof).code == 0
    proof.unlink()
    change(copy.folder, 1)
    run = copy("prove", "1", "-o", proof)
    assert run.code == 1 and "entry 1 cannot be proven" in run.text, run
    assert not proof.exists()


def test_what_nothing_signs_is_not_intact_whoever_goes_on_after_it(two_segments):
    gate = two_segments
    key = json.loads((gate.folder / "state" / "record" / "000001.jsonl").read_text().split("\n")[0])
    gate.stop()
    folder = gate.folder / "state" / "record"
    for path in folder.glob("0*.jsonl"):
        kept = [line for line in path.read_bytes().split(b"\n")
                if line and not line.startswith((b'{"segment"', b'{"checkpoint"'))]
        path.write_bytes(b"\n".join(kept) + b"\n")
    (folder / "checkpoint").unlink()
    run = gate.run("record", "verify")
    assert run.code == 1 and "nothing in them is signed" in run.text, run
    # The gate signs what comes, and vouches for none of that.
    gate.start()
    assert "nothing signs segment 2" in gate.log()
    assert gate.get(read(3)).status == 200
    for words in ([], ["--key", key["key"]]):
        run = gate.run("record", "verify", *words)
        assert run.code == 1 and "nothing signs segment 1" in run.text, run
    run = gate.run("record", "verify", "--unsigned-through", "2")
    assert run.code == 0 and "intact, but for the segments that nothing signs" in run.text, run
    assert gate.run("record", "verify", "--unsigned-through", "1").code == 1


@pytest.mark.parametrize("left", [b"", b"\n" * 4096, b'{"segment":1,"beg'])
def test_a_record_without_an_entry_is_not_intact(two_segments, left):
    gate = two_segments
    gate.stop()
    folder = gate.folder / "state" / "record"
    (folder / "000002.jsonl").unlink()
    (folder / "checkpoint").unlink()
    (folder / "000001.jsonl").write_bytes(left)
    run = gate.run("record", "verify")
    assert run.code == 1 and "nothing can be proven" in run.text, run


@pytest.mark.parametrize("words", [
    ["record", "search", "--since", "1h"], ["record", "search", "--since", "1h", "--json"],
    ["record", "who-saw", f"Patient/{identity(1)}"], ["record", "verify"], ["status"],
])
def test_data_that_finds_no_room_is_no_success(two_segments, words):
    with open("/dev/full", "w") as full:
        run = two_segments.run(*words, out=full)
    assert run.code == 1 and "standard output cannot be written: No space left" in run.err, run


def test_a_mistyped_patient_is_doubted(two_segments):
    gate = two_segments
    wrong = ins(1)[:-1] + str((int(ins(1)[-1]) + 1) % 10)
    run = gate.run("record", "who-saw", wrong)
    assert "the key digits do not fit" in run.err and f"({ins(1)[-2:]} would)" in run.err, run
    for right in (matricule(1), ins(1)):
        assert "key digits" not in gate.run("record", "who-saw", right).err
    assert "capital letter" in gate.run("record", "who-saw", f"patient/{identity(1)}").err


@pytest.mark.parametrize("words", [
    ["record", "search", "--professional", ""], ["record", "search", "--structure", " "],
    ["record", "seen-by", ""], ["record", "export", "--professional", "", "-o", "-"],
    ["report", "breach", "--professional", "", "--from", "1h", "-o", "never"],
])
def test_an_empty_word_asks_for_nothing(two_segments, words):
    run = two_segments.run(*words)
    assert run.code == 64 and "is empty" in run.err, run


def test_other_subjects_are_no_professionals(two_segments):
    run = two_segments.run("record", "seen-by", "network:10.0.0.0/8")
    assert run.code == 64 and "is no professional" in run.err, run
    assert two_segments.run("record", "seen-by", f"account:{PHYSICIAN}").code == 0


def test_a_configuration_that_is_not_there_is_named(two_segments):
    gate = two_segments
    run = gate.run("record", "verify", "-c", "/nowhere.yaml", config=False)
    assert run.code == 64 and "-c: `/nowhere.yaml`" in run.err, run
    run = gate.run("record", "verify", "--key", "herse.test+1a2b+AAAA")
    assert run.code == 1 and "is no key of a gate" in run.text, run


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read as somebody else")
def test_what_may_not_be_read_is_not_called_touched(copy):
    for place in [copy.folder, *copy.folder.rglob("*")]:
        os.chmod(place, 0o755 if place.is_dir() else 0o644)
    for place in copy.folder.parents:
        if place.owner() == "root" and place.stat().st_mode & 1 == 0:
            os.chmod(place, 0o755)
    for name in ("checkpoint", "000001.jsonl"):
        os.chmod(copy.folder / name, 0)
        for verb in (["verify"], ["keys"]) if name != "checkpoint" else (["verify"],):
            run = copy(*verb, user="nobody")
            assert run.code == 1 and "Permission denied" in run.text, run
            assert "NOT INTACT" not in run.text and "as root" in run.text, run
        os.chmod(copy.folder / name, 0o644)


def test_a_segment_that_vanished_is_missed_by_every_reader(copy):
    (copy.folder / "000001.jsonl").unlink()
    for words in (["search", "--professional", PHYSICIAN, "--count"],
                  ["who-saw", f"Patient/{identity(1)}"], ["seen-by", PHYSICIAN],
                  ["export", "--format", "jsonl", "-o", "-"]):
        run = copy(*words)
        assert run.code == 1 and "1 segment of the record missing: 1" in run.err, run
    assert copy("verify").code == 1


def test_nothing_takes_the_place_of_a_device(copy, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for words in (["prove", "1", "-o", fifo],
                  ["export", "--format", "csv", "--force", "-o", fifo]):
        run = copy(*words)
        assert run.code == 1 and "is no ordinary file" in run.text, run
        assert fifo.is_fifo()


def test_a_discovery_to_come_is_refused(two_segments):
    run = two_segments.run("report", "breach", "--professional", PHYSICIAN, "--from", "1h", "-o",
                           "never", "--discovered", "2099-01-01T00:00:00Z")
    assert run.code == 64 and "--discovered: is in the future" in run.err, run


def test_torn_notes_of_a_witness_and_those_of_other_records_are_passed_over(two_segments, tmp_path):
    gate = two_segments
    gate.stop()
    note = (gate.folder / "state" / "record" / "checkpoint").read_text()
    other = note.replace(note.split("\n")[0], "elsewhere.example/record")
    kept = tmp_path / "kept"
    for before in ("", "herse.torn/record\n", note[:60] + "\n", note[:25] + "\n\n"):
        kept.write_text(before + note)
        run = gate.run("record", "verify", "--witness", kept)
        assert run.code == 0 and ("torn" in run.err) == (before != ""), (before, run)
    kept.write_text(other + note)
    run = gate.run("record", "verify", "--witness", kept)
    assert run.code == 0 and "also saw checkpoints of elsewhere.example/record" in run.text, run
    kept.write_text(other)
    run = gate.run("record", "verify", "--witness", kept)
    assert run.code == 1 and "saw nothing of this record" in run.text, run
    kept.write_text("nothing\n")
    run = gate.run("record", "verify", "--witness", kept)
    assert run.code == 1 and "holds no checkpoint" in run.text, run


def test_an_interrupted_dossier_leaves_nothing(two_segments, tmp_path):
    gate = two_segments
    for _ in range(3):
        process = subprocess.Popen(
            [str(executable()), "report", "breach", "--professional", PHYSICIAN, "--from", "1h",
             "-o", str(tmp_path / "dossier"), "-c", str(gate.file)],
            stderr=subprocess.PIPE, text=True, env=gate.environment)
        until(lambda: list(tmp_path.glob("dossier.making-*")) or process.poll() is not None,
              within=20, every=0)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        if process.returncode == 1:
            assert "interrupted: no dossier was made" in said
            assert not list(tmp_path.glob("dossier*"))
        else:
            # It was quicker.
            assert process.returncode == 0 and (tmp_path / "dossier").is_dir()
            shutil.rmtree(tmp_path / "dossier")
