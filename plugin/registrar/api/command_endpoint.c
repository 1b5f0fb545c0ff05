/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_endpoint.c - the address at which devices connect (AWS: DescribeEndpoint;
 * aws-iot A.8).
 *
 * Scripts for AWS begin with it.  AWS's type for data exists here, in its two spellings;
 * credentials and jobs have no endpoint here.
 */
#include <string.h>

#include "command_answer.h"
#include "command_parse.h"

static bool
is_data(const char *type)
{
	return strcmp(type, "iot:Data-ATS") == 0 || strcmp(type, "iot:Data") == 0;
}

static void
parse_endpoint(struct members *m, struct command *c)
{
	const char *type = json_string(m, "endpointType", 0, 128, false);

	if (type != NULL && !is_data(type)) {
		diag_set(&c->diag,
		    "Endpoint type '%.48s' is not recognized: there are iot:Data-ATS "
		    "and iot:Data",
		    type);
		parse_result(m, ERR_REQUEST);
	}
	PARSE_ONLY(m, "endpointType");
}

static enum err
answer_endpoint(struct command *c, cJSON *data)
{
	add_text(data, "endpointAddress", c->context->account->endpoint);
	return ERR_OK;
}

static const struct command_type rows[] = {
	{
	    .name = "describeEndpoint",
	    .parse = parse_endpoint,
	    .answer = answer_endpoint,
	},
};

const struct command_group endpoint_commands = { rows, COUNT_OF(rows) };
