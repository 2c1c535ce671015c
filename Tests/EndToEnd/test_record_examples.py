"""Every example that help and documentation give of the record's commands works.

They are run as they are printed, but for what can only be somebody's own: names of patients, of
folders and hosts, times, the number of an entry. A gate with a sealed record and a witness stands by,
and the auditor's key is in HERSE_AUDITOR_KEY.
"""

import datetime
import os
import re
import shutil
import subprocess

import pytest

from harness.audit import Repository
from harness.fhir import FHIRServer, identity, ins
from harness.gate import ROOT, Gate, ceiling, executable, strict
from harness.pki import PHYSICIAN
from harness.waiting import PATIENCE, until

ARTICLES = ["TheRecord", "SearchTheRecord", "ExportTheRecord", "BreachDossier", "VerifyTheRecord",
            "WitnessesAndRetention"]
# What is run elsewhere: it never ends, and wants a collector.
ELSEWHERE = {
    "herse record feed --to syslog+tls://siem:6514 --cursor siem.cursor --authorities ca.pem --follow":
        "test_record_feed.py",
}
# Commands that read no configuration.
ALONE = ("record check-proof", "record keys new")


def help_of(*verb):
    run = subprocess.run([executable(), *verb, "--help"], capture_output=True, text=True, check=True)
    return run.stdout


def verbs(*parent):
    """A command and all below it, as help lists them."""
    listed = help_of(*parent).partition("\nSUBCOMMANDS:\n")[2].partition("\n\n")[0]
    below = re.findall(r"^  ([a-z-]+)(?: |$)", listed, re.MULTILINE)
    return [parent] + [verb for name in below for verb in verbs(*parent, name)]


def commands(text):
    """The commands of some lines, each on one."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [re.sub(r"\s+", " ", line.strip()) for line in joined.splitlines() if line.strip()]


def examples():
    """Every example, once, in an order in which each finds what it needs."""
    if not executable().exists():
        return []
    found = []
    for verb in verbs("record") + verbs("report") + [("replay",)]:
        text = help_of(*verb).partition("\nExamples:\n")[2].partition("\n\n")[0]
        assert text, f"herse {' '.join(verb)} has no examples"
        found += commands(text)
    for article in ARTICLES:
        text = (ROOT / "Sources/Gate/Documentation.docc" / f"{article}.md").read_text()
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            found += commands(block)
    return sorted(dict.fromkeys(found), key=lambda one: "record purge" in one)


EXAMPLES = examples()


class Scene:
    """A gate over two lives, and beside it the files that examples name."""

    def __init__(self, pki, upstream, folder):
        self.folder = folder
        self.pki = pki
        config = strict(pki, upstream, ceiling("patients", 3))
        config["record"] = {
            "auditors": ["anne.pub.pem"], "witness_every": "1s",
            "witnesses": [{"name": "vault", "file": str(folder / "vault" / "herse.checkpoints")}],
        }
        (folder / "vault").mkdir()
        self.gate = gate = Gate(pki, config)
        gate.do("record", "keys", "new", "anne", "-o", gate.folder, config=False)
        gate.environment["HERSE_AUDITOR_KEY"] = str(gate.folder / "anne.key.pem")
        for _ in range(2):
            gate.start()
            assert gate.get(f"/fhir/Patient/{identity(1)}").status == 200
            assert gate.get(f"/fhir/Patient/{identity(2)}").status == 200
            if not (folder / "copy").exists():
                gate.stop()
                shutil.copytree(gate.folder / "state" / "record", folder / "copy" / "record")
        until((folder / "vault" / "herse.checkpoints").exists, what="the witness has a checkpoint")
        last = gate.do("record", "search", "--professional", PHYSICIAN, "--decision", "allow",
                       "--reverse", "--limit", "1", "--json").json()
        self.entry, self.request = last["entry"], last["request"]
        (folder / "gate.pub").write_text(gate.do("record", "keys").out)
        shutil.copy(gate.folder / "anne.key.pem", folder)
        shutil.copy(pki.path("root-ca.pem"), folder / "ca.pem")
        (folder / "everybody-known.csv").write_text(f"{ins(1)}\n{ins(2)}\n{ins(3)}\n")
        gate.config["limits"]["standard"] = [ceiling("patients", 1)]
        text = gate.file.read_text()
        gate.write()
        shutil.copy(gate.file, gate.folder / "candidate.yaml")
        gate.file.write_text(text)
        proof = folder / "entry-1234.proof"
        until(lambda: gate.run("record", "prove", self.entry, "-o", proof).code == 0,
              what="the entry is signed")

    def here(self, example, repository):
        """The example with what is ours in it."""
        now = datetime.datetime.now(datetime.timezone.utc)

        def stamp(**more):
            return (now + datetime.timedelta(**more)).strftime("%Y-%m-%dT%H:%M:%SZ")

        record = self.gate.folder / "state" / "record"
        for pattern, ours in {
            r"1800675042301\d\d": ins(1), r"Patient/4711": f"Patient/{identity(1)}",
            r"0b32e4377518b33b0000000000000002": self.request,
            r"(?<= )1234(?= )": str(self.entry), r"(?<=--through )41\b": "1",
            r"2026-09-01T00:00:00Z": stamp(days=-80), r"2026-11-01T00:00:00Z": stamp(days=-20),
            r"2026-11-08T00:00:00Z": stamp(days=1), r"2026-11-28T21:04:00Z": stamp(hours=-1),
            r"/var/lib/herse(/state)?/record\b": str(record), r"/mnt/vault\b|/media/vault\b": "vault",
            r"/media/evidence\b": "evidence", r"/srv/audit/index\b": "index",
            r"https://atna\.example\.fr/fhir": repository.url,
            r"\bcandidate\.yaml": str(self.gate.folder / "candidate.yaml"),
        }.items():
            example = re.sub(pattern, ours, example)
        verb = example.removeprefix("herse ")
        if not example.startswith("herse "):
            return example
        if " -c " not in example and not verb.startswith(ALONE):
            example += f" -c {self.gate.file}"
        if verb.startswith("record feed"):
            certificate, key = self.pki.card("physician")
            example += f" --client-certificate {certificate} --client-key {key}"
            if "--authorities" not in example:
                example += " --authorities ca.pem"
        return example


@pytest.fixture(scope="module")
def scene(pki, shared_upstream, tmp_path_factory):
    shared_upstream.reset()
    shared_upstream.answer = FHIRServer(10)
    made = Scene(pki, shared_upstream, tmp_path_factory.mktemp("scene"))
    yield made
    made.gate.remove()
    shared_upstream.reset()


@pytest.fixture
def repository(pki):
    made = Repository(pki)
    yield made
    made.close()


def test_there_are_examples_of_every_command():
    asked = {" ".join(one.split()[1:3]) for one in EXAMPLES if one.startswith("herse ")}
    for verb in ["verify", "prove", "check-proof", "keys", "search", "who-saw", "seen-by", "index",
                 "purge", "export", "feed"]:
        assert f"record {verb}" in asked
    assert "report breach" in asked and len(EXAMPLES) >= 35
    assert set(ELSEWHERE) <= set(EXAMPLES), "what is run elsewhere is no example any more"


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one not in ELSEWHERE])
def test_an_example_works(example, scene, repository, tmp_path):
    place = tmp_path / "place"
    shutil.copytree(scene.folder, place)
    (place / "evidence").mkdir()
    if "anne.key.pem" not in example:
        (place / "anne.key.pem").unlink()
    run = subprocess.run(
        ["bash", "-c", scene.here(example, repository)], cwd=place, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=30 * PATIENCE,
        env={**scene.gate.environment,
             "PATH": f"{executable().resolve().parent}:{os.environ['PATH']}"})
    assert run.returncode == 0, (example, run.stdout, run.stderr)
    # Each says or leaves something, and finds what it looks for.
    made = {path.name for path in place.iterdir()} - {path.name for path in scene.folder.iterdir()}
    assert run.stdout or run.stderr or made - {"evidence"} or "cp" in example
    assert "no entry is as asked for" not in run.stderr or "deny" in example \
        or "--structure" in example
    assert "to nobody" not in run.stderr and "nobody to that" not in run.stderr
