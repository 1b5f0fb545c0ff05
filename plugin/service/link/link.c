/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* link.c - see link.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "link_private.h"

static bool
set_non_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

enum err
link_open(const struct link_config *config, struct link **out)
{
	struct link *l;

	if (!set_non_blocking(config->fd))
		return ERR_STORAGE;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return ERR_NOMEM;
	l->config = *config;
	l->state = LINK_OPEN;
	*out = l;
	return ERR_OK;
}

void
link_close(struct link *l)
{
	if (l == NULL)
		return;
	link_drop_outgoing(l);
	free(l->in.bytes);
	(void)close(l->config.fd);
	free(l);
}

int
link_fd(const struct link *l)
{
	return l->config.fd;
}

enum link_state
link_state(const struct link *l)
{
	return l->state;
}
