/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * arguments.c - see arguments.h.
 *
 * Any thread.  Never allocates.
 */
#include "arguments.h"

#include <string.h>

#include "jitr/core/aws_gap.h"
#include "jitr/core/text.h"

/* A flag as given: which one, and whether with the prefix --no-. */
struct match {
	const struct flag *flag;
	bool no;
};

struct search {
	const char *word; /* as given, without dashes */
	size_t len;
	struct match found;
	int hits;
	struct text *names; /* of all matches, for the message */
};

static bool
begins(const char *name, const struct search *s)
{
	return strncmp(name, s->word, s->len) == 0;
}

static void
search_hit(struct search *s, const struct flag *flag, bool no)
{
	s->found = (struct match){ flag, no };
	text_addf(s->names, "%s--%s%s", s->hits == 0 ? "" : ", ", no ? "no-" : "", flag->name);
	s->hits++;
}

static bool
search_exact(struct search *s, const struct flag *flags)
{
	for (const struct flag *f = flags; f->name != NULL; f++) {
		bool no = f->kind == FLAG_BOOLEAN && s->len > 3 && strncmp(s->word, "no-", 3) == 0;
		const char *word = no ? s->word + 3 : s->word;
		size_t len = no ? s->len - 3 : s->len;

		if (strlen(f->name) == len && strncmp(f->name, word, len) == 0) {
			s->found = (struct match){ f, no };
			s->hits = 1;
			return true;
		}
	}
	return false;
}

/* Tries AWS's flags first, so that our own flags never make an abbreviation ambiguous
 * that works with the AWS CLI. */
static void
search_beginning(struct search *s, const struct flag *flags, bool ours)
{
	for (const struct flag *f = flags; f->name != NULL; f++) {
		if ((f->use == FLAG_OURS) != ours)
			continue;
		if (begins(f->name, s))
			search_hit(s, f, false);
		else if (f->kind == FLAG_BOOLEAN && s->len > 3 && strncmp(s->word, "no-", 3) == 0 &&
		    strncmp(f->name, s->word + 3, s->len - 3) == 0)
			search_hit(s, f, true);
	}
}

static bool
flag_search(const struct command *command, const char *argument, struct match *out, struct diag *d)
{
	char names[200];
	struct text text = text_in(names, sizeof(names));
	struct search s = { .word = argument + 2,
		.len = strcspn(argument + 2, "="),
		.names = &text };

	if (!search_exact(&s, command->flags) && !search_exact(&s, global_flags)) {
		search_beginning(&s, command->flags, false);
		if (s.hits == 0)
			search_beginning(&s, command->flags, true);
		if (s.hits == 0)
			search_beginning(&s, global_flags, false);
	}
	if (s.hits == 1) {
		*out = s.found;
		return true;
	}
	if (s.hits == 0)
		diag_set(d, "Unknown options: %s", argument);
	else
		diag_set(d, "ambiguous option: %s could match %s", argument, names);
	return false;
}

/* A value may begin with dashes if it cannot be a flag: PEM does. */
static bool
looks_like_flag(const char *word)
{
	return strncmp(word, "--", 2) == 0 && word[2] != '\0' && word[2] != '-' &&
	    strpbrk(word, " \n") == NULL;
}

static bool
takes_value(enum flag_kind kind)
{
	return kind != FLAG_BOOLEAN && kind != FLAG_SWITCH && kind != FLAG_REFUSED;
}

static bool
takes_several(enum flag_kind kind)
{
	return kind == FLAG_TAGS || kind == FLAG_WORDS || kind == FLAG_PHRASE;
}

/* The entry of a flag; the existing one if the flag was given before. */
static struct given *
given_slot(struct arguments *a, const struct flag *flag)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->given[i].flag == flag)
			return &a->given[i];
	}
	return a->count < GIVEN_MAX ? &a->given[a->count++] : NULL;
}

/* Reads the values of the flag at argv[0].  Returns the number of words used, 0 if a
 * value is missing. */
static int
read_values(struct given *g, int argc, char **argv, struct diag *d)
{
	const char *equals = strchr(argv[0], '=');
	int used = 1;

	if (equals != NULL) {
		g->value = equals + 1;
	} else if (argc > 1 && !looks_like_flag(argv[1])) {
		g->value = argv[1];
		used = 2;
	} else {
		diag_set(d, "argument --%s: expected one argument", g->flag->name);
		return 0;
	}
	if (!takes_several(g->flag->kind))
		return used;
	g->more = argv + used;
	while (used < argc && !looks_like_flag(argv[used])) {
		g->more_count++;
		used++;
	}
	return used;
}

static int
read_flag(struct arguments *a, int argc, char **argv, struct diag *d)
{
	struct match m;
	struct given *g;

	if (strncmp(argv[0], "--", 2) != 0 || argv[0][2] == '\0') {
		diag_set(d, "Unknown options: %s%s", argv[0],
		    argv[0][0] == '-' ? " (connection options go before the command)" : "");
		return 0;
	}
	if (!flag_search(a->command, argv[0], &m, d))
		return 0;
	if (m.flag->kind == FLAG_REFUSED) {
		diag_set(d, "--%s %s", m.flag->name, m.flag->help);
		return 0;
	}
	g = given_slot(a, m.flag);
	if (g == NULL) {
		diag_set(d, "too many options");
		return 0;
	}
	*g = (struct given){ .flag = m.flag, .yes = !m.no };
	if (takes_value(m.flag->kind))
		return read_values(g, argc, argv, d);
	if (strchr(argv[0], '=') != NULL) {
		diag_set(d, "argument --%s: takes no value", m.flag->name);
		return 0;
	}
	return 1;
}

/* `help`, `help COMMAND`, `COMMAND help`, and --help at any position. */
static bool
wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || (i < 2 && strcmp(argv[i], "help") == 0))
			return true;
	}
	return false;
}

/* Explains that a command of `aws iot` is not implemented, and names replacements. */
static void
explain_gap(const char *name, const struct aws_gap *gap, struct diag *d)
{
	char sentence[sizeof(d->text)];
	struct text t = text_in(sentence, sizeof(sentence));

	text_addf(&t, "argument command: '%.60s' of aws iot is not supported here: %s", name,
	    gap->why);
	for (size_t i = 0; i < AWS_GAP_USE_MAX && gap->use[i] != NULL; i++) {
		const struct command *use = command_of_operation(gap->use[i]);

		text_addf(&t, "%s%s", i == 0 ? "; see " : " and ",
		    use != NULL ? use->name : "help");
	}
	diag_set(d, "%s", sentence);
}

MUST_USE static bool
parse_command(struct arguments *a, const char *name, struct diag *d)
{
	const struct aws_gap *gap;
	const struct command *guess;

	a->command = command_find(name);
	if (a->command != NULL)
		return true;
	gap = aws_gap_find(name);
	guess = command_guess(name);
	if (gap != NULL)
		explain_gap(name, gap, d);
	else if (guess != NULL)
		diag_set(d, "argument command: Invalid choice: '%s', maybe you meant: %s", name,
		    guess->name);
	else
		diag_set(d, "argument command: Invalid choice: '%s'", name);
	return false;
}

/* Help on the first word other than "help" itself, if there is one. */
MUST_USE static bool
parse_help(struct arguments *a, int argc, char **argv, struct diag *d)
{
	a->help = true;
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "help") != 0 && argv[i][0] != '-')
			return parse_command(a, argv[i], d);
	return true;
}

bool
arguments_parse(struct arguments *a, int argc, char **argv, struct diag *d)
{
	*a = (struct arguments){ 0 };
	if (argc < 1) {
		diag_set(d, "the following arguments are required: command");
		return false;
	}
	if (wants_help(argc, argv))
		return parse_help(a, argc, argv, d);
	if (!parse_command(a, argv[0], d))
		return false;
	for (int i = 1; i < argc;) {
		int used = read_flag(a, argc - i, argv + i, d);

		if (used == 0)
			return false;
		i += used;
	}
	return true;
}

bool
arguments_complete(const struct arguments *a, struct diag *d)
{
	char names[200];
	struct text missing = text_in(names, sizeof(names));

	for (const struct flag *f = a->command->flags; f->name != NULL; f++) {
		if (f->use == FLAG_REQUIRED && arguments_given(a, f->name) == NULL)
			text_addf(&missing, "%s--%s", missing.len == 0 ? "" : ", ", f->name);
	}
	if (missing.len == 0)
		return true;
	diag_set(d, "the following arguments are required: %s", names);
	return false;
}

const struct given *
arguments_given(const struct arguments *a, const char *name)
{
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->given[i].flag->name, name) == 0)
			return &a->given[i];
	}
	return NULL;
}
