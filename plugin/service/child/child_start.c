/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* child_start.c - from the start to HELLO or FAILED; see child_private.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child_private.h"
#include "process.h"

/* Frames taken in one go, so that a process that talks without end does not hold the broker. */
#define FRAMES_AT_ONCE 64

static enum err
send_config(struct child *c)
{
	size_t size = wire_put_config(c->config.config, NULL, SIZE_MAX);
	uint8_t *bytes = malloc(size > 0 ? size : 1);
	enum err e = ERR_NOMEM;

	if (bytes != NULL && wire_put_config(c->config.config, bytes, size) == size && size > 0)
		e = link_send(c->link, WIRE_CONFIG, 0, &(struct view){ bytes, size }, 1);
	free(bytes);
	return e;
}

static enum err
open_link(struct child *c, int fd)
{
	struct link_config config = { .fd = fd,
		.end = WIRE_BROKER,
		.frames_max = c->config.frames_max,
		.bytes_max = c->config.bytes_max };
	enum err e = link_open(&config, &c->link);

	if (e != ERR_OK)
		(void)close(fd);
	else
		e = send_config(c);
	return e;
}

static bool
may_run(struct child *c)
{
	struct diag diag = { "" };

	if (c->config.may_run == NULL || c->config.may_run(c->config.context, &diag))
		return true;
	diag_set(&c->why, "the registrar may not run: %s", diag.text);
	return false;
}

void
child_begin(struct child *c)
{
	struct process p = { 0 };
	struct diag diag;
	enum err e;

	c->why.text[0] = '\0';
	if (!may_run(c)) {
		child_ended(c);
		return;
	}
	if (process_start(c->config.path, &p, &diag) != ERR_OK) {
		diag_set(&c->why, "the registrar %s", diag.text);
		child_ended(c);
		return;
	}
	c->pid = p.pid;
	c->state = CHILD_STARTING;
	c->heard_at = c->config.now();
	c->lines = 0;
	e = open_link(c, p.fd);
	if (e != ERR_OK) {
		diag_set(&c->why, "the registrar cannot be started: %s", err_text(e));
		child_end(c, 0);
	}
}

static void
take_hello(struct child *c, struct view payload)
{
	const struct wire_config *ours = c->config.config;
	struct wire_hello theirs;

	if (wire_get_hello(payload, &theirs) != ERR_OK)
		diag_set(&c->why, "the registrar sent a malformed HELLO");
	else if (theirs.protocol != ours->protocol)
		diag_set(&c->why,
		    "the registrar is version %s with protocol %u, the plugin is version %s with "
		    "protocol %u: restart the broker",
		    theirs.version, theirs.protocol, ours->version, ours->protocol);
	else if (strcmp(theirs.version, ours->version) != 0)
		diag_set(&c->why,
		    "the registrar is version %s, the plugin is version %s: restart the broker",
		    theirs.version, ours->version);
	if (c->why.text[0] != '\0' || !may_run(c)) {
		child_end(c, 0);
		return;
	}
	c->up_since = c->config.now();
	c->state = CHILD_UP;
}

static void
take_failed(struct child *c, struct view payload)
{
	const char *line;

	if (wire_get_line(payload, &line) != ERR_OK)
		line = "the registrar sent a malformed FAILED";
	diag_set(&c->why, "%s", line);
	child_end(c, CHILD_END_MS);
}

/* Each line extends the time for the start. */
static void
count_line(struct child *c)
{
	if (++c->lines <= CHILD_START_LINES)
		return;
	diag_set(&c->why,
	    "the registrar logged more than %d lines before HELLO and was killed: check "
	    "registrar_path: %s",
	    CHILD_START_LINES, c->config.path);
	child_end(c, 0);
}

static void
take(struct child *c, const struct wire_frame *frame)
{
	if (frame->type == WIRE_HELLO) {
		take_hello(c, frame->payload);
	} else if (frame->type == WIRE_FAILED) {
		take_failed(c, frame->payload);
	} else if (frame->type == WIRE_LOG && child_log_frame(c, frame) == ERR_OK) {
		count_line(c);
	} else {
		diag_set(&c->why, "the registrar sent %s before HELLO, or malformed",
		    wire_type_name(frame->type));
		child_end(c, 0);
	}
}

static enum err
next_frame(struct link *l, struct wire_frame *out)
{
	enum err e = link_next(l, out);

	if (e == ERR_NOT_FOUND)
		e = link_fill(l);
	else
		return e;
	return e == ERR_OK || e == ERR_STORAGE ? link_next(l, out) : e;
}

/* No frame could be read.  ERR_STORAGE: the process ends, and its status says why. */
static void
fail(struct child *c, enum err e)
{
	if (e == ERR_CORRUPT)
		diag_set(&c->why, "the registrar sent what is no frame");
	else if (e != ERR_STORAGE)
		diag_set(&c->why, "the registrar cannot be started: %s", err_text(e));
	child_end(c, e == ERR_STORAGE ? CHILD_END_MS : 0);
}

static void
end_if_silent(struct child *c)
{
	if (c->config.now() - c->heard_at < CHILD_START_MS)
		return;
	diag_set(&c->why,
	    "the registrar hung while it started: it sent nothing for %d minutes and was killed; "
	    "check registrar_path and the disk of db_path (an upgrade goes on with the next "
	    "start): %s",
	    CHILD_START_MS / 60000, c->config.path);
	child_end(c, 0);
}

bool
child_greet(struct child *c)
{
	struct wire_frame frame;
	enum err e = ERR_OK;

	(void)link_flush(c->link);
	for (unsigned i = 0; i < FRAMES_AT_ONCE && e == ERR_OK && c->state == CHILD_STARTING; i++) {
		e = next_frame(c->link, &frame);
		if (e == ERR_OK) {
			c->heard_at = c->config.now();
			take(c, &frame);
		}
	}
	if (e == ERR_NOT_FOUND)
		end_if_silent(c);
	else if (e != ERR_OK)
		fail(c, e);
	return e != ERR_OK;
}
