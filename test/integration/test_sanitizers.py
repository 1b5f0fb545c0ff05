# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Tests with sanitizers report leaks of the plugin, and not those of the broker."""
import pytest

from sanitizers import sanitizers_complain

OF_THE_BROKER = """Direct leak of 16 byte(s) in 1 object(s) allocated from:
    #0 0x7fa8c8cf4610 in calloc ../../src/libsanitizer/asan/asan_malloc_linux.cpp:77
    #1 0x557f5af7edc4  (/usr/sbin/mosquitto+0x1adc4) (BuildId: a0f8)

"""
OF_THE_PLUGIN = """Direct leak of 264 byte(s) in 1 object(s) allocated from:
    #0 0x7ff923af3b58 in malloc ../../src/libsanitizer/asan/asan_malloc_linux.cpp:85
    #1 0x7fa8c5a12c5e in session_add /src/plugin/service/session/session.c:63
    #2 0x557f5af7edc4  (/usr/sbin/mosquitto+0x1adc4) (BuildId: a0f8)

"""


def report(*leaks):
    return "mosquitto terminating\n\n%s\n==18860==ERROR: LeakSanitizer: detected memory leaks\n\n%s%s" % (
        "=" * 65, "".join(leaks), "SUMMARY: AddressSanitizer: 16 byte(s) leaked in 1 allocation(s).\n")


@pytest.mark.parametrize("log, complain", [
    ("mosquitto running\nmosquitto terminating\n", False),
    (report(OF_THE_BROKER), False),
    (report(OF_THE_BROKER, OF_THE_BROKER), False),
    (report(OF_THE_PLUGIN), True),
    (report(OF_THE_BROKER, OF_THE_PLUGIN), True),
    (report(OF_THE_PLUGIN, OF_THE_BROKER), True),
    (report(OF_THE_BROKER) + report(OF_THE_PLUGIN), True),
    (report("something unknown\n"), True),
    (report(OF_THE_BROKER) + "==1==ERROR: AddressSanitizer: heap-use-after-free on address\n", True),
    ("gate.c:12:3: runtime error: null pointer passed\n" + report(OF_THE_BROKER), True),
    ("==7== Invalid read of size 1\n==7==    at 0x10A2B4: gate_connect (gate.c:7)\n", True),
    ("==7== 64 (32 direct, 32 indirect) bytes in 1 blocks are definitely lost in loss record\n",
     True),
    ("==7== Warning: set address range perms: large range [0x1, 0x2) (noaccess)\n", False)],
    ids=["quiet", "broker", "broker twice", "plugin", "broker and plugin", "plugin and broker",
         "one each", "unreadable", "use after free", "undefined", "valgrind's read",
         "valgrind's leak", "valgrind's warning"])
def test_leaks_of_the_broker_alone_are_no_complaint(log, complain):
    assert sanitizers_complain(log) == complain
