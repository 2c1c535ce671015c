"""Who tries again after having been cut off, who comes from there, and what each of them is told."""

import json

import pytest

from harness.pki import PHARMACIST, PHYSICIAN

pytestmark = pytest.mark.sanitized


@pytest.fixture
def own(config, make_gate):
    config["contact"] = "Call 02 00 00 00 00 & ask for <help>"
    return make_gate(config)


def cut(gate, *subjects):
    return gate.do("neutralize", *(subjects or [PHYSICIAN]), "--reason", "stolen card")


def test_attempts_are_counted_and_told_once(own, upstream):
    cut(own)
    for _ in range(5):
        assert own.get().status == 403
    probing = own.status()["probing"]
    assert probing["attempts"] == 5
    assert [one["subject"] for one in probing["subjects"]] == [f"account:{PHYSICIAN}"]
    assert probing["subjects"][0]["attempts"] == 5
    told = [line for line in own.log().splitlines() if "was tried again" in line]
    assert len(told) == 1 and "127.0.0.1" in told[0]
    assert f"account:{PHYSICIAN}" in own.run("status").out


def test_another_account_from_where_one_was_cut_is_told(own, upstream):
    with own.connect() as victim:
        assert victim.get().status == 200
        cut(own)
    for _ in range(3):
        assert own.get(card="pharmacist").status == 200
    neighbours = own.status()["probing"]["neighbours"]
    assert [one["professional"] for one in neighbours] == [PHARMACIST]
    assert neighbours[0]["subject"] == f"account:{PHYSICIAN}"
    told = [line for line in own.log().splitlines() if "asks from" in line]
    assert len(told) == 1


def test_nobody_is_watched_while_nobody_was_cut(own, upstream):
    assert own.get().status == own.get(card="pharmacist").status == 200
    probing = own.status()["probing"]
    assert probing["attempts"] == 0 and probing["neighbours"] == []


def test_a_preview_says_who_and_what_they_asked_in_the_last_hour(own, upstream):
    with own.connect() as one, own.connect() as other:
        for _ in range(3):
            assert one.get().status == 200
        assert other.get().status == 200
        seen = own.do("neutralize", PHYSICIAN, "--reason", "x", "--preview", "--json").json()
        assert seen["connections"] == 2
        assert seen["concerned"] == [{
            "professional": PHYSICIAN, "structure": seen["concerned"][0]["structure"],
            "connections": 2, "exchanges": 0, "sessions": 0, "requests_last_hour": 4}]
        network = own.do(
            "neutralize", "network:127.0.0.0/8", "--reason", "x", "--preview", "--json").json()
        assert network["concerned"][0]["requests_last_hour"] == 4
        assert one.is_open()
    # Who has gone is still known by what they asked.
    later = own.do("neutralize", PHYSICIAN, "--reason", "x", "--preview", "--json").json()
    assert later["connections"] == 0 and later["concerned"][0]["requests_last_hour"] == 4


def test_a_person_is_told_neutrally_in_every_form(own, upstream):
    cut(own)
    fhir = own.get()
    outcome = json.loads(fhir.body)
    assert outcome["id"] == fhir.fields["X-Request-Id"]
    assert outcome["issue"][0]["code"] == "forbidden"
    assert "L’accès" in outcome["issue"][0]["details"]["text"]
    page = own.get("/plain/", fields=["Accept: text/html"]).body.decode()
    for text in (page, fhir.body.decode()):
        assert "02 00 00 00 00" in text
        assert "stolen" not in text and "neutral" not in text.lower()
    assert "<help>" not in page and "&lt;help&gt;" in page
    assert 'lang="fr"' in page
