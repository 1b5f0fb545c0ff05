# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""One line per decision, for people in the broker's log and for programs in log_file; no client can
write a line of its own (contract, section 9; aws-iot H)."""
import json
import re
import uuid

import pytest

import der
from silence import assert_silent
from wait import until

TIMESTAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"


@pytest.fixture
def log_file(directory):
    return directory / "jitr.log"


@pytest.fixture
def broker(start_broker, log_file):
    return start_broker(plugin={"log_file": log_file, "account_id": "123456789012",
                                "announce_interval": 0})


def entries(log_file, count=1, **members):
    """Lines of the file with these members, once there are count of them; every line of the file is
    checked."""

    def look():
        text = log_file.read_text()
        whole = text[:text.rfind("\n") + 1]
        found = [json.loads(line) for line in whole.split("\n")[:-1]]
        for entry in found:
            assert_shape(entry)
        found = [e for e in found if all(e.get(k) == v for k, v in members.items())]
        return found if len(found) >= count else None

    return until(look, "%d entries with %s in %s" % (count, members, log_file))


def assert_shape(entry):
    """Members common to all entries (aws-iot H.1)."""
    assert re.fullmatch(TIMESTAMP, entry["timestamp"])
    assert entry["logLevel"] in ("DEBUG", "INFO", "WARN", "ERROR")
    assert uuid.UUID(entry["traceId"])
    assert entry["accountId"] == "123456789012"
    assert entry["status"] in ("Success", "Failure")
    assert entry["eventType"]
    if entry["status"] == "Failure":
        assert entry["reason"] and entry["details"]


# -- the broker's log ------------------------------------------------------------

def test_line_of_a_refused_connection(broker, pki, admin, factory):
    """Reason, certificate, CA, client id, address and subject, in one line (contract, section
    9)."""
    device = pki.device("d1", issuer=factory)
    broker.connect(device, client_id="client 1")
    line = broker.wait_for_log("connection refused")

    match = re.fullmatch(r'jitr: connection refused: reason="([^"]*)" code=(\S+) certificate=(\S+) '
                         r'ca=(\S+) client="([^"]*)" address=(\S+) subject="([^"]*)"', line)
    assert match, line
    reason, code, certificate, ca, client, address, subject = match.groups()
    assert "waits for activation" in reason
    assert code == "DEVICE_CERTIFICATE_NOT_REGISTERED"
    assert (certificate, ca, client, address) == (device.id, factory.id, "client 1", "127.0.0.1")
    assert "CN=d1" in subject.replace(" ", "") and "Example Corp" in subject


def test_one_line_per_decision(broker, pki, admin, factory):
    """Registered, pending, accepted, revoked: each attempt is one line, with its reason (contract,
    section 9)."""
    device = pki.device("d1", issuer=factory)
    for attempt in range(3):
        broker.connect(device)
        assert len(broker.log_lines("connection refused", device.id)) == attempt + 1
    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(device).accepted
    assert len(broker.log_lines("connection accepted", device.id, 'client="d1"')) == 1
    admin.update_certificate(device, "REVOKED")
    broker.wait_for_log("connection closed", device.id, "revoked")
    broker.connect(device)
    assert len(broker.log_lines("connection refused", device.id, 'reason="revoked"')) == 1
    assert len(broker.log_lines("certificate registered", device.id, factory.id)) == 1


def test_changes_by_administrators_are_logged(broker, pki, admin, factory):
    """The caller, the action, the resource and the result (contract, section 9)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    with pytest.raises(Exception):
        admin.delete_certificate(device)
    broker.wait_for_log("registerCACertificate", "admin", factory.id)
    broker.wait_for_log("registerCertificate", "admin", device.id)
    broker.wait_for_log("deleteCertificate", "CertificateStateException", device.id)


def test_a_change_is_logged_with_the_previous_value_and_the_address(broker, pki, admin, factory):
    """Old and new status, version, flags, address, as an audit needs them."""
    device = pki.device("d1", issuer=factory)
    broker.connect(device)
    admin.update_certificate(device, "ACTIVE")
    line = broker.wait_for_log("request: command=updateCertificate", device.id)
    assert 'user="admin"' in line and "address=127.0.0.1" in line
    assert line.endswith(" status=PENDING_ACTIVATION->ACTIVE version=1->2")
    admin.update_ca(factory, status="INACTIVE", auto_registration="DISABLE")
    line = broker.wait_for_log("request: command=updateCACertificate", factory.id, "DISABLE")
    assert " status=ACTIVE->INACTIVE " in line and " autoRegistration=ENABLE->DISABLE" in line


def test_a_failed_change_is_logged_with_the_reason(broker, pki, admin, factory):
    """An audit must not count it as done."""
    device = admin.activate(pki.device("d1", issuer=factory))
    with pytest.raises(Exception):
        admin.delete_certificate(device)
    line = broker.wait_for_log("request: command=deleteCertificate", device.id)
    assert "must be deactivated" in line and "->" not in line


def test_refused_callers_are_logged_with_their_address(broker):
    """Also for a request that no caller may make."""
    broker.bystander().publish("$CONTROL/jitr/v1", '{"commands":[{"command":"listCertificates"}]}')
    assert "address=127.0.0.1" in broker.wait_for_log("request denied", 'user="bystander"')


def test_start_is_logged(broker):
    """Which version, which registry (contract, section 9)."""
    assert broker.log_lines("version", str(broker.db_path), str(broker.ca_path))


NASTY = {
    "newline": "d1\njitr: connection accepted: certificate=0 forged",
    "carriage return": "d1\rforged",
    "quote": 'd1" address=10.0.0.1 subject="CN=forged',
    "backslash": "d1\\",
    "escape": "d1\x1b[2Jforged",
    "C1 control": "d1\u009bforged",
    "line separator": "d1\u2028forged",
    "override of direction": "d1\u202edegrof\u202c",
    "isolate": "d1\u2067forged\u2069",
    "mark of direction": "d1\u200f\u061cforged",
    "percent": "d1%s%n%s%n",
    "beyond ASCII": "gerät é \U0001f600",
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_text_of_clients_is_escaped(broker, pki, admin, factory, log_file, text):
    """Any client id or common name stays within its quotes and its line, in the broker's log and in
    the file (contract, section 9; mosquitto section 0, 19)."""
    events = admin.listen_to_events(factory)
    device = pki.device(text, issuer=factory)
    # Some brokers refuse control characters in a client id before the plugin is asked.
    ordinary = not re.search(r"[\x00-\x1f\x7f-\x9f]", text)
    broker.connect(device, client_id=text if ordinary else "d1")
    assert events.next()["certificateId"] == device.id

    line = broker.wait_for_log("connection refused", device.id)
    assert_one_line(line, device)
    assert not [other for other in broker.log().splitlines() if other.startswith("jitr: connection "
                                                                                 "accepted")]
    entry = entries(log_file, eventType="Connection.AuthNError", principalId=device.id)[0]
    if text.isprintable():
        assert text in re.sub(r"\\(.)", r"\1", entry["subject"])


@pytest.mark.parametrize("text", ["d1\njitr: forged", "d1\x1b[2J", "\x01"])
def test_control_characters_in_a_client_id(broker, pki, admin, factory, text):
    """Where the broker lets them through they are escaped; where it does not, nothing is
    logged in their name (mosquitto section 0, 19)."""
    events = admin.listen_to_events()
    device = pki.device("d1", issuer=factory)
    session = broker.connect(device, client_id=text)
    if session.code is None:
        assert_silent(events)
    for line in broker.log_lines("connection refused", device.id):
        assert_one_line(line, device)
    assert not any(line.startswith("jitr: forged") for line in broker.log_lines())


def assert_one_line(line, device):
    match = re.fullmatch(r'jitr: connection refused: reason="[^"]*" code=\S+ certificate=%s ca=%s '
                         r'client="([^"]*)" address=127\.0\.0\.1 subject="([^"]*)"' % (
                             device.id, device.issuer.id), line)
    assert match, line
    for part in match.groups():
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", part), line


def test_log_to_a_topic(start_broker, pki):
    """The broker publishes each line at the moment it is logged, and asks the plugin about every
    delivery: a reader whose deliveries are denied, which is logged too, does not cause endless
    lines (mosquitto section 0, 19)."""
    broker = start_broker(plugin={"authorization": "policy", "other_clients": "allow"},
                          config=["log_dest topic"])
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    lines = admin.listen("$SYS/broker/log/#")
    admin.create_policy("reader", json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
        {"Effect": "Allow", "Action": "iot:Subscribe",
         "Resource": "arn:aws:iot:local:000000000000:topicfilter/$SYS/broker/log/*"}]}))
    reader, stranger = pki.device("reader", issuer=ca), pki.device("stranger", issuer=ca)
    admin.activate(reader)
    admin.attach_policy("reader", reader)
    session = broker.connect(reader)
    assert session.accepted
    assert session.subscribe("$SYS/broker/log/#")

    assert broker.connect(stranger).refused
    admin.update_certificate(reader, "REVOKED")
    session.wait_until_closed()
    awaited = {"receive denied", "certificate registered: certificate=" + stranger.id,
               "connection closed"}
    while awaited:
        line = lines.next_message().payload.decode(errors="replace")
        awaited = {what for what in awaited if what not in line}
    assert session.messages == []
    assert len(broker.log_lines()) < 100


def test_long_text_is_cut(broker, pki, admin, factory, log_file):
    """A name of 20 000 letters is truncated, and the text behind it is kept (contract, section
    9)."""
    device = pki.device("x" * 20000, issuer=factory)
    broker.connect(device, client_id="y" * 20000)
    line = broker.wait_for_log("connection refused", device.id)
    assert len(line) < 1000 and "subject=" in line
    entries(log_file, eventType="Connection.AuthNError", principalId=device.id)


# -- the file --------------------------------------------------------------------

def test_entries_of_a_life(broker, pki, admin, factory, log_file):
    """Registration, refusals, acceptance and the end, as JSON objects a line with AWS's
    names (aws-iot H.1)."""
    device = pki.device("d1", issuer=factory)
    broker.connect(device)
    registered = entries(log_file, eventType="RegisterCertificateJIT", status="Success")
    assert registered[0]["certificateId"] == device.id
    assert registered[0]["caCertificateId"] == factory.id
    refused = entries(log_file, eventType="Connection.AuthNError", status="Failure")[0]
    assert (refused["principalId"], refused["clientId"], refused["protocol"]) == (
        device.id, "d1", "MQTT")
    assert refused["sourceIp"] == "127.0.0.1" and refused["logLevel"] == "ERROR"
    assert refused["reason"].startswith("DEVICE_CERTIFICATE_")

    admin.update_certificate(device, "ACTIVE")
    broker.connect(device)
    accepted = entries(log_file, eventType="Connect", status="Success")[0]
    assert (accepted["principalId"], accepted["logLevel"]) == (device.id, "INFO")
    admin.update_certificate(device, "INACTIVE")
    assert entries(log_file, eventType="Disconnect")[0]["principalId"] == device.id
    broker.connect(device)
    assert entries(log_file, reason="DEVICE_CERTIFICATE_INACTIVE", eventType="Connection.AuthNError")


def test_requests_are_in_the_file(broker, pki, admin, factory, log_file):
    """With the same values as in the broker's log, member by member."""
    device = admin.activate(pki.device("d1", issuer=factory))
    admin.update_certificate(device, "REVOKED")
    entry = entries(log_file, eventType="ControlRequest", command="updateCertificate")[0]
    assert (entry["status"], entry["userName"], entry["sourceIp"], entry["certificateId"]) == (
        "Success", "admin", "127.0.0.1", device.id)
    assert entry["changes"] == {"status": {"from": "ACTIVE", "to": "REVOKED"},
                                "version": {"from": "1", "to": "2"}}
    made = entries(log_file, eventType="ControlRequest", command="registerCertificate")[0]
    assert made["changes"]["status"] == {"to": "ACTIVE"}
    with pytest.raises(Exception):
        admin.update_certificate(device, "ACTIVE")
    failed = entries(log_file, eventType="ControlRequest", status="Failure")[0]
    assert failed["reason"] == "CertificateStateException" and "changes" not in failed
    assert failed["certificateId"] == device.id


@pytest.mark.parametrize("how, reason", [
    ({"status": "INACTIVE"}, "CA_CERTIFICATE_INACTIVE"),
    ({"auto_registration": "DISABLE"}, "CA_AUTO_REGISTRATION_DISABLED"),
])
def test_failed_registrations_are_visible(broker, pki, admin, factory, log_file, how, reason):
    """An error during automatic registration is always visible in the file (aws-iot
    H.1)."""
    admin.update_ca(factory, **how)
    device = pki.device("d1", issuer=factory)
    broker.connect(device)

    entry = entries(log_file, eventType="RegisterCertificateJIT", status="Failure")[0]
    assert (entry["reason"], entry["certificateId"], entry["caCertificateId"]) == (
        reason, device.id, factory.id)


def test_unfit_certificates_are_visible(broker, pki, admin, factory, log_file):
    """Why a certificate was not registered (aws-iot H.1)."""
    device = pki.device("d1", issuer=factory, extensions=[der.basic_constraints(True)])
    broker.connect(device)
    assert entries(log_file, eventType="RegisterCertificateJIT", status="Failure",
                   reason="CERTIFICATE_IS_CA", certificateId=device.id)


def test_file_is_opened_again_by_sighup(broker, pki, admin, factory, log_file):
    """As logrotate needs it: after a move and SIGHUP new lines are in a new file (contract, section
    5)."""
    broker.connect(pki.device("d1", issuer=factory))
    old = entries(log_file, eventType="RegisterCertificateJIT")
    log_file.rename(log_file.with_suffix(".1"))
    broker.reload()
    device = pki.device("d2", issuer=factory)
    broker.connect(device)

    until(log_file.exists, "the new file")
    assert entries(log_file, eventType="RegisterCertificateJIT", certificateId=device.id)
    again = [json.loads(line) for line in log_file.with_suffix(".1").open()]
    assert [e for e in again if e["eventType"] == "RegisterCertificateJIT"] == old


def test_file_is_added_to_by_a_restart(broker, pki, admin, factory, log_file):
    """Not written over (contract, section 5)."""
    broker.connect(pki.device("d1", issuer=factory))
    before = len(entries(log_file, count=2))
    broker.restart()
    broker.connect(pki.device("d2", issuer=factory))
    assert len(entries(log_file, count=before + 2)) >= before + 2
