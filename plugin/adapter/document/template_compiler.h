/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template_compiler.h - what the template_*.c files of this folder share.  Private.
 */
#ifndef JITR_TEMPLATE_COMPILER_H
#define JITR_TEMPLATE_COMPILER_H

#include "compiler.h"

#include "jitr/core/template_form.h"

#define PSEUDO_ID "AWS::IoT::Certificate::Id"

/* What is needed besides the place and the memory. */
struct reader {
	struct compiler c;
	struct template *t;
	const cJSON *parameters; /* NULL: there are none */
	const struct arn_scope *scope;
};

/* A string or {"Ref": parameter}. */
void compile_value(struct reader *r, const cJSON *value, const struct text_kind *kind,
    struct template_value *out);

/* A property, if it is there. */
void compile_property(struct reader *r, const cJSON *properties, const char *name,
    const struct text_kind *kind, struct template_value *out);

/* NULL: they are missing. */
void compile_resources(struct reader *r, const cJSON *resources);

#endif
