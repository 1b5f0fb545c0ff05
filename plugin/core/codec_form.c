/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec_form.c - the head of a form, variables, patterns and conditions; see
 * codec_form.h.
 */
#include <string.h>

#include "codec_form_private.h"

#include "jitr/core/policy_form.h"

#define FORM_UNUSABLE 0
#define COUNT_SIZE    2
#define HEAD_SIZE     (1 + 1 + PART_COUNT * COUNT_SIZE)

/* Most elements of an array in the form of a policy.  Each has at least one character of
 * the document that is not white space; between two of these a pattern may have white
 * space, and an ARN has one pattern more than colons. */
#define POLICY_PARTS_MAX (3 * POLICY_CHARACTERS_MAX)

size_t
form_align(size_t size)
{
	return (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
}

size_t
unusable_form_size(const char *reason)
{
	return 1 + strlen(reason);
}

void
unusable_form_encode(const char *reason, uint8_t *out)
{
	out[0] = FORM_UNUSABLE;
	memcpy(out + 1, reason, strlen(reason));
}

/*
 * Writing.
 */

void
put_form_head(struct form_writer *w, enum form_kind kind, const struct form_counts *counts)
{
	put_number(&w->s, FORM_VERSION, 1);
	put_number(&w->s, kind, 1);
	for (size_t i = 0; i < PART_COUNT; i++)
		put_number(&w->s, counts->of[i], COUNT_SIZE);
}

void
put_variables(struct form_writer *w)
{
	for (const struct variable_list *n = w->names; n != NULL; n = n->next) {
		put_text(&w->s, n->variable.name);
		w->counts.of[PART_VARIABLE]++;
	}
}

static void
put_variable(struct form_writer *w, const struct variable *v)
{
	size_t i = 0;

	for (const struct variable_list *n = w->names; n != NULL && &n->variable != v; n = n->next)
		i++;
	put_number(&w->s, i, COUNT_SIZE);
}

void
put_pattern(struct form_writer *w, const struct pattern *p)
{
	put_number(&w->s, p->count, COUNT_SIZE);
	w->counts.of[PART_PIECE] += p->count;
	for (size_t i = 0; i < p->count; i++) {
		const struct piece *piece = &p->pieces[i];

		put_one_of(&w->s, piece->kind, PIECE_ANY + 1);
		if (piece->kind == PIECE_TEXT)
			put_text(&w->s, piece->text);
		else if (piece->kind == PIECE_VARIABLE)
			put_variable(w, piece->variable);
	}
}

static void
put_arn(struct form_writer *w, const struct pattern *parts)
{
	put_one_of(&w->s, parts != NULL, 2);
	if (parts == NULL)
		return;
	w->counts.of[PART_PATTERN] += ARN_PARTS;
	for (size_t i = 0; i < ARN_PARTS; i++)
		put_pattern(w, &parts[i]);
}

static void
put_decimal(struct form_writer *w, const struct decimal *d)
{
	put_one_of(&w->s, d->negative, 2);
	put_text(&w->s, d->whole);
	put_text(&w->s, d->fraction);
}

static void
put_expected(struct form_writer *w, enum comparison comparison, const struct expected *e)
{
	switch (comparison) {
	case COMPARE_TEXT:
		put_pattern(w, &e->text);
		break;
	case COMPARE_ARN:
		put_arn(w, e->arn);
		break;
	case COMPARE_ADDRESS:
		put_bytes(&w->s, e->range.address.b, sizeof(e->range.address.b));
		put_number(&w->s, e->range.bits, 1);
		break;
	case COMPARE_BOOL:
	case COMPARE_NULL:
		put_one_of(&w->s, e->truth, 2);
		break;
	case COMPARE_NUMBER:
		put_decimal(w, &e->number);
		break;
	case COMPARE_DATE:
		put_time(&w->s, e->date);
		break;
	case COMPARE_EXPRESSION:
		put_text(&w->s, e->source);
		w->counts.of[PART_EXPRESSION]++;
		break;
	}
}

void
put_conditions(struct form_writer *w, const struct condition *conditions, size_t count)
{
	put_number(&w->s, count, COUNT_SIZE);
	w->counts.of[PART_CONDITION] += count;
	for (size_t i = 0; i < count; i++) {
		const struct condition *c = &conditions[i];

		put_text(&w->s, c->name);
		put_variable(w, c->key);
		put_number(&w->s, c->count, COUNT_SIZE);
		w->counts.of[PART_EXPECTED] += c->count;
		for (size_t n = 0; n < c->count; n++)
			put_expected(w, c->op.comparison, &c->expected[n]);
	}
}

/*
 * The head.
 */

enum err
form_check(struct view form, enum form_kind kind, struct diag *why)
{
	if (form.len == 0) {
		diag_set(why, "it has no compiled form");
		return ERR_REQUEST;
	}
	if (form.data[0] == FORM_UNUSABLE) {
		diag_set(why, "%.*s", form.len <= sizeof(why->text) ? (int)form.len - 1 : 255,
		    (const char *)form.data + 1);
		return ERR_REQUEST;
	}
	if (form.data[0] != FORM_VERSION) {
		diag_set(why, "its compiled form has format %u, this program reads %d",
		    form.data[0], FORM_VERSION);
		return ERR_REQUEST;
	}
	return form.len > FORM_BYTES_MAX || form.len < 2 || form.data[1] != kind ? ERR_CORRUPT
										 : ERR_OK;
}

/* Sizes of elements. */
static void
part_sizes(const struct expressions *x_or_null, size_t size[PART_COUNT])
{
	size[PART_VARIABLE] = sizeof(struct variable_list);
	size[PART_PIECE] = sizeof(struct piece);
	size[PART_PATTERN] = sizeof(struct pattern);
	size[PART_STATEMENT] = sizeof(struct statement);
	size[PART_ACTION] = sizeof(struct action);
	size[PART_RESOURCE] = sizeof(struct resource);
	size[PART_CONDITION] = sizeof(struct condition);
	size[PART_EXPECTED] = sizeof(struct expected);
	size[PART_EXPRESSION] = x_or_null != NULL ? form_align(x_or_null->size) : 0;
}

static size_t
count_at(struct view form, size_t part)
{
	const uint8_t *at = form.data + 2 + part * COUNT_SIZE;

	return (size_t)at[0] << 8 | at[1];
}

/* Has the document of a form room for this many?  A rule has neither statements nor what
 * they consist of. */
static bool
count_fits(enum form_kind kind, enum form_part part, size_t count)
{
	if (kind == FORM_POLICY)
		return count <= POLICY_PARTS_MAX && (part != PART_EXPRESSION || count == 0);
	return count <= RULE_BYTES_MAX &&
	    ((part != PART_STATEMENT && part != PART_ACTION && part != PART_RESOURCE) ||
		count == 0);
}

enum err
form_memory(struct view form, enum form_kind kind, size_t head, const struct expressions *x_or_null,
    size_t *size, struct diag *why)
{
	size_t sizes[PART_COUNT], total = 0;
	enum err e = form_check(form, kind, why);

	*size = 0;
	if (e != ERR_OK)
		return e;
	if (form.len < HEAD_SIZE)
		return ERR_CORRUPT;
	part_sizes(x_or_null, sizes);
	*size = form_align(head) + form_align(count_at(form, PART_PIECE) * sizes[PART_PIECE]) +
	    form.len;
	for (size_t i = 0; i < PART_COUNT; i++) {
		size_t count = count_at(form, i);

		total += count;
		if (total > form.len || !count_fits(kind, (enum form_part)i, count))
			return ERR_CORRUPT;
		*size += form_align(count * sizes[i]);
	}
	return ERR_OK;
}

void
form_begin(struct form_reader *r, struct view form, size_t head,
    const struct expressions *x_or_null, void *memory)
{
	char *at = (char *)memory + form_align(head);

	memset(memory, 0, head);
	part_sizes(x_or_null, r->size);
	r->expressions = x_or_null;
	for (size_t i = 0; i < PART_COUNT; i++) {
		r->next[i] = at;
		r->left[i] = count_at(form, i);
		at += form_align(r->left[i] * r->size[i]);
	}
	r->room = (struct piece *)(void *)at;
	at += form_align(r->left[PART_PIECE] * r->size[PART_PIECE]);
	memcpy(at, form.data, form.len);
	r->s = (struct source){ .at = (const uint8_t *)at + HEAD_SIZE,
		.left = form.len - HEAD_SIZE };
}

void *
form_take(struct form_reader *r, enum form_part part, size_t count)
{
	void *at = r->next[part];

	if (r->s.failed || count > r->left[part]) {
		r->s.failed = true;
		return NULL;
	}
	memset(at, 0, count * r->size[part]);
	r->next[part] += count * r->size[part];
	r->left[part] -= count;
	return at;
}

/* The patterns of a form have no more pieces than there is room for. */
struct piece *
form_room(struct form_reader *r, size_t count)
{
	struct piece *room = r->room;

	r->room += count;
	return room;
}

bool
form_end(const struct form_reader *r)
{
	for (size_t i = 0; i < PART_COUNT; i++)
		if (r->left[i] > 0)
			return false;
	return get_end(&r->s);
}

/*
 * Reading.
 */

size_t
get_count(struct form_reader *r)
{
	return (size_t)get_number(&r->s, COUNT_SIZE);
}

void
get_variables(struct form_reader *r)
{
	r->name_count = r->left[PART_VARIABLE];
	r->names = form_take(r, PART_VARIABLE, r->name_count);
	for (size_t i = 0; i < r->name_count && !r->s.failed; i++) {
		r->names[i].variable = variable_parse(get_text(&r->s));
		r->names[i].next = i + 1 < r->name_count ? &r->names[i + 1] : NULL;
	}
	if (r->name_count == 0)
		r->names = NULL;
}

/* NULL: failed. */
static const struct variable *
get_variable(struct form_reader *r)
{
	size_t i = get_count(r);

	if (!r->s.failed && i < r->name_count)
		return &r->names[i].variable;
	r->s.failed = true;
	return NULL;
}

static void
get_piece(struct form_reader *r, struct piece *out)
{
	out->kind = (enum piece_kind)get_one_of(&r->s, PIECE_ANY + 1);
	if (out->kind == PIECE_TEXT) {
		out->text = get_text(&r->s);
		r->s.failed |= out->text.len == 0;
	} else if (out->kind == PIECE_VARIABLE) {
		out->variable = get_variable(r);
		if (out->variable != NULL)
			out->text = out->variable->name;
	} else if (r->no_wildcards) {
		r->s.failed = true;
	}
}

/* The matcher relies on what pattern_parse() gives: no text is empty, and neither two texts
 * nor two PIECE_ANY are adjacent. */
struct pattern
get_pattern(struct form_reader *r, bool folded)
{
	size_t count = get_count(r);
	struct piece *pieces = form_take(r, PART_PIECE, count);

	for (size_t i = 0; i < count && !r->s.failed; i++) {
		enum piece_kind kind;

		get_piece(r, &pieces[i]);
		kind = pieces[i].kind;
		if (i > 0 && kind == pieces[i - 1].kind &&
		    (kind == PIECE_TEXT || kind == PIECE_ANY))
			r->s.failed = true;
	}
	return r->s.failed ? (struct pattern){ .count = 0 } : pattern_of(pieces, count, folded);
}

static const struct pattern *
get_arn(struct form_reader *r)
{
	struct pattern *parts;

	if (get_one_of(&r->s, 2) == 0)
		return NULL;
	parts = form_take(r, PART_PATTERN, ARN_PARTS);
	for (size_t i = 0; i < ARN_PARTS && !r->s.failed; i++)
		parts[i] = get_pattern(r, false);
	return parts;
}

static bool
are_digits(struct view text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return true;
}

static void
get_decimal(struct form_reader *r, struct decimal *out)
{
	out->negative = get_one_of(&r->s, 2) == 1;
	out->whole = get_text(&r->s);
	out->fraction = get_text(&r->s);
	if (r->s.failed)
		return;
	r->s.failed = !are_digits(out->whole) || !are_digits(out->fraction) ||
	    (out->whole.len > 0 && out->whole.data[0] == '0') ||
	    (out->fraction.len > 0 && out->fraction.data[out->fraction.len - 1] == '0') ||
	    (out->negative && out->whole.len + out->fraction.len == 0);
}

static void
get_range(struct form_reader *r, struct address_range *out)
{
	get_array(&r->s, out->address.b, sizeof(out->address.b));
	out->bits = get_one_of(&r->s, 8 * sizeof(out->address.b) + 1);
	out->address.known = true;
}

/* It is compiled again, so that the limits of expression.h hold for any text. */
static void
get_expression(struct form_reader *r, struct expected *out)
{
	struct expression *x = form_take(r, PART_EXPRESSION, 1);

	out->source = get_text(&r->s);
	if (r->s.failed)
		return;
	r->expression_failed = r->expressions->compile(out->source, x, r->why);
	r->s.failed = r->expression_failed != ERR_OK;
	out->expression = x;
}

static void
get_expected(struct form_reader *r, const struct condition_operator *op, struct expected *out)
{
	switch (op->comparison) {
	case COMPARE_TEXT:
		out->text = get_pattern(r, op->folded);
		break;
	case COMPARE_ARN:
		out->arn = get_arn(r);
		break;
	case COMPARE_ADDRESS:
		get_range(r, &out->range);
		break;
	case COMPARE_BOOL:
	case COMPARE_NULL:
		out->truth = get_one_of(&r->s, 2) == 1;
		break;
	case COMPARE_NUMBER:
		get_decimal(r, &out->number);
		break;
	case COMPARE_DATE:
		out->date = get_time(&r->s);
		break;
	case COMPARE_EXPRESSION:
		get_expression(r, out);
		break;
	}
}

static void
get_condition(struct form_reader *r, struct condition *out)
{
	struct expected *expected;

	out->name = get_text(&r->s);
	if (r->s.failed || !operator_parse(out->name, &out->op) ||
	    (out->op.comparison == COMPARE_EXPRESSION && r->expressions == NULL)) {
		r->s.failed = true;
		return;
	}
	out->key = get_variable(r);
	out->count = get_count(r);
	out->expected = expected = form_take(r, PART_EXPECTED, out->count);
	for (size_t i = 0; i < out->count && !r->s.failed; i++)
		get_expected(r, &out->op, &expected[i]);
}

const struct condition *
get_conditions(struct form_reader *r, size_t *count)
{
	struct condition *conditions;

	*count = get_count(r);
	conditions = form_take(r, PART_CONDITION, *count);
	for (size_t i = 0; i < *count && !r->s.failed; i++)
		get_condition(r, &conditions[i]);
	return conditions;
}
