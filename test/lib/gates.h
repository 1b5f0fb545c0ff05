/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gates.h - a gate with a writer in the world of world.h, for tests of its decisions:
 * an active CA that registers, a device, an administrator's certificate.
 *
 * A test sets what it needs in `config` and calls open_gate(), which closes the one
 * before.
 */
#ifndef JITR_TEST_GATES_H
#define JITR_TEST_GATES_H

#include "jitr/service/gate.h"
#include "jitr/service/registration_jobs.h"
#include "world.h"

extern struct gate *gate;
extern struct gate_config config;
extern struct report *report;
extern struct stats stats;
extern struct pki_cert *ca, *device;
extern struct certid admin_ids[1];

/* Opens all but writer and gate; zeroes config and stats. */
void gates_open(enum authorization authorization, const char *device_name);
void open_gate(void);
void gates_close(void);

/* gate_access() and gate_access_known(), not retained, of the gate. */
enum access gates_access(const struct client *c, enum action action, const char *topic,
    bool retain);
bool gates_access_known(const void *handle, const char *id, const char *user_name,
    enum action action, const char *topic, enum access *out);

#endif
