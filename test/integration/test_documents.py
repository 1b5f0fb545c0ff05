# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The commands in the documents do what the documents say: blocks marked `sh` are run unchanged."""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import textwrap

import pytest

from admin import ADMIN, BYSTANDER, PASSWORD
from broker import PLUGIN, environment, free_ports, program
from wait import PATIENCE, until

TIMED_OUT = 27  # of mosquitto_sub
ORDINARY_PATH = "/usr/local/bin:/usr/bin:/bin"  # Debian's, for ordinary users

ROOT = pathlib.Path(__file__).resolve().parents[2]


def blocks(document, heading):
    """The blocks of a section, in order."""
    text = (ROOT / document).read_text()
    section = text.split("\n%s\n" % heading, 1)[1].split("\n## ", 1)[0]
    return blocks_in(section, heading)


def blocks_in(section, where):
    found = re.findall(r"^ *```sh\n(.*?)^ *```$", section, re.M | re.S)
    assert found, "no block in %s" % where
    return [textwrap.dedent(block) for block in found]


class Shell:
    """A user's shell, with the programs' options in files; settings of a block are kept for the
    next."""

    def __init__(self, directory, options, **variables):
        self.directory = directory
        self.variables = variables
        for name in ("mosquitto_ctrl", "mosquitto_sub", "mosquitto_pub", "mosquitto_rr"):
            (directory / name).write_text(options)

    def run(self, block, status=0):
        env = environment(XDG_CONFIG_HOME=str(self.directory), **self.variables)
        env["PATH"] = ORDINARY_PATH
        end = "\ndeclare -p old id ca key PWD 2>/dev/null >.variables || true\n"
        before = self.directory / ".before"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", '[ ! -e "%s" ] || . "%s"; cd "${PWD}"\n' % (
                before, before) + block + end + 'mv .variables "%s"' % before],
            cwd=self.directory, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=4 * PATIENCE)
        assert done.returncode == status, "%s\n%s" % (block, done.stdout)
        return done.stdout


def for_broker(broker, directory, user=ADMIN, **variables):
    return Shell(directory, "-h 127.0.0.1\n-p %d\n-u %s\n-P %s\n" % (
        broker.ports["plain"], user, PASSWORD), **variables)


@pytest.mark.skipif(not shutil.which("jq"), reason="needs jq")
def test_a_ca_is_rotated(broker, admin, pki, directory):
    """Devices of both CAs register while both are active; those of the old one stay when it
    registers no more devices, and are refused once it is deleted. One has a thing."""
    old, new = pki.ca("Old"), pki.ca("New")
    admin.register_ca(old)
    before, after = pki.device("before", issuer=old), pki.device("after", issuer=new)
    admin.activate(before)
    admin.create_thing("pump")
    admin.attach_thing("pump", before)
    assert broker.connect(before).accepted
    (directory / "old-ca.pem").write_text(old.pem)
    for file in new.files(directory):
        file.rename(directory / ("new-" + file.name))
    shell = for_broker(broker, directory)
    register, stop, left, end, remove = blocks("doc/operations.md", "## Rotating a CA")

    shell.run(register)
    assert broker.connect(after).refused
    broker.wait_for_log("certificate registered", after.id)
    shell.run(stop)
    late = pki.device("late", issuer=old)
    assert broker.connect(late).refused
    broker.wait_for_log("CA_AUTO_REGISTRATION_DISABLED", late.id)
    assert broker.connect(before).accepted
    assert before.id in shell.run(left)
    shell.run(end)
    shell.run(remove)
    assert [new.id] == admin.ids("listCACertificates")
    assert [after.id] == admin.ids()
    assert broker.connect(before).turned_away


@pytest.mark.skipif(not shutil.which("mdb_copy"), reason="needs mdb_copy, of lmdb-utils")
def test_a_registry_is_backed_up_and_restored(broker, admin, pki, directory):
    """After restoring a backup the registry has the records of the backup and no others; the
    backup is taken while the broker runs, a second time over an older one, and only its owner
    can read it."""
    ca = pki.ca("factory")
    admin.register_ca(ca)
    device, later = pki.device("device", issuer=ca), pki.device("later", issuer=ca)
    admin.register_certificate(device, status="ACTIVE")
    shell = for_broker(broker, directory, db=str(broker.db_path))
    backup, restore = blocks("doc/operations.md", "## Backup and restore")

    shell.run(backup)
    shell.run(backup)
    assert (directory / "backup" / "data.mdb").stat().st_mode & 0o077 == 0
    admin.register_certificate(later, status="ACTIVE")
    admin.update_certificate(device, "REVOKED")
    broker.stop()
    shutil.rmtree(broker.ca_path)
    shell.run(restore)
    broker.start()
    assert broker.admin().ids() == [device.id]
    assert broker.connect(device).accepted


def test_counters_are_shown(start_broker, directory):
    """As the document shows them."""
    broker = start_broker(plugin={"metrics_interval": 1})
    admin = broker.admin().listen("$SYS/broker/jitr/cas")
    admin.next()
    (look,) = blocks("doc/operations.md", "## Counters")
    assert "$SYS/broker/jitr/connections/accepted 0" in for_broker(broker, directory).run(look)


def test_an_exporter_sees_the_counters_and_nothing_else(start_broker, directory):
    """With the lines that the document gives its user."""
    text = (ROOT / "doc/operations.md").read_text().split("\n### Prometheus\n", 1)[1]
    (directory / "acl").write_text(
        text.split("```\n")[1].replace("user exporter", "user " + BYSTANDER))
    broker = start_broker(plugin={"metrics_interval": 1}, config=["acl_file %s" % (directory / "acl")])
    shell = for_broker(broker, directory, user=BYSTANDER)
    look = "mosquitto_sub -v -C 1 -W %d -t '%s'"
    assert "connections/accepted 0" in shell.run(look % (PATIENCE, "$SYS/broker/jitr/connections/accepted"))
    shell.run(look % (1, "$SYS/broker/uptime"), status=TIMED_OUT)


def test_a_request_by_hand(broker, factory, directory):
    """As the document of the control topic shows it."""
    (ask,) = blocks_in((ROOT / "doc" / "api.md").read_text(), "doc/api.md")
    assert factory.id in for_broker(broker, directory).run(ask)


class Beginner:
    """The commands of README.md, with other ports and the plugin of this build."""

    def __init__(self, directory):
        self.directory = directory
        self.plain, self.tls = free_ports(2)
        self.shell = Shell(directory, "-p %d\n" % self.plain)
        (directory / "examples").symlink_to(ROOT / "examples")

    def on_free_ports(self, block):
        block = re.sub(r"\b1883\b", str(self.plain), block)
        block = re.sub(r"\b8883\b", str(self.tls), block)
        return re.sub(r"^plugin .*$", "plugin %s" % PLUGIN, block, flags=re.M)

    def types(self, block, status=0):
        return self.shell.run(self.on_free_ports(block), status)

    def log(self):
        return (self.directory / "try" / "broker.log").read_text()

    def starts_broker(self, block):
        """The shell starts the broker, and the test ends it."""
        self.types(block + "echo $! >broker.pid\n")
        assert "running" in self.log()

    def leaves(self):
        path = self.directory / "try" / "broker.pid"
        if path.exists():
            os.kill(int(path.read_text()), signal.SIGTERM)


@pytest.fixture
def beginner(directory):
    program("mosquitto_passwd")
    person = Beginner(directory)
    yield person
    person.leaves()


FIVE_MINUTES = ("README.md", "## Five minutes to a working device")
HELLO = "devices/sensor-1/up hello"


def test_five_minutes_to_a_working_device(beginner):
    """Only the commands of the README are needed: the device is refused, registered, activated, and
    admitted; its message arrives at a back end with a password; after a rule is set other devices
    are admitted at once."""
    (make, start, subscribe, register, publish, show, activate, receive, rule,
     explain) = blocks(*FIVE_MINUTES)

    beginner.types(make)
    beginner.starts_broker(start)
    beginner.types(subscribe)
    assert "certificateId" in beginner.types(register)
    assert "not authorised" in beginner.types(publish)
    until(lambda: "certificate registered" in beginner.log(), "the certificate to be stored")
    assert "PENDING_ACTIVATION" in beginner.types(show)
    beginner.types(activate)
    assert beginner.types(receive) == HELLO + "\n"
    beginner.types(rule)
    again = beginner.types(first_connection_of("sensor-2", make, publish))
    assert "refused" not in again
    assert beginner.types(receive) == HELLO.replace("sensor-1", "sensor-2") + "\n"
    assert '"allowed": true' in beginner.types(explain)
    assert beginner.log().count("connection refused") == 1


def test_five_minutes_pasted_as_a_whole(beginner):
    """All blocks pasted at once: no block needs a pause before it that it does not have, and none
    reads later lines as its input."""
    (beginner.directory / "all.sh").write_text(
        beginner.on_free_ports("".join(blocks(*FIVE_MINUTES))) + "echo $! >broker.pid\n")
    said = beginner.shell.run("bash -eu <all.sh")
    assert HELLO in said.splitlines(), said
    assert '"status": "PENDING_ACTIVATION"' in said and '"allowed": true' in said
    assert " deferred: topic" not in beginner.log() and "is not set" not in beginner.log()


# As Debian's, which has use_pty: it hands its terminal's input on to its command.
SUDO = """#!/bin/bash
{ read -r -t 1 -N 4096 _; } 2>/dev/null </dev/tty
[ "$1" != -n ] || shift
exec "$@"
"""


class Terminal:
    """An interactive shell on a terminal without bracketed paste."""

    def __init__(self, directory, path):
        self.child, self._master = pty.fork()
        if self.child == 0:
            os.chdir(directory)
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"],
                       dict(os.environ, PATH=path, INPUTRC="/dev/null", TERM="dumb"))

    def shows(self, text):
        """Before it has been silent for a while."""
        seen = b""
        while text not in seen and select.select([self._master], [], [], PATIENCE)[0]:
            seen += os.read(self._master, 4096)
        return text in seen

    def paste(self, text):
        os.write(self._master, text.encode())

    def close(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self._master)


def executable(path, text):
    path.write_text(text)
    path.chmod(0o755)


def installing():
    """The README's block that is not marked as one to be run here."""
    section = (ROOT / FIVE_MINUTES[0]).read_text().split("\n%s\n" % FIVE_MINUTES[1], 1)[1]
    return re.search(r"^```\n(.*?)^```$", section, re.M | re.S).group(1)


SCRIPTS = ". '%s/scripts/common.sh'\nas_root apt-get update\n" % ROOT


@pytest.mark.parametrize("commands", [installing(), SCRIPTS], ids=["README", "scripts"])
def test_sudo_does_not_read_the_lines_pasted_behind_it(directory, commands):
    """A user with sudo may paste all blocks at once, or both commands of the README."""
    tools = directory / "tools"
    tools.mkdir()
    executable(tools / "sudo", SUDO)
    executable(tools / "id", "#!/bin/sh\necho 1000\n")
    executable(tools / "apt-get", "#!/bin/sh\ncat >/dev/null\n")
    for name in ("cmake", "systemctl"):
        executable(tools / name, "#!/bin/sh\n")
    terminal = Terminal(directory, "%s:%s" % (tools, os.environ["PATH"]))
    try:
        terminal.paste(commands + "echo behind $((6 * 7))\n")
        assert terminal.shows(b"behind 42")
    finally:
        terminal.close()


def first_connection_of(name, make, publish):
    """The README's lines for one more device, which must be admitted."""
    lines = [line for line in make.splitlines() if "device.csr" in line]
    return "\n".join([*lines, publish, ""]).replace("sensor-1", name)
