/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench_storm.c - thousands of devices at once: the time until revoked connections are
 * closed, the delay for other clients, and the events of new devices that arrive.
 *
 *   bench_storm DIRECTORY PLUGIN.so
 *
 * doc/performance.md explains the numbers.
 */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "access.h"
#include "link.h"
#include "load.h"
#include "mqtt.h"
#include "ping.h"
#include "server.h"

#include "jitr/registrar/ca_dir.h"
#include "jitr/adapter/store.h"

#define PARALLEL     16
#define BUSY_CLIENTS 2
#define SINGLES      20  /* devices that are closed one by one */
#define PATIENCE_S   120 /* without any progress */
#define REQUEST_MAX  2048
#define CONTROL      "$CONTROL/jitr/v1"
#define EVENTS       "$aws/events/certificates/registered/#"

struct bench {
	struct fleet fleet;
	struct device *devices; /* the first one administers */
	struct link *links;     /* of each */
	size_t count;           /* devices */
	SSL_CTX *tls;
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
	b->tls = link_context();
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

struct dialling {
	struct bench *b;
	atomic_size_t next;
};

static void *
dial_main(void *arg)
{
	struct dialling *d = arg;
	struct bench *b = d->b;
	size_t i;

	while ((i = atomic_fetch_add(&d->next, 1)) < b->count) {
		must(link_dial(&b->links[i], b->server.tls_port) &&
			link_handshake(&b->links[i], b->tls, &b->devices[i]),
		    "handshake");
		must(link_connect(&b->links[i], b->devices[i].name) == 0, "CONNECT");
	}
	return NULL;
}

static void
connect_all(struct bench *b)
{
	struct dialling d = { .b = b };
	pthread_t thread[PARALLEL];
	int64_t start = clock_ns();

	for (size_t i = 0; i < PARALLEL; i++)
		must(pthread_create(&thread[i], NULL, dial_main, &d) == 0, "thread");
	for (size_t i = 0; i < PARALLEL; i++)
		pthread_join(thread[i], NULL);
	printf("%zu devices connected in %.1f s\n", b->count, (double)(clock_ns() - start) / 1e9);
}

/*
 * The administrator.
 */

/* One command at QoS 0; its answer is the next packet. */
static void
request(struct bench *b, const char *command, const char *members)
{
	char body[REQUEST_MAX];
	uint8_t packet[REQUEST_MAX + 64];
	int len = snprintf(body, sizeof(body), "{\"commands\":[{\"command\":\"%s\",%s}]}", command,
	    members);
	size_t rest = 2 + sizeof(CONTROL) - 1 + (size_t)len, n = 0;

	must(len > 0 && (size_t)len < sizeof(body), "request");
	packet[n++] = 0x30;
	packet[n++] = (uint8_t)(rest % 128 | 128);
	packet[n++] = (uint8_t)(rest / 128);
	packet[n++] = 0;
	packet[n++] = sizeof(CONTROL) - 1;
	memcpy(packet + n, CONTROL, sizeof(CONTROL) - 1);
	n += sizeof(CONTROL) - 1;
	memcpy(packet + n, body, (size_t)len);
	must(link_write(&b->links[0], packet, n + (size_t)len), "request");
}

static void
read_answer(struct bench *b)
{
	char text[REQUEST_MAX];
	uint8_t head[3] = { 0 };
	size_t len;

	must(link_read(&b->links[0], head, 2), "answer");
	len = head[1] & 127;
	if (head[1] & 128) {
		must(link_read(&b->links[0], head + 2, 1), "answer");
		len += (size_t)head[2] * 128;
	}
	must(len < sizeof(text) && link_read(&b->links[0], (uint8_t *)text, len), "answer");
	must(memmem(text, len, "\"error\"", 7) == NULL, "a command without an error");
}

/* Changes the policy that lets devices connect: for every name, or for none. */
static void
request_version(struct bench *b, const char *effect)
{
	char members[REQUEST_MAX];

	snprintf(members, sizeof(members),
	    "\"policyName\":\"Guard\",\"setAsDefault\":true,"
	    "\"policyDocument\":\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{"
	    "\\\"Effect\\\":\\\"%s\\\",\\\"Action\\\":\\\"iot:Connect\\\","
	    "\\\"Resource\\\":\\\"*\\\"}]}\"",
	    effect);
	request(b, "createPolicyVersion", members);
}

static void
set_status(struct bench *b, const struct device *d, const char *status)
{
	char members[256], hex[CERTID_HEX_SIZE];

	certid_to_hex(&d->id, hex);
	snprintf(members, sizeof(members), "\"certificateId\":\"%s\",\"newStatus\":\"%s\"", hex,
	    status);
	request(b, "updateCertificate", members);
}

/*
 * Closing.
 */

/* Milliseconds from start until each connection from the first on was closed; connections that
 * were not closed are missing. */
static void
await_closed(struct bench *b, size_t first, int64_t start, struct series *closed)
{
	int epoll = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLRDHUP | EPOLLHUP }, events[256];
	size_t left = b->count - first;

	must(epoll >= 0, "epoll");
	for (size_t i = first; i < b->count; i++)
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, b->links[i].fd, (e.data.u64 = i, &e)) == 0,
		    "epoll");
	while (left > 0) {
		int n = epoll_wait(epoll, events, 256, PATIENCE_S * 1000);

		if (n <= 0)
			break;
		for (int i = 0; i < n; i++, left--) {
			series_add(closed, (double)(clock_ns() - start) / 1e6);
			epoll_ctl(epoll, EPOLL_CTL_DEL, b->links[events[i].data.u64].fd, NULL);
		}
	}
	close(epoll);
}

static void
hang_up_all(struct bench *b)
{
	for (size_t i = 0; i < b->count; i++)
		link_close(&b->links[i]);
}

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
	request_version(b, "Deny");
	await_closed(b, 1, start, &closed);
	ping_stop(ping, &rtt);
	if (is_busy)
		busy_stop(busy);
	read_answer(b);
	printf(
	    "%s broker: %zu of %zu closed in %.0f ms, half of them in %.0f ms; PINGREQ meanwhile: "
	    "median %.2f, p99 %.2f, worst %.2f ms\n",
	    is_busy ? "busy" : "quiet", closed.count, b->count - 1, series_at(&closed, 1),
	    series_median(&closed), series_median(&rtt), series_at(&rtt, 0.99), series_at(&rtt, 1));
	goal(b, "  all connections closed in 2 s",
	    closed.count == b->count - 1 && series_at(&closed, 1) <= 2000);
	goal(b, "  p99 of another client's PINGREQ within 10 ms", series_at(&rtt, 0.99) <= 10);
	request_version(b, "Allow");
	read_answer(b);
	hang_up_all(b);
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
		set_status(b, &b->devices[i], "INACTIVE");
		must(poll(&fd, 1, 5000) == 1, "a single device closed");
		series_add(&closed, (double)(clock_ns() - start) / 1e6);
		read_answer(b);
		series_add(&answered, (double)(clock_ns() - start) / 1e6);
		set_status(b, &b->devices[i], "ACTIVE");
		read_answer(b);
	}
	hang_up_all(b);
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

struct subscriber {
	pthread_t thread;
	int fd;
	atomic_size_t events;
	_Atomic(int64_t) last; /* clock_ns() */
	atomic_bool stop;
};

static bool
receive(int fd, uint8_t *data, size_t len)
{
	return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

/* One PUBLISH, QoS 1, and its PUBACK. */
static bool
take_event(int fd)
{
	uint8_t head[2], body[REQUEST_MAX], length = 0;
	size_t len, topic;

	if (!receive(fd, head, 2))
		return false;
	len = head[1] & 127;
	if (head[1] & 128) {
		must(receive(fd, &length, 1), "event");
		len += (size_t)length * 128;
	}
	must((head[0] & 0xf6) == 0x32 && len < sizeof(body) && receive(fd, body, len), "event");
	topic = (size_t)body[0] << 8 | body[1];
	return send(fd, (uint8_t[]){ 0x40, 2, body[2 + topic], body[3 + topic] }, 4, 0) == 4;
}

static void *
subscriber_main(void *arg)
{
	struct subscriber *s = arg;

	while (take_event(s->fd)) {
		s->events++;
		s->last = clock_ns();
	}
	return NULL;
}

static void
subscribe(struct bench *b, struct subscriber *s)
{
	uint8_t packet[MQTT_PACKET_MAX];
	size_t len = mqtt_connect_packet("back end", packet);

	s->fd = mqtt_dial(b->server.port);
	must(s->fd >= 0 && send(s->fd, packet, len, 0) == (ssize_t)len && receive(s->fd, packet, 4),
	    "subscriber");
	len = mqtt_subscribe_packet(EVENTS, packet);
	packet[len - 1] = 1; /* QoS */
	must(send(s->fd, packet, len, 0) == (ssize_t)len && receive(s->fd, packet, 5) &&
		packet[4] == 1,
	    "subscription");
	s->last = clock_ns();
	must(pthread_create(&s->thread, NULL, subscriber_main, s) == 0, "thread");
}

static void
run_events(struct bench *b, size_t count)
{
	struct device *d = devices_make(&b->fleet, count);
	struct subscriber s = { .fd = -1 };
	struct load_result r;

	subscribe(b, &s);
	load_run(b->server.tls_port, d, count, PARALLEL, HANG_UP, &r);
	load_must_be(&r, REFUSED, "new devices");
	printf("%zu first connections in %.1f s, %zu events so far\n", count,
	    (double)(r.ended - r.started) / 1e9, s.events);
	while (s.events < count && clock_ns() - s.last < (int64_t)20 * 1000000000)
		sleep_us(10000);
	printf("%zu of %zu events arrived, the last one %.1f s after the first connection\n",
	    s.events, count, (double)(s.last - r.started) / 1e9);
	goal(b, "  every event arrived", s.events == count);
	shutdown(s.fd, SHUT_RDWR);
	pthread_join(s.thread, NULL);
	close(s.fd);
	devices_free(d, count);
}

int
main(int argc, char **argv)
{
	struct bench b = { .count = option("JITR_BENCH_CLOSES", 10000) + 1 };
	size_t events = option("JITR_BENCH_EVENTS", 20000);
	struct rlimit files;

	if (argc != 3) {
		fprintf(stderr, "usage: %s DIRECTORY PLUGIN.so\n", argv[0]);
		return 2;
	}
	must(b.count > SINGLES, "JITR_BENCH_CLOSES: at least 20");
	must(getrlimit(RLIMIT_NOFILE, &files) == 0, "limits");
	files.rlim_cur = files.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > b.count + 100,
	    "files for so many connections: ulimit -n");
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
