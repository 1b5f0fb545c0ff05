/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policies.h - policies in a short notation: ' for ", and @ for the beginning of this broker's
 * ARNs.
 */
#ifndef JITR_TEST_POLICIES_H
#define JITR_TEST_POLICIES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/policy.h"

#define TEST_REGION  "us-east-1"
#define TEST_ACCOUNT "123456789012"
#define TEST_PREFIX  "arn:aws:iot:" TEST_REGION ":" TEST_ACCOUNT ":"

/* The JSON text; the caller frees it. */
static inline char *
policy_text(const char *written)
{
	char *text = malloc(strlen(written) * sizeof(TEST_PREFIX) + 1), *to = text;

	for (; text != NULL && *written != '\0'; written++) {
		if (*written == '@') {
			memcpy(to, TEST_PREFIX, sizeof(TEST_PREFIX) - 1);
			to += sizeof(TEST_PREFIX) - 1;
		} else {
			*to++ = *written == '\'' ? '"' : *written;
		}
	}
	if (text != NULL)
		*to = '\0';
	return text;
}

static inline enum err
policy_read(const char *written, struct policy **out, struct diag *diag)
{
	struct arn_scope scope = arn_scope_of(TEST_REGION, TEST_ACCOUNT);
	char *text = policy_text(written);
	enum err e = policy_compile(view_of(text), &scope, out, diag);

	free(text);
	return e;
}

/* The ARN's beginning for this action. */
static inline struct view
head_of(enum policy_action a)
{
	static char heads[POLICY_ACTION_COUNT][160];

	if (a == POLICY_CONTROL)
		return view_of("");
	(void)snprintf(heads[a], sizeof(heads[a]), "%s%s/", TEST_PREFIX, policy_resource_type(a));
	return view_of(heads[a]);
}

#endif
