/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* report_text.c - see report_text.h. */
#include <string.h>

#include "report_text.h"

#include "jitr/core/calendar.h"

#include "jitr/adapter/x509.h"

struct view
text_head(const char *text, size_t max)
{
	struct view v = view_of(text);

	if (v.len > max)
		v.len = max;
	return v;
}

void
json_member(struct text *t, const char *name, struct view value)
{
	text_addf(t, ",\"%s\":", name);
	text_add_json(t, value);
}

void
json_id(struct text *t, const char *name, const struct certid *id)
{
	if (id == NULL)
		return;
	text_addf(t, ",\"%s\":\"", name);
	text_add_hex(t, (struct view){ id->b, sizeof(id->b) });
	text_add(t, "\"");
}

void
json_reason(struct text *t, const char *code, const char *words, const char *details)
{
	char room[128 + DETAILS_SHOWN];
	struct text both = text_in(room, sizeof(room));

	if (words != NULL)
		text_add(&both, words);
	if (words != NULL && details != NULL)
		text_add(&both, ": ");
	text_add_view(&both, text_head(details, DETAILS_SHOWN));
	json_member(t, "reason", view_of(code));
	json_member(t, "details", view_of(room));
}

void
json_begin(struct report *r, struct text *t, bool success, const char *level, const char *event)
{
	char when[TIMESTAMP_SIZE];
	uint8_t trace[16] = { 0 };

	timestamp_text(r->now(), when);
	if (random_fill(trace, sizeof(trace)) != ERR_OK)
		memset(trace, 0, sizeof(trace)); /* a line without a trace id is better than none */
	text_addf(t, "{\"timestamp\":\"%s\",\"logLevel\":\"%s\",\"traceId\":\"", when, level);
	text_add_uuid(t, trace);
	text_addf(t, "\",\"accountId\":\"%s\",\"status\":\"%s\",\"eventType\":\"%s\"",
	    r->account_id, success ? "Success" : "Failure", event);
}

void
json_end(struct report *r, struct text *t)
{
	text_add(t, "}\n");
	if (t->cut)
		report_lost(r, "a line is too long");
	else
		report_write(r, t->at, t->len);
}

/*
 * Lines of the broker's log.
 */

void
line_id(struct text *t, const char *name, const struct certid *id)
{
	text_addf(t, " %s=", name);
	if (id == NULL)
		text_add(t, "-");
	else
		text_add_hex(t, (struct view){ id->b, sizeof(id->b) });
}

void
line_bytes(struct text *t, const char *value, size_t max)
{
	char room[LINE_SIZE];
	struct text escaped = text_in(room, max + 1);

	text_add_escaped(&escaped, text_head(value, max + 1), max + 1);
	text_add(t, room);
	if (escaped.cut)
		text_add(t, "...");
}

void
line_text(struct text *t, const char *name, const char *value, size_t max)
{
	text_addf(t, " %s=\"", name);
	line_bytes(t, value, max);
	text_add(t, "\"");
}

void
line_reason(struct text *t, const char *words, const char *details, size_t max)
{
	text_addf(t, " reason=\"%s", words);
	if (details != NULL) {
		text_add(t, ": ");
		line_bytes(t, details, max);
	}
	text_add(t, "\"");
}

void
line_refusal(struct text *t, enum reason reason, const char *details)
{
	line_reason(t, reason_text(reason), details, DETAILS_SHOWN_SHORT);
	text_addf(t, " code=%s", reason_code(reason));
}
