#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# healthcheck.sh - healthy is a broker whose plugin works.  The plugin sets the time
# of a file anew every ten seconds (health_file): looking at it needs no connection,
# and leaves no line in the log.
#
# Where the configuration has no such file the plugin has to answer the
# administrator, and the log has the lines of that connection.  Where the
# administrator's password is not known in the container, the broker's own answer has
# to do: it says that the password is wrong.
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
