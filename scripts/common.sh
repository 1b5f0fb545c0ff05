# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# common.sh - what the scripts share.  Sourced, with $root and $log_dir set.
# shellcheck shell=bash disable=SC2154,SC2034

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# Fresh machines have no package lists, and only root may install.  On a terminal sudo takes
# what was typed or pasted behind the script (its use_pty): without a password it needs none.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif setsid -w sudo -n true </dev/null 2>/dev/null; then
		setsid -w sudo -n "$@" </dev/null
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "not root and no sudo: install these first: ${missing[*]}"
	fi
}

is_installed() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# need PACKAGE...: install what is missing, quietly; services stay as they are
# (RUNLEVEL=1 keeps Debian from starting a broker on port 1883).
need() {
	local package
	missing=()
	for package; do
		is_installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "not Debian: install the like of ${missing[*]}"
	printf 'Installing %s\n' "${missing[*]}"
	as_root apt-get update -qq >/dev/null || die "apt-get update failed"
	as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq \
		--no-install-recommends "${missing[@]}" >"$log_dir/install.log" 2>&1 || {
		tail -n 20 "$log_dir/install.log" >&2
		die "apt-get install failed"
	}
}

build_packages=(gcc libc6-dev cmake ninja-build pkg-config libssl-dev liblmdb-dev libcjson-dev
	libmosquitto-dev mosquitto-dev uthash-dev check mosquitto mosquitto-clients openssl)

# What the integration tests call.
test_packages=(python3 python3-pytest python3-pytest-xdist python3-paho-mqtt python3-cryptography
	openssl jq lmdb-utils mount procps)

# with_progress LABEL LOG COMMAND...: runs it with its output in LOG, and shows meanwhile
# for how long and how far: on a terminal in one line, each second; otherwise in a line
# of its own, each half minute.
with_progress() {
	local label=$1 log=$2 status=0 shower
	shift 2
	show_progress "$label" "$log" &
	shower=$!
	"$@" >"$log" 2>&1 || status=$?
	kill "$shower" 2>/dev/null || true
	wait "$shower" 2>/dev/null || true
	if [ -t 1 ]; then printf '\r\033[K'; fi
	return $status
}

# Until it is killed, or this script has ended.  sleep does not inherit the output: a
# program that reads it from a pipe would wait for sleep, too.
show_progress() {
	local start=$SECONDS next=30 seconds=0
	while kill -0 $$ 2>/dev/null; do
		if [ -t 1 ]; then
			printf '\r\033[K%s, %d s %s' "$1" "$seconds" "$(how_far "$2")"
		elif [ "$seconds" -ge "$next" ]; then
			printf '%s, %d s %s\n' "$1" "$seconds" "$(how_far "$2")"
			next=$((next + 30))
		fi
		sleep 1 >/dev/null 2>&1
		seconds=$((SECONDS - start))
	done
}

# The last count that pytest, ninja or ctest wrote.
how_far() {
	tail -c 20000 "$1" 2>/dev/null |
		grep -aoE '\[ *[0-9]+%\]|\[[0-9]+/[0-9]+\]|[0-9]+/[0-9]+ Test ' | tail -n 1 | sed 's/ Test $//'
}

# own_dir PRESET: the directory of a preset, as CMakePresets.json has it.
own_dir() {
	case $1 in
	release) printf '%s\n' "$root/build" ;;
	*) printf '%s\n' "$root/build-$1" ;;
	esac
}

# build_dir PRESET: where build() builds it: in its own directory or, if another user (root, say)
# made that and this one may not write there, in a directory of this user's cache.
build_dir() {
	local own
	own=$(own_dir "$1")
	if may_build_in "$own"; then
		printf '%s\n' "$own"
	else
		printf '%s/mosquitto-jitr/%s-%s\n' "${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}" \
			"${own##*/}" "$(printf '%s' "$root" | cksum | cut -d ' ' -f 1)"
	fi
}

# ninja stops at one file that it cannot write.
may_build_in() {
	if [ -d "$1" ]; then
		[ -z "$(find "$1" ! -type l ! -writable -print -quit 2>&1)" ]
	else
		[ -w "$(dirname "$1")" ]
	fi
}

# configure PRESET [CMAKE OPTION...]
configure() {
	local preset=$1
	shift
	cmake -S "$root" --preset "$preset" -B "$(build_dir "$preset")" -G Ninja "$@"
}

# compile PRESET: its targets; in another directory than its own, everything.
compile() {
	local dir
	dir=$(build_dir "$1")
	if [ "$dir" = "$(own_dir "$1")" ]; then
		(cd "$root" && cmake --build --preset "$1")
	else
		cmake --build "$dir"
	fi
}

# build PRESET [CMAKE OPTION...]: configure and compile, showing output only when it fails.
build() {
	local preset=$1 log=$log_dir/build-$1.log dir
	shift
	dir=$(build_dir "$preset")
	[ "$dir" = "$(own_dir "$preset")" ] ||
		printf 'Building in %s: %s cannot be written by this user\n' "$dir" "$(own_dir "$preset")"
	if ! { configure "$preset" "$@" >"$log" 2>&1 &&
		with_progress "        building the preset $preset" "$log.compile" compile "$preset"; }; then
		cat "$log" "$log.compile" 2>/dev/null | grep -E 'error|Error|FAILED' -A 3 | tail -n 60 >&2
		die "building the preset $preset failed"
	fi
}

# The broker and its tools, also where /usr/sbin is not on the path.
PATH=$PATH:/usr/sbin:/sbin
