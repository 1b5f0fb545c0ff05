/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * job.c - see job.h.
 *
 * One thread.
 */
#include "job.h"

#include <stdlib.h>

#include "envelope.h"
#include "terminal.h"

const struct given *
job_given(const struct job *j, const char *name)
{
	return arguments_given(&j->arguments, name);
}

const char *
job_member(const struct job *j, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j->members, name));
}

static void
print_error(const char *text)
{
	(void)fputc('\n', stderr);
	print_shown(stderr, text);
	(void)fputc('\n', stderr);
}

static void
print_refusal(const char *operation, const cJSON *answer)
{
	const char *message = answer_message(answer);

	(void)fputs("\nAn error occurred (", stderr);
	print_shown(stderr, answer_error(answer));
	(void)fprintf(stderr, ") when calling the %s operation: ", operation);
	print_shown(stderr, message != NULL ? message : "");
	(void)fputc('\n', stderr);
}

MUST_USE static enum status
broker_unreachable(const struct job *j)
{
	terminal_progress_end();
	print_error(j->why.text);
	return STATUS_UNREACHABLE;
}

enum status
job_connect(struct job *j)
{
	j->client = client_open(j->options, &j->why);
	return j->client != NULL ? STATUS_DONE : broker_unreachable(j);
}

enum status
job_ask(struct job *j, const char *operation, const cJSON *members, cJSON **answer)
{
	*answer = client_ask(j->client, operation, members, &j->why);
	if (*answer == NULL)
		return broker_unreachable(j);
	if (answer_error(*answer) == NULL)
		return STATUS_DONE;
	terminal_progress_end();
	print_refusal(operation, *answer);
	cJSON_Delete(*answer);
	*answer = NULL;
	return STATUS_REFUSED;
}

enum status
job_fail(const char *why)
{
	terminal_progress_end();
	print_error(why);
	return STATUS_FAILED;
}

enum status
job_show(const struct job *j, const cJSON *data)
{
	terminal_progress_end();
	if (!print_answer(stdout, j->output, j->arguments.command->operation, data,
		terminal_width()))
		return job_fail("out of memory");
	return STATUS_DONE;
}

void
job_progress(const struct job *j, const char *what, size_t count)
{
	if (!j->options->quiet)
		terminal_progress(what, count);
}
