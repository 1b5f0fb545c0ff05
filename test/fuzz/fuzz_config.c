/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_config.c - options of the plugin: each line is a name, a blank and a value.
 *
 * A refusal has a text and leaves nothing allocated.  What is accepted is within the bounds
 * that config.h promises, and is accepted again.
 */
#include <stdlib.h>
#include <string.h>

#include "line.h"

#include "jitr/service/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OPTIONS_MAX 40

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/* As the broker splits a plugin_opt_ line.  The text is changed. */
static struct option
option_of(char *line)
{
	char *blank = strchr(line, ' ');
	struct option o = { .name = line, .value = "" };

	if (blank != NULL) {
		*blank = '\0';
		o.value = blank + 1;
	}
	return o;
}

static void
check_names(const struct config *c)
{
	struct certid id;

	for (size_t i = 0; i < c->admin_user_count; i++) {
		require(c->admin_users[i][0] != '\0');
		require(strchr(c->admin_users[i], ',') == NULL);
		require(!certid_from_hex(&id, view_of(c->admin_users[i])));
	}
	require(c->admin_user_count <= 256 && c->admin_certificate_count <= 256);
}

static void
check_values(const struct config *c)
{
	require(c->db_path != NULL && c->ca_path != NULL && c->crl_dir != NULL);
	require(c->db_map_size_mb >= 1 && c->db_map_size_mb <= 1048576);
	require(strlen(c->account_id) == 12 && c->region[0] != '\0');
	require(c->expiring_days >= 0 && c->expiring_days <= 3650);
	require(c->announce_interval >= 0 && c->announce_interval <= 86400);
	require(c->metrics_interval >= 0 && c->metrics_interval <= 86400);
	require(c->authorization <= AUTHORIZATION_ALLOW);
	require(c->shared_certificate <= SHARED_OLDEST && c->trust_store <= 2);
	check_names(c);
}

static void
parse(const struct option *options, size_t count)
{
	struct diag diag = { "" }, same = { "" };
	struct config c, again;
	enum err e = config_parse(options, count, &c, &diag);

	require(e == config_parse(options, count, &again, &same));
	require(strcmp(diag.text, same.text) == 0 && (e == ERR_OK) == (diag.text[0] == '\0'));
	if (e == ERR_OK)
		check_values(&c);
	else
		require(c.db_path == NULL && c.admin_users == NULL);
	config_free(&c);
	config_free(&c);
	config_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = { data, size };
	struct option options[OPTIONS_MAX];
	char *lines[OPTIONS_MAX];
	size_t count = 0;

	while (rest.len > 0 && count < OPTIONS_MAX) {
		struct view line = cut_line(&rest);

		lines[count] = strndup((const char *)line.data, line.len);
		require(lines[count] != NULL);
		options[count] = option_of(lines[count]);
		count++;
	}
	parse(options, count);
	while (count > 0)
		free(lines[--count]);
	return 0;
}
