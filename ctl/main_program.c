/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * main_program.c - mosquitto_jitr: the command line as a program of its own.
 *
 * One thread.
 */
#include "run.h"

int
main(int argc, char **argv)
{
	static const struct program program = { "mosquitto_jitr", "" };

	if (argc < 1)
		return STATUS_USAGE;
	return (int)run_line(&program, argc - 1, argv + 1);
}
