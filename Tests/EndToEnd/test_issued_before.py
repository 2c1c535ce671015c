"""issued-before: whatever anybody proved before a moment has to be proven again."""

import time
from datetime import datetime, timedelta, timezone

import pytest

from harness import jose
from harness.strong import bearing
from harness.waiting import until

pytestmark = pytest.mark.sanitized


def moment(seconds=0):
    """A second as the command line reads it, counted from now."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def next_second():
    """Waits until the clock shows another second; what came before was proven before it."""
    before = int(time.time())
    until(lambda: int(time.time()) > before, within=2)


@pytest.fixture
def own(config, make_gate):
    return make_gate(config)


def order(gate, when):
    return gate.do("neutralize", f"issued-before:{when}", "--reason", "campaign")


def test_every_live_connection_ends_and_a_new_handshake_passes(own, upstream):
    with own.connect() as one, own.connect("pharmacist") as other:
        assert one.get().status == other.get().status == 200
        next_second()
        report = order(own, moment())
        assert "2 connections" in report.text
        assert not one.is_open() and not other.is_open()
    with own.connect() as again:
        assert again.get().status == 200


def test_a_ticket_from_before_does_not_spare_the_handshake(own, upstream):
    context = own.pki.context()
    with own.connect(context=context) as first:
        assert first.get().status == 200
        session = first.tls.session

    def resumes():
        # A worker that has not met the certificate yet shakes hands in full.
        with own.connect(context=context, session=session) as again:
            return again.get().status == 200 and again.tls.session_reused

    until(resumes)
    next_second()
    order(own, moment())
    with own.connect(context=context, session=session) as fresh:
        assert not fresh.tls.session_reused
        assert fresh.get().status == 200


def test_a_moment_before_all_proofs_cuts_nobody(own, upstream):
    when = moment(-3600)
    with own.connect() as connection:
        assert connection.get().status == 200
        report = order(own, when)
        assert "0 connections" in report.text
        assert connection.get().status == 200


def test_a_moment_to_come_is_refused(own, upstream):
    refused = own.run("neutralize", f"issued-before:{moment(3600)}", "--reason", "campaign")
    assert refused.code == 1 and "still to come" in refused.err


def test_it_holds_over_a_reload_and_a_restart(own, upstream):
    next_second()
    when = moment()
    order(own, when)
    own.do("reload")
    assert f"issued-before:{when}" in own.do("neutralized").out
    own.kill()
    own.start()
    assert f"issued-before:{when}" in own.do("neutralized").out
    with own.connect() as fresh:
        assert fresh.get().status == 200


def test_it_is_taken_back(own, upstream):
    next_second()
    when = moment()
    order(own, when)
    own.do("reinstate", f"issued-before:{when}", "--reason", "a drill")
    assert own.run("neutralized").code == 1


def token(issuer, **claims):
    made = issuer.claims(**claims)
    return jose.signed(jose.header(issuer.keys[0]), made, issuer.keys[0])


def test_tokens_of_earlier_proofs_are_refused_and_told_what_would_help(
    token_gate, issuer, upstream
):
    gate = token_gate(require=("token",))
    now = int(time.time())
    old = token(issuer, auth_time=now - 600)
    new = token(issuer, auth_time=now + 2)
    renewed = token(issuer, auth_time=now - 600, iat=now)
    with gate.connect(None) as connection:
        assert connection.get(fields=bearing(old)).status == 200
    until(lambda: time.time() >= now + 3, within=5)
    order(gate, moment(-2))
    for refused in (old, renewed):
        with gate.connect(None) as connection:
            answer = connection.get(fields=bearing(refused))
            assert answer.status == 401
            assert "insufficient_user_authentication" in answer.fields["WWW-Authenticate"]
            assert "max_age=" in answer.fields["WWW-Authenticate"]
    with gate.connect(None) as connection:
        assert connection.get(fields=bearing(new)).status == 200
