# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""explain verifies a chain as the listener does, names the certificate and the reason, and
registering a CA that TLS will hold against its devices is answered with a warning."""
import datetime
import time

import pytest

import der
from test_trust_store import take_away

EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS = "2.5.29.37", "2.5.29.15", "2.5.29.30"
SERVER_AUTH, CLIENT_AUTH = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
STORES = pytest.mark.parametrize("store", ["capath", "live"])


def extended_key_usage(*purposes):
    return der.extension(EXTENDED_KEY_USAGE, der.sequence(*(der.oid(p) for p in purposes)))


def key_usage(bits):
    return der.extension(KEY_USAGE, der.tlv(0x03, b"\0" + bytes([bits])), critical=True)


def name_constraints(tag, dns):
    """tag: 0xA0 permitted, 0xA1 excluded."""
    subtree = der.sequence(der.tlv(0x82, dns.encode()))
    return der.extension(NAME_CONSTRAINTS, der.sequence(der.tlv(tag, subtree)), critical=True)


def path_length(length):
    return der.extension(der.BASIC_CONSTRAINTS,
                         der.sequence(der.tlv(0x01, b"\xff"), der.integer(length)), critical=True)


CA = der.basic_constraints(True)
ELSEWHERE, HERE = (der.subject_alt_names(["d1.%s.example" % w]) for w in ("elsewhere", "plant"))
PERMITTED = [CA, name_constraints(0xA0, "plant.example")]
EXCLUDED = [CA, name_constraints(0xA1, "elsewhere.example")]


def below(root=None, sub=None):
    """A root and a CA below it, with these extensions."""
    def make(pki):
        first = pki.ca("root", key_ids=False, extensions=root)
        return [first, pki.ca("sub", parent=first, key_ids=False, extensions=sub)]
    return make


def alone(*extensions):
    return lambda pki: [pki.ca("sub", key_ids=False, extensions=list(extensions) or None)]


# CAs, all registered, the last issues; the device's extensions; is it accepted; the name that
# explain tells and words of its reason; a warning when the CAs are registered.
ROWS = {
    "an ordinary CA": (alone(), [], None, None),
    "an ordinary CA below another": (below(), [], None, None),
    "a name that is permitted": (alone(*PERMITTED), [HERE], None, "nameConstraints"),
    "a name that is not permitted": (alone(*PERMITTED), [ELSEWHERE],
                                     ("d1", "permitted subtree violation"), "nameConstraints"),
    "a name that is excluded": (alone(*EXCLUDED), [ELSEWHERE], ("d1", "excluded subtree violation"),
                                "nameConstraints"),
    "constraints above a registered CA": (below(root=PERMITTED), [ELSEWHERE], None,
                                          "nameConstraints"),
    "a CA for servers": (alone(CA, extended_key_usage(SERVER_AUTH)), [], ("sub", "purpose"),
                         "extendedKeyUsage"),
    "a CA for clients": (alone(CA, extended_key_usage(CLIENT_AUTH)), [], None, None),
    "a root for servers": (below(root=[CA, extended_key_usage(SERVER_AUTH)]), [], None,
                           "extendedKeyUsage"),
    "a device for servers": (alone(), [extended_key_usage(SERVER_AUTH)], ("d1", "purpose"), None),
    "a device that may not sign": (alone(), [key_usage(0x20)], ("d1", "purpose"), None),
    "a path above a registered CA": (below(root=[path_length(0)]), [], None, None),
    "a CA with a path length of 0": (alone(path_length(0)), [], None, None),
}


@STORES
@pytest.mark.parametrize("what", ROWS)
def test_explain_says_what_tls_does(start_broker, pki, what, store):
    """explain has allowed: true for exactly the chains that TLS accepts (X509_verify_cert, purpose
    client); for others it has the refused certificate and the reason."""
    make, extensions, fault, warning = ROWS[what]
    cas = make(pki)
    broker = start_broker(plugin={"trust_store": store, "authorization": "allow"})
    admin = broker.admin()
    warnings = [w for ca in cas for w in admin.register_ca(ca).get("warnings", [])]
    assert (warnings != []) == (warning is not None)
    assert all("TLS will refuse certificates of this CA" in w and warning in w for w in warnings)
    device = pki.device("d1", issuer=cas[-1], key_ids=False, extensions=extensions)
    stranger = pki.device("d1", issuer=cas[-1], key_ids=False, extensions=extensions)
    admin.register_certificate(device, status="ACTIVE")

    assert broker.connect(device).accepted == (fault is None)
    connect = admin.call("explain", certificateId=device.id, clientId="d1")["connect"]
    assert connect["allowed"] == (fault is None)
    new = admin.call("explain", certificatePem=stranger.pem, clientId="d1")["connect"]
    assert new["registersCertificate"] == (fault is None)
    for answer in (connect, new) if fault is not None else ():
        assert answer["reason"] == "CERTIFICATE_CHAIN_REFUSED"
        assert "CN=%s" % fault[0] in answer["details"] and fault[1] in answer["details"]


@STORES
@pytest.mark.parametrize("issuer", ["root", "sub"])
def test_validity_along_the_chain(start_broker, pki, store, issuer):
    """After the issuer has expired TLS refuses its devices, and explain names it. CAs above a
    registered one do not matter, live and in explain."""
    soon = datetime.timedelta(seconds=4).total_seconds() / 86400
    cas = {"root": pki.ca("root", key_ids=False, days=(-1, soon))}
    cas["sub"] = pki.ca("sub", parent=cas["root"], key_ids=False)
    broker = start_broker(plugin={"trust_store": store, "authorization": "allow"})
    admin = broker.admin()
    for ca in cas.values():
        admin.register_ca(ca)
    device = pki.device("d1", issuer=cas[issuer], key_ids=False)
    admin.register_certificate(device, status="ACTIVE")
    time.sleep(5.5)  # until it has expired: nothing tells
    assert broker.connect(device).accepted == (issuer == "sub")
    answer = admin.call("explain", certificateId=device.id, clientId="d1")["connect"]
    assert answer["allowed"] == (issuer == "sub")
    if issuer == "root":
        assert "CN=root" in answer["details"] and "expired" in answer["details"]


def test_ca_that_was_deleted_is_trusted_by_files_alone(start_broker, pki):
    """With trust_store live the devices of a deleted CA cannot connect, and explain says so; with
    capath they can."""
    for store, accepted in (("live", False), ("capath", True)):
        broker = start_broker(plugin={"trust_store": store, "authorization": "allow"})
        admin = broker.admin()
        ca = pki.ca("factory " + store)
        admin.register_ca(ca)
        device = pki.device("d1", issuer=ca)
        admin.register_certificate(device, status="ACTIVE")
        assert broker.connect(device).accepted
        take_away(admin, ca)
        answer = admin.call("explain", certificateId=device.id, clientId="d1")
        assert answer["connect"]["allowed"] == broker.connect(device).accepted == accepted
        if not accepted:
            assert answer["connect"]["reason"] == "CERTIFICATE_CHAIN_REFUSED"
        else:
            assert "no registered CA has issued this certificate" in answer["warnings"][0]
