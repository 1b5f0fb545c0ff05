/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * requests.h - control requests in a short notation, and the parts of the
 * plugin that answer them, in the world of world.h.
 *
 * Requests and answers are written with ' for ", and with names in angle
 * brackets, as <ca id>, for values that are known only when the test runs.
 *
 * requests_open() and requests_close() are a checked fixture.  As in world.h,
 * an error in any function fails the test.
 *
 *	ask("{'command':'describeCertificate','certificateId':'<device id>'}");
 *	ck_error(0, "ResourceNotFoundException", "<device id>");
 */
#ifndef JITR_TEST_REQUESTS_H
#define JITR_TEST_REQUESTS_H

#include "jitr/service/crls.h"
#include "jitr/service/gate.h"
#include "jitr/service/judge.h"
#include "jitr/service/relay.h"
#include "jitr/adapter/json.h"
#include "jitr/api/request.h"
#include "world.h"

/* The user "admin" may administer, and the certificate admin_certificate from the next start on. */
extern struct report *report;
extern struct gate *gate;
extern struct crls *crls;
extern struct api *api;
extern struct relay *relay;
extern struct stats stats;
extern struct certid admin_certificate;
extern enum authorization authorization; /* from the next start on; DEFER at first */

/* ca is registered, ACTIVE and ENABLE; other and device are not. */
extern struct pki_cert *ca, *other, *device, *second, *stranger, *proof, *wrong_proof;

void requests_open(void);
void requests_close(void);

/* The plugin's parts, as at a restart of the broker. */
void requests_start(size_t queue_max);
void requests_stop(void);

/* Names in angle brackets.  name is borrowed. */
void word(const char *name, const char *text);
void word_pem(const char *name, struct view pem); /* as it stands in a JSON string */
void word_time(const char *name, int64_t ms);
void word_validity(const char *before, const char *after, const struct pki_cert *c);

/* The text with its names replaced, and ' by quote, which expand() takes to be
 * ".  Lives until the next call. */
const char *replace_words(const char *text, char quote);
const char *expand(const char *text);

/* A client of the user "admin". */
struct client admin(void);

/* A minimal provisioning template; <template> is its text for a JSON string. */
#define TEMPLATE \
	"{\"Parameters\":{\"AWS::IoT::Certificate::Id\":{\"Type\":\"String\"}},\"Resources\":{\"c\":{" \
	"\"Type\":\"AWS::IoT::Certificate\",\"Properties\":{\"CertificateId\":{" \
	"\"Ref\":\"AWS::IoT::Certificate::Id\"}}}}}"

/* Sends a request and collects the answer. */
void send_as(const struct client *c, struct view payload);

/* As the plugin does at a tick. */
void requests_tick(void);

/* Sends a request.  Connects the client first if it has no certificate, with a user name that
 * others check.  Answers that are ready are sent. */
void post(const struct client *c, struct view payload, const char *response_topic);
void send_text(const char *text);
void ask(const char *commands); /* one or more, separated by commas */

/* The last answer. parse_answer() reads one that was not requested by the functions above. */
void parse_answer(void);
const cJSON *response(int nth);
int response_count(void);
const cJSON *data(int nth);
const char *member(const cJSON *o, const char *name); /* "(none)": not a text */

void ck_response(int nth, const char *expected);                /* exactly this */
void ck_error(int nth, const char *error, const char *message); /* a part of it */
void ck_done(int nth);                                          /* success without data */

#endif
