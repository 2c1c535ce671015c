"""Ways past a limit: a reason in a header, an administrator's grant; both bounded, both told."""

import json

import pytest

from harness.client import request
from harness.fhir import identity, shown
from harness.gate import ceiling, find
from harness.pki import PHARMACIST, PHYSICIAN
from harness.waiting import until

pytestmark = pytest.mark.sanitized

REASON = "X-Emergency-Reason: unconscious patient"


def read(number):
    return f"/fhir/Patient/{identity(number)}"


def statuses(gate, *numbers, card="physician", fields=()):
    with gate.connect(card) as connection:
        return [connection.get(read(number), fields).status for number in numbers]


def glass(config):
    config["limits"]["emergency"] = [ceiling("patients", 3, "1d")]
    config["routes"][0]["break_glass"] = {"header": "X-Emergency-Reason", "limits": "emergency"}


def test_a_reason_counts_by_other_limits(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1), change=glass)
    assert statuses(gate, 0, 1) == [200, 429]
    assert statuses(gate, 1, 2, fields=[REASON]) == [200, 200]
    # What was shown in an emergency counts among all that the professional was shown.
    assert statuses(gate, 3) == [429]


def test_an_emergency_has_a_ceiling_of_its_own(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1), change=glass)
    assert statuses(gate, 0, 1, 2, 3, 4, fields=[REASON]) == [200] * 3 + [429] * 2
    refused = gate.get(read(5), fields=[REASON])
    assert "emergency" in refused.fields["RateLimit-Policy"] and shown(refused.body) == set()


def test_a_lookup_in_an_emergency_does_not_use_up_the_ordinary(lookup_gate, patients):
    def change(config):
        glass(config)
        config["limits"]["emergency"] = [ceiling("lookups", 100)]

    gate = lookup_gate(ceiling("lookups", 2), change=change)
    assert statuses(gate, *range(5), fields=[REASON]) == [200] * 5
    assert gate.used("lookups", PHYSICIAN, limits="standard") == 0
    assert statuses(gate, 0, 1, 2) == [200, 200, 429]


def test_it_is_recorded_with_its_reason(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 10), change=glass)
    gate.get(read(1), fields=[REASON])
    gate.get(read(2))
    first, second = until(lambda: len(gate.record()) >= 2 and gate.record()[:2], what="two lines")
    assert first["break_glass"] == "unconscious patient"
    assert "break_glass" not in second


@pytest.mark.parametrize("field", [
    "X-Emergency-Reason:", "X-Emergency-Reason:   ", "X-Emergency: coma", "Emergency-Reason: coma"])
def test_no_reason_is_none(lookup_gate, patients, field):
    gate = lookup_gate(ceiling("patients", 1), change=glass)
    assert statuses(gate, 0) == [200]
    assert statuses(gate, 1, fields=[field]) == [429]


@pytest.mark.parametrize("reason", [
    'a "quote", a \\ and <tags>', "x" * 4000, "été", "\tonce\tmore"])
def test_any_reason_leaves_the_record_readable(lookup_gate, patients, reason):
    gate = lookup_gate(ceiling("patients", 10), change=glass)
    with gate.connect() as connection:
        connection.send(f"GET {read(1)} HTTP/1.1\r\nHost: localhost\r\nX-Emergency-Reason: {reason}"
                        "\r\n\r\n".encode("latin-1"))
        assert connection.answer().status in (200, 400, 431)
    for entry in gate.record():
        assert len(json.dumps(entry)) < 2000


def test_a_reason_where_the_route_has_no_glass_is_a_header_like_others(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1))
    assert statuses(gate, 0, 1, fields=[REASON]) == [200, 429]


def test_a_forbidden_question_stays_forbidden_in_an_emergency(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1), change=glass)
    for target in ("/fhir/$export", "/fhir/Patient?family=D", "/fhir?_getpages=1"):
        assert gate.get(target, fields=[REASON]).status == 403
    assert patients.requests == []


# Grants.


def grant(gate, professional=PHYSICIAN, count="patients", extra="2", period="1h", reason="INC-42"):
    return gate.run("limits", "grant", professional, "--count", count, "--extra", extra,
                    "--for", period, "--reason", reason)


def test_a_grant_lets_just_so_many_more_through(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 2))
    assert statuses(gate, 0, 1, 2) == [200, 200, 429]
    assert grant(gate).code == 0
    assert statuses(gate, 2, 3, 4, 0) == [200, 200, 429, 200]
    # And nobody else.
    assert statuses(gate, 0, 1, 2, card="pharmacist") == [200, 200, 429]


@pytest.mark.parametrize("how", ["kill -9", "a clean stop", "reload"])
def test_a_grant_survives(lookup_gate, patients, how):
    gate = lookup_gate(ceiling("patients", 1))
    assert grant(gate).code == 0
    if how == "reload":
        gate.config["contact"] = "Somebody else"
        gate.reload()
    else:
        gate.kill() if how == "kill -9" else gate.stop()
        gate.start()
    assert statuses(gate, 0, 1, 2, 3) == [200] * 3 + [429]


def test_a_grant_ends(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1))
    assert grant(gate, period="2s", extra="100").code == 0
    assert statuses(gate, 0, 1) == [200, 200]
    number = iter(range(2, 90))
    until(lambda: statuses(gate, next(number)) == [429], within=6, what="the grant has ended",
          every=0.2)


@pytest.mark.parametrize("count", ["lookups", "disclosures", "misses", "requests"])
def test_a_grant_is_of_its_count(lookup_gate, patients, count):
    gate = lookup_gate(ceiling(count, 1), ceiling("patients", 1000))
    target = "/fhir/Patient/none" if count == "misses" else read(0)
    expected = 404 if count == "misses" else 200
    assert [gate.get(target).status for _ in range(2)] == [expected, 429]
    assert grant(gate, count="patients").code == 0
    assert gate.get(target).status == 429
    assert grant(gate, count=count, extra="1").code == 0
    assert [gate.get(target).status for _ in range(2)] == [expected, 429]


def test_a_grant_is_shown_and_told(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 5))
    assert statuses(gate, 0, 1) == [200, 200]
    assert grant(gate, extra="7", reason="mass casualty, INC-77").code == 0
    shown_now = gate.do("limits", "show", PHYSICIAN, "--json").json()
    assert find(shown_now, "remaining") == 10
    assert find(shown_now, "extra") == 7
    assert "7" in gate.do("limits", "show", PHYSICIAN).out
    # Who may be shown more, and why, is kept.
    kept = b"".join(gate.bytes_kept().values())
    assert b"INC-77" in kept and PHYSICIAN.encode() in kept
    others = gate.do("limits", "show", PHARMACIST, "--json").json()
    assert not find(others, "extra")


BAD_GRANTS = [
    dict(professional="nobody"), dict(count="kittens"), dict(extra="0"), dict(extra="-5"),
    dict(extra="many"), dict(extra="99999999999999999999"), dict(period="forever"),
    dict(period="0s"), dict(period="4000d"), dict(reason=""),
]


@pytest.mark.parametrize("bad", BAD_GRANTS, ids=lambda bad: "-".join(map(str, *bad.items())) or "x")
def test_a_grant_without_bounds_is_refused(lookup_gate, patients, bad):
    gate = lookup_gate(ceiling("patients", 1))
    run = grant(gate, **bad)
    assert run.code in (1, 2, 64), run
    assert run.err.strip(), "it was refused without a word"
    assert statuses(gate, 0, 1) == [200, 429]


def test_a_grant_needs_a_reason(lookup_gate, patients):
    gate = lookup_gate(ceiling("patients", 1))
    run = gate.run("limits", "grant", PHYSICIAN, "--count", "patients", "--extra", "5", "--for", "1h")
    assert run.code != 0 and "reason" in run.text


def test_limits_show_has_every_count(lookup_gate, patients):
    counts = ("requests", "lookups", "patients", "disclosures", "misses")
    gate = lookup_gate(*[ceiling(count, 100 + index) for index, count in enumerate(counts)])
    with gate.connect() as connection:
        for target in (read(0), read(0), read(1), "/fhir/Patient/none", "/fhir/metadata"):
            connection.send(request(target))
            connection.answer()
    used = {count: gate.used(count, PHYSICIAN) for count in counts}
    assert used == {"requests": 5, "lookups": 4, "patients": 2, "disclosures": 3, "misses": 1}
    text = gate.do("limits", "show", PHYSICIAN).out
    for count in counts:
        assert count in text
    assert gate.used("patients", PHARMACIST) == 0
