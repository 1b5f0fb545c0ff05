#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# test-builds.sh - builds with each compiler and each usual set of flags, without a warning.
#
#   scripts/test-builds.sh [--compiler CC]... [--variant NAME]...
#
# Builds the plugin and the command line, and checks the symbols that the modules export and
# need.  Prints a line per build, and the warnings; exits with 0 only if there are none.
#
#   --compiler CC    default: each gcc and clang that is installed
#   --variant NAME   default: all of
#
#     release, minsizerel, relwithdebinfo, debug   the build types of CMake
#     none        no build type
#     o3          CFLAGS="-O3 -march=native"
#     lto         CMAKE_INTERPROCEDURAL_OPTIMIZATION
#     hardened    Debian's flags for packages, with hardening=+all; gcc: and optimize=+lto
#     c17, c23    another standard than C11, where the compiler knows it
#     space       a path with a space in it
#     tests       everything, with the tests
#
# About half a minute each on two processors; the tests a minute and a half.
set -uo pipefail
shopt -s extglob
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" mosquitto-jitr-builds.XXXXXX)
log_dir=$work
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

all_variants=(release minsizerel relwithdebinfo debug none o3 lto hardened c17 c23 space tests)
compilers=() variants=()
while [ $# -gt 0 ]; do
	case $1 in
	--compiler) compilers+=("${2:?--compiler needs a name}") && shift ;;
	--variant) variants+=("${2:?--variant needs a name}") && shift ;;
	-h | --help) sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0" && exit 0 ;;
	*) die "unknown argument: $1" ;;
	esac
	shift
done
[ ${#variants[@]} -gt 0 ] || variants=("${all_variants[@]}")
for variant in "${variants[@]}"; do
	[[ " ${all_variants[*]} " == *" $variant "* ]] || die "no such variant: $variant"
done

# Each compiler once, though it may have several names.
installed_compilers() {
	local name
	for name in $(compgen -c | grep -xE '(gcc|clang)(-[0-9]+)?' | sort -u); do
		printf '%s %s\n' "$(readlink -f "$(command -v "$name")")" "$name"
	done | sort -u -k 1,1 | awk '{ print $2 }'
}

need "${build_packages[@]}" dpkg-dev
[ ${#compilers[@]} -gt 0 ] || mapfile -t compilers < <(installed_compilers)

# knows COMPILER FLAG...: can it compile and link a program with these?
knows() {
	printf 'int main(void) { return 0; }\n' |
		"$1" "${@:2}" -x c - -o "$work/knows" >/dev/null 2>&1
}

# Debian's flags for packages, of one kind.
package_flags() {
	DEB_BUILD_MAINT_OPTIONS=$1 dpkg-buildflags --get "$2"
}

# set_variant COMPILER VARIANT: sets cflags, ldflags, options, source and targets; 1 if it
# cannot be built here, with the reason in $why.
set_variant() {
	local maintain
	cflags='' ldflags='' options=() source=$root targets=("${modules[@]}") why=''
	case $2 in
	release) options=(-DCMAKE_BUILD_TYPE=Release) ;;
	minsizerel) options=(-DCMAKE_BUILD_TYPE=MinSizeRel) ;;
	relwithdebinfo) options=(-DCMAKE_BUILD_TYPE=RelWithDebInfo) ;;
	debug) options=(-DCMAKE_BUILD_TYPE=Debug) ;;
	none) ;;
	o3)
		cflags="-O3 -march=native" options=(-DCMAKE_BUILD_TYPE=None)
		;;
	lto)
		options=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON)
		why="it cannot link with -flto"
		knows "$1" -flto || return 1
		;;
	hardened)
		maintain="hardening=+all"
		[[ $1 == *clang* ]] || maintain+=" optimize=+lto"
		cflags="$(package_flags "$maintain" CPPFLAGS) $(package_flags "$maintain" CFLAGS)"
		ldflags=$(package_flags "$maintain" LDFLAGS) options=(-DCMAKE_BUILD_TYPE=None)
		;;
	c17 | c23)
		options=("-DCMAKE_C_STANDARD=${2#c}")
		why="it does not know $2"
		knows "$1" "-std=${2/c23/c2x}" || return 1
		;;
	space)
		source="$work/a tree"
		[ -d "$source" ] || copy_tree "$source"
		;;
	tests) options=(-DJITR_TESTS=ON) targets=(all) ;;
	esac
}

copy_tree() {
	mkdir "$1"
	tar -C "$root" --exclude=./.git --exclude='./build*' -cf - . | tar -C "$1" -xf -
}

# Warnings are not errors here, so that the log has all of them.
build_variant() {
	CC=$1 CFLAGS=$cflags LDFLAGS=$ldflags cmake -S "$source" -B "$2" -G Ninja \
		-DJITR_TESTS=OFF "${options[@]}" &&
		nice cmake --build "$2" --target "${targets[@]}" &&
		sh "$root/test/lint/exports.sh" "$2"
}

modules=(mosquitto_jitr_plugin mosquitto_ctrl_jitr mosquitto_jitr)
warning='(^|[^a-z_])warning:|CMake (Deprecation )?Warning|^ninja: warning'
built=0 failed=0

# test_variant COMPILER VARIANT: a line, and what was wrong.
test_variant() {
	local start=$SECONDS label log=$work/log
	label=$(printf '%-10s %-9s %-14s' "$1" "$("$1" -dumpfullversion -dumpversion)" "$2")
	if ! set_variant "$1" "$2"; then
		printf '%s skipped: %s\n' "$label" "$why"
		return 0
	fi
	rm -rf "$work/build"
	built=$((built + 1))
	if ! with_progress "${label%%+( )}" "$log" build_variant "$1" "$work/build"; then
		grep -E 'error|Error|FAILED|exports|not in every' -A 3 "$log" | head -n 60
		printf '%s FAILED %4d s\n' "$label" $((SECONDS - start))
	elif grep -E "$warning" -A 3 "$log" >"$work/warnings"; then
		head -n 60 "$work/warnings"
		printf '%s warnings: %d %4d s\n' "$label" "$(grep -cE "$warning" "$log")" $((SECONDS - start))
	else
		printf '%s ok %4d s\n' "$label" $((SECONDS - start))
		return 0
	fi
	failed=$((failed + 1))
}

for compiler in "${compilers[@]}"; do
	command -v "$compiler" >/dev/null || die "not installed: $compiler"
	for variant in "${variants[@]}"; do
		test_variant "$compiler" "$variant"
	done
done
printf '%d builds: %d passed, %d failed\n' $built $((built - failed)) $failed
[ $failed = 0 ] && [ $built -gt 0 ]
