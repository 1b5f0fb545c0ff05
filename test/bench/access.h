/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access.h - the rights of a device in the benchmark, in two forms: three policies of five
 * statements, and the most similar roles of dynamic-security.
 *
 * Roles have no variables (2.0): every client has three roles of its own with its name.  The
 * first matching rule of a role is used, so rules that deny come first; there are none for
 * iot:Connect and iot:RetainPublish.
 */
#ifndef JITR_BENCH_ACCESS_H
#define JITR_BENCH_ACCESS_H

#include <stdio.h>

#include "fleet.h"

struct store;

/* Puts the policies and attaches them to these devices' certificates. */
void access_register(struct store *s, const struct device *d, size_t count);

/* Writes the config_file of dynamic-security, for clients with the devices' names. */
void access_write_roles(FILE *f, const struct device *d, size_t count);

#endif
