# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The members of the registration event beyond AWS's, with event_details true: enough for an
activation program to decide without further requests, for any content of the certificate."""
import datetime
import json

import pytest
from cryptography import x509

import der
from revocation import revocation_list, serial_of

# event.h: the event's own part, and all details together.
LARGEST_EVENT = 4096 + 80 * 1024

AWS_MEMBERS = ["certificateId", "caCertificateId", "timestamp", "certificateStatus",
               "awsAccountId", "certificateRegistrationTimestamp"]
DETAILS = {"validity", "serialNumber", "clientId", "sourceIp", "reason", "subject",
           "alternativeNames", "certificatePem"}


class Activator:
    """Receives the events of one CA."""

    def __init__(self, broker):
        self.broker, self.pki = broker, broker.pki
        self.admin = broker.admin()
        self.ca = self.pki.ca("factory")
        self.admin.register_ca(self.ca)
        self.events = self.admin.listen_to_events(self.ca)

    def message(self, device, **how):
        """The bytes of the event of a device that connects, and is refused."""
        assert self.broker.connect(device, **how).refused
        return self.events.next_message().payload

    def event(self, device, **how):
        """The next event as JSON, which has a limited size."""
        payload = self.message(device, **how)
        assert len(payload) <= LARGEST_EVENT
        event = json.loads(payload.decode("utf-8"))
        assert list(event)[:len(AWS_MEMBERS)] == AWS_MEMBERS
        assert event["certificateId"] == device.id
        return event

    def event_of(self, **how):
        """Of a new device like this."""
        return self.event(self.pki.device("d1", issuer=self.ca, **how))


@pytest.fixture
def activator(start_broker):
    return Activator(start_broker(plugin={"event_details": "true", "announce_interval": 0}))


def ms(moment):
    """Milliseconds since 1970 of a time in UTC without a zone."""
    return round(moment.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


# -- off ---------------------------------------------------------------------------

@pytest.mark.parametrize("options", [{}, {"event_details": "false"}], ids=["default", "false"])
def test_without_the_option_events_are_aws_to_the_byte(start_broker, pki, options):
    """Members, their order, no blanks: a program that reads AWS's events reads these
    (aws-iot D.3)."""
    activator = Activator(start_broker(plugin=options))
    device = pki.device("d1", issuer=activator.ca)

    payload = activator.message(device).decode()
    assert payload == (
        '{"certificateId":"%s","caCertificateId":"%s","timestamp":%d,'
        '"certificateStatus":"PENDING_ACTIVATION","awsAccountId":"000000000000",'
        '"certificateRegistrationTimestamp":null}'
        % (device.id, activator.ca.id, json.loads(payload)["timestamp"]))


def test_with_the_option_aws_members_come_first_and_unchanged(activator, pki):
    """Details follow AWS's members, which are the same byte for byte (aws-iot D.3)."""
    device = pki.device("d1", issuer=activator.ca)

    payload = activator.message(device).decode()
    event = json.loads(payload)
    aws = json.dumps({name: event[name] for name in AWS_MEMBERS}, separators=(",", ":"))
    assert payload.startswith(aws[:-1] + ",")
    assert set(event) == {*AWS_MEMBERS, *DETAILS}


# -- on ----------------------------------------------------------------------------

def test_details_are_those_of_the_certificate_and_its_connection(activator, pki):
    """Each member has the value that the certificate has, for names of all kinds, and that the
    connection had."""
    names = [("DNS", "d1.plant.example"), ("DNS", "*.d1.example"),
             ("URI", "https://example.com/devices?id=1&kind=a+b"), ("URI", "urn:dev:mac:0024"),
             ("IP", "192.0.2.7"), ("IP", "2001:db8::7"), ("email", "d1@example.com")]
    device = pki.device("d1", issuer=activator.ca, extensions=[der.general_names(*names)],
                        serial=0x123456789ABCDEF0123456789)
    certificate = x509.load_pem_x509_certificate(device.pem.encode())

    event = activator.event(device, client_id="client 1")
    assert {name: event[name] for name in DETAILS - {"alternativeNames"}} == {
        "certificatePem": device.pem,
        "subject": "CN=d1,O=Example Corp",
        "serialNumber": str(0x123456789ABCDEF0123456789),
        "validity": {"notBefore": ms(certificate.not_valid_before),
                     "notAfter": ms(certificate.not_valid_after)},
        "clientId": "client 1",
        "sourceIp": "127.0.0.1",
        "reason": "registered now, waits for activation",
    }
    assert sorted(event["alternativeNames"]) == sorted("%s:%s" % name for name in names)


def test_certificate_without_alternative_names(activator):
    """Has an empty list of them: a program need not ask whether there is one."""
    assert activator.event_of()["alternativeNames"] == []


def test_each_attempt_has_the_details_of_its_own(activator, pki):
    """A pending device connects again from another address with another client id: the event is
    about that connection, and says that it is not the first."""
    device = pki.device("d1", issuer=activator.ca)
    first = activator.event(device, client_id="first")
    again = activator.event(device, client_id="again", source="127.0.0.2")

    assert (first["clientId"], first["sourceIp"]) == ("first", "127.0.0.1")
    assert (again["clientId"], again["sourceIp"]) == ("again", "127.0.0.2")
    assert again["reason"] == "waits for activation"
    assert again["certificateRegistrationTimestamp"] is not None
    assert again["certificatePem"] == device.pem


def test_reason_says_why_a_new_certificate_is_revoked(activator, pki):
    """A certificate on the list of its CA is registered as REVOKED, and the event has the
    reason."""
    device = pki.device("d1", issuer=activator.ca)
    activator.admin.call("importCrl", caCertificateId=activator.ca.id,
                         crl=revocation_list(activator.ca, device))

    event = activator.event(device)
    assert event["certificateStatus"] == "REVOKED"
    assert event["reason"] == "on the revocation list of its CA"
    assert event["serialNumber"] == str(serial_of(device))


def test_details_wait_with_their_event_for_a_restart(start_broker, pki):
    """An event that could not be delivered before the end of the broker is published by the next
    one unchanged, whatever the option is by then."""
    broker = start_broker(plugin={"event_details": "true"})
    activator = Activator(broker)
    activator.admin.listen_to_events(activator.ca, client_id="rule", clean=False).leave()
    device = pki.device("d1", issuer=activator.ca)
    before = activator.message(device)
    broker.options["event_details"] = "false"
    broker.restart()

    rule = broker.admin(client_id="rule", clean=False).session
    assert rule.next_message().payload == before


# -- hostile certificates ------------------------------------------------------------

def attribute(body, tag=0x0C, kind=der.COMMON_NAME):
    """One attribute of a name, of any type of string, with these bytes."""
    return der.tlv(0x31, der.sequence(der.oid(kind), der.tlv(tag, body)))


def common_name(body, tag=0x0C):
    return der.sequence(attribute(body, tag))


@pytest.mark.parametrize("text, shown", [
    ('"}, "certificateStatus": "ACTIVE", "x": "', r'CN=\"}\, \"certificateStatus\": \"ACTIVE\"\, '
                                                 r'\"x\": \"'),
    ("a\nb\r\tc\x1b[2J", r"CN=a\0Ab\0D\09c\1B[2J"),
    ("a\\b", r"CN=a\\b"),
    ("gerät é \U0001f600", "CN=gerät é \U0001f600"),
    ("a\u2028b\u0085c", "CN=a\u2028b\u0085c"),
    ("a\0b", r"CN=a\00b"),
    ("x" * 40000, ("CN=" + "x" * 40000)[:1023]),
    ("é" * 600, None),
], ids=["quotes", "control characters", "backslash", "beyond ASCII", "line separators", "NUL",
        "40 kB", "cut within a character"])
def test_hostile_subject(activator, pki, text, shown):
    """For any subject the event is JSON with the subject as in RFC 2253, up to a kilobyte, and
    nothing else."""
    event = activator.event_of(subject=common_name(text.encode()))

    assert event["certificateStatus"] == "PENDING_ACTIVATION"
    if shown is not None:
        assert event["subject"] == shown
    assert len(event["subject"].encode()) <= 1026
    assert event["reason"] and event["clientId"] == "d1" and event["validity"]


@pytest.mark.parametrize("body, tag", [
    (b"\0d\xff\xfe1", 0x03), (der.integer(1), 0x30), (b"\xc0\xaf", 0x14),
], ids=["bit string", "sequence", "T61 bytes"])
def test_subject_that_is_no_text_leaves_the_rest(activator, pki, body, tag):
    """A name of a type that cannot be read as text is left out of the event; the device, its
    address and the certificate itself are in it."""
    device = pki.device("d1", issuer=activator.ca, subject=common_name(body, tag))

    event = activator.event(device)
    assert event["certificatePem"] == device.pem
    assert (event["clientId"], event["sourceIp"]) == ("d1", "127.0.0.1")
    assert event["validity"] and event["reason"]


@pytest.mark.parametrize("kind, body, shown", [
    ("DNS", b"good.example\0.evil.example", "DNS:good.example\0.evil.example"),
    ("DNS", b'a","DNS:b', 'DNS:a","DNS:b'),
    ("DNS", b"a\nb", "DNS:a\nb"),
    ("URI", b"urn:\xe4\xff", "URI:urn:\u00e4\u00ff"),
    ("email", b"a\\b@example.com", "email:a\\b@example.com"),
], ids=["NUL", "quote", "newline", "not ASCII", "backslash"])
def test_hostile_alternative_name(activator, kind, body, shown):
    """An alternative name is one complete element of the list, with every byte of it: it cannot be
    taken for a shorter name."""
    event = activator.event_of(extensions=[der.general_names((kind, body))])

    assert event["alternativeNames"] == [shown]


def test_many_and_long_alternative_names(activator):
    """Of thousands of names five of each kind are in the event, and none longer than half a
    kilobyte: the event stays small, and the certificate in it has all names."""
    names = [("DNS", "n%d.example" % n) for n in range(1500)] + [("URI", "urn:x:%d" % n)
                                                                for n in range(7)]
    event = activator.event_of(extensions=[der.general_names(*names)])
    assert event["alternativeNames"] == ["DNS:n%d.example" % n for n in range(5)] + [
        "URI:urn:x:%d" % n for n in range(5)]
    assert event["certificatePem"].endswith("-----END CERTIFICATE-----\n")

    event = activator.event_of(extensions=[der.general_names(("DNS", "x" * 2000), ("DNS", "y"))])
    assert event["alternativeNames"] == ["DNS:y"]


def test_largest_certificate_is_complete_in_its_event(activator, pki):
    """The event has space for a certificate of 48 kB and all other details."""
    names = [("DNS", "%s.%d" % ("n" * 400, n)) for n in range(5)]
    device = pki.device("d1", issuer=activator.ca, extensions=[der.general_names(*names)],
                        subject=common_name(b"\x01" * 45300))
    assert 47500 < len(device.der) <= 48000

    event = activator.event(device)
    assert event["certificatePem"] == device.pem
    assert len(event["alternativeNames"]) == 5
    assert set(event) == {*AWS_MEMBERS, *DETAILS}


def test_certificate_that_is_too_long_is_not_announced(activator, pki):
    """A certificate of more than 48 kB is not registered, and the refusal says so, not that it is
    pending (contract, section 9)."""
    broker = activator.broker
    device = pki.device("d1", issuer=activator.ca, subject=common_name(b"x" * 60000))

    assert broker.connect(device).refused
    broker.wait_for_log("certificate not registered", "it is too long", device.id)
    broker.wait_for_log("connection refused", "code=REGISTRATION_FAILED", device.id)
    assert activator.admin.status(device) is None
