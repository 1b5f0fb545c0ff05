/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin.c - the plugin in the broker: turns the broker's events into calls to
 * its parts (wiring.c).
 *
 * Everything runs on the broker's main thread but the writer.  2.1's HTTP
 * listener asks BASIC_AUTH and ACL_CHECK on a thread of its own (mosquitto
 * section 0, 12): there nothing shared is touched.
 */
#include <stdlib.h>
#include <string.h>

#include "listeners.h"
#include "plugin.h"
#include "plugin_private.h"

#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"

/* The broker ticks at every turn of its loop; once in so long is enough. */
#define TICK_MS 10

/* How often the broker is woken: while connections are judged and closed; while
 * there is an answer for it to deliver; while events wait for their turn. */
#define WAKE_FOR_GATE_US   500
#define WAKE_FOR_OTHERS_US 1000
#define WAKE_FOR_EVENTS_US (1000000 / PACE_PER_SECOND) /* one goes at each turn */

/* Of one tick: jobs finished, and how often the store is asked whether another
 * process wrote to it. */
#define FINISH_PER_TICK   512
#define LOOK_ELSEWHERE_MS 100

/* Retained, each sys_interval in which it changes. */
#define DROPPED_TOPIC   "$SYS/broker/publish/messages/dropped"
#define TELL_DROPPED_MS 60000

/* A broker that has sent no tick for so long will send none. */
#define NO_TICK_MS 10000

/* One environment of the database per process, so one plugin (mosquitto
 * section 0, 15). */
static struct plugin *the_plugin;

/* Looked at for every packet: at a place the loader fixes. */
static _Thread_local bool on_broker_thread __attribute__((tls_model("initial-exec")));

/*
 * Events.
 */

/* Registered events wait for a tick to be published, and answers too. */
static void
watch_ticks(struct plugin *p)
{
	if (p->ticking || p->told_no_tick || clock_ms(CLOCK_MONOTONIC) - p->started < NO_TICK_MS)
		return;
	p->told_no_tick = true;
	report_line(p->report, LEVEL_ERROR,
	    "this broker sends its plugins no ticks, so nothing can "
	    "be published or answered: remove per_listener_settings from mosquitto.conf");
}

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
	watch_ticks(p);
	client_read(ed->client, &c);
	c.user_name = ed->username;
	c.name_to_check = true;
	verdict = gate_connect(p->gate, &c);
	x509_free(c.x);
	if (verdict == VERDICT_DEFER)
		return MOSQ_ERR_PLUGIN_DEFER;
	return verdict == VERDICT_ALLOW ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
}

/* Extended authentication goes past BASIC_AUTH: a certificate that may not is
 * refused here, the rest is up to the plugin that offers the method. */
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

/* Asked by 2.1, and where another plugin has the keys; 2.0 asks its psk_file first. */
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

/* Only the first three are safe for every kind of check; the last, any other
 * error, disconnects the client that published or subscribed (mosquitto
 * section 0, 10). */
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

static enum access
check_access(struct plugin *p, const struct mosquitto_evt_acl_check *ed, enum action action)
{
	struct access_request request = { action, ed->topic, ed->retain };
	struct known_client known = { ed->client, mosquitto_client_id(ed->client),
		mosquitto_client_username(ed->client) };
	enum access access;
	struct client c;

	if (gate_access_known(p->gate, &known, &request, &access))
		return access;
	client_read(ed->client, &c);
	access = gate_access(p->gate, &c, &request);
	if (access == ACCESS_DEFER)
		gate_deferred(p->gate, &c, &request);
	x509_free(c.x);
	return access;
}

/*
 * Plugins are not told what the broker drops, but they are asked about each
 * delivery, and this one says it: known as long as some client subscribes to it.
 */
static void
read_dropped(struct plugin *p, const struct mosquitto_evt_acl_check *ed)
{
	char text[24];

	if (ed->payload == NULL || ed->payloadlen >= sizeof(text))
		return;
	memcpy(text, ed->payload, ed->payloadlen);
	text[ed->payloadlen] = '\0';
	p->stats.broker_dropped = strtoull(text, NULL, 10);
}

static void
tell_dropped(struct plugin *p, int64_t now)
{
	uint64_t dropped = p->stats.broker_dropped;

	if (dropped <= p->dropped_told ||
	    (p->dropped_told_at != 0 && now - p->dropped_told_at < TELL_DROPPED_MS))
		return;
	p->dropped_told = dropped;
	p->dropped_told_at = now;
	report_line(p->report, LEVEL_WARNING,
	    "the broker says that it has dropped %llu messages so "
	    "far that clients did not take in time; events may be among them: see "
	    "max_queued_messages in mosquitto.conf",
	    (unsigned long long)dropped);
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
		read_dropped(user_data, ed);
	return acl_answer(check_access(user_data, ed, action));
}

/* What arrives over a bridge passes no ACL_CHECK (mosquitto section 2). */
static int
on_message(int event, void *event_data, void *user_data)
{
	struct mosquitto_evt_message *ed = event_data;

	(void)event;
	(void)user_data;
	return ed->topic != NULL && topic_is_reserved(ed->topic) ? MOSQ_ERR_ACL_DENIED
								 : MOSQ_ERR_SUCCESS;
}

/* Anything but success would disconnect the asking client (mosquitto section
 * 0, 14). */
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
	api_request(p->api, &c, payload, response_topic);
	if (p->sends_before_tick)
		api_send_answers(p->api);
	mosquitto_free(response_topic);
	x509_free(c.x);
	return MOSQ_ERR_SUCCESS;
}

/* 2.1: after the answer to CONNECT, on listeners that take the name from the
 * certificate as well. */
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

/* DISCONNECT, and 2.1's CLIENT_OFFLINE, which begins alike. */
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
	gate_disconnected(p->gate, &c, &end);
	x509_free(c.x);
	return MOSQ_ERR_SUCCESS;
}

static void
share_name(void *context, const char *identity)
{
	struct plugin *p = context;

	p->shares_names |= gate_share_name(p->gate, identity);
}

/* Success is the one answer that every version takes well (mosquitto section
 * 0, 5).  The options of a running plugin do not change. */
static int
on_reload(int event, void *event_data, void *user_data)
{
	struct plugin *p = user_data;

	(void)event;
	(void)event_data;
	listeners_psk_names(share_name, p); /* the broker reads psk_file again, too */
	gate_reload(p->gate);
	p->ticked = 0; /* the very next tick ends what this begins */
	report_reopen(p->report);
	return MOSQ_ERR_SUCCESS;
}

static void
look_elsewhere(struct plugin *p, int64_t now)
{
	if (now - p->looked_elsewhere < LOOK_ELSEWHERE_MS)
		return;
	p->looked_elsewhere = now;
	if (!store_changed_elsewhere(p->store))
		return;
	p->outbox.pending = true;
	gate_changed(p->gate, NULL);
	api_changed_elsewhere(p->api);
}

static void
tick(struct plugin *p, int64_t now)
{
	uint64_t published = broker_publications();

	p->ticked = now;
	p->ticking = true;
	atomic_store(&p->finished, false);
	wake_rest(p->wake);
	pace_refill(&p->pace, now);
	writer_collect(p->writer, FINISH_PER_TICK, NULL);
	look_elsewhere(p, now);
	if (gate_take_announced(p->gate) || schedule_take_announced(&p->schedule))
		p->outbox.pending = true;
	p->stats.events += outbox_pump(&p->outbox);
	p->more = gate_tick(p->gate);
	api_tick(p->api);
	crls_tick(p->crls);
	schedule_tick(&p->schedule);
	counters_tick(&p->counters, now);
	health_tick(&p->health, now);
	tell_dropped(p, now);
	if (p->more)
		wake_ask(p->wake, WAKE_FOR_GATE_US);
	else if ((p->outbox.pending && !p->outbox.failing) || gate_has_events(p->gate))
		wake_ask(p->wake, WAKE_FOR_EVENTS_US);
	else if (api_is_busy(p->api) ||
	    broker_publications() != published) /* 2.1 sleeps before it delivers them */
		wake_ask(p->wake, WAKE_FOR_OTHERS_US);
}

static int
on_tick(int event, void *event_data, void *user_data)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	struct plugin *p = user_data;

	(void)event;
	(void)event_data;
	gate_release(p->gate); /* what was published before has been sent */
	pace_turn(&p->pace);
	if (now - p->ticked >= TICK_MS || atomic_load(&p->finished) || api_has_answers(p->api))
		tick(p, now);
	else if (p->more)
		p->more = gate_go_on(p->gate);
	return MOSQ_ERR_SUCCESS;
}

static const struct {
	int event;
	MOSQ_FUNC_generic_callback function;
	const char *topic;
	bool optional; /* not in every version */
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

/*
 * Start and stop.
 */

static void
unregister_callbacks(struct plugin *p)
{
	for (size_t i = 0; i < COUNT_OF(callbacks); i++)
		(void)mosquitto_callback_unregister(p->identifier, callbacks[i].event,
		    callbacks[i].function, callbacks[i].topic);
}

static int
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
	return MOSQ_ERR_SUCCESS;
}

/* The sentence may quote the configuration. */
static int
refuse_start(const char *why)
{
	char line[600];
	struct text t = text_in(line, sizeof(line));

	text_add(&t, "jitr: ");
	text_add_escaped(&t, view_of(why), 500);
	mosquitto_log_printf(MOSQ_LOG_ERR, "%s", line);
	return MOSQ_ERR_INVAL;
}

static enum err
parse_options(const struct mosquitto_opt *options, int count, struct config *config,
    struct diag *diag)
{
	struct option *list = calloc((size_t)count + 1, sizeof(*list));
	enum err e;

	if (list == NULL)
		return ERR_NOMEM;
	for (int i = 0; i < count; i++)
		list[i] = (struct option){ options[i].key, options[i].value };
	e = config_parse(list, (size_t)count, config, diag);
	free(list);
	return e;
}

/* Names of the release before this one that are understood for the last time. */
static void
log_old_names(const struct plugin *p)
{
	for (size_t i = 0; i < COUNT_OF(p->config.renames); i++) {
		const struct option_rename *r = p->config.renames[i];

		if (r != NULL)
			report_line(p->report, LEVEL_WARNING,
			    "option %s is called %s now: write plugin_opt_%s. The old name is "
			    "understood in this release and not in the next",
			    r->old_name, r->name, r->name);
	}
	if (p->config.metrics_interval > 0)
		report_line(p->report, LEVEL_NOTICE,
		    "counters below " STATS_TOPIC " have new names: %s. They are published "
		    "under the old names too, in this release and not in the next",
		    stats_renames());
}

static void
log_start(const struct plugin *p)
{
	report_line(p->report, LEVEL_NOTICE, "version %s, registry %s, CA certificates %s",
	    JITR_VERSION, p->config.db_path, p->config.ca_path);
	log_old_names(p);
	if (p->config.other_clients != OTHER_CLIENTS_UNSET)
		return;
	report_line(p->report, LEVEL_WARNING,
	    "other_clients is not set: clients without a certificate "
	    "of a registered CA, those with a password among them, can publish and receive only what an "
	    "acl_file or another plugin allows them, and nothing without one. Set "
	    "plugin_opt_other_clients to allow (they may use all topics but the reserved ones) or to "
	    "defer (an acl_file or another plugin decides)");
}

static int
start(struct plugin *p, const struct mosquitto_opt *options, int option_count)
{
	struct diag diag = { "" }, unread = { "" };
	enum err e = parse_options(options, option_count, &p->config, &diag);

	if (e == ERR_OK && listeners_check(&unread) == ERR_CONFLICT)
		return refuse_start(unread.text);
	if (e == ERR_OK)
		e = open_parts(p, &diag);
	if (e != ERR_OK)
		return refuse_start(diag.text[0] != '\0' ? diag.text : err_text(e));
	if (register_callbacks(p) != MOSQ_ERR_SUCCESS) {
		unregister_callbacks(p);
		return refuse_start("the broker does not take the plugin's callbacks: is another "
				    "plugin using $CONTROL/jitr/v1?");
	}
	p->started = clock_ms(CLOCK_MONOTONIC);
	on_broker_thread = true;
	listeners_psk_names(share_name, p);
	if (unread.text[0] != '\0')
		report_line(p->report, LEVEL_WARNING, "%s", unread.text);
	if (store_warning(p->store)[0] != '\0')
		report_line(p->report, LEVEL_WARNING, "%s: %s", p->config.db_path,
		    store_warning(p->store));
	if (p->shares_names)
		report_line(p->report, LEVEL_WARNING,
		    "psk_file has identities that are certificateIds or "
		    "names of admin_users, which give a client no rights: remove them. Until then no "
		    "delayed will is published for those certificates and users, and nothing is kept "
		    "for them while they are away");
	log_start(p);
	return MOSQ_ERR_SUCCESS;
}

int
plugin_start(mosquitto_plugin_id_t *identifier, void **user_data,
    const struct mosquitto_opt *options, int option_count)
{
	struct plugin *p;
	int rc;

	if (the_plugin != NULL)
		return refuse_start(
		    "loaded twice: one plugin line serves the whole broker, without "
		    "per_listener_settings");
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return MOSQ_ERR_NOMEM;
	p->identifier = identifier;
	rc = start(p, options, option_count);
	if (rc != MOSQ_ERR_SUCCESS) {
		close_parts(p);
		return rc;
	}
	*user_data = the_plugin = p;
	return MOSQ_ERR_SUCCESS;
}

void
plugin_stop(void *user_data)
{
	struct plugin *p = user_data;

	if (p == NULL)
		return;
	unregister_callbacks(p);
	close_parts(p);
	the_plugin = NULL;
}
