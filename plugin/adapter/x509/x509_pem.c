/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_pem.c - PEM (RFC 7468), the text form of certificates and lists.
 *
 * Any thread.  Text around the one block is ignored.  All steps take linear time, and
 * the length is checked first.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "x509_private.h"

#define BLOCK "-----BEGIN "
#define LINE  48 /* bytes of DER per line of 64 characters (RFC 7468 section 2) */

/* "-----BEGIN CERTIFICATE-----" */
struct boundary {
	char text[48];
};

static struct boundary
boundary(const char *which, const char *label)
{
	struct boundary b;
	char *at = stpcpy(b.text, "-----");

	at = stpcpy(at, which);
	at = stpcpy(at, label);
	stpcpy(at, "-----");
	return b;
}

static bool
is_at(struct view in, size_t at, const char *text)
{
	size_t len = strlen(text);

	return at <= in.len && len <= in.len - at && memcmp(in.data + at, text, len) == 0;
}

/* Position of the first occurrence at or behind from; in.len if there is none. */
static size_t
find(struct view in, size_t from, const char *text)
{
	while (from < in.len) {
		const uint8_t *at = memchr(in.data + from, text[0], in.len - from);

		if (at == NULL)
			break;
		from = (size_t)(at - in.data);
		if (is_at(in, from, text))
			return from;
		from++;
	}
	return in.len;
}

static bool
begins_line(struct view in, size_t at)
{
	if (at == 3 && memcmp(in.data, "\xEF\xBB\xBF", 3) == 0)
		return true; /* byte order mark */
	return at == 0 || in.data[at - 1] == '\n' || in.data[at - 1] == '\r';
}

static bool
ends_line(struct view in, size_t at)
{
	while (at < in.len && (in.data[at] == ' ' || in.data[at] == '\t'))
		at++;
	return at == in.len || in.data[at] == '\n' || in.data[at] == '\r';
}

static bool
is_line(struct view in, size_t at, const char *text)
{
	return is_at(in, at, text) && begins_line(in, at) && ends_line(in, at + strlen(text));
}

/* Checks made before parsing.  A private key is searched everywhere, not only in lines
 * of its own, because the text is stored as received. */
static bool
text_is_fit(struct view pem, const struct pem_kind *kind, struct diag *diag)
{
	if (pem.len > kind->max)
		diag_set(diag, "the PEM is longer than %zu characters", kind->max);
	else if (pem.len == 0)
		diag_set(diag, "the PEM is empty");
	else if (find(pem, 0, "PRIVATE KEY-----") < pem.len)
		diag_set(diag, "this is a private key; never send it");
	else if (memchr(pem.data, 0, pem.len) != NULL)
		diag_set(diag, "the PEM has a NUL character in it");
	else
		return true;
	return false;
}

/* Finds the base64 part of the only block. */
static bool
find_body(struct view pem, const struct pem_kind *kind, struct view *body, struct diag *diag)
{
	struct boundary first = boundary("BEGIN ", kind->label);
	struct boundary last = boundary("END ", kind->label);
	size_t begin = find(pem, 0, BLOCK);
	size_t from = begin + strlen(first.text);
	size_t end = find(pem, from, "-");

	if (begin == pem.len)
		diag_set(diag, "there is no line \"%s\"", first.text);
	else if (!is_line(pem, begin, first.text))
		diag_set(diag, "the PEM block does not begin with a line \"%s\"", first.text);
	else if (find(pem, begin + 1, BLOCK) < pem.len)
		diag_set(diag, "there is more than one PEM block; send one %s", kind->noun);
	else if (!is_line(pem, end, last.text))
		diag_set(diag, "the PEM block does not end with a line \"%s\"", last.text);
	else {
		*body = (struct view){ pem.data + from, end - from };
		return true;
	}
	return false;
}

/* out has room for body.len bytes plus one line.  OpenSSL treats a dash as the end. */
static enum err
decode_into(struct view body, uint8_t *out, size_t *len)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	int n = 0, rest = 0;
	enum err e = ERR_CERTIFICATE;

	openssl_begin();
	if (ctx == NULL)
		return ERR_NOMEM;
	EVP_DecodeInit(ctx);
	if (EVP_DecodeUpdate(ctx, out, &n, body.data, (int)body.len) >= 0 &&
	    EVP_DecodeFinal(ctx, out + n, &rest) >= 0) {
		*len = (size_t)n + (size_t)rest;
		e = ERR_OK;
	}
	EVP_ENCODE_CTX_free(ctx);
	return e == ERR_OK ? e : openssl_failure(e);
}

enum err
base64_decode(struct view text, uint8_t **out, size_t *len)
{
	uint8_t *bytes;
	enum err e;

	*out = NULL;
	ERR_clear_error();
	if (text.len == 0 || text.len > INT_MAX - LINE || memchr(text.data, '-', text.len) != NULL)
		return ERR_CERTIFICATE;
	bytes = malloc(text.len + LINE);
	e = bytes != NULL ? decode_into(text, bytes, len) : ERR_NOMEM;
	if (e == ERR_OK)
		*out = bytes;
	else
		free(bytes);
	ERR_clear_error();
	return e;
}

enum err
pem_decode(struct view pem, const struct pem_kind *kind, uint8_t **der, size_t *len,
    struct diag *diag)
{
	struct view body;
	enum err e;

	*der = NULL;
	*len = 0;
	ERR_clear_error();
	if (!text_is_fit(pem, kind, diag) || !find_body(pem, kind, &body, diag))
		return ERR_CERTIFICATE;
	e = base64_decode(body, der, len);
	if (e == ERR_CERTIFICATE)
		diag_set(diag, "the text between the PEM lines is not base64");
	return e;
}

enum err
x509_pem_from_der(struct view der, char **pem)
{
	struct boundary first = boundary("BEGIN ", PEM_CERTIFICATE);
	struct boundary last = boundary("END ", PEM_CERTIFICATE);
	size_t lines = (der.len + LINE - 1) / LINE;
	char *at = malloc(sizeof(first) + sizeof(last) + lines * (LINE / 3 * 4 + 1));

	ERR_clear_error();
	*pem = at;
	if (at == NULL)
		return ERR_NOMEM;
	at = stpcpy(stpcpy(at, first.text), "\n");
	for (size_t from = 0; from < der.len; from += LINE) {
		size_t n = der.len - from < LINE ? der.len - from : LINE;

		at += EVP_EncodeBlock((unsigned char *)at, der.data + from, (int)n);
		*at++ = '\n';
	}
	stpcpy(stpcpy(at, last.text), "\n");
	return ERR_OK;
}
