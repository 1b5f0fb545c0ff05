/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_writer.c - the writer, on a thread of its own and in a loop, on a store of ten lines.
 *
 * Order, group commit, long jobs, back-pressure, failures and the end (writer.h).  A commit of
 * the store waits for the test where the order matters; no test waits for time to pass.  Most
 * tests are run twice, with the thread and in a loop with a clock of its own.  Also run under
 * ThreadSanitizer.
 */
#include <pthread.h>
#include <semaphore.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "jitr/service/writer.h"
#include "suite.h"

/*
 * The store of ten lines.  Writer thread, but for what is set before a start
 * and read after a stop, and the semaphores.
 */

struct store {
	bool held; /* each commit waits for a pass */
	sem_t entered, pass;
	unsigned commits;
	enum err begin, commit; /* the results of store_write() and store_commit() */
	unsigned fails_at;      /* this commit fails, counted from 1; 0: none */
	bool changed;
	int64_t takes_us; /* each commit */
	int64_t clock_us;
};

static struct store store;
static pthread_t broker_thread;

/* Without a thread: the test turns the loop. */
static bool in_loop, in_turn;
static int64_t loop_ms; /* the clock of the loop */

/* For the writer time passes only in commits. */
int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (clock != CLOCK_MONOTONIC || store.takes_us == 0 ||
	    (pthread_equal(pthread_self(), broker_thread) && !in_turn))
		return (int)syscall(SYS_clock_gettime, clock, ts);
	ts->tv_sec = (time_t)(store.clock_us / 1000000);
	ts->tv_nsec = (long)(store.clock_us % 1000000) * 1000;
	return 0;
}

enum err
store_write(struct store *s, struct txn *t)
{
	*t = (struct txn){ .store = s, .writing = true };
	return s->begin;
}

enum err
store_commit(struct txn *t)
{
	struct store *s = t->store;

	s->commits++;
	s->clock_us += s->takes_us;
	if (s->held && !in_loop) {
		sem_post(&s->entered);
		sem_wait(&s->pass);
	}
	if (s->commits == s->fails_at)
		return ERR_STORAGE;
	return t->failed != ERR_OK ? t->failed : s->commit;
}

bool
store_changed(const struct store *s)
{
	return s->changed;
}

const char *
store_failure(const struct store *s)
{
	(void)s;
	return "No space left on device";
}

/*
 * A job that counts what happens to it.
 */

struct counted {
	struct job job;
	unsigned nth;
	enum err answer; /* of run */
	enum err sticks; /* to the transaction: no room for this one */
	unsigned ran, committed, commits_before;
	int64_t now;
	unsigned chain; /* finish submits another one, so many times */
	unsigned parts; /* parts after this one */
	unsigned parts_of_next;
};

static struct {
	struct writer *writer;
	unsigned finished, ran, committed, failed;
	unsigned chained;
	struct counted last;
	bool signals_open;
} seen;

static struct counted *counted_new(unsigned nth);

static enum err
counted_run(struct txn *t, struct job *job, int64_t now)
{
	struct counted *c = (struct counted *)job;
	sigset_t blocked;

	must(t->store == &store);
	/* After the end of the thread writer_stop() runs the jobs that finishers submit. */
	must(in_loop || !pthread_equal(pthread_self(), broker_thread) || seen.chained > 0);
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	if (sigismember(&blocked, SIGHUP) != 1 || sigismember(&blocked, SIGTERM) != 1 ||
	    sigismember(&blocked, SIGUSR1) != 1)
		seen.signals_open = true;
	c->ran++;
	c->now = now;
	if (t->failed == ERR_OK)
		t->failed = c->sticks;
	return c->answer;
}

static void
counted_committed(struct job *job)
{
	struct counted *c = (struct counted *)job;

	c->committed++;
	c->commits_before = store.commits;
	must(job->result == ERR_OK && !job->again);
	job->again = c->parts > 0;
	c->parts -= c->parts > 0;
}

static void
counted_finish(struct job *job)
{
	struct counted *c = (struct counted *)job;

	must(pthread_equal(pthread_self(), broker_thread));
	must(c->nth == seen.finished); /* in the expected order */
	must(!job->again);
	seen.finished++;
	seen.ran += c->ran;
	seen.committed += c->committed;
	seen.failed += job->result != ERR_OK;
	seen.last = *c;
	if (c->chain > 0) {
		struct counted *next = counted_new(c->nth + 1);

		next->chain = c->chain - 1;
		next->parts = c->parts_of_next;
		seen.chained++;
		must(writer_submit(seen.writer, &next->job) == ERR_OK);
	}
	free(c);
}

static const struct job_type counted_type = { "counted", false, counted_run, counted_committed,
	counted_finish };
static const struct job_type deferrable_type = { "deferrable", true, counted_run, counted_committed,
	counted_finish };

static struct counted *
counted_new(unsigned nth)
{
	struct counted *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->job.type = &counted_type;
	c->nth = nth;
	return c;
}

static void
submit(unsigned nth)
{
	must(writer_submit(seen.writer, &counted_new(nth)->job) == ERR_OK);
}

enum { ENDLESS = 1000000 }; /* parts */

/* A job with this many parts. */
static struct counted *
submit_long(unsigned nth, unsigned parts)
{
	struct counted *c = counted_new(nth);

	c->parts = parts - 1;
	must(writer_submit(seen.writer, &c->job) == ERR_OK);
	return c;
}

static enum err
try_to_submit(unsigned nth)
{
	struct counted *c = counted_new(nth);
	enum err e = writer_submit(seen.writer, &c->job);

	if (e != ERR_OK)
		free(c); /* the caller still owns it */
	return e;
}

static int64_t
clock_of_the_test(void)
{
	return 4711;
}

static void
start_gathering(size_t queue_max, size_t batch_max, int gather_ms)
{
	struct writer_config config = { .store = &store,
		.queue_max = queue_max,
		.batch_max = batch_max,
		.gather_ms = gather_ms,
		.now = clock_of_the_test };

	ck_assert_int_eq((in_loop ? writer_open : writer_start)(&config, &seen.writer), ERR_OK);
}

static void
start(size_t queue_max, size_t batch_max)
{
	start_gathering(queue_max, batch_max, 0);
}

static void
stop(void)
{
	writer_stop(seen.writer);
}

/* Sleeps in the loop until there is work. */
static void
turn(void)
{
	int64_t due = writer_due(seen.writer, loop_ms);

	must(due >= 0);
	loop_ms += due;
	in_turn = true;
	writer_turn(seen.writer);
	in_turn = false;
}

static void
go_on(void)
{
	if (in_loop)
		turn();
	else if (writer_collect(seen.writer, SIZE_MAX) == 0)
		sched_yield();
}

static void
collect_until(unsigned finished)
{
	while (seen.finished < finished)
		go_on();
}

static void
set_up(void)
{
	in_loop = false;
	loop_ms = 0;
	memset(&store, 0, sizeof(store));
	memset(&seen, 0, sizeof(seen));
	broker_thread = pthread_self();
	sem_init(&store.entered, 0, 0);
	sem_init(&store.pass, 0, 0);
}

static void
set_up_loop(void)
{
	set_up();
	in_loop = true;
}

/* The writer is in a commit and stays there until let_go().  In a loop nothing happens during
 * a commit: it is over. */
static void
hold_in_commit(void)
{
	if (in_loop)
		turn();
	else
		sem_wait(&store.entered);
}

static void
let_go(unsigned commits)
{
	while (commits-- > 0)
		sem_post(&store.pass);
}

/*
 * Order.
 */

START_TEST(every_job_is_run_and_finished_once_in_the_order_of_submission)
{
	unsigned submitted = 0;

	start(64, 16);
	while (submitted < 20000) {
		if (try_to_submit(submitted) == ERR_OK)
			submitted++;
		else
			go_on();
	}
	stop();
	ck_assert_uint_eq(seen.finished, submitted);
	ck_assert_uint_eq(seen.ran, submitted);
	ck_assert_uint_eq(seen.committed, submitted);
	ck_assert_uint_eq(seen.failed, 0);
}
END_TEST

START_TEST(a_job_gets_the_time_of_its_batch)
{
	start(4, 4);
	submit(0);
	collect_until(1);
	ck_assert_int_eq(seen.last.now, 4711);
	stop();
}
END_TEST

/* Called on the writer's thread; the job can be collected by then. */
static void
note_done(void *context)
{
	must(!pthread_equal(pthread_self(), broker_thread));
	sem_post(context);
}

START_TEST(the_owner_is_notified_of_finished_jobs)
{
	sem_t done;
	struct writer_config config = { .store = &store,
		.queue_max = 4,
		.batch_max = 4,
		.now = clock_of_the_test,
		.done = note_done,
		.done_context = &done };

	sem_init(&done, 0, 0);
	ck_assert_int_eq(writer_start(&config, &seen.writer), ERR_OK);
	for (unsigned n = 0; n < 3; n++) {
		submit(n);
		sem_wait(&done);
		ck_assert_uint_eq(writer_collect(seen.writer, SIZE_MAX), 1);
	}
	stop();
}
END_TEST

static size_t
collect_some(size_t max)
{
	size_t n;

	while ((n = writer_collect(seen.writer, max)) == 0)
		sched_yield();
	return n;
}

START_TEST(the_number_of_jobs_finished_at_once_is_limited)
{
	store.held = true;
	start(10, 10);
	submit(0);
	hold_in_commit();
	for (unsigned i = 1; i < 5; i++)
		submit(i);
	let_go(1);
	ck_assert_uint_eq(collect_some(3), 1);
	let_go(1);
	ck_assert_uint_eq(collect_some(3), 3); /* the four are done at the same moment */
	ck_assert_uint_eq(collect_some(3), 1);
	ck_assert_uint_eq(writer_collect(seen.writer, 3), 0);
	stop();
}
END_TEST

/*
 * Group commit.
 */

START_TEST(jobs_submitted_during_a_commit_are_one_batch)
{
	store.held = true;
	start(1000, 512);
	submit(0);
	hold_in_commit();
	for (unsigned i = 1; i <= 100; i++)
		submit(i);
	let_go(2);
	collect_until(101);
	stop();
	ck_assert_uint_eq(store.commits, 2);
}
END_TEST

START_TEST(the_size_of_a_batch_is_limited)
{
	store.held = true;
	start(1000, 10);
	submit(0);
	hold_in_commit();
	for (unsigned i = 1; i <= 25; i++)
		submit(i);
	let_go(4);
	collect_until(26);
	stop();
	ck_assert_uint_eq(store.commits, 1 + 3);
}
END_TEST

enum { FOR_EVER = 3600 * 1000 }; /* ms: longer than any test */

START_TEST(the_first_job_of_a_batch_waits_for_others)
{
	start_gathering(10, 10, 20);
	submit(0);
	submit(1);
	collect_until(2);
	stop();
	ck_assert_uint_eq(seen.committed, 2);
	ck_assert_uint_le(store.commits, 2);
}
END_TEST

START_TEST(a_full_batch_does_not_wait)
{
	start_gathering(10, 3, FOR_EVER);
	for (unsigned i = 0; i < 3; i++)
		submit(i);
	collect_until(3);
	stop();
	ck_assert_uint_eq(store.commits, 1);
	ck_assert_int_eq(loop_ms, 0);
}
END_TEST

START_TEST(stopping_does_not_wait_for_more_jobs)
{
	start_gathering(10, 10, FOR_EVER);
	for (unsigned i = 0; i < 3; i++)
		submit(i);
	stop();
	ck_assert_uint_eq(seen.committed, 3);
	ck_assert_uint_eq(store.commits, 1);
}
END_TEST

/*
 * Back-pressure.
 */

/* Running jobs and jobs that wait to be finished count too: memory is bounded even while the
 * broker's loop is busy. */
START_TEST(a_full_queue_refuses_until_jobs_are_finished)
{
	store.held = true;
	start(4, 1);
	submit(0);
	hold_in_commit();
	for (unsigned i = 1; i < 4; i++)
		submit(i);
	ck_assert_int_eq(try_to_submit(4), ERR_BUSY);
	ck_assert_int_eq(try_to_submit(4), ERR_BUSY);
	let_go(4);
	ck_assert_int_eq(try_to_submit(4), ERR_BUSY);
	collect_until(4);
	let_go(1);
	ck_assert_int_eq(try_to_submit(4), ERR_OK);
	collect_until(5);
	stop();
	ck_assert_uint_eq(seen.ran, 5);
}
END_TEST

/*
 * Long jobs.
 */

START_TEST(a_long_job_is_run_until_it_is_done_and_finished_once)
{
	start(10, 10);
	submit_long(0, 1000);
	collect_until(1);
	stop();
	ck_assert_uint_eq(seen.finished, 1);
	ck_assert_uint_eq(seen.ran, 1000);
	ck_assert_uint_eq(seen.committed, 1000);
	ck_assert_uint_eq(store.commits, 1000);
	ck_assert_int_eq(seen.last.job.result, ERR_OK);
}
END_TEST

START_TEST(new_jobs_run_before_the_rest_of_a_long_job)
{
	store.held = true;
	start(10, 1);
	submit_long(3, 3);
	hold_in_commit();
	for (unsigned i = 0; i < 3; i++)
		submit(i);
	let_go(1 + 3); /* its first part, and the others */
	collect_until(3);
	let_go(2);
	collect_until(4);
	stop();
	ck_assert_uint_eq(seen.last.ran, 3);
}
END_TEST

START_TEST(long_jobs_take_turns)
{
	store.held = true;
	start(10, 1);
	submit_long(1, 3);
	hold_in_commit();
	submit_long(0, 2);
	let_go(5);
	collect_until(2);
	stop();
	ck_assert_uint_eq(seen.ran, 3 + 2);
}
END_TEST

/* The next part would wait for ever for others. */
START_TEST(there_is_no_wait_between_the_parts_of_a_long_job)
{
	start_gathering(10, 2, FOR_EVER);
	submit(0);
	submit_long(1, 5);
	collect_until(2);
	stop();
	ck_assert_uint_eq(store.commits, 5);
	ck_assert_int_eq(loop_ms, 0);
}
END_TEST

START_TEST(a_long_job_keeps_its_one_place_in_the_queue)
{
	store.held = true;
	start(2, 1);
	submit_long(2, 3);
	hold_in_commit();
	submit(0);
	ck_assert_int_eq(try_to_submit(1), ERR_BUSY);
	let_go(1);
	hold_in_commit(); /* the other's place; the long job is queued again */
	ck_assert_int_eq(try_to_submit(1), ERR_BUSY);
	let_go(1);
	collect_until(1);
	hold_in_commit();
	submit(1);
	ck_assert_int_eq(try_to_submit(3), ERR_BUSY);
	let_go(3);
	collect_until(3);
	stop();
}
END_TEST

START_TEST(a_failed_commit_of_a_part_ends_a_long_job)
{
	store.fails_at = 3;
	start(10, 10);
	submit_long(0, 5);
	collect_until(1);
	stop();
	ck_assert_uint_eq(seen.finished, 1);
	ck_assert_int_eq(seen.last.job.result, ERR_STORAGE);
	ck_assert_str_eq(seen.last.job.failure, "No space left on device");
	ck_assert_uint_eq(seen.last.ran, 3);
	ck_assert_uint_eq(seen.last.committed, 2);
	ck_assert_uint_eq(store.commits, 3);
}
END_TEST

/* The part is run again alone, and not a third time. */
START_TEST(a_part_that_fails_together_with_others_is_retried_alone)
{
	store.held = true;
	start(10, 10);
	submit_long(1, 3);
	hold_in_commit();
	submit(0);
	store.fails_at = 2; /* of both together */
	let_go(1 + 1 + 2 + 1);
	collect_until(2);
	stop();
	ck_assert_uint_eq(seen.failed, 0);
	ck_assert_uint_eq(seen.last.ran, 3 + 1);
	ck_assert_uint_eq(seen.last.committed, 3);
}
END_TEST

START_TEST(a_part_that_returns_an_error_is_the_last)
{
	struct counted *c = counted_new(0);

	c->parts = ENDLESS;
	c->answer = ERR_CERTIFICATE;
	c->job.again = true; /* whatever the part returns */
	start(10, 10);
	ck_assert_int_eq(writer_submit(seen.writer, &c->job), ERR_OK);
	collect_until(1);
	stop();
	ck_assert_uint_eq(seen.ran, 1);
	ck_assert_int_eq(seen.last.job.result, ERR_CERTIFICATE);
}
END_TEST

/* Otherwise published messages would stay stored in a broker without changes. */
START_TEST(a_deferrable_job_waits_for_a_limited_time)
{
	struct counted *c = counted_new(0);

	c->job.type = &deferrable_type;
	start(10, 10);
	ck_assert_int_eq(writer_submit(seen.writer, &c->job), ERR_OK);
	collect_until(1);
	ck_assert_int_eq(loop_ms, in_loop ? WRITER_DEFER_MAX_MS : 0);
	ck_assert_uint_eq(store.commits, 1);
	stop();
}
END_TEST

/* Unreferenced rows are removed in parts, each in a batch with a change. */
START_TEST(each_part_of_a_deferrable_long_job_joins_another_batch)
{
	struct counted *c = counted_new(2);

	c->job.type = &deferrable_type;
	c->parts = 2;
	start(10, 10);
	ck_assert_int_eq(writer_submit(seen.writer, &c->job), ERR_OK);
	for (unsigned i = 0; i < 2; i++) {
		submit(i);
		collect_until(i + 1);
	}
	ck_assert_uint_eq(store.commits, 2);
	submit(3);
	collect_until(4);
	stop();
	ck_assert_uint_eq(seen.committed, 3 + 3);
	ck_assert_uint_eq(store.commits, 3);
}
END_TEST

/*
 * Numbers for monitoring.
 */

static struct writer_state
look(void)
{
	struct writer_state state;

	writer_read_state(seen.writer, &state);
	return state;
}

START_TEST(commits_with_a_change_are_timed)
{
	static const int64_t took[] = { 300, 100 };
	struct writer_state state;

	store.changed = true;
	start(10, 10);
	for (unsigned i = 0; i < 2; i++) {
		store.takes_us = took[i];
		submit(i);
		collect_until(i + 1);
	}
	state = look();
	ck_assert_uint_eq(state.commits, 2);
	ck_assert_uint_eq(state.commit_us, 400);
	ck_assert_uint_eq(state.commit_us_last, 100);
	ck_assert_uint_eq(state.commit_us_max, 300);
	ck_assert_uint_eq(look().commit_us_max, 0); /* since it was last asked */
	ck_assert_uint_eq(look().commit_us_last, 100);
	submit(2);
	collect_until(3);
	ck_assert_uint_eq(look().commit_us_max, 100);
	stop();
}
END_TEST

START_TEST(commits_without_a_change_and_failed_ones_are_not_counted)
{
	store.takes_us = 100;
	start(10, 10);
	submit(0);
	collect_until(1);
	store.changed = true;
	store.commit = ERR_STORAGE;
	submit(1);
	collect_until(2);
	ck_assert_uint_eq(look().commits, 0);
	ck_assert_uint_eq(look().commit_us, 0);
	stop();
}
END_TEST

START_TEST(a_job_counts_as_waiting_until_it_is_finished)
{
	store.held = true;
	start(10, 1);
	ck_assert_uint_eq(look().waiting, 0);
	submit(0);
	hold_in_commit();
	submit(1);
	submit(2);
	ck_assert_uint_eq(look().waiting, 3);
	let_go(1);
	hold_in_commit(); /* of the second: the first is done */
	ck_assert_uint_eq(look().waiting, 3);
	collect_until(1);
	ck_assert_uint_eq(look().waiting, 2);
	let_go(2);
	collect_until(3);
	ck_assert_uint_eq(look().waiting, 0);
	stop();
}
END_TEST

/*
 * Failures.
 */

static void
three_jobs_fail_with(enum err e)
{
	start(10, 10);
	for (unsigned i = 0; i < 3; i++)
		submit(i);
	collect_until(3);
	ck_assert_uint_eq(seen.failed, 3);
	ck_assert_uint_eq(seen.committed, 0);
	ck_assert_int_eq(seen.last.job.result, e);
	ck_assert_str_eq(seen.last.job.failure, "No space left on device");
	stop();
}

START_TEST(a_commit_that_fails_fails_every_job_of_the_batch)
{
	store.commit = ERR_STORAGE;
	three_jobs_fail_with(ERR_STORAGE);
}
END_TEST

START_TEST(without_a_transaction_no_job_is_run)
{
	store.begin = ERR_NOMEM;
	three_jobs_fail_with(ERR_NOMEM);
	ck_assert_uint_eq(seen.ran, 0);
	ck_assert_uint_eq(store.commits, 0);
}
END_TEST

/* A job that does not fit into a full map must not fail jobs that need no space. */
START_TEST(a_job_that_cannot_be_committed_does_not_fail_others)
{
	struct counted *greedy = counted_new(2);

	greedy->sticks = ERR_STORAGE;
	store.held = true;
	start(10, 10);
	submit(0);
	hold_in_commit();
	submit(1);
	must(writer_submit(seen.writer, &greedy->job) == ERR_OK);
	submit(3);
	let_go(1 + 1 + 3); /* the first, the batch, and each alone */
	collect_until(4);
	stop();
	ck_assert_uint_eq(seen.failed, 1);
	ck_assert_uint_eq(seen.committed, 3);
	ck_assert_uint_eq(seen.ran, 1 + 2 * 3);
}
END_TEST

START_TEST(a_failure_ends_when_the_store_works_again)
{
	store.held = true;
	store.commit = ERR_STORAGE;
	start(10, 10);
	submit(0);
	hold_in_commit();
	let_go(1);
	collect_until(1);
	ck_assert_uint_eq(seen.failed, 1);
	store.commit = ERR_OK; /* the writer waits for work and does not retry by itself */
	submit(1);
	let_go(1);
	collect_until(2);
	ck_assert_uint_eq(seen.failed, 1);
	ck_assert_ptr_null(seen.last.job.failure);
	stop();
}
END_TEST

START_TEST(a_failing_job_does_not_fail_others)
{
	store.held = true;
	start(10, 10);
	submit(0);
	hold_in_commit();
	for (unsigned i = 1; i < 4; i++) {
		struct counted *c = counted_new(i);

		c->answer = i == 2 ? ERR_NOT_FOUND : ERR_OK;
		ck_assert_int_eq(writer_submit(seen.writer, &c->job), ERR_OK);
	}
	let_go(2);
	collect_until(3);
	collect_until(4);
	stop();
	ck_assert_uint_eq(store.commits, 2);
	ck_assert_uint_eq(seen.failed, 1);
	ck_assert_uint_eq(seen.committed, 3); /* a failed change has no follow-up */
}
END_TEST

START_TEST(the_follow_up_of_a_change_runs_after_the_commit)
{
	start(10, 10);
	submit(0);
	collect_until(1);
	ck_assert_uint_eq(seen.last.committed, 1);
	ck_assert_uint_eq(seen.last.commits_before, 1);
	stop();
}
END_TEST

/*
 * The end.
 */

START_TEST(stopping_commits_waiting_jobs_and_finishes_all)
{
	store.held = true;
	start(1000, 7);
	for (unsigned i = 0; i < 100; i++)
		submit(i);
	hold_in_commit();
	let_go(100);
	stop();
	ck_assert_uint_eq(seen.finished, 100);
	ck_assert_uint_eq(seen.committed, 100);
}
END_TEST

START_TEST(a_job_submitted_by_a_finisher_during_the_stop_is_run)
{
	struct counted *c = counted_new(0);

	start(10, 10);
	c->chain = 3;
	ck_assert_int_eq(writer_submit(seen.writer, &c->job), ERR_OK);
	stop();
	ck_assert_uint_eq(seen.finished, 4);
	ck_assert_uint_eq(seen.committed, 4);
}
END_TEST

/* Parts already on disk are handled as after a crash. */
START_TEST(stopping_abandons_only_long_jobs)
{
	store.held = true;
	start(10, 10);
	submit_long(3, ENDLESS);
	hold_in_commit();
	for (unsigned i = 0; i < 3; i++)
		submit(i);
	let_go(ENDLESS);
	stop();
	ck_assert_uint_eq(seen.finished, 4);
	ck_assert_uint_eq(seen.failed, 1);
	ck_assert_int_eq(seen.last.job.result, ERR_BUSY);
	ck_assert_str_eq(seen.last.job.failure, "the broker stopped in the middle of it");
	ck_assert_uint_ge(seen.last.committed, 1);
	ck_assert_uint_lt(seen.last.committed, ENDLESS);
}
END_TEST

START_TEST(a_long_job_that_ends_in_its_last_turn_is_done)
{
	store.held = true;
	start(10, 10);
	submit(0);
	hold_in_commit();
	submit_long(1, 1);
	let_go(2);
	stop();
	ck_assert_uint_eq(seen.failed, 0);
}
END_TEST

START_TEST(a_long_job_submitted_during_the_stop_is_abandoned)
{
	struct counted *c = counted_new(0);

	c->chain = 1;
	c->parts_of_next = ENDLESS;
	start(10, 10);
	ck_assert_int_eq(writer_submit(seen.writer, &c->job), ERR_OK);
	stop();
	ck_assert_uint_eq(seen.finished, 2);
	ck_assert_int_eq(seen.last.job.result, ERR_BUSY);
	ck_assert_uint_eq(seen.last.ran, 1);
}
END_TEST

START_TEST(an_idle_writer_can_be_stopped_and_so_can_null)
{
	start(10, 10);
	stop();
	writer_stop(NULL);
	ck_assert_uint_eq(store.commits, 0);
}
END_TEST

static void
on_signal(int number)
{
	(void)number;
	must(pthread_equal(pthread_self(), broker_thread));
}

/* A signal delivered to the writer thread would not wake the broker's loop. */
START_TEST(the_writer_thread_blocks_signals)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t before, after;

	sigaction(SIGHUP, &act, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	start(10, 10);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	ck_assert_int_eq(sigismember(&after, SIGHUP), sigismember(&before, SIGHUP));
	for (unsigned i = 0; i < 20; i++) {
		submit(i);
		kill(getpid(), SIGHUP);
		collect_until(i + 1);
	}
	stop();
	ck_assert(!seen.signals_open);
}
END_TEST

/*
 * In a loop.
 */

START_TEST(without_jobs_nothing_is_due)
{
	start(10, 10);
	ck_assert_int_eq(writer_due(seen.writer, 0), -1);
	ck_assert_uint_eq(writer_turn(seen.writer), 0);
	ck_assert_uint_eq(store.commits, 0);
	submit(0);
	ck_assert_int_eq(writer_due(seen.writer, 0), 0);
	ck_assert_uint_eq(writer_turn(seen.writer), 1);
	ck_assert_int_eq(writer_due(seen.writer, 0), -1);
	stop();
}
END_TEST

static void
submit_deferrable(unsigned nth, unsigned parts)
{
	struct counted *c = counted_new(nth);

	c->job.type = &deferrable_type;
	c->parts = parts - 1;
	must(writer_submit(seen.writer, &c->job) == ERR_OK);
}

START_TEST(deferrable_jobs_alone_are_due_later)
{
	start(10, 2);
	for (unsigned i = 0; i < 3; i++) /* more than a batch */
		submit_deferrable(i, 1);
	ck_assert_int_eq(writer_due(seen.writer, 5000), WRITER_DEFER_MAX_MS);
	ck_assert_int_eq(writer_due(seen.writer, 5400), WRITER_DEFER_MAX_MS - 400);
	submit(3);
	ck_assert_int_eq(writer_due(seen.writer, 5400), 0);
	ck_assert_uint_eq(writer_turn(seen.writer), 2);
	ck_assert_uint_eq(writer_turn(seen.writer), 2);
	submit_deferrable(4, 1);
	ck_assert_int_eq(writer_due(seen.writer, 9000), WRITER_DEFER_MAX_MS);
	ck_assert_int_eq(writer_due(seen.writer, 9000 + WRITER_DEFER_MAX_MS + 50), 0);
	stop();
	ck_assert_uint_eq(seen.committed, 5);
}
END_TEST

START_TEST(the_next_part_of_a_deferrable_job_waits_again)
{
	start(10, 10);
	submit_deferrable(0, 2);
	ck_assert_int_eq(writer_due(seen.writer, 0), WRITER_DEFER_MAX_MS);
	ck_assert_int_eq(writer_due(seen.writer, WRITER_DEFER_MAX_MS), 0);
	ck_assert_uint_eq(writer_turn(seen.writer), 0);
	ck_assert_int_eq(writer_due(seen.writer, WRITER_DEFER_MAX_MS), WRITER_DEFER_MAX_MS);
	stop();
}
END_TEST

START_TEST(jobs_are_due_after_the_time_for_others_or_when_the_batch_is_full)
{
	start_gathering(10, 2, 20);
	submit(0);
	ck_assert_int_eq(writer_due(seen.writer, 100), 20);
	ck_assert_int_eq(writer_due(seen.writer, 115), 5);
	ck_assert_int_eq(writer_due(seen.writer, 121), 0);
	submit(1);
	ck_assert_int_eq(writer_due(seen.writer, 101), 0);
	stop();
}
END_TEST

START_TEST(a_turn_is_one_batch)
{
	start(100, 10);
	for (unsigned i = 0; i < 25; i++)
		submit(i);
	ck_assert_uint_eq(writer_turn(seen.writer), 10);
	ck_assert_uint_eq(writer_turn(seen.writer), 10);
	ck_assert_uint_eq(look().waiting, 5);
	ck_assert_uint_eq(writer_turn(seen.writer), 5);
	ck_assert_uint_eq(writer_turn(seen.writer), 0);
	ck_assert_uint_eq(store.commits, 3);
	stop();
}
END_TEST

START_TEST(a_full_queue_refuses_until_a_turn)
{
	start(4, 2);
	for (unsigned i = 0; i < 4; i++)
		submit(i);
	ck_assert_int_eq(try_to_submit(4), ERR_BUSY);
	writer_turn(seen.writer);
	ck_assert_int_eq(try_to_submit(4), ERR_OK);
	ck_assert_int_eq(try_to_submit(5), ERR_OK);
	ck_assert_int_eq(try_to_submit(6), ERR_BUSY);
	stop();
	ck_assert_uint_eq(seen.finished, 6);
}
END_TEST

START_TEST(a_job_submitted_by_a_finisher_waits_for_the_next_turn)
{
	struct counted *c = counted_new(0);

	c->chain = 1;
	start(10, 10);
	must(writer_submit(seen.writer, &c->job) == ERR_OK);
	ck_assert_uint_eq(writer_turn(seen.writer), 1);
	ck_assert_int_eq(writer_due(seen.writer, 0), 0);
	ck_assert_uint_eq(writer_turn(seen.writer), 1);
	stop();
}
END_TEST

/* Between two parts the loop looks at everything else. */
START_TEST(a_turn_runs_one_part_of_a_long_job)
{
	start(10, 1);
	submit_long(2, 3);
	ck_assert_uint_eq(writer_turn(seen.writer), 0);
	ck_assert_int_eq(writer_due(seen.writer, 0), 0);
	submit(0);
	submit(1);
	for (unsigned i = 0; i < 3; i++)
		(void)writer_turn(seen.writer);
	ck_assert_uint_eq(seen.finished, 2); /* its second part, and both others */
	ck_assert_uint_eq(writer_turn(seen.writer), 1);
	ck_assert_uint_eq(seen.last.ran, 3);
	stop();
}
END_TEST

START_TEST(long_jobs_take_turns_in_a_loop)
{
	start(10, 1);
	submit_long(1, 3);
	submit_long(0, 2);
	for (unsigned i = 0; i < 5; i++)
		turn();
	ck_assert_uint_eq(seen.finished, 2);
	stop();
}
END_TEST

START_TEST(stopping_the_loop_abandons_only_long_jobs)
{
	start(10, 10);
	submit_long(0, ENDLESS);
	turn();
	submit(1);
	submit_long(2, 1);
	stop();
	ck_assert_uint_eq(seen.finished, 3);
	ck_assert_uint_eq(seen.failed, 1);
	ck_assert_uint_eq(seen.committed, 2 + 1 + 1);
	ck_assert_uint_eq(store.commits, 2);
}
END_TEST

static void
loop_tests(TCase *t)
{
	tcase_add_test(t, without_jobs_nothing_is_due);
	tcase_add_test(t, deferrable_jobs_alone_are_due_later);
	tcase_add_test(t, the_next_part_of_a_deferrable_job_waits_again);
	tcase_add_test(t, jobs_are_due_after_the_time_for_others_or_when_the_batch_is_full);
	tcase_add_test(t, a_turn_is_one_batch);
	tcase_add_test(t, a_full_queue_refuses_until_a_turn);
	tcase_add_test(t, a_job_submitted_by_a_finisher_waits_for_the_next_turn);
	tcase_add_test(t, a_turn_runs_one_part_of_a_long_job);
	tcase_add_test(t, long_jobs_take_turns_in_a_loop);
	tcase_add_test(t, stopping_the_loop_abandons_only_long_jobs);
}

/* With both. */
static void
order_tests(TCase *t)
{
	tcase_add_test(t, every_job_is_run_and_finished_once_in_the_order_of_submission);
	tcase_add_test(t, a_job_gets_the_time_of_its_batch);
	tcase_add_test(t, jobs_submitted_during_a_commit_are_one_batch);
	tcase_add_test(t, the_size_of_a_batch_is_limited);
	tcase_add_test(t, the_first_job_of_a_batch_waits_for_others);
	tcase_add_test(t, a_full_batch_does_not_wait);
	tcase_add_test(t, stopping_does_not_wait_for_more_jobs);
}

static void
long_job_tests(TCase *t)
{
	tcase_add_test(t, a_long_job_is_run_until_it_is_done_and_finished_once);
	tcase_add_test(t, new_jobs_run_before_the_rest_of_a_long_job);
	tcase_add_test(t, there_is_no_wait_between_the_parts_of_a_long_job);
	tcase_add_test(t, a_failed_commit_of_a_part_ends_a_long_job);
	tcase_add_test(t, a_part_that_fails_together_with_others_is_retried_alone);
	tcase_add_test(t, a_part_that_returns_an_error_is_the_last);
	tcase_add_test(t, a_deferrable_job_waits_for_a_limited_time);
	tcase_add_test(t, each_part_of_a_deferrable_long_job_joins_another_batch);
	tcase_add_test(t, commits_with_a_change_are_timed);
	tcase_add_test(t, commits_without_a_change_and_failed_ones_are_not_counted);
}

static void
failure_tests(TCase *t)
{
	tcase_add_test(t, a_commit_that_fails_fails_every_job_of_the_batch);
	tcase_add_test(t, without_a_transaction_no_job_is_run);
	tcase_add_test(t, a_job_that_cannot_be_committed_does_not_fail_others);
	tcase_add_test(t, a_failure_ends_when_the_store_works_again);
	tcase_add_test(t, a_failing_job_does_not_fail_others);
	tcase_add_test(t, the_follow_up_of_a_change_runs_after_the_commit);
	tcase_add_test(t, stopping_commits_waiting_jobs_and_finishes_all);
	tcase_add_test(t, a_job_submitted_by_a_finisher_during_the_stop_is_run);
	tcase_add_test(t, a_long_job_that_ends_in_its_last_turn_is_done);
	tcase_add_test(t, a_long_job_submitted_during_the_stop_is_abandoned);
	tcase_add_test(t, an_idle_writer_can_be_stopped_and_so_can_null);
}

/* What happens while the thread is busy. */
static void
thread_tests(TCase *t)
{
	tcase_add_test(t, the_owner_is_notified_of_finished_jobs);
	tcase_add_test(t, the_number_of_jobs_finished_at_once_is_limited);
	tcase_add_test(t, a_full_queue_refuses_until_jobs_are_finished);
	tcase_add_test(t, long_jobs_take_turns);
	tcase_add_test(t, a_long_job_keeps_its_one_place_in_the_queue);
	tcase_add_test(t, a_job_counts_as_waiting_until_it_is_finished);
	tcase_add_test(t, stopping_abandons_only_long_jobs);
	tcase_add_test(t, the_writer_thread_blocks_signals);
}

static void
add_case(Suite *suite, const char *name, void (*set)(void), void (*own)(TCase *))
{
	TCase *t = suite_case(suite, name);

	tcase_add_checked_fixture(t, set, NULL);
	tcase_set_timeout(t, 30);
	order_tests(t);
	long_job_tests(t);
	failure_tests(t);
	own(t);
}

int
main(void)
{
	Suite *suite = suite_create("writer");

	add_case(suite, "thread", set_up, thread_tests);
	add_case(suite, "loop", set_up_loop, loop_tests);
	return suite_run(suite);
}
