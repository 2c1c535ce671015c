"""Limits: counted per professional, wherever the requests come from and whatever happens."""

import re
import threading

import pytest

from harness.client import request
from harness.gate import find
from harness.pki import PHYSICIAN

pytestmark = pytest.mark.sanitized


def limited(config, *ceilings):
    config["limits"] = {"standard": [
        {"count": "requests", "limit": limit, "per": per, **more} for limit, per, more in ceilings
    ]}
    return config


def ask(gate, count, card="physician", target="/fhir/Patient/1"):
    """The statuses of `count` requests, each on a connection of its own."""
    return [gate.get(target, card=card).status for _ in range(count)]


def test_one_more_than_the_limit_is_429(config, make_gate, upstream):
    gate = make_gate(limited(config, (5, "1h", {})))
    with gate.connect() as connection:
        assert [connection.get().status for _ in range(7)] == [200] * 5 + [429] * 2
        # The connection lives on: other routes have other limits, or none.
        assert connection.get("/elsewhere").status == 404
    assert len(upstream.requests) == 5


def test_429_names_the_limit_and_when_to_come_back(config, make_gate, upstream):
    gate = make_gate(limited(config, (1, "1h", {})))
    assert gate.get("/plain/1").status == 200
    reply = gate.get("/plain/1")
    assert reply.status == 429
    wait = int(reply.fields["Retry-After"])
    # The count slides in steps, so that a little more than the window may be told.
    assert 3500 <= wait <= 3600 * 1.05
    policy = re.fullmatch(r'"([^"]+)";q=(\d+);w=(\d+).*', reply.fields["RateLimit-Policy"])
    assert policy and (policy[2], policy[3]) == ("1", "3600")
    left = re.fullmatch(r'"([^"]+)";r=(\d+);t=(\d+).*', reply.fields["RateLimit"])
    assert left and left[1] == policy[1] and left[2] == "0"
    assert abs(int(left[3]) - wait) <= 1
    assert reply.fields["Content-Type"].startswith("application/problem+json")
    problem = reply.json()
    assert problem["status"] == 429
    assert policy[1] in str(problem)


def test_429_is_an_operation_outcome_on_a_fhir_route(config, make_gate, upstream):
    gate = make_gate(limited(config, (1, "1h", {})))
    ask(gate, 1)
    reply = gate.get()
    assert reply.status == 429
    assert reply.fields["Content-Type"].startswith("application/fhir+json")
    issue = reply.json()["issue"][0]
    assert issue["code"] == "throttled"
    assert "RateLimit-Policy" in reply.fields and "Retry-After" in reply.fields


def test_429_is_a_fault_on_a_soap_route(config, make_gate, upstream):
    from xml.etree import ElementTree

    gate = make_gate(limited(config, (1, "1h", {})))
    ask(gate, 1, target="/soap")
    reply = gate.get("/soap")
    assert reply.status == 429
    assert "xml" in reply.fields["Content-Type"]
    envelope = ElementTree.fromstring(reply.body)
    soap = "{http://www.w3.org/2003/05/soap-envelope}"
    assert envelope.find(f"{soap}Body/{soap}Fault/{soap}Reason/{soap}Text").text


def test_professionals_are_counted_apart(config, make_gate, upstream):
    gate = make_gate(limited(config, (3, "1h", {})))
    assert ask(gate, 4) == [200, 200, 200, 429]
    assert ask(gate, 4, card="pharmacist") == [200, 200, 200, 429]


def test_one_professional_with_two_cards_is_counted_once(config, make_gate, upstream, pki):
    gate = make_gate(limited(config, (3, "1h", {})))
    assert ask(gate, 2) == [200, 200]
    assert ask(gate, 2, card=pki.issue("second")) == [200, 429]


def test_the_count_is_shared_by_workers_and_connections(config, make_gate, upstream):
    config["workers"] = 2
    gate = make_gate(limited(config, (100, "1h", {})))
    statuses = []
    lock = threading.Lock()

    def client():
        with gate.connect() as connection:
            for _ in range(20):
                status = connection.get().status
                with lock:
                    statuses.append(status)

    threads = [threading.Thread(target=client) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 100
    assert statuses.count(429) == 140
    assert len(upstream.requests) == 100


def test_what_is_refused_before_the_limit_is_not_counted(config, make_gate, upstream):
    gate = make_gate(limited(config, (2, "1h", {})))
    with gate.connect() as connection:
        for _ in range(5):
            assert connection.get("/others/Patient/1").status == 403
            assert connection.get("/elsewhere").status == 404
        assert [connection.get().status for _ in range(3)] == [200, 200, 429]


def test_the_count_survives_a_reload(config, make_gate, upstream):
    gate = make_gate(limited(config, (4, "1h", {})))
    assert ask(gate, 3) == [200] * 3
    gate.config["contact"] = "Somebody else"
    gate.reload()
    assert ask(gate, 3) == [200, 429, 429]


def test_the_count_survives_kill_9(config, make_gate, upstream):
    gate = make_gate(limited(config, (4, "1h", {})))
    assert ask(gate, 3) == [200] * 3
    gate.kill()
    gate.start()
    assert ask(gate, 3) == [200, 429, 429]


def test_the_count_survives_a_clean_stop(config, make_gate, upstream):
    gate = make_gate(limited(config, (4, "1h", {})))
    assert ask(gate, 3) == [200] * 3
    assert gate.stop() == 0
    gate.start()
    assert ask(gate, 3) == [200, 429, 429]


def test_a_raised_limit_counts_at_once(config, make_gate, upstream):
    gate = make_gate(limited(config, (2, "1h", {})))
    assert ask(gate, 3) == [200, 200, 429]
    gate.config["limits"]["standard"][0]["limit"] = 1000
    gate.reload()
    assert ask(gate, 3) == [200] * 3


def test_the_tightest_of_several_windows_decides(config, make_gate, upstream):
    gate = make_gate(limited(config, (100, "1m", {}), (3, "1h", {}), (1000, "1d", {})))
    assert ask(gate, 4) == [200, 200, 200, 429]
    reply = gate.get()
    assert "w=3600" in reply.fields["RateLimit-Policy"]


def test_who_waits_as_long_as_told_passes_again(config, make_gate, upstream):
    import time

    gate = make_gate(limited(config, (3, "2s", {})))
    assert ask(gate, 4) == [200, 200, 200, 429]
    wait = int(gate.get().fields["Retry-After"])
    assert 1 <= wait <= 3
    time.sleep(wait)
    assert gate.get().status == 200


def test_shadow_refuses_nobody_and_is_recorded(config, make_gate, upstream):
    gate = make_gate(limited(config, (2, "1h", {"enforce": "shadow"})))
    told = [gate.get().json()["request"] for _ in range(4)]
    shadowed = [bool(gate.entry(one).get("shadow")) for one in told]
    assert shadowed == [False, False, True, True]


def test_shadow_beside_deny(config, make_gate, upstream):
    gate = make_gate(limited(config, (1, "1d", {"enforce": "shadow"}), (3, "1h", {})))
    assert ask(gate, 4) == [200, 200, 200, 429]


def test_a_route_without_limits_is_not_counted(config, make_gate, upstream):
    config["routes"].insert(0, {
        "name": "free", "path": "/free/", "identity_server": "mpi", "lookups": "none",
        "require": ["certificate"],
    })
    gate = make_gate(limited(config, (1, "1h", {})))
    assert ask(gate, 5, target="/free/1") == [200] * 5
    assert ask(gate, 2) == [200, 429]


def test_limits_show_tells_what_is_used_and_left(config, make_gate, upstream):
    gate = make_gate(limited(config, (10, "1h", {}), (50, "1d", {"enforce": "shadow"})))
    ask(gate, 3)
    shown = gate.do("limits", "show", PHYSICIAN, "--json").json()
    windows = shown if isinstance(shown, list) else find(shown, "limits") or next(
        value for value in shown.values() if isinstance(value, list))
    by_window = {find(one, "per_seconds"): one for one in windows}
    assert find(by_window[3600], "used") == 3
    assert find(by_window[3600], "remaining") == 7
    assert find(by_window[86400], "enforce") == "shadow"
    text = gate.do("limits", "show", PHYSICIAN).out
    assert "3" in text and "10" in text


def test_a_refused_request_is_recorded_with_its_rule(config, make_gate, upstream):
    gate = make_gate(limited(config, (1, "1h", {})))
    ask(gate, 1)
    reply = gate.get("/plain/1")
    entry = gate.entry(reply.fields["X-Request-Id"])
    assert entry["decision"] == "deny"
    assert entry["status"] == 429
    assert entry["why"] == "limit"
    line = int(re.search(r"herse\.yaml:(\d+)", entry["rule"])[1])
    assert "requests" in gate.file.read_text().split("\n")[line - 1]


def test_a_pipeline_cannot_outrun_the_limit(config, make_gate, upstream):
    gate = make_gate(limited(config, (5, "1h", {})))
    with gate.connect() as connection:
        connection.send(b"".join(request(f"/fhir/Patient/{number}") for number in range(20)))
        statuses = [connection.answer().status for _ in range(20)]
    assert statuses == [200] * 5 + [429] * 15
    assert len(upstream.requests) == 5
