# rows.py: what is measured. A row gives each contestant one sample a round, in turns.

import json
import re
import shutil
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from contestant import PATIENT, Contestant
from contestants import Backend
from machine import BenchError, Process, Workshop
from pki import PKI

#: Connections of the keep-alive load.
CONNECTIONS = 64
#: Handshakes in flight.
DIALLERS = 8
#: Length of one handshake sample: short, and so many more rounds, because a handshake is all
#: computing and what else the machine does changes from second to second.
HANDSHAKE_SECONDS = 1.0
#: Before the window that is measured: handshakes done, buffers grown, caches warm.
WARM_UP_SECONDS = 0.8
#: From the last answer on an idle connection to the second look at memory.
SETTLE_SECONDS = 2.0

Sample = dict[str, float]


@dataclass
class Row:
    """One line of the table: the measure that is compared, and figures that are only shown."""
    name: str
    title: str
    measure: str
    unit: str
    #: Highest ratio to reach, by peer.
    ratio_targets: dict[str, float] = field(default_factory=dict)
    #: Highest value to reach, in `unit`.
    value_target: float | None = None
    #: Lowest value to reach, in `unit`.
    value_least: float | None = None
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    #: What a reader must know, such as a contestant that could not take part.
    notes: list[str] = field(default_factory=list)
    #: Who is measured, the subject first, where these are not the servers.
    names: list[str] | None = None
    decimals: int = 1

    def median(self, contestant: str, measure: str | None = None) -> float | None:
        values = [one[measure or self.measure] for one in self.samples.get(contestant, [])]
        return statistics.median(values) if values else None

    def ratios(self, subject: str, peer: str) -> list[float]:
        """Round by round, so that what slows the machine for both does not count."""
        pairs = zip(self.samples.get(subject, []), self.samples.get(peer, []))
        return [ours[self.measure] / theirs[self.measure] for ours, theirs in pairs
                if theirs[self.measure] > 0]


@dataclass
class Bench:
    workshop: Workshop
    pki: PKI
    backend: Backend
    contestants: list[Contestant]
    load_cores: set[int]
    rounds: int
    seconds: float
    say: Callable[[str], None]

    def in_turns(self, row: Row, sample: Callable[[Contestant], Sample | None],
                 rounds: int | None = None) -> Row:
        """Every contestant once a round, a different one first each time."""
        rounds = rounds or self.rounds
        for number in range(rounds):
            turn = number % len(self.contestants)
            for contestant in self.contestants[turn:] + self.contestants[:turn]:
                taken = sample(contestant)
                if taken is None:
                    continue
                row.samples.setdefault(contestant.name, []).append(taken)
                self.say(f"{row.name} {number + 1}/{rounds} {contestant.name}: "
                         + ", ".join(f"{key} {value:.1f}" for key, value in taken.items()))
        return row

    def tls_client(self, *arguments: object, seconds: float) -> dict:
        command = [str(self.workshop.folder / "tls_client"), *map(str, arguments)]
        return json.loads(self.workshop.run(command, self.load_cores, seconds,
                                            self.pki.environment()))

    def wrk(self, url: str, connections: int, seconds: float,
            before: tuple[str, ...] = (), pause: int = 0) -> Process:
        """A load; after each answer a connection waits for `pause` milliseconds on average, by
        chance, since all that wait alike would come at once."""
        command = [*before, "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s",
                   "--latency", "-H", "Accept: application/fhir+json",
                   "-H", "User-Agent: herse-bench"]
        if pause:
            script = self.workshop.folder / f"pause-{pause}.lua"
            script.write_text(f"function delay() return math.random(0, {2 * pause}) end\n")
            command += ["-s", str(script)]
        command.append(url)
        shim = {"LD_PRELOAD": str(self.workshop.folder / "present_cards.so")}
        return Process(self.workshop, "wrk", command, self.load_cores,
                       self.pki.environment() | shim if url.startswith("https") else None,
                       piped=True)


# MARK: keep-alive requests

def keepalive(bench: Bench) -> Row:
    row = Row("keepalive", "CPU per keep-alive request", "cpu_us", "µs",
              {"haproxy": 0.75, "nginx": 0.75})

    def sample(contestant: Contestant) -> Sample:
        # wrk takes whole seconds; the window lies inside its run, past the handshakes.
        run = int(bench.seconds + WARM_UP_SECONDS + 1.0)
        load = bench.wrk(f"https://localhost:{contestant.port}{PATIENT}", CONNECTIONS, run)
        time.sleep(WARM_UP_SECONDS)
        started, cpu, served = (time.monotonic(), contestant.process.cpu_seconds(),
                                bench.backend.requests())
        time.sleep(bench.seconds)
        served = bench.backend.requests() - served - 1  # the question itself was counted
        cpu = contestant.process.cpu_seconds() - cpu
        took = time.monotonic() - started
        report = parse_wrk(finished(load, run + 15))
        if served <= 0:
            raise BenchError(f"{contestant.name}: no request reached the backend")
        return {"cpu_us": cpu / served * 1e6, "per_second": served / took,
                "p50_us": report["p50_us"], "p99_us": report["p99_us"],
                "core_percent": cpu / took * 100}

    return bench.in_turns(row, sample)


def latency(bench: Bench) -> Row:
    """One request at a time, less what the backend alone takes: what the gate adds."""
    row = Row("latency", "Latency added, one connection, p50", "p50_us", "µs")
    run = max(2, int(bench.seconds / 2))
    bare = [parse_wrk(finished(bench.wrk(f"http://127.0.0.1:{bench.backend.port}{PATIENT}", 1,
                                         run), run + 15)) for _ in range(min(3, bench.rounds))]
    base = {key: statistics.median(one[key] for one in bare) for key in ("p50_us", "p99_us")}
    row.notes.append(f"the backend alone, without TLS: p50 {base['p50_us']:.0f} µs, "
                     f"p99 {base['p99_us']:.0f} µs")

    def sample(contestant: Contestant) -> Sample:
        url = f"https://localhost:{contestant.port}{PATIENT}"
        report = parse_wrk(finished(bench.wrk(url, 1, run), run + 15))
        return {key: report[key] - base[key] for key in base}

    return bench.in_turns(row, sample)


def finished(process: Process, seconds: float) -> str:
    try:
        output, _ = process.child.communicate(timeout=seconds)
    except Exception:
        process.stop()
        raise BenchError(f"{process.name}: not done after {seconds:.0f} s") from None
    if process.child.returncode != 0:
        raise BenchError(f"{process.name}: exit {process.child.returncode}\n{process.tail()}")
    return output


def parse_wrk(output: str) -> Sample:
    """wrk's percentiles, in µs; errors that it merely mentions are errors here."""
    scale = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}
    found: Sample = {}
    for percent in (50, 99):
        match = re.search(rf"^\s+{percent}%\s+([0-9.]+)(us|ms|s|m)$", output, re.MULTILINE)
        if match is None:
            raise BenchError(f"wrk: no {percent} % line in\n{output}")
        found[f"p{percent}_us"] = float(match[1]) * scale[match[2]]
    for bad in (r"Non-2xx or 3xx responses: (\d+)", r"Socket errors: (.+)"):
        if match := re.search(bad, output):
            raise BenchError(f"wrk: {match[0]}")
    return found


# MARK: handshakes

def handshake(bench: Bench) -> Row:
    row = Row("handshake", "CPU per full mutual-TLS handshake", "cpu_us", "µs",
              {"haproxy": 0.85, "nginx": 0.6})
    return bench.in_turns(row, lambda contestant: shake_hands(bench, contestant, "full"),
                          handshake_rounds(bench))


def resumption(bench: Bench) -> Row:
    row = Row("resumption", "CPU per resumed handshake", "cpu_us", "µs")
    for contestant in bench.contestants:
        probe = bench.tls_client("resume", contestant.port, 2, 1, seconds=60)
        if probe["resumed"] < 2:
            row.notes.append(f"{contestant.name} does not resume sessions")

    def sample(contestant: Contestant) -> Sample | None:
        if any(note.startswith(contestant.name + " ") for note in row.notes):
            return None
        return shake_hands(bench, contestant, "resume")

    return bench.in_turns(row, sample, handshake_rounds(bench))


def handshake_rounds(bench: Bench) -> int:
    """As much time in all as the other rows take."""
    return max(1, round(bench.rounds * bench.seconds / HANDSHAKE_SECONDS))


def shake_hands(bench: Bench, contestant: Contestant, kind: str) -> Sample:
    cpu = contestant.process.cpu_seconds()
    got = bench.tls_client(kind, contestant.port, f"{HANDSHAKE_SECONDS:g}s", DIALLERS,
                           seconds=HANDSHAKE_SECONDS + 30)
    cpu = contestant.process.cpu_seconds() - cpu
    wanted = got["done"] if kind == "resume" else 0
    if got["failed"] or not got["done"] or got["resumed"] != wanted:
        raise BenchError(f"{contestant.name}: {kind} handshakes went wrong: {got}; its log ends "
                         f"in\n{contestant.process.tail()}")
    # A resuming thread earns its first ticket by a full handshake: one of the operations.
    operations = got["done"] + (DIALLERS if kind == "resume" else 0)
    return {"cpu_us": cpu / operations * 1e6, "per_second": got["done"] / got["seconds"],
            "core_percent": cpu / got["seconds"] * 100}


# MARK: limits

#: The timings of single parts, once built.
MICRO: Path | None = None
#: Professionals and persons of each; the second is compared with the first, the third is weighed.
LIMIT_TABLES = ((1_000, 20), (1_000_000, 20), (100_000, 300))
#: What a request may cost more with the second than with the first, as a share of itself.
GROWTH_MAX = 0.2


def limits(bench: Bench) -> Row:
    """What counting persons costs and how large it grows; peers do nothing of the kind."""
    row = Row("limits", "CPU to settle a person already seen, answers of 10", "cpu_us", "µs",
              value_target=1.0)
    seconds = max(1, int(bench.seconds / 2))

    def measure(professionals: int, persons: int) -> dict:
        folder = bench.workshop.folder / "limits"
        folder.mkdir()
        try:
            return json.loads(bench.workshop.run(
                [str(MICRO), "limits", str(folder), str(professionals), str(persons),
                 str(seconds)], bench.load_cores, 600))
        finally:
            shutil.rmtree(folder)

    small, large, full = (measure(*table) for table in LIMIT_TABLES)
    row.samples["herse"] = [{"cpu_us": one["settle_ten_us_each"]} for one in (small, full)]
    added = large["request_us"] + large["settle_one_us"] - small["request_us"] - \
        small["settle_one_us"]
    row.notes += [
        f"a request's charge {small['request_us']:.2f} µs and the settling of its one person "
        f"{small['settle_one_us']:.2f} µs with 1,000 professionals, {large['request_us']:.2f} and "
        f"{large['settle_one_us']:.2f} µs with 1,000,000: {added:.1f} µs more, which is within "
        f"{GROWTH_MAX:.0%} of any request that takes {added / GROWTH_MAX:.0f} µs of CPU",
        f"{full['bytes_per_professional']:,.0f} bytes on disk for a professional with 300 persons: "
        f"{full['bytes_per_professional'] * 1e6 / 2**30:.2f} GiB for a million of them",
    ]
    return row


# MARK: memory

def memory(bench: Bench, ports: Callable[[], int], idle: int, most: int) -> Row:
    """Each contestant is started anew every round: memory never given back would hide a cost."""
    row = Row(f"memory-{idle}", f"Memory per idle connection, {idle:,} open", "kib", "KiB",
              value_target=17.0)

    def sample(contestant: Contestant) -> Sample:
        fresh = type(contestant)(contestant.setting)
        fresh.start(ports())
        try:
            # What the very first connection makes a process load is not paid per connection.
            bench.tls_client("ask", fresh.port, 20, PATIENT, seconds=60)
            time.sleep(SETTLE_SECONDS)
            before = fresh.process.pss_bytes()
            after = hold(bench, fresh, idle)
            return {"kib": (after - before) / idle / 1024, "process_mib": before / 2**20}
        finally:
            fresh.stop()

    return bench.in_turns(row, sample, min(bench.rounds, most))


def hold(bench: Bench, contestant: Contestant, idle: int) -> int:
    """The contestant's memory while `idle` connections, one request each, stand open."""
    holder = Process(bench.workshop, "hold",
                     [str(bench.workshop.folder / "tls_client"), "hold", str(contestant.port),
                      str(idle), PATIENT], bench.load_cores, bench.pki.environment(), piped=True)
    try:
        for last in (False, True):
            line = holder.child.stdout.readline()
            if not line:
                raise BenchError(f"hold: ended early\n{holder.tail()}")
            if json.loads(line)["standing"] != idle:
                raise BenchError(f"{contestant.name}: of {idle} connections only "
                                 f"{json.loads(line)['standing']} stand\n{holder.tail(3)}")
            if last:
                return measured
            time.sleep(SETTLE_SECONDS)
            measured = contestant.process.pss_bytes()
            holder.child.stdin.write("still there?\n")
            holder.child.stdin.flush()
    finally:
        holder.stop()
