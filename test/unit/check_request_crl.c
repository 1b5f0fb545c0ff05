/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_request_crl.c - control requests about revocation lists: importCrl, whole and in
 * parts, describeCrl, deleteCrl, and the settings of a CA for its list.
 *
 * check_crl.c tests which lists are accepted, check_crl_import.c how they are stored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/text.h"
#include "pki_crl.h"
#include "requests.h"
#include "suite.h"
#include "upload.h"

#define INVALID "InvalidRequestException"
#define BAD     "CertificateValidationException"
#define MISSING "ResourceNotFoundException"

#define OF_CA    "'caCertificateId':'<ca id>'"
#define DESCRIBE "{'command':'describeCrl'," OF_CA "}"
#define DELETE   "{'command':'deleteCrl'," OF_CA "}"
#define IMPORT   "{'command':'importCrl'," OF_CA ",'crl':'<list>'}"

/* More than one transaction stores. */
#define MANY      (2 * CRL_ROWS_AT_ONCE + 10)
#define PART_SIZE ((size_t)345000)

/* The names <list>, its PEM, <list b64>, and <digest>. */
static struct pki_crl *list;

static char *
to_base64(struct view bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	char *text = malloc((bytes.len + 2) / 3 * 4 + 1), *at = text;

	must(text != NULL);
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		unsigned group = 0;

		for (size_t k = 0; k < 3; k++)
			group = group << 8 | (k < n ? bytes.data[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			*at++ = k <= n ? digits[group >> (18 - 6 * k) & 63] : '=';
	}
	*at = '\0';
	return text;
}

static void
word_list(struct pki_crl *made)
{
	uint8_t digest[32];
	char hex[65], *base64 = to_base64(made->der);

	pki_crl_free(list);
	list = made;
	pki_sha256(made->der, digest);
	hex_encode((struct view){ digest, sizeof(digest) }, hex);
	word("digest", hex);
	word_pem("list", made->pem);
	word("list b64", base64);
	free(base64);
}

static void
make_list(const char *number, const struct pki_cert *revoked, int reason)
{
	struct pki_crl_options options = { .issuer = ca,
		.number = number,
		.this_update = "250101000000Z",
		.next_update = "491231235959Z" };

	if (revoked != NULL)
		options.entries[0] = (struct pki_revoked){ .cert = revoked, .reason = reason };
	word_list(pki_crl_make(&options));
}

static void
set_up(void)
{
	requests_open();
	list = NULL;
	make_list("1", device, 0);
	memset(&stats, 0, sizeof(stats));
}

static void
tear_down(void)
{
	pki_crl_free(list);
	requests_close();
}

static const cJSON *
part_of(const cJSON *o, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(o, name);
}

static bool
is_in_force(void)
{
	ask(DESCRIBE);
	return part_of(data(0), "crl") != NULL;
}

static enum cert_status
status_of(const struct pki_cert *c)
{
	struct cert cert;

	ck_assert(world_get_cert(c, &cert));
	return cert.status;
}

/*
 * In one request.
 */

#define LIST_DATA(entries) \
	"'caCertificateId':'<ca id>','crlNumber':'1','thisUpdate':1735689600," \
	"'nextUpdate':2524607999,'stale':false,'entries':" entries ",'sha256':'<digest>'," \
	"'importDate':<now>,'applied':true"

START_TEST(a_list_is_imported_and_described)
{
	ask(IMPORT);
	ck_response(0,
	    "{'command':'importCrl','data':{'crl':{" LIST_DATA(
		"1") "},"
		     "'unchanged':false,'certificatesRevoked':0}}");
	ask(DESCRIBE);
	ck_response(0,
	    "{'command':'describeCrl','data':{'crl':{" LIST_DATA("1") "},"
								      "'crlCheck':'if-present'}}");
	ck_assert_uint_eq(stats.crl_imported, 1);
	ck_assert(world_said("revocation list imported"));
	ck_assert(world_said(expand("request: command=importCrl user=\"admin\" client=\"c1\" "
				    "result=done ca=<ca id>")));
}
END_TEST

/* The same bytes in another encoding. */
START_TEST(a_list_in_der_is_the_same_list)
{
	ask("{'command':'importCrl'," OF_CA ",'crl':'<list b64>'},{'command':'importCrl'," OF_CA
	    ",'crl':'text before\\n<list>text behind'}");
	ck_assert(cJSON_IsFalse(part_of(data(0), "unchanged")));
	ck_assert(cJSON_IsTrue(part_of(data(1), "unchanged")));
	ck_assert_uint_eq(stats.crl_imported, 1);
}
END_TEST

START_TEST(listed_certificates_are_revoked_and_counted)
{
	world_put_cert(device, ca, CERT_ACTIVE);
	world_put_cert(second, ca, CERT_ACTIVE);
	ask(IMPORT ",{'command':'describeCertificate','certificateId':'<device id>'}");
	ck_assert_int_eq(part_of(data(0), "certificatesRevoked")->valueint, 1);
	ck_assert_str_eq(member(part_of(part_of(data(1), "certificateDescription"), "statusReason"),
			     "details"),
	    "on the revocation list of its CA (unspecified)");
	ck_assert_int_eq(status_of(device), CERT_REVOKED);
	ck_assert_int_eq(status_of(second), CERT_ACTIVE);
	ck_assert_uint_eq(stats.revoked, 1);
}
END_TEST

/* Both are closed by the gate's next tick: the second for as long as it is on
 * hold. */
START_TEST(live_connections_of_listed_certificates_are_closed)
{
	struct client c = { .handle = &c, .id = "d1", .address = "::1", .x = device->x };
	static const int reasons[] = { 0, REVOKED_HOLD };

	make_list("1", device, reasons[_i]);
	world_put_cert(device, ca, CERT_ACTIVE);
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
	ask(IMPORT);
	gate_tick(gate);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, world_hex(device));
	ck_assert_int_eq(status_of(device), reasons[_i] == 0 ? CERT_REVOKED : CERT_ACTIVE);
	ck_assert(world_said(
	    reasons[_i] == 0 ? "code=DEVICE_CERTIFICATE_REVOKED" : "code=CERTIFICATE_ON_HOLD"));
}
END_TEST

static const struct {
	const char *number, *shown;
} numbers[] = {
	{ "0", "0" },
	{ "9", "9" },
	{ "10", "10" },
	{ "255", "255" },
	{ "256", "256" },
	{ "1000000000000000000000", "1000000000000000000000" },
	{ "1461501637330902918203684832716283019655932542975",
	    "1461501637330902918203684832716283019655932542975" }, /* 2^160-1, the largest */
	{ "", "(none)" },
};

START_TEST(its_number_is_shown_in_decimal)
{
	make_list(numbers[_i].number, NULL, 0);
	ask(IMPORT);
	ck_assert_str_eq(member(part_of(data(0), "crl"), "crlNumber"), numbers[_i].shown);
}
END_TEST

START_TEST(a_list_becomes_stale)
{
	ask(IMPORT);
	world_set_clock(INT64_C(2524607999000));
	ask(DESCRIBE);
	ck_assert(cJSON_IsFalse(part_of(part_of(data(0), "crl"), "stale")));
	world_wait(1);
	ask(DESCRIBE);
	ck_assert(cJSON_IsTrue(part_of(part_of(data(0), "crl"), "stale")));
}
END_TEST

START_TEST(a_refused_list_is_shown_until_one_is_accepted)
{
	make_list("7", NULL, 0);
	ask(IMPORT);
	make_list("6", NULL, 0);
	world_wait(5000);
	word_time("failed", world_now());
	ask(IMPORT "," IMPORT "," DESCRIBE);
	ck_error(0, BAD, "its cRLNumber is 0x06, that one has 0x07");
	ck_error(1, BAD, "its cRLNumber is 0x06, that one has 0x07");
	ck_assert_str_eq(member(part_of(data(2), "crl"), "crlNumber"), "7");
	ck_assert_str_eq(member(part_of(data(2), "lastFailure"), "details"),
	    member(response(0), "message"));
	ck_assert_double_eq(part_of(part_of(data(2), "lastFailure"), "date")->valuedouble,
	    (double)world_now() / 1000);
	ck_assert_uint_eq(stats.crl_failed, 2); /* each that a client asked for */
	ck_assert(world_said("revocation list not imported"));
	ck_assert(world_said("result=CertificateValidationException"));
	make_list("8", NULL, 0);
	ask(IMPORT "," DESCRIBE);
	ck_assert_ptr_null(part_of(data(1), "lastFailure"));
}
END_TEST

START_TEST(a_ca_that_is_not_registered_has_no_list)
{
	ask("{'command':'importCrl','caCertificateId':'<other id>','crl':'<list>'},"
	    "{'command':'describeCrl','caCertificateId':'<other id>'},"
	    "{'command':'deleteCrl','caCertificateId':'<other id>'}");
	for (int i = 0; i < 3; i++)
		ck_error(i, MISSING, "CA certificate not found");
	/* None of these waits for it. */
	world_put_ca(other, CA_ACTIVE, true);
	ask("{'command':'describeCrl','caCertificateId':'<other id>'}");
	ck_response(0, "{'command':'describeCrl','data':{'crlCheck':'if-present'}}");
}
END_TEST

START_TEST(a_list_is_deleted_with_its_gauges)
{
	char topic[160];

	ask(DELETE);
	ck_error(0, MISSING, "This CA has no revocation list");
	ask(IMPORT "," DELETE "," DESCRIBE);
	ck_response(1, "{'command':'deleteCrl','data':{}}");
	ck_response(2, "{'command':'describeCrl','data':{'crlCheck':'if-present'}}");
	ck_assert(world_said("command=deleteCrl"));
	ck_assert(world_said("address=::1 crlNumber=0x01->none entries=1->none"));
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 3);
	for (size_t i = 0; i < 3; i++) {
		const struct note *n = world_note(NOTE_PUBLISHED, i);

		snprintf(topic, sizeof(topic), "$SYS/broker/jitr/crl/%s/", world_hex(ca));
		ck_assert_msg(strncmp(n->topic, topic, strlen(topic)) == 0, "%s", n->topic);
		ck_assert(n->retain && n->text_len == 0);
	}
}
END_TEST

START_TEST(a_list_is_deleted_with_its_ca)
{
	ask(IMPORT ",{'command':'importCrl'," OF_CA ",'crl':'AAAA'}");
	ck_error(1, BAD, "");
	ask("{'command':'updateCACertificate','certificateId':'<ca id>','newStatus':'INACTIVE'},"
	    "{'command':'deleteCACertificate','certificateId':'<ca id>'}");
	ck_done(1);
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 3);
	world_put_ca(ca, CA_ACTIVE, true);
	ask(DESCRIBE);
	ck_response(0, "{'command':'describeCrl','data':{'crlCheck':'if-present'}}");
}
END_TEST

/*
 * Mistakes.
 */

static const struct {
	const char *command, *error, *message;
} mistakes[] = {
	{ "{'command':'importCrl','crl':'<list>'}", INVALID, "caCertificateId" },
	{ "{'command':'importCrl','caCertificateId':'12','crl':'<list>'}", INVALID,
	    "caCertificateId" },
	{ "{'command':'importCrl'," OF_CA "}", INVALID, "crl" },
	{ "{'command':'importCrl'," OF_CA ",'crl':''}", INVALID, "crl" },
	{ "{'command':'importCrl'," OF_CA ",'crl':7}", INVALID, "crl" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','force':true}", INVALID, "force" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'?'}", BAD, "neither PEM nor base64" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<ca pem>'}", BAD, "X509 CRL" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list><list>'}", BAD, "more than one" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','uploadId':'u'}", INVALID,
	    "uploadId, part and parts go together" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','uploadId':'u','part':1}", INVALID,
	    "uploadId, part and parts go together" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','part':1,'parts':1}", INVALID,
	    "uploadId, part and parts go together" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','uploadId':'u','part':3,'parts':2}",
	    INVALID, "part is 1 to parts" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','uploadId':'u','part':0,'parts':2}",
	    INVALID, "part" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','uploadId':'u','part':1,'parts':1001}",
	    INVALID, "parts" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','uploadId':'','part':1,'parts':1}",
	    INVALID, "uploadId" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','uploadId':'a b','part':1,'parts':1}",
	    INVALID, "uploadId" },
	{ "{'command':'importCrl'," OF_CA ",'crl':'AAAA','uploadId':'u','part':2,'parts':2}",
	    INVALID, "begin again with part 1" },
	/* A part is DER in base64 only. */
	{ "{'command':'importCrl'," OF_CA ",'crl':'<list>','uploadId':'u','part':1,'parts':2}", BAD,
	    "neither PEM nor base64" },
	{ "{'command':'describeCrl'}", INVALID, "caCertificateId" },
	{ "{'command':'describeCrl'," OF_CA ",'crl':'x'}", INVALID, "crl" },
	{ "{'command':'deleteCrl','certificateId':'<ca id>'}", INVALID, "caCertificateId" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlCheck':''}", INVALID,
	    "crlCheck" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlCheck':true}", INVALID,
	    "crlCheck" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlCheck':'REQUIRED'}",
	    INVALID, "be required, if-present, or grace and a number of days, 0 to 3650" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlCheck':'grace'}", INVALID,
	    "crlCheck" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlCheck':'grace 3651'}",
	    INVALID, "crlCheck" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlCheck':'grace 1x'}",
	    INVALID, "crlCheck" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlCheck':'grace +1'}",
	    INVALID, "crlCheck" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>',"
	  "'crlCheck':'grace 18446744073709551617'}",
	    INVALID, "crlCheck" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlFile':'/etc/passwd'}",
	    INVALID, "must be a file in the directory that the broker's option crl_dir names" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlFile':'/var/lib/lists/../x'}",
	    INVALID, "crl_dir" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlFile':'/var/lib/listsx'}",
	    INVALID, "crl_dir" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlFile':'../passwd'}",
	    INVALID, "crl_dir" },
	{ "{'command':'updateCACertificate','certificateId':'<ca id>','crlFile':7}", INVALID,
	    "crlFile" },
};

START_TEST(a_mistake_is_named_and_changes_nothing)
{
	ask(mistakes[_i].command);
	ck_error(0, mistakes[_i].error, mistakes[_i].message);
	ask(DESCRIBE);
	ck_assert_ptr_null(part_of(data(0), "crl"));
	ck_assert_str_eq(member(data(0), "crlCheck"), "if-present");
	ck_assert_str_eq(member(data(0), "crlFile"), "(none)");
}
END_TEST

/*
 * Settings for a CA's list.
 */

static const struct {
	const char *given, *shown;
} settings[] = {
	{ "'crlCheck':'required'", "'crlCheck':'required'" },
	{ "'crlCheck':'grace 0'", "'crlCheck':'grace 0'" },
	{ "'crlCheck':'grace 3650'", "'crlCheck':'grace 3650'" },
	{ "'crlCheck':'grace 007'", "'crlCheck':'grace 7'" },
	{ "'crlCheck':'if-present'", "'crlCheck':'if-present'" },
	{ "'crlFile':'/var/lib/lists/ca.crl'",
	    "'crlCheck':'if-present','crlFile':'/var/lib/lists/ca.crl'" },
	{ "'crlFile':''", "'crlCheck':'if-present'" },
	{ "'crlCheck':'required','crlFile':'a b/\xc3\xa9'",
	    "'crlCheck':'required','crlFile':'a b/\xc3\xa9'" },
};

static void
ck_settings(const char *which, const char *shown)
{
	char text[300];

	snprintf(text, sizeof(text), "{'command':'describeCrl','caCertificateId':'%s'}", which);
	ask(text);
	snprintf(text, sizeof(text), "{'command':'describeCrl','data':{%s}}", shown);
	ck_response(0, text);
	snprintf(text, sizeof(text), "{'command':'describeCACertificate','certificateId':'%s'}",
	    which);
	ask(text);
	for (size_t i = 0; i < 2; i++) {
		static const char *const names[] = { "crlCheck", "crlFile" };
		const char *value = member(data(0), names[i]);

		ck_assert_msg(strcmp(value, "(none)") == 0 ? strstr(shown, names[i]) == NULL
							   : strstr(shown, value) != NULL,
		    "%s", value);
	}
}

START_TEST(a_ca_is_registered_with_settings)
{
	char text[400];

	snprintf(text, sizeof(text),
	    "{'command':'registerCACertificate','caCertificate':'<other pem>',"
	    "'verificationCertificate':'<proof pem>',%s}",
	    settings[_i].given);
	ask(text);
	ck_settings("<other id>", settings[_i].shown);
}
END_TEST

START_TEST(settings_are_changed)
{
	char text[400];

	snprintf(text, sizeof(text),
	    "{'command':'updateCACertificate','certificateId':'<ca id>',%s}", settings[_i].given);
	ask(text);
	ck_done(0);
	ck_settings("<ca id>", settings[_i].shown);
}
END_TEST

/* Each setting alone. */
START_TEST(settings_that_are_not_named_are_kept)
{
#define UPDATE(members) "{'command':'updateCACertificate','certificateId':'<ca id>'," members "}"
	ask(UPDATE("'crlCheck':'grace 5','crlFile':'/var/lib/lists/x'") "," UPDATE(
	    "'newStatus':'INACTIVE'"));
	ck_settings("<ca id>", "'crlCheck':'grace 5','crlFile':'/var/lib/lists/x'");
	ask(UPDATE("'crlFile':'y'"));
	ck_settings("<ca id>", "'crlCheck':'grace 5','crlFile':'y'");
	ask(UPDATE("'crlCheck':'required'"));
	ck_settings("<ca id>", "'crlCheck':'required','crlFile':'y'");
	ask(UPDATE("'crlFile':''"));
	ck_settings("<ca id>", "'crlCheck':'required'");
	ask(UPDATE("'crlCheck':'if-present'"));
	ck_settings("<ca id>", "'crlCheck':'if-present'");
}
END_TEST

/*
 * In parts, and in more than one transaction.
 */

static void
send_part(const char *more, const char *upload, size_t part, size_t parts, struct view bytes)
{
	struct client c = admin();
	char *base64 = to_base64(bytes), *text = malloc(strlen(base64) + 2000);

	must(text != NULL);
	sprintf(text,
	    "{\"commands\":[{\"command\":\"importCrl\",\"caCertificateId\":\"%s\","
	    "\"uploadId\":\"%s\",\"part\":%zu,\"parts\":%zu,\"crl\":\"%s\"}%s]}",
	    world_hex(ca), upload, part, parts, base64, expand(more));
	post(&c, view_of(text), NULL);
	free(text);
	free(base64);
}

static struct view
piece(struct view whole, size_t nth)
{
	size_t from = nth * PART_SIZE, rest = whole.len - from;

	return (struct view){ whole.data + from, rest < PART_SIZE ? rest : PART_SIZE };
}

static size_t
piece_count(struct view whole)
{
	return (whole.len + PART_SIZE - 1) / PART_SIZE;
}

/* All parts but the last, answered; returns how many there are. */
static size_t
send_but_last(struct view whole)
{
	size_t parts = piece_count(whole);

	for (size_t n = 1; n < parts; n++) {
		send_part("", "u", n, parts, piece(whole, n - 1));
		parse_answer();
		ck_assert_int_eq(part_of(data(0), "part")->valueint, (int)n);
		ck_assert_ptr_null(part_of(data(0), "crl"));
	}
	return parts;
}

static void
make_large_list(const char *number)
{
	pki_crl_free(list);
	list = pki_crl_make(&(struct pki_crl_options){ .issuer = ca,
	    .number = number,
	    .many = MANY,
	    .entries = { { .cert = device } } });
}

static int
entries(int nth)
{
	const cJSON *n = part_of(part_of(data(nth), "crl"), "entries");

	return cJSON_IsNumber(n) ? n->valueint : -1;
}

/* Parts before the last one are not written to disk and not logged. */
START_TEST(a_part_is_answered_at_once)
{
	world_hold_writer();
	send_part("", "u", 1, 2, (struct view){ list->der.data, 100 });
	parse_answer();
	ck_response(0, "{'command':'importCrl','data':{'part':1}}");
	ck_assert(!world_said("command=importCrl"));
	world_release_writer();
	send_part("", "u", 2, 2, (struct view){ list->der.data + 100, list->der.len - 100 });
	world_settle();
	parse_answer();
	ck_response(0,
	    "{'command':'importCrl','data':{'crl':{" LIST_DATA(
		"1") "},"
		     "'unchanged':false,'certificatesRevoked':0}}");
	ck_assert(world_said("command=importCrl"));
}
END_TEST

START_TEST(a_large_list_is_answered_when_it_is_in_force)
{
	size_t parts;

	make_large_list("1");
	world_put_cert(device, ca, CERT_ACTIVE);
	parts = send_but_last(list->der);
	send_part("", "u", parts, parts, piece(list->der, parts - 1));
	world_settle();
	parse_answer();
	ck_assert_int_eq(entries(0), MANY + 1);
	ck_assert_int_eq(part_of(data(0), "certificatesRevoked")->valueint, 1);
	ck_assert_int_eq(status_of(device), CERT_REVOKED);
}
END_TEST

/* A later request need not wait until the list is in force. */
START_TEST(other_requests_are_served_between_the_parts_of_a_large_list)
{
	struct client c = admin();
	size_t parts, before;

	make_large_list("1");
	parts = send_but_last(list->der);
	before = world_count(NOTE_ANSWER);
	world_hold_writer();
	send_part("", "u", parts, parts, piece(list->der, parts - 1));
	c.id = "c2";
	post(&c,
	    view_of(expand("{'commands':[{'command':'createThing',"
			   "'thingName':'t'}]}")),
	    NULL);
	world_release_writer();
	ck_assert_str_eq(world_note(NOTE_ANSWER, before)->to, "c2");
	ck_assert_str_eq(world_note(NOTE_ANSWER, before + 1)->to, "c1");
	parse_answer();
	ck_assert_int_eq(entries(0), MANY + 1);
}
END_TEST

/* Later commands of the same request do wait, and see the list. */
START_TEST(commands_after_a_large_list_wait_for_it)
{
	size_t parts;

	make_large_list("1");
	parts = send_but_last(list->der);
	send_part(
	    ",{'command':'createThing','thingName':'t'}," DESCRIBE "," DELETE "," DESCRIBE
	    ",{'command':'createThing','thingName':'t'},{'command':'deleteThing','thingName':'x'}",
	    "u", parts, parts, piece(list->der, parts - 1));
	world_settle();
	parse_answer();
	ck_assert_int_eq(response_count(), 7);
	ck_assert_int_eq(entries(0), MANY + 1);
	ck_assert_str_eq(member(data(1), "thingName"), "t");
	ck_assert_int_eq(entries(2), MANY + 1);
	ck_done(3);
	ck_assert_int_eq(entries(4), -1);
	ck_assert_str_eq(member(data(5), "thingName"), "t");
	ck_done(6);
}
END_TEST

START_TEST(a_list_that_fails_does_not_fail_the_other_commands)
{
	ask("{'command':'createThing','thingName':'a'},{'command':'importCrl'," OF_CA
	    ",'crl':'AAAA'},"
	    "{'command':'createThing','thingName':'b'}," IMPORT
	    ",{'command':'createThing','thingName':"
	    "'c'}," DESCRIBE);
	ck_error(1, BAD, "");
	for (int i = 0; i < 5; i++)
		ck_assert(i == 1 || data(i) != NULL);
	ck_assert_int_eq(entries(5), 1);
	ask("{'command':'listThings'}");
	ck_assert_int_eq(cJSON_GetArraySize(part_of(data(0), "things")), 3);
}
END_TEST

START_TEST(of_two_lists_in_one_request_the_second_must_be_later)
{
	char *first = strdup(list->pem.data == NULL ? "" : (const char *)list->pem.data);

	word_pem("first", view_of(first));
	make_list("2", NULL, 0);
	ask(IMPORT ",{'command':'importCrl'," OF_CA ",'crl':'<first>'}," IMPORT);
	ck_assert_int_eq(entries(0), 0);
	ck_error(1, BAD, "older than the one in force");
	ck_assert(cJSON_IsTrue(part_of(data(2), "unchanged")));
	free(first);
}
END_TEST

START_TEST(an_upload_that_gets_no_more_parts_is_dropped)
{
	send_part("", "u", 1, 2, (struct view){ list->der.data, 100 });
	world_wait(UPLOAD_TIMEOUT_MS + 1);
	requests_tick();
	send_part("", "u", 2, 2, (struct view){ list->der.data + 100, list->der.len - 100 });
	parse_answer();
	ck_error(0, INVALID, "begin again with part 1");
}
END_TEST

START_TEST(too_many_uploads_are_refused)
{
	char id[8];

	for (int n = 0; n <= UPLOADS_MAX; n++) {
		snprintf(id, sizeof(id), "u%d", n);
		send_part("", id, 1, 2, (struct view){ list->der.data, 100 });
	}
	parse_answer();
	ck_error(0, "LimitExceededException", "try again in a minute");
}
END_TEST

/*
 * Trouble.
 */

START_TEST(a_list_that_cannot_be_stored_leaves_the_one_in_force)
{
	ask(IMPORT);
	make_list("2", NULL, 0);
	world_hold_writer();
	world_break_disk();
	send_part("", "u", 1, 1, list->der);
	world_release_writer();
	parse_answer();
	ck_error(0, "ServiceUnavailableException", "");
	ask(DESCRIBE);
	ck_assert_str_eq(member(part_of(data(0), "crl"), "crlNumber"), "1");
	ck_assert_ptr_nonnull(part_of(data(0), "lastFailure"));
	ck_assert_uint_eq(stats.crl_failed, 1);
	ask(IMPORT); /* the disk works again */
	ck_assert_int_eq(entries(0), 0);
}
END_TEST

START_TEST(with_a_full_queue_a_list_is_refused)
{
	requests_stop();
	requests_start(1);
	world_hold_writer();
	send_part("", "u", 1, 1, list->der);
	parse_answer();
	ck_error(0, "ThrottlingException", "queue");
	world_release_writer();
	ask(IMPORT);
	ck_assert_int_eq(entries(0), 1);
}
END_TEST

/* A large list is not finished first: it may take any time. */
START_TEST(an_import_is_answered_as_stopped_when_the_broker_stops)
{
	size_t parts;

	make_large_list("1");
	parts = send_but_last(list->der);
	send_part("", "u", parts, parts, piece(list->der, parts - 1));
	requests_stop();
	parse_answer();
	ck_error(0, "ThrottlingException", "the broker stopped in the middle of it");
	world_reopen_store();
	requests_start(64);
	ck_assert(!is_in_force());
	crls_tick(crls); /* deletes its remaining rows */
	world_settle();
	parts = send_but_last(list->der);
	send_part("", "u", parts, parts, piece(list->der, parts - 1));
	world_settle();
	parse_answer();
	ck_assert_int_eq(entries(0), MANY + 1);
}
END_TEST

START_TEST(an_import_finishes_when_its_client_has_left)
{
	world.answer_result = ERR_NOT_FOUND;
	send_part("", "u", 1, 1, list->der);
	world_settle();
	world.answer_result = ERR_OK;
	ck_assert(is_in_force());
}
END_TEST

static TCase *
crl_case(Suite *suite, const char *name)
{
	TCase *t = suite_case(suite, name);

	tcase_add_checked_fixture(t, set_up, tear_down);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("request_crl");
	TCase *t = crl_case(suite, "in one request");

	tcase_add_test(t, a_list_is_imported_and_described);
	tcase_add_test(t, a_list_in_der_is_the_same_list);
	tcase_add_test(t, listed_certificates_are_revoked_and_counted);
	tcase_add_loop_test(t, live_connections_of_listed_certificates_are_closed, 0, 2);
	tcase_add_loop_test(t, its_number_is_shown_in_decimal, 0, COUNT_OF(numbers));
	tcase_add_test(t, a_list_becomes_stale);
	tcase_add_test(t, a_refused_list_is_shown_until_one_is_accepted);
	tcase_add_test(t, a_ca_that_is_not_registered_has_no_list);
	tcase_add_test(t, a_list_is_deleted_with_its_gauges);
	tcase_add_test(t, a_list_is_deleted_with_its_ca);
	t = crl_case(suite, "mistakes and settings");
	tcase_add_loop_test(t, a_mistake_is_named_and_changes_nothing, 0, COUNT_OF(mistakes));
	tcase_add_loop_test(t, a_ca_is_registered_with_settings, 0, COUNT_OF(settings));
	tcase_add_loop_test(t, settings_are_changed, 0, COUNT_OF(settings));
	tcase_add_test(t, settings_that_are_not_named_are_kept);
	t = crl_case(suite, "in parts");
	tcase_add_test(t, a_part_is_answered_at_once);
	tcase_add_test(t, a_large_list_is_answered_when_it_is_in_force);
	tcase_add_test(t, other_requests_are_served_between_the_parts_of_a_large_list);
	tcase_add_test(t, commands_after_a_large_list_wait_for_it);
	tcase_add_test(t, a_list_that_fails_does_not_fail_the_other_commands);
	tcase_add_test(t, of_two_lists_in_one_request_the_second_must_be_later);
	tcase_add_test(t, an_upload_that_gets_no_more_parts_is_dropped);
	tcase_add_test(t, too_many_uploads_are_refused);
	t = crl_case(suite, "trouble");
	tcase_add_test(t, a_list_that_cannot_be_stored_leaves_the_one_in_force);
	tcase_add_test(t, with_a_full_queue_a_list_is_refused);
	tcase_add_test(t, an_import_is_answered_as_stopped_when_the_broker_stops);
	tcase_add_test(t, an_import_finishes_when_its_client_has_left);
	return suite_run(suite);
}
