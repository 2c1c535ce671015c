"""A professional with a card looks a patient up: the whole way, with three real TLS clients."""

import json
import re
import subprocess

import pytest

from harness.client import request
from harness.pki import PHARMACIST, PHYSICIAN

pytestmark = pytest.mark.sanitized


def test_a_request_reaches_the_identity_server_with_the_professional_named(gate, upstream):
    answer = gate.get("/fhir/Patient?family=DURAND&birthdate=1970-01-01")
    assert answer.status == 200
    (seen,) = upstream.requests
    assert (seen.method, seen.target) == ("GET", "/fhir/Patient?family=DURAND&birthdate=1970-01-01")
    assert seen.fields["Herse-Professional"] == PHYSICIAN
    assert seen.fields["Herse-Method"] == "certificate"
    assert seen.fields["Herse-Route"] == "fhir"
    assert seen.fields["Host"] == "localhost"
    assert re.fullmatch(r"[!-~]{8,}", seen.fields["X-Request-Id"])


def test_each_card_is_its_own_professional(gate, upstream):
    for card, number in [("physician", PHYSICIAN), ("pharmacist", PHARMACIST)]:
        assert gate.get("/fhir/Patient/1", card=card).status == 200
        assert upstream.requests[-1].fields["Herse-Professional"] == number


def test_an_employee_comes_with_the_structure_that_employs_them(gate, upstream):
    assert gate.get("/fhir/Patient/1", card="employee").status == 200
    fields = upstream.requests[-1].fields
    assert fields["Herse-Professional"] == "500000000029751/CPAT0001"
    assert fields["Herse-Structure"] == "300000000029751"


def test_every_request_has_its_own_id_and_the_record_knows_it(gate, upstream):
    with gate.connect() as connection:
        told = {connection.get().json()["request"] for _ in range(3)}
    assert len(told) == 3
    for request_id in told:
        entry = gate.entry(request_id)
        assert entry["professional"] == PHYSICIAN
        assert entry["route"] == "fhir"
        assert entry["decision"] == "allow"
        assert entry["status"] == 200


def test_the_record_holds_no_query_and_no_path(gate, upstream):
    told = gate.get("/fhir/Patient?family=VERYRARENAME").json()["request"]
    assert "VERYRARENAME" not in json.dumps(gate.entry(told))
    assert "Patient" not in json.dumps(gate.entry(told))


def test_curl_works_as_documented(gate, upstream, pki):
    host, port = gate.address()
    certificate, key = pki.card("physician")
    run = subprocess.run(
        ["curl", "-sS", "--cacert", pki.path("root-ca.pem"), "--cert", certificate, "--key", key,
         "-w", "\n%{http_code} %{http_version}", f"https://localhost:{port}/fhir/Patient/1",
         "--resolve", f"localhost:{port}:{host}"],
        capture_output=True, text=True, timeout=20,
    )
    assert run.returncode == 0, run.stderr
    body, _, last = run.stdout.rpartition("\n")
    assert last == "200 1.1"
    assert json.loads(body)["target"] == "/fhir/Patient/1"


def test_curl_uploads_a_form_and_reuses_its_connection(gate, upstream, pki):
    host, port = gate.address()
    certificate, key = pki.card("physician")
    url = f"https://localhost:{port}/fhir/Patient/_search"
    run = subprocess.run(
        ["curl", "-sS", "--cacert", pki.path("root-ca.pem"), "--cert", certificate, "--key", key,
         "--resolve", f"localhost:{port}:{host}", "-o", "/dev/null", "-o", "/dev/null",
         "-w", "%{http_code} %{num_connects}\n", "-d", "family=DURAND", url, url],
        capture_output=True, text=True, timeout=20,
    )
    assert run.stdout.split("\n")[:2] == ["200 1", "200 0"], run.stderr
    assert [seen.body for seen in upstream.requests] == [b"family=DURAND"] * 2


def test_openssl_s_client_works(gate, upstream, pki):
    host, port = gate.address()
    certificate, key = pki.card("physician")
    run = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "localhost",
         "-CAfile", pki.path("root-ca.pem"), "-verify_return_error", "-cert", certificate,
         "-cert_chain", certificate, "-key", key, "-quiet", "-ign_eof"],
        input=request(fields=["Connection: close"]), capture_output=True, timeout=20,
    )
    assert run.stdout.startswith(b"HTTP/1.1 200 OK\r\n"), run.stderr.decode()


def test_what_is_no_route_is_404_and_never_forwarded(gate, upstream):
    answer = gate.get("/elsewhere/Patient/1")
    assert answer.status == 404
    assert upstream.requests == []


@pytest.mark.parametrize("target", ["/FHIR/Patient/1", "/fhi/Patient/1", "/soap/", "/", "/fhirx/1"])
def test_a_path_that_is_only_like_a_route_is_not_forwarded(gate, upstream, target):
    answer = gate.get(target)
    # What a lenient server might take for a route is ambiguous; the rest is not there.
    assert answer.status in (400, 404)
    assert upstream.requests == []


def test_an_encoded_path_meets_the_same_route(gate, upstream):
    assert gate.get("/%66hir/Patient/1").status == 200
    assert upstream.requests[-1].fields["Herse-Route"] == "fhir"


def test_a_method_the_route_does_not_list_is_403_and_never_forwarded(gate, upstream):
    with gate.connect() as connection:
        assert connection.get("/reading/Patient/1", method="DELETE").status == 403
        assert connection.get("/reading/Patient/1").status == 200
    assert [seen.method for seen in upstream.requests] == ["GET"]


def test_a_professional_who_is_not_on_the_routes_list_is_403(gate, upstream):
    assert gate.get("/others/Patient/1").status == 403
    assert upstream.requests == []


def test_refusals_speak_the_language_of_the_route(gate, upstream):
    with gate.connect() as connection:
        missing = connection.get("/elsewhere")
        assert missing.fields["Content-Type"].startswith("application/problem+json")
        assert missing.json()["status"] == 404
        forbidden = connection.get("/others/Patient/1")
        assert forbidden.fields["Content-Type"].startswith("application/fhir+json")
        outcome = forbidden.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["severity"] == "error"
        assert outcome["issue"][0]["code"] == "forbidden"
