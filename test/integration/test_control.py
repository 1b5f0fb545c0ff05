# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Control requests: their form, the callers that may send them, the receivers of answers, and
errors (contract, section 3)."""
import json

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import raw
from admin import ADMIN, BYSTANDER, CONTROL, PASSWORD, RESPONSE, Admin, AwsError
from device import MQTT_5
from wait import until

CODE = {"command": "getRegistrationCode"}


def nested(depth):
    return '{"commands":%s{}%s}' % ("[" * depth, "]" * depth)


GARBAGE = {
    "empty": "",
    "not JSON": "register my CA, please",
    "cut off": '{"commands":[{"command":"getRegistrationCode"}',
    "something behind it": '{"commands":[{"command":"getRegistrationCode"}]} {}',
    "not UTF-8": b'{"commands":[{"command":"getRegistrationCode","correlationData":"\xff"}]}',
    "a NUL": b'{"commands":[{"command":"getRegistrationCode"}]}\0',
    "an escaped NUL": '{"commands":[{"command":"getRegistration\\u0000Code"}]}',
    "a list": "[]",
    "a number": "1",
    "a string": '"commands"',
    "null": "null",
    "no commands": "{}",
    "commands of another type": '{"commands":{"command":"getRegistrationCode"}}',
    "an empty list": '{"commands":[]}',
    "names in another case": '{"Commands":[{"command":"getRegistrationCode"}]}',
    "something else beside": '{"commands":[{"command":"getRegistrationCode"}],"more":1}',
    "nested deeply": nested(30),
    "nested very deeply": nested(200000),
    "the same name twice": '{"commands":[],"commands":[{"command":"getRegistrationCode"}]}',
    "the same name twice, inside": '{"commands":[{"command":"getRegistrationCode",'
                                   '"command":"deleteRegistrationCode"}]}',
    "too many commands": json.dumps({"commands": [CODE] * 5000}),
    # As much as Mosquitto 2.1 passes on; 2.0 has no limit of its own.
    "too large": '{"commands":[{"command":"getRegistrationCode","x":"%s"}]}' % ("x" * 1999000),
}


@pytest.mark.parametrize("payload", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_answered(admin, payload):
    """InvalidRequestException with the reason; nothing happens, and the caller's connection and the
    broker continue (contract, sections 3 and 8)."""
    answers = admin.send(payload)

    assert len(answers) == 1
    assert answers[0]["error"] == "InvalidRequestException"
    assert answers[0]["message"]
    with pytest.raises(AwsError):
        admin.delete_registration_code()  # no code was made
    assert len(admin.registration_code()) == 64


BAD_COMMANDS = {
    "no command": ({}, "'command'"),
    "null": ({"command": None}, "'command'"),
    "a number": ({"command": 7}, "'command'"),
    "unknown": ({"command": "getRegistrationcode"}, "getRegistrationcode"),
    "of a later release": ({"command": "createBillingGroup"}, "createBillingGroup"),
    "unknown member": ({"command": "getRegistrationCode", "pleeease": 1}, "pleeease"),
    "misspelt member": ({"command": "registerCACertificate", "setasactive": True}, "setasactive"),
    "correlation of another type": ({"command": "getRegistrationCode", "correlationData": {}},
                                    "'correlationData'"),
    "id of another type": ({"command": "describeCertificate", "certificateId": 7},
                           "'certificateId'"),
    "id that is null": ({"command": "describeCertificate", "certificateId": None},
                        "'certificateId'"),
    "list for a string": ({"command": "registerCertificate", "certificatePem": ["x"]},
                          "'certificatePem'"),
}


@pytest.mark.parametrize("command, words", BAD_COMMANDS.values(), ids=BAD_COMMANDS.keys())
def test_bad_commands_are_answered(admin, command, words):
    """A command that is unknown, or has members that are unknown or of another type:
    InvalidRequestException that names it (contract, section 3)."""
    answers = admin.request(command)

    assert answers[0]["error"] == "InvalidRequestException"
    assert words in answers[0]["message"]


def test_commands_that_are_no_objects(admin):
    """Each element is answered by itself (contract, section 3)."""
    answers = admin.send('{"commands":[1,"getRegistrationCode",[],null,%s]}' % json.dumps(CODE))

    assert [a.get("error") for a in answers] == ["InvalidRequestException"] * 4 + [None]


def test_values_are_quoted_in_part_only(admin):
    """A long invalid value is not repeated completely, and the answer is JSON for any value
    (contract, section 8)."""
    for character in ("x", "é", "\"", "\n", "\u2028", "😀"):
        answers = admin.request({"command": "describeCertificate",
                                 "certificateId": character * 1000})
        assert answers[0]["error"] == "InvalidRequestException"
        assert len(answers[0]["message"]) < 1000


def test_commands_in_order_and_each_alone(pki, admin):
    """One request, many commands: carried out in order; a failing one changes nothing and does not
    stop the others (contract, section 3)."""
    ca = pki.ca("factory")
    proof = pki.verification(ca, admin.registration_code())
    register = {"command": "registerCACertificate", "caCertificate": ca.pem,
                "verificationCertificate": proof, "setAsActive": True}
    describe = {"command": "describeCACertificate", "certificateId": ca.id}
    delete = {"command": "deleteCACertificate", "certificateId": ca.id}
    off = {"command": "updateCACertificate", "certificateId": ca.id, "newStatus": "INACTIVE"}

    answers = admin.request(register, register, delete, off, {"command": "nonsense"}, delete)
    assert [a.get("error") for a in answers] == [
        None, "ResourceAlreadyExistsException", "CertificateStateException", None,
        "InvalidRequestException", None]
    assert [a["command"] for a in answers] == [
        "registerCACertificate", "registerCACertificate", "deleteCACertificate",
        "updateCACertificate", "nonsense", "deleteCACertificate"]
    assert admin.request(describe)[0]["error"] == "ResourceNotFoundException"


def test_correlation_data(admin):
    """Returned unchanged, in errors too, and absent if it was not sent (contract, section 3)."""
    odd = "7 \"\\ \u00e9 \U0001f600 \n"
    answers = admin.request({**CODE, "correlationData": odd},
                            {"command": "nonsense", "correlationData": "8"}, CODE)
    assert [a.get("correlationData") for a in answers] == [odd, "8", None]
    assert "correlationData" not in answers[2]


def test_requests_of_any_quality_of_service(admin):
    """QoS 0, 1 and 2 are answered alike (contract, section 3)."""
    request = json.dumps({"commands": [CODE]})
    for qos in (0, 1, 2):
        assert "registrationCode" in admin.send(request, qos=qos)[0]["data"]


def test_requests_are_not_passed_on(broker, admin):
    """A request is for the plugin: no subscriber sees it, retained or not (mosquitto section 6)."""
    spy = admin.listen("$CONTROL/jitr/#")
    admin.send(json.dumps({"commands": [CODE]}), retain=True)

    assert spy.received() == []
    assert broker.admin().session.received() == []


# -- callers, and receivers of answers ------------------------------------------------

def test_strangers_are_denied(start_broker, pki):
    """AccessDeniedException for a caller that is neither a named user nor a named certificate, and
    nothing happens; for garbage too (contract, section 3)."""
    broker = start_broker(plugin={"other_clients": "allow"}, anonymous=True)
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca))
    for session in (broker.bystander(), broker.connect(None, listener="plain"),
                    broker.connect(device)):
        stranger = Admin(broker, session)
        answers = stranger.request(
            {"command": "updateCACertificate", "correlationData": "7", "certificateId": ca.id,
             "newStatus": "INACTIVE"}, CODE)
        assert [set(a) for a in answers] == [{"error", "message"}]
        assert answers[0]["error"] == "AccessDeniedException"
        assert stranger.send("garbage") == answers
    assert admin.describe_ca(ca)["status"] == "ACTIVE"
    broker.wait_for_log("not an administrator")


def test_strangers_cannot_even_send_where_others_decide(broker):
    """With other_clients defer and no other configuration a plain user's messages to the control
    topic do not arrive (contract, section 5)."""
    session = broker.bystander()
    session.publish(CONTROL, json.dumps({"commands": [CODE]}))
    session.received()
    assert all(json.loads(m.payload)["responses"][0]["error"] == "AccessDeniedException"
               for m in session.messages)


def test_user_of_another_name_is_no_administrator(start_broker):
    """Names are compared as a whole (contract, section 5)."""
    broker = start_broker(plugin={"admin_users": "adm, administrator , bystander"})
    assert Admin(broker, broker.bystander()).registration_code()
    session = broker.connect(None, listener="plain", user=ADMIN, password=PASSWORD)
    session.publish(CONTROL, json.dumps({"commands": [CODE]}))
    session.received()
    assert all("AccessDenied" in m.payload.decode() for m in session.messages)


def test_answers_are_private(broker):
    """Only the caller gets the answer, whatever others subscribed to (contract, section 2)."""
    spies = [broker.admin().session for _ in range(2)]
    for spy in spies:
        assert spy.subscribe(RESPONSE)
        assert spy.subscribe("$CONTROL/jitr/#")
    asker = broker.admin()

    asker.registration_code()
    for spy in spies:
        assert spy.received() == []


def test_answer_to_the_response_topic_of_mqtt_5(broker):
    """Where the broker lets plugins read it, the answer is published to the MQTT 5 response topic
    too; in any case it is sent to the caller (contract, section 2)."""
    admin = broker.admin(version=MQTT_5)
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = "my/answers"
    properties.CorrelationData = b"7"

    answers = admin.send(json.dumps({"commands": [CODE]}), properties=properties)
    assert "registrationCode" in answers[0]["data"]
    admin.session.received()
    assert {m.topic for m in admin.session.messages} <= {"my/answers"}


def test_requests_after_each_other_are_answered_in_order(admin):
    """Without waiting in between (contract, section 3)."""
    for n in range(50):
        admin.session._client.publish(CONTROL, json.dumps(
            {"commands": [{**CODE, "correlationData": str(n)}]}), 1)
    order = [admin.session.next()["responses"][0]["correlationData"] for _ in range(50)]
    assert order == [str(n) for n in range(50)]


def test_caller_that_leaves_in_the_middle(broker, pki, admin):
    """The caller disconnects before the answer: the change is made and nothing fails (contract,
    section 8)."""
    ca = pki.ca("factory")
    admin.register_ca(ca, active=False)
    for n in range(20):
        hasty = broker.admin().session
        hasty.publish(CONTROL, json.dumps({"commands": [
            {"command": "updateCACertificate", "certificateId": ca.id, "newStatus": "ACTIVE"}]}),
            qos=0)
        hasty.vanish()
    until(lambda: admin.describe_ca(ca)["status"] == "ACTIVE", "the change")


def test_bridge_is_refused(make_broker, pki):
    """The remote side of a bridge speaks with the bridge's voice and past all ACLs: it may
    not administer, although its local user is an administrator (contract, section 3;
    mosquitto section 0, 13)."""
    remote = raw.Remote()
    broker = make_broker(config=[
        "connection to-elsewhere", "address 127.0.0.1:%d" % remote.port, "topic # in 1",
        "local_username " + ADMIN, "notifications false"]).start()
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    inactive = {"command": "updateCACertificate", "certificateId": ca.id, "newStatus": "INACTIVE"}

    with remote.accept():
        remote.publish(CONTROL, json.dumps({"commands": [inactive]}))
        remote.publish("$aws/events/certificates/registered/" + ca.id, "forged")
        remote.publish("marker", "x")
        until(lambda: "'marker'" in broker.log(), "the bridge to take what was sent")
    assert admin.describe_ca(ca)["status"] == "ACTIVE"
    assert broker.log_lines("request denied", "not an administrator")


@pytest.mark.parametrize("user", [ADMIN, BYSTANDER])
def test_will_is_no_request(start_broker, pki, user):
    """A will on the control topic is not carried out for any client: 2.0.11 handles it as a
    message, the others close the connection (mosquitto section 6)."""
    broker = start_broker(plugin={"other_clients": "allow"})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    will = json.dumps({"commands": [
        {"command": "updateCACertificate", "certificateId": ca.id, "newStatus": "INACTIVE"}]})
    session = broker.connect(None, listener="plain", user=user, password=PASSWORD,
                             will=(CONTROL, will))
    session.vanish()
    witness = broker.bystander()
    assert witness.subscribe("t/#")
    broker.connect(None, listener="plain", user=BYSTANDER, password=PASSWORD,
                   will=("t/after", "after")).vanish()
    assert witness.next_message().payload == b"after"
    assert admin.describe_ca(ca)["status"] == "ACTIVE"
