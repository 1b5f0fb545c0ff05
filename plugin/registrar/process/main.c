/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* main.c - the program of the registrar (registrar.h). */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "registrar.h"

#include "jitr/service/child.h"

#define TURN_MS 100

/* The plugin gives it one end of a pair of sockets. */
static bool
is_started_by_the_plugin(void)
{
	struct stat st;

	return fstat(CHILD_FD, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* A write fails with EPIPE or EFBIG instead, and its error is reported. */
static void
ignore_signals_of_writes(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

int
main(void)
{
	struct registrar *r;
	bool failed;

	if (!is_started_by_the_plugin()) {
		(void)fprintf(stderr,
		    "mosquitto_jitr_registrar %s is a part of the plugin mosquitto_jitr, which "
		    "starts it. Commands are mosquitto_jitr's and mosquitto_ctrl's.\n",
		    JITR_VERSION);
		return 2;
	}
	ignore_signals_of_writes();
	if (registrar_open(CHILD_FD, &r) != ERR_OK)
		return 1;
	while (registrar_turn(r, TURN_MS) != REGISTRAR_ENDED)
		continue;
	failed = registrar_failed(r);
	registrar_close(r);
	return failed ? 1 : 0;
}
