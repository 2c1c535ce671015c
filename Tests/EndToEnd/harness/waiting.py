"""Waiting for something to become true: polled, with a deadline, never a sleep for luck."""

import os
import time

# A gate under a sanitizer, or a busy machine, is slower: deadlines stretch, nothing else does.
PATIENCE = float(os.environ.get("HERSE_PATIENCE", "1"))


class Deadline:
    """A moment after which waiting is over."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds * PATIENCE

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def is_past(self):
        return time.monotonic() >= self.end


def until(condition, within=5.0, what=None, every=0.01):
    """Returns the first truthy value of `condition`, asked again and again; fails at the deadline."""
    deadline = Deadline(within)
    while True:
        value = condition()
        if value:
            return value
        if deadline.is_past():
            raise AssertionError(f"not within {within} s: {what or condition}")
        time.sleep(every)
