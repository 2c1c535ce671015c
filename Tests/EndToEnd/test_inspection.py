"""Answers are read as they are written: coded, in pieces, cut, lying; what is not read stays here."""

import socket
import threading
import time
import zlib

import pytest

from harness import soap
from harness.client import request
from harness.fhir import (
    JSON, LOCAL, FHIRServer, bundle, encoded, identity, ins, ipp, outcome, patient, reply, shown,
    text,
)
from harness.gate import ceiling
from harness.messages import Malformed
from harness.pki import PHYSICIAN
from harness.waiting import until

pytestmark = pytest.mark.sanitized

READ = f"/fhir/Patient/{identity(1)}"
SEARCH = f"/fhir/Patient?identifier={LOCAL}%7C{ipp(1)}"
THREE = text(bundle([patient(number) for number in range(3)]))
XML = "application/fhir+xml"


def fhir_xml(numbers, prefix=""):
    p = f"{prefix}:" if prefix else ""
    space = f'xmlns:{prefix}="http://hl7.org/fhir"' if prefix else 'xmlns="http://hl7.org/fhir"'
    entries = "".join(
        f'<{p}entry><{p}resource><{p}Patient><{p}id value="{identity(n)}"/><{p}identifier>'
        f'<{p}system value="urn:oid:1.2.250.1.213.1.4.8"/><{p}value value="{ins(n)}"/>'
        f'</{p}identifier><{p}name><{p}family value="ZQFAMILY{n}"/></{p}name>'
        f"</{p}Patient></{p}resource></{p}entry>" for n in numbers)
    return (f'<?xml version="1.0" encoding="UTF-8"?><{p}Bundle {space}><{p}type value="searchset"/>'
            f"{entries}</{p}Bundle>").encode()


UNDERSTOOD = {
    "JSON": reply(THREE),
    "JSON with parameters": reply(THREE, 'application/fhir+json; charset="UTF-8"; fhirVersion=4.0'),
    "plain JSON": reply(THREE, "application/json"),
    "JSON in capitals": reply(THREE, "Application/FHIR+JSON;charset=utf-8"),
    "JSON in chunks": reply(THREE, chunked=7),
    "JSON in chunks of a byte": reply(THREE, chunked=1),
    "XML": reply(fhir_xml(range(3)), XML),
    "XML with a prefix": reply(fhir_xml(range(3), "f"), XML),
    "XML in Latin-1": reply(fhir_xml(range(3)).replace(b"UTF-8", b"ISO-8859-1"), XML),
    "XML in chunks": reply(fhir_xml(range(3)), XML, chunked=5),
    "plain XML": reply(fhir_xml(range(3)), "text/xml; charset=utf-8"),
    "contained patients": reply(bundle([{
        "resourceType": "Encounter", "id": "1", "contained": [patient(n) for n in range(3)]}])),
    "patients in parameters": reply({"resourceType": "Parameters", "parameter": [
        {"name": "return", "resource": patient(0)},
        {"name": "more", "part": [{"name": "one", "resource": bundle([patient(1), patient(2)])}]}]}),
    "a bundle in a bundle": reply(bundle([bundle([patient(0), patient(1)]), patient(2)])),
    "included patients": reply(bundle([{"resourceType": "Encounter", "id": "1"},
                                       *[patient(n) for n in range(3)]],
                                      modes=["match", "include", "include", "include"])),
    "patients after the outcome": reply(bundle([outcome("informational"),
                                                *[patient(n) for n in range(3)]])),
    "the type at the end": reply(b'{"entry":[' + b",".join(
        b'{"resource":{"identifier":[{"value":"%s","system":"urn:oid:1.2.250.1.999.7"}],"id":"%s",'
        b'"resourceType":"Patient"}}' % (ipp(n).encode(), identity(n).encode()) for n in range(3))
        + b'],"type":"searchset","resourceType":"Bundle"}'),
    "no media type": reply(THREE, None),
    "JSON told as text": reply(THREE, "text/plain"),
    "a list": reply(b"[" + b",".join(text(patient(n)) for n in range(3)) + b"]"),
    # Who reads the first and who reads the last is shown them all the same.
    "entries said twice": reply(b'{"resourceType":"Bundle","type":"searchset","entry":[],"entry":['
                                + b",".join(b'{"resource":' + text(patient(n)) + b"}"
                                            for n in range(3)) + b'],"entry":[]}'),
    "types said twice": reply(b'{"resourceType":"Bundle","entry":[' + b",".join(
        b'{"resource":{"resourceType":"Basic","resourceType":"Patient","resourceType":"Basic",'
        b'"id":"%s"}}' % identity(n).encode() for n in range(3)) + b"]}"),
    "names in escapes": reply(THREE.replace(b'"resourceType"', b'"re\\u0073ourceType"')
                              .replace(b'"Patient"', b'"\\u0050atient"')),
    "a status other than 200": reply(THREE, status=206),
    "an error that shows patients": reply(THREE, status=500),
    "not found, and yet": reply(THREE, status=404),
}


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_patients_are_found_wherever_an_answer_has_them(lookup_gate, upstream, case):
    upstream.answer = UNDERSTOOD[case]
    gate = lookup_gate(ceiling("patients", 3))
    got = gate.get(SEARCH)
    assert shown(got.body) == {0, 1, 2}, got
    assert gate.used("patients", PHYSICIAN) == 3
    gate = lookup_gate(ceiling("patients", 2))
    refused = gate.get(SEARCH)
    assert refused.status == 429 and shown(refused.body) == set()


def test_bulk_data_is_counted_line_by_line(lookup_gate, upstream):
    lines = b"\n".join(text(patient(n)) for n in range(4)) + b"\n"
    upstream.answer = reply(lines, "application/fhir+ndjson")
    gate = lookup_gate(ceiling("patients", 4), change=lambda config: config["routes"][0].update(
        interactions=["read", "export"]))
    assert gate.get("/fhir/Group/1/$export").body == lines
    assert gate.used("patients", PHYSICIAN) == 4


def test_a_multipart_answer_is_opened(lookup_gate, upstream):
    """MTOM: the envelope is a part."""
    envelope = soap.found(range(3))
    body = (b'--one\r\nContent-Type: application/xop+xml; type="application/soap+xml"\r\n\r\n'
            + envelope + b"\r\n--one--\r\n")
    upstream.answer = soap.reply(
        body, 'multipart/related; type="application/xop+xml"; boundary=one')
    gate = lookup_gate(ceiling("patients", 3))
    got = gate.post("/soap", soap.query(), soap.KIND)
    assert got.status == 200 and got.body == body
    assert gate.used("patients", PHYSICIAN) == 3


SOAPS = {
    "patients": soap.found(range(3)),
    "with a prefix": soap.found(range(3), prefix="ns1"),
    "more than are declared": soap.found(range(3), declared=1),
    "fewer than are declared": soap.found(range(3), declared=500),
    "without local ids": soap.found(range(3), with_local=False),
}


@pytest.mark.parametrize("case", SOAPS)
def test_patients_of_a_soap_answer_are_counted_by_element(lookup_gate, upstream, case):
    upstream.answer = soap.reply(SOAPS[case])
    gate = lookup_gate(ceiling("patients", 3))
    assert gate.post("/soap", soap.query(1), soap.KIND).body == SOAPS[case]
    assert gate.used("patients", PHYSICIAN) == 3
    gate = lookup_gate(ceiling("patients", 2))
    refused = gate.post("/soap", soap.query(1), soap.KIND)
    assert refused.status == 429 and shown(refused.body) == set() and b"Fault" in refused.body


@pytest.mark.parametrize("how", ["gzip", "deflate", "raw"])
@pytest.mark.parametrize("chunks", [None, 11])
def test_a_coded_answer_is_decoded_and_delivered_plain(lookup_gate, upstream, how, chunks):
    name = "gzip" if how == "gzip" else "deflate"
    upstream.answer = reply(encoded(THREE, how), fields=[f"Content-Encoding: {name}"], chunked=chunks)
    gate = lookup_gate(ceiling("patients", 3))
    got = gate.get(SEARCH)
    assert (got.status, got.body) == (200, THREE)
    assert "Content-Encoding" not in got.fields
    assert got.fields["Content-Length"] == str(len(THREE)) and not got.chunked
    assert gate.used("patients", PHYSICIAN) == 3


def test_identity_is_no_coding(lookup_gate, upstream):
    upstream.answer = reply(THREE, fields=["Content-Encoding: identity"])
    assert lookup_gate(ceiling("patients", 3)).get(SEARCH).body == THREE


BOMB = zlib.compressobj(9, zlib.DEFLATED, 31)
BOMB = BOMB.compress(b" " * 200_000_000) + BOMB.flush()

UNREADABLE = {
    "brotli": (reply(b"\x0b\x02\x80zq\x03", fields=["Content-Encoding: br"]), "coding"),
    "zstd": (reply(b"\x28\xb5\x2f\xfd", fields=["Content-Encoding: zstd"]), "coding"),
    "two codings": (reply(encoded(encoded(THREE, "gzip"), "gzip"),
                          fields=["Content-Encoding: gzip, gzip"]), "coding"),
    "coded twice": (reply(encoded(encoded(THREE, "gzip"), "gzip"),
                          fields=["Content-Encoding: gzip", "Content-Encoding: gzip"]), "coding"),
    "gzip cut short": (reply(encoded(THREE, "gzip")[:-30], fields=["Content-Encoding: gzip"]),
                       "coding"),
    "gzip that is none": (reply(THREE, fields=["Content-Encoding: gzip"]), "coding"),
    "gzip with bytes behind": (reply(encoded(THREE, "gzip") + b"zq",
                                     fields=["Content-Encoding: gzip"]), "coding"),
    "a bomb": (reply(BOMB, fields=["Content-Encoding: gzip"]), None),
    "JSON cut short": (reply(THREE[:-5]), "truncated"),
    "bytes behind JSON": (reply(THREE + b"{}"), "malformed"),
    "JSON that is none": (reply(b'{"resourceType":"Patient",,"id":"zqid-1"}'), "malformed"),
    "single quotes": (reply(b"{'resourceType':'Patient'}"), "malformed"),
    "a comment": (reply(b'{"resourceType":"Patient"/* zq */}'), "malformed"),
    "text": (reply(b"ZQFAMILY1 Zqgiven1 1950-01-01", "text/plain"), "media-type"),
    "a PDF": (reply(b"%PDF-1.7 zq", "application/pdf"), "media-type"),
    "a page for people": (reply(b"<html><body>ZQFAMILY1</body></html>", "text/html"), None),
    "JSON told as XML": (reply(THREE, XML), None),
    "XML told as JSON": (reply(fhir_xml([1]), JSON), "malformed"),
    "Latin-1": (reply(b'{"resourceType":"Patient","id":"zqid-1","x":"\xe9"}'), "encoding"),
    "UTF-16": (reply(THREE.decode().encode("utf-16")), None),
    "a declared UTF-16": (reply(THREE, JSON + "; charset=utf-16"), None),
    "XML of another encoding": (
        reply(fhir_xml([1]).replace(b"UTF-8", b"UTF-7"), XML), "encoding"),
    "XML with a document type": (
        reply(fhir_xml([1]).replace(b"<Bundle", b"<!DOCTYPE x><Bundle"), XML), "document-type"),
    "XML with entities": (
        reply(fhir_xml([1]).replace(b"<Bundle", b'<!DOCTYPE x [<!ENTITY a "zq">]><Bundle'), XML),
        "document-type"),
    "XML cut short": (reply(fhir_xml([1])[:-9], XML), None),
    "deep nesting": (reply(b'{"resourceType":"Patient","id":"zqid-1","x":' + b"[" * 100000
                           + b"]" * 100000 + b"}"), "too-deep"),
    "deep XML": (reply(b'<Patient xmlns="http://hl7.org/fhir">' + b"<a>" * 50000 + b"</a>" * 50000
                       + b"</Patient>", XML), "too-deep"),
    "a number": (reply(b"42"), None),
    "an object of no type": (reply(b'{"id":"zqid-1","name":[{"family":"ZQFAMILY1"}]}'), None),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_answer_nobody_understands_stays_here(lookup_gate, upstream, case):
    upstream.answer, reason = UNREADABLE[case]
    gate = lookup_gate(ceiling("patients", 100))
    began = time.monotonic()
    refused = gate.get(SEARCH)
    assert refused.status == 502, refused
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert shown(refused.body) == set() and b"zq" not in refused.body.lower()
    assert time.monotonic() - began < 3
    line = gate.newest(status=502)
    assert line["why"] in ("answer-not-understood", "answer-too-large")
    if reason:
        assert (line["finding"], line["unparsed"]) == ("unparsed", reason)
    # The gate is well.
    upstream.answer = reply(patient(1))
    assert gate.get(READ).status == 200


@pytest.mark.parametrize("case", ["text", "deep nesting", "brotli", "JSON cut short", "Latin-1"])
def test_what_is_not_understood_is_charged_where_the_route_says(lookup_gate, upstream, case):
    behave, reason = UNREADABLE[case]
    upstream.answer = behave
    gate = lookup_gate(ceiling("patients", 12), unparsed="charge", unparsed_charge=5)
    told = [gate.get(SEARCH) for _ in range(3)]
    # Nobody knows who they are: they are other patients each time.
    assert [one.status for one in told] == [200, 200, 429]
    assert told[0].body != b""
    assert gate.used("patients", PHYSICIAN) == 10
    line = gate.newest(status=200)
    assert (line["finding"], line["unparsed"], line["assumed"]) == ("unparsed", reason, 5)
    assert len(line["persons"]) == 5


@pytest.mark.parametrize("chunked", [None, 65536])
def test_an_answer_too_large_to_be_held_is_502(lookup_gate, upstream, chunked):
    upstream.answer = reply(bundle([patient(n) for n in range(3000)]), chunked=chunked)
    gate = lookup_gate(ceiling("patients", 10000), answer_max="256k")
    refused = gate.get(SEARCH)
    assert refused.status == 502 and shown(refused.body) == set()
    assert "ask for fewer" in str(refused.json())
    assert gate.newest(status=502)["why"] == "answer-too-large"
    assert gate.used("patients", PHYSICIAN) == 0
    upstream.answer = reply(patient(1))
    assert gate.get(READ).status == 200


def test_an_answer_just_small_enough_passes(lookup_gate, upstream):
    body = text(patient(1))
    body += b" " * (256 * 1024 - len(body))
    upstream.answer = reply(body)
    gate = lookup_gate(ceiling("patients", 10), answer_max="256k")
    assert gate.get(READ).body == body
    upstream.answer = reply(body + b" ")
    assert gate.get(READ).status == 502


@pytest.mark.parametrize("chunks", [None, 97])
def test_an_answer_that_comes_slowly_is_held_until_it_is_whole(lookup_gate, upstream, chunks):
    upstream.answer = reply(THREE, chunked=chunks or 1000,
                            between=lambda: time.sleep(0.01) if chunks is None else None)
    gate = lookup_gate(ceiling("patients", 2))
    with gate.connect() as connection:
        connection.send(request(SEARCH))
        refused = connection.answer()
    assert refused.status == 429 and shown(refused.body) == set()


def test_nothing_leaves_before_the_last_patient_is_known(lookup_gate, upstream):
    go = threading.Event()
    sent = threading.Event()

    def two_halves(asked, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(THREE) + THREE[:-10])
        sent.set()
        go.wait(10)
        peer.send(THREE[-10:])

    upstream.answer = two_halves
    gate = lookup_gate(ceiling("patients", 3))
    with gate.connect() as connection:
        connection.send(request(SEARCH))
        assert sent.wait(5)
        # As long as the end is missing, not even the head is there.
        with pytest.raises(AssertionError):
            connection.receive(within=0.5)
        go.set()
        assert connection.answer().body == THREE


@pytest.mark.parametrize("case", ["204", "HEAD", "304 that nobody asked for", "205", "200"])
def test_answers_without_a_body_pass(lookup_gate, upstream, case):
    gate = lookup_gate(ceiling("patients", 1))
    if case == "HEAD":
        upstream.answer = lambda asked, peer: peer.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 500\r\n\r\n")
        got = gate.get(READ, method="HEAD")
        assert (got.status, got.fields["Content-Length"]) == (200, "500")
    else:
        status = case[:3].encode()
        upstream.answer = lambda asked, peer: peer.send(
            b"HTTP/1.1 " + status + b" X\r\n" + (b"" if status[:2] != b"20" or status == b"204" else b"Content-Length: 0\r\n")
            + b"\r\n")
        got = gate.get(READ)
        assert got.status in (int(status), 502)
    assert gate.used("patients", PHYSICIAN) == 0


def test_an_error_of_the_identity_servers_passes(lookup_gate, upstream):
    gate = lookup_gate()
    for status in (400, 401, 403, 404, 500, 503):
        upstream.answer = reply(outcome(), status=status)
        got = gate.get(READ)
        assert (got.status, got.json()["resourceType"]) == (status, "OperationOutcome")


def test_a_feeds_answer_is_looked_at_too(lookup_gate, upstream):
    """A server may answer a creation with whom it found."""
    upstream.answer = reply(bundle([patient(n) for n in range(3)]), status=201)
    gate = lookup_gate(ceiling("patients", 2))
    refused = gate.post("/fhir/Patient", text(patient(9)), JSON)
    assert refused.status == 429 and shown(refused.body) == set()


def test_a_served_hold_does_not_mix_exchanges(lookup_gate, upstream):
    """Held answers on one connection, coded and plain, long and short, in order."""
    kinds = [reply(THREE), reply(encoded(THREE, "gzip"), fields=["Content-Encoding: gzip"]),
             reply(patient(1)), reply(b"{", JSON), reply(THREE, chunked=13)]
    wanted = [THREE, THREE, text(patient(1)), None, THREE]
    upstream.answer = lambda asked, peer: kinds[int(asked.target[-1])](asked, peer)
    gate = lookup_gate(ceiling("patients", 10))
    targets = [f"/fhir/Patient/zq-{step % 5}" for step in range(25)]
    with gate.connect() as connection:
        connection.send(b"".join(request(target) for target in targets))
        for step in range(25):
            got = connection.answer()
            expected = wanted[step % 5]
            assert got.status == (502 if expected is None else 200)
            assert expected is None or got.body == expected


@pytest.mark.slow  # Two hundred answers are held at once, twice.
def test_two_hundred_held_answers_have_a_bound(lookup_gate, upstream):
    """Each holds four megabytes that do not end: what is too much is refused, the rest go on."""
    go = threading.Event()
    body = text(bundle([patient(n) for n in range(100)])) + b" " * (4 << 20)

    def endless(asked, peer):
        if asked.target != SEARCH:
            peer.send(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
            return
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body) + body[:-1])
        go.wait(30)
        peer.send(body[-1:])

    upstream.answer = endless
    gate = lookup_gate(ceiling("patients", 100000))
    assert gate.get(READ).status == 404
    before = gate.resident()
    connections = [gate.connect(within=60) for _ in range(200)]
    for connection in connections:
        connection.send(request(SEARCH))
    until(lambda: len(upstream.requests) >= 200, within=30, what="all are upstream")
    most = gate.resident()
    began = time.monotonic()
    for _ in range(20):
        assert gate.get("/elsewhere").status == 404
        most = max(most, gate.resident())
    assert time.monotonic() - began < 10
    go.set()
    statuses = [connection.answer(within=30).status for connection in connections]
    for connection in connections:
        connection.close()
    # Together they are 800 MiB, more than both workers hold.
    assert set(statuses) == {200, 503}
    assert most - before < 640 << 20, f"{(most - before) >> 20} MiB"
    assert gate.get("/elsewhere").status == 404


def test_a_client_that_stalls_does_not_hold_its_worker(lookup_gate, upstream):
    """One worker; a large answer for somebody who reads nothing."""
    large = text(bundle([patient(n) for n in range(500)])) + b" " * 7_000_000
    upstream.answer = lambda asked, peer: reply(
        large if asked.target == SEARCH else patient(1))(asked, peer)
    gate = lookup_gate(ceiling("patients", 100000), change=lambda c: c.update(workers=1))
    stalled = []
    for _ in range(5):
        connection = gate.connect(within=30)
        connection.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.send(request(SEARCH))
        stalled.append(connection)
    until(lambda: len([e for e in gate.record() if e["decision"] == "allow"]) >= 5,
          what="their answers are on their way")
    began = time.monotonic()
    for _ in range(20):
        assert gate.get(READ).status == 200
    assert time.monotonic() - began < 5
    # And who stalled may still read all of it.
    assert stalled[0].answer(within=20).body == large
    for connection in stalled:
        connection.close()


def test_neutralizing_cuts_who_waits_for_a_held_answer(lookup_gate, upstream):
    go, sent = threading.Event(), threading.Event()

    def wait(asked, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(THREE) + THREE[:-1])
        sent.set()
        go.wait(10)
        peer.send(THREE[-1:])

    upstream.answer = wait
    gate = lookup_gate(ceiling("patients", 10))
    with gate.connect() as victim:
        victim.send(request(SEARCH))
        assert sent.wait(5)
        gate.do("neutralize", PHYSICIAN, "--reason", "test")
        go.set()
        _, left = victim.end()
        assert left == b""
    assert gate.used("patients", PHYSICIAN) == 0
    assert not [entry for entry in gate.record() if entry.get("persons")]


def test_an_upstream_that_dies_within_a_held_answer_is_502(lookup_gate, upstream):
    gate = lookup_gate(ceiling("patients", 10))
    for cut, chunked in ((len(THREE) - 4, None), (200, 100), (0, None)):
        upstream.answer = reply(THREE, cut=cut, chunked=chunked)
        with gate.connect() as connection:
            connection.send(request(SEARCH))
            try:
                got = connection.answer()
            except (Malformed, OSError):
                continue
        assert got.status == 502 and shown(got.body) == set()
    assert gate.used("patients", PHYSICIAN) == 0


def test_many_kinds_of_patients_at_once_go_on(lookup_gate, upstream):
    """Clients of every kind beside each other, on two workers."""
    server = FHIRServer(500)
    upstream.answer = server
    gate = lookup_gate(ceiling("patients", 10000))
    failures, lock = [], threading.Lock()

    def client(number):
        try:
            with gate.connect(within=20) as connection:
                for step in range(25):
                    one = (number * 25 + step) % 500
                    got = connection.get(f"/fhir/Patient/{identity(one)}")
                    if got.status != 200 or shown(got.body) != {one}:
                        with lock:
                            failures.append((one, got))
        except Exception as error:  # noqa: BLE001
            with lock:
                failures.append((number, error))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert failures == []
    assert gate.used("patients", PHYSICIAN) == 500
