# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Scripts on machines that are not a developer's: directories of other users, no terminal."""
import os
import pathlib
import re
import subprocess

import pytest

COMMON = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "common.sh"
NOBODY = 65534


class Tree:
    """A source tree for the functions of common.sh, and the home of the user that runs them, which is not root."""

    def __init__(self, directory):
        self.root, self.home = directory / "the tree", directory / "home"
        self.root.mkdir()
        self.home.mkdir()
        if os.geteuid() == 0:
            os.chown(self.root, NOBODY, NOBODY)
            os.chown(self.home, NOBODY, NOBODY)

    def make(self, name, mode):
        """As if root had made it.  Where these tests do not run as root the mode alone forbids writing."""
        path = self.root / name
        path.mkdir()
        (path / "build.ninja").write_text("")
        (path / "build.ninja").chmod(mode & 0o666)
        path.chmod(mode)
        return path

    def run(self, script):
        user = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]
        common = COMMON.read_text()
        done = subprocess.run(
            (user if os.geteuid() == 0 else []) + ["bash", "-eu", "-s"],
            input='root="$ROOT" log_dir="$HOME"\n%s\n%s\n' % (common, script), text=True,
            capture_output=True, cwd="/",
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "ROOT": str(self.root)})
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def tree(directory):
    return Tree(directory)


@pytest.mark.parametrize("preset, name", [("release", "build"), ("sanitize", "build-sanitize")])
def test_a_preset_is_built_in_its_own_directory(tree, preset, name):
    assert tree.run("build_dir %s" % preset) == "%s\n" % (tree.root / name)


def test_a_directory_of_another_user_is_left_alone(tree):
    """As after `sudo scripts/test.sh`: the next build is in the cache of this user, always in the same place there."""
    tree.make("build", 0o555)
    first, second = tree.run("build_dir release; build_dir release").splitlines()
    assert first == second and first.startswith("%s/.cache/mosquitto-jitr/build-" % tree.home)
    assert tree.run("build_dir sanitize") == "%s\n" % (tree.root / "build-sanitize")


def test_one_file_of_another_user_is_enough(tree):
    """ninja stops at a log that it cannot write."""
    path = tree.make("build", 0o755)
    (path / "build.ninja").chmod(0o444)
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    assert "/.cache/" in tree.run("build_dir release")


def test_a_tree_of_another_user_is_built_elsewhere(tree):
    tree.root.chmod(0o555)
    if os.geteuid() == 0:
        os.chown(tree.root, 0, 0)
    assert "/.cache/" in tree.run("build_dir release")


def test_the_build_says_where_it_is(tree):
    """And that is where cmake is told to build."""
    tree.make("build", 0o555)
    said = tree.run('cmake() { printf "%s\\n" "$*" >>"$HOME/cmake"; }\nbuild release -DX=1')
    where = tree.run("build_dir release").strip()
    assert said == "Building in %s: %s cannot be written by this user\n" % (where, tree.root / "build")
    configured, built = (tree.home / "cmake").read_text().splitlines()
    assert "-B %s" % where in configured and configured.endswith("-DX=1")
    assert built == "--build %s" % where


def test_progress_is_shown_and_the_status_kept(tree):
    """Half a minute is shortened; the log has what the command wrote."""
    script = r'''
sleep() { command sleep 0.05; SECONDS=$((SECONDS + 10)); }
work() { printf '[ 12%%]\n[ 40%%]\n'; while [ ! -e "$HOME/shown" ]; do command sleep 0.05; done; return 3; }
with_progress suite "$HOME/log" work > >(while read -r line; do printf '%s\n' "$line"; : >"$HOME/shown"; done) || printf 'status %s\n' $?
'''
    said = tree.run(script + "wait\n")
    assert re.search(r"^suite, [3-9]\d s \[ 40%\]$", said, re.M) and "status 3\n" in said
    assert (tree.home / "log").read_text() == "[ 12%]\n[ 40%]\n"
