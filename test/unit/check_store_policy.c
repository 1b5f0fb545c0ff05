/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_policy.c - policies, things and attachments on disk.
 *
 * Names are keys of any length next to each other.  Attachments are stored from both sides;
 * damage on either side attaches nothing (store.h).
 */
#include <stdio.h>
#include <string.h>

#include "damage.h"
#include "suite.h"

#include "jitr/adapter/store.h"

#include "change.h" /* has a t: behind what has parameters of that name */

#define CREATED 1502379443476

static struct certid
id_number(unsigned n)
{
	struct certid id = { { (uint8_t)(n * 7), (uint8_t)n } };

	return id;
}

static void
put_policy(const char *name, int64_t created)
{
	struct policy_record p = { .name = view_of(name),
		.default_version = 1,
		.last_version = 1,
		.created = created,
		.modified = created };

	store_put_policy(&t, &p);
}

static void
put_version(const char *name, uint32_t number, const char *document)
{
	struct policy_version v = { .number = number,
		.created = CREATED + number,
		.document = view_of(document) };

	store_put_policy_version(&t, view_of(name), &v);
}

static void
put_thing(const char *name, const char *type)
{
	struct thing thing = { .name = view_of(name),
		.type_name = view_of(type),
		.version = 1,
		.created = CREATED };

	store_put_thing(&t, &thing);
}

static void
put_principal(const char *thing, unsigned id, enum principal_type type)
{
	struct thing_principal p = { id_number(id), view_of(thing), type };

	store_put_thing_principal(&t, &p);
}

static bool
is_text(struct view v, const char *text)
{
	return view_equal(v, view_of(text));
}

/* The listed names, separated by spaces. */
struct words {
	char text[512];
	size_t len;
};

static void
words_add(struct words *w, struct view v)
{
	w->len += (size_t)snprintf(w->text + w->len, sizeof(w->text) - w->len, "%s%.*s",
	    w->len > 0 ? " " : "", (int)v.len, (const char *)v.data);
	ck_assert_uint_lt(w->len, sizeof(w->text));
}

static void
words_add_id(struct words *w, const struct certid *id)
{
	char digits[8];

	(void)snprintf(digits, sizeof(digits), "%u", id->b[1]);
	words_add(w, view_of(digits));
}

static const char *
policies(bool ascending, size_t page)
{
	static struct words w;
	struct policy_record out[16];
	struct name_position at, *after = NULL;
	size_t count;

	w = (struct words){ "", 0 };
	do {
		ck_assert_int_eq(store_list_policies(&t, after, ascending, out, page, &count),
		    ERR_OK);
		for (size_t i = 0; i < count; i++)
			words_add(&w, out[i].name);
		if (count > 0)
			at = (struct name_position){ out[count - 1].created, out[count - 1].name };
		after = &at;
	} while (count == page);
	return w.text;
}

static const char *
attached(unsigned id, bool ascending, size_t page)
{
	static struct words w;
	struct certid cert = id_number(id);
	struct view out[16], at, *after = NULL;
	size_t count;

	w = (struct words){ "", 0 };
	do {
		ck_assert_int_eq(store_list_attached(&t, &cert, after, ascending, out, page,
				     &count),
		    ERR_OK);
		for (size_t i = 0; i < count; i++)
			words_add(&w, out[i]);
		if (count > 0)
			at = out[count - 1];
		after = &at;
	} while (count == page);
	return w.text;
}

static const char *
targets(const char *policy, bool ascending, size_t page)
{
	static struct words w;
	struct certid out[16], at, *after = NULL;
	size_t count;

	w = (struct words){ "", 0 };
	do {
		ck_assert_int_eq(store_list_targets(&t, view_of(policy), after, ascending, out,
				     page, &count),
		    ERR_OK);
		for (size_t i = 0; i < count; i++)
			words_add_id(&w, &out[i]);
		if (count > 0)
			at = out[count - 1];
		after = &at;
	} while (count == page);
	return w.text;
}

static const char *
things(size_t page)
{
	static struct words w;
	struct thing out[16];
	struct view at, *after = NULL;
	size_t count;

	w = (struct words){ "", 0 };
	do {
		ck_assert_int_eq(store_list_things(&t, after, out, page, &count), ERR_OK);
		for (size_t i = 0; i < count; i++)
			words_add(&w, out[i].name);
		if (count > 0)
			at = out[count - 1].name;
		after = &at;
	} while (count == page);
	return w.text;
}

static void
words_add_principal(struct words *w, const struct thing_principal *p)
{
	words_add(w, p->thing);
	words_add_id(w, &p->id);
	words_add(w, view_of(p->type == PRINCIPAL_EXCLUSIVE ? "!" : "-"));
}

static const char *
principals_of(const char *thing, size_t page)
{
	static struct words w;
	struct thing_principal out[16];
	struct certid at, *after = NULL;
	size_t count;

	w = (struct words){ "", 0 };
	do {
		ck_assert_int_eq(store_list_thing_principals(&t, view_of(thing), after, out, page,
				     &count),
		    ERR_OK);
		for (size_t i = 0; i < count; i++)
			words_add_principal(&w, &out[i]);
		if (count > 0)
			at = out[count - 1].id;
		after = &at;
	} while (count == page);
	return w.text;
}

static const char *
things_of(unsigned id, size_t page)
{
	static struct words w;
	struct certid cert = id_number(id);
	struct thing_principal out[16];
	struct view at, *after = NULL;
	size_t count;

	w = (struct words){ "", 0 };
	do {
		ck_assert_int_eq(store_list_principal_things(&t, &cert, after, out, page, &count),
		    ERR_OK);
		for (size_t i = 0; i < count; i++)
			words_add_principal(&w, &out[i]);
		if (count > 0)
			at = out[count - 1].thing;
		after = &at;
	} while (count == page);
	return w.text;
}

/*
 * Records.
 */

START_TEST(missing_records_are_not_found)
{
	struct certid id = id_number(1);
	enum principal_type type;
	struct policy_version v;
	struct policy_record p;
	struct thing thing;
	bool is = true;

	ck_assert_int_eq(store_get_policy(&t, view_of("p"), &p), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_policy_version(&t, view_of("p"), 1, &v), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_thing(&t, view_of("t"), &thing), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_thing_principal(&t, view_of("t"), &id, &type), ERR_NOT_FOUND);
	ck_assert_int_eq(store_is_attached(&t, view_of("p"), &id, &is), ERR_OK);
	ck_assert(!is);
	ck_assert_str_eq(policies(true, 3), "");
	ck_assert_str_eq(policies(false, 3), "");
	ck_assert_str_eq(things(3), "");
	ck_assert_str_eq(attached(1, true, 3), "");
	ck_assert_str_eq(targets("p", false, 3), "");
	store_delete_policy(&t, view_of("p"));
	store_delete_policy_version(&t, view_of("p"), 1);
	store_delete_thing(&t, view_of("t"));
	store_detach(&t, view_of("p"), &id);
	store_delete_thing_principal(&t, view_of("t"), &id);
	commit();
}
END_TEST

START_TEST(a_policy_is_stored_and_read_back)
{
	struct policy_record in = { .name = view_of("p+=,.@-_"),
		.default_version = 3,
		.last_version = 9,
		.created = CREATED,
		.modified = CREATED + 1,
		.generation = { { 1, 2, 3 } } },
			     p;
	struct policy_version v;

	store_put_policy(&t, &in);
	put_version("p+=,.@-_", 3, "{}");
	commit();
	ck_assert_int_eq(store_get_policy(&t, in.name, &p), ERR_OK);
	ck_assert(view_equal(p.name, in.name));
	ck_assert_uint_eq(p.default_version, 3);
	ck_assert_uint_eq(p.last_version, 9);
	ck_assert_int_eq(p.created, CREATED);
	ck_assert_int_eq(p.modified, CREATED + 1);
	ck_assert_mem_eq(&p.generation, &in.generation, sizeof(p.generation));
	ck_assert_int_eq(store_get_policy_version(&t, in.name, 3, &v), ERR_OK);
	ck_assert_uint_eq(v.number, 3);
	ck_assert_int_eq(v.created, CREATED + 3);
	ck_assert(is_text(v.document, "{}"));
	ck_assert_int_eq(store_get_policy_version(&t, in.name, 4, &v), ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_thing_is_stored_and_read_back)
{
	static const char packed[] = "\1a\0\1x";
	struct thing in = { .name = view_of("t:1"),
		.type_name = view_of("pump"),
		.billing_group = view_of("north"),
		.attributes = { (const uint8_t *)packed, sizeof(packed) - 1 },
		.version = 7,
		.created = CREATED,
		.modified = CREATED + 1,
		.id = { { 4, 5 } } },
		     out;

	store_put_thing(&t, &in);
	commit();
	ck_assert_int_eq(store_get_thing(&t, in.name, &out), ERR_OK);
	ck_assert(view_equal(out.name, in.name));
	ck_assert(view_equal(out.type_name, in.type_name));
	ck_assert(view_equal(out.billing_group, in.billing_group));
	ck_assert(view_equal(out.attributes, in.attributes));
	ck_assert_uint_eq(out.version, 7);
	ck_assert_int_eq(out.created, CREATED);
	ck_assert_int_eq(out.modified, CREATED + 1);
	ck_assert_mem_eq(&out.id, &in.id, sizeof(out.id));
}
END_TEST

/* The views lie on a page that the put changes. */
START_TEST(a_record_can_be_put_with_the_views_of_a_get)
{
	struct policy_record p[2];
	struct policy_version v;
	struct thing thing[2];
	size_t count;

	for (int i = 0; i < 100; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "n%02d", i);
		put_policy(name, CREATED);
		put_thing(name, "pump");
	}
	put_version("n00", 1, "document");
	commit();
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(store_list_policies(&t, NULL, true, p, 2, &count), ERR_OK);
		store_delete_policy(&t, p[1].name);
		ck_assert_int_eq(store_list_policies(&t, NULL, true, p, 1, &count), ERR_OK);
		p[0].modified++;
		store_put_policy(&t, &p[0]);
		ck_assert_int_eq(store_list_things(&t, NULL, thing, 2, &count), ERR_OK);
		store_delete_thing(&t, thing[1].name);
		ck_assert_int_eq(store_list_things(&t, NULL, thing, 1, &count), ERR_OK);
		thing[0].version++;
		store_put_thing(&t, &thing[0]);
	}
	ck_assert_int_eq(store_get_policy_version(&t, view_of("n00"), 1, &v), ERR_OK);
	v.number = 2;
	store_put_policy_version(&t, view_of("n00"), &v);
	ck_assert_int_eq(store_get_policy_version(&t, view_of("n00"), 2, &v), ERR_OK);
	ck_assert(is_text(v.document, "document"));
	ck_assert_int_eq(store_get_policy(&t, view_of("n00"), &p[0]), ERR_OK);
	ck_assert_int_eq(p[0].modified, CREATED + 50);
	ck_assert_int_eq(store_get_thing(&t, view_of("n00"), &thing[0]), ERR_OK);
	ck_assert_uint_eq(thing[0].version, 51);
	ck_assert(is_text(thing[0].type_name, "pump"));
	ck_assert_int_eq(store_get_policy(&t, view_of("n50"), &p[0]), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_thing(&t, view_of("n51"), &thing[0]), ERR_OK);
}
END_TEST

START_TEST(deleting_a_policy_deletes_its_versions_and_no_others)
{
	struct policy_version v[8];
	size_t count;

	put_policy("p", CREATED);
	put_policy("pp", CREATED);
	for (uint32_t n = 1; n <= 300; n += 7) {
		put_version("p", n, "p");
		put_version("pp", n, "pp");
		put_version("o", n, "o");
	}
	store_delete_policy(&t, view_of("p"));
	commit();
	ck_assert_int_eq(store_list_policy_versions(&t, view_of("p"), v, 8, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(store_list_policy_versions(&t, view_of("pp"), v, 8, &count), ERR_OK);
	ck_assert_uint_eq(count, 8);
	ck_assert_int_eq(store_list_policy_versions(&t, view_of("o"), v, 8, &count), ERR_OK);
	ck_assert_uint_eq(count, 8);
	ck_assert_str_eq(policies(true, 5), "pp");
}
END_TEST

/* Highest first, as numbers: 256 is above 255 (aws-iot A.4.7). */
START_TEST(versions_are_listed_highest_first)
{
	static const uint32_t numbers[] = { 1, 2, 255, 256, 65536, UINT32_MAX };
	struct policy_version v[8];
	size_t count;

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		put_version("p", numbers[i], "x");
	put_version("pp", 77, "x");
	put_version("o", 77, "x");
	ck_assert_int_eq(store_list_policy_versions(&t, view_of("p"), v, 8, &count), ERR_OK);
	ck_assert_uint_eq(count, COUNT_OF(numbers));
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(v[i].number, numbers[count - 1 - i]);
	ck_assert_int_eq(store_list_policy_versions(&t, view_of("p"), v, 2, &count), ERR_OK);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(v[1].number, 65536);
	ck_assert_int_eq(store_list_policy_versions(&t, view_of("p"), v, 0, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
}
END_TEST

/*
 * Names.
 */

static const struct {
	const char *what;
	size_t len;
	int zero_at;
	bool fits;
} names[] = {
	{ "one byte", 1, -1, true },
	{ "128 bytes", 128, -1, true },
	{ "none", 0, -1, false },
	{ "129 bytes", 129, -1, false },
	{ "a kilobyte", 1000, -1, false },
	{ "zero alone", 1, 0, false },
	{ "zero at the beginning", 5, 0, false },
	{ "zero at the end", 5, 4, false },
};

static struct view
name_number(int n)
{
	static char bytes[1000];

	memset(bytes, 'n', sizeof(bytes));
	if (names[n].zero_at >= 0)
		bytes[names[n].zero_at] = '\0';
	return (struct view){ (const uint8_t *)bytes, names[n].len };
}

/* Each function that stores a name; the other side of an attachment may be missing. */
static void
put_under(int way, struct view name)
{
	struct policy_record p = { .name = name, .default_version = 1, .last_version = 1 };
	struct policy_version v = { .number = 1 };
	struct thing thing = { .name = name };
	struct thing_principal principal = { .id = id_number(1), .thing = name };

	if (way == 0)
		store_put_policy(&t, &p);
	else if (way == 1)
		store_put_policy_version(&t, name, &v);
	else if (way == 2)
		store_put_thing(&t, &thing);
	else if (way == 3)
		store_attach(&t, name, &principal.id);
	else
		store_put_thing_principal(&t, &principal);
}

static bool
is_under(int way, struct view name)
{
	struct certid id = id_number(1), target;
	struct thing_principal principal;
	enum principal_type type;
	struct policy_record p;
	struct policy_version v;
	struct thing thing;
	bool is = false;
	size_t count = 0;

	if (way == 0)
		return store_get_policy(&t, name, &p) == ERR_OK;
	if (way == 1)
		return store_get_policy_version(&t, name, 1, &v) == ERR_OK &&
		    store_list_policy_versions(&t, name, &v, 1, &count) == ERR_OK && count == 1;
	if (way == 2)
		return store_get_thing(&t, name, &thing) == ERR_OK;
	if (way == 3)
		return store_is_attached(&t, name, &id, &is) == ERR_OK && is &&
		    store_list_targets(&t, name, NULL, true, &target, 1, &count) == ERR_OK &&
		    count == 1;
	return store_get_thing_principal(&t, name, &id, &type) == ERR_OK &&
	    store_list_thing_principals(&t, name, NULL, &principal, 1, &count) == ERR_OK &&
	    count == 1;
}

START_TEST(an_impossible_name_is_neither_stored_nor_found)
{
	struct view name = name_number(_i);

	for (int way = 0; way < 5; way++) {
		put_under(way, name);
		ck_assert_msg((t.failed == ERR_OK) == names[_i].fits, "%s, way %d", names[_i].what,
		    way);
		ck_assert_msg(is_under(way, name) == names[_i].fits, "%s, way %d", names[_i].what,
		    way);
		store_end(&t);
		world_change(&t);
	}
	store_delete_policy(&t, name);
	store_delete_policy_version(&t, name, 1);
	store_delete_thing(&t, name);
	commit();
}
END_TEST

/* A position comes from a client, which may have made it up. */
START_TEST(a_listing_continues_after_any_position)
{
	struct view after = name_number(_i), out[2];
	struct name_position at = { CREATED, after };
	struct certid id = id_number(1);
	struct policy_record p[2];
	struct thing thing[2];
	size_t count;

	put_policy("a", CREATED);
	put_policy("z", CREATED);
	put_thing("a", "");
	put_thing("z", "");
	store_attach(&t, view_of("a"), &id);
	store_attach(&t, view_of("z"), &id);
	ck_assert_int_eq(store_list_things(&t, &after, thing, 2, &count), ERR_OK);
	ck_assert_uint_le(count, 2);
	ck_assert_int_eq(store_list_attached(&t, &id, &after, false, out, 2, &count), ERR_OK);
	ck_assert_uint_le(count, 2);
	for (int descending = 0; descending < 2; descending++) {
		ck_assert_int_eq(store_list_policies(&t, &at, !descending, p, 2, &count), ERR_OK);
		if (names[_i].fits)
			ck_assert(count == 1 && is_text(p[0].name, descending ? "a" : "z"));
	}
	at = (struct name_position){ -1, view_of("a") };
	ck_assert_int_eq(store_list_policies(&t, &at, true, p, 2, &count), ERR_OK);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(store_list_policies(&t, &at, false, p, 2, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	at.created = INT64_MAX;
	ck_assert_int_eq(store_list_policies(&t, &at, false, p, 2, &count), ERR_OK);
	ck_assert_uint_eq(count, 2);
}
END_TEST

/*
 * Listings.
 */

START_TEST(policies_are_listed_by_creation_then_name)
{
	size_t page = (size_t)_i;

	put_policy("late", CREATED + 1);
	put_policy("b", CREATED);
	put_policy("bb", CREATED);
	put_policy("a", CREATED);
	put_policy("early", 0);
	ck_assert_str_eq(policies(true, page), "early a b bb late");
	ck_assert_str_eq(policies(false, page), "late bb b a early");
	put_policy("b", CREATED + 9);
	put_policy("a", CREATED);
	ck_assert_str_eq(policies(true, page), "early a bb late b");
	store_delete_policy(&t, view_of("bb"));
	commit();
	ck_assert_str_eq(policies(true, page), "early a late b");
	ck_assert_str_eq(policies(false, page), "b late a early");
}
END_TEST

START_TEST(attachments_are_listed_from_both_sides_in_their_order)
{
	size_t page = (size_t)_i;
	struct certid two = id_number(2);

	for (unsigned id = 1; id <= 3; id++) {
		struct certid cert = id_number(id);

		store_attach(&t, view_of("p"), &cert);
		store_attach(&t, view_of("pp"), &cert);
		store_attach(&t, view_of("o"), &cert);
	}
	store_attach(&t, view_of("p"), &two);
	store_attach(&t, view_of("x"), &two);
	commit();
	ck_assert_str_eq(attached(2, true, page), "o p pp x");
	ck_assert_str_eq(attached(2, false, page), "x pp p o");
	ck_assert_str_eq(attached(1, true, page), "o p pp");
	ck_assert_str_eq(targets("p", true, page), "1 2 3");
	ck_assert_str_eq(targets("p", false, page), "3 2 1");
	ck_assert_str_eq(targets("x", true, page), "2");
	store_detach(&t, view_of("p"), &two);
	store_detach(&t, view_of("p"), &two);
	commit();
	ck_assert_str_eq(attached(2, true, page), "o pp x");
	ck_assert_str_eq(targets("p", true, page), "1 3");
	ck_assert_str_eq(targets("pp", true, page), "1 2 3");
}
END_TEST

/* The lowest and the highest ids. */
START_TEST(the_first_and_the_last_id_are_listed)
{
	struct certid lowest = { { 0 } }, highest, out[3];
	struct view name[2];
	size_t count;

	memset(highest.b, 0xff, sizeof(highest.b));
	for (int ascending = 0; ascending < 2; ascending++) {
		store_attach(&t, view_of("p"), &lowest);
		store_attach(&t, view_of("p"), &highest);
		ck_assert_int_eq(store_list_targets(&t, view_of("p"), NULL, ascending, out, 3,
				     &count),
		    ERR_OK);
		ck_assert_uint_eq(count, 2);
		ck_assert(certid_equal(&out[0], ascending ? &lowest : &highest));
		ck_assert_int_eq(store_list_targets(&t, view_of("p"), &out[0], ascending, out, 3,
				     &count),
		    ERR_OK);
		ck_assert_uint_eq(count, 1);
		ck_assert(certid_equal(&out[0], ascending ? &highest : &lowest));
		ck_assert_int_eq(store_list_attached(&t, &lowest, NULL, ascending, name, 2, &count),
		    ERR_OK);
		ck_assert_uint_eq(count, 1);
		ck_assert_int_eq(store_list_attached(&t, &highest, NULL, ascending, name, 2,
				     &count),
		    ERR_OK);
		ck_assert_uint_eq(count, 1);
	}
}
END_TEST

START_TEST(things_and_principals_are_listed_in_their_order)
{
	size_t page = (size_t)_i;
	enum principal_type type;
	struct certid two = id_number(2);

	put_thing("b", "");
	put_thing("a", "");
	put_thing("aa", "");
	put_principal("a", 2, PRINCIPAL_NON_EXCLUSIVE);
	put_principal("a", 1, PRINCIPAL_EXCLUSIVE);
	put_principal("aa", 2, PRINCIPAL_NON_EXCLUSIVE);
	commit();
	ck_assert_str_eq(things(page), "a aa b");
	ck_assert_str_eq(principals_of("a", page), "a 1 ! a 2 -");
	ck_assert_str_eq(things_of(2, page), "a 2 - aa 2 -");
	ck_assert_str_eq(things_of(1, page), "a 1 !");
	put_principal("aa", 2, PRINCIPAL_EXCLUSIVE);
	ck_assert_str_eq(principals_of("aa", page), "aa 2 !");
	ck_assert_str_eq(things_of(2, page), "a 2 - aa 2 !");
	ck_assert_int_eq(store_get_thing_principal(&t, view_of("aa"), &two, &type), ERR_OK);
	ck_assert_int_eq(type, PRINCIPAL_EXCLUSIVE);
	store_delete_thing_principal(&t, view_of("a"), &two);
	commit();
	ck_assert_str_eq(principals_of("a", page), "a 1 !");
	ck_assert_str_eq(things_of(2, page), "aa 2 !");
	ck_assert_str_eq(principals_of("b", page), "");
}
END_TEST

/*
 * Failure and damage.
 */

START_TEST(uncommitted_changes_are_dropped)
{
	struct certid one = id_number(1);

	put_policy("kept", CREATED);
	store_attach(&t, view_of("kept"), &one);
	commit();
	put_policy("p", CREATED);
	put_version("p", 1, "{}");
	put_thing("t", "");
	store_attach(&t, view_of("p"), &one);
	store_detach(&t, view_of("kept"), &one);
	put_principal("t", 1, PRINCIPAL_EXCLUSIVE);
	if (_i == 0) {
		store_end(&t);
	} else {
		put_principal("", 1, PRINCIPAL_EXCLUSIVE);
		put_policy("later", CREATED);
		ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	}
	world_change(&t);
	ck_assert_str_eq(policies(true, 4), "kept");
	ck_assert_str_eq(things(4), "");
	ck_assert_str_eq(attached(1, true, 4), "kept");
	ck_assert_str_eq(targets("p", true, 4), "");
	ck_assert_str_eq(targets("kept", true, 4), "1");
	ck_assert_str_eq(things_of(1, 4), "");
}
END_TEST

START_TEST(a_record_that_cannot_be_encoded_fails_with_a_text)
{
	struct thing thing = { .name = view_of("t"), .attributes = view_of("rubbish") };
	struct policy_record p = { .name = view_of("p") };
	struct policy_version v = { .created = -1 };

	store_put_thing(&t, &thing);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	ck_assert_str_eq(store_failure(world.store), "a thing that cannot be encoded");
	world_change(&t);
	store_put_policy(&t, &p);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	ck_assert_str_eq(store_failure(world.store), "a policy that cannot be encoded");
	world_change(&t);
	store_put_policy_version(&t, view_of("p"), &v);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	world_change(&t);
	put_principal("t", 1, (enum principal_type)2);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	world_change(&t);
	ck_assert_str_eq(things(2), "");
	ck_assert_str_eq(things_of(1, 2), "");
}
END_TEST

static const struct {
	const char *what;
	bool by_id;        /* the side */
	const char *value; /* NULL: deleted */
	size_t len;
} halves[] = {
	{ "the row by name is gone", false, NULL, 0 },
	{ "the row by id is gone", true, NULL, 0 },
	{ "the row by name has a type that is none", false, "\2", 1 },
	{ "the row by id has a type that is none", true, "\2", 1 },
	{ "the row by name is empty", false, "", 0 },
	{ "the row by id is too long", true, "\0\0", 2 },
	{ "the rows disagree", true, "\1", 1 },
};

/* The keys of doc/storage.md. */
static size_t
half_key(bool by_id, const struct certid *id, uint8_t key[64])
{
	memcpy(key, by_id ? (const char *)id->b : "n", by_id ? 32 : 2); /* with its NUL */
	memcpy(key + (by_id ? 32 : 2), by_id ? (const char *)"n" : (const char *)id->b,
	    by_id ? 1 : 32);
	return by_id ? 33 : 34;
}

START_TEST(an_attachment_on_one_side_only_is_reported)
{
	struct certid id = id_number(1), target;
	struct view name;
	bool is = true, listed_by_id, listed_by_name;
	uint8_t key[64];
	size_t len = half_key(halves[_i].by_id, &id, key), count;
	enum err e;

	store_attach(&t, view_of("n"), &id);
	damage(&t, halves[_i].by_id ? "cert_policy" : "policy_cert", key, len, halves[_i].value,
	    halves[_i].len);
	ck_assert_msg(store_is_attached(&t, view_of("n"), &id, &is) == ERR_CORRUPT, "%s",
	    halves[_i].what);
	ck_assert(!is);
	e = store_list_attached(&t, &id, NULL, true, &name, 1, &count);
	ck_assert_uint_eq(count, 0);
	listed_by_id = e == ERR_OK;
	e = store_list_targets(&t, view_of("n"), NULL, true, &target, 1, &count);
	ck_assert_uint_eq(count, 0);
	listed_by_name = e == ERR_OK;
	/* a deleted row is found only from the other side */
	ck_assert_int_eq(listed_by_id, halves[_i].value == NULL && halves[_i].by_id);
	ck_assert_int_eq(listed_by_name, halves[_i].value == NULL && !halves[_i].by_id);

	store_detach(&t, view_of("n"), &id);
	commit();
	ck_assert_int_eq(store_is_attached(&t, view_of("n"), &id, &is), ERR_OK);
	ck_assert_str_eq(attached(1, true, 2), "");
	ck_assert_str_eq(targets("n", true, 2), "");
}
END_TEST

START_TEST(a_principal_on_one_side_only_is_reported)
{
	struct certid id = id_number(1);
	struct thing_principal p;
	enum principal_type type;
	uint8_t key[64];
	size_t len = half_key(halves[_i].by_id, &id, key), count;
	bool gone = halves[_i].value == NULL;

	put_principal("n", 1, PRINCIPAL_NON_EXCLUSIVE);
	damage(&t, halves[_i].by_id ? "cert_thing" : "thing_cert", key, len, halves[_i].value,
	    halves[_i].len);
	ck_assert_msg(store_get_thing_principal(&t, view_of("n"), &id, &type) == ERR_CORRUPT, "%s",
	    halves[_i].what);
	ck_assert_int_eq(store_list_principal_things(&t, &id, NULL, &p, 1, &count),
	    gone && halves[_i].by_id ? ERR_OK : ERR_CORRUPT);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(store_list_thing_principals(&t, view_of("n"), NULL, &p, 1, &count),
	    gone && !halves[_i].by_id ? ERR_OK : ERR_CORRUPT);
	ck_assert_uint_eq(count, 0);
}
END_TEST

static const struct {
	const char *what, *table, *key;
	size_t key_len;
	const char *value;
	size_t len;
} keys[] = {
	{ "half an id", "policy_cert", "n\0id", 4, "\0", 1 },
	{ "a number that is too short", "policy_version", "n\0\1", 3, "", 0 },
	{ "a time without name", "policy_by_time", "\0\0\0\0\0\0\0\1", 8, "", 0 },
	{ "a policy that is not there", "policy_by_time", "\0\0\0\0\0\0\0\1x", 9, "", 0 },
	{ "another time than the policy's", "policy_by_time", "\0\0\0\0\0\0\0\1n", 9, "", 0 },
};

/* A listing that reaches an impossible row reports it, in both directions. */
START_TEST(an_impossible_key_is_reported)
{
	struct policy_version v[8];
	struct policy_record p[8];
	struct certid id[8];
	size_t count;

	put_policy("n", CREATED);
	put_version("n", 9, "");
	damage(&t, keys[_i].table, keys[_i].key, keys[_i].key_len, keys[_i].value, keys[_i].len);
	for (int ascending = 0; ascending < 2; ascending++) {
		enum err e = strcmp(keys[_i].table, "policy_cert") == 0
		    ? store_list_targets(&t, view_of("n"), NULL, ascending, id, 8, &count)
		    : strcmp(keys[_i].table, "policy_version") == 0
		    ? store_list_policy_versions(&t, view_of("n"), v, 8, &count)
		    : store_list_policies(&t, NULL, ascending, p, 8, &count);

		ck_assert_msg(e == ERR_CORRUPT, "%s: %s", keys[_i].what, err_text(e));
	}
}
END_TEST

START_TEST(a_damaged_record_is_reported_and_never_replaced)
{
	struct policy_version v;
	struct policy_record p;
	struct thing thing;
	size_t count;

	put_policy("n", CREATED);
	put_version("n", 9, "");
	put_thing("n", "");
	damage(&t, "policy", "n", 1, "rubbish", 7);
	damage(&t, "policy_version", "n\0\0\0\0\11", 6, "rubbish", 7);
	damage(&t, "thing", "n", 1, "rubbish", 7);
	ck_assert_int_eq(store_get_policy(&t, view_of("n"), &p), ERR_CORRUPT);
	ck_assert_int_eq(store_list_policies(&t, NULL, true, &p, 1, &count), ERR_CORRUPT);
	ck_assert_int_eq(store_get_policy_version(&t, view_of("n"), 9, &v), ERR_CORRUPT);
	ck_assert_int_eq(store_list_policy_versions(&t, view_of("n"), &v, 1, &count), ERR_CORRUPT);
	ck_assert_int_eq(store_get_thing(&t, view_of("n"), &thing), ERR_CORRUPT);
	ck_assert_int_eq(store_list_things(&t, NULL, &thing, 1, &count), ERR_CORRUPT);
	put_policy("n", CREATED);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(store_failure(world.store), "cannot be read"));
	world_change(&t);
	store_delete_policy(&t, view_of("n"));
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	world_change(&t);
	put_thing("n", "");
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	world_change(&t);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_policy");
	TCase *c = suite_case(suite, "store_policy");

	tcase_add_checked_fixture(c, change_open, change_close);
	tcase_add_test(c, missing_records_are_not_found);
	tcase_add_test(c, a_policy_is_stored_and_read_back);
	tcase_add_test(c, a_thing_is_stored_and_read_back);
	tcase_add_test(c, a_record_can_be_put_with_the_views_of_a_get);
	tcase_add_test(c, deleting_a_policy_deletes_its_versions_and_no_others);
	tcase_add_test(c, versions_are_listed_highest_first);
	tcase_add_loop_test(c, an_impossible_name_is_neither_stored_nor_found, 0, COUNT_OF(names));
	tcase_add_loop_test(c, a_listing_continues_after_any_position, 0, COUNT_OF(names));
	tcase_add_loop_test(c, policies_are_listed_by_creation_then_name, 1, 8);
	tcase_add_loop_test(c, attachments_are_listed_from_both_sides_in_their_order, 1, 6);
	tcase_add_test(c, the_first_and_the_last_id_are_listed);
	tcase_add_loop_test(c, things_and_principals_are_listed_in_their_order, 1, 5);
	tcase_add_loop_test(c, uncommitted_changes_are_dropped, 0, 2);
	tcase_add_test(c, a_record_that_cannot_be_encoded_fails_with_a_text);
	tcase_add_loop_test(c, an_attachment_on_one_side_only_is_reported, 0, COUNT_OF(halves));
	tcase_add_loop_test(c, a_principal_on_one_side_only_is_reported, 0, COUNT_OF(halves));
	tcase_add_loop_test(c, an_impossible_key_is_reported, 0, COUNT_OF(keys));
	tcase_add_test(c, a_damaged_record_is_reported_and_never_replaced);
	return suite_run(suite);
}
