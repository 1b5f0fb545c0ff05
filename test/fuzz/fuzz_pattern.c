/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_pattern.c - patterns against texts: pattern, value of ${iot:ClientId} and text are
 * three lines.
 *
 * The answer is that of a simple recursion over the same parts, where that ends soon enough.
 */
#include <stdlib.h>
#include <string.h>

#include "line.h"

#include "jitr/core/pattern.h"
#include "jitr/core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES_MAX 64
#define PLAIN_MAX  200000

static struct view
behind(struct view v, size_t n)
{
	return (struct view){ v.data + n, v.len - n };
}

/* -1: it took too long. */
static int
plain(const struct piece *p, size_t count, struct view s, const struct facts *f, unsigned *calls)
{
	struct view text = { NULL, 0 };
	size_t one = utf8_next(s);
	int found;

	if (++*calls > PLAIN_MAX)
		return -1;
	if (count == 0)
		return s.len == 0;
	one = one == 0 && s.len > 0 ? 1 : one;
	if (p->kind == PIECE_ANY) {
		found = plain(p + 1, count - 1, s, f, calls);
		return found != 0 || s.len == 0 ? found : plain(p, count, behind(s, one), f, calls);
	}
	if (p->kind == PIECE_ONE)
		return s.len > 0 ? plain(p + 1, count - 1, behind(s, one), f, calls) : 0;
	text = p->kind == PIECE_TEXT ? p->text : variable_value(p->variable, f);
	if (text.data == NULL || text.len > s.len ||
	    !view_equal(text, (struct view){ s.data, text.len }) ||
	    (p->kind == PIECE_VARIABLE && !variable_may_replace(p->variable, f, text)))
		return 0;
	return plain(p + 1, count - 1, behind(s, text.len), f, calls);
}

static void
match(const struct pattern *p, struct view text, const struct facts *f)
{
	unsigned calls = 0;
	int expected = plain(p->pieces, p->count, text, f, &calls);

	for (size_t cut = 0; cut <= text.len && cut < 3; cut++) {
		struct context c = { .facts = f, .steps = STEPS_MAX };
		struct subject s = { { text.data, 0 }, text };
		enum truth t;

		/* a split character would be two */
		if (cut > 0 && cut < text.len && (text.data[cut] & 0xc0) == 0x80)
			continue;
		s.prefix.len = cut;
		s.name = behind(text, cut);
		t = pattern_match(p, &s, &c);
		if (expected >= 0 && t != (expected > 0 ? TRUTH_YES : TRUTH_NO))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = { data, size }, pattern = cut_line(&rest), value = cut_line(&rest);
	struct facts f = { .client_id = value, .source_text = view_of("192.0.2.1") };
	struct piece pieces[PIECES_MAX];
	struct variable variables[PIECES_MAX];
	uint8_t *bytes = malloc(pattern.len + 1);
	size_t count;

	/* other text than UTF-8 is refused earlier */
	if (bytes != NULL && utf8_valid(pattern) && utf8_valid(value) &&
	    pattern_parse(pattern, PATTERN_WILDCARDS | PATTERN_VARIABLES, NULL, NULL, &count) &&
	    count <= PIECES_MAX &&
	    pattern_parse(pattern, PATTERN_WILDCARDS | PATTERN_VARIABLES, bytes, pieces, &count)) {
		for (size_t i = 0; i < count; i++) {
			if (pieces[i].kind == PIECE_VARIABLE) {
				variables[i] = variable_parse(pieces[i].text);
				pieces[i].variable = &variables[i];
			}
		}
		match(&(struct pattern){ .pieces = pieces,
			  .count = count,
			  .least = pattern_of(pieces, count, false).least },
		    rest, &f);
	}
	free(bytes);
	return 0;
}
