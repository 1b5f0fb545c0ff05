/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * form.h - makes the forms (codec_form.h) that are stored beside documents.
 *
 * Each is one allocation, released with free().  ERR_NOMEM is the only failure.  Broker
 * thread.
 */
#ifndef JITR_FORM_H
#define JITR_FORM_H

#include "jitr/core/codec_form.h"

/* Of a compiled document. */
MUST_USE enum err form_of_policy(const struct policy *p, struct view *out);
MUST_USE enum err form_of_rule(const struct rule *r, struct view *out);
MUST_USE enum err form_of_template(const struct template *t, struct view *out);

/* Of a document that was stored without a form.  If it does not compile, the form has the
 * reason. */
MUST_USE enum err form_make(enum form_kind kind, struct view document, struct view *out);

void form_free(struct view form); /* an empty one is fine */

#endif
