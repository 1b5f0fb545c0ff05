/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* link_receive.c - the buffer of bytes read; see link.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link_private.h"

/* The buffer between bursts. */
#define USUAL_SIZE 65536

static size_t
unread(const struct incoming *in)
{
	return in->end - in->start;
}

/* The size of the frame at start; of its header alone as long as that is incomplete, or if it
 * is none. */
static size_t
frame_size(const struct link *l)
{
	struct wire_header header;

	if (unread(&l->in) < WIRE_HEADER_SIZE ||
	    wire_get_header(l->in.bytes + l->in.start, l->config.end, &header) != ERR_OK)
		return WIRE_HEADER_SIZE;
	return WIRE_HEADER_SIZE + header.payload;
}

/* After a burst the memory is freed. */
static void
empty(struct incoming *in)
{
	if (in->size > USUAL_SIZE) {
		free(in->bytes);
		*in = (struct incoming){ .bytes = NULL };
	}
	in->start = in->end = 0;
}

static bool
grow(struct incoming *in, size_t size)
{
	size_t len = unread(in);
	uint8_t *bytes = malloc(size);

	if (bytes == NULL)
		return false;
	if (len > 0)
		memcpy(bytes, in->bytes + in->start, len);
	free(in->bytes);
	*in = (struct incoming){ .bytes = bytes, .size = size, .end = len };
	return true;
}

static void
move_to_front(struct incoming *in)
{
	memmove(in->bytes, in->bytes + in->start, unread(in));
	in->end -= in->start;
	in->start = 0;
}

/* Room for the rest of the incomplete frame at start.  Its bytes are moved at most twice:
 * before and after its header is complete. */
static bool
make_room(struct link *l)
{
	struct incoming *in = &l->in;
	size_t size = frame_size(l);

	if (in->size < size)
		return grow(in, size > USUAL_SIZE ? size : USUAL_SIZE);
	if (in->size - in->start < size)
		move_to_front(in);
	return true;
}

static enum err
read_bytes(struct link *l)
{
	struct incoming *in = &l->in;
	ssize_t got;

	do
		got = recv(l->config.fd, in->bytes + in->end, in->size - in->end, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		in->end += (size_t)got;
		return ERR_OK;
	}
	if (got < 0 && l->state == LINK_OPEN && link_is_temporary(errno))
		return ERR_NOT_FOUND;
	l->state = LINK_ENDED;
	l->read_all = true;
	return ERR_STORAGE;
}

enum err
link_fill(struct link *l)
{
	if (l->state == LINK_CORRUPT || l->read_all)
		return ERR_STORAGE;
	if (unread(&l->in) == 0)
		empty(&l->in);
	if (unread(&l->in) < frame_size(l) && !make_room(l))
		return ERR_NOMEM;
	return l->in.end < l->in.size ? read_bytes(l) : ERR_OK;
}

static enum err
corrupt(struct link *l)
{
	l->state = LINK_CORRUPT;
	link_drop_outgoing(l);
	return ERR_CORRUPT;
}

enum err
link_next(struct link *l, struct wire_frame *out)
{
	const uint8_t *at = l->in.bytes == NULL ? NULL : l->in.bytes + l->in.start;
	struct wire_header header;

	memset(out, 0, sizeof(*out));
	if (l->state == LINK_CORRUPT)
		return ERR_CORRUPT;
	if (unread(&l->in) >= WIRE_HEADER_SIZE &&
	    wire_get_header(at, l->config.end, &header) != ERR_OK)
		return corrupt(l);
	if (unread(&l->in) < frame_size(l))
		return l->read_all ? ERR_STORAGE : ERR_NOT_FOUND;
	out->type = header.type;
	out->number = header.number;
	out->payload = (struct view){ at + WIRE_HEADER_SIZE, header.payload };
	l->in.start += WIRE_HEADER_SIZE + header.payload;
	return ERR_OK;
}
