/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_file.c - see crl_file.h.
 *
 * Any thread.
 */
#include "crl_file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/der.h"
#include "value.h"

/* PEM of the largest list, with some text around it. */
#define BYTES_MAX  (CRL_FILE_BYTES_MAX / 2 * 3)
#define BYTES_STEP ((size_t)64 << 10)

#define PEM_BEGIN "-----BEGIN X509 CRL-----"
#define PEM_END   "-----END X509 CRL-----"

struct crl_file {
	uint8_t *bytes; /* content of the file; after reading, the list in DER */
	size_t len;
	size_t room;
};

/* ---- the file ------------------------------------------------------------ */

/* Doubles the buffer, plus a byte for the terminator. */
MUST_USE static bool
grow(struct crl_file *f, struct diag *d)
{
	size_t room = f->room == 0 ? BYTES_STEP : 2 * f->room;
	uint8_t *bytes = realloc(f->bytes, room + 1);

	if (bytes == NULL) {
		diag_set(d, "out of memory");
		return false;
	}
	f->bytes = bytes;
	f->room = room;
	return true;
}

/* Works for pipes, too: the size is not known in advance. */
MUST_USE static bool
read_stream(struct crl_file *f, FILE *file, struct diag *d)
{
	while (f->len <= BYTES_MAX) {
		size_t n;

		if (f->len == f->room && !grow(f, d))
			return false;
		n = fread(f->bytes + f->len, 1, f->room - f->len, file);
		f->len += n;
		if (n > 0)
			continue;
		f->bytes[f->len] = '\0';
		if (!ferror(file))
			return true;
		diag_set(d, "%s", strerror(errno));
		return false;
	}
	diag_set(d, "it is larger than a revocation list may be");
	return false;
}

MUST_USE static bool
read_file(struct crl_file *f, const char *given, struct diag *d)
{
	char *path = value_path(given, d);
	FILE *file = path != NULL ? fopen(path, "rb") : NULL;
	bool ok = false;

	if (file != NULL) {
		ok = read_stream(f, file, d);
		(void)fclose(file);
	} else if (path != NULL) {
		diag_set(d, "%s", strerror(errno));
	}
	free(path);
	return ok;
}

MUST_USE static bool
read_given(struct crl_file *f, const char *given, struct diag *d)
{
	struct diag why = { "out of memory" };

	if (strstr(given, "-----BEGIN") != NULL) {
		f->bytes = (uint8_t *)strdup(given);
		f->len = strlen(given);
	} else if (!read_file(f, given, &why)) {
		free(f->bytes);
		f->bytes = NULL;
	}
	if (f->bytes == NULL)
		diag_set(d, "Unable to load paramfile %.100s: %s", given, why.text);
	return f->bytes != NULL;
}

/* ---- PEM and DER --------------------------------------------------------- */

/* Exactly one value with nothing behind it. */
static bool
is_der(const struct crl_file *f)
{
	struct view rest = { f->bytes, f->len };
	struct der value;

	return der_take(&rest, DER_SEQUENCE, &value) && rest.len == 0;
}

/* Finds a line that begins with this text. */
static char *
find_line(char *text, const char *line)
{
	char *at = strstr(text, line);

	while (at != NULL && at > text && at[-1] != '\n')
		at = strstr(at + 1, line);
	return at;
}

/* Replaces the buffer by the bytes of a base64 text. */
MUST_USE static bool
decode(struct crl_file *f, const char *base64, size_t len)
{
	EVP_ENCODE_CTX *c = EVP_ENCODE_CTX_new();
	uint8_t *bytes = malloc(len + 1);
	int n = 0;
	int rest = 0;
	bool ok = false;

	if (c != NULL && bytes != NULL) {
		EVP_DecodeInit(c);
		ok = EVP_DecodeUpdate(c, bytes, &n, (const uint8_t *)base64, (int)len) >= 0 &&
		    EVP_DecodeFinal(c, bytes + n, &rest) == 1;
	}
	EVP_ENCODE_CTX_free(c);
	if (!ok) {
		free(bytes);
		return false;
	}
	free(f->bytes);
	f->bytes = bytes;
	f->len = (size_t)n + (size_t)rest;
	return true;
}

/* Converts the only PEM block to DER. */
MUST_USE static bool
open_pem(struct crl_file *f, struct diag *d)
{
	char *begin = find_line((char *)f->bytes, PEM_BEGIN);
	char *base64 = begin != NULL ? begin + strlen(PEM_BEGIN) : NULL;
	char *end = begin != NULL ? find_line(base64, PEM_END) : NULL;

	if (begin == NULL)
		diag_set(d,
		    "there is no revocation list: neither a line " PEM_BEGIN
		    " nor exactly one list in DER");
	else if (end == NULL)
		diag_set(d, "the list is cut off: there is no line " PEM_END);
	else if (find_line(base64, PEM_BEGIN) != NULL)
		diag_set(d, "there is more than one revocation list: import one at a time");
	else if (!decode(f, base64, (size_t)(end - base64)) || !is_der(f))
		diag_set(d, "the text between " PEM_BEGIN " and its end is damaged");
	else
		return true;
	return false;
}

MUST_USE static bool
open_list(struct crl_file *f, struct diag *d)
{
	if (!is_der(f) && !open_pem(f, d))
		return false;
	if (f->len > CRL_FILE_BYTES_MAX)
		diag_set(d, "the list is larger than 128 MiB");
	return f->len <= CRL_FILE_BYTES_MAX;
}

struct crl_file *
crl_file_open(const char *given, struct diag *d)
{
	struct crl_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		diag_set(d, "out of memory");
	else if (read_given(f, given, d) && open_list(f, d))
		return f;
	crl_file_close(f);
	return NULL;
}

void
crl_file_close(struct crl_file *f)
{
	if (f != NULL)
		free(f->bytes);
	free(f);
}

/* ---- parts --------------------------------------------------------------- */

size_t
crl_file_parts(const struct crl_file *f)
{
	return (f->len + CRL_PART_SIZE - 1) / CRL_PART_SIZE;
}

char *
crl_file_part(const struct crl_file *f, size_t nth)
{
	size_t rest = f->len - nth * CRL_PART_SIZE;
	size_t len = rest < CRL_PART_SIZE ? rest : CRL_PART_SIZE;
	char *base64 = malloc((len + 2) / 3 * 4 + 1);

	if (base64 != NULL)
		(void)EVP_EncodeBlock((uint8_t *)base64, f->bytes + nth * CRL_PART_SIZE, (int)len);
	return base64;
}
