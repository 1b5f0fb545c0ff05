# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Fixtures of the integration tests: a broker, an administrator, certificates."""
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from broker import PLUGIN, Broker, DidNotStart, lasting_broker, new_directory  # noqa: E402
from command_line import CommandLine  # noqa: E402
from disk import make_small_disk  # noqa: E402,F401
from pki import Pki  # noqa: E402
from policies import make_site, site  # noqa: E402,F401


def pytest_sessionstart(session):
    if not PLUGIN.exists():
        pytest.exit("%s is not there: set JITR_BUILD_DIR to a build" % PLUGIN, returncode=2)


def pytest_collection_modifyitems(items):
    """With JITR_FIRST_ROWS=1 only the first case of each table runs, for slow builds."""
    if os.environ.get("JITR_FIRST_ROWS") == "1":
        first = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
        kept = set(first.values())
        items[:] = [item for item in items if item in kept]


@pytest.fixture(scope="session")
def pki():
    """Certificate authorities and devices."""
    directory = new_directory()
    yield Pki(directory)
    shutil.rmtree(directory)


@pytest.fixture
def directory():
    """A directory of the test."""
    path = new_directory()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_broker(directory, pki):
    """Brokers with special configurations, not started yet; checked at the end."""
    made = []

    def make(**how):
        home = directory / ("broker%d" % len(made))
        home.mkdir()
        made.append(Broker(home, pki, **how))
        return made[-1]

    yield make
    try:
        for broker in made:
            broker.clean_up()
    finally:
        for broker in made:
            broker.discard()


@pytest.fixture
def start_broker(make_broker):
    """Brokers with special configurations."""
    return lambda **how: make_broker(**how).start()


@pytest.fixture
def broker(start_broker):
    """The broker of most tests."""
    return start_broker()


@pytest.fixture(scope="module")
def shared_broker(pki):
    """A broker for all tests of a file, each with CAs of its own."""
    with lasting_broker(pki, plugin={"announce_interval": 0, "other_clients": "allow"}) as made:
        yield made


@pytest.fixture(scope="module")
def policy_broker(pki):
    """The same with authorization by policies."""
    options = {"authorization": "policy", "other_clients": "allow", "announce_interval": 0}
    with lasting_broker(pki, plugin=options) as made:
        yield made


@pytest.fixture
def admin(broker):
    """An administrator of the broker."""
    return broker.admin()


@pytest.fixture
def factory(admin, pki):
    """A registered CA that is active and registers its devices automatically."""
    ca = pki.ca("factory")
    admin.register_ca(ca)
    return ca


@pytest.fixture(params=["module", "program"])
def cli(request, broker, directory):
    """The command line in both of its forms."""
    return CommandLine(broker, request.param, directory)


@pytest.fixture
def refuses_to_start(make_broker):
    """The log of a broker that must end at once."""

    def refuse(**how):
        broker = make_broker(**how)
        with pytest.raises(DidNotStart) as refusal:
            broker.start()
        broker.process = None
        assert refusal.value.status not in (0, None) and refusal.value.status > 0
        return refusal.value.log

    return refuse
