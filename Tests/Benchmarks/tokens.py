# tokens.py: what a token nobody has verified yet takes, beside OpenSSL's part of it: the signature.

import json
from pathlib import Path
from typing import Callable

from machine import Workshop
from rows import Row

NAMES = ["herse", "openssl"]
#: CPU of the first verification of an ES256 token, at most.
MICROSECONDS_MOST = 150.0
#: What is timed, what it is called, and by which measures of `Micro tokens`.
PARTS = [
    ("es256", "First verification of an access token, ES256", "es256_us", "es256_openssl_us"),
    ("rs256", "First verification of an access token, RS256", "rs256_us", "rs256_openssl_us"),
    ("proof", "Verification of a proof of possession, ES256", "proof_us", "es256_openssl_us"),
]


def tokens(workshop: Workshop, micro: Path, on: set[int], rounds: int, seconds: float,
           say: Callable[[str], None]) -> list[Row]:
    """A row for each kind; both sides are timed by one process, one after the other."""
    done = [Row(f"tokens-{name}", title, "us", "µs", names=NAMES,
                value_target=MICROSECONDS_MOST if name == "es256" else None)
            for name, title, _, _ in PARTS]
    for number in range(rounds):
        got = json.loads(workshop.run(
            [str(micro), "tokens", str(workshop.folder / "keys"), f"{seconds / 5:g}"], on,
            60 + 2 * seconds))
        for row, (name, _, ours, theirs) in zip(done, PARTS):
            row.samples.setdefault("herse", []).append({"us": got[ours]})
            row.samples.setdefault("openssl", []).append({"us": got[theirs]})
            say(f"{row.name} {number + 1}/{rounds}: {got[ours]:.1f} µs, "
                f"openssl {got[theirs]:.1f} µs")
    return done
