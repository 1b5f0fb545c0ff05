#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""dockerfile.py ROOT - modes of what docker/Dockerfile copies.

Since Docker 28.1 COPY --chmod also gives its mode to the directories that it
creates (moby/moby#49851): 440 makes a directory that only root can enter, and
the image does not start.  So the destination of COPY --chmod has to be there
before.  Without --chmod a file has the mode of the checkout, which after
`umask 077` only root can read: each file that is not built gets a mode."""
import pathlib
import re
import sys

BASE = {"/usr/local/bin", "/usr/local/share"}  # in every Debian


def instructions(text):
    """(name, rest) of each, continuation lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name:
            yield name.upper(), rest.strip()


def made_by(run):
    """The directories of `install -d [-o X] [-g X] [-m X] DIRECTORY...`."""
    for command in re.findall(r"install -d ([^&;|]*)", run):
        yield from re.sub(r"-[ogm] \S+", "", command).split()


def faults(text):
    stages, here = {}, set()
    for name, rest in instructions(text):
        words = rest.split()
        if name == "FROM":
            here = set(stages.get(words[0], BASE))
            stages[words[-1]] = here
        elif name == "RUN":
            here.update(made_by(rest))
        elif name == "COPY":
            options = [word for word in words if word.startswith("--")]
            *_, target = [word for word in words if not word.startswith("--")]
            mode = any(option.startswith("--chmod=") for option in options)
            copied = any(option.startswith("--from=") for option in options)
            if mode and (not target.endswith("/") or target.rstrip("/") not in here):
                yield f"COPY {rest}: --chmod, and {target} is not made before (install -d)"
            if not mode and not copied and target != "/src":
                yield f"COPY {rest}: the mode of the checkout: say --chmod"


def main(root):
    path = pathlib.Path(root, "docker/Dockerfile")
    found = list(faults(path.read_text(encoding="utf-8")))
    for fault in found:
        print(f"{path}: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
