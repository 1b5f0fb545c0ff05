/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench_publish.c - the broker's cost of a publication: without any ACL, with this
 * plugin and its policies, and with dynamic-security and its roles.
 *
 *   bench_publish DIRECTORY PLUGIN.so DYNAMIC_SECURITY.so
 *
 * The goals are for instructions, counted under callgrind.  The broker's CPU time
 * is measured too, in alternating rounds.  A missing dynamic-security is left out.
 *
 * doc/performance.md explains the numbers.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "instructions.h"
#include "mqtt.h"
#include "stream.h"

#include "jitr/registrar/ca_dir.h"
#include "jitr/adapter/store.h"

#define PAIRS 16
#define BURST 20
#define UNIT  (PAIRS * BURST) /* messages are counted in these: every pace divides it */

#define NAME_LINE "use_identity_as_username true\n"

/* NAMED: a bare broker that uses the common names of certificates as user names, as both plugins
 * do.  It copies the name into every message. */
enum side { BARE, NAMED, PLUGIN, DYNSEC, SIDES };

static const char *const side_names[SIDES] = { "bare", "named", "plugin", "dynsec" };

/* The goals are for the first. */
static const struct pace paces[] = {
	{ "apart", "16 publishers, each now and then", PAIRS, 1, 1, 25000 },
	{ "topics", "the same, on four topics in turn", PAIRS, 4, 1, 25000 },
	{ "new", "the same, each to a new topic", PAIRS, 0, 1, 25000 },
	{ "alone", "1 publisher, message by message", 1, 1, 1, 0 },
	{ "bursts", "16 publishers, 20 on their way", PAIRS, 1, BURST, 0 },
};

#define PACES (sizeof(paces) / sizeof(paces[0]))

struct bench {
	struct fleet fleet;
	struct device *devices; /* two for each pair */
	struct server_config config[SIDES];
	char dynsec_lines[4096];
	size_t sides; /* without DYNSEC where it is missing */
	size_t rounds, messages, counts, counted;
	struct series instructions[PACES][SIDES], cpu[PACES][SIDES];
	struct server_ticks ticks; /* of the bare broker, with its messages */
	bool missed;
};

/*
 * Preparation.
 */

static size_t
messages_option(const char *name, size_t otherwise)
{
	size_t n = option(name, otherwise);

	return (n + UNIT - 1) / UNIT * UNIT;
}

static void
read_options(struct bench *b, const char *directory, const char *plugin, const char *dynsec)
{
	const char *program = getenv("JITR_BENCH_BROKER");
	const char *authorization = getenv("JITR_BENCH_AUTHORIZATION");

	b->rounds = option("JITR_BENCH_PUBLISH_ROUNDS", 10);
	b->messages = messages_option("JITR_BENCH_MESSAGES", 5 * UNIT);
	b->counts = option("JITR_BENCH_COUNTS", 5);
	b->counted = messages_option("JITR_BENCH_COUNTED", 5 * UNIT);
	must(b->messages > 0 && b->counted > 0, "JITR_BENCH_MESSAGES, _COUNTED: at least 1");
	b->sides = access(dynsec, R_OK) == 0 ? SIDES : DYNSEC;
	for (size_t i = 0; i < SIDES; i++) {
		b->config[i].name = side_names[i];
		b->config[i].program = program != NULL ? program : "mosquitto";
		b->config[i].directory = directory;
	}
	b->config[PLUGIN].plugin = plugin;
	b->config[PLUGIN].authorization = authorization != NULL ? authorization : "policy";
	b->config[NAMED].lines = NAME_LINE;
	/* The roles are for the common name of the certificate. */
	snprintf(b->dynsec_lines, sizeof(b->dynsec_lines),
	    NAME_LINE "plugin %s\nplugin_opt_config_file %s/roles.json\n", dynsec, directory);
	b->config[DYNSEC].lines = b->dynsec_lines;
}

static void
register_devices(struct bench *b)
{
	const char *directory = b->config[BARE].directory;
	struct store *s = bench_store_open(directory);
	struct diag diag = { "" };
	char path[4096];

	fleet_register(&b->fleet, s, b->devices, 2 * PAIRS, 2 * PAIRS);
	access_register(s, b->devices, 2 * PAIRS);
	snprintf(path, sizeof(path), "%s/ca", directory);
	must(mkdir(path, 0755) == 0, path);
	if (ca_dir_sync(path, s, &diag) != ERR_OK)
		die("%s", diag.text);
	store_close(s);
}

static void
set_scene(struct bench *b)
{
	char path[4096];
	FILE *f;

	fleet_open(&b->fleet);
	fleet_write_server(b->config[BARE].directory);
	b->devices = devices_make(&b->fleet, 2 * PAIRS);
	register_devices(b);
	snprintf(path, sizeof(path), "%s/roles.json", b->config[BARE].directory);
	f = fopen(path, "w");
	must(f != NULL, path);
	access_write_roles(f, b->devices, 2 * PAIRS);
	must(fclose(f) == 0, path);
}

/*
 * Instructions.
 */

/* The layout of the heap makes a difference of half a per cent between two starts of a broker:
 * the median of several. */
static double
counted_round(const struct bench *b, const struct server_config *config, const struct pace *pace)
{
	struct counter c;
	struct stream *stream;
	double total;

	counter_open(&c, config, pace->name);
	stream = stream_open(c.server.tls_port, b->devices, pace);
	stream_run(stream, UNIT);
	counter_start(&c);
	stream_run(stream, b->counted);
	total = counter_stop(&c);
	stream_close(stream);
	counter_close(&c);
	return total / (double)b->counted;
}

static void
count_all(struct bench *b, size_t pace)
{
	for (size_t i = 0; i < b->counts; i++) {
		printf("%-7s", paces[pace].name);
		for (size_t side = 0; side < b->sides; side++) {
			double n = counted_round(b, &b->config[side], &paces[pace]);

			series_add(&b->instructions[pace][side], n);
			printf(" %s %.0f", side_names[side], n);
		}
		printf(" instructions a message\n");
	}
}

static void
run_instructions(struct bench *b)
{
	if (b->counts == 0)
		return;
	if (!instructions_can_be_counted()) {
		printf("no valgrind: instructions are not counted\n");
		b->counts = 0;
		return;
	}
	for (size_t i = 0; i < PACES; i++)
		count_all(b, i);
}

/*
 * CPU time.
 */

/* Microseconds for each message.  Adds the CPU time to *ticks. */
static double
timed_round(const struct bench *b, const struct server *s, const struct pace *pace,
    struct server_ticks *ticks)
{
	struct stream *stream = stream_open(s->tls_port, b->devices, pace);
	struct server_ticks before, after;
	int64_t cpu;

	stream_run(stream, UNIT);
	before = server_ticks(s);
	cpu = server_cpu_ns(s);
	stream_run(stream, b->messages);
	cpu = server_cpu_ns(s) - cpu;
	after = server_ticks(s);
	stream_close(stream);
	ticks->user += after.user - before.user;
	ticks->system += after.system - before.system;
	return (double)cpu / 1e3 / (double)b->messages;
}

/* The order of the sides rotates. */
static void
time_all(struct bench *b, size_t pace, const struct server *s)
{
	for (size_t round = 0; round < b->rounds; round++) {
		printf("%-7s", paces[pace].name);
		for (size_t i = 0; i < b->sides; i++) {
			size_t side = (round + i) % b->sides;
			struct server_ticks of_others = { 0, 0 };
			double us = timed_round(b, &s[side], &paces[pace],
			    side == BARE ? &b->ticks : &of_others);

			series_add(&b->cpu[pace][side], us);
			printf(" %s %.1f", side_names[side], us);
		}
		printf(" us of CPU a message\n");
	}
}

static void
run_timed(struct bench *b)
{
	struct server s[SIDES];

	if (b->rounds == 0)
		return;
	for (size_t i = 0; i < b->sides; i++)
		server_start(&s[i], &b->config[i]);
	for (size_t i = 0; i < PACES; i++)
		time_all(b, i, s);
	for (size_t i = 0; i < b->sides; i++)
		server_stop(&s[i], SIGTERM);
}

/*
 * The table.
 */

static void
print_row(const struct bench *b, const char *what, const double value[SIDES], int digits)
{
	printf("  %-24s", what);
	for (size_t i = 0; i < b->sides; i++)
		printf(" %9.*f", digits, value[i]);
	for (size_t i = 1; i < b->sides; i++)
		printf(" %9.3f", value[i] / value[BARE]);
	printf("\n");
}

/* The share of user time in the bare broker's CPU time. */
static double
user_part(const struct bench *b)
{
	unsigned long all = b->ticks.user + b->ticks.system;

	return all > 0 ? (double)b->ticks.user / (double)all : 1;
}

/* The effect of more instructions on the CPU time, of which the kernel has a share. */
static void
print_estimate(const struct bench *b, const double n[SIDES])
{
	printf("  %-24s", "of all, estimated");
	for (size_t i = 0; i < b->sides; i++)
		printf(" %9s", "");
	for (size_t i = 1; i < b->sides; i++)
		printf(" %9.3f", 1 + user_part(b) * (n[i] / n[BARE] - 1));
	printf("\n");
}

static void
print_pace(struct bench *b, size_t pace)
{
	double n[SIDES], us[SIDES];

	for (size_t i = 0; i < b->sides; i++) {
		n[i] = series_median(&b->instructions[pace][i]);
		us[i] = series_median(&b->cpu[pace][i]);
	}
	printf("%s\n", paces[pace].what);
	if (b->counts > 0)
		print_row(b, "instructions", n, 0);
	if (b->counts > 0 && b->rounds > 0)
		print_estimate(b, n);
	if (b->rounds > 0)
		print_row(b, "CPU time, us", us, 2);
}

static void
judge(struct bench *b, const char *goal, bool met)
{
	printf("%-62s %s\n", goal, met ? "PASS" : "MISSED");
	if (!met)
		b->missed = true;
}

static void
judge_goals(struct bench *b)
{
	double bare = series_median(&b->instructions[0][BARE]);
	double named = series_median(&b->instructions[0][NAMED]);
	double plugin = series_median(&b->instructions[0][PLUGIN]);

	judge(b, "plugin: at most 1.035 times the instructions of bare", plugin <= 1.035 * bare);
	judge(b, "plugin: at most 1.015 times the instructions of named", plugin <= 1.015 * named);
	if (b->sides > DYNSEC)
		judge(b, "plugin: fewer than dynamic-security",
		    plugin < series_median(&b->instructions[0][DYNSEC]));
}

static void
print_table(struct bench *b)
{
	printf(
	    "\nThe broker for each message, from one publisher to one subscriber: TLS 1.3, QoS 0, "
	    "%d bytes.\nbare: no ACL; named: the same, and clients have user names; plugin: "
	    "three policies of\nfive statements; dynsec: three roles that say the same.  Medians; "
	    "name/: to bare.\n",
	    MQTT_PAYLOAD_LEN);
	if (b->rounds > 0)
		printf("Of the bare broker's CPU time %.0f %% was its own, the rest the "
		       "kernel's.\n",
		    100 * user_part(b));
	printf("\n%-26s", "");
	for (size_t i = 0; i < b->sides; i++)
		printf(" %9s", side_names[i]);
	for (size_t i = 1; i < b->sides; i++)
		printf(" %8s/", side_names[i]);
	printf("\n");
	for (size_t i = 0; i < PACES; i++)
		print_pace(b, i);
	printf("\n");
	if (b->counts > 0)
		judge_goals(b);
}

static void
free_all(struct bench *b)
{
	for (size_t i = 0; i < PACES * SIDES; i++) {
		series_free(&b->instructions[i / SIDES][i % SIDES]);
		series_free(&b->cpu[i / SIDES][i % SIDES]);
	}
	devices_free(b->devices, 2 * PAIRS);
}

int
main(int argc, char **argv)
{
	struct bench b = { .devices = NULL };

	if (argc != 4) {
		fprintf(stderr, "usage: %s DIRECTORY PLUGIN.so DYNAMIC_SECURITY.so\n", argv[0]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	read_options(&b, argv[1], argv[2], argv[3]);
	set_scene(&b);
	run_instructions(&b);
	run_timed(&b);
	print_table(&b);
	free_all(&b);
	fleet_close(&b.fleet);
	return b.missed && option("JITR_BENCH_STRICT", 0) != 0 ? 1 : 0;
}
