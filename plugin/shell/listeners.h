/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * listeners.h - does every listener of the broker have this plugin?
 *
 * Where one has not, the broker asks the plugin nothing about that listener's clients:
 * they publish events as if they were the plugin's (database.c, db__messages_easy_queue()),
 * and in 2.1 their control requests arrive all the same (control.c,
 * control__process()).  The plugin API does not say which listeners have a plugin, so
 * the broker's configuration files are read (mosquitto.conf(5): per_listener_settings,
 * plugin, global_plugin, plugin_load, plugin_use, listener, include_dir).
 *
 * They say as well where the pre-shared keys are (psk_file), which 2.0 asks no plugin about.
 *
 * Start and reload only; any thread.
 */
#ifndef JITR_LISTENERS_H
#define JITR_LISTENERS_H

#include "jitr/core/base.h"

#define LISTENERS_NAMES_MAX 8

/* The listener that the lines belong to. */
struct listener {
	bool open; /* there is one */
	bool has_plugin, serves_pages;
	char port[64];
};

/* What the lines read so far say. */
struct listeners {
	const char *plugin_path;             /* of this plugin; borrowed */
	bool per_listener;                   /* settings are each listener's own */
	bool everywhere;                     /* the plugin is loaded for the whole broker */
	char names[LISTENERS_NAMES_MAX][64]; /* of plugin_load */
	size_t name_count;

	struct listener now;
	char without[64];  /* the port of the first listener without the plugin; "": none */
	char unread[1024]; /* a directory that cannot be read; "": none */

	/* Told of every psk_file; may be NULL. */
	void (*psk_file)(struct listeners *l, const char *path);
	void (*psk_name)(void *context, const char *identity);
	void *context;
};

/* One line of a file.  is_ours: is this path of a plugin this plugin's? */
void listeners_line(struct listeners *l, char *line,
    bool (*is_ours)(const char *path, const char *plugin_path));
void listeners_file_end(struct listeners *l); /* a listener ends with its file */

/* By the files of the running broker.  ERR_CONFLICT and *diag: a listener has not the
 * plugin.  ERR_NOT_FOUND and *diag: the files cannot be read. */
MUST_USE enum err listeners_check(struct diag *diag);

/* Tells of every identity with a pre-shared key, as far as the files can be read. */
void listeners_psk_names(void (*name)(void *context, const char *identity), void *context);

#endif
