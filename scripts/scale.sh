#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# scale.sh - measures registries of different sizes: bytes on disk, start,
# memory, connections, lists, changes, and thousands of live connections.
# doc/performance.md explains the numbers.  Environment variables:
#
#   JITR_SCALE_SIZES="1000 100000"   certificates; 1000000 and 10000000 take longer
#   JITR_SCALE_LIVE=10000            live connections; needs that many descriptors
#   JITR_SCALE_NEW=20000             new devices whose events arrive; 0: none
#   JITR_SCALE_ROUNDS=5              rounds of delete and register again; 0: none
#   JITR_BENCH_DYNSEC=FILE           mosquitto_dynamic_security.so, to compare with
#   JITR_BENCH_BROKER=mosquitto      the broker
#   JITR_BENCH_DIR=/var/tmp          where the registry is, on a real disk
#   JITR_BENCH_STRICT=0              1: exit with an error if a goal is missed
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d "${JITR_BENCH_DIR:-/var/tmp}/jitr-scale.XXXXXX")
log_dir=$dir
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

cleanup() {
	local status=$?
	trap - EXIT INT TERM
	[ "$status" -lt 2 ] || tail -n 5 "$dir"/*/*.log >&2 2>/dev/null || true
	rm -rf "$dir"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

need "${build_packages[@]}"
build_dir=$(build_dir release)
{ configure release -DJITR_TESTS=ON &&
	cmake --build "$build_dir" --target bench_scale; } >"$dir/build.log" 2>&1 || {
	tail -n 40 "$dir/build.log" >&2
	die "the build failed"
}

printf '%s, %s processors (%s), Linux %s\n' "$(date -u +%Y-%m-%d)" "$(nproc)" \
	"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)"
printf '%s, %s, load average %s\n' \
	"$("${JITR_BENCH_BROKER:-mosquitto}" -h 2>/dev/null | head -n 1)" \
	"$(openssl version | cut -d ' ' -f 1-2)" "$(cut -d ' ' -f 1-3 /proc/loadavg)"

dynsec=${JITR_BENCH_DYNSEC:-$(find /usr/lib /usr/local/lib -name mosquitto_dynamic_security.so 2>/dev/null | head -n 1)}
missed=0
for size in ${JITR_SCALE_SIZES:-1000 100000}; do
	mkdir "$dir/$size"
	printf '\n'
	# The file has up to two bytes for each one in use, and a bound that is far away.
	JITR_SCALE_CERTS=$size JITR_BENCH_MAP_MB=$((size / 300 + 2048)) \
		"$build_dir/test/bench/bench_scale" "$dir/$size" "$build_dir/mosquitto_jitr.so" \
		"${dynsec:-missing}" || { status=$?; [ "$status" -lt 2 ] || exit "$status"; missed=$status; }
	rm -rf "${dir:?}/$size"
done
[ "$missed" = 0 ]
