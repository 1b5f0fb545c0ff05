/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * name.h - which texts are names, and what an attribute may say (aws-iot 1.7).
 *
 * Pure, no allocation.  Any thread.
 */
#ifndef JITR_NAME_H
#define JITR_NAME_H

#include "jitr/base.h"

/* [a-zA-Z0-9:_-]{1,128}; also of types of things and billing groups. */
bool thing_name_valid(struct view text);

/* [a-zA-Z0-9_+=,.@-]{1,128} */
bool policy_name_valid(struct view text);

/* Of a thing: [a-zA-Z0-9_.,@/:#-]{1,128}, and the same with = [ ] up to 800 bytes. */
bool attribute_name_valid(struct view text);
bool attribute_value_valid(struct view text);

#endif
