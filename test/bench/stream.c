/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* stream.c - see stream.h. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "link.h"
#include "mqtt.h"
#include "stream.h"

const char *const stream_topics[STREAM_TOPICS_MAX] = { "telemetry", "state", "vibration", "log" };

struct message {
	uint8_t packet[MQTT_PACKET_MAX];
	size_t len;
};

/* The end of a topic that no message had before. */
#define NEW_TOPIC  "log/"
#define NEW_DIGITS 8

struct pair {
	struct link publisher, subscriber;
	struct message messages[STREAM_TOPICS_MAX];
	struct message new_topic;
	size_t digits; /* their place in it */
	const struct pace *pace;
	size_t bursts; /* to do */
	unsigned sent, received;
	unsigned seed;
	pthread_t thread;
};

struct stream {
	const struct pace *pace;
	SSL_CTX *tls;
	struct pair *pairs;
};

/*
 * Connecting.
 */

static void
join(struct link *l, SSL_CTX *tls, int port, const struct device *d)
{
	must(link_dial(l, port), "connection");
	must(link_handshake(l, tls, d), "TLS handshake");
	must(link_connect(l, d->name) == 0, "CONNACK");
}

static void
subscribe(struct link *l, const char *publisher)
{
	uint8_t packet[MQTT_PACKET_MAX], answer[5];
	char filter[128];

	snprintf(filter, sizeof(filter), "factory/line1/%s/#", publisher);
	must(link_write(l, packet, mqtt_subscribe_packet(filter, packet)) &&
		link_read(l, answer, sizeof(answer)),
	    "SUBACK");
	must(answer[0] == 0x90 && answer[4] == 0, "subscription");
}

static void
pair_open(struct pair *p, const struct stream *s, int port, const struct device *d)
{
	char topic[128];

	p->pace = s->pace;
	p->seed = (unsigned)(p - s->pairs) + 1;
	join(&p->publisher, s->tls, port, &d[0]);
	join(&p->subscriber, s->tls, port, &d[1]);
	subscribe(&p->subscriber, d[0].name);
	for (size_t i = 0; i < STREAM_TOPICS_MAX; i++) {
		snprintf(topic, sizeof(topic), "factory/line1/%s/%s", d[0].name, stream_topics[i]);
		p->messages[i].len = mqtt_publish_packet(topic, p->messages[i].packet);
	}
	snprintf(topic, sizeof(topic), "factory/line1/%s/" NEW_TOPIC "%0*d", d[0].name, NEW_DIGITS,
	    0);
	p->new_topic.len = mqtt_publish_packet(topic, p->new_topic.packet);
	p->digits = p->new_topic.len - MQTT_PAYLOAD_LEN - NEW_DIGITS;
}

struct stream *
stream_open(int port, const struct device *d, const struct pace *pace)
{
	struct stream *s = calloc(1, sizeof(*s));

	must(s != NULL, "memory");
	s->pace = pace;
	s->tls = link_context();
	s->pairs = calloc(pace->pairs, sizeof(*s->pairs));
	must(s->pairs != NULL, "memory");
	for (size_t i = 0; i < pace->pairs; i++)
		pair_open(&s->pairs[i], s, port, &d[2 * i]);
	return s;
}

void
stream_close(struct stream *s)
{
	for (size_t i = 0; i < s->pace->pairs; i++) {
		link_close(&s->pairs[i].publisher);
		link_close(&s->pairs[i].subscriber);
	}
	SSL_CTX_free(s->tls);
	free(s->pairs);
	free(s);
}

/*
 * Publishing.
 */

static struct message
numbered_message(const struct pair *p, unsigned number)
{
	struct message m = p->new_topic;
	char digits[NEW_DIGITS + 4];

	snprintf(digits, sizeof(digits), "%0*u", NEW_DIGITS, number);
	memcpy(m.packet + p->digits, digits, NEW_DIGITS);
	return m;
}

static struct message
next_message(const struct pair *p, unsigned *counter)
{
	unsigned number = (*counter)++;

	return p->pace->topics > 0 ? p->messages[number % p->pace->topics]
				   : numbered_message(p, number);
}

static void
publish_one(struct pair *p)
{
	struct message m = next_message(p, &p->sent);

	must(link_write(&p->publisher, m.packet, m.len), "PUBLISH");
}

/* At QoS 0 the subscriber receives the publisher's packet, byte for byte. */
static void
receive_one(struct pair *p)
{
	struct message m = next_message(p, &p->received);
	uint8_t packet[MQTT_PACKET_MAX];

	must(link_read(&p->subscriber, packet, m.len) && memcmp(packet, m.packet, m.len) == 0,
	    "delivery of a message");
}

static void
pause_between(struct pair *p)
{
	unsigned gap = p->pace->gap_us;

	if (gap > 0)
		sleep_us((unsigned)rand_r(&p->seed) % (2 * gap));
}

static void *
pair_main(void *arg)
{
	struct pair *p = arg;

	for (; p->bursts > 0; p->bursts--) {
		pause_between(p);
		for (unsigned i = 0; i < p->pace->burst; i++)
			publish_one(p);
		for (unsigned i = 0; i < p->pace->burst; i++)
			receive_one(p);
	}
	return NULL;
}

void
stream_run(struct stream *s, size_t messages)
{
	size_t pairs = s->pace->pairs;

	must(messages % (pairs * s->pace->burst) == 0, "messages: a multiple of pairs and burst");
	for (size_t i = 0; i < pairs; i++) {
		struct pair *p = &s->pairs[i];

		p->bursts = messages / pairs / s->pace->burst;
		must(pthread_create(&p->thread, NULL, pair_main, p) == 0, "thread");
	}
	for (size_t i = 0; i < pairs; i++)
		pthread_join(s->pairs[i].thread, NULL);
}
