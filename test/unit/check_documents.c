/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_documents.c - the documentation names everything there is.
 *
 * Options are listed in the example configuration and for operators, commands
 * in doc/api.md, counters for operators: what is added to a table of the
 * program and forgotten here fails.  SOURCE_DIR comes from CMake.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "jitr/config.h"
#include "jitr/gate.h"
#include "jitr/stats.h"
#include "suite.h"

static char *
read_document(const char *name)
{
	char path[1024];
	char *text = calloc(1, 1 << 18);
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", SOURCE_DIR, name);
	in = fopen(path, "r");
	ck_assert_msg(in != NULL, "%s is missing", path);
	ck_assert_uint_gt(fread(text, 1, (1 << 18) - 1, in), 0);
	fclose(in);
	return text;
}

static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Does the text contain the word, not as a part of a longer one? */
static bool
has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		if ((at == text || !is_word_char(at[-1])) && !is_word_char(at[len]))
			return true;
	return false;
}

static void
names_each_option(const char *document, const char *prefix)
{
	char *text = read_document(document), word[80];

	for (size_t i = 0; config_option_name(i) != NULL; i++) {
		snprintf(word, sizeof(word), "%s%s", prefix, config_option_name(i));
		ck_assert_msg(has_word(text, word), "%s does not name %s", document, word);
	}
	free(text);
}

START_TEST(the_example_configuration_shows_every_option)
{
	names_each_option("mosquitto.conf.example", "plugin_opt_");
}
END_TEST

START_TEST(operators_are_told_every_option)
{
	names_each_option("doc/operations.md", "");
}
END_TEST

/* And the other way round: nothing is shown that the plugin refuses. */
START_TEST(the_example_configuration_shows_no_other_option)
{
	char *text = read_document("mosquitto.conf.example"), *at = text;

	while ((at = strstr(at, "plugin_opt_")) != NULL) {
		size_t len = strspn(at += 11, "abcdefghijklmnopqrstuvwxyz_"), i = 0;

		while (config_option_name(i) != NULL &&
		    (strncmp(config_option_name(i), at, len) != 0 || config_option_name(i)[len] != '\0'))
			i++;
		ck_assert_msg(config_option_name(i) != NULL, "plugin_opt_%.*s", (int)len, at);
	}
	free(text);
}
END_TEST

START_TEST(the_table_of_commands_is_sorted_so_that_each_is_found)
{
	for (size_t i = 0; i < command_type_count; i++) {
		if (i > 0)
			ck_assert_str_lt(command_types[i - 1].name, command_types[i].name);
		ck_assert_ptr_eq(command_find(command_types[i].name), &command_types[i]);
	}
	ck_assert_ptr_null(command_find(""));
	ck_assert_ptr_null(command_find("describecertificate"));
	ck_assert_ptr_null(command_find("zzz"));
}
END_TEST

START_TEST(a_command_reads_or_changes_and_says_what_it_concerns)
{
	for (size_t i = 0; i < command_type_count; i++) {
		const struct command_type *c = &command_types[i];

		ck_assert(c->parse != NULL);
		ck_assert_msg(c->change != NULL || c->render != NULL, "%s does nothing", c->name);
		ck_assert_msg(c->change != NULL || c->changed == RESOURCE_NONE,
		    "%s changes nothing", c->name);
		ck_assert_msg(c->also == RESOURCE_NONE || c->asked != RESOURCE_NONE,
		    "%s is asked about the lesser resource only", c->name);
	}
}
END_TEST

START_TEST(the_api_document_names_every_command)
{
	char *text = read_document("doc/api.md");

	for (size_t i = 0; i < command_type_count; i++)
		ck_assert_msg(has_word(text, command_types[i].name), "doc/api.md does not name %s",
		    command_types[i].name);
	ck_assert_ptr_nonnull(strstr(text, CONTROL_TOPIC));
	ck_assert_ptr_nonnull(strstr(text, CONTROL_RESPONSE_TOPIC));
	free(text);
}
END_TEST

START_TEST(operators_are_told_every_counter)
{
	static const char *const topics[] = {
#define X(field, topic) topic,
		STATS_TABLE(X)
#undef X
	};
	char *text = read_document("doc/operations.md");

	ck_assert_ptr_nonnull(strstr(text, STATS_TOPIC));
	for (size_t i = 0; i < COUNT_OF(topics); i++)
		ck_assert_msg(strstr(text, topics[i]) != NULL, "doc/operations.md does not name %s",
		    topics[i]);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("documents");
	TCase *t = suite_case(suite, "documents");

	tcase_add_test(t, the_example_configuration_shows_every_option);
	tcase_add_test(t, the_example_configuration_shows_no_other_option);
	tcase_add_test(t, operators_are_told_every_option);
	tcase_add_test(t, the_table_of_commands_is_sorted_so_that_each_is_found);
	tcase_add_test(t, a_command_reads_or_changes_and_says_what_it_concerns);
	tcase_add_test(t, the_api_document_names_every_command);
	tcase_add_test(t, operators_are_told_every_counter);
	return suite_run(suite);
}
