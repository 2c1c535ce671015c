"""Who takes alerts: a webhook that verifies, rsyslog from Debian, mail servers, mailers."""

import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from standardwebhooks import Webhook

from .ports import free_port
from .waiting import until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def server_context(pki, client_authority=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.path("server.pem"), pki.path("server.key"))
    if client_authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_authority)
    return context


class Hook:
    """A receiver of webhooks over TLS; `status` is what it answers, None for nothing at all."""

    def __init__(self, pki, port=0):
        self.status = 204
        self.events = []
        self.forged = []
        self.release = threading.Event()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    # Raises for a wrong signature, and for a time that is not now.
                    Webhook(SECRET).verify(body, dict(self.headers))
                except Exception as wrong:
                    hook.forged.append(wrong)
                    self.send_error(401)
                    return
                if hook.status is None:
                    hook.release.wait(60)
                    return
                if 200 <= hook.status < 300:
                    hook.events.append((dict(self.headers), json.loads(body)))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.server.socket = server_context(pki).wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"https://localhost:{self.port}/alerts"

    def kinds(self):
        return [event["data"]["kind"] for _, event in self.events]

    def of(self, kind, within=15):
        """The first event of a kind."""
        return until(
            lambda: next((event for _, event in self.events if event["data"]["kind"] == kind), None),
            within, f"an alert of {kind}, not only {self.kinds()}")

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


RSYSLOG = """
global(workDirectory="{folder}" maxMessageSize="16k"
    defaultNetstreamDriverCAFile="{authorities}"
    defaultNetstreamDriverCertFile="{certificate}"
    defaultNetstreamDriverKeyFile="{key}")
template(name="all" type="list" option.jsonf="on") {{
    property(outname="pri" name="pri" format="jsonf")
    property(outname="facility" name="syslogfacility-text" format="jsonf")
    property(outname="severity" name="syslogseverity-text" format="jsonf")
    property(outname="version" name="protocol-version" format="jsonf")
    property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="program" name="app-name" format="jsonf")
    property(outname="msgid" name="msgid" format="jsonf")
    property(outname="data" name="structured-data" format="jsonf")
    property(outname="text" name="msg" format="jsonf")
}}
module(load="imtcp" {driver})
module(load="imudp")
input(type="imtcp" address="127.0.0.1" port="{port}")
input(type="imudp" address="127.0.0.1" port="{port}")
action(type="omfile" file="{folder}/messages" template="all" asyncWriting="off")
"""

DRIVER = 'streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="{mode}"'


class Rsyslog:
    """rsyslogd, which parses RFC 5424 by itself; over TLS unless `tls` is false.

    `peer` is the only common name a client's certificate may have, None for any client at all.
    """

    def __init__(self, pki, tls=True, peer=None, authorities=None):
        self.folder = Path(tempfile.mkdtemp(prefix="herse-rsyslog-"))
        self.port = free_port()
        driver = DRIVER.format(mode="x509/name" if peer else "anon")
        if peer:
            driver += f' permittedPeer=["{peer}"]'
        (self.folder / "rsyslog.conf").write_text(RSYSLOG.format(
            folder=self.folder, port=self.port, driver=driver if tls else "",
            authorities=authorities or pki.path("root-ca.pem"), certificate=pki.path("server.pem"),
            key=pki.path("server.key")))
        self.process = None
        self.start()

    @property
    def address(self):
        return f"localhost:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            [shutil.which("rsyslogd") or "/usr/sbin/rsyslogd", "-n", "-iNONE", "-f",
             self.folder / "rsyslog.conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.folder / "errors").open("a"))
        until(self.is_listening, 15, f"rsyslogd listens:\n{self.errors()}")

    def is_listening(self):
        assert self.process.poll() is None, self.errors()
        wanted = f"0100007F:{self.port:04X}"
        return any(wanted in line and " 0A " in line
                   for line in Path("/proc/net/tcp").read_text().splitlines())

    def errors(self):
        file = self.folder / "errors"
        return file.read_text() if file.exists() else ""

    def messages(self):
        file = self.folder / "messages"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def of(self, kind, within=15):
        return until(
            lambda: next((one for one in self.messages() if one["msgid"] == kind), None),
            within, f"an alert of {kind} in {self.messages()} {self.errors()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


class MailServer:
    """aiosmtpd; with STARTTLS and a login that must be used, or TLS from the first byte."""

    USER, PASSWORD = "herse", "a secret that nobody may see"

    def __init__(self, pki, implicit=False, tls=True, login=True):
        self.messages = []
        self.envelopes = []
        # What RCPT is answered with, None for acceptance.
        self.refusal = None
        mail = self

        class Handler:
            async def handle_RCPT(self, server, session, envelope, address, options):
                if mail.refusal:
                    return mail.refusal
                envelope.rcpt_tos.append(address)
                return "250 OK"

            async def handle_DATA(self, server, session, envelope):
                mail.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
                mail.messages.append(
                    message_from_bytes(envelope.original_content, policy=policy.default))
                return "250 2.0.0 kept as 42"

        def check(server, session, envelope, mechanism, data):
            known = LoginPassword(self.USER.encode(), self.PASSWORD.encode())
            return AuthResult(success=data == known, handled=False)

        context = server_context(pki) if tls else None
        options = {"ssl_context": context} if implicit else {
            "tls_context": context, "require_starttls": tls}
        if login:
            options |= {"authenticator": check, "auth_required": True,
                        "auth_require_tls": not implicit and tls}
        self.port = free_port()
        self.controller = Controller(
            Handler(), hostname="127.0.0.1", port=self.port, **options)
        self.scheme = "smtps" if implicit else "smtp"
        if implicit:
            # It tries itself with the server's own settings, which are no client's.
            self.controller._trigger_server = self._say_hello
        self.controller.start()

    def _say_hello(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port), 5) as plain:
            with context.wrap_socket(plain) as client:
                client.recv(1024)

    @property
    def url(self):
        return f"{self.scheme}://localhost:{self.port}"

    def first(self, within=15):
        return until(lambda: self.messages and self.messages[0], within, "a mail")

    def close(self):
        self.controller.stop(no_assert=True)


def secret_file(folder, name, text):
    path = Path(folder) / name
    path.write_text(text)
    os.chmod(path, 0o600)
    return str(path)
