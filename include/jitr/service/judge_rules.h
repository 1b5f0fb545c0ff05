/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * judge_rules.h - the options by which certificates are judged.
 *
 * The broker and the registrar take them from here, so that they decide alike.
 */
#ifndef JITR_JUDGE_RULES_H
#define JITR_JUDGE_RULES_H

#include "jitr/service/config.h"
#include "jitr/service/registry.h"

struct registry_rules registry_rules_of(const struct config *c);

#endif
