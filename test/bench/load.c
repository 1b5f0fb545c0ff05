/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* load.c - see load.h: a thread per connection in flight, blocking sockets. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "load.h"
#include "mqtt.h"

#define PARALLEL_MAX 256
#define TIMEOUT_S 30

struct load {
	int                  port;
	enum manner          manner;
	const struct device *devices;
	size_t               count;
	SSL_CTX             *tls;
	atomic_size_t        next;
	atomic_uint          outcomes[OUTCOME_COUNT];
};

int
mqtt_dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int            fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0
	    || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0
	    || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Clean session, keep alive of a minute (MQTT 3.1.1, 3.1). */
size_t
mqtt_connect_packet(const char *client_id, uint8_t out[MQTT_CONNECT_MAX])
{
	static const uint8_t fixed[] = { 0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0 };
	size_t               len = strlen(client_id);

	must(sizeof(fixed) + len <= MQTT_CONNECT_MAX, "client id");
	memcpy(out, fixed, sizeof(fixed));
	out[1] = (uint8_t)(sizeof(fixed) - 2 + len);
	out[sizeof(fixed) - 1] = (uint8_t)len;
	memcpy(out + sizeof(fixed), client_id, len);
	return sizeof(fixed) + len;
}

static bool
write_all(SSL *tls, const uint8_t *data, size_t len)
{
	return SSL_write(tls, data, (int)len) == (int)len;
}

static bool
read_all(SSL *tls, uint8_t *data, size_t len)
{
	while (len > 0) {
		int n = SSL_read(tls, data, (int)len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static enum outcome
talk(SSL *tls, const struct device *d)
{
	uint8_t packet[MQTT_CONNECT_MAX], answer[4];
	size_t  len = mqtt_connect_packet(d->name, packet);

	if (!write_all(tls, packet, len) || !read_all(tls, answer, sizeof(answer)))
		return NO_ANSWER;
	if (answer[0] != 0x20 || (answer[3] != 0 && answer[3] != 5))
		return OTHER_ANSWER;
	return answer[3] == 0 ? ACCEPTED : REFUSED;
}

static enum outcome
leave(SSL *tls)
{
	static const uint8_t disconnect[] = { 0xe0, 0 };
	uint8_t              rest[64];

	if (!write_all(tls, disconnect, sizeof(disconnect)))
		return NO_ANSWER;
	while (SSL_read(tls, rest, sizeof(rest)) > 0)
		continue;
	return ACCEPTED;
}

static enum outcome
connect_once(struct load *l, const struct device *d)
{
	enum outcome outcome = NO_HANDSHAKE;
	int          fd = mqtt_dial(l->port);
	SSL         *tls;

	if (fd < 0)
		return NOT_CONNECTED;
	tls = SSL_new(l->tls);
	must(tls != NULL && SSL_use_certificate(tls, d->x) == 1
	    && SSL_use_PrivateKey(tls, d->key) == 1 && SSL_set_fd(tls, fd) == 1, "TLS client");
	if (SSL_connect(tls) == 1)
		outcome = talk(tls, d);
	if (outcome == ACCEPTED && l->manner == LEAVE)
		outcome = leave(tls);
	SSL_free(tls);
	close(fd);
	ERR_clear_error();
	return outcome;
}

static void *
load_main(void *arg)
{
	struct load *l = arg;
	size_t       i;

	while ((i = atomic_fetch_add(&l->next, 1)) < l->count)
		atomic_fetch_add(&l->outcomes[connect_once(l, &l->devices[i])], 1);
	return NULL;
}

/* The broker is what is measured: the client does not spend time on who it is. */
static SSL_CTX *
client_context(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	must(tls != NULL && SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION), "TLS context");
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(tls, SSL_MODE_NO_AUTO_CHAIN);
	return tls;
}

void
load_run(int port, const struct device *d, size_t count, unsigned parallel,
    enum manner manner, struct load_result *out)
{
	struct load l = { .port = port, .manner = manner, .devices = d, .count = count,
		.tls = client_context() };
	pthread_t   thread[PARALLEL_MAX];

	must(parallel > 0 && parallel <= PARALLEL_MAX, "parallel connections: 1 to 256");
	out->started = clock_ns();
	for (unsigned i = 0; i < parallel; i++)
		must(pthread_create(&thread[i], NULL, load_main, &l) == 0, "thread");
	for (unsigned i = 0; i < parallel; i++)
		pthread_join(thread[i], NULL);
	out->ended = clock_ns();
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		out->count[i] = l.outcomes[i];
	SSL_CTX_free(l.tls);
}

void
load_must_be(const struct load_result *r, enum outcome wanted, const char *who)
{
	unsigned total = 0;

	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		total += r->count[i];
	if (r->count[wanted] == total)
		return;
	die("%s: of %u connections %u accepted, %u refused, %u not connected, "
	    "%u without a handshake, %u without an answer, %u with another answer", who, total,
	    r->count[ACCEPTED], r->count[REFUSED], r->count[NOT_CONNECTED], r->count[NO_HANDSHAKE],
	    r->count[NO_ANSWER], r->count[OTHER_ANSWER]);
}
