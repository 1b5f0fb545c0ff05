/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * shorthand.h - the AWS CLI's shorthand syntax, as far as the flags need it.
 *
 * key=value,key="va,lue",key='value',key=one,two,key=[one,two],key={a=b,c=d}: an object
 * of strings, lists and objects.  A backslash escapes a comma, or inside quotes the
 * quote.  key@=file://path reads the value from a file.  The caller owns the result.
 * Any thread.
 */
#ifndef CTL_SHORTHAND_H
#define CTL_SHORTHAND_H

#include <cjson/cJSON.h>

#include "commands.h"

/* parts: the members that are texts, whatever they begin with; NULL: none. */
MUST_USE cJSON *shorthand_parse(const char *text, const struct part *parts, struct diag *d);

#endif
