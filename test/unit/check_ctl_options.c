/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_options.c - connection options, which are those of mosquitto_ctrl.
 */
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "options.h"
#include "suite.h"
#include "url.h"

static bool
parse_options(struct options *o, const char *const *words, struct diag *d)
{
	char *argv[WORDS_MAX];
	int argc = make_argv(argv, words);
	int used = 0;
	bool ok = options_parse(o, argc, argv, &used, d);

	if (ok)
		ck_assert_int_eq(used, argc);
	free_argv(argv);
	return ok;
}

START_TEST(options_are_those_of_mosquitto_ctrl)
{
	static const char *const words[] = { "-h", "broker", "-p", "1234", "-u", "admin", "-P",
		"pw", "-V", "mqttv5", "-q", "2", "--cafile", "ca.pem", "--cert", "c.pem", "--key",
		"k.pem", "--insecure", "-d", "-i", "me", NULL };
	struct options o;
	struct diag d = { "" };

	ck_assert_msg(parse_options(&o, words, &d), "%s", d.text);
	ck_assert_str_eq(o.host, "broker");
	ck_assert_int_eq(options_port(&o), 1234);
	ck_assert_str_eq(o.username, "admin");
	ck_assert_str_eq(o.password, "pw");
	ck_assert_int_eq(o.protocol, 5);
	ck_assert_int_eq(o.qos, 2);
	ck_assert_str_eq(o.cert, "c.pem");
	ck_assert(o.insecure && o.debug && !o.quiet);
	ck_assert_str_eq(o.id, "me");
	options_free(&o);
}
END_TEST

START_TEST(the_defaults_are_localhost_and_mqtt_3_1_1)
{
	static const char *const words[] = { NULL };
	static const char *const tls[] = { "--capath", "x", NULL };
	struct options o;
	struct diag d;

	ck_assert(parse_options(&o, words, &d));
	ck_assert_str_eq(o.host, "localhost");
	ck_assert_int_eq(options_port(&o), 1883);
	ck_assert_int_eq(o.protocol, 4);
	ck_assert_int_eq(o.qos, 1);
	options_free(&o);
	ck_assert(parse_options(&o, tls, &d));
	ck_assert_int_eq(options_port(&o), 8883);
	options_free(&o);
}
END_TEST

START_TEST(a_url_sets_host_port_user_and_password)
{
	static const struct {
		const char *url, *host, *user, *password;
		int port;
	} rows[] = {
		{ "mqtt://h", "h", NULL, NULL, 1883 },
		{ "mqtt://h/topic", "h", NULL, NULL, 1883 },
		{ "MQTTS://h:99/", "h", NULL, NULL, 99 },
		{ "mqtts://u@h", "h", "u", NULL, 8883 },
		{ "mqtt://u:p@h:1/t/u", "h", "u", "p", 1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *const words[] = { "-L", rows[i].url, NULL };
		struct options o;
		struct diag d = { "" };

		ck_assert_msg(parse_options(&o, words, &d), "%s: %s", rows[i].url, d.text);
		ck_assert_str_eq(o.host, rows[i].host);
		ck_assert_int_eq(o.port, rows[i].port);
		ck_assert_pstr_eq(o.username, rows[i].user);
		ck_assert_pstr_eq(o.password, rows[i].password);
		options_free(&o);
	}
}
END_TEST

/* The file has the defaults (mosquitto_ctrl(1)). */
START_TEST(the_command_line_overrides_the_options_file)
{
	static const char file[] =
	    "# comment\n\n-h fromfile\n-p 4321 \r\n-u admin\n-P two words\n--insecure\n";
	static const char *const words[] = { "-p", "1", NULL };
	static const char *const asked[] = { "-o", "options", "-h", "asked", NULL };
	struct options o;
	struct diag d = { "" };

	write_file("mosquitto_ctrl", file, strlen(file));
	ck_assert_int_eq(setenv("XDG_CONFIG_HOME", command_line_folder(), 1), 0);
	ck_assert_msg(parse_options(&o, words, &d), "%s", d.text);
	ck_assert_str_eq(o.host, "fromfile");
	ck_assert_int_eq(o.port, 1);
	ck_assert_str_eq(o.username, "admin");
	ck_assert_str_eq(o.password, "two words");
	ck_assert(o.insecure);
	options_free(&o);

	write_file("options", "-u other", 8);
	ck_assert_msg(parse_options(&o, asked, &d), "%s", d.text);
	ck_assert_str_eq(o.host, "asked");
	ck_assert_str_eq(o.username, "other");
	ck_assert_ptr_null(o.password);
	options_free(&o);
}
END_TEST

static const struct {
	const char *words[6];
	const char *message;
} wrong_options[] = {
	{ { "--frob" }, "Unknown option '--frob'." },
	{ { "-h" }, "-h argument given but no HOST specified." },
	{ { "-p", "70000" }, "Invalid port given: 70000" },
	{ { "-p", "1x" }, "Invalid port given: 1x" },
	{ { "-q", "3" }, "Invalid QoS given: 3" },
	{ { "-V", "4" }, "Invalid protocol version given: 4" },
	{ { "-L", "http://h" }, "unsupported URL scheme" },
	{ { "-L", "mqtt://h:x" }, "Invalid URL: port 'x'" },
	{ { "-L", "mqtt://" }, "Invalid URL: no host" },
	{ { "--cafile", "x", "--cert", "y" }, "Both --cert and --key must be provided" },
	{ { "--cert", "x", "--key", "y" }, "--cert needs --cafile" },
	{ { "--psk", "00" }, "--psk-identity required" },
	{ { "--proxy", "socks5h://%zz@h" }, "Invalid URL encoding" },
	{ { "-o", "none" }, "cannot read the options file none" },
	{ { "-o", "bad" }, "bad: Unknown option '--frob'." },
};

START_TEST(wrong_options_are_refused_with_the_reason)
{
	struct options o;
	struct diag d = { "" };

	write_file("bad", "--frob x\n", 9);
	ck_assert(!parse_options(&o, wrong_options[_i].words, &d));
	ck_assert_msg(strstr(d.text, wrong_options[_i].message) != NULL, "%s, expected %s", d.text,
	    wrong_options[_i].message);
	options_free(&o);
}
END_TEST

/* mosquitto_ctrl writes NUL over the separators of a URL of -L before it calls a module (its
 * options.c). */
START_TEST(a_url_that_mosquitto_ctrl_has_split_is_restored)
{
	static const struct {
		const char *cut, *whole;
	} rows[] = {
		{ "mqtt://h\0topic", "mqtt://h/topic" },
		{ "mqtt://h\0", "mqtt://h/" },
		{ "mqtt://h\0"
		  "1883\0t",
		    "mqtt://h:1883/t" },
		{ "mqtt://u\0h\0t", "mqtt://u@h/t" },
		{ "mqtt://u\0p\0h\0t", "mqtt://u:p@h/t" },
		{ "mqtt://u\0h\0"
		  "1\0t",
		    "mqtt://u@h:1/t" },
		{ "mqtt://u\0p\0h\0"
		  "1\0t/v",
		    "mqtt://u:p@h:1/t/v" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char whole[64];

		url_restore(rows[i].cut, strlen(rows[i].whole) + 1, whole);
		ck_assert_str_eq(whole, rows[i].whole);
	}
}
END_TEST

/* A module is given its own arguments only.  The options are before them in memory, where the
 * kernel puts the arguments one after the other. */
START_TEST(a_module_finds_the_options_of_mosquitto_ctrl)
{
	static char area[] = "mosquitto_ctrl\0-h\0x\0-L\0mqtt://u\0h\0t\0jitr\0help";
	char *argv[] = { area, area + 15, area + 18, area + 20, area + 23, area + 36, area + 41,
		NULL };
	int count = 0;
	char **options = host_options(1, argv + 6, sizeof(area), &count);

	ck_assert_ptr_nonnull(options);
	ck_assert_int_eq(count, 4);
	ck_assert_str_eq(options[0], "-h");
	ck_assert_str_eq(options[1], "x");
	ck_assert_str_eq(options[3], "mqtt://u@h/t");
	host_options_free(options);

	/* Arguments that are not in this order are not searched. */
	ck_assert_ptr_null(host_options(1, argv + 6, sizeof(area) - 3, &count));
	ck_assert_ptr_null(host_options(1, argv + 6, 0, &count));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_options");
	TCase *t = command_line_case(suite, "options");

	tcase_add_test(t, options_are_those_of_mosquitto_ctrl);
	tcase_add_test(t, the_defaults_are_localhost_and_mqtt_3_1_1);
	tcase_add_test(t, a_url_sets_host_port_user_and_password);
	tcase_add_test(t, the_command_line_overrides_the_options_file);
	tcase_add_loop_test(t, wrong_options_are_refused_with_the_reason, 0,
	    COUNT_OF(wrong_options));
	tcase_add_test(t, a_url_that_mosquitto_ctrl_has_split_is_restored);
	tcase_add_test(t, a_module_finds_the_options_of_mosquitto_ctrl);
	return suite_run(suite);
}
