/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_listeners.c - listeners that do not have the plugin are found in the configuration of
 * the broker (mosquitto.conf(5)).
 */
#include <string.h>

#include "listener_scan.h"
#include "suite.h"

static bool
is_plugin(const char *path)
{
	return strcmp(path, "/p.so") == 0;
}

static const struct {
	const char *text, *without; /* the listener without the plugin; "": there is none */
} files[] = {
	/* For the whole broker. */
	{ "plugin /p.so\nlistener 1\nlistener 2\n", "" },
	{ "listener 1\nlistener 2\nplugin /p.so\n", "" },
	{ "auth_plugin /p.so\nlistener 1\n", "" },
	{ "per_listener_settings false\nlistener 1\nplugin /p.so\nlistener 2\n", "" },
	{ "per_listener_settings true\nglobal_plugin /p.so\nlistener 1\nlistener 2\n", "" },
	{ "plugin /p.so\nplugin_opt_x listener 1\n", "" },
	/* For each listener. */
	{ "per_listener_settings true\nlistener 1\nplugin /p.so\nlistener 2\nplugin /p.so\n", "" },
	{ "per_listener_settings true\nlistener 1 ::1\nplugin /p.so\n", "" },
	{ "plugin_load jitr /p.so\nlistener 1\nplugin_use jitr\nlistener 2\nplugin_use jitr\n",
	    "" },
	{ "plugin_load a /o.so\nplugin_load jitr /p.so\nlistener 1\nplugin_use a\nplugin_use jitr\n",
	    "" },
	/* One listener does not have it. */
	{ "per_listener_settings true\nlistener 1\nplugin /p.so\nlistener 2\n", "2" },
	{ "per_listener_settings true\nlistener 1\nlistener 2\nplugin /p.so\n", "1" },
	{ "per_listener_settings true\r\nlistener 1 ::1\r\nlistener 2\r\nplugin /p.so\r\n",
	    "1 ::1" },
	{ "per_listener_settings true\nplugin /p.so\nport 1\nlistener 2\n", "1" },
	{ "per_listener_settings true\nlistener 1\nplugin /o.so\nlistener 2\nplugin /p.so\n", "1" },
	{ "plugin_load jitr /p.so\nlistener 1\nplugin_use jitr\nlistener 2\n", "2" },
	{ "plugin_load jitr /p.so\nplugin_load a /o.so\nlistener 1\nplugin_use a\n", "1" },
	{ "plugin_load jitr /p.so\nlistener 1\n#plugin_use jitr\n", "1" },
	{ "plugin_load jitr /p.so\nlistener 0 /run/socket\nlistener 1\nplugin_use jitr\n",
	    "0 /run/socket" },
	/* The broker skips blanks, and makes a default listener for what belongs to one. */
	{ "  per_listener_settings   true\n listener  1\n plugin  /p.so\nlistener 2\n", "2" },
	{ "plugin_load jitr   /p.so\n listener 1\nplugin_use   jitr\n", "" },
	{ "plugin_load jitr /p.so\nbind_address ::1\nlistener 1\nplugin_use jitr\n", "1883" },
	{ "plugin_load jitr /p.so\nmax_connections 9\nlistener 1\nplugin_use jitr\n", "1883" },
	{ "plugin /p.so\nbind_address ::1\nlistener 1\n", "" },
	/* A listener for HTTP pages takes no MQTT. */
	{ "plugin_load jitr /p.so\nlistener 1\nplugin_use jitr\nlistener 2\nprotocol http_api\n",
	    "" },
	{ "plugin_load jitr /p.so\nlistener 1\nplugin_use jitr\nlistener 2\nprotocol websockets\n",
	    "2" },
	/* Other lines. */
	{ "", "" },
	{ "# plugin\n\n \nlistener\nplugin_load\nplugin_load x\nplugin_use\nplugin\n", "" },
};

START_TEST(a_listener_without_the_plugin_is_found)
{
	struct listener_scan scan = { .is_plugin = is_plugin };
	const char *without;
	char text[400], *line, *rest;

	strcpy(text, files[_i].text);
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		listener_scan_line(&scan, line);
	listener_scan_file_end(&scan);
	without = listener_scan_result(&scan);
	ck_assert_str_eq(without != NULL ? without : "", files[_i].without);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listeners");
	TCase *t = suite_case(suite, "files");

	tcase_add_loop_test(t, a_listener_without_the_plugin_is_found, 0, COUNT_OF(files));
	return suite_run(suite);
}
