/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* ports.c - see registrar_private.h: the functions by which the parts reach the broker. */
#include <string.h>

#include "registrar_private.h"

#include "jitr/core/wire_registration.h"

/*
 * The log.
 */

/* While the registry is opened and upgraded nothing else sends. */
static void
log_to_broker(void *context, enum log_level level, const char *line)
{
	struct registrar *r = context;

	outgoing_log(&r->out, level, line);
	if (r->state == REGISTRAR_NEW)
		(void)!outgoing_flush(&r->out);
}

static enum err
log_to_file(void *context, const char *text, size_t len)
{
	struct registrar *r = context;
	size_t written = 0;
	int error = log_file_append(r->log_file, text, len, &written);

	if (error != 0)
		report_lost(r->report, strerror(error));
	return ERR_OK;
}

struct report_sink
port_of_report(struct registrar *r)
{
	return (struct report_sink){ r, log_to_broker, log_to_file };
}

/*
 * Changes: the broker is told, and so is the judge of the api.
 */

static void
tell(struct registrar *r, enum wire_change_kind kind, const struct certid *ids, size_t count)
{
	struct wire_change change = { .kind = kind, .ids = ids, .count = count };

	outgoing_change(&r->out, &change);
}

static void
tell_name(struct registrar *r, enum wire_change_kind kind, struct view name)
{
	char text[NAME_MAX_LENGTH + 1];
	struct wire_change change = { .kind = kind, .name = text };

	if (name.len >= sizeof(text)) {
		tell(r, WIRE_CHANGED_ANYTHING, NULL, 0);
		return;
	}
	memcpy(text, name.data, name.len);
	text[name.len] = '\0';
	outgoing_change(&r->out, &change);
}

static void
certificate_changed(void *context, const struct certid *id_or_null)
{
	struct registrar *r = context;

	if (id_or_null != NULL) {
		tell(r, WIRE_CHANGED_CERTIFICATE, id_or_null, 1);
		return;
	}
	judge_policies_changed(&r->judge);
	tell(r, WIRE_CHANGED_ANYTHING, NULL, 0);
}

static void
policy_changed(void *context, struct view name)
{
	struct registrar *r = context;

	judge_policies_changed(&r->judge);
	tell_name(r, WIRE_CHANGED_POLICY, name);
}

static void
thing_changed(void *context, struct view name)
{
	tell_name(context, WIRE_CHANGED_THING, name);
}

/* The broker visits the certificates that it is told first, and then all others. */
static void
crl_changed(void *context, const struct certid *named, size_t count)
{
	tell(context, WIRE_CHANGED_CRL, named, count < WIRE_IDS_MAX ? count : WIRE_IDS_MAX);
}

static void
crl_removed(void *context, const struct certid *ca_id)
{
	tell(context, WIRE_CHANGED_CRL_REMOVED, ca_id, 1);
}

static void
events_committed(void *context)
{
	tell(context, WIRE_CHANGED_EVENTS, NULL, 0);
}

struct change_listener
port_of_changes(struct registrar *r)
{
	return (struct change_listener){ .context = r,
		.certificate = certificate_changed,
		.policy = policy_changed,
		.thing = thing_changed,
		.crl = crl_changed,
		.crl_removed = crl_removed,
		.events = events_committed };
}

/*
 * Answers and results.
 */

void
port_answer(void *context, const struct control_answer *a)
{
	struct registrar *r = context;

	outgoing_answer(&r->out, a);
}

/* The broker waits for the result of each registration.  Where it cannot be sent the process
 * ends with its turn, which the broker notices. */
void
port_presented(void *context, uint64_t number, enum err result, const struct outcome *outcome,
    const char *failure)
{
	struct presentation_result done = { .result = result };
	uint8_t bytes[WIRE_RESULT_MAX];
	struct registrar *r = context;

	if (result == ERR_OK)
		done.outcome = *outcome;
	done.failure = view_of(failure != NULL ? failure : "");
	if (!outgoing_done(&r->out, number,
		(struct view){ bytes, wire_put_result(&done, bytes) })) {
		r->failed = true;
		r->state = REGISTRAR_ENDED;
	}
}
