# parse_json.py: the same as parse_json.c, by Python's own json.

import json
import sys
import time
from pathlib import Path

text = Path(sys.argv[1]).read_bytes()
batch = 1_000_000 // len(text) + 1
best = float("inf")
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    start = time.monotonic()
    for _ in range(batch):
        json.loads(text)
    best = min(best, (time.monotonic() - start) / batch)
print(json.dumps({"bytes": len(text), "bytes_per_second": round(len(text) / best)}))
