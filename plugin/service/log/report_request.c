/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* report_request.c - see report.h: control requests. */
#include <inttypes.h>
#include <string.h>

#include "report_text.h"

/* Can the value be written without quotes? */
static bool
is_plain(const char *value)
{
	return value[strspn(value,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-")] == '\0';
}

static void
line_value(struct text *t, const char *value)
{
	const char *quote = is_plain(value) ? "" : "\"";

	text_add(t, quote);
	line_bytes(t, value[0] != '\0' ? value : "none", CHANGE_TEXT);
	text_add(t, quote);
}

static void
line_change(struct text *t, const struct change *change)
{
	text_addf(t, " %s=", change->name);
	line_value(t, change->from);
	text_add(t, "->");
	line_value(t, change->to);
}

static void
line_subject(struct text *t, const struct request_subject *s)
{
	if (s->name.len == 0)
		return;
	text_addf(t, " %s=", s->word);
	text_add_escaped(t, s->name, NAME_MAX_LENGTH);
}

static void
json_change(struct text *t, const struct change *c, const char *separator)
{
	text_addf(t, "%s\"%s\":{", separator, c->name);
	if (c->from[0] != '\0') {
		text_add(t, "\"from\":");
		text_add_json(t, view_of(c->from));
	}
	if (c->to[0] != '\0') {
		text_add(t, c->from[0] != '\0' ? ",\"to\":" : "\"to\":");
		text_add_json(t, view_of(c->to));
	}
	text_add(t, "}");
}

static void
json_changes(struct text *t, const struct changes *changes)
{
	text_add(t, ",\"changes\":{");
	for (size_t i = 0; i < changes->count; i++)
		json_change(t, &changes->list[i], i > 0 ? "," : "");
	text_add(t, "}");
}

static void
write_request(struct report *r, const struct request_line *l)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, sizeof(buffer));
	bool done = l->result == ERR_OK;

	json_begin(r, &t, done, done ? "INFO" : "ERROR", "ControlRequest");
	json_member(&t, "command", view_of(l->command));
	json_member(&t, "userName", text_head(l->user_name, CLIENT_ID_SHOWN));
	json_member(&t, "clientId", text_head(l->client_id, CLIENT_ID_SHOWN));
	if (l->address != NULL)
		json_member(&t, "sourceIp", text_head(l->address, CLIENT_ID_SHOWN));
	for (size_t i = 0; i < COUNT_OF(l->subjects); i++)
		if (l->subjects[i].name.len > 0)
			json_member(&t, l->subjects[i].member, l->subjects[i].name);
	if (done)
		json_changes(&t, l->changes);
	else
		json_reason(&t, err_aws_name(l->result), err_text(l->result), l->details);
	json_end(r, &t);
}

/* The changes come last, because their length varies most. */
void
report_request(struct report *r, const struct request_line *l)
{
	char line[LINE_SIZE];
	struct text t = text_in(line, sizeof(line));
	bool done = l->result == ERR_OK;

	text_addf(&t, "jitr: request: command=%s", l->command);
	line_text(&t, "user", l->user_name, REQUEST_NAME_SHOWN);
	line_text(&t, "client", l->client_id, REQUEST_NAME_SHOWN);
	text_addf(&t, " result=%s", done ? "done" : err_aws_name(l->result));
	for (size_t i = 0; i < COUNT_OF(l->subjects); i++)
		line_subject(&t, &l->subjects[i]);
	text_add(&t, " address=");
	line_bytes(&t, l->address != NULL ? l->address : "-", 64);
	for (size_t i = 0; done && i < l->changes->count; i++)
		line_change(&t, &l->changes->list[i]);
	if (!done)
		line_reason(&t, err_text(l->result), l->details, DETAILS_SHOWN);
	if (report_has_file(r))
		write_request(r, l);
	report_log(r, done ? LEVEL_NOTICE : LEVEL_WARNING, line);
}

void
report_denied_request(struct report *r, const struct denied_line *l)
{
	char buffer[400];
	struct text t = text_in(buffer, sizeof(buffer));

	text_addf(&t, "request denied: reason=\"%s\" user=\"", l->reason);
	text_add_escaped(&t, view_of(l->user_name), 80);
	text_add(&t, "\" client=\"");
	text_add_escaped(&t, view_of(l->client_id), 80);
	text_add(&t, "\" address=");
	text_add_escaped(&t, view_of(l->address != NULL ? l->address : "-"), 64);
	if (l->command != NULL)
		text_addf(&t, " command=%s", l->command);
	report_line(r, LEVEL_NOTICE, "%s", buffer);
}

void
report_denied_requests(struct report *r, uint64_t count, int seconds)
{
	report_line(r, LEVEL_NOTICE, "requests denied: %" PRIu64 " more in the last %d s", count,
	    seconds);
}
