"""Alerts: what the gate tells operators elsewhere, and that nothing waits for them."""

import re
import shutil
import socket
import time

import pytest

from harness.alerts import SECRET, Hook, MailServer, Rsyslog, secret_file
from harness.faults import fill
from harness.pki import PHARMACIST, PHYSICIAN
from harness.ports import free_port
from harness.waiting import until


@pytest.fixture
def open_later():
    """Closes what it is given when the test is over."""
    opened = []

    def keep(one):
        opened.append(one)
        return one

    yield keep
    for one in opened:
        one.close()


@pytest.fixture
def hook(pki, open_later):
    return open_later(Hook(pki))


@pytest.fixture
def alert_gate(pki, config, make_gate):
    """Makes gates with destinations; each is its name and keys."""
    def make(*destinations, start=True, **more):
        gate = make_gate(config, start=False)
        config.update(more)
        config["alerts"] = [one(gate) if callable(one) else one for one in destinations]
        gate.write()
        return gate.start() if start else gate

    return make


def webhook(pki, hook, name="chat", **keys):
    def made(gate):
        return {
            "name": name, **keys,
            "webhook": {
                "url": hook if isinstance(hook, str) else hook.url,
                "secret_file": secret_file(gate.folder, f"{name}.key", SECRET + "\n"),
                "authorities": [str(pki.path("root-ca.pem"))],
            },
        }

    return made


def syslog(pki, server, name="siem", **keys):
    more = keys.pop("more", {})
    return {
        "name": name, **keys,
        "syslog": {"address": server.address, "authorities": [str(pki.path("root-ca.pem"))], **more},
    }


def mail(pki, server, name="on-call", **more):
    def made(gate):
        password = secret_file(gate.folder, f"{name}.password", MailServer.PASSWORD + "\n")
        keys = {
            "to": ["astreinte@example.org", "second@example.org"], "from": "herse@example.org",
            "smtp": server if isinstance(server, str) else server.url, "user": MailServer.USER,
            "password_file": password, "authorities": [str(pki.path("root-ca.pem"))], **more,
        }
        return {"name": name, "mail": {key: value for key, value in keys.items() if value}}

    return made


def sink(gate, name):
    return next(one for one in gate.do("alerts", "--json").json() if one["name"] == name)


class TestWebhook:
    def test_an_order_is_an_event_signed_by_the_standard(self, alert_gate, pki, hook):
        gate = alert_gate(webhook(pki, hook))
        with gate.connect() as client:
            assert client.get("/fhir/Patient/1").status == 200
            gate.do("neutralize", PHYSICIAN, "--reason", "a secret story", "--ticket", "INC-42")
        event = hook.of("neutralized")
        assert event["specversion"] == "1.0" and event["type"] == "herse.alert.neutralized"
        assert event["subject"] == f"account:{PHYSICIAN}"
        facts = event["data"]["facts"]
        assert facts["ticket"] == "INC-42" and facts["connections"] == "1" and facts["by"]
        assert "secret story" not in str(event)
        headers, _ = hook.events[0]
        assert headers["Content-Type"].startswith("application/cloudevents+json")
        gate.do("reinstate", PHYSICIAN, "--reason", "x")
        assert hook.of("reinstated")["subject"] == f"account:{PHYSICIAN}"
        assert not hook.forged
        until(lambda: sink(gate, "chat")["sent"] == 2, what="both are counted")
        state = sink(gate, "chat")
        assert (state["state"], state["waiting"], state["dropped"]) == ("fresh", 0, 0)

    def test_who_tries_again_is_told(self, alert_gate, pki, hook):
        gate = alert_gate(webhook(pki, hook))
        gate.do("neutralize", PHYSICIAN, "--reason", "x")
        for _ in range(5):
            assert gate.get().status == 403
        event = hook.of("probing")
        assert event["subject"] == f"account:{PHYSICIAN}"
        assert "tried again from 127.0.0.1" in event["data"]["text"]

    def test_a_mass_order_is_told_as_one(self, alert_gate, pki, hook):
        gate = alert_gate(webhook(pki, hook))
        numbers = [f"81{number:010}" for number in range(60)]
        gate.do("neutralize", *numbers, "--reason", "x")
        event = hook.of("mass-order")
        assert event["data"]["severity"] == "critical"
        assert event["data"]["facts"]["subjects"] == "60"
        assert "neutralized" not in hook.kinds()

    def test_an_identity_server_that_goes_and_comes_back_is_told_twice(
            self, alert_gate, pki, hook, config):
        port = free_port()
        config["identity_servers"][0]["endpoints"] = [f"http://127.0.0.1:{port}"]
        gate = alert_gate(webhook(pki, hook, window="0s"))
        assert gate.get().status == 502
        event = hook.of("server-unreachable")
        assert event["data"]["severity"] == "error" and str(port) in event["data"]["text"]
        config["identity_servers"][0]["endpoints"] = [f"http://127.0.0.1:{free_port()}"]
        gate.reload()
        until(lambda: len(hook.events) == 2, 15, "its end is told")
        end = hook.events[1][1]
        assert end["data"]["kind"] == "server-unreachable"
        assert end["data"]["severity"] == "notice" and "no longer" in end["data"]["text"]

    def test_only_what_is_asked_for_is_sent(self, alert_gate, pki, open_later):
        some, bad = open_later(Hook(pki)), open_later(Hook(pki))
        gate = alert_gate(
            webhook(pki, some, "some", kinds=["reinstated", "started"], from_severity="debug"),
            webhook(pki, bad, "bad", from_severity="critical"))
        gate.do("neutralize", PHYSICIAN, "--reason", "x")
        gate.do("reinstate", PHYSICIAN, "--reason", "x")
        some.of("reinstated")
        assert set(some.kinds()) == {"started", "reinstated"}
        assert bad.events == []

    def test_a_refused_reload_is_told(self, alert_gate, pki, hook):
        gate = alert_gate(webhook(pki, hook))
        good = gate.file.read_text()
        gate.file.write_text(good + "unknown: 1\n")
        assert gate.run("reload").code == 1
        assert hook.of("reload-refused")["data"]["facts"]["generation"] == "1"
        gate.file.write_text(good)


class TestSyslog:
    def test_rsyslog_takes_and_understands_it_over_mutual_tls(self, alert_gate, pki, open_later):
        client = pki.issue("herse-syslog", by=pki.persons)
        certificate, key = map(str, pki.card(client))
        server = open_later(Rsyslog(pki, peer=PHYSICIAN))
        pair = {"certificate": certificate, "private_key": key}
        gate = alert_gate(syslog(pki, server, more={"client_certificate": pair}))
        gate.do("neutralize", PHARMACIST, "--reason", "x", "--ticket", 'a"b]c\\d')
        message = server.of("neutralized")
        assert (message["facility"], message["severity"]) == ("authpriv", "warning")
        assert (message["version"], message["program"]) == ("1", "herse")
        assert "neutralized account:" + PHARMACIST in message["text"]
        assert message["data"].startswith('[herse@32473 incident="')
        assert r'ticket="a\"b\]c\\d"' in message["data"]
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", message["time"])
        # A second message goes over the same connection.
        gate.do("reinstate", PHARMACIST, "--reason", "x")
        server.of("reinstated")

    def test_a_collector_that_wants_another_certificate_is_failing(
            self, alert_gate, pki, open_later):
        server = open_later(Rsyslog(pki, peer="somebody else"))
        gate = alert_gate(syslog(pki, server))
        run = gate.run("alerts", "test")
        assert run.code == 1 and "NO" in run.out, run
        assert server.messages() == []

    def test_one_that_was_restarted_gets_the_next(self, alert_gate, pki, open_later):
        server = open_later(Rsyslog(pki))
        gate = alert_gate(syslog(pki, server, more={"facility": "local3"}))
        gate.do("neutralize", PHARMACIST, "--reason", "x")
        assert server.of("neutralized")["facility"] == "local3"
        server.stop()
        gate.do("reinstate", PHARMACIST, "--reason", "x")
        until(lambda: sink(gate, "siem")["state"] == "failing", 15, "its absence is noticed")
        assert gate.run("status").code == 3
        server.start()
        server.of("reinstated", within=30)
        until(lambda: sink(gate, "siem")["state"] == "fresh", 15, "it is well again")

    @pytest.mark.parametrize("transport", ["tcp", "udp"])
    def test_clear_text_is_only_for_who_says_so(self, alert_gate, pki, open_later, transport):
        server = open_later(Rsyslog(pki, tls=False))
        one = {"name": "siem", "syslog": {"address": server.address.replace("localhost", "127.0.0.1"),
                                          "transport": transport}}
        gate = alert_gate(one, start=False)
        run = gate.run("check")
        assert run.code == 1 and "clear text" in run.text and "unsafe_cleartext" in run.text
        one["syslog"]["unsafe_cleartext"] = True
        gate.write()
        gate.start()
        gate.do("neutralize", PHARMACIST, "--reason", "x")
        server.of("neutralized")

    def test_a_certificate_of_somebody_else_is_not_believed(self, alert_gate, pki, open_later):
        server = open_later(Rsyslog(pki))
        (pki.folder / "stranger-ca.pem").write_bytes(pki.stranger.pem())
        gate = alert_gate(
            {"name": "stranger", "syslog": {
                "address": server.address, "authorities": [str(pki.path("stranger-ca.pem"))]}},
            syslog(pki, server, "other", more={"server_name": "other.example"}))
        run = gate.run("alerts", "test")
        assert run.code == 1
        assert "not from an authority that is trusted here" in run.out
        assert "for another host" in run.out
        assert server.messages() == []


class TestMail:
    def test_starttls_and_login(self, alert_gate, pki, open_later):
        server = open_later(MailServer(pki))
        gate = alert_gate(mail(pki, server))
        gate.do("neutralize", PHARMACIST, "--reason", "x", "--ticket", "INC-7")
        message = server.first()
        assert server.envelopes == [
            ("herse@example.org", ["astreinte@example.org", "second@example.org"])]
        assert "warning" in message["Subject"] and "(neutralized)" in message["Subject"]
        assert message["From"].addresses[0].addr_spec == "herse@example.org"
        assert len(message["To"].addresses) == 2
        assert message["Date"].datetime and message["Message-ID"].endswith("@example.org>")
        assert message["Auto-Submitted"] == "auto-generated"
        body = message.get_content()
        assert f"account:{PHARMACIST}" in body and "INC-7" in body
        assert not message.defects
        assert MailServer.PASSWORD not in gate.log() + gate.do("alerts").text

    def test_french_over_smtps(self, alert_gate, pki, open_later):
        server = open_later(MailServer(pki, implicit=True))
        gate = alert_gate(mail(pki, server, language="fr"))
        run = gate.do("alerts", "test", "on-call")
        assert "250 2.0.0 kept as 42" in run.out
        message = server.first()
        assert "avis: Ceci est un essai (test)" in message["Subject"]
        assert "Gravité" in message.get_content()

    def test_a_server_without_starttls_gets_nothing(self, alert_gate, pki, open_later):
        server = open_later(MailServer(pki, tls=False, login=False))
        gate = alert_gate(mail(pki, server))
        run = gate.run("alerts", "test")
        assert run.code == 1 and "offers no STARTTLS" in run.out
        assert server.messages == []
        # Unless the operator says so, and no password is asked for.
        plain = mail(pki, server, user=None, password_file=None, authorities=None,
                     unsafe_cleartext=True)
        gate.config["alerts"] = [plain(gate)]
        gate.reload()
        gate.do("alerts", "test")
        assert len(server.messages) == 1

    def test_what_a_server_refuses_is_told_in_its_words(self, alert_gate, pki, open_later):
        server = open_later(MailServer(pki))
        server.refusal = "550 5.1.1 nobody of that name"
        gate = alert_gate(mail(pki, server))
        run = gate.run("alerts", "test", "--json")
        assert run.code == 1
        assert "550 5.1.1 nobody of that name" in run.json()[0]["answer"]
        server.refusal = None
        wrong = secret_file(gate.folder, "on-call.password", "not it")
        gate.config["alerts"][0]["mail"]["password_file"] = wrong
        gate.reload()
        run = gate.run("alerts", "test")
        assert run.code == 1 and "login" in run.out

    def test_a_mailer_of_this_machine(self, alert_gate, pki, open_later):
        server = open_later(MailServer(pki, login=False))
        msmtp = shutil.which("msmtp")
        assert msmtp, "msmtp is missing"

        def made(gate):
            settings = secret_file(
                gate.folder, "msmtprc",
                f"account default\nhost localhost\nport {server.port}\nfrom herse@example.org\n"
                f"auth off\ntls on\ntls_starttls on\ntls_trust_file {pki.path('root-ca.pem')}\n")
            program = gate.folder / "sendmail"
            program.write_text(f"#!/bin/sh\nexec {msmtp} -C {settings} \"$@\"\n")
            program.chmod(0o755)
            return {"name": "local", "mail": {
                "to": ["astreinte@example.org"], "from": "herse@example.org",
                "sendmail": str(program)}}

        gate = alert_gate(made)
        gate.do("neutralize", PHARMACIST, "--reason", "x")
        message = server.first()
        assert server.envelopes[0][1] == ["astreinte@example.org"]
        assert f"account:{PHARMACIST}" in message.get_content()
        (gate.folder / "sendmail").write_text("#!/bin/sh\necho no disk today >&2\nexit 75\n")
        run = gate.run("alerts", "test")
        assert run.code == 1 and "exit status 75: no disk today" in run.out


class TestFailure:
    def test_a_destination_down_at_the_start_gets_it_when_it_comes(
            self, alert_gate, pki, open_later):
        port = free_port()
        gate = alert_gate(webhook(pki, f"https://localhost:{port}/alerts"))
        assert sink(gate, "chat")["state"] == "unknown"
        gate.do("neutralize", PHYSICIAN, "--reason", "x")
        until(lambda: sink(gate, "chat")["state"] == "failing", 15, "it is failing")
        status = gate.run("status", "--json")
        assert status.code == 3
        assert any("alerts to `chat` do not get through" in one
                   for one in status.json()["degraded"])
        assert sink(gate, "chat")["waiting"] >= 1
        late = open_later(Hook(pki, port))
        late.of("neutralized", within=30)
        until(lambda: sink(gate, "chat")["state"] == "fresh", 15, "it is well again")
        assert "takes them again" in gate.log()

    def test_other_destinations_learn_of_one_that_fails(self, alert_gate, pki, hook):
        gate = alert_gate(
            webhook(pki, f"https://localhost:{free_port()}/x", "gone"), webhook(pki, hook))
        gate.do("neutralize", PHYSICIAN, "--reason", "x")
        assert "`gone`" in hook.of("alert-failed")["data"]["text"]

    def test_a_peer_that_never_answers_delays_nobody(self, alert_gate, pki, open_later):
        slow, quick = open_later(Hook(pki)), open_later(Hook(pki))
        slow.status = None
        gate = alert_gate(webhook(pki, slow, "slow"), webhook(pki, quick, "quick"))
        gate.do("neutralize", PHARMACIST, "--reason", "x")
        quick.of("neutralized")
        begun = time.monotonic()
        for _ in range(10):
            assert gate.get().status == 200
            gate.do("reinstate", PHARMACIST, "--reason", "x")
        assert time.monotonic() - begun < 10
        slow.release.set()

    def test_a_peer_that_only_connects_is_given_up(self, alert_gate, pki):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            port = deaf.getsockname()[1]
            gate = alert_gate(syslog(pki, type("Deaf", (), {"address": f"localhost:{port}"})))
            begun = time.monotonic()
            run = gate.run("alerts", "test")
            assert run.code == 1 and "within 5000 ms" in run.out
            assert time.monotonic() - begun < 20

    def test_a_storm_is_few_messages(self, alert_gate, pki, hook):
        gate = alert_gate(webhook(pki, hook, window="2s"))
        for _ in range(15):
            gate.do("neutralize", PHARMACIST, "--reason", "x")
        until(lambda: sum(e["data"]["count"] for _, e in hook.events
                          if e["data"]["kind"] == "neutralized") == 15, 15, "all are counted")
        assert len([one for one in hook.kinds() if one == "neutralized"]) < 10

    @pytest.mark.slow
    def test_a_disk_that_is_full_and_then_is_not_is_told(
            self, alert_gate, pki, hook, config, small_disk):
        config["state"], config["control"] = str(small_disk / "state"), "control.sock"
        gate = alert_gate(webhook(pki, hook, window="0s"))
        fill(small_disk)

        def refuses():
            # The journal's last page may have room for some more.
            return gate.run("neutralize", PHARMACIST, "--reason", "x" * 500).code == 1

        until(refuses, 30, "no order is durable any more")
        event = hook.of("journal-failed")
        assert event["data"]["severity"] == "critical"
        (small_disk / "filler").unlink()
        gate.do("neutralize", PHARMACIST, "--reason", "x")
        until(lambda: any(one["data"]["kind"] == "journal-failed"
                          and one["data"]["severity"] == "notice" for _, one in hook.events),
              15, "its end is told")

    def test_a_reload_keeps_what_waits(self, alert_gate, pki, open_later):
        down, late = free_port(), open_later(Hook(pki))
        gate = alert_gate(webhook(pki, f"https://localhost:{down}/x"))
        gate.do("neutralize", PHYSICIAN, "--reason", "x")
        until(lambda: sink(gate, "chat")["state"] == "failing", 15, "it is failing")
        gate.reload()
        assert sink(gate, "chat")["state"] == "failing"
        gate.config["alerts"] = [webhook(pki, late)(gate)]
        gate.reload()
        late.of("neutralized")

    def test_a_stop_sends_what_waits_and_says_what_it_could_not(
            self, alert_gate, pki, open_later):
        good = open_later(Hook(pki))
        gate = alert_gate(
            webhook(pki, good, "good", from_severity="notice", rate=1),
            webhook(pki, f"https://localhost:{free_port()}/x", "gone"))
        good.of("started")
        gate.do("neutralize", PHYSICIAN, "--reason", "x")
        begun = time.monotonic()
        assert gate.stop() == 0
        assert time.monotonic() - begun < 14
        assert {"started", "neutralized", "stopping"} <= set(good.kinds())
        assert re.search(r"alerts: `gone`: \d+ were not sent", gate.log())
        assert "alerts: `good`" not in gate.log()

    def test_a_gate_without_alerts_stops_at_once(self, make_gate, config):
        gate = make_gate(config)
        assert gate.run("alerts", "test").code == 1
        begun = time.monotonic()
        assert gate.stop() == 0
        assert time.monotonic() - begun < 4


class TestCommands:
    def test_show_and_test(self, alert_gate, pki, hook):
        gate = alert_gate(webhook(pki, hook))
        shown = gate.do("alerts").out
        assert re.search(r"chat +webhook +unknown", shown)
        run = gate.do("alerts", "test", "chat")
        assert re.search(r"chat +webhook +yes +204", run.out)
        assert hook.of("test")["data"]["severity"] == "notice"
        tests = gate.do("alerts", "test", "--json").json()
        assert tests == [{"name": "chat", "kind": "webhook", "is_taken": True, "answer": "204"}]
        run = gate.run("alerts", "test", "nobody")
        assert run.code == 1 and "there are: chat" in run.err

    @pytest.mark.parametrize("change, complaint", [
        (lambda one: one["webhook"].update(secret_file=None), "secret_file"),
        (lambda one: one["webhook"].update(url="http://192.0.2.1/"), "clear text"),
        (lambda one: one["webhook"].pop("authorities"), "needs `authorities`"),
        (lambda one: one.update(kinds=["probbing"]), "did you mean `probing`"),
        (lambda one: one.update(from_severity="bad"), "from_severity"),
        (lambda one: one.update(kinds=[]), "`kinds` is empty"),
        (lambda one: one.update(mail={"to": []}), "one way"),
        (lambda one: one.pop("webhook"), "needs `syslog`, `webhook` or `mail`"),
    ])
    def test_mistakes_are_told_where_they_are(self, alert_gate, pki, change, complaint):
        gate = alert_gate(webhook(pki, "https://localhost:1/"), start=False)
        change(gate.config["alerts"][0])
        gate.write()
        run = gate.run("check")
        assert run.code == 1 and complaint in run.text and "herse.yaml:" in run.text, run

    def test_a_secret_others_may_read_is_refused(self, alert_gate, pki):
        gate = alert_gate(webhook(pki, "https://localhost:1/"), start=False)
        (gate.folder / "chat.key").chmod(0o644)
        assert "open to others" in gate.run("check").text
        (gate.folder / "chat.key").chmod(0o600)
        (gate.folder / "chat.key").write_text("too short\n")
        run = gate.run("check")
        assert run.code == 1 and "no key for a webhook" in run.text
        assert "too short" not in run.text
