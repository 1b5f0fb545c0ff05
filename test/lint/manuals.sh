#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# The man pages are what program and tables say, and roff has nothing to say
# about them.  man-db and mandoc judge where they are installed.
set -u
build=$2
cd "$1" || exit 1
failed=0

python3 scripts/manuals.py "$build" --check || failed=1
for page in doc/man/*.[18]; do
	if command -v mandoc >/dev/null; then
		mandoc -Tlint -W warning "$page" || failed=1
	fi
	if command -v man >/dev/null; then
		said=$(LC_ALL=C.UTF-8 man --warnings -l "$page" 2>&1 >/dev/null)
		[ -z "$said" ] || { echo "$page: $said"; failed=1; }
	fi
done
echo "$((1 - failed)) passed, $failed failed"
exit $failed
