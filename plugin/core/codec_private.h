/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec_private.h - shared by the codec*.c files: fields of records.
 *
 * Both directions have sticky errors: a record is a list of fields, and the result is
 * checked once at the end.  Every record has exactly one encoding, so an accepted
 * record would be encoded to the same bytes, unless it is in the format of an older schema.
 */
#ifndef JITR_CODEC_PRIVATE_H
#define JITR_CODEC_PRIVATE_H

#include "jitr/core/codec.h"

#define LENGTH_SIZE 4 /* of the length before a text */

/* Destination of an encoding. */
struct sink {
	uint8_t *at; /* NULL: only the length is found */
	size_t left, len;
	bool failed;
};

void put_bytes(struct sink *s, const uint8_t *bytes, size_t len);
void put_number(struct sink *s, uint64_t value, size_t size);
void put_one_of(struct sink *s, unsigned value, unsigned count);
void put_time(struct sink *s, int64_t ms);
void put_created(struct sink *s, int64_t ms); /* fails before 1970 */
void put_text(struct sink *s, struct view text);
void put_name(struct sink *s, struct view name);
size_t put_end(const struct sink *s); /* the length written; 0: no encoding */

/* Source of a decoding. */
struct source {
	const uint8_t *at;
	size_t left;
	bool failed;
};

void get_array(struct source *s, uint8_t *out, size_t len);
uint64_t get_number(struct source *s, size_t size);
unsigned get_one_of(struct source *s, unsigned count);
int64_t get_time(struct source *s);
int64_t get_created(struct source *s);
struct view get_view(struct source *s, size_t len);
struct view get_text(struct source *s);
void get_format(struct source *s, uint8_t known);

/*
 * A record with a compiled form (codec_form.h) is of format 2, which has the form behind
 * the other fields.  Without one it is of format 1, which ends before.
 */
void put_format_of(struct sink *s, struct view form);
void put_form(struct sink *s, struct view form);
size_t form_field_size(struct view form);
bool get_format_of(struct source *s); /* is there a form? */
struct view get_form(struct source *s, bool exists);
bool get_end(const struct source *s); /* everything read successfully, nothing left? */

#endif
