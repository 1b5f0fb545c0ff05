# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Policies, their versions and attachments: every operation of aws-iot A.4 and A.5, with its
answers, constraints, limits and errors."""
import json
import time
import uuid

import pytest

from test_ca_registry import NOWHERE, refusal

ARN = "arn:aws:iot:local:000000000000:"


def document(action="iot:Connect", resource="*", effect="Allow"):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": action, "Resource": resource}]})


@pytest.fixture
def device(admin, pki, factory):
    """A certificate to attach policies to; its status plays no part."""
    made = pki.device("d1", issuer=factory)
    admin.register_certificate(made)
    return made


def attached(admin, certificate):
    return [p["policyName"] for p in admin.attached_policies(certificate)]


# -- policies ----------------------------------------------------------------------

def test_policy_is_made_and_shown(admin):
    """Version 1 is the default; the document is returned verbatim (aws-iot A.4.1, A.4.2)."""
    text = ' {"Version" : "2012-10-17",\n\t"Statement":\\u0020'.replace("\\u0020", " ") + (
        '[{"Effect":"Allow","Action":["iot:Connect"],"Resource":["*"]}]} \n')
    before = time.time()
    assert admin.create_policy("p", text) == {
        "policyName": "p", "policyArn": ARN + "policy/p", "policyDocument": text,
        "policyVersionId": "1"}
    shown = admin.call("getPolicy", policyName="p")
    assert uuid.UUID(shown.pop("generationId"))
    created = shown.pop("creationDate")
    assert before - 0.01 <= created <= time.time() + 0.01
    assert shown == {"policyName": "p", "policyArn": ARN + "policy/p", "policyDocument": text,
                     "defaultVersionId": "1", "lastModifiedDate": created}


def test_account_and_region_in_arns(start_broker):
    """As configured (contract, section 5)."""
    admin = start_broker(plugin={"account_id": "123456789012", "region": "eu-central-1"}).admin()
    assert admin.create_policy("p", document())["policyArn"] == (
        "arn:aws:iot:eu-central-1:123456789012:policy/p")


def test_policies_survive_a_restart(broker, admin, device):
    """An answer to a change means that it is on disk (contract, section 3)."""
    admin.create_policy("p", document())
    admin.attach_policy("p", device)
    before = admin.call("getPolicy", policyName="p")
    broker.kill()
    broker.process = None
    admin = broker.start().admin()
    assert admin.call("getPolicy", policyName="p") == before
    assert attached(admin, device) == ["p"]


@pytest.mark.parametrize("name", ["a", "x" * 128, "a+b=c,d.e@f-g_1"])
def test_names(admin, name):
    """1 to 128 of [\\w+=,.@-] (aws-iot 1.7)."""
    admin.create_policy(name, document())
    assert admin.call("getPolicy", policyName=name)["policyArn"] == ARN + "policy/" + name


@pytest.mark.parametrize("name, ending", [
    ("", "length greater than or equal to 1"),
    ("x" * 129, "length less than or equal to 128"),
    ("a b", "regular expression pattern: [\\w+=,.@-]+"),
    ("a/b", "regular expression pattern: [\\w+=,.@-]+"),
    ("a:b", "regular expression pattern: [\\w+=,.@-]+"),
    ("\u00e9", "regular expression pattern: [\\w+=,.@-]+"),
    ("a\n", "regular expression pattern: [\\w+=,.@-]+"),
])
@pytest.mark.parametrize("command", ["createPolicy", "getPolicy", "deletePolicy",
                                     "listTargetsForPolicy"])
def test_invalid_names(admin, command, name, ending):
    """InvalidRequestException in AWS's words, the whole name must match (aws-iot 1.5, 1.7)."""
    members = {"policyDocument": document()} if command == "createPolicy" else {}
    error = refusal(admin.call, command, policyName=name, **members)
    assert error.name == "InvalidRequestException"
    assert error.message.endswith(ending)


def test_policy_that_is_there(admin):
    """ResourceAlreadyExistsException with its name, whatever its content (aws-iot A.4.1)."""
    admin.create_policy("p", document())
    for text in (document(), document("iot:Publish")):
        error = refusal(admin.create_policy, "p", text)
        assert error.name == "ResourceAlreadyExistsException"
        assert error.message == "Policy cannot be created - name already exists (name=p)"
        assert (error.answer["resourceId"], error.answer["resourceArn"]) == (
            "p", ARN + "policy/p")


@pytest.mark.parametrize("text, words", [
    ("", ""), ("garbage", ""), ("[]", ""), ("{}", ""),
    ('{"Version":"2012-10-17"}', "Statement"),
    (document(effect="Perhaps"), "Effect"),
    (document(action=7), "Action"),
    (document(resource="nonsense"), "Resource"),
    (json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*",
         "Condition": {"StringEqual": {"iot:ClientId": "x"}}}]}), "StringEqual"),
    (document(resource=["arn:aws:iot:local:000000000000:topic/%d" % n + "x" * 60
                        for n in range(30)]), "2048"),
], ids=["empty", "garbage", "a list", "no members", "no statement", "effect", "action",
        "resource", "operator", "too long"])
@pytest.mark.parametrize("command", ["createPolicy", "createPolicyVersion"])
def test_malformed_documents(admin, command, text, words):
    """MalformedPolicyException with the reason, and nothing is created (aws-iot A.4.1)."""
    if command == "createPolicyVersion":
        admin.create_policy("p", document())
    error = refusal(admin.call, command, policyName="p", policyDocument=text)
    assert error.name == "MalformedPolicyException"
    assert error.message.startswith("Policy document is Malformed: ")
    assert words in error.message
    versions = admin.call("listPolicyVersions", policyName="p")["policyVersions"] \
        if command == "createPolicyVersion" else admin.policies()
    assert len(versions) == (command == "createPolicyVersion")


def test_white_space_does_not_count(admin):
    """2048 characters without white space are the limit (aws-iot A.4.1)."""
    admin.create_policy("p", document() + " " * 5000)


def test_tags_of_a_policy(admin):
    """Checked, and not kept (aws-iot A.4.1)."""
    admin.create_policy("p", document(), tags=[{"Key": "k", "Value": "v"}, {"Key": "w"}])
    for tags in ({}, [7], [{"Value": "v"}], [{"Key": "k" * 129}], [{"Key": "k", "Value": 7}],
                 [{"Key": "k"}] * 51):
        error = refusal(admin.create_policy, "q", document(), tags=tags)
        assert error.name == "InvalidRequestException"
    assert [p["policyName"] for p in admin.policies()] == ["p"]


@pytest.mark.parametrize("command, members", [
    ("getPolicy", {}), ("deletePolicy", {}), ("listPolicyVersions", {}),
    ("createPolicyVersion", {"policyDocument": document()}),
    ("getPolicyVersion", {"policyVersionId": "1"}),
    ("setDefaultPolicyVersion", {"policyVersionId": "1"}),
    ("deletePolicyVersion", {"policyVersionId": "1"}),
    ("attachPolicy", {"target": "device"}), ("attachPrincipalPolicy", {"principal": "device"}),
    ("detachPolicy", {"target": "device"}), ("detachPrincipalPolicy", {"principal": "device"}),
    ("listTargetsForPolicy", {}), ("listPolicyPrincipals", {}),
])
def test_policy_that_is_not_there(admin, device, command, members):
    """ResourceNotFoundException (aws-iot A.4, A.5)."""
    members = {k: device.id if v == "device" else v for k, v in members.items()}
    error = refusal(admin.call, command, policyName="p", **members)
    assert error.name == "ResourceNotFoundException"
    assert "p" in error.message


def test_policies_are_listed_in_pages(admin):
    """Newest first, oldest first with ascendingOrder, 25 to a page (aws-iot 1.6, A.4.3)."""
    names = ["p%02d" % n for n in range(30)]
    for name in names:
        admin.create_policy(name, document())

    def pages(**members):
        return [[p["policyName"] for p in page] for page in
                admin.pages("listPolicies", "policies", **members)]

    assert pages(ascendingOrder=True, pageSize=12) == [names[:12], names[12:24], names[24:]]
    assert pages() == [names[:4:-1], names[4::-1]]
    assert pages(pageSize=250) == [names[::-1]]
    first = admin.call("listPolicies", pageSize=1, ascendingOrder=True)
    assert first["policies"] == [{"policyName": "p00", "policyArn": ARN + "policy/p00"}]
    admin.call("deletePolicy", policyName="p00")  # a page goes on though its last is gone
    assert admin.call("listPolicies", pageSize=1, ascendingOrder=True, marker=first["nextMarker"])[
        "policies"][0]["policyName"] == "p01"


@pytest.mark.parametrize("members", [
    {"pageSize": 0}, {"pageSize": 251}, {"pageSize": "5"}, {"marker": "?"}, {"marker": "00"},
    {"marker": "00" * 8}, {"marker": "ff" * 500}, {"marker": "x" * 1025}, {"maxResults": 5},
    {"ascendingOrder": "true"},
])
def test_constraints_of_listing(admin, members):
    """InvalidRequestException (aws-iot 1.6)."""
    assert refusal(admin.call, "listPolicies", **members).name == "InvalidRequestException"


# -- versions ----------------------------------------------------------------------

def test_life_of_versions(admin):
    """Numbers go up and are never used again; one is the default (aws-iot A.4.5 to A.4.9)."""
    texts = [document("iot:" + a) for a in ("Connect", "Publish", "Receive", "Subscribe")]
    admin.create_policy("p", texts[0])
    assert admin.create_version("p", texts[1]) == {
        "policyArn": ARN + "policy/p", "policyDocument": texts[1], "policyVersionId": "2",
        "isDefaultVersion": False}
    assert admin.call("getPolicy", policyName="p")["policyDocument"] == texts[0]
    assert admin.create_version("p", texts[2], setAsDefault=True)["isDefaultVersion"] is True
    shown = admin.call("getPolicy", policyName="p")
    assert (shown["defaultVersionId"], shown["policyDocument"]) == ("3", texts[2])
    assert shown["lastModifiedDate"] >= shown["creationDate"]

    assert admin.call("deletePolicyVersion", policyName="p", policyVersionId="2") == {}
    assert admin.call("setDefaultPolicyVersion", policyName="p", policyVersionId="1") == {}
    assert admin.call("deletePolicyVersion", policyName="p", policyVersionId="3") == {}
    assert admin.create_version("p", texts[3])["policyVersionId"] == "4"
    versions = admin.call("listPolicyVersions", policyName="p")["policyVersions"]
    assert [(v["versionId"], v["isDefaultVersion"]) for v in versions] == [
        ("4", False), ("1", True)]
    assert all(set(v) == {"versionId", "isDefaultVersion", "createDate"} for v in versions)

    version = admin.call("getPolicyVersion", policyName="p", policyVersionId="4")
    assert version.pop("generationId") == shown["generationId"]
    assert version.pop("creationDate") == version.pop("lastModifiedDate")
    assert version == {"policyName": "p", "policyArn": ARN + "policy/p",
                       "policyDocument": texts[3], "policyVersionId": "4",
                       "isDefaultVersion": False}


def test_five_versions(admin):
    """VersionsLimitExceededException for a sixth (aws-iot A.4.5)."""
    admin.create_policy("p", document())
    for _ in range(4):
        admin.create_version("p", document())
    error = refusal(admin.create_version, "p", document())
    assert error.name == "VersionsLimitExceededException"
    assert error.message == "The policy p already has the maximum number of versions (5)"
    admin.call("deletePolicyVersion", policyName="p", policyVersionId="2")
    assert admin.create_version("p", document())["policyVersionId"] == "6"


def test_deleting_the_default_version(admin):
    """InvalidRequestException (aws-iot A.4.9)."""
    admin.create_policy("p", document())
    error = refusal(admin.call, "deletePolicyVersion", policyName="p", policyVersionId="1")
    assert error.name == "InvalidRequestException"
    assert error.message == "Cannot delete the default version of a policy"


@pytest.mark.parametrize("version, name", [
    ("2", "ResourceNotFoundException"), ("0", "ResourceNotFoundException"),
    ("01", "ResourceNotFoundException"), ("4294967297", "ResourceNotFoundException"),
    ("9" * 30, "ResourceNotFoundException"), ("v1", "InvalidRequestException"),
    ("-1", "InvalidRequestException"), ("", "InvalidRequestException"),
    (1, "InvalidRequestException"), (None, "InvalidRequestException"),
])
@pytest.mark.parametrize("command", ["getPolicyVersion", "setDefaultPolicyVersion",
                                     "deletePolicyVersion"])
def test_versions_that_are_not_there(admin, command, version, name):
    """A number is a string of digits (aws-iot 1.7, PolicyVersionId)."""
    admin.create_policy("p", document())
    assert refusal(admin.call, command, policyName="p", policyVersionId=version).name == name


def test_deleting_a_policy(admin, device):
    """Not while it is attached or has other versions (aws-iot A.4.4)."""
    admin.create_policy("p", document())
    admin.create_version("p", document())
    admin.attach_policy("p", device)
    error = refusal(admin.call, "deletePolicy", policyName="p")
    assert (error.name, error.message) == (
        "DeleteConflictException", "The policy cannot be deleted as the policy is attached to "
        "one or more principals (name=p)")
    admin.detach_policy("p", device)
    error = refusal(admin.call, "deletePolicy", policyName="p")
    assert (error.name, error.message) == (
        "DeleteConflictException", "Cannot delete the policy because it has one or more policy "
        "versions attached to it (name=p)")
    admin.call("deletePolicyVersion", policyName="p", policyVersionId="2")
    assert admin.call("deletePolicy", policyName="p") == {}
    assert admin.policies() == []
    assert admin.create_policy("p", document())["policyVersionId"] == "1"


# -- attaching ---------------------------------------------------------------------

@pytest.mark.parametrize("attach, detach, member", [
    ("attachPolicy", "detachPolicy", "target"),
    ("attachPrincipalPolicy", "detachPrincipalPolicy", "principal"),
])
def test_both_families_see_one_set(admin, device, attach, detach, member):
    """Attaching twice is attaching once; the older names do the same (aws-iot A.5)."""
    admin.create_policy("p", document())
    arn = ARN + "cert/" + device.id
    for form in (arn, device.id, device.id.upper()):
        assert admin.call(attach, policyName="p", **{member: form}) == {}
    entry = {"policyName": "p", "policyArn": ARN + "policy/p"}
    assert admin.call("listAttachedPolicies", target=arn) == {"policies": [entry]}
    assert admin.call("listAttachedPolicies", target=arn, recursive=True) == {"policies": [entry]}
    assert admin.call("listPrincipalPolicies", principal=arn) == {"policies": [entry]}
    assert admin.call("listTargetsForPolicy", policyName="p") == {"targets": [arn]}
    assert admin.call("listPolicyPrincipals", policyName="p") == {"principals": [arn]}
    assert admin.call(detach, policyName="p", **{member: arn}) == {}
    assert attached(admin, device) == []
    error = refusal(admin.call, detach, policyName="p", **{member: arn})
    assert error.name == "ResourceNotFoundException"


@pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE", "REVOKED"])
def test_status_does_not_matter(admin, pki, factory, status):
    """Nor does pending: the reference program attaches first and activates last (aws-iot
    A.5.1)."""
    device = pki.device("d", issuer=factory)
    admin.register_certificate(device, status=status)
    admin.create_policy("p", document())
    admin.attach_policy("p", device)
    assert attached(admin, device) == ["p"]


def test_attaching_to_a_pending_certificate(broker, admin, pki, factory):
    device = pki.device("d", issuer=factory)
    broker.connect(device)
    admin.settle()
    admin.create_policy("p", document())
    admin.attach_policy("p", device)
    assert admin.status(device) == "PENDING_ACTIVATION"
    assert attached(admin, device) == ["p"]


@pytest.mark.parametrize("target", [
    "x", "*", ARN + "cert/", ARN + "cert/abc", ARN + "cacert/" + NOWHERE, ARN + "thing/t",
    ARN + "thinggroup/g", "eu-west-1:82665725-c1fe-4b5b-9d9b-3b4b3e3a3e3a",
    "arn:aws:iot:us-east-1:000000000000:cert/" + NOWHERE,
    "arn:aws:iot:local:123456789012:cert/" + NOWHERE,
    "arn:aws:iot:local:000000000000:cert/" + NOWHERE + "0", " " + NOWHERE,
])
@pytest.mark.parametrize("command, member", [
    ("attachPolicy", "target"), ("detachPolicy", "target"),
    ("attachPrincipalPolicy", "principal"), ("detachPrincipalPolicy", "principal"),
    ("listAttachedPolicies", "target"), ("listPrincipalPolicies", "principal"),
])
def test_invalid_targets(admin, command, member, target):
    """InvalidRequestException with the expected form (aws-iot A.5.1)."""
    members = {} if command.startswith("list") else {"policyName": "p"}
    error = refusal(admin.call, command, **members, **{member: target})
    assert error.name == "InvalidRequestException"
    assert ARN + "cert/<certificateId>" in error.message and member in error.message


def test_certificate_that_is_not_there(admin):
    """ResourceNotFoundException (aws-iot A.5)."""
    admin.create_policy("p", document())
    for call in (lambda: admin.attach_policy("p", NOWHERE),
                 lambda: admin.detach_policy("p", NOWHERE),
                 lambda: admin.call("listAttachedPolicies", target=NOWHERE),
                 lambda: admin.call("listPrincipalPolicies", principal=NOWHERE)):
        assert refusal(call).name == "ResourceNotFoundException"


def test_ten_policies_of_one_certificate(admin, device):
    """LimitExceededException for an eleventh; an attached one may be attached again (aws-iot A.5.1,
    appendix 1)."""
    for n in range(11):
        admin.create_policy("p%02d" % n, document())
    for n in range(10):
        admin.attach_policy("p%02d" % n, device)
    assert refusal(admin.attach_policy, "p10", device).name == "LimitExceededException"
    admin.attach_policy("p09", device)
    admin.detach_policy("p00", device)
    admin.attach_policy("p10", device)
    assert attached(admin, device) == ["p%02d" % n for n in range(1, 11)]


def test_attachments_are_listed_in_pages(admin, pki, factory):
    """By name, and by id; the older lists the other way round unless told (aws-iot A.5.3 to
    A.5.5)."""
    devices = [pki.device("d%d" % n, issuer=factory) for n in range(5)]
    admin.register_certificates(devices)
    names = ["p%d" % n for n in range(5)]
    for name in names:
        admin.create_policy(name, document())
        admin.attach_policy(name, devices[0])
    for device in devices[1:]:
        admin.attach_policy("p0", device)
    arns = sorted(ARN + "cert/" + d.id for d in devices)

    def lists(command, member, **members):
        return [[e if isinstance(e, str) else e["policyName"] for e in page]
                for page in admin.pages(command, member, pageSize=2, **members)]

    assert lists("listAttachedPolicies", "policies", target=devices[0].id) == [
        names[:2], names[2:4], names[4:]]
    assert lists("listPrincipalPolicies", "policies", principal=devices[0].id) == [
        names[:2:-1], names[2:0:-1], names[:1]]
    assert lists("listPrincipalPolicies", "policies", principal=devices[0].id,
                 ascendingOrder=True) == [names[:2], names[2:4], names[4:]]
    assert lists("listTargetsForPolicy", "targets", policyName="p0") == [
        arns[:2], arns[2:4], arns[4:]]
    assert lists("listPolicyPrincipals", "principals", policyName="p0") == [
        arns[:2:-1], arns[2:0:-1], arns[:1]]


def test_deleting_a_certificate_with_policies(admin, device):
    """DeleteConflictException, unless forceDelete removes the attachments too (aws-iot A.3.9)."""
    admin.create_policy("p", document())
    admin.attach_policy("p", device)
    error = refusal(admin.delete_certificate, device)
    assert error.name == "DeleteConflictException"
    assert error.message.startswith("Certificate policies must be detached before deletion")
    assert device.id in error.message
    assert admin.delete_certificate(device, forceDelete=True) == {}
    assert admin.call("listTargetsForPolicy", policyName="p") == {"targets": []}
    assert admin.call("deletePolicy", policyName="p") == {}


def test_the_reference_program(broker, admin, pki, factory):
    """Activate, make a policy of the device's own, attach it by the older name; every step may
    be repeated (aws-iot G.1)."""
    events = admin.listen_to_events()
    broker.connect(pki.device("d1", issuer=factory))
    certificate_id = events.next()["certificateId"]
    name = "Policy_" + certificate_id
    for turn in range(2):
        admin.update_certificate(certificate_id, "ACTIVE")
        if turn == 0:
            admin.create_policy(name, document("iot:*"))
        else:
            assert refusal(admin.create_policy, name, document(
                "iot:*")).name == "ResourceAlreadyExistsException"
        admin.call("attachPrincipalPolicy", policyName=name,
                   principal=ARN + "cert/" + certificate_id)
    assert attached(admin, certificate_id) == [name]
