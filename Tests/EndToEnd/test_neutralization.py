"""Neutralized means gone: once the command has returned, no further byte flows."""

import json
import re
import ssl
import threading
import time

import pytest

from harness.client import request
from harness.gate import find
from harness.pki import PHARMACIST, PHYSICIAN, person
from harness.upstream import answer
from harness.waiting import until

pytestmark = pytest.mark.sanitized


@pytest.fixture
def own(config, make_gate):
    return make_gate(config)


def neutralize(gate, *subjects, **options):
    return gate.do("neutralize", *(subjects or [PHYSICIAN]), "--reason", "stolen card", **options)


def is_cut_off(gate, card="physician", **options):
    """Whether a new connection of this card gets 403, an incident id and the end."""
    try:
        with gate.connect(card, **options) as connection:
            connection.send(request())
            reply = connection.answer()
            assert reply.status == 403, reply
            assert connection.end()[0] == "closed"
    except (ssl.SSLError, ConnectionError):
        return True
    return True


def test_an_idle_connection_is_cut_before_the_command_returns(own, upstream):
    with own.connect() as victim, own.connect("pharmacist") as other:
        assert victim.get().status == other.get().status == 200
        neutralize(own)
        assert not victim.is_open()
        assert victim.end(within=1)[1] == b""
        assert other.get().status == 200


def test_many_connections_on_all_workers_are_cut(own, upstream):
    victims = [own.connect() for _ in range(40)]
    others = [own.connect("pharmacist") for _ in range(10)]
    for connection in victims + others:
        assert connection.get().status == 200
    neutralize(own)
    assert not any(victim.is_open() for victim in victims)
    assert all(other.get().status == 200 for other in others)
    for connection in victims + others:
        connection.close()


def test_a_running_answer_is_cut_and_no_byte_comes_after_the_command(own, upstream):
    stop = threading.Event()

    def stream(request, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not stop.is_set():
            peer.send(b"1000\r\n" + b"a" * 4096 + b"\r\n")
            time.sleep(0.002)

    upstream.answer = stream
    victims = [own.connect() for _ in range(4)]
    arrivals = []

    def read(victim):
        try:
            while victim.tls.recv(65536):
                arrivals.append(time.monotonic())
        except (OSError, ssl.SSLError):
            pass

    threads = []
    for victim in victims:
        victim.send(request("/plain/stream"))
        assert victim.head()[0] == 200
        victim.tls.settimeout(10)
        threads.append(threading.Thread(target=read, args=(victim,)))
        threads[-1].start()
    until(lambda: len(arrivals) > 20, what="the streams run")
    neutralize(own)
    returned = time.monotonic()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive(), "a stream of the neutralized goes on"
    stop.set()
    # Both ends run on one machine: what was read after the return was in flight before it.
    late = [moment for moment in arrivals if moment > returned + 0.25]
    assert not late, f"{len(late)} pieces came up to {max(late) - returned:.3f} s after the return"
    upstream.reset()
    for victim in victims:
        victim.close()


def test_what_a_stalled_reader_has_not_read_is_gone(own, upstream):
    """What the kernel still held for the client when it was neutralized is never sent."""
    upstream.answer = lambda request, peer: peer.send(answer(body=b"x" * 20_000_000))
    with own.connect() as victim:
        victim.send(request("/plain/1"))
        assert victim.head()[0] == 200
        neutralize(own)
        returned = time.monotonic()
        data = b""
        try:
            while piece := victim.receive(within=3):
                data += piece
        except (OSError, ssl.SSLError, AssertionError):
            pass
        assert time.monotonic() - returned < 3
        assert len(data) < 20_000_000


def test_a_request_waiting_for_the_identity_server_is_cut(own, upstream):
    go = threading.Event()

    def wait(request, peer):
        go.wait(10)
        peer.send(answer(body=b"secret"))

    upstream.answer = wait
    with own.connect() as victim:
        victim.send(request())
        until(lambda: upstream.requests, what="the request is upstream")
        neutralize(own)
        go.set()
        ended, left = victim.end()
        assert b"secret" not in left and left == b""


def test_an_upload_under_way_is_cut(own, upstream):
    ends = []
    upstream.reads_bodies = False

    def take(request, peer):
        try:
            peer.take(1000)
        finally:
            ends.append(len(peer.data))

    upstream.answer = take
    with own.connect() as victim:
        victim.send(request("/fhir/Patient", ["Content-Length: 1000"], "POST") + b"a" * 10)
        until(lambda: upstream.requests, what="the upload is upstream")
        neutralize(own)
        assert not victim.is_open()
    until(lambda: ends, what="the identity server is told")
    assert ends[0] < 1000


def test_a_new_connection_gets_403_with_an_incident_and_whom_to_call(own, upstream):
    neutralize(own)
    with own.connect() as connection:
        connection.send(request())
        reply = connection.answer()
        assert reply.status == 403
        assert not reply.keeps_alive
        text = reply.body.decode()
        incident = reply.fields["X-Request-Id"]
        assert incident in text
        assert "02 00 00 00 00" in text
        assert "stolen" not in text and "neutral" not in text.lower()
        assert connection.end()[0] == "closed"
    entry = own.entry(incident)
    assert entry["why"] == "neutralized" and entry["decision"] == "deny"
    assert upstream.requests == []


def test_it_holds_on_every_path_and_comes_first(own, upstream):
    neutralize(own)
    for target in ("/fhir/Patient/1", "/plain/1", "/others/Patient/1", "/elsewhere"):
        assert own.get(target).status == 403
    assert upstream.requests == []


def test_it_holds_over_a_reload(own, upstream):
    neutralize(own)
    own.config["contact"] = "Somebody else"
    own.reload()
    assert is_cut_off(own)
    assert upstream.requests == []


def test_it_holds_over_a_restart(own, upstream):
    neutralize(own)
    assert own.stop() == 0
    own.start()
    assert is_cut_off(own)


def test_it_holds_over_kill_9(own, upstream):
    neutralize(own)
    own.kill()
    own.start()
    assert is_cut_off(own)
    assert own.get(card="pharmacist").status == 200


def test_kill_9_at_once_after_each_of_many_orders_forgets_none(own, upstream):
    for number in range(5):
        neutralize(own, f"81000000000{number}")
        own.kill()
        own.start()
    listed = own.do("neutralized").out
    for number in range(5):
        assert f"81000000000{number}" in listed


def test_reinstated_means_back(own, upstream):
    neutralize(own)
    assert is_cut_off(own)
    own.do("reinstate", PHYSICIAN, "--reason", "new card")
    assert own.get().status == 200
    own.kill()
    own.start()
    assert own.get().status == 200


def test_the_report_says_how_many_and_how_fast(own, upstream):
    victims = [own.connect() for _ in range(3)]
    for victim in victims:
        assert victim.get().status == 200
    report = own.do("neutralize", PHYSICIAN, "--reason", "x", "--json").json()
    assert find(report, "connections") == 3
    assert 0 < find(report, "milliseconds") < 1000
    assert f"account:{PHYSICIAN}" in json.dumps(report)
    for victim in victims:
        victim.close()
    text = own.do("neutralize", PHARMACIST, "--reason", "x").text
    assert re.search(r"\d", text) and "ms" in text


def test_a_preview_cuts_nobody(own, upstream):
    with own.connect() as connection:
        assert connection.get().status == 200
        report = own.do("neutralize", PHYSICIAN, "--reason", "x", "--preview", "--json").json()
        assert find(report, "connections") == 1
        assert connection.get().status == 200
    assert own.run("neutralized", PHYSICIAN).code == 1


def test_neutralized_lists_and_looks_up(own, upstream):
    assert own.run("neutralized", PHYSICIAN).code == 1
    own.do("neutralize", PHYSICIAN, "--reason", "stolen card", "--ticket", "INC-42")
    run = own.do("neutralized", PHYSICIAN)
    assert "INC-42" in run.out
    entries = own.do("neutralized", "--json").json()
    assert PHYSICIAN in json.dumps(entries)
    assert own.run("neutralized", PHARMACIST).code == 1


def test_an_end_is_kept(own, upstream):
    import datetime

    until_when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    own.do("neutralize", PHYSICIAN, "--reason", "x", "--until",
           until_when.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert is_cut_off(own)
    until(lambda: own.get().status == 200, within=8, what="the end has come", every=0.2)


def test_a_certificate_is_neutralized_and_the_persons_other_one_is_not(own, upstream, pki):
    other = pki.issue("spare")
    with own.connect() as victim, own.connect(other) as spare:
        assert victim.get().status == spare.get().status == 200
        neutralize(own, f"certificate:sha256:{pki.fingerprint('physician')}")
        assert not victim.is_open()
        assert spare.get().status == 200
    assert is_cut_off(own)
    assert own.get(card=other).status == 200


def test_an_account_is_neutralized_with_all_its_certificates(own, upstream, pki):
    other = pki.issue("spare")
    neutralize(own)
    assert is_cut_off(own) and is_cut_off(own, other)


def test_a_network_is_neutralized(own, upstream):
    with own.connect(source=("127.0.0.50", 0)) as victim, own.connect() as other:
        assert victim.get().status == other.get().status == 200
        neutralize(own, "network:127.0.0.48/28")
        assert not victim.is_open()
        assert other.get().status == 200
    upstream.reset()
    try:
        assert own.get(source=("127.0.0.51", 0)).status == 403
    except (OSError, ssl.SSLError):
        pass
    assert upstream.requests == []
    assert own.get(source=("127.0.0.64", 0)).status == 200


def test_an_account_is_the_same_in_lower_case(own, upstream, pki):
    card = pki.issue("lower", person("500000000029751/cpat0001"))
    neutralize(own, "account:500000000029751/CPAT0001")
    assert is_cut_off(own, card) and is_cut_off(own, "employee")


@pytest.mark.parametrize("subject", [
    "account:", "network:127.0.0.1/33", "network:hello", "certificate:sha256:12",
    "certificate:md5:00", "nonsense:1", "account:a b", "account:" + "9" * 500,
])
def test_a_subject_that_is_none_is_refused(own, subject):
    run = own.run("neutralize", subject, "--reason", "x")
    assert run.code != 0, run
    assert run.err.strip()
    assert own.run("neutralized", "--json").json() == []


def test_a_reason_is_required(own):
    assert own.run("neutralize", PHYSICIAN).code != 0
    assert own.run("neutralized", PHYSICIAN).code == 1


def test_sessions_shows_who_is_connected(own, upstream):
    with own.connect() as one, own.connect("pharmacist") as two:
        assert one.get().status == two.get().status == 200
        everyone = json.dumps(own.do("sessions", "--json").json())
        assert PHYSICIAN in everyone and PHARMACIST in everyone
        only = json.dumps(own.do("sessions", "--professional", PHYSICIAN, "--json").json())
        assert PHYSICIAN in only and PHARMACIST not in only
        assert PHYSICIAN in own.do("sessions").out
    until(lambda: PHYSICIAN not in own.do("sessions", "--json").out, what="they are gone")


# The operator's own list.

LIST = f"""# our list
account {PHYSICIAN} since=2026-01-20T08:00:00Z reason=credential-compromise ticket=INC-42

network 127.0.0.200/32 reason=scan
account 810000000009 until=2020-01-01T00:00:00Z
"""


@pytest.fixture
def listing(config, make_gate):
    config["neutralized"] = "neutralized.list"
    gate = make_gate(config, start=False)
    (gate.folder / "neutralized.list").write_text("")
    return gate.start()


def test_a_list_is_in_force_from_the_start(config, make_gate, upstream):
    config["neutralized"] = "neutralized.list"
    gate = make_gate(config, start=False)
    (gate.folder / "neutralized.list").write_text(LIST)
    gate.start()
    assert is_cut_off(gate)
    assert gate.get(card="pharmacist").status == 200
    assert "INC-42" in gate.do("neutralized", PHYSICIAN).out


def test_a_reloaded_list_cuts_and_lets_back(listing, upstream):
    path = listing.folder / "neutralized.list"
    with listing.connect() as victim, listing.connect("pharmacist") as other:
        assert victim.get().status == other.get().status == 200
        path.write_text(LIST)
        listing.do("reload")
        assert not victim.is_open()
        assert other.get().status == 200
    assert is_cut_off(listing)
    path.write_text("")
    listing.do("reload")
    assert listing.get().status == 200


def test_an_order_is_not_undone_by_the_list(listing, upstream):
    neutralize(listing)
    (listing.folder / "neutralized.list").write_text("# nobody\n")
    listing.do("reload")
    assert is_cut_off(listing)


@pytest.mark.parametrize(("line", "number"), [
    ("acount 899700218896", 4), ("account", 4), ("network 127.0.0.0/64", 4),
    ("account 899700218896 until=tomorrow", 4), ("certificate sha256:xyz", 4),
    ("account 1 2", 4), ("account 899700218896 colour=red", 4), ("\x00\x01", 4),
])
def test_a_bad_list_is_refused_whole_with_its_line_and_the_old_one_stays(
    listing, upstream, line, number
):
    path = listing.folder / "neutralized.list"
    path.write_text(LIST)
    listing.do("reload")
    path.write_text(f"# new\naccount {PHARMACIST}\n\n{line}\naccount 810000000001\n")
    run = listing.run("reload")
    assert run.code == 1, run
    assert re.search(rf"neutralized\.list:{number}:", run.text), run
    assert is_cut_off(listing), "the list in force did not stay"
    assert listing.get(card="pharmacist").status == 200
    check = listing.run("check")
    assert check.code == 1
    assert re.search(rf"neutralized\.list:{number}:", check.text), check


def test_a_missing_list_refuses_the_reload_and_the_old_one_stays(listing, upstream):
    path = listing.folder / "neutralized.list"
    path.write_text(LIST)
    listing.do("reload")
    path.unlink()
    run = listing.run("reload")
    assert run.code == 1
    assert "neutralized.list" in run.text
    assert is_cut_off(listing)


def test_a_list_is_neutralized_by_command(own, upstream):
    path = own.folder / "incident.list"
    path.write_text(f"account {PHYSICIAN}\naccount {PHARMACIST}\n")
    with own.connect() as one, own.connect("pharmacist") as two:
        assert one.get().status == two.get().status == 200
        own.do("neutralize", "--file", path, "--reason", "incident 7")
        assert not one.is_open() and not two.is_open()
    own.kill()
    own.start()
    assert is_cut_off(own) and is_cut_off(own, "pharmacist")


@pytest.mark.slow
def test_a_list_of_a_hundred_thousand_is_in_force_at_once(listing, upstream):
    path = listing.folder / "neutralized.list"
    lines = [f"account 8{number:011d} reason=test" for number in range(100_000)]
    path.write_text("\n".join([*lines, f"account {PHYSICIAN}", ""]))
    with listing.connect("pharmacist") as other, listing.connect() as victim:
        assert other.get().status == victim.get().status == 200
        began = time.monotonic()
        listing.do("reload")
        assert time.monotonic() - began < 5
        assert not victim.is_open()
        assert other.get().status == 200
    report = listing.do("neutralize", PHARMACIST, "--reason", "x", "--json").json()
    assert find(report, "milliseconds") < 500


def test_under_load_nothing_of_the_neutralized_reaches_the_server_after_the_return(own, upstream):
    stop = threading.Event()
    broken = []

    def load(card):
        while not stop.is_set():
            try:
                with own.connect(card) as connection:
                    while not stop.is_set():
                        reply = connection.get(f"/fhir/Patient/{card}")
                        if card == "pharmacist" and reply.status != 200:
                            broken.append(reply.status)
            except (OSError, ssl.SSLError, AssertionError) as error:
                if card == "pharmacist" and not stop.is_set():
                    broken.append(error)

    threads = [threading.Thread(target=load, args=(card,))
               for card in ["physician"] * 4 + ["pharmacist"] * 3]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(upstream.requests) > 100, within=20, what="the load runs")
        neutralize(own)
        # A request whose bytes had left may still be read by the server's threads.
        time.sleep(0.2)
        before = len(upstream.requests)
        until(lambda: len(upstream.requests) > before + 100, within=20, what="the others go on")
        late = [seen.target for seen in upstream.requests[before:] if "physician" in seen.target]
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
    assert late == []
    assert broken == []
