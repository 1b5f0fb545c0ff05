/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_registry_thing.c - changes to things and their principals.
 *
 * The rules are aws-iot A.6.  A long random run is compared with a model in memory: the answers
 * are the same, and both sides of each attachment agree.
 */
#include <stdio.h>
#include <string.h>

#include "attributes.h"
#include "suite.h"
#include "unchanged.h"
#include "world.h"

#include "jitr/service/registry_thing.h"

static struct txn t;
static struct diag diag;

static void
set_up(void)
{
	world_open();
	world_set_clock(1000);
	diag.text[0] = '\0';
	world_change(&t);
}

static void
tear_down(void)
{
	store_end(&t);
	world_close();
}

static struct certid
id_number(unsigned n)
{
	struct certid id = { { (uint8_t)(0x40 + n) } };

	return id;
}

static void
put_cert(unsigned n)
{
	struct cert cert = { .id = id_number(n), .created = n };
	struct cert_document document = { .der = view_of("der") };

	store_put_cert(&t, &cert, &document);
}

/* This many attributes: n000=x and so on. */
static struct view
many(unsigned count)
{
	static uint8_t out[64 * 8];
	size_t len = 0;

	for (unsigned i = 0; i < count; i++) {
		uint8_t pair[8] = { 4, 'n', '0', (uint8_t)('0' + i / 10), (uint8_t)('0' + i % 10),
			0, 1, 'x' };

		memcpy(out + len, pair, sizeof(pair));
		len += sizeof(pair);
	}
	return (struct view){ out, len };
}

static enum err
create(const char *name, const char *type, struct view attributes, struct generation *id)
{
	struct thing thing = { .name = view_of(name),
		.type_name = view_of(type),
		.attributes = attributes };

	return registry_create_thing(&t, &thing, world_now(), id, &diag);
}

static void
make(const char *name)
{
	struct generation id;

	ck_assert_int_eq(create(name, "", packed(""), &id), ERR_OK);
}

static const struct thing *
get(const char *name)
{
	static struct thing thing;

	ck_assert_int_eq(store_get_thing(&t, view_of(name), &thing), ERR_OK);
	return &thing;
}

static enum err
update(const char *name, const struct thing_update *u)
{
	return registry_update_thing(&t, view_of(name), u, world_now(), &diag);
}

static enum err
attach(const char *name, unsigned n, enum principal_type type)
{
	struct certid id = id_number(n);

	return registry_attach_thing(&t, view_of(name), &id, type, &diag);
}

static enum err
detach(const char *name, unsigned n)
{
	struct certid id = id_number(n);

	return registry_detach_thing(&t, view_of(name), &id, &diag);
}

static void
assert_says(const char *words)
{
	ck_assert_msg(strstr(diag.text, words) != NULL, "not '%s': %s", words, diag.text);
}

static uint64_t
begin_again(void)
{
	uint64_t hash;

	world_commit(&t);
	hash = registry_hash();
	world_change(&t);
	return hash;
}

/*
 * Things: aws-iot A.6.1 and A.6.7.
 */

START_TEST(a_thing_is_created_with_version_1)
{
	struct thing in = { .name = view_of("t"),
		.type_name = view_of("pump"),
		.billing_group = view_of("north"),
		.attributes = packed("a=1;b=;"),
		.version = 9,
		.created = 5,
		.modified = 5 },
		     out;
	struct generation id;

	ck_assert_int_eq(registry_create_thing(&t, &in, world_now(), &id, &diag), ERR_OK);
	out = *get("t");
	ck_assert_uint_eq(out.version, 1);
	ck_assert_int_eq(out.created, 1000);
	ck_assert_int_eq(out.modified, 1000);
	ck_assert_mem_eq(&out.id, &id, sizeof(id));
	ck_assert(view_equal(out.type_name, in.type_name));
	ck_assert(view_equal(out.billing_group, in.billing_group));
	ck_assert(view_equal(out.attributes, in.attributes));
}
END_TEST

static const struct {
	const char *what, *type, *group, *attributes;
	enum err result;
} again[] = {
	{ "the same", "pump", "north", "a=1;", ERR_OK },
	{ "another type", "valve", "north", "a=1;", ERR_EXISTS },
	{ "no type", "", "north", "a=1;", ERR_EXISTS },
	{ "another billing group", "pump", "south", "a=1;", ERR_EXISTS },
	{ "another value", "pump", "north", "a=2;", ERR_EXISTS },
	{ "one attribute more", "pump", "north", "a=1;b=1;", ERR_EXISTS },
	{ "no attributes", "pump", "north", "", ERR_EXISTS },
};

START_TEST(creating_an_existing_thing_succeeds_only_with_the_same_configuration)
{
	struct thing thing = { .name = view_of("t"),
		.type_name = view_of("pump"),
		.billing_group = view_of("north"),
		.attributes = packed("a=1;") };
	struct generation first, second = { { 0 } };
	uint64_t before;

	ck_assert_int_eq(registry_create_thing(&t, &thing, world_now(), &first, &diag), ERR_OK);
	before = begin_again();
	world_wait(7);
	thing.type_name = view_of(again[_i].type);
	thing.billing_group = view_of(again[_i].group);
	thing.attributes = packed(again[_i].attributes);
	ck_assert_msg(registry_create_thing(&t, &thing, world_now(), &second, &diag) ==
		again[_i].result,
	    "%s", again[_i].what);
	ck_assert_mem_eq(&first, &second, sizeof(first));
	if (again[_i].result != ERR_OK)
		assert_says("Thing t already exists");
	assert_nothing_put(&t, before);
}
END_TEST

/* 3 without a type, 50 with one (aws-iot A.6.1). */
static const struct {
	const char *type;
	unsigned count;
	enum err result;
} limits[] = {
	{ "", 3, ERR_OK },
	{ "", 4, ERR_REQUEST },
	{ "", 50, ERR_REQUEST },
	{ "pump", 4, ERR_OK },
	{ "pump", 50, ERR_OK },
	{ "pump", 51, ERR_REQUEST },
};

START_TEST(a_thing_has_no_more_attributes_than_its_type_allows)
{
	struct thing_update u = { .has_attributes = true, .merge = _i % 2 == 0 };
	struct generation id;
	uint64_t before = begin_again();

	ck_assert_int_eq(create("t", limits[_i].type, many(limits[_i].count), &id),
	    limits[_i].result);
	if (limits[_i].result != ERR_OK)
		assert_nothing_put(&t, before);

	ck_assert_int_eq(create("u", limits[_i].type, packed(""), &id), ERR_OK);
	before = begin_again();
	u.attributes = many(limits[_i].count);
	ck_assert_int_eq(update("u", &u), limits[_i].result);
	if (limits[_i].result != ERR_OK)
		assert_nothing_put(&t, before);
}
END_TEST

/* Each list is within the limits; both together are not. */
START_TEST(a_merge_that_exceeds_the_limit_is_refused)
{
	struct thing_update u = { .has_attributes = true,
		.merge = true,
		.attributes = packed("d=1;") };
	struct generation id;
	uint64_t before;

	ck_assert_int_eq(create("t", "", packed("a=1;b=1;c=1;"), &id), ERR_OK);
	before = begin_again();
	ck_assert_int_eq(update("t", &u), ERR_REQUEST);
	assert_nothing_put(&t, before);
	u.attributes = packed("a=;d=1;");
	ck_assert_int_eq(update("t", &u), ERR_OK);
	ck_assert(view_equal(get("t")->attributes, packed("b=1;c=1;d=1;")));

	ck_assert_int_eq(create("u", "pump", many(50), &id), ERR_OK);
	u.attributes = packed("a=1;");
	ck_assert_int_eq(update("u", &u), ERR_REQUEST);
	ck_assert_int_eq(t.failed, ERR_OK);
}
END_TEST

static const struct {
	const char *what;
	bool merge;
	const char *attributes, *after;
} updates[] = {
	{ "replaced", false, "c=3;", "c=3;" },
	{ "replaced by none", false, "", "" },
	{ "replaced, an empty value is none", false, "a=;c=3;", "c=3;" },
	{ "merged", true, "b=9;c=3;", "a=1;b=9;c=3;" },
	{ "merged with none", true, "", "a=1;b=2;" },
	{ "merged, an empty value removes", true, "a=;", "b=2;" },
};

START_TEST(attributes_are_replaced_or_merged)
{
	struct thing_update u = { .has_attributes = true, .merge = updates[_i].merge };
	struct generation id;

	ck_assert_int_eq(create("t", "", packed("a=1;b=2;"), &id), ERR_OK);
	begin_again();
	world_wait(1);
	u.attributes = packed(updates[_i].attributes);
	ck_assert_int_eq(update("t", &u), ERR_OK);
	begin_again();
	ck_assert_msg(view_equal(get("t")->attributes, packed(updates[_i].after)), "%s",
	    updates[_i].what);
	ck_assert_uint_eq(get("t")->version, 2);
	ck_assert_int_eq(get("t")->created, 1000);
	ck_assert_int_eq(get("t")->modified, 1001);
	ck_assert_mem_eq(&get("t")->id, &id, sizeof(id));
}
END_TEST

START_TEST(a_type_is_set_and_removed)
{
	struct thing_update set = { .has_type = true, .type_name = view_of("pump") };
	struct thing_update removal = { .remove_type = true },
			    both = { .has_type = true,
				    .remove_type = true,
				    .type_name = view_of("pump") };
	struct thing_update few = { .has_attributes = true, .attributes = packed("a=1;") };
	struct thing_update lots = { .has_attributes = true, .attributes = many(4) };
	uint64_t before;

	make("t");
	ck_assert_int_eq(update("t", &set), ERR_OK);
	ck_assert(view_equal(get("t")->type_name, view_of("pump")));
	ck_assert_int_eq(update("t", &lots), ERR_OK);
	before = begin_again();
	ck_assert_int_eq(update("t", &removal), ERR_REQUEST); /* four, without a type */
	ck_assert_int_eq(update("t", &both), ERR_REQUEST);
	assert_nothing_put(&t, before);
	ck_assert_int_eq(update("t", &few), ERR_OK);
	ck_assert_int_eq(update("t", &removal), ERR_OK);
	ck_assert_uint_eq(get("t")->type_name.len, 0);
	ck_assert(view_equal(get("t")->attributes, few.attributes));
	ck_assert_uint_eq(get("t")->version, 5);
}
END_TEST

START_TEST(another_version_than_expected_is_a_conflict)
{
	struct thing_update u = { .has_expected_version = true };
	uint64_t before;

	make("t");
	before = begin_again();
	for (uint32_t n = 0; n < 4; n++) {
		u.expected_version = n;
		if (n == 1)
			continue;
		ck_assert_int_eq(update("t", &u), ERR_VERSION);
		ck_assert_int_eq(registry_delete_thing(&t, view_of("t"), true, n, &diag),
		    ERR_VERSION);
	}
	assert_nothing_put(&t, before);
	u.expected_version = 1;
	ck_assert_int_eq(update("t", &u), ERR_OK);
	ck_assert_uint_eq(get("t")->version, 2);
	ck_assert_int_eq(update("t", &u), ERR_VERSION);
	assert_says("The version of thing t is 2, not 1 as expected");
	ck_assert_int_eq(registry_delete_thing(&t, view_of("t"), true, 2, &diag), ERR_OK);
	ck_assert_int_eq(update("t", &u), ERR_NOT_FOUND);
	assert_says("Thing t cannot be found.");
}
END_TEST

START_TEST(a_thing_in_use_is_not_deleted_and_deleting_an_unknown_one_succeeds)
{
	uint64_t before;

	put_cert(1);
	make("t");
	ck_assert_int_eq(attach("t", 1, PRINCIPAL_NON_EXCLUSIVE), ERR_OK);
	before = begin_again();
	ck_assert_int_eq(registry_delete_thing(&t, view_of("t"), false, 0, &diag), ERR_REQUEST);
	assert_says("Cannot delete. Thing t is still attached to one or more principals");
	ck_assert_int_eq(registry_delete_thing(&t, view_of("unknown"), false, 0, &diag), ERR_OK);
	ck_assert_int_eq(registry_delete_thing(&t, view_of("unknown"), true, 7, &diag), ERR_OK);
	assert_nothing_put(&t, before);
	ck_assert_int_eq(detach("t", 1), ERR_OK);
	ck_assert_int_eq(registry_delete_thing(&t, view_of("t"), false, 0, &diag), ERR_OK);
	ck_assert_int_eq(registry_delete_thing(&t, view_of("t"), false, 0, &diag), ERR_OK);
}
END_TEST

/*
 * Principals: aws-iot A.6.3 and A.6.4.
 */

START_TEST(a_missing_object_is_named)
{
	uint64_t before;

	put_cert(1);
	make("t");
	before = begin_again();
	ck_assert_int_eq(attach("absent", 1, PRINCIPAL_EXCLUSIVE), ERR_NOT_FOUND);
	assert_says("Thing absent cannot be found.");
	ck_assert_int_eq(attach("t", 2, PRINCIPAL_EXCLUSIVE), ERR_NOT_FOUND);
	assert_says("Certificate not found (id: 42000000");
	ck_assert_int_eq(detach("absent", 1), ERR_NOT_FOUND);
	assert_says("Thing absent cannot be found.");
	ck_assert_int_eq(detach("t", 2), ERR_NOT_FOUND);
	assert_says("Certificate not found (id: 42000000");
	ck_assert_int_eq(detach("t", 1), ERR_OK); /* both are there */
	assert_nothing_put(&t, before);
}
END_TEST

START_TEST(attaching_twice_is_the_same_as_once)
{
	uint64_t before;

	put_cert(1);
	make("t");
	for (int type = 0; type < 2; type++) {
		ck_assert_int_eq(attach("t", 1, (enum principal_type)type), ERR_OK);
		before = begin_again();
		ck_assert_int_eq(attach("t", 1, (enum principal_type)type), ERR_OK);
		assert_nothing_put(&t, before);
	}
}
END_TEST

/* A certificate is attached to these things, then to t. */
static const struct {
	const char *what, *things; /* a, b: not exclusively; A, T: exclusively */
	enum principal_type type;
	enum err result;
	const char *says;
} exclusions[] = {
	{ "the first", "", PRINCIPAL_NON_EXCLUSIVE, ERR_OK, "" },
	{ "the first, exclusively", "", PRINCIPAL_EXCLUSIVE, ERR_OK, "" },
	{ "the second", "a", PRINCIPAL_NON_EXCLUSIVE, ERR_OK, "" },
	{ "the second, exclusively", "a", PRINCIPAL_EXCLUSIVE, ERR_REQUEST,
	    "Principal already has a Thing attached to it" },
	{ "the third, exclusively", "ab", PRINCIPAL_EXCLUSIVE, ERR_REQUEST, "already has a Thing" },
	{ "beside an exclusive one", "A", PRINCIPAL_NON_EXCLUSIVE, ERR_REQUEST,
	    "Principal already has an exclusive Thing attached to it" },
	{ "beside an exclusive one, exclusively", "A", PRINCIPAL_EXCLUSIVE, ERR_REQUEST,
	    "Principal already has an exclusive Thing attached to it" },
	{ "beside an exclusive one that sorts behind", "Z", PRINCIPAL_NON_EXCLUSIVE, ERR_REQUEST,
	    "exclusive" },
	{ "exclusively from now on", "t", PRINCIPAL_EXCLUSIVE, ERR_OK, "" },
	{ "no longer exclusively", "T", PRINCIPAL_NON_EXCLUSIVE, ERR_OK, "" },
	{ "exclusively from now on, beside another", "at", PRINCIPAL_EXCLUSIVE, ERR_REQUEST,
	    "already has a Thing" },
	{ "the same, the other behind", "tz", PRINCIPAL_EXCLUSIVE, ERR_REQUEST,
	    "already has a Thing" },
};

START_TEST(an_exclusive_thing_is_the_only_one_of_a_certificate)
{
	uint64_t before;

	put_cert(1);
	put_cert(2);
	make("a");
	make("b");
	make("t");
	make("z");
	ck_assert_int_eq(attach("t", 2, PRINCIPAL_NON_EXCLUSIVE),
	    ERR_OK); /* another certificate's: allowed */
	for (const char *c = exclusions[_i].things; *c != '\0'; c++) {
		char name[2] = { (char)(*c | 0x20), '\0' };

		ck_assert_int_eq(attach(name, 1,
				     *c < 'a' ? PRINCIPAL_EXCLUSIVE : PRINCIPAL_NON_EXCLUSIVE),
		    ERR_OK);
	}
	before = begin_again();
	ck_assert_msg(attach("t", 1, exclusions[_i].type) == exclusions[_i].result, "%s",
	    exclusions[_i].what);
	assert_says(exclusions[_i].says);
	if (exclusions[_i].result != ERR_OK)
		assert_nothing_put(&t, before);
}
END_TEST

START_TEST(a_thing_can_be_detached_from_a_deleted_certificate)
{
	struct certid id = id_number(1);

	put_cert(1);
	make("t");
	ck_assert_int_eq(attach("t", 1, PRINCIPAL_EXCLUSIVE), ERR_OK);
	store_delete_cert(&t, &id);
	ck_assert_int_eq(detach("t", 1), ERR_OK);
	ck_assert_int_eq(detach("t", 1), ERR_NOT_FOUND);
	ck_assert_int_eq(registry_delete_thing(&t, view_of("t"), false, 0, &diag), ERR_OK);
}
END_TEST

/*
 * At random, against a model.
 */

enum { CERTS = 6, THINGS = 8, NOT_ATTACHED = -1 };

static struct model {
	bool thing[THINGS];
	int type[CERTS][THINGS];
} model;

static uint32_t
random_below(uint32_t bound)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

static const char *
name_of(unsigned n)
{
	static char name[8];

	(void)snprintf(name, sizeof(name), n % 2 == 0 ? "t%u" : "t%u:x", n / 2);
	return name;
}

static enum err
expect_attach(unsigned c, unsigned n, int type)
{
	if (!model.thing[n])
		return ERR_NOT_FOUND;
	for (unsigned other = 0; other < THINGS; other++) {
		if (other == n || model.type[c][other] == NOT_ATTACHED || model.type[c][n] == type)
			continue;
		if (type == PRINCIPAL_EXCLUSIVE || model.type[c][other] == PRINCIPAL_EXCLUSIVE)
			return ERR_REQUEST;
	}
	model.type[c][n] = type;
	return ERR_OK;
}

static enum err
expect_delete(unsigned n)
{
	for (unsigned c = 0; c < CERTS; c++)
		if (model.type[c][n] != NOT_ATTACHED)
			return ERR_REQUEST;
	model.thing[n] = false;
	return ERR_OK;
}

static void
step(void)
{
	unsigned c = random_below(CERTS), n = random_below(THINGS), how = random_below(20);
	int type = random_below(4) == 0;

	if (how < 9) {
		must(attach(name_of(n), c, (enum principal_type)type) == expect_attach(c, n, type));
	} else if (how < 15) {
		must(detach(name_of(n), c) == (model.thing[n] ? ERR_OK : ERR_NOT_FOUND));
		model.type[c][n] = NOT_ATTACHED;
	} else if (how < 18) {
		make(name_of(n));
		model.thing[n] = true;
	} else {
		must(registry_delete_thing(&t, view_of(name_of(n)), false, 0, &diag) ==
		    expect_delete(n));
	}
}

static void
assert_sides_agree(void)
{
	struct thing_principal p[CERTS + THINGS];
	size_t by_id = 0, by_name = 0, expected = 0, count;
	enum principal_type type;

	for (unsigned c = 0; c < CERTS; c++) {
		struct certid id = id_number(c);

		must(store_list_principal_things(&t, &id, NULL, p, COUNT_OF(p), &count) == ERR_OK);
		by_id += count;
		for (unsigned n = 0; n < THINGS; n++) {
			enum err e = store_get_thing_principal(&t, view_of(name_of(n)), &id, &type);

			must(e == (model.type[c][n] == NOT_ATTACHED ? ERR_NOT_FOUND : ERR_OK));
			must(e != ERR_OK || (int)type == model.type[c][n]);
			expected += e == ERR_OK;
		}
	}
	for (unsigned n = 0; n < THINGS; n++) {
		must(store_list_thing_principals(&t, view_of(name_of(n)), NULL, p, COUNT_OF(p),
			 &count) == ERR_OK);
		by_name += count;
	}
	must(by_id == expected && by_name == expected);
}

START_TEST(random_changes_agree_with_the_model_on_both_sides)
{
	struct model kept;

	for (unsigned c = 0; c < CERTS; c++) {
		put_cert(c);
		for (unsigned n = 0; n < THINGS; n++)
			model.type[c][n] = NOT_ATTACHED;
	}
	world_commit(&t);
	world_change(&t);
	kept = model;
	for (int round = 0; round < 3000; round++) {
		step();
		if (round % 10 == 0)
			assert_sides_agree();
		if (random_below(30) != 0)
			continue;
		if (random_below(3) == 0) {
			store_end(&t);
			model = kept;
		} else {
			world_commit(&t);
			kept = model;
		}
		world_change(&t);
		assert_sides_agree();
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("registry_thing");
	TCase *c = suite_case(suite, "registry_thing");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_thing_is_created_with_version_1);
	tcase_add_loop_test(c, creating_an_existing_thing_succeeds_only_with_the_same_configuration,
	    0, COUNT_OF(again));
	tcase_add_loop_test(c, a_thing_has_no_more_attributes_than_its_type_allows, 0,
	    COUNT_OF(limits));
	tcase_add_test(c, a_merge_that_exceeds_the_limit_is_refused);
	tcase_add_loop_test(c, attributes_are_replaced_or_merged, 0, COUNT_OF(updates));
	tcase_add_test(c, a_type_is_set_and_removed);
	tcase_add_test(c, another_version_than_expected_is_a_conflict);
	tcase_add_test(c, a_thing_in_use_is_not_deleted_and_deleting_an_unknown_one_succeeds);
	tcase_add_test(c, a_missing_object_is_named);
	tcase_add_test(c, attaching_twice_is_the_same_as_once);
	tcase_add_loop_test(c, an_exclusive_thing_is_the_only_one_of_a_certificate, 0,
	    COUNT_OF(exclusions));
	tcase_add_test(c, a_thing_can_be_detached_from_a_deleted_certificate);
	tcase_add_test(c, random_changes_agree_with_the_model_on_both_sides);
	return suite_run(suite);
}
