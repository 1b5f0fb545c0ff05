/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* fault.c - see fault.h. */
#include <errno.h>
#include <stddef.h>

#include "fault.h"

static _Thread_local unsigned long left; /* 0: none fails */
static _Thread_local bool lasts, happened, paused;

void
fault_at(unsigned long n, bool lasting)
{
	left = n;
	lasts = lasting;
	happened = false;
}

void
fault_pause(bool pause)
{
	paused = pause;
}

bool
fault_end(void)
{
	left = 0;
	lasts = false;
	return happened;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

bool
fault_works(void)
{
	return false;
}

#else

bool
fault_works(void)
{
	return true;
}

static bool
fails(void)
{
	if (paused)
		return false;
	if (!(happened && lasts)) {
		if (left == 0 || --left > 0)
			return false;
		happened = true;
	}
	errno = ENOMEM;
	return true;
}

/* glibc's own functions, under the names that a replacement may call. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

/* Also for calls from the libraries. */
#define FOR_ALL __attribute__((visibility("default")))

FOR_ALL void *malloc(size_t size);
FOR_ALL void *calloc(size_t count, size_t size);
FOR_ALL void *realloc(void *old, size_t size);

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

#endif
