#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# test-docker.sh - builds the images and tests what docker/README.md says: first
# start, a device's life, restart, own files, compose.  One line for
# each step.  Needs docker with its compose plugin, and nothing else; exit status
# 77 where there is none.
#
#   JITR_SUITE=bookworm    the Debian to build on
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
suite=${JITR_SUITE:-bookworm}
if ! docker version >/dev/null 2>&1; then
	echo "skipped: docker is not installed, or its daemon cannot be reached"
	exit 77
fi
dir=$(mktemp -d)
name=jitr-test-$$
image=$name
passed=0 failed=0

cleanup() {
	compose down -v --timeout 2 >/dev/null 2>&1
	docker ps -aq --filter "name=^$name" | xargs -r docker rm -fv >/dev/null
	docker volume ls -q --filter "name=^$name" | xargs -r docker volume rm >/dev/null
	docker network rm "$name" >/dev/null 2>&1
	docker image ls -q --filter "reference=$name*" | xargs -r docker image rm -f >/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# step WHAT COMMAND...: shows what the command said when it fails.
step() {
	local what=$1 start=$SECONDS
	shift
	if "$@" >"$dir/step.log" 2>&1; then
		printf 'ok      %s (%d s)\n' "$what" $((SECONDS - start))
		passed=$((passed + 1))
	else
		tail -n 40 "$dir/step.log" | sed 's/^/        /'
		printf 'FAILED  %s (%d s)\n' "$what" $((SECONDS - start))
		failed=$((failed + 1))
	fi
}

# wait_for COMMAND...: until it succeeds, at most 30 seconds.
wait_for() {
	local i
	for ((i = 0; i < 150; i++)); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.2
	done
	echo "waited in vain for: $*"
	return 1
}

# logged TEXT [CONTAINER]: now, or within a while.
logged() {
	wait_for said "$@" || {
		docker logs "${2:-$name-broker}" 2>&1 | tail -n 20
		return 1
	}
}

said() {
	docker logs "${2:-$name-broker}" 2>&1 | grep -F -- "$1" >/dev/null
}

# --- containers -----------------------------------------------------------------

# As docker/README.md recommends: nothing may be written but the volume.
confined=(--read-only --cap-drop ALL --security-opt no-new-privileges)

# start_broker NAME VOLUME OPTION...: and wait until it is healthy.
start_broker() {
	local container=$1 volume=$2
	shift 2
	docker run -d --name "$container" --network "$name" -v "$volume:/mosquitto/data" \
		"${confined[@]}" "$@" "$image" >/dev/null || return
	if ! wait_for is_healthy "$container"; then
		docker logs "$container" 2>&1 | tail -n 20
		return 1
	fi
}

is_healthy() {
	[ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = healthy ]
}

is_unhealthy() {
	[ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = unhealthy ]
}

in_broker() {
	docker exec "$name-broker" "$@"
}

jitr() {
	in_broker mosquitto_ctrl jitr "$@"
}

# A container for the factory, with keys and certificates in its home directory; a
# device is a process there.
at_factory() {
	docker exec -w /home "$name-factory" "$@"
}

start_factory() {
	docker run -d --name "$name-factory" --network "$name" --tmpfs /home:mode=1777 --init \
		--no-healthcheck --entrypoint sleep "$image" infinity >/dev/null &&
		copy "$name-broker" /mosquitto/data/server.pem server.pem
}

# copy CONTAINER PATH FILE: into the factory's home.
copy() {
	docker exec "$1" cat "$2" | docker exec -i -w /home "$name-factory" sh -c "cat >'$3'"
}

give() {
	docker exec -i -w /home "$name-factory" sh -c "cat >'$1'"
}

# to_broker FILE: from the factory, to where mosquitto_ctrl in the broker's
# container reads it.
to_broker() {
	at_factory cat "$1" | docker exec -i "$name-broker" sh -c "cat >/mosquitto/data/admin/$1"
}

new_key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

# publish DEVICE TOPIC MESSAGE [CLIENT-ID]
publish() {
	at_factory mosquitto_pub -h broker.example -p 8883 --cafile server.pem --cert "$1.pem" \
		--key "$1.key" -i "${4:-$1}" -V 5 -q 1 -t "$2" -m "$3"
}

# --- steps: the image ------------------------------------------------------------

build() {
	docker build -q -t "$1" -f "$root/docker/Dockerfile" --build-arg "SUITE=$suite" \
		--build-arg "VERSION=$version" --target "$2" "$root"
}

image_is_described() {
	local labels
	labels=$(docker image inspect -f '{{json .Config.Labels}}' "$image")
	echo "$labels"
	grep -q '"org.opencontainers.image.licenses":"EPL-2.0 OR BSD-3-Clause"' <<<"$labels" &&
		grep -qF "\"org.opencontainers.image.version\":\"$version\"" <<<"$labels"
}

image_has_no_more_than_it_needs() {
	local found
	found=$(docker run --rm --entrypoint sh "$image" -c \
		'command -v gcc cmake python3 ninja; ls -d /src /usr/include/mosquitto* /var/lib/apt/lists/*_* 2>/dev/null')
	echo "$found"
	[ -z "$found" ]
}

libraries_are_all_there() {
	local missing
	missing=$(docker run --rm --entrypoint sh "$image" -c \
		'ldd /usr/bin/mosquitto_jitr /usr/lib/mosquitto_jitr.so /usr/lib/mosquitto_ctrl_jitr.so \
			/usr/libexec/mosquitto-jitr/mosquitto_jitr_registrar' |
		grep 'not found')
	echo "$missing"
	[ -z "$missing" ]
}

# Copied files have the documented modes, whatever the umask of the checkout; the
# directory of the configuration can be entered (Docker 28.1: moby/moby#49851).
files_are_readable() {
	docker run --rm --entrypoint sh "$image" -c 'ls -ld /mosquitto/config /mosquitto/config/* &&
		cat /mosquitto/config/mosquitto.conf /mosquitto/config/acl >/dev/null &&
		[ "$(stat -c %a /mosquitto/config)" = 755 ] && ls -l /usr/local/bin &&
		[ "$(stat -c %a /usr/local/bin/entrypoint.sh /usr/local/bin/healthcheck.sh | sort -u)" = 755 ]' &&
		docker run --rm --entrypoint sh "$image-rule" -c 'test -x /usr/local/bin/activate.py' &&
		docker run --rm --entrypoint sh "$image-demo" -c \
			'test -x /usr/local/bin/demo-device.sh && test -r /usr/local/share/device-policy.json'
}

# --- steps: a first start --------------------------------------------------------

first_start() {
	start_broker "$name-broker" "$name-data" -e JITR_SERVER_NAME=broker.example \
		--network-alias broker.example -p 127.0.0.1::1883 -p 127.0.0.1::8883
}

first_start_says_where_things_are() {
	docker logs "$name-broker"
	said "docker cp $(container_id):/mosquitto/data/server.pem" &&
		said "docker exec $(container_id) cat /mosquitto/data/admin/password" &&
		said "docker exec $(container_id) mosquitto_ctrl jitr"
}

container_id() {
	docker inspect -f '{{.Config.Hostname}}' "$name-broker"
}

what_it_says_works() {
	password=$(in_broker cat /mosquitto/data/admin/password) && [ ${#password} = 32 ] &&
		docker cp "$name-broker:/mosquitto/data/server.pem" "$dir/" &&
		grep -q 'BEGIN CERTIFICATE' "$dir/server.pem" &&
		jitr list-ca-certificates && in_broker mosquitto_jitr list-ca-certificates
}

runs_as_nobody_special() {
	in_broker cat /proc/1/status | grep -E '^(Uid|CapEff|NoNewPrivs)' &&
		in_broker grep -qE '^Uid:[[:space:]]+1883' /proc/1/status &&
		in_broker grep -qE '^CapEff:[[:space:]]+0+$' /proc/1/status &&
		in_broker grep -qz 'mosquitto' /proc/1/cmdline &&
		! in_broker touch /etc/x
}

secrets_are_for_the_broker_alone() {
	in_broker find /mosquitto/data -type f -perm /077
	[ -z "$(in_broker find /mosquitto/data -type f -perm /077)" ]
}

# grep reads the password from its standard input, so that no log has it.
tells_no_secret() {
	password=$(in_broker cat /mosquitto/data/admin/password)
	{
		docker history --no-trunc "$image"
		docker inspect "$image" "$name-broker"
		docker logs "$name-broker" 2>&1
		docker top "$name-broker" aux
		in_broker env
	} >"$dir/told"
	! grep -qF "$password" "$dir/told" && ! grep -q 'PRIVATE KEY' "$dir/told"
}

image_has_no_secret() {
	local found
	found=$(docker run --rm --entrypoint sh "$image" -c \
		'find /mosquitto /src /home /root /tmp -type f 2>/dev/null; find / -xdev -name "*.key" -type f')
	echo "$found"
	! grep -vxE '/mosquitto/config/(mosquitto.conf|acl)|/root/\.(bashrc|profile)' <<<"$found"
}

nobody_gets_in_without_a_password() {
	! at_factory mosquitto_pub -h broker.example -t x -m x &&
		! at_factory mosquitto_pub -h broker.example -u admin -P wrong -t x -m x
}

# registrar CONTAINER: the number of the process in the container, which has no ps.
registrar() {
	docker exec "$1" sh -c 'for p in /proc/[0-9]*; do
		case $(readlink $p/exe) in */mosquitto_jitr_registrar) echo "${p#/proc/}" ;; esac; done'
}

# Of the broker, and confined as the broker is.
registrar_is_confined() {
	local pid
	pid=$(registrar "$name-broker") && [ -n "$pid" ] &&
		in_broker cat "/proc/$pid/status" >"$dir/status" && cat "$dir/status" &&
		[ "$(in_broker readlink "/proc/$pid/exe")" = /usr/libexec/mosquitto-jitr/mosquitto_jitr_registrar ] &&
		grep -qE '^PPid:[[:space:]]+1$' "$dir/status" && grep -qE '^Uid:[[:space:]]+1883' "$dir/status" &&
		grep -qE '^CapEff:[[:space:]]+0+$' "$dir/status" && grep -qE '^NoNewPrivs:[[:space:]]+1$' "$dir/status" &&
		grep -qE '^Seccomp:[[:space:]]+2$' "$dir/status"
}

is_another_registrar() {
	local pid
	pid=$(registrar "$1") && [ -n "$pid" ] && [ "$pid" != "$2" ]
}

# Process 1 is the broker: it has to wait for the registrar, as no init does it.
no_zombie() {
	! docker exec "$1" sh -c 'cat /proc/[0-9]*/stat 2>/dev/null' | grep -E '\) Z '
}

registrar_is_started_again() {
	local started pid
	started=$(docker inspect -f '{{.State.StartedAt}}' "$name-broker") pid=$(registrar "$name-broker") &&
		in_broker sh -c "kill -9 $pid" && logged 'the registrar is up again' &&
		is_another_registrar "$name-broker" "$pid" && wait_for jitr list-ca-certificates &&
		no_zombie "$name-broker" && is_healthy "$name-broker" &&
		[ "$(docker inspect -f '{{.State.StartedAt}}' "$name-broker")" = "$started" ]
}

# A stopped process still has its ports open.  The file grows old within 30 seconds, when the
# broker or the registrar hangs.
healthy_means_that_it_works() {
	local pid
	start_broker "$name-ill" "$name-ill" --health-interval 1s --health-timeout 2s \
		--health-retries 1 && docker kill -s STOP "$name-ill" && sleep 20 &&
		wait_for is_unhealthy "$name-ill" && docker kill -s CONT "$name-ill" &&
		wait_for is_healthy "$name-ill" && pid=$(registrar "$name-ill") &&
		docker exec "$name-ill" sh -c "kill -STOP $pid" && sleep 20 &&
		wait_for is_unhealthy "$name-ill" && docker exec "$name-ill" sh -c "kill -CONT $pid" &&
		wait_for is_healthy "$name-ill" && [ "$(registrar "$name-ill")" = "$pid" ]
}

# The broker kills it after five seconds, before docker kills the broker.
a_hanging_registrar_does_not_keep_it() {
	local start=$SECONDS pid
	pid=$(registrar "$name-ill") && docker exec "$name-ill" sh -c "kill -STOP $pid" &&
		docker stop -t 10 "$name-ill" >/dev/null || return
	echo "$((SECONDS - start)) s, status $(docker inspect -f '{{.State.ExitCode}}' "$name-ill")"
	[ $((SECONDS - start)) -lt 9 ] && [ "$(docker inspect -f '{{.State.ExitCode}}' "$name-ill")" = 0 ]
}

# Nothing is left of the old processes that would keep the new ones from the registry.
starts_after_a_kill() {
	docker start "$name-ill" && wait_for is_healthy "$name-ill" && docker kill "$name-ill" &&
		docker start "$name-ill" && wait_for is_healthy "$name-ill" &&
		docker exec "$name-ill" mosquitto_ctrl jitr list-ca-certificates
}

# A user without a name, a /tmp from which nothing may be executed, and few processes.
another_user() {
	docker run --rm --user 0 -v "$name-user:/mosquitto/data" --entrypoint chown "$image" -R 4242 /mosquitto/data &&
		start_broker "$name-user" "$name-user" --user 4242:1883 --tmpfs /tmp:noexec,nosuid,nodev,size=1m \
			--pids-limit 20 && docker exec "$name-user" mosquitto_ctrl jitr list-ca-certificates &&
		[ -n "$(registrar "$name-user")" ] && ends_in_time "$name-user"
}

# There were some forty checks so far.
checks_leave_no_lines() {
	docker logs "$name-ill" 2>&1 | tail -n 20
	! said 'New connection' "$name-ill" && ! said 'New client' "$name-ill" &&
		! said 'request: command=' "$name-ill"
}

# --- steps: a device's life --------------------------------------------------------

registration_code() {
	code=$(jitr get-registration-code --output text) && echo "$code" && [ ${#code} = 64 ]
}

# shellcheck disable=SC2086
make_ca() {
	at_factory openssl req -x509 $new_key -days 30 -keyout ca.key -out ca.pem \
		-subj "/O=Example Devices/CN=Factory CA" -addext keyUsage=critical,keyCertSign,cRLSign &&
		printf '[ca]\ndefault_ca=c\n[c]\ndatabase=/home/index\ndefault_md=sha256\n' |
		give openssl.cnf && give index </dev/null &&
		at_factory openssl ca -config openssl.cnf -gencrl -crldays 1 -keyfile ca.key \
			-cert ca.pem -out ca.crl
}

# shellcheck disable=SC2086
register_ca() {
	at_factory openssl req -new $new_key -keyout proof.key -out proof.csr -subj "/CN=$code" &&
		sign proof && to_broker ca.pem && to_broker proof.pem &&
		jitr register-ca-certificate --set-as-active --allow-auto-registration \
			--ca-certificate file:///mosquitto/data/admin/ca.pem \
			--verification-cert file:///mosquitto/data/admin/proof.pem
}

proof_is_needed() {
	! jitr register-ca-certificate --ca-certificate file:///mosquitto/data/admin/ca.pem \
		--verification-cert file:///mosquitto/data/admin/ca.pem
}

sign() {
	at_factory openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -days 2 -sha256 \
		-set_serial "0x$(printf '%04x%04x' $RANDOM $RANDOM)1" -out "$1.pem"
}

# shellcheck disable=SC2086
register_ca_through_a_pipe() {
	at_factory openssl req -x509 $new_key -days 30 -keyout other.key -out other.pem \
		-subj "/CN=Other CA" -addext keyUsage=critical,keyCertSign,cRLSign &&
		at_factory cat other.key | docker exec -i "$name-broker" mosquitto_ctrl jitr \
			register-ca-certificate --ca-certificate "$(at_factory cat other.pem)" \
			--ca-key /dev/stdin --set-as-active --allow-auto-registration
}

# shellcheck disable=SC2086
make_device() {
	at_factory openssl req -new $new_key -keyout "$1.key" -out "$1.csr" \
		-subj "/O=Example Devices/CN=$1" && sign "$1"
}

listen() {
	docker run -d --name "$name-listener" --network "$name" --entrypoint stdbuf "$image" \
		-oL mosquitto_sub -h broker.example -u admin -P "$password" -q 1 -t '$aws/events/certificates/registered/#' \
		-t 'devices/#' -F '%t %p' -d && logged SUBACK "$name-listener"
}

first_connection() {
	! publish sensor-1 devices/sensor-1/up early &&
		logged '"certificateStatus":"PENDING_ACTIVATION"' "$name-listener" && ! said early "$name-listener" &&
		id=$(at_factory openssl x509 -in sensor-1.pem -outform DER | sha256sum | cut -d ' ' -f 1) &&
		said "$id" "$name-listener" && status_is PENDING_ACTIVATION
}

status_is() {
	jitr describe-certificate --certificate-id "$id" | grep "\"status\": \"$1\""
}

make_policy() {
	docker exec -i "$name-broker" sh -c 'cat >/mosquitto/data/admin/policy.json' \
		<"$root/examples/device-policy.json" &&
		jitr create-policy --policy-name device \
			--policy-document file:///mosquitto/data/admin/policy.json
}

start_rule() {
	in_broker cat /mosquitto/data/admin/password | docker run -i --rm --network none \
		-v "$name-admin:/mosquitto/data/admin" --entrypoint sh "$image" \
		-c 'umask 077; cat >/mosquitto/data/admin/password' &&
		for file in ca.pem ca.crl; do
			at_factory cat $file | docker run -i --rm --network none -v "$name-ca:/ca" \
				--entrypoint sh "$image" -c "cat >/ca/$file" || return
		done &&
		docker run -d --name "$name-rule" --network "$name" "${confined[@]}" \
			-v "$name-admin:/mosquitto/data/admin:ro" -v "$name-ca:/ca:ro" "$image-rule" \
			-h broker.example -u admin --pw-file /mosquitto/data/admin/password \
			--ca /ca/ca.pem --crl /ca/ca.crl --policy device &&
		logged "activated $id" "$name-rule" && status_is ACTIVE &&
		jitr list-attached-policies --target "$id" | grep '"policyName": "device"'
}

second_connection() {
	publish sensor-1 devices/sensor-1/up warm && logged 'devices/sensor-1/up warm' "$name-listener"
}

only_what_the_policy_allows() {
	publish sensor-1 devices/sensor-2/up cold
	logged 'publish denied: topic="devices/sensor-2/up"' && ! said cold "$name-listener" &&
		! publish sensor-1 devices/sensor-2/up cold sensor-2
}

revocation_cuts() {
	docker exec -d -w /home "$name-factory" sh -c 'stdbuf -oL mosquitto_sub -h broker.example -p 8883 \
		--cafile server.pem --cert sensor-1.pem --key sensor-1.key -i sensor-1 -V 5 -d \
		-t devices/sensor-1/orders >live 2>&1'
	wait_for at_factory grep -q SUBACK live && in_broker mosquitto_pub -q 1 \
		-t devices/sensor-1/orders -m first && wait_for at_factory grep -qx first live &&
		jitr update-certificate --certificate-id "$id" --new-status REVOKED &&
		logged 'connection closed: reason="revoked"' && ! publish sensor-1 devices/sensor-1/up late &&
		! said late "$name-listener"
}

rule_ends_by_sigterm() {
	ends_in_time "$name-rule"
}

# --- steps: restart ---------------------------------------------------------------

# ends_in_time CONTAINER: by SIGTERM, with status 0.
ends_in_time() {
	local start=$SECONDS
	docker stop -t 10 "$1" >/dev/null
	echo "$((SECONDS - start)) s, status $(docker inspect -f '{{.State.ExitCode}}' "$1")"
	[ $((SECONDS - start)) -lt 4 ] && [ "$(docker inspect -f '{{.State.ExitCode}}' "$1")" = 0 ]
}

# The files that entrypoint.sh makes.
sums() {
	docker run --rm -v "$1:/mosquitto/data:ro" -w /mosquitto/data --entrypoint sh "$image" -c \
		'sha256sum server.key server.pem passwd passwd.origin admin/password admin/mosquitto_ctrl'
}

restarts_on_its_volume() {
	in_broker mosquitto_pub -q 1 -r -t kept -m retained &&
		ends_in_time "$name-broker" && sums "$name-data" >"$dir/before" && docker rm "$name-broker" &&
		first_start && sums "$name-data" | diff "$dir/before" - && ! said Made &&
		status_is REVOKED && in_broker mosquitto_sub -C 1 -W 5 -t kept | grep -x retained
}

forgotten_password() {
	in_broker rm /mosquitto/data/admin/password && docker restart "$name-broker" &&
		wait_for jitr list-ca-certificates && ! in_broker mosquitto_ctrl -u admin -P "$password" jitr \
		list-ca-certificates && [ "$(in_broker cat /mosquitto/data/admin/password)" != "$password" ]
}

other_names() {
	local key
	key=$(in_broker sha256sum /mosquitto/data/server.key) &&
		in_broker rm /mosquitto/data/server.pem && docker rm -f "$name-broker" &&
		start_broker "$name-broker" "$name-data" -e JITR_SERVER_NAME='other.example 192.0.2.7 2001:db8::7' &&
		[ "$(in_broker sha256sum /mosquitto/data/server.key)" = "$key" ] &&
		in_broker openssl x509 -in /mosquitto/data/server.pem -noout -ext subjectAltName |
		grep 'DNS:other.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7'
}

# The files made before an interrupted start stay; the next start makes the rest.
mends_a_first_start() {
	mended server.key &&
		mended server.key server.pem admin/password &&
		mended server.key server.pem admin/password passwd.origin= &&
		mended server.key server.pem admin/password passwd.origin= passwd
}

# mended FILE...: left behind, those with = empty.
mended() {
	local container=$name-half volume=$name-half file
	echo "left by a first start: $*"
	docker run --rm -v "$volume:/mosquitto/data" -v "$name-data:/from:ro" --entrypoint sh \
		-w /mosquitto/data "$image" -c 'for f; do
			case $f in *=) : >"${f%=}" ;; *) cp "/from/$f" "$f" ;; esac; done' sh "$@" &&
		start_broker "$container" "$volume" &&
		docker exec "$container" mosquitto_ctrl jitr list-ca-certificates &&
		docker rm -fv "$container" && sums "$volume" >"$dir/after" || return
	for file; do
		case $file in
		server.* | admin/*) grep -F "$(grep " $file" "$dir/before")" "$dir/after" || return ;;
		esac
	done
	docker volume rm "$volume"
}

# --- steps: backup and upgrade ----------------------------------------------------

policies() {
	jitr list-policies | grep -o '"policyName": "[^"]*"' | sort
}

add_policy() {
	jitr create-policy --policy-name "$1" --policy-document '{"Version":"2012-10-17","Statement":
		{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}}'
}

back_up() {
	(umask 077 && mkdir -p "$dir/backup" && docker exec "$name-broker" mdb_copy -c /mosquitto/data/jitr \
		>"$dir/backup/data.mdb" && docker cp "$name-broker:/mosquitto/data/server.key" "$dir/backup/" &&
		docker cp "$name-broker:/mosquitto/data/server.pem" "$dir/backup/" &&
		docker cp "$name-broker:/mosquitto/data/admin/password" "$dir/backup/") &&
		grep -q 'PRIVATE KEY' "$dir/backup/server.key" && grep -q CERTIFICATE "$dir/backup/server.pem" &&
		[ "$(cat "$dir/backup/password")" = "$(in_broker cat /mosquitto/data/admin/password)" ] &&
		policies >"$dir/policies" && add_policy later
}

# An image that differs in its label only.
upgrade() {
	local version=next
	in_broker mosquitto_pub -q 1 -r -t kept -m upgraded && policies >"$dir/all_policies" &&
		build "$image" broker && docker stop "$name-broker" && docker rm "$name-broker" && first_start &&
		docker inspect -f '{{json .Config.Labels}}' "$name-broker" | grep '"next"' && ! said Made &&
		policies | diff "$dir/all_policies" - && status_is REVOKED &&
		in_broker mosquitto_sub -C 1 -W 5 -t kept | grep -x upgraded
}

restore() {
	docker stop "$name-broker" && put_back "$name-data" && docker start "$name-broker" &&
		wait_for is_healthy "$name-broker" && policies | diff "$dir/policies" - && status_is REVOKED
}

put_back() {
	docker run --rm -i -v "$1:/mosquitto/data" "$image" sh -c 'umask 077 && mkdir -p /mosquitto/data/jitr &&
		cd /mosquitto/data/jitr && cat >restored && mv restored data.mdb && rm -f lock.mdb' \
		<"$dir/backup/data.mdb"
}

# Into a volume where no broker was yet.
restore_elsewhere() {
	put_back "$name-new" && start_broker "$name-new" "$name-new" &&
		docker exec "$name-new" mosquitto_ctrl jitr describe-certificate --certificate-id "$id" |
		grep '"status": "REVOKED"'
}

# --- steps: what is mounted ---------------------------------------------------------

# Two files for secrets, readable for the broker's user as docker mounts them.
own_files() {
	mkdir -p "$dir/own" && chmod 755 "$dir" "$dir/own" && printf '%s\n' "own $RANDOM: \$password" >"$dir/own/password" &&
		copy_own server.key "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256" &&
		docker run --rm -i --entrypoint sh "$image" -c 'cat >/tmp/k; openssl req -x509 -key /tmp/k \
			-days 2 -subj /CN=own -addext subjectAltName=DNS:own.example' <"$dir/own/server.key" \
			>"$dir/own/server.pem" &&
		chmod 444 "$dir"/own/* && (cd "$dir/own" && sha256sum -- *) >"$dir/own.sums"
}

copy_own() {
	# shellcheck disable=SC2086
	docker run --rm --entrypoint openssl "$image" $2 >"$dir/own/$1"
}

with_own_files() {
	start_broker "$name-own" "$name-own" --network-alias own.example \
		-v "$dir/own/password:/mosquitto/data/admin/password:ro" \
		-v "$dir/own/server.pem:/mosquitto/data/server.pem:ro" \
		-v "$dir/own/server.key:/mosquitto/data/server.key:ro"
}

own_files_are_used() {
	with_own_files && ! said Made "$name-own" && own_password_works && own_certificate_is_shown &&
		(cd "$dir/own" && sha256sum -c "$dir/own.sums")
}

own_password_works() {
	docker exec "$name-own" mosquitto_ctrl -u admin -P "$(cat "$dir/own/password")" jitr \
		list-ca-certificates && docker exec "$name-own" mosquitto_ctrl jitr list-ca-certificates
}

own_certificate_is_shown() {
	docker exec "$name-own" sh -c 'openssl s_client -connect localhost:8883 </dev/null 2>/dev/null |
		openssl x509 -noout -subject' | grep own
}

own_password_changes() {
	local old
	old=$(cat "$dir/own/password")
	docker rm -fv "$name-own" && rm -f "$dir/own/password" && echo another >"$dir/own/password" &&
		touch -d 2020-01-01 "$dir/own/password" && with_own_files && own_password_works &&
		! docker exec "$name-own" mosquitto_ctrl -u admin -P "$old" jitr list-ca-certificates
}

own_configuration() {
	mkdir -p "$dir/config" && cp "$root/docker/mosquitto.conf" "$root/docker/acl" "$dir/config/" &&
		echo 'plugin_opt_region own-region' >>"$dir/config/mosquitto.conf" &&
		sed -i 's#/mosquitto/data/passwd#/mosquitto/config/passwd#' "$dir/config/mosquitto.conf" &&
		chmod 755 "$dir/config" && docker run --rm --entrypoint sh "$image" -c \
		'cd /tmp && echo admin:mine >p && mosquitto_passwd -U p && cat p' >"$dir/config/passwd" &&
		chmod 644 "$dir"/config/* && start_broker "$name-config" "$name-config" \
		-v "$dir/config:/mosquitto/config:ro" && docker exec "$name-config" mosquitto_jitr -u admin \
		-P mine create-policy --policy-name p --policy-document '{"Version":"2012-10-17","Statement":
		{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}}' | grep own-region &&
		! docker exec "$name-config" ls /mosquitto/data/passwd /mosquitto/data/admin/password
}

# A user that may read what devices publish, and nothing else.
back_end() {
	mkdir -p "$dir/back" && cp "$root/docker/mosquitto.conf" "$root/docker/acl" "$dir/back/" &&
		printf 'user backend\ntopic read devices/#\n' >>"$dir/back/acl" && chmod 755 "$dir/back" &&
		chmod 644 "$dir"/back/* && start_broker "$name-back" "$name-back" \
		-v "$dir/back:/mosquitto/config:ro" && docker exec "$name-back" sh -c \
		'cd /mosquitto/data && mosquitto_passwd -b -c new backend SECRET && cat new >>passwd && rm new' && docker restart "$name-back" &&
		wait_for docker exec "$name-back" mosquitto_pub -r -q 1 -t devices/d/up -m hello &&
		docker exec "$name-back" mosquitto_pub -r -q 1 -t other/x -m no &&
		docker exec "$name-back" mosquitto_sub -u backend -P SECRET -t 'devices/#' -C 1 -W 10 |
		grep -x hello && ! docker exec "$name-back" mosquitto_sub -u backend -P SECRET -t 'other/#' -C 1 -W 2
}

# refuses TEXT OPTION...: ends by itself, and says why.
refuses() {
	local text=$1 out
	shift
	out=$(timeout 20 docker run --rm "$@" 2>&1)
	local status=$?
	echo "status $status: $out"
	[ $status = 1 ] && grep -qF -- "$text" <<<"$out"
}

mistakes_are_told() {
	refuses 'any user but root' --user 0 "$image" &&
		refuses 'cannot write to /mosquitto/data' --user 1234 "$image" &&
		refuses 'its key server.key is not' \
			-v "$dir/own/server.pem:/mosquitto/data/server.pem:ro" "$image" &&
		refuses 'is not the name of a host' -e JITR_SERVER_NAME='a,b' "$image"
}

# --- steps: compose ---------------------------------------------------------------

compose() {
	JITR_PORT=0 JITR_ADMIN_PORT=0 docker compose -p "$name" -f "$root/docker/compose.yaml" \
		-f "$dir/images.yaml" "$@"
}

# The images as built above; when compose builds, one with another label.
write_images() {
	cat >"$dir/images.yaml" <<-YAML
		services:
		  broker: {image: $image, build: {args: {SUITE: $suite, VERSION: newer}}}
		  rule: {image: $image-rule, build: {args: {SUITE: $suite}}}
		  demo: {image: $image-demo}
	YAML
}

compose_demo() {
	compose run --rm demo && compose logs rule | grep activated
}

compose_upgrade() {
	local before
	before=$(compose ps -q broker) && compose exec -T broker mdb_copy -c /mosquitto/data/jitr >"$dir/copy" &&
		[ -s "$dir/copy" ] && compose up -d --build && [ "$(compose ps -q broker)" != "$before" ] &&
		wait_for compose exec -T broker mosquitto_ctrl jitr get-policy --policy-name device
}

compose_own_secrets() {
	cat >"$dir/secrets.yaml" <<-YAML
		services:
		  broker:
		    secrets:
		      - {source: password, target: /mosquitto/data/admin/password}
		      - {source: certificate, target: /mosquitto/data/server.pem}
		      - {source: key, target: /mosquitto/data/server.key}
		secrets:
		  password: {file: $dir/own/password}
		  certificate: {file: $dir/own/server.pem}
		  key: {file: $dir/own/server.key}
	YAML
	compose down -v && compose -f "$dir/secrets.yaml" up -d --wait --wait-timeout 60 broker &&
		! compose logs broker | grep Made &&
		compose -f "$dir/secrets.yaml" exec -T broker mosquitto_ctrl -u admin \
			-P "$(cat "$dir/own/password")" jitr list-ca-certificates &&
		[ "$(cat "$dir/own/password")" = another ]
}

# --------------------------------------------------------------------------------

version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
write_images
docker network create "$name" >/dev/null || exit 1

step "the broker's image builds, on $suite" build "$image" broker
step "the rule's" build "$image-rule" rule
step "the demo device's" build "$image-demo" demo
[ $failed = 0 ] || { printf '%d passed, %d failed\n' $passed $failed; exit 1; }
step "it has labels" image_is_described
step "no compiler, headers or package lists in it" image_has_no_more_than_it_needs
step "the libraries of plugin and tools are in it" libraries_are_all_there
step "no secret in it" image_has_no_secret
step "the broker's user can read configuration and scripts" files_are_readable

step "a first start, read-only and without capabilities, gets healthy" first_start
step "it says where certificate and password are" first_start_says_where_things_are
step "and what it says works" what_it_says_works
step "it runs as user 1883 with no capability, the broker as process 1" runs_as_nobody_special
step "the registrar too, below the broker" registrar_is_confined
step "a registrar that is killed is started again, and leaves no zombie" registrar_is_started_again
step "what it made is readable for the broker alone" secrets_are_for_the_broker_alone
step "no secret in history, inspect, logs, environment and process list" tells_no_secret
step "healthy means that the plugin works" healthy_means_that_it_works
step "health checks leave no lines in the log" checks_leave_no_lines
step "a registrar that hangs delays a stop by seconds" a_hanging_registrar_does_not_keep_it
step "a container that was killed starts again" starts_after_a_kill
step "another user, with /tmp noexec and few processes" another_user
step "a machine beside it" start_factory
step "without a password nobody gets in" nobody_gets_in_without_a_password

step "the registration code" registration_code
step "a CA" make_ca
step "is registered with proof of possession" register_ca
step "and not without" proof_is_needed
step "another by its key, through a pipe" register_ca_through_a_pipe
step "a device" make_device sensor-1
step "a listener for events" listen
step "the first connection is refused and registered, with its event" first_connection
step "a policy" make_policy
step "the rule attaches it and activates the certificate" start_rule
step "the second connection is accepted, a publish allowed" second_connection
step "another device's topic and name are denied" only_what_the_policy_allows
step "revocation cuts the live connection" revocation_cuts
step "SIGTERM ends the rule" rule_ends_by_sigterm

step "SIGTERM ends the broker; a start on its volume changes nothing" restarts_on_its_volume
step "a backup of the running broker" back_up
step "an upgrade: a new image, a new container, the same volume" upgrade
step "a restore: what came after the backup is gone" restore
step "a restore into an empty volume" restore_elsewhere
step "a first start that was cut off is mended" mends_a_first_start
step "a password that was removed is made anew" forgotten_password
step "a certificate for other names, with the same key" other_names
step "own password and certificate" own_files
step "are used and stay as they are" own_files_are_used
step "a changed own password counts from the next start on" own_password_changes
step "an own configuration, mounted read-only" own_configuration
step "a back end with a password and a section in acl" back_end
step "mistakes are told" mistakes_are_told

step "compose: broker and rule come up" compose up -d --wait --wait-timeout 60
step "compose: the demo device is refused, activated and let in" compose_demo
step "compose: and a second one" compose_demo
step "compose: a backup, and an upgrade" compose_upgrade
step "compose: own password and certificate as secrets" compose_own_secrets

printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
