/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gates.c - see gates.h. */
#include <check.h>
#include <string.h>

#include "gates.h"

#define ACCOUNT "123456789012"

struct gate *gate;
struct gate_config config;
struct report *report;
struct stats stats;
struct pki_cert *ca, *device;
struct certid admin_ids[1];

static struct registration_jobs *registrations;

void
gates_open(enum authorization authorization, const char *device_name)
{
	struct report_config report_config = { .account_id = ACCOUNT,
		.sink = world_sink,
		.now = world_now };

	world_open();
	memset(&stats, 0, sizeof(stats));
	config = (struct gate_config){ .authorization = authorization };
	ck_assert_int_eq(report_open(&report_config, &report), ERR_OK);
	ca = pki_ca("Test CA");
	device = pki_device(ca, device_name);
	world_put_ca(ca, CA_ACTIVE, true);
}

static void
presented(void *context, uint64_t number, enum err result, const struct outcome *outcome,
    const char *failure)
{
	(void)context;
	gate_presented(gate, number, result, outcome, failure);
}

static void
open_registrations(void)
{
	struct registration_jobs_config jobs = { .writer = world.writer,
		.rules = config.rules,
		.presented = presented };

	registration_jobs_close(registrations);
	ck_assert_int_eq(registration_jobs_open(&jobs, &registrations), ERR_OK);
	config.registrations = registration_jobs_port(registrations);
}

void
open_gate(void)
{
	gate_close(gate);
	config.store = world.store;
	config.report = report;
	config.stats = &stats;
	config.broker = &world_broker;
	config.now = world_now;
	config.admin_certificates = admin_ids;
	config.admin_certificate_count = 1;
	config.scope = arn_scope_of("local", ACCOUNT);
	config.rules.decide.announce_interval = 1000;
	memcpy(config.rules.account_id, ACCOUNT, sizeof(ACCOUNT));
	open_registrations();
	ck_assert_int_eq(gate_open(&config, &gate), ERR_OK);
}

void
gates_close(void)
{
	world_stop_writer();
	gate_close(gate);
	gate = NULL;
	registration_jobs_close(registrations);
	registrations = NULL;
	report_close(report);
	pki_free(device);
	pki_free(ca);
	world_close();
}

enum access
gates_access(const struct client *c, enum action action, const char *topic, bool retain)
{
	return gate_access(gate, c, &(struct access_request){ action, topic, retain });
}

bool
gates_access_known(const void *handle, const char *id, const char *user_name, enum action action,
    const char *topic, enum access *out)
{
	return gate_access_known(gate, &(struct known_client){ handle, id, user_name },
	    &(struct access_request){ action, topic, false }, out);
}
