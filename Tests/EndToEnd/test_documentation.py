"""Commands that documentation tells readers to run are run, as they stand there.

A block that begins with three backquotes and `sh run` is run. All such blocks of one document are
one script, from top to bottom, in a folder where the repository's own folders are, with `herse` on
the PATH. What it leaves running ends with it.
"""

import os
import re
import signal
import subprocess

import pytest

from harness.gate import ROOT, executable

BLOCK = re.compile(r"^(?P<indent> *)```sh run *\n(?P<text>.*?)^(?P=indent)``` *$",
                   re.MULTILINE | re.DOTALL)


def blocks(text):
    """The blocks to run, each with the line it begins at."""
    return [(text.count("\n", 0, match.start()) + 2, match["text"]) for match in BLOCK.finditer(text)]


def documents():
    files = [*ROOT.glob("*.md"), *ROOT.glob("certs/*.md"), *ROOT.glob("Sources/**/*.docc/*.md")]
    return [file for file in sorted(files) if blocks(file.read_text())]


def run(script, folder, within=120):
    """Runs a script in a folder and ends all it started; returns its status and what it said."""
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, cwd=folder, start_new_session=True,
        env={**os.environ, "PATH": f"{executable().resolve().parent}:{os.environ['PATH']}"},
    )
    try:
        said, _ = process.communicate(script, timeout=within)
    except subprocess.TimeoutExpired as late:
        said = (late.output or b"").decode() + "\n(it did not end)"
        process.returncode = None
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return process.returncode, said


def place(folder):
    for entry in ("certs", "policies", "script", "Sources", "Tests", "Package.swift"):
        (folder / entry).symlink_to(ROOT / entry)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("file", documents(), ids=lambda file: file.name)
def test_what_a_document_says_to_run_works(file, tmp_path):
    script = ""
    for line, text in blocks(file.read_text()):
        script += f"echo '--- {file.name}:{line}'\n{text}\n"
    status, said = run(script + "jobs -p | xargs -r kill\n", place(tmp_path))
    assert status == 0, said


def test_only_marked_blocks_are_run():
    text = "a\n```sh\nfalse\n```\n```sh run\necho 1\n```\n  ```sh run\n  echo 2\n  ```\n```text\nx\n```\n"
    assert [(line, block.strip()) for line, block in blocks(text)] == [(6, "echo 1"), (9, "echo 2")]


def test_a_block_that_fails_is_noticed(tmp_path):
    assert run("true\nfalse\ntrue\n", tmp_path)[0] != 0
    assert run("false | true\n", tmp_path)[0] != 0
    assert run("true\n", tmp_path)[0] == 0


def test_a_block_may_use_herse(tmp_path):
    status, said = run("herse --version\n", place(tmp_path))
    assert status == 0 and "herse" in said
