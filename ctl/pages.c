/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pages.c - see pages.h.
 *
 * One thread.
 */
#include "pages.h"

#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "value.h"

#define PAGE_SIZE 250 /* the service's maximum (aws-iot 1.6) */

/* Names of the paging members. */
struct paging {
	const char *size, *from, *next;
};

static const struct paging by_marker = { "pageSize", "marker", "nextMarker" };
static const struct paging by_token = { "maxResults", "nextToken", "nextToken" };

struct list {
	struct job *job;
	const struct paging *paging;
	cJSON *entries; /* of all pages so far */
	size_t count;
	int page_size;
	int max_items; /* 0: all */
	char *marker;  /* of the next page; NULL: no more */
};

MUST_USE static bool
set_member(cJSON *object, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, name);
	if (value != NULL && cJSON_AddItemToObject(object, name, value))
		return true;
	cJSON_Delete(value);
	return false;
}

/* A page never exceeds the number of entries still wanted, so its marker is where a
 * later command has to continue. */
MUST_USE static bool
next_request(struct list *l)
{
	cJSON *members = l->job->members;
	int size = l->page_size;

	if (l->max_items > 0 && (size_t)size > (size_t)l->max_items - l->count)
		size = (int)((size_t)l->max_items - l->count);
	return set_member(members, l->paging->size, cJSON_CreateNumber(size)) &&
	    (l->marker == NULL ||
		set_member(members, l->paging->from, cJSON_CreateString(l->marker)));
}

MUST_USE static bool
take_entries(struct list *l, const cJSON *data)
{
	cJSON *page = cJSON_GetObjectItemCaseSensitive(data, l->job->arguments.command->list);

	while (page != NULL && page->child != NULL) {
		cJSON *entry = cJSON_DetachItemViaPointer(page, page->child);

		if (!cJSON_AddItemToArray(l->entries, entry)) {
			cJSON_Delete(entry);
			return false;
		}
		l->count++; /* counting with cJSON each time would be quadratic */
	}
	return true;
}

/* Reads the marker of the next page.  It must differ from the current one, otherwise
 * the loop would not end. */
MUST_USE static bool
take_marker(struct list *l, const cJSON *data)
{
	const cJSON *behind = cJSON_GetObjectItemCaseSensitive(data, l->paging->next);
	const char *next = cJSON_GetStringValue(behind);
	char *old = l->marker;
	bool ok = true;

	l->marker = NULL;
	if (next != NULL && old != NULL && strcmp(next, old) == 0) {
		diag_set(&l->job->why, "the plugin returned the same page twice");
		ok = false;
	} else if (next != NULL && next[0] != '\0') {
		l->marker = strdup(next);
		ok = l->marker != NULL;
	}
	free(old);
	return ok;
}

MUST_USE static enum status
fetch_pages(struct list *l)
{
	const char *operation = l->job->arguments.command->operation;

	do {
		enum status status;
		cJSON *answer;
		bool ok;

		if (!next_request(l))
			return job_fail("out of memory");
		status = job_ask(l->job, operation, l->job->members, &answer);
		if (status != STATUS_DONE)
			return status;
		diag_set(&l->job->why, "out of memory"); /* default, unless these functions
							  * set a reason */
		ok = take_entries(l, answer_data(answer)) && take_marker(l, answer_data(answer));
		cJSON_Delete(answer);
		if (!ok)
			return job_fail(l->job->why.text);
		job_progress(l->job, l->job->arguments.command->list, l->count);
	} while (l->marker != NULL && (l->max_items == 0 || l->count < (size_t)l->max_items));
	return STATUS_DONE;
}

/* As the AWS CLI: in text format, NextToken is a separate last record. */
MUST_USE static enum status
show_list(struct list *l)
{
	const struct job *j = l->job;
	cJSON *all = cJSON_CreateObject();
	cJSON *token = all;
	bool ok = all != NULL && set_member(all, j->arguments.command->list, l->entries);
	enum status status = STATUS_DONE;

	if (all != NULL)
		l->entries = NULL; /* added or freed */
	if (ok && j->output == OUTPUT_TEXT && l->marker != NULL) {
		status = job_show(j, all);
		cJSON_DeleteItemFromObjectCaseSensitive(all, j->arguments.command->list);
		token = cJSON_AddObjectToObject(all, "NextToken");
	}
	if (ok && l->marker != NULL)
		ok = cJSON_AddStringToObject(token, "NextToken", l->marker) != NULL;
	if (ok && status == STATUS_DONE)
		status = job_show(j, all);
	cJSON_Delete(all);
	return ok ? status : job_fail("out of memory");
}

/* pages_check() has validated the values. */
MUST_USE static bool
read_limits(struct list *l)
{
	const struct given *size = job_given(l->job, "page-size");
	const struct given *most = job_given(l->job, "max-items");
	const struct given *from = job_given(l->job, "starting-token");
	struct diag *d = &l->job->why;

	l->page_size = PAGE_SIZE;
	if ((size != NULL && !value_number(size->value, &l->page_size, d)) ||
	    (most != NULL && !value_number(most->value, &l->max_items, d)))
		return false;
	if (from == NULL)
		return true;
	l->marker = strdup(from->value);
	if (l->marker == NULL)
		diag_set(d, "out of memory");
	return l->marker != NULL;
}

/* The flag that requests a single page; NULL: fetch all.  As in the AWS CLI, a flag
 * that is itself a member of the request is one: --page-size of lists with pageSize,
 * but not of lists with maxResults (check_should_enable_pagination() in its
 * customizations/paginate.py). */
static const char *
one_page_flag(const struct job *j)
{
	static const char *const names[] = { "no-paginate", "marker", "next-token", "max-results",
		"page-size" };
	size_t count = COUNT_OF(names) - j->arguments.command->tokens;

	for (size_t i = 0; i < count; i++) {
		if (job_given(j, names[i]) != NULL)
			return names[i];
	}
	return NULL;
}

bool
pages_wanted(const struct job *j)
{
	return j->arguments.command->list != NULL && one_page_flag(j) == NULL;
}

/* The AWS CLI checks the minimum of a number, not the maximum. */
MUST_USE static bool
check_number(struct job *j, const char *name)
{
	const struct given *given = job_given(j, name);
	struct diag why = { "" };
	int number;

	if (given == NULL)
		return true;
	if (!value_number(given->value, &number, &why))
		diag_set(&j->why, "argument --%s: %s", name, why.text);
	else if (number < 1)
		diag_set(&j->why, "argument --%s: Invalid value: '%s', valid min value: 1", name,
		    given->value);
	else
		return true;
	return false;
}

bool
pages_check(struct job *j)
{
	static const char *const names[] = { "starting-token", "max-items" };
	const char *one = one_page_flag(j);

	for (size_t i = 0; one != NULL && i < COUNT_OF(names); i++) {
		if (job_given(j, names[i]) == NULL)
			continue;
		diag_set(&j->why,
		    "Cannot specify --no-paginate along with pagination arguments: "
		    "--%s (--%s asks for one page)",
		    names[i], one);
		return false;
	}
	return check_number(j, "max-items") && check_number(j, "page-size") &&
	    check_number(j, "max-results");
}

enum status
pages_show(struct job *j)
{
	struct list l = { .job = j, .entries = cJSON_CreateArray() };
	enum status status;

	if (l.entries == NULL)
		return job_fail("out of memory");
	l.paging = j->arguments.command->tokens ? &by_token : &by_marker;
	status = read_limits(&l) ? fetch_pages(&l) : job_fail(j->why.text);
	if (status == STATUS_DONE)
		status = show_list(&l);
	cJSON_Delete(l.entries);
	free(l.marker);
	return status;
}
