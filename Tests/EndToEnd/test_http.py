"""HTTP/1.1 between client and gate: connections kept, pipelines in order, bodies framed."""

import hashlib
import os
import threading

import pytest

from harness.client import request
from harness.upstream import answer
from harness.waiting import until

pytestmark = pytest.mark.sanitized


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_a_connection_carries_many_requests(gate, upstream):
    with gate.connect() as connection:
        for number in range(20):
            assert connection.get(f"/fhir/Patient/{number}").status == 200
    assert upstream.targets() == [f"/fhir/Patient/{number}" for number in range(20)]


def test_pipelined_requests_are_answered_in_order(gate, upstream):
    count = 50
    with gate.connect() as connection:
        connection.send(b"".join(request(f"/fhir/Patient/{number}") for number in range(count)))
        targets = [connection.answer().json()["target"] for _ in range(count)]
    assert targets == [f"/fhir/Patient/{number}" for number in range(count)]


def test_a_pipeline_of_bodies_keeps_its_borders(gate, upstream):
    parts = []
    for number in range(20):
        body = os.urandom(number * 37)
        head = request(f"/fhir/Patient?{number}", ["Transfer-Encoding: chunked"], "POST")
        parts.append(
            head + chunked(*([body] if body else []))
            if number % 2
            else request(f"/fhir/Patient?{number}", (), "POST", body)
        )
        parts.append(request(f"/fhir/Patient/get-{number}"))
    with gate.connect() as connection:
        connection.send(b"".join(parts))
        answers = [connection.answer().json() for _ in parts]
    for number in range(20):
        assert answers[2 * number]["target"] == f"/fhir/Patient?{number}"
        assert answers[2 * number]["length"] == number * 37
        assert answers[2 * number + 1]["target"] == f"/fhir/Patient/get-{number}"


def test_a_refusal_within_a_pipeline_keeps_its_place(gate, upstream):
    with gate.connect() as connection:
        connection.send(request("/fhir/Patient/1") + request("/elsewhere") + request("/fhir/Patient/2"))
        assert [connection.answer().status for _ in range(3)] == [200, 404, 200]
    assert upstream.targets() == ["/fhir/Patient/1", "/fhir/Patient/2"]


def test_close_is_obeyed(gate, upstream):
    with gate.connect() as connection:
        reply = connection.get(fields=["Connection: close"])
        assert reply.status == 200
        assert not reply.keeps_alive
        assert connection.end() == ("closed", b"")


def test_an_http_1_0_client_gets_one_answer_and_the_end(gate, upstream):
    with gate.connect() as connection:
        connection.send(b"GET /fhir/Patient/1 HTTP/1.0\r\nHost: localhost\r\n\r\n")
        reply = connection.answer()
        assert reply.status == 200
        assert not reply.chunked
        assert connection.end() == ("closed", b"")


def test_an_http_1_0_client_that_asks_keeps_its_connection(gate, upstream):
    with gate.connect() as connection:
        for _ in range(3):
            connection.send(
                b"GET /fhir/Patient/1 HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
            )
            reply = connection.answer()
            assert reply.status == 200
            assert reply.fields["Connection"].lower() == "keep-alive"


def test_an_http_1_0_client_never_gets_chunks(gate, upstream):
    upstream.answer = lambda request, peer: peer.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello ", b"world"))
    with gate.connect() as connection:
        connection.send(
            b"GET /plain/1 HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
        reply = connection.answer()
        assert reply.body == b"hello world"
        assert not reply.chunked
        assert connection.end() == ("closed", b"")


def test_a_chunked_request_arrives_whole_without_its_extensions_and_trailers(gate, upstream):
    body = (b"5;name=value\r\nhello\r\n" b"6;x=\"y z\"\r\n world\r\n"
            b"0;last\r\nX-Trailer: secret\r\nHerse-Professional: 810000000001\r\n\r\n")
    with gate.connect() as connection:
        connection.send(request("/fhir/Patient", ["Transfer-Encoding: chunked"], "POST") + body)
        assert connection.answer().json()["length"] == 11
        assert connection.get("/fhir/Patient/next").status == 200
    first, second = upstream.requests
    assert first.body == b"hello world"
    assert b"secret" not in first.raw
    assert second.target == "/fhir/Patient/next"


def test_a_chunked_answer_arrives_whole_without_its_trailers(gate, upstream):
    upstream.answer = lambda request, peer: peer.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n")
    with gate.connect() as connection:
        for _ in range(2):
            reply = connection.get("/plain/1")
            assert reply.body == b"hello world"
            assert reply.chunked
            assert reply.trailers.pairs == []
            assert "Trailer" not in reply.fields


def test_an_answer_that_ends_with_its_connection_is_framed_for_the_client(gate, upstream):
    def reply(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello")
        peer.close()

    upstream.answer = reply
    with gate.connect() as connection:
        assert connection.get().body == b"hello"
        assert connection.get().body == b"hello"


def test_head_has_the_length_but_no_body(gate, upstream):
    upstream.answer = lambda request, peer: peer.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
    with gate.connect() as connection:
        reply = connection.get(method="HEAD")
        assert reply.status == 200
        assert reply.fields["Content-Length"] == "1234"
        upstream.reset()
        assert connection.get("/fhir/Patient/next").json()["target"] == "/fhir/Patient/next"


def test_a_refused_head_has_no_body(gate, upstream):
    with gate.connect() as connection:
        assert connection.get("/elsewhere", method="HEAD").status == 404
        assert connection.get("/fhir/Patient/next").json()["target"] == "/fhir/Patient/next"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body_leave_the_connection_in_step(gate, upstream, status):
    extra = b"ETag: \"1\"\r\n" if status == 304 else b""
    upstream.answer = lambda request, peer: peer.send(b"HTTP/1.1 %d X\r\n%s\r\n" % (status, extra))
    with gate.connect() as connection:
        assert connection.get().status == status
        assert connection.get().status == status
        upstream.reset()
        assert connection.get("/fhir/Patient/next").json()["target"] == "/fhir/Patient/next"


def test_a_304_may_tell_the_length_it_does_not_send(gate, upstream):
    upstream.answer = lambda request, peer: peer.send(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"1\"\r\n\r\n")
    with gate.connect() as connection:
        assert connection.get().status == 304
        assert connection.get().status == 304


def test_interim_answers_do_not_take_the_place_of_the_final_one(gate, upstream):
    upstream.answer = lambda request, peer: peer.send(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
        + answer(body=b"{}"))
    with gate.connect() as connection:
        for _ in range(3):
            assert connection.get().body == b"{}"


def test_a_client_that_expects_100_continue_is_told_to_go_on(gate, upstream):
    with gate.connect() as connection:
        connection.send(request("/fhir/Patient", ["Expect: 100-continue", "Content-Length: 5"], "POST"))
        status, _, _ = connection.head()
        assert status == 100
        connection.send(b"hello")
        assert connection.answer().json()["length"] == 5
        assert connection.get("/fhir/Patient/next").status == 200
    assert "Expect" not in upstream.requests[0].fields


def test_a_refused_client_that_expects_100_continue_is_not_told_to_go_on(gate, upstream):
    with gate.connect() as connection:
        connection.send(request("/elsewhere", ["Expect: 100-continue", "Content-Length: 5"], "POST"))
        reply = connection.answer()
        assert reply.status == 404
        assert reply.interim == []
        # The body may come or not: the connection cannot be told apart any more.
        assert not reply.keeps_alive
        assert connection.end() == ("closed", b"")
    assert upstream.requests == []


def test_a_body_sent_at_once_despite_expect_is_taken(gate, upstream):
    with gate.connect() as connection:
        connection.send(request("/fhir/Patient", ["Expect: 100-continue"], "POST", b"hello"))
        assert connection.answer().json()["length"] == 5
        assert connection.get("/fhir/Patient/next").status == 200


def test_a_body_larger_than_its_route_allows_is_413(gate, upstream):
    with gate.connect() as connection:
        connection.send(request("/small/Patient", (), "POST", b"a" * 1025))
        assert connection.answer().status == 413
        assert connection.end()[0] == "closed"
    assert upstream.requests == []
    with gate.connect() as connection:
        connection.send(request("/small/Patient", (), "POST", b"a" * 1024))
        assert connection.answer().status == 200


def test_a_chunked_body_larger_than_its_route_allows_is_413(gate, upstream):
    with gate.connect() as connection:
        connection.send(request("/small/Patient", ["Transfer-Encoding: chunked"], "POST"))
        connection.send(chunked(b"a" * 600, b"b" * 600))
        assert connection.answer().status == 413
        assert connection.end()[0] == "closed"
    # What was begun upstream never became a whole request.
    assert upstream.requests == []


def test_an_upgrade_is_refused(gate, upstream):
    with gate.connect() as connection:
        reply = connection.get(fields=["Connection: Upgrade", "Upgrade: websocket",
                                       "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA=="])
        assert reply.status >= 400
        assert connection.end() == ("closed", b"")
    assert upstream.requests == []


def test_a_client_that_half_closes_still_gets_its_answer(gate, upstream):
    go = threading.Event()

    def slow(request, peer):
        go.wait(10)
        peer.send(answer(body=b"{}"))

    upstream.answer = slow
    with gate.connect() as connection:
        connection.send(request("/fhir/Patient/last"))
        until(lambda: upstream.requests, what="the request is upstream")
        connection.half_close()
        go.set()
        # Python's ssl reads nothing after its own close_notify: the record tells.
    told = upstream.requests[0].fields["X-Request-Id"]
    entry = gate.entry(told)
    assert entry["status"] == 200 and entry["decision"] == "allow"


def test_openssl_half_closes_and_reads_on(gate, upstream, pki):
    import subprocess

    upstream.answer = lambda request, peer: peer.send(answer(body=b"hello"))
    host, port = gate.address()
    certificate, key = pki.card("physician")
    # Without -ign_eof, s_client shuts its writing side down when its input ends.
    run = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "localhost",
         "-CAfile", pki.path("root-ca.pem"), "-cert", certificate, "-cert_chain", certificate,
         "-key", key, "-quiet", "-no_ign_eof"],
        input=request("/fhir/Patient/half", ["Connection: close"]), capture_output=True, timeout=20,
    )
    assert run.returncode == 0, run.stderr
    until(lambda: upstream.targets() == ["/fhir/Patient/half"], what="the request is upstream")


def test_bodies_of_all_sizes_arrive_unchanged(gate, upstream):
    seed = os.urandom(70000)
    with gate.connect() as connection:
        for size in (0, 1, 16383, 16384, 16385, 65535, 65536, 65537, 70000):
            connection.send(request("/fhir/Patient/x", (), "PUT", seed[:size]))
            told = connection.answer().json()
            assert told["sha256"] == hashlib.sha256(seed[:size]).hexdigest(), size
