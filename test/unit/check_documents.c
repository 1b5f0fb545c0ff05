/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_documents.c - the documents name everything in the program's tables.
 *
 * Options are in the example configuration, counters in the document for operators, the names
 * of policies in doc/policies.md, those of rules and templates in doc/activation.md.  What is
 * added to a table of the program and not documented fails here. check_tables.c compares
 * tables with tables.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "document.h"
#include "jitr/core/condition.h"
#include "jitr/service/config.h"
#include "expression.h"
#include "jitr/service/gate.h"
#include "jitr/adapter/json.h"
#include "jitr/core/pattern.h"
#include "jitr/api/request.h"
#include "jitr/core/rule.h"
#include "jitr/core/template.h"
#include "suite.h"
#include "topics.h"

#define CONTRACT "doc/reference/contract.md"

static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_';
}

/* Whether the text contains the word, not as a part of a longer one. */
static bool
has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		if ((at == text || !is_word_char(at[-1])) && !is_word_char(at[len]))
			return true;
	return false;
}

START_TEST(the_example_configuration_shows_every_option)
{
	char *text = read_document("mosquitto.conf.example"), word[80];

	for (size_t i = 0; config_option_name(i) != NULL; i++) {
		snprintf(word, sizeof(word), "plugin_opt_%s", config_option_name(i));
		ck_assert_msg(has_word(text, word), "%s is not shown", word);
	}
	free(text);
}
END_TEST

/* The plugin accepts every option that is shown. */
START_TEST(the_example_configuration_shows_no_other_option)
{
	char *text = read_document("mosquitto.conf.example"), *at = text;

	while ((at = strstr(at, "plugin_opt_")) != NULL) {
		size_t len = strspn(at += 11, "abcdefghijklmnopqrstuvwxyz_"), i = 0;

		while (config_option_name(i) != NULL &&
		    (strncmp(config_option_name(i), at, len) != 0 ||
			config_option_name(i)[len] != '\0'))
			i++;
		ck_assert_msg(config_option_name(i) != NULL, "plugin_opt_%.*s", (int)len, at);
	}
	free(text);
}
END_TEST

START_TEST(each_command_has_one_name_and_is_found_by_it)
{
	const struct command_type *type;
	size_t count = 0;

	for (; (type = command_at(count)) != NULL; count++)
		ck_assert_ptr_eq(command_find(type->name), type);
	ck_assert_uint_eq(command_actions().count, count);
	ck_assert_uint_lt(count, COMMANDS_MAX);
	ck_assert_ptr_null(command_find(""));
	ck_assert_ptr_null(command_find("describecertificate"));
	ck_assert_ptr_null(command_find("zzz"));
}
END_TEST

START_TEST(a_command_either_changes_the_registry_or_reads_it)
{
	const struct command_type *c;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		ck_assert_msg(c->run != NULL || c->read != NULL || c->answer != NULL,
		    "%s does nothing", c->name);
		ck_assert_msg(c->read == NULL || (c->run == NULL && c->answer == NULL),
		    "%s has more than one of run, read, answer", c->name);
		ck_assert_msg(c->run != NULL || c->changed == RESOURCE_NONE, "%s changes nothing",
		    c->name);
		ck_assert_msg(c->run != NULL || c->conclude == NULL, "%s has no change to end",
		    c->name);
		ck_assert_msg(c->also == RESOURCE_NONE || c->resource != RESOURCE_NONE,
		    "%s has a second resource and no first", c->name);
	}
}
END_TEST

static void
names_topics_of_requests(const char *document)
{
	char *text = read_document(document);

	ck_assert_ptr_nonnull(strstr(text, "`" CONTROL_TOPIC "`"));
	ck_assert_ptr_nonnull(strstr(text, "`" CONTROL_RESPONSE_TOPIC "`"));
	free(text);
}

START_TEST(the_topics_of_requests_are_documented)
{
	names_topics_of_requests("doc/api.md");
	names_topics_of_requests(CONTRACT);
}
END_TEST

START_TEST(the_contract_names_every_option)
{
	char *text = read_document(CONTRACT), quoted[80];

	for (size_t i = 0; config_option_name(i) != NULL; i++) {
		snprintf(quoted, sizeof(quoted), "`%s`", config_option_name(i));
		ck_assert_msg(strstr(text, quoted) != NULL, "%s is not in %s", quoted, CONTRACT);
	}
	free(text);
}
END_TEST

/* A topic in code marks, as in the document. */
static void
names_topic(const char *text, const char *topic)
{
	char quoted[160];

	snprintf(quoted, sizeof(quoted), "`%s`", topic);
	ck_assert_msg(strstr(text, quoted) != NULL, "doc/operations.md does not name %s", topic);
}

START_TEST(every_counter_and_gauge_is_documented)
{
	char *text = read_document("doc/operations.md");

	ck_assert_ptr_nonnull(strstr(text, STATS_TOPIC));
	for (size_t i = 0; i < COUNT_OF(documented_topics); i++)
		names_topic(text, documented_topics[i]);
	free(text);
}
END_TEST

/*
 * Policies.
 */

#define POLICIES_DOCUMENT "doc/policies.md"

/* The text between this heading and the next one. */
static char *
read_section(const char *document, const char *heading)
{
	char *text = read_document(document), *at = strstr(text, heading), *end;

	ck_assert_msg(at != NULL, "%s has no '%s'", document, heading);
	end = strstr(at + 1, "\n## ");
	if (end != NULL)
		*end = '\0';
	memmove(text, at, strlen(at) + 1);
	return text;
}

/* The words in code marks in the first column of a section's tables, one at a time. */
static char *
next_word(char **lines, char **cell)
{
	char *line, *word;

	for (;;) {
		while ((word = strsep(cell, "`, ")) != NULL)
			if (*word != '\0')
				return word;
		do
			line = strsep(lines, "\n");
		while (line != NULL && strncmp(line, "| `", 3) != 0);
		if (line == NULL)
			return NULL;
		*cell = line + 2;
		*strchr(*cell, '|') = '\0';
	}
}

/* The names of operators are made of these words. */
static const char *const of_type[] = { "String", "Numeric", "Date", "Arn", "Bool", "IpAddress",
	"Null", "Binary", "NotIpAddress" };
static const char *const of_kind[] = { "", "Equals", "NotEquals", "EqualsIgnoreCase",
	"NotEqualsIgnoreCase", "Like", "NotLike", "LessThan", "LessThanEquals", "GreaterThan",
	"GreaterThanEquals", "Not" };

START_TEST(every_operator_is_documented)
{
	char *text = read_section(POLICIES_DOCUMENT, "\n## Conditions"), name[80];
	struct condition_operator o;
	size_t known = 0;

	for (size_t i = 0; i < COUNT_OF(of_type) * COUNT_OF(of_kind); i++) {
		snprintf(name, sizeof(name), "%s%s", of_type[i / COUNT_OF(of_kind)],
		    of_kind[i % COUNT_OF(of_kind)]);
		if (!operator_parse(view_of(name), &o))
			continue;
		known++;
		ck_assert_msg(has_word(text, name), "%s is not documented", name);
	}
	ck_assert_uint_eq(known, 26);
	free(text);
}
END_TEST

START_TEST(every_documented_operator_is_known)
{
	char *text = read_section(POLICIES_DOCUMENT, "\n## Conditions"), *at = text, *cell = NULL;
	struct condition_operator o;
	size_t seen = 0;

	for (char *word; (word = next_word(&at, &cell)) != NULL; seen++)
		ck_assert_msg(operator_parse(view_of(word), &o), "%s is no operator", word);
	ck_assert_uint_eq(seen, 26);
	free(text);
}
END_TEST

START_TEST(every_field_of_a_certificate_is_documented)
{
	char *text = read_section(POLICIES_DOCUMENT, "\n## Variables"), quoted[80];

	for (int f = 0; f < CERT_FIELD_COUNT; f++) {
		const char *name = cert_field_name((enum cert_field)f);
		const char *field = strchr(name, '.') != NULL ? strchr(name, '.') + 1 : name;

		snprintf(quoted, sizeof(quoted),
		    cert_field_is_ours((enum cert_field)f) ? "`jitr:Certificate.%s`"
			: field == name                    ? "`iot:Certificate.%s`"
							   : "`%s`",
		    field);
		ck_assert_msg(strstr(text, quoted) != NULL, "%s is not documented", quoted);
	}
	free(text);
}
END_TEST

/* The program knows every documented variable, and every kind that it knows is documented. */
START_TEST(the_documented_variables_are_those_of_the_program)
{
	char *text = read_section(POLICIES_DOCUMENT, "\n## Variables"), *at = text, *cell = NULL;
	bool seen[VARIABLE_LAST_WILL_TOPIC + 1] = { [VARIABLE_UNKNOWN] = true };

	for (char *name; (name = next_word(&at, &cell)) != NULL;) {
		struct variable v = variable_parse(view_of(name));

		ck_assert_msg(v.kind != VARIABLE_UNKNOWN, "%s is no variable", name);
		seen[v.kind] = true;
	}
	for (size_t i = 0; i < COUNT_OF(seen); i++)
		ck_assert_msg(seen[i], "no variable of the kind %zu is documented", i);
	free(text);
}
END_TEST

START_TEST(the_documented_actions_are_those_of_the_program)
{
	char *text = read_section(POLICIES_DOCUMENT, "\n## Actions"), row[80];

	for (int a = 0; a < POLICY_CONTROL; a++) {
		snprintf(row, sizeof(row), "\n| `%s` | `%s/<",
		    policy_action_name((enum policy_action)a),
		    policy_resource_type((enum policy_action)a));
		ck_assert_msg(strstr(text, row) != NULL, "no row%s", row);
	}
	free(text);
}
END_TEST

static void
is_a_policy(const char *document, const char *text, size_t len)
{
	struct arn_scope scope = arn_scope_of("local", "000000000000");
	struct diag diag = { "" };
	struct policy *p;

	ck_assert_msg(policy_compile((struct view){ (const uint8_t *)text, len }, &scope, &p,
			  &diag) == ERR_OK,
	    "%s: %s", document, diag.text);
	policy_free(p);
}

/* Compiles each example in this text and returns how many there are. */
static size_t
each_example(char *text, const char *document,
    void (*is_one)(const char *document, const char *text, size_t len))
{
	char *at = text, *end;
	size_t shown = 0;

	for (; (at = strstr(at, "```json\n")) != NULL; at = end, shown++) {
		end = strstr(at += 8, "```");
		ck_assert_ptr_nonnull(end);
		is_one(document, at, (size_t)(end - at));
	}
	return shown;
}

START_TEST(the_policies_in_the_documents_are_valid)
{
	char *text = read_document(POLICIES_DOCUMENT);
	char *file = read_document("examples/device-policy.json");

	is_a_policy("examples/device-policy.json", file, strlen(file));
	ck_assert_msg(strstr(text, file) != NULL, "the example is shown otherwise than it is");
	ck_assert_uint_ge(each_example(text, POLICIES_DOCUMENT, is_a_policy), 2);
	free(file);
	free(text);
}
END_TEST

/*
 * Rules and templates.
 */

#define ACTIVATION_DOCUMENT "doc/activation.md"
#define RULES               "\n## The rule of a CA"
#define TEMPLATES           "\n## Templates"

static void
is_a_rule(const char *document, const char *text, size_t len)
{
	struct diag diag = { "" };
	struct rule *r;

	ck_assert_msg(rule_compile((struct view){ (const uint8_t *)text, len }, &r, &diag) ==
		ERR_OK,
	    "%s: %s", document, diag.text);
	rule_free(r);
}

static void
is_a_template(const char *document, const char *text, size_t len)
{
	struct arn_scope scope = arn_scope_of("local", "000000000000");
	struct diag diag = { "" };
	struct template *t;

	ck_assert_msg(template_compile((struct view){ (const uint8_t *)text, len }, &scope, &t,
			  &diag) == ERR_OK,
	    "%s: %s", document, diag.text);
	template_free(t);
}

START_TEST(the_rules_in_the_documents_are_valid)
{
	char *text = read_section(ACTIVATION_DOCUMENT, RULES);

	ck_assert_uint_ge(each_example(text, ACTIVATION_DOCUMENT, is_a_rule), 4);
	free(text);
}
END_TEST

START_TEST(the_templates_in_the_documents_are_valid)
{
	char *text = read_section(ACTIVATION_DOCUMENT, TEMPLATES);

	ck_assert_uint_ge(each_example(text, ACTIVATION_DOCUMENT, is_a_template), 2);
	free(text);
}
END_TEST

/* Compiles a rule with this operator and this fact. */
static enum err
compile_rule_with(const char *name, const char *fact)
{
	char text[256];
	struct rule *r;
	enum err e;

	snprintf(text, sizeof(text), "{\"conditions\":{\"%s\":{\"%s\":\"1\"}}}", name, fact);
	e = rule_compile(view_of(text), &r, NULL);
	rule_free(r);
	return e;
}

START_TEST(the_documented_operators_of_rules_are_those_of_the_program)
{
	char *text = read_section(ACTIVATION_DOCUMENT, "\n### Operators"), *at = text, *cell = NULL;
	size_t seen = 0;

	for (char *word; (word = next_word(&at, &cell)) != NULL;) {
		if (strncmp(word, "String", 6) != 0)
			continue;
		ck_assert_msg(compile_rule_with(word, "iot:ClientId") == ERR_OK, "%s", word);
		seen++;
	}
	ck_assert_uint_eq(seen, 2);
	free(text);
}
END_TEST

static bool
is_fact(const char *word)
{
	return (strncmp(word, "iot:", 4) == 0 || strncmp(word, "aws:", 4) == 0 ||
		   strncmp(word, "jitr:", 5) == 0) &&
	    word[strlen(word) - 1] != '.';
}

START_TEST(the_documented_facts_of_rules_are_those_of_the_program)
{
	char *text = read_section(ACTIVATION_DOCUMENT, "\n### Facts"), *at, *cell = NULL, fact[80];
	size_t seen = 0;

	for (int f = FIELD_KEY_TYPE; f < CERT_FIELD_COUNT; f++) {
		snprintf(fact, sizeof(fact), "| `jitr:Certificate.%s` |",
		    cert_field_name((enum cert_field)f));
		ck_assert_msg(strstr(text, fact) != NULL, "%s is not documented", fact);
	}
	at = text;
	for (char *word; (word = next_word(&at, &cell)) != NULL;) {
		if (!is_fact(word))
			continue;
		ck_assert_msg(compile_rule_with("StringEquals", word) == ERR_OK, "%s", word);
		seen++;
	}
	ck_assert_uint_ge(seen, 8);
	free(text);
}
END_TEST

#define TOO_EXPENSIVE "[^k]{0,64}[a-m]{0,64}[a-c]{0,64}"

START_TEST(the_bounds_of_expressions_are_documented)
{
	struct expression *e;
	char *text = read_section(ACTIVATION_DOCUMENT, "\n### Regular expressions"), words[80];

	snprintf(words, sizeof(words), "more than %d bytes, or %d characters", EXPRESSION_MAX,
	    EXPRESSION_SIZE_MAX);
	ck_assert_ptr_nonnull(strstr(text, words));
	snprintf(words, sizeof(words), "A value of more than %d bytes", EXPRESSION_VALUE_MAX);
	ck_assert_ptr_nonnull(strstr(text, words));
	ck_assert_ptr_nonnull(strstr(text, "`" TOO_EXPENSIVE "` | refused"));
	ck_assert_int_eq(expression_compile(view_of(TOO_EXPENSIVE), &e, NULL), ERR_REQUEST);
	free(text);
}
END_TEST

/* The table has the limits of request.c. */
START_TEST(the_limits_of_requests_are_documented)
{
	char *text = read_section("doc/api.md", "\n## Limits"), words[6][120];

	(void)snprintf(words[0], sizeof(words[0]),
	    "| %d KiB, %d commands, %d levels, %d %03d values", REQUEST_MAX >> 10,
	    REQUEST_COMMANDS_MAX, REQUEST_DEPTH_MAX, JSON_VALUES_MAX / 1000,
	    JSON_VALUES_MAX % 1000);
	(void)snprintf(words[1], sizeof(words[1]), "| an answer | %d MiB |",
	    REQUEST_ANSWER_MAX >> 20);
	(void)snprintf(words[2], sizeof(words[2]),
	    "| %d 000 000, ten times what one question may "
	    "take; in one `explain` %d 000 |",
	    REQUEST_STEPS_MAX / 1000000, STEPS_MAX / 1000);
	(void)snprintf(words[3], sizeof(words[3]), "| 0.%d s, in slices of %d ms |",
	    REQUEST_TIME_MAX_US / 100000, REQUESTS_SLICE_US / 1000);
	(void)snprintf(words[4], sizeof(words[4]), "| 0.%d s in a second |",
	    REQUESTS_SHARE_US / 100000);
	(void)snprintf(words[5], sizeof(words[5]),
	    "| %d MiB at once, then %d MiB a second; to all %d "
	    "MiB, then %d MiB a second |",
	    ANSWERS_OF_ONE_MAX >> 20, ANSWERS_OF_ONE_A_SECOND >> 20, ANSWERS_MAX >> 20,
	    ANSWERS_A_SECOND >> 20);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		ck_assert_msg(strstr(text, words[i]) != NULL, "doc/api.md, limits: %s", words[i]);
	free(text);
}
END_TEST

START_TEST(every_documented_member_of_a_rule_is_known)
{
	static const char *const values[] = { "conditions", "{}", "policies", "[]", "thing",
		"\"a\"", "supersede", "0,\"thing\":\"${iot:ClientId}\"", "otherwise",
		"\"REVOKED\"" };
	char *text = read_section(ACTIVATION_DOCUMENT, RULES), row[80], rule[128];

	for (size_t i = 0; i < COUNT_OF(values); i += 2) {
		snprintf(row, sizeof(row), "\n| `%s` |", values[i]);
		ck_assert_msg(strstr(text, row) != NULL, "no row%s", row);
		snprintf(rule, sizeof(rule), "{\"%s\":%s}", values[i], values[i + 1]);
		is_a_rule(rule, rule, strlen(rule));
	}
	free(text);
}
END_TEST

#define PARAMETER "\"%s\":{\"Type\":\"String\"}"
#define ID        "AWS::IoT::Certificate::Id"

START_TEST(every_documented_parameter_of_a_template_is_known)
{
	char *text = read_section(ACTIVATION_DOCUMENT, "\n### Parameters"), *at = text,
	     *cell = NULL;
	char body[1024];
	size_t seen = 0;

	for (char *word; (word = next_word(&at, &cell)) != NULL;) {
		if (strncmp(word, "AWS::IoT::Certificate::", 23) != 0)
			continue;
		snprintf(body, sizeof(body),
		    "{\"Parameters\":{" PARAMETER "," PARAMETER "},\"Resources\":{"
		    "\"c\":{\"Type\":\"AWS::IoT::Certificate\",\"Properties\":{\"CertificateId\":{\"Ref\":"
		    "\"" ID
		    "\"}}},\"t\":{\"Type\":\"AWS::IoT::Thing\",\"Properties\":{\"ThingName\":{\"Ref\":"
		    "\"%s\"}}}}}",
		    word, strcmp(word, ID) == 0 ? "another" : ID, word);
		is_a_template(word, body, strlen(body));
		seen++;
	}
	ck_assert_uint_eq(seen, 8);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("documents");
	TCase *t = suite_case(suite, "documents");

	tcase_add_test(t, the_example_configuration_shows_every_option);
	tcase_add_test(t, the_example_configuration_shows_no_other_option);
	tcase_add_test(t, each_command_has_one_name_and_is_found_by_it);
	tcase_add_test(t, a_command_either_changes_the_registry_or_reads_it);
	tcase_add_test(t, the_topics_of_requests_are_documented);
	tcase_add_test(t, the_contract_names_every_option);
	tcase_add_test(t, every_counter_and_gauge_is_documented);
	tcase_add_test(t, every_operator_is_documented);
	tcase_add_test(t, every_documented_operator_is_known);
	tcase_add_test(t, every_field_of_a_certificate_is_documented);
	tcase_add_test(t, the_documented_variables_are_those_of_the_program);
	tcase_add_test(t, the_documented_actions_are_those_of_the_program);
	tcase_add_test(t, the_policies_in_the_documents_are_valid);
	tcase_add_test(t, the_rules_in_the_documents_are_valid);
	tcase_add_test(t, the_templates_in_the_documents_are_valid);
	tcase_add_test(t, every_documented_member_of_a_rule_is_known);
	tcase_add_test(t, the_documented_operators_of_rules_are_those_of_the_program);
	tcase_add_test(t, the_documented_facts_of_rules_are_those_of_the_program);
	tcase_add_test(t, the_bounds_of_expressions_are_documented);
	tcase_add_test(t, the_limits_of_requests_are_documented);
	tcase_add_test(t, every_documented_parameter_of_a_template_is_known);
	return suite_run(suite);
}
