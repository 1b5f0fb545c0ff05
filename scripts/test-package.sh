#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# test-package.sh [PACKAGE] - installs, upgrades, removes and purges the Debian
# package that scripts/package.sh built, and checks the effect of each on the
# machine and on its running broker.
#
#   JITR_SUITE=bookworm   a Debian of this suite is made for it below a temporary
#                         directory, and deleted afterwards (root and debootstrap;
#                         the suite of this machine by default)
#   JITR_OLD=PACKAGE      an older package, of version 0.1 for example: installed and used first, and
#                         upgraded while its broker runs
#   JITR_HERE=1           on this machine, which it changes: for a machine that
#                         is deleted afterwards.  Under systemd the broker is
#                         the machine's mosquitto.service.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
log_dir=$dir
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"
package=$(realpath -e "${1:-$(echo "$root"/build-package/*.deb)}") ||
	die "no package: scripts/package.sh builds it"
old=${JITR_OLD:-}
[ -z "$old" ] || old=$(realpath -e "$old") || die "no package $JITR_OLD"
[ "$(id -u)" = 0 ] || die "only root may install packages"
trap 'rm -rf --one-file-system "$dir"' EXIT

# --- a temporary machine ------------------------------------------------------

# Where this machine gets its own packages from.
mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/$' | head -n 1)
	echo "${uri:-http://deb.debian.org/debian}"
}

# Its mounts and processes end with it.  It has this machine's network, so no service
# may start there on its own.
elsewhere() {
	local suite=${JITR_SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")} machine=$dir/machine
	need debootstrap
	debootstrap --variant=minbase "$suite" "$machine" "$(mirror)" >"$dir/debootstrap.log" 2>&1 || {
		tail -n 20 "$dir/debootstrap.log" >&2
		die "debootstrap failed"
	}
	printf '#!/bin/sh\nexit 101\n' >"$machine/usr/sbin/policy-rc.d"
	chmod 755 "$machine/usr/sbin/policy-rc.d"
	# This machine's apt settings for proxies and dates, for its mirror.
	apt-config dump | grep -E '^Acquire::(.*Proxy|Check-)' >"$machine/etc/apt/apt.conf.d/90mirror" || true
	mkdir -p "$machine/src/scripts"
	cp "$root"/scripts/{common,test-package}.sh "$machine/src/scripts"
	cp "$package" "$machine/src"
	[ -z "$old" ] || cp "$old" "$machine/src/old.deb"
	unshare --mount --pid --fork --kill-child sh -c \
		'mount -t proc proc "$1/proc" && exec chroot "$1" env JITR_HERE=1 JITR_OLD="$3" "/src/scripts/test-package.sh" "/src/$2"' \
		sh "$machine" "$(basename "$package")" "${old:+/src/old.deb}"
}

if [ "${JITR_HERE:-0}" = 0 ]; then
	elsewhere
	exit
fi

# --- the broker -----------------------------------------------------------------

: >"$dir/broker.log"
configuration=/etc/mosquitto/conf.d/jitr.conf
state=/var/lib/mosquitto/jitr
password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
broker=

by_systemd() {
	[ -d /run/systemd/system ]
}

start_broker() {
	if by_systemd; then
		systemctl reset-failed mosquitto || true # many starts in a short time are intended here
		systemctl restart mosquitto
	else
		install -d -o mosquitto /run/mosquitto
		mosquitto -c /etc/mosquitto/mosquitto.conf >"$dir/broker.log" 2>&1 &
		broker=$!
	fi
}

stop_broker() {
	if by_systemd; then
		systemctl stop mosquitto
	elif [ -n "$broker" ]; then
		kill "$broker" 2>/dev/null || true
		wait "$broker" || true
		broker=
	fi
}

broker_pid() {
	if by_systemd; then
		systemctl show -p MainPID --value mosquitto
	else
		echo "$broker"
	fi
}

registrar=/usr/libexec/mosquitto-jitr/mosquitto_jitr_registrar

# The process that the plugin started, and nothing if there is none.
registrar_pid() {
	local pid
	for pid in $(pgrep -P "$(broker_pid)"); do
		case $(readlink "/proc/$pid/exe") in "$registrar"*) echo "$pid" ;; esac
	done
}

# says WORDS: how often the broker's log has them.
says() {
	cat "$dir/broker.log" /var/log/mosquitto/mosquitto.log 2>/dev/null | grep -c "$1"
}

# Which process it is, and how often it has read its configuration again.
broker_state() {
	local pid
	pid=$(broker_pid)
	says 'mosquitto version .* running' >/dev/null && [ "$(cat "/proc/$pid/comm")" = mosquitto ] &&
		echo "process $pid, registrar $(registrar_pid), reloads $(says 'Reloading config')"
}

free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 12000))
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo $port
			return
		fi
	done
}

# The installed example with your paths filled in, except that of the plugin, which
# is right already.
configure() {
	local home=$dir/broker
	chmod 755 "$dir"
	mkdir -p "$home"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-keyout "$home/server.key" -out "$home/server.pem" 2>/dev/null
	mosquitto_passwd -b -c "$home/passwd" admin "$password" >/dev/null 2>&1
	chown -R mosquitto "$home"
	sed -e "s|^password_file .*|password_file $home/passwd|" \
		-e "s|^certfile .*|certfile $home/server.pem|" -e "s|^keyfile .*|keyfile $home/server.key|" \
		-e "s|^listener 1883|listener $port|" -e "s|^listener 8883|listener $tls_port|" \
		/usr/share/doc/mosquitto-jitr/mosquitto.conf.example >"$configuration"
}

registration_code() {
	"$@" -h 127.0.0.1 -p "$port" -u admin -P "$password" ${module:+"$module"} get-registration-code |
		grep -oE '[0-9a-f]{64}'
}

# Both forms of the command line print the same, once the broker runs.
answers() {
	local i own=''
	for ((i = 0; i < 100; i++)); do
		if own=$(registration_code mosquitto_jitr 2>/dev/null); then break; fi
		sleep 0.1
	done
	[ -n "$own" ] && [ "$(module=jitr registration_code mosquitto_ctrl)" = "$own" ] && echo "$own"
}

# --- steps -----------------------------------------------------------------------

passed=0 failed=0
step() {
	local what=$1
	shift
	if "$@" >"$dir/step.log" 2>&1; then
		printf 'ok      %s\n' "$what"
		passed=$((passed + 1))
	else
		tail -n 20 "$dir/step.log"
		printf 'FAILED  %s\n' "$what"
		failed=$((failed + 1))
	fi
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends "$@"
}

# quietly APT-GET WORDS...: and the broker does not notice.
quietly() {
	local before
	before=$(broker_state) || return 1
	if ! apt "$@" >"$dir/apt.log" 2>&1; then
		cat "$dir/apt.log"
		return 1
	fi
	echo "the broker was $before and is $(broker_state)"
	[ "$(broker_state)" = "$before" ]
}

# All files except those of package managers and logs.
files() {
	find /etc /usr /opt /srv /var/lib /var/spool -xdev \( -path /var/lib/dpkg -o -path /var/lib/apt \
		-o -path /var/lib/systemd -o -path /usr/share/man/index.db \) -prune -o \
		! -path /var/lib/mosquitto/mosquitto.db -printf '%p %M %u:%g\n' | LC_ALL=C sort
}

# is "MODE OWNER:GROUP" FILE...
is() {
	local wanted=$1 file found
	shift
	for file; do
		found=$(stat -c '%a %U:%G' "$file")
		echo "$file: $found"
		[ "$found" = "$wanted" ] || return 1
	done
}

lies_where_it_should() {
	local lib doc=/usr/share/doc/mosquitto-jitr
	lib=$(dirname "$(dpkg -L libmosquitto1 | grep '/libmosquitto\.so\.1$')")
	is '644 root:root' "$lib"/mosquitto_jitr.so "$lib"/mosquitto_ctrl_jitr.so \
		$doc/copyright $doc/changelog.gz $doc/changelog.Debian.gz $doc/NOTICE.md \
		$doc/mosquitto.conf.example $doc/examples/rule.json $doc/mosquitto-jitr.spdx.json &&
		is '755 root:root' /usr/bin/mosquitto_jitr $registrar $doc/examples/activate.sh &&
		is '700 mosquitto:mosquitto' $state && dpkg --verify mosquitto-jitr
}

# One process, of the broker's user, whose program has this path, or was replaced since.
registrar_runs() {
	local pid
	pid=$(registrar_pid)
	ls -l "/proc/$pid/exe"
	[ "$(readlink "/proc/$pid/exe")" = "$registrar$1" ] && [ "$(stat -c %U "/proc/$pid")" = mosquitto ]
}

no_registrar_is_left() {
	! pgrep -x mosquitto_jitr_ -a
}

owned_by_broker() {
	is '700 mosquitto:mosquitto' $state && is '600 mosquitto:mosquitto' $state/data.mdb
}

# The same package under a higher version.
make_upgrade() {
	dpkg-deb -R "$package" "$dir/upgrade"
	sed -i 's/^Version: .*/&+upgrade/' "$dir/upgrade/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$dir/upgrade" "$dir/upgrade.deb"
	rm -r "$dir/upgrade"
}

removing_says_what_to_do() {
	quietly remove mosquitto-jitr && grep "take the plugin line out of $configuration" "$dir/apt.log"
}

# A registry that is in use is not deleted.
purging_leaves_what_is_in_use() {
	quietly purge mosquitto-jitr && grep "$state is in use" "$dir/apt.log" && [ -e $state/data.mdb ]
}

# With a CA, a policy and a certificate in its registry.
fill() {
	local jitr=(mosquitto_jitr -h 127.0.0.1 -p "$port" -u admin -P "$password") home=$dir/fill
	mkdir -p "$home" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=Factory CA" -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$home/ca.key" -out "$home/ca.pem" &&
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=own \
			-keyout "$home/own.key" -out "$home/own.pem" &&
		"${jitr[@]}" register-ca-certificate --ca-certificate "$home/ca.pem" --ca-key "$home/ca.key" --set-as-active &&
		"${jitr[@]}" create-policy --policy-name p --policy-document \
			'{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}}' &&
		"${jitr[@]}" register-certificate-without-ca --certificate-pem "$home/own.pem" --status ACTIVE &&
		contents >"$dir/contents"
}

# What is registered, by the command line's lists.
contents() {
	local list
	for list in list-ca-certificates list-certificates list-policies get-registration-code; do
		mosquitto_jitr -h 127.0.0.1 -p "$port" -u admin -P "$password" $list || return
	done
}

same_contents() {
	contents | diff "$dir/contents" -
}

schema() {
	mdb_dump -p -s meta "$state" | sed -n '/^ schema$/{n;p}'
}

from_old() {
	stop_broker
	apt install "$old" && apt satisfy lmdb-utils && configure && start_broker && code=$(answers) && fill
}

upgrades_old() {
	make_upgrade >/dev/null
	quietly install "$dir/upgrade.deb" && same_code && same_contents && [ -z "$(registrar_pid)" ] && is '755 root:root' $registrar
}

schema_is_new() {
	stop_broker
	schema >"$dir/schema"
	start_broker
	same_code && same_contents && registrar_runs '' && stop_broker && schema >"$dir/schema_now" || return
	cat "$dir/schema" "$dir/schema_now"
	! cmp "$dir/schema" "$dir/schema_now" && start_broker && same_code
}

leave_old() {
	stop_broker
	apt purge mosquitto-jitr && [ ! -e $state ] && plain
}

does_not_start() {
	local status=0
	stop_broker
	timeout 10 mosquitto -c /etc/mosquitto/mosquitto.conf >"$dir/broker.log" 2>&1 || status=$?
	echo "status $status"
	[ "$status" != 0 ] && [ "$status" != 124 ] && says 'Unable to load.*mosquitto_jitr\.so'
}

purging_removes_the_registry() {
	apt install "$package" && is '700 mosquitto:mosquitto' $state && [ -e $state/data.mdb ] &&
		apt purge mosquitto-jitr && [ ! -e $state ]
}

serves() {
	local i
	for ((i = 0; i < 100; i++)); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
		sleep 0.1
	done
	return 1
}

is_as_before() {
	files >"$dir/after" && diff "$dir/before" "$dir/after"
}

# --- the story ---------------------------------------------------------------------

trap 'stop_broker; rm -f "$configuration"; rm -rf "$dir"' EXIT
port=$(free_port)
tls_port=$(free_port)
plain() {
	printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >"$configuration"
	start_broker
	serves "$port"
}
same_code() {
	[ "$(answers)" = "$code" ]
}
code=

printf '%s, ' "$(. /etc/os-release && echo "$PRETTY_NAME")"
apt update >/dev/null
apt install mosquitto openssl procps >"$dir/apt.log" 2>&1 || { cat "$dir/apt.log"; exit 1; }
printf 'mosquitto %s, %s\n' "$(dpkg-query -W -f '${Version}' mosquitto)" "$(by_systemd && echo systemd || echo 'no systemd')"
step "what it depends on can be installed" apt satisfy "$(dpkg-deb -f "$package" Depends)"
chmod 755 "$dir"
step "a broker without the plugin runs" plain
if [ -n "$old" ]; then
	step "version $(dpkg-deb -f "$old" Version) runs, with a CA, a policy and a certificate" from_old
	step "upgrading it leaves the broker alone, which goes on with its plugin" upgrades_old
	step "started again the registrar runs, and the registry has the new schema and the same contents" schema_is_new
	step "removed and purged" leave_old
fi
files >"$dir/before"
step "installing leaves the broker alone" quietly install "$package"
step "every file is in its place, owners and modes are right" lies_where_it_should
stop_broker
configure
start_broker
code=$(answers) || true
step "the example configuration works, and both commands answer" test -n "$code"
step "the registrar runs as the broker's user" registrar_runs ''
step "the registry belongs to the broker" owned_by_broker
make_upgrade >/dev/null
step "upgrading leaves the broker alone" quietly install "$dir/upgrade.deb"
step "the broker goes on with the plugin it has" same_code
step "and with the registrar it has" registrar_runs ' (deleted)'
start_again() {
	stop_broker
	start_broker
	same_code
}
step "started again it has the new one, and the same registry" start_again
step "and the new registrar" registrar_runs ''
step "removing leaves the broker alone, and says which line to take out" removing_says_what_to_do
step "the broker and its registrar go on without their files" registrar_runs ' (deleted)'
step "purging leaves a registry that is in use, and says so" purging_leaves_what_is_in_use
step "while the line is there the broker does not start again" does_not_start
step "no registrar is left" no_registrar_is_left
step "purging removes the registry" purging_removes_the_registry
step "without the line the broker starts again" plain
step "the machine is as it was before" is_as_before

printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
