/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link_private.h - a link, shared by the link*.c files.
 *
 *   link.c          opens and closes
 *   link_send.c     the queue of frames to send
 *   link_receive.c  the buffer of bytes read
 */
#ifndef JITR_LINK_PRIVATE_H
#define JITR_LINK_PRIVATE_H

#include "jitr/service/link.h"

struct outgoing; /* a queued frame */

/* Bytes read and not yet returned: from start to end. */
struct incoming {
	uint8_t *bytes; /* NULL: none */
	size_t size, start, end;
};

struct link {
	struct link_config config;
	enum link_state state;

	struct outgoing *first, *last;
	struct link_queue waiting;
	size_t sent; /* bytes of the first frame */

	struct incoming in;
	bool read_all; /* nothing more will come */
};

bool link_is_temporary(int error); /* an errno of a system call that may succeed later */
void link_drop_outgoing(struct link *l);

#endif
