"""Large bodies and slow peers: everything arrives, and the gate's memory stays bounded."""

import hashlib
import socket
import threading
import time

import pytest

from harness.client import request
from harness.upstream import answer

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
LARGE = 64 * MIB
# What the gate may take besides what it takes when idle, whatever flows through it.
GROWTH_MAX = 24 * MIB


class Watch:
    """The most memory a gate held while something went on."""

    def __init__(self, gate):
        self.gate = gate
        self.before = self.most = gate.resident()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self.done.wait(0.02):
            self.most = max(self.most, self.gate.resident())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    @property
    def growth(self):
        return self.most - self.before


def send_large(peer, count, chunked=False):
    piece = bytes(range(256)) * 256
    digest = hashlib.sha256()
    head = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % count
    peer.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
    for _ in range(count // len(piece)):
        digest.update(piece)
        peer.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        peer.send(b"0\r\n\r\n")
    return digest.hexdigest()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_answer_reaches_a_slow_reader_in_bounded_memory(gate, upstream, framing):
    assert gate.get().status == 200
    sent = {}

    def large(request, peer):
        began = time.monotonic()
        sent["digest"] = send_large(peer, LARGE, framing == "chunked")
        sent["seconds"] = time.monotonic() - began

    upstream.answer = large
    digest = hashlib.sha256()
    with Watch(gate) as watch, gate.connect(within=60) as connection:
        connection.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.send(request("/plain/1"))
        status, _, fields = connection.head()
        assert status == 200
        # Reads nothing for as long as the identity server could fill everything there is.
        stalled = watch.gate.resident()
        settle = time.monotonic() + 1
        while time.monotonic() < settle:
            stalled = max(stalled, watch.gate.resident())
        assert "digest" not in sent, "the whole answer was taken in before the client read it"
        if framing == "chunked":
            while piece := connection.reader.chunk():
                digest.update(piece)
            assert connection.reader.line() == b""
        else:
            left = int(fields["Content-Length"])
            while left:
                piece = connection.receive(within=30)
                digest.update(piece)
                left -= len(piece)
    assert digest.hexdigest() == sent["digest"]
    assert watch.growth < GROWTH_MAX, f"{watch.growth / MIB:.1f} MiB"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_request_reaches_a_slow_identity_server_in_bounded_memory(gate, upstream, framing):
    assert gate.get().status == 200
    upstream.reads_bodies = False
    start = threading.Event()
    seen = {"count": 0}

    def slow(request, peer):
        start.wait(20)
        digest = hashlib.sha256()

        def take(count):
            while count:
                if not peer.data:
                    peer.more()
                piece, peer.data = peer.data[:count], peer.data[count:]
                digest.update(piece)
                seen["count"] += len(piece)
                count -= len(piece)

        if framing == "chunked":
            while size := int(peer.line(), 16):
                take(size)
                assert peer.take(2) == b"\r\n"
            assert peer.line() == b""
        else:
            take(LARGE)
        seen["digest"] = digest.hexdigest()
        peer.send(answer(body=b"{}"))

    upstream.answer = slow
    piece = bytes(range(256)) * 256
    digest = hashlib.sha256()
    sent = {"count": 0}
    with Watch(gate) as watch, gate.connect(within=60) as connection:
        def feed():
            for _ in range(LARGE // len(piece)):
                digest.update(piece)
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece)
                                if framing == "chunked" else piece)
                sent["count"] += len(piece)
            if framing == "chunked":
                connection.send(b"0\r\n\r\n")

        field = "Transfer-Encoding: chunked" if framing == "chunked" else f"Content-Length: {LARGE}"
        connection.send(request("/plain/x", [field], "POST"))
        thread = threading.Thread(target=feed)
        thread.start()
        settle = time.monotonic() + 1
        while time.monotonic() < settle and sent["count"] < LARGE:
            time.sleep(0.05)
        assert sent["count"] < LARGE, "the whole body was taken in before the server read it"
        start.set()
        thread.join(50)
        assert connection.answer(within=30).status == 200
    assert seen["count"] == LARGE
    assert seen["digest"] == digest.hexdigest()
    assert watch.growth < GROWTH_MAX, f"{watch.growth / MIB:.1f} MiB"


def test_many_stalled_readers_cost_a_buffer_each(gate, upstream):
    count = 40
    upstream.answer = lambda request, peer: send_large(peer, 8 * MIB)
    assert gate.get("/elsewhere").status == 404
    connections = []
    with Watch(gate) as watch:
        for _ in range(count):
            connection = gate.connect(within=30)
            connection.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            connection.send(request("/plain/1"))
            assert connection.head()[0] == 200
            connections.append(connection)
        # Others are served meanwhile.
        for _ in range(20):
            assert gate.get("/elsewhere").status == 404
    for connection in connections:
        connection.close()
    # 256 KiB of answer may be held for each, and as much again on its way.
    assert watch.growth < count * MIB, f"{watch.growth / MIB:.1f} MiB"
    upstream.reset()
    assert gate.get().status == 200


def test_memory_is_given_back_between_bursts(gate, upstream):
    upstream.answer = lambda request, peer: peer.send(answer(body=b"x" * 200000))

    def burst():
        connections = [gate.connect(within=30) for _ in range(30)]
        for _ in range(5):
            for connection in connections:
                connection.send(request())
            for connection in connections:
                assert len(connection.answer().body) == 200000
        for connection in connections:
            connection.close()
        return gate.resident()

    burst()
    settled = burst()
    assert burst() < settled + 8 * MIB
