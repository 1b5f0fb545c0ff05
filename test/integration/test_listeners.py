# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Unusual listeners: with settings of their own, for HTTP, and without user names (mosquitto
section 0, 8, 12, 13 and 15, and section 12)."""
import base64
import threading
import time
import urllib.error
import urllib.request

import pytest

from admin import ADMIN, BYSTANDER, CONTROL, PASSWORD
from broker import installed_version
from test_only_active import NOT_ACTIVE, VERSIONS, make
from wait import PATIENCE

TICKS_EVERYWHERE = installed_version() >= (2, 0, 12)


# -- per_listener_settings ---------------------------------------------------------

@pytest.fixture
def per_listener(start_broker, pki):
    """A broker with the plugin on one listener, and a CA registered before."""
    def start(**how):
        broker = start_broker(**how)
        broker.ca = pki.ca("factory")
        broker.admin().register_ca(broker.ca)
        broker.stop()
        broker.listeners = broker.per_listener = ("tls",)
        return broker.start()

    return start


@pytest.mark.skipif(TICKS_EVERYWHERE, reason="this broker ticks with per_listener_settings")
def test_no_ticks_are_an_error_in_the_log(per_listener, pki):
    """2.0.11 sends no ticks with per_listener_settings: after ten seconds the plugin logs what that
    means and what to do. No client is admitted because of it."""
    broker = per_listener()
    device = pki.device("d1", issuer=broker.ca)
    told = ("no ticks", "per_listener_settings")
    deadline = time.monotonic() + PATIENCE
    while not broker.log_lines(*told):
        assert broker.connect(device).refused
        broker.leave_sessions()  # each holds a socket
        assert time.monotonic() < deadline, broker.log()[-2000:]
    assert len(broker.log_lines(*told)) == 1


@pytest.mark.skipif(not TICKS_EVERYWHERE, reason="2.0.11 sends no ticks with per_listener_settings")
def test_one_listener_with_the_plugin(per_listener, pki):
    """Where there are ticks it works, as long as every listener has the plugin."""
    broker = per_listener(plugin={"metrics_interval": 1})
    device = pki.device("d1", issuer=broker.ca)
    assert broker.connect(device).refused
    broker.wait_for_log("certificate registered", device.id)
    assert not broker.log_lines("no ticks")


def ck_names_the_listener(log):
    line = [line for line in log.splitlines() if "jitr: " in line][-1]
    assert "does not have this plugin" in line and "publish events" in line, line


def test_listener_without_the_plugin(refuses_to_start):
    """Its clients could forge events, and in 2.1 administer, without the plugin being asked: the
    broker does not start (mosquitto section 0, 13)."""
    ck_names_the_listener(refuses_to_start(per_listener=("tls",)))


@pytest.mark.parametrize("lines", [["include_dir {more}"], ["  include_dir {more}"],
                                   ["include_dir {more}", "include_dir {empty}"]],
                         ids=["one", "behind blanks", "the first of two"])
def test_listener_of_another_file_without_the_plugin(refuses_to_start, directory, lines):
    """The same for a listener in a file of include_dir, in every way of giving the configuration
    (conf.c)."""
    more, empty = directory / "conf.d", directory / "empty.d"
    more.mkdir()
    empty.mkdir()
    (more / "more.conf").write_text("listener 0 %s/socket\nallow_anonymous true\n" % directory)
    for path in (more, empty, more / "more.conf"):
        path.chmod(0o755)
    ck_names_the_listener(refuses_to_start(
        listeners=("tls",), per_listener=("tls",),
        config=[line.format(more=more, empty=empty) for line in lines]))


def test_plugin_in_a_file_read_in_order(start_broker, directory):
    """Files of include_dir are read where the broker reads them: the plugin's lines, and a listener
    of the main file that continues after them."""
    more = directory / "conf.d"
    more.mkdir(mode=0o755)
    (more / "B.conf").write_text("\n")
    (more / "a.conf").write_text("listener 0 %s/socket\n" % directory)
    for path in (more, more / "a.conf", more / "B.conf"):
        path.chmod(0o755)
    assert start_broker(config=["include_dir %s" % more, "max_connections -1"]).admin()


@pytest.mark.skipif(installed_version() < (2, 1), reason="plugin_use came with 2.1")
@pytest.mark.parametrize("used", [("tls",), ("plain",)])
def test_listener_without_plugin_use(refuses_to_start, used):
    """The same with plugin_load and plugin_use (mosquitto section 7)."""
    ck_names_the_listener(refuses_to_start(plugin_use=used))


def test_two_listeners_with_the_plugin(refuses_to_start):
    """The broker would start the plugin once for each, on one registry: the second start says
    so."""
    log = refuses_to_start(per_listener=("plain", "tls"))
    line = [line for line in log.splitlines() if "jitr: " in line][-1]
    assert "loaded twice" in line and "per_listener_settings" in line


# -- anonymous clients ----------------------------------------------------------------

@VERSIONS
@NOT_ACTIVE
def test_anonymous_access_is_no_way_around(start_broker, pki, status, version):
    """Where anonymous clients are welcome, a certificate that is not ACTIVE is refused all the
    same, and not left to the broker, which would let it in."""
    broker = start_broker(anonymous=True)
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    assert broker.connect(make(admin, pki, ca, status), version=version).refused


@VERSIONS
def test_anonymous_clients_without_certificate(start_broker, version):
    """They are the broker's own business, and get no further than others without one."""
    broker = start_broker(anonymous=True, plugin={"other_clients": "allow"})
    session = broker.connect(None, listener="plain", version=version)
    assert session.accepted
    events = broker.admin().listen_to_events()
    session.publish("$aws/events/certificates/registered/x", "forged")
    session.publish(CONTROL, '{"commands":[{"command":"getRegistrationCode"}]}')
    session.received()
    assert events.received() == []
    broker.wait_for_log("request denied", "not an administrator")


def test_tls_without_client_certificates(start_broker, pki):
    """A listener that asks for no certificate gives none to the plugin: its clients are clients
    without a certificate, even with an ACTIVE one."""
    broker = start_broker(tls=["require_certificate false"], plugin={"other_clients": "allow"})
    admin, ca = broker.admin(), pki.ca("factory")
    admin.register_ca(ca)
    device = make(admin, pki, ca, "ACTIVE")
    assert not broker.connect(device).accepted
    assert broker.connect(device, user=BYSTANDER, password=PASSWORD).accepted
    assert broker.connect(device, user=device.id).refused


# -- HTTP ------------------------------------------------------------------------

def get(broker, path, user=None):
    """The status and the body of an answer."""
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (broker.ports["http"], path))
    if user:
        words = base64.b64encode(("%s:%s" % (user, PASSWORD)).encode()).decode()
        request.add_header("Authorization", "Basic " + words)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


@pytest.fixture
def http(make_broker, directory, pki):
    """A broker with HTTP pages, which its acl_file allows to bystander."""
    acl = directory / "acl"
    acl.write_text("user bystander\ntopic readwrite t/#\ntopic read /page.html\n")
    acl.chmod(0o644)
    broker = make_broker(listeners=("plain", "tls", "http"), config=["acl_file %s" % acl])
    broker.pages.mkdir()
    for name in ("page.html", "closed.html"):
        (broker.pages / name).write_text("<p>hello")
    broker.start()
    return broker


@pytest.mark.skipif(installed_version() < (2, 1), reason="http_api came with 2.1")
def test_pages_are_served_while_connections_go_on(http, pki):
    """2.1 serves pages on a thread of its own, which asks the plugin: the plugin leaves them to
    others, and connections are decided as before meanwhile."""
    admin, ca = http.admin(), pki.ca("factory")
    admin.register_ca(ca)
    answers, done = [], threading.Event()

    def read():
        while not done.is_set():
            answers.append(get(http, "/page.html", BYSTANDER))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for n in range(10):
            device = pki.device("d%d" % n, issuer=ca)
            assert http.connect(device).refused
            admin.status(device)
            admin.update_certificate(device, "ACTIVE")
            session = http.connect(device)
            assert session.accepted and session.subscribe("t/#")
            session.publish("t/%d" % n, "hello")
            assert session.next_message().payload == b"hello"
            admin.update_certificate(device, "REVOKED")
            session.wait_until_closed()
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert len(answers) >= 10
    assert set(answers) == {(200, b"<p>hello")}


@pytest.mark.skipif(installed_version() < (2, 1), reason="http_api came with 2.1")
def test_pages_without_a_permission(http):
    """A page that is left to others and that no plugin or file allows is denied."""
    assert get(http, "/page.html", BYSTANDER) == (200, b"<p>hello")
    assert get(http, "/closed.html", BYSTANDER)[0] != 200
    assert get(http, "/page.html", ADMIN)[0] != 200
    assert get(http, "/page.html")[0] != 200
