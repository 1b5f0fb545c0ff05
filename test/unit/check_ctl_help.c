/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_help.c - help and documents name every command, flag and option, and no others.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "document.h"
#include "help.h"
#include "options.h"
#include "suite.h"

static void
expect_flags(const char *text, const char *where, const struct flag *flags)
{
	for (const struct flag *f = flags; f->name != NULL; f++) {
		char name[80];

		(void)snprintf(name, sizeof(name), "--%s", f->name);
		ck_assert_msg(strstr(text, name) != NULL, "%s does not name %s", where, name);
		if (f->kind != FLAG_BOOLEAN)
			continue;
		(void)snprintf(name, sizeof(name), "--no-%s", f->name);
		ck_assert_msg(strstr(text, name) != NULL, "%s does not name %s", where, name);
	}
}

START_TEST(help_names_every_exit_status)
{
	static const char *const statuses[] = { " 0 ", "252 ", "253 ", "254 ", "255 " };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char *section;

	help_overview(out, &program);
	ck_assert_int_eq(fclose(out), 0);
	section = strstr(text, "Exit status:");
	ck_assert_ptr_nonnull(section);
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		ck_assert_msg(strstr(section, statuses[i]) != NULL, "%s is missing", statuses[i]);
	free(text);
}
END_TEST

START_TEST(help_names_every_flag)
{
	const struct command *c = &command_table[_i];
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	help_command(out, &program, c);
	ck_assert_int_eq(fclose(out), 0);
	expect_flags(text, c->name, c->flags);
	free(text);
}
END_TEST

#define COMMANDS "doc/commands.md"

static char *
read_section(const char *name)
{
	char *text = read_document(COMMANDS);
	char heading[100];
	char *section;
	char *end;

	(void)snprintf(heading, sizeof(heading), "\n### %s\n", name);
	section = strstr(text, heading);
	ck_assert_msg(section != NULL, "no section for %s", name);
	end = strstr(section + 2, "\n##");
	if (end != NULL)
		*end = '\0';
	memmove(text, section, strlen(section) + 1);
	return text;
}

START_TEST(the_documentation_names_every_command_and_flag)
{
	const struct command *c = &command_table[_i];
	char *doc = read_document(COMMANDS);
	char *section = read_section(c->name);

	expect_flags(doc, COMMANDS, global_flags);
	expect_flags(section, c->name, c->flags);
	free(section);
	free(doc);
}
END_TEST

static bool
has_flag(const struct flag *flags, const char *name)
{
	for (const struct flag *f = flags; f->name != NULL; f++) {
		if (strcmp(name, f->name) == 0 ||
		    (f->kind == FLAG_BOOLEAN && strncmp(name, "no-", 3) == 0 &&
			strcmp(name + 3, f->name) == 0))
			return true;
	}
	return false;
}

/* The next word of a cell that begins with this; NULL: there is none. */
static char *
next_name(char **cell, const char *start_of_name)
{
	char *word;

	while ((word = strsep(cell, "`, ")) != NULL) {
		if (strncmp(word, start_of_name, strlen(start_of_name)) == 0)
			return word;
	}
	return NULL;
}

START_TEST(the_documentation_names_no_unknown_flag)
{
	const struct command *c = &command_table[_i];
	char *section = read_section(c->name);
	char *lines = section;
	char *line;
	char *name;

	while ((line = strsep(&lines, "\n")) != NULL) {
		char *cell = line + 2;

		if (strncmp(line, "| `--", 5) != 0)
			continue;
		*strchr(cell, '|') = '\0';
		while ((name = next_name(&cell, "--")) != NULL)
			ck_assert_msg(has_flag(c->flags, name + 2) ||
				has_flag(global_flags, name + 2),
			    "%s has no %s", c->name, name);
	}
	free(section);
}
END_TEST

START_TEST(the_documentation_names_no_unknown_command)
{
	char *text = read_document(COMMANDS);
	char *lines = text;
	char *line;
	size_t seen = 0;

	while ((line = strsep(&lines, "\n")) != NULL) {
		if (strncmp(line, "### ", 4) != 0 || line[4] < 'a')
			continue;
		ck_assert_msg(command_find(line + 4) != NULL, "%s is no command", line + 4);
		seen++;
	}
	ck_assert_uint_eq(seen, command_count);
	free(text);
}
END_TEST

/* Each documented option is in the help, and the help has no more of them. */
START_TEST(the_documented_options_are_those_of_help)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char *table = read_table(COMMANDS, "## Options");
	char *rows = table;
	struct cells row;
	size_t documented = 0;
	size_t helped = 0;
	char *name;

	options_help(out);
	ck_assert_int_eq(fclose(out), 0);
	while (next_row(&rows, &row)) {
		while ((name = next_name(&row.at[0], "-")) != NULL) {
			char *at = strstr(text, name);

			while (
			    at != NULL && (at[-1] != ' ' || strspn(at + strlen(name), ", \n") == 0))
				at = strstr(at + 1, name);
			ck_assert_msg(at != NULL, "%s is no option", name);
			documented++;
		}
	}
	for (char *lines = text, *line; (line = strsep(&lines, "\n")) != NULL;) {
		char *left = line;

		if (strlen(line) > 34)
			line[34] = '\0';
		while (next_name(&left, "-") != NULL)
			helped++;
	}
	ck_assert_uint_eq(documented, helped);
	free(table);
	free(text);
}
END_TEST

/* The command line makes these members from --crl. */
static bool
is_of_upload(const char *member)
{
	return strcmp(member, "crl") == 0 || strcmp(member, "uploadId") == 0 ||
	    strcmp(member, "part") == 0 || strcmp(member, "parts") == 0;
}

static bool
has_member(const struct command *c, const char *member)
{
	for (const struct flag *f = c->flags; f->name != NULL; f++) {
		if (f->member != NULL && strcmp(f->member, member) == 0)
			return true;
	}
	return strcmp(c->name, "import-crl") == 0 && is_of_upload(member);
}

/* Reads the cell of doc/api.md with the members of this command's request. */
static void
read_members(const struct command *c, char *out, size_t size)
{
	char *table = read_table("doc/api.md", "## Commands");
	char *rows = table;
	struct cells row;
	char quoted[100];

	(void)snprintf(quoted, sizeof(quoted), "`%c%s`", tolower(c->operation[0]),
	    c->operation + 1);
	out[0] = '\0';
	while (next_row(&rows, &row)) {
		if (strstr(row.at[0], quoted) != NULL)
			(void)snprintf(out, size, "%s", row.at[1]);
	}
	ck_assert_msg(out[0] != '\0', "doc/api.md has no %s", quoted);
	free(table);
}

/* The tests of the plugin show that it understands these members. */
START_TEST(the_api_document_has_the_members_that_the_command_line_sends)
{
	const struct command *c = &command_table[_i];
	char cell[1000];
	char quoted[100];
	char *words = cell;
	char *word;

	read_members(c, cell, sizeof(cell));
	for (const struct flag *f = c->flags; f->name != NULL; f++) {
		if (f->member == NULL)
			continue;
		(void)snprintf(quoted, sizeof(quoted), "`%s`", f->member);
		ck_assert_msg(strstr(cell, quoted) != NULL, "%s: %s is missing", c->name, quoted);
	}
	while ((word = strsep(&words, "`")) != NULL && (word = strsep(&words, "`")) != NULL)
		ck_assert_msg(has_member(c, word), "%s has no member %s", c->name, word);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_help");
	TCase *t = command_line_case(suite, "help");

	tcase_add_test(t, help_names_every_exit_status);
	tcase_add_loop_test(t, help_names_every_flag, 0, (int)command_count);
	tcase_add_loop_test(t, the_documentation_names_every_command_and_flag, 0,
	    (int)command_count);
	tcase_add_loop_test(t, the_documentation_names_no_unknown_flag, 0, (int)command_count);
	tcase_add_test(t, the_documentation_names_no_unknown_command);
	tcase_add_test(t, the_documented_options_are_those_of_help);
	tcase_add_loop_test(t, the_api_document_has_the_members_that_the_command_line_sends, 0,
	    (int)command_count);
	return suite_run(suite);
}
