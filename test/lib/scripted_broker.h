/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * scripted_broker.h - a child process that takes the place of a broker with the plugin.
 *
 * It accepts one connection and answers each request with an answer of another request
 * and then with the next of a list; after the last it closes the connection.  It refuses
 * the subscription, as the broker's rules may do, and answers nevertheless.  With MQTT 5
 * it refuses every PUBLISH.  The requests are in the file requests, one in a line.
 */
#ifndef JITR_TEST_SCRIPTED_BROKER_H
#define JITR_TEST_SCRIPTED_BROKER_H

/* Before an answer: it comes later than the command line waits for an ordinary one. */
#define DELAYED "~"

/* Runs command with the options for this broker and returns its exit status.  answers:
 * members of the response, up to NULL. */
int run_with_broker(const char *const *answers, const char *const *command);

/* Listens on a free port of the loopback interface and returns the socket. */
int listening(int *port);

#endif
