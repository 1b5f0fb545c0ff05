/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_text.c - texts that clients choose: client ids, user names, topics and filters, names
 * of things and policies, addresses, ids.
 *
 * What goes into a log line or a JSON string has no character that a terminal interprets.
 * Valid names and topics are those of plain rules that are written down here again.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/facts.h"
#include "jitr/core/json_grammar.h"
#include "jitr/core/name.h"
#include "jitr/core/text.h"
#include "jitr/core/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/*
 * Escaping.
 */

static void
check_shown(struct view out)
{
	size_t len;

	require(utf8_valid(out));
	for (; out.len > 0; out = view_from(out, len)) {
		len = utf8_next(out);
		require(len > 0 && !utf8_is_control((struct view){ out.data, len }));
	}
}

static void
check_escapes(struct view in, char *buffer, size_t size)
{
	struct text t = text_in(buffer, size);

	text_add_shown(&t, in);
	require(!t.cut && strlen(buffer) == t.len);
	check_shown(view_of(buffer));
	t = text_in(buffer, size);
	text_add_escaped(&t, in, in.len);
	check_shown(view_of(buffer));
	require(strchr(buffer, '"') == NULL);
	t = text_in(buffer, size);
	text_add_json(&t, in);
	check_shown(view_of(buffer));
	require(json_is_value(view_of(buffer), 1));
}

/* A small buffer: cut, terminated, and never inside a character. */
static void
check_cut(struct view in)
{
	char small[16];
	struct text t = text_in(small, sizeof(small));

	text_add_json(&t, in);
	require(strlen(small) == t.len && t.len < sizeof(small));
	t = text_in(small, 1 + in.len % sizeof(small));
	text_add_escaped(&t, in, in.len);
	require(strlen(small) == t.len && t.len <= in.len % sizeof(small));
}

static void
check_utf8(struct view in)
{
	struct view head = utf8_head(in, 3 + in.len / 2);
	struct place p = place_of(in, in.len);

	require(head.data == in.data && head.len <= in.len && head.len <= 3 + in.len / 2);
	require(!utf8_valid(in) || (utf8_valid(head) && utf8_length(in) <= in.len));
	require(p.line >= 1 && p.column >= 1);
	require(text_distance(in, in) == 0 || in.len > TEXT_DISTANCE_MAX);
}

/*
 * Names and topics.
 */

static bool
has_only(struct view text, const char *set, size_t least, size_t most)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == 0 || strchr(set, text.data[i]) == NULL)
			return false;
	return text.len >= least && text.len <= most;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static void
check_names(struct view in)
{
	struct certid id;
	char hex[CERTID_HEX_SIZE];

	require(thing_name_valid(in) == has_only(in, LETTERS ":_-", 1, 128));
	require(policy_name_valid(in) == has_only(in, LETTERS "_+=,.@-", 1, 128));
	require(attribute_name_valid(in) == has_only(in, LETTERS "_.,@/:#-", 1, 128));
	require(attribute_value_valid(in) == has_only(in, LETTERS "_.,@/:#=[]-", 0, 800));
	require(certid_from_hex(&id, in) == has_only(in, "0123456789abcdefABCDEF", 64, 64));
	if (!certid_from_hex(&id, in))
		return;
	certid_to_hex(&id, hex);
	require(view_equal_folded(in, view_of(hex)));
}

static bool
is_in(const char *topic, const char *tree)
{
	size_t len = strlen(tree);

	return strncmp(topic, tree, len) == 0 && (topic[len] == '\0' || topic[len] == '/');
}

static void
check_topic(const char *topic)
{
	struct view v = view_of(topic), shared = topic_shared_filter(v);
	bool ours = is_in(topic, "$CONTROL/jitr") || is_in(topic, "$aws/events") ||
	    is_in(topic, "$SYS/broker/jitr");

	require(topic_is_ours(v) == ours);
	require(topic_reserved(v) == (ours && strcmp(topic, "$CONTROL/jitr/v1") != 0));
	require(topic_is_reserved(topic) == topic_reserved(v));
	require(topic_is_aws(v) == is_in(topic, "$aws"));
	require(topic_is_foreign_control(v) ==
	    (is_in(topic, "$CONTROL") && !is_in(topic, "$CONTROL/jitr")));
	if (shared.data != NULL)
		require(strncmp(topic, "$share/", 7) == 0 && shared.data > v.data + 7 - 1 &&
		    shared.data[-1] == '/' && shared.len == strlen((const char *)shared.data));
	(void)address_parse(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = { data, size };
	size_t room = 12 * size + 16;
	char *buffer = malloc(room), *topic = calloc(1, size + 1);

	require(buffer != NULL && topic != NULL);
	if (size > 0)
		memcpy(topic, data, size);
	check_escapes(in, buffer, room);
	check_cut(in);
	check_utf8(in);
	check_names(in);
	check_topic(topic);
	free(topic);
	free(buffer);
	return 0;
}
