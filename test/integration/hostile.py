# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Frames of the link (doc/link.md), and ends of it that send wrong ones."""
import socket
import struct
import subprocess

from broker import BUILD_DIR, environment
from wait import PATIENCE

PROTOCOL = 1
CONFIG, REQUEST, PRESENT, PUBLISHED, RECORD, STOP = 1, 2, 4, 6, 7, 9
HELLO, FAILED, ANSWER, DONE, CHANGED, LOG, STATE = range(128, 135)
PAYLOAD_MAX = 2 * 1024 * 1024


def frame(kind, payload=b"", number=0, length=None):
    """length: what the header says."""
    return struct.pack(">IBQ", 9 + len(payload) if length is None else length, kind,
                       number) + payload


def text(words):
    return struct.pack(">I", len(words) + 1) + words.encode() + b"\0"


def pairs(values):
    return bytes([len(values)]) + b"".join(text(n) + text(v) for n, v in values.items())


def config(version, options):
    return struct.pack(">I", PROTOCOL) + text(version) + pairs(options) + pairs({})


# Bytes that are no frame, whatever their receiver expects.
NO_FRAMES = {
    "garbage": b"\xde\xad\xbe\xef" * 1000,
    "oversized": frame(LOG, length=9 + PAYLOAD_MAX + 1),
    "largest length": frame(LOG, length=0xffffffff),
    "no length": frame(LOG, length=0),
    "type 0": frame(0),
    "unknown type": frame(77),
}


# A program that is up and then sends what {frames} says, until its link ends.
REGISTRAR = """#!/usr/bin/python3
import os, socket, struct
s = socket.socket(fileno=3)
s.setblocking(True)


def read(size):
    data = b""
    while len(data) < size:
        data += s.recv(size - len(data)) or os._exit(0)
    return data


size, = struct.unpack(">I9x", read(13))
config = read(size - 9)
end, = struct.unpack(">I", config[4:8])
hello = config[:8 + end]
s.sendall(struct.pack(">IBQ", 9 + len(hello), 128, 0) + hello + {frames!r})
while s.recv(65536):
    pass
"""


def registrar(path, frames):
    path.write_text(REGISTRAR.format(frames=frames))
    path.chmod(0o755)


def start_registrar():
    """The registrar without a broker, and the broker's end of its link."""
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE)
    with theirs:
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$0" 3<&0 </dev/null', BUILD_DIR / "mosquitto_jitr_registrar"],
            stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
    return process, ours


def read_frame(link):
    """Type and payload of the next frame; None: the link has ended."""
    try:
        header = link.recv(13, socket.MSG_WAITALL)
    except ConnectionError:
        return None
    if not header:
        return None
    size, kind = struct.unpack(">IB8x", header)
    return kind, link.recv(size - 9, socket.MSG_WAITALL) if size > 9 else b""


def read_to_end(link):
    """The frames that arrive until the link ends."""
    found = []
    while (one := read_frame(link)) is not None:
        found.append(one)
    return found
