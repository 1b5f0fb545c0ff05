/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * terminal.h - what only makes sense at a terminal.
 *
 * One thread.
 */
#ifndef CTL_TERMINAL_H
#define CTL_TERMINAL_H

#include "jitr/core/base.h"

#define SECRET_SIZE 1024

/* Ask without echo.  False: no terminal, or no answer; wipe what came. */
MUST_USE bool terminal_ask(const char *prompt, char secret[SECRET_SIZE]);
void terminal_wipe(char secret[SECRET_SIZE]);

/* How far long work is, on one line of standard error, from the second second
 * on; terminal_progress_end takes the line away.  Silent elsewhere. */
void terminal_progress(const char *what, size_t count);
void terminal_progress_end(void);

int terminal_width(void); /* of standard output; 80 if it is none, as the AWS CLI */

#endif
