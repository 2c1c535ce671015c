"""Neutralization on a disk that is full and under kill -9: loud, and never half."""

import random
import resource
import signal
import subprocess
import threading
import time

import pytest

from harness.gate import find
from harness.pki import PHARMACIST, PHYSICIAN
from harness.waiting import PATIENCE, until

REASON = "x" * 400


@pytest.fixture
def own(config, make_gate):
    # What is asked here is kept in the journal; a record on a full disk is another test's.
    config["record"] = {"durable": "none"}
    return make_gate(config)


class FullDisk:
    """Files of the gate that cannot grow: what a full disk does to the journal, for any user."""

    def __init__(self, gate):
        self.gate = gate
        self.limit(self.size())

    def size(self):
        return (self.gate.folder / "state" / "neutralization.journal").stat().st_size

    def limit(self, size):
        resource.prlimit(self.gate.process.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))

    def free(self):
        self.limit(resource.RLIM_INFINITY)


def listed(gate):
    # Exit 1 says that there is none.
    return {one["subject"] for one in gate.run("neutralized", "--json").json()}


def test_a_full_disk_is_said_loudly_and_the_person_is_cut_until_the_restart(own, upstream):
    own.do("neutralize", PHARMACIST, "--reason", REASON)
    disk = FullDisk(own)
    kept = disk.size()
    with own.connect() as victim:
        assert victim.get().status == 200
        run = own.run("neutralize", PHYSICIAN, "--reason", REASON)
        assert run.code == 1, run
        assert "NOT ON DISK" in run.err and "IT ENDS WHEN THE GATE STOPS" in run.err, run
        assert not victim.is_open(), "an order that cannot be kept was not even carried out"
    assert disk.size() == kept, "a part of the order was left in the journal"
    assert own.get().status == 403
    run = own.run("neutralize", PHYSICIAN, "--reason", REASON, "--json")
    assert run.code == 1 and run.json()["is_durable"] is False and run.json()["problem"], run
    # Who is cut for good is not restored on a disk that cannot say so.
    run = own.run("reinstate", PHARMACIST, "--reason", "x")
    assert run.code == 1, run
    assert own.get(card="pharmacist").status == 403
    status = own.run("status")
    assert status.code == 3 and "neutralization journal" in status.text, status
    own.kill()
    own.start()
    assert own.get().status == 200, "an order that is not on disk held over a restart"
    assert own.get(card="pharmacist").status == 403, "an order that was on disk is gone"


def test_a_disk_with_room_again_takes_the_order_again(own, upstream):
    disk = FullDisk(own)
    assert own.run("neutralize", PHYSICIAN, "--reason", REASON).code == 1
    disk.free()
    run = own.do("neutralize", PHYSICIAN, "--reason", REASON)
    assert "NOT ON DISK" not in run.err
    assert "neutralization journal" not in own.run("status").text
    own.kill()
    own.start()
    assert own.get().status == 403


def test_a_batch_is_kept_whole_or_not_at_all(own, upstream):
    disk = FullDisk(own)
    many = [f"account:81000{number:07d}" for number in range(50)]
    disk.limit(disk.size() + 3000)
    run = own.run("neutralize", *many, PHYSICIAN, "--reason", REASON)
    assert run.code == 1 and "NOT ON DISK" in run.err, run
    assert own.get().status == 403
    own.kill()
    own.start()
    assert listed(own) == set()


# kill -9.

def batch(kill, order):
    """Subjects of one order: one alone, or some together."""
    count = (1, 1, 1, 7)[order % 4]
    return [f"account:81{kill:05d}{order:03d}{number:02d}" for number in range(count)]


@pytest.mark.slow
def test_kill_9_at_any_moment_leaves_before_or_after(own, upstream):
    """Orders one after another, and a kill at a random moment, many times over."""
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    told = f"seed {seed}"
    print(told)
    acknowledged = set()
    unknown = []
    for kill in range(20):
        stop = threading.Event()
        results = []

        def order_on(kill=kill, stop=stop, results=results):
            order = 0
            while not stop.is_set():
                subjects = batch(kill, order)
                run = own.run("neutralize", *subjects, "--reason", "x" * dice.randrange(1, 400))
                results.append((subjects, run.code))
                order += 1

        orderer = threading.Thread(target=order_on)
        orderer.start()
        until(lambda: results, within=10, what="the first order is done")
        time.sleep(dice.random() * 0.15)
        own.process.send_signal(signal.SIGKILL)
        stop.set()
        orderer.join(20 * PATIENCE)
        assert not orderer.is_alive()
        own.kill()
        for subjects, code in results:
            if code == 0:
                acknowledged.update(subjects)
            else:
                unknown.append(set(subjects))
        own.start()
        found = listed(own)
        missing = acknowledged - found
        assert not missing, f"{told}, kill {kill}: acknowledged and gone: {sorted(missing)}"
        extra = found - acknowledged
        for subjects in unknown:
            part = subjects & extra
            assert part in (set(), subjects), f"{told}, kill {kill}: a half of {sorted(subjects)}"
            extra -= subjects
        assert not extra, f"{told}, kill {kill}: nobody ordered {sorted(extra)}"
    assert len(acknowledged) > 20
    assert "journal" not in " ".join(find(own.status(), "degraded"))


@pytest.mark.slow
def test_a_kill_within_the_writing_of_an_order_is_before_or_after(own, upstream):
    """The journal cut at every length its last order could have had when the machine stopped."""
    own.do("neutralize", PHARMACIST, "--reason", "x")
    journal = own.folder / "state" / "neutralization.journal"
    before = journal.stat().st_size
    own.do("neutralize", PHYSICIAN, "--reason", "y")
    own.kill()
    whole = journal.read_bytes()
    ends = [before, before + 1, *range(before + 7, len(whole) - 1, 37), len(whole) - 1, len(whole)]
    for end in ends:
        journal.write_bytes(whole[:end])
        own.start()
        # Without its last byte alone an order is whole.
        expected = {f"account:{PHARMACIST}"}
        if end >= len(whole) - 1:
            expected.add(f"account:{PHYSICIAN}")
        assert listed(own) == expected, f"{end} of {len(whole)} bytes"
        own.kill()
    journal.write_bytes(whole[:before - 20] + b"?" + whole[before - 19:])
    own.spawn()
    try:
        assert own.process.wait(15 * PATIENCE) == 1
    except subprocess.TimeoutExpired:
        pytest.fail("started on a damaged journal")
    own.reader.join(5)
    assert "damaged" in own.log() and "truncate -s" in own.log(), own.log()
