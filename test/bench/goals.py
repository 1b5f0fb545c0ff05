#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What an administrator and other clients wait for: one change by command line, and PINGREQ of
another client during large requests and the import of a list. scripts/bench.sh runs it, with the
build in JITR_BUILD_DIR; its head lists the settings."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import raw  # noqa: E402
from admin import BYSTANDER, PASSWORD  # noqa: E402
from broker import Broker  # noqa: E402
from command_line import CommandLine  # noqa: E402
from pki import Pki  # noqa: E402
from revocation import large_list  # noqa: E402

ROUNDS = int(os.environ.get("JITR_BENCH_GOAL_ROUNDS", 3))
ENTRIES = int(os.environ.get("JITR_BENCH_ENTRIES", 300000))
THINGS = int(os.environ.get("JITR_BENCH_THINGS", 6000))
CHANGES = 21
REQUEST = 455000  # bytes
LISTINGS = 50
INTERVAL = 0.002  # between a PINGRESP and the next PINGREQ
QUIET_SECONDS = 3
COMMAND_MS = 10  # one change beside its commit
PING_MS = 1
PINGREQ, PINGRESP = bytes([0xC0, 0]), bytes([0xD0, 0])
ARN = "arn:aws:iot:local:000000000000:"


def row(what, bare, plugin, relation, goal, met):
    """One line, for a reader and for the table of scripts/bench.sh."""
    cells = (what, bare, plugin, relation, goal, "met" if met else "MISSED")
    print("  ".join(cells), flush=True)
    if "JITR_BENCH_ROWS" in os.environ:
        with open(os.environ["JITR_BENCH_ROWS"], "a", encoding="ascii") as rows:
            rows.write("\t".join(cells) + "\n")


def ms(seconds):
    return "%.2f ms" % (1000 * seconds)


# -- another client, in a process of its own: this one has work to do -----------------------


def p99(times):
    return sorted(times)[round(0.99 * (len(times) - 1))]


def ping(port):
    """Until SIGTERM; then prints the 99th percentile of the round trips, in seconds."""
    stopped, times = [], []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(raw.connect_packet("bench", user=BYSTANDER, password=PASSWORD))
        assert s.recv(4)[3] == 0, "the client is not let in"
        print("ready", flush=True)
        while not stopped:
            start = time.monotonic()
            s.sendall(PINGREQ)
            assert s.recv(2) == PINGRESP
            times.append(time.monotonic() - start)
            time.sleep(INTERVAL)
    print(p99(times))


class Pinged:
    """with Pinged(broker) as p: ... ; then p.p99, in seconds."""

    def __init__(self, broker):
        self._client = subprocess.Popen(
            [sys.executable, __file__, "--ping", str(broker.ports["plain"])],
            stdout=subprocess.PIPE, text=True)
        assert self._client.stdout.readline() == "ready\n"
        self.p99 = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.terminate()
        self.p99 = float(self._client.communicate()[0])


def bystander(bare, broker, what, work):
    """The bare broker without work and the broker with it, in turns."""
    pairs = []
    for number in range(ROUNDS):
        with Pinged(bare) as quiet:
            time.sleep(QUIET_SECONDS)
        with Pinged(broker) as busy:
            start = time.monotonic()
            while time.monotonic() - start < QUIET_SECONDS:
                work(number)
        pairs.append((quiet.p99, busy.p99))
    more = statistics.median(p - b for b, p in pairs)
    row("PINGREQ p99, " + what, ms(statistics.median(b for b, _ in pairs)),
        ms(statistics.median(p for _, p in pairs)), "%+.2f ms" % (1000 * more),
        "at most +%d ms" % PING_MS, 1000 * more <= PING_MS)


# -- what the plugin does meanwhile -------------------------------------------------------------


def authorization_request(device):
    """testAuthorization, as many as fit into the request."""
    command = {"command": "testAuthorization", "principal": device.id, "clientId": device.name,
               "authInfos": []}
    commands = [dict(command, authInfos=[]) for _ in range(LISTINGS)]
    size, number = len(json.dumps({"commands": commands})), 0
    while size < REQUEST:
        info = {"actionType": "PUBLISH", "resources": [
            ARN + "topic/factory/line1/%d/%06d/%s" % (number, n, "x" * 60) for n in range(10)]}
        infos = commands[number % LISTINGS]["authInfos"]
        if len(infos) < 10:
            infos.append(info)
        elif number >= 10 * LISTINGS:
            break
        size += len(json.dumps(info)) + 2
        number += 1
    return json.dumps({"commands": commands})


def rights(admin, device):
    for policy in range(3):
        admin.create_policy("p%d" % policy, json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iot:Publish", "Resource": ARN + resource}
            for resource in ("topic/*/%d/*/state" % n for n in range(5))]}))
        admin.attach_policy("p%d" % policy, device)


def make_things(admin):
    for first in range(0, THINGS, LISTINGS):
        admin.request(*[{"command": "createThing", "thingName": "thing%d" % n, "attributePayload": {
            "attributes": {"line": str(n % 7)}}} for n in range(first, first + LISTINGS)])


def bystanders(bare, broker, admin, ca, device, directory):
    rights(admin, device)
    request = authorization_request(device)
    bystander(bare, broker, "%d KB of testAuthorization" % (len(request) // 1000),
              lambda _: admin.send(request))
    make_things(admin)
    # The attribute's value is no thing's: each listing reads as far as one may.
    listings = json.dumps({"commands": [{"command": "listThings", "maxResults": 250,
                                         "attributeName": "line", "attributeValue": "8"}] * LISTINGS})
    bystander(bare, broker, "%d listings of %d things" % (LISTINGS, THINGS),
              lambda _: admin.send(listings))
    cli = CommandLine(broker, "program", directory)
    numbers = iter(range(1, 1000000))
    base = large_list(ca, ENTRIES, number=0)
    path = directory / "ca.crl"

    def import_next(_):
        path.write_bytes(base if next_is_first() else large_list(ca, ENTRIES, number=next(numbers)))
        cli("import-crl", "--ca-certificate-id", ca.id, "--crl", path, timeout=3600).data

    first = [True]

    def next_is_first():
        return bool(first and first.pop())

    bystander(bare, broker, "a list of %d entries" % ENTRIES, import_next)


# -- one change ------------------------------------------------------------------------------------


def commit_seconds(directory):
    """LMDB's commit: some pages, then one page, each synced."""
    times = []
    with open(directory / "commit", "wb", buffering=0) as f:
        f.write(bytes(1 << 20))
        os.fsync(f.fileno())
        for _ in range(CHANGES):
            start = time.monotonic()
            os.pwrite(f.fileno(), os.urandom(32768), 65536)
            os.fdatasync(f.fileno())
            os.pwrite(f.fileno(), os.urandom(4096), 0)
            os.fdatasync(f.fileno())
            times.append(time.monotonic() - start)
    return statistics.median(times)


def one_change(broker, device, directory):
    cli, times = CommandLine(broker, "program", directory), []
    for number in range(CHANGES):
        status = ("INACTIVE", "ACTIVE")[number % 2]
        start = time.monotonic()
        outcome = cli("update-certificate", "--certificate-id", device.id, "--new-status", status)
        times.append(time.monotonic() - start)
        assert outcome.status == 0, outcome
    commit, took = commit_seconds(directory), statistics.median(times)
    row("one change by command line, start to exit", "%s commit" % ms(commit), ms(took),
        "%+.2f ms" % (1000 * (took - commit)), "at most +%d ms" % COMMAND_MS,
        1000 * (took - commit) <= COMMAND_MS)


@contextlib.contextmanager
def running(directory, pki, name, **how):
    home = directory / name
    home.mkdir()
    broker = Broker(home, pki, **how)
    try:
        yield broker.start()
    finally:
        broker.discard()


def main(directory):
    pki = Pki(directory)
    ca = pki.ca("factory")
    with running(directory, pki, "bare", plugin_lines=0, listeners=("plain",)) as bare, \
            running(directory, pki, "plugin", plugin={
                "other_clients": "allow", "authorization": "policy"}) as broker:
        admin = broker.admin()
        admin.register_ca(ca)
        device = admin.activate(pki.device("d1", issuer=ca))
        one_change(broker, device, directory)
        bystanders(bare, broker, admin, ca, device, directory)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ping"]:
        ping(int(sys.argv[2]))
        sys.exit()
    where = pathlib.Path(tempfile.mkdtemp(prefix="jitr-goals.",
                                          dir=os.environ.get("JITR_BENCH_DIR", "/var/tmp")))
    where.chmod(0o755)
    try:
        main(where)
    finally:
        shutil.rmtree(where, ignore_errors=True)
