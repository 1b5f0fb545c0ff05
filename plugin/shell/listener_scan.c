/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* listener_scan.c - see listener_scan.h. */
#include <stdio.h>
#include <string.h>

#include "broker_config.h"
#include "listener_scan.h"

static void
listener_end(struct listener_scan *s)
{
	const struct listener *l = &s->current;

	if (l->open && !l->has_plugin && !l->serves_pages && s->without[0] == '\0')
		(void)snprintf(s->without, sizeof(s->without), "%s", l->port);
	s->current.open = false;
}

static void
listener_begin(struct listener_scan *s, const char *port)
{
	listener_end(s);
	s->current = (struct listener){ .open = true };
	(void)snprintf(s->current.port, sizeof(s->current.port), "%.60s", port);
}

static void
add_plugin_name(struct listener_scan *s, const char *name)
{
	if (s->name_count < PLUGIN_NAMES_MAX)
		(void)snprintf(s->names[s->name_count++], sizeof(s->names[0]), "%.60s", name);
}

static void
use_plugin_name(struct listener_scan *s, const char *name)
{
	for (size_t i = 0; i < s->name_count; i++)
		s->current.has_plugin |= strcmp(s->names[i], name) == 0;
}

/* A plugin line belongs to the listener before it only if listeners have their own settings. */
static void
add_plugin(struct listener_scan *s)
{
	if (s->per_listener)
		s->current.has_plugin = true;
	else
		s->everywhere = true;
}

/* The broker makes a default listener for a setting of a listener that comes before the first
 * listener line (config__create_default_listener() of 2.1). */
static bool
makes_listener(const char *key)
{
	static const char *const keys[] = { "bind_address", "cafile", "capath", "certfile",
		"ciphers", "crlfile", "keyfile", "max_connections", "maximum_qos", "max_qos",
		"protocol", "require_certificate", "use_identity_as_username",
		"use_subject_as_username", "use_username_as_clientid" };

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void
apply_setting(struct listener_scan *s, const char *key, const char *value)
{
	if (!s->current.open && makes_listener(key))
		listener_begin(s, "1883");
	if (strcmp(key, "per_listener_settings") == 0)
		s->per_listener = strncmp(value, "true", 4) == 0 || value[0] == '1';
	else if (strcmp(key, "listener") == 0 || strcmp(key, "port") == 0)
		listener_begin(s, value);
	else if (strcmp(key, "protocol") == 0)
		s->current.serves_pages = strncmp(value, "http_api", 8) == 0;
	else if (strcmp(key, "plugin_use") == 0)
		use_plugin_name(s, value);
	else if (strcmp(key, "global_plugin") == 0)
		s->everywhere |= s->is_plugin(value);
	else if ((strcmp(key, "plugin") == 0 || strcmp(key, "auth_plugin") == 0) &&
	    s->is_plugin(value))
		add_plugin(s);
}

void
listener_scan_line(void *context, char *line)
{
	struct listener_scan *s = context;
	char *key, *rest, *name = NULL, *value;
	bool loads;

	if (!config_key(line, &key, &rest))
		return;
	loads = strcmp(key, "plugin_load") == 0;
	if (loads)
		name = config_word(&rest);
	value = config_value(&rest);
	if (value == NULL)
		return;
	if (!loads)
		apply_setting(s, key, value);
	else if (name != NULL && s->is_plugin(value))
		add_plugin_name(s, name);
}

void
listener_scan_file_end(void *context)
{
	listener_end(context);
}

/* Lines after an include_dir line belong to the listener before it (conf.c). */
void
listener_scan_directory_begin(void *context)
{
	struct listener_scan *s = context;

	s->before_directory = s->current;
	s->current = (struct listener){ .open = false };
}

void
listener_scan_directory_end(void *context)
{
	struct listener_scan *s = context;

	s->current = s->before_directory;
}

const char *
listener_scan_result(const struct listener_scan *s)
{
	return s->everywhere || s->without[0] == '\0' ? NULL : s->without;
}
