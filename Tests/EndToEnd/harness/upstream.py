"""An identity server whose every byte a test decides.

Each connection has a thread, which reads one request after another and hands it to `answer`, a
function of the test: `answer(request, peer)` writes what it likes and may wait, break off, lie.
"""

import hashlib
import json
import re
import socket
import ssl
import struct
import threading

from .messages import Malformed, parse_fields, split_head


class Gone(Exception):
    """The gate closed the connection."""


class Request:
    """One request as it reached the identity server."""

    def __init__(self, method, target, fields, raw, connection):
        self.method = method
        self.target = target
        self.fields = fields
        self.raw = raw
        self.connection = connection
        self.body = b""

    def __repr__(self):
        return f"<{self.method} {self.target}>"


class Peer:
    """The gate, as seen from the identity server."""

    def __init__(self, server, sock, number):
        self.server = server
        self.sock = sock
        self.number = number
        self.data = b""
        self.received = 0

    def more(self):
        try:
            piece = self.sock.recv(65536)
        except (OSError, ssl.SSLError):
            piece = b""
        if not piece:
            raise Gone
        self.received += len(piece)
        self.data += piece

    def head(self):
        while (split := split_head(self.data)) is None:
            self.more()
        lines, rest = split
        raw = self.data[: len(self.data) - len(rest)]
        self.data = rest
        match = re.match(rb"([A-Z]+) (/[!-~]*|\*) HTTP/1\.1\Z", lines[0])
        if not match:
            raise Malformed(f"the gate wrote {lines[0]!r}")
        return Request(
            match[1].decode(), match[2].decode(), parse_fields(lines[1:]), raw, self.number
        )

    def take(self, count):
        while len(self.data) < count:
            self.more()
        piece, self.data = self.data[:count], self.data[count:]
        return piece

    def line(self):
        while b"\r\n" not in self.data:
            self.more()
        line, self.data = self.data.split(b"\r\n", 1)
        return line

    def body(self, request):
        """Reads the body of `request`, strictly."""
        coding = request.fields.get("Transfer-Encoding")
        length = request.fields.get("Content-Length")
        if coding is not None and (length is not None or coding != "chunked"):
            raise Malformed(f"ambiguous framing forwarded: {request.fields}")
        if coding:
            while True:
                line = self.line()
                if not re.match(rb"[0-9A-Fa-f]+\Z", line):
                    raise Malformed(f"the gate wrote chunk size {line!r}")
                size = int(line, 16)
                if size == 0:
                    break
                piece = self.take(size + 2)
                if piece[-2:] != b"\r\n":
                    raise Malformed("the gate's chunk does not end in CRLF")
                request.body += piece[:-2]
            while line := self.line():
                raise Malformed(f"a trailer was forwarded: {line!r}")
        elif length:
            request.body = self.take(int(length))

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (OSError, ssl.SSLError):
            raise Gone from None

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        raise Gone

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Gone


def answer(status=200, body=b"", fields=(), reason="OK"):
    """A plain answer with a length, as bytes."""
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def echo(request, peer):
    """Tells what came in, as a resource of FHIR that shows nobody: what a server does that no test
    has changed."""
    told = {
        "resourceType": "Basic",
        "method": request.method,
        "target": request.target,
        "fields": request.fields.pairs,
        "length": len(request.body),
        "sha256": hashlib.sha256(request.body).hexdigest(),
        "request": request.fields.get("X-Request-Id"),
        "connection": request.connection,
    }
    body = b"" if request.method == "HEAD" else json.dumps(told).encode()
    peer.send(answer(body=body, fields=["Content-Type: application/fhir+json"]))


class Upstream:
    """The scripted identity server."""

    def __init__(self, tls=None, port=0):
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.peers = set()
        self.errors = []
        self.connection_count = 0
        self.closing = False
        self.reset()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def reset(self):
        """Forgets what came and behaves as `echo` again."""
        self.requests = []
        self.errors = []
        self.answer = echo
        # Whether bodies are read before `answer` is called.
        self.reads_bodies = True
        # Called instead of reading requests, for a connection that misbehaves as a whole.
        self.connected = None

    def targets(self):
        return [request.target for request in self.requests]

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connection_count += 1
            threading.Thread(
                target=self._serve, args=(sock, self.connection_count), daemon=True
            ).start()

    def _serve(self, sock, number):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
        except (OSError, ssl.SSLError):
            return
        peer = Peer(self, sock, number)
        with self.lock:
            self.peers.add(peer)
        try:
            if self.connected:
                self.connected(peer)
                return
            while True:
                request = peer.head()
                if self.reads_bodies:
                    peer.body(request)
                self.requests.append(request)
                self.answer(request, peer)
        except Gone:
            pass
        except Malformed as error:
            self.errors.append(str(error))
        except OSError:
            pass
        finally:
            with self.lock:
                self.peers.discard(peer)
            try:
                sock.close()
            except OSError:
                pass

    def hang_up(self):
        """Ends all connections, idle ones too."""
        with self.lock:
            peers = list(self.peers)
        for peer in peers:
            try:
                peer.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
        self.hang_up()
