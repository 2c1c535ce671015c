"""A witness of records, by C2SP's tlog-witness, made without a line of the gate's."""

import base64
import hashlib
import http.server
import struct
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from .alerts import server_context


def raw(public):
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name, kind, public):
    data = base64.b64encode(bytes([kind]) + public).decode()
    return f"{name}+{key_id(name, kind, public).hex()}+{data}"


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf(line):
    return hashlib.sha256(b"\x00" + line).digest()


def root(leaves):
    """RFC 6962 §2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:half]), root(leaves[half:]))


def consistent(m, n, old, new, proof):
    """Whether `proof` leads from the root of m leaves to that of n, RFC 6962 §2.1.2 read backwards.

    A recursion over the same splits as the one that makes proofs, so it shares nothing with the
    loop of RFC 9162 that the gate has.
    """
    if m == 0:
        return not proof
    if m == n:
        return not proof and old == new
    proof = list(proof)

    def roots(m, n, whole):
        """The roots of the first m and of all n leaves of a subtree."""
        if m == n:
            if whole:
                return old, old
            one = proof.pop(0)
            return one, one
        half = 1 << (n - 1).bit_length() - 1
        if m <= half:
            before, after = roots(m, half, whole)
            return before, node(after, proof.pop(0))
        before, after = roots(m - half, n - half, False)
        left = proof.pop(0)
        return node(left, before), node(left, after)

    try:
        before, after = roots(m, n, True)
    except IndexError:
        return False
    return not proof and before == old and after == new


def parse(note):
    """The text of a note and its signatures: (name, key id, bytes)."""
    text, lines = note.rsplit("\n\n", 1)
    signatures = []
    for line in lines.splitlines():
        mark, name, blob = line.split(" ")
        assert mark == "—"
        blob = base64.b64decode(blob, validate=True)
        signatures.append((name, blob[:4], blob[4:]))
    return text + "\n", signatures


class Witness:
    """One witness over HTTPS; `answer`, where it is set, is what it says instead."""

    def __init__(self, pki, name="witness.example/w1"):
        self.name = name
        self.key = Ed25519PrivateKey.generate()
        self.vkey = vkey(name, 4, raw(self.key.public_key()))
        self.logs = {}
        self.seen = {}
        self.requests = []
        self.verdicts = []
        self.answer = None
        self.delay = threading.Event()
        self.is_slow = False
        self.lock = threading.Lock()
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if witness.is_slow:
                    witness.delay.wait(60)
                status, text, kind = witness.take(self.path, body)
                witness.verdicts.append(status)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.handler = Handler
        self.context = server_context(pki)
        self.port = 0
        self.server = None
        self.start()

    def start(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self):
        self.delay.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/add-checkpoint"

    def rule(self, pki, **more):
        return {
            "name": "partner", "url": self.url, "key": self.vkey,
            "authorities": str(pki.path("root-ca.pem")), **more,
        }

    def trust(self, key):
        """Trusts the log whose verifier key is `NAME+HASH+KEY`."""
        name, digest, data = key.split("+", 2)
        data = base64.b64decode(data)
        assert data[0] == 1 and key_id(name, 1, data[1:]).hex() == digest
        self.logs[name] = data[1:]

    def take(self, path, body):
        plain = "text/plain; charset=utf-8"
        if self.answer is not None:
            return (*self.answer, plain)
        if path != "/add-checkpoint":
            return 404, b"", plain
        self.requests.append(body.decode())
        head, note = body.decode().split("\n\n", 1)
        first, *proof = head.split("\n")
        word, old = first.split(" ")
        assert word == "old" and str(int(old)) == old and len(proof) <= 63
        old, proof = int(old), [base64.b64decode(line, validate=True) for line in proof]
        text, signatures = parse(note)
        origin, size, digest = text.split("\n")[:3]
        size, digest = int(size), base64.b64decode(digest, validate=True)
        if origin not in self.logs:
            return 404, b"unknown log\n", plain
        public = self.logs[origin]
        own = [s for s in signatures if s[:2] == (origin, key_id(origin, 1, public))]
        try:
            assert own
            Ed25519PublicKey.from_public_bytes(public).verify(own[0][2], text.encode())
        except (AssertionError, InvalidSignature):
            return 403, b"no signature\n", plain
        if old > size:
            return 400, b"old\n", plain
        with self.lock:
            known, known_root = self.seen.get(origin, (0, None))
            if old != known or (old == size and known and known_root != digest):
                return 409, f"{known}\n".encode(), "text/x.tlog.size"
            if not consistent(old, size, known_root, digest, proof):
                return 422, b"inconsistent\n", plain
            self.seen[origin] = (size, digest)
        return 200, self.cosign(text).encode(), plain

    def cosign(self, text):
        now = int(time.time())
        signature = self.key.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
        blob = key_id(self.name, 4, raw(self.key.public_key())) + struct.pack(">Q", now) + signature
        return f"— {self.name} {base64.b64encode(blob).decode()}\n"

    def check(self, note):
        """Fails unless this witness cosigned the note."""
        text, signatures = parse(note)
        public = self.key.public_key()
        own = [s for s in signatures if s[:2] == (self.name, key_id(self.name, 4, raw(public)))]
        assert len(own) == 1
        (moment,) = struct.unpack(">Q", own[0][2][:8])
        public.verify(own[0][2][8:], f"cosignature/v1\ntime {moment}\n{text}".encode())
