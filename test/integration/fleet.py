# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Devices of a CA with a rule or a template, and their records."""
import itertools
import json

import der
from admin import CONTROL
from policies import Policies, Site
from provisioning import ROLE

REGISTERED = "$aws/events/certificates/registered/"
FAILED = "$aws/events/certificates/provisioning_failed/"

_numbers = itertools.count(1)


# Of a subject, by the names that they have in rules.
ATTRIBUTES = {"DistinguishedNameQualifier": "2.5.4.46", "Country": "2.5.4.6",
              "Organization": "2.5.4.10", "OrganizationalUnit": "2.5.4.11", "State": "2.5.4.8",
              "CommonName": der.COMMON_NAME, "SerialNumber": "2.5.4.5", "Title": "2.5.4.12",
              "Surname": "2.5.4.4", "GivenName": "2.5.4.42", "Initials": "2.5.4.43",
              "Pseudonym": "2.5.4.65", "GenerationQualifier": "2.5.4.44"}


def subject(*attributes, **more):
    """Options of a certificate with these attributes in its subject: (kind, text) each."""
    pairs = [*attributes, *more.items()]
    return {"subject": der.name(*((ATTRIBUTES[kind], text) for kind, text in pairs))}


def rule(**members):
    return json.dumps(members)


def ask_without_waiting(fleet, command, **members):
    """Send a change that the broker has received and not yet stored."""
    session = fleet.broker.admin().session
    session.publish(CONTROL, json.dumps({"commands": [{"command": command, **members}]}))
    return session


class Fleet(Site):
    """Devices that are unknown before they connect. Their names are unique to this fleet, so that
    several may share a broker."""

    def __init__(self, broker, ca=None, **members):
        super().__init__(broker, ca or broker.pki.ca("fleet %d" % next(_numbers)), **members)
        self.listen()

    def listen(self):
        self.call = self.admin.call
        self.policies = Policies(self.admin)
        self.events = self.admin.listen("$aws/events/certificates/+/" + self.ca.id)

    def restart(self):
        super().restart()
        self.listen()

    # -- what the CA says ------------------------------------------------------------

    def set_rule(self, **members):
        self.admin.update_ca(self.ca, activation=rule(**members))

    def set_template(self, body):
        self.admin.update_ca(self.ca, registrationConfig={"templateBody": body, "roleArn": ROLE})

    def create_template(self, body, name=None, enabled=True):
        """Create a template and return its name."""
        name = name or "template-%d" % next(_numbers)
        self.call("createProvisioningTemplate", templateName=name, type="JITP", enabled=enabled,
                  templateBody=body, provisioningRoleArn=ROLE)
        return name

    def use_template(self, name):
        self.admin.update_ca(self.ca, registrationConfig={"templateName": name})

    # -- devices -----------------------------------------------------------------------

    def fresh(self, name=None, **how):
        """A device that has never connected."""
        return self.pki.device(name or "d%d" % next(_numbers), issuer=self.ca, **how)

    def admits(self, device, **how):
        """Connect the device, which must be admitted; returns the session."""
        session = self.broker.connect(device, **how)
        assert session.accepted, (session.code, self.broker.log()[-2000:])
        return session

    def refuses(self, device, **how):
        """Connect the device, which must be refused; checks code and text on its record."""
        assert self.broker.connect(device, **how).refused
        refusal = self.description(device)["lastRefusal"]
        return refusal["reason"], refusal["details"]

    # -- what became of them ---------------------------------------------------------------

    def description(self, device):
        return self.admin.describe_certificate(device)

    def status(self, device):
        return self.admin.status(device)

    def reason(self, device):
        """The reason for the status on its record."""
        return self.description(device)["statusReason"]["details"]

    def attached(self, device):
        return sorted(p["policyName"] for p in self.admin.attached_policies(device))

    def things(self, device):
        self.admin.settle()
        return self.call("listPrincipalThings", principal=device.id)["things"]

    def thing(self, name):
        return self.call("describeThing", thingName=name)

    def event(self, kind=REGISTERED):
        """The next event of the CA, which must be of this kind."""
        message = self.events.next_message()
        assert message.topic == kind + self.ca.id
        return json.loads(message.payload)

    def no_more_events(self):
        self.admin.settle()
        assert self.events.received() == []

    def explain(self, device, **members):
        """What explain says of a connection from this address."""
        asked = {"clientId": device.client_id, "sourceIp": "127.0.0.1", **members}
        return self.call("explain", certificatePem=device.pem, **asked)
