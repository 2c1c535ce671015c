"""`explain` and `test` read requests and answers as the gate does."""

import json

import pytest

from harness import soap
from harness.fhir import JSON, LOCAL, bundle, identity, ipp, patient, reply, text
from harness.gate import ceiling
from harness.pki import PHYSICIAN

pytestmark = pytest.mark.sanitized

SEARCH = f"/fhir/Patient?identifier={LOCAL}|{ipp(1)}"


@pytest.fixture
def gate(lookup_gate, patients):
    return lookup_gate(ceiling("patients", 4), ceiling("lookups", 100))


def explain(gate, *words):
    return gate.do("explain", *words, "--as", PHYSICIAN, "--json")


EXPLAINED = [
    ("GET", f"/fhir/Patient/{identity(1)}", "read"), ("GET", SEARCH, "search"),
    ("GET", "/fhir/$export", "export"), ("GET", "/fhir/Patient?family=D", "search"),
    ("GET", "/fhir/Patient/_history", "history-type"), ("GET", "/fhir/metadata", "capabilities"),
    ("PUT", f"/fhir/Patient/{identity(1)}", "feed"),
]


@pytest.mark.parametrize("method, target, interaction", EXPLAINED)
def test_explain_says_what_the_gate_does(gate, patients, method, target, interaction):
    explained = explain(gate, method, target).json()
    told = json.dumps(explained)
    assert f'"{interaction}"' in told
    answered = gate.get(target.replace("|", "%7C"), method=method)
    line = gate.newest(action=method)
    assert line["interaction"] == interaction
    denied = not explained["is_allowed"]
    assert denied == (answered.status == 403), told
    if denied:
        assert line["rule"] in told


def test_explain_counts_the_patients_of_an_answer(gate, patients):
    path = gate.folder / "answer.json"
    path.write_bytes(text(bundle([patient(n) for n in range(3)] + [patient(1)])))
    run = explain(gate, "GET", SEARCH, "--answer", path)
    assert "3" in run.out and "birth-date" in run.out
    assert "zq" not in run.out.replace(str(path), "").replace(SEARCH, "").lower()
    more = explain(gate, "GET", SEARCH, "--answer", path, "--after", "patients=2")
    assert "429" in more.out or "limit" in more.out


def test_explain_reads_a_soap_question_and_its_answer(gate, patients):
    (gate.folder / "q.xml").write_bytes(soap.query())
    (gate.folder / "a.xml").write_bytes(soap.found(range(4)))
    run = explain(gate, "POST", "/soap", "--body", gate.folder / "q.xml",
                  "--content-type", soap.KIND, "--answer", gate.folder / "a.xml",
                  "--answer-type", soap.KIND)
    assert '"query"' in run.out and "4" in run.out


CASES = """
- name: two patients
  request: GET {search}
  as: account:{who}
  answer: {{body: '{two}'}}
  expect: allow
  interaction: search
  patients: 2
- name: one too many
  request: GET {search}
  as: account:{who}
  after: {{patients: 3}}
  answer: {{body: '{two}'}}
  expect: deny
  status: 429
- name: a vague search
  request: GET /fhir/Patient?family=D
  as: account:{who}
  expect: deny
  status: 403
"""


def test_policy_tests_see_answers(gate, patients):
    two = text(bundle([patient(n, name=[]) for n in range(2)])).decode()
    cases = CASES.format(search=SEARCH, who=PHYSICIAN, two=two)
    path = gate.folder / "herse.test.yaml"
    path.write_text(cases)
    gate.do("test")
    path.write_text(cases.replace("patients: 2", "patients: 3"))
    failed = gate.run("test")
    assert failed.code == 1 and "two patients" in failed.text


def test_explain_and_gate_agree_on_an_answer_nobody_understands(gate, patients):
    path = gate.folder / "answer.json"
    path.write_bytes(b'{"resourceType":"Patient"')
    told = explain(gate, "GET", SEARCH, "--answer", path, "--answer-type", JSON).out
    assert "502" in told or "truncated" in told
    patients.answer = reply(path.read_bytes())
    assert gate.get(SEARCH.replace("|", "%7C")).status == 502
