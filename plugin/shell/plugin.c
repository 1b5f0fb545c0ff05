/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin.c - the broker's callbacks: each turns an event of the broker into calls of the
 * plugin's parts.
 *
 * The broker's main thread.  2.1 also calls BASIC_AUTH and ACL_CHECK on the thread of its HTTP
 * listener (mosquitto section 0, 12); there the callbacks use no shared state.
 */
#include <string.h>

#include "listeners.h"
#include "plugin.h"
#include "plugin_private.h"

#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"

/* Read for every packet: the initial-exec model saves a call of __tls_get_addr(). */
static _Thread_local bool on_broker_thread __attribute__((tls_model("initial-exec")));

static int
on_basic_auth(int event, void *event_data, void *user_data)
{
	struct mosquitto_evt_basic_auth *ed = event_data;
	struct plugin *p = user_data;
	enum verdict verdict;
	struct client c;

	(void)event;
	if (!on_broker_thread)
		return MOSQ_ERR_PLUGIN_DEFER;
	report_missing_ticks(p);
	client_read(ed->client, &c);
	c.user_name = ed->username;
	c.name_to_check = true;
	verdict = gate_connect(p->gate, &c);
	x509_free(c.x);
	if (verdict == VERDICT_DEFER)
		return MOSQ_ERR_PLUGIN_DEFER;
	return verdict == VERDICT_ALLOW ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
}

/* Extended authentication skips BASIC_AUTH, so that a certificate that must not connect is
 * refused here.  Otherwise the plugin that offers the method decides. */
static int
on_ext_auth_start(int event, void *event_data, void *user_data)
{
	struct mosquitto_evt_extended_auth *ed = event_data;
	struct plugin *p = user_data;
	enum verdict verdict;
	struct client c;

	(void)event;
	if (!on_broker_thread)
		return MOSQ_ERR_PLUGIN_DEFER;
	client_read(ed->client, &c);
	c.extended = true;
	verdict = gate_connect(p->gate, &c);
	x509_free(c.x);
	return verdict == VERDICT_DENY ? MOSQ_ERR_AUTH : MOSQ_ERR_PLUGIN_DEFER;
}

/* Called by 2.1, and in 2.0 for identities that psk_file does not have. */
static int
on_psk_key(int event, void *event_data, void *user_data)
{
	struct mosquitto_evt_psk_key *ed = event_data;
	struct plugin *p = user_data;
	struct client c;
	bool good;

	(void)event;
	if (!on_broker_thread)
		return MOSQ_ERR_PLUGIN_DEFER;
	client_read(ed->client, &c);
	good = gate_psk(p->gate, &c, ed->identity);
	x509_free(c.x);
	return good ? MOSQ_ERR_PLUGIN_DEFER : MOSQ_ERR_AUTH;
}

static enum action
action_of(int access)
{
	switch (access) {
	case MOSQ_ACL_READ:
		return ACTION_READ;
	case MOSQ_ACL_SUBSCRIBE:
		return ACTION_SUBSCRIBE;
	case MOSQ_ACL_UNSUBSCRIBE:
		return ACTION_UNSUBSCRIBE;
	default:
		return ACTION_WRITE;
	}
}

/* SUCCESS, DEFER and ACL_DENIED are safe for every kind of check; any other error
 * disconnects the client that published or subscribed (mosquitto section 0, 10). */
static int
acl_answer(enum access access)
{
	switch (access) {
	case ACCESS_ALLOW:
		return MOSQ_ERR_SUCCESS;
	case ACCESS_DEFER:
		return MOSQ_ERR_PLUGIN_DEFER;
	case ACCESS_DISCONNECT:
		return MOSQ_ERR_AUTH;
	case ACCESS_DENY:
		break;
	}
	return MOSQ_ERR_ACL_DENIED;
}

static struct access_request
request_of(const struct mosquitto_evt_acl_check *ed, enum action action)
{
	return (struct access_request){ action, ed->topic, ed->retain };
}

/* Not inlined, so that the fast path saves fewer registers. */
static NOT_INLINE enum access
check_access_slowly(struct plugin *p, const struct mosquitto_evt_acl_check *ed, enum action action)
{
	struct access_request request = request_of(ed, action);
	enum access access;
	struct client c;

	client_read(ed->client, &c);
	access = gate_access(p->gate, &c, &request);
	if (access == ACCESS_DEFER)
		gate_deferred(p->gate, &c, &request);
	x509_free(c.x);
	return access;
}

static enum access
check_access(struct plugin *p, const struct mosquitto_evt_acl_check *ed, enum action action)
{
	struct access_request request = request_of(ed, action);
	struct known_client known = { ed->client, mosquitto_client_id(ed->client),
		mosquitto_client_username(ed->client) };
	enum access access;

	if (gate_access_known(p->gate, &known, &request, &access))
		return access;
	return check_access_slowly(p, ed, action);
}

static int
on_acl_check(int event, void *event_data, void *user_data)
{
	struct mosquitto_evt_acl_check *ed = event_data;
	enum action action = action_of(ed->access);

	(void)event;
	if (ed->topic == NULL)
		return MOSQ_ERR_ACL_DENIED;
	if (!on_broker_thread)
		return action == ACTION_WRITE && topic_is_reserved(ed->topic)
		    ? MOSQ_ERR_ACL_DENIED
		    : MOSQ_ERR_PLUGIN_DEFER;
	if (action == ACTION_READ && ed->topic[0] == '$' && strcmp(ed->topic, DROPPED_TOPIC) == 0)
		dropped_read(user_data, ed->payload, ed->payloadlen);
	return acl_answer(check_access(user_data, ed, action));
}

/* A message from a bridge does not pass ACL_CHECK (mosquitto section 2). */
static int
on_message(int event, void *event_data, void *user_data)
{
	struct mosquitto_evt_message *ed = event_data;

	(void)event;
	(void)user_data;
	return ed->topic != NULL && topic_is_reserved(ed->topic) ? MOSQ_ERR_ACL_DENIED
								 : MOSQ_ERR_SUCCESS;
}

/* Always MOSQ_ERR_SUCCESS: an error would disconnect the client (mosquitto section 0, 14). */
static int
on_control(int event, void *event_data, void *user_data)
{
	struct mosquitto_evt_control *ed = event_data;
	struct view payload = { ed->payload, ed->payload != NULL ? ed->payloadlen : 0 };
	struct plugin *p = user_data;
	char *response_topic;
	struct client c;

	(void)event;
	if (!on_broker_thread)
		return MOSQ_ERR_SUCCESS;
	client_read(ed->client, &c);
	response_topic = read_response_topic(ed->properties);
	relay_request(p->relay, &c, payload, response_topic);
	if (p->sends_before_tick)
		relay_send_answers(p->relay);
	mosquitto_free(response_topic);
	x509_free(c.x);
	return MOSQ_ERR_SUCCESS;
}

/* 2.1: after the answer to CONNECT, also on listeners that skip BASIC_AUTH because they take
 * the user name from the certificate. */
static int
on_connect(int event, void *event_data, void *user_data)
{
	struct {
		void *future;
		struct mosquitto *client;
	} const *ed = event_data;
	struct plugin *p = user_data;
	struct client c;

	(void)event;
	if (!on_broker_thread)
		return MOSQ_ERR_SUCCESS;
	client_read(ed->client, &c);
	gate_connected(p->gate, &c);
	x509_free(c.x);
	return MOSQ_ERR_SUCCESS;
}

/* DISCONNECT, and CLIENT_OFFLINE of 2.1: its structure begins with the same members. */
static int
on_disconnect(int event, void *event_data, void *user_data)
{
	struct mosquitto_evt_disconnect *ed = event_data;
	struct plugin *p = user_data;
	struct presence_end end = disconnect_read(ed->reason);
	struct client c;

	(void)event;
	if (!on_broker_thread)
		return MOSQ_ERR_SUCCESS;
	client_read(ed->client, &c);
	relay_disconnected(p->relay, &c);
	gate_disconnected(p->gate, &c, &end);
	x509_free(c.x);
	return MOSQ_ERR_SUCCESS;
}

static void
check_psk_name(void *context, const char *identity)
{
	struct plugin *p = context;

	p->psk_conflict |= gate_add_psk_name(p->gate, identity);
}

void
psk_names_read(struct plugin *p)
{
	listeners_psk_names(check_psk_name, p);
}

/* Always MOSQ_ERR_SUCCESS: every version handles that correctly (mosquitto section 0, 5).  The
 * options of a running plugin do not change; psk_file is read again, as the broker does. */
static int
on_reload(int event, void *event_data, void *user_data)
{
	struct plugin *p = user_data;

	(void)event;
	(void)event_data;
	psk_names_read(p);
	gate_reload(p->gate);
	p->ticked = 0; /* the next tick must not be skipped: it ends the reload */
	registrar_reopen(p);
	return MOSQ_ERR_SUCCESS;
}

static int
on_tick(int event, void *event_data, void *user_data)
{
	(void)event;
	(void)event_data;
	tick(user_data);
	return MOSQ_ERR_SUCCESS;
}

static const struct {
	int event;
	MOSQ_FUNC_generic_callback function;
	const char *topic;
	bool optional; /* some versions do not have it */
} callbacks[] = {
	{ MOSQ_EVT_BASIC_AUTH, on_basic_auth, NULL, false },
	{ MOSQ_EVT_EXT_AUTH_START, on_ext_auth_start, NULL, false },
	{ MOSQ_EVT_PSK_KEY, on_psk_key, NULL, true },
	{ MOSQ_EVT_ACL_CHECK, on_acl_check, NULL, false },
	{ MOSQ_EVT_MESSAGE, on_message, NULL, false },
	{ MOSQ_EVT_CONTROL, on_control, CONTROL_TOPIC, false },
	{ MOSQ_EVT_TICK, on_tick, NULL, false },
	{ MOSQ_EVT_RELOAD, on_reload, NULL, false },
	{ MOSQ_EVT_DISCONNECT, on_disconnect, NULL, false },
	{ EVENT_CONNECT, on_connect, NULL, true },
	{ EVENT_CLIENT_OFFLINE, on_disconnect, NULL, true },
};

void
unregister_callbacks(struct plugin *p)
{
	for (size_t i = 0; i < COUNT_OF(callbacks); i++)
		(void)mosquitto_callback_unregister(p->identifier, callbacks[i].event,
		    callbacks[i].function, callbacks[i].topic);
}

int
register_callbacks(struct plugin *p)
{
	for (size_t i = 0; i < COUNT_OF(callbacks); i++) {
		int rc = mosquitto_callback_register(p->identifier, callbacks[i].event,
		    callbacks[i].function, callbacks[i].topic, p);

		if (rc != MOSQ_ERR_SUCCESS && !callbacks[i].optional)
			return rc;
		if (rc == MOSQ_ERR_SUCCESS && callbacks[i].event == EVENT_CONNECT)
			p->sends_before_tick = true;
	}
	on_broker_thread = true;
	return MOSQ_ERR_SUCCESS;
}
