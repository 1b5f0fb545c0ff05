# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Resumed TLS sessions: the library verifies nothing, so the plugin has to notice later changes
(mosquitto section 0, 16)."""
import contextlib
import ssl
import time

import pytest

import raw
from device import MQTT_3_1_1, NOT_AUTHORISED
from trust import trusted
from wait import until

TLS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
                              ids=["TLS 1.2", "TLS 1.3"])
ACCEPTED, REFUSED = 0, NOT_AUTHORISED[MQTT_3_1_1]
SOON = 6 / 86400  # days: long enough to connect twice before


class Resumer:
    """A device that keeps the ticket of its first connection."""

    def __init__(self, broker, device, version):
        self.broker = broker
        self.device = device
        self._context = device.tls(broker.pki, version)
        self._session = None

    def connect(self):
        """The code in CONNACK; with TLS 1.3 the ticket comes before it. None: TLS refuses."""
        with contextlib.closing(raw.tls_socket(self.broker, self.device, context=self._context,
                                               session=self._session)) as s:
            self.resumed = s.session_reused
            s.sendall(raw.connect_packet(self.device.client_id))
            try:
                answer = s.recv(64)
            except OSError:
                return None
            self._session = s.session
            return answer[3] if answer[:1] == b"\x20" else None


@TLS
@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_certificate_deactivated_since(broker, pki, admin, factory, version, status):
    """Its session is resumed, and its CONNECT is refused."""
    device = admin.activate(pki.device("d1", issuer=factory))
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    assert (resumer.connect(), resumer.resumed) == (ACCEPTED, True)

    admin.update_certificate(device, status)
    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)


@TLS
def test_certificate_deleted_since(broker, pki, admin, factory, version):
    """It is as if it came for the first time."""
    device = admin.activate(pki.device("d1", issuer=factory))
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    admin.update_certificate(device, "INACTIVE")
    admin.delete_certificate(device)

    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)
    assert admin.status(device) == "PENDING_ACTIVATION"


@TLS
def test_ca_deactivated_since(broker, pki, admin, factory, version):
    """No further device is registered, with or without a session ticket."""
    device = admin.activate(pki.device("d1", issuer=factory))
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    admin.update_certificate(device, "INACTIVE")
    admin.delete_certificate(device)
    admin.update_ca(factory, status="INACTIVE")

    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)
    assert admin.status(device) is None
    broker.wait_for_log("connection refused", "CA_CERTIFICATE_INACTIVE", device.id)


@TLS
def test_ca_deleted_since(broker, pki, admin, factory, version):
    """The broker's TLS still trusts the CA, and so do tickets: the plugin does not."""
    device = admin.activate(pki.device("d1", issuer=factory))
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    admin.update_certificate(device, "INACTIVE")
    admin.delete_certificate(device)
    admin.update_ca(factory, status="INACTIVE")
    admin.delete_ca(factory)
    until(lambda: trusted(broker, factory) == [], "its file to go")

    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)
    assert admin.status(device) is None
    broker.wait_for_log("connection refused", "CA_CERTIFICATE_NOT_REGISTERED", device.id)


class Expiry:
    """The end of a certificate's validity."""

    def __init__(self):
        self.days = (-1, SOON)
        self._end = time.time() + SOON * 86400

    def wait(self):
        """Wait until the end of validity. Dates have full seconds, and the last one is included."""
        until(lambda: time.time() > self._end + 1.2, "the end of a validity", timeout=20)


@TLS
def test_certificate_expired_since(broker, pki, admin, factory, version):
    """The dates of a certificate are checked for a resumed session (RFC 5280 6.1.3 (a)(2))."""
    expiry = Expiry()
    device = admin.activate(pki.device("d1", issuer=factory, days=expiry.days))
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    expiry.wait()

    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)
    broker.wait_for_log("connection refused", "CERTIFICATE_EXPIRED", device.id)


@TLS
def test_ca_expired_since(broker, pki, admin, version):
    """So do those of its CA: a full handshake refuses it, and the plugin a resumed session."""
    expiry = Expiry()
    ca = pki.ca("short-lived", days=expiry.days)
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca))
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    assert (resumer.connect(), resumer.resumed) == (ACCEPTED, True)
    expiry.wait()

    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)
    broker.wait_for_log("connection refused", "CA_CERTIFICATE_NOT_VALID", device.id)
    with pytest.raises(OSError):
        assert Resumer(broker, device, version).connect() is None
        raise ConnectionError("TLS refuses without a word")


@TLS
def test_sub_ca_expired_since(broker, pki, admin, version):
    """The registered CA may be below another one that is valid for years."""
    expiry = Expiry()
    root = pki.ca("root")
    ca = pki.ca("short-lived sub-CA", parent=root, days=expiry.days)
    admin.register_ca(root)
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca).with_chain(ca))
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    expiry.wait()

    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)


@TLS
def test_ca_of_a_certificate_registered_without_one_expired_since(broker, pki, admin, version):
    """Its CA is known by name and signature, though it was registered without one."""
    expiry = Expiry()
    ca = pki.ca("short-lived", days=expiry.days)
    admin.register_ca(ca)
    device = pki.device("d1", issuer=ca)
    admin.register_certificate_without_ca(device, status="ACTIVE")
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    expiry.wait()

    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)


@TLS
def test_ca_deleted_and_expired_since(broker, pki, admin, version):
    """Certificates of a deleted CA keep working until the end of its validity."""
    expiry = Expiry()
    ca = pki.ca("short-lived", days=expiry.days)
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca))
    resumer = Resumer(broker, device, version)
    admin.update_ca(ca, status="INACTIVE")
    admin.delete_ca(ca)
    assert resumer.connect() == ACCEPTED
    expiry.wait()

    assert (resumer.connect(), resumer.resumed) == (REFUSED, True)


@TLS
def test_ca_expired_since_that_was_renewed(broker, pki, admin, version):
    """A CA certificate with the same key and name replaces the expired one."""
    expiry = Expiry()
    old = pki.ca("renewed", days=expiry.days)
    new = pki.ca("renewed", key=old.key)
    for ca in (old, new):
        admin.register_ca(ca)
    device = pki.device("d1", issuer=old)
    admin.register_certificate(device, caCertificatePem=old.pem, status="ACTIVE")
    resumer = Resumer(broker, device, version)
    assert resumer.connect() == ACCEPTED
    expiry.wait()

    assert (resumer.connect(), resumer.resumed) == (ACCEPTED, True)


@TLS
def test_connected_when_its_ca_expires(broker, pki, admin, version):
    """Expiry is checked for new connections: a connected client stays."""
    expiry = Expiry()
    ca = pki.ca("short-lived", days=expiry.days)
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca))
    with contextlib.closing(raw.tls_socket(broker, device,
                                           context=device.tls(broker.pki, version))) as s:
        s.sendall(raw.connect_packet("d1"))
        assert s.recv(4)[3:] == b"\0"
        expiry.wait()
        admin.create_policy("any", '{"Version": "2012-10-17", "Statement": []}')
        admin.settle()
        s.sendall(b"\xc0\0")
        assert s.recv(2) == b"\xd0\0"
