/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_crl.c - revocation lists in files, and import-crl.
 */
#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "crl_file.h"
#include "scripted_broker.h"
#include "suite.h"

#define CRL_BEGIN "-----BEGIN X509 CRL-----"
#define CRL_END   "-----END X509 CRL-----"

/* The header of a SEQUENCE of size bytes, header included; returns the header's length. */
static size_t
der_header(uint8_t header[6], size_t size)
{
	size_t octets = size < 0x82 ? 0
	    : size < 0x103          ? 1
	    : size < 0x10004        ? 2
	    : size < 0x1000005      ? 3
				    : 4;
	size_t len = size - 2 - octets;

	header[0] = 0x30;
	header[1] = (uint8_t)(octets == 0 ? len : 0x80 + octets);
	for (size_t i = 0; i < octets; i++)
		header[2 + i] = (uint8_t)(len >> (8 * (octets - 1 - i)));
	return 2 + octets;
}

/* A SEQUENCE of size bytes with arbitrary content: the command line looks no further. */
static uint8_t *
new_list(size_t size)
{
	uint8_t *der = malloc(size);
	uint8_t header[6];

	ck_assert_ptr_nonnull(der);
	for (size_t i = 0; i < size; i++)
		der[i] = (uint8_t)(i * 7 + i / 251);
	memcpy(der, header, der_header(header, size));
	return der;
}

static void
write_list(const char *name, size_t size)
{
	uint8_t *der = new_list(size);

	write_file(name, (const char *)der, size);
	free(der);
}

static size_t
join_parts(const struct crl_file *f, uint8_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i < crl_file_parts(f); i++) {
		char *part = crl_file_part(f, i);
		size_t chars = strlen(part);
		int n = EVP_DecodeBlock(out + len, (const uint8_t *)part, (int)chars);

		ck_assert_int_gt(n, 0);
		ck_assert_uint_le(chars, 460000);
		if (i + 1 < crl_file_parts(f))
			ck_assert_int_eq(n, 345000);
		len += (size_t)n - (part[chars - 1] == '=') - (part[chars - 2] == '=');
		free(part);
	}
	return len;
}

static void
expect_list(const char *given, const uint8_t *der, size_t size, size_t parts)
{
	struct diag d = { "" };
	struct crl_file *f = crl_file_open(given, &d);
	uint8_t *joined = malloc(size + 3);

	ck_assert_msg(f != NULL, "%s: %s", given, d.text);
	ck_assert_uint_eq(crl_file_parts(f), parts);
	ck_assert_uint_eq(join_parts(f, joined), size);
	ck_assert_mem_eq(joined, der, size);
	free(joined);
	crl_file_close(f);
}

static const struct {
	size_t size, parts;
} list_sizes[] = { { 2, 1 }, { 344999, 1 }, { 345000, 1 }, { 345001, 2 }, { 689999, 2 },
	{ 690000, 2 }, { 690001, 3 } };

START_TEST(a_list_is_split_into_parts_that_fit_into_a_request)
{
	size_t size = list_sizes[_i].size;
	uint8_t *der = new_list(size);

	write_file("ca.crl", (const char *)der, size);
	expect_list("ca.crl", der, size, list_sizes[_i].parts);
	expect_list("file://ca.crl", der, size, list_sizes[_i].parts);
	expect_list("fileb://ca.crl", der, size, list_sizes[_i].parts);
	free(der);
}
END_TEST

static char *
pem_list(const char *before, const uint8_t *der, size_t size, const char *newline,
    const char *behind)
{
	char *base64 = malloc(size / 3 * 4 + 5);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)EVP_EncodeBlock((uint8_t *)base64, der, (int)size);
	(void)fprintf(out, "%s" CRL_BEGIN "%s", before, newline);
	for (size_t at = 0; at < strlen(base64); at += 64)
		(void)fprintf(out, "%.64s%s", base64 + at, newline);
	(void)fprintf(out, CRL_END "%s%s", newline, behind);
	ck_assert_int_eq(fclose(out), 0);
	free(base64);
	return text;
}

/* `openssl crl -text` writes text before the list, and mail adds more (RFC 7468 section 2:
 * ignored). */
START_TEST(text_around_a_list_in_pem_is_ignored)
{
	static const struct {
		const char *before, *newline, *behind;
	} rows[] = {
		{ "", "\n", "" },
		{ "Certificate Revocation List (CRL):\n    Version 2 (0x1)\n", "\n", "\n" },
		{ "Subject: " CRL_BEGIN " is near\r\n", "\r\n", "-- \r\nthe CA's own mailer\r\n" },
		{ PEM, "\n", PEM },
	};
	uint8_t *der = new_list(1000);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *pem = pem_list(rows[i].before, der, 1000, rows[i].newline, rows[i].behind);

		write_file("ca.crl", pem, strlen(pem));
		expect_list("ca.crl", der, 1000, 1);
		expect_list(pem, der, 1000, 1);
		free(pem);
	}
	free(der);
}
END_TEST

static const struct {
	const char *what, *content;
	size_t len; /* 0: of the string */
	const char *message;
} not_lists[] = {
	{ "nothing", "", 0, "there is no revocation list" },
	{ "some text", "0 entries", 0, "neither a line " CRL_BEGIN " nor exactly one list in DER" },
	{ "a certificate", PEM, 0, "there is no revocation list" },
	{ "DER that is cut off", "\x30\x03\x02\x01", 4, "there is no revocation list" },
	{ "DER with something behind", "\x30\x00\x0a", 3, "there is no revocation list" },
	{ "DER of something else", "\x31\x00", 2, "there is no revocation list" },
	{ "a length that means nothing", "\x30\x84\xff\xff\xff\xff", 6,
	    "there is no revocation list" },
	{ "a line that only talks of it", "see " CRL_BEGIN "\nMAA=\n" CRL_END "\n", 0,
	    "there is no revocation list" },
	{ "PEM that is cut off", CRL_BEGIN "\nMAA=\n", 0, "cut off: there is no line " CRL_END },
	{ "two", CRL_BEGIN "\nMAA=\n" CRL_END "\n" CRL_BEGIN "\nMAA=\n" CRL_END "\n", 0,
	    "there is more than one revocation list" },
	{ "one within another", CRL_BEGIN "\n" CRL_BEGIN "\nMAA=\n" CRL_END "\n", 0,
	    "there is more than one revocation list" },
	{ "no base64", CRL_BEGIN "\nM:A=\n" CRL_END "\n", 0, "is damaged" },
	{ "too few characters of it", CRL_BEGIN "\nMAA\n" CRL_END "\n", 0, "is damaged" },
	{ "base64 of something else", CRL_BEGIN "\nAAAA\n" CRL_END "\n", 0, "is damaged" },
	{ "nothing in it", CRL_BEGIN "\n" CRL_END "\n", 0, "is damaged" },
};

START_TEST(a_file_without_exactly_one_list_is_refused_with_the_reason)
{
	const char *content = not_lists[_i].content;
	size_t len = not_lists[_i].len > 0 ? not_lists[_i].len : strlen(content);
	struct diag d = { "" };

	write_file("ca.crl", content, len);
	ck_assert_msg(crl_file_open("ca.crl", &d) == NULL, "%s: accepted", not_lists[_i].what);
	ck_assert_msg(strstr(d.text, not_lists[_i].message) != NULL, "%s: %s", not_lists[_i].what,
	    d.text);
}
END_TEST

START_TEST(a_list_that_cannot_be_read_is_refused_with_the_reason)
{
	struct diag d = { "" };

	ck_assert_ptr_null(crl_file_open("file://none.crl", &d));
	ck_assert_str_eq(d.text,
	    "Unable to load paramfile file://none.crl: No such file or directory");
	ck_assert_ptr_null(crl_file_open(".", &d));
	ck_assert_str_eq(d.text, "Unable to load paramfile .: Is a directory");
}
END_TEST

/* A sparse file: its size is file, the SEQUENCE at its start says list. */
static void
write_huge(const char *name, size_t list, size_t file)
{
	uint8_t header[6];

	write_file(name, (const char *)header, der_header(header, list));
	ck_assert_int_eq(truncate(name, (off_t)file), 0);
}

START_TEST(a_list_may_have_128_mib_and_not_more)
{
	struct diag d = { "" };
	struct crl_file *f;

	write_huge("ca.crl", CRL_FILE_BYTES_MAX, CRL_FILE_BYTES_MAX);
	f = crl_file_open("ca.crl", &d);
	ck_assert_msg(f != NULL, "%s", d.text);
	ck_assert_uint_eq(crl_file_parts(f), 390);
	crl_file_close(f);
	write_huge("ca.crl", CRL_FILE_BYTES_MAX + 1, CRL_FILE_BYTES_MAX + 1);
	ck_assert_ptr_null(crl_file_open("ca.crl", &d));
	ck_assert_str_eq(d.text, "the list is larger than 128 MiB");
	write_huge("ca.crl", 2, CRL_FILE_BYTES_MAX / 2 * 3 + 1);
	ck_assert_ptr_null(crl_file_open("ca.crl", &d));
	ck_assert_str_eq(d.text,
	    "Unable to load paramfile ca.crl: it is larger than a revocation "
	    "list may be");
}
END_TEST

#define PART(n)  "\"data\":{\"part\":" #n "}"
#define IMPORTED "\"data\":{\"certificatesRevoked\":2}"

static cJSON *
request_sent(int nth)
{
	char *requested = read_all("file://requests");
	char *line = requested;
	cJSON *request;

	for (int i = 0; i < nth; i++) {
		line = strchr(line, '\n');
		ck_assert_msg(line != NULL, "no request number %d", nth);
		line++;
	}
	line[strcspn(line, "\n")] = '\0';
	request = cJSON_Parse(line);
	ck_assert_ptr_nonnull(request);
	free(requested);
	return request;
}

static const char *
member_sent(const cJSON *request, const char *name)
{
	const cJSON *commands = cJSON_GetObjectItemCaseSensitive(request, "commands");
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(commands, 0),
	    name);
	static char number[16];

	if (!cJSON_IsNumber(member))
		return cJSON_GetStringValue(member);
	(void)snprintf(number, sizeof(number), "%d", member->valueint);
	return number;
}

static const char *const import_words[] = { "import-crl", "--ca-certificate-id", ID64, "--crl",
	"file://ca.crl", NULL };

START_TEST(a_small_list_is_sent_in_one_request)
{
	static const char *const answers[] = { IMPORTED, NULL };
	cJSON *request;

	write_file("ca.crl", CRL_BEGIN "\nMAA=\n" CRL_END "\n",
	    strlen(CRL_BEGIN "\nMAA=\n" CRL_END "\n"));
	ck_assert_int_eq(run_with_broker(answers, import_words), 0);
	expect_file("file://out", "{\n    \"certificatesRevoked\": 2\n}\n");
	request = request_sent(0);
	ck_assert_str_eq(member_sent(request, "command"), "importCrl");
	ck_assert_str_eq(member_sent(request, "caCertificateId"), ID64);
	ck_assert_str_eq(member_sent(request, "crl"), "MAA=");
	ck_assert_ptr_null(member_sent(request, "uploadId"));
	ck_assert_ptr_null(member_sent(request, "part"));
	cJSON_Delete(request);
}
END_TEST

START_TEST(a_large_list_is_sent_in_numbered_parts_of_one_upload)
{
	static const char *const answers[] = { PART(1), IMPORTED, NULL };
	cJSON *first;
	cJSON *last;

	write_list("ca.crl", 345001);
	ck_assert_int_eq(run_with_broker(answers, import_words), 0);
	expect_file("file://out", "{\n    \"certificatesRevoked\": 2\n}\n");
	expect_file("file://err", ""); /* no progress without a terminal */
	first = request_sent(0);
	last = request_sent(1);
	ck_assert_str_eq(member_sent(first, "caCertificateId"), ID64);
	ck_assert_uint_eq(strlen(member_sent(first, "uploadId")), 32);
	ck_assert_str_eq(member_sent(first, "uploadId"), member_sent(last, "uploadId"));
	ck_assert_str_eq(member_sent(first, "part"), "1");
	ck_assert_str_eq(member_sent(last, "part"), "2");
	ck_assert_str_eq(member_sent(last, "parts"), "2");
	ck_assert_uint_eq(strlen(member_sent(first, "crl")), 460000);
	ck_assert_uint_eq(strlen(member_sent(last, "crl")), 4);
	cJSON_Delete(first);
	cJSON_Delete(last);
}
END_TEST

START_TEST(no_part_is_sent_after_a_refused_one)
{
	static const char *const answers[] = {
		"\"error\":\"LimitExceededException\",\"message\":\"another import\"", IMPORTED,
		NULL
	};
	char *requested;

	write_list("ca.crl", 345001);
	ck_assert_int_eq(run_with_broker(answers, import_words), 254);
	expect_file("file://out", "");
	expect_file("file://err",
	    "\nAn error occurred (LimitExceededException) when calling the "
	    "ImportCrl operation: another import\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"part\":1"));
	ck_assert_ptr_null(strstr(requested, "\"part\":2"));
	free(requested);
}
END_TEST

START_TEST(the_answer_to_an_import_may_take_longer_than_others)
{
	static const char *const answers[] = { DELAYED IMPORTED, NULL };

	write_list("ca.crl", 345000);
	ck_assert_int_eq(run_with_broker(answers, import_words), 0);
}
END_TEST

START_TEST(a_file_without_a_list_is_a_usage_error_before_any_connection)
{
	static const char *const words[] = { "import-crl", "--ca-certificate-id", ID64, "--crl",
		"ca.pem", NULL };
	char *text;

	ck_assert_int_eq(run_words(words), 252);
	text = read_all("file://err");
	ck_assert_ptr_nonnull(strstr(text,
	    "Error parsing parameter '--crl': there is no revocation "
	    "list"));
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_crl");
	TCase *t = command_line_case(suite, "file");

	tcase_add_loop_test(t, a_list_is_split_into_parts_that_fit_into_a_request, 0,
	    COUNT_OF(list_sizes));
	tcase_add_test(t, text_around_a_list_in_pem_is_ignored);
	tcase_add_loop_test(t, a_file_without_exactly_one_list_is_refused_with_the_reason, 0,
	    COUNT_OF(not_lists));
	tcase_add_test(t, a_list_that_cannot_be_read_is_refused_with_the_reason);
	tcase_add_test(t, a_list_may_have_128_mib_and_not_more);

	t = command_line_case(suite, "import");
	tcase_add_test(t, a_small_list_is_sent_in_one_request);
	tcase_add_test(t, a_large_list_is_sent_in_numbered_parts_of_one_upload);
	tcase_add_test(t, no_part_is_sent_after_a_refused_one);
	tcase_add_test(t, the_answer_to_an_import_may_take_longer_than_others);
	tcase_add_test(t, a_file_without_a_list_is_a_usage_error_before_any_connection);
	return suite_run(suite);
}
