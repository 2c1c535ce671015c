# inspection.py: what it takes to find the persons of an answer, beside what parsing alone takes.

import json
import subprocess
import sys
from pathlib import Path
from typing import Callable

from machine import BenchError, Workshop
from rows import Row

HERE = Path(__file__).parent
SIZES = [10, 100, 1000]
SHAPES = ["compact", "indented"]
#: Who does it; all but the first only parse.
NAMES = ["herse", "simdjson", "jansson", "python"]
#: A byte in a nanosecond is a gigabyte a second.
NANOSECONDS_MOST = 1.0


def build(workshop: Workshop, on: set[int]) -> dict[str, list[str]]:
    """Compiles what is compared; the commands, by name."""
    command = ["swift", "build", "-c", "release", "--product", "Micro"]
    if subprocess.run(command, cwd=HERE.parents[1], stdout=sys.stderr).returncode != 0:
        raise BenchError("Micro: does not build (see above)")
    place = subprocess.run([*command, "--show-bin-path"], cwd=HERE.parents[1], text=True,
                           stdout=subprocess.PIPE, check=True).stdout.strip()
    folder = workshop.folder
    warnings = ["-O2", "-Wall", "-Wextra", "-Werror"]
    workshop.run(["gcc", "-std=c11", *warnings, "-o", str(folder / "parse_jansson"),
                  str(HERE / "parse_json.c"), "-ljansson"], on, 60)
    workshop.run(["g++", "-std=c++17", *warnings, "-o", str(folder / "parse_simdjson"),
                  str(HERE / "parse_json.cpp"), "-lsimdjson"], on, 120)
    workshop.run(["gcc", "-std=gnu11", *warnings, "-shared", "-fPIC", "-o",
                  str(folder / "count_allocations.so"), str(HERE / "count_allocations.c")], on, 60)
    micro = f"{place}/Micro"
    workshop.run([micro, "bundles", str(folder)], on, 60)
    return {"herse": [micro, "inspection"], "simdjson": [str(folder / "parse_simdjson")],
            "jansson": [str(folder / "parse_jansson")],
            "python": [sys.executable, str(HERE / "parse_json.py")]}


def inspection(workshop: Workshop, on: set[int], rounds: int, seconds: float,
               say: Callable[[str], None]) -> list[Row]:
    """A row for each kind of body; samples in turns, as everywhere."""
    commands = build(workshop, on)
    counting = {"LD_PRELOAD": str(workshop.folder / "count_allocations.so")}
    done = []
    for shape in SHAPES:
        for size in SIZES:
            row = Row(f"inspection-{shape}-{size}", f"Bundle of {size:,}, {shape}", "ns_per_byte",
                      "ns a byte", value_target=NANOSECONDS_MOST, names=NAMES, decimals=2)
            for number in range(rounds):
                turn = number % len(NAMES)
                for name in NAMES[turn:] + NAMES[:turn]:
                    got = json.loads(workshop.run(
                        [*commands[name], str(workshop.folder / f"{shape}-{size}.json"),
                         f"{seconds / 5:g}"], on, 60 + seconds,
                        counting if name == "herse" else None))
                    if name == "herse" and got["persons"] != size:
                        raise BenchError(f"{row.name}: {got['persons']} persons found")
                    sample = {"ns_per_byte": 1e9 / got["bytes_per_second"],
                              "gb_per_second": got["bytes_per_second"] / 1e9}
                    if name == "herse":
                        sample["allocations"] = got["allocations"]
                    row.samples.setdefault(name, []).append(sample)
                    say(f"{row.name} {number + 1}/{rounds} {name}: "
                        f"{sample['gb_per_second']:.2f} GB/s")
            done.append(row)
    return done
