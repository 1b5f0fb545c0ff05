/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * aws_gap.h - operations of AWS IoT that this plugin does not implement, and their
 * replacements.
 *
 * With this table the answer to such an operation can say that it is not implemented,
 * instead of treating it as a misspelling.  Constant data.  Any thread.
 */
#ifndef JITR_AWS_GAP_H
#define JITR_AWS_GAP_H

#include "jitr/core/base.h"

#define AWS_GAP_USE_MAX 2

struct aws_gap {
	const char *names; /* of operations: "CreateThingGroup DeleteThingGroup" */
	const char *why;   /* why they are missing: a clause */

	/* Implemented operations to use instead; NULL for unused elements. */
	const char *use[AWS_GAP_USE_MAX];
};

/* Compares operation names in any spelling: create-thing, createThing, CreateThing. */
bool aws_same_name(const char *name, struct view operation);

/* Looks up an operation by its name in AWS's API, in the control topic or on the
 * command line.  NULL: AWS has no such operation, or the plugin implements it. */
const struct aws_gap *aws_gap_find(const char *name);

#endif
