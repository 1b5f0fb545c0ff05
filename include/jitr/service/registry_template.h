/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_template.h - changes to provisioning templates (AWS: CreateProvisioningTemplate
 * and the related operations).
 *
 * As registry.h: read, decide, then put.  The caller has checked names and bodies with
 * template_compile(), and passes the compiled form (codec_form.h) with the body.  A template's
 * body never changes.
 */
#ifndef JITR_REGISTRY_TEMPLATE_H
#define JITR_REGISTRY_TEMPLATE_H

#include "jitr/adapter/store.h"

/* The caller sets name, enabled, description, role_arn, body and form. */
MUST_USE enum err registry_create_template(struct txn *t, const struct provisioning_template *made,
    int64_t now, struct diag *diag);

/* NULL: unchanged. */
struct template_update {
	const bool *enabled;
	const struct view *description, *role_arn;
};

MUST_USE enum err registry_update_template(struct txn *t, struct view name,
    const struct template_update *update, int64_t now, struct diag *diag);

/* ERR_ATTACHED: a CA names it. */
MUST_USE enum err registry_delete_template(struct txn *t, struct view name, struct diag *diag);

#endif
