"""Servers that speak no standard: patients are found as the operator declares."""

import pytest

from harness.fhir import ipp, reply, shown, text
from harness.gate import ceiling
from harness.pki import PHYSICIAN

pytestmark = pytest.mark.sanitized

PORTALS = {
    "json": (
        {"name": "portal", "language": "json-pointer", "person": "/patients/*/ipp",
         "fields": {"name": "/patients/*/nom"}, "count": "/total"},
        "application/json",
        lambda numbers: text({"total": len(numbers), "patients": [
            {"ipp": ipp(n), "nom": f"ZQFAMILY{n}"} for n in numbers]})),
    "html": (
        {"name": "portal", "language": "xpath", "person": "//tr/td[1]",
         "fields": {"name": "//tr/td[2]"}, "count": "//p[@id='total']"},
        "text/html; charset=utf-8",
        lambda numbers: ("<!DOCTYPE html><html><head><title>x</title><meta charset=utf-8></head><body>"
                         f"<p id=total>{len(numbers)}</p><table>" + "".join(
                             f"<tr><td>{ipp(n)}</td><td>ZQFAMILY{n}<br></td></tr>" for n in numbers)
                         + "</table></body></html>").encode()),
    "regular expression": (
        {"name": "portal", "language": "regex", "person": "data-ipp=\"([A-Z0-9]+)\"",
         "count": "<b>([0-9]+)</b>"},
        "text/html",
        lambda numbers: b"<b>%d</b>" % len(numbers) + b"".join(b'<li data-ipp="%s">ZQFAMILY' % ipp(n).encode() for n in numbers)),
}


def portal(extractor):
    """Adds a route whose answers are read as declared."""
    def change(config):
        config["extractors"] = [extractor]
        config["routes"].append({
            "name": "portal", "path": "/portal/", "identity_server": "mpi", "lookups": "portal",
            "require": ["certificate"], "limits": "standard", "methods": ["GET", "POST"]})

    return change


@pytest.mark.parametrize("case", PORTALS)
def test_a_portal_is_counted_by_its_declared_extractor(lookup_gate, upstream, case):
    extractor, kind, body = PORTALS[case]
    gate = lookup_gate(ceiling("patients", 3), ceiling("misses", 5), change=portal(extractor))

    def ask(*numbers):
        upstream.answer = reply(body(list(numbers)), kind)
        return gate.get("/portal/patients?q=durand")

    assert ask(0, 1).status == 200
    assert ask(1, 2).body == body([1, 2])
    refused = ask(3)
    assert refused.status == 429 and shown(refused.body) == set()
    assert ask(0).status == 200
    line = gate.newest(status=429)
    assert line["interaction"] == "declared" and len(line["withheld"]) == 1
    assert gate.used("patients", PHYSICIAN) == 3
    assert ask().status == 200
    assert gate.used("misses", PHYSICIAN) == 1


UNREAD_PAGES = {
    "another language": ("json", b"<html>ZQFAMILY1</html>", "text/html"),
    "cut short": ("json", b'{"patients":[{"ipp":"IPPZQ1"}', "application/json"),
    # Neither a patient nor a number: perhaps the page has changed.
    "another page": ("html", b"<html><body><i>ZQFAMILY1</i></body></html>", "text/html"),
    "another list": ("json", b'{"people":[{"ipp":"IPPZQ1"}]}', "application/json"),
    "nothing that matches": ("regular expression", b"<li data-id=ZQ1>", "text/html"),
}


@pytest.mark.parametrize("case", UNREAD_PAGES)
def test_a_portals_page_that_cannot_be_read_stays_here(lookup_gate, upstream, case):
    extractor, body, kind = UNREAD_PAGES[case]
    gate = lookup_gate(ceiling("patients", 3), change=portal(PORTALS[extractor][0]))
    upstream.answer = reply(body, kind)
    refused = gate.get("/portal/1")
    assert refused.status == 502 and b"zq" not in refused.body.lower()
    assert gate.newest(status=502)["finding"] == "unparsed"
