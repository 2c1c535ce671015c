"""idpyoidc as an identity provider: a real one, with its own reading of the specifications.

`Provider` starts it as a process of its own and stops it. Run as a program, this file is that
process: the few pages and routes that the library leaves to whoever uses it.
"""

import http.client
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from .pki import PHARMACIST, PHYSICIAN
from .ports import free_port
from .visitor import Visitor
from .waiting import until

# Name and password; whom the userinfo says they are.
PEOPLE = {"isabelle": ("isabelle's password", PHYSICIAN), "carole": ("carole's", PHARMACIST)}
LOW, HIGH = "eidas1", "eidas3"


class Provider:
    """One running provider at https://127.0.0.1:PORT, with the gate as its only client."""

    def __init__(self, pki, redirect, client="herse",
                 # Of unreserved letters: the library does not decode it, RFC 6749 §2.3.1.
                 secret="a-secret-of-thirty-two-bytes-or-so", back_channel=None, after=None,
                 discovery=".well-known/openid-configuration"):
        self.pki = pki
        self.client = client
        self.secret = secret
        self.folder = Path(tempfile.mkdtemp(prefix="herse-op-"))
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.discovery = f"{self.url}/{discovery}"
        settings = {
            "issuer": self.url, "port": self.port, "folder": str(self.folder), "client": client,
            "secret": secret, "redirect": redirect, "back_channel": back_channel, "after": after,
            "certificate": str(pki.path("server.pem")), "key": str(pki.path("server.key")),
            "authorities": str(pki.path("root-ca.pem")),
        }
        (self.folder / "settings.json").write_text(json.dumps(settings))
        self.log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.oidc", self.folder / "settings.json"],
            cwd=Path(__file__).resolve().parents[1], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log)
        try:
            until(self.answers, within=20, what="idpyoidc answers", every=0.1)
        except AssertionError:
            self.stop()
            raise AssertionError(f"idpyoidc does not run:\n{self.text()[-3000:]}") from None

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"idpyoidc ended:\n{self.text()[-3000:]}")
        try:
            return Visitor(self.pki, None).get(self.discovery).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def text(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def sign_in(self, visitor, page, name="isabelle", password=None):
        """Fills in the form of the provider, and goes where it leads."""
        form = page.form("username", "password")
        return visitor.submit(page, form, username=name, password=password or PEOPLE[name][0])


# The program.

FORM = """<!doctype html><title>{{ page_header }}</title>
<form method="post" action="{{ action }}"><input type="hidden" name="token" value="{{ token }}">
<label>Name <input name="username"></label>
<label>Password <input type="password" name="password"></label>
<button>Sign in</button></form>"""

LEAVE = """<!doctype html><title>Leave</title><form method="post" action="/rp_logout">
<input type="hidden" name="sjwt" value="{sjwt}"><input type="hidden" name="logout" value="all">
<button>Sign out everywhere</button></form>"""


def configured(settings):
    """The library's settings: two ways to sign in, one for each level."""
    issuer = settings["issuer"]
    confidential = {"client_authn_method": ["client_secret_post", "client_secret_basic"]}

    def endpoint(path, kind, **options):
        return {"path": path, "class": f"idpyoidc.server.{kind}", "kwargs": options}

    def method(acr):
        return {
            "acr": acr, "class": "idpyoidc.server.user_authn.user.UserPassJinja2",
            "kwargs": {
                "verify_endpoint": f"/verify/{acr}", "template": "form.html",
                "db": {"class": "idpyoidc.server.util.JSONDictDB",
                       "kwargs": {"filename": f"{settings['folder']}/passwords.json"}},
            },
        }

    claims = {"SubjectNameID": {"essential": True}}
    return {
        "issuer": issuer,
        "httpc_params": {"verify": settings["authorities"], "timeout": 10},
        "keys": {"uri_path": "jwks", "key_defs": [
            {"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]},
        "add_on": {"pkce": {"function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                            "kwargs": {"essential": True, "code_challenge_method": "S256"}}},
        "authentication": {LOW: method(LOW), HIGH: method(HIGH)},
        "capabilities": {"subject_types_supported": ["public"],
                         "grant_types_supported": ["authorization_code", "refresh_token"]},
        "claims_interface": {"class": "idpyoidc.server.session.claims.ClaimsInterface",
                             "kwargs": {}},
        "authz": {"class": "idpyoidc.server.authz.AuthzHandling", "kwargs": {"grant_config": {
            "usage_rules": {
                "authorization_code": {"supports_minting": ["access_token", "id_token"],
                                       "max_usage": 1},
                "access_token": {}},
            "expires_in": 3600}}},
        "cookie_handler": {
            "class": "idpyoidc.server.cookie_handler.CookieHandler",
            "kwargs": {"keys": {"key_defs": [{"type": "OCT", "use": ["enc"], "kid": "enc"},
                                             {"type": "OCT", "use": ["sig"], "kid": "sig"}]},
                       "name": {"session": "op", "register": "op_rp",
                                "session_management": "op_sm"}}},
        "endpoint": {
            "provider_config": endpoint(
                ".well-known/openid-configuration",
                "oidc.provider_config.ProviderConfiguration", client_authn_method=None),
            "authorization": endpoint(
                "authorization", "oidc.authorization.Authorization", client_authn_method=None,
                response_types_supported=["code"], response_modes_supported=["query"]),
            "token": endpoint("token", "oidc.token.Token", **confidential),
            "introspection": endpoint(
                "introspection", "oauth2.introspection.Introspection", **confidential,
                release=["username"]),
            "userinfo": endpoint("userinfo", "oidc.userinfo.UserInfo"),
            "end_session": endpoint(
                "session", "oidc.session.Session", logout_verify_url=f"{issuer}/verify_logout",
                post_logout_uri_path="post_logout", signing_alg="ES256",
                backchannel_logout_supported=True, backchannel_logout_session_supported=True),
        },
        "template_dir": f"{settings['folder']}/templates",
        "token_handler_args": {
            "code": {"kwargs": {"lifetime": 60}},
            "token": {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {
                "lifetime": 300, "aud": ["https://gate.example.fr"], "with_jti": True,
                "base_claims": claims}},
            "id_token": {"class": "idpyoidc.server.token.id_token.IDToken",
                         "kwargs": {"lifetime": 300, "base_claims": claims}},
        },
        "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": {
            name: {"SubjectNameID": professional}
            for name, (_, professional) in PEOPLE.items()}}},
        "scopes_to_claims": {"openid": ["sub", "SubjectNameID"]},
    }


def made(settings):
    """The library's server, which knows one client."""
    from idpyoidc.server import Server
    from idpyoidc.server.configure import OPConfiguration

    folder = Path(settings["folder"])
    (folder / "templates").mkdir()
    (folder / "templates" / "form.html").write_text(FORM)
    (folder / "passwords.json").write_text(
        json.dumps({name: password for name, (password, _) in PEOPLE.items()}))
    server = Server(OPConfiguration(conf=configured(settings), base_path=str(folder)))
    client = {
        "client_id": settings["client"], "client_secret": settings["secret"],
        "redirect_uris": [(settings["redirect"], {})], "response_types": ["code"],
        "response_types_supported": ["code"], "allowed_scopes": ["openid"],
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "ES256",
        "scopes_to_claims": {"openid": ["sub", "SubjectNameID"]},
    }
    if settings["back_channel"]:
        client["backchannel_logout_uri"] = settings["back_channel"]
        client["backchannel_logout_session_required"] = True
    if settings["after"]:
        client["post_logout_redirect_uri"] = [(settings["after"], {})]
    server.context.cdb[settings["client"]] = client
    # Who signs out comes with a browser, not as a client; the library would want both.
    server.endpoint["session"].client_authentication = lambda *_, **__: None
    server.keyjar.add_symmetric(settings["client"], settings["secret"])
    return server


def handler_of(server):
    """The routes, as the handler of an HTTP server."""
    from http.cookies import SimpleCookie
    from http.server import BaseHTTPRequestHandler
    from urllib.parse import parse_qsl, urlsplit

    from idpyoidc.message.oidc import AccessTokenRequest, AuthorizationRequest
    from idpyoidc.server.oidc.token import Token

    context = server.context
    routes = {f"/{endpoint.endpoint_path}": endpoint for endpoint in server.endpoint.values()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self, status, body="", fields=(), cookies=()):
            data = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            for name, value in fields:
                self.send_header(name, value)
            for cookie in [cookies] if isinstance(cookies, dict) else cookies:
                text = f"{cookie['name']}={cookie['value']}; Path=/; Secure; HttpOnly"
                if "max-age" in cookie or "max_age" in cookie:
                    text += f"; Max-Age={cookie.get('max-age', cookie.get('max_age'))}"
                self.send_header("Set-Cookie", text)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def body(self):
            return self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()

        def do_GET(self):
            self.serve(dict(parse_qsl(urlsplit(self.path).query)))

        def do_POST(self):
            self.serve(dict(parse_qsl(self.body())))

        def serve(self, told):
            path = urlsplit(self.path).path
            if path == "/jwks":
                self.reply(200, server.keyjar.export_jwks_as_json(),
                           [("Content-Type", "application/json")])
            elif path.startswith("/verify/"):
                self.signed_in(path.rpartition("/")[2], told)
            elif path == "/verify_logout":
                self.reply(200, LEAVE.format(sjwt=told["sjwt"]), [("Content-Type", "text/html")])
            elif path == "/rp_logout":
                self.leave(told)
            elif path in routes:
                self.ask(routes[path], told)
            else:
                self.reply(404, "no such page", [("Content-Type", "text/plain")])

        def ask(self, endpoint, told):
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
            about = {
                "headers": {name.lower(): value for name, value in self.headers.items()
                            if name.lower() not in ("cookie", "user-agent")},
                "method": self.command, "url": f"{server.issuer}{self.path}",
                "cookie": [{"name": name, "value": morsel.value}
                           for name, morsel in cookies.items()],
            }
            asked = endpoint.parse_request(told, http_info=about)
            if "error" in asked:
                self.reply(400, asked.to_json(), [("Content-Type", "application/json")])
                return
            if isinstance(endpoint, Token):
                asked = AccessTokenRequest(**asked)
            made = endpoint.process_request(asked, http_info=about)
            if "redirect_location" in made:
                self.reply(302, "", [("Location", made["redirect_location"])])
            elif "http_response" in made:
                self.reply(200, made["http_response"], [("Content-Type", "text/html")])
            else:
                self.finish_with(endpoint, asked, made)

        def finish_with(self, endpoint, asked, made):
            error = made.get("error", "")
            rest = {name: value for name, value in made.items() if name != "error"}
            info = endpoint.do_response(request=asked, error=error, **rest)
            where = info.get("response_placement", endpoint.response_placement)
            cookies = info.get("cookie", ())
            if where == "url":
                self.reply(302, "", [("Location", info["response"])], cookies)
            else:
                self.reply(info.get("response_code", 400 if error else 200), info["response"],
                           info["http_headers"], cookies)

        def signed_in(self, acr, told):
            method = context.authn_broker.get_method_by_id(acr)
            name = method.verify(username=told["username"], password=told["password"])
            kept = method.unpack_token(told["token"])
            asked = AuthorizationRequest().from_urlencoded(kept["query"])
            endpoint = server.endpoint["authorization"]
            session = endpoint.create_session(
                asked, name, kept["authn_class_ref"], kept["iat"], method)
            self.finish_with(
                endpoint, asked, endpoint.authz_part2(request=asked, session_id=session))

        def leave(self, told):
            endpoint = server.endpoint["session"]
            info = endpoint.unpack_signed_jwt(told["sjwt"])
            endpoint.do_verified_logout(alla="logout" in told, **info)
            self.reply(302, "", [("Location", info["redirect_uri"])], endpoint.kill_cookies())

        def handle_one_request(self):
            # What the library does not like it throws; whoever asked gets 400, the log the rest.
            try:
                super().handle_one_request()
            except Exception:
                import traceback

                traceback.print_exc()
                self.close_connection = True
                self.reply(400, "refused", [("Content-Type", "text/plain")])

    return Handler


def serve(path):
    import logging
    import ssl
    from http.server import ThreadingHTTPServer

    logging.basicConfig(level=logging.WARNING)
    settings = json.loads(Path(path).read_text())
    listener = ThreadingHTTPServer(("127.0.0.1", settings["port"]), handler_of(made(settings)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings["certificate"], settings["key"])
    listener.socket = context.wrap_socket(
        listener.socket, server_side=True, do_handshake_on_connect=False)
    listener.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1])
