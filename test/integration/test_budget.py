# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What clients can cost the broker with control requests: memory, log, and the time of other
clients (doc/security.md, "What a request may cost"). Bounds of memory are those in
doc/operations.md, with room for what the broker itself holds for a connection. Bounds of time are
for a machine with other load; each of these attacks once stalled the broker for seconds."""
import json
import pathlib
import re
import socket
import threading
import time

import pytest
import raw
from admin import ADMIN, BYSTANDER, CONTROL, PASSWORD, Admin, AwsError
from broker import PRELOAD
from ping_pong import PingPong
from policies import CONNECT, allow, document
from wait import PATIENCE

MIB = 1 << 20
FLOOD_SECONDS = 5

# Seconds: 99 of 100 PINGREQs are answered within the first, not counting what the broker waits
# for a processor while other tests have them; all within the other, by the clock. A sanitizer
# makes everything slow.
P99, LONGEST = (1.0, 5.0) if PRELOAD else (0.1, 1.0)


def resident(broker):
    """Bytes of memory that the broker has."""
    status = pathlib.Path("/proc/%d/status" % broker.process.pid).read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


def assert_memory(grown, most):
    """Not under a sanitizer, which keeps freed memory."""
    assert PRELOAD or grown < most


class Deaf:
    """A client that sends one request again and again, and reads nothing."""

    def __init__(self, broker, name, user, request, qos=0):
        self._socket = socket.create_connection(("127.0.0.1", broker.ports["plain"]), PATIENCE)
        self._socket.sendall(raw.connect_packet(name, user=user, password=PASSWORD))
        assert raw.Stream(self._socket).packet()[0] == 0x20
        self._packet = raw.publish_packet(CONTROL, request, qos=qos)
        self.sent = 0

    def flood(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self._socket.sendall(self._packet)
            except (socket.timeout, OSError):
                break
            self.sent += 1

    def leave(self):
        self._socket.close()


@pytest.fixture
def start(start_broker):
    """A broker with other_clients allow and these administrators."""
    return lambda users=ADMIN, **options: start_broker(
        plugin={"other_clients": "allow", "admin_users": users, **options})


def flood(clients, seconds=FLOOD_SECONDS):
    threads = [threading.Thread(target=client.flood, args=(seconds,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(client.sent for client in clients)


def assert_others_go_on(delays):
    pings, longest = sorted(delays.of_broker), max(delays.of_pings)
    print("PINGREQ: median %.1f ms, p99 %.1f ms, longest by the clock %.1f ms, %d" % (
        pings[len(pings) // 2] * 1e3, pings[len(pings) * 99 // 100] * 1e3, longest * 1e3,
        len(pings)))
    assert pings[len(pings) * 99 // 100] < P99
    assert longest < LONGEST


# -- without rights -----------------------------------------------------------------

@pytest.mark.parametrize("size", [100, 16000])
def test_flood_without_rights(start, size):
    """A client without rights sends requests and reads no answer: the broker keeps an answer for
    good if the queue of its client is full, so there are five of them, and not a log line for each
    (mosquitto 2.0.11, 2.0.21, 2.1.2: loop.c, single_publish)."""
    broker = start()
    request = json.dumps({"commands": [
        {"command": "getRegistrationCode", "correlationData": "x" * size}]})
    deaf = Deaf(broker, "deaf", BYSTANDER, request)
    before, lines = resident(broker), len(broker.log_lines("refused"))
    with PingPong(broker) as delays:
        sent = flood([deaf])
    grown = resident(broker) - before
    deaf.leave()

    print("%d requests, %.1f MiB" % (sent, grown / MIB))
    assert sent > 300
    assert_memory(grown, 16 * MIB)
    assert len(broker.log_lines("refused")) - lines <= 6
    assert_others_go_on(delays)
    assert broker.admin().registration_code()


def test_many_without_rights(start):
    """The same, by many connections with names of their own: a bound for all of them."""
    broker = start()
    request = json.dumps({"commands": [{"command": "listThings", "correlationData": "x" * 1000}]})
    deaf = [Deaf(broker, "deaf%d" % n, BYSTANDER, request) for n in range(20)]
    before = resident(broker)
    with PingPong(broker) as delays:
        sent = flood(deaf)
    assert sent > 300
    assert_memory(resident(broker) - before, 16 * MIB)
    assert len(broker.log_lines("refused")) <= 6
    assert_others_go_on(delays)


def test_refusals_are_counted_in_one_line(start):
    """Refusals without a line of their own are reported as a number, once in ten seconds."""
    broker = start()
    deaf = Deaf(broker, "deaf", BYSTANDER, "x")
    deaf.flood(1)
    broker.wait_for_log("requests denied: ", " more in the last 10 s")


def test_caller_that_pauses_gets_an_error_each_time(start):
    """A caller without rights that pauses between requests gets an error for each (contract,
    section 3)."""
    broker = start()
    stranger = Admin(broker, broker.bystander())
    for _ in range(5):
        with pytest.raises(AwsError) as refusal:
            stranger.registration_code()
        assert refusal.value.name == "AccessDeniedException"
        time.sleep(1.1)


# -- with rights ---------------------------------------------------------------------

LARGE = {"attributes": {"a%02d" % n: "v" * 800 for n in range(50)}}


def make_large_things(admin, count):
    for n in range(count):
        admin.create_thing("large%03d" % n, thingTypeName="large", attributePayload=LARGE)


def test_lists_of_large_things(start):
    """Fifty listThings of things with 41 KB of attributes in one request would be an answer of
    hundreds of MB: pages end early, and each command that is not carried out has an error."""
    broker = start()
    admin = broker.admin()
    make_large_things(admin, 60)
    before = resident(broker)
    with PingPong(broker) as delays:
        for _ in range(5):
            answers = admin.request(*[{"command": "listThings", "maxResults": 250}] * 50)
            assert len(answers) == 50
            for answer in answers:
                assert answer.get("error") == "LimitExceededException" or (
                    answer["data"]["things"] and answer["data"]["nextToken"])
    assert "data" in answers[0]
    assert_memory(resident(broker) - before, 48 * MIB)
    assert_others_go_on(delays)
    things = [t for page in admin.pages("listThings", "things", maxResults=250) for t in page]
    assert [t["thingName"] for t in things] == ["large%03d" % n for n in range(60)]
    assert all(len(t["attributes"]) == 50 for t in things)


def test_filtered_lists_of_large_things(start):
    """A filter without a match reads a limited number of bytes."""
    broker = start()
    admin = broker.admin()
    make_large_things(admin, 120)
    with PingPong(broker) as delays:
        for _ in range(5):
            answers = admin.request(*[{"command": "listThings", "thingTypeName": "none"}] * 50)
            assert all(a["data"]["nextToken"] and not a["data"]["things"] for a in answers)
    assert_others_go_on(delays)
    assert admin.pages("listThings", "things", thingTypeName="none")[-1] == []


def test_answers_that_an_administrator_does_not_read(start):
    """An administrator asks for large answers and reads none: 8 MiB at once and 2 MiB a second are
    sent to one caller, requests beyond 16 MiB are refused, and other clients are served."""
    broker = start(ADMIN + "," + BYSTANDER)
    admin = broker.admin()
    make_large_things(admin, 30)
    request = json.dumps({"commands": [{"command": "listThings", "maxResults": 250}] * 50})
    before = resident(broker)
    deaf = [Deaf(broker, "deaf%d" % n, ADMIN, request) for n in range(3)]
    other = Admin(broker, broker.connect(None, listener="plain", user=BYSTANDER,
                                         password=PASSWORD))
    with PingPong(broker) as delays:
        thread = threading.Thread(target=flood, args=(deaf,))
        thread.start()
        while thread.is_alive():
            assert other.registration_code()
        thread.join()
    grown = resident(broker) - before
    print("%d requests, %.1f MiB" % (sum(d.sent for d in deaf), grown / MIB))
    for client in deaf:
        client.leave()
    assert_memory(grown, 96 * MIB)
    assert_others_go_on(delays)


COSTLY = document(allow("*", "topic/*" + "?a" * 450 + "?b*"))


def costly_trial(resources, policies):
    return {"command": "testAuthorization", "policyNamesToAdd": policies, "authInfos": [
        {"actionType": "PUBLISH",
         "resources": ["arn:aws:iot:local:000000000000:topic/" + "a" * 1900 + str(n)
                       for n in range(resources)]}] * 3}


def test_costly_policies(start):
    """testAuthorization with ten policies that each take all steps of an evaluation: it runs in
    slices, and the cost of the request is limited."""
    broker = start(authorization="policy")
    admin = broker.admin()
    names = ["costly%d" % n for n in range(10)]
    for name in names:
        admin.create_policy(name, COSTLY)
    with PingPong(broker) as delays:
        answers = admin.request(*[costly_trial(10, names)] * 5)
        one = admin.request(costly_trial(1, names[:1]))[0]
    assert [a["error"] for a in answers] == ["LimitExceededException"] * 5
    if not PRELOAD:  # a sanitizer is too slow even for one
        assert {r["authDecision"] for r in one["data"]["authResults"]} == {"IMPLICIT_DENY"}
    assert_others_go_on(delays)


def test_policies_of_white_space(start, pki):
    """A policy may have 400 KB of it: ten of a device and ten to be tried, compiled for each
    request."""
    broker = start(authorization="policy")
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca))
    for n in range(20):
        admin.create_policy("p%d" % n, " " * 400000 + document(CONNECT))
    for n in range(10):
        admin.attach_policy("p%d" % n, device)
    with PingPong(broker) as delays:
        for _ in range(10):
            answer = admin.call("testAuthorization", principal=device.id, clientId="d1",
                                policyNamesToAdd=["p%d" % n for n in range(10, 20)],
                                authInfos=[{"actionType": "CONNECT", "resources": [
                                    "arn:aws:iot:local:000000000000:client/d1"]}])
            assert answer["authResults"][0]["authDecision"] == "ALLOWED"
    assert_others_go_on(delays)


def test_explaining_costly_policies(start, pki):
    """explain asks up to six questions of them."""
    broker = start(authorization="policy")
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca))
    admin.create_policy("connects", document(CONNECT))
    admin.attach_policy("connects", device)
    for n in range(5):
        admin.create_policy("costly%d" % n, COSTLY)
        admin.attach_policy("costly%d" % n, device)
    with PingPong(broker) as delays:
        answers = admin.request(*[{"command": "explain", "certificateId": device.id,
                                   "clientId": "d1", "topic": "a" * 8000}] * 50)
    assert {a.get("error", "data") for a in answers} <= {"LimitExceededException", "data"}
    assert_others_go_on(delays)


@pytest.mark.parametrize("payload", [
    "[" + "{}," * 170000 + "0]", "[" + "0," * 260000 + "0]",
    '{"commands":[' + ",".join(["{%s}" % ",".join('"m%d":0' % n for n in range(64))] * 900) + "]}",
    '"' + "\\u00e9" * 87000 + '"', " " * 524288,
], ids=["objects", "numbers", "members", "escapes", "space"])
def test_requests_that_are_hard_to_read(start, payload):
    """Half a MiB of JSON, as hard to read as can be."""
    broker = start()
    admin = broker.admin()
    with PingPong(broker) as delays:
        for _ in range(20):
            assert admin.send(payload)[0]["error"] == "InvalidRequestException"
    assert_others_go_on(delays)


def test_many_requests_at_once_are_all_answered_or_refused(start):
    """No request within the caller's share is dropped silently: a hundred at once are answered in
    order."""
    broker = start()
    admin = broker.admin()
    for n in range(100):
        admin.session._client.publish(CONTROL, json.dumps(
            {"commands": [{"command": "listThings", "correlationData": str(n)}] * 10}), 1)
    order = [admin.session.next()["responses"][0]["correlationData"] for _ in range(100)]
    assert order == [str(n) for n in range(100)]


def test_one_caller_does_not_take_all_uploads(start):
    """Revocation lists in parts: four of one caller, and the others have places, too."""
    broker = start(ADMIN + "," + BYSTANDER)

    def begin(admin, name):
        return admin.request({"command": "importCrl", "caCertificateId": "0" * 64, "crl": "AAAA",
                              "uploadId": name, "part": 1, "parts": 2})[0]

    admin = broker.admin()
    for n in range(4):
        assert begin(admin, "u%d" % n)["data"] == {"part": 1}
    assert begin(admin, "more")["error"] == "LimitExceededException"
    other = Admin(broker, broker.connect(None, listener="plain", user=BYSTANDER,
                                         password=PASSWORD))
    assert begin(other, "u0")["data"] == {"part": 1}
