#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# fuzz.sh [SECONDS] - fuzzes each target of test/fuzz for this time (20 by default), with
# libFuzzer, ASan and UBSan, and prints a table.
#
#   JITR_FUZZ_SECONDS=3600   this time in total instead
#   JITR_FUZZ_TARGETS="..."  these targets only: "registry json"
#   JITR_FUZZ_CORPUS=DIR     inputs that were found interesting, kept for the next run
#                            (build-fuzz/corpus by default)
#
# It fails if a target fails, or reaches fewer edges of the program than test/fuzz/edges says:
# then the target no longer gets to its parser.  An input that failed is in
# build-fuzz/findings; put it into test/fuzz/TARGET.in to test it from then on.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

need "${build_packages[@]}" clang
version=$(clang -dumpversion)
need "libclang-rt-${version%%.*}-dev"
build_dir=$(build_dir fuzz)
corpus_dir=${JITR_FUZZ_CORPUS:-$build_dir/corpus}
findings=$build_dir/findings

all_targets() {
	local file
	for file in "$root"/test/fuzz/fuzz_*.c; do
		file=$(basename "$file" .c)
		printf '%s\n' "${file#fuzz_}"
	done
}

read -r -a targets <<<"${JITR_FUZZ_TARGETS:-$(all_targets | tr '\n' ' ')}"
seconds=${1:-20}
if [ -n "${JITR_FUZZ_SECONDS:-}" ]; then
	seconds=$(((JITR_FUZZ_SECONDS + ${#targets[@]} - 1) / ${#targets[@]}))
fi

compile_targets() {
	configure fuzz && cmake --build "$build_dir" --target "${targets[@]/#/fuzz_}"
}

# field LOG NAME: the last value of "NAME: value" in libFuzzer's status lines.
field() {
	grep -oE "(^| )$2: [0-9]+" "$1" | tail -n 1 | grep -oE '[0-9]+$' || echo 0
}

# fuzz TARGET: runs it; prints a row of the table.
fuzz() {
	local target=$1 log=$log_dir/$1.log status=0 edges least result=ok
	mkdir -p "$corpus_dir/$target" "$findings"
	"$build_dir/test/fuzz/fuzz_$target" -max_total_time="$seconds" -rss_limit_mb=2048 \
		-timeout=25 -max_len=4096 -print_final_stats=1 -artifact_prefix="$findings/$target-" \
		"$corpus_dir/$target" "$root/test/fuzz/$target.in" >"$log" 2>&1 || status=$?
	edges=$(field "$log" cov)
	least=$(sed -nE "s/^$target +([0-9]+)$/\1/p" "$root/test/fuzz/edges")
	if [ "$status" != 0 ]; then
		result=FAILED
	elif [ -z "$least" ]; then
		result='NO MINIMUM'
	elif [ "$edges" -lt "$least" ]; then
		result='TOO FEW EDGES'
	fi
	printf '%-17s %10s %8s %8s %8s  %s\n' "$target" \
		"$(sed -nE "s/^stat::number_of_executed_units: +([0-9]+)$/\1/p" "$log")" "$edges" "${least:--}" \
		"$(find "$corpus_dir/$target" -type f | wc -l)" "$result"
	[ "$result" = ok ]
}

with_progress "        building ${#targets[@]} targets" "$log_dir/build.log" compile_targets || {
	tail -n 40 "$log_dir/build.log" >&2
	die "building the targets failed"
}
printf '%d targets, %d seconds each\n' "${#targets[@]}" "$seconds"
printf '%-17s %10s %8s %8s %8s\n' target runs edges minimum corpus
failed=0
for target in "${targets[@]}"; do
	fuzz "$target" || {
		failed=$((failed + 1))
		grep -E 'ERROR|SUMMARY|Test unit written|runtime error|^ +#[0-9]+ ' "$log_dir/$target.log" |
			head -n 40 || true
	}
done
printf '%d passed, %d failed\n' $((${#targets[@]} - failed)) "$failed"
[ "$failed" = 0 ]
