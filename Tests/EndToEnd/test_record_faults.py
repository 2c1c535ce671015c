"""The record on disks that lose power, fail and fill up, and under clocks that are set.

Whatever happens: what a client received is in the record, the record verifies, and the gate says
what it did.
"""

import json
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.faults import FailingDisk, fill, until_refused
from harness.gate import find
from harness.load import Load
from harness.waiting import until


class Recorded:
    """A gate whose record is sealed to an auditor or to nobody, and how it is read."""

    def __init__(self, gate, is_sealed):
        self.gate = gate
        self.key = ["--auditor-key", gate.folder / "anne.key.pem"] if is_sealed else []
        if is_sealed:
            gate.do("record", "keys", "new", "anne", "-o", gate.folder, config=False)

    def verified(self):
        """What verifying finds; the record must be intact, and every sealed entry open."""
        run = self.gate.run("record", "verify", *self.key, "--json")
        assert run.code == 0, run
        report = run.json()
        assert report["intact"] and not report["flaws"]
        assert (report["sealed"] > 0) == bool(self.key)
        assert report["opened"] == report["sealed"]
        return report

    def entries(self, *words):
        """All entries in clear, or those that are asked for."""
        run = self.gate.do("record", "export", *self.key, "--format", "jsonl", "-o", "-", *words)
        return [json.loads(line) for line in run.out.splitlines()]

    def must_hold(self, delivered):
        assert delivered, "nothing was delivered"
        shown = {entry["request"] for entry in self.entries() if entry.get("decision") == "allow"}
        assert [one for one in delivered if one not in shown] == []


@pytest.fixture(params=["unsealed", "sealed"])
def recorded(request, config, make_gate, upstream):
    is_sealed = request.param == "sealed"
    if is_sealed:
        config["record"] = {"auditors": ["anne.pub.pem"], "origin": "test.example/record"}
    return Recorded(make_gate(config, start=False), is_sealed)


# Power cuts.

# Of the calls that each life makes: the first are of its segment, then of its first checkpoint.
CUTS = [
    "names 1 1 dropped", "names 1 1 half",
    "write 1 1 dropped", "write 1 1 half", "write 1 1 zeros",
    "write 2 1 half", "write 2 1 zeros", "write 2 1 late",
    "sync 1 1 dropped", "sync 1 1 half",
    "write 3 1 half", "sync 2 1 zeros", "names 2 1 dropped", "names 2 1 half",
    "write 30 1 dropped", "write 31 1 half", "write 32 1 zeros",
    "write 33 1 late", "sync 34 1 late", "sync 60 1 half", "sync 61 1 dropped",
]


def told_of(before):
    """What the next start has to say of the segments that a power cut left."""
    for name, data in reversed(before.items()):
        number = int(name.split(".")[0])
        if name.endswith(".torn"):
            continue
        if not data.strip(b"\n"):
            yield f"segment {number} is blank: removed"
        elif not is_whole(data.split(b"\n", 1)[0]):
            yield f"segment {number} has not one whole line: put aside"
        else:
            # Only a segment that was closed ends with its last line.
            if not data.endswith(b"}\n"):
                yield f"segment {number} was not closed: its first "
            return


def is_whole(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def remainder(segment):
    """What stands in a segment after the whole lines that follow one another from its beginning."""
    begin = 0
    while (end := segment.find(b"\n", begin)) > begin and is_whole(segment[begin:end]):
        begin = end + 1
    return segment[begin:].strip(b"\n")


def must_still_hold(disk, before):
    """Nothing that was found is cut away, changed or removed, but for what was blank."""
    now = disk.segments()
    for name, data in before.items():
        kept = [now.get(name), now.get(name.replace(".jsonl", ".torn"))]
        assert data in kept or not data.strip(b"\n"), name


@pytest.mark.slow
def test_what_was_delivered_is_recorded_whenever_the_power_is_cut(recorded):
    gate = recorded.gate
    disk = FailingDisk(gate)
    gate.start()
    assert gate.get().status == 200
    gate.stop()
    recorded.verified()
    delivered, entries, torn, told, states = [], 0, 0, [], []
    for cut in CUTS:
        disk.order(cut)
        gate.start()
        for line in told:
            assert line in gate.log(), f"before {cut}"
        if states:
            must_still_hold(disk, states[-1])
        with Load(gate) as load:
            until(lambda: not gate.alive, within=20, what=f"the power is cut: {cut}")
        assert gate.process.returncode == -signal.SIGKILL
        assert load.statuses <= {200, 504}, cut
        delivered += load.delivered
        report = recorded.verified()
        assert report["entries"] >= entries, cut
        entries = report["entries"]
        before = disk.segments()
        told = list(told_of(before))
        notes = " ".join(report["notes"])
        if told and "not closed" not in told[0]:
            assert "has not one whole line" in notes, (cut, report)
            torn += 1
        elif remainder([data for name, data in before.items() if name.endswith(".jsonl")][-1]):
            assert "ends in part of a line" in notes, (cut, report)
            torn += 1
        states.append(before)
    assert torn >= 9, "most cuts tore nothing"
    disk.order()
    gate.start()
    assert gate.get().status == 200
    assert gate.stop() == 0
    for before in states:
        must_still_hold(disk, before)
    recorded.verified()
    recorded.must_hold(delivered)


# Errors of the disk.

# Each with what the log says of it.
ERRORS = [
    (["write 30 1 eio"], "cannot be written"),
    (["write 30 1 short-eio"], "cannot be written"),
    (["sync 20 1 eio"], "cannot be made durable"),
    (["sync 20 1 lost"], "cannot be made durable"),
    (["write 30 3 enospc"], "cannot be written"),
    (["write 30 1 short-enospc"], "cannot be written"),
    (["sync 20 2 enospc"], "cannot be made durable"),
    # The segment after it cannot be begun at once: its name, its file, its first commit.
    (["write 30 1 eio", "names 1 2 eio"], "cannot be opened"),
    (["write 30 1 eio", "make 1 2 enospc"], "cannot be opened"),
    (["sync 20 4 eio"], "cannot be made durable"),
]


# 504 is the identity server's, when the machine of the tests is too busy for it.
ANSWERS = {200, 503, 504}


def failed(gate):
    return find(gate.status(), "failed_commits")


@pytest.mark.slow
def test_nothing_is_delivered_that_the_disk_did_not_take(recorded):
    gate = recorded.gate
    disk = FailingDisk(gate)
    gate.start()
    assert gate.get().status == 200
    delivered, refused, seen = [], [], set()
    for orders, words in ERRORS:
        # The log has room for all that this disk does: ten lines of it a second.
        second = int(time.time())
        until(lambda: int(time.time()) > second, what="another second")
        before, lines = failed(gate), len(gate.lines)
        disk.order(*orders)
        with Load(gate) as load:
            until(lambda: "written again, in segment " in "\n".join(gate.lines[lines:]), within=20,
                  what=f"a commit fails, and another does not: {orders}")
            done = len(load.delivered)
            until(lambda: len(load.delivered) > done + 60, within=20, what="it goes on")
        assert load.statuses <= ANSWERS, orders
        assert failed(gate) > before
        said = "\n".join(gate.lines[lines:])
        assert words in said, (orders, said)
        delivered += load.delivered
        refused += load.refused
        seen |= load.statuses
        recorded.verified()
    assert 503 in seen
    # A disk that failed is worth a look, though all is well again.
    status = gate.run("status")
    assert status.code == 3 and "look at the disk" in status.text, status
    # Now what was never durable goes: a sync that succeeds later proves nothing.
    disk.order("sync 10 1 dropped")
    with Load(gate) as load:
        until(lambda: not gate.alive, within=20, what="the power is cut")
    delivered += load.delivered
    recorded.verified()
    disk.order()
    gate.start()
    assert gate.get().status == 200
    recorded.verified()
    recorded.must_hold(delivered)
    shown = {entry["request"] for entry in recorded.entries()
             if entry.get("delivery") in ("begun", "whole") and entry["status"] == 200}
    assert not shown & set(refused), "what was refused is recorded as shown"
    assert gate.stop() == 0
    recorded.verified()


def test_a_disk_that_stays_broken_is_named_until_it_mends(recorded):
    gate = recorded.gate
    disk = FailingDisk(gate)
    gate.start()
    assert gate.get().status == 200
    assert gate.run("status").code == 0
    disk.order("sync 1 0 eio", "write 1 0 eio")
    for _ in range(3):
        assert gate.get().status == 503
    status = gate.run("status")
    assert status.code == 3 and "Input/output error" in status.text, status
    assert "record" in status.text
    disk.order()
    assert gate.get().status == 200
    assert len([line for line in gate.lines if "cannot be" in line]) <= 2, gate.log()
    assert gate.stop() == 0
    recorded.verified()


@pytest.mark.slow
def test_a_sealed_record_on_a_full_disk_verifies(config, make_gate, upstream, small_disk):
    config["record"] = {"auditors": ["anne.pub.pem"], "disk_free_min": 0}
    config["state"] = str(small_disk / "state")
    config["control"] = "control.sock"
    recorded = Recorded(make_gate(config, start=False), True)
    gate = recorded.gate
    gate.start()
    assert gate.get().status == 200
    delivered = []
    for _ in range(2):
        fill(small_disk)
        with Load(gate) as load:
            until(lambda: load.refused, within=40, what="the disk is full")
        assert load.statuses <= ANSWERS
        delivered += load.delivered
        until_refused(gate)
        assert gate.run("status").code == 3
        recorded.verified()
        (small_disk / "filler").unlink()
        until(lambda: gate.get().status == 200, within=10, what="it mends")
        # No want of room is held against the disk.
        assert gate.run("status").code == 0
    assert "No space left" in gate.log() and "written again" in gate.log()
    fill(small_disk)
    until_refused(gate)
    gate.kill()
    recorded.verified()
    (small_disk / "filler").unlink()
    gate.start()
    assert gate.get().status == 200
    recorded.verified()
    recorded.must_hold(delivered)


# Clocks.

class Clock:
    """The wall clock of a gate, to be set while it runs."""

    def __init__(self, gate):
        self.file = gate.folder / "clock"
        self.processes = set()
        gate.wrapper = [
            "env", "LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1", "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1", f"FAKETIME_TIMESTAMP_FILE={self.file}",
            # The library adds to the environment of its first process, before which Swift would
            # then look for the arguments in vain; a process that it finds there needs no more.
            "env",
        ]

    def set(self, offset):
        draft = self.file.with_suffix(".draft")
        draft.write_text(offset + "\n")
        draft.rename(self.file)

    def remove(self):
        """Removes what the library leaves of the processes that were killed."""
        for process in self.processes:
            for name in ("faketime_shm_", "sem.faketime_sem_"):
                Path(f"/dev/shm/{name}{process}").unlink(missing_ok=True)


STATES = ("synchronized", "unsynchronized", "unknown")
# Hours by which the clock is off at each request: set back an hour and on a day while the gate
# serves, and over a kill, a stop and a start. None below 0, when certificates are not valid yet.
CLOCKS = [2, 1, 25, 1, "kill", 1, 2, "stop", 25, "kill", 2]


def signed(gate):
    """Entries that the newest checkpoint speaks of."""
    return int((gate.folder / "state" / "record" / "checkpoint").read_text().split("\n")[1])


@pytest.mark.slow
def test_a_clock_that_is_set_changes_no_order_and_hides_no_entry(recorded):
    gate = recorded.gate
    clock = Clock(gate)
    told, hours = [], []
    for step in CLOCKS:
        if step == "kill":
            gate.kill()
        elif step == "stop":
            assert gate.stop() == 0
        else:
            clock.set(f"+{step}h")
            if not gate.alive:
                gate.start()
                clock.processes.add(gate.process.pid)
            told.append(gate.get().json()["request"])
            hours.append(step)
            # Checkpoints go on, whatever the clock says.
            size = find(gate.status()["record"], "entries")
            until(lambda: signed(gate) >= size - 1, within=10, what="it is signed")
            assert find(gate.status(), "degraded") == []
    assert gate.stop() == 0
    clock.remove()

    assert recorded.verified()["unsigned"] == 0
    found = {entry["request"]: entry for entry in recorded.entries("--until", "2100-01-01T00:00:00Z") if "request" in entry}
    assert [one for one in found if one in told] == told
    moments = [datetime.fromisoformat(found[one]["time"]) for one in told]
    begin = moments[0] - timedelta(hours=2)
    for moment, hour in zip(moments, hours):
        assert abs(moment - begin - timedelta(hours=hour)) < timedelta(minutes=10), moments
    assert all(found[one]["clock"] in STATES for one in told)

    def stamp(hour):
        return (begin + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def searched(*words):
        run = gate.do("record", "search", *recorded.key, "--json", *words)
        entries = [json.loads(line) for line in run.out.splitlines()]
        numbers = [entry["entry"] for entry in entries]
        assert numbers == sorted(numbers)
        return [entry["request"] for entry in entries if entry.get("request") in told]

    def exported(*words):
        return [entry["request"] for entry in recorded.entries(*words)
                if entry.get("request") in told]

    for since, until_hour in [(0, 30), (1.5, 30), (12, 30), (0, 1.5), (1.5, 12), (24.5, 30)]:
        expected = [one for one, hour in zip(told, hours) if since <= hour < until_hour]
        for asked in (searched, exported):
            assert asked("--since", stamp(since), "--until", stamp(until_hour)) == expected
