/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * facts.c - the facts that policies look at.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/service/facts.h"

#include "jitr/adapter/x509.h"

struct facts
facts_of_connection(const struct judge *judge, struct view client_id, struct view address)
{
	return (struct facts){ .client_id = client_id,
		.client_id_as_is = judge->config.client_id_as_is,
		.source_text = address,
		.source = address_parse(address) };
}

enum err
read_stored_facts(struct txn *t, const struct certid *id, struct cert_facts **out)
{
	struct cert_document document;
	struct x509_st *x = NULL;
	enum err e = store_get_cert_document(t, id, &document);

	if (e == ERR_OK)
		e = x509_from_der(document.der, &x, NULL);
	if (e == ERR_OK)
		e = x509_read_facts(x, out);
	x509_free(x);
	return e;
}

/* A thing that a certificate is attached to exclusively is its only one. */
static enum err
find_exclusive(struct txn *t, const struct certid *id, struct view *name)
{
	struct thing_principal attached;
	size_t count = 0;
	enum err e = store_list_principal_things(t, id, NULL, &attached, 1, &count);

	if (e == ERR_OK && (count == 0 || attached.type != PRINCIPAL_EXCLUSIVE))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*name = attached.thing;
	return e;
}

static enum err
find_named(struct txn *t, const struct certid *id, struct view client_id)
{
	enum principal_type type;

	if (client_id.len == 0 || client_id.len > NAME_MAX_LENGTH)
		return ERR_NOT_FOUND;
	return store_get_thing_principal(t, client_id, id, &type);
}

enum err
find_thing(struct txn *t, const struct certid *id, struct view client_id, struct thing *out,
    bool *found)
{
	struct view name = client_id;
	enum err e = find_exclusive(t, id, &name);

	if (e == ERR_NOT_FOUND)
		e = find_named(t, id, client_id);
	if (e == ERR_OK)
		e = store_get_thing(t, name, out);
	*found = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
find_planned_thing(struct txn *t, const struct plan *plan, struct view client_id, struct thing *out,
    bool *found)
{
	const struct planned_thing *p = &plan->thing;
	enum err e;

	*found = p->name.len > 0 && view_equal(p->name, client_id);
	if (!*found)
		return ERR_OK;
	e = store_get_thing(t, p->name, out);
	if (e != ERR_NOT_FOUND)
		return e;
	*out = (struct thing){ .name = p->name,
		.type_name = p->type_name,
		.billing_group = p->billing_group,
		.attributes = p->attributes };
	return ERR_OK;
}

struct thing *
thing_copy(const struct thing *thing)
{
	struct thing *copy = malloc(sizeof(*copy) + thing->name.len + thing->type_name.len +
	    thing->billing_group.len + thing->attributes.len);
	uint8_t *at;

	if (copy == NULL)
		return NULL;
	*copy = *thing;
	at = (uint8_t *)(copy + 1);
	view_move(&copy->name, &at);
	view_move(&copy->type_name, &at);
	view_move(&copy->billing_group, &at);
	view_move(&copy->attributes, &at);
	return copy;
}

enum err
find_thing_or_planned(struct txn *t, const struct certid *id, const struct plan *plan_or_null,
    struct view client_id, struct thing *out, bool *found)
{
	enum err e = find_thing(t, id, client_id, out, found);

	if (e == ERR_OK && !*found && plan_or_null != NULL)
		e = find_planned_thing(t, plan_or_null, client_id, out, found);
	return e;
}
