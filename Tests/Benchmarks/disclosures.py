# disclosures.py: how many patients are disclosed in a second, each on disk before; and how fast the
# record they made is verified. Peers keep no such record: Herse is measured against itself.
#
# A disclosure is one patient's identity in one answer: a page of ten makes ten, of one entry.

import json
import os
import resource
import statistics
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from contestant import PAGE, PAGE_PATIENTS, PATIENT
from contestants import Herse
from machine import BenchError, free_ports
from rows import CONNECTIONS, WARM_UP_SECONDS, Bench, Row, finished, parse_wrk

#: Disclosures a second, at least.
PER_SECOND_LEAST = 20_000.0
#: What waiting for the disk may add to an answer, in flushes of this disk.
FLUSHES_MOST = 2.0
#: Milliseconds that each of the connections pauses between pages, so that together they ask for a
#: few disclosures more than those: where all of the core is used, latency tells of nothing else.
PAUSE = 28
#: Microseconds of CPU to verify one entry: a million a second on a core.
VERIFY_MOST = 1.0
#: Bytes of a write before each flush that is timed: what a dozen entries take.
FLUSHED_BYTES = 4096
#: The subject first. `no-wait` writes the same and lets answers go before.
NAMES = ["herse", "unsealed", "no-wait"]


class Recorder(Herse):
    """Herse with a record of its own kind."""

    def __init__(self, setting, name: str, record: str):
        super().__init__(setting)
        self.name, self.record = name, record
        self.folder: Path | None = None

    def command(self, folder: Path) -> list[str]:
        command = super().command(folder)
        self.folder = folder / "state" / "record"
        file = folder / "herse.yaml"
        plain = "record: {durable: before-delivery}"
        text = file.read_text()
        if plain not in text:
            raise BenchError("disclosures: the configuration has another record")
        file.write_text(text.replace(plain, f"record: {self.record}"))
        return command


def disclosures(bench: Bench) -> list[Row]:
    setting = bench.contestants[0].setting
    auditor = make_auditor(bench)
    sealed = f"auditors: [{auditor}.pub.pem]"
    gates = [Recorder(setting, "herse", f"{{durable: before-delivery, {sealed}}}"),
             Recorder(setting, "unsealed", "{durable: before-delivery}"),
             Recorder(setting, "no-wait", f"{{durable: none, {sealed}}}")]
    rate = Row("record-rate", f"Disclosures a second, in pages of {PAGE_PATIENTS}, on disk before",
               "per_second", "/s", value_least=PER_SECOND_LEAST, names=NAMES, decimals=0)
    single = Row("record-single", "Answers a second with one patient each, on disk before",
                 "per_second", "/s", names=NAMES, decimals=0)
    added = [Row(name, f"What waiting for the disk adds, p50, {when}", "flushes",
                 "flushes of the disk", value_target=FLUSHES_MOST, names=["herse"], decimals=2)
             for name, when in (("record-added-1", "1 connection"),
                                (f"record-added-{CONNECTIONS}", f"{CONNECTIONS} connections, "
                                 f"{PER_SECOND_LEAST:,.0f} disclosures/s"))]
    with ExitStack() as stack:
        for gate, port in zip(gates, free_ports(len(gates))):
            stack.callback(gate.stop)
            gate.start(port)
            gate.prove(bench.backend.patient)
        flush_rates, flush_times, paces = [], [], []
        for number in range(bench.rounds):
            per_second, flush = flushes(bench)
            flush_rates.append(per_second)
            flush_times.append(flush)
            turn = number % len(gates)
            alone, paced = {}, {}
            for gate in gates[turn:] + gates[:turn]:
                alone[gate.name] = ask(bench, gate, 1)
                one = ask(bench, gate, CONNECTIONS)
                pages = ask(bench, gate, CONNECTIONS, page=True)
                paced[gate.name] = slow = ask(bench, gate, CONNECTIONS, page=True, pause=PAUSE)
                paces.append(slow["per_second"])
                single.samples.setdefault(gate.name, []).append(one)
                rate.samples.setdefault(gate.name, []).append(pages)
                bench.say(f"record-rate {number + 1}/{bench.rounds} {gate.name}: one a page "
                          f"{one['per_second']:,.0f}/s, ten {pages['per_second']:,.0f}/s; p50 "
                          f"alone {alone[gate.name]['p50_us']:.0f} µs, at "
                          f"{slow['per_second']:,.0f}/s {slow['p50_us']:.0f} µs; a flush "
                          f"{flush:.0f} µs")
            for row, p50 in zip(added, (alone, paced)):
                more = p50["herse"]["p50_us"] - p50["no-wait"]["p50_us"]
                row.samples.setdefault("herse", []).append(
                    {"flushes": more / flush, "p50_us": more})
        rate.notes.append(
            f"this disk ({bench.workshop.filesystem()}) alone: {FLUSHED_BYTES} bytes appended and "
            f"flushed {statistics.median(flush_rates):,.0f} times a second, one in "
            f"{statistics.median(flush_times):.0f} µs (p50)")
        rate.notes.append(f"{CONNECTIONS} connections; the paced ones asked for "
                          f"{statistics.median(paces):,.0f} disclosures/s (median)")
        for gate in gates:
            gate.stop()
        prove_pages(gates[1])
    return [rate, single, *added, verifying(bench, gates[0], gates[1], Path(f"{auditor}.key.pem"))]


def make_auditor(bench: Bench) -> Path:
    folder = bench.workshop.folder
    bench.workshop.run([str(Herse.executable), "record", "keys", "new", "auditor", "-o",
                        str(folder)], bench.load_cores, 60)
    return folder / "auditor"


def flushes(bench: Bench) -> tuple[float, float]:
    """How often this disk flushes in a second, and the microseconds one takes (p50)."""
    place = bench.workshop.folder / "flushes"
    block = b"x" * FLUSHED_BYTES
    took = []
    file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        end = time.monotonic() + 1
        while (begun := time.monotonic()) < end:
            os.write(file, block)
            os.fdatasync(file)
            took.append((time.monotonic() - begun) * 1e6)
    finally:
        os.close(file)
        place.unlink()
    return len(took) / (sum(took) / 1e6), statistics.median(took)


def prove_pages(gate: Recorder) -> None:
    """Refuses figures of pages whose entries do not name every patient."""
    for file in gate.folder.glob("*.jsonl"):
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            if entry.get("interaction") == "search":
                if len(entry["persons"]) != PAGE_PATIENTS:
                    raise BenchError(f"disclosures: a page of {PAGE_PATIENTS} is recorded as {line}")
                return
    raise BenchError("disclosures: no page is recorded")


def ask(bench: Bench, gate: Recorder, connections: int, page: bool = False,
        pause: int = 0) -> dict[str, float]:
    """Disclosures a second and what they took, of answers with one patient or pages."""
    run = int(bench.seconds + WARM_UP_SECONDS + 1.0)
    path, patients = (PAGE, PAGE_PATIENTS) if page else (PATIENT, 1)
    load = bench.wrk(f"https://localhost:{gate.port}{path}", connections, run, pause=pause)
    time.sleep(WARM_UP_SECONDS)
    started, cpu, served = time.monotonic(), gate.process.cpu_seconds(), bench.backend.requests()
    time.sleep(bench.seconds)
    served = bench.backend.requests() - served - 1
    cpu, took = gate.process.cpu_seconds() - cpu, time.monotonic() - started
    report = parse_wrk(finished(load, run + 15))
    return {"per_second": patients * served / took, "cpu_us": cpu / served * 1e6, **report}


# MARK: verifying

def verifying(bench: Bench, sealed: Recorder, unsealed: Recorder, key: Path) -> Row:
    """What those gates wrote is verified: sealed, in clear, and opened entry by entry."""
    row = Row("record-verify", "CPU to verify an entry of the record", "cpu_us", "µs",
              value_target=VERIFY_MOST, names=["herse", "unsealed", "opened"], decimals=2)
    on = bench.contestants[0].setting.gate_cores
    for name, gate, more in (("herse", sealed, []), ("unsealed", unsealed, []),
                             ("opened", sealed, ["--auditor-key", str(key)])):
        count, size = entries(gate.folder)
        if not more:
            floor = hashing(bench, gate.folder, on) / count
            row.notes.append(f"{'sealed' if gate is sealed else 'unsealed'}: {count:,} entries of "
                             f"one patient or ten, {size / count:.0f} bytes an entry, "
                             f"of which SHA-256 alone takes {floor:.2f} µs")
        for number in range(bench.rounds):
            begun = time.monotonic()
            before = children_cpu()
            told = json.loads(bench.workshop.run(
                [str(Herse.executable), "record", "verify", "--record", str(gate.folder), "-c",
                 str(gate.folder), "--json", *more], on, 600))
            took = time.monotonic() - begun
            if not told["intact"]:
                raise BenchError(f"record-verify: {gate.name}: {told}")
            row.samples.setdefault(name, []).append(
                {"cpu_us": (children_cpu() - before) / count * 1e6, "per_second": count / took})
        bench.say(f"record-verify {name}: {row.median(name):.2f} µs of {count:,} entries")
    return row


def hashing(bench: Bench, folder: Path, on: set[int]) -> float:
    """Microseconds of CPU to hash all of a record's bytes once: verifying cannot take less."""
    files = [str(one) for one in folder.glob("*.jsonl")]
    before = children_cpu()
    bench.workshop.run(["openssl", "dgst", "-sha256", *files], on, 60)
    return (children_cpu() - before) * 1e6


def entries(folder: Path) -> tuple[int, int]:
    """Lines of a record and their bytes."""
    files = [str(one) for one in folder.glob("*.jsonl")]
    done = subprocess.run(["wc", "-lc", *files], capture_output=True, text=True, check=True)
    lines, size, *_ = done.stdout.splitlines()[-1].split()
    return int(lines), int(size)


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
