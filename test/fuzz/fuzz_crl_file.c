/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_crl_file.c - files with revocation lists, as the command line reads them.
 *
 * A refusal has a text.  The parts of an accepted list are base64 of one SEQUENCE in DER: the
 * file itself, or what its PEM block has.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "memory_file.h"

#include "crl_file.h"
#include "jitr/core/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct view content;

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static struct view
find(const char *path)
{
	return strcmp(path, "list") == 0 ? content : (struct view){ NULL, 0 };
}

/* The bytes of the first part; the caller frees them. */
static uint8_t *
decode(const char *base64, size_t *len)
{
	size_t size = strlen(base64);
	uint8_t *bytes = malloc(size + 1);
	int n;

	require(bytes != NULL && size % 4 == 0 && size > 0);
	n = EVP_DecodeBlock(bytes, (const uint8_t *)base64, (int)size);
	require(n > 0);
	*len = (size_t)n - (base64[size - 1] == '=') - (base64[size - 2] == '=');
	return bytes;
}

static void
check(const struct crl_file *f)
{
	char *base64 = crl_file_part(f, 0);
	struct view rest;
	struct der value;
	uint8_t *bytes;

	require(base64 != NULL && crl_file_parts(f) >= 1);
	bytes = decode(base64, &rest.len);
	rest.data = bytes;
	if (crl_file_parts(f) == 1)
		require(der_take(&rest, DER_SEQUENCE, &value) && rest.len == 0);
	if (crl_file_parts(f) == 1 && content.len == value.whole.len && content.data[0] == 0x30)
		require(view_equal(content, value.whole));
	free(bytes);
	free(base64);
}

static void
run(const char *given)
{
	struct diag diag = { "" };
	struct crl_file *f = crl_file_open(given, &diag);

	if (f != NULL)
		check(f);
	else
		require(diag.text[0] != '\0');
	crl_file_close(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)(size > 0 ? data : (const uint8_t *)""), size);

	require(text != NULL);
	content = (struct view){ size > 0 ? data : (const uint8_t *)"", size };
	memory_files_begin(find);
	run("list");
	run(text);
	memory_files_end();
	free(text);
	return 0;
}
