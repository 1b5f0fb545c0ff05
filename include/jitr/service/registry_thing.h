/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_thing.h - changes to things and the certificates attached to them.
 *
 * As registry.h: read, decide, then put; an error has put nothing; the registrar's thread.  The rules
 * are aws-iot A.6.  The caller has checked the characters of names and attributes.  Thing
 * types and billing groups are names only; they need not be created first.
 */
#ifndef JITR_REGISTRY_THING_H
#define JITR_REGISTRY_THING_H

#include "jitr/adapter/store.h"

/* The caller sets name, type_name, billing_group and attributes.  If the same thing exists,
 * nothing changes and that is no error.  *id: its thingId in both cases. */
MUST_USE enum err registry_create_thing(struct txn *t, const struct thing *thing, int64_t now,
    struct generation *id, struct diag *diag);

/* What updateThing changes. */
struct thing_update {
	bool has_attributes, merge; /* merge: attributes that are not named stay */
	struct view attributes;     /* packed; an empty value removes the attribute */
	bool has_type, remove_type;
	struct view type_name;
	bool has_expected_version;
	uint32_t expected_version;
};

MUST_USE enum err registry_update_thing(struct txn *t, struct view name,
    const struct thing_update *update, int64_t now, struct diag *diag);

/* Deleting a thing that does not exist is no error (AWS). */
MUST_USE enum err registry_delete_thing(struct txn *t, struct view name, bool has_expected,
    uint32_t expected_version, struct diag *diag);

/* No error and no change: attaching a certificate that is attached with this type, and
 * detaching one that is not attached, if both exist. */
MUST_USE enum err registry_attach_thing(struct txn *t, struct view name, const struct certid *id,
    enum principal_type type, struct diag *diag);
MUST_USE enum err registry_detach_thing(struct txn *t, struct view name, const struct certid *id,
    struct diag *diag);

#endif
