# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Certificate revocation lists made for one test run, and requests to import them."""
import base64
import datetime
import itertools
import random

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

import der

DAY = datetime.timedelta(days=1)
CRL_NUMBER = "2.5.29.20"
PART_SIZE = 345000  # as the command line has it

_numbers = itertools.count(1)


def serial_of(device):
    return x509.load_pem_x509_certificate(device.pem.encode()).serial_number


def names_of(place):
    return [x509.UniformResourceIdentifier(place)] if isinstance(place, str) else place


def issuing_point(place=None, **scope):
    """issuingDistributionPoint (RFC 5280 5.2.5)."""
    said = {"full_name": names_of(place), "relative_name": None, "only_contains_user_certs": False,
            "only_contains_ca_certs": False, "only_some_reasons": None, "indirect_crl": False,
            "only_contains_attribute_certs": False, **scope}
    return x509.IssuingDistributionPoint(**said)


def distribution_points(*points):
    """cRLDistributionPoints of a certificate (RFC 5280 4.2.1.13), for der.py: each a URI,
    names, or what x509.DistributionPoint() takes."""
    def point(of):
        said = {"full_name": None, "relative_name": None, "reasons": None, "crl_issuer": None,
                **(of if isinstance(of, dict) else {"full_name": names_of(of)})}
        return x509.DistributionPoint(**said)

    value = x509.CRLDistributionPoints([point(of) for of in points]).public_bytes()
    return der.extension("2.5.29.31", value)


def revocation_list(ca, *devices, age=0, signer=None, serials=(), number=None, hold=False,
                    place=None, **scope):
    """A list in PEM, valid for a day, issued so many days ago, with these devices and serial
    numbers; hold: reason certificateHold. place: a URI, or the names of its distribution point;
    scope: more arguments of issuing_point()."""
    issued = datetime.datetime.now(datetime.timezone.utc) - age * DAY - datetime.timedelta(minutes=1)
    issuer = x509.load_pem_x509_certificate(ca.pem.encode()).subject
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer)
    builder = builder.last_update(issued).next_update(issued + DAY)
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    if place is not None or scope:
        builder = builder.add_extension(issuing_point(place, **scope), critical=True)
    for serial in [*map(serial_of, devices), *serials]:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued)
        if hold:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.certificate_hold),
                                        critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign((signer or ca).key, hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def to_der(pem):
    return base64.b64decode("".join(line for line in pem.split("\n") if "-----" not in line))


def _many_entries(count, issued):
    """Distinct serial numbers in no order, the same ones each time: computed by columns, because a
    loop of a million is slow."""
    entry = der.sequence(der.integer(1 << 126), issued)
    at = len(entry) - len(issued) - 8
    entries = bytearray(entry * count)
    numbers = random.Random(count)
    for column in range(at, at + 8):
        entries[column::len(entry)] = numbers.randbytes(count)
    return bytes(entries)


def large_list(ca, count, *devices, number=1):
    """A list in DER with that many entries in addition to these devices."""
    issued, until = der.time_of(der.days_from_now(-1)), der.time_of(der.days_from_now(30))
    entries = [der.sequence(der.integer(serial_of(d)), issued) for d in devices]
    algorithm, _ = der.signature(ca.key, "sha256", b"")
    extensions = der.sequence(der.authority_key_id(ca.key),
                              der.extension(CRL_NUMBER, der.integer(number)))
    body = der.sequence(der.integer(1), algorithm, ca.subject, issued, until,
                        der.sequence(*entries, _many_entries(count, issued)),
                        der.tlv(0xA0, extensions))
    _, signed = der.signature(ca.key, "sha256", body)
    return der.sequence(body, algorithm, der.bit_string(signed))


# -- what an administrator does with them --------------------------------------------

def import_list(admin, ca, made):
    """Import PEM text or DER bytes and return the data of the answer."""
    text = made if isinstance(made, str) else base64.b64encode(made).decode()
    return admin.call("importCrl", caCertificateId=ca.id, crl=text)


def parts_of(ca, made, size=PART_SIZE, upload=None):
    """The members of the requests that send a DER list in parts."""
    upload = upload or "upload-%d" % next(_numbers)
    pieces = [made[at:at + size] for at in range(0, len(made), size)]
    return [{"caCertificateId": ca.id, "uploadId": upload, "part": n, "parts": len(pieces),
             "crl": base64.b64encode(piece).decode()} for n, piece in enumerate(pieces, 1)]


def import_in_parts(admin, ca, made, size=PART_SIZE):
    """Import a list in parts and return the answer to the last."""
    answers = [admin.call("importCrl", **part) for part in parts_of(ca, made, size)]
    assert [a["part"] for a in answers[:-1]] == list(range(1, len(answers)))
    return answers[-1]


def describe_list(admin, ca):
    return admin.call("describeCrl", caCertificateId=ca.id)


def delete_list(admin, ca):
    return admin.call("deleteCrl", caCertificateId=ca.id)
