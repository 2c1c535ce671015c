# profiling.py: where a gate's time goes, by callgrind (instructions, repeatable) or perf (samples).
#
# callgrind sees user space only, and counts alike on a busy machine: the figure to compare two
# versions by. perf sees the kernel too.

import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Callable

from contestant import PATIENT, Contestant
from machine import BenchError, Process, cores
from rows import CONNECTIONS, DIALLERS, Bench, finished, parse_wrk

#: Counted operations under callgrind, which runs everything some fifty times slower.
REQUESTS, HANDSHAKES = 2000, 50
#: Lines of the profile that are shown.
LINES = 45


def profile(bench: Bench, tool: str, port: Callable[[], int]) -> None:
    counts: dict[str, dict[str, float]] = {}
    for contestant in bench.contestants:
        if tool == "callgrind":
            contestant.start(port(), ["valgrind", "--tool=callgrind", "--instr-atstart=no",
                                      f"--vgdb-prefix={bench.workshop.folder}/vgdb",
                                      f"--callgrind-out-file={output(bench, contestant)}.%p"],
                             seconds=120)
            counts[contestant.name] = counted(bench, contestant)
        else:
            contestant.start(port())
            sampled(bench, contestant)
        contestant.stop()
    for title in next(iter(counts.values()), {}):
        print(f"\ninstructions in user space for a {title}: "
              + ", ".join(f"{name} {count[title]:,.0f}" for name, count in counts.items()))


def output(bench: Bench, contestant: Contestant) -> Path:
    return bench.workshop.folder / f"callgrind.{contestant.name}"


# MARK: callgrind

def counted(bench: Bench, contestant: Contestant) -> dict[str, float]:
    """Instructions in user space for each operation."""
    counts = {}

    def requests(count: int) -> dict:
        return bench.tls_client("ask", contestant.port, count, PATIENT, seconds=300)

    def handshakes(count: int) -> dict:
        return bench.tls_client("full", contestant.port, count, 1, seconds=300)

    for title, count, operate in (("full mutual-TLS handshake", HANDSHAKES, handshakes),
                                  ("keep-alive request", REQUESTS, requests)):
        operate(max(10, count // 10))
        control(bench, contestant, "-z")
        control(bench, contestant, "-i", "on")
        got = operate(count)
        control(bench, contestant, "-i", "off")
        control(bench, contestant, "-d")
        if got["failed"]:
            raise BenchError(f"{contestant.name} under callgrind: {got}\n"
                             f"{contestant.process.tail()}")
        stem = output(bench, contestant)
        newest = max(stem.parent.glob(f"{stem.name}.*"), key=lambda path: path.stat().st_mtime)
        shown = bench.workshop.run(["callgrind_annotate", "--threshold=100", str(newest)],
                                   cores()[1], 300)
        total = re.search(r"^ *([0-9,]+).*PROGRAM TOTALS", shown, re.MULTILINE)
        if total is None:
            raise BenchError(f"callgrind_annotate: no totals in\n{shown[:2000]}")
        # The requests come over one connection, whose handshake is not theirs.
        other = sum(counts.values())
        counts[title] = (int(total[1].replace(",", "")) - other) / count
        print(f"\n{contestant.name}, {title}: {counts[title]:,.0f} instructions each, "
              f"{count} of them")
        show(shown[total.end():])
    return counts


def control(bench: Bench, contestant: Contestant, *arguments: str) -> None:
    bench.workshop.run(["callgrind_control", f"--vgdb-prefix={bench.workshop.folder}/vgdb",
                        *arguments, str(contestant.process.child.pid)], cores()[1], 60)


# MARK: perf

def sampled(bench: Bench, contestant: Contestant) -> None:
    def requests() -> None:
        url = f"https://localhost:{contestant.port}{PATIENT}"
        parse_wrk(finished(bench.wrk(url, CONNECTIONS, int(bench.seconds + 2)), bench.seconds + 20))

    def handshakes() -> None:
        bench.tls_client("full", contestant.port, f"{bench.seconds + 2:g}s", DIALLERS,
                         seconds=bench.seconds + 30)

    for title, operate in (("keep-alive", requests), ("handshake", handshakes)):
        data = bench.workshop.folder / f"{contestant.name}-{title}.perf"
        # cpu-clock needs no hardware counter, so it works in virtual machines too.
        recorder = Process(bench.workshop, f"perf-{contestant.name}-{title}",
                           ["perf", "record", "-e", "cpu-clock", "-F", "1999", "-g",
                            "-p", ",".join(map(str, contestant.process.family())), "-o", str(data),
                            "--", "sleep", f"{bench.seconds:g}"], bench.load_cores)
        time.sleep(0.5)
        operate()
        recorder.child.wait(30)
        if recorder.child.returncode != 0:
            raise BenchError(f"perf: exit {recorder.child.returncode}\n{recorder.tail()}")
        shown = bench.workshop.run(
            ["perf", "report", "--stdio", "--no-children", "-g", "none", "-i", str(data),
             "--percent-limit", "0.5"], bench.load_cores, 300)
        print(f"\n{contestant.name}, {title}:")
        show(shown)


def show(profile: str) -> None:
    """The heaviest lines, Swift names as a person writes them and cut where they run on."""
    lines = [line.rstrip() for line in profile.splitlines()
             if line.strip() and not line.startswith("#")][:LINES]
    text = "\n".join(lines)
    if shutil.which("swift"):
        text = subprocess.run(["swift", "demangle", "--simplified"], input=text, text=True,
                              stdout=subprocess.PIPE, timeout=60).stdout or text
    print("\n".join(line if len(line) <= 160 else line[:157] + "..."
                    for line in text.splitlines()))
