/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host.c - see host.h.
 *
 * Any thread.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "url.h"

size_t
host_argument_area(void)
{
	FILE *file = fopen("/proc/self/cmdline", "rb");
	char block[4096];
	size_t total = 0;
	size_t n;

	if (file == NULL)
		return 0;
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		total += n;
	(void)fclose(file);
	return total;
}

/* Number of words before argv[0], including the program's name; 0 if the words are not
 * adjacent in memory, as the kernel puts them.  Only the pointers are used: the host
 * may have modified the words. */
static int
words_before(int argc, char **argv, size_t area)
{
	uintptr_t end = (uintptr_t)argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	uintptr_t begin = end - area;
	int n = 0;

	while ((uintptr_t)argv[-n] > begin) {
		uintptr_t before = (uintptr_t)argv[-n - 1];

		if (before < begin || before >= (uintptr_t)argv[-n])
			return 0;
		n++;
	}
	return (uintptr_t)argv[-n] == begin ? n : 0;
}

/* Copies a word; restores the URL behind -L, which the host has cut into pieces. */
static char *
copy_word(char **argv, int i)
{
	const char *before = argv[i - 1];
	size_t size = (size_t)(argv[i + 1] - argv[i]);
	char *copy = malloc(size);

	if (copy == NULL)
		return NULL;
	if (strcmp(before, "-L") == 0 || strcmp(before, "--url") == 0)
		url_restore(argv[i], size, copy);
	else
		memcpy(copy, argv[i], size);
	return copy;
}

char **
host_options(int argc, char **argv, size_t area, int *count)
{
	int before = argc > 0 && area > 0 ? words_before(argc, argv, area) : 0;
	char **options;

	if (before < 2) /* at least the program's name and the module's */
		return NULL;
	*count = before - 2;
	options = calloc((size_t)*count + 1, sizeof(*options));
	for (int i = 0; options != NULL && i < *count; i++) {
		options[i] = copy_word(argv, i + 1 - before);
		if (options[i] == NULL) {
			host_options_free(options);
			return NULL;
		}
	}
	return options;
}

void
host_options_free(char **options)
{
	for (char **o = options; o != NULL && *o != NULL; o++)
		free(*o);
	free(options);
}
