/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_expression.c - regular expressions against values: the expression is the first line,
 * the value the rest.
 *
 * An accepted expression matches as libc's does between ^( and )$, within the limits of memory
 * and time.
 */
#include <locale.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"

#include "jitr/adapter/expression.h"
#include "jitr/core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_ascii(struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.data[i] >= 0x80)
			return false;
	return true;
}

/* The answer of libc in this locale; -1: there is none. */
static int
plain(const char *locale, struct view text, struct view value)
{
	char expression[EXPRESSION_MAX + 8], copy[EXPRESSION_VALUE_MAX + 1];
	locale_t l = newlocale(LC_ALL_MASK, locale, (locale_t)0), before;
	regex_t regex;
	int code;

	if (l == (locale_t)0)
		return -1;
	(void)snprintf(expression, sizeof(expression), "^(%.*s)$", (int)text.len,
	    (const char *)text.data);
	memcpy(copy, value.data, value.len);
	copy[value.len] = '\0';
	before = uselocale(l);
	code = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);
	if (code == 0) {
		code = regexec(&regex, copy, 0, NULL, 0);
		regfree(&regex);
		code = code == 0 ? 1 : code == REG_NOMATCH ? 0 : -1;
	} else {
		abort();
	}
	(void)uselocale(before);
	freelocale(l);
	return code;
}

/* Letters beyond ASCII have no class here, but one in a UTF-8 locale. */
static void
compare(struct view text, struct view value, enum truth t)
{
	bool ascii = is_ascii(text) && is_ascii(value);
	int expected;

	if (!ascii && memchr(text.data, '[', text.len) != NULL &&
	    memchr(text.data, ':', text.len) != NULL)
		return;
	expected = plain(ascii ? "C" : "C.UTF-8", text, value);
	if (expected >= 0 && t != (expected > 0 ? TRUTH_YES : TRUTH_NO))
		abort();
}

static void
match(const struct expression *e, struct view text, struct view value)
{
	struct context context = { .steps = STEPS_MAX }, again = { .steps = STEPS_MAX };
	enum truth t = expression_match(e, value, &context);

	if (expression_match(e, value, &again) != t || again.steps != context.steps)
		abort();
	if (t == TRUTH_HIDDEN) {
		if (value.len <= 64 && utf8_valid(value) &&
		    (value.len == 0 || memchr(value.data, '\0', value.len) == NULL))
			abort();
		return;
	}
	again.steps = STEPS_MAX - context.steps - 1;
	if (expression_match(e, value, &again) != TRUTH_HIDDEN)
		abort();
	compare(text, value, t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view value = { data, size }, text = cut_line(&value);
	struct diag diag = { "" };
	struct expression e;
	enum err failed = expression_compile(text, &e, &diag);

	if (failed == ERR_REQUEST && diag.text[0] == '\0')
		abort();
	if (failed == ERR_OK)
		match(&e, text, value);
	return 0;
}
