/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_log.c - see request_private.h. */
#include <inttypes.h>

#include "jitr/core/text.h"

#include "audit.h"
#include "request_private.h"

void
changes_log(const struct request *r)
{
	const struct asker asker = { r->user_name != NULL ? r->user_name : "", r->client_id,
		r->address };

	for (size_t i = 0; i < r->count; i++) {
		const struct command *c = &r->commands[i];

		if (c->type != NULL && c->type->run != NULL && !c->complete)
			audit_report(r->api->config.report, c, &asker);
	}
}

void
suppressed_log(struct api *a)
{
	uint64_t count = lines_suppressed(&a->lines, a->config.clock_us());

	if (count > 0)
		report_line(a->config.report, LEVEL_NOTICE,
		    "requests denied: %" PRIu64 " more in the "
		    "last %d s",
		    count, (int)(LINES_INTERVAL_US / 1000000));
}

void
denied_log(struct api *a, const struct client *c, const char *reason, const char *command)
{
	char buffer[400];
	struct text t = text_in(buffer, sizeof(buffer));

	if (!lines_may_log(&a->lines, a->config.clock_us()))
		return;
	text_addf(&t, "request denied: reason=\"%s\" user=\"", reason);
	text_add_escaped(&t, view_of(c->user_name), 80);
	text_add(&t, "\" client=\"");
	text_add_escaped(&t, view_of(c->id), 80);
	text_add(&t, "\" address=");
	text_add_escaped(&t, view_of(c->address != NULL ? c->address : "-"), 64);
	text_addf(&t, "%s%s", command != NULL ? " command=" : "", command != NULL ? command : "");
	report_line(a->config.report, LEVEL_NOTICE, "%s", buffer);
}

void
unanswered_log(struct api *a, enum err e)
{
	if (lines_may_log(&a->lines, a->config.clock_us()))
		report_line(a->config.report, LEVEL_ERROR, "a request could not be answered: %s",
		    err_text(e));
}
