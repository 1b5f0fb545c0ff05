#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Functions are short: median at most 15 lines, 90 % at most 40, none over 80."""
import pathlib
import re
import sys


def functions(path):
    start = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield number - start - 1, f"{path}:{start}"
            start = None
        elif re.match(r"^[#/ \t]", line) is None and line.endswith("{"):
            start = None  # a table or a type


def main():
    root = pathlib.Path(sys.argv[1])
    found = sorted(f for p in [*root.glob("plugin/**/*.c"), *root.glob("ctl/*.c")] for f in functions(p))
    lengths = [length for length, _ in found]
    median, most, longest = lengths[len(lengths) // 2], lengths[int(len(lengths) * 0.9)], found[-1]
    print(f"{len(found)} functions: median {median}, 90 % {most}, longest {longest[0]} ({longest[1]})")
    bad = [median > 15, most > 40, longest[0] > 80].count(True)
    print(f"{3 - bad} passed, {bad} failed")
    return 1 if bad else 0


sys.exit(main())
