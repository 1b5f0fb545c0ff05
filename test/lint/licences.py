#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Every source, script and man page says its licence in its first lines, the same for all;
the texts of both licences are there, word for word."""
import hashlib
import pathlib
import re
import sys

EXPRESSION = "EPL-2.0 OR BSD-3-Clause"
NAMED = re.compile(r"\.(c|h|py|sh|cmake|yaml|yml|[1-8])$|(^|/)(CMakeLists\.txt|Dockerfile|run|postinst|prerm|postrm)$")

# SHA-256 of the words, without the line that names the authors.
TEXTS = {
    "LICENSE.EPL-2.0": "48d0be7e81e1b0263dd576fc93d89bf797a229ad42d3c0931f09818a530469c0",
    "LICENSE.BSD-3-Clause": "70435d703f5e4bdca9a1fa6b9291501b0dd850d2ad5457b491ce936217b1e063",
}


def files(root):
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not re.match(r"build|\.git/", name) and NAMED.search(name) and path.is_file():
            yield name, path


def words(path):
    lines = [line for line in path.read_text().splitlines() if not line.startswith("Copyright (c)")]
    return hashlib.sha256(" ".join(" ".join(lines).split()).encode()).hexdigest()


def faults(root):
    for name, path in files(root):
        head = path.read_text(errors="replace").splitlines()[:3]
        if not any(re.search(r"SPDX-License-Identifier: %s\b" % EXPRESSION, line) for line in head):
            yield f"{name}: no SPDX line"
    for name, digest in TEXTS.items():
        if words(root / name) != digest:
            yield f"{name}: not the text of the licence: {words(root / name)}"
        if name not in (root / "LICENSE").read_text():
            yield f"LICENSE does not name {name}"


def main():
    root = pathlib.Path(sys.argv[1])
    found, count = list(faults(root)), len(list(files(root)))
    print("\n".join(found))
    print(f"{count + 2 - len(found)} passed, {len(found)} failed")
    return 1 if found or count < 300 else 0


sys.exit(main())
