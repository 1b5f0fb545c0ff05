/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate.c - see gate.h: start, stop and the tick. */
#include <stdio.h>
#include <stdlib.h>

#include "gate_private.h"

static void
name_resources(struct gate *g)
{
	for (enum policy_action a = 0; a < POLICY_CONTROL; a++) {
		(void)snprintf(g->arn_prefix_text[a], sizeof(g->arn_prefix_text[a]), "%s%s/",
		    g->config.scope.prefix, policy_resource_type(a));
		g->arn_prefix[a] = view_of(g->arn_prefix_text[a]);
	}
}

enum err
gate_open(const struct gate_config *config, struct gate **out)
{
	struct gate *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return ERR_NOMEM;
	g->config = *config;
	g->sessions.policies = &g->policies;
	g->policies.scope = config->scope;
	g->activations.scope = config->scope;
	g->activations.policies = &g->policies;
	g->presence = (struct presence){ .on = config->presence,
		.broker = config->broker,
		.stats = config->stats,
		.now = config->now,
		.pace = config->pace };
	g->changes = 1;
	name_resources(g);
	*out = g;
	return ERR_OK;
}

void
gate_close(struct gate *g)
{
	if (g == NULL)
		return;
	registrations_clear(g);
	psk_names_clear(g);
	gate_release(g);
	notices_clear(&g->notices);
	takeover_forget_all(g);
	free(g->named);
	presence_clear(&g->presence);
	sessions_clear(&g->sessions);
	issuer_cache_clear(&g->issuers);
	activations_clear(&g->activations);
	free(g);
}

static void
report_unusable(struct gate *g)
{
	if (g->policies.unusable.text[0] == '\0')
		return;
	report_line(g->config.report, LEVEL_ERROR,
	    "%s; the certificates it is attached to are refused", g->policies.unusable.text);
	g->policies.unusable.text[0] = '\0';
}

/* Until then certificates with these policies are refused: a Deny must not be lost. */
static void
retry_policies(struct gate *g)
{
	struct txn t;
	bool changed;

	if (!g->policies.incomplete || store_read(g->config.store, &t) != ERR_OK)
		return;
	changed = policy_cache_retry(&g->policies, &t);
	store_end(&t);
	if (!changed)
		return;
	g->changes++;
	sweep_start(&g->sessions);
}

bool
gate_tick(struct gate *g)
{
	g->reloading = false;
	retry_policies(g);
	sessions_tick(&g->sessions);
	notices_log(g, &g->notices);
	takeover_tick(g);
	presence_tick(&g->presence);
	report_unusable(g);
	return gate_go_on(g);
}

bool
gate_has_events(const struct gate *g)
{
	return g->presence.first != NULL;
}

bool
gate_take_announced(struct gate *g)
{
	bool announced = g->announced;

	g->announced = false;
	return announced;
}
