/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate.c - see gate.h: start, stop and the tick. */
#include <stdlib.h>

#include "gate_private.h"

static struct judge_config
judge_config_of(const struct gate_config *config)
{
	return (struct judge_config){ .rules = config->rules,
		.authorization = config->authorization,
		.trust_store = config->trust_store,
		.client_id_as_is = config->client_id_as_is,
		.scope = config->scope,
		.admin_certificates = config->admin_certificates,
		.admin_certificate_count = config->admin_certificate_count,
		.store = config->store,
		.now = config->now };
}

enum err
gate_open(const struct gate_config *config, struct gate **out)
{
	struct judge_config judge = judge_config_of(config);
	struct gate *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return ERR_NOMEM;
	g->config = *config;
	judge_init(&g->judge, &judge);
	g->sessions.policies = &g->judge.policies;
	g->presence = (struct presence){ .on = config->presence,
		.broker = config->broker,
		.stats = config->stats,
		.now = config->now,
		.pace = config->pace };
	g->changes = 1;
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
	judge_clear(&g->judge);
	free(g);
}

static void
report_unusable(struct gate *g)
{
	if (g->judge.policies.unusable.text[0] == '\0')
		return;
	report_line(g->config.report, LEVEL_ERROR,
	    "%s; the certificates it is attached to are refused", g->judge.policies.unusable.text);
	g->judge.policies.unusable.text[0] = '\0';
}

/* Until then certificates with these policies are refused: a Deny must not be lost. */
static void
retry_policies(struct gate *g)
{
	struct txn t;
	bool changed;

	if (!g->judge.policies.incomplete || store_read(g->config.store, &t) != ERR_OK)
		return;
	changed = policy_cache_retry(&g->judge.policies, &t);
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
