/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_program.h - the program's side of fuzz_registry.c: a registry on real LMDB, in
 * memory, and a gate whose jobs run when the broker's function has returned.
 *
 * CAs, devices, policies, things and templates are the numbers of model.h.  Each change tells
 * the gate what changed, as a command does.
 *
 * This is the only file of the target that knows how the gate is made and asked.
 */
#ifndef JITR_FUZZ_REGISTRY_PROGRAM_H
#define JITR_FUZZ_REGISTRY_PROGRAM_H

#include "model.h"

void program_begin(void); /* an empty registry, at a fixed time */
void program_end(void);
const struct model_world *program_world(void);
int64_t program_now(void);
void program_wait(int64_t ms);

enum err program_add_ca(int ca, bool active, bool automatic);
enum err program_set_ca_status(int ca, bool active);
enum err program_set_automatic(int ca, bool automatic);
enum err program_remove_automatic(int ca);
enum err program_set_check(int ca, enum crl_check check, unsigned grace_days);
enum err program_set_rule(int ca, int rule);
enum err program_set_template(int ca, int template);
enum err program_remove_ca(int ca);
enum err program_import_list(int ca, unsigned listed, unsigned on_hold, int64_t *next_update);
enum err program_remove_list(int ca);

enum err program_add_cert(int device, bool with_ca, enum cert_status status);
enum err program_set_status(int device, enum cert_status status);
enum err program_remove_cert(int device, bool force);

enum err program_create_policy(int policy, int document);
enum err program_delete_policy(int policy);
enum err program_create_version(int policy, int document, bool set_default);
enum err program_set_default(int policy, unsigned number);
enum err program_delete_version(int policy, unsigned number);
enum err program_attach_policy(int policy, int device);
enum err program_detach_policy(int policy, int device);

enum err program_create_thing(int thing, bool typed);
enum err program_update_thing(int thing, bool typed);
enum err program_delete_thing(int thing);
enum err program_attach_thing(int thing, int device, enum principal_type type);
enum err program_detach_thing(int thing, int device);

enum err program_create_template(int template);
enum err program_enable_template(int template, bool enabled);
enum err program_delete_template(int template);

void program_retire(void);
void program_announce_expiring(int64_t until);
void program_publish(size_t count);

/* What is on the disk, while a change is not committed, is opened again. */
void program_crash(void);

enum verdict program_connect(int device, enum reason *reason);
void program_disconnect(int device);

/* Ticks until nothing is left to do; connections that the gate closes end. */
void program_tick(void);
bool program_is_connected(int device);
bool program_may_publish(int device);

/* Ends the program at the first difference. */
void program_compare(const struct model *m);

#endif
