#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# fuzz.sh [SECONDS] - fuzzes each parser of untrusted bytes for this time (60 by
# default), with libFuzzer, ASan and UBSan.  It prints the directory of the inputs
# that failed; put them into test/fuzz/<target>.in to test them from then on.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
seconds=${1:-60}
log_dir=$(mktemp -d)
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

need "${build_packages[@]}" clang
version=$(clang -dumpversion)
need "libclang-rt-${version%%.*}-dev"
build_dir=$(build_dir fuzz)
build fuzz
for target in "$root"/test/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	corpus=$log_dir/$name
	mkdir "$corpus"
	printf '%s: ' "$name"
	if "$build_dir/test/fuzz/$name" -max_total_time="$seconds" -rss_limit_mb=2048 \
		-artifact_prefix="$log_dir/$name-" "$corpus" "$root/test/fuzz/${name#fuzz_}.in" \
		>"$log_dir/$name.log" 2>&1; then
		grep -E '^Done' "$log_dir/$name.log"
	else
		tail -n 30 "$log_dir/$name.log"
		die "$name failed; see $log_dir"
	fi
done
rm -rf "$log_dir"
