# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""X.509 certificates byte by byte. No library makes certificates as an attacker does, with a serial
number of zero, a NUL in a name or an invalid signature. So the certificates of these tests are
assembled here; only keys and signatures come from a library."""
import base64
import datetime
import ipaddress
import textwrap

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

COMMON_NAME = "2.5.4.3"
SUBJECT_KEY_ID = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALT_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
AUTHORITY_KEY_ID = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"

RSA_SIGNATURES = {
    "md5": ("1.2.840.113549.1.1.4", hashes.MD5),
    "sha1": ("1.2.840.113549.1.1.5", hashes.SHA1),
    "sha256": ("1.2.840.113549.1.1.11", hashes.SHA256),
    "sha384": ("1.2.840.113549.1.1.12", hashes.SHA384),
    "sha512": ("1.2.840.113549.1.1.13", hashes.SHA512),
}
EC_SIGNATURES = {
    "sha1": ("1.2.840.10045.4.1", hashes.SHA1),
    "sha256": ("1.2.840.10045.4.3.2", hashes.SHA256),
    "sha384": ("1.2.840.10045.4.3.3", hashes.SHA384),
    "sha512": ("1.2.840.10045.4.3.4", hashes.SHA512),
}


def tlv(tag, *parts):
    """Tag, length and value, of which all DER consists."""
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(number):
    size = (number.bit_length() if number >= 0 else (number + 1).bit_length()) // 8 + 1
    return tlv(0x02, number.to_bytes(size, "big", signed=True))


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    body = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        septets = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            septets.append(0x80 | arc & 0x7F)
        body += bytes(reversed(septets))
    return tlv(0x06, body)


def bit_string(body):
    return tlv(0x03, b"\0", body)


def octet_string(body):
    return tlv(0x04, body)


def name(*attributes):
    """Relative distinguished names: (oid, text) each, as UTF8String."""
    return sequence(*(tlv(0x31, sequence(oid(kind), tlv(0x0C, text.encode())))
                      for kind, text in attributes))


def time_of(moment):
    if moment.year < 2050:
        return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def extension(kind, value, critical=False):
    return sequence(oid(kind), tlv(0x01, b"\xff") if critical else b"", octet_string(value))


def basic_constraints(ca):
    return extension(BASIC_CONSTRAINTS, sequence(tlv(0x01, b"\xff") if ca else b""), critical=True)


def key_identifier(key):
    digest = hashes.Hash(hashes.SHA1())
    digest.update(spki(key))
    return digest.finalize()


def subject_key_id(key):
    return extension(SUBJECT_KEY_ID, octet_string(key_identifier(key)))


def authority_key_id(key):
    return extension(AUTHORITY_KEY_ID, sequence(tlv(0x80, key_identifier(key))))


def subject_alt_names(names):
    return extension(SUBJECT_ALT_NAME, sequence(*(tlv(0x82, n.encode()) for n in names)))


# The context tags of a general name (RFC 5280 4.2.1.6), called as openssl x509 calls them.
GENERAL_NAMES = {"email": 0x81, "DNS": 0x82, "URI": 0x86, "IP": 0x87}


def general_names(*names):
    """Alternative names of several kinds: (kind, text or bytes) each."""
    def value(kind, text):
        if isinstance(text, bytes):
            return text
        return ipaddress.ip_address(text).packed if kind == "IP" else text.encode()

    return extension(SUBJECT_ALT_NAME, sequence(*(tlv(GENERAL_NAMES[kind], value(kind, text))
                                                  for kind, text in names)))


def spki(key):
    """The public half of a key; bytes are used unchanged."""
    if isinstance(key, bytes):
        return key
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signature(key, digest, message):
    """The algorithm's identifier and its signature of the message."""
    if isinstance(key, rsa.RSAPrivateKey):
        kind, function = RSA_SIGNATURES[digest]
        return (sequence(oid(kind), tlv(0x05)),
                key.sign(message, padding.PKCS1v15(), function()))
    kind, function = EC_SIGNATURES[digest]
    return sequence(oid(kind)), key.sign(message, ec.ECDSA(function()))


def certificate(subject, issuer, key, signer, serial, not_before, not_after,
                extensions=(), version=3, digest="sha256", spoil=False):
    """DER of a certificate. subject and issuer: names as made by name(); spoil: the signature is of
    another message."""
    algorithm, _ = signature(signer, digest, b"")
    body = sequence(
        tlv(0xA0, integer(version - 1)) if version > 1 else b"",
        integer(serial), algorithm, issuer,
        sequence(time_of(not_before), time_of(not_after)),
        subject, spki(key),
        tlv(0xA3, sequence(*extensions)) if extensions else b"")
    _, signed = signature(signer, digest, body + b"?" if spoil else body)
    return sequence(body, algorithm, bit_string(signed))


def pem(der):
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join(["-----BEGIN CERTIFICATE-----"] + lines + ["-----END CERTIFICATE-----", ""])


# RFC 5280 4.1.2.5: it never expires.
NEVER = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)


def days_from_now(days):
    """A number of days from now; a time is returned unchanged."""
    if isinstance(days, datetime.datetime):
        return days
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return now + datetime.timedelta(days=days)
