/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_test_authorization.c - may a certificate do this? (aws-iot A.7)
 *
 * All its policies are asked about all resources, each policy alone and all together.
 * A question takes a few milliseconds at most (policies are asked twice about a shared
 * subscription), and there may be thousands: the command goes on in the next slice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_answer.h"
#include "command_question.h"
#include "command_parse.h"
#include "trial.h"

#define RESOURCES_MAX      10
#define RESOURCE_BYTES_MAX 2048

/* AWS's words for actions, in AWS's order, which its error messages show. */
static const char *const action_types[] = { "PUBLISH", "SUBSCRIBE", "RECEIVE", "CONNECT" };
static const enum policy_action actions[] = { POLICY_PUBLISH, POLICY_SUBSCRIBE, POLICY_RECEIVE,
	POLICY_CONNECT };

struct trial {
	struct explain *explain;

	/* The next question: the element of authInfos; the policy, the number of policies
	 * stands for all together; the resource, NULL for the first. */
	size_t info, policy;
	const cJSON *arn;

	size_t spent; /* steps, by the last question */
	enum policy_result results[AUTH_INFOS_MAX][EXPLAIN_POLICIES_MAX + 1];
};

/*
 * Members.
 */

static void
parse_names(struct members *m, const char *name, struct view *out, size_t *count)
{
	const cJSON *list = json_array(m, name, ADDED_POLICIES_MAX), *item;

	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item)) {
			json_fail(m, name, NULL, "be a list of policy names");
			return;
		}
		out[(*count)++] = view_of(item->valuestring);
	}
}

/* The text behind "arn:...:<type>/"; data NULL: it is no such ARN. */
static struct view
resource_name(const struct command *c, enum policy_action action, const char *arn)
{
	char head[ARN_PREFIX_SIZE + 16];
	int len = snprintf(head, sizeof(head), "%s%s/", c->context->account->scope.prefix,
	    policy_resource_type(action));

	if (strncmp(arn, head, (size_t)len) != 0 || arn[len] == '\0')
		return (struct view){ NULL, 0 };
	return view_of(arn + len);
}

static void
check_resources(struct members *m, const struct command *c, enum policy_action action,
    const cJSON *resources)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, resources)
	{
		if (cJSON_IsString(item) && strlen(item->valuestring) <= RESOURCE_BYTES_MAX &&
		    resource_name(c, action, item->valuestring).data != NULL)
			continue;
		parse_result(m, ERR_REQUEST);
		diag_set(m->diag,
		    "Invalid resource '%.80s' at 'authInfos': for %s it must be %s%s/...",
		    cJSON_IsString(item) ? item->valuestring : "", policy_action_name(action),
		    c->context->account->scope.prefix, policy_resource_type(action));
		return;
	}
}

static void
check_auth_info(struct members *m, const struct command *c, const cJSON *json)
{
	static const char *const names[] = { "actionType", "resources" };
	struct members info = json_members(json, m->diag);
	const cJSON *resources;
	int word;

	if (!cJSON_IsObject(json)) {
		json_fail(m, "authInfos", NULL, "be a list of objects");
		return;
	}
	word = json_word(&info, "actionType", action_types, COUNT_OF(action_types), true);
	resources = json_array(&info, "resources", RESOURCES_MAX);
	if (info.failed == ERR_OK && cJSON_GetArraySize(resources) == 0)
		json_fail(&info, "resources", NULL, "be a list of at least one ARN");
	json_only(&info, names, COUNT_OF(names));
	if (info.failed == ERR_OK)
		check_resources(&info, c, actions[word], resources);
	parse_result(m, info.failed);
}

static void
parse_test_authorization(struct members *m, struct command *c)
{
	const cJSON *infos = json_array(m, "authInfos", AUTH_INFOS_MAX), *info;

	if (m->failed == ERR_OK && cJSON_GetArraySize(infos) == 0)
		json_fail(m, "authInfos", NULL, "be a list of at least one element");
	cJSON_ArrayForEach(info, infos) if (m->failed == ERR_OK) check_auth_info(m, c, info);
	c->explain.auth_infos = infos;
	parse_optional_principal(m, c);
	parse_client_id(m, c);
	parse_names(m, "policyNamesToAdd", c->explain.add, &c->explain.add_count);
	parse_names(m, "policyNamesToSkip", c->explain.skip, &c->explain.skip_count);
	PARSE_ONLY(m, "principal", "authInfos", "clientId", "policyNamesToAdd",
	    "policyNamesToSkip");
}

/*
 * Questions.
 */

void
trial_free(struct trial *trial)
{
	if (trial != NULL)
		explain_close(trial->explain);
	free(trial);
}

static enum err
trial_begin(struct txn *t, struct command *c)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	struct explain_request r;
	enum err e;

	if (trial == NULL)
		return ERR_NOMEM;
	r = explain_request_of(c, &trial->spent);
	e = explain_open(c->context->judge, t, &r, &trial->explain, &c->diag);
	if (e == ERR_OK)
		c->trial = trial;
	else
		trial_free(trial);
	return e;
}

static enum policy_action
action_of(const cJSON *info)
{
	struct members m = json_members(info, NULL);
	int word = json_word(&m, "actionType", action_types, COUNT_OF(action_types), true);

	return actions[word];
}

/* The result for several resources is the worst of theirs. */
static enum policy_result
worse_of(enum policy_result a, enum policy_result b)
{
	if (a == POLICY_EXPLICIT_DENY || b == POLICY_EXPLICIT_DENY)
		return POLICY_EXPLICIT_DENY;
	return a == POLICY_ALLOWED ? b : a;
}

/* Asks one question and moves on to the next one.  After an explicit Deny no other resource
 * can change the result. */
static void
trial_ask(struct command *c, const cJSON *info)
{
	struct trial *trial = c->trial;
	enum policy_result *result = &trial->results[trial->info][trial->policy];
	enum policy_action action = action_of(info);
	size_t nth = trial->policy < explain_policy_count(trial->explain) ? trial->policy
									  : ALL_POLICIES;
	struct access_decision d;

	if (trial->arn == NULL) {
		trial->arn = cJSON_GetObjectItemCaseSensitive(info, "resources")->child;
		*result = POLICY_ALLOWED;
	}
	d = ask_policies(trial->explain, nth, action,
	    resource_name(c, action, trial->arn->valuestring));
	*result = worse_of(*result, result_of(&d));
	trial->arn = *result != POLICY_EXPLICIT_DENY ? trial->arn->next : NULL;
	if (trial->arn == NULL)
		trial->policy++;
}

/* Asks until the slice is over; *done: all questions are asked. */
static enum err
trial_go_on(struct command *c, bool *done)
{
	struct trial *trial = c->trial;
	const cJSON *info = cJSON_GetArrayItem(c->explain.auth_infos, (int)trial->info);

	if (explain_lacks_memory(trial->explain))
		return ERR_NOMEM;
	while (info != NULL && !budget_slice_over(c->context->budget)) {
		trial_ask(c, info);
		if (!pay_steps(c, &trial->spent))
			return refuse_steps(c);
		if (trial->policy <= explain_policy_count(trial->explain))
			continue;
		trial->policy = 0;
		trial->info++;
		info = info->next;
	}
	*done = info == NULL;
	return ERR_OK;
}

/*
 * Answers.
 */

static cJSON *
add_policies(cJSON *o, const char *name)
{
	return cJSON_AddArrayToObject(cJSON_AddObjectToObject(o, name), "policies");
}

static void
add_policy(cJSON *list, const struct command *c, struct view name)
{
	cJSON *o = cJSON_CreateObject();

	add_policy_name(o, c, name);
	cJSON_AddItemToArray(list, o);
}

static void
add_result(cJSON *results, const struct command *c, size_t nth, const cJSON *info)
{
	const struct explain *i = c->trial->explain;
	const enum policy_result *result = c->trial->results[nth];
	size_t count = explain_policy_count(i);
	cJSON *o = cJSON_CreateObject(), *denied, *lists[POLICY_EXPLICIT_DENY + 1];

	cJSON_AddItemToObject(o, "authInfo", cJSON_Duplicate(info, true));
	lists[POLICY_ALLOWED] = add_policies(o, "allowed");
	denied = cJSON_AddObjectToObject(o, "denied");
	lists[POLICY_IMPLICIT_DENY] = add_policies(denied, "implicitDeny");
	lists[POLICY_EXPLICIT_DENY] = add_policies(denied, "explicitDeny");
	for (size_t n = 0; n < count; n++)
		add_policy(lists[result[n]], c, view_of(explain_policy_name(i, n)));
	cJSON_AddStringToObject(o, "authDecision", result_name(result[count]));
	add_missing(o, i);
	cJSON_AddItemToArray(results, o);
}

static void
add_results(struct command *c, cJSON *data)
{
	cJSON *results = cJSON_AddArrayToObject(data, "authResults");
	const cJSON *info;
	size_t nth = 0;

	cJSON_ArrayForEach(info, c->explain.auth_infos) add_result(results, c, nth++, info);
	trial_free(c->trial);
	c->trial = NULL;
}

static enum err
read_test_authorization(struct txn *t, struct command *c, cJSON *data)
{
	bool done = false;
	enum err e = c->trial == NULL ? trial_begin(t, c) : ERR_OK;

	if (e == ERR_OK)
		e = trial_go_on(c, &done);
	if (done)
		add_results(c, data);
	return e;
}

static const struct command_type rows[] = {
	{
	    .name = "testAuthorization",
	    .resource = RESOURCE_CERTIFICATE,
	    .parse = parse_test_authorization,
	    .read = read_test_authorization,
	},
};

const struct command_group test_commands = { rows, COUNT_OF(rows) };
