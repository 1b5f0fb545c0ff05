/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registrar.c - see registrar.h: starts the process, sends to it and ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_private.h"
#include "program.h"

#include "jitr/core/wire_registration.h"

/* Frames are handled in half of a slice of each turn of the broker's loop, the gate works in the
 * other half.  An answer can have a megabyte. */
#define FRAMES_SHARE   2
#define READS_PER_TURN 8

/* How often the registrar is told that the broker's loop runs. */
#define ALIVE_MS 5000

/*
 * Sending.
 */

static struct link *
link_of(struct plugin *p)
{
	return p->child != NULL ? child_link(p->child) : NULL;
}

/* bytes: of malloc(), freed here; NULL: there was no memory. */
static enum err
send_bytes(struct plugin *p, enum wire_type type, uint64_t number, uint8_t *bytes, size_t len)
{
	struct view payload = { bytes, len };
	enum err e = ERR_STORAGE;

	if (bytes == NULL)
		e = ERR_NOMEM;
	else if (link_of(p) != NULL)
		e = link_send(link_of(p), type, number, &payload, 1);
	free(bytes);
	return e;
}

static enum err
send_nothing(struct plugin *p, enum wire_type type)
{
	return link_of(p) != NULL ? link_send(link_of(p), type, 0, NULL, 0) : ERR_STORAGE;
}

static enum err
send_number(struct plugin *p, enum wire_type type, uint64_t number)
{
	uint8_t bytes[WIRE_NUMBER_SIZE];
	struct view payload = { bytes, wire_put_number(number, bytes, sizeof(bytes)) };

	return link_of(p) != NULL ? link_send(link_of(p), type, 0, &payload, 1) : ERR_STORAGE;
}

static enum err
present(void *plugin, uint64_t number, const struct presentation *what)
{
	size_t len = wire_presentation_size(what);
	uint8_t *bytes;

	if (link_of(plugin) == NULL)
		return ERR_STORAGE;
	if (len == 0)
		return ERR_CERTIFICATE;
	bytes = malloc(len);
	if (bytes != NULL)
		wire_put_presentation(what, bytes);
	return send_bytes(plugin, WIRE_PRESENT, number, bytes, len);
}

static enum err
refused(void *plugin, const struct certid *id, const struct refusal *refusal)
{
	uint8_t bytes[WIRE_REFUSED_MAX];
	struct view payload = { bytes, wire_put_refused(id, refusal, bytes) };
	struct link *link = link_of(plugin);

	if (payload.len == 0)
		return ERR_LIMIT;
	return link != NULL ? link_send(link, WIRE_REFUSED, 0, &payload, 1) : ERR_STORAGE;
}

struct registrations
registrar_registrations(struct plugin *p)
{
	return (struct registrations){ p, present, refused };
}

static enum err
published(void *plugin, uint64_t up_to)
{
	return send_number(plugin, WIRE_PUBLISHED, up_to);
}

struct outbox_port
registrar_outbox(struct plugin *p)
{
	return (struct outbox_port){ p, published };
}

enum err
registrar_request(void *plugin, const struct control_request *r)
{
	size_t len = wire_put_request(r, NULL, SIZE_MAX);
	uint8_t *bytes;

	if (link_of(plugin) == NULL)
		return ERR_STORAGE;
	if (len == 0)
		return ERR_BUSY;
	bytes = malloc(len);
	if (bytes != NULL)
		len = wire_put_request(r, bytes, len);
	return send_bytes(plugin, WIRE_REQUEST, r->number, bytes, len);
}

/* Lost where there is no room: the registrar carries out the request, and its answer is
 * dropped. */
void
registrar_left(void *plugin, uint64_t session)
{
	(void)!send_number(plugin, WIRE_LEFT, session);
}

enum err
registrar_record(void *plugin, const char *text, size_t len)
{
	char *line = strndup(text, len);
	uint8_t *bytes = malloc(len + WIRE_LINE_OVERHEAD);
	size_t size = 0;

	if (line != NULL && bytes != NULL)
		size = wire_put_line(line, bytes, len + WIRE_LINE_OVERHEAD);
	free(line);
	if (size > 0)
		return send_bytes(plugin, WIRE_RECORD, 0, bytes, size);
	free(bytes);
	return ERR_NOMEM;
}

void
registrar_reopen(struct plugin *p)
{
	(void)!send_nothing(p, WIRE_REOPEN);
}

/*
 * Its life.
 */

/* What was under way when the process ended.  It may have committed changes and events that it
 * had no time to tell, and the next process may start a minute later. */
static void
lose(struct plugin *p)
{
	gate_changed(p->gate, NULL);
	outbox_notify(p->outbox);
	gate_registrations_lost(p->gate, "the registrar ended");
	relay_requests_lost(p->relay);
}

void
registrar_watch(struct plugin *p)
{
	if (p->wake != NULL && wake_watch(p->wake, link_fd(child_link(p->child))) != ERR_OK)
		report_line(p->report, LEVEL_WARNING,
		    "no signal is free to wake the broker: while it is idle, changes take effect "
		    "some tenths of a second later");
}

/* The new process knows nothing of what was published, and may have upgraded the registry or
 * completed what the one before it had begun. */
static void
greet(struct plugin *p)
{
	registrar_watch(p);
	outbox_report_again(p->outbox);
	outbox_notify(p->outbox);
	gate_changed(p->gate, NULL);
}

static void
lost(struct plugin *p, const char *why)
{
	wake_unwatch(link_fd(link_of(p)));
	child_lost(p->child, why);
	lose(p);
}

static bool
receive_one(struct plugin *p, struct link *link)
{
	struct wire_frame frame;
	char why[64];

	if (link_next(link, &frame) != ERR_OK)
		return false;
	if (received(p, &frame) == ERR_OK)
		return true;
	(void)snprintf(why, sizeof(why), "sent a malformed %s", wire_type_name(frame.type));
	lost(p, why);
	return false;
}

/* Frames that were read, at least one.  true: there was no time for all of them. */
static bool
receive_until(struct plugin *p, struct link *link, int64_t until)
{
	while (receive_one(p, link))
		if (gate_clock_ns() >= until)
			return true;
	return false;
}

/* Until the socket is empty, as no signal is sent for what stays in it. */
static bool
receive_frames(struct plugin *p, struct link *link, int64_t until)
{
	for (int reads = 0; reads < READS_PER_TURN; reads++) {
		bool empty = link_fill(link) != ERR_OK;

		if (receive_until(p, link, until))
			return true;
		if (empty || child_link(p->child) != link)
			return false;
	}
	return true;
}

static void
receive(struct plugin *p, struct link *link)
{
	int64_t since_last = p->frames_left ? gate_cpu_ns() - p->received : 0;
	int64_t slice = gate_slice_ns(since_last) / FRAMES_SHARE;

	p->frames_left = receive_frames(p, link, gate_clock_ns() + slice);
	if (p->frames_left)
		p->received = gate_cpu_ns();
	if (!p->frames_left && child_link(p->child) == link && link_state(link) != LINK_OPEN)
		lost(p, NULL);
}

static void
say_alive(struct plugin *p, int64_t now)
{
	if (now - p->said_alive < ALIVE_MS)
		return;
	p->said_alive = now;
	(void)!send_nothing(p, WIRE_ALIVE);
}

/* While no registrar tells of changes: one whose link has ended finishes its last commit, and
 * that of another broker may have opened the registry meanwhile. */
static void
look_for_changes(struct plugin *p)
{
	if (!store_changed_elsewhere(p->store))
		return;
	gate_changed(p->gate, NULL);
	outbox_notify(p->outbox);
}

void
registrar_receive(struct plugin *p)
{
	if (child_link(p->child) == NULL && child_tick(p->child) == CHILD_UP)
		greet(p);
	p->stats.registrar_restarts = child_restarts(p->child);
	if (child_link(p->child) == NULL) {
		p->frames_left = false;
		look_for_changes(p);
		return;
	}
	say_alive(p, clock_ms(CLOCK_MONOTONIC));
	receive(p, child_link(p->child));
}

void
registrar_flush(struct plugin *p)
{
	struct link *link = child_link(p->child);

	if (link != NULL && link_waiting(link).frames > 0 && link_flush(link) != ERR_OK)
		lost(p, NULL);
}

/*
 * Start and stop.
 */

static void
log_line(void *context, enum log_level level, const char *line)
{
	(void)context;
	broker_mosquitto.log(level, line);
}

/* Results of what was under way, while the process ends; only lines for the log before the
 * other parts exist. */
static void
last_frame(void *context, const struct wire_frame *frame)
{
	struct plugin *p = context;

	if (p->started != 0)
		(void)!received(p, frame);
	else if (frame->type == WIRE_LOG)
		(void)!child_log_frame(p->child, frame);
}

static int64_t
monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* The options are parsed by both processes.  They are copied, because the process may be
 * started again. */
static enum err
copy_options(struct plugin *p, const struct mosquitto_opt *options, int count)
{
	struct wire_pairs *to = &p->wire_config.options;

	if (count > WIRE_PAIRS_MAX)
		return ERR_LIMIT;
	for (int i = 0; i < count; i++) {
		char *name = strdup(options[i].key), *value = strdup(options[i].value);

		to->list[to->count++] = (struct wire_pair){ name, value };
		if (name == NULL || value == NULL)
			return ERR_NOMEM;
	}
	return ERR_OK;
}

/* A registrar that opened other files would store changes, revocations among them, that the
 * broker never sees.  At the start of the broker it is the first to open them. */
static bool
has_same_registry(void *plugin, struct diag *why)
{
	struct plugin *p = plugin;

	if (p->store == NULL || store_is_in_place(p->store))
		return true;
	diag_set(why,
	    "%.150s: the files of the registry were removed or replaced while it is in use: move "
	    "them back, or restart the broker",
	    p->config.db_path);
	return false;
}

enum err
registrar_start(struct plugin *p, const struct mosquitto_opt *options, int count, struct diag *diag)
{
	struct child_config config = { .path = program_path(p->config.registrar_path, p->program),
		.config = &p->wire_config,
		.frames_max = LINK_FRAMES_MAX,
		.bytes_max = LINK_BYTES_MAX,
		.now = monotonic_ms,
		.log = log_line,
		.may_run = has_same_registry,
		.last_frame = last_frame,
		.context = p };
	enum err e;

	p->wire_config.protocol = WIRE_PROTOCOL;
	p->wire_config.version = JITR_VERSION;
	e = copy_options(p, options, count);
	return e == ERR_OK ? child_open(&config, &p->child, diag) : e;
}

void
registrar_stop(struct plugin *p)
{
	if (link_of(p) != NULL)
		wake_unwatch(link_fd(link_of(p)));
	child_close(p->child);
	p->child = NULL;
	for (size_t i = 0; i < p->wire_config.options.count; i++) {
		free((char *)(uintptr_t)p->wire_config.options.list[i].name);
		free((char *)(uintptr_t)p->wire_config.options.list[i].value);
	}
	p->wire_config.options.count = 0;
}
