/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* fuzz_json.c - control requests: each command is parsed, or refused with a text. */
#include <stdlib.h>

#include "command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2026, so that the certificates of the corpus are valid. */
#define NOW INT64_C(1798000000000)

static struct account account = { "123456789012", "eu-central-1", "localhost", { "" } };
static const struct command_context context = { .account = &account };

static void
try_command(const cJSON *json)
{
	struct command c;

	command_parse(json, &c, &context, NOW);
	if (c.result != ERR_OK && c.diag.text[0] == '\0' && c.result != ERR_NOMEM)
		abort();
	if (c.result == ERR_OK && c.type == NULL)
		abort();
	command_clear(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = { "" };
	const cJSON *commands, *one;
	cJSON *json = NULL;
	enum err e = json_parse((struct view){ data, size }, 16, &json, &diag);

	if (e == ERR_NOMEM)
		abort(); /* memory does not run out, so the two grammars differ */
	if (e != ERR_OK)
		return 0;
	account.scope = arn_scope_of(account.region, account.id);
	commands = cJSON_GetObjectItemCaseSensitive(json, "commands");
	cJSON_ArrayForEach(one, commands) try_command(one);
	cJSON_Delete(json);
	return 0;
}
