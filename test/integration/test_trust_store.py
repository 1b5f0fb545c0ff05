# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""trust_store live: the running TLS listeners trust registered CAs, from the answer of the command
that registers or deletes them, without restart, signal or capath (contract, section 5)."""
import socket
import ssl
import subprocess

import pytest

from broker import DidNotStart
from device import MQTT_3_1_1, MQTT_5
from pki import Authority, new_key
from revocation import revocation_list
from trust import trust
from wait import until

LISTENERS = pytest.mark.parametrize("listener", ["tls", "websockets"])
ALL = ("plain", "tls", "websockets")


@pytest.fixture
def live(start_broker):
    """A broker with neither cafile nor capath on its TLS listeners."""
    return start_broker(plugin={"trust_store": "live"}, listeners=ALL)


def connect(broker, device, listener="tls", **how):
    """The result: "tls", refused in the handshake, "plugin", refused after it, or None."""
    session = broker.connect(device, listener=listener, **how)
    if session.accepted:
        session.leave()
        return None
    return "plugin" if session.refused else "tls"


def admit(broker, admin, ca, name="d1", **how):
    """A device of a registered CA that may connect."""
    device = broker.pki.device(name, issuer=ca, **how)
    admin.register_certificate(device, status="ACTIVE")
    return device


def take_away(admin, what):
    """A CA, or a certificate, from the registry."""
    if isinstance(what, Authority):
        admin.update_ca(what, status="INACTIVE")
        admin.delete_ca(what)
    else:
        admin.update_certificate(what, "INACTIVE")
        admin.delete_certificate(what)


# -- added and removed -----------------------------------------------------------------------

@LISTENERS
@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5])
def test_ca_is_trusted_from_its_registration_to_its_end(live, pki, listener, version):
    """Again and again, and the answer of the command is the moment."""
    admin = live.admin()
    ca = pki.ca("factory")
    device = pki.device("d1", issuer=ca)
    for _ in range(3):
        assert connect(live, device, listener, version=version) == "tls"
        admin.register_ca(ca)
        assert connect(live, device, listener, version=version) == "plugin"
        admin.update_certificate(device, "ACTIVE")
        assert connect(live, device, listener, version=version) is None
        take_away(admin, device)
        take_away(admin, ca)
    assert connect(live, device, listener, version=version) == "tls"


@LISTENERS
@pytest.mark.parametrize("identifiers", [True, False], ids=["key-ids", "no-key-ids"])
def test_several_of_one_subject(live, pki, listener, identifiers):
    """Which is impossible with a capath in a running broker; also for certificates without an
    authority key identifier (mosquitto section 9.1)."""
    admin = live.admin()
    how = {"key_ids": identifiers}
    twins = [pki.ca("twin", **how) for _ in range(3)]
    devices = []
    for n, ca in enumerate(twins):
        admin.register_ca(ca)
        devices.append(admit(live, admin, ca, "d%d" % n, **how))
        for device in devices:
            assert connect(live, device, listener) is None
    take_away(admin, devices[0])
    take_away(admin, twins[0])
    assert connect(live, devices[0], listener) == "tls"
    for device in devices[1:]:
        assert connect(live, device, listener) is None


@LISTENERS
def test_sub_ca_alone(live, pki, listener):
    """It is the anchor; those of its root are not meant."""
    admin = live.admin()
    root = pki.ca("root")
    sub = pki.ca("sub", parent=root)
    admin.register_ca(sub)
    device = admit(live, admin, sub)
    assert connect(live, device, listener) is None
    assert connect(live, device.with_chain(sub, root), listener) is None
    assert connect(live, pki.device("d2", issuer=root), listener) == "tls"


def test_deleted_ca_takes_its_devices_along(live, pki):
    """Certificates stay registered, and TLS refuses all of them; after registering the CA again it
    accepts them."""
    admin = live.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    device = admit(live, admin, ca)
    take_away(admin, ca)
    assert admin.status(device) == "ACTIVE"
    assert connect(live, device) == "tls"
    admin.register_ca(ca)
    assert connect(live, device) is None


@LISTENERS
def test_inactive_ca_is_trusted_and_registers_no_device(live, pki, listener):
    """As on AWS: registered devices keep working; the plugin refuses new ones."""
    admin = live.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    device = admit(live, admin, ca)
    admin.update_ca(ca, status="INACTIVE")
    assert connect(live, device, listener) is None
    assert connect(live, pki.device("d2", issuer=ca), listener) == "plugin"


@LISTENERS
def test_trust_continues_over_reload_and_restart(live, pki, listener):
    """Contexts that the broker makes anew ask as well, from their first handshake on."""
    ca = pki.ca("factory")
    live.admin().register_ca(ca)
    device = admit(live, live.admin(), ca)
    stranger = pki.device("d2", issuer=pki.ca("another"))
    for again in (live.reload, live.restart):
        assert connect(live, device, listener) is None
        again()
        assert connect(live, device, listener) is None
        assert connect(live, stranger, listener) == "tls"


# -- what stays as it was -------------------------------------------------------------------------

@LISTENERS
def test_strangers_and_bad_certificates_are_refused_in_the_handshake(live, pki, listener):
    """Unknown CA, a CA of the right name with another key, expired, for servers only."""
    ca = pki.ca("factory")
    live.admin().register_ca(ca)
    others = [pki.device("d1", issuer=pki.ca("other")), pki.device("d2", issuer=pki.ca("factory")),
              pki.device("d3", issuer=ca, days=(-10, -1))]
    for device in others:
        assert connect(live, device, listener) == "tls"
        assert connect(live, device.with_chain(device.issuer), listener) == "tls"
    assert connect(live, pki.device("d4", issuer=ca), listener) == "plugin"


def test_crlfile_of_the_listener_is_still_checked(start_broker, pki, tmp_path):
    """The broker's own list, as without the option: every CA needs one (mosquitto section 9.3)."""
    listed_ca, other_ca = pki.ca("listed"), pki.ca("other")
    good, bad = pki.device("good", issuer=listed_ca), pki.device("bad", issuer=listed_ca)
    path = tmp_path / "crl.pem"
    path.write_text(revocation_list(listed_ca, bad))
    path.chmod(0o644)
    broker = start_broker(plugin={"trust_store": "live"}, tls=["crlfile %s" % path])
    for ca in (listed_ca, other_ca):
        broker.admin().register_ca(ca)
    assert connect(broker, good) == "plugin"
    assert connect(broker, bad) == "tls"
    assert connect(broker, pki.device("d1", issuer=other_ca)) == "tls"


# -- the listener's files ---------------------------------------------------------------------------

@pytest.mark.parametrize("option", ["live", "live-and-cafile", "capath"])
def test_cafile_of_the_listener(start_broker, pki, tmp_path, option):
    """Trusted with live-and-cafile, and with capath as before; ignored with live. The plugin
    refuses its devices in any case, as long as the CA is not registered."""
    ca, registered = pki.ca("of the file"), pki.ca("registered")
    path = tmp_path / "cafile.pem"
    path.write_text(ca.pem)
    path.chmod(0o644)
    broker = start_broker(plugin={"trust_store": option}, tls=["cafile %s" % path])
    device = pki.device("d1", issuer=ca)
    assert connect(broker, device) == ("tls" if option == "live" else "plugin")
    broker.admin().register_ca(registered)
    assert connect(broker, pki.device("d2", issuer=registered)) == "plugin"


def test_capath_of_the_listener_is_ignored_in_live(start_broker, pki):
    """Files that lie in the directory are no CAs of the registry."""
    broker = start_broker(plugin={"trust_store": "live"})
    broker.tls_lines = ["capath %s" % broker.ca_path]
    broker.restart()
    ca = pki.ca("put there by hand")
    trust(broker, ca)
    assert connect(broker, pki.device("d1", issuer=ca)) == "tls"


# -- handshakes ------------------------------------------------------------------------------------

def resumes(broker, device, version):
    """Whether a second handshake resumes the session of the first."""
    context = device.tls(broker.pki, version)
    session = None
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", broker.ports["tls"])) as plain:
            with context.wrap_socket(plain, session=session) as secure:
                connect_packet = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02d1"
                secure.sendall(connect_packet)
                secure.recv(4)  # and tickets before it
                session, reused = secure.session, secure.session_reused
    return reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("option", ["live", "capath"])
def test_sessions_are_resumed_with_capath_only(start_broker, pki, option, version):
    """A resumed session verifies nothing: where CAs can be removed sessions are not resumed."""
    broker = start_broker(plugin={"trust_store": option})
    admin = broker.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    device = admit(broker, admin, ca)
    assert resumes(broker, device, version) == (option == "capath")


@pytest.mark.parametrize("tls", ["-tls1_2", "-tls1_3"])
def test_no_ca_is_named_to_clients(live, pki, tls):
    """Those that choose their certificate by the names, as Go and Java do, may use any, also
    one of a CA that was registered later (mosquitto section 9.1)."""
    live.admin().register_ca(pki.ca("factory"))
    done = subprocess.run(["openssl", "s_client", tls, "-connect",
                           "127.0.0.1:%d" % live.ports["tls"]], input="", capture_output=True,
                          text=True, timeout=30, check=False)
    assert "No client certificate CA names sent" in done.stdout


def test_rsa_and_elliptic_keys_side_by_side(live, pki):
    """With any key of the CA."""
    admin = live.admin()
    for n, kind in enumerate(["P-256", "P-384", "RSA-2048"]):
        ca = pki.ca("factory", key=new_key(kind))
        admin.register_ca(ca)
        assert connect(live, admit(live, admin, ca, "d%d" % n)) is None


def test_deactivation_still_closes_the_connection(live, pki):
    """Trust is checked in handshakes; the gate checks connected clients."""
    admin = live.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    device = admit(live, admin, ca)
    session = live.connect(device)
    admin.update_certificate(device, "INACTIVE")
    session.wait_until_closed()


def test_bad_value_stops_the_broker(make_broker):
    """The line has the allowed values."""
    broker = make_broker(plugin={"trust_store": "system"})
    with pytest.raises(DidNotStart) as stopped:
        broker.start()
    broker.discard()
    assert "must be capath, live or live-and-cafile" in stopped.value.log


def test_default_is_capath(broker, pki, admin):
    """The broker's own way: CAs are added live, and one that was used stays trusted by TLS until
    a restart; the plugin refuses its devices (mosquitto section 9.1)."""
    ca = pki.ca("factory")
    admin.register_ca(ca)
    device = pki.device("d1", issuer=ca)
    assert connect(broker, device) == "plugin"
    take_away(admin, device)
    take_away(admin, ca)
    until(lambda: not list(broker.ca_path.glob("*.0")), "the file to go")
    assert connect(broker, device) == "plugin"
