#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""coverage.py ROOT BUILD: the lines and branches that were executed since the counters were
removed, by folder of plugin/ and for ctl/, from what gcc's --coverage has written."""
import collections
import json
import os
import pathlib
import subprocess
import sys

# At least this many of 100 lines of a folder, and of 100 branches of a file.
LINES = {"plugin/core": 95, "plugin/service/gate": 95, "plugin/service/judge": 95}
BRANCHES = {"plugin/core/decide.c": 100, "plugin/core/pattern.c": 100}


class File:
    def __init__(self):
        self.lines = collections.Counter()
        self.branches = collections.Counter()

    def add(self, line):
        number = line["line_number"]
        self.lines[number] += line["count"]
        for n, branch in enumerate(line["branches"]):
            self.branches[number, n] += branch["count"]


def counters(build):
    """The output of gcov for each object of plugin/ and ctl/."""
    for path in sorted(build.rglob("*.gcno")):
        if not {"plugin", "ctl"} & set(path.relative_to(build).parts):
            continue
        text = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities",
                               str(path)], capture_output=True, text=True, check=True,
                              cwd=build).stdout
        yield from (json.loads(line) for line in text.splitlines() if line)


def read(root, build):
    files = collections.defaultdict(File)
    for output in counters(build):
        for found in output["files"]:
            path = pathlib.Path(output["current_working_directory"], found["file"]).resolve()
            # an object of a source that is gone may be left in the build
            if path.is_relative_to(root) and path.suffix == ".c" and path.exists():
                name = str(path.relative_to(root))
                if name.startswith(("plugin/", "ctl/")):
                    for line in found["lines"]:
                        files[name].add(line)
    return files


def percent(counts):
    values = list(counts)
    return 100 * sum(v > 0 for v in values) / len(values) if values else 0.0


def row(name, files, least_lines, least_branches):
    lines = percent(c for f in files for c in f.lines.values())
    branches = percent(c for f in files for c in f.branches.values())
    low = lines < (least_lines or 0) or branches < (least_branches or 0)
    print("%-28s %7.1f %8s %9.1f %8s  %s" % (
        name, lines, least_lines or "-", branches, least_branches or "-",
        "BELOW" if low else ""))
    return not low


def main():
    root, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    files = read(root, build)
    folders = collections.defaultdict(list)
    for name, file in files.items():
        folders[os.path.dirname(name)].append(file)
    print("%-28s %7s %8s %9s %8s" % ("", "lines %", "minimum", "branch %", "minimum"))
    good = [row(name, folders[name], LINES.get(name), None) for name in sorted(folders)]
    shown = sorted(files) if os.environ.get("JITR_COVERAGE_FILES") else sorted(BRANCHES)
    good += [row(name, [files[name]], None, BRANCHES.get(name)) for name in shown]
    print("%d passed, %d failed" % (good.count(True), good.count(False)))
    return 0 if all(good) and folders else 1


sys.exit(main())
