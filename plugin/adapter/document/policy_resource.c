/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_resource.c - compiles the resources of a statement (aws-iot F.1).  See
 * policy_compiler.h.
 */
#include <string.h>

#include "policy_compiler.h"

/* Does the pattern begin with "arn:", or with wildcards that could match it? */
static bool
could_be_arn(const struct pattern *p)
{
	const char *arn = "arn:";
	size_t len;

	if (p->count == 0 || p->pieces[0].kind == PIECE_VARIABLE)
		return false;
	if (p->pieces[0].kind != PIECE_TEXT)
		return true;
	len = p->pieces[0].text.len < strlen(arn) ? p->pieces[0].text.len : strlen(arn);
	if (memcmp(p->pieces[0].text.data, arn, len) != 0)
		return false;
	return len == strlen(arn) || (p->count > 1 && p->pieces[1].kind != PIECE_VARIABLE);
}

/* Does the pattern end with a '*' wildcard (not an escaped one)? */
static bool
ends_open(const struct pattern *p)
{
	return p->count > 0 && p->pieces[p->count - 1].kind == PIECE_ANY;
}

/* The sixth part. */
static void
compile_rest(struct compiler *c, struct resource *r, struct view text, unsigned flags)
{
	struct piece *room;

	r->rest = compile_pattern(c, text, flags, false);
	room = compiler_allocate(c, r->rest.count + 1, sizeof(*room));
	if (room != NULL)
		resource_derive(r, room);
}

static void
compile_parts(struct compiler *c, struct resource *r, const struct view *parts, size_t count,
    unsigned flags)
{
	r->part_count = count < ARN_SCOPE_PARTS ? count : ARN_SCOPE_PARTS;
	for (size_t i = 0; i < r->part_count; i++)
		r->part[i] = compile_pattern(c, parts[i], flags, false);
}

static void
compile_arn_resource(struct compiler *c, struct resource *r)
{
	unsigned flags = PATTERN_WILDCARDS | c->pattern_flags;
	struct view parts[ARN_PARTS];
	size_t count = arn_parts(r->text, c->pattern_flags != 0, parts);

	compile_parts(c, r, parts, count, flags);
	if (c->failed != ERR_OK)
		return;
	if (count == ARN_PARTS) {
		r->form = RESOURCE_ARN;
		compile_rest(c, r, parts[ARN_PARTS - 1], flags);
	} else if (ends_open(&r->part[count - 1])) {
		r->form = RESOURCE_SHORT;
	} else {
		r->form = RESOURCE_PARTIAL;
		r->rest = compile_pattern(c, r->text, flags, false);
	}
}

void
compile_resource(struct compiler *c, const cJSON *item, void *at)
{
	struct resource *r = at;
	struct pattern whole;

	r->text = compiler_copy(c, view_of(item->valuestring));
	whole = compile_pattern(c, r->text, PATTERN_WILDCARDS | c->pattern_flags, false);
	if (c->failed != ERR_OK)
		return;
	if (!could_be_arn(&whole)) {
		compiler_fail(c, "'%.*s' is not an ARN", SHOWN, item->valuestring);
		return;
	}
	if (whole.count == 1 && whole.pieces[0].kind == PIECE_ANY)
		r->form = RESOURCE_ANY;
	else
		compile_arn_resource(c, r);
}
