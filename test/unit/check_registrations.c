/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_registrations.c - what the gate sends to be registered, and what it does with each
 * completion (registrations.h, gate.h), with a recording in the place of the registrations;
 * and the registrations that are jobs of the writer (registration_jobs.h).
 */
#include <stdio.h>
#include <string.h>

#include "gates.h"
#include "jitr/service/registry_policy.h"
#include "suite.h"

#define A "arn:aws:iot:local:123456789012"
#define POLICY \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\"," \
	"\"Action\":[\"iot:Connect\",\"iot:Publish\",\"iot:Receive\"],\"Resource\":[\"" A \
	":client/*\",\"" A ":topic/up\"]}]}"
#define RULE "{\"policies\":[\"device\"]}"

static char clients[4];

/*
 * The recording.
 */

static struct {
	enum err result; /* of both functions */
	size_t presented, refused;
	uint64_t number;
	struct presented facts;
	bool has_plan;
	size_t policy_count, der_len;
	char client_id[16], address[16], code[64], policy[32];
	struct certid refused_id;
} seen;

static void
keep(char *out, size_t size, struct view text)
{
	(void)snprintf(out, size, "%.*s", (int)text.len, (const char *)text.data);
}

static enum err
record_presentation(void *context, uint64_t number, const struct presentation *p)
{
	ck_assert_ptr_eq(context, &seen);
	seen.presented++;
	seen.number = number;
	seen.facts = p->presented;
	seen.has_plan = p->plan != NULL;
	seen.der_len = p->der.len;
	keep(seen.client_id, sizeof(seen.client_id), p->client_id);
	keep(seen.address, sizeof(seen.address), p->address);
	seen.policy_count = seen.has_plan ? p->plan->policy_count : 0;
	if (seen.policy_count > 0)
		keep(seen.policy, sizeof(seen.policy), p->plan->policies[0].name);
	return seen.result;
}

static enum err
record_refusal(void *context, const struct certid *id, const struct refusal *refusal)
{
	ck_assert_ptr_eq(context, &seen);
	seen.refused++;
	seen.refused_id = *id;
	keep(seen.code, sizeof(seen.code), refusal->code);
	keep(seen.client_id, sizeof(seen.client_id), refusal->client_id);
	keep(seen.address, sizeof(seen.address), refusal->address);
	return seen.result;
}

static void
set_up(void)
{
	memset(&seen, 0, sizeof(seen));
	gates_open(AUTHORIZATION_POLICY, "d0");
	open_gate();
	gate_close(gate);
	config.registrations = (struct registrations){ &seen, record_presentation, record_refusal };
	ck_assert_int_eq(gate_open(&config, &gate), ERR_OK);
}

/* Its CA has a rule that activates all, with a policy. */
static void
set_rule(void)
{
	struct view rule = view_of(RULE);
	struct certid id = world_id(ca);
	struct txn t;

	world_change(&t);
	ck_assert_int_eq(registry_create_policy(&t, view_of("device"), view_of(POLICY), world_now(),
			     NULL),
	    ERR_OK);
	ck_assert_int_eq(registry_update_ca(&t, &id,
			     &(struct ca_update){ .settings.activation = &rule }, world_now(),
			     NULL),
	    ERR_OK);
	world_commit(&t);
}

static void
set_up_rule(void)
{
	set_up();
	set_rule();
}

static struct client
client(int n, const struct pki_cert *c)
{
	static char ids[4][8];

	snprintf(ids[n], sizeof(ids[n]), "d%d", n);
	return (struct client){ .handle = &clients[n],
		.id = ids[n],
		.address = "192.0.2.1",
		.x = c->x };
}

static enum verdict
connect_as(int n, const struct pki_cert *c)
{
	struct client presented = client(n, c);

	return gate_connect(gate, &presented);
}

static enum access
publish(int n, const struct pki_cert *c)
{
	struct client presented = client(n, c);

	return gates_access(&presented, ACTION_WRITE, "up", false);
}

static void
leave(int n)
{
	struct client c = client(n, device);

	c.user_name = world_hex(device);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
}

/* A delivery to a client that is offline, by the name that it was given. */
static enum access
absent(const struct pki_cert *c)
{
	struct client presented = client(0, c);

	presented.x = NULL;
	presented.user_name = world_hex(c);
	return gates_access(&presented, ACTION_READ, "up", false);
}

static void
tick(void)
{
	while (gate_tick(gate))
		continue;
}

/* As the job would have stored it. */
static void
store(const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct txn t;

	world_put_cert(c, ca, CERT_ACTIVE);
	world_change(&t);
	ck_assert_int_eq(registry_attach_policy(&t, view_of("device"), &id, NULL), ERR_OK);
	world_commit(&t);
}

static const struct outcome activated = { .decision = { VERDICT_ALLOW, REASON_NONE,
					      EFFECT_REGISTER | EFFECT_ANNOUNCE | EFFECT_PLAN },
	.status = CERT_ACTIVE };

static void
complete(uint64_t number)
{
	gate_presented(gate, number, ERR_OK, &activated, NULL);
}

static size_t
lines_with(const char *part)
{
	size_t count = 0;
	const struct note *n;

	for (size_t i = 0; (n = world_note(NOTE_LINE, i)) != NULL; i++)
		count += strstr(n->text, part) != NULL;
	return count;
}

#define LOST "registrations under way, not known whether they were stored"

/*
 * Sending.
 */

START_TEST(a_presentation_has_all_that_the_registration_needs)
{
	struct certid id = world_id(device);

	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_uint_eq(seen.presented, 1);
	ck_assert(certid_equal(&seen.facts.id, &id));
	ck_assert_int_eq(seen.facts.issued_by_ca, ANSWER_YES);
	ck_assert_uint_eq(seen.der_len, device->der.len);
	ck_assert_str_eq(seen.client_id, "d0");
	ck_assert_str_eq(seen.address, "192.0.2.1");
	ck_assert(seen.has_plan);
	ck_assert_uint_eq(seen.policy_count, 1);
	ck_assert_str_eq(seen.policy, "device");
}
END_TEST

START_TEST(each_presentation_has_a_number_of_its_own)
{
	uint64_t first;

	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	first = seen.number;
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	ck_assert_uint_eq(seen.presented, 2);
	ck_assert_uint_ne(seen.number, first);
}
END_TEST

START_TEST(a_presentation_that_is_not_taken_lets_no_client_in)
{
	seen.result = ERR_BUSY;
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert_uint_eq(stats.busy, 1);
	ck_assert(world_said("its registration could not be stored"));
	complete(seen.number);
	ck_assert_uint_eq(stats.registered, 0);
	gate_registrations_lost(gate, "test");
	ck_assert_uint_eq(lines_with(LOST), 0);
}
END_TEST

START_TEST(a_refusal_is_sent_for_the_record)
{
	struct certid id = world_id(device);

	world_put_cert(device, ca, CERT_INACTIVE);
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert_uint_eq(seen.refused, 1);
	ck_assert(certid_equal(&seen.refused_id, &id));
	ck_assert_str_eq(seen.code, "DEVICE_CERTIFICATE_INACTIVE");
	ck_assert_str_eq(seen.client_id, "d0");
	ck_assert_str_eq(seen.address, "192.0.2.1");
	/* One that is not taken is in the log. */
	seen.result = ERR_BUSY;
	ck_assert_int_eq(connect_as(1, device), VERDICT_DENY);
	ck_assert_uint_eq(seen.refused, 2);
}
END_TEST

/*
 * Completion.
 */

START_TEST(a_number_that_is_not_under_way_is_ignored)
{
	complete(1);
	gate_presented(gate, 2, ERR_STORAGE, NULL, "disk full");
	ck_assert_uint_eq(stats.registered, 0);
	ck_assert_uint_eq(stats.failed, 0);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
	ck_assert(!gate_take_announced(gate));
}
END_TEST

START_TEST(a_second_completion_is_ignored)
{
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	store(device);
	complete(seen.number);
	ck_assert_uint_eq(stats.registered, 1);
	ck_assert_uint_eq(stats.activated, 1);
	ck_assert(gate_take_announced(gate));
	complete(seen.number);
	gate_presented(gate, seen.number, ERR_STORAGE, NULL, NULL);
	ck_assert_uint_eq(stats.registered, 1);
	ck_assert_uint_eq(stats.failed, 0);
	ck_assert(!gate_take_announced(gate));
	ck_assert_int_eq(publish(0, device), ACCESS_ALLOW);
}
END_TEST

START_TEST(a_completion_after_the_session_left)
{
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	leave(0);
	tick();
	ck_assert_int_eq(absent(device), ACCESS_ALLOW); /* by the plan */
	if (_i) {
		store(device);
		complete(seen.number);
	} else {
		gate_presented(gate, seen.number, ERR_STORAGE, NULL, "disk full");
		ck_assert(world_said("certificate not registered: reason=\"storage failed: disk "
				     "full\""));
	}
	ck_assert_int_eq(absent(device), _i ? ACCESS_ALLOW : ACCESS_DENY);
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
}
END_TEST

/* Its completion belongs to the first connection; the plan of the second one goes on. */
START_TEST(the_plan_of_another_connection_is_not_ended)
{
	uint64_t first;

	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	first = seen.number;
	ck_assert_int_eq(connect_as(1, device), VERDICT_ALLOW);
	gate_presented(gate, seen.number, ERR_STORAGE, NULL, NULL);
	ck_assert_int_eq(publish(0, device), ACCESS_ALLOW);
	gate_presented(gate, first, ERR_STORAGE, NULL, NULL);
	ck_assert_int_eq(publish(0, device), ACCESS_DENY);
	ck_assert_uint_eq(stats.failed, 2);
}
END_TEST

/*
 * Lost.
 */

START_TEST(a_client_whose_registration_is_lost_is_judged_by_the_registry)
{
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	if (_i)
		store(device);
	world_forget();
	gate_registrations_lost(gate, "it was killed");
	ck_assert_int_eq(publish(0, device), _i ? ACCESS_ALLOW : ACCESS_DENY);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), _i ? 0 : 1);
	ck_assert_int_eq(world_said(
			     "connection closed: reason=\"its registration could not be stored\""),
	    !_i);
	ck_assert(world_said(LOST ": count=1 reason=\"it was killed\""));
	ck_assert_uint_eq(stats.failed, 1);
	ck_assert_uint_eq(stats.registered, 0);
}
END_TEST

/* Without a packet of its own. */
START_TEST(a_silent_client_whose_registration_is_lost_is_closed)
{
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	gate_registrations_lost(gate, "test");
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 1);
}
END_TEST

START_TEST(a_completion_after_the_loss_is_ignored)
{
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	gate_registrations_lost(gate, "test");
	complete(seen.number);
	ck_assert_uint_eq(stats.registered, 0);
	ck_assert_int_eq(publish(0, device), ACCESS_DENY);
}
END_TEST

START_TEST(all_that_is_lost_is_one_line)
{
	struct pki_cert *other = pki_device(ca, "d1");

	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(1, other), VERDICT_ALLOW);
	ck_assert_int_eq(connect_as(2, other), VERDICT_ALLOW);
	world_forget();
	gate_registrations_lost(gate, "test");
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	ck_assert(world_said("count=3"));
	ck_assert_uint_eq(stats.failed, 3);
	gate_registrations_lost(gate, "test");
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	pki_free(other);
}
END_TEST

/* Registered by another attempt later, and then deleted. */
START_TEST(the_reason_of_a_loss_does_not_outlast_it)
{
	struct certid id = world_id(device);
	struct txn t;

	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	gate_registrations_lost(gate, "test");
	store(device);
	ck_assert_int_eq(publish(0, device), ACCESS_ALLOW);
	world_change(&t);
	store_delete_cert(&t, &id);
	world_commit(&t);
	gate_changed(gate, &id);
	tick();
	ck_assert(world_said("connection closed: reason=\"not registered any more\""));
}
END_TEST

START_TEST(a_loss_of_a_client_that_left_ends_its_rights)
{
	ck_assert_int_eq(connect_as(0, device), VERDICT_ALLOW);
	leave(0);
	tick();
	gate_registrations_lost(gate, "test");
	ck_assert_int_eq(absent(device), ACCESS_DENY);
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
}
END_TEST

/* A certificate that waits for activation has no plan. */
START_TEST(a_registration_without_a_plan_is_lost_too)
{
	ck_assert_int_eq(connect_as(0, device), VERDICT_DENY);
	ck_assert(!seen.has_plan);
	world_forget();
	gate_registrations_lost(gate, "test");
	ck_assert(world_said("count=1"));
	tick();
	ck_assert_uint_eq(world_count(NOTE_KICK), 0);
}
END_TEST

/*
 * Jobs of the writer.
 */

#define REFUSALS_MAX 1000

START_TEST(refusals_that_wait_are_bounded)
{
	struct registration_jobs_config jobs = { .presented = NULL };
	struct registration_jobs *r;
	struct registrations port;
	struct refusal refusal = { .code = view_of("CODE") };
	struct certid id = world_id(device);
	struct txn t;

	world_put_cert(device, ca, CERT_INACTIVE);
	world_start_writer(2 * REFUSALS_MAX, 100);
	jobs.writer = world.writer;
	ck_assert_int_eq(registration_jobs_open(&jobs, &r), ERR_OK);
	port = registration_jobs_port(r);
	world_hold_writer();
	for (int i = 0; i < REFUSALS_MAX; i++)
		ck_assert_int_eq(port.refused(port.context, &id, &refusal), ERR_OK);
	ck_assert_int_eq(port.refused(port.context, &id, &refusal), ERR_BUSY);
	world_release_writer();
	ck_assert_int_eq(port.refused(port.context, &id, &refusal), ERR_OK);
	world_stop_writer();
	ck_assert_int_eq(store_read(world.store, &t), ERR_OK);
	ck_assert_int_eq(store_get_refusal(&t, &id, &refusal), ERR_OK);
	ck_assert_int_gt(refusal.time, 0);
	store_end(&t);
	registration_jobs_close(r);
}
END_TEST

/* The first one has no encoding. */
START_TEST(what_the_jobs_cannot_take_is_an_error)
{
	static const uint8_t text[REFUSAL_TEXT_MAX + 1];
	struct registration_jobs_config jobs = { .presented = NULL };
	struct presentation p = { .client_id = { text, sizeof(text) } };
	struct refusal refusal = { .details = { text, sizeof(text) } };
	struct registration_jobs *r;
	struct registrations port;

	world_start_writer(1, 1);
	jobs.writer = world.writer;
	ck_assert_int_eq(registration_jobs_open(&jobs, &r), ERR_OK);
	port = registration_jobs_port(r);
	ck_assert_int_eq(port.present(port.context, 1, &p), ERR_LIMIT);
	ck_assert_int_eq(port.refused(port.context, &p.ca_id, &refusal), ERR_LIMIT);
	world_hold_writer();
	p.client_id.len = refusal.details.len = 0;
	ck_assert_int_eq(port.present(port.context, 1, &p), ERR_BUSY);
	ck_assert_int_eq(port.refused(port.context, &p.ca_id, &refusal), ERR_BUSY);
	world_release_writer();
	world_stop_writer();
	registration_jobs_close(r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("registrations");
	TCase *t = suite_case(suite, "rule");

	tcase_add_checked_fixture(t, set_up_rule, gates_close);
	tcase_add_test(t, a_presentation_has_all_that_the_registration_needs);
	tcase_add_test(t, each_presentation_has_a_number_of_its_own);
	tcase_add_test(t, a_presentation_that_is_not_taken_lets_no_client_in);
	tcase_add_test(t, a_second_completion_is_ignored);
	tcase_add_loop_test(t, a_completion_after_the_session_left, 0, 2);
	tcase_add_test(t, the_plan_of_another_connection_is_not_ended);
	tcase_add_loop_test(t, a_client_whose_registration_is_lost_is_judged_by_the_registry, 0, 2);
	tcase_add_test(t, a_silent_client_whose_registration_is_lost_is_closed);
	tcase_add_test(t, a_completion_after_the_loss_is_ignored);
	tcase_add_test(t, all_that_is_lost_is_one_line);
	tcase_add_test(t, the_reason_of_a_loss_does_not_outlast_it);
	tcase_add_test(t, a_loss_of_a_client_that_left_ends_its_rights);
	t = suite_case(suite, "no rule");
	tcase_add_checked_fixture(t, set_up, gates_close);
	tcase_add_test(t, a_refusal_is_sent_for_the_record);
	tcase_add_test(t, a_number_that_is_not_under_way_is_ignored);
	tcase_add_test(t, a_registration_without_a_plan_is_lost_too);
	tcase_add_test(t, refusals_that_wait_are_bounded);
	tcase_add_test(t, what_the_jobs_cannot_take_is_an_error);
	return suite_run(suite);
}
