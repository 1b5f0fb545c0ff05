#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Includes point down only, and each library has one door (doc/architecture.md)."""
import pathlib
import re
import sys

LAYERS = {"core": 1, "adapter": 2, "service": 3, "api": 4, "shell": 5}
HEADERS = {
    0: ["base"],
    1: ["access", "text", "topic", "aws_gap", "model", "codec", "crl_scope", "crl_walk", "decide", "der", "event", "facts", "json_grammar", "name", "pace", "variable", "pattern", "condition", "plan", "policy", "policy_form", "policy_warning", "rule", "rule_form", "template", "template_form"],
    2: ["crl", "expression", "json", "store", "trust", "trust_chain", "x509"],
    3: ["agenda", "anchors", "broker", "ca_dir", "ca_mirror", "counters", "crl_import", "crls", "gate", "health", "inquiry", "outbox", "presence", "registry", "registry_activate", "registry_policy", "registry_template", "registry_thing", "report", "stats", "writer"],
    4: ["request"],
    5: ["config"],
}
DOORS = {
    r"openssl/": r"plugin/adapter/(crl|trust|x509)\w*\.[ch]|ctl/\w+\.[ch]",
    r"lmdb\.h": r"plugin/adapter/store\w*\.[ch]",
    r"regex\.h": r"plugin/adapter/expression\.c",
    r"cjson/": r"plugin/adapter/(compiler|json|policy|rule|template)\w*\.[ch]|plugin/api/\w+\.[ch]|ctl/\w+\.[ch]",
    r"pthread\.h": r"plugin/service/writer\.c",
    r"mosquitto(/|\.h|_broker|_plugin)": r"plugin/shell/mosquitto_api\.h|ctl/client\.[ch]",
    r"(uthash|utlist)\.h": r"plugin/service/\w+\.[ch]",
}
PURE = {"access", "aws_gap", "base", "codec", "codec_activation", "codec_crl", "codec_field", "codec_policy", "condition", "condition_parse", "crl_scope", "crl_walk", "decide", "der", "event", "facts", "json_grammar", "model", "name", "pace", "pattern", "policy", "policy_warning", "rule", "template", "topic", "variable"}
IMPURE = re.compile(r"\b(time|clock_gettime|malloc|calloc|realloc|free|fopen|getenv|rand)\s*\(")


def layer_of(header):
    for level, names in HEADERS.items():
        if header in names:
            return level
    return None


def faults(root):
    for path in sorted([*root.glob("plugin/**/*.[ch]"), *root.glob("ctl/*.[ch]")]):
        name = path.relative_to(root).as_posix()
        text = path.read_text()
        level = LAYERS.get(path.parent.name)
        for include in re.findall(r'^#include ["<]([^">]+)', text, re.M):
            own = re.match(r"jitr/(\w+)\.h", include)
            if own:
                below = layer_of(own.group(1))
                if below is None:
                    yield f"{name}: {include} has no layer in this test"
                elif level is not None and below > level:
                    yield f"{name}: includes {include} of a layer above"
            for library, door in DOORS.items():
                if re.match(library, include) and not re.fullmatch(door, name):
                    yield f"{name}: {include} has another door"
        if path.parent.name == "core" and path.stem in PURE and IMPURE.search(text):
            yield f"{name}: the core has no clock, no memory and no files"


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(faults(root))
    print("\n".join(found))
    print(f"{1 if not found else 0} passed, {len(found)} failed")
    return 1 if found else 0


sys.exit(main())
