/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * commands.h - the table of commands: one row each, with its flags.
 *
 * Names are those of `aws iot` (aws-iot A.1 to A.7); parsing, requests, help
 * and the test of the documentation all read this table and know no command
 * by name.  Constant data.  Any thread.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "jitr/core/base.h"

enum flag_kind {
	FLAG_TEXT,        /* a string */
	FLAG_PEM,         /* PEM text, or the file it is in */
	FLAG_OBJECT,      /* JSON or shorthand, key=value,... */
	FLAG_TAGS,        /* JSON or Key=...,Value=... as often as wanted */
	FLAG_WORDS,       /* strings, as often as wanted, or a JSON array of them */
	FLAG_PHRASE,      /* words that are one string, with blanks between them */
	FLAG_DOCUMENT,    /* JSON as a string, or the file it is in */
	FLAG_RULE,        /* the same, or one of the words rule and none */
	FLAG_BROKER_PATH, /* of a file on the broker's machine: never read here */
	FLAG_NUMBER,
	FLAG_BOOLEAN, /* --name or --no-name */
	FLAG_SWITCH,  /* --name only */
	FLAG_REFUSED, /* the AWS CLI has it, we do not: help says what to do */
};

enum flag_use {
	FLAG_OPTIONAL,
	FLAG_REQUIRED,
	FLAG_OURS, /* optional, and the AWS CLI's command does not have it */
};

/* What a member of a structure is, for shorthand, which has only words. */
enum part_kind {
	PART_TEXT,
	PART_BOOLEAN,
	PART_LIST,   /* of strings */
	PART_OBJECT, /* of strings */
};

struct part {
	const char *name; /* NULL ends a list */
	enum part_kind kind;
};

struct flag {
	const char *name;   /* without the dashes; NULL ends a list */
	const char *member; /* in the request; NULL: for the command line itself */
	enum flag_kind kind;
	enum flag_use use;
	const char *value; /* how help calls the value */
	const char *help;
	const struct part *parts; /* FLAG_OBJECT, FLAG_TAGS: the members it may have */
};

struct command {
	const char *name;      /* register-ca-certificate */
	const char *operation; /* RegisterCACertificate */
	const char *summary;
	const char *example; /* the rest of a line that shows it */
	const char *list;    /* the member that holds a page of entries; NULL: no pages */
	const struct flag *flags;
	bool tokens; /* pages go by nextToken and maxResults */
};

extern const struct command command_table[];
extern const size_t command_count;
extern const struct flag global_flags[]; /* with every command */

const struct command *command_find(const char *name);
const struct command *command_of_operation(const char *operation); /* NULL: there is none */
const struct command *command_guess(const char *name); /* a likely misspelling, or NULL */

#endif
