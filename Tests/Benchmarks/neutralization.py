# neutralization.py: what a list of a million costs, how soon somebody is gone, and what the crowd
# that comes back does to the others. Peers cut nobody: Herse is measured against itself.

import hashlib
import json
import socket
import ssl
import statistics
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from contestant import PATIENT
from contestants import Herse
from machine import BenchError, Process, free_ports
from pki import Card, rpps_identifier
from rows import SETTLE_SECONDS, WARM_UP_SECONDS, Bench, Row, finished, parse_wrk

#: Entries of the long list.
ENTRIES = 1_000_000
#: Live connections while somebody is cut.
LIVE = 10_000
#: Orders whose times are taken.
ORDERS = 100
#: Accounts of one batch.
BATCH = 1_000
#: Clients live on other machines: where the gate's own promptness is measured, those of this one
#: give way to it, and still keep every core busy.
GIVING_WAY = ("nice", "-n", "10")
#: Clients of those cut who come back at once, and how many dial at a time.
CROWD = 5_000
CROWD_THREADS = 60


class Gate(Herse):
    """Herse with a list and workers of its own, on the cores it is given."""

    def __init__(self, setting, on: set[int], entries: int = 0, workers: int = 1):
        super().__init__(setting)
        self.on, self.entries, self.workers = on, entries, workers
        self.folder: Path | None = None

    def write_list(self, note: str) -> None:
        """Accounts and cards by halves, as the lists of a region have them."""
        half = self.entries // 2
        with (self.folder / "neutralized.list").open("w") as out:
            for number in range(half):
                out.write(f"account {rpps_identifier(200_000 + number)} reason={note}\n")
            for number in range(self.entries - half):
                print_of = hashlib.sha256(b"card %d" % number).hexdigest()
                out.write(f"certificate sha256:{print_of} reason={note}\n")

    def command(self, folder: Path) -> list[str]:
        command = super().command(folder)
        self.folder = folder
        self.write_list("campaign")
        file = folder / "herse.yaml"
        text = file.read_text().replace("workers: 1", f"workers: {self.workers}")
        file.write_text(text.replace("    tls:", f"    connections: {LIVE * 2}\n    tls:", 1))
        return command

    def start(self, port: int, wrapper=None, seconds: float = 60) -> None:
        self.setting.gate_cores, pinned = self.on, self.setting.gate_cores
        try:
            super().start(port, wrapper, seconds)
        finally:
            self.setting.gate_cores = pinned

    def order(self, *words: str) -> dict:
        """What a command of the gate's own command line says, as JSON."""
        done = subprocess.run(
            [str(self.executable), *words, "--json", "-c", str(self.folder / "herse.yaml")],
            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise BenchError(f"herse {' '.join(words[:2])}: exit {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)


@contextmanager
def running(gate: Gate):
    gate.start(free_ports(1)[0])
    try:
        yield gate
    finally:
        gate.stop()


def neutralization(bench: Bench) -> list[Row]:
    setting = bench.contestants[0].setting
    both = setting.gate_cores | bench.load_cores
    return [*long_list(bench, setting, both), *cutting(bench, setting, both)]


# MARK: a list of a million

def long_list(bench: Bench, setting, both: set[int]) -> list[Row]:
    cost = Row("list-request", "CPU per request, a list of 1,000,000 or none", "cpu_us", "µs",
               {"herse-empty": 1.05}, names=["herse", "herse-empty"])
    room = Row("list-memory", "Memory of an entry, of 1,000,000", "bytes", "bytes",
               value_target=64.0, names=["herse"])
    again = Row("list-reload", "Reload with a list of 1,000,000", "ms", "ms",
                value_target=1000.0, names=["herse"])
    delay = Row("list-delay", "Longest delay of a request during that reload", "ms", "ms",
                value_target=5.0, names=["herse"])
    on = bench.contestants[0].setting.gate_cores
    with running(Gate(setting, on, ENTRIES)) as full, running(Gate(setting, on)) as empty:
        time.sleep(SETTLE_SECONDS)
        taken = full.process.pss_bytes() - empty.process.pss_bytes()
        room.samples["herse"] = [{"bytes": taken / ENTRIES}]
        bench.say(f"list-memory: {taken / ENTRIES:.1f} bytes an entry")
        for number in range(bench.rounds):
            turn = [("herse", full), ("herse-empty", empty)]
            for name, gate in turn if number % 2 == 0 else reversed(turn):
                sample = {"cpu_us": load(bench, gate)}
                cost.samples.setdefault(name, []).append(sample)
                bench.say(f"list-request {number + 1}/{bench.rounds} {name}: {sample}")
    with running(Gate(setting, both, ENTRIES)) as gate:
        for number in range(bench.rounds):
            quiet = probing(bench, gate, lambda: time.sleep(1.0))[0]
            gate.write_list(f"issue-{number}")
            measured, took = probing(bench, gate, lambda: gate.order("reload")["milliseconds"])
            again.samples.setdefault("herse", []).append({"ms": took})
            delay.samples.setdefault("herse", []).append({"ms": measured["max_us"] / 1000})
            bench.say(f"list-reload {number + 1}/{bench.rounds}: {took:.0f} ms; the slowest request "
                      f"{measured['max_us'] / 1000:.2f} ms, {quiet['max_us'] / 1000:.2f} ms "
                      "without")
            delay.notes.append(
                f"the slowest of {measured['done']} requests took {measured['max_us'] / 1000:.2f} "
                f"ms during the reload, of {quiet['done']} without one "
                f"{quiet['max_us'] / 1000:.2f} ms (load and gate share {len(both)} cores)")
    return [cost, room, again, delay]


def load(bench: Bench, gate: Gate) -> float:
    """CPU of one request under keep-alive load, in µs."""
    run = int(bench.seconds + WARM_UP_SECONDS + 1.0)
    client = bench.wrk(f"https://localhost:{gate.port}{PATIENT}", 64, run)
    time.sleep(WARM_UP_SECONDS)
    cpu, served = gate.process.cpu_seconds(), bench.backend.requests()
    time.sleep(bench.seconds)
    served = bench.backend.requests() - served - 1
    cpu = gate.process.cpu_seconds() - cpu
    parse_wrk(finished(client, run + 15))
    return cpu / served * 1e6


def probing(bench: Bench, gate: Gate, body, card: Card | None = None) -> tuple[dict, object]:
    """What a request a millisecond met while `body` ran, and what `body` gave."""
    environment = bench.pki.environment()
    if card:
        environment = {"HERSE_BENCH_CARDS": str(card.both)}
    client = Process(
        bench.workshop, "probe",
        [str(bench.workshop.folder / "tls_client"), "probe", str(gate.port), "60", PATIENT],
        bench.load_cores, environment, piped=True)
    try:
        if not json.loads(client.child.stdout.readline() or "{}").get("begun"):
            raise BenchError(f"probe: no connection\n{client.tail()}")
        given = body()
        client.child.stdin.close()
        measured = json.loads(client.child.stdout.readline())
    finally:
        client.stop()
    if measured["failed"] or not measured["done"]:
        raise BenchError(f"probe: {measured}")
    return measured, given


# MARK: cutting

@contextmanager
def holding(bench: Bench, gate: Gate, cards: list[Card], count: int):
    """`count` connections that have asked once and stay."""
    holder = Process(bench.workshop, "hold",
                     [str(bench.workshop.folder / "tls_client"), "hold", str(gate.port),
                      str(count), PATIENT], bench.load_cores,
                     {"HERSE_BENCH_CARDS": ":".join(str(card.both) for card in cards)}, piped=True)
    try:
        line = holder.child.stdout.readline()
        if not line or json.loads(line)["standing"] != count:
            raise BenchError(f"hold: {line or 'ended early'}\n{holder.tail()}")

        def standing() -> int:
            holder.child.stdin.write("?\n")
            holder.child.stdin.flush()
            return json.loads(holder.child.stdout.readline())["standing"]

        yield standing
    finally:
        holder.stop()


def cutting(bench: Bench, setting, both: set[int]) -> list[Row]:
    cut = Row("cut", f"Neutralize to last byte, in the gate, {LIVE:,} connections, p99", "p99_ms",
              "ms", value_target=5.0, names=["herse"], decimals=2)
    batch = Row("cut-batch", f"{BATCH:,} neutralizations in one batch", "ms", "ms",
                value_target=1000.0, names=["herse"])
    storm = Row("cut-storm", f"Others' p99 while {CROWD:,} who were cut come back", "p99_ms", "ms",
                value_target=50.0, names=["herse"])
    cards = bench.pki.cards
    with running(Gate(setting, both, ENTRIES, workers=2)) as gate, \
            holding(bench, gate, cards[2:], LIVE) as standing:
        seconds = 60
        client = bench.wrk(f"https://localhost:{gate.port}{PATIENT}", 64, seconds, GIVING_WAY)
        time.sleep(WARM_UP_SECONDS)
        times = sorted(cut_once(gate, cards[1], bench.pki.authority) for _ in range(ORDERS))
        middle, worst = statistics.median(times), times[ORDERS * 99 // 100 - 1]
        cut.samples["herse"] = [{"p99_ms": worst}]
        cut.notes.append(f"{ORDERS} orders, a list of {ENTRIES:,}, {standing():,} connections live, "
                         f"both cores loaded by clients that give way: p50 {middle:.2f} ms, p99 {worst:.2f} ms, "
                         f"most {times[-1]:.2f} ms, the disk's part left out")
        bench.say(f"cut: p50 {middle:.2f} ms, p99 {worst:.2f} ms")
        names = gate.folder / "batch.list"
        for number in range(3):
            first = 800_000 + number * BATCH
            names.write_text("".join(
                f"account {rpps_identifier(first + one)}\n" for one in range(BATCH)))
            took = gate.order("neutralize", "--file", str(names), "--reason", "batch")
            batch.samples.setdefault("herse", []).append({"ms": took["milliseconds"]})
            bench.say(f"cut-batch: {took['milliseconds']:.0f} ms")
        client.stop()
    with running(Gate(setting, both, workers=2)) as gate, \
            holding(bench, gate, cards[1:], CROWD) as standing:
        before = probing(bench, gate, lambda: time.sleep(1.0), cards[0])[0]
        accounts = [card.professional for card in cards[1:]]
        told = gate.order("neutralize", *accounts, "--reason", "campaign")
        if told["connections"] != CROWD or standing() != 0:
            raise BenchError(f"cut-storm: {told}")

        def come_back() -> dict:
            return json.loads(bench.workshop.run(
                [*GIVING_WAY, str(bench.workshop.folder / "tls_client"), "full", str(gate.port),
                 str(-(-CROWD // CROWD_THREADS)), str(CROWD_THREADS)], bench.load_cores, 120,
                {"HERSE_BENCH_CARDS": ":".join(str(card.both) for card in cards[1:])}))

        met, crowd = probing(bench, gate, come_back, cards[0])
        storm.samples["herse"] = [{"p99_ms": met["p99_us"] / 1000}]
        storm.notes.append(
            f"{CROWD:,} connections cut in {told['milliseconds']:.1f} ms; "
            f"{crowd['done'] + crowd['failed']:,} handshakes of theirs in {crowd['seconds']:.1f} s; "
            f"somebody admitted waits {met['p50_us'] / 1000:.2f} ms (p50), "
            f"{met['p99_us'] / 1000:.2f} ms (p99), {met['max_us'] / 1000:.1f} ms (most) meanwhile, "
            f"{before['p99_us'] / 1000:.2f} ms (p99) before")
        bench.say(f"cut-storm: {storm.notes[-1]}")
    return [cut, batch, storm]


def cut_once(gate: Gate, card: Card, authority: Path) -> float:
    """Milliseconds from an order to the last byte, the disk's part left out; undone afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    context.load_cert_chain(card.certificate, card.key)
    with socket.create_connection(("127.0.0.1", gate.port), 30) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as secure:
        secure.sendall(f"GET {PATIENT} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        if not secure.recv(65536).startswith(b"HTTP/1.1 200"):
            raise BenchError("cut: the victim is refused before it is cut")
        told = gate.order("neutralize", card.professional, "--reason", "bench")
    if told["connections"] < 1:
        raise BenchError(f"cut: nobody was cut: {told}")
    gate.order("reinstate", card.professional, "--reason", "bench")
    return told["milliseconds"] - told["durable_milliseconds"]
