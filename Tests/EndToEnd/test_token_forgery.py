"""Forged tokens, of every class we know: refused, recorded without their text, nothing forwarded."""

import base64
import json
import time
import zlib

import pytest

from harness import jose
from harness.pki import PHYSICIAN
from harness.strong import bearing

pytestmark = pytest.mark.sanitized


class Forger:
    """What a forger has: the public keys, a token of their own, keys of their own."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.key = issuer.keys[0]
        self.own = jose.SigningKey(self.key.algorithm)
        self.genuine = issuer.token(professional="810002813839")
        self.claims = issuer.claims()

    def parts(self):
        return self.genuine.split(".")

    def own_token(self, **head):
        """Signed with a key of the forger's, with more in the header."""
        return jose.signed(jose.header(self.own, **head), self.claims, self.own)

    def mac(self, secret, **head):
        return jose.mac({"alg": "HS256", "typ": "JWT", "kid": self.key.kid, **head},
                        self.claims, secret)

    def unsigned(self, algorithm, signature=""):
        return (f"{jose.part({'alg': algorithm, 'typ': 'JWT', 'kid': self.key.kid})}."
                f"{jose.part(self.claims)}.{signature}")

    def raw(self, payload, head=None):
        """Genuinely signed, of a payload that is whatever it is."""
        return jose.signed(head or jose.header(self.key), payload, self.key)

    def text(self, **more):
        """The claims as text, so that what Python would not write can stand in it."""
        return json.dumps({**self.claims, **more})


def doubled(forger, name, value):
    """One claim twice, the first time as the gate wants it or the last."""
    text = forger.text()
    return f'{{"{name}":{json.dumps(value)},{text[1:]}'


def behind(forger, name, value):
    return f'{forger.text()[:-1]},"{name}":{json.dumps(value)}}}'


def without(text, name):
    claims = json.loads(text)
    claims.pop(name)
    return json.dumps(claims)


def padded(token):
    return ".".join(part + "=" * (-len(part) % 4) for part in token.split("."))


def standard_alphabet(forger):
    """base64 with `+` and `/`: only where such a byte falls is it another text."""
    while True:
        token = forger.issuer.token(x=jose.secrets.token_hex(9))
        other = token.replace("-", "+").replace("_", "/")
        if other != token:
            return other


def loose_bits(forger):
    """The last letter of the signature changed in bits that mean nothing."""
    head, payload, signature = forger.issuer.token().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(signature[-1]) | 1]
    if last == signature[-1]:
        last = alphabet[alphabet.index(signature[-1]) ^ 3]
    return f"{head}.{payload}.{signature[:-1]}{last}"


def out_of_range(forger):
    """A signature of numbers that are larger than the curve has."""
    head, payload, _ = forger.parts()
    largest = jose.encode(b"\xff" * 64)
    return f"{head}.{payload}.{largest}"


def der_signature(forger):
    """A good signature, written as X.509 has it and not as JWS."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    text = f"{jose.part(jose.header(forger.key))}.{jose.part(forger.claims)}"
    made = forger.key.private.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    return f"{text}.{jose.encode(made)}"


def compressed(forger):
    body = zlib.compress(forger.text().encode())[2:-4]
    return jose.signed(jose.header(forger.key, zip="DEF"), body, forger.key)


def bomb(forger):
    squeezed = zlib.compress(b'{"a":"' + b"a" * 50_000_000 + b'"}', 9)[2:-4]
    return jose.signed(jose.header(forger.key, zip="DEF"), squeezed[:12000], forger.key)


def encrypted(forger):
    """Five parts: what some readers decrypt with whatever key it names."""
    head = jose.part({"alg": "dir", "enc": "A128GCM", "kid": forger.key.kid})
    return ".".join([head, "", jose.encode(b"i" * 12), jose.encode(b"c" * 80), jose.encode(b"t" * 16)])


def nested_token(forger):
    inner = forger.issuer.token()
    return jose.signed(jose.header(forger.key, cty="JWT"), inner, forger.key)


FORGERIES = {
    "alg none": lambda f: f.unsigned("none"),
    "alg None": lambda f: f.unsigned("None"),
    "alg NONE": lambda f: f.unsigned("nOnE"),
    "alg none with a genuine signature": lambda f: f.unsigned("none", f.parts()[2]),
    "no signature": lambda f: ".".join([*f.parts()[:2], ""]),
    "two parts": lambda f: ".".join(f.parts()[:2]),
    "four parts": lambda f: f.genuine + ".x",
    "the empty alg": lambda f: f.unsigned("", f.parts()[2]),
    "HMAC with the key in PEM": lambda f: f.mac(f.key.pem()),
    "HMAC with the key in PEM, trimmed": lambda f: f.mac(f.key.pem().strip()),
    "HMAC with the key in DER": lambda f: f.mac(f.key.der()),
    "HMAC with the JWK": lambda f: f.mac(json.dumps(f.key.jwk()).encode()),
    "HMAC with a number of the JWK": lambda f: f.mac(f.key.jwk().get("x", f.key.jwk().get("n")).encode()),
    "HMAC with the empty secret": lambda f: f.mac(b""),
    "HMAC with the kid": lambda f: f.mac(f.key.kid.encode()),
    "another's key under the genuine kid": lambda f: f.own_token(kid=f.key.kid),
    "another's key without a kid": lambda f: f.own_token(kid=None),
    "a kid nobody has": lambda f: f.own_token(),
    "a kid that is a path": lambda f: f.own_token(kid="../../../../dev/null"),
    "a kid that is a query": lambda f: f.own_token(kid="x' UNION SELECT 'k"),
    "a kid that is a number": lambda f: f.own_token(kid=7),
    "a kid that is long": lambda f: f.own_token(kid="k" * 5000),
    "a key of its own in the header": lambda f: f.own_token(jwk=f.own.jwk(), kid=f.own.kid),
    "its own key under the genuine kid": lambda f: f.own_token(jwk=f.own.jwk(), kid=f.key.kid),
    "a set of its own at an address": lambda f: f.own_token(
        jku=f"{f.issuer.base}/evil/certs", kid=f.own.kid),
    "the genuine set at an address": lambda f: f.own_token(
        jku=f.issuer.address("certs"), kid=f.key.kid),
    "a certificate at an address": lambda f: f.own_token(x5u=f"{f.issuer.base}/evil.pem"),
    "a certificate in the header": lambda f: f.own_token(
        x5c=[base64.b64encode(f.issuer.pki.path("cards", "physician.pem").read_bytes()).decode()]),
    "a header that must be understood": lambda f: f.raw(
        f.claims, jose.header(f.key, crit=["exp"], exp=1)),
    "a header of no purpose": lambda f: f.raw(f.claims, jose.header(f.key, crit=[])),
    "a payload that is not encoded": lambda f: f.raw(
        f.claims, jose.header(f.key, b64=False, crit=["b64"])),
    "a header with alg twice": lambda f: jose.signed(
        f'{{"alg":"none","alg":"{f.key.algorithm}","kid":"{f.key.kid}"}}', f.claims, f.key),
    "a header that is a list": lambda f: jose.signed("[]", f.claims, f.key),
    "an empty header": lambda f: jose.signed("{}", f.claims, f.key),
    "the algorithm of another family": lambda f: f.raw(f.claims, {
        "alg": "RS256", "kid": f.key.kid, "typ": "JWT"}),
    "the algorithm of another size": lambda f: f.raw(f.claims, {
        "alg": "ES512", "kid": f.key.kid, "typ": "JWT"}),
    "another's payload under a genuine signature": lambda f: ".".join(
        [f.parts()[0], jose.part(f.claims), f.parts()[2]]),
    "another's header under a genuine signature": lambda f: ".".join(
        [jose.part({**jose.header(f.key), "x": 1}), *f.parts()[1:]]),
    "the professional twice, theirs first": lambda f: f.raw(
        doubled(f, "SubjectNameID", "810002813839")),
    "the professional twice, theirs last": lambda f: f.raw(
        behind(f, "SubjectNameID", "810002813839")),
    "the issuer twice": lambda f: f.raw(doubled(f, "iss", "https://evil")),
    "the end twice": lambda f: f.raw(behind(f, "exp", 99999999999)),
    "one claim twice, once in escapes": lambda f: f.raw(
        behind(f, "\\u0053ubjectNameID", "810002813839")),
    "a claim within another": lambda f: f.raw(
        behind(f, "x", {"a": 1, "b": 2}).replace('"b"', '"a"')),
    "a mebibyte": lambda f: f.issuer.token(x="a" * (1 << 20)),
    "17 kibibytes": lambda f: f.issuer.token(x="a" * (17 << 10)),
    "a thousand deep": lambda f: f.raw(behind(f, "x", 1).replace(
        '"x":1', '"x":' + "[" * 1000 + "]" * 1000)),
    "a thousand objects deep": lambda f: f.raw(behind(f, "x", 1).replace(
        '"x":1', '"x":' + '{"a":' * 1000 + "1" + "}" * 1000)),
    "ten thousand values": lambda f: f.raw(f.text(x=[1] * 5000)),
    "compressed": compressed,
    "compressed to burst": bomb,
    "encrypted": encrypted,
    "a token in a token": nested_token,
    "bytes behind the payload": lambda f: f.raw(f.text() + "x"),
    "a second object behind the payload": lambda f: f.raw(f.text() + "{}"),
    "a byte order mark": lambda f: f.raw("\ufeff" + f.text()),
    "a payload of UTF-16": lambda f: f.raw(f.text().encode("utf-16")),
    "a payload that is no UTF-8": lambda f: f.raw(f.text().encode()[:-1] + b',"x":"\xff\xfe"}'),
    "a NUL in the professional": lambda f: f.issuer.token(SubjectNameID=PHYSICIAN + "\x00"),
    "a lone surrogate in the professional": lambda f: f.raw(
        f.text().replace(PHYSICIAN, PHYSICIAN + "\\ud800")),
    "a payload that is a list": lambda f: f.raw("[]"),
    "a payload that is null": lambda f: f.raw("null"),
    "an empty payload": lambda f: f.raw(b""),
    "an end that is too large": lambda f: f.raw(
        f.text().replace(f'"exp": {f.claims["exp"]}', '"exp": 1e308')),
    "an end beyond any number": lambda f: f.raw(
        f.text().replace(f'"exp": {f.claims["exp"]}', '"exp": 9223372036854775807')),
    "a negative end": lambda f: f.issuer.token(exp=-9223372036854775808),
    "a beginning beyond any number": lambda f: f.issuer.token(
        nbf=9223372036854775807, iat=9223372036854775807),
    "padding": lambda f: padded(f.issuer.token(x="ab")),
    "padding of the signature alone": lambda f: f.issuer.token() + "==",
    "the other alphabet": standard_alphabet,
    "bits that mean nothing": loose_bits,
    "a blank within": lambda f: f.issuer.token().replace(".", ". ", 1),
    "a line within": lambda f: f.issuer.token()[:40] + "\\n" + f.issuer.token()[40:],
    "letters behind the signature": lambda f: f.issuer.token() + "AAAA",
    "a signature cut short": lambda f: f.issuer.token()[:-4],
    "a signature of zeros": lambda f: ".".join([*f.parts()[:2], jose.encode(bytes(64))]),
    "a signature out of range": out_of_range,
    "a signature in DER": der_signature,
    "a letter that is none": lambda f: f.issuer.token()[:-1] + "é",
    "dots alone": lambda f: "..",
    "one letter": lambda f: "x",
    "what is no token": lambda f: "' OR 1=1 --",
    "an id token": lambda f: f.issuer.token(
        typ="ID", aud=["herse", "https://gate.example.fr"], nonce="n"),
    "an id token that says not so": lambda f: f.issuer.token(
        typ=None, aud=["https://gate.example.fr"], nonce="n", at_hash="h"),
    "a refresh token": lambda f: f.issuer.token(typ="Refresh"),
    "an offline token": lambda f: f.issuer.token(typ="Offline"),
    "a logout token": lambda f: f.issuer.logout_token(aud="https://gate.example.fr"),
    "a proof of possession": lambda f: jose.proof(f.own, "GET", "https://localhost/fhir/Patient/1"),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_a_forged_token_is_refused(token_gate, issuer, upstream, case):
    gate = token_gate()
    forger = Forger(issuer)
    forged = FORGERIES[case](forger)
    began = time.monotonic()
    with gate.connect(None) as connection:
        try:
            connection.send(
                f"GET /fhir/Patient/1 HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {forged}\r\n\r\n")
            reply = connection.answer()
        except OSError:
            # More than a head may hold: answered and closed before it was read to its end.
            reply = None
    if reply is not None:
        assert reply.status in (400, 401, 431), reply
        # A token that was read at all is answered as one.
        if reply.status == 401:
            assert "WWW-Authenticate" in reply.fields
    assert time.monotonic() - began < 3
    assert upstream.requests == []
    # The gate is well, and goes on believing what is genuine.
    assert gate.get(card=None, fields=bearing(issuer.token())).status == 200
    assert not [asked for asked in issuer.server.requests], "it asked where a token told it to"


# Signed with another's key first, then genuinely: what was refused is not remembered as believed.
def test_a_forgery_beside_the_genuine_one_changes_nothing(token_gate, issuer, upstream):
    gate = token_gate()
    forger = Forger(issuer)
    genuine = issuer.token()
    forged = genuine[:-8] + ("AAAAAAAA" if not genuine.endswith("AAAAAAAA") else "BBBBBBBB")
    with gate.connect(None) as connection:
        for token, status in [(forged, 401), (genuine, 200), (forged, 401), (genuine, 200),
                              (forger.mac(forger.key.pem()), 401), (genuine, 200)]:
            assert connection.get(fields=bearing(token)).status == status
    assert len(upstream.requests) == 3


def test_a_thousand_forgeries_leave_the_gate_as_it_was(token_gate, issuer, upstream):
    gate = token_gate()
    forger = Forger(issuer)
    assert gate.get(card=None, fields=bearing(issuer.token())).status == 200
    before = gate.resident()
    with gate.connect(None) as connection:
        for number in range(1000):
            claims = {**forger.claims, "jti": str(number), "x": "y" * 4000}
            token = jose.signed(jose.header(forger.own, kid=forger.key.kid), claims, forger.own)
            assert connection.get(fields=bearing(token)).status == 401
    assert gate.resident() - before < 20 << 20
    assert gate.get(card=None, fields=bearing(issuer.token())).status == 200


# Keys that no set should hold.

KEYS = {
    "a symmetric key": lambda issuer: {
        "kty": "oct", "k": jose.encode(b"secret"), "kid": "s", "alg": "HS256"},
    "a small modulus": lambda issuer: jose.SigningKey("RS256", bits=1024, kid="s").jwk(),
    "a point off the curve": lambda issuer: {
        **jose.SigningKey(kid="s").jwk(), "y": jose.encode(b"\x01" * 32)},
    "for encryption": lambda issuer: {**jose.SigningKey(kid="s").jwk(), "use": "enc"},
    "nothing of use": lambda issuer: {"kty": "??", "kid": "s"},
}


@pytest.mark.parametrize("case", KEYS)
def test_an_unusable_key_in_the_set_leaves_the_others_in_use(
    config, make_gate, issuer, upstream, case
):
    from harness.strong import accept

    gate = make_gate(config, start=False)
    bad = KEYS[case](issuer)
    (gate.folder / "keys.json").write_text(
        json.dumps({"keys": [bad, *[key.jwk() for key in issuer.keys]]}))
    accept(config, issuer.rule(discovery=None, authorities=None, keys="keys.json"))
    gate.write()
    gate.start()
    assert gate.get(card=None, fields=bearing(issuer.token())).status == 200
    forged = jose.mac({"alg": "HS256", "typ": "JWT", "kid": "s"}, issuer.claims(), b"secret")
    assert gate.get(card=None, fields=bearing(forged)).status == 401
    if case == "a small modulus":
        weak = jose.SigningKey("RS256", bits=1024, kid="s")
        signed = jose.signed(jose.header(weak), issuer.claims(), weak)
        assert gate.get(card=None, fields=bearing(signed)).status == 401


@pytest.mark.parametrize("case", ["a symmetric key", "nothing of use", "no key", "no set"])
def test_a_set_without_a_usable_key_is_refused_by_check(config, make_gate, issuer, case):
    from harness.strong import accept

    gate = make_gate(config, start=False)
    made = {"no key": {"keys": []}, "no set": {"x": 1}}
    text = made[case] if case in made else {"keys": [KEYS[case](issuer)]}
    (gate.folder / "keys.json").write_text(json.dumps(text))
    accept(config, issuer.rule(discovery=None, authorities=None, keys="keys.json"))
    gate.write()
    run = gate.run("check")
    assert run.code == 1 and "keys" in run.text, run
