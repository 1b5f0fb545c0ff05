/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_parse.c - converts certificates from and to DER and PEM.
 *
 * Any thread.  A certificate has exactly one encoding here: input that OpenSSL would
 * encode differently is refused, so that the id of a submitted certificate equals the
 * id that the broker sees in a handshake.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "x509_private.h"

enum err
x509_to_der(struct x509_st *x, uint8_t **der, size_t *len)
{
	int size;
	unsigned char *at;

	*der = NULL;
	*len = 0;
	openssl_begin();
	size = i2d_X509(x, NULL);
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

/* OpenSSL reads BER (for example lengths in more bytes than needed) and writes DER. */
static enum err
check_canonical(X509 *x, struct view der, struct diag *diag)
{
	uint8_t *again = NULL;
	size_t len;
	enum err e = x509_to_der(x, &again, &len);

	if (e == ERR_OK && (len != der.len || memcmp(again, der.data, len) != 0))
		e = ERR_CERTIFICATE;
	if (e == ERR_CERTIFICATE)
		diag_set(diag, "the certificate is not encoded in DER");
	free(again);
	return e;
}

/* Parses the extensions now: OpenSSL parses them once, and extensions that failed for
 * lack of memory would remain invalid.  The same applies to the key. */
static enum err
parse(const unsigned char **at, size_t len, X509 **out)
{
	openssl_begin();
	*out = d2i_X509(NULL, at, (long)len);
	if (*out == NULL)
		return openssl_failure(ERR_CERTIFICATE);
	(void)X509_check_purpose(*out, -1, 0);
	if (memory_or_ok() == ERR_OK)
		return ERR_OK;
	X509_free(*out);
	*out = NULL;
	return ERR_NOMEM;
}

enum err
x509_from_der(struct view der, struct x509_st **out, struct diag *diag)
{
	const unsigned char *at = der.data;
	X509 *x;
	enum err e;

	*out = NULL;
	if (der.len == 0 || der.len > X509_DER_MAX) {
		diag_set(diag, "a certificate has 1 to %d bytes, this has %zu", X509_DER_MAX,
		    der.len);
		ERR_clear_error();
		return ERR_CERTIFICATE;
	}
	e = parse(&at, der.len, &x);
	if (e != ERR_OK) {
		if (e == ERR_CERTIFICATE)
			diag_set(diag, "not an X.509 certificate");
		return e;
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

enum err
x509_from_pem(struct view pem, struct x509_st **out, struct diag *diag)
{
	static const struct pem_kind certificate = { PEM_CERTIFICATE, "certificate", X509_PEM_MAX };
	uint8_t *bytes;
	struct view der;
	enum err e = pem_decode(pem, &certificate, &bytes, &der.len, diag);

	*out = NULL;
	if (e == ERR_OK) {
		der.data = bytes;
		e = x509_from_der(der, out, diag);
	}
	free(bytes);
	return e;
}
