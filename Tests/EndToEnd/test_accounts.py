"""Local accounts: a password through real PAM, a one-time code, and all that may go wrong."""

import base64
import json
import time

import pytest

from harness.pam import BODIES, PAM, PASSWORD, USER, code, secret_of
from harness.pki import PHARMACIST, PHYSICIAN
from harness.strong import Portal, optional
from harness.visitor import Visitor
from harness.waiting import until


@pytest.fixture
def pam():
    made = PAM()
    yield made
    made.remove()


class Clinic:
    """A gate whose people sign in with a password and a code."""

    def __init__(self, gate, portal, pki):
        self.gate = gate
        self.portal = portal
        self.pki = pki
        # The step that no code was used of yet: each counts once.
        self.step = 0

    def visitor(self, card=None, **options):
        return Visitor(self.pki, card, **options)

    def page(self, path):
        return self.portal.page(path)

    def add(self, name=USER, professional=PHYSICIAN, *more):
        self.gate.do("account", "add", name, "--professional", professional, *more)

    def link(self, name=USER, *more):
        return self.gate.do("account", "enrol", name, "--json", *more).json()["url"]

    def enrolled(self, name=USER, professional=PHYSICIAN):
        """An account with an authenticator app; returns the app's secret."""
        self.add(name, professional)
        visitor = self.visitor()
        page = visitor.get(self.link(name, "--totp"))
        assert page.status == 200, page
        secret = secret_of(page.link("otpauth://"))
        page = visitor.submit(page, page.form("code"), code=code(secret, step=-1))
        assert page.status == 200 and "role=\"status\"" in page.text, page
        return secret

    def code(self, secret):
        """A code that was not used before; at most two of one moment are good."""
        now = int(time.time()) // 30
        self.step = max(self.step + 1, now)
        assert self.step <= now + 1, "all codes of this moment are used"
        return code(secret, at=self.step * 30)

    def password(self, visitor, name=USER, password=PASSWORD, to="/fhir/Patient/1"):
        page = visitor.get(self.page(f"/.herse/sign-in?to={to}"))
        return visitor.submit(page, page.form("name", "password"), name=name, password=password)

    def signed_in(self, secret, visitor=None, name=USER):
        visitor = visitor or self.visitor()
        page = self.password(visitor, name)
        assert page.status == 200, page
        return visitor, visitor.submit(page, page.form("code"), code=self.code(secret))

    def basic(self, name, password, card=None, fields=()):
        told = base64.b64encode(f"{name}:{password}".encode()).decode()
        return self.gate.get(card=card, listener="portal",
                             fields=[f"Authorization: Basic {told}", *fields])


@pytest.fixture
def clinic(config, make_gate, pam, pki, upstream):
    def make(accounts=None, route=None, **sign_in):
        optional(config)
        portal = Portal(config, **sign_in)
        config["authentication"]["accounts"] = {"service": "herse", **(accounts or {})}
        for one in config["routes"]:
            one["require"] = ["pam+totp"]
            one.update(route or {})
        gate = make_gate(config, start=False)
        gate.environment.update(pam.environment)
        return Clinic(gate.start(), portal, pki)

    return make


def test_password_and_code(clinic, upstream):
    c = clinic()
    secret = c.enrolled()
    visitor, page = c.signed_in(secret)
    assert page.status == 200 and page.path == "/fhir/Patient/1", page
    request = upstream.requests[-1]
    assert request.fields["Herse-Professional"] == PHYSICIAN
    assert request.fields["Herse-Method"] == "pam+totp"
    shown = [one for one in c.gate.run("sessions", "--json").json() if one["kind"] == "session"]
    assert [(one["account"], one["level"]) for one in shown] == [(USER, "substantial")]
    log = c.gate.log()
    assert PASSWORD not in log and "halfway" in log and "signed-in" in log
    assert PASSWORD not in json.dumps(c.gate.record())


def test_pam_unix_judges(clinic, pam, upstream):
    pam.unix(USER)
    c = clinic()
    secret = c.enrolled()
    assert c.password(c.visitor(), password="wrong").status == 401
    _, page = c.signed_in(secret)
    assert page.status == 200 and page.path == "/fhir/Patient/1", page


def test_a_code_counts_once(clinic):
    c = clinic()
    secret = c.enrolled()
    digits = c.code(secret)
    for expected in ("/fhir/Patient/1", "/.herse/code"):
        visitor = c.visitor()
        page = c.password(visitor)
        page = visitor.submit(page, page.form("code"), code=digits)
        assert page.path == expected, page
    assert page.status == 401 and visitor.cookie("__Host-herse") is None


@pytest.mark.parametrize("wrong", ["000000", "", "12345", "1234567", "１２３４５６", "abcdef"])
def test_a_wrong_code(clinic, wrong):
    c = clinic()
    secret = c.enrolled()
    if wrong in (code(secret), code(secret, step=1), code(secret, step=-1)):
        pytest.skip("it is right by chance")
    visitor = c.visitor()
    page = c.password(visitor)
    page = visitor.submit(page, page.form("code"), code=wrong)
    assert page.status == 401 and visitor.cookie("__Host-herse") is None, page
    # The page asks again, without another password.
    page = visitor.submit(page, page.form("code"), code=c.code(secret))
    assert page.path == "/fhir/Patient/1", page


def test_nobody_can_tell_whether_an_account_exists(clinic, pam):
    pam.add("somebody", PASSWORD)
    c = clinic()
    c.enrolled()
    shown = []
    # The password of a known account, a name nobody has, one that only PAM knows.
    for name, password in ((USER, "wrong"), ("nobody-there", "wrong"), ("somebody", PASSWORD),
                           ("../../etc/passwd", "x"), ("", "")):
        page = c.password(c.visitor(), name, password)
        shown.append((page.status, page.text))
    assert len(set(shown)) == 1, shown
    assert shown[0][0] == 401
    assert "nobody-there" not in c.gate.log(), "what strangers type may be anything"


def test_guessing_is_delayed_and_never_locks_anybody_out_for_good(clinic):
    c = clinic()
    secret = c.enrolled()
    page = None
    for _ in range(12):
        page = c.password(c.visitor(), password="wrong")
        if page.status == 429:
            break
    assert page.status == 429, page
    wait = int(page.field("Retry-After"))
    assert 1 <= wait <= 900
    until(lambda: c.password(c.visitor()).status == 200, within=wait + 5,
          what="the right password is taken again", every=1)
    visitor, page = c.signed_in(secret)
    assert page.path == "/fhir/Patient/1", page


@pytest.mark.parametrize("how", sorted(BODIES))
def test_a_module_that_misbehaves_is_survived(clinic, pam, how, upstream):
    pam.misbehaving(how)
    c = clinic(accounts={"deadline": "1s"}, route={"require": ["certificate", "pam+totp"]})
    c.add()
    c.link()
    began = time.monotonic()
    page = c.password(c.visitor())
    assert page.status in (401, 403, 503), page
    assert time.monotonic() - began < 10
    assert PASSWORD not in c.gate.log()
    assert c.gate.get().status == 200


def test_a_hanging_module_holds_up_nobody_else(clinic, pam, upstream):
    import threading

    hang = next(how for how in BODIES if "hang" in how or "sleep" in how or "never" in how)
    pam.misbehaving(hang)
    c = clinic(accounts={"deadline": "3s"}, route={"require": ["certificate", "pam+totp"]})
    c.add()
    pages = []
    threads = [threading.Thread(target=lambda: pages.append(c.password(c.visitor()).status))
               for _ in range(20)]
    for thread in threads:
        thread.start()
    worst = 0.0
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        assert c.gate.get().status == 200
        worst = max(worst, time.monotonic() - began)
    assert worst < 1.5, worst
    assert set(pages) <= {503, 429, 401}, pages


class TestEnrolment:
    def test_a_link_works_once(self, clinic):
        c = clinic()
        c.add()
        link = c.link(USER, "--totp")
        visitor = c.visitor()
        page = visitor.get(link)
        secret = secret_of(page.link("otpauth://"))
        assert visitor.get(link).status == 200, "looking at it uses nothing up"
        page = visitor.submit(page, page.form("code"), code="000000")
        assert page.status == 400, page
        page = visitor.submit(page, page.form("code"), code=code(secret))
        assert page.status == 200
        assert visitor.get(link).status == 410

    def test_a_later_link_replaces_it(self, clinic):
        c = clinic()
        c.add()
        first, second = c.link(), c.link()
        assert first != second
        assert c.visitor().get(first).status == 410
        assert c.visitor().get(second).status == 200

    def test_a_link_ends_by_itself(self, clinic):
        c = clinic()
        c.add()
        link = c.link(USER, "--for", "1s")
        until(lambda: c.visitor().get(link).status == 410, what="the link is over")

    @pytest.mark.parametrize("token", ["", "x", "A" * 43, "%00", "../keys", "a" * 5000])
    def test_links_that_are_none(self, clinic, token):
        c = clinic()
        c.add()
        assert c.visitor().get(c.page(f"/.herse/enrol/{token}")).status in (400, 404, 410, 414, 431)


class TestBasic:
    def test_only_where_the_route_says_so(self, clinic):
        c = clinic()
        secret = c.enrolled()
        reply = c.basic(USER, PASSWORD + c.code(secret))
        assert reply.status == 401

    def test_password_and_code_in_one(self, clinic, upstream):
        c = clinic(route={"basic": True})
        secret = c.enrolled()
        assert c.gate.get(card=None, listener="portal").status == 401
        assert c.basic(USER, PASSWORD).status == 401, "never without the code"
        digits = c.code(secret)
        reply = c.basic(USER, PASSWORD + digits)
        assert reply.status == 200, reply
        told = upstream.requests[-1].fields
        assert told["Herse-Professional"] == PHYSICIAN and told["Herse-Method"] == "pam+totp"
        assert "Authorization" not in told
        # Another connection shows a code that is used up.
        assert c.basic(USER, PASSWORD + digits).status == 401

    def test_it_is_kept_with_the_connection(self, clinic, upstream):
        c = clinic(route={"basic": True})
        secret = c.enrolled()
        told = base64.b64encode(f"{USER}:{PASSWORD}{c.code(secret)}".encode()).decode()
        with c.gate.connect(card=None, listener="portal") as client:
            for number in range(5):
                reply = client.get(f"/fhir/Patient/{number}",
                                   fields=[f"Authorization: Basic {told}"])
                assert reply.status == 200, reply
            c.gate.do("account", "disable", USER)
            until(lambda: client.get("/fhir/Patient/1", fields=[f"Authorization: Basic {told}"]
                                     ).status == 401, what="the account is disabled")

    @pytest.mark.parametrize("credentials", [
        "", "x", "=", "Og==", "YTpi", "a" * 9000, "YTpiMTIzNDU2", "----",
        base64.b64encode(b"\xff\xfe:secret123456").decode(),
        base64.b64encode(b"a\x00b:secret123456").decode()])
    def test_bad_credentials(self, clinic, credentials):
        c = clinic(route={"basic": True})
        c.enrolled()
        reply = c.gate.get(card=None, listener="portal",
                           fields=[f"Authorization: Basic {credentials}"])
        assert reply.status in (401, 431), reply


def test_accounts_are_listed_disabled_and_removed(clinic):
    c = clinic()
    secret = c.enrolled()
    c.add("pharmacienne", PHARMACIST)
    listed = c.gate.run("account", "list", "--json").json()
    assert {USER, "pharmacienne"} <= {one["account"] if "account" in one else one["name"]
                                      for one in listed}
    visitor, _ = c.signed_in(secret)
    page = c.page("/.herse/session")
    asking = [("Accept", "application/json")]
    assert visitor.get(page, fields=asking).status == 200
    c.gate.do("account", "disable", USER)
    until(lambda: visitor.get(page, fields=asking).status == 401, what="its session is over")
    assert c.password(c.visitor()).status == 401
    c.gate.do("account", "enable", USER)
    c.gate.do("account", "remove", USER)
    assert c.password(c.visitor()).status == 401
    assert c.gate.run("account", "remove", USER).code == 1


def test_an_account_survives_a_kill(clinic):
    c = clinic()
    secret = c.enrolled()
    digits = c.code(secret)
    visitor = c.visitor()
    page = c.password(visitor)
    page = visitor.submit(page, page.form("code"), code=digits)
    assert page.path == "/fhir/Patient/1"
    c.gate.kill()
    c.gate.start()
    # Sessions are gone, the code stays used.
    assert visitor.get(c.page("/.herse/session"),
                       fields=[("Accept", "application/json")]).status == 401
    visitor = c.visitor()
    page = c.password(visitor)
    page = visitor.submit(page, page.form("code"), code=digits)
    assert page.status == 401


def test_whoever_is_neutralized_cannot_sign_in(clinic):
    c = clinic()
    secret = c.enrolled()
    c.gate.do("neutralize", PHYSICIAN, "--reason", "left")
    _, page = c.signed_in(secret)
    assert page.status == 403 and page.path == "/.herse/code", page


@pytest.mark.slow
def test_a_storm_of_sign_ins_starves_nobody(clinic, pam, upstream):
    """More passwords at once than wait: shed with 503, while cards are served as ever."""
    import threading

    pam.misbehaving("hangs")
    c = clinic(accounts={"deadline": "2s"}, route={"require": ["certificate", "pam+totp"]})
    c.add()
    pages = []

    def storm():
        visitor = c.visitor()
        page = visitor.post(
            c.page("/.herse/password"), {"name": USER, "password": PASSWORD},
            origin=c.portal.url, follow=False)
        pages.append((page.status, page.field("Retry-After")))

    threads = [threading.Thread(target=storm) for _ in range(320)]
    for thread in threads:
        thread.start()
    served, worst = 0, 0.0
    with c.gate.connect() as client:
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            assert client.get("/fhir/Patient/1").status in (200, 429)
            worst = max(worst, time.monotonic() - began)
            served += 1
    assert served > 20 and worst < 2, (served, worst)
    statuses = {status for status, _ in pages}
    assert statuses <= {401, 429, 503} and 503 in statuses, statuses
    assert len(pages) == 320
    shown = c.gate.run("status", "--json").json()["sign_in"]
    assert shown["waiting"] == 0, shown
