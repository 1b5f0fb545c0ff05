/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"

#include "suite.h"
#include "tree.h"
#include "value.h"

const struct program program = { "mosquitto_jitr", "" };

static char folder[32];
static char start[4096]; /* the directory in which the program was started */

void
write_file(const char *name, const char *content, size_t len)
{
	FILE *file = fopen(name, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(content, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

char *
read_all(const char *name)
{
	struct diag d;
	char *text = value_text(name, &d);

	ck_assert_msg(text != NULL, "%s: %s", name, d.text);
	return text;
}

void
expect_file(const char *name, const char *content)
{
	char *text = read_all(name);

	ck_assert_str_eq(text, content);
	free(text);
}

static int
count_words(const char *const *words)
{
	int n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

/* Copies, because main() may write to its arguments. */
int
make_argv(char **argv, const char *const *words)
{
	int n = count_words(words);

	for (int i = 0; i < n; i++) {
		argv[i] = strdup(words[i]);
		ck_assert_ptr_nonnull(argv[i]);
	}
	argv[n] = NULL;
	return n;
}

void
free_argv(char **argv)
{
	for (; *argv != NULL; argv++)
		free(*argv);
}

int
run_words(const char *const *words)
{
	char *argv[WORDS_MAX];
	int argc = make_argv(argv, words);
	int status;

	ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin));
	ck_assert_ptr_nonnull(freopen("out", "w", stdout));
	ck_assert_ptr_nonnull(freopen("err", "w", stderr));
	status = (int)run_line(&program, argc, argv);
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_eq(fflush(stderr), 0);
	free_argv(argv);
	return status;
}

const char *
command_line_folder(void)
{
	return folder;
}

static void
prepare_folder(void)
{
	static char large[VALUE_MAX + 1];
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";

	ck_assert_ptr_nonnull(getcwd(start, sizeof(start)));
	memcpy(folder, "/tmp/check_ctl_XXXXXX", 22);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(setenv("XDG_CONFIG_HOME", "/nonexistent", 1), 0);
	memset(large, 'x', sizeof(large));
	write_file("large.pem", large, sizeof(large));
	write_file("ca.pem", PEM, strlen(PEM));
	write_file("ca.der", "\x30\x82\0\x10", 4);
	write_file("secret.pem", key, strlen(key));
	write_file("config.json", "{\"templateName\":\"t\"}", 20);
	write_file("word.txt", "word", 4);
	write_file("policy.json", "{\"a\": 1}\n", 9);
}

static void
remove_folder(void)
{
	ck_assert_int_eq(chdir(start), 0);
	ck_assert(remove_tree(folder));
}

TCase *
command_line_case(Suite *suite, const char *name)
{
	TCase *t = suite_case(suite, name);

	tcase_add_unchecked_fixture(t, prepare_folder, remove_folder);
	tcase_set_timeout(t, 60);
	return t;
}
