# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The plugin's counters and gauges, as a monitoring client receives them."""
import time

from wait import PATIENCE

TOPIC = "$SYS/broker/jitr/"
FIRST = "connections/accepted"
LAST = {"certificates/status/" + status for status in (
    "ACTIVE", "INACTIVE", "REVOKED", "PENDING_ACTIVATION", "PENDING_TRANSFER")}


class Counters:
    """Receives them interval by interval; tests have an interval of a second."""

    def __init__(self, admin):
        self._session = admin.listen(TOPIC + "#")

    def _message(self):
        """The next number that is published now, not a retained one."""
        while True:
            message = self._session.next_message()
            if not message.retain:
                return message.topic[len(TOPIC):], message.payload.decode()

    def next(self):
        """The numbers of one interval by their topics, without those of revocation lists, which
        follow the others."""
        topic, payload = self._message()
        while topic != FIRST:
            topic, payload = self._message()
        seen = {topic: int(payload)}
        while not LAST <= set(seen):
            topic, payload = self._message()
            seen[topic] = int(payload)
        return seen

    def wait_for(self, **expected):
        """The numbers of the first interval with these values; __ stands for /."""
        expected = {name.replace("__", "/"): value for name, value in expected.items()}
        return self.wait_until(lambda seen: all(seen[n] == v for n, v in expected.items()),
                               expected)

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = self.next()
            if condition(seen):
                return seen
            assert time.monotonic() < deadline, "waited in vain for %s in %s" % (what, seen)
