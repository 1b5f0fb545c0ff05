/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* broker_config.c - see broker_config.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "broker_config.h"

#define LINE_SIZE        8192 /* longer lines are split: no setting that is read is so long */
#define LINES_MAX        1000000
#define COMMAND_LINE_MAX 65536

/*
 * Lines.
 */

bool
config_key(char *line, char **key, char **rest)
{
	*key = strtok_r(line, " \r\n", rest);
	return *key != NULL && (*key)[0] != '#';
}

char *
config_value(char **rest)
{
	char *value = strtok_r(NULL, "\r\n", rest);

	if (value != NULL)
		value += strspn(value, " ");
	return value != NULL && value[0] != '\0' ? value : NULL;
}

char *
config_word(char **rest)
{
	return strtok_r(NULL, " \r\n", rest);
}

/* The value of an include_dir line; NULL: it is another line, and unchanged. */
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

/*
 * Files.
 */

static void
call(void (*function)(void *context), void *context)
{
	if (function != NULL)
		function(context);
}

struct reader {
	const struct config_visitor *visitor;
	char *path; /* of broker_config_read() */
	size_t size;
};

static bool read_directory(struct reader *r, const char *path);

static bool
read_lines(struct reader *r, const char *path, bool main_file)
{
	const struct config_visitor *v = r->visitor;
	FILE *f = fopen(path, "re");
	char *line = f != NULL ? malloc(LINE_SIZE) : NULL, *directory;
	bool good = line != NULL;

	for (size_t n = 0; good && n < LINES_MAX && fgets(line, LINE_SIZE, f) != NULL; n++) {
		directory = main_file ? directory_of(line) : NULL;
		if (directory != NULL)
			good = read_directory(r, directory);
		else
			v->line(v->context, line);
	}
	call(v->file_end, v->context);
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

/* After an error r->path is the directory. */
static bool
read_directory(struct reader *r, const char *path)
{
	const struct config_visitor *v = r->visitor;
	struct dirent **entries;
	char file[2 * LINE_SIZE];
	int count = scandir(path, &entries, is_configuration, compare);
	bool good = count >= 0;

	call(v->directory_begin, v->context);
	for (int i = 0; i < count; i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		good = good && read_lines(r, file, false);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	call(v->directory_end, v->context);
	if (!good)
		(void)snprintf(r->path, r->size, "%s", path);
	return good;
}

/* All -c options count.  A broker without one has loaded no plugin from a file. */
bool
broker_config_read(const struct config_visitor *v, char *path, size_t size)
{
	static char text[COMMAND_LINE_MAX];
	struct reader r = { v, path, size };
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t len = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;
	bool is_path = false, good = true;

	path[0] = text[len] = '\0';
	if (f != NULL)
		(void)fclose(f);
	for (size_t at = 0; good && at < len; at += strlen(text + at) + 1) {
		if (is_path) {
			(void)snprintf(path, size, "%s", text + at);
			good = read_lines(&r, text + at, true);
		}
		is_path = !is_path &&
		    (strcmp(text + at, "-c") == 0 || strcmp(text + at, "--config-file") == 0);
	}
	return good;
}
