# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The rule of a CA, on a real broker: a certificate that it accepts is admitted at the first
connection, with its policies and its thing, and the record follows; one that it does not accept is
left pending or revoked, with the reason (contract, section 7, 2)."""
import asyncio
import contextlib
import os
import signal

import pytest

import der
import raw
from admin import AwsError
from device import MQTT_3_1_1, MQTT_5
from disk import held
from fleet import ATTRIBUTES, Fleet, ask_without_waiting, rule, subject
from pki import Device, new_key
from policies import CONNECT, allow
from revocation import import_list, revocation_list
from test_logs import entries
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


@pytest.fixture
def fleet(policy_broker):
    """A CA without a rule so far."""
    made = Fleet(policy_broker)
    made.policy = made.policies.create(*STATEMENTS)
    yield made
    policy_broker.leave_sessions()


@pytest.fixture
def make_fleet(start_broker):
    """A CA with a rule that accepts every device, and its own broker with these options."""

    def make(plugin=None, **members):
        options = {"authorization": "policy", "other_clients": "allow", **(plugin or {})}
        made = Fleet(start_broker(plugin=options))
        made.policy = made.policies.create(*STATEMENTS)
        made.set_rule(policies=[made.policy], **members)
        return made

    return make


def conditions(operator, name, value):
    return {operator: {name: value}}


def no_device():
    return conditions("StringEquals", COMMON_NAME, "no device")


# -- the first connection ------------------------------------------------------------------

@pytest.mark.parametrize("authorization", ["policy", "defer", "allow"])
def test_first_connection_is_accepted_and_the_record_follows(make_fleet, authorization):
    """With every authorization option and both versions of MQTT a certificate that the rule accepts
    is admitted at once; then it is ACTIVE, its policies and its thing are attached, and the event
    says so."""
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


def test_rule_that_is_registered_with_its_ca(policy_broker):
    """registerCACertificate accepts it as updateCACertificate does; the word `rule` stands for one
    that accepts every device (contract, section 7, 2)."""
    with_word = Fleet(policy_broker, activation="rule")
    policy = with_word.policies.create(CONNECT)
    with_document = Fleet(policy_broker, activation=rule(policies=policy))
    with_document.admits(with_document.fresh()).leave()
    device = with_word.fresh()
    # Without a policy no device is admitted, ACTIVE or not.
    assert with_word.refuses(device)[0] == "DEVICE_CERTIFICATE_NO_POLICY"
    assert with_word.status(device) == "ACTIVE"
    with_word.policies.attach(policy, device)
    with_word.admits(device).leave()
    policy_broker.leave_sessions()


@VERSIONS
def test_policies_of_the_rule_decide_from_the_first_packet_on(fleet, version):
    """Before anything is stored a device has the rights that it will have: on client id,
    publications, retained and as will, subscriptions, and deliveries."""
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
    """A client id that they do not allow is refused, at the first connection too; the certificate
    is registered nevertheless, and admitted with its own client id."""
    fleet.set_rule(policies=[fleet.policy])
    device = fleet.fresh()
    assert fleet.broker.connect(device, client_id="other").refused
    assert fleet.status(device) == "ACTIVE"
    fleet.admits(device)


def test_explain_agrees_with_what_happens_then(fleet):
    """The answer to a CONNECT, the part that decides it, and the rights after it are the same in
    explain before the first connection and in reality after it."""
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
    """Rule and records are there after a restart: an admitted device is admitted, a new one is too,
    and a pending one is judged by the present rule."""
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
    """It is a session like any other: messages that arrive while its device is offline are kept."""
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
    """All devices of a plant connect at once: each is admitted, stays, is registered once, and is
    announced once."""
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
    """A client whose registration cannot be stored does not stay connected: it is disconnected and
    the log says why; nothing of it is stored, and with space again it is admitted."""
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


def test_broker_and_registrar_that_die_before_the_record_is_stored(make_fleet):
    """The device was admitted and is unknown after the restart: it is admitted again."""
    fleet = make_fleet()
    device = fleet.fresh()
    with held(fleet.broker):
        fleet.admits(device)
        os.kill(fleet.broker.registrar(), signal.SIGKILL)
        fleet.broker.kill()
    fleet.broker.leave_sessions()
    fleet.restart()
    assert fleet.status(device) is None
    fleet.admits(device)
    assert fleet.status(device) == "ACTIVE"


@pytest.mark.parametrize("change, status", [
    ({"activation": rule(conditions=no_device())}, "PENDING_ACTIVATION"),
    ({"activation": "none"}, "PENDING_ACTIVATION"),
    ({"newAutoRegistrationStatus": "DISABLE"}, None),
    ({"newStatus": "INACTIVE"}, None),
], ids=["another-rule", "no-rule", "no-registration", "INACTIVE"])
def test_ca_that_changes_before_the_record_is_stored(fleet, change, status):
    """The rule that admitted it is not the CA's any more when the record is to be stored: the
    connection is closed, and the certificate is handled by the present settings of the CA."""
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


@pytest.mark.parametrize("how, back, reason, words", [
    ({"newStatus": "INACTIVE"}, {"newStatus": "ACTIVE"}, "CA_CERTIFICATE_INACTIVE",
     "its CA is not active"),
    ({"newAutoRegistrationStatus": "DISABLE"}, {"newAutoRegistrationStatus": "ENABLE"},
     "CA_AUTO_REGISTRATION_DISABLED", "its CA does not register automatically"),
], ids=["INACTIVE", "DISABLE"])
def test_pending_device_is_told_what_keeps_its_rule_from_being_asked(fleet, how, back, reason,
                                                                     words):
    """A PENDING device of a CA with a rule that is not asked because of the CA is refused for the
    CA, live and by explain, and not as pending; without a rule it is refused as pending."""
    fleet.set_rule(policies=[fleet.policy], conditions=no_device())
    device = fleet.fresh()
    assert fleet.refuses(device)[0] == WAITS
    fleet.call("updateCACertificate", certificateId=fleet.ca.id, **how)
    assert fleet.broker.connect(device).refused
    fleet.broker.wait_for_log("connection refused", device.id, words)
    assert fleet.explain(device)["connect"]["reason"] == reason
    fleet.call("updateCACertificate", certificateId=fleet.ca.id, activation="none")
    assert fleet.explain(device)["connect"]["reason"] == "DEVICE_CERTIFICATE_PENDING_ACTIVATION"
    fleet.call("updateCACertificate", certificateId=fleet.ca.id,
               activation=rule(policies=[fleet.policy]), **back)
    fleet.admits(device)


def test_policy_that_is_deleted_before_the_record_is_stored(fleet):
    """The policy of the rule does not exist any more: the connection is closed, the certificate is
    PENDING_ACTIVATION with the reason; with the policy created again it is admitted."""
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


# -- conditions ------------------------------------------------------------------------------

def names(*general_names):
    """One with these alternative names."""
    return {"extensions": [der.general_names(*general_names)]}


def of_subject(field):
    return "iot:Certificate.Subject." + field


DNS, IP, URI, EMAIL = (of_subject("AlternativeName." + kind) for kind in (
    "DNSName", "IPAddress", "UniformResourceIdentifier", "RFC822Name"))
CN, OU = COMMON_NAME, of_subject("OrganizationalUnit")
PLANTS = "[a-z0-9-]{1,40}\\.(plant|field)\\.example"

# What is asked, of which certificate or connection it holds, and of which it does not.
CONDITIONS = {
    "literal": (conditions("StringEquals", CN, ["x", "sensor 1"]),
                subject(CommonName="sensor 1"), subject(CommonName="sensor 2")),
    "literal, case ignored": (conditions("StringEqualsIgnoreCase", CN, "SENSOR"),
                              subject(CommonName="Sensor"), subject(CommonName="sensors")),
    "not the literal": (conditions("StringNotEquals", CN, ["x", "y"]),
                        subject(CommonName="z"), subject(CommonName="y")),
    "wildcard": (conditions("StringLike", CN, ["gw-*", "sensor-?-*"]),
                 subject(CommonName="sensor-1-"), subject(CommonName="sensor-1")),
    "not the wildcard": (conditions("StringNotLike", CN, "test-*"),
                         subject(CommonName="prod-1"), subject(CommonName="test-1")),
    "expression": (conditions("StringMatches", OU, "(plant|field)-[0-9]{2}"),
                   subject(OrganizationalUnit="field-07"),
                   subject(OrganizationalUnit="field-077")),
    "expression of classes": (conditions("StringMatches", CN, "[[:upper:]]{3}[^x]+ä?"),
                              subject(CommonName="ABC-ü-ä"), subject(CommonName="ABCx")),
    "not the expression": (conditions("StringNotMatches", CN, ["0+", "(test|demo)-.*"]),
                           subject(CommonName="100"), subject(CommonName="demo-")),
    "two conditions": ({**conditions("StringLike", CN, "s-*"),
                        **conditions("StringMatches", OU, "[a-c]+")},
                       subject(CommonName="s-1", OrganizationalUnit="abba"),
                       subject(CommonName="s-1", OrganizationalUnit="d")),
    "two keys of an operator": ({"StringEquals": {CN: "a", OU: "b"}},
                                subject(CommonName="a", OrganizationalUnit="b"),
                                subject(CommonName="a")),
    "escaped value": (conditions("StringEquals", CN, "a\\,b\\=c"),
                      subject(CommonName="a,b=c"), subject(CommonName="a,b=d")),
    "second value": (conditions("StringEquals", OU + ".1", "b"),
                     subject(("OrganizationalUnit", "a"), ("OrganizationalUnit", "b")),
                     subject(("OrganizationalUnit", "b"), ("OrganizationalUnit", "a"))),
    "any of several": (conditions("ForAnyValue:StringEquals", OU + ".List", "b"),
                       subject(("OrganizationalUnit", "a"), ("OrganizationalUnit", "b")),
                       subject(("OrganizationalUnit", "a"), ("OrganizationalUnit", "c"))),
    "all of several": (conditions("ForAllValues:StringMatches", OU + ".List", "[ab]"),
                       subject(("OrganizationalUnit", "a"), ("OrganizationalUnit", "b")),
                       subject(("OrganizationalUnit", "a"), ("OrganizationalUnit", "c"))),
    "if it is there": (conditions("StringMatchesIfExists", OU, "a+"),
                       subject(CommonName="x"), subject(OrganizationalUnit="b")),
    "that it is there": (conditions("Null", OU, False),
                         subject(OrganizationalUnit="any"), subject(CommonName="x")),
    "that it is not": (conditions("Null", DNS, True), {}, names(("DNS", "a.example"))),
    "number in the subject": (conditions("NumericLessThan", of_subject("SerialNumber"), "1000"),
                              subject(SerialNumber="999"), subject(SerialNumber="1000")),
    "DNS name": (conditions("ForAnyValue:StringMatches", DNS + ".List", PLANTS),
                 names(("DNS", "other.example"), ("DNS", "d-1.field.example")),
                 names(("DNS", "d-1.field.example.com"), ("URI", "d-1.field.example"))),
    "IP name": (conditions("IpAddress", IP, ["192.0.2.0/24", "2001:db8::/32"]),
                names(("IP", "2001:db8::7")), names(("IP", "192.0.3.7"))),
    "IP name as text": (conditions("StringEquals", IP, "192.0.2.7"),
                        names(("IP", "192.0.2.7")), names(("IP", "192.0.2.8"))),
    "URI": (conditions("StringLike", URI, "urn:dev:mac:*"),
            names(("URI", "urn:dev:mac:0024")), names(("URI", "urn:dev:ow:0024"))),
    "mail address": (conditions("StringLike", EMAIL, "*@example.com"),
                     names(("email", "d1@example.com")), names(("email", "d1@example.org"))),
    "own serial number": (conditions("StringEquals", "iot:Certificate.SerialNumber", "4711"),
                          {"serial": 4711}, {"serial": 4712}),
    "range of serial numbers": (
        {**conditions("NumericGreaterThanEquals", "iot:Certificate.SerialNumber", str(1 << 80)),
         **conditions("NumericLessThan", "iot:Certificate.SerialNumber", str((1 << 80) + 10))},
        {"serial": (1 << 80) + 9}, {"serial": (1 << 80) + 10}),
    "curve": (conditions("StringEquals", "jitr:Certificate.KeyType", ["P-384", "P-521"]),
              {"key": "P-384"}, {"key": "P-256"}),
    "RSA": (conditions("StringEquals", "jitr:Certificate.KeyType", "RSA"),
            {"key": "RSA-2048"}, {"key": "P-256"}),
    "bits": (conditions("NumericGreaterThanEquals", "jitr:Certificate.KeyBits", "384"),
             {"key": "P-384"}, {"key": "P-256"}),
    "signature": (conditions("StringEquals", "jitr:Certificate.SignatureAlgorithm",
                             "ecdsa-with-SHA384"), {"digest": "sha384"}, {"digest": "sha256"}),
    "validity": (conditions("NumericLessThanEquals", "jitr:Certificate.ValidityDays", "366"),
                 {"days": (-1, 365)}, {"days": (-1, 366)}),
    "client id": (conditions("StringLike", "iot:ClientId", "gw-*"),
                  {"client_id": "gw-1"}, {"client_id": "sensor-1"}),
    "client id of the certificate": (conditions("StringEquals", "iot:ClientId", OWN_NAME),
                                     {"client_id": "me", **subject(CommonName="me")},
                                     {"client_id": "me", **subject(CommonName="you")}),
    "address": (conditions("IpAddress", "aws:SourceIp", "127.0.0.2/31"),
                {"source": "127.0.0.3"}, {"source": "127.0.0.4"}),
    "not the address": (conditions("NotIpAddress", "aws:SourceIp", "127.0.0.0/30"),
                        {"source": "127.0.0.4"}, {"source": "127.0.0.3"}),
}


def of_certificate_and_connection(how):
    """The two halves of a row, with keys made of their names."""
    connection = {name: how[name] for name in ("client_id", "source") if name in how}
    certificate = {name: how[name] for name in how if name not in connection}
    if "key" in certificate:
        certificate["key"] = new_key(certificate["key"])
    return certificate, connection


@pytest.mark.parametrize("asked, good, bad", CONDITIONS.values(), ids=CONDITIONS)
def test_condition(fleet, asked, good, bad):
    """The condition about the certificate or the connection decides: a device that meets it is
    admitted at once, another one is left pending with the condition in the reason."""
    fleet.set_rule(conditions=asked, policies=[fleet.policies.create(CONNECT)])
    certificate, connection = of_certificate_and_connection(good)
    device = fleet.fresh(**certificate)
    fleet.admits(device, **connection)
    assert fleet.status(device) == "ACTIVE"

    certificate, connection = of_certificate_and_connection(bad)
    device = fleet.fresh(**certificate)
    code, details = fleet.refuses(device, **connection)
    assert code == WAITS
    asked_of = {"%s %s does not hold" % (operator, name) for operator, keys in asked.items()
                for name in keys}
    assert details in asked_of
    assert fleet.status(device) == "PENDING_ACTIVATION" and fleet.attached(device) == []


def test_each_field_of_the_subject(fleet):
    """Every named field can be used: of fourteen certificates only the one with all of them right
    is accepted."""
    right = {field: "right " + field for field in ATTRIBUTES}
    fleet.set_rule(conditions={"StringEquals": {of_subject(f): v for f, v in right.items()}},
                   policies=[fleet.policies.create(CONNECT)])
    fleet.admits(fleet.fresh(**subject(**right)))
    for field in ATTRIBUTES:
        device = fleet.fresh(**subject(**{**right, field: "wrong"}))
        assert fleet.refuses(device) == (
            WAITS, "StringEquals %s does not hold" % of_subject(field))


def test_issuer(policy_broker, fleet):
    """Names of the issuer are facts too: one rule for two CAs admits the devices of one."""
    document = {"conditions": {"StringEquals": {
        "iot:Certificate.Issuer.CommonName": "plant 7",
        "iot:Certificate.Issuer.Organization": "Example Corp"}},
        "policies": fleet.policies.create(CONNECT)}
    plant, office = (Fleet(policy_broker, fleet.pki.ca(name), activation=rule(**document))
                     for name in ("plant 7", "office 7"))
    plant.admits(plant.fresh())
    assert office.refuses(office.fresh())[0] == WAITS


# -- what cannot be seen -------------------------------------------------------------------

LONG = {"URI": "urn:x:" + "y" * 1100}


def test_value_that_is_too_long_for_an_expression(fleet):
    """A hidden fact neither activates nor revokes, unless another condition certainly does not
    hold."""
    policies = [fleet.policies.create(CONNECT)]
    asked = conditions("StringMatches", URI, "urn:x:y*")
    fleet.set_rule(conditions=asked, policies=policies, otherwise="REVOKED")
    device = fleet.fresh(**names(*LONG.items()))
    assert fleet.refuses(device) == (WAITS, "StringMatches %s cannot be decided: the value is too "
                                     "long, or the broker does not know it" % URI)
    assert fleet.status(device) == "PENDING_ACTIVATION"

    fleet.set_rule(conditions={**asked, **no_device()}, policies=policies, otherwise="REVOKED")
    assert fleet.refuses(device)[0] == REVOKES
    assert fleet.status(device) == "REVOKED"


def test_names_that_cannot_be_read(fleet):
    """A certificate with an unreadable subject is left pending by any rule about it, and explain
    says the same."""
    fleet.set_rule(conditions=conditions("StringNotEquals", CN, "x"), otherwise="REVOKED",
                   policies=[fleet.policies.create(CONNECT)])
    bits = der.tlv(0x31, der.sequence(der.oid(der.COMMON_NAME), der.tlv(0x03, b"\0\xff\xfe")))
    device = fleet.fresh(subject=der.sequence(bits))
    explained = fleet.explain(device)
    assert explained["connect"]["allowed"] is False
    assert explained["activation"]["status"] == "PENDING_ACTIVATION"
    assert fleet.refuses(device) == (WAITS, "its names cannot be read")
    assert fleet.status(device) == "PENDING_ACTIVATION"


def test_explain_without_an_address(fleet):
    """Where the question has no address the condition is not decided; with one it is."""
    fleet.set_rule(conditions=conditions("IpAddress", "aws:SourceIp", "127.0.0.0/8"),
                   policies=[fleet.policies.create(CONNECT)], otherwise="REVOKED")
    device = fleet.fresh()
    asked = fleet.call("explain", certificatePem=device.pem, clientId=device.client_id)
    assert asked["activation"] == {
        "by": "rule", "status": "PENDING_ACTIVATION",
        "details": "IpAddress aws:SourceIp cannot be decided: the broker does not know the value"}
    assert fleet.explain(device)["connect"]["allowed"] is True
    assert fleet.explain(device, sourceIp="192.0.2.1")["activation"]["status"] == "REVOKED"
    fleet.admits(device)


# -- devices that it does not accept --------------------------------------------------------------

@pytest.mark.parametrize("otherwise, status, code, word", [
    (None, "PENDING_ACTIVATION", WAITS, "left pending"),
    ("PENDING_ACTIVATION", "PENDING_ACTIVATION", WAITS, "left pending"),
    ("REVOKED", "REVOKED", REVOKES, "revoked"),
], ids=["default", "PENDING_ACTIVATION", "REVOKED"])
def test_device_that_the_rule_does_not_accept(make_fleet, directory, otherwise, status, code, word):
    """It gets the status that the rule gives, for good if that is REVOKED; the reason is on its
    record, in the log, in the log file and in the event."""
    log_file = directory / "jitr.log"
    fleet = make_fleet({"log_file": log_file, "account_id": "123456789012",
                        "event_details": "true"})
    members = {} if otherwise is None else {"otherwise": otherwise}
    fleet.set_rule(conditions=no_device(), policies=["does-not-matter"], thing=OWN_NAME, **members)
    device = fleet.fresh()
    why = "StringEquals %s does not hold" % CN

    assert fleet.refuses(device) == (code, why)
    description = fleet.description(device)
    assert (description["status"], description["statusReason"]["details"]) == (status, why)
    event = fleet.event()
    assert (event["certificateStatus"], event["reason"]) == (status, why)
    fleet.broker.wait_for_log("certificate %s: by=rule" % word, 'reason="%s"' % why, device.id)
    fleet.broker.wait_for_log("connection refused", "code=" + code, why, device.id)
    entry, = entries(log_file, eventType="ActivateCertificate")
    assert (entry["certificateId"], entry["caCertificateId"]) == (device.id, fleet.ca.id)
    assert (entry["certificateStatus"], entry["details"]) == (status, why)
    assert fleet.attached(device) == fleet.things(device) == []

    fleet.set_rule(policies=[fleet.policies.create(allow("Connect", "*"))])
    assert fleet.broker.connect(device).accepted == (status == "PENDING_ACTIVATION")


def test_policy_that_is_missing(fleet):
    """Nothing of the plan is carried out until all of it can be: the certificate is pending, with
    the name of the missing policy; once it is created, the next attempt is admitted."""
    fleet.set_rule(policies=[fleet.policy, "to-be-made-" + fleet.policy], thing=OWN_NAME)
    device = fleet.fresh()
    missing = "there is no policy to-be-made-%s to attach" % fleet.policy
    assert fleet.explain(device)["connect"]["details"] == missing
    for _ in range(2):
        assert fleet.refuses(device) == (WAITS, missing)
    assert (fleet.status(device), fleet.reason(device)) == ("PENDING_ACTIVATION", missing)
    assert fleet.attached(device) == fleet.things(device) == []
    fleet.broker.wait_for_log("certificate not activated: by=rule", missing, device.id)

    fleet.policies.create(CONNECT, name="to-be-made-" + fleet.policy)
    fleet.admits(device)
    assert fleet.status(device) == "ACTIVE" and fleet.reason(device) == ACCEPTED
    assert len(fleet.attached(device)) == 2 and fleet.things(device) == [device.name]


def test_name_that_no_thing_may_have(fleet):
    """A common name that cannot be a thing's name leaves it pending, with the reason; an existing
    thing is the device's from then on, with all its attributes."""
    fleet.set_rule(policies=[fleet.policy], thing="x-" + OWN_NAME)
    odd = fleet.fresh(**subject(CommonName="a b"))
    code, details = fleet.refuses(odd)
    assert code == WAITS and details.startswith("'x-a b' is not a valid thing name")
    nameless = fleet.fresh(**subject(Organization="nobody"))
    assert fleet.refuses(nameless) == (
        WAITS, CN + ", of which the thing's name is made, has no value")

    fine = fleet.fresh()
    fleet.policies.create_thing("x-" + fine.name, floor="2")
    fleet.admits(fine)
    assert fleet.things(fine) == ["x-" + fine.name]
    assert fleet.thing("x-" + fine.name)["attributes"] == {"floor": "2"}


# -- afterwards --------------------------------------------------------------------------------

def test_changed_rule_admits_a_pending_device(fleet):
    """At the next attempt, without a command; after the opposite change an ACTIVE device stays
    ACTIVE."""
    policies = [fleet.policies.create(CONNECT)]
    fleet.set_rule(policies=policies, conditions=no_device())
    waiting = [fleet.fresh() for _ in range(3)]
    for device in waiting:
        assert fleet.refuses(device)[0] == WAITS
        assert fleet.event()["certificateStatus"] == "PENDING_ACTIVATION"
    fleet.set_rule(policies=policies)
    sessions = [fleet.admits(device) for device in waiting[:2]]
    assert [fleet.status(device) for device in waiting] == ["ACTIVE"] * 2 + ["PENDING_ACTIVATION"]
    fleet.no_more_events()

    fleet.set_rule(policies=policies, conditions=no_device(), otherwise="REVOKED")
    assert [session.received() for session in sessions] == [[], []]
    fleet.admits(waiting[0])
    assert fleet.refuses(waiting[2])[0] == REVOKES
    assert [fleet.status(device) for device in waiting] == ["ACTIVE"] * 2 + ["REVOKED"]


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_rule_does_not_change_a_status_set_by_hand(fleet, status):
    """Set by hand after the rule had activated it, or before it ever connected."""
    fleet.set_rule(policies=[fleet.policy])
    known, unknown = fleet.fresh(), fleet.fresh()
    fleet.admits(known)
    fleet.admin.settle()
    fleet.admin.register_certificate(unknown, status="ACTIVE")
    for device in (known, unknown):
        fleet.admin.update_certificate(device, status)
    fleet.set_rule(policies=[fleet.policy], thing=OWN_NAME)
    for device in (known, unknown):
        assert "activation" not in fleet.explain(device)
        assert fleet.refuses(device)[0] == "DEVICE_CERTIFICATE_" + status
        assert fleet.status(device) == status and fleet.things(device) == []


def test_rule_that_is_removed(fleet):
    """A new device is then PENDING_ACTIVATION and announced, for others to decide; an ACTIVE one
    stays so."""
    fleet.set_rule(policies=[fleet.policy])
    before, after = fleet.fresh(), fleet.fresh()
    fleet.admits(before)
    assert fleet.event()["certificateStatus"] == "ACTIVE"
    fleet.admin.update_ca(fleet.ca, activation="none")
    assert "activation" not in fleet.call("describeCACertificate", certificateId=fleet.ca.id)
    fleet.admits(before)
    assert fleet.refuses(after)[0] == "DEVICE_CERTIFICATE_NOT_REGISTERED"
    assert fleet.refuses(after)[0] == "DEVICE_CERTIFICATE_PENDING_ACTIVATION"
    assert fleet.event()["certificateStatus"] == "PENDING_ACTIVATION"
    assert "statusReason" not in fleet.description(after)


def test_two_cas_have_each_their_rule(policy_broker, fleet):
    """One wants sensors, the other pumps, and each gives its own policy."""
    other = Fleet(policy_broker)
    other.policy = other.policies.create(CONNECT)
    for each, kind in ((fleet, "sensor"), (other, "pump")):
        each.set_rule(policies=[each.policy], conditions=conditions("StringLike", CN, kind + "-*"))
    for each, good, bad in ((fleet, "sensor-7", "pump-7"), (other, "pump-8", "sensor-8")):
        device = each.fresh(good)
        each.admits(device)
        assert each.attached(device) == [each.policy]
        assert each.refuses(each.fresh(bad))[0] == WAITS


def test_more_cas_than_are_kept_compiled(fleet):
    """Each of seventy CAs uses its own rule, round after round."""
    cas = [fleet.pki.ca("ca %d" % n) for n in range(70)]
    code = fleet.admin.registration_code()
    for n, ca in enumerate(cas):
        ca.unit = "unit %d" % n
        ca.command = {"command": "registerCACertificate", "caCertificate": ca.pem,
                      "verificationCertificate": fleet.pki.verification(ca, code),
                      "setAsActive": True, "allowAutoRegistration": True,
                      "activation": rule(conditions=conditions("StringEquals", OU, ca.unit))}
    for at in range(0, len(cas), 7):
        fleet.admin.request(*(ca.command for ca in cas[at:at + 7]))
    for answers in (["ACTIVE"] * 70, ["PENDING_ACTIVATION"] * 70):
        units = [ca.unit for ca in cas] if answers[0] == "ACTIVE" else ["another"] * 70
        asked = [{"command": "explain", "clientId": "x", "certificatePem": fleet.pki.device(
            "d", issuer=ca, **subject(OrganizationalUnit=unit)).pem}
            for ca, unit in zip(cas, units)]
        told = [a for at in range(0, 70, 10) for a in fleet.admin.request(*asked[at:at + 10])]
        assert [a["data"]["activation"]["status"] for a in told] == answers


# -- revocation lists ------------------------------------------------------------------------

def test_list_is_asked_before_the_rule(fleet):
    """A certificate on the CA's list is REVOKED, and the rule, which accepts every device, is not
    asked; one on hold is refused until the hold ends."""
    fleet.set_rule(policies=[fleet.policy], thing=OWN_NAME)
    listed, held_back, good = (fleet.fresh() for _ in range(3))
    import_list(fleet.admin, fleet.ca, revocation_list(fleet.ca, listed, number=1))
    assert fleet.refuses(listed)[0] == "CERTIFICATE_ON_REVOCATION_LIST"
    assert fleet.status(listed) == "REVOKED"
    assert fleet.attached(listed) == fleet.things(listed) == []
    fleet.admits(good)

    import_list(fleet.admin, fleet.ca, revocation_list(fleet.ca, held_back, hold=True, number=2))
    assert fleet.refuses(held_back)[0] == "CERTIFICATE_ON_HOLD"
    assert fleet.status(held_back) == "PENDING_ACTIVATION"
    import_list(fleet.admin, fleet.ca, revocation_list(fleet.ca, number=3))
    fleet.admits(held_back)
    assert fleet.refuses(listed)[0] == "DEVICE_CERTIFICATE_REVOKED"


def test_without_a_required_list_no_device_is_activated(fleet):
    """They are left pending, with that reason; with the list the next attempt is admitted."""
    fleet.set_rule(policies=[fleet.policy])
    fleet.admin.update_ca(fleet.ca, crlCheck="required")
    devices = good, bad = fleet.fresh(), fleet.fresh()
    for device in devices:
        assert fleet.explain(device)["connect"]["reason"] == "REVOCATION_LIST_MISSING"
        assert fleet.refuses(device)[0] == "REVOCATION_LIST_MISSING"
        assert fleet.status(device) == "PENDING_ACTIVATION"
    import_list(fleet.admin, fleet.ca, revocation_list(fleet.ca, bad))
    fleet.admits(good)
    assert fleet.refuses(bad)[0] == "DEVICE_CERTIFICATE_REVOKED"


# -- documents --------------------------------------------------------------------------------

NO_JSON = "The activation document is not acceptable: it is not JSON"


@pytest.mark.parametrize("document, place", [
    ('{"policies": ["a"', NO_JSON),
    ("yes", NO_JSON),
    ("[]", "activation: "),
    ('{"policy": "a"}', "activation: unknown member 'policy'"),
    ('{"conditions": {"StringEqual": {"iot:ClientId": "a"}}}',
     "activation: conditions.StringEqual: unknown operator"),
    ('{"conditions": {"StringEquals": {"iot:Certificate.Subject.CommonNam": "a"}}}',
     "activation: conditions.StringEquals.iot:Certificate.Subject.CommonNam"),
    ('{"conditions": {"StringMatches": {"iot:ClientId": "(a*)*"}}}',
     "activation: conditions.StringMatches.iot:ClientId"),
    ('{"otherwise": "ACTIVE"}', "activation: otherwise"),
    ('{"supersede": 60}', "activation: supersede"),
    ('{"policies": ["a b"]}', "activation: policies"),
    ('{"thing": "${iot:Connection.Thing.ThingName}"}', "activation: thing"),
])
def test_invalid_rule_cannot_be_set(fleet, document, place):
    """It is refused with the position, when a CA is registered and when it is changed, and the
    present rule stays."""
    fleet.set_rule(policies=[fleet.policy])
    before = fleet.call("describeCACertificate", certificateId=fleet.ca.id)
    with pytest.raises(AwsError) as refused:
        fleet.admin.update_ca(fleet.ca, activation=document, status="INACTIVE")
    assert refused.value.name == "InvalidRequestException"
    assert refused.value.message.startswith(place), refused.value.message
    assert fleet.call("describeCACertificate", certificateId=fleet.ca.id) == before
    with pytest.raises(AwsError) as refused:
        fleet.admin.register_ca(fleet.pki.ca("another"), activation=document)
    assert refused.value.message.startswith(place)
    fleet.admits(fleet.fresh())
