/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json_grammar.h - is this a text that cJSON reads?
 *
 * cJSON answers NULL both for what is no JSON and where it has no memory.  What it refused
 * although it is of this grammar, it refused for want of memory.  So the grammar is
 * cJSON's, which is somewhat laxer than RFC 8259: control characters in strings, zeros in
 * front of numbers.
 *
 * Pure, no allocation.  Any thread.
 */
#ifndef JITR_JSON_GRAMMAR_H
#define JITR_JSON_GRAMMAR_H

#include "jitr/core/base.h"

/* Does a value stand at the beginning of text?  Nested more deeply than depth_max: no. */
MUST_USE bool json_is_value(struct view text, size_t depth_max);

#endif
