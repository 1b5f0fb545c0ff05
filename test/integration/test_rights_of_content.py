# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A command needs every right that its content can exercise (contract, section 6): a program with
rights from a policy cannot use a rule, a template or a policy for actions that it may not do
itself. AWS requires iam:PassRole for this."""
import itertools
import json

import pytest

from admin import Admin, AwsError
from policies import CONNECT, allow, arn, deny, document
from provisioning import ROLE, parameter, template
from test_policy_administration import DENIED, error_of, id_of, operator

ALL_CA = ["RegisterCACertificate", "UpdateCACertificate", "CreateProvisioningTemplate",
          "UpdateProvisioningTemplate"]
CONTROL = document(CONNECT, allow(["CreatePolicy", "GetRegistrationCode"], "*"))
_numbers = itertools.count(1)

# What an activation program may.
ACTIVATION = [allow(["UpdateCertificate", "AttachPolicy", "AttachThingPrincipal"], "cert/*"),
              allow(["CreatePolicy"], "policy/*"), allow(["CreateThing", "UpdateThing"], "thing/*")]


def new(word):
    return "%s-of-%d" % (word, next(_numbers))


def set_rule(program, ca, **members):
    return error_of(program, "updateCACertificate", certificateId=ca.id,
                    activation=json.dumps(members))


def set_template(program, ca, **how):
    return error_of(program, "updateCACertificate", certificateId=ca.id, registrationConfig={
        "templateBody": template(**how), "roleArn": ROLE})


def delegate(site, *statements, **how):
    return operator(site, allow(ALL_CA, "*"), *statements, name=new("delegate"), **how)


def is_administrator(site, device):
    """Whether it may connect and send an administrator's request."""
    session = site.broker.connect(device)
    if not session.accepted:
        return False
    return error_of(Admin(site.broker, session), "getRegistrationCode") is None


# -- the attack ----------------------------------------------------------------------------

def carriers(body):
    """How a template gets to a CA."""
    def by_value(program, ca):
        return [("updateCACertificate", {"certificateId": ca.id, "registrationConfig": {
            "templateBody": body, "roleArn": ROLE}})]

    def by_name(program, ca):
        name = new("template")
        return [("createProvisioningTemplate", {
                    "templateName": name, "type": "JITP", "enabled": True, "templateBody": body,
                    "provisioningRoleArn": ROLE}),
                ("updateCACertificate", {"certificateId": ca.id, "registrationConfig": {
                    "templateName": name}})]

    return {"by value": by_value, "by name": by_name}


@pytest.mark.parametrize("how", ["by value", "by name"])
@pytest.mark.parametrize("rights", ["denied", "all"])
def test_template_makes_no_administrator(site, how, rights):
    """A delegate that may change the CA, with an explicit Deny of the rest or with every right
    of an activation program, and a second certificate of that CA."""
    more = ACTIVATION if rights == "all" else [deny(["CreatePolicy", "AttachPolicy"], "*")]
    program = delegate(site, *more)
    body = template(policies=[{"PolicyDocument": CONTROL}])
    errors = [error_of(program, command, **members)
              for command, members in carriers(body)[how](program, site.ca)]
    assert errors[0] in (DENIED, "InvalidRequestException")
    assert not is_administrator(site, site.pki.device(new("second"), issuer=site.ca))


def test_template_of_an_administrator_gives_no_rights_over_the_registry(site):
    """Nor can an administrator store one: every certificate of the CA would administer."""
    with pytest.raises(AwsError) as refused:
        site.admin.update_ca(site.ca, registrationConfig={
            "templateBody": template(policies=[{"PolicyDocument": CONTROL}]), "roleArn": ROLE})
    assert refused.value.name == "InvalidRequestException"
    assert "must not allow actions of the registry" in refused.value.message


@pytest.mark.parametrize("plan", ["rule", "template"])
@pytest.mark.parametrize("there", [True, False], ids=["there", "not there yet"])
def test_policy_that_changed_after_the_plan_was_stored(site, plan, there):
    """A delegate names a policy that is harmless or does not exist yet; an administrator gives it
    rights over the registry later: the plan does not attach it, and the reason says so."""
    program = delegate(site, *ACTIVATION)
    name, power = new("policy"), (CONNECT, allow("GetRegistrationCode", "*"))
    if there:
        site.policies.create(CONNECT, name=name)
    stored = set_rule(program, site.ca, policies=[name]) if plan == "rule" else \
        set_template(program, site.ca, policies=[{"PolicyName": name}])
    assert stored is None
    first = site.pki.device(new("first"), issuer=site.ca)
    site.broker.connect(first)
    assert (site.admin.status(first) == "ACTIVE") == there
    if there:
        site.policies.add_version(name, *power)
    else:
        site.policies.create(*power, name=name)
    second = site.pki.device(new("second"), issuer=site.ca)
    assert not is_administrator(site, second)
    assert site.admin.status(second) == "PENDING_ACTIVATION"
    refusal = site.admin.describe_certificate(second)["lastRefusal"]["details"]
    assert "policy %s allows actions of the registry: a rule or template does not attach it, attachPolicy does" % name in refusal


# -- every right ------------------------------------------------------------------------

RIGHTS = {
    "UpdateCertificate": ("cert/*", "rule"),
    "AttachPolicy": ("cert/*", "rule"),
    "CreateThing": ("thing/*", "rule"),
    "AttachThingPrincipal": ("cert/*", "rule"),
    "CreatePolicy": ("policy/*", "template"),
    "UpdateThing": ("thing/*", "template"),
}


def store(program, ca, kind, policy):
    if kind == "rule":
        return set_rule(program, ca, policies=[policy], thing="${iot:Certificate.Subject.CommonName}")
    return set_template(program, ca, parameters={"CommonName": None},
                        thing={"ThingName": parameter("CommonName")},
                        override={"AttributePayload": "REPLACE"},
                        policies=[{"PolicyDocument": document(CONNECT)}])


@pytest.mark.parametrize("missing", [None, *RIGHTS])
@pytest.mark.parametrize("kind", ["rule", "template"])
@pytest.mark.parametrize("how", ["missing", "denied"])
def test_plan_needs_each_right_that_it_exercises(site, missing, kind, how):
    """With all of them it is stored; without one, or with a Deny of one, it is not."""
    policy = site.policies.create(CONNECT, name=new("policy"))
    statements = [allow(right, resource) for right, (resource, _) in RIGHTS.items()
                  if right != missing or how == "denied"]
    if missing is not None and how == "denied":
        statements.append(deny(missing, "*"))
    program = delegate(site, *statements)
    needs = missing is not None and (kind == "template" or RIGHTS[missing][1] == "rule")
    before = site.admin.describe_ca(site.ca)
    assert store(program, site.ca, kind, policy) == (DENIED if needs else None)
    assert (site.admin.describe_ca(site.ca) == before) == needs


@pytest.mark.parametrize("denied", [
    deny("AttachPolicy", "policy/secret"), deny("AttachPolicy", "cert/" + "0" * 64),
    deny("AttachThingPrincipal", "thing/gateway-*"), deny("CreateThing", "thing/x"),
    deny("UpdateCertificate", "cert/${iot:ClientId}")])
def test_names_that_the_certificate_makes_need_the_right_on_every_resource(site, denied):
    """A Deny on one possible name is enough."""
    program = delegate(site, *ACTIVATION, denied)
    body = template(parameters={"CommonName": None, "Country": "x"},
                    thing={"ThingName": parameter("CommonName")},
                    policies=[{"PolicyName": parameter("Country")}])
    assert error_of(program, "updateCACertificate", certificateId=site.ca.id, registrationConfig={
        "templateBody": body, "roleArn": ROLE}) == DENIED
    assert error_of(delegate(site, *ACTIVATION), "updateCACertificate", certificateId=site.ca.id,
                    registrationConfig={"templateBody": body, "roleArn": ROLE}) is None


@pytest.mark.parametrize("kind", ["rule", "template", "template by name"])
@pytest.mark.parametrize("switch", ["newStatus", "newAutoRegistrationStatus"])
def test_ca_that_is_switched_on_needs_what_its_plan_does(site, kind, switch):
    """An administrator's rule or template acts again when the CA, or its registering, is
    switched on: as where a template is.  Switched off it is without that."""
    policy = site.policies.create(CONNECT, name=new("policy"))
    body, name = template(policies=[{"PolicyName": policy}]), new("template")
    site.admin.call("createProvisioningTemplate", templateName=name, type="JITP", enabled=True,
                    templateBody=body, provisioningRoleArn=ROLE)
    config = {"templateBody": body, "roleArn": ROLE} if kind == "template" else {"templateName": name}
    plan = ({"activation": json.dumps({"policies": [policy]})} if kind == "rule"
            else {"registrationConfig": config})
    on, off = {"newStatus": ("ACTIVE", "INACTIVE"),
               "newAutoRegistrationStatus": ("ENABLE", "DISABLE")}[switch]
    site.admin.call("updateCACertificate", certificateId=site.ca.id, **plan)
    poor, rich = delegate(site, deny("AttachPolicy", "*")), delegate(site, *ACTIVATION)
    for program, word, expected in ((poor, off, None), (poor, on, DENIED), (rich, on, None)):
        assert error_of(program, "updateCACertificate", certificateId=site.ca.id,
                        **{switch: word}) == expected


def test_names_that_are_written_need_the_right_on_these(site):
    """A Deny on another policy or thing is no obstacle, one on this one is."""
    for name in ("device", "secret"):
        site.policies.create(CONNECT, name=name)
    program = delegate(site, *ACTIVATION, deny("AttachPolicy", "policy/secret"),
                       deny("AttachThingPrincipal", "thing/gateway"))
    assert set_rule(program, site.ca, policies=["device"], thing="sensor") is None
    assert set_rule(program, site.ca, policies=["device", "secret"]) == DENIED
    assert set_rule(program, site.ca, policies=["device"], thing="gateway") == DENIED


def test_template_by_name_needs_what_its_body_does(site):
    """An administrator's template, named by a delegate, or switched on by it."""
    policy = site.policies.create(CONNECT, name=new("policy"))
    name = new("template")
    site.admin.call("createProvisioningTemplate", templateName=name, type="JITP", enabled=False,
                    templateBody=template(policies=[{"PolicyName": policy}]),
                    provisioningRoleArn=ROLE)
    poor, rich = delegate(site), delegate(site, *ACTIVATION)
    for program, expected in ((poor, DENIED), (rich, None)):
        assert error_of(program, "updateProvisioningTemplate", templateName=name,
                        enabled=True) == expected
        assert error_of(program, "updateCACertificate", certificateId=site.ca.id,
                        registrationConfig={"templateName": name}) == expected
    assert error_of(poor, "updateProvisioningTemplate", templateName=name, enabled=False) is None
    assert error_of(poor, "updateCACertificate", certificateId=site.ca.id,
                    removeAutoRegistration=True) is None


def test_ca_that_is_registered_with_a_plan(site, pki):
    """registerCACertificate is no way around."""
    ca = pki.ca("of the delegate")
    members = {"caCertificate": ca.pem, "certificateMode": "SNI_ONLY", "setAsActive": True,
               "allowAutoRegistration": True, "activation": "rule"}
    assert error_of(delegate(site), "registerCACertificate", **members) == DENIED
    assert error_of(delegate(site, allow("UpdateCertificate", "cert/*")), "registerCACertificate",
                    **members) is None


def test_list_from_a_file_needs_the_right_to_import(site):
    """crlFile imports lists: iot:ImportCrl on that CA."""
    poor = delegate(site)
    rich = delegate(site, allow("ImportCrl", "cacert/" + site.ca.id))
    for program, path, expected in ((poor, "ca.crl", DENIED), (rich, "ca.crl", None),
                                    (poor, "", None)):
        assert error_of(program, "updateCACertificate", certificateId=site.ca.id,
                        crlFile=path) == expected


# -- policies that administer -------------------------------------------------------------

POLICIES = allow(["CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"],
                 "policy/*")
ATTACH = allow(["AttachPolicy", "AttachPrincipalPolicy", "DetachPolicy", "DetachPrincipalPolicy",
                "UpdateCertificate", "DeleteCertificate"], "cert/*")


@pytest.mark.parametrize("rights", [
    allow("GetRegistrationCode", "*"), allow("iot:*Policy", "policy/*"), allow("iot:Cr*", "*"),
    allow("updatecertificate", "cert/${iot:ClientId}")])
def test_no_policy_with_rights_over_the_registry_is_made(site, rights):
    """By createPolicy or createPolicyVersion, as the default or not; any other policy is."""
    program = operator(site, POLICIES, ATTACH)
    name = new("policy")
    assert error_of(program, "createPolicy", policyName=name,
                    policyDocument=document(CONNECT, rights)) == DENIED
    for policy in (CONNECT, allow("iot:*", "*"), allow("iot:Sub*", "topicfilter/a"),
                   deny("CreatePolicy", "*")):
        made = new("policy")
        assert error_of(program, "createPolicy", policyName=made,
                        policyDocument=document(policy)) is None
        for default in (True, False):
            assert error_of(program, "createPolicyVersion", policyName=made, setAsDefault=default,
                            policyDocument=document(rights)) == DENIED


def test_no_policy_with_rights_over_the_registry_is_attached(site):
    """By either command, to itself or to another; nor made the default, nor detached where it
    denies."""
    victim = site.device(name=new("victim"))
    power = site.policies.create(CONNECT, allow("GetRegistrationCode", "*"), name=new("power"))
    fence = site.policies.create(deny(["GetRegistrationCode"], "*"), name=new("fence"))
    site.policies.attach(fence, victim)
    program = operator(site, POLICIES, ATTACH)
    own = id_of(site, program.session)
    for target in (own, victim.id):
        assert error_of(program, "attachPolicy", policyName=power, target=target) == DENIED
        assert error_of(program, "attachPrincipalPolicy", policyName=power,
                        principal=arn("cert/" + target)) == DENIED
    assert error_of(program, "detachPolicy", policyName=fence, target=victim.id) == DENIED
    assert error_of(program, "detachPrincipalPolicy", policyName=fence,
                    principal=arn("cert/" + victim.id)) == DENIED
    assert error_of(program, "createPolicyVersion", policyName=fence, setAsDefault=True,
                    policyDocument=document(CONNECT)) == DENIED
    assert error_of(program, "attachPolicy", policyName=fence, target=own) is None


def test_no_version_with_rights_over_the_registry_becomes_the_default(site):
    """One that an administrator made, or replaced."""
    name = site.policies.create(CONNECT, allow("GetRegistrationCode", "*"), name=new("policy"))
    site.policies.add_version(name, CONNECT)
    site.policies.add_version(name, allow("Publish", "topic/a"), default=False)
    program = operator(site, POLICIES, ATTACH)
    assert error_of(program, "setDefaultPolicyVersion", policyName=name,
                    policyVersionId="1") == DENIED
    assert error_of(program, "setDefaultPolicyVersion", policyName=name,
                    policyVersionId="3") is None


def test_default_version_needs_the_right_to_set_it(site):
    """createPolicyVersion with setAsDefault: iot:SetDefaultPolicyVersion as well."""
    name = site.policies.create(CONNECT, name=new("policy"))
    program = operator(site, allow("CreatePolicyVersion", "policy/*"))
    for default, expected in ((True, DENIED), (False, None)):
        assert error_of(program, "createPolicyVersion", policyName=name, setAsDefault=default,
                        policyDocument=document(CONNECT)) == expected


def test_certificate_that_would_administer_is_not_activated(site):
    """A delegate that may activate: not one with a policy that names actions of the registry."""
    power = site.policies.create(CONNECT, allow("GetRegistrationCode", "*"), name=new("power"))
    device = site.device(name=new("operator"))
    site.policies.attach(power, device)
    site.admin.update_certificate(device, "INACTIVE")
    program = operator(site, ATTACH)
    assert error_of(program, "updateCertificate", certificateId=device.id,
                    newStatus="ACTIVE") == DENIED
    assert error_of(program, "updateCertificate", certificateId=device.id,
                    newStatus="REVOKED") is None
    other = site.device(CONNECT, name=new("device"))
    for status in ("INACTIVE", "ACTIVE"):
        assert error_of(program, "updateCertificate", certificateId=other.id,
                        newStatus=status) is None


def test_certificate_of_admin_certificates_is_not_activated(make_site, pki):
    """Nor one that the configuration names, by updateCertificate or by registration."""
    ca = pki.ca("factory")
    chief = pki.device("chief", issuer=ca)
    site = make_site({"admin_certificates": chief.id})
    site.admin.register_ca(ca)
    program = operator(site, ATTACH, allow(["RegisterCertificate", "RegisterCertificateWithoutCA"],
                                           "*"))
    for command in ("registerCertificate", "registerCertificateWithoutCA"):
        assert error_of(program, command, certificatePem=chief.pem, status="ACTIVE") == DENIED
    assert error_of(program, "registerCertificate", certificatePem=chief.pem,
                    status="INACTIVE") is None
    assert error_of(program, "updateCertificate", certificateId=chief.id,
                    newStatus="ACTIVE") == DENIED
    site.admin.update_certificate(chief, "ACTIVE")
    assert is_administrator(site, chief)


def test_forced_deletion_needs_the_right_to_detach(site):
    """deleteCertificate with forceDelete detaches policies."""
    program = operator(site, allow("DeleteCertificate", "cert/*"))
    device = site.device(CONNECT, name=new("device"))
    site.admin.update_certificate(device, "INACTIVE")
    assert error_of(program, "deleteCertificate", certificateId=device.id,
                    forceDelete=True) == DENIED
    rich = operator(site, ATTACH, name=new("rich"))
    assert error_of(rich, "deleteCertificate", certificateId=device.id, forceDelete=True) is None


def test_administrators_of_the_configuration_are_not_asked(site):
    """admin_users have all of these rights, except for rights that a plan would give."""
    name = new("policy")
    site.admin.call("createPolicy", policyName=name, policyDocument=CONTROL)
    device = site.device(name=new("device"))
    site.policies.attach(name, device)
    assert is_administrator(site, device)
