#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Every citation in code, tests and documents names a heading, an item or a row that is in
doc/reference/; every standard, page of AWS, broker source file and document that is named is
listed there or in the tree.  doc/reference/README.md says how each is cited."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
REFERENCE = ROOT / "doc" / "reference"
FOLDERS = "plugin include ctl test doc scripts examples docker cmake".split()
KINDS = {".c", ".h", ".py", ".sh", ".md", ".golden", ".txt", ".cmake", ".example"}

MORE = r"(?:, and |, | and | to )"
ITEMS = r"\d+(?:(?:, | and | to )\d+(?![.\d]))*"
TARGET = r"(?:appendix \d|[A-J](?:\.\d+)+|[A-J]\b|\d+\.\d+)(?: (?:row|step)s? %s)?" % ITEMS
PLACE = r"\d+(?:\.\d+)?(?:, %s)?" % ITEMS
AWS = re.compile(r"\baws-iot (%s(?:%s%s)*)(?:, ([\w:]+)(?=\)))?" % (TARGET, MORE, TARGET))
SECTION = re.compile(r"\b(mosquitto|[Cc]ontract,) (sections? %s(?:%s(?:sections? )?%s)*)" % (PLACE, MORE, PLACE))
STANDARD = re.compile(r"\b(RFC \d+|X\.690|MQTT 5\.0)"
                      r"(?:,? (?:section |appendix )?((?:[A-Z]\.)?\d+(?:\.\d+)*(?:(?:; | and |, )\d+(?:\.\d+)+)*)(?![\w]))?")
PAGE = re.compile(r"(?:AWS IoT developer guide|IAM user guide), \"([^\"]+)\"")
SOURCE = re.compile(r"(?<![\w/.*-])([a-z][a-z0-9_]{2,}\.c)\b(?!\()(?:, (\w+_\w+)(?:\(\))?(?=\)))?")
DOCUMENT = re.compile(r"(?<![\w/.*$}-])((?:\.\./)*(?:[\w-]+/)*[\w-]+\.md)\b")

# What looks like a citation and has not the form of one; also within doc/reference?
WRONG = (
    (re.compile(r"\baws-iot (?![a-z-]+[./]|-)"), "names no section", True),
    (re.compile(r"(?<=[A-J]\.\d), (?:row|step)s? \d|(?<=\bJ), \d"), "is cited as `aws-iot D.2 row 7`", True),
    (re.compile(r"\bmosquitto (?:section |, )?\d+(?:\.\d+)?\b(?!\.\d)"), "is cited as `mosquitto section 0, 6`", True),
    (re.compile(r"\b[Cc]ontract,? (?:section )?\d"), "is cited as `contract, section 6`", True),
    (re.compile(r"(?<![\w.$])[A-HJ]\.\d+(?:\.\d+)?\b(?!\.c)"), "of which document?", False),
    (re.compile(r"\b(?!section)[a-z][\w-]*(?:\.md)?,? sections? \d"), "names no document of doc/reference", False),
    (re.compile(r"\bissues? (?:of \w+, )?points? \d|\bissue(?: of \w+)?, (?:point|bad)"), "cannot be opened", True),
)


def texts():
    for path in [*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*"))]:
        if path.is_file() and path.suffix in KINDS and path != pathlib.Path(__file__).resolve():
            yield path


def joined(text):
    """A citation may go on behind a line's end: one line of it all, and the line that each character came from."""
    parts = re.split(r"\n[ \t]*(?:\*(?![*/])|//|#(?= ))?[ \t]*", text)
    lines = [n for n, part in enumerate(parts, 1) for _ in range(len(part) + 1)]
    return " ".join(parts), lines


class Document:
    """The headings of a document of doc/reference, and what is below each."""
    HEADING = re.compile(r"^(#+) ([Aa]ppendix \d|[A-Z](?:\.\d+)*|\d+(?:\.\d+)*)\.? .*$", re.M)

    def __init__(self, name):
        text = re.sub(r"^```.*?^```$", "", (REFERENCE / name).read_text(), flags=re.M | re.S)
        heads = list(self.HEADING.finditer(text))
        self.own, self.whole = {}, {}
        for n, head in enumerate(heads):
            key = head.group(2).lower() if head.group(2)[1:2].isalpha() else head.group(2)
            behind = heads[n + 1:]
            end = next((h.start() for h in behind if len(h.group(1)) <= len(head.group(1))), len(text))
            self.own[key] = text[head.end():behind[0].start() if behind else len(text)]
            self.whole[key] = text[head.end():end]

    def items(self, key):
        return set(re.findall(r"^(?:\| (\d+) \||(?=\d+\. )(\d+))", self.own[key], re.M)) if key in self.own else set()

    def has(self, key, item=None):
        return key in self.own and (item is None or any(item in pair for pair in self.items(key)))


aws_iot, mosquitto, contract = (Document(name) for name in ("aws-iot.md", "mosquitto.md", "contract.md"))
pages = re.findall(r"\"([^\"]+)\"", aws_iot.own["0.3"])
sources = {name: line for line in mosquitto.own["15"].split("\n- ")
           for name in re.findall(r"(?:^|/)(\w+\.c)\b", line.split(":")[0])}
tree = {path.name for path in ROOT.rglob("*.c") if "build" not in path.parts[len(ROOT.parts)]}


def standards():
    text = (REFERENCE / "README.md").read_text()
    found = {name: set(re.split(r"[,\s]+", cells)) for name, cells in
             re.findall(r"^\| \[([^]]+)\]\([^)]*\) \| [^|]* \| ?([^|]*) \|$", text, re.M)}
    found["RFC 5280"] = set(re.split(r"[,\s]+", re.search(r"^Of RFC 5280: (.*?)\.$", text, re.M | re.S)[1]))
    return found


def numbers(text):
    """3; 3, 4; 3 and 4; 3 to 5"""
    found = []
    for part in re.split(r", and |, | and ", text):
        first, _, last = part.partition(" to ")
        found += range(int(first), int(last or first) + 1)
    return [str(n) for n in found]


def aws_faults(match):
    for target in re.split(MORE + r"(?=appendix|[A-J]\b|\d+\.\d)", match.group(1)):
        key, _, items = re.fullmatch(r"(appendix \d|\S+)(?: (row|step)s? (.*))?", target).groups()
        if not aws_iot.has(key):
            yield "aws-iot has no %s" % key
        for item in numbers(items) if items else ():
            if not aws_iot.has(key, item):
                yield "aws-iot %s has no %s" % (key, item)
    if match.group(2) and match.group(2).lower() not in aws_iot.whole.get(key, "").lower():
        yield "aws-iot %s does not mention %s" % (key, match.group(2))


def section_faults(match):
    document = mosquitto if match.group(1) == "mosquitto" else contract
    for part in re.findall(r"sections? (.*?)(?=%ssection|$)" % MORE, match.group(2)):
        key, _, items = part.partition(", ")
        keys = [key]
        if re.match(r"sections ", match.group(2)):
            keys, items = re.split(r", and |, | and ", part), ""
        for key in keys:
            if not document.has(key):
                yield "%s has no section %s" % (match.group(1), key)
        for item in numbers(items) if items else ():
            if not document.has(key, item):
                yield "%s section %s has no %s" % (match.group(1), key, item)


def standard_faults(match, known=standards()):
    if match.group(1) not in known:
        yield "%s is not in doc/reference/README.md" % match.group(1)
    for section in re.split(r"; | and |, ", match.group(2) or ""):
        if section and section not in known.get(match.group(1), ()):
            yield "%s: section %s is not in doc/reference/README.md" % (match.group(1), section)


def page_faults(match):
    if match.group(1) not in pages:
        yield "\"%s\" is not among the pages of aws-iot 0.3" % match.group(1)


def source_faults(match):
    name, function = match.groups()
    if name in tree:
        return
    if name not in sources:
        yield "%s is neither in the tree nor among mosquitto section 15" % name
    elif function and "`%s`" % function not in sources[name]:
        yield "%s: %s() is not among mosquitto section 15" % (name, function)


def document_faults(path, match):
    name = match.group(1)
    if not any((folder / name).exists() for folder in (path.parent, ROOT, ROOT / "doc", REFERENCE)):
        yield "there is no %s" % name


def is_code(path, flat):
    """Is this offset one of C's code?  a.c is a member there."""
    spans = [m.span() for m in re.finditer(r"/\*.*?\*/", flat, re.S)] if path.suffix in (".c", ".h") else [(0, len(flat))]
    return lambda at: not any(first <= at < last for first, last in spans)


def looks_like(path, flat, taken):
    """What looks like a citation and is none that could be read."""
    for pattern, why, everywhere in WRONG:
        for match in pattern.finditer(flat) if everywhere or path.parent != REFERENCE else ():
            if not any(first <= match.start() < last for first, last in taken):
                yield match, ["%s: %s" % (match.group(), why)]


def citations(path, flat):
    """Matches, and what is wrong with each."""
    taken, code = [], is_code(path, flat)
    for pattern, check in ((AWS, aws_faults), (SECTION, section_faults), (STANDARD, standard_faults), (PAGE, page_faults)):
        for match in pattern.finditer(flat):
            taken.append(match.span())
            yield match, check(match)
    for match in SOURCE.finditer(flat):
        if not code(match.start()):
            yield match, source_faults(match)
    for match in DOCUMENT.finditer(flat):
        yield match, document_faults(path, match)
    yield from looks_like(path, flat, taken)


def faults(path):
    """A line for each fault, None for each citation that is right."""
    text = path.read_text(errors="replace")
    flat, lines = joined(text)
    for match, wrong in citations(path, flat):
        wrong = list(wrong)
        yield from ("%s:%d: %s" % (path.relative_to(ROOT), lines[match.start()], w) for w in wrong)
        if not wrong:
            yield None


def main():
    found = [fault for path in sorted(texts()) for fault in faults(path)]
    wrong = [fault for fault in found if fault]
    print("\n".join(wrong), end="\n" if wrong else "")
    print("%d passed, %d failed" % (len(found) - len(wrong), len(wrong)))
    return 1 if wrong or len(found) < 1000 else 0


sys.exit(main())
