"""A running gate: its configuration, its process, its commands, its record."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import yaml

from .client import Connection, request
from .waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]


def executable():
    """The program under test: $HERSE, or what was built last."""
    if path := os.environ.get("HERSE"):
        return Path(path)
    built = [ROOT / ".build" / kind / "herse" for kind in ("release", "debug")]
    found = [path for path in built if path.exists()]
    return max(found, key=lambda path: path.stat().st_mtime) if found else built[0]


def configuration(pki, upstream):
    """A configuration that most tests can live with; each changes what it is about.

    Tests of transport answer what no protocol knows, so its routes charge what they do not
    understand. Tests of lookups begin with `strict`.
    """
    everything = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    lenient = {"vague": "allow", "unparsed": "charge", "unparsed_charge": 1, "answer_max": "64M"}

    def route(name, path, lookups="fhir", **more):
        return {
            "name": name, "path": path, "methods": everything, "identity_server": "mpi",
            "lookups": lookups, "require": ["certificate"], "limits": "standard",
            **(lenient if lookups != "none" else {}), **more,
        }

    return {
        "state": "state",
        "workers": 2,
        "drain": "5s",
        "contact": "Service desk, day and night: 02 00 00 00 00",
        "listeners": [
            {
                "name": "professionals",
                "address": "127.0.0.1:0",
                "tls": {
                    "certificate": str(pki.path("server.pem")),
                    "private_key": str(pki.path("server.key")),
                    "client_certificate": "required",
                    "client_authorities": [str(pki.path("client-authorities.pem"))],
                },
            }
        ],
        "identity_servers": [
            {
                "name": "mpi", "endpoints": [upstream.url],
                "connect_timeout": "1s", "answer_timeout": "20s",
            }
        ],
        "authentication": {"certificate": {"professional_id": "CN"}},
        "routes": [
            route("small", "/small/", body_max="1k"),
            route("fhir", "/fhir/", body_max="16M"),
            route("soap", "/soap", lookups="hl7v3"),
            route("plain", "/plain/", lookups="none", body_max="128M"),
            route("reading", "/reading/", methods=["GET"]),
            route("wrapped", "/wrapped/", forward={"client_cert": True}),
            route("others", "/others/", allow={"professionals": ["810002813839"]}),
        ],
        "limits": {"standard": [{"count": "requests", "limit": 100000000, "per": "1m"}]},
        "record": {"durable": "before-delivery", "unsealed": True},
    }


def ceiling(count, limit, per="1h", **more):
    """One limit, as the configuration writes it."""
    return {"count": count, "limit": limit, "per": per, **more}


def strict(pki, upstream, *limits, **keys):
    """A configuration whose lookups are judged as a gate does that was told nothing.

    `limits` are those of the set `standard`; `keys` are more keys of its routes.
    """
    config = configuration(pki, upstream)
    methods = config["routes"][0]["methods"]

    def route(name, path, lookups):
        return {
            "name": name, "path": path, "methods": methods, "identity_server": "mpi",
            "lookups": lookups, "require": ["certificate"], "limits": "standard", **keys,
        }

    config["routes"] = [
        route("fhir", "/fhir/", "fhir"), route("base", "/fhir", "fhir"),
        route("soap", "/soap", "hl7v3"), route("insi", "/insi", "insi"),
    ]
    config["limits"]["standard"] = list(limits) or config["limits"]["standard"]
    for key in ("vague", "vague_weight", "count_max"):
        config["routes"][3].pop(key, None)
    return config


class Plain(yaml.SafeDumper):
    """YAML without anchors, which the gate refuses."""

    def ignore_aliases(self, data):
        return True


def yaml_text(config):
    return yaml.dump(config, Dumper=Plain, sort_keys=False, allow_unicode=True, width=1000)


class Run:
    """What a command said."""

    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def text(self):
        return self.out + self.err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


def find(data, name):
    """The first value under the key `name` in nested JSON, whatever its case and underscores."""
    plain = name.replace("_", "").lower()
    if isinstance(data, dict):
        for key, value in data.items():
            if key.replace("_", "").lower() == plain:
                return value
    for value in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        found = find(value, name)
        if found is not None:
            return found
    return None


class Gate:
    """One `herse serve` in a folder of its own."""

    def __init__(self, pki, config, folder=None):
        self.pki = pki
        self.config = config
        # Not below pytest's folder: a socket's path has at most 107 bytes.
        self.folder = Path(folder or tempfile.mkdtemp(prefix="herse-"))
        self.file = self.folder / "herse.yaml"
        self.process = None
        self.addresses = {}
        self.lines = []
        self.environment = dict(os.environ)
        # What `serve` is started through, such as ["prlimit", "--nofile=64"].
        self.wrapper = []
        self.write()

    def write(self):
        """Puts `config` into the file."""
        self.file.write_text(
            self.config if isinstance(self.config, str) else yaml_text(self.config))

    # The process.

    def spawn(self):
        self.lines = []
        self.process = subprocess.Popen(
            [*self.wrapper, executable(), "serve", "-c", self.file],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, env=self.environment, errors="replace",
        )
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()

    def start(self, within=10):
        self.spawn()
        until(
            lambda: self.ready_line() or self.process.poll() is not None,
            within, "the gate is ready",
        )
        if not self.ready_line():
            self.reader.join(5)
        line = self.ready_line()
        assert line, f"the gate ended ({self.process.poll()}):\n" + "\n".join(self.lines)
        self.note_addresses(line)
        return self

    def note_addresses(self, line):
        for name, host, port in re.findall(r"([\w.-]+) on (\S+?):(\d+)(?=[\s,;]|$)", line):
            self.addresses[name] = (host.strip("[]"), int(port))
        assert self.addresses, f"no address in {line!r}"

    def ready_line(self):
        return next((line for line in self.lines if re.search(r"\bready\b", line)), None)

    def _read(self, process):
        for line in process.stderr:
            self.lines.append(line.rstrip("\n"))

    def log(self):
        return "\n".join(self.lines)

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9."""
        if self.alive:
            self.process.kill()
        self.process.wait(10)
        self.reader.join(5)

    def has_crashed(self):
        """Whether a signal ended it that no test sends; a trap on input is a remote stop."""
        code = self.process and self.process.poll()
        # 66 is what script/test gives the sanitizers to end with.
        return bool(code) and (code == 66 or code < 0) and code != -signal.SIGKILL

    def settle(self):
        """Waits for the end of a process that is dying: its reporter takes a while."""
        if self.alive and re.search(r"Fatal error|Backtracing|Sanitizer", self.log()):
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                pass

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, within=15):
        """SIGTERM; returns the exit status."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(within * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the gate did not stop:\n" + self.log()) from None
        self.reader.join(5)
        return code

    def remove(self):
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def resident(self):
        """Bytes of memory the gate holds now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # Commands.

    def run(self, *words, within=30, config=True, stdin=None, out=subprocess.PIPE, user=None):
        command = [executable(), *words]
        if config:
            command += ["-c", self.file]
        process = subprocess.run(
            [str(word) for word in command], stdout=out, stderr=subprocess.PIPE, text=True,
            errors="replace", timeout=within * PATIENCE, env=self.environment, user=user,
            **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}),
        )
        return Run(process)

    def do(self, *words, **options):
        """Runs a command that must succeed."""
        run = self.run(*words, **options)
        assert run.code == 0, f"herse {' '.join(map(str, words))}: {run}"
        return run

    def reload(self):
        """Writes `config` and reloads; must be taken."""
        self.write()
        return self.do("reload")

    def status(self):
        run = self.run("status", "--json")
        assert run.code in (0, 3), run
        return run.json()

    def generation(self):
        return find(self.status(), "generation")

    # Clients.

    def address(self, listener="professionals"):
        return self.addresses[listener]

    def connect(self, card="physician", listener="professionals", context=None, **options):
        keys = ("low", "high", "alpn", "weak")
        settings = {key: options.pop(key) for key in keys if key in options}
        context = context or self.pki.context(card, **settings)
        return Connection(self.address(listener), context, **options)

    def get(self, target="/fhir/Patient/1", card="physician", fields=(), method="GET", **options):
        """One request on a connection of its own."""
        with self.connect(card, **options) as connection:
            connection.send(request(target, fields, method))
            return connection.answer(to=method)

    def post(self, target, body, kind, card="physician", fields=(), method="POST", **options):
        """One request with a body of the media type `kind`, None for one that tells none."""
        told = [*fields] if kind is None else [*fields, f"Content-Type: {kind}"]
        with self.connect(card, **options) as connection:
            connection.send(request(target, told, method, body))
            return connection.answer(to=method)

    def used(self, count, professional, per=None, limits="standard"):
        """How much of a count `limits show` says is used; of the window `per` seconds if given."""
        shown = self.do("limits", "show", professional, "--json").json()
        windows = shown if isinstance(shown, list) else find(shown, "limits") or next(
            value for value in shown.values() if isinstance(value, list))
        for window in windows:
            if find(window, "count") == count and per in (None, find(window, "per_seconds")):
                if find(window, "set") in (None, limits) or find(window, "limits") == limits:
                    return find(window, "used")
        raise AssertionError(f"no {count} in {shown}")

    # The record.

    def record(self):
        """All entries of the record, in the order they were written; neither the heads of
        segments nor checkpoints."""
        segments = {int(path.stem): path.read_bytes() for path in
                    sorted((self.folder / "state" / "record").glob("*.jsonl"))}
        # Of each segment counts what the head of the next says; of the last, all whole lines.
        ends = {}
        for segment in segments.values():
            first = segment.split(b"\n", 1)[0]
            if first.startswith(b'{"segment":'):
                before = json.loads(first).get("previous") or {}
                if before:
                    ends[before["segment"]] = before["bytes"]
        entries = []
        for number, segment in segments.items():
            counted = segment[:ends.get(number, segment.rfind(b"\n") + 1)]
            # Space is filled with line feeds ahead of the entries.
            entries += [json.loads(line) for line in counted.split(b"\n") if line.strip()]
        return [e for e in entries if "segment" not in e and "checkpoint" not in e]

    def newest(self, within=5, **wanted):
        """The newest entry of the record that has these values."""
        return until(
            lambda: next((e for e in reversed(self.record())
                          if all(e.get(key) == value for key, value in wanted.items())), None),
            within, f"a record with {wanted}")

    def bytes_kept(self):
        """All bytes in the state folder and in the log, by file."""
        kept = {"log": self.log().encode()}
        for path in (self.folder / "state").rglob("*"):
            if path.is_file():
                kept[str(path.relative_to(self.folder))] = path.read_bytes()
        return kept

    def entry(self, request_id, within=5):
        """The first entry of one exchange."""
        return until(
            lambda: next((e for e in self.record() if e.get("request") == request_id), None),
            within, f"the record of {request_id}",
        )
