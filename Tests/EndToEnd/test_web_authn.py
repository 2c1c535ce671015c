"""Security keys in a real browser, on the gate's own pages."""

import json
from urllib.parse import urlencode

import pytest

from harness.pam import PAM, PASSWORD, USER
from harness.pki import PHYSICIAN
from harness.strong import Portal, optional
from harness.visitor import Visitor
from harness.waiting import until


@pytest.fixture
def pam():
    made = PAM()
    yield made
    made.remove()


class Clinic:
    def __init__(self, gate, portal):
        self.gate = gate
        self.portal = portal

    def enrol(self, browser, name="my key"):
        link = self.gate.do("account", "enrol", USER, "--webauthn", "--json").json()["url"]
        browser.open(link)
        browser.wait_for("h1", "second factor")
        browser.fill("#key-name", name)
        browser.press("form[data-webauthn] button")
        return browser.wait_for("p[role=status], p[role=alert]", "")

    def password(self, browser, to="/.herse/session"):
        browser.open(self.portal.page(f"/.herse/sign-in?to={to}"))
        browser.fill("#name", USER)
        browser.fill("#password", PASSWORD)
        browser.press()
        browser.wait_for("h1", "Second factor")

    def sign_in(self, browser):
        self.password(browser)
        browser.press("form[data-webauthn] button")


@pytest.fixture
def clinic(config, make_gate, pam, upstream):
    def make(**accounts):
        optional(config)
        portal = Portal(config)
        config["authentication"]["accounts"] = {
            "service": "herse", "levels": {"pam+totp": "substantial", "pam+webauthn": "high"},
            **accounts}
        for one in config["routes"]:
            one["require"] = ["pam+webauthn"]
        gate = make_gate(config, start=False)
        gate.environment.update(pam.environment)
        gate.start()
        gate.do("account", "add", USER, "--professional", PHYSICIAN)
        return Clinic(gate, portal)

    return make


def test_a_key_is_enrolled_and_signs_in(clinic, make_browser, upstream):
    c = clinic()
    browser = make_browser().plug()
    c.enrol(browser)
    browser.wait_for("p[role=status]", "set up")
    c.sign_in(browser)
    browser.wait_for("dd", PHYSICIAN)
    browser.open(c.portal.page("/fhir/Patient/1"))
    told = upstream.requests[-1].fields
    assert told["Herse-Professional"] == PHYSICIAN and told["Herse-Method"] == "pam+webauthn"
    shown = [one for one in c.gate.run("sessions", "--json").json() if one["kind"] == "session"]
    assert [one["level"] for one in shown] == ["high"]
    assert not [line for line in browser.console() if "Content Security Policy" in line]
    # Its counter is kept: a second sign-in moves on from there.
    browser.open(c.portal.page("/.herse/session"))
    browser.press()
    c.sign_in(browser)
    browser.wait_for("dd", PHYSICIAN)


def test_pages_speak_french_too(clinic, make_browser):
    c = clinic()
    browser = make_browser(language="fr").plug()
    link = c.gate.do("account", "enrol", USER, "--json").json()["url"]
    browser.open(link)
    browser.wait_for("h1", "Enregistrer votre second facteur")
    assert "Enregistrer la clé" in browser.text
    assert browser.find("html").get_attribute("lang") == "fr"


def test_a_key_that_verified_nobody_is_refused(clinic, make_browser):
    c = clinic()
    browser = make_browser().plug()
    c.enrol(browser)
    browser.wait_for("p[role=status]", "set up")
    browser.verify(False)
    c.sign_in(browser)
    browser.wait_for("p[role=alert]", "No key answered")
    assert c.gate.run("sessions", "--json").json() is not None
    assert "dd" not in browser.driver.page_source or PHYSICIAN not in browser.text


def test_a_copy_of_a_key_is_noticed(clinic, make_browser):
    c = clinic()
    browser = make_browser().plug()
    c.enrol(browser)
    browser.wait_for("p[role=status]", "set up")
    for _ in range(2):
        c.sign_in(browser)
        browser.wait_for("dd", PHYSICIAN)
        browser.open(c.portal.page("/.herse/session"))
        browser.press()
    browser.move_counter(1)
    c.sign_in(browser)
    browser.wait_for("p[role=alert]", "not accepted")
    until(lambda: "counter" in c.gate.log(), what="the operator is told")


def test_an_answer_comes_once(clinic, make_browser, pki):
    """What the browser sent is sent again, by somebody who has its cookies, too."""
    c = clinic()
    browser = make_browser().plug()
    c.enrol(browser)
    browser.wait_for("p[role=status]", "set up")
    c.password(browser)
    # Kept before it is sent, as somebody does who sits in the browser.
    browser.driver.execute_script("""
        const form = document.querySelector('form[data-webauthn]');
        form.addEventListener('submit', () => 0);
        HTMLFormElement.prototype.submit = function () {
            window.kept = this.querySelector('[name=credential]').value; };
    """)
    ticket = browser.driver.get_cookie("__Host-herse-sign-in")["value"]
    browser.press("form[data-webauthn] button")
    kept = until(lambda: browser.driver.execute_script("return window.kept || null"),
                 what="the key has signed")
    assert json.loads(kept)["type"] == "public-key"

    def send(cookie, credential, origin=c.portal.url):
        visitor = Visitor(pki, None, language="en")
        visitor.set("__Host-herse-sign-in", cookie, "localhost")
        page = visitor.post(c.portal.page("/.herse/key"), {"credential": credential},
                            origin=origin, follow=False)
        return visitor, page

    for origin in ("https://evil.example", None):
        _, page = send(ticket, kept, origin)
        assert page.status == 403, page
    _, page = send("x" + ticket, kept)
    assert page.status == 400, page
    visitor, page = send(ticket, kept)
    assert page.status == 303 and visitor.cookie("__Host-herse") is not None, page
    visitor, page = send(ticket, kept)
    assert page.status == 401 and visitor.cookie("__Host-herse") is None, page


@pytest.mark.parametrize("credential", [
    "", "{}", "[]", "null", "x" * 60_000, "{\"id\":\"a\",\"id\":\"b\"}", "[" * 10_000,
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}})])
def test_answers_that_are_none(clinic, make_browser, pki, credential):
    c = clinic()
    browser = make_browser().plug()
    c.enrol(browser)
    browser.wait_for("p[role=status]", "set up")
    visitor = Visitor(pki, None, language="en")
    page = visitor.get(c.portal.page("/.herse/sign-in"))
    page = visitor.submit(page, page.form("name", "password"), name=USER, password=PASSWORD)
    page = visitor.post(c.portal.page("/.herse/key"), {"credential": credential},
                        origin=c.portal.url, follow=False)
    assert page.status in (400, 401), page
    assert visitor.cookie("__Host-herse") is None
    assert c.gate.alive


def test_a_body_that_is_too_large_is_not_read(clinic, pki):
    c = clinic()
    visitor = Visitor(pki, None)
    body = urlencode({"credential": "x" * 70_000}).encode()
    page = visitor.go("POST", c.portal.page("/.herse/key"), body, c.portal.url, follow=False)
    assert page.status == 413, page


def test_keys_nobody_vouches_for_are_refused_where_that_is_asked(
    clinic, make_browser, pki
):
    c = clinic(webauthn={"attestation": "direct", "authorities": [str(pki.path("root-ca.pem"))]})
    browser = make_browser().plug()
    c.enrol(browser)
    browser.wait_for("p[role=alert]", "not accepted")
    listed = c.gate.run("account", "list", "--json").json()
    assert "webauthn" not in json.dumps(listed[0].get("factors", []))
