#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# test-brokers.sh - the integration tests with every supported broker.
#
#   scripts/test-brokers.sh [--suite SUITE]... [--bound SECONDS] [--keep] [FILE...]
#
# Builds once, here, and runs the tests with that binary in clean roots of
# Debian's suites, one after the other, each with its own Mosquitto.  Ends with
# a table; 0 only if all of it passed.
#
#   --suite SUITE     bookworm, bookworm-backports, trixie or sid; default: all
#   --bound SECONDS   for the tests of one suite; default 900
#   --keep            keep the packed roots in ${XDG_CACHE_HOME:-~/.cache}/mosquitto-jitr
#                     and use existing ones; those of sid become outdated
#   FILE              of test/integration, or any argument of pytest; default: all
#
# Debian 12 only: a build made there runs on newer versions, but not the reverse.  Root only, for the roots.  They are mounted in a namespace of their
# own, so an interrupt leaves nothing mounted.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

suites=() bound=900 keep=0 tests=()
while [ $# -gt 0 ]; do
	case $1 in
	--suite) suites+=("${2:?--suite needs a name}") && shift ;;
	--bound) bound=${2:?--bound needs a number} && shift ;;
	--keep) keep=1 ;;
	-h | --help) sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0" && exit 0 ;;
	*) tests+=("$1") ;;
	esac
	shift
done
[ ${#suites[@]} -gt 0 ] || suites=(bookworm bookworm-backports trixie sid)
for suite in "${suites[@]}"; do
	case $suite in
	bookworm | bookworm-backports | trixie | sid) ;;
	*) die "no suite of a supported broker: $suite" ;;
	esac
done

codename=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}")
[ "$codename" = bookworm ] || die "builds on Debian 12 (bookworm) only, for a binary that runs on all"
[ "$(id -u)" = 0 ] || die "needs root, to make clean roots of the other suites"

# Not in /tmp, which is small on many machines.
work=$(mktemp -d -p /var/tmp mosquitto-jitr-brokers.XXXXXX)
log_dir=$work tree=$work/tree
child=
trap 'stop_child; rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP

# shellcheck disable=SC2317,SC2329 # the trap reaches it
stop_child() {
	[ -z "$child" ] || kill -KILL "$child" 2>/dev/null
	[ -z "$child" ] || wait "$child" 2>/dev/null
	child=
}

# apart [OPTION...] COMMAND...: in its own namespaces, where mounts and
# processes end with it; in the background, so that the shell handles an interrupt.
apart() {
	unshare --mount --pid --fork --kill-child --propagation private "$@" &
	child=$!
	wait "$child"
	local status=$?
	child=
	return $status
}

# archive RELEASE: the archive or mirror that this machine gets its packages from.
archive() {
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v release="$1" '$1 == release { print $2; exit }'
}

sources() {
	local main security
	main=$(archive bookworm) security=$(archive bookworm-security)
	[ -n "$main" ] || die "apt has no source of bookworm: is this machine's /etc/apt complete?"
	printf 'deb %s %s main\n' "$main" "${1%-backports}"
	[ "$1" = sid ] || [ -z "$security" ] ||
		printf 'deb %s %s-security main\n' "$security" "${1%-backports}"
	[ "$1" = "${1%-backports}" ] || printf 'deb %s %s main\n' "$main" "$1"
}

# The broker, and the libraries whose package has the same name in all suites.  That of
# OpenSSL differs; it is installed with the broker.
packages() {
	local package
	for package in mosquitto mosquitto-clients libmosquitto1; do
		[ "$1" = "${1%-backports}" ] || package=$package/$1
		printf '%s\n' "$package"
	done
	printf '%s\n' libcjson1 liblmdb0 "${test_packages[@]}"
}

# make_root SUITE FILE: a packed root.  It uses this machine's apt settings for proxies
# and dates.
make_root() {
	apt-config dump | grep -E '^Acquire::(.*Proxy|Check-)' >"$work/apt.conf"
	sources "$1" >"$work/sources.list"
	apart mmdebstrap --quiet --mode=root --variant=apt --format=tar \
		--aptopt="$work/apt.conf" --dpkgopt=force-unsafe-io --include="$(packages "$1" | paste -sd,)" \
		"${1%-backports}" "$work/root.tar" "$work/sources.list" >"$work/$1.make.log" 2>&1 &&
		mv "$work/root.tar" "$2" && return 0
	tail -n 20 "$work/$1.make.log" >&2
	return 1
}

# unpack_root SUITE: to $work/SUITE, of the cache if it is kept.
unpack_root() {
	local place=$work
	[ $keep = 0 ] || place=${XDG_CACHE_HOME:-$HOME/.cache}/mosquitto-jitr
	mkdir -p "$place" "$work/$1"
	[ -f "$place/$1.tar" ] || make_root "$1" "$place/$1.tar" || return 1
	tar -C "$work/$1" -xf "$place/$1.tar" || return 1
	[ $keep = 1 ] || rm "$place/$1.tar"
	mkdir -p "$work/$1/src"
	printf '127.0.0.1 localhost\n' >"$work/$1/etc/hosts" # no package of this small root has it
}

# A copy of the tree and the build, so that changes in the tree do not disturb the tests.
copy_tree() {
	mkdir -p "$tree/build/test/integration" "$tree/build/test/bench"
	tar -C "$root" --exclude=./.git --exclude='./build*' -cf - . | tar -C "$tree" -xf - || return 1
	cp "$root"/build/mosquitto_jitr{,.so,_registrar} "$root/build/mosquitto_ctrl_jitr.so" "$tree/build/" &&
		cp "$root/build/test/integration/neighbour.so" "$tree/build/test/integration/" &&
		cp "$root/build/test/bench/bench_storm" "$tree/build/test/bench/"
}

# inside SUITE COMMAND...: in its root, with the tree below /src, read-only, and
# a network with loopback only.  The shell stays as the first process there: sid's
# timeout does not work as the first process.  The root is mounted on itself
# for the tests that mount.
inside() {
	local suite=$1
	shift
	apart --net --uts --ipc bash -c '
		root=$1 tree=$2
		shift 2
		ip link set lo up && mount --bind "$root" "$root" &&
			mount --bind "$tree" "$root/src" && mount -o remount,bind,ro "$root/src" &&
			mount -t proc proc "$root/proc" && mount -t sysfs -o ro sysfs "$root/sys" &&
			mount --rbind /dev "$root/dev" || exit 125
		cd /
		nice chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			JITR_BUILD_DIR=/src/build "$@"
		exit $?' inside "$work/$suite" "$tree" "$@" </dev/null
}

check_libraries() {
	inside "$1" sh -c 'ldd /src/build/mosquitto_jitr.so /src/build/mosquitto_jitr_registrar /src/build/mosquitto_ctrl_jitr.so \
		/src/build/mosquitto_jitr' 2>&1 | awk '/not found/ { print; bad = 1 } END { exit bad }'
}

# count WORD: of pytest's closing line, as "3 failed, 400 passed in 12.3s".
count() {
	tail -n 3 "$2" | grep -oE "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'
}

# add_row SUITE RESULT SECONDS: to the table.
add_row() {
	local log=$work/$1.log version
	version=$(sed -n 's/^mosquitto version //p' "$work/$1.version" 2>/dev/null)
	[ -f "$log" ] || : >"$log"
	printf '%-20s %-10s %-14s %7d %7d %7d %7d\n' "$1" "${version:--}" "$2" "$(count passed "$log")" \
		$(($(count failed "$log") + $(count error "$log"))) "$(count skipped "$log")" "$3" \
		>>"$work/table"
}

# test_suite SUITE: 0 if every test passed, and there were some.
test_suite() {
	local log=$work/$1.log start status
	printf 'Testing with the broker of %s\n' "$1"
	if ! unpack_root "$1" || ! check_libraries "$1"; then
		add_row "$1" "no root" 0
		return 1
	fi
	inside "$1" mosquitto -h >"$work/$1.version" 2>/dev/null
	start=$SECONDS
	inside "$1" timeout -k 10 "$bound" python3 /src/test/integration/run.py -q -rsfE \
		"${tests[@]}" >"$log" 2>&1
	status=$?
	rm -rf --one-file-system "${work:?}/$1"
	case $status in
	0) add_row "$1" passed $((SECONDS - start)) && grep '^SKIPPED' "$log" ;;
	124 | 137) add_row "$1" "timed out" $((SECONDS - start)) && tail -n 100 "$log" ;;
	*) add_row "$1" failed $((SECONDS - start)) && cat "$log" ;;
	esac
	return $status
}

need "${build_packages[@]}" mmdebstrap iproute2
build release -DJITR_TESTS=ON
copy_tree || die "cannot copy the tree to $tree"

failed=0
for suite in "${suites[@]}"; do
	test_suite "$suite" || failed=1
done
printf '\n%-20s %-10s %-14s %7s %7s %7s %7s\n' suite mosquitto result passed failed skipped seconds
cat "$work/table"
exit $failed
