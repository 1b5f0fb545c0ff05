/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl.c - revocation lists: bytes to entries.
 *
 * Any thread, but not the broker's.  The entries are walked where they stand
 * (crl_walk.h); OpenSSL sees a copy of what is in front of and behind them.
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

#define FRAME_MAX 65536 /* bytes of a list beside its entries; some hundred are usual */

struct crl_list {
	struct crl facts;
	uint8_t *owned; /* where the entries are, if the list came as PEM */
	struct view entries;
	uint32_t *places; /* of entries, in order */
};

/* A list has 128 bytes at least, so its length begins with 0x81 to 0x84, or with
 * 0x80 in BER.  No text begins so: behind the digit 0 these are no character. */
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
		    "this is no certificate revocation list, or it is not encoded in DER");
	else if (parts->head.len + parts->tail.len + parts->signature.len > FRAME_MAX)
		diag_set(diag, "the list has more than %d bytes beside its entries", FRAME_MAX);
	else
		return true;
	return false;
}

/* A SEQUENCE of so many bytes: what is in front of them.  The length has three
 * bytes, needed or not: this is for OpenSSL only, which reads BER. */
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

/* The list without its entries, for OpenSSL to take apart. */
static enum err
make_frame(const struct crl_parts *p, X509_CRL **frame, struct diag *diag)
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
	*frame = d2i_X509_CRL(NULL, &from, (long)(at - der));
	free(der);
	if (*frame != NULL)
		return ERR_OK;
	diag_set(diag,
	    "the list cannot be read: its issuer, dates, extensions or algorithms are "
	    "broken");
	return openssl_failure(ERR_CERTIFICATE);
}

static enum err
check(struct crl_reading *r, struct view der, struct crl *facts, struct diag *diag)
{
	enum err e;

	if (!split(der, &r->parts, diag))
		return ERR_CERTIFICATE;
	openssl_begin();
	e = make_frame(&r->parts, &r->frame, diag);
	if (e == ERR_OK && !crl_check(r, facts, diag))
		e = openssl_failure(ERR_CERTIFICATE);
	if (e == ERR_OK)
		e = sha256_of(der, &facts->digest);
	X509_CRL_free(r->frame);
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
	return e != ERR_OK ? e : crl_sort(l->entries, &l->places, &l->facts.count, diag);
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
	free(l->places);
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
	/* It was read before, so it can be read again. */
	if (nth >= l->facts.count || !crl_entry_at(l->entries, l->places[nth], serial, out)) {
		*serial = (struct view){ 0 };
		*out = (struct revoked){ 0 };
	}
}

/*
 * Which list is the later one?
 */

static int
number_compare(const struct crl *a, const struct crl *b)
{
	if (a->number_len != b->number_len)
		return a->number_len < b->number_len ? -1 : 1;
	return memcmp(a->number, b->number, a->number_len);
}

struct number_text {
	char hex[2 * CRL_NUMBER_MAX + 1];
};

static struct number_text
number_text(const struct crl *l)
{
	struct number_text t;

	hex_encode((struct view){ l->number, l->number_len }, t.hex);
	return t;
}

static bool
number_succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	int order = number_compare(next, present);

	if (order > 0)
		return true;
	if (order == 0)
		diag_set(diag,
		    "another list with the same number (cRLNumber 0x%s) is in force; the CA "
		    "has to give each list a number of its own",
		    number_text(next).hex);
	else
		diag_set(diag,
		    "the list is older than the one in force: its cRLNumber is 0x%s, that "
		    "one has 0x%s",
		    number_text(next).hex, number_text(present).hex);
	return false;
}

static bool
date_succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	char from[TIMESTAMP_SIZE], than[TIMESTAMP_SIZE];

	if (next->this_update >= present->this_update)
		return true;
	timestamp_text(next->this_update, from);
	timestamp_text(present->this_update, than);
	diag_set(diag,
	    "the list is older than the one in force: its thisUpdate is %s UTC, that one "
	    "has %s UTC",
	    from, than);
	return false;
}

static bool
succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	if (next->number_len > 0 && present->number_len > 0)
		return number_succeeds(next, present, diag);
	if (present->number_len == 0)
		return date_succeeds(next, present, diag);
	diag_set(diag,
	    "the list has no cRLNumber, the one in force has 0x%s; once a CA numbers its "
	    "lists it has to go on",
	    number_text(present).hex);
	return false;
}

/* Its first name, or what kind of name it has. */
struct place_text {
	char text[128];
};

static struct place_text
place_text(const struct crl *l)
{
	struct place_text t = { "a name in its directory" };
	struct view name;
	bool is_text;

	if (crl_scope_name(l, 0, &name, &is_text) && is_text)
		(void)snprintf(t.text, sizeof(t.text), "%.*s", (int)name.len,
		    (const char *)name.data);
	return t;
}

/* One part of a CA's list in the place of another, or of the whole, would let in what
 * only that one names. */
static bool
place_succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	if (next->scope != CRL_SCOPE_POINT || present->scope == CRL_SCOPE_UNKNOWN)
		return true;
	if (present->scope != CRL_SCOPE_POINT)
		diag_set(diag,
		    "the list is only for certificates that name the distribution point "
		    "%s, and the CA has a list for all in force; import the complete "
		    "list, or delete the one in force first",
		    place_text(next).text);
	else if (!crl_scope_same_point(next, present))
		diag_set(diag,
		    "the list is for the distribution point %s, the one in force for %s; a "
		    "CA has one list here: import its complete list, or delete the one "
		    "in force first",
		    place_text(next).text, place_text(present).text);
	else
		return true;
	return false;
}

/* Lists of different scopes are numbered apart (RFC 5280 5.2.3). */
static bool
has_other_numbers(const struct crl *next, const struct crl *present)
{
	return next->scope == CRL_SCOPE_ALL && present->scope == CRL_SCOPE_POINT;
}

/* A list that was stored without its scope is read again. */
enum err
crl_succeeds(const struct crl *next, const struct crl *present, struct diag *diag)
{
	ERR_clear_error();
	if (certid_equal(&next->digest, &present->digest))
		return present->scope == CRL_SCOPE_UNKNOWN ? ERR_OK : ERR_EXISTS;
	if (!place_succeeds(next, present, diag))
		return ERR_CERTIFICATE;
	if (has_other_numbers(next, present))
		return date_succeeds(next, present, diag) ? ERR_OK : ERR_CERTIFICATE;
	return succeeds(next, present, diag) ? ERR_OK : ERR_CERTIFICATE;
}
