/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* broker_mosquitto.c - see broker_mosquitto.h. */
#include <dlfcn.h>
#include <string.h>

#include "broker_mosquitto.h"

#include "jitr/core/text.h"

#define PROPERTY_RESPONSE_TOPIC 8 /* MQTT 5, 2.2.2.2 */

static const int levels[] = {
	[LEVEL_DEBUG] = MOSQ_LOG_DEBUG,
	[LEVEL_INFO] = MOSQ_LOG_INFO,
	[LEVEL_NOTICE] = MOSQ_LOG_NOTICE,
	[LEVEL_WARNING] = MOSQ_LOG_WARNING,
	[LEVEL_ERROR] = MOSQ_LOG_ERR,
};

#define LINE_MAX 1000 /* as much as the broker takes, log__vprintf() of 2.0 and 2.1 */

/* The broker does not escape log lines (mosquitto section 0, 19).  Texts of clients are escaped
 * where they are quoted; this is a second line of defence. */
static void
log_line(enum log_level level, const char *line)
{
	char shown[LINE_MAX];
	struct text t = text_in(shown, sizeof(shown));

	text_add_shown(&t, view_of(line));
	mosquitto_log_printf(levels[level], "%s", shown);
}

static uint64_t publications;

uint64_t
broker_publications(void)
{
	return publications;
}

static enum err
publish_to(const char *client_id, const char *topic, struct view payload, int qos, bool retain)
{
	int rc;

	if (payload.len > INT32_MAX)
		return ERR_LIMIT;
	publications++;
	rc = mosquitto_broker_publish_copy(client_id, topic, (int)payload.len, payload.data, qos,
	    retain, NULL);
	return rc == MOSQ_ERR_SUCCESS ? ERR_OK : rc == MOSQ_ERR_NOMEM ? ERR_NOMEM : ERR_REQUEST;
}

static enum err
publish(const char *topic, struct view payload, int qos, bool retain)
{
	return publish_to(NULL, topic, payload, qos, retain);
}

static enum err
answer(const char *client_id, const char *topic, struct view payload)
{
	return publish_to(client_id, topic, payload, 0, false);
}

/* ISO C has no conversion from an object's address to a function's. */
#define LOOK_UP(function, name) \
	do { \
		void *symbol = dlsym(RTLD_DEFAULT, name); \
		memcpy(&(function), &symbol, sizeof(symbol)); \
	} while (0)

/* false: without the will, which a certificate that may not connect any more must not
 * publish.  The search by user name finds live connections only. */
static void
kick(const char *user_name)
{
	(void)mosquitto_kick_client_by_username(user_name, false);
}

/*
 * Does the broker find this connection by this client id?  2.1 has a function for that.  In 2.0
 * it is true of a TCP connection from its CONNECT to its DISCONNECT event, because the broker
 * sends the event in the same step in which it closes the connection or another connection
 * takes over the id (context__disconnect).  The event of a websocket comes later, from
 * libwebsockets, and another connection may have its id by then.
 */
static bool
is_found_by_id(const struct mosquitto *m, const char *client_id)
{
	static struct mosquitto *(*client_of)(const char *);
	static bool looked_up;
	const char *id = mosquitto_client_id(m);

	if (!looked_up) {
		LOOK_UP(client_of, "mosquitto_client");
		looked_up = true;
	}
	if (id == NULL || strcmp(id, client_id) != 0)
		return false;
	return client_of != NULL ? client_of(client_id) == m
				 : mosquitto_client_protocol(m) == mp_mqtt;
}

static bool
kick_one(const void *client, const char *client_id)
{
	return is_found_by_id(client, client_id) &&
	    mosquitto_kick_client_by_clientid(client_id, false) == MOSQ_ERR_SUCCESS;
}

static enum err
name_client(void *client, const char *user_name)
{
	return mosquitto_set_username(client, user_name) == MOSQ_ERR_SUCCESS ? ERR_OK : ERR_NOMEM;
}

const struct broker broker_mosquitto = { log_line, publish, answer, kick, kick_one, name_client };

static int
client_port(const struct mosquitto *m)
{
	static int (*port_of)(const struct mosquitto *);
	static bool looked_up;

	if (!looked_up) {
		LOOK_UP(port_of, "mosquitto_client_port");
		looked_up = true;
	}
	return port_of != NULL ? port_of(m) : 0;
}

void
client_read(struct mosquitto *m, struct client *c)
{
	*c = (struct client){
		.handle = m,
		.id = mosquitto_client_id(m),
		.user_name = mosquitto_client_username(m),
		.address = mosquitto_client_address(m),
		.x = mosquitto_client_certificate(m),
		.port = client_port(m),
		.websockets = mosquitto_client_protocol(m) == mp_websockets,
		.clean_session = mosquitto_client_clean_session(m),
		.version = mosquitto_client_protocol_version(m),
	};
}

/*
 * AWS's names for the reasons of 2.1 (aws-iot D.9).  Reasons of MQTT 5 are written as numbers,
 * because 2.0 has others of the same names.
 */
static const struct {
	int reason;
	const char *text;
} ends[] = {
	{ MOSQ_ERR_CONN_LOST, "CONNECTION_LOST" }, { MOSQ_ERR_ERRNO, "CONNECTION_LOST" },
	{ MOSQ_ERR_TLS, "CONNECTION_LOST" }, { MOSQ_ERR_KEEPALIVE, "MQTT_KEEP_ALIVE_TIMEOUT" },
	{ MOSQ_ERR_AUTH, "AUTH_ERROR" }, { MOSQ_ERR_ACL_DENIED, "FORBIDDEN_ACCESS" },
	{ MOSQ_ERR_PROTOCOL, "CLIENT_ERROR" }, { MOSQ_ERR_MALFORMED_PACKET, "CLIENT_ERROR" },
	{ MOSQ_ERR_MALFORMED_UTF8, "CLIENT_ERROR" },
	{ MOSQ_ERR_DUPLICATE_PROPERTY, "CLIENT_ERROR" },
	{ MOSQ_ERR_OVERSIZE_PACKET, "CLIENT_ERROR" }, { MOSQ_ERR_PAYLOAD_SIZE, "CLIENT_ERROR" },
	{ MOSQ_ERR_QOS_NOT_SUPPORTED, "CLIENT_ERROR" }, { MOSQ_ERR_NOT_SUPPORTED, "CLIENT_ERROR" },
	{ MOSQ_ERR_NOMEM, "SERVER_ERROR" },
	{ 139, "SERVER_INITIATED_DISCONNECT" }, /* server shutting down */
	{ 142, "DUPLICATE_CLIENTID" },          /* session taken over */
	{ 147, "CLIENT_ERROR" },                /* receive maximum exceeded */
	{ 148, "CLIENT_ERROR" },                /* topic alias invalid */
	{ 152, "SERVER_INITIATED_DISCONNECT" }, /* administrative action */
};

struct presence_end
disconnect_read(int reason)
{
	if (reason < 0)
		return (struct presence_end){ ANSWER_NOT_ASKED, NULL };
	if (reason == MOSQ_ERR_SUCCESS)
		return (struct presence_end){ ANSWER_YES, "CLIENT_INITIATED_DISCONNECT" };
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (ends[i].reason == reason)
			return (struct presence_end){ ANSWER_NO, ends[i].text };
	return (struct presence_end){ ANSWER_NO, NULL };
}

char *
read_response_topic(const mosquitto_property *properties)
{
	const mosquitto_property *(*read_string)(const mosquitto_property *, int, char **, bool);
	char *topic = NULL;

	LOOK_UP(read_string, "mosquitto_property_read_string");
	if (properties == NULL || read_string == NULL)
		return NULL;
	(void)read_string(properties, PROPERTY_RESPONSE_TOPIC, &topic, false);
	return topic;
}
