/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_crl.c - arbitrary bytes as revocation lists: unchanged, and signed again by the CA,
 * because random changes break the signature.
 *
 * No crash.  A refusal has a reason, the same one twice.  An accepted list has its entries in
 * order without duplicates, within its bytes, and OpenSSL accepts it too.  OpenSSL's error
 * queue stays empty.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/adapter/crl.h"
#include "jitr/core/crl_walk.h"
#include "pki_crl.h"

#define NOW 1800000000000
#define DAY 86400000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth || !pki_no_errors())
		abort();
}

/* With the issuer's name of the seeds and a fast key. */
static const struct pki_cert *
the_ca(void)
{
	static struct pki_cert *ca;

	if (ca == NULL)
		ca = pki_make(&(struct pki_options){ .common_name = "Fuzz CA",
		    .is_ca = true,
		    .key = PKI_ED25519,
		    .key_id = PKI_KEY_ID_NONE,
		    .now = NOW,
		    .extensions = { { "keyUsage", "critical,keyCertSign,cRLSign" } } });
	return ca;
}

static bool
is_within(struct view inner, struct view outer)
{
	return inner.len == 0 ||
	    (inner.data >= outer.data && inner.len <= outer.len &&
		inner.data - outer.data <= (ptrdiff_t)(outer.len - inner.len));
}

/* Walks arbitrary bytes as entries; the walk ends. */
static size_t
walk(struct view entries)
{
	struct view rest = entries, serial;
	struct revoked entry;
	enum crl_step step;
	size_t count = 0;

	while ((step = crl_next(&rest, &serial, &entry)) == CRL_STEP_ENTRY) {
		require(serial.len > 0 && serial.len <= SERIAL_MAX && is_within(serial, entries));
		require(entry.reason <= REVOKED_REASON_MAX && is_within(rest, entries));
		count++;
	}
	require(step != CRL_STEP_END || rest.len == 0);
	return count;
}

static void
check_parts(const struct crl_parts *p, struct view in)
{
	require(is_within(p->tbs, in) && is_within(p->signature, in));
	require(is_within(p->head, p->tbs) && is_within(p->entries, p->tbs) &&
	    is_within(p->tail, p->tbs));
}

static bool
comes_before(struct view a, struct view b)
{
	size_t both = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.data, b.data, both);

	return order < 0 || (order == 0 && a.len < b.len);
}

static void
check_entries(const struct crl_list *l, struct view in, bool inside)
{
	struct view before = { NULL, 0 }, serial;
	struct revoked entry;

	for (size_t i = 0; i < crl_facts(l)->count; i++) {
		crl_entry(l, i, &serial, &entry);
		require(serial.len > 0 && (!inside || is_within(serial, in)));
		require(i == 0 || comes_before(before, serial));
		before = serial;
	}
}

static void
check_oracle(struct view in, const struct crl_list *l)
{
	struct X509_crl_st *oracle = pki_crl_parse(in);

	require(oracle != NULL && pki_crl_is_of(oracle, the_ca()));
	require(crl_facts(l)->count <= pki_crl_count(oracle));
	for (size_t i = 0; i < crl_facts(l)->count; i++) {
		struct view serial;
		struct revoked entry;
		int64_t date;
		int reason;

		crl_entry(l, i, &serial, &entry);
		require(pki_crl_lists(oracle, serial, &date, &reason));
	}
	pki_crl_parsed_free(oracle);
}

static void
check_facts(const struct crl *facts)
{
	require(facts->this_update <= NOW && facts->next_update >= NOW - DAY);
	require(facts->number_len <= CRL_NUMBER_MAX);
	require(facts->number_len < 2 || facts->number[0] != 0);
	require(crl_succeeds(facts, facts, NULL) == ERR_EXISTS);
}

/* If not is_der the views are into the list's own copy. */
static void
run_list(struct view in, bool is_der)
{
	struct crl_list *l, *again;
	struct diag diag = { "" }, same = { "" };
	enum err e = crl_read(in, &(struct crl_terms){ the_ca()->x, DAY, NOW }, &l, NULL, &diag);

	require(
	    e == crl_read(in, &(struct crl_terms){ the_ca()->x, DAY, NOW }, &again, NULL, &same));
	require(strcmp(diag.text, same.text) == 0);
	require((e == ERR_OK) == (l != NULL) && (l != NULL) == (diag.text[0] == '\0'));
	if (l != NULL) {
		require(memcmp(crl_facts(l), crl_facts(again), sizeof(*crl_facts(l))) == 0);
		check_facts(crl_facts(l));
		check_entries(l, in, is_der);
		if (is_der)
			check_oracle(in, l);
	}
	crl_free(l);
	crl_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = { data, size };
	struct crl_parts parts;
	struct pki_crl *list;

	(void)walk(in);
	run_list(in, size > 0 && data[0] == DER_SEQUENCE && memchr(data, '-', size) == NULL);
	if (!crl_split(in, &parts))
		return 0;
	check_parts(&parts, in);
	(void)walk(parts.entries);
	list = pki_crl_sign(the_ca(), parts.tbs);
	run_list(list->der, true);
	run_list(list->pem, false);
	pki_crl_free(list);
	return 0;
}
