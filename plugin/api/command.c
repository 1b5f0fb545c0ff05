/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command.c - see command.h. */
#include <stdio.h>
#include <string.h>

#include "command.h"

#include "jitr/adapter/x509.h"
#include "jitr/core/aws_gap.h"
#include "jitr/core/text.h"

#include "command_parse.h"
#include "trial.h"

static const struct command_group *const groups[] = {
	&attach_commands,
	&ca_commands,
	&certificate_commands,
	&certificate_list_commands,
	&code_commands,
	&crl_commands,
	&effective_policy_commands,
	&endpoint_commands,
	&explain_commands,
	&policy_commands,
	&policy_version_commands,
	&template_commands,
	&test_commands,
	&thing_commands,
	&thing_list_commands,
	&thing_principal_commands,
};

const struct command_type *
command_at(size_t nth)
{
	for (size_t g = 0; g < COUNT_OF(groups); g++) {
		if (nth < groups[g]->count)
			return &groups[g]->types[nth];
		nth -= groups[g]->count;
	}
	return NULL;
}

const struct command_type *
command_find(const char *name)
{
	for (size_t g = 0; g < COUNT_OF(groups); g++)
		for (size_t i = 0; i < groups[g]->count; i++)
			if (strcmp(groups[g]->types[i].name, name) == 0)
				return &groups[g]->types[i];
	return NULL;
}

void
command_action(const struct command_type *type, char out[ACTION_SIZE])
{
	(void)snprintf(out, ACTION_SIZE, "iot:%s", type->name);
	out[4] = (char)(out[4] - 'a' + 'A');
}

struct action_names
command_actions(void)
{
	static char text[COMMANDS_MAX][ACTION_SIZE];
	static const char *names[COMMANDS_MAX];
	const struct command_type *type;
	size_t count = 0;

	while (count < COMMANDS_MAX && (type = command_at(count)) != NULL) {
		command_action(type, text[count]);
		names[count] = text[count];
		count++;
	}
	return (struct action_names){ names, count };
}

/*
 * Parsing.
 */

/* A name in another spelling: of AWS's API or of its command line. */
static void
set_misspelt(const char *name, struct diag *diag)
{
	const struct command_type *type;

	for (size_t i = 0; (type = command_at(i)) != NULL; i++) {
		if (!aws_same_name(name, view_of(type->name)))
			continue;
		diag_set(diag, "Unknown command '%.48s': its name is %s", name, type->name);
		return;
	}
	diag_set(diag, "Unknown command '%.48s'", name);
}

/* An operation of AWS IoT that this plugin does not have: the sentence names a
 * replacement. */
static void
set_unknown(const char *name, struct diag *diag)
{
	const struct aws_gap *gap = aws_gap_find(name);
	char sentence[sizeof(diag->text)];
	struct text t = text_in(sentence, sizeof(sentence));

	if (gap == NULL) {
		set_misspelt(name, diag);
		return;
	}
	text_addf(&t, "Command '%.48s' of AWS IoT is not supported here: %s", name, gap->why);
	for (size_t i = 0; i < AWS_GAP_USE_MAX && gap->use[i] != NULL; i++)
		text_addf(&t, "%s%c%s", i == 0 ? "; see " : " and ", gap->use[i][0] - 'A' + 'a',
		    gap->use[i] + 1);
	diag_set(diag, "%s", sentence);
}

static void
parse_members(struct members *m, struct command *c)
{
	c->type = command_find(c->name);
	if (c->type == NULL) {
		m->failed = ERR_REQUEST;
		set_unknown(c->name, &c->diag);
	} else if (c->type->parse != NULL) {
		c->type->parse(m, c);
	} else {
		parse_only(m, (const char *const[]){ "command", "correlationData", NULL });
	}
}

void
command_parse(const cJSON *json, struct command *c, const struct command_context *context,
    int64_t now)
{
	struct members m;

	memset(c, 0, sizeof(*c));
	c->context = context;
	c->asked = now;
	if (!cJSON_IsObject(json)) {
		c->result = ERR_REQUEST;
		diag_set(&c->diag, "A command must be an object");
		return;
	}
	m = json_members(json, &c->diag);
	c->correlation = json_string(&m, "correlationData", 0, 1024, false);
	c->name = json_string(&m, "command", 1, 128, true);
	if (c->name != NULL)
		parse_members(&m, c);
	c->result = m.failed;
}

void
command_clear(struct command *c)
{
	x509_free(c->x);
	x509_free(c->issuer);
	crl_import_free(c->import);
	trial_free(c->trial);
	cJSON_free(c->kept);
	memset(c, 0, sizeof(*c));
}

/*
 * After a change.
 */

void
command_notify(const struct command *c)
{
	const struct change_listener *listener = c->context->listener;

	if (c->silent)
		return;
	switch (c->type->changed) {
	case RESOURCE_CERTIFICATE:
		listener->certificate(listener->context, &c->id);
		break;
	case RESOURCE_POLICY:
		listener->policy(listener->context, c->named);
		break;
	case RESOURCE_THING:
		listener->thing(listener->context, c->named);
		break;
	case RESOURCE_CA:       /* request_run.c updates the mirror of the CAs */
	case RESOURCE_CRL:      /* conclude() of the row tells crls.h */
	case RESOURCE_TEMPLATE: /* is read for each registration */
	case RESOURCE_NONE:
		break;
	}
}

void
command_conclude(const struct command *c)
{
	if (c->type->conclude != NULL)
		c->type->conclude(c);
}
