# contestants.py: the gates that are measured, each configured for the same work.
#
# Every one of them: TLS 1.3 with a required client certificate verified against one authority,
# the professional's number taken out of it, a neutralization list of thousands consulted, requests
# counted per professional, identity headers set, connections to the backend kept alive. The peers
# keep no log; Herse has its durable record on. Where the work differs, Herse does more.

import hashlib
import os
import random
import re
import socket
import subprocess
from pathlib import Path

from contestant import ECHO, PAGE, PAGE_PATIENTS, Contestant, echo, first_line, listening
from machine import Process, Workshop

SUITES_13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
SUITES_12 = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"]


class HAProxy(Contestant):
    name, title = "haproxy", "HAProxy"

    def version(self) -> str:
        return first_line(["haproxy", "-v"]).split()[2]

    def command(self, folder: Path) -> list[str]:
        pki = self.setting.pki
        (folder / "neutralized.list").write_text("\n".join(self.setting.neutralized) + "\n")
        clients = f"ca-file {pki.authority} verify required"
        (folder / "haproxy.cfg").write_text(f"""
global
    nbthread 1
    maxconn {self.setting.connections}
    no strict-limits
    ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-bind-ciphersuites {":".join(SUITES_13)}
    ssl-default-bind-ciphers {":".join(SUITES_12)}
    ssl-default-bind-curves X25519:P-256:P-384
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1m
    timeout http-request 10s
    timeout http-keep-alive 1h
frontend professionals
    bind 127.0.0.1:{self.port} ssl crt {pki.server_both} alpn http/1.1 {clients}
    stick-table type string len 32 size 100k expire 1h store http_req_rate(1m)
    http-request set-var(txn.professional) ssl_c_s_dn(CN)
    acl neutralized var(txn.professional) -m str -f {folder}/neutralized.list
    http-request deny deny_status 403 if neutralized
    http-request track-sc0 var(txn.professional)
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 1000000000 }}
    http-request set-header X-Professional %[var(txn.professional)]
    http-request set-header X-Forwarded-Proto https
    option forwardfor
    default_backend mpi
backend mpi
    http-reuse always
    server mpi1 127.0.0.1:{self.setting.backend_port} maxconn 1000
""")
        # It wants two descriptors a connection, though idle ones hold one: what the limit gives
        # must do (`no strict-limits`). -db: one process, in the foreground.
        return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


def _nginx_frame(folder: Path, connections: int, http: str) -> list[str]:
    """One worker, in the foreground, all its files in `folder`."""
    (folder / "nginx.conf").write_text(f"""
{"user root;" if os.getuid() == 0 else ""}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections {2 * connections}; multi_accept on; }}
http {{
    access_log off;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{http}
}}
""")
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


class Nginx(Contestant):
    name, title = "nginx", "nginx"
    alone = ["-g", "master_process off;"]

    def version(self) -> str:
        return first_line(["nginx", "-v"]).split("/")[-1].split()[0]

    def command(self, folder: Path) -> list[str]:
        pki = self.setting.pki
        (folder / "neutralized.map").write_text(
            "".join(f"{professional} 1;\n" for professional in self.setting.neutralized))
        return _nginx_frame(folder, self.setting.connections, f"""
    map_hash_max_size 65536;
    map_hash_bucket_size 128;
    map $ssl_client_s_dn $professional {{ default ""; "~(?:^|[,+])CN=([^,+]+)" $1; }}
    map $professional $neutralized {{ default 0; include {folder}/neutralized.map; }}
    limit_req_zone $professional zone=professionals:10m rate=1000000r/s;
    upstream mpi {{
        server 127.0.0.1:{self.setting.backend_port};
        keepalive 256;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{self.port} ssl backlog=4096;
        ssl_certificate {pki.server_certificate};
        ssl_certificate_key {pki.server_key};
        ssl_client_certificate {pki.authority};
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers {":".join(SUITES_12)};
        ssl_conf_command Ciphersuites {":".join(SUITES_13)};
        ssl_ecdh_curve X25519:prime256v1:secp384r1;
        ssl_session_cache shared:sessions:10m;
        location / {{
            if ($neutralized) {{ return 403; }}
            limit_req zone=professionals burst=100000 nodelay;
            proxy_pass http://mpi;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Professional $professional;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
        }}
    }}""")


class Herse(Contestant):
    name, title = "herse", "Herse"
    #: The release executable; set before the first one is made.
    executable = Path("herse")
    #: Whether it was built from this very tree, and so is named by its commit.
    built_here = True

    def version(self) -> str:
        if not self.built_here:
            return f"sha256:{hashlib.sha256(self.executable.read_bytes()).hexdigest()[:12]}"
        done = subprocess.run(["git", "describe", "--always", "--dirty"], text=True, timeout=20,
                              cwd=Path(__file__).parent, capture_output=True)
        return done.stdout.strip() or "unversioned"

    def command(self, folder: Path) -> list[str]:
        pki = self.setting.pki
        accounts = [f"account {one} since=2026-01-01T00:00:00Z reason=credential-compromise"
                    for one in self.setting.neutralized]
        cards = [
            f"certificate sha256:{hashlib.sha256(b'card %d' % number).hexdigest()} reason=lost-card"
            for number in range(1, 501)
        ]
        networks = [f"network 198.51.100.{number}/32" for number in range(1, 21)]
        (folder / "neutralized.list").write_text("\n".join(accounts + cards + networks) + "\n")
        (folder / "herse.yaml").write_text(f"""
state: {folder}/state
control: {folder}/state/control.sock
workers: 1
listeners:
  - name: professionals
    address: 127.0.0.1:{self.port}
    tls:
      certificate: {pki.server_certificate}
      private_key: {pki.server_key}
      client_certificate: required
      client_authorities: [{pki.authority}]
identity_servers:
  - name: mpi
    endpoints: ["http://127.0.0.1:{self.setting.backend_port}"]
authentication:
  certificate:
    professional_id: CN
routes:
  - name: echo
    path: {ECHO}
    identity_server: mpi
    require: [certificate]
    limits: standard
  - name: fhir
    path: /fhir/
    identity_server: mpi
    lookups: fhir
    require: [certificate]
    limits: standard
limits:
  standard:
    - {{count: requests, limit: 100000000, per: 1m}}
    - {{count: requests, limit: 1000000000, per: 1h}}
    - {{count: requests, limit: 1000000000, per: 1d}}
    - {{count: patients, limit: 1000000000, per: 30d}}
neutralized: {folder}/neutralized.list
record: {{durable: before-delivery}}
""")
        return [str(self.executable), "serve", "-c", str(folder / "herse.yaml")]

    def is_ready(self) -> bool:
        return re.search(r"\bready\b", self.process.log.read_text(errors="replace")) is not None


def page(patient: str) -> str:
    """What a search finds: a searchset of different patients, each about as long as `patient`.

    Their identifiers have as little in common as real ones: entries of the record are packed."""
    entries, any_of = [], random.Random(14)
    for _ in range(PAGE_PATIENTS):
        number = any_of.randrange(1, 10**7)
        one = patient.replace('"id":"1"', f'"id":"{number}"') \
            .replace("255069999999934", f"{any_of.randrange(10**14, 3 * 10**14)}") \
            .replace("BENCH-000001", f"{any_of.randrange(10**12):012}")
        entries.append(f'{{"fullUrl":"http://localhost/fhir/Patient/{number}","resource":{one},'
                       '"search":{"mode":"match"}}')
    return (f'{{"resourceType":"Bundle","type":"searchset","total":{PAGE_PATIENTS},'
            f'"entry":[{",".join(entries)}]}}')


class Backend:
    """The identity server: nginx with one 1 KB FHIR Patient, the same for everybody, and a search
    that finds ten."""

    def __init__(self, workshop: Workshop, port: int, on: set[int]):
        self.port = port
        folder = workshop.folder / "backend"
        (folder / "www").mkdir(parents=True)
        self.patient = (Path(__file__).parent / "patient.json").read_text()
        (folder / "www" / "patient.json").write_text(self.patient)
        (folder / "www" / "page.json").write_text(page(self.patient))
        command = _nginx_frame(folder, 4096, f"""
    default_type application/fhir+json;
    open_file_cache max=16;
    sendfile on;
    tcp_nopush on;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {folder}/www;
        location = /status {{ stub_status; }}
        location = {ECHO} {{
            return 200 '{echo("$http_herse_professional$http_x_professional")}';
        }}
        location = {PAGE.partition("?")[0]} {{ try_files /page.json =404; }}
        location / {{ try_files /patient.json =404; }}
    }}""")
        self.process = Process(workshop, "backend", command, on)
        self.process.wait_until(lambda: listening(port), 10, "ready")

    def requests(self) -> int:
        """Requests answered so far, the one that asks included."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as plain:
            plain.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: plain.recv(65536), b"")).decode()
        # The third number of the line after "server accepts handled requests".
        return int(answer.partition("requests\n")[2].split()[2])


CONTESTANTS: dict[str, type[Contestant]] = {one.name: one for one in (Herse, HAProxy, Nginx)}
