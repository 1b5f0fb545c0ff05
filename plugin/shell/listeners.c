/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* listeners.c - see listeners.h. */
#define _GNU_SOURCE /* dladdr() */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "listeners.h"

#define LINE_SIZE       8192 /* longer ones are cut: no setting of ours is */
#define LINES_MAX       1000000
#define COMMAND_LINE_MAX 65536

/*
 * Lines.
 */

static void
listener_end(struct listeners *l)
{
	if (l->open && !l->has_plugin && !l->serves_pages && l->without[0] == '\0')
		(void)snprintf(l->without, sizeof(l->without), "%s", l->port);
	l->open = false;
}

static void
listener_begin(struct listeners *l, const char *port)
{
	listener_end(l);
	l->open = true;
	l->has_plugin = l->serves_pages = false;
	(void)snprintf(l->port, sizeof(l->port), "%.60s", port);
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
		l->has_plugin |= strcmp(l->names[i], name) == 0;
}

/* A plugin line belongs to the listener before it only where each has its own settings. */
static void
plugin_loaded(struct listeners *l)
{
	if (l->per_listener)
		l->has_plugin = true;
	else
		l->everywhere = true;
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

		value = strtok_r(NULL, "\r\n", &rest);
		if (name != NULL && value != NULL && is_ours(value, l->plugin_path))
			plugin_named(l, name);
		return;
	}
	value = strtok_r(NULL, "\r\n", &rest);
	if (value == NULL)
		return;
	if (strcmp(key, "per_listener_settings") == 0)
		l->per_listener = strncmp(value, "true", 4) == 0 || value[0] == '1';
	else if (strcmp(key, "listener") == 0 || strcmp(key, "port") == 0)
		listener_begin(l, value);
	else if (strcmp(key, "protocol") == 0)
		l->serves_pages = strncmp(value, "http_api", 8) == 0;
	else if (strcmp(key, "plugin_use") == 0)
		plugin_used(l, value);
	else if (strcmp(key, "global_plugin") == 0)
		l->everywhere |= is_ours(value, l->plugin_path);
	else if ((strcmp(key, "plugin") == 0 || strcmp(key, "auth_plugin") == 0) &&
	    is_ours(value, l->plugin_path))
		plugin_loaded(l);
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

/* include_dir counts in the main file alone (conf.c); dir: room for it, "" if none. */
static bool
read_lines(struct listeners *l, const char *path, char *dir, size_t dir_size)
{
	static const char word[] = "include_dir ";
	FILE *f = fopen(path, "re");
	char line[LINE_SIZE];

	if (f == NULL)
		return false;
	for (size_t n = 0; n < LINES_MAX && fgets(line, sizeof(line), f) != NULL; n++) {
		if (dir != NULL && strncmp(line, word, strlen(word)) == 0)
			(void)snprintf(dir, dir_size, "%.*s", (int)strcspn(line + strlen(word), "\r\n"),
			    line + strlen(word));
		else
			listeners_line(l, line, is_same_file);
	}
	listeners_file_end(l);
	return fclose(f) == 0;
}

static bool
read_directory(struct listeners *l, const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char file[2 * LINE_SIZE];
	bool good = dir != NULL;

	while (good && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len <= 5 || strcmp(entry->d_name + len - 5, ".conf") != 0)
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		good = read_lines(l, file, NULL, 0);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return good;
}

/* The value of the broker's -c; false: it has none, so it has loaded no plugin from a file. */
static bool
find_configuration(char *path, size_t size)
{
	static char text[COMMAND_LINE_MAX];
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t len = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;
	bool found = false;

	for (size_t at = 0; at < len; at += strlen(text + at) + 1) {
		if (found) {
			(void)snprintf(path, size, "%s", text + at);
			break;
		}
		found = strcmp(text + at, "-c") == 0 || strcmp(text + at, "--config-file") == 0;
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
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
	diag_set(diag, "%.60s: listener %.20s does not have this plugin, so its clients could publish events "
	    "as if they were the plugin's: use one plugin line without per_listener_settings, or in 2.1 "
	    "global_plugin, or plugin_use for every listener",
	    path, l->without);
	return ERR_CONFLICT;
}

enum err
listeners_check(struct diag *diag)
{
	struct listeners l = { .plugin_path = own_path() };
	char path[LINE_SIZE], dir[LINE_SIZE] = "";

	if (!find_configuration(path, sizeof(path)))
		return ERR_OK;
	if (read_lines(&l, path, dir, sizeof(dir)) && (dir[0] == '\0' || read_directory(&l, dir)))
		return judge(&l, path, diag);
	diag_set(diag, "%.100s cannot be read: it is not known whether every listener has this plugin, as it "
	    "must", dir[0] != '\0' ? dir : path);
	return ERR_NOT_FOUND;
}
