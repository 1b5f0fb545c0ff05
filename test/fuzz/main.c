/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * main.c - runs a fuzz target over files, with any compiler.
 *
 *	fuzz_x509 [-v] [-r NUMBER] x509.in crash-1234 ...
 *
 * Arguments are files or folders of files; -v names each before it is run; -r runs as
 * many more of the following, changed by a target that has its own way to change them, the
 * same ones each time.
 * So everything a fuzzer ever found is a regression test.  Fails when there
 * was nothing to run: an empty folder proves nothing.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
    __attribute__((weak));

#define CHANGED_MAX 4096

static size_t inputs;
static unsigned changes; /* of each file */
static bool verbose;

static bool
fail(const char *path)
{
	perror(path);
	return false;
}

/* The changes add up. */
static void
run_changed(const uint8_t *data, size_t size)
{
	static uint8_t changed[CHANGED_MAX];

	if (size > sizeof(changed))
		return;
	memcpy(changed, data, size);
	for (unsigned n = 0; n < changes; n++) {
		size = LLVMFuzzerCustomMutator(changed, size, sizeof(changed),
		    7919 * n + (unsigned)inputs);
		(void)LLVMFuzzerTestOneInput(changed, size);
		inputs++;
	}
}

/* In a buffer of exactly the file's size: a sanitizer sees a read behind it. */
static bool
run_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size > 0 ? size : 1);
	FILE *f = fopen(path, "rb");
	bool ok = false;

	if (data != NULL && f != NULL && fread(data, 1, size, f) == size) {
		if (verbose)
			printf("%s\n", path);
		(void)LLVMFuzzerTestOneInput(data, size);
		inputs++;
		if (LLVMFuzzerCustomMutator != NULL)
			run_changed(data, size);
		ok = true;
	}
	if (f != NULL)
		fclose(f);
	free(data);
	return ok || fail(path);
}

static bool run(const char *path, bool enter);

static bool
run_entry(const char *folder, const char *name)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (name[0] == '.')
		return true;
	return len > 0 && (size_t)len < sizeof(path) && run(path, false);
}

static bool
run_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	bool ok = count >= 0 || fail(path);

	for (int i = 0; i < count; i++) {
		ok = run_entry(path, entries[i]->d_name) && ok;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return ok;
}

static bool
run(const char *path, bool enter)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return fail(path);
	if (S_ISDIR(st.st_mode))
		return !enter || run_folder(path);
	return run_file(path, (size_t)st.st_size);
}

int
main(int argc, char **argv)
{
	bool ok = true;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			verbose = true;
		else if (strcmp(argv[i], "-r") == 0 && i + 1 < argc)
			changes = (unsigned)strtoul(argv[++i], NULL, 10);
		else
			ok = run(argv[i], true) && ok;
	}
	printf("%zu inputs\n", inputs);
	return ok && inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
