/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_line.h - command lines as from a shell, for the tests of ctl/.
 *
 * The tests of a command_line_case() run in a directory of their own, which has
 *
 *	ca.pem, ca.der	something that looks like a certificate
 *	secret.pem	a private key
 *	large.pem	more than VALUE_MAX bytes
 *	config.json, policy.json, word.txt
 *
 * A failure of any function here fails the test.
 */
#ifndef JITR_TEST_COMMAND_LINE_H
#define JITR_TEST_COMMAND_LINE_H

#include <check.h>
#include <stddef.h>

#include "host.h"
#include "run.h"

#define WORDS_MAX 24
#define ID64      "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173"
#define PEM       "-----BEGIN CERTIFICATE-----\nMIIBxz\n-----END CERTIFICATE-----\n"
#define PEM_JSON  "\"-----BEGIN CERTIFICATE-----\\nMIIBxz\\n-----END CERTIFICATE-----\\n\""

extern const struct program program;

TCase *command_line_case(Suite *suite, const char *name);
const char *command_line_folder(void); /* the directory of the present test */

void write_file(const char *name, const char *content, size_t len);
char *read_all(const char *name); /* a value as of a flag: file://NAME; the caller frees it */
void expect_file(const char *name, const char *content);

/* argv as main() has it, from words that end with NULL.  Returns argc. */
int make_argv(char **argv, const char *const *words);
void free_argv(char **argv);

/* Runs a command line and returns its exit status.  Its output is in the files out and
 * err: the streams of this process stay redirected, each test is a process of its own. */
int run_words(const char *const *words);

#endif
