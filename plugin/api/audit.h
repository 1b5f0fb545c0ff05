/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * audit.h - what a command changed, found by looking before and after.
 *
 * The values come from the registry, in the transaction of the change, and not
 * from the command: a line of the log says what happened, not what was asked.
 * Documents (rules, templates, policies) are shown by the first digits of their
 * SHA-256.
 *
 * audit_look() and audit_compare(): writer thread; the other one: broker thread.
 */
#ifndef JITR_AUDIT_H
#define JITR_AUDIT_H

#include "command.h"

/* One value; sum: of all of it, since a long one is shown in part. */
struct audit_value {
	const char *name;
	char text[CHANGE_TEXT];
	uint64_t sum;
};

struct audit_state {
	size_t count;
	struct audit_value values[CHANGES_MAX];
};

/* What the registry says of the subjects of this command. */
void audit_look(struct txn *t, const struct command *c, struct audit_state *out);

/* After the change: c->changes gets what differs from before. */
void audit_compare(struct txn *t, struct command *c, const struct audit_state *before);

/* The client that asked. */
struct asker {
	const char *user_name, *client_id, *address; /* address NULL: not known */
};

/* The line of a command that was carried out or failed. */
void audit_report(struct report *r, const struct command *c, const struct asker *asker);

#endif
