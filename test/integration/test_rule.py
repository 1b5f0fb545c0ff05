# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The rule of a CA, on a real broker: whom it accepts is in at the first connection, with its
policies and its thing, and the record follows; whom it does not accept waits or is revoked, and
everybody is told why (issue of activation, point 2)."""
import asyncio
import contextlib
import json

import pytest

import raw
from admin import CONTROL, AwsError
from broker import lasting_broker
from device import MQTT_3_1_1, MQTT_5
from disk import held
from fleet import Fleet, rule
from policies import CONNECT, allow
from wait import PATIENCE, until

VERSIONS = pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])

COMMON_NAME = "iot:Certificate.Subject.CommonName"
OWN_NAME = "${iot:Certificate.Subject.CommonName}"
ACCEPTED = "the rule of its CA accepts it"
WAITS, REVOKES = "ACTIVATION_RULE_NOT_MET", "ACTIVATION_RULE_REVOKES"

# What the policies of these tests allow: to be oneself, and a few topics.
STATEMENTS = [
    allow("Connect", "client/" + OWN_NAME),
    allow(["Publish", "RetainPublish"], ["topic/t/${iot:ClientId}/*",
                                         "topic/t/of/${iot:Connection.Thing.ThingName}"]),
    allow("Subscribe", "topicfilter/t/down/*"),
    allow("Receive", "topic/t/down/good"),
]


@pytest.fixture(scope="module")
def broker_of_all(pki):
    options = {"authorization": "policy", "other_clients": "allow", "announce_interval": 0}
    with lasting_broker(pki, plugin=options) as broker:
        yield broker


@pytest.fixture
def fleet(broker_of_all):
    """A CA without a rule so far."""
    made = Fleet(broker_of_all)
    made.policy = made.policies.create(*STATEMENTS)
    yield made
    broker_of_all.leave_sessions()


@pytest.fixture
def make_fleet(start_broker):
    """A CA with a rule that accepts everybody, and its own broker with these options."""

    def make(plugin=None, **members):
        options = {"authorization": "policy", "other_clients": "allow", **(plugin or {})}
        made = Fleet(start_broker(plugin=options))
        made.policy = made.policies.create(*STATEMENTS)
        made.set_rule(policies=[made.policy], **members)
        return made

    return make


def conditions(operator, name, value):
    return {operator: {name: value}}


def nobody():
    return conditions("StringEquals", COMMON_NAME, "nobody")


# -- the first connection ------------------------------------------------------------------

@pytest.mark.parametrize("authorization", ["policy", "defer", "allow"])
def test_first_connection_is_accepted_and_the_record_follows(make_fleet, authorization):
    """Whoever decides about topics, a certificate that the rule accepts is in at once, with
    either version of MQTT; it is ACTIVE then, its policies and its thing are attached, and the
    event says so."""
    fleet = make_fleet({"authorization": authorization}, thing=OWN_NAME)
    for version in (MQTT_3_1_1, MQTT_5):
        device = fleet.fresh()
        session = fleet.admits(device, version=version)
        event = fleet.event()
        assert (event["certificateId"], event["certificateStatus"]) == (device.id, "ACTIVE")
        assert event["certificateRegistrationTimestamp"] is None
        description = fleet.description(device)
        assert description["status"] == "ACTIVE" and description["caCertificateId"] == fleet.ca.id
        assert description["statusReason"]["details"] == ACCEPTED
        assert description["statusReason"]["date"] == description["creationDate"]
        assert "lastRefusal" not in description
        assert fleet.attached(device) == [fleet.policy]
        assert fleet.things(device) == [device.name]
        fleet.broker.wait_for_log("certificate activated: by=rule", device.id, fleet.ca.id)
        fleet.broker.wait_for_log("connection accepted", device.id)

        assert session.received() == []
        session.leave()
        fleet.admits(device, version=version)
    fleet.no_more_events()
    assert fleet.broker.log_lines("connection closed") == []


def test_rule_that_is_registered_with_its_ca(broker_of_all):
    """registerCACertificate takes it as updateCACertificate does; the word `rule` is the one
    that accepts everybody (issue of activation, point 2)."""
    with_word = Fleet(broker_of_all, activation="rule")
    policy = with_word.policies.create(CONNECT)
    with_document = Fleet(broker_of_all, activation=rule(policies=policy))
    with_document.admits(with_document.fresh()).leave()
    device = with_word.fresh()
    # Without a policy nobody gets in, ACTIVE or not.
    assert with_word.refuses(device)[0] == "DEVICE_CERTIFICATE_NO_POLICY"
    assert with_word.status(device) == "ACTIVE"
    with_word.policies.attach(policy, device)
    with_word.admits(device).leave()
    broker_of_all.leave_sessions()


@VERSIONS
def test_policies_of_the_rule_decide_from_the_first_packet_on(fleet, version):
    """Nothing is stored yet, and what a device may is what it will be: which client id it has,
    what it publishes, retained and as its will, what it subscribes to, what it receives."""
    fleet.set_rule(policies=[fleet.policy], thing=OWN_NAME)
    assert fleet.witness
    fleet.heard()  # what others left there
    device, other = fleet.fresh(), fleet.fresh()
    mine = "t/%s/" % device.name

    def try_everything(session):
        for topic in (mine + "x", "t/other/x", "t/of/" + device.name, "t/of/other"):
            session.publish(topic, topic)
            session.publish(topic, topic, retain=True)
        assert session.subscribe("t/down/+") and not session.subscribe("t/up/+")
        fleet.tell("t/down/bad", "bad")
        fleet.tell("t/down/good", "good")
        assert session.next_message().payload == b"good"
        assert fleet.heard() == [mine + "x"] * 2 + ["t/of/" + device.name] * 2 + ["bad", "good"]

    with held(fleet.broker):
        assert fleet.broker.connect(device, client_id="other", version=version).refused
        session = fleet.admits(device, version=version, will=(mine + "will", "good will"))
        stranger = fleet.admits(other, version=version, will=("t/other/will", "bad will"))
        try_everything(session)
        with pytest.raises(AwsError):
            fleet.call("describeCertificate", certificateId=device.id)
        stranger.vanish()
        fleet.broker.wait_for_log("publish denied", "t/other/will")
        session.vanish()
        assert fleet.witness.next_message().payload == b"good will"
    again = fleet.admits(device, version=version)
    try_everything(again)
    assert fleet.status(device) == fleet.status(other) == "ACTIVE"


@VERSIONS
def test_packets_that_come_with_connect(fleet, version):
    """A device that waits for no answer, CONNECT, SUBSCRIBE and PUBLISH in one piece, is judged
    by the policies of the rule as well."""
    fleet.set_rule(policies=[fleet.policy])
    assert fleet.witness
    fleet.heard()  # what others left there
    device = fleet.fresh()
    packets = [raw.connect_packet(device.client_id, version=version),
               raw.subscribe_packet("t/down/+", version=version, number=1),
               raw.subscribe_packet("t/up/+", version=version, number=2),
               raw.publish_packet("t/other/x", "bad", version=version, number=3),
               raw.publish_packet("t/%s/x" % device.name, "good", version=version, number=4)]
    with contextlib.closing(raw.tls_socket(fleet.broker, device)) as connection:
        connection.sendall(b"".join(packets))
        stream = raw.Stream(connection)
        answers = [stream.packet() for _ in packets]
    assert [kind for kind, _ in answers] == [0x20, 0x90, 0x90, 0x40, 0x40]
    assert answers[0][1][1] == 0
    assert [body[-1] < 0x80 for _, body in answers[1:3]] == [True, False]
    assert fleet.witness.next_message().payload == b"good"
    assert fleet.heard() == []


def test_policies_of_the_rule_decide_who_may_connect(fleet):
    """A client id that they do not allow is refused, at the first connection, too; the
    certificate is one of ours all the same, and gets in with its own."""
    fleet.set_rule(policies=[fleet.policy])
    device = fleet.fresh()
    assert fleet.broker.connect(device, client_id="other").refused
    assert fleet.status(device) == "ACTIVE"
    fleet.admits(device)


def test_explain_agrees_with_what_happens_then(fleet):
    """What would be answered to a CONNECT, by whom it was decided, and what it may then, is the
    same before the first connection and after it."""
    fleet.set_rule(policies=[fleet.policy], thing=OWN_NAME,
                   conditions=conditions("StringLike", COMMON_NAME, "sensor-*"))
    good, bad = fleet.fresh("sensor-1"), fleet.fresh("pump-1")
    topic = "t/of/" + good.name
    before = fleet.explain(good, topic=topic)
    assert before["registered"] is False
    assert before["activation"] == {"by": "rule", "status": "ACTIVE", "details": ACCEPTED}
    assert before["connect"]["allowed"] is before["connect"]["registersCertificate"] is True
    waits = fleet.explain(bad)
    assert waits["activation"]["status"] == "PENDING_ACTIVATION"
    assert (waits["connect"]["allowed"], waits["connect"]["reason"]) == (False, WAITS)
    assert fleet.status(good) is None is fleet.status(bad)

    fleet.admits(good)
    assert fleet.status(good) == "ACTIVE"
    after = fleet.explain(good, topic=topic)
    assert "activation" not in after and after["status"] == "ACTIVE"
    for name in ("policies", "allowed"):
        assert after["connect"][name] == before["connect"][name]
    for name in ("publish", "retainPublish", "subscribe", "receive"):
        assert after[name] == before[name]
    assert before["publish"]["authDecision"] == "ALLOWED"
    assert fleet.refuses(bad) == (WAITS, waits["connect"]["details"])


def test_restart_changes_nothing(make_fleet):
    """Rule and records are there after a restart: who was let in gets in, who is new gets in,
    and who waited is judged by the rule that there is."""
    fleet = make_fleet()
    known = fleet.fresh()
    fleet.admits(known)
    assert fleet.event()["certificateId"] == known.id
    document = rule(policies=[fleet.policy])
    fleet.restart()

    assert fleet.call("describeCACertificate", certificateId=fleet.ca.id)["activation"] == document
    fleet.admits(known)
    new = fleet.fresh()
    fleet.admits(new)
    assert fleet.event()["certificateId"] == new.id
    fleet.no_more_events()


def test_persistent_session_of_a_first_connection(fleet):
    """It is a session like any other: what comes while its device is away is kept."""
    fleet.set_rule(policies=[fleet.policy])
    for how in ({}, {"version": MQTT_5, "expiry": 3600}):
        device = fleet.fresh()
        with held(fleet.broker):
            first = fleet.admits(device, clean=False, **how)
            assert first.subscribe("t/down/+") and not first.session_present
            first.leave()
            fleet.tell("t/down/good", "early")
        fleet.admin.settle()
        fleet.tell("t/down/good", "late")
        again = fleet.admits(device, clean=False, **how)
        assert again.session_present
        assert [again.next_message().payload for _ in range(2)] == [b"early", b"late"]
        again.leave()
        fleet.broker.connect(device, client_id=device.client_id).leave()  # a clean one


def test_first_connection_does_not_wait_for_the_disk(fleet):
    """While nothing at all can be stored, as behind a very large change, it is accepted and
    answered at once; the record follows when it can."""
    fleet.set_rule(policies=[fleet.policy])
    devices = [fleet.fresh() for _ in range(5)]
    with held(fleet.broker):
        sessions = [fleet.admits(device) for device in devices]
        for session, device in zip(sessions, devices):
            session.publish("t/%s/x" % device.name, "x")
        assert fleet.call("listCertificatesByCA", caCertificateId=fleet.ca.id)["certificates"] == []
    assert [fleet.status(device) for device in devices] == ["ACTIVE"] * 5
    assert [session.received() for session in sessions] == [[]] * 5


# -- many at once ----------------------------------------------------------------------------

async def come_at_once(broker, devices, client_ids):
    """All are through their handshakes before the first CONNECT; what each is told, and the
    ends of the connections."""
    ends = [await asyncio.open_connection("127.0.0.1", broker.ports["tls"],
                                          ssl=device.tls(broker.pki), server_hostname="")
            for device in devices]
    for (_, writer), client_id in zip(ends, client_ids):
        writer.write(raw.connect_packet(client_id))
    codes = [(await asyncio.wait_for(reader.readexactly(4), PATIENCE))[3] for reader, _ in ends]
    return codes, ends


async def are_still_there(ends):
    """Each answers a ping."""
    for _, writer in ends:
        writer.write(raw.packet(0xC0, b""))
    return [await asyncio.wait_for(reader.read(2), PATIENCE) == b"\xd0\0" for reader, _ in ends]


def test_two_hundred_devices_at_once(fleet):
    """A whole plant is switched on: everybody is in, stays in, is registered once, and is told
    of once."""
    fleet.set_rule(policies=[fleet.policy], thing=OWN_NAME)
    devices = [fleet.fresh() for _ in range(200)]

    async def come():
        codes, ends = await come_at_once(fleet.broker, devices, [d.client_id for d in devices])
        assert codes == [0] * 200
        fleet.admin.settle()
        assert await are_still_there(ends) == [True] * 200
        for _, writer in ends:
            writer.close()

    asyncio.run(come())
    entries_of_ca = [entry for page in fleet.admin.pages(
        "listCertificatesByCA", caCertificateId=fleet.ca.id, pageSize=250) for entry in page]
    assert {e["certificateId"]: e["status"] for e in entries_of_ca} == {
        d.id: "ACTIVE" for d in devices}
    targets = fleet.call("listTargetsForPolicy", policyName=fleet.policy, pageSize=250)["targets"]
    assert len(targets) == 200
    assert sorted(fleet.event()["certificateId"] for _ in devices) == sorted(
        d.id for d in devices)
    fleet.no_more_events()


def test_one_certificate_from_two_clients_at_once(fleet):
    """Both are in before it is stored, both stay; it is one registration, one event."""
    fleet.set_rule(policies=[fleet.policies.create(CONNECT)])
    device = fleet.fresh()
    with held(fleet.broker):
        sessions = [fleet.admits(device, client_id=name) for name in ("one", "two")]
    assert fleet.status(device) == "ACTIVE"
    assert fleet.event()["certificateStatus"] == "ACTIVE"
    fleet.no_more_events()
    assert [session.received() for session in sessions] == [[], []]
    assert len(fleet.broker.log_lines("certificate registered", device.id)) == 1
    assert len(fleet.broker.log_lines("certificate activated", device.id)) == 1


# -- what comes in between ----------------------------------------------------------------

def test_commit_that_fails_ends_the_connection(make_small_disk, pki):
    """Nobody stays connected whose registration could not be stored: it is cut off and the log
    says why; nothing of it is left behind, and with room again it gets in."""
    disk = make_small_disk(authorization="policy", other_clients="allow", metrics_interval=1)
    fleet = Fleet(disk.broker)
    policy = fleet.policies.create(CONNECT)
    fleet.set_rule(policies=[policy], thing=OWN_NAME)
    known = fleet.fresh()
    stays = fleet.admits(known)
    assert fleet.event()["certificateId"] == known.id
    disk.fill()

    while True:  # until what was free within the registry is used up
        late = fleet.fresh()
        session = fleet.admits(late)
        until(lambda: fleet.broker.log_lines("certificate registered", late.id) or
              fleet.broker.log_lines("certificate not registered", late.id),
              "its registration, or that it is not")
        if not fleet.broker.log_lines("certificate registered", late.id):
            break
        assert fleet.event()["certificateId"] == late.id
    session.wait_until_closed()
    fleet.broker.wait_for_log("connection closed", "code=REGISTRATION_FAILED", late.id)
    with pytest.raises(AwsError):
        fleet.call("describeCertificate", certificateId=late.id)
    with pytest.raises(AwsError):
        fleet.call("describeThing", thingName=late.name)
    targets = fleet.call("listTargetsForPolicy", policyName=policy, pageSize=250)["targets"]
    assert not any(late.id in target for target in targets)
    assert fleet.events.received() == []
    assert stays.received() == []

    disk.make_room()
    back = fleet.admits(late)
    assert fleet.status(late) == "ACTIVE" and fleet.things(late) == [late.name]
    assert fleet.event()["certificateId"] == late.id
    assert back.received() == []


def test_broker_that_dies_before_the_record_is_stored(make_fleet):
    """The device was in, and nobody knows it any more: it gets in again."""
    fleet = make_fleet()
    device = fleet.fresh()
    with held(fleet.broker):
        fleet.admits(device)
        fleet.broker.kill()
    fleet.broker.leave_sessions()
    fleet.restart()
    assert fleet.status(device) is None
    fleet.admits(device)
    assert fleet.status(device) == "ACTIVE"


def ask_without_waiting(fleet, command, **members):
    """A change on its way: the broker has it, and the registry not yet."""
    session = fleet.broker.admin().session
    session.publish(CONTROL, json.dumps({"commands": [{"command": command, **members}]}))
    return session


@pytest.mark.parametrize("change, status", [
    ({"activation": rule(conditions=nobody())}, "PENDING_ACTIVATION"),
    ({"activation": "none"}, "PENDING_ACTIVATION"),
    ({"newAutoRegistrationStatus": "DISABLE"}, None),
    ({"newStatus": "INACTIVE"}, None),
], ids=["another-rule", "no-rule", "no-registration", "INACTIVE"])
def test_ca_that_changes_before_the_record_is_stored(fleet, change, status):
    """The rule that let it in is not its CA's any more when it is to be stored: it is cut off,
    and the certificate is what the CA as it is now makes of it."""
    fleet.set_rule(policies=[fleet.policy], thing=OWN_NAME)
    device = fleet.fresh()
    with held(fleet.broker):
        asked = ask_without_waiting(fleet, "updateCACertificate", certificateId=fleet.ca.id,
                                    **change)
        session = fleet.admits(device)
    assert "error" not in asked.next()["responses"][0]
    session.wait_until_closed()
    fleet.broker.wait_for_log("connection closed", device.id)
    assert fleet.status(device) == status
    if status is not None:
        assert fleet.attached(device) == fleet.things(device) == []
        assert fleet.event()["certificateStatus"] == status
    with pytest.raises(AwsError):
        fleet.call("describeThing", thingName=device.name)
    fleet.no_more_events()
    assert fleet.broker.connect(device).refused


def test_policy_that_is_deleted_before_the_record_is_stored(fleet):
    """What the rule attaches is not there any more: cut off, PENDING_ACTIVATION, with the
    reason; made again, it gets in."""
    fleet.set_rule(policies=[fleet.policy])
    device = fleet.fresh()
    with held(fleet.broker):
        ask_without_waiting(fleet, "deletePolicy", policyName=fleet.policy)
        session = fleet.admits(device)
    session.wait_until_closed()
    assert fleet.status(device) == "PENDING_ACTIVATION"
    missing = "there is no policy %s to attach" % fleet.policy
    assert fleet.reason(device) == missing
    assert fleet.refuses(device) == (WAITS, missing)
    fleet.policies.create(*STATEMENTS, name=fleet.policy)
    fleet.admits(device)
