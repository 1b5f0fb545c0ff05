# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The command line, as a person or a script uses it."""
import json
import subprocess

from admin import ADMIN, PASSWORD
from broker import BUILD_DIR, environment, program

DONE, USAGE, UNREACHABLE, REFUSED = 0, 252, 253, 254


class Outcome:
    """The result of a command."""

    def __init__(self, words, done):
        self.words = words
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def data(self):
        assert self.status == DONE, self
        return json.loads(self.out)

    def __str__(self):
        return "%s\nstatus %d\n%s\n%s" % (self.words, self.status, self.out, self.err)


class CommandLine:
    """`mosquitto_ctrl jitr` (module) or `mosquitto_jitr` (program), for one broker."""

    def __init__(self, broker, kind, directory):
        self.broker = broker
        self.kind = kind
        self.directory = directory

    def run(self, connection, *words, text=None, timeout=60):
        start = [program("mosquitto_ctrl"), *connection, "jitr"]
        if self.kind == "program":
            start = [str(BUILD_DIR / "mosquitto_jitr"), *connection]
        words = [*start, *map(str, words)]
        done = subprocess.run(words, input=text or "", capture_output=True, text=True,
                              timeout=timeout, cwd=self.directory,
                              env=environment(HOME=str(self.directory)))
        return Outcome(words, done)

    def __call__(self, *words, **how):
        """Run a command as the administrator."""
        return self.run(self.login(ADMIN, PASSWORD), *words, **how)

    def login(self, user, password):
        return ["-h", "127.0.0.1", "-p", str(self.broker.ports["plain"]), "-u", user, "-P",
                password]
