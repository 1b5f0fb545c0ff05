/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * no_memory.h - malloc() that fails once, for programs linked with WRAP malloc.
 *
 * fault.h is for allocations of libraries too.
 */
#ifndef JITR_TEST_NO_MEMORY_H
#define JITR_TEST_NO_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The next allocation fails. */
static bool out_of_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	if (!out_of_memory)
		return __real_malloc(size);
	out_of_memory = false;
	return NULL;
}

#endif
