/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report_text.h - the members of log lines: key=value for the broker's log, and JSON for the
 * log file, one object per line with the members of aws-iot H.1.  Private.
 */
#ifndef JITR_REPORT_TEXT_H
#define JITR_REPORT_TEXT_H

#include "jitr/core/text.h"

#include "report_private.h"

/* The broker cuts a line at 1000 bytes (mosquitto section 0, 19). */
#define LINE_SIZE      960
#define JSON_LINE_SIZE 8192

/* At most this many bytes of a client's text are shown. */
#define CLIENT_ID_SHOWN 128
#define SUBJECT_SHOWN   256
#define TOPIC_SHOWN     256

/* Of the user name and client id of an administrator. */
#define REQUEST_NAME_SHOWN 80

/* Of details: in a line of their own, and in a line with a client's text. */
#define DETAILS_SHOWN       320
#define DETAILS_SHOWN_SHORT 80

/* The first max bytes. */
struct view text_head(const char *text, size_t max);

/*
 * The broker's log.
 */

/* ' name=<hex>'; id NULL: ' name=-'. */
void line_id(struct text *t, const char *name, const struct certid *id);

/* The value escaped and cut to max bytes, followed by "..." if it was cut. */
void line_bytes(struct text *t, const char *value, size_t max);

/* ' name="value"', as line_bytes(). */
void line_text(struct text *t, const char *name, const char *value, size_t max);

/* ' reason="words: details"'; details NULL: the words alone. */
void line_reason(struct text *t, const char *words, const char *details, size_t max);

/* The reason and its code. */
void line_refusal(struct text *t, enum reason reason, const char *details);

/*
 * The log file.
 */

/* Timestamp, level, trace id, account, status, event type. */
void json_begin(struct report *r, struct text *t, bool success, const char *level,
    const char *event);
void json_member(struct text *t, const char *name, struct view value);
void json_id(struct text *t, const char *name, const struct certid *id); /* NULL: no member */

/* "reason": the code; "details": "words: details".  words or details may be NULL. */
void json_reason(struct text *t, const char *code, const char *words, const char *details);

/* Ends the line and writes it to the file.  A line that was cut is dropped. */
void json_end(struct report *r, struct text *t);

#endif
