/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_sort.c - the entries of a list in the order of their serial numbers.
 *
 * Any thread.  The order is that of the registry's keys: by bytes, the shorter
 * first where one begins like the other.
 *
 * The author of a list chooses its order and its numbers, so the worst case is
 * what counts.  Numbers are sorted by their first eight bytes; those that are
 * equal in these, by the next eight, and so on up to SERIAL_MAX, and last by
 * their length.  A heap does it, which has no bad case.  So the list itself,
 * which no cache holds, is looked at once for each eight bytes and not for each
 * comparison.
 */
#include <stdlib.h>

#include "crl_private.h"

struct key {
	uint64_t part;  /* of the number: what is compared at present */
	uint32_t place; /* of the entry */
	bool last;      /* of a group: those that are equal so far */
};

#define PART ((size_t)8)

bool
crl_entry_at(struct view entries, uint32_t place, struct view *serial, struct revoked *out)
{
	struct view rest = { entries.data + place, entries.len - place };

	return crl_next(&rest, serial, out) == CRL_STEP_ENTRY;
}

static struct view
serial_at(struct view entries, uint32_t place)
{
	struct view rest = { entries.data + place, entries.len - place };
	struct der entry, number;

	if (!der_take(&rest, DER_SEQUENCE, &entry) ||
	    !der_take(&entry.content, DER_INTEGER, &number))
		return (struct view){ 0 };
	return number.content;
}

/* Eight bytes of it as a number; zeros behind its end.  At SERIAL_MAX: its
 * length, which tells those zeros from bytes. */
static uint64_t
part_of(struct view serial, size_t at)
{
	uint64_t part = 0;

	if (at == SERIAL_MAX)
		return serial.len;
	for (size_t i = at; i < at + PART; i++)
		part = part << 8 | (i < serial.len ? serial.data[i] : 0);
	return part;
}

/* Lets what is at the top of a heap of n sink to its place. */
static void
sift(struct key *keys, size_t at, size_t n)
{
	struct key sinking = keys[at];
	size_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && keys[child].part < keys[child + 1].part)
			child++;
		if (sinking.part >= keys[child].part)
			break;
		keys[at] = keys[child];
		at = child;
	}
	keys[at] = sinking;
}

static void
heap_sort(struct key *keys, size_t n)
{
	for (size_t at = n / 2; at > 0; at--)
		sift(keys, at - 1, n);
	while (n > 1) {
		struct key last = keys[--n];

		keys[n] = keys[0];
		keys[0] = last;
		sift(keys, 0, n);
	}
}

/* Sorts a group by what it has at this place, and makes groups of it. */
static void
sort_group(struct view entries, struct key *keys, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		keys[i].part = part_of(serial_at(entries, keys[i].place), at);
	heap_sort(keys, n);
	for (size_t i = 0; i < n; i++)
		keys[i].last = i + 1 == n || keys[i].part != keys[i + 1].part;
}

static size_t
group_size(const struct key *keys)
{
	size_t n = 1;

	while (!keys[n - 1].last)
		n++;
	return n;
}

static void
sort_groups(struct view entries, struct key *keys, size_t n, size_t at)
{
	size_t size;

	for (size_t from = 0; from < n; from += size) {
		size = group_size(keys + from);
		if (size > 1)
			sort_group(entries, keys + from, size, at);
	}
}

static bool
is_hold(struct view entries, uint32_t place)
{
	struct view serial;
	struct revoked entry;

	return crl_entry_at(entries, place, &serial, &entry) && entry.reason == REVOKED_HOLD;
}

/* Of entries of one number: the first that is final, or else the first. */
static uint32_t
best_of(struct view entries, const struct key *keys, size_t n)
{
	uint32_t best = keys[0].place;
	bool hold = n > 1 && is_hold(entries, best);

	for (size_t i = 1; i < n; i++) {
		bool other = is_hold(entries, keys[i].place);

		if (other == hold ? keys[i].place < best : hold) {
			best = keys[i].place;
			hold = other;
		}
	}
	return best;
}

/* Groups are now of one number each. */
static size_t
keep_each_once(struct view entries, struct key *keys, size_t n)
{
	size_t kept = 0, size;

	for (size_t from = 0; from < n; from += size) {
		size = group_size(keys + from);
		keys[kept++].place = best_of(entries, keys + from, size);
	}
	return kept;
}

static const char *
fault_of(enum crl_step step)
{
	switch (step) {
	case CRL_STEP_INDIRECT:
		return "is of a certificate of another issuer; indirect lists are not accepted, "
		       "let each CA issue its own";
	case CRL_STEP_DELTA:
		return "takes a certificate off a list (removeFromCRL), which only delta lists do; "
		       "import the complete list";
	case CRL_STEP_UNKNOWN:
		return "has a critical extension that is not known here, so what it says is not "
		       "understood";
	case CRL_STEP_ENTRY:
	case CRL_STEP_END:
	case CRL_STEP_BROKEN:
		break;
	}
	return "is broken: no DER (X.690), no date as RFC 5280 has it, a serial number longer than "
	       "64 bytes, or two reasons";
}

/* How many there are, if all are fit, and the length of the longest number. */
static bool
measure(struct view entries, size_t *count, size_t *longest, struct diag *diag)
{
	struct view serial;
	struct revoked entry;
	enum crl_step step;

	*count = *longest = 0;
	while ((step = crl_next(&entries, &serial, &entry)) == CRL_STEP_ENTRY) {
		(*count)++;
		if (serial.len > *longest)
			*longest = serial.len;
	}
	if (step == CRL_STEP_END)
		return true;
	diag_set(diag, "entry %zu of the list %s", *count + 1, fault_of(step));
	return false;
}

/* One group: nothing has been compared yet. */
static void
fill(struct view entries, struct key *keys, size_t n)
{
	struct view rest = entries;
	struct der entry;

	for (size_t i = 0; i < n; i++) {
		uint32_t place = (uint32_t)(entries.len - rest.len);

		keys[i] = (struct key){ .place = place, .last = i + 1 == n };
		if (!der_next(&rest, &entry))
			break; /* cannot be: they were counted */
	}
}

static uint32_t *
places_of(const struct key *keys, size_t n)
{
	uint32_t *places = malloc(n * sizeof(*places));

	for (size_t i = 0; places != NULL && i < n; i++)
		places[i] = keys[i].place;
	return places;
}

enum err
crl_sort(struct view entries, uint32_t **places, uint32_t *count, struct diag *diag)
{
	struct key *keys;
	size_t n, longest;

	*places = NULL;
	*count = 0;
	if (!measure(entries, &n, &longest, diag))
		return ERR_CERTIFICATE;
	if (n == 0)
		return ERR_OK;
	keys = malloc(n * sizeof(*keys));
	if (keys == NULL)
		return ERR_NOMEM;
	fill(entries, keys, n);
	for (size_t at = 0; at < longest; at += PART)
		sort_groups(entries, keys, n, at);
	sort_groups(entries, keys, n, SERIAL_MAX);
	n = keep_each_once(entries, keys, n);
	*places = places_of(keys, n);
	*count = (uint32_t)n;
	free(keys);
	return *places == NULL ? ERR_NOMEM : ERR_OK;
}
