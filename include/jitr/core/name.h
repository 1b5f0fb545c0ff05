/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * name.h - validates names and attributes (aws-iot 1.7).
 *
 * Pure, no allocation.  Any thread.
 */
#ifndef JITR_NAME_H
#define JITR_NAME_H

#include "jitr/core/base.h"

/* Things, thing types and billing groups. */
bool thing_name_valid(struct view text);
#define THING_NAME_WORDS "1 to 128 of a-z A-Z 0-9 : _ -"

bool policy_name_valid(struct view text);
#define POLICY_NAME_WORDS "1 to 128 of a-z A-Z 0-9 _ + = , . @ -"

/* Attributes of things. */
bool attribute_name_valid(struct view text);
bool attribute_value_valid(struct view text);
#define ATTRIBUTE_NAME_WORDS  "1 to 128 of a-z A-Z 0-9 _ . , @ / : # -"
#define ATTRIBUTE_VALUE_WORDS "up to 800 of a-z A-Z 0-9 _ . , @ / : # = [ ] -"

/* Hint for error messages: values of certificate fields contain backslashes (facts.h),
 * which no name may contain. */
#define ESCAPED_WORDS "values from a certificate have a \\ before characters such as , and ="

#endif
