"""The browser of the tests, and the gate's own script for security keys, against a relying party
that nobody here wrote (py_webauthn)."""

import html
import http.server
import json
import ssl
import textwrap
import threading
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from webauthn import (
    base64url_to_bytes, generate_authentication_options, generate_registration_options,
    options_to_json, verify_authentication_response, verify_registration_response,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria, PublicKeyCredentialDescriptor, UserVerificationRequirement,
)

from harness.gate import ROOT
from harness.pki import PHYSICIAN, name

SOURCE = ROOT / "Sources" / "SignIn" / "Pages" / "WebAuthnScript.swift"

POLICY = "default-src 'none'; script-src 'self'; form-action 'self'; frame-ancestors 'none'"

PAGE = """<!doctype html><html lang="en"><title>{title}</title>
<script src="/webauthn.js" defer></script><main><p id="who">{who}</p>
<form method="post" action="/{verb}" data-webauthn="{verb}" data-options="{options}"
 data-waiting="waiting" data-cancelled="cancelled" data-known="known" data-failed="failed"
 data-unsupported="unsupported" data-address="address">
<input type="hidden" name="credential"><p role="alert"></p><p role="status"></p>
<noscript><p>no script</p></noscript><button type="submit" disabled>go</button></form></main>"""


def script():
    """`webauthn.js` as the gate serves it."""
    text = SOURCE.read_text()
    return textwrap.dedent(text.split('#"""\n')[1].split('"""#')[0])


class RelyingParty:
    """A site with two pages: a new key, and signing in with it."""

    def __init__(self, pki, host="localhost", certificate=None):
        self.host = host
        self.keys = {}
        self.results = []
        self.asked = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(certificate or (pki.path("server.pem"), pki.path("server.key"))))
        context.load_verify_locations(pki.path("client-authorities.pem"))
        context.verify_mode = ssl.CERT_OPTIONAL
        party = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20

            def reply(self, body, kind="text/html; charset=utf-8"):
                body = body.encode()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Security-Policy", POLICY)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def who(self):
                subject = (self.connection.getpeercert() or {}).get("subject", ())
                names = [value for part in subject for kind, value in part if kind == "commonName"]
                return names[0] if names else "nobody"

            def do_GET(self):
                if self.path == "/webauthn.js":
                    self.reply(script(), "text/javascript; charset=utf-8")
                elif self.path in ("/create", "/get"):
                    self.reply(party.page(self.path[1:], self.who()))
                else:
                    self.reply("<title>elsewhere</title>")

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                fields = parse_qs(self.rfile.read(length).decode())
                said = party.judge(self.path[1:], fields.get("credential", [""])[0])
                self.reply(f"<title>result</title><p id=result>{html.escape(said)}</p>")

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client):
                pass  # a browser that hangs up

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # The handshake belongs to the thread of its connection.
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = self.server.server_address[1]
        self.origin = f"https://{host}:{self.port}" if host == "localhost" else f"https://{host}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def page(self, verb, who):
        known = [PublicKeyCredentialDescriptor(id=key) for key in self.keys]
        required = UserVerificationRequirement.REQUIRED
        if verb == "create":
            options = generate_registration_options(
                rp_id=self.host, rp_name="t", user_name="anne", user_id=b"a handle",
                exclude_credentials=known,
                authenticator_selection=AuthenticatorSelectionCriteria(user_verification=required),
            )
        else:
            options = generate_authentication_options(
                rp_id=self.host, allow_credentials=known, user_verification=required,
            )
        self.challenge = options.challenge
        text = html.escape(options_to_json(options))
        return PAGE.format(title=verb, verb=verb, options=text, who=html.escape(who))

    def judge(self, verb, credential):
        self.asked += 1
        self.newest = credential
        expected = dict(
            credential=credential, expected_challenge=self.challenge,
            expected_origin=self.origin, expected_rp_id=self.host, require_user_verification=True,
        )
        try:
            if verb == "create":
                made = verify_registration_response(**expected)
                self.keys[made.credential_id] = made.credential_public_key
                return "registered"
            key = self.keys[base64url_to_bytes(json.loads(credential)["rawId"])]
            verify_authentication_response(
                **expected, credential_public_key=key, credential_current_sign_count=0
            )
            return "signed in"
        except Exception as error:  # shown on the page, where the test reads it
            return f"refused: {error!r}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def party(pki):
    party = RelyingParty(pki)
    yield party
    party.close()


def register(browser, party):
    browser.open(f"{party.origin}/create").press()
    assert browser.wait_for("#result").text == "registered"


def test_registers_a_key_and_signs_in_with_it(make_browser, party):
    browser = make_browser().plug()
    register(browser, party)
    assert len(browser.keys()) == 1
    browser.open(f"{party.origin}/get").press()
    assert browser.wait_for("#result").text == "signed in"
    answer = json.loads(party.newest)
    assert set(answer) == {"id", "rawId", "type", "response"}
    assert browser.console() == [], "the content policy stopped something"


def test_moves_the_counter_of_a_key(make_browser, party):
    browser = make_browser().plug()
    register(browser, party)
    browser.move_counter(50)
    browser.open(f"{party.origin}/get").press()
    assert browser.wait_for("#result").text == "signed in"
    data = base64url_to_bytes(json.loads(party.newest)["response"]["authenticatorData"])
    assert int.from_bytes(data[33:37], "big") == 51


def test_shows_the_card_without_asking(make_browser, party):
    browser = make_browser(card="physician")
    browser.open(f"{party.origin}/create")
    assert browser.find("#who").text == PHYSICIAN


def test_shows_no_card_when_it_has_none(make_browser, party):
    browser = make_browser().open(f"{party.origin}/create")
    assert browser.find("#who").text == "nobody"


HOST = "gate.example.test"


def certified(pki, authority, label):
    """A server's certificate for HOST, by an authority."""
    authority.issue(
        pki.path("cards", label), name(HOST), names=[x509.DNSName(HOST)],
        purposes=[x509.oid.ExtendedKeyUsageOID.SERVER_AUTH],
    )
    return pki.card(label)


def test_finds_a_name_without_a_port_on_this_machine(make_browser, pki):
    party = RelyingParty(pki, HOST, certified(pki, pki.servers, "browsed"))
    try:
        register(make_browser(hosts={HOST: party.port}).plug(internal=True), party)
        assert party.origin == f"https://{HOST}"
    finally:
        party.close()


def test_does_not_believe_a_stranger_s_certificate(make_browser, pki):
    party = RelyingParty(pki, HOST, certified(pki, pki.stranger, "strange"))
    try:
        browser = make_browser(hosts={HOST: party.port}).open(f"{party.origin}/create")
        assert "ERR_CERT_AUTHORITY_INVALID" in browser.text
    finally:
        party.close()


def test_says_that_a_key_is_registered_already(make_browser, party):
    browser = make_browser().plug()
    register(browser, party)
    browser.open(f"{party.origin}/create").press()
    assert browser.wait_for("[role=alert]", "known")
    assert party.asked == 1, "nothing is sent"


def test_says_that_nobody_was_verified_and_lets_try_again(make_browser, party):
    browser = make_browser().plug()
    register(browser, party)
    browser.verify(False)
    browser.open(f"{party.origin}/get").press()
    assert browser.wait_for("[role=alert]", "cancelled", within=30)
    assert browser.find("[role=status]").text == ""
    assert browser.find("form").get_attribute("aria-busy") == "false"
    assert browser.driver.switch_to.active_element.tag_name == "button"
    browser.verify(True)
    browser.press()
    assert browser.wait_for("#result").text == "signed in"


def test_says_that_the_address_is_wrong(make_browser, party):
    browser = make_browser().plug()
    party.host = "elsewhere.example"
    browser.open(f"{party.origin}/create").press()
    assert browser.wait_for("[role=alert]", "address")


def test_says_that_a_script_is_needed(make_browser, party):
    browser = make_browser(script=False).open(f"{party.origin}/create")
    assert "no script" in browser.text
    assert not browser.find("button").is_enabled()
