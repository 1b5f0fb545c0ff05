/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* listeners.c - see listeners.h. */
#define _GNU_SOURCE /* dladdr() */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "listeners.h"

#define LINE_SIZE        8192 /* longer ones are cut: no setting of ours is */
#define LINES_MAX        1000000
#define COMMAND_LINE_MAX 65536

/*
 * Lines.
 */

static void
listener_end(struct listeners *l)
{
	const struct listener *now = &l->now;

	if (now->open && !now->has_plugin && !now->serves_pages && l->without[0] == '\0')
		(void)snprintf(l->without, sizeof(l->without), "%s", now->port);
	l->now.open = false;
}

static void
listener_begin(struct listeners *l, const char *port)
{
	listener_end(l);
	l->now = (struct listener){ .open = true };
	(void)snprintf(l->now.port, sizeof(l->now.port), "%.60s", port);
}

static void
plugin_named(struct listeners *l, const char *name)
{
	if (l->name_count < LISTENERS_NAMES_MAX)
		(void)snprintf(l->names[l->name_count++], sizeof(l->names[0]), "%.60s", name);
}

static void
plugin_used(struct listeners *l, const char *name)
{
	for (size_t i = 0; i < l->name_count; i++)
		l->now.has_plugin |= strcmp(l->names[i], name) == 0;
}

/* A plugin line belongs to the listener before it only where each has its own settings. */
static void
plugin_loaded(struct listeners *l)
{
	if (l->per_listener)
		l->now.has_plugin = true;
	else
		l->everywhere = true;
}

/* Without a key: a default listener, which the broker makes for a setting that belongs to
 * one (config__create_default_listener() of 2.1). */
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
setting(struct listeners *l, const char *key, const char *value,
    bool (*is_ours)(const char *path, const char *plugin_path))
{
	if (!l->now.open && makes_listener(key))
		listener_begin(l, "1883");
	if (strcmp(key, "per_listener_settings") == 0)
		l->per_listener = strncmp(value, "true", 4) == 0 || value[0] == '1';
	else if (strcmp(key, "listener") == 0 || strcmp(key, "port") == 0)
		listener_begin(l, value);
	else if (strcmp(key, "protocol") == 0)
		l->now.serves_pages = strncmp(value, "http_api", 8) == 0;
	else if (strcmp(key, "plugin_use") == 0)
		plugin_used(l, value);
	else if (strcmp(key, "global_plugin") == 0)
		l->everywhere |= is_ours(value, l->plugin_path);
	else if ((strcmp(key, "plugin") == 0 || strcmp(key, "auth_plugin") == 0) &&
	    is_ours(value, l->plugin_path))
		plugin_loaded(l);
	else if (strcmp(key, "psk_file") == 0 && l->psk_file != NULL)
		l->psk_file(l, value);
}

/* The broker skips blanks before a value. */
static char *
value_of(char **rest)
{
	char *value = strtok_r(NULL, "\r\n", rest);

	if (value != NULL)
		value += strspn(value, " ");
	return value != NULL && value[0] != '\0' ? value : NULL;
}

void
listeners_line(struct listeners *l, char *line,
    bool (*is_ours)(const char *path, const char *plugin_path))
{
	char *rest, *key = strtok_r(line, " \r\n", &rest), *value;

	if (key == NULL || key[0] == '#')
		return;
	if (strcmp(key, "plugin_load") == 0) {
		char *name = strtok_r(NULL, " \r\n", &rest);

		value = value_of(&rest);
		if (name != NULL && value != NULL && is_ours(value, l->plugin_path))
			plugin_named(l, name);
		return;
	}
	value = value_of(&rest);
	if (value != NULL)
		setting(l, key, value, is_ours);
}

void
listeners_file_end(struct listeners *l)
{
	listener_end(l);
}

/*
 * Files.
 */

static bool
is_same_file(const char *path, const char *plugin_path)
{
	const char *name = strrchr(plugin_path, '/');
	struct stat a, b;
	size_t len;

	if (stat(path, &a) == 0 && stat(plugin_path, &b) == 0)
		return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	name = name != NULL ? name : plugin_path;
	len = strlen(path);
	return len >= strlen(name) && strcmp(path + len - strlen(name), name) == 0;
}

static bool read_directory(struct listeners *l, const char *path);

/* The value of an include_dir line; NULL: it is another one. */
static char *
directory_of(char *line)
{
	static const char word[] = "include_dir ";

	line += strspn(line, " ");
	if (strncmp(line, word, strlen(word)) != 0)
		return NULL;
	line += strlen(word);
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

/* include_dir counts in the main file alone, and stands for the lines of its files; what
 * follows belongs to the listener before it (conf.c). */
static bool
read_included(struct listeners *l, const char *path)
{
	struct listener outer = l->now;
	bool good;

	l->now = (struct listener){ .open = false };
	good = read_directory(l, path);
	l->now = outer;
	if (!good)
		(void)snprintf(l->unread, sizeof(l->unread), "%.*s", (int)sizeof(l->unread) - 1,
		    path);
	return good;
}

static bool
read_lines(struct listeners *l, const char *path, bool main_file)
{
	FILE *f = fopen(path, "re");
	char *line = f != NULL ? malloc(LINE_SIZE) : NULL, *dir;
	bool good = line != NULL;

	for (size_t n = 0; good && n < LINES_MAX && fgets(line, LINE_SIZE, f) != NULL; n++) {
		dir = main_file ? directory_of(line) : NULL;
		if (dir != NULL)
			good = read_included(l, dir);
		else
			listeners_line(l, line, is_same_file);
	}
	listeners_file_end(l);
	free(line);
	if (f != NULL)
		(void)fclose(f);
	return good;
}

static int
is_configuration(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* The order in which the broker reads them (conf_includedir.c). */
static int
compare(const struct dirent **a, const struct dirent **b)
{
	int order = strcasecmp((*a)->d_name, (*b)->d_name);

	return order != 0 ? order : strcmp((*a)->d_name, (*b)->d_name);
}

static bool
read_directory(struct listeners *l, const char *path)
{
	struct dirent **entries;
	char file[2 * LINE_SIZE];
	int count = scandir(path, &entries, is_configuration, compare);
	bool good = count >= 0;

	for (int i = 0; i < count; i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		good = good && read_lines(l, file, false);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return good;
}

/* Each -c of the broker: all of them count.  false: one cannot be read.  Without one no
 * plugin was loaded from a file. */
static bool
read_all(struct listeners *l, char *path, size_t size)
{
	static char text[COMMAND_LINE_MAX];
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t len = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;
	bool found = false, good = true;

	text[len] = '\0';
	if (f != NULL)
		(void)fclose(f);
	for (size_t at = 0; good && at < len; at += strlen(text + at) + 1) {
		if (found) {
			(void)snprintf(path, size, "%s", text + at);
			good = read_lines(l, path, true);
		}
		found = !found &&
		    (strcmp(text + at, "-c") == 0 || strcmp(text + at, "--config-file") == 0);
	}
	return good;
}

static const char *
own_path(void)
{
	static const char here;
	Dl_info info;

	return dladdr(&here, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "";
}

static enum err
judge(const struct listeners *l, const char *path, struct diag *diag)
{
	if (l->everywhere || l->without[0] == '\0')
		return ERR_OK;
	diag_set(diag,
	    "%.60s: listener %.20s does not have this plugin, so its clients could publish events "
	    "as if they were the plugin's: use one plugin line without per_listener_settings, or in 2.1 "
	    "global_plugin, or plugin_use for every listener",
	    path, l->without);
	return ERR_CONFLICT;
}

enum err
listeners_check(struct diag *diag)
{
	struct listeners l = { .plugin_path = own_path() };
	char path[LINE_SIZE] = "";

	if (read_all(&l, path, sizeof(path)))
		return judge(&l, path, diag);
	diag_set(diag,
	    "%.100s cannot be read: it is not known whether every listener has this plugin, as it "
	    "must",
	    l.unread[0] != '\0' ? l.unread : path);
	return ERR_NOT_FOUND;
}

/* "identity:key"; the broker trims the identity. */
static void
read_identities(struct listeners *l, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[LINE_SIZE], *name, *rest;
	size_t len;

	for (size_t n = 0; f != NULL && n < LINES_MAX && fgets(line, sizeof(line), f) != NULL;
	     n++) {
		name = line[0] != '#' ? strtok_r(line, ":", &rest) : NULL;
		if (name == NULL)
			continue;
		name += strspn(name, " \t\v\f");
		len = strlen(name);
		while (len > 0 && strchr(" \t\v\f\r\n", name[len - 1]) != NULL)
			name[--len] = '\0';
		l->psk_name(l->context, name);
	}
	if (f != NULL)
		(void)fclose(f);
}

void
listeners_psk_names(void (*name)(void *context, const char *identity), void *context)
{
	struct listeners l = { .plugin_path = "",
		.psk_file = read_identities,
		.psk_name = name,
		.context = context };
	char path[LINE_SIZE] = "";

	(void)read_all(&l, path, sizeof(path));
}
