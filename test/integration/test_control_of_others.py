# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Other plugins are administered below $CONTROL too; no option and no policy of this plugin gives
that right (mosquitto sections 6 and 7). With Mosquitto's own dynamic-security behind the plugin: no
device, and no client without a certificate, can create an administrator there."""
import base64
import hashlib
import json
import pathlib

import pytest

from admin import BYSTANDER, PASSWORD
from device import MQTT_3_1_1, MQTT_5
from policies import CONNECT, Site, allow

VERSIONS = pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
REQUESTS = "$CONTROL/dynamic-security/v1"
ANSWERS = REQUESTS + "/response"
KEEPER = "keeper"  # the administrator of dynamic-security


def library():
    """The path of dynamic-security on Debian and others; None: not installed."""
    found = [*pathlib.Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"),
             *pathlib.Path("/usr/lib").glob("mosquitto_dynamic_security.so")]
    return found[0] if found else None


pytestmark = pytest.mark.skipif(library() is None, reason="no mosquitto_dynamic_security.so")


def role(kinds):
    return [{"acltype": kind, "topic": "$CONTROL/#", "priority": 0, "allow": True}
            for kind in kinds]


def configuration():
    """The configuration that `mosquitto_ctrl dynsec init` writes, with this administrator."""
    salt = b"0123456789ab"
    hashed = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 101, 64)
    kinds = ["publishClientSend", "publishClientReceive", "subscribePattern", "unsubscribePattern"]
    return {
        "defaultACLAccess": {"publishClientSend": False, "publishClientReceive": True,
                             "subscribe": False, "unsubscribe": True},
        "clients": [{"username": KEEPER, "textName": "", "roles": [{"rolename": "admin"}],
                     "password": base64.b64encode(hashed).decode(),
                     "salt": base64.b64encode(salt).decode(), "iterations": 101}],
        "groups": [], "roles": [{"rolename": "admin", "acls": role(kinds)}]}


class Security:
    """A broker with dynamic-security behind this plugin."""

    def __init__(self, start_broker, directory, **options):
        self.path = directory / "dynamic-security.json"
        self.path.write_text(json.dumps(configuration()))
        self.path.chmod(0o666)
        directory.chmod(0o777)
        self.broker = start_broker(plugin=options, config=[
            "plugin %s" % library(), "plugin_opt_config_file %s" % self.path])

    def knows_only_its_keeper(self):
        """When the last request of its administrator is done, all earlier ones are too."""
        keeper = self.broker.connect(None, listener="plain", user=KEEPER, password=PASSWORD)
        assert keeper.accepted and keeper.subscribe(ANSWERS)
        keeper.publish(REQUESTS, json.dumps({"commands": [
            {"command": "createClient", "username": "asked", "password": "x"}]}))
        answer = json.loads(keeper.next_message().payload)
        assert answer["responses"] == [{"command": "createClient"}], answer
        keeper.publish(REQUESTS, json.dumps({"commands": [{"command": "listClients"}]}))
        answer = json.loads(keeper.next_message().payload)
        assert set(answer["responses"][0]["data"]["clients"]) == {KEEPER, "asked"}


def takeover(name):
    return json.dumps({"commands": [
        {"command": "createClient", "username": name, "password": "x",
         "roles": [{"rolename": "admin"}]}]})


def try_will(broker, device, **how):
    """2.1 refuses a CONNECT with such a will."""
    session = broker.connect(device, will=(REQUESTS, takeover("by will")), **how)
    if session.accepted:
        session.vanish()


def try_everything(session, name):
    """As a request, retained, and by listening to the answers."""
    for retain in (False, True):
        session.publish(REQUESTS, takeover(name), qos=1, retain=retain)
    for filters in (ANSWERS, "$CONTROL/#", "$CONTROL/+/v1/response", "$share/g/" + ANSWERS):
        assert not session.subscribe(filters), filters


@VERSIONS
@pytest.mark.parametrize("authorization", ["policy", "defer", "allow"])
def test_device_makes_no_administrator_of_another_plugin(start_broker, directory, authorization,
                                                         version):
    """Its policy names the topics, or everything is allowed: dynamic-security is asked, and does
    not know the client. Nor does its will get there."""
    security = Security(start_broker, directory, authorization=authorization)
    site = Site(security.broker)
    device = site.device(
        CONNECT, allow("Publish", "topic/$CONTROL/*"), allow("RetainPublish", "topic/$CONTROL/*"),
        allow("Subscribe", ["topicfilter/$CONTROL/*"]), allow("Receive", "topic/$CONTROL/*"))
    session = security.broker.connect(device, version=version)
    assert session.accepted
    try_everything(session, "by device")
    session.leave()
    try_will(security.broker, device, version=version)
    security.knows_only_its_keeper()


@VERSIONS
def test_client_without_certificate_makes_none_either(start_broker, directory, version):
    """other_clients allow: a user of the password file."""
    security = Security(start_broker, directory, other_clients="allow")
    how = {"listener": "plain", "user": BYSTANDER, "password": PASSWORD, "version": version}
    session = security.broker.connect(None, **how)
    assert session.accepted
    try_everything(session, "by user")
    session.leave()
    try_will(security.broker, None, **how)
    security.knows_only_its_keeper()
