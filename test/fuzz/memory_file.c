/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* memory_file.c - see memory_file.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_file.h"

static memory_file_find *find_file;
static const char *const *directory;

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);

typedef int filter(const struct dirent *entry);
typedef int order(const struct dirent **a, const struct dirent **b);
int __real_scandir(const char *path, struct dirent ***entries, filter *keep, order *compare)
    __attribute__((weak));
int __wrap_scandir(const char *path, struct dirent ***entries, filter *keep, order *compare);

void
memory_files_begin(memory_file_find *find)
{
	find_file = find;
}

void
memory_files_end(void)
{
	find_file = NULL;
}

void
memory_files_list(const char *const *names)
{
	directory = names;
}

FILE *
__wrap_fopen(const char *path, const char *mode)
{
	struct view content;

	if (find_file == NULL)
		return __real_fopen(path, mode);
	content = find_file(path);
	if (content.data != NULL)
		return fmemopen((void *)(uintptr_t)content.data, content.len, "r");
	errno = ENOENT;
	return NULL;
}

static struct dirent *
new_entry(const char *name)
{
	struct dirent *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		abort();
	(void)snprintf(entry->d_name, sizeof(entry->d_name), "%s", name);
	return entry;
}

/* The caller frees the array also if it is empty. */
int
__wrap_scandir(const char *path, struct dirent ***entries, filter *keep, order *compare)
{
	size_t count = 0, kept = 0;

	if (find_file == NULL)
		return __real_scandir(path, entries, keep, compare);
	while (directory != NULL && directory[count] != NULL)
		count++;
	*entries = calloc(count + 1, sizeof(**entries));
	if (*entries == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct dirent *entry = new_entry(directory[i]);

		if (keep == NULL || keep(entry))
			(*entries)[kept++] = entry;
		else
			free(entry);
	}
	return (int)kept;
}
