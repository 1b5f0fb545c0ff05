#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# crl.sh - measures the import of a revocation list of a million entries: its
# duration, the delay of other clients meanwhile, and the time until a live
# connection of a listed certificate is closed.  Environment variables:
#
#   JITR_CRL_ENTRIES=1000000       entries of the list
#   JITR_BENCH_DIR=/var/tmp        where the registry is, on a real disk
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

need "${build_packages[@]}" python3 python3-pytest python3-paho-mqtt python3-cryptography
build_dir=$(build_dir release)
{ configure release &&
	cmake --build "$build_dir" --target mosquitto_jitr_plugin mosquitto_jitr; } \
	>"$log_dir/build.log" 2>&1 || {
	tail -n 40 "$log_dir/build.log" >&2
	die "the build failed"
}

printf '%s, %s processors (%s), Linux %s\n' "$(date -u +%Y-%m-%d)" "$(nproc)" \
	"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)"
printf '%s, %s, load average %s\n\n' "$(mosquitto -h 2>/dev/null | head -n 1)" \
	"$(openssl version | cut -d ' ' -f 1-2)" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
JITR_BUILD_DIR=$build_dir PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$root/test/bench/crl.py"
