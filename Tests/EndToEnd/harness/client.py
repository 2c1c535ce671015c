"""A client that sends exact bytes over TLS (Python's ssl is OpenSSL) and reads answers strictly."""

import socket
import ssl
import struct

from .messages import AnswerReader
from .waiting import Deadline


class Silence(AssertionError):
    """Nothing came in time."""


class Connection:
    """One TLS connection to a gate."""

    def __init__(self, address, context, sni="localhost", session=None, within=10, source=None):
        self.deadline_seconds = within
        self.raw = socket.create_connection(address, timeout=within, source_address=source)
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.tls = context.wrap_socket(
                self.raw, server_hostname=sni, session=session, suppress_ragged_eofs=False
            )
        except BaseException:
            self.raw.close()
            raise
        self.reader = AnswerReader(self._more)
        self.deadline = Deadline(within)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _more(self):
        left = self.deadline.left()
        if left == 0:
            raise Silence("nothing more came in time")
        self.tls.settimeout(left)
        try:
            return self.tls.recv(65536)
        except (TimeoutError, socket.timeout):
            raise Silence("nothing more came in time") from None

    def send(self, data):
        self.tls.settimeout(self.deadline_seconds)
        self.tls.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def answer(self, to="GET", within=None):
        """The next answer; interim ones are kept in its `interim`."""
        self.deadline = Deadline(within or self.deadline_seconds)
        return self.reader.read(to)

    def head(self, within=None):
        """Status, reason and fields of the next head; its body stays unread."""
        self.deadline = Deadline(within or self.deadline_seconds)
        return self.reader.head()

    def get(self, target="/fhir/Patient/1", fields=(), method="GET"):
        self.send(request(target, fields, method))
        return self.answer(to=method)

    def receive(self, within=None):
        """Some bytes as they come, b"" at a clean end."""
        if self.reader.data:
            data, self.reader.data = self.reader.data, b""
            return data
        self.deadline = Deadline(within or self.deadline_seconds)
        return self._more()

    def end(self, within=5):
        """Reads to the end; returns how it ended (`closed`, `torn`, `reset`) and what still came."""
        self.deadline = Deadline(within)
        left, self.reader.data = self.reader.data, b""
        try:
            while piece := self._more():
                left += piece
            return "closed", left
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return "torn", left
        except ssl.SSLError as error:
            return f"alert {error.reason}", left
        except OSError:
            return "reset", left

    def is_open(self):
        """Whether the connection is still there, with nothing to read."""
        self.tls.settimeout(0.0)
        try:
            return bool(self.tls.recv(1)) and False
        except (ssl.SSLWantReadError, BlockingIOError):
            return True
        except OSError:
            return False

    def half_close(self):
        """Says close_notify and goes on reading."""
        try:
            self.tls.settimeout(0.0)
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLError, OSError):
            pass

    def reset(self):
        self.raw_socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def raw_socket(self):
        return self.tls

    def close(self):
        try:
            self.tls.close()
        except OSError:
            pass


def request(target="/fhir/Patient/1", fields=(), method="GET", body=None, host="localhost"):
    """A well-formed request as bytes."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
