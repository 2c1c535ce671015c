"""Disks that fail under a gate: by a library that stands between it and the kernel, or by being full."""

import functools
import subprocess
import tempfile
from pathlib import Path

from .waiting import until


@functools.cache
def library():
    """Compiles `faults.c`, once."""
    made = Path(tempfile.mkdtemp(prefix="herse-faults-")) / "faults.so"
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-pthread",
         "-o", made, Path(__file__).with_name("faults.c")], check=True)
    return made


class FailingDisk:
    """What is below `state/record` of a gate, and fails as ordered; orders are told in `faults.c`."""

    def __init__(self, gate):
        self.folder = gate.folder / "state" / "record"
        self.orders = gate.folder / "faults"
        self.kept = gate.folder / "kept"
        self.kept.mkdir()
        self.order()
        gate.wrapper = [
            "env", f"LD_PRELOAD={library()}", f"FAULTS_FOLDER={self.folder}",
            f"FAULTS_ORDER={self.orders}", f"FAULTS_KEPT={self.kept}",
        ]

    def order(self, *orders):
        """From the next call on these orders are obeyed; without any the disk is sound."""
        draft = self.orders.with_suffix(".draft")
        draft.write_text("".join(one + "\n" for one in orders))
        draft.rename(self.orders)

    def segments(self):
        """The bytes of all that has taken a segment's number."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())
                if path.suffix in (".jsonl", ".torn")}


def fill(folder):
    """Leaves no room on the file system of `folder`."""
    with open(folder / "filler", "wb") as file:
        try:
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        except OSError:
            return


def until_refused(gate):
    """Asks until the record has no room; nothing but 200 and 503 may be seen on the way."""
    def refused():
        with gate.connect() as connection:
            for _ in range(200):
                status = connection.get().status
                assert status in (200, 503)
                if status == 503:
                    return True
        return False

    until(refused, within=40, what="the disk is full", every=0)
