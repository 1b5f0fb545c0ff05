/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* hash_dir.c - see hash_dir.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash_dir.h"

#include "jitr/adapter/x509.h"

#define OUR_MARK  "# mosquitto-jitr: registered CA "
#define FILE_MAX  (2 * X509_PEM_MAX)
#define NAME_SIZE 32

static void
file_name(const struct hash_file *e, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%08" PRIx32 ".%u", e->hash, e->n);
}

void
hash_dir_fail(struct hash_dir *d, enum err e, const char *file, const char *why)
{
	if (d->failed != ERR_OK)
		return;
	d->failed = e;
	diag_set(d->diag, "ca_path %s/%s: %s", d->path, file, why);
}

static bool
add_file(struct hash_dir *d, const struct hash_file *e)
{
	if (d->count == d->size) {
		size_t size = d->size == 0 ? 64 : 2 * d->size;
		struct hash_file *grown = realloc(d->files, size * sizeof(*grown));

		if (grown == NULL) {
			hash_dir_fail(d, ERR_NOMEM, "", "out of memory");
			return false;
		}
		d->files = grown;
		d->size = size;
	}
	d->files[d->count++] = *e;
	return true;
}

/* Exactly as file_name() writes it: "1a2b3c4d.0". */
static bool
parse_name(const char *name, struct hash_file *e)
{
	char again[NAME_SIZE];

	memset(e, 0, sizeof(*e));
	if (sscanf(name, "%8" SCNx32 ".%u", &e->hash, &e->n) != 2)
		return false;
	file_name(e, again);
	return strcmp(name, again) == 0;
}

/* Reads at most size bytes; -1: the file cannot be read. */
static ssize_t
read_file(const struct hash_dir *d, const char *name, char *buffer, size_t size)
{
	int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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
read_mark(const struct hash_dir *d, struct hash_file *e)
{
	char line[sizeof(OUR_MARK) - 1 + 64], name[NAME_SIZE];

	file_name(e, name);
	if (read_file(d, name, line, sizeof(line)) != (ssize_t)sizeof(line))
		return;
	if (memcmp(line, OUR_MARK, sizeof(OUR_MARK) - 1) != 0)
		return;
	e->ours = certid_from_hex(&e->id,
	    (struct view){ (const uint8_t *)line + sizeof(OUR_MARK) - 1, 64 });
}

static void
scan(struct hash_dir *d)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *found;
	struct hash_file e;

	if (dir == NULL) {
		hash_dir_fail(d, ERR_STORAGE, "", strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((found = readdir(dir)) != NULL) {
		if (!parse_name(found->d_name, &e))
			continue;
		read_mark(d, &e);
		if (!add_file(d, &e))
			break;
	}
	(void)closedir(dir);
}

struct hash_file *
hash_dir_find(struct hash_dir *d, const struct certid *id)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->files[i].ours && certid_equal(&d->files[i].id, id))
			return &d->files[i];
	return NULL;
}

static struct hash_file *
find_name(struct hash_dir *d, uint32_t hash, unsigned n)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->files[i].hash == hash && d->files[i].n == n)
			return &d->files[i];
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

/* Writes a temporary file, syncs and renames it: after a power failure the file is complete or
 * does not exist. */
static void
replace_file(struct hash_dir *d, const char *name, const char *text)
{
	static const char temporary[] = ".jitr-new";
	int fd = openat(d->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool written = fd >= 0 && write_whole(fd, text, strlen(text)) && fsync(fd) == 0;
	int error = errno;

	if (fd >= 0)
		(void)close(fd);
	if (written && renameat(d->fd, temporary, d->fd, name) == 0)
		return;
	hash_dir_fail(d, ERR_STORAGE, name, strerror(written ? errno : error));
	(void)unlinkat(d->fd, temporary, 0);
}

static bool
is_current(const struct hash_dir *d, const struct hash_file *e, const char *text)
{
	size_t len = strlen(text);
	char name[NAME_SIZE], *have = malloc(FILE_MAX);
	bool same;

	if (have == NULL)
		return false;
	file_name(e, name);
	same = read_file(d, name, have, FILE_MAX) == (ssize_t)len && memcmp(have, text, len) == 0;
	free(have);
	return same;
}

/* The last file with this hash; e itself if no other follows it. */
static struct hash_file *
last_of_hash(struct hash_dir *d, struct hash_file *e)
{
	struct hash_file *next;

	while ((next = find_name(d, e->hash, e->n + 1)) != NULL)
		e = next;
	return e;
}

static void
forget(struct hash_dir *d, struct hash_file *e)
{
	*e = d->files[--d->count];
}

bool
hash_dir_remove(struct hash_dir *d, struct hash_file *file)
{
	struct hash_file *last = last_of_hash(d, file);
	char name[NAME_SIZE], last_name[NAME_SIZE];
	int rc;

	if (!last->ours)
		return false;
	file_name(file, name);
	file_name(last, last_name);
	rc = last == file ? unlinkat(d->fd, name, 0) : renameat(d->fd, last_name, d->fd, name);
	if (rc != 0) {
		hash_dir_fail(d, ERR_STORAGE, name, strerror(errno));
		return false;
	}
	last->n = file->n;
	*file = *last;
	forget(d, last);
	return true;
}

void
hash_dir_open(struct hash_dir *d, const char *path, struct diag *diag)
{
	*d = (struct hash_dir){ .path = path, .diag = diag };
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd >= 0) {
		scan(d);
		return;
	}
	d->failed = ERR_STORAGE;
	diag_set(diag, "ca_path %s: %s", path, strerror(errno));
}

void
hash_dir_close(struct hash_dir *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d->files);
}

struct hash_file *
hash_dir_add(struct hash_dir *d, uint32_t hash, const struct certid *id)
{
	struct hash_file file = { .hash = hash, .ours = true, .id = *id };

	while (find_name(d, hash, file.n) != NULL)
		file.n++;
	return add_file(d, &file) ? &d->files[d->count - 1] : NULL;
}

/* NULL: no memory. */
static char *
marked_text(const struct certid *id, const char *pem)
{
	char hex[CERTID_HEX_SIZE], *text;
	size_t size = sizeof(OUR_MARK) + sizeof(hex) + strlen(pem) + 2;

	certid_to_hex(id, hex);
	text = malloc(size);
	if (text != NULL)
		(void)snprintf(text, size, OUR_MARK "%s\n%s", hex, pem);
	return text;
}

void
hash_dir_write(struct hash_dir *d, const struct hash_file *file, const char *pem)
{
	char name[NAME_SIZE], *text = marked_text(&file->id, pem);

	file_name(file, name);
	if (text == NULL)
		hash_dir_fail(d, ERR_NOMEM, name, "out of memory");
	else if (!is_current(d, file, text))
		replace_file(d, name, text);
	free(text);
}
