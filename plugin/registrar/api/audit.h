/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * audit.h - the changes that a command made, for the log.
 *
 * Values are read from the registry before and after, in the transaction of the change,
 * and not taken from the command: a line of the log says what happened, not what was
 * asked for.  Documents (rules, templates, policies) are shown by the first digits of
 * their SHA-256.
 *
 * audit_look() and audit_compare() are called in a job of the writer.
 */
#ifndef JITR_AUDIT_H
#define JITR_AUDIT_H

#include "command.h"

/* sum: a hash of the whole value; text may be its beginning only. */
struct audit_value {
	const char *name;
	char text[CHANGE_TEXT];
	uint64_t sum;
};

struct audit_state {
	size_t count;
	struct audit_value values[CHANGES_MAX];
};

/* The values of the resources that this command changes. */
void audit_look(struct txn *t, const struct command *c, struct audit_state *out);

/* After the change: stores in c->changes the values that differ from before. */
void audit_compare(struct txn *t, struct command *c, const struct audit_state *before);

/* The client that asked. */
struct asker {
	const char *user_name, *client_id, *address; /* address NULL: not known */
};

/* Logs one line for a change that was made or failed. */
void audit_report(struct report *r, const struct command *c, const struct asker *asker);

#endif
