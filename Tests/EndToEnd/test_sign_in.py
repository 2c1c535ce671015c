"""Signing in with a browser at identity providers that nobody here wrote, and what ends it."""

import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from harness.llng import LemonLDAP
from harness.oidc import HIGH, LOW, Provider
from harness.pki import PHARMACIST, PHYSICIAN
from harness.strong import Portal, optional, secret_file
from harness.visitor import Visitor
from harness.waiting import until

LEVELS = {LOW: "low", HIGH: "high"}


class Site:
    """A gate with a portal, and the provider behind it."""

    def __init__(self, gate, portal, provider, pki):
        self.gate = gate
        self.portal = portal
        self.provider = provider
        self.pki = pki

    def visitor(self, card=None, **options):
        return Visitor(self.pki, card, **options)

    def page(self, path):
        return self.portal.page(path)

    def signed_in(self, visitor=None, name="isabelle", to="/fhir/Patient/1", more=""):
        """Somebody who has signed in, and the page they came back to."""
        visitor = visitor or self.visitor()
        page = visitor.get(self.page(f"/.herse/openid/op/start?to={to}{more}"))
        if page.address.startswith(self.provider.url):
            # Else the provider knew its user still.
            page = self.provider.sign_in(visitor, page, name)
        return visitor, page

    def session(self, visitor):
        page = visitor.get(self.page("/.herse/session"), fields=[("Accept", "application/json")])
        return page.status, json.loads(page.body)

    def events(self, kind):
        return [line for line in self.gate.record() if line.get("event") == kind]


@pytest.fixture(scope="module")
def shared_provider(pki):
    """One provider for all: its only client comes back to whichever gate asked last."""
    made = {}

    def start(portal):
        if "op" not in made:
            made["op"] = None
        if made["op"]:
            made["op"].stop()
        made["op"] = Provider(
            pki, portal.callback("op"), back_channel=portal.back_channel("op"),
            after=portal.page("/.herse/sign-in"))
        return made["op"]

    yield start
    if made.get("op"):
        made["op"].stop()


@pytest.fixture
def site(config, make_gate, shared_provider, pki, upstream):
    """Makes a site; `sign_in` holds more of its rules, `route` of all routes."""
    def make(sign_in=None, issuer=None, provider=None, change=None, **route):
        optional(config)
        portal = Portal(config, **(sign_in or {}))
        gate = make_gate(config, start=False)
        op = shared_provider(portal)
        config["authentication"]["issuers"] = [{
            "name": "op", "issuer": op.url, "discovery": op.discovery,
            "authorities": str(pki.path("root-ca.pem")), "client_id": op.client,
            "client_secret": secret_file(gate.folder, "op.secret", op.secret),
            "professional_id": "SubjectNameID", "levels": LEVELS, **(issuer or {}),
        }]
        config["authentication"]["sign_in"]["providers"] = [
            {"issuer": "op", "label": "The provider", "scopes": ["openid", "profile"],
             "acr_values": [LOW, HIGH], **(provider or {})}]
        for one in config["routes"]:
            one["require"] = ["certificate", "session"]
            one.update(route)
        if change:
            change(config)
        gate.write()
        return Site(gate.start(), portal, op, pki)

    return make


def test_somebody_signs_in_and_out(site, upstream):
    s = site()
    visitor = s.visitor()
    page = visitor.get(s.page("/fhir/Patient/1"))
    assert page.path == "/.herse/sign-in" and page.status == 200, page
    page = visitor.get(page.link("/.herse/openid/op/start"))
    page = s.provider.sign_in(visitor, page)
    assert page.path == "/fhir/Patient/1" and page.status == 200, (page, visitor.way)
    assert not visitor.refused
    cookie = visitor.cookie("__Host-herse")
    assert cookie.secure and cookie.http_only and cookie.same_site == "Lax"
    assert visitor.cookie("__Host-herse-sign-in") is None

    status, told = s.session(visitor)
    assert status == 200
    assert told["professional"] == PHYSICIAN and told["method"] == "session"
    request = upstream.requests[-1]
    assert request.fields["Herse-Professional"] == PHYSICIAN
    assert request.fields["Herse-Method"] == "session"
    assert "herse" not in request.fields.get("Cookie", "")
    assert cookie.value.encode() not in request.raw

    shown = s.gate.run("sessions", "--json").json()
    session = next(one for one in shown if one["kind"] == "session")
    assert session["session"] == told["session"] and session["issuer"] == "op"
    assert session["peer"] == "127.0.0.1"
    assert told["session"] in s.gate.run("sessions").out

    page = visitor.get(s.page("/.herse/session"))
    page = visitor.submit(page, page.form(action="sign-out"), follow=False)
    assert page.status == 303 and page.field("Location").startswith(s.provider.url)
    assert "id_token_hint=" in page.field("Location")
    assert visitor.cookie("__Host-herse") is None
    assert s.session(visitor)[0] == 401
    assert [line["professional"] for line in s.events("signed-in")] == [PHYSICIAN]
    until(lambda: s.events("signed-out"), what="signing out is recorded")


def test_a_cookie_of_ours_never_reaches_the_server_but_others_do(site, upstream):
    s = site()
    visitor, _ = s.signed_in()
    visitor.set("theirs", "kept", "localhost")
    visitor.get(s.page("/fhir/Patient/2"))
    assert upstream.requests[-1].fields["Cookie"] == "theirs=kept"


def test_a_session_is_another_one_after_each_sign_in(site):
    s = site()
    visitor, _ = s.signed_in()
    first = visitor.cookie("__Host-herse").value
    name = s.session(visitor)[1]["session"]
    s.signed_in(visitor)
    assert visitor.cookie("__Host-herse").value != first
    assert s.session(visitor)[1]["session"] != name
    thief = s.visitor()
    thief.set("__Host-herse", first, "localhost")
    assert s.session(thief)[0] == 401


@pytest.mark.parametrize("seconds, rule", [(2, "idle"), (3, "absolute")])
def test_a_session_ends_by_itself(site, seconds, rule):
    s = site(sign_in={"idle": "2s", rule: f"{seconds}s"})
    visitor, _ = s.signed_in()
    began = time.monotonic()
    assert s.session(visitor)[0] == 200
    if rule == "absolute":
        while time.monotonic() - began < seconds - 1.2:
            assert s.session(visitor)[0] == 200
            time.sleep(0.2)
    else:
        time.sleep(seconds + 1.1)
    until(lambda: s.session(visitor)[0] == 401, within=seconds + 3, what="the session is over",
          every=0.5 if rule == "absolute" else 3.1)


def test_a_stolen_cookie_is_worth_nothing_without_its_card(site):
    s = site()
    visitor, page = s.signed_in(s.visitor("physician"))
    assert page.status == 200
    stolen = visitor.cookie("__Host-herse").value
    for card in (None, "pharmacist"):
        thief = s.visitor(card)
        thief.set("__Host-herse", stolen, "localhost")
        assert s.session(thief)[0] == 401
    assert s.session(visitor)[0] == 200


def test_a_card_and_a_sign_in_of_two_people_do_not_go_together(site):
    s = site()
    visitor, page = s.signed_in(s.visitor("physician"), name="carole")
    assert page.status == 403, page
    assert visitor.cookie("__Host-herse") is None


class TestForged:
    """What does not come from the sign-in it says it comes from."""

    def back(self, s, visitor):
        """The address the provider sends the browser back to, not followed."""
        page = visitor.get(s.page("/.herse/openid/op/start?to=/fhir/Patient/1"))
        form = page.form("username", "password")
        visitor.redirects_max = 50
        page = visitor.submit(page, form, follow=False, username="isabelle",
                              password="isabelle's password")
        while not page.field("Location").startswith(s.portal.url):
            page = visitor.get(page.field("Location"), follow=False)
        return page.field("Location")

    def test_code_and_state_come_once(self, site):
        s = site()
        visitor = s.visitor()
        address = self.back(s, visitor)
        ticket = visitor.cookie("__Host-herse-sign-in").value
        assert visitor.get(address, follow=False).status == 303
        assert visitor.get(address, follow=False).status == 400
        # Even with the sealed cookie of the time: the provider knows the code.
        visitor.forget()
        visitor.set("__Host-herse-sign-in", ticket, "localhost")
        assert visitor.get(address, follow=False).status in (400, 403)
        assert visitor.cookie("__Host-herse") is None

    def test_another_browser_cannot_use_them(self, site):
        s = site()
        address = self.back(s, s.visitor())
        other = s.visitor()
        assert other.get(address, follow=False).status == 400
        other.get(s.page("/.herse/openid/op/start"), follow=False)
        assert other.get(address, follow=False).status == 400
        assert other.cookie("__Host-herse") is None

    @pytest.mark.parametrize("change", [
        lambda query: {**query, "state": ["x" * 43]}, lambda query: {**query, "state": []},
        lambda query: {**query, "code": ["x" * 43]}, lambda query: {**query, "code": []},
        lambda query: {**query, "iss": ["https://evil.example"]},
        lambda query: {**query, "error": ["access_denied"]},
        lambda query: {**query, "code": query["code"] * 2},
    ], ids=["other state", "no state", "other code", "no code", "other issuer", "error", "twice"])
    def test_what_was_changed_on_the_way(self, site, change):
        from urllib.parse import urlencode

        s = site()
        visitor = s.visitor()
        address = self.back(s, visitor)
        base, _, query = address.partition("?")
        changed = urlencode(change(parse_qs(query)), doseq=True)
        page = visitor.get(f"{base}?{changed}", follow=False)
        assert page.status in (400, 403), page
        assert visitor.cookie("__Host-herse") is None

    def test_somebody_elses_page_cannot_act(self, site, upstream):
        s = site()
        visitor, _ = s.signed_in()
        for origin in ("https://evil.example", "null", None):
            page = visitor.post(s.page("/.herse/sign-out"), {}, origin=origin, follow=False)
            assert page.status == 403, page
        before = len(upstream.requests)
        for origin, status in (("https://evil.example", 403), (None, 403), (s.portal.url, 200)):
            page = visitor.go("POST", s.page("/fhir/Patient/$match"), b"{}", origin, follow=False,
                              fields=[("Content-Type", "application/fhir+json")])
            if status == 403:
                assert page.status == 403 and "site" in page.text, page
            else:
                assert page.status != 403 or "site" not in page.text
        assert s.session(visitor)[0] == 200
        assert len(upstream.requests) <= before + 1

    @pytest.mark.parametrize("to", [
        "https://evil.example/", "//evil.example", "/%5Cevil.example", "/\\evil.example",
        "/%09/evil.example", "javascript:alert(1)", "/.herse/openid/op/start", "/a%0d%0aX: y"])
    def test_nobody_is_sent_elsewhere(self, site, to):
        s = site()
        visitor = s.visitor()
        page = visitor.get(s.page(f"/.herse/openid/op/start?to={to.replace(' ', '%20')}"))
        form = page.form("username", "password")
        page = visitor.submit(page, form, follow=False, username="isabelle",
                              password="isabelle's password")
        while not page.address.startswith(s.portal.url):
            page = visitor.get(page.field("Location"), follow=False)
        assert page.status == 303, page
        assert page.field("Location") == "/.herse/session"
        assert "x" not in dict(page.pairs) and "X" not in dict(page.pairs)


def test_the_provider_ends_a_session(site):
    s = site()
    visitor, _ = s.signed_in()
    other, _ = s.signed_in(name="carole")
    # The provider's own page of leaving, in the browser that signed in there.
    page = visitor.get(s.page("/.herse/session"))
    page = visitor.submit(page, page.form(action="sign-out"))
    visitor.submit(page, page.form("logout"))
    until(lambda: s.session(visitor)[0] == 401, what="the session is over")
    assert s.session(other)[0] == 200


def test_back_channel_logout_by_a_scripted_issuer(config, make_gate, issuer, pki, upstream):
    optional(config)
    portal = Portal(config)
    gate = make_gate(config, start=False)
    config["authentication"]["issuers"] = [issuer.rule(
        "op", tokens=False, client_id=issuer.client, levels=LEVELS,
        client_secret=secret_file(gate.folder, "op.secret", issuer.secret))]
    config["authentication"]["sign_in"]["providers"] = [{"issuer": "op", "label": "op"}]
    for one in config["routes"]:
        one["require"] = ["session"]
    gate.write()
    gate.start()
    visitor = Visitor(pki)
    page = visitor.get(portal.page("/.herse/openid/op/start?to=/fhir/Patient/1"))
    assert page.status == 200 and page.path == "/fhir/Patient/1", (page, visitor.way)
    found = [one for one in gate.run("sessions", "--json").json() if one["kind"] == "session"]
    assert len(found) == 1
    sid, sub = issuer.issued["sid"], issuer.issued["sub"]

    def logout(token):
        return visitor.post(portal.back_channel("op"), {"logout_token": token}, follow=False)

    for bad in ("", "x", issuer.token(), issuer.logout_token(sid="another", sub="another"),
                issuer.logout_token(sid=sid, nonce="n"), issuer.logout_token(sid=sid, events={}),
                issuer.logout_token(sid=sid, aud="another"), issuer.logout_token(sid=sid, iss="x"),
                issuer.logout_token(sid=sid, iat=int(time.time()) - 9000,
                                    exp=int(time.time()) - 8000)):
        page = logout(bad)
        assert page.status in (200, 400), page
        assert visitor.get(portal.page("/fhir/Patient/1"), follow=False).status == 200, bad
    token = issuer.logout_token(sid=sid, sub=sub)
    page = logout(token)
    assert page.status == 200 and page.field("Cache-Control") == "no-store"
    assert visitor.get(portal.page("/fhir/Patient/1"), follow=False).status == 303
    assert logout(token).status == 400


@pytest.mark.parametrize("subject", ["account", "session", "alias"])
def test_whoever_is_neutralized_is_signed_out(site, subject):
    s = site()
    visitor, _ = s.signed_in()
    session = s.session(visitor)[1]["session"]
    name = {"account": PHYSICIAN, "session": f"session:{session}",
            "alias": f"account:{PHYSICIAN}"}[subject]
    seen = s.gate.do("neutralize", name, "--reason", "x", "--preview", "--json").json()
    assert seen["sessions"] == 1 and s.session(visitor)[0] == 200
    done = s.gate.do("neutralize", name, "--reason", "stolen", "--json").json()
    assert done["sessions"] == 1, done
    assert s.session(visitor)[0] == 401
    page = visitor.get(s.page("/fhir/Patient/1"), follow=False)
    assert page.status == 303
    if subject == "session":
        return
    other, page = s.signed_in(s.visitor())
    assert page.status == 403 and other.cookie("__Host-herse") is None
    assert "stolen" not in page.text
    assert re.search(r"[0-9a-f]{16}", page.text), "an incident to name"
    s.gate.do("reinstate", name, "--reason", "found")
    _, page = s.signed_in(s.visitor())
    assert page.status == 200


def test_a_stronger_sign_in_is_asked_for(site):
    s = site(level="high")
    visitor = s.visitor()
    page = visitor.get(s.page("/fhir/Patient/1"), follow=False)
    assert page.status == 303
    visitor, page = s.signed_in(visitor)
    # Signed in at the lower level: sent to the choice, which asks for the higher.
    assert page.path == "/.herse/sign-in", page
    assert parse_qs(urlsplit(page.address).query)["level"] == ["high"]
    page = visitor.get(page.link("/.herse/openid/op/start"), follow=False)
    asked = parse_qs(urlsplit(page.field("Location")).query)
    assert asked["acr_values"] == [HIGH]
    page = s.provider.sign_in(visitor, visitor.get(page.field("Location")))
    assert page.status == 200 and page.path == "/fhir/Patient/1", page


def test_a_fresher_sign_in_is_asked_for(site):
    s = site(max_age="2s")
    visitor, page = s.signed_in()
    assert page.status == 200, page
    time.sleep(3.1)
    page = visitor.get(s.page("/fhir/Patient/1"))
    assert page.path == "/.herse/sign-in", page
    page = visitor.get(page.link("/.herse/openid/op/start"), follow=False)
    assert parse_qs(urlsplit(page.field("Location")).query)["max_age"] == ["2"]


def test_a_script_without_a_session_is_told_so(site):
    s = site()
    page = s.visitor().get(s.page("/fhir/Patient/1"), fields=[("Accept", "application/json")])
    assert page.status == 401
    page = s.visitor().post(s.page("/fhir/Patient/1"), {}, origin=s.portal.url)
    assert page.status in (401, 405)


def test_pages_are_in_two_languages_and_let_no_script_in(site):
    s = site()
    french = s.visitor(language="fr").get(s.page("/.herse/sign-in"))
    english = s.visitor(language="en-GB,en;q=0.9").get(s.page("/.herse/sign-in"))
    assert 'lang="fr"' in french.text and "Connexion" in french.text
    assert 'lang="en"' in english.text and "Sign in" in english.text
    for page in (french, english):
        policy = page.field("Content-Security-Policy")
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "script-src" not in policy and "unsafe" not in policy
        assert page.field("Cache-Control") == "no-store"
    page = s.visitor().get(s.page("/.herse/style.css"))
    assert page.status == 200 and page.field("Content-Type").startswith("text/css")
    assert s.visitor().get(s.page("/.herse/other")).status == 404
    assert s.visitor().get(s.page("/.herse/openid/other/start")).status == 404


def test_other_listeners_have_no_pages(site):
    s = site()
    reply = s.gate.get("/.herse/sign-in")
    assert reply.status in (403, 404), reply


def test_a_provider_that_is_down_is_said_to_be(site):
    s = site()
    visitor, _ = s.signed_in()
    s.provider.stop()
    # Whoever is signed in stays so.
    assert visitor.get(s.page("/fhir/Patient/1")).status == 200
    page = s.visitor().get(s.page("/.herse/openid/op/start"), follow=False)
    assert page.status in (303, 503)


def test_a_reload_keeps_those_who_are_signed_in(site):
    s = site()
    visitor, _ = s.signed_in()
    s.gate.do("reload")
    assert s.session(visitor)[0] == 200
    assert visitor.get(s.page("/fhir/Patient/1")).status == 200


def test_sessions_end_when_their_way_is_closed(site):
    s = site()
    visitor, _ = s.signed_in()
    del s.gate.config["authentication"]["sign_in"]
    for one in s.gate.config["routes"]:
        one["require"] = ["certificate"]
    s.gate.write()
    s.gate.do("reload")
    shown = s.gate.run("sessions", "--json").json()
    assert [one for one in shown if one["kind"] == "session"] == []


def test_somebody_signs_in_at_lemonldap(config, make_gate, pki, upstream):
    optional(config)
    portal = Portal(config)
    gate = make_gate(config, start=False)
    llng = LemonLDAP(pki, portal.callback("llng"), after=portal.page("/.herse/sign-in"))
    try:
        config["authentication"]["issuers"] = [{
            "name": "llng", "issuer": llng.url,
            "authorities": str(pki.path("root-ca.pem")), "client_id": llng.client,
            "client_secret": secret_file(gate.folder, "llng.secret", llng.secret),
            "professional_id": "SubjectNameID", "algorithms": ["RS256"],
        }]
        config["authentication"]["sign_in"]["providers"] = [
            {"issuer": "llng", "label": "LemonLDAP::NG", "scopes": ["openid", "scope_all"]}]
        for one in config["routes"]:
            one["require"] = ["session"]
        gate.write()
        gate.start()
        visitor = Visitor(pki)
        page = visitor.get(portal.page("/.herse/openid/llng/start?to=/fhir/Patient/1"))
        page = llng.sign_in(visitor, page)
        assert page.path == "/fhir/Patient/1" and page.status == 200, (page, visitor.way)
        assert upstream.requests[-1].fields["Herse-Professional"] in (PHYSICIAN, PHARMACIST)
    finally:
        llng.stop()


def test_a_session_from_before_a_moment_ends_and_the_provider_is_asked_anew(site, upstream):
    """issued-before: a sign-in that the provider remembers from before proves nothing."""
    s = site()
    visitor, page = s.signed_in()
    assert page.status == 200
    before = int(time.time())
    until(lambda: int(time.time()) > before + 1, within=4)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    told = s.gate.do("neutralize", f"issued-before:{moment}", "--reason", "campaign", "--json")
    assert told.json()["sessions"] == 1, told
    assert s.session(visitor)[0] != 200
    start = visitor.get(
        s.page("/.herse/openid/op/start?to=/fhir/Patient/1"), follow=False)
    asked = parse_qs(urlsplit(start.field("Location")).query)
    assert int(asked["max_age"][0]) <= 5, asked
    again, page = s.signed_in(s.visitor())
    assert page.status == 200, page
    assert s.session(again)[0] == 200
