#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""NOTICE.md names the libraries that the programs are linked with, all of them and no other."""
import pathlib
import re
import subprocess
import sys

PROGRAMS = {
    "plugin": ["mosquitto_jitr.so"],
    "registrar": ["mosquitto_jitr_registrar"],
    "command line": ["mosquitto_ctrl_jitr.so", "mosquitto_jitr"],
}
SANITIZER = re.compile(r"lib(a|l|t|ub)san\.")


def needed(program):
    """The libraries that a program asks the loader for."""
    out = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    return {name for name in re.findall(r"\(NEEDED\).*\[(.*)\]", out) if not SANITIZER.match(name)}


def noticed(text):
    """(library, used by) of each row that names a library."""
    rows = re.findall(r"^\|[^|]*\| `([^`|]*)` \|[^|]*\| ([^|]*) \|$", text, re.M)
    return {(library, user) for library, users in rows for user in users.split(", ")}


def main():
    root, build = map(pathlib.Path, sys.argv[1:])
    linked = {(library, user) for user, programs in PROGRAMS.items()
              for program in programs for library in needed(build / program)}
    told = noticed((root / "NOTICE.md").read_text())
    for library, user in sorted(linked - told):
        print(f"NOTICE.md: the {user} is linked with {library}")
    for library, user in sorted(told - linked):
        print(f"NOTICE.md: the {user} is not linked with {library}")
    print(f"{len(linked & told)} passed, {len(linked ^ told)} failed")
    return 1 if linked != told or not told else 0


sys.exit(main())
