#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# test-hardening.sh [PACKAGE] - runs mosquitto.service with the package that scripts/package.sh
# built in the sandbox of doc/operations.md ("Hardening"), and checks that plugin and registrar
# work in it, what systemd does when one of the two ends, and what the log says when a sandbox
# forbids what they need.
#
# It changes this machine: installs packages, and configures and stops the broker.  It wants a
# machine with systemd that is deleted afterwards, and JITR_HERE=1; exit status 77 without them.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
log_dir=$dir
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"
if [ "${JITR_HERE:-0}" = 0 ] || [ ! -d /run/systemd/system ]; then
	echo "skipped: needs systemd, and JITR_HERE=1 for a machine that may be changed"
	exit 77
fi
[ "$(id -u)" = 0 ] || die "only root may install packages"
package=$(realpath -e "${1:-$(echo "$root"/build-package/*.deb)}") ||
	die "no package: scripts/package.sh builds it"

configuration=/etc/mosquitto/conf.d/jitr.conf
drop_ins=/etc/systemd/system/mosquitto.service.d
home=/etc/mosquitto/jitr # not below /tmp, which the service does not see
state=/var/lib/mosquitto/jitr
journal=$dir/journal
trap clean_up EXIT

# shellcheck disable=SC2317,SC2329 # the trap reaches it
clean_up() {
	systemctl stop mosquitto
	rm -rf "$dir" "$drop_ins" "$home" "$configuration"
	systemctl daemon-reload
	apt-get -y -qq purge mosquitto-jitr >/dev/null 2>&1
}

# --- the broker ---------------------------------------------------------------------

configure() {
	install -d -o mosquitto -m 755 "$home" && cd "$home" || return
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout server.key -out server.pem &&
		mosquitto_passwd -b -c passwd admin secret && chown -R mosquitto "$home" || return
	cat >$configuration <<-END
		listener 1883 127.0.0.1
		allow_anonymous false
		password_file $home/passwd
		listener 8883
		certfile $home/server.pem
		keyfile $home/server.key
		capath $state/ca
		require_certificate true
		plugin $(dpkg -L mosquitto-jitr | grep '/mosquitto_jitr\.so$')
		plugin_opt_admin_users admin
		plugin_opt_other_clients allow
		plugin_opt_log_file /var/log/mosquitto/jitr.log
		plugin_opt_health_file /run/mosquitto/health
	END
}

# The drop-in as the document has it.
documented() {
	sed -n '/^### Hardening/,/^### /{/^```ini$/,/^```$/{/^```/!p}}' "$root/doc/operations.md"
}

# drop_in [LINE...]: those of the document, and these after them.
drop_in() {
	mkdir -p $drop_ins && documented >$drop_ins/hardening.conf &&
		grep -q '^SystemCallFilter=' $drop_ins/hardening.conf || return
	printf '[Service]\n' >$drop_ins/more.conf
	[ $# = 0 ] || printf '%s\n' "$@" >>$drop_ins/more.conf
	systemctl daemon-reload
}

# Many starts in a short time are intended here.
start() {
	systemctl reset-failed mosquitto.service 2>/dev/null
	date +%s >"$dir/since"
	systemctl restart mosquitto
}

told() {
	journalctl -u mosquitto -o cat --since "@$(cat "$dir/since")" >"$journal" 2>/dev/null
	cat /var/log/mosquitto/mosquitto.log 2>/dev/null >>"$journal"
	grep -F -- "$1" "$journal"
}

main_pid() {
	systemctl show -p MainPID --value mosquitto
}

registrar_pid() {
	pgrep -P "$(main_pid)" -f mosquitto_jitr_registrar
}

jitr() {
	mosquitto_jitr -h 127.0.0.1 -u admin -P secret "$@"
}

# wait_for COMMAND...: at most 20 seconds.
wait_for() {
	local i
	for ((i = 0; i < 200; i++)); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.1
	done
	echo "waited in vain for: $*"
	journalctl -u mosquitto -o cat -n 20
	return 1
}

serves() {
	wait_for jitr get-registration-code
}

# --- steps ----------------------------------------------------------------------------

passed=0 failed=0
step() {
	local what=$1
	shift
	if "$@" >"$dir/step.log" 2>&1; then
		printf 'ok      %s\n' "$what"
		passed=$((passed + 1))
	else
		tail -n 30 "$dir/step.log"
		journalctl -u mosquitto -o cat -n 15
		printf 'FAILED  %s\n' "$what"
		failed=$((failed + 1))
	fi
}

starts_in_the_sandbox() {
	drop_in && start && serves
}

# systemd goes on without what a kernel or a container does not have: the processes show it.
both_are_in_the_sandbox() {
	local pid
	for pid in $(main_pid) $(registrar_pid); do
		cat "/proc/$pid/comm"
		grep -E '^(NoNewPrivs|Seccomp|CapEff)' "/proc/$pid/status"
		grep -E ' (/|/usr/libexec/mosquitto-jitr|/var/lib/mosquitto|/tmp) ' "/proc/$pid/mountinfo"
		grep -qE '^NoNewPrivs:[[:space:]]+1$' "/proc/$pid/status" &&
			grep -qE '^Seccomp:[[:space:]]+2$' "/proc/$pid/status" &&
			grep -qE '^CapEff:[[:space:]]+0+$' "/proc/$pid/status" &&
			awk '$5 == "/" { root = $6 } $5 == "/tmp" { tmp = $4 } END { print root, tmp
				exit root !~ /(^|,)ro(,|$)/ || root !~ /noexec/ || tmp !~ /systemd-private/ }' \
				"/proc/$pid/mountinfo" || return
	done
	[ "$(registrar_pid | wc -l)" = 1 ]
}

device() {
	mosquitto_pub -h localhost -p 8883 --cafile $home/server.pem --cert "$dir/device.pem" \
		--key "$dir/device.key" -i device -q 1 -t devices/device/up -m hello
}

status_is() {
	jitr describe-certificate --certificate-id "$id" | grep "\"status\": \"$1\""
}

# Refused, registered, activated by hand, let in; and revoked by a list.
a_devices_life() {
	cd "$dir" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \
		-out ca.pem -days 2 -subj "/CN=Factory CA" -addext keyUsage=critical,keyCertSign,cRLSign &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device.key \
			-out device.csr -subj /CN=device &&
		openssl x509 -req -in device.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 2 -out device.pem &&
		jitr register-ca-certificate --ca-certificate ca.pem --ca-key ca.key --set-as-active \
			--allow-auto-registration || return
	id=$(openssl x509 -in device.pem -outform DER | sha256sum | cut -d ' ' -f 1)
	! device && wait_for status_is PENDING_ACTIVATION &&
		jitr create-policy --policy-name device --policy-document \
			'{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}' &&
		jitr attach-policy --policy-name device --target "$id" &&
		jitr update-certificate --certificate-id "$id" --new-status ACTIVE && device
}

# All that the registrar writes.
files_are_written() {
	wait_for grep -q "$id" /var/log/mosquitto/jitr.log && [ -s "$state/data.mdb" ] &&
		[ -n "$(ls "$state/ca")" ] && wait_for test -e /run/mosquitto/health
}

is_another() {
	local found
	found=$("$1") && [ -n "$found" ] && [ "$found" != "$2" ]
}

registrar_is_started_again() {
	local main registrar
	main=$(main_pid) registrar=$(registrar_pid)
	kill -KILL "$registrar" && device && wait_for is_another registrar_pid "$registrar" && serves &&
		[ "$(main_pid)" = "$main" ] && [ ! -e "/proc/$registrar" ]
}

# Restart=on-failure in Debian's unit; systemd sends SIGTERM to the registrar, which ends by itself.
broker_is_started_again() {
	local main registrar start=$SECONDS
	main=$(main_pid) registrar=$(registrar_pid)
	kill -KILL "$main" && wait_for is_another main_pid "$main" && serves && device &&
		[ "$(registrar_pid | wc -l)" = 1 ] && [ ! -e "/proc/$registrar" ] || return
	echo "$((SECONDS - start)) s"
	[ $((SECONDS - start)) -lt 10 ]
}

# stops [SECONDS]: both end, and systemd calls it a success.
stops() {
	local main registrar start
	serves || return
	main=$(main_pid) registrar=$(registrar_pid) start=$SECONDS
	[ $# = 1 ] || kill -STOP "$registrar"
	systemctl stop mosquitto
	echo "$((SECONDS - start)) s, $(systemctl show -p Result mosquitto)"
	[ $((SECONDS - start)) -le "${1:-8}" ] && [ ! -e "/proc/$main" ] && [ ! -e "/proc/$registrar" ] &&
		[ "$(systemctl show -p Result --value mosquitto)" = success ]
}

# In each of systemd's ways, and with a registrar that hangs, which the plugin kills.
stops_in_each_way() {
	local mode
	for mode in control-group mixed process; do
		echo "KillMode=$mode"
		drop_in "KillMode=$mode" && start && stops 3 || return
	done
	drop_in && start && stops
}

# refused WORDS LINE...: with these lines the broker does not start, and says why.
refused() {
	local words=$1
	shift
	drop_in "Restart=no" "$@"
	: >/var/log/mosquitto/mosquitto.log
	! start && told "$words"
}

says_what_a_sandbox_forbids() {
	refused 'cannot be started: Permission denied: /usr/libexec/mosquitto-jitr/mosquitto_jitr_registrar: the broker'\''s user must be able to execute it' \
		NoExecPaths=/usr/libexec/mosquitto-jitr ExecPaths= ExecPaths=/usr/sbin ExecPaths=/usr/bin ExecPaths=/usr/lib || return
	refused "$state" ReadWritePaths= ReadWritePaths=/var/log/mosquitto
}

# -------------------------------------------------------------------------------------

printf '%s, ' "$(. /etc/os-release && echo "$PRETTY_NAME")"
need mosquitto mosquitto-clients openssl procps
apt-get -y -qq --no-install-recommends install "$package" >"$dir/apt.log" 2>&1 || {
	cat "$dir/apt.log"
	exit 1
}
printf 'mosquitto %s, %s\n' "$(dpkg-query -W -f '${Version}' mosquitto)" "$(systemctl --version | head -n 1)"
configure >"$dir/configure.log" 2>&1 || { cat "$dir/configure.log"; exit 1; }

step "the broker starts with the drop-in of the document" starts_in_the_sandbox
step "both processes are in the sandbox" both_are_in_the_sandbox
step "a device's life" a_devices_life
step "registry, CA files, log_file and health_file are written" files_are_written
step "a registrar that is killed is started again, the broker stays" registrar_is_started_again
step "a broker that is killed is started again, the old registrar ends" broker_is_started_again
step "both stop, with every KillMode, and with a registrar that hangs" stops_in_each_way
step "the log says what a sandbox forbids" says_what_a_sandbox_forbids

printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
