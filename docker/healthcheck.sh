#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# healthcheck.sh - healthy is a broker whose plugin answers the administrator: a
# command that only reads, so that the log has no line for each check.
# Where the administrator's password is not known in the container, the broker's
# own answer has to do: it says that the password is wrong.
mosquitto_jitr -h 127.0.0.1 list-ca-certificates --max-items 1 >/dev/null && exit 0
mosquitto_pub -h 127.0.0.1 -t health -n >/dev/null 2>&1
[ $? = 5 ]
