/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* load.c - see load.h: a thread per connection in flight, blocking sockets. */
#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ssl.h>

#include "link.h"
#include "load.h"

#define PARALLEL_MAX 256

struct load {
	int port;
	enum manner manner;
	const struct device *devices;
	size_t count;
	SSL_CTX *tls;
	atomic_size_t next;
	atomic_uint outcomes[OUTCOME_COUNT];
};

static enum outcome
talk(struct link *l, const struct device *d)
{
	switch (link_connect(l, d->name)) {
	case 0:
		return ACCEPTED;
	case 5:
		return REFUSED;
	case -1:
		return NO_ANSWER;
	default:
		return OTHER_ANSWER;
	}
}

static enum outcome
leave(struct link *l)
{
	static const uint8_t disconnect[] = { 0xe0, 0 };

	if (!link_write(l, disconnect, sizeof(disconnect)))
		return NO_ANSWER;
	link_drain(l);
	return ACCEPTED;
}

static enum outcome
connect_once(struct load *l, const struct device *d)
{
	enum outcome outcome = NO_HANDSHAKE;
	struct link link;

	if (!link_dial(&link, l->port))
		return NOT_CONNECTED;
	if (link_handshake(&link, l->tls, d))
		outcome = talk(&link, d);
	if (outcome == ACCEPTED && l->manner == LEAVE)
		outcome = leave(&link);
	link_close(&link);
	return outcome;
}

static void *
load_main(void *arg)
{
	struct load *l = arg;
	size_t i;

	while ((i = atomic_fetch_add(&l->next, 1)) < l->count)
		atomic_fetch_add(&l->outcomes[connect_once(l, &l->devices[i])], 1);
	return NULL;
}

void
load_run(int port, const struct device *d, size_t count, unsigned parallel, enum manner manner,
    struct load_result *out)
{
	struct load l = { .port = port,
		.manner = manner,
		.devices = d,
		.count = count,
		.tls = link_context() };
	pthread_t thread[PARALLEL_MAX];

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
load_must_be(const struct load_result *r, enum outcome wanted, const char *devices)
{
	unsigned total = 0;

	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		total += r->count[i];
	if (r->count[wanted] == total)
		return;
	die("%s: of %u connections %u accepted, %u refused, %u not connected, "
	    "%u without a handshake, %u without an answer, %u with another answer",
	    devices, total, r->count[ACCEPTED], r->count[REFUSED], r->count[NOT_CONNECTED],
	    r->count[NO_HANDSHAKE], r->count[NO_ANSWER], r->count[OTHER_ANSWER]);
}
