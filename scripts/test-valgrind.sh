#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# test-valgrind.sh [PYTEST ARGUMENT...] - integration tests with the broker and the registrar in
# valgrind, which also sees uninitialised memory, and reads and leaks in libraries: by default first
# connections and control requests, of each table of cases the first.
#
# A broker that ends after an error has status 99, which fails its test; its log has the error.
# The registrar's errors are in the same log, which the tests search for them.
# test/integration/valgrind.supp names what is Mosquitto's own.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

need "${build_packages[@]}" "${test_packages[@]}" valgrind libc6-dbg
build release -DJITR_TESTS=ON
[ $# -gt 0 ] || set -- test_first_connect.py test_control.py
JITR_BUILD_DIR=$(build_dir release)
JITR_BROKER_WRAPPER="valgrind -q --error-exitcode=99 --leak-check=full --trace-children=yes
	--errors-for-leak-kinds=definite --show-leak-kinds=definite --num-callers=40
	--suppressions=$root/test/integration/valgrind.supp"
export JITR_BUILD_DIR JITR_BROKER_WRAPPER JITR_FIRST_ROWS=1
exec /usr/bin/python3 "$root/test/integration/run.py" -q -n "$(nproc)" "$@"
