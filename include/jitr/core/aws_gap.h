/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * aws_gap.h - operations of AWS IoT that do not exist here, and what to use instead.
 *
 * An administrator types what AWS's documentation says: an operation that AWS has is
 * not a misspelling, and the answer says so.  Constant data.  Any thread.
 */
#ifndef JITR_AWS_GAP_H
#define JITR_AWS_GAP_H

#include "jitr/core/base.h"

#define AWS_GAP_USE_MAX 2

struct aws_gap {
	const char *names; /* of operations: CreateThingGroup, with blanks between them */
	const char *why;   /* a clause */
	const char *use[AWS_GAP_USE_MAX]; /* operations that exist here; NULL: none, or no other */
};

/* Is it the same operation, in whatever spelling: create-thing, createThing, CreateThing? */
bool aws_same_name(const char *name, struct view operation);

/* NULL: AWS has no such operation, or it exists here.  name as in AWS's API, in the
 * control topic or on the command line. */
const struct aws_gap *aws_gap_find(const char *name);

#endif
