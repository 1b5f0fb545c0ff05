/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * upload.c - see upload.h.
 *
 * One thread.
 */
#include "upload.h"

#include <stdlib.h>

#include "envelope.h"
#include "jitr/core/text.h"

/* A large list is stored in slices between the broker's other work, and every
 * certificate that it names is revoked. */
#define IMPORT_TIMEOUT_MS 120000

#define UPLOAD_ID_BYTES 16

struct upload {
	struct job *job;
	char id[2 * UPLOAD_ID_BYTES + 1]; /* common id of all parts */
	size_t parts;
};

MUST_USE static bool
add_position(const struct upload *u, cJSON *members, size_t nth)
{
	return u->parts == 1 ||
	    (cJSON_AddStringToObject(members, "uploadId", u->id) != NULL &&
		cJSON_AddNumberToObject(members, "part", (double)(nth + 1)) != NULL &&
		cJSON_AddNumberToObject(members, "parts", (double)u->parts) != NULL);
}

/* The members of the command, the position of the part, and the part. */
static cJSON *
part_members(const struct upload *u, size_t nth)
{
	cJSON *members = cJSON_Duplicate(u->job->members, true);
	char *part = crl_file_part(u->job->crl, nth);
	bool ok = part != NULL && add_position(u, members, nth) &&
	    cJSON_AddStringToObject(members, "crl", part) != NULL;

	free(part);
	if (ok)
		return members;
	cJSON_Delete(members);
	return NULL;
}

MUST_USE static enum status
send_part(const struct upload *u, size_t nth, cJSON **answer)
{
	struct job *j = u->job;
	cJSON *members = part_members(u, nth);
	enum status status;

	if (members == NULL)
		return job_fail("out of memory");
	if (nth + 1 == u->parts)
		client_set_timeout(j->client, IMPORT_TIMEOUT_MS);
	status = job_ask(j, j->arguments.command->operation, members, answer);
	cJSON_Delete(members);
	return status;
}

static void
show_progress(const struct upload *u, size_t sent)
{
	char what[40];
	struct text text = text_in(what, sizeof(what));

	text_addf(&text, "of %zu parts", u->parts);
	job_progress(u->job, what, sent);
}

enum status
upload_crl(struct job *j)
{
	struct upload u = { .job = j, .parts = crl_file_parts(j->crl) };
	enum status status = STATUS_DONE;
	cJSON *answer = NULL;

	if (!random_hex(u.id, UPLOAD_ID_BYTES))
		return job_fail("no random numbers");
	for (size_t nth = 0; nth < u.parts && status == STATUS_DONE; nth++) {
		cJSON_Delete(answer);
		answer = NULL;
		if (u.parts > 1)
			show_progress(&u, nth);
		status = send_part(&u, nth, &answer);
	}
	if (status == STATUS_DONE)
		status = job_show(j, answer_data(answer));
	cJSON_Delete(answer);
	return status;
}
