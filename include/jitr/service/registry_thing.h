/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_thing.h - changes to things and the certificates attached to them.
 *
 * As registry.h: look, decide, then put; an error has put nothing; writer
 * thread.  The rules are aws-iot A.6.  Names and attributes were checked by
 * the caller for what they may contain.  Thing types and billing groups are
 * names that a thing carries; they need not be made first.
 */
#ifndef JITR_REGISTRY_THING_H
#define JITR_REGISTRY_THING_H

#include "jitr/adapter/store.h"

/* name, type_name, billing_group and attributes are the caller's.  A thing
 * that exists exactly so is no error; *id gets its thingId either way. */
MUST_USE enum err registry_create_thing(struct txn *t, const struct thing *thing, int64_t now,
    struct generation *id, struct diag *diag);

/* What updateThing may change. */
struct thing_update {
	bool has_attributes, merge; /* merge: those that are not named stay */
	struct view attributes;     /* packed; an empty value removes the attribute */
	bool has_type, remove_type;
	struct view type_name;
	bool has_expected_version;
	uint32_t expected_version;
};

MUST_USE enum err registry_update_thing(struct txn *t, struct view name,
    const struct thing_update *update, int64_t now, struct diag *diag);

/* A thing that does not exist is no error (AWS). */
MUST_USE enum err registry_delete_thing(struct txn *t, struct view name, bool has_expected,
    uint32_t expected_version, struct diag *diag);

/* Attaching what is attached so already changes nothing; detaching what is not
 * attached neither, when both are there. */
MUST_USE enum err registry_attach_thing(struct txn *t, struct view name, const struct certid *id,
    enum principal_type type, struct diag *diag);
MUST_USE enum err registry_detach_thing(struct txn *t, struct view name, const struct certid *id,
    struct diag *diag);

#endif
