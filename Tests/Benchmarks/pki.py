# pki.py: a throw-away authority, a server certificate and professionals' cards, by openssl alone.
#
# Profiles follow RFC 5280 to the letter (critical basicConstraints and keyUsage, both key
# identifiers), so that a gate that checks chains strictly accepts them.

from dataclasses import dataclass
from pathlib import Path

from machine import Workshop, cores

#: Days the certificates live: one, so that none is worth keeping.
DAYS = "1"

EXTENSIONS = """
[req]
distinguished_name = name
prompt = no
utf8 = yes
string_mask = utf8only
[name]
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1
[card]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def luhn_key(digits: str) -> str:
    """The digit that makes `digits` and itself pass Luhn, as the last of an RPPS number does."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def rpps_identifier(number: int) -> str:
    """A national identifier: `8` and an RPPS number of 11 digits made from `number`."""
    digits = f"1099{number:06d}"
    return "8" + digits + luhn_key(digits)


@dataclass
class Card:
    professional: str
    certificate: Path
    key: Path
    #: Certificate and key in one file, as the load generators read them.
    both: Path


@dataclass
class PKI:
    authority: Path
    server_certificate: Path
    server_key: Path
    server_both: Path
    cards: list[Card]
    #: A card whose professional stands in the neutralization list.
    neutralized: Card

    def environment(self) -> dict[str, str]:
        return {"HERSE_BENCH_CARDS": ":".join(str(card.both) for card in self.cards)}


def make_pki(workshop: Workshop, professionals: int) -> PKI:
    folder = workshop.folder / "pki"
    folder.mkdir()
    profile = folder / "profiles.cnf"
    profile.write_text(EXTENSIONS)

    def issue(name: str, subject: str, kind: str) -> tuple[Path, Path, Path]:
        certificate, key, both = (folder / f"{name}.{end}" for end in ("pem", "key", "both.pem"))
        by = [] if kind == "authority" else ["-CA", str(folder / "authority.pem"),
                                             "-CAkey", str(folder / "authority.key")]
        # -batch and an empty standard input: nothing is ever asked.
        workshop.run(["openssl", "req", "-batch", "-new", "-x509", "-sha256", "-days", DAYS,
                      "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                      "-config", str(profile), "-extensions", kind, "-utf8", "-subj", subject,
                      "-keyout", str(key), "-out", str(certificate), *by], cores()[1], 20)
        both.write_text(certificate.read_text() + key.read_text())
        both.chmod(0o600)
        return certificate, key, both

    def card(number: int) -> Card:
        professional = rpps_identifier(number)
        # The shape of a French card: identifier and names in one multi-valued RDN.
        subject = f"/C=FR/title=Médecin/CN={professional}+SN=BANC-{number:04d}+GN=Céleste"
        return Card(professional, *issue(f"card{number}", subject, "card"))

    authority, _, _ = issue("authority", "/C=FR/O=Herse bench/CN=Throw-away persons", "authority")
    server = issue("server", "/C=FR/O=Herse bench/CN=localhost", "server")
    cards = [card(number) for number in range(1, professionals + 1)]
    return PKI(authority, *server, cards, card(professionals + 1))
