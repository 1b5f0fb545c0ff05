/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_der.c - DER that is read without OpenSSL.
 *
 * Certificates that OpenSSL made are read here without it.  Forged structures that would hide a
 * serial number are refused.
 */
#include <stdio.h>
#include <string.h>

#include "jitr/core/der.h"
#include "jitr/core/model.h"
#include "pki.h"
#include "suite.h"

#define DAY INT64_C(86400000)

/* Hexadecimal digits with optional blanks. */
static struct view
bytes_of(const char *hex, uint8_t *out)
{
	size_t len = 0, digits = 0;

	for (; *hex != '\0'; hex++) {
		static const char all[] = "0123456789abcdef";

		if (*hex == ' ')
			continue;
		out[len] = (uint8_t)(out[len] << 4 | (strchr(all, *hex) - all));
		len += ++digits % 2 == 0;
	}
	return (struct view){ out, len };
}

START_TEST(a_value_is_read_with_its_tag_its_content_and_all_its_bytes)
{
	uint8_t buffer[16] = { 0 };
	struct view rest = bytes_of("02 01 05  04 00  ff", buffer);
	struct der value;

	ck_assert(der_next(&rest, &value));
	ck_assert_uint_eq(value.tag, DER_INTEGER);
	ck_assert_uint_eq(value.content.len, 1);
	ck_assert_ptr_eq(value.content.data, buffer + 2);
	ck_assert_uint_eq(value.whole.len, 3);
	ck_assert_ptr_eq(value.whole.data, buffer);
	ck_assert(der_next(&rest, &value));
	ck_assert_uint_eq(value.tag, DER_OCTET_STRING);
	ck_assert_uint_eq(value.content.len, 0);
	ck_assert_uint_eq(value.whole.len, 2);
	ck_assert_uint_eq(rest.len, 1);
	ck_assert_ptr_eq(rest.data, buffer + 5);
}
END_TEST

START_TEST(a_value_with_another_tag_is_not_read)
{
	uint8_t buffer[16] = { 0 };
	struct view rest = bytes_of("02 01 05", buffer);
	struct der value = { .tag = 7 };

	ck_assert(!der_take(&rest, DER_SEQUENCE, &value));
	ck_assert_uint_eq(value.tag, 0);
	ck_assert_ptr_eq(rest.data, buffer);
	ck_assert_uint_eq(rest.len, 3);
	ck_assert(der_take(&rest, DER_INTEGER, &value));
	ck_assert_uint_eq(rest.len, 0);
	ck_assert(!der_take(&rest, DER_INTEGER, &value));
}
END_TEST

/* X.690 10.1; 8.1.2.4 and 8.1.3.6 are for BER only. */
static const struct {
	const char *what;
	const char *hex;
} no_values[] = {
	{ "nothing", "" },
	{ "a tag alone", "04" },
	{ "content cut short", "04 02 00" },
	{ "an indefinite length", "24 80 00 00" },
	{ "a length of 127 bytes in two", "04 81 7f 00" },
	{ "a length with a zero in front", "04 82 00 80 00" },
	{ "a length that is cut short", "04 82 01" },
	{ "a length that is not there", "04 83" },
	{ "a length of nine bytes", "04 89 01 00 00 00 00 00 00 00 00" },
	{ "a length of all there can be", "04 88 ff ff ff ff ff ff ff ff 00" },
	{ "the length that stands for none", "04 ff 00" },
	{ "a tag of two bytes", "1f 1f 01 00" },
	{ "a context's tag of two bytes", "bf 20 01 00" },
	{ "the end of what has no length", "00 00" },
};

START_TEST(malformed_der_is_refused)
{
	uint8_t buffer[16] = { 0 };
	struct view in = bytes_of(no_values[_i].hex, buffer), rest = in;
	struct der value = { .tag = 7 };

	ck_assert_msg(!der_next(&rest, &value), "%s", no_values[_i].what);
	ck_assert_uint_eq(value.tag, 0);
	ck_assert(view_equal(rest, in));
}
END_TEST

/* A length is in its shortest form. */
START_TEST(lengths_of_any_size_are_read)
{
	static const size_t lengths[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 100000 };
	static uint8_t in[100006];

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		size_t len = lengths[i], at = 1;
		struct view rest;
		struct der value;

		in[0] = DER_OCTET_STRING;
		if (len >= 128)
			in[at++] = (uint8_t)(len > 65535 ? 0x83 : len > 255 ? 0x82 : 0x81);
		for (int shift = len > 65535 ? 16 : len > 255 ? 8 : 0; shift >= 0; shift -= 8)
			in[at++] = (uint8_t)(len >> shift);
		rest = (struct view){ in, at + len };
		ck_assert(der_next(&rest, &value));
		ck_assert_uint_eq(value.content.len, len);
		ck_assert_uint_eq(value.whole.len, at + len);
		ck_assert_uint_eq(rest.len, 0);
		rest = (struct view){ in, at + len - 1 };
		ck_assert(!der_next(&rest, &value));
	}
}
END_TEST

static struct der
time_value(uint8_t tag, const char *text)
{
	return (struct der){ .tag = tag, .content = view_of(text) };
}

static const struct {
	uint8_t tag;
	const char *text;
	int64_t seconds;
} times[] = {
	{ DER_UTC_TIME, "700101000000Z", 0 },
	{ DER_UTC_TIME, "700101000001Z", 1 },
	{ DER_UTC_TIME, "691231235959Z", -1 },
	{ DER_UTC_TIME, "500101000000Z", -631152000 },
	{ DER_UTC_TIME, "491231235959Z", 2524607999 },
	{ DER_UTC_TIME, "000229120000Z", 951825600 },
	{ DER_UTC_TIME, "240229000000Z", 1709164800 },
	{ DER_UTC_TIME, "380119031408Z", INT64_C(2147483648) }, /* beyond 32 bits */
	{ DER_GENERALIZED_TIME, "20500101000000Z", INT64_C(2524608000) },
	{ DER_GENERALIZED_TIME, "99991231235959Z", INT64_C(253402300799) }, /* RFC 5280 4.1.2.5 */
	{ DER_GENERALIZED_TIME, "19700101000000Z", 0 },
	{ DER_GENERALIZED_TIME, "20000229000000Z", 951782400 },
	{ DER_GENERALIZED_TIME, "00000101000000Z", INT64_C(-62167219200) },
	{ DER_GENERALIZED_TIME, "00000229000000Z", INT64_C(-62162121600) },
	{ DER_GENERALIZED_TIME, "00010101000000Z", INT64_C(-62135596800) },
};

START_TEST(a_time_is_milliseconds_since_1970)
{
	struct der value = time_value(times[_i].tag, times[_i].text);
	int64_t ms;

	ck_assert_msg(der_time(&value, &ms), "%s", times[_i].text);
	ck_assert_int_eq(ms, times[_i].seconds * 1000);
}
END_TEST

/* RFC 5280 4.1.2.5.1 and 4.1.2.5.2. */
static const struct {
	uint8_t tag;
	const char *text;
} no_times[] = {
	{ DER_UTC_TIME, "" },
	{ DER_UTC_TIME, "7001010000Z" },       /* without seconds */
	{ DER_UTC_TIME, "700101000000" },      /* without a zone */
	{ DER_UTC_TIME, "700101000000+0000" }, /* with another zone */
	{ DER_UTC_TIME, "700101000000z" },
	{ DER_UTC_TIME, "700101000000ZZ" },
	{ DER_UTC_TIME, "700001000000Z" }, /* month 0 */
	{ DER_UTC_TIME, "701301000000Z" },
	{ DER_UTC_TIME, "700100000000Z" }, /* day 0 */
	{ DER_UTC_TIME, "700132000000Z" },
	{ DER_UTC_TIME, "700431000000Z" },
	{ DER_UTC_TIME, "230229000000Z" }, /* no leap year */
	{ DER_UTC_TIME, "700101240000Z" },
	{ DER_UTC_TIME, "700101006000Z" },
	{ DER_UTC_TIME, "700101000060Z" }, /* a leap second */
	{ DER_UTC_TIME, "70 101000000Z" },
	{ DER_UTC_TIME, "-00101000000Z" },
	{ DER_UTC_TIME, "19700101000000Z" }, /* the form of GeneralizedTime */
	{ DER_GENERALIZED_TIME, "700101000000Z" },
	{ DER_GENERALIZED_TIME, "19000229000000Z" }, /* no leap year */
	{ DER_GENERALIZED_TIME, "21000229000000Z" },
	{ DER_GENERALIZED_TIME, "20500101000000.5Z" }, /* with fractions */
	{ DER_GENERALIZED_TIME, "205001010000Z" },
	{ DER_GENERALIZED_TIME, "20500101000000" },
	{ DER_GENERALIZED_TIME, "20500101000000+0100" },
	{ DER_OCTET_STRING, "700101000000Z" },
	{ DER_OCTET_STRING, "19700101000000Z" },
};

START_TEST(a_time_in_any_other_form_is_refused)
{
	struct der value = time_value(no_times[_i].tag, no_times[_i].text);
	int64_t ms = 1;

	ck_assert_msg(!der_time(&value, &ms), "%s", no_times[_i].text);
	ck_assert_int_eq(ms, 0);
}
END_TEST

/* Counted from 1583 by the calendar.  Days that a month does not have, up to 99, are refused. */
START_TEST(every_day_of_six_hundred_years_is_a_day_after_the_one_before)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t expected = -141349 * DAY, ms;
	char text[64];

	for (int year = 1583; year < 2183; year++)
		for (int month = 1; month <= 12; month++) {
			bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
			int last = days[month - 1] + (month == 2 && leap);

			for (int day = 0; day < 100; day++) {
				struct der value;

				(void)snprintf(text, sizeof(text), "%04d%02d%02d000000Z", year,
				    month, day);
				value = time_value(DER_GENERALIZED_TIME, text);
				must(der_time(&value, &ms) == (day >= 1 && day <= last));
				if (day < 1 || day > last)
					continue;
				must(ms == expected);
				expected += DAY;
			}
		}
}
END_TEST

START_TEST(the_serial_number_is_the_content_of_its_integer)
{
	static const struct {
		const char *decimal, *hex;
	} serials[] = {
		{ "0", "00" },
		{ "1", "01" },
		{ "127", "7f" },
		{ "128", "0080" },
		{ "256", "0100" },
		{ "-1", "ff" },
		{ "-128", "80" },
		{ "-129", "ff7f" },
		{ "1461501637330902918203684832716283019655932542975",
		    "00ffffffffffffffffffffffffffffffffffffffff" },
	};
	char hex[2 * SERIAL_MAX + 1];

	for (size_t i = 0; i < COUNT_OF(serials); i++)
		for (int version = 1; version <= 3; version += 2) {
			struct pki_cert *c = pki_make(
			    &(struct pki_options){ .common_name = "device",
				.version = version,
				.serial = serials[i].decimal });
			struct view serial = der_certificate_serial(c->der);

			hex_encode(serial, hex);
			ck_assert_str_eq(hex, serials[i].hex);
			ck_assert(
			    serial.data > c->der.data && serial.data < c->der.data + c->der.len);
			pki_free(c);
		}
}
END_TEST

/* Another signature leaves it the same; another serial number changes it. */
START_TEST(the_signed_part_of_a_certificate_is_found)
{
	struct pki_cert *ca = pki_ca("ca"), *c = pki_device(ca, "d1"),
			*other = pki_device(ca, "d1");
	struct pki_cert *twin = pki_twin(c, ca);
	struct view signed_part = der_certificate_signed_part(c->der);

	ck_assert(signed_part.data == c->der.data + (c->der.data[1] == 0x82 ? 4 : 3));
	ck_assert(!view_equal(c->der, twin->der));
	ck_assert(view_equal(signed_part, der_certificate_signed_part(twin->der)));
	ck_assert(!view_equal(signed_part, der_certificate_signed_part(other->der)));
	for (size_t len = 0; len < c->der.len; len++)
		ck_assert_uint_eq(der_certificate_signed_part((struct view){ c->der.data, len })
				      .len,
		    0);
	pki_free(twin);
	pki_free(other);
	pki_free(c);
	pki_free(ca);
}
END_TEST

/* The shortest certificate with this integer. */
static struct view
around(const char *integer, uint8_t out[256])
{
	uint8_t inner[128] = { 0 };
	struct view content = bytes_of(integer, inner);
	size_t tbs = content.len;

	out[0] = DER_SEQUENCE;
	out[1] = (uint8_t)(tbs + 2);
	out[2] = DER_SEQUENCE;
	out[3] = (uint8_t)tbs;
	memcpy(out + 4, content.data, tbs);
	return (struct view){ out, tbs + 4 };
}

static const struct {
	const char *what;
	const char *integer;
	size_t len; /* of the serial number */
} serials[] = {
	{ "a serial number alone", "02 01 05", 1 },
	{ "one behind a version", "a0 03 02 01 02  02 02 01 05", 2 },
	{ "one below zero", "02 02 ff 7f", 2 },
	{ "one with the zero it needs", "02 02 00 80", 2 },
	{ "none", "", 0 },
	{ "one of no bytes", "02 00", 0 },
	{ "one with a zero it does not need", "02 02 00 7f", 0 },
	{ "one with a byte of ones it does not need", "02 02 ff 80", 0 },
	{ "something else", "04 01 05", 0 },
	{ "something else behind a version", "a0 03 02 01 02  04 01 05", 0 },
	{ "two versions", "a0 03 02 01 02  a0 03 02 01 02  02 01 05", 0 },
	{ "a version that is cut short", "a0 7f 02 01 02  02 01 05", 0 },
	{ "one with its length in two bytes", "02 81 01 05", 0 },
	{ "one that is cut short", "02 05 01", 0 },
};

START_TEST(a_serial_number_in_a_non_minimal_encoding_is_refused)
{
	uint8_t buffer[256];
	struct view serial = der_certificate_serial(around(serials[_i].integer, buffer));

	ck_assert_msg(serial.len == serials[_i].len, "%s", serials[_i].what);
}
END_TEST

START_TEST(a_serial_number_has_at_most_64_bytes)
{
	uint8_t buffer[256];
	char hex[256];

	(void)snprintf(hex, sizeof(hex), "02 40 01 %0126d", 0);
	ck_assert_uint_eq(der_certificate_serial(around(hex, buffer)).len, SERIAL_MAX);
	(void)snprintf(hex, sizeof(hex), "02 41 01 %0128d", 0);
	ck_assert_uint_eq(der_certificate_serial(around(hex, buffer)).len, 0);
}
END_TEST

START_TEST(other_structures_have_no_serial_number)
{
	static const char *const not [] = {
		"",
		"30",
		"30 00",
		"30 02 30 00",
		"31 05 30 03 02 01 05",
		"30 05 31 03 02 01 05",
		"30 80 30 03 02 01 05 00 00",
		"30 81 05 30 03 02 01 05",
		"30 05 30 03 02 01 05 00",
		"30 03 02 01 05",
		"30 06 30 03 02 01 05",
	};
	uint8_t buffer[32];

	for (size_t i = 0; i < COUNT_OF(not ); i++)
		ck_assert_msg(der_certificate_serial(bytes_of(not [i], buffer)).len == 0, "%s",
		    not [i]);
}
END_TEST

/* In a buffer of exactly its size each time: a sanitizer sees a read behind it. */
START_TEST(a_truncated_certificate_has_no_serial_number)
{
	struct pki_cert *c = pki_make(&(struct pki_options){ .common_name = "device" });

	for (size_t len = 0; len < c->der.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, c->der.data, len);
		ck_assert_uint_eq(der_certificate_serial((struct view){ copy, len }).len, 0);
		free(copy);
	}
	pki_free(c);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("der");
	TCase *t = suite_case(suite, "values");

	tcase_add_test(t, a_value_is_read_with_its_tag_its_content_and_all_its_bytes);
	tcase_add_test(t, a_value_with_another_tag_is_not_read);
	tcase_add_loop_test(t, malformed_der_is_refused, 0, COUNT_OF(no_values));
	tcase_add_test(t, lengths_of_any_size_are_read);
	t = suite_case(suite, "times");
	tcase_add_loop_test(t, a_time_is_milliseconds_since_1970, 0, COUNT_OF(times));
	tcase_add_loop_test(t, a_time_in_any_other_form_is_refused, 0, COUNT_OF(no_times));
	tcase_add_test(t, every_day_of_six_hundred_years_is_a_day_after_the_one_before);
	t = suite_case(suite, "serial numbers");
	tcase_add_test(t, the_serial_number_is_the_content_of_its_integer);
	tcase_add_test(t, the_signed_part_of_a_certificate_is_found);
	tcase_add_loop_test(t, a_serial_number_in_a_non_minimal_encoding_is_refused, 0,
	    COUNT_OF(serials));
	tcase_add_test(t, a_serial_number_has_at_most_64_bytes);
	tcase_add_test(t, other_structures_have_no_serial_number);
	tcase_add_test(t, a_truncated_certificate_has_no_serial_number);
	return suite_run(suite);
}
