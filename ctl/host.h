/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host.h - finds the options before the module's name.
 *
 * mosquitto_ctrl passes only the words behind the module's name, and the connection
 * options in a struct that differs between versions.  These words are the end of the
 * process's argument list, which precedes them in memory, so the options are read from
 * there (mosquitto section 10).  Any thread.
 */
#ifndef CTL_HOST_H
#define CTL_HOST_H

#include "jitr/core/base.h"

/* A copy of the options between the program's and the module's name; release with
 * host_options_free().  argv is the module's; area is the size of all arguments of the
 * process including terminators.  NULL: not found. */
MUST_USE char **host_options(int argc, char **argv, size_t area, int *count);
void host_options_free(char **options);

/* Size of this process's arguments; 0 if the system does not reveal it. */
size_t host_argument_area(void);

#endif
