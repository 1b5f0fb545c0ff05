/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template_compiler.h - shared by the template_*.c files of this folder.
 */
#ifndef JITR_TEMPLATE_COMPILER_H
#define JITR_TEMPLATE_COMPILER_H

#include "compiler.h"

#include "jitr/core/template_form.h"

#define PSEUDO_ID "AWS::IoT::Certificate::Id"

/* State in addition to the compiler's. */
struct template_compiler {
	struct compiler c;
	struct template *t;
	const cJSON *parameters; /* NULL: none */
	const struct arn_scope *scope;
};

/* A string or {"Ref": parameter}. */
void compile_value(struct template_compiler *r, const cJSON *value, const struct text_kind *kind,
    struct template_value *out);

/* A property, if present. */
void compile_property(struct template_compiler *r, const cJSON *properties, const char *name,
    const struct text_kind *kind, struct template_value *out);

/* NULL: missing. */
void compile_resources(struct template_compiler *r, const cJSON *resources);

#endif
