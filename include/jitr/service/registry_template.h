/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_template.h - changes to provisioning templates (AWS:
 * CreateProvisioningTemplate and what goes with it).
 *
 * As registry.h: look, decide, then put; an error has put nothing; writer
 * thread.  Names and bodies were checked by the caller (template_compile(),
 * which the writer must not call).  A template's body never changes.
 */
#ifndef JITR_REGISTRY_TEMPLATE_H
#define JITR_REGISTRY_TEMPLATE_H

#include "jitr/adapter/store.h"

/* name, enabled, description, role_arn and body are the caller's. */
MUST_USE enum err registry_create_template(struct txn *t, const struct provisioning_template *made,
    int64_t now, struct diag *diag);

/* NULL leaves it. */
struct template_update {
	const bool *enabled;
	const struct view *description, *role_arn;
};

MUST_USE enum err registry_update_template(struct txn *t, struct view name,
    const struct template_update *update, int64_t now, struct diag *diag);

/* ERR_ATTACHED: a CA names it. */
MUST_USE enum err registry_delete_template(struct txn *t, struct view name, struct diag *diag);

#endif
