/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * memory_file.h - files that exist only while a target runs, for code that opens files by
 * name: the input cannot name a file of the machine.
 *
 * The program is linked with --wrap=fopen (and --wrap=scandir, if it lists directories).
 * Outside of memory_files_begin() and memory_files_end() the functions are libc's.
 */
#ifndef JITR_FUZZ_MEMORY_FILE_H
#define JITR_FUZZ_MEMORY_FILE_H

#include "jitr/core/base.h"

/* The content of a file; data NULL: there is none of this name. */
typedef struct view memory_file_find(const char *path);

void memory_files_begin(memory_file_find *find);
void memory_files_end(void);

/* The names that scandir() finds in every directory; NULL ends them.  At first none. */
void memory_files_list(const char *const *names);

#endif
