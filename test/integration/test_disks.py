# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Registries on file systems that people have, and that are full (LMDB's lock file is a memory
map, where a full disk may be a SIGBUS)."""
import os
import pathlib
import shutil
import subprocess

import pytest

from disk import MAY_MOUNT

KINDS = {"btrfs": ("btrfs", 300), "ext4": ("ext4", 64), "xfs": ("xfs", 400)}


def may_have(kind):
    """Can this machine make and mount one?"""
    known = pathlib.Path("/proc/filesystems").read_text().split()
    return MAY_MOUNT and kind in known and shutil.which("mkfs." + kind)


class Disk:
    """A file system of a broker's own in a file."""

    def __init__(self, make_broker, directory, kind, size):
        self.path, image = directory / "disk", directory / "image"
        self.path.mkdir()
        with open(image, "wb") as made:
            made.truncate(size << 20)
        subprocess.run(["mkfs." + kind, "-q", str(image)], check=True, capture_output=True)
        script = 'mount -o loop "$1" "$2" && shift 2 && exec "$@"'
        self.broker = make_broker(
            plugin={"db_path": self.path / "registry"},
            wrapper=["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
                     str(image), str(self.path)]).start()
        seen = "/proc/%d/root%s" % (self.broker.process.pid, self.path)
        self._filler = os.path.join(seen, "filler")

    def fill(self):
        """To the last block, written to the disk."""
        with open(self._filler, "wb", buffering=0) as filler:
            for size in (1 << 20, 1 << 16, 4096, 512):
                try:
                    while True:
                        filler.write(os.urandom(size))
                except OSError:
                    os.sync()

    def make_room(self):
        os.unlink(self._filler)


@pytest.mark.parametrize("kind", KINDS)
def test_full_file_system_does_not_end_the_broker(make_broker, directory, pki, kind):
    """Devices that are registered keep connecting, and with room everything works again."""
    if not may_have(kind):
        pytest.skip("no %s on this machine" % kind)
    disk = Disk(make_broker, directory, *KINDS[kind])
    broker, admin = disk.broker, disk.broker.admin()
    ca = pki.ca("factory")
    admin.register_ca(ca)
    device = admin.activate(pki.device("d1", issuer=ca))
    disk.fill()
    for n in range(30):
        assert broker.connect(device).accepted
        assert broker.connect(pki.device("new %d" % n, issuer=ca)).refused
        os.sync()
    assert broker.process.poll() is None
    disk.make_room()
    assert admin.status(admin.activate(pki.device("later", issuer=ca))) == "ACTIVE"
