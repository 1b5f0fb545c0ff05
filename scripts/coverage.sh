#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# coverage.sh - the lines and branches that the unit tests and the fuzz targets' inputs
# execute, by folder; fails below the minimum of scripts/coverage.py.
#
#   JITR_COVERAGE_INTEGRATION=1   with the integration tests, too
#   JITR_COVERAGE_FILES=1         with a row for each file
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

chmod 755 "$log_dir" # some tests run as another user
need "${build_packages[@]}" python3
labels="unit|fuzz"
if [ "${JITR_COVERAGE_INTEGRATION:-0}" != 0 ]; then
	need "${test_packages[@]}"
	labels="$labels|integration"
fi
build coverage
build_dir=$(build_dir coverage)
find "$build_dir" -name '*.gcda' -delete

# Without optimisation the long tests take several times as long.
run_tests() {
	export TMPDIR=$log_dir CK_TIMEOUT_MULTIPLIER=10
	(cd "$build_dir" && ctest -j "$(nproc)" --no-tests=error -L "$labels")
}

with_progress "        $labels" "$log_dir/tests.log" run_tests || {
	grep -E 'Failed|Timeout|tests passed' "$log_dir/tests.log" >&2
	die "a test failed: see $build_dir/Testing/Temporary/LastTest.log"
}
python3 "$root/scripts/coverage.py" "$root" "$build_dir"
