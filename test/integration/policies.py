# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Policies in a short notation, and the devices that have them."""
import itertools
import json

import pytest

ARN = "arn:aws:iot:local:000000000000:"

_numbers = itertools.count(1)


def _names(value):
    return [value] if isinstance(value, str) else list(value)


def action(name):
    """"Publish" means iot:Publish."""
    return name if ":" in name or name == "*" else "iot:" + name


def arn(resource):
    """"topic/a" means its complete ARN."""
    return resource if resource == "*" or resource.startswith("arn:") else ARN + resource


def statement(effect, actions, resources, condition=None):
    made = {"Effect": effect, "Action": [action(a) for a in _names(actions)],
            "Resource": [arn(r) for r in _names(resources)]}
    if condition is not None:
        made["Condition"] = condition
    return made


def allow(actions, resources, condition=None):
    return statement("Allow", actions, resources, condition)


def deny(actions, resources, condition=None):
    return statement("Deny", actions, resources, condition)


CONNECT = allow("Connect", "client/*")


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Policies:
    """An administrator's commands for policies and things."""

    def __init__(self, admin):
        self.admin = admin
        self.call = admin.call

    def create(self, *statements, name=None):
        """Create a policy and return its name."""
        name = name or "policy-%d" % next(_numbers)
        self.call("createPolicy", policyName=name, policyDocument=document(*statements))
        return name

    def add_version(self, name, *statements, default=True):
        """Create a version and return its number."""
        return self.call("createPolicyVersion", policyName=name,
                         policyDocument=document(*statements),
                         setAsDefault=default)["policyVersionId"]

    def set_default(self, name, version):
        self.call("setDefaultPolicyVersion", policyName=name, policyVersionId=version)

    def attach(self, name, device):
        self.call("attachPolicy", policyName=name, target=arn("cert/" + device.id))

    def detach(self, name, device):
        self.call("detachPolicy", policyName=name, target=arn("cert/" + device.id))

    def give(self, device, *statements):
        """Create a policy for one device and return its name."""
        name = self.create(*statements)
        self.attach(name, device)
        return name

    def create_thing(self, name, **attributes):
        self.call("createThing", thingName=name, attributePayload={"attributes": attributes})
        return name

    def update_thing(self, name, **attributes):
        self.call("updateThing", thingName=name,
                  attributePayload={"attributes": attributes, "merge": True})

    def attach_thing(self, name, device):
        self.call("attachThingPrincipal", thingName=name, principal=arn("cert/" + device.id))

    def detach_thing(self, name, device):
        self.call("detachThingPrincipal", thingName=name, principal=arn("cert/" + device.id))


class Site:
    """A broker with authorization by policies, its CA, and a witness without a certificate, which
    may use all topics below t/ and receives the messages there."""

    def __init__(self, broker, ca=None, **members):
        self.broker = broker
        self.pki = broker.pki
        self.admin = broker.admin()
        self.policies = Policies(self.admin)
        self.ca = ca or self.pki.ca("factory")
        self.admin.register_ca(self.ca, **members)
        self._witness = None

    def device(self, *statements, name="d1", **how):
        """An ACTIVE device with a policy of these statements; without statements it has no
        policy."""
        device = self.admin.activate(self.pki.device(name, issuer=self.ca, **how))
        if statements:
            device.policy = self.policies.give(device, *statements)
        return device

    def connect(self, *statements, name="d1", **how):
        """Connect such a device; any client id is allowed."""
        session = self.broker.connect(self.device(CONNECT, *statements, name=name), **how)
        assert session.accepted
        return session

    @property
    def witness(self):
        if self._witness is None:
            self._witness = self.broker.bystander()
            assert self._witness.subscribe("t/#")
        return self._witness

    def heard(self):
        """The messages that the witness received: its own message, sent now, comes after all
        others."""
        marker = "marker %d" % next(_numbers)
        self.witness.publish("t/marker", marker)
        payloads = []
        while marker not in payloads:
            payloads.append(self.witness.next_message().payload.decode())
        return payloads[:-1]

    def tell(self, topic, payload, **how):
        self.witness.publish(topic, payload, **how)

    def restart(self):
        """Restart the broker, with a new administrator and a new witness."""
        self.broker.restart()
        self.admin = self.broker.admin()
        self.policies = Policies(self.admin)
        self._witness = None


@pytest.fixture
def make_site(start_broker, pki):
    """A site whose plugin has these options."""

    def make(plugin=None, **how):
        ca = pki.ca("factory")
        if "websockets" in how.get("listeners", ()):
            how["websockets_trust"] = [ca]
        options = {"authorization": "policy", "other_clients": "allow", **(plugin or {})}
        return Site(start_broker(plugin=options, **how), ca)

    return make


@pytest.fixture
def site(make_site):
    made = make_site()
    assert made.witness
    return made
