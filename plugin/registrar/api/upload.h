/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * upload.h - revocation lists that are too large for one request and are sent in parts.
 *
 * An upload belongs to the connection that began it, and counts for its owner.  The number
 * of uploads and their bytes are bounded, for one owner and for all; an upload that gets no
 * more parts is dropped.  Where no place is free, or all bytes are used, an owner that has
 * less replaces an idle upload of the owner that has the most.  The registrar's thread.
 */
#ifndef JITR_UPLOAD_H
#define JITR_UPLOAD_H

#include "jitr/core/base.h"

#define UPLOADS_OF_ONE_MAX 4
#define UPLOADS_MAX        16
#define UPLOAD_ID_MAX      64
#define UPLOAD_PARTS_MAX   1000
#define UPLOAD_TIMEOUT_MS  60000 /* between two parts; then it is dropped */
#define UPLOAD_IDLE_MS     10000 /* since the last part; then it may be replaced */

struct uploads;

MUST_USE enum err uploads_open(struct uploads **out);
void uploads_close(struct uploads *u); /* NULL is fine */

/* Borrowed for the call. */
struct upload_part {
	const char *owner; /* a user name, or a client id */
	uint64_t session;  /* of the connection that sends the parts (control_message.h) */
	struct view id;    /* at most UPLOAD_ID_MAX bytes */
	struct certid ca_id;
	size_t part, parts; /* 1 to parts */
	struct view bytes;
};

/* ERR_OK: *whole is NULL as long as parts are missing, and then all bytes, allocated, the
 * caller's.  ERR_REQUEST, ERR_LIMIT, ERR_NOMEM, and *diag: the upload is dropped.  now: ms
 * since 1970. */
MUST_USE enum err uploads_add(struct uploads *u, const struct upload_part *p, int64_t now,
    uint8_t **whole, size_t *len, struct diag *diag);

/* Drops uploads that get no more parts. */
void uploads_tick(struct uploads *u, int64_t now);

size_t uploads_count(const struct uploads *u);

#endif
