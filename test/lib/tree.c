/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */

#define _XOPEN_SOURCE 700 /* nftw() */
#include <ftw.h>
#include <stdio.h>

#include "tree.h"

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

bool
remove_tree(const char *path)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}
