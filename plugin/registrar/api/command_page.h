/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_page.h - lists that are answered page by page.
 *
 * A mark is the place of the last entry of a page, and is sent as hexadecimal digits:
 * they match AWS's pattern (aws-iot 1.7, Marker).  The entry need not exist any more
 * when the next page is asked for.  The registrar's thread.
 */
#ifndef JITR_COMMAND_PAGE_H
#define JITR_COMMAND_PAGE_H

#include "jitr/adapter/json.h"
#include "jitr/core/model.h"

/* Entries of a page (aws-iot 1.6). */
enum { PAGE_MAX = 250, PAGE_DEFAULT = 25, PAGE_DEFAULT_THINGS = 50 };

/* The order of a list, and what a mark of it holds. */
enum page_key {
	KEY_CREATED_ID,
	KEY_CREATED_NAME,
	KEY_ID,
	KEY_NAME,
};

struct mark {
	int64_t created; /* ms since 1970 */
	struct certid id;
	struct view name;
};

#define MARK_BYTES (8 + NAME_MAX_LENGTH)

struct page {
	enum page_key key;
	const char *next; /* the member of the answer that holds the mark */
	size_t size;
	bool ascending, has_after;
	struct mark after;
	uint8_t bytes[MARK_BYTES]; /* after.name points into it */
};

/* AWS has two families of members: pageSize, marker, ascendingOrder; and maxResults,
 * nextToken, always ascending. */
void page_parse_markers(struct members *m, struct page *p, enum page_key key);
void page_parse_tokens(struct members *m, struct page *p, enum page_key key);

/* The name or id behind which the page begins; NULL: it is the first page. */
const struct view *page_after_name(const struct page *p);
const struct certid *page_after_id(const struct page *p);

/* Adds the mark of the last entry, where more follow. */
void page_add_mark(cJSON *data, const struct page *p, const struct mark *last);

#endif
