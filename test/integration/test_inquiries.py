# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""testAuthorization, getEffectivePolicies and explain (aws-iot A.7)."""
import json

import pytest

from admin import AwsError

HEX = "0" * 64


def statement(effect, action, resource, **members):
    return {"Effect": effect, "Action": "iot:" + action, "Resource": resource, **members}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def ca(pki):
    return pki.ca("factory")


class World:
    def __init__(self, broker, admin, pki, ca):
        self.broker, self.admin, self.pki, self.ca = broker, admin, pki, ca
        admin.register_ca(ca)
        self.arn = "arn:aws:iot:%s:%s:" % (broker.options.get("region", "local"),
                                           broker.options.get("account_id", "000000000000"))
        self.device = pki.device("dev-1", issuer=ca)
        admin.register_certificate(self.device, status="ACTIVE")

    def policy(self, name, *statements, attach=True):
        self.admin.call("createPolicy", policyName=name, policyDocument=document(*statements))
        if attach:
            self.admin.call("attachPolicy", policyName=name, target=self.device.id)

    def test(self, action, *resources, **members):
        """One authResult."""
        info = {"actionType": action, "resources": [self.arn + r for r in resources]}
        members.setdefault("principal", self.arn + "cert/" + self.device.id)
        results = self.admin.call("testAuthorization", authInfos=[info], **members)["authResults"]
        assert len(results) == 1 and results[0]["authInfo"] == info
        return results[0]

    def explain(self, **members):
        if "certificatePem" not in members:
            members.setdefault("certificateId", self.device.id)
        return self.admin.call("explain", **members)


@pytest.fixture
def world(start_broker, pki, ca):
    broker = start_broker(plugin={"authorization": "policy"})
    return World(broker, broker.admin(), pki, ca)


def names(policies):
    return [p["policyName"] for p in policies["policies"]]


def test_decision_and_the_policies_behind_it(world):
    """testAuthorization has the decision and the policies that allow, deny, or do neither."""
    world.policy("allows", statement("Allow", "Publish", world.arn + "topic/*"))
    world.policy("denies", statement("Deny", "Publish", world.arn + "topic/secret/*"))
    result = world.test("PUBLISH", "topic/a")
    assert result["authDecision"] == "ALLOWED"
    assert names(result["allowed"]) == ["allows"]
    assert result["allowed"]["policies"][0]["policyArn"] == world.arn + "policy/allows"
    assert names(result["denied"]["explicitDeny"]) == []
    result = world.test("PUBLISH", "topic/secret/x")
    assert result["authDecision"] == "EXPLICIT_DENY"
    assert names(result["denied"]["explicitDeny"]) == ["denies"]
    result = world.test("RECEIVE", "topic/a")
    assert result["authDecision"] == "IMPLICIT_DENY"
    assert names(result["denied"]["implicitDeny"]) == ["allows", "denies"]
    assert names(result["allowed"]) == []


def test_all_resources_of_one_question_must_be_allowed(world):
    """Several resources in one entry: the strictest answer is used (aws-iot A.7.1)."""
    world.policy("p", statement("Allow", "Subscribe", world.arn + "topicfilter/a/*"))
    assert world.test("SUBSCRIBE", "topicfilter/a/#", "topicfilter/a/b")["authDecision"] == "ALLOWED"
    assert world.test("SUBSCRIBE", "topicfilter/a/#",
                      "topicfilter/b")["authDecision"] == "IMPLICIT_DENY"


def test_policies_added_and_skipped(world):
    """policyNamesToAdd are treated as attached, policyNamesToSkip as not; without a principal only
    the named policies are tested."""
    world.policy("attached", statement("Allow", "Connect", world.arn + "client/c"))
    world.policy("other", statement("Allow", "Publish", world.arn + "topic/t"), attach=False)
    assert world.test("PUBLISH", "topic/t")["authDecision"] == "IMPLICIT_DENY"
    assert world.test("PUBLISH", "topic/t", policyNamesToAdd=["other"])["authDecision"] == "ALLOWED"
    assert world.test("CONNECT", "client/c")["authDecision"] == "ALLOWED"
    assert world.test("CONNECT", "client/c",
                      policyNamesToSkip=["attached"])["authDecision"] == "IMPLICIT_DENY"
    info = {"actionType": "PUBLISH", "resources": [world.arn + "topic/t"]}
    result = world.admin.call("testAuthorization", authInfos=[info], policyNamesToAdd=["other"])
    assert result["authResults"][0]["authDecision"] == "ALLOWED"


def test_missing_values_are_named(world):
    """missingContextValues names the variables for which nothing is known."""
    world.policy("p", statement("Allow", "Connect", world.arn + "client/${iot:ClientId}"),
                 statement("Allow", "Publish",
                           world.arn + "topic/${iot:Connection.Thing.ThingName}"))
    assert world.test("CONNECT", "client/c")["missingContextValues"] == [
        "iot:ClientId", "iot:Connection.Thing.ThingName"]
    result = world.test("CONNECT", "client/c", clientId="c")
    assert result["authDecision"] == "ALLOWED"
    assert result["missingContextValues"] == ["iot:Connection.Thing.ThingName"]


def test_status_of_the_certificate_does_not_matter(world):
    """testAuthorization asks policies, not the certificate's status."""
    world.policy("p", statement("Allow", "Connect", "*"))
    world.admin.update_certificate(world.device, "INACTIVE")
    assert world.test("CONNECT", "client/c")["authDecision"] == "ALLOWED"


BAD = {
    "no infos": {"authInfos": []},
    "eleven infos": {"authInfos": [{"actionType": "CONNECT", "resources": ["{arn}client/c"]}] * 11},
    "an unknown action": {"authInfos": [{"actionType": "DANCE", "resources": ["{arn}client/c"]}]},
    "no resources": {"authInfos": [{"actionType": "CONNECT", "resources": []}]},
    "a resource of another kind": {"authInfos": [{"actionType": "CONNECT",
                                                  "resources": ["{arn}topic/c"]}]},
    "no ARN": {"authInfos": [{"actionType": "PUBLISH", "resources": ["a/b"]}]},
    "another account": {"authInfos": [{"actionType": "PUBLISH", "resources": [
        "arn:aws:iot:local:999999999999:topic/a"]}]},
    "an unknown member": {"authInfos": [{"actionType": "CONNECT", "resources": ["{arn}client/c"],
                                         "resource": "x"}]},
}


@pytest.mark.parametrize("members", BAD.values(), ids=BAD.keys())
def test_bad_questions_are_refused(world, members):
    """A violated constraint is InvalidRequestException, without further information."""
    members = json.loads(json.dumps(members).replace("{arn}", world.arn))
    with pytest.raises(AwsError) as e:
        world.admin.call("testAuthorization", **members)
    assert e.value.name == "InvalidRequestException"


@pytest.mark.parametrize("members", [{"principal": HEX}, {"policyNamesToAdd": ["missing"]},
                                     {"policyNamesToSkip": ["missing"]}])
def test_what_does_not_exist_is_not_found(world, members):
    """Principal and policies must exist (aws-iot A.7.1)."""
    with pytest.raises(AwsError) as e:
        world.test("CONNECT", "client/c", **members)
    assert e.value.name == "ResourceNotFoundException"


def test_effective_policies(world):
    """getEffectivePolicies: the attached policies, with the documents of the default versions."""
    world.policy("p", statement("Allow", "Connect", "*"))
    newer = document(statement("Deny", "Connect", "*"))
    world.admin.call("createPolicyVersion", policyName="p", policyDocument=newer, setAsDefault=True)
    assert world.admin.call("getEffectivePolicies", principal=world.device.id) == {
        "effectivePolicies": [{"policyName": "p", "policyArn": world.arn + "policy/p",
                               "policyDocument": newer}]}


def test_explain_names_the_statement(world):
    """explain: the answer to a connection or packet, and the statement of the policy that
    decides."""
    world.policy("p", statement("Allow", "Connect", world.arn + "client/d1", Sid="here"),
                 statement("Allow", "Publish", world.arn + "topic/*"),
                 statement("Deny", "Publish", world.arn + "topic/secret"))
    answer = world.explain(clientId="d1", topic="secret")
    assert answer["registered"] is True and answer["status"] == "ACTIVE"
    assert answer["caCertificateId"] == world.ca.id
    assert answer["connect"]["allowed"] is True
    assert answer["connect"]["policies"] == {"authDecision": "ALLOWED", "policyName": "p",
                                             "policyVersionId": "1", "statement": 0, "sid": "here"}
    assert answer["publish"] == {"authDecision": "EXPLICIT_DENY", "policyName": "p",
                                 "policyVersionId": "1", "statement": 2}
    assert answer["subscribe"] == {"authDecision": "IMPLICIT_DENY"}
    assert world.explain(clientId="d2")["connect"]["reason"] == "AUTHORIZATION_FAILURE"
    assert world.broker.connect(world.device, client_id="d1").accepted
    assert world.broker.connect(world.device, client_id="d2").refused


def test_explain_names_the_state(world):
    """A certificate that is not ACTIVE is refused, whatever its policies."""
    world.policy("p", statement("Allow", "*", "*"))
    world.admin.update_certificate(world.device, "REVOKED")
    answer = world.explain(clientId="d1")
    assert answer["connect"]["allowed"] is False
    assert answer["connect"]["reason"] == "DEVICE_CERTIFICATE_REVOKED"
    assert answer["connect"]["details"] == "revoked"


def test_explain_of_an_unknown_certificate(world):
    """A PEM that is not registered: that it would be registered and announced, or why not;
    asking changes nothing."""
    stranger = world.pki.device("dev-2", issuer=world.ca)
    for _ in range(2):
        answer = world.explain(certificatePem=stranger.pem, clientId="d2")
        assert answer["registered"] is False and answer["certificateId"] == stranger.id
        assert answer["connect"]["registersCertificate"] is True
        assert answer["connect"]["publishesEvent"] is True
        assert answer["connect"]["reason"] == "DEVICE_CERTIFICATE_NOT_REGISTERED"
    foreign = world.pki.device("dev-3", issuer=world.pki.ca("elsewhere"))
    answer = world.explain(certificatePem=foreign.pem)
    assert answer["connect"]["reason"] == "CA_CERTIFICATE_NOT_REGISTERED"
    assert answer["connect"]["registersCertificate"] is False
    with pytest.raises(AwsError):
        world.admin.describe_certificate(stranger)


def test_explain_by_address(world):
    """sourceIp is part of the question where a policy looks at it."""
    world.policy("p", statement("Allow", "Connect", "*", Condition={
        "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))
    assert world.explain(clientId="d1", sourceIp="192.0.2.7")["connect"]["allowed"] is True
    assert world.explain(clientId="d1", sourceIp="192.0.3.7")["connect"]["allowed"] is False
    assert world.explain(clientId="d1")["connect"]["allowed"] is False
    with pytest.raises(AwsError):
        world.explain(clientId="d1", sourceIp="here")
