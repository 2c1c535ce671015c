"""A link to the next page is for whom it was given to."""

import pytest

from harness import soap
from harness.fhir import FHIRServer, bundle, next_link, patient, reply, shown
from harness.gate import ceiling
from harness.pki import PHYSICIAN

pytestmark = pytest.mark.sanitized

SEARCH = "/fhir/Patient?family=DURAND&birthdate=1950-01-01&_count=10"


def first_page(gate, card="physician"):
    got = gate.get(SEARCH, card=card)
    assert got.status == 200, got.body
    return next_link(got.json())


def test_who_searched_follows_the_links_to_the_end(lookup_gate, patients):
    gate = lookup_gate()
    with gate.connect() as connection:
        got = connection.get(SEARCH)
        seen = shown(got.body)
        while link := next_link(got.json()):
            got = connection.get(link)
            assert got.status == 200, got.body
            seen |= shown(got.body)
    assert seen == set(range(100))
    assert gate.newest(interaction="page")["decision"] == "allow"


def test_who_was_not_given_a_link_cannot_follow_it(lookup_gate, patients):
    gate = lookup_gate()
    link = first_page(gate)
    asked = len(patients.requests)
    refused = gate.get(link, card="pharmacist")
    assert refused.status == 403 and shown(refused.body) == set()
    assert "search again" in str(refused.json())
    assert gate.newest(status=403)["why"] == "page-not-yours"
    assert len(patients.requests) == asked
    # The owner still can.
    assert gate.get(link).status == 200


@pytest.mark.parametrize("target", [
    "/fhir?_getpages=link-999&_getpagesoffset=10&_count=10",
    "/fhir/?_getpages=00000000-0000-0000-0000-000000000000",
    "/fhir?_pageId=abcdef", "/fhir/Patient?_getpages=1&family=DURAND&birthdate=1950-01-01",
])
def test_a_link_that_nobody_was_given_is_nobodys(lookup_gate, patients, target):
    gate = lookup_gate()
    refused = gate.get(target)
    assert refused.status == 403, refused
    assert patients.requests == []


def test_another_offset_of_a_link_is_the_same_link(lookup_gate, patients):
    """Clients jump to pages; it is the same search."""
    gate = lookup_gate()
    link = first_page(gate)
    assert "_getpagesoffset=10" in link
    for offset in (0, 20, 90):
        got = gate.get(link.replace("_getpagesoffset=10", f"_getpagesoffset={offset}"))
        assert got.status == 200 and shown(got.body) == set(range(offset, offset + 10))


def test_the_link_in_escapes_is_the_same_link(lookup_gate, patients):
    gate = lookup_gate()
    link = first_page(gate)
    spelled = link.replace("link-", "%6Cink-")
    assert gate.get(spelled).status == 200
    assert gate.get(spelled, card="pharmacist").status == 403


def test_links_are_known_to_both_workers(lookup_gate, patients):
    gate = lookup_gate()
    link = first_page(gate)
    # Twenty connections are spread over both.
    assert [gate.get(link).status for _ in range(20)] == [200] * 20
    assert [gate.get(link, card="pharmacist").status for _ in range(20)] == [403] * 20


def test_a_page_that_asks_for_too_many_is_vague(lookup_gate, patients):
    gate = lookup_gate()
    link = first_page(gate)
    assert gate.get(link.replace("_count=10", "_count=1000")).status == 403


def test_a_withheld_page_gives_nobody_its_link(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 5))
    assert gate.get(SEARCH).status == 429
    link = next(iter(patients.answer.links))
    assert gate.get(f"/fhir?_getpages={link}&_getpagesoffset=10&_count=10").status == 403


def test_who_is_shown_anothers_link_does_not_take_it_over(lookup_gate, upstream):
    server = FHIRServer(100)
    upstream.answer = server
    gate = lookup_gate()
    link = first_page(gate)
    upstream.answer = reply(bundle([patient(1)], link=[
        {"relation": "next", "url": "https://localhost" + link}]))
    assert gate.get(SEARCH, card="pharmacist").status == 200
    upstream.answer = server
    assert gate.get(link, card="pharmacist").status == 403
    assert gate.get(link).status == 200


@pytest.mark.parametrize("form", [
    "https://localhost/fhir?_getpages=abc-1&_count=10", "http://127.0.0.1:9/fhir?_getpages=abc-1",
    "/fhir?_getpages=abc-1", "?_getpages=abc-1",
])
def test_a_link_is_known_however_it_is_written(lookup_gate, upstream, form):
    upstream.answer = reply(bundle([patient(1)], link=[
        {"relation": "self", "url": "https://localhost/fhir/Patient"},
        {"relation": "next", "url": form}]))
    gate = lookup_gate()
    assert gate.get(SEARCH).status == 200
    assert gate.get("/fhir?_getpages=abc-1").status == 200
    assert gate.get("/fhir?_getpages=abc-2").status == 403


def test_links_are_forgotten_by_a_restart(lookup_gate, patients):
    """Searches begin anew: a link is never more than its answer was."""
    gate = lookup_gate()
    link = first_page(gate)
    gate.kill()
    gate.start()
    assert gate.get(link).status == 403
    assert gate.get(first_page(gate)).status == 200


def test_links_survive_a_reload(lookup_gate, patients):
    gate = lookup_gate()
    link = first_page(gate)
    gate.config["contact"] = "Somebody else"
    gate.reload()
    assert gate.get(link).status == 200


def test_a_soap_query_is_continued_by_who_asked_it(lookup_gate, upstream):
    upstream.answer = soap.HL7Server(2)
    gate = lookup_gate(ceiling("patients", 5))

    def ask(body, card="physician"):
        return gate.post("/soap", body, soap.KIND, card=card)

    assert ask(soap.query(7)).status == 200
    asked = len(upstream.requests)
    refused = ask(soap.continuation(7), "pharmacist")
    assert refused.status == 403 and b"Fault" in refused.body and shown(refused.body) == set()
    assert ask(soap.continuation(8)).status == 403
    assert len(upstream.requests) == asked
    assert shown(ask(soap.continuation(7)).body) == {2, 3}
    assert gate.used("patients", PHYSICIAN) == 4
    # Continuation counts like the query: the next two are one too many.
    assert ask(soap.continuation(7)).status == 429
    line = gate.newest(status=429)
    assert (line["interaction"], line["transaction"]) == ("continuation", "ITI-47")


def test_a_soap_query_is_cancelled_without_a_count(lookup_gate, upstream):
    upstream.answer = soap.HL7Server(2)
    gate = lookup_gate(ceiling("lookups", 1))
    assert gate.post("/soap", soap.query(7), soap.KIND).status == 200
    assert gate.post("/soap", soap.cancellation(7), soap.KIND).status == 200
    assert gate.post("/soap", soap.query(8), soap.KIND).status == 429
