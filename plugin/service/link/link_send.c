/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* link_send.c - the queue of frames to send; see link.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link_private.h"

/* Frames in one system call. */
#define FRAMES_AT_ONCE 64

struct outgoing {
	struct outgoing *next;
	size_t len;
	uint8_t bytes[];
};

struct link_queue
link_waiting(const struct link *l)
{
	return l->waiting;
}

static void
drop_first(struct link *l)
{
	struct outgoing *o = l->first;

	l->first = o->next;
	if (l->first == NULL)
		l->last = NULL;
	l->waiting.frames--;
	l->waiting.bytes -= o->len;
	l->sent = 0;
	free(o);
}

void
link_drop_outgoing(struct link *l)
{
	while (l->first != NULL)
		drop_first(l);
}

static enum err
payload_length(const struct view *parts, size_t count, size_t *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len > WIRE_PAYLOAD_MAX - *out)
			return ERR_LIMIT;
		*out += parts[i].len;
	}
	return ERR_OK;
}

static bool
has_room(const struct link *l, size_t len)
{
	return l->waiting.frames < l->config.frames_max && len <= l->config.bytes_max &&
	    l->waiting.bytes <= l->config.bytes_max - len;
}

static void
append(struct link *l, struct outgoing *o)
{
	if (l->last != NULL)
		l->last->next = o;
	else
		l->first = o;
	l->last = o;
	l->waiting.frames++;
	l->waiting.bytes += o->len;
}

static struct outgoing *
new_frame(const struct wire_header *header, const struct view *parts, size_t count)
{
	size_t len = WIRE_HEADER_SIZE + header->payload;
	struct outgoing *o = malloc(sizeof(*o) + len);
	uint8_t *at;

	if (o == NULL)
		return NULL;
	o->next = NULL;
	o->len = len;
	wire_put_header(header, o->bytes);
	at = o->bytes + WIRE_HEADER_SIZE;
	for (size_t i = 0; i < count; i++)
		if (parts[i].len > 0)
			at = (uint8_t *)memcpy(at, parts[i].data, parts[i].len) + parts[i].len;
	return o;
}

enum err
link_send(struct link *l, enum wire_type type, uint64_t number, const struct view *parts,
    size_t count)
{
	struct wire_header header = { .type = type, .number = number };
	struct outgoing *o;

	if (l->state != LINK_OPEN)
		return ERR_STORAGE;
	if (payload_length(parts, count, &header.payload) != ERR_OK)
		return ERR_LIMIT;
	if (!has_room(l, WIRE_HEADER_SIZE + header.payload))
		return ERR_BUSY;
	o = new_frame(&header, parts, count);
	if (o == NULL)
		return ERR_NOMEM;
	append(l, o);
	return ERR_OK;
}

/* The bytes of the first frames that were not sent. */
static size_t
gather(struct link *l, struct iovec out[FRAMES_AT_ONCE])
{
	size_t count = 0, sent = l->sent;

	for (struct outgoing *o = l->first; o != NULL && count < FRAMES_AT_ONCE; o = o->next) {
		out[count++] = (struct iovec){ o->bytes + sent, o->len - sent };
		sent = 0;
	}
	return count;
}

static void
advance(struct link *l, size_t sent)
{
	l->sent += sent;
	while (l->first != NULL && l->sent >= l->first->len) {
		size_t rest = l->sent - l->first->len;

		drop_first(l);
		l->sent = rest;
	}
}

/* No SIGPIPE when the other end is closed. */
static ssize_t
write_frames(struct link *l)
{
	struct iovec frames[FRAMES_AT_ONCE];
	struct msghdr message = { .msg_iov = frames, .msg_iovlen = gather(l, frames) };
	ssize_t sent;

	do
		sent = sendmsg(l->config.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent;
}

/* The socket is full or empty; or the kernel is out of memory. */
bool
link_is_temporary(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM;
}

/* After a failure, what the other end sent before can still be read: link_fill() finds the
 * end. */
enum err
link_flush(struct link *l)
{
	while (l->state == LINK_OPEN && l->first != NULL) {
		ssize_t sent = write_frames(l);

		if (sent < 0 && link_is_temporary(errno))
			return ERR_OK;
		if (sent < 0)
			l->state = LINK_ENDED;
		else
			advance(l, (size_t)sent);
	}
	if (l->state == LINK_OPEN)
		return ERR_OK;
	link_drop_outgoing(l);
	return ERR_STORAGE;
}
