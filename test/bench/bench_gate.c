/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench_gate.c - the plugin's own time on the broker's thread for a CONNECT:
 * gate_connect() in a loop, with a broker that only counts.
 *
 *   bench_gate DIRECTORY
 *
 * To count instructions instead of time:
 *
 *   valgrind --tool=callgrind --toggle-collect=gate_connect bench_gate DIRECTORY
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "fleet.h"

#include "jitr/service/gate.h"
#include "jitr/service/registration_jobs.h"
#include "jitr/service/registry.h"
#include "jitr/adapter/store.h"
#include "jitr/service/writer.h"

#define PASSES 5

struct bench {
	struct fleet fleet;
	size_t count; /* devices in each loop */
	struct device *known, *new, *ruled;
	struct store *store;
	struct writer *writer;
	struct registration_jobs *registrations;
	struct report *report;
	struct stats stats;
	struct gate *gate;
};

static size_t lines, names;

static void
count_line(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
	lines++;
}

static enum err
publish_nothing(const char *topic, struct view payload, int qos, bool retain)
{
	(void)topic;
	(void)payload;
	(void)qos;
	(void)retain;
	return ERR_OK;
}

static enum err
answer_nothing(const char *client_id, const char *topic, struct view payload)
{
	return publish_nothing(client_id, payload, topic != NULL, false);
}

static void
kick_by_name(const char *user_name)
{
	(void)user_name;
}

static bool
kick_one(const void *client, const char *client_id)
{
	return client != NULL && client_id != NULL;
}

static enum err
count_name(void *client, const char *user_name)
{
	(void)client;
	(void)user_name;
	names++;
	return ERR_OK;
}

static const struct broker broker = { count_line, publish_nothing, answer_nothing, kick_by_name,
	kick_one, count_name };

static void
sink_line(void *context, enum log_level level, const char *line)
{
	(void)context;
	count_line(level, line);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* As after a handshake, which has parsed the extensions. */
static void
look_at_extensions(const struct device *d, size_t count)
{
	for (size_t i = 0; i < count; i++)
		must(X509_check_purpose(d[i].x, -1, 0) == 1, "extensions");
}

static void
presented(void *context, uint64_t number, enum err result, const struct outcome *outcome,
    const char *failure)
{
	struct bench *b = context;

	gate_presented(b->gate, number, result, outcome, failure);
}

static void
open_registrations(struct bench *b, struct gate_config *of)
{
	struct registration_jobs_config jobs = { .writer = b->writer,
		.rules = of->rules,
		.presented = presented,
		.context = b };

	must(registration_jobs_open(&jobs, &b->registrations) == ERR_OK, "registrations");
	of->registrations = registration_jobs_port(b->registrations);
}

static void
open_parts(struct bench *b, const char *directory)
{
	struct writer_config writer = { .queue_max = 65536, .batch_max = 512, .now = now_ms };
	struct report_config report = { .account_id = "000000000000",
		.sink = { .log = sink_line },
		.now = now_ms };
	struct gate_config gate = { .authorization = AUTHORIZATION_ALLOW,
		.stats = &b->stats,
		.broker = &broker,
		.now = now_ms };

	fleet_open(&b->fleet);
	b->known = devices_make(&b->fleet, b->count);
	b->new = devices_make(&b->fleet, b->count);
	b->ruled = devices_make(&b->fleet, b->count);
	look_at_extensions(b->ruled, b->count);
	look_at_extensions(b->known, b->count);
	look_at_extensions(b->new, b->count);
	b->store = bench_store_open(directory);
	fleet_register(&b->fleet, b->store, b->known, b->count,
	    option("JITR_BENCH_REGISTERED", 100000));
	writer.store = b->store;
	must(writer_start(&writer, &b->writer) == ERR_OK &&
		report_open(&report, &b->report) == ERR_OK,
	    "writer and report");
	gate.rules.decide.announce_interval = 1000;
	snprintf(gate.rules.account_id, sizeof(gate.rules.account_id), "000000000000");
	gate.store = b->store;
	open_registrations(b, &gate);
	gate.report = b->report;
	must(gate_open(&gate, &b->gate) == ERR_OK, "gate");
}

static void
close_parts(struct bench *b)
{
	writer_stop(b->writer);
	gate_close(b->gate);
	registration_jobs_close(b->registrations);
	report_close(b->report);
	store_close(b->store);
	devices_free(b->known, b->count);
	devices_free(b->new, b->count);
	devices_free(b->ruled, b->count);
	fleet_close(&b->fleet);
}

/*
 * A rule for the CA, as updateCACertificate has it.
 */

struct rule_job {
	struct job job;
	const struct certid *ca_id;
	bool done;
};

static enum err
rule_run(struct txn *t, struct job *job, int64_t now)
{
	struct view rule = view_of(
	    "{\"conditions\":{\"StringLike\":{"
	    "\"iot:Certificate.Subject.CommonName\":\"*\"},\"StringEquals\":{"
	    "\"jitr:Certificate.KeyType\":[\"P-256\",\"P-384\"]}}}");
	struct ca_update update = { .settings = { .activation = &rule } };

	return registry_update_ca(t, ((struct rule_job *)job)->ca_id, &update, now, NULL);
}

static void
rule_finish(struct job *job)
{
	must(job->result == ERR_OK, "rule");
	((struct rule_job *)job)->done = true;
}

static void
set_rule(struct bench *b)
{
	static const struct job_type type = { "rule", false, rule_run, NULL, rule_finish };
	struct rule_job j = { .job = { .type = &type }, .ca_id = &b->fleet.ca_id };

	must(writer_submit(b->writer, &j.job) == ERR_OK, "writer");
	while (!j.done)
		writer_collect(b->writer, SIZE_MAX);
}

/* Every device connects once.  Returns the median in microseconds.  Between two connections, not
 * measured, the device disconnects and the broker has a tick. */
static double
connect_all(struct bench *b, struct device *d, enum verdict wanted)
{
	struct series us = { .at = NULL };
	double median;

	for (size_t i = 0; i < b->count; i++) {
		struct client c = { .handle = &d[i],
			.id = d[i].name,
			.address = "127.0.0.1",
			.x = d[i].x };
		int64_t start = clock_ns();
		enum verdict verdict = gate_connect(b->gate, &c);

		series_add(&us, (double)(clock_ns() - start) / 1e3);
		must(verdict == wanted, "verdict");
		gate_disconnected(b->gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
		writer_collect(b->writer, SIZE_MAX);
	}
	median = series_median(&us);
	series_free(&us);
	return median;
}

static void
print_row(const char *what, double us)
{
	printf("%-46s %9.1f us\n", what, us);
}

int
main(int argc, char **argv)
{
	struct bench b = { .count = option("JITR_BENCH_DEVICES", 5000) };
	struct series known = { .at = NULL };

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	open_parts(&b, argv[1]);
	for (size_t i = 0; i < PASSES; i++)
		series_add(&known, connect_all(&b, b.known, VERDICT_ALLOW));
	print_row("gate_connect, ACTIVE certificate", series_median(&known));
	print_row("gate_connect, first connection", connect_all(&b, b.new, VERDICT_DENY));
	print_row("gate_connect, waits for activation", connect_all(&b, b.new, VERDICT_DENY));
	set_rule(&b);
	print_row("gate_connect, first connection, by a rule",
	    connect_all(&b, b.ruled, VERDICT_ALLOW));
	series_free(&known);
	close_parts(&b);
	must(names == (PASSES + 1) * b.count && lines >= (PASSES + 3) * b.count, "counts");
	return 0;
}
