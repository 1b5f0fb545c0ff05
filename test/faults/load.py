# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Clients that keep a broker busy while it breaks, and the book of what it answered."""
import contextlib
import json
import random
import subprocess
import threading
import time

from admin import AwsError
from revocation import import_list, large_list
from wait import until

EVENTS = "$aws/events/certificates/registered/+"
POLICY = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect",'
          '"Resource":"*"}]}')
GONE = "gone"  # the value of a record that does not exist
PER_SECOND = 50  # messages of the bystander

# A broker that is stopped while it reads a request takes that for the request's time.
TOLERATED = ("ServiceUnavailableException", "LimitExceededException")


class Book:
    """For each record the values that it may have: one after an answer, and a second while a
    request is under way."""

    def __init__(self):
        self._lock = threading.Lock()
        self.values = {}
        self.sources = {}  # of a record's values: an answer, or the registry that was compared
        self.newcomers = set()  # ids of devices that were presented
        self.events = set()  # ids in events that were received or stored
        self.named = set()  # ids in lists that were imported
        self.answered = self.refused = 0

    def begin(self, key, value):
        with self._lock:
            self.values.setdefault(key, {GONE}).add(value)

    def done(self, key, value):
        with self._lock:
            self.values[key] = {value}
            self.sources[key] = "was answered to be"
            self.answered += 1

    def count_refused(self):
        with self._lock:
            self.refused += 1

    def totals(self):
        return "%d changes, %d registrations, %d events" % (
            self.answered, len(self.newcomers), len(self.events))

    def compare(self, registry):
        """What the registry lacks of what was answered; then its values are the only ones."""
        complaints = list(registry.complaints)
        with self._lock:
            for key, values in self.values.items():
                found = registry.values.get(key, GONE)
                if key[0] == "cert" and key[1] in self.named and found == "REVOKED":
                    continue
                if found not in values:
                    complaints.append("%s is %s and %s %s" % (
                        key, found, self.sources.get(key, "was asked to be"),
                        " or ".join(sorted(values))))
                if len(values) > 1 or found not in values:
                    self.sources[key] = "was compared as"
                self.values[key] = {found}
        self.events |= registry.waiting
        stored = {key[1] for key in registry.values if key[0] == "cert"}
        complaints += ["%s is registered without an event" % id
                       for id in (self.newcomers & stored) - self.events]
        complaints += ["%s has an event and is not registered" % id for id in self.events - stored]
        return complaints


class Registry:
    """What registry_check says of a copy."""

    def __init__(self, program, directory):
        result = subprocess.run([program, directory], capture_output=True, text=True)
        self.values, self.waiting, self.complaints = {}, set(), []
        if result.returncode not in (0, 1):
            self.complaints.append("registry_check ended with %d: %s" % (
                result.returncode, result.stderr[-500:]))
        for line in result.stdout.splitlines():
            self._read(line)

    def _read(self, line):
        kind, _, rest = line.partition(" ")
        words = rest.split(" ")
        if kind == "bad:":
            self.complaints.append(line)
        elif kind in ("cert", "ca"):
            self.values[kind, words[0]] = words[1]
        elif kind == "crl":
            self.values[kind, words[0]] = words[2]
        elif kind in ("policy", "thing"):
            self.values[kind, words[0]] = "there"
        elif kind in ("attached", "principal"):
            self.values[kind, words[0], words[1]] = "there"
        elif kind == "message" and "/registered/" in words[1]:
            self.waiting.add(json.loads(" ".join(words[2:]))["certificateId"])


class Load:
    """The clients of one life of a broker, each in a thread."""

    def __init__(self, scene, tolerant=False, seed=0):
        self.scene, self.book, self.tolerant = scene, scene.book, tolerant
        self.random = random.Random(seed)
        self.stopping = False  # work is ended
        self.complete = False  # all events have arrived
        self.presented = []
        self.ending = False  # the broker is about to end: errors are expected
        self.complaints = []
        self.connects = self.turned_away = 0
        self.sent, self.received, self.longest = 0, [], 0.0
        broker = scene.broker
        self._admins = [broker.admin() for _ in range(2)]
        self._listener = broker.admin().session
        assert self._listener.subscribe(EVENTS, qos=0)
        self._publisher, self._subscriber = broker.bystander(), broker.bystander()
        assert self._subscriber.subscribe("steady", qos=0)
        self._threads = [threading.Thread(target=self._run, args=(work,), daemon=True) for work in (
            self._change, self._import, self._present, self._connect, self._publish,
            self._receive, self._listen)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def _run(self, work):
        try:
            work()
        except (OSError, AssertionError, ValueError) as problem:
            if not self.ending:
                self.complaints.append("%s: %s" % (work.__name__, str(problem)[:300]))

    # -- changes -----------------------------------------------------------------------

    def _ask(self, admin, key, value, command, **members):
        """One change; whether it was done."""
        self.book.begin(key, value)
        try:
            admin.call(command, **members)
        except AwsError as refusal:
            if not self.tolerant or refusal.name not in TOLERATED:
                raise AssertionError("%s: %s" % (command, refusal)) from None
            self.book.count_refused()
            time.sleep(0.02)
            return False
        self.book.done(key, value)
        return True

    def _change(self):
        admin, number, policy = self._admins[0], 0, None
        while not self.stopping:
            number += 1
            device = self.scene.device()
            made = self._ask(admin, ("cert", device.id), "ACTIVE", "registerCertificate",
                             certificatePem=device.pem, status="ACTIVE")
            if number % 5 == 1 or policy is None:
                name = "p-%s" % device.id[:12]
                if self._ask(admin, ("policy", name), "there", "createPolicy", policyName=name,
                             policyDocument=POLICY):
                    policy = name
            attached = made and policy and self._ask(
                admin, ("attached", policy, device.id), "there", "attachPolicy",
                policyName=policy, target=device.id)
            off = made and self.random.random() < 0.5 and self._ask(
                admin, ("cert", device.id), "INACTIVE", "updateCertificate",
                certificateId=device.id, newStatus="INACTIVE")
            if off and self.random.random() < 0.4:
                if attached:
                    self._ask(admin, ("attached", policy, device.id), GONE, "detachPolicy",
                              policyName=policy, target=device.id)
                self._ask(admin, ("cert", device.id), GONE, "deleteCertificate",
                          certificateId=device.id, forceDelete=True)

    def _import(self):
        """Lists of different lengths, each with one more device."""
        admin, scene = self._admins[1], self.scene
        while not self.stopping:
            device = scene.device()
            if self._ask(admin, ("cert", device.id), "ACTIVE", "registerCertificate",
                         certificatePem=device.pem, status="ACTIVE"):
                self.book.named.add(device.id)
                scene.listed.append(device)
            scene.list_number += 1
            count = 4000 + scene.list_number
            made = large_list(scene.ca, count, *scene.listed, number=scene.list_number)
            key, value = ("crl", scene.ca.id), str(count + len(scene.listed))
            self.book.begin(key, value)
            try:
                import_list(admin, scene.ca, made)
                self.book.done(key, value)
            except AwsError as refusal:
                if not self.tolerant or refusal.name not in TOLERATED:
                    raise AssertionError("importCrl: %s" % refusal) from None
                self.book.count_refused()

    # -- devices -----------------------------------------------------------------------

    def _present(self):
        """First connections: refused, and registered."""
        while not self.stopping:
            device = self.scene.device()
            self.book.newcomers.add(device.id)
            self.presented.append(device)
            session = self.scene.connect(device)
            if session.accepted:
                raise AssertionError("%s was let in at once" % device)
            session.leave()

    def _connect(self):
        while not self.stopping:
            session = self.scene.connect(self.random.choice(self.scene.connecting))
            self.connects += 1
            if session.accepted:
                session.publish("somewhere")
            elif not self.ending:
                self.turned_away += 1
                if not self.tolerant:
                    raise AssertionError("a known device was turned away")
            session.leave()

    # -- the bystander -----------------------------------------------------------------

    def _publish(self):
        due = time.monotonic()
        while not self.stopping:
            self._publisher.publish("steady", str(self.sent), qos=0)
            if self._publisher.closed:
                raise ConnectionError("the bystander was disconnected")
            self.sent += 1
            due = max(due + 1 / PER_SECOND, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))

    def _receive(self):
        """Until the last message, or the end of the broker."""
        session, last = self._subscriber, time.monotonic()
        while not self.stopping or len(self.received) < self.sent:
            session.pump_until(lambda: session.messages or (self.stopping and len(
                self.received) >= self.sent), "a message of the bystander", 30)
            now = time.monotonic()
            self.longest = max(self.longest, now - last)
            last = now
            while session.messages:
                self.received.append(int(session.messages.pop(0).payload))

    def _listen(self):
        session = self._listener
        try:
            while not self.complete and not session.closed:
                session.pump()
                self._take_events()
        finally:
            self._take_events()

    def _take_events(self):
        for message in self._listener.messages:
            if message.topic.startswith("$aws/"):
                self.book.events.add(json.loads(message.payload)["certificateId"])
        self._listener.messages.clear()

    # -- the end -----------------------------------------------------------------------

    def _wait_for_events(self):
        """Of each device that was registered, within some seconds."""
        admin = self.scene.broker.admin()
        for device in self.presented:
            if device.id not in self.book.events and admin.status(device) is not None:
                until(lambda: device.id in self.book.events, "the event of %s" % device.id, 20)

    def expect_end(self):
        self.ending = True

    def stop(self):
        """Ends the clients; complaints of lost messages are among theirs."""
        self.stopping = True
        for thread in self._threads[:-1]:
            thread.join(90)
            if thread.is_alive():
                self.complaints.append("a client does not end")
        if not self.ending:
            self._run(self._wait_for_events)
        self.complete = True
        self._threads[-1].join(90)
        first = self.received[0] if self.received else 0
        if self.received != list(range(first, first + len(self.received))):
            self.complaints.append("the bystander lost messages or got them in another order")
        if not self.ending and len(self.received) != self.sent:
            self.complaints.append("the bystander got %d of %d messages" % (
                len(self.received), self.sent))
        return self.complaints


@contextlib.contextmanager
def running(scene, **how):
    """The load while the broker lives on; fails if a client has a complaint."""
    load = Load(scene, **how).start()
    try:
        yield load
    finally:
        complaints = load.stop()
    assert not complaints, "; ".join(complaints)
