/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_template.c - see registry_template.h. */
#include "jitr/service/registry_template.h"
#include "jitr/adapter/x509.h"

#include "registry_private.h"

static enum err
get_template(struct txn *t, struct view name, struct provisioning_template *out, struct diag *diag)
{
	enum err e = store_get_template(t, name, out);

	if (e == ERR_NOT_FOUND)
		diag_set(diag, "Provisioning template not found (name=%.*s)", NAME_ARGS(name));
	return e;
}

enum err
registry_create_template(struct txn *t, const struct provisioning_template *made, int64_t now,
    struct diag *diag)
{
	struct provisioning_template existing, fresh = *made;
	enum err e = store_get_template(t, made->name, &existing);

	if (e == ERR_OK) {
		diag_set(diag, "Provisioning template already exists (name=%.*s)",
		    NAME_ARGS(made->name));
		return ERR_EXISTS;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	e = random_fill(&fresh.generation, sizeof(fresh.generation));
	if (e != ERR_OK)
		return e;
	fresh.created = fresh.modified = now;
	store_put_template(t, &fresh);
	return t->failed;
}

enum err
registry_update_template(struct txn *t, struct view name, const struct template_update *u,
    int64_t now, struct diag *diag)
{
	struct provisioning_template template;
	enum err e = get_template(t, name, &template, diag);

	if (u->enabled != NULL && !*u->enabled && u->description == NULL && u->role_arn == NULL)
		store_use_reserve(t);
	if (e != ERR_OK)
		return e;
	if (u->enabled != NULL)
		template.enabled = *u->enabled;
	if (u->description != NULL)
		template.description = *u->description;
	if (u->role_arn != NULL)
		template.role_arn = *u->role_arn;
	template.modified = now;
	store_put_template(t, &template);
	return t->failed;
}

/* *id: the first CA that names the template. */
static enum err
find_user(struct txn *t, struct view name, struct certid *id, bool *found)
{
	struct ca_setting_entry entry;
	size_t count = 1;
	enum err e = store_list_ca_settings(t, NULL, &entry, 1, &count);

	*found = false;
	while (e == ERR_OK && count > 0 && !*found) {
		*id = entry.id;
		*found = view_equal(entry.settings.template_name, name);
		if (!*found)
			e = store_list_ca_settings(t, id, &entry, 1, &count);
	}
	return e;
}

enum err
registry_delete_template(struct txn *t, struct view name, struct diag *diag)
{
	struct provisioning_template template;
	char hex[CERTID_HEX_SIZE];
	struct certid user;
	bool used = false;
	enum err e = get_template(t, name, &template, diag);

	store_use_reserve(t);
	if (e == ERR_OK)
		e = find_user(t, name, &user, &used);
	if (e != ERR_OK)
		return e;
	if (used) {
		certid_to_hex(&user, hex);
		diag_set(diag, "The provisioning template %.*s is named by the CA certificate %s",
		    NAME_ARGS(name), hex);
		return ERR_ATTACHED;
	}
	store_delete_template(t, name);
	return t->failed;
}
