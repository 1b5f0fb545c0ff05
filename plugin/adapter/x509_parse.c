/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_parse.c - certificates from bytes and back: DER and PEM.
 *
 * Any thread.  One certificate has one encoding here: whatever OpenSSL would
 * read but not write again in the same way is refused, so that the id of what
 * was sent is the id of what the broker sees in a handshake.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "x509_private.h"

enum err
x509_to_der(struct x509_st *x, uint8_t **der, size_t *len)
{
	int            size = i2d_X509(x, NULL);
	unsigned char *at;

	*der = NULL;
	*len = 0;
	if (size <= 0 || size > X509_DER_MAX)
		return openssl_failure(ERR_CERTIFICATE);
	*der = malloc((size_t)size);
	if (*der == NULL)
		return ERR_NOMEM;
	at = *der;
	if (i2d_X509(x, &at) != size) {
		free(*der);
		*der = NULL;
		return openssl_failure(ERR_CERTIFICATE);
	}
	*len = (size_t)size;
	ERR_clear_error();
	return ERR_OK;
}

/* OpenSSL reads BER, e.g. lengths in more bytes than needed, and writes DER. */
static enum err
check_canonical(X509 *x, struct view der, struct diag *diag)
{
	uint8_t *again = NULL;
	size_t   len;
	enum err e = x509_to_der(x, &again, &len);

	if (e == ERR_OK && (len != der.len || memcmp(again, der.data, len) != 0))
		e = ERR_CERTIFICATE;
	if (e == ERR_CERTIFICATE)
		diag_set(diag, "the certificate is not encoded in DER");
	free(again);
	return e;
}

enum err
x509_from_der(struct view der, struct x509_st **out, struct diag *diag)
{
	const unsigned char *at = der.data;
	X509                *x;
	enum err             e;

	*out = NULL;
	if (der.len == 0 || der.len > X509_DER_MAX) {
		diag_set(diag, "a certificate has 1 to %d bytes, this has %zu", X509_DER_MAX,
		    der.len);
		ERR_clear_error();
		return ERR_CERTIFICATE;
	}
	x = d2i_X509(NULL, &at, (long)der.len);
	if (x == NULL) {
		diag_set(diag, "not an X.509 certificate");
		return openssl_failure(ERR_CERTIFICATE);
	}
	if (at != der.data + der.len) {
		diag_set(diag, "there are %zu bytes after the certificate",
		    (size_t)(der.data + der.len - at));
		e = ERR_CERTIFICATE;
	} else {
		e = check_canonical(x, der, diag);
	}
	if (e == ERR_OK)
		*out = x;
	else
		X509_free(x);
	ERR_clear_error();
	return e;
}

#define BLOCK "-----BEGIN "
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"
#define LINE  48 /* bytes of DER that make a line of 64 characters, RFC 7468 section 2 */

static bool
stands_at(struct view in, size_t at, const char *text)
{
	size_t len = strlen(text);

	return at <= in.len && len <= in.len - at && memcmp(in.data + at, text, len) == 0;
}

/* Position of the first text at or behind from; in.len when there is none. */
static size_t
find(struct view in, size_t from, const char *text)
{
	for (size_t at = from; at < in.len; at++)
		if (stands_at(in, at, text))
			return at;
	return in.len;
}

static bool
begins_line(struct view in, size_t at)
{
	if (at == 3 && memcmp(in.data, "\xEF\xBB\xBF", 3) == 0)
		return true; /* the byte order mark of some editors */
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
	return stands_at(in, at, text) && begins_line(in, at) && ends_line(in, at + strlen(text));
}

/* What must not be sent at all, told before anything is parsed.  A private key
 * is looked for everywhere, not only in lines: the text is stored as it came. */
static const char *
refused_text(struct view pem)
{
	if (pem.len > X509_PEM_MAX)
		return "the PEM is longer than 65536 characters";
	if (pem.len == 0)
		return "the PEM is empty";
	if (find(pem, 0, "PRIVATE KEY-----") < pem.len)
		return "this is a private key; never send it";
	if (memchr(pem.data, 0, pem.len) != NULL)
		return "the PEM has a NUL character in it";
	return NULL;
}

/* The base64 part of the only block.  Answers what is wrong, or NULL. */
static const char *
find_body(struct view pem, struct view *body)
{
	size_t begin = find(pem, 0, BLOCK);
	size_t from = begin + strlen(BEGIN);
	size_t end;

	if (begin == pem.len)
		return "there is no line \"" BEGIN "\"";
	if (!is_line(pem, begin, BEGIN))
		return "the PEM block does not begin with a line \"" BEGIN "\"";
	if (find(pem, begin + 1, BLOCK) < pem.len)
		return "there is more than one PEM block; send one certificate";
	end = find(pem, from, "-");
	if (!is_line(pem, end, END))
		return "the PEM block does not end with a line \"" END "\"";
	*body = (struct view){ pem.data + from, end - from };
	return NULL;
}

/* Into out, which has room for body.len bytes and one line more.  White space
 * is skipped; a dash, which OpenSSL takes for the end, cannot be in there. */
static enum err
base64_decode(struct view body, uint8_t *out, size_t *len)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	int             n = 0, rest = 0;
	enum err        e = ERR_CERTIFICATE;

	if (ctx == NULL)
		return ERR_NOMEM;
	EVP_DecodeInit(ctx);
	if (EVP_DecodeUpdate(ctx, out, &n, body.data, (int)body.len) >= 0
	    && EVP_DecodeFinal(ctx, out + n, &rest) >= 0) {
		*len = (size_t)n + (size_t)rest;
		e = ERR_OK;
	}
	EVP_ENCODE_CTX_free(ctx);
	return e;
}

static enum err
from_body(struct view body, struct x509_st **out, struct diag *diag)
{
	uint8_t    *bytes = malloc(body.len + LINE);
	struct view der = { bytes, 0 };
	enum err    e = ERR_NOMEM;

	if (bytes != NULL)
		e = base64_decode(body, bytes, &der.len);
	if (e == ERR_OK)
		e = x509_from_der(der, out, diag);
	else if (e == ERR_CERTIFICATE)
		diag_set(diag, "what is between the PEM lines is not base64");
	free(bytes);
	ERR_clear_error();
	return e;
}

enum err
x509_from_pem(struct view pem, struct x509_st **out, struct diag *diag)
{
	struct view body;
	const char *fault = refused_text(pem);

	*out = NULL;
	if (fault == NULL)
		fault = find_body(pem, &body);
	if (fault != NULL) {
		diag_set(diag, "%s", fault);
		ERR_clear_error();
		return ERR_CERTIFICATE;
	}
	return from_body(body, out, diag);
}

enum err
x509_pem_from_der(struct view der, char **pem)
{
	size_t lines = (der.len + LINE - 1) / LINE;
	char  *at = malloc(strlen(BEGIN "\n" END "\n") + lines * (LINE / 3 * 4 + 1) + 1);

	ERR_clear_error();
	*pem = at;
	if (at == NULL)
		return ERR_NOMEM;
	at = stpcpy(at, BEGIN "\n");
	for (size_t from = 0; from < der.len; from += LINE) {
		size_t n = der.len - from < LINE ? der.len - from : LINE;

		at += EVP_EncodeBlock((unsigned char *)at, der.data + from, (int)n);
		*at++ = '\n';
	}
	stpcpy(at, END "\n");
	return ERR_OK;
}
