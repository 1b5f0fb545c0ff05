# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A message between two clients and back, and a PINGREQ, again and again: the delay of other
clients while the broker does something else."""
import pathlib
import socket
import struct
import threading
import time

import raw
from admin import BYSTANDER, PASSWORD
from wait import PATIENCE

INTERVAL = 0.005  # between two exchanges
SUBSCRIBE, PINGREQ, PINGRESP, PUBLISH = 0x82, 0xC0, 0xD0, 0x30


def waited_for_a_processor(process):
    """Seconds since its start during which its main thread was runnable but not running; 0 where
    the kernel does not say (Linux: Documentation/scheduler/sched-stats.rst)."""
    try:
        return int(pathlib.Path("/proc/%d/schedstat" % process.pid).read_text().split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0


class Player:
    """A client that uses only its own topic."""

    def __init__(self, broker, name):
        self.socket = socket.create_connection(("127.0.0.1", broker.ports["plain"]), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = raw.Stream(self.socket)
        self.topic = "ping-pong/" + name
        self.socket.sendall(raw.connect_packet(name, user=BYSTANDER, password=PASSWORD))
        self.expect(0x20)
        self.socket.sendall(raw.packet(
            SUBSCRIBE, struct.pack(">H", 1) + raw.text(self.topic) + b"\0"))
        self.expect(0x90)

    def expect(self, kind):
        packet = self._stream.packet()
        assert packet is not None and packet[0] == kind, packet

    def tell(self, other):
        self.socket.sendall(raw.publish_packet(other.topic, qos=0))
        other.expect(PUBLISH)

    def ping(self):
        self.socket.sendall(bytes([PINGREQ, 0]))
        self.expect(PINGRESP)


class PingPong:
    """with PingPong(broker) as delays: ... ; then delays.of_messages, delays.of_pings have
    what each exchange took, in seconds; delays.of_broker what of each ping is left without the
    time that the broker waited for a processor: what it works and what it blocks."""

    def __init__(self, broker):
        self._process = broker.process
        self._players = [Player(broker, name) for name in ("ping", "pong")]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self.of_messages, self.of_pings, self.of_broker = [], [], []
        self.failure = None

    def _play(self):
        one, other = self._players
        try:
            while not self._stop.is_set():
                start = time.monotonic()
                one.tell(other)
                other.tell(one)
                self.of_messages.append(time.monotonic() - start)
                self._ping(one)
                time.sleep(INTERVAL)
        except (OSError, AssertionError) as failure:
            self.failure = failure

    def _ping(self, player):
        start, waited = time.monotonic(), waited_for_a_processor(self._process)
        player.ping()
        taken = time.monotonic() - start
        waited = waited_for_a_processor(self._process) - waited
        self.of_pings.append(taken)
        self.of_broker.append(max(0.0, taken - waited))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *what):
        self._stop.set()
        self._thread.join()
        for player in self._players:
            player.socket.close()
        if self.failure and what[0] is None:
            raise self.failure
