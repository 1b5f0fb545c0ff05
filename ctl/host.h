/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host.h - what was written before the module's name.
 *
 * mosquitto_ctrl hands a module only the words after its name, and the
 * connection options in a struct that differs between versions.  But the
 * words are the end of the process's own argument list, which lies in memory
 * in front of them, so the options are read from there (mosquitto section 10).
 * Any thread.
 */
#ifndef CTL_HOST_H
#define CTL_HOST_H

#include "jitr/core/base.h"

/* The options between the program's and the module's name: a copy, to be
 * freed by host_options_free.  argv is the module's, area the size of all the
 * process's arguments with their terminators.  NULL: they are not there. */
MUST_USE char **host_options(int argc, char **argv, size_t area, int *count);
void host_options_free(char **options);

/* The size of this process's arguments; 0 if the system does not tell. */
size_t host_argument_area(void);

#endif
