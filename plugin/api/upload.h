/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * upload.h - what is too large for one request and comes in parts.
 *
 * An upload belongs to the connection that began it, its place to its owner.
 * A few uploads at a time, of each owner and in all, and their bytes bounded
 * likewise; one that does not go on is forgotten.  Where all places are taken,
 * or all bytes, an idle upload of the owner that has the most gives way to an
 * owner that has less.  Broker thread.
 */
#ifndef JITR_UPLOAD_H
#define JITR_UPLOAD_H

#include "jitr/core/base.h"

#define UPLOADS_OF_ONE_MAX 4
#define UPLOADS_MAX        16
#define UPLOAD_ID_MAX      64
#define UPLOAD_PARTS_MAX   1000
#define UPLOAD_TIMEOUT_MS  60000 /* between two parts */
#define UPLOAD_IDLE_MS     10000 /* from then on it may give way */

struct upload {
	char *owner;      /* a user name, for its share; NULL: free */
	uint64_t session; /* of the connection that sends the parts */
	char id[UPLOAD_ID_MAX + 1];
	struct certid of; /* what it is for */
	size_t parts, received;
	uint8_t *bytes;
	size_t len, size;
	int64_t last;
};

struct uploads {
	struct upload entries[UPLOADS_MAX];
};

struct upload_part {
	const char *owner;
	uint64_t session;
	struct view id;
	struct certid of;
	size_t part, parts; /* 1 to parts */
	struct view bytes;
};

/* ERR_OK: *whole is NULL as long as parts are missing, and then all bytes,
 * allocated, the caller's.  ERR_REQUEST, ERR_LIMIT and *diag: the upload is
 * forgotten. */
MUST_USE enum err uploads_add(struct uploads *u, const struct upload_part *p, int64_t now,
    uint8_t **whole, size_t *len, struct diag *diag);

void uploads_tick(struct uploads *u, int64_t now);
void uploads_clear(struct uploads *u);

#endif
