/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json_grammar.h - tests whether a text is JSON that cJSON accepts.
 *
 * cJSON returns NULL both for invalid JSON and if it is out of memory.  If cJSON fails
 * on a text that this grammar accepts, the cause was memory.  The grammar is therefore
 * cJSON's, which is less strict than RFC 8259: control characters in strings, leading
 * zeros in numbers.
 *
 * Pure, no allocation.  Any thread.
 */
#ifndef JITR_JSON_GRAMMAR_H
#define JITR_JSON_GRAMMAR_H

#include "jitr/core/base.h"

/* Does text begin with a JSON value?  False if it is nested more deeply than depth_max. */
MUST_USE bool json_is_value(struct view text, size_t depth_max);

#endif
