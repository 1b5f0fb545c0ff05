/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl.c - reads revocation lists; see crl.h.
 *
 * Entries are parsed in place (crl_walk.h).  OpenSSL gets a copy of the parts before
 * and behind them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "crl_private.h"
#include "jitr/core/crl_scope.h"
#include "jitr/core/calendar.h"
#include "x509_private.h"

#define SKELETON_MAX 65536 /* maximum bytes of a list without its entries; usually some hundred */

struct crl_list {
	struct crl facts;
	uint8_t *owned; /* the decoded bytes, if the list came as PEM */
	struct view entries;
	uint32_t *offsets; /* offsets of entries, in order */
};

/* A list has at least 128 bytes, so its length begins with 0x81 to 0x84, or 0x80 in
 * BER.  Text never begins like this: behind the digit 0 these bytes are not valid
 * UTF-8. */
static bool
looks_like_der(struct view bytes)
{
	return bytes.len >= 2 && bytes.data[0] == DER_SEQUENCE && bytes.data[1] >= 0x80 &&
	    bytes.data[1] <= 0x84;
}

static enum err
to_der(struct view bytes, struct view *der, uint8_t **owned, struct diag *diag)
{
	static const struct pem_kind list = { "X509 CRL", "list", CRL_PEM_MAX };
	enum err e = ERR_OK;

	*owned = NULL;
	*der = bytes;
	if (!looks_like_der(bytes)) {
		e = pem_decode(bytes, &list, owned, &der->len, diag);
		der->data = *owned;
	}
	if (e == ERR_OK && der->len > CRL_DER_MAX) {
		diag_set(diag, "a list has at most %zu bytes, this has %zu", CRL_DER_MAX, der->len);
		e = ERR_CERTIFICATE;
	}
	return e;
}

static bool
split(struct view der, struct crl_parts *parts, struct diag *diag)
{
	struct view rest = der;
	struct der list;

	if (!der_take(&rest, DER_SEQUENCE, &list))
		diag_set(diag, "the list was cut short, or is not encoded in DER");
	else if (rest.len > 0)
		diag_set(diag, "there are %zu bytes after the list", rest.len);
	else if (!crl_split(der, parts))
		diag_set(diag,
		    "this is not a certificate revocation list, or it is not encoded in DER");
	else if (parts->head.len + parts->tail.len + parts->signature.len > SKELETON_MAX)
		diag_set(diag, "the list has more than %d bytes beside its entries", SKELETON_MAX);
	else
		return true;
	return false;
}

/* The tag and length of a SEQUENCE of this many bytes.  The length always has three
 * bytes: this is for OpenSSL only, which reads BER. */
#define FRONT 5

static uint8_t *
put_front(uint8_t *at, size_t len)
{
	*at++ = DER_SEQUENCE;
	*at++ = 0x83;
	*at++ = (uint8_t)(len >> 16);
	*at++ = (uint8_t)(len >> 8);
	*at++ = (uint8_t)len;
	return at;
}

static uint8_t *
put(uint8_t *at, struct view v)
{
	if (v.len > 0)
		memcpy(at, v.data, v.len);
	return at + v.len;
}

/* Lets OpenSSL parse the list without its entries. */
static enum err
parse_skeleton(const struct crl_parts *p, X509_CRL **skeleton, struct diag *diag)
{
	size_t tbs = p->head.len + p->tail.len;
	uint8_t *der = malloc(2 * FRONT + tbs + p->signature.len);
	uint8_t *at = der;
	const unsigned char *from = der;

	if (der == NULL)
		return ERR_NOMEM;
	at = put_front(at, FRONT + tbs + p->signature.len);
	at = put_front(at, tbs);
	at = put(put(put(at, p->head), p->tail), p->signature);
	*skeleton = d2i_X509_CRL(NULL, &from, (long)(at - der));
	free(der);
	if (*skeleton != NULL)
		return ERR_OK;
	diag_set(diag,
	    "the list cannot be read: its issuer, dates, extensions or algorithms are malformed");
	return openssl_failure(ERR_CERTIFICATE);
}

static enum err
check(struct crl_reading *r, struct view der, struct crl *facts, struct diag *diag)
{
	enum err e;

	if (!split(der, &r->parts, diag))
		return ERR_CERTIFICATE;
	openssl_begin();
	e = parse_skeleton(&r->parts, &r->skeleton, diag);
	if (e == ERR_OK && !crl_check(r, facts, diag))
		e = openssl_failure(ERR_CERTIFICATE);
	if (e == ERR_OK)
		e = sha256_of(der, &facts->digest);
	X509_CRL_free(r->skeleton);
	return e;
}

static enum err
read_list(struct crl_list *l, struct view bytes, struct crl_reading *r, struct diag *diag)
{
	struct view der;
	enum err e = to_der(bytes, &der, &l->owned, diag);

	if (e == ERR_OK)
		e = check(r, der, &l->facts, diag);
	l->entries = r->parts.entries;
	return e != ERR_OK ? e : crl_sort(l->entries, &l->offsets, &l->facts.count, diag);
}

enum err
crl_read(struct view bytes, const struct crl_terms *terms, struct crl_list **out,
    int64_t *valid_from, struct diag *diag)
{
	struct crl_reading r = { .terms = *terms };
	struct crl_list *l = calloc(1, sizeof(*l));
	enum err e = ERR_NOMEM;

	*out = NULL;
	if (l != NULL)
		e = read_list(l, bytes, &r, diag);
	if (e == ERR_OK)
		*out = l;
	else
		crl_free(l);
	if (e == ERR_NOMEM)
		diag_set(diag, "%s", "");
	if (valid_from != NULL)
		*valid_from = e == ERR_CERTIFICATE ? r.valid_from : 0;
	ERR_clear_error();
	return e;
}

void
crl_free(struct crl_list *l)
{
	if (l == NULL)
		return;
	free(l->offsets);
	free(l->owned);
	free(l);
}

const struct crl *
crl_facts(const struct crl_list *l)
{
	return &l->facts;
}

void
crl_entry(const struct crl_list *l, size_t nth, struct view *serial, struct revoked *out)
{
	/* It was parsed before, so this cannot fail. */
	if (nth >= l->facts.count || !crl_entry_at(l->entries, l->offsets[nth], serial, out)) {
		*serial = (struct view){ 0 };
		*out = (struct revoked){ 0 };
	}
}
