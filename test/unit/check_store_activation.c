/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_activation.c - settings, notes, refusals, the schedule, templates,
 * counts and statuses on disk.
 */
#include <stdio.h>
#include <string.h>

#include "damage.h"
#include "suite.h"

#include "jitr/adapter/store.h"

#include "change.h" /* has a t: behind what has parameters of that name */

#define CREATED 1502379443476

/* The commit must fail with these words.  A new change is begun. */
static void
commit_fails(enum err expected, const char *words)
{
	ck_assert_int_eq(store_commit(&t), expected);
	ck_assert_str_eq(store_failure(world.store), words);
	world_change(&t);
}

static struct certid
id_number(unsigned n)
{
	struct certid id = { { (uint8_t)n, (uint8_t)(n >> 8) } };

	return id;
}

static unsigned
number_of(const struct certid *id)
{
	return (unsigned)id->b[1] << 8 | id->b[0];
}

static struct cert
cert_number(unsigned n)
{
	return (struct cert){ .id = id_number(n),
		.status = CERT_ACTIVE,
		.created = CREATED + n,
		.not_after = CREATED + 1000 + n };
}

static void
put_cert(unsigned n, enum cert_status status)
{
	struct cert cert = cert_number(n);

	cert.status = status;
	store_put_cert(&t, &cert, NULL);
}

static bool
is_text(struct view v, const char *text)
{
	return view_equal(v, view_of(text));
}

/*
 * Settings.
 */

static struct ca_settings
some_settings(void)
{
	return (struct ca_settings){ .crl_check = CRL_GRACE,
		.crl_grace_days = 30,
		.crl_file = view_of("/etc/plant.crl"),
		.activation = view_of("{\"thing\":\"x\"}"),
		.supersedes = true,
		.supersede_after = 5000,
		.template_name = view_of("plant") };
}

static void
assert_settings(const struct ca_settings *got)
{
	ck_assert_int_eq(got->crl_check, CRL_GRACE);
	ck_assert_uint_eq(got->crl_grace_days, 30);
	ck_assert(is_text(got->crl_file, "/etc/plant.crl"));
	ck_assert(is_text(got->activation, "{\"thing\":\"x\"}"));
	ck_assert(got->supersedes);
	ck_assert_int_eq(got->supersede_after, 5000);
	ck_assert(is_text(got->template_name, "plant"));
}

START_TEST(settings_are_stored_and_replaced)
{
	struct certid ca = id_number(1), other = id_number(2);
	struct ca_settings settings = some_settings(), got;

	ck_assert_int_eq(store_get_ca_settings(&t, &ca, &got), ERR_NOT_FOUND);
	store_put_ca_settings(&t, &ca, &settings);
	commit();
	ck_assert_int_eq(store_get_ca_settings(&t, &ca, &got), ERR_OK);
	assert_settings(&got);
	ck_assert_int_eq(store_get_ca_settings(&t, &other, &got), ERR_NOT_FOUND);
	settings = CA_SETTINGS_DEFAULT;
	store_put_ca_settings(&t, &ca, &settings);
	commit();
	ck_assert_int_eq(store_get_ca_settings(&t, &ca, &got), ERR_OK);
	ck_assert_int_eq(got.crl_check, CRL_IF_PRESENT);
	ck_assert_uint_eq(got.activation.len, 0);
}
END_TEST

START_TEST(settings_are_listed_by_their_cas)
{
	struct ca_setting_entry out[8];
	struct certid at, *after = NULL;
	size_t count, seen = 0;

	for (unsigned n = 5; n >= 1; n--) {
		struct ca_settings settings = some_settings();
		struct certid ca = id_number(n);

		store_put_ca_settings(&t, &ca, &settings);
	}
	commit();
	do {
		ck_assert_int_eq(store_list_ca_settings(&t, after, out, (size_t)_i, &count),
		    ERR_OK);
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_eq(number_of(&out[i].id), ++seen);
			assert_settings(&out[i].settings);
			at = out[i].id;
		}
		after = &at;
	} while (count == (size_t)_i);
	ck_assert_uint_eq(seen, 5);
}
END_TEST

/* As every update does: the kept texts lie on a page that the put changes. */
START_TEST(records_can_be_put_with_the_views_of_a_get)
{
	struct ca_settings settings = some_settings();
	struct provisioning_template made = { .name = view_of("t"),
		.body = view_of("body"),
		.description = view_of("description") };
	struct cert_note note = { .text = view_of("note") };
	struct refusal refusal = { .code = view_of("code"), .client_id = view_of("client") };
	struct certid id = id_number(1);

	for (unsigned round = 0; round < 50; round++) {
		struct certid other = id_number(2 + round);

		store_put_ca_settings(&t, &id, &settings);
		store_put_ca_settings(&t, &other, &settings);
		store_put_template(&t, &made);
		store_put_cert_note(&t, &id, &note);
		store_put_cert_note(&t, &other, &note);
		store_put_refusal(&t, &id, &refusal);
		store_put_refusal(&t, &other, &refusal);
		ck_assert_int_eq(store_get_ca_settings(&t, &id, &settings), ERR_OK);
		ck_assert_int_eq(store_get_template(&t, view_of("t"), &made), ERR_OK);
		ck_assert_int_eq(store_get_cert_note(&t, &id, &note), ERR_OK);
		ck_assert_int_eq(store_get_refusal(&t, &id, &refusal), ERR_OK);
		commit();
		ck_assert_int_eq(store_get_ca_settings(&t, &id, &settings), ERR_OK);
		ck_assert_int_eq(store_get_template(&t, view_of("t"), &made), ERR_OK);
		ck_assert_int_eq(store_get_cert_note(&t, &id, &note), ERR_OK);
		ck_assert_int_eq(store_get_refusal(&t, &id, &refusal), ERR_OK);
	}
	assert_settings(&settings);
	ck_assert(is_text(made.body, "body") && is_text(made.description, "description"));
	ck_assert(is_text(note.text, "note"));
	ck_assert(is_text(refusal.code, "code") && is_text(refusal.client_id, "client"));
}
END_TEST

/*
 * Notes and refusals.
 */

START_TEST(notes_and_refusals_are_stored_and_deleted_with_the_certificate)
{
	struct cert_note note = { .time = CREATED,
		.superseded = true,
		.successor = id_number(7),
		.text = view_of("another one came") },
			 got;
	struct refusal refusal = { .time = CREATED + 1,
		.code = view_of("revoked"),
		.details = view_of("on the list"),
		.client_id = view_of("pump"),
		.address = view_of("192.0.2.7") },
		       last;
	struct certid id = id_number(1);

	put_cert(1, CERT_ACTIVE);
	put_cert(2, CERT_ACTIVE);
	ck_assert_int_eq(store_get_cert_note(&t, &id, &got), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_refusal(&t, &id, &last), ERR_NOT_FOUND);
	store_put_cert_note(&t, &id, &note);
	store_put_refusal(&t, &id, &refusal);
	commit();
	ck_assert_int_eq(store_get_cert_note(&t, &id, &got), ERR_OK);
	ck_assert_int_eq(got.time, CREATED);
	ck_assert(got.superseded && number_of(&got.successor) == 7);
	ck_assert(is_text(got.text, "another one came"));
	ck_assert_int_eq(store_get_refusal(&t, &id, &last), ERR_OK);
	ck_assert_int_eq(last.time, CREATED + 1);
	ck_assert(is_text(last.code, "revoked") && is_text(last.details, "on the list"));
	ck_assert(is_text(last.client_id, "pump") && is_text(last.address, "192.0.2.7"));
	put_cert(1, CERT_REVOKED);
	ck_assert_int_eq(store_get_cert_note(&t, &id, &got), ERR_OK);
	store_delete_cert_note(&t, &id);
	ck_assert_int_eq(store_get_cert_note(&t, &id, &got), ERR_NOT_FOUND);
	store_put_cert_note(&t, &id, &note);
	store_delete_cert(&t, &id);
	commit();
	ck_assert_int_eq(store_get_cert_note(&t, &id, &got), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_refusal(&t, &id, &last), ERR_NOT_FOUND);
}
END_TEST

/* A client id may have 65535 bytes.  Truncation is between characters (RFC 3629). */
static const struct {
	const char *what, *around; /* the character at the limit */
	size_t before;             /* bytes in front of it */
	size_t kept;
} cuts[] = {
	{ "fits", "", 512, 512 },
	{ "a byte too long", "x", 512, 512 },
	{ "much too long", "xxxxxxxxxxxx", 512, 512 },
	{ "a character that just fits", "\xc3\xa4zz", 510, 512 },
	{ "a character of two bytes", "\xc3\xa4zz", 511, 511 },
	{ "a character of three bytes, one too many", "\xe2\x82\xaczz", 510, 510 },
	{ "a character of three bytes, two too many", "\xe2\x82\xaczz", 511, 511 },
	{ "a character of four bytes, one too many", "\xf0\x9f\x94\x91zz", 509, 509 },
	{ "a character of four bytes, three too many", "\xf0\x9f\x94\x91zz", 511, 511 },
	{ "a character behind it", "\xf0\x9f\x94\x91zz", 512, 512 },
	{ "no characters at all", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 506, 509 },
};

START_TEST(a_long_text_is_truncated_between_characters)
{
	char text[600];
	size_t len = cuts[_i].before + strlen(cuts[_i].around);
	struct view whole = { (const uint8_t *)text, len };
	struct cert_note note = { .text = whole };
	struct refusal refusal = { 0, whole, whole, whole, whole };
	struct certid id = id_number(1);

	memset(text, 'a', sizeof(text));
	memcpy(text + cuts[_i].before, cuts[_i].around, strlen(cuts[_i].around));
	store_put_cert_note(&t, &id, &note);
	store_put_refusal(&t, &id, &refusal);
	commit();
	ck_assert_int_eq(store_get_cert_note(&t, &id, &note), ERR_OK);
	ck_assert_msg(note.text.len == cuts[_i].kept, "%s: %zu", cuts[_i].what, note.text.len);
	ck_assert_mem_eq(note.text.data, text, note.text.len);
	ck_assert_int_eq(store_get_refusal(&t, &id, &refusal), ERR_OK);
	ck_assert_uint_eq(refusal.code.len, cuts[_i].kept);
	ck_assert_uint_eq(refusal.details.len, cuts[_i].kept);
	ck_assert_uint_eq(refusal.client_id.len, cuts[_i].kept);
	ck_assert_uint_eq(refusal.address.len, cuts[_i].kept);
}
END_TEST

/*
 * The schedule.
 */

static void
put_supersede(int64_t time, unsigned id, unsigned successor)
{
	struct schedule_entry entry = { SCHEDULE_SUPERSEDE, time, id_number(id),
		id_number(successor) };

	store_put_schedule(&t, &entry);
}

/* All entries of a kind, as numbers of certificates; they are not deleted. */
static const char *
schedule(enum schedule_kind kind)
{
	static char text[256];
	struct schedule_entry all[32];
	size_t count = 0, len = 0;
	int64_t last = INT64_MIN;

	text[0] = '\0';
	while (store_next_schedule(&t, kind, &all[count]) == ERR_OK) {
		ck_assert_int_eq(all[count].kind, kind);
		ck_assert_int_ge(all[count].time, last);
		last = all[count].time;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u",
		    count > 0 ? " " : "", number_of(&all[count].id));
		store_delete_schedule(&t, &all[count++]);
		ck_assert_uint_lt(count, COUNT_OF(all));
	}
	while (count > 0)
		store_put_schedule(&t, &all[--count]);
	return text;
}

START_TEST(the_schedule_is_in_the_order_of_time)
{
	static const int64_t times[] = { INT64_MAX, CREATED, CREATED - 1, 1, 0, -1, -CREATED,
		INT64_MIN };
	struct schedule_entry entry;

	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_NOT_FOUND);
	for (unsigned i = 0; i < COUNT_OF(times); i++)
		put_supersede(times[i], 20 - i, i);
	put_supersede(0, 30, 1); /* at the same time: by id */
	put_supersede(0, 2, 1);
	commit();
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_OK);
	ck_assert_int_eq(entry.time, INT64_MIN);
	ck_assert_uint_eq(number_of(&entry.successor), 7);
	ck_assert_str_eq(schedule(SCHEDULE_SUPERSEDE), "13 14 15 2 16 30 17 18 19 20");
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_EXPIRY, &entry), ERR_NOT_FOUND);
}
END_TEST

START_TEST(entries_of_the_schedule_differ_by_kind_time_and_certificate)
{
	struct schedule_entry entry = { SCHEDULE_SUPERSEDE, CREATED, id_number(1), id_number(2) };

	put_cert(1, CERT_ACTIVE);
	put_supersede(CREATED, 1, 2);
	put_supersede(CREATED, 1, 3); /* another successor: the same entry */
	put_supersede(CREATED + 1, 1, 4);
	ck_assert_str_eq(schedule(SCHEDULE_SUPERSEDE), "1 1");
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "1");
	store_delete_schedule(&t, &entry);
	store_delete_schedule(&t, &entry);
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_OK);
	ck_assert_int_eq(entry.time, CREATED + 1);
	ck_assert_uint_eq(number_of(&entry.successor), 4);
	entry.kind = SCHEDULE_EXPIRY; /* not its time */
	store_delete_schedule(&t, &entry);
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "1");
}
END_TEST

/* The entry is deleted once its expiry was announced.  Other changes of the certificate do not
 * put it back. */
START_TEST(a_certificate_is_on_the_schedule_until_its_expiry_was_announced)
{
	struct cert cert = cert_number(1);
	struct schedule_entry entry;

	store_put_cert(&t, &cert, NULL);
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "1");
	cert.status = CERT_INACTIVE;
	store_put_cert(&t, &cert, NULL);
	commit();
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_EXPIRY, &entry), ERR_OK);
	ck_assert_int_eq(entry.time, cert.not_after);
	store_delete_schedule(&t, &entry);
	commit();
	cert.status = CERT_ACTIVE;
	cert.created++;
	cert.has_ca = true;
	store_put_cert(&t, &cert, &(struct cert_document){ .der = view_of("der") });
	commit();
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "");
	cert.not_after++;
	store_put_cert(&t, &cert, NULL);
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "1");
	cert.not_after = INT64_MIN;
	store_put_cert(&t, &cert, NULL);
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "1");
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_EXPIRY, &entry), ERR_OK);
	ck_assert_int_eq(entry.time, INT64_MIN);
}
END_TEST

START_TEST(deleting_a_certificate_removes_it_from_the_schedule_and_registering_adds_it)
{
	struct cert one = cert_number(1), two = cert_number(2);
	struct schedule_entry entry;

	store_put_cert(&t, &one, NULL);
	store_put_cert(&t, &two, NULL);
	put_supersede(CREATED, 1, 2);
	store_delete_cert(&t, &one.id);
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "2");
	ck_assert_str_eq(schedule(SCHEDULE_SUPERSEDE), "1");
	store_put_cert(&t, &one, NULL);
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_EXPIRY, &entry), ERR_OK);
	ck_assert_uint_eq(number_of(&entry.id), 1);
	store_delete_schedule(&t, &entry);
	store_delete_cert(&t, &one.id);
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "2");
	store_put_cert(&t, &one, NULL);
	ck_assert_str_eq(schedule(SCHEDULE_EXPIRY), "1 2");
}
END_TEST

/*
 * Templates.
 */

static void
put_template(const char *name)
{
	struct provisioning_template made = { .name = view_of(name),
		.enabled = true,
		.created = CREATED,
		.modified = CREATED + 1,
		.generation = { { 1, 2 } },
		.description = view_of(name),
		.role_arn = view_of("arn"),
		.body = view_of("{}") };

	store_put_template(&t, &made);
}

static const char *
templates(size_t page)
{
	static char text[256];
	struct provisioning_template out[8];
	struct view at, *after = NULL;
	size_t count, len = 0;

	text[0] = '\0';
	do {
		ck_assert_int_eq(store_list_templates(&t, after, out, page, &count), ERR_OK);
		for (size_t i = 0; i < count; i++) {
			at = out[i].name;
			ck_assert(view_equal(out[i].description, at));
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s",
			    len > 0 ? " " : "", (int)at.len, (const char *)at.data);
		}
		after = &at;
	} while (count == page);
	return text;
}

START_TEST(a_template_is_stored_replaced_and_deleted)
{
	struct provisioning_template got;

	put_template("plant");
	commit();
	ck_assert_int_eq(store_get_template(&t, view_of("plant"), &got), ERR_OK);
	ck_assert(is_text(got.name, "plant") && got.enabled);
	ck_assert_int_eq(got.created, CREATED);
	ck_assert_int_eq(got.modified, CREATED + 1);
	ck_assert_mem_eq(got.generation.b, ((uint8_t[16]){ 1, 2 }), 16);
	ck_assert(is_text(got.description, "plant") && is_text(got.role_arn, "arn"));
	ck_assert(is_text(got.body, "{}"));
	got.enabled = false;
	got.body = view_of("[]");
	store_put_template(&t, &got);
	commit();
	ck_assert_int_eq(store_get_template(&t, view_of("plant"), &got), ERR_OK);
	ck_assert(!got.enabled && is_text(got.body, "[]"));
	ck_assert_int_eq(store_get_template(&t, view_of("plan"), &got), ERR_NOT_FOUND);
	store_delete_template(&t, view_of("plant"));
	store_delete_template(&t, view_of("plant"));
	commit();
	ck_assert_int_eq(store_get_template(&t, view_of("plant"), &got), ERR_NOT_FOUND);
}
END_TEST

START_TEST(templates_are_listed_by_name)
{
	put_template("b");
	put_template("a");
	put_template("bb");
	put_template("-");
	put_template("B");
	commit();
	ck_assert_str_eq(templates((size_t)_i), "- B a b bb");
}
END_TEST

START_TEST(a_template_has_a_name_of_1_to_36_bytes)
{
	static const struct {
		size_t len;
		int zero_at;
		bool fits;
	} names[] = {
		{ 1, -1, true },
		{ 36, -1, true },
		{ 0, -1, false },
		{ 37, -1, false },
		{ 128, -1, false },
		{ 5, 4, false },
	};
	char bytes[128];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct provisioning_template made = { .name = { (uint8_t *)bytes, names[i].len } },
					     got;

		memset(bytes, 'n', sizeof(bytes));
		if (names[i].zero_at >= 0)
			bytes[names[i].zero_at] = '\0';
		store_put_template(&t, &made);
		ck_assert_int_eq(t.failed == ERR_OK, names[i].fits);
		ck_assert_int_eq(store_get_template(&t, made.name, &got),
		    names[i].fits ? ERR_OK : ERR_NOT_FOUND);
		store_delete_template(&t, made.name);
		store_end(&t);
		world_change(&t);
	}
}
END_TEST

/*
 * Statuses and counts.
 */

static const char *
with_status(enum cert_status status, bool ascending, size_t page)
{
	static char text[256];
	struct listing l = { .status = &status, .ascending = ascending };
	struct position after;
	struct cert out[16];
	size_t count, len = 0;

	text[0] = '\0';
	do {
		ck_assert_int_eq(store_list_certs(&t, &l, out, page, &count), ERR_OK);
		for (size_t i = 0; i < count; i++) {
			ck_assert_int_eq(out[i].status, status);
			after = (struct position){ out[i].created, out[i].id };
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u",
			    len > 0 ? " " : "", number_of(&out[i].id));
		}
		l.after = &after;
	} while (count == page);
	return text;
}

START_TEST(certificates_of_a_status_are_listed_by_creation)
{
	size_t page = (size_t)_i;

	for (unsigned n = 0; n < 15; n++)
		put_cert(n, (enum cert_status)(n * 2 % CERT_STATUS_COUNT));
	commit();
	ck_assert_str_eq(with_status(CERT_INACTIVE, true, page), "0 5 10");
	ck_assert_str_eq(with_status(CERT_INACTIVE, false, page), "10 5 0");
	ck_assert_str_eq(with_status(CERT_REVOKED, true, page), "1 6 11");
	ck_assert_str_eq(with_status(CERT_PENDING_ACTIVATION, false, page), "12 7 2");
	put_cert(6, CERT_INACTIVE);
	commit();
	ck_assert_str_eq(with_status(CERT_INACTIVE, true, page), "0 5 6 10");
	ck_assert_str_eq(with_status(CERT_REVOKED, false, page), "11 1");
}
END_TEST

/* Certificates of a CA are filtered one by one (store.h). */
START_TEST(a_listing_by_ca_has_every_status)
{
	enum cert_status status = CERT_REVOKED;
	struct cert cert = cert_number(1), out[2];
	struct listing l = { .ca = &cert.ca_id, .status = &status, .ascending = true };
	size_t count;

	cert.has_ca = true;
	store_put_cert(&t, &cert, NULL);
	ck_assert_int_eq(store_list_certs(&t, &l, out, 2, &count), ERR_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(out[0].status, CERT_ACTIVE);
}
END_TEST

START_TEST(a_position_in_a_status_need_not_name_an_entry)
{
	enum cert_status status = CERT_ACTIVE;
	struct position after = { CREATED + 2, id_number(77) };
	struct listing l = { .status = &status, .after = &after, .ascending = true };
	struct cert out[8];
	size_t count;

	for (unsigned n = 0; n < 6; n++)
		put_cert(n, n == 2 ? CERT_INACTIVE : CERT_ACTIVE);
	commit();
	ck_assert_int_eq(store_list_certs(&t, &l, out, 8, &count), ERR_OK);
	ck_assert_uint_eq(count, 3);
	l.ascending = false;
	ck_assert_int_eq(store_list_certs(&t, &l, out, 8, &count), ERR_OK);
	ck_assert_uint_eq(count, 2);
	after.created = -1;
	ck_assert_int_eq(store_list_certs(&t, &l, out, 8, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	l.ascending = true;
	ck_assert_int_eq(store_list_certs(&t, &l, out, 8, &count), ERR_OK);
	ck_assert_uint_eq(count, 5);
}
END_TEST

static struct store_counts
count_all(void)
{
	struct store_counts counts;

	ck_assert_int_eq(store_count(&t, &counts), ERR_OK);
	return counts;
}

START_TEST(every_record_is_counted)
{
	struct policy_record policy = { .name = view_of("p"),
		.default_version = 1,
		.last_version = 1 };
	struct thing thing = { .name = view_of("t") };
	struct ca ca = { .id = id_number(1) };
	struct store_counts before = count_all(), counts;

	for (int i = 0; i < CERT_STATUS_COUNT; i++)
		ck_assert_uint_eq(before.certs[i], 0);
	ck_assert_uint_eq(before.cas + before.policies + before.things + before.messages, 0);
	for (unsigned n = 0; n < 3000; n++)
		put_cert(n, n < 1000 ? CERT_ACTIVE : CERT_REVOKED);
	store_put_ca(&t, &ca, NULL);
	store_put_policy(&t, &policy);
	store_put_thing(&t, &thing);
	store_post(&t, view_of("a"), view_of("b"));
	store_post(&t, view_of("a"), view_of("b"));
	commit();
	counts = count_all();
	ck_assert_uint_eq(counts.certs[CERT_ACTIVE], 1000);
	ck_assert_uint_eq(counts.certs[CERT_REVOKED], 2000);
	ck_assert_uint_eq(counts.cas, 1);
	ck_assert_uint_eq(counts.policies, 1);
	ck_assert_uint_eq(counts.things, 1);
	ck_assert_uint_eq(counts.messages, 2);
	ck_assert_uint_gt(counts.bytes_used, before.bytes_used);
	ck_assert_uint_gt(counts.bytes_used, 3000 * 100);
	ck_assert_uint_gt(counts.bytes_most, counts.bytes_used);
}
END_TEST

START_TEST(counts_follow_every_change)
{
	struct certid id = id_number(1);

	put_cert(1, CERT_PENDING_ACTIVATION);
	put_cert(2, CERT_ACTIVE);
	put_cert(1, CERT_ACTIVE);
	put_cert(1, CERT_ACTIVE);
	ck_assert_uint_eq(count_all().certs[CERT_PENDING_ACTIVATION], 0);
	ck_assert_uint_eq(count_all().certs[CERT_ACTIVE], 2);
	commit();
	store_delete_cert(&t, &id);
	store_delete_cert(&t, &id);
	ck_assert_uint_eq(count_all().certs[CERT_ACTIVE], 1);
	store_end(&t);
	world_change(&t);
	ck_assert_uint_eq(count_all().certs[CERT_ACTIVE], 2);
}
END_TEST

/*
 * Failure and damage.
 */

START_TEST(a_record_that_cannot_be_encoded_fails_with_a_text)
{
	struct ca_settings settings = { .crl_grace_days = 1 };
	struct provisioning_template made = { .name = view_of("t"), .created = -1 };
	struct certid id = id_number(1);

	store_put_ca_settings(&t, &id, &settings);
	commit_fails(ERR_STORAGE, "settings of a CA that cannot be encoded");
	store_put_template(&t, &made);
	commit_fails(ERR_STORAGE, "a provisioning template that cannot be encoded");
	ck_assert_int_eq(store_get_ca_settings(&t, &id, &settings), ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_damaged_record_is_reported)
{
	struct ca_setting_entry entry;
	struct provisioning_template made;
	struct ca_settings settings;
	struct certid id = id_number(1);
	struct cert_note note;
	struct refusal refusal;
	size_t count;

	damage(&t, "ca_settings", id.b, sizeof(id.b), "rubbish", 7);
	damage(&t, "cert_note", id.b, sizeof(id.b), "rubbish", 7);
	damage(&t, "refusal", id.b, sizeof(id.b), "", 0);
	damage(&t, "template", "t", 1, "rubbish", 7);
	ck_assert_int_eq(store_get_ca_settings(&t, &id, &settings), ERR_CORRUPT);
	ck_assert_int_eq(settings.crl_check, CRL_REQUIRED); /* no value that admits */
	ck_assert_int_eq(store_list_ca_settings(&t, NULL, &entry, 1, &count), ERR_CORRUPT);
	ck_assert_int_eq(store_get_cert_note(&t, &id, &note), ERR_CORRUPT);
	ck_assert_int_eq(store_get_refusal(&t, &id, &refusal), ERR_CORRUPT);
	ck_assert_int_eq(store_get_template(&t, view_of("t"), &made), ERR_CORRUPT);
	ck_assert(!made.enabled);
	ck_assert_int_eq(store_list_templates(&t, NULL, &made, 1, &count), ERR_CORRUPT);
	damage(&t, "template", "t234567890123456789012345678901234567", 37, "", 0);
	store_delete_template(&t, view_of("t"));
	ck_assert_int_eq(store_list_templates(&t, NULL, &made, 1, &count), ERR_CORRUPT);
	damage(&t, "ca_settings", "short", 5, "", 0);
	ck_assert_int_eq(store_list_ca_settings(&t, &id, &entry, 1, &count), ERR_CORRUPT);
}
END_TEST

/* It can be deleted, so it does not block the entries behind it. */
START_TEST(a_damaged_entry_of_the_schedule_is_reported_and_can_be_deleted)
{
	struct certid id = id_number(1);
	uint8_t key[41] = { SCHEDULE_SUPERSEDE, 0x80, 0, 0, 0, 0, 0, 0, 5 };
	struct schedule_entry entry;

	memcpy(key + 9, id.b, sizeof(id.b));
	put_cert(2, CERT_ACTIVE);
	put_supersede(CREATED, 2, 3);
	damage(&t, "agenda", key, sizeof(key), "rubbish", 7);
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_CORRUPT);
	ck_assert_int_eq(entry.kind, SCHEDULE_SUPERSEDE);
	ck_assert_int_eq(entry.time, 5);
	ck_assert_uint_eq(number_of(&entry.id), 1);
	store_delete_schedule(&t, &entry);
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_OK);
	ck_assert_uint_eq(number_of(&entry.id), 2);
	damage(&t, "agenda", key, 8, "", 0);
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_CORRUPT);
	ck_assert_uint_eq(number_of(&entry.id), 0);
}
END_TEST

/* Time of creation and beginning of the id (doc/storage.md). */
static void
place_of(int64_t created, const struct certid *id, char out[12])
{
	for (size_t i = 0; i < 6; i++) {
		out[i] = (char)((uint64_t)created >> (40 - 8 * i));
		out[6 + i] = (char)id->b[i];
	}
}

/* The row of a certificate without a record, and one whose record cannot be read. */
START_TEST(a_damaged_expiry_is_reported_and_can_be_dropped_or_deleted)
{
	struct certid nobody = id_number(7), id = id_number(1);
	char row[20] = { (char)0x80, 0, 0, 0, 0, 0, 0, 5 };
	struct schedule_entry entry;

	put_cert(1, CERT_ACTIVE);
	put_cert(2, CERT_ACTIVE);
	place_of(CREATED, &nobody, row + 8);
	damage(&t, "expiry", "", 1, row, sizeof(row));
	damage(&t, "cert", id.b, sizeof(id.b), "rubbish", 7);
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_EXPIRY, &entry), ERR_CORRUPT);
	ck_assert_int_eq(entry.time, 5);
	store_drop_schedule(&t, SCHEDULE_EXPIRY);
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_EXPIRY, &entry), ERR_OK);
	ck_assert_uint_eq(number_of(&entry.id), 1);
	ck_assert_int_eq(entry.time, CREATED + 1001);
	store_delete_schedule(&t, &entry);
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_EXPIRY, &entry), ERR_OK);
	ck_assert_uint_eq(number_of(&entry.id), 2);
}
END_TEST

START_TEST(an_index_of_statuses_that_disagrees_is_reported)
{
	enum cert_status status = CERT_REVOKED;
	struct listing l = { .status = &status };
	struct certid id = id_number(_i == 0 ? 1 : 2);
	char place[12], key = CERT_REVOKED;
	struct cert out;
	size_t count;

	place_of(CREATED + 1, &id, place);
	put_cert(1, CERT_ACTIVE); /* 1 is not REVOKED; 2 does not exist */
	damage(&t, "status_cert", &key, 1, place, 12);
	ck_assert_int_eq(store_list_certs(&t, &l, &out, 1, &count), ERR_CORRUPT);
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* No decision depends on counts, so damaged ones do not prevent changes. */
START_TEST(damaged_counts_are_reported_and_certificates_can_still_change)
{
	struct certid id = id_number(1);
	struct store_counts counts;
	struct cert cert;

	put_cert(1, CERT_ACTIVE);
	damage(&t, "meta", "counts", 6, "rubbish", 7);
	ck_assert_int_eq(store_count(&t, &counts), ERR_CORRUPT);
	ck_assert_uint_eq(counts.certs[CERT_ACTIVE], 0);
	put_cert(1, CERT_REVOKED);
	put_cert(2, CERT_ACTIVE);
	store_delete_cert(&t, &id);
	commit();
	ck_assert_int_eq(store_count(&t, &counts), ERR_CORRUPT);
	id = id_number(2);
	ck_assert_int_eq(store_get_cert(&t, &id, &cert), ERR_OK);
}
END_TEST

START_TEST(counts_do_not_go_below_zero)
{
	struct certid id = id_number(1);

	put_cert(1, CERT_ACTIVE);
	damage(&t, "meta", "counts", 6, NULL, 0);
	put_cert(1, CERT_REVOKED);
	ck_assert_uint_eq(count_all().certs[CERT_ACTIVE], 0);
	ck_assert_uint_eq(count_all().certs[CERT_REVOKED], 1);
	store_delete_cert(&t, &id);
	ck_assert_uint_eq(count_all().certs[CERT_REVOKED], 0);
}
END_TEST

static TCase *
fixture_case(Suite *suite, const char *name)
{
	TCase *c = suite_case(suite, name);

	tcase_add_checked_fixture(c, change_open, change_close);
	return c;
}

int
main(void)
{
	Suite *suite = suite_create("store_activation");
	TCase *c = fixture_case(suite, "records");

	tcase_add_test(c, settings_are_stored_and_replaced);
	tcase_add_loop_test(c, settings_are_listed_by_their_cas, 1, 7);
	tcase_add_test(c, records_can_be_put_with_the_views_of_a_get);
	tcase_add_test(c, notes_and_refusals_are_stored_and_deleted_with_the_certificate);
	tcase_add_loop_test(c, a_long_text_is_truncated_between_characters, 0, COUNT_OF(cuts));
	tcase_add_test(c, a_template_is_stored_replaced_and_deleted);
	tcase_add_loop_test(c, templates_are_listed_by_name, 1, 7);
	tcase_add_test(c, a_template_has_a_name_of_1_to_36_bytes);

	c = fixture_case(suite, "schedule");
	tcase_add_test(c, the_schedule_is_in_the_order_of_time);
	tcase_add_test(c, entries_of_the_schedule_differ_by_kind_time_and_certificate);
	tcase_add_test(c, a_certificate_is_on_the_schedule_until_its_expiry_was_announced);
	tcase_add_test(c,
	    deleting_a_certificate_removes_it_from_the_schedule_and_registering_adds_it);

	c = fixture_case(suite, "statuses and counts");
	tcase_add_loop_test(c, certificates_of_a_status_are_listed_by_creation, 1, 6);
	tcase_add_test(c, a_listing_by_ca_has_every_status);
	tcase_add_test(c, a_position_in_a_status_need_not_name_an_entry);
	tcase_add_test(c, every_record_is_counted);
	tcase_add_test(c, counts_follow_every_change);

	c = fixture_case(suite, "failure and damage");
	tcase_add_test(c, a_record_that_cannot_be_encoded_fails_with_a_text);
	tcase_add_test(c, a_damaged_record_is_reported);
	tcase_add_test(c, a_damaged_entry_of_the_schedule_is_reported_and_can_be_deleted);
	tcase_add_test(c, a_damaged_expiry_is_reported_and_can_be_dropped_or_deleted);
	tcase_add_loop_test(c, an_index_of_statuses_that_disagrees_is_reported, 0, 3);
	tcase_add_test(c, damaged_counts_are_reported_and_certificates_can_still_change);
	tcase_add_test(c, counts_do_not_go_below_zero);
	return suite_run(suite);
}
