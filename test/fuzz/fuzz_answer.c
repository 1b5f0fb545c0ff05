/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_answer.c - what arrives at the command line as an answer, and how it is printed.
 *
 * An answer has no member that is null.  In every format no character reaches the terminal
 * that it interprets.
 */
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "jitr/core/text.h"
#include "print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
check_no_nulls(const cJSON *item)
{
	const cJSON *child;

	cJSON_ArrayForEach(child, item)
	{
		require(!cJSON_IsObject(item) || !cJSON_IsNull(child));
		check_no_nulls(child);
	}
}

static void
check_shown(struct view out)
{
	for (size_t len; out.len > 0; out = view_from(out, len)) {
		len = utf8_next(out);
		require(len > 0);
		require(out.data[0] == '\n' || out.data[0] == '\t' ||
		    !utf8_is_control((struct view){ out.data, len }));
	}
}

static void
print(const cJSON *data, enum output format, int width)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	require(out != NULL);
	require(print_answer(out, format, "DescribeCertificate", data, width));
	require(fclose(out) == 0);
	check_shown((struct view){ (const uint8_t *)text, size });
	free(text);
}

static void
check(const cJSON *answer, int width)
{
	char *safe;

	check_no_nulls(answer);
	safe = print_safe_lines(answer_message(answer));
	require(safe != NULL);
	check_shown(view_of(safe));
	free(safe);
	(void)answer_error(answer);
	if (answer_data(answer) == NULL)
		return;
	print(answer_data(answer), OUTPUT_JSON, width);
	print(answer_data(answer), OUTPUT_TEXT, width);
	print(answer_data(answer), OUTPUT_TABLE, width);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *answer = envelope_open((struct view){ data, size }, "c1");

	if (answer != NULL)
		check(answer, (int)(size % 200));
	cJSON_Delete(answer);
	return 0;
}
