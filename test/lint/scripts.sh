#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# ShellCheck finds nothing to say about our scripts.
set -u
cd "$1" || exit 1
shellcheck -x -e SC1091,SC2016 scripts/*.sh examples/*.sh docker/*.sh test/lint/*.sh .ci/run || exit 1
echo "1 passed, 0 failed"
