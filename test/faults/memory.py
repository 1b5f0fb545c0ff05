# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Rows where one allocation fails, the nth for many n, in the broker or in the registrar."""
import os
import time

from admin import AwsError
from broker import DidNotStart
from load import GONE, POLICY
from revocation import import_list, large_list
from rows import row
from scene import BROKER, REGISTRAR
from wait import until

# How many n of each row; JITR_FAULTS_ALLOCATIONS=all: every n.
SAMPLES = 10

REFUSALS = ("ServiceUnavailableException", "InternalFailureException", "LimitExceededException",
            "ThrottlingException")


def numbers(bench, count):
    """Which of so many allocations fail, one in each attempt."""
    if os.environ.get("JITR_FAULTS_ALLOCATIONS") == "all":
        return range(1, count + 1)
    stride = max(1, count // SAMPLES)
    return range(1 + bench.random.randrange(stride), count + 1, stride)


def no_crash(scene):
    """A process ends by itself without memory, or goes on; it is not killed by a signal."""
    lines = scene.broker.log_lines("killed by signal")
    assert not lines, lines[-1]
    process = scene.broker.process
    assert process is None or process.poll() is None, "the broker ended with %s:\n%s" % (
        process.returncode, scene.broker.log()[-1500:])


def at_work(bench, process, act):
    """act(scene): one allocation fails in it; it checks what it sees."""
    with bench.scene(shim=True) as scene:
        act(scene)  # what is allocated once
        with scene.shim.counting(process):
            act(scene)
        count, failed = scene.shim.control.allocations, scene.shim.control.failed
        assert count > 0, "nothing was allocated"
        for n in numbers(bench, count):
            with bench.attempt():
                with scene.shim.counting(process, n):
                    act(scene)
                no_crash(scene)
                scene.works()
                come_again(scene)
                no_crash(scene)
        bench.note("%d allocations, %d failed" % (count, scene.shim.control.failed - failed))
        with bench.attempt():
            scene.restart_and_compare()


def come_again(scene):
    """A new device that was forgotten is registered when it connects again."""
    admin = scene.broker.admin()
    for device in getattr(scene, "presented", ()):
        def known(device=device):
            scene.connect(device).leave()
            return admin.status(device) is not None
        until(known, "%s to be registered" % device, 20)


# -- what is done while it fails -------------------------------------------------------

def connects(scene):
    """A known device, one that is INACTIVE, and one that is new."""
    admin = scene.broker.admin()
    if not hasattr(scene, "inactive"):
        scene.inactive = admin.activate(scene.device())
        admin.update_certificate(scene.inactive, "INACTIVE")
        scene.book.done(("cert", scene.inactive.id), "INACTIVE")
    new = scene.device()
    scene.presented = [new]
    for device in (scene.known[0], scene.inactive, new):
        session = scene.connect(device)
        assert not session.accepted or device is scene.known[0], "%s was let in" % device
        session.leave()
    time.sleep(0.2)  # the registration


def ask(scene, key, value, command, **members):
    """Whether it was done; a refused change may be done or not."""
    scene.book.begin(key, value)
    try:
        scene.broker.admin().call(command, **members)
    except AwsError as refusal:
        assert refusal.name in REFUSALS, "%s: %s" % (command, refusal)
        return False
    scene.book.done(key, value)
    return True


def requests(scene):
    device = scene.device()
    cert, policy = ("cert", device.id), "p-%s" % device.id[:12]
    made = ask(scene, cert, "ACTIVE", "registerCertificate", certificatePem=device.pem,
               status="ACTIVE")
    named = ask(scene, ("policy", policy), "there", "createPolicy", policyName=policy,
                policyDocument=POLICY)
    attached = ("attached", policy, device.id)
    if made and named and ask(scene, attached, "there", "attachPolicy", policyName=policy,
                              target=device.id):
        ask(scene, attached, GONE, "detachPolicy", policyName=policy, target=device.id)
    if made:
        ask(scene, cert, "INACTIVE", "updateCertificate", certificateId=device.id,
            newStatus="INACTIVE")


def imports(scene):
    scene.list_number += 1
    made = large_list(scene.ca, 300 + scene.list_number, number=scene.list_number)
    key, value = ("crl", scene.ca.id), str(300 + scene.list_number)
    scene.book.begin(key, value)
    try:
        import_list(scene.broker.admin(), scene.ca, made)
    except AwsError as refusal:
        assert refusal.name in REFUSALS, "importCrl: %s" % refusal
        return
    scene.book.done(key, value)


def start(scene):
    """It starts, or one line says why not; the next start works."""
    scene.broker.stop()
    try:
        scene.broker.start()
    except DidNotStart as refusal:
        assert refusal.status >= 0, "ended with %d:\n%s" % (refusal.status, refusal.log[-1500:])
        # The broker's own line has MOSQ_ERR_NOMEM, which is 1.
        assert "jitr: " in refusal.log or "Plugin returned 1 " in refusal.log, refusal.log[-1500:]
        scene.broker.process = None
        scene.shim.control.process = 0
        scene.broker.start()


STARTS = "starts, or a line says why not; the next start works"
SHUT_OUT = "INACTIVE and new devices are not let in; then all works"
ANSWERS = "answered or refused; then all works"

# Not yet: requests and imports while the broker has no memory, where an answer can be lost.
KINDS = ((BROKER, "broker: start", start, STARTS),
         (BROKER, "broker: connections", connects, SHUT_OUT),
         (REGISTRAR, "registrar: start", start, STARTS),
         (REGISTRAR, "registrar: connections", connects, SHUT_OUT),
         (REGISTRAR, "registrar: requests", requests, ANSWERS),
         (REGISTRAR, "registrar: import of a list", imports, ANSWERS))


def add_rows():
    for process, name, act, checked in KINDS:
        row("no memory, " + name, checked + "; changes, events, indexes, lists")(
            lambda bench, process=process, act=act: at_work(bench, process, act))


add_rows()
