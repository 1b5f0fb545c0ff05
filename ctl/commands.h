/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * commands.h - the table of commands: one row each, with its flags.
 *
 * Names are those of `aws iot` (aws-iot A.1 to A.7).  Parsing, requests, help and the
 * test of the documentation are driven by this table and contain no command names.
 * Constant data.  Any thread.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "jitr/core/base.h"

enum flag_kind {
	FLAG_TEXT,        /* a string */
	FLAG_PEM,         /* PEM text, or a file with it */
	FLAG_OBJECT,      /* JSON or shorthand, key=value,... */
	FLAG_TAGS,        /* JSON, or Key=...,Value=... any number of times */
	FLAG_WORDS,       /* any number of strings, or a JSON array of them */
	FLAG_PHRASE,      /* words joined with spaces into one string */
	FLAG_DOCUMENT,    /* JSON as a string, or a file with it */
	FLAG_RULE,        /* as FLAG_DOCUMENT, or one of the words rule and none */
	FLAG_BROKER_PATH, /* a path on the broker's machine; the file is not read here */
	FLAG_NUMBER,
	FLAG_BOOLEAN, /* --name or --no-name */
	FLAG_SWITCH,  /* --name only */
	FLAG_REFUSED, /* exists in the AWS CLI only; help has the alternative */
};

enum flag_use {
	FLAG_OPTIONAL,
	FLAG_REQUIRED,
	FLAG_OURS, /* optional, and not in the AWS CLI */
};

/* The type of a structure's member, needed for shorthand, which has only words. */
enum part_kind {
	PART_TEXT,
	PART_BOOLEAN,
	PART_LIST,   /* of strings */
	PART_OBJECT, /* of strings */
};

struct part {
	const char *name; /* NULL terminates a list */
	enum part_kind kind;
};

struct flag {
	const char *name;   /* without dashes; NULL terminates a list */
	const char *member; /* member of the request; NULL: used by the command line itself */
	enum flag_kind kind;
	enum flag_use use;
	const char *value; /* placeholder of the value in help */
	const char *help;
	const struct part *parts; /* FLAG_OBJECT, FLAG_TAGS: the allowed members */
};

struct command {
	const char *name;      /* register-ca-certificate */
	const char *operation; /* RegisterCACertificate */
	const char *summary;
	const char *example; /* arguments of an example */
	const char *list;    /* the member with the entries of a page; NULL: no pages */
	const struct flag *flags;
	bool tokens; /* paging uses nextToken and maxResults */
};

extern const struct command command_table[];
extern const size_t command_count;
extern const struct flag global_flags[]; /* accepted by every command */

const struct command *command_find(const char *name);
const struct command *command_of_operation(const char *operation); /* NULL: not found */
const struct command *command_guess(const char *name); /* the closest command name, or NULL */

#endif
