/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* mqtt.c - see mqtt.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mqtt.h"

#define TIMEOUT_S 30

int
mqtt_dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * A packet: the bytes before a text, the text with its length in two bytes, and the bytes
 * behind.  The remaining length, of one or two bytes, is inserted here (MQTT 3.1.1, 2.2.3).
 */
struct parts {
	uint8_t type;
	const uint8_t *before;
	size_t before_len;
	const char *text;
	size_t after_len; /* of zeros */
};

static size_t
build(const struct parts *p, uint8_t out[MQTT_PACKET_MAX])
{
	size_t text_len = strlen(p->text);
	size_t rest = p->before_len + 2 + text_len + p->after_len, n = 0;

	must(rest + 3 <= MQTT_PACKET_MAX, "room for the packet");
	memset(out, 0, MQTT_PACKET_MAX);
	out[n++] = p->type;
	out[n++] = (uint8_t)(rest < 128 ? rest : (rest % 128) | 128);
	if (rest >= 128)
		out[n++] = (uint8_t)(rest / 128);
	memcpy(out + n, p->before, p->before_len);
	n += p->before_len + 1;
	out[n++] = (uint8_t)text_len;
	memcpy(out + n, p->text, text_len);
	return n + text_len + p->after_len;
}

/* Clean session, keep alive of an hour (MQTT 3.1.1, 3.1): a subscriber must not be disconnected
 * during the rounds of other brokers. */
size_t
mqtt_connect_packet(const char *client_id, uint8_t out[MQTT_PACKET_MAX])
{
	static const uint8_t before[] = { 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0x0e, 0x10 };
	struct parts p = { 0x10, before, sizeof(before), client_id, 0 };

	return build(&p, out);
}

size_t
mqtt_subscribe_packet(const char *filter, uint8_t out[MQTT_PACKET_MAX])
{
	static const uint8_t packet_id[] = { 0, 1 };
	struct parts p = { 0x82, packet_id, sizeof(packet_id), filter, 1 };

	return build(&p, out);
}

/* The payload is a run of letters. */
size_t
mqtt_publish_packet(const char *topic, uint8_t out[MQTT_PACKET_MAX])
{
	static const uint8_t nothing[1] = { 0 };
	struct parts p = { 0x30, nothing, 0, topic, MQTT_PAYLOAD_LEN };
	size_t len = build(&p, out);

	memset(out + len - MQTT_PAYLOAD_LEN, 'x', MQTT_PAYLOAD_LEN);
	return len;
}
