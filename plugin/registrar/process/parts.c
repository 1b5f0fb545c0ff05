/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* parts.c - see registrar_private.h: constructs the parts from the options, and ends them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "registrar_private.h"

#include "jitr/adapter/form.h"
#include "jitr/adapter/x509.h"
#include "jitr/registrar/ca_dir.h"
#include "jitr/service/judge_rules.h"

#define QUEUE_MAX 65536
#define BATCH_MAX 512

/* How long the registrar of a broker that was killed may take to end. */
#define LOCK_WAIT_MS 5000
#define LOCK_POLL_MS 20

static int64_t
clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
now_ms(void)
{
	return clock_us(CLOCK_REALTIME) / 1000;
}

int64_t
monotonic_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC) + 1;
}

static enum err
parse_options(struct registrar *r, const struct wire_config *wire, struct diag *diag)
{
	struct option options[WIRE_PAIRS_MAX];

	for (size_t i = 0; i < wire->options.count; i++)
		options[i] = (struct option){ wire->options.list[i].name,
			wire->options.list[i].value };
	return config_parse(options, wire->options.count, &r->config, diag);
}

static enum err
open_report(struct registrar *r, struct diag *diag)
{
	struct report_config config = { .sink = port_of_report(r),
		.log_file = r->config.log_file,
		.account_id = r->config.account_id,
		.now = now_ms };
	enum err e = ERR_OK;

	if (r->config.log_file != NULL)
		e = log_file_open(r->config.log_file, &r->log_file, diag);
	return e == ERR_OK ? report_open(&config, &r->report) : e;
}

/*
 * The registry.
 */

static enum err
make_ca_path(const struct registrar *r, struct diag *diag)
{
	if (mkdir(r->config.ca_path, 0755) == 0 || errno == EEXIST)
		return ERR_OK;
	diag_set(diag, "ca_path %s: %s", r->config.ca_path, strerror(errno));
	return ERR_STORAGE;
}

/* The registrar of an earlier broker may still finish its last commit. */
static enum err
open_unlocked(struct registrar *r, struct diag *diag)
{
	struct store_config config = { .path = r->config.db_path,
		.map_size = (size_t)r->config.db_map_size_mb << 20,
		.exclusive = true,
		.sha256 = sha256_of,
		.make_form = form_make };
	const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000 };
	int64_t until = monotonic_ms() + LOCK_WAIT_MS;
	enum err e = store_open(&config, &r->store, diag);

	while (e == ERR_BUSY && monotonic_ms() < until) {
		(void)nanosleep(&pause, NULL);
		e = store_open(&config, &r->store, diag);
	}
	return e;
}

static enum err
open_registry(struct registrar *r, struct diag *diag)
{
	struct report_sink sink = port_of_report(r);
	enum err e = open_unlocked(r, diag);

	r->recovery = (struct recovery){ .store = r->store, .log = sink.log, .context = r };
	if (e == ERR_OK && store_warning(r->store)[0] != '\0')
		report_line(r->report, LEVEL_WARNING, "%s: %s", r->config.db_path,
		    store_warning(r->store));
	if (e == ERR_OK)
		e = make_ca_path(r, diag);
	if (e == ERR_OK)
		e = ca_dir_sync(r->config.ca_path, r->store, diag);
	return e;
}

/*
 * What works on it.
 */

static enum err
open_writer(struct registrar *r)
{
	struct writer_config config = { .store = r->store,
		.queue_max = QUEUE_MAX,
		.batch_max = BATCH_MAX,
		.now = now_ms };
	enum err e = writer_open(&config, &r->writer);

	r->removal.writer = r->writer;
	return e;
}

static enum err
open_registrations(struct registrar *r)
{
	struct registration_jobs_config config = { .writer = r->writer,
		.rules = registry_rules_of(&r->config),
		.presented = port_presented,
		.context = r };
	enum err e = registration_jobs_open(&config, &r->registrations);

	if (e == ERR_OK)
		r->port = registration_jobs_port(r->registrations);
	return e;
}

static enum err
open_judge(struct registrar *r)
{
	struct judge_config config = { .rules = registry_rules_of(&r->config),
		.authorization = r->config.authorization,
		.trust_store = r->config.trust_store,
		.client_id_as_is = r->config.client_id_as_is,
		.scope = arn_scope_of(r->config.region, r->config.account_id),
		.admin_certificates = r->config.admin_certificates,
		.admin_certificate_count = r->config.admin_certificate_count,
		.store = r->store,
		.now = now_ms };

	judge_init(&r->judge, &config);
	r->has_judge = true;
	return ERR_OK;
}

/* explain verifies chains as the listeners do. */
static enum err
open_trust(struct registrar *r)
{
	(void)r;
	return x509_trust_partial_chains();
}

static enum err
open_crls(struct registrar *r)
{
	struct crls_config config = { .store = r->store,
		.writer = r->writer,
		.report = r->report,
		.stats = &r->stats,
		.listener = &r->listener,
		.now = now_ms,
		.crl_dir = r->config.crl_dir };

	return crls_open(&config, &r->crls);
}

/* For describeEndpoint: the option, or the machine's host name. */
static void
set_endpoint(const struct registrar *r, char *out, size_t size)
{
	if (r->config.endpoint_address != NULL)
		(void)snprintf(out, size, "%s", r->config.endpoint_address);
	else if (gethostname(out, size) != 0)
		(void)snprintf(out, size, "localhost");
	out[size - 1] = '\0';
}

static enum err
open_api(struct registrar *r)
{
	struct api_config config = { .ca_path = r->config.ca_path,
		.store = r->store,
		.writer = r->writer,
		.judge = &r->judge,
		.crls = r->crls,
		.listener = &r->listener,
		.report = r->report,
		.stats = &r->stats,
		.answer = port_answer,
		.answer_context = r,
		.now = now_ms,
		.clock_us = monotonic_us };

	memcpy(config.account_id, r->config.account_id, sizeof(config.account_id));
	memcpy(config.region, r->config.region, sizeof(config.region));
	set_endpoint(r, config.endpoint, sizeof(config.endpoint));
	return api_open(&config, &r->api);
}

static enum err
open_schedule(struct registrar *r)
{
	struct schedule_config config = { .store = r->store,
		.writer = r->writer,
		.report = r->report,
		.listener = &r->listener,
		.account_id = r->config.account_id,
		.expiring_days = r->config.expiring_days,
		.now = now_ms };

	return schedule_open(&config, &r->schedule);
}

static enum err
open_health(struct registrar *r, struct diag *diag)
{
	struct health_config config = { .path = r->config.health_file,
		.writer = r->writer,
		.report = r->report };

	return health_open(&config, &r->health, diag);
}

enum err
parts_open(struct registrar *r, const struct wire_config *wire, struct diag *diag)
{
	/* In this order: each needs some of those before it. */
	static enum err (*const open[])(struct registrar *) = { open_writer, open_registrations,
		open_trust, open_judge, open_crls, open_api, open_schedule };
	enum err e = parse_options(r, wire, diag);

	r->listener = port_of_changes(r);
	if (e == ERR_OK)
		e = open_report(r, diag);
	if (e == ERR_OK)
		e = open_registry(r, diag);
	for (size_t i = 0; e == ERR_OK && i < COUNT_OF(open); i++)
		e = open[i](r);
	return e == ERR_OK ? open_health(r, diag) : e;
}

/* The writer finishes its jobs first, while all parts that submitted them exist. */
void
parts_close(struct registrar *r)
{
	writer_stop(r->writer);
	health_close(r->health);
	schedule_close(r->schedule);
	api_close(r->api);
	crls_close(r->crls);
	if (r->has_judge)
		judge_clear(&r->judge);
	registration_jobs_close(r->registrations);
	report_close(r->report);
	log_file_close(r->log_file);
	store_close(r->store);
	config_free(&r->config);
}
