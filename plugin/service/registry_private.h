/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_private.h - what the registry*.c files share.  Not for anybody else. */
#ifndef JITR_REGISTRY_PRIVATE_H
#define JITR_REGISTRY_PRIVATE_H

#include "jitr/store.h"

/* ERR_NOT_FOUND in AWS's words. */
MUST_USE enum err registry_get_cert(struct txn *t, const struct certid *id, struct cert *cert,
    struct diag *diag);

#endif
