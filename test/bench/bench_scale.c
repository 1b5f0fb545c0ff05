/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench_scale.c - a registry of one size: bytes on disk, start, memory, connections, lists,
 * changes, and thousands of live connections.
 *
 *   bench_scale DIRECTORY PLUGIN.so DYNSEC.so
 *
 * scripts/scale.sh has the options, doc/performance.md explains the numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "access.h"
#include "control.h"
#include "live.h"
#include "load.h"
#include "mqtt.h"
#include "ping.h"
#include "server.h"

#include "jitr/adapter/store.h"
#include "jitr/registrar/ca_dir.h"

#define STARTS     5
#define CHANGES    100
#define FAN_OUT    1000
#define FAN_ROUNDS 20
#define LISTED_S   60
#define SLICE      1000
#define ROUND_MOST 20000 /* certificates that are deleted and registered again */

enum side { BARE, PLUGIN, SIDES };

struct bench {
	struct fleet fleet;
	struct device *devices; /* the first one administers, the second one publishes */
	struct link *links;
	size_t certs, live, new_devices, rounds;
	const char *directory, *dynsec;
	struct server_config config[SIDES];
	struct server server;
	char lines[4096 + 256];
	double bare_start, bare_cpu;
	bool missed;
};

/* A line of the table; wanted < 0: there is no goal. */
static void
row(struct bench *b, const char *what, double value, double wanted, const char *unit)
{
	bool met = wanted < 0 || value <= wanted;

	printf("%-58s %10.2f %-6s", what, value, unit);
	if (wanted >= 0)
		printf(" at most %.2f%s", wanted, met ? "" : "  MISSED");
	putchar('\n');
	b->missed |= !met;
}

/*
 * Preparation.
 */

static void
read_options(struct bench *b, char **argv)
{
	const char *program = getenv("JITR_BENCH_BROKER");

	b->certs = option("JITR_SCALE_CERTS", 1000);
	b->live = option("JITR_SCALE_LIVE", 10000);
	b->new_devices = option("JITR_SCALE_NEW", 20000);
	b->rounds = option("JITR_SCALE_ROUNDS", 5);
	b->live = b->live < b->certs ? b->live : b->certs;
	must(b->live >= 500, "JITR_SCALE_CERTS and JITR_SCALE_LIVE: at least 500");
	live_need_files(b->live);
	b->directory = argv[1];
	b->dynsec = argv[3];
	for (size_t i = 0; i < SIDES; i++)
		b->config[i] = (struct server_config){ .name = i == BARE ? "bare" : "plugin",
			.program = program != NULL ? program : "mosquitto",
			.directory = b->directory };
	b->config[PLUGIN].plugin = argv[2];
	b->config[PLUGIN].authorization = "policy";
	b->config[PLUGIN].lines = b->lines;
}

static void
set_scene(struct bench *b)
{
	struct diag diag = { "" };
	char path[4096], hex[CERTID_HEX_SIZE];
	int64_t start = clock_ns();
	struct store *s;

	fleet_open(&b->fleet);
	b->fleet.long_serials = true;
	fleet_write_server(b->directory);
	b->devices = devices_make(&b->fleet, b->live);
	b->links = calloc(b->live, sizeof(*b->links));
	must(b->links != NULL, "memory");
	s = bench_store_open(b->directory);
	fleet_register(&b->fleet, s, b->devices, b->live, b->certs);
	snprintf(path, sizeof(path), "%s/ca", b->directory);
	must(mkdir(path, 0755) == 0, path);
	if (ca_dir_sync(path, s, &diag) != ERR_OK)
		die("%s", diag.text);
	store_close(s);
	snprintf(path, sizeof(path), "%s/crl", b->directory);
	must(mkdir(path, 0755) == 0, path);
	certid_to_hex(&b->devices[0].id, hex);
	snprintf(b->lines, sizeof(b->lines),
	    "plugin_opt_admin_certificates %s\nplugin_opt_other_clients allow\n"
	    "plugin_opt_crl_dir %s\n",
	    hex, path);
	printf("%zu certificates registered in %.1f s\n", b->certs,
	    (double)(clock_ns() - start) / 1e9);
}

/*
 * Bytes.
 */

static size_t
count_free(MDB_txn *txn)
{
	MDB_cursor *c;
	MDB_val key, value;
	size_t pages = 0, of_row;

	must(mdb_cursor_open(txn, 0, &c) == 0, "list of free pages");
	while (mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0) {
		memcpy(&of_row, value.mv_data, sizeof(of_row));
		pages += of_row;
	}
	mdb_cursor_close(c);
	return pages;
}

/* LMDB's statistics of a table do not have the pages of further values of a key. */
static double
table_bytes(MDB_txn *txn, const char *name)
{
	MDB_dbi table;
	MDB_stat stat;

	if (mdb_dbi_open(txn, name, 0, &table) != 0)
		return 0;
	must(mdb_stat(txn, table, &stat) == 0, name);
	return (double)((stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
	    stat.ms_psize);
}

struct bytes {
	double used, file, cert, document;
};

static struct bytes
read_bytes(const struct bench *b)
{
	struct bytes bytes;
	char path[4096];
	MDB_envinfo info;
	MDB_env *env;
	MDB_txn *txn = NULL;
	MDB_stat stat;

	snprintf(path, sizeof(path), "%s/db", b->directory);
	must(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 64) == 0 &&
		mdb_env_open(env, path, MDB_RDONLY, 0600) == 0 &&
		mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0,
	    "registry");
	(void)mdb_env_info(env, &info);
	(void)mdb_env_stat(env, &stat);
	bytes.file = (double)(info.me_last_pgno + 1) * stat.ms_psize;
	bytes.used = bytes.file - (double)count_free(txn) * stat.ms_psize;
	bytes.cert = table_bytes(txn, "cert");
	bytes.document = table_bytes(txn, "document");
	if (bytes.document == 0)
		bytes.document = table_bytes(txn, "cert_document");
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return bytes;
}

static void
measure_bytes(struct bench *b)
{
	struct bytes bytes = read_bytes(b);
	double n = (double)b->certs;
	int der = i2d_X509(b->devices[0].x, NULL);

	row(b, "DER of a certificate", der, -1, "B");
	row(b, "bytes for each certificate: records", bytes.cert / n, -1, "B");
	row(b, "  documents", bytes.document / n, -1, "B");
	row(b, "  everything else", (bytes.used - bytes.cert - bytes.document) / n, -1, "B");
	row(b, "  in all", bytes.used / n, 1.3 * der + 200, "B");
	row(b, "  of the file, with its free pages", bytes.file / n, -1, "B");
}

/*
 * Start and memory.
 */

/* Of the broker and its registrar. */
static double
memory_mb(const struct bench *b)
{
	struct server_memory m = server_memory(&b->server);

	return (double)(m.broker + m.registrar) / 1024;
}

static void
memory_rows(struct bench *b, const char *when)
{
	struct server_memory m = server_memory(&b->server);
	char what[80];

	snprintf(what, sizeof(what), "memory of the broker %s", when);
	row(b, what, (double)m.broker / 1024, -1, "MiB");
	row(b, "  of the registrar", (double)m.registrar / 1024, -1, "MiB");
}

static double
start_ms(struct bench *b, const struct server_config *config)
{
	int64_t start = clock_ns();

	server_start(&b->server, config);
	return (double)(clock_ns() - start) / 1e6;
}

static double
median_start(struct bench *b, const struct server_config *config)
{
	struct series times = { NULL, 0, 0 };
	double median;

	for (size_t i = 0; i < STARTS; i++) {
		series_add(&times, start_ms(b, config));
		server_stop(&b->server, SIGTERM);
	}
	median = series_median(&times);
	series_free(&times);
	return median;
}

static void
measure_start(struct bench *b)
{
	double plugin;

	b->bare_start = median_start(b, &b->config[BARE]);
	plugin = median_start(b, &b->config[PLUGIN]);
	row(b, "start of the bare broker", b->bare_start, -1, "ms");
	row(b, "  with the plugin", plugin, b->bare_start + 50, "ms");
}

/* Roles for each device; only as many as it can be expected to start with. */
static void
measure_dynsec(struct bench *b)
{
	struct server_config config = b->config[BARE];
	char path[4096], lines[8192];
	FILE *f;

	if (access(b->dynsec, R_OK) != 0 || b->live < b->certs)
		return;
	snprintf(path, sizeof(path), "%s/roles.json", b->directory);
	f = fopen(path, "w");
	must(f != NULL, path);
	access_write_roles(f, b->devices, b->live);
	must(fclose(f) == 0, path);
	must(chmod(path, 0644) == 0, path);
	snprintf(lines, sizeof(lines), "plugin %s\nplugin_opt_config_file %s\n", b->dynsec, path);
	config.name = "dynsec";
	config.lines = lines;
	row(b, "  with dynamic-security instead", start_ms(b, &config), -1, "ms");
	row(b, "  memory of that", memory_mb(b), -1, "MiB");
	server_stop(&b->server, SIGTERM);
}

/*
 * Connections.
 */

static void
read_message(struct link *l, const char *topic)
{
	uint8_t head[2], body[MQTT_PACKET_MAX * 2];
	size_t len = 2 + strlen(topic) + MQTT_PAYLOAD_LEN;

	must(link_read(l, head, 2) && (head[0] & 0xf0) == 0x30, "message");
	len += head[1] & 128 ? 1 : 0; /* the second byte of the length */
	must(len < sizeof(body) && link_read(l, body, len), "message");
}

/* From one publisher to each of the others. */
static void
measure_fan_out(struct bench *b, enum side side)
{
	size_t count = b->live - 2 < FAN_OUT ? b->live - 2 : FAN_OUT;
	struct series times = { NULL, 0, 0 };
	uint8_t packet[MQTT_PACKET_MAX], answer[5];
	char topic[64];
	size_t len = mqtt_subscribe_packet("factory/line1/alarms/#", packet);

	for (size_t i = 2; i < 2 + count; i++)
		must(link_write(&b->links[i], packet, len) && link_read(&b->links[i], answer, 5) &&
			answer[4] == 0,
		    "subscription");
	snprintf(topic, sizeof(topic), "factory/line1/alarms/%s", b->devices[1].name);
	len = mqtt_publish_packet(topic, packet);
	for (size_t round = 0; round < FAN_ROUNDS; round++) {
		int64_t start = clock_ns();

		must(link_write(&b->links[1], packet, len), "publish");
		for (size_t i = 2; i < 2 + count; i++)
			read_message(&b->links[i], topic);
		series_add(&times, (double)(clock_ns() - start) / 1e6);
	}
	row(b,
	    side == BARE ? "one message to 1000 live connections, bare broker"
			 : "  with the plugin",
	    series_median(&times), -1, "ms");
	series_free(&times);
}

static void
connect_all(struct bench *b, enum side side)
{
	int64_t before = server_cpu_ns(&b->server);
	double cpu;

	live_connect(b->links, b->devices, b->live, b->server.tls_port);
	cpu = (double)(server_cpu_ns(&b->server) - before) / 1e3 / (double)b->live;
	if (side == BARE) {
		b->bare_cpu = cpu;
		row(b, "CPU for a connection, bare broker", cpu, -1, "us");
		return;
	}
	row(b, "  with the plugin", cpu, -1, "us");
	row(b, "  relation", cpu / b->bare_cpu, 1.03, "");
	memory_rows(b, "with all live connections");
}

static void
measure_bare(struct bench *b)
{
	server_start(&b->server, &b->config[BARE]);
	connect_all(b, BARE);
	row(b, "memory of the bare broker with all live connections", memory_mb(b), -1, "MiB");
	measure_fan_out(b, BARE);
	live_hang_up(b->links, b->live);
	server_stop(&b->server, SIGTERM);
}

/*
 * The administrator.
 */

static double
list_page_ms(struct bench *b, char marker[CONTROL_MARKER_SIZE])
{
	int64_t start = clock_ns();

	control_list_page(&b->links[0], marker);
	return (double)(clock_ns() - start) / 1e6;
}

/* The median of ten, the first of them at this place, or as many as there are. */
static void
row_of_pages(struct bench *b, const char *what, const struct series *pages, size_t first)
{
	struct series some = { NULL, 0, 0 };

	for (size_t i = first; i < pages->count && i < first + 10; i++)
		series_add(&some, pages->at[i]);
	row(b, what, series_median(&some), -1, "ms");
	series_free(&some);
}

/* Every page once, in their order. */
static void
measure_lists(struct bench *b)
{
	struct series pages = { NULL, 0, 0 };
	char marker[CONTROL_MARKER_SIZE] = "";

	do
		series_add(&pages, list_page_ms(b, marker));
	while (marker[0] != '\0');
	must(pages.count >= b->certs / 250, "all pages of the list");
	row_of_pages(b, "list page of 250 certificates: the first ones", &pages, 0);
	row_of_pages(b, "  in the middle", &pages, pages.count / 2);
	row_of_pages(b, "  the last ones", &pages, pages.count > 10 ? pages.count - 10 : 0);
	row(b, "  the longest of all", series_at(&pages, 1), -1, "ms");
	series_free(&pages);
}

/* Each change has the time until its answer, and the longest PINGREQ of another client. */
static void
measure_policy(struct bench *b)
{
	struct series rtt = { NULL, 0, 0 };
	struct ping *ping = ping_start(b->server.port);
	int64_t start;
	double answered;

	sleep_us(500000);
	start = clock_ns();
	control_policy(&b->links[0], "Guard", "Allow");
	(void)control_answer(&b->links[0]);
	answered = (double)(clock_ns() - start) / 1e6;
	sleep_us(1000000);
	ping_stop(ping, &rtt);
	row(b, "change of a policy that all live certificates have", answered, -1, "ms");
	row(b, "  PINGREQ of another client meanwhile, longest", series_at(&rtt, 1), -1, "ms");
	row(b, "  and p99", series_at(&rtt, 0.99), 1, "ms");
	series_free(&rtt);
}

/* The last devices, one by one. */
static void
measure_revoked(struct bench *b)
{
	struct series closed = { NULL, 0, 0 }, answered = { NULL, 0, 0 };

	for (size_t i = b->live - CHANGES; i < b->live; i++) {
		struct pollfd fd = { .fd = b->links[i].fd, .events = POLLIN };
		int64_t start = clock_ns();

		control_status(&b->links[0], &b->devices[i].id, "REVOKED");
		must(poll(&fd, 1, 5000) == 1, "a revoked device closed");
		series_add(&closed, (double)(clock_ns() - start) / 1e6);
		(void)control_answer(&b->links[0]);
		series_add(&answered, (double)(clock_ns() - start) / 1e6);
		sleep_us(20000);
	}
	row(b, "one change, answered: median", series_median(&answered), -1, "ms");
	row(b, "one live certificate revoked, closed: p99", series_at(&closed, 0.99), 200, "ms");
	row(b, "  longest", series_at(&closed, 1), -1, "ms");
	series_free(&closed);
	series_free(&answered);
}

/* A list that names the devices from first on. */
static void
write_list(const struct bench *b, const char *path, size_t first, size_t count, int64_t time)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, time), *next = ASN1_TIME_set(NULL, time + 86400);
	FILE *f = fopen(path, "w");

	must(crl != NULL && at != NULL && next != NULL && f != NULL, path);
	must(X509_CRL_set_version(crl, 1) &&
		X509_CRL_set_issuer_name(crl, X509_get_subject_name(b->fleet.ca)) &&
		X509_CRL_set1_lastUpdate(crl, at) && X509_CRL_set1_nextUpdate(crl, next),
	    "list");
	for (size_t i = first; i < first + count; i++) {
		X509_REVOKED *entry = X509_REVOKED_new();

		must(entry != NULL &&
			X509_REVOKED_set_serialNumber(entry,
			    X509_get_serialNumber(b->devices[i].x)) &&
			X509_REVOKED_set_revocationDate(entry, at) &&
			X509_CRL_add0_revoked(crl, entry),
		    "entry of a list");
	}
	must(X509_CRL_sort(crl) && X509_CRL_sign(crl, b->fleet.ca_key, EVP_sha256()) > 0 &&
		PEM_write_X509_CRL(f, crl) == 1 && fclose(f) == 0,
	    "list");
	X509_CRL_free(crl);
	ASN1_TIME_free(at);
	ASN1_TIME_free(next);
}

/* aws-iot A.2.3: the certificates of a CA that is INACTIVE go on working. */
static void
measure_ca_inactive(struct bench *b)
{
	struct series rtt = { NULL, 0, 0 }, closed = { NULL, 0, 0 };
	char members[CONTROL_MEMBERS_MAX], hex[CERTID_HEX_SIZE];
	struct ping *ping = ping_start(b->server.port);

	certid_to_hex(&b->fleet.ca_id, hex);
	for (size_t i = 0; i < 2; i++) {
		snprintf(members, sizeof(members), "\"certificateId\":\"%s\",\"newStatus\":\"%s\"",
		    hex, i == 0 ? "INACTIVE" : "ACTIVE");
		(void)control_call(&b->links[0], "updateCACertificate", members);
		live_await_closed(&b->links[1], b->live - CHANGES - 1, clock_ns(), 1, &closed);
	}
	ping_stop(ping, &rtt);
	row(b, "the CA made INACTIVE and ACTIVE: connections closed", (double)closed.count, 0, "");
	row(b, "  PINGREQ of another client meanwhile, p99", series_at(&rtt, 0.99), 10, "ms");
	series_free(&rtt);
	series_free(&closed);
}

/*
 * A list that names the first ones: those from first on are open and close.  The broker reads
 * the file when it is named.
 */
static void
measure_list(struct bench *b, size_t first, size_t count, int64_t time)
{
	struct series closed = { NULL, 0, 0 }, rtt = { NULL, 0, 0 };
	char path[4096], members[8192], hex[CERTID_HEX_SIZE], what[80];
	struct ping *ping = ping_start(b->server.port);
	int64_t start;

	snprintf(path, sizeof(path), "%s/crl/list-%zu.pem", b->directory, first);
	write_list(b, path, 2, first + count - 2, time);
	certid_to_hex(&b->fleet.ca_id, hex);
	snprintf(members, CONTROL_MEMBERS_MAX, "\"certificateId\":\"%s\",\"crlFile\":\"%.1000s\"",
	    hex, path);
	start = clock_ns();
	control_send(&b->links[0], "updateCACertificate", members);
	live_await_closed(&b->links[first], count, start, LISTED_S, &closed);
	ping_stop(ping, &rtt);
	(void)control_answer(&b->links[0]);
	must(closed.count == count, "all listed devices closed");
	snprintf(what, sizeof(what), "a list that names %zu more of them: all closed", count);
	row(b, what, series_at(&closed, 1), -1, "ms");
	row(b, "  from the first one to the last one",
	    series_at(&closed, 1) - series_at(&closed, 0), -1, "ms");
	row(b, "  PINGREQ of another client meanwhile, p99", series_at(&rtt, 0.99), -1, "ms");
	row(b, "  longest", series_at(&rtt, 1), -1, "ms");
	series_free(&closed);
	series_free(&rtt);
}

/* The lists end with all certificates of the CA that are connected, but for the administrator's. */
static void
measure_all_listed(struct bench *b)
{
	size_t count = b->live - CHANGES - 2, half = count / 2;
	int64_t now = (int64_t)time(NULL);

	measure_list(b, 2, half, now - 60);
	measure_list(b, 2 + half, count - half, now - 30);
}

/* The policy that lets all of them in does it no more; then it does again, and they connect. */
static void
measure_all_off(struct bench *b)
{
	size_t first = 2, count = b->live - CHANGES - first;
	struct series closed = { NULL, 0, 0 }, rtt = { NULL, 0, 0 };
	struct ping *ping = ping_start(b->server.port);
	char what[80];
	int64_t start = clock_ns();

	control_policy(&b->links[0], "Guard", "Deny");
	live_await_closed(&b->links[first], count, start, LISTED_S, &closed);
	ping_stop(ping, &rtt);
	(void)control_answer(&b->links[0]);
	must(closed.count == count, "all devices closed");
	snprintf(what, sizeof(what), "a policy that shuts out %zu: all closed", count);
	row(b, what, series_at(&closed, 1), 2000, "ms");
	row(b, "  PINGREQ of another client meanwhile, p99", series_at(&rtt, 0.99), -1, "ms");
	control_policy(&b->links[0], "Guard", "Allow");
	(void)control_answer(&b->links[0]);
	live_hang_up(&b->links[first], count);
	live_connect(&b->links[first], &b->devices[first], count, b->server.tls_port);
	series_free(&closed);
	series_free(&rtt);
}

static void
measure_new_devices(struct bench *b)
{
	struct device *d = devices_make(&b->fleet, b->new_devices);
	struct subscriber *s = subscriber_start(b->server.port);
	struct load_result r;
	char what[80];
	size_t arrived;

	load_run(b->server.tls_port, d, b->new_devices, 16, HANG_UP, &r);
	load_must_be(&r, REFUSED, "new devices");
	while (subscriber_events(s) < b->new_devices &&
	    clock_ns() - subscriber_last(s) < (int64_t)20 * 1000000000)
		sleep_us(10000);
	row(b, "first connections a second",
	    (double)b->new_devices / ((double)(r.ended - r.started) / 1e9), -1, "");
	snprintf(what, sizeof(what), "  events of %zu new devices that did not arrive",
	    b->new_devices);
	sleep_us(1000000);
	arrived = subscriber_distinct(s);
	row(b, what, (double)(b->new_devices - arrived), 0, "");
	row(b, "  events that arrived again", (double)(subscriber_events(s) - arrived), 0, "");
	row(b, "  the last event, after the last connection",
	    (double)(subscriber_last(s) - r.ended) / 1e9, -1, "s");
	subscriber_stop(s);
	devices_free(d, b->new_devices);
}

static void
measure_plugin(struct bench *b)
{
	struct store *s = bench_store_open(b->directory);

	access_register(s, b->devices, b->live);
	store_close(s);
	server_start(&b->server, &b->config[PLUGIN]);
	memory_rows(b, "after the start");
	connect_all(b, PLUGIN);
	measure_fan_out(b, PLUGIN);
	measure_lists(b);
	measure_policy(b);
	measure_revoked(b);
	measure_ca_inactive(b);
	measure_all_off(b);
	measure_all_listed(b);
	if (b->new_devices > 0)
		measure_new_devices(b);
	live_hang_up(b->links, b->live);
	server_stop(&b->server, SIGTERM);
}

/*
 * Delete and register again.
 */

static size_t
delete_slice(struct store *s)
{
	struct listing l = { .ascending = true };
	struct cert page[SLICE];
	struct txn t;
	size_t count = 0;

	must(store_write(s, &t) == ERR_OK &&
		store_list_certs(&t, &l, page, SLICE, &count) == ERR_OK,
	    "listing");
	for (size_t i = 0; i < count; i++)
		store_delete_cert(&t, &page[i].id);
	must(store_commit(&t) == ERR_OK, "deletion");
	return count;
}

static void
measure_rounds(struct bench *b)
{
	size_t count = b->certs < ROUND_MOST ? b->certs : ROUND_MOST;
	double first = 0, last = 0;

	for (size_t round = 0; round < b->rounds; round++) {
		struct store *s = bench_store_open(b->directory);

		for (size_t left = count; left > 0;) {
			size_t deleted = delete_slice(s);

			left -= deleted < left ? deleted : left;
			if (deleted == 0)
				break;
		}
		fleet_register(&b->fleet, s, NULL, 0, count);
		store_close(s);
		last = read_bytes(b).file;
		first = round == 0 ? last : first;
	}
	if (b->rounds > 1)
		row(b, "the file after the last round of delete and register, to the first",
		    last / first, 1.1, "");
}

int
main(int argc, char **argv)
{
	struct bench b = { .certs = 0 };

	if (argc != 4) {
		fprintf(stderr, "usage: %s DIRECTORY PLUGIN.so DYNSEC.so\n", argv[0]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	read_options(&b, argv);
	set_scene(&b);
	measure_bytes(&b);
	measure_start(&b);
	measure_dynsec(&b);
	measure_bare(&b);
	measure_plugin(&b);
	measure_rounds(&b);
	devices_free(b.devices, b.live);
	free(b.links);
	fleet_close(&b.fleet);
	return b.missed && option("JITR_BENCH_STRICT", 0) != 0 ? 1 : 0;
}
