"""herse record feed: every entry reaches the receiver, whatever fails on the way."""

import json
import os
import signal
import subprocess
import urllib.request

import pytest
from lxml import etree

from harness.alerts import Rsyslog
from harness.audit import Repository, audit_message_schema, problems
from harness.gate import executable
from harness.waiting import until
from test_real_server import RealServer
from test_record_export import ONE, lines


@pytest.fixture
def repository(pki):
    made = Repository(pki)
    yield made
    made.close()


class Fed:
    """A record, and the cursor of a feed of it."""

    def __init__(self, folder, pki):
        self.folder = folder
        self.pki = pki
        self.cursor = folder / "cursor"
        (folder / "record").mkdir()
        self.count = 0

    def grow(self, count, segment=1, **change):
        made = lines(*[dict(interaction="search", **ONE, **change)] * count)
        with open(self.folder / "record" / f"{segment:06}.jsonl", "a") as file:
            for line in made:
                self.count += 1
                line["request"] = f"{self.count:032x}"
                file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def command(self, to, *words, card="physician"):
        certificate, key = self.pki.card(card)
        return [executable(), "record", "feed", "--record", self.folder / "record", "--to", to,
                "--cursor", self.cursor, "--authorities", self.pki.path("root-ca.pem"),
                "--client-certificate", certificate, "--client-key", key, *map(str, words)]

    def run(self, to, *words, code=0, **options):
        done = subprocess.run(
            self.command(to, *words, **options), capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stderr
        return done


@pytest.fixture
def fed(tmp_path, pki):
    return Fed(tmp_path, pki)


@pytest.mark.parametrize("words", [(), ("--bundle",)], ids=["one by one", "bundles"])
def test_what_was_accepted_is_not_sent_again(fed, repository, words):
    fed.grow(60)
    fed.run(repository.url, *words)
    assert len(repository.ids()) == len(set(repository.ids())) == 60
    assert all(problems(one) == [] for one in repository.accepted)
    assert fed.cursor.stat().st_mode & 0o777 == 0o600
    fed.run(repository.url, *words)
    assert len(repository.ids()) == 60
    fed.grow(3)
    fed.grow(2, segment=2)
    said = fed.run(repository.url, "--json", *words)
    assert json.loads(said.stdout)["pieces"] == 5
    assert len(set(repository.ids())) == 65


def test_a_request_is_a_creation_of_fhir(fed, repository):
    fed.grow(2)
    fed.run(repository.url, "--conditional")
    path, fields, body = repository.requests[0]
    assert path == "/fhir/AuditEvent"
    assert fields["Content-Type"] == "application/fhir+json"
    assert fields["If-None-Exist"] == "entity-name=" + body["id"]


def test_a_line_that_is_being_written_is_left_for_later(fed, repository):
    fed.grow(1)
    with open(fed.folder / "record" / "000001.jsonl", "a") as file:
        file.write('{"time":"2026-11-23T19:12:22.000Z","request":"77"')
    fed.run(repository.url)
    with open(fed.folder / "record" / "000001.jsonl", "a") as file:
        file.write(',"decision":"allow","delivery":"begun","peer":"127.0.0.1:1"}\n')
    fed.run(repository.url)
    assert len(repository.ids()) == 2


@pytest.mark.parametrize("words", [(), ("--bundle",)], ids=["one by one", "bundles"])
def test_a_feed_that_is_killed_skips_nothing(fed, repository, words):
    fed.grow(1500 if words else 150)
    most = fed.count
    for stop in (200, 850, 1250) if words else (20, 75, 130):
        process = subprocess.Popen(
            fed.command(repository.url, *words), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        until(lambda: len(set(repository.ids())) >= stop or process.poll() is not None, 60,
              "events arrive", every=0.001)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    fed.run(repository.url, *words)
    assert len(set(repository.ids())) == most
    assert len(repository.ids()) < 3 * most


def test_a_receiver_that_fails_for_a_while_gets_everything(fed, repository):
    fed.grow(20)
    answers = iter([503, 429])
    repository.answers = lambda path, body: next(answers, 201)
    said = fed.run(repository.url)
    assert "trying again" in said.stderr and "takes them again" in said.stderr
    assert len(repository.ids()) == len(set(repository.ids())) == 20


def test_a_receiver_that_stays_away_ends_the_feed_and_the_next_goes_on(fed, repository):
    fed.grow(60)
    repository.answers = lambda path, body: 201 if len(repository.accepted) < 55 else 503
    said = fed.run(repository.url, "--attempts", 1, code=1)
    assert "503" in said.stderr and "hint: " in said.stderr
    repository.answers = lambda path, body: 201
    fed.run(repository.url)
    assert len(repository.ids()) == len(set(repository.ids())) == 60


@pytest.mark.parametrize("words", [(), ("--bundle",)], ids=["one by one", "bundles"])
def test_what_is_refused_stops_the_feed_or_is_set_aside(fed, repository, words):
    fed.grow(10)
    bad = f"{4:032x}"
    repository.answers = lambda path, body: 422 if bad in json.dumps(body.get("entity", "")) else 201
    repository.refusal = {"resourceType": "OperationOutcome",
                          "issue": [{"severity": "error", "code": "invalid", "diagnostics": "zq"}]}
    said = fed.run(repository.url, *words, code=1)
    assert "refuses entry 3: 422" in said.stderr and "zq" not in said.stderr
    aside = fed.folder / "aside.jsonl"
    fed.run(repository.url, "--skip-refused", aside, *words)
    assert len(set(repository.ids())) == 9
    (kept,) = map(json.loads, aside.read_text().splitlines())
    assert kept["entry"] == 3 and kept["resource"]["resourceType"] == "AuditEvent"


@pytest.mark.parametrize("status", [302, 401, 403, 404, 405, 415])
def test_an_answer_that_is_about_the_sender_sets_nothing_aside(fed, repository, status):
    fed.grow(2)
    repository.answers = lambda path, body: status
    aside = fed.folder / "aside.jsonl"
    said = fed.run(repository.url, "--skip-refused", aside, code=1)
    assert str(status) in said.stderr and not aside.exists() and not fed.cursor.exists()


def test_a_receiver_that_nobody_vouches_for_gets_nothing(fed, repository):
    fed.grow(1)
    stranger = fed.folder / "stranger.pem"
    stranger.write_bytes(fed.pki.stranger.pem())
    said = fed.run(repository.url, "--authorities", stranger, code=1)
    assert "authority" in said.stderr and not repository.requests
    said = fed.run(repository.url.replace("https", "http"), code=64)
    assert "--to" in said.stderr


@pytest.mark.parametrize("text", [
    "", "herse feed cursor v1\n", "nonsense", "herse feed cursor v1\norigin \nto x\nnext 1 2\n",
    "herse feed cursor v1\norigin \nto x\nnext 1 2 +3\n", "\0" * 9000,
])
def test_a_cursor_that_is_none_stops_the_feed(fed, repository, text):
    fed.grow(1)
    fed.cursor.write_text(text)
    said = fed.run(repository.url, code=1)
    assert "is no cursor" in said.stderr and not repository.requests


def test_a_cursor_is_of_one_receiver_and_held_by_one_feed(fed, repository):
    fed.grow(1)
    fed.run(repository.url)
    assert "is the cursor of" in fed.run(repository.url + "/other", code=1).stderr
    fed.grow(1)
    repository.answers = lambda path, body: None
    process = subprocess.Popen(fed.command(repository.url), stderr=subprocess.DEVNULL)
    until(lambda: len(repository.requests) == 2, 30, "the first feed asks")
    assert "another feed" in fed.run(repository.url, code=1).stderr
    process.kill()
    process.wait(10)


def test_entries_that_were_purged_unfed_are_told_of(fed, repository):
    fed.grow(2)
    fed.run(repository.url)
    fed.grow(2, segment=3)
    os.unlink(fed.folder / "record" / "000001.jsonl")
    assert "were purged" in fed.run(repository.url, code=1).stderr
    fed.run(repository.url, "--accept-gap")
    assert len(repository.ids()) == 4


def test_what_a_crash_took_back_is_made_good(fed, repository, config, make_gate, upstream):
    gate = make_gate(config)
    for _ in range(4):
        assert gate.get().status == 200
    gate.kill()
    fed.folder = gate.folder / "state"
    fed.run(repository.url)
    before = len(repository.ids())
    assert before >= 4
    # The disk had no more of it than the head and the first entry.
    segment = gate.folder / "state" / "record" / "000001.jsonl"
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:2]))
    (gate.folder / "state" / "record" / "checkpoint").unlink(missing_ok=True)
    said = fed.run(repository.url, code=1).stderr
    assert "no longer has" in said
    gate.start()
    for _ in range(2):
        assert gate.get().status == 200
    gate.settle()
    said = fed.run(repository.url).stderr
    assert "the record goes on from entry 2" in said
    assert len(repository.ids()) == len(set(repository.ids())) == before + 2


def test_follow_sends_what_comes(fed, repository):
    fed.grow(1)
    process = subprocess.Popen(
        fed.command(repository.url, "--follow"), stderr=subprocess.DEVNULL)
    until(lambda: len(repository.ids()) == 1, 30, "the first arrives")
    fed.grow(2)
    until(lambda: len(repository.ids()) == 3, 30, "the next arrive")
    process.terminate()
    process.wait(10)


@pytest.fixture
def rsyslog(pki):
    made = Rsyslog(pki)
    yield made
    made.close()


def test_a_collector_gets_atna_messages(fed, rsyslog):
    fed.grow(40)
    fed.run(f"syslog+tls://{rsyslog.address}")
    until(lambda: len(rsyslog.messages()) >= 40, 30, "all messages arrive")
    schema = audit_message_schema()
    for one in rsyslog.messages():
        assert one["pri"] == "85" and one["msgid"] == "IHE+RFC-3881" and one["data"] == "-"
        assert schema.validate(etree.fromstring(one["text"].strip().encode())), schema.error_log.last_error
    fed.run(f"syslog+tls://{rsyslog.address}")
    assert len(rsyslog.messages()) == 40


def test_a_collector_that_is_away_ends_the_feed(fed, rsyslog):
    fed.grow(1)
    rsyslog.stop()
    assert "hint" in fed.run(f"syslog+tls://{rsyslog.address}", "--attempts", 1, code=1).stderr
    assert not fed.cursor.exists()


SERVER = """
from fhirstarter import FHIRProvider, FHIRStarter, InteractionContext
from fhir.resources.R4B.auditevent import AuditEvent

app = FHIRStarter(title="an audit repository")
provider = FHIRProvider()
kept = []

@provider.create(AuditEvent)
async def create(context: InteractionContext, resource: AuditEvent):
    kept.append(resource)
    return str(len(kept))

app.add_providers(provider)

@app.get("/healthy")
async def healthy():
    return {"kept": len(kept)}
"""


def test_a_fhir_server_that_nobody_here_wrote_takes_them(fed, tmp_path, monkeypatch):
    monkeypatch.setenv("FHIR_SEQUENCE", "R4B")
    (tmp_path / "repository.py").write_text(SERVER)
    server = RealServer("repository:app", "--log-level", "error", healthy="/healthy",
                        folder=tmp_path)
    try:
        fed.grow(12)
        fed.run(server.url, "--unsafe-clear-text")
        answer = json.load(urllib.request.urlopen(server.url + "/healthy", timeout=5))
        assert answer == {"kept": 12}
    finally:
        server.stop()
