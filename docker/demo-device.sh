#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# demo-device.sh - demonstrates a factory and its device: registers a CA, connects
# with a new device, is refused, and is accepted once the rule has activated its
# certificate.
#
# /demo holds the CA and its key; /ca is where the rule reads the CA and its
# revocation list.  The administrator's part is done with the options in
# $XDG_CONFIG_HOME, as entrypoint.sh makes them.
set -euo pipefail
host=${JITR_HOST:-broker}
device=sensor-$(date -u +%Y%m%d-%H%M%S)
admin_dir=$XDG_CONFIG_HOME
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

step() {
	printf '\n%s\n' "$*"
}

jitr() {
	mosquitto_ctrl -h "$host" jitr "$@"
}

new_key=(-newkey ec -pkeyopt "ec_paramgen_curve:P-256" -nodes)

make_ca() {
	openssl req -x509 "${new_key[@]}" -days 365 -keyout "$work/ca.key" -out "$work/ca.pem" \
		-subj "/O=Example Devices/CN=Demo CA" \
		-addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
	mv "$work/ca.key" "$work/ca.pem" /demo/ # the certificate last
}

# An empty list for the rule, which activates no certificate without one.
publish_ca() {
	printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index\ndefault_md=sha256\n' "$work" \
		>"$work/openssl.cnf"
	: >"$work/index"
	openssl ca -config "$work/openssl.cnf" -gencrl -crldays 30 -keyfile /demo/ca.key \
		-cert /demo/ca.pem -out /ca/ca.crl 2>/dev/null
	cp /demo/ca.pem /ca/ca.pem
}

# once WHAT COMMAND...: run the command, unless an earlier run did.
once() {
	local what=$1
	shift
	if jitr "$@" >/dev/null 2>"$work/error"; then
		echo "  $what"
	elif grep -q ResourceAlreadyExistsException "$work/error"; then
		echo "  $what, in an earlier run"
	else
		die "$(cat "$work/error")"
	fi
}

make_device() {
	openssl req -new "${new_key[@]}" -keyout "$work/device.key" -out "$work/device.csr" \
		-subj "/O=Example Devices/CN=$device" 2>/dev/null
	openssl x509 -req -in "$work/device.csr" -CA /demo/ca.pem -CAkey /demo/ca.key \
		-set_serial "0x$(openssl rand -hex 8)" -days 30 -sha256 -out "$work/device.pem" 2>/dev/null
	id=$(openssl x509 -in "$work/device.pem" -outform DER | sha256sum | cut -d ' ' -f 1)
}

publish() {
	mosquitto_pub -h "$host" -p 8883 --cafile "$admin_dir/server.pem" --cert "$work/device.pem" \
		--key "$work/device.key" -i "$device" -V 5 -q 1 -t "devices/$device/up" -m "$1" \
		>"$work/publish" 2>&1
}

is_active() {
	jitr describe-certificate --certificate-id "$id" | grep '"status": "ACTIVE"' >/dev/null
}

wait_for_the_rule() {
	local i
	for ((i = 0; i < 60; i++)); do
		if is_active; then return; fi
		sleep 0.5
	done
	die "still pending after 30 seconds: docker compose logs rule"
}

if [ -e /ca/ca.pem ] && ! cmp -s /ca/ca.pem /demo/ca.pem; then
	die "/ca/ca.pem is not the demo's: the demo is for a rule without a CA of your own"
fi

step "The factory: a CA, registered with proof that we hold its key"
[ -s /demo/ca.pem ] || make_ca
publish_ca
once "registered" register-ca-certificate --ca-certificate /demo/ca.pem --ca-key /demo/ca.key \
	--set-as-active --allow-auto-registration
once "made a policy for its devices, named device" create-policy --policy-name device \
	--policy-document /usr/local/share/device-policy.json

step "The device $device connects for the first time"
make_device
if publish hello; then die "it was let in at once"; fi
echo "  refused: $(head -n 1 "$work/publish")"
echo "  and registered: $id"

step "The rule looks at the revocation list, attaches the policy and activates it"
wait_for_the_rule
echo "  ACTIVE"

step "The device connects again"
publish hello || die "refused: $(cat "$work/publish")"
echo "  let in; it published on devices/$device/up"
