/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * change_listener.h - what was committed to the registry, for a part that keeps copies of it.
 *
 * The api, the revocation lists and the schedule tell of their changes after the commit,
 * outside of a transaction.  Each function is called on the thread of the part that calls it,
 * and must not call that part.
 */
#ifndef JITR_CHANGE_LISTENER_H
#define JITR_CHANGE_LISTENER_H

#include "jitr/core/model.h"

struct change_listener {
	void *context; /* borrowed, as the listener itself */

	/* This certificate changed; NULL: anything may have changed. */
	void (*certificate)(void *context, const struct certid *id_or_null);

	/* This policy has another default version, or was deleted; this thing changed. */
	void (*policy)(void *context, struct view name);
	void (*thing)(void *context, struct view name);

	/* A CA has another revocation list.  named: certificates that it names and that may be
	 * connected. */
	void (*crl)(void *context, const struct certid *named, size_t count);

	/* The list of this CA was removed. */
	void (*crl_removed)(void *context, const struct certid *ca_id);

	/* Events were committed with the change: they wait in the outbox. */
	void (*events)(void *context);
};

#endif
