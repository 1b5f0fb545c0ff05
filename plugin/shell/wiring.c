/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* wiring.c - constructs the parts of the plugin from its options, and ends them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_private.h"

#include "jitr/adapter/x509.h"
#include "jitr/service/judge_rules.h"

int64_t
clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

static int64_t
monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 + 1;
}

/* The registrar has opened the registry, and upgraded it. */
static enum err
open_store(struct plugin *p, struct diag *diag)
{
	struct store_config config = { .path = p->config.db_path,
		.map_size = (size_t)p->config.db_map_size_mb << 20,
		.sha256 = sha256_of };

	return store_open_reader(&config, &p->store, diag);
}

static enum err
open_trust(struct plugin *p)
{
	struct trust_config config = { .find = anchors_find,
		.files_too = p->config.trust_store == TRUST_STORE_LIVE_AND_CAFILE };
	enum err e = x509_trust_partial_chains();

	p->partial_chains = e == ERR_OK;
	if (e != ERR_OK || p->config.trust_store == TRUST_STORE_CAPATH)
		return e;
	e = anchors_open(p->store, &p->anchors);
	config.context = p->anchors;
	return e == ERR_OK ? trust_start(&config) : e;
}

static void
close_trust(struct plugin *p)
{
	if (p->anchors != NULL)
		trust_stop();
	anchors_close(p->anchors);
	if (p->partial_chains)
		x509_trust_partial_chains_undo();
}

static void
log_line(void *context, enum log_level level, const char *line)
{
	(void)context;
	broker_mosquitto.log(level, line);
}

static enum err
open_report(struct plugin *p)
{
	struct report_config config = { .sink = { p, log_line, registrar_record },
		.log_file = p->config.log_file,
		.account_id = p->config.account_id,
		.now = now_ms };

	return report_open(&config, &p->report);
}

static enum err
open_gate(struct plugin *p)
{
	struct gate_config config = { .authorization = p->config.authorization,
		.other_clients = p->config.other_clients,
		.admin_users = p->config.admin_users,
		.admin_user_count = p->config.admin_user_count,
		.admin_certificates = p->config.admin_certificates,
		.admin_certificate_count = p->config.admin_certificate_count,
		.store = p->store,
		.registrations = registrar_registrations(p),
		.report = p->report,
		.stats = &p->stats,
		.broker = &broker_mosquitto,
		.now = now_ms };

	config.deny_publish_disconnects = p->config.deny_publish_disconnects;
	config.deny_subscribe_disconnects = p->config.deny_subscribe_disconnects;
	config.client_id_as_is = p->config.client_id_as_is;
	config.event_details = p->config.event_details;
	config.presence = p->config.lifecycle_events;
	config.pace = &p->pace;
	config.shared_certificate = p->config.shared_certificate;
	config.trust_store = p->config.trust_store;
	config.scope = arn_scope_of(p->config.region, p->config.account_id);
	config.rules = registry_rules_of(&p->config);
	return gate_open(&config, &p->gate);
}

static enum err
open_relay(struct plugin *p)
{
	struct relay_config config = { .gate = p->gate,
		.broker = &broker_mosquitto,
		.report = p->report,
		.stats = &p->stats,
		.clock_us = monotonic_us,
		.request = registrar_request,
		.left = registrar_left,
		.context = p };

	return relay_open(&config, &p->relay);
}

static enum err
open_wake(struct plugin *p)
{
	if (wake_open(&p->wake) != ERR_OK)
		report_line(p->report, LEVEL_WARNING,
		    "no timer or signal is free to wake the broker: while it is idle, changes "
		    "take effect some tenths of a second later");
	return ERR_OK;
}

static enum err
open_outbox(struct plugin *p)
{
	struct outbox_config config = { .store = p->store,
		.port = registrar_outbox(p),
		.broker = &broker_mosquitto,
		.pace = &p->pace };

	return outbox_open(&config, &p->outbox);
}

/* As the registrar told it last. */
static void
read_writer(void *writer, struct writer_state *out)
{
	struct writer_state *told = writer;

	*out = *told;
	told->commit_us_max = 0;
}

static enum err
open_counters(struct plugin *p)
{
	struct counters_config config = { .store = p->store,
		.writer = { &p->writer, read_writer },
		.stats = &p->stats,
		.broker = &broker_mosquitto,
		.now = now_ms,
		.interval = p->config.metrics_interval * 1000 };

	return counters_open(&config, &p->counters);
}

enum err
open_parts(struct plugin *p, struct diag *diag)
{
	/* In this order: each needs some of those before it. */
	static enum err (*const open[])(struct plugin *) = { open_report, open_trust, open_wake,
		open_gate, open_relay, open_outbox, open_counters };
	enum err e = open_store(p, diag);

	for (size_t i = 0; e == ERR_OK && i < COUNT_OF(open); i++)
		e = open[i](p);
	return e;
}

/* The registrar first: it may send lines for the log until it has ended. */
void
close_parts(struct plugin *p)
{
	close_trust(p);
	registrar_stop(p);
	wake_close(p->wake);
	counters_close(p->counters);
	outbox_close(p->outbox);
	relay_close(p->relay);
	gate_close(p->gate);
	report_close(p->report);
	store_close(p->store);
	config_free(&p->config);
	free(p);
}
