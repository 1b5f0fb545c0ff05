/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_run.c - see request_private.h. */
#include "audit.h"
#include "request_private.h"

bool
request_is_late(const struct request *r)
{
	return r->used_us > REQUEST_TIME_MAX_US;
}

void
command_set_late(struct command *c)
{
	c->result = ERR_LIMIT;
	diag_set(&c->diag, "The request takes too long: ask for less at a time");
}

static bool
command_is_change(const struct command *c)
{
	return c->result == ERR_OK && c->type != NULL && c->type->run != NULL && !c->complete;
}

/* An import takes many transactions and is a run by itself, so that the gate is told at
 * once. */
static bool
run_includes(const struct request *r, const struct command *c)
{
	const struct command *first = &r->commands[r->done];

	return !r->singly && command_is_change(c) == command_is_change(first) &&
	    first->import == NULL && c->import == NULL;
}

enum err
request_run(struct txn *t, struct request *r, int64_t now)
{
	struct audit_state before;

	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		if (i > r->done)
			store_next_step(t);
		audit_look(t, c, &before);
		c->now = now;
		c->result = c->type->run(t, c);
		audit_compare(t, c, &before);
		r->changes_ca |= c->result == ERR_OK && c->type->changed == RESOURCE_CA;
	}
	return t->failed;
}

void
request_committed(struct request *r)
{
	struct command *first = &r->commands[r->done];

	r->job.again = first->import != NULL && first->result == ERR_OK &&
	    crl_import_committed(first->import);
	if (r->changes_ca)
		r->mirror_result = ca_mirror_sync(r->api->mirror, &r->mirror_diag);
}

/* The changes were not committed, or not submitted: none of them was made. */
static void
run_fail(struct request *r, enum err e, const char *why)
{
	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		if (c->result != ERR_OK)
			continue;
		c->result = e;
		diag_set(&c->diag, "%s%s%s", err_text(e), why != NULL ? ": " : "",
		    why != NULL ? why : "");
	}
}

static void
run_conclude(struct request *r)
{
	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		if (c->result == ERR_OK)
			command_notify(c);
		command_conclude(c);
	}
}

static void
mirror_update(struct request *r)
{
	ca_mirror_synced(r->api->mirror, r->mirror_result, &r->mirror_diag);
	crls_settings_changed(r->api->config.crls);
}

/* One change that finds no room in the registry must not fail the others of its run. */
static void
run_again_singly(struct request *r)
{
	for (size_t i = r->done; i < r->end; i++) {
		r->commands[i].result = ERR_OK;
		r->commands[i].diag.text[0] = '\0';
	}
	r->singly = true;
	r->stage = REQUEST_OPEN;
}

void
request_finish_run(struct request *r)
{
	const struct job *job = &r->job;

	if (job->result == ERR_STORAGE && r->end - r->done > 1) {
		run_again_singly(r);
		return;
	}
	if (job->result != ERR_OK)
		run_fail(r, job->result, job->failure);
	else if (r->changes_ca)
		mirror_update(r);
	run_conclude(r);
	r->stage = REQUEST_RESPONDING;
}

void
request_reject_run(struct request *r, enum err e)
{
	run_fail(r, e, "the queue of changes is full");
	run_conclude(r);
	r->stage = REQUEST_RESPONDING;
}

/* Commands that have not begun are not carried out any more. */
static void
commands_stop(struct request *r)
{
	for (size_t i = r->done; i < r->count; i++) {
		struct command *c = &r->commands[i];

		if (c->result != ERR_OK || c->complete)
			continue;
		command_set_late(c);
		command_conclude(c);
	}
}

bool
request_begin_run(struct request *r)
{
	if (request_is_late(r))
		commands_stop(r);
	if (r->done == r->count) {
		r->stage = REQUEST_DONE;
		return false;
	}
	r->end = r->done + 1;
	while (r->end < r->count && run_includes(r, &r->commands[r->end]))
		r->end++;
	r->changes_ca = false;
	if (command_is_change(&r->commands[r->done]))
		return true;
	r->stage = REQUEST_RESPONDING;
	return false;
}
