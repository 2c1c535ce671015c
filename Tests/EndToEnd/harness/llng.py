"""LemonLDAP::NG from Debian as an identity provider, as hospitals run it.

Its demonstration backend knows three people; here they are professionals. Everything it writes
lies in a folder of its own. It refuses to run as root, and is then nobody. Version 2.16 has no back-channel
logout: that is tried with another provider.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .pki import PHARMACIST, PHYSICIAN
from .ports import free_port
from .visitor import Visitor
from .waiting import until

PEOPLE = {"dwho": PHYSICIAN, "rtyler": PHARMACIST, "msmith": "810002813839"}
PORTAL = "/usr/share/lemonldap-ng/portal"

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{}}
http {{
    include /etc/nginx/mime.types; access_log off;
    client_body_temp_path {folder}/tmp/body; proxy_temp_path {folder}/tmp/proxy;
    fastcgi_temp_path {folder}/tmp/fastcgi; uwsgi_temp_path {folder}/tmp/uwsgi;
    scgi_temp_path {folder}/tmp/scgi;
    # Authorization requests carry whole tokens in their query.
    large_client_header_buffers 8 32k;
    server {{
        listen 127.0.0.1:{port} ssl; server_name 127.0.0.1;
        ssl_certificate {certificate}; ssl_certificate_key {key};
        root {portal}/htdocs/;
        if ($uri !~ ^/((static|javascript|favicon).*|.*\\.psgi)) {{
            rewrite ^/(.*)$ /index.psgi/$1 break;
        }}
        location ~ ^(?<sc>/.*\\.psgi)(?:$|/) {{
            include /etc/nginx/fastcgi_params; fastcgi_pass unix:{folder}/fcgi.sock;
            fastcgi_param HTTP_HOST $host:{port}; fastcgi_param LLTYPE psgi;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_split_path_info ^(.*\\.psgi)(/.*)$; fastcgi_param PATH_INFO $fastcgi_path_info;
        }}
        location /static/ {{ alias {portal}/htdocs/static/; }}
    }}
}}
"""

SETTINGS = """
[all]
logLevel = {level}
logger = Lemonldap::NG::Common::Logger::Std
checkTime = 1
localSessionStorage = Cache::FileCache
localSessionStorageOptions = {{ 'namespace' => 'l', 'default_expires_in' => 600, 'cache_root' => '{folder}/cache', 'cache_depth' => 1 }}
[configuration]
type = File
dirName = {folder}/conf
localStorage = Cache::FileCache
localStorageOptions = {{ 'namespace' => 'c', 'default_expires_in' => 600, 'cache_root' => '{folder}/cache', 'cache_depth' => 1 }}
[portal]
templateDir = {portal}/templates
staticPrefix = /static
portalSkin = bootstrap
[handler]
[manager]
"""


def installed():
    """Whether Debian's packages are there."""
    return bool(shutil.which("llng-fastcgi-server", path="/usr/sbin:/usr/bin")
                and shutil.which("nginx", path="/usr/sbin:/usr/bin") and os.path.isdir(PORTAL))


class LemonLDAP:
    """One running provider; its issuer is `url`."""

    def __init__(self, pki, redirect, client="herse", secret="a-client-secret", after=None,
                 audience="https://gate.example.fr"):
        self.pki = pki
        self.client = client
        self.secret = secret
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.discovery = f"{self.url}/.well-known/openid-configuration"
        self.folder = Path(tempfile.mkdtemp(prefix="herse-llng-"))
        for name in ("conf", "sessions/lock", "psessions/lock", "osessions/lock", "cache", "tmp"):
            (self.folder / name).mkdir(parents=True)
        self.configure(redirect, after, audience)
        self.processes = []
        self.log = (self.folder / "log").open("w")
        try:
            self.start()
        except AssertionError as error:
            self.stop(keep=True)
            text = self.text()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise AssertionError(f"LemonLDAP::NG does not run: {error}\n{text}") from None

    def configure(self, redirect, after, audience):
        words = {
            "folder": self.folder, "port": self.port, "portal": PORTAL, "level": "warn",
            "certificate": self.pki.path("server.pem"), "key": self.pki.path("server.key"),
            # Only who starts as root may say whose its workers are.
            "user": "user root;" if os.geteuid() == 0 else "",
        }
        (self.folder / "nginx.conf").write_text(NGINX.format(**words))
        (self.folder / "lemonldap-ng.ini").write_text(SETTINGS.format(**words))
        (self.folder / "conf" / "lmConf-1.json").write_text(
            json.dumps(self.described(redirect, after, audience)))

    def described(self, redirect, after, audience):
        """Its configuration, of which it fills in what is missing."""
        key = rsa.generate_private_key(65537, 2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption()).decode()
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

        def storage(folder):
            return {"Directory": f"{self.folder}/{folder}",
                    "LockDirectory": f"{self.folder}/{folder}/lock"}

        def option(**values):
            return {f"oidcRPMetaDataOptions{name}": value for name, value in values.items()}

        made = "Lemonldap::NG::Common::Apache::Session::Generate::SHA256"
        whom = " : ".join(f"$uid eq '{name}' ? '{number}'" for name, number in PEOPLE.items())
        return {
            "cfgNum": 1, "cfgAuthor": "tests", "cfgDate": 1, "cfgVersion": "2.16.1", "domain": "127.0.0.1",
            "portal": f"{self.url}/", "securedCookie": 1, "cookieName": "lemonldap",
            "authentication": "Demo", "userDB": "Same", "registerDB": "Null",
            "passwordDB": "Null", "portalSkin": "bootstrap", "timeout": 72000,
            "demoExportedVars": {"cn": "cn", "mail": "mail", "uid": "uid"}, "exportedVars": {},
            "macros": {"_whatToTrace": "lc($_user)", "SubjectNameID": f"{whom} : ''"},
            "whatToTrace": "_whatToTrace", "groups": {}, "locationRules": {},
            "exportedHeaders": {}, "applicationList": {}, "notification": 0, "requireToken": 0,
            "portalCheckLogins": 0, "stayConnected": 0, "loginHistoryEnabled": 0,
            "globalStorage": "Apache::Session::File",
            "globalStorageOptions": {**storage("sessions"), "generateModule": made},
            "persistentStorage": "Apache::Session::File",
            "persistentStorageOptions": storage("psessions"),
            "oidcStorage": "Apache::Session::File",
            "oidcStorageOptions": {**storage("osessions"), "generateModule": made},
            "issuerDBOpenIDConnectActivation": 1, "issuerDBOpenIDConnectPath": "^/oauth2/",
            "oidcServiceMetaDataIssuer": self.url, "oidcServicePrivateKeySig": private,
            "oidcServicePublicKeySig": public, "oidcServiceKeyIdSig": "first",
            "oidcServiceAllowAuthorizationCodeFlow": 1,
            "oidcServiceAccessTokenExpiration": 300, "oidcServiceIDTokenExpiration": 300,
            "oidcServiceMetaDataAuthnContext": {"eidas1": 2, "eidas3": 5},
            "oidcRPMetaDataOptions": {"gate": option(
                ClientID=self.client, ClientSecret=self.secret, RedirectUris=redirect,
                IDTokenSignAlg="RS256", RequirePKCE=1, BypassConsent=1, AccessTokenJWT=1,
                AccessTokenSignAlg="RS256", PostLogoutRedirectUris=after or redirect,
                LogoutBypassConfirm=1, UserIDAttr="uid", IDTokenForceClaims=1,
                AccessTokenClaims=1, AdditionalAudiences=audience, AllowPasswordGrant=1)},
            "oidcRPMetaDataExportedVars": {"gate": {"SubjectNameID": "SubjectNameID"}},
            "oidcRPMetaDataOptionsExtraClaims": {"gate": {"scope_all": "SubjectNameID"}},
            "oidcRPMetaDataScopeRules": {"gate": {}}, "oidcRPMetaDataMacros": {"gate": {}},
        }

    def start(self):
        socket = self.folder / "fcgi.sock"
        trust = str(self.pki.path("root-ca.pem"))
        environment = {
            **os.environ, "LLNG_DEFAULTCONFFILE": str(self.folder / "lemonldap-ng.ini"),
            "SSL_CERT_FILE": trust, "PERL_LWP_SSL_CA_FILE": trust,
            "PATH": f"{os.environ['PATH']}:/usr/sbin",
        }
        # Would otherwise be whom it changes to.
        for name in ("USER", "GROUP"):
            environment.pop(name, None)
        command = ["llng-fastcgi-server", "--foreground", "--socket", str(socket), "--proc", "2",
                   "--pid", str(self.folder / "fcgi.pid")]
        if os.geteuid() == 0:
            command += ["--user", "nobody", "--group", "nogroup"]
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, "nobody", "nogroup")
        self.run(command, environment)
        until(lambda: socket.exists() or self.ended(), within=20, every=0.1,
              what="its FastCGI server listens")
        self.run(["nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)],
                 environment)
        until(self.answers, within=20, what="it answers", every=0.2)

    def run(self, command, environment):
        # A group of its own: both make children.
        self.processes.append(subprocess.Popen(
            command, env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True))

    def answers(self):
        assert not self.ended(), f"ended: {self.ended()}"
        try:
            page = Visitor(self.pki).get(self.discovery)
        except (OSError, http.client.HTTPException):
            return False
        return page.status == 200 and b"issuer" in page.body

    def ended(self):
        return [process.args[0] for process in self.processes if process.poll() is not None]

    def text(self):
        """The ends of its logs."""
        found = [self.folder / name for name in ("log", "error.log")]
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in found
                         if path.exists())

    def stop(self, keep=False):
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(5)
            except ProcessLookupError:
                pass
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.log.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def sign_in(self, visitor, page, name="dwho"):
        """Fills in the form of the portal, and goes where it leads."""
        form = page.form("user", "password")
        return visitor.submit(page, form, user=name, password=name)
