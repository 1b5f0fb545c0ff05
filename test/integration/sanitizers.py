# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Reports of sanitizers and of valgrind about the plugin and the registrar. Mosquitto does not free all of its memory when it ends,
which is not reported here. LSan's own suppressions cannot distinguish this: a broker without
symbols (Debian 13) can be named only by its file, which is also in the stacks of everything that
the plugin does."""
import re

COMPLAINT = re.compile(r"(Address|Leak|Thread|UndefinedBehavior|Memory)Sanitizer|runtime error:")
# The registrar's status after an error is not the broker's: its report is in the broker's log.
VALGRIND = re.compile(r"^==\d+== *(Invalid |Mismatched |Conditional jump |Use of |Syscall param |"
                      r"Source and destination |Argument |Jump to |Process terminating |"
                      r"[\d,]+ (\([^)]*\) )?bytes in )", re.M)
LEAKS = re.compile(r"^==\d+==ERROR: LeakSanitizer: .*?^SUMMARY: .*?$", re.S | re.M)
LEAK = re.compile(r"^(?:Direct|Indirect) leak of .*\n(?: +#\d+ .*\n)+", re.M)
ALLOCATED_BY_THE_BROKER = re.compile(r"^ +#1 .*\(\S*/mosquitto\+0x", re.M)


def _leaks_of_others(report):
    leaks = LEAK.findall(report.group())
    all_of_the_broker = leaks and all(ALLOCATED_BY_THE_BROKER.search(leak) for leak in leaks)
    return "" if all_of_the_broker else report.group()


def sanitizers_complain(log):
    return bool(COMPLAINT.search(LEAKS.sub(_leaks_of_others, log)) or VALGRIND.search(log))
