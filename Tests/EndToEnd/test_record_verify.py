"""The record of a real gate, verified, attacked, and read by a program that shares nothing with it."""

import base64
import hashlib
import hmac
import json
import re
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.fhir import identity

FORMAT = (Path(__file__).parents[2] / "Sources/Gate/Documentation.docc/RecordFormat.md").read_text()


def decoded(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


def root(leaves):
    """RFC 6962 section 2.1, as it is written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


SUITE = b"HPKE" + bytes.fromhex("002000010002")


def extract(salt, label, key, suite):
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, "sha256")


def expand(secret, label, info, count, suite):
    """One block of HKDF-Expand: never more than 32 bytes are asked for."""
    labelled = count.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(secret, labelled + b"\1", "sha256")[:count]


def hpke_open(private, encapsulated, sealed, info, aad):
    """RFC 9180 in base mode: X25519, HKDF-SHA256, AES-256-GCM."""
    kem = b"KEM" + bytes.fromhex("0020")
    shared = private.exchange(x25519.X25519PublicKey.from_public_bytes(encapsulated))
    public = private.public_key().public_bytes_raw()
    secret = expand(extract(b"", b"eae_prk", shared, kem), b"shared_secret",
                    encapsulated + public, 32, kem)
    context = (b"\0" + extract(b"", b"psk_id_hash", b"", SUITE)
               + extract(b"", b"info_hash", info, SUITE))
    inner = extract(secret, b"secret", b"", SUITE)
    key = expand(inner, b"key", context, 32, SUITE)
    nonce = expand(inner, b"base_nonce", context, 12, SUITE)
    return AESGCM(key).decrypt(nonce, sealed, aad)


def unpacked(text):
    """What was sealed, with the words that the documentation of the format gives."""
    if text[:1] != b"\1":
        return text
    words = re.search(r"```words\n(.*?)\n```", FORMAT, re.DOTALL)[1].replace("\n", "").encode()
    inflater = zlib.decompressobj(wbits=-15, zdict=words)
    plain = inflater.decompress(text[1:])
    assert inflater.eof and not inflater.unused_data
    return plain


def lines(gate):
    """All lines of a record whose gate has stopped."""
    return [line for path in sorted((gate.folder / "state" / "record").glob("*.jsonl"))
            for line in path.read_bytes().split(b"\n") if line]


@pytest.fixture
def sealed(lookup_gate, make_gate, config, patients, pki):
    """A gate with a sealed record of six lookups over two lives, stopped; and the auditor's key."""
    config["record"] = {"auditors": ["anne.pub.pem"], "origin": "test.example/record"}
    gate = make_gate(config, start=False)
    gate.do("record", "keys", "new", "anne", "-o", gate.folder, config=False)
    for life in range(2):
        gate.start()
        for number in range(3):
            assert gate.get(f"/fhir/Patient/{identity(3 * life + number + 1)}").status == 200
        gate.stop()
    return gate, gate.folder / "anne.key.pem"


def verify(gate, *options):
    return gate.run("record", "verify", *options)


def test_an_untouched_record_is_intact(sealed):
    gate, key = sealed
    found = verify(gate, "--auditor-key", key, "--json")
    assert found.code == 0, found
    report = found.json()
    assert report["intact"] and report["sealed"] == report["opened"] >= 6
    assert report["entries"] == len(lines(gate)) and report["unsigned"] == 0
    assert verify(gate).code == 0
    assert verify(gate, "--key", report["key"]).code == 0


def test_nobody_reads_it_without_the_key(sealed):
    gate, _ = sealed
    told = b"".join(lines(gate))
    assert b"8997" not in told and b"Patient" not in told and b"persons" not in told
    refused = gate.run("record", "export", "--format", "jsonl", "-o", "-")
    assert refused.code == 1 and "--auditor-key" in refused.text


def test_another_program_verifies_and_opens_it(sealed):
    gate, key_file = sealed
    everything = lines(gate)
    auditor = serialization.load_pem_private_key(key_file.read_bytes(), None)
    opened, checkpoints, packed, segment_key = [], 0, 0, None
    for number, line in enumerate(everything):
        said = json.loads(line)
        if "segment" in said:
            assert said["begins"] == number
            name, _, spelled = said["key"].split("+", 2)
            verifier = ed25519.Ed25519PublicKey.from_public_bytes(decoded(spelled)[1:])
            one = said["sealed_to"][0]
            segment_key = hpke_open(
                auditor, decoded(one["encapsulated"]), decoded(one["key"]),
                b"herse record segment key v1", f"{said['origin']}\n{said['segment']}".encode())
        elif "checkpoint" in said:
            text, signature = said["checkpoint"].split("\n\n")
            origin, size, spelled = text.split("\n")
            assert (origin, int(size)) == ("test.example/record", number)
            assert decoded(spelled) == root(everything[:number])
            verifier.verify(decoded(signature.split()[2])[4:], (text + "\n").encode())
            checkpoints += 1
        else:
            key = hmac.digest(segment_key, b"herse entry" + number.to_bytes(8, "big"), "sha256")
            text = AESGCM(key).decrypt(bytes(12), decoded(said["sealed"]), None)
            packed += text[:1] == b"\1"
            opened.append(json.loads(unpacked(text)))
    assert checkpoints >= 2 and packed >= 6
    shown = [entry for entry in opened if entry.get("decision") == "allow"]
    assert len(shown) == 6
    assert len({entry["professional"] for entry in shown}) == 1
    assert all(entry["identifiers"][0] for entry in shown)


@pytest.mark.parametrize("attack", ["change", "leave out", "cut", "swap", "segment"])
def test_what_was_touched_is_found(sealed, attack):
    gate, _ = sealed
    folder = gate.folder / "state" / "record"
    first, second = sorted(folder.glob("*.jsonl"))
    kept = first.read_bytes().split(b"\n")
    if attack == "change":
        kept[2] = kept[2][:40] + (b"A" if kept[2][40:41] != b"A" else b"B") + kept[2][41:]
        first.write_bytes(b"\n".join(kept))
    elif attack == "leave out":
        first.write_bytes(b"\n".join(kept[:2] + kept[3:]))
    elif attack == "swap":
        kept[1], kept[2] = kept[2], kept[1]
        first.write_bytes(b"\n".join(kept))
    elif attack == "cut":
        second.write_bytes(b"\n".join(second.read_bytes().split(b"\n")[:-3]) + b"\n")
    else:
        first.unlink()
    found = verify(gate, "--json")
    assert found.code == 1, found
    report = found.json()
    assert not report["intact"] and report["flaws"]
    if attack in ("change", "leave out"):
        assert report["first_bad_entry"] == 2
    if attack == "swap":
        assert report["first_bad_entry"] == 1
    assert "NOT INTACT" in verify(gate).text


def test_one_entry_is_proven_without_the_others(sealed, tmp_path):
    gate, key = sealed
    public = verify(gate, "--json").json()["key"]
    proof = tmp_path / "entry.proof"
    gate.do("record", "prove", "1", "-o", proof)
    told = gate.run("record", "check-proof", proof, "--key", public, config=False)
    assert told.code == 0 and "proven" in told.text and "sealed" in told.text
    gate.do("record", "prove", "1", "--reveal", "--auditor-key", key, "-o", proof)
    told = gate.run("record", "check-proof", proof, "--key", public, config=False)
    assert told.code == 0 and "899700" in told.text
    proof.write_text(proof.read_text().replace("index 1\n", "index 2\n"))
    assert gate.run("record", "check-proof", proof, "--key", public, config=False).code == 1
