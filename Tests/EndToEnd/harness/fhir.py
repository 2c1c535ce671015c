"""A FHIR identity server with made-up patients, whose names and numbers are found by one search.

Everything that tells a patient from another holds `zq` or begins with 28005760: a test that looks
for these in the gate's state, log or record finds whatever escaped.
"""

import json
import re
import threading
import urllib.parse
import zlib

from .upstream import answer

INS = "urn:oid:1.2.250.1.213.1.4.8"
LOCAL = "urn:oid:1.2.250.1.999.7"
SECRET = re.compile(rb"zq|28005760", re.IGNORECASE)
JSON = "application/fhir+json"
ADDRESS = "https://localhost"


def matricule(number):
    """The 13 digits of a patient's INS."""
    return f"28005760{number:05d}"


def ins(number):
    """A patient's INS with its key."""
    return f"{matricule(number)}{97 - int(matricule(number)) % 97:02d}"


def ipp(number):
    return f"IPPZQ{number}"


def identity(number):
    """The id of a patient's resource."""
    return f"zqid-{number}"


def born(number):
    """A hundred patients are born on each day, from 1950-01-01 on."""
    day = number // 100
    return f"{1950 + day // 28:04d}-01-{1 + day % 28:02d}"


def patient(number, **more):
    """One patient's resource."""
    return {
        "resourceType": "Patient",
        "id": identity(number),
        "identifier": [
            {"system": INS, "value": ins(number)},
            {"system": LOCAL, "value": ipp(number)},
        ],
        "name": [{"use": "official", "family": f"ZQFAMILY{number}", "given": [f"Zqgiven{number}"]}],
        "gender": "female",
        "birthDate": born(number),
        "telecom": [
            {"system": "phone", "value": f"06zq{number}"},
            {"system": "email", "value": f"zq{number}@example.org"},
        ],
        "address": [{"line": [f"{number} rue Zq"], "city": "ROUEN", "postalCode": "76000"}],
        **more,
    }


def bundle(resources, kind="searchset", modes=None, **more):
    """A Bundle of resources, which match unless `modes` says otherwise."""
    entries = []
    for index, resource in enumerate(resources):
        entry = {"fullUrl": f"{ADDRESS}/fhir/{resource['resourceType']}/{resource.get('id', 'x')}",
                 "resource": resource}
        if kind == "searchset":
            entry["search"] = {"mode": modes[index] if modes else "match"}
        entries.append(entry)
    told = {"resourceType": "Bundle", "id": "b1", "type": kind, **more}
    if kind == "searchset":
        told.setdefault("total", len(resources))
    if entries:
        told["entry"] = entries
    return told


def outcome(code="not-found"):
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


def text(resource):
    return json.dumps(resource, ensure_ascii=False).encode()


def encoded(body, coding):
    """A body under a content coding: gzip, deflate (zlib's), or raw deflate."""
    bits = {"gzip": 31, "deflate": 15, "raw": -15}[coding]
    packer = zlib.compressobj(6, zlib.DEFLATED, bits)
    return packer.compress(body) + packer.flush()


def reply(body, kind=JSON, status=200, fields=(), chunked=None, cut=None, between=None):
    """The bytes of an answer, in pieces: a function for `Upstream.answer`.

    `chunked` is a size of chunks, `cut` a number of body bytes after which the connection ends,
    `between` is called before each piece but the first.
    """
    body = text(body) if isinstance(body, (dict, list)) else body
    lines = [*fields]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")

    def send(request, peer):
        whole = b"" if request.method == "HEAD" else body
        if chunked is None:
            data = answer(status, whole if cut is None else body, lines)
            if cut is not None:
                peer.send(data[: len(data) - len(body) + cut])
                peer.close()
            if between is None:
                peer.send(data)
                return
            for start in range(0, len(data), 1 + len(data) // 8):
                if start:
                    between()
                peer.send(data[start : start + 1 + len(data) // 8])
            return
        head = "\r\n".join([f"HTTP/1.1 {status} OK", "Transfer-Encoding: chunked", *lines, "", ""])
        peer.send(head.encode("latin-1"))
        for start in range(0, len(whole), chunked):
            if start and between is not None:
                between()
            piece = whole[start : start + chunked]
            if cut is not None and start + chunked > cut:
                peer.send(b"%x\r\n" % len(piece) + piece[: max(0, cut - start)])
                peer.close()
            peer.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
        peer.send(b"0\r\n\r\n")

    return send


class FHIRServer:
    """Answers as an identity server with `count` patients does; for `Upstream.answer`."""

    def __init__(self, count=1000, base="/fhir"):
        self.count = count
        self.base = base
        self.links = {}
        self.lock = threading.Lock()

    def __call__(self, request, peer):
        status, resource = self.dispatch(request.method, request.target, request.body)
        body = b"" if resource is None or request.method == "HEAD" else text(resource)
        peer.send(answer(status, body, [f"Content-Type: {JSON}"]))

    def dispatch(self, method, target, body=b""):
        """Status and resource of one request; also of an entry of a batch."""
        path, _, query = target.partition("?")
        path = urllib.parse.unquote(path)
        if path.startswith(self.base):
            path = path[len(self.base):]
        parts = [part for part in path.split("/") if part]
        asked = urllib.parse.parse_qs(query, keep_blank_values=True)
        if method == "POST" and parts[-1:] == ["_search"]:
            parts = parts[:-1]
            for key, values in urllib.parse.parse_qs(body.decode()).items():
                asked.setdefault(key, []).extend(values)
            method = "GET"
        if method in ("PUT", "PATCH", "DELETE"):
            return 200, outcome("informational")
        if not parts:
            return self.batch(body) if method == "POST" else self.page(asked)
        if parts[0] == "metadata":
            return 200, {"resourceType": "CapabilityStatement", "status": "active"}
        if parts[0] == "Patient":
            return self.patients(method, parts[1:], asked, body)
        if parts[0] == "Encounter":
            return self.encounters(asked)
        return 404, outcome()

    def find(self, ident):
        match = re.fullmatch(r"zqid-(\d+)", ident)
        return int(match[1]) if match and int(match[1]) < self.count else None

    def patients(self, method, parts, asked, body):
        if not parts:
            if method == "POST":
                return 201, outcome("informational")
            return self.search(asked)
        if parts[0] == "$match":
            wanted = json.loads(body.decode("utf-8-sig"))
            for parameter in wanted.get("parameter", []):
                wanted = parameter.get("resource", wanted)
            values = [one["value"] for one in wanted.get("identifier", [])]
            return 200, bundle([patient(n) for n in range(self.count) if ipp(n) in values])
        if parts[0] == "$ihe-pix":
            value = asked["sourceIdentifier"][0].partition("|")[2]
            match = re.fullmatch(r"IPPZQ(\d+)", value)
            if not match or int(match[1]) >= self.count:
                return 404, outcome()
            number = int(match[1])
            return 200, {"resourceType": "Parameters", "parameter": [
                {"name": "targetIdentifier",
                 "valueIdentifier": {"system": INS, "value": ins(number)}},
                {"name": "targetId", "valueReference": {"reference": f"Patient/{identity(number)}"}},
            ]}
        number = self.find(parts[0])
        if number is None:
            return 404, outcome()
        if parts[1:] == ["_history"]:
            return 200, bundle([patient(number), patient(number)], "history")
        if parts[1:] == ["$everything"]:
            return 200, bundle([patient(number), encounter(number)])
        return 200, patient(number)

    def search(self, asked):
        numbers = []
        for value in [one for text in asked.get("identifier", []) for one in text.split(",")]:
            bare = value.partition("|")[2] or value
            if match := re.fullmatch(r"IPPZQ(\d+)", bare):
                numbers.append(int(match[1]))
            elif bare.startswith("28005760"):
                numbers.append(int(bare[8:13]))
        numbers += [number for text in asked.get("_id", []) for one in text.split(",")
                    if (number := self.find(one)) is not None]
        for value in asked.get("birthdate", []):
            numbers += [n for n in range(self.count) if born(n) == value]
        numbers = [n for n in dict.fromkeys(numbers) if n < self.count]
        return 200, self.paged(numbers, int(asked.get("_count", ["10"])[0]), 0)

    def paged(self, numbers, count, offset, link=None):
        shown = numbers[offset : offset + count]
        told = bundle([patient(n) for n in shown], total=len(numbers))
        if offset + count < len(numbers):
            with self.lock:
                link = link or f"link-{len(self.links) + 1}-{id(self):x}"
                self.links[link] = (numbers, count)
            told["link"] = [
                {"relation": "self", "url": f"{ADDRESS}{self.base}/Patient"},
                {"relation": "next", "url": f"{ADDRESS}{self.base}?_getpages={link}"
                                            f"&_getpagesoffset={offset + count}&_count={count}"},
            ]
        return told

    def page(self, asked):
        link = asked.get("_getpages", [""])[0]
        if link not in self.links:
            return 410, outcome("expired")
        numbers, count = self.links[link]
        offset = int(asked.get("_getpagesoffset", ["0"])[0])
        return 200, self.paged(numbers, count, offset, link)

    def encounters(self, asked):
        count = int(asked.get("_count", ["3"])[0])
        resources = [encounter(n) for n in range(count)]
        modes = ["match"] * count
        if "_include" in asked:
            resources += [patient(n) for n in range(count)]
            modes += ["include"] * count
        return 200, bundle(resources, modes=modes)

    def batch(self, body):
        entries = []
        for entry in json.loads(body.decode("utf-8-sig")).get("entry", []):
            asked = entry["request"]
            status, resource = self.dispatch(asked["method"], "/" + asked["url"].lstrip("/"))
            entries.append({"resource": resource, "response": {"status": str(status)}})
        return 200, {"resourceType": "Bundle", "type": "batch-response", "entry": entries}


def encounter(number):
    return {"resourceType": "Encounter", "id": f"zqenc-{number}", "status": "finished",
            "class": {"code": "AMB"},
            "subject": {"reference": f"Patient/{identity(number)}",
                        "display": f"ZQFAMILY{number} Zqgiven{number}"}}


def batch(*requests, kind="batch"):
    """The body of a batch: `GET Patient/1`."""
    return text({"resourceType": "Bundle", "type": kind, "entry": [
        {"request": dict(zip(("method", "url"), request.split(" ", 1)))} for request in requests]})


def next_link(resource):
    """Where a Bundle's next page is, as a target; None for the last page."""
    for link in resource.get("link", []):
        if link["relation"] == "next":
            return link["url"].removeprefix(ADDRESS)
    return None


def shown(body):
    """The numbers of all patients that bytes hold, by any of their marks."""
    found = re.findall(rb"zq(?:family|given|id-|enc-)(\d+)|IPPZQ(\d+)|28005760(\d{5})", body,
                       re.IGNORECASE)
    return {int(next(filter(None, one))) for one in found}
