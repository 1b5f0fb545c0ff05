/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* control.c - see control.h. */
#define _GNU_SOURCE /* memmem */
#include <inttypes.h>
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

/* The caller frees it; it ends with a zero byte. */
static char *
read_answer(struct link *l, size_t *len)
{
	uint8_t head;
	char *text = malloc(ANSWER_MAX);

	must(text != NULL && link_read(l, &head, 1), "answer");
	*len = read_length(l);
	must(*len < ANSWER_MAX && link_read(l, (uint8_t *)text, *len), "answer");
	text[*len] = '\0';
	if (memmem(text, *len, "\"error\"", 7) != NULL)
		die("a command failed: %.*s", (int)*len, text);
	return text;
}

size_t
control_answer(struct link *l)
{
	size_t len;

	free(read_answer(l, &len));
	return len;
}

size_t
control_call(struct link *l, const char *command, const char *members)
{
	control_send(l, command, members);
	return control_answer(l);
}

void
control_list_page(struct link *l, char marker[CONTROL_MARKER_SIZE])
{
	static const char name[] = "\"nextMarker\":\"";
	char members[CONTROL_MARKER_SIZE + 64], *text, *next;
	size_t len;

	snprintf(members, sizeof(members), "\"pageSize\":250%s%s%s",
	    marker[0] != '\0' ? ",\"marker\":\"" : "", marker, marker[0] != '\0' ? "\"" : "");
	control_send(l, "listCertificates", members);
	text = read_answer(l, &len);
	next = memmem(text, len, name, sizeof(name) - 1);
	marker[0] = '\0';
	if (next != NULL) {
		next += sizeof(name) - 1;
		len = strcspn(next, "\"");
		must(len > 0 && len < CONTROL_MARKER_SIZE, "marker");
		memcpy(marker, next, len);
		marker[len] = '\0';
	}
	free(text);
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
	uint64_t *ids;         /* the start of each event's certificateId */
	size_t capacity;
};

static bool
receive(int fd, uint8_t *data, size_t len)
{
	return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static void
note_event(struct subscriber *s, const uint8_t *body, size_t len)
{
	static const char name[] = "\"certificateId\":\"";
	const char *id = memmem(body, len, name, sizeof(name) - 1);
	size_t count = s->events;

	must(id != NULL && id + sizeof(name) + 15 < (const char *)body + len, "event");
	if (count == s->capacity) {
		s->capacity = count * 2 + 1024;
		s->ids = realloc(s->ids, s->capacity * sizeof(*s->ids));
		must(s->ids != NULL, "memory");
	}
	must(sscanf(id + sizeof(name) - 1, "%16" SCNx64, &s->ids[count]) == 1, "event");
}

/* One PUBLISH, QoS 1, and its PUBACK. */
static bool
take_event(struct subscriber *s)
{
	int fd = s->fd;
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
	note_event(s, body, len);
	topic = (size_t)body[0] << 8 | body[1];
	return send(fd, (uint8_t[]){ 0x40, 2, body[2 + topic], body[3 + topic] }, 4, 0) == 4;
}

static void *
subscriber_main(void *arg)
{
	struct subscriber *s = arg;

	while (take_event(s)) {
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

static int
compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

size_t
subscriber_distinct(const struct subscriber *s)
{
	size_t count = s->events, distinct = count > 0;

	if (count > 0)
		qsort(s->ids, count, sizeof(*s->ids), compare_ids);
	for (size_t i = 1; i < count; i++)
		distinct += s->ids[i] != s->ids[i - 1];
	return distinct;
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
	free(s->ids);
	free(s);
}
