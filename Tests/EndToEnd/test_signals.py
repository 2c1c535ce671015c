"""Security events from an identity provider, and those it is told: pushed, polled, forged, lost."""

import json
import secrets
import subprocess
import threading
import time

import jwt
import pytest

from harness import jose
from harness.alerts import SECRET, Hook
from harness.client import request
from harness.gate import find
from harness.pki import PHARMACIST, PHYSICIAN
from harness.signals import AUDIENCE, CAEP, RISC, SSF, Receiver, Transmitter
from harness.strong import Portal, accept, bearing, keys_file, optional, secret_file
from harness.upstream import answer
from harness.visitor import Visitor
from harness.waiting import PATIENCE, until

pytestmark = pytest.mark.sanitized

DISABLED = RISC + "account-disabled"
ENABLED = RISC + "account-enabled"
REVOKED = CAEP + "session-revoked"


@pytest.fixture
def idp():
    made = Transmitter()
    yield made
    errors = made.server.errors
    made.close()
    assert not errors, errors


@pytest.fixture
def told():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def stream_gate(config, make_gate, idp, issuer):
    """Makes gates that listen to `idp`; `tokens` says whether they accept those of `issuer`."""
    def make(tokens=True, start=True, transmitter=None, change=None, **more):
        gate = make_gate(config, start=False)
        optional(config)
        if tokens:
            rule = issuer.rule(discovery=None, authorities=None,
                               keys=keys_file(gate.folder, issuer))
            accept(config, rule, require=("certificate", "token"))
        config["signals"] = {"receivers": [idp.rule(gate.folder, **more)]}
        if transmitter:
            config["signals"]["transmitter"] = {
                "issuer": "https://gate.example.fr/",
                "receivers": [one.rule(gate.folder) for one in transmitter]}
        if change:
            change(config, gate)
        gate.write()
        return gate.start() if start else gate

    return make


def stream(gate, name="psc"):
    """How a stream is, as status tells."""
    return next(one for one in gate.status()["signals"]["receivers"] if one["name"] == name)


def next_second():
    """Waits until the clock shows another second; what came before was proven before it."""
    before = int(time.time())
    until(lambda: int(time.time()) > before, within=2)


# What an event does.

def test_a_disabled_account_is_cut_before_the_push_is_answered(stream_gate, idp, upstream):
    gate = stream_gate()
    with gate.connect() as live, gate.connect("pharmacist") as other:
        assert live.get().status == other.get().status == 200
        reply = idp.push(gate, idp.event(DISABLED, PHYSICIAN))
        assert reply.status == 202 and reply.body == b"", reply
        # No waiting: when it was answered, the connection was cut.
        assert not live.is_open()
        assert other.get().status == 200
    assert gate.get().status == 403
    (entry,) = gate.do("neutralized", f"account:{PHYSICIAN}", "--json").json()
    assert entry["source"] == "command:signals:psc" and entry["reason"] == "account-disabled"
    gate.kill()
    gate.start()
    assert gate.get().status == 403
    acts = [line for line in gate.record() if line.get("event") == "administration"]
    assert [(act["act"], act["by"]) for act in acts] == [("neutralize", "signals:psc")]


def test_an_enabled_account_is_let_in_again(stream_gate, idp, upstream):
    gate = stream_gate()
    assert idp.push(gate, idp.event(DISABLED, PHYSICIAN)).status == 202
    assert gate.get().status == 403
    assert idp.push(gate, idp.event(ENABLED, PHYSICIAN)).status == 202
    assert gate.get().status == 200
    gate.kill()
    gate.start()
    assert gate.get().status == 200


def test_what_an_operator_did_is_not_undone_by_a_stream(stream_gate, idp, upstream):
    gate = stream_gate()
    gate.do("neutralize", PHYSICIAN, "--reason", "a lost card")
    assert idp.push(gate, idp.event(ENABLED, PHYSICIAN)).status == 202
    assert gate.get().status == 403
    # Nor when the stream had said the same: both hold.
    assert idp.push(gate, idp.event(DISABLED, PHYSICIAN)).status == 202
    assert idp.push(gate, idp.event(ENABLED, PHYSICIAN)).status == 202
    assert gate.get().status == 403
    (entry,) = gate.do("neutralized", f"account:{PHYSICIAN}", "--json").json()
    assert "signals" not in entry["source"], entry
    gate.do("reinstate", PHYSICIAN, "--reason", "found again")
    assert gate.get().status == 200


def test_a_line_of_the_operators_list_is_not_undone_by_a_stream(stream_gate, idp, upstream):
    def listed(config, gate):
        (gate.folder / "neutralized.list").write_text(f"account {PHYSICIAN} reason=lost-card\n")
        config["neutralized"] = "neutralized.list"

    gate = stream_gate(change=listed)
    assert idp.push(gate, idp.event(DISABLED, PHYSICIAN)).status == 202
    assert idp.push(gate, idp.event(ENABLED, PHYSICIAN)).status == 202
    assert gate.get().status == 403


def test_a_revoked_session_ends_a_token_that_was_proven_before(
    stream_gate, idp, issuer, upstream
):
    gate = stream_gate()
    go = threading.Event()

    def wait(asked, peer):
        if "slow" in asked.target:
            go.wait(10)
        peer.send(answer(body=b"{}"))

    upstream.answer = wait
    before = bearing(issuer.token())
    other = bearing(issuer.token(professional=PHARMACIST))
    with gate.connect(None) as live, gate.connect() as card:
        assert live.get(fields=before).status == card.get().status == 200
        live.send(request("/plain/slow", before))
        until(lambda: any("slow" in one.target for one in upstream.requests))
        assert idp.push(gate, idp.event(REVOKED, PHYSICIAN)).status == 202
        go.set()
        assert live.end(within=3)[1] == b""
        # The card in the reader proves itself, whatever the provider takes back.
        assert card.get().status == 200
    reply = gate.get(card=None, fields=before)
    assert reply.status == 401, reply
    assert gate.get(card=None, fields=other).status == 200
    gate.kill()
    gate.start()
    assert gate.get(card=None, fields=before).status == 401
    next_second()
    assert gate.get(card=None, fields=bearing(issuer.token())).status == 200


def test_a_revoked_session_ends_that_of_a_browser(stream_gate, idp, issuer, pki, upstream):
    def pages(config, gate):
        portal.append(Portal(config))
        config["authentication"]["issuers"] = [issuer.rule(
            tokens=False, client_id=issuer.client,
            client_secret=secret_file(gate.folder, "psc.secret", issuer.secret))]
        config["authentication"]["sign_in"]["providers"] = [{"issuer": "psc", "label": "PSC"}]
        for one in config["routes"]:
            one["require"] = ["certificate", "session"]

    portal = []
    gate = stream_gate(tokens=False, change=pages)

    def signed_in():
        visitor = Visitor(pki)
        page = visitor.get(
            portal[0].page("/.herse/openid/psc/start?to=/fhir/Patient/1"), follow=True)
        return visitor, page

    until(lambda: signed_in()[1].path == "/fhir/Patient/1", within=10, what="the provider is known")
    visitor, page = signed_in()
    assert page.status == 200, page
    assert gate.do("sessions", "--json").json()
    # Another's session stays.
    assert idp.push(gate, idp.event(REVOKED, PHARMACIST)).status == 202
    assert visitor.get(portal[0].page("/fhir/Patient/1")).path == "/fhir/Patient/1"
    assert idp.push(gate, idp.event(REVOKED, PHYSICIAN)).status == 202
    assert gate.do("sessions", "--json").json() == []
    assert visitor.get(portal[0].page("/fhir/Patient/1")).path == "/.herse/sign-in"
    # What the provider proved before it took that back begins no session.
    issuer.id_claims = {"auth_time": int(time.time()) - 5}
    assert signed_in()[1].path != "/fhir/Patient/1"
    issuer.id_claims = {}
    next_second()
    assert signed_in()[1].path == "/fhir/Patient/1"


def test_only_the_session_that_an_event_names_ends(stream_gate, idp, issuer, upstream):
    gate = stream_gate()
    one, two = bearing(issuer.token(sid="first")), bearing(issuer.token(sid="second"))
    subject = {"format": "complex",
               "user": {"format": "iss_sub", "iss": idp.issuer, "sub": PHYSICIAN},
               "session": {"format": "opaque", "id": "first"}}
    assert gate.get(card=None, fields=one).status == gate.get(card=None, fields=two).status == 200
    assert idp.push(gate, idp.event(REVOKED, subject)).status == 202
    assert gate.get(card=None, fields=one).status == 403
    assert gate.get(card=None, fields=two).status == 200


@pytest.mark.parametrize("event, subject", [
    (CAEP + "credential-change", PHYSICIAN), (CAEP + "token-claims-change", PHYSICIAN),
    (CAEP + "assurance-level-change", PHYSICIAN), (RISC + "sessions-revoked", PHYSICIAN),
    (REVOKED, {"format": "account", "uri": f"acct:{PHYSICIAN}@idp.example.fr"}),
    (REVOKED, {"format": "opaque", "id": PHYSICIAN}),
    (REVOKED, {"format": "aliases", "identifiers": [
        {"format": "email", "email": "i@example.org"}, {"format": "opaque", "id": PHYSICIAN}]}),
])
def test_every_way_to_say_it(stream_gate, idp, issuer, upstream, event, subject):
    gate = stream_gate()
    token = bearing(issuer.token())
    assert gate.get(card=None, fields=token).status == 200
    assert idp.push(gate, idp.event(event, subject)).status == 202
    assert gate.get(card=None, fields=token).status == 401


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
def test_events_are_signed_by_any_good_algorithm(stream_gate, idp, upstream, algorithm):
    idp.key = jose.SigningKey(algorithm)
    gate = stream_gate(tokens=False)
    claims = idp.claims(DISABLED, PHYSICIAN, aud=["https://other.example.fr", AUDIENCE])
    # Signed by PyJWT, which shares no code with the gate nor with this harness.
    token = jwt.encode(claims, idp.key.private, algorithm=algorithm,
                       headers={"typ": "secevent+jwt", "kid": idp.key.kid})
    assert idp.push(gate, token).status == 202
    assert gate.get().status == 403


def test_policy_decides_what_an_event_does(stream_gate, idp, issuer, upstream):
    gate = stream_gate(actions={"session-revoked": "ignore", "credential-compromise": "alert",
                                "credential-change": "neutralize"})
    token = bearing(issuer.token())
    assert idp.push(gate, idp.event(REVOKED, PHYSICIAN)).status == 202
    assert idp.push(gate, idp.event(RISC + "credential-compromise", PHYSICIAN)).status == 202
    assert gate.get(card=None, fields=token).status == 200
    assert f"credential-compromise of {PHYSICIAN}" in gate.log()
    assert idp.push(gate, idp.event(CAEP + "credential-change", PHYSICIAN)).status == 202
    assert gate.get(card=None, fields=token).status == 403
    shown = stream(gate)
    assert (shown["received"], shown["ignored"], shown["applied"]) == (3, 1, 2), shown


def test_an_event_may_only_raise_an_alert(stream_gate, idp, pki, upstream):
    hook = Hook(pki)

    def alerting(config, gate):
        config["alerts"] = [{"name": "chat", "kinds": ["signal", "signals-stale"], "webhook": {
            "url": hook.url, "secret_file": secret_file(gate.folder, "hook.key", SECRET + "\n"),
            "authorities": [str(pki.path("root-ca.pem"))]}}]

    try:
        gate = stream_gate(tokens=False, change=alerting)
        assert idp.push(gate, idp.event(RISC + "identifier-changed", PHYSICIAN)).status == 202
        told = hook.of("signal")["data"]
        assert told["text"].endswith(f"identifier-changed of {PHYSICIAN}"), told
        assert gate.get().status == 200
        subject = {"format": "opaque", "id": "stream-1"}
        paused = idp.event(SSF + "stream-updated", subject, {"status": "paused"})
        assert idp.push(gate, paused).status == 202
        assert "paused" in hook.of("signals-stale")["data"]["text"]
    finally:
        hook.close()


def test_good_news_cuts_nobody(stream_gate, idp, issuer, upstream):
    gate = stream_gate(actions={"device-compliance-change": "neutralize"})
    token = bearing(issuer.token())
    for event, about in [
        (CAEP + "assurance-level-change", {"change_direction": "increase"}),
        (CAEP + "device-compliance-change", {"current_status": "compliant"}),
    ]:
        assert idp.push(gate, idp.event(event, PHYSICIAN, about)).status == 202
    assert gate.get(card=None, fields=token).status == 200


def test_a_subject_is_found_by_how_the_provider_writes_it(stream_gate, idp, issuer, upstream):
    gate = stream_gate(professional_id="sub-suffix")
    subject = f"f:550dc1c8:{PHYSICIAN}"
    assert idp.push(gate, idp.event(DISABLED, subject)).status == 202
    assert gate.get().status == 403


def test_a_subject_is_known_by_whoever_proved_themselves(stream_gate, idp, issuer, upstream):
    idp.issuer = issuer.url
    gate = stream_gate(professional_id="known")
    claims = issuer.claims(sub="an-opaque-name")
    token = bearing(jose.signed(jose.header(issuer.keys[0]), claims, issuer.keys[0]))
    assert idp.push(gate, idp.event(DISABLED, "an-opaque-name")).status == 202
    assert stream(gate)["unresolved"] == 1
    assert gate.get(card=None, fields=token).status == 200
    assert idp.push(gate, idp.event(DISABLED, "an-opaque-name")).status == 202
    assert gate.get(card=None, fields=token).status == 403


def test_somebody_unknown_is_told_in_status_and_not_asked_for_again(stream_gate, idp, upstream):
    gate = stream_gate()
    for subject in ["not-a-number", {"format": "email", "email": "i@example.org"},
                    {"format": "iss_sub", "iss": "https://other.example.fr", "sub": PHYSICIAN}]:
        assert idp.push(gate, idp.event(DISABLED, subject)).status == 202
    assert stream(gate)["unresolved"] == 3
    assert gate.get().status == 200


# What is no event.

def test_forgeries_and_misdirected_events_are_refused(stream_gate, idp, issuer, upstream):
    gate = stream_gate()
    claims = idp.claims(DISABLED, PHYSICIAN)
    stranger = jose.SigningKey("ES256")
    stranger.kid = idp.key.kid
    unsigned = f"{jose.part({'alg': 'none', 'typ': 'secevent+jwt'})}.{jose.part(claims)}."
    shared = jose.mac({"alg": "HS256", "typ": "secevent+jwt", "kid": idp.key.kid}, claims,
                      idp.key.pem())
    now = int(time.time())
    table = [
        (idp.sign(claims, key=stranger), "invalid_key"),
        (idp.sign(claims, key=jose.SigningKey("ES256")), "invalid_key"),
        (idp.sign(claims, key=jose.SigningKey("RS256")), "invalid_key"),
        (unsigned, "invalid_key"), (shared, "invalid_key"),
        (idp.sign(claims, kind="JWT"), "invalid_request"),
        (idp.sign(claims, kind="logout+jwt"), "invalid_request"),
        (idp.event(DISABLED, PHYSICIAN, iss="https://evil.example.fr/"), "invalid_issuer"),
        (idp.event(DISABLED, PHYSICIAN, aud="https://evil.example.fr/"), "invalid_audience"),
        (idp.event(DISABLED, PHYSICIAN, aud=None), "invalid_audience"),
        (idp.event(DISABLED, PHYSICIAN, iat=now + 3600), "invalid_request"),
        (idp.event(DISABLED, PHYSICIAN, jti=None), "invalid_request"),
        (idp.event(DISABLED, PHYSICIAN, sub=PHYSICIAN), "invalid_request"),
        (idp.event(DISABLED, PHYSICIAN, exp=now + 60), "invalid_request"),
        (idp.event(DISABLED, {"format": "ear_size", "id": "1"}), "invalid_request"),
        (idp.event(DISABLED, None), "invalid_request"),
        (idp.event(DISABLED, PHYSICIAN, events={DISABLED: {}, REVOKED: {}}), "invalid_request"),
        ("nothing of the kind", "invalid_request"), ("", "invalid_request"),
    ]
    for token, code in table:
        reply = idp.push(gate, token)
        assert reply.status == 400, (token, reply)
        assert reply.fields["Content-Type"] == "application/json"
        told = json.loads(reply.body)
        assert told["err"] == code and told["description"], (token, told)
    assert gate.get().status == 200
    assert stream(gate)["refused"] == len(table)


def test_who_pushes_shows_the_bearer_token(stream_gate, idp, upstream):
    gate = stream_gate()
    token = idp.event(DISABLED, PHYSICIAN)
    for bearer in ["", "x", idp.token[:-1], idp.token + "x"]:
        reply = idp.push(gate, token, bearer=bearer)
        assert reply.status == 401, reply
        assert reply.fields["WWW-Authenticate"] == "Bearer"
        assert json.loads(reply.body)["err"] == "authentication_failed"
    assert gate.get().status == 200
    assert idp.push(gate, token, kind="application/json").status == 400
    assert idp.push(gate, token, method="GET").status == 405
    assert idp.push(gate, token, name="other").status == 404
    # A card makes no difference, nor does a blank behind the token.
    assert idp.push(gate, token, card="pharmacist").status == 202
    # Replaced in its file, it is the new one at once.
    (gate.folder / "psc.token").write_text("another")
    assert idp.push(gate, token).status == 401
    assert idp.push(gate, token, bearer="another").status == 202


def test_what_is_too_large_is_not_read(stream_gate, idp, upstream):
    gate = stream_gate()
    assert idp.push(gate, b"a" * 65_537).status == 413
    assert idp.push(gate, idp.event(DISABLED, PHYSICIAN, more="a" * 40_000)).status == 202


def test_an_event_that_comes_again_changes_nothing(stream_gate, idp, upstream):
    gate = stream_gate()
    disabled = idp.event(DISABLED, PHYSICIAN)
    assert idp.push(gate, disabled).status == 202
    assert idp.push(gate, idp.event(ENABLED, PHYSICIAN)).status == 202
    assert gate.get().status == 200
    # Replayed by whoever saw it, after it was taken back.
    assert idp.push(gate, disabled).status == 202
    assert gate.get().status == 200
    assert stream(gate)["repeated"] == 1
    # Nor does what was said before and came later.
    assert idp.push(gate, idp.event(DISABLED, PHYSICIAN, iat=int(time.time()) - 60)).status == 202
    assert gate.get().status == 200


def test_whoever_the_network_is_closed_to_pushes_nothing(stream_gate, idp, upstream):
    gate = stream_gate()
    gate.do("neutralize", "network:127.0.0.0/8", "--reason", "test")
    reply = idp.push(gate, idp.event(DISABLED, PHYSICIAN))
    assert reply.status == 403, reply
    assert stream(gate)["received"] == 0


def test_it_is_pushed_through_the_listeners_that_were_named(stream_gate, idp, config, upstream):
    def second(config, gate):
        first = config["listeners"][0]
        config["listeners"].append({**first, "name": "signals"})
        config["signals"]["receivers"][0]["push"]["listeners"] = ["signals"]

    gate = stream_gate(change=second)
    token = idp.event(DISABLED, PHYSICIAN)
    assert idp.push(gate, token).status == 404
    assert idp.push(gate, token, listener="signals").status == 202


def test_keys_are_fetched_and_learned_anew(stream_gate, idp, issuer, pki, upstream):
    idp.issuer = issuer.url
    idp.key = issuer.keys[0]
    gate = stream_gate(
        tokens=False, keys=issuer.address("certs"), authorities=str(pki.path("root-ca.pem")))
    assert idp.push(gate, idp.event(REVOKED, PHYSICIAN)).status == 202
    idp.key = issuer.rotate()
    # As often as keys are fetched for the sake of one that is not known, and no more often.
    until(lambda: idp.push(gate, idp.event(REVOKED, PHYSICIAN)).status == 202, within=15,
          what="the new key is known", every=0.5)


# Failing.

def test_a_disk_that_fails_makes_it_come_again(stream_gate, idp, issuer, upstream):
    gate = stream_gate()
    token = bearing(issuer.token(professional=PHARMACIST))
    assert gate.get(card=None, fields=token).status == 200

    def writable(size):
        """How long a file may be from now on."""
        subprocess.run(["prlimit", "--pid", str(gate.process.pid), f"--fsize={size}:unlimited"],
                       check=True)

    writable(0)
    disabled = idp.event(DISABLED, PHYSICIAN)
    revoked = idp.event(REVOKED, PHARMACIST)
    for event in (disabled, revoked, disabled):
        reply = idp.push(gate, event)
        assert reply.status == 503 and "Retry-After" in reply.fields, reply
    writable("unlimited")
    for event in (disabled, revoked):
        assert idp.push(gate, event).status == 202
    gate.kill()
    gate.start()
    assert gate.get().status == 403
    assert gate.get(card=None, fields=token).status == 401


def is_neutralized(gate, professional):
    return gate.run("neutralized", f"account:{professional}").code == 0


def test_a_gate_killed_before_it_acknowledged_takes_the_event_again(
    stream_gate, idp, upstream
):
    idp.deaf = True
    gate = stream_gate(push=False, poll=True)
    name = idp.hold(idp.event(DISABLED, PHYSICIAN))
    until(lambda: is_neutralized(gate, PHYSICIAN), within=10, what="the event is carried out")
    gate.kill()
    assert name in idp.waiting
    gate.start()
    assert gate.get().status == 403
    until(lambda: stream(gate)["applied"] == 1, within=10, what="it came again")
    idp.deaf = False
    until(lambda: name in idp.acknowledged, within=10, what="it is acknowledged")
    (entry,) = gate.do("neutralized", f"account:{PHYSICIAN}", "--json").json()
    assert entry["source"] == "command:signals:psc"
    idp.hold(idp.event(ENABLED, PHYSICIAN))
    until(lambda: not is_neutralized(gate, PHYSICIAN), within=10,
          what="one reinstatement is enough")
    assert gate.get().status == 200


# Polling and verification.

def test_events_are_polled_carried_out_and_acknowledged(stream_gate, idp, upstream):
    gate = stream_gate(push=False, poll=True)
    good = idp.hold(idp.event(DISABLED, PHYSICIAN))
    bad = idp.hold(idp.sign(idp.claims(DISABLED, PHARMACIST), key=jose.SigningKey("ES256")))
    other = idp.claims(DISABLED, PHARMACIST)
    with idp.lock:
        idp.waiting["a-name-of-another"] = idp.sign(other)
    until(lambda: good in idp.acknowledged and bad in idp.errors, within=10)
    until(lambda: "a-name-of-another" in idp.errors, within=10)
    assert idp.errors[bad]["err"] == "invalid_key"
    assert idp.errors["a-name-of-another"]["err"] == "invalid_request"
    assert gate.get().status == 403
    assert gate.get(card="pharmacist").status == 200
    asked = idp.polls[0]
    assert asked["returnImmediately"] is True and asked["maxEvents"] == 100
    assert "ack" not in asked
    shown = stream(gate)
    assert shown["state"] == "fresh" and shown["applied"] == 1 and shown["refused"] == 2, shown


def test_more_than_one_poll_brings_all(stream_gate, idp, upstream):
    gate = stream_gate(push=False, poll=True)
    names = {idp.hold(idp.event(REVOKED, PHYSICIAN)) for _ in range(250)}
    until(lambda: names <= set(idp.acknowledged), within=20, what="all are acknowledged")
    assert stream(gate)["applied"] == 250


def test_a_transmitter_that_is_down_is_told_of_in_status(stream_gate, idp, upstream):
    gate = stream_gate(push=False, poll=True)
    until(lambda: stream(gate)["state"] == "fresh", within=10)
    idp.status = 500
    until(lambda: "500" in stream(gate).get("problem", ""), within=10)
    idp.status = 200
    until(lambda: "problem" not in stream(gate), within=10)
    assert "reached again" in gate.log()


def test_a_stream_is_asked_whether_it_lives(stream_gate, idp, upstream):
    gate = stream_gate(push=False, poll=True, verify="2s")
    until(lambda: stream(gate)["state"] == "fresh", within=15, what="a question came back")
    assert idp.questions[0]["stream_id"] == "stream-1"
    assert len({one["state"] for one in idp.questions}) == len(idp.questions)
    idp.verifies = False
    until(lambda: stream(gate)["state"] == "stale", within=15, what="a question did not")
    run = gate.run("status", "--json")
    assert run.code == 3
    assert any("psc" in one and "stale" in one for one in find(run.json(), "degraded"))
    assert "SIGNALS FROM" in gate.run("status").out
    idp.verifies = True
    until(lambda: stream(gate)["state"] == "fresh", within=15, what="it lives again")


def test_a_stream_that_its_sender_paused_is_stale(stream_gate, idp, upstream):
    gate = stream_gate()
    subject = {"format": "opaque", "id": "stream-1"}
    for status, state in [("paused", "stale"), ("enabled", "fresh"), ("disabled", "stale")]:
        token = idp.event(SSF + "stream-updated", subject, {"status": status})
        assert idp.push(gate, token).status == 202
        assert stream(gate)["state"] == state
    # What nobody asked for is a sign of life; what somebody else asked for is not.
    assert idp.push(gate, idp.event(SSF + "verification", subject)).status == 202
    reply = idp.push(gate, idp.event(SSF + "verification", subject, {"state": "another's"}))
    assert reply.status == 400


def test_a_reload_keeps_what_is_known_of_a_stream(stream_gate, idp, upstream):
    gate = stream_gate()
    disabled = idp.event(DISABLED, PHYSICIAN)
    assert idp.push(gate, disabled).status == 202
    gate.config["drain"] = "4s"
    gate.reload()
    assert idp.push(gate, disabled).status == 202
    assert stream(gate)["repeated"] == 1
    del gate.config["signals"]
    gate.reload()
    assert idp.push(gate, disabled).status == 404
    assert gate.get().status == 403


# Telling others.

def keys(gate):
    with gate.connect() as connection:
        return json.loads(connection.get("/.herse/keys").body)


def test_others_are_told_what_an_operator_decides(stream_gate, idp, told, upstream):
    gate = stream_gate(transmitter=[told.start()])
    gate.do("neutralize", PHYSICIAN, "certificate:sha256:" + "00" * 32, "--reason", "names nobody")
    gate.do("reinstate", PHYSICIAN, PHARMACIST, "--reason", "found")
    wanted = [("account-disabled", PHYSICIAN), ("session-revoked", PHYSICIAN),
              ("account-enabled", PHYSICIAN)]
    until(lambda: told.events() == wanted, within=10, what=f"{told.events()}")
    published = keys(gate)
    for token in told.tokens:
        # PyJWT shares no code with the gate.
        head = jwt.get_unverified_header(token)
        assert head["typ"] == "secevent+jwt"
        key = next(jwt.PyJWK(one) for one in published["keys"] if one["kid"] == head["kid"])
        claims = jwt.decode(token, key.key, algorithms=["ES256"],
                            audience="https://idp.example.fr/", issuer="https://gate.example.fr/")
        assert "sub" not in claims and "exp" not in claims
        assert claims["sub_id"] == {"format": "iss_sub", "iss": "https://gate.example.fr/",
                                    "sub": PHYSICIAN}
        assert "names nobody" not in json.dumps(claims)
    # What a stream said is not told: whoever said so knows.
    assert idp.push(gate, idp.event(DISABLED, PHARMACIST)).status == 202
    gate.do("neutralize", PHARMACIST, "--reason", "more", "--preview")
    until(lambda: gate.status()["signals"]["transmitter"][0]["sent"] == 3, within=5)
    assert told.events() == wanted


def test_what_a_receiver_missed_is_told_once_it_is_back(stream_gate, idp, told, upstream):
    gate = stream_gate(transmitter=[told])
    begun = time.monotonic()
    gate.do("neutralize", PHYSICIAN, "--reason", "lost")
    assert time.monotonic() - begun < 3 * PATIENCE
    assert gate.get().status == 403

    def waiting():
        return gate.status()["signals"]["transmitter"][0]

    until(lambda: "problem" in waiting(), within=10)
    assert waiting()["waiting"] == 2
    gate.kill()
    gate.start()
    assert waiting()["waiting"] == 2
    told.start()
    until(lambda: waiting()["sent"] == 2, within=20)
    assert told.events() == [("account-disabled", PHYSICIAN), ("session-revoked", PHYSICIAN)]
    gate.kill()
    gate.start()
    assert waiting()["waiting"] == 0
    gate.do("reinstate", PHYSICIAN, "--reason", "found")
    until(lambda: len(told.tokens) == 3, within=10)
    assert len({jose.read(token)[1]["jti"] for token in told.tokens}) == 3


def test_a_receiver_that_hangs_holds_up_no_neutralization(stream_gate, told, idp, upstream):
    go = threading.Event()

    def hang(request):
        go.wait(20)
        return 202, b""

    told.reply = hang
    gate = stream_gate(transmitter=[told.start()])
    try:
        with gate.connect() as live:
            assert live.get().status == 200
            for name in [PHARMACIST, PHYSICIAN, PHARMACIST]:
                begun = time.monotonic()
                gate.do("neutralize", name, "--reason", "lost")
                assert time.monotonic() - begun < 3 * PATIENCE
            assert not live.is_open()
    finally:
        go.set()
    until(lambda: len(told.tokens) == 6, within=20)


def test_an_event_refused_for_good_does_not_hold_up_the_others(stream_gate, told, idp, upstream):
    gate = stream_gate(transmitter=[told.start()])

    def choosy(request):
        (event,) = jose.read(request.body.decode())[1]["events"]
        if event == DISABLED:
            return 400, json.dumps({"err": "invalid_request", "description": "no"}).encode()
        return 202, b""

    told.reply = choosy
    gate.do("neutralize", PHYSICIAN, "--reason", "lost")
    until(lambda: told.events() == [("session-revoked", PHYSICIAN)], within=10)
    shown = gate.status()["signals"]["transmitter"][0]
    assert (shown["sent"], shown["failed"], shown["waiting"]) == (1, 1, 0), shown


def test_what_nobody_takes_is_given_up_and_counted(stream_gate, told, idp, upstream):
    def short(config, gate):
        config["signals"]["transmitter"]["keep"] = "1s"

    told.reply = lambda request: (500, b"")
    gate = stream_gate(transmitter=[told.start()], change=short)
    gate.do("neutralize", PHYSICIAN, "--reason", "lost")
    shown = until(lambda: next(
        (one for one in gate.status()["signals"]["transmitter"] if one["failed"] == 2), None),
        within=20)
    assert shown["waiting"] == 0 and shown["sent"] == 0


def test_no_secret_and_no_event_is_left_lying_about(stream_gate, idp, told, upstream):
    gate = stream_gate(transmitter=[told.start()])
    name = secrets.token_hex(8)
    token = idp.event(DISABLED, {"format": "email", "email": f"{name}@example.org"})
    assert idp.push(gate, token).status == 202
    kept = b"".join(gate.bytes_kept().values())
    for secret in (idp.token, "to-the-idp", name, token.rpartition(".")[2]):
        assert secret.encode() not in kept
