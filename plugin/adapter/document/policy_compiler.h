/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_compiler.h - shared by the policy_*.c files of this folder.  The registrar's thread.
 */
#ifndef JITR_POLICY_COMPILER_H
#define JITR_POLICY_COMPILER_H

#include "compiler.h"

#include "jitr/core/policy_form.h"

/* Compiles a string to at, a struct resource. */
void compile_resource(struct compiler *c, const cJSON *item, void *at);

void compile_statement(struct compiler *c, struct policy *p, const cJSON *object,
    struct statement *s);

#endif
