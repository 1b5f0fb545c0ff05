# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Clients without a certificate, on a broker that has just got the plugin: without the option
other_clients Mosquitto denies their packets when no acl_file allows them, and says so neither to
them nor in its log. The plugin logs it."""
import pytest

from device import MQTT_5
from wait import until

HINT = ("other_clients", "allow", "defer")


def left(broker):
    return broker.log_lines(" deferred:")


def unset(broker):
    return broker.log_lines("other_clients is not set")


def talks_to_itself(client, topic):
    """Whether it receives its own messages."""
    if not client.subscribe(topic + "/#"):
        return False
    client.publish(topic + "/x", "hello", qos=1)
    return until(lambda: client.messages, "the message")[0].payload == b"hello"


def test_the_start_says_that_it_is_not_set(start_broker):
    """With the option and both choices in one line."""
    broker = start_broker()
    (line,) = unset(broker)
    assert all(word in line for word in HINT)
    assert "acl_file" in line and "password" in line


@pytest.mark.parametrize("choice", ["allow", "defer"])
def test_a_choice_is_not_commented_on(start_broker, choice):
    """Neither at the start nor when a client is denied."""
    broker = start_broker(plugin={"other_clients": choice})
    client = broker.bystander(version=MQTT_5)
    assert client.subscribe("a/#") == (choice == "allow")
    broker.admin().registration_code()  # two ticks later
    assert not unset(broker) and not left(broker)


def test_the_first_denial_is_said_and_no_other(start_broker):
    """The client and the action of the first denial; one line, however many follow."""
    broker = start_broker()
    client = broker.bystander(client_id="back end 1", version=MQTT_5)
    assert not client.subscribe("devices/#")
    line = broker.wait_for_log(" deferred:")
    for word in ("subscribe", 'topic="devices/#"', 'client="back end 1"', 'user="bystander"',
                 "address=127.0.0.1", *HINT):
        assert word in line, (word, line)
    for number in range(5):
        assert not broker.bystander(version=MQTT_5).subscribe("t/%d" % number)
    broker.admin().registration_code()
    assert left(broker) == [line]


def test_an_administrators_own_work_is_no_denial(start_broker):
    """Requests, answers and events are not deferred."""
    broker = start_broker()
    admin = broker.admin()
    admin.listen("$aws/events/#")
    admin.registration_code()
    admin.registration_code()
    assert not left(broker)


def test_a_device_is_not_one_of_them(start_broker, pki):
    """authorization defer leaves devices to others, too; that was chosen."""
    broker = start_broker(plugin={"authorization": "defer"})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    session = broker.connect(admin.activate(pki.device("d1", issuer=ca)), version=MQTT_5)
    assert session.accepted and not session.subscribe("a/#")
    admin.registration_code()
    assert not left(broker)


def test_allow_is_what_password_clients_need(start_broker):
    """Publishing and receiving, as before the plugin was loaded."""
    broker = start_broker(plugin={"other_clients": "allow"})
    assert talks_to_itself(broker.bystander(version=MQTT_5), "a")


def test_an_acl_file_is_the_other_way(start_broker, directory):
    """With defer it decides for each topic; some versions of the broker accept every subscription
    and deliver nothing."""
    (directory / "acl").write_text("user bystander\ntopic readwrite a/#\n")
    broker = start_broker(plugin={"other_clients": "defer"},
                          config=["acl_file %s" % (directory / "acl")])
    assert talks_to_itself(broker.bystander(version=MQTT_5), "a")
    other = broker.bystander(version=MQTT_5)
    other.subscribe("b/#")
    other.publish("b/x", "hello", qos=0)
    assert not other.received()
