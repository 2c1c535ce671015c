"""What goes to the identity server and back: identity written by the gate alone, hop-by-hop gone."""

import base64

import pytest

from harness.client import request
from harness.pki import PHYSICIAN, ssl
from harness.upstream import answer

pytestmark = pytest.mark.sanitized

IDENTITY = [
    "Herse-Professional", "Herse-Structure", "Herse-Method", "Herse-Route", "Herse-Assertion",
    "Herse-Anything", "X-Request-Id", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto",
    "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Client-Cert",
    "Client-Cert-Chain",
]
SPELLINGS = {
    "as it is": lambda name: name,
    "lower case": str.lower,
    "upper case": str.upper,
    "underscores": lambda name: name.replace("-", "_"),
    "one underscore": lambda name: name.replace("-", "_", 1),
    "lower case with underscores": lambda name: name.lower().replace("-", "_"),
    "dots": lambda name: name.replace("-", "."),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", IDENTITY)
def test_a_forged_identity_field_never_arrives(gate, upstream, name, spelling):
    forged = SPELLINGS[spelling](name)
    assert gate.get(fields=[f"{forged}: 810000000001-forged"]).status == 200
    (seen,) = upstream.requests
    assert b"810000000001-forged" not in seen.raw
    assert seen.fields["Herse-Professional"] == PHYSICIAN


def test_a_forged_field_named_by_connection_does_not_remove_the_true_one(gate, upstream):
    reply = gate.get(fields=["Connection: Herse-Professional, X-Request-Id, close"])
    if reply.status == 200:
        (seen,) = upstream.requests
        assert seen.fields["Herse-Professional"] == PHYSICIAN
        assert "X-Request-Id" in seen.fields
    else:
        assert reply.status == 400
        assert upstream.requests == []


def test_who_asked_from_where_is_told(gate, upstream):
    gate.get("/fhir/Patient/1", source=("127.0.0.9", 0))
    fields = upstream.requests[-1].fields
    assert fields["X-Forwarded-For"] == "127.0.0.9"
    assert fields["X-Forwarded-Proto"] == "https"
    assert fields["X-Forwarded-Host"] == "localhost"
    forwarded = fields["Forwarded"].lower()
    assert "for=127.0.0.9" in forwarded
    assert "proto=https" in forwarded
    assert "localhost" in forwarded


@pytest.mark.parametrize(
    "field",
    [
        "Keep-Alive: timeout=5", "TE: trailers", "Trailer: X-Sum", "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eDp5", "Proxy: http://127.0.0.1:1/",
    ],
)
def test_hop_by_hop_fields_of_the_request_stay_behind(gate, upstream, field):
    assert gate.get(fields=[field]).status == 200
    (seen,) = upstream.requests
    assert field.split(":")[0] not in seen.fields


def test_fields_nominated_by_connection_stay_behind(gate, upstream):
    reply = gate.get(fields=["Connection: X-Private, x-other", "X-Private: 1", "X-Other: 2",
                             "X-Kept: 3"])
    assert reply.status == 200
    (seen,) = upstream.requests
    assert "X-Private" not in seen.fields and "X-Other" not in seen.fields
    assert seen.fields["X-Kept"] == "3"


def test_end_to_end_fields_arrive_as_they_are_and_in_order(gate, upstream):
    sent = ["Accept: application/fhir+json", "X-B: two", "X-A: one", "X-B: three",
            "Authorization: Bearer x.y.z", "If-None-Match: \"7\"", "X-Empty:", "X-Latin: \xe9"]
    assert gate.get("/plain/1", fields=sent).status == 200
    (seen,) = upstream.requests
    wanted = {"accept", "x-a", "x-b", "authorization", "if-none-match", "x-empty", "x-latin"}
    kept = [f"{name}: {value}".strip() for name, value in seen.fields.pairs
            if name.lower() in wanted]
    assert [line.lower() for line in kept] == [line.lower() for line in sent]


def test_hop_by_hop_fields_of_the_answer_stay_behind(gate, upstream):
    upstream.answer = lambda request, peer: peer.send(
        answer(body=b"{}", fields=["Connection: X-Secret, keep-alive", "X-Secret: 1",
                                   "Keep-Alive: timeout=9", "Proxy-Authenticate: Basic", "X-Kept: 2",
                                   "Trailer: X-T", "Upgrade: h2c"]))
    reply = gate.get()
    assert reply.status == 200
    for name in ("X-Secret", "Keep-Alive", "Proxy-Authenticate", "Trailer", "Upgrade"):
        assert name not in reply.fields
    assert reply.fields["X-Kept"] == "2"
    assert reply.keeps_alive


def test_the_answers_fields_arrive_as_they_are(gate, upstream):
    upstream.answer = lambda request, peer: peer.send(
        answer(status=201, reason="Created", body=b"{}",
               fields=["Location: /fhir/Patient/9", "ETag: W/\"1\"", "Set-Cookie: a=1",
                       "Set-Cookie: b=2"]))
    reply = gate.get()
    assert reply.status == 201
    assert reply.fields["Location"] == "/fhir/Patient/9"
    assert reply.fields["ETag"] == 'W/"1"'
    assert reply.fields.all("Set-Cookie") == ["a=1", "b=2"]


def test_a_route_that_asks_for_it_shows_the_certificate(gate, upstream, pki):
    assert gate.get("/wrapped/Patient/1").status == 200
    value = upstream.requests[-1].fields["Client-Cert"]
    assert value[0] == value[-1] == ":"
    shown = base64.b64decode(value[1:-1], validate=True)
    pem = pki.card("physician")[0].read_text().split("-----END")[0] + "-----END CERTIFICATE-----"
    assert shown == ssl.PEM_cert_to_DER_cert(pem)


def test_other_routes_do_not_show_the_certificate(gate, upstream):
    assert gate.get("/fhir/Patient/1").status == 200
    assert "Client-Cert" not in upstream.requests[-1].fields


def test_an_inspected_route_asks_for_an_unencoded_answer(gate, upstream):
    assert gate.get(fields=["Accept-Encoding: gzip, br"]).status == 200
    assert upstream.requests[-1].fields["Accept-Encoding"] == "identity"


def test_absolute_form_is_forwarded_as_a_path(gate, upstream):
    with gate.connect() as connection:
        connection.send(request("https://localhost/fhir/Patient/1"))
        assert connection.answer().status == 200
    assert upstream.requests[-1].target == "/fhir/Patient/1"
