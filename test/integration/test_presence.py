# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Connections and refused connections as events: with lifecycle_events true, below
$aws/events/presence/, in AWS's form (aws-iot D.9)."""
import collections
import contextlib
import json
import re
import time
import uuid

import pytest

import raw
from device import MQTT_3_1_1, MQTT_5
from policies import CONNECT, allow
from revocation import revocation_list
from silence import assert_silent

PRESENCE = "$aws/events/presence/"

CONNECTED = ["clientId", "timestamp", "eventType", "sessionIdentifier", "principalIdentifier",
             "ipAddress", "versionNumber"]
DISCONNECTED = ["clientId", "timestamp", "eventType", "sessionIdentifier", "principalIdentifier",
                "clientInitiatedDisconnect", "disconnectReason", "versionNumber"]
CONNECT_FAILED = ["clientId", "timestamp", "eventType", "connectFailureReason",
                  "sessionIdentifier", "principalIdentifier", "ipAddress"]

# presence.h
FAILED_PER_SECOND = 64


class Watch:
    """A broker with an administrator that receives presence events."""

    def __init__(self, broker, ca=None):
        self.broker, self.pki = broker, broker.pki
        self.admin = broker.admin()
        self.ca = ca or self.pki.ca("factory")
        self.admin.register_ca(self.ca)
        self.events = self.admin.listen(PRESENCE + "#")

    def device(self, name="d1"):
        return self.admin.activate(self.pki.device(name, issuer=self.ca))

    def next(self, kind=None, client_id=None):
        """The next event; each is where and how it should be."""
        message = self.events.next_message()
        event = json.loads(message.payload.decode())
        assert message.topic == PRESENCE + event["eventType"] + "/" + event["clientId"]
        assert (message.qos, message.retain) == (1, False)
        assert uuid.UUID(event["sessionIdentifier"]).version == 4
        assert kind is None or event["eventType"] == kind
        assert client_id is None or event["clientId"] == client_id
        return event

    def connect(self, device, **how):
        """A connection and its event."""
        session = self.broker.connect(device, **how)
        assert session.accepted
        return session, self.next("connected")

    def assert_silent(self):
        """There were no other events: the next one is that of a connection made for this check."""
        _, event = self.connect(self.device("canary"))
        assert event["clientId"] == "canary"

    @property
    def tells_reasons(self):
        """From 2.1 on the broker tells its plugins why a connection ended."""
        return self.broker.version >= (2, 1)


@pytest.fixture
def watch(start_broker):
    return Watch(start_broker(plugin={"lifecycle_events": "true"}))


# -- what is told ------------------------------------------------------------------

def test_connection_and_its_end_have_aws_members(watch):
    """Members, their order and their types are AWS's; both events of a connection have its
    session and its version (aws-iot D.9)."""
    device = watch.device()
    before = time.time() * 1000 - 1
    session, connected = watch.connect(device)
    session.leave()
    disconnected = watch.next("disconnected", "d1")
    after = time.time() * 1000 + 1

    assert list(connected) == CONNECTED
    assert connected["principalIdentifier"] == device.id
    assert connected["ipAddress"] == "127.0.0.1"
    assert type(connected["versionNumber"]) is int
    assert list(disconnected) == DISCONNECTED
    assert disconnected["principalIdentifier"] == device.id
    for member in ("sessionIdentifier", "versionNumber"):
        assert disconnected[member] == connected[member]
    assert type(connected["timestamp"]) is int
    assert before <= connected["timestamp"] <= disconnected["timestamp"] <= after
    watch.assert_silent()


def test_version_grows_and_session_changes_with_each_connection(watch):
    """A subscriber that gets events in another order sees from the version which is newer; also
    over restarts of the broker (aws-iot D.9)."""
    device, events = watch.device(), []
    for restart in (False, False, True, False):
        if restart:
            watch.broker.restart()
            watch.admin = watch.broker.admin()
            watch.events = watch.admin.listen(PRESENCE + "#")
        session, event = watch.connect(device)
        events.append(event)
        session.leave()
        watch.next("disconnected")

    versions = [e["versionNumber"] for e in events]
    assert versions == sorted(set(versions))
    assert len({e["sessionIdentifier"] for e in events}) == len(events)


def test_address_is_that_of_the_connection(watch):
    """Where the device is now (aws-iot D.9)."""
    _, event = watch.connect(watch.device(), source="127.0.0.2")
    assert event["ipAddress"] == "127.0.0.2"


@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
def test_persistent_session_that_goes_offline_is_disconnected(watch, version):
    """Once, although the broker keeps the session; its next connection is a new one (aws-iot D.9;
    mosquitto section 13)."""
    device, how = watch.device(), dict(version=version, clean=False, expiry=3600)
    session, first = watch.connect(device, **how)
    assert session.subscribe("t/#")
    session.leave()
    assert watch.next("disconnected")["versionNumber"] == first["versionNumber"]

    session, again = watch.connect(device, **how)
    assert session.session_present
    assert again["versionNumber"] > first["versionNumber"]
    assert again["sessionIdentifier"] != first["sessionIdentifier"]
    watch.assert_silent()


def test_websockets_are_connections_too(start_broker, pki):
    """Connections over websockets have the same events."""
    ca = pki.ca("factory")
    watch = Watch(start_broker(plugin={"lifecycle_events": "true"},
                               listeners=("plain", "tls", "websockets"),
                               websockets_trust=[ca]), ca)
    session, connected = watch.connect(watch.device(), listener="websockets")
    session.leave()
    assert watch.next("disconnected")["sessionIdentifier"] == connected["sessionIdentifier"]


# -- how a connection ends -----------------------------------------------------------

def leaves(watch, device):
    session, event = watch.connect(device)
    session.leave()
    return event


def vanishes(watch, device):
    session, event = watch.connect(device)
    session.vanish()
    return event


def falls_silent(watch, device):
    _, event = watch.connect(device, keepalive=1)
    return event


def is_taken_over(watch, device):
    _, event = watch.connect(device)
    session, newer = watch.connect(device)
    assert newer["versionNumber"] > event["versionNumber"]
    return event


def talks_nonsense(watch, device):
    with contextlib.closing(raw.tls_socket(watch.broker, device)) as s:
        s.sendall(raw.connect_packet("d1"))
        event = watch.next("connected")
        s.sendall(b"\x00\x00")
        while s.recv(64):
            pass
    return event




@pytest.mark.parametrize("end, initiated, reason", [
    (leaves, True, "CLIENT_INITIATED_DISCONNECT"),
    (vanishes, False, "CONNECTION_LOST"),
    (falls_silent, False, "MQTT_KEEP_ALIVE_TIMEOUT"),
    (is_taken_over, False, "DUPLICATE_CLIENTID"),
    (talks_nonsense, False, "CLIENT_ERROR"),
])
def test_end_is_told_with_its_reason_where_the_broker_knows(watch, end, initiated, reason):
    """The event says whether the client ended the connection, and why, as far as the broker tells;
    before 2.1 it does not, and the members are null (aws-iot D.9)."""
    began = end(watch, watch.device())

    event = watch.next("disconnected", "d1")
    assert event["sessionIdentifier"] == began["sessionIdentifier"]
    told = (event["clientInitiatedDisconnect"], event["disconnectReason"])
    assert told == ((initiated, reason) if watch.tells_reasons else (None, None))


def test_denied_publish_that_disconnects(make_site):
    """If deny_publish disconnects, that is the reason, as far as the broker tells (aws-iot D.9,
    F.7)."""
    site = make_site({"lifecycle_events": "true", "deny_publish": "disconnect"})
    watch = Watch(site.broker)
    session, began = watch.connect(site.device(CONNECT))
    session.publish("t/forbidden", qos=0)
    session.wait_until_closed()

    event = watch.next("disconnected", "d1")
    assert event["sessionIdentifier"] == began["sessionIdentifier"]
    told = (event["clientInitiatedDisconnect"], event["disconnectReason"])
    assert told == ((False, "AUTH_ERROR") if watch.tells_reasons else (None, None))


def deactivated(watch, device):
    watch.admin.update_certificate(device, "INACTIVE")


def revoked(watch, device):
    watch.admin.update_certificate(device, "REVOKED")


def listed(watch, device):
    watch.admin.call("importCrl", caCertificateId=watch.ca.id,
                     crl=revocation_list(watch.ca, device))


@pytest.mark.parametrize("cut", [deactivated, revoked, listed])
@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
def test_connection_that_is_cut_is_forbidden(watch, cut, version):
    """A connection that loses its rights is closed, and the event says so with every broker,
    because the plugin closed it (aws-iot D.8, D.9)."""
    device = watch.device()
    session, began = watch.connect(device, version=version)
    cut(watch, device)
    session.wait_until_closed()

    event = watch.next("disconnected", "d1")
    assert event["sessionIdentifier"] == began["sessionIdentifier"]
    assert (event["clientInitiatedDisconnect"], event["disconnectReason"]) == (
        False, "FORBIDDEN_ACCESS")
    watch.assert_silent()


def test_reload_is_no_event(watch):
    """SIGHUP repeats the check of every client: there is no event, and the later disconnection is
    that of the same connection (mosquitto section 0, 1)."""
    session, began = watch.connect(watch.device())
    watch.broker.reload()
    session.leave()

    event = watch.next("disconnected")
    assert event["sessionIdentifier"] == began["sessionIdentifier"]
    assert event["versionNumber"] == began["versionNumber"]


# -- refused connections -------------------------------------------------------------

@pytest.mark.parametrize("status", ["unknown", "PENDING_ACTIVATION", "INACTIVE", "REVOKED"])
def test_refused_connection_has_an_event_of_its_own(watch, pki, status):
    """A connection refused for its certificate has an event without a version, because there was no
    connection; no disconnection follows (aws-iot D.9)."""
    device = pki.device("d1", issuer=watch.ca)
    if status == "PENDING_ACTIVATION":
        watch.broker.connect(device)
        watch.next("connect_failed")
    elif status != "unknown":
        watch.admin.update_certificate(watch.admin.activate(device), status)
    assert watch.broker.connect(device, source="127.0.0.2").refused

    event = watch.next("connect_failed", "d1")
    assert list(event) == CONNECT_FAILED
    assert event["connectFailureReason"] == "AUTHORIZATION_FAILED"
    assert event["principalIdentifier"] == device.id
    assert event["ipAddress"] == "127.0.0.2"
    watch.assert_silent()


def test_connection_that_policies_refuse(make_site):
    """The same for a client id that policies refuse (aws-iot D.9)."""
    site = make_site({"lifecycle_events": "true"})
    watch = Watch(site.broker)
    device = site.device(allow("Connect", "client/d1"))
    assert site.broker.connect(device, client_id="d2").refused
    watch.next("connect_failed", "d2")
    assert site.broker.connect(device).accepted
    watch.next("connected", "d1")


def test_flood_of_refused_connections_is_bounded(start_broker, pki):
    """A client that tries without end does not displace the events of others: 64 events a second,
    the rest is counted."""
    watch = Watch(start_broker(plugin={"lifecycle_events": "true", "metrics_interval": 1}))
    device = watch.device()
    watch.admin.update_certificate(device, "REVOKED")
    counters = watch.admin.listen("$SYS/broker/jitr/presence/suppressed")
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(contextlib.closing(raw.tls_socket(watch.broker, device)))
                 for _ in range(200)]
        for n, s in enumerate(flood):
            s.sendall(raw.connect_packet("d%d" % n))
        for s in flood:
            assert s.recv(4)[3] == 5
    canary, event = watch.broker.connect(watch.device("canary")), watch.next()

    seconds = collections.Counter()
    while event["clientId"] != "canary":
        assert event["eventType"] == "connect_failed"
        seconds[event["timestamp"] // 1000] += 1
        event = watch.next()
    assert canary.accepted
    assert max(seconds.values()) == FAILED_PER_SECOND
    suppressed = 200 - sum(seconds.values())
    while int(counters.next_message().payload) != suppressed:
        pass


# -- clients without events -----------------------------------------------------------

@pytest.mark.parametrize("client_id", ["a/b/c", "/", "gerät é \U0001f600", "with blank",
                                       "$dollar", "x" * 1024, '"quoted"', "back\\slash"])
def test_client_ids_that_make_topics(watch, client_id):
    """Any client id that a topic can end with, levels of its own included (aws-iot D.9)."""
    session, event = watch.connect(watch.device(), client_id=client_id)
    assert event["clientId"] == client_id
    session.leave()
    watch.next("disconnected", client_id)


@pytest.mark.parametrize("client_id", ["a+b", "#", "a/#", "+", "x" * 1025])
def test_client_ids_that_make_no_topic_have_no_events(watch, client_id):
    """As on AWS there are no events of a client id with a wildcard in it; nor of one that is too
    long.  It may connect all the same (aws-iot D.9)."""
    session = watch.broker.connect(watch.device(), client_id=client_id)
    assert session.accepted
    session.leave()
    watch.assert_silent()


def test_client_id_that_the_broker_gives(watch):
    """A client without an id has events under the id that the broker assigned."""
    with contextlib.closing(raw.tls_socket(watch.broker, watch.device())) as s:
        s.sendall(raw.connect_packet(""))
        event = watch.next("connected")
        assert re.match("auto-.+", event["clientId"])
        assert "as %s " % event["clientId"] in watch.broker.log()
    watch.next("disconnected", event["clientId"])


def test_clients_without_a_certificate_have_no_events(watch):
    """They have no principal for an event."""
    watch.broker.bystander().leave()
    watch.broker.connect(None, listener="plain", user="unknown", password="wrong")
    watch.assert_silent()


@pytest.mark.parametrize("options", [{}, {"lifecycle_events": "false"}], ids=["default", "false"])
def test_without_the_option_there_are_no_events(start_broker, pki, options):
    """Presence events are published only with the option."""
    broker = start_broker(plugin=options)
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca))
    everything = admin.listen("$aws/events/#")
    broker.connect(device).leave()
    admin.update_certificate(device, "REVOKED")
    assert broker.connect(device).refused

    assert_silent(everything)


# -- receivers ---------------------------------------------------------------------

def test_presence_is_delivered_only_where_policies_allow(make_site):
    """Presence shows where devices are: a device receives it if its policies allow the topic, as
    for any other, and a user without a certificate that is no administrator never does (aws-iot
    D.4, D.9)."""
    site = make_site({"lifecycle_events": "true", "other_clients": "defer"})
    nosy, trusted = (site.connect(*statements, name=name) for name, statements in (
        ("nosy", [allow(["Subscribe"], "topicfilter/t/*"), allow("Receive", "*")]),
        ("trusted", [allow("Subscribe", "topicfilter/%s*" % PRESENCE),
                     allow("Receive", "topic/%s*" % PRESENCE)])))
    bystander = site.broker.bystander()
    for session in (nosy, bystander):
        for topic in (PRESENCE + "#", PRESENCE + "connected/+", "$aws/#",
                      "$share/g/" + PRESENCE + "#"):
            session.subscribe(topic)
    assert trusted.subscribe(PRESENCE + "connected/#")

    site.connect(name="d1").leave()
    event = trusted.next()
    while event["clientId"] in ("nosy", "trusted"):  # told a moment after they are let in
        event = trusted.next()
    assert (event["eventType"], event["clientId"]) == ("connected", "d1")
    assert nosy.received() == bystander.received() == []


@pytest.mark.parametrize("authorization", ["policy", "allow", "defer"])
def test_presence_cannot_be_published(start_broker, pki, authorization):
    """No device may publish an event about another, whatever its policies (aws-iot D.4)."""
    watch = Watch(start_broker(plugin={"lifecycle_events": "true", "other_clients": "allow",
                                       "authorization": authorization}))
    device = watch.device()
    watch.admin.create_policy("all", json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}))
    watch.admin.attach_policy("all", device)
    forger, _ = watch.connect(device)
    for session in (forger, watch.broker.bystander(), watch.broker.admin().session):
        session.publish(PRESENCE + "disconnected/victim", "{}", qos=0)
        session.received()

    assert watch.events.messages == []
    forger.leave()
    assert watch.next()["clientId"] == "d1"


def test_presence_waits_for_a_subscriber_that_is_offline(watch):
    """QoS 1: a persistent session gets the missed events, in order (aws-iot D.9)."""
    how = dict(client_id="rule", clean=False)
    watch.admin.listen(PRESENCE + "#", **how).leave()
    for name in ("d1", "d2"):
        session, _ = watch.connect(watch.device(name))
        session.leave()
        watch.next("disconnected")

    back = watch.broker.admin(**how).session
    heard = [back.next() for _ in range(4)]
    assert [(e["eventType"], e["clientId"]) for e in heard] == [
        (kind, name) for name in ("d1", "d2") for kind in ("connected", "disconnected")]


# -- identity listeners ------------------------------------------------------------

def test_identity_listener_has_the_same_events(start_broker, pki):
    """Where the broker does not ask at CONNECT, a connection has its event as soon as the plugin
    sees it, under its complete client id, and its disconnection is of the same session (mosquitto
    section 0, 6)."""
    watch = Watch(start_broker(plugin={"lifecycle_events": "true"},
                               listeners=("plain", "tls", "identity")))
    client_id = "é" * 200
    session = watch.broker.connect(watch.device(), listener="identity", client_id=client_id)
    session.publish("t/1")
    connected = watch.next("connected", client_id)
    assert connected["ipAddress"] == "127.0.0.1"
    session.leave()

    disconnected = watch.next("disconnected", client_id)
    assert disconnected["sessionIdentifier"] == connected["sessionIdentifier"]
