#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# Every Python file compiles; nothing is left behind.
set -u
cd "$1" || exit 1
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
PYTHONPYCACHEPREFIX=$cache python3 -m py_compile examples/*.py scripts/*.py test/*/*.py || exit 1
echo "1 passed, 0 failed"
