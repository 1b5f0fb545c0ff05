# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Revocation lists in files that the broker watches: imported when they appear and when they
change, reported when they cannot be imported, and never waited for (contract, section 7, 1)."""
import itertools
import os
import time

import pytest

from admin import AwsError
from openssl_ca import OpensslCa
from revocation import (delete_list, describe_list, import_list, large_list, revocation_list,
                        to_der)
from users import ordinary_user
from wait import until

_numbers = itertools.count(1)


@pytest.fixture
def broker(shared_broker):
    yield shared_broker
    shared_broker.leave_sessions()


class Watched:
    """A CA with its lists in a file of this directory. Files are checked in the order of the CAs'
    ids: last says whether this CA is the last."""

    def __init__(self, admin, directory, last=False, **members):
        self.admin, self.broker = admin, admin.broker
        self.path = directory / "ca.crl"
        while True:
            self.ca = self.broker.pki.ca("watched %d" % next(_numbers))
            if (self.ca.id >= "c") == last:
                break
        self.members = {"crlFile": str(self.path), **members}

    def register(self):
        self.admin.register_ca(self.ca, **self.members)
        return self

    def device(self, name="d1"):
        return self.admin.activate(self.broker.pki.device(name, issuer=self.ca))

    def write(self, made, way="rename"):
        """rename: as it should be done; over: into the file that is there."""
        body = made if isinstance(made, bytes) else made.encode()
        if way == "over":
            self.path.write_bytes(body)
            return
        new = self.path.with_suffix(".new")
        new.write_bytes(body)
        new.chmod(0o644)
        new.rename(self.path)

    @property
    def described(self):
        return describe_list(self.admin, self.ca)

    @property
    def number(self):
        """The number of the list in force; None: there is none."""
        return self.described.get("crl", {}).get("crlNumber")

    @property
    def failed_at(self):
        return self.described["lastFailure"]["date"]

    @property
    def failure(self):
        return self.described.get("lastFailure", {}).get("details", "")

    def wait_for_number(self, number):
        until(lambda: self.number == str(number), "list %s to be taken" % number)

    def wait_for_failure(self, part):
        until(lambda: part in self.failure, "a failure with " + part)

    def wait_for_no_failure(self):
        until(lambda: not self.failure, "the failure to be forgotten")

    def complaints(self, part):
        return self.broker.log_lines("revocation list not imported", "ca=" + self.ca.id, part)

    def list(self, number, *devices):
        return revocation_list(self.ca, *devices, number=number)


@pytest.fixture
def watched(admin, directory):
    return Watched(admin, directory).register()


@pytest.fixture
def looks(admin, directory):
    """Waits until every file was checked once more, by changing the last one."""
    canary_directory = directory / "canary"
    canary_directory.mkdir()
    canary = Watched(admin, canary_directory, last=True).register()
    numbers = itertools.count(1)

    def wait(times=1):
        for _ in range(times):
            number = next(numbers)
            canary.write(canary.list(number))
            canary.wait_for_number(number)

    return wait


# -- what is taken -----------------------------------------------------------------------

@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_file_is_taken_when_its_ca_is_registered(broker, admin, directory, form):
    """An existing file is in force from the registration on, in PEM and in DER; its certificates
    are REVOKED without an import command."""
    watched = Watched(admin, directory, crlCheck="required")
    listed = broker.pki.device("listed", issuer=watched.ca)
    authority = OpensslCa(watched.ca, directory)
    authority.revoke(listed)
    watched.write(authority.list(number=1, form=form))
    watched.register()
    watched.wait_for_number(1)
    assert watched.described["crlFile"] == str(watched.path)
    assert broker.connect(watched.device()).accepted
    assert broker.connect(listed).refused
    assert admin.status(listed) == "REVOKED"


def test_list_from_the_future_is_in_force_when_its_time_comes(broker, watched, directory):
    """The clock of the CA is some seconds ahead of the broker's: the list is in force within
    seconds of its thisUpdate, without a change of the file; importing it reports the time (RFC 5280
    5.1.2.4)."""
    device = watched.device()
    session = broker.connect(device)
    authority = OpensslCa(watched.ca, directory)
    authority.revoke(device)
    begins = time.time() + 6
    made = authority.list(number=2, days=(6 / 86400, 1))
    watched.write(made)
    watched.wait_for_failure("in the future")
    with pytest.raises(AwsError, match="is the clock of this machine right"):
        watched.admin.call("importCrl", caCertificateId=watched.ca.id, crl=made)
    session.wait_until_closed(timeout=20)
    assert begins - 1.1 < time.time() < begins + 3
    watched.wait_for_number(2)


@pytest.mark.parametrize("way", ["rename", "over"])
def test_file_is_read_again_when_it_changes(broker, watched, way):
    """Replaced or overwritten: connections of its certificates are closed automatically."""
    device, other = watched.device(), watched.device("d2")
    sessions = [broker.connect(d) for d in (device, other)]
    watched.write(watched.list(1), way)
    watched.wait_for_number(1)
    watched.write(watched.list(2, device), way)
    sessions[0].wait_until_closed()
    assert sessions[1].received() == []
    assert watched.number == "2" and watched.described["crl"]["entries"] == 1


def test_file_behind_a_symbolic_link(watched, directory):
    """The target of a link is watched: some tools replace a file by switching the link."""
    for number in (1, 2):
        target = directory / ("list-%d" % number)
        target.write_text(watched.list(number))
        link = directory / "link"
        link.symlink_to(target)
        link.rename(watched.path)
        watched.wait_for_number(number)


def test_large_file(broker, watched):
    """Many transactions, and in force as a whole."""
    device = watched.device()
    session = broker.connect(device)
    watched.write(large_list(watched.ca, 120000, device))
    session.wait_until_closed()
    assert watched.described["crl"]["entries"] == 120001


def test_file_that_comes_later(watched, looks):
    """Configured before it exists: reported once, and imported when it is there."""
    watched.wait_for_failure("No such file")
    looks(2)
    assert len(watched.complaints("No such file")) == 1
    watched.write(watched.list(1))
    watched.wait_for_number(1)
    watched.wait_for_no_failure()


def test_one_list_by_hand_and_the_next_by_file(admin, watched):
    """Both ways import one list: the later one is in force, whichever way it came."""
    watched.write(watched.list(1))
    watched.wait_for_number(1)
    import_list(admin, watched.ca, watched.list(2))
    assert watched.number == "2"
    watched.write(watched.list(3))
    watched.wait_for_number(3)


# -- what is not ---------------------------------------------------------------------------

def half_written(watched):
    watched.write(watched.list(2)[:-90], "over")


def half_written_der(watched):
    watched.write(to_der(watched.list(2))[:-20], "over")


def empty(watched):
    watched.write("", "over")


def of_another_key(watched):
    watched.write(revocation_list(watched.ca, signer=watched.broker.pki.ca("x"), number=2))


def older(watched):
    watched.write(watched.list(0))


def removed(watched):
    watched.path.unlink()


def a_directory(watched):
    watched.path.unlink()
    watched.path.mkdir()


def a_pipe(watched):
    watched.path.unlink()
    os.mkfifo(watched.path)


def a_device(watched):
    """A link to a device outside crl_dir."""
    watched.path.unlink()
    watched.path.symlink_to("/dev/zero")


def a_loop(watched):
    watched.path.unlink()
    watched.path.symlink_to(watched.path)


def too_large(watched):
    with open(watched.path, "r+b") as file:
        file.truncate(256 << 20)


@pytest.mark.parametrize("spoil, says", [
    (half_written, "END X509 CRL"), (half_written_der, "cut short"), (empty, "has 0 bytes"),
    (of_another_key, "not signed with the key"), (older, "older than the one in force"),
    (removed, "No such file"), (a_directory, "is not a regular file"),
    (a_pipe, "is not a regular file"), (a_device, "Permission denied"),
    (a_loop, "symbolic links"), (too_large, "268435456 bytes"),
])
def test_file_that_cannot_be_taken(broker, admin, watched, looks, spoil, says):
    """It leaves the list in force and delays nothing; the log and describeCrl give the reason, the
    log once however often the file is checked; and it is imported when it is valid again."""
    listed, device = watched.device("listed"), watched.device()
    watched.write(watched.list(1, listed))
    watched.wait_for_number(1)
    before, complaints = watched.described["crl"], len(watched.complaints(says))

    spoil(watched)
    watched.wait_for_failure(says)
    looks(2)
    if "regular" in says:  # may change without a trace, so it is tried again
        first = watched.failed_at
        until(lambda: watched.failed_at > first, "another try")
    assert watched.described["crl"] == before
    assert len(watched.complaints(says)) == complaints + 1
    assert broker.connect(device).accepted and broker.connect(listed).refused

    if watched.path.is_dir() and not watched.path.is_symlink():
        watched.path.rmdir()
    watched.write(watched.list(3))
    watched.wait_for_number(3)
    watched.wait_for_no_failure()


def test_file_of_one_ca_does_not_delay_others(admin, directory):
    """However many files cannot be imported, for any reason, the valid ones are."""
    files = []
    for n in range(6):
        own = directory / str(n)
        own.mkdir()
        files.append(Watched(admin, own))
    files.sort(key=lambda w: w.ca.id)
    bad, good = files[:4], files[4:]
    for make, one in zip((os.mkfifo, os.mkdir, lambda p: None, os.mkfifo), bad):
        make(one.path)
    for one in files:
        one.register()
    for number in (1, 2):
        for one in good:
            one.write(one.list(number))
        for one in good:
            one.wait_for_number(number)
    for one in bad:
        assert one.number is None and one.failure


def test_file_that_may_not_be_read(start_broker, directory):
    """By its permissions: reported, not waited for, and imported when it can be read, without
    another change."""
    registry = directory / "state"
    registry.mkdir()
    registry.chmod(0o777)
    broker = start_broker(user=ordinary_user(), plugin={"db_path": registry / "registry"},
                          config=["persistence false"])
    watched = Watched(broker.admin(), directory)
    watched.write(watched.list(1))
    watched.path.chmod(0)
    watched.register()
    watched.wait_for_failure("Permission denied")
    first = watched.failed_at
    until(lambda: watched.failed_at > first, "another try")
    watched.path.chmod(0o644)
    watched.wait_for_number(1)
    assert len(watched.complaints("Permission denied")) == 1


# -- settings ------------------------------------------------------------------------------

def test_file_is_named_changed_and_removed(admin, directory, watched, looks):
    """crlFile of updateCACertificate: another file is read at once, an empty name ends the
    watching, and the list stays until it is deleted."""
    watched.write(watched.list(1))
    watched.wait_for_number(1)
    other = directory / "other.crl"
    other.write_text(watched.list(2))
    admin.update_ca(watched.ca, crlFile=str(other))
    watched.wait_for_number(2)
    admin.update_ca(watched.ca, crlFile="")
    assert "crlFile" not in watched.described
    other.write_text(watched.list(3))
    looks(2)
    assert watched.number == "2"
    admin.update_ca(watched.ca, crlFile=str(other))
    watched.wait_for_number(3)


@pytest.mark.parametrize("path", ["./ca.crl", "/" + 5000 * "x"], ids=lambda p: p[:9])
def test_name_of_a_file_is_bounded(admin, watched, path):
    """A name or a path, and not of any length."""
    with pytest.raises(AwsError) as refused:
        admin.update_ca(watched.ca, crlFile=path)
    assert refused.value.name == "InvalidRequestException"
    assert "crlFile" in refused.value.message


def test_deleted_list_comes_back_from_its_file(admin, watched, looks):
    """deleteCrl deletes the list, and crlFile brings it back: to have none, crlFile is removed
    first. The file may also have an older list than the deleted one."""
    watched.write(watched.list(5))
    watched.wait_for_number(5)
    watched.write(watched.list(4))
    watched.wait_for_failure("older")
    delete_list(admin, watched.ca)
    watched.wait_for_number(4)

    admin.update_ca(watched.ca, crlFile="")
    delete_list(admin, watched.ca)
    looks(2)
    assert watched.number is None
    admin.update_ca(watched.ca, crlFile=str(watched.path))
    watched.wait_for_number(4)


def test_ca_that_is_deleted_and_registered_again_has_its_file_read(admin, watched):
    """Its list is deleted with it, and imported again."""
    watched.write(watched.list(1))
    watched.wait_for_number(1)
    admin.update_ca(watched.ca, status="INACTIVE")
    admin.delete_ca(watched.ca)
    with pytest.raises(AwsError, match="not found"):
        watched.described
    watched.register()
    watched.wait_for_number(1)


def test_days_of_grace_put_a_stale_list_in_force(admin, watched, directory):
    """A change of the check makes the file be read again."""
    authority = OpensslCa(watched.ca, directory)
    watched.write(authority.list(number=1, days=(-3, -1)))
    watched.wait_for_failure("the list was valid until")
    admin.update_ca(watched.ca, crlCheck="grace 5")
    watched.wait_for_number(1)
    assert watched.described["crl"]["stale"] is True
    watched.wait_for_no_failure()


def test_file_is_watched_after_a_restart(start_broker, directory):
    """A change made while the broker was down is noticed at the start; an unchanged file is not
    reported again."""
    broker = start_broker()
    watched = Watched(broker.admin(), directory).register()
    watched.write(watched.list(1))
    watched.wait_for_number(1)
    broker.stop()
    watched.write(watched.list(2))
    broker.start()
    watched.admin = broker.admin()
    watched.wait_for_number(2)
    watched.write(watched.list(3))
    watched.wait_for_number(3)
    broker.wait_for_log("revocation list imported", "number=0x03")
    assert len(broker.log_lines("revocation list imported")) == 3
