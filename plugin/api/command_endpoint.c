/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_endpoint.c - where devices connect (AWS: DescribeEndpoint; aws-iot A.8).
 *
 * Scripts for AWS begin by asking it.  Of AWS's types there is the one for data, in
 * its two spellings; credentials and jobs have no endpoint here.
 */
#include <string.h>

#include "command.h"

static bool
is_data(const char *type)
{
	return strcmp(type, "iot:Data-ATS") == 0 || strcmp(type, "iot:Data") == 0;
}

void
parse_endpoint(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "endpointType" };
	const char *type = json_string(m, "endpointType", 0, 128, false);

	if (type != NULL && !is_data(type)) {
		diag_set(&c->diag,
		    "Endpoint type '%.48s' is not recognized: there are iot:Data-ATS "
		    "and iot:Data",
		    type);
		parse_take(m, ERR_REQUEST);
	}
	json_only(m, names, COUNT_OF(names));
}

enum err
render_endpoint(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
	add_text(data, "endpointAddress", c->account->endpoint);
	return ERR_OK;
}
