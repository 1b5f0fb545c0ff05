/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_registry_activate.c - plans of rules and templates are carried out, with what follows
 * later.
 *
 * A plan is carried out completely or not at all, in the transaction that registers or
 * activates the certificate (aws-iot D.5, E.2, E.3).
 */
#include <stdio.h>
#include <string.h>

#include "jitr/service/registry.h"
#include "jitr/service/registry_activate.h"
#include "jitr/service/registry_schedule.h"
#include "jitr/service/registry_policy.h"
#include "jitr/service/registry_thing.h"
#include "jitr/adapter/x509.h"
#include "attributes.h"
#include "suite.h"
#include "change.h" /* has a t: behind what has parameters of that name */

#define ACCOUNT "123456789012"
#define DAY     INT64_C(86400000)

static struct registry_rules rules;
static struct pki_cert *ca, *device;
static struct diag diag;
static struct outcome done;

/* An active CA that registers, a policy, a transaction. */
static const struct new_policy_version empty = { .document = { (const uint8_t *)"{}", 2 } };

static void
set_up(void)
{
	world_open();
	ca = pki_ca("Test CA");
	device = pki_device(ca, "device-1");
	rules = (struct registry_rules){ .decide = { .announce_interval = 1000 } };
	memcpy(rules.account_id, ACCOUNT, sizeof(ACCOUNT));
	diag.text[0] = '\0';
	world_put_ca(ca, CA_ACTIVE, true);
	world_change(&t);
	ck_assert_int_eq(registry_create_policy(&t, view_of("device"), &empty, world_now(), &diag),
	    ERR_OK);
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
put_cert(const struct pki_cert *c, enum cert_status status)
{
	put_cert_of(ca, c, status);
}

static bool
has_policy(const struct pki_cert *c, const char *name)
{
	struct certid id = world_id(c);
	bool attached;

	ck_assert_int_eq(store_is_attached(&t, view_of(name), &id, &attached), ERR_OK);
	return attached;
}

static bool
has_thing(const struct pki_cert *c, const char *name)
{
	struct certid id = world_id(c);
	enum principal_type type;

	return store_get_thing_principal(&t, view_of(name), &id, &type) == ERR_OK;
}

static const char *
note_of(const struct pki_cert *c)
{
	static char text[NOTE_TEXT_MAX + 1];
	struct certid id = world_id(c);
	struct cert_note note;

	if (store_get_cert_note(&t, &id, &note) != ERR_OK)
		return "";
	snprintf(text, sizeof(text), "%.*s", (int)note.text.len, (const char *)note.text.data);
	return text;
}

static struct refusal
refusal_of(const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct refusal refusal;

	return store_get_refusal(&t, &id, &refusal) == ERR_OK ? refusal
							      : (struct refusal){ .time = 0 };
}

static bool
says(struct view text, const char *words)
{
	return view_equal(text, view_of(words));
}

/* The nth message, from 0, as text; "" for none. */
static const char *
message(size_t nth)
{
	static char text[4096];
	struct message m = { .seq = 0 };

	do
		if (store_next_message(&t, m.seq, &m) != ERR_OK)
			return "";
	while (nth-- > 0);
	snprintf(text, sizeof(text), "%.*s %.*s", (int)m.topic.len, (const char *)m.topic.data,
	    (int)m.payload.len, (const char *)m.payload.data);
	return text;
}

static struct ca_revision
ca_revision_now(void)
{
	struct certid id = world_id(ca);
	struct ca record;

	ck_assert_int_eq(store_get_ca(&t, &id, &record), ERR_OK);
	return (struct ca_revision){ record.generation, record.version };
}

static struct presentation
presentation(const struct pki_cert *c, const struct plan *plan)
{
	struct presentation p = { .ca_id = world_id(ca),
		.der = c->der,
		.plan = plan,
		.ca_revision = ca_revision_now(),
		.client_id = view_of("d1"),
		.address = view_of("192.0.2.7") };

	ck_assert_int_eq(x509_read(c->x, &p.presented), ERR_OK);
	x509_read_strength(c->x, &p.presented);
	p.presented.issued_by_ca = x509_issued_by(c->x, ca->x);
	return p;
}

static struct decision
present(const struct pki_cert *c, const struct plan *plan)
{
	struct presentation p = presentation(c, plan);

	ck_assert_int_eq(registry_connect(&t, &p, &rules, world_now(), &done), ERR_OK);
	return done.decision;
}

/* The plan of a rule that applies, with one policy. */
static struct plan
rule_plan(enum cert_status status)
{
	struct plan plan = { .origin = PLAN_RULE,
		.status = status,
		.policies = { { .name = view_of("device") } },
		.policy_count = 1 };

	diag_set(&plan.reason, "as the rule has it");
	return plan;
}

static struct plan
template_plan(const char *thing)
{
	struct plan plan = rule_plan(CERT_ACTIVE);

	plan.origin = PLAN_TEMPLATE;
	plan.thing.name = view_of(thing);
	return plan;
}

/*
 * The rule applies.
 */

START_TEST(a_rule_that_applies_registers_an_active_certificate_with_its_policies)
{
	struct plan plan = rule_plan(CERT_ACTIVE);
	struct decision d = present(device, &plan);

	commit();
	ck_assert_int_eq(d.verdict, VERDICT_ALLOW);
	ck_assert_int_eq(get_cert(device)->status, CERT_ACTIVE);
	ck_assert_uint_eq(get_cert(device)->version, 1);
	ck_assert(has_policy(device, "device"));
	ck_assert_str_eq(note_of(device), "as the rule has it");
	ck_assert_int_eq(done.status, CERT_ACTIVE);
	ck_assert_int_eq(refusal_of(device).time, 0);
}
END_TEST

START_TEST(the_registration_event_has_the_status_given_by_the_rule)
{
	struct plan plan = rule_plan(CERT_ACTIVE);

	(void)present(device, &plan);
	ck_assert_ptr_nonnull(strstr(message(0), "/certificates/registered/"));
	ck_assert_ptr_nonnull(strstr(message(0), "\"certificateStatus\":\"ACTIVE\""));
	ck_assert_str_eq(message(1), "");
}
END_TEST

START_TEST(a_pending_certificate_is_activated_at_its_next_attempt_without_an_event)
{
	struct plan plan = rule_plan(CERT_ACTIVE);
	struct decision d;

	(void)present(device, NULL);
	commit();
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	world_wait(5000);
	d = present(device, &plan);
	commit();
	ck_assert_int_eq(d.verdict, VERDICT_ALLOW);
	ck_assert_int_eq(get_cert(device)->status, CERT_ACTIVE);
	ck_assert_uint_eq(get_cert(device)->version, 2);
	ck_assert_int_eq(get_cert(device)->modified, world_now());
	ck_assert(has_policy(device, "device"));
	ck_assert_str_eq(message(1), "");
}
END_TEST

/* Two simultaneous first connections, both admitted on a snapshot. */
START_TEST(the_second_of_two_first_connections_finds_an_active_certificate)
{
	struct plan plan = rule_plan(CERT_ACTIVE);

	(void)present(device, &plan);
	ck_assert_uint_eq(present(device, &plan).effects, 0);
	ck_assert_int_eq(done.decision.verdict, VERDICT_ALLOW);
	ck_assert_uint_eq(get_cert(device)->version, 1);
	ck_assert_str_eq(message(1), "");
}
END_TEST

/* The broker thread asked the rule that the CA had before. */
START_TEST(a_plan_is_discarded_if_its_ca_has_changed)
{
	struct plan plan = rule_plan(CERT_ACTIVE);
	struct presentation p = presentation(device, &plan);
	struct certid id = world_id(ca);
	bool on = true;

	ck_assert_int_eq(registry_update_ca(&t, &id,
			     &(struct ca_update){ .auto_registration = &on }, world_now(), &diag),
	    ERR_OK);
	ck_assert_int_eq(registry_connect(&t, &p, &rules, world_now(), &done), ERR_OK);
	ck_assert_int_eq(done.decision.verdict, VERDICT_DENY);
	ck_assert_int_eq(done.decision.reason, REASON_REGISTERED_NOW);
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	ck_assert(!has_policy(device, "device"));
}
END_TEST

START_TEST(a_rule_that_does_not_apply_leaves_the_certificate_pending_with_a_reason)
{
	struct plan plan = { .origin = PLAN_RULE,
		.status = CERT_PENDING_ACTIVATION,
		.failed = true };

	diag_set(&plan.reason, "no sensor");
	ck_assert_int_eq(present(device, &plan).reason, REASON_RULE_WAITS);
	commit();
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	ck_assert_str_eq(note_of(device), "no sensor");
	ck_assert(says(refusal_of(device).details, "no sensor"));
	ck_assert(says(refusal_of(device).code, "ACTIVATION_RULE_NOT_MET"));
	ck_assert(says(refusal_of(device).client_id, "d1"));
	ck_assert(says(refusal_of(device).address, "192.0.2.7"));
	ck_assert_int_eq(refusal_of(device).time, world_now());
	/* A subscriber may still activate it. */
	ck_assert_ptr_nonnull(strstr(message(0), "\"certificateStatus\":\"PENDING_ACTIVATION\""));
}
END_TEST

START_TEST(a_rule_can_revoke_a_certificate)
{
	struct plan plan = { .origin = PLAN_RULE, .status = CERT_REVOKED };

	diag_set(&plan.reason, "not one of ours");
	ck_assert_int_eq(present(device, &plan).reason, REASON_RULE_REVOKES);
	commit();
	ck_assert_int_eq(get_cert(device)->status, CERT_REVOKED);
	ck_assert_str_eq(note_of(device), "not one of ours");
	ck_assert_int_eq(present(device, &plan).reason, REASON_REVOKED);
}
END_TEST

/*
 * Plans that cannot be carried out.
 */

START_TEST(a_missing_policy_leaves_the_certificate_pending_without_policies)
{
	struct plan plan = rule_plan(CERT_ACTIVE);

	plan.policies[1].name = view_of("missing");
	plan.policy_count = 2;
	ck_assert_int_eq(present(device, &plan).verdict, VERDICT_DENY);
	commit();
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	ck_assert(!has_policy(device, "device"));
	ck_assert_str_eq(note_of(device), "there is no policy missing to attach");
}
END_TEST

/* The holder of a device's key can make a form of its certificate with another id (security.md).
 * It is not registered, whatever the status of the first. */
START_TEST(the_same_certificate_with_another_signature_is_not_registered)
{
	struct pki_cert *twin = pki_twin(device, ca);
	struct plan plan = rule_plan(CERT_ACTIVE);
	struct decision d;

	put_cert(device, (enum cert_status)_i);
	ck_assert_int_eq(registry_create_policy(&t, view_of("device"), &empty, 0, &diag), ERR_OK);
	d = present(twin, &plan);
	ck_assert_int_eq(d.verdict, VERDICT_DENY);
	ck_assert_int_eq(d.reason, REASON_OTHER_FORM);
	ck_assert_uint_eq(d.effects, 0);
	commit();
	ck_assert(!has_cert(twin));
	ck_assert(!has_policy(twin, "device"));
	ck_assert_str_eq(message(0), "");
	pki_free(twin);
}
END_TEST

/* An older version could register both. */
START_TEST(a_rule_activates_no_certificate_that_shares_its_signed_part)
{
	struct pki_cert *twin = pki_twin(device, ca);
	struct plan plan = rule_plan(CERT_ACTIVE);
	char expected[160];

	put_cert(device, CERT_PENDING_ACTIVATION);
	world_wait(1000);
	put_cert(twin, CERT_PENDING_ACTIVATION);
	ck_assert_int_eq(registry_create_policy(&t, view_of("device"), &empty, 0, &diag), ERR_OK);
	ck_assert_int_eq(present(twin, &plan).reason, REASON_OTHER_FORM);
	ck_assert_int_eq(present(device, &plan).reason, REASON_RULE_WAITS);
	commit();
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	ck_assert_int_eq(get_cert(twin)->status, CERT_PENDING_ACTIVATION);
	snprintf(expected, sizeof(expected), "certificate %s with its signature in another form",
	    world_hex(twin));
	ck_assert_str_eq(note_of(device), expected);
	pki_free(twin);
}
END_TEST

/* A maker may give all certificates one serial number.  A list then names all of them or none,
 * which is the maker's decision. */
START_TEST(two_hundred_certificates_with_one_serial_number_are_activated)
{
	struct plan plan = rule_plan(CERT_ACTIVE);

	for (int i = 0; i < 200; i++) {
		struct pki_cert *c = pki_make(
		    &(struct pki_options){ .issuer = ca, .serial = "1", .common_name = "device" });

		(void)present(c, &plan);
		ck_assert_int_eq(get_cert(c)->status, CERT_ACTIVE);
		pki_free(c);
	}
}
END_TEST

/* Ten to the 240th has a hundred bytes: no list could revoke it. */
START_TEST(a_serial_number_too_long_for_a_list_leaves_the_certificate_pending)
{
	char decimal[242] = "1";
	struct pki_options options = { .issuer = ca, .common_name = "device", .serial = decimal };
	struct plan plan = rule_plan(CERT_ACTIVE);
	struct pki_cert *c;

	memset(decimal + 1, '0', sizeof(decimal) - 2);
	c = pki_make(&options);
	ck_assert_int_eq(present(c, &plan).reason, REASON_RULE_WAITS);
	ck_assert_str_eq(note_of(c),
	    "its serial number is longer than 64 bytes: no revocation list can name it");
	pki_free(c);
}
END_TEST

START_TEST(too_many_policies_leave_the_certificate_pending)
{
	struct plan plan = rule_plan(CERT_ACTIVE);
	char names[POLICIES_PER_CERT_MAX][8];

	put_cert(device, CERT_PENDING_ACTIVATION);
	ck_assert_int_eq(registry_create_policy(&t, view_of("device"), &empty, 0, &diag), ERR_OK);
	for (int i = 0; i < POLICIES_PER_CERT_MAX; i++) {
		struct certid id = world_id(device);

		snprintf(names[i], sizeof(names[i]), "p%d", i);
		ck_assert_int_eq(registry_create_policy(&t, view_of(names[i]), &empty, 0, &diag),
		    ERR_OK);
		ck_assert_int_eq(registry_attach_policy(&t, view_of(names[i]), &id, &diag), ERR_OK);
	}
	(void)present(device, &plan);
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	ck_assert_ptr_nonnull(strstr(note_of(device), "it would have 11 policies"));
	/* A policy that is attached already does not count again. */
	plan.policies[0].name = view_of("p3");
	world_wait(5000);
	(void)present(device, &plan);
	ck_assert_int_eq(get_cert(device)->status, CERT_ACTIVE);
}
END_TEST

START_TEST(a_failure_of_the_store_during_activation_changes_nothing)
{
	struct plan plan = template_plan("sensor-1");
	struct presentation p = presentation(device, &plan);

	t.failed = ERR_STORAGE;
	ck_assert_int_ne(registry_connect(&t, &p, &rules, world_now(), &done), ERR_OK);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	world_change(&t);
	ck_assert(!has_cert(device));
	ck_assert_str_eq(message(0), "");
}
END_TEST

/*
 * Templates.
 */

START_TEST(a_template_creates_thing_and_policy_and_activates_for_the_next_connection)
{
	struct policy_version made;
	struct plan plan = template_plan("sensor-1");

	plan.thing.type_name = view_of("sensor");
	plan.policies[1] = (struct planned_policy){ view_of("made"), view_of("{'a':1}"),
		view_of("form") };
	plan.policy_count = 2;
	ck_assert_int_eq(present(device, &plan).reason, REASON_PROVISIONED_NOW);
	commit();
	ck_assert_int_eq(get_cert(device)->status, CERT_ACTIVE);
	ck_assert(has_policy(device, "device") && has_policy(device, "made"));
	ck_assert(has_thing(device, "sensor-1"));
	ck_assert_int_eq(store_get_policy_version(&t, view_of("made"), 1, &made), ERR_OK);
	ck_assert(says(made.document, "{'a':1}") && says(made.form, "form"));
	ck_assert_int_eq(present(device, &plan).verdict, VERDICT_ALLOW);
}
END_TEST

START_TEST(with_first_connection_accept_a_template_admits_at_once)
{
	struct plan plan = template_plan("sensor-1");

	rules.decide.accept_first = true;
	ck_assert_int_eq(present(device, &plan).verdict, VERDICT_ALLOW);
}
END_TEST

START_TEST(two_devices_share_a_policy_with_the_same_document)
{
	struct pki_cert *other = pki_device(ca, "device-2");
	struct plan plan = template_plan("");

	plan.policies[0] = (struct planned_policy){ view_of("digest"), view_of("{}"),
		view_of("form") };
	(void)present(device, &plan);
	(void)present(other, &plan);
	ck_assert(has_policy(device, "digest") && has_policy(other, "digest"));
	pki_free(other);
}
END_TEST

START_TEST(a_failed_template_publishes_its_own_event)
{
	struct plan plan = { .origin = PLAN_TEMPLATE,
		.status = CERT_PENDING_ACTIVATION,
		.failed = true };

	diag_set(&plan.reason, "Cannot resolve");
	ck_assert_int_eq(present(device, &plan).reason, REASON_PROVISIONING_FAILED);
	ck_assert(done.failed);
	ck_assert_ptr_nonnull(strstr(message(0), "/certificates/registered/"));
	ck_assert_ptr_nonnull(strstr(message(1), "/certificates/provisioning_failed/"));
	ck_assert_ptr_nonnull(strstr(message(1), "\"reason\":\"Cannot resolve\""));
	ck_assert_str_eq(note_of(device), "Cannot resolve");
}
END_TEST

/* aws-iot E.2; absent is FAIL for what a thing has. */
static const struct {
	const char *name;
	enum override on_type, on_attributes;
	const char *type, *attributes; /* the template's */
	bool done;
	const char *type_after, *attributes_after;
} overrides[] = {
	{ "nothing said", OVERRIDE_FAIL, OVERRIDE_FAIL, "", "", true, "old", "a=1;b=2;" },
	{ "the same", OVERRIDE_FAIL, OVERRIDE_FAIL, "old", "a=1;b=2;", true, "old", "a=1;b=2;" },
	{ "type, fail", OVERRIDE_FAIL, OVERRIDE_FAIL, "new", "", false, "old", "a=1;b=2;" },
	{ "type, leave", OVERRIDE_DO_NOTHING, OVERRIDE_FAIL, "new", "", true, "old", "a=1;b=2;" },
	{ "type, replace", OVERRIDE_REPLACE, OVERRIDE_FAIL, "new", "", true, "new", "a=1;b=2;" },
	{ "attributes, fail", OVERRIDE_FAIL, OVERRIDE_FAIL, "", "b=3;", false, "old", "a=1;b=2;" },
	{ "attributes, leave", OVERRIDE_FAIL, OVERRIDE_DO_NOTHING, "", "b=3;", true, "old",
	    "a=1;b=2;" },
	{ "attributes, replace", OVERRIDE_FAIL, OVERRIDE_REPLACE, "", "b=3;", true, "old", "b=3;" },
	{ "attributes, merge", OVERRIDE_FAIL, OVERRIDE_MERGE, "", "b=3;c=4;", true, "old",
	    "a=1;b=3;c=4;" },
};

static void
put_thing(const char *name, const char *type, const char *attributes)
{
	struct thing thing = { .name = view_of(name),
		.type_name = view_of(type),
		.attributes = packed(attributes) };
	struct generation id;

	ck_assert_int_eq(registry_create_thing(&t, &thing, world_now(), &id, &diag), ERR_OK);
}

START_TEST(an_existing_thing_is_overridden_as_the_template_says)
{
	struct plan plan = template_plan("sensor-1");
	struct thing thing;

	put_thing("sensor-1", "old", "a=1;b=2;");
	plan.thing.on_type = overrides[_i].on_type;
	plan.thing.on_attributes = overrides[_i].on_attributes;
	plan.thing.type_name = view_of(overrides[_i].type);
	plan.thing.attributes = packed(overrides[_i].attributes);
	(void)present(device, &plan);
	commit();
	ck_assert_msg((get_cert(device)->status == CERT_ACTIVE) == overrides[_i].done, "%s: %s",
	    overrides[_i].name, note_of(device));
	ck_assert_int_eq(has_thing(device, "sensor-1"), overrides[_i].done);
	ck_assert_int_eq(has_policy(device, "device"), overrides[_i].done);
	ck_assert_int_eq(store_get_thing(&t, view_of("sensor-1"), &thing), ERR_OK);
	ck_assert(says(thing.type_name, overrides[_i].type_after));
	ck_assert(view_equal(thing.attributes, packed(overrides[_i].attributes_after)));
	if (!overrides[_i].done)
		ck_assert_ptr_nonnull(strstr(note_of(device), "thing sensor-1 exists with"));
}
END_TEST

START_TEST(too_many_attributes_for_a_thing_fail_the_template)
{
	struct plan plan = template_plan("sensor-1");

	plan.thing.attributes = packed("a=1;b=2;c=3;d=4;");
	(void)present(device, &plan);
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	ck_assert_ptr_nonnull(strstr(note_of(device), "at most 3 attributes"));
}
END_TEST

START_TEST(a_certificate_of_an_exclusive_thing_gets_no_other_thing)
{
	struct plan plan = template_plan("sensor-2");
	struct certid id = world_id(device);

	put_cert(device, CERT_PENDING_ACTIVATION);
	ck_assert_int_eq(registry_create_policy(&t, view_of("device"), &empty, 0, &diag), ERR_OK);
	put_thing("sensor-1", "", "");
	ck_assert_int_eq(registry_attach_thing(&t, view_of("sensor-1"), &id, PRINCIPAL_EXCLUSIVE,
			     &diag),
	    ERR_OK);
	(void)present(device, &plan);
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	ck_assert_ptr_nonnull(strstr(note_of(device), "exclusive"));
}
END_TEST

/*
 * Revocation lists.
 */

static struct serial
serial_number(const struct pki_cert *c)
{
	struct presented p;

	ck_assert_int_eq(x509_read(c->x, &p), ERR_OK);
	return p.serial;
}

/* Imports a list that is current for a day, with this certificate or empty (NULL). */
static void
put_list(const struct pki_cert *c, uint8_t reason)
{
	struct crl crl = { .this_update = world_now(), .next_update = world_now() + DAY };
	struct certid id = world_id(ca);
	struct serial serial;

	ck_assert_int_eq(store_new_list(&t, &crl.list), ERR_OK);
	if (c != NULL) {
		serial = serial_number(c);
		store_append_revoked(&t, crl.list, (struct view){ serial.b, serial.len },
		    &(struct revoked){ world_now(), reason });
	}
	store_put_crl(&t, &id, &crl);
}

static void
set_check(enum crl_check check, uint32_t days)
{
	struct certid id = world_id(ca);
	struct ca_update u = { .settings = { .crl_check = &check, .crl_grace_days = days } };

	ck_assert_int_eq(registry_update_ca(&t, &id, &u, world_now(), &diag), ERR_OK);
}

START_TEST(a_certificate_on_the_list_is_registered_as_revoked_without_asking_the_rule)
{
	struct plan plan = rule_plan(CERT_ACTIVE);

	put_list(device, REVOKED_UNSPECIFIED);
	ck_assert_int_eq(present(device, &plan).reason, REASON_ON_LIST);
	commit();
	ck_assert_int_eq(get_cert(device)->status, CERT_REVOKED);
	ck_assert(!has_policy(device, "device"));
	ck_assert_str_eq(note_of(device), "on the revocation list of its CA");
	ck_assert_ptr_nonnull(strstr(message(0), "\"certificateStatus\":\"REVOKED\""));
}
END_TEST

START_TEST(an_active_certificate_on_the_list_becomes_revoked)
{
	put_cert(device, CERT_ACTIVE);
	put_list(device, 1);
	ck_assert_int_eq(present(device, NULL).reason, REASON_ON_LIST);
	ck_assert_int_eq(get_cert(device)->status, CERT_REVOKED);
	ck_assert_uint_eq(get_cert(device)->version, 2);
	ck_assert(says(refusal_of(device).code, "CERTIFICATE_ON_REVOCATION_LIST"));
}
END_TEST

START_TEST(a_certificate_on_hold_is_refused_until_a_list_without_it_is_imported)
{
	put_cert(device, CERT_ACTIVE);
	put_list(device, REVOKED_HOLD);
	ck_assert_int_eq(present(device, NULL).reason, REASON_ON_HOLD);
	ck_assert_int_eq(get_cert(device)->status, CERT_ACTIVE);
	put_list(NULL, 0);
	ck_assert_int_eq(present(device, NULL).verdict, VERDICT_ALLOW);
}
END_TEST

START_TEST(a_ca_that_requires_a_list_asks_no_rule_without_one)
{
	struct plan plan = rule_plan(CERT_ACTIVE);

	set_check(CRL_REQUIRED, 0);
	ck_assert_int_eq(present(device, &plan).reason, REASON_LIST_MISSING);
	ck_assert_int_eq(get_cert(device)->status, CERT_PENDING_ACTIVATION);
	world_wait(2000);
	put_list(NULL, 0);
	ck_assert_int_eq(present(device, &plan).verdict, VERDICT_ALLOW);
	/* An active certificate is not admitted with a list that is too old. */
	world_wait(DAY + 1);
	ck_assert_int_eq(present(device, &plan).reason, REASON_LIST_STALE);
	set_check(CRL_GRACE, 1);
	ck_assert_int_eq(present(device, &plan).verdict, VERDICT_ALLOW);
	world_wait(DAY);
	ck_assert_int_eq(present(device, &plan).reason, REASON_LIST_STALE);
	set_check(CRL_IF_PRESENT, 0);
	ck_assert_int_eq(present(device, &plan).verdict, VERDICT_ALLOW);
}
END_TEST

/*
 * Settings of CAs.
 */

static struct ca_settings
settings_now(void)
{
	struct certid id = world_id(ca);
	struct ca_settings settings = CA_SETTINGS_DEFAULT;
	enum err e = store_get_ca_settings(&t, &id, &settings);

	ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
	return settings;
}

static enum err
update(const struct ca_update *u)
{
	struct certid id = world_id(ca);

	return registry_update_ca(&t, &id, u, world_now(), &diag);
}

START_TEST(settings_of_a_ca_are_changed_one_by_one)
{
	const struct view file = view_of("/crl.pem"), rule = view_of("{}"), none = { NULL, 0 };
	const enum crl_check required = CRL_REQUIRED;
	uint32_t version = ca_revision_now().version;

	ck_assert_int_eq(settings_now().crl_check, CRL_IF_PRESENT);
	ck_assert_int_eq(update(&(struct ca_update){ .settings.crl_file = &file }), ERR_OK);
	ck_assert_int_eq(update(&(struct ca_update){ .settings.crl_check = &required }), ERR_OK);
	ck_assert_int_eq(update(&(struct ca_update){ .settings = { .activation = &rule,
							 .supersedes = true,
							 .supersede_after = 5 } }),
	    ERR_OK);
	ck_assert(says(settings_now().crl_file, "/crl.pem"));
	ck_assert(says(settings_now().activation, "{}"));
	ck_assert_int_eq(settings_now().crl_check, CRL_REQUIRED);
	ck_assert(settings_now().supersedes && settings_now().supersede_after == 5);
	ck_assert_uint_eq(ca_revision_now().version, version + 3);
	ck_assert_int_eq(update(&(struct ca_update){ .settings.activation = &none }), ERR_OK);
	ck_assert_uint_eq(settings_now().activation.len, 0);
	ck_assert(!settings_now().supersedes);
	ck_assert(says(settings_now().crl_file, "/crl.pem"));
}
END_TEST

START_TEST(a_rule_and_a_template_exclude_each_other)
{
	const struct view rule = view_of("{}"), body = view_of("{'T':1}"), none = { NULL, 0 };
	struct ca_update with_rule = { .settings.activation = &rule };
	struct ca_update with_template = { .template_body = &body,
		.role_arn = &none,
		.settings.template_name = &none };

	ck_assert_int_eq(update(&with_rule), ERR_OK);
	ck_assert_int_eq(update(&with_template), ERR_REQUEST);
	ck_assert_ptr_nonnull(strstr(diag.text, "exclude each other"));
	with_template.settings.activation = &none;
	ck_assert_int_eq(update(&with_template), ERR_OK);
	ck_assert_int_eq(update(&with_rule), ERR_REQUEST);
	with_rule.remove_auto_registration = true;
	ck_assert_int_eq(update(&with_rule), ERR_OK);
	ck_assert(says(settings_now().activation, "{}"));
}
END_TEST

START_TEST(a_template_that_is_named_must_exist)
{
	const struct view name = view_of("fleet"), none = { NULL, 0 };
	struct ca_update u = { .template_body = &none,
		.role_arn = &none,
		.settings.template_name = &name };

	ck_assert_int_eq(update(&u), ERR_NOT_FOUND);
	ck_assert_str_eq(diag.text, "There is no provisioning template fleet");
	store_put_template(&t,
	    &(struct provisioning_template){ .name = name, .body = view_of("{}") });
	ck_assert_int_eq(update(&u), ERR_OK);
	ck_assert(says(settings_now().template_name, "fleet"));
	ck_assert_int_eq(update(&(struct ca_update){ .remove_auto_registration = true }), ERR_OK);
	ck_assert_uint_eq(settings_now().template_name.len, 0);
}
END_TEST

/*
 * Rotation.
 */

/* A certificate of the thing, made ACTIVE by a plan. */
static struct pki_cert *
rotate_in(const char *common_name, int64_t after)
{
	struct pki_cert *c = pki_device(ca, common_name);
	struct plan plan = rule_plan(CERT_ACTIVE);

	plan.thing.name = view_of("sensor-1");
	plan.supersedes = after >= 0;
	plan.supersede_after = after;
	(void)present(c, &plan);
	world_wait(1);
	return c;
}

static size_t
run_schedule(struct certid *ids)
{
	size_t count;

	ck_assert_int_eq(registry_retire_superseded(&t, world_now(), ids, 10, &count), ERR_OK);
	return count;
}

START_TEST(a_newer_certificate_of_a_thing_supersedes_the_older_after_a_time)
{
	struct pki_cert *first = rotate_in("one", 1000), *second = rotate_in("two", 1000);
	struct certid ids[10], id = world_id(first);
	struct cert_note note;

	ck_assert_uint_eq(run_schedule(ids), 0);
	ck_assert_int_eq(get_cert(first)->status, CERT_ACTIVE);
	world_wait(1000);
	ck_assert_uint_eq(run_schedule(ids), 1);
	ck_assert(certid_equal(&ids[0], &id));
	ck_assert_int_eq(get_cert(first)->status, CERT_INACTIVE);
	ck_assert_int_eq(get_cert(second)->status, CERT_ACTIVE);
	ck_assert_int_eq(store_get_cert_note(&t, &id, &note), ERR_OK);
	id = world_id(second);
	ck_assert(note.superseded && certid_equal(&note.successor, &id));
	ck_assert_uint_eq(run_schedule(ids), 0);
	pki_free(second);
	pki_free(first);
}
END_TEST

/* The device must not lose both certificates. */
START_TEST(the_older_certificate_stays_if_the_newer_one_is_not_active)
{
	struct pki_cert *first = rotate_in("one", 1000), *second = rotate_in("two", 1000);
	struct certid ids[10], id = world_id(second);
	enum cert_status was;

	ck_assert_int_eq(registry_set_cert_status(&t, &id, CERT_REVOKED, world_now(), &was, &diag),
	    ERR_OK);
	world_wait(2000);
	ck_assert_uint_eq(run_schedule(ids), 0);
	ck_assert_int_eq(get_cert(first)->status, CERT_ACTIVE);
	pki_free(second);
	pki_free(first);
}
END_TEST

START_TEST(without_supersede_both_certificates_stay)
{
	struct pki_cert *first = rotate_in("one", -1), *second = rotate_in("two", -1);
	struct certid ids[10];

	world_wait(INT64_C(10) * 365 * DAY);
	ck_assert_uint_eq(run_schedule(ids), 0);
	ck_assert_int_eq(get_cert(first)->status, CERT_ACTIVE);
	pki_free(second);
	pki_free(first);
}
END_TEST

/* A user's program activates the certificate; the settings of the CA apply. */
START_TEST(activation_by_a_command_supersedes_where_the_ca_says_so)
{
	struct pki_cert *first = rotate_in("one", -1), *second = pki_device(ca, "two");
	struct certid ids[10], id = world_id(second);
	enum cert_status was;
	const struct view rule = view_of("{}");

	ck_assert_int_eq(update(&(struct ca_update){ .settings = { .activation = &rule,
							 .supersedes = true,
							 .supersede_after = 0 } }),
	    ERR_OK);
	(void)present(second, NULL);
	ck_assert_int_eq(registry_attach_thing(&t, view_of("sensor-1"), &id,
			     PRINCIPAL_NON_EXCLUSIVE, &diag),
	    ERR_OK);
	ck_assert_int_eq(registry_set_cert_status(&t, &id, CERT_ACTIVE, world_now(), &was, &diag),
	    ERR_OK);
	ck_assert_uint_eq(run_schedule(ids), 1);
	ck_assert_int_eq(get_cert(first)->status, CERT_INACTIVE);
	ck_assert_int_eq(get_cert(second)->status, CERT_ACTIVE);
	pki_free(second);
	pki_free(first);
}
END_TEST

START_TEST(an_older_certificate_supersedes_none)
{
	struct pki_cert *first = rotate_in("one", 0), *second = rotate_in("two", 0);
	struct certid ids[10], id = world_id(first);
	enum cert_status was;

	ck_assert_uint_eq(run_schedule(ids), 1);
	ck_assert_int_eq(registry_set_cert_status(&t, &id, CERT_ACTIVE, world_now(), &was, &diag),
	    ERR_OK);
	world_wait(1000);
	ck_assert_uint_eq(run_schedule(ids), 0);
	ck_assert_int_eq(get_cert(second)->status, CERT_ACTIVE);
	pki_free(second);
	pki_free(first);
}
END_TEST

/*
 * Expiry.
 */

static size_t
warn_until(int64_t until)
{
	size_t count;

	ck_assert_int_eq(registry_announce_expiring(&t, until, ACCOUNT, world_now(), 100, &count),
	    ERR_OK);
	return count;
}

START_TEST(expiry_is_announced_once)
{
	char expected[200];
	int64_t not_after;

	put_cert(device, CERT_ACTIVE);
	not_after = get_cert(device)->not_after;
	ck_assert_uint_eq(warn_until(not_after - 1), 0);
	ck_assert_uint_eq(warn_until(not_after), 1);
	snprintf(expected, sizeof(expected),
	    "$aws/events/certificates/expiring/%s {\"certificateId\":\"%s\"", world_hex(ca),
	    world_hex(device));
	ck_assert_int_eq(strncmp(message(0), expected, strlen(expected)), 0);
	ck_assert_uint_eq(warn_until(not_after), 0);
	ck_assert_str_eq(message(1), "");
}
END_TEST

START_TEST(no_expiry_is_announced_for_revoked_or_expired_certificates)
{
	struct pki_cert *old = pki_device(ca, "old");

	put_cert(device, CERT_REVOKED);
	ck_assert_uint_eq(warn_until(INT64_MAX), 0);
	put_cert(old, CERT_ACTIVE);
	world_set_clock(get_cert(old)->not_after + 1);
	ck_assert_uint_eq(warn_until(INT64_MAX), 0);
	ck_assert_str_eq(message(0), "");
	pki_free(old);
}
END_TEST

/*
 * Refusals.
 */

/* The number of entries in a transaction is bounded, also of entries without an effect. */
START_TEST(schedule_entries_of_deleted_certificates_are_dropped_in_batches)
{
	struct schedule_entry entry = { .kind = SCHEDULE_SUPERSEDE, .time = 1 };
	struct certid ids[2];
	size_t count, left;

	for (uint8_t n = 1; n <= 5; n++) {
		entry.id.b[0] = n;
		store_put_schedule(&t, &entry);
	}
	for (left = 5; left > 0; left -= left > 2 ? 2 : left) {
		ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_OK);
		ck_assert_uint_eq(entry.id.b[0], 6 - left);
		ck_assert_int_eq(registry_retire_superseded(&t, world_now(), ids, 2, &count),
		    ERR_OK);
		ck_assert_uint_eq(count, 0);
	}
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_refusal_is_stored_with_the_record_and_deleted_with_it)
{
	struct refusal refusal = { .time = 5,
		.code = view_of("CODE"),
		.details = view_of("words") };
	struct certid id = world_id(device);

	ck_assert_int_eq(registry_refused(&t, &id, &refusal), ERR_OK);
	ck_assert_int_eq(refusal_of(device).time, 0); /* there is no record */
	put_cert(device, CERT_INACTIVE);
	ck_assert_int_eq(registry_refused(&t, &id, &refusal), ERR_OK);
	ck_assert_int_eq(refusal_of(device).time, 5);
	ck_assert(says(refusal_of(device).details, "words"));
	ck_assert_int_eq(registry_remove_cert(&t, &id, false, "arn:", &diag), ERR_OK);
	ck_assert_int_eq(refusal_of(device).time, 0);
}
END_TEST

/* The change of status was not made by the rule. */
START_TEST(a_status_set_by_a_command_clears_the_reason_of_the_rule)
{
	struct plan plan = rule_plan(CERT_ACTIVE);
	struct certid id = world_id(device);
	enum cert_status was;

	(void)present(device, &plan);
	ck_assert_str_ne(note_of(device), "");
	ck_assert_int_eq(registry_set_cert_status(&t, &id, CERT_INACTIVE, world_now(), &was, &diag),
	    ERR_OK);
	ck_assert_str_eq(note_of(device), "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("registry_activate");
	TCase *c = suite_case(suite, "rules");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_rule_that_applies_registers_an_active_certificate_with_its_policies);
	tcase_add_test(c, the_registration_event_has_the_status_given_by_the_rule);
	tcase_add_test(c, a_pending_certificate_is_activated_at_its_next_attempt_without_an_event);
	tcase_add_test(c, the_second_of_two_first_connections_finds_an_active_certificate);
	tcase_add_test(c, a_plan_is_discarded_if_its_ca_has_changed);
	tcase_add_test(c, a_rule_that_does_not_apply_leaves_the_certificate_pending_with_a_reason);
	tcase_add_test(c, a_rule_can_revoke_a_certificate);
	tcase_add_test(c, a_missing_policy_leaves_the_certificate_pending_without_policies);
	tcase_add_loop_test(c, the_same_certificate_with_another_signature_is_not_registered, 0,
	    CERT_STATUS_COUNT);
	tcase_add_test(c, a_rule_activates_no_certificate_that_shares_its_signed_part);
	tcase_add_test(c, two_hundred_certificates_with_one_serial_number_are_activated);
	tcase_add_test(c, a_serial_number_too_long_for_a_list_leaves_the_certificate_pending);
	tcase_add_test(c, too_many_policies_leave_the_certificate_pending);
	tcase_add_test(c, a_failure_of_the_store_during_activation_changes_nothing);
	c = suite_case(suite, "templates");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c,
	    a_template_creates_thing_and_policy_and_activates_for_the_next_connection);
	tcase_add_test(c, with_first_connection_accept_a_template_admits_at_once);
	tcase_add_test(c, two_devices_share_a_policy_with_the_same_document);
	tcase_add_test(c, a_failed_template_publishes_its_own_event);
	tcase_add_loop_test(c, an_existing_thing_is_overridden_as_the_template_says, 0,
	    COUNT_OF(overrides));
	tcase_add_test(c, too_many_attributes_for_a_thing_fail_the_template);
	tcase_add_test(c, a_certificate_of_an_exclusive_thing_gets_no_other_thing);
	c = suite_case(suite, "revocation lists");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c,
	    a_certificate_on_the_list_is_registered_as_revoked_without_asking_the_rule);
	tcase_add_test(c, an_active_certificate_on_the_list_becomes_revoked);
	tcase_add_test(c, a_certificate_on_hold_is_refused_until_a_list_without_it_is_imported);
	tcase_add_test(c, a_ca_that_requires_a_list_asks_no_rule_without_one);
	c = suite_case(suite, "settings");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, settings_of_a_ca_are_changed_one_by_one);
	tcase_add_test(c, a_rule_and_a_template_exclude_each_other);
	tcase_add_test(c, a_template_that_is_named_must_exist);
	c = suite_case(suite, "in time");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_newer_certificate_of_a_thing_supersedes_the_older_after_a_time);
	tcase_add_test(c, the_older_certificate_stays_if_the_newer_one_is_not_active);
	tcase_add_test(c, without_supersede_both_certificates_stay);
	tcase_add_test(c, activation_by_a_command_supersedes_where_the_ca_says_so);
	tcase_add_test(c, an_older_certificate_supersedes_none);
	tcase_add_test(c, expiry_is_announced_once);
	tcase_add_test(c, no_expiry_is_announced_for_revoked_or_expired_certificates);
	tcase_add_test(c, schedule_entries_of_deleted_certificates_are_dropped_in_batches);
	tcase_add_test(c, a_refusal_is_stored_with_the_record_and_deleted_with_it);
	tcase_add_test(c, a_status_set_by_a_command_clears_the_reason_of_the_rule);
	return suite_run(suite);
}
