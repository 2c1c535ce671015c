"""Four eyes: orders that wait for a second administrator, and the record of what each did."""

import signal
import subprocess

import pytest

from harness.pki import PHARMACIST, PHYSICIAN
from harness.waiting import until

APPROVERS = ("alice", "bob", "carol")


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def make_keys(folder):
    """Private and public keys, as the guide tells to make them."""
    for name in APPROVERS:
        openssl("genpkey", "-algorithm", "ed25519", "-out", folder / f"{name}.key")
        openssl("pkey", "-in", folder / f"{name}.key", "-pubout", "-out", folder / f"{name}.pem")


@pytest.fixture
def own(config, make_gate, tmp_path):
    make_keys(tmp_path)
    config["administration"] = {
        "approvers": [
            {"name": name, "key": str(tmp_path / f"{name}.pem")} for name in APPROVERS],
        "four_eyes": ["mass", "reinstate", "grant"],
        "mass": 3,
    }
    gate = make_gate(config)
    gate.keys = tmp_path
    return gate


def order(gate, *words):
    """An order that has to wait; its name."""
    run = gate.run(*words)
    assert run.code == 1 and "NOT DONE YET" in run.err, run
    return gate.run("orders", "--json").json()[-1]["id"]


def approve(gate, name, who, key=None):
    return gate.run("approve", name, "--key", gate.keys / f"{key or who}.key", "--as", who)


def acts(gate):
    return [entry for entry in gate.record() if entry.get("event") == "administration"]


def test_one_account_is_cut_without_waiting(own, upstream):
    with own.connect() as victim:
        assert victim.get().status == 200
        own.do("neutralize", PHYSICIAN, "--reason", "stolen card")
        assert not victim.is_open()


@pytest.mark.parametrize("subjects", [
    ["network:127.0.0.0/8"],
    ["structure:10B0152872"],
    ["client:a-vendor"],
    ["issued-before:2026-01-01T00:00:00Z"],
    [PHYSICIAN, PHARMACIST, "899700218897"],
])
def test_what_stands_for_many_waits_and_is_carried_out_once_two_approve(own, upstream, subjects):
    with own.connect() as connection:
        assert connection.get().status == 200
        name = order(own, "neutralize", *subjects, "--reason", "campaign")
        assert connection.is_open() and own.run("neutralized").code == 1
        # Nobody logged in on this socket by name: any one of them might have ordered it.
        once = approve(own, name, "alice")
        assert once.code == 1 and "needs 1 approval" in once.err
        twice = approve(own, name, "bob")
        assert twice.code == 0 and "neutralized" in twice.out, twice
        listed = own.run("neutralized").out
        assert "approved by alice and bob" in listed
    assert own.run("orders", "--json").json() == []


def test_a_preview_of_many_does_not_wait(own, upstream):
    own.do("neutralize", "network:127.0.0.0/8", "--reason", "scan", "--preview")
    assert own.run("orders", "--json").json() == []


def test_reinstating_and_granting_wait(own, upstream):
    own.do("neutralize", PHYSICIAN, "--reason", "stolen card")
    back = order(own, "reinstate", PHYSICIAN, "--reason", "found")
    more = order(
        own, "limits", "grant", PHYSICIAN, "--count", "patients", "--extra", "5", "--for", "1h",
        "--reason", "crisis")
    assert own.run("neutralized", PHYSICIAN).code == 0
    for who in ("alice", "carol"):
        approved = approve(own, back, who)
    assert approved.code == 0 and "reinstated" in approved.out
    assert own.run("neutralized", PHYSICIAN).code == 1
    for who in ("alice", "carol"):
        approved = approve(own, more, who)
    assert approved.code == 0, approved


def test_a_forged_stale_or_repeated_approval_counts_for_nothing(own, upstream):
    name = order(own, "neutralize", "network:192.0.2.0/24", "--reason", "scan")
    assert "not by the approver's key" in approve(own, name, "alice", key="bob").err
    assert "no approver" in approve(own, name, "dave", key="bob").err
    assert approve(own, name, "alice").code == 1
    assert "somebody else must approve" in approve(own, name, "alice").err
    assert "no such order" in approve(own, "0123456789abcdef", "bob").err
    assert own.run("neutralized").code == 1
    own.do("decline", name)
    assert "no such order" in approve(own, name, "bob").err
    assert own.run("decline", name).code == 1


def test_an_order_that_would_be_refused_wakes_nobody(own, upstream):
    refused = own.run("reinstate", "nobody:1", "--reason", "x")
    assert refused.code != 0 and "NOT DONE YET" not in refused.err
    refused = own.run(
        "neutralize", "network:192.0.2.0/24", "--reason", "x", "--until", "2020-01-01T00:00:00Z")
    assert refused.code == 1 and "already past" in refused.err
    assert own.run("orders", "--json").json() == []


def test_a_restart_forgets_what_waited_and_carries_nothing_out(own, upstream):
    order(own, "neutralize", "network:192.0.2.0/24", "--reason", "scan")
    own.kill()
    own.start()
    assert own.run("orders", "--json").json() == []
    assert own.run("neutralized").code == 1


def test_a_key_that_is_none_is_refused_at_its_place(own, upstream):
    (own.keys / "alice.pem").write_text("nothing")
    run = own.run("check")
    assert run.code == 1 and "is no Ed25519 public key" in run.text
    kept = own.run("reload")
    assert kept.code == 1
    assert own.run("orders").code == 0


def test_every_act_is_recorded_with_what_was_before_and_after(own, upstream):
    own.do("neutralize", PHYSICIAN, "--reason", "stolen card", "--ticket", "INC-42")
    name = order(own, "reinstate", PHYSICIAN, "--reason", "found")
    assert approve(own, name, "alice", key="bob").code == 1
    approve(own, name, "alice")
    approve(own, name, "bob")
    own.do("reload")
    until(lambda: len(acts(own)) >= 7, what="every act is recorded")
    told = [(act["act"], act["outcome"]) for act in acts(own)]
    assert told == [
        ("neutralize", "done"), ("order", "waiting"), ("approve", "refused"),
        ("approve", "done"), ("approve", "done"), ("reinstate", "done"), ("reload", "done"),
    ]
    first = acts(own)[0]
    assert first["subjects"] == [PHYSICIAN] and first["ticket"] == "INC-42"
    assert first["before"] == ["free"] and first["after"][0].startswith("neutralized by command:")
    assert "approved by alice and bob" in acts(own)[5]["by"]
    assert acts(own)[6]["before"] == ["generation 1"]
    assert acts(own)[6]["after"] == ["generation 2"]
    # The reason is for the journal: it may name a patient.
    assert not any(why in str(act) for act in acts(own) for why in ("stolen card", "found"))


def test_a_refused_order_and_a_signal_are_recorded_too(own, upstream):
    own.signal(signal.SIGHUP)
    until(lambda: acts(own), what="the signal is recorded")
    assert acts(own)[0]["by"] == "signal" and acts(own)[0]["act"] == "reload"
