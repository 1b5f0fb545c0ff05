/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker_config.h - reads the configuration files of the running broker.
 *
 * The plugin API does not give a plugin the settings of listeners.  The files are those of the
 * broker's -c options; include_dir stands for the .conf files of a directory, and counts in
 * the main file only (mosquitto.conf(5)).
 *
 * Start and reload only; any thread.
 */
#ifndef JITR_BROKER_CONFIG_H
#define JITR_BROKER_CONFIG_H

#include "jitr/core/base.h"

/* Functions may be NULL, except line. */
struct config_visitor {
	void (*line)(void *context, char *line); /* may be changed */
	void (*file_end)(void *context);
	void (*directory_begin)(void *context); /* at an include_dir line */
	void (*directory_end)(void *context);
	void *context;
};

/* Reads all files.  path: the last main file; "": the broker has none.  false: a file or
 * directory cannot be read, and path is its name.  Long names are cut. */
MUST_USE bool broker_config_read(const struct config_visitor *v, char *path, size_t size);

/* Splits a line in place as the broker does.  false: it has no setting.  *rest: for
 * config_value() and config_word(). */
bool config_key(char *line, char **key, char **rest);

/* The rest of the line without blanks in front; NULL: empty. */
char *config_value(char **rest);

/* The next word; NULL: there is none. */
char *config_word(char **rest);

#endif
