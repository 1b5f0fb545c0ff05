# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Certificates that expire soon are announced: with expiring_days N, each of them once, N days
before the end."""
import datetime
import json
import time

import pytest
from cryptography import x509

from pki import new_key
from wait import until

EXPIRING = "$aws/events/certificates/expiring/"
DAY = 86400


class Calendar:
    """A broker that announces expiry in advance, and a client with a persistent session that
    receives the events."""

    def __init__(self, broker):
        self.broker, self.pki = broker, broker.pki
        self.admin = broker.admin()
        self.ca = self.pki.ca("factory")
        self.admin.register_ca(self.ca)
        self.heard = set()
        self._subscribe()

    def _subscribe(self):
        self.rule = self.admin.listen(EXPIRING + "#", client_id="rule", clean=False)

    def restart(self, days):
        """Restart the broker with another value of the option; None: without it."""
        self.rule.leave()
        self.broker.options["expiring_days"] = days
        self.broker.restart()
        self.admin = self.broker.admin()
        self._subscribe()

    def device(self, days, name="d1", status="ACTIVE", issuer=None):
        """Registered; it expires in so many days."""
        device = self.pki.device(name, issuer=issuer or self.ca, days=(-1, days))
        self.admin.register_certificate(device, status=status)
        return device

    def next_message(self):
        """A restart may repeat an event that was just published: with the same bytes, the time
        at which it was announced among them (event.h)."""
        while True:
            message = self.rule.next_message()
            if message.payload not in self.heard:
                self.heard.add(message.payload)
                return message

    def next(self, device, ca="its own"):
        """The next event is that of this device."""
        message = self.next_message()
        event = json.loads(message.payload)
        ca = device.issuer if ca == "its own" else ca
        assert message.topic == EXPIRING + (ca.id if ca else "none")
        assert (message.qos, message.retain) == (1, False)
        assert event["certificateId"] == device.id
        assert event["caCertificateId"] == (ca.id if ca else None)
        return event

    def assert_silent(self):
        """Nothing else was announced: the next event is that of a device made for this check. It
        expires soon, so all other due events come before it."""
        self.next(self.device(0.25, name="canary"))


def not_after(device):
    """In milliseconds since 1970."""
    end = x509.load_pem_x509_certificate(device.pem.encode()).not_valid_after
    return round(end.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


@pytest.fixture
def make_calendar(start_broker):
    return lambda days, **plugin: Calendar(start_broker(plugin={"expiring_days": days, **plugin}))


# -- what is announced -------------------------------------------------------------

def test_event_says_which_certificate_expires_when(make_calendar):
    """The members that all events of certificates have, and the end of its validity; the topic
    is that of its CA."""
    calendar = make_calendar(30, account_id="123456789012")
    before = time.time() * 1000 - 1
    device = calendar.device(10)
    event = calendar.next(device)

    assert type(event["timestamp"]) is int
    assert before <= event.pop("timestamp") <= time.time() * 1000 + 1
    assert list(event.items()) == [
        ("certificateId", device.id), ("caCertificateId", calendar.ca.id),
        ("certificateStatus", "ACTIVE"), ("awsAccountId", "123456789012"),
        ("notAfter", not_after(device))]


def test_certificate_that_a_first_connection_registers(make_calendar, pki):
    """However it came into the registry, and while it waits for activation."""
    calendar = make_calendar(30)
    device = pki.device("d1", issuer=calendar.ca, days=(-1, 10))
    assert calendar.broker.connect(device).refused
    assert calendar.next(device)["certificateStatus"] == "PENDING_ACTIVATION"
    calendar.assert_silent()


def test_certificate_without_a_ca(make_calendar, pki):
    """One that was registered by itself has no CA to be announced under."""
    calendar = make_calendar(30)
    device = pki.device("d1", issuer=pki.ca("stranger"), days=(-1, 10))
    calendar.admin.register_certificate_without_ca(device, status="ACTIVE")
    calendar.next(device, ca=None)


def test_announced_once(make_calendar):
    """Neither a restart nor a new value of the option nor a change of its status announces a
    certificate again."""
    calendar = make_calendar(30)
    device = calendar.device(10)
    calendar.next(device)
    calendar.restart(30)
    calendar.assert_silent()
    calendar.restart(60)
    calendar.admin.update_certificate(device, "INACTIVE")
    calendar.admin.update_certificate(device, "ACTIVE")
    calendar.assert_silent()


def test_announced_when_the_time_comes(make_calendar):
    """Not when it is registered, but so many days before its end, while the broker runs."""
    calendar = make_calendar(1)
    later = calendar.device(1 + 2 / DAY)

    event = calendar.next(later)
    assert event["timestamp"] >= not_after(later) - DAY * 1000


def test_announced_as_the_option_says_at_the_start(make_calendar):
    """Without the option nothing is announced; with it, all due certificates are, in the order of
    expiry, under the CA of each; with a greater value, those due by that are too."""
    calendar = make_calendar(None)
    other = calendar.pki.ca("other factory")
    calendar.admin.register_ca(other)
    far = calendar.device(50, name="far")
    third = calendar.device(20, name="third")
    first = calendar.device(5, name="first", issuer=other)
    second = calendar.device(10, name="second")
    calendar.restart(None)  # at its first look it would announce what is due
    calendar.admin.settle()
    began = time.time() * 1000 - 1

    calendar.restart(30)
    for device in (first, second, third):
        assert calendar.next(device)["timestamp"] >= began
    calendar.assert_silent()
    calendar.restart(60)
    calendar.next(far)


@pytest.mark.parametrize("value", ["0", None])
def test_off_is_the_default(make_calendar, value):
    """With 0, and without the option, nothing is announced, however near the end."""
    calendar = make_calendar(value)
    calendar.device(0.5)
    calendar.restart(value)
    calendar.admin.settle()
    began = time.time() * 1000 - 1

    calendar.restart(1)
    assert json.loads(calendar.next_message().payload)["timestamp"] >= began


# -- certificates without a warning -----------------------------------------------------

def test_only_usable_certificates_are_announced(make_calendar):
    """No warning is given of a certificate that is revoked, deleted or expired; an inactive one may
    be made active again."""
    calendar = make_calendar(None)
    expired = calendar.device(3 / DAY, name="expired")
    inactive = calendar.device(3, name="inactive", status="INACTIVE")
    revoked = calendar.device(1, name="revoked")
    deleted = calendar.device(2, name="deleted", status="INACTIVE")
    last = calendar.device(4, name="last")
    calendar.admin.update_certificate(revoked, "REVOKED")
    calendar.admin.delete_certificate(deleted)
    until(lambda: time.time() * 1000 > not_after(expired), "a certificate to expire")

    calendar.restart(30)
    assert calendar.next(inactive)["certificateStatus"] == "INACTIVE"
    calendar.next(last)
    calendar.assert_silent()


def test_more_than_are_announced_at_once(make_calendar, pki):
    """A whole fleet that expires is announced in the order of expiry, each once, in several
    transactions."""
    calendar = make_calendar(None)
    key = new_key()
    fleet = [pki.device("d%d" % n, issuer=calendar.ca, days=(-1, 10 + n / 100), key=key)
             for n in range(510)]
    calendar.admin.register_certificates(list(reversed(fleet)))

    calendar.restart(30)
    for device in fleet:
        calendar.next(device)
    calendar.assert_silent()
