#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# entrypoint.sh - what a first start lacks is made in the volume: a password
# for the administrator and a self-signed server certificate.  Your own files,
# mounted or put there before, are left alone.
set -eu
data=/mosquitto/data

if [ ! -e "$data/passwd" ]; then
	umask 077
	password=${JITR_ADMIN_PASSWORD:-$(openssl rand -hex 16)}
	mosquitto_passwd -b -c "$data/passwd" admin "$password"
	[ -n "${JITR_ADMIN_PASSWORD:-}" ] || printf '%s\n' "$password" >"$data/admin.password"
	echo "made $data/passwd; the password of admin is in $data/admin.password or was yours"
fi
if [ ! -e "$data/server.key" ]; then
	umask 077
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
		-keyout "$data/server.key" -out "$data/server.pem" -subj "/CN=${JITR_SERVER_NAME:-localhost}" \
		-addext "subjectAltName=DNS:${JITR_SERVER_NAME:-localhost}" 2>/dev/null
	echo "made $data/server.pem, self-signed for ${JITR_SERVER_NAME:-localhost}"
fi
exec "$@"
