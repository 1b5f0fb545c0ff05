/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* fuzz_wire.c - bytes on the link, for each of its ends: a frame is refused, or its payload is,
 * or it is encoded to the same bytes.  Nothing behind a bad header is read. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jitr/service/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(bool truth)
{
	if (!truth)
		abort();
}

/* again: the payload encoded once more. */
static void
expect_same(struct view payload, const uint8_t *again, size_t len)
{
	expect(len == payload.len && (len == 0 || memcmp(again, payload.data, len) == 0));
}

#define TRY(name, type) \
	static void try_##name(struct view payload, uint8_t *again) \
	{ \
		type value; \
		if (wire_get_##name(payload, &value) == ERR_OK) \
			expect_same(payload, again, wire_put_##name(&value, again, payload.len)); \
	}

TRY(config, struct wire_config)
TRY(request, struct control_request)
TRY(hello, struct wire_hello)
TRY(answer, struct control_answer)
TRY(change, struct wire_change)
TRY(log, struct wire_log)
TRY(state, struct wire_state)

static void
try_number(struct view payload, uint8_t *again)
{
	uint64_t number;

	if (wire_get_number(payload, &number) == ERR_OK)
		expect_same(payload, again, wire_put_number(number, again, payload.len));
}

static void
try_line(struct view payload, uint8_t *again)
{
	const char *line;

	if (wire_get_line(payload, &line) == ERR_OK)
		expect_same(payload, again, wire_put_line(line, again, payload.len));
}

static void
try_nothing(struct view payload, uint8_t *again)
{
	(void)again;
	expect((wire_get_nothing(payload) == ERR_OK) == (payload.len == 0));
}

/* NULL: wire_registration.h decodes it (fuzz_wire_registration.c). */
static void (*const decoders[])(struct view payload, uint8_t *again) = {
	[WIRE_CONFIG] = try_config,
	[WIRE_REQUEST] = try_request,
	[WIRE_LEFT] = try_number,
	[WIRE_PUBLISHED] = try_number,
	[WIRE_RECORD] = try_line,
	[WIRE_REOPEN] = try_nothing,
	[WIRE_STOP] = try_nothing,
	[WIRE_ALIVE] = try_nothing,
	[WIRE_HELLO] = try_hello,
	[WIRE_FAILED] = try_line,
	[WIRE_ANSWER] = try_answer,
	[WIRE_CHANGED] = try_change,
	[WIRE_LOG] = try_log,
	[WIRE_STATE] = try_state,
};

static void
try_frame(const struct wire_frame *f)
{
	/* Of exactly the size: a sanitizer sees a byte read or written behind it. */
	uint8_t *bytes = malloc(f->payload.len + 1), *again = malloc(f->payload.len + 1);

	if (bytes != NULL && again != NULL && decoders[f->type] != NULL) {
		struct view payload = { bytes + 1, f->payload.len };

		if (payload.len > 0)
			memcpy(bytes + 1, f->payload.data, payload.len);
		decoders[f->type](payload, again);
	}
	free(bytes);
	free(again);
}

static void
take_frames(struct link *l, uint64_t *taken)
{
	struct wire_frame f;
	enum err e;

	while ((e = link_next(l, &f)) == ERR_OK) {
		*taken += WIRE_HEADER_SIZE + f.payload.len;
		try_frame(&f);
	}
	expect((e == ERR_CORRUPT) == (link_state(l) == LINK_CORRUPT));
}

/* As many bytes as are written fit into the socket: nothing waits. */
static void
write_in_pieces(struct link *l, int fd, struct view in, size_t piece)
{
	uint64_t taken = 0;
	size_t left = in.len;

	while (left > 0 && link_state(l) == LINK_OPEN) {
		ssize_t n = send(fd, in.data + in.len - left, left < piece ? left : piece,
		    MSG_NOSIGNAL);

		expect(n > 0);
		left -= (size_t)n;
		do
			take_frames(l, &taken);
		while (link_fill(l) == ERR_OK);
		take_frames(l, &taken);
	}
	expect(taken <= in.len - left);
}

static void
try_end(struct view in, enum wire_end end, size_t piece)
{
	struct link_config config = { .end = end, .frames_max = 1, .bytes_max = 1 };
	struct link *l;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return;
	config.fd = pair[0];
	if (link_open(&config, &l) == ERR_OK) {
		write_in_pieces(l, pair[1], in, piece);
		link_close(l);
	}
	(void)close(pair[1]);
}

/* The first byte says how much is written at once. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	for (enum wire_end end = WIRE_REGISTRAR; end <= WIRE_BROKER; end++)
		try_end((struct view){ data + 1, size - 1 }, end, 1 + (size_t)data[0] * 16);
	return 0;
}
