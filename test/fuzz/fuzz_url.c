/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_url.c - URLs of the command line.
 *
 * The pieces of an accepted URL are within its text and without the separators.  A URL that
 * mosquitto_ctrl has cut at its separators is restored.
 */
#include <stdlib.h>
#include <string.h>

#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct url_scheme schemes[] = { { "mqtt://", 1883 }, { "mqtts://", 8883 } };

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static char *
copy_of(const char *text)
{
	char *copy = strdup(text);

	require(copy != NULL);
	return copy;
}

static bool
is_within(const char *piece, const char *text, size_t size)
{
	return piece >= text && piece + strlen(piece) < text + size;
}

static void
check_decoding(const char *text)
{
	char *copy = copy_of(text);
	size_t len = strlen(text);

	if (url_decode(copy))
		require(strlen(copy) <= len);
	free(copy);
	require(url_decode(NULL));
}

static void
check_pieces(const struct url *url, const char *text, size_t size)
{
	require(is_within(url->host, text, size) && url->host[0] != '\0');
	require(strpbrk(url->host, "/:") == NULL);
	require(url->port >= 1 && url->port <= 65535 && url->scheme < COUNT_OF(schemes));
	require(url->username == NULL || is_within(url->username, text, size));
	require(url->password == NULL || is_within(url->password, text, size));
	require(url->password == NULL || url->username != NULL);
	check_decoding(url->host);
}

static void
check_parsing(const char *text)
{
	char *copy = copy_of(text);
	struct diag diag = { "" };
	struct url url;

	if (url_parse(&url, copy, schemes, COUNT_OF(schemes), &diag))
		check_pieces(&url, copy, strlen(text) + 1);
	else
		require(diag.text[0] != '\0');
	free(copy);
}

/* The bytes between separators stay, and no other byte is written. */
static void
check_restoring(const uint8_t *data, size_t size)
{
	char *cut = calloc(1, size + 1), *out = malloc(size + 1);

	require(cut != NULL && out != NULL);
	if (size > 0)
		memcpy(cut, data, size);
	url_restore(cut, size + 1, out);
	for (size_t i = 0; i <= size; i++)
		require(out[i] == cut[i] || (cut[i] == '\0' && strchr(":@/", out[i]) != NULL));
	require(out[size] == '\0');
	free(cut);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)(size > 0 ? data : (const uint8_t *)""), size);

	require(text != NULL);
	check_parsing(text);
	check_decoding(text);
	check_restoring(data, size);
	free(text);
	return 0;
}
