"""An issuer of tokens and identity provider whose every answer a test decides.

One folder of one server: discovery, keys, introspection, authorization, token, userinfo and end of
session, over TLS with a certificate of the throw-away PKI. It signs whatever it is told to.
"""

import base64
import json
import secrets
import ssl
import threading
import time
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives.serialization import Encoding

from . import jose
from .pki import PHYSICIAN
from .upstream import Upstream, answer

DISCOVERY = ".well-known/wallet-openid-configuration"


class Issuer:
    """One issuer; `keys` are those it publishes, and the first signs."""

    def __init__(self, pki, path="/realms/esante-wallet", algorithm="ES256", client="herse",
                 secret="a client's secret", wants_certificate=False):
        self.pki = pki
        self.path = path
        self.client = client
        self.secret = secret
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.path("server.pem"), pki.path("server.key"))
        if wants_certificate:
            context.load_verify_locations(pki.path("client-authorities.pem"))
            context.verify_mode = ssl.CERT_REQUIRED
        self.server = Upstream(tls=context)
        self.server.answer = self._answer
        self.keys = [jose.SigningKey(algorithm)]
        self.lock = threading.Lock()
        self.codes = {}
        self.tokens = {}
        # Called with request and peer instead of what stands at a path, by the path's last part.
        self.instead = {}
        # What of the metadata is changed; a value of None leaves a member out.
        self.metadata = {}
        # What the next id tokens say, and the userinfo.
        self.id_claims = {}
        self.user_claims = {}
        # Makes the id token of its claims, for one that is no good.
        self.id_token = None
        # What the token endpoint adds to its answer, and the redirect to the gate to its query.
        self.token_answer = {}
        self.redirect_query = {}
        # What introspection says of a token: a dictionary, or a function of the token.
        self.introspection = self._known
        self.professional = PHYSICIAN

    # Addresses.

    @property
    def base(self):
        return self.server.url

    @property
    def url(self):
        return self.base + self.path

    def address(self, name):
        return f"{self.url}/protocol/openid-connect/{name}"

    @property
    def discovery(self):
        return f"{self.url}/{DISCOVERY}"

    def rule(self, name="psc", tokens=True, **more):
        """How a gate's configuration names it; `tokens` holds more of its rules, or is False."""
        rule = {
            "name": name, "issuer": self.url, "discovery": self.discovery,
            "authorities": str(self.pki.path("root-ca.pem")), "professional_id": "SubjectNameID",
        }
        if tokens is not False:
            rule["tokens"] = {"audience": ["https://gate.example.fr"],
                              **({} if tokens is True else tokens)}
        rule.update(more)
        return {key: value for key, value in rule.items() if value is not None}

    # What it signs.

    def claims(self, **more):
        """What an access token of a professional says; a claim given as None is left out."""
        now = int(time.time())
        professional = more.pop("professional", self.professional)
        claims = {
            "iss": self.url, "sub": f"f:550dc1c8:{professional}", "typ": "Bearer",
            "aud": ["https://gate.example.fr"], "iat": now, "exp": now + 120,
            "jti": secrets.token_hex(12), "azp": "a-vendor", "sid": secrets.token_hex(12),
            "auth_time": now, "acr": "eidas1", "authMode": "CARD", "scope": "openid scope_all",
            "SubjectNameID": professional, "preferred_username": professional, **more,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key=None, head=None, **claims):
        """An access token; `head` changes its header."""
        key = key or self.keys[0]
        return jose.signed(jose.header(key, **(head or {})), self.claims(**claims), key)

    def bound_to_certificate(self, card, hexadecimal=False, **claims):
        der = self.pki.certificate(card).public_bytes(Encoding.DER)
        told = jose.certificate_thumbprint(der, hexadecimal)
        return self.token(cnf={"x5t#S256": told}, **claims)

    def bound_to_key(self, key, **claims):
        return self.token(cnf={"jkt": key.thumbprint()}, **claims)

    def opaque(self, **claims):
        """A token that says nothing itself; introspection knows it."""
        token = secrets.token_urlsafe(32)
        self.tokens[token] = {"active": True, **self.claims(**claims)}
        return token

    def logout_token(self, key=None, head=None, **more):
        """What tells the gate that a session is over, OpenID Connect Back-Channel Logout §2.4."""
        key = key or self.keys[0]
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": self.client, "iat": now, "exp": now + 120,
            "jti": secrets.token_hex(8),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}}, **more,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jose.signed(jose.header(key, **{"kind": "logout+jwt", **(head or {})}), claims, key)

    def rotate(self, keep_old=False, algorithm=None):
        """Signs with a new key from now on; returns it."""
        key = jose.SigningKey(algorithm or self.keys[0].algorithm)
        self.keys = [key, *(self.keys if keep_old else [])]
        return key

    # What was asked of it.

    def asked(self, name):
        """The requests for what stands at `name`."""
        return [request for request in list(self.server.requests)
                if urlsplit(request.target).path.rpartition("/")[2] == name]

    def count(self, name):
        return len(self.asked(name))

    def forget(self):
        self.server.requests = []

    # Failing.

    def break_off(self, name, how=None):
        """From now on `name` fails: the connection ends, or `how` answers."""
        self.instead[name] = how or (lambda request, peer: peer.close())

    def mend(self, name=None):
        if name is None:
            self.instead.clear()
        else:
            self.instead.pop(name, None)

    def close(self):
        self.server.close()

    def go_down(self):
        """Listens no more; `come_back` listens on the same port."""
        self.server.close()

    def come_back(self):
        old = self.server
        self.server = Upstream(tls=old.tls, port=old.port)
        self.server.answer = self._answer

    # Answers.

    def _answer(self, request, peer):
        name = urlsplit(request.target).path.rpartition("/")[2]
        if name in self.instead:
            self.instead[name](request, peer)
            return
        handlers = {
            DISCOVERY.rpartition("/")[2]: self._discovery,
            "openid-configuration": self._discovery, "certs": self._keys,
            "introspect": self._introspect, "auth": self._authorize, "token": self._token,
            "userinfo": self._userinfo, "logout": self._end_session,
        }
        handler = handlers.get(name)
        if handler is None or not request.target.startswith(self.path):
            peer.send(answer(404, b"{}", ["Content-Type: application/json"], "Not Found"))
            return
        peer.send(handler(request))

    def describe(self):
        members = {
            "issuer": self.url, "jwks_uri": self.address("certs"),
            "authorization_endpoint": self.address("auth"),
            "token_endpoint": self.address("token"),
            "userinfo_endpoint": self.address("userinfo"),
            "end_session_endpoint": self.address("logout"),
            "introspection_endpoint": self.address("token/introspect"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "grant_types_supported": ["authorization_code"],
            "id_token_signing_alg_values_supported": [self.keys[0].algorithm],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "backchannel_logout_supported": True, "backchannel_logout_session_supported": True,
            "authorization_response_iss_parameter_supported": True, **self.metadata,
        }
        return {name: value for name, value in members.items() if value is not None}

    def _discovery(self, request):
        return as_json(self.describe())

    def _keys(self, request):
        return as_json({"keys": [key.jwk() for key in self.keys]})

    def _known(self, token):
        return self.tokens.get(token, {"active": False})

    def is_our_client(self, request):
        """Whether the client's id and secret came, by either of the ways it may choose."""
        form = dict(parse_qsl(request.body.decode()))
        if told := request.fields.get("Authorization"):
            pair = base64.b64decode(told.removeprefix("Basic ")).decode()
            return [unquote_plus(half) for half in pair.split(":", 1)] == [self.client, self.secret]
        return (form.get("client_id"), form.get("client_secret")) == (self.client, self.secret)

    def _introspect(self, request):
        if not self.is_our_client(request):
            return as_json({"error": "invalid_client"}, 401)
        token = parse_qs(request.body.decode()).get("token", [""])[0]
        told = self.introspection
        return as_json(told(token) if callable(told) else told)

    def _authorize(self, request):
        """Signs in at once: whoever is asked for is there already."""
        query = dict(parse_qsl(urlsplit(request.target).query))
        code = secrets.token_urlsafe(16)
        with self.lock:
            self.codes[code] = query
        back = {"code": code, "state": query.get("state", ""), "iss": self.url,
                **self.redirect_query}
        back = {name: value for name, value in back.items() if value is not None}
        joint = "&" if "?" in query["redirect_uri"] else "?"
        return answer(302, b"", [f"Location: {query['redirect_uri']}{joint}{urlencode(back)}"])

    def _token(self, request):
        form = dict(parse_qsl(request.body.decode()))
        with self.lock:
            asked = self.codes.pop(form.get("code"), None)
        if not self.is_our_client(request):
            return as_json({"error": "invalid_client"}, 401)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return as_json({"error": "invalid_grant"}, 400)
        shown = jose.encode(jose.sha256(form.get("code_verifier", "").encode()))
        if asked.get("code_challenge_method") != "S256" or asked.get("code_challenge") != shown:
            return as_json({"error": "invalid_grant"}, 400)
        key = self.keys[0]
        access = self.token()
        claims = self.claims(**{
            "aud": self.client, "azp": self.client, "typ": "ID", "nonce": asked.get("nonce"),
            "scope": None, **self.id_claims})
        self.issued = claims
        self.tokens[access] = {"active": True, **claims}
        made = self.id_token(claims) if self.id_token else jose.signed(
            jose.header(key), claims, key)
        members = {"access_token": access, "token_type": "Bearer", "expires_in": 120,
                   "id_token": made, "scope": asked.get("scope"), **self.token_answer}
        return as_json({name: value for name, value in members.items() if value is not None})

    def _userinfo(self, request):
        claims = self.tokens.get(request.fields.get("Authorization", "").removeprefix("Bearer "))
        if claims is None:
            return as_json({"error": "invalid_token"}, 401)
        told = {"sub": claims["sub"], "SubjectNameID": claims.get("SubjectNameID"),
                **self.user_claims}
        return as_json({name: value for name, value in told.items() if value is not None})

    def _end_session(self, request):
        query = dict(parse_qsl(urlsplit(request.target).query))
        back = query.get("post_logout_redirect_uri")
        if not back:
            return answer(200, b"signed out", ["Content-Type: text/plain"])
        state = f"?{urlencode({'state': query['state']})}" if "state" in query else ""
        return answer(302, b"", [f"Location: {back}{state}"])


def as_json(value, status=200):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return answer(status, body, ["Content-Type: application/json", "Cache-Control: no-store"])
