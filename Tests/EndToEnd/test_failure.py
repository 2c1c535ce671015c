"""What breaks around the gate: disks, folders, ports, descriptors, the process itself."""

import json
import os
import resource
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time

import pytest

from harness.client import request
from harness.faults import fill, until_refused
from harness.load import Load
from harness.pki import PHYSICIAN
from harness.ports import free_port
from harness.upstream import answer
from harness.waiting import until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
NOBODY = 65534


@pytest.fixture
def own(config, make_gate):
    return make_gate(config)


def missing(gate, delivered):
    recorded = {entry["request"] for entry in gate.record()}
    return [one for one in delivered if one not in recorded]


@pytest.mark.slow
def test_after_kill_9_under_load_every_answer_delivered_is_recorded(own, upstream):
    delivered = []
    for _ in range(3):
        with Load(own) as load:
            until(lambda: len(load.delivered) > 300, within=20, what="the load runs")
            own.kill()
        delivered += load.delivered
        own.start()
    assert len(delivered) > 900
    assert missing(own, delivered) == []


def test_a_record_torn_by_kill_9_is_gone_on_with(own, upstream):
    assert own.get().status == 200
    own.kill()
    before = len(own.record())
    segments = sorted((own.folder / "state" / "record").glob("*.jsonl"))
    with open(segments[-1], "r+b") as file:
        whole = file.read().rstrip(b"\n") + b"\n"
        file.seek(0)
        file.truncate()
        file.write(whole + b'{"time":"2026-01-01T00:00:00Z","request":"torn')
    own.start()
    told = own.get().json()["request"]
    own.entry(told)
    assert len(own.record()) == before + 1


@pytest.mark.parametrize("mode", ["before-delivery", "grouped", "none"])
def test_every_exchange_is_in_the_record_after_a_clean_stop(config, make_gate, upstream, mode):
    config["record"] = {"durable": mode}
    gate = make_gate(config)
    told = []
    with gate.connect() as connection:
        for _ in range(50):
            told.append(connection.get().json()["request"])
    status = gate.run("status")
    # What is not on disk before it leaves is named; `none` is no healthy state.
    if mode == "before-delivery":
        assert status.code == 0, status
    else:
        assert mode in status.out, status
    if mode == "none":
        assert status.code == 3, status
    assert gate.stop() == 0
    assert missing(gate, told) == []


def test_refusals_and_nonsense_are_recorded_too(own, upstream):
    reply = own.get("/others/Patient/1")
    assert own.entry(reply.fields["X-Request-Id"])["decision"] == "deny"
    with own.connect() as connection:
        connection.send(b"nonsense\r\n\r\n")
        reply = connection.answer()
    entry = own.entry(reply.fields["X-Request-Id"])
    assert entry["decision"] == "reject" and entry["status"] == 400


def test_an_answer_that_was_cut_is_recorded_as_such(own, upstream):
    def endless(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            peer.send(b"a" * 65536)

    upstream.answer = endless
    with own.connect() as connection:
        connection.send(request("/plain/1"))
        assert connection.head()[0] == 200
    told = upstream.requests[0].fields["X-Request-Id"]
    until(lambda: [entry for entry in own.record()
                   if entry["request"] == told and entry["delivery"] == "aborted"],
          what="the break is recorded")


@pytest.mark.slow
def test_a_full_disk_delivers_nothing_and_mends_by_itself(config, make_gate, upstream, small_disk):
    config["state"] = str(small_disk / "state")
    config["record"]["disk_free_min"] = 0
    config["control"] = "control.sock"
    gate = make_gate(config)
    assert gate.get().status == 200
    fill(small_disk)
    until_refused(gate)
    reply = gate.get()
    assert reply.status == 503
    assert "Retry-After" in reply.fields
    status = gate.run("status")
    assert status.code == 3
    assert "record" in status.text
    (small_disk / "filler").unlink()
    until(lambda: gate.get().status == 200, within=10, what="it mends")
    assert gate.run("status").code == 0
    told = gate.get().json()["request"]
    folder = small_disk / "state" / "record"
    assert any(told in path.read_text() for path in folder.glob("*.jsonl"))


@pytest.mark.slow
def test_a_bound_on_the_size_of_files_does_not_kill_the_gate(config, make_gate, upstream):
    """RLIMIT_FSIZE sends SIGXFSZ, whose default is death."""
    gate = make_gate(config)
    assert gate.get().status == 200
    bound = 2 * 1024 * 1024
    resource.prlimit(gate.process.pid, resource.RLIMIT_FSIZE, (bound, resource.RLIM_INFINITY))
    until_refused(gate)
    assert gate.alive
    resource.prlimit(gate.process.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: gate.get().status == 200, within=10, what="it mends")


@pytest.mark.slow
def test_a_neutralization_that_cannot_be_kept_is_said_and_still_in_force(
    config, make_gate, upstream, small_disk
):
    config["state"] = str(small_disk / "state")
    config["record"]["disk_free_min"] = 0
    config["control"] = "control.sock"
    gate = make_gate(config)
    with gate.connect() as victim:
        assert victim.get().status == 200
        fill(small_disk)
        # The journal's last page may have room for some more.
        for number in range(60):
            run = gate.run("neutralize", f"8100000{number:05d}", "--reason", "x" * 200)
            if run.code != 0:
                break
        assert run.code != 0, "orders that cannot be on disk were called done"
        run = gate.run("neutralize", PHYSICIAN, "--reason", "x" * 200)
        assert run.code != 0 and run.err.strip(), run
        assert not victim.is_open(), "an order that cannot be kept was not even carried out"


# Starts that must fail, each with one clear error.

def fails(gate, *words):
    """The one error a start ends with; exit 1."""
    gate.spawn()
    assert gate.process.wait(15) == 1, gate.log()
    gate.reader.join(5)
    assert not gate.ready_line()
    errors = [line for line in gate.lines if line.strip()]
    assert errors
    text = "\n".join(errors)
    for word in words:
        assert word in text, text
    assert "Fatal error" not in text and "Backtrace" not in text and "Stack" not in text
    assert len(errors) <= 4, text
    return text


def test_a_taken_port_is_one_clear_error(config, make_gate, upstream):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config["listeners"][0]["address"] = f"127.0.0.1:{port}"
        fails(make_gate(config, start=False), str(port))


def test_two_gates_share_no_port(config, make_gate, upstream):
    port = free_port()
    config["listeners"][0]["address"] = f"127.0.0.1:{port}"
    first = make_gate(config)
    fails(make_gate(config, start=False), str(port))
    assert first.get().status == 200


def test_two_gates_share_no_state(own, config, make_gate, upstream):
    config["state"] = str(own.folder / "state")
    fails(make_gate(config, start=False), "state")
    assert own.get().status == 200
    assert own.run("status").code == 0


def test_a_state_that_is_a_file_is_one_clear_error(config, make_gate, upstream):
    gate = make_gate(config, start=False)
    (gate.folder / "state").write_text("hello")
    fails(gate, "state")


def test_a_state_whose_parent_is_missing_is_one_clear_error(config, make_gate, upstream):
    config["state"] = "/proc/nowhere/state"
    fails(make_gate(config, start=False), "/proc/nowhere/state")


def test_a_missing_key_is_one_clear_error(config, make_gate, upstream):
    config["listeners"][0]["tls"]["private_key"] = "nowhere.key"
    fails(make_gate(config, start=False), "nowhere.key")


def test_a_key_that_does_not_match_is_one_clear_error(config, make_gate, upstream, pki):
    config["listeners"][0]["tls"]["private_key"] = str(pki.card("physician")[1])
    fails(make_gate(config, start=False), "key")


def test_a_missing_configuration_is_one_clear_error(config, make_gate, upstream):
    gate = make_gate(config, start=False)
    gate.file.unlink()
    fails(gate, "herse.yaml")


def test_an_address_of_another_machine_is_one_clear_error(config, make_gate, upstream):
    config["listeners"][0]["address"] = "192.0.2.1:8443"
    fails(make_gate(config, start=False), "192.0.2.1")


def test_a_damaged_journal_is_one_clear_error_or_read_as_far_as_sure(
    config, make_gate, upstream
):
    gate = make_gate(config)
    gate.do("neutralize", PHYSICIAN, "--reason", "x")
    gate.kill()
    journals = [path for path in (gate.folder / "state").iterdir()
                if path.is_file() and PHYSICIAN.encode() in path.read_bytes()]
    assert journals, "the order stands in no file of the state"
    data = journals[0].read_bytes()
    # One byte within the entry is changed: nobody may be forgotten by that without a word.
    place = data.index(PHYSICIAN.encode()) + 3
    journals[0].write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1:])
    gate.spawn()
    until(lambda: gate.ready_line() or not gate.alive, within=15, what="it starts or says no")
    if gate.alive:
        # It started: then the damage must be named.
        assert journals[0].name in gate.log() or gate.run("status").code == 3
    else:
        gate.reader.join(5)
        assert gate.process.returncode == 1
        assert journals[0].name in gate.log()


def test_a_journal_torn_at_its_end_is_gone_on_with(config, make_gate, upstream):
    gate = make_gate(config)
    gate.do("neutralize", PHYSICIAN, "--reason", "x")
    gate.do("neutralize", "810000000001", "--reason", "y")
    gate.kill()
    (journal,) = [path for path in (gate.folder / "state").iterdir()
                  if path.is_file() and PHYSICIAN.encode() in path.read_bytes()]
    data = journal.read_bytes().rstrip(b"\0\n")
    journal.write_bytes(data[:-7])
    gate.start()
    assert gate.get().status == 403


@needs_root
def test_an_unreadable_state_is_one_clear_error(config, make_gate, upstream, pki, tmp_path):
    gate = make_gate(config, start=False)
    state = gate.folder / "state"
    state.mkdir(mode=0o700)
    os.chmod(gate.folder, 0o755)
    os.chmod(gate.file, 0o644)
    for path in (pki.folder, pki.path("server.pem"), pki.path("server.key"),
                 pki.path("client-authorities.pem")):
        os.chmod(path, 0o755)
    try:
        gate.wrapper = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        fails(gate, "state")
    finally:
        os.chmod(pki.folder, 0o700)
        os.chmod(pki.path("server.key"), 0o600)


def test_the_state_and_what_is_in_it_is_the_owners_alone(own, upstream):
    own.get()
    own.do("neutralize", "810000000001", "--reason", "x")
    state = own.folder / "state"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for path in state.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_state_open_to_others_is_closed_or_refused(config, make_gate, upstream):
    gate = make_gate(config, start=False)
    state = gate.folder / "state"
    state.mkdir()
    os.chmod(state, 0o777)
    gate.spawn()
    until(lambda: gate.ready_line() or not gate.alive, within=15, what="it starts or says no")
    if gate.alive:
        assert stat.S_IMODE(state.stat().st_mode) == 0o700


def control_socket(gate):
    return gate.folder / "state" / "control.sock"


def test_the_admin_socket_is_the_owners_alone(own):
    path = control_socket(own)
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@needs_root
def test_the_admin_socket_refuses_other_users_even_if_they_can_reach_it(own, upstream):
    os.chmod(own.folder, 0o755)
    os.chmod(own.folder / "state", 0o755)
    os.chmod(control_socket(own), 0o666)
    script = (
        "import socket,sys\n"
        "s=socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])\n"
        "s.sendall(b'{\"status\":{}}\\n')\n"
        "d=b''\n"
        "while True:\n"
        "    p=s.recv(65536)\n"
        "    if not p: break\n"
        "    d+=p\n"
        "sys.stdout.buffer.write(d)\n"
    )
    command = ["/usr/bin/python3", "-c", script, str(control_socket(own))]
    if not os.path.exists(command[0]):
        pytest.skip("no python3 that nobody can run")
    mine = subprocess.run(command, capture_output=True, text=True)
    assert "uptime" in mine.stdout.lower(), mine
    other = subprocess.run(command, capture_output=True, text=True, user=NOBODY, group=NOBODY,
                           extra_groups=[])
    assert "uptime" not in other.stdout.lower(), "another user may command the gate"
    assert own.run("status").code == 0


@pytest.mark.parametrize("data", [
    b"", b"\n", b"hello\n", b"{}\n", b'{"status":', b"[" * 100000 + b"\n", b"\x00\xff\xfe\n",
    b'{"neutralize":{"_0":{}}}\n', b'"' + b"a" * 3_000_000 + b'"\n',
])
def test_nonsense_on_the_admin_socket_harms_nobody(own, upstream, data):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(control_socket(own)))
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert own.run("status").code == 0
    assert own.get().status == 200


def test_silent_administrators_hold_nobody_up(own, upstream):
    silent = []
    for _ in range(30):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(control_socket(own)))
        silent.append(client)
    try:
        began = time.monotonic()
        assert own.do("neutralize", "810000000001", "--reason", "x")
        assert time.monotonic() - began < 5
    finally:
        for client in silent:
            client.close()


def test_a_socket_left_by_kill_9_is_replaced(own):
    own.kill()
    assert control_socket(own).exists()
    own.start()
    assert own.run("status").code == 0


def test_a_client_verb_without_a_gate_says_so(make_gate, config):
    gate = make_gate(config, start=False)
    for words in (["status"], ["sessions"], ["neutralize", PHYSICIAN, "--reason", "x"]):
        run = gate.run(*words)
        assert run.code != 0
        assert run.err.strip() and len(run.err.strip().split("\n")) <= 4, run


@pytest.mark.slow
def test_when_descriptors_run_out_the_gate_keeps_serving(config, make_gate, upstream):
    gate = make_gate(config, start=False)
    gate.wrapper = ["prlimit", "--nofile=96:96"]
    gate.start()
    with gate.connect(within=5) as old:
        assert old.get().status == 200
        crowd = []
        try:
            for _ in range(200):
                crowd.append(socket.create_connection(gate.address(), timeout=2))
            for _ in range(20):
                assert old.get("/elsewhere").status == 404
            busy = gate.process.pid
            before = sum(os.times()[:2])
            ticks = lambda: sum(map(int, open(f"/proc/{busy}/stat").read().split()[13:15]))
            first = ticks()
            time.sleep(1)
            spent = (ticks() - first) / os.sysconf("SC_CLK_TCK")
            assert spent < 0.7, f"the gate spins: {spent:.2f} s of one"
        finally:
            for sock in crowd:
                sock.close()
        until(lambda: try_get(gate), within=10, what="new connections are served again")
    assert gate.alive


def try_get(gate):
    try:
        return gate.get(within=2).status == 200
    except (OSError, ssl.SSLError, AssertionError):
        return False


@pytest.mark.parametrize("workers", [1, 2])
def test_a_listener_full_of_connections_sheds_new_ones(config, make_gate, upstream, workers):
    config["workers"] = workers
    config["listeners"][0]["connections"] = 5
    gate = make_gate(config)
    held = []
    try:
        for _ in range(5):
            connection = gate.connect(within=5)
            assert connection.get().status == 200
            held.append(connection)
        try:
            with gate.connect(within=2) as sixth:
                assert sixth.get().status == 503
        except (OSError, ssl.SSLError, AssertionError):
            pass
        for connection in held:
            assert connection.get().status == 200
    finally:
        for connection in held:
            connection.close()
    until(lambda: try_get(gate), within=10, what="there is room again")


def test_clients_that_vanish_leave_nothing_behind(own, upstream):
    assert own.get().status == 200
    until(lambda: "connections" in own.run("status", "--json").out, what="a status")
    before = own.descriptors()
    go = threading.Event()

    def wait(request, peer):
        go.wait(10)
        peer.send(answer(body=b"x" * 100000))

    upstream.answer = wait
    for _ in range(50):
        connection = own.connect()
        connection.send(request())
        connection.reset()
    go.set()
    until(lambda: own.descriptors() <= before + 8, within=10, what="descriptors are given back")
    upstream.reset()
    assert own.get().status == 200


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGHUP, signal.SIGCHLD])
def test_a_stray_signal_does_not_end_the_gate(own, upstream, number):
    own.signal(number)
    time.sleep(0.2)
    assert own.get().status == 200


def test_sigint_stops_like_sigterm(own):
    own.signal(signal.SIGINT)
    assert own.process.wait(10) == 0
