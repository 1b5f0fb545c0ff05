/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_place.h - where files of revocation lists may be.
 *
 * A caller that may set crlFile over the control topic names files of the broker's machine.
 * What becomes of them tells whether they exist and what they are, so they have to
 * be in one directory, which mosquitto.conf names: a name below it, or a path that
 * begins with it.  Symbolic links are followed as long as they stay below it.
 *
 * A path elsewhere can only have been stored by version 0.1, or before the option
 * changed.  It goes on being read, as it was.
 *
 * Any thread.  dir: the directory, with or without '/' behind it; NULL: there is
 * none, and every path is elsewhere.
 */
#ifndef JITR_CRL_PLACE_H
#define JITR_CRL_PLACE_H

#include <sys/stat.h>

#include "jitr/core/base.h"

/* Does it name a file below the directory?  Of its text alone. */
bool crl_place_has(const char *dir, struct view path);

/* 0, or errno. */
MUST_USE int crl_place_stat(const char *dir, const char *path, struct stat *st);

/* To read; a pipe does not wait.  -1: errno says why. */
MUST_USE int crl_place_open(const char *dir, const char *path);

#endif
