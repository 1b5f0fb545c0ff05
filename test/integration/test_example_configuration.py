# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""mosquitto.conf.example works unchanged, except for the paths to fill in."""
import os
import pathlib
import re

import pytest

from broker import PLUGIN, Broker, free_ports

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "mosquitto.conf.example"


class ExampleBroker(Broker):
    """A broker with the example's configuration: only lines marked CHANGE, the ports and the
    directory of the registry differ from the file."""

    def _write_config(self):
        self.ports = dict(zip(("plain", "tls"), free_ports(2)))
        text = EXAMPLE.read_text()
        text, changed = re.subn(r"(?<=^# CHANGE\n)(\w+) .*$", self._fill_in, text, flags=re.M)
        assert changed == text.count("# CHANGE\n"), "a line after CHANGE has no path"
        text = re.sub(r"^listener 1883\b", "listener %d" % self.ports["plain"], text, flags=re.M)
        text = re.sub(r"^listener 8883\b", "listener %d" % self.ports["tls"], text, flags=re.M)
        text = text.replace("/var/lib/mosquitto/jitr", str(self.db_path))
        text += "user root\n" if os.geteuid() == 0 else ""
        path = self.directory / "mosquitto.conf"
        path.write_text(text)
        return path

    def _fill_in(self, line):
        name = line.group(1)
        return "%s %s" % (name, {"password_file": self.directory / "passwords",
                                 "certfile": self.pki.server_certificate,
                                 "keyfile": self.pki.server_key, "plugin": PLUGIN}[name])


POLICY = '''{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}'''


@pytest.fixture
def example(directory, pki):
    broker = ExampleBroker(directory, pki)
    yield broker.start()
    broker.clean_up()


def test_example_configuration_registers_a_device(example, pki):
    """With the paths filled in the broker starts: the administrator can connect, a CA is
    registered, and a device that connects is registered, can be activated and is admitted with a
    policy."""
    admin = example.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    device = pki.device("d1", issuer=ca)

    assert example.connect(device).refused
    example.wait_for_log("certificate registered", device.id)
    admin.update_certificate(device, "ACTIVE")
    assert example.connect(device).refused  # it has no policy yet
    admin.call("createPolicy", policyName="device", policyDocument=POLICY)
    admin.call("attachPolicy", policyName="device", target=device.id)
    assert example.connect(device).accepted
