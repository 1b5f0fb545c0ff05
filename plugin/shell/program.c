/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* program.c - see program.h. */
#define _GNU_SOURCE /* dladdr() */
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

#define PROGRAM "mosquitto_jitr_registrar"

const char *
library_path(void)
{
	static const char here;
	Dl_info info;

	return dladdr(&here, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "";
}

/* false: there is none. */
static bool
find_beside(char out[PATH_MAX])
{
	char *name = realpath(library_path(), out) != NULL ? strrchr(out, '/') : NULL;

	if (name == NULL || (size_t)(name + 1 - out) + sizeof(PROGRAM) > PATH_MAX)
		return false;
	memcpy(name + 1, PROGRAM, sizeof(PROGRAM));
	return access(out, X_OK) == 0;
}

const char *
program_path(const char *option, char out[PATH_MAX])
{
	if (option != NULL)
		return option;
	return find_beside(out) ? out : JITR_REGISTRAR;
}
