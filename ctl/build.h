/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * build.h - converts the flags of a command to the members of its request.
 *
 * Reads the files named by values; does not connect.  Any thread.
 */
#ifndef CTL_BUILD_H
#define CTL_BUILD_H

#include <cjson/cJSON.h>

#include "arguments.h"

/* The members of the request, owned by the caller.  NULL: usage error, *d has the
 * reason. */
MUST_USE cJSON *build_members(const struct arguments *a, struct diag *d);

#endif
