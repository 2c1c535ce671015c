"""Ports for servers that must know theirs before they listen."""
import itertools
import random
import socket

# Below what the kernel hands out by itself (`ip_local_port_range` begins at 32768): a port it
# chooses may be some other connection's a moment later, and the server then cannot listen.
FIRST, LAST = 15_000, 31_000
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
