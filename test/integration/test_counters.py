# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Numbers for monitoring: each in the table of doc/operations.md is published, as a counter of
events or a gauge of the present state."""
import json
import os
import pathlib
import re

import pytest

import der
from admin import CONTROL
from counters import TOPIC, Counters
from policies import allow
from provisioning import ROLE, template
from revocation import revocation_list
from test_refusals import rule
from wait import until

OPERATIONS = pathlib.Path(__file__).parents[2] / "doc" / "operations.md"

PLACES = {"<code>": "[A-Z_]+", "<STATUS>": "[A-Z_]+", "<caCertificateId>": "[0-9a-f]{64}"}


def documented():
    """The table's topics as expressions, with their kinds."""
    section = OPERATIONS.read_text().split("\n## Counters\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| (`.+?) \| (counter|gauge) \|", section, re.M)
    assert len(rows) > 20
    for cell, kind in rows:
        for topic in re.findall("`([^`]+)`", cell):
            for place, expression in PLACES.items():
                topic = topic.replace(place, expression)
            yield topic, kind


class Scene:
    """A broker, its CA, and the counters of each second."""

    def __init__(self, broker, ca=None):
        self.broker, self.pki = broker, broker.pki
        self.admin = broker.admin()
        self.ca = ca or self.pki.ca("factory")
        self.admin.register_ca(self.ca)
        self.counters = Counters(broker.admin())

    def device(self, name="d1", **how):
        return self.pki.device(name, issuer=self.ca, **how)

    def registered(self, name="d1", status="ACTIVE"):
        device = self.device(name)
        self.admin.register_certificate(device, status="ACTIVE")
        if status != "ACTIVE":
            self.admin.update_certificate(device, status)
        return device

    def import_list(self, *devices):
        self.admin.call("importCrl", caCertificateId=self.ca.id,
                        crl=revocation_list(self.ca, *devices))


@pytest.fixture
def scene(start_broker):
    return Scene(start_broker(plugin={"metrics_interval": 1, "announce_interval": 0}))


# -- which -------------------------------------------------------------------------

def test_published_topics_are_those_of_the_documentation(scene):
    """Every number of the table is published, no other one is, and each is retained for later
    subscribers."""
    scene.import_list()
    scene.counters.next()
    scene.counters.next()  # the interval before it is whole, with the list
    late = scene.broker.admin().listen(TOPIC + "#")
    late.received()
    retained = {m.topic[len(TOPIC):]: m.payload.decode() for m in late.messages if m.retain}

    expressions = [topic for topic, _ in documented()]
    for topic, payload in retained.items():
        assert re.fullmatch("-?[0-9]+", payload)
        assert len([e for e in expressions if re.fullmatch(e, topic)]) == 1, topic
    for expression in expressions:
        assert [t for t in retained if re.fullmatch(expression, t)], expression


def test_nothing_is_published_without_an_interval(start_broker):
    """metrics_interval 0 turns them off."""
    admin = start_broker(plugin={"metrics_interval": 0}).admin()
    numbers = admin.listen(TOPIC + "#")
    admin.settle()
    assert numbers.received() == []


# -- how many ----------------------------------------------------------------------

def test_connections_are_counted(scene):
    """Admitted, refused, closed."""
    device = scene.device()
    assert scene.broker.connect(device).refused
    scene.admin.update_certificate(device, "ACTIVE")
    for _ in range(2):
        scene.broker.connect(device).leave()
    session = scene.broker.connect(device)
    scene.admin.update_certificate(device, "INACTIVE")
    session.wait_until_closed()
    for _ in range(3):
        assert scene.broker.connect(device).refused

    seen = scene.counters.wait_for(
        connections__accepted=3, connections__refused=4, connections__closed=1)
    assert seen["connections/refused/DEVICE_CERTIFICATE_NOT_REGISTERED"] == 1
    assert seen["connections/refused/DEVICE_CERTIFICATE_INACTIVE"] == 3
    assert seen["connections/shared_certificate"] == 0
    assert seen["connections/cut"] == 1 and seen["connections/clones"] == 0  # the old names


def test_certificates_are_counted_and_gauged(scene):
    """The results of first connections, and the number of certificates of each status, however they
    got it."""
    for n in range(3):
        assert scene.broker.connect(scene.device("first-%d" % n)).refused
    scene.registered("active")
    scene.registered("inactive", "INACTIVE")
    for n in range(2):
        scene.registered("revoked-%d" % n, "REVOKED")
    gone = scene.registered("gone", "INACTIVE")
    too_long = der.name((der.COMMON_NAME, "x" * 60000))
    assert scene.broker.connect(scene.device(subject=too_long)).refused
    seen = scene.counters.wait_for(
        certificates__status__PENDING_ACTIVATION=3, certificates__status__ACTIVE=1,
        certificates__status__INACTIVE=2, certificates__status__REVOKED=2,
        certificates__status__PENDING_TRANSFER=0, certificates__registered=3,
        certificates__failed=1)
    assert (seen["certificates/throttled"], seen["certificates/activated"]) == (0, 0)

    scene.admin.delete_certificate(gone)
    scene.counters.wait_for(certificates__status__INACTIVE=1)


def test_what_rules_and_templates_do_is_counted(start_broker, pki):
    """Activated by a rule; a template that could not be carried out."""
    scene = Scene(start_broker(plugin={"metrics_interval": 1}))
    scene.admin.update_ca(scene.ca, activation=rule(otherwise="PENDING_ACTIVATION"))
    assert scene.broker.connect(scene.device()).accepted
    scene.admin.call("createProvisioningTemplate", templateName="fleet", type="JITP",
                     enabled=False, templateBody=template(), provisioningRoleArn=ROLE)
    other = pki.ca("other factory")
    scene.admin.register_ca(other, registrationConfig={"templateName": "fleet"})
    assert scene.broker.connect(pki.device("d2", issuer=other)).refused

    scene.counters.wait_for(
        certificates__activated=1, certificates__provisioning_failed=1, certificates__registered=2,
        connections__accepted=1, connections__refused__PROVISIONING_FAILED=1)


def test_registry_is_gauged(scene, pki):
    """CAs, policies and things, as they are created and deleted; and the size of the database."""
    seen = scene.counters.wait_for(cas=1, policies=0, things=0)
    assert 0 < seen["database/bytes_used"] < seen["database/bytes_max"]
    other = pki.ca("other factory")
    scene.admin.register_ca(other)
    for n in range(3):
        scene.admin.create_policy("p%d" % n, json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}))
        scene.admin.create_thing("t%d" % n)
    scene.counters.wait_for(cas=2, policies=3, things=3)

    scene.admin.update_ca(other, status="INACTIVE")
    scene.admin.delete_ca(other)
    scene.admin.call("deletePolicy", policyName="p0")
    scene.admin.call("deleteThing", thingName="t0")
    scene.counters.wait_for(cas=1, policies=2, things=2)


def test_database_most_is_the_option(start_broker):
    """The upper bound is that of the configuration."""
    seen = Counters(start_broker(plugin={"metrics_interval": 1,
                                         "db_map_size_mb": 64}).admin()).next()
    assert seen["database/bytes_max"] == seen["database/bytes_most"] == 64 << 20


def test_requests_are_counted(scene):
    """All requests are counted, and those of callers without rights separately."""
    bystander = scene.broker.bystander()
    before = scene.counters.next()
    for _ in range(3):
        scene.admin.registration_code()
    for _ in range(2):
        bystander.publish(CONTROL, json.dumps({"commands": [{"command": "getRegistrationCode"}]}))

    scene.counters.wait_for(requests__handled=before["requests/handled"] + 5,
                            requests__denied=2)


def test_events_are_counted_and_none_waits(scene):
    """Each registration and each later attempt is an event; soon after that none of them is stored
    or outstanding any more."""
    device = scene.device()
    assert scene.broker.connect(device).refused
    scene.broker.wait_for_log("certificate registered")
    for _ in range(2):
        assert scene.broker.connect(device).refused
    scene.counters.wait_for(events__published=3, events__waiting=0, queue__waiting=0)


def test_commits_are_counted_and_timed(scene):
    """A commit with a change is counted, a read is not."""
    before = scene.counters.wait_for(queue__waiting=0)
    scene.admin.call("listCertificates")
    quiet = scene.counters.wait_for(queue__waiting=0)
    assert quiet["commits/count"] == before["commits/count"]

    for n in range(3):
        scene.admin.create_thing("t%d" % n)
    seen = scene.counters.wait_for(commits__count=before["commits/count"] + 3)
    assert 0 < seen["commits/last_us"] <= seen["commits/max_us"]
    assert 0 < seen["commits/mean_us"]


def test_what_policies_deny_is_counted(make_site):
    """Publications, subscriptions, and messages that were not delivered."""
    site = make_site({"metrics_interval": 1})
    session = site.connect(allow("Subscribe", "topicfilter/t/*"), allow("Receive", "topic/t/1"))
    assert session.subscribe("t/#")
    assert not session.subscribe("u/#")
    for _ in range(2):
        session.publish("t/mine")
    for n in range(4):
        site.tell("t/%d" % n, "x")
    assert session.next_message().topic == "t/1"

    Counters(site.admin).wait_for(publishes__denied=2, subscriptions__denied=1,
                                  deliveries__denied=3)


def test_presence_is_counted(start_broker):
    """Presence events are counted apart from those of certificates."""
    scene = Scene(start_broker(plugin={"metrics_interval": 1, "lifecycle_events": "true"}))
    device = scene.registered()
    scene.broker.connect(device).leave()
    scene.admin.update_certificate(device, "INACTIVE")
    assert scene.broker.connect(device).refused

    seen = scene.counters.wait_for(presence__published=3)
    assert (seen["presence/dropped"], seen["presence/suppressed"]) == (0, 0)
    assert seen["events/published"] == 0


def test_revocation_lists_are_counted_and_gauged(scene):
    """Lists that were put in force and that were not, certificates they revoked, and of each
    list its age, its end and its length, which go when it is removed."""
    device = scene.registered()
    numbers = scene.broker.admin().listen(TOPIC + "crl/%s/#" % scene.ca.id)
    with pytest.raises(Exception):
        scene.admin.call("importCrl", caCertificateId=scene.ca.id,
                         crl=revocation_list(scene.ca, signer=scene.device("forger")))
    scene.import_list(device, scene.device("unknown"))
    scene.counters.wait_for(crl__imported=1, crl__failed=1, certificates__revoked=1,
                            certificates__status__REVOKED=1)
    seen = {}
    while len(seen) < 3:
        message = numbers.next_message()
        seen[message.topic.rsplit("/", 1)[1]] = int(message.payload)
    assert seen["entries"] == 2
    assert 60 <= seen["age_seconds"] < 600
    assert 86400 - 600 < seen["expires_in_seconds"] <= 86400 - 60

    scene.admin.call("deleteCrl", caCertificateId=scene.ca.id)
    gone = set()
    while len(gone) < 3:
        message = numbers.next_message()
        if message.payload == b"":
            gone.add(message.topic)
    late = scene.broker.admin().listen(TOPIC + "crl/%s/#" % scene.ca.id)
    assert late.received() == []


def test_restart_zeroes_counters_and_keeps_gauges(scene):
    """Counters start from 0 with the broker; gauges of the registry have their values at once."""
    assert scene.broker.connect(scene.device()).refused
    for status in ("ACTIVE", "INACTIVE", "INACTIVE", "REVOKED"):
        scene.registered(status, status)
    scene.admin.create_thing("t")
    before = scene.counters.wait_for(events__published=1, events__waiting=0, queue__waiting=0,
                                     things=1, certificates__status__REVOKED=1)
    scene.broker.restart()
    scene.broker.wait_for_log("version", count=2)

    after = Counters(scene.broker.admin()).next()
    kinds = list(documented())
    for topic, number in after.items():
        (kind,) = [kind for expression, kind in kinds if re.fullmatch(expression, topic)]
        if kind == "counter" and topic not in ("requests/handled", "commits/count"):
            assert number == 0, topic
        if topic.startswith("certificates/status/") or topic in ("cas", "policies", "things"):
            assert number == before[topic], topic
    assert after["certificates/status/INACTIVE"] == 2
    assert after["requests/handled"] <= 1 and after["commits/count"] < before["commits/count"]


def test_health_file_follows_the_plugin(start_broker, directory):
    """Its time is set anew while the broker runs, without a connection or a line."""
    path = directory / "health"
    broker = start_broker(plugin={"health_file": path, "other_clients": "defer"})
    os.utime(path, (3600, 3600))
    until(lambda: path.stat().st_mtime > 3600, "the first time")
    os.utime(path, (3600, 3600))
    lines = broker.log()
    until(lambda: path.stat().st_mtime > 3600, "the second time")
    assert broker.log() == lines


def test_broker_says_what_it_dropped(start_broker, pki):
    """The broker drops messages beyond max_queued_messages without telling plugins: once a
    client subscribes to the broker's own count, the plugin has it in a counter, and the log has
    a warning."""
    broker = start_broker(plugin={"other_clients": "allow", "metrics_interval": 1},
                          config=["sys_interval 1", "max_queued_messages 1"])
    sleeper = broker.bystander(client_id="sleeper", clean=False)
    assert sleeper.subscribe("t/#")
    sleeper.leave()
    publisher = broker.bystander()
    for n in range(6):
        publisher.publish("t/1", "message %d" % n)
    monitor = broker.bystander()
    assert monitor.subscribe("$SYS/broker/publish/messages/dropped")
    broker.wait_for_log("the broker says that it has dropped 5 messages so far")
    admin = broker.admin()
    counters = admin.listen("$SYS/broker/jitr/broker/dropped")
    counters.pump_until(lambda: any(m.payload == b"5" for m in counters.messages), "the counter")
