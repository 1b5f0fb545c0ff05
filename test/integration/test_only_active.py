# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Only an ACTIVE certificate is admitted: on every path into the broker, for every kind of message,
and only as long as it is ACTIVE (contract, section 6)."""
import itertools
import json

import pytest

import raw
from admin import CONTROL, EVENTS, RESPONSE, Admin, AwsError
from broker import PRELOAD
from device import MQTT_3_1_1, MQTT_5, NOT_AUTHORISED
from silence import assert_silent
from trust import trust
from wait import PATIENCE, until

# What the contract promises; a sanitizer makes everything slow.
AT_ONCE = PATIENCE if PRELOAD else 1.0

VERSIONS = pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
NOT_ACTIVE = pytest.mark.parametrize("status", ["PENDING_ACTIVATION", "INACTIVE", "REVOKED"])

BAD_AUTHENTICATION_METHOD = 0x8C

_markers = itertools.count(1)


@pytest.fixture
def broker(start_broker):
    """Here also clients without certificate may publish and subscribe, to bear witness."""
    return start_broker(plugin={"other_clients": "allow"})


@pytest.fixture
def witness(broker):
    """Receives all messages below t/."""
    session = broker.bystander()
    assert session.subscribe("t/#")
    return session


def heard(witness):
    """Messages received so far: its own message, sent now, comes after all others."""
    marker = "marker %d" % next(_markers)
    witness.publish("t/marker", marker)
    payloads = []
    while marker not in payloads:
        payloads.append(witness.next_message().payload.decode())
    return payloads[:-1]


def make(admin, pki, ca, status, name="d1"):
    """A device with a certificate of this status."""
    device = pki.device(name, issuer=ca)
    if status == "PENDING_ACTIVATION":
        admin.broker.connect(device)
        until(lambda: admin.status(device) == status, "the registration")
    else:
        admin.register_certificate(device, status=status)
    return device


# -- ways in ---------------------------------------------------------------------

@NOT_ACTIVE
@VERSIONS
def test_websockets(start_broker, pki, status, version):
    """A TLS listener for websockets judges as any other (contract, section 6)."""
    ca = pki.ca("factory")
    broker = start_broker(listeners=("plain", "tls", "websockets"), websockets_trust=[ca])
    admin = broker.admin()
    admin.register_ca(ca)
    device = make(admin, pki, ca, status)

    assert broker.connect(device, listener="websockets", version=version).refused
    broker.wait_for_log("connection refused", device.id, 'client="d1"')


@VERSIONS
def test_websockets_first_connection_to_deactivation(start_broker, pki, version):
    """A device on websockets is registered, activated, admitted and disconnected (contract, section
    6)."""
    ca = pki.ca("factory")
    broker = start_broker(listeners=("plain", "tls", "websockets"), websockets_trust=[ca])
    admin = broker.admin()
    admin.register_ca(ca)
    events = admin.listen_to_events(ca)
    device = pki.device("d1", issuer=ca)

    assert broker.connect(device, listener="websockets", version=version).refused
    assert events.next()["certificateId"] == device.id
    admin.update_certificate(device, "ACTIVE")
    session = broker.connect(device, listener="websockets", version=version)
    assert session.accepted and session.subscribe("t/1")
    admin.update_certificate(device, "INACTIVE")
    assert session.wait_until_closed() < AT_ONCE


@NOT_ACTIVE
def test_extended_authentication_is_no_way_around(broker, pki, admin, factory, status):
    """MQTT 5's AUTH exchange skips the ordinary check of a CONNECT: a certificate that
    is not ACTIVE is refused there, too (contract, section 6; mosquitto section 0, 6)."""
    device = make(admin, pki, factory, status)
    packet = raw.connect_packet("d1", version=5, method="SOME-METHOD")
    refusals = len(broker.log_lines("connection refused", device.id))

    assert raw.answer_to(broker, device, packet)[3] == NOT_AUTHORISED[MQTT_5]
    broker.wait_for_log("connection refused", device.id, count=refusals + 1)


def test_extended_authentication_of_an_active_certificate(broker, pki, admin, factory):
    """It is left to the plugin that offers the method: here there is none, and the broker says so
    (mosquitto section 1)."""
    device = make(admin, pki, factory, "ACTIVE")
    packet = raw.connect_packet("d1", version=5, method="SOME-METHOD")

    assert raw.answer_to(broker, device, packet)[3] == BAD_AUTHENTICATION_METHOD


def test_extended_authentication_registers_as_any_connect(broker, pki, admin, factory):
    """A first CONNECT registers with any authentication method (contract, section 6)."""
    events = admin.listen_to_events(factory)
    device = pki.device("d1", issuer=factory)

    raw.answer_to(broker, device, raw.connect_packet("d1", version=5, method="SOME-METHOD"))
    assert events.next()["certificateId"] == device.id


# -- listeners that name clients by their certificate ------------------------------

@pytest.fixture
def identity(start_broker):
    """A broker with a listener on which the connect check is never called."""
    return start_broker(listeners=("plain", "tls", "identity"),
                        plugin={"other_clients": "allow"})


@NOT_ACTIVE
def test_identity_listener_denies_and_cuts_off(identity, pki, status):
    """use_identity_as_username skips the connect check: a client that is not ACTIVE cannot publish
    there, and is disconnected when it tries (contract, section 6; mosquitto section 0, 6)."""
    admin, ca = identity.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, status)
    witness = identity.bystander()
    assert witness.subscribe("t/#")

    session = identity.connect(device, listener="identity")
    session.publish("t/1", "contraband")
    session.wait_until_closed()
    assert heard(witness) == []
    identity.wait_for_log("connection refused", device.id)


def test_identity_listener_denies_subscriptions(identity, pki):
    """Nor can he subscribe, and nothing is delivered (contract, section 6)."""
    admin, ca = identity.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, "REVOKED")

    session = identity.connect(device, listener="identity")
    assert not session.subscribe("t/#")
    session.wait_until_closed()
    assert session.messages == []


def test_identity_listener_registers_an_unknown_certificate(identity, pki):
    """A certificate that is new there is registered and announced as elsewhere, as soon as the
    plugin sees it (contract, section 6)."""
    admin, ca = identity.admin(), pki.ca("factory")
    admin.register_ca(ca)
    events = admin.listen_to_events(ca)
    device = pki.device("d1", issuer=ca)

    session = identity.connect(device, listener="identity")
    session.subscribe("t/1")
    assert events.next()["certificateId"] == device.id
    session.wait_until_closed()
    assert admin.status(device) == "PENDING_ACTIVATION"


def test_identity_listener_serves_active_certificates(identity, pki):
    """ACTIVE works there as on other listeners, and being deactivated cuts off (contract,
    section 6)."""
    admin, ca = identity.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, "ACTIVE")

    session = identity.connect(device, listener="identity")
    assert session.accepted and session.subscribe("t/#")
    session.publish("t/1", "hello")
    assert session.next_message().payload == b"hello"
    admin.update_certificate(device, "INACTIVE")
    assert session.wait_until_closed() < AT_ONCE


def test_identity_listener_makes_no_administrator(identity, pki):
    """A common name is not a verified user name: a device called admin is no administrator
    (contract, section 3)."""
    admin, ca = identity.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, "ACTIVE", name="admin")

    session = identity.connect(device, listener="identity", client_id="impostor")
    ask(session, {"command": "updateCACertificate", "certificateId": ca.id,
                  "newStatus": "INACTIVE"})
    assert admin.describe_ca(ca)["status"] == "ACTIVE"


def test_name_in_an_unverified_certificate_makes_no_administrator(start_broker, pki):
    """Nor is a certificate of an unregistered CA, where those are left to others: the name in a
    certificate is not verified (contract, sections 3 and 5)."""
    broker = start_broker(listeners=("plain", "tls", "identity"),
                          plugin={"other_clients": "allow", "unknown_ca": "defer"})
    admin, ca, stranger = broker.admin(), pki.ca("factory"), pki.ca("stranger")
    admin.register_ca(ca)
    trust(broker, stranger)

    session = broker.connect(pki.device("admin", issuer=stranger), listener="identity",
                             client_id="impostor")
    assert session.accepted
    ask(session, {"command": "updateCACertificate", "certificateId": ca.id,
                  "newStatus": "INACTIVE"})
    assert admin.describe_ca(ca)["status"] == "ACTIVE"


def ask(session, command):
    """Send a request; the plugin has received it when this returns, with or without an answer."""
    session.publish(CONTROL, json.dumps({"commands": [command]}))
    session.received()


# -- SIGHUP ----------------------------------------------------------------------

@VERSIONS
def test_reload_leaves_everything_as_it_is(broker, pki, admin, factory, witness, version):
    """SIGHUP asks again about every session, connected or offline: all stay, and nothing
    is decided, registered or announced on that account (contract, section 6; mosquitto
    section 0, 1)."""
    how = dict(version=version, clean=False, expiry=3600)
    events = admin.listen_to_events()
    online = broker.connect(make(admin, pki, factory, "ACTIVE", "online"), version=version)
    device = make(admin, pki, factory, "ACTIVE", "offline")
    session = broker.connect(device, **how)
    assert session.subscribe("t/#")
    session.leave()
    decisions = broker.log_lines("connection ")

    broker.reload()
    assert broker.log_lines("connection ") == decisions
    assert online.accepted and online.subscribe("t/#")
    witness.publish("t/1", "hello")
    assert online.next_message().payload == b"hello"
    back = broker.connect(device, **how)
    assert back.session_present
    assert back.next_message().payload == b"hello"
    assert_silent(events)


def test_reload_does_not_let_a_deactivated_session_live(broker, pki, admin, factory, witness):
    """An offline session with a deactivated certificate gets nothing, before or after a SIGHUP
    (contract, section 6)."""
    device = make(admin, pki, factory, "ACTIVE")
    session = broker.connect(device, clean=False)
    assert session.subscribe("t/#")
    session.leave()
    admin.update_certificate(device, "INACTIVE")

    broker.reload()
    witness.publish("t/1", "secret")
    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(device, clean=False).received() == []


def test_reload_then_first_connection(broker, pki, admin, factory):
    """After a SIGHUP first connections register as before (mosquitto section 0, 1)."""
    events = admin.listen_to_events(factory)
    broker.reload()
    device = pki.device("d1", issuer=factory)

    assert broker.connect(device).refused
    assert events.next()["certificateId"] == device.id


# -- offline sessions ------------------------------------------------------------

@VERSIONS
def test_offline_session_receives_nothing_once_deactivated(broker, pki, admin, factory, witness,
                                                           version):
    """Messages published while the certificate is not ACTIVE are never delivered to it, not even
    after it is ACTIVE again (contract, section 6)."""
    how = dict(version=version, clean=False, expiry=3600)
    device = make(admin, pki, factory, "ACTIVE")
    session = broker.connect(device, **how)
    assert session.subscribe("t/#")
    session.leave()

    witness.publish("t/1", "while active")
    admin.update_certificate(device, "INACTIVE")
    witness.publish("t/1", "while inactive")
    admin.update_certificate(device, "ACTIVE")
    back = broker.connect(device, **how)
    assert back.session_present
    assert back.received() == ["while active"]


def test_offline_session_over_a_restart(broker, pki, admin, factory):
    """A session restored from the broker's disk is judged by its certificate, too
    (contract, section 6; mosquitto section 0, 11)."""
    devices = {name: make(admin, pki, factory, "ACTIVE", name) for name in ("good", "bad")}
    for device in devices.values():
        session = broker.connect(device, clean=False)
        assert session.subscribe("t/#")
        session.leave()
    broker.restart()

    admin = broker.admin()
    admin.update_certificate(devices["bad"], "REVOKED")
    broker.bystander().publish("t/1", "secret")
    assert broker.connect(devices["good"], clean=False).received() == ["secret"]
    assert broker.connect(devices["bad"], clean=False).refused


# -- wills -------------------------------------------------------------------------

@VERSIONS
def test_will_of_a_deactivated_device_is_not_published(broker, pki, admin, factory, witness,
                                                       version):
    """When its connection is closed, its will is dropped (contract, section 6)."""
    device = make(admin, pki, factory, "ACTIVE")
    session = broker.connect(device, version=version, will=("t/will", "last word"))
    assert session.accepted

    admin.update_certificate(device, "REVOKED")
    session.wait_until_closed()
    assert heard(witness) == []


def test_will_of_an_active_device_is_published(broker, pki, admin, factory, witness):
    """The will of an ACTIVE device whose connection breaks is published, as in MQTT."""
    session = broker.connect(make(admin, pki, factory, "ACTIVE"), will=("t/will", "last word"))
    assert session.accepted

    session.vanish()
    assert witness.next_message().payload == b"last word"


def test_delayed_will_of_a_deactivated_device_is_not_published(broker, pki, admin, factory,
                                                               witness):
    """A will that is due only after its certificate was deactivated is not published, that
    of another device is (contract, section 6; mosquitto section 0, 11)."""
    sessions = {}
    for name in ("bad", "good"):
        device = make(admin, pki, factory, "ACTIVE", name)
        sessions[device] = broker.connect(device, version=MQTT_5, expiry=3600,
                                          will=("t/will", name), will_delay=2)
    bad, good = sessions
    sessions[bad].vanish()
    sessions[good].vanish()
    admin.update_certificate(bad, "INACTIVE")

    assert witness.next_message().payload == b"good"
    assert heard(witness) == []


def test_will_of_a_refused_connection_is_not_published(broker, pki, admin, factory, witness):
    """A refused client leaves no will (contract, section 6)."""
    device = pki.device("d1", issuer=factory)

    assert broker.connect(device, will=("t/will", "last word")).refused
    assert heard(witness) == []


# -- live connections --------------------------------------------------------------

@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
@VERSIONS
def test_live_connections_are_closed(broker, pki, admin, factory, status, version):
    """Deactivating or revoking closes every connection of the certificate within a
    second, and no other one (contract, section 6; aws-iot A.3.6)."""
    device, other = (make(admin, pki, factory, "ACTIVE", name) for name in ("d1", "d2"))
    sessions = [broker.connect(device, client_id="c%d" % n, version=version) for n in range(3)]
    bystander = broker.connect(other, version=version)

    admin.update_certificate(device, status)
    for session in sessions:
        assert session.wait_until_closed() < AT_ONCE
    assert bystander.subscribe("t/1")
    broker.wait_for_log("connection closed", device.id)
    assert broker.connect(device).refused


def test_deactivation_takes_effect_at_once(broker, pki, admin, factory, witness):
    """A packet after the answer to the deactivation has no effect, before and after the connection
    is closed (contract, section 6)."""
    for _ in range(5):
        device = make(admin, pki, factory, "ACTIVE")
        session = broker.connect(device)
        session.publish("t/1", "before")
        assert witness.next_message().payload == b"before"
        admin.update_certificate(device, "INACTIVE")
        session.publish("t/1", "after", qos=0)
        session.wait_until_closed()
        assert heard(witness) == []


def test_delivery_stops_at_once(broker, pki, admin, factory, witness):
    """Nor is anything delivered to it any more (contract, section 6)."""
    device = make(admin, pki, factory, "ACTIVE")
    session = broker.connect(device)
    assert session.subscribe("t/#")

    admin.update_certificate(device, "INACTIVE")
    witness.publish("t/1", "secret")
    session.wait_until_closed()
    assert session.messages == []


def test_deletion_ends_what_is_left_of_a_certificate(broker, pki, admin, factory):
    """Deactivated and deleted in one request: its connections are closed all the same
    (contract, section 6; aws-iot A.3.9)."""
    device = make(admin, pki, factory, "ACTIVE")
    session = broker.connect(device)

    answers = admin.request(
        {"command": "updateCertificate", "certificateId": device.id, "newStatus": "INACTIVE"},
        {"command": "deleteCertificate", "certificateId": device.id})
    assert [a.get("error") for a in answers] == [None, None]
    assert session.wait_until_closed() < AT_ONCE
    assert broker.connect(device).refused  # known again as pending
    assert admin.status(device) == "PENDING_ACTIVATION"


def test_inactive_ca_leaves_its_active_devices_alone(broker, pki, admin, factory):
    """An inactive or deleted CA registers no devices; ACTIVE devices keep working (aws-iot A.2.3,
    A.2.5)."""
    session = broker.connect(make(admin, pki, factory, "ACTIVE"))
    admin.update_ca(factory, status="INACTIVE")
    admin.delete_ca(factory)
    broker.wait_for_log("deleteCACertificate")

    assert session.subscribe("t/1")
    session.publish("t/1", "still here")
    assert session.next_message().payload == b"still here"


# -- names -------------------------------------------------------------------------

def test_acl_file_sees_the_certificate_id(start_broker, pki, directory):
    """An admitted device's user name is its certificateId, whatever name it sends: an acl_file can
    rely on it (contract, section 6)."""
    acl = directory / "acl"
    acl.write_text("pattern readwrite t/%u\nuser bystander\ntopic readwrite t/#\n")
    acl.chmod(0o644)
    broker = start_broker(plugin={"authorization": "defer"}, config=["acl_file %s" % acl])
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device, other = (make(admin, pki, ca, "ACTIVE", name) for name in ("d1", "d2"))
    witness = broker.bystander()
    assert witness.subscribe("t/#")

    session = broker.connect(device, user=other.id, password="x")
    assert session.accepted
    session.publish("t/" + other.id, "as another")
    session.publish("t/" + device.id, "as itself")
    assert heard(witness) == ["as itself"]


@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
def test_name_of_a_certificate_cannot_be_claimed(start_broker, pki, version):
    """A client without a certificate cannot use the user name of one, even where anonymous clients
    are allowed (contract, section 6)."""
    broker = start_broker(anonymous=True, plugin={"other_clients": "allow"})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, "ACTIVE")

    assert broker.connect(None, listener="plain", version=version).accepted
    assert broker.connect(None, listener="plain", user=device.id, version=version).refused
    assert broker.connect(None, listener="plain", user="0" * 64, password="x",
                          version=version).refused
    broker.wait_for_log("connection refused", "without presenting it")


# -- reserved topics -----------------------------------------------------------------

RESERVED = [EVENTS + "0" * 64, "$aws/events/anything", "$SYS/broker/jitr/connections/accepted",
            RESPONSE]


@pytest.mark.parametrize("topic", RESERVED)
@pytest.mark.parametrize("client", ["device", "bystander", "administrator"])
def test_reserved_topics_cannot_be_forged(start_broker, pki, topic, client):
    """Only the plugin publishes events, counters and answers; no client may, whatever its other
    rights (contract, section 2; aws-iot D.4)."""
    broker = start_broker(plugin={"other_clients": "allow", "metrics_interval": 0})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, "ACTIVE")
    listener = listen_to_reserved(broker)

    def connect(**how):
        if client == "device":
            return broker.connect(device, **how)
        if client == "bystander":
            return broker.bystander(**how)
        return broker.admin(**how).session

    for qos, retain in ((0, False), (1, False), (1, True)):
        session = connect(client_id="forger")
        session.publish(topic, "forged", qos=qos, retain=retain)
        session.leave()
    assert listener.received() == []
    assert listen_to_reserved(broker).received() == []  # nor retained


@pytest.mark.parametrize("topic", RESERVED)
@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
def test_reserved_topics_cannot_be_forged_by_a_will(start_broker, pki, topic, version):
    """Nor by a will, retained or not (contract, section 2; mosquitto section 6)."""
    broker = start_broker(plugin={"other_clients": "allow", "metrics_interval": 0})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, "ACTIVE")
    listener = listen_to_reserved(broker)

    session = broker.connect(device, version=version, will=(topic, "forged"))
    session.vanish()
    other = broker.bystander(will=("t/after", "after"), client_id="after")
    witness = broker.bystander()
    assert witness.subscribe("t/after")
    other.vanish()
    witness.next_message()
    assert listener.received() == []


def listen_to_reserved(broker):
    session = broker.admin().session
    for topic in ("$aws/events/#", "$SYS/broker/jitr/#", "$CONTROL/#"):
        session.subscribe(topic)
    return session


def test_devices_cannot_administer(broker, pki, admin, factory):
    """The rights of a device do not include the registry, with `authorization allow` either
    (contract, section 3)."""
    device = make(admin, pki, factory, "INACTIVE", "victim")
    session = broker.connect(make(admin, pki, factory, "ACTIVE"))

    ask(session, {"command": "updateCertificate", "certificateId": device.id,
                  "newStatus": "ACTIVE"})
    assert admin.status(device) == "INACTIVE"


def test_named_certificate_may_administer(start_broker, pki):
    """A certificate named in admin_certificates may, as long as it is ACTIVE (contract,
    sections 3 and 5)."""
    ca = pki.ca("factory")
    device = pki.device("operator", issuer=ca)
    broker = start_broker(plugin={"admin_certificates": device.id, "authorization": "defer"})
    admin = broker.admin()
    admin.register_ca(ca)
    admin.activate(device)

    operator = Admin(broker, broker.connect(device))
    assert operator.describe_ca(ca)["status"] == "ACTIVE"
    assert operator.session.subscribe(EVENTS + "#")
    broker.connect(pki.device("d1", issuer=ca))
    assert operator.session.next()["caCertificateId"] == ca.id
    admin.update_certificate(device, "INACTIVE")
    operator.session.wait_until_closed()
    assert broker.connect(device).refused


def test_metrics_are_published(start_broker, pki):
    """Counters below $SYS/broker/jitr/ every metrics_interval seconds (contract, sections 2
    and 5)."""
    broker = start_broker(plugin={"metrics_interval": 1})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    broker.connect(pki.device("d1", issuer=ca))
    counters = admin.listen("$SYS/broker/jitr/#")

    seen = {}
    while seen.get("certificates/registered") != "1" or seen.get("connections/refused") != "1":
        message = counters.next_message()
        seen[message.topic[len("$SYS/broker/jitr/"):]] = message.payload.decode()


def test_asking_without_rights_is_an_error_not_a_disconnection(broker, pki, admin, factory):
    """A device that sends a request gets AccessDeniedException, and stays connected (contract,
    section 3)."""
    device = Admin(broker, broker.connect(make(admin, pki, factory, "ACTIVE")))

    with pytest.raises(AwsError) as refusal:
        device.registration_code()
    assert refusal.value.name == "AccessDeniedException"
    assert device.session.subscribe("t/1")
