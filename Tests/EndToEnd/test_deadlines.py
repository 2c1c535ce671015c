"""Slow clients are told so and let go; nobody waits for them."""

import socket
import ssl
import time

import pytest

from harness.client import request
from harness.waiting import Deadline, until

pytestmark = pytest.mark.slow


@pytest.fixture
def hasty(config, make_gate):
    """A gate with short deadlines: head 400 ms, body 400 ms, idle 600 ms, handshake 500 ms."""
    config["listeners"][0]["timeouts"] = {
        "handshake": "500ms", "head": "400ms", "body": "400ms", "idle": "600ms", "total": "3s",
    }
    return make_gate(config)


def test_an_unfinished_head_is_408(hasty, upstream):
    with hasty.connect() as connection:
        connection.send(request()[:-2])
        began = time.monotonic()
        assert connection.answer().status == 408
        assert 0.2 < time.monotonic() - began < 3
        assert connection.end() == ("closed", b"")
    assert upstream.requests == []


def test_a_head_that_trickles_is_408(hasty, upstream):
    with hasty.connect() as connection:
        connection.send(b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        deadline = Deadline(5)
        try:
            while connection.is_open() and not deadline.is_past():
                connection.send(b"a")
                time.sleep(0.05)
        except OSError:
            pass
        assert not deadline.is_past(), "each byte was worth another wait"
    assert upstream.requests == []


def test_a_body_that_stops_is_408_and_never_whole_upstream(hasty, upstream):
    with hasty.connect() as connection:
        connection.send(request("/fhir/Patient", ["Content-Length: 10"], "POST") + b"hello")
        began = time.monotonic()
        assert connection.answer().status == 408
        assert time.monotonic() - began < 2, "the exchange's own end came first"
        assert connection.end()[0] == "closed"
    assert upstream.requests == []


def test_a_body_that_goes_on_is_given_time(hasty, upstream):
    with hasty.connect() as connection:
        connection.send(request("/fhir/Patient", ["Content-Length: 10"], "POST"))
        for _ in range(10):
            connection.send(b"a")
            time.sleep(0.1)
        assert connection.answer().json()["length"] == 10


def test_an_idle_connection_is_closed_without_a_word(hasty):
    with hasty.connect() as connection:
        assert connection.get().status == 200
        began = time.monotonic()
        assert connection.end() == ("closed", b"")
        assert 0.3 < time.monotonic() - began < 4


def test_a_connection_that_never_asks_is_closed_without_a_word(hasty):
    with hasty.connect() as connection:
        assert connection.end() == ("closed", b"")


def test_a_handshake_that_never_comes_costs_no_descriptor(hasty):
    """The kernel may keep a silent client to itself; the gate must not keep it for long."""
    assert hasty.get("/elsewhere").status == 404
    before = hasty.descriptors()
    silent = [socket.create_connection(hasty.address()) for _ in range(50)]
    try:
        until(lambda: hasty.descriptors() <= before + 2, within=4, what="they are let go")
        assert hasty.get("/elsewhere").status == 404
    finally:
        for raw in silent:
            raw.close()


def test_a_handshake_that_stops_after_its_first_byte_is_ended(hasty):
    with socket.create_connection(hasty.address()) as raw:
        raw.settimeout(5)
        raw.sendall(b"\x16")
        began = time.monotonic()
        assert raw.recv(100) == b""
        assert time.monotonic() - began < 4


def test_a_handshake_cut_in_the_middle_is_ended(hasty, pki):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = pki.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with socket.create_connection(hasty.address()) as raw:
        raw.settimeout(5)
        raw.sendall(outgoing.read())
        deadline = Deadline(5)
        while raw.recv(65536):
            assert not deadline.is_past()


def test_an_exchange_has_an_end_whatever_trickles(hasty, upstream):
    def trickle(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(1000):
            peer.send(b"a")
            time.sleep(0.05)

    upstream.answer = trickle
    with hasty.connect() as connection:
        connection.send(request("/plain/1"))
        assert connection.head()[0] == 200
        began = time.monotonic()
        _, body = connection.end(within=8)
        assert len(body) < 100000
        assert time.monotonic() - began < 6


def test_clear_text_http_is_answered_by_the_end_alone(hasty, upstream):
    with socket.create_connection(hasty.address()) as raw:
        raw.settimeout(5)
        raw.sendall(request())
        try:
            data = raw.recv(1000)
        except ConnectionResetError:
            data = b""
        assert b"HTTP/1.1 200" not in data
    assert upstream.requests == []


def test_five_hundred_slow_clients_hold_nobody_up(config, make_gate, upstream):
    gate = make_gate(config)
    slow = []
    try:
        # A third never shakes hands, the others never finish their heads.
        for number in range(500):
            if number % 3 == 0:
                slow.append(socket.create_connection(gate.address()))
            else:
                connection = gate.connect()
                connection.send(b"GET /fhir/Patient/slow HTTP/1.1\r\nX-Slow: ")
                slow.append(connection)
        worst = 0.0
        for _ in range(50):
            began = time.monotonic()
            assert gate.get().status == 200
            worst = max(worst, time.monotonic() - began)
        assert worst < 2, f"the slowest of them waited {worst:.2f} s"
    finally:
        for connection in slow:
            connection.close()
    until(lambda: gate.descriptors() < 100, within=10, what="they are all gone")
