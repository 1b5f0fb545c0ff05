# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What sanitizers say of the plugin.

Mosquitto does not give back all of its memory when it ends, and that is nothing of ours.
LSan's own suppressions cannot tell it apart: a broker without symbols (Debian 13) could be
named by its file alone, and that is in the stack of everything that the plugin does, too.
"""
import re

COMPLAINT = re.compile(r"(Address|Leak|Thread|UndefinedBehavior|Memory)Sanitizer|runtime error:")
LEAKS = re.compile(r"^==\d+==ERROR: LeakSanitizer: .*?^SUMMARY: .*?$", re.S | re.M)
LEAK = re.compile(r"^(?:Direct|Indirect) leak of .*\n(?: +#\d+ .*\n)+", re.M)
ALLOCATED_BY_THE_BROKER = re.compile(r"^ +#1 .*\(\S*/mosquitto\+0x", re.M)


def _leaks_of_others(report):
    leaks = LEAK.findall(report.group())
    all_of_the_broker = leaks and all(ALLOCATED_BY_THE_BROKER.search(leak) for leak in leaks)
    return "" if all_of_the_broker else report.group()


def sanitizers_complain(log):
    return bool(COMPLAINT.search(LEAKS.sub(_leaks_of_others, log)))
