"""The demonstration goes as told, by itself, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import tempfile

import pytest

from harness.gate import executable
from harness.waiting import PATIENCE, until

pytestmark = pytest.mark.slow


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="herse-demo-") as folder:
        yield folder


def test_the_tour_goes_as_told(folder):
    run = subprocess.run(
        [executable(), "demo", "--tour"], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        timeout=90 * PATIENCE, env={**os.environ, "TMPDIR": folder},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for word in ("curl", "429", "neutralize", "reload", "899700218896", "record verify",
                 "record who-saw", "record seen-by", "record prove", "record check-proof",
                 "report breach", "kept offline"):
        assert word in run.stdout, f"{word} is not in the tour:\n{run.stdout}"
    # Each of them was answered, and not only printed.
    for answer in ("intact", "is sealed to", "urn:oid:1.2.250.1.213.1.4", "proven: entry",
                   "patients shown in"):
        assert re.search(rf"^  \| .*{re.escape(answer)}", run.stdout, re.MULTILINE), run.stdout
    assert os.listdir(folder) == [], "the demonstration left something behind"


def test_the_commands_it_prints_work_in_another_terminal(folder):
    process = subprocess.Popen(
        [executable(), "demo"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**os.environ, "TMPDIR": folder},
    )
    said = []
    import threading

    reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    reader.start()
    try:
        until(lambda: any("Ctrl-C" in line for line in said[-12:]) and len(said) > 20,
              within=60, what="the tour is over", every=0.1)
        text = "".join(said)
        # Commands may go over several lines; the closing ones are to be tried by hand.
        joined = text.replace("\\\n", " ")
        curls = re.findall(r"^\s*(?:\$ )?(curl .*)$", joined, re.MULTILINE)
        assert curls, text
        statuses = []
        for command in dict.fromkeys(curls):
            run = subprocess.run(["bash", "-c", command + " -s -o /dev/null -w '\\n%{http_code}'"],
                                 capture_output=True, text=True, timeout=30)
            statuses.append((run.returncode, run.stdout[-3:]))
        assert any(status == "200" for _, status in statuses), (curls, statuses)
        asked = dict.fromkeys(re.findall(
            r"^\s*(?:\$ )?(\S*herse record (?:verify|who-saw|seen-by|search|check-proof) .*)$",
            joined, re.MULTILINE))
        assert len(asked) >= 6, text
        for command in asked:
            run = subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                                 timeout=30 * PATIENCE, stdin=subprocess.DEVNULL)
            # Without the auditor's key nobody learns anything.
            is_open = "--auditor-key" in command or "check-proof" in command
            assert run.returncode == (0 if is_open else 1), (command, run.stdout, run.stderr)
            assert bool(run.stdout) == is_open, command
    finally:
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert code in (0, 130)
    until(lambda: os.listdir(folder) == [], what="everything is removed")
