/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* ping.c - see ping.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mqtt.h"
#include "ping.h"

struct ping {
	int fd;
	pthread_t thread;
	atomic_bool stop;
	struct series rtt; /* the thread's until it has ended */
};

static void
exchange(int fd, const uint8_t *packet, size_t len, size_t answer_len)
{
	uint8_t answer[4];

	must(send(fd, packet, len, MSG_NOSIGNAL) == (ssize_t)len, "ping: send");
	must(recv(fd, answer, answer_len, MSG_WAITALL) == (ssize_t)answer_len, "ping: answer");
}

static void *
ping_main(void *arg)
{
	static const uint8_t pingreq[] = { 0xc0, 0 };
	struct ping *p = arg;

	while (!p->stop) {
		int64_t start = clock_ns();

		exchange(p->fd, pingreq, sizeof(pingreq), 2);
		series_add(&p->rtt, (double)(clock_ns() - start) / 1e6);
		sleep_us(PING_INTERVAL_US);
	}
	return NULL;
}

struct ping *
ping_start(int port)
{
	struct ping *p = calloc(1, sizeof(*p));
	uint8_t packet[MQTT_PACKET_MAX];

	must(p != NULL, "memory");
	p->fd = mqtt_dial(port);
	must(p->fd >= 0, "ping: connection");
	exchange(p->fd, packet, mqtt_connect_packet("ping", packet), 4);
	must(pthread_create(&p->thread, NULL, ping_main, p) == 0, "thread");
	return p;
}

void
ping_stop(struct ping *p, struct series *rtt)
{
	p->stop = true;
	pthread_join(p->thread, NULL);
	for (size_t i = 0; i < p->rtt.count; i++)
		series_add(rtt, p->rtt.at[i]);
	series_free(&p->rtt);
	close(p->fd);
	free(p);
}
