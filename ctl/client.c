/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client.c - see client.h.
 *
 * One thread: libmosquitto's callbacks run inside wait_for().
 */
#include "client.h"

#include <errno.h>
#include <mosquitto.h>
#if !__has_include(<mosquitto/broker.h>) /* included by mosquitto.h since 2.1 */
#include <mqtt_protocol.h>
#endif
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "envelope.h"
#include "print.h"
#include "terminal.h"

#define REQUEST_TOPIC    "$CONTROL/jitr/v1"
#define RESPONSE_TOPIC   "$CONTROL/jitr/v1/response"
#define TIMEOUT_MS       10000
#define PROBE_TIMEOUT_MS 3000

/* Requests of this size may exceed a limit of the broker. */
#define LARGE_REQUEST 4096

enum stage {
	STAGE_CONNECTING,
	STAGE_CONNECTED,
	STAGE_WAITING, /* for an answer */
	STAGE_ANSWERED,
	STAGE_FAILED, /* why has the reason */
};

struct client {
	struct mosquitto *mosq;
	const struct options *options;
	enum stage stage;
	int timeout_ms;
	char correlation[33];
	size_t sent; /* size of the request in bytes */
	cJSON *answer;
	struct diag why;
	struct diag tls; /* libmosquitto's log message about a failure */
	struct sigaction old_pipe;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
fail(struct client *c, const char *what, const char *detail)
{
	if (c->stage == STAGE_FAILED)
		return;
	c->stage = STAGE_FAILED;
	diag_set(&c->why, "%s%s%s", what, detail[0] != '\0' ? ": " : "", detail);
}

static const char *
connect_refusal(const struct client *c, int code)
{
	if (c->options->protocol == MQTT_PROTOCOL_V5)
		return mosquitto_reason_string(code);
	return mosquitto_connack_string(code);
}

static void
on_connect(struct mosquitto *mosq, void *obj, int code, int flags, const mosquitto_property *p)
{
	struct client *c = obj;

	(void)mosq;
	(void)flags;
	(void)p;
	if (code == 0)
		c->stage = STAGE_CONNECTED;
	else
		fail(c, "Connection error", connect_refusal(c, code));
}

/* An MQTT 3.1.1 broker closes the connection without a reason. */
static void
fail_closed(struct client *c, const char *detail)
{
	char what[160];

	(void)snprintf(what, sizeof(what), "the broker closed the connection before it answered");
	if (c->sent >= LARGE_REQUEST)
		(void)snprintf(what, sizeof(what),
		    "the broker closed the connection at a request of %zu "
		    "bytes: is its max_packet_size smaller?",
		    c->sent);
	fail(c, what, detail);
}

static void
on_disconnect(struct mosquitto *mosq, void *obj, int code, const mosquitto_property *p)
{
	struct client *c = obj;

	(void)mosq;
	(void)p;
	if (c->stage == STAGE_CONNECTING)
		fail(c, "Connection error: the broker closed the connection", c->tls.text);
	else if (c->stage == STAGE_WAITING)
		fail_closed(c, code > 0 && code < 128 ? mosquitto_strerror(code) : "");
}

/* The answer that the plugin would give if the broker had passed the request on. */
static cJSON *
denial(void)
{
	cJSON *answer = cJSON_CreateObject();

	if (cJSON_AddStringToObject(answer, "error", "AccessDeniedException") != NULL &&
	    cJSON_AddStringToObject(answer, "message",
		"the broker does not let this user publish to " REQUEST_TOPIC) != NULL)
		return answer;
	cJSON_Delete(answer);
	return NULL;
}

/* Only MQTT 5 reports a refused publish. */
static void
on_publish(struct mosquitto *mosq, void *obj, int mid, int code, const mosquitto_property *p)
{
	struct client *c = obj;

	(void)mosq;
	(void)mid;
	(void)p;
	if (code < 128 || c->stage != STAGE_WAITING)
		return;
	if (code == MQTT_RC_NOT_AUTHORIZED)
		c->answer = denial();
	if (c->answer != NULL)
		c->stage = STAGE_ANSWERED;
	else
		fail(c, "the broker refused the request", mosquitto_reason_string(code));
}

static void
on_message(struct mosquitto *mosq, void *obj, const struct mosquitto_message *m,
    const mosquitto_property *p)
{
	struct client *c = obj;

	(void)mosq;
	(void)p;
	if (c->stage != STAGE_WAITING || strcmp(m->topic, RESPONSE_TOPIC) != 0 || m->payloadlen < 1)
		return;
	c->answer = envelope_open((struct view){ m->payload, (size_t)m->payloadlen },
	    c->correlation);
	if (c->answer != NULL)
		c->stage = STAGE_ANSWERED;
}

/* libmosquitto reports details of a failure only in its log: first which file, then
 * OpenSSL's "error:0A000086:SSL routines::reason". */
static void
on_log(struct mosquitto *mosq, void *obj, int level, const char *text)
{
	struct client *c = obj;
	const char *reason = strrchr(text, ':');

	(void)mosq;
	if (level == MOSQ_LOG_ERR && strncmp(text, "Error: ", 7) == 0)
		diag_set(&c->tls, "%s", text + 7);
	else if (level == MOSQ_LOG_ERR && c->tls.text[0] == '\0')
		diag_set(&c->tls, "TLS: %s", reason != NULL ? reason + 1 : text);
	if (c->options->debug && level == MOSQ_LOG_DEBUG) {
		print_shown(stderr, text);
		(void)fputc('\n', stderr);
	}
}

/* Progress is shown only for long waits. */
static void
show_wait(const struct client *c, int64_t left)
{
	if (c->timeout_ms > TIMEOUT_MS && !c->options->quiet)
		terminal_progress("seconds since all was sent",
		    (size_t)(c->timeout_ms - left) / 1000);
}

/* Runs the loop until the stage changes.  False: failed, or timeout. */
MUST_USE static bool
wait_for(struct client *c, enum stage leave)
{
	int64_t deadline = now_ms() + c->timeout_ms;

	while (c->stage == leave) {
		int64_t left = deadline - now_ms();
		int rc;

		if (left <= 0)
			return false;
		show_wait(c, left);
		rc = mosquitto_loop(c->mosq, left < 250 ? (int)left : 250, 1);
		if (rc != MOSQ_ERR_SUCCESS && c->stage == leave)
			fail(c, "Connection error",
			    c->tls.text[0] != '\0' ? c->tls.text : mosquitto_strerror(rc));
	}
	return c->stage != STAGE_FAILED;
}

MUST_USE static bool
set_password(struct client *c)
{
	const struct options *o = c->options;
	char prompt[300];
	char secret[SECRET_SIZE];
	bool asked = false;
	int rc;

	if (o->username == NULL && o->password == NULL)
		return true;
	if (o->password == NULL) {
		(void)snprintf(prompt, sizeof(prompt), "Password for %.200s: ", o->username);
		asked = terminal_ask(prompt, secret);
	}
	rc = mosquitto_username_pw_set(c->mosq, o->username, asked ? secret : o->password);
	if (asked)
		terminal_wipe(secret);
	if (rc != MOSQ_ERR_SUCCESS)
		fail(c, "Problem setting username and/or password", mosquitto_strerror(rc));
	return rc == MOSQ_ERR_SUCCESS;
}

/* The order matters: later options are validated with the earlier ones. */
MUST_USE static bool
set_tls(struct client *c)
{
	const struct options *o = c->options;
	struct mosquitto *m = c->mosq;
	const char *capath = o->capath;
	int rc = MOSQ_ERR_SUCCESS;

	/* libmosquitto 2.0 accepts no client certificate with this option alone. */
	if (o->os_certs && o->cert != NULL && o->cafile == NULL && capath == NULL)
		capath = X509_get_default_cert_dir();
	if (o->os_certs)
		rc = mosquitto_int_option(m, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
	if (rc == 0 && (o->cafile != NULL || capath != NULL))
		rc = mosquitto_tls_set(m, o->cafile, capath, o->cert, o->key, NULL);
	if (rc == 0 && o->insecure)
		rc = mosquitto_tls_insecure_set(m, true);
	if (rc == 0 && o->tls_engine != NULL)
		rc = mosquitto_string_option(m, MOSQ_OPT_TLS_ENGINE, o->tls_engine);
	if (rc == 0 && o->keyform != NULL)
		rc = mosquitto_string_option(m, MOSQ_OPT_TLS_KEYFORM, o->keyform);
	if (rc == 0 && o->tls_engine_kpass != NULL)
		rc = mosquitto_string_option(m, MOSQ_OPT_TLS_ENGINE_KPASS_SHA1,
		    o->tls_engine_kpass);
	if (rc == 0 && o->tls_alpn != NULL)
		rc = mosquitto_string_option(m, MOSQ_OPT_TLS_ALPN, o->tls_alpn);
	if (rc == 0 && o->psk != NULL)
		rc = mosquitto_tls_psk_set(m, o->psk, o->psk_identity, NULL);
	if (rc == 0 && (o->tls_version != NULL || o->ciphers != NULL))
		rc = mosquitto_tls_opts_set(m, 1, o->tls_version, o->ciphers);
	if (rc == 0)
		return true;
	fail(c, "Problem setting TLS options",
	    rc == MOSQ_ERR_INVAL ? "File not found or option not valid." : mosquitto_strerror(rc));
	return false;
}

MUST_USE static bool
set_options(struct client *c)
{
	const struct options *o = c->options;
	int rc = mosquitto_int_option(c->mosq, MOSQ_OPT_PROTOCOL_VERSION, o->protocol);

	if (rc == 0 && o->proxy_host != NULL)
		rc = mosquitto_socks5_set(c->mosq, o->proxy_host, o->proxy_port, o->proxy_username,
		    o->proxy_password);
	if (rc != 0) {
		fail(c, "Problem setting the connection options", mosquitto_strerror(rc));
		return false;
	}
	return set_password(c) && set_tls(c);
}

static void
set_callbacks(struct client *c)
{
	mosquitto_connect_v5_callback_set(c->mosq, on_connect);
	mosquitto_disconnect_v5_callback_set(c->mosq, on_disconnect);
	mosquitto_publish_v5_callback_set(c->mosq, on_publish);
	mosquitto_message_v5_callback_set(c->mosq, on_message);
	mosquitto_log_callback_set(c->mosq, on_log);
}

/* A random id, because a broker may reject an empty one.  MQTT 3.1 allows 23
 * characters. */
MUST_USE static struct mosquitto *
new_session(struct client *c)
{
	char id[5 + 16 + 1] = "jitr-";

	if (c->options->id != NULL)
		return mosquitto_new(c->options->id, true, c);
	return random_hex(id + 5, 8) ? mosquitto_new(id, true, c) : NULL;
}

static const char *
connect_failure(const struct client *c, int rc)
{
	if (c->tls.text[0] != '\0')
		return c->tls.text;
	if (rc != MOSQ_ERR_ERRNO)
		return mosquitto_strerror(rc);
	/* libmosquitto's errno for a connection closed during TLS */
	return errno == EPROTO ? "the broker closed the connection" : strerror(errno);
}

MUST_USE static bool
connect_to(struct client *c)
{
	const struct options *o = c->options;
	char where[160];
	int rc = mosquitto_connect_bind_v5(c->mosq, o->host, options_port(o), o->keepalive, o->bind,
	    NULL);

	if (rc != MOSQ_ERR_SUCCESS) {
		const char *why = connect_failure(c, rc);

		(void)snprintf(where, sizeof(where), "Unable to connect to %.100s port %d", o->host,
		    options_port(o));
		fail(c, where, why);
		return false;
	}
	if (wait_for(c, STAGE_CONNECTING))
		return true;
	fail(c, "Connection error", "no answer to the connection request");
	return false;
}

/* Writing to a closed connection must give an error, not SIGPIPE. */
static void
ignore_pipe(struct client *c)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGPIPE, &ignore, &c->old_pipe);
}

struct client *
client_open(const struct options *o, struct diag *d)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		diag_set(d, "out of memory");
		return NULL;
	}
	c->options = o;
	c->timeout_ms = TIMEOUT_MS;
	ignore_pipe(c);
	(void)mosquitto_lib_init();
	c->mosq = new_session(c);
	if (c->mosq == NULL)
		fail(c, "the MQTT client cannot be set up", strerror(errno));
	else
		set_callbacks(c);
	if (c->mosq != NULL && set_options(c) && connect_to(c)) {
		/* Needed only for a broker that delivers the answer by an ordinary
		 * publish; ours does not, so a refusal does not matter. */
		(void)mosquitto_subscribe(c->mosq, NULL, RESPONSE_TOPIC, 0);
		return c;
	}
	*d = c->why;
	client_close(c);
	return NULL;
}

void
client_close(struct client *c)
{
	if (c == NULL)
		return;
	if (c->mosq != NULL) {
		(void)mosquitto_disconnect(c->mosq);
		mosquitto_destroy(c->mosq);
	}
	(void)mosquitto_lib_cleanup();
	(void)sigaction(SIGPIPE, &c->old_pipe, NULL);
	cJSON_Delete(c->answer);
	free(c);
}

MUST_USE static bool
send_request(struct client *c, const char *operation, const cJSON *members)
{
	char *text = NULL;
	int rc = MOSQ_ERR_NOMEM;

	if (random_hex(c->correlation, 16))
		text = envelope_seal(operation, c->correlation, members);
	c->sent = text != NULL ? strlen(text) : 0;
	if (text != NULL)
		rc = mosquitto_publish(c->mosq, NULL, REQUEST_TOPIC, (int)strlen(text), text,
		    c->options->qos, false);
	free(text);
	if (rc != MOSQ_ERR_SUCCESS)
		fail(c, "the request cannot be sent", mosquitto_strerror(rc));
	return rc == MOSQ_ERR_SUCCESS;
}

void
client_set_timeout(struct client *c, int ms)
{
	c->timeout_ms = ms;
}

/* Does the plugin answer a short request?  This one is refused for every client without
 * a log line; only the fact of an answer counts. */
MUST_USE static bool
answers_something(struct client *c)
{
	cJSON *nothing = cJSON_CreateObject();
	bool answered;

	c->stage = STAGE_WAITING;
	c->timeout_ms = PROBE_TIMEOUT_MS;
	answered = nothing != NULL && send_request(c, "Ping", nothing) &&
	    wait_for(c, STAGE_WAITING);
	cJSON_Delete(nothing);
	cJSON_Delete(c->answer);
	c->answer = NULL;
	return answered;
}

/* Before MQTT 5 a broker drops an oversized request silently, and in any version it
 * drops an oversized answer silently. */
static void
fail_size(struct client *c, size_t sent)
{
	char what[sizeof(c->why.text)];

	(void)snprintf(what, sizeof(what),
	    "no answer, though the plugin answers a shorter request: this "
	    "one has %zu bytes, and the broker drops what is larger than its message_size_limit; or "
	    "the answer is too large: ask for less (--max-items, --page-size)",
	    sent);
	fail(c, what, "");
}

static void
fail_unanswered(struct client *c)
{
	int timeout_ms = c->timeout_ms;
	size_t sent = c->sent;
	char what[80];

	if (c->stage == STAGE_FAILED)
		return;
	if (timeout_ms == TIMEOUT_MS && answers_something(c)) {
		fail_size(c, sent);
		return;
	}
	c->timeout_ms = timeout_ms;
	if (timeout_ms == TIMEOUT_MS) {
		fail(c,
		    "no answer from the plugin: is mosquitto_jitr loaded by this broker, and "
		    "may this user use " REQUEST_TOPIC "?",
		    "");
		return;
	}
	(void)snprintf(what, sizeof(what), "no answer from the plugin within %d seconds",
	    timeout_ms / 1000);
	fail(c, what, "it may still be at work; or is mosquitto_jitr not loaded by this broker?");
}

cJSON *
client_ask(struct client *c, const char *operation, const cJSON *members, struct diag *d)
{
	cJSON *answer;

	c->stage = STAGE_WAITING;
	if (!send_request(c, operation, members) || !wait_for(c, STAGE_WAITING)) {
		fail_unanswered(c);
		*d = c->why;
		return NULL;
	}
	answer = c->answer;
	c->answer = NULL;
	return answer;
}
