/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* wake.c - see wake.h. */
#define _GNU_SOURCE /* F_SETOWN_EX, F_SETSIG */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "wake.h"

/* glibc 2.36 has no name for it. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* The first real-time signals are skipped, because libraries use them. */
#define SKIPPED_SIGNALS 5

/* A signal that is handled here. */
struct taken {
	int number;              /* 0: none */
	struct sigaction before; /* its action until then */
};

struct wake {
	timer_t timer;
	pid_t thread;
	struct taken timer_signal, socket_signal;
	atomic_bool started;
	atomic_bool news; /* of a watched socket */
};

/* By the number of their socket_signal: a handler has no other argument. */
static struct wake *_Atomic watchers[NSIG];

static void
do_nothing(int signal)
{
	(void)signal;
}

static void
take_note(int signal)
{
	struct wake *w = atomic_load(&watchers[signal]);
	int before = errno;

	if (w != NULL) {
		atomic_store(&w->news, true);
		wake_start(w, WAKE_SOCKET_US);
	}
	errno = before;
}

static bool
is_free(int signal)
{
	struct sigaction now;

	return sigaction(signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
	    now.sa_handler == SIG_DFL;
}

/* SA_RESTART restarts the broker's other system calls; epoll_wait() is never restarted.
 * SA_ONSTACK: another plugin may run on small stacks of its own, as those in Go do, and gives
 * the thread a stack for signals (os/signal, "Non-Go programs that call Go code"). */
static bool
handle(struct taken *t, int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK };

	sigemptyset(&action.sa_mask);
	if (sigaction(number, &action, &t->before) != 0)
		return false;
	t->number = number;
	return true;
}

static bool
take_signal(struct taken *t, void (*handler)(int))
{
	for (int n = SIGRTMIN + SKIPPED_SIGNALS; n <= SIGRTMAX; n++)
		if (is_free(n))
			return handle(t, n, handler);
	return false;
}

/* The signal is ignored first, which discards a pending one: the default action would end the
 * process. */
static void
restore_signal(struct taken *t, void (*handler)(int))
{
	struct sigaction now, ignore = { .sa_handler = SIG_IGN };

	if (t->number == 0 || sigaction(t->number, NULL, &now) != 0 || now.sa_handler != handler)
		return; /* something else uses the signal now */
	(void)sigaction(t->number, &ignore, NULL);
	(void)sigaction(t->number, &t->before, NULL);
	t->number = 0;
}

static bool
make_timer(struct wake *w)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = w->timer_signal.number };

	w->thread = (pid_t)syscall(SYS_gettid);
	event.sigev_notify_thread_id = w->thread;
	return timer_create(CLOCK_MONOTONIC, &event, &w->timer) == 0;
}

enum err
wake_open(struct wake **out)
{
	struct wake *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR_NOMEM;
	if (!take_signal(&w->timer_signal, do_nothing)) {
		free(w);
		return ERR_LIMIT;
	}
	if (!make_timer(w)) {
		restore_signal(&w->timer_signal, do_nothing);
		free(w);
		return ERR_LIMIT;
	}
	*out = w;
	return ERR_OK;
}

void
wake_close(struct wake *w)
{
	if (w == NULL)
		return;
	if (w->socket_signal.number != 0)
		atomic_store(&watchers[w->socket_signal.number], NULL);
	restore_signal(&w->socket_signal, take_note);
	(void)timer_delete(w->timer);
	restore_signal(&w->timer_signal, do_nothing);
	free(w);
}

static void
set_timer(struct wake *w, long us)
{
	struct timespec period = { .tv_nsec = us * 1000 };
	struct itimerspec spec = { .it_interval = period, .it_value = period };

	(void)timer_settime(w->timer, 0, &spec, NULL);
}

void
wake_start(struct wake *w, long us)
{
	if (w != NULL && !atomic_exchange(&w->started, true))
		set_timer(w, us);
}

/* The timer first: a wake_start() before the flag is cleared has no effect, but its work is
 * found by the tick that calls this. */
void
wake_stop(struct wake *w)
{
	if (w == NULL || !atomic_load(&w->started))
		return;
	set_timer(w, 0);
	atomic_store(&w->started, false);
}

/*
 * Sockets.
 */

static bool
take_socket_signal(struct wake *w)
{
	struct taken *t = &w->socket_signal;

	if (t->number != 0)
		return true;
	if (!(is_free(SIGIO) && handle(t, SIGIO, take_note)) && !take_signal(t, take_note))
		return false;
	atomic_store(&watchers[t->number], w);
	return true;
}

/* The thread, not the process: 2.1 has others. */
static bool
set_owner(const struct wake *w, int fd)
{
	struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = w->thread };

	return fcntl(fd, F_SETOWN_EX, &owner) == 0 &&
	    fcntl(fd, F_SETSIG, w->socket_signal.number) == 0;
}

static bool
set_async(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC) == 0;
}

/* What arrived before is news, too: no signal is sent for it. */
enum err
wake_watch(struct wake *w, int fd)
{
	if (!take_socket_signal(w) || !set_owner(w, fd) || !set_async(fd, true))
		return ERR_LIMIT;
	atomic_store(&w->news, true);
	wake_start(w, WAKE_SOCKET_US);
	return ERR_OK;
}

void
wake_unwatch(int fd)
{
	(void)set_async(fd, false);
}

bool
wake_take_news(struct wake *w)
{
	return w != NULL && atomic_exchange(&w->news, false);
}
