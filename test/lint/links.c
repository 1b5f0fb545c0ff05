/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* links.c - linked with one folder of plugin/ as a whole: a call to a folder
 * that it does not use is an undefined reference. */
int
main(void)
{
	return 0;
}
