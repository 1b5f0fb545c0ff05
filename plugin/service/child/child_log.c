/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* child_log.c - lines of the log; see child.h. */
#include <stdarg.h>
#include <stdio.h>

#include "jitr/core/text.h"

#include "child_private.h"

#define LINE_SIZE 4096     /* longer lines are cut */
#define PREFIX    "jitr: " /* of every line of the plugin; those of the process have it */

_Static_assert(LEVEL_DEBUG == 0 && LEVEL_ERROR + 1 == WIRE_LEVELS, "doc/link.md has the levels");

static void
log_escaped(const struct child *c, enum log_level level, const char *line)
{
	char shown[LINE_SIZE];
	struct text t = text_in(shown, sizeof(shown));

	text_add_shown(&t, view_of(line));
	c->config.log(c->config.context, level, shown);
}

void
child_log(const struct child *c, enum log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE] = PREFIX;
	size_t start = sizeof(PREFIX) - 1;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line + start, sizeof(line) - start, fmt, args);
	va_end(args);
	log_escaped(c, level, line);
}

enum err
child_log_frame(struct child *c, const struct wire_frame *frame)
{
	struct wire_log l;
	enum err e = wire_get_log(frame->payload, &l);

	if (e == ERR_OK)
		log_escaped(c, (enum log_level)l.level, l.line);
	return e;
}
