/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_registry_policy.c - changes to policies and their attachments.
 *
 * The rules are aws-iot A.3.9, A.4 and A.5.  A long random run is compared with a model in
 * memory: the answers are the same, and both sides of each attachment agree after every
 * change.
 */
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "unchanged.h"
#include "world.h"

#include "jitr/service/registry.h"
#include "jitr/service/registry_policy.h"
#include "jitr/service/registry_thing.h"

static struct txn t;
static struct diag diag;

static void
set_up(void)
{
	world_open();
	world_set_clock(1000);
	diag.text[0] = '\0';
	world_change(&t);
}

static void
tear_down(void)
{
	store_end(&t);
	world_close();
}

static struct certid
id_number(unsigned n)
{
	struct certid id = { { (uint8_t)(0x40 + n) } };

	return id;
}

static void
put_cert(unsigned n, enum cert_status status)
{
	struct cert cert = { .id = id_number(n), .status = status, .created = n };
	struct cert_document document = { .der = view_of("der") };

	store_put_cert(&t, &cert, &document);
}

static enum err
create(const char *name)
{
	return registry_create_policy(&t, view_of(name),
	    &(struct new_policy_version){ .document = view_of("document 1"),
		.form = view_of("form 1") },
	    world_now(), &diag);
}

static enum err
create_version(const char *name, bool set_default, uint32_t *number)
{
	return registry_create_policy_version(&t, view_of(name),
	    &(struct new_policy_version){ view_of("another"), view_of("its form"), set_default },
	    world_now(), number, &diag);
}

static enum err
attach(const char *name, unsigned n)
{
	struct certid id = id_number(n);

	return registry_attach_policy(&t, view_of(name), &id, &diag);
}

static enum err
detach(const char *name, unsigned n)
{
	struct certid id = id_number(n);

	return registry_detach_policy(&t, view_of(name), &id, &diag);
}

static enum err
remove_cert(unsigned n, bool force)
{
	struct certid id = id_number(n);

	return registry_remove_cert(&t, &id, force, "arn:aws:iot:local:1:", &diag);
}

static const struct policy_record *
get(const char *name)
{
	static struct policy_record p;

	ck_assert_int_eq(store_get_policy(&t, view_of(name), &p), ERR_OK);
	return &p;
}

static size_t
count_versions(const char *name)
{
	struct policy_version v[POLICY_VERSIONS_MAX + 2];
	size_t count;

	ck_assert_int_eq(store_list_policy_versions(&t, view_of(name), v, COUNT_OF(v), &count),
	    ERR_OK);
	return count;
}

static size_t
count_attached(unsigned n)
{
	struct view names[POLICIES_PER_CERT_MAX + 2];
	struct certid id = id_number(n);
	size_t count;

	ck_assert_int_eq(store_list_attached(&t, &id, NULL, true, names, COUNT_OF(names), &count),
	    ERR_OK);
	return count;
}

static void
assert_says(const char *words)
{
	ck_assert_msg(strstr(diag.text, words) != NULL, "not '%s': %s", words, diag.text);
}

/*
 * Policies: aws-iot A.4.
 */

START_TEST(a_policy_is_created_with_version_1_as_its_default)
{
	struct policy_version v;
	struct policy_record p;

	ck_assert_int_eq(create("p"), ERR_OK);
	p = *get("p");
	ck_assert_uint_eq(p.default_version, 1);
	ck_assert_uint_eq(p.last_version, 1);
	ck_assert_int_eq(p.created, 1000);
	ck_assert_int_eq(p.modified, 1000);
	ck_assert_int_eq(store_get_policy_version(&t, view_of("p"), 1, &v), ERR_OK);
	ck_assert(view_equal(v.document, view_of("document 1")));
	ck_assert_int_eq(v.created, 1000);
}
END_TEST

/* Whatever its content: the function in AWS's reference relies on this (aws-iot A.4.1). */
START_TEST(a_policy_name_is_unique)
{
	struct policy_record was;

	ck_assert_int_eq(create("p"), ERR_OK);
	was = *get("p");
	world_wait(5);
	ck_assert_int_eq(create("p"), ERR_EXISTS);
	assert_says("Policy cannot be created - name already exists (name=p)");
	ck_assert_int_eq(get("p")->created, 1000);
	ck_assert_mem_eq(&get("p")->generation, &was.generation, sizeof(was.generation));
	ck_assert_int_eq(create("P"), ERR_OK);
	ck_assert_int_eq(create("pp"), ERR_OK);
}
END_TEST

/* generationId is new for each creation (aws-iot J row 17). */
START_TEST(a_policy_created_again_is_a_different_one)
{
	struct generation was;

	ck_assert_int_eq(create("p"), ERR_OK);
	was = get("p")->generation;
	ck_assert_int_eq(registry_delete_policy(&t, view_of("p"), &diag), ERR_OK);
	ck_assert_uint_eq(count_versions("p"), 0);
	ck_assert_int_eq(create("p"), ERR_OK);
	ck_assert(memcmp(&was, &get("p")->generation, sizeof(was)) != 0);
	ck_assert_uint_eq(count_versions("p"), 1);
}
END_TEST

START_TEST(version_numbers_are_never_used_twice)
{
	uint32_t number;

	ck_assert_int_eq(create("p"), ERR_OK);
	for (uint32_t n = 2; n < 40; n++) {
		ck_assert_int_eq(create_version("p", false, &number), ERR_OK);
		ck_assert_uint_eq(number, n);
		ck_assert_int_eq(registry_delete_policy_version(&t, view_of("p"), n, &diag),
		    ERR_OK);
	}
	ck_assert_uint_eq(count_versions("p"), 1);
	ck_assert_uint_eq(get("p")->default_version, 1);
}
END_TEST

START_TEST(a_policy_has_at_most_five_versions)
{
	uint32_t number;

	ck_assert_int_eq(create("p"), ERR_OK);
	for (uint32_t n = 2; n <= 5; n++)
		ck_assert_int_eq(create_version("p", false, &number), ERR_OK);
	ck_assert_int_eq(create_version("p", true, &number), ERR_VERSIONS);
	assert_says("The policy p already has the maximum number of versions (5)");
	ck_assert_uint_eq(get("p")->default_version, 1);
	ck_assert_uint_eq(get("p")->last_version, 5);
	ck_assert_int_eq(registry_delete_policy_version(&t, view_of("p"), 3, &diag), ERR_OK);
	ck_assert_int_eq(create_version("p", true, &number), ERR_OK);
	ck_assert_uint_eq(number, 6);
	ck_assert_uint_eq(get("p")->default_version, 6);
}
END_TEST

START_TEST(no_version_is_created_after_the_last_number)
{
	struct policy_record p = { .name = view_of("p"),
		.default_version = 1,
		.last_version = UINT32_MAX };
	uint32_t number = 77;

	store_put_policy(&t, &p);
	ck_assert_int_eq(create_version("p", true, &number), ERR_LIMIT);
	ck_assert_uint_eq(number, 77);
}
END_TEST

START_TEST(a_new_default_version_modifies_the_policy)
{
	uint32_t number;

	ck_assert_int_eq(create("p"), ERR_OK);
	world_wait(1);
	ck_assert_int_eq(create_version("p", false, &number), ERR_OK);
	ck_assert_int_eq(get("p")->modified, 1000);
	ck_assert_uint_eq(get("p")->default_version, 1);
	world_wait(1);
	ck_assert_int_eq(registry_set_default_policy_version(&t, view_of("p"), 2, world_now(),
			     &diag),
	    ERR_OK);
	ck_assert_int_eq(get("p")->modified, 1002);
	ck_assert_uint_eq(get("p")->default_version, 2);
	world_wait(1);
	ck_assert_int_eq(registry_set_default_policy_version(&t, view_of("p"), 2, world_now(),
			     &diag),
	    ERR_OK);
	ck_assert_int_eq(get("p")->modified, 1002);
	ck_assert_int_eq(create_version("p", true, &number), ERR_OK);
	ck_assert_int_eq(get("p")->modified, 1003);
	ck_assert_uint_eq(get("p")->default_version, 3);
	ck_assert_int_eq(get("p")->created, 1000);
}
END_TEST

/* aws-iot A.4.9 and J row 14. */
START_TEST(the_default_version_is_not_deleted)
{
	uint32_t number;

	ck_assert_int_eq(create("p"), ERR_OK);
	ck_assert_int_eq(create_version("p", true, &number), ERR_OK);
	ck_assert_int_eq(registry_delete_policy_version(&t, view_of("p"), 2, &diag), ERR_REQUEST);
	assert_says("Cannot delete the default version of a policy");
	ck_assert_int_eq(registry_delete_policy_version(&t, view_of("p"), 1, &diag), ERR_OK);
	ck_assert_uint_eq(count_versions("p"), 1);
}
END_TEST

START_TEST(a_policy_in_use_is_not_deleted)
{
	uint32_t number;

	put_cert(1, CERT_INACTIVE);
	ck_assert_int_eq(create("p"), ERR_OK);
	ck_assert_int_eq(create_version("p", false, &number), ERR_OK);
	ck_assert_int_eq(attach("p", 1), ERR_OK);
	ck_assert_int_eq(registry_delete_policy(&t, view_of("p"), &diag), ERR_ATTACHED);
	assert_says("The policy cannot be deleted as the policy is attached to one or more "
		    "principals (name=p)");
	ck_assert_int_eq(detach("p", 1), ERR_OK);
	ck_assert_int_eq(registry_delete_policy(&t, view_of("p"), &diag), ERR_ATTACHED);
	assert_says("Cannot delete the policy because it has one or more policy versions attached "
		    "to it (name=p)");
	ck_assert_int_eq(registry_delete_policy_version(&t, view_of("p"), 2, &diag), ERR_OK);
	ck_assert_int_eq(registry_delete_policy(&t, view_of("p"), &diag), ERR_OK);
	ck_assert_int_eq(registry_delete_policy(&t, view_of("p"), &diag), ERR_NOT_FOUND);
}
END_TEST

/* Each operation on a missing object: the message names it. */
static const struct {
	const char *what, *says;
} absences[] = {
	{ "delete", "Policy not found (name=absent)" },
	{ "create version", "Policy not found (name=absent)" },
	{ "set default", "Policy not found (name=absent)" },
	{ "set default, version", "Policy version not found (name=p, version=2)" },
	{ "delete version", "Policy not found (name=absent)" },
	{ "delete version, version", "Policy version not found (name=p, version=2)" },
	{ "attach", "Policy not found (name=absent)" },
	{ "attach, certificate", "Certificate not found (id: 42000000" },
	{ "detach", "Policy not found (name=absent)" },
	{ "detach, certificate", "Certificate not found (id: 42000000" },
	{ "detach, not attached", "The policy p is not attached to the certificate 41000000" },
};

static enum err
do_absent(int row)
{
	struct view absent = view_of("absent"), p = view_of("p");
	uint32_t number;

	switch (row) {
	case 0:
		return registry_delete_policy(&t, absent, &diag);
	case 1:
		return create_version("absent", true, &number);
	case 2:
		return registry_set_default_policy_version(&t, absent, 1, world_now(), &diag);
	case 3:
		return registry_set_default_policy_version(&t, p, 2, world_now(), &diag);
	case 4:
		return registry_delete_policy_version(&t, absent, 1, &diag);
	case 5:
		return registry_delete_policy_version(&t, p, 2, &diag);
	case 6:
		return attach("absent", 1);
	case 7:
		return attach("p", 2);
	case 8:
		return detach("absent", 1);
	case 9:
		return detach("p", 2);
	default:
		return detach("p", 1);
	}
}

START_TEST(a_missing_object_is_named)
{
	uint64_t before;

	put_cert(1, CERT_INACTIVE);
	ck_assert_int_eq(create("p"), ERR_OK);
	world_commit(&t);
	world_change(&t);
	before = registry_hash();
	ck_assert_msg(do_absent(_i) == ERR_NOT_FOUND, "%s", absences[_i].what);
	assert_says(absences[_i].says);
	assert_nothing_put(&t, before);
}
END_TEST

/*
 * Attachments: aws-iot A.5.
 */

/* Also to a pending one: it is attached first and activated last (aws-iot A.5.1). */
START_TEST(a_policy_is_attached_to_a_certificate_of_any_status)
{
	put_cert(1, (enum cert_status)_i);
	ck_assert_int_eq(create("p"), ERR_OK);
	ck_assert_int_eq(attach("p", 1), ERR_OK);
	ck_assert_int_eq(attach("p", 1), ERR_OK);
	ck_assert_uint_eq(count_attached(1), 1);
	ck_assert_int_eq(detach("p", 1), ERR_OK);
	ck_assert_int_eq(detach("p", 1), ERR_NOT_FOUND);
	ck_assert_uint_eq(count_attached(1), 0);
}
END_TEST

START_TEST(a_certificate_has_at_most_ten_policies)
{
	char name[8];

	put_cert(1, CERT_INACTIVE);
	put_cert(2, CERT_INACTIVE);
	for (int i = 0; i < 11; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		ck_assert_int_eq(create(name), ERR_OK);
		ck_assert_int_eq(attach(name, 1), i < 10 ? ERR_OK : ERR_LIMIT);
	}
	assert_says("maximum number of policies (10)");
	ck_assert_uint_eq(count_attached(1), 10);
	ck_assert_int_eq(attach("p3", 1), ERR_OK); /* is attached already */
	ck_assert_int_eq(attach("p10", 2), ERR_OK);
	ck_assert_int_eq(detach("p3", 1), ERR_OK);
	ck_assert_int_eq(attach("p10", 1), ERR_OK);
}
END_TEST

/* A version without policies may have deleted the certificate. */
START_TEST(a_policy_can_be_detached_from_a_deleted_certificate)
{
	struct certid id = id_number(1);

	put_cert(1, CERT_INACTIVE);
	ck_assert_int_eq(create("p"), ERR_OK);
	ck_assert_int_eq(attach("p", 1), ERR_OK);
	store_delete_cert(&t, &id);
	ck_assert_int_eq(detach("p", 1), ERR_OK);
	ck_assert_uint_eq(count_attached(1), 0);
}
END_TEST

/*
 * Deleting a certificate: aws-iot A.3.9.  The order of the checks is status,
 * things, policies.
 */

static const struct {
	enum cert_status status;
	bool thing, policy, force;
	enum err result;
	const char *says;
} removals[] = {
	{ CERT_ACTIVE, true, true, true, ERR_WRONG_STATE, "must be deactivated" },
	{ CERT_ACTIVE, false, false, true, ERR_WRONG_STATE, "must be deactivated" },
	{ CERT_PENDING_TRANSFER, true, true, true, ERR_WRONG_STATE, "is being transferred" },
	{ CERT_INACTIVE, true, true, false, ERR_ATTACHED,
	    "Things must be detached before deletion (arn: arn:aws:iot:local:1:cert/41000000" },
	{ CERT_INACTIVE, true, false, true, ERR_ATTACHED, "Things must be detached" },
	{ CERT_INACTIVE, true, true, true, ERR_ATTACHED, "Things must be detached" },
	{ CERT_INACTIVE, false, true, false, ERR_ATTACHED,
	    "Certificate policies must be detached before deletion (arn: arn:aws:iot:local:1:cert/41000000" },
	{ CERT_INACTIVE, false, true, true, ERR_OK, "" },
	{ CERT_REVOKED, false, true, true, ERR_OK, "" },
	{ CERT_PENDING_ACTIVATION, false, true, true, ERR_OK, "" },
	{ CERT_INACTIVE, false, false, false, ERR_OK, "" },
};

START_TEST(a_certificate_with_attachments_is_deleted_as_the_row_says)
{
	struct thing thing = { .name = view_of("t") };
	struct certid id = id_number(1), target[11];
	struct generation made;
	uint64_t before;
	size_t count;
	char name[8];

	put_cert(1, removals[_i].status);
	put_cert(2, CERT_ACTIVE);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		ck_assert_int_eq(create(name), ERR_OK);
		ck_assert_int_eq(removals[_i].policy ? attach(name, 1) : ERR_OK, ERR_OK);
		ck_assert_int_eq(attach(name, 2), ERR_OK);
	}
	ck_assert_int_eq(registry_create_thing(&t, &thing, 1, &made, &diag), ERR_OK);
	if (removals[_i].thing)
		ck_assert_int_eq(registry_attach_thing(&t, view_of("t"), &id,
				     PRINCIPAL_NON_EXCLUSIVE, &diag),
		    ERR_OK);
	world_commit(&t);
	world_change(&t);
	before = registry_hash();

	ck_assert_int_eq(remove_cert(1, removals[_i].force), removals[_i].result);
	assert_says(removals[_i].says);
	if (removals[_i].result != ERR_OK)
		assert_nothing_put(&t, before);
	ck_assert_uint_eq(count_attached(1),
	    removals[_i].policy && removals[_i].result != ERR_OK ? 10 : 0);
	ck_assert_uint_eq(count_attached(2), 10);
	ck_assert_int_eq(store_list_targets(&t, view_of("p3"), NULL, true, target, 11, &count),
	    ERR_OK);
	ck_assert_uint_eq(count, count_attached(1) > 0 ? 2 : 1);
}
END_TEST

/* More than a command can attach: the registry is damaged. */
START_TEST(a_certificate_with_too_many_policies_is_not_deleted)
{
	struct certid id = id_number(1);
	char name[8];

	put_cert(1, CERT_INACTIVE);
	for (int i = 0; i < 11; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		store_attach(&t, view_of(name), &id);
	}
	ck_assert_int_eq(remove_cert(1, false), ERR_ATTACHED);
	ck_assert_int_eq(remove_cert(1, true), ERR_CORRUPT);
	ck_assert_uint_eq(count_attached(1), 11);
}
END_TEST

/*
 * At random, against a model.
 */

enum { CERTS = 5, POLICIES = 14 };

static struct model {
	bool cert[CERTS], policy[POLICIES], attached[CERTS][POLICIES];
	unsigned versions[POLICIES];
} model;

static uint32_t
random_below(uint32_t bound)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

/* Some begin with others. */
static const char *
name_of(unsigned p)
{
	static char name[8];

	(void)snprintf(name, sizeof(name), p % 2 == 0 ? "p%u" : "p%u=x", p / 2);
	return name;
}

static unsigned
attached_to(unsigned c)
{
	unsigned count = 0;

	for (unsigned p = 0; p < POLICIES; p++)
		count += model.attached[c][p];
	return count;
}

static bool
is_target(unsigned p)
{
	for (unsigned c = 0; c < CERTS; c++)
		if (model.attached[c][p])
			return true;
	return false;
}

static enum err
expect_attach(unsigned c, unsigned p)
{
	if (!model.policy[p] || !model.cert[c])
		return ERR_NOT_FOUND;
	if (!model.attached[c][p] && attached_to(c) == POLICIES_PER_CERT_MAX)
		return ERR_LIMIT;
	model.attached[c][p] = true;
	return ERR_OK;
}

static enum err
expect_detach(unsigned c, unsigned p)
{
	if (!model.attached[c][p])
		return ERR_NOT_FOUND;
	model.attached[c][p] = false;
	return ERR_OK;
}

static enum err
expect_delete(unsigned p)
{
	if (!model.policy[p])
		return ERR_NOT_FOUND;
	if (is_target(p) || model.versions[p] > 1)
		return ERR_ATTACHED;
	model.policy[p] = false;
	model.versions[p] = 0;
	return ERR_OK;
}

static enum err
expect_create(unsigned p)
{
	if (model.policy[p])
		return ERR_EXISTS;
	model.policy[p] = true;
	model.versions[p] = 1;
	return ERR_OK;
}

static enum err
expect_version(unsigned p)
{
	if (!model.policy[p])
		return ERR_NOT_FOUND;
	if (model.versions[p] == POLICY_VERSIONS_MAX)
		return ERR_VERSIONS;
	model.versions[p]++;
	return ERR_OK;
}

static enum err
expect_remove(unsigned c, bool force)
{
	if (!model.cert[c])
		return ERR_NOT_FOUND;
	if (attached_to(c) > 0 && !force)
		return ERR_ATTACHED;
	model.cert[c] = false;
	memset(model.attached[c], 0, sizeof(model.attached[c]));
	return ERR_OK;
}

/* Deletes the oldest version that is not the default, if any. */
static void
delete_some_version(unsigned p)
{
	struct policy_version v[POLICY_VERSIONS_MAX];
	struct view name = view_of(name_of(p));
	size_t count;

	must(store_list_policy_versions(&t, name, v, COUNT_OF(v), &count) == ERR_OK);
	if (count < 2)
		return;
	must(registry_delete_policy_version(&t, name, v[0].number, &diag) == ERR_OK);
	model.versions[p]--;
}

static void
add_cert(unsigned c)
{
	put_cert(c, CERT_INACTIVE);
	model.cert[c] = true;
}

static void
step(void)
{
	unsigned c = random_below(CERTS), p = random_below(POLICIES), how = random_below(40);
	bool force = random_below(2) == 0;
	uint32_t number;

	if (how < 20)
		must(attach(name_of(p), c) == expect_attach(c, p));
	else if (how < 26)
		must(detach(name_of(p), c) == expect_detach(c, p));
	else if (how < 30)
		must(create(name_of(p)) == expect_create(p));
	else if (how < 32)
		must(create_version(name_of(p), false, &number) == expect_version(p));
	else if (how < 35)
		delete_some_version(p);
	else if (how < 37)
		must(registry_delete_policy(&t, view_of(name_of(p)), &diag) == expect_delete(p));
	else if (how < 38)
		must(remove_cert(c, force) == expect_remove(c, force));
	else
		add_cert(c);
}

static void
assert_sides_agree(void)
{
	struct certid target[CERTS + 1];
	struct view names[POLICIES + 1];
	size_t count;

	for (unsigned c = 0; c < CERTS; c++) {
		struct certid id = id_number(c);

		must(store_list_attached(&t, &id, NULL, true, names, COUNT_OF(names), &count) ==
		    ERR_OK);
		must(count == attached_to(c));
	}
	for (unsigned p = 0; p < POLICIES; p++) {
		struct view name = view_of(name_of(p));
		struct policy_record record;
		size_t expected = 0;
		bool is;

		for (unsigned c = 0; c < CERTS; c++) {
			struct certid id = id_number(c);

			must(store_is_attached(&t, name, &id, &is) == ERR_OK);
			must(is == model.attached[c][p]);
			expected += is;
		}
		must(store_list_targets(&t, name, NULL, false, target, COUNT_OF(target), &count) ==
		    ERR_OK);
		must(count == expected);
		must(store_get_policy(&t, name, &record) ==
		    (model.policy[p] ? ERR_OK : ERR_NOT_FOUND));
		must(count_versions(name_of(p)) == model.versions[p]);
	}
}

/* Transactions of random size are committed or dropped. */
START_TEST(random_changes_agree_with_the_model_on_both_sides)
{
	struct model kept = model;

	for (int round = 0; round < 3000; round++) {
		step();
		if (round % 10 == 0)
			assert_sides_agree();
		if (random_below(30) != 0)
			continue;
		if (random_below(3) == 0) {
			store_end(&t);
			model = kept;
		} else {
			world_commit(&t);
			kept = model;
		}
		world_change(&t);
		assert_sides_agree();
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("registry_policy");
	TCase *c = suite_case(suite, "registry_policy");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_policy_is_created_with_version_1_as_its_default);
	tcase_add_test(c, a_policy_name_is_unique);
	tcase_add_test(c, a_policy_created_again_is_a_different_one);
	tcase_add_test(c, version_numbers_are_never_used_twice);
	tcase_add_test(c, a_policy_has_at_most_five_versions);
	tcase_add_test(c, no_version_is_created_after_the_last_number);
	tcase_add_test(c, a_new_default_version_modifies_the_policy);
	tcase_add_test(c, the_default_version_is_not_deleted);
	tcase_add_test(c, a_policy_in_use_is_not_deleted);
	tcase_add_loop_test(c, a_missing_object_is_named, 0, COUNT_OF(absences));
	tcase_add_loop_test(c, a_policy_is_attached_to_a_certificate_of_any_status, 0,
	    CERT_PENDING_ACTIVATION + 1);
	tcase_add_test(c, a_certificate_has_at_most_ten_policies);
	tcase_add_test(c, a_policy_can_be_detached_from_a_deleted_certificate);
	tcase_add_loop_test(c, a_certificate_with_attachments_is_deleted_as_the_row_says, 0,
	    COUNT_OF(removals));
	tcase_add_test(c, a_certificate_with_too_many_policies_is_not_deleted);
	tcase_add_test(c, random_changes_agree_with_the_model_on_both_sides);
	return suite_run(suite);
}
