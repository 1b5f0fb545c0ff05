/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec_form.h - compiled policies, rules and templates as bytes: forms.
 *
 * A form is stored beside its document, so that evaluating it needs no compiler.  It has
 * what the document says, checked and parsed; what follows from that is derived by the
 * decoder, with the functions of the compiler (policy_form.h).  It does not depend on the
 * configuration.  doc/storage.md documents the bytes.
 *
 * A document that does not compile has a form too: it says why, and does not decode.
 *
 * Decoding is pure: the memory is the caller's, aligned as malloc() aligns it.  What is
 * decoded is in that memory, with a copy of the form, and is valid until it is freed.
 * Any bytes are safe to decode, and what decodes is safe to evaluate.  Any thread.
 */
#ifndef JITR_CODEC_FORM_H
#define JITR_CODEC_FORM_H

#include "jitr/core/policy.h"
#include "jitr/core/pattern.h"
#include "jitr/core/rule.h"
#include "jitr/core/template.h"

#define FORM_VERSION   1
#define FORM_BYTES_MAX (2 * POLICY_BYTES_MAX)

enum form_kind {
	FORM_POLICY = 1,
	FORM_RULE,
	FORM_TEMPLATE,
};

/* Encode into room bytes and return the length.  out NULL: only return the length.  0:
 * larger than any document of the compiler. */
size_t policy_encode(const struct policy *p, uint8_t *out, size_t room);
size_t rule_encode(const struct rule *r, uint8_t *out, size_t room);
size_t template_encode(const struct template *t, uint8_t *out, size_t room);

/* The form of a document that does not compile; out has room for
 * unusable_form_size(reason) bytes. */
size_t unusable_form_size(const char *reason);
void unusable_form_encode(const char *reason, uint8_t *out);

/*
 * Bytes of memory needed to decode a form.  ERR_REQUEST: it cannot be used, *why has the
 * reason: the document does not compile, there is no form, or it was made by another
 * version.  ERR_CORRUPT: it is damaged.  The decoders return ERR_CORRUPT for what is
 * damaged further on.
 */
MUST_USE enum err policy_memory(struct view form, size_t *size, struct diag *why);
MUST_USE enum err policy_decode(struct view form, const struct arn_scope *scope, void *memory,
    struct policy **out);

/* x: the regular expressions of its conditions (expression.h).  rule_decode() also returns
 * their ERR_NOMEM, and ERR_REQUEST for one that is not accepted any more. */
MUST_USE enum err rule_memory(struct view form, const struct expressions *x, size_t *size,
    struct diag *why);
MUST_USE enum err rule_decode(struct view form, const struct expressions *x, void *memory,
    struct rule **out, struct diag *why);

MUST_USE enum err template_memory(struct view form, size_t *size, struct diag *why);
MUST_USE enum err template_decode(struct view form, void *memory, struct template **out);

#endif
