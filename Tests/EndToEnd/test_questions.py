"""What is asked decides, not how it is spelled: every request on a lookup route is classified."""

import gzip

import pytest

from harness import soap
from harness.client import request
from harness.fhir import JSON, LOCAL, batch, identity, ipp, reply
from harness.gate import ceiling
from harness.pki import PHYSICIAN
from harness.upstream import answer

pytestmark = pytest.mark.sanitized

FORM = "application/x-www-form-urlencoded"
ONE = f"Patient/{identity(1)}"
BY_ID = f"identifier={LOCAL}%7C{ipp(1)}"
BY_BIRTH = "family=DURAND&birthdate=1950-01-01"

# Method and target; status of the answer; what the record says it is.
GETS = {
    "a read": (f"GET /fhir/{ONE}", 200, "read"),
    "a read by HEAD": (f"HEAD /fhir/{ONE}", 200, "read"),
    "a read with a format": (f"GET /fhir/{ONE}?_format=json", 200, "read"),
    "a version": (f"GET /fhir/{ONE}/_history/3", 200, "vread"),
    "the history of one": (f"GET /fhir/{ONE}/_history", 200, "history"),
    "the history of all patients": ("GET /fhir/Patient/_history", 403, "history-type"),
    "the history of the server": ("GET /fhir/_history", 403, "history-system"),
    "a search by identifier": (f"GET /fhir/Patient?{BY_ID}", 200, "search"),
    "a search by name and birth date": (f"GET /fhir/Patient?{BY_BIRTH}", 200, "search"),
    "a search by HEAD": (f"HEAD /fhir/Patient?{BY_BIRTH}", 200, "search"),
    "a search of everything": (f"GET /fhir?{BY_ID}", 403, "search-system"),
    "a search of everything by name": (f"GET /fhir/?{BY_BIRTH}&_type=Patient", 403, "search-system"),
    "a search of encounters": ("GET /fhir/Encounter?patient=Patient/zqid-1", 200, "search"),
    "encounters with their patients": (
        "GET /fhir/Encounter?identifier=a%7Cb&_include=Encounter:patient", 200, "search"),
    "a related person": ("GET /fhir/RelatedPerson/1", 404, "read"),
    "everything of one": (f"GET /fhir/{ONE}/$everything", 200, "everything"),
    "everything of all": ("GET /fhir/Patient/$everything", 403, "everything-type"),
    "a bulk export": ("GET /fhir/$export", 403, "export"),
    "an export of patients": ("GET /fhir/Patient/$export", 403, "export"),
    "an export of a group": ("GET /fhir/Group/1/$export", 403, "export"),
    "graphql": ("GET /fhir/$graphql?query=%7BPatientList%7Bname%7D%7D", 403, "graphql"),
    "graphql on one": (f"GET /fhir/{ONE}/$graphql?query=%7Bname%7D", 403, "graphql"),
    "an operation nobody listed": (f"GET /fhir/{ONE}/$summary", 403, "operation"),
    "an operation on a type": ("GET /fhir/Patient/$lastn", 403, "operation"),
    "an operation on the server": ("GET /fhir/$docref", 403, "operation"),
    "a cross-reference": (
        f"GET /fhir/Patient/$ihe-pix?sourceIdentifier={LOCAL}%7C{ipp(1)}", 200, "cross-reference"),
    "a document": ("GET /fhir/Binary/1", 403, "document"),
    "what is said of the server": ("GET /fhir/metadata", 200, "capabilities"),
    "SMART's configuration": ("GET /fhir/.well-known/smart-configuration", 404, "capabilities"),
    "a compartment": (f"GET /fhir/{ONE}/Encounter", 200, "search"),
    "a read spelled in escapes": ("GET /fhir/%50atient/zqid%2D1", 200, "read"),
    "a history spelled in escapes": ("GET /fhir/%5fhistory", 403, "history-system"),
    "an export spelled in escapes": ("GET /fhir/%24export", 403, "export"),
    "everything spelled in escapes": ("GET /fhir/Patient/%24everythin%67", 403, "everything-type"),
    "a type in lower case": ("GET /fhir/patient/1", 403, "unknown"),
    "an instance of nothing": (f"GET /fhir/{ONE}/what/is/this", 403, "unknown"),
    "a form by GET": (f"GET /fhir/Patient/_search?{BY_ID}", 403, "unknown"),
    "OPTIONS": ("OPTIONS /fhir/Patient", 403, "unknown"),
    "a deletion": (f"DELETE /fhir/{ONE}", 200, "feed"),
}


def ask(gate, line, body=None, kind=None):
    method, target = line.split(" ", 1)
    if body is None:
        return gate.get(target, method=method)
    return gate.post(target, body, kind, method=method)


def judged(gate, reply, status, interaction):
    assert reply.status == status, reply
    line = gate.newest(status=status)
    assert line.get("interaction") == interaction, line
    if status == 403 and "why" in line:
        assert line["why"] in ("interaction-not-allowed", "vague")


@pytest.fixture
def gate(lookup_gate, patients):
    return lookup_gate()


@pytest.mark.parametrize("case", GETS)
def test_a_request_is_what_its_protocol_says(gate, patients, case):
    line, status, interaction = GETS[case]
    judged(gate, ask(gate, line), status, interaction)
    assert len(patients.requests) == (0 if status == 403 else 1)


POSTS = {
    "a search by form": ("/fhir/Patient/_search", BY_BIRTH.encode(), FORM, 200, "search"),
    "a form with a charset": (
        "/fhir/Patient/_search", BY_BIRTH.encode(), FORM + "; charset=UTF-8", 200, "search"),
    "a form beside a format": (
        "/fhir/Patient/_search?_format=json", BY_BIRTH.encode(), FORM, 200, "search"),
    # A server may heed one of the two only, so each has to be narrow.
    "a form that is narrow with its query only": (
        "/fhir/Patient/_search?birthdate=1950-01-01", b"family=DURAND", FORM, 403, "search"),
    "a form of the whole server": ("/fhir/_search", BY_ID.encode(), FORM, 403, "search-system"),
    "a match": ("/fhir/Patient/$match", b'{"resourceType":"Patient","identifier":[{"system":'
                b'"urn:oid:1.2.250.1.999.7","value":"IPPZQ1"}]}', JSON, 200, "match"),
    "a match within parameters": (
        "/fhir/Patient/$match",
        b'{"resourceType":"Parameters","parameter":[{"name":"resource","resource":'
        b'{"resourceType":"Patient","birthDate":"1950-01-01","name":[{"family":"DURAND"}]}},'
        b'{"name":"onlyCertainMatches","valueBoolean":true}]}', JSON, 200, "match"),
    "a creation": ("/fhir/Patient", b'{"resourceType":"Patient"}', JSON, 201, "feed"),
    "a subscription": ("/fhir/Subscription", b'{"resourceType":"Subscription"}', JSON, 403,
                       "subscription"),
    "graphql by POST": ("/fhir/$graphql", b'{"query":"{PatientList{name}}"}', JSON, 403, "graphql"),
    "an unknown operation": ("/fhir/Patient/$merge", b"{}", JSON, 403, "operation"),
    "a batch": ("/fhir", batch(f"GET {ONE}", f"GET Patient?{BY_BIRTH}"), JSON, 200, "batch"),
    "a batch at the base's slash": ("/fhir/", batch(f"GET {ONE}"), JSON, 200, "batch"),
    "a transaction": ("/fhir", batch(f"GET {ONE}", kind="transaction"), JSON, 200, "transaction"),
    "a batch of feeds": ("/fhir", batch("PUT Patient?identifier=1", "POST Patient"), JSON, 200,
                         "batch"),
    "a batch with a byte order mark": (
        "/fhir", b"\xef\xbb\xbf" + batch(f"GET {ONE}"), JSON, 200, "batch"),
    "an empty batch": ("/fhir", batch(), JSON, 200, "batch"),
}


@pytest.mark.parametrize("case", POSTS)
def test_a_body_tells_what_is_asked(gate, patients, case):
    target, body, kind, status, interaction = POSTS[case]
    judged(gate, gate.post(target, body, kind), status, interaction)
    assert len(patients.requests) == (0 if status == 403 else 1)
    if status != 403:
        # What was read is what the identity server gets.
        assert patients.requests[0].body == body


FORBIDDEN_IN_A_BATCH = {
    "an export": "GET Patient/$export",
    "the server's history": "GET _history",
    "all patients' history": "GET Patient/_history",
    "everything of all": "GET Patient/$everything",
    "an unknown operation": "GET Patient/$lastn",
    "graphql": "POST $graphql",
    "a vague search": "GET Patient?family=D",
    "a search without criterion": "GET Patient",
    "a search of everything": "GET ?_type=Patient",
    "an absolute URL elsewhere": "GET https://elsewhere.example/fhir/Patient/$export",
    "an escape": "GET Patient/%24export",
    "a dot segment": "GET Encounter/../Patient/$export",
    "a batch within": "POST /",
    "a subscription": "POST Subscription",
}


@pytest.mark.parametrize("place", ["alone", "first", "last"])
@pytest.mark.parametrize("case", FORBIDDEN_IN_A_BATCH)
def test_one_forbidden_entry_refuses_the_batch(gate, patients, case, place):
    entries = {"alone": [], "first": [f"GET {ONE}"], "last": [f"GET {ONE}"] * 3}[place]
    bad = FORBIDDEN_IN_A_BATCH[case]
    entries = [bad, *entries] if place == "first" else [*entries, bad]
    refused = gate.post("/fhir", batch(*entries), JSON)
    assert refused.status in (400, 403), refused
    assert patients.requests == []


MALFORMED = {
    "a batch that is no JSON": ("/fhir", b"<Bundle/>", JSON),
    "a batch cut short": ("/fhir", batch(f"GET {ONE}")[:-4], JSON),
    "a batch of another resource": ("/fhir", b'{"resourceType":"Patient"}', JSON),
    "a batch of no type": ("/fhir", b'{"resourceType":"Bundle","entry":[]}', JSON),
    "a type said twice": (
        "/fhir", b'{"resourceType":"Bundle","type":"collection","type":"batch","entry":[]}', JSON),
    "entries said twice": (
        "/fhir", b'{"resourceType":"Bundle","type":"batch","entry":[],"entry":[{"request":'
        b'{"method":"GET","url":"Patient/$export"}}]}', JSON),
    "a URL said twice": (
        "/fhir", b'{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET",'
        b'"url":"Patient/zqid-1","url":"Patient/$export"}}]}', JSON),
    "an entry without a request": (
        "/fhir", b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":{}}]}', JSON),
    "a batch that is not UTF-8": ("/fhir", batch(f"GET {ONE}").decode().encode("utf-16"), JSON),
    "a batch as text": ("/fhir", batch(f"GET {ONE}"), "text/plain"),
    "a batch as a form": ("/fhir", batch(f"GET {ONE}"), FORM),
    "a batch of no media type": ("/fhir", batch(f"GET {ONE}"), None),
    "a batch nested too deep": (
        "/fhir", b'{"resourceType":"Bundle","type":"batch","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
        JSON),
    "a batch of too many": ("/fhir", batch(*["GET metadata"] * 12000), JSON),
    "a form as JSON": ("/fhir/Patient/_search", BY_BIRTH.encode(), JSON),
    "a form with a broken escape": ("/fhir/Patient/_search", b"family=%zz", FORM),
    "a form with a NUL": ("/fhir/Patient/_search", b"family=%00&birthdate=1950-01-01", FORM),
    "a match that is no JSON": ("/fhir/Patient/$match", b"{", JSON),
    "bytes behind the document": ("/fhir", batch(f"GET {ONE}") + b"{}", JSON),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_body_that_could_be_read_in_two_ways_is_refused(gate, patients, case):
    target, body, kind = MALFORMED[case]
    refused = gate.post(target, body, kind)
    assert refused.status in (400, 403), refused
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert patients.requests == []
    assert gate.get(f"/fhir/{ONE}").status == 200


def test_a_compressed_question_is_not_guessed_at(gate, patients):
    body = gzip.compress(batch("GET Patient/$export"))
    refused = gate.post("/fhir", body, JSON, fields=["Content-Encoding: gzip"])
    assert refused.status in (400, 403, 415), refused
    assert patients.requests == []


@pytest.mark.parametrize("field", [
    "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: GET", "X-Method-Override: GET"])
def test_a_method_that_overrides_does_not_reach_the_server(gate, patients, field):
    """Judged as one thing, done as another."""
    got = gate.post("/fhir/Patient", b"{}", JSON, fields=[field])
    assert got.status in (201, 400, 403)
    assert all(field.split(":")[0] not in seen.fields for seen in patients.requests)


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_a_question_in_small_pieces_is_understood_alike(gate, patients, cut):
    body = batch(f"GET {ONE}", f"GET Patient?{BY_BIRTH}")
    with gate.connect() as connection:
        connection.send(request("/fhir", [f"Content-Type: {JSON}", "Transfer-Encoding: chunked"],
                                "POST"))
        for start in range(0, len(body), cut):
            piece = body[start : start + cut]
            connection.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
        connection.send(b"0\r\n\r\n")
        assert connection.answer().status == 200
    assert patients.requests[0].body == body


def test_a_question_larger_than_the_route_takes_is_413(lookup_gate, patients):
    gate = lookup_gate(body_max="16k")
    body = batch(*[f"GET {ONE}"] * 500)
    assert gate.post("/fhir", body, JSON).status == 413
    with gate.connect() as connection:
        connection.send(request("/fhir", [f"Content-Type: {JSON}", "Transfer-Encoding: chunked"],
                                "POST") + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
        assert connection.answer().status == 413
    assert patients.requests == []


def test_an_operation_that_is_listed_passes(lookup_gate, patients):
    patients.answer = reply({"resourceType": "Parameters"})
    gate = lookup_gate(change=lambda config: config["routes"][0].update(operations=["summary"]))
    assert gate.get(f"/fhir/{ONE}/$summary").status == 200
    assert gate.get(f"/fhir/{ONE}/$lastn").status == 403
    assert gate.get(f"/fhir/{ONE}/$Summary").status == 403


def test_an_interaction_that_is_not_listed_is_refused(lookup_gate, patients):
    def change(config):
        config["routes"][0]["interactions"] = ["read", "history-type"]

    gate = lookup_gate(change=change)
    lines = [f"GET /fhir/{ONE}", f"GET /fhir/Patient?{BY_ID}", "GET /fhir/metadata",
             "GET /fhir/Patient/_history?_count=2", f"DELETE /fhir/{ONE}"]
    assert [ask(gate, line).status for line in lines] == [200, 403, 403, 404, 403]


def test_a_refusal_is_an_outcome_that_says_so(gate, patients):
    refused = gate.get("/fhir/$export")
    assert refused.status == 403
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert "not allowed" in str(refused.json())
    line = gate.newest(status=403)
    assert line["why"] == "interaction-not-allowed" and line["decision"] == "deny"
    assert "interactions" in line["rule"] or line["rule"].rsplit(":", 1)[1].isdigit()


# SOAP.

SOAPS = {
    "a query": (soap.query(), soap.KIND, 200, "query"),
    "a query in SOAP 1.1": (soap.query(soap=soap.SOAP11), "text/xml; charset=utf-8", 200, "query"),
    "a query by identifier": (soap.query(criteria='<livingSubjectId><value root="1.2" '
                                         'extension="1"/></livingSubjectId>'), soap.KIND, 200, "query"),
    "a query whose action lies": (
        soap.query(), soap.KIND + '; action="urn:hl7-org:v3:PRPA_IN201301UV02"', 200, "query"),
    "a cross-reference": (soap.cross_reference(1), soap.KIND, 200, "cross-reference-query"),
    "a feed": (soap.feed(), soap.KIND, 200, "feed"),
    "the end of a query": (soap.cancellation(1), soap.KIND, 200, "cancel"),
    "another interaction": (soap.query(root="PRPA_IN999999UV99"), soap.KIND, 403, "unknown"),
    "no interaction": (soap.envelope("<x/>"), soap.KIND, 403, "unknown"),
    "a query of another namespace": (
        soap.query().replace(b"urn:hl7-org:v3", b"urn:hl7-org:v2"), soap.KIND, 403, "unknown"),
}


@pytest.mark.parametrize("case", SOAPS)
def test_the_root_of_a_soap_body_decides(lookup_gate, upstream, case):
    body, kind, status, interaction = SOAPS[case]
    upstream.answer = soap.HL7Server()
    gate = lookup_gate()
    judged(gate, gate.post("/soap", body, kind), status, interaction)
    assert [seen.body for seen in upstream.requests] == ([] if status == 403 else [body])


@pytest.mark.parametrize("claimed", ["PRPA_IN201301UV02", "QUQI_IN000003UV01_Cancel", "none"])
def test_a_soap_action_that_lies_changes_nothing(lookup_gate, upstream, claimed):
    """A feed by its header, a query by its body: it shows patients, so it is counted."""
    upstream.answer = soap.HL7Server(2)
    gate = lookup_gate(ceiling("patients", 3), ceiling("lookups", 10))
    action = f'SOAPAction: "urn:hl7-org:v3:{claimed}"'
    codes = [gate.post("/soap", soap.query(n), "text/xml", fields=[action]).status for n in (1, 2)]
    # The second query begins with the same patients again.
    assert codes == [200, 200]
    assert gate.used("patients", PHYSICIAN) == 2
    assert gate.used("lookups", PHYSICIAN) == 2


BAD_XML = {
    "a document type": soap.query().replace(b"<S:Envelope", b"<!DOCTYPE x><S:Envelope", 1),
    "an entity": soap.query().replace(
        b"<S:Envelope", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><S:Envelope', 1),
    "not well-formed": soap.query().replace(b"</S:Body>", b"</S:Bodi>"),
    "cut short": soap.query()[:-20],
    "empty": b"",
    "JSON": b"{}",
    "nested too deep": soap.envelope("<a>" * 5000 + "</a>" * 5000),
    "two bodies": soap.query().replace(
        b"</S:Body>", b'</S:Body><S:Body><PRPA_IN201301UV02 xmlns="urn:hl7-org:v3"/></S:Body>'),
    "two roots": soap.query().replace(
        b"<S:Body>", b'<S:Body><PRPA_IN201301UV02 xmlns="urn:hl7-org:v3"/>'),
    "an unbound prefix": soap.query().replace(b"S:Body", b"T:Body"),
    "not UTF-8": soap.query().replace(b"DURAND", b"DUR\xffND"),
    "another encoding": soap.query().replace(b'encoding="UTF-8"', b'encoding="UTF-7"'),
}


@pytest.mark.parametrize("case", BAD_XML)
def test_a_soap_request_that_is_no_plain_xml_is_refused(lookup_gate, upstream, case):
    upstream.answer = soap.HL7Server()
    gate = lookup_gate()
    refused = gate.post("/soap", BAD_XML[case], soap.KIND)
    assert refused.status == 400, refused
    assert b"Fault" in refused.body
    assert upstream.requests == []


INSI = {
    "by traits": (soap.insi_query(), 200, "ins-by-traits"),
    "by card": (soap.envelope(f'<RECVITALE xmlns="{soap.CARD}"/>'), 200, "ins-by-card"),
    "a query of HL7": (soap.query(), 403, "unknown"),
}


@pytest.mark.parametrize("case", INSI)
def test_insi_is_told_by_its_operation(lookup_gate, upstream, case):
    body, status, interaction = INSI[case]
    upstream.answer = soap.reply(soap.insi_found(1))
    gate = lookup_gate(ceiling("patients", 5))
    judged(gate, gate.post("/insi", body, soap.KIND), status, interaction)
    if status == 200:
        assert gate.used("patients", PHYSICIAN) == 1


def test_a_get_on_a_soap_route_asks_nobody(lookup_gate, upstream):
    """A description of the service."""
    wsdl = b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>'
    upstream.answer = lambda seen, peer: peer.send(
        answer(200, wsdl, ["Content-Type: text/xml"]))
    gate = lookup_gate(ceiling("lookups", 1), unparsed="charge", unparsed_charge=1)
    assert [gate.get("/soap?wsdl").body for _ in range(3)] == [wsdl] * 3
    assert gate.used("lookups", PHYSICIAN) == 0


def test_the_server_is_asked_for_plain_bodies(gate, patients):
    """What is compressed must be opened; what is not modified tells without being counted."""
    sent = ["Accept-Encoding: gzip, br", "If-None-Match: W/\"1\"", "If-Modified-Since: Mon, 23 Nov 2026",
            "Range: bytes=0-10", "Prefer: respond-async", "Accept: application/fhir+json"]
    assert gate.get(f"/fhir/{ONE}", fields=sent).status == 200
    got = patients.requests[0].fields
    assert got.get("Accept-Encoding", "identity") == "identity"
    for name in ("If-None-Match", "If-Modified-Since", "Range"):
        assert name not in got, f"{name} reached the identity server"
    assert got["Accept"] == "application/fhir+json"
