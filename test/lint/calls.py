#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The files of the api, of the gate and of the judge are short and call each other in one direction.

The calls are those of the object files, so the build must be complete.
"""
import pathlib
import re
import subprocess
import sys

LINES_MAX = {"api": 350, "service/gate": 320, "service/judge": 320}


def symbols(path):
    """The functions that an object file defines, and those that it needs."""
    lines = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split()[-2:] for line in lines]
    return {name for kind, name in rows if kind in "TDBR"}, {name for kind, name in rows if kind == "U"}


def calls(objects):
    """File name -> the files of the folder that it calls."""
    found = {path.name.removesuffix(".o"): symbols(path) for path in objects}
    owner = {name: file for file, (defined, _) in found.items() for name in defined}
    return {file: {owner[name] for name in needed if name in owner} for file, (_, needed) in found.items()}


def circles(folder, graph):
    """Files that reach themselves."""
    for start in sorted(graph):
        seen, todo = set(), [start]
        while todo:
            for file in graph[todo.pop()] - seen:
                seen.add(file)
                todo.append(file)
        if start in seen:
            yield f"plugin/{folder}/{start} calls itself by way of {', '.join(sorted(f for f in graph[start] & seen if start in graph[f]) or graph[start])}"


def faults(root, build, folder):
    sources = sorted((root / "plugin" / folder).glob("*.[ch]"))
    for path in sources:
        text = path.read_text()
        if text.count("\n") > LINES_MAX[folder]:
            yield f"plugin/{folder}/{path.name}: more than {LINES_MAX[folder]} lines"
    objects = sorted(build.glob(f"plugin/CMakeFiles/jitr_{folder.replace('/', '_')}.dir/{folder}/*.c.o"))
    missing = {p.name for p in sources if p.suffix == ".c"} - {o.name.removesuffix(".o") for o in objects}
    yield from (f"plugin/{folder}/{name}: not built" for name in sorted(missing))
    current = [o for o in objects if (root / "plugin" / folder / o.name.removesuffix(".o")).exists()]
    yield from circles(folder, calls(current))


def main():
    found = [f for folder in LINES_MAX for f in faults(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), folder)]
    print("\n".join(found))
    print(f"{1 if not found else 0} passed, {len(found)} failed")
    return 1 if found else 0


sys.exit(main())
