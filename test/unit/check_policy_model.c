/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_policy_model.c - compiled policies agree with a slow evaluator that follows aws-iot F
 * and policy.h literally.
 *
 * A random policy is made as a model, rendered as JSON and compiled.  Model and policy are
 * asked the same requests.  Patterns are lists of atoms, matched by recursion over the whole
 * text.  JITR_TEST_POLICIES is the number of policies.
 */
#include <stdarg.h>

#include "jitr/core/policy.h"
#include "forms.h"
#include "policies.h"
#include "suite.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POLICIES_DEFAULT 15000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POLICIES_DEFAULT 15000
#endif
#endif
#ifndef POLICIES_DEFAULT
#define POLICIES_DEFAULT 200000
#endif
#define REQUESTS_EACH 6
#define NAME_SIZE     256

static uint64_t random_state = 0x9e3779b97f4a7c15;

static unsigned
below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 33) % n);
}

static bool
one_in(unsigned n)
{
	return below(n) == 0;
}

/*
 * The facts.  NULL: absent; of the address: unknown.
 */

struct known {
	const char *client_id, *common_name, *address;
	const char *units[3]; /* organizational units */
	size_t unit_count;
	bool as_is, thing;
	enum answer persistent, will;
};

static const char *const texts[] = { "a", "b", "a", "b", "ab", "*", "a/b", "+", "b*", "", "a$",
	"\xc3\xa9", NULL };

static struct known
random_known(void)
{
	struct known k = { .client_id = texts[below(COUNT_OF(texts))],
		.common_name = texts[below(COUNT_OF(texts))],
		.address = one_in(3) ? NULL : "a",
		.as_is = one_in(3),
		.thing = one_in(2),
		.persistent = (enum answer)below(3),
		.will = (enum answer)below(3),
		.unit_count = below(4) };

	for (size_t i = 0; i < k.unit_count; i++)
		k.units[i] = texts[below(COUNT_OF(texts) - 1)];
	return k;
}

/*
 * Patterns.
 */

enum atom {
	ATOM_ANY,
	ATOM_ONE,
	ATOM_CLIENT_ID,
	ATOM_COMMON_NAME,
	ATOM_ADDRESS,
	ATOM_UNKNOWN,
	ATOM_ESCAPED_ANY,
	ATOM_ESCAPED_ONE,
	ATOM_ESCAPED_DOLLAR,
	ATOM_A,
	ATOM_B,
	ATOM_SLASH,
	ATOM_PLUS,
	ATOM_HASH,
	ATOM_DOLLAR,
	ATOM_E,
	ATOM_TOPIC,
	ATOM_FILTER,
	ATOM_CLIENT,
	ATOM_PREFIX,
	ATOM_ARN,
	ATOM_TOPIC_TYPE,
	ATOM_COLON,
	ATOM_PERSISTENT,
	ATOM_LAST_WILL,
	ATOM_COUNT
};

/* In a document, and as literal text; NULL: it has none. */
static const struct {
	const char *written, *literal;
} atoms[] = {
	[ATOM_ANY] = { "*", NULL },
	[ATOM_ONE] = { "?", NULL },
	[ATOM_CLIENT_ID] = { "${iot:ClientId}", NULL },
	[ATOM_COMMON_NAME] = { "${iot:Certificate.Subject.CommonName}", NULL },
	[ATOM_ADDRESS] = { "${aws:SourceIp}", NULL },
	[ATOM_UNKNOWN] = { "${iot:Nope}", NULL },
	[ATOM_ESCAPED_ANY] = { "${*}", "*" },
	[ATOM_ESCAPED_ONE] = { "${?}", "?" },
	[ATOM_ESCAPED_DOLLAR] = { "${$}", "$" },
	[ATOM_A] = { "a", "a" },
	[ATOM_B] = { "b", "b" },
	[ATOM_SLASH] = { "/", "/" },
	[ATOM_PLUS] = { "+", "+" },
	[ATOM_HASH] = { "#", "#" },
	[ATOM_DOLLAR] = { "$", "$" },
	[ATOM_E] = { "\xc3\xa9", "\xc3\xa9" },
	[ATOM_TOPIC] = { TEST_PREFIX "topic/", TEST_PREFIX "topic/" },
	[ATOM_FILTER] = { TEST_PREFIX "topicfilter/", TEST_PREFIX "topicfilter/" },
	[ATOM_CLIENT] = { TEST_PREFIX "client/", TEST_PREFIX "client/" },
	[ATOM_PREFIX] = { TEST_PREFIX, TEST_PREFIX },
	[ATOM_ARN] = { "arn:aws:iot:", "arn:aws:iot:" },
	[ATOM_TOPIC_TYPE] = { ":topic/", ":topic/" },
	[ATOM_COLON] = { ":", ":" },
	[ATOM_PERSISTENT] = { "PersistentConnect", "PersistentConnect" },
	[ATOM_LAST_WILL] = { "LastWill", "LastWill" },
};

struct model_pattern {
	enum atom atoms[16];
	size_t count;
};

/* 0: no, 1: hidden, 2: yes. */
static int
least(int a, int b)
{
	return a < b ? a : b;
}

static int
most(int a, int b)
{
	return a > b ? a : b;
}

/* The value of a variable; NULL: it matches nothing. */
static const char *
standing(enum atom a, const struct known *k)
{
	const char *value = NULL;

	if (a == ATOM_CLIENT_ID)
		value = k->client_id;
	else if (a == ATOM_COMMON_NAME)
		value = k->common_name;
	else if (a == ATOM_ADDRESS)
		value = k->address;
	if (value == NULL || (a == ATOM_CLIENT_ID && k->as_is))
		return value;
	if (strpbrk(value, "*$+?#") != NULL || (a == ATOM_CLIENT_ID && strchr(value, '/') != NULL))
		return NULL;
	return value;
}

static size_t
character(const char *s)
{
	return (uint8_t)*s == 0xc3 ? 2 : 1; /* no others are made here */
}

/* An atom, or a character of literal text. */
struct unit {
	enum atom atom;
	const char *literal; /* NULL: not literal */
	size_t len;
};

static bool
glob(const struct unit *u, size_t count, const char *s, const struct known *k, bool wild)
{
	const char *text;
	size_t len;

	if (count == 0)
		return *s == '\0';
	if ((u->atom == ATOM_ANY && wild) || (u->atom == ATOM_ADDRESS && k->address == NULL))
		return glob(u + 1, count - 1, s, k, wild) ||
		    (*s != '\0' && glob(u, count, s + character(s), k, wild));
	if (u->atom == ATOM_ONE && wild)
		return *s != '\0' && glob(u + 1, count - 1, s + character(s), k, wild);
	text = u->atom == ATOM_ANY ? "*" : u->atom == ATOM_ONE ? "?" : u->literal;
	len = text != NULL && text == u->literal ? u->len : text != NULL ? 1 : 0;
	if (text == NULL) {
		text = standing(u->atom, k);
		len = text != NULL ? strlen(text) : 0;
	}
	return text != NULL && strncmp(s, text, len) == 0 &&
	    glob(u + 1, count - 1, s + len, k, wild);
}

static int
units_match(const struct unit *u, size_t count, const char *s, const struct known *k, bool wild)
{
	bool hidden = false;

	for (size_t i = 0; i < count; i++)
		hidden = hidden || (u[i].atom == ATOM_ADDRESS && k->address == NULL);
	return !glob(u, count, s, k, wild) ? 0 : hidden ? 1 : 2;
}

static int
model_match(const struct model_pattern *p, const char *s, const struct known *k, bool wild)
{
	struct unit units[COUNT_OF(p->atoms)];

	for (size_t i = 0; i < p->count; i++) {
		const char *literal = atoms[p->atoms[i]].literal;

		units[i] = (struct unit){ p->atoms[i], literal,
			literal != NULL ? strlen(literal) : 0 };
	}
	return units_match(units, p->count, s, k, wild);
}

/*
 * Resources (policy.h). "*" matches everything.  Of an ARN the first five parts are compared
 * one by one and the rest as one text.  If parts are missing, a '*' at the end stands for them;
 * without it an Allow matches nothing and a Deny everything that the parts match.
 */

#define PARTS 6

struct parts {
	struct unit units[PARTS][24];
	size_t len[PARTS], count;
};

static void
add_unit(struct parts *p, enum atom atom, const char *literal, size_t len)
{
	if (literal == NULL || len > 0)
		p->units[p->count - 1][p->len[p->count - 1]++] = (struct unit){ atom, literal,
			len };
}

static struct parts
cut_pattern(const struct model_pattern *pattern)
{
	struct parts p = { .count = 1 };

	for (size_t i = 0; i < pattern->count; i++) {
		enum atom atom = pattern->atoms[i];
		const char *at = atoms[atom].literal, *colon;

		for (; at != NULL && p.count < PARTS && (colon = strchr(at, ':')) != NULL;
		     at = colon + 1) {
			add_unit(&p, atom, at, (size_t)(colon - at));
			p.count++;
		}
		add_unit(&p, atom, at, at != NULL ? strlen(at) : 0);
	}
	return p;
}

/* Splits the text in place and returns the number of parts. */
static size_t
cut_arn(char *text, const char *parts[PARTS])
{
	size_t count = 0;
	char *colon;

	parts[count++] = text;
	while (count < PARTS && (colon = strchr(text, ':')) != NULL) {
		*colon = '\0';
		parts[count++] = text = colon + 1;
	}
	return count;
}

static bool
is_all(const struct model_pattern *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->atoms[i] != ATOM_ANY)
			return false;
	return p->count > 0;
}

static int
resource_match(const struct model_pattern *pattern, const char *arn, const struct known *k)
{
	struct parts p = cut_pattern(pattern);
	char text[NAME_SIZE + 160];
	const char *parts[PARTS];
	bool open = pattern->atoms[pattern->count - 1] == ATOM_ANY;
	int t = 2;

	if (is_all(pattern))
		return 2;
	if (p.count < PARTS && !open)
		return least(model_match(pattern, arn, k, true), 1);
	snprintf(text, sizeof(text), "%s", arn);
	if (cut_arn(text, parts) < PARTS)
		return 0;
	for (size_t i = 0; i < p.count; i++)
		t = least(t, units_match(p.units[i], p.len[i], parts[i], k, true));
	return t;
}

static void
add_random_atoms(struct model_pattern *p, size_t most_of_them)
{
	for (size_t n = below((unsigned)most_of_them + 1); n > 0; n--)
		p->atoms[p->count++] = (enum atom)below(ATOM_E + 1);
}

static struct model_pattern
random_resource(void)
{
	static const enum atom heads[] = { ATOM_TOPIC, ATOM_TOPIC, ATOM_TOPIC, ATOM_FILTER,
		ATOM_CLIENT, ATOM_PREFIX, ATOM_ANY, ATOM_ARN };
	struct model_pattern p = { .count = 1 };

	p.atoms[0] = heads[below(COUNT_OF(heads))];
	if (p.atoms[0] == ATOM_ARN) {
		p.atoms[p.count++] = ATOM_ANY;
		if (!one_in(3)) {
			p.atoms[p.count++] = ATOM_COLON;
			p.atoms[p.count++] = ATOM_ANY;
		}
		p.atoms[p.count++] = ATOM_TOPIC_TYPE;
	}
	if (one_in(4))
		p.atoms[p.count++] = ATOM_DOLLAR;
	add_random_atoms(&p, 6);
	return p;
}

/*
 * The literal first level of the name in a resource of six parts: the text behind the first
 * '/', up to the next or the end, if it is all literal.
 */
static bool
names_level(const struct model_pattern *p, const char *level)
{
	char text[NAME_SIZE] = "";
	bool behind = false;

	if (cut_pattern(p).count < PARTS)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		const char *literal = atoms[p->atoms[i]].literal;

		if (literal == NULL && behind)
			return false;
		for (; literal != NULL && *literal != '\0'; literal++) {
			if (*literal == '/' && behind)
				return strcmp(text, level) == 0;
			if (behind)
				strncat(text, literal, 1);
			behind = behind || *literal == '/';
		}
	}
	return behind && strcmp(text, level) == 0;
}

/*
 * Conditions.
 */

enum key {
	KEY_CLIENT_ID,
	KEY_ATTRIBUTES,
	KEY_ADDRESS,
	KEY_UNITS,
	KEY_ATTACHED,
	KEY_NOPE,
	KEY_COUNT
};

static const char *const key_names[] = { "iot:ClientId", "iot:ConnectAttributes", "aws:SourceIp",
	"iot:Certificate.Subject.OrganizationalUnit.List", "iot:Connection.Thing.IsAttached",
	"iot:Nope" };

enum op { OP_EQUALS, OP_NOT_EQUALS, OP_LIKE, OP_NOT_LIKE, OP_NULL, OP_BOOL, OP_COUNT };

static const char *const op_names[] = { "StringEquals", "StringNotEquals", "StringLike",
	"StringNotLike", "Null", "Bool" };

struct model_condition {
	enum op op;
	enum key key;
	unsigned set; /* 1: ForAllValues, 2: ForAnyValue */
	bool if_exists;
	struct model_pattern values[3];
	bool truth; /* of Null and Bool, which have one value */
	size_t count;
};

static struct model_condition
random_condition(void)
{
	struct model_condition c = { .op = (enum op)below(OP_COUNT),
		.key = (enum key)below(KEY_COUNT),
		.set = below(3),
		.if_exists = one_in(4),
		.truth = one_in(2),
		.count = below(4) };

	if (c.op >= OP_NULL)
		c.count = 1;
	if (c.op == OP_NULL) {
		c.set = 0;
		c.if_exists = false;
	}
	for (size_t i = 0; i < c.count; i++) {
		if (c.key == KEY_ATTRIBUTES && !one_in(3))
			c.values[i].atoms[c.values[i].count++] = one_in(2) ? ATOM_PERSISTENT
									   : ATOM_LAST_WILL;
		else
			add_random_atoms(&c.values[i], 3);
	}
	return c;
}

/* The values of a key.  Only the address can be hidden. */
static size_t
values_of(enum key key, const struct known *k, const char *out[3])
{
	size_t n = 0;

	if (key == KEY_CLIENT_ID && k->client_id != NULL)
		out[n++] = k->client_id;
	if (key == KEY_ATTRIBUTES && k->persistent == ANSWER_YES)
		out[n++] = "PersistentConnect";
	if (key == KEY_ATTRIBUTES && k->will == ANSWER_YES)
		out[n++] = "LastWill";
	if (key == KEY_ADDRESS)
		out[n++] = k->address;
	if (key == KEY_ATTACHED)
		out[n++] = k->thing ? "true" : "false";
	for (size_t i = 0; key == KEY_UNITS && i < k->unit_count; i++)
		out[n++] = k->units[i];
	return n;
}

static int
value_fits(const struct model_condition *c, const char *value, const struct known *k)
{
	bool negated = c->op == OP_NOT_EQUALS || c->op == OP_NOT_LIKE;
	int fits = 0;

	if (c->op == OP_BOOL)
		return strcmp(value, c->truth ? "true" : "false") == 0 ? 2 : 0;
	for (size_t i = 0; i < c->count; i++)
		fits = most(fits,
		    model_match(&c->values[i], value, k, c->op == OP_LIKE || c->op == OP_NOT_LIKE));
	return negated ? 2 - fits : fits;
}

static int
holds_in_world(const struct model_condition *c, const struct known *k)
{
	bool negated = c->op == OP_NOT_EQUALS || c->op == OP_NOT_LIKE;
	const char *values[3];
	size_t n = values_of(c->key, k, values);
	int all = 2, any = 0;

	if (c->op == OP_NULL)
		return c->truth == (n == 0) ? 2 : 0;
	if (n == 0 && c->if_exists)
		return 2;
	for (size_t i = 0; i < n; i++) {
		int fits = value_fits(c, values[i], k);

		all = least(all, fits);
		any = most(any, fits);
	}
	return c->set == 1 || (c->set == 0 && negated) ? all : any;
}

static int
condition_holds(const struct model_condition *c, const struct known *k, bool connecting)
{
	struct known world = *k;
	int first = -1;

	if (c->key == KEY_ADDRESS && k->address == NULL)
		return 1;
	if (!connecting)
		world.persistent = world.will = ANSWER_NO;
	if (c->key != KEY_ATTRIBUTES || !connecting)
		return holds_in_world(c, &world);
	for (unsigned w = 0; w < 4; w++) {
		int holds;

		world.persistent = w & 1 ? ANSWER_YES : ANSWER_NO;
		world.will = w & 2 ? ANSWER_YES : ANSWER_NO;
		if ((k->persistent != ANSWER_NOT_ASKED && k->persistent != world.persistent) ||
		    (k->will != ANSWER_NOT_ASKED && k->will != world.will))
			continue;
		holds = holds_in_world(c, &world);
		if (first >= 0 && holds != first)
			return 1;
		first = holds;
	}
	return first;
}

/*
 * Statements.  The actions that each written action matches; the last two are of the control
 * API, iot:UpdateCertificate and iot:AttachPolicy.
 */

static const struct {
	const char *written;
	bool is[POLICY_CONTROL + 2]; /* Connect Publish Retain Receive Subscribe */
	bool administers;
} actions[] = {
	{ "iot:Connect", { 1, 0, 0, 0, 0, 0, 0 }, true },
	{ "iot:Publish", { 0, 1, 0, 0, 0, 0, 0 }, true },
	{ "iot:Receive", { 0, 0, 0, 1, 0, 0, 0 }, true },
	{ "iot:Subscribe", { 0, 0, 0, 0, 1, 0, 0 }, true },
	{ "IOT:retainpublish", { 0, 0, 1, 0, 0, 0, 0 }, true },
	{ "iot:Pub*", { 0, 1, 0, 0, 0, 0, 0 }, true },
	{ "iot:*ublish", { 0, 1, 1, 0, 0, 0, 0 }, true },
	{ "*", { 1, 1, 1, 1, 1, 1, 1 }, false },
	{ "iot:*", { 1, 1, 1, 1, 1, 1, 1 }, false },
	{ "iot:*?", { 1, 1, 1, 1, 1, 1, 1 }, false },
	{ "*t:*", { 1, 1, 1, 1, 1, 1, 1 }, false },
	{ "iot:UpdateCertificate", { 0, 0, 0, 0, 0, 1, 0 }, true },
	{ "iot:*Certificate", { 0, 0, 0, 0, 0, 1, 0 }, true },
	{ "iot:Attach*", { 0, 0, 0, 0, 0, 0, 1 }, true },
	{ "*Policy", { 0, 0, 0, 0, 0, 0, 1 }, false },
	{ "iot:?????????", { 0, 0, 0, 0, 1, 0, 0 }, false },
	{ "greengrass:*", { 0, 0, 0, 0, 0, 0, 0 }, false },
};

struct model_statement {
	bool deny, not_action, not_resource;
	size_t action[2], action_count;
	struct model_pattern resource[2];
	size_t resource_count;
	struct model_condition condition[2];
	size_t condition_count;
};

struct model_policy {
	struct model_statement statement[3];
	size_t count;
};

struct model_request {
	unsigned action; /* of the columns above */
	char name[NAME_SIZE], arn[NAME_SIZE + 160];
	const struct known *known;
};

static struct model_statement
random_statement(void)
{
	struct model_statement s = { .deny = one_in(3),
		.not_action = one_in(6),
		.not_resource = one_in(6),
		.action_count = 1 + below(2),
		.resource_count = 1 + below(2),
		.condition_count = one_in(2) ? 0 : below(3) };

	for (size_t i = 0; i < s.action_count; i++)
		s.action[i] = below(COUNT_OF(actions));
	for (size_t i = 0; i < s.resource_count; i++)
		s.resource[i] = random_resource();
	for (size_t i = 0; i < s.condition_count; i++)
		s.condition[i] = random_condition();
	return s;
}

static bool
action_is(const struct model_statement *s, unsigned action)
{
	bool control = action >= POLICY_CONTROL, is = false;

	if (control && !s->deny && s->not_action)
		return false;
	for (size_t i = 0; i < s->action_count; i++)
		if (!control || s->deny || actions[s->action[i]].administers)
			is = is || actions[s->action[i]].is[action];
	return is != s->not_action;
}

static int
resource_is(const struct model_statement *s, const struct model_request *r)
{
	bool dollar = r->name[0] == '$' && r->action != POLICY_CONNECT &&
	    r->action < POLICY_CONTROL;
	char level[NAME_SIZE];
	int is = 0;

	snprintf(level, sizeof(level), "%.*s", (int)strcspn(r->name, "/"), r->name);
	if (dollar && !s->deny && s->not_resource)
		return 0;
	for (size_t i = 0; i < s->resource_count; i++)
		if (!dollar || s->deny || names_level(&s->resource[i], level))
			is = most(is, resource_match(&s->resource[i], r->arn, r->known));
	return s->not_resource ? 2 - is : is;
}

static enum policy_result
model_eval(const struct model_policy *p, const struct model_request *r)
{
	enum policy_result result = POLICY_IMPLICIT_DENY;

	for (size_t i = 0; i < p->count; i++) {
		const struct model_statement *s = &p->statement[i];
		int holds = action_is(s, r->action) ? resource_is(s, r) : 0;

		for (size_t c = 0; c < s->condition_count; c++)
			holds = least(holds,
			    condition_holds(&s->condition[c], r->known,
				r->action == POLICY_CONNECT));
		if (s->deny && holds > 0)
			return POLICY_EXPLICIT_DENY;
		if (!s->deny && holds == 2)
			result = POLICY_ALLOWED;
	}
	return result;
}

/*
 * Rendering.
 */

static char document[16384];

PRINTF_LIKE(1, 2)
static void
put(const char *fmt, ...)
{
	size_t len = strlen(document);
	va_list args;

	va_start(args, fmt);
	vsnprintf(document + len, sizeof(document) - len, fmt, args);
	va_end(args);
}

static void
put_pattern(const struct model_pattern *p)
{
	put("\"");
	for (size_t i = 0; i < p->count; i++)
		put("%s", atoms[p->atoms[i]].written);
	put("\"");
}

static void
put_condition(const struct model_condition *c)
{
	static const char *const sets[] = { "", "ForAllValues:", "ForAnyValue:" };

	put("\"%s%s%s\":{\"%s\":[", sets[c->set], op_names[c->op], c->if_exists ? "IfExists" : "",
	    key_names[c->key]);
	for (size_t i = 0; i < c->count; i++) {
		put("%s", i > 0 ? "," : "");
		if (c->op >= OP_NULL)
			put("%s", c->truth ? "true" : "\"false\"");
		else
			put_pattern(&c->values[i]);
	}
	put("]}");
}

static void
put_statement(const struct model_statement *s)
{
	put("{\"Effect\":\"%s\",\"%sAction\":[", s->deny ? "Deny" : "Allow",
	    s->not_action ? "Not" : "");
	for (size_t i = 0; i < s->action_count; i++)
		put("%s\"%s\"", i > 0 ? "," : "", actions[s->action[i]].written);
	put("],\"%sResource\":[", s->not_resource ? "Not" : "");
	for (size_t i = 0; i < s->resource_count; i++) {
		put("%s", i > 0 ? "," : "");
		put_pattern(&s->resource[i]);
	}
	put("]");
	for (size_t i = 0; i < s->condition_count; i++) {
		put("%s", i > 0 ? "," : ",\"Condition\":{");
		put_condition(&s->condition[i]);
	}
	put(s->condition_count > 0 ? "}}" : "}");
}

/* Two conditions with one operator would be a duplicate member. */
static bool
is_json(const struct model_statement *s)
{
	const struct model_condition *a = &s->condition[0], *b = &s->condition[1];

	return s->condition_count < 2 || a->op != b->op || a->set != b->set ||
	    a->if_exists != b->if_exists;
}

static struct model_policy
random_policy(void)
{
	struct model_policy p = { .count = 1 + below(3) };

	document[0] = '\0';
	put("{\"Version\":\"2012-10-17\",\"Statement\":[");
	for (size_t i = 0; i < p.count; i++) {
		do
			p.statement[i] = random_statement();
		while (!is_json(&p.statement[i]));
		put("%s", i > 0 ? "," : "");
		put_statement(&p.statement[i]);
	}
	put("]}");
	return p;
}

/*
 * Requests: half of the names are made from a resource of the policy.
 */

static void
random_name(const struct model_policy *p, const struct known *k, char name[NAME_SIZE])
{
	const struct model_statement *s = &p->statement[below((unsigned)p->count)];
	const struct model_pattern *from = &s->resource[below((unsigned)s->resource_count)];
	struct model_pattern own = { .count = 0 };

	name[0] = '\0';
	if (one_in(2)) {
		from = &own;
		add_random_atoms(&own, 6);
	}
	for (size_t i = 0; i < from->count; i++) {
		enum atom a = from->atoms[i];
		const char *text = atoms[a].literal;

		if (from != &own && (i == 0 || a >= ATOM_TOPIC))
			continue;
		if (a == ATOM_CLIENT_ID && k->client_id != NULL)
			text = k->client_id;
		else if (text == NULL)
			text = a == ATOM_ONE ? "b" : "a";
		strcat(name, text);
	}
}

static struct policy_request
random_request(const struct model_policy *p, const struct known *k, struct model_request *m)
{
	static const char *const control[] = { "iot:UpdateCertificate", "iot:AttachPolicy" };
	struct policy_request r = { .control = NULL };

	m->action = below(POLICY_CONTROL + 2);
	m->known = k;
	random_name(p, k, m->name);
	r.action = (enum policy_action)(m->action < POLICY_CONTROL ? m->action : POLICY_CONTROL);
	r.prefix = head_of(r.action);
	if (r.action == POLICY_CONTROL)
		r.control = control[m->action - POLICY_CONTROL];
	memcpy(m->arn, r.prefix.data, r.prefix.len);
	memcpy(m->arn + r.prefix.len, m->name, sizeof(m->name));
	r.name = view_of(m->name);
	return r;
}

static struct cert_facts *cert;

static struct facts
facts_of(const struct known *k)
{
	static struct thing thing;
	struct facts f = { .client_id = view_of(k->client_id),
		.client_id_as_is = k->as_is,
		.cert = cert,
		.thing = k->thing ? &thing : NULL,
		.source_text = view_of(k->address),
		.persistent_connect = k->persistent,
		.last_will = k->will };

	cert->count = 0;
	for (size_t i = 0; i < k->unit_count; i++)
		cert->values[cert->count++] = (struct cert_value){
			FIELD_SUBJECT_ORGANIZATIONAL_UNIT, view_of(k->units[i])
		};
	if (k->common_name != NULL)
		cert->values[cert->count++] = (struct cert_value){ FIELD_SUBJECT_COMMON_NAME,
			view_of(k->common_name) };
	return f;
}

static size_t answers[POLICY_EXPLICIT_DENY + 1];

static void
compare_one(const struct model_policy *model, const struct policy *p, const struct policy *decoded)
{
	struct known k = random_known();
	struct facts f = facts_of(&k);
	struct model_request m;
	struct policy_request r = random_request(model, &k, &m);
	enum policy_result is, should_be = model_eval(model, &m);

	r.facts = &f;
	is = policy_eval(&p, 1, &r, NULL);
	if (is != should_be)
		ck_abort_msg(
		    "%d, not %d: action %u name '%s' client '%s'%s cn '%s' ip %s %d %d\n%s",
		    (int)is, (int)should_be, m.action, m.name, k.client_id, k.as_is ? " as is" : "",
		    k.common_name, k.address, (int)k.persistent, (int)k.will, document);
	ck_assert_msg(policy_eval(&decoded, 1, &r, NULL) == is, "another answer of its form: %s",
	    document);
	answers[is]++;
}

START_TEST(the_fast_evaluator_agrees_with_the_slow_one)
{
	const char *wanted = getenv("JITR_TEST_POLICIES");
	unsigned long policies = wanted != NULL ? strtoul(wanted, NULL, 10) : POLICIES_DEFAULT;
	struct arn_scope scope = arn_scope_of(TEST_REGION, TEST_ACCOUNT);

	cert = malloc(sizeof(*cert) + 8 * sizeof(cert->values[0]));
	for (unsigned long i = 0; i < policies; i++) {
		struct model_policy model = random_policy();
		struct policy *p = NULL, *decoded;
		struct diag diag = { "" };

		if (policy_compile(view_of(document), &scope, &p, &diag) != ERR_OK)
			ck_abort_msg("%s: %s", diag.text, document);
		decoded = policy_again(p, &scope);
		ck_assert_uint_eq(policy_uses(decoded), policy_uses(p));
		for (int n = 0; n < REQUESTS_EACH; n++)
			compare_one(&model, p, decoded);
		free(decoded);
		policy_free(p);
	}
	free(cert);
	/* every answer occurs often enough */
	for (size_t i = 0; i < COUNT_OF(answers); i++)
		ck_assert_uint_gt(answers[i], policies * REQUESTS_EACH / 50);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policy_model");
	TCase *t = suite_case(suite, "model");

	tcase_set_timeout(t, 3600);
	tcase_add_test(t, the_fast_evaluator_agrees_with_the_slow_one);
	return suite_run(suite);
}
