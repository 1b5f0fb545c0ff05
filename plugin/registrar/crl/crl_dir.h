/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_dir.h - access to the directory of revocation lists.
 *
 * A caller with the right to set crlFile over the control topic names files of the broker's
 * machine, and the result of an import would reveal whether a file exists and what it is.
 * Therefore all files must be in one directory, which mosquitto.conf names: crlFile is a name
 * below it, or a path that begins with it.  Symbolic links are followed as long as they stay
 * below the directory.
 *
 * A path outside can only have been stored by version 0.1, or before the option was changed.
 * Such a file is still read, without these checks.
 *
 * Any thread.  dir: the directory, with or without a final '/'; NULL: none is configured,
 * and every path is outside.
 */
#ifndef JITR_CRL_DIR_H
#define JITR_CRL_DIR_H

#include <sys/stat.h>

#include "jitr/core/base.h"

/* Does the path name a file below the directory?  Decided from the text only. */
bool crl_dir_contains(const char *dir, struct view path);

/* As fstatat(), without following a symbolic link out of the directory.  0, or errno. */
MUST_USE int crl_dir_stat(const char *dir, const char *path, struct stat *st);

/* For reading; does not block on a pipe.  -1: errno. */
MUST_USE int crl_dir_open(const char *dir, const char *path);

#endif
