# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""explain and testAuthorization agree with live clients: each row is asked of both, and tried by a
client (contract, section 6)."""
import pytest

import policies
import raw
from device import MQTT_5
from policies import CONNECT, allow, arn, deny

EVERYTHING = allow("*", "*")


def ends(packet):
    """The reason code of a PUBACK, the last byte of a SUBACK; 0 where PUBACK has none."""
    kind, body = packet
    if kind == 0x90:
        return body[-1]
    return body[2] if len(body) > 2 else 0


def live(site, device, action, topic):
    """Whether the broker accepts it."""
    connect = raw.connect_packet(device.client_id, version=5)
    packets = {"publish": raw.publish_packet(topic, version=5),
               "retainPublish": raw.publish_packet(topic, version=5, retain=True),
               "subscribe": raw.subscribe_packet(topic, version=5)}
    connack, answer = raw.answers_to(site.broker, device, connect, packets[action])
    assert connack[1][1] == 0
    return answer is not None and ends(answer) < 0x80


def by_explain(site, device, action, topic):
    answer = site.admin.call("explain", certificateId=device.id, clientId=device.client_id,
                             topic=topic)
    assert answer["connect"]["allowed"] is True
    return answer[action]["authDecision"]


def by_test(site, device, action, topic):
    """The answer of testAuthorization; None: it has no such action."""
    kinds = {"publish": ("PUBLISH", "topic/"), "subscribe": ("SUBSCRIBE", "topicfilter/")}
    if action not in kinds:
        return None
    kind, head = kinds[action]
    info = {"actionType": kind, "resources": [arn(head + topic)]}
    return site.admin.call("testAuthorization", principal=device.id, authInfos=[info],
                           clientId=device.client_id)["authResults"][0]["authDecision"]


ROWS = [
    # Shared subscriptions (aws-iot F.2): both texts count.
    ([EVERYTHING, deny("Subscribe", "topicfilter/$share/billing/*")], "subscribe", {
        "$share/billing/t/x": False, "$share/other/t/x": True, "t/x": True,
        "$share/billing/#": False}),
    ([EVERYTHING, deny("Subscribe", "topicfilter/t/secret")], "subscribe", {
        "$share/g/t/secret": False, "$share/g/t/x": True}),
    ([allow("Subscribe", "topicfilter/$share/g/t/x")], "subscribe", {
        "$share/g/t/x": True, "$share/h/t/x": False, "t/x": False}),
    ([allow("Subscribe", "topicfilter/t/x")], "subscribe", {
        "$share/g/t/x": True, "$share/g/t/y": False}),
    ([EVERYTHING], "subscribe", {
        "$share/g/#": True, "$share/g/+/x": True, "#": True, "$SYS/#": False,
        "$share/g/$SYS/#": False, "$share/g/$aws/events/#": False,
        "$aws/events/#": False}),
    ([allow("Subscribe", ["topicfilter/$share/*", "topicfilter/$SYS/*"])], "subscribe", {
        "$share/g/#": True, "$share/g/$SYS/#": True, "$share/g/$aws/events/#": False}),
    # Topics that only the plugin publishes to, also where a policy names them.
    ([EVERYTHING, allow("*", ["topic/$aws/*", "topic/$SYS/*", "topic/$CONTROL/*"])], "publish", {
        "$aws/events/x": False, "$SYS/broker/jitr/x": False, "$CONTROL/jitr/v2": False,
        "$aws/things/x": True, "t/x": True}),
    # Parts of an ARN (IAM).
    ([allow("Publish", "arn:aws:iot:*:*:topic/t/c1/*")], "publish", {
        "t/c1/up": True, "t/c2/x:topic/t/c1/up": False}),
    ([allow("Publish", "arn:aws:iot:eu-west-1:123456789012:topic/*")], "publish", {"t/x": False}),
    ([allow("Publish", "arn:aws:iot:*")], "publish", {"t/x": True, "$aws/things/x": False}),
    # A retained message takes both rights.
    ([allow("Publish", "topic/t/*"), allow("RetainPublish", ["topic/t/r", "topic/u"])],
     "retainPublish", {"t/r": True, "t/x": False, "u": False}),
]


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_tools_and_live_agree(site, row):
    """explain, testAuthorization and a client of MQTT 5 give the same answer, which is the expected
    one."""
    statements, action, topics = ROWS[row]
    device = site.device(CONNECT, *statements)
    for topic, may in topics.items():
        told = {by_explain(site, device, action, topic), by_test(site, device, action, topic)}
        assert {one == "ALLOWED" for one in told - {None}} == {may}, topic
        assert live(site, device, action, topic) == may, topic


def test_a_denied_group_receives_nothing(site):
    """The Deny of a group works live: no shared message arrives."""
    session = site.connect(EVERYTHING, deny("Subscribe", "topicfilter/$share/billing/*"),
                           version=MQTT_5)

    assert not session.subscribe("$share/billing/t/x")
    site.tell("t/x", "secret")
    assert session.received() == []


def test_reserved_topics_are_named_as_the_reason(site):
    """explain names what decided if it was no policy."""
    device = site.device(CONNECT, allow("*", "topic/$aws/*"))
    answer = site.admin.call("explain", certificateId=device.id, clientId="d1",
                             topic="$aws/events/x")
    assert answer["publish"] == {"authDecision": "IMPLICIT_DENY", "decidedBy": "reserved topic"}
    assert answer["receive"]["authDecision"] == "ALLOWED"


@pytest.mark.parametrize("authorization, publish, connect", [
    ("allow", "ALLOWED", "ALLOWED"), ("defer", "DEFERRED", "ALLOWED")])
def test_without_policies_the_option_decides(make_site, authorization, publish, connect):
    """With authorization allow or defer policies are not used, and the tools do not name them."""
    site = make_site({"authorization": authorization})
    device = site.device(deny("*", "*"))
    assert site.broker.connect(device).accepted
    answer = site.admin.call("explain", certificateId=device.id, clientId="d1", topic="t/x")
    assert answer["connect"]["allowed"] is True
    assert answer["connect"]["policies"] == {"authDecision": connect,
                                             "decidedBy": "authorization"}
    assert answer["publish"] == {"authDecision": publish, "decidedBy": "authorization"}
    info = {"actionType": "PUBLISH", "resources": [arn("topic/t/x")]}
    result = site.admin.call("testAuthorization", principal=device.id, authInfos=[info])
    assert result["authResults"][0]["authDecision"] == (
        "ALLOWED" if publish == "ALLOWED" else "IMPLICIT_DENY")
    assert live(site, device, "publish", "t/x") == (authorization == "allow")


WARNED = {
    "another region and account": (
        [allow("Publish", "arn:aws:iot:us-east-1:123456789012:topic/t/x")],
        "this ARN is not of this registry (region, account)"),
    "an action misspelt": ([allow("Conect", "client/*")], "the nearest is iot:Connect"),
    "a control action misspelt": ([allow("UpdateCertifcate", "*")],
                                  "the nearest is iot:UpdateCertificate"),
    "the topic of a will": ([allow("Connect", "client/*", {
        "ArnEquals": {"iot:LastWillTopic": arn("topic/w")}})],
        "'iot:LastWillTopic' is not known to this broker"),
    "no will, no persistence": ([allow("Connect", "client/*", {
        "ForAllValues:StringEquals": {"iot:ConnectAttributes": []}})], "this Allow never applies"),
}


@pytest.mark.parametrize("what", WARNED)
def test_policy_without_effect_gives_a_warning(site, what):
    """createPolicy and createPolicyVersion accept what AWS accepts and name the parts that have no
    effect here; explain repeats it."""
    statements, expected = WARNED[what]
    document = policies.document(CONNECT, *statements)
    made = site.admin.call("createPolicy", policyName="p", policyDocument=document)
    assert len(made["warnings"]) == 1 and expected in made["warnings"][0]
    assert made["policyDocument"] == document
    again = site.admin.call("createPolicyVersion", policyName="p", policyDocument=document)
    assert again["warnings"] == made["warnings"]
    device = site.device()
    site.policies.attach("p", device)
    answer = site.admin.call("explain", certificateId=device.id, clientId="d1", topic="t/x")
    assert answer["warnings"] == ["policy p: " + made["warnings"][0]]


def test_policy_that_works_as_written_has_no_warnings(site):
    """The examples in the documents have no warnings."""
    made = site.admin.call("createPolicy", policyName="p",
                           policyDocument=policies.document(CONNECT, allow("*", "topic/*")))
    assert "warnings" not in made
