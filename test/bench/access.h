/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access.h - what a device of the benchmark may do, said twice: as three
 * policies of five statements, and as the roles of dynamic-security that come
 * nearest.
 *
 * Roles know no variables (2.0): every client has three roles of its own that
 * name it.  Roles take the first rule that matches, so the ones that deny
 * stand first; there are none for iot:Connect and iot:RetainPublish.
 */
#ifndef JITR_BENCH_ACCESS_H
#define JITR_BENCH_ACCESS_H

#include <stdio.h>

#include "fleet.h"

struct store;

/* The policies, attached to the certificates of these devices. */
void access_register(struct store *s, const struct device *d, size_t count);

/* The other plugin's config_file, for clients named as the devices are. */
void access_write_roles(FILE *f, const struct device *d, size_t count);

#endif
