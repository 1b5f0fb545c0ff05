# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Hostile certificates, presented in a handshake or sent in a request. Each is refused with a
reason, no other client is affected, and the broker keeps running (contract, section 8)."""
import base64
import contextlib
import random
import re
import socket
import ssl

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import der
import raw
from admin import AwsError
from pki import Device, new_key
from silence import assert_silent
from test_ca_registry import refusal
from test_certificate_registry import VECTOR
from wait import until


@pytest.fixture
def lenient(start_broker):
    """A broker whose TLS accepts weak keys and digests, so that the plugin has to refuse them."""
    return start_broker(tls=["ciphers ALL:@SECLEVEL=0"])


def is_turned_away(broker, device, reason):
    """Neither admitted nor registered; the reason comes from the plugin, or from OpenSSL where the
    handshake fails first."""
    admin = broker.admin()
    session = broker.connect(device)
    assert session.turned_away
    assert admin.status(device) is None
    lines = broker.log_lines("connection refused", device.id)
    if session.code is not None:
        assert len(lines) == 1 and reason in lines[0]
    else:
        assert lines == []
        # The broker's words differ with how far its library got when it saw the mistake.
        until(lambda: re.search("OpenSSL Error|rotocol error|Client <unknown>|connection from "
                                r"\S+ failed", broker.log()),
              "a word from TLS in:\n" + broker.log())
    assert broker.connect(admin.activate(broker.pki.device("after", device.issuer))).accepted


def factory_of(broker, **how):
    ca = broker.pki.ca("factory", **how)
    broker.admin().register_ca(ca)
    return ca


# -- presented in a handshake --------------------------------------------------------

@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_weak_digests(lenient, pki, digest):
    """MD5 and SHA-1 can be forged: such a certificate is not registered, even if TLS accepts it
    (aws-iot D.6)."""
    ca = factory_of(lenient, key=new_key("RSA-2048"))
    device = pki.device("d1", issuer=ca, digest=digest)
    device.weak = True
    is_turned_away(lenient, device, "algorithm that is not accepted")


def test_rsa_1024(lenient, pki):
    """RSA below 2048 bits is not registered (aws-iot D.6)."""
    device = pki.device("d1", issuer=factory_of(lenient), key=new_key("RSA-1024"))
    device.weak = True
    is_turned_away(lenient, device, "key is too weak")


def test_rsa_512(lenient, pki):
    """512 bits can be factored on a desktop computer: such a key is refused (contract, section
    8)."""
    device = pki.rsa_512_device("d1", factory_of(lenient))
    device.weak = True
    admin = lenient.admin()
    try:
        session = lenient.connect(device, tls_version=ssl.TLSVersion.TLSv1_2)
    except ssl.SSLError:
        pytest.skip("this OpenSSL does not even load the key")
    assert session.turned_away
    assert admin.status(device) is None
    assert session.code is None or lenient.log_lines("key is too weak", device.id)


def test_curve_that_is_not_accepted(lenient, pki):
    """Only the NIST curves (aws-iot D.6)."""
    device = pki.device("d1", issuer=factory_of(lenient),
                        key=ec.generate_private_key(ec.SECP256K1()))
    device.weak = True
    is_turned_away(lenient, device, "key is too weak")


def test_ca_as_a_device(broker, pki):
    """A certificate that may sign others is not registered as a device (aws-iot D.6)."""
    ca = factory_of(broker)
    device = pki.device("d1", issuer=ca, extensions=[der.basic_constraints(True)])
    is_turned_away(broker, device, "CA certificate used as a client's")


def test_registered_ca_as_a_device(broker, pki):
    """Nor is a registered CA itself, whose key is at the factory (aws-iot D.6)."""
    ca = factory_of(broker)
    device = Device("ca", ca.der, ca.key, ca.key_text, ca)
    assert broker.connect(device).turned_away
    assert broker.admin().status(device) is None


@pytest.mark.parametrize("how, reason", [
    ({"days": (-20, -10)}, "expired"),
    ({"days": (10, 20)}, "not valid yet"),
    ({"spoil": True}, "did not sign"),
    ({"extensions": [der.extension("1.2.3.4", b"\5\0", critical=True)]}, "not understood"),
    ({"extensions": [der.extension("1.2.3.4", b"\5\0")] * 2}, "not understood"),
    ({"extensions": [der.extension("1.2.3.%d" % n, b"\5\0") for n in range(100)]},
     "not understood"),
    ({"version": 1, "extensions": [der.extension("1.2.3.4", b"\5\0")]}, "not understood"),
    ({"extensions": [der.extension(der.EXTENDED_KEY_USAGE, der.sequence(
        der.oid("1.3.6.1.5.5.7.3.1")))]}, "never comes so far"),
    ({"extensions": [der.subject_alt_names("d%d.example" % n for n in range(10000))]},
     "never comes so far"),
], ids=["expired", "not yet valid", "broken signature", "unknown critical extension",
        "double extension", "100 extensions", "extensions in version 1",
        "for servers only", "10 000 alternative names"])
def test_certificates_that_are_refused(broker, pki, how, reason):
    """By the plugin or by TLS before it, with a line in the log, and not registered (aws-iot D.6;
    contract, section 8)."""
    is_turned_away(broker, pki.device("d1", issuer=factory_of(broker), **how), reason)


def subject(text, tag=0x0C):
    return der.sequence(der.tlv(0x31, der.sequence(der.oid(der.COMMON_NAME), der.tlv(tag, text))))


@pytest.mark.parametrize("how", [
    {"serial": 0},
    {"serial": -1},
    {"serial": 1 << 2000},
    {"subject": der.sequence()},
    {"subject": subject(b"d1\0.example")},
    {"subject": subject("d1 é \U0001f600".encode())},
    {"subject": subject("d\0é".encode("utf-16-be"), tag=0x1E)},
    {"subject": subject(b"x" * 20000)},
    {"subject": der.name(*[(der.COMMON_NAME, "d%d" % n) for n in range(500)])},
    {"extensions": [der.subject_alt_names("d%d.example" % n for n in range(500))]},
    {"days": (-1, 365000)},
], ids=["serial 0", "serial negative", "serial of 2000 bits", "no subject", "NUL in the name",
        "beyond ASCII", "16 bits a letter", "name of 20 000 bytes", "500 names",
        "500 alternative names", "until the year 3000"])
def test_unusual_but_valid_certificates(broker, pki, how):
    """Unusual properties that do not concern the key are registered like any other (aws-iot
    B.1: the id is that of the whole certificate; RFC 5280 4.1.2.2: be prepared for such serial
    numbers)."""
    ca = factory_of(broker)
    admin = broker.admin()
    events = admin.listen_to_events(ca)
    device = pki.device("d1", issuer=ca, **how)

    assert broker.connect(device).refused
    assert events.next()["certificateId"] == device.id
    assert admin.describe_certificate(device)["certificatePem"] == device.pem
    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(device).accepted


def test_garbage_instead_of_tls(broker, pki, admin, factory):
    """Bytes that are no TLS, and TLS that is no MQTT (contract, section 8)."""
    events = admin.listen_to_events()
    chance = random.Random(5)
    for size in (1, 5, 100, 5000, 70000):
        with socket.create_connection(("127.0.0.1", broker.ports["tls"])) as s:
            with contextlib.suppress(OSError):
                s.sendall(chance.randbytes(size))
    device = pki.device("d1", issuer=factory)
    for packet in (b"\x10", b"\x10\xff\xff\xff\xff\xff", chance.randbytes(5000),
                   raw.packet(0x10, b""), raw.packet(0x10, b"\0\4MQTT\4"),
                   raw.packet(0x10, b"\0\4MQTT\x63\2\0\0\0\0"), b"\x82\2\0\1",
                   raw.packet(0x30, raw.text("t/1") + b"x")):
        with contextlib.suppress(OSError):
            raw.answer_to_shut(broker, device, packet)
    assert_silent(events)
    assert admin.status(device) is None


def test_storm_of_refusals_loses_nothing(broker, pki, admin, factory):
    """Good devices are served while bad ones keep coming (contract, section 8)."""
    bad = pki.device("bad", issuer=factory, extensions=[der.basic_constraints(True)])
    good = [pki.device("g%d" % n, issuer=factory) for n in range(10)]
    for device in good:
        for _ in range(5):
            assert raw.first_connection(broker, bad) == 5
        assert raw.first_connection(broker, device) == 5
    assert sorted(admin.ids()) == sorted(d.id for d in good)


# -- handed over in a request ------------------------------------------------------------

def test_too_many_alternative_names(pki, admin, factory):
    """10 000 of them: longer than AWS accepts (aws-iot 1.7)."""
    device = pki.device("d1", issuer=factory, extensions=[
        der.subject_alt_names("d%d.example" % n for n in range(10000))])
    assert refusal(admin.register_certificate, device).name == "InvalidRequestException"


@pytest.mark.parametrize("how", [
    {"extensions": [der.extension(der.KEY_USAGE, b"rubbish", critical=True)]},
    {"subject": subject(b"d1 \xff\xfe")},
], ids=["unreadable extension", "name that is not UTF-8"])
def test_what_no_client_could_present(pki, admin, factory, how):
    """Certificates that OpenSSL does not even load are refused, too (aws-iot A.3.1)."""
    device = pki.device("d1", issuer=factory, **how)
    assert refusal(admin.register_certificate, device).name == "CertificateValidationException"


@pytest.mark.parametrize("serial", [0, -1, 1 << 2000])
def test_serial_numbers(pki, admin, factory, serial):
    """Registered by a command as by a connection (RFC 5280 4.1.2.2)."""
    device = pki.device("d1", issuer=factory, serial=serial)
    assert admin.register_certificate(device)["certificateId"] == device.id


def test_names_with_a_nul_prove_nothing(pki, admin):
    """A code with a NUL behind it is not the code (aws-iot C: compared exactly)."""
    ca = pki.ca("factory")
    code = admin.registration_code()
    proof = pki.verification(ca, None, subject=subject(code.encode() + b"\0x"))
    assert refusal(admin.register_ca, ca,
                   verification=proof).name == "RegistrationCodeValidationException"


def test_proof_with_a_weak_digest(pki, admin):
    """SHA-1 and MD5 prove nothing: the CA may have signed another text with the same digest
    (aws-iot C, D.6)."""
    ca = pki.ca("factory", key=new_key("RSA-2048"))
    code = admin.registration_code()
    for digest in ("sha1", "md5"):
        proof = pki.verification(ca, code, digest=digest)
        assert refusal(admin.register_ca, ca,
                       verification=proof).name == "CertificateValidationException"


def test_certificate_with_something_behind_it(pki, admin, factory):
    """The bytes of the id must be the bytes of the certificate, and no more (aws-iot B.1)."""
    device = pki.device("d1", issuer=factory)
    for text in (der.pem(device.der + b"\0"), der.pem(device.der[:-1]),
                 device.pem + pki.device("d2", issuer=factory).pem,
                 device.pem + device.key_text):
        assert refusal(admin.register_certificate, text).name == "CertificateValidationException"
    assert admin.ids() == []


def test_thousand_damaged_certificates(admin):
    """Every byte of a certificate changed, left out or doubled: each is answered, and the broker
    keeps running (contract, section 8)."""
    body = base64.b64decode("".join(VECTOR.splitlines()[1:-1]))
    chance = random.Random(3)
    damaged = []
    for at in range(len(body)):
        damaged += [body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1:],
                    body[:at] + body[at + 1:], body[:at] + body[at:at + 1] + body[at:]]
    names = set()
    for start in range(0, len(damaged), 50):
        answers = admin.request(*(
            {"command": "registerCertificateWithoutCA", "certificatePem": der.pem(d)}
            for d in damaged[start:start + 50]))
        names |= {a.get("error") for a in answers}
        assert len(answers) == len(damaged[start:start + 50])
    assert names <= {None, "CertificateValidationException", "ResourceAlreadyExistsException"}


@pytest.mark.parametrize("attack", ["private key", "no base64", "very long line", "many blocks"])
def test_pem_attacks(pki, admin, factory, attack):
    """Refused, and the error does not repeat the content (contract, section 8)."""
    device = pki.device("d1", issuer=factory)
    text = {
        "private key": device.key_text,
        "no base64": device.pem.replace("MII", "M!!"),
        "very long line": "-----BEGIN CERTIFICATE-----" + "A" * 60000,
        "many blocks": "-----BEGIN CERTIFICATE-----\n" * 2000,
    }[attack]
    with pytest.raises(AwsError) as error:
        admin.register_certificate(text)
    assert error.value.name == "CertificateValidationException"
    assert "A" * 100 not in error.value.message
