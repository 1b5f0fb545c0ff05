/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trial.h - a testAuthorization that takes more than one slice of the registrar's thread.
 *
 * Made by the first read() of the command and freed with the command.  The registrar's thread.
 */
#ifndef JITR_TRIAL_H
#define JITR_TRIAL_H

struct trial;

void trial_free(struct trial *trial); /* NULL is fine */

#endif
