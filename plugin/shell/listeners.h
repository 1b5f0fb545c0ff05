/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * listeners.h - does every listener of the broker have this plugin?
 *
 * The broker does not ask the plugin about the clients of a listener without it.  They can
 * publish events as if they were the plugin's (database.c, db__messages_easy_queue()), and in
 * 2.1 their control requests reach the plugin nevertheless (control.c, control__process()).
 * The plugin API does not say which listeners have a plugin, so the broker's configuration
 * files are read.
 *
 * Start and reload only; any thread.
 */
#ifndef JITR_LISTENERS_H
#define JITR_LISTENERS_H

#include "jitr/core/base.h"

/* ERR_CONFLICT and *diag: a listener does not have the plugin.  ERR_NOT_FOUND and *diag: a
 * configuration file cannot be read. */
MUST_USE enum err listeners_check(struct diag *diag);

/* Calls name() for each identity in the broker's psk_file, which 2.0 does not ask plugins
 * about.  Files that cannot be read are skipped. */
void listeners_psk_names(void (*name)(void *context, const char *identity), void *context);

#endif
