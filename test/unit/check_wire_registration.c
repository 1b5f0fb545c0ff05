/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_wire_registration.c - the bytes of registrations and refusals (wire_registration.h).
 *
 * What is decoded is what was encoded, and every other input is refused.  The fields are those
 * of the tables in doc/link.md.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "document.h"
#include "suite.h"

#include "jitr/core/event.h"
#include "jitr/core/wire_registration.h"

/* An input of exactly its size, so that a sanitizer sees a read behind it. */
static struct view
exact(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, len);
	return (struct view){ copy, len };
}

static void
release(struct view v)
{
	free((void *)(uintptr_t)v.data);
}

static struct plan
full_plan(void)
{
	struct plan plan = { .origin = PLAN_TEMPLATE,
		.template_name = view_of("factory"),
		.status = CERT_ACTIVE,
		.no_memory = true,
		.reason = { "accepted" },
		.policies = { { view_of("device"), view_of("{}") }, { view_of("b"), view_of("") } },
		.policy_count = 2,
		.thing = { .name = view_of("d0"),
		    .type_name = view_of("sensor"),
		    .billing_group = view_of("north"),
		    .attributes = packed("a=1;b=2;"),
		    .on_attributes = OVERRIDE_MERGE,
		    .on_type = OVERRIDE_REPLACE },
		.supersedes = true,
		.supersede_after = 86400000 };

	return plan;
}

static struct presentation
full_presentation(const struct plan *plan)
{
	struct presentation p = {
		.presented = { .serial = { 3, { 1, 2, 3 } },
		    .not_before = -1,
		    .not_after = 4102444800000,
		    .is_leaf = true,
		    .strong_signature = true,
		    .strong_key = true,
		    .known_extensions = true,
		    .issued_by_ca = ANSWER_YES },
		.der = view_of("DER"),
		.plan = plan,
		.details = view_of(",\"a\":1"),
		.client_id = view_of("d0"),
		.address = view_of("192.0.2.1"),
	};

	memset(&p.presented.id, 1, sizeof(p.presented.id));
	memset(&p.presented.content, 2, sizeof(p.presented.content));
	memset(&p.ca_id, 3, sizeof(p.ca_id));
	if (plan != NULL) {
		memset(&p.ca_revision.generation, 4, sizeof(p.ca_revision.generation));
		p.ca_revision.version = 0x01020304;
	}
	return p;
}

static struct view
encode(const struct presentation *p)
{
	size_t len = wire_presentation_size(p);
	uint8_t *bytes = malloc(len > 0 ? len : 1);

	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_gt(len, 0);
	wire_put_presentation(p, bytes);
	return (struct view){ bytes, len };
}

static void
assert_same_plan(const struct plan *a, const struct plan *b)
{
	ck_assert_int_eq(a->origin, b->origin);
	ck_assert(view_equal(a->template_name, b->template_name));
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->failed, b->failed);
	ck_assert_int_eq(a->no_memory, b->no_memory);
	ck_assert_str_eq(a->reason.text, b->reason.text);
	ck_assert_uint_eq(a->policy_count, b->policy_count);
	for (size_t i = 0; i < a->policy_count; i++) {
		ck_assert(view_equal(a->policies[i].name, b->policies[i].name));
		ck_assert(view_equal(a->policies[i].document, b->policies[i].document));
	}
	ck_assert(view_equal(a->thing.name, b->thing.name));
	ck_assert(view_equal(a->thing.type_name, b->thing.type_name));
	ck_assert(view_equal(a->thing.billing_group, b->thing.billing_group));
	ck_assert(view_equal(a->thing.attributes, b->thing.attributes));
	ck_assert_int_eq(a->thing.on_attributes, b->thing.on_attributes);
	ck_assert_int_eq(a->thing.on_type, b->thing.on_type);
	ck_assert_int_eq(a->supersedes, b->supersedes);
	ck_assert_int_eq(a->supersede_after, b->supersede_after);
}

static void
assert_same(const struct presentation *a, const struct presentation *b)
{
	const struct presented *p = &a->presented, *q = &b->presented;

	ck_assert(certid_equal(&p->id, &q->id));
	ck_assert(certid_equal(&p->content, &q->content));
	ck_assert_uint_eq(p->serial.len, q->serial.len);
	ck_assert_mem_eq(p->serial.b, q->serial.b, sizeof(p->serial.b));
	ck_assert_int_eq(p->not_before, q->not_before);
	ck_assert_int_eq(p->not_after, q->not_after);
	ck_assert_int_eq(p->is_leaf, q->is_leaf);
	ck_assert_int_eq(p->strong_signature, q->strong_signature);
	ck_assert_int_eq(p->strong_key, q->strong_key);
	ck_assert_int_eq(p->known_extensions, q->known_extensions);
	ck_assert_int_eq(p->issued_by_ca, q->issued_by_ca);
	ck_assert(certid_equal(&a->ca_id, &b->ca_id));
	ck_assert(view_equal(a->der, b->der));
	ck_assert(view_equal(a->details, b->details));
	ck_assert(view_equal(a->client_id, b->client_id));
	ck_assert(view_equal(a->address, b->address));
	ck_assert(generation_equal(&a->ca_revision.generation, &b->ca_revision.generation));
	ck_assert_uint_eq(a->ca_revision.version, b->ca_revision.version);
	ck_assert_int_eq(a->plan != NULL, b->plan != NULL);
	if (a->plan != NULL)
		assert_same_plan(a->plan, b->plan);
}

static enum err
decode(struct view in)
{
	struct presentation p;
	struct plan plan;

	return wire_get_presentation(in, &p, &plan);
}

START_TEST(a_presentation_is_decoded_as_it_was_encoded)
{
	struct plan full = full_plan(), plan;
	struct presentation p, with = full_presentation(&full), without = full_presentation(NULL);
	struct view bytes = encode(&with);

	ck_assert_int_eq(wire_get_presentation(bytes, &p, &plan), ERR_OK);
	assert_same(&with, &p);
	ck_assert_ptr_eq(p.plan, &plan);
	release(bytes);
	bytes = encode(&without);
	ck_assert_int_eq(wire_get_presentation(bytes, &p, &plan), ERR_OK);
	assert_same(&without, &p);
	release(bytes);
}
END_TEST

START_TEST(an_empty_presentation_has_an_encoding)
{
	struct presentation empty = { .der = { NULL, 0 } }, p;
	struct plan nothing = { .origin = PLAN_RULE }, plan;
	struct view bytes = encode(&empty);

	ck_assert_int_eq(wire_get_presentation(bytes, &p, &plan), ERR_OK);
	assert_same(&empty, &p);
	release(bytes);
	empty.plan = &nothing;
	bytes = encode(&empty);
	ck_assert_int_eq(wire_get_presentation(bytes, &p, &plan), ERR_OK);
	assert_same(&empty, &p);
	release(bytes);
}
END_TEST

START_TEST(the_longest_members_have_an_encoding)
{
	static uint8_t big[POLICY_BYTES_MAX];
	struct plan full = full_plan(), plan;
	struct presentation p, with = full_presentation(&full);
	struct view name = { big, NAME_MAX_LENGTH }, bytes;

	memset(big, 'x', sizeof(big));
	full.policy_count = POLICIES_MAX;
	for (size_t i = 0; i < POLICIES_MAX; i++)
		full.policies[i] = (struct planned_policy){ name, { big, POLICY_BYTES_MAX } };
	full.template_name.len = TEMPLATE_NAME_MAX;
	full.template_name.data = big;
	full.thing.name = full.thing.type_name = full.thing.billing_group = name;
	memset(full.reason.text, 'r', sizeof(full.reason.text) - 1);
	with.der = (struct view){ big, WIRE_DER_MAX };
	with.details = (struct view){ big, EVENT_DETAILS_MAX };
	with.client_id = with.address = (struct view){ big, REFUSAL_TEXT_MAX };
	with.presented.serial.len = SERIAL_MAX;
	bytes = encode(&with);
	ck_assert_int_eq(wire_get_presentation(bytes, &p, &plan), ERR_OK);
	assert_same(&with, &p);
	release(bytes);
}
END_TEST

/* Makes one member too long or out of range. */
static void
spoil(struct presentation *p, struct plan *plan, int nth)
{
	static const uint8_t unsorted[] = { 1, 'b', 0, 1, '1', 1, 'a', 0, 1, '1' };
	struct view *const views[] = { &p->der, &p->details, &p->client_id, &p->address,
		&plan->template_name, &plan->policies[1].name, &plan->policies[1].document,
		&plan->thing.name, &plan->thing.type_name, &plan->thing.billing_group };
	static const size_t most[] = { WIRE_DER_MAX, EVENT_DETAILS_MAX, REFUSAL_TEXT_MAX,
		REFUSAL_TEXT_MAX, TEMPLATE_NAME_MAX, NAME_MAX_LENGTH, POLICY_BYTES_MAX,
		NAME_MAX_LENGTH, NAME_MAX_LENGTH, NAME_MAX_LENGTH };

	if (nth < (int)COUNT_OF(views))
		views[nth]->len = most[nth] + 1; /* not read */
	else if (nth == 10)
		p->presented.serial.len = SERIAL_MAX + 1;
	else if (nth == 11)
		plan->policy_count = POLICIES_MAX + 1;
	else if (nth == 12)
		plan->supersede_after = -1;
	else if (nth == 13)
		memset(plan->reason.text, 'r', sizeof(plan->reason.text));
	else
		plan->thing.attributes = (struct view){ unsorted, sizeof(unsorted) };
}

START_TEST(a_member_beyond_its_limit_has_no_encoding)
{
	struct plan plan = full_plan();
	struct presentation p = full_presentation(&plan);

	spoil(&p, &plan, _i);
	ck_assert_uint_eq(wire_presentation_size(&p), 0);
}
END_TEST

START_TEST(a_truncated_presentation_is_refused)
{
	struct plan plan = full_plan();
	struct presentation p = full_presentation(_i ? &plan : NULL), zero = { .plan = NULL };
	struct view bytes = encode(&p);
	uint8_t *longer = malloc(bytes.len + 1);

	for (size_t len = 0; len < bytes.len; len++) {
		struct view cut = exact(bytes.data, len);

		ck_assert_int_eq(wire_get_presentation(cut, &p, &plan), ERR_CORRUPT);
		assert_same(&p, &zero);
		ck_assert_uint_eq(plan.policy_count, 0);
		release(cut);
	}
	ck_assert_ptr_nonnull(longer);
	memcpy(longer, bytes.data, bytes.len);
	longer[bytes.len] = 0;
	ck_assert_int_eq(decode((struct view){ longer, bytes.len + 1 }), ERR_CORRUPT);
	free(longer);
	release(bytes);
}
END_TEST

/* Every byte gets every value: what is accepted is encoded to the same bytes. */
START_TEST(a_presentation_has_one_encoding)
{
	struct plan full = full_plan(), plan;
	struct presentation p, with = full_presentation(&full);
	struct view bytes = encode(&with), again;
	uint8_t *changed = (uint8_t *)(uintptr_t)bytes.data;

	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t was = changed[i];

		for (unsigned byte = 0; byte < 256; byte++) {
			changed[i] = (uint8_t)byte;
			if (wire_get_presentation(bytes, &p, &plan) != ERR_OK)
				continue;
			again = encode(&p);
			ck_assert_uint_eq(again.len, bytes.len);
			ck_assert_mem_eq(again.data, bytes.data, bytes.len);
			release(again);
		}
		changed[i] = was;
	}
	release(bytes);
}
END_TEST

/* Offsets of the full presentation: each byte is given a value that no member has. */
START_TEST(values_out_of_range_are_refused)
{
	struct plan full = full_plan();
	struct presentation with = full_presentation(&full);
	struct view bytes = encode(&with);
	uint8_t *at = (uint8_t *)(uintptr_t)bytes.data;
	size_t presented = 32 + 32 + 1 + 3 + 8 + 8;
	size_t plan = presented + 5 + 32 + (4 + 3) + (4 + 6) + (4 + 2) + (4 + 9) + 1;
	size_t policies = plan + 16 + 4 + 1 + (1 + 7) + 1 + 1 + 1 + (4 + 8);
	const struct {
		size_t at;
		uint8_t value;
	} cases[] = {
		{ 64, SERIAL_MAX + 1 }, { presented, 2 }, { presented + 3, 2 },
		{ presented + 4, 3 },                                  /* answer */
		{ plan - 1, 2 },                                       /* has plan */
		{ plan + 20, 2 },                                      /* origin */
		{ plan + 21, 37 },                                     /* template name */
		{ plan + 29, CERT_STATUS_COUNT }, { plan + 30, 2 },    /* failed */
		{ plan + 31, 2 },                                      /* no memory */
		{ plan + 36, 0 },                                      /* within the reason */
		{ policies, POLICIES_MAX + 1 }, { policies + 1, 129 }, /* name of a policy */
		{ policies + 8, 0xff },                                /* size of its document */
		{ bytes.len - 11, 4 },                                 /* override */
		{ bytes.len - 10, 4 }, { bytes.len - 9, 2 },           /* supersedes */
		{ bytes.len - 8, 0x80 },                               /* a negative delay */
	};
	uint8_t was = at[cases[_i].at];

	ck_assert_int_eq(decode(bytes), ERR_OK);
	at[cases[_i].at] = cases[_i].value;
	ck_assert_int_eq(decode(bytes), ERR_CORRUPT);
	at[cases[_i].at] = was;
	ck_assert_int_eq(decode(bytes), ERR_OK);
	release(bytes);
}
END_TEST

/*
 * Results.
 */

static const struct presentation_result full_result = { .result = ERR_STORAGE,
	.outcome = { .decision = { VERDICT_ALLOW, REASON_PROVISIONING_FAILED,
			 EFFECT_REGISTER | EFFECT_ANNOUNCE | EFFECT_REVOKE | EFFECT_PLAN },
	    .status = CERT_ACTIVE,
	    .details = { "the rule of its CA accepts it" },
	    .failed = true },
	.failure = { (const uint8_t *)"disk full", 9 } };

START_TEST(a_result_is_decoded_as_it_was_encoded)
{
	uint8_t bytes[WIRE_RESULT_MAX];
	size_t len = wire_put_result(&full_result, bytes);
	struct presentation_result r;

	ck_assert_int_eq(wire_get_result((struct view){ bytes, len }, &r), ERR_OK);
	ck_assert_int_eq(r.result, full_result.result);
	ck_assert_int_eq(r.outcome.decision.verdict, VERDICT_ALLOW);
	ck_assert_int_eq(r.outcome.decision.reason, REASON_PROVISIONING_FAILED);
	ck_assert_uint_eq(r.outcome.decision.effects, 15);
	ck_assert_int_eq(r.outcome.status, CERT_ACTIVE);
	ck_assert(r.outcome.failed);
	ck_assert_str_eq(r.outcome.details.text, full_result.outcome.details.text);
	ck_assert(view_equal(r.failure, full_result.failure));
	for (size_t cut = 0; cut < len; cut++) {
		struct view in = exact(bytes, cut);

		ck_assert_int_eq(wire_get_result(in, &r), ERR_CORRUPT);
		ck_assert_int_eq(r.result, ERR_OK);
		ck_assert_uint_eq(r.failure.len, 0);
		release(in);
	}
	ck_assert_int_eq(wire_get_result((struct view){ bytes, len + 1 }, &r), ERR_CORRUPT);
}
END_TEST

START_TEST(a_result_out_of_range_is_refused)
{
	static const unsigned count[] = { ERR_NOMEM + 1, VERDICT_DEFER + 1, REASON_COUNT, 16,
		CERT_STATUS_COUNT, 2 };
	uint8_t bytes[WIRE_RESULT_MAX];
	struct presentation_result r;
	size_t len = wire_put_result(&full_result, bytes);

	for (unsigned value = 0; value < 256; value++) {
		bytes[_i] = (uint8_t)value;
		ck_assert_int_eq(wire_get_result((struct view){ bytes, len }, &r),
		    value < count[_i] ? ERR_OK : ERR_CORRUPT);
	}
}
END_TEST

START_TEST(a_long_failure_is_cut)
{
	static uint8_t text[WIRE_FAILURE_MAX + 1];
	uint8_t bytes[WIRE_RESULT_MAX];
	struct presentation_result r = full_result;
	size_t len;

	memset(text, 'f', sizeof(text));
	memset(r.outcome.details.text, 'd', sizeof(r.outcome.details.text) - 1);
	r.failure = (struct view){ text, sizeof(text) };
	len = wire_put_result(&r, bytes);
	ck_assert_int_eq(wire_get_result((struct view){ bytes, len }, &r), ERR_OK);
	ck_assert_uint_eq(r.failure.len, WIRE_FAILURE_MAX);
	memset(r.outcome.details.text, 'd', sizeof(r.outcome.details.text));
	ck_assert_uint_eq(wire_put_result(&r, bytes), 0);
}
END_TEST

/*
 * Refusals.
 */

START_TEST(a_refusal_is_decoded_as_it_was_encoded)
{
	static uint8_t text[REFUSAL_TEXT_MAX + 1];
	uint8_t bytes[WIRE_REFUSED_MAX];
	struct view longest = { text, REFUSAL_TEXT_MAX };
	struct refusal from = { 7, longest, longest, longest, longest }, r;
	struct certid id = { { 9 } }, got;
	size_t len = wire_put_refused(&id, &from, bytes);

	ck_assert_uint_eq(len, WIRE_REFUSED_MAX);
	ck_assert_int_eq(wire_get_refused((struct view){ bytes, len }, &got, &r), ERR_OK);
	ck_assert(certid_equal(&id, &got));
	ck_assert_int_eq(r.time, 0);
	ck_assert(view_equal(r.code, longest));
	ck_assert(view_equal(r.address, longest));
	from.details.len++;
	ck_assert_uint_eq(wire_put_refused(&id, &from, bytes), 0);
}
END_TEST

START_TEST(a_truncated_refusal_is_refused)
{
	uint8_t bytes[WIRE_REFUSED_MAX];
	struct refusal from = { 0, view_of("CODE"), view_of("text"), view_of("d0"),
		view_of("::1") };
	struct certid id = { { 9 } };
	size_t len = wire_put_refused(&id, &from, bytes);

	for (size_t cut = 0; cut < len; cut++) {
		struct view in = exact(bytes, cut);

		ck_assert_int_eq(wire_get_refused(in, &id, &from), ERR_CORRUPT);
		ck_assert_uint_eq(from.code.len, 0);
		release(in);
	}
	ck_assert_int_eq(wire_get_refused((struct view){ bytes, len + 1 }, &id, &from),
	    ERR_CORRUPT);
}
END_TEST

/*
 * The document: its tables say how long each field is.
 */

#define PLAN_HEADING "A plan is what the rule or template of the CA decided:"

static void
skip(struct view *in, size_t len)
{
	ck_assert_uint_le(len, in->len);
	in->data += len;
	in->len -= len;
}

static size_t
read_number(struct view *in, size_t size)
{
	size_t number = 0;

	while (size-- > 0) {
		skip(in, 1);
		number = number << 8 | in->data[-1];
	}
	return number;
}

static void
skip_policies(struct view *in)
{
	for (size_t left = read_number(in, 1); left > 0; left--) {
		skip(in, read_number(in, 1));
		skip(in, read_number(in, 4));
	}
}

/* A plan is not skipped. */
static void
skip_field(struct view *in, const char *bytes)
{
	unsigned long size = strtoul(bytes, NULL, 10);

	if (strcmp(bytes, "id") == 0)
		skip(in, sizeof(struct certid));
	else if (strcmp(bytes, "name") == 0)
		skip(in, read_number(in, 1));
	else if (strcmp(bytes, "bytes") == 0)
		skip(in, read_number(in, 4));
	else if (strcmp(bytes, "policies") == 0)
		skip_policies(in);
	else if (strcmp(bytes, "plan") != 0) {
		ck_assert_msg(size > 0, "a field of '%s'", bytes);
		skip(in, size);
	}
}

static void
skip_table(struct view *in, const char *heading)
{
	char *table = read_table("doc/link.md", heading), *rows = table;
	struct cells row;

	while (next_row(&rows, &row))
		skip_field(in, row.at[0]);
	free(table);
}

START_TEST(the_fields_are_as_documented)
{
	uint8_t result[WIRE_RESULT_MAX], refused[WIRE_REFUSED_MAX];
	struct refusal refusal = { 0, view_of("CODE"), view_of("text"), view_of("d0"),
		view_of("::1") };
	struct plan plan = full_plan();
	struct presentation with = full_presentation(&plan), without = full_presentation(NULL);
	struct view bytes = encode(&without), in = bytes;

	skip_table(&in, "### PRESENT");
	ck_assert_uint_eq(in.len, 0);
	release(bytes);
	in = bytes = encode(&with);
	skip_table(&in, "### PRESENT");
	ck_assert_uint_eq(in.data[-1], 1);
	skip_table(&in, PLAN_HEADING);
	ck_assert_uint_eq(in.len, 0);
	release(bytes);
	in = (struct view){ result, wire_put_result(&full_result, result) };
	skip_table(&in, "### DONE");
	ck_assert_uint_eq(in.len, 0);
	in = (struct view){ refused, wire_put_refused(&with.presented.id, &refusal, refused) };
	skip_table(&in, "### REFUSED");
	ck_assert_uint_eq(in.len, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire_registration");
	TCase *t = suite_case(suite, "presentation");

	tcase_add_test(t, a_presentation_is_decoded_as_it_was_encoded);
	tcase_add_test(t, an_empty_presentation_has_an_encoding);
	tcase_add_test(t, the_longest_members_have_an_encoding);
	tcase_add_loop_test(t, a_member_beyond_its_limit_has_no_encoding, 0, 15);
	tcase_add_loop_test(t, a_truncated_presentation_is_refused, 0, 2);
	tcase_add_test(t, a_presentation_has_one_encoding);
	tcase_add_loop_test(t, values_out_of_range_are_refused, 0, 18);
	t = suite_case(suite, "result");
	tcase_add_test(t, a_result_is_decoded_as_it_was_encoded);
	tcase_add_loop_test(t, a_result_out_of_range_is_refused, 0, 6);
	tcase_add_test(t, a_long_failure_is_cut);
	t = suite_case(suite, "refusal");
	tcase_add_test(t, a_refusal_is_decoded_as_it_was_encoded);
	tcase_add_test(t, a_truncated_refusal_is_refused);
	t = suite_case(suite, "document");
	tcase_add_test(t, the_fields_are_as_documented);
	return suite_run(suite);
}
