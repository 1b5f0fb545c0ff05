# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Failures of a registry's disk: it is full, or blocked for any time."""
import contextlib
import os
import shutil
import subprocess

import pytest

MAY_MOUNT = os.geteuid() == 0 and subprocess.run(
    ["unshare", "-m", "true"], capture_output=True).returncode == 0


# -- full ------------------------------------------------------------------------

def in_file_system(path, options):
    """Runs the broker with a small file system mounted at path."""
    script = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", options,
            str(path)]


class SmallDisk:
    """A file system of two megabytes with the registry of a broker."""

    def __init__(self, make_broker, path, plugin):
        self.broker = make_broker(plugin={**plugin, "db_path": path / "registry"},
                                  wrapper=in_file_system(path, "size=2m")).start()
        seen_from_outside = "/proc/%d/root%s" % (self.broker.process.pid, path)
        self._filler = os.path.join(seen_from_outside, "filler")

    def fill(self):
        with open(self._filler, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass

    def make_room(self):
        os.unlink(self._filler)


@pytest.fixture
def make_small_disk(make_broker, directory):
    """Small disks, each with a broker that has these options."""
    if not MAY_MOUNT:
        pytest.skip("needs to mount")

    def make(**plugin):
        path = directory / "disk"
        path.mkdir()
        return SmallDisk(make_broker, path, plugin)

    return make


# -- slow ------------------------------------------------------------------------

# Of a change that another program begins, and never comes to the end of: more of its first
# key than a pipe holds.
BEGINNING = b"VERSION=3\nformat=bytevalue\ntype=btree\nHEADER=END\n " + b"00" * 200000


@contextlib.contextmanager
def held(broker):
    """Nothing is committed to its registry meanwhile: another process holds a write transaction.
    Changes that were decided are not stored; stored records can be read."""
    program = shutil.which("mdb_load")
    if program is None:
        pytest.skip("needs mdb_load, of lmdb-utils")
    with subprocess.Popen([program, "-s", "meta", broker.db_path], stdin=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as holder:
        try:
            holder.stdin.write(BEGINNING)  # returns when most of the key was read
            yield
        finally:
            holder.kill()
