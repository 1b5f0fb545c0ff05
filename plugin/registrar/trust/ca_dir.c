/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* ca_dir.c - see ca_dir.h. */
#include <stdlib.h>

#include "jitr/registrar/ca_dir.h"
#include "jitr/adapter/x509.h"

#include "hash_dir.h"

#define PAGE_SIZE 64

/* NULL: the document is damaged, or no memory. */
static char *
pem_of(struct txn *t, const struct certid *id)
{
	struct ca_document document;
	char *pem;

	if (store_get_ca_document(t, id, &document) != ERR_OK ||
	    x509_pem_from_der(document.der, &pem) != ERR_OK)
		return NULL;
	return pem;
}

static void
mirror_ca(struct hash_dir *d, struct txn *t, const struct ca *ca)
{
	struct hash_file *file = hash_dir_find(d, &ca->id);
	char *pem = pem_of(t, &ca->id);

	if (pem == NULL) {
		hash_dir_fail(d, ERR_CORRUPT, "",
		    "a registered CA cannot be read from the registry");
		return;
	}
	if (file == NULL)
		file = hash_dir_add(d, ca->subject_hash, &ca->id);
	if (file != NULL) {
		file->registered = true;
		hash_dir_write(d, file, pem);
	}
	free(pem);
}

static void
mirror_all(struct hash_dir *d, struct txn *t)
{
	struct ca page[PAGE_SIZE];
	struct position after;
	struct listing l = { .ascending = true };
	size_t count;

	do {
		enum err e = store_list_cas(t, &l, page, PAGE_SIZE, &count);

		if (e != ERR_OK) {
			hash_dir_fail(d, e, "", "the registry cannot be read");
			return;
		}
		for (size_t i = 0; i < count; i++)
			mirror_ca(d, t, &page[i]);
		if (count > 0)
			after = (struct position){ page[count - 1].created, page[count - 1].id };
		l.after = &after;
	} while (count == PAGE_SIZE);
}

/* Certificates of a deleted CA remain valid, so TLS must accept them (aws-iot A.2.5, D.2 row
 * 7). */
static bool
is_needed(struct txn *t, const struct hash_file *file)
{
	bool used = true;

	return !file->ours || file->registered ||
	    store_has_cert_of(t, &file->id, &used) != ERR_OK || used;
}

static void
remove_unregistered(struct hash_dir *d, struct txn *t)
{
	size_t i = 0;

	while (i < d->count)
		if (is_needed(t, &d->files[i]) || !hash_dir_remove(d, &d->files[i]))
			i++;
}

/* The registry is read in a write transaction, which ends without a change. */
enum err
ca_dir_sync(const char *path, struct store *s, struct diag *diag)
{
	struct hash_dir d;
	struct txn t;
	enum err e;

	hash_dir_open(&d, path, diag);
	if (d.failed == ERR_OK) {
		e = store_write(s, &t);
		if (e == ERR_OK) {
			mirror_all(&d, &t);
			if (d.failed == ERR_OK)
				remove_unregistered(&d, &t);
			store_end(&t);
		} else {
			d.failed = e;
			diag_set(diag, "ca_path %s: the registry cannot be read: %s", path,
			    store_failure(s));
		}
	}
	hash_dir_close(&d);
	return d.failed;
}
