#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What a large revocation list costs the broker, and everybody connected to it: scripts/crl.sh
runs it, with the build in JITR_BUILD_DIR and JITR_CRL_ENTRIES entries."""
import contextlib
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import raw  # noqa: E402
from broker import Broker  # noqa: E402
from command_line import CommandLine  # noqa: E402
from ping_pong import PingPong  # noqa: E402
from pki import Pki  # noqa: E402
from revocation import describe_list, large_list  # noqa: E402
from wait import until  # noqa: E402

ENTRIES = int(os.environ.get("JITR_CRL_ENTRIES", 1000000))
QUIET_SECONDS = 5
CONNECTIONS = 100
MIB = 1 << 20


def say(what, value):
    print("%-58s %s" % (what, value), flush=True)


def ms(seconds):
    return "%.1f ms" % (1000 * seconds)


def say_delays(when, delays):
    for what, of in (("message to and fro", delays.of_messages), ("PINGREQ", delays.of_pings)):
        say("%s, %s" % (what, when), "median %s, longest %s (of %d)" % (
            ms(statistics.median(of)), ms(max(of)), len(of)))


class Live:
    """A device's connection, and when it was closed."""

    def __init__(self, broker, device):
        self._socket = raw.tls_socket(broker, device)
        self._socket.settimeout(None)
        self._socket.sendall(raw.connect_packet(device.client_id))
        assert self._socket.recv(4)[3] == 0, "%s is not let in" % device
        self.closed_at = None
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def _wait(self):
        with contextlib.suppress(OSError):
            while self._socket.recv(64):
                pass
        self.closed_at = time.monotonic()


def say_connections(broker, device, when):
    """TLS and MQTT, from the first byte to CONNACK: the look-up is a part of it."""
    taken = []
    for _ in range(CONNECTIONS):
        start = time.monotonic()
        assert raw.first_connection(broker, device) == 0
        taken.append(time.monotonic() - start)
    say("a connection of a device, " + when, "median %s, longest %s (of %d)" % (
        ms(statistics.median(taken)), ms(max(taken)), len(taken)))


def peak_memory(broker):
    for line in pathlib.Path("/proc/%d/status" % broker.process.pid).read_text().split("\n"):
        if line.startswith("VmHWM"):
            return "%d MiB" % (int(line.split()[1]) // 1024)
    return "?"


def import_file(cli, ca, path):
    start = time.monotonic()
    outcome = cli("import-crl", "--ca-certificate-id", ca.id, "--crl", path, timeout=3600)
    return outcome.data, time.monotonic() - start


def import_and_tell(broker, cli, ca, path, live, when):
    with PingPong(broker) as delays:
        data, seconds = import_file(cli, ca, path)
        answered = time.monotonic()
        until(lambda: live.closed_at is not None, "the connection to be closed")
    assert data["crl"]["applied"] and data["certificatesRevoked"] == 1
    say("import, %s" % when, "%.2f s for %d entries" % (seconds, data["crl"]["entries"]))
    say_delays("while it is imported", delays)
    say("live connection of a listed device closed", "%s %s the import's end" % (
        ms(abs(live.closed_at - answered)), "before" if live.closed_at < answered else "after"))


def main(directory):
    pki = Pki(directory)
    home = directory / "broker"
    home.mkdir()
    broker = Broker(home, pki, plugin={"other_clients": "allow"}).start()
    try:
        measure(broker, pki, directory)
        broker.clean_up()
    finally:
        broker.discard()


def measure(broker, pki, directory):
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    cli = CommandLine(broker, "program", directory)
    good, *listed = [admin.activate(pki.device(name, issuer=ca)) for name in ("good", "a", "b")]
    say_connections(broker, good, "without a list")
    with PingPong(broker) as quiet:
        time.sleep(QUIET_SECONDS)
    say_delays("nothing else going on", quiet)

    live = [Live(broker, device) for device in listed]
    path = directory / "ca.crl"
    for number, (device, when) in enumerate(zip(listed, ("the first one", "the next one")), 1):
        start = time.monotonic()
        body = large_list(ca, ENTRIES, *listed[:number], number=number)
        path.write_bytes(body)
        if number == 1:
            say("size, and how long it took to make", "%.1f MiB in DER, %.1f s" % (
                len(body) / MIB, time.monotonic() - start))
        del body
        import_and_tell(broker, cli, ca, path, live[number - 1], when)
        assert admin.status(device) == "REVOKED"

    admin.update_ca(ca, crlCheck="required")
    say_connections(broker, good, "with the list")
    data, seconds = import_file(cli, ca, path)
    assert data["unchanged"]
    say("import, the same one again", "%.2f s" % seconds)
    start = time.monotonic()
    assert describe_list(admin, ca)["crl"]["entries"] == ENTRIES + 2
    say("describeCrl", ms(time.monotonic() - start))
    say("database", "%.1f MiB" % (sum(
        f.stat().st_blocks * 512 for f in broker.db_path.glob("*.mdb")) / MIB))
    say("the broker's memory, at most", peak_memory(broker))


if __name__ == "__main__":
    home = pathlib.Path(tempfile.mkdtemp(prefix="jitr-crl.",
                                         dir=os.environ.get("JITR_BENCH_DIR", "/var/tmp")))
    home.chmod(0o755)
    try:
        main(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
