"""A change never hurts: atomic, synchronous, refused whole with every problem at its place."""

import re
import signal
import socket
import ssl
import threading
import time

import pytest

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.client import request
from harness.gate import find, yaml_text
from harness.pki import name
from harness.ports import free_port
from harness.upstream import Upstream, answer
from harness.waiting import until

pytestmark = pytest.mark.sanitized


@pytest.fixture
def own(config, make_gate):
    return make_gate(config)


def places(text, file="herse.yaml"):
    """The lines at which problems are reported."""
    return [int(line) for line in
            re.findall(rf"{re.escape(file)}:(\d+):\d+: error: \S", text)]


def test_a_reload_says_its_generation_and_is_in_force_when_it_returns(own, upstream):
    before = own.generation()
    own.config["routes"].insert(0, dict(own.config["routes"][1], name="new", path="/new/"))
    assert own.get("/new/Patient/1").status == 404
    run = own.reload()
    assert str(before + 1) in run.text
    assert own.generation() == before + 1
    assert own.get("/new/Patient/1").status == 200


def test_a_reload_is_in_force_on_open_connections_too(own, upstream):
    connections = [own.connect() for _ in range(8)]
    for connection in connections:
        assert connection.get("/new/Patient/1").status == 404
    own.config["routes"].insert(0, dict(own.config["routes"][1], name="new", path="/new/"))
    own.reload()
    for connection in connections:
        assert connection.get("/new/Patient/1").status == 200
        connection.close()


BROKEN = """state: ./state
listeners:
  - name: professionals
    adress: 127.0.0.1:0
    tls:
      certificate: {server}
      private_key: {key}
      client_certificate: maybe
      client_authorities: [{authorities}]
identity_servers:
  - name: mpi
    endpoints: ["http://127.0.0.1:9000"]
routes:
  - name: fhir
    path: fhir
    identity_server: nobody
    require: [certificate]
    limits: standard
limits:
  standard:
    - {{count: requests, limit: -1, per: 1m}}
    - {{count: requests, limit: 5, per: 1 minute}}
"""


def broken(pki):
    return BROKEN.format(server=pki.path("server.pem"), key=pki.path("server.key"),
                         authorities=pki.path("client-authorities.pem"))


def test_every_problem_of_a_bad_configuration_is_named_and_nothing_changes(own, upstream, pki):
    before = own.generation()
    with own.connect() as connection:
        assert connection.get().status == 200
        own.file.write_text(broken(pki))
        run = own.run("reload")
        assert run.code == 1
        assert connection.get().status == 200
    lines = places(run.text)
    for wanted in (4, 8, 15, 16, 21, 22):
        assert wanted in lines, f"nothing about line {wanted}: {run}"
    assert re.search(r"did you mean .?address", run.text), run
    assert own.generation() == before
    assert own.get().status == 200


def test_check_says_the_same_without_a_gate(make_gate, pki):
    gate = make_gate(broken(pki), start=False)
    run = gate.run("check")
    assert run.code == 1
    assert {4, 8, 15, 16, 21, 22} <= set(places(run.text)), run


def test_check_is_silent_enough_on_a_good_configuration(own):
    run = own.do("check")
    assert "error" not in run.text


@pytest.mark.parametrize("text", [
    "", "hello", "[]", "state: [", "state: ./state\nstate: ./other\n", "\x00", "a: &x 1\nb: *x\n",
    "listeners: {}\n", "- 1\n", "state: !!python/object:os.system x\n", "\tstate: x\n",
    "state: " + "[" * 5000, "é" * 100,
])
def test_a_file_that_is_no_configuration_is_refused_at_its_place(own, upstream, text):
    own.file.write_text(text)
    run = own.run("reload")
    if "state: " in text and "./state" not in text:
        # Where the gate would be cannot be told from this file.
        assert run.code in (1, 2), run
        run = own.run("check")
    assert run.code == 1, run
    assert re.search(r"herse\.yaml:\d+:\d+: error: \S", run.text), run
    assert own.get().status == 200


def test_a_missing_file_refuses_the_reload(own, upstream):
    own.file.rename(own.folder / "away.yaml")
    run = own.run("reload", "-c", own.folder / "away.yaml", config=False)
    assert run.code in (1, 0)
    assert own.alive
    assert own.get().status == 200


def test_reload_without_a_gate_is_exit_2(make_gate, config):
    gate = make_gate(config, start=False)
    run = gate.run("reload")
    assert run.code == 2, run


def test_a_key_that_does_not_match_refuses_the_reload(own, upstream, pki):
    before = own.generation()
    own.config["listeners"][0]["tls"]["private_key"] = str(pki.card("physician")[1])
    own.write()
    run = own.run("reload")
    assert run.code == 1
    assert "physician.key" in run.text or "private_key" in run.text
    assert re.search(r"herse\.yaml:\d+:\d+: error", run.text), run
    assert own.generation() == before
    assert own.get().status == 200
    assert own.run("check").code == 1


@pytest.mark.parametrize("what", ["certificate", "private_key", "client_authorities"])
@pytest.mark.parametrize("how", ["missing", "garbage", "empty", "a folder"])
def test_bad_material_refuses_the_reload(own, upstream, what, how):
    path = own.folder / "material.pem"
    if how == "garbage":
        path.write_text("-----BEGIN CERTIFICATE-----\nhello\n-----END CERTIFICATE-----\n")
    elif how == "empty":
        path.write_text("")
    elif how == "a folder":
        path.mkdir()
    own.config["listeners"][0]["tls"][what] = (
        [str(path)] if what == "client_authorities" else str(path))
    own.write()
    run = own.run("reload")
    assert run.code == 1, run
    assert "material.pem" in run.text
    assert own.get().status == 200


def test_a_taken_port_refuses_the_reload(own, upstream):
    before = own.generation()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        own.config["listeners"].append(
            dict(own.config["listeners"][0], name="second", address=f"127.0.0.1:{port}"))
        own.write()
        run = own.run("reload")
    assert run.code == 1, run
    assert str(port) in run.text
    assert own.generation() == before
    assert own.get().status == 200


def test_a_listener_is_added_and_removed(own, upstream):
    port = free_port()
    own.config["listeners"].append(
        dict(own.config["listeners"][0], name="second", address=f"127.0.0.1:{port}"))
    own.reload()
    own.addresses["second"] = ("127.0.0.1", port)
    with own.connect(listener="second") as second, own.connect() as first:
        assert second.get().status == first.get().status == 200
        own.config["listeners"].pop()
        own.reload()
        # What came in by the removed door ends when nothing is under way.
        assert second.end()[1] == b""
        assert first.get().status == 200
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def test_a_removed_listener_lets_a_running_exchange_end(own, upstream):
    port = free_port()
    own.config["listeners"].append(
        dict(own.config["listeners"][0], name="second", address=f"127.0.0.1:{port}"))
    own.reload()
    own.addresses["second"] = ("127.0.0.1", port)
    go = threading.Event()

    def wait(request, peer):
        go.wait(10)
        peer.send(answer(body=b"late"))

    upstream.answer = wait
    with own.connect(listener="second") as second:
        second.send(request())
        until(lambda: upstream.requests, what="the request is upstream")
        own.config["listeners"].pop()
        own.reload()
        go.set()
        assert second.answer().body == b"late"
        assert second.end()[0] == "closed"


def test_a_new_identity_server_is_used_at_once(own, upstream):
    other = Upstream()
    try:
        other.answer = lambda request, peer: peer.send(answer(body=b"other"))
        with own.connect() as connection:
            assert connection.get().status == 200
            own.config["identity_servers"][0]["endpoints"] = [other.url]
            own.reload()
            assert connection.get().body == b"other"
    finally:
        other.close()


def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_live(own, upstream, pki):
    pki.servers.issue(own.folder / "next", name("localhost"), names=[x509.DNSName("localhost")],
                      purposes=[x509.ExtendedKeyUsageOID.SERVER_AUTH])
    with own.connect() as old:
        before = old.tls.getpeercert(binary_form=True)
        assert old.get().status == 200
        own.config["listeners"][0]["tls"].update(certificate="next.pem", private_key="next.key")
        own.reload()
        assert old.get().status == 200
    with own.connect() as new:
        shown = new.tls.getpeercert(binary_form=True)
        assert shown != before
        wanted = x509.load_pem_x509_certificate((own.folder / "next.pem").read_bytes())
        assert shown == wanted.public_bytes(serialization.Encoding.DER)
        assert new.get().status == 200


def test_a_certificate_renewed_in_place_is_taken_by_a_reload(own, upstream, pki):
    for turn in range(2):
        pki.servers.issue(own.folder / "place", name("localhost"),
                          names=[x509.DNSName("localhost")],
                          purposes=[x509.ExtendedKeyUsageOID.SERVER_AUTH])
        own.config["listeners"][0]["tls"].update(certificate="place.pem", private_key="place.key")
        own.reload()
        with own.connect() as new:
            wanted = x509.load_pem_x509_certificate((own.folder / "place.pem").read_bytes())
            assert new.tls.getpeercert(binary_form=True) == wanted.public_bytes(
                serialization.Encoding.DER)


def test_removed_anchors_are_believed_no_more(own, upstream, pki):
    pki.path("stranger.pem").write_bytes(pki.stranger.pem())
    with own.connect() as old:
        assert old.get().status == 200
        own.config["listeners"][0]["tls"]["client_authorities"] = [str(pki.path("stranger.pem"))]
        own.reload()
        seen = len(upstream.requests)
        try:
            assert old.get().status in (401, 403)
        except (AssertionError, OSError):
            pass
        assert len(upstream.requests) == seen
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        own.get()


@pytest.mark.slow
def test_fifty_reloads_under_load_fail_no_request(own, upstream):
    stop = threading.Event()
    failures = []
    counts = [0] * 6

    def load(number):
        card = ["physician", "pharmacist"][number % 2]
        try:
            while not stop.is_set():
                with own.connect(card) as connection:
                    for turn in range(50):
                        if number == 0:
                            connection.send(request("/fhir/Patient", (), "POST", b"a" * 40000))
                            reply = connection.answer()
                        else:
                            reply = connection.get()
                        counts[number] += 1
                        if reply.status != 200:
                            failures.append((number, reply.status, reply.body[:200]))
                        if stop.is_set():
                            break
        except Exception as error:
            failures.append((number, repr(error)))

    threads = [threading.Thread(target=load, args=(number,)) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    before = own.generation()
    for turn in range(50):
        own.config["contact"] = f"Desk {turn}"
        own.config["routes"][0]["body_max"] = f"{turn + 1}k"
        own.reload()
    stop.set()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert all(counts), counts
    assert own.generation() == before + 50


@pytest.mark.slow
def test_generations_are_given_back(own, upstream):
    """Fifty reloads leave neither memory nor descriptors behind."""
    for _ in range(10):
        own.reload()
    assert own.get().status == 200
    memory, descriptors = own.resident(), own.descriptors()
    for _ in range(40):
        own.reload()
    assert own.get().status == 200
    assert own.descriptors() <= descriptors + 4
    assert own.resident() < memory + 6 * 1024 * 1024


def test_sighup_is_a_reload(own, upstream):
    before = own.generation()
    own.config["routes"].insert(0, dict(own.config["routes"][1], name="new", path="/new/"))
    own.write()
    own.signal(signal.SIGHUP)
    until(lambda: own.generation() == before + 1, what="the next generation")
    assert own.get("/new/Patient/1").status == 200


def test_sighup_with_a_bad_file_changes_nothing_and_says_why(own, upstream, pki):
    before = own.generation()
    own.file.write_text(broken(pki))
    own.signal(signal.SIGHUP)
    until(lambda: places(own.log()), what="the problems are logged")
    own.write()
    assert own.generation() == before
    assert own.get().status == 200


def test_confirm_within_brings_the_former_generation_back(own, upstream):
    own.config["routes"].insert(0, dict(own.config["routes"][1], name="new", path="/new/"))
    own.write()
    own.do("reload", "--confirm-within", "2s")
    assert own.get("/new/Patient/1").status == 200
    until(lambda: own.get("/new/Patient/1").status == 404, within=10, what="it came back", every=0.1)


def test_a_confirmed_reload_stays(own, upstream):
    own.config["routes"].insert(0, dict(own.config["routes"][1], name="new", path="/new/"))
    own.write()
    own.do("reload", "--confirm-within", "3s")
    own.do("confirm")
    time.sleep(3.5)
    assert own.get("/new/Patient/1").status == 200


def test_a_rollback_undoes_the_last_reload(own, upstream):
    own.config["routes"].insert(0, dict(own.config["routes"][1], name="new", path="/new/"))
    own.reload()
    assert own.get("/new/Patient/1").status == 200
    own.do("rollback")
    assert own.get("/new/Patient/1").status == 404


def test_a_folder_is_one_configuration(config, make_gate, upstream):
    gate = make_gate(config, start=False)
    folder = gate.folder / "conf"
    folder.mkdir()
    parts = {"10-base.yaml": dict(config), "20-routes.yaml": {"routes": config["routes"][3:]}}
    parts["10-base.yaml"]["routes"] = config["routes"][:3]
    for file, part in parts.items():
        (folder / file).write_text(yaml_text(part))
    (folder / "ignored.txt").write_text("hello: [")
    gate.file = folder
    gate.start()
    assert gate.get("/fhir/Patient/1").status == gate.get("/plain/1").status == 200
    (folder / "20-routes.yaml").write_text("routes:\n  - nme: x\n")
    run = gate.run("reload")
    assert run.code == 1
    assert re.search(r"20-routes\.yaml:2:\d+: error", run.text), run
    assert gate.get("/plain/1").status == 200


def test_sigterm_lets_a_running_exchange_end_and_then_exits_0(own, upstream):
    go = threading.Event()

    def wait(request, peer):
        go.wait(10)
        peer.send(answer(body=b"late"))

    upstream.answer = wait
    with own.connect() as running, own.connect() as idle:
        assert idle.get("/elsewhere").status == 404
        running.send(request())
        until(lambda: upstream.requests, what="the request is upstream")
        own.signal(signal.SIGTERM)
        assert idle.end()[1] == b""
        with pytest.raises(OSError):
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                own.connect(within=1).close()
        assert own.alive
        go.set()
        reply = running.answer()
        assert reply.body == b"late"
        assert not reply.keeps_alive
        assert running.end()[0] == "closed"
    assert own.process.wait(10) == 0


def test_a_drain_has_an_end(config, make_gate, upstream):
    config["drain"] = "1s"
    gate = make_gate(config)
    stop = threading.Event()
    upstream.answer = lambda request, peer: stop.wait(20)
    with gate.connect() as connection:
        connection.send(request())
        until(lambda: upstream.requests, what="the request is upstream")
        began = time.monotonic()
        assert gate.stop() == 0
        assert time.monotonic() - began < 6
    stop.set()


def test_sigterm_stops_an_idle_gate_at_once(own):
    with own.connect() as connection:
        assert connection.get("/elsewhere").status == 404
        began = time.monotonic()
        assert own.stop() == 0
        assert time.monotonic() - began < 3


def test_status_tells_the_generation_and_the_listeners(own):
    status = own.run("status", "--json")
    assert status.code == 0, status
    listeners = find(status.json(), "listeners")
    host, port = own.address()
    assert any(str(port) in str(listener) for listener in listeners)
    assert find(status.json(), "degraded") == []
    assert "professionals" in own.do("status").out
