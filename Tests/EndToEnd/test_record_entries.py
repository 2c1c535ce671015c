"""What a line of the record says: enough to prove who saw whom, and what really reached them."""

import json
import re
import socket
import ssl
import subprocess
import time

import pytest

from harness.client import request
from harness.fhir import (
    INS, JSON, LOCAL, bundle, identity, ins, ipp, next_link, patient, reply,
)
from harness.gate import ceiling
from harness.pki import PHYSICIAN
from harness.upstream import answer
from harness.waiting import until

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SEARCH = "/fhir/Patient?family=DURAND&birthdate=1950-01-01&_count=10"


@pytest.fixture
def own(config, make_gate):
    return make_gate(config)


def lines(gate, **wanted):
    return [entry for entry in gate.record()
            if all(entry.get(key) == value for key, value in wanted.items())]


def test_a_line_tells_its_clock_its_cipher_its_list_and_what_is_left(lookup_gate, patients):
    gate = lookup_gate(ceiling("requests", 1000), ceiling("patients", 100))
    gate.get(f"/fhir/Patient/{identity(1)}")
    line = gate.newest(status=200)
    assert STAMP.fullmatch(line["time"])
    assert line["clock"] in ("synchronized", "unsynchronized", "unknown")
    assert line["tls"] == "TLSv1.3" and line["cipher"] == "TLS_AES_256_GCM_SHA384"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", line["peer"])
    assert STAMP.fullmatch(line["list"]) and line["list"] <= line["time"]
    assert line["left"] == 99
    assert "identifiers" not in line and "page" not in line


def test_the_list_of_a_line_is_the_one_it_was_decided_under(lookup_gate, patients):
    gate = lookup_gate()
    target = f"/fhir/Patient/{identity(1)}"
    gate.get(target)
    before = gate.newest(status=200)["list"]
    gate.do("neutralize", "899700427885", "--reason", "stolen card")
    gate.get(target)
    after = gate.newest(status=200)["list"]
    assert before < after
    assert gate.get(target, card="pharmacist").status == 403
    refused = gate.newest(why="neutralized")
    assert refused["list"] == after
    assert refused["rule"].startswith("command:")


def test_who_is_on_the_list_is_refused_by_its_line(config, make_gate, upstream, tmp_path):
    listed = tmp_path / "neutralized"
    listed.write_text("# nobody\naccount 899700218896\n")
    config["neutralized"] = str(listed)
    gate = make_gate(config)
    assert gate.get().status == 403
    assert gate.newest(why="neutralized")["rule"] == f"{listed}:2"


CLAIMS = [
    (["X-Request-Id: a\"b\\c d"], "a\"b\\c d", None, False),
    (["X-Request-Id: first", "X-Request-Id: second"], "first", None, False),
    (["X-Request-Id: " + "x" * 128], "x" * 128, None, False),
    (["X-Request-Id: " + "x" * 129], None, None, True),
    (["X-Request-Id: caf\xe9"], None, None, True),
    (["X-Forwarded-For: 203.0.113.5, 10.0.0.1", 'Forwarded: for="[2001:db8::1]"'], None,
     '203.0.113.5, 10.0.0.1, for="[2001:db8::1]"', False),
    (["X-Forwarded-For: a\xffb\tc"], None, "a?b?c", False),
    (["X-Forwarded-For: " + "1" * 500], None, "1" * 200, False),
    ([], None, None, False),
]


@pytest.mark.parametrize("fields, known, chain, dropped", CLAIMS)
def test_what_the_client_claims_is_kept_apart(gate, upstream, fields, known, chain, dropped):
    got = gate.get("/plain/1", fields=fields)
    # The gate's own id is what the identity server gets.
    line = gate.entry(upstream.requests[-1].fields["X-Request-Id"])
    assert got.status == 200
    assert line.get("request_in") == known
    assert line.get("forwarded") == chain
    assert line.get("request_in_dropped", False) is dropped


def test_patients_shown_differently_have_masks(lookup_gate, upstream):
    poor = {"resourceType": "Patient", "id": "zqpoor", "name": [{"family": "ZQPOOR"}]}
    upstream.answer = reply(bundle([patient(1), poor]), JSON)
    gate = lookup_gate()
    gate.get(SEARCH)
    line = gate.newest(status=200)
    assert len(line["persons"]) == len(line["masks"]) == 2
    assert line["masks"][1] == 1
    assert line["masks"][0] & 0b11111111 == 0b11111111
    assert "phone" in line["fields"]


def test_patients_shown_alike_need_none(lookup_gate, upstream):
    upstream.answer = reply(bundle([patient(1), patient(2)]), JSON)
    gate = lookup_gate()
    gate.get(SEARCH)
    assert "masks" not in gate.newest(status=200)


def test_the_withheld_have_masks(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 5))
    assert gate.get(SEARCH).status == 429
    line = gate.newest(status=429)
    assert len(line["withheld"]) == len(line["masks"]) == 10
    assert "persons" not in line and "fields" not in line and "left" not in line


def test_pages_are_numbered(lookup_gate, patients):
    gate = lookup_gate()
    with gate.connect() as connection:
        got = connection.get(SEARCH)
        for _ in range(3):
            got = connection.get(next_link(got.json()))
    pages = until(lambda: (found := [e["page"] for e in gate.record() if "page" in e])
                  and len(found) == 4 and found, what="four pages")
    assert pages == [1, 2, 3, 4]


# Sealed records name patients.


@pytest.fixture
def sealed(lookup_gate, tmp_path):
    """Makes gates whose record an auditor alone can read, and what reads it: `(gate, entries)`."""
    private, public = tmp_path / "anne.key", tmp_path / "anne.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)

    def make(*limits, **keys):
        gate = lookup_gate(
            *limits, change=lambda config: config.update(record={"auditors": [str(public)]}), **keys)

        def entries():
            gate.settle()
            run = gate.do("record", "search", "--since", "1h", "--json",
                          "--auditor-key", str(private))
            # Not `splitlines`: a line may hold what other programs take for the end of one.
            return [json.loads(line) for line in run.out.split("\n") if line]

        return gate, entries

    return make


def named(entries, key="persons"):
    """The one line that has patients, which names each of them."""
    (line,) = [entry for entry in entries if key in entry]
    assert len(line["identifiers"]) == len(line[key])
    return line


def test_a_sealed_record_names_patients_by_their_identifiers(sealed, upstream):
    hostile = {
        "resourceType": "Patient", "id": "zqx", "name": [{"family": "ZQ"}],
        "identifier": [{"system": "urn:x", "value": 'a"b\\\u0001\u2028\u00e9'}, {"value": "nosys"}],
    }
    upstream.answer = reply(bundle([patient(1), hostile]), JSON)
    gate, entries = sealed()
    assert gate.get(SEARCH).status == 200
    line = named(entries())
    first, second = line["identifiers"]
    assert first == [f"{INS}|{ins(1)}", f"{LOCAL}|{ipp(1)}", f"Patient/{identity(1)}"]
    assert set(second) == {'urn:x|a"b\\\u0001\u2028\u00e9', "|nosys", "Patient/zqx"}
    assert line["masks"] == [255, 129] and "identifiers_cut" not in line
    # Nobody else can read any of it.
    for place, kept in gate.bytes_kept().items():
        # Two letters alone can be anything in what is sealed.
        for told in (ins(1), ipp(1), identity(1), "ZQFAMILY1", "nosys"):
            assert told.encode() not in kept, place


def test_a_sealed_record_names_the_withheld(sealed, patients):
    gate, entries = sealed(ceiling("patients", 5))
    assert gate.get(SEARCH).status == 429
    line = named(entries(), "withheld")
    assert len(line["withheld"]) == len(line["masks"]) == 10
    assert all(one[0].startswith(f"{INS}|") for one in line["identifiers"])


def test_no_length_tells_who_was_withheld(sealed, patients, tmp_path):
    gate, entries = sealed(ceiling("patients", 5))
    for guess in (ins(3), "1234567"):
        assert gate.get(SEARCH, fields=[f"X-Forwarded-For: {guess}"]).status == 429
    assert gate.get(f"/fhir/Patient/{identity(1)}").status == 200
    said = {entry["entry"]: entry for entry in entries()}
    run = gate.do("record", "search", "--since", "1h", "--json", "--auditor-key",
                  tmp_path / "anne.key")
    plain = {json.loads(line)["entry"]: line.encode() for line in run.out.split("\n") if line}
    kept = (gate.folder / "state" / "record" / "000001.jsonl").read_bytes().split(b"\n")
    as_it_is = {number: len(kept[number]) == len(b'{"sealed":""}') + -(-4 * (size + 16) // 3)
                for number, line in plain.items()
                for size in [len(line) - len(f'"entry":{number},')]}
    assert {as_it_is[number] for number in said if "withheld" in said[number]} == {True}
    assert {as_it_is[number] for number in said if "persons" in said[number]} == {False}


def test_identifiers_of_one_answer_are_bounded(sealed, upstream):
    count = 8400
    many = [{"resourceType": "Patient", "id": f"zq{n}" + "y" * 300,
             "identifier": [{"system": "urn:x", "value": f"{n}" + "z" * 300}]}
            for n in range(count)]
    upstream.answer = reply({"resourceType": "Bundle", "type": "searchset",
                             "entry": [{"resource": one} for one in many]}, JSON)
    gate, entries = sealed(answer_max="32M")
    assert gate.get(SEARCH).status == 200
    line = named(entries())
    assert len(line["persons"]) == count and line["identifiers_cut"] is True
    assert len(line["identifiers"][0]) == 2 and line["identifiers"][-1] == []
    assert all(len(one.encode()) <= 256 for one in line["identifiers"][0])


# What reached the client.

TOTAL = 64 * 1024 * 1024


def endless(head, chunked):
    piece = b"z" * 65536

    def answer(request, peer):
        peer.send(head)
        for _ in range(TOTAL // len(piece)):
            peer.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)

    return answer


FRAMINGS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % TOTAL, False),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", True),
}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_cut_line_tells_how_much_reached_the_client(own, upstream, framing):
    upstream.answer = endless(*FRAMINGS[framing])
    with own.connect(within=30) as connection:
        connection.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.send(request("/plain/1"))
        assert connection.head()[0] == 200
        got = 0
        while got < 2_000_000:
            got += len(connection.reader.chunk() if framing == "chunked"
                       else connection.receive())
    told = upstream.requests[0].fields["X-Request-Id"]
    (line,) = until(lambda: lines(own, request=told, delivery="aborted"), what="the break")
    assert got <= line["bytes"] < TOTAL
    # What is beyond is what the two systems' buffers hold.
    assert line["bytes"] < got + 16 * 1024 * 1024
    (begun,) = lines(own, request=told, delivery="begun")
    assert "list" in begun and "list" not in line


def test_an_answer_held_in_memory_and_cut_tells_how_much_left(own, upstream):
    """It is whole before it leaves, so its line has its size; the second one has what left."""
    body = json.dumps(bundle([patient(n, note="z" * 100_000) for n in range(120)])).encode()
    upstream.answer = reply(body, JSON)
    with own.connect(within=30) as connection:
        connection.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.send(request(SEARCH))
        assert connection.head()[0] == 200
        got = len(connection.receive())
    told = upstream.requests[0].fields["X-Request-Id"]
    (line,) = until(lambda: lines(own, request=told, delivery="aborted"), what="the break")
    (begun,) = lines(own, request=told, delivery="begun")
    assert begun["bytes"] == len(body)
    assert 0 < got <= line["bytes"] < len(body)


def test_an_answer_that_was_taken_whole_has_one_line(own, upstream):
    upstream.answer = reply(bundle([patient(1)]), JSON)
    assert own.get(SEARCH).status == 200
    told = upstream.requests[0].fields["X-Request-Id"]
    own.entry(told)
    assert own.stop() == 0
    assert [line["delivery"] for line in lines(own, request=told)] == ["begun"]


def test_an_answer_that_streamed_whole_counts_its_body(own, upstream):
    def slow(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        time.sleep(0.2)
        peer.send(b"4\r\ndefg\r\n0\r\n\r\n")

    upstream.answer = slow
    assert own.get("/plain/1").body == b"abcdefg"
    told = upstream.requests[0].fields["X-Request-Id"]
    (line,) = until(lambda: lines(own, request=told, delivery="whole"), what="the end")
    assert line["bytes"] == 7


# Handshakes.


def shake(gate, context):
    """Shakes hands and asks; the refusal of TLS 1.3 comes with the first read."""
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        with gate.connect(context=context) as connection:
            connection.get()


def test_a_handshake_without_a_certificate_is_recorded(own, pki):
    shake(own, pki.context(None))
    line = own.newest(event="handshake-refused")
    assert line["why"] == "no-certificate" and line["peer"].startswith("127.0.0.1:")
    assert "certificate" not in line and STAMP.fullmatch(line["time"])


@pytest.mark.parametrize("card, why", [
    ("expired", "expired"), ("stranger", "unknown-authority"),
])
def test_a_handshake_with_a_refused_certificate_names_it(own, pki, card, why):
    if card == "stranger":
        pki.issue(card, by=pki.stranger)
    shake(own, pki.context(card))
    line = own.newest(event="handshake-refused")
    assert line["why"] == why
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", line["certificate"])


def test_a_flood_of_refused_handshakes_fills_no_disk(own, pki):
    count = 150
    context = pki.context(None)
    for _ in range(count):
        shake(own, context)
    assert own.stop() == 0
    refused = lines(own, event="handshake-refused")
    told = [line for line in refused if "peer" in line]
    left = sum(line.get("left_out", 0) for line in refused)
    assert len(told) + left == count
    assert all("peer" not in line for line in refused if "left_out" in line)


# Reading is recorded.


def replay(gate, *more):
    return gate.run("replay", "--since", "1h", *more)


def test_the_gate_records_that_its_record_is_read(own, upstream):
    own.get()
    run = replay(own)
    assert run.code == 0, run
    line = own.newest(event="record-read")
    assert line["what"] == "replay" and line["filters"] == ["since:1h"]
    assert line["by"] and "at" not in line
    assert not (own.folder / "state" / "record-reads.pending").exists()


def test_what_is_read_while_no_gate_runs_is_recorded_at_its_next_start(own, upstream):
    own.get()
    assert own.stop() == 0
    assert replay(own).code == 0
    assert replay(own).code == 0
    pending = own.folder / "state" / "record-reads.pending"
    assert pending.stat().st_mode & 0o777 == 0o600
    assert len(pending.read_text().splitlines()) == 2
    own.start()
    until(lambda: len(lines(own, event="record-read")) == 2, what="both are recorded")
    line = own.newest(event="record-read")
    assert line["what"] == "replay" and line["at"][:19] <= line["time"][:19] and line["by"]
    until(lambda: not pending.exists(), what="the file is gone")


def test_a_pending_file_that_makes_no_sense_is_told_of(own, upstream):
    assert own.stop() == 0
    pending = own.folder / "state" / "record-reads.pending"
    pending.write_text("nonsense\n")
    own.start()
    line = own.newest(event="record-read")
    assert "1 lines" in line["what"] and line["by"] == "unknown"
    until(lambda: not pending.exists(), what="the file is gone")


def test_a_copy_is_read_without_the_gate_knowing(own, upstream, tmp_path):
    own.get()
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (own.folder / "state" / "record").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    run = replay(own, "--record", copy)
    assert run.code == 0 and "reading a copy: the gate does not know" in run.err
    assert lines(own, event="record-read") == []


def test_its_own_record_named_by_hand_is_no_copy(own, upstream):
    own.get()
    run = replay(own, "--record", own.folder / "state" / "record")
    assert run.code == 0 and "copy" not in run.err
    assert own.newest(event="record-read")["what"] == "replay"


def test_nothing_is_shown_when_nobody_can_be_told(own, upstream):
    own.get()
    assert own.stop() == 0
    (own.folder / "state" / "record-reads.pending").mkdir()
    run = replay(own)
    assert run.code == 1 and run.out == "" and "hint:" in run.err
