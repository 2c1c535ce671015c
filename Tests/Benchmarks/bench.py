# bench.py: measures Herse beside HAProxy and nginx in one run; `script/bench` prepares for it.

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import disclosures
import inspection
import neutralization
import profiling
import recording
import report
import rows
import tokens
from contestant import Contestant, Setting
from contestants import CONTESTANTS, Backend, Herse
from machine import BenchError, Workshop, cores, free_ports
from pki import make_pki, rpps_identifier

ROOT = Path(__file__).resolve().parents[2]
#: Rows that the servers run in, and those that measure a part by itself.
SERVED = ["keepalive", "latency", "handshake", "resumption", "limits", "memory"]
ROWS = [*SERVED, "inspection", "tokens", "record", "disclosures", "neutralization"]
#: Those that compare Herse with itself.
ALONE = {"disclosures": disclosures.disclosures, "neutralization": neutralization.neutralization}
PROFESSIONALS = 8
NEUTRALIZED = 5000
#: Client connections a contestant has room for, beyond the idle ones.
SPARE_CONNECTIONS = 1000


def comma_list(allowed: list[str]):
    def parse(value: str) -> list[str]:
        chosen = value.split(",")
        for one in chosen:
            if one not in allowed:
                raise argparse.ArgumentTypeError(f"unknown `{one}`, one of: {', '.join(allowed)}")
        return [one for one in allowed if one in chosen]
    return parse


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures Herse beside HAProxy and nginx in one run; prints one table of "
                    "ratios.",
        epilog="examples:\n  script/bench --quick\n  script/bench --idle 1500,10000 --write\n"
               "  script/bench --rows handshake --only herse,haproxy\n"
               "  script/bench --profile callgrind")
    parser.add_argument("--rows", type=comma_list(ROWS), default=ROWS, metavar="ROW[,ROW]",
                        help=f"what to measure, of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each row (default: 5)")
    parser.add_argument("--seconds", type=float, default=5.0,
                        help="length of one sample (default: 5)")
    parser.add_argument("--idle", default="1500", metavar="N[,N]",
                        help="idle connections of the memory row (default: 1500)")
    parser.add_argument("--entries", type=int, default=1_000_000, metavar="N",
                        help="entries of the record that is searched (default: 1000000); 10^8 take "
                             "42 GB")
    parser.add_argument("--quick", action="store_true",
                        help="two rounds of two seconds, 500 idle connections: for a first look")
    parser.add_argument("--only", type=comma_list(list(CONTESTANTS)), metavar="NAME[,NAME]",
                        help=f"leave the other contestants out, of {', '.join(CONTESTANTS)}")
    parser.add_argument("--herse", type=Path, metavar="FILE",
                        help="measure this executable instead of building one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--write", action="store_true",
                        help="write the tables into Tests/Benchmarks/RESULTS.md")
    parser.add_argument("--profile", choices=["callgrind", "perf"],
                        help="instead of measuring: where the time of Herse (or of --only) goes")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder")
    arguments = parser.parse_args()
    arguments.only = arguments.only or (["herse"] if arguments.profile else list(CONTESTANTS))
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.idle = 2, 2.0, "500"
    if not 1 <= arguments.rounds <= 1000 or not 1 <= arguments.seconds <= 600:
        parser.error("--rounds: 1 to 1000; --seconds: 1 to 600")
    try:
        arguments.idle = [int(one) for one in arguments.idle.split(",")]
    except ValueError:
        parser.error(f"--idle: `{arguments.idle}` is not a list of numbers (as in 1500,10000)")
    if not all(1 <= one <= 28_000 for one in arguments.idle):
        parser.error("--idle: 1 to 28000, the ports one loopback address has")
    if not 1000 <= arguments.entries <= 1_000_000_000:
        parser.error("--entries: 1000 to 1000000000")
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if max(arguments.idle) + SPARE_CONNECTIONS > descriptors:
        parser.error(f"--idle: {max(arguments.idle)} connections and {SPARE_CONNECTIONS} to spare "
                     f"are more than the {descriptors} descriptors allowed (see `ulimit -Hn`)")
    return arguments


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def build_herse(executable: Path | None) -> Path:
    if executable is None:
        executable = build_product(
            "herse", ["swift", "build", "-c", "release", "--product", "herse"]) / "herse"
    if not executable.is_file():
        raise BenchError(f"herse: no executable at `{executable}`")
    return executable.resolve()


def build_micro() -> Path:
    """The timings of single parts; not asked of an executable that was given."""
    return build_product("micro", ["swift", "build", "-c", "release", "--product", "Micro"]) \
        / "Micro"


def build_product(name: str, command: list[str]) -> Path:
    """The folder that a product was built into."""
    say(f"building: {' '.join(command)}")
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode != 0:
        raise BenchError(f"{name}: does not build (see above)")
    place = subprocess.run([*command, "--show-bin-path"], cwd=ROOT, text=True,
                           stdout=subprocess.PIPE, check=True).stdout.strip()
    return Path(place)


def build_tools(workshop: Workshop, on: set[int]) -> None:
    here = Path(__file__).parent
    compile_c = ["gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
    for source, output, shape in (("tls_client.c", "tls_client", ["-pthread"]),
                                  ("present_cards.c", "present_cards.so", ["-shared", "-fPIC"])):
        workshop.run([*compile_c, *shape, "-o", str(workshop.folder / output),
                      str(here / source), "-lssl", "-lcrypto", "-ldl"], on, 60)


def measure(bench: rows.Bench, wanted: list[str], idle: list[int], ports) -> list[rows.Row]:
    done = []
    running = [name for name in wanted if name in SERVED and name != "memory"]
    try:
        for contestant in bench.contestants:
            contestant.start(ports())
            contestant.prove(bench.backend.patient)
            say(f"{contestant.name} {contestant.version()}: ready, does the work")
        done += [getattr(rows, name)(bench) for name in running]
    finally:
        for contestant in bench.contestants:
            contestant.stop()
    if "memory" in wanted:
        done += [rows.memory(bench, ports, count, most=3) for count in idle]
    return done


def plain_facts(arguments: argparse.Namespace, on: set[int], load_before: float) -> dict[str, str]:
    """Where no server runs."""
    return {
        "date": report.now(), "machine": report.machine(),
        "method": f"{arguments.rounds} rounds in turns, the best of {arguments.seconds / 5:g} s "
                  f"each, on core {min(on)}",
        "load average": f"{load_before:.1f} before, {os.getloadavg()[0]:.1f} after (its own is "
                        "below 2)",
    }


def facts(bench: rows.Bench, arguments: argparse.Namespace, load_before: float) -> dict[str, str]:
    openssl = subprocess.run(["openssl", "version"], text=True, capture_output=True).stdout
    versions = [f"{one.title} {one.version()}" for one in bench.contestants]
    return {
        "date": report.now(), "machine": report.machine(),
        "versions": ", ".join([*versions, openssl.strip().split(" (")[0]]),
        "method": f"{arguments.rounds} rounds of {arguments.seconds:g} s in turns (handshakes: as "
                  f"long, in turns of {rows.HANDSHAKE_SECONDS:g} s), one gate thread "
                  f"on core {min(bench.contestants[0].setting.gate_cores)}, load and backend on "
                  f"{', '.join(map(str, sorted(bench.load_cores)))}",
        "crypto": "TLS 1.3, TLS_AES_128_GCM_SHA256, X25519, ECDSA P-256, client certificate "
                  "required",
        "load average": f"{load_before:.1f} before, {os.getloadavg()[0]:.1f} after (its own is "
                        "below 2)",
        "record": f"on {bench.workshop.filesystem()}",
    }


def show(done: list[rows.Row], names: list[str], known: dict[str, str]) -> None:
    print()
    for key, value in known.items():
        print(f"{key}: {value}")
    for row in done:
        for note in row.notes:
            print(f"{row.name}: {note}")
    print(f"\n{report.text(report.details_table(done, names))}")
    for table in report.main_tables(done, names):
        print(f"\n{report.text(table)}")
    print(f"\n{report.last_line(done, names)}")


def time_limit(arguments: argparse.Namespace) -> int:
    """Seconds a run may take at most, several times what it should."""
    samples = arguments.rounds * len(arguments.only) * len(ROWS)
    holds = 3 * len(arguments.only) * len(arguments.idle)
    samples += arguments.rounds * (len(inspection.NAMES) * 6 + 2)
    return int(600 + 600 * len(ALONE.keys() & arguments.rows) + arguments.entries / 20_000
               + samples * (2 * arguments.seconds + 10)
               + holds * (60 + max(arguments.idle) / 50))


def stop_by_signal(number: int, _frame) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise BenchError("out of time" if number == signal.SIGALRM else "stopped by a signal")


def run(arguments: argparse.Namespace) -> None:
    chosen: list[type[Contestant]] = [CONTESTANTS[name] for name in arguments.only]
    served = [name for name in arguments.rows if name in SERVED]
    alone = [name for name in arguments.rows
             if name in ALONE and Herse in chosen and not arguments.profile]
    if (served or alone) and Herse in chosen:
        Herse.executable = build_herse(arguments.herse)
        Herse.built_here = arguments.herse is None
    if "limits" in arguments.rows:
        rows.MICRO = build_micro()
    signal.alarm(time_limit(arguments))
    gate_cores, load_cores = cores()
    load_before = os.getloadavg()[0]
    if load_before > len(gate_cores | load_cores) / 2:
        say(f"the machine is busy (load average {load_before:.1f}): the ratios will scatter")
    if gate_cores == load_cores:
        say("one core only: the load competes with the gate, latencies mean little")
    with Workshop(arguments.keep) as workshop:
        parts = []
        if "inspection" in arguments.rows and not arguments.profile:
            parts = inspection.inspection(workshop, gate_cores, arguments.rounds,
                                          arguments.seconds, say)
        if "tokens" in arguments.rows and not arguments.profile:
            parts += tokens.tokens(workshop, build_micro(), gate_cores, arguments.rounds,
                                   arguments.seconds, say)
        if "record" in arguments.rows and not arguments.profile:
            parts += recording.record(workshop, build_micro(), build_herse(arguments.herse),
                                      gate_cores | load_cores, arguments.entries,
                                      arguments.rounds, say)
        if not served and not alone:
            publish(arguments, parts, plain_facts(arguments, gate_cores, load_before))
            return
        build_tools(workshop, load_cores)
        pki = make_pki(workshop, PROFESSIONALS)
        # Enough for every contestant, started once and then anew for each memory sample.
        ports = iter(free_ports(1 + len(chosen) * (1 + 3 * len(arguments.idle))))
        backend = Backend(workshop, next(ports), load_cores)
        listed = [pki.neutralized.professional]
        listed += [rpps_identifier(number) for number in range(100_000, 100_000 + NEUTRALIZED)]
        setting = Setting(workshop, pki, backend.port, listed,
                          max(arguments.idle) + SPARE_CONNECTIONS, gate_cores)
        bench = rows.Bench(workshop, pki, backend, [one(setting) for one in chosen], load_cores,
                           arguments.rounds, arguments.seconds, say)
        if arguments.profile:
            profiling.profile(bench, arguments.profile, lambda: next(ports))
            return
        done = measure(bench, served, arguments.idle, lambda: next(ports)) if served else []
        done += parts
        for name in alone:
            done += ALONE[name](bench)
        publish(arguments, done, facts(bench, arguments, load_before))


def publish(arguments: argparse.Namespace, done: list[rows.Row], known: dict[str, str]) -> None:
    show(done, arguments.only, known)
    if arguments.json:
        arguments.json.write_text(
            json.dumps(report.as_json(done, arguments.only, known), indent=1) + "\n")
    if arguments.write:
        (Path(__file__).parent / "RESULTS.md").write_text(
            report.markdown(done, arguments.only, known))


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop_by_signal)
    try:
        run(parse_arguments())
    except BenchError as problem:
        print(f"script/bench: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
