# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""SIGHUP: the broker asks again about every session, also those without a connection, and
2.0 corrupts its memory when one of them is refused (mosquitto section 0, 1, 2 and 5)."""
import pytest

from admin import ADMIN, BYSTANDER, PASSWORD
from device import MQTT_5
from wait import until

# Freed memory is overwritten, so that reading it is noticed.
FREED_IS_OVERWRITTEN = ("env", "MALLOC_PERTURB_=165")


def expire(broker, client_id):
    """The broker forgets the session by itself, which is when 2.0 stumbles over one that
    was put twice on its list."""
    until(lambda: "Expiring client %s " % client_id in broker.log(), client_id + " to expire")


class Sleepers:
    """Devices with offline sessions in the broker."""

    def __init__(self, broker, ca):
        self.broker = broker
        self.ca = ca
        self.admin = broker.admin()

    def add(self, name, expiry=3600):
        device = self.admin.activate(self.broker.pki.device(name, issuer=self.ca))
        session = self.wake(device, expiry)
        assert session.subscribe("t/#")
        session.leave()
        return device

    def wake(self, device, expiry=3600):
        return self.broker.connect(device, version=MQTT_5, clean=False, expiry=expiry)


@pytest.fixture
def sleepers(start_broker, pki):
    broker = start_broker(plugin={"other_clients": "allow"}, wrapper=FREED_IS_OVERWRITTEN)
    ca = pki.ca("factory")
    broker.admin().register_ca(ca)
    return Sleepers(broker, ca)


def test_offline_sessions_of_every_status_survive_reloads(sleepers):
    """Sessions of ACTIVE, REVOKED, PENDING and deleted certificates are kept, end when they expire,
    and other clients are served meanwhile."""
    broker, admin = sleepers.broker, sleepers.admin
    active, revoked, pending, deleted = (
        sleepers.add(name) for name in ("active", "revoked", "pending", "deleted"))
    short = [sleepers.add("short-active", 4), sleepers.add("short-revoked", 4)]
    admin.update_certificate(revoked, "REVOKED")
    admin.update_certificate(short[1], "REVOKED")
    for device in (pending, deleted):
        admin.update_certificate(device, "INACTIVE")
        admin.delete_certificate(device)
    assert broker.connect(pending, client_id="again").refused  # which registers it
    live = broker.connect(admin.activate(broker.pki.device("live", issuer=sleepers.ca)))
    assert live.subscribe("t/#")

    for n in range(3):
        broker.reload()
        broker.bystander().publish("t/1", "after reload %d" % n)
        assert live.next_message().payload == b"after reload %d" % n
    for device in short:
        expire(broker, device.name)

    back = sleepers.wake(active)
    assert back.session_present
    assert back.received() == ["after reload %d" % n for n in range(3)]
    assert [admin.status(device) for device in (revoked, pending, deleted)] == [
        "REVOKED", "PENDING_ACTIVATION", None]
    assert all(broker.connect(d).refused for d in (revoked, pending, deleted, short[1]))


def test_revoked_between_reloads_is_cut_off_and_the_rest_stays(sleepers):
    """A connection of a certificate that is revoked is closed although a SIGHUP comes in between;
    its offline session neither gets messages nor harms the broker."""
    broker, admin = sleepers.broker, sleepers.admin
    device = sleepers.add("asleep", 4)
    session = broker.connect(device, client_id="awake")
    assert session.accepted
    admin.update_certificate(device, "REVOKED")
    broker.reload()
    session.wait_until_closed()

    broker.reload()
    expire(broker, "asleep")
    assert admin.status(device) == "REVOKED"


def test_passwords_and_acl_file_stay_in_force(start_broker, directory, pki):
    """A wrong return value for SIGHUP would make 2.0 forget password_file and acl_file, and end
    2.1."""
    acl = directory / "acl"
    acl.write_text("user bystander\ntopic readwrite t/open\n")
    acl.chmod(0o644)
    broker = start_broker(plugin={"authorization": "defer"}, config=["acl_file %s" % acl])

    for _ in range(2):
        broker.reload()
        for password, accepted in (("wrong", False), (PASSWORD, True)):
            assert broker.connect(None, listener="plain", user=BYSTANDER,
                                  password=password).accepted == accepted
        assert not broker.connect(None, listener="plain", user=ADMIN, password="wrong").accepted
        session = broker.bystander()
        assert session.subscribe("t/#")  # of subscriptions an acl_file denies none
        session.publish("t/closed", "closed")
        session.publish("t/open", "open")
        assert session.received() == ["open"]


def test_clients_with_a_certificate_need_no_user_name(sleepers):
    """Without allow_anonymous SIGHUP disconnects clients without a user name: the plugin gives each
    client its certificateId (mosquitto section 0, 4)."""
    device = sleepers.admin.activate(sleepers.broker.pki.device("d1", issuer=sleepers.ca))
    session = sleepers.broker.connect(device)
    sleepers.broker.reload()
    assert session.subscribe("t/1")
