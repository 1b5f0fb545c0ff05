#!/bin/bash
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# activate.sh - a rule: attaches a policy to certificates and activates them when
# they register, unless they are on their CA's revocation list.
#
#   examples/activate.sh --crl ca.crl --ca ca.pem --policy NAME
#
# Subscribes to $aws/events/certificates/registered/<caCertificateId>.  For each
# event it fetches the certificate, looks its serial number up in the
# revocation list, and revokes it, or attaches the policy and activates it: in
# this order, so that no ACTIVE certificate is without its policy.  Without a
# current list nothing is activated: the certificate stays pending, and its
# device's next attempt causes another event.
#
# The broker keeps its session, so that events wait while it is not running.  At
# the start, and every five minutes, it also lists all pending certificates, so
# that none is missed if an event was lost.
#
# The policy must exist (mosquitto_ctrl jitr create-policy).  One is enough for
# all devices if it uses variables such as ${iot:Certificate.Subject.CommonName}.
#
# An event may come twice, as it is delivered at least once; every step here may be
# repeated, and certificates that are no longer pending are not changed.
#
# JITR_CTL  how to call the command line  (default: mosquitto_ctrl jitr)
# JITR_SUB  how to subscribe              (default: mosquitto_sub)
# JITR_ID   the client id of its session  (default: activate); one for each
# Needs openssl and jq.
set -uo pipefail
crl='' ca='' policy=''
usage() {
	echo "usage: $0 --crl FILE --ca FILE --policy NAME" >&2
	exit 2
}
while [ $# -gt 0 ]; do
	case $1 in
	--crl) crl=$2 ;;
	--ca) ca=$2 ;;
	--policy) policy=$2 ;;
	*) usage ;;
	esac
	shift 2
done
if ! [ -r "$crl" ] || ! [ -r "$ca" ] || [ -z "$policy" ]; then usage; fi
read -ra ctl <<<"${JITR_CTL:-mosquitto_ctrl jitr}"
read -ra sub <<<"${JITR_SUB:-mosquitto_sub}"
dir=$(mktemp -d)
trap 'kill ${!:-} 2>/dev/null; rm -rf "$dir"' EXIT # $!: the subscription

# -crl_check looks the certificate up in the list and refuses a list that is
# out of date or not signed by the CA.  -partial_chain: the CA may be a sub-CA,
# and no other is trusted.
verdict() {
	openssl verify -partial_chain -crl_check -no-CApath -no-CAstore -CAfile "$ca" \
		-CRLfile "$crl" "$1" 2>&1
}

handle() {
	local id=$1 description arn result errors
	description=$("${ctl[@]}" describe-certificate --certificate-id "$id") || return
	[ "$(jq -r .certificateDescription.status <<<"$description")" = PENDING_ACTIVATION ] || return
	arn=$(jq -r .certificateDescription.certificateArn <<<"$description")
	jq -r .certificateDescription.certificatePem <<<"$description" >"$dir/device.pem"
	if result=$(verdict "$dir/device.pem"); then
		"${ctl[@]}" attach-policy --policy-name "$policy" --target "$arn" &&
			"${ctl[@]}" update-certificate --certificate-id "$id" --new-status ACTIVE &&
			echo "activated $id"
		return
	fi
	errors=$(sed -n 's/^error [0-9]* at [0-9]* depth lookup: //p' <<<"$result" | paste -sd ';')
	if [ "$errors" = 'certificate revoked' ]; then # and nothing is wrong with the list
		"${ctl[@]}" update-certificate --certificate-id "$id" --new-status REVOKED &&
			echo "revoked $id"
	else
		echo "left pending $id: ${errors:-${result//$'\n'/; }}"
	fi
}

# Certificates that registered while this script was not running.
catch_up() {
	local list id
	list=$("${ctl[@]}" list-certificates --status PENDING_ACTIVATION) || return
	for id in $(jq -r '.certificates[].certificateId' <<<"$list"); do handle "$id"; done
}

# subscribe OPTION...: in the session that the broker keeps.
subscribe() {
	exec "${sub[@]}" -c -i "${JITR_ID:-activate}" -q 1 "$@" \
		-t '$aws/events/certificates/registered/#'
}

# Discards waiting events: catch_up lists their certificates.
until (subscribe -E >/dev/null); do sleep 2; done
echo "listening"
while :; do
	exec {events}< <(subscribe -W 300 2>"$dir/sub.err")
	catch_up
	while read -r event <&"$events"; do
		id=$(jq -r .certificateId <<<"$event") && handle "$id"
	done
	exec {events}<&-
	grep -vx 'Timed out' "$dir/sub.err" >&2
	sleep 2
done
