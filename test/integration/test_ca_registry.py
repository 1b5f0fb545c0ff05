# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Registration codes and CA certificates: every operation of aws-iot A.1 and A.2, with its
constraints, states and errors."""
import re
import time
import uuid

import pytest

import der
from admin import AwsError
from pki import new_key
from provisioning import template

NOWHERE = "0" * 63 + "1"


def refusal(call, *arguments, **members):
    """The error that a call ends with."""
    with pytest.raises(AwsError) as error:
        call(*arguments, **members)
    return error.value


# -- registration code -------------------------------------------------------------

def test_registration_code_stays_until_it_is_deleted(broker, admin):
    """64 lower-case hex digits, made by the first call and the same ever after, over
    restarts too; after deletion another one (aws-iot A.1)."""
    code = admin.registration_code()
    assert re.fullmatch("[0-9a-f]{64}", code)
    assert admin.registration_code() == code
    broker.restart()
    admin = broker.admin()
    assert admin.registration_code() == code

    assert admin.delete_registration_code() == {}
    assert admin.registration_code() != code


def test_deleting_a_missing_code(admin):
    """ResourceNotFoundException before the first and after the last code (aws-iot A.1.2)."""
    assert refusal(admin.delete_registration_code).name == "ResourceNotFoundException"
    admin.registration_code()
    admin.delete_registration_code()
    assert refusal(admin.delete_registration_code).name == "ResourceNotFoundException"


def test_proof_for_a_deleted_code_is_refused(pki, admin):
    """The CA registered with the old code stays, the old proof does not serve any more
    (aws-iot A.1.2)."""
    ca, other = pki.ca("factory"), pki.ca("other")
    proof = pki.verification(other, admin.registration_code())
    admin.register_ca(ca)
    admin.delete_registration_code()

    assert admin.describe_ca(ca)["status"] == "ACTIVE"
    error = refusal(admin.register_ca, other, verification=proof)
    assert error.name == "RegistrationCodeValidationException"
    admin.registration_code()
    error = refusal(admin.register_ca, other, verification=proof)
    assert error.name == "RegistrationCodeValidationException"


def test_one_code_serves_for_many_cas(pki, admin):
    """Using the code does not consume it (aws-iot A.1.1)."""
    code = admin.registration_code()
    for n in range(3):
        admin.register_ca(pki.ca("CA %d" % n))
    assert admin.registration_code() == code


# -- registering ---------------------------------------------------------------------

def test_registered_ca(start_broker, pki):
    """The id is the SHA-256 of the DER, the ARN names region and account; without further options
    the CA is INACTIVE and registers no certificates (aws-iot A.2.1, A.2.2, B)."""
    broker = start_broker(plugin={"account_id": "123456789012", "region": "eu-central-1"})
    admin = broker.admin()
    ca = pki.ca("factory", days=(-10, 20))
    before = time.time()
    answer = admin.register_ca(ca, active=None, auto_registration=None)
    after = time.time()
    arn = "arn:aws:iot:eu-central-1:123456789012:cacert/" + ca.id
    assert answer == {"certificateArn": arn, "certificateId": ca.id}

    description = admin.describe_ca(ca)
    created = description.pop("creationDate")
    assert before - 0.01 <= created <= after + 0.01
    assert abs(created * 1000 - round(created * 1000)) < 1e-3  # milliseconds, no finer
    assert uuid.UUID(description.pop("generationId"))
    assert description == {
        "certificateArn": arn,
        "certificateId": ca.id,
        "status": "INACTIVE",
        "certificatePem": ca.pem,
        "ownedBy": "123456789012",
        "autoRegistrationStatus": "DISABLE",
        "lastModifiedDate": created,
        "customerVersion": 1,
        "validity": {"notBefore": pytest.approx(before - 10 * 86400, abs=60),
                     "notAfter": pytest.approx(before + 20 * 86400, abs=60)},
        "certificateMode": "DEFAULT",
    }


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("automatic", [True, False])
def test_status_and_auto_registration_are_independent(pki, admin, active, automatic):
    """Either option alone, both, or none (aws-iot A.2.1)."""
    ca = pki.ca("factory")
    admin.register_ca(ca, active=active, auto_registration=automatic)

    description = admin.describe_ca(ca)
    assert description["status"] == ("ACTIVE" if active else "INACTIVE")
    assert description["autoRegistrationStatus"] == ("ENABLE" if automatic else "DISABLE")


def test_pem_is_returned_as_it_was_sent(pki, admin):
    """Clients compare it: text around the block and line ends are returned verbatim (aws-iot
    A.2.2); the id does not depend on them (aws-iot B.1)."""
    ca = pki.ca("factory")
    text = "Certificate: by hand\r\n" + ca.pem.replace("\n", "\r\n")
    answer = admin.call("registerCACertificate", caCertificate=text,
                        verificationCertificate=pki.verification(ca, admin.registration_code()))

    assert answer["certificateId"] == ca.id
    assert admin.describe_ca(ca)["certificatePem"] == text


@pytest.mark.parametrize("how", [
    {"version": 1},
    {"version": 3},
    {"digest": "sha384"},
], ids=["version 1", "version 3", "SHA-384"])
def test_proof_of_possession(pki, admin, how):
    """A certificate with the code as its common name, signed by the CA, of version 1 or 3
    (aws-iot C)."""
    ca = pki.ca("factory")
    proof = pki.verification(ca, admin.registration_code(), **how)

    assert admin.register_ca(ca, verification=proof)["certificateId"] == ca.id


def test_proof_by_the_recipe_of_the_documentation(pki, admin, directory):
    """Made with openssl as AWS's documentation says, serial number file and all
    (aws-iot C)."""
    ca = pki.ca("factory")
    proof = pki.verification_by_recipe(ca, admin.registration_code(), directory)

    assert admin.register_ca(ca, verification=proof)["certificateId"] == ca.id


def test_proof_with_more_in_its_subject(pki, admin):
    """Other fields of the subject are free (aws-iot C)."""
    ca = pki.ca("factory")
    subject = der.name(("2.5.4.6", "DE"), ("2.5.4.10", "Example"),
                       (der.COMMON_NAME, admin.registration_code()))

    proof = pki.verification(ca, None, subject=subject)
    assert admin.register_ca(ca, verification=proof)["certificateId"] == ca.id


def test_proof_with_another_code(pki, admin):
    """RegistrationCodeValidationException when the common name is not the current code,
    compared exactly (aws-iot A.2.1, C)."""
    ca = pki.ca("factory")
    code = admin.registration_code()
    for wrong in ("f" * 64, code.upper(), code[:-1], "x", " " + code[:63]):
        proof = pki.verification(ca, wrong)
        if wrong == code:
            continue
        error = refusal(admin.register_ca, ca, verification=proof)
        assert error.name == "RegistrationCodeValidationException", wrong
    assert admin.ids("listCACertificates") == []


def test_proof_with_two_common_names(pki, admin):
    """Exactly one common name (aws-iot C)."""
    ca = pki.ca("factory")
    code = admin.registration_code()
    subject = der.name((der.COMMON_NAME, "f" * 64), (der.COMMON_NAME, code))

    error = refusal(admin.register_ca, ca, verification=pki.verification(ca, None,
                                                                         subject=subject))
    assert error.name == "RegistrationCodeValidationException"


def test_proof_signed_with_another_key(pki, admin):
    """CertificateValidationException when the proof is not signed with the CA's key, or
    does not name the CA as its issuer (aws-iot A.2.1, C)."""
    ca, stranger = pki.ca("factory"), pki.ca("stranger")
    code = admin.registration_code()
    for proof in (pki.verification(ca, code, signer=stranger),
                  pki.verification(ca, code, issuer=stranger),
                  pki.verification(stranger, code),
                  pki.verification(ca, code, spoil=True)):
        error = refusal(admin.register_ca, ca, verification=proof)
        assert error.name == "CertificateValidationException"


@pytest.mark.parametrize("days", [(-20, -10), (10, 20)], ids=["expired", "not yet valid"])
def test_proof_outside_its_validity(pki, admin, days):
    """CertificateValidationException (aws-iot C)."""
    ca = pki.ca("factory")
    proof = pki.verification(ca, admin.registration_code(), days=days)

    error = refusal(admin.register_ca, ca, verification=proof)
    assert error.name == "CertificateValidationException"


def test_proof_is_required_in_default_and_forbidden_in_sni_only(pki, admin):
    """InvalidRequestException when it is missing in mode DEFAULT or present in mode
    SNI_ONLY (aws-iot A.2.1)."""
    ca = pki.ca("factory")
    proof = pki.verification(ca, admin.registration_code())

    for members in ({}, {"certificateMode": "DEFAULT"}):
        error = refusal(admin.call, "registerCACertificate", caCertificate=ca.pem, **members)
        assert error.name == "InvalidRequestException"
    error = refusal(admin.register_ca, ca, mode="SNI_ONLY", verification=proof)
    assert error.name == "InvalidRequestException"


def test_sni_only(broker, pki, admin):
    """Without proof of possession; the mode is in the description, and its devices have it too
    (aws-iot A.2.1, A.3.1, B.3)."""
    ca = pki.ca("factory")
    admin.register_ca(ca, mode="SNI_ONLY")
    device = pki.device("d1", issuer=ca)
    broker.connect(device)

    assert admin.describe_ca(ca)["certificateMode"] == "SNI_ONLY"
    assert admin.describe_certificate(device)["certificateMode"] == "SNI_ONLY"


@pytest.mark.parametrize("again", ["active", "inactive"])
def test_registering_a_ca_twice(pki, admin, again):
    """ResourceAlreadyExistsException with the existing id, whatever its status (aws-iot A.2.1;
    contract, section 3)."""
    ca = pki.ca("factory")
    arn = admin.register_ca(ca, active=again == "active")["certificateArn"]

    error = refusal(admin.register_ca, ca)
    assert error.name == "ResourceAlreadyExistsException"
    assert error.answer["resourceId"] == ca.id
    assert error.answer["resourceArn"] == arn


def test_ten_cas_of_one_subject(pki, admin):
    """LimitExceededException with the eleventh, in AWS's words; deleting one makes room
    (aws-iot A.2.1, appendix 1)."""
    cas = [pki.ca("twin") for _ in range(11)]
    admin.register_cas(cas[:10])

    error = refusal(admin.register_ca, cas[10])
    assert error.name == "LimitExceededException"
    assert error.message == "Limit reached for number of CA Certificates with same subject"
    admin.delete_ca(cas[3])
    admin.register_ca(cas[10])


def no_ca(pki):
    return pki.ca("not a CA", extensions=[der.basic_constraints(False)])


@pytest.mark.parametrize("make, words", [
    (no_ca, "does not have the basicConstraints extension as true"),
    (lambda pki: pki.ca("v1", extensions=[], version=1), "basicConstraints"),
    (lambda pki: pki.ca("plain", extensions=[]), "basicConstraints"),
    (lambda pki: pki.ca("expired", days=(-20, -10)), "valid"),
    (lambda pki: pki.ca("future", days=(10, 20)), "valid"),
    (lambda pki: pki.ca("weak", key=new_key("RSA-1024")), "key"),
    (lambda pki: pki.ca("no signer", extensions=[
        der.basic_constraints(True),
        der.extension(der.KEY_USAGE, der.tlv(0x03, b"\x07\x80"), critical=True)]), "keyUsage"),
    (lambda pki: pki.ca("critical", extensions=[
        der.basic_constraints(True), der.extension("1.2.3.4", b"\5\0", critical=True)]),
     "extension"),
], ids=["CA:FALSE", "version 1", "no constraints", "expired", "not yet valid", "RSA 1024",
        "keyUsage without keyCertSign", "unknown critical extension"])
def test_certificates_that_cannot_be_a_ca(pki, admin, make, words):
    """CertificateValidationException for a certificate that cannot be a CA at this time (aws-iot
    A.2.1, C)."""
    error = refusal(admin.register_ca, make(pki))
    assert error.name == "CertificateValidationException"
    assert words in error.message


def test_missing_ca_true_has_the_text_of_aws(pki, admin):
    """Programs look for this sentence (aws-iot A.2.1)."""
    assert refusal(admin.register_ca, no_ca(pki)).message == (
        "CA certificate is not valid. The CA certificate does not have the basicConstraints "
        "extension as true")


@pytest.mark.parametrize("pem", ["not a certificate",
                                 "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"])
def test_ca_that_cannot_be_parsed(pki, admin, pem):
    """CertificateValidationException for either of the two certificates (aws-iot A.2.1)."""
    ca = pki.ca("factory")
    error = refusal(admin.call, "registerCACertificate", caCertificate=pem,
                    verificationCertificate=pki.verification(ca, admin.registration_code()))
    assert error.name == "CertificateValidationException"
    error = refusal(admin.register_ca, ca, verification=pem)
    assert error.name == "CertificateValidationException"


def test_constraints_of_registering(pki, admin):
    """Values that a client library accepts are refused by the service with AWS's texts (aws-iot
    1.5, A.2.1)."""
    ca = pki.ca("factory")
    proof = pki.verification(ca, admin.registration_code())
    good = {"caCertificate": ca.pem, "verificationCertificate": proof}

    def message(**members):
        merged = {k: v for k, v in {**good, **members}.items() if v is not None}
        error = refusal(admin.call, "registerCACertificate", **merged)
        assert error.name == "InvalidRequestException"
        return error.message

    prefix = "1 validation error detected: Value "
    assert message(caCertificate=None) == (
        prefix + "at 'caCertificate' failed to satisfy constraint: Member must not be null")
    assert message(caCertificate="x" * 65537).endswith(
        "at 'caCertificate' failed to satisfy constraint: "
        "Member must have length less than or equal to 65536")
    assert message(caCertificate="").endswith(
        "at 'caCertificate' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1")
    assert message(certificateMode="SNI") == (
        prefix + "'SNI' at 'certificateMode' failed to satisfy constraint: "
        "Member must satisfy enum value set: [DEFAULT, SNI_ONLY]")
    assert "setAsActive" in message(setAsActive="yes")
    assert "allowAutoRegistration" in message(allowAutoRegistration=1)
    assert "tags" in message(tags="no list")
    assert "Key" in message(tags=[{"Value": "no key"}])
    assert admin.ids("listCACertificates") == []
    admin.call("registerCACertificate", tags=[{"Key": "a", "Value": "b"}], **good)


# -- registration configuration --------------------------------------------------------

ROLE = "arn:aws:iam::123456789012:role/JITPRole"


def configuration(admin, ca):
    return admin.call("describeCACertificate", certificateId=ca.id).get("registrationConfig")


def test_registration_configuration(pki, admin):
    """Stored with the CA, shown beside its description, replaced as a whole, and absent if not set
    (aws-iot A.2.1 to A.2.3)."""
    ca, plain = pki.ca("templated"), pki.ca("plain")
    config = {"templateBody": template(), "roleArn": ROLE}
    admin.register_ca(ca, registrationConfig=config)
    admin.register_ca(plain)
    assert configuration(admin, ca) == config
    assert configuration(admin, plain) is None

    other = {"templateBody": template(status="INACTIVE")}
    admin.update_ca(ca, registrationConfig=other)
    assert configuration(admin, ca) == other
    admin.update_ca(ca, status="INACTIVE")
    assert configuration(admin, ca) == other


def test_remove_auto_registration(pki, admin):
    """Removes the configuration and disables auto-registration, unless the same command enables it
    (aws-iot A.2.3)."""
    ca = pki.ca("templated")
    admin.register_ca(ca, registrationConfig={"templateBody": template()})
    admin.update_ca(ca, removeAutoRegistration=True)
    assert configuration(admin, ca) is None
    assert admin.describe_ca(ca)["autoRegistrationStatus"] == "DISABLE"

    admin.update_ca(ca, auto_registration="ENABLE", removeAutoRegistration=True)
    assert admin.describe_ca(ca)["autoRegistrationStatus"] == "ENABLE"


@pytest.mark.parametrize("config, name", [
    ({}, "InvalidRequestException"),
    ({"templateBody": "not JSON"}, "InvalidRequestException"),
    ({"templateBody": "{}"}, "InvalidRequestException"),
    ({"templateBody": template(), "templateName": "t"}, "InvalidRequestException"),
    ({"roleArn": ROLE}, "InvalidRequestException"),
    ({"templateBody": template(), "roleArn": "short"}, "InvalidRequestException"),
    ({"templateName": "white space"}, "InvalidRequestException"),
    ({"templateName": "x" * 37}, "InvalidRequestException"),
    ({"templateBody": template() + " " * 10240}, "InvalidRequestException"),
    ({"templateName": "no-such-template"}, "ResourceNotFoundException"),
    ("no object", "InvalidRequestException"),
    ({"templateBody": template(), "unknown": 1}, "InvalidRequestException"),
])
def test_registration_configuration_that_is_unusable(pki, admin, config, name):
    """Refused when registering and when updating, and nothing is changed (aws-iot A.2.1,
    A.2.3)."""
    ca, other = pki.ca("factory"), pki.ca("other")
    admin.register_ca(other, registrationConfig={"templateBody": template()})

    assert refusal(admin.register_ca, ca, registrationConfig=config).name == name
    assert refusal(admin.update_ca, other, status="INACTIVE",
                   registrationConfig=config).name == name
    assert admin.ids("listCACertificates") == [other.id]
    assert configuration(admin, other) == {"templateBody": template()}
    assert admin.describe_ca(other)["status"] == "ACTIVE"


def test_configuration_cannot_be_set_and_removed_at_once(pki, admin):
    """InvalidRequestException (aws-iot A.2.3)."""
    ca = pki.ca("factory")
    admin.register_ca(ca)

    error = refusal(admin.update_ca, ca, removeAutoRegistration=True,
                    registrationConfig={"templateBody": template()})
    assert error.name == "InvalidRequestException"


# -- updating ------------------------------------------------------------------------

def test_update_changes_what_it_names(pki, admin):
    """Each setting is changed alone; each change sets lastModifiedDate and increments
    customerVersion, generation and creation date stay (aws-iot A.2.3, B.3)."""
    ca = pki.ca("factory")
    admin.register_ca(ca, active=False, auto_registration=False)
    before = admin.describe_ca(ca)
    assert admin.update_ca(ca, status="ACTIVE") == {}
    first = admin.describe_ca(ca)
    assert (first["status"], first["autoRegistrationStatus"]) == ("ACTIVE", "DISABLE")
    admin.update_ca(ca, auto_registration="ENABLE")
    second = admin.describe_ca(ca)
    assert (second["status"], second["autoRegistrationStatus"]) == ("ACTIVE", "ENABLE")
    assert [d["customerVersion"] for d in (before, first, second)] == [1, 2, 3]
    assert before["lastModifiedDate"] <= first["lastModifiedDate"] <= second["lastModifiedDate"]
    for name in ("creationDate", "generationId", "certificatePem", "validity"):
        assert second[name] == before[name]


def test_update_without_a_change(pki, admin):
    """A command without settings succeeds and changes nothing; setting the present value succeeds
    too (aws-iot A.2.3)."""
    ca = pki.ca("factory")
    admin.register_ca(ca)
    before = admin.describe_ca(ca)

    admin.update_ca(ca)
    assert admin.describe_ca(ca) == before
    admin.update_ca(ca, status="ACTIVE", auto_registration="ENABLE")
    after = admin.describe_ca(ca)
    assert (after["status"], after["autoRegistrationStatus"]) == ("ACTIVE", "ENABLE")


def test_auto_registration_can_be_enabled_on_an_inactive_ca(broker, pki, admin):
    """It takes effect when the CA becomes ACTIVE (aws-iot A.2.1)."""
    ca = pki.ca("factory")
    admin.register_ca(ca, active=False, auto_registration=False)
    device = pki.device("d1", issuer=ca)
    admin.update_ca(ca, auto_registration="ENABLE")
    broker.connect(device)
    assert admin.status(device) is None

    admin.update_ca(ca, status="ACTIVE")
    broker.connect(device)
    assert admin.status(device) == "PENDING_ACTIVATION"


@pytest.mark.parametrize("members, ending", [
    ({"newStatus": "REGISTER_INACTIVE"},
     "'REGISTER_INACTIVE' at 'newStatus' failed to satisfy constraint: "
     "Member must satisfy enum value set: [ACTIVE, INACTIVE]"),
    ({"newAutoRegistrationStatus": "ENABLED"},
     "'ENABLED' at 'newAutoRegistrationStatus' failed to satisfy constraint: "
     "Member must satisfy enum value set: [ENABLE, DISABLE]"),
])
def test_invalid_words(pki, admin, members, ending):
    """InvalidRequestException with AWS's text (aws-iot 1.5, A.2.3)."""
    ca = pki.ca("factory")
    admin.register_ca(ca)

    error = refusal(admin.update_ca, ca, **members)
    assert error.name == "InvalidRequestException"
    assert error.message == "1 validation error detected: Value " + ending


# -- ids ---------------------------------------------------------------------------

@pytest.mark.parametrize("command", ["describeCACertificate", "updateCACertificate",
                                     "deleteCACertificate"])
def test_ids(broker, pki, admin, factory, command):
    """An id that is unknown, of a device, too short, too long or not hexadecimal
    (aws-iot 1.5, 1.7, A.2)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    for unknown in (NOWHERE, device.id):
        error = refusal(admin.call, command, certificateId=unknown)
        assert error.name == "ResourceNotFoundException"

    texts = {
        "a" * 63: "Member must have length greater than or equal to 64",
        "a" * 65: "Member must have length less than or equal to 64",
        "g" * 64: "Member must satisfy regular expression pattern: (0x)?[a-fA-F0-9]+",
    }
    for wrong, text in texts.items():
        error = refusal(admin.call, command, certificateId=wrong)
        assert error.name == "InvalidRequestException"
        assert error.message.startswith("1 validation error detected: Value '")
        assert error.message.endswith("at 'certificateId' failed to satisfy constraint: " + text)
    error = refusal(admin.call, command)
    assert error.message == ("1 validation error detected: Value at 'certificateId' failed to "
                             "satisfy constraint: Member must not be null")


def test_upper_case_ids_are_the_same(admin, factory):
    """Folded to lower case, never answered in upper case (aws-iot 1.7)."""
    description = admin.describe_ca(factory.id.upper())
    assert description["certificateId"] == factory.id


# -- listing -----------------------------------------------------------------------

def test_list_entries(admin, factory):
    """ARN, id, status and date, no more (aws-iot A.2.4)."""
    entries = admin.call("listCACertificates")["certificates"]
    description = admin.describe_ca(factory)
    assert entries == [{name: description[name] for name in
                        ("certificateArn", "certificateId", "status", "creationDate")}]


def test_listing_nothing(admin):
    """An empty list, and no marker (aws-iot A.2.4)."""
    answer = admin.call("listCACertificates")
    assert answer["certificates"] == [] and not answer.get("nextMarker")


@pytest.mark.parametrize("ascending", [None, False, True])
def test_listing_in_pages(pki, admin, ascending):
    """By default 25 to a page and newest first, each CA exactly once, inactive ones included
    (aws-iot 1.6, A.2.4)."""
    members = {} if ascending is None else {"ascendingOrder": ascending}
    cas = [pki.ca("CA %d" % n) for n in range(27)]
    admin.register_cas(cas[:13], setAsActive=True)
    admin.register_cas(cas[13:])
    expected = [ca.id for ca in (cas if ascending else reversed(cas))]

    assert same_order(admin, admin.pages("listCACertificates", **members), expected)
    assert [len(p) for p in admin.pages("listCACertificates", **members)] == [25, 2]
    assert [len(p) for p in admin.pages("listCACertificates", pageSize=9, **members)] == [9] * 3
    assert admin.ids("listCACertificates", pageSize=1, **members) == admin.ids(
        "listCACertificates", pageSize=250, **members)


def same_order(admin, pages, expected):
    """In order of creation; within one millisecond any order will do (aws-iot 1.6)."""
    entries = [entry for page in pages for entry in page]
    assert sorted(e["certificateId"] for e in entries) == sorted(expected)
    dates = {e["certificateId"]: e["creationDate"] for e in entries}
    return [e["creationDate"] for e in entries] == [dates[i] for i in expected]


def test_marker_stays_good_when_its_entry_is_deleted(pki, admin):
    """A listing continues at the same place after deletions (aws-iot 1.6)."""
    cas = [pki.ca("CA %d" % n) for n in range(4)]
    for ca in cas:
        admin.register_ca(ca, active=False)
    page = admin.call("listCACertificates", pageSize=2)
    for entry in page["certificates"]:
        admin.delete_ca(entry["certificateId"])

    rest = admin.call("listCACertificates", marker=page["nextMarker"])
    assert len(rest["certificates"]) == 2 and not rest.get("nextMarker")


@pytest.mark.parametrize("members", [
    {"pageSize": 0}, {"pageSize": 251}, {"pageSize": "25"}, {"pageSize": 1.5},
    {"marker": "no marker of ours"}, {"marker": "x" * 1025}, {"ascendingOrder": "true"},
    {"templateName": "white space"},
])
def test_listing_constraints(admin, members):
    """InvalidRequestException (aws-iot 1.5, 1.6, A.2.4)."""
    assert refusal(admin.call, "listCACertificates", **members).name == "InvalidRequestException"


def test_invalid_page_size_has_the_text_of_aws(admin):
    """The text of a bound that is broken (aws-iot 1.5)."""
    assert refusal(admin.call, "listCACertificates", pageSize=251).message == (
        "1 validation error detected: Value '251' at 'pageSize' failed to satisfy constraint: "
        "Member must have value less than or equal to 250")


def test_marker_matches_the_pattern_of_aws(pki, admin):
    """Standard base64 characters only, which strict clients accept (aws-iot 1.6)."""
    for n in range(2):
        admin.register_ca(pki.ca("CA %d" % n))
    marker = admin.call("listCACertificates", pageSize=1)["nextMarker"]
    assert re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", marker) and len(marker) <= 1024


def test_filter_by_template_name(admin, factory):
    """Only CAs with this template are listed: none has one (aws-iot A.2.4)."""
    assert admin.call("listCACertificates", templateName="t")["certificates"] == []


# -- deleting ----------------------------------------------------------------------

def test_active_ca_cannot_be_deleted(admin, factory):
    """CertificateStateException until it is INACTIVE (aws-iot A.2.5)."""
    assert refusal(admin.delete_ca, factory).name == "CertificateStateException"
    admin.update_ca(factory, status="INACTIVE")
    assert admin.delete_ca(factory) == {}
    assert refusal(admin.describe_ca, factory).name == "ResourceNotFoundException"
    assert admin.ids("listCACertificates") == []


def test_deleting_a_ca_keeps_its_devices(broker, pki, admin, factory):
    """They keep their caCertificateId and stay listed under it (aws-iot A.2.5)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    admin.update_ca(factory, status="INACTIVE")
    admin.delete_ca(factory)

    assert admin.describe_certificate(device)["caCertificateId"] == factory.id
    assert admin.ids("listCertificatesByCA", caCertificateId=factory.id) == [device.id]


def test_everything_is_on_disk_when_it_is_answered(broker, pki, admin):
    """An answer to a change means that it is on disk: also if the broker is killed right
    after it (contract, section 3)."""
    cas = [pki.ca("CA %d" % n) for n in range(3)]
    for ca in cas:
        admin.register_ca(ca)
    admin.update_ca(cas[1], status="INACTIVE")
    admin.delete_ca(cas[1])
    admin.update_ca(cas[2], auto_registration="DISABLE")
    broker.kill()
    broker.start()

    admin = broker.admin()
    assert set(admin.ids("listCACertificates")) == {cas[0].id, cas[2].id}
    assert admin.describe_ca(cas[2])["autoRegistrationStatus"] == "DISABLE"
