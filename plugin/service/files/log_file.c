/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* log_file.c - see log_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jitr/service/log_file.h"

struct log_file {
	const char *path;
	int fd;
};

static int
open_path(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

enum err
log_file_open(const char *path, struct log_file **out, struct diag *diag)
{
	struct log_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return ERR_NOMEM;
	f->path = path;
	f->fd = open_path(path);
	if (f->fd < 0) {
		diag_set(diag, "log_file %s: %s", path, strerror(errno));
		free(f);
		return ERR_STORAGE;
	}
	*out = f;
	return ERR_OK;
}

void
log_file_close(struct log_file *f)
{
	if (f == NULL)
		return;
	(void)close(f->fd);
	free(f);
}

int
log_file_append(struct log_file *f, const char *text, size_t len, size_t *written)
{
	while (*written < len) {
		ssize_t n = write(f->fd, text + *written, len - *written);

		if (n > 0)
			*written += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return n == 0 ? EIO : errno;
	}
	return 0;
}

int
log_file_reopen(struct log_file *f)
{
	int fd = open_path(f->path);

	if (fd < 0)
		return errno;
	(void)close(f->fd);
	f->fd = fd;
	return 0;
}

const char *
log_file_path(const struct log_file *f)
{
	return f->path;
}
