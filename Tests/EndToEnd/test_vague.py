"""A search that names nobody in particular is refused, and told how to ask."""

import pytest

from harness import soap
from harness.fhir import LOCAL, FHIRServer, ipp
from harness.gate import ceiling
from harness.pki import PHYSICIAN

pytestmark = pytest.mark.sanitized

VAGUE = {
    "no criterion": ("", "no-criterion"),
    "a sort only": ("?_sort=birthdate", "no-criterion"),
    "a count only": ("?_count=20", "no-criterion"),
    "a family name": ("?family=DURAND", "no-identifier-nor-birth-date"),
    "a full name": ("?family=DURAND&given=ANNE", "no-identifier-nor-birth-date"),
    "a gender": ("?gender=male", "no-identifier-nor-birth-date"),
    "a town": ("?address-postalcode=76000", "no-identifier-nor-birth-date"),
    "an empty name": ("?family=", None),
    "a name of one letter": ("?family=D", None),
    "a name of two letters": ("?name=du", None),
    "a domain without a value": (f"?identifier={LOCAL}%7C", "domain-only"),
    "a domain beside a value": (f"?identifier={LOCAL}%7C{ipp(1)},{LOCAL}%7C", "domain-only"),
    "whoever changed": ("?_lastUpdated=ge2026-01-01", "last-updated"),
    "whoever changed, with a name": ("?family=DURAND&_lastUpdated=ge2026-01-01", None),
    "a year of birth": ("?birthdate=1950", None),
    "a range of birth": ("?birthdate=ge1900-01-01", None),
    "a range of birth with a name": ("?family=DURAND&birthdate=ge1900-01-01", None),
    "a name that contains": ("?family:contains=durand", None),
    "a missing name": ("?family:missing=false", None),
    "a chain from elsewhere": ("?_has:Encounter:patient:status=finished", None),
    "a filter": ("?_filter=name%20co%20a", None),
    "too many a page": (f"?identifier={LOCAL}%7C{ipp(1)}&_count=1000", "large-count"),
    "birth in escapes": ("?%62irthdate=ge1900-01-01", None),
    "a criterion the server drops": ("?unknown=1", None),
}

NARROW = {
    "an identifier": f"?identifier={LOCAL}%7C{ipp(1)}",
    "an identifier without a domain": f"?identifier={ipp(1)}",
    "an id": "?_id=zqid-1",
    "a name and the birth date": "?family=DURAND&birthdate=1950-01-01",
    "a name of two letters and the birth date": "?family=LE&birthdate=1950-01-01&given=ANNE",
    "the birth date with eq": "?family=DURAND&birthdate=eq1950-01-01",
    "a name that contains, of a day": "?family:contains=ra&birthdate=1950-01-01",
    "a page of fifty": f"?identifier={LOCAL}%7C{ipp(1)}&_count=50",
}


@pytest.mark.parametrize("case", VAGUE)
def test_a_vague_search_is_refused_with_a_sentence(lookup_gate, patients, case):
    query, reason = VAGUE[case]
    gate = lookup_gate()
    refused = gate.get(f"/fhir/Patient{query}")
    assert refused.status == 403, refused
    issue = refused.json()["issue"][0]
    told = str(issue)
    assert "birth date" in told or "_count" in told, told
    line = gate.newest(status=403)
    assert line["why"] == "vague" and line["interaction"] == "search"
    assert line["vague"] == reason if reason else line["vague"]
    assert patients.requests == []


@pytest.mark.parametrize("case", NARROW)
def test_a_search_for_somebody_passes(lookup_gate, patients, case):
    gate = lookup_gate()
    got = gate.get(f"/fhir/Patient{NARROW[case]}")
    assert got.status == 200, got.body
    assert "vague" not in gate.newest(status=200)


def test_a_vague_form_is_refused_like_a_vague_query(lookup_gate, patients):
    gate = lookup_gate()
    form = "application/x-www-form-urlencoded"
    assert gate.post("/fhir/Patient/_search", b"family=DURAND", form).status == 403
    assert gate.post("/fhir/Patient/_search", b"", form).status == 403
    # A narrow query does not make a wide form narrow: servers differ in what they heed.
    wide = gate.post(f"/fhir/Patient/_search?identifier={ipp(1)}", b"family=D", form)
    assert wide.status == 403
    assert patients.requests == []


def test_weigh_counts_a_vague_search_for_many(lookup_gate, patients):
    gate = lookup_gate(ceiling("lookups", 21), change=lambda config: config["routes"][0].update(
        vague="weigh", vague_weight=10))
    for expected, status in ((10, 200), (20, 200), (20, 429)):
        assert gate.get("/fhir/Patient?family=DURAND").status == status
        assert gate.used("lookups", PHYSICIAN) == expected
    assert gate.get("/fhir/Patient/zqid-1").status == 200
    line = gate.newest(vague="no-identifier-nor-birth-date", status=200)
    assert line["lookups"] == 10


def test_allow_counts_it_once_and_says_so(lookup_gate, patients):
    gate = lookup_gate(ceiling("lookups", 21), vague="allow", change=lambda config: None)
    assert gate.get("/fhir/Patient?family=DURAND").status == 200
    assert gate.used("lookups", PHYSICIAN) == 1
    assert gate.newest(status=200)["vague"] == "no-identifier-nor-birth-date"


def test_the_count_of_a_page_is_the_routes(lookup_gate, patients):
    gate = lookup_gate(change=lambda config: config["routes"][0].update(count_max=5))
    target = f"/fhir/Patient?identifier={LOCAL}%7C{ipp(1)}&_count="
    assert [gate.get(target + str(count)).status for count in (1, 5, 6)] == [200, 200, 403]
    refused = gate.get(target + "6")
    assert "_count" in str(refused.json())


@pytest.mark.parametrize("criteria, is_vague", [
    (soap.by_birth("19500101"), False),
    ('<livingSubjectId><value root="1.2" extension="1"/></livingSubjectId>', False),
    ("", True),
    (soap.by_name("DURAND"), True),
    ('<livingSubjectId><value root="1.2"/></livingSubjectId>', True),
    ('<livingSubjectBirthTime><value value="1950"/></livingSubjectBirthTime>', True),
    ('<livingSubjectAdministrativeGender><value code="M"/></livingSubjectAdministrativeGender>', True),
], ids=["birth", "id", "nothing", "name", "domain", "year", "gender"])
def test_a_vague_query_by_soap_is_refused_too(lookup_gate, upstream, criteria, is_vague):
    upstream.answer = soap.HL7Server(1)
    gate = lookup_gate()
    got = gate.post("/soap", soap.query(criteria=criteria), soap.KIND)
    assert got.status == (403 if is_vague else 200), got.body
    if is_vague:
        assert b"Fault" in got.body and b"birth date" in got.body


def test_a_soap_query_for_too_many_is_vague(lookup_gate, upstream):
    upstream.answer = soap.HL7Server(1)
    gate = lookup_gate()
    assert gate.post("/soap", soap.query(quantity=50), soap.KIND).status == 200
    assert gate.post("/soap", soap.query(quantity=1000), soap.KIND).status == 403


def test_who_is_refused_for_vagueness_uses_no_lookup(lookup_gate, upstream):
    upstream.answer = FHIRServer(10)
    gate = lookup_gate(ceiling("lookups", 5))
    assert [gate.get("/fhir/Patient?family=D").status for _ in range(8)] == [403] * 8
    assert gate.used("lookups", PHYSICIAN) == 0
