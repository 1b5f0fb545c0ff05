# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Proof that nothing happened, without waiting for a time to pass."""
import itertools

_numbers = itertools.count(1)


def assert_silent(events):
    """No event is outstanding for this session: its next event is that of a device made for this
    check. The session receives events of every CA."""
    broker = events.broker
    admin = broker.admin()
    ca = broker.pki.ca("canary CA %d" % next(_numbers))
    admin.register_ca(ca)
    canary = broker.pki.device("canary", issuer=ca)
    broker.connect(canary)
    assert events.next()["certificateId"] == canary.id
