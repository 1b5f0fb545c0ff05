# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Things and the certificates attached to them: aws-iot A.6, with answers, constraints, limits
and errors."""
import uuid

import pytest

from test_ca_registry import NOWHERE, refusal

ARN = "arn:aws:iot:local:000000000000:"


@pytest.fixture
def device(admin, pki, factory):
    made = pki.device("d1", issuer=factory)
    admin.register_certificate(made)
    return made


def thing(admin, name="t"):
    return admin.call("describeThing", thingName=name)


# -- things ------------------------------------------------------------------------

def test_thing_is_made_and_described(admin):
    """Name, ARN, id; version 1; the default client id is the name (aws-iot A.6.1, A.6.2)."""
    made = admin.create_thing("a:b_1-", thingTypeName="sensor", billingGroupName="group",
                              attributePayload={"attributes": {"floor": "2", "a.b,c@d/e:f#-": ""}})
    assert uuid.UUID(made["thingId"])
    assert made == {"thingName": "a:b_1-", "thingArn": ARN + "thing/a:b_1-",
                    "thingId": made["thingId"]}
    assert thing(admin, "a:b_1-") == {
        **made, "defaultClientId": "a:b_1-", "thingTypeName": "sensor",
        "billingGroupName": "group", "attributes": {"floor": "2"}, "version": 1}


def test_thing_without_anything(admin):
    """A member that was never set is absent (aws-iot 1.3)."""
    made = admin.create_thing("t")
    assert thing(admin) == {**made, "defaultClientId": "t", "attributes": {}, "version": 1}


def test_thing_that_is_there(admin):
    """The same once more succeeds with the same id; another one is refused and named
    (aws-iot A.6.1)."""
    how = {"thingTypeName": "x", "attributePayload": {"attributes": {"a": "1", "b": "2"}}}
    made = admin.create_thing("t", **how)
    assert admin.create_thing("t", **how) == made
    for other in ({}, {"thingTypeName": "x"}, {**how, "thingTypeName": "y"},
                  {**how, "attributePayload": {"attributes": {"a": "1", "b": "3"}}},
                  {**how, "billingGroupName": "g"}):
        error = refusal(admin.create_thing, "t", **other)
        assert error.name == "ResourceAlreadyExistsException"
        assert (error.answer["resourceId"], error.answer["resourceArn"]) == (
            "t", ARN + "thing/t")


@pytest.mark.parametrize("name, ending", [
    ("", "length greater than or equal to 1"), ("x" * 129, "length less than or equal to 128"),
    ("a b", "pattern: [a-zA-Z0-9:_-]+"), ("a.b", "pattern: [a-zA-Z0-9:_-]+"),
    ("a/b", "pattern: [a-zA-Z0-9:_-]+"), ("\u00e9", "pattern: [a-zA-Z0-9:_-]+"),
])
@pytest.mark.parametrize("command, member", [
    ("createThing", "thingName"), ("createThing", "thingTypeName"),
    ("createThing", "billingGroupName"), ("describeThing", "thingName"),
    ("updateThing", "thingTypeName"), ("deleteThing", "thingName"),
    ("listThingPrincipals", "thingName"), ("listThings", "thingTypeName"),
])
def test_invalid_names(admin, command, member, name, ending):
    """InvalidRequestException in AWS's words (aws-iot 1.5, 1.7)."""
    others = {} if member == "thingName" or command == "listThings" else {"thingName": "t"}
    error = refusal(admin.call, command, **others, **{member: name})
    assert error.name == "InvalidRequestException"
    assert error.message.endswith(ending) and "'%s'" % member in error.message


@pytest.mark.parametrize("attributes", [
    {"": "x"}, {"a b": "x"}, {"x" * 129: "x"}, {"a": "b c"}, {"a": "x" * 801}, {"a": 1},
    {"a": None}, {"a": {}}, {"a": "\u00e9"}, [], "a=b",
])
@pytest.mark.parametrize("command", ["createThing", "updateThing"])
def test_invalid_attributes(admin, command, attributes):
    """Names of up to 128, values of up to 800 characters, in AWS's patterns (aws-iot 1.7)."""
    if command == "updateThing":
        admin.create_thing("t")
    error = refusal(admin.call, command, thingName="t",
                    attributePayload={"attributes": attributes})
    assert error.name == "InvalidRequestException"


def test_greatest_attributes(admin):
    """(aws-iot 1.7)"""
    attributes = {"x" * 128: "y" * 800, "Az09_.,@/:#-": "Az09_.,@/:#-=[]"}
    admin.create_thing("t", attributePayload={"attributes": attributes})
    assert thing(admin)["attributes"] == attributes


def test_number_of_attributes(admin):
    """3 without a type, 50 with one (aws-iot A.6.1)."""
    def payload(count):
        return {"attributes": {"a%02d" % n: "%d" % n for n in range(count)}}

    assert refusal(admin.create_thing, "t",
                   attributePayload=payload(4)).name == "InvalidRequestException"
    assert refusal(admin.create_thing, "t", thingTypeName="x",
                   attributePayload=payload(51)).name == "InvalidRequestException"
    admin.create_thing("t", attributePayload=payload(3))
    admin.create_thing("u", thingTypeName="x", attributePayload=payload(50))
    assert thing(admin, "u")["attributes"] == payload(50)["attributes"]
    error = refusal(admin.call, "updateThing", thingName="u", removeThingType=True)
    assert error.name == "InvalidRequestException"
    error = refusal(admin.call, "updateThing", thingName="t",
                    attributePayload={"merge": True, "attributes": {"b": "1"}})
    assert error.name == "InvalidRequestException"
    assert thing(admin)["version"] == 1


def test_updates(admin):
    """Merging keeps attributes that are not named and removes empty ones; otherwise all are
    replaced; each update increments the version (aws-iot A.6.7)."""
    admin.create_thing("t", attributePayload={"attributes": {"a": "1", "b": "2"}})

    def update(**members):
        assert admin.call("updateThing", thingName="t", **members) == {}
        now = thing(admin)
        return now["attributes"], now.get("thingTypeName"), now["version"]

    assert update(attributePayload={"merge": True, "attributes": {"a": "", "c": "3"}}) == (
        {"b": "2", "c": "3"}, None, 2)
    assert update(attributePayload={"attributes": {"d": "4"}}, thingTypeName="x") == (
        {"d": "4"}, "x", 3)
    assert update(removeThingType=True, expectedVersion=3) == ({"d": "4"}, None, 4)
    assert update(attributePayload={"attributes": {}}) == ({}, None, 5)
    assert update() == ({}, None, 6)


def test_version_that_was_expected(admin):
    """VersionConflictException, nothing changed (aws-iot A.6.7)."""
    admin.create_thing("t")
    for command in ("updateThing", "deleteThing"):
        error = refusal(admin.call, command, thingName="t", expectedVersion=2)
        assert error.name == "VersionConflictException"
        for wrong in (-1, "1", 1.5, 2 ** 32):
            error = refusal(admin.call, command, thingName="t", expectedVersion=wrong)
            assert error.name == "InvalidRequestException"
    assert thing(admin)["version"] == 1
    assert admin.call("deleteThing", thingName="t", expectedVersion=1) == {}


@pytest.mark.parametrize("members", [
    {"thingTypeName": "x", "removeThingType": True}, {"billingGroupName": "g"},
    {"attributePayload": {"attribute": {}}}, {"attributePayload": "a=b"},
    {"attributePayload": {"merge": "true"}}, {"removeThingType": "yes"},
])
def test_invalid_updates(admin, members):
    """InvalidRequestException, nothing changed (aws-iot A.6.7, 1.5)."""
    admin.create_thing("t")
    error = refusal(admin.call, "updateThing", thingName="t", **members)
    assert error.name == "InvalidRequestException"
    assert thing(admin)["version"] == 1


def test_thing_that_is_not_there(admin, device):
    """ResourceNotFoundException, except for deleting, which AWS reports as done (aws-iot
    A.6.7)."""
    for command, members in (("describeThing", {}), ("updateThing", {}),
                             ("attachThingPrincipal", {"principal": device.id}),
                             ("detachThingPrincipal", {"principal": device.id})):
        error = refusal(admin.call, command, thingName="t", **members)
        assert error.name == "ResourceNotFoundException"
    error = refusal(admin.call, "listThingPrincipals", thingName="t")
    assert (error.name, error.message) == (
        "ResourceNotFoundException", "Failed to list principals for thing t because the thing "
        "does not exist in your account")
    assert admin.call("deleteThing", thingName="t") == {}


def test_things_survive_a_restart(broker, admin, device):
    """An answer to a change means that it is on disk (contract, section 3)."""
    admin.create_thing("t", attributePayload={"attributes": {"a": "1"}})
    admin.attach_thing("t", device)
    before = thing(admin)
    broker.kill()
    broker.process = None
    admin = broker.start().admin()
    assert thing(admin) == before
    assert admin.call("listPrincipalThings", principal=device.id) == {"things": ["t"]}


# -- lists -------------------------------------------------------------------------

def test_things_are_listed_in_pages(admin):
    """By name, 50 to a page (aws-iot 1.6)."""
    names = ["t%02d" % n for n in range(60)]
    for name in reversed(names):
        admin.create_thing(name)

    def pages(**members):
        return [[t["thingName"] for t in page] for page in
                admin.pages("listThings", "things", **members)]

    assert pages() == [names[:50], names[50:]]
    assert pages(maxResults=25) == [names[:25], names[25:50], names[50:]]
    assert pages(maxResults=60) == [names]
    assert admin.call("listThings", maxResults=1)["things"] == [
        {"thingName": "t00", "thingArn": ARN + "thing/t00", "attributes": {}, "version": 1}]


def test_filters(admin):
    """By attribute, its beginning, and type, also together (aws-iot A.6.7)."""
    for name, kind, value in (("a", "x", "one"), ("b", "x", "two"), ("c", "y", "onetwo")):
        admin.create_thing(name, thingTypeName=kind,
                           attributePayload={"attributes": {"k": value}})
    admin.create_thing("d")

    def names(**members):
        return [t["thingName"] for page in admin.pages("listThings", "things", **members)
                for t in page]

    assert names(thingTypeName="x") == ["a", "b"]
    assert names(thingTypeName="z") == []
    assert names(attributeName="k", attributeValue="one") == ["a"]
    assert names(attributeName="k", attributeValue="one", usePrefixAttributeValue=True) == [
        "a", "c"]
    assert names(attributeName="k", attributeValue="one", usePrefixAttributeValue=True,
                 maxResults=1, thingTypeName="y") == ["c"]
    assert names(attributeName="l", attributeValue="one") == []
    # A name alone, as the AWS CLI's list-things --attribute-name.
    assert names(attributeName="k") == ["a", "b", "c"]
    assert names(attributeName="k", usePrefixAttributeValue=True, maxResults=2) == ["a", "b", "c"]
    assert names(attributeName="k", thingTypeName="y") == ["c"]
    assert names(attributeName="l") == []


@pytest.mark.parametrize("members", [
    {"maxResults": 0}, {"maxResults": 251}, {"nextToken": "zz"}, {"nextToken": ""},
    {"nextToken": "00"}, {"nextToken": "61" * 129}, {"pageSize": 5},
    {"attributeValue": "a"}, {"usePrefixAttributeValue": 1}, {"attributeName": ""},
])
def test_constraints_of_listing(admin, members):
    """InvalidRequestException (aws-iot 1.6)."""
    assert refusal(admin.call, "listThings", **members).name == "InvalidRequestException"


# -- certificates of things --------------------------------------------------------

def test_attaching(admin, device):
    """By ARN or id, once or twice; then neither can be deleted (aws-iot A.6.3 to A.6.7,
    A.3.9)."""
    arn = ARN + "cert/" + device.id
    admin.create_thing("t")
    for principal in (arn, device.id):
        assert admin.call("attachThingPrincipal", thingName="t", principal=principal) == {}
    assert admin.call("listThingPrincipals", thingName="t") == {"principals": [arn]}
    assert admin.call("listPrincipalThings", principal=arn) == {"things": ["t"]}

    error = refusal(admin.call, "deleteThing", thingName="t")
    assert (error.name, error.message) == (
        "InvalidRequestException",
        "Cannot delete. Thing t is still attached to one or more principals")
    error = refusal(admin.delete_certificate, device, forceDelete=True)
    assert error.name == "DeleteConflictException"
    assert error.message.startswith("Things must be detached before deletion")
    assert device.id in error.message

    assert admin.call("detachThingPrincipal", thingName="t", principal=arn) == {}
    assert admin.call("listThingPrincipals", thingName="t") == {"principals": []}
    assert admin.call("deleteThing", thingName="t") == {}
    assert admin.delete_certificate(device) == {}


def test_exclusive_attachment(admin, device):
    """A certificate attached exclusively to one thing can be attached to no other, and one attached
    to another thing cannot become exclusive (aws-iot A.6.3)."""
    for name in ("t", "u"):
        admin.create_thing(name)
    admin.attach_thing("t", device, thingPrincipalType="EXCLUSIVE_THING")
    assert refusal(admin.attach_thing, "u", device).name == "InvalidRequestException"
    admin.call("detachThingPrincipal", thingName="t", principal=device.id)
    admin.attach_thing("t", device, thingPrincipalType="NON_EXCLUSIVE_THING")
    error = refusal(admin.attach_thing, "u", device, thingPrincipalType="EXCLUSIVE_THING")
    assert error.name == "InvalidRequestException"
    admin.attach_thing("u", device)
    assert admin.call("listPrincipalThings", principal=device.id) == {"things": ["t", "u"]}


@pytest.mark.parametrize("principal", ["x", ARN + "thing/t", ARN + "cacert/" + NOWHERE,
                                       "arn:aws:iot:local:123456789012:cert/" + NOWHERE])
@pytest.mark.parametrize("command", ["attachThingPrincipal", "detachThingPrincipal",
                                     "listPrincipalThings"])
def test_invalid_principals(admin, command, principal):
    """InvalidRequestException with the expected form (aws-iot A.6.3)."""
    members = {} if command == "listPrincipalThings" else {"thingName": "t"}
    error = refusal(admin.call, command, principal=principal, **members)
    assert error.name == "InvalidRequestException"
    assert ARN + "cert/<certificateId>" in error.message


def test_principal_that_is_not_there(admin):
    """ResourceNotFoundException (aws-iot A.6.3 to A.6.6)."""
    admin.create_thing("t")
    for command, members in (("attachThingPrincipal", {"thingName": "t"}),
                             ("detachThingPrincipal", {"thingName": "t"}),
                             ("listPrincipalThings", {})):
        error = refusal(admin.call, command, principal=NOWHERE, **members)
        assert error.name == "ResourceNotFoundException"


def test_invalid_kind_of_attachment(admin, device):
    """InvalidRequestException in AWS's words (aws-iot 1.5, A.6.3)."""
    admin.create_thing("t")
    error = refusal(admin.attach_thing, "t", device, thingPrincipalType="EXCLUSIVE")
    assert error.name == "InvalidRequestException"
    assert error.message.endswith("enum value set: [EXCLUSIVE_THING, NON_EXCLUSIVE_THING]")


def test_attachments_are_listed_in_pages(admin, pki, factory):
    """(aws-iot A.6.5, A.6.6)"""
    devices = [pki.device("d%d" % n, issuer=factory) for n in range(3)]
    admin.register_certificates(devices)
    for name in ("t", "u", "v"):
        admin.create_thing(name)
        admin.attach_thing(name, devices[0])
    for device in devices[1:]:
        admin.attach_thing("t", device)
    arns = sorted(ARN + "cert/" + d.id for d in devices)
    assert list(admin.pages("listThingPrincipals", "principals", thingName="t",
                            maxResults=2)) == [arns[:2], arns[2:]]
    assert list(admin.pages("listPrincipalThings", "things", principal=devices[0].id,
                            maxResults=2)) == [["t", "u"], ["v"]]
