#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# demo.sh - demonstrates the plugin: registration, activation, policies, revocation.
#
# Builds the plugin, starts a real Mosquitto with it on free loopback ports in a
# temporary directory, and walks through a device's life: each step shows the
# command that you would type and its output.  Exit status 0 only if every step
# succeeded.  Stops and removes all that it started.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
log_dir=$dir
# shellcheck source=scripts/common.sh
. "$root/scripts/common.sh"

broker_pid='' subscriber_pid='' listener_pid='' device_pid='' rule_pid=''
cleanup() {
	local status=$?
	trap - EXIT INT TERM
	for pid in $rule_pid $device_pid $listener_pid $subscriber_pid $broker_pid; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	if [ $status != 0 ]; then
		printf '\nThe demo failed.\n' >&2
		if [ -s "$dir/broker.log" ]; then
			printf 'The end of the broker log:\n' >&2
			tail -n 20 "$dir/broker.log" >&2
		fi
	fi
	rm -rf "$dir"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi

step() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# show WORD...: print the command as a user would type it, then run it.
show() {
	printf '%s$ %s%s\n' "$dim" "${*//"$dir/"/}" "$plain"
	"$@" 2>&1 | sed 's/^/  /'
	return "${PIPESTATUS[0]}"
}

say() {
	printf '  %s\n' "$*"
}

# wait_for WHAT COMMAND...: until the command succeeds, at most 15 seconds.
wait_for() {
	local what=$1 i
	shift
	for ((i = 0; i < 150; i++)); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.1
	done
	die "waited in vain for $what"
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

step "Building"
need "${build_packages[@]}" jq
build_dir=$(build_dir release)
build release -DJITR_TESTS=OFF -DJITR_WERROR=OFF
say "${build_dir#"$root/"}: mosquitto_jitr.so, mosquitto_ctrl_jitr.so, mosquitto_jitr"

# --- a broker of our own ----------------------------------------------------

cd "$dir"
admin_port=$(free_port)
tls_port=$(free_port)
while [ "$tls_port" = "$admin_port" ]; do tls_port=$(free_port); done

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout server.key \
	-out server.pem -subj '/CN=localhost' -addext 'subjectAltName=DNS:localhost' 2>/dev/null
password=$(openssl rand -hex 12)
mosquitto_passwd -b -c passwd admin "$password" 2>/dev/null
cat >mosquitto.conf <<CONF
$([ "$(id -u)" != 0 ] || echo 'user root')
log_dest file $dir/broker.log
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe
allow_anonymous false
password_file $dir/passwd
set_tcp_nodelay true
listener $admin_port 127.0.0.1
listener $tls_port 127.0.0.1
certfile $dir/server.pem
keyfile $dir/server.key
capath $dir/jitr/ca
require_certificate true
plugin $build_dir/mosquitto_jitr.so
plugin_opt_db_path $dir/jitr
plugin_opt_admin_users admin
plugin_opt_authorization policy
plugin_opt_other_clients allow
CONF

# The administrator's connection, as mosquitto_ctrl reads it from its file.
export XDG_CONFIG_HOME=$dir HOME=$dir LD_LIBRARY_PATH=$build_dir
cat >mosquitto_ctrl <<CONF
-h localhost
-p $admin_port
-u admin
-P $password
CONF
admin_options=(-h localhost -p "$admin_port" -u admin -P "$password")
device_options=(-h localhost -p "$tls_port" --cafile server.pem)
jitr() {
	mosquitto_ctrl "${admin_options[@]}" jitr "$@"
}
# Shown without the connection options, which would come from the file.
show_jitr() {
	printf '%s$ mosquitto_ctrl jitr %s%s\n' "$dim" "${*//"$dir/"/}" "$plain"
	jitr "$@" 2>&1 | sed 's/^/  /'
	return "${PIPESTATUS[0]}"
}

step "1. A broker with the plugin"
grep -E '^(listener|capath|require|plugin)' mosquitto.conf | sed "s#$dir/##g; s#$root/##g; s/^/  /"
mosquitto -c mosquitto.conf >broker.out 2>&1 &
broker_pid=$!
wait_for "the broker" jitr list-ca-certificates
say "$(mosquitto -h | head -n 1), running"

step "2. The factory's CA, with proof of possession of its key"
show openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
	-keyout ca.key -out ca.pem -subj "/O=Example Devices/CN=Factory CA" \
	-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
	>/dev/null && say "openssl req -x509 ... -> ca.pem, ca.key"
show_jitr get-registration-code
code=$(jitr get-registration-code | jq -r .registrationCode)
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout verification.key \
	-out verification.csr -subj "/CN=$code" 2>/dev/null
openssl x509 -req -in verification.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -sha256 \
	-out verification.pem 2>/dev/null
say "openssl: a certificate with that code as its name, signed by the CA -> verification.pem"
show_jitr register-ca-certificate --allow-auto-registration --set-as-active \
	--ca-certificate file://ca.pem --verification-cert file://verification.pem
ca_id=$(jitr list-ca-certificates | jq -r '.certificates[0].certificateId')
show_jitr describe-ca-certificate --certificate-id "$ca_id" | grep -E 'mosquitto_ctrl|tatus|Mode'

step "3. A subscriber for registration events"
say "mosquitto_sub -t '\$aws/events/certificates/registered/#'"
mosquitto_sub "${admin_options[@]}" -q 1 -t '$aws/events/certificates/registered/#' -F '%t %p' \
	>events &
subscriber_pid=$!
wait_for "the subscription" grep -q ' 1 \$aws/events' broker.log

step "4. An unknown device connects for the first time"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device.key \
	-out device.csr -subj '/O=Example Devices/CN=sensor-0001' 2>/dev/null
openssl x509 -req -in device.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -sha256 \
	-out device.pem 2>/dev/null
say "cat device.pem ca.pem > combined.pem"
cat device.pem ca.pem >combined.pem
publish() {
	show mosquitto_pub "${device_options[@]}" --cert combined.pem --key device.key -i sensor-0001 \
		-V 5 -q 1 "$@"
}
if publish -t sensors/sensor-0001/temperature -m 20; then
	die "the first connection was accepted"
fi
say "-> refused, and registered.  The event:"
wait_for "the event" test -s events
sed 's/^/  /' events
event=$(cut -d ' ' -f 2- events | head -n 1)
certificate_id=$(jq -r .certificateId <<<"$event")
[ "$(jq -r .certificateStatus <<<"$event")" = PENDING_ACTIVATION ]
[ "$certificate_id" = "$(openssl x509 -in device.pem -outform DER | sha256sum | cut -d ' ' -f 1)" ]
show_jitr describe-certificate --certificate-id "$certificate_id" |
	grep -E 'mosquitto_ctrl|"status"|caCertificateId'

step "5. One policy for all devices"
cat >policy.json <<'POLICY'
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "iot:Connect",
   "Resource": "arn:aws:iot:local:000000000000:client/${iot:Certificate.Subject.CommonName}"},
  {"Effect": "Allow", "Action": "iot:Publish",
   "Resource": "arn:aws:iot:local:000000000000:topic/sensors/${iot:ClientId}/*"},
  {"Effect": "Allow", "Action": "iot:Subscribe",
   "Resource": "arn:aws:iot:local:000000000000:topicfilter/commands/${iot:ClientId}"},
  {"Effect": "Allow", "Action": "iot:Receive",
   "Resource": "arn:aws:iot:local:000000000000:topic/commands/${iot:ClientId}"}]}
POLICY
sed 's/^/  /' policy.json
show_jitr create-policy --policy-name sensor --policy-document file://policy.json |
	grep -E 'mosquitto_ctrl|policyName|policyArn|policyVersionId'

step "6. A rule checks the revocation list, attaches the policy and activates the certificate"
openssl_ca() {
	openssl ca -config "$dir/openssl.cnf" -keyfile ca.key -cert ca.pem "$@" 2>/dev/null
}
printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index.txt\ndefault_md=sha256\ndefault_crl_days=1\n' \
	"$dir" >openssl.cnf
: >index.txt
openssl_ca -gencrl -out ca.crl
say "examples/activate.sh --crl ca.crl --ca ca.pem --policy sensor   (your program; here a shell script)"
JITR_CTL="mosquitto_ctrl ${admin_options[*]} jitr" \
	JITR_SUB="mosquitto_sub ${admin_options[*]}" \
	"$root/examples/activate.sh" --crl ca.crl --ca ca.pem --policy sensor >rule.log 2>&1 &
rule_pid=$!
wait_for "the rule" grep -q listening rule.log
say "it lists pending certificates, and subscribes; the device retries every second, and each"
say "attempt causes an event until the certificate is activated"
activated() {
	grep -q "activated $certificate_id" rule.log
}
for ((attempt = 0; attempt < 15; attempt++)); do
	sleep 1
	mosquitto_pub "${device_options[@]}" --cert combined.pem --key device.key -i sensor-0001 \
		-V 5 -q 1 -t sensors/sensor-0001/temperature -m 20 >/dev/null 2>&1 || true
	if activated; then break; fi
done
wait_for "the activation" activated
sed 's/^/  rule: /' rule.log
show_jitr list-attached-policies --target "$certificate_id" | grep -E 'mosquitto_ctrl|policyName'

step "7. Now it connects, and publishes what its policy allows"
mosquitto_sub "${admin_options[@]}" -q 1 -t 'sensors/#' -F '%t %p' >heard &
listener_pid=$!
wait_for "the subscription" grep -q ' 1 sensors/#' broker.log
publish -t sensors/sensor-0001/temperature -m 21 || die "an active certificate was refused"
wait_for "the message" grep -qx 'sensors/sensor-0001/temperature 21' heard
say "-> accepted, published; a subscriber received: $(tail -n 1 heard)"
grep "connection accepted" broker.log | tail -n 1 | sed 's/^[0-9]*: /  log: /'
publish -t sensors/sensor-0002/temperature -m 99 || true
wait_for "the denial" grep -q 'publish denied: topic="sensors/sensor-0002' broker.log
grep 'publish denied' broker.log | tail -n 1 | sed 's/^[0-9]*: /  log: /'
if mosquitto_pub "${device_options[@]}" --cert combined.pem --key device.key -i sensor-0002 -V 5 \
	-q 1 -t sensors/sensor-0002/temperature -m 99 >/dev/null 2>&1; then
	die "it connected under another device's name"
fi
if grep -q 99 heard; then die "a denied message got through"; fi
say "-> denied for another sensor's topic, and with another sensor's client id; not delivered"

step "8. A device cannot forge events"
publish -t "\$aws/events/certificates/registered/$ca_id" -m '{"forged":true}' || true
if grep -q forged events; then die "a forged event got through"; fi
say "-> denied; not delivered"

step "9. A new version of the policy takes effect at once, on the open connection"
mosquitto_sub "${device_options[@]}" --cert combined.pem --key device.key -i sensor-0001 -V 5 \
	-t commands/sensor-0001 >device.log 2>&1 &
device_pid=$!
wait_for "the device's subscription" grep -q 'sensor-0001 0 commands/sensor-0001' broker.log
say "mosquitto_sub ... -t commands/sensor-0001   (the device, connected)"
order() {
	mosquitto_pub "${admin_options[@]}" -q 1 -t commands/sensor-0001 -m "$1"
}
order first
wait_for "the first command" grep -qx first device.log
jq '.Statement |= map(select(.Action != "iot:Receive"))' policy.json >policy-without-receive.json
show_jitr create-policy-version --policy-name sensor --set-as-default \
	--policy-document file://policy-without-receive.json |
	grep -E 'mosquitto_ctrl|policyVersionId|isDefault'
order second
show_jitr set-default-policy-version --policy-name sensor --policy-version-id 1
order third
wait_for "the third command" grep -qx third device.log
if grep -qx second device.log; then die "a message was delivered against the policy"; fi
say "three commands were sent to it, one under each version; it got: $(paste -sd ' ' device.log)"

step "10. Revocation closes the live connection"
show_jitr update-certificate --certificate-id "$certificate_id" --new-status REVOKED
wait_for "the cut" grep -q 'connection closed: reason="revoked"' broker.log
grep 'connection closed' broker.log | tail -n 1 | sed 's/^[0-9]*: /  log: /'
kill "$device_pid" 2>/dev/null || true
wait "$device_pid" 2>/dev/null || true
device_pid=
if publish -t sensors/sensor-0001/temperature -m 22; then
	die "a revoked certificate was accepted"
fi
say "-> refused, for good"

step "11. The same by a rule of the CA, without a program: the first connection is accepted"
kill "$rule_pid"
wait "$rule_pid" 2>/dev/null || true
rule_pid=
cat >rule.json <<'RULE'
{"conditions": {"StringLike": {"iot:Certificate.Subject.CommonName": "sensor-*"},
                "StringEquals": {"jitr:Certificate.KeyType": ["P-256", "P-384"]}},
 "policies": ["sensor"], "thing": "${iot:Certificate.Subject.CommonName}"}
RULE
sed 's/^/  /' rule.json
show_jitr update-ca-certificate --certificate-id "$ca_id" --activation file://rule.json
# make_device NAME: a key and a certificate of the factory's CA.
make_device() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \
		-out "$1.csr" -subj "/O=Example Devices/CN=$1" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -sha256 \
		-out "$1.pem" 2>/dev/null
}
make_device sensor-0002
show mosquitto_pub "${device_options[@]}" --cert sensor-0002.pem --key sensor-0002.key -i sensor-0002 \
	-V 5 -q 1 -t sensors/sensor-0002/temperature -m 23 || die "the rule did not let it in"
wait_for "the message" grep -qx 'sensors/sensor-0002/temperature 23' heard
say "-> accepted; a subscriber received: $(tail -n 1 heard)"
second_id=$(openssl x509 -in sensor-0002.pem -outform DER | sha256sum | cut -d ' ' -f 1)
wait_for "the record" jitr describe-certificate --certificate-id "$second_id"
show_jitr list-thing-principals --thing-name sensor-0002 | grep -E 'mosquitto_ctrl|cert/'

step "12. A certificate that the rule does not accept stays pending, with the reason"
make_device toaster-1
if mosquitto_pub "${device_options[@]}" --cert toaster-1.pem --key toaster-1.key -i toaster-1 -V 5 \
	-q 1 -t sensors/toaster-1 -m 1 >/dev/null 2>&1; then
	die "the rule let in what it should not"
fi
toaster_id=$(openssl x509 -in toaster-1.pem -outform DER | sha256sum | cut -d ' ' -f 1)
wait_for "the record" jitr describe-certificate --certificate-id "$toaster_id"
jitr describe-certificate --certificate-id "$toaster_id" >toaster.json
[ "$(jq -r .certificateDescription.status toaster.json)" = PENDING_ACTIVATION ]
jq '.certificateDescription | {status, lastRefusal}' toaster.json | sed 's/^/  /'

step "13. A revocation list closes the connections of listed certificates"
mosquitto_sub "${device_options[@]}" --cert sensor-0002.pem --key sensor-0002.key -i sensor-0002 -V 5 \
	-t commands/sensor-0002 >device.log 2>&1 &
device_pid=$!
wait_for "the device's subscription" grep -q 'sensor-0002 0 commands/sensor-0002' broker.log
openssl_ca -revoke sensor-0002.pem -crl_reason keyCompromise
openssl_ca -gencrl -out ca.crl
say "openssl ca -revoke sensor-0002.pem; openssl ca -gencrl -out ca.crl"
show_jitr import-crl --ca-certificate-id "$ca_id" --crl file://ca.crl |
	grep -E 'mosquitto_ctrl|entries|certificatesRevoked'
wait_for "the cut" grep -q "connection closed: reason=\"revoked\" .*certificate=$second_id" broker.log
grep 'connection closed' broker.log | tail -n 1 | sed 's/^[0-9]*: /  log: /'
jitr describe-certificate --certificate-id "$second_id" |
	jq '.certificateDescription | {status, statusReason}' | sed 's/^/  /'

step "Done: every step succeeded."
