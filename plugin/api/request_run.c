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
	return c->result == ERR_OK && c->type != NULL && c->type->change != NULL && !c->prepared;
}

/* An import takes many transactions and is a run by itself: the gate is told of what
 * is committed at once. */
static bool
run_includes(const struct request *r, const struct command *c)
{
	const struct command *first = &r->commands[r->done];

	return !r->alone && command_is_change(c) == command_is_change(first) &&
	    first->import == NULL && c->import == NULL;
}

static enum err
job_run(struct txn *t, struct job *job, int64_t now)
{
	struct request *r = (struct request *)job;
	struct audit_state before;

	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		if (i > r->done)
			store_next_step(t);
		audit_look(t, c, &before);
		c->result = c->type->change(t, c, now);
		audit_compare(t, c, &before);
		r->changes_ca |= c->result == ERR_OK && c->type->changed == RESOURCE_CA;
	}
	return t->failed;
}

static void
job_committed(struct job *job)
{
	struct request *r = (struct request *)job;
	struct command *first = &r->commands[r->done];

	job->again = first->import != NULL && first->result == ERR_OK &&
	    crl_import_committed(first->import);
	if (r->changes_ca)
		r->mirror_result = ca_mirror_sync(r->api->mirror, &r->mirror_diag);
}

/* Changes that were not committed, or did not fit into the queue, were not made. */
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

/* The gate and the commands are told of the outcome. */
static void
run_conclude(struct request *r)
{
	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		if (c->result == ERR_OK)
			command_notify(c, r->api->config.gate);
		command_conclude(c);
	}
}

static void
mirror_update(struct request *r)
{
	ca_mirror_synced(r->api->mirror, r->mirror_result, &r->mirror_diag);
	crls_settings_changed(r->api->config.crls);
}

/* Commands stand alone: one that finds no room in the registry must not fail those
 * that need none. */
static void
run_again_singly(struct request *r)
{
	for (size_t i = r->done; i < r->end; i++) {
		r->commands[i].result = ERR_OK;
		r->commands[i].diag.text[0] = '\0';
	}
	r->alone = true;
	r->stage = REQUEST_OPEN;
	request_queue(r);
	requests_run(r->api);
}

static void
job_finish(struct job *job)
{
	struct request *r = (struct request *)job;

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
	request_queue(r);
	requests_run(r->api);
}

static const struct job_type request_type = { "request", false, job_run, job_committed,
	job_finish };

static void
run_submit(struct request *r)
{
	enum err e;

	r->job = (struct job){ .type = &request_type };
	r->changes_ca = false;
	e = writer_submit(r->api->config.writer, &r->job);
	r->stage = e == ERR_OK ? REQUEST_AT_WRITER : REQUEST_RESPONDING;
	if (e == ERR_OK)
		return;
	run_fail(r, e, "the changes that wait fill the queue");
	run_conclude(r);
}

/* What has not begun is not carried out any more. */
static void
commands_stop(struct request *r)
{
	for (size_t i = r->done; i < r->count; i++) {
		struct command *c = &r->commands[i];

		if (c->result != ERR_OK || c->prepared)
			continue;
		command_set_late(c);
		command_conclude(c);
	}
}

void
request_begin_run(struct request *r)
{
	if (request_is_late(r))
		commands_stop(r);
	if (r->done == r->count) {
		r->stage = REQUEST_DONE;
		return;
	}
	r->end = r->done + 1;
	while (r->end < r->count && run_includes(r, &r->commands[r->end]))
		r->end++;
	if (command_is_change(&r->commands[r->done]))
		run_submit(r);
	else
		r->stage = REQUEST_RESPONDING;
}
