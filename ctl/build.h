/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * build.h - the flags of a command as the members of its request.
 *
 * Reads the files that values name; connects to nothing.  Any thread.
 */
#ifndef CTL_BUILD_H
#define CTL_BUILD_H

#include <cjson/cJSON.h>

#include "arguments.h"

/* The request's members; the caller's.  NULL: usage, and why in d. */
MUST_USE cJSON *build_members(const struct arguments *a, struct diag *d);

#endif
