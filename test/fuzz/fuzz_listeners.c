/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_listeners.c - the broker's configuration: the main file, a file of its include_dir and
 * the psk_file, separated by lines "%%".
 *
 * A listener without the plugin is named, and the answer is the same twice.  An identity has
 * no colon and no blank at either end.
 */
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "memory_file.h"

#include "listeners.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAIN_FILE "/etc/mosquitto.conf"

static const char command_line[] = "mosquitto\0-v\0-c\0" MAIN_FILE;
static struct view main_file, included, identities;

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

static struct view
find(const char *path)
{
	if (strcmp(path, "/proc/self/cmdline") == 0)
		return (struct view){ (const uint8_t *)command_line, sizeof(command_line) };
	if (strcmp(path, MAIN_FILE) == 0)
		return main_file;
	if (ends_with(path, ".conf"))
		return included;
	return ends_with(path, "psk") ? identities : (struct view){ NULL, 0 };
}

/* Up to a line "%%". */
static struct view
cut_section(struct view *rest)
{
	struct view section = { rest->data, 0 };

	while (rest->len > 0) {
		struct view line = cut_line(rest);

		if (view_equal(line, view_of("%%")))
			return section;
		section.len = (size_t)(line.data + line.len - section.data);
	}
	return section;
}

static bool
is_blank(char c)
{
	return c != '\0' && strchr(" \t\v\f\r\n", c) != NULL;
}

static void
check_identity(void *context, const char *identity)
{
	size_t len = strlen(identity);

	++*(size_t *)context;
	require(strchr(identity, ':') == NULL);
	require(len == 0 || (!is_blank(identity[0]) || identity[0] == '\r' || identity[0] == '\n'));
	require(len == 0 || !is_blank(identity[len - 1]));
}

static void
check(void)
{
	struct diag diag = { "" }, same = { "" };
	size_t names = 0, again = 0;
	enum err e = listeners_check(&diag);

	require(e == ERR_OK || e == ERR_CONFLICT || e == ERR_NOT_FOUND);
	require((e == ERR_OK) == (diag.text[0] == '\0'));
	require(e == listeners_check(&same) && strcmp(diag.text, same.text) == 0);
	listeners_psk_names(check_identity, &names);
	listeners_psk_names(check_identity, &again);
	require(names == again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a.conf", "b.txt", NULL };
	struct view rest = { size > 0 ? data : (const uint8_t *)"", size };

	main_file = cut_section(&rest);
	included = cut_section(&rest);
	identities = rest;
	memory_files_list(names);
	memory_files_begin(find);
	check();
	memory_files_end();
	return 0;
}
