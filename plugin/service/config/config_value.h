/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_value.h - the values of options.  Each function returns false and sets *diag if the
 * value is not valid.
 */
#ifndef JITR_CONFIG_VALUE_H
#define JITR_CONFIG_VALUE_H

#include "jitr/core/base.h"

/* *diag: the value must be this.  Always false. */
bool value_refuse(struct diag *diag, const char *value, const char *must);

/* A path; *out is allocated. */
bool value_text(char **out, const char *value, struct diag *diag);

bool value_number(int64_t *out, const char *value, int64_t min, int64_t max, struct diag *diag);

/* One of two words: *first is set if it is yes. */
bool value_choice(bool *first, const char *value, const char *yes, const char *no,
    struct diag *diag);

/* One of three words: *which is its index. */
bool value_word(size_t *which, const char *value, const char *const words[3], struct diag *diag);

/* The next name of a comma-separated list, without blanks around it; false: the end.  *list
 * is NULL after the last one. */
bool value_next_name(const char **list, struct view *name);

#endif
