/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* access.c - see access.h. */
#include <stdlib.h>
#include <time.h>

#include "access.h"

#include "jitr/adapter/form.h"
#include "jitr/service/registry_policy.h"

#define POLICIES   3
#define STATEMENTS 5 /* of each */

#define ARN "arn:aws:iot:local:000000000000:"

static const char *const policy_names[POLICIES] = { "Guard", "Device", "Line" };

/* %s is the client's name; role_type NULL: roles have no equivalent. */
struct statement {
	bool allow;
	const char *action, *resource;
	const char *role_type, *role_topic;
};

#define SEND      "publishClientSend"
#define RECEIVE   "publishClientReceive"
#define SUBSCRIBE "subscribePattern"

static const struct statement statements[POLICIES][STATEMENTS] = {
	{
	    { true, "iot:Connect", "client/${iot:Certificate.Subject.CommonName}", NULL, NULL },
	    { false, "iot:Publish", "topic/factory/*/configuration", SEND,
		"factory/+/+/configuration" },
	    { false, "iot:Publish", "topic/factory/*/firmware", SEND, "factory/+/+/firmware" },
	    { false, "iot:Subscribe", "topicfilter/factory/*/secrets", SUBSCRIBE,
		"factory/+/+/secrets" },
	    { false, "iot:Receive", "topic/factory/*/secrets", RECEIVE, "factory/+/+/secrets" },
	},
	{
	    { true, "iot:Publish", "topic/factory/line1/${iot:ClientId}/telemetry", SEND,
		"factory/line1/%s/telemetry" },
	    { true, "iot:Publish", "topic/factory/line1/${iot:ClientId}/state", SEND,
		"factory/line1/%s/state" },
	    { true, "iot:Publish",
		"topic/factory/line1/${iot:Certificate.Subject.CommonName}/vibration", SEND,
		"factory/line1/%s/vibration" },
	    { true, "iot:Publish", "topic/factory/line1/${iot:Certificate.Subject.CommonName}/log*",
		SEND, "factory/line1/%s/log/#" },
	    { true, "iot:RetainPublish", "topic/factory/line1/${iot:ClientId}/state", NULL, NULL },
	},
	{
	    { true, "iot:Publish",
		"topic/factory/line1/alarms/${iot:Certificate.Subject.CommonName}", SEND,
		"factory/line1/alarms/%s" },
	    { true, "iot:Subscribe", "topicfilter/factory/line1/${iot:ClientId}/commands",
		SUBSCRIBE, "factory/line1/%s/commands" },
	    { true, "iot:Receive", "topic/factory/line1/${iot:ClientId}/commands", RECEIVE,
		"factory/line1/%s/commands" },
	    { true, "iot:Subscribe", "topicfilter/factory/line1/*", SUBSCRIBE, "factory/line1/#" },
	    { true, "iot:Receive", "topic/factory/line1/*", RECEIVE, "factory/line1/#" },
	},
};

/*
 * Policies.
 */

static void
write_policy(FILE *f, const struct statement *s)
{
	fprintf(f, "{\"Version\":\"2012-10-17\",\"Statement\":[");
	for (size_t i = 0; i < STATEMENTS; i++)
		fprintf(f, "%s\n{\"Effect\":\"%s\",\"Action\":\"%s\",\"Resource\":\"" ARN "%s\"}",
		    i > 0 ? "," : "", s[i].allow ? "Allow" : "Deny", s[i].action, s[i].resource);
	fprintf(f, "]}\n");
}

static void
create_policy(struct txn *t, size_t policy, int64_t now)
{
	struct view name = view_of(policy_names[policy]), document = { NULL, 0 }, form;
	struct diag diag = { "" };
	char *text = NULL;
	FILE *f = open_memstream(&text, &document.len);

	must(f != NULL, "memory");
	write_policy(f, statements[policy]);
	must(fclose(f) == 0, "memory");
	document.data = (const uint8_t *)text;
	must(form_make(FORM_POLICY, document, &form) == ERR_OK, "memory");
	if (registry_create_policy(t, name,
		&(struct new_policy_version){ .document = document, .form = form }, now,
		&diag) != ERR_OK)
		die("%s: %s", policy_names[policy], diag.text);
	form_free(form);
	free(text);
}

static void
attach_policy(struct txn *t, size_t policy, const struct device *d)
{
	struct view name = view_of(policy_names[policy]);
	struct diag diag = { "" };

	if (registry_attach_policy(t, name, &d->id, &diag) != ERR_OK)
		die("%s: %s", policy_names[policy], diag.text);
}

void
access_register(struct store *s, const struct device *d, size_t count)
{
	struct txn t;

	must(store_write(s, &t) == ERR_OK, "write transaction");
	for (size_t policy = 0; policy < POLICIES; policy++) {
		create_policy(&t, policy, (int64_t)time(NULL) * 1000);
		for (size_t i = 0; i < count; i++)
			attach_policy(&t, policy, &d[i]);
	}
	must(store_commit(&t) == ERR_OK, "commit");
}

/*
 * Roles.
 */

/* A topic of the table with the client's name in its place. */
static void
write_topic(FILE *f, const char *topic, const char *name)
{
	for (; *topic != '\0'; topic++) {
		if (topic[0] == '%' && topic[1] == 's') {
			fputs(name, f);
			topic++;
		} else {
			fputc(*topic, f);
		}
	}
}

/* Higher priorities come first. */
static void
write_role(FILE *f, size_t policy, const char *client)
{
	const struct statement *s = statements[policy];
	size_t written = 0;

	fprintf(f, "{\"rolename\":\"%s-%s\",\"acls\":[", policy_names[policy], client);
	for (size_t i = 0; i < STATEMENTS; i++) {
		if (s[i].role_type == NULL)
			continue;
		fprintf(f, "%s{\"acltype\":\"%s\",\"topic\":\"", written++ > 0 ? "," : "",
		    s[i].role_type);
		write_topic(f, s[i].role_topic, client);
		fprintf(f, "\",\"priority\":%zu,\"allow\":%s}", STATEMENTS - i,
		    s[i].allow ? "true" : "false");
	}
	fprintf(f, "]}");
}

static void
write_client(FILE *f, const char *client)
{
	fprintf(f, "{\"username\":\"%s\",\"roles\":[", client);
	for (size_t i = 0; i < POLICIES; i++)
		fprintf(f, "%s{\"rolename\":\"%s-%s\",\"priority\":%zu}", i > 0 ? "," : "",
		    policy_names[i], client, POLICIES - i);
	fprintf(f, "]}");
}

void
access_write_roles(FILE *f, const struct device *d, size_t count)
{
	fprintf(f,
	    "{\"defaultACLAccess\":{\"publishClientSend\":false,"
	    "\"publishClientReceive\":false,\"subscribe\":false,\"unsubscribe\":false},\n"
	    "\"roles\":[");
	for (size_t i = 0; i < count; i++)
		for (size_t policy = 0; policy < POLICIES; policy++) {
			fputs(i + policy > 0 ? ",\n" : "\n", f);
			write_role(f, policy, d[i].name);
		}
	fprintf(f, "],\n\"clients\":[");
	for (size_t i = 0; i < count; i++) {
		fputs(i > 0 ? ",\n" : "\n", f);
		write_client(f, d[i].name);
	}
	fprintf(f, "]}\n");
}
