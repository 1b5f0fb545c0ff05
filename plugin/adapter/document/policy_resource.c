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

/* The first level behind the first '/' of an ARN's sixth part, if it is literal text. */
static struct view
literal_level(const struct pattern *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct view text = p->pieces[i].text;
		const uint8_t *slash;

		if (p->pieces[i].kind != PIECE_TEXT)
			continue;
		slash = memchr(text.data, '/', text.len);
		if (slash == NULL)
			continue;
		text.len -= (size_t)(slash + 1 - text.data);
		text.data = slash + 1;
		if (i + 1 < p->count && (text.len == 0 || memchr(text.data, '/', text.len) == NULL))
			break; /* the level continues with something else */
		return reserved_level(text);
	}
	return (struct view){ NULL, 0 };
}

/* The pattern without its first bytes, which must be literal text. */
static struct pattern
cut_pattern(struct compiler *c, const struct pattern *whole, size_t cut)
{
	size_t gone = whole->pieces[0].text.len == cut ? 1 : 0;
	struct piece *pieces = compiler_allocate(c, whole->count + 1, sizeof(*pieces));

	if (pieces == NULL)
		return *whole;
	memcpy(pieces, whole->pieces + gone, (whole->count - gone) * sizeof(*pieces));
	if (gone == 0) {
		pieces[0].text = view_from(pieces[0].text, cut);
	}
	return pattern_of(pieces, whole->count - gone, whole->folded);
}

/* Does the pattern end with a '*' wildcard (not an escaped one)? */
static bool
ends_open(const struct pattern *p)
{
	return p->count > 0 && p->pieces[p->count - 1].kind == PIECE_ANY;
}

/* Compares the first five parts with the registry's.  Without variables the result is
 * final. */
enum scope_match
resource_scope(const struct policy *p, const struct resource *r)
{
	static const struct facts nothing;
	struct context context = { .facts = &nothing, .steps = STEPS_MAX };
	struct view parts[ARN_PARTS];
	enum scope_match scope = SCOPE_OWN;

	if (!arn_split(view_of(p->scope.prefix), false, parts))
		return SCOPE_FOREIGN;
	for (size_t i = 0; i < r->part_count; i++) {
		for (size_t n = 0; n < r->part[i].count; n++)
			if (r->part[i].pieces[n].kind == PIECE_VARIABLE)
				scope = SCOPE_VARIABLE;
		if (scope == SCOPE_OWN &&
		    pattern_match(&r->part[i], &(struct subject){ .name = parts[i] }, &context) !=
			TRUTH_YES)
			return SCOPE_FOREIGN;
	}
	return scope;
}

/* The sixth part.  If it begins with a resource type, only the name behind it has to be
 * matched. */
static void
compile_rest(struct compiler *c, struct resource *r, struct view text, unsigned flags)
{
	size_t cut;

	r->rest = compile_pattern(c, text, flags, false);
	if (c->failed != ERR_OK || r->rest.count == 0)
		return;
	r->level = literal_level(&r->rest);
	if (r->rest.pieces[0].kind != PIECE_TEXT)
		return;
	cut = resource_type_length(r->rest.pieces[0].text, &r->type);
	if (r->type != TYPE_OTHER)
		r->name = cut_pattern(c, &r->rest, cut);
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
