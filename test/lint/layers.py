#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Includes point down only, folders form no circle, and each library has one door.

The path of a file says where it belongs: plugin/<layer>/[<folder>/], include/jitr/<layer>/.
doc/architecture.md draws the layers and the folders.
"""
import pathlib
import re
import sys

LAYERS = ["core", "adapter", "service", "api", "shell"]  # a layer includes itself and those before it
DOORS = {
    r"openssl/": r"plugin/adapter/x509/.*|ctl/\w+\.[ch]",
    r"lmdb\.h": r"plugin/adapter/store/.*",
    r"regex\.h": r"plugin/adapter/document/expression\.c",
    r"cjson/": r"include/jitr/adapter/json\.h|plugin/adapter/document/.*|plugin/api/.*|ctl/.*",
    r"pthread\.h": r"plugin/service/writer/writer_thread\.c",
    r"mosquitto(/|\.h|_broker|_plugin)": r"plugin/shell/mosquitto_api\.h|ctl/client\.[ch]",
    r"(uthash|utlist)\.h": r"(plugin|include/jitr)/service/.*",
}
IMPURE = re.compile(r"\b(time|clock_gettime|malloc|calloc|realloc|free|fopen|getenv|rand)\s*\(")
# The core allocates in one file only: texts that grow.
ALLOCATES = {"plugin/core/text.c"}
INCLUDE = re.compile(r'^#include ["<]([^">]+)', re.M)


def folder_of(path):
    """Of plugin/service/gate/gate.c: "service/gate"; of plugin/core/text.c: "core"."""
    return path.parent.as_posix().removeprefix("plugin/")


def owners(sources):
    """The folder of each contract in include/: where the source file of its name is, else its layer."""
    folders = {(folder_of(s).split("/")[0], s.stem): folder_of(s) for s in sources if s.suffix == ".c"}

    def owner(layer, stem):
        return folders.get((layer, stem), layer)
    return owner


def faults(root):
    files = sorted(p.relative_to(root) for top in ("plugin", "include/jitr", "ctl") for p in root.glob(f"{top}/**/*.[ch]"))
    owner = owners([p for p in files if p.parts[0] == "plugin"])
    arrows = {}
    for path in files:
        name, text = path.as_posix(), (root / path).read_text()
        layer = {"plugin": path.parts[1], "include": path.parts[-2]}.get(path.parts[0])
        folder = folder_of(path) if path.parts[0] == "plugin" else owner(layer, path.stem) if layer else "ctl"
        for include in INCLUDE.findall(text):
            own = re.fullmatch(r"jitr/(\w+)/(\w+)\.h", include)
            if own and layer and LAYERS.index(own[1]) > LAYERS.index(layer):
                yield f"{name}: includes {include} of a layer above"
            if own and not layer and own[1] != "core":
                yield f"{name}: the command line uses the core alone, not {include}"
            if own and not (root / "include" / include).exists():
                yield f"{name}: {include} does not exist"
            if own:
                arrows.setdefault(folder, set()).add(owner(own[1], own[2]))
            for library, door in DOORS.items():
                if re.match(library, include) and not re.fullmatch(door, name):
                    yield f"{name}: {include} is for {door} alone"
        for include in re.findall(r'^#include "([^"/]+)"', text, re.M):
            if not (root / path.parent / include).exists():
                yield f"{name}: {include} is not in its folder; a contract between folders is in include/jitr/"
        if layer == "core" and name.startswith("plugin") and name not in ALLOCATES and IMPURE.search(text):
            yield f"{name}: the core has no clock, no memory and no files"
    yield from circles(arrows)


def circles(arrows):
    """Folders that reach themselves over others; a layer's own name stands for its common types."""
    def reach(start):
        found, todo = set(), [start]
        while todo:
            for folder in arrows.get(todo.pop(), set()) - found:
                found.add(folder)
                todo.append(folder)
        return found
    for folder in sorted(arrows):
        around = [other for other in arrows.get(folder, ()) if other != folder and folder in reach(other)]
        if around:
            yield f"plugin/{folder} and plugin/{around[0]} include each other"


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(faults(root))
    print("\n".join(found))
    print(f"{1 if not found else 0} passed, {len(found)} failed")
    return 1 if found else 0


sys.exit(main())
