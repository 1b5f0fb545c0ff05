# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The first connection of a device: the table of aws-iot D.2, row by row, and the devices that may
be registered at all."""
import contextlib
import threading

import pytest

import raw
from admin import EVENTS
from device import MQTT_3_1_1, MQTT_5
from pki import new_key
from provisioning import template
from silence import assert_silent
from trust import trust


# -- the rows of the table -------------------------------------------------------

@pytest.mark.parametrize("chain", [False, True], ids=["leaf alone", "leaf and CA"])
def test_first_connection_registers_and_refuses(broker, pki, admin, factory, chain):
    """A registered CA has signed an unknown certificate: it is stored as PENDING_ACTIVATION under
    this CA, announced, and refused until it is activated; with or without the CA's certificate in
    the chain (aws-iot D.2 row 1, D.6)."""
    events = admin.listen(EVENTS + factory.id)
    device = pki.device("d1", issuer=factory)
    presented = device.with_chain(factory) if chain else device

    assert broker.connect(presented).refused
    event = events.next()
    assert event["certificateId"] == device.id
    assert event["certificateStatus"] == "PENDING_ACTIVATION"
    description = admin.describe_certificate(device)
    assert description["status"] == "PENDING_ACTIVATION"
    assert description["caCertificateId"] == factory.id

    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(presented).accepted


def test_ca_with_a_template_registers_and_announces_too(broker, pki, admin):
    """A CA with a registration configuration registers its devices too, and the event is published,
    whatever the result of the template (aws-iot D.2 row 2, D.5)."""
    ca = pki.ca("templated")
    admin.register_ca(ca, registrationConfig={"templateBody": template(status="INACTIVE")})
    events = admin.listen_to_events(ca)
    device = pki.device("d1", issuer=ca)

    assert broker.connect(device).refused
    assert events.next()["certificateId"] == device.id
    assert admin.status(device) == "INACTIVE"


@pytest.mark.parametrize("active, auto_registration, reason", [
    (True, False, "does not register automatically"),
    (False, True, "not active"),
    (False, False, "not active"),
])
def test_ca_that_may_not_register_registers_no_device(broker, pki, admin, active,
                                                   auto_registration, reason):
    """Without auto-registration, or while inactive, a CA's unknown devices are closed
    out, stored nowhere and not announced (aws-iot D.2 rows 3 and 4)."""
    ca = pki.ca("quiet")
    admin.register_ca(ca, active=active, auto_registration=auto_registration)
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=ca)

    assert broker.connect(device).refused
    assert_silent(events)
    assert admin.status(device) is None
    broker.wait_for_log("connection refused", reason, device.id, "ca=" + ca.id)


def test_unknown_ca_is_kept_out_by_tls(broker, pki, admin, factory):
    """The listener trusts registered CAs only: a certificate of another CA does not
    get through the handshake, and nothing is stored (aws-iot D.2 row 5)."""
    device = pki.device("d1", issuer=pki.ca("stranger"))

    assert broker.connect(device).turned_away
    assert admin.status(device) is None


def test_unknown_ca_that_tls_trusts_is_refused(broker, pki, admin, factory):
    """Where the operator himself put a CA into ca_path, TLS lets its devices through,
    and the plugin refuses: its CA is not registered (aws-iot D.2 row 5; contract,
    unknown_ca)."""
    stranger = pki.ca("stranger")
    trust(broker, stranger)
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=stranger)

    assert broker.connect(device).refused
    assert_silent(events)
    assert admin.status(device) is None
    broker.wait_for_log("connection refused", "CA that is not registered", device.id, "ca=-")


def test_unknown_ca_can_be_left_to_others(start_broker, pki):
    """unknown_ca defer: another plugin or the password file decides about a certificate of an
    unregistered CA (contract, section 5)."""
    broker = start_broker(plugin={"unknown_ca": "defer"})
    stranger = pki.ca("stranger")
    broker.admin()
    trust(broker, stranger)
    device = pki.device("d1", issuer=stranger)

    assert broker.connect(device, user="bystander", password="not a secret").accepted
    assert broker.connect(device, user="bystander", password="wrong").refused
    assert broker.admin().status(device) is None


@pytest.mark.parametrize("change", ["nothing", "CA inactive", "CA without auto-registration",
                                    "CA deleted"])
def test_pending_certificate_is_announced_again(start_broker, pki, change):
    """A pending certificate is refused and announced at each attempt, whatever the status of its
    CA: this is the only retry for an activation program (aws-iot D.2 row 6)."""
    broker = start_broker(plugin={"announce_interval": 0})
    admin = broker.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    events = admin.listen_to_events(ca)
    device = pki.device("d1", issuer=ca)
    broker.connect(device)
    events.next()

    if change in ("CA inactive", "CA deleted"):
        admin.update_ca(ca, status="INACTIVE")
    if change == "CA deleted":
        admin.delete_ca(ca)
    if change == "CA without auto-registration":
        admin.update_ca(ca, auto_registration="DISABLE")
    assert broker.connect(device).refused
    assert events.next()["certificateId"] == device.id
    assert admin.status(device) == "PENDING_ACTIVATION"


@pytest.mark.parametrize("change", ["nothing", "CA inactive", "CA deleted"])
def test_active_certificate_gets_in(broker, pki, admin, factory, change):
    """An ACTIVE certificate connects, even if its CA is inactive or deleted by now, and
    that announces nothing (aws-iot D.2 row 7)."""
    events = admin.listen_to_events()
    device = admin.activate(pki.device("d1", issuer=factory))
    assert broker.connect(device).accepted

    if change != "nothing":
        admin.update_ca(factory, status="INACTIVE")
    if change == "CA deleted":
        admin.delete_ca(factory)
    assert broker.connect(device).accepted
    assert_silent(events)


@pytest.mark.parametrize("status, reason", [("INACTIVE", "inactive"), ("REVOKED", "revoked")])
@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
def test_inactive_and_revoked_certificates_are_refused(broker, pki, admin, factory, status, reason,
                                                       version):
    """INACTIVE and REVOKED stay outside, unchanged and unannounced, although the CA
    registers automatically (aws-iot D.2 rows 8 and 9)."""
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=factory)
    admin.register_certificate(device, status=status)

    assert broker.connect(device, version=version).refused
    assert_silent(events)
    assert admin.status(device) == status
    broker.wait_for_log("connection refused", 'reason="%s"' % reason, device.id)


def test_deprecated_status_counts_as_inactive(broker, pki, admin, factory):
    """REGISTER_INACTIVE is an old word for INACTIVE (aws-iot D.2 row 11, B.4)."""
    device = pki.device("d1", issuer=factory)
    admin.register_certificate(device, status="REGISTER_INACTIVE")

    assert admin.status(device) == "INACTIVE"
    assert broker.connect(device).refused


def test_deleted_certificate_registers_afresh(broker, pki, admin, factory):
    """Deleting is not revoking: the next connection registers the certificate as a new
    one, with the event of a first registration (aws-iot D.2 row 12, A.3.9)."""
    events = admin.listen_to_events(factory)
    device = pki.device("d1", issuer=factory)
    broker.connect(device)
    assert events.next()["certificateRegistrationTimestamp"] is None
    first = admin.describe_certificate(device)
    admin.delete_certificate(device)

    assert broker.connect(device).refused
    assert events.next()["certificateRegistrationTimestamp"] is None
    again = admin.describe_certificate(device)
    assert again["status"] == "PENDING_ACTIVATION"
    assert again["generationId"] != first["generationId"]


# -- when, and how often -----------------------------------------------------------

def test_handshake_alone_registers_nothing(broker, pki, admin, factory):
    """The CONNECT packet registers, not the handshake, however long it is held open
    (aws-iot D.1; contract, section 6)."""
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=factory)

    with contextlib.closing(raw.tls_socket(broker, device)):
        assert_silent(events)
        assert admin.status(device) is None
    assert_silent(events)
    assert admin.status(device) is None


def test_half_a_connect_registers_nothing(broker, pki, admin, factory):
    """A client that leaves in the middle of its CONNECT leaves nothing behind (contract, section
    8)."""
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=factory)

    with contextlib.closing(raw.tls_socket(broker, device)) as s:
        s.sendall(raw.connect_packet("d1")[:9])
    assert_silent(events)
    assert admin.status(device) is None


def test_client_that_does_not_wait_for_the_answer_is_registered(broker, pki, admin, factory):
    """CONNECT is enough, whether or not the client stays for the answer (aws-iot D.1)."""
    events = admin.listen_to_events(factory)
    device = pki.device("d1", issuer=factory)

    with contextlib.closing(raw.tls_socket(broker, device)) as s:
        s.sendall(raw.connect_packet("d1"))
    assert events.next()["certificateId"] == device.id


def test_simultaneous_first_connections_register_once(broker, pki, admin, factory):
    """One certificate on many connections at the same moment: one record, and exactly
    one event of a first registration (aws-iot D.2, remarks)."""
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=factory)
    sockets = [raw.tls_socket(broker, device) for _ in range(20)]
    ready = threading.Barrier(len(sockets))

    def connect(s, number):
        ready.wait()
        s.sendall(raw.connect_packet("d%d" % number))
        s.recv(4)

    threads = [threading.Thread(target=connect, args=(s, n)) for n, s in enumerate(sockets)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for s in sockets:
        s.close()
    first = events.next()
    assert first["certificateId"] == device.id
    assert first["certificateRegistrationTimestamp"] is None
    assert admin.ids() == [device.id]
    assert len(broker.log_lines("certificate registered", device.id)) == 1
    assert_only_repetitions(events, device)


def assert_only_repetitions(events, device):
    """No other event of the device is a first registration."""
    admin = events.broker.admin()
    ca = events.broker.pki.ca("canary CA")
    admin.register_ca(ca)
    canary = events.broker.pki.device("canary", issuer=ca)
    events.broker.connect(canary)
    while True:
        event = events.next()
        if event["certificateId"] == canary.id:
            return
        assert event["certificateId"] == device.id
        assert event["certificateRegistrationTimestamp"] is not None


@pytest.mark.parametrize("version, code", [(MQTT_3_1_1, 5), (MQTT_5, 0x87)], ids=["3.1.1", "5"])
def test_refusal_in_the_words_of_each_protocol(broker, pki, admin, factory, version, code):
    """A refused client gets CONNACK 5 in MQTT 3.1.1, 0x87 in MQTT 5 (aws-iot D.2, remarks)."""
    device = pki.device("d1", issuer=factory)

    assert broker.connect(device, version=version).code == code  # registered now
    assert broker.connect(device, version=version).code == code  # pending
    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(device, version=version).accepted


def test_claimed_password_does_not_help(broker, pki, admin, factory):
    """The certificate decides, whatever user name and password a device sends (contract, section
    6)."""
    device = pki.device("d1", issuer=factory)

    assert broker.connect(device, user="admin", password="not a secret").refused
    assert admin.status(device) == "PENDING_ACTIVATION"


# -- which certificates --------------------------------------------------------------

@pytest.mark.parametrize("how", [
    {"version": 1},
    {"version": 3, "key_ids": False},
    {"digest": "sha384"},
    {"digest": "sha512"},
], ids=["version 1", "no key identifiers", "SHA-384", "SHA-512"])
def test_ordinary_certificates_of_all_kinds_register(broker, pki, admin, factory, how):
    """AWS's recipes make certificates of version 1 without extensions; SHA-2 of any
    length will do (aws-iot C, D.6)."""
    device = pki.device("d1", issuer=factory, **how)

    assert broker.connect(device).refused
    assert admin.status(device) == "PENDING_ACTIVATION"
    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(device).accepted


@pytest.mark.parametrize("kind", ["RSA-2048", "P-384"])
def test_other_keys_register(broker, pki, admin, kind):
    """RSA of 2048 bits and the other NIST curves, for CAs and for devices (aws-iot D.6)."""
    ca = pki.ca("factory", key=new_key(kind))
    admin.register_ca(ca)
    device = pki.device("d1", issuer=ca, key=new_key(kind))

    assert broker.connect(device).refused
    assert admin.status(device) == "PENDING_ACTIVATION"


def test_sub_ca_registered_alone(broker, pki, admin):
    """The CA that signs directly is the one to register; CAs above it are not checked and need not
    be known (aws-iot A.2.1, C)."""
    root = pki.ca("root")
    plant = pki.ca("plant", parent=root)
    admin.register_ca(plant)
    alone = pki.device("alone", issuer=plant)
    chained = pki.device("chained", issuer=plant).with_chain(plant, root)

    for device in (alone, chained):
        assert broker.connect(device).refused
        description = admin.describe_certificate(device)
        assert description["status"] == "PENDING_ACTIVATION"
        assert description["caCertificateId"] == plant.id


def test_root_does_not_vouch_for_the_devices_of_its_sub_ca(broker, pki, admin):
    """A root above the issuing CA has no effect, even if TLS builds a chain to it
    (aws-iot A.2.1)."""
    root = pki.ca("root")
    plant = pki.ca("plant", parent=root)
    admin.register_ca(root)
    device = pki.device("d1", issuer=plant).with_chain(plant)

    assert broker.connect(device).turned_away
    assert admin.status(device) is None


def test_two_cas_of_one_subject(broker, pki, admin):
    """Of CAs with the same name the issuer is the one with the key that verifies the signature
    (aws-iot D.2, remarks)."""
    first, second = pki.ca("twin"), pki.ca("twin")
    admin.register_ca(first)
    admin.register_ca(second)

    for ca in (first, second):
        device = pki.device("d1", issuer=ca)
        assert broker.connect(device).refused
        assert admin.describe_certificate(device)["caCertificateId"] == ca.id


@pytest.mark.parametrize("first_status, second_status, expected", [
    ("ACTIVE", "ACTIVE", "renewed"),
    ("ACTIVE", "INACTIVE", "first"),
    ("INACTIVE", "ACTIVE", "renewed"),
])
def test_renewed_ca_with_the_same_key(broker, pki, admin, first_status, second_status, expected):
    """A CA renewed with its name and key: both registered certificates match; the newest one that
    may register is used (aws-iot D.2, remarks)."""
    first = pki.ca("renewed", days=(-100, 100))
    renewed = pki.ca("renewed", days=(-1, 1000), key=first.key)
    admin.register_ca(first, active=first_status == "ACTIVE")
    admin.register_ca(renewed, active=second_status == "ACTIVE")
    device = pki.device("d1", issuer=first)

    assert broker.connect(device).refused
    found = admin.describe_certificate(device)["caCertificateId"]
    assert found == {"first": first, "renewed": renewed}[expected].id


def test_forged_issuer_name_registers_nothing(broker, pki, admin, factory):
    """The name of a registered CA is not enough without its signature: here the attacker's chain
    leads to a CA that TLS trusts for another reason (aws-iot D.2, preconditions)."""
    impostor = pki.ca("factory")
    assert impostor.subject == factory.subject
    trust(broker, impostor, number=1)
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=impostor)

    assert broker.connect(device).turned_away
    assert_silent(events)
    assert admin.status(device) is None


def test_device_registered_by_call_needs_no_ca(broker, pki, admin):
    """registerCertificateWithoutCA makes a certificate known by itself; TLS has to trust
    it by other means (aws-iot A.3.2, D.2 row 7)."""
    stranger = pki.ca("stranger")
    device = pki.device("d1", issuer=stranger)
    admin.register_certificate_without_ca(device, status="ACTIVE")
    trust(broker, stranger)

    assert broker.connect(device).accepted


def test_user_name_of_an_accepted_device_is_its_certificate_id(broker, pki, admin, factory):
    """Whatever name a device sends, the broker has its certificateId as its user name (contract,
    section 6)."""
    device = admin.activate(pki.device("d1", issuer=factory))

    assert broker.connect(device, user="admin", password="x").accepted
    assert "u'%s'" % device.id in broker.log()
