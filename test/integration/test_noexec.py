# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The registrar's program on a file system from which nothing may be executed, as hardened machines
mount /tmp, /var and /home: the broker says why it does not start, and what to do."""
import pytest

from admin import ADMIN
from broker import BUILD_DIR, DidNotStart
from disk import MAY_MOUNT
from test_faults import complaint

PROGRAM = BUILD_DIR / "mosquitto_jitr_registrar"

pytestmark = pytest.mark.skipif(not MAY_MOUNT, reason="needs to mount")


def with_copy_on(path, options):
    """Runs the broker with a file system at path that has the program, and these options."""
    script = ('mount -t tmpfs tmpfs "$1" && cp "$2" "$1/registrar" && mount -o "remount,$3" "$1"'
              ' && shift 3 && exec "$@"')
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", str(path),
            str(PROGRAM), options]


@pytest.fixture
def place(directory):
    path = directory / "place"
    path.mkdir()
    return path


def test_start_error_names_the_program_and_what_it_needs(make_broker, place):
    """Neither the registry nor a process is left."""
    broker = make_broker(plugin={"registrar_path": place / "registrar"},
                         wrapper=with_copy_on(place, "noexec"))
    with pytest.raises(DidNotStart) as refused:
        broker.start()
    broker.process = None
    line = complaint(refused.value.log)
    assert "the registrar cannot be started: Permission denied: %s/registrar: " % place in line
    assert "the broker's user must be able to execute it" in line and "noexec" in line
    assert not broker.db_path.exists()


def test_registry_may_be_where_nothing_is_executed(make_broker, place):
    """Only the program needs to be executed: registry, CA files and log_file may be on a file system
    with noexec, nosuid and nodev."""
    broker = make_broker(plugin={"db_path": place / "registry", "log_file": place / "log",
                                 "health_file": place / "health", "admin_users": ADMIN},
                         wrapper=with_copy_on(place, "noexec,nosuid,nodev")).start()
    assert broker.admin().registration_code()


def test_program_needs_no_more_than_to_be_executed(make_broker, place):
    """From a read-only file system."""
    broker = make_broker(plugin={"registrar_path": place / "registrar", "admin_users": ADMIN},
                         wrapper=with_copy_on(place, "ro,nosuid,nodev")).start()
    assert broker.admin().registration_code()
