/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_policy.h - changes to policies and their attachments.
 *
 * As registry.h: read, decide, then put; an error has put nothing.  The rules are aws-iot A.4
 * and A.5.  The caller has checked documents and names with policy_compile(), and passes the
 * compiled form (codec_form.h) with each document.
 */
#ifndef JITR_REGISTRY_POLICY_H
#define JITR_REGISTRY_POLICY_H

#include "jitr/adapter/store.h"

#define POLICY_VERSIONS_MAX   5 /* aws-iot appendix 1 */
#define POLICIES_PER_CERT_MAX 10

struct new_policy_version {
	struct view document, form;
	bool set_default; /* of a further version; the first one is the default */
};

MUST_USE enum err registry_create_policy(struct txn *t, struct view name,
    const struct new_policy_version *first, int64_t now, struct diag *diag);
MUST_USE enum err registry_delete_policy(struct txn *t, struct view name, struct diag *diag);

/* *number: of the new version.  The policy's modification date changes only when another
 * version becomes the default. */
MUST_USE enum err registry_create_policy_version(struct txn *t, struct view name,
    const struct new_policy_version *made, int64_t now, uint32_t *number, struct diag *diag);
MUST_USE enum err registry_set_default_policy_version(struct txn *t, struct view name,
    uint32_t number, int64_t now, struct diag *diag);
MUST_USE enum err registry_delete_policy_version(struct txn *t, struct view name, uint32_t number,
    struct diag *diag);

/* Attaching a policy that is attached succeeds without a change; detaching one that is not
 * attached is ERR_NOT_FOUND (aws-iot J row 15). */
MUST_USE enum err registry_attach_policy(struct txn *t, struct view name, const struct certid *id,
    struct diag *diag);
MUST_USE enum err registry_detach_policy(struct txn *t, struct view name, const struct certid *id,
    struct diag *diag);

#endif
