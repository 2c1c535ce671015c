"""A transmitter and a receiver of security events whose every word a test decides."""

import json
import secrets
import threading
import time

from . import jose
from .ports import free_port
from .strong import secret_file
from .upstream import Upstream, answer

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
AUDIENCE = "https://gate.example.fr/signals"
TOKEN = "a-transmitter-s-own-secret"


class Transmitter:
    """Signs events, pushes them, or holds them until they are polled and acknowledged."""

    def __init__(self, issuer="https://idp.example.fr/", token=TOKEN):
        self.issuer = issuer
        self.token = token
        self.key = jose.SigningKey("ES256")
        self.server = Upstream()
        self.server.answer = self._answer
        self.lock = threading.Lock()
        # What waits to be polled, by `jti`, and what was said of what did.
        self.waiting = {}
        self.acknowledged = []
        self.errors = {}
        self.polls = []
        # The questions whether the stream lives; answered at once unless told otherwise.
        self.questions = []
        self.verifies = True
        # Whether acknowledgements never arrive.
        self.deaf = False
        self.status = 200

    def close(self):
        self.server.close()

    def rule(self, folder, name="psc", push=True, poll=False, verify=False, **more):
        """How a gate's configuration names this stream."""
        (folder / f"{name}.keys.json").write_text(json.dumps({"keys": [self.key.jwk()]}))
        token = secret_file(folder, f"{name}.token", self.token + "\n")
        rule = {"name": name, "issuer": self.issuer, "audience": AUDIENCE,
                "keys": f"{name}.keys.json"}
        if push:
            rule["push"] = {"path": f"/.herse/signals/{name}", "bearer_token_file": token}
        if poll:
            rule["poll"] = {"url": self.server.url + "/poll", "bearer_token_file": token,
                            "every": "1s"}
        if verify:
            rule |= {"verification_url": self.server.url + "/verify", "stream_id": "stream-1",
                     "verification_token_file": token, "verify_every": verify}
        return rule | more

    # Events.

    def claims(self, event, subject, about=None, **more):
        """The claims of an event; one given as None is left out."""
        if isinstance(subject, str):
            subject = {"format": "iss_sub", "iss": self.issuer, "sub": subject}
        claims = {
            "iss": self.issuer, "aud": AUDIENCE, "iat": int(time.time()),
            "jti": secrets.token_hex(12), "sub_id": subject,
            "events": {event: about or {}}, **more,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims, key=None, kind="secevent+jwt", **head):
        key = key or self.key
        return jose.signed(jose.header(key, kind=kind, **head), claims, key)

    def event(self, event, subject, about=None, **more):
        return self.sign(self.claims(event, subject, about, **more))

    def push(self, gate, token, name="psc", bearer=None, listener="professionals", card=None,
             kind="application/secevent+jwt", **options):
        """Pushes a token, RFC 8935; the answer."""
        bearer = self.token if bearer is None else bearer
        fields = [f"Authorization: Bearer {bearer}"] if bearer else []
        body = token if isinstance(token, bytes) else token.encode()
        return gate.post(f"/.herse/signals/{name}", body, kind, card=card, fields=fields,
                         listener=listener, **options)

    def hold(self, token):
        """Has a token wait for the next poll; its `jti`."""
        name = jose.read(token)[1]["jti"]
        with self.lock:
            self.waiting[name] = token
        return name

    # What the gate asks.

    def _answer(self, request, peer):
        if request.fields.get("Authorization") != f"Bearer {self.token}":
            peer.send(answer(401, b"", reason="Unauthorized"))
            return
        told = json.loads(request.body)
        if request.target == "/verify":
            with self.lock:
                self.questions.append(told)
                if self.verifies:
                    claims = self.claims(
                        SSF + "verification", {"format": "opaque", "id": told["stream_id"]},
                        {"state": told["state"]})
                    self.waiting[claims["jti"]] = self.sign(claims)
            peer.send(answer(204, b"", reason="No Content"))
            return
        with self.lock:
            self.polls.append(told)
            for name in told.get("ack", []) if not self.deaf else ():
                self.waiting.pop(name, None)
                self.acknowledged.append(name)
            for name, error in told.get("setErrs", {}).items():
                self.waiting.pop(name, None)
                self.errors[name] = error
            sets = dict(list(self.waiting.items())[: told.get("maxEvents", 100)])
        body = json.dumps({"sets": sets, "moreAvailable": len(sets) < len(self.waiting)}).encode()
        peer.send(answer(self.status, body, ["Content-Type: application/json"]))


class Receiver:
    """Takes the events that a gate transmits."""

    def __init__(self, port=None):
        self.port = port or free_port()
        self.server = None
        self.tokens = []
        self.heads = []
        # What is answered: a status, or a function of the request.
        self.reply = lambda request: (202, b"")

    def start(self):
        self.server = Upstream(port=self.port)
        self.server.answer = self._answer
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/events"

    def rule(self, folder, name="idp", **more):
        return {"name": name, "url": self.url, "audience": "https://idp.example.fr/",
                "bearer_token_file": secret_file(folder, f"{name}.out", "to-the-idp"), **more}

    def _answer(self, request, peer):
        status, body = self.reply(request)
        if status == 202:
            assert request.fields.get("Authorization") == "Bearer to-the-idp"
            assert request.fields.get("Content-Type") == "application/secevent+jwt"
            self.tokens.append(request.body.decode())
        peer.send(answer(status, body, ["Content-Type: application/json"]))

    def events(self):
        """Event and subject of what was taken, in order."""
        told = []
        for token in list(self.tokens):
            claims = jose.read(token)[1]
            (event,) = claims["events"]
            told.append((event.rpartition("/")[2], claims["sub_id"]["sub"]))
        return told

    def close(self):
        if self.server:
            self.server.close()
