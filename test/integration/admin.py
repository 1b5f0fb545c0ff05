# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""An administrator: sends requests on the control topic and gets the answers."""
import itertools
import json
import os

CONTROL = "$CONTROL/jitr/v1"
RESPONSE = "$CONTROL/jitr/v1/response"
EVENTS = "$aws/events/certificates/registered/"

# Users of the plain listener.
ADMIN, BYSTANDER, PASSWORD = "admin", "bystander", "not a secret"

_numbers = itertools.count(1)

# In a broker that runs in a program such as valgrind a request may take longer than it may, at
# first more often than later; it has changed nothing then.
ATTEMPTS = 5 if os.environ.get("JITR_BROKER_WRAPPER") else 1
TOO_LONG = "The request takes too long"


class AwsError(Exception):
    """A request that was refused, with AWS's error."""

    def __init__(self, answer):
        super().__init__("%s: %s" % (answer["error"], answer["message"]))
        self.name = answer["error"]
        self.message = answer["message"]
        self.answer = answer


def resource(thing):
    """The id of a certificate; an id is returned unchanged."""
    return getattr(thing, "id", thing)


def given(**members):
    return {name: value for name, value in members.items() if value is not None}


class Admin:
    def __init__(self, broker, session):
        self.broker = broker
        self.session = session

    # -- requests ------------------------------------------------------------

    def send(self, payload, **how):
        """Send a payload of any form and return the answer."""
        self.session.publish(CONTROL, payload, **how)
        message = self.session.next_message()
        assert message.topic == RESPONSE
        return json.loads(message.payload)["responses"]

    def request(self, *commands):
        """Send several commands at once and return their answers in order."""
        return self.send(json.dumps({"commands": commands}))

    def call(self, command, **members):
        """Send one command and return the data of its answer; AwsError if it is refused. A caller
        without rights gets an error that names no command."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._call(command, members)
            except AwsError as error:
                if TOO_LONG not in error.message:
                    raise
        return self._call(command, members)

    def _call(self, command, members):
        correlation = str(next(_numbers))
        answers = self.request({"command": command, "correlationData": correlation, **members})
        assert len(answers) == 1
        answer = answers[0]
        if set(answer) == {"error", "message"}:
            raise AwsError(answer)
        assert (answer["command"], answer["correlationData"]) == (command, correlation)
        assert ("data" in answer) != ("error" in answer)
        if "error" in answer:
            raise AwsError(answer)
        return answer["data"]

    # -- the operations, by their names ------------------------------------------

    def registration_code(self):
        return self.call("getRegistrationCode")["registrationCode"]

    def delete_registration_code(self):
        return self.call("deleteRegistrationCode")

    def register_ca(self, ca, *, active=True, auto_registration=True, verification=None,
                    mode=None, **members):
        """Register a CA with proof of possession, unless the mode has none."""
        if verification is None and mode != "SNI_ONLY":
            verification = self.broker.pki.verification(ca, self.registration_code())
        return self.call("registerCACertificate", caCertificate=getattr(ca, "pem", ca),
                         **given(verificationCertificate=verification, setAsActive=active,
                                 allowAutoRegistration=auto_registration, certificateMode=mode),
                         **members)

    def update_ca(self, ca, *, status=None, auto_registration=None, **members):
        return self.call("updateCACertificate", certificateId=resource(ca),
                         **given(newStatus=status, newAutoRegistrationStatus=auto_registration),
                         **members)

    def describe_ca(self, ca):
        self.settle()
        return self.call("describeCACertificate",
                         certificateId=resource(ca))["certificateDescription"]

    def delete_ca(self, ca):
        return self.call("deleteCACertificate", certificateId=resource(ca))

    def register_certificate(self, device, **members):
        return self.call("registerCertificate", certificatePem=getattr(device, "pem", device),
                         **members)

    def register_certificate_without_ca(self, device, **members):
        return self.call("registerCertificateWithoutCA",
                         certificatePem=getattr(device, "pem", device), **members)

    def update_certificate(self, device, status):
        return self.call("updateCertificate", certificateId=resource(device), newStatus=status)

    def settle(self):
        """Returns when all changes requested so far are done: changes are made in order, and this
        is one."""
        self.registration_code()

    def describe_certificate(self, device):
        self.settle()
        return self.call("describeCertificate",
                         certificateId=resource(device))["certificateDescription"]

    def delete_certificate(self, device, **members):
        return self.call("deleteCertificate", certificateId=resource(device), **members)

    def create_policy(self, name, document, **members):
        return self.call("createPolicy", policyName=name, policyDocument=document, **members)

    def create_version(self, name, document, **members):
        return self.call("createPolicyVersion", policyName=name, policyDocument=document,
                         **members)

    def attach_policy(self, name, device):
        return self.call("attachPolicy", policyName=name, target=resource(device))

    def detach_policy(self, name, device):
        return self.call("detachPolicy", policyName=name, target=resource(device))

    def policies(self):
        return [p for page in self.pages("listPolicies", "policies") for p in page]

    def attached_policies(self, device):
        return [p for page in self.pages("listAttachedPolicies", "policies",
                                         target=resource(device)) for p in page]

    def create_thing(self, name, **members):
        return self.call("createThing", thingName=name, **members)

    def attach_thing(self, name, device, **members):
        return self.call("attachThingPrincipal", thingName=name, principal=resource(device),
                         **members)

    def pages(self, command, entries="certificates", **members):
        """All pages of a list, following the markers or tokens."""
        self.settle()
        pages, place = [], {}
        while True:
            data = self.call(command, **{**members, **place})
            pages.append(data[entries])
            place = {ours: data[theirs] for ours, theirs in
                     (("marker", "nextMarker"), ("nextToken", "nextToken")) if data.get(theirs)}
            if not place:
                return pages
            assert len(pages) < 1000, "the list does not end"

    def ids(self, command="listCertificates", **members):
        return [entry["certificateId"] for page in self.pages(command, **members)
                for entry in page]

    # -- many at once ------------------------------------------------------------

    def _request_in_parts(self, commands, size):
        for start in range(0, len(commands), size):
            for answer in self.request(*commands[start:start + size]):
                if "error" in answer:
                    raise AwsError(answer)

    def register_cas(self, cas, size=9, **members):
        """Register CAs in order, several in a request: those of one request have one creation
        date."""
        code = self.registration_code()
        self._request_in_parts([
            {"command": "registerCACertificate", "caCertificate": ca.pem,
             "verificationCertificate": self.broker.pki.verification(ca, code), **members}
            for ca in cas], size)

    def register_certificates(self, devices, size=9, **members):
        """The same for devices."""
        self._request_in_parts([
            {"command": "registerCertificate", "certificatePem": device.pem, **members}
            for device in devices], size)

    # -- what a test says often --------------------------------------------------

    def status(self, device):
        """The status of a certificate; None: it is not registered."""
        try:
            return self.describe_certificate(device)["status"]
        except AwsError as e:
            assert e.name == "ResourceNotFoundException"
            return None

    def activate(self, device):
        """Register a device by command as ACTIVE, so that it is admitted at once."""
        self.register_certificate(device, status="ACTIVE")
        return device

    def listen(self, topic, **how):
        """A separate session that receives the messages on this topic."""
        session = self.broker.admin(**how).session
        assert session.subscribe(topic)
        return session

    def listen_to_events(self, ca=None, **how):
        return self.listen(EVENTS + (ca.id if ca else "+"), **how)
