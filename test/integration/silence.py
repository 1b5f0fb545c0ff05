# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Proof that nothing happened, without waiting for it not to happen."""
import itertools

_numbers = itertools.count(1)


def assert_silent(events):
    """Nothing was announced that this session has not heard: the next event is
    that of a device made for this question.  The session hears every CA."""
    broker = events.broker
    admin = broker.admin()
    ca = broker.pki.ca("canary CA %d" % next(_numbers))
    admin.register_ca(ca)
    canary = broker.pki.device("canary", issuer=ca)
    broker.connect(canary)
    assert events.next()["certificateId"] == canary.id
