"""Who tells what is revoked: a server of lists, and responders of RFC 6960, ours and openssl's."""

import base64
import datetime
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from .pki import now
from .upstream import Upstream, answer


class Lists:
    """A server of revocation lists: `files` holds what stands at each path."""

    def __init__(self):
        self.server = Upstream()
        self.server.answer = self._answer
        self.files = {}
        # Called instead of answering, with request and peer.
        self.instead = None

    def url(self, name):
        return f"{self.server.url}/{name}"

    def put(self, name, path_or_bytes, der=True):
        """Publishes a list; files in PEM become DER, as authorities publish them."""
        data = path_or_bytes if isinstance(path_or_bytes, bytes) else path_or_bytes.read_bytes()
        if der and data.startswith(b"-----BEGIN"):
            data = x509.load_pem_x509_crl(data).public_bytes(serialization.Encoding.DER)
        self.files[f"/{name}"] = data

    def _answer(self, request, peer):
        if self.instead:
            self.instead(request, peer)
            return
        data = self.files.get(request.target)
        if data is None:
            peer.send(answer(404, b"", reason="Not Found"))
        else:
            peer.send(answer(200, data, ["Content-Type: application/pkix-crl"]))

    def count(self):
        return len(self.server.requests)

    def close(self):
        self.server.close()


class Responder:
    """A responder whose every answer a test decides; it answers for one authority's certificates.

    `says` is what it says of a serial number: `good`, `revoked` or `unknown`.
    """

    def __init__(self, authority):
        self.authority = authority
        self.server = Upstream()
        self.server.answer = self._answer
        self.revoked = set()
        self.unknown = set()
        # Who signs; another than the authority must be told by `chain`.
        self.signer = authority
        self.chain = []
        self.age = datetime.timedelta(minutes=1)
        self.lasts = datetime.timedelta(hours=1)
        # A status of the whole answer, such as TRY_LATER, or a function of request and peer.
        self.failure = None
        self.instead = None
        self.echoes_nonce = True
        # The serial number it speaks of, whatever was asked.
        self.speaks_of = None

    @property
    def url(self):
        return f"{self.server.url}/"

    def revoke(self, certificate):
        self.revoked.add(certificate.serial_number)

    def count(self):
        return len(self.server.requests)

    def asked(self, request):
        """The request inside an exchange: the body of a POST, or the path of a GET, RFC 6960 A.1."""
        if request.method == "POST":
            return ocsp.load_der_ocsp_request(request.body)
        text = unquote(urlsplit(request.target).path.lstrip("/"))
        return ocsp.load_der_ocsp_request(base64.b64decode(text))

    def answer_to(self, asked):
        if self.failure is not None:
            return ocsp.OCSPResponseBuilder.build_unsuccessful(self.failure)
        serial = self.speaks_of or asked.serial_number
        status, at, why = ocsp.OCSPCertStatus.GOOD, None, None
        if serial in self.revoked:
            status = ocsp.OCSPCertStatus.REVOKED
            at, why = now() - datetime.timedelta(hours=1), x509.ReasonFlags.key_compromise
        elif serial in self.unknown:
            status = ocsp.OCSPCertStatus.UNKNOWN
        updated = now() - self.age
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=asked.issuer_name_hash, issuer_key_hash=asked.issuer_key_hash,
            serial_number=serial, algorithm=asked.hash_algorithm, cert_status=status,
            this_update=updated, next_update=updated + self.lasts, revocation_time=at,
            revocation_reason=why,
        ).responder_id(ocsp.OCSPResponderEncoding.HASH, self.signer.certificate)
        if self.chain:
            builder = builder.certificates([one.certificate for one in self.chain])
        if self.echoes_nonce:
            try:
                nonce = asked.extensions.get_extension_for_class(x509.OCSPNonce)
                builder = builder.add_extension(nonce.value, False)
            except x509.ExtensionNotFound:
                pass
        return builder.sign(self.signer.key, hashes.SHA256())

    def _answer(self, request, peer):
        if self.instead:
            self.instead(request, peer)
            return
        made = self.answer_to(self.asked(request)).public_bytes(serialization.Encoding.DER)
        peer.send(answer(200, made, ["Content-Type: application/ocsp-response"]))

    def close(self):
        self.server.close()


class OpenSSLResponder(Responder):
    """`openssl ocsp` on the register that the throw-away PKI keeps, asked through our own server:
    its own would listen on every address of the machine."""

    def __init__(self, pki, authority="persons"):
        super().__init__(getattr(pki, authority))
        self.folder = pki.path("private", authority)

    def _answer(self, request, peer):
        with tempfile.TemporaryDirectory(prefix="herse-ocsp-") as folder:
            asked, told = Path(folder, "request"), Path(folder, "response")
            asked.write_bytes(self.asked(request).public_bytes(serialization.Encoding.DER))
            subprocess.run(
                ["openssl", "ocsp", "-index", self.folder / "index.txt",
                 "-rsigner", self.folder / "ca.pem", "-rkey", self.folder / "ca.key",
                 "-CA", self.folder / "ca.pem", "-nmin", "5", "-reqin", asked, "-respout", told],
                check=True, capture_output=True)
            peer.send(answer(200, told.read_bytes(), ["Content-Type: application/ocsp-response"]))
