"""Identity servers that lie, break off, sleep or are gone: the client gets 502 or 504, never that."""

import ssl
import threading
import time

import pytest

from harness.client import request
from harness.messages import Malformed
from harness.ports import free_port
from harness.upstream import Upstream, answer
from harness.waiting import until

pytestmark = pytest.mark.sanitized

OK = b"HTTP/1.1 200 OK\r\n"

MALFORMED = {
    "no HTTP at all": b"hello world\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of zero": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "an unknown class of status": b"HTTP/1.1 700 OK\r\nContent-Length: 0\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "two differing lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "length and chunked": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a length that is none": OK + b"Content-Length: two\r\n\r\n{}",
    "a negative length": OK + b"Content-Length: -2\r\n\r\n{}",
    "an unknown coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a folded field": OK + b"X: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}",
    "lines ended by LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "a bare CR in a value": OK + b"X: a\rb\r\nContent-Length: 2\r\n\r\n{}",
    "a NUL in a value": OK + b"X: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "a blank before the colon": OK + b"Content-Length : 2\r\n\r\n{}",
    "no colon": OK + b"X\r\nContent-Length: 2\r\n\r\n{}",
    "an endless field": OK + b"X: " + b"a" * 100000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "too many fields": OK + b"X: 1\r\n" * 2000 + b"Content-Length: 2\r\n\r\n{}",
    "a bad chunk size": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "the end within the head": OK + b"Content-Len",
    "nothing, then the end": b"",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer_is_502(gate, upstream, case):
    def lie(request, peer):
        peer.send(MALFORMED[case])
        peer.close()

    upstream.answer = lie
    with gate.connect() as connection:
        reply = connection.get("/fhir/Patient", method="POST" if not MALFORMED[case] else "GET")
        assert reply.status == 502, reply
        assert reply.json()["resourceType"] == "OperationOutcome"
        upstream.reset()
        # The gate is well, and so is the client's connection if it was kept.
        if reply.keeps_alive:
            assert connection.get("/fhir/Patient/next").status == 200
    assert gate.get("/fhir/Patient/again").json()["target"] == "/fhir/Patient/again"


def test_bytes_beyond_an_answer_never_become_the_next_one(gate, upstream):
    forged = answer(body=b"forged")

    def twice(request, peer):
        peer.send(answer(body=b"first") + forged)

    upstream.answer = twice
    with gate.connect() as connection:
        assert connection.get("/fhir/Patient/1").body in (b"first",)
        upstream.answer = lambda request, peer: peer.send(answer(body=b"second"))
        for _ in range(4):
            assert connection.get("/fhir/Patient/2").body == b"second"


@pytest.mark.parametrize("case", ["within its length", "within a chunk"])
def test_an_answer_cut_short_is_never_passed_off_as_whole(gate, upstream, case):
    head = (b"Content-Length: 1000000\r\n\r\n" if case == "within its length"
            else b"Transfer-Encoding: chunked\r\n\r\n100000\r\n")

    def cut(request, peer):
        peer.send(OK + head + b"a" * 500000)
        peer.close()

    upstream.answer = cut
    with gate.connect() as connection:
        connection.send(request())
        try:
            reply = connection.answer()
        except (Malformed, OSError, ssl.SSLError):
            return
        assert reply.status == 502


def test_a_server_that_is_not_there_is_502(config, make_gate, upstream):
    port = free_port()
    config["identity_servers"][0]["endpoints"] = [f"http://127.0.0.1:{port}"]
    gate = make_gate(config)
    with gate.connect() as connection:
        assert connection.get().status == 502
        assert connection.get().status == 502


def test_a_server_that_does_not_answer_in_time_is_504(config, make_gate, upstream):
    config["identity_servers"][0]["answer_timeout"] = "300ms"
    gate = make_gate(config)
    done = threading.Event()
    upstream.answer = lambda request, peer: done.wait(10)
    began = time.monotonic()
    with gate.connect() as connection:
        assert connection.get().status == 504
    assert time.monotonic() - began < 5
    done.set()
    upstream.reset()
    assert gate.get("/fhir/Patient/next").status == 200


def test_a_slow_server_holds_nobody_else_up(gate, upstream):
    done = threading.Event()

    def behave(request, peer):
        if "slow" in request.target:
            done.wait(10)
        peer.send(answer(body=b"{}"))

    upstream.answer = behave
    slow = [gate.connect() for _ in range(8)]
    for connection in slow:
        connection.send(request("/fhir/Patient/slow"))
    until(lambda: len(upstream.requests) == 8, what="all slow requests are upstream")
    for _ in range(10):
        assert gate.get("/fhir/Patient/fast", within=5).status == 200
    done.set()
    for connection in slow:
        assert connection.answer().status == 200
        connection.close()


def die_idle(upstream):
    """From now on the first request on each connection already open gets no answer, only the end."""
    open_now = {peer.number for peer in upstream.peers}
    deaths = []

    def behave(request, peer):
        if request.connection in open_now:
            deaths.append(request.method)
            peer.close()
        peer.send(answer(body=b"alive"))

    upstream.answer = behave
    return deaths


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a_died_idle_connection_is_tried_once_more_where_that_is_harmless(
    config, make_gate, upstream, method
):
    config["workers"] = 1
    gate = make_gate(config)
    with gate.connect() as connection:
        assert connection.get("/fhir/Patient/warm").status == 200
        deaths = die_idle(upstream)
        assert connection.get("/fhir/Patient/again", method=method).status == 200
    assert deaths == [method]
    assert upstream.targets() == ["/fhir/Patient/warm", "/fhir/Patient/again", "/fhir/Patient/again"]


def test_a_post_is_never_sent_twice(config, make_gate, upstream):
    config["workers"] = 1
    gate = make_gate(config)
    with gate.connect() as connection:
        assert connection.get("/fhir/Patient/warm").status == 200
        deaths = die_idle(upstream)
        connection.send(request("/fhir/Patient", (), "POST", b"hello"))
        assert connection.answer().status == 502
    assert deaths == ["POST"]
    assert upstream.targets() == ["/fhir/Patient/warm", "/fhir/Patient"]


def test_a_get_is_not_sent_a_third_time(config, make_gate, upstream):
    config["workers"] = 1
    gate = make_gate(config)
    with gate.connect() as connection:
        assert connection.get("/fhir/Patient/warm").status == 200
        upstream.answer = lambda request, peer: peer.close()
        assert connection.get("/fhir/Patient/dead").status == 502
    assert upstream.targets().count("/fhir/Patient/dead") <= 2


def test_a_get_on_a_fresh_connection_that_dies_is_not_sent_again(config, make_gate, upstream):
    config["workers"] = 1
    gate = make_gate(config)
    upstream.answer = lambda request, peer: peer.close()
    assert gate.get("/fhir/Patient/dead").status == 502
    assert upstream.targets() == ["/fhir/Patient/dead"]


def test_a_get_whose_answer_had_begun_is_not_sent_again(config, make_gate, upstream):
    config["workers"] = 1
    gate = make_gate(config)
    with gate.connect() as connection:
        assert connection.get("/fhir/Patient/warm").status == 200

        def begin(request, peer):
            peer.send(b"HTTP/1.1 200 OK\r\nContent-")
            peer.close()

        upstream.answer = begin
        assert connection.get("/fhir/Patient/begun").status == 502
    assert upstream.targets() == ["/fhir/Patient/warm", "/fhir/Patient/begun"]


def test_connections_to_the_server_are_kept(config, make_gate, upstream):
    config["workers"] = 1
    gate = make_gate(config)
    with gate.connect() as one, gate.connect() as two:
        for _ in range(10):
            assert one.get().status == 200
            assert two.get().status == 200
    assert len({seen.connection for seen in upstream.requests}) <= 2


def test_a_server_that_says_close_is_not_written_to_again(config, make_gate, upstream):
    config["workers"] = 1
    gate = make_gate(config)
    upstream.answer = lambda request, peer: peer.send(answer(body=b"{}", fields=["Connection: close"]))
    with gate.connect() as connection:
        for _ in range(4):
            assert connection.get().status == 200
    assert len({seen.connection for seen in upstream.requests}) == 4


def test_idle_connections_to_the_server_are_closed(config, make_gate, upstream):
    config["identity_servers"][0]["idle_timeout"] = "200ms"
    others = set(upstream.peers)
    gate = make_gate(config)
    assert gate.get().status == 200
    until(lambda: upstream.peers <= others, what="the gate closed what it did not use")


def test_another_endpoint_takes_over(config, make_gate, upstream):
    other = Upstream()
    try:
        other.answer = lambda request, peer: peer.send(answer(body=b"other"))
        config["identity_servers"][0]["endpoints"] = [upstream.url, other.url]
        gate = make_gate(config)
        upstream.answer = lambda request, peer: peer.send(answer(body=b"first"))
        seen = {gate.get().body for _ in range(12)}
        assert seen <= {b"first", b"other"}
        other.close()
        for _ in range(12):
            reply = gate.get()
            assert (reply.status, reply.body) == (200, b"first")
    finally:
        other.close()


def test_an_endpoint_that_comes_back_is_used_again(config, make_gate, upstream):
    first = Upstream()
    port = first.port
    config["identity_servers"][0]["endpoints"] = [first.url]
    gate = make_gate(config)
    assert gate.get().status == 200
    first.close()
    until(lambda: gate.get().status == 502, what="the loss is noticed")
    again = Upstream(port=port)
    try:
        until(lambda: gate.get().status == 200, within=20, what="it is used again")
    finally:
        again.close()


def test_an_early_answer_to_an_unfinished_body_is_delivered(gate, upstream):
    upstream.reads_bodies = False

    def refuse(request, peer):
        peer.send(answer(status=403, reason="No", body=b"no", fields=["Connection: close"]))
        peer.close()

    upstream.answer = refuse
    with gate.connect() as connection:
        connection.send(request("/fhir/Patient", ["Content-Length: 5000000"], "POST") + b"a" * 1000)
        reply = connection.answer()
        assert (reply.status, reply.body) == (403, b"no")
        assert not reply.keeps_alive


def test_an_early_answer_does_not_stop_a_large_upload_from_being_answered(gate, upstream):
    upstream.reads_bodies = False

    def refuse(request, peer):
        peer.send(answer(status=409, reason="No", body=b"no"))
        try:
            while True:
                peer.data = b""
                peer.more()
        finally:
            pass

    upstream.answer = refuse
    with gate.connect() as connection:
        connection.send(request("/fhir/Patient", ["Content-Length: 8000000"], "POST"))
        try:
            for _ in range(80):
                connection.send(b"a" * 100000)
        except OSError:
            pass
        assert connection.answer().status == 409


@pytest.fixture
def tls_upstream(pki):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.path("server.pem"), pki.path("server.key"))
    context.load_verify_locations(pki.path("client-authorities.pem"))
    context.verify_mode = ssl.CERT_OPTIONAL
    server = Upstream(tls=context)
    yield server
    server.close()


def over_tls(config, pki, server, **more):
    config["identity_servers"][0].update(
        endpoints=[f"https://127.0.0.1:{server.port}"], authorities=[str(pki.path("root-ca.pem"))],
        server_name="localhost", **more)
    return config


def test_a_server_over_tls_is_verified_and_used(config, make_gate, tls_upstream, pki):
    gate = make_gate(over_tls(config, pki, tls_upstream))
    with gate.connect() as connection:
        for number in range(3):
            assert connection.get(f"/fhir/Patient/{number}").status == 200
    body = b"x" * 1000000
    tls_upstream.answer = lambda request, peer: peer.send(answer(body=body))
    assert gate.get().body == body


def test_a_server_with_another_name_is_502(config, make_gate, tls_upstream, pki):
    config = over_tls(config, pki, tls_upstream)
    config["identity_servers"][0]["server_name"] = "elsewhere.example.org"
    gate = make_gate(config)
    assert gate.get().status == 502
    assert tls_upstream.requests == []


def test_a_server_of_another_authority_is_502(config, make_gate, tls_upstream, pki):
    config = over_tls(config, pki, tls_upstream)
    pki.path("stranger.pem").write_bytes(pki.stranger.pem())
    config["identity_servers"][0]["authorities"] = [str(pki.path("stranger.pem"))]
    gate = make_gate(config)
    assert gate.get().status == 502
    assert tls_upstream.requests == []


def test_the_gate_shows_its_own_certificate_where_told(config, make_gate, tls_upstream, pki):
    shown = []

    def behave(request, peer):
        shown.append(peer.sock.getpeercert())
        peer.send(answer(body=b"{}"))

    tls_upstream.answer = behave
    certificate, key = pki.card("organisation")
    gate = make_gate(over_tls(config, pki, tls_upstream, client_certificate=str(certificate),
                              private_key=str(key)))
    assert gate.get().status == 200
    assert any(("organizationName", "CENTRE DE SANTE") in rdn for rdn in shown[0]["subject"])
