"""Access tokens: whose they are, what they must say, and that they are worth nothing else."""

import time

import pytest

from harness import jose
from harness.client import request
from harness.fhir import identity
from harness.pki import PHARMACIST, PHYSICIAN
from harness.strong import accept, bearing, keys_file
from harness.waiting import until

pytestmark = pytest.mark.sanitized


def ask(gate, token, target="/fhir/Patient/1", card=None, **options):
    return gate.get(target, card=card, fields=bearing(token), **options)


def refused(gate, token, why, status=401, **options):
    """Asks with a token that is refused, and why must be in the record alone."""
    reply = ask(gate, token, **options)
    assert reply.status == status, reply
    assert reply.fields["WWW-Authenticate"].startswith("Bearer "), reply.fields
    entry = gate.entry(reply.fields["X-Request-Id"])
    assert (entry["decision"], entry["why"]) == ("deny", why), entry
    return reply


# Who a token proves.


def test_a_token_proves_a_professional(token_gate, issuer, upstream):
    gate = token_gate()
    reply = ask(gate, issuer.token())
    assert reply.status == 200, reply
    fields = upstream.requests[-1].fields
    assert fields["Herse-Professional"] == PHYSICIAN
    assert fields["Herse-Method"] == "token"
    assert "Herse-Structure" not in fields
    assert "Authorization" not in fields and "DPoP" not in fields


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "PS256", "RS256", "EdDSA"])
def test_every_algorithm_of_the_default_list_is_verified(
    token_gate, issuer, upstream, algorithm
):
    issuer.keys = [jose.SigningKey(algorithm)]
    gate = token_gate()
    assert ask(gate, issuer.token()).status == 200
    # And the signature counts: the same claims under another key of this kind are refused.
    other = jose.SigningKey(algorithm, kid=issuer.keys[0].kid, fresh=True)
    refused(gate, issuer.token(key=other), "signature")


def test_an_algorithm_that_the_issuer_may_not_use_is_refused(token_gate, issuer, upstream):
    issuer.keys = [jose.SigningKey("ES384")]
    gate = token_gate(more={"algorithms": ["ES256"]})
    refused(gate, issuer.token(), "algorithm")
    assert upstream.requests == []


def test_no_token_at_all_is_401_and_says_what_would_help(token_gate, upstream):
    gate = token_gate()
    reply = gate.get(card=None)
    assert reply.status == 401
    assert "Bearer" in reply.fields["WWW-Authenticate"]
    assert "error=" not in reply.fields["WWW-Authenticate"]
    assert upstream.requests == []


def test_the_professional_may_stand_in_another_claim(token_gate, issuer, upstream):
    gate = token_gate(more={"professional_id": "idps"})
    assert ask(gate, issuer.token(idps=PHARMACIST)).status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == PHARMACIST
    refused(gate, issuer.token(), "professional")


NOBODY = {
    "nobody": None,
    "an empty name": "",
    "a name": "ISABELLE DONNAT-GADY",
    "a number too short": "89970021889",
    "a number": 899700218896,
    "a list": [PHYSICIAN],
    "two lines": PHYSICIAN + "\r\nHerse-Structure: 1",
    "a NUL behind it": PHYSICIAN + "\x00",
    "a blank behind it": PHYSICIAN + " ",
    "a subject of the provider's": "f:550dc1c8:899700218896",
}


@pytest.mark.parametrize("case", NOBODY)
def test_a_token_that_names_no_professional_is_refused(token_gate, issuer, upstream, case):
    gate = token_gate()
    reply = ask(gate, issuer.token(SubjectNameID=NOBODY[case]))
    assert reply.status == 401, reply
    assert upstream.requests == []


@pytest.mark.parametrize("told, wanted", [
    ("0759912340", "0759912340"), ("02a9912340", "02A9912340"),
    ("500000000029751/cpat0001", "500000000029751/CPAT0001"),
])
def test_other_professionals_are_named_as_on_their_cards(
    token_gate, issuer, upstream, told, wanted
):
    assert ask(token_gate(), issuer.token(professional=told)).status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == wanted


# What a token must say.

# Rules of the gate, claims of the token, and the word of the record; None when it passes.
RULES = {
    "its audience": ({}, {}, None),
    "its audience among others": ({}, {"aud": ["other", "https://gate.example.fr"]}, None),
    "its audience alone": ({}, {"aud": "https://gate.example.fr"}, None),
    "another audience": ({}, {"aud": ["https://other.example.fr"]}, "audience"),
    "an audience it begins with": ({}, {"aud": "https://gate.example.fr/x"}, "audience"),
    "no audience": ({}, {"aud": None}, "audience"),
    "any audience, where that is accepted": (
        {"audience": None, "unsafe_any_audience": True}, {"aud": "whoever"}, None),
    "another issuer": ({}, {"iss": "https://evil.example.fr"}, "issuer"),
    "the issuer with a slash": ({}, {"iss": "/"}, "issuer"),
    "no issuer": ({}, {"iss": None}, "issuer"),
    "the right client": ({"clients": ["a-vendor"]}, {}, None),
    "another client": ({"clients": ["another"]}, {}, "client"),
    "a client in client_id": ({"clients": ["b"]}, {"azp": None, "client_id": "b"}, None),
    "no client": ({"clients": ["b"]}, {"azp": None}, "client"),
    "all scopes": ({"scopes": ["openid", "scope_all"]}, {}, None),
    "one scope of two": ({"scopes": ["openid", "referentiel"]}, {}, "scope"),
    "part of a scope": ({"scopes": ["scope"]}, {}, "scope"),
    "an accepted level": ({"acr": ["eidas1", "eidas3"]}, {"acr": "eidas3"}, None),
    "another level": ({"acr": ["eidas3"]}, {}, "acr"),
    "no level": ({"acr": ["eidas3"]}, {"acr": None}, "acr"),
    "the right mode": ({"auth_mode": ["CARD"]}, {}, None),
    "another mode": ({"auth_mode": ["CARD"]}, {"authMode": "MOBILE"}, "auth-mode"),
    "all methods": ({"amr": ["pwd", "otp"]}, {"amr": ["otp", "pwd", "x"]}, None),
    "one method of two": ({"amr": ["pwd", "otp"]}, {"amr": ["pwd"]}, "amr"),
    "a long life": ({}, {"exp": lambda now: now + 5 * 3600}, "lifetime"),
    "a long life, where that is accepted": (
        {"lifetime_max": "6h"}, {"exp": lambda now: now + 5 * 3600}, None),
    "expired": ({}, {"exp": lambda now: now - 60}, "expired"),
    "expired within the leeway": ({}, {"exp": lambda now: now - 10}, None),
    "no end": ({}, {"exp": None}, "claim"),
    "an end that is a text": ({}, {"exp": lambda now: str(now + 60)}, "claim"),
    "not yet": ({}, {"nbf": lambda now: now + 600}, "not-yet-valid"),
    "not yet, within the leeway": ({}, {"nbf": lambda now: now + 10}, None),
    "issued in the future": ({}, {"iat": lambda now: now + 600}, "not-yet-valid"),
    "made for a sign-in": ({}, {"typ": "ID"}, "kind"),
    "made to be refreshed": ({}, {"typ": "Refresh"}, "kind"),
    "with a nonce of a sign-in": ({}, {"nonce": "x", "at_hash": "y", "typ": None}, "kind"),
    "a logout": ({}, {"events": {
        "http://schemas.openid.net/event/backchannel-logout": {}}}, "kind"),
}


@pytest.mark.parametrize("case", RULES)
def test_a_token_is_judged_by_the_rules_of_its_issuer(token_gate, issuer, upstream, case):
    rules, claims, why = RULES[case]
    now = int(time.time())
    claims = {name: value(now) if callable(value) else value for name, value in claims.items()}
    if claims.get("iss") == "/":
        claims["iss"] = issuer.url + "/"
    def change(config):
        tokens = config["authentication"]["issuers"][0]["tokens"]
        for name in [name for name, value in tokens.items() if value is None]:
            del tokens[name]

    gate = token_gate(rules=rules, change=change)
    token = issuer.token(**claims)
    if why is None:
        assert ask(gate, token).status == 200
        assert upstream.requests[-1].fields["Herse-Professional"] == PHYSICIAN
        return
    refused(gate, token, why, status=403 if why == "scope" else 401)
    assert upstream.requests == []


@pytest.mark.parametrize("kind", ["refresh+jwt", "logout+jwt", "dpop+jwt", "application/x"])
def test_a_header_that_names_another_purpose_is_refused(token_gate, issuer, upstream, kind):
    refused(token_gate(), issuer.token(head={"typ": kind}), "kind")


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "AT+JWT", "JWT", None])
def test_a_header_that_names_an_access_token_or_nothing_passes(
    token_gate, issuer, upstream, kind
):
    assert ask(token_gate(), issuer.token(head={"typ": kind})).status == 200


# Two issuers.


def test_each_issuer_has_keys_and_rules_of_its_own(config, make_gate, issuer, pki, upstream):
    from harness.issuer import Issuer

    second = Issuer(pki)
    gate = make_gate(config, start=False)
    rules = []
    for name, one, acr in (("first", issuer, "eidas3"), ("second", second, "1")):
        path = gate.folder / f"{name}.json"
        keys_file(gate.folder, one)
        (gate.folder / "issuer.keys.json").rename(path)
        rules.append(one.rule(name, tokens={"acr": [acr]}, discovery=None, authorities=None,
                              keys=path.name))
    accept(config, *rules)
    gate.write()
    gate.start()
    assert ask(gate, issuer.token(acr="eidas3")).status == 200
    assert ask(gate, second.token(acr="1")).status == 200
    refused(gate, issuer.token(acr="1"), "acr")
    refused(gate, second.token(acr="eidas3"), "acr")
    # What the one signs in the name of the other.
    claims = second.claims(iss=issuer.url, acr="eidas3")
    forged = jose.signed(jose.header(second.keys[0]), claims, second.keys[0])
    refused(gate, forged, "unknown-key")
    forged = jose.signed(
        jose.header(second.keys[0], kid=issuer.keys[0].kid), claims, second.keys[0])
    refused(gate, forged, "signature")
    second.close()


def test_an_issuer_without_rules_for_tokens_gives_none(config, make_gate, issuer, upstream):
    gate = make_gate(config, start=False)
    accept(config, issuer.rule(tokens=False, discovery=None, authorities=None,
                               keys=keys_file(gate.folder, issuer)))
    gate.write()
    run = gate.run("check")
    assert run.code == 1 and "token" in run.text, run


# Where a token counts.


def test_a_route_for_certificates_alone_does_not_hear_of_tokens(token_gate, issuer, upstream):
    gate = token_gate(require=("certificate",))
    reply = ask(gate, issuer.token())
    assert reply.status in (401, 403), reply
    assert upstream.requests == []
    assert ask(gate, issuer.token(professional=PHARMACIST), card="physician").status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == PHYSICIAN


def test_a_route_for_both_takes_either(token_gate, issuer, upstream):
    gate = token_gate(require=("certificate", "token"))
    assert gate.get(card="physician").status == 200
    assert upstream.requests[-1].fields["Herse-Method"] == "certificate"
    assert ask(gate, issuer.token(professional=PHARMACIST)).status == 200
    assert upstream.requests[-1].fields["Herse-Method"] == "token"
    assert gate.get(card=None).status == 401


def test_a_token_that_is_refused_is_not_made_up_for_by_a_certificate(
    token_gate, issuer, upstream
):
    gate = token_gate(require=("certificate", "token"))
    refused(gate, issuer.token(aud="other"), "audience", card="physician")
    assert upstream.requests == []


def test_a_token_passes_whoever_carries_the_connection(token_gate, issuer, upstream):
    """The certificate of a vendor's proxy is no professional's, and counts for nobody."""
    gate = token_gate()
    assert ask(gate, issuer.token(), card="organisation").status == 200
    assert upstream.requests[-1].fields["Herse-Professional"] == PHYSICIAN
    assert gate.get(card="physician").status == 401


SPELLINGS = {
    "the scheme in lower case": "bearer {}",
    "the scheme in upper case": "BEARER {}",
    "two blanks": "Bearer  {}",
}
NONSENSE = {
    "the scheme alone": "Bearer",
    "a tab": "Bearer\t{}",
    "a word behind": "Bearer {} x",
    "a comma behind": "Bearer {}, Bearer {}",
    "as a parameter": "Bearer token={}",
    "quoted": 'Bearer "{}"',
    "no scheme": "{}",
    "another scheme": "Token {}",
    "Basic": "Basic {}",
}


@pytest.mark.parametrize("case", SPELLINGS)
def test_the_scheme_is_read_as_http_has_it(token_gate, issuer, upstream, case):
    field = f"Authorization: {SPELLINGS[case].format(issuer.token())}"
    assert token_gate().get(card=None, fields=[field]).status == 200


@pytest.mark.parametrize("case", NONSENSE)
def test_a_token_that_stands_otherwise_is_none(token_gate, issuer, upstream, case):
    token = issuer.token()
    field = f"Authorization: {NONSENSE[case].format(token, token)}"
    assert token_gate().get(card=None, fields=[field]).status in (400, 401)
    assert upstream.requests == []


def test_two_tokens_are_refused_even_if_both_are_good(token_gate, issuer, upstream):
    gate = token_gate()
    fields = bearing(issuer.token()) + bearing(issuer.token(professional=PHARMACIST))
    assert gate.get(card=None, fields=fields).status in (400, 401)
    assert gate.get(card=None, fields=bearing(issuer.token()) * 2).status in (400, 401)
    assert upstream.requests == []


def test_a_token_in_the_address_or_the_body_is_none(token_gate, issuer, upstream):
    gate = token_gate()
    token = issuer.token()
    assert gate.get(f"/fhir/Patient/1?access_token={token}", card=None).status == 401
    reply = gate.post("/fhir/Patient/_search", f"access_token={token}".encode(),
                      "application/x-www-form-urlencoded", card=None)
    assert reply.status == 401
    assert upstream.requests == []


# Over time.


def test_a_token_ends_on_an_open_connection(token_gate, issuer, upstream):
    gate = token_gate(more={"leeway": "0s"})
    token = issuer.token(exp=int(time.time()) + 3)
    fields = bearing(token)
    with gate.connect(None) as connection:
        assert connection.get(fields=fields).status == 200
        until(lambda: connection.get(fields=fields).status == 401, within=8, every=0.2,
              what="the token is over")
        # The connection serves the next one.
        assert connection.get(fields=bearing(issuer.token())).status == 200
    assert ask(gate, token).status == 401


def test_one_connection_interleaves_many_professionals(token_gate, issuer, upstream):
    gate = token_gate()
    people = [f"8{number:011}" for number in range(40)]
    tokens = {person: issuer.token(professional=person) for person in people}
    order = people + people[::-1] + people[::3] * 2
    with gate.connect("organisation") as connection:
        # All at once: the answers are still each one's own.
        connection.send(b"".join(
            request(f"/fhir/Patient/{at}", bearing(tokens[person]))
            for at, person in enumerate(order)))
        for at, person in enumerate(order):
            reply = connection.answer()
            assert reply.status == 200
            assert reply.json()["target"] == f"/fhir/Patient/{at}"
    seen = [one.fields["Herse-Professional"] for one in upstream.requests]
    assert seen == order


def test_the_tokens_of_refused_requests_change_nothing_for_the_next(
    token_gate, issuer, upstream
):
    gate = token_gate()
    with gate.connect(None) as connection:
        for claims, status in ({}, 200), ({"aud": "x"}, 401), ({}, 200), ({"iss": "x"}, 401):
            assert connection.get(fields=bearing(issuer.token(**claims))).status == status
        # Nobody is remembered from before.
        assert connection.get().status == 401


# What is told of it.


def test_the_record_tells_who_by_what_and_never_the_token(token_gate, issuer, upstream):
    gate = token_gate()
    claims = issuer.claims()
    token = jose.signed(jose.header(issuer.keys[0]), claims, issuer.keys[0])
    reply = ask(gate, token)
    entry = gate.entry(reply.json()["request"])
    assert entry["professional"] == PHYSICIAN
    assert entry["method"] == "token"
    assert entry["issuer"] == "psc"
    assert entry["client"] == claims["azp"]
    assert entry["token"] == claims["jti"]
    assert entry["session"] == claims["sid"]
    ask(gate, token[:-6])
    ask(gate, issuer.token(aud="x"))
    gate.stop()
    signature = token.rpartition(".")[2]
    for name, data in gate.bytes_kept().items():
        assert signature.encode() not in data, f"{name} holds a token's signature"
        assert token.split(".")[1][20:60].encode() not in data, f"{name} holds a token"


def test_what_a_client_is_told_tells_nothing_of_why(token_gate, issuer, upstream):
    """Whoever tries tokens out learns no more than that they are no good."""
    gate = token_gate()
    told = set()
    for claims in ({"aud": "x"}, {"iss": "https://x"}, {"exp": 1}, {"SubjectNameID": None}):
        reply = ask(gate, issuer.token(**claims))
        body = reply.body.replace(reply.fields["X-Request-Id"].encode(), b"")
        told.add((reply.status, reply.fields["WWW-Authenticate"], body))
    assert len(told) == 1, told


# Limits.


def limited(count, limit=5, per="1h"):
    def change(config):
        config["limits"] = {"standard": [{"count": count, "limit": limit, "per": per}]}

    return change


def test_a_limit_counts_a_professional_over_tokens_and_connections(
    token_gate, issuer, upstream
):
    gate = token_gate(change=limited("requests"), require=("certificate", "token"))
    statuses = [ask(gate, issuer.token(sid=f"s{at}", azp=f"vendor-{at}")).status
                for at in range(4)]
    # The card of the same person is the same person.
    statuses += [gate.get(card="physician").status for _ in range(3)]
    assert statuses == [200] * 5 + [429] * 2
    assert ask(gate, issuer.token()).status == 429
    assert ask(gate, issuer.token(professional=PHARMACIST)).status == 200


def test_a_limit_of_one_professional_is_not_their_vendors(token_gate, issuer, upstream):
    gate = token_gate(change=limited("requests", 3))
    with gate.connect("organisation") as connection:
        busy, calm = bearing(issuer.token()), bearing(issuer.token(professional=PHARMACIST))
        assert [connection.get(fields=busy).status for _ in range(5)] == [200] * 3 + [429] * 2
        assert [connection.get(fields=calm).status for _ in range(3)] == [200] * 3
    assert gate.used("requests", PHYSICIAN) == 3
    assert gate.used("requests", PHARMACIST) == 3


def test_patients_are_counted_for_whom_the_token_names(token_gate, issuer, patients):
    def change(config):
        limited("patients", 10)(config)
        for route in config["routes"]:
            for key in ("vague", "unparsed", "unparsed_charge"):
                route.pop(key, None)

    gate = token_gate(change=change)
    with gate.connect("organisation") as connection:
        for number in range(1, 9):
            fields = bearing(issuer.token(
                professional=PHYSICIAN if number % 2 else PHARMACIST))
            assert connection.get(f"/fhir/Patient/{identity(number)}", fields=fields).status == 200
    assert gate.used("patients", PHYSICIAN) == 4
    assert gate.used("patients", PHARMACIST) == 4
