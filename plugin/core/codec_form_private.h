/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec_form_private.h - shared by the codec_form*.c files: the head of a form, and what
 * policies and rules have in common.
 */
#ifndef JITR_CODEC_FORM_PRIVATE_H
#define JITR_CODEC_FORM_PRIVATE_H

#include "codec_private.h"

#include "jitr/core/codec_form.h"
#include "jitr/core/condition.h"

/* Arrays of a decoded policy or rule.  The head has their lengths. */
enum form_part {
	PART_VARIABLE,
	PART_PIECE,
	PART_PATTERN, /* of ARNs in conditions */
	PART_STATEMENT,
	PART_ACTION,
	PART_RESOURCE,
	PART_CONDITION,
	PART_EXPECTED,
	PART_EXPRESSION,
	PART_COUNT
};

struct form_counts {
	size_t of[PART_COUNT];
};

/* Writing.  The counts grow with what is written. */
struct form_writer {
	struct sink s;
	struct form_counts counts;
	const struct variable_list *names;
};

void put_form_head(struct form_writer *w, enum form_kind kind, const struct form_counts *counts);
void put_variables(struct form_writer *w);
void put_pattern(struct form_writer *w, const struct pattern *p);
void put_conditions(struct form_writer *w, const struct condition *conditions, size_t count);

/* Reading. */
struct form_reader {
	struct source s; /* over the copy of the form */
	char *next[PART_COUNT];
	size_t left[PART_COUNT];
	size_t size[PART_COUNT]; /* of an element, in bytes */
	struct piece *room;      /* for as many pieces as PART_PIECE has */
	struct variable_list *names;
	size_t name_count;
	bool no_wildcards;                     /* patterns consist of text and variables */
	const struct expressions *expressions; /* NULL: there are none */
	enum err expression_failed;
	struct diag *why;
};

/* Is this a form of this version and kind? */
MUST_USE enum err form_check(struct view form, enum form_kind kind, struct diag *why);

/* Memory for a struct of this size, the arrays and the copy. */
MUST_USE enum err form_memory(struct view form, enum form_kind kind, size_t head,
    const struct expressions *x_or_null, size_t *size, struct diag *why);

/* Divides the memory; reads the head.  The memory is as large as form_memory() says. */
void form_begin(struct form_reader *r, struct view form, size_t head,
    const struct expressions *x_or_null, void *memory);

/* The next elements of an array; NULL: there are fewer. */
void *form_take(struct form_reader *r, enum form_part part, size_t count);

/* Room for the pieces of a pattern that was read. */
struct piece *form_room(struct form_reader *r, size_t count);

/* Was everything read, and every array filled? */
bool form_end(const struct form_reader *r);

size_t get_count(struct form_reader *r);
void get_variables(struct form_reader *r);
struct pattern get_pattern(struct form_reader *r, bool folded);
const struct condition *get_conditions(struct form_reader *r, size_t *count);

/* Rounds up, so that what follows is aligned. */
size_t form_align(size_t size);

#endif
