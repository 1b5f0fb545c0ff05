/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_code.c - the registration code (aws-iot A.1). */
#include "command.h"

static enum err
run_get_code(struct txn *t, struct command *c)
{
	return registry_registration_code(t, c->code);
}

static enum err
answer_code(struct command *c, cJSON *data)
{
	cJSON_AddStringToObject(data, "registrationCode", c->code);
	return ERR_OK;
}

static enum err
run_delete_code(struct txn *t, struct command *c)
{
	return registry_delete_registration_code(t, &c->diag);
}

static const struct command_type rows[] = {
	{
	    .name = "deleteRegistrationCode",
	    .plain = true,
	    .run = run_delete_code,
	},
	{
	    .name = "getRegistrationCode", /* makes one if there is none */
	    .plain = true,
	    .run = run_get_code,
	    .answer = answer_code,
	},
};

const struct command_group code_commands = { rows, COUNT_OF(rows) };
