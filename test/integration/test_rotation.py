# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Successive certificates of one thing: the thing stays, and with "supersede" in the rule of the CA
its older certificates become INACTIVE some time after a newer one is ACTIVE."""
import json
import time

import pytest

from policies import allow, document
from wait import until

NAMED_BY_CERTIFICATE = "${iot:Certificate.Subject.CommonName}"
SUPERSEDED = "superseded by a newer certificate of its thing"


class Works:
    """A CA with a rule that attaches each certificate to the thing in its name."""

    def __init__(self, broker, supersede, **members):
        self.broker, self.pki = broker, broker.pki
        self.admin = broker.admin()
        self.ca = self.make_ca("factory", supersede, **members)

    def make_ca(self, name, supersede, **members):
        ca = self.pki.ca(name)
        rule = {"thing": NAMED_BY_CERTIFICATE, **members}
        if supersede is not None:
            rule["supersede"] = supersede
        self.admin.register_ca(ca, activation=json.dumps(rule))
        return ca

    def certificate(self, thing="sensor", ca=None):
        return self.pki.device(thing, issuer=ca or self.ca)

    def connect(self, device, **how):
        """A first connection, by which the rule activates it."""
        session = self.broker.connect(device, **how)
        assert session.accepted
        assert self.admin.status(device) == "ACTIVE"
        return session

    def retired(self, device):
        """Its description, as soon as it is INACTIVE."""
        until(lambda: self.admin.status(device) == "INACTIVE", "%r to be superseded" % device)
        return self.admin.describe_certificate(device)

    def pass_the_time(self, ca=None):
        """Everything due before now is done: so is a later entry, of a thing made for this
        check."""
        first, second = (self.certificate("canary", ca) for _ in range(2))
        self.connect(first, client_id="canary 1").leave()
        self.connect(second, client_id="canary 2").leave()
        self.retired(first)


@pytest.fixture
def make_works(start_broker):
    return lambda supersede, **members: Works(start_broker(), supersede, **members)


# -- the thing -----------------------------------------------------------------------

def test_thing_keeps_its_identity_over_its_certificates(start_broker):
    """A renewed certificate belongs to the same thing, with its id, its attributes and the rights
    that policies give to its name, without a command."""
    broker = start_broker(plugin={"authorization": "policy"})
    admin = broker.admin()
    admin.create_policy("device", document(
        allow("Connect", "client/${iot:Connection.Thing.ThingName}"),
        allow("Publish", "topic/${iot:Connection.Thing.ThingName}/"
                         "${iot:Connection.Thing.Attributes[floor]}")))
    works = Works(broker, 3600, policies=["device"])
    old, new = works.certificate(), works.certificate()
    works.connect(old).leave()
    before = admin.call("describeThing", thingName="sensor")
    admin.call("updateThing", thingName="sensor",
               attributePayload={"attributes": {"floor": "2"}})

    session = works.connect(new)
    session.publish("sensor/2")
    after = admin.call("describeThing", thingName="sensor")
    assert (after["thingId"], after["attributes"]) == (before["thingId"], {"floor": "2"})
    principals = admin.call("listThingPrincipals", thingName="sensor")["principals"]
    assert {p.rsplit("/", 1)[1] for p in principals} == {old.id, new.id}
    assert broker.log_lines("publish denied") == []
    session.publish("sensor/3")
    broker.wait_for_log("publish denied", new.id)


# -- the end of the old one -------------------------------------------------------------

def test_older_certificate_becomes_inactive_after_the_grace_time(make_works):
    """So many seconds after the new one became ACTIVE the old one is INACTIVE, its record has the
    reason and the new id, its connection is closed, and it is not admitted any more; the new one
    stays connected."""
    works = make_works(2)
    old, new = works.certificate(), works.certificate()
    old_session = works.connect(old, client_id="old")
    new_session = works.connect(new, client_id="new")
    activated = works.admin.describe_certificate(new)["creationDate"]

    old_session.wait_until_closed()
    description = works.retired(old)
    reason = description["statusReason"]
    assert reason["date"] - activated >= 2
    assert description["lastModifiedDate"] == pytest.approx(reason["date"], abs=0.01)
    assert (reason["details"], reason["successorCertificateId"]) == (SUPERSEDED, new.id)
    works.broker.wait_for_log("certificate inactive", 'reason="%s"' % SUPERSEDED, old.id)
    works.broker.wait_for_log("connection closed", "code=DEVICE_CERTIFICATE_INACTIVE", old.id)
    assert works.broker.connect(old, client_id="old").refused
    new_session.publish("t/alive")
    assert not new_session.closed
    assert works.admin.status(new) == "ACTIVE"


def test_grace_of_zero_ends_the_old_certificate_at_once(make_works):
    """With 0 there is no time in which both are admitted."""
    works = make_works(0)
    old, new = works.certificate(), works.certificate()
    session = works.connect(old, client_id="old")
    works.connect(new, client_id="new")

    session.wait_until_closed()
    assert works.retired(old)["statusReason"]["successorCertificateId"] == new.id


def test_without_supersede_both_stay(make_works):
    """A rule without it changes no older certificate."""
    works = make_works(None)
    strict = works.make_ca("strict factory", 0)
    old, new = works.certificate(), works.certificate()
    works.connect(old, client_id="old")
    works.connect(new, client_id="new")
    works.pass_the_time(strict)
    assert works.admin.status(old) == works.admin.status(new) == "ACTIVE"


def test_each_of_a_series_ends_the_one_before(make_works):
    """The newest stays, however many came before."""
    works = make_works(1)
    series = [works.certificate() for _ in range(4)]
    for n, device in enumerate(series):
        works.connect(device, client_id="series %d" % n)
    for device in series[:-1]:
        reason = works.retired(device)["statusReason"]
        assert reason["successorCertificateId"] in {d.id for d in series[1:]} - {device.id}
    works.pass_the_time()
    assert works.admin.status(series[-1]) == "ACTIVE"


def test_only_active_certificates_of_the_same_thing_end(make_works):
    """Certificates of other things stay, and those of this thing that are not ACTIVE keep their
    status and reason."""
    works = make_works(0)
    other = works.certificate("other")
    works.connect(other, client_id="other")
    revoked = works.certificate()
    works.connect(revoked, client_id="revoked")
    works.admin.update_certificate(revoked, "REVOKED")

    works.connect(works.certificate(), client_id="new")
    works.pass_the_time()
    assert works.admin.status(other) == "ACTIVE"
    description = works.admin.describe_certificate(revoked)
    assert description["status"] == "REVOKED"
    assert "statusReason" not in description


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED", "deleted"])
def test_old_one_stays_if_the_new_one_is_no_good(make_works, status):
    """A device must not lose both: a certificate that is not ACTIVE at that time supersedes
    none."""
    works = make_works(2)
    old, new = works.certificate(), works.certificate()
    session = works.connect(old, client_id="old")
    works.connect(new, client_id="new").leave()
    works.admin.update_certificate(new, "REVOKED" if status == "REVOKED" else "INACTIVE")
    if status == "deleted":
        works.admin.call("detachThingPrincipal", thingName="sensor", principal=new.id)
        works.admin.delete_certificate(new)

    works.pass_the_time()
    description = works.admin.describe_certificate(old)
    assert description["status"] == "ACTIVE"
    assert "successorCertificateId" not in description.get("statusReason", {})
    session.publish("t/alive")
    assert not session.closed


def test_new_one_that_is_good_again_in_time(make_works):
    """The status at the due time decides."""
    works = make_works(2)
    old, new = works.certificate(), works.certificate()
    works.connect(old, client_id="old")
    works.connect(new, client_id="new").leave()
    works.admin.update_certificate(new, "INACTIVE")
    works.admin.update_certificate(new, "ACTIVE")
    assert works.retired(old)["statusReason"]["successorCertificateId"] == new.id


@pytest.mark.parametrize("down", [False, True], ids=["before the time", "over the time"])
def test_superseding_is_done_after_a_restart(make_works, down):
    """What becomes due after a restart is done then; what became due while the broker was down is
    done at the start."""
    works = make_works(2)
    old, new = works.certificate(), works.certificate()
    works.connect(old, client_id="old")
    works.connect(new, client_id="new")
    due = works.admin.describe_certificate(new)["creationDate"] + 2
    works.broker.stop()
    if down:
        until(lambda: time.time() > due, "the time to come")
    works.broker.start()
    works.admin = works.broker.admin()

    reason = works.retired(old)["statusReason"]
    assert reason["successorCertificateId"] == new.id
    assert reason["date"] >= due
    assert works.broker.connect(old, client_id="old").refused
    assert works.broker.connect(new, client_id="new").accepted


def test_activation_by_command_supersedes_as_by_the_rule(make_works):
    """A certificate that an administrator attaches and activates supersedes too: the setting is the
    CA's."""
    works = make_works(0)
    old, new = works.certificate(), works.certificate()
    works.connect(old, client_id="old")
    works.admin.register_certificate(new, status="INACTIVE")
    works.admin.attach_thing("sensor", new)
    works.pass_the_time()
    assert works.admin.status(old) == "ACTIVE"

    works.admin.update_certificate(new, "ACTIVE")
    assert works.retired(old)["statusReason"]["successorCertificateId"] == new.id


def test_old_certificate_that_is_activated_again_stays(make_works):
    """An old certificate can be activated again: it supersedes no newer one, is not superseded a
    second time by the same one, and its reason is cleared."""
    works = make_works(0)
    old, new = works.certificate(), works.certificate()
    works.connect(old, client_id="old")
    works.connect(new, client_id="new")
    works.retired(old)
    works.admin.update_certificate(old, "ACTIVE")
    works.pass_the_time()

    description = works.admin.describe_certificate(old)
    assert description["status"] == works.admin.status(new) == "ACTIVE"
    assert "statusReason" not in description
    assert works.broker.connect(old, client_id="old").accepted
