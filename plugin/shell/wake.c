/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* wake.c - see wake.h. */
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

struct wake {
	timer_t timer;
	int signal;
	struct sigaction before; /* the signal's action before wake_open() */
	atomic_bool started;
};

static void
do_nothing(int signal)
{
	(void)signal;
}

static bool
is_free(int signal)
{
	struct sigaction now;

	return sigaction(signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
	    now.sa_handler == SIG_DFL;
}

/* SA_RESTART restarts the broker's other system calls; epoll_wait() is never restarted. */
static bool
take_signal(struct wake *w)
{
	struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	for (w->signal = SIGRTMIN + SKIPPED_SIGNALS; w->signal <= SIGRTMAX; w->signal++)
		if (is_free(w->signal))
			return sigaction(w->signal, &action, &w->before) == 0;
	return false;
}

/* The signal is ignored first, which discards a pending one: the default action would end the
 * process. */
static void
restore_signal(struct wake *w)
{
	struct sigaction now, ignore = { .sa_handler = SIG_IGN };

	if (sigaction(w->signal, NULL, &now) != 0 || now.sa_handler != do_nothing)
		return; /* something else uses the signal now */
	(void)sigaction(w->signal, &ignore, NULL);
	(void)sigaction(w->signal, &w->before, NULL);
}

static bool
make_timer(struct wake *w)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = w->signal };

	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	return timer_create(CLOCK_MONOTONIC, &event, &w->timer) == 0;
}

enum err
wake_open(struct wake **out)
{
	struct wake *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR_NOMEM;
	if (!take_signal(w)) {
		free(w);
		return ERR_LIMIT;
	}
	if (!make_timer(w)) {
		restore_signal(w);
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
	(void)timer_delete(w->timer);
	restore_signal(w);
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
