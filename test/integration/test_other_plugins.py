# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Other plugins before and behind this one: the first decision is final, and without any decision
the broker's own answer applies (mosquitto sections 1 and 7)."""
import pytest

import raw
from broker import neighbour
from device import MQTT_5, NOT_AUTHORISED
from test_only_active import NOT_ACTIVE, VERSIONS, heard, make
from trust import trust

SUCCESS, DENIED = 0, 12


@pytest.fixture
def make_place(start_broker, pki):
    """A broker with another plugin, a CA, and a witness of messages below t/."""
    class Place:
        def __init__(self, **how):
            self.broker = start_broker(**{"plugin": {"other_clients": "allow"}, **how})
            self.admin, self.ca = self.broker.admin(), pki.ca("factory")
            self.admin.register_ca(self.ca)
            self.witness = self.broker.bystander()
            assert self.witness.subscribe("t/#")

        def device(self, status):
            return make(self.admin, pki, self.ca, status)

    return Place


@NOT_ACTIVE
def test_plugin_before_that_defers(make_place, status):
    """It changes nothing: this plugin is asked next."""
    place = make_place(before=neighbour())
    assert place.broker.connect(place.device(status)).refused


def test_plugin_before_that_defers_lets_active_in(make_place):
    place = make_place(before=neighbour())
    session = place.broker.connect(place.device("ACTIVE"))
    assert session.accepted
    session.publish("t/1", "hello")
    assert heard(place.witness) == ["hello"]


@VERSIONS
@NOT_ACTIVE
def test_plugin_before_that_admits_every_client(start_broker, pki, status, version):
    """This plugin is not asked about the connection; it sees the client at the first packet, denies
    that, and closes the connection."""
    broker = start_broker(plugin={"other_clients": "allow"})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, status)
    broker.lines_before = neighbour(connect=SUCCESS)
    broker.restart()
    witness = broker.bystander()
    assert witness.subscribe("t/#")

    session = broker.connect(device, version=version)
    session.publish("t/1", "contraband", qos=0)
    session.wait_until_closed()
    assert heard(witness) == []
    broker.wait_for_log("connection refused", device.id)


@NOT_ACTIVE
def test_plugin_behind_that_admits_no_client(make_place, status):
    """A refusal by this plugin is final."""
    place = make_place(config=neighbour(connect=SUCCESS))
    assert place.broker.connect(place.device(status)).refused


def test_plugin_behind_answers_for_clients_without_certificate(make_place):
    """Those are left to it with `other_clients defer`."""
    place = make_place(plugin={"other_clients": "defer"}, config=neighbour(connect=SUCCESS,
                                                                           access=SUCCESS))
    assert place.broker.connect(None, listener="plain", user="user", password="x").accepted


@NOT_ACTIVE
def test_plugin_that_offers_extended_authentication(make_place, status):
    """It would admit any certificate; this plugin refuses before it (mosquitto section 0, 6, and
    section 1)."""
    place = make_place(config=neighbour(extended=SUCCESS))
    packet = raw.connect_packet("d1", version=5, method="METHOD")
    device = place.device(status)
    assert raw.answer_to(place.broker, device, packet)[3] == NOT_AUTHORISED[MQTT_5]


def test_active_certificate_by_extended_authentication(make_place):
    """A client with an ACTIVE certificate is admitted by the plugin that offers the method."""
    place = make_place(config=neighbour(extended=SUCCESS))
    packet = raw.connect_packet("d1", version=5, method="METHOD")
    assert raw.answer_to(place.broker, place.device("ACTIVE"), packet)[3] == 0


def test_plugin_behind_that_denies_access(make_place):
    """With `authorization defer` it decides; this plugin has neither allowed nor denied."""
    place = make_place(plugin={"authorization": "defer", "other_clients": "allow"},
                       config=neighbour(access=DENIED))
    session = place.broker.connect(place.device("ACTIVE"))
    assert session.accepted
    assert not session.subscribe("t/1")


def test_plugin_behind_that_allows_access(make_place):
    """It cannot allow topics that are reserved to this plugin (mosquitto section 7)."""
    place = make_place(plugin={"authorization": "defer", "other_clients": "allow"},
                       config=neighbour(access=SUCCESS))
    listener = place.admin.listen("$aws/events/#")
    session = place.broker.connect(place.device("ACTIVE"))
    session.publish("$aws/events/anything", "forged")
    session.publish("t/1", "hello")
    assert heard(place.witness)[-1:] == ["hello"]
    assert listener.received() == []


def test_unknown_ca_left_to_others_needs_one_that_agrees(start_broker, pki):
    """`unknown_ca defer`: without a decision of another plugin the broker requires a user name, and
    has no users (mosquitto section 0, 8)."""
    broker = start_broker(plugin={"unknown_ca": "defer", "other_clients": "allow"})
    stranger = pki.ca("stranger")
    trust(broker, stranger)
    assert not broker.connect(pki.device("d1", issuer=stranger)).accepted
