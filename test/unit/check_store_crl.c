/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_crl.c - revocation lists on disk, and the certificates that they name.
 *
 * The certificates that a list names are compared with a slow search, on random data with
 * serial numbers that are prefixes of others or shared, and with neighbouring CAs and lists.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "suite.h"
#include "tiny.h"

#include "jitr/adapter/store.h"

#include "change.h" /* has a t: behind what has parameters of that name */

#define CREATED 1502379443476

/* The commit must fail with these words. A new change is begun. */
static void
commit_fails(enum err expected, const char *words)
{
	ck_assert_int_eq(store_commit(&t), expected);
	ck_assert_ptr_nonnull(strstr(store_failure(world.store), words));
	world_change(&t);
}

static struct certid
id_number(unsigned n)
{
	struct certid id = { { (uint8_t)(n * 7), (uint8_t)(n >> 8), (uint8_t)n } };

	return id;
}

static struct certid
ca_number(unsigned n)
{
	struct certid id;

	memset(id.b, 0x77, sizeof(id.b));
	id.b[31] = (uint8_t)n;
	return id;
}

static void
put_cert(const struct certid *id, const struct certid *ca_or_null, struct view serial)
{
	uint8_t der[TINY_LEAST];
	struct cert cert = { .id = *id, .has_ca = ca_or_null != NULL, .created = CREATED };
	struct cert_document document = { .der = tiny_certificate(serial, sizeof(der), der) };

	if (ca_or_null != NULL)
		cert.ca_id = *ca_or_null;
	store_put_cert(&t, &cert, &document);
}

/* The date is the number of the list. */
static void
append(uint64_t list, struct view serial)
{
	struct revoked entry = { .date = CREATED + (int64_t)list, .reason = 1 };

	store_append_revoked(&t, list, serial, &entry);
}

static struct view
text(const char *serial)
{
	return view_of(serial);
}

static struct view
counted(uint32_t n, uint8_t out[5])
{
	out[0] = 1;
	for (size_t i = 0; i < 4; i++)
		out[1 + i] = (uint8_t)(n >> (24 - 8 * i));
	return (struct view){ out, 5 };
}

static bool
is_on(uint64_t list, struct view serial)
{
	struct revoked entry;
	enum err e = store_get_revoked(&t, list, serial, &entry);

	ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
	if (e == ERR_OK)
		ck_assert_int_eq(entry.date, CREATED + (int64_t)list);
	return e == ERR_OK;
}

/* The certificates of the CA that the list names, by the first bytes of their ids, to the end. */
static size_t
count_named(const struct certid *ca, uint64_t list)
{
	struct revoked_walk walk = { .serial_len = 0 };
	size_t steps = SIZE_MAX, count = 0;
	struct revoked entry;
	struct certid id;
	enum err e;

	while ((e = store_next_revoked_cert(&t, ca, list, &walk, &steps, &id, &entry)) == ERR_OK)
		count++;
	ck_assert_int_eq(e, ERR_NOT_FOUND);
	return count;
}

/*
 * Lists in force.
 */

START_TEST(missing_records_are_not_found)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id;
	struct crl_entry entries[2];
	struct revoked entry;
	size_t count = 9, steps = 100;
	bool left = true;
	struct crl crl;
	uint64_t list;

	ck_assert_int_eq(store_get_crl(&t, &ca, &crl), ERR_NOT_FOUND);
	ck_assert_int_eq(store_list_crls(&t, NULL, entries, 2, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(store_get_revoked(&t, 1, text("a"), &entry), ERR_NOT_FOUND);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_NOT_FOUND);
	ck_assert_int_eq(store_drop_revoked(&t, 1, 10, &left), ERR_OK);
	ck_assert(!left);
	ck_assert_int_eq(store_next_revoked_cert(&t, &ca, 1, &walk, &steps, &id, &entry),
	    ERR_NOT_FOUND);
	ck_assert_uint_gt(steps, 0);
	store_delete_crl(&t, &ca);
	commit();
}
END_TEST

static struct crl
crl_number(uint64_t list)
{
	return (struct crl){ .list = list,
		.this_update = CREATED,
		.next_update = CREATED + 1,
		.imported = CREATED + 2,
		.count = 3,
		.applied = true,
		.digest = { { 4, 5 } },
		.number_len = 2,
		.number = { 6, 7 } };
}

START_TEST(a_list_in_force_is_stored_and_replaced)
{
	struct certid ca = ca_number(1);
	struct crl crl = crl_number(1), got;

	store_put_crl(&t, &ca, &crl);
	commit();
	ck_assert_int_eq(store_get_crl(&t, &ca, &got), ERR_OK);
	ck_assert_uint_eq(got.list, 1);
	ck_assert_int_eq(got.this_update, CREATED);
	ck_assert_int_eq(got.next_update, CREATED + 1);
	ck_assert_int_eq(got.imported, CREATED + 2);
	ck_assert_uint_eq(got.count, 3);
	ck_assert(got.applied);
	ck_assert(certid_equal(&got.digest, &crl.digest));
	ck_assert_uint_eq(got.number_len, 2);
	ck_assert_mem_eq(got.number, crl.number, sizeof(got.number));
	crl = crl_number(2);
	store_put_crl(&t, &ca, &crl);
	commit();
	ck_assert_int_eq(store_get_crl(&t, &ca, &got), ERR_OK);
	ck_assert_uint_eq(got.list, 2);
	store_delete_crl(&t, &ca);
	commit();
	ck_assert_int_eq(store_get_crl(&t, &ca, &got), ERR_NOT_FOUND);
}
END_TEST

START_TEST(lists_in_force_are_listed_by_their_cas)
{
	struct crl_entry out[8];
	struct certid at, *after = NULL;
	size_t count, seen = 0;

	for (unsigned n = 5; n >= 1; n--) {
		struct crl crl = crl_number(n);
		struct certid ca = ca_number(n);

		store_put_crl(&t, &ca, &crl);
	}
	commit();
	do {
		ck_assert_int_eq(store_list_crls(&t, after, out, (size_t)_i, &count), ERR_OK);
		for (size_t i = 0; i < count; i++) {
			at = ca_number((unsigned)++seen);
			ck_assert(certid_equal(&out[i].ca_id, &at));
			ck_assert_uint_eq(out[i].crl.list, seen);
		}
		after = &at;
	} while (count == (size_t)_i);
	ck_assert_uint_eq(seen, 5);
}
END_TEST

/* The list is deleted with the CA; its entries stay until tidying up finds them by the list's
 * number. */
START_TEST(a_deleted_ca_leaves_the_entries_of_its_list)
{
	struct ca ca = { .id = ca_number(1), .created = CREATED };
	struct ca_settings settings = CA_SETTINGS_DEFAULT;
	struct certid other = ca_number(2);
	struct crl crl = crl_number(1);
	uint64_t list;

	store_put_ca(&t, &ca, NULL);
	store_put_ca_settings(&t, &ca.id, &settings);
	store_put_crl(&t, &ca.id, &crl);
	store_put_crl(&t, &other, &crl);
	append(1, text("a"));
	commit();
	store_delete_ca(&t, &ca.id);
	commit();
	ck_assert_int_eq(store_get_crl(&t, &ca.id, &crl), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_ca_settings(&t, &ca.id, &settings), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_crl(&t, &other, &crl), ERR_OK);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_OK);
	ck_assert_uint_eq(list, 1);
}
END_TEST

START_TEST(a_record_that_cannot_be_encoded_fails_with_a_text)
{
	static const uint8_t bytes[SERIAL_MAX + 1] = { 1 };
	struct certid ca = ca_number(1);
	struct crl crl = crl_number(0);
	struct revoked entry = { .reason = REVOKED_REASON_MAX + 1 };

	store_put_crl(&t, &ca, &crl);
	commit_fails(ERR_STORAGE, "a revocation list that cannot be encoded");
	store_append_revoked(&t, 1, text("a"), &entry);
	commit_fails(ERR_STORAGE, "an entry of a revocation list that cannot be encoded");
	append(1, (struct view){ bytes, 0 });
	commit_fails(ERR_STORAGE, "an entry of a revocation list that cannot be encoded");
	append(1, (struct view){ bytes, SERIAL_MAX + 1 });
	commit_fails(ERR_STORAGE, "an entry of a revocation list that cannot be encoded");
	append(1, (struct view){ bytes, SERIAL_MAX });
	commit();
	ck_assert(is_on(1, (struct view){ bytes, SERIAL_MAX }));
	ck_assert(!is_on(1, (struct view){ bytes, SERIAL_MAX + 1 }));
	ck_assert(!is_on(1, (struct view){ bytes, 0 }));
}
END_TEST

/*
 * Entries.
 */

/* A job that remembers a list's number must not meet another list there, also after a restart,
 * and after all lists were dropped. */
START_TEST(a_list_number_is_never_used_twice)
{
	bool left;
	uint64_t list;

	for (uint64_t round = 1; round <= 5; round++) {
		ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
		ck_assert_uint_eq(list, round);
		append(list, text("a"));
		world_commit(&t);
		world_reopen_store();
		world_change(&t);
		ck_assert_int_eq(store_drop_revoked(&t, list, 10, &left), ERR_OK);
		commit();
	}
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	store_end(&t);
	world_change(&t);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	ck_assert_uint_eq(list, 6);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	ck_assert_uint_eq(list, 7);
}
END_TEST

START_TEST(an_entry_belongs_to_one_list)
{
	struct revoked entry;

	append(1, text("a"));
	append(1, text("b"));
	append(2, text("a"));
	append(256, text("c"));
	commit();
	ck_assert_int_eq(store_get_revoked(&t, 1, text("b"), &entry), ERR_OK);
	ck_assert_int_eq(entry.date, CREATED + 1);
	ck_assert_uint_eq(entry.reason, 1);
	ck_assert(is_on(1, text("a")) && is_on(2, text("a")) && is_on(256, text("c")));
	ck_assert(!is_on(2, text("b")) && !is_on(1, text("c")) && !is_on(0, text("a")));
	ck_assert(!is_on(1, text("aa")) && !is_on(1, text("A")));
}
END_TEST

/* Two lists made at the same time in turns, and one out of order. */
START_TEST(entries_can_be_appended_out_of_order)
{
	uint8_t serial[5];
	struct certid ca = ca_number(1);

	for (unsigned n = 0; n < 3000; n++) {
		append(n % 3 + 1, counted(n, serial));
		append(4, counted(n * 1237 % 3001, serial));
		if (n % 500 == 0)
			commit();
	}
	commit();
	for (unsigned n = 0; n < 3000; n++) {
		struct certid id = id_number(n);

		for (uint64_t list = 1; list <= 3; list++)
			ck_assert_int_eq(is_on(list, counted(n, serial)), n % 3 + 1 == list);
		ck_assert(is_on(4, counted(n * 1237 % 3001, serial)));
		put_cert(&id, &ca, counted(n, serial));
	}
	ck_assert_uint_eq(count_named(&ca, 2), 1000);
}
END_TEST

START_TEST(a_duplicate_serial_number_fails_the_transaction)
{
	append(1, text("a"));
	append(1, text("b"));
	commit();
	append(1, text("c"));
	append(1, text(_i == 0 ? "a" : _i == 1 ? "b" : "c"));
	append(1, text("d"));
	commit_fails(ERR_CORRUPT, "a revocation list that names a serial number twice");
	ck_assert(!is_on(1, text("c")));
	ck_assert(!is_on(1, text("d")));
}
END_TEST

START_TEST(every_list_with_entries_is_found)
{
	static const uint64_t lists[] = { 0, 1, 255, 256, UINT64_MAX - 1, UINT64_MAX };
	uint64_t from = 0, list;
	struct revoked entry = { .date = 0 };

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (unsigned n = 0; n < 200; n++) {
			uint8_t serial[5];

			store_append_revoked(&t, lists[i], counted(n, serial), &entry);
		}
	commit();
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		ck_assert_int_eq(store_next_list(&t, from, &list), ERR_OK);
		ck_assert_uint_eq(list, lists[i]);
		ck_assert_int_eq(store_next_list(&t, lists[i], &list), ERR_OK);
		ck_assert_uint_eq(list, lists[i]);
		from = list + 1;
	}
}
END_TEST

static size_t
count_entries(uint64_t list, unsigned below)
{
	uint8_t serial[5];
	size_t count = 0;

	for (unsigned n = 0; n < below; n++)
		count += is_on(list, counted(n, serial));
	return count;
}

START_TEST(a_list_is_removed_in_slices_without_its_neighbours)
{
	size_t max = (size_t)_i, slices = 0;
	uint8_t serial[5];
	bool left = true;
	uint64_t list;

	for (uint64_t l = 1; l <= 3; l++)
		for (unsigned n = 0; n < 100; n++)
			append(l, counted(n, serial));
	commit();
	while (left) {
		ck_assert_int_eq(store_drop_revoked(&t, 2, max, &left), ERR_OK);
		commit();
		slices++;
		ck_assert_int_eq(left, slices * max < 100);
		ck_assert_uint_eq(count_entries(2, 100), left ? 100 - slices * max : 0);
	}
	ck_assert_uint_eq(slices, (100 + max - 1) / max);
	ck_assert_uint_eq(count_entries(1, 100), 100);
	ck_assert_uint_eq(count_entries(3, 100), 100);
	ck_assert_int_eq(store_next_list(&t, 2, &list), ERR_OK);
	ck_assert_uint_eq(list, 3);
	ck_assert_int_eq(store_drop_revoked(&t, 3, 0, &left), ERR_OK);
	ck_assert(left);
}
END_TEST

/* After a failure in a transaction nothing more is removed. */
START_TEST(an_uncommitted_slice_is_dropped)
{
	struct certid ca = ca_number(1);
	struct crl impossible = crl_number(0);
	uint8_t serial[5];
	bool left;
	uint64_t list;

	for (unsigned n = 0; n < 100; n++)
		append(1, counted(n, serial));
	commit();
	ck_assert_int_eq(store_drop_revoked(&t, 1, 60, &left), ERR_OK);
	store_end(&t);
	world_change(&t);
	ck_assert_uint_eq(count_entries(1, 100), 100);
	store_put_crl(&t, &ca, &impossible);
	ck_assert_int_eq(store_drop_revoked(&t, 1, 60, &left), ERR_STORAGE);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_STORAGE);
	ck_assert_uint_eq(list, 0);
	append(1, text("zz"));
	commit_fails(ERR_STORAGE, "a revocation list that cannot be encoded");
	ck_assert_uint_eq(count_entries(1, 100), 100);
}
END_TEST

/* A list of the largest size that is practical here, in slices of one transaction each. */
START_TEST(a_long_list_is_stored_and_removed_in_slices)
{
	static const unsigned count = 200000, slice = 50000;
	struct revoked entry = { .date = CREATED, .reason = REVOKED_HOLD };
	struct certid ca = ca_number(1), id = id_number(1);
	uint8_t serial[5];
	unsigned slices = 0;
	bool left = true;
	uint64_t list;

	put_cert(&id, &ca, counted(count - 1, serial));
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	for (unsigned n = 0; n < count; n++) {
		store_append_revoked(&t, list, counted(n, serial), &entry);
		if (n % slice == slice - 1)
			commit();
	}
	ck_assert_uint_eq(count_named(&ca, list), 1);
	ck_assert_int_eq(store_get_revoked(&t, list, counted(count - 1, serial), &entry), ERR_OK);
	ck_assert_int_eq(store_get_revoked(&t, list, counted(count, serial), &entry),
	    ERR_NOT_FOUND);
	for (; left; slices++) {
		ck_assert_int_eq(store_drop_revoked(&t, list, slice, &left), ERR_OK);
		commit();
	}
	ck_assert_uint_eq(slices, count / slice);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_NOT_FOUND);
}
END_TEST

/*
 * Certificates that a list names.
 */

static uint64_t random_state;

/* xorshift64: the same numbers in each run. */
static uint32_t
random_number(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % below;
}

/* Short ones of few different bytes, so that many are equal or prefixes of others. */
struct small_serial {
	uint8_t b[SERIAL_MAX];
	size_t len;
};

static struct small_serial
random_serial(void)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0x7f, 0xff };
	struct small_serial serial = { .len = 1 + random_number(3) };

	if (random_number(40) == 0)
		serial.len = SERIAL_MAX - random_number(2);
	for (size_t i = 0; i < serial.len; i++)
		serial.b[i] = i < 3 ? bytes[random_number(sizeof(bytes))] : 0x55;
	if (serial.len > 1 && (serial.b[0] == 0 || serial.b[0] == 0xff)) /* DER has it shorter */
		serial.b[0] = 0x01;
	return serial;
}

static struct view
view_of_serial(const struct small_serial *serial)
{
	return (struct view){ serial->b, serial->len };
}

#define MODEL_CERTS 120
#define MODEL_CAS   3 /* and no list */
#define MODEL_LISTS 3

/* The expected contents, in no order. */
struct model {
	struct {
		bool there;
		unsigned ca; /* MODEL_CAS: none */
		struct small_serial serial;
		unsigned answered; /* in this walk */
	} certs[MODEL_CERTS];
	struct small_serial entries[MODEL_LISTS][200];
	size_t count[MODEL_LISTS];
};

static struct model model;

static void
model_put_cert(unsigned n)
{
	struct certid id = id_number(n), ca;

	model.certs[n].there = true;
	model.certs[n].ca = random_number(MODEL_CAS + 1);
	model.certs[n].serial = random_serial();
	ca = ca_number(model.certs[n].ca);
	put_cert(&id, model.certs[n].ca < MODEL_CAS ? &ca : NULL,
	    view_of_serial(&model.certs[n].serial));
}

static void
model_delete_cert(unsigned n)
{
	struct certid id = id_number(n);

	store_delete_cert(&t, &id);
	model.certs[n].there = false;
}

static bool
model_lists(unsigned list, const struct small_serial *serial)
{
	for (size_t i = 0; i < model.count[list]; i++)
		if (view_equal(view_of_serial(&model.entries[list][i]), view_of_serial(serial)))
			return true;
	return false;
}

static void
model_fill(void)
{
	memset(&model, 0, sizeof(model));
	for (unsigned n = 0; n < MODEL_CERTS; n++)
		if (random_number(4) != 0)
			model_put_cert(n);
	for (unsigned list = 0; list < MODEL_LISTS; list++)
		for (size_t tries = random_number(90); tries > 0; tries--) {
			struct small_serial serial = random_serial();

			if (model_lists(list, &serial))
				continue;
			model.entries[list][model.count[list]++] = serial;
			append(list + 1, view_of_serial(&serial));
		}
	commit();
}

static bool
model_names(unsigned ca, unsigned list, unsigned n)
{
	return model.certs[n].there && model.certs[n].ca == ca &&
	    model_lists(list, &model.certs[n].serial);
}

static int
compare_serials(struct view a, struct view b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.data, b.data, shorter);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The next certificate in the order of serial number, then id; MODEL_CERTS: none is left. */
static unsigned
model_next(unsigned ca, unsigned list, unsigned last)
{
	unsigned best = MODEL_CERTS;

	for (unsigned n = 0; n < MODEL_CERTS; n++) {
		unsigned than[2] = { last, best };
		int order[2] = { 1, -1 };

		if (!model_names(ca, list, n))
			continue;
		for (int i = 0; i < 2; i++)
			if (than[i] < MODEL_CERTS) {
				struct certid a = id_number(n), b = id_number(than[i]);

				order[i] = compare_serials(view_of_serial(&model.certs[n].serial),
				    view_of_serial(&model.certs[than[i]].serial));
				if (order[i] == 0)
					order[i] = memcmp(a.b, b.b, sizeof(a.b));
			}
		if (order[0] > 0 && order[1] < 0)
			best = n;
	}
	return best;
}

static unsigned
number_of(const struct certid *id)
{
	return (unsigned)id->b[1] << 8 | id->b[2];
}

/* One call with this many steps: it reads no more rows, and returns whether it came to the end. */
static enum err
walk_once(const struct certid *ca, uint64_t list, struct revoked_walk *walk, size_t budget,
    bool *end, struct certid *id)
{
	struct revoked entry;
	size_t steps = budget;
	enum err e = store_next_revoked_cert(&t, ca, list, walk, &steps, id, &entry);

	must(e == ERR_OK || e == ERR_NOT_FOUND);
	must(steps <= budget);
	must(e != ERR_OK || entry.date == CREATED + (int64_t)list);
	*end = e == ERR_NOT_FOUND && steps > 0;
	return e;
}

START_TEST(a_list_revokes_the_certificates_that_a_simple_search_finds)
{
	static const size_t budgets[] = { 3, 4, 5, 8, 1000, SIZE_MAX };
	size_t answers = 0;

	random_state = 0x9e3779b97f4a7c15 + (uint64_t)_i;
	model_fill();
	for (unsigned ca = 0; ca < MODEL_CAS; ca++)
		for (unsigned list = 0; list < MODEL_LISTS; list++) {
			size_t budget = budgets[random_number(COUNT_OF(budgets))];
			struct revoked_walk walk = { .serial_len = 0 };
			struct certid ca_id = ca_number(ca), id;
			unsigned last = MODEL_CERTS;
			bool end = false;

			while (!end) {
				if (walk_once(&ca_id, list + 1, &walk, budget, &end, &id) != ERR_OK)
					continue;
				last = model_next(ca, list, last);
				must(last == number_of(&id));
				answers++;
			}
			must(model_next(ca, list, last) == MODEL_CERTS);
		}
	ck_assert_uint_gt(answers, 0);
}
END_TEST

/* Between the steps certificates are added, deleted and moved to another CA. A certificate that
 * stayed is returned once, none twice, and none that the list does not name. */
START_TEST(a_walk_continues_after_certificates_were_added_and_deleted)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca_id = ca_number(1), id;
	bool end = false, stable[MODEL_CERTS];

	random_state = 0x2545f4914f6cdd1d + (uint64_t)_i;
	model_fill();
	for (unsigned n = 0; n < MODEL_CERTS; n++)
		stable[n] = model_names(1, 1, n);
	while (!end) {
		unsigned n = random_number(MODEL_CERTS);

		if (walk_once(&ca_id, 2, &walk, 3 + random_number(3), &end, &id) == ERR_OK) {
			unsigned at = number_of(&id);

			must(model_names(1, 1, at));
			must(++model.certs[at].answered == 1);
			stable[at] = false; /* the walk has passed it */
			if (random_number(3) == 0)
				model_delete_cert(at);
		}
		if (random_number(2) == 0) {
			stable[n] = false;
			model_delete_cert(n);
		} else if (!model.certs[n].there) {
			model_put_cert(n);
			model.certs[n].answered = 0; /* another CA */
		}
		if (random_number(3) == 0)
			commit();
	}
	for (unsigned n = 0; n < MODEL_CERTS; n++)
		must(!stable[n]);
}
END_TEST

START_TEST(a_walk_through_a_dropped_list_ends)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id;
	uint8_t serial[5];
	bool end = false, left;

	for (unsigned n = 0; n < 100; n++) {
		id = id_number(n);
		put_cert(&id, &ca, counted(n, serial));
		append(1, counted(n, serial));
	}
	commit();
	for (unsigned n = 0; n < 10; n++)
		ck_assert_int_eq(walk_once(&ca, 1, &walk, 3, &end, &id), ERR_OK);
	ck_assert_int_eq(store_drop_revoked(&t, 1, 50, &left), ERR_OK);
	ck_assert_int_eq(walk_once(&ca, 1, &walk, 100, &end, &id), ERR_OK);
	ck_assert_uint_eq(number_of(&id), 50);
	ck_assert_int_eq(store_drop_revoked(&t, 1, 50, &left), ERR_OK);
	ck_assert_int_eq(walk_once(&ca, 1, &walk, 3, &end, &id), ERR_NOT_FOUND);
	ck_assert(end);
}
END_TEST

START_TEST(a_walk_with_too_few_steps_makes_no_progress_and_no_error)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id = id_number(1);
	bool end;

	put_cert(&id, &ca, text("a"));
	append(1, text("a"));
	for (size_t budget = 0; budget < 3; budget++) {
		ck_assert_int_eq(walk_once(&ca, 1, &walk, budget, &end, &id), ERR_NOT_FOUND);
		ck_assert(!end);
	}
	ck_assert_int_eq(walk_once(&ca, 1, &walk, 3, &end, &id), ERR_OK);
	ck_assert_int_eq(walk_once(&ca, 1, &walk, 3, &end, &id), ERR_NOT_FOUND);
	ck_assert(end);
}
END_TEST

/* Four steps for each row of the shorter side and some for the end, however long the other side
 * is. */
static const struct {
	const char *what;
	unsigned certs, certs_apart, entries, entries_apart, entries_from;
	size_t named;
} sides[] = {
	{ "few entries, many certificates", 5000, 1, 3, 1000, 500, 3 },
	{ "few certificates, many entries", 3, 1000, 5000, 1, 0, 3 },
	{ "nobody between many", 2500, 2, 3, 1000, 501, 0 },
	{ "all of both", 1000, 1, 1000, 1, 0, 1000 },
	{ "every second one of the other", 1000, 2, 2000, 1, 0, 1000 },
	{ "nobody of as many", 1000, 2, 1000, 2, 1, 0 },
	{ "no entries", 5000, 1, 0, 1, 0, 0 },
	{ "no certificates", 0, 1, 5000, 1, 0, 0 },
};

START_TEST(the_shorter_side_determines_the_number_of_rows_read)
{
	unsigned least = sides[_i].certs < sides[_i].entries ? sides[_i].certs : sides[_i].entries;
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id;
	size_t steps = 1000000, named = 0;
	struct revoked entry;
	uint8_t serial[5];

	for (unsigned n = 0; n < sides[_i].certs; n++) {
		id = id_number(n);
		put_cert(&id, &ca, counted(n * sides[_i].certs_apart, serial));
	}
	for (unsigned n = 0; n < sides[_i].entries; n++)
		append(1, counted(sides[_i].entries_from + n * sides[_i].entries_apart, serial));
	while (store_next_revoked_cert(&t, &ca, 1, &walk, &steps, &id, &entry) == ERR_OK)
		named++;
	ck_assert_uint_eq(named, sides[_i].named);
	ck_assert_msg(1000000 - steps <= 4 * (size_t)least + 2, "%s: %zu", sides[_i].what,
	    1000000 - steps);
}
END_TEST

/* A CA gives all its certificates serial number 1. Those that were returned are deleted at once,
 * or not. */
START_TEST(every_certificate_of_one_serial_number_is_found)
{
	static const unsigned count = 3000;
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id, last = { { 0 } };
	bool end = false;
	size_t named = 0;

	for (unsigned n = 0; n < count; n++) {
		id = id_number(n);
		put_cert(&id, &ca, text("\1"));
	}
	append(1, text("\1"));
	commit();
	while (!end)
		if (walk_once(&ca, 1, &walk, 3, &end, &id) == ERR_OK) {
			must(named == 0 || memcmp(last.b, id.b, sizeof(id.b)) < 0);
			last = id;
			named++;
			if (_i == 1)
				store_delete_cert(&t, &id);
		}
	ck_assert_uint_eq(named, count);
}
END_TEST

/* The lowest and the highest ids and serial numbers. */
START_TEST(the_first_and_the_last_certificate_are_found)
{
	struct certid lowest = { { 0 } }, highest, ca[2];
	struct small_serial first = { { 0 }, 1 }, last = { { 0x7f }, SERIAL_MAX };

	memset(highest.b, 0xff, sizeof(highest.b));
	memset(last.b + 1, 0xff, SERIAL_MAX - 1);
	ca[0] = lowest;
	ca[1] = highest;
	append(UINT64_MAX, view_of_serial(&first));
	append(UINT64_MAX, view_of_serial(&last));
	for (int i = 0; i < 2; i++) {
		put_cert(&lowest, &ca[i], view_of_serial(&first));
		put_cert(&highest, &ca[i], view_of_serial(&last));
		ck_assert_uint_eq(count_named(&ca[i], UINT64_MAX), 2);
		ck_assert_uint_eq(count_named(&ca[1 - i], UINT64_MAX), 0);
		put_cert(&highest, &ca[i], view_of_serial(&first));
		ck_assert_uint_eq(count_named(&ca[i], UINT64_MAX), 2);
	}
}
END_TEST

START_TEST(the_serial_number_is_read_from_the_stored_certificate)
{
	struct certid id = id_number(1), ca = ca_number(1);
	struct cert_document rubbish = { .der = view_of("rubbish") };
	struct cert cert = { .id = id, .has_ca = true, .ca_id = ca };
	struct view serial = { NULL, 1 };

	ck_assert_int_eq(store_get_cert_serial(&t, &id, &serial), ERR_NOT_FOUND);
	ck_assert_uint_eq(serial.len, 0);
	put_cert(&id, &ca, text("ab"));
	append(1, text("ab"));
	commit();
	ck_assert_int_eq(store_get_cert_serial(&t, &id, &serial), ERR_OK);
	ck_assert(view_equal(serial, text("ab")));
	ck_assert_uint_eq(count_named(&ca, 1), 1);
	store_put_cert(&t, &cert, NULL); /* its document stays */
	ck_assert_uint_eq(count_named(&ca, 1), 1);
	store_put_cert(&t, &cert, &rubbish);
	ck_assert_int_eq(store_get_cert_serial(&t, &id, &serial), ERR_OK);
	ck_assert_uint_eq(serial.len, 0);
	ck_assert_uint_eq(count_named(&ca, 1), 0);
	put_cert(&id, &ca, text("ab"));
	cert.has_ca = false;
	store_put_cert(&t, &cert, NULL);
	ck_assert_uint_eq(count_named(&ca, 1), 0);
	cert.has_ca = true;
	cert.ca_id = ca_number(2);
	store_put_cert(&t, &cert, NULL);
	ck_assert_uint_eq(count_named(&ca, 1), 0);
	ck_assert_uint_eq(count_named(&cert.ca_id, 1), 1);
	store_delete_cert(&t, &id);
	ck_assert_uint_eq(count_named(&cert.ca_id, 1), 0);
}
END_TEST

/*
 * Damage.
 */

#define LIST_1 "\0\0\0\0\0\0\0\1"

START_TEST(a_damaged_list_is_reported)
{
	struct certid ca = ca_number(1);
	struct crl crl = crl_number(1);
	struct crl_entry entry;
	size_t count;

	store_put_crl(&t, &ca, &crl);
	damage(&t, "crl", ca.b, sizeof(ca.b), "rubbish", 7);
	ck_assert_int_eq(store_get_crl(&t, &ca, &crl), ERR_CORRUPT);
	ck_assert_uint_eq(crl.list, 0);
	ck_assert_int_eq(store_list_crls(&t, NULL, &entry, 1, &count), ERR_CORRUPT);
	ck_assert_uint_eq(count, 0);
	store_delete_crl(&t, &ca);
	damage(&t, "crl", "short", 5, "", 0);
	ck_assert_int_eq(store_list_crls(&t, NULL, &entry, 1, &count), ERR_CORRUPT);
}
END_TEST

START_TEST(a_damaged_sequence_is_reported_and_gives_no_number)
{
	uint64_t list;

	damage(&t, "meta", "list_sequence", 13, _i == 0 ? "1" : "\xff\xff\xff\xff\xff\xff\xff\xff",
	    _i == 0 ? 1 : 8);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_CORRUPT);
	ck_assert_uint_eq(list, 0);
	commit_fails(ERR_CORRUPT, "the stored number of the last revocation list cannot be read");
}
END_TEST

/* Entries of an old list are not mixed with those of a new one. */
START_TEST(a_sequence_that_went_back_is_reported)
{
	uint64_t list;

	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	append(list, text("a"));
	damage(&t, "meta", "list_sequence", 13, NULL, 0);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	append(list, text("a"));
	commit_fails(ERR_CORRUPT, "names a serial number twice");
}
END_TEST

static const struct {
	const char *what, *table, *key;
	size_t key_len;
	const char *value;
	size_t len;
	enum err get; /* the entry "b" of list 1 */
} rows[] = {
	{ "an entry that is rubbish", "revoked", LIST_1 "b", 9, "rubbish", 7, ERR_CORRUPT },
	{ "an empty entry", "revoked", LIST_1 "b", 9, "", 0, ERR_CORRUPT },
	{ "an entry without a serial number", "revoked", LIST_1, 8, "", 0, ERR_NOT_FOUND },
	{ "a serial number that is too long", "revoked",
	    LIST_1 "a2345678901234567890123456789012345678901234567890123456789012345", 8 + 65, "",
	    0, ERR_NOT_FOUND },
};

START_TEST(a_damaged_entry_is_reported_and_can_be_dropped)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id = id_number(1);
	size_t steps = 100;
	struct revoked entry;
	bool left = true;
	uint64_t list;

	put_cert(&id, &ca, text(_i < 2 ? "b" : "a"));
	damage(&t, rows[_i].table, rows[_i].key, rows[_i].key_len, rows[_i].value, rows[_i].len);
	ck_assert_int_eq(store_get_revoked(&t, 1, text("b"), &entry), rows[_i].get);
	if (rows[_i].key_len > 8)
		ck_assert_msg(store_next_revoked_cert(&t, &ca, 1, &walk, &steps, &id, &entry) ==
			ERR_CORRUPT,
		    "%s", rows[_i].what);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_OK);
	ck_assert_uint_eq(list, 1);
	ck_assert_int_eq(store_drop_revoked(&t, 1, 10, &left), ERR_OK);
	ck_assert(!left);
	commit();
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_NOT_FOUND);
}
END_TEST

START_TEST(an_entry_without_a_list_is_reported)
{
	uint64_t list = 7;

	damage(&t, "revoked", "short", 5, "", 0);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_CORRUPT);
	ck_assert_uint_eq(list, 0);
}
END_TEST

/* A walk that reaches a malformed row of the index reports it. */
START_TEST(a_damaged_index_is_reported)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id = id_number(1);
	uint8_t key[32 + SERIAL_MAX + 1] = { 0 };
	size_t steps = 100, len = _i == 0 ? 32 : _i == 1 ? sizeof(key) : 33;
	struct revoked entry;

	memcpy(key, ca.b, sizeof(ca.b));
	append(1, text("b"));
	damage(&t, "cert_by_serial", key, len, (const char *)id.b, _i == 2 ? 31 : 32);
	ck_assert_int_eq(store_next_revoked_cert(&t, &ca, 1, &walk, &steps, &id, &entry),
	    ERR_CORRUPT);
}
END_TEST

/* The index row of a damaged document cannot be determined, so the certificate stays, like every
 * damaged one. */
START_TEST(a_certificate_with_a_damaged_document_is_never_replaced)
{
	struct certid id = id_number(1), ca = ca_number(1);
	struct cert cert = { .id = id, .has_ca = true, .ca_id = ca, .created = CREATED }, got;
	struct view serial;

	put_cert(&id, &ca, text("b"));
	damage(&t, "cert_document", id.b, sizeof(id.b), "rubbish", 7);
	ck_assert_int_eq(store_get_cert_serial(&t, &id, &serial), ERR_CORRUPT);
	ck_assert_uint_eq(serial.len, 0);
	put_cert(&id, &ca, text("b"));
	commit_fails(ERR_CORRUPT, "that is to be replaced cannot be read");
	store_delete_cert(&t, &id);
	commit_fails(ERR_CORRUPT, "that is to be deleted cannot be read");
	cert.status = CERT_REVOKED; /* it can be revoked */
	store_put_cert(&t, &cert, NULL);
	commit();
	ck_assert_int_eq(store_get_cert(&t, &id, &got), ERR_OK);
	ck_assert_int_eq(got.status, CERT_REVOKED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_crl");
	TCase *c = suite_case(suite, "lists");

	tcase_add_checked_fixture(c, change_open, change_close);
	tcase_add_test(c, missing_records_are_not_found);
	tcase_add_test(c, a_list_in_force_is_stored_and_replaced);
	tcase_add_loop_test(c, lists_in_force_are_listed_by_their_cas, 1, 7);
	tcase_add_test(c, a_deleted_ca_leaves_the_entries_of_its_list);
	tcase_add_test(c, a_record_that_cannot_be_encoded_fails_with_a_text);
	tcase_add_test(c, a_list_number_is_never_used_twice);
	tcase_add_test(c, an_entry_belongs_to_one_list);
	tcase_add_test(c, entries_can_be_appended_out_of_order);
	tcase_add_loop_test(c, a_duplicate_serial_number_fails_the_transaction, 0, 3);
	tcase_add_test(c, every_list_with_entries_is_found);
	tcase_add_loop_test(c, a_list_is_removed_in_slices_without_its_neighbours, 1, 8);
	tcase_add_loop_test(c, a_list_is_removed_in_slices_without_its_neighbours, 99, 102);
	tcase_add_test(c, an_uncommitted_slice_is_dropped);
	tcase_add_test(c, a_long_list_is_stored_and_removed_in_slices);

	c = suite_case(suite, "whom a list names");
	tcase_add_checked_fixture(c, change_open, change_close);
	tcase_add_loop_test(c, a_list_revokes_the_certificates_that_a_simple_search_finds, 0, 40);
	tcase_add_loop_test(c, a_walk_continues_after_certificates_were_added_and_deleted, 0, 40);
	tcase_add_test(c, a_walk_through_a_dropped_list_ends);
	tcase_add_test(c, a_walk_with_too_few_steps_makes_no_progress_and_no_error);
	tcase_add_loop_test(c, the_shorter_side_determines_the_number_of_rows_read, 0,
	    COUNT_OF(sides));
	tcase_add_loop_test(c, every_certificate_of_one_serial_number_is_found, 0, 2);
	tcase_add_test(c, the_first_and_the_last_certificate_are_found);
	tcase_add_test(c, the_serial_number_is_read_from_the_stored_certificate);

	c = suite_case(suite, "damage");
	tcase_add_checked_fixture(c, change_open, change_close);
	tcase_add_test(c, a_damaged_list_is_reported);
	tcase_add_loop_test(c, a_damaged_sequence_is_reported_and_gives_no_number, 0, 2);
	tcase_add_test(c, a_sequence_that_went_back_is_reported);
	tcase_add_loop_test(c, a_damaged_entry_is_reported_and_can_be_dropped, 0, COUNT_OF(rows));
	tcase_add_test(c, an_entry_without_a_list_is_reported);
	tcase_add_loop_test(c, a_damaged_index_is_reported, 0, 3);
	tcase_add_test(c, a_certificate_with_a_damaged_document_is_never_replaced);
	return suite_run(suite);
}
