# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Administration is for administrators in the configuration, and for certificates to the extent of
their policies; for no others (contract, section 3)."""
import json

import pytest

from admin import CONTROL, EVENTS, RESPONSE, Admin, AwsError
from device import MQTT_3_1_1, MQTT_5
from policies import CONNECT, allow, arn, deny, document

VERSIONS = pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])

# What an activation program needs, and no more.
ACTIVATION = (allow("Connect", "client/activation"),
              allow(["UpdateCertificate", "AttachPolicy"], "cert/*"),
              allow("CreatePolicy", "policy/*"),
              allow("Subscribe", "topicfilter/" + EVENTS + "*"),
              allow("Receive", "topic/" + EVENTS + "*"))

ABSENT = "0" * 64
DENIED = "AccessDeniedException"


def operator(site, *statements, name="operator", **how):
    """A certificate with such a policy, connected, that sends requests."""
    session = site.connect(*statements, name=name, **how)
    return Admin(site.broker, session)


def error_of(admin, command, **members):
    """The error of a command; None: it was carried out."""
    try:
        admin.call(command, **members)
    except AwsError as refusal:
        return refusal.name
    return None


def id_of(site, session):
    """The certificate with which a session was accepted."""
    line = site.broker.wait_for_log("connection accepted", 'client="%s"' % session.client_id)
    return line.split("certificate=")[1].split(" ")[0]


# -- an activation program -----------------------------------------------------------

@VERSIONS
def test_activation_program(site, version):
    """A program with its own certificate receives a registration event, creates a policy, attaches
    it and activates, in the order of AWS's example, all over MQTT; the device is admitted with the
    rights of the policy (aws-iot G.1; contract, section 3)."""
    program = Admin(site.broker, site.broker.connect(
        site.device(*ACTIVATION, name="activation"), version=version))
    assert program.session.subscribe(EVENTS + site.ca.id)
    device = site.pki.device("d1", issuer=site.ca)
    assert site.broker.connect(device).refused
    event = program.session.next()
    assert event["certificateId"] == device.id

    name, target = "Policy_" + event["certificateId"], arn("cert/" + event["certificateId"])
    made = program.call("createPolicy", policyName=name, policyDocument=document(
        allow("Connect", "client/" + device.id), allow("Publish", "topic/t/%s/*" % device.id)))
    assert made["policyArn"] == arn("policy/" + name)
    program.call("attachPolicy", policyName=name, target=target)
    program.call("updateCertificate", certificateId=device.id, newStatus="ACTIVE")

    assert site.broker.connect(device).refused
    session = site.broker.connect(device, client_id=device.id)
    assert session.accepted
    session.publish("t/other", "denied")
    session.publish("t/%s/x" % device.id, "allowed")
    assert site.heard() == ["allowed"]


def test_activation_program_that_hears_an_event_twice(site):
    """Every step may be repeated: events arrive at least once (aws-iot G.1)."""
    program = operator(site, *ACTIVATION, name="activation")
    device = site.pki.device("d1", issuer=site.ca)
    site.broker.connect(device)
    site.admin.settle()
    for expected in (None, "ResourceAlreadyExistsException"):
        assert error_of(program, "createPolicy", policyName="p",
                        policyDocument=document(CONNECT)) == expected
        program.call("attachPolicy", policyName="p", target=device.id)
        program.call("updateCertificate", certificateId=device.id, newStatus="ACTIVE")
    assert site.broker.connect(device).accepted


# Every other operation, well formed.
def other_operations(site, device):
    cert, policy, thing = ({"certificateId": device.id}, {"policyName": "p"},
                           {"thingName": "t"})
    target, principal = {"target": device.id}, {"principal": arn("cert/" + device.id)}
    version = {"policyVersionId": "1"}
    return {
        "getRegistrationCode": {}, "deleteRegistrationCode": {},
        "registerCACertificate": {"caCertificate": site.ca.pem,
                                  "verificationCertificate": site.ca.pem},
        "describeCACertificate": {"certificateId": site.ca.id},
        "updateCACertificate": {"certificateId": site.ca.id, "newStatus": "INACTIVE"},
        "listCACertificates": {}, "deleteCACertificate": {"certificateId": site.ca.id},
        "registerCertificate": {"certificatePem": device.pem},
        "registerCertificateWithoutCA": {"certificatePem": device.pem},
        "describeCertificate": cert, "listCertificates": {},
        "listCertificatesByCA": {"caCertificateId": site.ca.id},
        "deleteCertificate": {**cert, "forceDelete": True},
        "getPolicy": policy, "listPolicies": {}, "deletePolicy": policy,
        "createPolicyVersion": {**policy, "policyDocument": document(CONNECT),
                                "setAsDefault": True},
        "getPolicyVersion": {**policy, **version}, "listPolicyVersions": policy,
        "setDefaultPolicyVersion": {**policy, **version},
        "deletePolicyVersion": {**policy, **version},
        "detachPolicy": {**policy, **target}, "listAttachedPolicies": target,
        "listTargetsForPolicy": policy, "attachPrincipalPolicy": {**policy, **principal},
        "detachPrincipalPolicy": {**policy, **principal}, "listPrincipalPolicies": principal,
        "listPolicyPrincipals": policy, "createThing": thing, "describeThing": thing,
        "updateThing": {**thing, "attributePayload": {"attributes": {"a": "b"}}},
        "deleteThing": thing, "listThings": {}, "attachThingPrincipal": {**thing, **principal},
        "detachThingPrincipal": {**thing, **principal}, "listThingPrincipals": thing,
        "listPrincipalThings": principal,
        "testAuthorization": {**principal, "authInfos": [
            {"actionType": "CONNECT", "resources": [arn("client/d1")]}]},
        "describeEndpoint": {},
        "getEffectivePolicies": principal, "explain": {**cert, "clientId": "d1"},
    }


def granted_operations(device):
    """The three that an activation program may."""
    return {"updateCertificate": {"certificateId": device.id, "newStatus": "REVOKED"},
            "createPolicy": {"policyName": "q", "policyDocument": document(CONNECT)},
            "attachPolicy": {"policyName": "p", "target": device.id}}


def state(site, device):
    """The part of the registry that the operations above would change."""
    call = site.admin.call
    return [call("describeCACertificate", certificateId=site.ca.id),
            call("describeCertificate", certificateId=device.id),
            call("listPolicies"), call("getPolicy", policyName="p"),
            call("listPolicyVersions", policyName="p"),
            call("listAttachedPolicies", target=device.id), call("listThings"),
            call("getRegistrationCode"), call("describeThing", thingName="t"),
            call("listThingPrincipals", thingName="t")]


def furnish(site):
    """A registry with an object for each of them."""
    device = site.device(name="victim")
    site.policies.create(CONNECT, name="p")
    site.policies.attach("p", device)
    site.policies.create_thing("t")
    return device


def test_activation_program_may_do_nothing_else(site):
    """Any action that its policy does not name is answered with AccessDeniedException, and changes
    nothing, whether its object exists or not (contract, section 3)."""
    program = operator(site, *ACTIVATION, name="activation")
    device = furnish(site)
    before = state(site, device)
    absent = site.pki.device("absent", issuer=site.ca)

    for command, members in [*other_operations(site, device).items(),
                             *other_operations(site, absent).items()]:
        assert error_of(program, command, **members) == DENIED, command
    assert state(site, device) == before
    assert program.session.subscribe(EVENTS + "+")


def refuse_all(client, operations):
    """Of one without any right nothing is read: a few requests, all operations in them."""
    commands = [{"command": command, **members} for command, members in operations.items()]
    for start in range(0, len(commands), 25):
        answers = client.request(*commands[start:start + 25])
        assert [a["error"] for a in answers] == [DENIED]


@pytest.mark.parametrize("statements", [
    [allow("iot:*", "*")], [allow("*", "*")], [allow(["iot:*", "*"], ["*", "cert/*", "policy/*"])],
    [allow(["Connect", "Publish", "Subscribe", "Receive"], "*")]],
    ids=["iot:*", "*", "both", "device"])
def test_broad_policies_make_no_administrator(site, statements):
    """A device's policy of iot:* on * was written for its messages: it opens neither the
    control API nor the events (contract, section 3; aws-iot D.4)."""
    device = furnish(site)
    broad = operator(site, *statements, name="broad")
    before = state(site, device)

    refuse_all(broad, {**other_operations(site, device), **granted_operations(device)})
    assert state(site, device) == before
    for topic in (EVENTS + "+", "$aws/#", "$SYS/broker/jitr/#", CONTROL, "$CONTROL/#"):
        assert not broad.session.subscribe(topic), topic


def test_not_action_makes_no_administrator(site):
    """Nor does everything but something (contract, section 3)."""
    device = furnish(site)
    everything_but = {"Effect": "Allow", "NotAction": "iot:Publish", "Resource": "*"}
    broad = operator(site, everything_but, name="broad")

    for command, members in granted_operations(device).items():
        assert error_of(broad, command, **members) == DENIED, command


# -- how far a permission reaches ------------------------------------------------------

def test_permission_for_some_certificates(site):
    """The resource of an operation is the certificate: others stay out of reach (contract,
    section 3)."""
    mine, other = site.device(name="mine"), site.device(name="other")
    program = operator(site, allow("UpdateCertificate", "cert/" + mine.id))

    for device, expected in ((mine, None), (other, DENIED)):
        assert error_of(program, "updateCertificate", certificateId=device.id,
                        newStatus="INACTIVE") == expected
    assert (site.admin.status(mine), site.admin.status(other)) == ("INACTIVE", "ACTIVE")
    assert error_of(program, "updateCertificate", certificateId=ABSENT,
                    newStatus="INACTIVE") == DENIED


def test_policy_that_may_not_be_attached(site):
    """A Deny on the ARN of a policy keeps a program with the right to attach policies from
    attaching that one, by either operation, and from detaching it (contract, section 3)."""
    device = site.device(name="d1")
    for name in ("device", "operators"):
        site.policies.create(CONNECT, name=name)
    program = operator(
        site, allow(["AttachPolicy", "AttachPrincipalPolicy", "DetachPolicy"], "cert/*"),
        deny(["AttachPolicy", "AttachPrincipalPolicy", "DetachPolicy"], "policy/operators"))
    site.policies.attach("operators", device)

    def ask(command, name):
        member = "principal" if "Principal" in command else "target"
        return error_of(program, command, policyName=name, **{member: arn("cert/" + device.id)})

    assert ask("detachPolicy", "operators") == DENIED
    site.policies.detach("operators", device)
    for command in ("attachPolicy", "attachPrincipalPolicy"):
        assert ask(command, "operators") == DENIED
        assert ask(command, "device") is None
    attached = site.admin.call("listAttachedPolicies", target=device.id)["policies"]
    assert [p["policyName"] for p in attached] == ["device"]


def test_operations_without_a_resource(site):
    """Lists and registrations are allowed on * only (contract, section 3)."""
    some = operator(site, allow("ListCertificates", "cert/*"), name="some")
    every = operator(site, allow("ListCertificates", "*"), name="every")

    assert error_of(some, "listCertificates") == DENIED
    assert error_of(every, "listCertificates") is None
    assert error_of(every, "listPolicies") == DENIED


def test_pattern_that_names_a_kind_of_operation(site):
    """iot:*Certificate names operations, so it is used; a Deny beside it is used too (contract,
    section 3)."""
    device = site.device(name="victim")
    program = operator(site, allow("iot:*Certificate", "cert/*"),
                       deny("DeleteCertificate", "*"))

    assert error_of(program, "describeCertificate", certificateId=device.id) is None
    assert error_of(program, "updateCertificate", certificateId=device.id,
                    newStatus="INACTIVE") is None
    assert error_of(program, "deleteCertificate", certificateId=device.id) == DENIED
    assert site.admin.status(device) == "INACTIVE"


def test_request_of_many_kinds(site):
    """Of one request the allowed commands are carried out, in order, and the others are
    denied, each for itself (contract, section 3)."""
    program = operator(site, *ACTIVATION, name="activation")
    device = site.admin.register_certificate(site.pki.device("d1", issuer=site.ca))
    target = device["certificateId"]

    answers = program.request(
        {"command": "listCertificates"},
        {"command": "createPolicy", "policyName": "made", "policyDocument": document(CONNECT)},
        {"command": "deletePolicy", "policyName": "made"},
        {"command": "attachPolicy", "policyName": "made", "target": target},
        {"command": "describeCertificate", "certificateId": target},
        {"command": "updateCertificate", "certificateId": target, "newStatus": "ACTIVE"},
        {"command": "getRegistrationCode"})
    assert [a.get("error") for a in answers] == [DENIED, None, DENIED, None, DENIED, None, DENIED]
    assert site.admin.status(target) == "ACTIVE"
    attached = site.admin.call("listAttachedPolicies", target=target)["policies"]
    assert [p["policyName"] for p in attached] == ["made"]


def test_rights_end_at_once(site):
    """A program loses its rights with its policy, in the middle of its connection (contract,
    section 6)."""
    device = site.pki.device("program", issuer=site.ca)
    site.admin.activate(device)
    site.policies.give(device, CONNECT)
    rights = site.policies.give(device, allow("DescribeCertificate", "cert/*"))
    program = Admin(site.broker, site.broker.connect(device))

    for _ in range(3):
        assert error_of(program, "describeCertificate", certificateId=device.id) is None
        site.policies.detach(rights, device)
        assert error_of(program, "describeCertificate", certificateId=device.id) == DENIED
        site.policies.attach(rights, device)


@pytest.mark.parametrize("authorization", ["allow", "defer"])
def test_rights_only_where_policies_decide(make_site, authorization):
    """Policies give no rights over the registry where they decide nothing else (contract,
    section 3)."""
    site = make_site({"authorization": authorization})
    program = operator(site, *ACTIVATION, allow("GetRegistrationCode", "*"), name="activation")

    assert error_of(program, "getRegistrationCode") == DENIED


def test_conditions_count(site):
    """Variables and conditions hold here as elsewhere: a certificate may look at itself
    (aws-iot F.5, F.6)."""
    other = site.device(name="other")
    own = operator(site, allow("DescribeCertificate", "cert/${iot:CertificateId}"), name="own")

    assert error_of(own, "describeCertificate",
                    certificateId=id_of(site, own.session)) is None
    assert error_of(own, "describeCertificate", certificateId=other.id) == DENIED


# -- answers ---------------------------------------------------------------------------

@VERSIONS
def test_answers_go_to_the_caller(site, version):
    """A device may subscribe to the topic of answers without a policy for it, and receives only its
    own answers, also with a subscription (contract, section 2)."""
    asker = site.connect(allow("DescribeCertificate", "cert/*"), name="asker", version=version)
    listener = site.connect(name="listener", version=version)
    for session in (asker, listener):
        assert session.subscribe(RESPONSE)
        assert not session.subscribe("$CONTROL/#") and not session.subscribe(RESPONSE + "/x")

    Admin(site.broker, asker).call("describeCertificate", certificateId=id_of(site, asker))
    site.admin.call("getRegistrationCode")
    assert asker.received() == listener.received() == []
    with pytest.raises(AwsError) as refusal:
        Admin(site.broker, listener).call("getRegistrationCode")
    assert refusal.value.name == DENIED
    assert asker.received() == []


def test_answers_cannot_be_forged(site):
    """With any policy (contract, section 2)."""
    session = site.connect(allow("Publish", ["topic/$CONTROL/*", "topic/" + RESPONSE]))
    victim = site.admin.session
    victim.subscribe(RESPONSE)

    for qos in (0, 1, 2):
        session.publish(RESPONSE, json.dumps({"responses": []}), qos=qos)
    session.received()
    assert victim.received() == []


@pytest.mark.parametrize("rights", [(), (allow("GetRegistrationCode", "*"),)],
                         ids=["none", "without connect"])
def test_identity_listener_opens_nothing(make_site, rights):
    """On a listener that names clients by their certificate, a client that may not connect gets
    only a denial, and nothing happens (contract, section 3; mosquitto section 0, 6)."""
    site = make_site(listeners=("plain", "tls", "identity"))
    device = site.device(*rights, name="sneak")
    before = site.admin.registration_code()
    session = site.broker.connect(device, listener="identity")

    session.publish(CONTROL, json.dumps({"commands": [{"command": "deleteRegistrationCode"},
                                                      {"command": "getRegistrationCode"}]}))
    session.wait_until_closed()
    assert site.admin.registration_code() == before
    assert not any(before in m.payload.decode() for m in session.messages)
