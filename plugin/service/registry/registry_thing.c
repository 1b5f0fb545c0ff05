/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_thing.c - see registry_thing.h. */
#include <stdlib.h>

#include "jitr/core/codec.h"
#include "jitr/service/registry_thing.h"
#include "jitr/adapter/x509.h"

#include "registry_private.h"

static enum err
get_thing(struct txn *t, struct view name, struct thing *thing, struct diag *diag)
{
	enum err e = store_get_thing(t, name, thing);

	if (e == ERR_NOT_FOUND)
		diag_set(diag, "Thing %.*s cannot be found.", NAME_ARGS(name));
	return e;
}

enum err
thing_check_attributes(const struct thing *thing, struct diag *diag)
{
	size_t count,
	    limit = thing->type_name.len > 0 ? THING_ATTRIBUTES_MAX : THING_ATTRIBUTES_MAX_UNTYPED;

	if (codec_check_attributes(thing->attributes, &count) && count <= limit)
		return ERR_OK;
	diag_set(diag, "A thing %s a type has at most %zu attributes",
	    thing->type_name.len > 0 ? "with" : "without", limit);
	return ERR_REQUEST;
}

bool
thing_same(const struct thing *a, const struct thing *b)
{
	return view_equal(a->type_name, b->type_name) &&
	    view_equal(a->billing_group, b->billing_group) &&
	    view_equal(a->attributes, b->attributes);
}

enum err
registry_create_thing(struct txn *t, const struct thing *thing, int64_t now, struct generation *id,
    struct diag *diag)
{
	struct thing existing, made = *thing;
	enum err e = thing_check_attributes(thing, diag);

	if (e != ERR_OK)
		return e;
	e = store_get_thing(t, thing->name, &existing);
	if (e == ERR_OK) {
		*id = existing.id;
		if (thing_same(&existing, thing))
			return ERR_OK;
		diag_set(diag, "Thing %.*s already exists with a different configuration",
		    NAME_ARGS(thing->name));
		return ERR_EXISTS;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	e = random_fill(&made.id, sizeof(made.id));
	if (e != ERR_OK)
		return e;
	made.version = 1;
	made.created = made.modified = now;
	*id = made.id;
	store_put_thing(t, &made);
	return t->failed;
}

static enum err
check_version(const struct thing *thing, bool has_expected, uint32_t expected, struct diag *diag)
{
	if (!has_expected || thing->version == expected)
		return ERR_OK;
	diag_set(diag, "The version of thing %.*s is %lu, not %lu as expected",
	    NAME_ARGS(thing->name), (unsigned long)thing->version, (unsigned long)expected);
	return ERR_VERSION;
}

/* *merged: the caller frees it; the thing's attributes point into it. */
static enum err
apply_attributes(struct thing *thing, const struct thing_update *u, uint8_t **merged)
{
	struct view old = u->merge ? thing->attributes : (struct view){ NULL, 0 };

	*merged = malloc(old.len + u->attributes.len + 1);
	if (*merged == NULL)
		return ERR_NOMEM;
	thing->attributes.len = codec_merge_attributes(old, u->attributes, *merged);
	thing->attributes.data = *merged;
	return ERR_OK;
}

static enum err
check_update(const struct thing *thing, const struct thing_update *u, struct diag *diag)
{
	size_t count;

	if (u->has_type && u->remove_type) {
		diag_set(diag, "thingTypeName and removeThingType exclude each other");
		return ERR_REQUEST;
	}
	if (u->has_attributes && !codec_check_attributes(u->attributes, &count)) {
		diag_set(diag, "There are too many attributes");
		return ERR_REQUEST;
	}
	return check_version(thing, u->has_expected_version, u->expected_version, diag);
}

enum err
registry_update_thing(struct txn *t, struct view name, const struct thing_update *update,
    int64_t now, struct diag *diag)
{
	struct thing thing;
	uint8_t *merged = NULL;
	enum err e = get_thing(t, name, &thing, diag);

	if (e == ERR_OK)
		e = check_update(&thing, update, diag);
	if (e != ERR_OK)
		return e;
	if (update->has_type)
		thing.type_name = update->type_name;
	if (update->remove_type)
		thing.type_name.len = 0;
	if (update->has_attributes)
		e = apply_attributes(&thing, update, &merged);
	if (e == ERR_OK)
		e = thing_check_attributes(&thing, diag);
	if (e == ERR_OK) {
		thing.version++;
		thing.modified = now;
		store_put_thing(t, &thing);
		e = t->failed;
	}
	free(merged);
	return e;
}

enum err
registry_delete_thing(struct txn *t, struct view name, bool has_expected, uint32_t expected_version,
    struct diag *diag)
{
	struct thing_principal first;
	struct thing thing;
	size_t count = 0;
	enum err e = store_get_thing(t, name, &thing);

	store_use_reserve(t);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = check_version(&thing, has_expected, expected_version, diag);
	if (e == ERR_OK)
		e = store_list_thing_principals(t, name, NULL, &first, 1, &count);
	if (e != ERR_OK)
		return e;
	if (count > 0) {
		diag_set(diag,
		    "Cannot delete. Thing %.*s is still attached to one or more principals",
		    NAME_ARGS(name));
		return ERR_REQUEST;
	}
	store_delete_thing(t, name);
	return t->failed;
}

static enum err
get_both(struct txn *t, struct view name, const struct certid *id, struct diag *diag)
{
	struct thing thing;
	struct cert cert;
	enum err e = get_thing(t, name, &thing, diag);

	return e == ERR_OK ? registry_get_cert(t, id, &cert, diag) : e;
}

/* A certificate that is attached exclusively has no other thing, so reading two things is
 * enough: one of them may be this thing. */
enum err
thing_check_exclusive(struct txn *t, struct view name, const struct certid *id,
    enum principal_type type, struct diag *diag)
{
	struct thing_principal things[2];
	size_t count;
	enum err e = store_list_principal_things(t, id, NULL, things, COUNT_OF(things), &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (view_equal(things[i].thing, name))
			continue;
		if (things[i].type == PRINCIPAL_EXCLUSIVE) {
			diag_set(diag, "Principal already has an exclusive Thing attached to it");
			e = ERR_REQUEST;
		} else if (type == PRINCIPAL_EXCLUSIVE) {
			diag_set(diag, "Principal already has a Thing attached to it");
			e = ERR_REQUEST;
		}
	}
	return e;
}

static enum err
find_principal(struct txn *t, struct view name, const struct certid *id, bool *attached,
    enum principal_type *type)
{
	enum err e = store_get_thing_principal(t, name, id, type);

	*attached = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
registry_attach_thing(struct txn *t, struct view name, const struct certid *id,
    enum principal_type type, struct diag *diag)
{
	struct thing_principal p = { .id = *id, .thing = name, .type = type };
	enum principal_type was = PRINCIPAL_NON_EXCLUSIVE;
	bool attached = false;
	enum err e = get_both(t, name, id, diag);

	if (e == ERR_OK)
		e = find_principal(t, name, id, &attached, &was);
	if (e != ERR_OK || (attached && was == type))
		return e;
	e = thing_check_exclusive(t, name, id, type, diag);
	if (e != ERR_OK)
		return e;
	store_put_thing_principal(t, &p);
	return t->failed;
}

/* A certificate that is attached can be detached even if a record is missing. */
enum err
registry_detach_thing(struct txn *t, struct view name, const struct certid *id, struct diag *diag)
{
	enum principal_type type;
	bool attached;
	enum err e = find_principal(t, name, id, &attached, &type);

	store_use_reserve(t);
	if (e != ERR_OK)
		return e;
	if (!attached)
		return get_both(t, name, id, diag);
	store_delete_thing_principal(t, name, id);
	return t->failed;
}
