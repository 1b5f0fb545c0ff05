/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_crl_dir.c - revocation list files are below one directory (crl_dir.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "crl_dir.h"
#include "suite.h"
#include "world.h"

/*
 * Names.
 */

static const struct {
	const char *dir, *path;
	bool has;
} names[] = {
	{ "/lists", "ca.crl", true },
	{ "/lists", "a/b/ca.crl", true },
	{ "/lists", "/lists/ca.crl", true },
	{ "/lists//", "/lists/a/ca.crl", true },
	{ "/lists", "..crl", true },
	{ "/", "/etc/ca.crl", true },
	{ "/lists", "", false },
	{ "/lists", "/", false },
	{ "/lists", "/lists", false },
	{ "/lists", "/lists/", false },
	{ "/lists", "/lists/a/", false },
	{ "/lists", "a/", false },
	{ "/lists", "/listsx/ca.crl", false },
	{ "/lists", "/etc/passwd", false },
	{ "/lists", "..", false },
	{ "/lists", "../passwd", false },
	{ "/lists", "a/../../passwd", false },
	{ "/lists", "/lists/../etc/passwd", false },
	{ "/lists", "./ca.crl", false },
	{ "/lists", "a//ca.crl", false },
	{ "/lists", "/lists//ca.crl", false },
	{ "/lists", "//lists/ca.crl", false },
	{ NULL, "ca.crl", false },
	{ NULL, "/lists/ca.crl", false },
};

START_TEST(a_name_is_recognised_as_below_the_directory_or_elsewhere)
{
	ck_assert_msg(crl_dir_contains(names[_i].dir, view_of(names[_i].path)) == names[_i].has,
	    "%s", names[_i].path);
}
END_TEST

/*
 * Files.  The directory is ca_path of world.h.
 */

static char path[400];

static const char *
at(const char *dir, const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
set_up(void)
{
	world_open();
	put(at(world.dir, "secret"), "secret");
	put(at(world.ca_path, "list"), "list");
	ck_assert_int_eq(mkdir(at(world.ca_path, "in"), 0755), 0);
	put(at(world.ca_path, "in/list"), "list");
}

/* Returns 0, or errno. */
static int
read_at(const char *name, char text[8])
{
	int fd = crl_dir_open(world.ca_path, name);
	int error = fd < 0 ? errno : 0;
	struct stat st;

	ck_assert_int_eq(crl_dir_stat(world.ca_path, name, &st), error);
	memset(text, 0, 8);
	if (fd >= 0) {
		ck_assert_int_ge(read(fd, text, 7), 0);
		(void)close(fd);
	}
	return error;
}

START_TEST(a_file_is_read_by_name_and_by_path)
{
	char text[8];

	ck_assert_int_eq(read_at("list", text), 0);
	ck_assert_str_eq(text, "list");
	ck_assert_int_eq(read_at("in/list", text), 0);
	ck_assert_int_eq(read_at(at(world.ca_path, "in/list"), text), 0);
	ck_assert_str_eq(text, "list");
	ck_assert_int_eq(read_at("none", text), ENOENT);
	ck_assert_int_eq(read_at("list/none", text), ENOTDIR);
}
END_TEST

/* A link may point to another file below the directory, as tools use it to replace a list, but
 * not outside. */
START_TEST(a_link_is_followed_only_below_the_directory)
{
	char text[8];

	ck_assert_int_eq(symlink("in/list", at(world.ca_path, "relative")), 0);
	ck_assert_int_eq(symlink("in", at(world.ca_path, "way")), 0);
	ck_assert_int_eq(symlink("../secret", at(world.ca_path, "out")), 0);
	ck_assert_int_eq(symlink("..", at(world.ca_path, "up")), 0);
	ck_assert_int_eq(symlink("/etc/passwd", at(world.ca_path, "passwd")), 0);
	ck_assert_int_eq(symlink("/nowhere", at(world.ca_path, "nowhere")), 0);
	ck_assert_int_eq(read_at("relative", text), 0);
	ck_assert_str_eq(text, "list");
	ck_assert_int_eq(read_at("way/list", text), 0);
	ck_assert_int_eq(read_at("out", text), EACCES);
	ck_assert_int_eq(read_at("up/secret", text), EACCES);
	ck_assert_int_eq(read_at("passwd", text), EACCES);
	ck_assert_int_eq(read_at("nowhere", text), ENOENT);
}
END_TEST

/* A setting from before crl_dir existed works as before. */
START_TEST(a_path_elsewhere_is_read_without_these_checks)
{
	char text[8];

	ck_assert_int_eq(symlink("secret", at(world.dir, "link")), 0);
	ck_assert_int_eq(read_at(at(world.dir, "link"), text), 0);
	ck_assert_str_eq(text, "secret");
	ck_assert_int_eq(read_at(at(world.dir, "none"), text), ENOENT);
}
END_TEST

START_TEST(without_the_directory_there_is_no_file)
{
	struct stat st;

	ck_assert_int_eq(crl_dir_open("/nowhere", "list"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(crl_dir_stat("/nowhere", "list", &st), ENOENT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crl_dir");
	TCase *t = suite_case(suite, "names");

	tcase_add_loop_test(t, a_name_is_recognised_as_below_the_directory_or_elsewhere, 0,
	    COUNT_OF(names));
	t = suite_case(suite, "files");
	tcase_add_checked_fixture(t, set_up, world_close);
	tcase_add_test(t, a_file_is_read_by_name_and_by_path);
	tcase_add_test(t, a_link_is_followed_only_below_the_directory);
	tcase_add_test(t, a_path_elsewhere_is_read_without_these_checks);
	tcase_add_test(t, without_the_directory_there_is_no_file);
	return suite_run(suite);
}
