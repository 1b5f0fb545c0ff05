# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A certificate is identified by its signed part: another form of it, which has another id, is not
registered, not activated and not admitted, whatever the status of the first (contract, section 6).
The holder of a device's certificate can change its ECDSA signature (s to n - s): SEC 1, 4.1.4."""
import pytest

from admin import AwsError
from device import MQTT_3_1_1, MQTT_5
from fleet import Fleet, rule
from policies import CONNECT
from provisioning import template
from revocation import import_list, revocation_list
from twins import spoiled, turned

VERSIONS = pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
STATUSES = pytest.mark.parametrize("status", ["REVOKED", "INACTIVE", "ACTIVE"])
REASON = "CERTIFICATE_IN_ANOTHER_FORM"


@pytest.fixture
def fleet(policy_broker):
    """A CA with a rule that accepts every device."""
    made = Fleet(policy_broker)
    made.policy = made.policies.create(CONNECT)
    made.set_rule(policies=[made.policy])
    yield made
    policy_broker.leave_sessions()


def is_known(fleet, device):
    return device.id in fleet.admin.ids()


def assert_shut_out(fleet, original, twin, **how):
    """Refused as another form, in the log, by explain and on the record of the original; nothing of
    it is stored."""
    assert twin.id != original.id
    explained = fleet.explain(twin)
    assert explained["connect"]["reason"] == REASON and not explained["registered"]
    assert original.id in explained["connect"]["details"]
    before = len(fleet.broker.log_lines("connection refused", REASON, twin.id))
    assert fleet.broker.connect(twin, **how).refused
    fleet.broker.wait_for_log("connection refused", REASON, twin.id, original.id,
                              count=before + 1)
    assert not is_known(fleet, twin)
    if is_known(fleet, original):
        assert fleet.description(original)["lastRefusal"]["reason"] == REASON


@VERSIONS
@STATUSES
def test_other_form_of_a_certificate_is_not_taken_for_a_new_one(fleet, status, version):
    """The CA's rule accepts every device, and has admitted the original."""
    device = fleet.fresh()
    fleet.admits(device, version=version).leave()
    fleet.admin.update_certificate(device, status)
    for _ in range(2):
        assert_shut_out(fleet, device, turned(device), version=version)
    assert fleet.status(device) == status
    if status == "ACTIVE":
        fleet.admits(device, version=version).leave()
    fleet.admits(fleet.fresh(), version=version)


def test_other_form_of_one_that_waits_is_not_registered(policy_broker):
    """Without a rule: both would be PENDING, and a program would see two devices."""
    fleet = Fleet(policy_broker)
    device = fleet.fresh()
    fleet.broker.connect(device)
    fleet.event()
    assert_shut_out(fleet, device, turned(device))
    fleet.no_more_events()


def test_other_form_by_a_template(policy_broker):
    """AWS's JITP: as by a rule."""
    fleet = Fleet(policy_broker)
    fleet.set_template(template())
    device = fleet.fresh()
    fleet.broker.connect(device)
    assert fleet.status(device) == "ACTIVE"
    fleet.admin.update_certificate(device, "REVOKED")
    assert_shut_out(fleet, device, turned(device))


@STATUSES
@pytest.mark.parametrize("old", ["ACTIVE", "INACTIVE", "deleted"])
def test_ca_that_was_renewed_with_name_and_key(fleet, status, old):
    """The rule of the new CA accepts every certificate signed with the key, and its list is still
    empty."""
    device = fleet.fresh()
    fleet.admits(device).leave()
    fleet.admin.update_certificate(device, status)
    new = fleet.pki.ca(fleet.ca.name, key=fleet.ca.key, days=(-1, 4000))
    fleet.admin.register_ca(new, activation=rule(policies=[fleet.policy]))
    if old != "ACTIVE":
        fleet.admin.update_ca(fleet.ca, status="INACTIVE")
    if old == "deleted":
        fleet.admin.delete_ca(fleet.ca)
    assert_shut_out(fleet, device, turned(device))
    fleet.admits(fleet.pki.device("another", issuer=fleet.ca)).leave()


@STATUSES
def test_certificate_that_was_registered_without_its_ca(fleet, status):
    """Its CA is registered later, or was all along."""
    device = fleet.fresh()
    fleet.admin.register_certificate_without_ca(device, status=status)
    assert_shut_out(fleet, device, turned(device))


def test_unknown_ca_left_to_others_is_not_asked_about_it(start_broker):
    """unknown_ca defer: a form of a certificate registered by another id is not left to a password.
    TLS still trusts the deleted CA."""
    broker = start_broker(plugin={"unknown_ca": "defer", "authorization": "defer"})
    fleet = Fleet(broker)
    device = fleet.fresh()
    broker.connect(device)
    fleet.admin.update_certificate(device, "REVOKED")
    fleet.admin.update_ca(fleet.ca, status="INACTIVE")
    fleet.admin.delete_ca(fleet.ca)
    for how in ({}, {"user": "admin", "password": "secret"}):
        assert_shut_out(fleet, device, turned(device), **how)


@pytest.mark.parametrize("command", ["registerCertificate", "registerCertificateWithoutCA"])
def test_other_form_is_registered_already(fleet, command):
    """ResourceAlreadyExistsException, with the id that it is registered by; once that is
    deleted it can be registered, as on AWS."""
    device, twin = fleet.fresh(), None
    fleet.admin.register_certificate(device, status="INACTIVE")
    twin = turned(device)
    with pytest.raises(AwsError) as caught:
        fleet.call(command, certificatePem=twin.pem, status="ACTIVE")
    assert caught.value.name == "ResourceAlreadyExistsException"
    assert caught.value.answer["resourceId"] == device.id
    fleet.admin.delete_certificate(device)
    fleet.call(command, certificatePem=twin.pem, status="ACTIVE")
    assert fleet.status(twin) == "ACTIVE"
    assert_shut_out(fleet, twin, device)


def test_other_form_may_register_once_the_first_is_deleted(fleet):
    """To delete is to forget (AWS: a deleted certificate registers again): revoke instead."""
    device = fleet.fresh()
    fleet.admits(device).leave()
    fleet.admin.update_certificate(device, "REVOKED")
    fleet.call("deleteCertificate", certificateId=device.id, forceDelete=True)
    twin = turned(device)
    fleet.admits(twin).leave()
    assert fleet.status(twin) == "ACTIVE"
    assert_shut_out(fleet, twin, device)


@pytest.mark.parametrize("form", ["signature", "unused bits", "algorithm", "trailing", "behind",
                                  "long length"])
def test_forms_that_are_not_as_good(fleet, form):
    """Bytes around the signed part may be arbitrary where they are not verified: the certificate is
    registered without a CA. Such a form is no second registration, and TLS admits none of them."""
    device = fleet.fresh()
    other = spoiled(device)[form]
    fleet.admin.register_certificate(device, status="REVOKED")
    for command in ("registerCertificate", "registerCertificateWithoutCA"):
        with pytest.raises(AwsError):
            fleet.call(command, certificatePem=other.pem, status="ACTIVE")
    assert not is_known(fleet, other)


def test_two_hundred_devices_with_one_serial_number(fleet):
    """A maker that numbers every certificate 1: the rule activates them all; and a revocation
    list, which can only name them together, revokes them all (RFC 5280 5.3)."""
    devices = [fleet.fresh(serial=1) for _ in range(200)]
    for device in devices:
        fleet.admits(device).leave()
    ids = {d.id for d in devices}
    assert ids <= set(fleet.admin.ids(command="listCertificatesByCA", caCertificateId=fleet.ca.id,
                                      status="ACTIVE"))
    assert_shut_out(fleet, devices[-1], turned(devices[-1]))
    answer = import_list(fleet.admin, fleet.ca, revocation_list(fleet.ca, devices[0]))
    assert answer["certificatesRevoked"] == len(devices)
    assert fleet.broker.connect(devices[100]).refused
