/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* compiler_condition.c - compiles the conditions of a statement or rule (aws-iot F.6).
 * See compiler.h. */
#include <stdio.h>
#include <string.h>

#include "compiler.h"

static void
compile_arn(struct compiler *c, struct view text, struct expected *e)
{
	struct view parts[ARN_PARTS];
	struct pattern *arn;

	if (view_equal(text, view_of("*")))
		return;
	if (!arn_split(text, c->pattern_flags != 0, parts)) {
		compiler_fail(c, "'%.*s' is not an ARN", SHOWN, (const char *)text.data);
		return;
	}
	arn = compiler_allocate(c, ARN_PARTS, sizeof(*arn));
	for (size_t i = 0; c->failed == ERR_OK && i < ARN_PARTS; i++)
		arn[i] = compile_pattern(c, parts[i], PATTERN_WILDCARDS | c->pattern_flags, false);
	e->arn = arn;
}

static void
expect(struct compiler *c, bool ok, struct view text, const char *what)
{
	if (!ok)
		compiler_fail(c, "'%.*s' is not %s", SHOWN, (const char *)text.data, what);
}

static void
compile_expected(struct compiler *c, const struct condition_operator *o, struct view text,
    struct expected *e)
{
	switch (o->comparison) {
	case COMPARE_TEXT:
		e->text = compile_pattern(c, text,
		    c->pattern_flags | (o->wildcards ? PATTERN_WILDCARDS : 0), o->folded);
		break;
	case COMPARE_ARN:
		compile_arn(c, text, e);
		break;
	case COMPARE_ADDRESS:
		expect(c, range_parse(text, &e->range), text, "an IP address or a range of them");
		break;
	case COMPARE_BOOL:
	case COMPARE_NULL:
		expect(c, bool_parse(text, &e->truth), text, "true or false");
		break;
	case COMPARE_NUMBER:
		expect(c, decimal_parse(text, &e->number), text, "a number");
		break;
	case COMPARE_DATE:
		expect(c, date_parse(text, &e->date), text, "a date");
		break;
	case COMPARE_EXPRESSION:
		e->expression = compile_expression(c, text);
		e->source = text;
		break;
	}
}

/* cJSON stores numbers as doubles; a number that lost digits is refused. */
static void
number_text(struct compiler *c, double number, char out[40])
{
	if (json_is_integer(number))
		(void)snprintf(out, 40, "%lld", (long long)number);
	else
		(void)snprintf(out, 40, "%.15g", number);
	if (strpbrk(out, "eni") != NULL)
		compiler_fail(c, "the number is too large or too small: write it as a string");
}

/* The text that a value is compared as; lives as long as the compiled document. */
static struct view
value_text(struct compiler *c, const cJSON *item)
{
	char number[40] = "";

	if (cJSON_IsString(item))
		return compiler_copy(c, view_of(item->valuestring));
	if (cJSON_IsBool(item))
		return view_of(cJSON_IsTrue(item) ? "true" : "false");
	if (cJSON_IsNumber(item))
		number_text(c, item->valuedouble, number);
	else
		compiler_fail(c, "must be a string, a boolean or a number");
	return compiler_copy(c, view_of(number));
}

/* An operator and its name as written. */
struct named_operator {
	struct condition_operator op;
	struct view name;
};

static void
compile_condition(struct compiler *c, const struct named_operator *o, const cJSON *member,
    struct condition *out)
{
	const cJSON *item = list_first(member);
	struct expected *expected;
	size_t count = list_count(member);

	expected = compiler_allocate(c, count + 1, sizeof(*expected));
	for (size_t i = 0; c->failed == ERR_OK && i < count; i++, item = item->next) {
		size_t before = place_enter_item(c, member, i);
		struct view text = value_text(c, item);

		if (c->failed == ERR_OK)
			compile_expected(c, &o->op, text, &expected[i]);
		place_leave(c, before);
	}
	*out = (struct condition){ .name = o->name,
		.op = o->op,
		.expected = expected,
		.count = count,
		.key = variable_of(c, view_of(member->string)) };
}

/* Compiles the keys of an operator, each to a condition. */
static void
compile_operator(struct compiler *c, const cJSON *member, struct condition *out)
{
	struct named_operator o = { .name = compiler_copy(c, view_of(member->string)) };

	if (!operator_parse(view_of(member->string), &o.op) ||
	    (o.op.comparison == COMPARE_EXPRESSION && !c->language->expressions)) {
		compiler_fail(c, "unknown operator");
		return;
	}
	for (const cJSON *key = member->child; c->failed == ERR_OK && key != NULL;
	     key = key->next) {
		size_t before = place_enter(c, ".%.*s", SHOWN, key->string);

		compile_condition(c, &o, key, out++);
		place_leave(c, before);
	}
}

static size_t
member_count(const cJSON *object)
{
	return (size_t)cJSON_GetArraySize(object);
}

const struct condition *
compile_conditions(struct compiler *c, const cJSON *object, size_t *count)
{
	struct condition *conditions, *next;

	*count = 0;
	if (!cJSON_IsObject(object)) {
		compiler_fail(c, "must be an object");
		return NULL;
	}
	for (const cJSON *o = object->child; o != NULL; o = o->next)
		*count += member_count(o);
	conditions = next = compiler_allocate(c, *count + 1, sizeof(*conditions));
	for (const cJSON *o = object->child; c->failed == ERR_OK && o != NULL; o = o->next) {
		size_t before = place_enter(c, ".%.*s", SHOWN, o->string);

		if (cJSON_IsObject(o))
			compile_operator(c, o, next);
		else
			compiler_fail(c, "must be an object");
		next += member_count(o);
		place_leave(c, before);
	}
	return conditions;
}
