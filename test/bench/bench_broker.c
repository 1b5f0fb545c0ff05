/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench_broker.c - a broker with the plugin beside the same broker without.
 *
 *   bench_broker DIRECTORY PLUGIN.so
 *
 * Known devices: the broker's CPU time for a connection.  A storm of new
 * devices: how many a second, until every one is on disk, and how long the
 * broker delays another client meanwhile.  Rounds of the two sides alternate,
 * so that other load of the machine affects both; the result is the median over
 * the pairs.
 *
 * doc/performance.md explains the numbers.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "instructions.h"
#include "load.h"
#include "ping.h"

#include "jitr/registrar/ca_dir.h"
#include "jitr/adapter/store.h"

#define KNOWN_MAX 2000 /* of the registered devices, those that connect */
#define WARM_UP   100
#define ON_DISK_S 60
#define LOOK_US   1000
#define SLICE     1000 /* connections of a storm, on one side at a time */

#define PARALLEL_UNDER_CALLGRIND 4

enum side { BARE, PLUGIN, SIDES };

static const char *const side_names[SIDES] = { "bare", "plugin" };

/* One quantity on both sides, and the quantity of the goal for each pair. */
struct comparison {
	struct series side[SIDES], relation;
};

struct bench {
	struct fleet fleet;
	struct device *known;
	size_t known_count, registered;
	size_t rounds, connections, storms, storm_size;
	unsigned parallel;
	struct server_config config[SIDES];
	struct comparison cpu, storm_cpu, both_cpu, rate, ping;
	struct server_memory memory[SIDES]; /* after the last storm */
	double instructions[3];             /* bare, ACTIVE, new */
	bool counted, missed;
	size_t on_disk;
};

/*
 * Preparation.
 */

static void
read_options(struct bench *b, const char *directory, const char *plugin)
{
	const char *program = getenv("JITR_BENCH_BROKER");

	b->registered = option("JITR_BENCH_REGISTERED", 100000);
	b->rounds = option("JITR_BENCH_ROUNDS", 50);
	b->connections = option("JITR_BENCH_CONNECTIONS", 200);
	b->storms = option("JITR_BENCH_STORMS", 3);
	b->storm_size = option("JITR_BENCH_DEVICES", 5000);
	if (b->storm_size > SLICE)
		b->storm_size -= b->storm_size % SLICE;
	b->parallel = (unsigned)option("JITR_BENCH_PARALLEL", 16);
	b->known_count = b->registered < KNOWN_MAX ? b->registered : KNOWN_MAX;
	must(b->known_count >= WARM_UP, "JITR_BENCH_REGISTERED: at least 100");
	if (b->connections > b->known_count)
		b->connections = b->known_count;
	for (size_t i = 0; i < SIDES; i++) {
		b->config[i].name = side_names[i];
		b->config[i].program = program != NULL ? program : "mosquitto";
		b->config[i].directory = directory;
	}
	b->config[PLUGIN].plugin = plugin;
	b->config[PLUGIN].authorization = "allow";
}

static void
set_scene(struct bench *b)
{
	const char *directory = b->config[BARE].directory;
	int64_t start = clock_ns();
	struct store *s = bench_store_open(directory);
	struct diag diag = { "" };
	char path[4096];

	fleet_open(&b->fleet);
	fleet_write_server(directory);
	b->known = devices_make(&b->fleet, b->known_count);
	fleet_register(&b->fleet, s, b->known, b->known_count, b->registered);
	snprintf(path, sizeof(path), "%s/ca", directory);
	must(mkdir(path, 0755) == 0, path);
	if (ca_dir_sync(path, s, &diag) != ERR_OK)
		die("%s", diag.text);
	store_close(s);
	printf("registered %zu certificates in %.1f s\n", b->registered,
	    (double)(clock_ns() - start) / 1e9);
}

static void
warm_up(const struct bench *b, const struct server *s)
{
	struct load_result r;

	load_run(s->tls_port, b->known, WARM_UP, b->parallel, LEAVE, &r);
	load_must_be(&r, ACCEPTED, "warm-up");
}

/*
 * Known devices.
 */

/* Microseconds of the broker's CPU for each connection. */
static double
known_round(const struct bench *b, enum side side, const struct server *s, size_t round)
{
	size_t first = round * b->connections % (b->known_count - b->connections + 1);
	int64_t before = server_cpu_ns(s);
	struct load_result r;

	load_run(s->tls_port, b->known + first, b->connections, b->parallel, LEAVE, &r);
	load_must_be(&r, ACCEPTED, side_names[side]);
	return (double)(server_cpu_ns(s) - before) / 1e3 / (double)b->connections;
}

static void
compare(struct comparison *c, double bare, double plugin, double relation)
{
	series_add(&c->side[BARE], bare);
	series_add(&c->side[PLUGIN], plugin);
	series_add(&c->relation, relation);
}

static void
run_known(struct bench *b)
{
	struct server s[SIDES];
	double cpu[SIDES];

	for (size_t i = 0; i < SIDES; i++) {
		server_start(&s[i], &b->config[i]);
		warm_up(b, &s[i]);
	}
	for (size_t round = 0; round < b->rounds; round++) {
		for (size_t i = 0; i < SIDES; i++) {
			enum side side = (round + i) % 2 == 0 ? BARE : PLUGIN;

			cpu[side] = known_round(b, side, &s[side], round);
		}
		printf("known   %zu accepted on each side: bare %.0f, plugin %.0f us of CPU each\n",
		    b->connections, cpu[BARE], cpu[PLUGIN]);
		compare(&b->cpu, cpu[BARE], cpu[PLUGIN], cpu[PLUGIN] / cpu[BARE]);
	}
	for (size_t i = 0; i < SIDES; i++)
		server_stop(&s[i], SIGTERM);
}

/*
 * New devices: a storm of them in slices, for the two sides in turn.
 */

/* Both brokers, the registry opened read-only, and the round trips of the other client in
 * milliseconds. */
struct storm {
	struct server server[SIDES];
	struct store *registry;
	struct device *devices;
	struct series rtt[SIDES];
};

struct slice {
	double rate, cpu;
	double both; /* with the registrar */
};

static int64_t
wait_until_on_disk(const struct storm *storm, const struct device *d, size_t count)
{
	int64_t start = clock_ns();

	while (devices_pending(storm->registry, d, count) < count) {
		sleep_us(LOOK_US);
		if (clock_ns() - start > (int64_t)ON_DISK_S * 1000000000)
			die("not all devices were registered");
	}
	return clock_ns();
}

/* Each device has a handshake, CONNECT, CONNACK and the end of the connection, by the device or
 * the broker.  The time ends when the last one has its answer and, with the plugin, is on disk. */
static struct slice
storm_slice(struct bench *b, enum side side, struct storm *storm, size_t first, size_t count)
{
	const struct server *s = &storm->server[side];
	const struct device *d = storm->devices + first;
	struct ping *ping = ping_start(s->port);
	int64_t cpu = server_cpu_ns(s), registrar = server_registrar_cpu_ns(s), end;
	struct load_result r;
	struct slice slice;

	load_run(s->tls_port, d, count, b->parallel, HANG_UP, &r);
	load_must_be(&r, side == BARE ? ACCEPTED : REFUSED, side_names[side]);
	end = side == BARE ? r.ended : wait_until_on_disk(storm, d, count);
	ping_stop(ping, &storm->rtt[side]);
	slice.cpu = (double)(server_cpu_ns(s) - cpu) / 1e3 / (double)count;
	slice.both = slice.cpu +
	    (double)(server_registrar_cpu_ns(s) - registrar) / 1e3 / (double)count;
	slice.rate = (double)count * 1e9 / (double)(end - r.started);
	printf("storm   %-6s  %zu %s in %.2f s", side_names[side], count,
	    side == BARE ? "accepted" : "refused", (double)(r.ended - r.started) / 1e9);
	if (side == PLUGIN)
		printf(", on disk %.0f ms later", (double)(end - r.ended) / 1e6);
	printf(": %.0f a second, %.0f us of CPU each\n", slice.rate, slice.cpu);
	return slice;
}

static void
storm_slices(struct bench *b, struct storm *storm)
{
	size_t size = b->storm_size < SLICE ? b->storm_size : SLICE;

	for (size_t first = 0, round = 0; first + size <= b->storm_size; first += size, round++) {
		struct slice r[SIDES];

		for (size_t i = 0; i < SIDES; i++) {
			enum side side = (round + i) % 2 == 0 ? BARE : PLUGIN;

			r[side] = storm_slice(b, side, storm, first, size);
		}
		compare(&b->rate, r[BARE].rate, r[PLUGIN].rate, r[PLUGIN].rate / r[BARE].rate);
		compare(&b->storm_cpu, r[BARE].cpu, r[PLUGIN].cpu, r[PLUGIN].cpu / r[BARE].cpu);
		compare(&b->both_cpu, r[BARE].both, r[PLUGIN].both, r[PLUGIN].both / r[BARE].both);
	}
}

static void
compare_pings(struct bench *b, struct storm *storm)
{
	double p99[SIDES];

	for (size_t i = 0; i < SIDES; i++) {
		struct series *rtt = &storm->rtt[i];

		p99[i] = series_at(rtt, 0.99);
		printf("ping    %-6s  %zu round trips: median %.2f, p99 %.2f, worst %.2f ms\n",
		    side_names[i], rtt->count, series_at(rtt, 0.5), p99[i], series_at(rtt, 1));
		for (size_t n = 0; n < rtt->count; n++)
			series_add(&b->ping.side[i], rtt->at[n]);
		series_free(rtt);
	}
	series_add(&b->ping.relation, p99[PLUGIN] - p99[BARE]);
}

/* The registry as a broker finds it after a SIGKILL. */
static void
count_on_disk(struct bench *b, const struct device *d)
{
	struct store *s = bench_store_open(b->config[PLUGIN].directory);
	size_t found = devices_pending(s, d, b->storm_size);

	store_close(s);
	printf("        after SIGKILL %zu of %zu are in the registry\n", found, b->storm_size);
	b->on_disk += found;
}

static void
run_storm(struct bench *b)
{
	struct storm storm = { .devices = devices_make(&b->fleet, b->storm_size) };

	for (size_t i = 0; i < SIDES; i++) {
		server_start(&storm.server[i], &b->config[i]);
		warm_up(b, &storm.server[i]);
	}
	storm.registry = bench_store_open(b->config[PLUGIN].directory);
	storm_slices(b, &storm);
	store_close(storm.registry);
	compare_pings(b, &storm);
	for (size_t i = 0; i < SIDES; i++)
		b->memory[i] = server_memory(&storm.server[i]);
	server_stop(&storm.server[PLUGIN], SIGKILL);
	server_stop(&storm.server[BARE], SIGTERM);
	count_on_disk(b, storm.devices);
	devices_free(storm.devices, b->storm_size);
}

/*
 * Instructions.
 */

/* Per device; the first ones are a warm-up and are not counted. */
static double
counted_connections(const struct server_config *config, const char *name, const struct device *d,
    size_t count, enum outcome outcome)
{
	size_t few = count / 5;
	struct load_result r;
	struct counter c;
	double total;

	counter_open(&c, config, name);
	load_run(c.server.tls_port, d, few, PARALLEL_UNDER_CALLGRIND, LEAVE, &r);
	load_must_be(&r, outcome, "under callgrind");
	counter_start(&c);
	load_run(c.server.tls_port, d + few, count - few, PARALLEL_UNDER_CALLGRIND, LEAVE, &r);
	total = counter_stop(&c);
	load_must_be(&r, outcome, "under callgrind");
	counter_close(&c);
	return total / (double)(count - few);
}

static void
count_instructions(struct bench *b, const struct device *new, size_t count)
{
	const struct server_config *bare = &b->config[BARE], *plugin = &b->config[PLUGIN];

	b->instructions[0] = counted_connections(bare, "active", b->known, count, ACCEPTED);
	b->instructions[1] = counted_connections(plugin, "active", b->known, count, ACCEPTED);
	b->instructions[2] = counted_connections(plugin, "new", new, count, REFUSED);
	b->counted = true;
}

static void
run_instructions(struct bench *b)
{
	size_t count = option("JITR_BENCH_INSTRUCTIONS", 0);
	struct device *new;

	if (count == 0)
		return;
	must(count >= 10 && count <= b->known_count, "JITR_BENCH_INSTRUCTIONS: at least 10");
	if (!instructions_can_be_counted()) {
		printf("no valgrind: instructions are not counted\n");
		return;
	}
	new = devices_make(&b->fleet, count);
	count_instructions(b, new, count);
	devices_free(new, count);
}

/*
 * The table.
 */

static const char *
judge(struct bench *b, bool met)
{
	if (!met)
		b->missed = true;
	return met ? "PASS" : "MISSED";
}

static void
print_row(struct comparison *c, const char *what, const char *goal, const char *verdict)
{
	if (c->relation.count == 0) {
		printf("%-44s %9s\n", what, "left out");
		return;
	}
	printf("%-44s %9.0f %9.0f %9.3f  (%.3f to %.3f)  %-8s %s\n", what,
	    series_median(&c->side[BARE]), series_median(&c->side[PLUGIN]),
	    series_median(&c->relation), series_at(&c->relation, 0), series_at(&c->relation, 1),
	    goal, verdict);
}

/* Of all storms together: a single one has too few round trips for a 99th percentile. */
static void
print_pings(struct bench *b)
{
	struct comparison *c = &b->ping;
	double bare = series_at(&c->side[BARE], 0.99);
	double plugin = series_at(&c->side[PLUGIN], 0.99);

	if (c->relation.count == 0)
		return;
	printf("%-44s %9.1f %9.1f %+9.1f  (%+.1f to %+.1f)%*s  %-8s %s\n",
	    "p99 of another client's PINGREQ, ms", bare, plugin, plugin - bare,
	    series_at(&c->relation, 0), series_at(&c->relation, 1), 4, "", "<= +1 ms",
	    judge(b, plugin - bare <= 1));
}

static void
print_on_disk(struct bench *b)
{
	size_t all = b->storms * b->storm_size;

	if (all == 0)
		return;
	printf("%-44s %9s %9zu  of %-26zu  %-8s %s\n", "new devices on disk after SIGKILL", "",
	    b->on_disk, all, "all", judge(b, b->on_disk == all));
}

static void
print_memory(const struct bench *b)
{
	const struct server_memory *m = b->memory;

	if (b->storms == 0)
		return;
	printf("%-44s %9zu %9zu  and the registrar %zu\n", "resident memory after a storm, KiB",
	    m[BARE].broker, m[PLUGIN].broker, m[PLUGIN].registrar);
}

static void
print_instructions(struct bench *b)
{
	const double *n = b->instructions;

	if (!b->counted) {
		printf("%-44s %9s  (JITR_BENCH_INSTRUCTIONS=200 counts them)\n", "instructions",
		    "left out");
		return;
	}
	printf("%-44s %9.0f %9.0f %9.3f %18s %-8s %s\n",
	    "thousand instructions, ACTIVE certificate", n[0] / 1e3, n[1] / 1e3, n[1] / n[0], "",
	    "<= 1.010", judge(b, n[1] <= 1.010 * n[0]));
	printf("%-44s %9.0f %9.0f %9.3f\n", "thousand instructions, first connection", n[0] / 1e3,
	    n[2] / 1e3, n[2] / n[0]);
}

static void
print_table(struct bench *b)
{
	printf(
	    "\nThe same broker and configuration without the plugin (bare) and with it; %zu "
	    "certificates\nregistered, %u connections at a time, full TLS 1.3 handshakes, P-256; "
	    "medians.  Relation:\nplugin to bare, the median over pairs of rounds and its range.\n\n",
	    b->registered, b->parallel);
	printf("%-44s %9s %9s %9s  %-17s  %s\n", "", "bare", "plugin", "relation", "", "goal");
	print_row(&b->cpu, "CPU of the broker per ACTIVE connection, us", "<= 1.02",
	    judge(b, series_median(&b->cpu.relation) <= 1.02));
	print_row(&b->rate, "first connections a second, until on disk", ">= 0.95",
	    judge(b, b->storms == 0 || series_median(&b->rate.relation) >= 0.95));
	print_pings(b);
	print_on_disk(b);
	print_row(&b->storm_cpu, "CPU of the broker per first connection, us", "<= 1.12",
	    judge(b, b->storms == 0 || series_median(&b->storm_cpu.relation) <= 1.12));
	print_row(&b->both_cpu, "CPU of broker and registrar for the same, us", "", "");
	print_memory(b);
	print_instructions(b);
}

int
main(int argc, char **argv)
{
	struct bench b = { .known = NULL };

	if (argc != 3) {
		fprintf(stderr, "usage: %s DIRECTORY PLUGIN.so\n", argv[0]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	read_options(&b, argv[1], argv[2]);
	set_scene(&b);
	run_known(&b);
	for (size_t i = 0; i < b.storms; i++)
		run_storm(&b);
	run_instructions(&b);
	print_table(&b);
	devices_free(b.known, b.known_count);
	fleet_close(&b.fleet);
	return b.missed && option("JITR_BENCH_STRICT", 0) != 0 ? 1 : 0;
}
