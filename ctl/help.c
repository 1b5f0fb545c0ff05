/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * help.c - see help.h.
 *
 * Any thread.
 */
#include "help.h"

#include <string.h>

#include "options.h"
#include "print.h"

static void
wrapped(FILE *out, const char *text, int indent)
{
	enum { WIDTH = 88 };
	int column = indent;

	(void)fprintf(out, "%*s", indent, "");
	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > WIDTH) {
			(void)fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		column += fprintf(out, "%s%.*s", column > indent ? " " : "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	(void)fputc('\n', out);
}

static void
show_flag(FILE *out, const struct flag *f)
{
	if (f->kind == FLAG_BOOLEAN)
		(void)fprintf(out, "  --%s | --no-%s\n", f->name, f->name);
	else
		(void)fprintf(out, "  --%s%s%s%s\n", f->name, f->value != NULL ? " " : "",
		    f->value != NULL ? f->value : "",
		    f->use == FLAG_REQUIRED ? "   (required)" : "");
	wrapped(out, f->help, 6);
}

static void
show_flags(FILE *out, const char *title, const struct flag *flags)
{
	if (flags->name != NULL)
		(void)fprintf(out, "\n%s\n", title);
	for (const struct flag *f = flags; f->name != NULL; f++) {
		if (f->kind != FLAG_REFUSED)
			show_flag(out, f);
	}
}

void
help_overview(FILE *out, const struct program *p)
{
	(void)fprintf(out,
	    "Just-in-time registration of device certificates: the commands of `aws iot`, carried\n"
	    "out by the mosquitto-jitr plugin of an MQTT broker. Version " JITR_VERSION ".\n\n"
	    "usage: %s [options]%s COMMAND [--flags]\n"
	    "       %s%s help COMMAND\n\nCommands:\n",
	    p->name, p->module, p->name, p->module);
	for (size_t i = 0; i < command_count; i++)
		(void)fprintf(out, "  %-32s %s\n", command_table[i].name, command_table[i].summary);
	show_flags(out, "With every command:", global_flags);
	(void)fputs("\nOptions, before the command or in ~/.config/mosquitto_ctrl:\n", out);
	options_help(out);
	(void)fputs("\nExit status: 0 done, 252 usage, 253 broker not reached or no answer,\n"
		    "254 refused, 255 failed on this side.\n",
	    out);
}

void
help_command(FILE *out, const struct program *p, const struct command *c)
{
	(void)fprintf(out, "%s\n\nusage: %s [options]%s %s", c->summary, p->name, p->module,
	    c->name);
	for (const struct flag *f = c->flags; f->name != NULL; f++) {
		if (f->use == FLAG_REQUIRED)
			(void)fprintf(out, " --%s %s", f->name, f->value);
	}
	(void)fputs(c->flags->name != NULL ? " [--flags]\n" : "\n", out);
	show_flags(out, "Flags:", c->flags);
	show_flags(out, "With every command:", global_flags);
	(void)fprintf(out, "\nExample:\n  %s%s %s%s%s\n", p->name, p->module, c->name,
	    c->example[0] != '\0' ? " " : "", c->example);
}

void
help_usage(const struct program *p, const char *wrong)
{
	(void)fprintf(stderr,
	    "usage: %s [options]%s COMMAND [--flags]\n"
	    "To see help text, you can run:\n\n"
	    "  %s%s help\n"
	    "  %s%s help COMMAND\n\n"
	    "%s%s: error: ",
	    p->name, p->module, p->name, p->module, p->name, p->module, p->name, p->module);
	print_shown(stderr, wrong); /* may quote the command line and files */
	(void)fputc('\n', stderr);
}
