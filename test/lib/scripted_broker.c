/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripted_broker.h"

#include "command_line.h"

int
listening(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(s, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(s, 1), 0);
	ck_assert_int_eq(getsockname(s, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return s;
}

/* Reads one packet.  Returns its first byte, -1 at the end of the connection. */
static int
read_packet(int s, unsigned char *body, size_t size, size_t *len)
{
	unsigned char header, digit;
	size_t shift = 0;
	size_t got = 0;

	*len = 0;
	if (read(s, &header, 1) != 1)
		return -1;
	do {
		if (read(s, &digit, 1) != 1)
			return -1;
		*len |= (size_t)(digit & 127) << shift;
		shift += 7;
	} while (digit & 128);
	while (got < *len && *len < size) {
		ssize_t n = read(s, body + got, *len - got);

		if (n <= 0)
			return -1;
		got += (size_t)n;
	}
	body[got] = '\0';
	return header;
}

static void
send_packet(int s, unsigned char header, const void *body, size_t len)
{
	unsigned char packet[8192];
	size_t n = 0;
	size_t rest = len;

	packet[n++] = header;
	do {
		packet[n++] = (unsigned char)(rest % 128 | (rest > 127 ? 128 : 0));
		rest /= 128;
	} while (rest > 0);
	memcpy(packet + n, body, len);
	if (write(s, packet, n + len) < 0)
		_exit(1);
}

static void
send_answer(int s, const char *correlation, const char *rest)
{
	char body[4096] = "\0\x19$CONTROL/jitr/v1/response";
	int len = snprintf(body + 27, sizeof(body) - 27,
	    "{\"responses\":[{\"command\":\"c\",\"correlationData\":\"%s\",%s}]}", correlation,
	    rest);

	send_packet(s, 0x30, body, 27 + (size_t)len);
}

/* Sends an answer of another request first, then this one's. */
static void
answer_request(int s, const unsigned char *body, const char *answer)
{
	const char *json = (const char *)body + 2 + 16 + 2; /* topic, packet id */
	cJSON *request = cJSON_Parse(json);
	const cJSON *command = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(request,
						      "commands"),
	    0);
	const char *id = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(command, "correlationData"));
	FILE *log = fopen("requests", "a");

	send_packet(s, 0x40, body + 2 + 16, 2); /* PUBACK */
	send_answer(s, "another request", "\"error\":\"NotYoursException\"");
	if (strncmp(answer, DELAYED, strlen(DELAYED)) == 0) {
		(void)sleep(11);
		answer += strlen(DELAYED);
	}
	send_answer(s, id, answer);
	(void)fprintf(log, "%s\n", json);
	(void)fclose(log);
	cJSON_Delete(request);
}

/* MQTT 5 packets have an empty list of properties here. */
static void
play_broker(int listener, const char *const *answers)
{
	static unsigned char body[1 << 19]; /* as much as the plugin takes */
	int s = accept(listener, NULL, NULL);
	bool v5 = false;
	size_t len;
	int header;

	while ((header = read_packet(s, body, sizeof(body) - 1, &len)) >= 0) {
		if (header >> 4 == 1) {
			v5 = body[6] == 5;
			send_packet(s, 0x20, "\0\0\0", v5 ? 3 : 2);
		} else if (header >> 4 == 8 && !v5) {
			send_packet(s, 0x90, (unsigned char[]){ body[0], body[1], 0x80 }, 3);
		} else if (header >> 4 == 3 && v5) {
			send_packet(s, 0x40, (unsigned char[]){ body[18], body[19], 0x87 }, 3);
		} else if (header >> 4 == 3 && *answers != NULL) {
			answer_request(s, body, *answers++);
		} else if (header >> 4 != 8) {
			break;
		}
	}
	_exit(0);
}

int
run_with_broker(const char *const *answers, const char *const *command)
{
	char port[8];
	int number;
	int listener = listening(&number);
	const char *words[WORDS_MAX] = { "-h", "127.0.0.1", "-p", port };
	pid_t broker;
	int status;

	(void)unlink("requests");
	broker = fork();
	if (broker == 0)
		play_broker(listener, answers);
	(void)close(listener);
	(void)snprintf(port, sizeof(port), "%d", number);
	for (int i = 0; command[i] != NULL; i++)
		words[4 + i] = command[i];
	status = run_words(words);
	ck_assert_int_eq(waitpid(broker, NULL, 0), broker);
	return status;
}
