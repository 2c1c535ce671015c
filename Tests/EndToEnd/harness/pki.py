"""Certificates for the tests: the repository's own recipe, and every odd one beside it."""

import datetime
import os
import ssl
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT = Path(__file__).resolve().parents[3]
RECIPE = ROOT / "certs" / "make-throw-away"

PHYSICIAN = "899700218896"
PHARMACIST = "899700427885"
EMPLOYEE = "500000000029751/CPAT0001"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def days(count):
    return datetime.timedelta(days=count)


def person(number, surname="TEST", given="ANNE", title="Médecin"):
    """The subject of a professional's card: CN, SN and GN in one relative name."""
    return x509.Name(
        [
            x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COUNTRY_NAME, "FR")]),
            x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.TITLE, title)]),
            x509.RelativeDistinguishedName(
                [
                    x509.NameAttribute(NameOID.COMMON_NAME, number),
                    x509.NameAttribute(NameOID.SURNAME, surname),
                    x509.NameAttribute(NameOID.GIVEN_NAME, given),
                ]
            ),
        ]
    )


def name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def usage(**on):
    every = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**{**every, **on})


class Authority:
    """A certificate authority that issues whatever a test asks for."""

    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key

    @staticmethod
    def load(folder):
        return Authority(
            x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()),
            serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None),
        )

    @staticmethod
    def make(common, issuer=None, path_length=None):
        key = ec.generate_private_key(ec.SECP256R1())
        signer = issuer or Authority(None, key)
        subject = name(common)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - days(1))
            .not_valid_after(now() + days(30))
            .add_extension(x509.BasicConstraints(True, path_length), True)
            .add_extension(usage(key_cert_sign=True, crl_sign=True), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), False
            )
        )
        return Authority(builder.sign(signer.key, hashes.SHA256()), key)

    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self, path, subject, *, authority=False, purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,),
        key_usage=None, names=None, start=None, end=None, chain=None,
    ):
        """Writes `path`.pem (with its chain) and `path`.key; returns the certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start or now() - days(1))
            .not_valid_after(end or now() + days(20))
            .add_extension(x509.BasicConstraints(authority, None), True)
            .add_extension(key_usage or usage(digital_signature=True), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False
            )
        )
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        certificate = builder.sign(self.key, hashes.SHA256())
        write_card(path, certificate, key, [self] if chain is None else chain)
        return certificate

    def revocation_list(self, path, revoked=(), start=None, end=None, number=1):
        """Writes a list of revoked certificates at `path`."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(start or now() - datetime.timedelta(hours=1))
            .next_update(end or now() + days(7))
            .add_extension(x509.CRLNumber(number), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False
            )
        )
        for certificate in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(now() - datetime.timedelta(hours=1))
                .build()
            )
        path.write_bytes(
            builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        return path


def write_card(path, certificate, key, chain):
    text = certificate.public_bytes(serialization.Encoding.PEM)
    Path(f"{path}.pem").write_bytes(text + b"".join(authority.pem() for authority in chain))
    Path(f"{path}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    os.chmod(f"{path}.key", 0o600)


class PKI:
    """The folder that `certs/make-throw-away` makes, and cards that it would never make."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run([RECIPE, folder], check=True, capture_output=True, timeout=60)
        self.root = Authority.load(folder / "private" / "root")
        self.persons = Authority.load(folder / "private" / "persons")
        self.servers = Authority.load(folder / "private" / "servers")
        self.stranger = Authority.make("Somebody else's authority")

    def path(self, *parts):
        return self.folder.joinpath(*parts)

    def card(self, name):
        """The files of a card: certificate with chain, and key."""
        return self.path("cards", f"{name}.pem"), self.path("cards", f"{name}.key")

    def certificate(self, name):
        return x509.load_pem_x509_certificate(self.card(name)[0].read_bytes())

    def fingerprint(self, name):
        return self.certificate(name).fingerprint(hashes.SHA256()).hex()

    def issue(self, name, subject=None, by=None, **options):
        """A card made for one test; returns its name."""
        by = by or self.persons
        subject = person(PHYSICIAN) if subject is None else subject
        by.issue(self.path("cards", name), subject, **options)
        return name

    def version_one(self, name):
        """A certificate without extensions, which openssl then makes version 1."""
        base = self.path("cards", name)
        subject = f"/C=FR/title=Médecin/CN={PHYSICIAN}+SN=DONNAT-GADY+GN=ISABELLE"
        commands = [
            ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-out", f"{base}.key"],
            ["openssl", "req", "-new", "-utf8", "-key", f"{base}.key", "-subj", subject,
             "-out", f"{base}.csr"],
            ["openssl", "x509", "-req", "-in", f"{base}.csr", "-days", "10",
             "-CA", self.path("private", "persons", "ca.pem"),
             "-CAkey", self.path("private", "persons", "ca.key"),
             "-set_serial", "77", "-out", f"{base}.pem"],
        ]
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
        certificate = x509.load_pem_x509_certificate(Path(f"{base}.pem").read_bytes())
        assert certificate.version == x509.Version.v1, "this openssl adds extensions by itself"
        with open(f"{base}.pem", "ab") as file:
            file.write(self.persons.pem())
        return name

    def context(self, card="physician", low=None, high=None, alpn=None, weak=False):
        """A client's TLS settings; the gate is always verified."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.path("root-ca.pem"))
        if weak:
            context.set_ciphers("ALL:@SECLEVEL=0")
        if card:
            context.load_cert_chain(*self.card(card))
        if low:
            context.minimum_version = low
        if high:
            context.maximum_version = high
        if alpn:
            context.set_alpn_protocols(alpn)
        return context
