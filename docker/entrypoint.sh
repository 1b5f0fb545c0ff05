#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# entrypoint.sh - creates the missing files in the volume, then runs the broker in
# its place.
#
#   server.key, server.pem   the broker's key and certificate
#   admin/password           the password of the administrator, whose name is admin
#   passwd                   the broker's password file
#   passwd.origin            a hash of the password that passwd was made from
#   admin/mosquitto_ctrl     the tools' options, so that they log in by themselves;
#                            also for mosquitto_pub, _sub and _rr
#   admin/server.pem         the certificate, for programs that see the directory admin only
#
# The file health is the plugin's (healthcheck.sh).
#
# Existing files, mounted or from an earlier start, are used and not written.  Files
# appear whole and in an order that lets the next start complete an interrupted one.
# Files that the configuration does not name are not created.
set -euf
umask 077
data=/mosquitto/data
config=/mosquitto/config

die() {
	echo "mosquitto-jitr: $*" >&2
	exit 1
}

named() {
	grep -qrs "$data/$1" "$config"
}

# The broker's names, as OpenSSL writes them into a certificate.
alternative_names() {
	separator=
	for name in ${JITR_SERVER_NAME:-localhost}; do
		case $name in
		*[!A-Za-z0-9.:*-]*) die "JITR_SERVER_NAME: $name is not the name of a host" ;;
		*:*) printf '%sIP:%s' "$separator" "$name" ;;
		*[!0-9.]*) printf '%sDNS:%s' "$separator" "$name" ;;
		*) printf '%sIP:%s' "$separator" "$name" ;;
		esac
		separator=,
	done
}

make_certificate() {
	if [ -s server.pem ] && [ -s server.key ]; then return; fi
	[ ! -s server.pem ] || die "$data/server.pem is there, its key server.key is not"
	names=$(alternative_names)
	if [ ! -s server.key ]; then
		openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out server.key.new
		mv server.key.new server.key
	fi
	openssl req -x509 -key server.key -days 3650 -subj /CN=mosquitto-jitr \
		-addext "subjectAltName=$names" -out server.pem.new
	mv server.pem.new server.pem
	cat <<-TEXT
		Made a certificate for the broker, self-signed, for $names.  Devices need it (--cafile):
		  docker cp $(hostname):$data/server.pem .
	TEXT
}

# origin SALT: a hash of the password, to notice another one; slow to guess from.
origin() {
	openssl passwd -6 -salt "$1" -stdin <admin/password
}

salt_of_origin() {
	cut -d '$' -f 3 passwd.origin
}

make_password() {
	if [ -s admin/password ]; then return; fi
	openssl rand -hex 16 >admin/password.new
	mv admin/password.new admin/password
	cat <<-TEXT
		Made a password for the administrator, admin.  To see it:
		  docker exec $(hostname) cat $data/admin/password
		In the container the tools know it:
		  docker exec $(hostname) mosquitto_ctrl jitr list-ca-certificates
	TEXT
}

# A passwd without an origin was not made here and is not touched.  Otherwise it
# follows admin/password; lines of other users stay.
make_passwd() {
	if [ -s passwd ] && [ ! -e passwd.origin ]; then return; fi
	make_password
	if [ -s passwd ] && [ -s passwd.origin ] &&
		[ "$(origin "$(salt_of_origin)")" = "$(cat passwd.origin)" ]; then return; fi
	: >passwd.origin
	rm -f passwd.new
	password=$(cat admin/password)
	printf '%s\n%s\n' "$password" "$password" | mosquitto_passwd -c passwd.new admin >/dev/null
	if [ -s passwd ]; then sed '/^admin:/d' passwd >>passwd.new; fi
	mv passwd.new passwd
	origin "$(openssl rand -hex 8)" >passwd.origin.new
	mv passwd.origin.new passwd.origin
}

# put FILE: write standard input to it, if it differs.
put() {
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

make_admin_directory() {
	if [ ! -w admin ]; then
		echo "$data/admin cannot be written: the tools in the container need -u and -P"
		return
	fi
	if [ -s server.pem ]; then put admin/server.pem <server.pem; fi
	if [ -s admin/password ]; then
		printf '%s\n' "-u admin" "-P $(cat admin/password)" | put admin/mosquitto_ctrl
		for tool in mosquitto_pub mosquitto_sub mosquitto_rr; do
			ln -sf mosquitto_ctrl "admin/$tool"
		done
	fi
}

[ "${1:-}" = mosquitto ] || exec "$@"
[ "$(id -u)" != 0 ] || die "runs as any user but root; its own is 1883"
[ -w "$data" ] || die "user $(id -u) cannot write to $data"
cd "$data"
mkdir -p admin
if named server.pem; then make_certificate; fi
if named passwd; then make_passwd; fi
for file in server.pem server.key passwd admin/password; do
	if [ -e "$file" ] && [ ! -r "$file" ]; then die "user $(id -u) cannot read $data/$file"; fi
done
make_admin_directory
rm -f health # of an earlier start
exec "$@"
