# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""One certificate in several forms: the signed part is the same, the bytes around it differ."""
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import utils

import der
from pki import Device

# The order of P-256: with s, its difference to that is as good.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _parts(device):
    certificate = x509.load_der_x509_certificate(device.der)
    algorithm, _ = der.signature(device.issuer.key, "sha256", b"")
    return certificate.tbs_certificate_bytes, algorithm, certificate.signature


def _again(device, body):
    return Device(device.name, body, device.key, device.key_text, device.issuer)


def turned(device):
    """A form that every TLS library accepts: s is replaced by n - s."""
    signed, algorithm, signature = _parts(device)
    r, s = utils.decode_dss_signature(signature)
    return _again(device, der.sequence(
        signed, algorithm, der.bit_string(utils.encode_dss_signature(r, ORDER - s))))


def spoiled(device):
    """Other forms, which TLS refuses: another signature, unused bits, another algorithm outside
    than inside, bytes behind the signature."""
    signed, algorithm, signature = _parts(device)
    _, other = der.signature(device.issuer.key, "sha256", b"something else")
    with_null = der.sequence(der.oid("1.2.840.10045.4.3.2"), der.tlv(0x05))
    return {
        "signature": _again(device, der.sequence(signed, algorithm, der.bit_string(other))),
        "unused bits": _again(device, der.sequence(
            signed, algorithm, der.tlv(0x03, b"\1", signature[:-1],
                                       bytes([signature[-1] & 0xFE])))),
        "algorithm": _again(device, der.sequence(signed, with_null, der.bit_string(signature))),
        "trailing": _again(device, der.sequence(
            signed, algorithm, der.bit_string(signature), der.integer(1))),
        "behind": _again(device, device.der + der.integer(1)),
        "long length": _again(device, b"\x30\x83\0" + device.der[2:]),
    }
