/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_config.c - the options of mosquitto.conf (contract, section 5).
 *
 * Each option has its default, its values, and the line that stops the broker when it is
 * wrong.
 */
#include <stdio.h>
#include <string.h>

#include "jitr/service/config.h"
#include "suite.h"

#define ID   "2511e09354e2637da199073792924a89fc52de90e9165afa49f075cf8791a45a"
#define ID_2 "3152569674E4A00833BF9337263E4D613E1DC9F80D86AC60931312DC99B99173"

static struct config config;
static struct diag diag;

static void
forget(void)
{
	config_free(&config);
	config_free(&config); /* twice is fine */
}

static enum err
parse(const struct option *options, size_t count)
{
	config_free(&config);
	diag.text[0] = '\0';
	return config_parse(options, count, &config, &diag);
}

static void
set(const char *name, const char *value)
{
	struct option o = { name, value };

	ck_assert_msg(parse(&o, 1) == ERR_OK, "%s", diag.text);
}

START_TEST(without_options_the_defaults_are_used)
{
	ck_assert_int_eq(parse(NULL, 0), ERR_OK);
	ck_assert_str_eq(config.db_path, "/var/lib/mosquitto/jitr");
	ck_assert_str_eq(config.ca_path, "/var/lib/mosquitto/jitr/ca");
	ck_assert_int_eq(config.db_map_size_mb, sizeof(void *) > 4 ? 16384 : 1024);
	ck_assert_str_eq(config.account_id, "000000000000");
	ck_assert_str_eq(config.region, "local");
	ck_assert_uint_eq(config.admin_user_count, 0);
	ck_assert_uint_eq(config.admin_certificate_count, 0);
	ck_assert_int_eq(config.authorization, AUTHORIZATION_POLICY);
	ck_assert(!config.deny_publish_disconnects);
	ck_assert(!config.deny_subscribe_disconnects);
	ck_assert(!config.client_id_as_is);
	ck_assert_int_eq(config.other_clients, OTHER_CLIENTS_UNSET);
	ck_assert(!config.unknown_ca_defer);
	ck_assert_int_eq(config.announce_interval, 1);
	ck_assert_int_eq(config.metrics_interval, 10);
	ck_assert_ptr_null(config.log_file);
	ck_assert_ptr_null(config.endpoint_address);
	ck_assert_ptr_null(config.health_file);
}
END_TEST

START_TEST(paths_are_used_unchanged)
{
	set("db_path", "/srv/registry of mine");
	ck_assert_str_eq(config.db_path, "/srv/registry of mine");
	ck_assert_str_eq(config.ca_path, "/srv/registry of mine/ca");
	set("ca_path", "/etc/cas");
	ck_assert_str_eq(config.ca_path, "/etc/cas");
	ck_assert_str_eq(config.db_path, "/var/lib/mosquitto/jitr");
	set("log_file", "/var/log/jitr.log");
	ck_assert_str_eq(config.log_file, "/var/log/jitr.log");
	set("health_file", "/run/jitr");
	ck_assert_str_eq(config.health_file, "/run/jitr");
}
END_TEST

START_TEST(numbers_are_accepted_within_their_bounds)
{
	set("db_map_size_mb", "1");
	ck_assert_int_eq(config.db_map_size_mb, 1);
	set("announce_interval", "0");
	ck_assert_int_eq(config.announce_interval, 0);
	set("announce_interval", "86400");
	ck_assert_int_eq(config.announce_interval, 86400);
	set("metrics_interval", "0");
	ck_assert_int_eq(config.metrics_interval, 0);
	set("metrics_interval", "60");
	ck_assert_int_eq(config.metrics_interval, 60);
}
END_TEST

START_TEST(names_and_keywords_are_accepted)
{
	set("account_id", "123456789012");
	ck_assert_str_eq(config.account_id, "123456789012");
	set("region", "eu-central-1");
	ck_assert_str_eq(config.region, "eu-central-1");
	set("authorization", "allow");
	ck_assert_int_eq(config.authorization, AUTHORIZATION_ALLOW);
	set("authorization", "defer");
	ck_assert_int_eq(config.authorization, AUTHORIZATION_DEFER);
	set("authorization", "policy");
	ck_assert_int_eq(config.authorization, AUTHORIZATION_POLICY);
	set("deny_publish", "disconnect");
	ck_assert(config.deny_publish_disconnects);
	set("deny_publish", "drop");
	ck_assert(!config.deny_publish_disconnects);
	set("deny_subscribe", "disconnect");
	ck_assert(config.deny_subscribe_disconnects);
	set("deny_subscribe", "suback");
	ck_assert(!config.deny_subscribe_disconnects);
	set("client_id_variable", "any");
	ck_assert(config.client_id_as_is);
	set("client_id_variable", "plain");
	ck_assert(!config.client_id_as_is);
	set("other_clients", "allow");
	ck_assert_int_eq(config.other_clients, OTHER_CLIENTS_ALLOW);
	set("other_clients", "defer");
	ck_assert_int_eq(config.other_clients, OTHER_CLIENTS_DEFER);
	set("unknown_ca", "defer");
	ck_assert(config.unknown_ca_defer);
	set("unknown_ca", "deny");
	ck_assert(!config.unknown_ca_defer);
}
END_TEST

START_TEST(administrators_are_lists)
{
	struct certid id;

	set("admin_users", "admin");
	ck_assert_uint_eq(config.admin_user_count, 1);
	ck_assert_str_eq(config.admin_users[0], "admin");
	set("admin_users", " ann ,bob smith,\tcarl");
	ck_assert_uint_eq(config.admin_user_count, 3);
	ck_assert_str_eq(config.admin_users[0], "ann");
	ck_assert_str_eq(config.admin_users[1], "bob smith");
	ck_assert_str_eq(config.admin_users[2], "carl");
	set("admin_certificates", ID " , " ID_2);
	ck_assert_uint_eq(config.admin_certificate_count, 2);
	ck_assert(certid_from_hex(&id, view_of(ID_2)));
	ck_assert(certid_equal(&config.admin_certificates[1], &id));
}
END_TEST

START_TEST(all_options_can_be_given_together)
{
	struct option all[] = {
		{ "db_path", "/db" },
		{ "db_map_size_mb", "64" },
		{ "ca_path", "/ca" },
		{ "crl_dir", "/crl" },
		{ "trust_store", "live" },
		{ "account_id", "123456789012" },
		{ "region", "eu-central-1" },
		{ "endpoint_address", "mqtt.example.com" },
		{ "admin_users", "admin" },
		{ "admin_certificates", ID },
		{ "authorization", "allow" },
		{ "deny_publish", "disconnect" },
		{ "deny_subscribe", "disconnect" },
		{ "client_id_variable", "any" },
		{ "other_clients", "allow" },
		{ "unknown_ca", "defer" },
		{ "first_connection", "accept" },
		{ "shared_certificate", "newest" },
		{ "event_details", "true" },
		{ "lifecycle_events", "true" },
		{ "expiring_days", "30" },
		{ "announce_interval", "5" },
		{ "metrics_interval", "6" },
		{ "log_file", "/log" },
		{ "health_file", "/health" },
	};

	ck_assert_int_eq(parse(all, COUNT_OF(all)), ERR_OK);
	ck_assert_int_eq(config.announce_interval, 5);
	ck_assert(
	    config.first_connection_accept && config.event_details && config.lifecycle_events);
	ck_assert_int_eq(config.shared_certificate, SHARED_NEWEST);
	ck_assert_int_eq(config.trust_store, TRUST_STORE_LIVE);
	ck_assert_int_eq(config.expiring_days, 30);
	ck_assert_str_eq(config.endpoint_address, "mqtt.example.com");
	for (size_t i = 0; i < COUNT_OF(all); i++)
		ck_assert_str_eq(config_option_name(i), all[i].name);
	ck_assert_ptr_null(config_option_name(COUNT_OF(all)));
}
END_TEST

#if UINTPTR_MAX > 0xffffffff
#define ADDRESS \
	"a host name or an address: 1 to 253 letters, digits, hyphens, dots, colons and brackets"
#define MEGABYTES "a whole number from 1 to 1048576"
#else
#define MEGABYTES "a whole number from 1 to 2047"
#endif
#define NUMBER_1_DAY  "a whole number from 0 to 86400"
#define LIST_OF_IDS   "certificateIds of 64 hexadecimal digits separated by commas, at most 256"
#define LIST_OF_USERS "user names separated by commas, at most 256"

static const struct {
	const char *name, *value;
	const char *must; /* be what */
} bad[] = {
	{ "db_path", "", "a path" },
	{ "ca_path", "", "a path" },
	{ "log_file", "", "a path" },
	{ "health_file", "", "a path" },
	{ "db_map_size_mb", "0", MEGABYTES },
	{ "db_map_size_mb", "1048577", MEGABYTES },
	{ "db_map_size_mb", "-1", MEGABYTES },
	{ "db_map_size_mb", "1G", MEGABYTES },
	{ "db_map_size_mb", "", MEGABYTES },
	{ "db_map_size_mb", "99999999999999999999", MEGABYTES },
	{ "account_id", "12345678901", "12 digits" },
	{ "account_id", "1234567890123", "12 digits" },
	{ "account_id", "12345678901a", "12 digits" },
	{ "account_id", "", "12 digits" },
	{ "endpoint_address", "", ADDRESS },
	{ "endpoint_address", "two words", ADDRESS },
	{ "endpoint_address", "a\"b", ADDRESS },
	{ "region", "", "1 to 63 lower-case letters, digits and hyphens" },
	{ "region", "EU", "1 to 63 lower-case letters, digits and hyphens" },
	{ "region", "a:b", "1 to 63 lower-case letters, digits and hyphens" },
	{ "region", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl",
	    "1 to 63 lower-case letters, digits and hyphens" },
	{ "admin_users", "", LIST_OF_USERS },
	{ "admin_users", "a,,b", LIST_OF_USERS },
	{ "admin_users", "a,", LIST_OF_USERS },
	{ "admin_users", ",", LIST_OF_USERS },
	{ "admin_users", " ", LIST_OF_USERS },
	{ "admin_certificates", "", LIST_OF_IDS },
	{ "admin_certificates", "admin", LIST_OF_IDS },
	{ "admin_certificates", ID ",", LIST_OF_IDS },
	{ "trust_store", "system", "capath, live or live-and-cafile" },
	{ "trust_store", "Live", "capath, live or live-and-cafile" },
	{ "authorization", "none", "policy, defer or allow" },
	{ "authorization", "Allow", "policy, defer or allow" },
	{ "deny_publish", "suback", "disconnect or drop" },
	{ "deny_subscribe", "drop", "disconnect or suback" },
	{ "client_id_variable", "all", "any or plain" },
	{ "other_clients", "deny", "allow or defer" },
	{ "unknown_ca", "allow", "defer or deny" },
	{ "announce_interval", "1.5", NUMBER_1_DAY },
	{ "announce_interval", "86401", NUMBER_1_DAY },
	{ "announce_interval", "1s", NUMBER_1_DAY },
	{ "metrics_interval", "-1", NUMBER_1_DAY },
	{ "metrics_interval", "ten", NUMBER_1_DAY },
};

START_TEST(a_bad_value_is_reported_with_the_values_allowed)
{
	struct option o = { bad[_i].name, bad[_i].value };
	char line[320];

	snprintf(line, sizeof(line), "option %s: \"%s\" must be %s", o.name, o.value, bad[_i].must);
	ck_assert_int_eq(parse(&o, 1), ERR_REQUEST);
	ck_assert_str_eq(diag.text, line);
	ck_assert_ptr_null(config.db_path); /* nothing is half applied */
}
END_TEST

/* A certificate's user name comes from a handshake, never from a password. */
START_TEST(a_certificate_id_is_refused_as_a_user_name)
{
	struct option o = { "admin_users", "ann," ID };

	ck_assert_int_eq(parse(&o, 1), ERR_REQUEST);
	ck_assert_str_eq(diag.text,
	    "option admin_users: \"ann," ID "\" must be user names; "
	    "certificateIds belong in admin_certificates");
}
END_TEST

START_TEST(a_long_value_is_shown_truncated)
{
	char value[2000], line[320];
	struct option o = { "region", value };

	memset(value, 'X', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	ck_assert_int_eq(parse(&o, 1), ERR_REQUEST);
	snprintf(line, sizeof(line),
	    "option region: \"%.100s\" must be 1 to 63 lower-case letters, "
	    "digits and hyphens",
	    value);
	ck_assert_str_eq(diag.text, line);
}
END_TEST

START_TEST(the_length_of_lists_is_limited)
{
	char value[4 * 258];
	struct option o = { "admin_users", value };

	memset(value, 0, sizeof(value));
	for (int i = 0; i < 256; i++)
		sprintf(value + strlen(value), "%su%d", i > 0 ? "," : "", i % 10);
	ck_assert_int_eq(parse(&o, 1), ERR_OK);
	ck_assert_uint_eq(config.admin_user_count, 256);
	strcat(value, ",x");
	ck_assert_int_eq(parse(&o, 1), ERR_REQUEST);
}
END_TEST

START_TEST(an_unknown_option_is_an_error)
{
	static const char *const names[] = { "", "db_pth", "DB_PATH", "db_path ", "db" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct option o[] = { { "region", "local" }, { names[i], "/x" } };
		char line[80];

		ck_assert_int_eq(parse(o, 2), ERR_REQUEST);
		snprintf(line, sizeof(line), "unknown option %s", names[i]);
		ck_assert_str_eq(diag.text, line);
	}
}
END_TEST

START_TEST(an_option_given_twice_is_an_error)
{
	struct option o[] = { { "db_path", "/a" }, { "region", "local" }, { "db_path", "/a" } };

	ck_assert_int_eq(parse(o, 3), ERR_REQUEST);
	ck_assert_str_eq(diag.text, "option db_path is given twice");
	ck_assert_ptr_null(config.db_path);
}
END_TEST

START_TEST(the_old_name_of_an_option_is_understood_and_noted)
{
	set("clone_policy", "oldest");
	ck_assert_int_eq(config.shared_certificate, SHARED_OLDEST);
	ck_assert_str_eq(config.renames[0]->old_name, "clone_policy");
	ck_assert_str_eq(config.renames[0]->name, "shared_certificate");
	set("shared_certificate", "oldest");
	ck_assert_ptr_null(config.renames[0]);
}
END_TEST

START_TEST(an_option_given_by_its_old_and_its_new_name_is_given_twice)
{
	struct option o[] = { { "shared_certificate", "oldest" }, { "clone_policy", "oldest" } };

	ck_assert_int_eq(parse(o, 2), ERR_REQUEST);
	ck_assert_str_eq(diag.text, "option shared_certificate is given twice");
}
END_TEST

START_TEST(a_bad_value_is_told_with_the_name_that_was_given)
{
	struct option o = { "clone_policy", "none" };

	ck_assert_int_eq(parse(&o, 1), ERR_REQUEST);
	ck_assert_str_eq(diag.text,
	    "option clone_policy: \"none\" must be allow, newest or oldest");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *t = suite_case(suite, "options");

	tcase_add_checked_fixture(t, NULL, forget);
	tcase_add_test(t, without_options_the_defaults_are_used);
	tcase_add_test(t, paths_are_used_unchanged);
	tcase_add_test(t, numbers_are_accepted_within_their_bounds);
	tcase_add_test(t, names_and_keywords_are_accepted);
	tcase_add_test(t, administrators_are_lists);
	tcase_add_test(t, all_options_can_be_given_together);
	t = suite_case(suite, "mistakes");
	tcase_add_checked_fixture(t, NULL, forget);
	tcase_add_loop_test(t, a_bad_value_is_reported_with_the_values_allowed, 0, COUNT_OF(bad));
	tcase_add_test(t, a_certificate_id_is_refused_as_a_user_name);
	tcase_add_test(t, a_long_value_is_shown_truncated);
	tcase_add_test(t, the_length_of_lists_is_limited);
	tcase_add_test(t, an_unknown_option_is_an_error);
	tcase_add_test(t, an_option_given_twice_is_an_error);
	tcase_add_test(t, the_old_name_of_an_option_is_understood_and_noted);
	tcase_add_test(t, an_option_given_by_its_old_and_its_new_name_is_given_twice);
	tcase_add_test(t, a_bad_value_is_told_with_the_name_that_was_given);
	return suite_run(suite);
}
