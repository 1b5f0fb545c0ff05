/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* policy_cache.c - see policy_cache.h. */
#include <stdlib.h>
#include <string.h>

/* Report a lack of memory instead of exiting. */
#define HASH_NONFATAL_OOM 1

#include "jitr/core/codec_form.h"
#include "jitr/service/policy_cache.h"

static struct cached_policy *
find(struct policy_cache *c, struct view name)
{
	struct cached_policy *p;

	HASH_FIND(hh, c->by_name, name.data, name.len, p);
	return p;
}

static bool
is_made_of(const struct cached_policy *p, const struct policy_record *record)
{
	return p->policy != NULL && p->version == record->default_version &&
	    generation_equal(&p->generation, &record->generation);
}

/* *out: one allocation, released with free(). */
static enum err
decode(const struct policy_cache *c, struct view form, struct policy **out, struct diag *why)
{
	void *memory;
	size_t size;
	enum err e = policy_memory(form, &size, why);

	*out = NULL;
	if (e != ERR_OK)
		return e;
	memory = malloc(size);
	if (memory == NULL)
		return ERR_NOMEM;
	e = policy_decode(form, &c->scope, memory, out);
	if (e != ERR_OK)
		free(memory);
	return e;
}

static enum err
load(struct policy_cache *c, struct txn *t, struct cached_policy *p, struct diag *why)
{
	struct view name = { (const uint8_t *)p->name, p->name_len };
	struct policy *policy = NULL;
	struct policy_record record;
	struct policy_version version;
	enum err e = store_get_policy(t, name, &record);

	if (e != ERR_OK || is_made_of(p, &record))
		return e;
	e = store_get_policy_version(t, name, record.default_version, &version);
	if (e == ERR_OK)
		e = decode(c, version.form, &policy, why);
	if (e != ERR_OK)
		return e;
	free(p->policy);
	p->policy = policy;
	c->revision += p->holders > 0;
	p->version = record.default_version;
	p->generation = record.generation;
	return ERR_OK;
}

static void
check(struct policy_cache *c, struct txn *t, struct cached_policy *p)
{
	struct diag why = { "" };
	enum err e = load(c, t, p, &why);

	p->checked = c->round;
	p->unread = e == ERR_NOMEM;
	c->incomplete |= p->unread;
	if (e == ERR_OK)
		return;
	c->revision += p->holders > 0 && p->policy != NULL;
	free(p->policy);
	p->policy = NULL;
	diag_set(&c->unusable, "policy %s cannot be used: %s", p->name,
	    why.text[0] != '\0' ? why.text : err_text(e));
}

static struct cached_policy *
add(struct policy_cache *c, struct view name)
{
	struct cached_policy *p = calloc(1, sizeof(*p) + name.len + 1);

	if (p == NULL)
		return NULL;
	memcpy(p->name, name.data, name.len);
	p->name_len = name.len;
	HASH_ADD_KEYPTR(hh, c->by_name, p->name, p->name_len, p);
	if (find(c, name) == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

static void
drop_unheld(struct policy_cache *c, struct cached_policy *p)
{
	if (p->holders > 0)
		return;
	HASH_DELETE(hh, c->by_name, p);
	free(p->policy);
	free(p);
}

struct cached_policy *
policy_cache_take(struct policy_cache *c, struct txn *t, struct view name)
{
	struct cached_policy *p = find(c, name);

	if (p == NULL) {
		p = add(c, name);
		if (p == NULL)
			return NULL;
		check(c, t, p);
	} else if (p->checked != c->round || p->unread) {
		check(c, t, p);
	}
	if (p->unread) {
		drop_unheld(c, p);
		return NULL;
	}
	p->holders++;
	return p;
}

/* The policy does not exist yet: until then the plan's form counts. */
static struct cached_policy *
add_planned(struct policy_cache *c, struct view name, struct view form)
{
	struct cached_policy *p = add(c, name);
	struct diag why = { "" };
	enum err e;

	if (p == NULL)
		return NULL;
	e = decode(c, form, &p->policy, &why);
	if (e == ERR_NOMEM) {
		drop_unheld(c, p);
		return NULL;
	}
	if (e != ERR_OK)
		diag_set(&c->unusable, "policy %s cannot be used: %s", p->name,
		    why.text[0] != '\0' ? why.text : err_text(e));
	p->checked = c->round;
	p->holders = 1;
	return p;
}

struct cached_policy *
policy_cache_take_planned(struct policy_cache *c, struct txn *t, struct view name, struct view form)
{
	struct policy_record record;

	if (form.len > 0 && find(c, name) == NULL &&
	    store_get_policy(t, name, &record) == ERR_NOT_FOUND)
		return add_planned(c, name, form);
	return policy_cache_take(c, t, name);
}

void
policy_cache_release(struct policy_cache *c, struct cached_policy *p)
{
	--p->holders;
	drop_unheld(c, p);
}

bool
policy_cache_reload(struct policy_cache *c, struct txn *t, struct view name)
{
	struct cached_policy *p = find(c, name);
	uint64_t before = c->revision;

	if (p != NULL)
		check(c, t, p);
	return c->revision != before;
}

bool
policy_cache_retry(struct policy_cache *c, struct txn *t)
{
	uint64_t before = c->revision;
	struct cached_policy *p, *next;

	c->incomplete = false;
	HASH_ITER(hh, c->by_name, p, next)
		if (p->unread)
			check(c, t, p);
	return c->revision != before;
}
