#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# The first release in CHANGELOG.md is the version of CMakeLists.txt, and nobody
# else writes it down.
set -u
cd "$1" || exit 1
failed=0

version=$(sed -n 's/^project(.* VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
released=$(sed -n 's/^## \([0-9.]*\) - [0-9]\{4\}-[0-9][0-9]-[0-9][0-9]$/\1/p' CHANGELOG.md | head -n 1)
if [ "${version:-none}" != "$released" ]; then
	echo "CMakeLists.txt says ${version:-nothing}, CHANGELOG.md ${released:-nothing}"
	failed=$((failed + 1))
fi
pattern="\\b$(echo "$version" | sed 's/\./\\./g')\\b"
if grep -rnE "$pattern" cmake ctl plugin include scripts docker README.md; then
	echo "the version $version is written down there, too"
	failed=$((failed + 1))
fi
echo "$((2 - failed)) passed, $failed failed"
[ "$failed" = 0 ]
