/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* program.c - see program.h. */
#define _GNU_SOURCE /* dladdr() */
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

const char *
library_path(void)
{
	static const char here;
	Dl_info info;

	return dladdr(&here, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "";
}

/* name: relative to the directory of the plugin.  false: there is no such program.  ps and
 * the log show the path without "..". */
static bool
find_program(const char *name, char out[PATH_MAX])
{
	char library[PATH_MAX], program[PATH_MAX];
	char *slash = realpath(library_path(), library) != NULL ? strrchr(library, '/') : NULL;
	int len;

	if (slash == NULL)
		return false;
	len = snprintf(program, sizeof(program), "%.*s/%s", (int)(slash - library), library, name);
	return len > 0 && len < PATH_MAX && realpath(program, out) != NULL &&
	    access(out, X_OK) == 0;
}

const char *
program_path(const char *option, char out[PATH_MAX])
{
	if (option != NULL)
		return option;
	if (find_program("mosquitto_jitr_registrar", out) ||
	    find_program(JITR_REGISTRAR_FROM_PLUGIN, out))
		return out;
	return JITR_REGISTRAR;
}
