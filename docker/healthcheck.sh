#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# healthcheck.sh - checks that the plugin works: it sets the time of a file every ten
# seconds (health_file).  Reading that needs no connection and leaves no line in the log.
#
# If the configuration has no such file, the plugin has to answer the administrator, and
# the log has the lines of that connection.  If the container does not know the
# administrator's password, the broker's answer that the password is wrong suffices.
health=/mosquitto/data/health
if [ -e $health ]; then
	age=$(($(date +%s) - $(stat -c %Y $health)))
	echo "the plugin worked $age seconds ago"
	[ $age -lt 30 ]
	exit
fi
mosquitto_jitr -h 127.0.0.1 list-ca-certificates --max-items 1 >/dev/null && exit 0
mosquitto_pub -h 127.0.0.1 -t health -n >/dev/null 2>&1
[ $? = 5 ]
