"""Signed lists of others: taken from their issuer alone, within their scope, and never gone back."""

import base64
import functools
import http.server
import shutil
import ssl
import subprocess
import threading
import time

import pytest

from harness.pki import PHARMACIST, PHYSICIAN
from harness.waiting import until

pytestmark = pytest.mark.sanitized

STRANGER = "899700999990"


def openssl(*words, **options):
    return subprocess.run(
        ["openssl", *map(str, words)], check=True, capture_output=True, **options)


def when(seconds=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class Issuer:
    """Whoever signs lists, with real OpenSSL."""

    def __init__(self, folder, name="cert-sante"):
        self.folder = folder
        self.name = name
        self.sequence = 0
        self.key = self.new_key(name)

    def new_key(self, name):
        key = self.folder / f"{name}.key"
        openssl("genpkey", "-algorithm", "ed25519", "-out", key)
        openssl("pkey", "-in", key, "-pubout", "-out", self.public(key))
        return key

    def public(self, key=None):
        return (key or self.key).with_suffix(".pub.pem")

    def text(self, *lines, sequence=None, name=None, issued=None, more=()):
        self.sequence = sequence or self.sequence + 1
        head = ["herse-list 1", f"issuer {name or self.name}", f"sequence {self.sequence}",
                f"issued {issued or when()}", *more]
        return "\n".join([*head, "", *lines, ""])

    def sign(self, file, key=None):
        openssl("pkeyutl", "-sign", "-rawin", "-inkey", key or self.key, "-in", file,
                "-out", f"{file}.sig")

    def issue(self, *lines, key=None, file=None, **header):
        """A list and its signature beside it."""
        file = file or self.folder / "received.list"
        file.write_text(self.text(*lines, **header))
        self.sign(file, key)
        return file


@pytest.fixture
def issuer(tmp_path):
    return Issuer(tmp_path)


@pytest.fixture
def own(config, make_gate, issuer):
    """Makes a gate that takes the issuer's list; `rule` holds more of its rules."""
    def make(**rule):
        config["neutralization_lists"] = [{
            "name": issuer.name, "keys": [str(issuer.public())],
            "scope": {"kinds": ["account", "certificate", "network"]}, **rule}]
        return make_gate(config)

    return make


def add(gate, file, *words):
    return gate.run("lists", "add", file, "--as", "cert-sante", *words)


def is_refused(gate):
    """Whether the physician gets 403; a connection that is cut meanwhile says nothing yet."""
    try:
        return gate.get().status == 403
    except (ConnectionError, ssl.SSLError):
        return False


def shown(gate):
    return gate.run("lists", "show", "--json").json()[0]


def test_a_list_brought_by_hand_cuts_whom_it_names(own, issuer, upstream):
    gate = own()
    assert shown(gate)["state"] == "unknown" and gate.run("status").code == 3
    with gate.connect() as victim, gate.connect("pharmacist") as other:
        assert victim.get().status == other.get().status == 200
        added = add(gate, issuer.issue(f"account {PHYSICIAN} reason=campaign ticket=INC-7"))
        assert added.code == 0 and "1 connection" in added.out, added
        assert not victim.is_open() and other.get().status == 200
    assert gate.get().status == 403
    assert shown(gate)["state"] == "fresh" and shown(gate)["sequence"] == 1
    entry = gate.do("neutralized", PHYSICIAN, "--json").json()[0]
    assert entry["source"].startswith("cert-sante:") and entry["ticket"] == "INC-7"


def test_a_signature_in_base64_is_one_too(own, issuer, upstream):
    gate = own()
    file = issuer.issue(f"account {PHYSICIAN}")
    signature = file.with_name(file.name + ".sig")
    signature.write_bytes(base64.b64encode(signature.read_bytes()) + b"\n")
    assert add(gate, file).code == 0
    assert gate.get().status == 403


def forged_key(issuer):
    return issuer.issue(f"account {PHYSICIAN}", key=issuer.new_key("stranger"))


def changed_text(issuer):
    file = issuer.issue(f"account {STRANGER}")
    file.write_text(file.read_text().replace(STRANGER, PHYSICIAN))
    return file


def cut_signature(issuer):
    file = issuer.issue(f"account {PHYSICIAN}")
    signature = file.with_name(file.name + ".sig")
    signature.write_bytes(signature.read_bytes()[:-1])
    return file


def other_issuer(issuer):
    return issuer.issue(f"account {PHYSICIAN}", name="region-b")


def bad_line(issuer):
    return issuer.issue(f"account {PHYSICIAN}", "acount 8", f"account {STRANGER}")


def bad_header(issuer):
    return issuer.issue(f"account {PHYSICIAN}", issued="today")


def unknown_hash_key(issuer):
    return issuer.issue("account hmac-sha256:" + "0" * 64, more=["hash-key nobody-has"])


@pytest.mark.parametrize("make, words", [
    (forged_key, "by none of the keys"), (changed_text, "by none of the keys"),
    (cut_signature, "by none of the keys"), (other_issuer, "by issuer `region-b`"),
    (bad_line, "cert-sante:7:1: error: unknown kind of subject `acount`"),
    (bad_header, "`issued` is not a time"), (unknown_hash_key, "`hash_keys` does not have"),
], ids=lambda value: getattr(value, "__name__", None))
def test_what_is_not_the_issuers_or_no_list_is_refused_whole(
    own, issuer, upstream, make, words
):
    gate = own()
    assert add(gate, issuer.issue(f"account {STRANGER}")).code == 0
    refused = add(gate, make(issuer))
    assert refused.code == 1 and words in refused.text, refused
    assert "the one in force stays" in refused.text
    assert gate.get().status == 200
    assert gate.run("neutralized", STRANGER).code == 0
    assert words.split(": error")[0] in (shown(gate)["problem"] or "")


def test_an_earlier_list_is_not_played_back(own, issuer, upstream):
    gate = own()
    first = issuer.issue(f"account {STRANGER}", sequence=5, file=issuer.folder / "first")
    second = issuer.issue(
        f"account {STRANGER}", f"account {PHYSICIAN}", sequence=6, file=issuer.folder / "second")
    same = issuer.issue(f"account {STRANGER}", sequence=6, file=issuer.folder / "same")
    assert add(gate, first).code == add(gate, second).code == 0
    assert "6 has been accepted" in add(gate, first).text
    assert "another list with sequence 6" in add(gate, same).text
    assert add(gate, second).code == 0, "the very same is no other"
    gate.kill()
    gate.start()
    assert gate.get().status == 403
    assert "6 has been accepted" in add(gate, first).text
    # Nor when its key is trusted no longer and another one is.
    gate.do("lists", "trust", "cert-sante", "--key", issuer.public(), "--revoke")
    fresh = issuer.new_key("fresh")
    gate.do("lists", "trust", "cert-sante", "--key", issuer.public(fresh))
    gate.kill()
    gate.start()
    issuer.sign(first, fresh)
    assert "6 has been accepted" in add(gate, first).text


def test_what_its_scope_does_not_cover_is_not_in_force(own, issuer, upstream):
    gate = own(scope={"kinds": ["account"], "accounts": ["8997*"], "entries": 3})
    lines = [f"account {PHYSICIAN}", "account 012345678", "structure 10B0152872"]
    told = add(gate, issuer.issue(*lines))
    assert told.code == 0 and "2 lines outside its scope" in told.out
    assert gate.get().status == 403
    assert gate.run("neutralized", "012345678").code == 1
    assert shown(gate)["outside_scope"] == 2
    assert any("outside its scope" in line for line in gate.status()["degraded"])
    many = add(gate, issuer.issue(*lines, f"account {STRANGER}"))
    assert many.code == 1 and "its scope allows 3" in many.text


def test_a_list_says_itself_when_it_is_stale(own, issuer, upstream):
    gate = own()
    add(gate, issuer.issue(f"account {PHYSICIAN}", more=[f"next-update {when(2)}"]))
    assert shown(gate)["state"] == "fresh"
    until(lambda: shown(gate)["state"] == "stale", within=6)
    assert gate.run("lists", "show").code == 1 and gate.run("status").code == 3
    # Stale is not gone.
    assert gate.get().status == 403
    add(gate, issuer.issue())
    assert shown(gate)["state"] == "empty"
    assert gate.get().status == 200
    add(gate, issuer.issue(f"account {PHYSICIAN}", issued=when(-200_000)))
    assert shown(gate)["state"] == "stale", "older than `stale_after`"


@pytest.mark.parametrize("authority, restored", [
    ("lower", True), ("same", True), ("higher", False)])
def test_operators_reinstate_what_no_higher_authority_denies(
    own, issuer, upstream, authority, restored
):
    gate = own(authority=authority)
    add(gate, issuer.issue(f"account {PHYSICIAN}"))
    run = gate.run("reinstate", PHYSICIAN, "--reason", "verified by phone")
    assert (run.code == 0) == restored, run
    assert gate.get().status == (200 if restored else 403)
    if not restored:
        assert "authority is higher" in run.err
    # The same line in the next issue denies nobody anew; another line does.
    add(gate, issuer.issue(f"account {PHYSICIAN}", f"account {STRANGER}"))
    assert gate.get().status == (200 if restored else 403)
    add(gate, issuer.issue(f"account {PHYSICIAN} reason=again"))
    assert gate.get().status == 403


def test_a_higher_authority_reinstates_what_was_ordered_here(own, issuer, upstream):
    gate = own(authority="higher")
    gate.do("neutralize", PHYSICIAN, "--reason", "stolen card")
    line = f"reinstate account {PHYSICIAN} since="
    add(gate, issuer.issue(line + when(-3600)))
    assert gate.get().status == 403, "ordered after it"
    add(gate, issuer.issue(line + when(1)))
    until(lambda: gate.get().status == 200, within=5)


def test_a_hashed_account_names_nobody_and_cuts_the_right_one(own, issuer, upstream, tmp_path):
    key = tmp_path / "shared.key"
    key.write_bytes(openssl("rand", "-hex", "32").stdout)
    key.chmod(0o600)
    gate = own(hash_keys={"2026-a": str(key)})
    line = gate.run("lists", "hash", PHYSICIAN, "--key", key, config=False).out.strip()
    assert PHYSICIAN not in line
    with gate.connect() as victim, gate.connect("pharmacist") as other:
        assert victim.get().status == other.get().status == 200
        add(gate, issuer.issue(line, more=["hash-key 2026-a"]))
        assert not victim.is_open() and other.get().status == 200
    assert gate.get().status == 403
    assert gate.run("neutralized", PHYSICIAN).code == 0
    assert gate.run("neutralized", PHARMACIST).code == 1
    gate.do("reinstate", PHYSICIAN, "--reason", "verified by phone")
    assert gate.get().status == 200
    key.chmod(0o644)
    assert "others may read it" in gate.run("check").text


def test_a_list_signed_by_cms_is_verified_by_its_authority(config, make_gate, tmp_path, upstream):
    issuer = Issuer(tmp_path)

    def certificate(name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                "-days", "2", "-subj", f"/CN={name}", "-keyout", tmp_path / f"{name}.key",
                "-out", tmp_path / f"{name}.pem")

    certificate("authority")
    certificate("stranger")
    config["neutralization_lists"] = [{
        "name": "cert-sante", "signature": "cms",
        "authorities": [str(tmp_path / "authority.pem")], "scope": {"kinds": ["account"]}}]
    gate = make_gate(config)

    def issue(*lines, by="authority", form="DER"):
        file = tmp_path / "received.list"
        file.write_text(issuer.text(*lines))
        (tmp_path / "received.list.sig").unlink(missing_ok=True)
        openssl("cms", "-sign", "-binary", "-in", file, "-signer", tmp_path / f"{by}.pem",
                "-inkey", tmp_path / f"{by}.key", "-outform", form, "-out", f"{file}.p7s")
        return file

    assert add(gate, issue(f"account {STRANGER}")).code == 0
    assert add(gate, issue(f"account {PHYSICIAN}", form="PEM")).code == 0
    assert gate.get().status == 403
    refused = add(gate, issue(by="stranger"))
    assert refused.code == 1 and "by none of" in refused.text
    trusted = gate.run(
        "lists", "trust", "cert-sante", "--key", issuer.public())
    assert trusted.code == 1 and "change the configuration" in trusted.err
    gate.kill()
    gate.start()
    assert gate.get().status == 403


@pytest.fixture
def web(tmp_path):
    """A server of files that can be told to fail."""
    folder = tmp_path / "web"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}", server
    server.shutdown()
    server.server_close()


def test_a_list_is_fetched_ahead_and_kept_while_its_server_is_down(
    config, make_gate, issuer, upstream, web
):
    folder, url, server = web
    config["neutralization_lists"] = [{
        "name": issuer.name, "url": f"{url}/herse.list", "keys": [str(issuer.public())],
        "scope": {"kinds": ["account"]}, "every": "10s"}]
    issuer.issue(f"account {PHYSICIAN}", file=folder / "herse.list")
    gate = make_gate(config)
    until(lambda: shown(gate)["state"] == "fresh", within=10)
    until(lambda: is_refused(gate), within=5)
    issuer.issue(file=folder / "herse.list")
    fetched = gate.do("lists", "fetch", "--json").json()
    assert fetched[0]["sequence"] == 2 and fetched[0]["sequence_before"] == 1
    assert gate.get().status == 200
    issuer.issue(f"account {PHYSICIAN}", file=folder / "herse.list")
    with gate.connect() as victim:
        assert victim.get().status == 200
        fetched = gate.do("lists", "fetch", issuer.name)
        assert "1 connection" in fetched.out and not victim.is_open()
    (folder / "herse.list").write_text("nothing")
    assert gate.run("lists", "fetch").code == 1
    server.shutdown()
    server.server_close()
    failed = gate.run("lists", "fetch")
    assert failed.code == 1 and "cannot be fetched" in failed.text
    assert gate.get().status == 403
    gate.kill()
    gate.start()
    assert gate.get().status == 403, "kept over a restart"
    assert gate.run("lists", "fetch", "nobody").code == 1


def test_a_file_is_read_again_and_a_list_no_longer_configured_is_gone(
    config, make_gate, issuer, upstream
):
    file = issuer.issue(f"account {PHYSICIAN}")
    config["neutralization_lists"] = [{
        "name": issuer.name, "file": str(file), "keys": [str(issuer.public())],
        "scope": {"kinds": ["account"]}}]
    gate = make_gate(config)
    gate.do("lists", "fetch")
    assert gate.get().status == 403
    rules = gate.config.pop("neutralization_lists")
    gate.reload()
    assert gate.get().status == 200
    gate.config["neutralization_lists"] = rules
    gate.reload()
    assert gate.get().status == 403, "what was kept is in force with the configuration"


def test_another_key_is_trusted_at_once_and_for_good(own, issuer, upstream):
    gate = own()
    fresh = issuer.new_key("fresh")
    file = issuer.issue(f"account {PHYSICIAN}", key=fresh)
    assert add(gate, file).code == 1
    told = gate.do("lists", "trust", "cert-sante", "--key", issuer.public(fresh))
    assert told.out.count("sha256:") == 2
    assert add(gate, file).code == 0
    gate.kill()
    gate.start()
    assert gate.get().status == 403 and len(shown(gate)["keys"]) == 2
    gate.do("lists", "trust", "cert-sante", "--key", issuer.public(), "--revoke")
    assert add(gate, issuer.issue()).code == 1, "signed by the key that was revoked"
    gate.reload()
    assert len(shown(gate)["keys"]) == 1
    acts = [one for one in gate.record() if one.get("event") == "administration"]
    assert {"lists add", "lists trust", "lists trust --revoke"} <= {one["act"] for one in acts}
    assert gate.run("lists", "trust", "cert-sante", "--key", gate.file).code == 1


def test_what_cannot_be_kept_is_not_taken(own, issuer, upstream):
    gate = own()
    assert add(gate, issuer.issue(f"account {STRANGER}")).code == 0
    folder = gate.folder / "state" / "lists"
    shutil.rmtree(folder)
    folder.write_text("in the way")
    refused = add(gate, issuer.issue(f"account {PHYSICIAN}"))
    assert refused.code == 1 and "cannot be kept" in refused.text
    assert gate.get().status == 200


@pytest.mark.parametrize("rule, words", [
    ({"keys": []}, "a list signed by ed25519 needs `keys`"),
    ({"scope": {"kinds": []}}, "names no `kinds`"),
    ({"scope": {"kinds": ["accounts"]}}, "did you mean"),
    ({"scope": {"kinds": ["network"], "networks": ["203.0.113.1/24"]}}, "203.0.113.0/24"),
    ({"authority": "highest"}, "did you mean"),
    ({"url": "https://lists.example/l"}, "needs `tls_authorities`"),
    ({"authorities": ["x.pem"]}, "says nothing of a signature by ed25519"),
])
def test_a_wrong_rule_is_told_at_its_place(config, make_gate, issuer, rule, words):
    config["neutralization_lists"] = [{
        "name": issuer.name, "keys": [str(issuer.public())], "scope": {"kinds": ["account"]},
        **rule}]
    gate = make_gate(config, start=False)
    gate.write()
    run = gate.run("check")
    assert run.code == 1 and words in run.text, run
