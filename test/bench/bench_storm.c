/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench_storm.c - thousands of devices at once: the time until revoked connections are
 * closed, the delay for other clients, and the events of new devices that arrive.
 *
 *   bench_storm DIRECTORY PLUGIN.so
 *
 * doc/performance.md explains the numbers.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "control.h"
#include "live.h"
#include "load.h"
#include "mqtt.h"
#include "ping.h"
#include "server.h"

#include "jitr/registrar/ca_dir.h"
#include "jitr/adapter/store.h"

#define PARALLEL     16
#define BUSY_CLIENTS 2
#define SINGLES      20 /* devices that are closed one by one */

struct bench {
	struct fleet fleet;
	struct device *devices; /* the first one administers */
	struct link *links;     /* of each */
	size_t count;           /* devices */
	struct server_config config;
	struct server server;
	char lines[512];
	bool missed;
};

static void
goal(struct bench *b, const char *what, bool met)
{
	printf("%-62s %s\n", what, met ? "PASS" : "MISSED");
	b->missed |= !met;
}

/*
 * Preparation.
 */

static void
set_scene(struct bench *b, const char *directory, const char *plugin)
{
	const char *program = getenv("JITR_BENCH_BROKER");
	struct diag diag = { "" };
	struct store *s;
	char path[4096], hex[CERTID_HEX_SIZE];

	fleet_open(&b->fleet);
	fleet_write_server(directory);
	b->devices = devices_make(&b->fleet, b->count);
	b->links = calloc(b->count, sizeof(*b->links));
	must(b->links != NULL, "memory");
	s = bench_store_open(directory);
	fleet_register(&b->fleet, s, b->devices, b->count, b->count);
	access_register(s, b->devices, b->count);
	snprintf(path, sizeof(path), "%s/ca", directory);
	must(mkdir(path, 0755) == 0, path);
	if (ca_dir_sync(path, s, &diag) != ERR_OK)
		die("%s", diag.text);
	store_close(s);
	certid_to_hex(&b->devices[0].id, hex);
	snprintf(b->lines, sizeof(b->lines),
	    "plugin_opt_admin_certificates %s\n"
	    "plugin_opt_other_clients allow\n",
	    hex);
	b->config = (struct server_config){ .name = "storm",
		.directory = directory,
		.program = program != NULL ? program : "mosquitto",
		.plugin = plugin,
		.authorization = "policy",
		.lines = b->lines };
}

static void
connect_all(struct bench *b)
{
	int64_t start = clock_ns();

	live_connect(b->links, b->devices, b->count, b->server.tls_port);
	printf("%zu devices connected in %.1f s\n", b->count, (double)(clock_ns() - start) / 1e9);
}

/*
 * Closing.
 */

/* A client that sends PINGREQ again and again. */
struct busy {
	pthread_t thread;
	int port;
	const char *name;
	atomic_bool stop;
};

static void *
busy_main(void *arg)
{
	static const uint8_t pingreq[] = { 0xc0, 0 };
	struct busy *busy = arg;
	uint8_t packet[MQTT_PACKET_MAX];
	int fd = mqtt_dial(busy->port);
	size_t len = mqtt_connect_packet(busy->name, packet);

	must(fd >= 0 && send(fd, packet, len, 0) == (ssize_t)len &&
		recv(fd, packet, 4, MSG_WAITALL) == 4,
	    "busy client");
	while (!busy->stop)
		must(send(fd, pingreq, 2, 0) == 2 && recv(fd, packet, 2, MSG_WAITALL) == 2,
		    "busy client");
	close(fd);
	return NULL;
}

static void
busy_start(const struct bench *b, struct busy *busy)
{
	static const char *const names[BUSY_CLIENTS] = { "busy1", "busy2" };

	for (size_t i = 0; i < BUSY_CLIENTS; i++) {
		busy[i] = (struct busy){ .port = b->server.port, .name = names[i] };
		must(pthread_create(&busy[i].thread, NULL, busy_main, &busy[i]) == 0, "thread");
	}
}

static void
busy_stop(struct busy *busy)
{
	for (size_t i = 0; i < BUSY_CLIENTS; i++) {
		busy[i].stop = true;
		pthread_join(busy[i].thread, NULL);
	}
}

static void
close_all(struct bench *b, bool is_busy)
{
	struct series closed = { NULL, 0, 0 }, rtt = { NULL, 0, 0 };
	struct busy busy[BUSY_CLIENTS];
	struct ping *ping;
	int64_t start;

	connect_all(b);
	if (is_busy)
		busy_start(b, busy);
	ping = ping_start(b->server.port);
	start = clock_ns();
	control_policy(&b->links[0], "Guard", "Deny");
	live_await_closed(&b->links[1], b->count - 1, start, LIVE_PATIENCE_S, &closed);
	ping_stop(ping, &rtt);
	if (is_busy)
		busy_stop(busy);
	(void)control_answer(&b->links[0]);
	printf(
	    "%s broker: %zu of %zu closed in %.0f ms, half of them in %.0f ms; PINGREQ meanwhile: "
	    "median %.2f, p99 %.2f, worst %.2f ms\n",
	    is_busy ? "busy" : "quiet", closed.count, b->count - 1, series_at(&closed, 1),
	    series_median(&closed), series_median(&rtt), series_at(&rtt, 0.99), series_at(&rtt, 1));
	goal(b, "  all connections closed in 2 s",
	    closed.count == b->count - 1 && series_at(&closed, 1) <= 2000);
	goal(b, "  p99 of another client's PINGREQ within 10 ms", series_at(&rtt, 0.99) <= 10);
	control_policy(&b->links[0], "Guard", "Allow");
	(void)control_answer(&b->links[0]);
	live_hang_up(b->links, b->count);
	series_free(&closed);
	series_free(&rtt);
}

/* Silent devices, on a broker without other work. */
static void
close_singly(struct bench *b)
{
	struct series closed = { NULL, 0, 0 }, answered = { NULL, 0, 0 };
	size_t all = b->count;

	b->count = SINGLES + 1;
	connect_all(b);
	for (size_t i = 1; i < b->count; i++) {
		struct pollfd fd = { .fd = b->links[i].fd, .events = POLLIN };
		int64_t start;

		sleep_us(150000); /* the broker sleeps */
		start = clock_ns();
		control_status(&b->links[0], &b->devices[i].id, "INACTIVE");
		must(poll(&fd, 1, 5000) == 1, "a single device closed");
		series_add(&closed, (double)(clock_ns() - start) / 1e6);
		(void)control_answer(&b->links[0]);
		series_add(&answered, (double)(clock_ns() - start) / 1e6);
		control_status(&b->links[0], &b->devices[i].id, "ACTIVE");
		(void)control_answer(&b->links[0]);
	}
	live_hang_up(b->links, b->count);
	b->count = all;
	printf("single devices on a quiet broker, closed: median %.1f, longest %.1f ms; "
	       "command answered: median %.1f, longest %.1f ms\n",
	    series_median(&closed), series_at(&closed, 1), series_median(&answered),
	    series_at(&answered, 1));
	goal(b, "  each closed in 100 ms", series_at(&closed, 1) <= 100);
	series_free(&closed);
	series_free(&answered);
}

/*
 * Events.
 */

static void
run_events(struct bench *b, size_t count)
{
	struct device *d = devices_make(&b->fleet, count);
	struct subscriber *s = subscriber_start(b->server.port);
	struct load_result r;

	load_run(b->server.tls_port, d, count, PARALLEL, HANG_UP, &r);
	load_must_be(&r, REFUSED, "new devices");
	printf("%zu first connections in %.1f s, %zu events so far\n", count,
	    (double)(r.ended - r.started) / 1e9, subscriber_events(s));
	while (subscriber_events(s) < count &&
	    clock_ns() - subscriber_last(s) < (int64_t)20 * 1000000000)
		sleep_us(10000);
	printf("%zu of %zu events arrived, the last one %.1f s after the first connection\n",
	    subscriber_events(s), count, (double)(subscriber_last(s) - r.started) / 1e9);
	goal(b, "  every event arrived", subscriber_events(s) == count);
	subscriber_stop(s);
	devices_free(d, count);
}

int
main(int argc, char **argv)
{
	struct bench b = { .count = option("JITR_BENCH_CLOSES", 10000) + 1 };
	size_t events = option("JITR_BENCH_EVENTS", 20000);

	if (argc != 3) {
		fprintf(stderr, "usage: %s DIRECTORY PLUGIN.so\n", argv[0]);
		return 2;
	}
	must(b.count > SINGLES, "JITR_BENCH_CLOSES: at least 20");
	live_need_files(b.count);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	set_scene(&b, argv[1], argv[2]);
	server_start(&b.server, &b.config);
	close_singly(&b);
	close_all(&b, false);
	close_all(&b, true);
	if (events > 0)
		run_events(&b, events);
	server_stop(&b.server, SIGTERM);
	devices_free(b.devices, b.count);
	free(b.links);
	fleet_close(&b.fleet);
	return b.missed && option("JITR_BENCH_STRICT", 0) != 0 ? 1 : 0;
}
