#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# test.sh - builds and runs all tests, and ends with a summary line.
#
#   unit          each module with check
#   integration   a real broker and real clients
#   lint          the rules of the code and the documents: layers, headers, lengths, links
#   sanitize      unit and integration again under ASan and UBSan; of tables of
#                 integration tests the first case
#   clang         everything compiles with the other compiler, without a warning
#
# JITR_TEST_QUICK=1 leaves out the last two.  test/README.md says how long each takes.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

passed=0 failed=0

# run NAME COMMAND...: shows that it goes on, then the runners' closing lines, or
# everything of a command that fails.
run() {
	local name=$1 log=$log_dir/$1.log start=$SECONDS
	shift
	[ -t 1 ] || printf 'start   %s\n' "$name"
	if with_progress "        $name" "$log" "$@"; then
		grep -hE '^([0-9]+: )?([0-9]+%: Checks|=+ .*(passed|failed|skipped).* =+$|[0-9]+ passed)' \
			"$log" | sed -E 's/^[0-9]+: //; s/^/  /'
		grep -hE 'tests passed' "$log" | sed 's/^/  /'
		printf 'ok      %s (%d s)\n' "$name" $((SECONDS - start))
		passed=$((passed + 1))
	else
		cat "$log"
		printf 'FAILED  %s (%d s)\n' "$name" $((SECONDS - start))
		failed=$((failed + 1))
	fi
}

# labelled PRESET LABELS: its tests with these labels.
labelled() {
	(cd "$(build_dir "$1")" && ctest -V -j "$(nproc)" --no-tests=error -L "$2")
}

configure_and_compile() {
	configure "$1" && compile "$1"
}

need "${build_packages[@]}" "${test_packages[@]}" shellcheck mandoc

build release -DJITR_TESTS=ON
run unit labelled release "unit|fuzz"
run lint labelled release lint
run integration labelled release integration

if [ "${JITR_TEST_QUICK:-0}" = 0 ]; then
	need clang
	build sanitize
	run sanitize-unit labelled sanitize "unit|fuzz"
	run sanitize-integration labelled sanitize integration
	run clang configure_and_compile clang
fi

printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
