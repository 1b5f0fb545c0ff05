/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_registry.c - changes to certificates and CAs, in a real registry.
 *
 * The rules are aws-iot A.1 to A.3 and D.2.  A certificate and its event are stored together or
 * not at all, also when the process is killed.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jitr/service/registry.h"
#include "jitr/adapter/x509.h"
#include "suite.h"
#include "change.h" /* has a t: behind what has parameters of that name */

static struct registry_rules rules;
static struct pki_cert *ca, *device;
static struct diag diag;

/* Each test begins in a transaction, without a registered CA. */
static void
set_up(void)
{
	world_open();
	ca = pki_ca("Test CA");
	device = pki_device(ca, "device-1");
	rules = (struct registry_rules){ .decide = { .announce_interval = 1000 } };
	memcpy(rules.account_id, "123456789012", 13);
	diag.text[0] = '\0';
	world_change(&t);
}

static void
tear_down(void)
{
	store_end(&t);
	pki_free(device);
	pki_free(ca);
	world_close();
}

static void
put_ca(const struct pki_cert *c, enum ca_status status, bool automatic)
{
	store_end(&t);
	world_put_ca(c, status, automatic);
	world_change(&t);
}

static void
put_cert(const struct pki_cert *c, enum cert_status status)
{
	put_cert_of(ca, c, status);
}

static const struct ca *
get_ca(const struct pki_cert *c)
{
	static struct ca record;
	struct certid id = world_id(c);

	ck_assert_int_eq(store_get_ca(&t, &id, &record), ERR_OK);
	return &record;
}

static size_t
messages(void)
{
	struct message m = { .seq = 0 };
	size_t count = 0;

	while (store_next_message(&t, m.seq, &m) == ERR_OK)
		count++;
	return count;
}

/* The nth message, from 0, as text. */
static const char *
message(size_t nth)
{
	static char text[1024];
	struct message m = { .seq = 0 };

	do
		ck_assert_int_eq(store_next_message(&t, m.seq, &m), ERR_OK);
	while (nth-- > 0);
	snprintf(text, sizeof(text), "%.*s %.*s", (int)m.topic.len, (const char *)m.topic.data,
	    (int)m.payload.len, (const char *)m.payload.data);
	return text;
}

static struct presentation
presentation(const struct pki_cert *c)
{
	struct presentation p = { .ca_id = world_id(ca), .der = c->der };

	ck_assert_int_eq(x509_read(c->x, &p.presented), ERR_OK);
	x509_read_strength(c->x, &p.presented);
	p.presented.issued_by_ca = x509_issued_by(c->x, ca->x);
	return p;
}

static struct decision
present(const struct pki_cert *c)
{
	struct presentation p = presentation(c);
	struct outcome done;

	ck_assert_int_eq(registry_connect(&t, &p, &rules, world_now(), &done), ERR_OK);
	return done.decision;
}

/*
 * A client presents a certificate: aws-iot D.2.
 */

#define NO_RECORD (-1)

static const struct {
	const char *row;
	int record; /* the certificate's status */
	int ca;     /* the CA's */
	bool automatic;
	enum reason reason;
	int after; /* the status then */
	size_t events;
} rows[] = {
	{ "1: ACTIVE ENABLE", NO_RECORD, CA_ACTIVE, true, REASON_REGISTERED_NOW,
	    CERT_PENDING_ACTIVATION, 1 },
	{ "3: ACTIVE DISABLE", NO_RECORD, CA_ACTIVE, false, REASON_AUTO_REGISTRATION_OFF, NO_RECORD,
	    0 },
	{ "4: INACTIVE ENABLE", NO_RECORD, CA_INACTIVE, true, REASON_CA_INACTIVE, NO_RECORD, 0 },
	{ "4: INACTIVE DISABLE", NO_RECORD, CA_INACTIVE, false, REASON_CA_INACTIVE, NO_RECORD, 0 },
	{ "5: no CA", NO_RECORD, NO_RECORD, false, REASON_UNKNOWN_CA, NO_RECORD, 0 },
	{ "6: pending", CERT_PENDING_ACTIVATION, CA_ACTIVE, true, REASON_PENDING_ACTIVATION,
	    CERT_PENDING_ACTIVATION, 1 },
	{ "6: pending, CA inactive", CERT_PENDING_ACTIVATION, CA_INACTIVE, false,
	    REASON_PENDING_ACTIVATION, CERT_PENDING_ACTIVATION, 1 },
	{ "6: pending, CA deleted", CERT_PENDING_ACTIVATION, NO_RECORD, false,
	    REASON_PENDING_ACTIVATION, CERT_PENDING_ACTIVATION, 1 },
	{ "7: active", CERT_ACTIVE, CA_ACTIVE, true, REASON_NONE, CERT_ACTIVE, 0 },
	{ "7: active, CA deleted", CERT_ACTIVE, NO_RECORD, false, REASON_NONE, CERT_ACTIVE, 0 },
	{ "8: inactive", CERT_INACTIVE, CA_ACTIVE, true, REASON_INACTIVE, CERT_INACTIVE, 0 },
	{ "9: revoked", CERT_REVOKED, CA_ACTIVE, true, REASON_REVOKED, CERT_REVOKED, 0 },
	{ "10: in transfer", CERT_PENDING_TRANSFER, CA_ACTIVE, true, REASON_PENDING_TRANSFER,
	    CERT_PENDING_TRANSFER, 0 },
};

START_TEST(presenting_a_certificate_does_what_its_row_says)
{
	struct decision done;

	if (rows[_i].ca != NO_RECORD)
		put_ca(ca, (enum ca_status)rows[_i].ca, rows[_i].automatic);
	if (rows[_i].record != NO_RECORD)
		put_cert(device, (enum cert_status)rows[_i].record);
	done = present(device);
	commit();
	ck_assert_msg(done.reason == rows[_i].reason, "row %s: %s", rows[_i].row,
	    reason_text(done.reason));
	ck_assert_int_eq(has_cert(device), rows[_i].after != NO_RECORD);
	if (rows[_i].after != NO_RECORD)
		ck_assert_int_eq((int)get_cert(device)->status, rows[_i].after);
	ck_assert_uint_eq(messages(), rows[_i].events);
}
END_TEST

START_TEST(a_first_connection_creates_the_record_of_aws)
{
	struct certid id = world_id(device), ca_id = world_id(ca);
	struct cert_document document;
	struct presented p;
	struct cert cert;

	put_ca(ca, CA_ACTIVE, true);
	(void)present(device);
	commit();
	cert = *get_cert(device);
	ck_assert(cert.has_ca && certid_equal(&cert.ca_id, &ca_id));
	ck_assert_int_eq(cert.mode, MODE_DEFAULT); /* that of its CA */
	ck_assert_int_eq(cert.created, world_now());
	ck_assert_int_eq(cert.modified, world_now());
	ck_assert_int_eq(cert.announced, world_now());
	ck_assert_uint_eq(cert.version, 1);
	ck_assert_int_eq(x509_read(device->x, &p), ERR_OK);
	ck_assert_int_eq(cert.not_before, p.not_before);
	ck_assert_int_eq(cert.not_after, p.not_after);
	ck_assert_int_eq(store_get_cert_document(&t, &id, &document), ERR_OK);
	ck_assert_uint_eq(document.der.len, device->der.len);
	ck_assert_mem_eq(document.der.data, device->der.data, device->der.len);
}
END_TEST

START_TEST(the_registration_time_in_events_is_null_at_first_and_set_later)
{
	char expected[1024];
	int64_t registered = world_now();

	put_ca(ca, CA_ACTIVE, true);
	(void)present(device);
	world_wait(60000);
	(void)present(device);
	snprintf(expected, sizeof(expected),
	    "$aws/events/certificates/registered/%s "
	    "{\"certificateId\":\"%s\",\"caCertificateId\":\"%s\",\"timestamp\":%lld,"
	    "\"certificateStatus\":\"PENDING_ACTIVATION\",\"awsAccountId\":\"123456789012\","
	    "\"certificateRegistrationTimestamp\":null}",
	    world_hex(ca), world_hex(device), world_hex(ca), (long long)registered);
	ck_assert_str_eq(message(0), expected);
	snprintf(expected, sizeof(expected),
	    "$aws/events/certificates/registered/%s "
	    "{\"certificateId\":\"%s\",\"caCertificateId\":\"%s\",\"timestamp\":%lld,"
	    "\"certificateStatus\":\"PENDING_ACTIVATION\",\"awsAccountId\":\"123456789012\","
	    "\"certificateRegistrationTimestamp\":\"%lld\"}",
	    world_hex(ca), world_hex(device), world_hex(ca), (long long)registered + 60000,
	    (long long)registered);
	ck_assert_str_eq(message(1), expected);
}
END_TEST

/* aws-iot D.2: two simultaneous first connections create one record.  The broker thread judged
 * both as unknown. */
START_TEST(the_second_of_two_first_connections_finds_the_record_of_the_first)
{
	struct generation first;

	put_ca(ca, CA_ACTIVE, true);
	ck_assert_uint_eq(present(device).effects, EFFECT_REGISTER | EFFECT_ANNOUNCE);
	first = get_cert(device)->generation;
	ck_assert_uint_eq(present(device).effects, 0);
	commit();
	ck_assert_int_eq(present(device).reason, REASON_PENDING_ACTIVATION);
	ck_assert_mem_eq(&get_cert(device)->generation, &first, sizeof(first));
	ck_assert_uint_eq(messages(), 1);
}
END_TEST

START_TEST(a_pending_certificate_is_announced_once_in_an_interval)
{
	put_ca(ca, CA_ACTIVE, true);
	(void)present(device);
	world_wait(999);
	ck_assert_uint_eq(present(device).effects, 0);
	world_wait(1);
	ck_assert_uint_eq(present(device).effects, EFFECT_ANNOUNCE);
	ck_assert_uint_eq(present(device).effects, 0);
	rules.decide.announce_interval = 0; /* as AWS: each time */
	ck_assert_uint_eq(present(device).effects, EFFECT_ANNOUNCE);
	ck_assert_uint_eq(present(device).effects, EFFECT_ANNOUNCE);
	ck_assert_uint_eq(messages(), 4);
}
END_TEST

/* customerVersion and lastModifiedDate are for changes, not for attempts. */
START_TEST(announcing_does_not_change_the_record)
{
	struct cert before, after;

	put_ca(ca, CA_ACTIVE, true);
	(void)present(device);
	before = *get_cert(device);
	world_wait(5000);
	(void)present(device);
	after = *get_cert(device);
	ck_assert_int_eq(after.announced, world_now());
	ck_assert_int_eq(after.modified, before.modified);
	ck_assert_uint_eq(after.version, before.version);
}
END_TEST

START_TEST(certificate_and_event_are_dropped_together)
{
	put_ca(ca, CA_ACTIVE, true);
	(void)present(device);
	store_end(&t);
	world_change(&t);
	ck_assert(!has_cert(device));
	ck_assert_uint_eq(messages(), 0);
}
END_TEST

START_TEST(a_failing_store_registers_nothing_and_reports_it)
{
	struct presentation p = presentation(device);
	struct outcome done;

	put_ca(ca, CA_ACTIVE, true);
	t.failed = ERR_STORAGE;
	ck_assert_int_ne(registry_connect(&t, &p, &rules, world_now(), &done), ERR_OK);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	world_change(&t);
	ck_assert(!has_cert(device));
	ck_assert_uint_eq(messages(), 0);
}
END_TEST

/* The broker thread judged on a snapshot; later changes are respected. */
START_TEST(a_ca_deactivated_meanwhile_registers_no_certificate)
{
	put_ca(ca, CA_ACTIVE, true);
	put_ca(ca, CA_INACTIVE, true);
	ck_assert_int_eq(present(device).reason, REASON_CA_INACTIVE);
	ck_assert(!has_cert(device));
}
END_TEST

START_TEST(a_deleted_certificate_is_unknown_again)
{
	struct certid id = world_id(device);
	struct generation first;

	put_ca(ca, CA_ACTIVE, true);
	(void)present(device);
	first = get_cert(device)->generation;
	ck_assert_int_eq(registry_remove_cert(&t, &id, false, "arn:", &diag), ERR_OK);
	ck_assert_int_eq(present(device).reason, REASON_REGISTERED_NOW);
	ck_assert_mem_ne(&get_cert(device)->generation, &first, sizeof(first));
	ck_assert_uint_eq(messages(), 2);
	ck_assert_ptr_nonnull(strstr(message(1), "\"certificateRegistrationTimestamp\":null"));
}
END_TEST

/*
 * The registration code: aws-iot A.1.
 */

START_TEST(the_registration_code_stays_until_it_is_deleted)
{
	char first[REGISTRATION_CODE_SIZE], again[REGISTRATION_CODE_SIZE];

	ck_assert_int_eq(registry_delete_registration_code(&t, &diag), ERR_NOT_FOUND);
	ck_assert_str_eq(diag.text, "There is no registration code");
	ck_assert_int_eq(registry_registration_code(&t, first), ERR_OK);
	ck_assert_uint_eq(strspn(first, "0123456789abcdef"), 64);
	ck_assert_uint_eq(strlen(first), 64);
	commit();
	ck_assert_int_eq(registry_registration_code(&t, again), ERR_OK);
	ck_assert_str_eq(again, first);
	ck_assert_int_eq(registry_delete_registration_code(&t, &diag), ERR_OK);
	commit();
	ck_assert_int_eq(registry_delete_registration_code(&t, &diag), ERR_NOT_FOUND);
	ck_assert_int_eq(registry_registration_code(&t, again), ERR_OK);
	ck_assert_str_ne(again, first);
}
END_TEST

/*
 * CAs: aws-iot A.2 and C.
 */

static enum err
add_ca(const struct pki_cert *c, enum cert_mode mode, const char *proof)
{
	struct ca_document document = { .der = c->der, .pem = c->pem };
	struct ca_settings_update settings = { .crl_check = NULL };
	struct ca record;

	diag.text[0] = '\0';
	ck_assert_int_eq(x509_read_ca(c->x, &record), ERR_OK);
	record.status = CA_INACTIVE;
	record.mode = mode;
	record.auto_registration = false;
	return registry_add_ca(&t,
	    &(struct ca_registration){ .ca = &record,
		.document = &document,
		.settings = &settings,
		.proof = proof },
	    world_now(), &diag);
}

START_TEST(a_ca_is_registered_with_the_current_code)
{
	char code[REGISTRATION_CODE_SIZE];
	struct generation none = { { 0 } };
	struct ca record;

	ck_assert_int_eq(registry_registration_code(&t, code), ERR_OK);
	ck_assert_int_eq(add_ca(ca, MODE_DEFAULT, code), ERR_OK);
	commit();
	record = *get_ca(ca);
	ck_assert_int_eq(record.status, CA_INACTIVE);
	ck_assert_int_eq(record.mode, MODE_DEFAULT);
	ck_assert(!record.auto_registration);
	ck_assert_int_eq(record.created, world_now());
	ck_assert_int_eq(record.modified, world_now());
	ck_assert_uint_eq(record.version, 1);
	ck_assert_mem_ne(&record.generation, &none, sizeof(none));
}
END_TEST

START_TEST(a_proof_with_another_code_is_refused)
{
	char code[REGISTRATION_CODE_SIZE], upper[REGISTRATION_CODE_SIZE];

	ck_assert_int_eq(add_ca(ca, MODE_DEFAULT, ""), ERR_PROOF); /* no code was made */
	ck_assert_int_eq(registry_registration_code(&t, code), ERR_OK);
	ck_assert_int_eq(add_ca(ca, MODE_DEFAULT, ""), ERR_PROOF);
	memcpy(upper, code, sizeof(upper));
	upper[strcspn(upper, "abcdef")] = 'X';
	ck_assert_int_eq(add_ca(ca, MODE_DEFAULT, upper), ERR_PROOF);
	ck_assert_int_eq(registry_delete_registration_code(&t, &diag), ERR_OK);
	ck_assert_int_eq(add_ca(ca, MODE_DEFAULT, code), ERR_PROOF);
	ck_assert_ptr_nonnull(strstr(diag.text, "getRegistrationCode"));
	ck_assert(!world_get_ca(ca, &(struct ca){ 0 }));
}
END_TEST

START_TEST(a_ca_is_registered_once_whatever_its_status)
{
	ck_assert_int_eq(add_ca(ca, MODE_SNI_ONLY, NULL), ERR_OK);
	world_wait(1000);
	ck_assert_int_eq(add_ca(ca, MODE_SNI_ONLY, NULL), ERR_EXISTS);
	ck_assert_int_ne(get_ca(ca)->created, world_now());
}
END_TEST

START_TEST(ten_cas_may_have_one_subject)
{
	struct pki_cert *same;

	for (int i = 0; i < CA_SAME_SUBJECT_MAX; i++) {
		same = pki_ca("One subject");
		ck_assert_int_eq(add_ca(same, MODE_SNI_ONLY, NULL), ERR_OK);
		pki_free(same);
	}
	same = pki_ca("One subject");
	ck_assert_int_eq(add_ca(same, MODE_SNI_ONLY, NULL), ERR_LIMIT);
	ck_assert_str_eq(diag.text,
	    "Limit reached for number of CA Certificates with same subject");
	ck_assert_int_eq(add_ca(ca, MODE_SNI_ONLY, NULL), ERR_OK); /* another subject */
	pki_free(same);
}
END_TEST

static void
update_ca(const struct ca_update *u)
{
	struct certid id = world_id(ca);

	world_wait(1000);
	ck_assert_int_eq(registry_update_ca(&t, &id, u, world_now(), &diag), ERR_OK);
}

START_TEST(each_setting_of_a_ca_is_changed_independently)
{
	enum ca_status active = CA_ACTIVE, inactive = CA_INACTIVE;
	bool on = true, off = false;

	put_ca(ca, CA_INACTIVE, false);
	update_ca(&(struct ca_update){ .status = &active });
	ck_assert(get_ca(ca)->status == CA_ACTIVE && !get_ca(ca)->auto_registration);
	update_ca(&(struct ca_update){ .auto_registration = &on });
	ck_assert(get_ca(ca)->status == CA_ACTIVE && get_ca(ca)->auto_registration);
	update_ca(&(struct ca_update){ .status = &inactive, .auto_registration = &off });
	ck_assert(get_ca(ca)->status == CA_INACTIVE && !get_ca(ca)->auto_registration);
	ck_assert_uint_eq(get_ca(ca)->version, 4);
	ck_assert_int_eq(get_ca(ca)->modified, world_now());
	ck_assert_int_eq(get_ca(ca)->created, world_now() - 3000);
}
END_TEST

START_TEST(a_call_that_changes_nothing_succeeds_without_a_change)
{
	struct ca before;

	put_ca(ca, CA_ACTIVE, true);
	before = *get_ca(ca);
	update_ca(&(struct ca_update){ .status = NULL });
	ck_assert_uint_eq(get_ca(ca)->version, before.version);
	ck_assert_int_eq(get_ca(ca)->modified, before.modified);
}
END_TEST

static void
check_template(const char *body, const char *role)
{
	struct certid id = world_id(ca);
	struct ca_document d;

	ck_assert_int_eq(store_get_ca_document(&t, &id, &d), ERR_OK);
	ck_assert_uint_eq(d.template_body.len, strlen(body));
	ck_assert_mem_eq(d.template_body.data, body, strlen(body));
	ck_assert_uint_eq(d.role_arn.len, strlen(role));
	ck_assert_uint_eq(d.der.len, ca->der.len); /* the rest is untouched */
	ck_assert_uint_eq(d.pem.len, ca->pem.len);
}

START_TEST(a_template_is_replaced_completely_and_removed)
{
	struct view body = view_of("{\"Parameters\":{}}"), role = view_of("arn:aws:iam::1:role/r");
	struct view other = view_of("{}"), none = view_of(NULL);
	bool on = true;

	put_ca(ca, CA_ACTIVE, true);
	update_ca(&(struct ca_update){ .template_body = &body, .role_arn = &role });
	check_template("{\"Parameters\":{}}", "arn:aws:iam::1:role/r");
	update_ca(&(struct ca_update){ .template_body = &other, .role_arn = &none });
	check_template("{}", "");
	update_ca(&(struct ca_update){ .remove_auto_registration = true });
	check_template("", "");
	ck_assert(!get_ca(ca)->auto_registration);
	update_ca(
	    &(struct ca_update){ .remove_auto_registration = true, .auto_registration = &on });
	ck_assert(get_ca(ca)->auto_registration);
}
END_TEST

START_TEST(an_active_ca_is_not_deleted)
{
	enum ca_status inactive = CA_INACTIVE;
	struct certid id = world_id(ca);

	ck_assert_int_eq(registry_remove_ca(&t, &id, &diag), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(diag.text, world_hex(ca)));
	put_ca(ca, CA_ACTIVE, true);
	ck_assert_int_eq(registry_remove_ca(&t, &id, &diag), ERR_WRONG_STATE);
	update_ca(&(struct ca_update){ .status = &inactive });
	ck_assert_int_eq(registry_remove_ca(&t, &id, &diag), ERR_OK);
	commit();
	ck_assert(!world_get_ca(ca, &(struct ca){ 0 }));
	ck_assert_int_eq(registry_update_ca(&t, &id, &(struct ca_update){ .status = &inactive },
			     world_now(), &diag),
	    ERR_NOT_FOUND);
	ck_assert_int_eq(add_ca(ca, MODE_SNI_ONLY, NULL), ERR_OK); /* and registered again */
}
END_TEST

/* aws-iot A.2.5: its certificates stay, keep its id and work. */
START_TEST(deleting_a_ca_leaves_its_certificates)
{
	struct certid id = world_id(ca);
	bool has;

	put_ca(ca, CA_INACTIVE, false);
	put_cert(device, CERT_ACTIVE);
	ck_assert_int_eq(registry_remove_ca(&t, &id, &diag), ERR_OK);
	commit();
	ck_assert(certid_equal(&get_cert(device)->ca_id, &id));
	ck_assert_int_eq(present(device).verdict, VERDICT_ALLOW);
	ck_assert_int_eq(store_has_cert_of(&t, &id, &has), ERR_OK);
	ck_assert(has);
}
END_TEST

/*
 * Certificates registered by a command: aws-iot A.3.1 and A.3.2.
 */

static enum err
add_cert(const struct pki_cert *c, bool with_ca, const struct pki_cert *issuer,
    enum cert_status status)
{
	struct cert_registration r = { .x = c->x,
		.pem = c->pem,
		.with_ca = with_ca,
		.issuer = issuer != NULL ? issuer->x : NULL,
		.status = status };
	struct certid id, expected = world_id(c);
	enum err e;

	diag.text[0] = '\0';
	e = registry_add_cert(&t, &r, world_now(), &id, &diag);
	if (e == ERR_OK || e == ERR_EXISTS)
		ck_assert(certid_equal(&id, &expected));
	return e;
}

START_TEST(a_certificate_is_registered_under_the_ca_that_signed_it)
{
	struct certid ca_id = world_id(ca), id = world_id(device);
	struct cert_document document;
	struct cert cert;

	put_ca(ca, CA_ACTIVE, false); /* auto-registration does not matter here */
	ck_assert_int_eq(add_cert(device, true, NULL, CERT_ACTIVE), ERR_OK);
	commit();
	cert = *get_cert(device);
	ck_assert(cert.has_ca && certid_equal(&cert.ca_id, &ca_id));
	ck_assert_int_eq(cert.status, CERT_ACTIVE);
	ck_assert_int_eq(cert.mode, MODE_DEFAULT);
	ck_assert_int_eq(cert.announced, 0);
	ck_assert_uint_eq(cert.version, 1);
	ck_assert_uint_eq(messages(), 0); /* no event */
	ck_assert_int_eq(store_get_cert_document(&t, &id, &document), ERR_OK);
	ck_assert_uint_eq(document.pem.len, device->pem.len);
	ck_assert_mem_eq(document.der.data, device->der.data, device->der.len);
}
END_TEST

START_TEST(a_certificate_is_registered_without_a_ca)
{
	struct pki_cert *self = pki_make(&(struct pki_options){ .common_name = "alone" });

	ck_assert_int_eq(add_cert(self, false, NULL, CERT_INACTIVE), ERR_OK);
	ck_assert(!get_cert(self)->has_ca);
	ck_assert_int_eq(get_cert(self)->mode, MODE_SNI_ONLY);
	ck_assert_int_eq(add_cert(self, false, NULL, CERT_ACTIVE), ERR_EXISTS);
	ck_assert_str_eq(diag.text, "The certificate is already provisioned or registered");
	ck_assert_int_eq(get_cert(self)->status, CERT_INACTIVE);
	pki_free(self);
}
END_TEST

/* It exists by another id: under any CA or none, with any status (contract, section 6). */
START_TEST(a_certificate_is_not_registered_again_with_another_signature)
{
	struct pki_cert *twin = pki_twin(device, ca);
	struct cert_registration r = { .x = twin->x,
		.pem = twin->pem,
		.with_ca = _i & 1,
		.status = CERT_ACTIVE };
	struct certid id, expected = world_id(device);

	put_ca(ca, CA_ACTIVE, true);
	if (_i & 2)
		ck_assert_int_eq(add_cert(device, true, NULL, CERT_REVOKED), ERR_OK);
	else
		ck_assert_int_eq(add_cert(device, false, NULL, CERT_INACTIVE), ERR_OK);
	ck_assert_int_eq(registry_add_cert(&t, &r, world_now(), &id, &diag), ERR_EXISTS);
	ck_assert(certid_equal(&id, &expected));
	ck_assert_ptr_nonnull(strstr(diag.text, "with its signature in another form (id: "));
	ck_assert(!has_cert(twin));
	ck_assert_int_eq(registry_remove_cert(&t, &expected, false, "arn:", &diag), ERR_OK);
	ck_assert_int_eq(registry_add_cert(&t, &r, world_now(), &id, &diag), ERR_OK);
	ck_assert_int_eq(get_cert(twin)->status, CERT_ACTIVE);
	pki_free(twin);
}
END_TEST

START_TEST(only_a_first_connection_sets_the_status_pending)
{
	static const enum cert_status fine[] = { CERT_ACTIVE, CERT_INACTIVE, CERT_REVOKED };

	ck_assert_int_eq(add_cert(device, false, NULL, CERT_PENDING_ACTIVATION), ERR_WRONG_STATE);
	ck_assert_str_eq(diag.text,
	    "Not allowed to register certificate with PENDING_ACTIVATION status");
	ck_assert_int_eq(add_cert(device, false, NULL, CERT_PENDING_TRANSFER), ERR_WRONG_STATE);
	for (size_t i = 0; i < COUNT_OF(fine); i++) {
		struct pki_cert *c = pki_device(ca, "another");

		ck_assert_int_eq(add_cert(c, false, NULL, fine[i]), ERR_OK);
		ck_assert_int_eq(get_cert(c)->status, fine[i]);
		pki_free(c);
	}
}
END_TEST

START_TEST(an_unregistered_ca_registers_no_certificate)
{
	ck_assert_int_eq(add_cert(device, true, NULL, CERT_ACTIVE), ERR_WRONG_STATE);
	ck_assert_str_eq(diag.text, "No CA certificate exists for the given certificate");
	ck_assert_int_eq(add_cert(device, true, ca, CERT_ACTIVE), ERR_WRONG_STATE);
	ck_assert_str_eq(diag.text, "No CA certificate exists for the given certificate");
	ck_assert(!has_cert(device));
}
END_TEST

START_TEST(an_inactive_ca_registers_no_certificate)
{
	put_ca(ca, CA_INACTIVE, true);
	ck_assert_int_eq(add_cert(device, true, NULL, CERT_ACTIVE), ERR_WRONG_STATE);
	ck_assert_int_eq(add_cert(device, true, ca, CERT_ACTIVE), ERR_WRONG_STATE);
	ck_assert(!has_cert(device));
}
END_TEST

/* Without the CA's key a certificate can still name the CA as its issuer. */
START_TEST(a_ca_registers_only_certificates_that_it_signed)
{
	struct pki_cert *impostor = pki_ca("Test CA"), *forged = pki_device(impostor, "forged");

	put_ca(ca, CA_ACTIVE, true);
	ck_assert_int_eq(add_cert(forged, true, NULL, CERT_ACTIVE), ERR_CERTIFICATE);
	ck_assert_int_eq(add_cert(forged, true, ca, CERT_ACTIVE), ERR_CERTIFICATE);
	ck_assert_int_eq(present(forged).reason, REASON_NOT_ISSUED_BY_CA);
	ck_assert(!has_cert(forged));
	pki_free(forged);
	pki_free(impostor);
}
END_TEST

/* A CA renewed with the same name and key: aws-iot A.3.1. */
START_TEST(with_two_cas_of_one_key_the_caller_must_name_one)
{
	struct pki_cert *renewed = pki_make(
	    &(struct pki_options){ .common_name = "Test CA", .is_ca = true, .key_of = ca });
	struct certid renewed_id = world_id(renewed);

	put_ca(ca, CA_ACTIVE, true);
	put_ca(renewed, CA_ACTIVE, true);
	ck_assert_int_eq(add_cert(device, true, NULL, CERT_ACTIVE), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(diag.text, "caCertificatePem"));
	ck_assert(!has_cert(device));
	ck_assert_int_eq(add_cert(device, true, renewed, CERT_ACTIVE), ERR_OK);
	ck_assert(certid_equal(&get_cert(device)->ca_id, &renewed_id));
	pki_free(renewed);
}
END_TEST

START_TEST(with_two_cas_of_one_name_the_signer_is_found)
{
	struct pki_cert *other = pki_ca("Test CA");
	struct certid ca_id = world_id(ca);

	put_ca(other, CA_ACTIVE, true);
	put_ca(ca, CA_ACTIVE, true);
	ck_assert_int_eq(add_cert(device, true, NULL, CERT_ACTIVE), ERR_OK);
	ck_assert(certid_equal(&get_cert(device)->ca_id, &ca_id));
	pki_free(other);
}
END_TEST

/*
 * Status and deletion: aws-iot A.3.6 and A.3.9.
 */

static enum err
set_status(enum cert_status status)
{
	struct certid id = world_id(device);
	enum cert_status was;
	enum err e;

	world_wait(1000);
	e = registry_set_cert_status(&t, &id, status, world_now(), &was, &diag);
	return e;
}

START_TEST(a_status_is_changed_with_version_and_time)
{
	put_cert(device, CERT_PENDING_ACTIVATION);
	ck_assert_int_eq(set_status(CERT_ACTIVE), ERR_OK);
	ck_assert_int_eq(get_cert(device)->status, CERT_ACTIVE);
	ck_assert_uint_eq(get_cert(device)->version, 2);
	ck_assert_int_eq(get_cert(device)->modified, world_now());
	ck_assert_int_eq(set_status(CERT_ACTIVE), ERR_OK); /* changes nothing */
	ck_assert_uint_eq(get_cert(device)->version, 2);
	ck_assert_int_ne(get_cert(device)->modified, world_now());
	ck_assert_int_eq(set_status(CERT_REVOKED), ERR_OK);
	ck_assert_int_eq(set_status(CERT_ACTIVE), ERR_WRONG_STATE); /* for ever */
	ck_assert_str_eq(diag.text,
	    "The status of a certificate cannot be changed from REVOKED to ACTIVE");
	ck_assert_int_eq(get_cert(device)->status, CERT_REVOKED);
}
END_TEST

/* An older version could register both.  Neither becomes ACTIVE until the other is deleted; other
 * changes are allowed. */
START_TEST(certificates_that_share_a_signed_part_cannot_become_active)
{
	struct pki_cert *twin = pki_twin(device, ca);
	struct certid id = world_id(twin);

	put_cert(device, CERT_PENDING_ACTIVATION);
	put_cert(twin, CERT_INACTIVE);
	ck_assert_int_eq(set_status(CERT_ACTIVE), ERR_WRONG_STATE);
	ck_assert_ptr_nonnull(strstr(diag.text, world_hex(twin)));
	ck_assert_int_eq(set_status(CERT_INACTIVE), ERR_OK);
	ck_assert_int_eq(registry_remove_cert(&t, &id, false, "arn:", &diag), ERR_OK);
	ck_assert_int_eq(set_status(CERT_ACTIVE), ERR_OK);
	pki_free(twin);
}
END_TEST

START_TEST(an_unknown_certificate_has_no_status)
{
	ck_assert_int_eq(set_status(CERT_ACTIVE), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(diag.text, "Certificate not found (id: "));
	ck_assert_ptr_nonnull(strstr(diag.text, world_hex(device)));
}
END_TEST

static const struct {
	enum cert_status status;
	enum err result;
} removals[] = {
	{ CERT_ACTIVE, ERR_WRONG_STATE },
	{ CERT_PENDING_TRANSFER, ERR_WRONG_STATE },
	{ CERT_INACTIVE, ERR_OK },
	{ CERT_REVOKED, ERR_OK },
	{ CERT_PENDING_ACTIVATION, ERR_OK },
};

START_TEST(a_certificate_in_use_is_not_deleted)
{
	struct certid id = world_id(device);

	put_cert(device, removals[_i].status);
	ck_assert_int_eq(registry_remove_cert(&t, &id, false, "arn:", &diag), removals[_i].result);
	if (removals[_i].status == CERT_ACTIVE)
		ck_assert_ptr_nonnull(strstr(diag.text,
		    "Certificate must be deactivated (not ACTIVE) before deletion. Id: "));
	commit();
	ck_assert_int_eq(has_cert(device), removals[_i].result != ERR_OK);
	if (removals[_i].result == ERR_OK)
		ck_assert_int_eq(registry_remove_cert(&t, &id, false, "arn:", &diag),
		    ERR_NOT_FOUND);
}
END_TEST

/*
 * Crash.  A child process registers certificates without end, through the writer, and reports
 * each commit.  It is killed in the middle.
 */

struct crash_job {
	struct job job;
	struct presentation presentation;
	struct outcome done;
};

static enum err
crash_run(struct txn *txn, struct job *job, int64_t now)
{
	struct crash_job *c = (struct crash_job *)job;

	return registry_connect(txn, &c->presentation, &rules, now, &c->done);
}

/* Reports the commit: from here on the certificate must not be lost. */
static void
crash_finish(struct job *job)
{
	struct crash_job *c = (struct crash_job *)job;

	must(job->result == ERR_OK &&
	    c->done.decision.effects == (EFFECT_REGISTER | EFFECT_ANNOUNCE));
	must(write(STDOUT_FILENO, c->presentation.presented.id.b, 32) == 32);
	free(c);
}

static const struct job_type crash_type = { "crash", false, crash_run, NULL, crash_finish };

static int64_t
real_now(void)
{
	return (int64_t)time(NULL) * 1000;
}

static void
submit_one(struct writer *w, const struct certid *ca_id)
{
	struct crash_job *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->job.type = &crash_type;
	c->presentation.ca_id = *ca_id;
	c->presentation.der = view_of("a certificate");
	c->presentation.presented = (struct presented){ .not_after = INT64_MAX,
		.is_leaf = true,
		.strong_signature = true,
		.strong_key = true,
		.known_extensions = true,
		.issued_by_ca = ANSWER_YES };
	must(random_fill(&c->presentation.presented.id, 32) == ERR_OK);
	if (writer_submit(w, &c->job) != ERR_OK)
		free(c);
}

static _Noreturn void
register_until_killed(const char *db_path, const char *ca_hex)
{
	struct store_config config = { .path = db_path,
		.map_size = 64u << 20,
		.sha256 = sha256_of };
	struct writer_config writer_config = { .queue_max = 64, .batch_max = 16, .now = real_now };
	struct writer *w;
	struct store *s;
	struct certid ca_id;

	must(certid_from_hex(&ca_id, view_of(ca_hex)));
	must(store_open(&config, &s, NULL) == ERR_OK);
	writer_config.store = s;
	must(writer_open(&writer_config, &w) == ERR_OK);
	for (;;) {
		submit_one(w, &ca_id);
		(void)writer_turn(w);
	}
}

static pid_t
start_child(int *out)
{
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/proc/self/exe", "check_registry", "--register", world.db_path,
		    world_hex(ca), (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*out = ends[0];
	return pid;
}

#define IDS_MAX 200000

struct ids {
	struct certid *list;
	size_t count;
};

/* Kills the child after this many certificates and waits for its end. */
static void
read_and_kill(int in, pid_t pid, size_t kill_after, struct ids *told)
{
	size_t begin = told->count;
	ssize_t n;

	while ((n = read(in, &told->list[told->count], 32)) == 32) {
		ck_assert_uint_lt(++told->count, IDS_MAX);
		if (told->count - begin == kill_after)
			kill(pid, SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(in);
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct certid));
}

static void
sort_ids(struct ids *ids)
{
	qsort(ids->list, ids->count, sizeof(struct certid), compare_ids);
}

static void
list_records(struct ids *ids)
{
	static struct cert page[256];
	struct position after;
	struct listing l = { .ascending = true };
	size_t count;

	do {
		ck_assert_int_eq(store_list_certs(&t, &l, page, COUNT_OF(page), &count), ERR_OK);
		for (size_t i = 0; i < count; i++)
			ids->list[ids->count++] = page[i].id;
		if (count > 0)
			after = (struct position){ page[count - 1].created, page[count - 1].id };
		l.after = &after;
	} while (count == COUNT_OF(page));
}

static void
list_messages(struct ids *ids)
{
	static const char begin[] = "{\"certificateId\":\"";
	struct message m = { .seq = 0 };

	while (store_next_message(&t, m.seq, &m) == ERR_OK) {
		struct view hex = { m.payload.data + sizeof(begin) - 1, 64 };

		must(certid_from_hex(&ids->list[ids->count++], hex));
		must(m.seq == ids->count); /* no number is missing */
	}
}

static bool
contains(const struct ids *ids, const struct certid *id)
{
	return bsearch(id, ids->list, ids->count, sizeof(*id), compare_ids) != NULL;
}

static struct ids
ids_new(void)
{
	return (struct ids){ .list = calloc(IDS_MAX, sizeof(struct certid)) };
}

/* Nothing was published, so every certificate has its event, every event its certificate, and
 * all reported ones exist. */
static void
check_registry_is_whole(const struct ids *told)
{
	struct ids records = ids_new(), events = ids_new();

	list_records(&records);
	list_messages(&events);
	sort_ids(&records);
	sort_ids(&events);
	ck_assert_uint_eq(records.count, events.count);
	ck_assert_mem_eq(records.list, events.list, records.count * sizeof(struct certid));
	ck_assert_uint_ge(records.count, told->count);
	for (size_t i = 0; i < told->count; i++)
		must(contains(&records, &told->list[i]));
	free(records.list);
	free(events.list);
}

START_TEST(after_a_kill_a_certificate_and_its_event_both_exist_or_neither)
{
	struct ids told = ids_new();
	uint8_t random;
	int in;

	put_ca(ca, CA_ACTIVE, true);
	for (int round = 0; round < 8; round++) {
		pid_t pid;

		store_end(&t);
		store_close(world.store);
		world.store = NULL;
		pid = start_child(&in);
		ck_assert_int_eq(random_fill(&random, 1), ERR_OK);
		read_and_kill(in, pid, 1u + random, &told);
		world_reopen_store();
		world_change(&t);
		check_registry_is_whole(&told);
	}
	ck_assert_uint_ge(told.count, 8);
	free(told.list);
}
END_TEST

static void
present_tests(TCase *tc)
{
	tcase_add_loop_test(tc, presenting_a_certificate_does_what_its_row_says, 0, COUNT_OF(rows));
	tcase_add_test(tc, a_first_connection_creates_the_record_of_aws);
	tcase_add_test(tc, the_registration_time_in_events_is_null_at_first_and_set_later);
	tcase_add_test(tc, the_second_of_two_first_connections_finds_the_record_of_the_first);
	tcase_add_test(tc, a_pending_certificate_is_announced_once_in_an_interval);
	tcase_add_test(tc, announcing_does_not_change_the_record);
	tcase_add_test(tc, certificate_and_event_are_dropped_together);
	tcase_add_test(tc, a_failing_store_registers_nothing_and_reports_it);
	tcase_add_test(tc, a_ca_deactivated_meanwhile_registers_no_certificate);
	tcase_add_test(tc, a_deleted_certificate_is_unknown_again);
}

static void
ca_tests(TCase *tc)
{
	tcase_add_test(tc, the_registration_code_stays_until_it_is_deleted);
	tcase_add_test(tc, a_ca_is_registered_with_the_current_code);
	tcase_add_test(tc, a_proof_with_another_code_is_refused);
	tcase_add_test(tc, a_ca_is_registered_once_whatever_its_status);
	tcase_add_test(tc, ten_cas_may_have_one_subject);
	tcase_add_test(tc, each_setting_of_a_ca_is_changed_independently);
	tcase_add_test(tc, a_call_that_changes_nothing_succeeds_without_a_change);
	tcase_add_test(tc, a_template_is_replaced_completely_and_removed);
	tcase_add_test(tc, an_active_ca_is_not_deleted);
	tcase_add_test(tc, deleting_a_ca_leaves_its_certificates);
}

static void
cert_tests(TCase *tc)
{
	tcase_add_test(tc, a_certificate_is_registered_under_the_ca_that_signed_it);
	tcase_add_test(tc, a_certificate_is_registered_without_a_ca);
	tcase_add_loop_test(tc, a_certificate_is_not_registered_again_with_another_signature, 0, 4);
	tcase_add_test(tc, only_a_first_connection_sets_the_status_pending);
	tcase_add_test(tc, an_unregistered_ca_registers_no_certificate);
	tcase_add_test(tc, an_inactive_ca_registers_no_certificate);
	tcase_add_test(tc, a_ca_registers_only_certificates_that_it_signed);
	tcase_add_test(tc, with_two_cas_of_one_key_the_caller_must_name_one);
	tcase_add_test(tc, with_two_cas_of_one_name_the_signer_is_found);
	tcase_add_test(tc, a_status_is_changed_with_version_and_time);
	tcase_add_test(tc, certificates_that_share_a_signed_part_cannot_become_active);
	tcase_add_test(tc, an_unknown_certificate_has_no_status);
	tcase_add_loop_test(tc, a_certificate_in_use_is_not_deleted, 0, COUNT_OF(removals));
}

static TCase *
world_case(Suite *suite, const char *name)
{
	TCase *tc = suite_case(suite, name);

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	return tc;
}

int
main(int argc, char **argv)
{
	Suite *suite;

	if (argc == 4 && strcmp(argv[1], "--register") == 0)
		register_until_killed(argv[2], argv[3]);
	suite = suite_create("registry");
	present_tests(world_case(suite, "presenting"));
	ca_tests(world_case(suite, "CAs"));
	cert_tests(world_case(suite, "certificates"));
	tcase_add_test(world_case(suite, "crash"),
	    after_a_kill_a_certificate_and_its_event_both_exist_or_neither);
	return suite_run(suite);
}
