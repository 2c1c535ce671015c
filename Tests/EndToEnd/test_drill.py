"""The drill measures, judges, tells the gate that serves, and leaves nothing; status has numbers."""

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from harness.gate import executable, find
from harness.pki import PHYSICIAN
from harness.waiting import PATIENCE, until

WAYS = ["keep-alive", "streaming answer", "idle", "upload", "resumed ticket", "bearer token",
        "browser session"]


def drill(folder, *words, within=60):
    return subprocess.run(
        [executable(), "drill", *words], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=within * PATIENCE,
        env={**os.environ, "TMPDIR": str(folder)})


@pytest.fixture
def folder():
    # Not below pytest's folder: a socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="herse-drill-") as made:
        yield made


@pytest.fixture
def own(config, make_gate):
    return make_gate(config)


def gates():
    """Processes that serve a configuration."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if b"serve" in words[1:2]:
                found.append(b" ".join(words))
    return found


def test_every_protocol_is_cut_within_a_generous_bound(folder):
    run = drill(folder, "--sessions", "2", "--bound", "4s", "--inside-bound", "4s", "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(run.stdout)
    assert [line["name"] for line in result["protocols"]] == WAYS
    for line in [*result["protocols"], result["all"]]:
        assert line["leaks"] == 0 and line["is_within"], line
        assert 0 < line["p50_milliseconds"] <= line["p99_milliseconds"] <= line["max_milliseconds"]
        # The gate goes on in its other workers after the client is gone: no bound by the above.
        assert line["inside_p99_milliseconds"] > 0
    assert result["all"]["count"] == 2 * len(WAYS)
    assert os.listdir(folder) == [], "the drill left something behind"


@pytest.mark.parametrize("words", [["--bound", "1us"], ["--inside-bound", "1us"]])
def test_a_bound_that_nothing_can_hold_fails(folder, words):
    run = drill(folder, "--sessions", "1", *words)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "NOT WITHIN" in run.stdout
    for way in WAYS:
        assert way in run.stdout
    assert os.listdir(folder) == []


def test_the_gate_that_serves_is_told_and_not_touched(own, folder, upstream):
    state = own.folder / "state"
    before = sorted(os.listdir(state))
    with own.connect() as bystander:
        assert bystander.get().status == 200
        run = drill(folder, "--sessions", "1", "--bound", "4s", "--inside-bound", "4s",
                    "-c", str(own.file), "--json")
        assert run.returncode == 0, run.stdout + run.stderr
        assert json.loads(run.stdout)["is_told"] is True
        assert bystander.get().status == 200
    assert sorted(os.listdir(state)) == before, "the drill left something in the state folder"
    assert own.run("neutralized", "--json").json() == []
    told = find(own.status(), "last_drill")
    assert told["is_within"] is True and told["sessions"] == len(WAYS)
    assert "LAST DRILL" in own.do("status").out
    assert "drill by " in own.log() and "within 4000.0 ms" in own.log()
    run = drill(folder, "--sessions", "1", "--bound", "1us", "-c", str(own.file))
    assert run.returncode == 1
    assert "NOT WITHIN BOUND" in own.do("status").out
    assert "NOT within" in own.log()


def test_an_interrupt_removes_everything(folder):
    process = subprocess.Popen(
        [executable(), "drill", "--sessions", "1000"], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": folder})
    try:
        until(lambda: list(Path(folder).glob("*/cards/*.key"))
              and any(folder.encode() in words for words in gates()),
              within=20, what="the drill is under way")
        process.send_signal(signal.SIGINT)
        assert process.wait(15 * PATIENCE) == 130
    finally:
        process.kill()
        process.stderr.close()
    assert os.listdir(folder) == []
    assert not any(folder.encode() in words for words in gates())


def test_a_configuration_that_is_not_there_is_said(folder):
    run = drill(folder, "-c", os.path.join(folder, "nothing.yaml"))
    assert run.returncode == 1 and "nothing.yaml" in run.stderr
    assert os.listdir(folder) == []


# What monitoring reads.

def metrics(gate):
    run = gate.run("status", "--metrics")
    assert run.code in (0, 3), run
    assert run.out.endswith("# EOF\n")
    return {family.name: family for family in text_string_to_metric_families(run.out)}


def sample(families, name, **labels):
    found = [one.value for one in families[name].samples
             if labels.items() <= one.labels.items()
             and one.name in (name, name + "_total")]
    assert len(found) == 1, (name, labels, families[name])
    return found[0]


def test_status_is_openmetrics_that_another_program_reads(own, upstream):
    for _ in range(3):
        assert own.get().status == 200
    assert own.get("/nowhere").status == 404
    found = metrics(own)
    assert sample(found, "herse_generation") == 1
    assert sample(found, "herse_degraded") == 0
    assert sample(found, "herse_listener_certificate_end_timestamp_seconds") > 1.7e9
    assert sample(found, "herse_identity_server_up", server="mpi") == 1
    assert sum(one.value for one in found["herse_worker_requests"].samples) == 4
    refused = {one.labels["why"] for one in found["herse_worker_refusals"].samples}
    assert refused
    for family in found.values():
        assert family.documentation and family.name.startswith("herse_")
        if family.name.endswith("_seconds"):
            assert family.unit == "seconds", family


def test_the_histogram_counts_every_neutralization(own, upstream):
    assert metrics(own)["herse_neutralization_seconds"].samples[-1].value == 0
    for number in range(5):
        own.do("neutralize", f"81000000000{number}", "--reason", "x")
    own.do("neutralize", PHYSICIAN, "--reason", "x", "--preview")
    own.do("reinstate", "810000000000", "--reason", "x")
    found = metrics(own)
    for name in ("herse_neutralization_seconds", "herse_neutralization_inside_seconds"):
        buckets = [one for one in found[name].samples if one.name.endswith("_bucket")]
        assert [one.value for one in buckets] == sorted(one.value for one in buckets)
        assert buckets[-1].labels["le"] == "+Inf" and buckets[-1].value == 5
    times = find(own.status(), "neutralizations")
    assert times["whole"]["count"] == times["inside"]["count"] == 5
    assert 0 < times["whole"]["p50_milliseconds"] <= times["whole"]["max_milliseconds"]
    assert times["inside"]["max_milliseconds"] <= times["whole"]["max_milliseconds"]
    assert "NEUTRALIZATIONS" in own.do("status").out


def test_metrics_name_nobody(own, upstream):
    own.do("neutralize", PHYSICIAN, "--reason", "x")
    assert own.get().status == 403
    out = own.run("status", "--metrics").out
    assert PHYSICIAN not in out and "herse_probing_attempts_total 1" in out
