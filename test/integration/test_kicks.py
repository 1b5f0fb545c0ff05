# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Closing a connection from a plugin goes wrong in the middle of a delivery, in every version,
and with a session that is offline, in 2.0 (mosquitto 0.2, 0.3)."""
import pytest

from device import MQTT_5
from test_reload import FREED_IS_OVERWRITTEN, expire


@pytest.fixture
def broker(start_broker):
    return start_broker(plugin={"other_clients": "allow"}, wrapper=FREED_IS_OVERWRITTEN)


@pytest.fixture
def device(admin, factory, pki):
    return admin.activate(pki.device("d1", issuer=factory))


def test_offline_sessions_are_not_kicked(broker, admin, device):
    """Of a certificate's sessions only the live ones are touched: one that is offline is still
    there afterwards, and one that is due ends quietly."""
    for client_id, expiry in (("short", 4), ("long", 3600)):
        session = broker.connect(device, client_id=client_id, version=MQTT_5, clean=False,
                                 expiry=expiry)
        assert session.subscribe("t/#")
        session.leave()
    live = broker.connect(device, client_id="live", version=MQTT_5, clean=False, expiry=4)
    assert live.subscribe("t/#")

    admin.update_certificate(device, "INACTIVE")
    live.wait_until_closed()
    admin.update_certificate(device, "ACTIVE")
    expire(broker, "short")
    expire(broker, "live")
    assert broker.connect(device, client_id="long", version=MQTT_5, clean=False,
                          expiry=3600).session_present


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_cut_off_in_the_middle_of_deliveries(broker, admin, factory, pki, device, status):
    """A persistent session with several subscriptions is cut off while messages for it are on
    their way: none of them brings the broker down, and others get theirs."""
    other = broker.connect(admin.activate(pki.device("d2", issuer=factory)))
    assert other.subscribe("t/#")
    sessions = []
    for n in range(3):
        session = broker.connect(device, client_id="session %d" % n, clean=False)
        sessions.append(session)
        for topic in ("t/#", "t/+", "t/1", "$share/g/t/1"):
            assert session.subscribe(topic)

    publisher = broker.bystander()
    for n in range(50):
        publisher.publish("t/1", "before %d" % n, qos=0)
    admin.update_certificate(device, status)
    for n in range(50):
        publisher.publish("t/1", "after %d" % n, qos=0)
    for session in sessions:
        session.wait_until_closed()
        assert not [m for m in session.messages if m.payload.startswith(b"after")]
    other.pump_until(lambda: len(other.messages) == 100, "all messages")


def test_cut_off_while_it_asks(broker, admin, device):
    """A client that is cut off with a request of its own on the way gets no answer, and the
    broker is none the worse (mosquitto 2)."""
    for _ in range(3):
        session = broker.connect(device)
        admin.update_certificate(device, "INACTIVE")
        session.publish("$CONTROL/jitr/v1", '{"commands":[{"command":"getRegistrationCode"}]}', qos=0)
        session.wait_until_closed()
        assert session.messages == []
        admin.update_certificate(device, "ACTIVE")


def test_namesake_that_is_refused(broker, admin, factory, pki, device):
    """A refused client that calls itself like one who is connected takes nothing away from it:
    2.0.11 does not say whose end it tells of (mosquitto 14)."""
    session = broker.connect(device, client_id="same")
    assert session.subscribe("t/#")
    for n in range(3):
        assert broker.connect(pki.device("d%d" % n, issuer=factory), client_id="same").refused

    broker.bystander().publish("t/1", "hello")
    assert session.next_message().payload == b"hello"
    admin.update_certificate(device, "REVOKED")
    session.wait_until_closed()
