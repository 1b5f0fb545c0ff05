#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# package.sh - builds the Debian package, from the same code and with the same
# flags as the tested build, and prints its path.  If lintian is installed, its
# errors and warnings are failures.
#
# DEBFULLNAME and DEBEMAIL name the maintainer of the package.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"
umask 022

# The date of the release, so that the same source always gives the same package.
released=$(sed -n 's/^## [0-9.]* - \([0-9-]*\)$/\1/p' "$root/CHANGELOG.md" | head -n 1)
SOURCE_DATE_EPOCH=$(date -u -d "$released" +%s)
export SOURCE_DATE_EPOCH

need "${build_packages[@]}" dpkg-dev file
maintainer=()
[ -z "${DEBEMAIL:-}" ] || maintainer=(-DJITR_MAINTAINER="${DEBFULLNAME:-$DEBEMAIL} <$DEBEMAIL>")
build_dir=$(build_dir package)
build package "${maintainer[@]}"
rm -f "$build_dir"/*.deb
(cd "$build_dir" && cpack) >"$log_dir/cpack.log" 2>&1 || {
	tail -n 40 "$log_dir/cpack.log" >&2
	die "cpack failed"
}
package=$(echo "$build_dir"/*.deb)
if command -v lintian >/dev/null; then
	lintian --allow-root --fail-on error,warning "$package"
fi
echo "$package"
