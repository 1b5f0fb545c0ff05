#!/bin/bash
# activate.sh - a rule: activates certificates as they register, unless their
# CA's revocation list names them.
#
#   examples/activate.sh --crl ca.crl --ca ca.pem
#
# Listens for $aws/events/certificates/registered/<caCertificateId>.  For each
# event it fetches the certificate, looks its serial number up in the
# revocation list, and activates or revokes it.  Without a list that is valid
# now nothing is activated: the certificate stays pending, and its device's
# next attempt brings the next event.
#
# An event may come twice (at least once is the promise); every step here may
# be repeated.
#
# JITR_CTL  how to call the command line  (default: mosquitto_ctrl jitr)
# JITR_SUB  how to subscribe              (default: mosquitto_sub)
# Needs openssl and jq.
set -uo pipefail
crl='' ca=''
while [ $# -gt 0 ]; do
	case $1 in
	--crl) crl=$2 ;;
	--ca) ca=$2 ;;
	*) echo "usage: $0 --crl FILE --ca FILE" >&2 && exit 2 ;;
	esac
	shift 2
done
if ! [ -r "$crl" ] || ! [ -r "$ca" ]; then
	echo "usage: $0 --crl FILE --ca FILE" >&2
	exit 2
fi
read -ra ctl <<<"${JITR_CTL:-mosquitto_ctrl jitr}"
read -ra sub <<<"${JITR_SUB:-mosquitto_sub}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"; kill $(jobs -p) 2>/dev/null' EXIT

# -crl_check looks the certificate up in the list and refuses a list that is
# out of date or not signed by the CA.  -partial_chain: the CA may be a sub-CA.
verdict() {
	openssl verify -partial_chain -crl_check -CAfile "$ca" -CRLfile "$crl" "$1" 2>&1
}

handle() {
	local id=$1 result
	"${ctl[@]}" describe-certificate --certificate-id "$id" |
		jq -r .certificateDescription.certificatePem >"$dir/device.pem" || return
	if result=$(verdict "$dir/device.pem"); then
		"${ctl[@]}" update-certificate --certificate-id "$id" --new-status ACTIVE &&
			echo "activated $id"
	elif grep -q 'certificate revoked' <<<"$result"; then
		"${ctl[@]}" update-certificate --certificate-id "$id" --new-status REVOKED &&
			echo "revoked $id"
	else
		echo "left pending $id: $result"
	fi
}

echo "listening"
while read -r event; do
	handle "$(jq -r .certificateId <<<"$event")"
done < <("${sub[@]}" -q 1 -t '$aws/events/certificates/registered/#')
