"""The command line: what each verb prints and how it ends."""

import json
import re

import pytest

from harness.gate import find
from harness.pki import PHYSICIAN
from harness.ports import free_port


@pytest.fixture
def own(config, make_gate):
    return make_gate(config)


VERBS = ["serve", "check", "test", "explain", "reload", "confirm", "rollback", "neutralize",
         "reinstate", "neutralized", "sessions", "limits", "alerts", "status", "demo", "drill"]


def test_help_lists_every_verb(own):
    run = own.do("--help", config=False)
    for verb in VERBS:
        assert re.search(rf"^\s+{verb}\b", run.out, re.MULTILINE), verb


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help(own, verb):
    run = own.do(verb, "--help", config=False)
    assert "USAGE" in run.out.upper()


@pytest.mark.parametrize("verb", ["neutralize", "reload", "explain", "limits", "alerts"])
def test_help_has_examples(own, verb):
    assert f"herse {verb} " in own.do(verb, "--help", config=False).out


def test_version_is_told(own):
    assert re.search(r"\d+\.\d+", own.do("--version", config=False).out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_made(own, shell):
    run = own.do("--generate-completion-script", shell, config=False)
    assert "neutralize" in run.out


@pytest.mark.parametrize("words", [["neutralise"], ["--no-such-option"], ["reload", "--what"], []])
def test_misuse_is_exit_64_or_help(own, words):
    run = own.run(*words, config=False)
    assert run.code == (0 if not words else 64), run
    assert run.text.strip()


@pytest.mark.parametrize("words", [
    ["status"], ["sessions"], ["neutralized"], ["limits", "show", PHYSICIAN], ["alerts"],
    ["neutralize", "810000000001", "--reason", "x"], ["reload"],
    ["reinstate", "810000000001", "--reason", "x"], ["check"], ["test"],
    ["explain", "GET", "/fhir/Patient/1", "--as", PHYSICIAN],
])
def test_json_is_json_and_alone_on_standard_output(own, words):
    if words == ["test"]:
        (own.folder / "herse.test.yaml").write_text(
            "- name: one\n  request: GET /fhir/Patient/1\n  as: account:899700218896\n  expect: allow\n")
    if words[0] == "reinstate":
        own.do("neutralize", "810000000001", "--reason", "x")
    run = own.run(*words, "--json")
    if words != ["neutralized"]:
        assert run.code == 0, run
    json.loads(run.out)


def test_explain_says_what_would_be_decided_and_by_which_rule(own):
    run = own.do("explain", "GET", "/fhir/Patient/1", "--as", f"account:{PHYSICIAN}")
    assert "allow" in run.out.lower()
    assert re.search(r"herse\.yaml:\d+", run.out), run
    run = own.do("explain", "DELETE", "/reading/Patient/1", "--as", PHYSICIAN)
    assert "refused with 403" in run.out
    run = own.do("explain", "GET", "/nowhere", "--as", PHYSICIAN)
    assert "404" in run.out


def test_explain_agrees_with_the_gate(own, upstream):
    for method, target in [("GET", "/fhir/Patient/1"), ("DELETE", "/reading/Patient/1"), ("GET", "/others/Patient/1"),
                           ("GET", "/nowhere"), ("GET", "/soap"), ("POST", "/plain/x")]:
        answered = own.get(target, method=method).status
        said = own.do("explain", method, target, "--as", PHYSICIAN, "--json").json()
        status = find(said, "status")
        assert (status or 200) == answered, (method, target, said)


def test_status_without_json_is_for_people(own):
    run = own.do("status")
    assert "professionals" in run.out and "mpi" in run.out
    assert "{" not in run.out


def test_status_is_degraded_while_the_identity_server_is_gone(config, make_gate, upstream):
    port = free_port()
    config["identity_servers"][0]["endpoints"] = [f"http://127.0.0.1:{port}"]
    gate = make_gate(config)
    assert gate.get().status == 502
    run = gate.run("status", "--json")
    assert run.code == 3, run
    assert "mpi" in json.dumps(find(run.json(), "degraded"))


def test_no_command_prints_a_key_or_a_patient(own, upstream):
    own.get("/fhir/Patient?family=VERYRARENAME")
    for words in (["status"], ["sessions"], ["limits", "show", PHYSICIAN]):
        text = own.do(*words).text + own.do(*words, "--json").text
        assert "VERYRARENAME" not in text and "PRIVATE KEY" not in text
    assert "VERYRARENAME" not in own.log()
