/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* changes.c - see plugin_private.h: committed changes reach the parts that keep copies. */
#include "plugin_private.h"

static void
certificate_changed(void *context, const struct certid *id_or_null)
{
	struct plugin *p = context;

	gate_changed(p->gate, id_or_null);
}

static void
policy_changed(void *context, struct view name)
{
	struct plugin *p = context;

	gate_policy_changed(p->gate, name);
}

static void
thing_changed(void *context, struct view name)
{
	struct plugin *p = context;

	gate_thing_changed(p->gate, name);
}

static void
crl_changed(void *context, const struct certid *named, size_t count)
{
	struct plugin *p = context;

	gate_crl_changed(p->gate, named, count);
}

static void
crl_removed(void *context, const struct certid *ca_id)
{
	(void)context;
	stats_forget_crl(ca_id, &broker_mosquitto);
}

static void
events_committed(void *context)
{
	struct plugin *p = context;

	outbox_notify(p->outbox);
}

struct change_listener
changes_of(struct plugin *p)
{
	return (struct change_listener){ .context = p,
		.certificate = certificate_changed,
		.policy = policy_changed,
		.thing = thing_changed,
		.crl = crl_changed,
		.crl_removed = crl_removed,
		.events = events_committed };
}
