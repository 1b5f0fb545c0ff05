/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * request_private.h - a request and its stages, shared by the request*.c files.
 *
 *   request.c          the functions of request.h: a message becomes a request or is refused
 *   request_slice.c    which request goes on next, and for how long; jobs of the writer
 *   request_read.c     bytes become commands; rights of the caller
 *   request_answer.c   results become an answer; the bytes sent are charged to the caller
 *   request_run.c      runs of commands: the changes of one job, or commands that read
 *   request_log.c      lines of the log
 *   request_memory.c   a request is made and freed; the bytes that requests hold
 *
 * Each calls only files below it.  The registrar's thread.
 */
#ifndef JITR_REQUEST_PRIVATE_H
#define JITR_REQUEST_PRIVATE_H

#include "jitr/registrar/ca_mirror.h"
#include "jitr/registrar/request.h"
#include "jitr/registrar/writer.h"
#include "jitr/core/rate.h"
#include "jitr/service/caller_rights.h"

#include "budget.h"
#include "command.h"
#include "upload.h"

/* The budget of one user or certificate with rights.  Callers with the same hash share
 * one. */
struct allowance {
	struct bucket answers; /* bytes that it may be sent */
	size_t held;           /* bytes of its requests that are not answered yet */
};

struct api {
	struct api_config config;
	struct account account;
	struct action_names actions;
	struct ca_mirror *mirror; /* owned, as the next */
	struct uploads *uploads;

	struct request *waiting; /* for a slice, in the order of their arrival */
	bool running;            /* a slice */
	uint64_t last_hash;      /* of the caller that had the last slice */
	uint64_t seed;           /* of the hashes of callers */
	size_t held;             /* bytes of all requests that are not answered yet */
	struct bucket slice_time, answer_bytes;
	struct allowance allowances[CALLERS_MAX];
	struct lines lines;
};

/*
 * The stages of a request, the function that each one calls, and the next stage:
 *
 *   UNREAD      request_read()        PREPARING
 *                                     OPEN        refused: one command carries the error
 *                                     DONE        refused, and no memory for that command
 *   PREPARING   request_prepare()     PREPARING   more commands follow
 *                                     OPEN        that was the last one
 *   OPEN        request_begin_run()   AT_WRITER   changes
 *                                     RESPONDING  commands that read; changes that the writer's queue had no room for
 *                                     DONE        no more commands follow
 *   AT_WRITER   request_finish_run()  RESPONDING
 *                                     OPEN        several changes could not be committed: each alone now
 *   RESPONDING  request_respond()     RESPONDING  more commands of the run follow, or the rest of this one
 *                                     OPEN        that was the last one
 *   DONE        request_answer()      freed
 */
enum request_stage {
	REQUEST_UNREAD,     /* it has its bytes */
	REQUEST_PREPARING,  /* commands are parsed, authorized and prepared one by one */
	REQUEST_OPEN,       /* the next run of commands is to begin */
	REQUEST_AT_WRITER,  /* a run of changes is a job; the request is not in the list */
	REQUEST_RESPONDING, /* a run is done; its results are added to the answer one by one */
	REQUEST_DONE,
};

/* Commands are carried out in runs: changes that follow one another are one job of the
 * writer. */
struct request {
	struct job job; /* first: a job is cast to its request */
	struct api *api;
	struct request *next; /* in api->waiting */
	enum request_stage stage;
	uint64_t number;            /* for its answer */
	struct caller_facts caller; /* its texts are: */
	char *client_id, *user_name, *address;
	struct caller_rights rights; /* of the caller, until all commands are prepared */
	uint64_t hash;               /* of the user or certificate: its allowance */
	struct command_context context;
	char *response_topic;
	uint8_t *payload; /* until it is read; NULL also if it is too large */
	size_t payload_len, held;
	struct budget budget;
	int64_t used_us; /* of the registrar's thread */

	cJSON *json;  /* the texts of commands point into it */
	char *answer; /* so far, without its end */
	size_t answer_len, answer_size;
	bool answer_lost;   /* no memory for a part of it */
	bool denial_logged; /* only the first one of a request is */
	bool changes_ca;    /* the present run does */
	bool singly;        /* a run of several changes could not be committed */
	enum err mirror_result;
	struct diag mirror_diag;
	size_t prepared, done, end; /* commands; the present run is from done to before end */
	size_t count;
	struct command *commands;
};

/* request_memory.c: NULL, no memory.  Texts and payload are copied, without the payload if it
 * is longer than REQUEST_MAX. */
struct request *request_new(struct api *a, const struct control_request *request);
void request_free(struct request *r); /* NULL is fine */

/* The user name, a certificateId for a client with a certificate, else the client id: all
 * connections of one user or certificate share its allowance. */
uint64_t caller_hash_of(const struct api *a, const struct caller_facts *c);
struct allowance *allowance_find(struct api *a, uint64_t hash);

/* Bytes count against REQUESTS_HELD_MAX until the request is freed.  request_size(): of a
 * request that is not read yet. */
size_t request_size(size_t payload_len, const char *response_topic);
void request_hold(struct request *r, size_t bytes);

/* request_slice.c: to the end of the list; waiting requests go on for one slice. */
void request_queue(struct request *r);
void requests_run(struct api *a);

/* request_read.c: see the stages. */
void request_read(struct request *r);
void request_prepare(struct request *r);

/* request_run.c: see the stages.  request_begin_run(): true, the run is to be submitted to
 * the writer.  request_reject_run(): the writer's queue has no room for it. */
bool request_begin_run(struct request *r);
void request_reject_run(struct request *r, enum err e);
void request_finish_run(struct request *r);

/* As job_type.run and committed. */
enum err request_run(struct txn *t, struct request *r, int64_t now);
void request_committed(struct request *r);

/* The request has used REQUEST_TIME_MAX_US: what has not begun is refused. */
bool request_is_late(const struct request *r);
void command_set_late(struct command *c);

/* request_answer.c: one command of the run, or a part of it; then the whole. */
void request_respond(struct request *r);
void request_answer(struct request *r);

/* May more bytes be sent now: to this caller; to all? */
bool allowance_has_room(struct api *a, uint64_t hash, int64_t now);
bool answers_have_room(struct api *a, int64_t now);

/* request_log.c: one line for each change of a request. */
void changes_log(const struct request *r);

/* A command that policies do not allow.  Only some have a line (rate.h): suppressed_log()
 * logs the number of the others. */
void denied_log(struct request *r, const char *command);
void suppressed_log(struct api *a);

/* A policy that the judge of the api found to be unusable. */
void unusable_log(struct api *a);

#endif
