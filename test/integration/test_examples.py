# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The programs and documents in examples/, as a user runs them: both activation programs do the
same, and the rule and the template work unchanged."""
import importlib.util
import json
import pathlib
import queue
import signal
import subprocess
import sys
import types

import pytest

from admin import ADMIN, PASSWORD
from broker import BUILD_DIR, environment, free_ports, program
from revocation import revocation_list
from wait import PATIENCE, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


class Rule:
    """One of the programs, and its output."""

    def __init__(self, kind, directory, port):
        self.kind = kind
        self.directory = directory
        self.port = port
        self.log_path = directory / "rule.log"
        self.process = None
        self.login = ["-h", "127.0.0.1", "-p", str(port), "-u", ADMIN, "-P", PASSWORD]
        self.log_path.touch()
        self.lives = 0

    def uses(self, ca, crl):
        (self.directory / "ca.pem").write_text(ca.pem)
        (self.directory / "ca.crl").write_text(crl)

    def _environment(self):
        """For Debian's programs: the settings of this build would break them."""
        env = environment(XDG_CONFIG_HOME=str(self.directory))
        env.pop("LD_PRELOAD", None)
        for name in ("mosquitto_ctrl", "mosquitto_sub"):
            (self.directory / name).write_text("-h 127.0.0.1\n-p %d\n-u %s\n-P %s\n" % (
                self.port, ADMIN, PASSWORD))
        return dict(env, JITR_CTL=str(BUILD_DIR / "mosquitto_jitr"),
                    JITR_SUB=program("mosquitto_sub"))

    def _words(self):
        words = [EXAMPLES / self.kind, "--ca", "ca.pem", "--crl", "ca.crl", "--policy", "device"]
        if self.kind == "activate.py":
            words = [sys.executable, *words, *self.login]
        return list(map(str, words))

    def start(self):
        """And wait until it listens."""
        self.launch()
        self.wait_for("listening", count=self.lives)

    def launch(self):
        self.lives += 1
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self._words(), cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self._environment())

    def end(self):
        """SIGTERM; its status.  Nothing it started may stay behind."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        until(lambda: not self._processes(), "its processes to end")
        return status

    def _processes(self):
        mark = ("XDG_CONFIG_HOME=%s\0" % self.directory).encode()
        return [p for p in pathlib.Path("/proc").glob("[0-9]*/environ") if mark in _read(p)]

    def discard(self):
        if self.process and self.process.poll() is None:
            self.end()

    def log(self):
        return self.log_path.read_text()

    def lines(self, *words):
        return [line for line in self.log().split("\n") if all(w in line for w in words)]

    def wait_for(self, *words, count=1):
        until(lambda: len(self.lines(*words)) >= count,
              "%d lines with %s in:\n%s" % (count, words, self.log()))
        return self.lines(*words)[-1]


def _read(path):
    try:
        return path.read_bytes()
    except OSError:  # another user's process, or ended
        return b""


def give_policy(site):
    """The policy that the documentation recommends."""
    site.admin.create_policy("device", (EXAMPLES / "device-policy.json").read_text())


@pytest.fixture
def port():
    """A listener that stays where it is when the broker starts again."""
    return free_ports(1)[0]


@pytest.fixture
def site(make_site, port):
    made = make_site(plugin={"announce_interval": 0}, config=["listener %d 127.0.0.1" % port])
    give_policy(made)
    return made


@pytest.fixture(params=["activate.py", "activate.sh"])
def rule(request, directory, site, port):
    """A program that is not started yet, with an empty list."""
    home = directory / "rule"
    home.mkdir()
    made = Rule(request.param, home, port)
    made.uses(site.ca, revocation_list(site.ca))
    yield made
    made.discard()


def attempt(site, device):
    """Whether the device is admitted."""
    return site.broker.connect(device).accepted


# -- the programs -----------------------------------------------------------------

def test_device_is_activated_and_gets_in(rule, site):
    """Refused, announced, activated with its policy, admitted, with the rights of the policy
    (aws-iot G.1)."""
    rule.start()
    device = site.pki.device("d1", issuer=site.ca)
    assert not attempt(site, device)
    rule.wait_for("activated " + device.id)
    session = site.broker.connect(device)
    assert session.accepted
    assert session.subscribe("devices/d1/down") and not session.subscribe("devices/d2/down")
    assert [p["policyName"] for p in site.admin.attached_policies(device)] == ["device"]


def test_listed_device_is_revoked(rule, site):
    """For good; another one is activated as before (aws-iot G.1 step 2)."""
    bad, good = (site.pki.device(name, issuer=site.ca) for name in ("bad", "good"))
    rule.uses(site.ca, revocation_list(site.ca, bad))
    rule.start()
    for device in (bad, good):
        assert not attempt(site, device)
    rule.wait_for("revoked " + bad.id)
    rule.wait_for("activated " + good.id)
    assert site.admin.status(bad) == "REVOKED" and not attempt(site, bad)
    assert site.admin.attached_policies(bad) == []
    assert attempt(site, good)


def test_certificates_that_became_pending_meanwhile_are_handled(rule, site):
    """No program listened when it registered, and the device does not try again."""
    devices = [site.pki.device("d%d" % n, issuer=site.ca) for n in range(3)]
    for device in devices:
        assert not attempt(site, device)
    rule.start()
    for device in devices:
        rule.wait_for("activated " + device.id)
        assert attempt(site, device)


@pytest.mark.parametrize("what, crl, why", [
    ("stale", lambda ca, d: revocation_list(ca, age=2), "CRL has expired"),
    ("stale, with its name", lambda ca, d: revocation_list(ca, d, age=2), "CRL has expired"),
    ("of tomorrow", lambda ca, d: revocation_list(ca, age=-1), "CRL is not yet valid"),
    ("signed with another key",
     lambda ca, d: revocation_list(ca, d, signer=d.issuer.other), "CRL signature failure"),
    ("no list", lambda ca, d: "none\n", ""),
], ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "")
def test_without_a_good_list_it_stays_pending(rule, site, what, crl, why):
    """Its device's next attempt asks again, and by then the list is in order (aws-iot G.3)."""
    device = site.pki.device("d1", issuer=site.ca)
    site.ca.other = site.pki.ca("factory")
    rule.uses(site.ca, crl(site.ca, device))
    rule.start()
    assert not attempt(site, device)
    assert why in rule.wait_for("left pending " + device.id)
    assert site.admin.status(device) == "PENDING_ACTIVATION"

    rule.uses(site.ca, revocation_list(site.ca))
    assert not attempt(site, device)
    rule.wait_for("activated " + device.id)
    assert attempt(site, device)


def test_restarting_it_changes_nothing(rule, site):
    """Handled certificates are not changed, also when an event is still waiting for a certificate
    that an administrator has deactivated since."""
    done, later, canary = (site.pki.device(n, issuer=site.ca) for n in ("done", "later", "canary"))
    rule.start()
    assert not attempt(site, done)
    rule.wait_for("activated " + done.id)
    before = site.admin.describe_certificate(done)
    rule.end()
    assert not attempt(site, later)
    for status in ("ACTIVE", "INACTIVE"):
        site.admin.update_certificate(later, status)

    for _ in range(2):
        rule.start()
        rule.end()
    rule.start()
    assert not attempt(site, canary)
    rule.wait_for("activated " + canary.id)
    assert site.admin.describe_certificate(done) == before
    assert site.admin.status(later) == "INACTIVE"
    assert not rule.lines("activated " + later.id)


def test_restart_of_the_broker_does_not_end_it(rule, site):
    """It reconnects after the broker's restart; a device tries until it is admitted, as devices
    do."""
    rule.start()
    site.restart()
    device = site.pki.device("d1", issuer=site.ca)
    until(lambda: attempt(site, device), "the device to be let in:\n" + rule.log())
    rule.wait_for("activated " + device.id)
    assert rule.process.poll() is None


def test_broker_that_comes_later(rule, site):
    """It may be started first."""
    site.broker.stop()
    rule.launch()
    site.restart()
    rule.wait_for("listening")
    device = site.pki.device("d1", issuer=site.ca)
    assert not attempt(site, device)
    rule.wait_for("activated " + device.id)
    assert attempt(site, device)


def test_end(rule, site):
    """SIGTERM ends it and all that it started."""
    rule.start()
    status = rule.end()
    assert status == (0 if rule.kind == "activate.py" else -signal.SIGTERM)
    assert "Traceback" not in rule.log()


# -- what only one of them has ------------------------------------------------------

def policy_of_programs():
    """As doc/policies.md shows it for programs that activate."""
    text = (ROOT / "doc" / "policies.md").read_text()
    text = text[text.index("These rights are enough for a program"):]
    start = text.index("```json\n") + len("```json\n")
    return text[start:text.index("```", start)]


def test_program_logs_in_with_a_certificate(directory, site, port):
    """Without a password, and with no more rights than the documentation names."""
    admin = site.admin
    operator = admin.activate(site.pki.device("operator", issuer=site.ca))
    admin.create_policy("operator", policy_of_programs())
    admin.attach_policy("operator", operator)
    certificate, key = operator.files(directory)
    program = Rule("activate.py", directory, port)
    program.login = ["-h", "localhost", "-p", str(site.broker.ports["tls"]), "--cafile",
                     site.pki.server_ca, "--cert", certificate, "--key", key]
    program.uses(site.ca, revocation_list(site.ca))
    first, second = (site.pki.device(n, issuer=site.ca) for n in ("first", "second"))
    assert not attempt(site, first)
    program.start()
    try:
        assert not attempt(site, second)
        program.wait_for("activated " + second.id)
        program.wait_for("activated " + first.id)
    finally:
        assert program.end() == 0


def test_program_reads_its_password_from_a_file(directory, site, port):
    """Without the file it ends with one line and no trace."""
    program = Rule("activate.py", directory, port)
    program.uses(site.ca, revocation_list(site.ca))
    program.login = ["-h", "127.0.0.1", "-p", str(port), "-u", ADMIN, "--pw-file", "password"]
    program.launch()
    assert program.process.wait(PATIENCE) == 2
    assert "--pw-file" in program.log() and "Traceback" not in program.log()
    (directory / "password").write_text(PASSWORD + "\n")
    program.launch()
    program.wait_for("listening")
    assert program.end() == 0


@pytest.fixture
def activator():
    """The program as a module, with a broker that is a list of answers."""
    spec = importlib.util.spec_from_file_location("activate", EXAMPLES / "activate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    options = types.SimpleNamespace(host="localhost", port=1, id="x", username=None, cafile=None,
                                    ca="ca.pem", crl="ca.crl", policy="device")
    made = module.Activator(options)
    made.client = FakeClient(made)
    return made


class FakeClient:
    def __init__(self, activator):
        self.activator = activator
        self.requests = []
        self.answers = []

    def publish(self, topic, payload):
        request, = json.loads(payload)["commands"]
        self.requests.append(request)
        answer = self.answers.pop(0)
        if not isinstance(answer, bytes):
            answer = json.dumps({"responses": [
                {"correlationData": request["correlationData"], "data": answer}]})
        self.activator.answers.put(answer)
        return types.SimpleNamespace(rc=0)

    def loop_start(self):
        pass

    disconnect = loop_stop = loop_start


def test_program_follows_the_markers(activator):
    """A list of several pages is read page by page (aws-iot 1.6)."""
    activator.client.answers = [
        {"certificates": [{"certificateId": "1"}, {"certificateId": "2"}], "nextMarker": "Mg=="},
        {"certificates": [], "nextMarker": "Mw=="},
        {"certificates": [{"certificateId": "3"}], "nextMarker": None}]
    assert list(activator.pending()) == ["1", "2", "3"]
    requests = activator.client.requests
    assert [r.get("marker") for r in requests] == [None, "Mg==", "Mw=="]
    assert {r["status"] for r in requests} == {"PENDING_ACTIVATION"}


def test_program_survives_malformed_events(activator, capsys):
    """No event and no answer ends it."""
    events = [b"", b"\xff", b"[]", b"7", b"{}", b'{"certificateId":null}', None]
    answers = [b"\xff", b"{", b"7", b"[]", b'{"responses":7}', b'{"responses":[7]}',
               {}, {"certificateDescription": {}}, {"certificateDescription": 7},
               {"certificateDescription": {"status": "PENDING_ACTIVATION"}}]
    for event in events[:-1] + [b'{"certificateId":"a"}'] * len(answers) + [None]:
        activator.work.put(event)
    activator.client.answers = [{}, *answers, {"certificates": 7}]
    get = activator.work.get

    def get_or_stop(timeout):
        if activator.work.empty():
            activator.running = False
            raise queue.Empty
        return get(timeout=timeout)

    activator.work.get = get_or_stop
    activator.run()
    assert activator.client.answers == []
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(events) + len(answers)
    assert sum(line.startswith("left pending a: ") for line in lines) == len(answers)


# -- the documents ------------------------------------------------------------------

def things_of(site, device):
    return site.admin.call("listPrincipalThings", principal=device.id)["things"]


def test_the_rule(site):
    """A device that meets the conditions is admitted at the first attempt, with the policy and a
    thing of its name; any other is left pending for an administrator."""
    site.admin.update_ca(site.ca, activation=(EXAMPLES / "rule.json").read_text())
    sensor, pump = (site.pki.device(n, issuer=site.ca) for n in ("sensor-1", "pump-1"))
    session = site.broker.connect(sensor)
    assert session.accepted and session.subscribe("devices/sensor-1/down")
    assert site.admin.status(sensor) == "ACTIVE"
    assert things_of(site, sensor) == ["sensor-1"]
    assert not attempt(site, pump) and site.admin.status(pump) == "PENDING_ACTIVATION"
    assert things_of(site, pump) == []


def test_the_template(site):
    """As on AWS: the first attempt is refused and provisions, the second is admitted; another
    certificate of the same thing is accepted."""
    site.admin.call("createProvisioningTemplate", templateName="site", type="JITP", enabled=True,
                    templateBody=(EXAMPLES / "template.json").read_text(),
                    provisioningRoleArn="arn:aws:iam::123456789012:role/jitp")
    site.admin.update_ca(site.ca, registrationConfig={"templateName": "site"})
    for device in (site.pki.device("d1", issuer=site.ca) for _ in range(2)):
        assert not attempt(site, device)
        assert site.admin.status(device) == "ACTIVE"
        assert attempt(site, device)
        assert things_of(site, device) == ["d1"]
        assert [p["policyName"] for p in site.admin.attached_policies(device)] == ["device"]
