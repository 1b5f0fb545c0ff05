# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A client that takes over a client id gets the stored session of another certificate; its
subscriptions are checked then (aws-iot F.2: iot:Subscribe is checked for each filter)."""
import pytest

from device import MQTT_3_1_1, MQTT_5
from policies import CONNECT, allow

HEARS = allow("Receive", "topic/*")
EVERYTHING = (CONNECT, HEARS, allow("Subscribe", "topicfilter/*"))
LITTLE = (CONNECT, HEARS, allow("Subscribe", ["topicfilter/t/ok", "topicfilter/round/*"]))

VERSIONS = pytest.mark.parametrize("how", [
    dict(version=MQTT_3_1_1), dict(version=MQTT_5, expiry=3600)], ids=["3.1.1", "5"])


class Takeover:
    """One client id, two certificates."""

    def __init__(self, site, how):
        self.site = site
        self.how = dict(client_id="shared", clean=False, **how)
        self.first = site.device(*EVERYTHING, name="first")
        self.second = site.device(*LITTLE, name="second")

    def connect(self, device, **more):
        session = self.site.broker.connect(device, **{**self.how, **more})
        assert session.accepted
        return session

    def begin(self):
        session = self.connect(self.first)
        assert session.subscribe("t/secret") and session.subscribe("t/ok")
        assert session.subscribe("$share/g/t/secret")
        return session

    def hears(self, session):
        for topic in ("t/secret", "t/ok"):
            self.site.tell(topic, topic)
        return session.received()


@pytest.fixture
def takeover(site, how):
    return Takeover(site, how)


@VERSIONS
@pytest.mark.parametrize("state", ["offline", "live"])
def test_subscriptions_are_judged_at_takeover(takeover, state):
    """The client of the other certificate is closed once; when it comes back it has the
    subscriptions that its policies allow, and it stays."""
    session = takeover.begin()
    if state == "offline":
        session.leave()
    taken = takeover.connect(takeover.second)
    taken.wait_until_closed()
    takeover.site.broker.wait_for_log("session taken over", takeover.second.id,
                                      takeover.first.id)
    again = takeover.connect(takeover.second)
    assert again.session_present
    assert takeover.hears(again) == ["t/ok"]
    assert takeover.hears(again)[-1:] == ["t/ok"] and not again.closed


@VERSIONS
def test_own_session_is_resumed(takeover):
    """The same certificate again is no takeover."""
    takeover.begin().leave()
    session = takeover.connect(takeover.first)
    assert session.session_present
    assert sorted(takeover.hears(session))[:1] == ["t/ok"] and not session.closed


@VERSIONS
def test_clean_start_takes_nothing_over(takeover):
    """A clean start ends the session that there was: there is nothing to judge."""
    takeover.begin().leave()
    session = takeover.connect(takeover.second, clean=True)
    assert takeover.hears(session) == [] and not session.closed


@VERSIONS
def test_takeover_after_a_reload(takeover):
    """SIGHUP changes nothing of that."""
    takeover.begin().leave()
    takeover.site.broker.reload()
    takeover.connect(takeover.second).wait_until_closed()
