/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * shorthand.c - see shorthand.h.
 *
 * Any thread.
 */
#include "shorthand.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

struct reader {
	const char  *at;
	char        *word; /* as large as the whole text, so nothing can overrun it */
	struct diag *why;
};

MUST_USE static bool
read_quoted(struct reader *r)
{
	char quote = *r->at++;
	char *out = r->word;

	while (*r->at != quote && *r->at != '\0') {
		/* Only these two: a JSON value keeps its own backslashes. */
		if (r->at[0] == '\\' && (r->at[1] == quote || r->at[1] == '\\'))
			r->at++;
		*out++ = *r->at++;
	}
	*out = '\0';
	if (*r->at != quote) {
		diag_set(r->why, "the quote %c is not closed", quote);
		return false;
	}
	r->at++;
	return true;
}

static void
read_plain(struct reader *r)
{
	char *out = r->word;

	while (*r->at != ',' && *r->at != '\0') {
		if (r->at[0] == '\\' && r->at[1] == ',')
			r->at++;
		*out++ = *r->at++;
	}
	*out = '\0';
}

MUST_USE static bool
add_member(cJSON *object, const char *key, bool from_file, struct reader *r)
{
	char *content = NULL;
	bool ok;

	if (cJSON_GetObjectItemCaseSensitive(object, key) != NULL) {
		diag_set(r->why, "Second instance of key \"%.60s\" encountered", key);
		return false;
	}
	if (from_file) {
		content = value_text(r->word, r->why);
		if (content == NULL)
			return false;
	}
	ok = cJSON_AddStringToObject(object, key, from_file ? content : r->word) != NULL;
	if (!ok)
		diag_set(r->why, "out of memory");
	free(content);
	return ok;
}

MUST_USE static bool
read_member(struct reader *r, cJSON *object)
{
	char key[64];
	size_t len;
	bool from_file;

	r->at += strspn(r->at, " \t\r\n");
	len = strcspn(r->at, "=@,");
	from_file = r->at[len] == '@' && r->at[len + 1] == '=';
	if (len == 0 || len >= sizeof(key) || (r->at[len] != '=' && !from_file)) {
		diag_set(r->why, "Expected: key=value,... (or JSON), received: '%.60s'", r->at);
		return false;
	}
	memcpy(key, r->at, len);
	key[len] = '\0';
	r->at += len + (from_file ? 2 : 1);
	if (*r->at != '"' && *r->at != '\'')
		read_plain(r);
	else if (!read_quoted(r))
		return false;
	return add_member(object, key, from_file, r);
}

MUST_USE static bool
read_members(struct reader *r, cJSON *object)
{
	while (read_member(r, object)) {
		r->at += strspn(r->at, " \t\r\n");
		if (*r->at == '\0')
			return true;
		if (*r->at != ',') {
			diag_set(r->why, "Expected: ',', received: '%.60s'", r->at);
			return false;
		}
		r->at++;
	}
	return false;
}

cJSON *
shorthand_parse(const char *text, struct diag *d)
{
	struct reader r = {.at = text, .word = malloc(strlen(text) + 1), .why = d};
	cJSON *object = cJSON_CreateObject();
	bool ok = false;

	if (r.word == NULL || object == NULL)
		diag_set(d, "out of memory");
	else
		ok = read_members(&r, object);
	free(r.word);
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}
