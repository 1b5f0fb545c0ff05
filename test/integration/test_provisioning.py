# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Just-in-time provisioning, on a real broker: a template creates thing and policy, attaches them
and activates the certificate, all or nothing; the device connects again, or is admitted at once
with the option for that (contract, section 7, 3; aws-iot E)."""
import hashlib
import json

import pytest

import der
from admin import AwsError
from counters import Counters
from device import MQTT_3_1_1, MQTT_5
from disk import held
from fleet import FAILED, Fleet, ask_without_waiting, rule, subject
from policies import CONNECT, allow, document
from provisioning import ROLE, parameter, template
from revocation import import_list, revocation_list
from test_logs import entries

BY_BODY_OR_NAME = pytest.mark.parametrize("by", ["body", "name"])

PROVISIONED = "DEVICE_CERTIFICATE_PROVISIONED"
COMES_AGAIN = (PROVISIONED, "provisioned now, may connect the next time")
DONE = "the template of its CA"
UNRESOLVED = "Invalid registration template. Cannot resolve reference value: {Ref=%s}"

OWN_THING = {"ThingName": parameter("CommonName")}
CONNECTS = document(CONNECT)
MAY_CONNECT = [{"PolicyDocument": CONNECTS}]


@pytest.fixture
def fleet(policy_broker):
    """A CA without a template so far."""
    yield Fleet(policy_broker)
    policy_broker.leave_sessions()


@pytest.fixture
def make_fleet(start_broker):
    """The same with its own broker and these options."""

    def make(**plugin):
        options = {"authorization": "policy", "other_clients": "allow", **plugin}
        return Fleet(start_broker(plugin=options))

    return make


def things(thing=None, **how):
    """A template with a thing that is called as the certificate is, and a policy that lets
    in."""
    names = {"CommonName": None, **dict(how.pop("parameters", ()))}
    how.setdefault("policies", MAY_CONNECT)
    return template(parameters=names.items(), thing={**OWN_THING, **(thing or {})}, **how)


def give(fleet, by, body):
    """The CA gets the template; its name."""
    if by == "body":
        fleet.set_template(body)
        return None
    name = fleet.create_template(body)
    fleet.use_template(name)
    return name


def provision(fleet, device):
    """Its first connection, which is refused, and its second one; the session."""
    assert fleet.refuses(device) == COMES_AGAIN
    return fleet.admits(device)


def name_of_policy(text):
    """Of one that is given by its document."""
    return hashlib.sha256(text.encode()).hexdigest()


# -- as AWS does it ------------------------------------------------------------------------

@BY_BODY_OR_NAME
def test_first_connection_provisions_and_the_second_gets_in(fleet, by):
    """Thing and policy are created and attached, the certificate is ACTIVE, and the event says so,
    while the first connection is refused as on AWS; then it is a device like any other."""
    give(fleet, by, things({"AttributePayload": {"made": "in-time"}}))
    for version in (MQTT_3_1_1, MQTT_5):
        device = fleet.fresh()
        before = fleet.explain(device)
        assert before["activation"] == {"by": "template", "status": "ACTIVE", "details": DONE}
        assert (before["connect"]["allowed"], before["connect"]["reason"]) == (False, PROVISIONED)

        assert fleet.refuses(device, version=version) == COMES_AGAIN
        event = fleet.event()
        assert (event["certificateId"], event["certificateStatus"]) == (device.id, "ACTIVE")
        assert event["certificateRegistrationTimestamp"] is None
        assert fleet.status(device) == "ACTIVE" and fleet.reason(device) == DONE
        assert fleet.attached(device) == [name_of_policy(CONNECTS)]
        assert fleet.things(device) == [device.name]
        assert fleet.thing(device.name)["attributes"] == {"made": "in-time"}
        fleet.broker.wait_for_log("connection refused", "code=" + PROVISIONED, device.id)
        fleet.broker.wait_for_log("certificate activated: by=template", device.id)

        assert fleet.explain(device)["connect"]["allowed"] is True
        fleet.admits(device, version=version)
        fleet.admits(device, version=version, client_id="another")
    fleet.no_more_events()


def test_restart_changes_nothing(make_fleet):
    """Provisioned devices are admitted, and new ones are provisioned."""
    fleet = make_fleet()
    name = give(fleet, "name", things())
    known = fleet.fresh()
    assert fleet.refuses(known) == COMES_AGAIN
    fleet.restart()
    described = fleet.call("describeProvisioningTemplate", templateName=name)
    assert json.loads(described["templateBody"]) == json.loads(things())
    fleet.admits(known)
    provision(fleet, fleet.fresh())


# -- at once -------------------------------------------------------------------------------

@BY_BODY_OR_NAME
def test_with_first_connection_accept_it_is_in_at_once(make_fleet, by):
    """By policies that are not even stored yet, with a thing that is not there yet, from the
    first packet on; the record follows."""
    fleet = make_fleet(first_connection="accept")
    text = document(CONNECT, allow("Publish", [
        "topic/t/${iot:Connection.Thing.ThingName}/"
        "${iot:Connection.Thing.Attributes[floor]}"]))
    give(fleet, by, things({"AttributePayload": {"floor": "2"}},
                           policies=[{"PolicyDocument": text}]))
    assert fleet.witness
    for version in (MQTT_3_1_1, MQTT_5):
        device = fleet.fresh()
        explained = fleet.explain(device, topic="t/%s/2" % device.name)
        assert explained["connect"]["allowed"] is True
        assert explained["publish"]["authDecision"] == "ALLOWED"

        def try_it(session):
            for floor in ("3", "2"):
                session.publish("t/%s/%s" % (device.name, floor), floor)
            assert fleet.heard() == ["2"]

        with held(fleet.broker):
            session = fleet.admits(device, version=version)
            try_it(session)
        fleet.admin.settle()
        try_it(session)
        assert fleet.event()["certificateStatus"] == "ACTIVE"
        assert "lastRefusal" not in fleet.description(device)
        assert fleet.attached(device) == [name_of_policy(text)]
        assert fleet.things(device) == [device.name]
    fleet.no_more_events()


@pytest.mark.parametrize("body, code, status", [
    (things(policies=[{"PolicyName": "missing"}]), "PROVISIONING_FAILED", "PENDING_ACTIVATION"),
    (things(status="INACTIVE"), "DEVICE_CERTIFICATE_INACTIVE", "INACTIVE"),
    (things(policies=()), "DEVICE_CERTIFICATE_NO_POLICY", "ACTIVE"),
], ids=["fails", "INACTIVE", "no-policy"])
def test_first_connection_accept_does_not_override_the_template(make_fleet, body, code,
                                                                      status):
    """first_connection accept applies to certificates that become ACTIVE and may connect."""
    fleet = make_fleet(first_connection="accept", announce_interval=0)
    fleet.set_template(body)
    device = fleet.fresh()
    assert fleet.explain(device)["connect"]["reason"] == code
    assert fleet.refuses(device)[0] == code
    assert fleet.status(device) == status


# -- what it makes ---------------------------------------------------------------------------

def test_each_parameter_has_the_value_of_the_certificate(fleet):
    """All eight, as attributes of the thing; a Default replaces a value that the certificate does
    not have, and a custom parameter has its Default (aws-iot E.1)."""
    of_subject = {"Country": "NL", "Organization": "Example", "OrganizationalUnit": "plant-7",
                  "DistinguishedNameQualifier": "q1", "StateName": "Utrecht",
                  "SerialNumber": "sn-1"}
    attributes = {name: parameter(name) for name in ("Id", "CommonName", *of_subject)}
    body = json.loads(things({"ThingTypeName": "all", "AttributePayload": {
        **attributes, "own": {"Ref": "release"}, "literal": "v1", "left-out": ""}},
        parameters=[(name, "default." + name) for name in of_subject]))
    body["Parameters"]["release"] = {"Type": "String", "Default": "2024-05"}
    fleet.set_template(json.dumps(body))

    given = {"State" if name == "StateName" else name: value
             for name, value in of_subject.items()}
    first, second = fleet.fresh(), fleet.fresh()
    common_name = "full-" + first.name
    full = fleet.fresh(**subject(CommonName=common_name, **given))
    bare_name = "bare-" + second.name
    bare = fleet.fresh(**subject(CommonName=bare_name))
    always = {"own": "2024-05", "literal": "v1"}
    provision(fleet, full)
    assert fleet.thing(common_name)["attributes"] == {
        **of_subject, **always, "Id": full.id, "CommonName": common_name}
    assert fleet.thing(common_name)["thingTypeName"] == "all"
    provision(fleet, bare)
    assert fleet.thing(bare_name)["attributes"] == {
        **{name: "default." + name for name in of_subject}, **always, "Id": bare.id,
        "CommonName": bare_name}


def test_thing_type_and_billing_group_from_the_certificate(fleet):
    """Any property of a thing may come from the certificate."""
    fleet.set_template(things({"ThingTypeName": parameter("OrganizationalUnit"),
                               "BillingGroup": parameter("Organization")},
                              parameters=[("OrganizationalUnit", None), ("Organization", "none")]))
    name = fleet.fresh().name
    device = fleet.fresh(**subject(CommonName=name, OrganizationalUnit="lamp"))
    provision(fleet, device)
    made = fleet.thing(name)
    assert (made["thingTypeName"], made["billingGroupName"]) == ("lamp", "none")


def test_policy_by_document_is_made_once(policy_broker, fleet):
    """However many devices of however many CAs have it; deleted, it is made again (aws-iot
    E.1)."""
    text = document(CONNECT, allow("Publish", "topic/once"))
    name = name_of_policy(text)
    fleets = [fleet, Fleet(policy_broker)]
    devices = []
    for each in fleets:
        each.set_template(template(policies=[{"PolicyDocument": text}]))
        devices += [each.fresh() for _ in range(3)]
    for device, each in zip(devices, [fleets[0]] * 3 + [fleets[1]] * 3):
        provision(each, device).leave()
        assert each.attached(device) == [name]
    policies = [p["policyName"] for p in fleet.admin.policies()]
    assert policies.count(name) == 1
    made = fleet.call("getPolicy", policyName=name)
    assert made["policyDocument"] == text
    assert len(fleet.call("listTargetsForPolicy", policyName=name)["targets"]) == 6

    for device in devices:
        fleet.admin.detach_policy(name, device)
    fleet.call("deletePolicy", policyName=name)
    provision(fleet, fleet.fresh())


def test_several_policies(fleet):
    """By name and by document together, and one of them twice."""
    named = fleet.policies.create(CONNECT)
    text = document(allow("Publish", "topic/several"))
    fleet.set_template(template(policies=[
        {"PolicyName": named}, {"PolicyDocument": text}, {"PolicyName": named}]))
    device = fleet.fresh()
    provision(fleet, device)
    assert fleet.attached(device) == sorted([named, name_of_policy(text)])


def test_inactive(fleet):
    """A template may provision a certificate and leave it inactive, to be activated by an
    administrator."""
    fleet.set_template(things(status="INACTIVE"))
    device = fleet.fresh()
    assert fleet.refuses(device) == ("DEVICE_CERTIFICATE_INACTIVE", "inactive")
    assert fleet.event()["certificateStatus"] == "INACTIVE"
    fleet.broker.wait_for_log("certificate made inactive: by=template", device.id)
    assert fleet.things(device) == [device.name] and fleet.attached(device)
    assert fleet.refuses(device)[0] == "DEVICE_CERTIFICATE_INACTIVE"
    fleet.admin.update_certificate(device, "ACTIVE")
    fleet.admits(device)
    fleet.no_more_events()


# -- what is there already -------------------------------------------------------------------

OTHER_TYPE = "exists with another type than the template's, and OverrideSettings do not say what"
OTHER_ATTRIBUTES = OTHER_TYPE.replace("another type", "other attributes")
OLD, NEW = {"a": "1", "b": "1"}, {"b": "2", "c": "2"}
BOTH = {"a": "1", "b": "2", "c": "2"}


@pytest.mark.parametrize("settings, result", [
    ({"AttributePayload": "MERGE", "ThingTypeName": "REPLACE"}, ("new", BOTH)),
    ({"AttributePayload": "REPLACE", "ThingTypeName": "REPLACE"}, ("new", NEW)),
    ({"AttributePayload": "DO_NOTHING", "ThingTypeName": "DO_NOTHING"}, ("old", OLD)),
    ({"AttributePayload": "MERGE", "ThingTypeName": "DO_NOTHING"}, ("old", BOTH)),
    ({"ATTRIBUTE_PAYLOAD": "MERGE", "THING_TYPE_NAME": "REPLACE", "THING_GROUPS": "FAIL"},
     ("new", BOTH)),
    ({"AttributePayload": "FAIL", "ThingTypeName": "REPLACE"}, OTHER_ATTRIBUTES),
    ({"AttributePayload": "MERGE", "ThingTypeName": "FAIL"}, OTHER_TYPE),
    ({"AttributePayload": "MERGE"}, OTHER_TYPE),
    ({"ThingTypeName": "DO_NOTHING"}, OTHER_ATTRIBUTES),
    (None, OTHER_TYPE),
], ids=lambda value: json.dumps(value).translate({ord(c): None for c in '{}"\' '})
    if isinstance(value, dict) else "")
def test_thing_that_differs_from_the_template(fleet, settings, result):
    """OverrideSettings decide; with FAIL, or without a setting, nothing at all is done, and the
    certificate is left pending (aws-iot E.2)."""
    text = document(CONNECT, allow("Publish", "topic/" + fleet.ca.id))
    fleet.set_template(things({"ThingTypeName": "new", "AttributePayload": NEW},
                              override=settings, policies=[{"PolicyDocument": text}]))
    device = fleet.fresh()
    fleet.admin.create_thing(device.name, thingTypeName="old",
                             attributePayload={"attributes": OLD})
    before = fleet.thing(device.name)
    if isinstance(result, tuple):
        provision(fleet, device)
        after = fleet.thing(device.name)
        assert (after["thingTypeName"], after["attributes"]) == result
        assert after["thingId"] == before["thingId"]
        assert fleet.things(device) == [device.name]
        return
    code, details = fleet.refuses(device)
    assert code == "PROVISIONING_FAILED"
    assert details.startswith("thing %s %s" % (device.name, result))
    assert fleet.thing(device.name) == before
    assert fleet.things(device) == fleet.attached(device) == []
    with pytest.raises(AwsError):
        fleet.call("getPolicy", policyName=name_of_policy(text))
    # The thing is changed to what the template says.
    fleet.call("updateThing", thingName=device.name, thingTypeName="new",
               attributePayload={"attributes": NEW})
    provision(fleet, device)


def test_thing_that_is_as_the_template_wants_it(fleet):
    """There is nothing to override: also with FAIL a renewed certificate is attached to the same
    thing."""
    fleet.set_template(things({"ThingTypeName": "x", "AttributePayload": NEW},
                              override={"AttributePayload": "FAIL", "ThingTypeName": "FAIL"}))
    old = fleet.fresh()
    renewed = fleet.fresh(old.name)
    for device in (old, renewed):
        provision(fleet, device)
        assert fleet.things(device) == [old.name]
    assert fleet.thing(old.name)["version"] == 1


@pytest.mark.parametrize("setting, status", [
    ("REPLACE", "ACTIVE"), ("DO_NOTHING", "ACTIVE"), ("FAIL", "PENDING_ACTIVATION")])
def test_status_that_differs_from_the_template(fleet, setting, status):
    """The certificate has just been registered as PENDING_ACTIVATION: that keeps only FAIL."""
    body = json.loads(things())
    body["Resources"]["certificate"]["OverrideSettings"] = {"Status": setting}
    fleet.set_template(json.dumps(body))
    device = fleet.fresh()
    assert fleet.refuses(device)[0] == (
        PROVISIONED if status == "ACTIVE" else "PROVISIONING_FAILED")
    assert fleet.status(device) == status


# -- what fails --------------------------------------------------------------------------------

# Each row: the template, the certificate, why it fails, and what mends it.
FAILURES = {
    "missing value": (
        things({"AttributePayload": {"country": parameter("Country")}},
               parameters=[("Country", None)]), {},
        UNRESOLVED % "AWS::IoT::Certificate::Country",
        lambda fleet, device: fleet.set_template(things(
            {"AttributePayload": {"country": parameter("Country")}},
            parameters=[("Country", "unknown")]))),
    "value that may not stand": (
        things({"AttributePayload": {"unit": parameter("OrganizationalUnit")}},
               parameters=[("OrganizationalUnit", None)]), {"OrganizationalUnit": "a b"},
        "{Ref=AWS::IoT::Certificate::OrganizationalUnit} is 'a b', which is not a "
        "valid attribute value",
        lambda fleet, device: fleet.set_template(things())),
    "missing policy": (
        things(policies=[{"PolicyName": "made-later"}]), {},
        "there is no policy made-later to attach",
        lambda fleet, device: fleet.policies.create(CONNECT, name="made-later")),
    "too many attributes for no type": (
        things({"AttributePayload": {"a": "1", "b": "1", "c": "1", "d": "1"}}), {},
        "A thing without a type",
        lambda fleet, device: fleet.set_template(things(
            {"ThingTypeName": "x", "AttributePayload": {"a": "1", "b": "1", "c": "1", "d": "1"}}))),
}


@pytest.mark.parametrize("body, attributes, why, mend", FAILURES.values(), ids=FAILURES)
def test_template_that_fails(fleet, body, attributes, why, mend):
    """Nothing of it is carried out, the certificate is PENDING_ACTIVATION, and the reason is on its
    record, in the log, and in an event of its own; once it is corrected the next attempt
    provisions."""
    fleet.set_template(body)
    name = fleet.fresh().name
    device = fleet.fresh(**subject(CommonName=name, **attributes))
    policies = fleet.admin.policies()
    explained = fleet.explain(device)
    for _ in range(2):
        code, details = fleet.refuses(device)
        assert code == "PROVISIONING_FAILED" == explained["connect"]["reason"]
        assert details.startswith(why)
        assert details == explained["connect"]["details"] == explained["activation"]["details"]
        assert (fleet.status(device), fleet.reason(device)) == ("PENDING_ACTIVATION", details)
        registered = fleet.event()
        failed = fleet.event(FAILED)
        assert failed.pop("reason") == details
        assert failed == {member: registered[member] for member in failed}
        assert set(failed) == {"certificateId", "caCertificateId", "timestamp",
                               "certificateStatus", "awsAccountId"}
        assert failed["certificateStatus"] == "PENDING_ACTIVATION"
        fleet.broker.wait_for_log("certificate not activated: by=template",
                                  'reason="%s' % details[:60], device.id)
    assert fleet.things(device) == fleet.attached(device) == []
    assert fleet.admin.policies() == policies
    with pytest.raises(AwsError):
        fleet.thing(name)

    mend(fleet, device)
    provision(fleet, device)
    assert fleet.status(device) == "ACTIVE" and fleet.reason(device) == DONE
    assert fleet.things(device) == [name]
    fleet.no_more_events()


def test_failure_is_reported_everywhere(make_fleet, directory):
    """In the log file as AWS's ProvisionDevice, with the name of the template, and in a counter;
    success is reported there too (aws-iot H.1; contract, section 7, 7)."""
    log_file = directory / "jitr.log"
    fleet = make_fleet(log_file=log_file, account_id="123456789012", metrics_interval=1,
                       announce_interval=0)
    name = give(fleet, "name", template(policies=[{"PolicyName": "made-later"}]))
    device = fleet.fresh()
    why = "there is no policy made-later to attach"
    assert fleet.refuses(device) == ("PROVISIONING_FAILED", why)
    fleet.broker.wait_for_log('certificate not activated: by=template template="%s" reason="%s"'
                              % (name, why), device.id, fleet.ca.id)
    failed, = entries(log_file, eventType="ProvisionDevice", status="Failure")
    of_device = {"deviceCertificateId": device.id, "caCertificateId": fleet.ca.id,
                 "provisioningTemplateName": name}
    assert {k: failed[k] for k in of_device} == of_device
    assert (failed["logLevel"], failed["reason"], failed["details"]) == (
        "ERROR", "PROVISIONING_FAILED", why)
    assert failed["certificateStatus"] == "PENDING_ACTIVATION"

    fleet.policies.create(allow("Connect", "*"), name="made-later")
    provision(fleet, device)
    done, = entries(log_file, eventType="ProvisionDevice", status="Success")
    assert {k: done[k] for k in of_device} == of_device
    assert (done["logLevel"], done["certificateStatus"]) == ("INFO", "ACTIVE")
    fleet.broker.wait_for_log('certificate activated: by=template template="%s"' % name, device.id)
    Counters(fleet.admin).wait_for(certificates__provisioning_failed=1, certificates__activated=1,
                                   certificates__registered=1)


# -- templates that change -------------------------------------------------------------------

def test_template_that_is_switched_off_and_on(fleet):
    """From the answer on: while it is disabled, new certificates are left pending; enabled again it
    is carried out at the next attempt."""
    name = give(fleet, "name", things())
    provision(fleet, fleet.fresh())
    for _ in range(2):
        fleet.call("updateProvisioningTemplate", templateName=name, enabled=False)
        device = fleet.fresh()
        why = "its provisioning template %s is not enabled" % name
        assert fleet.refuses(device) == ("PROVISIONING_FAILED", why)
        assert fleet.reason(device) == why
        fleet.call("updateProvisioningTemplate", templateName=name, enabled=True,
                   description="on again")
        provision(fleet, device)


@pytest.mark.parametrize("first", ["refuse", "accept"])
def test_template_that_is_switched_off_before_the_record_is_stored(make_fleet, first):
    """The plan is not carried out: the certificate is left pending, and a device already admitted
    is disconnected."""
    fleet = make_fleet(first_connection=first, announce_interval=0)
    name = give(fleet, "name", things())
    device = fleet.fresh()
    with held(fleet.broker):
        ask_without_waiting(fleet, "updateProvisioningTemplate", templateName=name, enabled=False)
        session = fleet.broker.connect(device)
        assert session.accepted == (first == "accept")
    if session.accepted:
        session.wait_until_closed()
    assert fleet.status(device) == "PENDING_ACTIVATION"
    assert fleet.things(device) == fleet.attached(device) == []
    assert fleet.event()["certificateStatus"] == "PENDING_ACTIVATION"
    assert fleet.refuses(device)[0] == "PROVISIONING_FAILED"


def test_template_that_is_made_disabled(fleet):
    """A template is disabled unless created as enabled."""
    name = fleet.create_template(things(), enabled=False)
    fleet.use_template(name)
    device = fleet.fresh()
    assert fleet.refuses(device)[0] == "PROVISIONING_FAILED"
    fleet.call("updateProvisioningTemplate", templateName=name, enabled=True)
    provision(fleet, device)


def test_other_template_takes_effect_at_once(fleet):
    """Another body, another name, the same name with another body: each certificate is provisioned
    with the present settings of its CA."""
    def body(version):
        return things({"AttributePayload": {"version": version}})

    def made():
        device = fleet.fresh()
        provision(fleet, device).leave()
        return fleet.thing(device.name)["attributes"]["version"]

    fleet.set_template(body("1"))
    assert made() == "1"
    fleet.set_template(body("2"))
    assert made() == "2"
    name = fleet.create_template(body("3"))
    fleet.use_template(name)
    assert made() == "3"
    fleet.set_template(body("4"))
    assert made() == "4"
    fleet.call("deleteProvisioningTemplate", templateName=name)
    fleet.create_template(body("5"), name=name)
    fleet.use_template(name)
    assert made() == "5"
    fleet.admin.update_ca(fleet.ca, removeAutoRegistration=True, auto_registration="ENABLE")
    assert fleet.refuses(fleet.fresh())[0] == "DEVICE_CERTIFICATE_NOT_REGISTERED"


def test_template_in_use_cannot_be_deleted(policy_broker, fleet):
    """The message names a CA that uses it; when the last one stops it can be deleted, and no CA can
    use it then."""
    name = give(fleet, "name", things())
    other = Fleet(policy_broker)
    other.use_template(name)
    for user in (fleet, other):
        with pytest.raises(AwsError) as refused:
            fleet.call("deleteProvisioningTemplate", templateName=name)
        assert refused.value.name in ("DeleteConflictException", "ConflictException")
        assert name in refused.value.message
        assert fleet.ca.id in refused.value.message or other.ca.id in refused.value.message
        provision(user, user.fresh()).leave()
        user.set_template(things())
    fleet.call("deleteProvisioningTemplate", templateName=name)
    with pytest.raises(AwsError) as refused:
        fleet.use_template(name)
    assert refused.value.name == "ResourceNotFoundException"
    provision(fleet, fleet.fresh())


def test_template_and_rule_exclude_each_other(fleet):
    """The second one is refused, with a message that says how to remove the first; nothing is
    changed."""
    a_rule, by_body = rule(), {"templateBody": things()}
    by_name = {"templateName": fleet.create_template(things())}

    def is_refused(call, *arguments, **members):
        with pytest.raises(AwsError) as refused:
            call(*arguments, **members)
        assert refused.value.name == "InvalidRequestException"
        assert "activation none" in refused.value.message
        assert "removeAutoRegistration" in refused.value.message

    for config in (by_body, by_name):
        is_refused(fleet.admin.register_ca, fleet.pki.ca("other"), activation=a_rule,
                   registrationConfig=config)
        is_refused(fleet.admin.update_ca, fleet.ca, activation=a_rule, registrationConfig=config)
        fleet.admin.update_ca(fleet.ca, registrationConfig=config)
        is_refused(fleet.admin.update_ca, fleet.ca, activation=a_rule)
        fleet.admin.update_ca(fleet.ca, removeAutoRegistration=True, auto_registration="ENABLE")
        fleet.admin.update_ca(fleet.ca, activation=a_rule)
        is_refused(fleet.admin.update_ca, fleet.ca, registrationConfig=config)
        fleet.admin.update_ca(fleet.ca, activation="none", registrationConfig=config)
        provision(fleet, fleet.fresh()).leave()
        fleet.admin.update_ca(fleet.ca, removeAutoRegistration=True, auto_registration="ENABLE")


# -- beside other things ------------------------------------------------------------------------

# The complete example in AWS's guide has this shape; with thing groups, of which there are none
# here.
LIKE_AWS = """{
   "Parameters" : {
      "AWS::IoT::Certificate::CommonName" : { "Type" : "String" },
      "AWS::IoT::Certificate::SerialNumber" : { "Type" : "String" },
      "AWS::IoT::Certificate::Country" : { "Type" : "String" },
      "AWS::IoT::Certificate::Id" : { "Type" : "String" }
   },
   "Resources" : {
      "thing" : {
         "Type" : "AWS::IoT::Thing",
         "Properties" : {
            "ThingName" : { "Ref" : "AWS::IoT::Certificate::CommonName" },
            "AttributePayload" : {
               "version" : "v2",
               "serialNumber" : { "Ref" : "AWS::IoT::Certificate::SerialNumber" },
               "country" : { "Ref" : "AWS::IoT::Certificate::Country" }
            },
            "ThingTypeName" : "lamp",
            "ThingGroups" : []
         },
         "OverrideSettings" : {
            "AttributePayload" : "MERGE",
            "ThingTypeName" : "REPLACE",
            "ThingGroups" : "DO_NOTHING"
         }
      },
      "certificate" : {
         "Type" : "AWS::IoT::Certificate",
         "Properties" : {
            "CertificateId" : { "Ref" : "AWS::IoT::Certificate::Id" },
            "Status" : "ACTIVE"
         },
         "OverrideSettings" : { "Status" : "DO_NOTHING" }
      },
      "policy" : {
         "Type" : "AWS::IoT::Policy",
         "Properties" : {
            "PolicyDocument" : %s
         }
      }
   }
}""" % json.dumps("""{ "Version": "2012-10-17", "Statement": [
   { "Effect": "Allow", "Action":["iot:Connect", "iot:Publish"],
     "Resource": ["arn:aws:iot:us-east-1:123456789012:client/*",
                  "arn:aws:iot:us-east-1:123456789012:topic/t/lamps"] }] }""")


@BY_BODY_OR_NAME
def test_template_of_the_shape_that_aws_documents(make_fleet, by):
    """A template written for AWS does the same here, in its region and for its account."""
    fleet = make_fleet(region="us-east-1", account_id="123456789012")
    give(fleet, by, LIKE_AWS.replace("\n", "\r\n") if by == "body" else LIKE_AWS)
    lamp = fleet.fresh(**subject(CommonName="lamp-1", SerialNumber="4711", Country="NL"))
    assert fleet.witness
    session = provision(fleet, lamp)
    session.publish("t/other", "bad")
    session.publish("t/lamps", "good")
    assert fleet.heard() == ["good"]
    made = fleet.thing("lamp-1")
    assert made["thingTypeName"] == "lamp"
    assert made["attributes"] == {"version": "v2", "serialNumber": "4711", "country": "NL"}
    assert fleet.things(lamp) == ["lamp-1"]

    nameless = fleet.fresh(**subject(CommonName="lamp-2", SerialNumber="4712"))
    assert fleet.refuses(nameless) == (
        "PROVISIONING_FAILED", UNRESOLVED % "AWS::IoT::Certificate::Country")


def test_list_is_asked_before_the_template(fleet):
    """Nothing is provisioned for a certificate on the list, or without a list that is required."""
    fleet.set_template(things())
    fleet.admin.update_ca(fleet.ca, crlCheck="required")
    good, bad, listed = (fleet.fresh() for _ in range(3))
    for device in (good, bad):
        assert fleet.refuses(device)[0] == "REVOCATION_LIST_MISSING"
        assert fleet.things(device) == []
    import_list(fleet.admin, fleet.ca, revocation_list(fleet.ca, bad, listed))
    provision(fleet, good)
    assert fleet.refuses(bad)[0] == "DEVICE_CERTIFICATE_REVOKED"
    assert fleet.refuses(listed)[0] == "CERTIFICATE_ON_REVOCATION_LIST"
    for device in (bad, listed):
        assert fleet.status(device) == "REVOKED"
        assert fleet.things(device) == fleet.attached(device) == []


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_template_does_not_change_a_status_set_by_hand(fleet, status):
    """Set by hand, before the CA had a template or after."""
    device = fleet.fresh()
    fleet.admin.register_certificate(device, status="ACTIVE")
    fleet.admin.update_certificate(device, status)
    fleet.set_template(things())
    assert fleet.refuses(device)[0] == "DEVICE_CERTIFICATE_" + status
    provisioned = fleet.fresh()
    provision(fleet, provisioned).leave()
    fleet.admin.update_certificate(provisioned, status)
    assert fleet.refuses(provisioned)[0] == "DEVICE_CERTIFICATE_" + status
    assert fleet.status(provisioned) == fleet.status(device) == status
    assert fleet.things(device) == []


def test_pending_device_is_provisioned(fleet):
    """Certificates from before there was a template, at their next attempt."""
    waiting = [fleet.fresh() for _ in range(2)]
    for device in waiting:
        assert fleet.refuses(device)[0] == "DEVICE_CERTIFICATE_NOT_REGISTERED"
        assert fleet.event()["certificateStatus"] == "PENDING_ACTIVATION"
    fleet.set_template(things())
    for device in waiting:
        provision(fleet, device)
    fleet.no_more_events()


def test_names_that_cannot_be_read(fleet):
    """A certificate whose subject cannot be read as text is not provisioned, and the reason says
    so."""
    fleet.set_template(template(policies=MAY_CONNECT))
    bits = der.tlv(0x31, der.sequence(der.oid(der.COMMON_NAME), der.tlv(0x03, b"\0\xff\xfe")))
    device = fleet.fresh(subject=der.sequence(bits))
    assert fleet.explain(device)["activation"]["details"] == "its names cannot be read"
    assert fleet.refuses(device) == ("PROVISIONING_FAILED", "its names cannot be read")
    assert fleet.event()["certificateStatus"] == "PENDING_ACTIVATION"
    assert fleet.event(FAILED)["reason"] == "its names cannot be read"


def test_role_is_kept_and_shown(fleet):
    """A role has no effect here; AWS's tools send it and expect it in answers."""
    fleet.set_template(things())
    config = fleet.call("describeCACertificate", certificateId=fleet.ca.id)["registrationConfig"]
    assert config == {"templateBody": things(), "roleArn": ROLE}
