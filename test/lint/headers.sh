#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# Every header compiles alone: whoever includes it needs nothing else first.
set -u
root=$1
failed=0 count=0
for header in "$root"/include/jitr/*/*.h; do
	count=$((count + 1))
	"${CC:-cc}" -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Werror -I"$root/include" \
		-fsyntax-only -x c "$header" || failed=$((failed + 1))
done
echo "$((count - failed)) passed, $failed failed"
[ "$failed" = 0 ] && [ "$count" -gt 0 ]
