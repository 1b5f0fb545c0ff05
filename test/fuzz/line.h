/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * line.h - the input of a fuzzer in lines.
 */
#ifndef JITR_FUZZ_LINE_H
#define JITR_FUZZ_LINE_H

#include <string.h>

#include "jitr/core/base.h"

/* Takes the first line off rest, without its end. */
static inline struct view
cut_line(struct view *rest)
{
	const uint8_t *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
	struct view line = *rest;

	if (end == NULL) {
		*rest = (struct view){ (const uint8_t *)"", 0 };
		return line;
	}
	line.len = (size_t)(end - rest->data);
	*rest = (struct view){ end + 1, rest->len - line.len - 1 };
	return line;
}

#endif
