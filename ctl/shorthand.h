/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * shorthand.h - the AWS CLI's shorthand syntax, as far as our flags need it.
 *
 * key=value,key="va,lue",key='value',key=one,two,key=[one,two],key={a=b,c=d}:
 * an object of strings, lists and objects.  A backslash keeps a comma, or
 * within quotes the quote, from ending a value.  key@=file://path reads the
 * value from a file.  The result is the caller's.  Any thread.
 */
#ifndef CTL_SHORTHAND_H
#define CTL_SHORTHAND_H

#include <cjson/cJSON.h>

#include "commands.h"

/* parts: which of the members are texts, whatever they begin with; NULL: none. */
MUST_USE cJSON *shorthand_parse(const char *text, const struct part *parts, struct diag *d);

#endif
