"""The TLS profile: versions, certificates, names, tickets; only what is strong is spoken."""

import re
import ssl
import subprocess

import pytest

from cryptography import x509

from harness.client import request
from harness.pki import name

pytestmark = pytest.mark.sanitized

TLS10, TLS11 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def shake(gate, **options):
    """The alert that ended the handshake, or None when it was accepted."""
    try:
        with gate.connect(**options) as connection:
            # TLS 1.3 tells the client only after its own side of the handshake is over.
            connection.tls.settimeout(0.5)
            try:
                connection.tls.recv(1)
            except TimeoutError:
                return None
            except ssl.SSLEOFError:
                return "ended without an alert"
    except ssl.SSLError as error:
        return (error.reason or str(error)).upper().replace(" ", "_")
    return "ended"


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_tls_1_2_and_1_3_are_spoken(gate, version):
    with gate.connect(low=version, high=version) as connection:
        assert connection.tls.version() == {TLS12: "TLSv1.2", TLS13: "TLSv1.3"}[version]
        assert connection.get().status == 200
        assert connection.tls.compression() is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [TLS10, TLS11])
def test_older_versions_are_refused(gate, upstream, version):
    alert = shake(gate, low=version, high=version, weak=True)
    assert alert and "PROTOCOL_VERSION" in alert
    assert upstream.requests == []


@pytest.mark.parametrize("suites", [
    "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-CCM",
    "DHE-RSA-AES128-GCM-SHA256", "aNULL@SECLEVEL=0",
])
def test_weak_suites_are_refused(gate, pki, suites):
    context = pki.context(high=TLS12)
    context.set_ciphers(suites)
    assert "HANDSHAKE_FAILURE" in (shake(gate, context=context) or "accepted")


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
                                   "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_strong_suites_of_tls_1_2_are_accepted(gate, pki, suite):
    context = pki.context(high=TLS12)
    context.set_ciphers(suite)
    with gate.connect(context=context) as connection:
        assert connection.tls.cipher()[0] == suite
        assert connection.get().status == 200


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_without_a_certificate_a_required_listener_ends_the_handshake(gate, upstream, version):
    alert = shake(gate, card=None, low=version, high=version)
    assert alert and "ALERT" in alert
    assert upstream.requests == []


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_without_a_certificate_an_optional_listener_answers_401(
    config, make_gate, upstream, version
):
    config["listeners"][0]["tls"]["client_certificate"] = "optional"
    gate = make_gate(config)
    with gate.connect(None, low=version, high=version) as connection:
        for _ in range(2):
            assert connection.get().status == 401
    assert upstream.requests == []
    with gate.connect("physician", low=version, high=version) as connection:
        assert connection.get().status == 200


def test_a_bad_certificate_on_an_optional_listener_is_no_certificate_less(
    config, make_gate, upstream
):
    config["listeners"][0]["tls"]["client_certificate"] = "optional"
    gate = make_gate(config)
    alert = shake(gate, card="expired")
    if alert is None:
        assert gate.get(card="expired").status in (401, 403)
    assert upstream.requests == []


def test_a_listener_that_asks_for_none_answers_401(config, make_gate, upstream):
    tls = config["listeners"][0]["tls"]
    tls["client_certificate"] = "none"
    del tls["client_authorities"]
    gate = make_gate(config)
    assert gate.get(card=None).status == 401
    assert gate.get(card="physician").status == 401
    assert upstream.requests == []


def test_each_listener_has_its_own_anchors(config, make_gate, upstream, pki):
    pki.path("stranger.pem").write_bytes(pki.stranger.pem())
    other = dict(config["listeners"][0], name="strangers", address="127.0.0.2:0")
    other["tls"] = dict(other["tls"], client_authorities=[str(pki.path("stranger.pem"))])
    config["listeners"].append(other)
    pki.issue("stranger", by=pki.stranger)
    gate = make_gate(config)
    assert gate.get(card="physician").status == 200
    assert gate.get(card="stranger", listener="strangers").status == 200
    assert "ALERT" in (shake(gate, card="stranger") or "accepted")
    assert "ALERT" in (shake(gate, card="physician", listener="strangers") or "accepted")


@pytest.fixture
def two_names(config, make_gate, pki):
    by = pki.servers
    for host in ("one.example.org", "two.example.org"):
        by.issue(pki.path(host), name(host), names=[x509.DNSName(host)],
                 purposes=[x509.ExtendedKeyUsageOID.SERVER_AUTH])
    config["listeners"][0]["tls"]["certificates"] = [
        {"certificate": str(pki.path(f"{host}.pem")), "private_key": str(pki.path(f"{host}.key"))}
        for host in ("one.example.org", "two.example.org")
    ]
    return make_gate(config)


@pytest.mark.parametrize(("asked", "shown"), [
    ("one.example.org", "one.example.org"), ("two.example.org", "two.example.org"),
    ("ONE.example.org", "one.example.org"), ("localhost", "localhost"),
    ("three.example.org", "localhost"), (None, "localhost"),
])
def test_the_certificate_follows_the_name_asked_for(two_names, pki, asked, shown):
    context = pki.context()
    context.check_hostname = False
    with two_names.connect(context=context, sni=asked) as connection:
        names = connection.tls.getpeercert()["subjectAltName"]
        assert ("DNS", shown) in names
        assert connection.get().status == 200


@pytest.mark.parametrize(("offered", "chosen"), [
    (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (None, None),
])
def test_alpn_chooses_http_1_1(gate, offered, chosen):
    with gate.connect(alpn=offered) as connection:
        assert connection.tls.selected_alpn_protocol() == chosen
        assert connection.get().status == 200


def test_alpn_never_agrees_to_what_is_not_spoken(gate, upstream, pki):
    context = pki.context(alpn=["h2"])
    alert = shake(gate, context=context)
    if alert is None:
        with gate.connect(context=context) as connection:
            assert connection.tls.selected_alpn_protocol() is None
    else:
        assert "APPLICATION_PROTOCOL" in alert


def s_client(gate, pki, *options, data=b"", within=10):
    host, port = gate.address()
    certificate, key = pki.card("physician")
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "localhost",
         "-CAfile", pki.path("root-ca.pem"), "-cert", certificate, "-cert_chain", certificate,
         "-key", key, *options],
        input=data, capture_output=True, timeout=within,
    )


def test_renegotiation_is_refused(gate, upstream, pki):
    run = s_client(gate, pki, "-tls1_2", data=b"R\n")
    said = (run.stdout + run.stderr).decode("latin-1").lower()
    assert "renegotiating" in said
    assert "no renegotiation" in said, said
    assert gate.get().status == 200


def test_early_data_is_not_offered(gate, pki):
    run = s_client(gate, pki, "-tls1_3", "-ign_eof", data=request(fields=["Connection: close"]))
    said = run.stdout.decode("latin-1")
    assert "HTTP/1.1 200" in said
    sizes = re.findall(r"Max Early Data: (\d+)", said)
    assert set(sizes) <= {"0"}


def resume(gate, pki, version, between=lambda: None):
    """Connects, lets `between` happen, and resumes: the context, then the second connection."""
    context = pki.context(low=version, high=version)
    with gate.connect(context=context) as connection:
        assert connection.get().status == 200
        session = connection.tls.session
        assert not connection.tls.session_reused
    assert session is not None and session.has_ticket
    between()
    return gate.connect(context=context, session=session)


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_session_is_resumed_and_its_professional_known(gate, upstream, pki, version):
    with resume(gate, pki, version) as again:
        assert again.tls.session_reused
        assert again.get("/fhir/Patient/resumed").status == 200
    first, second = upstream.requests
    assert first.fields["Herse-Professional"] == second.fields["Herse-Professional"]


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_ticket_is_worth_nothing_where_tickets_are_off(config, make_gate, pki, version):
    config["listeners"][0]["tls"]["ticket_lifetime"] = "0s"
    gate = make_gate(config)
    context = pki.context(low=version, high=version)
    with gate.connect(context=context) as connection:
        assert connection.get().status == 200
        session = connection.tls.session
    with gate.connect(context=context, session=session) as again:
        assert not again.tls.session_reused
        assert again.get().status == 200


def test_a_ticket_of_one_listener_opens_no_other(config, make_gate, upstream, pki):
    other = dict(config["listeners"][0], name="strangers", address="127.0.0.2:0")
    pki.path("stranger.pem").write_bytes(pki.stranger.pem())
    other["tls"] = dict(other["tls"], client_authorities=[str(pki.path("stranger.pem"))])
    config["listeners"].append(other)
    gate = make_gate(config)
    context = pki.context()
    with gate.connect(context=context) as connection:
        assert connection.get().status == 200
        session = connection.tls.session
    upstream.reset()
    try:
        with gate.connect(context=context, session=session, listener="strangers") as again:
            again.get()
    except (ssl.SSLError, OSError, AssertionError):
        pass
    assert upstream.requests == []


def test_a_neutralized_professional_cannot_resume(config, make_gate, upstream, pki):
    gate = make_gate(config)
    for version in (TLS12, TLS13):
        upstream.reset()

        def neutralize():
            gate.do("neutralize", "899700218896", "--reason", "test")

        try:
            with resume(gate, pki, version, neutralize) as again:
                assert again.get().status == 403
        except (ssl.SSLError, OSError):
            pass
        assert len(upstream.requests) == 1
        gate.do("reinstate", "899700218896", "--reason", "test")
