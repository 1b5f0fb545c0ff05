# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The faults, one function each: what is broken, and what must hold meanwhile and afterwards."""
import os
import shutil
import signal
import subprocess
import time

from broker import Broker
from disk import MAY_MOUNT, SmallDisk
from load import running
from revocation import large_list
from scene import ALL, DAY, DidNotStart, Skip
from test_disks import Disk, may_have
from test_faults import complaint, fill_registry
from wait import until

ROWS = []


def row(name, checked):
    """Adds a fault to the table."""
    def add(function):
        ROWS.append((name, checked, function))
        return function
    return add


# The next start comes after 0, 1 and 2 seconds, and later each time (backoff.h).
KILLS_OF_ONE = 3

# Attempts with one broker and its registry.
KILLS_OF_SCENE = 25

ANSWERED = "answered changes, events, indexes, lists"


# -- killed ----------------------------------------------------------------------

def has_ended(pid):
    """A registrar without a broker finishes its last commit; a zombie has no files open."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def kill_at_random(bench, victims):
    """Under load, at moments that the seed decides."""
    for count in in_scenes(bench.kills):
        kill_in_scene(bench, count, victims)


def in_scenes(kills):
    """A registry grows with each attempt, and comparing it takes longer."""
    return [min(KILLS_OF_SCENE, kills - done) for done in range(0, kills, KILLS_OF_SCENE)]


def kill_in_scene(bench, count, victims):
    with bench.scene() as scene:
        victims(scene)
        for number in range(count):
            with bench.attempt():
                load = scene.load(seed=bench.random.random())
                time.sleep(0.1 + bench.random.random() * 1.2)
                load.expect_end()
                registrar = scene.registrar()
                for pid in victims(scene):
                    os.kill(pid, signal.SIGKILL)
                scene.broker.process.wait()
                until(lambda: has_ended(registrar), "the registrar to end", 20)
                complaints = load.stop()
                assert not complaints, "; ".join(complaints)
                scene.broker.discard()
                scene.compare()
                scene.broker.start()
                if number % 10 == 9:
                    scene.works()
        bench.note(scene.book.totals())


@row("broker killed", ANSWERED + "; starts again")
def broker_killed(bench):
    kill_at_random(bench, lambda scene: [scene.broker.process.pid])


@row("broker and registrar killed", ANSWERED + "; starts again")
def both_killed(bench):
    kill_at_random(bench, lambda scene: [scene.registrar(), scene.broker.process.pid])


@row("registrar killed", ANSWERED + "; known devices, bystander, started again")
def registrar_killed(bench):
    for count in in_scenes(bench.kills):
        kill_registrar(bench, count)


def kill_registrar(bench, count):
    with bench.scene() as scene:
        scene.registrar()
        for number in range(count):
            with bench.attempt():
                with running(scene, tolerant=True, seed=bench.random.random()) as load:
                    time.sleep(0.1 + bench.random.random() * 1.2)
                    killed = scene.registrar()
                    os.kill(killed, signal.SIGKILL)
                    until(lambda: scene.broker.registrar() not in (None, killed),
                          "another registrar", 20)
                    time.sleep(0.2)
                assert load.turned_away == 0, "known devices were turned away"
                if number % KILLS_OF_ONE == KILLS_OF_ONE - 1 or number + 1 == count:
                    scene.restart_and_compare()
        bench.note(scene.book.totals())


# -- the disk --------------------------------------------------------------------

def shut_down(scene):
    """What was not synced is lost."""
    path = "/proc/%d/root%s" % (scene.broker.process.pid, scene.disk.path)
    subprocess.run(["xfs_io", "-x", "-c", "shutdown", path], check=True, capture_output=True)


def power_cut(bench, kind):
    if not may_have(kind) or not shutil.which("xfs_io"):
        raise Skip("needs to mount %s, and xfs_io" % kind)
    with bench.scene(lambda make, home: Disk(make, home, kind)) as scene:
        for _ in range(3):
            with bench.attempt():
                load = scene.load(tolerant=True, seed=bench.random.random())
                time.sleep(0.5 + bench.random.random())
                shut_down(scene)
                time.sleep(0.2)
                scene.kill(load)
                complaints = load.stop()
                assert not complaints, "; ".join(complaints)
                scene.restart_and_compare()


@row("power cut, xfs", ANSWERED + "; starts again")
def power_cut_xfs(bench):
    power_cut(bench, "xfs")


@row("power cut, ext4", ANSWERED + "; starts again")
def power_cut_ext4(bench):
    power_cut(bench, "ext4")


@row("file system turns read-only", "changes refused, known devices, bystander; " + ANSWERED)
def turns_read_only(bench):
    if not may_have("ext4"):
        raise Skip("needs to mount ext4")
    with bench.scene(lambda make, home: Disk(make, home, "ext4")) as scene:
        with bench.attempt():
            with running(scene, tolerant=True) as load:
                time.sleep(0.5)
                subprocess.run(["nsenter", "-t", str(scene.broker.process.pid), "-m", "mount",
                                "-o", "remount,abort", scene.disk.path], check=True,
                               capture_output=True)
                time.sleep(1)
                scene.changes_are_refused(["read-only", "input/output"])
                scene.known_devices_connect()
            assert load.turned_away == 0, "known devices were turned away"
            scene.broker.discard()
            scene.restart_and_compare()


@row("disk full and freed", "changes refused, known devices, bystander; then all works")
def disk_full(bench):
    if not MAY_MOUNT:
        raise Skip("needs to mount")

    def prepare(make, home):
        (home / "disk").mkdir()
        return SmallDisk(make, home / "disk", {})

    with bench.scene(prepare) as scene:
        for _ in range(3):
            with bench.attempt():
                with running(scene, tolerant=True) as load:
                    scene.disk.fill()
                    until(lambda: scene.book.refused > 3, "changes to be refused")
                    scene.known_devices_connect()
                    scene.disk.make_room()
                    scene.book.refused = 0
                    answered = scene.book.answered
                    until(lambda: scene.book.answered > answered + 5, "changes to be done", 20)
                assert load.turned_away == 0, "known devices were turned away"
                scene.works()


def failing_calls(bench, seconds, restarts=True, **calls):
    """These calls fail for a while, under load."""
    with bench.scene(shim=True) as scene:
        for _ in range(3):
            with bench.attempt():
                with running(scene, tolerant=True) as load:
                    time.sleep(0.3 + bench.random.random() * 0.5)
                    with scene.shim.failing(**calls):
                        time.sleep(seconds)
                    scene.works()
                if restarts:
                    assert load.turned_away == 0, "known devices were turned away"
                bench.note("%d of %d known turned away" % (load.turned_away, load.connects)
                           if load.turned_away else "")
                assert scene.book.refused > 0, "no change was refused"
                scene.restart_and_compare()


@row("EIO on writing", "changes refused, known devices, bystander; then all works; " + ANSWERED)
def write_fails(bench):
    failing_calls(bench, 1.5, data_writes=ALL)


@row("EIO on syncing", "changes refused, known devices, bystander; then all works; " + ANSWERED)
def sync_fails(bench):
    failing_calls(bench, 1.5, syncs=ALL)


@row("EIO on the meta page, once", "an ERROR line, reopened, bystander; " + ANSWERED)
def meta_fails_once(bench):
    with bench.scene(shim=True) as scene:
        for number in range(5):
            with bench.attempt():
                with running(scene, tolerant=True) as load:
                    time.sleep(0.2 + bench.random.random() * 0.5)
                    with scene.shim.failing(meta_writes=1):
                        until(lambda: scene.shim.control.meta_writes == 0, "a commit to fail")
                    scene.works()
                assert scene.broker.log_lines("disk failed in the middle of a commit")
                assert scene.broker.log_lines("the registry is open again")
                bench.note("%d of %d known turned away" % (load.turned_away, load.connects)
                           if load.turned_away else "")
                scene.restart_and_compare()


@row("EIO on the meta page, for a while", "reopened, bystander; then all works; " + ANSWERED)
def meta_fails(bench):
    failing_calls(bench, 1.5, restarts=False, meta_writes=ALL)


@row("EIO on reading a list file", "the list before it in force, the failure told; then imported")
def list_file_fails(bench):
    with bench.scene(shim=True) as scene:
        path = scene.broker.directory.parent / "ca.crl"
        path.write_bytes(large_list(scene.ca, 50, number=1))
        admin = scene.broker.admin()

        def described():
            return admin.call("describeCrl", caCertificateId=scene.ca.id)

        def number():
            return described().get("crl", {}).get("crlNumber")

        admin.update_ca(scene.ca, crlFile=str(path))
        until(lambda: number() == "1", "the first list")
        with bench.attempt():
            with scene.shim.failing(list_reads=ALL):
                path.write_bytes(large_list(scene.ca, 60, number=2))
                until(lambda: "nput/output" in described().get("lastFailure", {}).get(
                    "details", ""), "the failure")
                assert number() == "1"
                scene.known_devices_connect()
            path.write_bytes(large_list(scene.ca, 70, number=3))
            until(lambda: number() == "3", "the list")
            scene.known_devices_connect()


# -- files that are gone ---------------------------------------------------------

def remove_under(bench, remove, put_back=None):
    with bench.scene() as scene:
        with bench.attempt():
            with running(scene, tolerant=True) as load:
                time.sleep(0.5)
                remove(scene.registry)
                time.sleep(0.3)
                scene.changes_are_refused(["removed or replaced"])
                scene.broker.wait_for_log("removed or replaced while it is in use")
                scene.known_devices_connect()
                if put_back:
                    put_back(scene.registry)
                    scene.works()
            assert load.turned_away == 0, "known devices were turned away"
            if put_back:
                scene.restart_and_compare()


@row("data.mdb unlinked", "changes refused, an ERROR line; known devices, bystander")
def data_unlinked(bench):
    remove_under(bench, lambda path: (path / "data.mdb").unlink())


@row("data.mdb replaced", "changes refused, an ERROR line; known devices, bystander")
def data_replaced(bench):
    def replace(path):
        shutil.copy(path / "data.mdb", path / "new")
        (path / "new").rename(path / "data.mdb")
    remove_under(bench, replace)


@row("directory removed", "changes refused, an ERROR line; known devices, bystander")
def directory_removed(bench):
    def remove(path):
        for name in ("data.mdb", "lock.mdb", "broker.lock"):
            (path / name).unlink()
    remove_under(bench, remove)


@row("directory moved away and back", "changes refused; then all works; " + ANSWERED)
def directory_moved(bench):
    remove_under(bench, lambda path: path.rename(path.with_suffix(".moved")),
                 lambda path: path.with_suffix(".moved").rename(path))


# -- limits ----------------------------------------------------------------------

@row("descriptors exhausted", "bystander, log_file and CA mirror; then all works; " + ANSWERED)
def no_descriptors(bench):
    with bench.scene(plugin={"log_file": "LOG"}) as scene:
        for number in range(2):
            with bench.attempt():
                with running(scene, tolerant=True):
                    time.sleep(0.3)
                admin, ca = scene.broker.admin(), scene.pki.ca("another %d" % number)
                steady = scene.broker.bystander()
                code = admin.registration_code()
                proof = scene.pki.verification(ca, code)
                give_back = scene.limit_files(0)
                for _ in range(5):
                    assert scene.connect(scene.known[0]).turned_away
                admin.call("registerCACertificate", caCertificate=ca.pem, setAsActive=True,
                           verificationCertificate=proof, allowAutoRegistration=True)
                scene.book.done(("ca", ca.id), "ACTIVE")
                assert steady.subscribe("still/there")
                give_back()
                scene.works()
                device = scene.pki.device("of another", issuer=ca)
                until(lambda: scene.connect(device).refused, "the CA to be trusted", 20)
                scene.book.newcomers.add(device.id)
                log = scene.directory / "jitr.log"
                until(lambda: device.id in log.read_text(), "lines in the log file", 20)
                scene.restart_and_compare()


@row("registry full", "known devices; deleting, detaching, deactivating; then adding")
def registry_full(bench):
    with bench.scene(plugin={"db_map_size_mb": 1}) as scene:
        for _ in range(2):
            with bench.attempt():
                admin = scene.broker.admin()
                taken = fill_registry(admin, scene.pki, scene.ca)
                scene.known_devices_connect()
                admin.update_certificate(taken[0], "REVOKED")
                for first in range(0, len(taken), 40):
                    answers = admin.request(*(
                        {"command": "deleteCertificate", "certificateId": d.id,
                         "forceDelete": True} for d in taken[first:first + 40]))
                    assert not [a for a in answers if "error" in a], answers
                scene.works()
        with bench.attempt():
            scene.restart_and_compare()


# -- the machine -----------------------------------------------------------------

@row("clock a day ahead and a day back", "all works meanwhile; " + ANSWERED)
def wrong_clock(bench):
    with bench.scene(shim=True) as scene:
        for offset in (DAY, -DAY + 600, 0):  # certificates are valid from a day ago on
            with bench.attempt():
                with running(scene) as load:
                    time.sleep(0.3)
                    scene.shim.control.clock = offset
                    time.sleep(1.5)
                    answered = scene.book.answered
                    until(lambda: scene.book.answered > answered + 5, "changes to be done", 20)
                assert load.turned_away == 0
        with bench.attempt():
            scene.restart_and_compare()


@row("broker stopped for 5 s", "bystander, all works; " + ANSWERED)
def broker_stopped(bench):
    with bench.scene() as scene:
        with bench.attempt():
            with running(scene, tolerant=True) as load:
                time.sleep(0.5)
                scene.signal(signal.SIGSTOP)
                time.sleep(5)
                scene.signal(signal.SIGCONT)
                scene.works()
            assert load.turned_away == 0
            scene.restart_and_compare()


@row("two brokers on one directory", "the second refused, the first goes on; " + ANSWERED)
def two_brokers(bench):
    with bench.scene() as scene:
        with bench.attempt():
            with running(scene):
                for number in range(3):
                    home = scene.directory / ("second%d" % number)
                    home.mkdir()
                    second = Broker(home, scene.pki, plugin={"db_path": scene.registry})
                    try:
                        second.start()
                    except DidNotStart as refusal:
                        assert str(scene.registry) in complaint(refusal.log)
                        second.process = None
                    else:
                        second.discard()
                        raise AssertionError("a second broker started")
            scene.restart_and_compare()
