# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""doc/architecture.md is the map of plugin/: each folder has one row, which names the
folders that plugin/CMakeLists.txt lets it call; each file of ctl/ is in its table; no
line but a row of a table has more than 160 characters."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
LINE_MAX = 160
PAGE = (ROOT / "doc" / "architecture.md").read_text()


def folders_on_disk():
    return {p.parent.relative_to(ROOT).as_posix() for p in ROOT.glob("plugin/**/*.c")}


def folders_of_build():
    """Each folder of plugin/CMakeLists.txt with the folders that it may call."""
    calls = re.findall(r"^jitr_folder\((\S+)\n(.*?)^\)", (ROOT / "plugin" / "CMakeLists.txt").read_text(),
                       re.M | re.S)
    libraries = {name.replace("/", "_"): name for name, _ in calls}
    for name, text in calls:
        uses = re.search(r"^\tUSES (.*)$", text, re.M)
        yield "plugin/" + name, {libraries[u] for u in (uses.group(1).split() if uses else [])}


def folders_of_page():
    for folder, calls in re.findall(r"^\| `(plugin/[^`]+)` \|.*\| ([^|]*) \|$", PAGE, re.M):
        yield folder, set(re.findall(r"`([^`]+)`", calls))


def faults():
    page = list(folders_of_page())
    described, build = dict(page), dict(folders_of_build())
    if len(page) != len(described):
        yield "a folder has two rows"
    for folder in sorted(folders_on_disk() | set(build)):
        if folder not in described:
            yield "%s has no row" % folder
        elif described[folder] != build.get(folder):
            yield "%s: the row says that it calls %s, the build %s" % (
                folder, sorted(described[folder]), sorted(build.get(folder, set())))
    for folder in sorted(set(described) - folders_on_disk()):
        yield "%s has a row and does not exist" % folder
    for path in sorted((ROOT / "ctl").glob("*.c")):
        if "`%s`" % path.name not in PAGE:
            yield "ctl/%s is not in the table" % path.name
    for number, line in enumerate(PAGE.splitlines(), 1):
        if len(line) > LINE_MAX and not line.startswith("| "):
            yield "line %d has %d characters" % (number, len(line))


found = list(faults())
for fault in found:
    print("doc/architecture.md: %s" % fault)
print("%d passed, %d failed" % (0 if found else 1, len(found)))
sys.exit(1 if found else 0)
