# contestant.py: what every gate must be able to do to be measured, and the proof that it does it.

import socket
import ssl
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from machine import BenchError, Process, Workshop
from pki import PKI

PATIENT = "/fhir/Patient/1"
#: A search that finds a page of patients.
PAGE = "/fhir/Patient?family=ESSAI-BANC&birthdate=1955-06-14"
PAGE_PATIENTS = 10
#: Where the backend answers with the identity it was told, to prove that a gate tells it.
ECHO = "/fhir/echo"


def echo(professional: str) -> str:
    """The backend's answer there: FHIR, since a gate may read what it lets through."""
    return f'{{"resourceType":"Basic","id":"{professional}"}}'


@dataclass
class Setting:
    """What a contestant is configured from."""
    workshop: Workshop
    pki: PKI
    backend_port: int
    #: National identifiers that are cut off, one a line.
    neutralized: list[str]
    #: Client connections that must fit.
    connections: int
    gate_cores: set[int]


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def first_line(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=20)
    return (done.stdout.splitlines() or ["unknown"])[0]


class Contestant(ABC):
    name: str
    title: str
    #: Arguments that keep all the work in the process that is started, where a tool wraps it.
    alone: list[str] = []

    def __init__(self, setting: Setting):
        self.setting = setting
        self.port = 0
        self.process: Process | None = None

    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def command(self, folder: Path) -> list[str]:
        """Writes the configuration for `self.port` into `folder`; returns what to start."""

    def is_ready(self) -> bool:
        return listening(self.port)

    def start(self, port: int, wrapper: list[str] | None = None, seconds: float = 20) -> None:
        self.port = port
        folder = self.setting.workshop.folder / f"{self.name}.{port}"
        folder.mkdir(mode=0o700)
        self.process = Process(self.setting.workshop, f"{self.name}.{port}",
                               [*wrapper, *self.command(folder), *self.alone] if wrapper
                               else self.command(folder), self.setting.gate_cores)
        self.process.wait_until(self.is_ready, seconds, "ready")

    def stop(self) -> None:
        if self.process:
            self.process.stop()
            self.process = None

    # MARK: proof that the work is done

    def prove(self, body: str) -> None:
        """Refuses to measure a gate that skips a check the others make."""
        for card in self.setting.pki.cards[:2]:
            self._expect(card, PATIENT, 200, body)
            self._expect(card, ECHO, 200, echo(card.professional))
        self._expect(self.setting.pki.neutralized, PATIENT, 403, None)
        self._expect(None, PATIENT, 400, None)

    def _expect(self, card, path: str, status: int, body: str | None) -> None:
        who = card.professional if card else "nobody"
        got, answer = self._get(card, path)
        # Without a certificate a TLS alert is as good as nginx's 400.
        if (got == status or (card is None and got is None)) and body in (None, answer):
            return
        raise BenchError(f"{self.name}: GET {path} as {who} gave {got} `{answer[:200]}`, expected "
                         f"{status}{f' `{body[:80]}`' if body else ''}; its log ends in\n"
                         f"{self.process.tail()}")

    def _get(self, card, path: str) -> tuple[int | None, str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.setting.pki.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if card:
            context.load_cert_chain(card.certificate, card.key)
        received = b""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 30) as plain, \
                    context.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               "Accept: application/fhir+json\r\n\r\n".encode())
                while chunk := secure.recv(65536):
                    received += chunk
        except (ssl.SSLError, ConnectionError) as error:
            if not received:
                return None, str(error)
        head, _, body = received.decode(errors="replace").partition("\r\n\r\n")
        words = head.split(" ", 2)
        return (int(words[1]) if len(words) > 1 and words[1].isdigit() else None), body
