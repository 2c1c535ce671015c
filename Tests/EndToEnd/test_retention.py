"""How long the record is kept, and how big it may get."""

import json
import os
import signal
import subprocess

import pytest

from harness.waiting import until


def segments(gate):
    return sorted(p.name for p in (gate.folder / "state" / "record").glob("0*"))


def of_segments(gate, count):
    """Restarts the gate until its record has so many segments."""
    while True:
        assert gate.get().status == 200
        if len([n for n in segments(gate) if n.endswith(".jsonl")]) >= count:
            return
        gate.stop()
        gate.start()


def purged(gate):
    return [entry for entry in gate.record() if entry.get("event") == "purged"]


def test_the_oldest_segments_are_purged_by_order(config, make_gate, upstream):
    gate = make_gate(config)
    of_segments(gate, 4)
    index = gate.folder / "state" / "record" / "index"
    index.mkdir(exist_ok=True)
    (index / "000001.index").write_text("")
    run = gate.run("record", "purge", "--older-than", "0s", "--reason", "a test", "--preview")
    assert run.code == 0 and "WOULD GO" in run.out, run
    assert segments(gate) == [f"00000{n}.jsonl" for n in (1, 2, 3, 4)]
    assert gate.run("record", "purge", "--through", "2", "--reason", "a\ntest").code == 1
    run = gate.run("record", "purge", "--through", "2", "--reason", "a test", "--json")
    assert run.code == 0, run
    assert [one["segment"] for one in run.json()["segments"]] == [1, 2]
    assert segments(gate) == ["000001.purged", "000002.purged", "000003.jsonl", "000004.jsonl"]
    assert not (index / "000001.index").exists()
    entries = purged(gate)
    assert [entry["purged"] for entry in entries] == [1, 2]
    assert all(entry["reason"] == "a test" and entry["by"] for entry in entries)
    assert entries[0]["ends"] == entries[1]["begins"]
    act = gate.newest(event="administration", act="record purge")
    assert act["outcome"] == "done" and act["subjects"] == ["--through 2"]
    # The hashes that are left are those of the next head.
    stone = (gate.folder / "state" / "record" / "000002.purged").read_text().split("\n")
    head = json.loads(
        (gate.folder / "state" / "record" / "000003.jsonl").read_text().split("\n", 1)[0])
    previous = head["previous"]
    assert stone[0] == "herse record purge v1" and stone[1] == head["origin"]
    assert stone[2] == f"2 {previous['begins']} {previous['ends']}"
    assert stone[5] == "a test" and stone[6:6 + len(previous["hashes"])] == previous["hashes"]
    # Never the one that is written to.
    run = gate.run("record", "purge", "--through", "99", "--reason", "a test")
    assert run.code == 1 and "only up to segment 3" in run.text, run
    assert segments(gate)[-1] == "000004.jsonl"
    assert gate.get().status == 200
    assert gate.run("record", "verify").code == 0
    gate.stop()
    gate.start()
    assert gate.get().status == 200
    run = gate.run("record", "verify")
    assert run.code == 0 and "purged" in run.text, run


def test_a_purge_that_a_crash_cut_short_is_finished(config, make_gate, upstream):
    gate = make_gate(config)
    of_segments(gate, 3)
    folder = gate.folder / "state" / "record"
    kept = (folder / "000001.jsonl").read_bytes()
    assert gate.run("record", "purge", "--through", "1", "--reason", "a test").code == 0
    gate.kill()
    # As if the last step had not been reached.
    (folder / "000001.jsonl").write_bytes(kept)
    gate.start()
    until(lambda: not (folder / "000001.jsonl").exists(), 10, "it is finished")
    assert [entry["cause"] for entry in purged(gate)] == ["order", "restart"]
    # A tombstone that is not this gate's takes nothing away.
    (folder / "000002.purged").write_text((folder / "000001.purged").read_text())
    until(lambda: gate.run("status").code == 3, 10, "degraded")
    assert (folder / "000002.jsonl").exists()


def test_an_order_that_could_purge_waits_for_a_second_administrator(
    config, make_gate, upstream, tmp_path
):
    keys = []
    for name in ("alice", "bela"):
        key = tmp_path / f"{name}.key"
        public = tmp_path / f"{name}.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
        keys.append(key)
    config["administration"] = {"four_eyes": ["purge"], "approvers": [
        {"name": name, "key": str(tmp_path / f"{name}.pem")} for name in ("alice", "bela")]}
    gate = make_gate(config)
    of_segments(gate, 2)
    assert gate.run("record", "purge", "--through", "1", "--reason", "x", "--preview").code == 0
    run = gate.run("record", "purge", "--through", "1", "--reason", "a test")
    assert run.code == 1 and "NOT DONE YET" in run.text, run
    assert segments(gate)[0] == "000001.jsonl"
    order = gate.run("orders", "--json").json()[0]
    assert order["lines"][0] == "record purge --through 1"
    for name, key in zip(("alice", "bela"), keys):
        run = gate.run("approve", order["id"], "--key", str(key), "--as", name)
        if run.code == 0:
            break
    assert run.code == 0, run
    assert segments(gate)[0] == "000001.purged"


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m", "none", folder],
                           capture_output=True)
    if mount.returncode != 0:
        pytest.skip("cannot mount a small disk here: " + mount.stderr.decode().strip())
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def leave(disk, megabytes):
    """Fills a disk until so much is free."""
    with (disk / "filler").open("ab") as file:
        room = os.statvfs(disk)
        file.write(bytes(room.f_bavail * room.f_frsize - (megabytes << 20)))


def room(gate):
    return gate.run("status", "--json").json()["record"]["room"]


@pytest.mark.parametrize("durable", ["before-delivery", "grouped"])
def test_nothing_is_disclosed_that_could_not_be_kept(
    config, make_gate, upstream, small_disk, durable
):
    config["state"] = str(small_disk / "state")
    config["control"] = "control.sock"
    config["record"] |= {"disk_free_min": "10M", "durable": durable}
    gate = make_gate(config)
    with gate.connect() as victim:
        assert victim.get().status == 200
        leave(small_disk, 16)
        until(lambda: room(gate) == "low", 15, "an alarm before")
        assert "are to be left" in gate.run("status").text
        assert gate.get().status == 200
        leave(small_disk, 8)
        until(lambda: room(gate) == "full", 15, "full")
        assert gate.get().status == 503
        run = gate.run("status")
        assert run.code == 3 and "nothing more is disclosed" in run.text, run
        # Whoever is to be cut is cut, and that is recorded still.
        assert gate.run("neutralize", "810002813839", "--reason", "stolen").code == 0
        folder = small_disk / "state" / "record"
        assert any("neutralize" in path.read_text() for path in folder.glob("*.jsonl"))
    (small_disk / "filler").unlink()
    until(lambda: gate.get().status == 200, 15, "it mends")


def test_the_oldest_go_when_the_operator_says_so(config, make_gate, upstream, small_disk):
    config["state"] = str(small_disk / "state")
    config["control"] = "control.sock"
    config["record"] |= {"disk_free_min": "10M"}
    gate = make_gate(config)
    for _ in range(3):
        assert gate.get().status == 200
        gate.stop()
        gate.start()
    assert gate.get().status == 200
    folder = small_disk / "state" / "record"
    # Segments that take room; what follows the entries does not count.
    for number in (1, 2):
        with (folder / f"00000{number}.jsonl").open("ab") as file:
            file.write(b"\n" * (8 << 20))
    leave(small_disk, 8)
    config["record"] |= {"when_full": "purge-oldest"}
    gate.write()
    assert gate.run("reload").code == 0
    until(lambda: (folder / "000001.purged").exists(), 15, "the oldest goes")
    assert gate.get().status == 200
    assert (folder / "000003.jsonl").exists()
    entries = [json.loads(line) for path in folder.glob("*.jsonl")
               for line in path.read_text().split("\n") if '"purged"' in line]
    assert entries[0]["cause"] == "when_full" and "are to be left" in entries[0]["reason"]


def test_status_says_whether_the_record_is_sealed(config, make_gate, upstream, tmp_path):
    gate = make_gate(config)
    assert gate.get().status == 200
    assert "unsealed" in gate.run("status").out
    private, public = tmp_path / "anne.key", tmp_path / "anne.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    config["record"] = {"auditors": [str(public)]}
    gate.write()
    run = gate.run("reload")
    assert run.code == 1 and "restart the gate" in run.text, run
    gate.stop()
    gate.start()
    assert gate.get().status == 200
    report = gate.run("status", "--json").json()["record"]
    assert len(report["sealed_to"]) == 1 and report["sealed_to"][0] in gate.run("status").out
    newest = sorted((gate.folder / "state" / "record").glob("*.jsonl"))[-1]
    assert '{"sealed":"' in newest.read_text()
    # Another auditor, by reload: from the next segment on.
    before = segments(gate)
    subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    assert gate.run("reload").code == 0
    assert gate.get().status == 200
    until(lambda: len(segments(gate)) > len(before), 10, "a new segment")
    # Neither auditors nor a word about it: said once.
    config["record"] = {}
    gate.write()
    run = gate.run("check")
    assert run.code == 0 and run.text.count("is not sealed") == 1, run
    os.kill(gate.process.pid, signal.SIGTERM)
