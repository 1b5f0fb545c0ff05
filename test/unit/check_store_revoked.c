/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_revoked.c - the certificates that a revocation list on disk names.
 *
 * They are compared with a slow search, on random data with serial numbers that are prefixes
 * of others or shared, and with neighbouring CAs and lists.
 */
#include <stdlib.h>
#include <string.h>

#include "revoked.h"

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
	{ "none between many", 2500, 2, 3, 1000, 501, 0 },
	{ "all of both", 1000, 1, 1000, 1, 0, 1000 },
	{ "every second one of the other", 1000, 2, 2000, 1, 0, 1000 },
	{ "none of as many", 1000, 2, 1000, 2, 1, 0 },
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

/* A CA gives all its certificates serial number 1.  Those that were returned are deleted at once,
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

int
main(void)
{
	Suite *suite = suite_create("store_revoked");
	TCase *c = suite_case(suite, "revoked");

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
	return suite_run(suite);
}
