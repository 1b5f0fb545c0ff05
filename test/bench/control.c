/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* control.c - see control.h. */
#define _GNU_SOURCE /* memmem */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "mqtt.h"

#define CONTROL "$CONTROL/jitr/v1"
#define EVENTS  "$aws/events/certificates/registered/#"

#define EVENT_MAX  2048
#define ANSWER_MAX (1 << 20)

/*
 * Commands.
 */

void
control_send(struct link *l, const char *command, const char *members)
{
	char body[CONTROL_MEMBERS_MAX + 128];
	uint8_t packet[sizeof(body) + 64];
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
	must(link_write(l, packet, n + (size_t)len), "request");
}

/* The remaining length of a packet (MQTT 3.1.1, 2.2.3). */
static size_t
read_length(struct link *l)
{
	size_t len = 0;
	uint8_t byte;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		must(link_read(l, &byte, 1), "answer");
		len |= (size_t)(byte & 127) << shift;
		if (byte < 128)
			return len;
	}
	die("answer: not MQTT");
}

size_t
control_answer(struct link *l)
{
	uint8_t head;
	uint8_t *text = malloc(ANSWER_MAX);
	size_t len;

	must(text != NULL && link_read(l, &head, 1), "answer");
	len = read_length(l);
	must(len < ANSWER_MAX && link_read(l, text, len), "answer");
	if (memmem(text, len, "\"error\"", 7) != NULL)
		die("a command failed: %.*s", (int)len, (const char *)text);
	free(text);
	return len;
}

size_t
control_call(struct link *l, const char *command, const char *members)
{
	control_send(l, command, members);
	return control_answer(l);
}

void
control_status(struct link *l, const struct certid *id, const char *status)
{
	char members[256], hex[CERTID_HEX_SIZE];

	certid_to_hex(id, hex);
	snprintf(members, sizeof(members), "\"certificateId\":\"%s\",\"newStatus\":\"%s\"", hex,
	    status);
	control_send(l, "updateCertificate", members);
}

void
control_policy(struct link *l, const char *policy, const char *effect)
{
	char members[CONTROL_MEMBERS_MAX];

	snprintf(members, sizeof(members),
	    "\"policyName\":\"%s\",\"setAsDefault\":true,"
	    "\"policyDocument\":\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{"
	    "\\\"Effect\\\":\\\"%s\\\",\\\"Action\\\":\\\"iot:Connect\\\","
	    "\\\"Resource\\\":\\\"*\\\"}]}\"",
	    policy, effect);
	control_send(l, "createPolicyVersion", members);
}

/*
 * Events.
 */

struct subscriber {
	pthread_t thread;
	int fd;
	atomic_size_t events;
	_Atomic(int64_t) last; /* clock_ns() */
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
	uint8_t head[2], body[EVENT_MAX], length = 0;
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

struct subscriber *
subscriber_start(int port)
{
	struct subscriber *s = calloc(1, sizeof(*s));
	uint8_t packet[MQTT_PACKET_MAX];
	size_t len = mqtt_connect_packet("back end", packet);

	must(s != NULL, "memory");
	s->fd = mqtt_dial(port);
	must(s->fd >= 0 && send(s->fd, packet, len, 0) == (ssize_t)len && receive(s->fd, packet, 4),
	    "subscriber");
	len = mqtt_subscribe_packet(EVENTS, packet);
	packet[len - 1] = 1; /* QoS */
	must(send(s->fd, packet, len, 0) == (ssize_t)len && receive(s->fd, packet, 5) &&
		packet[4] == 1,
	    "subscription");
	s->last = clock_ns();
	must(pthread_create(&s->thread, NULL, subscriber_main, s) == 0, "thread");
	return s;
}

size_t
subscriber_events(const struct subscriber *s)
{
	return s->events;
}

int64_t
subscriber_last(const struct subscriber *s)
{
	return s->last;
}

void
subscriber_stop(struct subscriber *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	free(s);
}
