/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* incoming.c - see registrar_private.h: frames of the broker become calls of the parts. */
#include <string.h>

#include "registrar_private.h"

#include "jitr/core/wire_registration.h"

/* The other version is named, so that the broker's log has both. */
static enum err
start(struct registrar *r, const struct wire_frame *frame)
{
	struct wire_config config;
	struct diag diag = { "" };
	enum err e = wire_get_config(frame->payload, &config);

	if (e == ERR_VERSION)
		outgoing_hello(&r->out);
	if (e != ERR_OK)
		return e;
	e = parts_open(r, &config, &diag);
	if (e != ERR_OK) {
		outgoing_fail(&r->out, diag.text[0] != '\0' ? diag.text : err_text(e));
		return e;
	}
	outgoing_hello(&r->out);
	r->state = REGISTRAR_RUNNING;
	return ERR_OK;
}

static enum err
request(struct registrar *r, const struct wire_frame *frame)
{
	struct control_request request;
	enum err e = wire_get_request(frame->payload, &request);

	request.number = frame->number;
	if (e == ERR_OK)
		api_request(r->api, &request);
	return e;
}

static enum err
left(struct registrar *r, const struct wire_frame *frame)
{
	uint64_t session;
	enum err e = wire_get_number(frame->payload, &session);

	if (e == ERR_OK)
		api_caller_left(r->api, session);
	return e;
}

/* A registration that cannot be submitted is completed all the same: the broker waits for
 * it. */
static enum err
present(struct registrar *r, const struct wire_frame *frame)
{
	const struct outcome none = { .failed = false };
	struct presentation presentation;
	struct plan plan;
	enum err e = wire_get_presentation(frame->payload, &presentation, &plan), refused;

	if (e != ERR_OK)
		return e;
	refused = r->port.present(r->port.context, frame->number, &presentation);
	if (refused != ERR_OK)
		port_presented(r, frame->number, refused, &none, NULL);
	return ERR_OK;
}

static enum err
refused(struct registrar *r, const struct wire_frame *frame)
{
	struct refusal refusal;
	struct certid id;
	enum err e = wire_get_refused(frame->payload, &id, &refusal);

	if (e == ERR_OK)
		(void)!r->port.refused(r->port.context, &id, &refusal);
	return e;
}

static enum err
published(struct registrar *r, const struct wire_frame *frame)
{
	uint64_t up_to;
	enum err e = wire_get_number(frame->payload, &up_to);

	return e == ERR_OK ? removal_up_to(&r->removal, up_to) : e;
}

static enum err
record(struct registrar *r, const struct wire_frame *frame)
{
	struct report_sink sink = port_of_report(r);
	const char *line;
	enum err e = wire_get_line(frame->payload, &line);

	if (e != ERR_OK || r->log_file == NULL)
		return e;
	return sink.record(sink.context, line, strlen(line));
}

static enum err
reopen(struct registrar *r, const struct wire_frame *frame)
{
	enum err e = wire_get_nothing(frame->payload);
	int error = e == ERR_OK && r->log_file != NULL ? log_file_reopen(r->log_file) : 0;

	if (error != 0)
		report_line(r->report, LEVEL_ERROR,
		    "log_file %s: cannot be opened again: %s; lines are still written to the file "
		    "that was open",
		    log_file_path(r->log_file), strerror(error));
	return e;
}

static enum err
alive(struct registrar *r, const struct wire_frame *frame)
{
	r->heard = monotonic_ms();
	return wire_get_nothing(frame->payload);
}

static enum err
stop(struct registrar *r, const struct wire_frame *frame)
{
	enum err e = wire_get_nothing(frame->payload);

	if (e == ERR_OK)
		r->state = REGISTRAR_ENDED;
	return e;
}

static const struct {
	enum wire_type type;
	enum registrar_state state; /* in which it may arrive */
	enum err (*receive)(struct registrar *r, const struct wire_frame *frame);
} receivers[] = {
	{ WIRE_CONFIG, REGISTRAR_NEW, start },
	{ WIRE_REQUEST, REGISTRAR_RUNNING, request },
	{ WIRE_LEFT, REGISTRAR_RUNNING, left },
	{ WIRE_PRESENT, REGISTRAR_RUNNING, present },
	{ WIRE_REFUSED, REGISTRAR_RUNNING, refused },
	{ WIRE_PUBLISHED, REGISTRAR_RUNNING, published },
	{ WIRE_RECORD, REGISTRAR_RUNNING, record },
	{ WIRE_REOPEN, REGISTRAR_RUNNING, reopen },
	{ WIRE_ALIVE, REGISTRAR_RUNNING, alive },
	{ WIRE_STOP, REGISTRAR_RUNNING, stop },
};

enum err
incoming_frame(struct registrar *r, const struct wire_frame *frame)
{
	for (size_t i = 0; i < COUNT_OF(receivers); i++)
		if (receivers[i].type == frame->type && receivers[i].state == r->state)
			return receivers[i].receive(r, frame);
	return ERR_CORRUPT;
}
