# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Closing a connection from a plugin fails during a delivery, in every version, and for an offline
session in 2.0 (mosquitto section 0, 2 and 3)."""
import time

import pytest

from device import MQTT_3_1_1, MQTT_5
from policies import CONNECT, deny
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
    """A persistent session with several subscriptions is closed while messages for it are being
    delivered: the broker does not crash, and other clients get their messages."""
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
    """A client that is closed with a request outstanding gets no answer, and the broker keeps
    running (mosquitto section 2)."""
    for _ in range(3):
        session = broker.connect(device)
        admin.update_certificate(device, "INACTIVE")
        session.publish("$CONTROL/jitr/v1", '{"commands":[{"command":"getRegistrationCode"}]}', qos=0)
        session.wait_until_closed()
        assert session.messages == []
        admin.update_certificate(device, "ACTIVE")


def test_namesake_that_is_refused(broker, admin, factory, pki, device):
    """A refused client with the client id of a connected one changes nothing for that one: 2.0.11
    does not say which of them a disconnection is about (mosquitto section 14)."""
    session = broker.connect(device, client_id="same")
    assert session.subscribe("t/#")
    for n in range(3):
        assert broker.connect(pki.device("d%d" % n, issuer=factory), client_id="same").refused

    broker.bystander().publish("t/1", "hello")
    assert session.next_message().payload == b"hello"
    admin.update_certificate(device, "REVOKED")
    session.wait_until_closed()


def close_all_by_policy(site, sessions):
    """A new version of the policy of all devices removes the right to connect."""
    site.policies.add_version("all", deny("Connect", "*"))
    for session in sessions:
        session.wait_until_closed()


@pytest.fixture
def crowded(make_site):
    """A site where all devices have one policy; devices by name."""
    site = make_site(listeners=("plain", "tls", "websockets"), wrapper=FREED_IS_OVERWRITTEN)
    site.policies.create(CONNECT, name="all")

    def device(name):
        made = site.device(name=name)
        site.policies.attach("all", made)
        return made

    site.crowd = device
    return site


def test_connections_of_all_kinds_are_closed_at_once(crowded):
    """Persistent and clean sessions, MQTT 3.1.1 and 5, several of one certificate, some over
    websockets, all silent: one policy version closes each. Offline sessions of the same
    certificates, which must not be kicked in 2.0, are kept."""
    device, others = crowded.crowd("d0"), [crowded.crowd("d%d" % n) for n in range(1, 30)]
    offline = crowded.broker.connect(device, client_id="offline", version=MQTT_5, clean=False,
                                     expiry=3600)
    offline.leave()
    short = crowded.broker.connect(device, client_id="short", version=MQTT_5, clean=False, expiry=4)
    short.leave()
    sessions = [crowded.broker.connect(d, version=(MQTT_3_1_1, MQTT_5)[n % 2], clean=n % 3 == 0,
                                       expiry=(n % 4) * 1000 if n % 2 else None,
                                       listener="websockets" if n % 7 == 0 else "tls")
                for n, d in enumerate(others)]
    sessions += [crowded.broker.connect(device, client_id="shared %d" % n,
                                        listener="websockets" if n % 5 == 0 else "tls")
                 for n in range(20)]
    assert all(s.accepted for s in sessions)
    close_all_by_policy(crowded, sessions)
    expire(crowded.broker, "short")
    crowded.policies.add_version("all", CONNECT)
    assert crowded.broker.connect(device, client_id="offline", version=MQTT_5, clean=False,
                                  expiry=3600).session_present


@pytest.mark.parametrize("listener", ["tls", "websockets"])
def test_taken_over_client_id_is_another_connection(crowded, listener):
    """A connection is closed, not a client id: a client that has taken over the id of a device
    revoked meanwhile stays, and of several sessions of a certificate only those that may not stay
    are closed."""
    first, second = crowded.crowd("d1"), crowded.crowd("d2")
    loser = crowded.broker.connect(first, client_id="same", listener=listener)
    own = crowded.broker.connect(first, client_id="own", listener=listener)
    winner = crowded.broker.connect(second, client_id="same", listener=listener)
    loser.wait_until_closed()
    crowded.admin.update_certificate(first, "REVOKED")
    own.wait_until_closed()
    crowded.policies.add_version("all", CONNECT, deny("Connect", "client/d2-b"))
    others = [crowded.broker.connect(second, client_id="d2-%s" % name, listener=listener)
              for name in "ac"]
    crowded.policies.add_version("all", CONNECT, deny("Connect", "client/d2-a"))
    others[0].wait_until_closed()
    for session in (winner, others[1]):
        session.pump(0.2)
        assert session.subscription_code("t/1") is not None


def test_quiet_broker_is_woken(broker, admin, device):
    """A broker without traffic runs its loop ten times a second: the plugin wakes it for an answer,
    and to close a silent device at once."""
    answered, closed = [], []
    for _ in range(10):
        session = broker.connect(device)
        time.sleep(0.15)
        start = time.monotonic()
        admin.update_certificate(device, "INACTIVE")
        answered.append(time.monotonic() - start)
        session.wait_until_closed()
        closed.append(time.monotonic() - start)
        admin.update_certificate(device, "ACTIVE")
    # Without being woken it takes 100 ms each time.
    assert min(answered) < 0.09, answered
    assert min(closed) < 0.09, closed
