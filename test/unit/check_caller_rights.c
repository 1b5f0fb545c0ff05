/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_caller_rights.c - what the caller of a control request may do, after every change of the
 * registry (caller_rights.h).
 */
#include <string.h>

#include "jitr/service/caller_rights.h"
#include "jitr/service/registry_policy.h"
#include "jitr/service/registry_thing.h"
#include "suite.h"
#include "world.h"

#define A                    "arn:aws:iot:local:123456789012"
#define DOCUMENT(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define ALLOW(action, resource) \
	"{\"Effect\":\"Allow\",\"Action\":\"iot:" action "\",\"Resource\":\"" resource "\"}"
#define DENY(action, resource) \
	"{\"Effect\":\"Deny\",\"Action\":\"iot:" action "\",\"Resource\":\"" resource "\"}"
#define CONNECT ALLOW("Connect", A ":client/d1")
#define LIST    ALLOW("ListThings", "*")

static struct pki_cert *ca, *device;
static struct certid id;
static struct judge judge;
static struct judge_config config;
static struct caller_facts caller;
static struct caller_rights rights;

static void
open_judge(void)
{
	caller_rights_close(&rights);
	judge_clear(&judge);
	judge_init(&judge, &config);
	caller_rights_open(&rights, &judge, &caller);
}

static void
set_up(void)
{
	world_open();
	ca = pki_ca("Test CA");
	device = pki_device(ca, "device-1");
	id = world_id(device);
	world_put_ca(ca, CA_ACTIVE, true);
	world_put_cert(device, ca, CERT_ACTIVE);
	config = (struct judge_config){ .authorization = AUTHORIZATION_POLICY,
		.scope = arn_scope_of("local", "123456789012"),
		.store = world.store,
		.now = world_now };
	caller = (struct caller_facts){ .administration = ADMINISTRATION_BY_POLICY,
		.session = 7,
		.has_certificate = true,
		.certificate = id,
		.client_id = "d1",
		.user_name = world_hex(device),
		.address = "203.0.113.7" };
	open_judge();
}

static void
tear_down(void)
{
	caller_rights_close(&rights);
	judge_clear(&judge);
	pki_free(device);
	pki_free(ca);
	world_close();
}

static void
give(const char *document)
{
	struct txn t;

	world_change(&t);
	ck_assert_int_eq(registry_create_policy(&t, view_of("p"), view_of(document), world_now(),
			     NULL),
	    ERR_OK);
	store_next_step(&t);
	ck_assert_int_eq(registry_attach_policy(&t, view_of("p"), &id, NULL), ERR_OK);
	world_commit(&t);
}

static void
ck_now(enum administration expected)
{
	ck_assert_int_eq(caller_rights_refresh(&rights), expected);
	if (expected != ADMINISTRATION_BY_POLICY)
		ck_assert(!caller_rights_may(&rights, "iot:ListThings", NULL, NULL));
}

START_TEST(a_named_control_action_is_allowed_on_its_resource)
{
	give(DOCUMENT(CONNECT "," ALLOW("AttachPolicy",
	    A ":cert/*") "," LIST "," DENY("AttachPolicy", A ":policy/admin")));
	ck_assert(!caller_rights_may(&rights, "iot:ListThings", NULL, NULL)); /* not read yet */
	ck_now(ADMINISTRATION_BY_POLICY);
	ck_assert(caller_rights_may(&rights, "iot:AttachPolicy", "cert/00", NULL));
	ck_assert(caller_rights_may(&rights, "iot:AttachPolicy", "cert/", NULL));
	ck_assert(caller_rights_may(&rights, "iot:AttachPolicy", "cert/00", "policy/p"));
	ck_assert(!caller_rights_may(&rights, "iot:AttachPolicy", "cert/00", "policy/admin"));
	ck_assert(!caller_rights_may(&rights, "iot:AttachPolicy", "cert/00", "policy/"));
	ck_assert(!caller_rights_may(&rights, "iot:AttachPolicy", "policy/p", NULL));
	ck_assert(caller_rights_may(&rights, "iot:ListThings", NULL, NULL));
	ck_assert(!caller_rights_may(&rights, "iot:ListPolicies", NULL, NULL));
}
END_TEST

START_TEST(a_change_counts_at_the_next_look)
{
	struct txn t;
	uint32_t number;

	give(DOCUMENT(CONNECT "," LIST));
	ck_now(ADMINISTRATION_BY_POLICY);
	ck_assert(caller_rights_may(&rights, "iot:ListThings", NULL, NULL));
	world_change(&t);
	ck_assert_int_eq(registry_create_policy_version(&t, view_of("p"),
			     &(struct new_policy_version){
				 view_of(DOCUMENT(CONNECT "," ALLOW("ListPolicies", "*"))), true },
			     world_now(), &number, NULL),
	    ERR_OK);
	world_commit(&t);
	ck_now(ADMINISTRATION_BY_POLICY);
	ck_assert(!caller_rights_may(&rights, "iot:ListThings", NULL, NULL));
	ck_assert(caller_rights_may(&rights, "iot:ListPolicies", NULL, NULL));
	world_change(&t);
	ck_assert_int_eq(registry_detach_policy(&t, view_of("p"), &id, NULL), ERR_OK);
	world_commit(&t);
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

START_TEST(a_certificate_that_is_not_active_has_no_rights)
{
	static const enum cert_status others[] = { CERT_INACTIVE, CERT_REVOKED,
		CERT_PENDING_ACTIVATION };
	struct txn t;

	give(DOCUMENT(CONNECT "," LIST));
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		world_put_cert(device, ca, CERT_ACTIVE);
		ck_now(ADMINISTRATION_BY_POLICY);
		world_put_cert(device, ca, others[i]);
		ck_now(ADMINISTRATION_NONE);
	}
	world_change(&t);
	store_delete_cert(&t, &id);
	world_commit(&t);
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

START_TEST(a_caller_that_may_not_connect_has_no_rights)
{
	give(DOCUMENT(CONNECT "," LIST));
	caller.client_id = "d2";
	open_judge();
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

START_TEST(policies_count_only_if_the_option_says_so)
{
	give(DOCUMENT(CONNECT "," LIST));
	config.authorization = AUTHORIZATION_DEFER;
	open_judge();
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

/* A broad Allow of all actions is none of control actions. */
START_TEST(a_broad_policy_gives_no_rights)
{
	give(DOCUMENT(CONNECT "," ALLOW("*", "*")));
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

#define IF(operator, key, value) \
	"{\"Effect\":\"Allow\",\"Action\":\"iot:ListThings\",\"Resource\":\"*\",\"Condition\":{" \
	"\"" \
	operator"\":{\"" key "\":\"" value "\"}}}"

START_TEST(the_address_and_the_names_in_the_certificate_are_known)
{
	give(DOCUMENT(
	    CONNECT "," IF("IpAddress", "aws:SourceIp", "203.0.113.0/24") "," ALLOW("AttachPolicy",
		A ":policy/${iot:Certificate.Subject.CommonName}")));
	ck_now(ADMINISTRATION_BY_POLICY);
	ck_assert(caller_rights_may(&rights, "iot:ListThings", NULL, NULL));
	ck_assert(caller_rights_may(&rights, "iot:AttachPolicy", "policy/device-1", NULL));
	ck_assert(!caller_rights_may(&rights, "iot:AttachPolicy", "policy/device-2", NULL));
	caller.address = "198.51.100.1";
	open_judge();
	ck_now(ADMINISTRATION_BY_POLICY);
	ck_assert(!caller_rights_may(&rights, "iot:ListThings", NULL, NULL));
}
END_TEST

START_TEST(its_thing_is_looked_up_each_time)
{
	struct txn t;
	struct thing thing = { .version = 1, .created = 1, .modified = 1, .name = view_of("d1") };

	give(DOCUMENT(CONNECT "," IF("StringEquals", "iot:Connection.Thing.ThingName", "d1")));
	ck_now(ADMINISTRATION_BY_POLICY);
	ck_assert(!caller_rights_may(&rights, "iot:ListThings", NULL, NULL));
	world_change(&t);
	store_put_thing(&t, &thing);
	store_put_thing_principal(&t,
	    &(struct thing_principal){ .thing = thing.name,
		.id = id,
		.type = PRINCIPAL_NON_EXCLUSIVE });
	world_commit(&t);
	ck_now(ADMINISTRATION_BY_POLICY);
	ck_assert(caller_rights_may(&rights, "iot:ListThings", NULL, NULL));
}
END_TEST

static void
be_administrator(void)
{
	config.admin_certificates = &id;
	config.admin_certificate_count = 1;
	caller.administration = ADMINISTRATION_ALL;
	open_judge();
}

START_TEST(an_administrator_has_all_rights_while_its_certificate_is_active)
{
	be_administrator();
	ck_now(ADMINISTRATION_ALL);
	world_put_cert(device, ca, CERT_INACTIVE);
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

/* A plan lets it in before its certificate is stored. */
START_TEST(an_administrator_that_a_plan_let_in_has_all_rights)
{
	be_administrator();
	world_put_cert(device, ca, CERT_PENDING_ACTIVATION);
	ck_now(ADMINISTRATION_NONE);
	caller.by_plan = true;
	ck_now(ADMINISTRATION_ALL);
	caller.administration = ADMINISTRATION_BY_POLICY;
	ck_now(ADMINISTRATION_NONE);
	caller.administration = ADMINISTRATION_ALL;
	world_put_cert(device, ca, CERT_REVOKED);
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

START_TEST(a_caller_without_a_certificate_is_as_the_gate_said)
{
	caller.has_certificate = false;
	caller.user_name = "admin";
	caller.administration = ADMINISTRATION_ALL;
	ck_now(ADMINISTRATION_ALL);
	caller.administration = ADMINISTRATION_NONE;
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

/* It left. */
START_TEST(a_caller_that_the_gate_gives_no_rights_has_none)
{
	give(DOCUMENT(CONNECT "," LIST));
	ck_now(ADMINISTRATION_BY_POLICY);
	caller.administration = ADMINISTRATION_NONE;
	ck_now(ADMINISTRATION_NONE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("caller_rights");
	TCase *t = suite_case(suite, "policies");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_named_control_action_is_allowed_on_its_resource);
	tcase_add_test(t, a_change_counts_at_the_next_look);
	tcase_add_test(t, a_certificate_that_is_not_active_has_no_rights);
	tcase_add_test(t, a_caller_that_may_not_connect_has_no_rights);
	tcase_add_test(t, policies_count_only_if_the_option_says_so);
	tcase_add_test(t, a_broad_policy_gives_no_rights);
	tcase_add_test(t, the_address_and_the_names_in_the_certificate_are_known);
	tcase_add_test(t, its_thing_is_looked_up_each_time);

	t = suite_case(suite, "administrators");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, an_administrator_has_all_rights_while_its_certificate_is_active);
	tcase_add_test(t, an_administrator_that_a_plan_let_in_has_all_rights);
	tcase_add_test(t, a_caller_without_a_certificate_is_as_the_gate_said);
	tcase_add_test(t, a_caller_that_the_gate_gives_no_rights_has_none);

	return suite_run(suite);
}
