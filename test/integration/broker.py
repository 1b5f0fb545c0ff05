# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A real mosquitto on free loopback ports, with the plugin, in a directory of its own."""
import contextlib
import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from admin import ADMIN, BYSTANDER, PASSWORD, Admin
from device import Session
from sanitizers import sanitizers_complain
from wait import PATIENCE, until

BUILD_DIR = pathlib.Path(os.environ.get("JITR_BUILD_DIR", "build")).resolve()
PLUGIN = BUILD_DIR / "mosquitto_jitr.so"
NEIGHBOUR = BUILD_DIR / "test" / "integration" / "neighbour.so"
PRELOAD = os.environ.get("JITR_PRELOAD", "")

# A program with its options that runs every broker, such as valgrind (scripts/test-valgrind.sh).
WRAPPER = os.environ.get("JITR_BROKER_WRAPPER", "").split()

RUNNING = re.compile(r"mosquitto version \S+ running")

# A port that was free a moment ago; 2.0 says the second of a websockets listener.
PORT_TAKEN = re.compile(r"Address already in use|Unable to create websockets listener")


def new_directory():
    """Accessible to the broker under any user."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="jitr-test-"))
    path.chmod(0o755)
    return path


def program(name):
    """Debian installs the broker outside the PATH of ordinary users."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    assert path, "%s is not installed" % name
    return path


@functools.lru_cache
def installed_version():
    """The version that the installed broker prints, as (2, 0, 11)."""
    usage = subprocess.run([program("mosquitto"), "-h"], capture_output=True, text=True).stdout
    return version_in(usage)


def version_in(text):
    return tuple(int(n) for n in re.search(r"mosquitto version ([\d.]+)", text).group(1).split("."))


def neighbour(**answers):
    """Configuration lines for another plugin, which answers MOSQ_ERR_ numbers to connect, extended
    and access, and defers everything else (neighbour.c)."""
    return ["plugin %s" % NEIGHBOUR, *("plugin_opt_%s %d" % a for a in answers.items())]


def environment(**more):
    """For programs that load a library of this build: libraries, sanitizers."""
    env = dict(os.environ, LD_LIBRARY_PATH=str(BUILD_DIR), **more)
    if PRELOAD:
        env["LD_PRELOAD"] = PRELOAD
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    return env


def free_ports(count):
    """Ports that are not in use at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


class DidNotStart(Exception):
    """The broker ended before it served a client; .log has the reason."""

    def __init__(self, log, status):
        super().__init__("the broker did not start (status %s):\n%s" % (status, log))
        self.log = log
        self.status = status


class Broker:
    """One broker over all its lives: what is on its disk stays over restarts.

    plugin:    plugin_opt_* options beside those that every test has; with a trust_store that
               is live the listeners have neither capath nor cafile
    listeners: "plain" for administrators, "tls", "websockets" (TLS, trusting
               websockets_trust), "identity" (use_identity_as_username),
               "identity-websockets", "psk" (the same with the identities and keys of psk),
               "http" (2.1's http_api, with the files of .pages)
    tls:       further lines for the TLS listeners
    before:    further lines before the plugin's
    config:    further lines at the end of mosquitto.conf
    per_listener: the listeners that have the plugin, with per_listener_settings
    plugin_use: the listeners that have it, by 2.1's plugin_load and plugin_use
    acl:       what is in an acl_file; None: there is none
    users:     more users with the password of all
    """

    def __init__(self, directory, pki, *, plugin=None, listeners=("plain", "tls"), tls=(),
                 before=(), config=(), websockets_trust=(), plugin_lines=1, user=None,
                 wrapper=(), anonymous=False, per_listener=None, plugin_use=None,
                 acl=None, psk=None, users=()):
        self.directory = pathlib.Path(directory)
        self.pki = pki
        self.db_path = self.directory / "registry"
        self.ca_path = self.db_path / "ca"
        self.pages = self.directory / "pages"
        self.log_path = self.directory / "broker.log"
        self.options = {"db_path": self.db_path, "admin_users": ADMIN, "authorization": "allow",
                        "crl_dir": self.directory.parent,
                        **(plugin or {})}
        if "ca_path" in self.options:
            self.ca_path = pathlib.Path(self.options["ca_path"])
        elif self.options["db_path"] is not None:
            self.ca_path = pathlib.Path(self.options["db_path"]) / "ca"
        self.listeners = listeners
        self.tls_lines = tls
        self.lines_before = before
        self.more_lines = config
        self.websockets_trust = websockets_trust
        self.plugin_lines = plugin_lines
        self.user = user or ("root" if os.geteuid() == 0 else None)
        self.wrapper = wrapper
        self.anonymous = anonymous
        self.per_listener = per_listener
        self.plugin_use = plugin_use
        self.psk = psk or {}
        self.users = users
        if acl is not None:
            self.more_lines = [*self.more_lines, "acl_file %s" % self._write("acl", acl)]
        self.ports = {}
        self.process = None
        self.sessions = []
        self.log_path.touch()
        self._write_passwords()

    # -- configuration -----------------------------------------------------

    def _write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def _write_passwords(self):
        path = self.directory / "passwords"
        path.write_text("".join("%s:%s\n" % (u, PASSWORD) for u in (ADMIN, BYSTANDER, *self.users)))
        subprocess.run([program("mosquitto_passwd"), "-U", path], check=True, capture_output=True)
        path.chmod(0o644)

    def _plugin_config(self):
        lines = [*self.lines_before]
        for _ in range(self.plugin_lines):
            lines.append("plugin %s" % PLUGIN if self.plugin_use is None
                         else "plugin_load jitr %s" % PLUGIN)
            lines += ["plugin_opt_%s %s" % (k, v) for k, v in self.options.items()
                      if v is not None]
        return lines

    def _security_config(self, with_plugin):
        lines = ["allow_anonymous %s" % ("true" if self.anonymous else "false"),
                 "password_file %s" % (self.directory / "passwords")]
        return lines + self._plugin_config() if with_plugin else lines

    def _tls_config(self):
        return ["certfile %s" % self.pki.server_certificate, "keyfile %s" % self.pki.server_key,
                "require_certificate true", *self.tls_lines]

    def _websockets_trust(self):
        path = self.directory / "websockets-trust.pem"
        path.write_text("".join(ca.pem for ca in self.websockets_trust))
        path.chmod(0o644)
        return path

    def _listener_config(self, kind):
        lines = ["listener %d 127.0.0.1" % self.ports[kind]]
        if kind == "plain":
            return lines
        if kind == "psk":
            keys = "".join("%s:%s\n" % row for row in self.psk.items())
            return [*lines, "psk_hint x", "use_identity_as_username true",
                    "psk_file %s" % self._write("psk", keys)]
        if kind == "http":
            return lines + ["protocol http_api", "http_dir %s" % self.pages]
        lines += self._tls_config()
        live = self.options.get("trust_store", "capath") != "capath"
        if kind in ("identity", "identity-websockets"):
            lines.append("use_identity_as_username true")
        if kind in ("websockets", "identity-websockets"):
            lines.append("protocol websockets")
            return lines if live else [*lines, "cafile %s" % self._websockets_trust()]
        if not live:
            lines.append("capath %s" % self.ca_path)
        return lines

    def _write_config(self):
        self.ports = dict(zip(self.listeners, free_ports(len(self.listeners))))
        everywhere = self.per_listener is None
        lines = ["per_listener_settings %s" % ("false" if everywhere else "true"),
                 "set_tcp_nodelay true", "log_dest stderr", "log_type all", "log_timestamp false",
                 "persistence true", "persistence_location %s/" % self.directory,
                 "autosave_interval 0"]
        if self.user:
            lines.append("user %s" % self.user)
        if everywhere:
            lines += self._security_config(True)
        for kind in self.listeners:
            lines += self._listener_config(kind)
            if not everywhere:
                lines += self._security_config(kind in self.per_listener)
            if kind in (self.plugin_use or ()):
                lines.append("plugin_use jitr")
        path = self.directory / "mosquitto.conf"
        path.write_text("\n".join([*lines, *self.more_lines, ""]))
        path.chmod(0o644)
        return path

    # -- life ----------------------------------------------------------------

    def start(self):
        """Start it and wait until it serves; DidNotStart if it ends."""
        # A leak does not change its status: it may be Mosquitto's.  clean_up looks.
        env = environment(LSAN_OPTIONS="exitcode=0")
        for attempt in range(5):
            seen = len(self.log())
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    [*self.wrapper, *WRAPPER, program("mosquitto"), "-c", str(self._write_config())],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
            until(lambda: RUNNING.search(self.log()[seen:]) or self.process.poll() is not None,
                  "the broker to start")
            if self.process.poll() is None:
                return self
            if not PORT_TAKEN.search(self.log()[seen:]) or attempt == 4:
                raise DidNotStart(self.log()[seen:], self.process.returncode)

    def stop(self):
        """End it with SIGTERM, as an administrator does; it must end cleanly."""
        self.leave_sessions()
        if self.process is None or self.process.poll() is not None:
            return
        process, self.process = self.process, None
        status = self._terminate(process)
        if status is None:
            process.kill()
            process.wait()
            raise AssertionError("the broker does not stop:\n" + self.log())
        assert status == 0, "the broker ended with %d:\n%s" % (status, self.log()[-5000:])

    @staticmethod
    def _terminate(process):
        """Sends the signal again now and then: 2.0 loses a signal between its message that it is
        running and the beginning of its loop (mosquitto.c)."""
        for _ in range(2 * PATIENCE):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(1)
        return None

    def restart(self):
        self.stop()
        return self.start()

    def registrar(self):
        """The process id of the registrar; None: there is none."""
        task = pathlib.Path("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid))
        for pid in task.read_text().split():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if "mosquitto_jitr_" in pathlib.Path("/proc/%s/comm" % pid).read_text():
                    return int(pid)
        return None

    def kill(self):
        """SIGKILL, without any cleaning up."""
        self.process.kill()
        self.process.wait()

    def reload(self):
        """SIGHUP, and wait until the broker has handled it."""
        seen = len(self.log())
        self.process.send_signal(signal.SIGHUP)
        until(lambda: "Reloading config" in self.log()[seen:], "the broker to reload")
        self.admin().registration_code()  # answered from a tick, which comes after it

    def clean_up(self):
        """At the end of a test: it must still be running, end cleanly (valgrind ends with another
        status after an error), and leave no report of a sanitizer."""
        alive = self.process is None or self.process.poll() is None
        if not alive:
            raise AssertionError("the broker died with status %d:\n%s" % (
                self.process.returncode, self.log()[-5000:]))
        self.stop()
        log = self.log()
        assert not sanitizers_complain(log), "a sanitizer complains:\n" + log[-20000:]

    def discard(self):
        """It is expected to have ended: nothing is checked."""
        self.leave_sessions()
        if self.process and self.process.poll() is None:
            self.kill()
        self.process = None

    def leave_sessions(self):
        for session in self.sessions:
            session.leave()
        self.sessions = []

    # -- log -----------------------------------------------------------------

    @property
    def version(self):
        """The version of the broker, as (2, 0, 11)."""
        return version_in(self.log())

    def log(self):
        return self.log_path.read_bytes().decode(errors="replace")

    def log_lines(self, *words):
        """The plugin's log lines that contain all the words."""
        return [line for line in self.log().split("\n")
                if "jitr: " in line and all(w in line for w in words)]

    def wait_for_log(self, *words, count=1):
        """The first of the plugin's log lines that contain all the words, once there are count of
        them."""
        until(lambda: len(self.log_lines(*words)) >= count,
              "%d log lines with %s in:\n%s" % (count, words, self.log()[-3000:]))
        return self.log_lines(*words)[0]

    # -- clients -------------------------------------------------------------

    def connect(self, device=None, **how):
        """Connect a device; the session says whether it was admitted."""
        how.setdefault("listener", "tls")
        session = Session(self, device, **how)
        self.sessions.append(session)
        return session

    def bystander(self, **how):
        """A client without a certificate, with a password, that is no administrator."""
        return self.connect(None, listener="plain", user=BYSTANDER, password=PASSWORD, **how)

    def admin(self, **how):
        """An administrator on the plain listener."""
        session = self.connect(None, listener="plain", user=ADMIN, password=PASSWORD, **how)
        assert session.accepted, "the administrator is not let in:\n" + self.log()[-3000:]
        return Admin(self, session)


@contextlib.contextmanager
def lasting_broker(pki, **how):
    """A broker for all tests of a file, each with CAs of its own; checked at the end."""
    home = new_directory()
    broker = Broker(home, pki, **how)
    try:
        yield broker.start()
        broker.clean_up()
    finally:
        broker.discard()
        shutil.rmtree(home, ignore_errors=True)
