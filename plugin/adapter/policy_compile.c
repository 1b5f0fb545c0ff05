/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_compile.c - a policy document becomes what policy_eval() asks; see
 * policy.h.  Broker thread.  The document comes from outside: whatever is not
 * understood in full is refused, since half a policy protects nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/json.h"
#include "jitr/policy_form.h"
#include "jitr/text.h"

#define DEPTH_MAX   16 /* a document needs six */
#define SHOWN       48 /* bytes of a text that is quoted */
#define CHUNK_BYTES 4096

/*
 * Memory of one policy: chunks, freed together.
 */

struct chunk {
	struct chunk *next;
	size_t        used, size;
	max_align_t   bytes[];
};

/* The first failure stays; what comes later does nothing. */
struct compiler {
	struct policy *policy;
	struct chunk  *chunks;
	enum err       failed;
	struct diag   *diag;
	unsigned       pattern_flags; /* PATTERN_VARIABLES in the newer version */
	struct policy_name **names_end;
	size_t         place_len;
	char           place[160]; /* "Statement[1].Condition.StringEqual" */
};

static void
chunks_free(struct chunk *c)
{
	while (c != NULL) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

static struct chunk *
chunk_new(size_t size)
{
	struct chunk *c = calloc(1, sizeof(*c) + size);

	if (c != NULL)
		c->size = size;
	return c;
}

/* Zeroed.  NULL: c->failed says why. */
static void *
allocate(struct compiler *c, size_t count, size_t size)
{
	size_t bytes = (count * size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	struct chunk *chunk = c->chunks;
	char *at;

	if (c->failed != ERR_OK)
		return NULL;
	if (chunk == NULL || chunk->size - chunk->used < bytes) {
		chunk = chunk_new(bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES);
		if (chunk == NULL) {
			c->failed = ERR_NOMEM;
			return NULL;
		}
		chunk->next = c->chunks;
		c->chunks = chunk;
	}
	at = (char *)chunk->bytes + chunk->used;
	chunk->used += bytes;
	return at;
}

static struct view
copy(struct compiler *c, struct view v)
{
	uint8_t *bytes = allocate(c, v.len + 1, 1);

	if (bytes == NULL)
		return (struct view){ NULL, 0 };
	if (v.len > 0)
		memcpy(bytes, v.data, v.len);
	return (struct view){ bytes, v.len };
}

/*
 * Failures, with their place.
 */

PRINTF_LIKE(2, 3)
static void
fail(struct compiler *c, const char *fmt, ...)
{
	char why[160];
	va_list args;

	if (c->failed != ERR_OK)
		return;
	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	c->failed = ERR_POLICY;
	diag_set(c->diag, "%s: %s", c->place_len > 0 ? c->place : "Policy document", why);
}

/* Go to a place within this one; answers what go_back() needs. */
PRINTF_LIKE(2, 3)
static size_t
go_to(struct compiler *c, const char *fmt, ...)
{
	size_t before = c->place_len, room = sizeof(c->place) - before;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(c->place + before, room, fmt, args);
	va_end(args);
	if (n > 0)
		c->place_len += (size_t)n < room ? (size_t)n : room - 1;
	return before;
}

static void
go_back(struct compiler *c, size_t before)
{
	c->place_len = before;
	c->place[before] = '\0';
}

/*
 * Variables and patterns.
 */

static unsigned
uses_of(const struct variable *v)
{
	switch (v->kind) {
	case VARIABLE_THING_NAME:
	case VARIABLE_THING_TYPE:
	case VARIABLE_THING_ATTACHED:
	case VARIABLE_THING_ATTRIBUTE:
		return POLICY_USES_THING;
	case VARIABLE_CERT_FIELD:
	case VARIABLE_CERT_KEYS:
		return POLICY_USES_CERTIFICATE;
	case VARIABLE_CONNECT_ATTRIBUTES:
	case VARIABLE_LAST_WILL_TOPIC:
		return POLICY_USES_CONNECT;
	case VARIABLE_UNKNOWN:
	case VARIABLE_CLIENT_ID:
	case VARIABLE_SOURCE_IP:
	case VARIABLE_DOMAIN_NAME:
	case VARIABLE_CERTIFICATE_ID:
		break;
	}
	return 0;
}

/* The policy's variable of this name, from now on.  NULL: failed. */
static const struct variable *
variable_of(struct compiler *c, struct view name)
{
	struct variable wanted = variable_parse(name);
	struct policy_name *n;

	for (n = c->policy->names; n != NULL; n = n->next)
		if (variable_same(&n->variable, &wanted))
			return &n->variable;
	n = allocate(c, 1, sizeof(*n));
	if (n == NULL)
		return NULL;
	n->variable = variable_parse(copy(c, name));
	*c->names_end = n;
	c->names_end = &n->next;
	c->policy->uses |= uses_of(&n->variable);
	return &n->variable;
}

static struct pattern
compile_pattern(struct compiler *c, struct view text, unsigned flags, bool folded)
{
	const struct pattern none = { .pieces = NULL };
	struct piece *pieces;
	uint8_t *bytes;
	size_t count;

	if (!pattern_parse(text, flags, NULL, NULL, &count)) {
		fail(c, "'%.*s' has a '${' without an end", SHOWN, (const char *)text.data);
		return none;
	}
	bytes = allocate(c, text.len + 1, 1);
	pieces = allocate(c, count + 1, sizeof(*pieces));
	if (bytes == NULL || pieces == NULL || !pattern_parse(text, flags, bytes, pieces, &count))
		return none;
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].kind != PIECE_VARIABLE)
			continue;
		pieces[i].variable = variable_of(c, pieces[i].text);
		if (pieces[i].variable == NULL)
			return none;
		pieces[i].text = pieces[i].variable->name;
	}
	return pattern_of(pieces, count, folded);
}

/*
 * Lists: a string alone is a list of one.
 */

static size_t
list_count(const cJSON *value)
{
	return cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) : 1;
}

static const cJSON *
list_first(const cJSON *value)
{
	return cJSON_IsArray(value) ? value->child : value;
}

static size_t
go_to_item(struct compiler *c, const cJSON *list, size_t i)
{
	return cJSON_IsArray(list) ? go_to(c, "[%zu]", i) : c->place_len;
}

/*
 * Actions.
 */

static bool
has_text(const struct pattern *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->pieces[i].kind == PIECE_TEXT)
			return true;
	return false;
}

/* Literal text behind "iot:" (policy.h). */
static bool
names_control(const struct pattern *p)
{
	const struct view iot = view_of("iot:");
	struct view first;

	if (p->count == 0 || p->pieces[0].kind != PIECE_TEXT || p->pieces[0].text.len < iot.len)
		return false;
	first = p->pieces[0].text;
	if (!text_same_folded((struct view){ first.data, iot.len }, iot))
		return false;
	return first.len > iot.len ||
	    has_text(&(struct pattern){ .pieces = p->pieces + 1, .count = p->count - 1 });
}

static bool
action_matches_name(const struct pattern *p, const char *name)
{
	static const struct facts nothing;
	struct context context = { .facts = &nothing, .steps = STEPS_MAX };
	struct subject subject = { .name = view_of(name) };

	return pattern_match(p, &subject, &context) == TRUTH_YES;
}

/* A name without wildcards that is a device's allows nothing else. */
static bool
is_device_action(const struct pattern *p)
{
	for (int a = 0; p->count == 1 && a < POLICY_CONTROL; a++)
		if (action_matches_name(p, policy_action_name((enum policy_action)a)))
			return p->pieces[0].kind == PIECE_TEXT;
	return false;
}

static unsigned
device_actions(const struct statement *s)
{
	unsigned bits = 0;

	for (int a = 0; a < POLICY_CONTROL; a++) {
		const char *name = policy_action_name((enum policy_action)a);
		bool named = false;

		for (size_t i = 0; i < s->action_count; i++)
			named = named || action_matches_name(&s->actions[i].pattern, name);
		if (named != s->not_action)
			bits |= 1u << a;
	}
	return bits;
}

static void
compile_action(struct compiler *c, const cJSON *item, void *at)
{
	struct action *action = at;

	action->pattern = compile_pattern(c, view_of(item->valuestring), PATTERN_WILDCARDS, true);
	action->names_control = names_control(&action->pattern);
}

/*
 * Resources.
 */

/* It begins with "arn:", or with wildcards that could be. */
static bool
could_be_arn(const struct pattern *p)
{
	const char *arn = "arn:";
	size_t len;

	if (p->count == 0 || p->pieces[0].kind == PIECE_VARIABLE)
		return false;
	if (p->pieces[0].kind != PIECE_TEXT)
		return true;
	len = p->pieces[0].text.len < strlen(arn) ? p->pieces[0].text.len : strlen(arn);
	if (memcmp(p->pieces[0].text.data, arn, len) != 0)
		return false;
	return len == strlen(arn) || (p->count > 1 && p->pieces[1].kind != PIECE_VARIABLE);
}

/* The first level behind the first '/', if it is all literal text. */
static struct view
literal_level(const struct pattern *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct view text = p->pieces[i].text;
		const uint8_t *slash;

		if (p->pieces[i].kind != PIECE_TEXT)
			continue;
		slash = memchr(text.data, '/', text.len);
		if (slash == NULL)
			continue;
		text.len -= (size_t)(slash + 1 - text.data);
		text.data = slash + 1;
		if (i + 1 < p->count && (text.len == 0 || memchr(text.data, '/', text.len) == NULL))
			break; /* the level goes on with something else */
		return dollar_level(text);
	}
	return (struct view){ NULL, 0 };
}

/* The pattern without its first bytes, which are text. */
static struct pattern
cut_pattern(struct compiler *c, const struct pattern *whole, size_t cut)
{
	size_t gone = whole->pieces[0].text.len == cut ? 1 : 0;
	struct piece *pieces = allocate(c, whole->count + 1, sizeof(*pieces));

	if (pieces == NULL)
		return *whole;
	memcpy(pieces, whole->pieces + gone, (whole->count - gone) * sizeof(*pieces));
	if (gone == 0) {
		pieces[0].text.data += cut;
		pieces[0].text.len -= cut;
	}
	return pattern_of(pieces, whole->count - gone, whole->folded);
}

static void
compile_resource(struct compiler *c, const cJSON *item, void *at)
{
	struct resource *r = at;
	struct view text = view_of(item->valuestring);
	size_t cut;

	r->whole = compile_pattern(c, text, PATTERN_WILDCARDS | c->pattern_flags, false);
	if (c->failed != ERR_OK)
		return;
	if (!could_be_arn(&r->whole)) {
		fail(c, "'%.*s' is not an ARN", SHOWN, item->valuestring);
		return;
	}
	r->any = r->whole.count == 1 && r->whole.pieces[0].kind == PIECE_ANY;
	r->level = literal_level(&r->whole);
	if (r->whole.pieces[0].kind != PIECE_TEXT)
		return;
	cut = arn_head_length(c->policy, r->whole.pieces[0].text, &r->head);
	if (r->head != HEAD_OTHER)
		r->name = cut_pattern(c, &r->whole, cut);
}

/* A member that is a string or a list of strings, not of none. */
static void *
compile_list(struct compiler *c, const cJSON *list,
    void (*compile)(struct compiler *c, const cJSON *item, void *at), size_t size, size_t *count)
{
	const cJSON *item = list_first(list);
	char *items;
	size_t i;

	*count = list_count(list);
	if (*count == 0)
		fail(c, "the list is empty");
	items = allocate(c, *count, size);
	for (i = 0; c->failed == ERR_OK && i < *count; i++, item = item->next) {
		size_t before = go_to_item(c, list, i);

		if (!cJSON_IsString(item))
			fail(c, "must be a string%s",
			    cJSON_IsArray(list) ? "" : " or a list of strings");
		else
			compile(c, item, items + i * size);
		go_back(c, before);
	}
	return c->failed == ERR_OK ? items : NULL;
}

/*
 * Conditions.
 */

static void
compile_arn(struct compiler *c, struct view text, struct expected *e)
{
	struct view parts[ARN_PARTS];
	struct pattern *arn;

	if (view_equal(text, view_of("*")))
		return;
	if (!arn_split(text, c->pattern_flags != 0, parts)) {
		fail(c, "'%.*s' is not an ARN", SHOWN, (const char *)text.data);
		return;
	}
	arn = allocate(c, ARN_PARTS, sizeof(*arn));
	for (size_t i = 0; c->failed == ERR_OK && i < ARN_PARTS; i++)
		arn[i] = compile_pattern(c, parts[i], PATTERN_WILDCARDS | c->pattern_flags, false);
	e->arn = arn;
}

static void
expect(struct compiler *c, bool ok, struct view text, const char *what)
{
	if (!ok)
		fail(c, "'%.*s' is not %s", SHOWN, (const char *)text.data, what);
}

static void
compile_expected(struct compiler *c, const struct operator *o, struct view text, struct expected *e)
{
	switch (o->comparison) {
	case COMPARE_TEXT:
		e->text = compile_pattern(c, text,
		    c->pattern_flags | (o->wildcards ? PATTERN_WILDCARDS : 0), o->folded);
		break;
	case COMPARE_ARN:
		compile_arn(c, text, e);
		break;
	case COMPARE_ADDRESS:
		expect(c, range_parse(text, &e->range), text, "an IP address or a range of them");
		break;
	case COMPARE_BOOL:
	case COMPARE_NULL:
		expect(c, bool_parse(text, &e->truth), text, "true or false");
		break;
	case COMPARE_NUMBER:
		expect(c, decimal_parse(text, &e->number), text, "a number");
		break;
	case COMPARE_DATE:
		expect(c, date_parse(text, &e->date), text, "a date");
		break;
	}
}

/* cJSON keeps numbers as doubles: what has lost digits is refused. */
static void
number_text(struct compiler *c, double number, char out[40])
{
	if (number >= -9007199254740992.0 && number <= 9007199254740992.0 &&
	    (double)(int64_t)number == number)
		(void)snprintf(out, 40, "%lld", (long long)number);
	else
		(void)snprintf(out, 40, "%.15g", number);
	if (strpbrk(out, "eni") != NULL)
		fail(c, "the number is too large or too small: write it as a string");
}

/* A value as the text that it is compared as; lives as long as the policy. */
static struct view
value_text(struct compiler *c, const cJSON *item)
{
	char number[40] = "";

	if (cJSON_IsString(item))
		return copy(c, view_of(item->valuestring));
	if (cJSON_IsBool(item))
		return view_of(cJSON_IsTrue(item) ? "true" : "false");
	if (cJSON_IsNumber(item))
		number_text(c, item->valuedouble, number);
	else
		fail(c, "must be a string, a boolean or a number");
	return copy(c, view_of(number));
}

static void
compile_condition(struct compiler *c, const struct operator *o, const cJSON *member,
    struct condition *out)
{
	const cJSON *item = list_first(member);
	struct expected *expected;
	size_t count = list_count(member);

	expected = allocate(c, count + 1, sizeof(*expected));
	for (size_t i = 0; c->failed == ERR_OK && i < count; i++, item = item->next) {
		size_t before = go_to_item(c, member, i);
		struct view text = value_text(c, item);

		if (c->failed == ERR_OK)
			compile_expected(c, o, text, &expected[i]);
		go_back(c, before);
	}
	*out = (struct condition){ .operator = *o, .expected = expected, .count = count,
		.key = variable_of(c, view_of(member->string)) };
}

/* The keys of one operator, each a condition of its own. */
static void
compile_operator(struct compiler *c, const cJSON *member, struct condition *out)
{
	struct operator o;

	if (!operator_parse(view_of(member->string), &o)) {
		fail(c, "unknown operator");
		return;
	}
	for (const cJSON *key = member->child; c->failed == ERR_OK && key != NULL; key = key->next) {
		size_t before = go_to(c, ".%.*s", SHOWN, key->string);

		compile_condition(c, &o, key, out++);
		go_back(c, before);
	}
}

static size_t
member_count(const cJSON *object)
{
	return (size_t)cJSON_GetArraySize(object);
}

static void
compile_conditions(struct compiler *c, const cJSON *object, struct statement *s)
{
	struct condition *conditions;
	size_t count = 0;

	if (!cJSON_IsObject(object)) {
		fail(c, "must be an object");
		return;
	}
	for (const cJSON *o = object->child; o != NULL; o = o->next)
		count += member_count(o);
	conditions = allocate(c, count + 1, sizeof(*conditions));
	s->conditions = conditions;
	for (const cJSON *o = object->child; c->failed == ERR_OK && o != NULL; o = o->next) {
		size_t before = go_to(c, ".%.*s", SHOWN, o->string);

		if (cJSON_IsObject(o))
			compile_operator(c, o, conditions + s->condition_count);
		else
			fail(c, "must be an object");
		s->condition_count += member_count(o);
		go_back(c, before);
	}
}

/*
 * Statements and the document.
 */

static const cJSON *
get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Nothing but these members: what we do not know may be what protects. */
static void
check_members(struct compiler *c, const cJSON *object, const char *const *names, size_t count)
{
	for (const cJSON *m = object->child; m != NULL; m = m->next) {
		size_t i = 0;

		while (i < count && strcmp(names[i], m->string) != 0)
			i++;
		if (i == count)
			fail(c, "unknown member '%.*s'", SHOWN, m->string);
	}
}

/* A member that must be a string if it is there. */
static const char *
optional_string(struct compiler *c, const cJSON *object, const char *name)
{
	const cJSON *value = get(object, name);
	size_t before;

	if (value == NULL || cJSON_IsString(value))
		return value != NULL ? value->valuestring : NULL;
	before = go_to(c, "%s%s", c->place_len > 0 ? "." : "", name);
	fail(c, "must be a string");
	go_back(c, before);
	return NULL;
}

static void
compile_effect(struct compiler *c, const cJSON *object, struct statement *s)
{
	const char *effect = optional_string(c, object, "Effect");
	size_t before;

	if (effect != NULL && (strcmp(effect, "Allow") == 0 || strcmp(effect, "Deny") == 0)) {
		s->deny = strcmp(effect, "Deny") == 0;
	} else if (effect == NULL) {
		fail(c, "Effect is missing");
	} else {
		before = go_to(c, ".Effect");
		fail(c, "'%.*s' is neither Allow nor Deny", SHOWN, effect);
		go_back(c, before);
	}
}

/* Which of two members there is; exactly one must be. */
static const cJSON *
one_of(struct compiler *c, const cJSON *object, const char *name, const char *not_name,
    bool *is_not)
{
	const cJSON *value = get(object, name), *not_value = get(object, not_name);

	if (value != NULL && not_value != NULL)
		fail(c, "%s and %s exclude each other", name, not_name);
	else if (value == NULL && not_value == NULL)
		fail(c, "%s is missing", name);
	*is_not = value == NULL;
	return value != NULL ? value : not_value;
}

static void
note_control(struct compiler *c, const struct statement *s)
{
	for (size_t i = 0; !s->deny && !s->not_action && i < s->action_count; i++)
		if (s->actions[i].names_control && !is_device_action(&s->actions[i].pattern))
			c->policy->uses |= POLICY_ALLOWS_CONTROL;
}

static void
compile_actions(struct compiler *c, const cJSON *object, struct statement *s)
{
	const cJSON *list = one_of(c, object, "Action", "NotAction", &s->not_action);
	size_t before;

	if (c->failed != ERR_OK)
		return;
	before = go_to(c, ".%s", list->string);
	s->actions = compile_list(c, list, compile_action, sizeof(struct action),
	    &s->action_count);
	go_back(c, before);
	if (c->failed != ERR_OK)
		return;
	s->devices = device_actions(s);
	note_control(c, s);
}

static void
compile_resources(struct compiler *c, const cJSON *object, struct statement *s)
{
	const cJSON *list = one_of(c, object, "Resource", "NotResource", &s->not_resource);
	size_t before;

	if (c->failed != ERR_OK)
		return;
	before = go_to(c, ".%s", list->string);
	s->resources = compile_list(c, list, compile_resource, sizeof(struct resource),
	    &s->resource_count);
	go_back(c, before);
}

static void
compile_statement(struct compiler *c, const cJSON *object, struct statement *s)
{
	static const char *const names[] = { "Sid", "Effect", "Action", "NotAction", "Resource",
		"NotResource", "Condition" };
	const cJSON *condition = get(object, "Condition");
	size_t before;

	if (!cJSON_IsObject(object)) {
		fail(c, "must be an object");
		return;
	}
	check_members(c, object, names, COUNT_OF(names));
	s->sid = copy(c, view_of(optional_string(c, object, "Sid")));
	compile_effect(c, object, s);
	compile_actions(c, object, s);
	compile_resources(c, object, s);
	if (condition == NULL || c->failed != ERR_OK)
		return;
	before = go_to(c, ".Condition");
	compile_conditions(c, condition, s);
	go_back(c, before);
}

static void
compile_statements(struct compiler *c, const cJSON *statement)
{
	const cJSON *item;

	if (statement == NULL) {
		fail(c, "Statement is missing");
		return;
	}
	item = list_first(statement);
	c->policy->count = list_count(statement);
	c->policy->statements = allocate(c, c->policy->count + 1, sizeof(struct statement));
	for (size_t i = 0; c->failed == ERR_OK && i < c->policy->count; i++, item = item->next) {
		size_t before = go_to(c, "Statement[%zu]", i);

		compile_statement(c, item, &c->policy->statements[i]);
		go_back(c, before);
	}
}

static void
compile_version(struct compiler *c, const cJSON *object)
{
	const char *version = optional_string(c, object, "Version");

	if (version == NULL)
		fail(c, "Version is missing");
	else if (strcmp(version, "2012-10-17") == 0)
		c->pattern_flags = PATTERN_VARIABLES;
	else if (strcmp(version, "2008-10-17") != 0) {
		(void)go_to(c, "Version");
		fail(c, "'%.*s' is neither 2012-10-17 nor 2008-10-17", SHOWN, version);
	}
}

static void
compile_document(struct compiler *c, const cJSON *object)
{
	static const char *const names[] = { "Id", "Version", "Statement" };

	if (!cJSON_IsObject(object)) {
		fail(c, "must be a JSON object");
		return;
	}
	check_members(c, object, names, COUNT_OF(names));
	(void)optional_string(c, object, "Id");
	compile_version(c, object);
	if (c->failed == ERR_OK)
		compile_statements(c, get(object, "Statement"));
}

/* AWS counts characters that are not white space (aws-iot F.1). */
static void
check_size(struct compiler *c, struct view document)
{
	size_t characters = 0;

	if (document.len > POLICY_BYTES_MAX) {
		fail(c, "it has %zu bytes, %d at most are allowed", document.len, POLICY_BYTES_MAX);
		return;
	}
	for (size_t i = 0; i < document.len; i++)
		if ((document.data[i] & 0xc0) != 0x80 &&
		    memchr(" \t\r\n", document.data[i], 4) == NULL)
			characters++;
	if (characters > POLICY_CHARACTERS_MAX)
		fail(c, "it has %zu characters without white space, %d at most are allowed",
		    characters, POLICY_CHARACTERS_MAX);
}

static void
begin_policy(struct compiler *c, const struct arn_scope *scope)
{
	struct policy *p = allocate(c, 1, sizeof(*p));

	if (p == NULL)
		return;
	p->scope = *scope;
	p->prefix_len = strlen(scope->prefix);
	c->policy = p;
	c->names_end = &p->names;
}

enum err
policy_compile(struct view document, const struct arn_scope *scope, struct policy **out,
    struct diag *diag)
{
	struct compiler c = { .diag = diag };
	cJSON *json = NULL;

	*out = NULL;
	check_size(&c, document);
	if (c.failed == ERR_OK &&
	    json_parse_as(document, "policy document", DEPTH_MAX, &json, diag) != ERR_OK)
		return ERR_POLICY;
	begin_policy(&c, scope);
	if (c.failed == ERR_OK)
		compile_document(&c, json);
	cJSON_Delete(json);
	if (c.failed != ERR_OK) {
		chunks_free(c.chunks);
		return c.failed;
	}
	c.policy->memory = c.chunks;
	*out = c.policy;
	return ERR_OK;
}

void
policy_free(struct policy *p)
{
	if (p != NULL)
		chunks_free(p->memory);
}
