/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_child.c - starting, supervising and stopping a process (child.h).
 *
 * The process is child_program.c; a link to it in a directory of the test has the name of
 * the behaviour.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jitr/service/child.h"
#include "suite.h"

static char dir[64], path[128];
static struct child *child;

static int64_t skew; /* ms */

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + skew;
}

static struct {
	enum log_level level;
	char text[400];
} lines[512];
static size_t line_count;

static void
log_line(void *context, enum log_level level, const char *line)
{
	ck_assert_ptr_eq(context, &line_count);
	ck_assert_uint_lt(line_count, COUNT_OF(lines));
	lines[line_count].level = level;
	snprintf(lines[line_count++].text, sizeof(lines[0].text), "%s", line);
}

static bool
said(const char *text)
{
	for (size_t i = 0; i < line_count; i++)
		if (strstr(lines[i].text, text) != NULL)
			return true;
	return false;
}

static size_t last_frames;

static void
last_frame(void *context, const struct wire_frame *frame)
{
	ck_assert_ptr_eq(context, &line_count);
	ck_assert_int_eq(frame->type, WIRE_ANSWER);
	ck_assert_uint_eq(frame->number, last_frames);
	last_frames++;
}

static const struct wire_config wire = { .protocol = WIRE_PROTOCOL,
	.version = "1.2.3",
	.options = { 1, { { "db_path", "/var/lib/jitr" } } } };

static struct child_config config = { .path = path,
	.config = &wire,
	.frames_max = 100,
	.bytes_max = 1 << 20,
	.now = now,
	.log = log_line,
	.last_frame = last_frame,
	.context = &line_count };

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check_child.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	path[0] = '\0';
	line_count = last_frames = 0;
	skew = 0;
}

/* What is started next. */
static void
use(const char *behaviour)
{
	if (path[0] != '\0')
		(void)unlink(path);
	snprintf(path, sizeof(path), "%s/%s", dir, behaviour);
	ck_assert_int_eq(symlink(CHILD_PROGRAM, path), 0);
}

/* Every process that was started has ended and was waited for. */
static void
teardown(void)
{
	child_close(child);
	child = NULL;
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

static void
start(const char *behaviour)
{
	struct diag diag = { "" };

	use(behaviour);
	ck_assert_msg(child_open(&config, &child, &diag) == ERR_OK, "%s", diag.text);
	ck_assert_ptr_nonnull(child_link(child));
}

static void
start_fails(const char *behaviour, const char *why)
{
	struct diag diag = { "" };

	use(behaviour);
	ck_assert_int_eq(child_open(&config, &child, &diag), ERR_STORAGE);
	ck_assert_str_eq(diag.text, why);
	ck_assert_ptr_null(child);
}

/* ERR_STORAGE or ERR_CORRUPT: the link has failed. */
static enum err
receive(struct wire_frame *f)
{
	struct link *l = child_link(child);
	enum err e;

	while ((e = link_next(l, f)) == ERR_NOT_FOUND)
		if (link_fill(l) == ERR_NOT_FOUND)
			(void)poll(&(struct pollfd){ .fd = link_fd(l), .events = POLLIN }, 1, -1);
	return e;
}

static void
ask(void)
{
	struct view payload = view_of("question");

	ck_assert_int_eq(link_send(child_link(child), WIRE_REQUEST, 7, &payload, 1), ERR_OK);
	(void)link_flush(child_link(child));
}

static void
assert_answers(void)
{
	struct wire_frame f;

	ask();
	ck_assert_int_eq(receive(&f), ERR_OK);
	ck_assert_int_eq(f.type, WIRE_ANSWER);
	ck_assert_uint_eq(f.number, 7);
	ck_assert(view_equal(f.payload, view_of("question")));
}

static void
lose(void)
{
	struct wire_frame f;

	ck_assert_int_eq(receive(&f), ERR_STORAGE);
	child_lost(child, NULL);
	ck_assert_ptr_null(child_link(child));
}

static void
tick_until(enum child_state state)
{
	for (int i = 0; child_tick(child) != state; i++) {
		ck_assert_int_lt(i, 10000);
		(void)poll(NULL, 0, 1);
	}
}

/*
 * Start.
 */

START_TEST(the_start_waits_for_hello)
{
	start("serves");
	ck_assert_int_gt(child_pid(child), 0);
	ck_assert_int_eq(child_tick(child), CHILD_UP);
	assert_answers();
	ck_assert_uint_eq(line_count, 0);
}
END_TEST

START_TEST(lines_are_passed_on_while_it_starts)
{
	start("talks");
	ck_assert_uint_eq(line_count, 200);
	ck_assert_int_eq(lines[199].level, LEVEL_INFO);
	ck_assert_str_eq(lines[199].text, "upgrading\\x0aERROR: forged");
}
END_TEST

static const struct {
	const char *behaviour, *why;
} failures[] = {
	{ "failed", "the registry is made of cheese" },
	{ "exits", "the registrar has ended: exit status 1" },
	{ "killed", "the registrar has ended: killed by signal 9 (Killed)" },
	{ "version",
	    "the registrar is version 1.2.4, the plugin is version 1.2.3: restart the broker" },
	{ "protocol",
	    "the registrar is version 2.0.0 with protocol 2, the plugin is version 1.2.3 with "
	    "protocol 1: restart the broker" },
	{ "malformed", "the registrar sent a malformed HELLO" },
	{ "early", "the registrar sent ANSWER before HELLO, or malformed" },
	{ "garbage", "the registrar sent what is no frame" },
};

START_TEST(a_start_that_fails_says_why)
{
	start_fails(failures[_i].behaviour, failures[_i].why);
}
END_TEST

/* Most of the time passes when its line is logged. */
static void
pass_time(void *context, enum log_level level, const char *line)
{
	log_line(context, level, line);
	skew += CHILD_START_MS - 100;
}

START_TEST(a_program_that_hangs_does_not_hold_the_start)
{
	char why[512];

	config.log = pass_time;
	snprintf(path, sizeof(path), "%s/hangs", dir);
	snprintf(why, sizeof(why),
	    "the registrar hung while it started: it sent nothing for 10 minutes and was killed; "
	    "check registrar_path and the disk of db_path (an upgrade goes on with the next start): %s",
	    path);
	path[0] = '\0';
	start_fails("hangs", why);
	config.log = log_line;
	ck_assert(said("opening"));
}
END_TEST

START_TEST(a_program_that_cannot_be_started_is_named)
{
	struct diag diag;
	char expected[256];

	snprintf(path, sizeof(path), "%s/missing", dir);
	ck_assert_int_eq(child_open(&config, &child, &diag), ERR_STORAGE);
	snprintf(expected, sizeof(expected),
	    "the registrar cannot be started: No such file or directory: %s", path);
	ck_assert_str_eq(diag.text, expected);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(child_open(&config, &child, &diag), ERR_STORAGE);
	snprintf(expected, sizeof(expected),
	    "the registrar cannot be started: Permission denied: %s", path);
	ck_assert_str_eq(diag.text, expected);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* 0: descriptors as usual; 1: several more, which exec does not close; 2: the first three are
 * free, so that the socket gets one of them. */
START_TEST(it_holds_nothing_of_the_broker)
{
	size_t signals = 0, descriptors = 0, variables = 0;
	int saved[] = { fcntl(0, F_DUPFD_CLOEXEC, 10), fcntl(1, F_DUPFD_CLOEXEC, 10) };
	int more[20];

	ck_assert_int_eq(setenv("JITR_SECRET", "x", 1), 0);
	ck_assert_int_eq(setenv("OPENSSL_CONF", "/dev/null", 1), 0);
	must(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	must(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
	for (size_t i = 0; i < COUNT_OF(more); i++)
		more[i] = _i == 1 ? dup(2) : -1;
	for (int fd = 0; fd < 2 && _i == 2; fd++)
		(void)close(fd);
	start("report");
	ck_assert_int_eq(fcntl(link_fd(child_link(child)), F_GETFD), FD_CLOEXEC);
	child_close(child);
	child = NULL;
	for (int fd = 0; fd < 2 && _i == 2; fd++)
		ck_assert_int_eq(dup2(saved[fd], fd), fd);
	for (size_t i = 0; i < line_count; i++) {
		signals += strncmp(lines[i].text, "blocked ", 8) == 0;
		descriptors += strncmp(lines[i].text, "descriptor ", 11) == 0;
		variables += strncmp(lines[i].text, "environment ", 12) == 0 &&
		    strstr(lines[i].text, "SAN_OPTIONS") == NULL;
	}
	ck_assert(said("descriptor 0 /dev/null") && said("descriptor 1 /dev/null"));
	ck_assert(said("descriptor 2 ") && said("descriptor 3 socket:["));
	ck_assert_uint_eq(descriptors, 4);
	ck_assert(said("blocked 1") && said("blocked 2") && said("blocked 15"));
	ck_assert(said("blocked 10") && said("blocked 12")); /* USR1, USR2 */
	ck_assert_uint_eq(signals, 5);
	ck_assert(!said("not default 13") && !said("not default 10")); /* PIPE, USR1 */
	ck_assert(said("environment OPENSSL_CONF=/dev/null"));
	ck_assert_uint_eq(variables, 1);
	ck_assert(said("arguments 1"));
	for (size_t i = 0; i < COUNT_OF(more); i++)
		if (more[i] >= 0)
			(void)close(more[i]);
	(void)close(saved[0]);
	(void)close(saved[1]);
	(void)unsetenv("JITR_SECRET");
	(void)unsetenv("OPENSSL_CONF");
	must(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
	must(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
}
END_TEST

/*
 * Its end.
 */

START_TEST(a_killed_process_is_started_again_at_once)
{
	int first;

	start("serves");
	first = child_pid(child);
	ck_assert_int_eq(kill(first, SIGKILL), 0);
	lose();
	tick_until(CHILD_UP);
	ck_assert_int_ne(child_pid(child), first);
	ck_assert_uint_eq(child_restarts(child), 1);
	ck_assert_str_eq(lines[0].text,
	    "jitr: the registrar has ended: killed by signal 9 (Killed); started again at once; until "
	    "it is up, new devices and requests are refused, and all else goes on");
	ck_assert_int_eq(lines[0].level, LEVEL_ERROR);
	ck_assert_ptr_nonnull(strstr(lines[1].text, "jitr: the registrar is up again after 0."));
	assert_answers();
}
END_TEST

static void
end_again(const char *words, int64_t delay)
{
	line_count = 0;
	ask();
	lose();
	tick_until(CHILD_DOWN);
	ck_assert_msg(said("has ended: exit status 3") && said(words), "%s", lines[0].text);
	if (delay > 0) {
		skew += delay - 200;
		ck_assert_int_eq(child_tick(child), CHILD_DOWN);
		skew += 200;
	}
	tick_until(CHILD_UP);
}

START_TEST(ends_in_a_row_delay_the_next_start)
{
	start("leaves");
	end_again("again at once", 0);
	end_again("again in 1 s", 1000);
	end_again("again in 2 s", 2000);
	skew += 60000;
	end_again("again at once", 0);
	end_again("again in 1 s", 1000);
	ck_assert_uint_eq(child_restarts(child), 5);
}
END_TEST

START_TEST(a_program_that_hangs_at_a_restart_is_killed)
{
	start("report");
	use("hangs");
	ck_assert_int_eq(kill(child_pid(child), SIGKILL), 0);
	lose();
	tick_until(CHILD_STARTING);
	while (!said("opening"))
		ck_assert_int_eq(child_tick(child), CHILD_STARTING);
	skew += CHILD_START_MS;
	tick_until(CHILD_DOWN);
	ck_assert(said("hung while it started"));
}
END_TEST

START_TEST(a_start_that_fails_is_tried_again)
{
	start("leaves");
	ck_assert_int_eq(unlink(path), 0);
	ask();
	lose();
	tick_until(CHILD_DOWN);
	line_count = 0;
	ck_assert_int_eq(child_tick(child), CHILD_DOWN);
	ck_assert(said("cannot be started: No such file or directory: "));
	ck_assert(said("again in 1 s"));
	ck_assert_int_eq(child_pid(child), 0);
	use("leaves");
	skew += 1000;
	tick_until(CHILD_UP);
	ck_assert(said("up again after 1."));
}
END_TEST

/* The link is gone and the process goes on: the next one must wait for its end. */
START_TEST(a_process_without_a_link_is_killed_after_a_while)
{
	int first;

	start("closes");
	first = child_pid(child);
	lose();
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(child_tick(child), CHILD_ENDING);
	ck_assert_int_eq(kill(first, 0), 0);
	skew += CHILD_END_MS;
	tick_until(CHILD_DOWN);
	ck_assert(said("killed by signal 9"));
	ck_assert_int_eq(kill(first, 0), -1);
}
END_TEST

START_TEST(a_process_ends_with_its_link)
{
	start("serves");
	child_lost(child, NULL);
	tick_until(CHILD_DOWN);
	ck_assert(said("the registrar has ended: exit status 0"));
}
END_TEST

START_TEST(a_frame_that_is_refused_ends_it)
{
	start("stubborn");
	child_lost(child, "sent a malformed ANSWER");
	tick_until(CHILD_DOWN);
	ck_assert(said("the registrar sent a malformed ANSWER; started again at once; "));
}
END_TEST

/* A plugin of another maker may wait for every process. */
START_TEST(a_process_that_another_plugin_has_waited_for_is_gone)
{
	int pid;

	start("leaves");
	pid = child_pid(child);
	ask();
	ck_assert_int_eq(waitpid(-1, NULL, 0), pid);
	lose();
	tick_until(CHILD_UP);
	ck_assert(said("the registrar has ended: exit status not known"));
}
END_TEST

/*
 * Stop.
 */

START_TEST(stop_waits_for_the_last_frames)
{
	int64_t before = now();

	start("pending");
	child_close(child);
	child = NULL;
	ck_assert_uint_eq(last_frames, 3);
	ck_assert_int_lt(now() - before, CHILD_END_MS);
	ck_assert(!said("killed"));
}
END_TEST

START_TEST(what_waits_is_sent_before_stop)
{
	struct view payload = { calloc(1, 1 << 19), 1 << 19 };

	start("serves");
	ck_assert_int_eq(link_send(child_link(child), WIRE_REQUEST, 0, &payload, 1), ERR_OK);
	child_close(child);
	child = NULL;
	ck_assert_uint_eq(last_frames, 1);
	free((void *)(uintptr_t)payload.data);
}
END_TEST

START_TEST(a_process_that_does_not_stop_is_killed)
{
	int64_t before = now(), took;

	start("stubborn");
	child_close(child);
	child = NULL;
	took = now() - before;
	ck_assert_int_ge(took, CHILD_END_MS);
	ck_assert_int_lt(took, 2 * CHILD_END_MS);
	ck_assert(said("the registrar did not end within 5 s and was killed"));
}
END_TEST

START_TEST(stop_in_every_state)
{
	start("leaves");
	ask();
	lose();
	if (_i > 0)
		tick_until(CHILD_DOWN);
	if (_i > 1)
		ck_assert_int_eq(child_tick(child), CHILD_STARTING);
	child_close(child);
	child = NULL;
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("child");
	TCase *t = suite_case(s, "start");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_start_waits_for_hello);
	tcase_add_test(t, lines_are_passed_on_while_it_starts);
	tcase_add_loop_test(t, a_start_that_fails_says_why, 0, COUNT_OF(failures));
	tcase_add_test(t, a_program_that_cannot_be_started_is_named);
	tcase_add_test(t, a_program_that_hangs_does_not_hold_the_start);
	tcase_add_loop_test(t, it_holds_nothing_of_the_broker, 0, 3);
	t = suite_case(s, "end");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_killed_process_is_started_again_at_once);
	tcase_add_test(t, ends_in_a_row_delay_the_next_start);
	tcase_add_test(t, a_program_that_hangs_at_a_restart_is_killed);
	tcase_add_test(t, a_start_that_fails_is_tried_again);
	tcase_add_test(t, a_process_without_a_link_is_killed_after_a_while);
	tcase_add_test(t, a_process_ends_with_its_link);
	tcase_add_test(t, a_frame_that_is_refused_ends_it);
	tcase_add_test(t, a_process_that_another_plugin_has_waited_for_is_gone);
	t = suite_case(s, "stop");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, stop_waits_for_the_last_frames);
	tcase_add_test(t, what_waits_is_sent_before_stop);
	tcase_add_test(t, a_process_that_does_not_stop_is_killed);
	tcase_add_loop_test(t, stop_in_every_state, 0, 3);
	return suite_run(s);
}
