/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* fuzz_wire_registration.c - registrations, results and refusals from the other process: each
 * is refused, or decoded and encoded to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/wire_registration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect_same(struct view in, const uint8_t *again, size_t len)
{
	if (len != in.len || memcmp(again, in.data, len) != 0)
		abort();
}

static void
try_presentation(struct view in)
{
	struct presentation p;
	struct plan plan;
	uint8_t *again;

	if (wire_get_presentation(in, &p, &plan) != ERR_OK)
		return;
	if (wire_presentation_size(&p) != in.len)
		abort();
	again = malloc(in.len);
	if (again == NULL)
		return;
	wire_put_presentation(&p, again);
	expect_same(in, again, in.len);
	free(again);
}

static void
try_result(struct view in)
{
	uint8_t again[WIRE_RESULT_MAX];
	struct presentation_result r;

	if (wire_get_result(in, &r) == ERR_OK)
		expect_same(in, again, wire_put_result(&r, again));
}

static void
try_refused(struct view in)
{
	uint8_t again[WIRE_REFUSED_MAX];
	struct refusal refusal;
	struct certid id;

	if (wire_get_refused(in, &id, &refusal) == ERR_OK)
		expect_same(in, again, wire_put_refused(&id, &refusal, again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = { data, size };

	try_presentation(in);
	try_result(in);
	try_refused(in);
	return 0;
}
