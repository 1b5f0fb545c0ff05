/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_wake.c - a socket wakes the broker (wake.h).
 *
 * The broker is the loop of Mosquitto 2.0 (mux_epoll.c): HUP, INT, TERM, USR1 and USR2 are
 * blocked during epoll_wait(), which sleeps 100 ms.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"
#include "wake.h"

#define SLEEP_MS 100

static struct wake *wake;
static int pair[2], epoll;

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	ck_assert_int_ge(epoll, 0);
	ck_assert_int_eq(wake_open(&wake), ERR_OK);
}

static void
teardown(void)
{
	wake_unwatch(pair[0]);
	(void)close(pair[0]);
	(void)close(pair[1]);
	(void)close(epoll);
	wake_close(wake);
}

/* How long the broker sleeps; *interrupted: until a signal. */
static double
sleep_ms(int ms, bool *interrupted)
{
	double from = now_ms();
	struct epoll_event event;
	sigset_t blocked, before;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGHUP);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_SETMASK, &blocked, &before);
	*interrupted = epoll_wait(epoll, &event, 1, ms) == -1 && errno == EINTR;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return now_ms() - from;
}

static bool
is_woken(int ms)
{
	bool interrupted;

	(void)sleep_ms(ms, &interrupted);
	return interrupted;
}

/* What is under test begins without news. */
static void
watch(void)
{
	ck_assert_int_eq(wake_watch(wake, pair[0]), ERR_OK);
	ck_assert(wake_take_news(wake));
	wake_stop(wake);
	ck_assert(!is_woken(20));
}

static void
send_byte(int fd)
{
	ck_assert_int_eq(write(fd, "", 1), 1);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sends the time, at all phases of the broker's sleep. */
static void
send_times(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		double t;

		(void)poll(NULL, 0, (int)(i % 7));
		t = now_ms();
		if (write(pair[1], &t, sizeof(t)) != sizeof(t))
			_exit(1);
	}
	_exit(0);
}

#define TIMES 300

/* From the write in another process to the tick that reads it. */
START_TEST(the_broker_reads_what_another_process_wrote_at_once)
{
	double took[TIMES], t;
	size_t got = 0;
	pid_t other;

	watch();
	other = fork();
	if (other == 0)
		send_times(TIMES);
	while (got < TIMES) {
		(void)is_woken(SLEEP_MS);
		wake_stop(wake);
		if (!wake_take_news(wake))
			continue;
		while (read(pair[0], &t, sizeof(t)) == sizeof(t))
			took[got++] = now_ms() - t;
	}
	ck_assert_int_eq(waitpid(other, NULL, 0), other);
	qsort(took, TIMES, sizeof(took[0]), compare);
	printf("from write to tick: median %.3f ms, 99 %% %.3f ms, most %.3f ms\n", took[TIMES / 2],
	    took[TIMES * 99 / 100], took[TIMES - 1]);
	ck_assert_double_lt(took[TIMES / 2], SLEEP_MS / 10.);
}
END_TEST

/* The signal arrives after the tick and before the sleep. */
START_TEST(a_signal_before_the_sleep_is_not_lost)
{
	watch();
	for (int i = 0; i < 20; i++) {
		bool interrupted;
		double took;

		send_byte(pair[1]);
		took = sleep_ms(10000, &interrupted);
		ck_assert(interrupted);
		ck_assert_double_lt(took, 5000);
		ck_assert(wake_take_news(wake));
		wake_stop(wake);
		ck_assert(!wake_take_news(wake));
	}
}
END_TEST

START_TEST(what_arrived_before_it_is_watched_is_news)
{
	send_byte(pair[1]);
	ck_assert_int_eq(wake_watch(wake, pair[0]), ERR_OK);
	ck_assert(is_woken(10000));
	ck_assert(wake_take_news(wake));
}
END_TEST

START_TEST(the_end_of_the_other_side_is_news)
{
	watch();
	(void)close(pair[1]);
	ck_assert(is_woken(10000));
	ck_assert(wake_take_news(wake));
	pair[1] = dup(pair[0]);
}
END_TEST

START_TEST(room_in_a_full_socket_is_news)
{
	char bytes[4096] = { 0 };

	watch();
	while (write(pair[0], bytes, sizeof(bytes)) > 0)
		;
	ck_assert(!is_woken(20));
	ck_assert_int_eq(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	while (read(pair[1], bytes, sizeof(bytes)) > 0)
		;
	ck_assert(is_woken(10000));
	ck_assert(wake_take_news(wake));
}
END_TEST

START_TEST(a_socket_that_is_not_watched_is_no_news)
{
	watch();
	wake_unwatch(pair[0]);
	send_byte(pair[1]);
	ck_assert(!is_woken(20));
	ck_assert(!wake_take_news(wake));
}
END_TEST

static void *
wait_elsewhere(void *interrupted)
{
	*(bool *)interrupted = poll(NULL, 0, 100) != 0;
	return NULL;
}

START_TEST(other_threads_are_not_interrupted)
{
	bool interrupted = true;
	pthread_t other;

	watch();
	ck_assert_int_eq(pthread_create(&other, NULL, wait_elsewhere, &interrupted), 0);
	for (int i = 0; i < 50; i++) {
		send_byte(pair[1]);
		ck_assert(is_woken(10000));
		wake_stop(wake);
	}
	ck_assert_int_eq(pthread_join(other, NULL), 0);
	ck_assert(!interrupted);
}
END_TEST

/* The number of real-time signals that may wait is used up by other processes of the user,
 * and the broker is stopped meanwhile: the kernel sends SIGIO instead. */
START_TEST(no_number_of_signals_ends_the_broker)
{
	struct rlimit limit, none;
	sigset_t all, before;

	watch();
	ck_assert_int_eq(getrlimit(RLIMIT_SIGPENDING, &limit), 0);
	none = (struct rlimit){ _i == 1 ? 0 : limit.rlim_cur, limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_SIGPENDING, &none), 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	for (int i = 0; i < 200; i++)
		send_byte(pair[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert(wake_take_news(wake));
	send_byte(pair[1]);
	ck_assert(wake_take_news(wake));
	ck_assert_int_eq(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
}
END_TEST

static int handled;

static void
handle_sigio(int n)
{
	(void)n;
	handled++;
}

START_TEST(another_user_keeps_sigio)
{
	must(signal(SIGIO, handle_sigio) != SIG_ERR);
	watch();
	send_byte(pair[1]);
	ck_assert(is_woken(10000));
	ck_assert(wake_take_news(wake));
	ck_assert_int_eq(handled, 0);
	wake_unwatch(pair[0]);
	wake_close(wake);
	must(signal(SIGIO, SIG_DFL) == handle_sigio);
	ck_assert_int_eq(wake_open(&wake), ERR_OK);
}
END_TEST

START_TEST(without_a_free_signal_nothing_is_watched)
{
	must(signal(SIGIO, handle_sigio) != SIG_ERR);
	for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
		struct sigaction now;

		if (sigaction(n, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			must(signal(n, handle_sigio) != SIG_ERR);
	}
	ck_assert_int_eq(wake_watch(wake, pair[0]), ERR_LIMIT);
	ck_assert_int_eq(fcntl(pair[0], F_GETFL) & O_ASYNC, 0);
	send_byte(pair[1]);
	ck_assert_int_eq(handled, 0);
	must(signal(SIGIO, SIG_DFL) == handle_sigio);
	for (int n = SIGRTMIN; n <= SIGRTMAX; n++) {
		struct sigaction now;

		if (sigaction(n, NULL, &now) == 0 && now.sa_handler == handle_sigio)
			must(signal(n, SIG_DFL) != SIG_ERR);
	}
}
END_TEST

/* With a signal pending: its default action would end the process. */
START_TEST(the_signal_is_given_back)
{
	sigset_t io, before;
	struct sigaction now;

	watch();
	sigemptyset(&io);
	sigaddset(&io, SIGIO);
	sigprocmask(SIG_BLOCK, &io, &before);
	send_byte(pair[1]);
	wake_unwatch(pair[0]);
	wake_close(wake);
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_eq(sigaction(SIGIO, NULL, &now), 0);
	must(now.sa_handler == SIG_DFL);
	ck_assert_int_eq(wake_open(&wake), ERR_OK);
}
END_TEST

/* Another plugin's own stacks have no room for a handler. */
#define STACK_SIZE 65536

static bool
is_used(const char stack[STACK_SIZE])
{
	for (size_t i = 0; i < STACK_SIZE; i++)
		if (stack[i] != 0)
			return true;
	return false;
}

START_TEST(handlers_run_on_the_stack_for_signals)
{
	static char bytes[STACK_SIZE];
	stack_t before, stack = { .ss_sp = bytes, .ss_size = sizeof(bytes) };

	watch();
	memset(bytes, 0, sizeof(bytes));
	ck_assert_int_eq(sigaltstack(&stack, &before), 0);
	if (_i == 0)
		send_byte(pair[1]);
	else
		wake_start(wake, WAKE_SOCKET_US);
	must(is_woken(10000));
	wake_stop(wake);
	ck_assert_int_eq(sigaltstack(&before, NULL), 0);
	ck_assert(is_used(bytes));
}
END_TEST

START_TEST(two_plugins_have_a_signal_each)
{
	struct wake *other;
	int second[2];

	watch();
	ck_assert_int_eq(wake_open(&other), ERR_OK);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, second), 0);
	ck_assert_int_eq(wake_watch(other, second[0]), ERR_OK);
	ck_assert(wake_take_news(other));
	send_byte(second[1]);
	ck_assert(wake_take_news(other));
	ck_assert(!wake_take_news(wake));
	send_byte(pair[1]);
	ck_assert(wake_take_news(wake));
	ck_assert(!wake_take_news(other));
	wake_unwatch(second[0]);
	wake_close(other);
	(void)close(second[0]);
	(void)close(second[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("wake");
	TCase *t = suite_case(s, "wake");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_broker_reads_what_another_process_wrote_at_once);
	tcase_add_test(t, a_signal_before_the_sleep_is_not_lost);
	tcase_add_test(t, what_arrived_before_it_is_watched_is_news);
	tcase_add_test(t, the_end_of_the_other_side_is_news);
	tcase_add_test(t, room_in_a_full_socket_is_news);
	tcase_add_test(t, a_socket_that_is_not_watched_is_no_news);
	tcase_add_test(t, other_threads_are_not_interrupted);
	tcase_add_loop_test(t, no_number_of_signals_ends_the_broker, 0, 2);
	tcase_add_test(t, another_user_keeps_sigio);
	tcase_add_test(t, without_a_free_signal_nothing_is_watched);
	tcase_add_test(t, the_signal_is_given_back);
	tcase_add_loop_test(t, handlers_run_on_the_stack_for_signals, 0, 2);
	tcase_add_test(t, two_plugins_have_a_signal_each);
	return suite_run(s);
}
