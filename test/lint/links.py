# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Every link from one of our documents to another leads somewhere: the file is there,
and so is the heading.  The files and tests that CONTRIBUTING.md and SECURITY.md name exist."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")


def prose(path):
    """The text outside blocks and pieces of code."""
    text = re.sub(r"^ *```.*?^ *```$", "", path.read_text(), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", lambda code: code.group().replace("[", " "), text)


def anchors(path):
    """As GitHub makes them of headings."""
    seen = {}
    for heading in re.findall(r"^#+ (.*)$", prose(path), re.M):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        seen[name] = seen.get(name, -1) + 1
        yield name if seen[name] == 0 else "%s-%d" % (name, seen[name])


def fault(document, link):
    """What is wrong with a link, or nothing."""
    if re.match(r"[a-z]+:", link):
        return None
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists():
        return "is not there"
    if anchor and anchor not in anchors(target):
        return "has no such heading"
    return None


CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"\.?[\w<>*.-]+(/[\w<>*.-]+)+/?|[\w*-]+\.(md|py|sh|txt|json|example)|\.[a-z-]+")
CHECK = re.compile(r"check_[\w*]+")
LINT = re.compile(r"lint test `(\w+)`")


def named(path):
    """The files that a document names, and where each has to be; <noun> stands for any word."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
    for code in CODE.findall(text):
        word = code.split(" ")[0]
        if CHECK.fullmatch(word):
            yield word, "test/unit/%s.c" % word
        elif FILE.fullmatch(word) and (ROOT / word.split("/")[0]).is_dir() == ("/" in word):
            yield word, re.sub(r"<\w+>", "*", word)


def exists(pattern):
    return any(ROOT.glob(pattern.rstrip("/"))) or any(ROOT.glob("test/*/" + pattern))


def missing(path):
    """The files and lint tests that a document names and that do not exist."""
    for word, pattern in named(path):
        if not exists(pattern):
            yield "%s is not there" % word
    tests = (ROOT / "test" / "lint" / "CMakeLists.txt").read_text()
    for name in LINT.findall(path.read_text()):
        if "lint_test(%s " % name not in tests:
            yield "there is no lint test %s" % name


documents = sorted([*ROOT.glob("*.md"), *ROOT.glob("doc/**/*.md"), *ROOT.glob("docker/*.md"), *ROOT.glob("test/*.md")])
looked_at = failed = 0
for document in documents:
    for link in LINK.findall(prose(document)):
        looked_at += 1
        wrong = fault(document, link)
        if wrong:
            failed += 1
            print("%s: %s %s" % (document.relative_to(ROOT), link, wrong))
for document in (ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"):
    looked_at += len(list(named(document)))
    for wrong in missing(document):
        failed += 1
        print("%s: %s" % (document.name, wrong))
print("%d passed, %d failed" % (looked_at - failed, failed))
sys.exit(1 if failed or not looked_at else 0)
