/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_base.c - hex, identities, errors, and the names of states.
 *
 * AWS's names and statuses are written here a second time, from aws-iot 1.4 and 1.7, so that a
 * slip in the tables of base.h or model.c shows.
 */
#include <stdio.h>
#include <string.h>

#include "jitr/core/base.h"
#include "jitr/core/model.h"
#include "suite.h"

static const char digits[] = "00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afa";

START_TEST(hex_is_lower_case_and_decodes_to_the_same_bytes)
{
	uint8_t bytes[] = { 0x00, 0x01, 0x7f, 0x80, 0xab, 0xff }, again[6];
	char hex[13];

	hex_encode((struct view){ bytes, sizeof(bytes) }, hex);
	ck_assert_str_eq(hex, "00017f80abff");
	ck_assert(hex_decode(again, sizeof(again), view_of(hex)));
	ck_assert_mem_eq(again, bytes, sizeof(bytes));
	hex_encode((struct view){ NULL, 0 }, hex);
	ck_assert_str_eq(hex, "");
}
END_TEST

START_TEST(an_id_is_64_digits_of_either_case_written_in_lower_case)
{
	char upper[CERTID_HEX_SIZE], out[CERTID_HEX_SIZE];
	struct certid a, b;

	for (size_t i = 0; i < sizeof(upper); i++)
		upper[i] = (char)(digits[i] >= 'a' && digits[i] <= 'f' ? digits[i] - 'a' + 'A'
								       : digits[i]);
	ck_assert(certid_from_hex(&a, view_of(digits)));
	ck_assert(certid_from_hex(&b, view_of(upper)));
	ck_assert(certid_equal(&a, &b));
	certid_to_hex(&b, out);
	ck_assert_str_eq(out, digits);
	b.b[31] ^= 1;
	ck_assert(!certid_equal(&a, &b));
}
END_TEST

static const struct {
	const char *what;
	const char *hex;
} not_ids[] = {
	{ "nothing", "" },
	{ "one digit short", "00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165af" },
	{ "one digit long", "00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afa0" },
	{ "a g", "00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afg" },
	{ "a blank", " 0ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afa" },
	{ "a sign", "+0ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afa" },
	{ "AWS's leftover prefix",
	    "0x00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165a" },
	{ "colons", "00:ff:10:a5:de:ad:be:ef:25:11:e0:93:54:e2:63:7d:a1:99:07:37:92:9" },
	{ "the characters around the digits",
	    "/:@G`g00000000000000000000000000000000000000000000000000000000000" },
};

START_TEST(other_texts_are_not_ids)
{
	struct certid id;

	ck_assert_msg(!certid_from_hex(&id, view_of(not_ids[_i].hex)), "%s", not_ids[_i].what);
}
END_TEST

START_TEST(a_view_of_null_is_empty)
{
	ck_assert_uint_eq(view_of(NULL).len, 0);
	ck_assert_uint_eq(view_of("").len, 0);
	ck_assert_uint_eq(view_of("abc").len, 3);
}
END_TEST

static const struct {
	enum err e;
	const char *aws;
	int http;
} errors[] = {
	{ ERR_OK, "", 200 },
	{ ERR_NOT_FOUND, "ResourceNotFoundException", 404 },
	{ ERR_EXISTS, "ResourceAlreadyExistsException", 409 },
	{ ERR_WRONG_STATE, "CertificateStateException", 406 },
	{ ERR_REQUEST, "InvalidRequestException", 400 },
	{ ERR_CERTIFICATE, "CertificateValidationException", 400 },
	{ ERR_CONFLICT, "CertificateConflictException", 409 },
	{ ERR_PROOF, "RegistrationCodeValidationException", 400 },
	{ ERR_LIMIT, "LimitExceededException", 410 },
	{ ERR_POLICY, "MalformedPolicyException", 400 },
	{ ERR_VERSIONS, "VersionsLimitExceededException", 409 },
	{ ERR_VERSION, "VersionConflictException", 409 },
	{ ERR_ATTACHED, "DeleteConflictException", 409 },
	{ ERR_DENIED, "AccessDeniedException", 403 },
	{ ERR_BUSY, "ThrottlingException", 400 },
	{ ERR_STORAGE, "ServiceUnavailableException", 503 },
	{ ERR_CORRUPT, "InternalFailureException", 500 },
	{ ERR_CRYPTO, "InternalFailureException", 500 },
	{ ERR_NOMEM, "InternalFailureException", 500 },
};

#define X(name, http, aws, text) +1
_Static_assert(COUNT_OF(errors) == 0 ERR_TABLE(X), "an error is missing in this test");
#undef X

START_TEST(every_error_has_an_aws_name_an_http_status_and_a_text)
{
	ck_assert_int_eq((int)errors[_i].e, _i);
	ck_assert_str_eq(err_aws_name(errors[_i].e), errors[_i].aws);
	ck_assert_int_eq(err_http_status(errors[_i].e), errors[_i].http);
	ck_assert_str_ne(err_text(errors[_i].e), "");
}
END_TEST

START_TEST(an_unknown_error_is_an_internal_failure)
{
	volatile int beyond = (int)COUNT_OF(errors);

	ck_assert_str_eq(err_aws_name((enum err)beyond), "InternalFailureException");
	ck_assert_int_eq(err_http_status((enum err)beyond), 500);
	ck_assert_str_ne(err_text((enum err)beyond), "");
}
END_TEST

START_TEST(a_diagnosis_is_optional_and_is_truncated_to_its_size)
{
	struct diag d = { "" };
	char longer[2 * sizeof(d.text)];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	diag_set(NULL, "%s", longer);
	diag_set(&d, "%d of %s", 3, "four");
	ck_assert_str_eq(d.text, "3 of four");
	diag_set(&d, "%s", longer);
	ck_assert_uint_eq(strlen(d.text), sizeof(d.text) - 1);
}
END_TEST

/*
 * The names of states: aws-iot 1.7.
 */

static const char *const cert_names[] = {
	[CERT_INACTIVE] = "INACTIVE",
	[CERT_ACTIVE] = "ACTIVE",
	[CERT_REVOKED] = "REVOKED",
	[CERT_PENDING_TRANSFER] = "PENDING_TRANSFER",
	[CERT_PENDING_ACTIVATION] = "PENDING_ACTIVATION",
};

START_TEST(a_certificate_status_is_converted_to_its_name_and_back)
{
	enum cert_status s;

	ck_assert_str_eq(cert_status_name((enum cert_status)_i), cert_names[_i]);
	ck_assert(cert_status_parse(cert_names[_i], &s));
	ck_assert_int_eq((int)s, _i);
}
END_TEST

START_TEST(a_ca_status_and_a_mode_have_names)
{
	ck_assert_str_eq(ca_status_name(CA_ACTIVE), "ACTIVE");
	ck_assert_str_eq(ca_status_name(CA_INACTIVE), "INACTIVE");
	ck_assert_str_eq(cert_mode_name(MODE_DEFAULT), "DEFAULT");
	ck_assert_str_eq(cert_mode_name(MODE_SNI_ONLY), "SNI_ONLY");
}
END_TEST

START_TEST(a_name_in_another_spelling_is_unknown)
{
	static const char *const words[] = { "", "active", "ACTIVE ", "ACTIV", "ACTIVEX", "UNKNOWN",
		"REGISTER_INACTIVE" };
	enum cert_status cert;

	for (size_t i = 0; i < COUNT_OF(words); i++)
		ck_assert(!cert_status_parse(words[i], &cert));
}
END_TEST

START_TEST(a_status_out_of_range_has_a_name)
{
	volatile int beyond = 77;

	ck_assert_str_eq(cert_status_name((enum cert_status)beyond), "UNKNOWN");
	ck_assert_str_eq(ca_status_name((enum ca_status)beyond), "UNKNOWN");
	ck_assert_str_eq(cert_mode_name((enum cert_mode)beyond), "UNKNOWN");
}
END_TEST

/* A field that was not set refuses (model.h). */
START_TEST(the_zero_value_of_every_enum_grants_nothing)
{
	ck_assert_int_eq(CERT_INACTIVE, 0);
	ck_assert_int_eq(CA_INACTIVE, 0);
	ck_assert_int_eq(ANSWER_NOT_ASKED, 0);
	ck_assert_int_eq(MODE_SNI_ONLY, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("base");
	TCase *t = suite_case(suite, "hex and errors");

	tcase_add_test(t, hex_is_lower_case_and_decodes_to_the_same_bytes);
	tcase_add_test(t, an_id_is_64_digits_of_either_case_written_in_lower_case);
	tcase_add_loop_test(t, other_texts_are_not_ids, 0, COUNT_OF(not_ids));
	tcase_add_test(t, a_view_of_null_is_empty);
	tcase_add_loop_test(t, every_error_has_an_aws_name_an_http_status_and_a_text, 0,
	    COUNT_OF(errors));
	tcase_add_test(t, an_unknown_error_is_an_internal_failure);
	tcase_add_test(t, a_diagnosis_is_optional_and_is_truncated_to_its_size);
	t = suite_case(suite, "names");
	tcase_add_loop_test(t, a_certificate_status_is_converted_to_its_name_and_back, 0,
	    COUNT_OF(cert_names));
	tcase_add_test(t, a_ca_status_and_a_mode_have_names);
	tcase_add_test(t, a_name_in_another_spelling_is_unknown);
	tcase_add_test(t, a_status_out_of_range_has_a_name);
	tcase_add_test(t, the_zero_value_of_every_enum_grants_nothing);
	return suite_run(suite);
}
