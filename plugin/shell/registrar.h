/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registrar.h - the registrar process, as the broker's thread uses it.
 *
 * The functions of its ports queue a frame and do not wait.  While the registrar is not running, what needs it
 * fails with ERR_STORAGE, known clients are served as before, and the registrar is started
 * again (child.h).
 *
 * Broker thread.
 */
#ifndef JITR_SHELL_REGISTRAR_H
#define JITR_SHELL_REGISTRAR_H

#include "jitr/core/control_message.h"
#include "jitr/service/outbox.h"
#include "jitr/service/registrations.h"
#include "jitr/service/report.h"

struct mosquitto_opt;
struct plugin;

/* Starts the process and waits until it has opened the registry.  *diag: the reason of the
 * registrar, if it cannot. */
MUST_USE enum err registrar_start(struct plugin *p, const struct mosquitto_opt *options, int count,
    struct diag *diag);

/* From now on the broker is woken when a frame arrives. */
void registrar_watch(struct plugin *p);

/* Waits until it has ended, at most CHILD_END_MS. */
void registrar_stop(struct plugin *p);

/* TICK: handles what has arrived, and starts the process again when it has ended. */
void registrar_receive(struct plugin *p);

/* Every turn of the broker's loop: sends what is queued. */
void registrar_flush(struct plugin *p);

/* SIGHUP: the log file is opened again. */
void registrar_reopen(struct plugin *p);

/* The ports of the parts; the context is the plugin. */
struct registrations registrar_registrations(struct plugin *p);
struct outbox_port registrar_outbox(struct plugin *p);
enum err registrar_request(void *plugin, const struct control_request *r);
void registrar_left(void *plugin, uint64_t session);
enum err registrar_record(void *plugin, const char *text, size_t len);

/* received.c: one frame of a process that is up.  An error: it is malformed. */
MUST_USE enum err received(struct plugin *p, const struct wire_frame *frame);

#endif
