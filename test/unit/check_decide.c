/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_decide.c - the decision about a connection, for every combination of facts.
 *
 * Three views: properties of all combinations (aws-iot D.2, D.6), the cases in words
 * (decisions.golden, which reads as a specification), and the status changes of aws-iot A.3.6.
 *
 * After an intended change write the golden file again and read its diff:
 *
 *	UPDATE_GOLDEN=1 ctest -R decide
 */
#include <stdio.h>
#include <string.h>

#include "jitr/core/decide.h"
#include "suite.h"

#define NOW      1000000
#define INTERVAL 1000 /* announce_interval where there is one, ms */
#define GOLDEN   "decisions.golden"

/* No date, or no status. */
#define NONE (-1)

/* The present time relative to a period of validity. */
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

/* The CA's revocation list and its entry for the certificate. */
enum list {
	LIST_NONE,
	LIST_CURRENT,
	LIST_OLD, /* past its nextUpdate, but not longer than the days of grace */
	LIST_STALE,
	LIST_ELSEWHERE, /* current, but about other certificates */
	LIST_COUNT,
};

enum listed {
	LISTED_NOT,
	LISTED,
	LISTED_ON_HOLD,
	LISTED_COUNT,
};

#define GRACE 1000

static const int64_t next_updates[LIST_COUNT] = {
	[LIST_CURRENT] = NOW,
	[LIST_OLD] = NOW - GRACE,
	[LIST_STALE] = NOW - GRACE - 1,
	[LIST_ELSEWHERE] = NOW,
};

/* One combination of everything that the decision may depend on. */
struct situation {
	enum crl_check check;
	enum list list;
	enum listed listed;
	bool without_ca;   /* the mode of registration */
	bool other_form;   /* another id with its signed part has precedence */
	int cert_status;   /* NONE: not registered */
	int64_t announced; /* ms ago */
	int ca_status;     /* NONE: not registered */
	bool automatic;
	enum period ca_period, period;
	enum answer issued;
	bool ca_certificate, weak_signature, weak_key, unknown_extension;
	bool defer_unknown;
	int64_t interval;
};

/* A valid certificate of a CA with auto-registration. */
static const struct situation first_connection = {
	.check = CRL_IF_PRESENT,
	.cert_status = NONE,
	.ca_status = CA_ACTIVE,
	.automatic = true,
	.issued = ANSWER_YES,
	.interval = INTERVAL,
	.announced = INTERVAL,
};

static struct decision
decide(const struct situation *f)
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
		.has_ca = !f->without_ca,
		.announced = NOW - f->announced,
	};
	struct decide_rules rules = {
		.announce_interval = f->interval,
		.defer_unknown = f->defer_unknown,
	};
	struct known known = {
		.is_primary = !f->other_form,
		.ca = f->ca_status != NONE ? &ca : NULL,
		.cert = f->cert_status != NONE ? &cert : NULL,
		.revocation = {
			.check = f->check,
			.grace = GRACE,
			.has_list = f->list != LIST_NONE,
			.limited = f->list == LIST_ELSEWHERE,
			.next_update = next_updates[f->list],
			.listed = f->listed != LISTED_NOT,
			.on_hold = f->listed == LISTED_ON_HOLD,
		},
	};

	return decide_connect(&p, &known, &rules, NOW);
}

/*
 * Properties.
 */

static bool
is_registered(const struct situation *f)
{
	return f->cert_status != NONE;
}

static bool
is_known(const struct situation *f)
{
	return is_registered(f) || f->ca_status != NONE;
}

static bool
may_be_registered(const struct situation *f)
{
	return !is_registered(f) && f->ca_status == CA_ACTIVE && f->automatic &&
	    f->ca_period == PERIOD_WITHIN && f->period == PERIOD_WITHIN &&
	    f->issued == ANSWER_YES && !f->ca_certificate && !f->weak_signature && !f->weak_key &&
	    !f->unknown_extension;
}

/* The list revokes it permanently. */
static bool
is_listed(const struct situation *f)
{
	return f->listed == LISTED && !f->without_ca;
}

/* The list does not keep it out. */
static bool
is_cleared(const struct situation *f)
{
	if (f->without_ca)
		return true;
	if (f->listed != LISTED_NOT)
		return false;
	return f->check == CRL_IF_PRESENT || f->list == LIST_CURRENT ||
	    (f->check == CRL_GRACE && f->list == LIST_OLD);
}

static bool
may_be_announced(const struct situation *f)
{
	return f->cert_status == CERT_PENDING_ACTIVATION && f->period == PERIOD_WITHIN &&
	    !is_listed(f) && (f->announced < 0 || f->announced >= f->interval);
}

static bool
may_be_revoked(const struct situation *f)
{
	if (!is_listed(f) || f->period != PERIOD_WITHIN)
		return false;
	return is_registered(f)
	    ? f->cert_status != CERT_REVOKED && f->cert_status != CERT_PENDING_TRANSFER
	    : may_be_registered(f);
}

/* The conditions for asking the rule of its CA. */
static bool
may_be_planned(const struct situation *f)
{
	if (!is_cleared(f) || f->period != PERIOD_WITHIN)
		return false;
	if (!is_registered(f))
		return may_be_registered(f);
	return f->cert_status == CERT_PENDING_ACTIVATION && f->ca_status == CA_ACTIVE &&
	    f->automatic && f->ca_period == PERIOD_WITHIN;
}

static void
check_verdict(const struct situation *f, struct decision d)
{
	/* It is admitted if and only if it is registered, ACTIVE, valid and not revoked. */
	must((d.verdict == VERDICT_ALLOW) ==
	    (f->cert_status == CERT_ACTIVE && f->period == PERIOD_WITHIN && is_cleared(f)));
	/* Only an unknown CA is left to other plugins, and only if configured. */
	must((d.verdict == VERDICT_DEFER) == (!is_known(f) && f->defer_unknown));
	/* A refusal has a reason with a text and a code; an admission has none. */
	must((d.reason == REASON_NONE) == (d.verdict == VERDICT_ALLOW));
	if (d.reason != REASON_NONE) {
		must(reason_text(d.reason)[0] != '\0');
		must(reason_code(d.reason)[0] != '\0');
	}
}

static void
check_effects(const struct situation *f, struct decision d)
{
	bool registers = d.effects & EFFECT_REGISTER, announces = d.effects & EFFECT_ANNOUNCE;

	must(registers == may_be_registered(f));
	must(announces == (registers || may_be_announced(f)));
	must(!!(d.effects & EFFECT_REVOKE) == may_be_revoked(f));
	must(!!(d.effects & EFFECT_PLAN) == may_be_planned(f));
	/* An admission has no effects. */
	if (d.effects != 0)
		must(d.verdict == VERDICT_DENY);
}

/* A registered certificate is judged by its own record.  The status of its CA and its strength do
 * not matter (aws-iot D.2 row 7). */
static void
check_independence(const struct situation *f, struct decision d)
{
	struct situation other = first_connection;
	struct decision same;

	if (!is_registered(f))
		return;
	other.check = f->check;
	other.list = f->list;
	other.listed = f->listed;
	other.without_ca = f->without_ca;
	other.cert_status = f->cert_status;
	other.announced = f->announced;
	other.interval = f->interval;
	other.period = f->period;
	same = decide(&other);
	must(d.verdict == same.verdict);
	must(d.reason == same.reason);
	/* except whether the CA's rule is asked */
	must((d.effects | EFFECT_PLAN) == (same.effects | EFFECT_PLAN));
}

static unsigned long cases, seen[REASON_COUNT];

/* A certificate whose signed part is registered by another id is refused without effects, and
 * not left to other plugins. */
static void
check_other_form(struct situation f)
{
	struct decision d;

	f.other_form = true;
	d = decide(&f);
	seen[d.reason]++;
	must(d.verdict == VERDICT_DENY && d.reason == REASON_OTHER_FORM && d.effects == 0);
}

static void
check_case(const struct situation *f)
{
	struct decision d = decide(f);

	cases++;
	seen[d.reason]++;
	check_verdict(f, d);
	check_effects(f, d);
	check_independence(f, d);
	check_other_form(*f);
}

static void
every_fault(struct situation f)
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
every_certificate(struct situation f)
{
	for (int period = 0; period < PERIOD_COUNT; period++)
		for (int issued = ANSWER_NOT_ASKED; issued <= ANSWER_YES; issued++) {
			f.period = (enum period)period;
			f.issued = (enum answer)issued;
			every_fault(f);
		}
}

static void
every_ca(struct situation f)
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
every_rule(struct situation f)
{
	for (size_t i = 0; i < COUNT_OF(announcements); i++)
		for (int rules = 0; rules < 4; rules++) {
			f.announced = announcements[i];
			f.defer_unknown = rules & 1;
			f.interval = rules & 2 ? INTERVAL : 0;
			every_ca(f);
		}
}

/* No list, and each kind of list with each kind of entry. */
static void
every_list(struct situation f)
{
	f.list = LIST_NONE;
	f.listed = LISTED_NOT;
	every_rule(f);
	for (int list = LIST_CURRENT; list < LIST_COUNT; list++)
		for (int listed = LISTED_NOT; listed < LISTED_COUNT; listed++) {
			f.list = (enum list)list;
			f.listed = (enum listed)listed;
			every_rule(f);
		}
}

/* Reasons that decide_connect() does not return: those of plans and of the gate. */
static bool
is_of_others(int reason)
{
	return (reason >= REASON_RULE_WAITS && reason <= REASON_PROVISIONED_NOW) ||
	    reason == REASON_CLIENT_ID_BUSY || reason == REASON_SHARED ||
	    reason == REASON_CHAIN_REFUSED || reason == REASON_NOT_STORED ||
	    reason == REASON_UNREADABLE || reason == REASON_DELETED ||
	    reason == REASON_NAME_RESERVED || reason == REASON_NO_POLICY ||
	    reason == REASON_NOT_ALLOWED || reason == REASON_POLICY_UNUSABLE ||
	    reason == REASON_REGISTRY_FAILED;
}

START_TEST(for_every_combination_of_facts_the_rules_hold)
{
	for (int status = NONE; status <= CERT_PENDING_ACTIVATION; status++)
		for (int check = CRL_REQUIRED; check <= CRL_IF_PRESENT; check++) {
			struct situation f = { .cert_status = status,
				.check = (enum crl_check)check };

			every_list(f);
			f.without_ca = status != NONE;
			if (f.without_ca)
				every_list(f);
		}
	ck_assert_uint_eq(cases, 11ul * 3 * 13 * 6 * 4 * 18 * 9 * 16);
	for (int reason = 0; reason < REASON_COUNT; reason++)
		ck_assert_msg((seen[reason] > 0) == !is_of_others(reason), "%s",
		    reason_code((enum reason)reason));
}
END_TEST

START_TEST(a_limited_list_clears_only_certificates_in_its_scope)
{
	struct presented p = { .not_after = NOW };
	struct cert cert = { .has_ca = true, .status = CERT_ACTIVE };
	struct decide_rules rules = { .announce_interval = 0 };
	struct known known = { .cert = &cert,
		.is_primary = true,
		.revocation = { .check = CRL_REQUIRED,
		    .has_list = true,
		    .limited = true,
		    .covered = true,
		    .next_update = NOW } };

	ck_assert_int_eq(decide_connect(&p, &known, &rules, NOW).verdict, VERDICT_ALLOW);
	known.revocation.covered = false;
	ck_assert_int_eq(decide_connect(&p, &known, &rules, NOW).reason, REASON_LIST_ELSEWHERE);
}
END_TEST

/* Zeroed facts are refused and register nothing. */
START_TEST(without_any_facts_nothing_is_granted)
{
	struct presented p = { .not_before = 0 };
	struct decide_rules rules = { .announce_interval = 0 };
	struct ca ca = { .created = 0 };
	struct cert cert = { .created = 0 }, active = { .has_ca = true, .status = CERT_ACTIVE };
	struct known known[] = { { .ca = NULL }, { .ca = &ca }, { .cert = &cert },
		{ .cert = &active }, { .is_primary = true }, { .ca = &ca, .is_primary = true },
		{ .cert = &cert, .is_primary = true }, { .cert = &active, .is_primary = true } };
	struct decision d[COUNT_OF(known)];

	for (size_t i = 0; i < COUNT_OF(known); i++)
		d[i] = decide_connect(&p, &known[i], &rules, 0);

	for (size_t i = 0; i < COUNT_OF(d); i++) {
		ck_assert_int_eq(d[i].verdict, VERDICT_DENY);
		ck_assert_uint_eq(d[i].effects, 0);
	}
	ck_assert_int_eq(VERDICT_DENY, 0);
}
END_TEST

/*
 * Plans.
 */

/* The decision on a first or later connection with a plan of this status. */
static struct decision
planned(const struct situation *f, const struct plan *plan, bool accept_first)
{
	struct decide_rules rules = { .announce_interval = f->interval,
		.accept_first = accept_first };

	return decide_plan(decide(f), plan, &rules);
}

/* The CA keeps its rule from being asked: this reason is more specific than PENDING_ACTIVATION. */
START_TEST(the_reason_names_what_kept_the_rule_from_being_asked)
{
	struct ca ca = { .status = CA_INACTIVE, .auto_registration = true, .not_after = 9 };
	struct decision waits = { .reason = REASON_PENDING_ACTIVATION, .effects = EFFECT_ANNOUNCE };
	struct decision stale = { .reason = REASON_LIST_STALE };
	struct decision asked = { .reason = REASON_PENDING_ACTIVATION, .effects = EFFECT_PLAN };

	ck_assert_int_eq(decide_plan_blocked(waits, &ca, 5).reason, REASON_CA_INACTIVE);
	ck_assert_uint_eq(decide_plan_blocked(waits, &ca, 5).effects, EFFECT_ANNOUNCE);
	ck_assert_int_eq(decide_plan_blocked(waits, &ca, 5).verdict, VERDICT_DENY);
	ck_assert_int_eq(decide_plan_blocked(stale, &ca, 5).reason, REASON_LIST_STALE);
	ck_assert_int_eq(decide_plan_blocked(asked, &ca, 5).reason, REASON_PENDING_ACTIVATION);
	ca.status = CA_ACTIVE;
	ck_assert_int_eq(decide_plan_blocked(waits, &ca, 10).reason, REASON_CA_NOT_VALID);
	ck_assert_int_eq(decide_plan_blocked(waits, &ca, 5).reason, REASON_PENDING_ACTIVATION);
	ca.auto_registration = false;
	ck_assert_int_eq(decide_plan_blocked(waits, &ca, 5).reason, REASON_AUTO_REGISTRATION_OFF);
}
END_TEST

START_TEST(only_an_activating_plan_admits_and_only_where_allowed)
{
	static const int statuses[] = { NONE, CERT_PENDING_ACTIVATION };

	for (int bits = 0; bits < 64; bits++)
		for (int status = CERT_INACTIVE; status <= CERT_PENDING_ACTIVATION; status++) {
			struct plan plan = { .origin = bits & 1 ? PLAN_TEMPLATE : PLAN_RULE,
				.failed = bits & 2,
				.status = (enum cert_status)status };
			struct situation f = first_connection;
			bool accept_first = bits & 4;
			struct decision before, d;

			f.cert_status = statuses[bits >> 3 & 1];
			f.announced = bits & 16 ? 0 : INTERVAL;
			f.listed = bits & 32 ? LISTED : LISTED_NOT;
			f.list = LIST_CURRENT;
			before = decide(&f);
			d = planned(&f, &plan, accept_first);
			ck_assert_int_eq(d.verdict == VERDICT_ALLOW,
			    f.listed == LISTED_NOT && status == CERT_ACTIVE &&
				(plan.origin == PLAN_RULE || accept_first));
			ck_assert_int_eq(d.reason == REASON_NONE, d.verdict == VERDICT_ALLOW);
			/* It registers and announces as without a plan. */
			ck_assert_uint_eq(d.effects & EFFECT_REGISTER,
			    before.effects & EFFECT_REGISTER);
			if (d.effects & EFFECT_REGISTER)
				ck_assert(d.effects & EFFECT_ANNOUNCE);
			/* The plan is carried out. */
			if (f.listed == LISTED_NOT && status <= CERT_REVOKED)
				ck_assert(d.effects & EFFECT_PLAN);
			ck_assert_uint_eq(d.effects & ~before.effects, 0);
		}
}
END_TEST

START_TEST(a_ca_without_a_rule_leaves_certificates_pending)
{
	struct decision d = planned(&first_connection, NULL, true);

	ck_assert_int_eq(d.verdict, VERDICT_DENY);
	ck_assert_int_eq(d.reason, REASON_REGISTERED_NOW);
	ck_assert_uint_eq(d.effects, EFFECT_REGISTER | EFFECT_ANNOUNCE);
}
END_TEST

/* Nothing fails open: a status that this version does not know gives no access. */
START_TEST(a_plan_with_an_unknown_status_leaves_certificates_pending)
{
	struct plan plan = { .status = (enum cert_status)77 };
	struct decision d = planned(&first_connection, &plan, true);

	ck_assert_int_eq(d.verdict, VERDICT_DENY);
	ck_assert_int_eq(d.reason, REASON_RULE_WAITS);
}
END_TEST

START_TEST(a_plan_does_not_change_decisions_that_do_not_ask_for_it)
{
	struct plan plan = { .status = CERT_ACTIVE };
	struct situation f = first_connection;

	for (int status = CERT_INACTIVE; status < CERT_PENDING_ACTIVATION; status++) {
		struct decision before, d;

		f.cert_status = status;
		before = decide(&f);
		d = planned(&f, &plan, true);
		ck_assert_int_eq(d.verdict, before.verdict);
		ck_assert_int_eq(d.reason, before.reason);
		ck_assert_uint_eq(d.effects, 0);
	}
}
END_TEST

/* A later version may have written it. */
START_TEST(an_unknown_status_is_refused)
{
	volatile int beyond = CERT_PENDING_ACTIVATION + 1;
	struct situation f = first_connection;
	struct decision d;

	f.cert_status = beyond;
	d = decide(&f);
	ck_assert_int_eq(d.verdict, VERDICT_DENY);
	ck_assert_uint_eq(d.effects, 0);
}
END_TEST

START_TEST(an_unknown_reason_has_an_empty_text)
{
	volatile int beyond = REASON_COUNT;

	ck_assert_str_eq(reason_text((enum reason)beyond), "");
	ck_assert_str_eq(reason_code((enum reason)beyond), "");
}
END_TEST

/* Programs that read the log distinguish reasons by code. */
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
say_ca(FILE *out, const struct situation *f)
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
say_certificate(FILE *out, const struct situation *f)
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
	static const char *const verdicts
	    [] = { [VERDICT_DENY] = "deny", [VERDICT_ALLOW] = "allow", [VERDICT_DEFER] = "defer" };

	fprintf(out, " -> %s", verdicts[d.verdict]);
	if (d.reason != REASON_NONE)
		fprintf(out, " \"%s\"", reason_text(d.reason));
	fputs(d.effects & EFFECT_REGISTER ? " + register" : "", out);
	fputs(d.effects & EFFECT_ANNOUNCE ? " + announce" : "", out);
	fputs(d.effects & EFFECT_REVOKE ? " + revoke" : "", out);
	fputs(d.effects & EFFECT_PLAN ? " + plan" : "", out);
	fputc('\n', out);
}

/* One line: the facts, in words or as names and values, and the decision. */
static void
say(FILE *out, const struct situation *f, const char *more)
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

/* Every state of the CA of a registered certificate, also deleted. */
static void
say_with_every_ca(FILE *out, struct situation f, const char *more)
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
	struct situation f = first_connection;

	title(out, "aws-iot D.2 row 1: the first connection of a CA's certificate registers it");
	say(out, &f, "");
	title(out,
	    "aws-iot D.2 row 2: with a template (registrationConfig), or a rule: as row 1, and see the plans below");
	say(out, &f, ", with a template");
	title(out, "aws-iot D.2 row 3: the CA does not register automatically");
	f.automatic = false;
	say(out, &f, "");
	title(out, "aws-iot D.2 row 4: the CA is not active");
	f.ca_status = CA_INACTIVE;
	say(out, &f, "");
	f.automatic = true;
	say(out, &f, "");
	title(out, "aws-iot D.2 row 5: the CA is not registered; unknown_ca tells what to do");
	f.ca_status = NONE;
	f.issued = ANSWER_NOT_ASKED;
	say(out, &f, ", unknown_ca deny");
	f.defer_unknown = true;
	say(out, &f, ", unknown_ca defer");
}

static void
row_of_status(FILE *out, const char *row, enum cert_status status)
{
	struct situation f = first_connection;

	title(out, row);
	f.cert_status = (int)status;
	say_with_every_ca(out, f, "");
}

static void
rows_registered(FILE *out)
{
	struct situation f = first_connection;

	title(out,
	    "aws-iot D.2 row 6: a pending certificate is announced again, whatever became of its CA");
	f.cert_status = CERT_PENDING_ACTIVATION;
	say_with_every_ca(out, f, ", announced long ago");
	f.announced = 0;
	say_with_every_ca(out, f, ", announced just now");
	row_of_status(out,
	    "aws-iot D.2 row 7: an active certificate gets in, whatever became of its CA",
	    CERT_ACTIVE);
	row_of_status(out, "aws-iot D.2 row 8: inactive", CERT_INACTIVE);
	row_of_status(out, "aws-iot D.2 row 9: revoked", CERT_REVOKED);
	row_of_status(out, "aws-iot D.2 row 10: on its way to another account",
	    CERT_PENDING_TRANSFER);
	title(out, "aws-iot D.2 row 11: REGISTER_INACTIVE is never stored: see row 8");
	title(out, "aws-iot D.2 row 12: what was deleted is unknown again: as row 1");
	f = first_connection;
	say(out, &f, ", deleted earlier");
}

static void
requirements(FILE *out)
{
	struct situation f = first_connection;

	title(out, "aws-iot D.6: what is registered at a first connection must be fit for it");
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
	title(out, "aws-iot D.6: what is registered already is not examined again");
	for (int status = CERT_INACTIVE; status <= CERT_PENDING_ACTIVATION; status++) {
		f.cert_status = status;
		say(out, &f, "");
	}
}

static void
validity(FILE *out)
{
	struct situation f = first_connection;

	title(out,
	    "Validity of the certificate: outside it a connection is refused and nothing is done");
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

/* The nth flaw of a first connection; false: there are no more. */
static bool
spoil(struct situation *f, int nth)
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
other_forms(FILE *out)
{
	struct situation f = first_connection;

	title(out, "Its signed part is known by another id that comes before it");
	f.other_form = true;
	for (int status = NONE; status <= CERT_PENDING_ACTIVATION; status++) {
		f.cert_status = status;
		say(out, &f, "");
	}
	f.cert_status = f.ca_status = NONE;
	f.defer_unknown = true;
	say(out, &f, ", unknown_ca defer");
}

static void
precedence(FILE *out)
{
	struct situation f;

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
		int64_t interval, announced;
		const char *words;
	} rows[] = {
		{ INTERVAL, 0, ", announce_interval 1 s, announced this instant" },
		{ INTERVAL, INTERVAL - 1, ", announce_interval 1 s, announced 999 ms ago" },
		{ INTERVAL, INTERVAL, ", announce_interval 1 s, announced 1000 ms ago" },
		{ INTERVAL, NOW, ", announce_interval 1 s, never announced" },
		{ INTERVAL, -1,
		    ", announce_interval 1 s, announced in the future (clock set back)" },
		{ 0, 0, ", announce_interval 0, announced this instant" },
	};
	struct situation f = first_connection;

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
		int64_t from, to; /* relative to now */
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
		struct presented p = { .not_before = NOW + rows[i].from,
			.not_after = NOW + rows[i].to };

		fprintf(out, "registered ACTIVE, %s", rows[i].words);
		say_decision(out,
		    decide_connect(&p, &(struct known){ .cert = &cert, .is_primary = true }, &rules,
			NOW));
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct presented p = { .not_before = NOW, .not_after = NOW };
		struct ca ca = { .not_before = NOW + rows[i].from, .not_after = NOW + rows[i].to };
		struct known known = { .cert = &cert, .issuer = &ca, .is_primary = true };

		fprintf(out, "registered ACTIVE, its CA %s", rows[i].words);
		say_decision(out, decide_connect(&p, &known, &rules, NOW));
	}
}

static const char *const checks
    [] = { [CRL_REQUIRED] = "required", [CRL_GRACE] = "grace", [CRL_IF_PRESENT] = "if-present" };
static const char *const lists[] = { [LIST_NONE] = "no list",
	[LIST_CURRENT] = "a current list",
	[LIST_OLD] = "a list past its nextUpdate within the days of grace",
	[LIST_STALE] = "a list older than that",
	[LIST_ELSEWHERE] = "a list of another distribution point" };
static const char *const listings[] = { [LISTED_NOT] = "",
	[LISTED] = " that names it",
	[LISTED_ON_HOLD] = " that has it on hold" };

static void
say_with_list(FILE *out, const struct situation *f)
{
	char more[160];

	snprintf(more, sizeof(more), ", crlCheck %s, %s%s", checks[f->check], lists[f->list],
	    listings[f->listed]);
	say(out, f, more);
}

static void
revocation_lists(FILE *out)
{
	struct situation f = first_connection;

	for (int status = NONE; status <= CERT_PENDING_ACTIVATION; status++) {
		if (status != NONE && status != CERT_ACTIVE && status != CERT_PENDING_ACTIVATION)
			continue;
		f.cert_status = status;
		title(out, "Revocation lists: which check applies to which certificate");
		for (int check = CRL_REQUIRED; check <= CRL_IF_PRESENT; check++)
			for (int list = LIST_NONE; list < LIST_COUNT; list++) {
				f.check = (enum crl_check)check;
				f.list = (enum list)list;
				say_with_list(out, &f);
			}
	}
	title(out, "Revocation lists: certificates on them");
	f.check = CRL_IF_PRESENT;
	f.list = LIST_CURRENT;
	for (int status = NONE; status <= CERT_PENDING_ACTIVATION; status++)
		for (int listed = LISTED; listed < LISTED_COUNT; listed++) {
			f.cert_status = status;
			f.listed = (enum listed)listed;
			say_with_list(out, &f);
		}
}

static void
say_plan(FILE *out, const struct situation *f, const struct plan *plan, bool accept_first)
{
	say_certificate(out, f);
	fprintf(out, "; %s %s%s%s", plan->origin == PLAN_RULE ? "rule" : "template",
	    plan->failed ? "fails, " : "says ", cert_status_name(plan->status),
	    plan->origin == PLAN_RULE ? ""
		: accept_first        ? ", first_connection accept"
				      : ", first_connection refuse");
	say_decision(out, planned(f, plan, accept_first));
}

static void
plans(FILE *out)
{
	static const struct plan rows[] = {
		{ .origin = PLAN_RULE, .status = CERT_ACTIVE },
		{ .origin = PLAN_RULE, .status = CERT_PENDING_ACTIVATION },
		{ .origin = PLAN_RULE, .status = CERT_REVOKED },
		{ .origin = PLAN_TEMPLATE, .status = CERT_ACTIVE },
		{ .origin = PLAN_TEMPLATE, .status = CERT_INACTIVE },
		{ .origin = PLAN_TEMPLATE, .status = CERT_PENDING_ACTIVATION },
		{ .origin = PLAN_TEMPLATE, .status = CERT_PENDING_ACTIVATION, .failed = true },
	};
	struct situation f = first_connection;

	for (int status = NONE; status <= CERT_PENDING_ACTIVATION; status++) {
		if (status != NONE && status != CERT_PENDING_ACTIVATION)
			continue;
		f.cert_status = status;
		title(out, "Plans: what the CA's rule or template makes of it");
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			say_plan(out, &f, &rows[i], false);
			if (rows[i].origin == PLAN_TEMPLATE)
				say_plan(out, &f, &rows[i], true);
		}
	}
}

static char *
all_in_words(size_t *len)
{
	char *text;
	FILE *out = open_memstream(&text, len);

	ck_assert_ptr_nonnull(out);
	fputs(
	    "What happens to a client that presents a certificate: facts -> verdict \"reason\" + effects.\n"
	    "Written by check_decide.c; aws-iot D.2 and D.6 are in doc/reference/aws-iot.md.\n"
	    "ENABLE and DISABLE are the CA's autoRegistrationStatus; \"plan\": its rule or template is asked.\n",
	    out);
	rows_not_registered(out);
	rows_registered(out);
	requirements(out);
	validity(out);
	other_forms(out);
	precedence(out);
	times(out);
	instants(out);
	revocation_lists(out);
	plans(out);
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

START_TEST(the_cases_agree_with_decisions_golden)
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
	[CERT_INACTIVE] = "y"
			  "y"
			  "y"
			  "n"
			  "n",
	[CERT_ACTIVE] = "y"
			"y"
			"y"
			"n"
			"n",
	[CERT_REVOKED] = "n"
			 "n"
			 "y"
			 "n"
			 "n",
	[CERT_PENDING_TRANSFER] = "n"
				  "n"
				  "n"
				  "n"
				  "n",
	[CERT_PENDING_ACTIVATION] = "y"
				    "y"
				    "y"
				    "n"
				    "n",
};

START_TEST(a_status_changes_as_aws_allows)
{
	enum cert_status from = (enum cert_status)_i;

	for (int to = CERT_INACTIVE; to <= CERT_PENDING_ACTIVATION; to++)
		ck_assert_msg(decide_status_change(from, (enum cert_status)to) ==
			(changes[from][to] == 'y'),
		    "from %s to %s", cert_status_name(from),
		    cert_status_name((enum cert_status)to));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("decide");
	TCase *t = suite_case(suite, "decision");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, for_every_combination_of_facts_the_rules_hold);
	tcase_add_test(t, a_limited_list_clears_only_certificates_in_its_scope);
	tcase_add_test(t, without_any_facts_nothing_is_granted);
	tcase_add_test(t, the_reason_names_what_kept_the_rule_from_being_asked);
	tcase_add_test(t, only_an_activating_plan_admits_and_only_where_allowed);
	tcase_add_test(t, a_ca_without_a_rule_leaves_certificates_pending);
	tcase_add_test(t, a_plan_with_an_unknown_status_leaves_certificates_pending);
	tcase_add_test(t, a_plan_does_not_change_decisions_that_do_not_ask_for_it);
	tcase_add_test(t, an_unknown_status_is_refused);
	tcase_add_test(t, an_unknown_reason_has_an_empty_text);
	tcase_add_test(t, reasons_have_codes_of_their_own);
	tcase_add_test(t, the_cases_agree_with_decisions_golden);
	t = suite_case(suite, "status changes");
	tcase_add_loop_test(t, a_status_changes_as_aws_allows, 0, COUNT_OF(changes));
	return suite_run(suite);
}
