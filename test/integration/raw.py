# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""MQTT packets byte by byte: packets that no client library sends, or only slowly."""
import contextlib
import socket
import struct

from admin import ADMIN, PASSWORD
from wait import PATIENCE

AUTHENTICATION_METHOD = 0x15


def text(s):
    data = s if isinstance(s, bytes) else s.encode()
    return struct.pack(">H", len(data)) + data


def packet(kind, body):
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def connect_packet(client_id, *, version=4, user=None, password=None, method=None, clean=True):
    flags = (0x02 if clean else 0) | (0x80 if user else 0) | (0x40 if password else 0)
    body = text("MQTT") + bytes([version, flags]) + struct.pack(">H", 600)
    if version == 5:
        properties = bytes([AUTHENTICATION_METHOD]) + text(method) if method else b""
        body += bytes([len(properties)]) + properties
    body += text(client_id)
    body += text(user) if user else b""
    body += text(password) if password else b""
    return packet(0x10, body)


def tls_socket(broker, device, listener="tls", source="", context=None, session=None):
    """A connection after the handshake, which may resume a TLS session."""
    plain = socket.create_connection(("127.0.0.1", broker.ports[listener]), PATIENCE,
                                     source_address=(source, 0))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return (context or device.tls(broker.pki)).wrap_socket(plain, session=session)
    except OSError:
        plain.close()
        raise


def answer_to(broker, device, packets, listener="tls"):
    """The first bytes of the broker's answer, b"" if it only closes."""
    with contextlib.closing(tls_socket(broker, device, listener)) as s:
        s.sendall(packets)
        try:
            return s.recv(64)
        except ConnectionError:
            return b""


def answer_to_shut(broker, device, packets):
    """The same for bytes that may be an incomplete packet: no more bytes will come."""
    with contextlib.closing(tls_socket(broker, device)) as s:
        s.sendall(packets)
        s.shutdown(socket.SHUT_WR)
        return s.recv(64)


def first_connection(broker, device):
    """Send CONNECT and return the code in CONNACK, None without one."""
    answer = answer_to(broker, device, connect_packet(device.client_id))
    return answer[3] if len(answer) >= 4 and answer[0] == 0x20 else None


def publish_packet(topic, payload="x", *, version=4, qos=1, retain=False, number=1):
    body = text(topic) + (struct.pack(">H", number) if qos else b"")
    body += (b"\0" if version == 5 else b"") + payload.encode()
    return packet(0x30 | qos << 1 | retain, body)


def subscribe_packet(topic, *, version=4, number=1):
    return packet(0x82, struct.pack(">H", number) + (b"\0" if version == 5 else b"") +
                  text(topic) + b"\1")


def answers_to(broker, device, *packets, listener="tls"):
    """The broker's answers to each of these packets until it closes: pairs of the packet's kind and
    body."""
    with contextlib.closing(tls_socket(broker, device, listener)) as s:
        stream = Stream(s)
        answers = []
        for one in packets:
            s.sendall(one)
            answers.append(stream.packet())
    return answers


class Stream:
    """The packets that come from a socket."""

    def __init__(self, connection):
        self._file = connection.makefile("rb")

    def packet(self):
        """The next packet, None at the end."""
        kind = self._file.read(1)
        size, shift = 0, 0
        while kind:
            digit = self._file.read(1)
            if not digit:
                return None
            size |= (digit[0] & 0x7F) << shift
            shift += 7
            if not digit[0] & 0x80:
                return kind[0], self._file.read(size)
        return None


class Rule:
    """A persistent subscriber that reads everything that reached its socket, also from a broker
    that was killed. It acknowledges nothing."""

    def __init__(self, broker):
        self._socket = socket.create_connection(("127.0.0.1", broker.ports["plain"]), PATIENCE)
        self._data = b""
        self._socket.sendall(connect_packet("rule", user=ADMIN, password=PASSWORD, clean=False))
        kind, body = self._packet()
        assert (kind, body[1]) == (0x20, 0), "the rule is not let in"

    def subscribe(self, topic):
        self._socket.sendall(packet(0x82, struct.pack(">H", 1) + text(topic) + b"\1"))
        assert self._packet() == (0x90, b"\0\1\1")

    def _read(self):
        """False: the connection is closed."""
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        self._data += data
        return bool(data)

    def _split(self):
        """The first complete packet in the buffer, or None."""
        size, shift = 0, 0
        for at, digit in enumerate(self._data[1:5], 2):
            size |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                break
        else:
            return None
        if len(self._data) < at + size:
            return None
        kind, body = self._data[0], self._data[at:at + size]
        self._data = self._data[at + size:]
        return kind, body

    def _packet(self):
        """The next packet, or None at the end."""
        while True:
            found = self._split()
            if found:
                return found
            if not self._read():
                return None

    def next_payload(self):
        """The payload of the next PUBLISH; None at the end."""
        while True:
            found = self._packet()
            if found is None:
                return None
            kind, body = found
            if kind & 0xF0 == 0x30:
                length = struct.unpack(">H", body[:2])[0]
                return body[2 + length + (2 if kind & 0x06 else 0):]

    def payloads_until_the_end(self):
        payloads = list(iter(self.next_payload, None))
        self._socket.close()
        return payloads


class Remote:
    """The other end of a bridge, which sends arbitrary packets."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port = self._listener.getsockname()[1]

    @contextlib.contextmanager
    def accept(self):
        """Let the bridge connect."""
        self._socket, _ = self._listener.accept()
        with self._listener, self._socket:
            self._socket.settimeout(PATIENCE)
            assert self._socket.recv(4096)[:1] == b"\x10"
            self._socket.sendall(packet(0x20, b"\0\0"))
            yield

    def publish(self, topic, payload):
        self._socket.sendall(packet(0x30, text(topic) + payload.encode()))
