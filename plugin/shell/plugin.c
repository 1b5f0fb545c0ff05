/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin.c - the plugin in the broker: starts and stops the parts, and turns
 * the broker's events into calls to them.
 *
 * Everything runs on the broker's main thread but the writer.  2.1's HTTP
 * listener asks BASIC_AUTH and ACL_CHECK on a thread of its own (mosquitto
 * section 0, 12): there nothing shared is touched.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "broker_mosquitto.h"
#include "plugin.h"

#include "jitr/agenda.h"
#include "jitr/anchors.h"
#include "jitr/ca_dir.h"
#include "jitr/config.h"
#include "jitr/crls.h"
#include "jitr/outbox.h"
#include "jitr/request.h"
#include "jitr/text.h"
#include "jitr/x509.h"

#define QUEUE_MAX 65536
#define BATCH_MAX 512
#define GATHER_MS 20

/* The broker ticks at every turn of its loop; once in so long is enough. */
#define TICK_MS 10

/* Of one tick: jobs finished, and how often the store is asked whether another
 * process wrote to it. */
#define FINISH_PER_TICK   512
#define LOOK_ELSEWHERE_MS 100

/* A broker that has sent no tick for so long will send none. */
#define NO_TICK_MS 10000

struct plugin {
	mosquitto_plugin_id_t *identifier;
	struct config          config;
	struct store          *store;
	struct writer         *writer;
	struct report         *report;
	struct gate           *gate;
	struct crls           *crls;
	struct anchors        *anchors; /* NULL: nobody asks for them */
	struct api            *api;
	struct agenda          agenda;
	struct outbox          outbox;
	struct stats           stats;
	struct certid          gauged; /* the last list whose gauges were published */
	bool                   gauged_some; /* and there may be more */
	int64_t                started, ticked, looked_elsewhere, counted; /* ms, monotonic */
	bool                   ticking, told_no_tick, trusts_partial;
};

/* One environment of the database per process, so one plugin (mosquitto
 * section 0, 15). */
static struct plugin *the_plugin;

/* Looked at for every packet: at a place the loader fixes. */
static _Thread_local bool on_broker_thread __attribute__((tls_model("initial-exec")));

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

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
	report_line(p->report, LEVEL_ERROR, "this broker sends its plugins no ticks, so nothing can "
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
	verdict = gate_connect(p->gate, &c);
	x509_free(c.x);
	if (verdict == VERDICT_DEFER)
		return MOSQ_ERR_PLUGIN_DEFER;
	return verdict == VERDICT_ALLOW ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
}

/* Extended authentication goes past BASIC_AUTH: a certificate that may not is
 * refused here, the rest is up to whoever offers the method. */
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
	verdict = gate_connect(p->gate, &c);
	x509_free(c.x);
	return verdict == VERDICT_DENY ? MOSQ_ERR_AUTH : MOSQ_ERR_PLUGIN_DEFER;
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
	enum access access;
	struct client c;

	if (gate_access_known(p->gate, ed->client, mosquitto_client_id(ed->client),
	        mosquitto_client_username(ed->client), action, ed->topic, ed->retain, &access))
		return access;
	client_read(ed->client, &c);
	access = gate_access(p->gate, &c, action, ed->topic, ed->retain);
	x509_free(c.x);
	return access;
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
		return action == ACTION_WRITE && topic_is_reserved(ed->topic) ? MOSQ_ERR_ACL_DENIED
		                                                             : MOSQ_ERR_PLUGIN_DEFER;
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
	mosquitto_free(response_topic);
	x509_free(c.x);
	return MOSQ_ERR_SUCCESS;
}

/* 2.1: after the answer to CONNECT, on listeners that take the name from the
 * certificate as well. */
static int
on_connect(int event, void *event_data, void *user_data)
{
	struct { void *future; struct mosquitto *client; } const *ed = event_data;
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

	(void)event;
	if (on_broker_thread)
		gate_disconnected(p->gate, ed->client, &end);
	return MOSQ_ERR_SUCCESS;
}

/* Success is the one answer that every version takes well (mosquitto section
 * 0, 5).  The options of a running plugin do not change. */
static int
on_reload(int event, void *event_data, void *user_data)
{
	struct plugin *p = user_data;

	(void)event;
	(void)event_data;
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

/* How the registry stands, from one moment of it; of very many lists as many as fit
 * into one interval, and the next ones at the next. */
static void
read_gauges(struct plugin *p, struct store_counts *counts, struct crl_entry *crls,
    struct gauges *out)
{
	const struct certid *after = p->gauged_some ? &p->gauged : NULL;
	struct txn t;

	if (store_read(p->store, &t) != ERR_OK)
		return;
	if (store_count(&t, counts) == ERR_OK)
		out->counts = counts;
	if (crls == NULL || store_list_crls(&t, after, crls, STATS_CRLS_MAX, &out->crl_count) != ERR_OK)
		out->crl_count = 0;
	store_end(&t);
	p->gauged_some = out->crl_count == STATS_CRLS_MAX;
	if (p->gauged_some)
		p->gauged = crls[STATS_CRLS_MAX - 1].ca_id;
}

static void
publish_counters(struct plugin *p, int64_t now)
{
	struct gauges gauges = { .now = now_ms() };
	struct store_counts counts;
	struct crl_entry *crls;

	if (p->config.metrics_interval == 0 || now - p->counted < p->config.metrics_interval * 1000)
		return;
	p->counted = now;
	crls = calloc(STATS_CRLS_MAX, sizeof(*crls));
	gauges.crls = crls;
	read_gauges(p, &counts, crls, &gauges);
	writer_look(p->writer, &gauges.writer);
	stats_publish(&p->stats, &gauges, &broker_mosquitto);
	free(crls);
}

static int
on_tick(int event, void *event_data, void *user_data)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	struct plugin *p = user_data;

	(void)event;
	(void)event_data;
	if (now - p->ticked < TICK_MS)
		return MOSQ_ERR_SUCCESS;
	p->ticked = now;
	p->ticking = true;
	writer_collect(p->writer, FINISH_PER_TICK, NULL);
	look_elsewhere(p, now);
	if (gate_take_announced(p->gate) || agenda_take_announced(&p->agenda))
		p->outbox.pending = true;
	p->stats.events += outbox_pump(&p->outbox);
	gate_tick(p->gate);
	api_tick(p->api);
	crls_tick(p->crls);
	agenda_tick(&p->agenda);
	publish_counters(p, now);
	return MOSQ_ERR_SUCCESS;
}

static const struct {
	int                        event;
	MOSQ_FUNC_generic_callback function;
	const char                *topic;
	bool                       optional; /* not in every version */
} callbacks[] = {
	{ MOSQ_EVT_BASIC_AUTH, on_basic_auth, NULL, false },
	{ MOSQ_EVT_EXT_AUTH_START, on_ext_auth_start, NULL, false },
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

static enum err
make_ca_path(const struct plugin *p, struct diag *diag)
{
	if (mkdir(p->config.ca_path, 0755) == 0 || errno == EEXIST)
		return ERR_OK;
	diag_set(diag, "ca_path %s: %s", p->config.ca_path, strerror(errno));
	return ERR_STORAGE;
}

static enum err
open_store(struct plugin *p, struct diag *diag)
{
	struct store_config config = { .path = p->config.db_path,
		.map_size = (size_t)p->config.db_map_size_mb << 20, .exclusive = true };
	enum err e = store_open(&config, &p->store, diag);

	if (e == ERR_OK)
		e = make_ca_path(p, diag);
	if (e == ERR_OK)
		e = ca_dir_sync(p->config.ca_path, p->store, diag);
	return e;
}

static enum err
start_trust(struct plugin *p)
{
	struct trust_config config = { .find = anchors_find,
		.files_too = p->config.trust_store == TRUST_STORE_LIVE_AND_CAFILE };
	enum err e = x509_trust_partial_chains();

	p->trusts_partial = e == ERR_OK;
	if (e != ERR_OK || p->config.trust_store == TRUST_STORE_CAPATH)
		return e;
	e = anchors_open(p->store, &p->anchors);
	config.context = p->anchors;
	return e == ERR_OK ? trust_start(&config) : e;
}

static void
stop_trust(struct plugin *p)
{
	if (p->anchors != NULL)
		trust_stop();
	anchors_close(p->anchors);
	if (p->trusts_partial)
		x509_trust_partial_chains_undo();
}

static enum err
open_report(struct plugin *p, struct diag *diag)
{
	struct report_config config = { .path = p->config.log_file,
		.account_id = p->config.account_id, .broker = &broker_mosquitto, .now = now_ms };

	return report_open(&config, &p->report, diag);
}

static enum err
open_gate(struct plugin *p)
{
	struct gate_config config = { .authorization = p->config.authorization,
		.other_clients = p->config.other_clients,
		.admin_users = p->config.admin_users,
		.admin_user_count = p->config.admin_user_count,
		.admin_certificates = p->config.admin_certificates,
		.admin_certificate_count = p->config.admin_certificate_count,
		.store = p->store, .writer = p->writer, .report = p->report, .stats = &p->stats,
		.broker = &broker_mosquitto, .now = now_ms };

	config.deny_publish_disconnects = p->config.deny_publish_disconnects;
	config.deny_subscribe_disconnects = p->config.deny_subscribe_disconnects;
	config.client_id_as_is = p->config.client_id_as_is;
	config.event_details = p->config.event_details;
	config.presence = p->config.lifecycle_events;
	config.clone_policy = p->config.clone_policy;
	config.scope = arn_scope_of(p->config.region, p->config.account_id);
	config.rules.decide.announce_interval = p->config.announce_interval * 1000;
	config.rules.decide.defer_unknown = p->config.unknown_ca_defer;
	config.rules.decide.accept_first = p->config.first_connection_accept;
	memcpy(config.rules.account_id, p->config.account_id, sizeof(config.rules.account_id));
	return gate_open(&config, &p->gate);
}

static enum err
open_crls(struct plugin *p)
{
	struct crls_config config = { .store = p->store, .writer = p->writer, .report = p->report,
		.stats = &p->stats, .gate = p->gate, .broker = &broker_mosquitto, .now = now_ms };

	return crls_open(&config, &p->crls);
}

static enum err
open_api(struct plugin *p)
{
	struct api_config config = { .ca_path = p->config.ca_path, .store = p->store,
		.writer = p->writer, .gate = p->gate, .crls = p->crls,
		.report = p->report, .stats = &p->stats, .broker = &broker_mosquitto, .now = now_ms };

	memcpy(config.account_id, p->config.account_id, sizeof(config.account_id));
	memcpy(config.region, p->config.region, sizeof(config.region));
	return api_open(&config, &p->api);
}

static enum err
open_parts(struct plugin *p, struct diag *diag)
{
	struct writer_config config = { QUEUE_MAX, BATCH_MAX, GATHER_MS, now_ms };
	enum err e = open_report(p, diag);

	if (e == ERR_OK)
		e = open_store(p, diag);
	if (e == ERR_OK)
		e = start_trust(p);
	if (e == ERR_OK)
		e = writer_start(p->store, &config, &p->writer);
	if (e == ERR_OK)
		e = open_gate(p);
	if (e == ERR_OK)
		e = open_crls(p);
	if (e == ERR_OK)
		e = open_api(p);
	if (e != ERR_OK)
		return e;
	report_start(p->report, p->writer);
	p->agenda = (struct agenda){ .store = p->store, .writer = p->writer, .report = p->report,
		.gate = p->gate, .account_id = p->config.account_id,
		.expiring_days = p->config.expiring_days, .now = now_ms };
	p->outbox = (struct outbox){ .store = p->store, .writer = p->writer,
		.broker = &broker_mosquitto, .pending = true };
	return ERR_OK;
}

static void
close_parts(struct plugin *p)
{
	stop_trust(p);
	writer_stop(p->writer, NULL);
	api_close(p->api);
	crls_close(p->crls);
	gate_close(p->gate);
	report_close(p->report);
	store_close(p->store);
	config_free(&p->config);
	free(p);
}

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

static int
start(struct plugin *p, const struct mosquitto_opt *options, int option_count)
{
	struct diag diag = { "" };
	enum err e = parse_options(options, option_count, &p->config, &diag);

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
	report_line(p->report, LEVEL_NOTICE, "version %s, registry %s, CA certificates %s",
	    JITR_VERSION, p->config.db_path, p->config.ca_path);
	return MOSQ_ERR_SUCCESS;
}

int
plugin_start(mosquitto_plugin_id_t *identifier, void **user_data,
    const struct mosquitto_opt *options, int option_count)
{
	struct plugin *p;
	int rc;

	if (the_plugin != NULL)
		return refuse_start("loaded twice: one plugin line serves the whole broker, without "
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
