# machine.py: processes pinned to cores, what they cost in CPU and memory, and their certain end.

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class BenchError(Exception):
    """What stops a run; its text is for the person at the terminal."""


def cores() -> tuple[set[int], set[int]]:
    """The gate's core and those of load and backend, out of the ones this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return {usable[-1]}, set(usable[:-1]) or {usable[-1]}


def free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on. All are held until all are known, so none comes twice."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _before_exec(on: set[int]) -> None:
    os.sched_setaffinity(0, on)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # A run that is itself killed leaves nothing behind.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class Process:
    """A child, its descendants and its log, ended when the bench ends."""

    def __init__(self, workshop: "Workshop", name: str, command: list[str], on: set[int],
                 environment: dict[str, str] | None = None, piped: bool = False):
        self.name = name
        self.log = workshop.folder / f"{name}.log"
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                command, cwd=workshop.folder, env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else log, stderr=log, text=True,
                preexec_fn=lambda: _before_exec(on))
        workshop.processes.append(self)

    def tail(self, lines: int = 8) -> str:
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"    {line}" for line in text) or "    (its log is empty)"

    def wait_until(self, ready, seconds: float, what: str) -> None:
        """Polls `ready` until it holds, or says why it never will."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.child.poll() is not None:
                raise BenchError(f"{self.name}: ended with {self.child.returncode} before it was "
                                 f"{what}; its log ends in\n{self.tail()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name}: not {what} after {seconds:.0f} s; its log ends in\n"
                                 f"{self.tail()}")
            time.sleep(0.02)

    def family(self) -> list[int]:
        """The child and all its living descendants."""
        children: dict[int, list[int]] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and (fields := _stat(int(entry))):
                children.setdefault(int(fields[1]), []).append(int(entry))
        found = [self.child.pid]
        for pid in found:  # grows while it is walked: a breadth-first search
            found.extend(children.get(pid, []))
        return found

    def cpu_seconds(self) -> float:
        """User and system time of the whole family, the descendants that ended included."""
        if self.child.poll() is not None:
            raise BenchError(f"{self.name}: ended with {self.child.returncode} while measured; "
                             f"its log ends in\n{self.tail()}")
        # After the name: state is field 0, utime, stime, cutime and cstime are 11 to 14.
        stats = [fields for pid in self.family() if (fields := _stat(pid))]
        return sum(sum(map(int, fields[11:15])) for fields in stats) / TICKS_PER_SECOND

    def pss_bytes(self) -> int:
        """Memory of the family, each shared page counted by its share."""
        total = 0
        for pid in self.family():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                family = self.family()
                for pid in family:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self.child.wait()
        for stream in (self.child.stdin, self.child.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name, which may itself hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


class Workshop:
    """The temporary folder of a run and every process in it; leaving it ends and removes all."""

    def __init__(self, keep: bool):
        self.keep = keep
        self.folder = Path(tempfile.mkdtemp(prefix="herse-bench."))
        self.processes: list[Process] = []

    def __enter__(self) -> "Workshop":
        return self

    def __exit__(self, *_) -> None:
        for process in reversed(self.processes):
            process.stop()
        if self.keep:
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, command: list[str], on: set[int], seconds: float,
            environment: dict[str, str] | None = None) -> str:
        """Output of a command that must succeed within its time."""
        try:
            done = subprocess.run(
                command, cwd=self.folder, env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
                preexec_fn=lambda: _before_exec(on))
        except subprocess.TimeoutExpired:
            raise BenchError(f"{command[0]}: not done after {seconds:.0f} s") from None
        if done.returncode != 0:
            raise BenchError(f"{command[0]}: exit {done.returncode}\n{done.stderr[-2000:]}")
        return done.stdout

    def filesystem(self) -> str:
        """What the record is written to: a flush to tmpfs costs nothing, one to a disk does."""
        best = ("", "unknown")
        for line in Path("/proc/mounts").read_text().splitlines():
            _, place, kind, *_ = line.split()
            if self.folder.is_relative_to(place) and len(place) >= len(best[0]):
                best = (place, kind)
        return best[1]
