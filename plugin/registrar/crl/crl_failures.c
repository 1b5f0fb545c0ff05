/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_failures.c - see crl_failures.h. */
#include <stdlib.h>
#include <string.h>

/* Out of memory is an error to handle here, not the end of the process. */
#define HASH_NONFATAL_OOM 1

#include <uthash.h>

#include "crl_failures.h"

struct failed_list {
	struct certid ca_id;
	struct crl_failure failure;
	UT_hash_handle hh;
};

struct crl_failures {
	struct failed_list *by_ca;
};

enum err
crl_failures_new(struct crl_failures **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? ERR_OK : ERR_NOMEM;
}

static struct failed_list *
find(const struct crl_failures *f, const struct certid *ca_id)
{
	struct failed_list *found;

	HASH_FIND(hh, f->by_ca, ca_id, sizeof(*ca_id), found);
	return found;
}

static void
remove_entry(struct crl_failures *f, struct failed_list *entry)
{
	HASH_DEL(f->by_ca, entry);
	free(entry);
}

void
crl_failures_free(struct crl_failures *f)
{
	struct failed_list *entry, *next;

	if (f == NULL)
		return;
	HASH_ITER(hh, f->by_ca, entry, next)
		remove_entry(f, entry);
	free(f);
}

const struct crl_failure *
crl_failures_find(const struct crl_failures *f, const struct certid *ca_id)
{
	const struct failed_list *entry = find(f, ca_id);

	return entry != NULL ? &entry->failure : NULL;
}

/* NULL: no memory. */
static struct failed_list *
add_entry(struct crl_failures *f, const struct certid *ca_id)
{
	struct failed_list *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->ca_id = *ca_id;
	HASH_ADD(hh, f->by_ca, ca_id, sizeof(entry->ca_id), entry);
	if (find(f, ca_id) != NULL)
		return entry;
	free(entry);
	return NULL;
}

/* Without memory every failure counts as new. */
bool
crl_failures_put(struct crl_failures *f, const struct certid *ca_id,
    const struct crl_failure *failure)
{
	struct failed_list *entry = find(f, ca_id);
	bool is_new = entry == NULL ||
	    strcmp(entry->failure.details.text, failure->details.text) != 0;

	if (entry == NULL)
		entry = add_entry(f, ca_id);
	if (entry != NULL)
		entry->failure = *failure;
	return is_new;
}

void
crl_failures_remove(struct crl_failures *f, const struct certid *ca_id)
{
	struct failed_list *entry = find(f, ca_id);

	if (entry != NULL)
		remove_entry(f, entry);
}
