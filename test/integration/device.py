# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A client's connection: is it admitted, which messages does it receive, when is it closed. Built
on paho-mqtt, version 1.6 or later. There is no background thread: a session reads its socket while
a test waits."""
import itertools
import json
import ssl
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from wait import PATIENCE

MQTT_3_1_1 = paho.MQTTv311
MQTT_5 = paho.MQTTv5

# CONNACK: "not authorised", by version.
NOT_AUTHORISED = {MQTT_3_1_1: 5, MQTT_5: 0x87}

# select() watches no descriptor from here on, and paho takes that for a closed connection: it would
# look as if the broker had turned the client away.  A session holds two or three.
DESCRIPTORS_MAX = 1024

_numbers = itertools.count(1)


def code_of(reason):
    """A reason code of MQTT 5 as a number, which it already is with 3.1.1."""
    return getattr(reason, "value", reason)


def new_client(client_id, clean, version, transport):
    how = {"protocol": version, "transport": transport, "reconnect_on_failure": False}
    if version != MQTT_5:
        how["clean_session"] = clean
    if hasattr(paho, "CallbackAPIVersion"):  # paho 2
        return paho.Client(paho.CallbackAPIVersion.VERSION1, client_id, **how)
    return paho.Client(client_id, **how)


class Session:
    """One connection, from CONNECT to its end."""

    def __init__(self, broker, device, *, listener, client_id=None, version=MQTT_3_1_1,
                 user=None, password=None, clean=True, expiry=None, will=None, will_delay=None,
                 will_retain=False, tls_version=None, source="", keepalive=600):
        self.broker = broker
        self.code = None  # of CONNACK; None: there was none
        self.session_present = False
        self.closed = False
        self.handshake_failed = False
        self.messages = []
        self.version = version
        self._acknowledged = {}
        self.client_id = client_id or (device.client_id if device else "c%d" % next(_numbers))
        transport = "websockets" if listener.endswith("websockets") else "tcp"
        self._client = client = new_client(self.client_id, clean, version, transport)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda c, u, message: self.messages.append(message)
        client.on_subscribe = lambda c, u, mid, codes, *rest: self._done(mid, code_of(codes[0]))
        client.on_unsubscribe = lambda c, u, mid, *rest: self._done(mid, 0)
        client.on_publish = lambda c, u, mid, *rest: self._done(mid, 0)
        if user is not None:
            client.username_pw_set(user, password)
        if device is not None:
            client.tls_set_context(device.tls(broker.pki, tls_version))
            client.tls_insecure_set(True)
        self._set_will(will, will_delay, will_retain)
        self._connect(broker.ports[listener], clean, expiry, keepalive, source)

    def _set_will(self, will, delay, retain):
        if will is None:
            return
        how = {}
        if delay is not None:
            how["properties"] = Properties(PacketTypes.WILLMESSAGE)
            how["properties"].WillDelayInterval = delay
        self._client.will_set(*will, qos=1, retain=retain, **how)

    def _connect(self, port, clean, expiry, keepalive, source):
        """source: the local address of the connection."""
        how = {}
        if self.version == MQTT_5:
            how["clean_start"] = clean
            how["properties"] = Properties(PacketTypes.CONNECT)
            how["properties"].SessionExpiryInterval = expiry or 0
        try:
            self._client.connect("127.0.0.1", port, keepalive=keepalive, bind_address=source,
                                 **how)
        except (ssl.SSLError, ConnectionError, paho.WebsocketConnectionError):
            self.closed = self.handshake_failed = True
            return
        assert self._client.socket().fileno() < DESCRIPTORS_MAX, "too many sessions in this test"
        self.pump_until(lambda: self.code is not None or self.closed, "an answer to CONNECT")

    # -- what the broker says --------------------------------------------------

    def _on_connect(self, client, userdata, flags, reason, *rest):
        self.code = code_of(reason)
        self.session_present = bool(flags.get("session present"))

    def _on_disconnect(self, client, userdata, *rest):
        self.closed = True

    def _done(self, mid, code):
        self._acknowledged[mid] = code

    # -- was it let in? ------------------------------------------------------

    @property
    def accepted(self):
        return self.code == 0

    @property
    def refused(self):
        """Refused by MQTT: with a CONNACK that says so."""
        return self.code == NOT_AUTHORISED[self.version]

    @property
    def turned_away(self):
        """Not admitted: refused by TLS, by CONNACK, or by closing the connection."""
        return not self.accepted

    # -- work ------------------------------------------------------------------

    def pump(self, seconds=0.05):
        """Read and write. With TLS 1.3 a failed handshake is noticed only now, as an alert or a
        closed connection."""
        try:
            if not self.closed and self._client.loop(seconds) != paho.MQTT_ERR_SUCCESS:
                self.closed = True
        except OSError:
            self.closed = True

    def pump_until(self, condition, what, timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("%s waited %g s in vain for %s; the broker says:\n%s" % (
                    self.client_id, timeout, what, self.broker.log()[-3000:]))
            if self.closed:
                raise ConnectionError("%s was disconnected while waiting for %s" % (
                    self.client_id, what))
            self.pump()

    def _wait_for(self, mid, what):
        self.pump_until(lambda: mid in self._acknowledged or self.closed, what)
        return self._acknowledged.get(mid)

    def subscribe(self, topic, qos=1):
        """Whether the broker grants the subscription."""
        code = self.subscription_code(topic, qos)
        return code is not None and code < 0x80

    def subscription_code(self, topic, qos=1):
        """The code in SUBACK; None: there was none."""
        _, mid = self._client.subscribe(topic, qos)
        return self._wait_for(mid, "SUBACK")

    def unsubscribe(self, topic):
        _, mid = self._client.unsubscribe(topic)
        self._wait_for(mid, "UNSUBACK")

    def publish(self, topic, payload="x", qos=1, retain=False, properties=None):
        """Wait until the broker acknowledges, which does not mean that a subscriber receives it."""
        info = self._client.publish(topic, payload, qos, retain, properties)
        if qos == 0:
            self.pump(0)
            return
        self._wait_for(info.mid, "PUBACK")

    def next_message(self, timeout=PATIENCE):
        self.pump_until(lambda: self.messages, "a message", timeout)
        return self.messages.pop(0)

    def next(self, timeout=PATIENCE):
        """The JSON of the next message."""
        return json.loads(self.next_message(timeout).payload)

    def received(self):
        """The messages so far: after a round trip, so that all messages on their way have
        arrived."""
        self.subscribe("round/trip/%d" % next(_numbers), qos=0)
        return [m.payload.decode() for m in self.messages]

    def wait_until_closed(self, timeout=PATIENCE):
        """Seconds until the broker closes the connection."""
        start = time.monotonic()
        while not self.closed:
            if time.monotonic() - start > timeout:
                raise AssertionError("%s is still connected after %g s; the broker says:\n%s" % (
                    self.client_id, timeout, self.broker.log()[-3000:]))
            self.pump()
        return time.monotonic() - start

    # -- end -----------------------------------------------------------------

    def leave(self):
        """End with DISCONNECT."""
        if not self.closed:
            self._client.disconnect()
            self.pump(0)
            self.closed = True
        self._close_socket()

    def vanish(self):
        """End without DISCONNECT, as with a broken cable: the broker sends the will."""
        self._close_socket()
        self.closed = True

    def _close_socket(self):
        """Remove the circular reference, so that the client's memory and files are freed at once
        and not by a garbage collection. A process may have a thousand open files."""
        s = self._client.socket()
        if s is not None:
            s.close()
        for event in ("connect", "disconnect", "message", "subscribe", "unsubscribe", "publish"):
            setattr(self._client, "on_" + event, None)
