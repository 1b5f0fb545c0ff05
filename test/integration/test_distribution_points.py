# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Revocation lists with an issuingDistributionPoint: the certificates that they cover, and the
lists that they replace (RFC 5280 5.2.5 and 6.3.3 (b)(2))."""
import itertools
import subprocess

import pytest
from cryptography import x509

import der
from admin import AwsError
from revocation import (delete_list, describe_list, distribution_points, import_list,
                        revocation_list)

ONE, TWO = "http://crl.example.com/1.crl", "http://crl.example.com/2.crl"
LDAP = "ldap:///CN=Example%20CA,CN=CDP,DC=example,DC=com?certificateRevocationList?base"
ELSEWHERE, ON_LIST = "REVOCATION_LIST_NOT_APPLICABLE", "CERTIFICATE_ON_REVOCATION_LIST"

_numbers = itertools.count(1)


@pytest.fixture
def broker(shared_broker):
    yield shared_broker
    shared_broker.leave_sessions()


@pytest.fixture
def ca(admin, pki):
    """A registered CA of its own that requires a list for its devices."""
    made = pki.ca("spread %d" % next(_numbers))
    admin.register_ca(made, crlCheck="required")
    return made


def device_of(pki, ca, *points, name="d1"):
    """A device with these distribution points in its certificate."""
    return pki.device(name, issuer=ca,
                      extensions=[distribution_points(*points)] if points else [])


def why_refused(admin, device):
    """The reason of the refusal; None: it is admitted."""
    session = admin.broker.connect(device)
    if not session.refused:
        return None
    return admin.describe_certificate(device)["lastRefusal"]["reason"]


def refusal_of(admin, ca, made):
    with pytest.raises(AwsError) as refused:
        import_list(admin, ca, made)
    assert refused.value.name == "CertificateValidationException"
    return refused.value.message


def name_of(ca, *more):
    """The CA's name with further attributes."""
    subject = x509.load_pem_x509_certificate(ca.pem.encode()).subject
    return x509.Name([*subject.rdns, *more])


BELOW = x509.RelativeDistinguishedName([
    x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "part 1")])


def in_directory(*more):
    return lambda ca: [x509.DirectoryName(name_of(ca, *more))]


def openssl_takes(directory, ca, device, made):
    """Whether `openssl verify -crl_check` accepts the list for this certificate."""
    for name, text in (("ca.pem", ca.pem), ("device.pem", device.pem), ("list.pem", made)):
        (directory / name).write_text(text)
    done = subprocess.run(["openssl", "verify", "-crl_check", "-CAfile", "ca.pem", "-CRLfile",
                           "list.pem", "device.pem"], cwd=directory, capture_output=True,
                          text=True)
    words = done.stderr.lower()
    assert done.returncode == 0 or "different crl scope" in words or (
        "unable to get certificate crl" in words), words
    return done.returncode == 0


# What the list says, what the certificate says, and whether one is about the other.
SCOPES = {
    "no place": ({}, (), True),
    "no place, a certificate with one": ({}, (ONE,), True),
    "users only": ({"only_contains_user_certs": True}, (), True),
    "the same place": ({"place": ONE}, (ONE,), True),
    "the same place, users only": ({"place": ONE, "only_contains_user_certs": True}, (ONE,), True),
    "another place": ({"place": ONE}, (TWO,), False),
    "another place, users only": ({"place": ONE, "only_contains_user_certs": True}, (TWO,),
                                  False),
    "a place that begins with it": ({"place": ONE}, (ONE + "?",), False),
    "the same place in capital letters": ({"place": ONE}, (ONE.upper(),), False),
    "a certificate without places": ({"place": ONE}, (), False),
    "one of two points": ({"place": ONE}, (TWO, ONE), True),
    "one of the names of a point": ({"place": ONE}, (
        [x509.UniformResourceIdentifier(LDAP), x509.UniformResourceIdentifier(ONE)],), True),
    "one of the names of the list": ({"place": [
        x509.UniformResourceIdentifier(LDAP), x509.UniformResourceIdentifier(ONE)]}, (ONE,), True),
    "a name of another kind": ({"place": ONE}, ([x509.DNSName(ONE)],), False),
    "below the CA's name": ({"place": in_directory(BELOW)}, (in_directory(BELOW),), True),
    "relative to the CA's name": ({"place": None, "relative_name": BELOW},
                                  ({"relative_name": BELOW},), True),
    "relative in the list": ({"place": None, "relative_name": BELOW}, (in_directory(BELOW),),
                             True),
    "relative in the certificate": ({"place": in_directory(BELOW)}, ({"relative_name": BELOW},),
                                    True),
    "relative to another name": ({"place": in_directory()}, ({"relative_name": BELOW},), None),
    "a point for some reasons": ({"place": ONE}, ({
        "full_name": [x509.UniformResourceIdentifier(ONE)],
        "reasons": frozenset([x509.ReasonFlags.key_compromise])},), False),
}


def resolved(ca, said):
    if isinstance(said, dict):
        return {name: resolved(ca, value) for name, value in said.items()}
    if isinstance(said, tuple):
        return tuple(resolved(ca, value) for value in said)
    return said(ca) if callable(said) and not isinstance(said, type) else said


@pytest.mark.parametrize("case", SCOPES)
def test_list_covers_the_certificates_in_its_scope(admin, pki, ca, directory, case):
    """With `required` a certificate outside the list's scope is refused as without a list, and one
    inside is admitted; OpenSSL agrees on each."""
    said, points, covered = SCOPES[case]
    made = revocation_list(ca, number=1, **resolved(ca, said))
    device = device_of(pki, ca, *resolved(ca, points))
    by_openssl = openssl_takes(directory, ca, device, made)
    if covered is None:  # the CA's own name stands for a certificate without places: 6.3.3
        assert not by_openssl
        covered = True
    else:
        assert by_openssl == covered
    import_list(admin, ca, made)
    admin.activate(device)

    assert why_refused(admin, device) == (None if covered else ELSEWHERE)
    answer = admin.call("explain", certificateId=device.id, clientId="d1")["connect"]
    assert answer.get("reason") == (None if covered else ELSEWHERE)


def test_point_with_an_issuer_of_lists_is_not_about_a_list_of_the_ca(admin, pki, ca):
    """Such a point wants an indirect list (RFC 5280 6.3.3 (b)(1))."""
    device = admin.activate(device_of(pki, ca, {
        "full_name": [x509.UniformResourceIdentifier(ONE)],
        "crl_issuer": [x509.DirectoryName(name_of(ca))]}))
    import_list(admin, ca, revocation_list(ca, place=ONE))
    assert why_refused(admin, device) == ELSEWHERE


def test_certificate_of_a_ca_is_not_on_a_list_of_users(admin, pki, ca):
    """onlyContainsUserCerts (RFC 5280 6.3.3 (b)(2)(ii))."""
    device = admin.activate(pki.device("d1", issuer=ca, extensions=[der.basic_constraints(True)]))
    import_list(admin, ca, revocation_list(ca, only_contains_user_certs=True))
    assert why_refused(admin, device) == ELSEWHERE


@pytest.mark.parametrize("check, refused", [("required", True), ("grace 3", True),
                                            ("if-present", False)])
def test_device_revoked_on_another_part(admin, pki, ca, check, refused):
    """An attack: the CA spreads its devices over two lists, this one is on the second, and the
    first is imported. Where a list is required it is not admitted."""
    admin.update_ca(ca, crlCheck=check)
    revoked, good = (admin.activate(device_of(pki, ca, place, name=name))
                     for place, name in ((TWO, "revoked"), (ONE, "good")))
    import_list(admin, ca, revocation_list(ca, number=1, place=ONE))

    assert why_refused(admin, revoked) == (ELSEWHERE if refused else None)
    assert why_refused(admin, good) is None
    assert "for the distribution point %s, the one in force for %s" % (TWO, ONE) in refusal_of(
        admin, ca, revocation_list(ca, revoked, number=2, place=TWO))
    assert describe_list(admin, ca)["crl"]["distributionPoints"] == [ONE]
    assert why_refused(admin, good) is None


def test_first_connection_of_a_device_of_another_part(admin, pki, ca):
    """A rule does not activate it either: neither at the connection nor when it is stored."""
    admin.update_ca(ca, activation='{}')
    import_list(admin, ca, revocation_list(ca, number=1, place=ONE))
    other, ours = device_of(pki, ca, TWO, name="other"), device_of(pki, ca, ONE, name="ours")

    for _ in range(2):
        assert why_refused(admin, other) == ELSEWHERE
        assert admin.status(other) == "PENDING_ACTIVATION"
    assert why_refused(admin, ours) is None
    assert admin.status(ours) == "ACTIVE"


def test_listed_device_is_refused_by_a_list_of_any_scope(admin, pki, ca):
    """A serial number is one of the CA's: a list that names it has revoked it."""
    admin.update_ca(ca, crlCheck="if-present")
    device = admin.activate(device_of(pki, ca, TWO))
    assert import_list(admin, ca, revocation_list(ca, device, place=ONE, hold=True)
                       )["certificatesRevoked"] == 0
    assert why_refused(admin, device) == "CERTIFICATE_ON_HOLD"
    import_list(admin, ca, revocation_list(ca, device, place=ONE))
    assert admin.status(device) == "REVOKED"


def test_which_list_replaces_which(admin, pki, ca):
    """A partial list replaces an older one of the same distribution point only; a complete list
    replaces any."""
    device = admin.activate(device_of(pki, ca, ONE))
    import_list(admin, ca, revocation_list(ca, number=7))
    assert "the CA has a list for all in force" in refusal_of(
        admin, ca, revocation_list(ca, number=8, place=ONE))
    assert why_refused(admin, device) is None
    delete_list(admin, ca)
    import_list(admin, ca, revocation_list(ca, number=8, place=ONE))
    import_list(admin, ca, revocation_list(ca, number=9, place=[
        x509.UniformResourceIdentifier(LDAP), x509.UniformResourceIdentifier(ONE)]))
    assert describe_list(admin, ca)["crl"]["distributionPoints"] == [LDAP, ONE]
    assert "older" in refusal_of(admin, ca, revocation_list(ca, number=8, place=ONE))
    assert "distributionPoints" not in import_list(
        admin, ca, revocation_list(ca, number=1))["crl"]


@pytest.mark.parametrize("scope, says", [
    ({"indirect_crl": True}, "an indirect list"),
    ({"only_contains_ca_certs": True}, "only certificates of CAs"),
    ({"only_contains_attribute_certs": True}, "only attribute certificates"),
    ({"only_some_reasons": frozenset([x509.ReasonFlags.key_compromise])}, "some reasons"),
    ({"place": [x509.UniformResourceIdentifier("http://%d" % n) for n in range(17)]},
     "more than 16 names"),
    ({"place": "http://example.com/" + 1024 * "x"}, "1024 bytes"),
], ids=lambda value: "")
def test_list_that_cannot_be_handled_is_refused_in_words(admin, ca, scope, says):
    """RFC 5280 5.2.5: a list that is not fully understood is not used."""
    scope = {"place": ONE, **scope}
    assert says in refusal_of(admin, ca, revocation_list(ca, **scope))
    assert "crl" not in describe_list(admin, ca)


# Lists as these CAs write them: what they say of their scope, and what goes into
# certificates.  step-ca writes nothing into certificates unless the template says so.
AUTHORITIES = {
    "step-ca": ({"place": "https://ca.example.com/1.0/crl", "only_contains_user_certs": True},
                ("https://ca.example.com/1.0/crl",)),
    "EJBCA": ({"place": ONE}, (ONE,)),
    "EJBCA without a place": ({}, (ONE,)),
    "AD CS": ({"place": [x509.UniformResourceIdentifier(LDAP),
                         x509.UniformResourceIdentifier(ONE)]},
              ([x509.UniformResourceIdentifier(LDAP), x509.UniformResourceIdentifier(ONE)],)),
    "AD CS without a place": ({}, (LDAP,)),
    "AWS Private CA": ({"place": "http://bucket.s3.us-east-1.amazonaws.com/crl/0b6f.crl"},
                       ("http://bucket.s3.us-east-1.amazonaws.com/crl/0b6f.crl",)),
}


@pytest.mark.parametrize("name", AUTHORITIES)
def test_complete_lists_of_known_authorities(admin, pki, ca, name):
    """They are imported, cover the devices of the CA, revoke those on them, and are replaced by the
    next."""
    scope, points = AUTHORITIES[name]
    good, bad = (admin.activate(device_of(pki, ca, *points, name=n)) for n in ("good", "bad"))
    import_list(admin, ca, revocation_list(ca, number=1, **scope))
    assert (why_refused(admin, good), why_refused(admin, bad)) == (None, None)

    import_list(admin, ca, revocation_list(ca, bad, number=2, **scope))
    assert (why_refused(admin, good), admin.status(bad)) == (None, "REVOKED")
