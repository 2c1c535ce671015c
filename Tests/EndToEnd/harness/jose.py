"""Tokens made by hand, on `cryptography` alone: right ones, and every way to be wrong.

No library for JWTs stands between: what none of them would sign is what has to be tried.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils


def encode(data):
    """base64url without padding, RFC 7515 §2."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256(data):
    return hashlib.sha256(data).digest()


def number(value, size=None):
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


CURVES = {"ES256": (ec.SECP256R1, hashes.SHA256, "P-256", 32),
          "ES384": (ec.SECP384R1, hashes.SHA384, "P-384", 48),
          "ES512": (ec.SECP521R1, hashes.SHA512, "P-521", 66)}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
# Making an RSA key takes long enough to be felt in each test.
RSA_KEYS = {}


class SigningKey:
    """A key pair, as an issuer holds it or a client that proves possession."""

    def __init__(self, algorithm="ES256", kid=None, bits=2048, fresh=False):
        self.algorithm = algorithm
        self.kid = kid or secrets.token_hex(6)
        if algorithm in CURVES:
            self.private = ec.generate_private_key(CURVES[algorithm][0]())
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            if fresh or bits not in RSA_KEYS:
                made = rsa.generate_private_key(65537, bits)
                self.private = made if fresh else RSA_KEYS.setdefault(bits, made)
            else:
                self.private = RSA_KEYS[bits]

    @property
    def public(self):
        return self.private.public_key()

    def jwk(self, **more):
        """The public key, as a set publishes it."""
        public = self.public
        if self.algorithm in CURVES:
            _, _, curve, size = CURVES[self.algorithm]
            numbers = public.public_numbers()
            members = {"kty": "EC", "crv": curve,
                       "x": number(numbers.x, size), "y": number(numbers.y, size)}
        elif self.algorithm == "EdDSA":
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            members = {"kty": "OKP", "crv": "Ed25519", "x": encode(raw)}
        else:
            numbers = public.public_numbers()
            members = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        return {**members, "kid": self.kid, "use": "sig", "alg": self.algorithm, **more}

    def bare(self):
        """The members of the key that its thumbprint is made of, RFC 7638."""
        return {name: value for name, value in self.jwk().items()
                if name in ("kty", "crv", "x", "y", "n", "e")}

    def thumbprint(self):
        text = json.dumps(self.bare(), sort_keys=True, separators=(",", ":"))
        return encode(sha256(text.encode()))

    def pem(self):
        return self.public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def der(self):
        return self.public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data, algorithm=None):
        algorithm = algorithm or self.algorithm
        if algorithm == "EdDSA":
            return self.private.sign(data)
        digest = HASHES[algorithm[2:]]()
        if algorithm.startswith("ES"):
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            size = CURVES[self.algorithm][3]
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if algorithm.startswith("PS"):
            scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
            return self.private.sign(data, scheme, digest)
        return self.private.sign(data, padding.PKCS1v15(), digest)


def part(value):
    """One part of a token: of a dictionary, of text that is no JSON of Python's, or of bytes."""
    if isinstance(value, dict):
        value = json.dumps(value, separators=(",", ":"))
    return encode(value.encode() if isinstance(value, str) else value)


def signed(header, payload, key, algorithm=None):
    """A compact JWS of this header and payload, whatever they say."""
    text = f"{part(header)}.{part(payload)}"
    return f"{text}.{encode(key.sign(text.encode(), algorithm))}"


def mac(header, payload, secret):
    """A compact JWS with HMAC-SHA-256: what someone makes who has only public things."""
    text = f"{part(header)}.{part(payload)}"
    return f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def header(key, kind="JWT", **more):
    """A header; a member given as None is left out."""
    members = {"alg": key.algorithm, "typ": kind, "kid": key.kid, **more}
    return {name: value for name, value in members.items() if value is not None}


def read(token):
    """Header and payload of a token, unverified."""
    first, second, _ = token.split(".")
    return json.loads(decode(first)), json.loads(decode(second))


def verify(token, keys):
    """Payload of a token of ES256 that one key of the set signed; raises when none did."""
    head, payload = read(token)
    text, _, signature = token.rpartition(".")
    raw = decode(signature)
    assert head["alg"] == "ES256" and len(raw) == 64, head
    jwk = next(key for key in keys["keys"] if key["kid"] == head["kid"])
    public = ec.EllipticCurvePublicNumbers(
        *(int.from_bytes(decode(jwk[name]), "big") for name in "xy"), ec.SECP256R1()).public_key()
    half = [int.from_bytes(raw[at:at + 32], "big") for at in (0, 32)]
    public.verify(utils.encode_dss_signature(*half), text.encode(), ec.ECDSA(hashes.SHA256()))
    return head, payload


def proof(key, method, address, token=None, nonce=None, kind="dpop+jwt", claims=None, **more):
    """A proof of possession, RFC 9449 §4.2; `more` changes the header, `claims` the payload."""
    payload = {"jti": secrets.token_urlsafe(12), "htm": method, "htu": address,
               "iat": int(time.time())}
    if token is not None:
        payload["ath"] = encode(sha256(token.encode()))
    if nonce is not None:
        payload["nonce"] = nonce
    payload.update(claims or {})
    payload = {name: value for name, value in payload.items() if value is not None}
    head = {"typ": kind, "alg": key.algorithm, "jwk": key.bare(), **more}
    head = {name: value for name, value in head.items() if value is not None}
    return signed(head, payload, key)


def certificate_thumbprint(der, hexadecimal=False):
    """`x5t#S256` of a certificate: of RFC 8705, or as servers of the ANS write it."""
    digest = sha256(der)
    if hexadecimal:
        return base64.b64encode(digest.hex().encode()).decode()
    return encode(digest)
