/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* authorize.c - see authorize.h. */
#include <stdio.h>
#include <string.h>

#include "authorize.h"
#include "content.h"

/* Empty: the action has no resource. */
static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

void
authorize_command(struct command *c)
{
	char action[ACTION_SIZE], resource[RESOURCE_SIZE], also[RESOURCE_SIZE],
	    on[RESOURCE_SIZE + ARN_PREFIX_SIZE] = "*";

	if (c->type == NULL || c->result == ERR_REQUEST)
		return;
	command_action(c->type, action);
	resource_text(c->type->resource, &c->id, c->named, resource);
	resource_text(c->type->also, &c->id, c->named, also);
	if (caller_rights_may(c->context->rights, action, text_or_null(resource),
		text_or_null(also)))
		return;
	if (resource[0] != '\0')
		(void)snprintf(on, sizeof(on), "%s%s", c->context->account->scope.prefix, resource);
	c->result = ERR_DENIED;
	if (also[0] == '\0')
		diag_set(&c->diag, "No policy of this client allows %s on %s", action, on);
	else
		diag_set(&c->diag,
		    "No policy of this client allows %s on %s, or one denies it on %s", action, on,
		    also);
}

/*
 * Content.
 */

static enum err
content_read(const struct command *c, struct store *store, struct content *out)
{
	struct txn t;
	enum err e = store_read(store, &t);

	if (e != ERR_OK)
		return e;
	out->txn = &t;
	e = c->type->content(c, out);
	out->txn = NULL;
	store_end(&t);
	return e;
}

/* "cert/" stands for every certificate. */
static const char *
rest_of(const char *resource)
{
	size_t len = strlen(resource);

	return len > 0 && resource[len - 1] == '/' ? "*" : "";
}

static void
deny_need(struct command *c, const struct need *n)
{
	c->result = ERR_DENIED;
	diag_set(&c->diag,
	    "The content of this command needs %s on %s%s%s%s%s, and no policy of this "
	    "client allows it%s",
	    n->action, n->resource, rest_of(n->resource), n->also[0] != '\0' ? " with " : "",
	    n->also, rest_of(n->also), n->also[0] != '\0' ? ", or one denies it" : "");
}

void
authorize_content(struct command *c, struct store *store)
{
	struct content content = { .count = 0 };

	if (c->result != ERR_OK || c->type->content == NULL)
		return;
	c->result = content_read(c, store, &content);
	if (c->result == ERR_OK && content.reserved.text[0] != '\0') {
		c->result = ERR_DENIED;
		c->diag = content.reserved;
	}
	for (size_t i = 0; c->result == ERR_OK && i < content.count; i++) {
		const struct need *n = &content.needs[i];

		if (!caller_rights_may(c->context->rights, n->action, n->resource,
			text_or_null(n->also)))
			deny_need(c, n);
	}
}
