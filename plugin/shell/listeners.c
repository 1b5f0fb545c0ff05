/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* listeners.c - see listeners.h. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "broker_config.h"
#include "listener_scan.h"
#include "listeners.h"
#include "program.h"

#define PATH_SIZE          1024
#define IDENTITY_LINE_SIZE 8192
#define IDENTITY_LINES_MAX 1000000

/*
 * The plugin.
 */

/* The same file, or, if a file cannot be found, the same name. */
static bool
is_own_path(const char *path)
{
	const char *own = library_path(), *name = strrchr(own, '/');
	struct stat a, b;
	size_t len;

	if (stat(path, &a) == 0 && stat(own, &b) == 0)
		return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	name = name != NULL ? name : own;
	len = strlen(path);
	return len >= strlen(name) && strcmp(path + len - strlen(name), name) == 0;
}

enum err
listeners_check(struct diag *diag)
{
	struct listener_scan scan = { .is_plugin = is_own_path };
	struct config_visitor v = { listener_scan_line, listener_scan_file_end,
		listener_scan_directory_begin, listener_scan_directory_end, &scan };
	char path[PATH_SIZE];
	const char *port;

	if (!broker_config_read(&v, path, sizeof(path))) {
		diag_set(diag,
		    "%.100s cannot be read: it is not known whether every listener has this "
		    "plugin, as it must",
		    path);
		return ERR_NOT_FOUND;
	}
	port = listener_scan_result(&scan);
	if (port == NULL)
		return ERR_OK;
	diag_set(diag,
	    "%.60s: listener %.20s does not have this plugin, so its clients could publish events "
	    "as if they were the plugin's: use one plugin line without per_listener_settings, or in 2.1 "
	    "global_plugin, or plugin_use for every listener",
	    path, port);
	return ERR_CONFLICT;
}

/*
 * Identities with a pre-shared key.
 */

struct psk_names {
	void (*name)(void *context, const char *identity);
	void *context;
};

/* Lines are "identity:key"; the broker trims the identity. */
static void
read_identity(const struct psk_names *p, char *line)
{
	char *rest, *name = line[0] != '#' ? strtok_r(line, ":", &rest) : NULL;
	size_t len;

	if (name == NULL)
		return;
	name += strspn(name, " \t\v\f");
	len = strlen(name);
	while (len > 0 && strchr(" \t\v\f\r\n", name[len - 1]) != NULL)
		name[--len] = '\0';
	p->name(p->context, name);
}

static void
read_identities(const struct psk_names *p, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[IDENTITY_LINE_SIZE];

	if (f == NULL)
		return;
	for (size_t n = 0; n < IDENTITY_LINES_MAX && fgets(line, sizeof(line), f) != NULL; n++)
		read_identity(p, line);
	(void)fclose(f);
}

static void
find_psk_file(void *context, char *line)
{
	char *key, *rest, *value;

	if (!config_key(line, &key, &rest) || strcmp(key, "psk_file") != 0)
		return;
	value = config_value(&rest);
	if (value != NULL)
		read_identities(context, value);
}

void
listeners_psk_names(void (*name)(void *context, const char *identity), void *context)
{
	struct psk_names names = { name, context };
	struct config_visitor v = { .line = find_psk_file, .context = &names };
	char path[PATH_SIZE];

	(void)!broker_config_read(&v, path, sizeof(path));
}
