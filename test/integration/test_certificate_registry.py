# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Device certificates: every operation of aws-iot A.3 that this release has."""
import time
import uuid

import pytest

import der
from admin import AwsError
from pki import new_key
from silence import assert_silent
from test_ca_registry import NOWHERE, refusal, same_order

# aws-iot appendix 2: a CA and a device certificate of version 1, with their ids.
VECTOR_ID = "2511e09354e2637da199073792924a89fc52de90e9165afa49f075cf8791a45a"
VECTOR = """-----BEGIN CERTIFICATE-----
MIIBaDCCAQ4CCQCSEoXLt6XghjAKBggqhkjOPQQDAjA4MQswCQYDVQQGEwJVUzEV
MBMGA1UECgwMRXhhbXBsZSBDb3JwMRIwEAYDVQQDDAlWZWN0b3IgQ0EwIBcNMjYx
MTIzMDgyNDE2WhgPMjEyNjEwMzAwODI0MTZaMD4xCzAJBgNVBAYTAlVTMRUwEwYD
VQQKDAxFeGFtcGxlIENvcnAxGDAWBgNVBAMMD3ZlY3Rvci1kZXZpY2UtMTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABMqxnKM4rvxooWLMLQic9INPk1EjvyeDmSmM
GlCWaYzY1CCmax9PpSgdglGc1cviKiKbuXct/Ra+Fjur9BWtfxowCgYIKoZIzj0E
AwIDSAAwRQIhAIZeLQYkLRXYKd4gER9sKA8baAUxiS0QEgI0nACAKvxLAiBQ1vY6
UAM0EN1LZ5u5esEaSNbu5j1DOq2caSHo9yyq3A==
-----END CERTIFICATE-----
"""

STATUSES = ["ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER", "REGISTER_INACTIVE",
            "PENDING_ACTIVATION"]


# -- describing ------------------------------------------------------------------

def test_description_of_a_certificate_registered_just_in_time(start_broker, pki):
    """Every member with its type and its value; a member that does not apply is absent
    (aws-iot A.3.5, B.3)."""
    broker = start_broker(plugin={"account_id": "123456789012", "region": "eu-central-1"})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = pki.device("d1", issuer=ca, days=(-3, 30))
    before = time.time()
    broker.connect(device, client_id="client 1")
    admin.settle()
    after = time.time()

    description = admin.describe_certificate(device)
    created = description.pop("creationDate")
    assert before - 0.01 <= created <= after + 0.01
    assert uuid.UUID(description.pop("generationId"))
    assert description == {
        "certificateArn": "arn:aws:iot:eu-central-1:123456789012:cert/" + device.id,
        "certificateId": device.id,
        "caCertificateId": ca.id,
        "status": "PENDING_ACTIVATION",
        "certificatePem": device.pem,
        "ownedBy": "123456789012",
        "lastModifiedDate": created,
        "customerVersion": 1,
        "transferData": {},
        "validity": {"notBefore": pytest.approx(before - 3 * 86400, abs=60),
                     "notAfter": pytest.approx(before + 30 * 86400, abs=60)},
        "certificateMode": "DEFAULT",
        "lastRefusal": {"reason": "DEVICE_CERTIFICATE_NOT_REGISTERED",
                        "details": "registered now, waits for activation", "date": created,
                        "clientId": "client 1", "sourceIp": "127.0.0.1"},
    }


@pytest.mark.parametrize("command", ["describeCertificate", "updateCertificate",
                                     "deleteCertificate"])
def test_ids(admin, factory, command):
    """An id that is unknown, of a CA, too short, too long or not hexadecimal (aws-iot 1.5,
    1.7, A.3)."""
    members = {"newStatus": "ACTIVE"} if command == "updateCertificate" else {}
    for unknown in (NOWHERE, factory.id):
        error = refusal(admin.call, command, certificateId=unknown, **members)
        assert error.name == "ResourceNotFoundException"
    for wrong, ending in (("a" * 63, "length greater than or equal to 64"),
                          ("a" * 65, "length less than or equal to 64"),
                          ("x" * 64, "pattern: (0x)?[a-fA-F0-9]+")):
        error = refusal(admin.call, command, certificateId=wrong, **members)
        assert error.name == "InvalidRequestException"
        assert error.message.endswith(ending)


# -- registering by command ----------------------------------------------------------

@pytest.mark.parametrize("members, status", [
    ({}, "INACTIVE"),
    ({"setAsActive": True}, "ACTIVE"),
    ({"setAsActive": False}, "INACTIVE"),
    ({"status": "ACTIVE"}, "ACTIVE"),
    ({"status": "INACTIVE"}, "INACTIVE"),
    ({"status": "REVOKED"}, "REVOKED"),
    ({"status": "INACTIVE", "setAsActive": True}, "INACTIVE"),
])
def test_registered_certificate(broker, pki, admin, factory, members, status):
    """The status is that of the request, by default INACTIVE, with `status` before the deprecated
    setAsActive; the CA is found by the issuer's name (aws-iot A.3.1)."""
    device = pki.device("d1", issuer=factory)
    answer = admin.register_certificate(device, **members)

    assert answer == {"certificateArn": "arn:aws:iot:local:000000000000:cert/" + device.id,
                      "certificateId": device.id}
    description = admin.describe_certificate(device)
    assert description["status"] == status
    assert description["caCertificateId"] == factory.id
    assert description["certificatePem"] == device.pem
    assert description["certificateMode"] == "DEFAULT"


def test_registering_by_call_announces_nothing(pki, admin, factory):
    """The event is for first connections only (aws-iot A.3.1)."""
    events = admin.listen_to_events()
    admin.register_certificate(pki.device("d1", issuer=factory))
    assert_silent(events)


@pytest.mark.parametrize("status", ["PENDING_ACTIVATION", "PENDING_TRANSFER"])
@pytest.mark.parametrize("command", ["registerCertificate", "registerCertificateWithoutCA"])
def test_pending_cannot_be_asked_for(pki, admin, factory, command, status):
    """Not allowed, in AWS's words: only a first connection makes a pending certificate
    (aws-iot A.3.1, A.3.2, B.4)."""
    device = pki.device("d1", issuer=factory)
    error = refusal(admin.call, command, certificatePem=device.pem, status=status)

    assert error.name == "CertificateStateException"
    assert error.message == "Not allowed to register certificate with %s status" % status
    assert admin.status(device) is None


def test_issuer_that_is_not_registered(pki, admin, factory):
    """CertificateStateException in AWS's words (aws-iot A.3.1)."""
    device = pki.device("d1", issuer=pki.ca("stranger"))
    error = refusal(admin.register_certificate, device)

    assert error.name == "CertificateStateException"
    assert error.message == "No CA certificate exists for the given certificate"


def test_issuer_that_is_inactive(pki, admin, factory):
    """CertificateStateException; without auto-registration it works (aws-iot A.3.1)."""
    device = pki.device("d1", issuer=factory)
    admin.update_ca(factory, status="INACTIVE")
    assert refusal(admin.register_certificate, device).name == "CertificateStateException"

    admin.update_ca(factory, status="ACTIVE", auto_registration="DISABLE")
    assert admin.register_certificate(device)["certificateId"] == device.id


def test_forged_signature(pki, admin, factory):
    """CertificateValidationException when the named issuer did not sign (aws-iot A.3.1)."""
    impostor = pki.ca("factory")
    for device in (pki.device("d1", issuer=impostor),
                   pki.device("d2", issuer=factory, spoil=True)):
        error = refusal(admin.register_certificate, device)
        assert error.name == "CertificateValidationException"


def test_ca_given_by_the_caller(pki, admin):
    """caCertificatePem distinguishes CAs of one subject and key; without it the conflict is an
    error (aws-iot A.3.1)."""
    first = pki.ca("renewed", days=(-100, 100))
    renewed = pki.ca("renewed", days=(-1, 1000), key=first.key)
    admin.register_ca(first)
    admin.register_ca(renewed)
    device = pki.device("d1", issuer=first)

    assert refusal(admin.register_certificate, device).name == "CertificateConflictException"
    admin.register_certificate(device, caCertificatePem=first.pem)
    assert admin.describe_certificate(device)["caCertificateId"] == first.id


def test_ca_of_the_same_name_but_another_key(pki, admin):
    """The one that signed is found by its key (aws-iot A.3.1)."""
    twins = [pki.ca("twin") for _ in range(2)]
    for ca in twins:
        admin.register_ca(ca)
    for ca in twins:
        device = pki.device("d1", issuer=ca)
        admin.register_certificate(device)
        assert admin.describe_certificate(device)["caCertificateId"] == ca.id


def test_wrong_ca_given(pki, admin, factory):
    """A CA that did not sign, is not registered, or is no certificate (aws-iot A.3.1)."""
    other, stranger = pki.ca("other"), pki.ca("stranger")
    admin.register_ca(other)
    device = pki.device("d1", issuer=factory)

    def name(**members):
        return refusal(admin.register_certificate, device, **members).name

    assert name(caCertificatePem=other.pem) == "CertificateValidationException"
    assert name(caCertificatePem=stranger.pem) == "CertificateStateException"
    assert name(caCertificatePem="rubbish") == "CertificateValidationException"
    assert name(caCertificatePem="") == "InvalidRequestException"
    assert admin.status(device) is None


@pytest.mark.parametrize("command", ["registerCertificate", "registerCertificateWithoutCA"])
def test_registering_twice(broker, pki, admin, factory, command):
    """ResourceAlreadyExistsException with the existing id, however it was registered and whatever
    its status (aws-iot A.3.1; contract, section 3)."""
    device, pending = pki.device("d1", issuer=factory), pki.device("d2", issuer=factory)
    arn = admin.call(command, certificatePem=device.pem)["certificateArn"]
    broker.connect(pending)

    for again in (device, pending):
        error = refusal(admin.call, command, certificatePem=again.pem)
        assert error.name == "ResourceAlreadyExistsException"
        assert error.message == "The certificate is already provisioned or registered"
        assert error.answer["resourceId"] == again.id
    assert refusal(admin.call, command,
                   certificatePem=device.pem).answer["resourceArn"] == arn


@pytest.mark.parametrize("status", [None, "ACTIVE", "INACTIVE", "REVOKED"])
def test_registered_without_ca(pki, admin, status):
    """Any certificate, self-signed ones too: mode SNI_ONLY, no caCertificateId (aws-iot
    A.3.2)."""
    members = {"status": status} if status else {}
    for certificate in (pki.device("d1", issuer=pki.ca("stranger")), pki.ca("self-signed")):
        assert admin.register_certificate_without_ca(
            certificate, **members)["certificateId"] == certificate.id
        description = admin.describe_certificate(certificate)
        assert description["status"] == (status or "INACTIVE")
        assert description["certificateMode"] == "SNI_ONLY"
        assert "caCertificateId" not in description


def test_known_id(admin):
    """The id is the SHA-256 of the DER encoding (aws-iot B.1, appendix 2)."""
    try:
        answer = admin.register_certificate_without_ca(VECTOR)
    except AwsError as error:  # before the day from which it is valid
        assert error.name == "CertificateValidationException" and "2026-11-23" in error.message
        return
    assert answer["certificateId"] == VECTOR_ID


@pytest.mark.parametrize("how, words", [
    ({"days": (-20, -10)}, "valid only until"),
    ({"days": (10, 20)}, "valid only from"),
    ({"digest": "sha1"}, "signature algorithm"),
    ({"key": "RSA-1024"}, "key"),
    ({"extensions": [der.extension("1.2.3.4", b"\5\0", critical=True)]}, "extension"),
], ids=["expired", "not yet valid", "SHA-1", "RSA 1024", "unknown critical extension"])
@pytest.mark.parametrize("command", ["registerCertificate", "registerCertificateWithoutCA"])
def test_certificates_that_are_not_accepted(pki, admin, factory, command, how, words):
    """CertificateValidationException with the reason (aws-iot A.3.1, D.6)."""
    if "key" in how:
        how = {"key": new_key(how["key"])}
    device = pki.device("d1", issuer=factory, **how)
    error = refusal(admin.call, command, certificatePem=device.pem)

    assert error.name == "CertificateValidationException"
    assert words in error.message
    assert admin.status(device) is None


@pytest.mark.parametrize("text", [
    "rubbish", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\nMIIBaDCCAQ4=\n-----END CERTIFICATE-----\n",
    VECTOR[:400], VECTOR.replace("MIIBaDCC", "MIIBaDCD"), VECTOR + VECTOR,
    "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
])
@pytest.mark.parametrize("command", ["registerCertificate", "registerCertificateWithoutCA"])
def test_text_that_is_not_pem(admin, factory, command, text):
    """CertificateValidationException (aws-iot A.3.1, 1.7)."""
    error = refusal(admin.call, command, certificatePem=text)
    assert error.name == "CertificateValidationException"
    assert admin.ids() == []


@pytest.mark.parametrize("command", ["registerCertificate", "registerCertificateWithoutCA"])
def test_constraints_of_registering(pki, admin, factory, command):
    """InvalidRequestException in AWS's words (aws-iot 1.5)."""
    pem = pki.device("d1", issuer=factory).pem

    def message(**members):
        error = refusal(admin.call, command, **members)
        assert error.name == "InvalidRequestException"
        return error.message

    assert message().endswith("at 'certificatePem' failed to satisfy constraint: "
                              "Member must not be null")
    assert message(certificatePem="x" * 65537).endswith(
        "Member must have length less than or equal to 65536")
    assert message(certificatePem=pem, status="ENABLED") == (
        "1 validation error detected: Value 'ENABLED' at 'status' failed to satisfy "
        "constraint: Member must satisfy enum value set: [ACTIVE, INACTIVE, REVOKED, "
        "PENDING_TRANSFER, REGISTER_INACTIVE, PENDING_ACTIVATION]")
    assert "certificatePem" in message(certificatePem=7)


# -- changing the status --------------------------------------------------------------

ALLOWED = {
    "PENDING_ACTIVATION": {"ACTIVE", "INACTIVE", "REVOKED"},
    "ACTIVE": {"ACTIVE", "INACTIVE", "REVOKED"},
    "INACTIVE": {"ACTIVE", "INACTIVE", "REVOKED"},
    "REVOKED": {"REVOKED"},
}


@pytest.mark.parametrize("before", sorted(ALLOWED))
def test_changes_of_status(broker, pki, admin, factory, before):
    """The table of aws-iot A.3.6, every pair of it: allowed, without effect, or
    CertificateStateException and unchanged."""
    for after in STATUSES:
        device = pki.device("to " + after, issuer=factory)
        if before == "PENDING_ACTIVATION":
            broker.connect(device)
            admin.settle()
        else:
            admin.register_certificate(device, status=before)
        if after in ALLOWED[before]:
            assert admin.update_certificate(device, after) == {}
            assert admin.status(device) == after
        else:
            error = refusal(admin.update_certificate, device, after)
            assert error.name == "CertificateStateException"
            assert admin.status(device) == before


def test_update_counts_versions(pki, admin, factory):
    """A change sets lastModifiedDate and increments customerVersion; setting the present status
    succeeds (aws-iot A.3.6, B.3)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    before = admin.describe_certificate(device)
    admin.update_certificate(device, "ACTIVE")
    admin.update_certificate(device, "INACTIVE")

    after = admin.describe_certificate(device)
    assert after["customerVersion"] > before["customerVersion"] == 1
    assert after["lastModifiedDate"] >= before["lastModifiedDate"]
    for name in ("creationDate", "generationId", "certificatePem", "caCertificateId"):
        assert after[name] == before[name]


def test_constraints_of_updating(pki, admin, factory):
    """Unknown and missing words are InvalidRequestException (aws-iot A.3.6, 1.5)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    error = refusal(admin.update_certificate, device, "DISABLED")
    assert error.name == "InvalidRequestException"
    assert error.message.startswith("1 validation error detected: Value 'DISABLED' at 'newStatus'")
    error = refusal(admin.call, "updateCertificate", certificateId=device.id)
    assert error.message == ("1 validation error detected: Value at 'newStatus' failed to "
                             "satisfy constraint: Member must not be null")
    assert admin.status(device) == "ACTIVE"


@pytest.mark.parametrize("change", ["inactive", "deleted"])
def test_activation_does_not_ask_the_ca(broker, pki, admin, factory, change):
    """A pending certificate can be activated although its CA is INACTIVE or deleted by now
    (aws-iot A.3.6)."""
    device = pki.device("d1", issuer=factory)
    broker.connect(device)
    admin.update_ca(factory, status="INACTIVE")
    if change == "deleted":
        admin.delete_ca(factory)

    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(device).accepted


# -- listing -----------------------------------------------------------------------

def test_list_entries(broker, pki, admin, factory):
    """ARN, id, status, mode and date; all statuses are listed (aws-iot A.3.7)."""
    devices = {status: pki.device(status, issuer=factory)
               for status in ("ACTIVE", "INACTIVE", "REVOKED")}
    for status, device in devices.items():
        admin.register_certificate(device, status=status)
    devices["PENDING_ACTIVATION"] = pki.device("pending", issuer=factory)
    broker.connect(devices["PENDING_ACTIVATION"])
    admin.settle()

    entries = {e["certificateId"]: e for e in admin.call("listCertificates")["certificates"]}
    assert set(entries) == {d.id for d in devices.values()}
    for status, device in devices.items():
        description = admin.describe_certificate(device)
        assert entries[device.id] == {name: description[name] for name in (
            "certificateArn", "certificateId", "status", "certificateMode", "creationDate")}
        assert entries[device.id]["status"] == status


@pytest.mark.parametrize("ascending", [None, False, True])
def test_listing_in_pages(pki, admin, ascending):
    """All, or those of one CA: by default 25 to a page and newest first (aws-iot 1.6, A.3.7,
    A.3.8)."""
    members = {} if ascending is None else {"ascendingOrder": ascending}
    cas = [pki.ca("CA %d" % n) for n in range(2)]
    for ca in cas:
        admin.register_ca(ca)
    devices = [pki.device("d%d" % n, issuer=cas[n % 2]) for n in range(54)]
    admin.register_certificates(devices)
    loner = pki.device("loner", issuer=pki.ca("stranger"))
    admin.register_certificate_without_ca(loner)

    ordered = devices + [loner] if ascending else [loner, *reversed(devices)]
    pages = admin.pages("listCertificates", **members)
    assert [len(p) for p in pages] == [25, 25, 5]
    assert same_order(admin, pages, [d.id for d in ordered])
    for ca in cas:
        expected = [d.id for d in ordered if d.issuer is ca]
        pages = admin.pages("listCertificatesByCA", caCertificateId=ca.id, **members)
        assert [len(p) for p in pages] == [25, 2]
        assert same_order(admin, pages, expected)
        assert admin.ids("listCertificatesByCA", caCertificateId=ca.id, pageSize=1,
                         **members) == [e["certificateId"] for p in pages for e in p]


def test_listing_of_a_ca_that_is_not_registered(admin):
    """An empty list, no error (aws-iot A.3.8)."""
    assert admin.ids("listCertificatesByCA", caCertificateId=NOWHERE) == []


@pytest.mark.parametrize("members", [{"pageSize": 0}, {"pageSize": 251}, {"marker": "?"},
                                     {"pageSize": -1}, {"ascendingOrder": 1}])
def test_listing_constraints(admin, members):
    """InvalidRequestException (aws-iot 1.5, 1.6)."""
    for command, more in (("listCertificates", {}),
                          ("listCertificatesByCA", {"caCertificateId": NOWHERE})):
        assert refusal(admin.call, command, **more,
                       **members).name == "InvalidRequestException"
    assert refusal(admin.call, "listCertificatesByCA").name == "InvalidRequestException"


def test_listing_while_certificates_come_and_go(broker, pki, admin, factory):
    """A certificate that exists during the whole listing is listed exactly once, while others are
    registered and deleted (aws-iot 1.6)."""
    stay = [pki.device("s%d" % n, issuer=factory) for n in range(6)]
    go = [pki.device("g%d" % n, issuer=factory) for n in range(6)]
    admin.register_certificates([device for pair in zip(stay, go) for device in pair], size=3)
    seen, marker = [], {}
    for n in range(100):
        page = admin.call("listCertificates", pageSize=2, **marker)
        seen += [e["certificateId"] for e in page["certificates"]]
        if not page.get("nextMarker"):
            break
        marker = {"marker": page["nextMarker"]}
        if go:
            admin.delete_certificate(go.pop())
        admin.register_certificate(pki.device("n%d" % n, issuer=factory))
    assert len(seen) == len(set(seen))
    assert {d.id for d in stay} <= set(seen)


# -- deleting ----------------------------------------------------------------------

@pytest.mark.parametrize("members", [{}, {"forceDelete": True}, {"forceDelete": False}])
def test_active_certificate_cannot_be_deleted(pki, admin, factory, members):
    """CertificateStateException, forced or not (aws-iot A.3.9)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    error = refusal(admin.delete_certificate, device, **members)

    assert error.name == "CertificateStateException"
    assert error.message == ("Certificate must be deactivated (not ACTIVE) before deletion. "
                             "Id: " + device.id)
    assert admin.status(device) == "ACTIVE"


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED", "PENDING_ACTIVATION"])
def test_deleted_certificate_is_gone(broker, pki, admin, factory, status):
    """Any other status qualifies; afterwards it is not found and not listed (aws-iot
    A.3.9)."""
    device = pki.device("d1", issuer=factory)
    if status == "PENDING_ACTIVATION":
        broker.connect(device)
        admin.settle()
    else:
        admin.register_certificate(device, status=status)

    assert admin.delete_certificate(device) == {}
    assert refusal(admin.describe_certificate, device).name == "ResourceNotFoundException"
    assert refusal(admin.delete_certificate, device).name == "ResourceNotFoundException"
    assert admin.ids() == []
    assert admin.ids("listCertificatesByCA", caCertificateId=factory.id) == []


def test_everything_is_on_disk_when_it_is_answered(broker, pki, admin, factory):
    """An answer to a change means that it is on disk, also if the broker is killed right
    after it (contract, section 3)."""
    devices = [admin.activate(pki.device("d%d" % n, issuer=factory)) for n in range(3)]
    admin.update_certificate(devices[1], "REVOKED")
    admin.update_certificate(devices[2], "INACTIVE")
    admin.delete_certificate(devices[2])
    broker.kill()
    broker.start()

    admin = broker.admin()
    assert [admin.status(d) for d in devices] == ["ACTIVE", "REVOKED", None]
    assert broker.connect(devices[0]).accepted
