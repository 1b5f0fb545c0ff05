/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_crl_walk.c - the parts of a revocation list, and its entries.
 *
 * Lists and entries are written in the notation of pki_der().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/crl_walk.h"
#include "pki_crl.h"
#include "suite.h"

#define NAME      "30( 31( 30( 06(550403) 0c('CA') ) ) )"
#define ALGORITHM "30( 06(2a8648ce3d040302) )"
#define THIS      "17('261101000000Z')"
#define NEXT      "17('261201000000Z')"
#define ENTRY     "30( 02(05) 17('261001000000Z') )"
#define NUMBER    "a0( 30( 30( 06(551d14) 04( 02(01) ) ) ) )"
#define SIGNATURE ALGORITHM "03(00 3003 020105)"

/* 2026-10-01 */
#define DATE INT64_C(1790812800000)

static void
assert_view(struct view v, const char *notation)
{
	uint8_t buffer[1024];
	struct view expected = pki_der(notation, buffer, sizeof(buffer));

	ck_assert_uint_eq(v.len, expected.len);
	if (v.len > 0)
		ck_assert_mem_eq(v.data, expected.data, v.len);
}

/*
 * The parts.
 */

static const struct {
	const char *what;
	const char *head, *entries, *tail;
} lists[] = {
	{ "everything", "02(01)" ALGORITHM NAME THIS NEXT, ENTRY ENTRY, NUMBER },
	{ "no version", ALGORITHM NAME THIS NEXT, ENTRY, NUMBER },
	{ "no nextUpdate", "02(01)" ALGORITHM NAME THIS, ENTRY, NUMBER },
	{ "no entries", "02(01)" ALGORITHM NAME THIS NEXT, "", NUMBER },
	{ "no extensions", "02(01)" ALGORITHM NAME THIS NEXT, ENTRY, "" },
	{ "as little as there can be", ALGORITHM NAME THIS, "", "" },
	{ "in times to come", "02(01)" ALGORITHM NAME "18('20501101000000Z') 18('20501201000000Z')",
	    ENTRY, NUMBER },
};

START_TEST(a_list_is_parsed)
{
	char text[1024], tbs[512], entries[256] = "";
	uint8_t buffer[1024];
	struct crl_parts parts;

	if (lists[_i].entries[0] != '\0')
		snprintf(entries, sizeof(entries), "30( %s )", lists[_i].entries);
	snprintf(tbs, sizeof(tbs), "30( %s %s %s )", lists[_i].head, entries, lists[_i].tail);
	snprintf(text, sizeof(text), "30( %s %s )", tbs, SIGNATURE);
	ck_assert_msg(crl_split(pki_der(text, buffer, sizeof(buffer)), &parts), "%s",
	    lists[_i].what);
	assert_view(parts.tbs, tbs);
	assert_view(parts.head, lists[_i].head);
	assert_view(parts.entries, lists[_i].entries);
	assert_view(parts.tail, lists[_i].tail);
	assert_view(parts.signature, SIGNATURE);
}
END_TEST

/* RFC 5280 5.1.2.6: it must be absent, but some CAs write an empty one. */
START_TEST(a_list_without_entries_is_empty)
{
	uint8_t buffer[512];
	struct crl_parts parts;

	ck_assert(crl_split(pki_der("30( 30(" ALGORITHM NAME THIS NEXT "30() ) " SIGNATURE ")",
				buffer, sizeof(buffer)),
	    &parts));
	ck_assert_uint_eq(parts.entries.len, 0);
	ck_assert_uint_eq(parts.tail.len, 0);
}
END_TEST

#define HEAD ALGORITHM NAME THIS NEXT

static const struct {
	const char *what;
	const char *notation;
} no_lists[] = {
	{ "nothing", "" },
	{ "no sequence", "31( 30(" HEAD ")" SIGNATURE ")" },
	{ "nothing in it", "30()" },
	{ "a byte behind it", "30( 30(" HEAD ")" SIGNATURE ") 00" },
	{ "the same list behind it",
	    "30( 30(" HEAD ")" SIGNATURE ") 30( 30(" HEAD ")" SIGNATURE ")" },
	{ "a longer length than needed", "30( 308139" HEAD SIGNATURE ")" },
	{ "of an indefinite length", "3080 30(" HEAD ")" SIGNATURE "0000" },
	{ "no issuer", "30( 30(" ALGORITHM THIS NEXT ")" SIGNATURE ")" },
	{ "no algorithm", "30( 30(" NAME THIS NEXT ")" SIGNATURE ")" },
	{ "no date", "30( 30(" ALGORITHM NAME ")" SIGNATURE ")" },
	{ "three dates", "30( 30(" HEAD NEXT ")" SIGNATURE ")" },
	{ "two versions", "30( 30( 02(01) 02(01)" HEAD ")" SIGNATURE ")" },
	{ "entries twice", "30( 30(" HEAD "30(" ENTRY ") 30(" ENTRY ") )" SIGNATURE ")" },
	{ "extensions twice", "30( 30(" HEAD NUMBER NUMBER ")" SIGNATURE ")" },
	{ "extensions before entries", "30( 30(" HEAD NUMBER "30(" ENTRY ") )" SIGNATURE ")" },
	{ "something behind the extensions", "30( 30(" HEAD NUMBER "0500 )" SIGNATURE ")" },
	{ "other extensions", "30( 30(" HEAD "a1( 30() ) )" SIGNATURE ")" },
	{ "extensions with too long a length", "30( 30(" HEAD "a08100 )" SIGNATURE ")" },
	{ "no signature", "30( 30(" HEAD ")" ALGORITHM ")" },
	{ "no algorithm of the signature", "30( 30(" HEAD ")  03(00 3003020105) )" },
	{ "an empty signature", "30( 30(" HEAD ")" ALGORITHM "03(00) )" },
	{ "a signature without its count of unused bits", "30( 30(" HEAD ")" ALGORITHM "03() )" },
	{ "a signature with unused bits", "30( 30(" HEAD ")" ALGORITHM "03(01 3003020104) )" },
	{ "something behind the signature", "30( 30(" HEAD ")" SIGNATURE "0500 )" },
};

START_TEST(other_structures_are_refused)
{
	uint8_t buffer[512];
	struct crl_parts parts;

	ck_assert_msg(!crl_split(pki_der(no_lists[_i].notation, buffer, sizeof(buffer)), &parts),
	    "%s", no_lists[_i].what);
}
END_TEST

/* In a buffer of exactly its size each time: a sanitizer sees a read behind it. */
START_TEST(a_truncated_list_is_refused)
{
	uint8_t buffer[512];
	struct view whole = pki_der("30( 30(" HEAD "30(" ENTRY ")" NUMBER ")" SIGNATURE ")", buffer,
	    sizeof(buffer));
	struct crl_parts parts;

	ck_assert(crl_split(whole, &parts));
	for (size_t len = 0; len < whole.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, whole.data, len);
		ck_assert(!crl_split((struct view){ copy, len }, &parts));
		free(copy);
	}
}
END_TEST

/*
 * Entries.
 */

#define REASON(n)     "30( 30( 06(551d15) 04( 0a(" n ") ) ) )"
#define EXTENSIONS(e) "30( 02(05) 17('261001000000Z') " e ")"

static const struct {
	const char *what;
	enum crl_step step;
	uint8_t reason;
	const char *notation;
} entries[] = {
	{ "a number and a date", CRL_STEP_ENTRY, 0, ENTRY },
	{ "in times to come", CRL_STEP_ENTRY, 0, "30( 02(05) 18('20261001000000Z') )" },
	{ "with a reason", CRL_STEP_ENTRY, 1, EXTENSIONS(REASON("01")) },
	{ "unspecified, in words", CRL_STEP_ENTRY, 0, EXTENSIONS(REASON("00")) },
	{ "on hold", CRL_STEP_ENTRY, REVOKED_HOLD, EXTENSIONS(REASON("06")) },
	{ "the last reason", CRL_STEP_ENTRY, REVOKED_REASON_MAX, EXTENSIONS(REASON("0a")) },
	/* RFC 5280 5.3.1: only delta lists have these. */
	{ "not revoked any more", CRL_STEP_DELTA, 8, EXTENSIONS(REASON("08")) },
	/* Unassigned reasons: the certificate is revoked. */
	{ "reason 7", CRL_STEP_ENTRY, 0, EXTENSIONS(REASON("07")) },
	{ "reason 11", CRL_STEP_ENTRY, 0, EXTENSIONS(REASON("0b")) },
	{ "reason -1", CRL_STEP_ENTRY, 0, EXTENSIONS(REASON("ff")) },
	{ "reason 264, which ends like 8", CRL_STEP_ENTRY, 0, EXTENSIONS(REASON("0108")) },
	{ "no extensions, in words", CRL_STEP_ENTRY, 0, EXTENSIONS("30()") },
	{ "a critical reason", CRL_STEP_ENTRY, 4,
	    EXTENSIONS("30( 30( 06(551d15) 01(ff) 04( 0a(04) ) ) )") },
	{ "not critical, in words", CRL_STEP_ENTRY, 4,
	    EXTENSIONS("30( 30( 06(551d15) 01(00) 04( 0a(04) ) ) )") },
	{ "invalid since", CRL_STEP_ENTRY, 0,
	    EXTENSIONS("30( 30( 06(551d18) 04( 18('20260901000000Z') ) ) )") },
	{ "a reason behind something else", CRL_STEP_ENTRY, 3,
	    EXTENSIONS("30( 30( 06(2a0304) 04(0500) ) 30( 06(551d15) 04( 0a(03) ) ) )") },
	{ "something else behind a reason", CRL_STEP_ENTRY, 3,
	    EXTENSIONS("30( 30( 06(551d15) 04( 0a(03) ) ) 30( 06(2a0304) 04() ) )") },
	{ "unknown and critical", CRL_STEP_UNKNOWN, 0,
	    EXTENSIONS("30( 30( 06(2a0304) 01(ff) 04(0500) ) )") },
	{ "known to others and critical", CRL_STEP_UNKNOWN, 0,
	    EXTENSIONS("30( 30( 06(551d18) 01(ff) 04( 18('20260901000000Z') ) ) )") },
	{ "unknown and critical behind a reason", CRL_STEP_UNKNOWN, 3,
	    EXTENSIONS("30( 30( 06(551d15) 04( 0a(03) ) ) 30( 06(2a0304) 01(ff) 04() ) )") },
	{ "of another issuer", CRL_STEP_INDIRECT, 0,
	    EXTENSIONS("30( 30( 06(551d1d) 01(ff) 04( 30( a4(" NAME ") ) ) ) )") },
	{ "of another issuer, not critical", CRL_STEP_INDIRECT, 0,
	    EXTENSIONS("30( 30( 06(551d1d) 04( 30( a4(" NAME ") ) ) ) )") },
	{ "two reasons", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(551d15) 04( 0a(03) ) ) 30( 06(551d15) 04( 0a(06) ) ) )") },
	{ "nothing in it", CRL_STEP_BROKEN, 0, "30()" },
	{ "no sequence", CRL_STEP_BROKEN, 0, "31( 02(05) 17('261001000000Z') )" },
	{ "no number", CRL_STEP_BROKEN, 0, "30( 17('261001000000Z') )" },
	{ "an empty number", CRL_STEP_BROKEN, 0, "30( 02() 17('261001000000Z') )" },
	{ "a number in more bytes than it needs", CRL_STEP_BROKEN, 0,
	    "30( 02(0005) 17('261001000000Z') )" },
	{ "no date", CRL_STEP_BROKEN, 0, "30( 02(05) )" },
	{ "no date but a reason", CRL_STEP_BROKEN, 0, "30( 02(05)" REASON("01") ")" },
	{ "a date without seconds", CRL_STEP_BROKEN, 0, "30( 02(05) 17('2610010000Z') )" },
	{ "a day that is none", CRL_STEP_BROKEN, 0, "30( 02(05) 17('260230000000Z') )" },
	{ "two dates", CRL_STEP_BROKEN, 0, "30( 02(05) 17('261001000000Z') 17('261001000000Z') )" },
	{ "something behind the extensions", CRL_STEP_BROKEN, 0, EXTENSIONS(REASON("01") "0500") },
	{ "a length that is longer than needed", CRL_STEP_BROKEN, 0,
	    "308112 02(05) 17('261001000000Z')" },
	{ "an empty reason", CRL_STEP_BROKEN, 0, EXTENSIONS("30( 30( 06(551d15) 04() ) )") },
	{ "a reason without a number", CRL_STEP_BROKEN, 0, EXTENSIONS(REASON("")) },
	{ "a reason in more bytes than it needs", CRL_STEP_BROKEN, 0, EXTENSIONS(REASON("0001")) },
	{ "a reason that is an INTEGER", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(551d15) 04( 02(01) ) ) )") },
	{ "something behind the reason", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(551d15) 04( 0a(01) 0500 ) ) )") },
	{ "an extension without a value", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(551d15) ) )") },
	{ "an extension without a name", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 04( 0a(01) ) ) )") },
	{ "an extension with an empty name", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06() 04( 0a(01) ) ) )") },
	{ "an extension with a truncated name", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(2a0384) 04( 0a(01) ) ) )") },
	{ "an extension with a non-minimal name", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(2a8003) 04( 0a(01) ) ) )") },
	{ "a name of two bytes for a number", CRL_STEP_ENTRY, 0,
	    EXTENSIONS("30( 30( 06(2a8103) 04( 0a(01) ) ) )") },
	{ "something behind an extension's value", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(551d15) 04( 0a(01) ) 0500 ) )") },
	{ "critical or not", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(551d15) 01(01) 04( 0a(01) ) ) )") },
	{ "critical in no bytes", CRL_STEP_BROKEN, 0,
	    EXTENSIONS("30( 30( 06(551d15) 01() 04( 0a(01) ) ) )") },
	{ "no extension in the extensions", CRL_STEP_BROKEN, 0, EXTENSIONS("30( 0500 )") },
};

START_TEST(an_entry_has_serial_number_date_and_reason)
{
	uint8_t buffer[256];
	struct view in = pki_der(entries[_i].notation, buffer, sizeof(buffer)), rest = in;
	struct view serial;
	struct revoked entry;

	ck_assert_msg(crl_next(&rest, &serial, &entry) == entries[_i].step, "%s", entries[_i].what);
	if (entries[_i].step != CRL_STEP_ENTRY)
		return;
	ck_assert_uint_eq(serial.len, 1);
	ck_assert_uint_eq(serial.data[0], 5);
	ck_assert(serial.data > in.data && serial.data < in.data + in.len);
	ck_assert_int_eq(entry.date, DATE);
	ck_assert_msg(entry.reason == entries[_i].reason, "%s: %u", entries[_i].what, entry.reason);
	ck_assert(crl_next(&rest, &serial, &entry) == CRL_STEP_END);
	ck_assert(crl_next(&rest, &serial, &entry) == CRL_STEP_END);
	ck_assert_uint_eq(serial.len, 0);
	ck_assert_int_eq(entry.date, 0);
}
END_TEST

START_TEST(a_truncated_entry_is_refused)
{
	uint8_t buffer[256];
	struct view whole = pki_der(EXTENSIONS(REASON("01")), buffer, sizeof(buffer)), serial;
	struct revoked entry;

	for (size_t len = 1; len < whole.len; len++) {
		uint8_t *copy = malloc(len);
		struct view rest = { copy, len };

		memcpy(copy, whole.data, len);
		ck_assert(crl_next(&rest, &serial, &entry) == CRL_STEP_BROKEN);
		free(copy);
	}
}
END_TEST

/* The same limit as der_certificate_serial(). */
START_TEST(a_serial_number_has_up_to_64_bytes)
{
	uint8_t buffer[256];
	char text[512], hex[2 * (SERIAL_MAX + 1) + 1];
	struct view rest, serial;
	struct revoked entry;

	for (size_t len = 1; len <= SERIAL_MAX + 1; len++) {
		memset(hex, '5', 2 * len);
		hex[2 * len] = '\0';
		snprintf(text, sizeof(text), "30( 02(%s) 17('261001000000Z') )", hex);
		rest = pki_der(text, buffer, sizeof(buffer));
		ck_assert(crl_next(&rest, &serial, &entry) ==
		    (len <= SERIAL_MAX ? CRL_STEP_ENTRY : CRL_STEP_BROKEN));
		ck_assert_uint_eq(serial.len, len <= SERIAL_MAX ? len : 0);
	}
}
END_TEST

/* RFC 5280 4.1.2.2: such numbers exist. */
START_TEST(a_serial_number_may_be_zero_or_negative)
{
	uint8_t buffer[256];
	struct view rest, serial;
	struct revoked entry;

	rest = pki_der("30( 02(00) 17('261001000000Z') ) 30( 02(ff7f) 17('261001000000Z') )",
	    buffer, sizeof(buffer));
	ck_assert(crl_next(&rest, &serial, &entry) == CRL_STEP_ENTRY);
	assert_view(serial, "00");
	ck_assert(crl_next(&rest, &serial, &entry) == CRL_STEP_ENTRY);
	assert_view(serial, "ff7f");
	ck_assert(crl_next(&rest, &serial, &entry) == CRL_STEP_END);
}
END_TEST

START_TEST(entries_are_read_in_the_order_of_the_list)
{
	struct pki_cert *ca = pki_ca("CA");
	struct pki_crl *l = pki_crl_make(&(struct pki_crl_options){ .issuer = ca, .many = 1000 });
	struct crl_parts parts;
	struct view serial;
	struct revoked entry;
	uint8_t expected[PKI_SERIAL_SIZE];

	ck_assert(crl_split(l->der, &parts));
	for (unsigned i = 0; i < 1000; i++) {
		pki_serial(i, expected);
		ck_assert(crl_next(&parts.entries, &serial, &entry) == CRL_STEP_ENTRY);
		ck_assert(view_equal(serial, (struct view){ expected, sizeof(expected) }));
	}
	ck_assert(crl_next(&parts.entries, &serial, &entry) == CRL_STEP_END);
	pki_crl_free(l);
	pki_free(ca);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crl_walk");
	TCase *t = suite_case(suite, "parts");

	tcase_add_loop_test(t, a_list_is_parsed, 0, COUNT_OF(lists));
	tcase_add_test(t, a_list_without_entries_is_empty);
	tcase_add_loop_test(t, other_structures_are_refused, 0, COUNT_OF(no_lists));
	tcase_add_test(t, a_truncated_list_is_refused);
	t = suite_case(suite, "entries");
	tcase_add_loop_test(t, an_entry_has_serial_number_date_and_reason, 0, COUNT_OF(entries));
	tcase_add_test(t, a_truncated_entry_is_refused);
	tcase_add_test(t, a_serial_number_has_up_to_64_bytes);
	tcase_add_test(t, a_serial_number_may_be_zero_or_negative);
	tcase_add_test(t, entries_are_read_in_the_order_of_the_list);
	return suite_run(suite);
}
