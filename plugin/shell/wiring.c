/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* wiring.c - constructs the parts of the plugin from its options, and ends them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_private.h"

#include "jitr/service/ca_dir.h"
#include "jitr/adapter/x509.h"
#include "jitr/service/writer.h"

#define QUEUE_MAX 65536
#define BATCH_MAX 512
#define GATHER_MS 20

#define WAKE_FOR_FINISHED_US 1000 /* until the tick that collects finished jobs */

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

static enum err
make_ca_path(const struct plugin *p, struct diag *diag)
{
	if (mkdir(p->config.ca_path, 0755) == 0 || errno == EEXIST)
		return ERR_OK;
	diag_set(diag, "ca_path %s: %s", p->config.ca_path, strerror(errno));
	return ERR_STORAGE;
}

static enum err
open_store(struct plugin *p, struct diag *diag)
{
	struct store_config config = { .path = p->config.db_path,
		.map_size = (size_t)p->config.db_map_size_mb << 20,
		.exclusive = true,
		.sha256 = sha256_of };
	enum err e = store_open(&config, &p->store, diag);

	if (e == ERR_OK)
		e = make_ca_path(p, diag);
	if (e == ERR_OK)
		e = ca_dir_sync(p->config.ca_path, p->store, diag);
	return e;
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
open_report(struct plugin *p, struct diag *diag)
{
	struct report_config config = { .sink = { &p->log_jobs, log_line, log_jobs_record },
		.log_file = p->config.log_file,
		.account_id = p->config.account_id,
		.now = now_ms };
	enum err e = report_open(&config, &p->report);

	if (e == ERR_OK && p->config.log_file != NULL)
		e = log_file_open(p->config.log_file, &p->log_file, diag);
	p->log_jobs = (struct log_jobs){ .file = p->log_file, .report = p->report };
	return e;
}

static struct registry_rules
rules_of(const struct config *c)
{
	struct registry_rules rules = { .decide = { .announce_interval = c->announce_interval *
						1000,
					    .defer_unknown = c->unknown_ca_defer,
					    .accept_first = c->first_connection_accept } };

	memcpy(rules.account_id, c->account_id, sizeof(rules.account_id));
	return rules;
}

static void
note_presented(void *context, uint64_t number, enum err result, const struct outcome *outcome,
    const char *failure)
{
	struct plugin *p = context;

	gate_presented(p->gate, number, result, outcome, failure);
}

static enum err
open_registrations(struct plugin *p)
{
	struct registration_jobs_config config = { .writer = p->writer,
		.rules = rules_of(&p->config),
		.presented = note_presented,
		.context = p };

	return registration_jobs_open(&config, &p->registrations);
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
		.registrations = registration_jobs_port(p->registrations),
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
	config.rules = rules_of(&p->config);
	return gate_open(&config, &p->gate);
}

static enum err
open_judge(struct plugin *p)
{
	struct judge_config config = { .rules = rules_of(&p->config),
		.authorization = p->config.authorization,
		.trust_store = p->config.trust_store,
		.client_id_as_is = p->config.client_id_as_is,
		.scope = arn_scope_of(p->config.region, p->config.account_id),
		.admin_certificates = p->config.admin_certificates,
		.admin_certificate_count = p->config.admin_certificate_count,
		.store = p->store,
		.now = now_ms };

	judge_init(&p->judge, &config);
	return ERR_OK;
}

static enum err
open_crls(struct plugin *p)
{
	struct crls_config config = { .store = p->store,
		.writer = p->writer,
		.report = p->report,
		.stats = &p->stats,
		.listener = &p->listener,
		.now = now_ms,
		.crl_dir = p->config.crl_dir };

	return crls_open(&config, &p->crls);
}

/* For describeEndpoint: the option, or the machine's host name. */
static void
set_endpoint(const struct plugin *p, char *out, size_t size)
{
	if (p->config.endpoint_address != NULL)
		(void)snprintf(out, size, "%s", p->config.endpoint_address);
	else if (gethostname(out, size) != 0)
		(void)snprintf(out, size, "localhost");
	out[size - 1] = '\0';
}

static void
pass_answer(void *context, const struct control_answer *a)
{
	struct plugin *p = context;

	relay_answer(p->relay, a);
}

static enum err
open_api(struct plugin *p)
{
	struct api_config config = { .ca_path = p->config.ca_path,
		.store = p->store,
		.writer = p->writer,
		.judge = &p->judge,
		.crls = p->crls,
		.listener = &p->listener,
		.report = p->report,
		.stats = &p->stats,
		.answer = pass_answer,
		.answer_context = p,
		.now = now_ms,
		.clock_us = monotonic_us };

	memcpy(config.account_id, p->config.account_id, sizeof(config.account_id));
	memcpy(config.region, p->config.region, sizeof(config.region));
	set_endpoint(p, config.endpoint, sizeof(config.endpoint));
	return api_open(&config, &p->api);
}

static void
pass_request(void *context, const struct control_request *r)
{
	struct plugin *p = context;

	api_request(p->api, r);
}

static void
pass_left(void *context, uint64_t session)
{
	struct plugin *p = context;

	api_caller_left(p->api, session);
}

static enum err
open_relay(struct plugin *p)
{
	struct relay_config config = { .gate = p->gate,
		.broker = &broker_mosquitto,
		.report = p->report,
		.stats = &p->stats,
		.clock_us = monotonic_us,
		.request = pass_request,
		.left = pass_left,
		.context = p };

	return relay_open(&config, &p->relay);
}

/* Writer thread. */
static void
note_finished(void *context)
{
	struct plugin *p = context;

	atomic_store(&p->finished, true);
	if (atomic_load(&p->ticking))
		wake_start(p->wake, WAKE_FOR_FINISHED_US);
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
open_writer(struct plugin *p)
{
	struct writer_config config = { .store = p->store,
		.queue_max = QUEUE_MAX,
		.batch_max = BATCH_MAX,
		.gather_ms = GATHER_MS,
		.now = now_ms,
		.done = note_finished,
		.done_context = p };
	enum err e = writer_start(&config, &p->writer);

	p->log_jobs.writer = p->writer; /* from now on the log file is written */
	return e;
}

static enum err
open_schedule(struct plugin *p)
{
	struct schedule_config config = { .store = p->store,
		.writer = p->writer,
		.report = p->report,
		.listener = &p->listener,
		.account_id = p->config.account_id,
		.expiring_days = p->config.expiring_days,
		.now = now_ms };

	return schedule_open(&config, &p->schedule);
}

static enum err
open_outbox(struct plugin *p)
{
	struct outbox_config config = { .store = p->store,
		.port = { &p->removal, removal_up_to },
		.broker = &broker_mosquitto,
		.pace = &p->pace };

	p->removal.writer = p->writer;
	return outbox_open(&config, &p->outbox);
}

static void
read_writer(void *writer, struct writer_state *out)
{
	writer_read_state(writer, out);
}

static enum err
open_counters(struct plugin *p)
{
	struct counters_config config = { .store = p->store,
		.writer = { p->writer, read_writer },
		.stats = &p->stats,
		.broker = &broker_mosquitto,
		.now = now_ms,
		.interval = p->config.metrics_interval * 1000 };

	return counters_open(&config, &p->counters);
}

static enum err
open_health(struct plugin *p, struct diag *diag)
{
	struct health_config config = { .path = p->config.health_file,
		.writer = p->writer,
		.report = p->report };

	return health_open(&config, &p->health, diag);
}

/* The parts between the store and the health file. */
static enum err
open_services(struct plugin *p)
{
	/* In this order: each needs some of those before it. */
	static enum err (*const open[])(struct plugin *) = { open_trust, open_wake, open_writer,
		open_registrations, open_gate, open_crls, open_judge, open_api, open_relay,
		open_schedule, open_outbox, open_counters };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < COUNT_OF(open); i++)
		e = open[i](p);
	return e;
}

enum err
open_parts(struct plugin *p, struct diag *diag)
{
	enum err e = open_report(p, diag);

	p->listener = changes_of(p);
	if (e == ERR_OK)
		e = open_store(p, diag);
	if (e == ERR_OK)
		e = open_services(p);
	if (e == ERR_OK)
		e = open_health(p, diag);
	return e;
}

/* The writer finishes its jobs first, while all parts that submitted them exist. */
void
close_parts(struct plugin *p)
{
	close_trust(p);
	writer_stop(p->writer);
	wake_close(p->wake);
	health_close(p->health);
	counters_close(p->counters);
	outbox_close(p->outbox);
	schedule_close(p->schedule);
	api_close(p->api);
	relay_close(p->relay);
	judge_clear(&p->judge);
	crls_close(p->crls);
	gate_close(p->gate);
	registration_jobs_close(p->registrations);
	report_close(p->report);
	log_file_close(p->log_file);
	store_close(p->store);
	config_free(&p->config);
	free(p);
}
