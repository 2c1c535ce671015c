# recording.py: how fast the record is indexed, and how soon it answers.

import json
import shutil
import time
from pathlib import Path
from typing import Callable

from machine import BenchError, Workshop
from rows import Row

PROFESSIONALS = 50_000
#: A year of one professional among 10^8 entries, in seconds.
SEARCH_MOST = 2.0
#: The professional who asks ten times as often as the others, and one of those.
ASKED = {"busy": 0, "usual": 7}


def record(workshop: Workshop, micro: Path, herse: Path, on: set[int], entries: int, rounds: int,
           say: Callable[[str], None]) -> list[Row]:
    """A record of so many synthetic entries is written, indexed and searched."""
    folder = workshop.folder / "record"
    folder.mkdir()
    try:
        say(f"record: writing {entries:,} synthetic entries")
        written = json.loads(workshop.run(
            [str(micro), "record-write", str(folder), str(entries), str(PROFESSIONALS), "short"],
            on, 600 + entries / 50_000))
        return [index(workshop, micro, folder, written, on, say),
                *search(workshop, herse, folder, entries, on, rounds, say)]
    finally:
        shutil.rmtree(folder)


def index(workshop: Workshop, micro: Path, folder: Path, written: dict, on: set[int],
          say: Callable[[str], None]) -> Row:
    row = Row("record-index", "CPU to index an entry of the record", "cpu_us", "µs",
              value_target=3.3, names=["herse"], decimals=2)
    got = json.loads(workshop.run([str(micro), "record-index", str(folder)], on,
                                  600 + written["entries"] / 50_000))
    count = got["entries"]
    row.samples["herse"] = [{"cpu_us": got["cpu_seconds"] / count * 1e6,
                             "per_second": count / got["seconds"]}]
    row.notes.append(
        f"{count:,} entries of {written['bytes'] / count:.0f} bytes in {written['segments']} "
        f"segments; {got['index_bytes'] / count:.1f} bytes of index for each")
    say(f"record-index: {count / got['seconds']:,.0f} entries a second")
    return row


def search(workshop: Workshop, herse: Path, folder: Path, entries: int, on: set[int], rounds: int,
           say: Callable[[str], None]) -> list[Row]:
    """The whole command, its start included; each time as `herse` is called by an operator."""
    def command(*words: str) -> list[str]:
        return [str(herse), "record", *words, "--record", str(folder), "-c", str(folder)]

    done = []
    for name, number in ASKED.items():
        who = f"8997{10_000_000 + number}"
        row = Row(f"record-search-{name}", f"A {name} professional's year in {entries:,} entries",
                  "seconds", "s", value_target=SEARCH_MOST, names=["herse"], decimals=2)
        for _ in range(rounds):
            begun = time.monotonic()
            found = int(workshop.run(
                command("search", "--professional", who, "--since", "365d", "--count"), on, 600))
            row.samples.setdefault("herse", []).append({"seconds": time.monotonic() - begun})
        if not found:
            raise BenchError(f"{row.name}: nothing was found")
        row.notes.append(f"{found:,} entries found")
        say(f"{row.name}: {row.median('herse'):.2f} s")
        done.append(row)
    seen = json.loads(workshop.run(command("seen-by", who, "--json"), on, 600))
    row = Row("record-who-saw", f"Who saw a patient, in {entries:,} entries", "seconds", "s",
              value_target=SEARCH_MOST, names=["herse"], decimals=2)
    for one in seen[:rounds]:
        begun = time.monotonic()
        askers = json.loads(workshop.run(command("who-saw", one["patient"], "--json"), on, 600))
        row.samples.setdefault("herse", []).append({"seconds": time.monotonic() - begun})
        if who not in [asker.get("professional") for asker in askers]:
            raise BenchError(f"{row.name}: {who} is not among those who saw {one['patient']}")
    return [*done, row]
