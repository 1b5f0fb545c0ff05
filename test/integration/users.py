# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Users of this machine."""
import os
import pwd

import pytest


def ordinary_user():
    """A user for the broker, so that file permissions matter; None: the present one."""
    if os.geteuid() != 0:
        return None
    for name in ("mosquitto", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("no ordinary user to run the broker as")
