/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * tree.h - remove a directory and everything below it.
 */
#ifndef JITR_TEST_TREE_H
#define JITR_TEST_TREE_H

#include <stdbool.h>

bool remove_tree(const char *path);

#endif
