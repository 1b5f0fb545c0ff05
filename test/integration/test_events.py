# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The registration event: its content, topic, receivers and frequency, and that it is not lost."""
import concurrent.futures
import json
import random
import time

import pytest

import raw
from admin import EVENTS
from device import MQTT_3_1_1, MQTT_5
from silence import assert_silent


def test_event_of_a_first_registration(start_broker, pki):
    """Fields, their types and their values are exactly AWS's: milliseconds as a number,
    null for the time of registration (aws-iot D.3)."""
    broker = start_broker(plugin={"account_id": "123456789012"})
    admin = broker.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    events = admin.listen("$aws/events/#")
    device = pki.device("d1", issuer=ca)

    before = time.time() * 1000
    broker.connect(device)
    message = events.next_message()
    after = time.time() * 1000
    assert message.topic == "$aws/events/certificates/registered/" + ca.id
    assert (message.qos, message.retain) == (1, False)
    event = json.loads(message.payload)
    timestamp = event.pop("timestamp")
    assert type(timestamp) is int and before - 1 <= timestamp <= after + 1
    assert event == {
        "certificateId": device.id,
        "caCertificateId": ca.id,
        "certificateStatus": "PENDING_ACTIVATION",
        "awsAccountId": "123456789012",
        "certificateRegistrationTimestamp": None,
    }


def test_event_of_a_later_attempt(start_broker, pki):
    """While it is pending, each attempt is announced with the time of the first
    registration, as a string of milliseconds (aws-iot D.3)."""
    broker = start_broker(plugin={"announce_interval": 0})
    admin = broker.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    events = admin.listen_to_events(ca)
    device = pki.device("d1", issuer=ca)
    broker.connect(device)
    first = events.next()
    created = admin.describe_certificate(device)["creationDate"]

    for _ in range(3):
        broker.connect(device)
        event = events.next()
        assert event["certificateRegistrationTimestamp"] == str(round(created * 1000))
        assert type(event["timestamp"]) is int
        assert event["timestamp"] >= first["timestamp"]
        assert event["certificateStatus"] == "PENDING_ACTIVATION"
        assert set(event) == set(first)


def test_one_topic_per_ca(broker, pki, admin, factory):
    """Each CA has a topic of its own (aws-iot D.3)."""
    other = pki.ca("other factory")
    admin.register_ca(other)
    mine, theirs = admin.listen_to_events(factory), admin.listen_to_events(other)
    device, stranger = pki.device("d1", issuer=factory), pki.device("d2", issuer=other)

    broker.connect(stranger)
    broker.connect(device)
    assert mine.next()["certificateId"] == device.id
    assert theirs.next()["certificateId"] == stranger.id
    assert mine.received() == theirs.received() == []


def test_event_is_not_retained(broker, pki, admin, factory):
    """A later subscriber does not get it (aws-iot D.3)."""
    events = admin.listen_to_events()
    broker.connect(pki.device("d1", issuer=factory))
    events.next()

    assert_silent(admin.listen_to_events())


@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
def test_event_waits_for_a_subscriber_that_is_offline(broker, pki, admin, factory, version):
    """Published with QoS 1: a persistent session that is offline gets it later (aws-iot D.3;
    contract, section 6, 5)."""
    rule = dict(client_id="rule", version=version, clean=False, expiry=3600)
    admin.listen_to_events(factory, **rule).leave()
    device = pki.device("d1", issuer=factory)
    broker.connect(device)
    broker.wait_for_log("certificate registered", device.id)

    back = broker.admin(**rule).session
    assert back.session_present
    assert back.next()["certificateId"] == device.id


def test_announced_at_most_once_per_interval(start_broker, pki):
    """An impatient device does not flood its activator: within announce_interval further
    attempts are refused silently (contract, section 5; aws-iot D.7)."""
    broker = start_broker(plugin={"announce_interval": 3600})
    admin = broker.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=ca)

    for _ in range(5):
        assert broker.connect(device).refused
    assert events.next()["certificateId"] == device.id
    assert_silent(events)


def test_announced_again_after_the_interval(start_broker, pki):
    """The interval puts off, it does not put an end to: a device that keeps trying is
    announced again (contract, section 5; aws-iot D.7)."""
    broker = start_broker(plugin={"announce_interval": 1})
    admin = broker.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    events = admin.listen_to_events(ca)
    device = pki.device("d1", issuer=ca)
    broker.connect(device)
    first = events.next()

    while not events.messages:
        assert broker.connect(device).refused
        events.pump()
    assert events.next()["timestamp"] - first["timestamp"] >= 1000


def test_activation_within_the_event_works(broker, pki, admin, factory):
    """The record exists when its event is published: a program that describes and activates the
    certificate at once succeeds (aws-iot G.1; contract, section 6)."""
    events = admin.listen_to_events(factory)
    for n in range(10):
        device = pki.device("d%d" % n, issuer=factory)
        broker.connect(device)
        admin.update_certificate(events.next()["certificateId"], "ACTIVE")
        assert broker.connect(device).accepted


def test_other_clients_receive_no_events(start_broker, pki):
    """Events are for administrators: devices and users without a certificate do not get
    them, with wildcards or without (aws-iot D.4)."""
    broker = start_broker()
    admin = broker.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    nosy = broker.connect(admin.activate(pki.device("nosy", issuer=ca)))
    bystander = broker.bystander()
    for topic in ("#", "$aws/#", EVENTS + "+", EVENTS + ca.id, "$share/g/" + EVENTS + ca.id):
        nosy.subscribe(topic)
        bystander.subscribe(topic)
    events = admin.listen_to_events(ca)

    broker.connect(pki.device("d1", issuer=ca))
    events.next()
    assert nosy.received() == []
    assert bystander.received() == []


def test_events_survive_a_regular_restart(broker, pki, admin, factory):
    """Nothing that was registered just before the end is lost: a certificate that was not announced
    is announced by the next broker (contract, section 6)."""
    rule = dict(client_id="rule", clean=False)
    admin.listen_to_events(factory, **rule).leave()
    devices = [pki.device("d%d" % n, issuer=factory) for n in range(30)]
    for device in devices:
        raw.first_connection(broker, device)
    broker.restart()

    admin = broker.admin()
    registered = set(admin.ids())
    assert registered == {d.id for d in devices}
    heard = set()
    back = broker.admin(**rule).session
    while heard != registered:
        heard.add(back.next()["certificateId"])


def storm(broker, devices):
    """First connections as fast as they go, until the broker is gone."""

    def connect(device):
        try:
            raw.first_connection(broker, device)
        except OSError:
            pass  # killed in the middle: that is what this is about

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(connect, devices))


def test_announced_at_least_once_over_any_crash(start_broker, pki):
    """The broker is killed again and again during a storm of first connections. In the end every
    registered certificate was announced, and every announced one is registered (contract, section
    6, 5)."""
    broker = start_broker(config=["max_inflight_messages 0", "max_queued_messages 0"])
    ca = pki.ca("factory")
    broker.admin().register_ca(ca)
    raw.Rule(broker).subscribe(EVENTS + "+")
    broker.restart()  # the broker remembers the subscription from now on, kill or no kill
    announced, chance = set(), random.Random(7)

    for number in range(5):
        devices = [pki.device("d%d-%d" % (number, n), issuer=ca) for n in range(80)]
        rule = raw.Rule(broker)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            job = pool.submit(storm, broker, devices)
            for _ in range(chance.randrange(1, 60)):
                announced.add(certificate_of(rule.next_payload()))
            broker.kill()
            job.result()
        announced |= {certificate_of(payload) for payload in rule.payloads_until_the_end()}
        broker.start()

    rule = raw.Rule(broker)
    last = pki.device("last", issuer=ca)
    broker.connect(last)
    while last.id not in announced:  # the outbox is published in order
        announced.add(certificate_of(rule.next_payload()))
    registered = set(broker.admin().ids(pageSize=250))
    assert registered == announced


def certificate_of(payload):
    return json.loads(payload)["certificateId"]
