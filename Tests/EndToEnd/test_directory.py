"""The professionals' directory: two numbers of one person, who has left, who is not there."""

import csv
import io

import pytest

from harness.fhir import identity
from harness.pki import PHARMACIST, PHYSICIAN
from harness.strong import accept, bearing, keys_file
from harness.waiting import until

HEADER = ("Type d'identifiant PP|Identifiant PP|Identification nationale PP|Nom d'exercice|"
          "Code profession|Code catégorie professionnelle|Ancien identifiant de la structure|")

# Another number of the physician's.
ADELI = "0759907012"


def extract(*people):
    """An extract of the directory; `people` are national identifiers."""
    lines = [f"8|{one[1:]}|{one}|TEST|10|C|10B0152872|" for one in people]
    return "\n".join([HEADER, *lines]) + "\n"


def correspondence(*pairs):
    return "N° ADELI;N° RPPS\n" + "".join(f"{adeli};{rpps}\n" for adeli, rpps in pairs)


@pytest.fixture
def known(config, make_gate, issuer, upstream):
    """Makes a gate with these files of the directory; tokens pass as well as cards."""
    def make(files, start=True, limits=None, **rule):
        gate = make_gate(config, start=False)
        for name, text in files.items():
            (gate.folder / name).write_text(text)
        accept(config, issuer.rule(discovery=None, authorities=None,
                                   keys=keys_file(gate.folder, issuer)),
               require=("certificate", "token"))
        config["authentication"]["directory"] = {"files": sorted(files), **rule}
        if limits:
            config["limits"] = {"standard": limits}
        gate.write()
        return gate.start() if start else gate

    return make


def everybody(*more):
    return extract(PHYSICIAN, PHARMACIST, *more)


def ask(gate, token):
    return gate.get(card=None, fields=bearing(token))


def test_two_numbers_of_one_person_are_cut_by_either(known, issuer, upstream):
    rpps = PHYSICIAN
    gate = known({"a.txt": everybody(), "numbers.csv": correspondence((ADELI[1:], rpps[1:]))})
    token = issuer.token(professional=ADELI)
    assert ask(gate, token).status == 200
    # Counted, recorded and told under one number.
    assert upstream.requests[-1].fields["Herse-Professional"] == rpps
    assert gate.get().status == 200
    with gate.connect() as client:
        assert client.get("/fhir/Patient/1").status == 200
        done = gate.do("neutralize", f"account:{ADELI}", "--reason", "stolen", "--json").json()
        assert done["connections"] >= 1, done
        until(lambda: not client.is_open(), what="the card's connection is cut")
    assert gate.get().status == 403
    assert ask(gate, token).status == 403
    assert gate.get(card="pharmacist").status == 200


def test_two_numbers_of_one_person_share_their_limits(known, issuer):
    gate = known(
        {"a.txt": everybody(), "numbers.csv": correspondence((ADELI[1:], PHYSICIAN[1:]))},
        limits=[{"count": "requests", "limit": 3, "per": "1h"}])
    assert gate.get().status == 200
    assert ask(gate, issuer.token(professional=ADELI)).status == 200
    assert gate.get().status == 200
    assert gate.get().status == 429
    assert ask(gate, issuer.token(professional=ADELI)).status == 429


def test_who_has_left_is_refused(known, upstream):
    gate = known({"a.txt": everybody()}, left="refuse", unknown="refuse")
    assert gate.get().status == 200
    assert gate.get(card="pharmacist").status == 200
    (gate.folder / "a.txt").write_text(extract(PHYSICIAN))
    gate.do("reload")
    assert gate.get(card="pharmacist").status == 403
    assert gate.get().status == 200
    assert gate.newest(why="not-in-directory")


@pytest.mark.parametrize("unknown, status", [("refuse", 403), ("accept", 200)])
def test_who_is_unknown(known, unknown, status):
    gate = known({"a.txt": extract(PHYSICIAN, *(f"8{n:011d}" for n in range(5)))}, unknown=unknown)
    assert gate.get().status == 200
    assert gate.get(card="pharmacist").status == status


def test_a_bad_file_leaves_what_is_in_force(known):
    gate = known({"a.txt": everybody()}, unknown="refuse")
    (gate.folder / "a.txt").write_text("not a directory at all\n")
    run = gate.run("check")
    assert run.code == 1 and "a.txt:1:1: error:" in run.text, run
    run = gate.run("reload")
    assert run.code == 1
    assert gate.get().status == 200


def test_a_bad_line_is_told_and_the_others_count(known):
    gate = known({"a.txt": everybody() + "8|x|short\n"}, unknown="refuse")
    assert gate.get().status == 200
    assert "a.txt:4:1: warning:" in gate.run("check").text


def test_status_and_check_tell_how_many(known):
    gate = known({"a.txt": everybody()})
    assert gate.run("status", "--json").json()["directory"]["people"] == 2
    assert "2 people" in gate.run("check").text


def test_a_reload_without_changes_reads_nothing_again(known):
    gate = known({"a.txt": everybody()})
    (gate.folder / "a.txt").chmod(0)
    (gate.folder / "a.txt").chmod(0o600)
    gate.do("reload")
    assert gate.get().status == 200


def test_the_record_is_searched_under_every_number_of_a_person(known, issuer, patients, tmp_path):
    gate = known({"a.txt": everybody(), "numbers.csv": correspondence(("759907099", PHARMACIST[1:]))})
    token = issuer.token(professional=ADELI)

    def see(number, **way):
        assert gate.get(f"/fhir/Patient/{identity(number)}", **way).status == 200

    see(1, card=None, fields=bearing(token))
    see(9, card="pharmacist")
    assert gate.newest(professional=ADELI)
    # From now on both are one person, recorded under one number; what is written stays.
    (gate.folder / "numbers.csv").write_text(correspondence((ADELI[1:], PHYSICIAN[1:])))
    gate.do("reload")
    see(2)
    see(3, card=None, fields=bearing(token))
    gate.settle()

    for name in (ADELI, PHYSICIAN, f"account:{ADELI}", ADELI[1:], PHYSICIAN[1:]):
        run = gate.do("record", "search", "--professional", name, "--decision", "allow", "--count")
        assert run.out.strip() == "3", (name, run)
        # The command says under which.
        assert run.err.startswith("looked for ") and ADELI in run.err and PHYSICIAN in run.err
        assert len(gate.do("record", "seen-by", name, "--json").json()) == 3
    run = gate.do("record", "search", "--professional", "899700427885", "--decision", "allow",
                  "--count")
    assert run.out.strip() == "1" and run.err.splitlines()[0] == "looked for 899700427885", run

    run = gate.do("record", "export", "--format", "csv", "--professional", ADELI[1:], "-o", "-")
    exported = csv.DictReader(io.StringIO(run.out, newline=""))
    assert {row["professional"] for row in exported} == {ADELI, PHYSICIAN}
    (told,) = [line for line in gate.record() if line.get("what") == "export csv"]
    assert {f"professional:{ADELI}", f"professional:{PHYSICIAN}"} <= set(told["filters"])

    run = gate.do("report", "breach", "--professional", ADELI, "--from", "2020-01-01T00:00:00Z",
                  "-o", tmp_path / "dossier", "--json")
    assert run.json()["patients"] == 3
    assert PHYSICIAN in (tmp_path / "dossier" / "dossier.fr.html").read_text()
