# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Disks that are full, directories that are missing, configurations that are wrong: a clear line,
nothing lost, nothing half applied (contract, sections 5 and 8)."""
import re
import shutil
import subprocess

import pytest

from admin import AwsError
from broker import DidNotStart
from disk import MAY_MOUNT, in_file_system
from users import ordinary_user


def complaint(log):
    """The only line in which the plugin says why it does not start."""
    lines = [line for line in log.splitlines() if "jitr: " in line]
    assert len(lines) == 1, log
    return lines[0]


# -- options ---------------------------------------------------------------------

@pytest.mark.parametrize("option, value", [
    ("db_map_size_mb", "0"), ("db_map_size_mb", "much"), ("db_map_size_mb", "99999999999999999999"),
    ("account_id", "12345"), ("account_id", "12345678901x"), ("region", "Mars 1"),
    ("authorization", "maybe"), ("other_clients", "deny"), ("unknown_ca", "allow"),
    ("announce_interval", "-1"), ("announce_interval", "1s"), ("announce_interval", "99999999"),
    ("metrics_interval", "1.5"), ("metrics_interval", "-1"),
    ("admin_users", "admin,,other"), ("admin_users", "a" * 64),
    ("admin_certificates", "abc"), ("admin_certificates", "a" * 64 + "," + "b" * 63),
])
def test_bad_values_stop_the_broker(refuses_to_start, option, value):
    """One line that names the option and the value (contract, section 5)."""
    line = complaint(refuses_to_start(plugin={option: value}))
    assert option in line and value[:40] in line


def test_unknown_option_stops_the_broker(refuses_to_start):
    """Also if it is only misspelt (contract, section 5)."""
    assert "db_pfad" in complaint(refuses_to_start(plugin={"db_pfad": "/tmp"}))
    assert "Db_Path" in complaint(refuses_to_start(plugin={"Db_Path": "/tmp"}))


def test_option_given_twice(refuses_to_start):
    """An option given twice is an error (contract, section 5)."""
    line = complaint(refuses_to_start(plugin={"region": "local\nplugin_opt_region other"}))
    assert "region" in line and "twice" in line


def test_two_plugin_lines(refuses_to_start):
    """One registry cannot be opened twice by one process: the second line is refused clearly
    (contract, section 8; mosquitto section 0, 15)."""
    log = refuses_to_start(plugin_lines=2)
    assert "twice" in [line for line in log.splitlines() if "jitr: " in line][-1]


def test_nothing_is_made_by_a_broker_that_does_not_start(make_broker):
    """A bad option leaves no registry behind (contract, section 5)."""
    broker = make_broker(plugin={"region": "Mars 1"})
    with pytest.raises(DidNotStart):
        broker.start()
    broker.process = None
    assert not broker.db_path.exists()


# -- directories -----------------------------------------------------------------

def test_directory_that_cannot_be_made(refuses_to_start, directory):
    """If the directory above is missing, the line names it (contract, section 8)."""
    path = directory / "missing" / "registry"
    assert str(path) in complaint(refuses_to_start(plugin={"db_path": path}))
    assert not path.parent.exists()


def test_directory_that_is_a_file(refuses_to_start, directory):
    """Named in the line (contract, section 8)."""
    path = directory / "registry"
    path.write_text("not a directory")
    assert str(path) in complaint(refuses_to_start(plugin={"db_path": path}))


def test_directory_that_may_not_be_read(refuses_to_start, directory):
    """The registry of another user (contract, section 8)."""
    path = directory / "registry"
    path.mkdir()
    path.chmod(0)
    line = complaint(refuses_to_start(plugin={"db_path": path}, user=ordinary_user()))
    assert str(path) in line and "ermission denied" in line


def test_directory_that_may_not_be_written(refuses_to_start, directory):
    """Read-only by its permissions (contract, section 8)."""
    path = directory / "registry"
    path.mkdir()
    path.chmod(0o555)
    line = complaint(refuses_to_start(plugin={"db_path": path}, user=ordinary_user()))
    assert str(path) in line and "ermission denied" in line


@pytest.mark.skipif(not MAY_MOUNT, reason="needs to mount")
def test_directory_on_a_read_only_file_system(refuses_to_start, directory):
    """Read-only by its file system (contract, section 8)."""
    path = directory / "registry"
    path.mkdir()
    log = refuses_to_start(plugin={"db_path": path},
                           wrapper=in_file_system(path, "ro"))
    line = complaint(log)
    assert str(path) in line and "read-only" in line.lower()


def test_capath_that_cannot_be_made(refuses_to_start, directory):
    """ca_path is an option as well (contract, section 5)."""
    path = directory / "missing" / "ca"
    assert str(path) in complaint(refuses_to_start(plugin={"ca_path": path}))


def test_log_file_that_cannot_be_written(refuses_to_start, directory):
    """The broker stops, so that a missing log is not overlooked (contract, section 5)."""
    path = directory / "missing" / "log"
    line = complaint(refuses_to_start(plugin={"log_file": path}))
    assert "log_file" in line and str(path) in line


def test_health_file_that_cannot_be_written(refuses_to_start, directory):
    """Nor that the plugin works because of a file that it does not write."""
    path = directory / "missing" / "health"
    line = complaint(refuses_to_start(plugin={"health_file": path}))
    assert "health_file" in line and str(path) in line


# -- databases -------------------------------------------------------------------

def test_file_that_is_not_a_database(refuses_to_start, directory):
    """Rubbish where the database should be: named, and left as it is (contract, section 8)."""
    path = directory / "registry"
    path.mkdir()
    (path / "data.mdb").write_bytes(b"rubbish" * 1000)
    path.chmod(0o777)
    assert str(path) in complaint(refuses_to_start(plugin={"db_path": path}))
    assert (path / "data.mdb").read_bytes() == b"rubbish" * 1000


@pytest.mark.skipif(not shutil.which("mdb_load"), reason="needs lmdb-utils")
def test_database_of_a_newer_version(start_broker, refuses_to_start, pki):
    """A registry of a newer version is not changed: the line names it and says so (contract,
    section 8)."""
    broker = start_broker()
    broker.admin().register_ca(pki.ca("factory"))
    broker.stop()
    dump = subprocess.run(["mdb_dump", "-s", "meta", broker.db_path], check=True,
                          capture_output=True, text=True).stdout
    assert dump.count("736368656d61\n 00000005\n") == 1  # "schema"
    subprocess.run(["mdb_load", "-s", "meta", broker.db_path], check=True, text=True,
                   input=dump.replace("736368656d61\n 00000005\n", "736368656d61\n 00000063\n"))
    before = (broker.db_path / "data.mdb").read_bytes()

    line = complaint(refuses_to_start(plugin={"db_path": broker.db_path}))
    assert str(broker.db_path) in line and "newer" in line and "99" in line
    assert (broker.db_path / "data.mdb").read_bytes() == before


def test_registry_in_use(start_broker, refuses_to_start):
    """Two brokers on one registry would both announce and both close connections: the second is
    refused, the first continues."""
    broker = start_broker()
    line = complaint(refuses_to_start(plugin={"db_path": broker.db_path}))
    assert str(broker.db_path) in line
    assert broker.admin().registration_code()


# -- files that are gone ---------------------------------------------------------

def move_away(path):
    path.rename(path.with_suffix(".moved"))
    return lambda: path.with_suffix(".moved").rename(path)


def unlink_data(path):
    (path / "data.mdb").unlink()


def unlink_lock(path):
    (path / "lock.mdb").unlink()


def replace_data(path):
    shutil.copy(path / "data.mdb", path / "new")
    (path / "new").rename(path / "data.mdb")


@pytest.mark.parametrize("remove", [move_away, unlink_data, unlink_lock, replace_data])
def test_files_removed_under_a_running_broker(broker, pki, admin, factory, remove):
    """A change to a file that is gone would be lost at the next start: it fails, and the log says
    so; devices that are registered are served (contract, section 3: an answer to a change means
    that it is on disk)."""
    active = admin.activate(pki.device("active", issuer=factory))
    assert broker.connect(active).accepted  # OpenSSL has the CA from now on
    put_back = remove(broker.db_path)
    with pytest.raises(AwsError) as refusal:
        admin.activate(pki.device("d1", issuer=factory))
    assert refusal.value.name == "ServiceUnavailableException"
    assert "removed or replaced" in refusal.value.message
    broker.wait_for_log("the files of the registry were removed or replaced")
    late = pki.device("d2", issuer=factory)
    assert broker.connect(late).refused
    broker.wait_for_log("certificate not registered", late.id)
    assert broker.connect(active).accepted
    if put_back:
        put_back()
        admin.activate(pki.device("d3", issuer=factory))
        broker.wait_for_log("the files of the registry are back")


# -- full disks ------------------------------------------------------------------

def test_full_disk(make_small_disk, pki):
    """Without space for a change the caller gets an error, the device is refused and the log says
    that it was not registered; stored records are served, and with space again everything continues
    (contract, section 8)."""
    disk = make_small_disk()
    broker = disk.broker
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    active = admin.activate(pki.device("active", issuer=ca))
    devices = [pki.device("d%d" % n, issuer=ca) for n in range(400)]
    events = admin.listen_to_events()
    disk.fill()

    error, taken = None, []
    for device in devices[:200]:
        try:
            admin.register_certificate(device)
            taken.append(device.id)
        except AwsError as e:
            error = e
            break
    assert error is not None and error.name == "ServiceUnavailableException"
    assert re.search("space|full|quota", error.message, re.IGNORECASE)

    late = devices[300]
    while not broker.log_lines("certificate not registered"):
        assert broker.connect(late).refused
    line = broker.wait_for_log("certificate not registered", late.id)
    assert "reason=" in line
    assert broker.connect(active).accepted
    assert admin.describe_ca(ca)["status"] == "ACTIVE"
    kept = admin.call("listCertificates", pageSize=250)["certificates"]
    assert {c["certificateId"] for c in kept} == {active.id, *taken}
    assert events.received() == []

    disk.make_room()
    assert broker.connect(late).refused
    assert events.next()["certificateId"] == late.id
    assert admin.status(late) == "PENDING_ACTIVATION"
    admin.update_certificate(late, "ACTIVE")
    assert broker.connect(late).accepted


def test_full_disk_at_start(make_broker, directory):
    """Without space for a registry the broker does not start, and says why (contract, section
    8)."""
    if not MAY_MOUNT:
        pytest.skip("needs to mount")
    path = directory / "disk"
    path.mkdir()
    broker = make_broker(plugin={"db_path": path / "registry"},
                         wrapper=in_file_system(path, "size=8k"))
    with pytest.raises(DidNotStart) as refusal:
        broker.start()
    broker.process = None
    assert str(path / "registry") in complaint(refusal.value.log)


def test_registry_that_is_full(start_broker, pki):
    """db_map_size_mb limits the registry: beyond it the error says to raise it, and stored records
    are kept (contract, section 5)."""
    broker = start_broker(plugin={"db_map_size_mb": 1})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    taken, error = [], None
    while error is None:
        devices = [pki.device("d%d" % n, issuer=ca) for n in range(20)]
        answers = admin.request(*({"command": "registerCertificate", "certificatePem": d.pem}
                                  for d in devices))
        errors = [a for a in answers if "error" in a]
        taken += [a["data"]["certificateId"] for a in answers if "data" in a]
        error = errors[0] if errors else None
        assert len(taken) < 5000
    assert error["error"] == "ServiceUnavailableException"
    assert "db_map_size_mb" in error["message"] or "size" in error["message"]

    assert sorted(admin.ids(pageSize=250)) == sorted(taken)
    broker.options["db_map_size_mb"] = 16
    broker.restart()
    admin = broker.admin()
    assert sorted(admin.ids(pageSize=250)) == sorted(taken)
    admin.activate(pki.device("last", issuer=ca))


POLICY = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*",'
          '"Resource":"*"}]}')


def fill_registry(admin, pki, ca):
    """Certificates until there is no room for twenty in a row: one may still fit into pages that
    are there when the one before it needed a new page."""
    taken, full = [], False
    while not full:
        devices = [pki.device("d%d" % n, issuer=ca) for n in range(20)]
        answers = admin.request(*({"command": "registerCertificate", "certificatePem": d.pem}
                                  for d in devices))
        errors = [answer.get("error") for answer in answers]
        assert set(errors) <= {None, "ServiceUnavailableException"}
        taken += [d for d, error in zip(devices, errors) if error is None]
        full = None not in errors
        assert len(taken) < 5000
    return taken


def test_registry_that_is_full_can_be_emptied(start_broker, pki):
    """In a full registry devices can be deactivated, policies and things detached, and everything
    deleted, without raising db_map_size_mb (LMDB needs pages to free pages); nothing can be added
    until then."""
    broker = start_broker(plugin={"db_map_size_mb": 1})
    admin, ca, other = broker.admin(), pki.ca("factory"), pki.ca("other")
    admin.register_ca(ca)
    admin.register_ca(other)
    live = admin.activate(pki.device("live", issuer=ca))
    for n in range(5):
        admin.create_policy("p%d" % n, POLICY)
        admin.attach_policy("p%d" % n, live)
    admin.create_thing("t")
    admin.attach_thing("t", live)
    session = broker.connect(live)
    assert session.accepted
    taken = fill_registry(admin, pki, ca)
    assert len(taken) > 10

    # In one request with something that adds: each command stands alone.
    more = [pki.device("more%d" % n, issuer=ca) for n in range(10)]
    answers = admin.request(
        *({"command": "registerCertificate", "certificatePem": d.pem} for d in more),
        {"command": "updateCertificate", "certificateId": live.id, "newStatus": "INACTIVE"},
        {"command": "detachPolicy", "policyName": "p4", "target": live.id},
        {"command": "detachPolicy", "policyName": "p4", "target": live.id})
    errors = [answer.get("error") for answer in answers]
    assert "ServiceUnavailableException" in errors[:10]
    assert errors[10:] == [None, None, "ResourceNotFoundException"]
    taken += [d for d, error in zip(more, errors) if error is None]
    broker.wait_for_log("connection closed", live.id)
    assert broker.connect(live).refused
    for device in taken[:10]:
        admin.update_certificate(device, "REVOKED")
    admin.update_ca(ca, status="INACTIVE")
    admin.call("detachThingPrincipal", thingName="t", principal=live.id)
    admin.call("deleteThing", thingName="t")
    admin.detach_policy("p0", live)
    admin.call("deletePolicy", policyName="p0")
    admin.delete_certificate(live, forceDelete=True)
    admin.update_ca(other, status="INACTIVE")
    admin.delete_ca(other)
    for device in taken[:20]:
        admin.delete_certificate(device)
    for first in range(20, len(taken), 40):
        answers = admin.request(*({"command": "deleteCertificate", "certificateId": d.id}
                                  for d in taken[first:first + 40]))
        assert not [answer for answer in answers if "error" in answer]
    assert admin.ids(pageSize=250) == []
    admin.update_ca(ca, status="ACTIVE")
    admin.register_certificates([pki.device("new%d" % n, issuer=ca) for n in range(10)])


def test_log_file_on_a_full_disk(start_broker, pki):
    """Lines that cannot be written are counted in the broker's log; admission does not depend on
    them (include/jitr/service/report.h)."""
    broker = start_broker(plugin={"log_file": "/dev/full"})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = pki.device("d1", issuer=ca)
    assert broker.connect(device).refused
    broker.wait_for_log("log_file /dev/full", "lines lost")
    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(device).accepted


def test_broker_that_dies_in_the_middle_of_everything(broker, pki, admin, factory):
    """Killed again and again while certificates are registered and changed: it always starts again,
    and every confirmed change is there (contract, section 3)."""
    expected = {}
    for number in range(4):
        devices = [pki.device("d%d-%d" % (number, n), issuer=factory) for n in range(6)]
        for device in devices:
            admin.register_certificate(device, status="ACTIVE")
            expected[device.id] = "ACTIVE"
        for device in devices[:3]:
            admin.update_certificate(device, "INACTIVE")
            expected[device.id] = "INACTIVE"
        broker.connect(pki.device("new %d" % number, issuer=factory))
        broker.kill()
        broker.start()
        admin = broker.admin()
    found = {e["certificateId"]: e["status"]
             for page in admin.pages("listCertificates", pageSize=250) for e in page}
    assert {i: found.get(i) for i in expected} == expected
    assert set(found.values()) <= {"ACTIVE", "INACTIVE", "PENDING_ACTIVATION"}
