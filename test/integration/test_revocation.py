# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Effects of revocation lists: on a first connection, on later ones, and on open ones when a list
is imported; and the check of the list itself (contract, section 7, 1)."""
import itertools
import shutil
import subprocess
import time

import pytest

from admin import AwsError
from broker import BUILD_DIR, PRELOAD, environment
from command_line import CommandLine
from device import MQTT_3_1_1, MQTT_5
from openssl_ca import OpensslCa
from ping_pong import PingPong
from revocation import (delete_list, describe_list, import_in_parts, import_list, large_list,
                        revocation_list)
from wait import PATIENCE, until

# What the contract promises; a sanitizer makes everything slow.
AT_ONCE = PATIENCE if PRELOAD else 1.0

ON_LIST, ON_HOLD = "CERTIFICATE_ON_REVOCATION_LIST", "CERTIFICATE_ON_HOLD"
MISSING, STALE = "REVOCATION_LIST_MISSING", "REVOCATION_LIST_STALE"

_numbers = itertools.count(1)


@pytest.fixture
def broker(shared_broker):
    yield shared_broker
    shared_broker.leave_sessions()


@pytest.fixture
def ca(admin, pki):
    """A registered CA of its own."""
    made = pki.ca("revoking %d" % next(_numbers))
    admin.register_ca(made)
    return made


@pytest.fixture
def authority(ca, directory):
    """The same, kept by openssl."""
    return OpensslCa(ca, directory)


def refused_for(admin, device, **how):
    """The code of the last refusal."""
    assert admin.broker.connect(device, **how).refused
    return admin.describe_certificate(device)["lastRefusal"]["reason"]


class Counters:
    """Numbers below $SYS/broker/jitr/, as they arrive."""

    def __init__(self, admin):
        self.session = admin.listen("$SYS/broker/jitr/#")
        self.seen = {}

    def read(self):
        self.session.pump(0.01)
        for message in self.session.messages:
            self.seen[message.topic[len("$SYS/broker/jitr/"):]] = message.payload.decode()
        self.session.messages.clear()
        return self.seen

    def wait_for(self, **expected):
        """Names with / written __."""
        wanted = {name.replace("__", "/"): str(value) for name, value in expected.items()}
        until(lambda: wanted.items() <= self.read().items(), "the counters %s" % wanted)

    def number(self, name):
        return int(until(lambda: self.read().get(name), name))

    def next_number(self, name):
        """As it is from now on."""
        self.read()
        self.seen.pop(name, None)
        return self.number(name)


# -- connecting ------------------------------------------------------------------------

@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
def test_first_connection_of_a_listed_device(broker, admin, pki, ca, authority, version):
    """It is registered as REVOKED and refused, with the reason on its record; it needs no decision
    by an administrator, and is refused from then on, whatever the next list says."""
    device = pki.device("d1", issuer=ca)
    authority.revoke(device, "keyCompromise")
    import_list(admin, ca, authority.list(number=1))
    events = admin.listen_to_events(ca)

    assert refused_for(admin, device, version=version) == ON_LIST
    broker.wait_for_log("connection refused", "on the revocation list of its CA", ON_LIST,
                        device.id, "ca=" + ca.id)
    assert events.next()["certificateStatus"] == "REVOKED"
    described = admin.describe_certificate(device)
    assert described["status"] == "REVOKED" and described["caCertificateId"] == ca.id
    assert "on the revocation list of its CA" in described["statusReason"]["details"]

    authority.forget()
    import_list(admin, ca, authority.list(number=2))
    assert refused_for(admin, device, version=version) == "DEVICE_CERTIFICATE_REVOKED"
    with pytest.raises(AwsError):
        admin.update_certificate(device, "ACTIVE")


def test_first_connection_of_a_device_not_on_the_list(broker, admin, pki, ca, authority):
    """A certificate that is not on the list is registered and waits for activation."""
    authority.revoke(pki.device("listed", issuer=ca))
    import_list(admin, ca, authority.list())
    device = pki.device("d1", issuer=ca)
    assert refused_for(admin, device) == "DEVICE_CERTIFICATE_NOT_REGISTERED"
    assert admin.status(device) == "PENDING_ACTIVATION"
    admin.update_certificate(device, "ACTIVE")
    assert broker.connect(device).accepted


@pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE", "PENDING_ACTIVATION"])
def test_later_connection_of_a_listed_device(admin, pki, ca, authority, status):
    """When the list is imported, every registered certificate on it becomes REVOKED, connected or
    not, with the reason from the list, and is refused."""
    device = pki.device("d1", issuer=ca)
    if status == "PENDING_ACTIVATION":
        admin.broker.connect(device)
        admin.settle()
    else:
        admin.register_certificate(device, status=status)
    authority.revoke(device, "keyCompromise")

    assert import_list(admin, ca, authority.list())["certificatesRevoked"] == 1
    described = admin.describe_certificate(device)
    assert described["status"] == "REVOKED"
    assert described["statusReason"]["details"] == (
        "on the revocation list of its CA (key compromise)")
    assert described["statusReason"]["date"] == described["lastModifiedDate"]
    assert refused_for(admin, device) == "DEVICE_CERTIFICATE_REVOKED"


def test_device_registered_after_the_list_arrived(admin, pki, ca, authority):
    """Registered by command as ACTIVE: the list is checked when it connects."""
    device = pki.device("d1", issuer=ca)
    authority.revoke(device)
    import_list(admin, ca, authority.list())
    admin.activate(device)
    assert refused_for(admin, device) == ON_LIST
    assert admin.status(device) == "REVOKED"


def test_device_registered_without_its_ca_is_on_no_list(broker, admin, pki, ca):
    """registerCertificateWithoutCA registers a certificate by itself: no list of a CA applies to it
    (aws-iot A.3.2)."""
    device = pki.device("d1", issuer=ca)
    admin.register_certificate_without_ca(device, status="ACTIVE")
    admin.update_ca(ca, crlCheck="required")
    assert import_list(admin, ca, revocation_list(ca, device))["certificatesRevoked"] == 0
    assert broker.connect(device).accepted


# -- connections that are open -----------------------------------------------------------

@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
def test_live_connections_of_listed_devices_are_closed_at_once(broker, admin, pki, ca, authority,
                                                               version):
    """Within a second of the answer, and no others: a device that is not on the list stays
    connected and keeps receiving."""
    devices = [admin.activate(pki.device("d%d" % n, issuer=ca)) for n in range(24)]
    sessions = [broker.connect(d, version=version) for d in devices]
    twin = broker.connect(devices[3], client_id="d3 again", version=version)
    for session in sessions:
        assert session.subscribe("news")
    listed = (3, 9, 20)
    for n in listed:
        authority.revoke(devices[n])
    made = authority.list()

    assert import_list(admin, ca, made)["certificatesRevoked"] == len(listed)
    answered = time.monotonic()
    for session in [sessions[n] for n in listed] + [twin]:
        session.wait_until_closed()
    assert time.monotonic() - answered < AT_ONCE

    broker.bystander().publish("news", "still here?")
    for n, session in enumerate(sessions):
        if n not in listed:
            assert session.next_message().payload == b"still here?"
    for n in listed:
        described = admin.describe_certificate(devices[n])
        assert described["status"] == "REVOKED"
        assert "revocation list" in described["statusReason"]["details"]
        broker.wait_for_log("connection closed", "code=DEVICE_CERTIFICATE_REVOKED",
                            devices[n].id)


def test_list_of_one_ca_leaves_the_devices_of_others(broker, admin, pki, ca):
    """Serial numbers are unique only within a CA: the same number of another CA is another
    certificate."""
    other = pki.ca("revoking %d" % next(_numbers))
    admin.register_ca(other)
    serial = 0x1234567890
    mine, theirs = (admin.activate(pki.device("d%d" % n, issuer=c, serial=serial))
                    for n, c in enumerate((ca, other)))
    sessions = [broker.connect(d) for d in (mine, theirs)]
    assert import_list(admin, ca, revocation_list(ca, serials=[serial]))[
        "certificatesRevoked"] == 1
    sessions[0].wait_until_closed()
    assert sessions[1].received() == []


# -- on hold -----------------------------------------------------------------------------

def test_hold_refuses_and_lifting_it_lets_in_again(broker, admin, pki, ca, authority):
    """certificateHold is temporary (RFC 5280 5.3.1): the connection is closed and refused as long
    as it lasts, the status stays, and the next list may end it."""
    device, new = admin.activate(pki.device("d1", issuer=ca)), pki.device("d2", issuer=ca)
    session = broker.connect(device)
    for one in (device, new):
        authority.revoke(one, "certificateHold")

    assert import_list(admin, ca, authority.list(number=1))["certificatesRevoked"] == 0
    answered = time.monotonic()
    session.wait_until_closed()
    assert time.monotonic() - answered < AT_ONCE
    assert refused_for(admin, device) == ON_HOLD
    assert refused_for(admin, new) == ON_HOLD
    assert (admin.status(device), admin.status(new)) == ("ACTIVE", "PENDING_ACTIVATION")

    authority.forget()
    import_list(admin, ca, authority.list(number=2))
    assert broker.connect(device).accepted
    assert refused_for(admin, new) == "DEVICE_CERTIFICATE_PENDING_ACTIVATION"


def test_hold_that_becomes_a_revocation(admin, pki, ca, directory):
    """The next list may also make it final."""
    device = admin.activate(pki.device("d1", issuer=ca))
    for number, reason in ((1, "certificateHold"), (2, "keyCompromise")):
        authority = OpensslCa(ca, directory)
        authority.revoke(device, reason)
        import_list(admin, ca, authority.list(number=number))
    assert admin.status(device) == "REVOKED"


# -- what is asked of the list -------------------------------------------------------------

def test_no_list_is_needed_unless_it_is_required(broker, admin, pki, ca):
    """if-present is the default: without a list devices are admitted as before."""
    assert broker.connect(admin.activate(pki.device("d1", issuer=ca))).accepted
    described = admin.call("describeCACertificate", certificateId=ca.id)
    assert described["crlCheck"] == "if-present"


def test_required_without_a_list(broker, admin, pki, directory):
    """required: no device is admitted without a list; a first connection is registered
    nevertheless, and open connections stay."""
    ca = pki.ca("revoking %d" % next(_numbers))
    admin.register_ca(ca, crlCheck="required")
    device, new = admin.activate(pki.device("d1", issuer=ca)), pki.device("d2", issuer=ca)
    for one in (device, new):
        assert refused_for(admin, one) == MISSING
    assert (admin.status(device), admin.status(new)) == ("ACTIVE", "PENDING_ACTIVATION")

    import_list(admin, ca, revocation_list(ca))
    session = broker.connect(device)
    assert session.accepted
    delete_list(admin, ca)
    assert refused_for(admin, device, client_id="d1 again") == MISSING
    assert session.received() == []


def test_stale_list_admits_no_device_where_one_is_required(broker, admin, pki, ca, authority):
    """A list is valid until its nextUpdate: then no new connection is admitted, and connected
    clients stay; a new list admits again."""
    admin.update_ca(ca, crlCheck="required")
    device = admin.activate(pki.device("d1", issuer=ca))
    import_list(admin, ca, authority.list(number=1))
    session = broker.connect(device)
    assert session.accepted
    five_seconds = 5 / 86400
    import_list(admin, ca, authority.list(number=2, days=(0, five_seconds)))
    until(lambda: describe_list(admin, ca)["crl"]["stale"], "the list to be stale")

    assert refused_for(admin, device, client_id="d1 again") == STALE
    assert session.received() == []
    import_list(admin, ca, authority.list(number=3))
    assert broker.connect(device, client_id="d1 again").accepted


def test_days_of_grace(broker, admin, pki, ca, authority):
    """grace N: a list is required, and valid for N days after its nextUpdate; an older one is not
    imported. A certificate on a stale list is refused nevertheless."""
    admin.update_ca(ca, crlCheck="grace 3")
    device = admin.activate(pki.device("d1", issuer=ca))
    listed = pki.device("listed", issuer=ca)
    assert refused_for(admin, device) == MISSING
    with pytest.raises(AwsError, match="grace days are over"):
        import_list(admin, ca, authority.list(days=(-9, -4)))
    authority.revoke(listed)
    described = import_list(admin, ca, authority.list(days=(-9, -2)))["crl"]
    assert described["stale"] is True
    assert broker.connect(device).accepted
    assert refused_for(admin, listed) == ON_LIST


def test_settings_change_back_and_forth(broker, admin, pki, ca, authority):
    """The check is that at the time of connecting."""
    device = admin.activate(pki.device("d1", issuer=ca))
    admin.update_ca(ca, crlCheck="grace 3")
    import_list(admin, ca, authority.list(days=(-9, -1.5)))
    for check, refusal in (("grace 3", None), ("required", STALE), ("if-present", None),
                           ("grace 1", STALE), ("grace 2", None), ("grace 0", STALE),
                           ("required", STALE), ("grace 3", None)):
        admin.update_ca(ca, crlCheck=check)
        assert describe_list(admin, ca)["crlCheck"] == check
        if refusal is None:
            assert broker.connect(device).accepted, check
        else:
            assert refused_for(admin, device) == refusal, check


@pytest.mark.parametrize("check", ["", "Required", "grace", "grace -1", "grace 3651", "grace 1 ",
                                   "grace  1", "if present"])
def test_other_words_are_no_check(admin, ca, check):
    """crlCheck is required, if-present, or grace and a number of days up to ten years."""
    with pytest.raises(AwsError) as refused:
        admin.update_ca(ca, crlCheck=check)
    assert refused.value.name == "InvalidRequestException" and "crlCheck" in refused.value.message


# -- counters ------------------------------------------------------------------------------

def test_counters_and_gauges(start_broker, pki):
    """Counters of imported and failed lists and of revoked certificates; for each list in force its
    age, its end and its size, until it is removed or its CA is deleted."""
    broker = start_broker(plugin={"metrics_interval": 1})
    admin, ca, other = broker.admin(), pki.ca("one"), pki.ca("other")
    for one in (ca, other):
        admin.register_ca(one)
    devices = [admin.activate(pki.device("d%d" % n, issuer=ca)) for n in range(3)]
    counters = Counters(admin)
    for one in (ca, other):
        import_list(admin, one, revocation_list(one, *(devices[:2] if one is ca else ())))
    for _ in range(2):
        with pytest.raises(AwsError):
            import_list(admin, ca, revocation_list(other))
    counters.wait_for(crl__imported=2, crl__failed=2, certificates__revoked=2,
                      certificates__status__REVOKED=2)
    gauges = "crl/%s/" % ca.id
    age = counters.next_number(gauges + "age_seconds")
    left = counters.next_number(gauges + "expires_in_seconds")
    assert 60 <= age < 60 + PATIENCE and 86400 - age - PATIENCE <= left <= 86400 - 60
    assert counters.next_number(gauges + "age_seconds") > age
    assert counters.number(gauges + "entries") == 2
    assert counters.number("crl/%s/entries" % other.id) == 0

    delete_list(admin, ca)
    admin.update_ca(other, status="INACTIVE")
    admin.delete_ca(other)
    for one in (ca, other):
        for name in ("age_seconds", "expires_in_seconds", "entries"):
            topic = "crl/%s/%s" % (one.id, name)
            until(lambda: counters.read()[topic] == "", topic + " to go")
    late = Counters(admin)
    late.number("queue/waiting")
    late.next_number("queue/waiting")
    assert [name for name in late.seen if name.startswith("crl/")] == [
        "crl/imported", "crl/failed"]


# -- restarts --------------------------------------------------------------------------------

def test_list_is_in_force_after_a_restart(start_broker, pki):
    """An imported list is in force from the first connection on."""
    broker = start_broker()
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca, crlCheck="required")
    device, listed = admin.activate(pki.device("d1", issuer=ca)), pki.device("d2", issuer=ca)
    import_list(admin, ca, revocation_list(ca, listed))
    before = describe_list(admin, ca)

    broker.restart()
    admin = broker.admin()
    assert describe_list(admin, ca) == before
    assert broker.connect(device).accepted
    assert refused_for(admin, listed) == ON_LIST


def revoked_rows(broker):
    """Entries of lists on the disk, referred to or not."""
    shown = subprocess.run(["mdb_stat", "-s", "revoked", broker.db_path], check=True,
                           capture_output=True, text=True).stdout
    return int(shown.split("Entries: ")[1].split("\n")[0])


@pytest.mark.skipif(not shutil.which("mdb_stat"), reason="needs mdb_stat, of lmdb-utils")
def test_broker_that_is_killed_while_it_imports(start_broker, pki, directory):
    """The list in force stays, stored parts of the new one are removed at the next start, and then
    it can be imported."""
    broker = start_broker()
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    listed, next_one = (admin.activate(pki.device(n, issuer=ca)) for n in ("listed", "next"))
    import_list(admin, ca, revocation_list(ca, listed, serials=range(1, 100), number=1))
    before = describe_list(admin, ca)
    path = directory / "large.crl"
    path.write_bytes(large_list(ca, 400000, next_one, number=2))
    cli = CommandLine(broker, "program", directory)
    words = [str(BUILD_DIR / "mosquitto_jitr"), *cli.login("admin", "not a secret"), "import-crl",
             "--ca-certificate-id", ca.id, "--crl", str(path)]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as importing:
        until(lambda: revoked_rows(broker) > 100, "a part of the list to be stored")
        broker.kill()
    assert importing.returncode != 0
    assert 100 < revoked_rows(broker) < 400000

    broker.leave_sessions()
    broker.start()
    admin = broker.admin()
    assert describe_list(admin, ca) == before
    assert (admin.status(listed), admin.status(next_one)) == ("REVOKED", "ACTIVE")
    until(lambda: revoked_rows(broker) == 100, "the rest of the list to go")
    assert broker.connect(next_one).accepted
    done = CommandLine(broker, "program", directory)(
        "import-crl", "--ca-certificate-id", ca.id, "--crl", path).data
    assert done["crl"]["entries"] == 400001 and done["certificatesRevoked"] == 1


# -- many entries ------------------------------------------------------------------------------

def test_large_list_delays_no_other_client(broker, admin, pki, ca):
    """While a list of a hundred thousand entries is imported, messages and pings of other clients
    are not delayed; afterwards its certificates are revoked, and it works like a small one."""
    device, other = (admin.activate(pki.device(n, issuer=ca)) for n in ("d1", "d2"))
    new = pki.device("new", issuer=ca)
    sessions = [broker.connect(d) for d in (device, other)]
    made = large_list(ca, 100000, device, new)
    with PingPong(broker) as delays:
        answer = import_in_parts(admin, ca, made)
        answered = time.monotonic()
        sessions[0].wait_until_closed()
        assert time.monotonic() - answered < AT_ONCE
    assert answer["crl"]["entries"] == 100002 and answer["certificatesRevoked"] == 1
    assert len(delays.of_messages) > 10
    assert max(delays.of_messages) < AT_ONCE and max(delays.of_pings) < AT_ONCE
    assert sessions[1].received() == []
    assert refused_for(admin, new) == ON_LIST
