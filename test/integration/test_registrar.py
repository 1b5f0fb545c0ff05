# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What the registrar, the second process, promises: the broker does not start without it, goes on
without it, and neither is left alone (doc/architecture.md)."""
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import struct
import time

import pytest

import der
import hostile
from admin import CONTROL, AwsError
from broker import BUILD_DIR, DidNotStart, PRELOAD
from counters import Counters
from disk import held
from fleet import Fleet
from policies import allow
from raw import connect_packet, first_connection, tls_socket
from revocation import large_list, parts_of
from test_faults import complaint
from wait import until

NOT_RUNNING = "The registrar is not running: nothing was changed"
NOT_KNOWN = "whether this was carried out is not known"
REFUSED = bytes([0x20, 2, 0, 5])  # CONNACK: not authorised
END = 6  # s: what a process may take to end, and a little


def running(pid):
    """Neither ended nor a zombie."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def kill(broker):
    """End the registrar as the kernel does when memory is short."""
    pid = broker.registrar()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not running(pid), "the registrar to end")
    return pid


def another(broker, pid):
    """Wait for the one that replaces it, and until it is up."""
    until(lambda: broker.registrar() not in (None, pid), "another registrar")
    admin = broker.admin()

    def serves():
        try:
            return admin.registration_code()
        except AwsError as e:
            assert e.name == "ServiceUnavailableException"
            return None
    until(serves, "the registrar to be up")
    return broker.registrar()


def stop(broker):
    """SIGSTOP: it hangs."""
    os.kill(broker.registrar(), signal.SIGSTOP)


def go_on(broker):
    os.kill(broker.registrar(), signal.SIGCONT)


def ask(session, command, **members):
    """Without waiting for the answer: the broker has the request."""
    session.publish(CONTROL, json.dumps({"commands": [{"command": command, **members}]}))


def import_parts(ca, made):
    """The commands that import a list in parts."""
    return [{"command": "importCrl", **part} for part in parts_of(ca, made)]


def refusal_of(message):
    answer, = json.loads(message.payload)["responses"]
    assert answer["error"] == "ServiceUnavailableException"
    return answer["message"]


def told_not_running(admin, command, **members):
    """At once: not after the time in which a request ends otherwise."""
    start = time.monotonic()
    with pytest.raises(AwsError) as refusal:
        admin.call(command, **members)
    assert refusal.value.name == "ServiceUnavailableException"
    assert NOT_RUNNING in refusal.value.message
    assert time.monotonic() - start < 5


def serves_known(broker, device, listening):
    """A known device connects, publishes and receives; one that listens does, too."""
    session = broker.connect(device)
    assert session.accepted, broker.log()[-2000:]
    assert session.subscribe("echo/%s" % device.client_id)
    session.publish("echo/%s" % device.client_id, "to itself")
    assert session.next_message().payload == b"to itself"
    session.publish("heard", "to the other")
    assert listening.next_message().payload == b"to the other"
    session.leave()


# -- the broker does not start without it ------------------------------------------

def refusal(make_broker, **plugin):
    broker = make_broker(plugin=plugin)
    with pytest.raises(DidNotStart) as refused:
        broker.start()
    broker.process = None
    return broker, complaint(refused.value.log)


def program(directory, text, mode=0o755):
    path = directory / "mosquitto_jitr_registrar"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("text, mode, words", [
    (None, 0o755, "cannot be started: No such file or directory"),
    ("#!/bin/sh\nexit 0\n", 0o644, "cannot be started: Permission denied"),
    ("#!/bin/sh\nexit 3\n", 0o755, "the registrar has ended: exit status 3"),
    ("#!/bin/sh\nkill -9 $$\n", 0o755, "the registrar has ended: killed by signal 9"),
    ("#!/bin/sh\nexec sleep 600 3>&-\n", 0o755, "the registrar has ended: killed by signal 9"),
    ("#!/bin/sh\necho rubbish of some length >&3\n", 0o755, "the registrar sent what is no frame"),
], ids=["missing", "not executable", "without a word", "killed", "link closed", "rubbish"])
def test_start_is_refused_without_a_registrar_that_works(make_broker, directory, text, mode, words):
    """One line says why; the registry is not made."""
    path = directory / "mosquitto_jitr_registrar"
    if text is not None:
        program(directory, text, mode)
    broker, line = refusal(make_broker, registrar_path=path)
    assert words in line
    assert not broker.db_path.exists()


@pytest.mark.skipif(not (BUILD_DIR / "test" / "unit" / "child_program").exists(),
                    reason="needs the programs of the unit tests")
def test_start_is_refused_with_a_registrar_of_another_version(make_broker, directory):
    """The line has both versions."""
    path = directory / "another version"
    path.symlink_to(BUILD_DIR / "test" / "unit" / "child_program")
    broker, line = refusal(make_broker, db_path=str(directory / "registry"), registrar_path=path)
    assert re.search(r"the registrar is version 1\.2\.4, the plugin is version \d+\.\d+\.\d+.*: "
                     "restart the broker", line)


def test_start_is_refused_with_the_line_of_the_registrar(make_broker, directory):
    """The broker's line is its reason: it knows what is wrong with the registry."""
    path = directory / "file"
    path.write_text("")
    _, line = refusal(make_broker, db_path=path / "registry")
    assert str(path) in line and "not a directory" in line


def test_start_that_was_refused_leaves_nothing_behind(make_broker, directory):
    """No process, no lock: the next start works at once."""
    broker = make_broker(plugin={"crl_dir": None, "health_file": directory / "missing" / "health"})
    with pytest.raises(DidNotStart):
        broker.start()
    broker.options["health_file"] = directory / "health"
    broker.start()
    assert broker.admin().registration_code()


# -- it ends, the broker goes on -----------------------------------------------------

@pytest.fixture
def world(start_broker, pki, directory):
    """A broker whose registrar can be taken away, a CA, a device that is known and one that
    listens."""

    class World:
        def __init__(self):
            self.path = directory / "mosquitto_jitr_registrar"
            self.put_back()
            self.broker = start_broker(plugin={
                "registrar_path": self.path, "other_clients": "allow", "metrics_interval": 1})
            self.admin = self.broker.admin()
            self.ca = pki.ca("factory")
            self.admin.register_ca(self.ca)
            self.known = self.admin.activate(pki.device("known", issuer=self.ca))
            self.listener = self.admin.activate(pki.device("listener", issuer=self.ca))
            self.listening = self.broker.connect(self.listener)
            assert self.listening.subscribe("heard")

        def put_back(self):
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(BUILD_DIR / "mosquitto_jitr_registrar")

        def take_away(self):
            """It ends, and cannot be started again."""
            self.path.unlink()
            pid = kill(self.broker)
            self.broker.wait_for_log("cannot be started: No such file or directory")
            return pid

        def serves_known(self):
            serves_known(self.broker, self.known, self.listening)

    return World()


def test_known_devices_go_on_while_the_registrar_is_not_running(world, pki):
    """Also a new CONNECT; a first connection is refused with a reason of its own, and changes and
    questions are answered at once."""
    counters = Counters(world.admin)
    pid = world.take_away()
    world.serves_known()
    late = pki.device("late", issuer=world.ca)
    assert world.broker.connect(late).refused
    assert world.broker.wait_for_log("connection refused", "REGISTRAR_NOT_RUNNING", late.id)
    for command, members in (("registerCertificate", {"certificatePem": late.pem}),
                             ("updateCertificate", {"certificateId": world.known.id,
                                                    "newStatus": "INACTIVE"}),
                             ("listCertificates", {}), ("getRegistrationCode", {})):
        told_not_running(world.admin, command, **members)
    world.serves_known()
    counters.wait_until(lambda seen: seen["registrar/restarts"] >= 1, "a restart that is counted")
    world.put_back()
    another(world.broker, pid)
    world.broker.wait_for_log("the registrar is up again")
    assert world.admin.status(late) is None
    assert world.broker.connect(late).refused
    assert world.admin.status(late) == "PENDING_ACTIVATION"
    world.serves_known()


def move_away(path):
    path.rename(path.with_suffix(".old"))
    return lambda: path.with_suffix(".old").rename(path)


def copy_directory(path):
    put_back = move_away(path)
    shutil.copytree(path.with_suffix(".old"), path)

    def undo():
        shutil.rmtree(path)
        put_back()
    return undo


def copy_files(path):
    for name in ("data.mdb", "lock.mdb"):
        (path / name).rename(path / (name + ".old"))
        shutil.copy(path / (name + ".old"), path / name)
    return lambda: [(path / (name + ".old")).rename(path / name)
                    for name in ("data.mdb", "lock.mdb")]


@pytest.mark.parametrize("replace", [move_away, copy_directory, copy_files])
def test_no_registrar_serves_another_registry_than_the_broker_reads(broker, pki, admin, factory,
                                                                    replace):
    """A backup that is put in place under a running broker: a certificate revoked in it would stay
    active in the files that the broker has open."""
    device = admin.activate(pki.device("d1", issuer=factory))
    live = broker.connect(device)
    put_back = replace(broker.db_path)
    pid = kill(broker)
    broker.wait_for_log("the registrar may not run", "removed or replaced")
    told_not_running(admin, "updateCertificate", certificateId=device.id, newStatus="REVOKED")
    assert broker.registrar() is None
    put_back()
    another(broker, pid)
    admin.call("updateCertificate", certificateId=device.id, newStatus="REVOKED")
    live.wait_until_closed()
    assert broker.connect(device).refused


@pytest.mark.skipif(bool(PRELOAD), reason="not noticed within a minute there, which is not understood")
def test_changes_are_noticed_while_the_registrar_is_not_running(world, start_broker):
    """Another broker has opened the registry meanwhile: what it revokes is cut off here, too."""
    world.take_away()
    other = start_broker(plugin={"db_path": world.broker.db_path})
    other.admin().call("updateCertificate", certificateId=world.listener.id, newStatus="REVOKED")
    world.listening.wait_until_closed()
    assert world.broker.connect(world.listener).refused
    other.stop()
    world.put_back()


def test_each_end_is_an_error_in_the_log_and_the_delay_grows(world):
    """It is started again at once, then after 1, 2 and 4 seconds (backoff.h)."""
    counters, broker = Counters(world.admin), world.broker
    for number, delay in enumerate((0, 1, 2, 4), 1):
        pid = broker.registrar()
        kill(broker)
        broker.wait_for_log("killed by signal 9", count=number)
        start = time.monotonic()
        words = "in %d s" % delay if delay else "at once"
        line = broker.log_lines("killed by signal 9")[-1]
        assert "; started again " + words in line
        assert "new devices and requests are refused, and all else goes on" in line
        until(lambda: broker.registrar() not in (None, pid), "another registrar")
        broker.wait_for_log("the registrar is up again", count=number)
        assert delay - 1 <= time.monotonic() - start < delay + 10
        world.serves_known()
    counters.wait_for(registrar__restarts=4)


def test_change_under_way_when_the_registrar_is_killed_is_answered_not_known(world, pki):
    """Whether it was carried out depends on the moment; the answer comes, and says so."""
    device = pki.device("d1", issuer=world.ca)
    session = world.broker.admin().session
    with held(world.broker):
        ask(session, "registerCertificate", certificatePem=device.pem)
        pid = kill(world.broker)
        assert NOT_KNOWN in refusal_of(session.next_message())
    another(world.broker, pid)
    assert world.admin.status(device) is None  # it had not been committed
    world.admin.activate(device)
    world.serves_known()


def test_registrar_killed_under_requests_keeps_what_was_answered(world, pki):
    """Each request has one answer."""
    session, devices = world.broker.admin().session, [
        pki.device("d%d" % n, issuer=world.ca) for n in range(60)]
    for number, device in enumerate(devices):
        session.publish(CONTROL, json.dumps({"commands": [{
            "command": "registerCertificate", "certificatePem": device.pem, "status": "ACTIVE",
            "correlationData": device.id}]}), qos=0)
        if number == 30:
            pid = kill(world.broker)
            world.serves_known()
    answers = [json.loads(session.next_message().payload)["responses"][0] for _ in devices]
    another(world.broker, pid)
    for answer in answers:
        if "data" in answer:
            assert world.admin.status(answer["correlationData"]) == "ACTIVE"
        else:
            assert answer["error"] == "ServiceUnavailableException"
    session.subscribe("round/trip")
    assert session.messages == []


def test_registrar_killed_under_first_connections_forgets_none_that_comes_again(world, pki):
    """The device tries again; its event is published once it is registered."""
    events = world.admin.listen_to_events(world.ca)
    devices = [pki.device("d%d" % n, issuer=world.ca) for n in range(20)]
    for number, device in enumerate(devices):
        assert world.broker.connect(device).refused
        if number == 10:
            pid = kill(world.broker)
    another(world.broker, pid)
    for device in devices:
        assert world.broker.connect(device).refused
    assert {world.admin.status(device) for device in devices} == {"PENDING_ACTIVATION"}
    expected, found = {device.id for device in devices}, set()
    while found != expected:
        found.add(events.next()["certificateId"])
    world.serves_known()


def test_registrar_killed_during_an_import_leaves_the_list_before(world, pki):
    """The import can be begun again."""
    made = large_list(world.ca, 30000, world.known, number=1)
    parts = import_parts(world.ca, made)
    session = world.broker.admin().session
    for part in parts:
        session.publish(CONTROL, json.dumps({"commands": [part]}))
    pid = kill(world.broker)
    for _ in parts:
        session.next_message()
    another(world.broker, pid)
    description = world.admin.call("describeCrl", caCertificateId=world.ca.id)
    if description.get("crl") is None:
        world.serves_known()
    for part in import_parts(world.ca, made):
        answer, = world.admin.request(part)
        assert "error" not in answer or "crl" in description, answer
    until(lambda: world.admin.status(world.known) == "REVOKED", "the list to be in force")


# -- devices that a rule let in --------------------------------------------------------

@pytest.fixture
def fleet(start_broker):
    made = Fleet(start_broker(plugin={"authorization": "policy", "other_clients": "allow",
                                      "announce_interval": 0}))
    made.policy = made.policies.create(allow("Connect", "client/*"),
                                       allow(["Publish", "Receive"], "topic/*"))
    made.set_rule(policies=[made.policy])
    return made


def test_device_whose_registration_was_lost_is_cut_off_and_one_that_is_stored_stays(fleet):
    """A rule lets a device in before its certificate is stored."""
    stored, lost = fleet.fresh(), fleet.fresh()
    stays = fleet.admits(stored)
    assert fleet.status(stored) == "ACTIVE"
    with held(fleet.broker):
        goes = fleet.admits(lost)
        pid = kill(fleet.broker)
        goes.wait_until_closed()
        stays.publish("still/there")
        assert not stays.closed
    another(fleet.broker, pid)
    assert fleet.status(lost) is None
    fleet.broker.wait_for_log("registrations under way, not known whether they were stored")
    fleet.admits(lost)
    assert fleet.status(lost) == "ACTIVE"
    stays.publish("still/there")
    assert not stays.closed


# -- it hangs ------------------------------------------------------------------------

def next_taken(session, answered):
    try:
        return session.next_message()
    except AssertionError as e:
        raise AssertionError("%d requests were answered: %s" % (answered, e)) from e


@pytest.mark.skipif(bool(PRELOAD), reason="not every answer comes within a minute there")
def test_broker_goes_on_while_the_registrar_hangs(world, pki):
    """What was sent to it meanwhile is carried out when it goes on; a caller with too much under
    way is told so."""
    session = world.broker.admin().session
    stop(world.broker)
    try:
        for _ in range(1100):
            session.publish(CONTROL, '{"commands":[{"command":"getRegistrationCode"}]}', qos=0)
        assert json.loads(session.next_message().payload)["responses"][0]["error"] == \
            "ThrottlingException"
        late = [pki.device("late%d" % n, issuer=world.ca) for n in range(5)]
        for device in late:
            assert world.broker.connect(device).refused
        world.serves_known()
    finally:
        go_on(world.broker)
    answered = 0
    while answered < 1024:
        answered += b"registrationCode" in next_taken(session, answered).payload
    assert [world.admin.status(device) for device in late] == ["PENDING_ACTIVATION"] * 5
    world.serves_known()


LINK_BYTES = 64 * 1024 * 1024  # that wait for the registrar (link.h)
LARGE = 47000  # bytes of an extension: a certificate has at most 65536 characters of PEM
EVENTS_LARGE = 2 * LARGE  # at least, of a frame with the certificate and its details for the event


@pytest.fixture
def large(start_broker, pki):
    """A broker, a CA whose devices have to be activated, and one with a rule that lets devices in."""
    made = Fleet(start_broker(plugin={"event_details": "true", "other_clients": "allow",
                                      "metrics_interval": 1, "announce_interval": 86400}))
    made.set_rule()
    made.factory = made.pki.ca("factory")
    made.admin.register_ca(made.factory)
    return made


def large_devices(pki, ca, count):
    comment = der.extension("2.16.840.1.113730.1.13", der.tlv(0x16, b"x" * LARGE))
    return [pki.device("large%d" % n, issuer=ca, extensions=[comment]) for n in range(count)]


def connect_until_put_off(broker, devices):
    """Each is refused, until the registration of one finds no room.  Without Session, which is slow
    here."""
    contexts = [device.tls(broker.pki) for device in devices]
    seen = len(broker.log_lines("code=REGISTRATION_FAILED"))
    for count in range(2 * LINK_BYTES // EVENTS_LARGE):
        device, context = devices[count % len(devices)], contexts[count % len(devices)]
        with contextlib.closing(tls_socket(broker, device, context=context)) as s:
            s.sendall(connect_packet(device.client_id))
            assert s.recv(64) == REFUSED
        if count % 20 == 19 and len(broker.log_lines("code=REGISTRATION_FAILED")) > seen:
            return
    raise AssertionError("the link is never full")


def answers_by_number(session):
    """The responses that have arrived, by their correlationData."""
    session.subscribe("round/trip")
    found = {}
    for message in session.messages:
        for response in json.loads(message.payload)["responses"]:
            found.setdefault(response.get("correlationData"), []).append(response)
    return found


@pytest.mark.skipif(bool(PRELOAD), reason="takes some minutes there")
def test_full_link_puts_off_what_is_new_and_all_is_carried_out_once(large, pki):
    """64 MiB wait for a registrar that hangs (doc/link.md): what finds no room is put off and never
    let in, known devices go on, and what was taken is carried out once."""
    broker, admin, session = large.broker, large.admin, large.broker.admin().session
    known = admin.activate(pki.device("known", issuer=large.factory))
    listening = broker.connect(admin.activate(pki.device("listener", issuer=large.factory)))
    assert listening.subscribe("heard")
    events = admin.listen_to_events(large.factory)
    devices, small = large_devices(pki, large.factory, 8), pki.device("s", issuer=large.factory)
    by_rule, late = large.fresh(), pki.device("larger than small", issuer=large.factory)
    counters = Counters(admin)
    stop(broker)
    try:
        for number in range(5):
            ask(session, "registerCertificate", certificatePem=late.pem, status="INACTIVE",
                correlationData=str(number))
        connect_until_put_off(broker, devices)
        connect_until_put_off(broker, [small])
        assert first_connection(broker, by_rule) == first_connection(broker, late) == REFUSED[3]
        for device in (by_rule, late):
            broker.wait_for_log("connection refused", "code=REGISTRATION_FAILED", device.id)
        counters.wait_until(lambda seen: seen["certificates/throttled"] >= 4, "four put off")
        ask(session, "registerCertificate", certificatePem=devices[0].pem)
        answer, = json.loads(session.next_message().payload)["responses"]
        assert answer["error"] == "ThrottlingException"
        serves_known(broker, known, listening)
    finally:
        go_on(broker)
    serves_again(broker)
    found = answers_by_number(session)
    assert sorted(found) == ["0", "1", "2", "3", "4"]
    assert all(len(answers) == 1 for answers in found.values())
    new = [*devices, small]
    assert {admin.status(device) for device in new} == {"PENDING_ACTIVATION"}
    assert sorted(json.loads(m)["certificateId"] for m in events.received()) == sorted(
        device.id for device in new)
    assert large.status(by_rule) is None and admin.status(late) == "INACTIVE"
    large.admits(by_rule)
    serves_known(broker, known, listening)


def serves_again(broker):
    """All that waited is carried out: a request that comes after it is answered."""
    admin = broker.admin()

    def serves():
        try:
            return admin.registration_code()
        except AwsError as e:
            assert e.name == "ThrottlingException"
            return None
    until(serves, "room in the link")


# -- it sends what it should not --------------------------------------------------------

def replace(world, frames):
    """A program that sends these takes its place; returns the process before it."""
    world.path.unlink()
    hostile.registrar(world.path, frames)
    return kill(world.broker)


HOSTILE = {
    **hostile.NO_FRAMES,
    "of the other end": hostile.frame(hostile.STOP),
    "a second HELLO": hostile.frame(hostile.HELLO),
    "FAILED after HELLO": hostile.frame(hostile.FAILED, hostile.text("no")),
    "malformed ANSWER": hostile.frame(hostile.ANSWER, b"\xff" * 40),
    "malformed DONE": hostile.frame(hostile.DONE, b"\xff" * 20),
    "malformed CHANGED": hostile.frame(hostile.CHANGED, b"\x04" + b"\xff" * 20),
    "malformed LOG": hostile.frame(hostile.LOG, b"\x09" + hostile.text("level")),
    "malformed STATE": hostile.frame(hostile.STATE, b"\xff" * 60),
}


@pytest.mark.parametrize("frames", HOSTILE.values(), ids=HOSTILE)
def test_registrar_that_sends_a_wrong_frame_is_replaced(world, frames):
    """The broker does not believe what comes behind it, and goes on."""
    forged = hostile.frame(hostile.LOG, b"\x02" + hostile.text("jitr: behind it"))
    pid = replace(world, frames + forged)
    world.broker.wait_for_log("the registrar sent", "new devices and requests are refused")
    world.serves_known()
    assert world.broker.log_lines("behind it") == []
    world.put_back()
    another(world.broker, pid)
    world.serves_known()


def test_answers_to_what_was_not_asked_are_dropped(world):
    """Of sessions that are gone, numbers that are not under way, certificates that are unknown."""
    answer = struct.pack(">QBII", 1 << 60, 0, 0, 6) + b"forged"
    done = bytes([0, 1, 0, 8, 0, 0]) + struct.pack(">II", 0, 0)
    frames = [hostile.frame(hostile.ANSWER, answer, number) for number in range(50)]
    frames += [hostile.frame(hostile.DONE, done, number) for number in range(50)]
    frames.append(hostile.frame(hostile.CHANGED, b"\x01" + bytes(4) + struct.pack(">I", 1)
                                + b"\xaa" * 32))
    frames.append(hostile.frame(hostile.LOG, b"\x02" + hostile.text("jitr: behind\nthem")))
    pid = replace(world, b"".join(frames))
    world.broker.wait_for_log("jitr: behind\\x0athem")
    assert world.broker.log_lines("the registrar sent") == []
    world.serves_known()
    assert world.admin.session.messages == []
    world.put_back()
    kill(world.broker)
    another(world.broker, pid)
    world.serves_known()


# -- the broker ends -----------------------------------------------------------------

def test_registrar_ends_with_a_broker_that_is_killed(broker, pki, admin, factory):
    """No process is left, no lock, and the next start works at once, again and again."""
    for number in range(20):
        pid = broker.registrar()
        device = pki.device("d%d" % number, issuer=factory)
        admin.activate(device)
        ask(admin.session, "registerCertificate",
            certificatePem=pki.device("under way %d" % number, issuer=factory).pem)
        broker.kill()
        start = time.monotonic()
        broker.leave_sessions()
        broker.start()
        assert time.monotonic() - start < END
        until(lambda: not running(pid), "the registrar to end", END)
        admin = broker.admin()
        assert admin.status(device) == "ACTIVE"


def test_stop_with_work_under_way_takes_seconds_and_keeps_what_was_answered(broker, pki, admin,
                                                                            factory):
    """An import and a thousand registrations."""
    devices = [pki.device("d%d" % n, issuer=factory) for n in range(100)]
    importing = broker.admin().session
    for part in import_parts(factory, large_list(factory, 30000, number=1)):
        importing.publish(CONTROL, json.dumps({"commands": [part]}), qos=0)
    session, pid = broker.admin().session, broker.registrar()
    for number in range(1000):
        device = devices[number % len(devices)]
        session.publish(CONTROL, json.dumps({"commands": [{
            "command": "registerCertificate", "certificatePem": device.pem, "status": "ACTIVE",
            "correlationData": device.id}]}), qos=0)
    session.next_message()
    broker.process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    while not session.closed:
        session.pump()
    assert broker.process.wait(2 * END) == 0
    assert time.monotonic() - start < END
    assert not running(pid)
    answered = [json.loads(m.payload)["responses"][0] for m in session.messages]
    broker.process = None
    broker.leave_sessions()
    broker.start()
    there = set(broker.admin().ids(pageSize=250))
    assert {a["correlationData"] for a in answered if "data" in a} <= there


def test_registrar_that_hangs_does_not_keep_the_broker_from_stopping(broker):
    """It is killed after five seconds."""
    pid = broker.registrar()
    stop(broker)
    start = time.monotonic()
    broker.stop()
    assert time.monotonic() - start < 2 * END
    assert not running(pid)
    broker.start()
    assert broker.admin().registration_code()


# -- what it shares with the broker ------------------------------------------------------

def test_answer_wakes_a_broker_that_is_idle(broker, admin):
    """2.0 sleeps up to 100 ms between its turns, and an answer does not wait for their end."""
    times = []
    for _ in range(40):
        time.sleep(0.01)
        start = time.monotonic()
        admin.call("listPolicies")
        times.append(time.monotonic() - start)
    assert statistics.median(times) < 0.04, sorted(times)


def test_registrar_has_no_descriptor_of_the_broker(start_broker, directory, pki):
    """No client's connection, no listener, no file of the broker's."""
    broker = start_broker(plugin={"log_file": directory / "jitr.log"})
    admin = broker.admin()
    pid = kill(broker)  # the next one is started while clients are connected
    clients = [broker.admin() for _ in range(3)]
    pid = another(broker, pid)
    found = {}
    for number in os.listdir("/proc/%d/fd" % pid):
        found[int(number)] = os.readlink("/proc/%d/fd/%s" % (pid, number))
    own = (str(broker.db_path), str(directory / "jitr.log"))
    assert found.pop(0) == found.pop(1) == "/dev/null"
    assert found.pop(2) == os.readlink("/proc/%d/fd/2" % broker.process.pid)
    assert found.pop(3).startswith("socket:")
    assert all(path.startswith(own) for path in found.values()), found
    assert clients and admin


def test_signals_of_the_broker_do_not_reach_the_registrar(broker, admin):
    """A terminal sends SIGINT to both, systemd SIGTERM and SIGHUP, pkill and systemctl kill those
    that make the broker save its database and print its topics."""
    pid = broker.registrar()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        os.kill(pid, number)
    assert admin.registration_code()
    assert broker.registrar() == pid


def test_reload_opens_the_log_file_again_and_leaves_the_registrar_alone(start_broker, directory,
                                                                        pki):
    """SIGHUP, as logrotate sends it."""
    log = directory / "jitr.log"
    broker = start_broker(plugin={"log_file": log})
    pid, ca = broker.registrar(), pki.ca("factory")
    broker.admin().register_ca(ca)
    assert broker.connect(pki.device("d1", issuer=ca)).refused
    until(lambda: log.stat().st_size > 0, "a line")
    log.rename(directory / "jitr.log.1")
    broker.reload()
    device = pki.device("d2", issuer=ca)
    assert broker.connect(device).refused
    until(lambda: log.exists() and device.id in log.read_text(), "a line in the new file")
    assert broker.registrar() == pid
