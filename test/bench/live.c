/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* live.c - see live.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "live.h"

#define PARALLEL 16

void
live_need_files(size_t connections)
{
	struct rlimit files;

	must(getrlimit(RLIMIT_NOFILE, &files) == 0, "limits");
	files.rlim_cur = files.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > connections + 100,
	    "files for so many connections: ulimit -n");
}

struct dialling {
	struct link *links;
	const struct device *devices;
	size_t count;
	int port;
	SSL_CTX *tls;
	atomic_size_t next;
};

static void *
dial_main(void *arg)
{
	struct dialling *d = arg;
	size_t i;

	while ((i = atomic_fetch_add(&d->next, 1)) < d->count) {
		must(link_dial(&d->links[i], d->port) &&
			link_handshake(&d->links[i], d->tls, &d->devices[i]),
		    "handshake");
		must(link_connect(&d->links[i], d->devices[i].name) == 0, "CONNECT");
	}
	return NULL;
}

void
live_connect(struct link *links, const struct device *devices, size_t count, int port)
{
	struct dialling d = { .links = links,
		.devices = devices,
		.count = count,
		.port = port,
		.tls = link_context() };
	pthread_t thread[PARALLEL];

	for (size_t i = 0; i < PARALLEL; i++)
		must(pthread_create(&thread[i], NULL, dial_main, &d) == 0, "thread");
	for (size_t i = 0; i < PARALLEL; i++)
		pthread_join(thread[i], NULL);
	SSL_CTX_free(d.tls);
}

void
live_await_closed(const struct link *links, size_t count, int64_t start, int patience_s,
    struct series *closed)
{
	int epoll = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLRDHUP | EPOLLHUP }, events[256];
	size_t left = count;

	must(epoll >= 0, "epoll");
	for (size_t i = 0; i < count; i++)
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, links[i].fd, (e.data.u64 = i, &e)) == 0,
		    "epoll");
	while (left > 0) {
		int n = epoll_wait(epoll, events, 256, patience_s * 1000);

		if (n <= 0)
			break;
		for (int i = 0; i < n; i++, left--) {
			series_add(closed, (double)(clock_ns() - start) / 1e6);
			epoll_ctl(epoll, EPOLL_CTL_DEL, links[events[i].data.u64].fd, NULL);
		}
	}
	close(epoll);
}

void
live_hang_up(struct link *links, size_t count)
{
	for (size_t i = 0; i < count; i++)
		link_close(&links[i]);
}
