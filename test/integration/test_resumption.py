# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""TLS sessions that are resumed: the library verifies nothing then, so what has changed since
is ours to see (mosquitto 0.16)."""
import contextlib
import ssl

import pytest

import raw
from device import MQTT_3_1_1, NOT_AUTHORISED
from trust import trusted
from wait import until

TLS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
                              ids=["TLS 1.2", "TLS 1.3"])
ACCEPTED, REFUSED = 0, NOT_AUTHORISED[MQTT_3_1_1]


class Resumer:
    """A device that keeps the ticket of its first connection."""

    def __init__(self, broker, device, version):
        self.broker = broker
        self.device = device
        self._context = device.tls(broker.pki, version)
        self._session = None

    def connect(self):
        """What CONNACK says; with TLS 1.3 the ticket comes before it.  None: TLS refuses."""
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
    """Nobody is registered any more, ticket or not."""
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
    """The broker's TLS goes on trusting it, and so do tickets: the plugin does not."""
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
