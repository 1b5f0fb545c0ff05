/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control.h - commands of an administrator, and a subscriber of events.
 *
 * Each of them is its thread's.
 */
#ifndef JITR_BENCH_CONTROL_H
#define JITR_BENCH_CONTROL_H

#include "link.h"

#define CONTROL_MEMBERS_MAX 2048

/* One command with these JSON members at QoS 0.  Its answer is the next packet. */
void control_send(struct link *l, const char *command, const char *members);

/* Ends the program if it is an error.  Returns the length of the answer. */
size_t control_answer(struct link *l);
size_t control_call(struct link *l, const char *command, const char *members);

/* One page of listCertificates, of 250.  marker is of the page before, empty for the first; it
 * becomes the next one's, or empty after the last page. */
#define CONTROL_MARKER_SIZE 512
void control_list_page(struct link *l, char marker[CONTROL_MARKER_SIZE]);

/* Members of updateCertificate. */
void control_status(struct link *l, const struct certid *id, const char *status);

/* A new version of a policy that lets every device connect, or none. */
void control_policy(struct link *l, const char *policy, const char *effect);

/* A client that subscribes to registration events with QoS 1 on a listener without TLS. */
struct subscriber;

struct subscriber *subscriber_start(int port);
size_t subscriber_events(const struct subscriber *s);
size_t subscriber_distinct(const struct subscriber *s); /* certificates; no more may arrive */
int64_t subscriber_last(const struct subscriber *s);    /* clock_ns() of the last event */
void subscriber_stop(struct subscriber *s);

#endif
