/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_plugin.c - the plugin in a broker of the test's own.
 *
 * The functions that a broker gives its plugins are defined here; everything
 * behind the plugin's callbacks is real.  So is the clock, but for a time that
 * the test adds to it.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker_mosquitto.h"
#include "plugin.h"
#include "plugin_private.h"
#include "suite.h"
#include "world.h"

#include "jitr/service/gate.h"
#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"

#define EXPORT __attribute__((visibility("default")))

/*
 * The clock.
 */

static int64_t added_ns; /* to the monotonic clock; broker thread */
static int64_t look_ns;  /* how much it goes on from one look to the next */
static pthread_t broker_thread;

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, ts);

	if (clock == CLOCK_MONOTONIC && pthread_equal(pthread_self(), broker_thread)) {
		added_ns += look_ns;
		ts->tv_sec += (time_t)(added_ns / 1000000000);
		ts->tv_nsec += (long)(added_ns % 1000000000);
		ts->tv_sec += ts->tv_nsec / 1000000000;
		ts->tv_nsec %= 1000000000;
	}
	return rc;
}

static void
wait_ms(int64_t ms)
{
	added_ns += ms * 1000000;
}

/*
 * The broker.
 */

struct mosquitto {
	const char *id, *address;
	char username[CERTID_HEX_SIZE];
	struct x509_st *x;
	int protocol;
	bool connected;
};

struct callback {
	int event;
	MOSQ_FUNC_generic_callback function;
	const char *topic;
	void *user_data;
};

struct publication {
	char client[64], topic[160], *payload;
	int qos;
	bool retain;
};

static struct {
	struct callback callbacks[32];
	size_t callback_count;
	int refused_event; /* 0: none but those that 2.0 does not know */
	char lines[400][600];
	int levels[400];
	size_t line_count;
	struct publication publications[400];
	size_t publication_count;
	char kicked[CERTID_HEX_SIZE], kicked_id[64];
} broker;

EXPORT int
mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
    MOSQ_FUNC_generic_callback function, const void *event_data, void *user_data)
{
	must(identifier == (mosquitto_plugin_id_t *)&broker);
	if (event == broker.refused_event)
		return MOSQ_ERR_ALREADY_EXISTS;
	if (event > MOSQ_EVT_DISCONNECT)
		return MOSQ_ERR_NOT_SUPPORTED;
	must(broker.callback_count < COUNT_OF(broker.callbacks));
	broker.callbacks[broker.callback_count++] = (struct callback){ event, function, event_data,
		user_data };
	return MOSQ_ERR_SUCCESS;
}

EXPORT int
mosquitto_callback_unregister(mosquitto_plugin_id_t *identifier, int event,
    MOSQ_FUNC_generic_callback function, const void *event_data)
{
	must(identifier == (mosquitto_plugin_id_t *)&broker);
	for (size_t i = 0; i < broker.callback_count; i++) {
		struct callback *c = &broker.callbacks[i];

		if (c->event != event || c->function != function || c->topic != event_data)
			continue;
		*c = broker.callbacks[--broker.callback_count];
		return MOSQ_ERR_SUCCESS;
	}
	return MOSQ_ERR_NOT_FOUND;
}

EXPORT void mosquitto_log_printf(int level, const char *format, ...) PRINTF_LIKE(2, 3);

EXPORT void
mosquitto_log_printf(int level, const char *format, ...)
{
	va_list args;

	must(pthread_equal(pthread_self(), broker_thread));
	must(broker.line_count < COUNT_OF(broker.lines));
	va_start(args, format);
	vsnprintf(broker.lines[broker.line_count], sizeof(broker.lines[0]), format, args);
	va_end(args);
	broker.levels[broker.line_count++] = level;
}

EXPORT int
mosquitto_broker_publish_copy(const char *client_id, const char *topic, int payload_len,
    const void *payload, int qos, bool retain, mosquitto_property *properties)
{
	struct publication *p = &broker.publications[broker.publication_count];

	must(pthread_equal(pthread_self(), broker_thread) && properties == NULL);
	must(++broker.publication_count < COUNT_OF(broker.publications));
	snprintf(p->client, sizeof(p->client), "%s", client_id != NULL ? client_id : "");
	snprintf(p->topic, sizeof(p->topic), "%s", topic);
	p->payload = strndup(payload, (size_t)payload_len);
	p->qos = qos;
	p->retain = retain;
	return MOSQ_ERR_SUCCESS;
}

EXPORT int
mosquitto_kick_client_by_clientid(const char *clientid, bool with_will)
{
	must(!with_will);
	snprintf(broker.kicked_id, sizeof(broker.kicked_id), "%s", clientid);
	return MOSQ_ERR_SUCCESS;
}

int
mosquitto_kick_client_by_username(const char *username, bool with_will)
{
	must(!with_will); /* it would be a publication of one who may not */
	snprintf(broker.kicked, sizeof(broker.kicked), "%s", username);
	return MOSQ_ERR_SUCCESS;
}

EXPORT int
mosquitto_set_username(struct mosquitto *client, const char *username)
{
	snprintf(client->username, sizeof(client->username), "%s", username);
	return MOSQ_ERR_SUCCESS;
}

EXPORT const char *
mosquitto_client_id(const struct mosquitto *client)
{
	return client->id;
}

EXPORT const char *
mosquitto_client_address(const struct mosquitto *client)
{
	return client->address;
}

EXPORT const char *
mosquitto_client_username(const struct mosquitto *client)
{
	return client->username[0] != '\0' ? client->username : NULL;
}

EXPORT int
mosquitto_client_protocol_version(const struct mosquitto *client)
{
	(void)client;
	return 5;
}

EXPORT int
mosquitto_client_protocol(const struct mosquitto *client)
{
	return client->protocol;
}

bool
mosquitto_client_clean_session(const struct mosquitto *client)
{
	(void)client;
	return true;
}

/* A new reference, as brokers give it. */
EXPORT void *
mosquitto_client_certificate(const struct mosquitto *client)
{
	if (client->x != NULL)
		x509_hold(client->x);
	return client->x;
}

EXPORT void
mosquitto_free(void *memory)
{
	free(memory);
}

/* Only some brokers have these: found by name.  2.0 has no mosquitto_client(). */
EXPORT int mosquitto_client_port(const struct mosquitto *client);

EXPORT int
mosquitto_client_port(const struct mosquitto *client)
{
	(void)client;
	return 13490;
}

/* The properties of this broker are a string. */
EXPORT const mosquitto_property *
mosquitto_property_read_string(const mosquitto_property *properties, int identifier, char **value,
    bool skip_first)
{
	must(identifier == 8 && !skip_first);
	*value = strdup((const char *)properties);
	return properties;
}

/* What a callback answers to an event; -1: nobody listens. */
static int
deliver(int event, void *data)
{
	for (size_t i = 0; i < broker.callback_count; i++)
		if (broker.callbacks[i].event == event)
			return broker.callbacks[i].function(event, data,
			    broker.callbacks[i].user_data);
	return -1;
}

static bool
said(const char *part)
{
	for (size_t i = 0; i < broker.line_count; i++)
		if (strstr(broker.lines[i], part) != NULL)
			return true;
	return false;
}

/* A start logs its version and the counters that have a new name. */
#define STARTED_LINES 2

/* How many lines of the log contain this. */
static size_t
count_lines(const char *part)
{
	size_t count = 0;

	for (size_t i = 0; i < broker.line_count; i++)
		count += strstr(broker.lines[i], part) != NULL;
	return count;
}

static const struct publication *
published(const char *topic_prefix)
{
	for (size_t i = broker.publication_count; i-- > 0;)
		if (strncmp(broker.publications[i].topic, topic_prefix, strlen(topic_prefix)) == 0)
			return &broker.publications[i];
	return NULL;
}

/*
 * Events.
 */

static int
basic_auth(struct mosquitto *m)
{
	struct mosquitto_evt_basic_auth ed = { .client = m };
	char name[CERTID_HEX_SIZE];

	snprintf(name, sizeof(name), "%s", m->username);
	ed.username = name[0] != '\0' ? name : NULL;
	return deliver(MOSQ_EVT_BASIC_AUTH, &ed);
}

static int
acl_check(struct mosquitto *m, int access, const char *topic)
{
	struct mosquitto_evt_acl_check ed = { .client = m, .topic = topic, .access = access };

	return deliver(MOSQ_EVT_ACL_CHECK, &ed);
}

static int
control(struct mosquitto *m, const char *payload, char *response_topic)
{
	struct mosquitto_evt_control ed = { .client = m,
		.topic = CONTROL_TOPIC,
		.payload = payload,
		.payloadlen = payload != NULL ? (uint32_t)strlen(payload) : 0,
		.properties = (const mosquitto_property *)response_topic };

	if (m->x == NULL && !m->connected) {
		m->connected = true;
		ck_assert_int_eq(basic_auth(m), MOSQ_ERR_PLUGIN_DEFER);
	}
	return deliver(MOSQ_EVT_CONTROL, &ed);
}

static void
disconnect(struct mosquitto *m)
{
	struct mosquitto_evt_disconnect ed = { .client = m };

	ck_assert_int_eq(deliver(MOSQ_EVT_DISCONNECT, &ed), MOSQ_ERR_SUCCESS);
}

static void
turn(void)
{
	struct mosquitto_evt_tick ed = { .now_s = 0 };

	wait_ms(100);
	ck_assert_int_eq(deliver(MOSQ_EVT_TICK, &ed), MOSQ_ERR_SUCCESS);
}

/* The registrar needs its time. */
static void
tick_until(bool (*holds)(void))
{
	static const struct timespec moment = { 0, 1000000 };

	for (int i = 0; i < 5000 && !holds(); i++) {
		turn();
		nanosleep(&moment, NULL);
	}
}

static const char *awaited;

static bool
is_published(void)
{
	return published(awaited) != NULL;
}

/* Ticks until a message with this beginning of a topic was published. */
static const struct publication *
tick_until_published(const char *topic_prefix)
{
	awaited = topic_prefix;
	tick_until(is_published);
	ck_assert_msg(published(topic_prefix) != NULL, "%s", topic_prefix);
	return published(topic_prefix);
}

/*
 * Start and stop.
 */

static struct pki_cert *ca, *device;
static struct mosquitto m_device, m_admin;
static void *plugin;

static void
set_up(void)
{
	memset(&broker, 0, sizeof(broker));
	broker_thread = pthread_self();
	world_open();
	ca = pki_ca("Test CA");
	device = pki_device(ca, "device-1");
	world_put_ca(ca, CA_ACTIVE, true);
	store_close(world.store);
	world.store = NULL;
	m_device = (struct mosquitto){ .id = "d1",
		.address = "203.0.113.7",
		.x = device->x,
		.username = "u1" };
	m_admin = (struct mosquitto){ .id = "a1", .address = "::1", .username = "admin" };
}

static void
tear_down(void)
{
	plugin_stop(plugin);
	plugin = NULL;
	for (size_t i = 0; i < broker.publication_count; i++)
		free(broker.publications[i].payload);
	pki_free(device);
	pki_free(ca);
	world_close();
}

/* With these options; NULL, NULL: none more. */
static int
start_with(const char *name, const char *value)
{
	char names[6][32] = { "db_path", "admin_users", "authorization", "other_clients",
		"registrar_path", "" };
	char values[6][200] = { "", "admin", "allow", "defer", REGISTRAR_PROGRAM, "" };
	struct mosquitto_opt options[6];
	int count = name != NULL ? 6 : 5;

	snprintf(values[0], sizeof(values[0]), "%s", world.db_path);
	if (name != NULL) {
		snprintf(names[5], sizeof(names[5]), "%s", name);
		snprintf(values[5], sizeof(values[5]), "%s", value);
	}
	for (int i = 0; i < count; i++)
		options[i] = (struct mosquitto_opt){ names[i], values[i] };
	return plugin_start((mosquitto_plugin_id_t *)&broker, &plugin, options, count);
}

static void
start(void)
{
	ck_assert_int_eq(start_with(NULL, NULL), MOSQ_ERR_SUCCESS);
}

static void
stop(void)
{
	plugin_stop(plugin);
	plugin = NULL;
	world_reopen_store();
}

START_TEST(a_start_says_where_everything_is)
{
	start();
	ck_assert_uint_eq(broker.line_count, STARTED_LINES);
	ck_assert(said("jitr: version " JITR_VERSION ", registry "));
	ck_assert(said("connections/closed (connections/cut)"));
	ck_assert(said(world.db_path));
	ck_assert_int_eq(broker.levels[0], MOSQ_LOG_NOTICE);
}
END_TEST

START_TEST(callbacks_come_and_go_with_the_plugin)
{
	static const int events[] = { MOSQ_EVT_BASIC_AUTH, MOSQ_EVT_EXT_AUTH_START,
		MOSQ_EVT_PSK_KEY, MOSQ_EVT_ACL_CHECK, MOSQ_EVT_MESSAGE, MOSQ_EVT_CONTROL,
		MOSQ_EVT_TICK, MOSQ_EVT_RELOAD, MOSQ_EVT_DISCONNECT };

	start();
	ck_assert_uint_eq(broker.callback_count, COUNT_OF(events));
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		size_t n = 0;

		while (broker.callbacks[n].event != events[i])
			ck_assert_uint_lt(++n, broker.callback_count);
		if (events[i] == MOSQ_EVT_CONTROL)
			ck_assert_str_eq(broker.callbacks[n].topic, "$CONTROL/jitr/v1");
	}
	stop();
	ck_assert_uint_eq(broker.callback_count, 0);
}
END_TEST

/* Contract, section 5: one clear line, and nothing is half applied. */
static const struct {
	const char *name, *value, *line;
} bad_options[] = {
	{ "db_pth", "/x", "jitr: unknown option db_pth" },
	{ "region", "Mars",
	    "jitr: option region: \\x22Mars\\x22 must be 1 to 63 lower-case letters" },
	{ "db_path", "/x", "jitr: option db_path is given twice" },
	{ "authorization", "allow", "jitr: option authorization is given twice" },
	{ "log_file", "/nowhere/at/all.log", "jitr: log_file /nowhere/at/all.log: No such file" },
	{ "ca_path", "/nowhere/at/all", "jitr: ca_path /nowhere/at/all: No such file" },
	{ "unknown_ca", "a\nb", "jitr: option unknown_ca: \\x22a\\x0ab\\x22 must be" },
};

START_TEST(a_bad_option_stops_the_start_with_one_line)
{
	ck_assert_int_eq(start_with(bad_options[_i].name, bad_options[_i].value), MOSQ_ERR_INVAL);
	ck_assert_ptr_null(plugin);
	ck_assert_uint_eq(broker.line_count, 1);
	ck_assert_msg(said(bad_options[_i].line), "%s", broker.lines[0]);
	ck_assert_int_eq(broker.levels[0], MOSQ_LOG_ERR);
	ck_assert_uint_eq(broker.callback_count, 0);
	ck_assert_uint_eq(broker.publication_count, 0);
	start(); /* nothing is left of the first */
}
END_TEST

START_TEST(a_registry_that_cannot_be_opened_stops_the_start)
{
	snprintf(world.db_path, sizeof(world.db_path), "/nowhere/at/all");
	ck_assert_int_eq(start_with(NULL, NULL), MOSQ_ERR_INVAL);
	ck_assert_uint_eq(broker.line_count, 1);
	ck_assert(said("jitr: /nowhere/at/all: "));
}
END_TEST

START_TEST(one_plugin_serves_the_whole_broker)
{
	void *second = NULL;
	struct mosquitto_opt none = { NULL, NULL };

	start();
	ck_assert_int_eq(plugin_start((mosquitto_plugin_id_t *)&broker, &second, &none, 0),
	    MOSQ_ERR_INVAL);
	ck_assert_ptr_null(second);
	ck_assert(said("jitr: loaded twice: one plugin line serves the whole broker"));
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH); /* the first goes on */
	stop();
	store_close(world.store);
	world.store = NULL;
	start(); /* and another one after it */
	plugin_stop(NULL);
}
END_TEST

START_TEST(a_broker_that_refuses_a_callback_gets_no_plugin)
{
	broker.refused_event = MOSQ_EVT_CONTROL;
	ck_assert_int_eq(start_with(NULL, NULL), MOSQ_ERR_INVAL);
	ck_assert_uint_eq(broker.callback_count, 0);
	ck_assert(said("is another plugin using $CONTROL/jitr/v1?"));
	broker.refused_event = 0;
	start();
}
END_TEST

START_TEST(registered_cas_are_mirrored_at_the_start)
{
	struct ca facts;
	char path[256];

	ck_assert_int_eq(x509_read_ca(ca->x, &facts), ERR_OK);
	snprintf(path, sizeof(path), "%s/ca/%08x.0", world.db_path, facts.subject_hash);
	ck_assert_int_ne(access(path, R_OK), 0);
	start();
	ck_assert_int_eq(access(path, R_OK), 0);
}
END_TEST

/* What was registered and not published yet is not lost. */
START_TEST(stopping_writes_what_waits)
{
	struct cert cert;

	start();
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	stop();
	ck_assert(world_get_cert(device, &cert));
	ck_assert_int_eq(cert.status, CERT_PENDING_ACTIVATION);
	ck_assert_uint_eq(world_message_count(), 1);
	ck_assert(said("jitr: certificate registered: "));
	store_close(world.store);
	world.store = NULL;
	start();
	tick_until_published("$aws/events/certificates/registered/"); /* in the next life */
}
END_TEST

/*
 * The story.
 */

/* One command of the administrator's; the answer. */
static const char *
admin_asks(const char *command)
{
	char text[4096];
	size_t before = broker.publication_count;

	snprintf(text, sizeof(text), "{\"commands\":[%s]}", command);
	ck_assert_int_eq(control(&m_admin, text, NULL), MOSQ_ERR_SUCCESS);
	for (size_t i = 0; i < before; i++) /* only what comes now */
		broker.publications[i].topic[0] = '\0';
	return tick_until_published(CONTROL_RESPONSE_TOPIC)->payload;
}

static void
admin_sets_status(const char *status)
{
	char command[200];

	snprintf(command, sizeof(command),
	    "{\"command\":\"updateCertificate\",\"certificateId\":"
	    "\"%s\",\"newStatus\":\"%s\"}",
	    world_hex(device), status);
	ck_assert_str_eq(admin_asks(command),
	    "{\"responses\":[{\"command\":\"updateCertificate\",\"data\":{}}]}");
}

START_TEST(a_device_registers_is_activated_and_revoked)
{
	const struct publication *event;

	start();
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	disconnect(&m_device);
	event = tick_until_published("$aws/events/certificates/registered/");
	ck_assert_ptr_nonnull(strstr(event->topic, world_hex(ca)));
	ck_assert_ptr_nonnull(strstr(event->payload, world_hex(device)));
	ck_assert_str_eq(event->client, ""); /* to whoever subscribes */
	ck_assert(event->qos == 1 && !event->retain);
	admin_sets_status("ACTIVE");
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_SUCCESS);
	ck_assert_str_eq(m_device.username, world_hex(device));
	ck_assert_int_eq(acl_check(&m_device, MOSQ_ACL_WRITE, "a/b"), MOSQ_ERR_SUCCESS);
	ck_assert_int_eq(acl_check(&m_device, MOSQ_ACL_WRITE, "$aws/events/x"),
	    MOSQ_ERR_ACL_DENIED);
	admin_sets_status("REVOKED");
	ck_assert_int_eq(acl_check(&m_device, MOSQ_ACL_READ, "a/b"), MOSQ_ERR_ACL_DENIED);
	turn();
	ck_assert_str_eq(broker.kicked, world_hex(device));
	disconnect(&m_device);
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
}
END_TEST

static bool
is_said_to_be_empty(void)
{
	return strstr(published(CONTROL_RESPONSE_TOPIC)->payload, "it is empty") != NULL;
}

START_TEST(the_answer_goes_to_the_asking_client_and_its_response_topic)
{
	char topic[] = "my/topic";

	start();
	ck_assert_int_eq(control(&m_admin, "garbage", topic), MOSQ_ERR_SUCCESS);
	ck_assert_str_eq(tick_until_published(CONTROL_RESPONSE_TOPIC)->client, "a1");
	ck_assert_str_eq(published("my/topic")->client, "a1");
	ck_assert_int_eq(published("my/topic")->qos, 0);
	ck_assert_int_eq(control(&m_admin, NULL, NULL), MOSQ_ERR_SUCCESS); /* an empty one */
	tick_until(is_said_to_be_empty);
	ck_assert_ptr_nonnull(strstr(published(CONTROL_RESPONSE_TOPIC)->payload, "it is empty"));
}
END_TEST

/* The broker reads no packet meanwhile.  Each of these requests has an answer and lines of the
 * log, which are frames too. */
START_TEST(few_frames_are_handled_in_one_turn)
{
	struct timespec left = { 0, 300000000 };
	size_t before;

	start();
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(control(&m_admin, "{\"commands\":[{\"command\":\"getSettings\"}]}",
				     NULL),
		    MOSQ_ERR_SUCCESS);
	turn();
	before = broker.publication_count;
	while (nanosleep(&left, &left) != 0) /* the signal that wakes the broker */
		;
	look_ns = 1000000;
	for (int turns = 0; broker.publication_count < before + 15; turns++) {
		size_t count = broker.publication_count;

		ck_assert_int_lt(turns, 200);
		turn();
		ck_assert_uint_le(broker.publication_count, count + 1);
	}
	look_ns = 0;
}
END_TEST

START_TEST(clients_without_a_certificate_are_left_to_others)
{
	struct mosquitto nobody = { .id = "x", .address = "::1" };

	start();
	ck_assert_int_eq(basic_auth(&nobody), MOSQ_ERR_PLUGIN_DEFER);
	ck_assert_int_eq(basic_auth(&m_admin), MOSQ_ERR_PLUGIN_DEFER);
	ck_assert_int_eq(acl_check(&nobody, MOSQ_ACL_WRITE, "a"), MOSQ_ERR_PLUGIN_DEFER);
	ck_assert_int_eq(acl_check(&nobody, MOSQ_ACL_WRITE, "$SYS/broker/jitr/x"),
	    MOSQ_ERR_ACL_DENIED);
	ck_assert_int_eq(acl_check(&nobody, MOSQ_ACL_WRITE, NULL), MOSQ_ERR_ACL_DENIED);
	ck_assert_int_eq(acl_check(&m_admin, MOSQ_ACL_SUBSCRIBE, "$aws/events/#"),
	    MOSQ_ERR_SUCCESS);
}
END_TEST

/* Extended authentication goes past BASIC_AUTH. */
START_TEST(extended_authentication_is_no_way_around)
{
	struct mosquitto_evt_extended_auth ed = { .client = &m_device };

	start();
	ck_assert_int_eq(deliver(MOSQ_EVT_EXT_AUTH_START, &ed), MOSQ_ERR_AUTH);
	tick_until_published("$aws/events/certificates/registered/");
	admin_sets_status("ACTIVE");
	ck_assert_int_eq(deliver(MOSQ_EVT_EXT_AUTH_START, &ed), MOSQ_ERR_PLUGIN_DEFER);
	ed.client = &m_admin;
	ck_assert_int_eq(deliver(MOSQ_EVT_EXT_AUTH_START, &ed), MOSQ_ERR_PLUGIN_DEFER);
}
END_TEST

/* What arrives over a bridge passes no ACL_CHECK. */
START_TEST(a_message_on_a_reserved_topic_goes_nowhere)
{
	char event[] = "$aws/events/x", other[] = "a/b";
	struct mosquitto_evt_message ed = { .topic = event };

	start();
	ck_assert_int_eq(deliver(MOSQ_EVT_MESSAGE, &ed), MOSQ_ERR_ACL_DENIED);
	ed.topic = other;
	ck_assert_int_eq(deliver(MOSQ_EVT_MESSAGE, &ed), MOSQ_ERR_SUCCESS);
}
END_TEST

START_TEST(a_reload_succeeds_and_opens_the_log_file_again)
{
	char moved[200], *text;

	snprintf(moved, sizeof(moved), "%s.1", world.log_path);
	ck_assert_int_eq(start_with("log_file", world.log_path), MOSQ_ERR_SUCCESS);
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	tick_until_published("$aws/events/certificates/registered/");
	ck_assert_int_eq(rename(world.log_path, moved), 0);
	ck_assert_int_eq(deliver(MOSQ_EVT_RELOAD, NULL), MOSQ_ERR_SUCCESS);
	turn();
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	stop();
	text = world_read_file(world.log_path);
	ck_assert_ptr_nonnull(strstr(text, "DEVICE_CERTIFICATE_PENDING_ACTIVATION"));
	ck_assert_ptr_nonnull(strstr(text, "\"sourcePort\":13490"));
	free(text);
}
END_TEST

/* By the numbers of 2.1.2, whatever this was built against. */
static const struct {
	int reason;
	enum answer client_initiated;
	const char *text; /* NULL: not known */
} ends[] = {
	{ -1, ANSWER_NOT_ASKED, NULL }, /* 2.0, always */
	{ 0, ANSWER_YES, "CLIENT_INITIATED_DISCONNECT" },
	{ 7, ANSWER_NO, "CONNECTION_LOST" },
	{ 11, ANSWER_NO, "AUTH_ERROR" },
	{ 19, ANSWER_NO, "MQTT_KEEP_ALIVE_TIMEOUT" },
	{ 21, ANSWER_NO, "CLIENT_ERROR" },
	{ 142, ANSWER_NO, "DUPLICATE_CLIENTID" },
	{ 152, ANSWER_NO, "SERVER_INITIATED_DISCONNECT" },
	{ 9999, ANSWER_NO, NULL },
};

START_TEST(why_a_connection_ended_is_told_in_awss_words)
{
	struct presence_end end = disconnect_read(ends[_i].reason);

	ck_assert_int_eq(end.client_initiated, ends[_i].client_initiated);
	ck_assert_pstr_eq(end.reason, ends[_i].text);
}
END_TEST

/*
 * Time.
 */

START_TEST(a_broker_without_ticks_is_told_of_once)
{
	static const char line[] = "this broker sends its plugins no ticks";

	start();
	wait_ms(9900);
	basic_auth(&m_admin);
	ck_assert_uint_eq(count_lines(line), 0);
	wait_ms(200);
	basic_auth(&m_admin);
	wait_ms(60000);
	basic_auth(&m_admin);
	ck_assert_uint_eq(count_lines(line), 1);
}
END_TEST

START_TEST(a_broker_with_ticks_is_not)
{
	start();
	turn();
	wait_ms(60000);
	basic_auth(&m_admin);
	ck_assert_uint_eq(broker.line_count, STARTED_LINES);
}
END_TEST

/* The last message on this very topic. */
static const struct publication *
counter(const char *topic)
{
	for (size_t i = broker.publication_count; i-- > 0;)
		if (strcmp(broker.publications[i].topic, topic) == 0)
			return &broker.publications[i];
	ck_abort_msg("nothing on %s", topic);
}

START_TEST(counters_are_published_now_and_then)
{
	static const char refused[] = "$SYS/broker/jitr/connections/refused";
	size_t count;

	ck_assert_int_eq(start_with("metrics_interval", "60"), MOSQ_ERR_SUCCESS);
	wait_ms(60000);
	turn();
	count = broker.publication_count;
	ck_assert_str_eq(counter(refused)->payload, "0");
	ck_assert(counter(refused)->retain);
	ck_assert_str_eq(counter("$SYS/broker/jitr/policies")->payload, "0");
	ck_assert_ptr_nonnull(counter("$SYS/broker/jitr/queue/waiting"));
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	wait_ms(59000);
	turn();
	ck_assert_str_eq(counter(refused)->payload, "0");
	wait_ms(1000);
	turn();
	ck_assert_str_eq(counter(refused)->payload, "1");
	ck_assert_uint_ge(broker.publication_count, 2 * count);
}
END_TEST

START_TEST(counters_may_be_switched_off)
{
	ck_assert_int_eq(start_with("metrics_interval", "0"), MOSQ_ERR_SUCCESS);
	wait_ms(600000);
	turn();
	ck_assert_uint_eq(broker.publication_count, 0);
}
END_TEST

/*
 * Other threads and other processes.
 */

static void *
ask_from_elsewhere(void *result)
{
	struct mosquitto_evt_control ed = { .client = &m_admin, .topic = CONTROL_TOPIC };

	must(basic_auth(&m_device) == MOSQ_ERR_PLUGIN_DEFER);
	must(acl_check(&m_device, MOSQ_ACL_WRITE, "a") == MOSQ_ERR_PLUGIN_DEFER);
	must(acl_check(&m_device, MOSQ_ACL_READ, "$aws/events/x") == MOSQ_ERR_PLUGIN_DEFER);
	must(acl_check(&m_device, MOSQ_ACL_WRITE, "$aws/events/x") == MOSQ_ERR_ACL_DENIED);
	must(acl_check(&m_device, MOSQ_ACL_WRITE, NULL) == MOSQ_ERR_ACL_DENIED);
	must(deliver(MOSQ_EVT_CONTROL, &ed) == MOSQ_ERR_SUCCESS);
	return result;
}

/* 2.1's HTTP listener asks on a thread of its own (mosquitto section 0, 12). */
START_TEST(on_another_thread_nothing_is_touched)
{
	pthread_t thread;
	struct cert cert;

	start();
	ck_assert_int_eq(pthread_create(&thread, NULL, ask_from_elsewhere, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(broker.line_count, STARTED_LINES);
	ck_assert_uint_eq(broker.publication_count, 0);
	stop();
	ck_assert(!world_get_cert(device, &cert));
}
END_TEST

/* Another process: this program again, for one change of the registry. */
static int
revoke_certificate(const char *db_path, const char *hex)
{
	struct store_config config = { .path = db_path,
		.map_size = 16u << 20,
		.sha256 = sha256_of };
	struct store *s;
	struct certid id;
	struct cert cert;
	struct txn t;
	bool done = certid_from_hex(&id, view_of(hex)) && store_open(&config, &s, NULL) == ERR_OK &&
	    store_write(s, &t) == ERR_OK && store_get_cert(&t, &id, &cert) == ERR_OK;

	if (!done)
		return EXIT_FAILURE;
	cert.status = CERT_REVOKED;
	store_put_cert(&t, &cert, NULL);
	done = store_commit(&t) == ERR_OK;
	store_close(s);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void
revoke_elsewhere(void)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execl("/proc/self/exe", "check_plugin", "--revoke", world.db_path,
		    world_hex(device), (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static bool
is_kicked(void)
{
	return broker.kicked[0] != '\0';
}

START_TEST(a_change_by_another_process_cuts_off)
{
	start();
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	tick_until_published("$aws/events/certificates/registered/");
	admin_sets_status("ACTIVE");
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_SUCCESS);
	turn();
	ck_assert_str_eq(broker.kicked, "");
	revoke_elsewhere();
	tick_until(is_kicked);
	ck_assert_str_eq(broker.kicked, world_hex(device));
}
END_TEST

static int
registrar_pid(void)
{
	return child_pid(((struct plugin *)plugin)->child);
}

static bool
is_running(void)
{
	return registrar_pid() != 0 && child_link(((struct plugin *)plugin)->child) != NULL;
}

static bool
is_not_running(void)
{
	return child_link(((struct plugin *)plugin)->child) == NULL;
}

START_TEST(a_change_that_a_killed_registrar_did_not_tell_cuts_off_before_the_next_one_starts)
{
	start();
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	tick_until_published("$aws/events/certificates/registered/");
	admin_sets_status("ACTIVE");
	ck_assert_int_eq(kill(registrar_pid(), SIGKILL), 0);
	tick_until(is_not_running);
	tick_until(is_running); /* after its second end the start waits for a second */
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_SUCCESS);
	ck_assert_int_eq(kill(registrar_pid(), SIGSTOP), 0);
	revoke_elsewhere();
	ck_assert_int_eq(kill(registrar_pid(), SIGKILL), 0);
	tick_until(is_kicked);
	ck_assert_str_eq(broker.kicked, world_hex(device));
	ck_assert(!is_running());
}
END_TEST

/* Kicking an offline session by its client id corrupts 2.0 (mosquitto section 0,
 * 2), so the id must be this connection's: not while another plugin authenticates
 * it in several steps, and not while libwebsockets closes it. */
static const struct {
	int protocol;
	bool extended, by_id;
} finding[] = {
	{ mp_mqtt, false, true },
	{ mp_mqtt, true, false },
	{ mp_websockets, false, false },
};

START_TEST(the_broker_finds_a_client_by_its_id_only_where_that_is_certain)
{
	struct mosquitto_evt_extended_auth ed = { .client = &m_device, .auth_method = "x" };

	start();
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	tick_until_published("$aws/events/certificates/registered/");
	admin_sets_status("ACTIVE");
	m_device.protocol = finding[_i].protocol;
	if (finding[_i].extended)
		ck_assert_int_eq(deliver(MOSQ_EVT_EXT_AUTH_START, &ed), MOSQ_ERR_PLUGIN_DEFER);
	else
		ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_SUCCESS);
	admin_sets_status("REVOKED");
	turn();
	ck_assert_str_eq(broker.kicked_id, finding[_i].by_id ? m_device.id : "");
	ck_assert_str_eq(broker.kicked, world_hex(device)); /* it was not closed by its id here */
	m_device.protocol = mp_mqtt;
}
END_TEST

/* mux_epoll.c: the broker sleeps up to 100 ms, and EINTR is nothing to it. */
START_TEST(a_sleeping_broker_is_woken_when_an_answer_is_ready)
{
	struct mosquitto_evt_tick ed = { .now_s = 0 };

	start();
	turn();
	ck_assert_int_eq(control(&m_admin, "{\"commands\":[{\"command\":\"getRegistrationCode\"}]}",
			     NULL),
	    MOSQ_ERR_SUCCESS);
	for (int i = 0; i < 1000 && published(CONTROL_RESPONSE_TOPIC) == NULL; i++) {
		ck_assert_int_eq(poll(NULL, 0, 10000), -1);
		ck_assert_int_eq(errno, EINTR);
		ck_assert_int_eq(deliver(MOSQ_EVT_TICK, &ed), MOSQ_ERR_SUCCESS);
	}
	ck_assert_ptr_nonnull(published(CONTROL_RESPONSE_TOPIC));
	/* And sleeps again when there is nothing to do. */
	for (int i = 0; i < 100 && poll(NULL, 0, 500) == -1; i++) {
		wait_ms(100);
		ck_assert_int_eq(deliver(MOSQ_EVT_TICK, &ed), MOSQ_ERR_SUCCESS);
	}
	ck_assert_int_eq(poll(NULL, 0, 200), 0);
}
END_TEST

static int
count_handled_signals(void)
{
	struct sigaction now;
	int handled = 0;

	for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
		handled += sigaction(n, NULL, &now) == 0 && now.sa_handler != SIG_DFL;
	return handled;
}

START_TEST(the_signal_that_wakes_is_given_back)
{
	int before = count_handled_signals();

	start();
	ck_assert_int_eq(count_handled_signals(), before + 1);
	stop();
	ck_assert_int_eq(count_handled_signals(), before);
}
END_TEST

static void
handle(int n)
{
	(void)n;
}

START_TEST(without_a_free_signal_the_plugin_works_all_the_same)
{
	for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
		must(signal(n, handle) != SIG_ERR);
	start();
	ck_assert(said("no timer or signal is free to wake the broker"));
	ck_assert_int_eq(basic_auth(&m_device), MOSQ_ERR_AUTH);
	tick_until_published("$aws/events/certificates/registered/");
	stop();
	for (int n = SIGRTMIN; n <= SIGRTMAX; n++)
		must(signal(n, SIG_DFL) == handle);
}
END_TEST

/*
 * What the broker looks for in the file.
 */

int mosquitto_plugin_version(int version_count, const int *versions);
int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **user_data,
    struct mosquitto_opt *options, int option_count);
int mosquitto_plugin_cleanup(void *user_data, struct mosquitto_opt *options, int option_count);

START_TEST(version_5_of_the_plugin_interface_is_spoken)
{
	static const int both[] = { 4, 5 }, old[] = { 2, 3, 4 };

	ck_assert_int_eq(mosquitto_plugin_version(2, both), 5);
	ck_assert_int_eq(mosquitto_plugin_version(3, old), -1);
	ck_assert_int_eq(mosquitto_plugin_version(0, both), -1);
}
END_TEST

START_TEST(the_broker_starts_and_stops_the_plugin)
{
	char name[] = "db_path", program_name[] = "registrar_path", program[] = REGISTRAR_PROGRAM;
	struct mosquitto_opt options[] = { { name, world.db_path }, { program_name, program } };
	void *user_data = NULL;

	ck_assert_int_eq(mosquitto_plugin_init((mosquitto_plugin_id_t *)&broker, &user_data,
			     options, 2),
	    MOSQ_ERR_SUCCESS);
	ck_assert_uint_gt(broker.callback_count, 0);
	ck_assert_int_eq(mosquitto_plugin_cleanup(user_data, options, 2), MOSQ_ERR_SUCCESS);
	ck_assert_uint_eq(broker.callback_count, 0);
}
END_TEST

static void
start_tests(TCase *t)
{
	tcase_add_test(t, a_start_says_where_everything_is);
	tcase_add_test(t, callbacks_come_and_go_with_the_plugin);
	tcase_add_loop_test(t, a_bad_option_stops_the_start_with_one_line, 0,
	    COUNT_OF(bad_options));
	tcase_add_test(t, a_registry_that_cannot_be_opened_stops_the_start);
	tcase_add_test(t, one_plugin_serves_the_whole_broker);
	tcase_add_test(t, a_broker_that_refuses_a_callback_gets_no_plugin);
	tcase_add_test(t, registered_cas_are_mirrored_at_the_start);
	tcase_add_test(t, stopping_writes_what_waits);
	tcase_add_test(t, version_5_of_the_plugin_interface_is_spoken);
	tcase_add_test(t, the_broker_starts_and_stops_the_plugin);
}

static void
event_tests(TCase *t)
{
	tcase_add_test(t, a_device_registers_is_activated_and_revoked);
	tcase_add_test(t, the_answer_goes_to_the_asking_client_and_its_response_topic);
	tcase_add_test(t, few_frames_are_handled_in_one_turn);
	tcase_add_test(t, clients_without_a_certificate_are_left_to_others);
	tcase_add_test(t, extended_authentication_is_no_way_around);
	tcase_add_test(t, a_message_on_a_reserved_topic_goes_nowhere);
	tcase_add_test(t, a_reload_succeeds_and_opens_the_log_file_again);
	tcase_add_loop_test(t, why_a_connection_ended_is_told_in_awss_words, 0, COUNT_OF(ends));
	tcase_add_test(t, a_broker_without_ticks_is_told_of_once);
	tcase_add_test(t, a_broker_with_ticks_is_not);
	tcase_add_test(t, counters_are_published_now_and_then);
	tcase_add_test(t, counters_may_be_switched_off);
	tcase_add_test(t, on_another_thread_nothing_is_touched);
	tcase_add_test(t, a_change_by_another_process_cuts_off);
	tcase_add_test(t,
	    a_change_that_a_killed_registrar_did_not_tell_cuts_off_before_the_next_one_starts);
	tcase_add_loop_test(t, the_broker_finds_a_client_by_its_id_only_where_that_is_certain, 0,
	    COUNT_OF(finding));
	tcase_add_test(t, a_sleeping_broker_is_woken_when_an_answer_is_ready);
	tcase_add_test(t, the_signal_that_wakes_is_given_back);
	tcase_add_test(t, without_a_free_signal_the_plugin_works_all_the_same);
}

static TCase *
plugin_case(Suite *suite, const char *name)
{
	TCase *t = suite_case(suite, name);

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	return t;
}

int
main(int argc, char **argv)
{
	Suite *suite;

	if (argc == 4 && strcmp(argv[1], "--revoke") == 0)
		return revoke_certificate(argv[2], argv[3]);
	suite = suite_create("plugin");
	start_tests(plugin_case(suite, "start and stop"));
	event_tests(plugin_case(suite, "events"));
	return suite_run(suite);
}
