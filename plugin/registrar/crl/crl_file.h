/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_file.h - has a file changed since it was last read?  Any thread. */
#ifndef JITR_CRL_FILE_H
#define JITR_CRL_FILE_H

#include <sys/stat.h>
#include <time.h>

#include "jitr/core/base.h"

/* The identity, size and time of a file, or why they cannot be read. */
struct crl_file_state {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	int error; /* errno; 0: none */
};

struct crl_file_state crl_file_state_read(const char *dir, const char *path);
bool crl_file_state_equal(const struct crl_file_state *a, const struct crl_file_state *b);

/* Was it written less than max_age ms before now (ms since 1970)? */
bool crl_file_is_recent(const struct crl_file_state *state, int64_t now, int64_t max_age);

#endif
