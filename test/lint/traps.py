#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The table of broker traps in test/README.md names tests that exist, for each trap of the first
twenty."""
import pathlib
import re
import sys

HEADING = "## Broker traps and the tests that guard against them"
ROW = re.compile(r"\| ([\d.]+) \| .+ \| (.+) \|")
NAME = re.compile(r"`(test_\w+)(\.py)?`")


def rows(readme):
    section = readme.read_text().split(HEADING, 1)[1].split("\n## ", 1)[0]
    return [match.groups() for match in map(ROW.fullmatch, section.splitlines()) if match]


def tests_of(root, name):
    path = root / "test" / "integration" / (name + ".py")
    return set(re.findall(r"^def (test_\w+)", path.read_text(), re.M)) if path.exists() else None


def faults_of(root, trap, names):
    known, named = None, 0
    for name, is_file in NAME.findall(names):
        if is_file:
            known = tests_of(root, name)
            if known is None:
                yield f"{trap}: there is no {name}.py"
        elif name not in (known or ()):
            yield f"{trap}: there is no {name}"
        else:
            named += 1
    if named == 0:
        yield f"{trap}: names no test"


def main():
    root = pathlib.Path(sys.argv[1])
    table = rows(root / "test" / "README.md")
    found = [fault for row in table for fault in faults_of(root, *row)]
    missing = {f"0.{n}" for n in range(1, 21)} - {trap for trap, _ in table}
    found += [f"{trap}: not in the table" for trap in sorted(missing)]
    print("\n".join(found))
    print(f"{len(table)} traps: {1 if not found else 0} passed, {len(found)} failed")
    return 1 if found else 0


sys.exit(main())
