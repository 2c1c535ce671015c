"""Tokens of the neutralized: whatever the subject is, what runs is cut and what comes is refused."""

import json
import threading
import time

import pytest

from harness import jose
from harness.client import request
from harness.gate import find
from harness.pki import PHARMACIST, PHYSICIAN
from harness.strong import bearing
from harness.upstream import answer
from harness.waiting import until

pytestmark = pytest.mark.sanitized


class Bearer:
    """A token and what is known of it."""

    def __init__(self, issuer, **claims):
        self.claims = issuer.claims(**claims)
        self.token = jose.signed(jose.header(issuer.keys[0]), self.claims, issuer.keys[0])
        self.fields = bearing(self.token)

    def subject(self, kind):
        return {
            "account": f"account:{self.claims['SubjectNameID']}",
            "bare account": self.claims["SubjectNameID"],
            "token": f"token:{self.claims['jti']}",
            "session": f"session:{self.claims['sid']}",
            "client": f"client:{self.claims['azp']}",
        }[kind]


KINDS = ["account", "bare account", "token", "session", "client"]


@pytest.fixture
def own(token_gate):
    return token_gate(require=("certificate", "token"))


@pytest.fixture
def victim(issuer):
    return Bearer(issuer, azp="a-lost-vendor")


@pytest.fixture
def other(issuer):
    return Bearer(issuer, professional=PHARMACIST, azp="another-vendor")


def neutralize(gate, *subjects, **options):
    return gate.do("neutralize", *subjects, "--reason", "a stolen device", **options)


def stream(stop):
    """An answer that goes on until it is told to end."""
    def send(request, peer):
        if "stream" not in request.target:
            peer.send(answer(body=b"{}"))
            return
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not stop.is_set():
            peer.send(b"400\r\n" + b"a" * 1024 + b"\r\n")
            time.sleep(0.005)

    return send


@pytest.mark.parametrize("kind", KINDS)
def test_a_running_answer_is_cut_and_the_next_request_refused(
    own, upstream, victim, other, kind
):
    stop = threading.Event()
    upstream.answer = stream(stop)
    try:
        with own.connect("organisation") as one, own.connect("organisation") as two:
            for connection, who in ((one, victim), (two, other)):
                connection.send(request("/plain/stream", who.fields))
                assert connection.head()[0] == 200
            told = neutralize(own, victim.subject(kind), "--json").json()
            assert find(told, "exchanges") == 1, told
            ended, left = one.end(within=3)
            assert ended != "alert" and len(left) < 10_000_000
            # The same vendor's certificate, another professional: goes on.
            assert two.receive(within=3)
    finally:
        stop.set()
    upstream.reset()
    reply = own.get(card="organisation", fields=victim.fields)
    assert reply.status == 403, reply
    entry = own.entry(reply.fields["X-Request-Id"])
    assert entry["why"] == "neutralized"
    assert own.get(card="organisation", fields=other.fields).status == 200
    assert [one.fields["Herse-Professional"] for one in upstream.requests] == [PHARMACIST]


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_waits_for_the_identity_server_is_cut(
    own, upstream, victim, other, kind
):
    go = threading.Event()

    def wait(request, peer):
        go.wait(10)
        peer.send(answer(body=b"secret"))

    upstream.answer = wait
    with own.connect(None) as connection:
        connection.send(request(fields=victim.fields))
        until(lambda: upstream.requests, what="the request is upstream")
        neutralize(own, victim.subject(kind))
        go.set()
        assert connection.end()[1] == b""


@pytest.mark.parametrize("kind", KINDS)
def test_what_names_another_leaves_a_token_alone(own, upstream, victim, other, kind):
    neutralize(own, other.subject(kind))
    assert own.get(card=None, fields=victim.fields).status == 200
    assert own.get(card=None, fields=other.fields).status == 403


@pytest.mark.parametrize("kind", KINDS)
def test_reinstated_tokens_pass_again(own, upstream, victim, kind):
    neutralize(own, victim.subject(kind))
    assert own.get(card=None, fields=victim.fields).status == 403
    own.do("reinstate", victim.subject(kind), "--reason", "found again")
    assert own.get(card=None, fields=victim.fields).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_neutralized_tokens_stay_so_after_kill_9(own, upstream, victim, kind):
    neutralize(own, victim.subject(kind))
    own.kill()
    own.start()
    assert own.get(card=None, fields=victim.fields).status == 403
    assert own.do("neutralized", victim.subject(kind)).code == 0


def test_a_new_token_of_a_neutralized_session_or_client_is_refused_too(
    own, upstream, issuer, victim
):
    neutralize(own, victim.subject("session"), victim.subject("client"))
    for again in ({"sid": victim.claims["sid"]}, {"azp": "a-lost-vendor"},
                  {"azp": None, "client_id": "a-lost-vendor"},
                  {"sid": None, "session_state": victim.claims["sid"]}):
        fields = bearing(issuer.token(professional=PHARMACIST, **again))
        assert own.get(card=None, fields=fields).status == 403, again
    assert own.get(card=None, fields=bearing(issuer.token())).status == 200


def test_a_new_token_of_the_same_professional_passes_when_one_token_was_neutralized(
    own, upstream, issuer, victim
):
    neutralize(own, victim.subject("token"))
    assert own.get(card=None, fields=victim.fields).status == 403
    assert own.get(card=None, fields=bearing(issuer.token())).status == 200


def test_a_neutralized_professional_is_so_by_token_and_by_card(own, upstream, victim):
    with own.connect("physician") as connection:
        assert connection.get().status == 200
        neutralize(own, PHYSICIAN)
        assert not connection.is_open()
    assert own.get(card=None, fields=victim.fields).status == 403


def test_a_shared_connection_lives_on_when_nobodys_request_was_cut_on_it(
    own, upstream, victim, other
):
    with own.connect("organisation") as connection:
        for who in (victim, other):
            assert connection.get(fields=who.fields).status == 200
        neutralize(own, PHYSICIAN)
        # Idle: what it carried is over, and it is the vendor's, not theirs.
        assert connection.is_open()
        assert connection.get(fields=other.fields).status == 200
        connection.send(request(fields=victim.fields))
        assert connection.answer().status == 403
    seen = [asked.fields["Herse-Professional"] for asked in upstream.requests]
    assert seen == [PHYSICIAN, PHARMACIST, PHARMACIST]


def test_a_neutralized_vendors_certificate_cuts_all_it_carries(own, upstream, victim, pki):
    fingerprint = pki.fingerprint("organisation")
    with own.connect("organisation") as connection, own.connect(None) as direct:
        assert connection.get(fields=victim.fields).status == 200
        neutralize(own, f"certificate:sha256:{fingerprint}")
        assert not connection.is_open()
        # The same token elsewhere is not concerned.
        assert direct.get(fields=victim.fields).status == 200
    reply = own.get(card="organisation", fields=victim.fields)
    assert reply.status == 403


def test_a_neutralized_structures_certificate_cuts_all_it_carries(own, upstream, victim):
    with own.connect("organisation") as connection:
        assert connection.get(fields=victim.fields).status == 200
        neutralize(own, "structure:10B0152872")
        assert not connection.is_open()


def test_under_load_no_request_of_the_neutralized_reaches_the_server_after_the_return(
    own, upstream, victim, other
):
    stop = threading.Event()
    broken = []

    def load(number):
        turn = number
        while not stop.is_set():
            try:
                with own.connect("organisation") as connection:
                    while not stop.is_set():
                        turn += 1
                        who = victim if turn % 2 else other
                        reply = connection.get(
                            f"/fhir/Patient/{who.claims['SubjectNameID']}", fields=who.fields)
                        if who is other and reply.status != 200:
                            broken.append(reply.status)
                        if not reply.keeps_alive:
                            break
            except (OSError, AssertionError):
                # The victim's request under way takes the connection with it.
                continue

    threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(upstream.requests) > 100, within=20, what="the load runs")
        neutralize(own, PHYSICIAN)
        # A request whose bytes had left may still be read by the server's threads.
        time.sleep(0.2)
        before = len(upstream.requests)
        until(lambda: len(upstream.requests) > before + 50, within=20, what="the others go on")
        late = [seen.target for seen in upstream.requests[before:] if PHYSICIAN in seen.target]
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
    assert late == []
    assert broken == []


@pytest.mark.parametrize("subject", [
    "token:", "session:", "client:", "token:a b", "session:" + "x" * 5000, "client:\x01"])
def test_a_subject_that_names_nothing_is_refused(own, subject):
    run = own.run("neutralize", subject, "--reason", "x")
    assert run.code != 0 and run.err.strip(), run


def test_the_operators_list_names_them_too(config, make_gate, issuer, upstream, victim, other):
    from harness.strong import accept, keys_file

    config["neutralized"] = "neutralized.list"
    gate = make_gate(config, start=False)
    listed = gate.folder / "neutralized.list"
    listed.write_text("# nobody\n")
    accept(config, issuer.rule(discovery=None, authorities=None,
                               keys=keys_file(gate.folder, issuer)))
    gate.write()
    gate.start()
    assert gate.get(card=None, fields=victim.fields).status == 200
    for kind in ("token", "session", "client"):
        word, _, name = victim.subject(kind).partition(":")
        listed.write_text(f"{word} {name} reason=lost\n")
        gate.do("reload")
        assert gate.get(card=None, fields=victim.fields).status == 403, kind
        assert gate.get(card=None, fields=other.fields).status == 200
    listed.write_text("# nobody\n")
    gate.do("reload")
    assert gate.get(card=None, fields=victim.fields).status == 200


def test_sessions_names_who_is_at_work_by_token(own, upstream, victim):
    go = threading.Event()

    def wait(request, peer):
        go.wait(10)
        peer.send(answer(body=b"{}"))

    upstream.answer = wait
    with own.connect("organisation") as connection:
        connection.send(request(fields=victim.fields))
        until(lambda: upstream.requests, what="the request is upstream")
        told = own.do("sessions", "--professional", PHYSICIAN, "--json").json()
        go.set()
        assert PHYSICIAN in json.dumps(told), told
        assert connection.answer().status == 200
