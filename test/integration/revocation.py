# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Certificate revocation lists, minted for one test run."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

DAY = datetime.timedelta(days=1)


def serial_of(device):
    return x509.load_pem_x509_certificate(device.pem.encode()).serial_number


def revocation_list(ca, *devices, age=0, signer=None, serials=(), number=None, hold=False):
    """One in PEM that counts for a day, issued so many days ago, which names these devices
    and these serial numbers; hold: for the time being."""
    issued = datetime.datetime.utcnow() - age * DAY - datetime.timedelta(minutes=1)
    issuer = x509.load_pem_x509_certificate(ca.pem.encode()).subject
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer)
    builder = builder.last_update(issued).next_update(issued + DAY)
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for serial in [*map(serial_of, devices), *serials]:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued)
        if hold:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.certificate_hold),
                                        critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign((signer or ca).key, hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()
