"""HL7 v3 and INSi as an identity server speaks them, with the patients of `fhir`."""

import re

from .fhir import INS, LOCAL, born, ins, ipp, matricule
from .upstream import answer

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
KIND = "application/soap+xml; charset=UTF-8"
HL7 = "urn:hl7-org:v3"
QUERY_ROOT = "1.2.840.99.1"


def envelope(body, action="", soap=SOAP12):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<S:Envelope xmlns:S="{soap}"><S:Header>'
        f'<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">{action}</a:Action></S:Header>'
        f"<S:Body>{body}</S:Body></S:Envelope>"
    ).encode()


def query_id(number):
    return f'<queryId root="{QUERY_ROOT}" extension="{number}"/>'


def query(number=1, criteria=None, quantity=None, root="PRPA_IN201305UV02", soap=SOAP12):
    """ITI-47: a search by name and birth date unless `criteria` says otherwise."""
    if criteria is None:
        criteria = by_birth("19500101")
    limit = f'<initialQuantity value="{quantity}"/>' if quantity else ""
    return envelope(
        f'<{root} xmlns="{HL7}" ITSVersion="XML_1.0"><id root="1.2.3" extension="7"/>'
        f'<controlActProcess classCode="CACT" moodCode="EVN"><queryByParameter>{query_id(number)}'
        f'<statusCode code="new"/>{limit}<parameterList>{criteria}</parameterList>'
        f"</queryByParameter></controlActProcess></{root}>", f"{HL7}:{root}", soap)


def by_birth(day, name="DURAND"):
    return (f'<livingSubjectBirthTime><value value="{day}"/></livingSubjectBirthTime>'
            + by_name(name))


def by_name(name):
    return f"<livingSubjectName><value><family>{name}</family></value></livingSubjectName>"


def by_identifier(number, value="patientIdentifier"):
    return f'<{value}><value root="{LOCAL[8:]}" extension="{ipp(number)}"/></{value}>'


def cross_reference(patient):
    """ITI-45."""
    return query(9, by_identifier(patient), root="PRPA_IN201309UV02")


def continuation(number, quantity=5):
    return envelope(
        f'<QUQI_IN000003UV01 xmlns="{HL7}"><controlActProcess><queryContinuation>'
        f'{query_id(number)}<continuationQuantity value="{quantity}"/></queryContinuation>'
        "</controlActProcess></QUQI_IN000003UV01>", f"{HL7}:QUQI_IN000003UV01_Continue")


def cancellation(number):
    return envelope(
        f'<QUQI_IN000003UV01_Cancel xmlns="{HL7}"><controlActProcess><queryContinuation>'
        f'{query_id(number)}<statusCode code="aborted"/></queryContinuation>'
        "</controlActProcess></QUQI_IN000003UV01_Cancel>", f"{HL7}:QUQI_IN000003UV01_Cancel")


def feed():
    """ITI-44: a new patient."""
    return envelope(
        f'<PRPA_IN201301UV02 xmlns="{HL7}"><controlActProcess/></PRPA_IN201301UV02>',
        f"{HL7}:PRPA_IN201301UV02")


def patient(number, p="", with_local=True):
    local = f'<{p}id root="{LOCAL[8:]}" extension="{ipp(number)}"/>' if with_local else ""
    return (
        f'<{p}subject><{p}registrationEvent><{p}statusCode code="active"/><{p}subject1>'
        f'<{p}patient classCode="PAT"><{p}id root="{INS[8:]}" extension="{ins(number)}"/>{local}'
        f"<{p}patientPerson><{p}name><{p}family>ZQFAMILY{number}</{p}family>"
        f"<{p}given>Zqgiven{number}</{p}given></{p}name>"
        f'<{p}birthTime value="{born(number).replace("-", "")}"/></{p}patientPerson>'
        f"</{p}patient></{p}subject1></{p}registrationEvent></{p}subject>")


def found(numbers, number=1, root="PRPA_IN201306UV02", prefix="", declared=None, **more):
    """The answer to a query: patients, whatever quantity is declared."""
    p = f"{prefix}:" if prefix else ""
    space = f'xmlns:{prefix}="{HL7}"' if prefix else f'xmlns="{HL7}"'
    numbers = list(numbers)
    code = "OK" if numbers else "NF"
    count = len(numbers) if declared is None else declared
    return envelope(
        f'<{p}{root} {space} ITSVersion="XML_1.0"><{p}acknowledgement><{p}typeCode code="AA"/>'
        f"</{p}acknowledgement><{p}controlActProcess>"
        + "".join(patient(n, p, **more) for n in numbers)
        + f'<{p}queryAck><{p}queryId root="{QUERY_ROOT}" extension="{number}"/>'
        f'<{p}queryResponseCode code="{code}"/><{p}resultTotalQuantity value="{count}"/>'
        f'<{p}resultCurrentQuantity value="{count}"/></{p}queryAck></{p}controlActProcess>'
        f"</{p}{root}>", f"{HL7}:{root}")


def acknowledged():
    return envelope(f'<MCCI_IN000002UV01 xmlns="{HL7}"/>', f"{HL7}:MCCI_IN000002UV01")


def reply(body, kind=KIND, status=200):
    def send(request, peer):
        peer.send(answer(status, body, [f"Content-Type: {kind}"]))

    return send


class HL7Server:
    """Finds `per_query` patients by any query, and as many again by each continuation."""

    def __init__(self, per_query=2):
        self.per_query = per_query
        self.given = {}

    def __call__(self, request, peer):
        body = request.body
        if match := re.search(rb"<(QUQI_IN000003UV01_Cancel|PRPA_IN20130[124]UV02)\b", body):
            return reply(acknowledged())(request, peer)
        number = int(re.search(rb'<queryId root="[^"]*" extension="(\d+)"', body)[1])
        if b"<PRPA_IN201309UV02" in body:
            sought = re.search(rb"IPPZQ(\d+)", body)
            return reply(found([int(sought[1])], number, "PRPA_IN201310UV02"))(request, peer)
        start = self.given.get(number, 0)
        self.given[number] = start + self.per_query
        return reply(found(range(start, start + self.per_query), number))(request, peer)


SEARCH = "http://www.cnamts.fr/INSiRecSans"
CARD = "http://www.cnamts.fr/INSiRecVit"
RESULT = "http://www.cnamts.fr/INSiResultat"


def insi_query(number=1):
    """A search by traits."""
    return envelope(
        f'<RECSANSVITALE xmlns="{SEARCH}"><NomNaissance>ZQFAMILY{number}</NomNaissance>'
        f"<Prenom>Zqgiven{number}</Prenom><Sexe>F</Sexe>"
        f"<DateNaissance>{born(number)}</DateNaissance></RECSANSVITALE>",
        "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite")


def insi_found(number, code="00"):
    """The answer: one person, or none with code 01 (nobody) or 02 (several)."""
    person = "" if code != "00" else (
        f"<INDIVIDU><INSACTIF><IdIndividu><NumIdentifiant>{matricule(number)}</NumIdentifiant>"
        f"<Cle>{ins(number)[13:]}</Cle></IdIndividu><OID>{INS[8:]}</OID></INSACTIF><TIQ>"
        f"<NomNaissance>ZQFAMILY{number}</NomNaissance><ListePrenom>Zqgiven{number}</ListePrenom>"
        f"<Sexe>F</Sexe><DateNaissance>{born(number)}</DateNaissance>"
        "<LieuNaissance>76540</LieuNaissance></TIQ></INDIVIDU>")
    return envelope(
        f'<RESULTAT xmlns="{RESULT}"><CR><CodeCR>{code}</CodeCR></CR>{person}</RESULTAT>')
