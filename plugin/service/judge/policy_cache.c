/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* policy_cache.c - see policy_cache.h. */
#include <stdlib.h>
#include <string.h>

/* Report a lack of memory instead of exiting. */
#define HASH_NONFATAL_OOM 1

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

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t
skip_space(struct view text, size_t at)
{
	while (at < text.len && is_space(text.data[at]))
		at++;
	return at;
}

/* The position behind the string that begins here. */
static size_t
skip_string(struct view text, size_t at)
{
	for (at++; at < text.len && text.data[at] != '"'; at++)
		at += text.data[at] == '\\';
	return at < text.len ? at + 1 : text.len;
}

/* Outside of JSON strings several white space characters are the same as one. */
static size_t
collapse(struct view text, uint8_t *out)
{
	size_t len = 0;

	for (size_t at = 0, next; at < text.len; at = next) {
		next = skip_space(text, at);
		if (next > at) {
			out[len++] = ' ';
			continue;
		}
		next = text.data[at] == '"' ? skip_string(text, at) : at + 1;
		memcpy(out + len, text.data + at, next - at);
		len += next - at;
	}
	return len;
}

/* The document was valid when it was stored.  It may have 400 KB of white space, which would
 * take a few milliseconds to read, for each policy of a certificate. */
static enum err
compile(const struct policy_cache *c, struct view document, struct policy **out, struct diag *why)
{
	uint8_t *bytes = malloc(document.len + 1);
	enum err e;

	if (bytes == NULL)
		return ERR_NOMEM;
	e = policy_compile((struct view){ bytes, collapse(document, bytes) }, &c->scope, out, why);
	free(bytes);
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
		e = compile(c, version.document, &policy, why);
	if (e != ERR_OK)
		return e;
	policy_free(p->policy);
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
	policy_free(p->policy);
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
	policy_free(p->policy);
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

/* The policy does not exist yet: until then its document counts. */
static struct cached_policy *
add_planned(struct policy_cache *c, struct view name, struct view document)
{
	struct cached_policy *p = add(c, name);
	struct diag why = { "" };
	enum err e;

	if (p == NULL)
		return NULL;
	e = compile(c, document, &p->policy, &why);
	if (e == ERR_NOMEM) {
		drop_unheld(c, p);
		return NULL;
	}
	if (e != ERR_OK)
		diag_set(&c->unusable, "policy %s cannot be used: %s", p->name, why.text);
	p->checked = c->round;
	p->holders = 1;
	return p;
}

struct cached_policy *
policy_cache_take_planned(struct policy_cache *c, struct txn *t, struct view name,
    struct view document)
{
	struct policy_record record;

	if (document.len > 0 && find(c, name) == NULL &&
	    store_get_policy(t, name, &record) == ERR_NOT_FOUND)
		return add_planned(c, name, document);
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
