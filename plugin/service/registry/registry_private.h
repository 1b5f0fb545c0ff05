/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_private.h - shared by the registry*.c files.  Private. */
#ifndef JITR_REGISTRY_PRIVATE_H
#define JITR_REGISTRY_PRIVATE_H

#include "jitr/adapter/store.h"

/* The arguments of "%.*s". */
#define NAME_ARGS(name) (int)(name).len, (const char *)(name).data

/* ERR_NOT_FOUND and *diag: AWS's message. */
MUST_USE enum err registry_get_cert(struct txn *t, const struct certid *id, struct cert *cert,
    struct diag *diag);

/* registry_thing.c: the limits of a thing and of its attachments. */
MUST_USE enum err thing_check_attributes(const struct thing *thing, struct diag *diag);
bool thing_same(const struct thing *a, const struct thing *b);
MUST_USE enum err thing_check_exclusive(struct txn *t, struct view name, const struct certid *id,
    enum principal_type type, struct diag *diag);

#endif
