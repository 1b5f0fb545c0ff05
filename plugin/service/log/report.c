/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* report.c - see report.h: the parts that all lines share.  report_file.c: the log file. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report_text.h"

enum err
report_open(const struct report_config *config, struct report **out, struct diag *diag)
{
	struct report *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_NOMEM;
	r->broker = config->broker;
	r->now = config->now;
	r->fd = -1;
	(void)snprintf(r->account_id, sizeof(r->account_id), "%s", config->account_id);
	if (config->path != NULL) {
		r->path = strdup(config->path);
		r->fd = report_open_file(config->path);
	}
	if (config->path != NULL && (r->path == NULL || r->fd < 0)) {
		diag_set(diag, "log_file %s: %s", config->path, strerror(errno));
		report_close(r);
		return ERR_STORAGE;
	}
	*out = r;
	return ERR_OK;
}

void
report_close(struct report *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r->path);
	free(r);
}

void
report_start(struct report *r, struct writer *w)
{
	r->writer = w;
}

void
report_line(struct report *r, enum log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE] = "jitr: ";
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line + 6, sizeof(line) - 6, fmt, args);
	va_end(args);
	r->broker->log(level, line);
}
