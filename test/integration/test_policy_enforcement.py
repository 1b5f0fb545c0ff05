# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""An ACTIVE certificate has the rights of its attached policies, in every packet: CONNECT, PUBLISH,
SUBSCRIBE, each delivery, and wills (aws-iot F)."""
import json

import pytest

import raw
from admin import EVENTS
from device import MQTT_3_1_1, MQTT_5, NOT_AUTHORISED
from policies import ARN, CONNECT, allow, arn, deny

VERSIONS = pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
QOS = pytest.mark.parametrize("qos", [0, 1, 2])

EVERYTHING = allow("*", "*")
HEAR = (allow("Subscribe", "topicfilter/*"), allow("Receive", "topic/*"))

CONNACK, PUBACK, PUBREC, SUBACK = 0x20, 0x40, 0x50, 0x90
PUBLISH_DENIED = 0x87


# -- iot:Connect -------------------------------------------------------------------

@VERSIONS
def test_no_policy_no_connection(site, version):
    """A certificate without a policy is refused although it is ACTIVE, and the log says why
    (aws-iot F.4; CVE-2018-12550: without a statement nothing is allowed)."""
    device = site.device()

    assert site.broker.connect(device, version=version).refused
    line = site.broker.wait_for_log("connection refused", device.id, 'client="d1"')
    assert "no policy is attached" in line


@pytest.mark.parametrize("listener", ["tls", "websockets"])
@VERSIONS
def test_client_id_of_the_policy(make_site, listener, version):
    """iot:Connect is checked for the client id: that of the policy is admitted, any other one is
    refused with the reason in the log (aws-iot F.2)."""
    site = make_site(listeners=("plain", "tls", "websockets"))
    device = site.device(allow("Connect", "client/d1"), name="other")
    how = dict(listener=listener, version=version)

    assert site.broker.connect(device, client_id="d1", **how).accepted
    for client_id in ("d2", "d", "d11", "D1", "xd1"):
        assert site.broker.connect(device, client_id=client_id, **how).refused
    line = site.broker.wait_for_log("connection refused", device.id, 'client="d2"')
    assert "policies do not allow it to connect with this client id" in line


def test_client_id_that_the_broker_makes_up(site):
    """A client without an id of its own is judged by the one it is given (aws-iot F.2)."""
    device = site.device(allow("Connect", "client/d1"))

    assert raw.answer_to(site.broker, device, raw.connect_packet(""))[3] == 5


@VERSIONS
def test_client_id_must_be_the_common_name(site, version):
    """client/${iot:Certificate.Subject.CommonName} lets each device in under its own name
    alone, one policy for all (aws-iot F.5, F.8 row 11)."""
    own = site.policies.create(allow("Connect", "client/${iot:Certificate.Subject.CommonName}"))
    devices = [site.device(name="dev-%d" % n) for n in (1, 2)]
    for device in devices:
        site.policies.attach(own, device)

    for device, other in (devices, reversed(devices)):
        assert site.broker.connect(device, client_id=device.name, version=version).accepted
        assert site.broker.connect(device, client_id=other.name, version=version).refused


def test_thing_name_only_when_attached(site):
    """client/${iot:Connection.Thing.ThingName} admits where a thing is named like the client
    id and the certificate is attached to it; a thing of that name alone is not enough
    (aws-iot F.5, F.8 row 13)."""
    device = site.device(allow("Connect", "client/${iot:Connection.Thing.ThingName}"))
    assert site.broker.connect(device).refused
    site.policies.create_thing("d1")
    assert site.broker.connect(device).refused

    site.policies.attach_thing("d1", device)
    assert site.broker.connect(device).accepted
    assert site.broker.connect(device, client_id="d2").refused


def test_exclusive_thing_is_the_connections_thing(site):
    """A thing to which the certificate is attached exclusively is the connection's thing with any
    client id, live and in the tools (AWS IoT developer guide, "Associating an AWS IoT thing to an
    MQTT client connection")."""
    device = site.device(allow("Connect", "client/*", {
        "Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}),
        allow("Publish", "topic/t/${iot:Connection.Thing.ThingName}/"
                         "${iot:Connection.Thing.Attributes[line]}"))
    site.policies.create_thing("lamp", line="7")
    site.policies.attach_thing("lamp", device)
    assert site.broker.connect(device, client_id="d9").refused

    site.admin.attach_thing("lamp", device, thingPrincipalType="EXCLUSIVE_THING")
    session = site.broker.connect(device, client_id="d9")
    assert session.accepted
    session.publish("t/d9/7", "no")
    session.publish("t/lamp/7", "yes")
    assert site.heard() == ["yes"]
    answer = site.admin.call("explain", certificateId=device.id, clientId="d9", topic="t/lamp/7")
    assert answer["connect"]["allowed"] is True
    assert answer["publish"]["authDecision"] == "ALLOWED"
    assert answer["missingContextValues"] == []

    site.policies.update_thing("lamp", line="8")
    session.publish("t/lamp/7", "no")
    session.publish("t/lamp/8", "yes")
    assert site.heard() == ["yes"]
    site.policies.detach_thing("lamp", device)
    session.wait_until_closed()


def test_is_attached_as_a_condition(site):
    """The same as a condition (aws-iot F.5)."""
    device = site.device(allow("Connect", "client/*", {
        "Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}))
    site.policies.create_thing("d1")
    assert site.broker.connect(device).refused

    site.policies.attach_thing("d1", device)
    assert site.broker.connect(device).accepted
    assert site.broker.connect(device, client_id="d2").refused


def test_deny_wins_over_allow(site):
    """In any of the policies (aws-iot F.4)."""
    device = site.device(allow("Connect", "client/*"))
    site.policies.give(device, deny("Connect", "client/d2"))

    assert site.broker.connect(device, client_id="d1").accepted
    assert site.broker.connect(device, client_id="d2").refused


def attributes(operator, *values):
    return {operator: {"iot:ConnectAttributes": list(values)}}


# Condition; whether a clean session and a persistent one are admitted.
PERSISTENCE = {
    "mandatory": ([allow("Connect", "client/*", attributes(
        "ForAnyValue:StringEquals", "PersistentConnect"))], (False, True)),
    "forbidden": ([allow("Connect", "client/*", attributes(
        "ForAllValues:StringNotEquals", "PersistentConnect"))], (True, False)),
    "denied": ([CONNECT, deny("Connect", "*", attributes(
        "ForAnyValue:StringEquals", "PersistentConnect"))], (True, False)),
    "will allowed": ([allow("Connect", "client/*", attributes(
        "ForAllValues:StringEquals", "LastWill"))], (True, False)),
    "both allowed": ([allow("Connect", "client/*", attributes(
        "ForAllValues:StringEquals", "PersistentConnect", "LastWill"))], (True, True)),
}


@pytest.mark.parametrize("what", PERSISTENCE)
@VERSIONS
def test_persistent_connect(site, version, what):
    """The documented idioms on iot:ConnectAttributes, as far as they are about persistent
    sessions (aws-iot F.6); of MQTT 5 it is hidden whether a session is one."""
    statements, expected = PERSISTENCE[what]
    device = site.device(*statements)

    let_in = tuple(site.broker.connect(device, clean=clean, version=version).accepted
                   for clean in (True, False))
    if version == MQTT_5 and what != "both allowed":
        expected = (False, False)
    assert let_in == expected


@pytest.mark.parametrize("what", ["forbidden", "denied", "will allowed"])
@pytest.mark.parametrize("clean", [True, False], ids=["clean", "resumed"])
@pytest.mark.parametrize("expiry", [None, 0, 3600, 0xFFFFFFFF])
def test_no_session_of_mqtt_5_persists_where_that_is_forbidden(site, what, clean, expiry):
    """In MQTT 5 the session expiry interval makes a session persistent (MQTT 5, 3.1.2.11.2), which
    no broker shows its plugins: where a policy forbids persistent sessions no client of MQTT 5 is
    admitted, in particular none with clean start and an expiry interval."""
    device = site.device(*PERSISTENCE[what][0])
    how = dict(clean=clean, expiry=expiry, version=MQTT_5)
    assert site.broker.connect(device, **how).refused
    assert site.broker.connect(device, version=MQTT_3_1_1).accepted


# What a broker does not show its plugins: whether there is a will.
ABOUT_THE_WILL = {
    "plain connects only": [allow("Connect", "client/*", attributes(
        "ForAllValues:StringEquals"))],
    "mandatory": [allow("Connect", "client/*", attributes(
        "ForAnyValue:StringEquals", "LastWill"))],
    "denied": [CONNECT, deny("Connect", "*", attributes(
        "ForAnyValue:StringEquals", "LastWill"))],
    "its topic": [allow("Connect", "client/*", {"ArnEquals": {
        "iot:LastWillTopic": [ARN + "topic/t/will"]}})],
    "its topic denied": [CONNECT, deny("Connect", "*", {"ArnLike": {
        "iot:LastWillTopic": [ARN + "topic/secret/*"]}})],
}


@pytest.mark.parametrize("what", ABOUT_THE_WILL)
def test_condition_about_the_will_refuses(site, what):
    """The broker does not tell whether a CONNECT has a will: a condition that needs this admits no
    client, rather than one that must not connect (policy.h; aws-iot F.6)."""
    device = site.device(*ABOUT_THE_WILL[what])

    assert site.broker.connect(device).refused
    assert site.broker.connect(device, will=("t/will", "last word")).refused
    assert site.heard() == []


def test_source_address_of_a_connection(site):
    """A condition on aws:SourceIp uses the client's address (aws-iot F.6)."""
    here, elsewhere = (site.device(allow("Connect", "client/*", {
        "IpAddress": {"aws:SourceIp": [network]}}), name=name)
        for name, network in (("here", "127.0.0.0/8"), ("elsewhere", "192.0.2.0/24")))

    assert site.broker.connect(here).accepted
    assert site.broker.connect(elsewhere).refused


def test_extended_authentication_asks_the_policies(site):
    """MQTT 5's AUTH exchange, which skips the ordinary check, is no way around them
    (contract, section 6)."""
    packet = raw.connect_packet("d2", version=5, method="SOME-METHOD")

    for device in (site.device(), site.device(allow("Connect", "client/d1"))):
        assert raw.answer_to(site.broker, device, packet)[3] == NOT_AUTHORISED[MQTT_5]


# -- listeners that name clients by their certificate --------------------------------

@pytest.fixture
def identity(make_site):
    made = make_site(listeners=("plain", "tls", "identity"))
    assert made.witness
    return made


@VERSIONS
def test_identity_listener_is_no_way_around_connect(identity, version):
    """use_identity_as_username admits clients before the plugin is asked: a client that may not
    connect cannot publish, subscribe or receive there, and is disconnected (contract, section 6;
    mosquitto section 0, 6)."""
    rights = (allow("Publish", "topic/t/*"), *HEAR)
    devices = [identity.device(name="none"),
               identity.device(allow("Connect", "client/other"), *rights, name="not so"),
               identity.device(*rights, name="not at all")]
    for device in devices:
        publisher = identity.broker.connect(device, listener="identity", version=version)
        publisher.publish("t/1", "contraband", qos=0)
        publisher.wait_until_closed()
        subscriber = identity.broker.connect(device, listener="identity", version=version)
        assert not subscriber.subscribe("t/#")
        subscriber.wait_until_closed()
        assert subscriber.messages == []
        identity.broker.wait_for_log("connection refused", device.id)
    assert identity.heard() == []


@VERSIONS
def test_identity_listener_publishes_no_will_without_the_right_to_connect(identity, version):
    """Nor if the client sends nothing and its connection breaks before the plugin was asked about
    it (contract, section 6; mosquitto section 0, 6)."""
    rights = (allow("Publish", "topic/t/*"),)
    refused = identity.device(allow("Connect", "client/other"), *rights, name="not so")
    welcome = identity.device(allow("Connect", "client/*"), *rights, name="so")
    for device, word in ((refused, "contraband"), (welcome, "last word")):
        session = identity.broker.connect(device, listener="identity", version=version,
                                          will=("t/will", word))
        session.vanish()
    assert identity.witness.next_message().payload == b"last word"
    assert identity.heard() == []


def test_identity_listener_goes_by_policies(identity):
    """A client that may connect there has the rights of its policies, and no more (contract,
    section 6)."""
    device = identity.device(allow("Connect", "client/d1"), allow("Publish", "topic/t/ok"),
                             allow("Subscribe", "topicfilter/t/ok"),
                             allow("Receive", "topic/t/ok"))
    session = identity.broker.connect(device, listener="identity")

    assert session.subscribe("t/ok") and not session.subscribe("t/#")
    session.publish("t/no", "denied")
    session.publish("t/ok", "allowed")
    assert session.next_message().payload == b"allowed"
    assert identity.heard() == ["allowed"]


# -- iot:Publish, iot:RetainPublish ----------------------------------------------------

@QOS
@VERSIONS
def test_publish(site, version, qos):
    """A message on an allowed topic arrives, any other one is dropped; the connection stays open
    (aws-iot F.2, F.7)."""
    session = site.connect(allow("Publish", "topic/t/a/*"), version=version)

    for topic in ("t/b", "t/a", "t/a/1", "t/ab/1", "t/A/1", "t/a/1/2"):
        session.publish(topic, topic, qos=qos)
    assert session.received() == []
    assert site.heard() == ["t/a/1", "t/a/1/2"]


# Resource, and topics that it allows or not (aws-iot F.8 rows 1 to 4, 7, 17 and 20).
TOPICS = {
    "topic/t/a/*": (["t/a/b/c", "t/a/b"], ["t/a", "t/b"]),
    "topic/t/a/?": (["t/a/b", "t/a//"], ["t/a/bc", "t/a/"]),
    "topic/t/*/x": (["t/a/x", "t/a/b/x", "t//x"], ["t/x", "t/a/x/y"]),
    "topicfilter/t/a": ([], ["t/a"]),
    "client/t/a": ([], ["t/a"]),
    "topic/t/c${*}d": (["t/c*d"], ["t/cxd"]),
    "arn:aws:iot:eu-west-1:000000000000:topic/t/e": ([], ["t/e"]),
    "arn:aws:iot:local:111111111111:topic/t/f": ([], ["t/f"]),
    "arn:aws:iot:*:*:topic/t/g": (["t/g"], ["t/h"]),
}


@pytest.mark.parametrize("resource", TOPICS)
def test_publish_by_resource(site, resource):
    """How the resource of a statement meets a topic: as text with * and ?, over the whole
    ARN (aws-iot F.3, F.8)."""
    allowed, denied = TOPICS[resource]
    session = site.connect(allow("Publish", resource))

    for topic in denied + allowed:
        session.publish(topic, topic)
    assert site.heard() == allowed


def test_not_resource(site):
    """Everything but a device's own topics denied (aws-iot F.8 row 16)."""
    others = deny("Publish", [])
    del others["Resource"]
    others["NotResource"] = [ARN + "topic/t/dev1/*"]
    session = site.connect(EVERYTHING, others)

    session.publish("t/dev2/x", "of another")
    session.publish("t/dev1/x", "its own")
    assert site.heard() == ["its own"]


def test_variables_in_topics(site):
    """Client id and common name of the publisher (aws-iot F.5)."""
    device = site.device(CONNECT, allow("Publish", [
        "topic/t/id/${iot:ClientId}", "topic/t/cn/${iot:Certificate.Subject.CommonName}",
        "topic/t/no/${iot:Connection.Thing.ThingName}"]), name="dev-1")
    session = site.broker.connect(device, client_id="dev1")

    for topic in ("t/id/dev-1", "t/cn/dev1", "t/no/dev1", "t/no/", "t/id/dev1", "t/cn/dev-1",
                  "t/no/${iot:Connection.Thing.ThingName}"):
        session.publish(topic, topic)
    assert site.heard() == ["t/id/dev1", "t/cn/dev-1"]


def hears_retained(site, topic):
    """Whether a new subscriber gets a retained message."""
    session = site.broker.bystander()
    assert session.subscribe(topic)
    return session.received()


@QOS
def test_retained_message_takes_two_permissions(site, qos):
    """A message with RETAIN needs iot:RetainPublish in addition to iot:Publish; one without does
    not (aws-iot F.2, F.8 row 15)."""
    session = site.connect(allow("Publish", "topic/t/*"),
                           allow("RetainPublish", ["topic/t/kept", "topic/u/*"]))

    session.publish("t/1", "not kept", qos=qos, retain=True)
    session.publish("u/1", "no publish", qos=qos, retain=True)
    session.publish("t/1", "plain", qos=qos)
    session.publish("t/kept", "kept", qos=qos, retain=True)
    session.received()
    assert site.heard() == ["plain", "kept"]
    assert hears_retained(site, "t/1") == hears_retained(site, "u/1") == []
    assert hears_retained(site, "t/kept") == ["kept"]


def test_deleting_a_retained_message_is_publishing_one(site):
    """An empty retained message deletes: without iot:RetainPublish it does not (aws-iot
    F.2)."""
    keeper = site.connect(allow(["Publish", "RetainPublish"], "topic/t/*"), name="keeper")
    session = site.connect(allow("Publish", "topic/t/*"))
    keeper.publish("t/1", "kept", retain=True)

    session.publish("t/1", "", retain=True)
    assert hears_retained(site, "t/1") == ["kept"]


def test_acknowledgement_of_a_denied_publish(site):
    """PUBACK and PUBREC have 0x87 in MQTT 5, and no code in 3.1.1, where the message is dropped too
    (aws-iot F.7)."""
    device = site.device(CONNECT)

    def answers(version, *packets):
        found = raw.answers_to(site.broker, device, raw.connect_packet("d1", version=version),
                               *packets)
        assert found[0][0] == CONNACK
        return found[1:]

    one, two = (raw.publish_packet("t/1", version=5, qos=qos, number=7) for qos in (1, 2))
    assert answers(5, one, two) == [(PUBACK, b"\0\7\x87"), (PUBREC, b"\0\7\x87")]
    one = raw.publish_packet("t/1", version=4, qos=1, number=7)
    assert answers(4, one) == [(PUBACK, b"\0\7")]
    assert site.heard() == []


# -- iot:Subscribe ---------------------------------------------------------------------

# Resource, and filters that it allows or not (aws-iot F.8 rows 5 to 8).
FILTERS = {
    "topicfilter/t/#": (["t/#"], ["t/b", "t/+", "#", "t"]),
    "topicfilter/t/+/b": (["t/+/b"], ["t/a/b", "t/#", "t/+/c"]),
    "topicfilter/t/*": (["t/#", "t/+/c", "t/b", "t/b/#"], ["t", "+/b", "#"]),
    "topic/t/b": ([], ["t/b"]),
    "topicfilter/t/?": (["t/b", "t/#", "t/+"], ["t/bc"]),
}


@pytest.mark.parametrize("resource", FILTERS)
def test_subscribe_by_resource(site, resource):
    """A filter is text for a policy: + and # stand for themselves (aws-iot F.3, F.8)."""
    allowed, denied = FILTERS[resource]
    session = site.connect(allow("Subscribe", resource))

    for topic in allowed + denied:
        assert session.subscribe(topic) == (topic in allowed), topic


@VERSIONS
def test_subscription_denied_in_the_suback(site, version):
    """0x80 in MQTT 3.1.1, 0x87 in 5; the connection stays open (aws-iot F.7, deny_subscribe)."""
    session = site.connect(allow("Subscribe", "topicfilter/t/ok"), version=version)

    assert session.subscription_code("t/no") == {MQTT_3_1_1: 0x80, MQTT_5: 0x87}[version]
    assert session.subscription_code("t/ok", qos=1) == 1
    site.broker.wait_for_log("subscribe denied", 'topic="t/no"')


def test_denied_subscription_delivers_nothing(site):
    """Also not if everything may be received (aws-iot F.2)."""
    session = site.connect(allow("Receive", "*"), allow("Subscribe", "topicfilter/t/ok"))
    assert not session.subscribe("t/#")
    assert session.subscribe("t/ok")

    site.tell("t/no", "secret")
    site.tell("t/ok", "hello")
    assert session.received() == ["hello"]


def test_text_against_text(site):
    """A Deny on a filter does not deny a wider one: iot:Receive is for that (aws-iot F.3, F.8 rows
    8 and 9)."""
    session = site.connect(*HEAR, deny("Subscribe", "topicfilter/t/secret/*"),
                           deny("Receive", "topic/t/secret/*"))

    assert not session.subscribe("t/secret/x")
    assert session.subscribe("t/#")
    site.tell("t/secret/x", "secret")
    site.tell("t/x", "hello")
    assert session.received() == ["hello"]


@VERSIONS
def test_shared_subscription_is_judged_by_both_texts(site, version):
    """With and without $share/<group>/: an Allow of either is enough, a Deny of either denies
    (aws-iot F.2)."""
    session = site.connect(allow("Subscribe", "topicfilter/t/ok"), allow("Receive", "*"),
                           version=version)

    assert session.subscribe("$share/group/t/ok")
    assert not session.subscribe("$share/group/t/no")
    assert not session.subscribe("$share/t/ok/t/no")
    site.tell("t/no", "secret")
    site.tell("t/ok", "hello")
    assert session.received() == ["hello"]
    named = site.connect(allow("Subscribe", "topicfilter/$share/group/*"),
                         deny("Subscribe", "topicfilter/t/no"), name="named", version=version)
    assert named.subscribe("$share/group/t/ok")
    assert not named.subscribe("$share/other/t/ok")
    assert not named.subscribe("$share/group/t/no")


def test_unsubscribing_takes_no_policy(site):
    """There is no iot:Unsubscribe (aws-iot F.2)."""
    session = site.connect(*HEAR)
    assert session.subscribe("t/#")
    site.tell("t/1", "before")
    session.unsubscribe("t/#")
    site.tell("t/1", "after")

    assert session.received() == ["before"]


# -- iot:Receive -----------------------------------------------------------------------

@QOS
@VERSIONS
def test_receive_is_asked_for_every_delivery(site, version, qos):
    """Each delivery is checked against its topic, whatever the filter; a denied message is silently
    not delivered, without an effect on the publisher (aws-iot F.2, F.7)."""
    session = site.connect(allow("Subscribe", "topicfilter/t/#"),
                           allow("Receive", ["topic/t/a", "topic/t/c/*"]), version=version)
    assert session.subscribe("t/#", qos=qos)

    for topic in ("t/b", "t/a", "t/c", "t/c/1", "t/b"):
        site.tell(topic, topic, qos=qos)
    assert [session.next_message().payload.decode() for _ in range(2)] == ["t/a", "t/c/1"]
    assert session.received() == []
    assert site.heard() == ["t/b", "t/a", "t/c", "t/c/1", "t/b"]


def test_subscribe_without_receive_is_silence(site):
    """A successful SUBACK, and nothing (aws-iot F.2)."""
    session = site.connect(allow("Subscribe", "topicfilter/*"), name="deaf")
    assert session.subscribe("t/#")

    site.tell("t/1", "secret")
    assert session.received() == []


def test_retained_messages_are_deliveries(site):
    """iot:Receive is checked for them too (aws-iot F.2)."""
    site.tell("t/a", "a", retain=True)
    site.tell("t/b", "b", retain=True)
    session = site.connect(allow("Subscribe", "topicfilter/*"), allow("Receive", "topic/t/a"))

    assert session.subscribe("t/#")
    assert session.received() == ["a"]


# -- wills -----------------------------------------------------------------------------

@VERSIONS
def test_will_is_a_publish_at_sending_time(site, version):
    """Published where iot:Publish allows its topic then, otherwise not (aws-iot F.2; the
    broker does not show wills at CONNECT)."""
    good = site.connect(allow("Publish", "topic/t/will"), name="good", version=version,
                        will=("t/will", "good"))
    bad = site.connect(allow("Publish", "topic/t/other"), name="bad", version=version,
                       will=("t/will", "bad"))
    bad.vanish()
    site.broker.wait_for_log("publish denied", 'client="bad"')
    good.vanish()
    assert site.witness.next_message().payload == b"good"
    assert site.heard() == []


@VERSIONS
def test_will_goes_by_the_policies_of_that_moment(site, version):
    """A will allowed at CONNECT may be denied when it is sent, and the other way round (aws-iot
    F.4)."""
    sessions = {}
    for name, topic in (("loses", "topic/t/*"), ("gains", "topic/t/nothing")):
        device = site.device(CONNECT, allow("Publish", topic), name=name)
        sessions[device] = site.broker.connect(device, version=version, will=("t/will", name))
    loses, gains = sessions
    site.policies.add_version(loses.policy, CONNECT)
    site.policies.add_version(gains.policy, CONNECT, allow("Publish", "topic/t/*"))

    sessions[loses].vanish()
    sessions[gains].vanish()
    assert site.witness.next_message().payload == b"gains"
    assert site.heard() == []


def test_delayed_will_goes_by_the_policies_of_its_time(site):
    """The connection is long gone, the certificate is not (aws-iot F.4; mosquitto section 0,
    11)."""
    sessions = {}
    for name in ("loses", "keeps"):
        device = site.device(CONNECT, allow("Publish", "topic/t/*"), name=name)
        sessions[device] = site.broker.connect(device, version=MQTT_5, expiry=3600,
                                               will=("t/will", name), will_delay=2)
    for session in sessions.values():
        session.vanish()
    site.policies.detach(next(iter(sessions)).policy, next(iter(sessions)))

    assert site.witness.next_message().payload == b"keeps"
    assert site.heard() == []


@VERSIONS
def test_retained_will_takes_two_permissions(site, version):
    """As any retained message (aws-iot F.2)."""
    for name, actions in (("bad", ["Publish"]), ("good", ["Publish", "RetainPublish"])):
        site.connect(allow(actions, "topic/t/*"), name=name, version=version,
                     will=("t/" + name, name), will_retain=True).vanish()

    assert site.witness.next_message().payload == b"good"
    assert site.heard() == []
    assert hears_retained(site, "t/+") == ["good"]


# -- topics that begin with $ ------------------------------------------------------------

def test_broad_policies_do_not_reach_dollar_topics(site):
    """Topics with a leading $ are reached only by a statement that names them: not by
    topic/*, nor by * (aws-iot D.4; MQTT 5.0 4.7.2)."""
    session = site.connect(EVERYTHING, allow("Subscribe", "topicfilter/*"),
                           allow("Receive", "topic/*"), allow("Publish", "topic/*"))

    for topic in ("$SYS/#", "$SYS/broker/version", "$aws/events/#", EVENTS + "+",
                  "$share/g/$SYS/#", "$share/g/$aws/events/#", "$other/x", "$CONTROL/#"):
        assert not session.subscribe(topic), topic
    assert session.subscribe("#") and session.subscribe("+/x")


@VERSIONS
def test_dollar_topics_that_a_policy_names(site, version):
    """topicfilter/$SYS/* and topic/$SYS/* allow $SYS, and nothing else; the version of the broker
    is retained for every subscriber."""
    session = site.connect(allow("Subscribe", "topicfilter/$SYS/*"),
                           allow("Receive", "topic/$SYS/*"), version=version)

    assert not session.subscribe("$other/x")
    assert not session.subscribe(EVENTS + "+")
    assert session.subscribe("$SYS/broker/version")
    assert session.next_message().payload.startswith(b"mosquitto version")


def test_receiving_a_dollar_topic_takes_its_name_too(site):
    """The right to subscribe is not the right to receive (aws-iot F.2)."""
    session = site.connect(allow("Subscribe", "topicfilter/$SYS/*"), allow("Receive", "topic/*"))

    assert session.subscribe("$SYS/broker/version")
    assert session.received() == []


def test_publishing_to_a_dollar_topic(site):
    """It needs a statement that names the topic (aws-iot D.4)."""
    heard = site.broker.bystander()
    assert heard.subscribe("$other/#")
    site.connect(EVERYTHING, name="broad").publish("$other/x", "broad")
    site.connect(allow("Publish", "topic/$other/*"), name="named").publish("$other/x", "named")

    assert heard.next_message().payload == b"named"
    assert heard.received() == []


@pytest.mark.parametrize("qos, retain", [(0, False), (1, False), (2, False), (1, True)])
def test_events_cannot_be_published(site, qos, retain):
    """No client publishes below $aws/events/, whatever its policy: a forged registration would be
    believed (aws-iot D.4; contract, section 2)."""
    events = site.admin.listen_to_events()
    session = site.connect(
        EVERYTHING, allow(["Publish", "RetainPublish"], ["topic/$aws/*", "topic/$aws/events/*",
                                                         "topic/" + EVENTS + "*"]))

    session.publish(EVENTS + "0" * 64, json.dumps({"forged": True}), qos=qos, retain=retain)
    session.publish("$aws/events", "forged", qos=qos, retain=retain)
    session.received()
    newcomer = site.pki.device("newcomer", issuer=site.ca)
    site.broker.connect(newcomer)
    assert events.next()["certificateId"] == newcomer.id
    assert site.admin.listen("$aws/events/#").received() == []


def test_events_for_a_policy_that_names_them(site):
    """An activation program that is no administrator receives registrations if iot:Subscribe and
    iot:Receive name their topic (aws-iot D.4)."""
    topic = EVENTS + site.ca.id
    session = site.connect(allow("Subscribe", "topicfilter/" + topic),
                           allow("Receive", "topic/" + topic), name="rule")
    assert session.subscribe(topic)

    newcomer = site.pki.device("newcomer", issuer=site.ca)
    site.broker.connect(newcomer)
    assert session.next()["certificateId"] == newcomer.id


# -- deny_publish, deny_subscribe ----------------------------------------------------------

@VERSIONS
@QOS
def test_denied_publish_disconnects_where_configured(make_site, version, qos):
    """With `deny_publish disconnect` a denied publish costs the connection, as on AWS; that
    one only (aws-iot F.7)."""
    site = make_site({"deny_publish": "disconnect"})
    assert site.witness
    device = site.device(CONNECT, allow("Publish", "topic/t/ok"))
    one, two = (site.broker.connect(device, client_id=name, version=version)
                for name in ("one", "two"))
    other = site.connect(allow("Publish", "topic/t/*"), name="other", version=version)

    one.publish("t/ok", "allowed")
    one.publish("t/no", "denied", qos=qos)
    one.wait_until_closed()
    for session in (two, other):
        session.publish("t/ok", session.client_id)
        assert not session.closed and not session.subscribe("t/x")
    assert site.heard() == ["allowed", "two", "other"]


@VERSIONS
def test_denied_subscribe_disconnects_where_configured(make_site, version):
    """The same for `deny_subscribe disconnect` (aws-iot F.7)."""
    site = make_site({"deny_subscribe": "disconnect"})
    device = site.device(CONNECT, *HEAR, deny("Subscribe", "topicfilter/t/no"))
    one, two = (site.broker.connect(device, client_id=name, version=version)
                for name in ("one", "two"))

    assert one.subscribe("t/ok")
    assert not one.subscribe("t/no")
    one.wait_until_closed()
    assert two.subscribe("t/ok")
    site.tell("t/ok", "hello")
    assert two.next_message().payload == b"hello"


def test_denied_delivery_disconnects_no_client(make_site):
    """Neither the receiver nor the publisher is disconnected, with any configuration (mosquitto
    section 0, 10)."""
    site = make_site({"deny_publish": "disconnect", "deny_subscribe": "disconnect"})
    deaf = site.connect(allow("Subscribe", "topicfilter/*"), name="deaf")
    session = site.connect(allow("Publish", "topic/t/*"), *HEAR)
    assert deaf.subscribe("t/#") and session.subscribe("t/#")

    session.publish("t/1", "hello")
    assert session.next_message().payload == b"hello"
    assert deaf.subscribe("t/1") and not deaf.messages and not session.closed


# -- sessions without a connection -----------------------------------------------------------

@pytest.mark.parametrize("restarted", [False, True], ids=["offline", "restored"])
@VERSIONS
def test_offline_session_goes_by_the_stored_certificate(site, version, restarted):
    """Messages that arrive while the device is offline, and those that a broker restores from disk,
    are checked with the certificate and its policies: by common name, client id and thing
    (contract, section 6; mosquitto section 0, 11)."""
    how = dict(version=version, clean=False, expiry=3600)
    device = site.device(CONNECT, allow("Subscribe", "topicfilter/t/#"), allow("Receive", [
        "topic/t/plain", "topic/t/cn/${iot:Certificate.Subject.CommonName}",
        "topic/t/id/${iot:ClientId}", "topic/t/thing/${iot:Connection.Thing.ThingName}",
        "topic/t/at/${iot:Connection.Thing.Attributes[site]}"]), name="dev-1")
    site.policies.create_thing("dev1", site="berlin")
    site.policies.attach_thing("dev1", device)
    session = site.broker.connect(device, client_id="dev1", **how)
    assert session.subscribe("t/#")
    session.leave()
    if restarted:
        site.restart()

    allowed = ["t/plain", "t/cn/dev-1", "t/id/dev1", "t/thing/dev1", "t/at/berlin"]
    for topic in ["t/no", "t/cn/dev1", "t/id/dev-1", "t/thing/dev-1", "t/at/bonn", *allowed]:
        site.tell(topic, topic)
    back = site.broker.connect(device, client_id="dev1", **how)
    assert back.session_present
    assert back.received() == allowed


@VERSIONS
def test_reload_leaves_policies_as_they_are(site, version):
    """SIGHUP repeats the check of every session: none is admitted or closed by it, and the policies
    stay in force (mosquitto section 0, 1)."""
    online = site.connect(*HEAR, name="online", version=version)
    assert online.subscribe("t/#")
    device = site.device(CONNECT, allow("Subscribe", "topicfilter/*"),
                         allow("Receive", "topic/t/a"))
    how = dict(version=version, clean=False, expiry=3600)
    offline = site.broker.connect(device, **how)
    assert offline.subscribe("t/#")
    offline.leave()

    site.broker.reload()
    site.tell("t/b", "b")
    site.tell("t/a", "a")
    assert online.received() == ["b", "a"]
    assert site.broker.connect(device, **how).received() == ["a"]
    assert site.broker.connect(site.device(name="without")).refused


def test_policy_with_the_scope_of_this_broker(make_site):
    """Every ARN has the region and account of the configuration (contract, section 5)."""
    site = make_site({"region": "eu-central-1", "account_id": "123456789012"})
    assert site.witness
    mine = "arn:aws:iot:eu-central-1:123456789012:"
    device = site.admin.activate(site.pki.device("d1", issuer=site.ca))
    name = site.policies.create(allow("Connect", mine + "client/*"),
                                allow("Publish", [mine + "topic/t/a", arn("topic/t/b")]))
    site.admin.call("attachPolicy", policyName=name, target=mine + "cert/" + device.id)

    session = site.broker.connect(device)
    session.publish("t/b", "b")
    session.publish("t/a", "a")
    assert site.heard() == ["a"]
