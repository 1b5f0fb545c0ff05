/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* report.c - see report.h: the parts that all lines share. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "report_text.h"

#define LOST_INTERVAL_MS 10000

enum err
report_open(const struct report_config *config, struct report **out)
{
	struct report *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_NOMEM;
	r->sink = config->sink;
	r->log_file = config->log_file;
	r->now = config->now;
	(void)snprintf(r->account_id, sizeof(r->account_id), "%s", config->account_id);
	*out = r;
	return ERR_OK;
}

void
report_close(struct report *r)
{
	free(r);
}

void
report_log(struct report *r, enum log_level level, const char *line)
{
	r->sink.log(r->sink.context, level, line);
}

void
report_line(struct report *r, enum log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE] = "jitr: ";
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line + 6, sizeof(line) - 6, fmt, args);
	va_end(args);
	report_log(r, level, line);
}

/*
 * The log file.
 */

bool
report_has_file(const struct report *r)
{
	return r->log_file != NULL;
}

/* On a full disk each line fails: logged once in LOST_INTERVAL_MS, with their number. */
void
report_lost(struct report *r, const char *why)
{
	int64_t now = r->now();

	r->lost++;
	if (r->lost_logged != 0 && now >= r->lost_logged && now - r->lost_logged < LOST_INTERVAL_MS)
		return;
	report_line(r, LEVEL_ERROR, "log_file %s: %s; %" PRIu64 " lines lost", r->log_file, why,
	    r->lost);
	r->lost_logged = now;
	r->lost = 0;
}

/* Of the sink's errors (report.h). */
static const char *
why_lost(enum err e)
{
	if (e == ERR_BUSY)
		return "too many changes are waiting";
	return e == ERR_STORAGE ? "the registrar is not running" : err_text(e);
}

void
report_write(struct report *r, const char *text, size_t len)
{
	enum err e = r->sink.record(r->sink.context, text, len);

	if (e != ERR_OK)
		report_lost(r, why_lost(e));
}
