/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * process.h - a process with a socket as its descriptor CHILD_FD.
 */
#ifndef JITR_PROCESS_H
#define JITR_PROCESS_H

#include <sys/types.h>

#include "jitr/core/base.h"

struct process {
	pid_t pid; /* 0: none */
	int fd;    /* our end of the socket; not inherited by other programs */
};

/* ERR_STORAGE and *diag: it cannot be started. */
MUST_USE enum err process_start(const char *path, struct process *out, struct diag *diag);

/* Has it ended?  Then *diag says how.  Does not wait.  Another plugin may have waited for all
 * processes: then its status is not known. */
MUST_USE bool process_ended(pid_t pid, struct diag *diag);

/* "exit status 1", "killed by signal 9 (Killed)". */
void process_describe(int status, struct diag *diag);

#endif
