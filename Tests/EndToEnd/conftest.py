"""Fixtures of the end-to-end tests."""

import copy
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.browser import Browser
from harness.fhir import FHIRServer
from harness.gate import Gate, configuration, executable, strict
from harness.issuer import Issuer
from harness.pki import PKI
from harness.strong import accept, keys_file
from harness.upstream import Upstream


def pytest_configure(config):
    if not executable().exists() and not config.option.collectonly:
        pytest.exit(f"{executable()} is missing: swift build -c release, or set HERSE", 4)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


@pytest.fixture(scope="session")
def pki():
    folder = Path(tempfile.mkdtemp(prefix="herse-pki-"))
    yield PKI(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_upstream():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def upstream(shared_upstream):
    """The scripted identity server, behaving as `echo` until the test says otherwise."""
    shared_upstream.reset()
    yield shared_upstream
    errors = shared_upstream.errors
    shared_upstream.reset()
    assert not errors, f"the gate wrote what no identity server should have to read: {errors}"


class Shared:
    """The gate of all tests that change nothing about it; made again if one killed it."""

    gate = None


@pytest.fixture(scope="session")
def shared_gate():
    yield Shared
    if Shared.gate:
        Shared.gate.remove()


def tell(request, *gates):
    """Shows what the gates logged when the test failed."""
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        for gate in gates:
            print(f"\n--- log of the gate in {gate.folder} (exit {gate.process and gate.process.poll()})")
            print("\n".join(gate.lines[-60:]))


@pytest.fixture
def gate(request, shared_gate, pki, upstream, shared_upstream):
    """A gate with the plain configuration, shared by tests that leave it as it is."""
    if shared_gate.gate is None or not shared_gate.gate.alive:
        shared_gate.gate = Gate(pki, configuration(pki, shared_upstream)).start()
    yield shared_gate.gate
    tell(request, shared_gate.gate)
    assert shared_gate.gate.alive, "the gate died:\n" + shared_gate.gate.log()[-4000:]


@pytest.fixture
def config(pki, upstream):
    """The plain configuration, for a test to change."""
    return copy.deepcopy(configuration(pki, upstream))


@pytest.fixture
def patients(upstream):
    """The scripted identity server with a thousand patients."""
    upstream.answer = FHIRServer(1000)
    return upstream


@pytest.fixture
def lookup_gate(pki, upstream, make_gate):
    """Makes gates that judge lookups as a gate does that was told nothing, with these limits."""
    def make(*limits, change=None, **keys):
        config = strict(pki, upstream, *limits, **keys)
        if change:
            change(config)
        return make_gate(config)

    return make


class Auditor:
    """Whom records are sealed to: a pair of keys, made as anybody would make it."""

    def __init__(self, folder, name="anne"):
        self.private, self.public = folder / f"{name}.key.pem", folder / f"{name}.pub.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", self.private],
                       check=True)
        subprocess.run(["openssl", "pkey", "-in", self.private, "-pubout", "-out", self.public],
                       check=True)


@pytest.fixture
def auditor(tmp_path_factory):
    return Auditor(tmp_path_factory.mktemp("auditor"))


@pytest.fixture
def stranger(tmp_path_factory):
    """An auditor to whom nothing is sealed."""
    return Auditor(tmp_path_factory.mktemp("stranger"), "eve")


@pytest.fixture
def sealed_gate(lookup_gate, auditor):
    """Makes gates as `lookup_gate` does, whose record `auditor` alone can read."""
    def make(*limits, **keys):
        return lookup_gate(
            *limits, **keys,
            change=lambda config: config.update(record={"auditors": [str(auditor.public)]}))

    return make


@pytest.fixture
def issuer(pki):
    """An issuer whose every answer the test decides."""
    made = Issuer(pki)
    yield made
    errors = made.server.errors
    made.close()
    assert not errors, f"the gate wrote what no issuer should have to read: {errors}"


@pytest.fixture
def token_gate(config, make_gate, issuer):
    """Makes gates that accept tokens of `issuer`, whose keys lie in a file beside them.

    `rules` are those of `tokens`, `more` the issuer's other keys, `route` those of all routes.
    """
    def make(*, rules=None, more=None, change=None, **route):
        gate = make_gate(config, start=False)
        rule = issuer.rule(
            tokens=rules or True, discovery=None, authorities=None,
            keys=keys_file(gate.folder, issuer), **(more or {}))
        accept(config, rule, **route)
        if change:
            change(config)
        gate.write()
        return gate.start()

    return make


@pytest.fixture
def small_disk(tmp_path):
    """A small file system for the state."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=112m", "none", folder],
                           capture_output=True)
    if mount.returncode != 0:
        pytest.skip("cannot mount a small disk here: " + mount.stderr.decode().strip())
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


@pytest.fixture
def make_gate(request, pki):
    """Makes gates of the test's own; they are gone with it."""
    gates = []

    def make(config, start=True, folder=None):
        gate = Gate(pki, config, folder)
        gates.append(gate)
        return gate.start() if start else gate

    yield make
    for gate in gates:
        gate.settle()
    tell(request, *gates)
    crashed = [gate.log() for gate in gates if gate.has_crashed()]
    for gate in gates:
        gate.remove()
    assert not crashed, "a gate died:\n" + crashed[0][:6000]


@pytest.fixture
def make_browser(pki):
    """Makes browsers that trust the tests' authority; they are gone with the test."""
    browsers = []

    def make(card=None, **options):
        files = pki.card(card) if card else None
        browser = Browser([pki.path("root-ca.pem")], files, **options)
        browsers.append(browser)
        return browser

    yield make
    for browser in browsers:
        browser.remove()
