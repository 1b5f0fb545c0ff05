/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_compiler.h - what policy_compile.c, which reads the document, and
 * policy_statement.c, which reads a statement of it, share.  Private.  Broker thread.
 */
#ifndef JITR_POLICY_COMPILER_H
#define JITR_POLICY_COMPILER_H

#include "compiler.h"

#include "jitr/core/policy_form.h"

void compile_statement(struct compiler *c, struct policy *p, const cJSON *object,
    struct statement *s);

#endif
