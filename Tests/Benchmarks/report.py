# report.py: the table a person reads, the same for Markdown, and the numbers for a program.

import os
import statistics
from datetime import datetime, timezone
from pathlib import Path

from rows import Row

#: Figures shown under the table: key, heading, decimals.
DETAILS = [("cpu_us", "CPU µs", 1), ("per_second", "/s", 0), ("p50_us", "p50 µs", 0),
           ("p99_us", "p99 µs", 0), ("core_percent", "core %", 0), ("kib", "KiB", 1),
           ("process_mib", "MiB at start", 1),
           ("gb_per_second", "GB/s", 2), ("allocations", "allocations", 0)]


def machine() -> str:
    model = next((line.partition(":")[2].strip()
                  for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), os.uname().machine)
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release}"


def ratio_cell(row: Row, subject: str, peer: str) -> str:
    ratios = row.ratios(subject, peer)
    if not ratios:
        return "–"
    middle = statistics.median(ratios)
    cell = f"{middle:.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    target = row.ratio_targets.get(peer) if subject == "herse" else None
    return cell + (f", {verdict(middle, target)}" if target else "")


def verdict(value: float, target: float) -> str:
    return f"≤ {target:g} {'reached' if value <= target else 'MISSED'}"


def value_cell(row: Row, contestant: str) -> str:
    value = row.median(contestant)
    if value is None:
        return "–"
    cell = f"{value:,.{row.decimals}f}"
    if contestant == "herse" and row.value_target is not None:
        cell += f", {verdict(value, row.value_target)}"
    if contestant == "herse" and row.value_least is not None:
        cell += f", ≥ {row.value_least:g} " + \
            ("reached" if value >= row.value_least else "MISSED")
    return cell


def targets(row: Row, subject: str) -> list[bool]:
    """Which of the row's figures are reached; none unless Herse itself was measured."""
    if subject != "herse" or not row.samples.get(subject):
        return []
    reached = [statistics.median(ratios) <= target for peer, target in row.ratio_targets.items()
               if (ratios := row.ratios(subject, peer))]
    if row.value_target is not None:
        reached.append(row.median(subject) <= row.value_target)
    if row.value_least is not None:
        reached.append(row.median(subject) >= row.value_least)
    return reached


def main_tables(rows: list[Row], names: list[str]) -> list[list[list[str]]]:
    """One for the servers, one for each other set of contestants."""
    sets = []
    for row in rows:
        if (row.names or names) not in sets:
            sets.append(row.names or names)
    return [main_table([row for row in rows if (row.names or names) == one], one) for one in sets]


def main_table(rows: list[Row], names: list[str]) -> list[list[str]]:
    subject, peers = names[0], names[1:]
    table = [["", *names, *(f"{subject} / {peer}" for peer in peers)]]
    for row in rows:
        table.append([f"{row.title}, {row.unit}", *(value_cell(row, name) for name in names),
                      *(ratio_cell(row, subject, peer) for peer in peers)])
    return table


def details_table(rows: list[Row], names: list[str]) -> list[list[str]]:
    details = [one for one in DETAILS
               if any(one[0] in samples[0] for row in rows for samples in row.samples.values())]
    table = [["medians", *(heading for _, heading, _ in details)]]
    for row in rows:
        for name in row.names or names:
            if samples := row.samples.get(name):
                table.append([f"{row.name} {name}",
                              *(f"{row.median(name, key):,.{decimals}f}" if key in samples[0]
                                else "" for key, _, decimals in details)])
    return table


def text(table: list[list[str]]) -> str:
    widths = [max(len(line[place]) for line in table) for place in range(len(table[0]))]
    return "\n".join("  ".join(cell.ljust(width) if place == 0 else cell.rjust(width)
                               for place, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in table)


def markdown_table(table: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(line) + " |" for line in table]
    return "\n".join([head, "|---" + "|---:" * (len(table[0]) - 1) + "|", *body])


def last_line(rows: list[Row], names: list[str]) -> str:
    reached = [one for row in rows for one in targets(row, (row.names or names)[0])]
    if not reached:
        return "measured; no target applies"
    return f"targets: {sum(reached)} reached, {len(reached) - sum(reached)} missed"


def markdown(rows: list[Row], names: list[str], facts: dict[str, str]) -> str:
    notes = [f"- {row.name}: {note}" for row in rows for note in row.notes]
    lines = ["# Herse beside HAProxy and nginx", "",
             "Written by `script/bench --write`. A ratio is the median of the rounds, with the "
             "lowest and the highest; below 1, the first one costs less.", "",
             *(f"- {key}: {value}" for key, value in facts.items()), *notes, "",
             *(line for table in main_tables(rows, names) for line in (markdown_table(table), "")),
             markdown_table(details_table(rows, names)), ""]
    return "\n".join(lines)


def as_json(rows: list[Row], names: list[str], facts: dict[str, str]) -> dict:
    return {
        "facts": facts, "contestants": names,
        "rows": [{
            "name": row.name, "title": row.title, "measure": row.measure, "unit": row.unit,
            "ratio_targets": row.ratio_targets, "value_target": row.value_target,
            "value_least": row.value_least,
            "samples": row.samples, "notes": row.notes,
            "ratios": {peer: {"median": statistics.median(ratios), "min": min(ratios),
                              "max": max(ratios)}
                       for peer in (row.names or names)[1:]
                       if (ratios := row.ratios((row.names or names)[0], peer))},
        } for row in rows],
    }


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
