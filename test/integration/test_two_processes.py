# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The two processes together, also under sanitizers; test_registrar.py has every promise
(doc/operations.md, "Two processes")."""
import contextlib
import os
import pathlib
import signal
import socket
import struct
import time

import pytest

import hostile
from admin import AwsError
from broker import BUILD_DIR
from test_faults import complaint
from wait import PATIENCE, until

NOT_RUNNING = "The registrar is not running"
LOST = "The registrar ended"


def kill_registrar(broker):
    pid = broker.registrar()
    os.kill(pid, signal.SIGKILL)
    until(lambda: broker.registrar() != pid, "the registrar to end")


@contextlib.contextmanager
def stopped(broker):
    """The registrar does nothing meanwhile."""
    pid = broker.registrar()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def is_alive(pid):
    status = pathlib.Path("/proc/%d/status" % pid)
    return status.exists() and "State:\tZ" not in status.read_text()


def program(directory, text):
    path = directory / "registrar"
    path.write_text(text)
    path.chmod(0o755)
    return path


def is_up(broker):
    try:
        broker.admin().registration_code()
    except AwsError as error:
        assert error.name == "ServiceUnavailableException"
        return False
    return True


@pytest.mark.parametrize("text, words", [
    (None, "No such file or directory"),
    ("#!/bin/sh\nexit 3\n", "exit status 3"),
    ("#!/bin/sh\nkill -9 $$\n", "killed by signal 9"),
], ids=["missing", "exits", "killed"])
def test_broker_does_not_start_without_its_registrar(refuses_to_start, directory, text, words):
    path = directory / "registrar" if text is None else program(directory, text)
    line = complaint(refuses_to_start(plugin={"registrar_path": path}))
    assert "registrar" in line and words in line


def test_start_is_refused_with_the_line_of_the_registrar(refuses_to_start, directory):
    (directory / "file").touch()
    line = complaint(refuses_to_start(plugin={"db_path": directory / "file"}))
    assert str(directory / "file") in line


def test_registrar_is_one_process_without_descriptors_of_the_broker(broker):
    pid = broker.registrar()
    descriptors = {os.readlink(p) for p in pathlib.Path("/proc/%d/fd" % pid).iterdir()}
    assert sum(d.startswith("socket:") for d in descriptors) == 1
    assert len(list(pathlib.Path("/proc/%d/task" % pid).iterdir())) == 1
    assert len(list(pathlib.Path("/proc/%d/task" % broker.process.pid).iterdir())) == 1 or \
        b"libwebsockets" in pathlib.Path("/proc/%d/maps" % broker.process.pid).read_bytes()


def test_known_devices_go_on_while_the_registrar_is_killed(broker, pki, admin, factory):
    known, late = pki.device("known", issuer=factory), pki.device("late", issuer=factory)
    admin.activate(known)
    live = broker.connect(known)
    kill_registrar(broker)
    kill_registrar_when_it_is_back(broker)
    # Now it is started again after a second.
    assert live.subscribe("t/#")
    live.publish("t/a", "a")
    assert live.next_message().payload == b"a"
    assert broker.connect(known, client_id="again").accepted
    assert broker.connect(late).refused
    with pytest.raises(AwsError) as refused:
        admin.registration_code()
    assert refused.value.name == "ServiceUnavailableException"
    assert NOT_RUNNING in refused.value.message
    broker.wait_for_log("code=REGISTRAR_NOT_RUNNING", late.id)
    until(lambda: is_up(broker), "the registrar to be started again")
    assert broker.connect(late).refused  # and registered now
    assert admin.status(late) == "PENDING_ACTIVATION"


def kill_registrar_when_it_is_back(broker):
    until(broker.registrar, "the registrar to be started again")
    until(lambda: is_up(broker), "the registrar to be up")
    kill_registrar(broker)


def test_request_under_way_is_answered_when_the_registrar_is_killed(broker, admin):
    with stopped(broker) as pid:
        admin.session.publish("$CONTROL/jitr/v1",
                              '{"commands":[{"command":"getRegistrationCode"}]}')
        time.sleep(0.2)  # until the frame is on its way; without it the answer is NOT_RUNNING
        os.kill(pid, signal.SIGKILL)
    message = admin.session.next_message()
    assert b"ServiceUnavailableException" in message.payload and LOST.encode() in message.payload


def test_hanging_registrar_does_not_stop_known_devices(broker, pki, admin, factory):
    known, late = pki.device("known", issuer=factory), pki.device("late", issuer=factory)
    admin.activate(known)
    with stopped(broker):
        session = broker.connect(known)
        assert session.subscribe("t/#")
        session.publish("t/a", "a")
        assert session.next_message().payload == b"a"
        assert broker.connect(late).refused
    until(lambda: admin.status(late) == "PENDING_ACTIVATION", "the registration to be carried out")


@pytest.mark.parametrize("attempt", range(3))
def test_registrar_ends_with_a_killed_broker(broker, pki, admin, factory, attempt):
    devices = [pki.device("d%d" % n, issuer=factory) for n in range(20)]
    for device in devices:
        assert broker.connect(device).refused
    pid = broker.registrar()
    broker.kill()
    until(lambda: not is_alive(pid), "the registrar to end")
    broker.leave_sessions()
    broker.start()
    assert broker.registrar() != pid and is_up(broker)


def test_stop_commits_what_is_under_way(broker, pki, admin, factory):
    devices = [pki.device("d%d" % n, issuer=factory) for n in range(20)]
    for device in devices:
        assert broker.connect(device).refused
    pid, began = broker.registrar(), time.monotonic()
    broker.restart()
    assert not is_alive(pid) and time.monotonic() - began < 20
    admin = broker.admin()
    assert {admin.status(d) for d in devices} == {"PENDING_ACTIVATION"}


def test_change_does_not_wait_for_the_next_turn_of_an_idle_broker(broker):
    """2.0 sleeps up to 100 ms in its loop; the registrar's frame wakes it."""
    admin, times = broker.admin(), []
    for _ in range(21):
        began = time.monotonic()
        admin.registration_code()
        times.append(time.monotonic() - began)
    assert sorted(times)[10] < 0.04


def test_program_is_the_one_beside_the_plugin(broker):
    exe = os.readlink("/proc/%d/exe" % broker.registrar())
    assert exe == str(BUILD_DIR / "mosquitto_jitr_registrar")


# -- a registrar that receives wrong frames ------------------------------------------------

@pytest.fixture(scope="module")
def version():
    """Of the registrar, as in its HELLO."""
    process, link = hostile.start_registrar()
    with link:
        link.sendall(hostile.frame(hostile.CONFIG, struct.pack(">I", 99) + hostile.text("9")))
        (kind, payload), *_ = hostile.read_to_end(link)
    assert kind == hostile.HELLO and process.wait(PATIENCE) == 1
    return payload[8:-1].decode()


def send_and_wait(data, shut=False, config=b""):
    """Send to a new registrar, once it is up if there is a CONFIG.  It must end by itself; returns
    status and the frames after HELLO."""
    process, link = hostile.start_registrar()
    with link:
        link.sendall(config)
        while config and hostile.read_frame(link)[0] != hostile.HELLO:
            pass
        with contextlib.suppress(ConnectionError):
            link.sendall(data)
        if shut:
            link.shutdown(socket.SHUT_WR)
        frames = hostile.read_to_end(link)
    status = process.wait(PATIENCE)
    complaint = process.stderr.read().decode()
    process.stderr.close()
    assert complaint == ""
    return status, frames


BEFORE_CONFIG = {
    **hostile.NO_FRAMES,
    "of the other end": hostile.frame(hostile.HELLO),
    "malformed CONFIG": hostile.frame(hostile.CONFIG, b"\0\0\0\1" + b"\xff" * 100),
    "REQUEST": hostile.frame(hostile.REQUEST, b"\xff" * 100),
    "STOP": hostile.frame(hostile.STOP),
}


@pytest.mark.parametrize("data", BEFORE_CONFIG.values(), ids=BEFORE_CONFIG)
def test_registrar_ends_at_a_wrong_first_frame(data):
    """And says nothing."""
    assert send_and_wait(data) == (1, [])


@pytest.mark.parametrize("data", [b"", hostile.frame(hostile.CONFIG, b"\0\0\0\1", length=500)],
                         ids=["nothing", "a part of a frame"])
def test_registrar_ends_with_a_link_that_ends_before_its_first_frame(data):
    assert send_and_wait(data, shut=True) == (0, [])


AFTER_CONFIG = {
    **hostile.NO_FRAMES,
    "of the other end": hostile.frame(hostile.HELLO),
    "a second CONFIG": hostile.frame(hostile.CONFIG),
    "malformed REQUEST": hostile.frame(hostile.REQUEST, b"\xff" * 100),
    "malformed PRESENT": hostile.frame(hostile.PRESENT, b"\xff" * 500),
    "malformed PUBLISHED": hostile.frame(hostile.PUBLISHED, b"\0"),
    "malformed RECORD": hostile.frame(hostile.RECORD, b"\0\0\0\2ab"),
    "STOP with a payload": hostile.frame(hostile.STOP, b"x"),
}


@pytest.mark.parametrize("data", AFTER_CONFIG.values(), ids=AFTER_CONFIG)
def test_registrar_that_is_up_ends_at_a_wrong_frame(directory, version, data):
    """The request behind it is not carried out, and the registry is whole."""
    options = {"db_path": str(directory / "registry"), "admin_users": "admin",
               "authorization": "allow"}
    config = hostile.frame(hostile.CONFIG, hostile.config(version, options))
    asked = hostile.frame(hostile.REQUEST, request(), 7)
    status, frames = send_and_wait(data + asked, config=config)
    assert status == 1 and hostile.ANSWER not in [kind for kind, _ in frames], frames
    status, frames = send_and_wait(asked + hostile.frame(hostile.STOP), config=config)
    assert status == 0 and hostile.ANSWER in [kind for kind, _ in frames], frames


def request():
    """Of an administrator: getRegistrationCode."""
    body = b'{"commands":[{"command":"getRegistrationCode"}]}'
    return (struct.pack(">QBBBB", 5, 2, 0, 0, 0) + hostile.text("c") + hostile.text("admin")
            + bytes(8) + struct.pack(">I", len(body)) + body)
