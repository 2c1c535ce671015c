"""An issuer's keys and the tokens it signs, and whatever a forger makes of them."""

import base64
import hashlib
import json
import time
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .pki import PHYSICIAN

ISSUER = "https://sso.example.test/realms/esante-wallet"
AUDIENCE = "https://gate.example.test"


def text(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    return text(json.dumps(value, separators=(",", ":")).encode())


class Key:
    """A P-256 key."""

    def __init__(self, name):
        self.name = name
        self.private = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": text(numbers.x.to_bytes(32)),
                "y": text(numbers.y.to_bytes(32))}

    @property
    def entry(self):
        return {**self.public, "kid": self.name, "use": "sig", "alg": "ES256"}

    @property
    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def thumbprint(self):
        names = {name: self.public[name] for name in ("crv", "kty", "x", "y")}
        return text(hashlib.sha256(
            json.dumps(names, separators=(",", ":"), sort_keys=True).encode()).digest())

    def sign(self, header, payload):
        """A compact JWS over these texts."""
        signed = f"{header}.{payload}".encode()
        r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
        return f"{header}.{payload}.{text(r.to_bytes(32) + s.to_bytes(32))}"


class Issuer:
    """Whom the gate believes about professionals."""

    def __init__(self, folder):
        self.keys = [Key("one")]
        self.file = folder / "issuer-keys.json"
        self.write()

    def write(self):
        self.file.write_text(json.dumps({"keys": [key.entry for key in self.keys]}))

    def rule(self, tokens=None, **more):
        """How the configuration names it."""
        return {
            "name": "psc", "issuer": ISSUER, "keys": str(self.file),
            "levels": {"eidas1": "low", "eidas3": "high"},
            "tokens": {"audience": [AUDIENCE], **(tokens or {})}, **more,
        }

    def claims(self, professional=PHYSICIAN, **more):
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": f"f:550dc1c8:{professional}",
            "SubjectNameID": professional, "azp": "vendor", "jti": str(uuid.uuid4()),
            "sid": str(uuid.uuid4()), "acr": "eidas3", "authMode": "CARD", "iat": now,
            "auth_time": now, "exp": now + 120, "scope": "openid scope_all", **more,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, professional=PHYSICIAN, key=None, header=None, **claims):
        key = key or self.keys[0]
        head = {"alg": "ES256", "typ": "JWT", "kid": key.name, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        return key.sign(part(head), part(self.claims(professional, **claims)))


def bearer(token, scheme="Bearer"):
    return [f"Authorization: {scheme} {token}"]


def proof(key, token, target="/fhir/Patient/1", method="GET", nonce=None, **more):
    """A DPoP proof for one request, RFC 9449 §4.2."""
    claims = {
        "jti": str(uuid.uuid4()), "htm": method, "htu": f"https://localhost{target}",
        "iat": int(time.time()), "ath": text(hashlib.sha256(token.encode()).digest()),
    }
    if nonce:
        claims["nonce"] = nonce
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.public}
    return key.sign(part(header), part({**claims, **more}))


def digest(pki, card):
    """SHA-256 of a card's certificate."""
    certificate = x509.load_pem_x509_certificate(pki.card(card)[0].read_bytes())
    return certificate.fingerprint(hashes.SHA256())
