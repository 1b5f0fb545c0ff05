#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# bench.sh - measures the cost of the plugin: a broker with it, the same broker
# without it, and the plugin's own part.  doc/performance.md explains the
# numbers.  Environment variables:
#
#   JITR_BENCH_PARTS="gate policy broker publish storm goals"   which parts to run
#
# gate and broker, connections:
#
#   JITR_BENCH_REGISTERED=100000   certificates in the registry
#   JITR_BENCH_PARALLEL=16         connections at a time
#   JITR_BENCH_ROUNDS=50           of known devices, for each side ...
#   JITR_BENCH_CONNECTIONS=200     ... with so many connections
#   JITR_BENCH_STORMS=3            of new devices, for each side ...
#   JITR_BENCH_DEVICES=5000        ... with so many of them
#   JITR_BENCH_INSTRUCTIONS=0      200: count instructions, too, over 200 connections
#
# publish, messages:
#
#   JITR_BENCH_COUNTS=5            brokers whose instructions are counted, for each side ...
#   JITR_BENCH_COUNTED=1600        ... over so many messages; needs valgrind
#   JITR_BENCH_PUBLISH_ROUNDS=10   rounds of CPU time, for each side ...
#   JITR_BENCH_MESSAGES=1600       ... of so many messages
#   JITR_BENCH_DYNSEC=FILE         mosquitto_dynamic_security.so, to compare with
#   JITR_BENCH_AUTHORIZATION=policy  or allow: without policies
#
# storm, thousands at once:
#
#   JITR_BENCH_CLOSES=10000        connections that one policy version closes
#   JITR_BENCH_EVENTS=20000        new devices whose events a subscriber receives; 0: none
#
# goals, one change by command line and PINGREQ of another client, in a table at the end:
#
#   JITR_BENCH_GOAL_ROUNDS=3       pairs of a bare broker and one that works, in turns
#   JITR_BENCH_ENTRIES=300000      entries of the list; 3800000 takes minutes
#   JITR_BENCH_THINGS=6000         things that are listed
#   JITR_BENCH_BEFORE=DIR          a build of an earlier version, measured too
#
# and all:
#
#   JITR_BENCH_BROKER=mosquitto    the broker
#   JITR_BENCH_DIR=/var/tmp        where the registry is, on a real disk
#   JITR_BENCH_STRICT=0            1: exit with an error if a goal is missed
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d "${JITR_BENCH_DIR:-/var/tmp}/jitr-bench.XXXXXX")
log_dir=$dir
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

cleanup() {
	local status=$?
	trap - EXIT INT TERM
	[ "$status" -lt 2 ] || tail -n 5 "$dir"/{broker,publish,storm}/*.log >&2 2>/dev/null || true
	rm -rf "$dir"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

need "${build_packages[@]}"
parts=" ${JITR_BENCH_PARTS:-gate policy broker publish storm goals} "
has() { [[ $parts == *" $1 "* ]]; }
if [ "${JITR_BENCH_INSTRUCTIONS:-0}" != 0 ] || { has publish && [ "${JITR_BENCH_COUNTS:-5}" != 0 ]; }; then
	need valgrind
fi
if has goals; then
	need python3 python3-pytest python3-paho-mqtt python3-cryptography
fi
build_dir=$(build_dir release)
{ configure release -DJITR_TESTS=ON &&
	cmake --build "$build_dir" --target bench_broker bench_gate \
		bench_policy bench_publish bench_storm mosquitto_jitr mosquitto_jitr_registrar; } >"$dir/build.log" 2>&1 || {
	tail -n 40 "$dir/build.log" >&2
	die "the build failed"
}

printf '%s, %s processors (%s), Linux %s\n' "$(date -u +%Y-%m-%d)" "$(nproc)" \
	"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)"
printf '%s, %s, load average %s\n\n' \
	"$("${JITR_BENCH_BROKER:-mosquitto}" -h 2>/dev/null | head -n 1)" \
	"$(openssl version | cut -d ' ' -f 1-2)" "$(cut -d ' ' -f 1-3 /proc/loadavg)"

missed=0
mkdir "$dir/gate" "$dir/broker" "$dir/publish" "$dir/storm"
if has gate; then
	"$build_dir/test/bench/bench_gate" "$dir/gate"
	rm -rf "$dir/gate"
fi
if has policy; then
	"$build_dir/test/bench/bench_policy"
fi
if has broker; then
	"$build_dir/test/bench/bench_broker" "$dir/broker" "$build_dir/mosquitto_jitr.so" || missed=$?
	[ "$missed" -lt 2 ] || exit "$missed"
	rm -rf "$dir/broker"
fi
if has publish; then
	dynsec=${JITR_BENCH_DYNSEC:-$(find /usr/lib /usr/local/lib -name mosquitto_dynamic_security.so 2>/dev/null | head -n 1)}
	"$build_dir/test/bench/bench_publish" "$dir/publish" "$build_dir/mosquitto_jitr.so" \
		"${dynsec:-missing}" || { status=$?; [ "$status" -lt 2 ] || exit "$status"; missed=$status; }
fi
if has storm; then
	"$build_dir/test/bench/bench_storm" "$dir/storm" "$build_dir/mosquitto_jitr.so" ||
		{ status=$?; [ "$status" -lt 2 ] || exit "$status"; missed=$status; }
fi
# measure_goals BUILD ROWS
measure_goals() {
	JITR_BUILD_DIR=$1 JITR_BENCH_ROWS=$2 JITR_BENCH_DIR=$dir PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 "$root/test/bench/goals.py"
}

# The value of an earlier version stands before that of this one, in the row of the same name.
print_goals() {
	awk -F '\t' 'FNR == NR && FILENAME ~ /before$/ { before[$1] = $3; next }
		BEGIN { line = "%-44s %-16s %-10s %-10s %-10s %-14s %s\n"
			printf line, "what", "bare", "before", "plugin", "relation", "goal", "" }
		{ printf line, $1, $2, before[$1], $3, $4, $5, $6 }' "$dir/before" "$dir/now"
}

if has goals; then
	: >"$dir/before"
	if [ -n "${JITR_BENCH_BEFORE:-}" ]; then
		printf '\nbefore:\n'
		measure_goals "$(realpath "$JITR_BENCH_BEFORE")" "$dir/before"
	fi
	printf '\nnow:\n'
	measure_goals "$build_dir" "$dir/now"
	printf '\n'
	print_goals
	if [ "${JITR_BENCH_STRICT:-0}" != 0 ] && grep -q MISSED "$dir/now"; then
		missed=1
	fi
fi
[ "$missed" = 0 ]
