/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * change.c - see gate.h: what changed in the registry, and which sessions are judged again.
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"
#include "jitr/service/signature_variants.h"

#define NAMED_MAX 20000 /* certificates that the sweep visits first */

/* Certificates of one thing that are judged within one call; if a thing has more, every
 * session is judged again by the sweep. */
#define THING_PRINCIPALS_AT_ONCE 10

void
gate_reload(struct gate *g)
{
	g->reloading = true;
}

static void
all_changed(struct gate *g)
{
	g->changes++;
	g->generation++;
	judge_policies_changed(&g->judge);
	sweep_start(&g->sessions);
}

static void
one_changed(struct gate *g, const struct certid *id)
{
	struct principal *p = principal_find(&g->sessions, id);

	if (p != NULL) {
		p->generation = g->generation - 1;
		if (!refresh_sessions(g, p))
			sweep_start(&g->sessions);
	}
}

/* A change of one certificate concerns those with the same signed part.  None are found for
 * a deleted certificate, because the signed part is deleted with it. */
static enum err
find_variants(struct gate *g, const struct certid *id, struct certid *ids, size_t max,
    size_t *count)
{
	struct certid content;
	struct txn t;
	enum err e = store_read(g->config.store, &t);

	*count = 0;
	if (e != ERR_OK)
		return e;
	e = store_get_cert_content(&t, id, &content);
	if (e == ERR_OK)
		e = store_find_by_content(&t, &content, ids, max, count);
	store_end(&t);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void
gate_changed(struct gate *g, const struct certid *id_or_null)
{
	struct certid variants[VARIANTS_MAX + 1];
	size_t count;

	if (id_or_null == NULL ||
	    find_variants(g, id_or_null, variants, COUNT_OF(variants), &count) != ERR_OK) {
		all_changed(g);
		return;
	}
	g->changes++;
	one_changed(g, id_or_null);
	for (size_t i = 0; i < count; i++)
		if (!certid_equal(&variants[i], id_or_null))
			one_changed(g, &variants[i]);
}

/* If there is no room for them the sweep visits them like all others. */
static void
named_add(struct gate *g, const struct certid *ids, size_t count)
{
	struct certid *more;

	if (count == 0 || g->named_count + count > NAMED_MAX)
		return;
	more = realloc(g->named, (g->named_count + count) * sizeof(*more));
	if (more == NULL)
		return;
	memcpy(more + g->named_count, ids, count * sizeof(*more));
	g->named = more;
	g->named_count += count;
}

void
gate_crl_changed(struct gate *g, const struct certid *named, size_t count)
{
	g->changes++;
	g->generation++;
	sweep_start(&g->sessions);
	named_add(g, named, count);
}

void
gate_policy_changed(struct gate *g, struct view name)
{
	struct txn t;
	bool changed;

	if (store_read(g->config.store, &t) != ERR_OK) {
		gate_changed(g, NULL);
		return;
	}
	changed = policy_cache_reload(&g->judge.policies, &t, name);
	store_end(&t);
	if (!changed)
		return;
	g->changes++;
	sweep_start(&g->sessions);
}

void
gate_thing_changed(struct gate *g, struct view name)
{
	struct thing_principal principals[THING_PRINCIPALS_AT_ONCE + 1];
	size_t count = 0;
	struct txn t;
	enum err e = store_read(g->config.store, &t);

	if (e == ERR_OK) {
		e = store_list_thing_principals(&t, name, NULL, principals, COUNT_OF(principals),
		    &count);
		store_end(&t);
	}
	if (e != ERR_OK || count > THING_PRINCIPALS_AT_ONCE) {
		gate_changed(g, NULL);
		return;
	}
	for (size_t i = 0; i < count; i++)
		gate_changed(g, &principals[i].id);
}
