#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# tidy.sh [FILE...] - static analysis of the plugin and the command line, or of these files,
# with the checks of .clang-tidy.  Every finding is a failure.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

need "${build_packages[@]}" clang clang-tidy
configure clang >"$log_dir/configure.log" 2>&1 || {
	tail -n 40 "$log_dir/configure.log" >&2
	die "cmake failed"
}
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find "$root/plugin" "$root/ctl" -name '*.c' | sort)

# The compile commands are those of the preset clang: clang-tidy does not know all of gcc's flags.
analyse() {
	printf '%s\n' "${files[@]}" | xargs -d '\n' -P "$(nproc)" -n 1 \
		clang-tidy --quiet -p "$(build_dir clang)" 2>/dev/null
}

start=$SECONDS
if with_progress "        ${#files[@]} files" "$log_dir/tidy.log" analyse; then
	printf '%d files: 1 passed, 0 failed (%d s)\n' ${#files[@]} $((SECONDS - start))
else
	cat "$log_dir/tidy.log"
	printf '%d files: 0 passed, 1 failed (%d s)\n' ${#files[@]} $((SECONDS - start))
	exit 1
fi
