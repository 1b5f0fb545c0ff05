#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Comments and documents speak of things as things (CONTRIBUTING.md): "who", "nobody" and
the like are for people.  A few are right, in documents more, which speak of people, too."""
import pathlib
import re
import sys

PEOPLE = re.compile(r"\b(who|whom|whose|whoever|nobody|somebody|everybody|anybody|someone|everyone|anyone)\b", re.I)
WORD = re.compile(r"[A-Za-z']+")
# How many of 1000 words may be such, and where.
AREAS = {
    "plugin and include": (0.5, ["plugin/**/*.[ch]", "include/**/*.h"]),
    "ctl": (0.5, ["ctl/*.[ch]"]),
    "test": (0.5, ["test/**/*.[ch]", "test/**/*.py"]),
    "documents": (1.0, ["*.md", "doc/**/*.md", "docker/*.md", "test/*.md", "examples/*.md"]),
}


def prose(path):
    """The comments of C, the docstrings and comments of Python, the whole of a document."""
    text = path.read_text(errors="replace")
    if path.suffix in (".c", ".h"):
        return " ".join(re.findall(r"/\*.*?\*/", text, re.S))
    if path.suffix == ".py":
        return " ".join(re.findall(r'""".*?"""|#[^\n]*', text, re.S))
    return re.sub(r"```.*?```", "", text, flags=re.S)


def main():
    root = pathlib.Path(sys.argv[1])
    failed = 0
    for area, (allowed, patterns) in AREAS.items():
        words, found = 0, []
        for path in sorted({p for pattern in patterns for p in root.glob(pattern)}):
            text = prose(path)
            words += len(WORD.findall(text))
            found += ["%s: ...%s..." % (path.relative_to(root), " ".join(text[max(0, m.start() - 40):m.end() + 40].split()))
                      for m in PEOPLE.finditer(text)]
        rate = 1000 * len(found) / max(words, 1)
        print("%s: %d of %d words, %.2f per 1000" % (area, len(found), words, rate))
        if rate > allowed:
            failed += 1
            print("\n".join(found))
    print("%d passed, %d failed" % (len(AREAS) - failed, failed))
    return 1 if failed else 0


sys.exit(main())
