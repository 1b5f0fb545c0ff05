# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A change of policies, things or certificates takes effect at once: for the next packet of an open
connection, for queued messages of an offline one, and for whether it may stay (contract, section 6;
aws-iot F.4)."""
import time

import pytest

from broker import PRELOAD
from device import MQTT_3_1_1, MQTT_5
from policies import CONNECT, allow, deny
from wait import PATIENCE

# What the contract promises; a sanitizer makes everything slow.
AT_ONCE = PATIENCE if PRELOAD else 1.0
A_FEW_SECONDS = PATIENCE if PRELOAD else 5.0

VERSIONS = pytest.mark.parametrize("version", [MQTT_3_1_1, MQTT_5], ids=["3.1.1", "5"])

HEAR = (allow("Subscribe", "topicfilter/*"), allow("Receive", "topic/*"))
NOTHING = allow("Connect", "client/none")


def rights(topic, condition=None):
    return allow(["Publish", "Subscribe", "Receive"], ["topic/" + topic, "topicfilter/" + topic],
                 condition)


# -- for the next packet -----------------------------------------------------------

# Ways to give a device the rights of t/x, and to take them away; it has none at first.

def by_attaching(site):
    device, name = site.device(CONNECT), site.policies.create(rights("t/x"))
    return (device, lambda: site.policies.attach(name, device),
            lambda: site.policies.detach(name, device))


def by_default_version(site):
    device = site.device(CONNECT)
    more = site.policies.add_version(device.policy, CONNECT, rights("t/x"), default=False)
    return (device, lambda: site.policies.set_default(device.policy, more),
            lambda: site.policies.set_default(device.policy, "1"))


def by_new_version(site):
    device = site.device(CONNECT)
    return (device, lambda: site.policies.add_version(device.policy, CONNECT, rights("t/x")),
            lambda: site.policies.add_version(device.policy, CONNECT, rights("t/y")))


def by_denying(site):
    device = site.device(CONNECT, rights("t/x"))
    no = site.policies.give(device, deny(["Publish", "Subscribe", "Receive"], "*"))
    return (device, lambda: site.policies.detach(no, device),
            lambda: site.policies.attach(no, device))


def by_attribute(site):
    device = site.device(CONNECT, rights("t/${iot:Connection.Thing.Attributes[place]}"))
    site.policies.create_thing("d1", place="y")
    site.policies.attach_thing("d1", device)
    return (device, lambda: site.policies.update_thing("d1", place="x"),
            lambda: site.policies.update_thing("d1", place="y"))


def by_thing(site):
    device = site.device(CONNECT, rights("t/x", {
        "Bool": {"iot:Connection.Thing.IsAttached": "true"}}))
    site.policies.create_thing("d1")
    return (device, lambda: site.policies.attach_thing("d1", device),
            lambda: site.policies.detach_thing("d1", device))


WAYS = pytest.mark.parametrize("way", [by_attaching, by_default_version, by_new_version,
                                       by_denying, by_attribute, by_thing])


@WAYS
@VERSIONS
def test_next_publish(site, way, version):
    """A right granted or withdrawn is in force with the answer: it applies to the very next PUBLISH
    of an open connection (contract, section 6)."""
    device, grant, withdraw = way(site)
    session = site.broker.connect(device, version=version)

    session.publish("t/x", "before")
    for n in "12":
        grant()
        session.publish("t/x", "granted " + n)
        withdraw()
        session.publish("t/x", "withdrawn " + n)
    assert site.heard() == ["granted 1", "granted 2"]
    assert not session.closed


@WAYS
@VERSIONS
def test_next_subscription_and_delivery(site, way, version):
    """So do the next SUBSCRIBE and the next delivery to a subscription that exists
    (contract, section 6; CVE-2021-34434)."""
    device, grant, withdraw = way(site)
    session = site.broker.connect(device, version=version)

    assert not session.subscribe("t/x")
    grant()
    assert session.subscribe("t/x")
    site.tell("t/x", "granted")
    withdraw()
    site.tell("t/x", "withdrawn")
    assert not session.subscribe("t/x")
    grant()
    site.tell("t/x", "granted again")
    assert session.received() == ["granted", "granted again"]


@WAYS
def test_next_message_while_offline(site, way):
    """Messages for an offline session are checked when they arrive too (contract, section 6)."""
    device, grant, withdraw = way(site)
    grant()
    session = site.broker.connect(device, clean=False)
    assert session.subscribe("t/x")
    session.leave()

    site.tell("t/x", "granted")
    withdraw()
    site.tell("t/x", "withdrawn")
    grant()
    site.tell("t/x", "granted again")
    assert site.broker.connect(device, clean=False).received() == ["granted", "granted again"]


def test_policy_shared_by_many(site):
    """A new version is in force for all certificates with the policy, and for no others."""
    shared = site.policies.create(CONNECT, allow("Publish", "topic/t/a"))
    sessions = []
    for n in range(5):
        device = site.device(name="d%d" % n)
        site.policies.attach(shared, device)
        sessions.append(site.broker.connect(device))
    other = site.connect(allow("Publish", "topic/t/a"), name="other")
    site.policies.add_version(shared, CONNECT, allow("Publish", "topic/t/b"))

    for session in [*sessions, other]:
        for topic in ("t/a", "t/b"):
            session.publish(topic, "%s %s" % (session.client_id, topic))
    assert site.heard() == ["d%d t/b" % n for n in range(5)] + ["other t/a"]


def test_first_policy_lets_in(site):
    """A device refused for lack of a policy is admitted as soon as it has one."""
    device = site.device()
    assert site.broker.connect(device).refused
    site.policies.give(device, CONNECT)
    assert site.broker.connect(device).accepted


# -- for the connection --------------------------------------------------------------

# Ways to take the right to connect away; each gives a device, and what to do.

def connect_detached(site):
    device = site.device(CONNECT, allow("Publish", "topic/t/*"))
    return device, lambda: site.policies.detach(device.policy, device)


def connect_not_in_new_version(site):
    device = site.device(CONNECT, allow("Publish", "topic/t/*"))
    return device, lambda: site.policies.add_version(device.policy,
                                                     allow("Publish", "topic/t/*"))


def connect_not_in_default_version(site):
    device = site.device(allow("Publish", "topic/t/*"))
    more = site.policies.add_version(device.policy, CONNECT, allow("Publish", "topic/t/*"))
    assert more == "2"
    return device, lambda: site.policies.set_default(device.policy, "1")


def connect_denied(site):
    device = site.device(CONNECT, allow("Publish", "topic/t/*"))
    return device, lambda: site.policies.give(device, deny("Connect", "client/d1"))


def connect_thing_detached(site):
    device = site.device(allow("Connect", "client/${iot:Connection.Thing.ThingName}"),
                         allow("Publish", "topic/t/*"))
    site.policies.create_thing("d1")
    site.policies.attach_thing("d1", device)
    return device, lambda: site.policies.detach_thing("d1", device)


def connect_attribute_changed(site):
    device = site.device(allow("Connect", "client/*", {
        "StringEquals": {"iot:Connection.Thing.Attributes[enabled]": "yes"}}),
        allow("Publish", "topic/t/*"))
    site.policies.create_thing("d1", enabled="yes")
    site.policies.attach_thing("d1", device)
    return device, lambda: site.policies.update_thing("d1", enabled="no")


def deactivated(site):
    device = site.device(CONNECT, allow("Publish", "topic/t/*"))
    return device, lambda: site.admin.update_certificate(device, "INACTIVE")


def deleted(site):
    device = site.device(CONNECT, allow("Publish", "topic/t/*"))

    def delete():
        answers = site.admin.request(
            {"command": "updateCertificate", "certificateId": device.id,
             "newStatus": "INACTIVE"},
            {"command": "deleteCertificate", "certificateId": device.id, "forceDelete": True})
        assert [a.get("error") for a in answers] == [None, None]
    return device, delete


CUTS = pytest.mark.parametrize("way", [
    connect_detached, connect_not_in_new_version, connect_not_in_default_version, connect_denied,
    connect_thing_detached, connect_attribute_changed, deactivated, deleted])


@CUTS
@VERSIONS
def test_connection_that_may_not_be_is_closed(site, way, version):
    """A client that may not connect any more is disconnected within a second; no packet that it
    sends meanwhile has an effect, nor has its will; other clients stay (contract, section 6)."""
    device, cut = way(site)
    session = site.broker.connect(device, version=version, will=("t/will", "last word"))
    other = site.connect(allow("Publish", "topic/t/*"), name="other", version=version)
    session.publish("t/1", "before")

    cut()
    session.publish("t/1", "after", qos=0)
    assert session.wait_until_closed() < AT_ONCE
    other.publish("t/1", "other")
    assert site.heard() == ["before", "other"]
    site.broker.wait_for_log("connection closed", device.id)
    assert site.broker.connect(device, version=version).refused


def test_idle_connection_is_closed(site):
    """It need not send anything for that, and nothing is delivered to it (contract, section
    6)."""
    device = site.device(CONNECT, *HEAR)
    session = site.broker.connect(device)
    assert session.subscribe("t/#")

    site.policies.detach(device.policy, device)
    site.tell("t/1", "secret")
    assert session.wait_until_closed() < AT_ONCE
    assert session.messages == []
    line = site.broker.wait_for_log("connection closed", device.id)
    assert "no policy is attached" in line


def test_of_one_certificate_the_connection_that_may_not_be(site):
    """Where a certificate has several connections, those stay that may still be (contract,
    section 6)."""
    device = site.device(CONNECT, allow("Publish", "topic/t/*"))
    one, two = (site.broker.connect(device, client_id=name) for name in ("one", "two"))

    site.policies.add_version(device.policy, allow("Connect", "client/one"),
                              allow("Publish", "topic/t/*"))
    assert two.wait_until_closed() < AT_ONCE
    one.publish("t/1", "still here")
    assert not one.closed
    assert site.heard() == ["still here"]


def test_change_that_is_taken_back_at_once(site):
    """Right, wrong and right again in one request: afterwards everything is as it was."""
    device = site.device(CONNECT, allow("Publish", "topic/t/*"))
    worse = site.policies.add_version(device.policy, NOTHING, default=False)
    session = site.broker.connect(device)
    versions = [{"command": "setDefaultPolicyVersion", "policyName": device.policy,
                 "policyVersionId": v} for v in (worse, "1")]
    for _ in range(10):
        site.admin.request(*versions)

    if session.closed:
        session = site.broker.connect(device)
    session.publish("t/1", "hello")
    assert site.heard() == ["hello"]


def test_identity_listener_too(make_site):
    """A listener that names clients by their certificate makes no difference (contract,
    section 6)."""
    site = make_site(listeners=("plain", "tls", "identity"))
    device = site.device(CONNECT, *HEAR)
    session = site.broker.connect(device, listener="identity")
    assert session.subscribe("t/#")

    site.policies.add_version(device.policy, *HEAR)
    site.tell("t/1", "secret")
    assert session.wait_until_closed() < AT_ONCE
    assert session.messages == []


def test_change_of_the_ca_leaves_policies_alone(site):
    """An inactive CA registers no devices; its ACTIVE devices keep their policies, and changes of
    these take effect as before (aws-iot A.2.3)."""
    device = site.device(CONNECT, allow("Publish", "topic/t/a"))
    session = site.broker.connect(device)
    site.admin.update_ca(site.ca, status="INACTIVE")

    session.publish("t/b", "denied")
    session.publish("t/a", "allowed")
    site.policies.add_version(device.policy, CONNECT, allow("Publish", "topic/t/b"))
    session.publish("t/a", "denied")
    session.publish("t/b", "allowed now")
    assert site.heard() == ["allowed", "allowed now"]
    assert site.broker.connect(device, client_id="again").accepted


def test_many_connections_of_one_policy(site):
    """A new default version that forbids iot:Connect closes two hundred connections in a
    few seconds, and from its answer on not one of them gets anything in or out (contract,
    section 6)."""
    shared = site.policies.create(CONNECT, allow("Publish", "topic/t/*"), *HEAR)
    none = site.policies.add_version(shared, deny("Connect", "*"), default=False)
    devices = [site.pki.device("m%d" % n, issuer=site.ca) for n in range(200)]
    site.admin.register_certificates(devices, status="ACTIVE")
    for start in range(0, len(devices), 50):
        answers = site.admin.request(*({"command": "attachPolicy", "policyName": shared,
                                        "target": d.id} for d in devices[start:start + 50]))
        assert not any("error" in answer for answer in answers)
    sessions = [site.broker.connect(device) for device in devices]
    other = site.connect(*HEAR, name="other")
    for session in [*sessions, other]:
        assert session.subscribe("t/news")

    site.policies.set_default(shared, none)
    start = time.monotonic()
    for session in sessions:
        session.publish("t/1", "contraband", qos=0)
    site.tell("t/news", "secret")
    for session in sessions:
        session.wait_until_closed()
    assert time.monotonic() - start < A_FEW_SECONDS
    assert site.heard() == ["secret"]
    assert [session.messages for session in sessions if session.messages] == []
    assert other.received() == ["secret"]


# -- for subscriptions that are older than the policy ------------------------------------

@VERSIONS
def test_durable_subscription_live(site, version):
    """An old subscription gives no right: iot:Receive is checked for each delivery
    (CVE-2021-34434)."""
    device = site.device(CONNECT, *HEAR)
    how = dict(version=version, clean=False, expiry=3600)
    session = site.broker.connect(device, **how)
    assert session.subscribe("t/#")
    site.policies.add_version(device.policy, CONNECT, allow("Receive", "topic/t/a"))

    site.tell("t/b", "b")
    site.tell("t/a", "a")
    assert session.received() == ["a"]
    session.leave()
    back = site.broker.connect(device, **how)
    site.tell("t/b", "b")
    site.tell("t/a", "a again")
    assert back.received() == ["a again"]


@pytest.mark.parametrize("restarted", [False, True], ids=["offline", "restored"])
@VERSIONS
def test_messages_that_wait(site, version, restarted):
    """A message queued while iot:Receive allowed it is not delivered once it does not, nor are
    later ones, nor after a restart of the broker (CVE-2021-34434)."""
    device = site.device(CONNECT, *HEAR)
    how = dict(version=version, clean=False, expiry=3600)
    session = site.broker.connect(device, **how)
    assert session.subscribe("t/#")
    session.leave()
    site.tell("t/a", "a")
    site.tell("t/b", "b")
    if restarted:
        site.restart()
    site.policies.add_version(device.policy, CONNECT, allow("Receive", "topic/t/a"))
    if restarted:
        site.restart()
    site.tell("t/b", "b again")
    site.tell("t/a", "a again")

    back = site.broker.connect(device, **how)
    assert back.session_present
    assert back.received() == ["a", "a again"]


@VERSIONS
def test_session_that_is_taken_over(site, version):
    """Nor are unacknowledged messages of a connection that another one displaces
    (CVE-2021-34434)."""
    device = site.device(CONNECT, *HEAR)
    how = dict(version=version, clean=False, expiry=3600)
    session = site.broker.connect(device, **how)
    assert session.subscribe("t/#", qos=1)
    site.tell("t/a", "a")  # not read, so not acknowledged
    site.policies.add_version(device.policy, CONNECT, allow("Receive", "topic/t/b"))

    back = site.broker.connect(device, **how)
    site.tell("t/b", "b")
    assert back.received() == ["b"]


# -- for what was retained ------------------------------------------------------------------

def retained_for_a_newcomer(site, topic="t/#"):
    session = site.broker.bystander()
    assert session.subscribe(topic)
    return session.received()


def withdrawn_by_version(site, device):
    site.policies.add_version(device.policy, CONNECT, allow("Publish", "topic/t/other"))


def withdrawn_retain(site, device):
    site.policies.add_version(device.policy, CONNECT, allow("Publish", "topic/t/*"))


def withdrawn_by_detaching(site, device):
    site.policies.detach(device.policy, device)


def withdrawn_by_revocation(site, device):
    site.admin.update_certificate(device, "REVOKED")


def withdrawn_by_deletion(site, device):
    site.admin.update_certificate(device, "INACTIVE")
    site.admin.delete_certificate(device, forceDelete=True)


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("withdraw", [withdrawn_by_version, withdrawn_retain,
                                      withdrawn_by_detaching, withdrawn_by_revocation,
                                      withdrawn_by_deletion])
def test_retained_message_of_a_publisher_that_lost_its_right(make_site, withdraw, restarted):
    """A later subscriber gets a retained message only as long as its publisher may publish it;
    messages of other publishers are not affected (CVE-2018-12546). The broker checks this only if
    configured, whatever its manual says about the default."""
    site = make_site(config=["check_retain_source true"])
    publish = allow(["Publish", "RetainPublish"], "topic/t/*")
    device = site.device(CONNECT, publish)
    site.broker.connect(device).publish("t/bad", "bad", retain=True)
    site.connect(publish, name="other").publish("t/good", "good", retain=True)
    assert sorted(retained_for_a_newcomer(site)) == ["bad", "good"]

    withdraw(site, device)
    if restarted:
        site.restart()
    assert retained_for_a_newcomer(site) == ["good"]


# -- names that mean something elsewhere ----------------------------------------------------

NAMES = pytest.mark.parametrize("name", ["+", "#", "*", "?", "$SYS", "a/b", "${iot:ClientId}",
                                         "+/x", "dev*"])


@NAMES
def test_client_ids_never_widen(site, name):
    """A client with the id + or * gets nothing from a policy with ${iot:ClientId}: neither topics
    of other clients nor a filter over all of them (CVE-2017-7650; aws-iot F.5)."""
    mine = "t/${iot:ClientId}/x"
    session = site.broker.connect(site.device(CONNECT, rights(mine)), client_id=name)

    assert session.accepted
    for topic in ("t/other/x", "t/devil/x", "t/a/x"):
        assert not session.subscribe(topic)
        session.publish(topic, "contraband")
    for topic in ("t/+/x", "t/#", "+/+/x", "#"):
        assert not session.subscribe(topic)
    site.tell("t/other/x", "secret")
    assert session.received() == []
    assert site.heard() == ["secret"]


@NAMES
def test_common_names_never_widen(site, name):
    """Nor does a client with such a common name (CVE-2017-7650; aws-iot F.5, F.8 row 12)."""
    mine = "t/${iot:Certificate.Subject.CommonName}/x"
    device = site.device(CONNECT, rights(mine), name=name)
    session = site.broker.connect(device, client_id="c1")

    assert session.accepted
    for topic in ("t/other/x", "t/devil/x", "t/a/x"):
        assert not session.subscribe(topic)
        session.publish(topic, "contraband")
    for topic in ("t/+/x", "t/#", "+/+/x", "#"):
        assert not session.subscribe(topic)
    site.tell("t/other/x", "secret")
    assert session.received() == []
    assert site.heard() == ["secret"]


@pytest.mark.parametrize("name", ["*", "dev*", "?", "+", "#", "$SYS"])
def test_common_names_admit_no_other_client(site, name):
    """client/${iot:Certificate.Subject.CommonName} with a common name of wildcards admits
    no client id at all (aws-iot F.8 row 12)."""
    device = site.device(allow("Connect", "client/${iot:Certificate.Subject.CommonName}"),
                         name=name)

    for client_id in (name, "d", "devil", "d1"):
        assert site.broker.connect(device, client_id=client_id).refused


@pytest.mark.parametrize("user", ["+", "#", "*", "admin", "$SYS", "bystander"])
def test_user_names_give_nothing(site, user):
    """A device is identified by its certificate, whatever user name it sends (CVE-2017-7650;
    contract, section 6)."""
    device = site.device(CONNECT, allow("Publish", "topic/t/${iot:CertificateId}"))
    session = site.broker.connect(device, user=user, password="not a secret")

    assert session.accepted and not session.subscribe("t/#")
    session.publish("t/" + user if user not in "+#" else "t/x", "contraband")
    session.publish("t/" + device.id, "its own")
    assert site.heard() == ["its own"]


# -- nothing said ------------------------------------------------------------------------------

def test_empty_policy_allows_nothing(site):
    """A policy without statements does not let connect, and beside one that does allows
    nothing more (CVE-2018-12550)."""
    device = site.device()
    site.policies.attach(site.policies.create(), device)
    assert site.broker.connect(device).refused

    site.policies.give(device, CONNECT)
    session = site.broker.connect(device)
    assert session.accepted and not session.subscribe("t/#")
    session.publish("t/1", "contraband")
    site.tell("t/1", "secret")
    assert session.received() == []
    assert site.heard() == ["secret"]


def test_version_without_statements_takes_everything_away(site):
    """The same for a later version of a policy (CVE-2018-12550)."""
    device = site.device(CONNECT, allow("Publish", "topic/t/*"))
    session = site.broker.connect(device)
    site.policies.add_version(device.policy)
    session.publish("t/1", "contraband", qos=0)
    assert session.wait_until_closed() < AT_ONCE
    assert site.heard() == []
