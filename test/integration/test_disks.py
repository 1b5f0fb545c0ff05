# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Registries on file systems that people have, and that are full (LMDB's lock file is a memory
map, where a full disk may be a SIGBUS)."""
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from disk import MAY_MOUNT

SIZES = {"btrfs": 300, "ext4": 64, "xfs": 400}  # MiB
KINDS = [*SIZES, "tmpfs", "overlay on btrfs", "overlay on ext4", "overlay on tmpfs"]

MOUNT = {
    "disk": 'mount -o loop "$1" "$2"',
    "tmpfs": 'mount -t tmpfs -o size=16m tmpfs "$2"',
}
# As a container has it that writes beside its volumes.
OVERLAY = ('mkdir -p "$2/lower" "$2/upper" "$2/work" && mount -t overlay'
           ' -o "lowerdir=$2/lower,upperdir=$2/upper,workdir=$2/work" overlay "$2"')


def make_image(kind, image):
    """A file that is a file system of this kind."""
    with open(image, "wb") as made:
        made.truncate(SIZES[kind] << 20)
    subprocess.run(["mkfs." + kind, "-q", str(image)], check=True, capture_output=True)


@functools.cache
def may_mount_image(kind):
    """Whether this machine can make and mount a file system of this kind. A container may have a
    loop device and still not permit mounting: only an attempt shows it."""
    if not shutil.which("mkfs." + kind):
        return False
    with tempfile.TemporaryDirectory() as directory:
        image = os.path.join(directory, "image")
        make_image(kind, image)
        os.mkdir(os.path.join(directory, "disk"))
        return subprocess.run(
            ["unshare", "-m", "--propagation", "private", "mount", "-o", "loop", image, os.path.join(directory, "disk")],
            check=False, capture_output=True).returncode == 0


def may_have(kind):
    """Can this machine make and mount one?"""
    known = pathlib.Path("/proc/filesystems").read_text().split()
    parts = kind.split(" on ")
    return MAY_MOUNT and all(part in known for part in parts) and (
        parts[-1] == "tmpfs" or may_mount_image(parts[-1]))


class Disk:
    """A file system of a broker's own, in a file or in memory."""

    def __init__(self, make_broker, directory, kind, before="true"):
        self.path, image = directory / "disk", directory / "image"
        self.path.mkdir()
        below = kind.split(" on ")[-1]
        if below in SIZES:
            make_image(below, image)
        script = [MOUNT.get(below, MOUNT["disk"]), before,
                  *([OVERLAY] if kind != below else []), 'shift 2', 'exec "$@"']
        self.broker = make_broker(
            plugin={"db_path": self.path / "registry"},
            wrapper=["unshare", "-m", "--propagation", "private", "sh", "-c",
                     " && ".join(script), "sh", str(image), str(self.path)]).start()
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


# Of a registry that was made by another program, or lay in the image of a container.
LOCK_FILE = ('for d in "$2/registry" "$2/lower/registry"; do'
             ' mkdir -p "$d" && head -c 8192 /dev/zero >"$d/lock.mdb" || exit; done')


def assert_outlives_full_disk(disk, pki):
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
    assert "copies on write" not in broker.log()


@pytest.mark.parametrize("kind", KINDS)
def test_full_file_system_does_not_end_the_broker(make_broker, directory, pki, kind):
    """Registered devices can still connect, and with space again everything works; an overlay does
    not show the file system below it."""
    if not may_have(kind):
        pytest.skip("no %s on this machine" % kind)
    assert_outlives_full_disk(Disk(make_broker, directory, kind), pki)


@pytest.mark.parametrize("kind", [k for k in KINDS if "btrfs" in k])
def test_lock_file_that_was_there_is_written_in_place_as_well(make_broker, directory, pki, kind):
    """btrfs accepts the flag for a file that is not empty, and ignores it (btrfs_fileattr_set)."""
    if not may_have(kind):
        pytest.skip("no %s on this machine" % kind)
    assert_outlives_full_disk(Disk(make_broker, directory, kind, before=LOCK_FILE), pki)
