/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_file.c - see crl_file.h. */
#include "crl_file.h"

#include "crl_dir.h"

struct crl_file_state
crl_file_state_read(const char *dir, const char *path)
{
	struct crl_file_state state = { .error = 0 };
	struct stat st;

	state.error = crl_dir_stat(dir, path, &st);
	if (state.error != 0)
		return state;
	state.device = st.st_dev;
	state.inode = st.st_ino;
	state.size = st.st_size;
	state.modified = st.st_mtim;
	return state;
}

bool
crl_file_state_equal(const struct crl_file_state *a, const struct crl_file_state *b)
{
	return a->error == b->error && a->device == b->device && a->inode == b->inode &&
	    a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
	    a->modified.tv_nsec == b->modified.tv_nsec;
}

bool
crl_file_is_recent(const struct crl_file_state *state, int64_t now, int64_t max_age)
{
	int64_t age = now -
	    (state->modified.tv_sec * INT64_C(1000) + state->modified.tv_nsec / 1000000);

	return age >= 0 && age < max_age;
}
