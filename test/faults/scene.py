# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A broker that is going to break, its registry, and what it is broken with."""
import contextlib
import ctypes
import mmap
import os
import pathlib
import resource
import shutil
import signal
import subprocess

from admin import AwsError
from broker import BUILD_DIR, Broker, DidNotStart
from device import Session
from load import Book, Load, Registry
from wait import until

CHECK = BUILD_DIR / "test" / "faults" / "registry_check"
SHIM = BUILD_DIR / "test" / "faults" / "faulty.so"
ALL = 0xffffffff
DAY = 86400


class Skip(Exception):
    """What this machine or this version does not have."""


class Control(ctypes.Structure):
    """struct control of faulty.c."""
    _fields_ = [("meta_writes", ctypes.c_uint32), ("data_writes", ctypes.c_uint32),
                ("syncs", ctypes.c_uint32), ("list_reads", ctypes.c_uint32),
                ("clock", ctypes.c_int32), ("failed", ctypes.c_uint32),
                ("process", ctypes.c_uint32), ("allocations", ctypes.c_uint32),
                ("fails_at", ctypes.c_uint32), ("spawns", ctypes.c_uint32),
                ("spawn_errno", ctypes.c_uint32)]


BROKER, REGISTRAR = 1, 2  # enum role of faulty.c


class Shim:
    """System calls of a broker and its registrar that fail when told so."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "faults"
        self.path.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.path, "r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), mmap.PAGESIZE)
        self.control = Control.from_buffer(self._map)
        library = shutil.copy(SHIM, directory)
        self.wrapper = ["env", "LD_PRELOAD=%s" % library]

    @contextlib.contextmanager
    def failing(self, **calls):
        """These calls fail meanwhile; some must have failed."""
        before = self.control.failed
        for name, value in calls.items():
            setattr(self.control, name, value)
        try:
            yield
        finally:
            for name in calls:
                setattr(self.control, name, 0)
        assert self.control.failed > before, "no call failed"

    @contextlib.contextmanager
    def counting(self, process, fails_at=0):
        """Counts the allocations of a process meanwhile; one of them fails."""
        self.control.allocations, self.control.fails_at = 0, fails_at
        self.control.process = process
        try:
            yield
        finally:
            self.control.process = 0


class Scene:
    """A broker with a CA, known devices and a book."""

    def __init__(self, directory, pki, prepare=None, **how):
        self.directory, self.pki, self.book = pathlib.Path(directory), pki, Book()
        self.listed, self.list_number, self._numbers = [], 0, 0
        self.broker = None
        self.disk = prepare(self.make) if prepare else None
        if self.broker is None:
            self.make(**how).start()
        self.ca = pki.ca("factory")
        admin = self.broker.admin()
        admin.register_ca(self.ca)
        self.book.done(("ca", self.ca.id), "ACTIVE")
        # The files of a device are written by the thread that connects it.
        self.known = [admin.activate(self.device()) for _ in range(4)]
        self.connecting = [admin.activate(self.device()) for _ in range(4)]
        for device in self.known + self.connecting:
            self.book.done(("cert", device.id), "ACTIVE")
        self.directory.chmod(0o755)

    def make(self, **how):
        """The broker, not started yet; the fixtures of the integration tests call it."""
        home = self.directory / "broker"
        home.mkdir()
        how["plugin"] = {"other_clients": "allow", **how.get("plugin", {})}
        self.broker = Broker(home, self.pki, **how)
        return self.broker

    @property
    def registry(self):
        return pathlib.Path(self.broker.options["db_path"])

    def device(self):
        self._numbers += 1
        return self.pki.device("d%d" % self._numbers, issuer=self.ca)

    def connect(self, device):
        """Not one of the broker's sessions, which keep their files open until it ends."""
        return Session(self.broker, device, listener="tls")

    def load(self, **how):
        return Load(self, **how).start()

    # -- its processes -----------------------------------------------------------------

    def registrar(self):
        pid = self.broker.registrar()
        assert pid is not None, "there is no registrar"
        return pid

    def limit_files(self, room, pid=None):
        """The broker, or this process, may open so many files more."""
        pid = pid or self.broker.process.pid
        used = len(os.listdir("/proc/%d/fd" % pid))
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + room, before[1]))
        return lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

    # -- what must hold ----------------------------------------------------------------

    def known_devices_connect(self):
        for device in self.known:
            session = self.connect(device)
            assert session.accepted, "a known device is turned away (%s): %s" % (
                session.code, self.broker.log_lines(device.id)[-1:])
            session.leave()

    def changes_are_refused(self, words):
        """Each with an error that has one of these words."""
        admin = self.broker.admin()
        for _ in range(3):
            try:
                admin.activate(self.device())
            except AwsError as refusal:
                assert refusal.name == "ServiceUnavailableException", str(refusal)
                assert any(w in refusal.message.lower() for w in words), refusal.message
            else:
                raise AssertionError("a change was answered as done")

    def works(self):
        """Within some seconds everything does."""
        admin, device = self.broker.admin(), self.device()

        def changed():
            with contextlib.suppress(AwsError):
                admin.activate(device)
                return True
            return False
        until(changed, "a change to be done", 20)
        self.book.done(("cert", device.id), "ACTIVE")
        self.known_devices_connect()

    def compare(self):
        """The registry of a broker that has ended, with the book."""
        copy = self.directory / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        self.copy_registry(copy)
        complaints = self.book.compare(Registry(CHECK, copy))
        assert not complaints, "; ".join(complaints[:5])

    def copy_registry(self, copy):
        """data.mdb alone: LMDB makes the other file."""
        if self.disk is None:
            shutil.copy(self.registry / "data.mdb", copy)
            return
        image = self.directory / "image"
        script = 'mount -o loop "$1" "$2" && cp "$3/data.mdb" "$4"'
        subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
                        image, self.disk.path, self.registry, copy], check=True,
                       capture_output=True)

    def restart_and_compare(self):
        """After a clean end, or a kill."""
        if self.broker.process is not None and self.broker.process.poll() is None:
            self.broker.stop()
        self.broker.discard()
        self.compare()
        self.broker.start()
        self.works()

    def kill(self, load=None):
        if load:
            load.expect_end()
        self.broker.kill()

    def signal(self, number):
        os.kill(self.broker.process.pid, number)

    def close(self):
        if self.broker.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGCONT)
        self.broker.discard()
