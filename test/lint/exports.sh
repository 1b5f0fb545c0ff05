#!/bin/sh
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# The modules export what their hosts look for and nothing else, and the plugin
# needs nothing that one of the brokers lacks: a missing symbol would keep it
# from loading (mosquitto section 11).  The plugin has no thread, because glibc takes locks
# from the first one on, reads no JSON, compiles no document, and changes no file: all this is
# the registrar's (doc/architecture.md).
set -u
build=$1
here=$(dirname "$0")
failed=0

expect() {
	module=$1 wanted=$2
	found=$(nm -D --defined-only "$build/$module" | awk '{print $3}' | sort | tr '\n' ' ')
	[ "$found" = "$wanted" ] || { echo "$module exports: $found"; failed=$((failed + 1)); }
}

expect mosquitto_jitr.so "mosquitto_plugin_cleanup mosquitto_plugin_init mosquitto_plugin_version "
expect mosquitto_ctrl_jitr.so "ctrl_help ctrl_main "

# What Debian 12's, 13's and sid's brokers have in common.
common=' broker_publish_copy callback_register callback_unregister client_address client_certificate client_clean_session client_id client_protocol client_protocol_version client_username free kick_client_by_clientid kick_client_by_username log_printf set_username '
for symbol in $(nm -D --undefined-only "$build/mosquitto_jitr.so" | awk '{print $2}' |
	sed -n 's/^mosquitto_//p'); do
	case $common in
	*" $symbol "*) ;;
	*) echo "mosquitto_$symbol is not in every broker"; failed=$((failed + 1)) ;;
	esac
done

if nm -D --undefined-only "$build/mosquitto_jitr.so" | grep -E ' (pthread_create|cJSON_)'; then
	echo "the plugin makes a thread or reads JSON"
	failed=$((failed + 1))
fi
if nm -D --undefined-only "$build/mosquitto_jitr.so" | grep -E \
	' (mdb_(put|del|drop|cursor_put|cursor_del|env_copy.*|env_sync)|(f|fdata|m)?sync|f?truncate|posix_fallocate|mkdir(at)?|rename(at2?)?|unlink(at)?|remove)(@|$)'; then
	echo "the plugin can change the registry or remove files"
	failed=$((failed + 1))
fi

# The functions by which the compilers, and what writes, are called.
registrars='policy_compile rule_compile template_compile form_make json_parse json_parse_as
	crl_read crl_import_run upgrade_begin upgrade_step store_open writer_open api_open'
for function in $registrars; do
	grep -rq "^$function(" "$here/../../plugin" || {
		echo "$function does not exist: name the function that replaced it"
		failed=$((failed + 1))
	}
	if nm --defined-only "$build/mosquitto_jitr.so" | grep -q " $function\$"; then
		echo "$function is the registrar's, and linked into the plugin"
		failed=$((failed + 1))
	fi
done
if [ "$failed" -gt 0 ]; then
	echo "0 passed, $failed failed"
	exit 1
fi
echo "6 passed, 0 failed"
