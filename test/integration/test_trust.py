# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Registered CAs in the listener's capath: trusted at once, named as OpenSSL wants them, and the
operator's own files left alone (contract, section 6, 7)."""
import contextlib
import ctypes
import os
import stat
import struct


from admin import AwsError
from trust import subject_hash, trust, trusted


def test_registered_ca_is_trusted_without_restart_or_signal(broker, pki, admin):
    """As soon as the answer is there: the listener trusts the CA (contract, section 6)."""
    for n in range(5):
        ca = pki.ca("CA %d" % n)
        admin.register_ca(ca)
        assert broker.connect(pki.device("d1", issuer=ca)).refused  # by the plugin, not by TLS


def test_file_is_named_by_the_hash_of_the_subject(broker, pki, admin):
    """<subject hash>.0, as OpenSSL looks for it (contract, section 6, 7)."""
    ca = pki.ca("factory")
    admin.register_ca(ca)

    assert trusted(broker, ca) == [subject_hash(ca, broker.directory) + ".0"]


def test_cas_of_one_subject_are_numbered(broker, pki, admin):
    """.0, .1, .2 without a gap: OpenSSL stops at the first number that is missing (contract,
    section 6, 7)."""
    twins = [pki.ca("twin") for _ in range(3)]
    name = subject_hash(twins[0], broker.directory)
    for number, ca in enumerate(twins):
        admin.register_ca(ca, active=False)
        assert trusted(broker, ca) == ["%s.%d" % (name, number)]

    admin.delete_ca(twins[0])
    left = sorted(trusted(broker, twins[1]) + trusted(broker, twins[2]))
    assert left == [name + ".0", name + ".1"]
    assert trusted(broker, twins[0]) == []


def test_files_appear_whole(broker, pki, admin):
    """Written under another name and renamed: a reader of the file gets the complete certificate,
    and no other file is left (contract, section 6, 7)."""
    cas = [pki.ca("twin") for _ in range(4)]
    with watch(broker.ca_path) as changes:
        admin.register_cas(cas)
        admin.delete_ca(cas[1])
        seen = changes()

    finished = {name for name in seen if name[-1].isdigit()}
    assert len(finished) == 4
    for name in finished:
        assert seen[name] & MOVED_TO and not seen[name] & (CREATE | MODIFY)
    assert [p.name for p in broker.ca_path.iterdir() if not p.name[-1].isdigit()] == []


# inotify(7)
MODIFY, MOVED_TO, CREATE = 0x2, 0x80, 0x100


@contextlib.contextmanager
def watch(directory):
    """Returns a function that returns the events of each file of the directory."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(libc.inotify_init1(os.O_NONBLOCK), "rb", buffering=0) as queue:
        assert libc.inotify_add_watch(queue.fileno(), os.fsencode(directory),
                                      MODIFY | MOVED_TO | CREATE) >= 0

        def changes():
            data, seen = queue.read(65536), {}
            while data:
                _, mask, _, size = struct.unpack_from("iIII", data)
                name = data[16:16 + size].rstrip(b"\0").decode()
                seen[name] = seen.get(name, 0) | mask
                data = data[16 + size:]
            return seen

        yield changes


def test_operators_own_files_are_untouched(broker, pki, admin):
    """The operator's files are not changed by registrations, deletions and restarts, also where one
    has a name that the plugin would use (contract, section 6, 7)."""
    own, factory = pki.ca("own"), pki.ca("factory")
    mine = trust(broker, own)
    taken = broker.ca_path / (subject_hash(factory, broker.directory) + ".0")
    taken.write_text(pki.ca("factory").pem)
    note = broker.ca_path / "README"
    note.write_text("by hand")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino)
              for p in (mine, taken, note)}

    admin.register_ca(factory, active=False)
    assert trusted(broker, factory) == [taken.name[:-1] + "1"]
    admin.delete_ca(factory)
    broker.restart()
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino)
            for p in before} == before


def test_registering_what_the_operator_trusts_already(broker, pki, admin):
    """A CA in a file of the operator can be registered, and deleted again, and the file stays
    (contract, section 6, 7)."""
    ca = pki.ca("own")
    mine = trust(broker, ca)

    admin.register_ca(ca, active=False)
    admin.delete_ca(ca)
    assert mine.read_text() == ca.pem


def test_inactive_ca_stays_trusted_by_tls(broker, pki, admin, factory):
    """Inactive is the plugin's business, not TLS's: ACTIVE devices of an inactive CA keep
    getting in (aws-iot A.2.3, D.2 row 7)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    admin.update_ca(factory, status="INACTIVE")

    assert trusted(broker, factory) != []
    broker.restart()
    assert broker.connect(device).accepted


def test_deleted_ca_without_devices_is_not_trusted_any_more(broker, pki, admin, factory):
    """When TLS has to admit no device of it any more, its file is removed (aws-iot A.2.5)."""
    admin.update_ca(factory, status="INACTIVE")
    admin.delete_ca(factory)

    assert trusted(broker, factory) == []


def test_deleted_ca_with_devices_stays_trusted(broker, pki, admin, factory):
    """Certificates of a deleted CA keep working, and TLS must accept them, also after a restart;
    the file is removed with the last of them (aws-iot A.2.5, D.2 row 7)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    admin.update_ca(factory, status="INACTIVE")
    admin.delete_ca(factory)
    broker.restart()
    assert trusted(broker, factory) != []
    assert broker.connect(device).accepted

    admin = broker.admin()
    admin.update_certificate(device, "INACTIVE")
    admin.delete_certificate(device)
    broker.restart()
    assert trusted(broker, factory) == []


def test_deleted_and_registered_again(broker, pki, admin, factory):
    """The same CA can be registered again, with proof of possession, and is trusted at once
    (aws-iot A.2.5)."""
    admin.update_ca(factory, status="INACTIVE")
    admin.delete_ca(factory)
    admin.register_ca(factory)

    device = pki.device("d1", issuer=factory)
    assert broker.connect(device).refused
    assert admin.status(device) == "PENDING_ACTIVATION"


def test_start_brings_the_directory_up_to_date(broker, pki, admin, factory):
    """Missing, damaged and superfluous files in the capath are corrected when the broker starts
    (contract, section 6, 7)."""
    other = pki.ca("other")
    admin.register_ca(other)
    gone = pki.ca("gone")
    admin.register_ca(gone, active=False)
    left_over = broker.ca_path / trusted(broker, gone)[0]
    text = left_over.read_bytes()
    admin.delete_ca(gone)
    broker.stop()
    left_over.write_bytes(text)
    (broker.ca_path / trusted(broker, factory)[0]).unlink()
    damaged = broker.ca_path / trusted(broker, other)[0]
    damaged.write_bytes(damaged.read_bytes()[:200])

    broker.start()
    assert trusted(broker, factory) != [] and trusted(broker, other) == [damaged.name]
    assert trusted(broker, gone) == []
    for ca in (factory, other):
        assert broker.connect(pki.device("d1", issuer=ca)).refused


def test_own_capath(start_broker, directory, pki):
    """ca_path is the directory (contract, section 5)."""
    place = directory / "trusted"
    broker = start_broker(plugin={"ca_path": place})
    ca = pki.ca("factory")
    broker.admin().register_ca(ca)

    assert trusted(broker, ca) != [] and broker.ca_path == place
    assert broker.connect(pki.device("d1", issuer=ca)).refused


def test_sub_ca_is_an_anchor_after_a_restart_too(broker, pki, admin):
    """A registered sub-CA is trusted by itself, without its root (contract, section 6, 7)."""
    plant = pki.ca("plant", parent=pki.ca("root"))
    admin.register_ca(plant)
    device = admin.activate(pki.device("d1", issuer=plant))
    assert broker.connect(device).accepted

    broker.restart()
    assert broker.connect(device).accepted


def test_directory_that_cannot_be_written(broker, pki, admin, factory):
    """If the file cannot be written the registration is kept, the log has the reason, and the file
    is written as soon as possible (contract, section 8)."""
    away = broker.ca_path.with_name("away")
    broker.ca_path.rename(away)
    ca = pki.ca("other")

    try:
        admin.register_ca(ca)
    except AwsError:
        pass  # either way: only the report matters
    broker.wait_for_log(str(broker.ca_path))
    away.rename(broker.ca_path)
    broker.restart()
    if ca.id in broker.admin().ids("listCACertificates"):
        assert trusted(broker, ca) != []


def test_registry_directory_is_private(broker, admin):
    """Only its owner can read the registry: its directory has mode 0700 (contract, section 5)."""
    assert stat.S_IMODE(broker.db_path.stat().st_mode) == 0o700
