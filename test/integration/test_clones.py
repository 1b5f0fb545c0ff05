# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""One certificate in use at two places at once means a copied key: it is reported, and shared_certificate
says which connection may stay."""
import re

import pytest

from device import MQTT_3_1_1, MQTT_5
from policies import allow
from test_logs import entries
from wait import until

CLONES = "$SYS/broker/jitr/connections/shared_certificate"
VERSIONS = pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])

# What the second connection differs in from the first.
ELSEWHERE = pytest.mark.parametrize("how", [
    {"client_id": "d2"}, {"client_id": "d2", "source": "127.0.0.2"},
], ids=["another client id", "and from elsewhere"])


class Fleet:
    """A broker that watches for clones, its CA and its counter of them."""

    def __init__(self, broker, log_file):
        self.broker, self.pki, self.log_file = broker, broker.pki, log_file
        self.admin = broker.admin()
        self.ca = self.pki.ca("factory")
        self.admin.register_ca(self.ca)
        self.counter = self.admin.listen(CLONES)

    def device(self, name="d1"):
        return self.admin.activate(self.pki.device(name, issuer=self.ca))

    def connect(self, device, **how):
        session = self.broker.connect(device, **how)
        assert session.accepted
        return session

    def lines(self, *words):
        return self.broker.log_lines("certificate shared:", *words)

    def wait_for_clones(self, count):
        """The counter reaches this and no more."""
        while int(self.counter.next_message().payload) < count:
            pass
        self.counter.messages.clear()
        assert int(self.counter.next_message().payload) == count


@pytest.fixture
def make_fleet(start_broker, directory):
    def make(policy=None, **plugin):
        log_file = directory / "jitr.log"
        return Fleet(start_broker(plugin={"shared_certificate": policy, "log_file": log_file,
                                          "account_id": "123456789012", "metrics_interval": 1,
                                          **plugin}), log_file)

    return make


def is_alive(session):
    """A round trip: it is still connected."""
    session.publish("t/alive")
    return not session.closed


# -- allow -------------------------------------------------------------------------

def test_old_name_of_the_option_is_understood_and_the_log_says_so(start_broker):
    """Version 0.1 called the option clone_policy, and its counter connections/clones."""
    broker = start_broker(plugin={"clone_policy": "oldest", "metrics_interval": 1})
    broker.wait_for_log("option clone_policy is called shared_certificate now")
    fleet = Fleet(broker, None)
    old_counter = fleet.admin.listen("$SYS/broker/jitr/connections/clones")
    device = fleet.device()
    fleet.connect(device)
    assert broker.connect(device, client_id="d2").refused
    fleet.wait_for_clones(1)
    old_counter.pump_until(lambda: any(m.payload == b"1" for m in old_counter.messages),
                           "the old counter")


@pytest.mark.parametrize("policy", [None, "allow"], ids=["default", "allow"])
@ELSEWHERE
def test_allow_admits_both_and_reports_it(make_fleet, policy, how):
    """Both are served; the log names both, and the counter has grown by one."""
    fleet = make_fleet(policy)
    device = fleet.device()
    first = fleet.connect(device)
    second = fleet.connect(device, **how)

    address = how.get("source", "127.0.0.1")
    fleet.broker.wait_for_log(
        'jitr: certificate shared: action="both may stay" certificate=%s client="d2" address=%s '
        'other_client="d1" other_address=127.0.0.1' % (device.id, address))
    entry = entries(fleet.log_file, eventType="SharedCertificate")[0]
    assert {name: entry.get(name) for name in (
        "logLevel", "status", "protocol", "principalId", "certificateId", "clientId", "sourceIp",
        "otherClientId", "otherSourceIp", "reason", "details")} == {
        "logLevel": "WARN", "status": "Failure", "protocol": "MQTT", "principalId": device.id,
        "certificateId": device.id, "clientId": "d2", "sourceIp": address,
        "otherClientId": "d1", "otherSourceIp": "127.0.0.1",
        "reason": "DEVICE_CERTIFICATE_SHARED", "details": "both may stay"}
    assert is_alive(first) and is_alive(second)
    fleet.wait_for_clones(1)


def test_each_new_client_is_counted_and_reports_are_limited(make_fleet):
    """A fleet that shares one certificate does not fill the log: there is one line in ten seconds,
    and the counter has the number."""
    fleet = make_fleet()
    shared, other = fleet.device("shared"), fleet.device("other")
    for n in range(5):
        fleet.connect(shared, client_id="shared-%d" % n)
    for n in range(2):
        fleet.connect(other, client_id="other-%d" % n)

    fleet.wait_for_clones(4 + 1)
    assert len(fleet.lines(shared.id)) == len(fleet.lines(other.id)) == 1


# -- newest ------------------------------------------------------------------------

@VERSIONS
@ELSEWHERE
def test_newest_closes_the_older_ones(make_fleet, version, how):
    """The new connection is admitted, and all others with the certificate are closed, with the
    reason in the log; the event of their end has the reason FORBIDDEN_ACCESS."""
    fleet = make_fleet("newest", lifecycle_events="true")
    presence = fleet.admin.listen("$aws/events/presence/disconnected/#")
    device, bystander = fleet.device(), fleet.connect(fleet.device("bystander"))
    first = fleet.connect(device, version=version)
    second = fleet.connect(device, version=version, **how)

    first.wait_until_closed()
    event = presence.next()
    assert (event["clientId"], event["disconnectReason"]) == ("d1", "FORBIDDEN_ACCESS")
    fleet.broker.wait_for_log('action="the newest stays"', device.id, 'other_client="d1"')
    fleet.broker.wait_for_log("connection closed", "code=DEVICE_CERTIFICATE_SHARED", device.id)
    assert is_alive(second) and is_alive(bystander)
    fleet.wait_for_clones(1)

    third = fleet.connect(device, version=version, client_id="d3")
    second.wait_until_closed()
    assert is_alive(third)


def test_newest_closes_many_connections(start_broker, directory, pki):
    """Connections from the time when all were allowed are closed as soon as a newer one comes."""
    fleet = Fleet(start_broker(plugin={"shared_certificate": "newest", "metrics_interval": 1}), None)
    device = fleet.device()
    for n in range(6):
        last = fleet.connect(device, client_id="d%d" % n)
    for session in fleet.broker.sessions:
        if session is not last and session.client_id.startswith("d"):
            session.wait_until_closed()
    assert is_alive(last)


# -- oldest ------------------------------------------------------------------------

@VERSIONS
@ELSEWHERE
def test_oldest_refuses_the_new_client(make_fleet, version, how):
    """The existing connection stays; the new one is refused with its own code, which is the last
    refusal on the record, and admitted once the other has disconnected."""
    fleet = make_fleet("oldest")
    device = fleet.device()
    first = fleet.connect(device, version=version)
    assert fleet.broker.connect(device, version=version, **how).refused

    fleet.broker.wait_for_log("connection refused", "code=DEVICE_CERTIFICATE_SHARED",
                              'client="d2"', device.id)
    fleet.broker.wait_for_log('action="the oldest stays"', device.id, 'other_client="d1"')
    refusal = fleet.admin.describe_certificate(device)["lastRefusal"]
    assert (refusal["reason"], refusal["clientId"]) == ("DEVICE_CERTIFICATE_SHARED", "d2")
    assert is_alive(first)
    fleet.wait_for_clones(1)

    first.leave()
    until(lambda: fleet.broker.connect(device, version=version, **how).accepted,
          "the broker to notice that the first one has left")


# -- what is no clone, and what is ---------------------------------------------------

@VERSIONS
def test_device_that_comes_back_is_no_clone(make_fleet, version):
    """The same client id from the same address: a device that reconnects before the broker has
    noticed the end of its connection replaces it, with any policy."""
    fleet = make_fleet("oldest")
    device = fleet.device()
    for _ in range(3):
        fleet.connect(device, version=version)
    fleet.connect(device, version=version).vanish()
    fleet.connect(device, version=version)

    fleet.wait_for_clones(0)
    assert fleet.lines() == []


@pytest.mark.parametrize("policy", ["allow", "newest"])
def test_same_client_id_from_elsewhere_is_a_clone(make_fleet, policy):
    """It replaces the first connection by MQTT's own rule, and is reported once: the replaced one
    is not closed a second time (MQTT 5, 3.1.4-3)."""
    fleet = make_fleet(policy)
    device = fleet.device()
    first = fleet.connect(device)
    second = fleet.connect(device, source="127.0.0.2")

    first.wait_until_closed()
    fleet.broker.wait_for_log("certificate shared:", 'client="d1" address=127.0.0.2',
                              'other_client="d1" other_address=127.0.0.1')
    assert is_alive(second)
    fleet.wait_for_clones(1)
    assert fleet.broker.log_lines("connection closed") == []


def test_same_client_id_from_elsewhere_does_not_displace_the_oldest(make_fleet):
    """With oldest a copied key cannot take over the session of a device, even with its client
    id."""
    fleet = make_fleet("oldest")
    device = fleet.device()
    first = fleet.connect(device)
    assert fleet.broker.connect(device, source="127.0.0.2").refused
    assert is_alive(first)


@pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])
@pytest.mark.parametrize("clean", [True, False], ids=["clean", "persistent"])
def test_disconnected_clients_do_not_count(make_fleet, version, clean):
    """A certificate moves from one client id and address to the next: the former connection has
    ended, also if the broker keeps its session."""
    fleet = make_fleet("oldest")
    device = fleet.device()
    how = dict(version=version, clean=clean, expiry=None if clean else 3600)
    for client_id, source in (("d1", "127.0.0.1"), ("d2", "127.0.0.1"), ("d2", "127.0.0.2")):
        seen = len(fleet.broker.log())
        session = fleet.connect(device, client_id=client_id, source=source, **how)
        session.leave()
        until(lambda: re.search("Client %s .*disconnected" % client_id, fleet.broker.log()[seen:]),
              "the broker to notice that it has left")

    fleet.wait_for_clones(0)
    assert fleet.lines() == []


def test_different_certificates_are_no_clones(make_fleet):
    """Two devices at one address, and one client id that passes from one to the other."""
    fleet = make_fleet("oldest")
    first, second = fleet.device("d1"), fleet.device("d2")
    fleet.connect(first)
    fleet.connect(second, client_id="d1")
    fleet.connect(first, client_id="d2")

    fleet.wait_for_clones(0)


def test_refused_connections_are_no_clones(make_site):
    """Only admitted connections count: a connection that policies refuse by its client id closes no
    other."""
    site = make_site({"shared_certificate": "newest", "metrics_interval": 1})
    device = site.device(allow("Connect", "client/d1"))
    session = site.broker.connect(device)
    assert session.accepted
    assert site.broker.connect(device, client_id="d2").refused
    assert is_alive(session)
    assert site.broker.log_lines("certificate shared:") == []


@pytest.mark.parametrize("policy", ["newest", "oldest"])
def test_administrators_share_their_certificate(start_broker, directory, pki, policy):
    """Certificates of admin_certificates are used by several people and programs on purpose."""
    ca = pki.ca("factory")
    device = pki.device("operator", issuer=ca)
    fleet = Fleet(start_broker(plugin={"shared_certificate": policy, "metrics_interval": 1,
                                       "admin_certificates": device.id}), None)
    fleet.admin.register_ca(ca)
    fleet.admin.activate(device)
    sessions = [fleet.connect(device, client_id="c%d" % n, source="127.0.0.%d" % (n + 1))
                for n in range(3)]

    assert all(is_alive(session) for session in sessions)
    fleet.wait_for_clones(0)


def test_reload_makes_no_clones(make_fleet):
    """SIGHUP repeats the check of every connection: the admitted ones stay, and none counts as new
    (mosquitto section 0, 1)."""
    fleet = make_fleet("allow")
    device = fleet.device()
    sessions = [fleet.connect(device, client_id="d%d" % n) for n in range(3)]
    fleet.wait_for_clones(2)
    fleet.broker.reload()
    assert all(is_alive(session) for session in sessions)
    fleet.wait_for_clones(2)


def test_identity_listener_knows_clones(start_broker, pki):
    """Where the broker does not ask at CONNECT, a connection too many is closed when the plugin
    first sees it, and the first one stays (mosquitto section 0, 6)."""
    fleet = Fleet(start_broker(plugin={"shared_certificate": "oldest", "metrics_interval": 1},
                               listeners=("plain", "tls", "identity")), None)
    device = fleet.device()
    first = fleet.connect(device)
    second = fleet.broker.connect(device, listener="identity", client_id="d2")
    if not second.closed:
        second.publish("t/1")
        second.wait_until_closed()
    fleet.broker.wait_for_log("connection refused", "code=DEVICE_CERTIFICATE_SHARED",
                              'client="d2"')
    assert is_alive(first)
