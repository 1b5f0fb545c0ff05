# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# common.sh - what demo.sh, test.sh and test-brokers.sh share.  Sourced, with $root and $log_dir set.
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

# build PRESET [CMAKE OPTION...]: configure and build, showing output only when
# it fails.
build() {
	local preset=$1
	shift
	if ! { cmake -S "$root" --preset "$preset" -G Ninja "$@" &&
		(cd "$root" && cmake --build --preset "$preset"); } >"$log_dir/build-$preset.log" 2>&1; then
		grep -E 'error|Error|FAILED' -A 3 "$log_dir/build-$preset.log" | tail -n 60 >&2
		die "building the preset $preset failed"
	fi
}

build_dir() {
	case $1 in
	release) echo build ;;
	*) echo "build-$1" ;;
	esac
}

# The broker and its tools, also where /usr/sbin is not on the path.
PATH=$PATH:/usr/sbin:/sbin
