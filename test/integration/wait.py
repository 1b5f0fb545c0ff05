# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Waiting for a condition, never for a time to pass."""
import time

# Seconds.  Nothing here takes as long on a machine that is merely slow, or whose disk
# stalls for a while.
PATIENCE = 60


def until(condition, what, timeout=PATIENCE):
    """Call condition() until its result is true, and return the result."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("waited %g s in vain for %s" % (timeout, what))
        time.sleep(0.005)
