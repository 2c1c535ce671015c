"""Witnesses of the record: they see it grow, and nobody takes back what they have seen."""

import base64
import json
import shutil

import pytest

from harness.alerts import Hook, Rsyslog
from harness.ports import free_port
from harness.waiting import until
from harness.witness import Witness, leaf, parse, root, vkey


@pytest.fixture
def witness(pki):
    witness = Witness(pki)
    yield witness
    witness.stop()


def heads(gate):
    for path in sorted((gate.folder / "state" / "record").glob("*.jsonl")):
        first = path.read_text().split("\n", 1)[0]
        if first.startswith('{"segment":'):
            yield json.loads(first)


def lines(gate):
    """Every leaf of a record whose segments all ended well."""
    return [line for path in sorted((gate.folder / "state" / "record").glob("*.jsonl"))
            for line in path.read_bytes().split(b"\n") if line]


def trusted(gate, witness):
    """Has the witness trust the gate's key, once there is one."""
    assert gate.get().status == 200
    witness.trust(next(heads(gate))["key"])


def report(gate, name="partner"):
    return next((one for one in gate.run("status", "--json").json()["record"]["witnesses"]
                 if one["name"] == name), {"entries": 0, "state": "not there yet"})


def cosigned(gate, witness, at_least=1, within=15):
    """Waits until the gate has a cosignature over so many entries, and checks it."""
    one = until(lambda: (r := report(gate))["entries"] >= at_least and r, within,
                f"cosigned: {witness.verdicts} {gate.log()}")
    witness.check((gate.folder / "state" / "witnesses" / "partner.checkpoint").read_text())
    return one


@pytest.fixture
def watched(config, pki, make_gate, witness):
    config["record"] |= {"witnesses": [witness.rule(pki)], "witness_every": "1s"}

    def make():
        gate = make_gate(config)
        trusted(gate, witness)
        return gate

    return make


def test_a_witness_sees_the_record_grow(watched, witness, upstream):
    gate = watched()
    first = cosigned(gate, witness)
    gate.get()
    second = cosigned(gate, witness, first["entries"] + 1)
    assert second["state"] in ("fresh", "behind") and "problem" not in second
    assert gate.run("status").code == 0
    assert "partner" in gate.run("status").out
    assert 'herse_witness_entries{witness="partner"}' in gate.run("status", "--metrics").out
    # A gate that stops shows what was left.
    gate.get()
    gate.stop()
    size, digest = witness.seen[next(heads(gate))["origin"]]
    everything = [leaf(line) for line in lines(gate)]
    # All but the last line, the checkpoint that says so.
    assert size == len(everything) - 1
    assert digest == root(everything[:size])
    assert {200} <= set(witness.verdicts) <= {200, 404}
    kept = gate.folder / "state" / "witnesses" / "partner.checkpoint"
    run = gate.run("record", "verify", "--witness", str(kept))
    assert run.code == 0, run


def test_a_witness_that_was_down_is_shown_all_of_it_later(watched, witness, upstream):
    gate = watched()
    first = cosigned(gate, witness)
    witness.stop()
    gate.get()
    until(lambda: report(gate)["state"] == "late", 20, "it is late")
    run = gate.run("status")
    assert run.code == 3 and "witness `partner` has not seen" in run.text, run
    assert gate.get().status == 200
    witness.start()
    cosigned(gate, witness, first["entries"] + 2, within=30)
    until(lambda: gate.run("status").code == 0, 15, "it is healthy again")


@pytest.mark.parametrize("forgets", [False, True])
def test_a_gate_that_was_killed_goes_on_from_what_was_seen(watched, witness, upstream, forgets):
    gate = watched()
    seen = cosigned(gate, witness)["entries"]
    gate.kill()
    if forgets:
        shutil.rmtree(gate.folder / "state" / "witnesses")
    gate.start()
    gate.get()
    cosigned(gate, witness, seen + 1)
    assert 422 not in witness.verdicts
    assert (409 in witness.verdicts) == forgets


@pytest.mark.parametrize("knows", [False, True])
def test_a_record_that_was_put_back_is_told_of(
    config, watched, witness, upstream, pki, tmp_path, knows
):
    """An older copy of the state, with what it knows of the witness or without."""
    gate = watched()
    cosigned(gate, witness)
    gate.stop()
    copy = tmp_path / "copy"
    shutil.copytree(gate.folder / "state", copy, ignore=shutil.ignore_patterns("*.sock"))
    gate.start()
    for _ in range(5):
        gate.get()
    newest = len(lines(gate))
    cosigned(gate, witness, newest)
    gate.kill()
    kept = tmp_path / "witnesses"
    shutil.copytree(gate.folder / "state" / "witnesses", kept)
    shutil.rmtree(gate.folder / "state")
    shutil.copytree(copy, gate.folder / "state")
    if knows:
        shutil.rmtree(gate.folder / "state" / "witnesses")
        shutil.copytree(kept, gate.folder / "state" / "witnesses")
    hook = Hook(pki)
    secret = gate.folder / "hook.key"
    secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    secret.chmod(0o600)
    gate.config["alerts"] = [{"name": "hook", "webhook": {
        "url": hook.url, "secret_file": str(secret),
        "authorities": [str(pki.path("root-ca.pem"))]}}]
    gate.write()
    try:
        asked = len(witness.requests)
        gate.start()
        assert gate.get().status == 200
        one = until(lambda: (r := report(gate))["state"] == "contradicts" and r, 15,
                    f"the witness contradicts: {witness.verdicts}")
        assert "entries" in one["problem"]
        run = gate.run("status")
        assert run.code == 3 and "contradicts the record" in run.text, run
        until(lambda: any(
            event["type"] == "herse.alert.record-contradicted"
            and event["data"]["severity"] == "critical" for _, event in hook.events),
            15, "an alert")
        # Nobody tries again, nor after a restart.
        tried = len(witness.requests)
        assert tried - asked == (0 if knows else 1)
        gate.stop()
        gate.start()
        gate.get()
        until(lambda: report(gate)["state"] == "contradicts", 10, "still")
        assert len(witness.requests) == tried
    finally:
        hook.close()


def test_a_record_that_was_written_anew_is_told_of(watched, witness, upstream):
    gate = watched()
    seen = cosigned(gate, witness)["entries"]
    gate.kill()
    # Under the same key, as many entries and more.
    shutil.rmtree(gate.folder / "state" / "record")
    shutil.rmtree(gate.folder / "state" / "witnesses")
    gate.start()
    while len(lines(gate)) < seen + 2:
        gate.get()
    until(lambda: report(gate)["state"] == "contradicts", 15, f"contradicts {witness.verdicts}")
    assert 422 in witness.verdicts or 409 in witness.verdicts


ANSWERS = {
    "another's signature": lambda w: (200, Witness.cosign(w, "other\n1\nAA==\n").encode()),
    "nothing": lambda w: (200, b""),
    "a huge answer": lambda w: (200, b"x" * (1 << 20)),
    "an error": lambda w: (500, b""),
    "a redirect": lambda w: (302, b""),
    "no size": lambda w: (409, b"many\n"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_witness_that_answers_nonsense_is_behind_and_nothing_worse(
    watched, witness, upstream, kind
):
    witness.answer = ANSWERS[kind](witness)
    gate = watched()
    one = until(lambda: (r := report(gate)).get("problem") and r, 15, "a problem")
    assert one["entries"] == 0 and one["state"] in ("behind", "late")
    assert gate.get().status == 200
    witness.answer = None
    cosigned(gate, witness, within=30)


def test_a_witness_that_hangs_holds_up_nobody(watched, witness, upstream):
    witness.is_slow = True
    gate = watched()
    until(lambda: report(gate)["state"] == "late", 30, "it is late")
    assert gate.get().status == 200
    # Nor the end of the gate, for more than a few seconds.
    assert gate.stop(within=15) == 0


def test_a_key_that_does_not_cosign_is_one_clear_error(config, pki, make_gate, witness):
    rule = witness.rule(pki, key=vkey("w", 1, bytes(32)))
    config["record"] |= {"witnesses": [rule]}
    run = make_gate(config, start=False).run("check")
    assert run.code == 1 and "is not one that cosigns" in run.text, run
    rule["key"] = rule["key"].replace("w+", "w+0", 1)[:-1]
    assert make_gate(config, start=False).run("check").code == 1


def test_syslog_and_a_file_elsewhere_keep_checkpoints(
    config, pki, make_gate, upstream, tmp_path
):
    syslog = Rsyslog(pki)
    vault = tmp_path / "herse.checkpoints"
    config["record"] |= {"witness_every": "1s", "witnesses": [
        {"name": "siem", "syslog": f"tls://{syslog.address}",
         "authorities": str(pki.path("root-ca.pem"))},
        {"name": "vault", "file": str(vault)}]}
    try:
        gate = make_gate(config)
        gate.get()
        message = syslog.of("checkpoint")
        assert "a checkpoint of the record" in json.dumps(message), message
        size = until(lambda: report(gate, "vault")["entries"], 15, "the file has one")
        first = vault.read_text()
        text, signatures = parse(first.rstrip("\n") + "\n")
        assert text.split("\n")[1] == str(size) and len(signatures) == 1
        gate.get()
        gate.stop()
        assert vault.read_text().startswith(first) and len(vault.read_text()) > len(first)
        # The file says what it has seen, whatever became of the state.
        shutil.rmtree(gate.folder / "state" / "record")
        shutil.rmtree(gate.folder / "state" / "witnesses")
        gate.start()
        gate.get()
        until(lambda: report(gate, "vault")["state"] == "contradicts", 15, "it contradicts")
        assert gate.run("status").code == 3
    finally:
        syslog.close()


def test_a_reload_names_other_witnesses(config, pki, make_gate, witness, upstream):
    gate = make_gate(config)
    trusted(gate, witness)
    config["record"] |= {"witnesses": [witness.rule(pki)], "witness_every": "1s"}
    gate.write()
    assert gate.run("reload").code == 0
    cosigned(gate, witness)
    assert base64.b64decode(witness.vkey.split("+", 2)[2])[0] == 4
