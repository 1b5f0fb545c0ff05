/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * hash_dir.h - the files <subject hash>.<n> of a directory in which OpenSSL looks up CAs.
 *
 * OpenSSL reads <hash>.0, <hash>.1, ... up to the first number that is missing.  Files that
 * begin with the plugin's mark are ours; others are not changed.
 *
 * In jobs of the writer, and at the start.
 */
#ifndef JITR_HASH_DIR_H
#define JITR_HASH_DIR_H

#include "jitr/core/model.h"

struct hash_file {
	uint32_t hash;
	unsigned n;
	bool ours;
	struct certid id; /* of the CA, if ours */
	bool registered;  /* for the caller: the CA is in the registry */
};

struct hash_dir {
	const char *path; /* borrowed */
	int fd;
	struct hash_file *files;
	size_t count, size;

	/* The first failure; later operations are tried all the same. */
	enum err failed;
	struct diag *diag;
};

/* Reads the names of the files.  Every failure is recorded in *d. */
void hash_dir_open(struct hash_dir *d, const char *path, struct diag *diag);
void hash_dir_close(struct hash_dir *d);

/* Records a failure about a file; "": about the directory. */
void hash_dir_fail(struct hash_dir *d, enum err e, const char *file, const char *why);

/* Our file of a CA; NULL: there is none.  Valid until the next change. */
struct hash_file *hash_dir_find(struct hash_dir *d, const struct certid *id);

/* Adds an entry for a CA, with the first free number.  Its file is written by
 * hash_dir_write().  NULL: no memory. */
struct hash_file *hash_dir_add(struct hash_dir *d, uint32_t hash, const struct certid *id);

/* Makes the file contain the mark and this PEM text. */
void hash_dir_write(struct hash_dir *d, const struct hash_file *file, const char *pem);

/* Removes our file.  If that would leave a gap, our last file with the hash takes its place; if
 * the last file is not ours, the file stays, so that OpenSSL still finds the last one.
 * Returns whether it was removed; then the last entry has moved to *file. */
bool hash_dir_remove(struct hash_dir *d, struct hash_file *file);

#endif
