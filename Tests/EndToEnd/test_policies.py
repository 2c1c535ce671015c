"""The configurations that ship: they load, their tests pass, and the tests can fail."""

import itertools
import re
import shutil
import subprocess

import pytest
import yaml

from harness.gate import ROOT
from harness.ports import free_port

POLICIES = sorted(path.parent.name for path in (ROOT / "policies").glob("*/herse.yaml"))


def material(folder, pki):
    """Every file that the shipped configurations name."""
    certificate, key = pki.card("organisation")
    for name, source in {
        "server.pem": pki.path("server.pem"), "server.key": pki.path("server.key"),
        "other.pem": pki.path("server.pem"), "other.key": pki.path("server.key"),
        "persons-ca.pem": pki.path("client-authorities.pem"), "mpi-ca.pem": pki.path("root-ca.pem"),
        "persons-ca.crl": pki.path("crl", "persons.crl"),
        "gate.pem": certificate, "gate.key": key, "psc-ca.pem": pki.path("root-ca.pem"),
        "keys-ca.pem": pki.path("root-ca.pem"), "siem-ca.pem": pki.path("root-ca.pem"),
        "chat-ca.pem": pki.path("root-ca.pem"), "mail-ca.pem": pki.path("root-ca.pem"),
        "herse.pem": certificate, "herse.key": key,
    }.items():
        shutil.copy(source, folder / name)
    for name in ("alice", "bob", "cert-sante"):
        key = folder / f"{name}.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        subprocess.run(
            ["openssl", "pkey", "-in", key, "-pubout", "-out", folder / f"{name}.pem"], check=True)
    (folder / "auditors").mkdir()
    subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", folder / "anne.key"],
                   check=True)
    subprocess.run(["openssl", "pkey", "-in", folder / "anne.key", "-pubout",
                    "-out", folder / "auditors" / "anne.pem"], check=True)
    shutil.copy(folder / "auditors" / "anne.pem", folder / "auditor.pub.pem")
    for name in ("psc.secret", "push.token", "poll.token", "transmit.token", "mail.password",
                 "hook.key", "shared.key"):
        (folder / name).write_text("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        (folder / name).chmod(0o600)
    (folder / "professionals.txt").write_text(
        "Identification nationale PP|Code profession|\n899700218896|10|\n")
    (folder / "neutralized.list").write_text("")


@pytest.fixture
def shipped(request, pki, make_gate):
    def make(name):
        gate = make_gate("", start=False)
        for path in (ROOT / "policies" / name).iterdir():
            shutil.copy(path, gate.folder / path.name)
        material(gate.folder, pki)
        # Names of identity servers are made up, and nobody listens there.
        port = free_port()
        hosts = itertools.count(1)
        gate.file.write_text(re.sub(
            r"(https?)://[^\s:/\"]+:\d+",
            lambda match: f"{match[1]}://127.0.0.{next(hosts)}:{port}", gate.file.read_text()))
        return gate

    return make


def test_there_are_policies_to_test():
    assert {"default", "demo", "reference"} <= set(POLICIES)


@pytest.mark.parametrize("name", POLICIES)
def test_a_shipped_policy_is_valid(shipped, name):
    run = shipped(name).run("check")
    assert run.code == 0, run


@pytest.mark.parametrize("name", POLICIES)
def test_the_tests_of_a_shipped_policy_pass(shipped, name):
    run = shipped(name).run("test")
    assert run.code == 0, run
    wanted = len(yaml.safe_load((ROOT / "policies" / name / "herse.test.yaml").read_text()))
    assert f"{wanted} passed, 0 failed" in run.out, run


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_test_that_is_wrong_fails(shipped, name):
    gate = shipped(name)
    path = gate.folder / "herse.test.yaml"
    text = path.read_text()
    path.write_text(text.replace("expect: allow", "expect: deny", 1))
    run = gate.run("test")
    assert run.code == 1, run
    assert re.search(r"herse\.test\.yaml:\d+", run.text), run


@pytest.mark.parametrize("name", ["default", "demo"])
def test_a_gate_starts_on_a_shipped_policy(shipped, name):
    gate = shipped(name)
    text = re.sub(r'(address: )"?[^"\s]+"?', r"\g<1>127.0.0.1:0", gate.file.read_text())
    gate.file.write_text(text)
    gate.start()
    # Its identity server is not there, but the card is known and the route found.
    assert gate.get("/fhir/Patient/1").status in (502, 504)


def test_every_key_of_the_reference_is_understood_or_refused_by_name(shipped):
    gate = shipped("reference")
    text = gate.file.read_text()
    keys = sorted(set(re.findall(r"^\s*(?:- )?([a-z_]+):", text, re.MULTILINE)))
    assert len(keys) > 30
    gate.file.write_text(text.replace("workers:", "wrokers:"))
    run = gate.run("check")
    assert run.code == 1
    assert re.search(r"herse\.yaml:\d+:\d+: error: .*wrokers", run.text), run
    assert "workers" in run.text
