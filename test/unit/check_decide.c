/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_decide.c - the decision, for every combination of facts.
 *
 * Three ways to look at it: what must hold for all combinations (aws-iot D.2,
 * D.6), the cases in words (decisions.golden, the specification to read), and
 * the status changes of aws-iot A.3.6.
 *
 * After a change that is meant, write the golden file anew and read its diff:
 *
 *	UPDATE_GOLDEN=1 ctest -R decide
 */
#include <stdio.h>
#include <string.h>

#include "jitr/decide.h"
#include "suite.h"

#define NOW      1000000
#define INTERVAL 1000 /* announce_interval where there is one, ms */
#define GOLDEN   "decisions.golden"

/* A date or a status that is not there. */
#define NONE (-1)

/* Where now stands in a period of validity. */
enum period {
	PERIOD_WITHIN,
	PERIOD_BEFORE, /* not valid yet */
	PERIOD_AFTER,  /* expired */
	PERIOD_COUNT,
};

static const int64_t periods[PERIOD_COUNT][2] = {
	[PERIOD_WITHIN] = { NOW - 500000, NOW + 500000 },
	[PERIOD_BEFORE] = { NOW + 1, NOW + 500000 },
	[PERIOD_AFTER] = { NOW - 500000, NOW - 1 },
};

/* One combination of everything that the decision may depend on. */
struct facts {
	int         cert_status; /* NONE: not registered */
	int64_t     announced;   /* ms ago */
	int         ca_status;   /* NONE: not registered */
	bool        automatic;
	enum period ca_period, period;
	enum answer issued;
	bool        ca_certificate, weak_signature, weak_key, unknown_extension;
	bool        defer_unknown;
	int64_t     interval;
};

/* A good certificate of a CA that registers. */
static const struct facts first_connection = {
	.cert_status = NONE,
	.ca_status = CA_ACTIVE,
	.automatic = true,
	.issued = ANSWER_YES,
	.interval = INTERVAL,
	.announced = INTERVAL,
};

static struct decision
decide(const struct facts *f)
{
	struct presented p = {
		.not_before = periods[f->period][0],
		.not_after = periods[f->period][1],
		.is_leaf = !f->ca_certificate,
		.strong_signature = !f->weak_signature,
		.strong_key = !f->weak_key,
		.known_extensions = !f->unknown_extension,
		.issued_by_ca = f->issued,
	};
	struct ca ca = {
		.status = (enum ca_status)f->ca_status,
		.auto_registration = f->automatic,
		.not_before = periods[f->ca_period][0],
		.not_after = periods[f->ca_period][1],
	};
	struct cert cert = {
		.status = (enum cert_status)f->cert_status,
		.announced = NOW - f->announced,
	};
	struct decide_rules rules = {
		.announce_interval = f->interval,
		.defer_unknown = f->defer_unknown,
	};

	return decide_connect(&p, f->ca_status != NONE ? &ca : NULL,
	    f->cert_status != NONE ? &cert : NULL, &rules, NOW);
}

/*
 * Properties.
 */

static bool
is_registered(const struct facts *f)
{
	return f->cert_status != NONE;
}

static bool
is_known(const struct facts *f)
{
	return is_registered(f) || f->ca_status != NONE;
}

static bool
may_be_registered(const struct facts *f)
{
	return !is_registered(f) && f->ca_status == CA_ACTIVE && f->automatic &&
	    f->ca_period == PERIOD_WITHIN && f->period == PERIOD_WITHIN &&
	    f->issued == ANSWER_YES && !f->ca_certificate && !f->weak_signature && !f->weak_key &&
	    !f->unknown_extension;
}

static bool
may_be_announced(const struct facts *f)
{
	return f->cert_status == CERT_PENDING_ACTIVATION && f->period == PERIOD_WITHIN &&
	    (f->announced < 0 || f->announced >= f->interval);
}

static void
check_verdict(const struct facts *f, struct decision d)
{
	/* Who gets in is registered, ACTIVE and valid; whoever is, gets in. */
	must((d.verdict == VERDICT_ALLOW) ==
	    (f->cert_status == CERT_ACTIVE && f->period == PERIOD_WITHIN));
	/* Others are asked about strangers only, and only where that is wanted. */
	must((d.verdict == VERDICT_DEFER) == (!is_known(f) && f->defer_unknown));
	/* A refusal has a reason, with words and a code; an admission has none. */
	must((d.reason == REASON_NONE) == (d.verdict == VERDICT_ALLOW));
	if (d.reason != REASON_NONE) {
		must(reason_text(d.reason)[0] != '\0');
		must(reason_code(d.reason)[0] != '\0');
	}
}

static void
check_effects(const struct facts *f, struct decision d)
{
	bool registers = d.effects & EFFECT_REGISTER, announces = d.effects & EFFECT_ANNOUNCE;

	must(registers == may_be_registered(f));
	must(announces == (registers || may_be_announced(f)));
	/* The first connection is refused too: nothing depends on a write. */
	if (d.effects != 0)
		must(d.verdict == VERDICT_DENY);
	must((d.effects & ~(unsigned)(EFFECT_REGISTER | EFFECT_ANNOUNCE)) == 0);
}

/* A certificate that is registered is judged by its own record, whatever
 * became of its CA and however weak it is (aws-iot D.2, row 7). */
static void
check_independence(const struct facts *f, struct decision d)
{
	struct facts other = first_connection;
	struct decision same;

	if (!is_registered(f))
		return;
	other.cert_status = f->cert_status;
	other.announced = f->announced;
	other.interval = f->interval;
	other.period = f->period;
	same = decide(&other);
	must(d.verdict == same.verdict);
	must(d.reason == same.reason);
	must(d.effects == same.effects);
}

static unsigned long cases, seen[REASON_COUNT];

static void
check_case(const struct facts *f)
{
	struct decision d = decide(f);

	cases++;
	seen[d.reason]++;
	check_verdict(f, d);
	check_effects(f, d);
	check_independence(f, d);
}

static void
every_fault(struct facts f)
{
	for (int bits = 0; bits < 16; bits++) {
		f.ca_certificate = bits & 1;
		f.weak_signature = bits & 2;
		f.weak_key = bits & 4;
		f.unknown_extension = bits & 8;
		check_case(&f);
	}
}

static void
every_certificate(struct facts f)
{
	for (int period = 0; period < PERIOD_COUNT; period++)
		for (int issued = ANSWER_NOT_ASKED; issued <= ANSWER_YES; issued++) {
			f.period = (enum period)period;
			f.issued = (enum answer)issued;
			every_fault(f);
		}
}

static void
every_ca(struct facts f)
{
	for (int status = NONE; status <= CA_ACTIVE; status++)
		for (int period = 0; period < PERIOD_COUNT; period++)
			for (int automatic = 0; automatic < 2; automatic++) {
				f.ca_status = status;
				f.ca_period = (enum period)period;
				f.automatic = automatic;
				every_certificate(f);
			}
}

static const int64_t announcements[] = { 0, INTERVAL - 1, INTERVAL, INTERVAL + 1, NOW, -1 };

static void
every_rule(struct facts f)
{
	for (size_t i = 0; i < COUNT_OF(announcements); i++)
		for (int rules = 0; rules < 4; rules++) {
			f.announced = announcements[i];
			f.defer_unknown = rules & 1;
			f.interval = rules & 2 ? INTERVAL : 0;
			every_ca(f);
		}
}

/* What decide_connect() never answers: gate.h's own refusals. */
static bool
is_of_the_gate(int reason)
{
	return reason == REASON_UNREADABLE || reason == REASON_DELETED ||
	    reason == REASON_NAME_RESERVED || reason == REASON_NO_POLICY ||
	    reason == REASON_NOT_ALLOWED || reason == REASON_POLICY_UNUSABLE ||
	    reason == REASON_REGISTRY_FAILED;
}

START_TEST(for_every_combination_of_facts_the_rules_hold)
{
	for (int status = NONE; status <= CERT_PENDING_ACTIVATION; status++) {
		struct facts f = { .cert_status = status };

		every_rule(f);
	}
	ck_assert_uint_eq(cases, 6ul * 6 * 4 * 18 * 9 * 16);
	for (int reason = 0; reason < REASON_COUNT; reason++)
		ck_assert_msg((seen[reason] > 0) == !is_of_the_gate(reason), "%s",
		    reason_code((enum reason)reason));
}
END_TEST

/* A struct that nobody filled admits nobody and registers nothing. */
START_TEST(nothing_known_is_nothing_granted)
{
	struct presented p = { .not_before = 0 };
	struct decide_rules rules = { .announce_interval = 0 };
	struct ca ca = { .created = 0 };
	struct cert cert = { .created = 0 };
	struct decision d[] = {
		decide_connect(&p, NULL, NULL, &rules, 0),
		decide_connect(&p, &ca, NULL, &rules, 0),
		decide_connect(&p, NULL, &cert, &rules, 0),
	};

	for (size_t i = 0; i < COUNT_OF(d); i++) {
		ck_assert_int_eq(d[i].verdict, VERDICT_DENY);
		ck_assert_uint_eq(d[i].effects, 0);
	}
	ck_assert_int_eq(VERDICT_DENY, 0);
}
END_TEST

/* A status that a later version wrote. */
START_TEST(a_status_of_the_future_is_refused)
{
	volatile int beyond = CERT_PENDING_ACTIVATION + 1;
	struct facts f = first_connection;
	struct decision d;

	f.cert_status = beyond;
	d = decide(&f);
	ck_assert_int_eq(d.verdict, VERDICT_DENY);
	ck_assert_uint_eq(d.effects, 0);
}
END_TEST

START_TEST(a_reason_of_no_name_is_silent)
{
	volatile int beyond = REASON_COUNT;

	ck_assert_str_eq(reason_text((enum reason)beyond), "");
	ck_assert_str_eq(reason_code((enum reason)beyond), "");
}
END_TEST

/* One code, one reason: a program that reads the log can tell them apart. */
START_TEST(reasons_have_codes_of_their_own)
{
	for (int a = 0; a < REASON_COUNT; a++)
		for (int b = 0; b < a; b++) {
			ck_assert_str_ne(reason_code((enum reason)a), reason_code((enum reason)b));
			ck_assert_str_ne(reason_text((enum reason)a), reason_text((enum reason)b));
		}
}
END_TEST

/*
 * The cases in words.
 */

static const char *
period_words(enum period p)
{
	return p == PERIOD_BEFORE ? "not valid yet" : p == PERIOD_AFTER ? "expired" : "valid";
}

static void
say_ca(FILE *out, const struct facts *f)
{
	if (f->ca_status == NONE) {
		fputs("CA not registered", out);
		return;
	}
	fprintf(out, "CA %s %s", ca_status_name((enum ca_status)f->ca_status),
	    f->automatic ? "ENABLE" : "DISABLE");
	if (f->ca_period != PERIOD_WITHIN)
		fprintf(out, " but %s", period_words(f->ca_period));
}

static void
say_fault(FILE *out, bool fault, const char *words)
{
	if (fault)
		fprintf(out, ", %s", words);
}

static void
say_certificate(FILE *out, const struct facts *f)
{
	if (f->cert_status == NONE)
		fputs("not registered", out);
	else
		fprintf(out, "registered %s", cert_status_name((enum cert_status)f->cert_status));
	say_fault(out, f->period != PERIOD_WITHIN, period_words(f->period));
	say_fault(out, f->issued == ANSWER_NO, "not signed by the CA it names");
	say_fault(out, f->unknown_extension, "unknown critical extension");
	say_fault(out, f->ca_certificate, "a CA certificate");
	say_fault(out, f->weak_signature, "weak signature");
	say_fault(out, f->weak_key, "weak key");
}

static void
say_decision(FILE *out, struct decision d)
{
	static const char *const verdicts[] = { [VERDICT_DENY] = "deny", [VERDICT_ALLOW] = "allow",
		[VERDICT_DEFER] = "defer" };

	fprintf(out, " -> %s", verdicts[d.verdict]);
	if (d.reason != REASON_NONE)
		fprintf(out, " \"%s\"", reason_text(d.reason));
	fputs(d.effects & EFFECT_REGISTER ? " + register" : "", out);
	fputs(d.effects & EFFECT_ANNOUNCE ? " + announce" : "", out);
	fputc('\n', out);
}

/* One line: the facts, in words or as they stand, and what follows. */
static void
say(FILE *out, const struct facts *f, const char *more)
{
	say_certificate(out, f);
	fputs("; ", out);
	say_ca(out, f);
	fputs(more, out);
	say_decision(out, decide(f));
}

static void
title(FILE *out, const char *text)
{
	fprintf(out, "\n# %s\n", text);
}

/* The CA of a certificate may be as it likes: gone, or in any state. */
static void
say_with_every_ca(FILE *out, struct facts f, const char *more)
{
	for (int status = CA_ACTIVE; status >= NONE; status--)
		for (int automatic = 1; automatic >= 0; automatic--) {
			f.ca_status = status;
			f.automatic = automatic;
			if (status != NONE || automatic)
				say(out, &f, more);
		}
}

static void
rows_not_registered(FILE *out)
{
	struct facts f = first_connection;

	title(out, "D.2 row 1: the first connection of a CA's certificate registers it");
	say(out, &f, "");
	title(out, "D.2 row 2: a template (registrationConfig) is stored, not carried out: as row 1");
	say(out, &f, ", with a template");
	title(out, "D.2 row 3: the CA does not register automatically");
	f.automatic = false;
	say(out, &f, "");
	title(out, "D.2 row 4: the CA is not active");
	f.ca_status = CA_INACTIVE;
	say(out, &f, "");
	f.automatic = true;
	say(out, &f, "");
	title(out, "D.2 row 5: the CA is not registered; unknown_ca tells what to do");
	f.ca_status = NONE;
	f.issued = ANSWER_NOT_ASKED;
	say(out, &f, ", unknown_ca deny");
	f.defer_unknown = true;
	say(out, &f, ", unknown_ca defer");
}

static void
row_of_status(FILE *out, const char *row, enum cert_status status)
{
	struct facts f = first_connection;

	title(out, row);
	f.cert_status = (int)status;
	say_with_every_ca(out, f, "");
}

static void
rows_registered(FILE *out)
{
	struct facts f = first_connection;

	title(out, "D.2 row 6: a pending certificate is announced again, whatever became of its CA");
	f.cert_status = CERT_PENDING_ACTIVATION;
	say_with_every_ca(out, f, ", announced long ago");
	f.announced = 0;
	say_with_every_ca(out, f, ", announced just now");
	row_of_status(out, "D.2 row 7: an active certificate gets in, whatever became of its CA",
	    CERT_ACTIVE);
	row_of_status(out, "D.2 row 8: inactive", CERT_INACTIVE);
	row_of_status(out, "D.2 row 9: revoked", CERT_REVOKED);
	row_of_status(out, "D.2 row 10: on its way to another account", CERT_PENDING_TRANSFER);
	title(out, "D.2 row 11: REGISTER_INACTIVE is never stored: see row 8");
	title(out, "D.2 row 12: what was deleted is unknown again: as row 1");
	f = first_connection;
	say(out, &f, ", deleted earlier");
}

static void
requirements(FILE *out)
{
	struct facts f = first_connection;

	title(out, "D.6: what is registered at a first connection must be fit for it");
	f.issued = ANSWER_NO;
	say(out, &f, "");
	f.issued = ANSWER_YES;
	for (int bits = 1; bits < 16; bits++) {
		f.unknown_extension = bits & 1;
		f.ca_certificate = bits & 2;
		f.weak_signature = bits & 4;
		f.weak_key = bits & 8;
		say(out, &f, "");
	}
	title(out, "D.6: what is registered already is not examined again");
	for (int status = CERT_INACTIVE; status <= CERT_PENDING_ACTIVATION; status++) {
		f.cert_status = status;
		say(out, &f, "");
	}
}

static void
validity(FILE *out)
{
	struct facts f = first_connection;

	title(out, "Validity of the certificate: outside it nobody gets in and nothing is done");
	for (int status = NONE; status <= CERT_PENDING_ACTIVATION; status++)
		for (int period = PERIOD_BEFORE; period < PERIOD_COUNT; period++) {
			f.cert_status = status;
			f.period = (enum period)period;
			say(out, &f, "");
		}
	f = first_connection;
	f.ca_status = NONE;
	f.issued = ANSWER_NOT_ASKED;
	f.period = PERIOD_AFTER;
	say(out, &f, "");
	title(out, "Validity of the CA: it counts where a certificate is to be registered");
	f = first_connection;
	for (int status = NONE; status <= CERT_PENDING_ACTIVATION; status++)
		for (int period = PERIOD_BEFORE; period < PERIOD_COUNT; period++) {
			f.cert_status = status;
			f.ca_period = (enum period)period;
			say(out, &f, "");
		}
}

/* The nth thing that can be wrong with a first connection. */
static bool
spoil(struct facts *f, int nth)
{
	switch (nth) {
	case 0:
		f->period = PERIOD_AFTER;
		return true;
	case 1:
		f->issued = ANSWER_NO;
		return true;
	case 2:
		f->ca_status = CA_INACTIVE;
		return true;
	case 3:
		f->ca_period = PERIOD_AFTER;
		return true;
	case 4:
		f->automatic = false;
		return true;
	case 5:
		f->unknown_extension = true;
		return true;
	default:
		return false;
	}
}

static void
precedence(FILE *out)
{
	struct facts f;

	title(out, "Two things wrong at once: the reason that is given");
	for (int a = 0; f = first_connection, spoil(&f, a); a++)
		for (int b = a + 1; f = first_connection, spoil(&f, b); b++) {
			(void)spoil(&f, a);
			say(out, &f, "");
		}
}

static void
times(FILE *out)
{
	static const struct {
		int64_t     interval, announced;
		const char *words;
	} rows[] = {
		{ INTERVAL, 0, ", announce_interval 1 s, announced this instant" },
		{ INTERVAL, INTERVAL - 1, ", announce_interval 1 s, announced 999 ms ago" },
		{ INTERVAL, INTERVAL, ", announce_interval 1 s, announced 1000 ms ago" },
		{ INTERVAL, NOW, ", announce_interval 1 s, never announced" },
		{ INTERVAL, -1, ", announce_interval 1 s, announced in the future (clock set back)" },
		{ 0, 0, ", announce_interval 0, announced this instant" },
	};
	struct facts f = first_connection;

	title(out, "Times: how often a pending certificate is announced");
	f.cert_status = CERT_PENDING_ACTIVATION;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		f.interval = rows[i].interval;
		f.announced = rows[i].announced;
		say(out, &f, rows[i].words);
	}
}

static void
instants(FILE *out)
{
	static const struct {
		int64_t     from, to; /* relative to now */
		const char *words;
	} rows[] = {
		{ 1, 10, "one millisecond before notBefore" },
		{ 0, 10, "at notBefore" },
		{ -10, 0, "at notAfter" },
		{ -10, -1, "one millisecond after notAfter" },
		{ 0, 0, "at the one instant of its validity" },
	};
	struct decide_rules rules = { .announce_interval = INTERVAL };
	struct cert cert = { .status = CERT_ACTIVE };

	title(out, "Times: both ends of the validity belong to it");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct presented p = { .not_before = NOW + rows[i].from, .not_after = NOW + rows[i].to };

		fprintf(out, "registered ACTIVE, %s", rows[i].words);
		say_decision(out, decide_connect(&p, NULL, &cert, &rules, NOW));
	}
}

static char *
all_in_words(size_t *len)
{
	char *text;
	FILE *out = open_memstream(&text, len);

	ck_assert_ptr_nonnull(out);
	fputs("What happens to a client that presents a certificate: facts -> verdict \"reason\" + effects.\n"
	      "Written by check_decide.c; D.2 and D.6 are the sections of the AWS IoT reference.\n"
	      "ENABLE and DISABLE are the CA's autoRegistrationStatus.\n", out);
	rows_not_registered(out);
	rows_registered(out);
	requirements(out);
	validity(out);
	precedence(out);
	times(out);
	instants(out);
	fclose(out);
	return text;
}

static char *
read_golden(size_t *len)
{
	char *text = calloc(1, 65536);
	FILE *in = fopen(GOLDEN, "r");

	ck_assert_msg(in != NULL, "%s is missing: UPDATE_GOLDEN=1 writes it", GOLDEN);
	*len = fread(text, 1, 65535, in);
	fclose(in);
	return text;
}

static void
write_golden(const char *text, size_t len)
{
	FILE *out = fopen(GOLDEN, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(text, 1, len, out), len);
	ck_assert_int_eq(fclose(out), 0);
}

/* The line, numbered from 1, in which two texts differ. */
static unsigned
differing_line(const char *a, const char *b)
{
	unsigned line = 1;

	for (; *a != '\0' && *a == *b; a++, b++)
		line += *a == '\n';
	return line;
}

START_TEST(the_cases_in_words_are_those_of_decisions_golden)
{
	size_t len, golden_len;
	char *text = all_in_words(&len), *golden;

	if (getenv("UPDATE_GOLDEN") != NULL)
		write_golden(text, len);
	golden = read_golden(&golden_len);
	ck_assert_msg(strcmp(text, golden) == 0,
	    "line %u differs; after a change that is meant run with UPDATE_GOLDEN=1",
	    differing_line(text, golden));
	free(golden);
	free(text);
}
END_TEST

/*
 * Status changes.
 */

/* aws-iot A.3.6, from and to in the order of enum cert_status.  y: done, also
 * where nothing changes; n: CertificateStateException. */
static const char *const changes[] = {
	/*                             INACTIVE ACTIVE REVOKED TRANSFER ACTIVATION */
	[CERT_INACTIVE] =           "y" "y" "y" "n" "n",
	[CERT_ACTIVE] =             "y" "y" "y" "n" "n",
	[CERT_REVOKED] =            "n" "n" "y" "n" "n",
	[CERT_PENDING_TRANSFER] =   "n" "n" "n" "n" "n",
	[CERT_PENDING_ACTIVATION] = "y" "y" "y" "n" "n",
};

START_TEST(a_status_changes_as_aws_allows)
{
	enum cert_status from = (enum cert_status)_i;

	for (int to = CERT_INACTIVE; to <= CERT_PENDING_ACTIVATION; to++)
		ck_assert_msg(decide_status_change(from, (enum cert_status)to) ==
		    (changes[from][to] == 'y'),
		    "from %s to %s", cert_status_name(from), cert_status_name((enum cert_status)to));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("decide");
	TCase *t = suite_case(suite, "decision");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, for_every_combination_of_facts_the_rules_hold);
	tcase_add_test(t, nothing_known_is_nothing_granted);
	tcase_add_test(t, a_status_of_the_future_is_refused);
	tcase_add_test(t, a_reason_of_no_name_is_silent);
	tcase_add_test(t, reasons_have_codes_of_their_own);
	tcase_add_test(t, the_cases_in_words_are_those_of_decisions_golden);
	t = suite_case(suite, "status changes");
	tcase_add_loop_test(t, a_status_changes_as_aws_allows, 0, COUNT_OF(changes));
	return suite_run(suite);
}
