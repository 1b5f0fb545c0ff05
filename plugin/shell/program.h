/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * program.h - where the plugin's files are.
 */
#ifndef JITR_PROGRAM_H
#define JITR_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/* The path of this library, as the broker opened it; "": not known. */
const char *library_path(void);

/*
 * The path of the registrar's program: option, if it is not NULL; otherwise the program beside
 * the plugin, as in a build directory; otherwise the installed one, which is looked for where
 * the plugin was installed to, and then where the build was configured to install it.  It may
 * not exist.  The result is option, out, or a static text.
 */
const char *program_path(const char *option, char out[PATH_MAX]);

#endif
