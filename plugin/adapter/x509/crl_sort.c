/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_sort.c - sorts the entries of a list by serial number.
 *
 * Any thread.  The order is that of the registry's keys: bytewise, a prefix first.
 *
 * The author of a list chooses order and numbers, so the worst case matters.  Numbers
 * are sorted by their first eight bytes, groups of equal ones by the next eight, and so
 * on up to SERIAL_MAX, finally by length.  Heap sort has no bad case.  The list itself,
 * which does not fit into a cache, is thus read once per eight bytes of a number, not
 * once per comparison.
 */
#include <stdlib.h>

#include "crl_private.h"

struct key {
	uint64_t part;   /* the eight bytes of the number that are compared now */
	uint32_t offset; /* offset of the entry */
	bool last;       /* last of a group of equal numbers */
};

#define PART ((size_t)8)

bool
crl_entry_at(struct view entries, uint32_t offset, struct view *serial, struct revoked *out)
{
	struct view rest = { entries.data + offset, entries.len - offset };

	return crl_next(&rest, serial, out) == CRL_STEP_ENTRY;
}

static struct view
serial_at(struct view entries, uint32_t offset)
{
	struct view rest = { entries.data + offset, entries.len - offset };
	struct der entry, number;

	if (!der_take(&rest, DER_SEQUENCE, &entry) ||
	    !der_take(&entry.content, DER_INTEGER, &number))
		return (struct view){ 0 };
	return number.content;
}

/* Eight bytes of a serial number, zero-padded.  At SERIAL_MAX: its length, which
 * distinguishes padding from zero bytes. */
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

/* Restores the heap of n keys below this one. */
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

/* Sorts a group by the eight bytes at this offset and splits it into groups of equal
 * ones. */
static void
sort_group(struct view entries, struct key *keys, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		keys[i].part = part_of(serial_at(entries, keys[i].offset), at);
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
is_hold(struct view entries, uint32_t offset)
{
	struct view serial;
	struct revoked entry;

	return crl_entry_at(entries, offset, &serial, &entry) && entry.reason == REVOKED_HOLD;
}

/* Of several entries for one number: the first that is not a hold, or else the first. */
static uint32_t
best_of(struct view entries, const struct key *keys, size_t n)
{
	uint32_t best = keys[0].offset;
	bool hold = n > 1 && is_hold(entries, best);

	for (size_t i = 1; i < n; i++) {
		bool other = is_hold(entries, keys[i].offset);

		if (other == hold ? keys[i].offset < best : hold) {
			best = keys[i].offset;
			hold = other;
		}
	}
	return best;
}

/* Each group now has one serial number. */
static size_t
keep_each_once(struct view entries, struct key *keys, size_t n)
{
	size_t kept = 0, size;

	for (size_t from = 0; from < n; from += size) {
		size = group_size(keys + from);
		keys[kept++].offset = best_of(entries, keys + from, size);
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
		return "has an unrecognised critical extension";
	case CRL_STEP_ENTRY:
	case CRL_STEP_END:
	case CRL_STEP_BROKEN:
		break;
	}
	return "is malformed: not DER (X.690), an invalid date (RFC 5280), a serial number "
	       "longer than 64 bytes, or two reasons";
}

/* Checks all entries; sets their count and the length of the longest serial number. */
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

/* Initially all keys are one group. */
static void
fill(struct view entries, struct key *keys, size_t n)
{
	struct view rest = entries;
	struct der entry;

	for (size_t i = 0; i < n; i++) {
		uint32_t offset = (uint32_t)(entries.len - rest.len);

		keys[i] = (struct key){ .offset = offset, .last = i + 1 == n };
		if (!der_next(&rest, &entry))
			break; /* cannot happen: the entries were counted */
	}
}

static uint32_t *
offsets_of(const struct key *keys, size_t n)
{
	uint32_t *offsets = malloc(n * sizeof(*offsets));

	for (size_t i = 0; offsets != NULL && i < n; i++)
		offsets[i] = keys[i].offset;
	return offsets;
}

enum err
crl_sort(struct view entries, uint32_t **offsets, uint32_t *count, struct diag *diag)
{
	struct key *keys;
	size_t n, longest;

	*offsets = NULL;
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
	*offsets = offsets_of(keys, n);
	*count = (uint32_t)n;
	free(keys);
	return *offsets == NULL ? ERR_NOMEM : ERR_OK;
}
