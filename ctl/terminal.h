/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * terminal.h - input and output on a terminal.
 *
 * One thread.
 */
#ifndef CTL_TERMINAL_H
#define CTL_TERMINAL_H

#include "jitr/core/base.h"

#define SECRET_SIZE 1024

/* Asks without echo.  False: no terminal, or no input.  Wipe the secret after use. */
MUST_USE bool terminal_ask(const char *prompt, char secret[SECRET_SIZE]);
void terminal_wipe(char secret[SECRET_SIZE]);

/* Shows progress on one line of standard error, after the first two seconds;
 * terminal_progress_end() removes the line.  Does nothing if standard error is not a
 * terminal. */
void terminal_progress(const char *what, size_t count);
void terminal_progress_end(void);

int terminal_width(void); /* of standard output; 80 if it is not a terminal, as in the AWS CLI */

#endif
