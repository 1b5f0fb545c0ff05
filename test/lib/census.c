/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "census.h"

#include "records.h"
#include "stores.h"

int
compare(const struct position *a, const struct position *b)
{
	if (a->created != b->created)
		return a->created < b->created ? -1 : 1;
	return memcmp(&a->id, &b->id, sizeof(a->id));
}

static void
census_add(struct census *c, int64_t created, const struct certid *id)
{
	if (c->count == c->size) {
		c->size = c->size == 0 ? 64 : 2 * c->size;
		c->at = realloc(c->at, c->size * sizeof(*c->at));
		ck_assert_ptr_nonnull(c->at);
	}
	c->at[c->count++] = (struct position){ created, *id };
}

struct census
list_certs(struct txn *t, struct filter of, bool ascending, size_t page_size)
{
	struct listing l = { .ca = of.ca, .status = of.status, .ascending = ascending };
	struct cert *page = calloc(page_size, sizeof(*page));
	struct census c = { NULL, 0, 0, 0 };
	struct position after;
	size_t count;

	ck_assert_ptr_nonnull(page);
	do {
		ck_assert_int_eq(store_list_certs(t, &l, page, page_size, &count), ERR_OK);
		for (size_t i = 0; i < count; i++) {
			census_add(&c, page[i].created, &page[i].id);
			c.with_ca += page[i].has_ca;
			ck_assert(of.ca == NULL || certid_equal(&page[i].ca_id, of.ca));
			ck_assert(of.status == NULL || page[i].status == *of.status);
		}
		if (count > 0)
			after = c.at[c.count - 1];
		l.after = &after;
	} while (count == page_size);
	free(page);
	return c;
}

static struct census
list_cas(struct txn *t, bool ascending, size_t page_size)
{
	struct listing l = { .ascending = ascending };
	struct ca page[64];
	struct census c = { NULL, 0, 0, 0 };
	struct position after;
	size_t count;

	do {
		ck_assert_int_eq(store_list_cas(t, &l, page, page_size, &count), ERR_OK);
		for (size_t i = 0; i < count; i++)
			census_add(&c, page[i].created, &page[i].id);
		if (count > 0)
			after = c.at[c.count - 1];
		l.after = &after;
	} while (count == page_size);
	return c;
}

/* Both directions have the same entries, in order. */
static void
assert_mirrored(const struct census *up, const struct census *down)
{
	ck_assert_uint_eq(up->count, down->count);
	for (size_t i = 0; i < up->count; i++)
		ck_assert_int_eq(compare(&up->at[i], &down->at[down->count - 1 - i]), 0);
	for (size_t i = 1; i < up->count; i++)
		ck_assert_int_lt(compare(&up->at[i - 1], &up->at[i]), 0);
}

static size_t
count_filtered(struct txn *t, struct filter of, size_t page_size, size_t *with_ca)
{
	struct census up = list_certs(t, of, true, page_size);
	struct census down = list_certs(t, of, false, page_size + 3);
	size_t count = up.count;

	assert_mirrored(&up, &down);
	if (with_ca != NULL)
		*with_ca = up.with_ca;
	free(up.at);
	free(down.at);
	return count;
}

size_t
count_listed(struct txn *t, const struct certid *ca, size_t page_size, size_t *with_ca)
{
	return count_filtered(t, (struct filter){ .ca = ca }, page_size, with_ca);
}

/* Each certificate has one status, and store_count() knows how many have it. */
void
assert_statuses_agree(struct txn *t, size_t all)
{
	struct store_counts counts;
	size_t sum = 0;

	ck_assert_int_eq(store_count(t, &counts), ERR_OK);
	for (int i = 0; i < CERT_STATUS_COUNT; i++) {
		enum cert_status status = (enum cert_status)i;
		size_t count = count_filtered(t, (struct filter){ .status = &status }, 13, NULL);

		ck_assert_uint_eq(counts.certs[i], count);
		sum += count;
	}
	ck_assert_uint_eq(sum, all);
}

/* Certificates of this CA, each once, in the order of their serial numbers. */
size_t
count_named(struct txn *t, const struct certid *ca)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct view last = { NULL, 0 }, serial;
	size_t count = 0, steps = SIZE_MAX;
	struct revoked entry;
	struct certid id;
	struct cert cert;

	while (store_next_revoked_cert(t, ca, EVERY_SERIAL, &walk, &steps, &id, &entry) == ERR_OK) {
		ck_assert_int_eq(store_get_cert(t, &id, &cert), ERR_OK);
		ck_assert(cert.has_ca && certid_equal(&cert.ca_id, ca));
		ck_assert_int_eq(store_get_cert_serial(t, &id, &serial), ERR_OK);
		ck_assert_uint_eq(serial.len, 4);
		ck_assert(last.len == 0 || memcmp(last.data, serial.data, 4) <= 0);
		last = serial;
		count++;
	}
	return count;
}

bool
has_every_serial(struct txn *t)
{
	uint64_t list;

	return store_next_list(t, 0, &list) == ERR_OK;
}

/* Returns how many certificates have this signed part; *times: how many of them are id. */
static size_t
count_by_content(struct txn *t, const struct certid *content, const struct certid *id,
    size_t *times)
{
	struct certid ids[8];
	size_t count;

	ck_assert_int_eq(store_find_by_content(t, content, ids, COUNT_OF(ids), &count), ERR_OK);
	*times = 0;
	for (size_t i = 0; i < count; i++)
		*times += certid_equal(&ids[i], id);
	return count;
}

size_t
count_forms(struct txn *t, uint32_t n)
{
	struct certid content = content_of(n), id = id_number(n);
	size_t times;

	return count_by_content(t, &content, &id, &times);
}

static void
assert_found_by_content(struct txn *t, const struct certid *id)
{
	struct certid content;
	size_t times;

	ck_assert_int_eq(store_get_cert_content(t, id, &content), ERR_OK);
	(void)count_by_content(t, &content, id, &times);
	ck_assert_uint_eq(times, 1);
}

size_t
count_certs(struct txn *t, uint32_t below)
{
	struct cert_document document;
	struct cert cert;
	size_t count = 0;

	for (uint32_t n = 0; n < below; n++) {
		struct certid id = id_number(n);
		enum err e = store_get_cert(t, &id, &cert);

		if (e == ERR_OK)
			assert_found_by_content(t, &id);

		ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
		ck_assert_int_eq(store_get_cert_document(t, &id, &document), e);
		count += e == ERR_OK;
	}
	return count;
}

static void
assert_certs_agree(struct txn *t, uint32_t below)
{
	size_t with_ca, by_ca = 0, all = count_listed(t, NULL, 61, &with_ca);

	ck_assert_uint_eq(all, count_certs(t, below));
	for (uint32_t n = 0; n < CA_COUNT; n++) {
		struct certid id = ca_id_number(n);
		size_t count = count_listed(t, &id, 17, NULL);
		bool has;

		ck_assert_int_eq(store_has_cert_of(t, &id, &has), ERR_OK);
		ck_assert_int_eq(has, count > 0);
		if (has_every_serial(t))
			ck_assert_uint_eq(count_named(t, &id), count);
		by_ca += count;
	}
	ck_assert_uint_eq(by_ca, with_ca);
	assert_statuses_agree(t, all);
}

/* How often the CA is found by its subject: once if the index is right. */
static size_t
times_found(struct txn *t, const struct ca *ca)
{
	struct ca found;
	size_t times = 0;
	enum err e = ERR_OK;

	for (size_t nth = 0; e == ERR_OK; nth++) {
		e = store_find_issuer(t, ca->subject_hash, nth, &found);
		times += e == ERR_OK && certid_equal(&found.id, &ca->id);
	}
	ck_assert_int_eq(e, ERR_NOT_FOUND);
	return times;
}

static size_t
count_by_subject(struct txn *t, uint32_t hashes)
{
	struct ca found;
	size_t count = 0;

	for (uint32_t hash = 0; hash < hashes; hash++)
		for (size_t nth = 0; store_find_issuer(t, 0x10000000 + hash, nth, &found) == ERR_OK;
		     nth++)
			count++;
	return count;
}

static void
assert_cas_agree(struct txn *t, uint32_t below)
{
	struct census up = list_cas(t, true, 3), down = list_cas(t, false, 64);
	struct ca_document document;
	struct ca ca;
	size_t count = 0;

	assert_mirrored(&up, &down);
	for (uint32_t n = 0; n < below; n++) {
		struct certid id = ca_id_number(n);
		enum err e = store_get_ca(t, &id, &ca);

		ck_assert_int_eq(store_get_ca_document(t, &id, &document), e);
		if (e == ERR_OK)
			ck_assert_uint_eq(times_found(t, &ca), 1);
		count += e == ERR_OK;
	}
	ck_assert_uint_eq(up.count, count);
	ck_assert_uint_eq(count_by_subject(t, 16), count);
	free(up.at);
	free(down.at);
}

void
assert_consistent(struct store *s, uint32_t below)
{
	struct txn t = reading(s);

	assert_certs_agree(&t, below);
	assert_cas_agree(&t, 64);
	store_end(&t);
}

void
assert_all_on_the_schedule(struct store *s, uint32_t below)
{
	struct txn t = writing(s);
	struct schedule_entry entry;
	int64_t last = INT64_MIN;
	size_t count = 0;
	enum err e;

	while ((e = store_next_schedule(&t, SCHEDULE_EXPIRY, &entry)) == ERR_OK) {
		struct cert cert;

		ck_assert_int_eq(store_get_cert(&t, &entry.id, &cert), ERR_OK);
		ck_assert_int_eq(entry.time, cert.not_after);
		ck_assert_int_ge(entry.time, last);
		last = entry.time;
		store_delete_schedule(&t, &entry);
		ck_assert_int_eq(t.failed, ERR_OK);
		count++;
	}
	ck_assert_int_eq(e, ERR_NOT_FOUND);
	ck_assert_uint_eq(count, count_certs(&t, below));
	store_end(&t);
}
