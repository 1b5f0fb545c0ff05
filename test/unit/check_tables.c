/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_tables.c - the tables in the documents are those of the program, both ways.
 *
 * The manual pages are made from the same tables (scripts/manuals.py).
 */
#include <dirent.h>
#include <lmdb.h>
#include <unistd.h>

#include "command.h"
#include "document.h"
#include "jitr/service/config.h"
#include "jitr/core/decide.h"
#include "jitr/adapter/store.h"
#include "jitr/adapter/x509.h"
#include "suite.h"
#include "topics.h"

#define OPERATIONS "doc/operations.md"
#define API        "doc/api.md"

/*
 * Options.
 */

static void
parse(const char *name, const char *value, struct config *out)
{
	struct option option = { name, value };
	struct diag diag = { "" };

	ck_assert_msg(config_parse(&option, name != NULL, out, &diag) == ERR_OK, "%s", diag.text);
}

/* The program's text for a bad value of the option. */
static void
must_be(const char *name, char *words, size_t size)
{
	struct option option = { name, "" };
	struct diag diag = { "" };
	struct config c;
	const char *at;

	ck_assert_int_eq(config_parse(&option, 1, &c, &diag), ERR_REQUEST);
	at = strstr(diag.text, "must be ");
	ck_assert_msg(at != NULL, "%s", diag.text);
	snprintf(words, size, "%s", at + 8);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Not set works as defer does; only the log distinguishes them. */
static void
choose(struct config *c)
{
	if (c->other_clients == OTHER_CLIENTS_UNSET)
		c->other_clients = OTHER_CLIENTS_DEFER;
}

/* The default of the lists of administrators is empty in both. */
static bool
same_config(const struct config *a, const struct config *b)
{
	struct config x = *a, y = *b;

	choose(&x);
	choose(&y);
	if (!same_text(x.db_path, y.db_path) || !same_text(x.ca_path, y.ca_path) ||
	    !same_text(x.crl_dir, y.crl_dir) || !same_text(x.log_file, y.log_file) ||
	    !same_text(x.health_file, y.health_file) ||
	    !same_text(x.endpoint_address, y.endpoint_address))
		return false;
	x.crl_dir = y.crl_dir = NULL;
	x.db_path = y.db_path = x.ca_path = y.ca_path = x.log_file = y.log_file = NULL;
	x.health_file = y.health_file = x.endpoint_address = y.endpoint_address = NULL;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static bool
has_no_default(const char *name, const struct config *c)
{
	return (strcmp(name, "endpoint_address") == 0 && c->endpoint_address == NULL) ||
	    (strcmp(name, "log_file") == 0 && c->log_file == NULL) ||
	    (strcmp(name, "health_file") == 0 && c->health_file == NULL) ||
	    (strcmp(name, "admin_users") == 0 && c->admin_users == NULL) ||
	    (strcmp(name, "admin_certificates") == 0 && c->admin_certificates == NULL);
}

/* Setting the documented default gives the same configuration as leaving the option out. */
static void
is_the_default(const char *document, const char *name, const char *value)
{
	struct config without, with;
	char path[256];

	parse(NULL, NULL, &without);
	if (strcmp(value, "none") == 0) {
		ck_assert_msg(has_no_default(name, &without), "%s: %s has a default", document,
		    name);
	} else {
		if (strncmp(value, "<db_path>", 9) == 0) {
			snprintf(path, sizeof(path), "%s%s", without.db_path, value + 9);
			value = path;
		}
		parse(name, value, &with);
		ck_assert_msg(same_config(&with, &without), "%s: %s is not %s by default", document,
		    name, value);
		config_free(&with);
	}
	config_free(&without);
}

START_TEST(the_documented_options_are_those_of_the_program)
{
	char *table = read_table(OPERATIONS, "## Options"), *rows = table;
	struct cells row;
	size_t i = 0;

	for (; next_row(&rows, &row); i++) {
		ck_assert_uint_eq(row.count, 3);
		ck_assert_msg(config_option_name(i) != NULL, "%s is no option", row.at[0]);
		ck_assert_str_eq(plain(row.at[0]), config_option_name(i));
		plain(row.at[1])[strcspn(row.at[1], " ")] = '\0';
		is_the_default(OPERATIONS, row.at[0], row.at[1]);
	}
	ck_assert_msg(config_option_name(i) == NULL, "%s is missing", config_option_name(i));
	free(table);
}
END_TEST

/* The text "a, b or c", each value in code marks. */
static bool
names_each_word(const char *text, const char *list)
{
	char copy[200], *words = copy, *word, quoted[80];

	snprintf(copy, sizeof(copy), "%s", list);
	while ((word = strsep(&words, " ")) != NULL) {
		if (strcmp(word, "or") == 0)
			continue;
		word[strcspn(word, ",")] = '\0';
		snprintf(quoted, sizeof(quoted), "`%s`", word);
		if (strstr(text, quoted) == NULL)
			return false;
	}
	return true;
}

START_TEST(the_values_of_every_option_are_documented)
{
	char *table = read_table(OPERATIONS, "## Options"), *rows = table, words[200];
	struct cells row;

	while (next_row(&rows, &row)) {
		const char *range = words;

		must_be(plain(row.at[0]), words, sizeof(words));
		if (strcmp(words, "a path") == 0)
			continue;
		if (strncmp(words, "a whole number from ", 20) == 0)
			range += 20;
		ck_assert_msg(strstr(row.at[2], range) != NULL || names_each_word(row.at[2], words),
		    "%s must be %s", row.at[0], range);
	}
	free(table);
}
END_TEST

/* A commented-out line shows the default. */
START_TEST(the_example_configuration_shows_defaults)
{
	char *text = read_document("mosquitto.conf.example"), *at = text, *line;
	size_t seen = 0;

	while ((line = strsep(&at, "\n")) != NULL) {
		char *name = line + 12, *value;

		if (strncmp(line, "#plugin_opt_", 12) != 0)
			continue;
		value = strchr(name, ' ');
		ck_assert_ptr_nonnull(value);
		*value++ = '\0';
		if (strcmp(name, "log_file") == 0 || strcmp(name, "health_file") == 0 ||
		    strcmp(name, "endpoint_address") == 0 || strncmp(name, "admin_", 6) == 0)
			continue;
		is_the_default("mosquitto.conf.example", name, value);
		seen++;
	}
	ck_assert_uint_gt(seen, 10);
	free(text);
}
END_TEST

static bool
is_option(const char *word)
{
	size_t i = 0;

	while (config_option_name(i) != NULL && strcmp(config_option_name(i), word) != 0)
		i++;
	return config_option_name(i) != NULL;
}

START_TEST(the_effect_of_every_option_on_security_is_documented)
{
	char *table = read_table("doc/security.md", "## What each option opens"), *rows = table,
	     *word;
	struct cells row;
	size_t seen = 0, known = 0;

	while (next_row(&rows, &row)) {
		while ((word = strsep(&row.at[0], "`, ")) != NULL) {
			ck_assert_msg(*word == '\0' || is_option(word), "%s is no option", word);
			seen += *word != '\0';
		}
	}
	while (config_option_name(known) != NULL)
		known++;
	ck_assert_uint_eq(seen, known);
	free(table);
}
END_TEST

/*
 * Commands and errors.
 */

START_TEST(the_documented_commands_are_those_of_the_program)
{
	char *table = read_table(API, "## Commands"), *rows = table, *name;
	size_t seen = 0;
	struct cells row;

	while (next_row(&rows, &row)) {
		while ((name = strsep(&row.at[0], "`, ")) != NULL) {
			if (*name == '\0')
				continue;
			ck_assert_msg(command_find(name) != NULL, "%s is no command", name);
			seen++;
		}
	}
	ck_assert_uint_eq(seen, command_actions().count);
	free(table);
}
END_TEST

/* The first error with this name, 0 (success) if there is none. */
static enum err
error_called(const char *name)
{
	for (enum err e = ERR_OK + 1; e <= ERR_NOMEM; e++)
		if (strcmp(err_aws_name(e), name) == 0)
			return e;
	return ERR_OK;
}

START_TEST(the_documented_errors_are_those_of_the_program)
{
	char *table = read_table(API, "## Errors"), *rows = table;
	bool seen[ERR_NOMEM + 1] = { false };
	struct cells row;

	while (next_row(&rows, &row)) {
		enum err e = error_called(plain(row.at[0]));

		ck_assert_msg(e != ERR_OK, "%s is no error", row.at[0]);
		ck_assert_msg(!seen[e], "%s is there twice", row.at[0]);
		ck_assert_int_eq(atoi(row.at[1]), err_http_status(e));
		seen[e] = true;
	}
	for (enum err e = ERR_OK + 1; e <= ERR_NOMEM; e++)
		ck_assert_msg(seen[error_called(err_aws_name(e))], "%s is missing",
		    err_aws_name(e));
	free(table);
}
END_TEST

static void
names_known_errors_only(const char *document)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char *text = read_document(document);

	for (char *at = text, *end; (at = strpbrk(at, letters)) != NULL; at = end) {
		char word[80];
		size_t len = strspn(at, letters);

		end = at + len;
		if (len <= 9 || len >= sizeof(word) || strncmp(end - 9, "Exception", 9) != 0)
			continue;
		memcpy(word, at, len);
		word[len] = '\0';
		ck_assert_msg(error_called(word) != ERR_OK, "%s: %s is no error", document, word);
	}
	free(text);
}

START_TEST(no_document_names_an_unknown_error)
{
	DIR *folder = opendir(SOURCE_DIR "/doc");
	struct dirent *file;
	char name[300];
	size_t seen = 0;

	ck_assert_ptr_nonnull(folder);
	while ((file = readdir(folder)) != NULL) {
		const char *end = strrchr(file->d_name, '.');

		if (end == NULL || strcmp(end, ".md") != 0)
			continue;
		snprintf(name, sizeof(name), "doc/%s", file->d_name);
		names_known_errors_only(name);
		seen++;
	}
	closedir(folder);
	ck_assert_uint_ge(seen, 9);
}
END_TEST

/*
 * Reasons and topics.
 */

static enum reason
reason_with(const char *text, const char *code)
{
	enum reason r = REASON_NONE + 1;

	while (r < REASON_COUNT &&
	    (strcmp(reason_text(r), text) != 0 || strcmp(reason_code(r), code) != 0))
		r++;
	return r;
}

START_TEST(the_documented_reasons_are_those_of_the_program)
{
	char *table = read_table(OPERATIONS, "### Why a client was refused"), *rows = table;
	bool seen[REASON_COUNT] = { false };
	struct cells row;

	while (next_row(&rows, &row)) {
		enum reason r = reason_with(row.at[0], plain(row.at[1]));

		ck_assert_msg(r < REASON_COUNT, "'%s' is no reason, or not with this code",
		    row.at[0]);
		ck_assert_msg(!seen[r], "'%s' is there twice", row.at[0]);
		seen[r] = true;
	}
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
		ck_assert_msg(seen[r], "'%s' is missing", reason_text(r));
	free(table);
}
END_TEST

static bool
is_code(const char *word)
{
	enum reason r = REASON_NONE + 1;

	while (r < REASON_COUNT && strcmp(reason_code(r), word) != 0)
		r++;
	return r < REASON_COUNT;
}

static bool
is_topic(const char *word)
{
	enum cert_status status;

	for (size_t i = 0; i < COUNT_OF(documented_topics); i++)
		if (strcmp(documented_topics[i], word) == 0)
			return true;
	if (strncmp(word, "connections/refused/", 20) == 0)
		return is_code(word + 20);
	return strncmp(word, "certificates/status/", 20) == 0 &&
	    cert_status_parse(word + 20, &status);
}

static void
has_known_topics_only(const char *heading)
{
	char *table = read_table(OPERATIONS, heading), *rows = table, *word;
	struct cells row;
	size_t seen = 0;

	while (next_row(&rows, &row)) {
		if (row.at[0][0] != '`')
			continue;
		while ((word = strsep(&row.at[0], "`, ")) != NULL) {
			ck_assert_msg(*word == '\0' || is_topic(word), "%s is no topic", word);
			seen++;
		}
	}
	ck_assert_uint_gt(seen, 0);
	free(table);
}

START_TEST(no_document_names_an_unknown_topic)
{
	has_known_topics_only("## Counters");
	has_known_topics_only("### Alerts");
}
END_TEST

/*
 * The registry.
 */

struct registry {
	char path[32];
	MDB_env *env;
};

/* Opens a registry made by the store with LMDB's functions. */
static MDB_cursor *
open_registry(struct registry *r)
{
	struct store_config config = { .map_size = 1 << 20, .sha256 = sha256_of };
	MDB_cursor *cursor;
	struct store *store;
	MDB_txn *txn;
	MDB_dbi names;

	memcpy(r->path, "/tmp/check_tables_XXXXXX", 25);
	ck_assert_ptr_nonnull(mkdtemp(r->path));
	config.path = r->path;
	ck_assert_int_eq(store_open(&config, &store, NULL), ERR_OK);
	store_close(store);
	ck_assert_int_eq(mdb_env_create(&r->env), 0);
	ck_assert_int_eq(mdb_env_open(r->env, r->path, MDB_RDONLY, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(r->env, NULL, MDB_RDONLY, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, NULL, 0, &names), 0);
	ck_assert_int_eq(mdb_cursor_open(txn, names, &cursor), 0);
	return cursor;
}

static void
close_registry(struct registry *r, MDB_cursor *cursor)
{
	MDB_txn *txn = mdb_cursor_txn(cursor);
	char file[64];

	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	mdb_env_close(r->env);
	snprintf(file, sizeof(file), "%s/data.mdb", r->path);
	(void)unlink(file);
	snprintf(file, sizeof(file), "%s/lock.mdb", r->path);
	(void)unlink(file);
	(void)rmdir(r->path);
}

START_TEST(the_tables_of_the_registry_are_documented)
{
	char *table = read_table("doc/storage.md", "## Tables"), *rows = table;
	struct registry registry;
	MDB_cursor *cursor = open_registry(&registry);
	size_t documented = 0, made = 0;
	MDB_val key, value;
	struct cells row;

	while (next_row(&rows, &row)) {
		key = (MDB_val){ strlen(plain(row.at[0])), row.at[0] };
		ck_assert_msg(mdb_cursor_get(cursor, &key, &value, MDB_SET) == 0, "no table %s",
		    row.at[0]);
		documented++;
	}
	for (int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); rc == 0; made++)
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	ck_assert_uint_eq(documented, made);
	close_registry(&registry, cursor);
	free(table);
}
END_TEST

START_TEST(the_schema_is_documented)
{
	char *text = read_document("doc/storage.md"), words[80];

	snprintf(words, sizeof(words), "a number of 4 bytes: %d |", STORE_SCHEMA);
	ck_assert_ptr_nonnull(strstr(text, words));
	snprintf(words, sizeof(words), "\n| %d | ", STORE_SCHEMA);
	ck_assert_ptr_nonnull(strstr(strstr(text, "\n## Versions"), words));
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tables");
	TCase *t = suite_case(suite, "tables");

	tcase_add_test(t, the_documented_options_are_those_of_the_program);
	tcase_add_test(t, the_values_of_every_option_are_documented);
	tcase_add_test(t, the_example_configuration_shows_defaults);
	tcase_add_test(t, the_effect_of_every_option_on_security_is_documented);
	tcase_add_test(t, the_documented_commands_are_those_of_the_program);
	tcase_add_test(t, the_documented_errors_are_those_of_the_program);
	tcase_add_test(t, no_document_names_an_unknown_error);
	tcase_add_test(t, the_documented_reasons_are_those_of_the_program);
	tcase_add_test(t, no_document_names_an_unknown_topic);
	tcase_add_test(t, the_tables_of_the_registry_are_documented);
	tcase_add_test(t, the_schema_is_documented);
	return suite_run(suite);
}
