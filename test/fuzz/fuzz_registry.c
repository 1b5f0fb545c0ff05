/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_registry.c - sequences of commands, connections and crashes: after each step the
 * registry and the gate are what the model (model.h) says.
 *
 * A step is a letter of the table below and its digits; other characters are skipped:
 *
 *	A03 R01 C0 C0	CA 0 is registered (3: ACTIVE, registers), gets rule 1, and device 0
 *			connects twice
 */
#include <stdlib.h>
#include <string.h>

#include "registry_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#define STEPS_MAX 60
#define DAY_MS    INT64_C(86400000)

static struct model model;

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
same(enum err of_program, enum err of_model)
{
	require(of_program == of_model);
}

/*
 * CAs.
 */

static void
add_ca(int ca, int bits, int c)
{
	bool active = bits & 1, automatic = bits & 2;

	(void)c;
	same(program_add_ca(ca % CAS, active, automatic),
	    model_add_ca(&model, ca % CAS, active, automatic));
}

static void
update_ca(int ca, int what, int c)
{
	static const enum crl_check checks[] = { CRL_REQUIRED, CRL_GRACE, CRL_IF_PRESENT };

	(void)c;
	ca %= CAS;
	what %= 8;
	if (what < 2)
		same(program_set_ca_status(ca, what == 1),
		    model_set_ca_status(&model, ca, what == 1));
	else if (what < 4)
		same(program_set_automatic(ca, what == 3),
		    model_set_automatic(&model, ca, what == 3));
	else if (what == 4)
		same(program_remove_automatic(ca), model_remove_automatic(&model, ca));
	else
		same(program_set_check(ca, checks[what - 5], what == 6 ? 10 : 0),
		    model_set_check(&model, ca, checks[what - 5], what == 6 ? 10 : 0));
}

static void
remove_ca(int ca, int b, int c)
{
	(void)b;
	(void)c;
	same(program_remove_ca(ca % CAS), model_remove_ca(&model, ca % CAS));
}

static void
set_rule(int ca, int rule, int c)
{
	(void)c;
	same(program_set_rule(ca % CAS, rule % RULES),
	    model_set_rule(&model, ca % CAS, rule % RULES));
}

/* 0: none. */
static void
set_template(int ca, int template, int c)
{
	int n = template % (TEMPLATES + 1) - 1;

	(void)c;
	same(program_set_template(ca % CAS, n), model_set_template(&model, ca % CAS, n));
}

/* A bit for each device of the CA's key, of three of them. */
static void
import_list(int ca, int listed, int on_hold)
{
	static const unsigned contents[] = { 1u << 0, 1u << 2, 1u << 3, 1u << 5, 1u << 6, 1u << 7 };
	unsigned named = 0, held = 0;
	int64_t next_update;
	enum err e;

	ca %= CAS;
	for (int bit = 0; bit < 3; bit++) {
		unsigned content = contents[(ca == 1 ? 3 : 0) + bit];

		named |= listed & 1 << bit ? content : 0;
		held |= on_hold & 1 << bit ? content : 0;
	}
	e = program_import_list(ca, named, held, &next_update);
	same(e, model_import_list(&model, ca, named, held, next_update));
}

static void
remove_list(int ca, int b, int c)
{
	(void)b;
	(void)c;
	same(program_remove_list(ca % CAS), model_remove_list(&model, ca % CAS));
}

/*
 * Certificates and connections.
 */

static void
connect_device(int device, int b, int c)
{
	enum reason reason;
	enum verdict verdict;
	struct decision d;

	(void)b;
	(void)c;
	device %= DEVICES;
	program_disconnect(device);
	model_disconnect(&model, device);
	verdict = program_connect(device, &reason);
	d = model_connect(&model, device);
	require(verdict == d.verdict && reason == d.reason);
}

static void
disconnect_device(int device, int b, int c)
{
	(void)b;
	(void)c;
	program_disconnect(device % DEVICES);
	model_disconnect(&model, device % DEVICES);
}

static const enum cert_status statuses[] = { CERT_INACTIVE, CERT_ACTIVE, CERT_REVOKED,
	CERT_PENDING_ACTIVATION };

static void
add_cert(int device, int with_ca, int status)
{
	enum cert_status s = statuses[status % 4];

	device %= DEVICES;
	same(program_add_cert(device, with_ca & 1, s),
	    model_add_cert(&model, device, with_ca & 1, s));
}

static void
set_status(int device, int status, int c)
{
	enum cert_status s = statuses[status % 4];

	(void)c;
	device %= DEVICES;
	same(program_set_status(device, s), model_set_status(&model, device, s));
}

static void
remove_cert(int device, int force, int c)
{
	(void)c;
	device %= DEVICES;
	same(program_remove_cert(device, force & 1), model_remove_cert(&model, device, force & 1));
}

/*
 * Policies.
 */

static void
create_policy(int policy, int document, int c)
{
	(void)c;
	policy %= POLICIES;
	document %= DOCUMENTS;
	same(program_create_policy(policy, document),
	    model_create_policy(&model, policy, document));
}

static void
delete_policy(int policy, int b, int c)
{
	(void)b;
	(void)c;
	same(program_delete_policy(policy % POLICIES),
	    model_delete_policy(&model, policy % POLICIES));
}

static void
create_version(int policy, int document, int set_default)
{
	policy %= POLICIES;
	document %= DOCUMENTS;
	if (model.policy[policy].last_version == VERSIONS)
		return;
	same(program_create_version(policy, document, set_default & 1),
	    model_create_version(&model, policy, document, set_default & 1));
}

static void
set_default(int policy, int number, int c)
{
	unsigned n = (unsigned)number % (VERSIONS + 1);

	(void)c;
	policy %= POLICIES;
	same(program_set_default(policy, n), model_set_default(&model, policy, n));
}

static void
delete_version(int policy, int number, int c)
{
	unsigned n = (unsigned)number % (VERSIONS + 1);

	(void)c;
	policy %= POLICIES;
	same(program_delete_version(policy, n), model_delete_version(&model, policy, n));
}

static void
attach_policy(int policy, int device, int c)
{
	(void)c;
	policy %= POLICIES;
	device %= DEVICES;
	same(program_attach_policy(policy, device), model_attach_policy(&model, policy, device));
}

static void
detach_policy(int policy, int device, int c)
{
	(void)c;
	policy %= POLICIES;
	device %= DEVICES;
	same(program_detach_policy(policy, device), model_detach_policy(&model, policy, device));
}

/*
 * Things and templates.
 */

static void
create_thing(int thing, int typed, int c)
{
	(void)c;
	thing %= THINGS;
	same(program_create_thing(thing, typed & 1), model_create_thing(&model, thing, typed & 1));
}

static void
update_thing(int thing, int typed, int c)
{
	(void)c;
	thing %= THINGS;
	same(program_update_thing(thing, typed & 1), model_update_thing(&model, thing, typed & 1));
}

static void
delete_thing(int thing, int b, int c)
{
	(void)b;
	(void)c;
	same(program_delete_thing(thing % THINGS), model_delete_thing(&model, thing % THINGS));
}

static void
attach_thing(int thing, int device, int exclusive)
{
	enum principal_type type = exclusive & 1 ? PRINCIPAL_EXCLUSIVE : PRINCIPAL_NON_EXCLUSIVE;

	thing %= THINGS;
	device %= DEVICES;
	same(program_attach_thing(thing, device, type),
	    model_attach_thing(&model, thing, device, type));
}

static void
detach_thing(int thing, int device, int c)
{
	(void)c;
	thing %= THINGS;
	device %= DEVICES;
	same(program_detach_thing(thing, device), model_detach_thing(&model, thing, device));
}

static void
create_template(int template, int b, int c)
{
	(void)b;
	(void)c;
	template %= TEMPLATES;
	same(program_create_template(template), model_create_template(&model, template));
}

static void
enable_template(int template, int enabled, int c)
{
	(void)c;
	template %= TEMPLATES;
	same(program_enable_template(template, enabled & 1),
	    model_enable_template(&model, template, enabled & 1));
}

static void
delete_template(int template, int b, int c)
{
	(void)b;
	(void)c;
	template %= TEMPLATES;
	same(program_delete_template(template), model_delete_template(&model, template));
}

/*
 * Time.
 */

static void
wait_for(int which, int b, int c)
{
	static const int64_t times[] = { 999, 1000, 60000, 3600000, DAY_MS, 9 * DAY_MS, 31 * DAY_MS,
		61 * DAY_MS, 366 * DAY_MS };

	(void)b;
	(void)c;
	program_wait(times[which % (int)COUNT_OF(times)]);
	model.now = program_now();
}

/* What the program does every now and then. */
static void
keep_schedule(int a, int b, int c)
{
	(void)a;
	(void)b;
	(void)c;
	program_retire();
	model_retire(&model);
	program_announce_expiring(program_now() + 10 * DAY_MS);
	model_announce_expiring(&model, program_now() + 10 * DAY_MS);
}

static void
publish(int count, int b, int c)
{
	(void)b;
	(void)c;
	program_publish((size_t)count % 10);
	model_publish(&model, (size_t)count % 10);
}

static void
crash(int a, int b, int c)
{
	(void)a;
	(void)b;
	(void)c;
	program_crash();
	model_crash(&model);
}

static const struct {
	char letter;
	int digits;
	void (*run)(int a, int b, int c);
} steps[] = {
	{ 'A', 2, add_ca },            /* CA, 1 ACTIVE + 2 registers */
	{ 'U', 2, update_ca },         /* CA, what */
	{ 'D', 1, remove_ca },         /* CA */
	{ 'R', 2, set_rule },          /* CA, rule */
	{ 'T', 2, set_template },      /* CA, template + 1 */
	{ 'L', 3, import_list },       /* CA, bits of devices: listed, on hold */
	{ 'l', 1, remove_list },       /* CA */
	{ 'C', 1, connect_device },    /* device */
	{ 'c', 1, disconnect_device }, /* device */
	{ 'E', 3, add_cert },          /* device, with CA, status */
	{ 'S', 2, set_status },        /* device, status */
	{ 'X', 2, remove_cert },       /* device, force */
	{ 'P', 2, create_policy },     /* policy, document */
	{ 'p', 1, delete_policy },     /* policy */
	{ 'V', 3, create_version },    /* policy, document, default */
	{ 'd', 2, set_default },       /* policy, version */
	{ 'v', 2, delete_version },    /* policy, version */
	{ 'a', 2, attach_policy },     /* policy, device */
	{ 'b', 2, detach_policy },     /* policy, device */
	{ 'H', 2, create_thing },      /* thing, typed */
	{ 'u', 2, update_thing },      /* thing, typed */
	{ 'h', 1, delete_thing },      /* thing */
	{ 'j', 3, attach_thing },      /* thing, device, exclusive */
	{ 'k', 2, detach_thing },      /* thing, device */
	{ 'M', 1, create_template },   /* template */
	{ 'n', 2, enable_template },   /* template, enabled */
	{ 'm', 1, delete_template },   /* template */
	{ 'W', 1, wait_for },          /* how long */
	{ 'G', 0, keep_schedule },     /* */
	{ 'B', 1, publish },           /* events */
	{ 'Z', 0, crash },             /* */
};

/* A letter and its digits. */
#define STEP_SIZE 4

static int
find_step(char letter)
{
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (steps[i].letter == letter)
			return (int)i;
	return NONE;
}

/* Takes the next step off rest, without digits that are missing; false: there is none. */
static bool
take_step(struct view *rest, char out[STEP_SIZE])
{
	int which = NONE;

	memset(out, '0', STEP_SIZE);
	while (rest->len > 0 && which == NONE) {
		out[0] = (char)rest->data[0];
		which = find_step(out[0]);
		*rest = view_from(*rest, 1);
	}
	for (int n = 0; which != NONE && n < steps[which].digits && rest->len > 0; n++) {
		out[1 + n] = (char)rest->data[0];
		*rest = view_from(*rest, 1);
	}
	return which != NONE;
}

static int
number_of(char digit)
{
	return (uint8_t)(digit - '0');
}

static void
finish_step(void)
{
	program_tick();
	model_close_connections(&model);
	program_compare(&model);
	program_wait(1);
	model.now = program_now();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = { data, size };
	char step[STEP_SIZE];

	program_begin();
	model_begin(&model, program_world(), program_now());
	for (size_t count = 0; count < STEPS_MAX && take_step(&rest, step); count++) {
		steps[find_step(step[0])].run(number_of(step[1]), number_of(step[2]),
		    number_of(step[3]));
		finish_step();
	}
	program_end();
	return 0;
}

/*
 * Changes of an input: steps are added, removed, moved or get another digit.
 */

struct sequence {
	size_t count;
	char step[STEPS_MAX][STEP_SIZE];
};

static unsigned
next_random(unsigned *seed, size_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (unsigned)((*seed >> 8) % below);
}

static void
make_step(char step[STEP_SIZE], unsigned *seed)
{
	step[0] = steps[next_random(seed, COUNT_OF(steps))].letter;
	for (int n = 1; n < STEP_SIZE; n++)
		step[n] = (char)('0' + next_random(seed, 10));
}

/* A new step, or a copy of another. */
static void
insert_step(struct sequence *s, unsigned *seed)
{
	size_t at = next_random(seed, s->count + 1);
	char step[STEP_SIZE];

	if (s->count == STEPS_MAX)
		return;
	make_step(step, seed);
	if (s->count > 0 && next_random(seed, 4) == 0)
		memcpy(step, s->step[next_random(seed, s->count)], STEP_SIZE);
	memmove(s->step[at + 1], s->step[at], (s->count - at) * STEP_SIZE);
	memcpy(s->step[at], step, STEP_SIZE);
	s->count++;
}

static void
remove_step(struct sequence *s, size_t at)
{
	s->count--;
	memmove(s->step[at], s->step[at + 1], (s->count - at) * STEP_SIZE);
}

static void
change_sequence(struct sequence *s, unsigned *seed)
{
	size_t at = s->count > 0 ? next_random(seed, s->count) : 0;
	unsigned how = s->count > 0 ? next_random(seed, 8) : 0;

	if (how < 4)
		insert_step(s, seed);
	else if (how < 6)
		s->step[at][1 + next_random(seed, 3)] = (char)('0' + next_random(seed, 10));
	else if (how == 6)
		make_step(s->step[at], seed);
	else
		remove_step(s, at);
}

static size_t
write_sequence(const struct sequence *s, uint8_t *data, size_t max_size)
{
	size_t len = 0;

	for (size_t i = 0; i < s->count; i++) {
		size_t size = 1 + (size_t)steps[find_step(s->step[i][0])].digits;

		if (len + size + 1 > max_size)
			break;
		memcpy(data + len, s->step[i], size);
		len += size;
		data[len++] = ' ';
	}
	return len;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct view rest = { data, size };
	struct sequence s = { .count = 0 };

	while (s.count < STEPS_MAX && take_step(&rest, s.step[s.count]))
		s.count++;
	for (unsigned n = 1 + next_random(&seed, 4); n > 0; n--)
		change_sequence(&s, &seed);
	return write_sequence(&s, data, max_size);
}
