#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""manuals.py BUILD [--check] - the reference sections of the man pages.

The tables of the program and of the documents are not repeated by hand in doc/man.
Each page has places marked

    .\\" begin NAME
    .\\" end

which this script fills in from `BUILD/mosquitto_jitr help` and the tables in
doc/, which tests compare with the code.  With --check it changes nothing and fails
if a page is out of date.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOC = ROOT / "doc"


def roff(text):
    """Plain text as roff takes it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = text.replace("~", "\\(ti").replace("^", "\\(ha").replace("`", "\\(ga")
    return re.sub(r"^([.'])", r"\\&\1", text)


def prose(markdown):
    """A paragraph of Markdown: code and bold become bold, links their text."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown.replace("\\|", "|"))
    parts = re.split(r"`([^`]*)`|\*\*([^*]*)\*\*", text)
    out = ""
    for plain, code, strong in zip(parts[::3], parts[1::3] + [None], parts[2::3] + [None]):
        out += roff(plain) if out == "" else roff("x" + plain)[1:]
        if code or strong:
            out += "\\fB" + roff(code or strong) + "\\fR"
    return re.sub(r"^([.'])", r"\\&\1", out)


def item(tag, *paragraphs):
    lines = [".TP", tag]
    for i, paragraph in enumerate(paragraphs):
        lines += ([".IP"] if i else []) + [paragraph]
    return lines


def rows(document, heading):
    """The rows of the first table below a line of a document."""
    below = (DOC / document).read_text().split("\n" + heading + "\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", below, re.M).group().splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


def sentence(text):
    """Begins with a capital, unless it begins with a name, and ends with a full stop."""
    text = re.sub(r"^(\[?)([a-z])(?=[a-z]*(?:[ ,;:.\]-]|$))",
                  lambda first: first.group(1) + first.group(2).upper(), text)
    return text if text.endswith((".", "?", "!")) else text + "."


def plugin_options():
    lines = []
    for name, default, meaning in rows("operations.md", "## Options"):
        lines += item(prose(name), prose(sentence(meaning)), prose("Default: %s." % default))
    return lines


def plugin_reasons():
    lines = []
    for reason, code, what in rows("operations.md", "### Why a client was refused"):
        lines += item(prose(code), prose("%s %s" % (sentence(reason), sentence(what))))
    return lines


def plugin_not_opening():
    lines = []
    for says, because in rows("storage.md", "## When it does not open"):
        lines += item(prose("**%s**" % says), prose(sentence(because)))
    return lines


def api_errors():
    lines = []
    for name, status, when in rows("api.md", "## Errors"):
        lines += item("%s (%s)" % (prose(name), status), prose(sentence(when)))
    return lines


def exit_status():
    lines = []
    for status, meaning, shown in rows("commands.md", "## Errors and exit status"):
        shown = " On standard error: %s." % shown.rstrip(".") if shown else ""
        lines += item(roff(status), prose(sentence(meaning) + shown))
    return lines


def flag_values():
    lines = []
    for value, given in rows("commands.md", "## Flags"):
        lines += item(prose(value), prose(sentence(given)))
    return lines


class Help:
    """The help texts of the program."""

    def __init__(self, program):
        self.program = program
        self.overview = self.ask("help")
        block = re.search(r"^Commands:\n((?:  .*\n)+)", self.overview, re.M).group(1)
        self.commands = [line.split(None, 1) for line in block.splitlines()]

    def ask(self, *words):
        return subprocess.run([self.program, *words], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def options(self):
        block = self.overview.split("\nOptions, before", 1)[1].split("\n\n", 1)[0]
        lines = []
        for line in block.splitlines()[1:]:
            names, meaning = re.match(r"  (.*?)\s{2,}(.*)|  (.{32}) (.*)", line).group(1, 2)
            lines += item(names_and_value(names), roff(sentence(meaning)))
        return lines

    def command_list(self):
        return [line for name, summary in self.commands
                for line in item("\\fB%s\\fR" % roff(name), roff(summary))]

    def common_flags(self):
        return flags_in(self.overview.split("\nWith every command:\n", 1)[1].split("\n\n", 1)[0])

    def reference(self):
        lines = []
        for name, summary in self.commands:
            text = self.ask("help", name)
            lines += [".SS " + roff(name), roff(summary)]
            if "\nFlags:\n" in text:
                lines += flags_in(text.split("\nFlags:\n", 1)[1].split("\n\n", 1)[0])
            example = text.rstrip().splitlines()[-1].split(None, 1)[1]
            lines += [".PP", "Example:", ".PP", ".nf", ".RS 4",
                      roff("mosquitto_ctrl jitr " + example), ".RE", ".fi"]
            lines += errors_of(name)
        return lines


def names_and_value(text):
    """Names of a flag in bold, its value in italics."""
    words = []
    for word in text.split(" "):
        bare = word.rstrip(",")
        font = "B" if word.startswith("-") else "I" if re.match(r"[A-Z]|\.\.\.", word) else "R"
        words.append("\\f%s%s\\fR%s" % (font, roff(bare), word[len(bare):]))
    return " ".join(words)


def flags_in(block):
    lines = []
    for flag in re.split(r"\n(?=  --)", block.strip("\n")):
        head, *text = flag.splitlines()
        lines += item(names_and_value(re.sub(r"\s+", " ", head.strip())),
                      roff(" ".join(line.strip() for line in text)))
    return lines


def errors_of(command):
    """The paragraph `Errors:` of a command's section."""
    section = (DOC / "commands.md").read_text().split("\n### %s\n" % command, 1)[1]
    section = re.split(r"\n##+ ", section, maxsplit=1)[0]
    found = re.search(r"^Errors: (.*?)(?:\n\n|\n?\Z)", section, re.M | re.S)
    return [".PP", prose("Errors: " + found.group(1).replace("\n", " "))] if found else []


def fill_in(page, parts):
    def part(match):
        return "%s%s\n%s" % (match.group(1), "\n".join(parts[match.group(2)]()), match.group(4))
    return re.sub(r'(^\.\\" begin (\S+)\n)(.*?)(^\.\\" end\n)', part, page, flags=re.M | re.S)


def main():
    program = Help(pathlib.Path(sys.argv[1]) / "mosquitto_jitr")
    parts = {
        "plugin-options": plugin_options,
        "plugin-reasons": plugin_reasons,
        "plugin-not-opening": plugin_not_opening,
        "connection-options": program.options,
        "command-list": program.command_list,
        "common-flags": program.common_flags,
        "flag-values": flag_values,
        "commands": program.reference,
        "errors": api_errors,
        "exit-status": exit_status,
    }
    pages = sorted((DOC / "man").glob("*.[18]"))
    stale = 0
    for path in pages:
        is_now = path.read_text()
        should_be = fill_in(is_now, parts)
        if is_now == should_be:
            continue
        stale += 1
        if "--check" in sys.argv:
            print("%s is not what the tables say: run scripts/manuals.py %s" %
                  (path.relative_to(ROOT), sys.argv[1]))
        else:
            path.write_text(should_be)
    if "--check" in sys.argv:
        print("%d passed, %d failed" % (len(pages) - stale, stale))
        return 1 if stale or not pages else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
