/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * listener_scan.h - finds a listener without this plugin in the lines of the broker's
 * configuration (mosquitto.conf(5): per_listener_settings, plugin, global_plugin, plugin_load,
 * plugin_use, listener).
 */
#ifndef JITR_LISTENER_SCAN_H
#define JITR_LISTENER_SCAN_H

#include "jitr/core/base.h"

#define PLUGIN_NAMES_MAX 8

/* The listener to which the current lines belong. */
struct listener {
	bool open; /* there is one */
	bool has_plugin;
	bool serves_pages; /* protocol http_api: it takes no MQTT */
	char port[64];
};

/* The caller sets is_plugin and zeroes the rest. */
struct listener_scan {
	bool (*is_plugin)(const char *path); /* is it the path of this plugin? */

	bool per_listener;                /* per_listener_settings */
	bool everywhere;                  /* the plugin is loaded for the whole broker */
	char names[PLUGIN_NAMES_MAX][64]; /* of plugin_load lines with this plugin */
	size_t name_count;
	struct listener current;
	struct listener before_directory; /* the one that goes on after an include_dir */
	char without[64]; /* the port of the first listener without the plugin; "": none */
};

/* The functions of a struct config_visitor; the context is a struct listener_scan. */
void listener_scan_line(void *context, char *line);
void listener_scan_file_end(void *context); /* a listener ends with its file */
void listener_scan_directory_begin(void *context);
void listener_scan_directory_end(void *context);

/* The port of the first listener without the plugin; NULL: all listeners have it. */
const char *listener_scan_result(const struct listener_scan *s);

#endif
