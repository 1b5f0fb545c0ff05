/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * terminal.c - see terminal.h.
 *
 * One thread.
 */
#include "terminal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

bool
terminal_ask(const char *prompt, char secret[SECRET_SIZE])
{
	if (!isatty(STDIN_FILENO))
		return false;
	/* OpenSSL's prompt restores the echo if it is interrupted.  It may write one
	 * byte more than the size passed. */
	return EVP_read_pw_string(secret, SECRET_SIZE - 1, prompt, 0) == 0;
}

void
terminal_wipe(char secret[SECRET_SIZE])
{
	OPENSSL_cleanse(secret, SECRET_SIZE);
}

static bool progress_shown;

void
terminal_progress(const char *what, size_t count)
{
	static time_t began;
	time_t now = time(NULL);

	if (began == 0)
		began = now;
	if (now - began < 2 || !isatty(STDERR_FILENO))
		return;
	(void)fprintf(stderr, "\r%zu %s ...", count, what);
	progress_shown = true;
}

void
terminal_progress_end(void)
{
	if (progress_shown)
		(void)fputs("\r\033[K", stderr);
	progress_shown = false;
}

int
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}
