/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_log.c - see request_private.h. */
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
		report_denied_requests(a->config.report, count, (int)(LINES_INTERVAL_US / 1000000));
}

void
denied_log(struct request *r, const char *command)
{
	struct api *a = r->api;
	struct denied_line line = { .reason = "not allowed by a policy",
		.user_name = r->user_name,
		.client_id = r->client_id,
		.address = r->address,
		.command = command };

	if (lines_may_log(&a->lines, a->config.clock_us()))
		report_denied_request(a->config.report, &line);
}

void
unusable_log(struct api *a)
{
	struct diag *unusable = &a->config.judge->policies.unusable;

	if (unusable->text[0] == '\0')
		return;
	report_line(a->config.report, LEVEL_ERROR,
	    "%s; the certificates it is attached to are refused", unusable->text);
	unusable->text[0] = '\0';
}
