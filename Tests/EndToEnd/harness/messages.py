"""HTTP/1.1 as the tests read it: strictly, so that a sloppy byte of the gate's is a failure."""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


class Malformed(AssertionError):
    """The peer wrote something that HTTP/1.1 does not allow."""


class Fields:
    """Header fields in order; looked up without regard to case."""

    def __init__(self, pairs):
        self.pairs = pairs

    def all(self, name):
        return [value for key, value in self.pairs if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        if len(values) > 1:
            raise Malformed(f"{name} stands {len(values)} times")
        return values[0] if values else default

    def __getitem__(self, name):
        value = self.get(name)
        assert value is not None, f"no {name} in {self.pairs}"
        return value

    def __contains__(self, name):
        return bool(self.all(name))

    def names(self):
        return [key.lower() for key, _ in self.pairs]

    def __repr__(self):
        return repr(self.pairs)


def parse_fields(lines):
    pairs = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name):
            raise Malformed(f"bad field line {line!r}")
        if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise Malformed(f"control byte in {line!r}")
        pairs.append((name.decode("ascii"), value.strip(b" \t").decode("latin-1")))
    return Fields(pairs)


def split_head(data):
    """The lines of a head and what follows it; None while it is incomplete."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = data[:end].split(b"\r\n")
    for line in lines:
        if b"\n" in line or b"\r" in line:
            raise Malformed(f"bare CR or LF in {line!r}")
    return lines, data[end + 4 :]


@dataclass
class Answer:
    """One answer as it came over the wire."""

    status: int
    reason: str
    fields: Fields
    body: bytes
    chunked: bool = False
    trailers: Fields | None = None
    interim: list = field(default_factory=list)

    def json(self):
        import json

        return json.loads(self.body)

    @property
    def keeps_alive(self):
        return self.fields.get("Connection", "").lower() != "close"


class AnswerReader:
    """Reads answers from a source of bytes: `more()` returns some, or b"" at the end."""

    def __init__(self, more):
        self.more = more
        self.data = b""

    def _fill(self, what):
        piece = self.more()
        if not piece:
            raise Malformed(f"connection ended within {what}: {self.data[:200]!r}")
        self.data += piece

    def head(self):
        while (split := split_head(self.data)) is None:
            self._fill("a head")
        lines, self.data = split
        match = re.match(rb"HTTP/1\.1 ([1-5]\d\d) ([ -~]*)\Z", lines[0])
        if not match:
            raise Malformed(f"bad status line {lines[0]!r}")
        return int(match[1]), match[2].decode(), parse_fields(lines[1:])

    def read(self, to="GET"):
        interim = []
        while True:
            status, reason, fields = self.head()
            if status >= 200:
                break
            interim.append((status, fields))
        answer = Answer(status, reason, fields, b"", interim=interim)
        if to == "HEAD" or status in (204, 304):
            if status == 204:
                assert "Content-Length" not in fields and "Transfer-Encoding" not in fields
            return answer
        coding = fields.get("Transfer-Encoding")
        length = fields.get("Content-Length")
        if coding is not None:
            if length is not None or coding != "chunked":
                raise Malformed(f"framing is ambiguous: {fields}")
            answer.chunked = True
            answer.body = self._chunks(answer)
        elif length is not None:
            if not re.match(r"\d+\Z", length):
                raise Malformed(f"bad length {length!r}")
            answer.body = self.exactly(int(length))
        else:
            if fields.get("Connection", "").lower() != "close":
                raise Malformed("an answer without framing on a connection that stays open")
            while piece := self.more():
                self.data += piece
            answer.body, self.data = self.data, b""
        return answer

    def exactly(self, count):
        pieces, have = [self.data], len(self.data)
        while have < count:
            piece = self.more()
            if not piece:
                raise Malformed(f"connection ended after {have} of {count} bytes")
            pieces.append(piece)
            have += len(piece)
        whole = b"".join(pieces)
        self.data = whole[count:]
        return whole[:count]

    def line(self):
        while b"\r\n" not in self.data:
            self._fill("a line")
        line, self.data = self.data.split(b"\r\n", 1)
        return line

    def chunk(self):
        """The bytes of the next chunk; b"" for the last one."""
        line = self.line()
        if not re.match(rb"[0-9A-Fa-f]+\Z", line):
            raise Malformed(f"bad chunk size {line!r}")
        size = int(line, 16)
        if size == 0:
            return b""
        data = self.exactly(size + 2)
        if data[-2:] != b"\r\n":
            raise Malformed("a chunk does not end in CRLF")
        return data[:-2]

    def _chunks(self, answer):
        pieces = []
        while piece := self.chunk():
            pieces.append(piece)
        trailers = []
        while line := self.line():
            trailers.append(line)
        answer.trailers = parse_fields(trailers)
        return b"".join(pieces)
