/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * authorize.h - may a client with rights from policies carry out this command?
 *
 * After syntax and before anything else (aws-iot 1.5): a caller without the right is not
 * told what is wrong with the content.  A refusal is ERR_DENIED in the command's result.
 * The registrar's thread.
 */
#ifndef JITR_AUTHORIZE_H
#define JITR_AUTHORIZE_H

#include "command.h"

/* The command itself, on the resources that it names. */
void authorize_command(struct command *c);

/* Then what its content exercises, see content.h. */
void authorize_content(struct command *c, struct store *store);

#endif
