"""Ports for servers that must know theirs before they listen."""
import itertools
import os
import random
import socket

# Below what the kernel hands out by itself (`ip_local_port_range` begins at 32768): a port it
# chooses may be some other connection's a moment later, and the server then cannot listen. Each of
# the processes that share the tests has a part of its own.
SHARES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
FIRST = 15_000 + 16_000 // SHARES * SHARE
LAST = FIRST + 16_000 // SHARES
_next = itertools.cycle(range(FIRST, LAST))
for _ in range(random.randrange(LAST - FIRST)):
    next(_next)


def free_port():
    """A port on which nobody listens, and which nobody else in this run is given."""
    for port in itertools.islice(_next, LAST - FIRST):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError(f"no free port from {FIRST} to {LAST}")
