"""What audit trails have to look like: IHE's profiles as tables, DICOM's schema, a repository.

The rules are written from the published texts (IHE BALP 1.1, PDQm 3.2, PIXm 3.1; DICOM PS3.15
A.5.1.1), and share nothing with the code that makes the events.
"""

import base64
import http.server
import json
import ssl
import threading

from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle
from lxml import etree

from .alerts import server_context

DCM = "http://dicom.nema.org/resources/ontology/DCM"
TERMS = "http://terminology.hl7.org/CodeSystem/"
REST = "http://hl7.org/fhir/restful-interaction"
IHE = "urn:ihe:event-type-code"
BALP = "https://profiles.ihe.net/ITI/BALP/"
BASIC = BALP + "StructureDefinition/IHE.BasicAudit."
PDQM = "https://profiles.ihe.net/ITI/PDQm/StructureDefinition/IHE.PDQm."
PIXM = "https://profiles.ihe.net/ITI/PIXm/StructureDefinition/IHE.PIXm."

SOURCE, DESTINATION = (DCM, "110153"), (DCM, "110152")
APPLICATION = (DCM, "110150")
USER = (TERMS + "v3-ParticipationType", "IRCP")
TOKEN_USER = (BALP + "CodeSystem/UserAgentTypes", "UserOauthAgent")
PERSON, SYSTEM = (TERMS + "audit-entity-type", "1"), (TERMS + "audit-entity-type", "2")
REQUEST_ID = (BALP + "CodeSystem/BasicAuditEntityType", "XrequestId")
ROLE = TERMS + "object-role"


def coding(value):
    return (value.get("system"), value.get("code"))


def codings(concept):
    return [coding(one) for one in concept.get("coding", [])]


def present(one, path):
    for key in path.split("."):
        if not isinstance(one, dict) or key not in one:
            return False
        one = one[key]
    return one not in ("", [], {}, None)


def agents(client, server):
    """Slices of `agent`: by what type, how many, what must be there, what must not, what is fixed."""
    return [
        (client, (1, 1), ["who", "network"], ["media"], {}),
        (server, (1, 1), ["who", "network"], ["media"], {}),
        (USER, (0, 1), ["who"], ["media", "network"], {"requestor": True}),
    ]


TRANSACTION = (REQUEST_ID, (0, 1), ["what.identifier.value"], [], None)
PATIENT = (PERSON, (1, 1), ["what"], [], {"1"})
QUERY = (SYSTEM, (1, 1), ["query"], ["what", "lifecycle", "detail"], {"24"})
DATA = (SYSTEM, (1, 1), ["what"], [], {"3", "4", "20"})
ASKING = agents(SOURCE, DESTINATION)
READING = agents(DESTINATION, SOURCE)

# Of each profile: action, a subtype that must be there, agents, entities, whether source is server.
PROFILES = {
    BASIC + "Query": ("E", None, ASKING, [TRANSACTION, QUERY], False),
    BASIC + "PatientQuery": ("E", None, ASKING, [TRANSACTION, QUERY, PATIENT], False),
    BASIC + "Read": ("R", None, READING, [TRANSACTION, DATA], False),
    BASIC + "PatientRead": ("R", None, READING, [TRANSACTION, DATA, PATIENT], False),
    BASIC + "OAUTHaccessTokenUse.Minimal": (
        None, None, [(TOKEN_USER, (1, None), ["who", "policy"], ["media"], {"requestor": True})],
        [], False),
    PDQM + "Query.Audit.Supplier": (
        "E", (IHE, "ITI-78"), ASKING,
        [TRANSACTION, QUERY, (PERSON, (0, 1), ["what"], [], {"1"})], True),
    PDQM + "Match.Audit.Supplier": (
        "E", (IHE, "ITI-119"), ASKING,
        [TRANSACTION, QUERY, (PERSON, (0, 1), ["what"], [], {"1"})], True),
    PIXM + "Query.Audit.Manager": (
        "E", (IHE, "ITI-83"), ASKING,
        [TRANSACTION, QUERY, (PERSON, (1, 1), ["what.identifier.value"], [], {"1"})], True),
}


def problems(event):
    """What is wrong with an AuditEvent, by FHIR R4 itself and by every profile that it names."""
    found = []
    try:
        AuditEvent.model_validate(event)
    except Exception as wrong:  # pydantic tells which element
        found.append(f"FHIR: {wrong}")
    for entity in event.get("entity", []):
        if "name" in entity and "query" in entity:
            found.append("sev-1: name and query")
        if "query" in entity:
            base64.b64decode(entity["query"], validate=True)
    for profile in event.get("meta", {}).get("profile", []):
        if profile not in PROFILES:
            found.append(f"unknown profile {profile}")
            continue
        found += [f"{profile}: {text}" for text in of_profile(event, *PROFILES[profile])]
    return found


def of_profile(event, action, subtype, agent_slices, entity_slices, is_server):
    if action:
        if coding(event["type"]) != (TERMS + "audit-event-type", "rest"):
            yield f"type {event['type']}"
        if event["action"] != action:
            yield f"action {event['action']}"
        if event["outcome"] != "0":
            yield f"outcome {event['outcome']}"
        if not event.get("subtype"):
            yield "no subtype"
        if len(event["agent"]) < 2 or not event.get("entity"):
            yield "too few agents or entities"
    if subtype:
        if [coding(one) for one in event["subtype"]].count(subtype) != 1:
            yield f"subtype {subtype[1]} is not there once"
        if len(event["subtype"]) < 2:
            yield "fewer than two subtypes"
        if "modifierExtension" in event:
            yield "modifierExtension"
    for kind, count, needed, banned, fixed in agent_slices:
        matching = [one for one in event["agent"] if kind in codings(one.get("type", {}))]
        yield from of_slice(f"agent {kind[1]}", matching, count, needed, banned)
        for one in matching:
            for key, value in fixed.items():
                if one.get(key) != value:
                    yield f"agent {kind[1]}: {key} is {one.get(key)}"
            if is_server and kind == DESTINATION and one["who"] != event["source"]["observer"]:
                yield "val-audit-source: the server is not the observer"
    for kind, count, needed, banned, roles in entity_slices:
        matching = [one for one in event.get("entity", []) if coding(one.get("type", {})) == kind]
        yield from of_slice(f"entity {kind[1]}", matching, count, needed, banned)
        for one in matching:
            if roles and coding(one.get("role", {})) not in {(ROLE, code) for code in roles}:
                yield f"entity {kind[1]}: role {one.get('role')}"


def of_slice(name, matching, count, needed, banned):
    low, high = count
    if len(matching) < low or high is not None and len(matching) > high:
        yield f"{name} is there {len(matching)} times"
    for one in matching:
        yield from (f"{name}: no {path}" for path in needed if not present(one, path))
        yield from (f"{name}: {path} must not be there" for path in banned if path in one)


def bundle_problems(bundle):
    try:
        Bundle.model_validate(bundle)
    except Exception as wrong:
        return [str(wrong)]
    return [text for entry in bundle["entry"] for text in problems(entry["resource"])]


def choice(*values):
    return "<choice>" + "".join(f"<value>{one}</value>" for one in values) + "</choice>"


def optional(text):
    return f"<optional>{text}</optional>"


def many(text):
    return f"<zeroOrMore>{text}</zeroOrMore>"


def attribute(name, content="<data type='token'/>"):
    return f"<attribute name='{name}'>{content}</attribute>"


def element(name, *content):
    return f"<element name='{name}'>{''.join(content)}</element>"


def audit_message_schema(rfc3881=False):
    """DICOM's rules as RELAX NG; RFC 3881's have other names, fewer demands and no description."""
    if rfc3881:
        code = attribute("code") + "".join(
            optional(attribute(name))
            for name in ("codeSystem", "codeSystemName", "displayName", "originalText"))
    else:
        code = (attribute("csd-code") + attribute("codeSystemName")
                + optional(attribute("displayName")) + attribute("originalText"))
    coded = lambda name: element(name, code)  # noqa: E731
    base64_binary = "<data type='base64Binary'/>"
    named = ("<choice>" + element("ParticipantObjectName", "<data type='token'/>")
             + element("ParticipantObjectQuery", base64_binary) + "</choice>")
    event = element(
        "EventIdentification", optional(attribute("EventActionCode", choice(*"CRUDE"))),
        attribute("EventDateTime", "<data type='dateTime'/>"),
        attribute("EventOutcomeIndicator", choice("0", "4", "8", "12")), coded("EventID"),
        many(coded("EventTypeCode")),
        "" if rfc3881 else optional(element("EventOutcomeDescription", "<text/>")))
    participant = element(
        "ActiveParticipant", attribute("UserID", "<text/>"),
        optional(attribute("AlternativeUserID", "<text/>")),
        optional(attribute("UserName", "<text/>")),
        attribute("UserIsRequestor", "<data type='boolean'/>"),
        optional(attribute("NetworkAccessPointID")),
        optional(attribute("NetworkAccessPointTypeCode", choice(*"12345"))),
        many(coded("RoleIDCode")))
    source = element(
        "AuditSourceIdentification", optional(attribute("AuditEnterpriseSiteID")),
        attribute("AuditSourceID"),
        many(element("AuditSourceTypeCode",
                     attribute("code" if rfc3881 else "csd-code", choice(*"123456789")))))
    thing = element(
        "ParticipantObjectIdentification", attribute("ParticipantObjectID"),
        optional(attribute("ParticipantObjectTypeCode", choice(*"1234"))),
        optional(attribute("ParticipantObjectTypeCodeRole", choice(*map(str, range(1, 27))))),
        optional(attribute("ParticipantObjectDataLifeCycle", choice(*map(str, range(1, 16))))),
        optional(attribute("ParticipantObjectSensitivity")),
        coded("ParticipantObjectIDTypeCode"), optional(named) if rfc3881 else named,
        many(element("ParticipantObjectDetail", attribute("type"),
                     attribute("value", base64_binary))))
    grammar = (
        "<grammar xmlns='http://relaxng.org/ns/structure/1.0' "
        "datatypeLibrary='http://www.w3.org/2001/XMLSchema-datatypes'><start>"
        + element("AuditMessage", event, f"<oneOrMore>{participant}</oneOrMore>", source,
                  many(thing)) + "</start></grammar>")
    return etree.RelaxNG(etree.fromstring(grammar))


class Repository:
    """An audit record repository over TLS that wants to see a certificate.

    `answers` is asked of each POST, and gives a status, or None for no answer at all; the events
    that were accepted are in `accepted`, in their order, each as often as it was sent.
    """

    def __init__(self, pki, port=0):
        self.accepted = []
        self.requests = []
        self.answers = lambda path, body: 201
        self.refusal = None
        self.release = threading.Event()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.requests.append((self.path, dict(self.headers), body))
                status = hook.answers(self.path, body)
                if status is None:
                    hook.release.wait(60)
                    return
                answer = b""
                if status < 300 and body["resourceType"] == "Bundle":
                    statuses = [hook.answers("/fhir/AuditEvent", entry["resource"])
                                for entry in body["entry"]]
                    hook.accepted += [entry["resource"] for entry, one
                                      in zip(body["entry"], statuses) if one < 300]
                    status = 200
                    answer = json.dumps({
                        "resourceType": "Bundle", "type": "batch-response",
                        "entry": [{"response": {"status": f"{one} Said"}} for one in statuses],
                    }).encode()
                elif status < 300:
                    hook.accepted.append(body)
                elif hook.refusal:
                    answer = json.dumps(hook.refusal).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        context = server_context(pki, str(pki.path("client-authorities.pem")))
        assert context.verify_mode == ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"https://localhost:{self.port}/fhir"

    def ids(self):
        return [event["id"] for event in self.accepted]

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
