# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Nothing fails silently: every refusal is in the broker's log, in the log file, in the counters
and, if there is one, on the record of the certificate (contract, section 9)."""
import contextlib
import json
import re
import time

import pytest

import der
import raw
from counters import Counters
from pki import new_key
from provisioning import ROLE, template
from revocation import revocation_list
from test_logs import entries
from trust import trust
from twins import turned
from wait import until

REFUSED = "connections/refused"
ELSEWHERE = "127.0.0.2"

FAILED_REGISTRATION, NOT_LET_IN = "RegisterCertificateJIT", "Connection.AuthNError"


class Scene:
    """A broker, a registered CA, and the refusals of its devices."""

    def __init__(self, broker, log_file, ca):
        self.broker, self.pki, self.log_file, self.ca = broker, broker.pki, log_file, ca
        self.admin = broker.admin()
        self.call = self.admin.call

    def register_ca(self, **how):
        self.admin.register_ca(self.ca, **how)

    def device(self, **how):
        return self.pki.device("d1", issuer=self.ca, **how)

    def registered(self, status="ACTIVE", **how):
        device = self.device(**how)
        self.admin.register_certificate(device, status="ACTIVE")
        self.admin.update_certificate(device, status)
        return device

    def refused(self, device, client_id="d1", **how):
        """It connects, from elsewhere, and is refused."""
        session = self.broker.connect(device, client_id=client_id, source=ELSEWHERE, **how)
        if session.code is None:
            pytest.skip("this OpenSSL refuses it before the plugin is asked")
        assert session.refused
        return device

    def refusals(self, code=None):
        """Refusals by code, and in all under "", as soon as there is one of this code."""
        counters = Counters(self.broker.admin())
        seen = counters.wait_until(lambda seen: code is None or seen[REFUSED + "/" + code] > 0,
                                   "a refusal for " + str(code))
        return {topic[len(REFUSED):].strip("/"): number for topic, number in seen.items()
                if topic.startswith(REFUSED)}


@pytest.fixture
def make_scene(start_broker, directory, pki):
    def make(plugin=None, **how):
        log_file = directory / "jitr.log"
        options = {"log_file": log_file, "account_id": "123456789012", "metrics_interval": 1,
                   **(plugin or {})}
        return Scene(start_broker(plugin=options, **how), log_file, pki.ca("factory"))

    return make


# -- what a client can cause -----------------------------------------------------------

# Each causes one refusal with the code of its row, and returns the device.

def unknown_ca(scene):
    stranger = scene.pki.ca("stranger")
    trust(scene.broker, stranger)
    return scene.refused(scene.pki.device("d1", issuer=stranger))


def forged_issuer(scene):
    scene.register_ca()
    impostor = scene.pki.ca("factory")
    trust(scene.broker, impostor, number=1)
    return scene.refused(scene.pki.device("d1", issuer=impostor))


def inactive_ca(scene):
    scene.register_ca(active=False)
    return scene.refused(scene.device())


def ca_without_auto_registration(scene):
    scene.register_ca(auto_registration=False)
    return scene.refused(scene.device())


def connects_after(scene, device, end):
    """The handshake is in time, CONNECT comes after the end of validity."""
    connection = raw.tls_socket(scene.broker, device, source=ELSEWHERE)
    with contextlib.closing(connection) as s:
        until(lambda: time.time() > end + 1, "the end of a validity")
        s.sendall(raw.connect_packet("d1"))
        assert s.recv(4)[3] == 5
    return device


def soon():
    """The end of a short life in days, and as a time."""
    return 3 / 86400, time.time() + 3


def expired_ca(scene):
    days, end = soon()
    scene.ca = scene.pki.ca("factory", days=(-1, days))
    scene.register_ca()
    return connects_after(scene, scene.device(), end)


def expired(scene):
    scene.register_ca()
    days, end = soon()
    return connects_after(scene, scene.device(days=(-1, days)), end)


def expired_and_registered(scene):
    scene.register_ca()
    days, end = soon()
    return connects_after(scene, scene.registered(days=(-1, days)), end)


def ca_as_a_device(scene):
    scene.register_ca()
    return scene.refused(scene.device(extensions=[der.basic_constraints(True)]))


def weak(scene, ca_key, **how):
    scene.ca = scene.pki.ca("factory", key=ca_key)
    scene.register_ca()
    device = scene.device(**how)
    device.weak = True
    return scene.refused(device)


def weak_signature(scene):
    return weak(scene, new_key("RSA-2048"), digest="sha1")


def weak_key(scene):
    return weak(scene, new_key(), key=new_key("RSA-1024"))


def double_extension(scene):
    scene.register_ca()
    return scene.refused(scene.device(extensions=[der.extension("1.2.3.4", b"\x05\0")] * 2))


def first_connection(scene):
    scene.register_ca()
    return scene.refused(scene.device())


def second_connection(scene):
    scene.register_ca()
    device = scene.device()
    assert scene.broker.connect(device).refused
    scene.broker.wait_for_log("certificate registered", device.id)
    return scene.refused(device)


def inactive(scene):
    scene.register_ca()
    return scene.refused(scene.registered("INACTIVE"))


def revoked(scene):
    scene.register_ca()
    return scene.refused(scene.registered("REVOKED"))


def other_form(scene):
    scene.register_ca()
    return scene.refused(turned(scene.registered()))


def import_list(scene, **how):
    scene.call("importCrl", caCertificateId=scene.ca.id, crl=revocation_list(scene.ca, **how))


def listed(scene):
    scene.register_ca()
    device = scene.device()
    scene.call("importCrl", caCertificateId=scene.ca.id, crl=revocation_list(scene.ca, device))
    return scene.refused(device)


def on_hold(scene):
    scene.register_ca()
    device = scene.registered()
    scene.call("importCrl", caCertificateId=scene.ca.id,
               crl=revocation_list(scene.ca, device, hold=True))
    return scene.refused(device)


def list_missing(scene):
    scene.register_ca(crlCheck="required")
    return scene.refused(scene.registered())


def list_elsewhere(scene):
    scene.register_ca(crlCheck="required")
    import_list(scene, place="http://example.com/1.crl")
    return scene.refused(scene.registered())


def list_stale(scene):
    scene.register_ca(crlCheck="grace 10")
    import_list(scene, age=3)
    scene.admin.update_ca(scene.ca, crlCheck="required")
    return scene.refused(scene.registered())


def rule(**members):
    return json.dumps(members, separators=(",", ":"))


def rule_waits(scene):
    scene.register_ca(activation=rule(policies=["nowhere"]))
    return scene.refused(scene.device())


def rule_revokes(scene):
    scene.register_ca(activation=rule(
        conditions={"StringEquals": {"iot:Certificate.Subject.CommonName": "another"}},
        otherwise="REVOKED"))
    return scene.refused(scene.device())


def register_ca_with_template(scene):
    scene.call("createProvisioningTemplate", templateName="fleet", type="JITP", enabled=True,
               templateBody=template(), provisioningRoleArn=ROLE)
    scene.register_ca(registrationConfig={"templateName": "fleet"})


def provisioned(scene):
    register_ca_with_template(scene)
    return scene.refused(scene.device())


def provisioning_failed(scene):
    register_ca_with_template(scene)
    scene.call("updateProvisioningTemplate", templateName="fleet", enabled=False)
    return scene.refused(scene.device())


def no_policy(scene):
    scene.register_ca()
    return scene.refused(scene.registered())


def policy_does_not_allow(scene):
    scene.register_ca()
    device = scene.registered()
    scene.admin.create_policy("other", json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "iot:Connect",
            "Resource": "arn:aws:iot:local:123456789012:client/d2"}]}))
    scene.admin.attach_policy("other", device)
    return scene.refused(device)


def shared_certificate(scene):
    scene.register_ca()
    device = scene.registered()
    assert scene.broker.connect(device, client_id="first").accepted
    return scene.refused(device)


def too_long(scene):
    scene.register_ca()
    return scene.refused(scene.device(subject=der.name((der.COMMON_NAME, "x" * 60000))))


LENIENT = {"tls": ["ciphers ALL:@SECLEVEL=0"]}
POLICY = {"plugin": {"authorization": "policy"}}

# Code, its entry in the log file, whether there is a record to write it on, what the broker is
# to be like, and what causes it.
CAUSES = [
    ("CA_CERTIFICATE_NOT_REGISTERED", FAILED_REGISTRATION, False, {}, unknown_ca),
    ("CERTIFICATE_NOT_ISSUED_BY_CA", FAILED_REGISTRATION, False, {}, forged_issuer),
    ("CA_CERTIFICATE_INACTIVE", FAILED_REGISTRATION, False, {}, inactive_ca),
    ("CA_CERTIFICATE_NOT_VALID", FAILED_REGISTRATION, False, {}, expired_ca),
    ("CA_AUTO_REGISTRATION_DISABLED", FAILED_REGISTRATION, False, {},
     ca_without_auto_registration),
    ("CERTIFICATE_IS_CA", FAILED_REGISTRATION, False, {}, ca_as_a_device),
    ("CERTIFICATE_SIGNATURE_ALGORITHM_UNSUPPORTED", FAILED_REGISTRATION, False, LENIENT,
     weak_signature),
    ("CERTIFICATE_KEY_UNSUPPORTED", FAILED_REGISTRATION, False, LENIENT, weak_key),
    ("CERTIFICATE_EXTENSION_UNSUPPORTED", FAILED_REGISTRATION, False, {}, double_extension),
    ("CERTIFICATE_IN_ANOTHER_FORM", FAILED_REGISTRATION, False, {}, other_form),
    ("CERTIFICATE_EXPIRED", FAILED_REGISTRATION, False, {}, expired),
    ("CERTIFICATE_EXPIRED", NOT_LET_IN, True, {}, expired_and_registered),
    ("DEVICE_CERTIFICATE_NOT_REGISTERED", NOT_LET_IN, True, {}, first_connection),
    ("DEVICE_CERTIFICATE_PENDING_ACTIVATION", NOT_LET_IN, True, {}, second_connection),
    ("DEVICE_CERTIFICATE_INACTIVE", NOT_LET_IN, True, {}, inactive),
    ("DEVICE_CERTIFICATE_REVOKED", NOT_LET_IN, True, {}, revoked),
    ("CERTIFICATE_ON_REVOCATION_LIST", NOT_LET_IN, True, {}, listed),
    ("CERTIFICATE_ON_HOLD", NOT_LET_IN, True, {}, on_hold),
    ("REVOCATION_LIST_MISSING", NOT_LET_IN, True, {}, list_missing),
    ("REVOCATION_LIST_NOT_APPLICABLE", NOT_LET_IN, True, {}, list_elsewhere),
    ("REVOCATION_LIST_STALE", NOT_LET_IN, True, {}, list_stale),
    ("ACTIVATION_RULE_NOT_MET", NOT_LET_IN, True, {}, rule_waits),
    ("ACTIVATION_RULE_REVOKES", NOT_LET_IN, True, {}, rule_revokes),
    ("PROVISIONING_FAILED", NOT_LET_IN, True, {}, provisioning_failed),
    ("DEVICE_CERTIFICATE_PROVISIONED", NOT_LET_IN, True, {}, provisioned),
    ("DEVICE_CERTIFICATE_NO_POLICY", NOT_LET_IN, True, POLICY, no_policy),
    ("AUTHORIZATION_FAILURE", NOT_LET_IN, True, POLICY, policy_does_not_allow),
    ("DEVICE_CERTIFICATE_SHARED", NOT_LET_IN, True, {"plugin": {"shared_certificate": "oldest"}},
     shared_certificate),
    ("REGISTRATION_FAILED", NOT_LET_IN, False, {}, too_long),
]

# And what no client can cause, or none with a certificate.
OTHERS = {
    "CERTIFICATE_NOT_YET_VALID",  # TLS refuses it
    "CERTIFICATE_MALFORMED",  # so it does
    "DEVICE_CERTIFICATE_PENDING_TRANSFER",  # no certificate gets there in this release
    "DEVICE_CERTIFICATE_DELETED",  # of a connection that is closed
    "POLICY_UNUSABLE",  # a registry that is damaged
    "INTERNAL_SERVER_ERROR",  # a registry that cannot be read
    "NOT_AUTHENTICATED",  # without a certificate: see below
    "REGISTRAR_NOT_RUNNING",  # test_registrar.py
    "CLIENT_ID_BUSY",  # for a moment, while an answer is on its way
    "CERTIFICATE_CHAIN_REFUSED",  # TLS refuses it, and explain says so
}


def assert_line(scene, code, device):
    """Exactly one line of the broker's log, with everything in it."""
    line = scene.broker.wait_for_log("connection refused", "code=" + code)
    assert re.fullmatch(
        r'jitr: connection refused: reason="[^"]+" code=%s certificate=%s ca=(-|[0-9a-f]{64}) '
        r'client="d1" address=%s subject="[^"]*"' % (code, device.id, ELSEWHERE), line), line
    assert len(scene.broker.log_lines("connection refused", "code=" + code)) == 1


def assert_entry(scene, code, event, device):
    """One entry of the log file, in AWS's shape (aws-iot H.1)."""
    found = entries(scene.log_file, reason=code, eventType=event)
    assert len(found) == 1
    entry = found[0]
    assert {name: entry[name] for name in (
        "eventType", "status", "logLevel", "principalId", "clientId", "sourceIp")} == {
        "eventType": event, "status": "Failure", "logLevel": "ERROR", "principalId": device.id,
        "clientId": "d1", "sourceIp": ELSEWHERE}


@pytest.mark.parametrize("code, event, on_record, how, cause", CAUSES,
                         ids=[cause.__name__ for *_, cause in CAUSES])
def test_refusal_is_reported_everywhere(make_scene, code, event, on_record, how, cause):
    """Every reason for which a client can be refused has its code in the broker's log, in the
    log file, in the counters and on the record of the certificate (contract, section 9; aws-iot
    H.1)."""
    scene = make_scene(**how)
    began = time.time() - 1
    device = cause(scene)

    assert_line(scene, code, device)
    assert_entry(scene, code, event, device)
    assert (scene.admin.status(device) is not None) == on_record
    if on_record:
        refusal = scene.admin.describe_certificate(device)["lastRefusal"]
        assert began <= refusal.pop("date") <= time.time() + 1
        assert refusal.pop("details")
        assert refusal == {"reason": code, "clientId": "d1", "sourceIp": ELSEWHERE}
    refusals = scene.refusals(code)
    assert refusals[code] == 1
    in_all = len(scene.broker.log_lines("connection refused"))
    assert refusals.pop("") == sum(refusals.values()) == in_all


def test_every_code_has_a_counter_from_the_start(make_scene):
    """Each is published as zero; a reason that is new in this table needs a row above."""
    refusals = make_scene().refusals()
    assert set(refusals) - {""} == {code for code, *_ in CAUSES} | OTHERS
    assert set(refusals.values()) == {0}


def test_name_of_a_certificate_without_the_certificate(make_scene):
    """A client with only the user name of a device is reported too; there is no record to write on
    (contract, section 9)."""
    scene = make_scene()
    scene.register_ca()
    device = scene.registered()
    session = scene.broker.connect(None, listener="plain", client_id="impostor", user=device.id,
                                   password="x", source=ELSEWHERE)
    assert session.refused

    scene.broker.wait_for_log("connection refused", "code=NOT_AUTHENTICATED", "certificate=-",
                              'client="impostor"', "address=" + ELSEWHERE)
    entry = entries(scene.log_file, reason="NOT_AUTHENTICATED")[0]
    assert (entry["eventType"], entry["clientId"], entry["sourceIp"]) == (
        NOT_LET_IN, "impostor", ELSEWHERE)
    assert "lastRefusal" not in scene.admin.describe_certificate(device)
    assert scene.refusals("NOT_AUTHENTICATED")["NOT_AUTHENTICATED"] == 1


# -- the record ----------------------------------------------------------------------

@pytest.fixture
def scene(make_scene):
    made = make_scene()
    made.register_ca()
    return made


def last_refusal(scene, device):
    return scene.admin.describe_certificate(device).get("lastRefusal")


def test_certificate_that_was_never_refused(scene):
    """Has no last refusal, connected or not."""
    device = scene.registered()
    assert last_refusal(scene, device) is None
    assert scene.broker.connect(device).accepted
    assert last_refusal(scene, device) is None


def test_accepted_connection_keeps_the_last_refusal(scene):
    """That it works now does not explain why it did not: the last refusal stays, over restarts
    too, until the next one."""
    device = scene.refused(scene.device())
    scene.admin.update_certificate(device, "ACTIVE")
    before = last_refusal(scene, device)
    assert before["reason"] == "DEVICE_CERTIFICATE_NOT_REGISTERED"
    assert scene.broker.connect(device).accepted
    assert last_refusal(scene, device) == before

    scene.broker.restart()
    scene.admin = scene.broker.admin()
    assert scene.broker.connect(device).accepted
    assert last_refusal(scene, device) == before
    scene.admin.update_certificate(device, "INACTIVE")
    assert scene.broker.connect(device).refused
    assert last_refusal(scene, device)["reason"] == "DEVICE_CERTIFICATE_INACTIVE"


def test_same_refusal_is_written_once_a_minute(scene):
    """A device that keeps trying causes no write at each attempt: within a minute the first refusal
    of a reason is kept, another reason is written at once; all are in the log."""
    device = scene.registered("INACTIVE")
    for n in range(5):
        scene.refused(device, client_id="c%d" % n)
        assert last_refusal(scene, device)["clientId"] == "c0"
    assert len(scene.broker.log_lines("connection refused", device.id)) == 5

    scene.admin.update_certificate(device, "REVOKED")
    scene.refused(device, client_id="c5")
    refusal = last_refusal(scene, device)
    assert (refusal["reason"], refusal["clientId"]) == ("DEVICE_CERTIFICATE_REVOKED", "c5")


def test_deleted_certificate_takes_its_last_refusal_along(scene):
    """A certificate that is registered again has no last refusal."""
    device = scene.registered("INACTIVE")
    scene.refused(device)
    assert last_refusal(scene, device)
    scene.admin.delete_certificate(device)
    scene.admin.register_certificate(device, status="ACTIVE")
    assert last_refusal(scene, device) is None


@pytest.mark.parametrize("client_id", ['a"b', "back\\slash", "gerät \U0001f600", "x" + "é" * 600],
                         ids=["quote", "backslash", "beyond ASCII", "1201 bytes"])
@pytest.mark.parametrize("status", ["unknown", "INACTIVE"])
def test_hostile_client_id_on_the_record(scene, status, client_id):
    """Any client id is on the record, possibly truncated, in valid JSON."""
    device = scene.device() if status == "unknown" else scene.registered(status)
    scene.refused(device, client_id=client_id)

    told = last_refusal(scene, device)["clientId"]
    assert told and client_id.startswith(told.rstrip("\ufffd"))
    assert told == client_id or len(told.encode()) >= 500


def test_refusal_on_an_identity_listener(start_broker, directory, pki):
    """A client that the plugin sees late is reported in the same places (mosquitto section 0,
    6)."""
    log_file = directory / "jitr.log"
    broker = start_broker(listeners=("plain", "tls", "identity"),
                          plugin={"log_file": log_file, "account_id": "123456789012",
                                  "metrics_interval": 1})
    scene = Scene(broker, log_file, pki.ca("factory"))
    scene.register_ca()
    device = scene.registered("INACTIVE")
    session = broker.connect(device, listener="identity", client_id="d1", source=ELSEWHERE)
    if not session.closed:
        session.publish("t/1", qos=0)
        session.wait_until_closed()

    assert_line(scene, "DEVICE_CERTIFICATE_INACTIVE", device)
    refusal = last_refusal(scene, device)
    assert (refusal["reason"], refusal["clientId"], refusal["sourceIp"]) == (
        "DEVICE_CERTIFICATE_INACTIVE", "d1", ELSEWHERE)
    assert scene.refusals("DEVICE_CERTIFICATE_INACTIVE")["DEVICE_CERTIFICATE_INACTIVE"] == 1


def test_rule_that_lets_in_and_policies_that_do_not(make_scene):
    """A rule activates the certificate, and nothing attached to it allows the connection: that
    is why it was refused, from the first time on."""
    scene = make_scene({"authorization": "policy"})
    scene.register_ca(activation=rule(otherwise="PENDING_ACTIVATION"))
    device = scene.refused(scene.device())
    assert scene.admin.status(device) == "ACTIVE"
    assert last_refusal(scene, device)["reason"] == "DEVICE_CERTIFICATE_NO_POLICY"
    assert_line(scene, "DEVICE_CERTIFICATE_NO_POLICY", device)


def test_rule_cannot_judge_names_that_are_no_text(make_scene):
    """A certificate with an unreadable name is registered and left pending, and the refusal says
    why: it is no fault of the registry."""
    scene = make_scene()
    scene.register_ca(activation=rule(otherwise="PENDING_ACTIVATION"))
    subject = der.sequence(der.tlv(0x31, der.sequence(der.oid(der.COMMON_NAME),
                                                      der.tlv(0x03, b"\0d1"))))
    device = scene.refused(scene.device(subject=subject))
    assert scene.admin.status(device) == "PENDING_ACTIVATION"
    refusal = last_refusal(scene, device)
    assert (refusal["reason"], refusal["details"]) == ("ACTIVATION_RULE_NOT_MET",
                                                       "its names cannot be read")
