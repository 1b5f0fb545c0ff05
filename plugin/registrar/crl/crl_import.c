/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_import.c - see crl_import.h.
 *
 * A part may be run twice, if the batch could not be committed as a whole: a run starts from
 * the committed progress and records its own in next.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jitr/registrar/crl_import.h"
#include "jitr/adapter/x509.h"

#include "crl_apply.h"
#include "crl_dir.h"
#include "jitr/service/revocation.h"

#define DAY_MS INT64_C(86400000)

struct progress {
	uint64_t list; /* the number of the list; 0: not begun */
	size_t stored; /* entries */
	bool done;
	bool unchanged; /* the list was in force before */
	size_t revoked;
	struct crl crl; /* the list in force, when done */
};

struct crl_import {
	struct certid ca_id;
	const char *dir; /* borrowed */
	char *path;      /* NULL: not from a file */
	uint8_t *bytes;
	size_t len;
	struct crl_list *parsed; /* points into bytes; NULL: not parsed yet */
	int64_t valid_from;
	struct progress committed, next;
	struct crl_named named;
};

static struct crl_import *
import_new(const struct certid *ca_id)
{
	struct crl_import *i = calloc(1, sizeof(*i));

	if (i != NULL)
		i->ca_id = *ca_id;
	return i;
}

enum err
crl_import_new(const struct certid *ca_id, uint8_t *bytes, size_t len, struct crl_import **out)
{
	*out = import_new(ca_id);
	if (*out == NULL) {
		free(bytes);
		return ERR_NOMEM;
	}
	(*out)->bytes = bytes;
	(*out)->len = len;
	return ERR_OK;
}

enum err
crl_import_new_file(const struct certid *ca_id, const char *dir, const char *path,
    struct crl_import **out)
{
	struct crl_import *i = import_new(ca_id);

	if (i != NULL)
		i->path = strdup(path);
	if (i == NULL || i->path == NULL) {
		free(i);
		return ERR_NOMEM;
	}
	i->dir = dir;
	*out = i;
	return ERR_OK;
}

void
crl_import_free(struct crl_import *i)
{
	if (i == NULL)
		return;
	crl_free(i->parsed);
	free(i->bytes);
	free(i->path);
	free(i);
}

int64_t
crl_import_valid_from(const struct crl_import *i)
{
	return i->valid_from;
}

struct crl_result
crl_import_result(const struct crl_import *i)
{
	return (struct crl_result){ .ca_id = i->ca_id,
		.crl = i->committed.crl,
		.unchanged = i->committed.unchanged,
		.revoked = i->committed.revoked,
		.named = &i->named };
}

/*
 * The file.
 */

static enum err
file_failure(const struct crl_import *i, int error, struct diag *diag)
{
	diag_set(diag, "%.200s: %s", i->path, strerror(error));
	return ERR_STORAGE;
}

/* If the file changes while it is read, it is still being written, and is read again
 * later. */
static enum err
read_all(struct crl_import *i, int fd, size_t size, struct diag *diag)
{
	ssize_t n = 1;

	i->bytes = malloc(size + 1);
	if (i->bytes == NULL)
		return ERR_NOMEM;
	i->len = 0;
	while (n > 0 && i->len < size + 1) {
		n = read(fd, i->bytes + i->len, size + 1 - i->len);
		if (n < 0 && errno != EINTR)
			return file_failure(i, errno, diag);
		i->len += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	if (i->len == size)
		return ERR_OK;
	diag_set(diag, "%.200s: changed while it was read", i->path);
	return ERR_STORAGE;
}

/* Only a regular file: reading a pipe or a device may never end. */
static enum err
read_file(struct crl_import *i, struct diag *diag)
{
	int fd = crl_dir_open(i->dir, i->path);
	struct stat st;
	enum err e;

	if (fd < 0)
		return file_failure(i, errno, diag);
	if (fstat(fd, &st) != 0) {
		e = file_failure(i, errno, diag);
	} else if (!S_ISREG(st.st_mode)) {
		diag_set(diag, "%.200s: is not a regular file", i->path);
		e = ERR_STORAGE;
	} else if (st.st_size <= 0 || (uintmax_t)st.st_size > CRL_PEM_MAX) {
		diag_set(diag, "%.200s: has %lld bytes, not 1 to %zu", i->path,
		    (long long)st.st_size, (size_t)CRL_PEM_MAX);
		e = ERR_CERTIFICATE;
	} else {
		e = read_all(i, fd, (size_t)st.st_size, diag);
	}
	(void)close(fd);
	if (e != ERR_OK) {
		free(i->bytes);
		i->bytes = NULL;
	}
	return e;
}

/*
 * The parts.
 */

static enum err
find_ca(struct txn *t, const struct certid *id, struct diag *diag)
{
	char hex[CERTID_HEX_SIZE];
	struct ca ca;
	enum err e = store_get_ca(t, id, &ca);

	if (e == ERR_NOT_FOUND) {
		certid_to_hex(id, hex);
		diag_set(diag, "CA certificate not found (id: %s)", hex);
	}
	return e;
}

static enum err
check_list(struct crl_import *i, struct txn *t, int64_t now, struct diag *diag)
{
	struct view bytes = { i->bytes, i->len };
	struct ca_document document;
	struct ca_settings settings;
	struct x509_st *ca = NULL;
	enum err e = store_get_ca_document(t, &i->ca_id, &document);

	if (e == ERR_OK)
		e = revocation_settings(t, &i->ca_id, &settings);
	if (e == ERR_OK)
		e = x509_from_der(document.der, &ca, NULL);
	if (ca == NULL && e == ERR_CERTIFICATE)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		e = crl_read(bytes,
		    &(struct crl_terms){ ca, settings.crl_grace_days * DAY_MS, now }, &i->parsed,
		    &i->valid_from, diag);
	x509_free(ca);
	return e;
}

static enum err
read_list(struct crl_import *i, struct txn *t, int64_t now, struct diag *diag)
{
	enum err e = ERR_OK;

	if (i->bytes == NULL)
		e = read_file(i, diag);
	return e == ERR_OK ? check_list(i, t, now, diag) : e;
}

/* Compares with the list in force: in the first part, and again in the last one, because
 * another import may have been completed in between. */
static enum err
check_succession(struct crl_import *i, struct txn *t, struct diag *diag)
{
	struct crl current;
	enum err e = store_get_crl(t, &i->ca_id, &current);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = crl_succeeds(crl_facts(i->parsed), &current, diag);
	if (e != ERR_EXISTS)
		return e;
	i->next.crl = current;
	i->next.unchanged = i->next.done = true;
	return ERR_OK;
}

static void
store_some(struct crl_import *i, struct txn *t)
{
	size_t count = crl_facts(i->parsed)->count, end = i->next.stored + CRL_ROWS_AT_ONCE;
	struct revoked entry;
	struct view serial;

	for (; i->next.stored < count && i->next.stored < end; i->next.stored++) {
		crl_entry(i->parsed, i->next.stored, &serial, &entry);
		store_append_revoked(t, i->next.list, serial, &entry);
	}
}

static enum err
put_in_force(struct crl_import *i, struct txn *t, int64_t now)
{
	struct crl_progress applied = { .revoked = 0 };
	enum err e = crl_apply(t, &i->ca_id, i->next.list, &applied, &i->named, now);

	if (e != ERR_OK)
		return e;
	i->next.revoked = applied.revoked;
	i->next.crl = *crl_facts(i->parsed);
	i->next.crl.list = i->next.list;
	i->next.crl.imported = now;
	i->next.crl.applied = applied.done;
	store_put_crl(t, &i->ca_id, &i->next.crl);
	i->next.done = true;
	return t->failed;
}

static enum err
begin(struct crl_import *i, struct txn *t, int64_t now, struct diag *diag)
{
	enum err e = i->parsed == NULL ? read_list(i, t, now, diag) : ERR_OK;

	if (e == ERR_OK)
		e = check_succession(i, t, diag);
	if (e == ERR_OK && !i->next.done)
		e = store_new_list(t, &i->next.list);
	return e;
}

static bool
is_last(const struct crl_import *i)
{
	return crl_facts(i->parsed)->count - i->next.stored <= CRL_ROWS_AT_ONCE;
}

/* All checks come before the first put. */
enum err
crl_import_run(struct crl_import *i, struct txn *t, int64_t now, struct diag *diag)
{
	enum err e = find_ca(t, &i->ca_id, diag);

	i->next = i->committed;
	if (e == ERR_OK && i->next.list == 0)
		e = begin(i, t, now, diag);
	else if (e == ERR_OK && is_last(i))
		e = check_succession(i, t, diag);
	if (e != ERR_OK || i->next.done)
		return e;
	store_some(i, t);
	if (i->next.stored == crl_facts(i->parsed)->count)
		e = put_in_force(i, t, now);
	return store_fail(t, e);
}

bool
crl_import_committed(struct crl_import *i)
{
	i->committed = i->next;
	return !i->committed.done;
}

enum err
crl_remove(struct txn *t, const struct certid *ca_id, struct diag *diag)
{
	struct crl crl;
	enum err e = find_ca(t, ca_id, diag);

	store_use_reserve(t);
	if (e == ERR_OK)
		e = store_get_crl(t, ca_id, &crl);
	else
		return e;
	if (e == ERR_NOT_FOUND)
		diag_set(diag, "This CA has no revocation list");
	if (e != ERR_OK)
		return e;
	store_delete_crl(t, ca_id);
	return t->failed;
}
