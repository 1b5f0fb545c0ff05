/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* ca_dir.c - see ca_dir.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jitr/service/ca_dir.h"
#include "jitr/adapter/x509.h"

#define OUR_MARK  "# mosquitto-jitr: registered CA "
#define FILE_MAX  (2 * X509_PEM_MAX)
#define PAGE_SIZE 64
#define NAME_SIZE 32

/* A file <hash>.<n> of the directory. */
struct entry {
	uint32_t hash;
	unsigned n;
	bool ours;
	bool registered;
	struct certid id; /* when ours */
};

struct mirror {
	const char *path;
	int dir;
	struct entry *entries;
	size_t count, size;
	enum err failed; /* the first failure; the rest is done all the same */
	struct diag *diag;
};

static void
entry_name(const struct entry *e, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%08" PRIx32 ".%u", e->hash, e->n);
}

static void
fail(struct mirror *m, enum err e, const char *file, const char *why)
{
	if (m->failed != ERR_OK)
		return;
	m->failed = e;
	diag_set(m->diag, "ca_path %s/%s: %s", m->path, file, why);
}

static bool
mirror_add(struct mirror *m, const struct entry *e)
{
	if (m->count == m->size) {
		size_t size = m->size == 0 ? 64 : 2 * m->size;
		struct entry *grown = realloc(m->entries, size * sizeof(*grown));

		if (grown == NULL) {
			fail(m, ERR_NOMEM, "", "out of memory");
			return false;
		}
		m->entries = grown;
		m->size = size;
	}
	m->entries[m->count++] = *e;
	return true;
}

/* "1a2b3c4d.0", and nothing that only looks like it. */
static bool
parse_name(const char *name, struct entry *e)
{
	char again[NAME_SIZE];

	memset(e, 0, sizeof(*e));
	if (sscanf(name, "%8" SCNx32 ".%u", &e->hash, &e->n) != 2)
		return false;
	entry_name(e, again);
	return strcmp(name, again) == 0;
}

/* Reads at most size bytes; -1: it cannot be read. */
static ssize_t
read_file(const struct mirror *m, const char *name, char *buffer, size_t size)
{
	int fd = openat(m->dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t done = 0;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	while (done < size && (n = read(fd, buffer + done, size - done)) > 0)
		done += (size_t)n;
	(void)close(fd);
	return n < 0 ? -1 : (ssize_t)done;
}

static void
read_mark(const struct mirror *m, struct entry *e)
{
	char line[sizeof(OUR_MARK) - 1 + 64], name[NAME_SIZE];

	entry_name(e, name);
	if (read_file(m, name, line, sizeof(line)) != (ssize_t)sizeof(line))
		return;
	if (memcmp(line, OUR_MARK, sizeof(OUR_MARK) - 1) != 0)
		return;
	e->ours = certid_from_hex(&e->id,
	    (struct view){ (const uint8_t *)line + sizeof(OUR_MARK) - 1, 64 });
}

static void
scan(struct mirror *m)
{
	int fd = openat(m->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	struct entry e;

	if (dir == NULL) {
		fail(m, ERR_STORAGE, "", strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		if (!parse_name(d->d_name, &e))
			continue;
		read_mark(m, &e);
		if (!mirror_add(m, &e))
			break;
	}
	(void)closedir(dir);
}

static struct entry *
find_ours(struct mirror *m, const struct certid *id)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->entries[i].ours && certid_equal(&m->entries[i].id, id))
			return &m->entries[i];
	return NULL;
}

static struct entry *
find_name(struct mirror *m, uint32_t hash, unsigned n)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->entries[i].hash == hash && m->entries[i].n == n)
			return &m->entries[i];
	return NULL;
}

static bool
write_whole(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Aside, synced, renamed: after a power cut the file is whole or not there. */
static void
replace_file(struct mirror *m, const char *name, const char *text)
{
	static const char aside[] = ".jitr-new";
	int fd = openat(m->dir, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool written = fd >= 0 && write_whole(fd, text, strlen(text)) && fsync(fd) == 0;
	int error = errno;

	if (fd >= 0)
		(void)close(fd);
	if (written && renameat(m->dir, aside, m->dir, name) == 0)
		return;
	fail(m, ERR_STORAGE, name, strerror(written ? errno : error));
	(void)unlinkat(m->dir, aside, 0);
}

static char *
file_text(const struct ca *ca, struct view der)
{
	char hex[CERTID_HEX_SIZE], *pem, *text = NULL;
	size_t size;

	if (x509_pem_from_der(der, &pem) != ERR_OK)
		return NULL;
	certid_to_hex(&ca->id, hex);
	size = sizeof(OUR_MARK) + sizeof(hex) + strlen(pem) + 2;
	text = malloc(size);
	if (text != NULL)
		(void)snprintf(text, size, OUR_MARK "%s\n%s", hex, pem);
	free(pem);
	return text;
}

static bool
is_current(const struct mirror *m, const struct entry *e, const char *text)
{
	size_t len = strlen(text);
	char name[NAME_SIZE], *have = malloc(FILE_MAX);
	bool same;

	if (have == NULL)
		return false;
	entry_name(e, name);
	same = read_file(m, name, have, FILE_MAX) == (ssize_t)len && memcmp(have, text, len) == 0;
	free(have);
	return same;
}

static void
mirror_ca(struct mirror *m, struct txn *t, const struct ca *ca)
{
	struct entry fresh = { .hash = ca->subject_hash,
		.ours = true,
		.registered = true,
		.id = ca->id };
	struct entry *e = find_ours(m, &ca->id);
	struct ca_document document;
	char name[NAME_SIZE], *text;

	if (store_get_ca_document(t, &ca->id, &document) != ERR_OK ||
	    (text = file_text(ca, document.der)) == NULL) {
		fail(m, ERR_CORRUPT, "", "a registered CA cannot be read from the registry");
		return;
	}
	if (e == NULL) {
		while (find_name(m, fresh.hash, fresh.n) != NULL)
			fresh.n++;
		if (!mirror_add(m, &fresh)) {
			free(text);
			return;
		}
		e = &m->entries[m->count - 1];
	}
	e->registered = true;
	if (!is_current(m, e, text)) {
		entry_name(e, name);
		replace_file(m, name, text);
	}
	free(text);
}

static void
mirror_all(struct mirror *m, struct txn *t)
{
	struct ca page[PAGE_SIZE];
	struct position after;
	struct listing l = { .ascending = true };
	size_t count;

	do {
		enum err e = store_list_cas(t, &l, page, PAGE_SIZE, &count);

		if (e != ERR_OK) {
			fail(m, e, "", "the registry cannot be read");
			return;
		}
		for (size_t i = 0; i < count; i++)
			mirror_ca(m, t, &page[i]);
		if (count > 0)
			after = (struct position){ page[count - 1].created, page[count - 1].id };
		l.after = &after;
	} while (count == PAGE_SIZE);
}

/* The last of the files with this hash; e itself when none follows it. */
static struct entry *
last_of_hash(struct mirror *m, struct entry *e)
{
	struct entry *next;

	while ((next = find_name(m, e->hash, e->n + 1)) != NULL)
		e = next;
	return e;
}

static void
forget(struct mirror *m, struct entry *e)
{
	*e = m->entries[--m->count];
}

/*
 * OpenSSL reads <hash>.0, .1, ... up to the first that is missing: the last of
 * ours takes the place of one that goes.  Where the last is the operator's
 * own, the file stays, so that his is found.  Answers whether it is gone.
 */
static bool
remove_file(struct mirror *m, struct entry *gone)
{
	struct entry *last = last_of_hash(m, gone);
	char name[NAME_SIZE], last_name[NAME_SIZE];
	int rc;

	if (!last->ours)
		return false;
	entry_name(gone, name);
	entry_name(last, last_name);
	rc = last == gone ? unlinkat(m->dir, name, 0) : renameat(m->dir, last_name, m->dir, name);
	if (rc != 0) {
		fail(m, ERR_STORAGE, name, strerror(errno));
		return false;
	}
	last->n = gone->n;
	*gone = *last;
	forget(m, last);
	return true;
}

/* Certificates of a deleted CA go on working, and TLS must let them through
 * (aws-iot A.2.5, D.2 row 7). */
static void
remove_unregistered(struct mirror *m, struct txn *t)
{
	size_t i = 0;

	while (i < m->count) {
		struct entry *e = &m->entries[i];
		bool used = true;

		if (e->ours && !e->registered && store_has_cert_of(t, &e->id, &used) == ERR_OK &&
		    !used && remove_file(m, e))
			continue; /* another one has its place in the list */
		i++;
	}
}

enum err
ca_dir_sync(const char *path, struct store *s, struct diag *diag)
{
	struct mirror m = { .path = path, .diag = diag };
	struct txn t;
	enum err e;

	m.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m.dir < 0) {
		diag_set(diag, "ca_path %s: %s", path, strerror(errno));
		return ERR_STORAGE;
	}
	e = store_write(s, &t);
	if (e != ERR_OK) {
		diag_set(diag, "ca_path %s: the registry cannot be read: %s", path,
		    store_failure(s));
		(void)close(m.dir);
		return e;
	}
	scan(&m);
	if (m.failed == ERR_OK)
		mirror_all(&m, &t);
	if (m.failed == ERR_OK)
		remove_unregistered(&m, &t);
	store_end(&t);
	free(m.entries);
	(void)close(m.dir);
	return m.failed;
}
