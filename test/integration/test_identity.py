# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A client is the connection that proved a certificate or a checked user name: no text that it
brings along, as user name, client id or PSK identity, gives it the rights of another one
(contract, section 6: rights follow a connection)."""
import contextlib
import json
import subprocess
import time

import pytest

from admin import ADMIN, CONTROL, EVENTS, PASSWORD, Admin, AwsError
from broker import environment, installed_version, program
from device import MQTT_5
from policies import CONNECT, allow
from test_only_active import AT_ONCE, VERSIONS, heard, make
from trust import trust

IDENTITY = ("plain", "tls", "identity", "identity-websockets")


@pytest.fixture
def ca(pki):
    return pki.ca("factory")


@pytest.fixture(params=["defer", "allow"])
def identity(start_broker, ca, request):
    """Listeners that name clients by their certificate; the witness may receive t/#."""
    acl = "user bystander\ntopic readwrite #\n"
    broker = start_broker(listeners=IDENTITY, websockets_trust=[ca], acl=acl,
                          plugin={"other_clients": request.param})
    broker.admin().register_ca(ca)
    return broker


@pytest.fixture
def witness(identity):
    session = identity.bystander()
    assert session.subscribe("t/#")
    return session


def vanish_with_will(broker, device, delay, **how):
    """It connects with a will and vanishes."""
    session = broker.connect(device, version=MQTT_5, will=("t/will", "forged"), will_delay=delay,
                             expiry=delay + 10 if delay else None, **how)
    session.vanish()
    return session


# -- wills ------------------------------------------------------------------------

@pytest.mark.parametrize("delay", [0, 1], ids=["at once", "delayed"])
@pytest.mark.parametrize("listener", ["identity", "identity-websockets"])
@pytest.mark.parametrize("named", ["like an active device", "otherwise"])
def test_will_of_a_certificate_that_was_never_active(identity, pki, ca, witness, listener, delay,
                                                     named):
    """use_identity_as_username skips the connect check, and the user name may be the id of an
    active certificate: no will is published, at once or delayed (mosquitto section 0, 6 and 11)."""
    victim = make(identity.admin(), pki, ca, "ACTIVE", "victim")
    attacker = pki.device(victim.id if named == "like an active device" else "x", issuer=ca)
    vanish_with_will(identity, attacker, delay, listener=listener)
    good = identity.connect(victim, version=MQTT_5, will=("t/will", "good"), will_delay=2,
                            expiry=10)
    good.vanish()
    assert witness.next_message().payload == b"good"  # it is due later
    assert heard(witness) == []


@pytest.mark.parametrize("delay", [0, 1], ids=["at once", "delayed"])
def test_will_of_an_active_certificate_on_an_identity_listener(identity, pki, ca, witness, delay):
    """An ACTIVE one may leave a will there as anywhere."""
    device = make(identity.admin(), pki, ca, "ACTIVE")
    vanish_with_will(identity, device, delay, listener="identity")
    assert witness.next_message().payload == b"forged"


def test_will_after_a_reload_is_not_that_of_the_name(make_site):
    """SIGHUP gives a client of an identity listener the name of its certificate again, even if
    that is the id of another one.  Its delayed will has the rights of its own certificate
    (mosquitto section 0, 1 and 6)."""
    site = make_site(listeners=("plain", "tls", "identity"))
    victim = site.device(CONNECT, allow("Publish", "topic/t/victim"), name="victim")
    attacker = site.device(CONNECT, allow("Publish", "topic/t/other"), name=victim.id)
    assert site.witness
    for topic in ("t/victim", "t/other"):
        session = site.broker.connect(attacker, listener="identity", client_id="attacker",
                                      version=MQTT_5, will=(topic, "will"), will_delay=1, expiry=10)
        site.broker.reload()
        session.vanish()
    good = site.broker.connect(victim, version=MQTT_5, will=("t/victim", "good"), will_delay=2,
                               expiry=10)
    good.vanish()
    assert site.witness.next_message().payload == b"good"
    assert site.heard() == []


# -- SIGHUP -------------------------------------------------------------------------

@VERSIONS
def test_deactivated_after_a_reload(identity, pki, ca, version):
    """A client is found and closed although SIGHUP has changed its name (mosquitto section 0,
    1)."""
    admin = identity.admin()
    device = make(admin, pki, ca, "ACTIVE", "sensor")
    session = identity.connect(device, listener="identity", version=version)
    assert session.subscribe("t/x")
    identity.reload()
    admin.update_certificate(device, "INACTIVE")
    assert session.wait_until_closed() < AT_ONCE


def test_name_of_another_after_a_reload_is_closed(identity, pki, ca):
    """A certificate with the id of another one as its common name is closed when SIGHUP gives the
    client that name: an acl_file would take it for the other one (mosquitto section 0, 1)."""
    admin = identity.admin()
    victim = make(admin, pki, ca, "ACTIVE", "victim")
    attacker = make(admin, pki, ca, "ACTIVE", victim.id)
    session = identity.connect(attacker, listener="identity", client_id="attacker")
    session.publish("t/1", "x")
    session.wait_until_closed()
    identity.wait_for_log("connection", "NOT_AUTHENTICATED")


# -- names that others check ---------------------------------------------------------

def test_password_user_named_like_a_certificate(start_broker, pki, ca):
    """With unknown_ca defer a certificate of another CA is left to the password file: not with
    the name of a registered certificate (contract, section 6)."""
    stranger = pki.ca("another factory")
    victim = pki.device("victim", issuer=ca)
    broker = start_broker(plugin={"unknown_ca": "defer", "other_clients": "defer"},
                          users=[victim.id])
    admin = broker.admin()
    admin.register_ca(ca)
    admin.activate(victim)
    trust(broker, stranger)
    device = pki.device("x", issuer=stranger)
    assert broker.connect(device, user=victim.id, password=PASSWORD).refused
    broker.wait_for_log("connection refused", "NOT_AUTHENTICATED")
    assert broker.connect(device, user="bystander", password=PASSWORD).accepted


KEY = "00112233445566778899aabbccddeeff"


def run_psk(broker, name, *words):
    """mosquitto_pub with a pre-shared key."""
    return subprocess.run(
        [program("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(broker.ports["psk"]),
         "--psk", KEY, "--psk-identity", name, "--tls-version", "tlsv1.2", *words], env=environment(),
        capture_output=True, text=True, timeout=30)


@contextlib.contextmanager
def listen_psk(broker, name, client_id, topic, clean):
    """mosquitto_sub with a pre-shared key; yields a function that ends it and returns its
    messages."""
    heard = []
    with subprocess.Popen(
            [program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(broker.ports["psk"]), "--psk",
             KEY, "--psk-identity", name, "--tls-version", "tlsv1.2", "-i", client_id, "-q", "1",
             *([] if clean else ["-c"]), "-t", topic, "-W", "2"], env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        time.sleep(0.5)
        yield lambda: heard[0]
        heard.append(process.communicate()[0])


@pytest.mark.parametrize("others", ["defer", "allow"])
def test_psk_identity_like_a_certificate(start_broker, pki, ca, others):
    """A PSK identity that equals the id of a certificate has not its rights, neither when it
    publishes nor by a will (mosquitto section 1)."""
    victim = pki.device("victim", issuer=ca)
    broker = start_broker(listeners=("plain", "tls", "psk"), psk={victim.id: KEY, "meter": KEY},
                          plugin={"other_clients": others},
                          acl="user bystander\ntopic readwrite #\nuser meter\ntopic write t/#\n")
    admin = broker.admin()
    admin.register_ca(ca)
    admin.activate(victim)
    session = broker.connect(victim)
    assert session.accepted
    session.leave()
    witness = broker.bystander()
    assert witness.subscribe("t/#")
    for version in ("mqttv311", "mqttv5"):
        run_psk(broker, victim.id, "-t", "t/1", "-m", "forged", "-q", "1", "-V", version)
    run_psk(broker, "meter", "-t", "t/2", "-m", "metered", "-q", "1")
    assert witness.next_message().payload == b"metered"
    assert heard(witness) == []


@pytest.fixture
def keyed(start_broker, pki, ca):
    """A broker with pre-shared keys for the id of an ACTIVE certificate, which follows as a
    device, and for an administrator's name."""
    victim = pki.device("victim", issuer=ca)
    broker = start_broker(listeners=("plain", "tls", "psk"), psk={victim.id: KEY, ADMIN: KEY},
                          plugin={"other_clients": "defer"},
                          acl="user bystander\ntopic readwrite #\n")
    broker.admin().register_ca(ca)
    broker.admin().activate(victim)
    broker.wait_for_log("psk_file has identities")
    return broker, victim


@pytest.mark.parametrize("how", [dict(version=MQTT_5), dict(version=MQTT_5, expiry=1),
                                 dict(clean=False), dict()],
                         ids=["5", "5 that expires", "3 that persists", "3"])
@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_key_at_the_address_of_one_that_left(keyed, how, version):
    """A client with a pre-shared key connects right after the certificate with its identity has
    disconnected, with the same client id, so that the broker may use the same memory for it: it
    does not get the rights that are kept for the will (net.c, psk_server_callback())."""
    broker, victim = keyed
    witness = broker.bystander()
    assert witness.subscribe("t/#")
    for turn in range(6):
        session = broker.connect(victim, client_id="victim", **how)
        assert session.accepted
        session.leave() if turn % 2 else session.vanish()
        if "expiry" in how:
            time.sleep(1.2)
        for _ in range(2):
            run_psk(broker, victim.id, "-i", "victim", "-t", "t/1", "-m", "forged", "-q", "1",
                    "-V", version)
    assert heard(witness) == []


@pytest.mark.parametrize("clean", [True, False], ids=["new", "resumed"])
def test_key_at_the_address_of_one_that_left_hears_nothing(keyed, clean):
    """Nor does it receive messages on its own subscriptions or those of the other one."""
    broker, victim = keyed
    witness = broker.bystander()
    for _ in range(6):
        for _ in range(2):
            session = broker.connect(victim, client_id="victim", version=MQTT_5, clean=clean,
                                     expiry=None if clean else 60)
            assert session.accepted and session.subscribe("t/secret")
            session.leave()
        with listen_psk(broker, victim.id, "victim", "t/secret", clean) as words:
            witness.publish("t/secret", "a secret")
        assert "a secret" not in words()


def test_key_at_the_address_of_an_administrator_that_left(keyed, pki, ca):
    """Nor do names that pre-shared keys prove make administrators so."""
    broker, _ = keyed
    for number in range(6):
        broker.admin(client_id="operator", version=MQTT_5).session.leave()
        with listen_psk(broker, ADMIN, "operator", EVENTS + "#", True) as words:
            broker.connect(pki.device("d%d" % number, issuer=ca))
        assert "certificateId" not in words()


def test_anonymous_client_with_the_name_of_an_administrator(start_broker):
    """Where anonymous clients are welcome, a user name that nothing checked is refused."""
    broker = start_broker(anonymous=True, plugin={"other_clients": "allow"})
    assert broker.connect(None, listener="plain", user=ADMIN).refused


# -- listeners without the plugin -----------------------------------------------------

@pytest.mark.skipif(installed_version() < (2, 1), reason="plugin_load came with 2.1")
def test_plugin_on_every_listener(start_broker, pki, ca):
    """plugin_load once and plugin_use on every listener: one plugin serves all. The password file
    of the whole broker is asked before plugins of a listener, so the plugin does not see which user
    name was verified, and none is an administrator (plugin_basic_auth.c)."""
    operator = pki.device("operator", issuer=ca)
    broker = start_broker(plugin_use=("plain", "tls"),
                          plugin={"admin_certificates": operator.id})
    session = broker.connect(None, listener="plain", user=ADMIN, password=PASSWORD)
    with pytest.raises(AwsError, match="AccessDenied"):
        Admin(broker, session).registration_code()
    assert broker.connect(pki.device("d1", issuer=ca)).turned_away


# -- answers ---------------------------------------------------------------------------

@VERSIONS
def test_answer_does_not_go_to_a_connection_that_took_the_client_id(make_site, version):
    """The broker sends an answer to the present connection of the client id: a device that takes
    the id over meanwhile receives nothing (loop.c, queue_plugin_msgs())."""
    site = make_site()
    thief = site.device(CONNECT, name="thief")
    request = {"commands": [{"command": "getRegistrationCode"}, {"command": "listPolicies"},
                            {"command": "createThing", "thingName": "t"}] * 10}
    stolen = []
    for _ in range(10):
        asker = site.broker.connect(None, listener="plain", user=ADMIN, password=PASSWORD,
                                    client_id="asker", version=version)
        assert asker.accepted
        asker.publish(CONTROL, json.dumps(request), qos=0)
        session = site.broker.connect(thief, client_id="asker", version=version)
        if session.accepted:
            session.received()
            stolen += [m.topic for m in session.messages]
        session.leave()
        asker.leave()
    assert stolen == []


@VERSIONS
def test_restart_does_not_lose_what_an_administrator_subscribed_to(start_broker, pki, ca, version):
    """A session restored from disk receives events, because its subscription was checked when it
    was made (mosquitto section 0, 11)."""
    broker = start_broker()
    broker.admin().register_ca(ca)
    how = dict(client_id="rule", version=version, clean=False, expiry=3600)
    session = broker.admin(**how).session
    assert session.subscribe(EVENTS + "+")
    session.leave()
    broker.restart()
    assert broker.connect(pki.device("d1", issuer=ca)).refused
    broker.wait_for_log("certificate registered")
    broker.admin().settle()
    again = broker.admin(**how).session
    assert json.loads(again.next_message().payload)["certificateStatus"] == "PENDING_ACTIVATION"
