# profiling.py: where Herse's time goes, by callgrind (instructions, repeatable) or perf (samples).

import re
import time
from pathlib import Path
from typing import Callable

from contestants import PATIENT, Contestant
from machine import BenchError, Process, cores
from rows import CONNECTIONS, DIALLERS, Bench, finished, parse_wrk

#: Counted operations under callgrind, which runs everything some fifty times slower.
REQUESTS, HANDSHAKES = 2000, 50
#: Lines of the profile that are shown.
LINES = 45


def profile(bench: Bench, tool: str, port: Callable[[], int]) -> None:
    herse = bench.contestants[0]
    if tool == "callgrind":
        folder = bench.workshop.folder
        herse.start(port(), ["valgrind", "--tool=callgrind", "--instr-atstart=no",
                             f"--callgrind-out-file={folder}/callgrind.out"], seconds=120)
        counted(bench, herse)
    else:
        herse.start(port())
        sampled(bench, herse)
    herse.stop()


# MARK: callgrind

def counted(bench: Bench, herse: Contestant) -> None:
    def requests(count: int) -> dict:
        return bench.tls_client("ask", herse.port, count, PATIENT, seconds=300)

    def handshakes(count: int) -> dict:
        return bench.tls_client("full", herse.port, count, 1, seconds=300)

    for title, count, operate in (("keep-alive request", REQUESTS, requests),
                                  ("full mutual-TLS handshake", HANDSHAKES, handshakes)):
        operate(max(10, count // 10))
        control(bench, herse, "-z")
        control(bench, herse, "-i", "on")
        got = operate(count)
        control(bench, herse, "-i", "off")
        control(bench, herse, f"-d{title.split()[0]}")
        if got["failed"]:
            raise BenchError(f"herse under callgrind: {got}\n{herse.process.tail()}")
        newest = max(bench.workshop.folder.glob("callgrind.out.*"),
                     key=lambda path: path.stat().st_mtime)
        shown = bench.workshop.run(["callgrind_annotate", "--threshold=100", str(newest)],
                                   cores()[1], 300)
        total = re.search(r"([0-9,]+) (?:\(100[^)]*\) +)?PROGRAM TOTALS", shown)
        instructions = int(total[1].replace(",", "")) if total else 0
        print(f"\n{title}: {instructions / count:,.0f} instructions each ({count} of them, "
              "the connection included)")
        table = shown[total.end():] if total else shown
        print("\n".join(shorten(line) for line in table.splitlines()[:LINES] if line.strip()))


def control(bench: Bench, herse: Contestant, *arguments: str) -> None:
    bench.workshop.run(["callgrind_control", *arguments, str(herse.process.child.pid)],
                       cores()[1], 60)


# MARK: perf

def sampled(bench: Bench, herse: Contestant) -> None:
    def requests() -> None:
        url = f"https://localhost:{herse.port}{PATIENT}"
        parse_wrk(finished(bench.wrk(url, CONNECTIONS, int(bench.seconds + 2)), bench.seconds + 20))

    def handshakes() -> None:
        bench.tls_client("full", herse.port, f"{bench.seconds + 2:g}s", DIALLERS,
                         seconds=bench.seconds + 30)

    for title, operate in (("keep-alive", requests), ("handshake", handshakes)):
        data = bench.workshop.folder / f"{title}.perf"
        # cpu-clock needs no hardware counter, so it works in virtual machines too.
        recorder = Process(bench.workshop, f"perf-{title}",
                           ["perf", "record", "-e", "cpu-clock", "-F", "1999", "-g",
                            "-p", str(herse.process.child.pid), "-o", str(data),
                            "--", "sleep", f"{bench.seconds:g}"], bench.load_cores)
        time.sleep(0.5)
        operate()
        recorder.child.wait(30)
        if recorder.child.returncode != 0:
            raise BenchError(f"perf: exit {recorder.child.returncode}\n{recorder.tail()}")
        shown = bench.workshop.run(
            ["perf", "report", "--stdio", "--no-children", "-g", "none", "-i", str(data),
             "--percent-limit", "0.5"], bench.load_cores, 300)
        print(f"\n{title}:")
        print("\n".join([shorten(line) for line in shown.splitlines()
                         if line.strip() and not line.startswith("#")][:LINES]))


def shorten(line: str) -> str:
    """Mangled Swift names run to hundreds of characters."""
    line = line.replace(str(Path.cwd()) + "/", "").rstrip()
    return line if len(line) <= 160 else line[:157] + "..."
