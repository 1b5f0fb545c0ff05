/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link.h - frames (wire.h) over a stream socket, for both of its ends.
 *
 * Nothing here waits: link_send() queues a copy, link_flush() writes what the socket takes,
 * link_fill() reads what it has, link_next() returns the frames read.  The queue is bounded.
 * The memory that a burst needed is freed afterwards.
 *
 *	LINK_OPEN ── the other end closes, or the socket fails ──► LINK_ENDED
 *	    └────── bytes that are no frame for this end ───────► LINK_CORRUPT
 *
 * After LINK_ENDED the frames that were read before are still returned.  One thread at a
 * time.
 */
#ifndef JITR_LINK_H
#define JITR_LINK_H

#include "jitr/core/wire.h"

#define LINK_FRAMES_MAX 65536              /* waiting to be sent */
#define LINK_BYTES_MAX  (64 * 1024 * 1024) /* of them, headers included */

enum link_state {
	LINK_CORRUPT,
	LINK_ENDED,
	LINK_OPEN,
};

struct link_config {
	int fd;            /* a connected stream socket */
	enum wire_end end; /* this one */
	size_t frames_max, bytes_max;
};

struct link;

/* After ERR_OK the link owns the socket, and makes it non-blocking. */
MUST_USE enum err link_open(const struct link_config *config, struct link **out);
void link_close(struct link *l); /* drops what waits; NULL is fine */

int link_fd(const struct link *l); /* for poll() */
enum link_state link_state(const struct link *l);

/* Queues a frame whose payload is the parts one after another, which are copied.  ERR_BUSY:
 * the bound is reached.  ERR_LIMIT: the payload exceeds WIRE_PAYLOAD_MAX.  ERR_STORAGE: the
 * link is not open.  ERR_NOMEM.  After an error nothing is queued. */
MUST_USE enum err link_send(struct link *l, enum wire_type type, uint64_t number,
    const struct view *parts, size_t count);

/* Writes frames until none waits or the socket is full.  ERR_STORAGE: the link is not open;
 * what waited is dropped.  link_fill() then says so, too. */
enum err link_flush(struct link *l);

struct link_queue {
	size_t frames, bytes;
};

struct link_queue link_waiting(const struct link *l);

/* Reads once, at most as much as the buffer takes.  ERR_NOT_FOUND: there is nothing to read
 * now.  ERR_STORAGE: the link is not open.  ERR_NOMEM: nothing was read; may be tried
 * again.  Invalidates the frame of link_next(). */
MUST_USE enum err link_fill(struct link *l);

struct wire_frame {
	enum wire_type type;
	uint64_t number;
	struct view payload; /* until the next link_fill() or link_close() */
};

/* The next frame read.  ERR_NOT_FOUND: none is complete, call link_fill().  ERR_STORAGE: none
 * is, and the link has ended.  ERR_CORRUPT: the link is corrupt. */
MUST_USE enum err link_next(struct link *l, struct wire_frame *out);

#endif
