# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A path that a document names in code, `plugin/core/der.c` or `ctl/print*.c`, exists."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
PATH = re.compile(r"`((?:plugin|include|ctl|test|scripts|docker|cmake)/[\w./*-]+)`")

documents = sorted([*ROOT.glob("*.md"), *ROOT.glob("doc/*.md"), *ROOT.glob("docker/*.md"), *ROOT.glob("test/*.md")])
looked_at = failed = 0
for document in documents:
    text = re.sub(r"^ *```.*?^ *```$", "", document.read_text(), flags=re.M | re.S)
    for path in PATH.findall(text):
        looked_at += 1
        if not any(ROOT.glob(path.rstrip("/"))):
            failed += 1
            print("%s: %s is not there" % (document.relative_to(ROOT), path))
print("%d passed, %d failed" % (looked_at - failed, failed))
sys.exit(1 if failed or not looked_at else 0)
