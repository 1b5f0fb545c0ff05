/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_policy.c - see registry_policy.h. */
#include "jitr/service/registry_policy.h"
#include "jitr/adapter/x509.h"

#include "registry_private.h"

static enum err
get_policy(struct txn *t, struct view name, struct policy_record *policy, struct diag *diag)
{
	enum err e = store_get_policy(t, name, policy);

	if (e == ERR_NOT_FOUND)
		diag_set(diag, "Policy not found (name=%.*s)", NAME_ARGS(name));
	return e;
}

static enum err
get_version(struct txn *t, struct view name, uint32_t number, struct diag *diag)
{
	struct policy_version version;
	enum err e = store_get_policy_version(t, name, number, &version);

	if (e == ERR_NOT_FOUND)
		diag_set(diag, "Policy version not found (name=%.*s, version=%lu)", NAME_ARGS(name),
		    (unsigned long)number);
	return e;
}

enum err
registry_create_policy(struct txn *t, struct view name, const struct new_policy_version *first,
    int64_t now, struct diag *diag)
{
	struct policy_version version = { .number = 1,
		.created = now,
		.document = first->document,
		.form = first->form };
	struct policy_record policy;
	enum err e = store_get_policy(t, name, &policy);

	if (e == ERR_OK) {
		diag_set(diag, "Policy cannot be created - name already exists (name=%.*s)",
		    NAME_ARGS(name));
		return ERR_EXISTS;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	policy = (struct policy_record){ .name = name,
		.default_version = 1,
		.last_version = 1,
		.created = now,
		.modified = now };
	e = random_fill(&policy.generation, sizeof(policy.generation));
	if (e != ERR_OK)
		return e;
	store_put_policy(t, &policy);
	store_put_policy_version(t, name, &version);
	return t->failed;
}

static enum err
check_not_attached(struct txn *t, struct view name, struct diag *diag)
{
	struct certid first;
	size_t count;
	enum err e = store_list_targets(t, name, NULL, true, &first, 1, &count);

	if (e != ERR_OK || count == 0)
		return e;
	diag_set(diag,
	    "The policy cannot be deleted as the policy is attached to one or more "
	    "principals (name=%.*s)",
	    NAME_ARGS(name));
	return ERR_ATTACHED;
}

static enum err
check_one_version(struct txn *t, struct view name, struct diag *diag)
{
	struct policy_version versions[2];
	size_t count;
	enum err e = store_list_policy_versions(t, name, versions, COUNT_OF(versions), &count);

	if (e != ERR_OK || count < COUNT_OF(versions))
		return e;
	diag_set(diag,
	    "Cannot delete the policy because it has one or more policy versions "
	    "attached to it (name=%.*s)",
	    NAME_ARGS(name));
	return ERR_ATTACHED;
}

enum err
registry_delete_policy(struct txn *t, struct view name, struct diag *diag)
{
	struct policy_record policy;
	enum err e = get_policy(t, name, &policy, diag);

	store_use_reserve(t);
	if (e == ERR_OK)
		e = check_not_attached(t, name, diag);
	if (e == ERR_OK)
		e = check_one_version(t, name, diag);
	if (e != ERR_OK)
		return e;
	store_delete_policy(t, name);
	return t->failed;
}

static enum err
check_room_for_version(struct txn *t, struct view name, struct diag *diag)
{
	struct policy_version versions[POLICY_VERSIONS_MAX];
	size_t count;
	enum err e = store_list_policy_versions(t, name, versions, COUNT_OF(versions), &count);

	if (e != ERR_OK || count < COUNT_OF(versions))
		return e;
	diag_set(diag, "The policy %.*s already has the maximum number of versions (%d)",
	    NAME_ARGS(name), POLICY_VERSIONS_MAX);
	return ERR_VERSIONS;
}

static void
make_default(struct policy_record *policy, uint32_t number, int64_t now)
{
	policy->default_version = number;
	policy->modified = now;
}

/* A number is not used again after its version was deleted (aws-iot A.4.5). */
enum err
registry_create_policy_version(struct txn *t, struct view name,
    const struct new_policy_version *made, int64_t now, uint32_t *number, struct diag *diag)
{
	struct policy_version version = { .created = now,
		.document = made->document,
		.form = made->form };
	struct policy_record policy;
	enum err e = get_policy(t, name, &policy, diag);

	if (e == ERR_OK)
		e = check_room_for_version(t, name, diag);
	if (e == ERR_OK && policy.last_version == UINT32_MAX) {
		diag_set(diag, "The policy %.*s has used all version numbers", NAME_ARGS(name));
		e = ERR_LIMIT;
	}
	if (e != ERR_OK)
		return e;
	*number = version.number = ++policy.last_version;
	if (made->set_default)
		make_default(&policy, version.number, now);
	store_put_policy_version(t, name, &version);
	store_put_policy(t, &policy);
	return t->failed;
}

enum err
registry_set_default_policy_version(struct txn *t, struct view name, uint32_t number, int64_t now,
    struct diag *diag)
{
	struct policy_record policy;
	enum err e = get_policy(t, name, &policy, diag);

	store_use_reserve(t);
	if (e == ERR_OK)
		e = get_version(t, name, number, diag);
	if (e != ERR_OK || policy.default_version == number)
		return e;
	make_default(&policy, number, now);
	store_put_policy(t, &policy);
	return t->failed;
}

enum err
registry_delete_policy_version(struct txn *t, struct view name, uint32_t number, struct diag *diag)
{
	struct policy_record policy;
	enum err e = get_policy(t, name, &policy, diag);

	store_use_reserve(t);
	if (e == ERR_OK)
		e = get_version(t, name, number, diag);
	if (e != ERR_OK)
		return e;
	if (policy.default_version == number) {
		diag_set(diag, "Cannot delete the default version of a policy");
		return ERR_REQUEST; /* aws-iot J row 14 */
	}
	store_delete_policy_version(t, name, number);
	return t->failed;
}

static enum err
get_both(struct txn *t, struct view name, const struct certid *id, struct diag *diag)
{
	struct policy_record policy;
	struct cert cert;
	enum err e = get_policy(t, name, &policy, diag);

	return e == ERR_OK ? registry_get_cert(t, id, &cert, diag) : e;
}

static enum err
check_room_for_policy(struct txn *t, const struct certid *id, struct diag *diag)
{
	struct view names[POLICIES_PER_CERT_MAX];
	size_t count;
	enum err e = store_list_attached(t, id, NULL, true, names, COUNT_OF(names), &count);

	if (e != ERR_OK || count < COUNT_OF(names))
		return e;
	diag_set(diag, "The certificate already has the maximum number of policies (%d)",
	    POLICIES_PER_CERT_MAX);
	return ERR_LIMIT;
}

enum err
registry_attach_policy(struct txn *t, struct view name, const struct certid *id, struct diag *diag)
{
	bool attached = false;
	enum err e = get_both(t, name, id, diag);

	if (e == ERR_OK)
		e = store_is_attached(t, name, id, &attached);
	if (e != ERR_OK || attached)
		return e;
	e = check_room_for_policy(t, id, diag);
	if (e != ERR_OK)
		return e;
	store_attach(t, name, id);
	return t->failed;
}

/* A policy that is attached can be detached even if a record is missing. */
enum err
registry_detach_policy(struct txn *t, struct view name, const struct certid *id, struct diag *diag)
{
	char hex[CERTID_HEX_SIZE];
	bool attached;
	enum err e = store_is_attached(t, name, id, &attached);

	store_use_reserve(t);
	if (e == ERR_OK && !attached)
		e = get_both(t, name, id, diag);
	if (e != ERR_OK)
		return e;
	if (!attached) {
		certid_to_hex(id, hex);
		diag_set(diag, "The policy %.*s is not attached to the certificate %s",
		    NAME_ARGS(name), hex);
		return ERR_NOT_FOUND;
	}
	store_detach(t, name, id);
	return t->failed;
}
