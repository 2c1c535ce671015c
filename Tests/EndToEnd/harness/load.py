"""Clients that load a gate while something happens to it."""

import ssl
import threading
import time


class Load:
    """Clients that ask as fast as they can and keep the id of every answer they got."""

    def __init__(self, gate, count=6):
        self.gate = gate
        self.delivered = []
        self.refused = []
        self.statuses = set()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(count)]

    def _run(self, number):
        while not self.stop.is_set():
            try:
                with self.gate.connect(["physician", "pharmacist"][number % 2]) as connection:
                    while not self.stop.is_set():
                        reply = connection.get()
                        self.statuses.add(reply.status)
                        if reply.status == 200:
                            self.delivered.append(reply.json()["request"])
                        else:
                            self.refused.append(reply.fields["X-Request-Id"])
            except (OSError, ssl.SSLError, AssertionError, KeyError):
                time.sleep(0.01)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(15)
