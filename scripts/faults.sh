#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# faults.sh - breaks a broker under load in many ways: it is killed, its disk is full,
# fails or loses power, its files disappear, its clock is wrong.  Prints what held in a
# table, and ends with 0 if all of it did.  Some four minutes.
#
#   --kills 20     how often each process is killed, up to 500
#   --seed N       the moments and choices of an earlier run
#   --only TEXT    the faults whose name has it
#   --resume FILE  goes on with the totals of earlier runs, up to --kills of each process
#
# Faults that need root, a file system or a program that is not there are skipped with
# the reason.  JITR_FAULTS_KEEP=1 keeps the brokers' directories.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

need "${build_packages[@]}" "${test_packages[@]}" e2fsprogs xfsprogs util-linux
build release -DJITR_TESTS=ON
printf '%s, %s, Linux %s\n' "$(date -u +%Y-%m-%d)" \
	"$(mosquitto -h 2>/dev/null | head -n 1)" "$(uname -r)"
JITR_BUILD_DIR=$(build_dir release) /usr/bin/python3 "$root/test/faults/faults.py" "$@"
