/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_link.c - frames over a socket (link.h), written and read in pieces of every size.
 *
 * "Broker" is the end under test, "registrar" another link or the bare socket.
 */
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "jitr/service/link.h"
#include "suite.h"

/*
 * Memory: of the functions of link.h alone, because check allocates, too.
 */

static bool inside;
static size_t held; /* bytes */
static bool out_of_memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *p);

static void *
hold(void *p)
{
	held += inside && p != NULL ? malloc_usable_size(p) : 0;
	return p;
}

void *
__wrap_malloc(size_t size)
{
	return inside && out_of_memory ? NULL : hold(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return inside && out_of_memory ? NULL : hold(__real_calloc(count, size));
}

void
__wrap_free(void *p)
{
	held -= inside && p != NULL ? malloc_usable_size(p) : 0;
	__real_free(p);
}

static enum err
leave(enum err e)
{
	inside = false;
	return e;
}

#define CALL(call)      (inside = true, leave(call))
#define link_open(c, l) CALL(link_open(c, l))
#define link_send(...)  CALL(link_send(__VA_ARGS__))
#define link_flush(l)   CALL(link_flush(l))
#define link_fill(l)    CALL(link_fill(l))
#define link_next(l, f) CALL(link_next(l, f))
#define link_close(l)   (inside = true, link_close(l), inside = false)

/*
 * Ends.
 */

static int pair[2]; /* broker's, registrar's */
static struct link *broker, *registrar;

static void
setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	held = 0;
}

static struct link *
open_end(int fd, enum wire_end end, size_t frames_max, size_t bytes_max)
{
	struct link_config config = { fd, end, frames_max, bytes_max };
	struct link *l;

	ck_assert_int_eq(link_open(&config, &l), ERR_OK);
	return l;
}

static void
open_broker(void)
{
	broker = open_end(pair[0], WIRE_BROKER, LINK_FRAMES_MAX, LINK_BYTES_MAX);
}

static void
open_both(void)
{
	open_broker();
	registrar = open_end(pair[1], WIRE_REGISTRAR, LINK_FRAMES_MAX, LINK_BYTES_MAX);
}

/* Every link closed: all memory is given back. */
static void
close_all(void)
{
	link_close(broker);
	link_close(registrar);
	broker = registrar = NULL;
	ck_assert_uint_eq(held, 0);
}

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 7 + (i >> 8));
}

static uint8_t *
bytes_of(size_t len)
{
	uint8_t *bytes = __real_malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(i);
	return bytes;
}

static void
send_bytes(struct link *l, enum wire_type type, uint64_t number, size_t len)
{
	uint8_t *bytes = bytes_of(len);
	struct view parts[] = { { bytes, len / 3 }, { NULL, 0 },
		{ bytes + len / 3, len - len / 3 } };

	ck_assert_int_eq(link_send(l, type, number, parts, COUNT_OF(parts)), ERR_OK);
	__real_free(bytes);
}

static void
assert_frame(const struct wire_frame *f, enum wire_type type, uint64_t number, size_t len)
{
	ck_assert_int_eq(f->type, type);
	ck_assert_uint_eq(f->number, number);
	ck_assert_uint_eq(f->payload.len, len);
	for (size_t i = 0; i < len; i++)
		must(f->payload.data[i] == byte_at(i));
}

/* The next frame, read if necessary. */
static enum err
receive(struct link *l, struct wire_frame *f)
{
	enum err e;

	while ((e = link_next(l, f)) == ERR_NOT_FOUND && (e = link_fill(l)) == ERR_OK)
		;
	return e == ERR_STORAGE ? link_next(l, f) : e;
}

/* The next frame, which arrives while the sender is flushed. */
static void
receive_while_flushed(struct link *from, struct link *to, struct wire_frame *f)
{
	enum err e;

	for (size_t i = 0; (e = receive(to, f)) == ERR_NOT_FOUND && i < 100000; i++)
		ck_assert_int_eq(link_flush(from), ERR_OK);
	ck_assert_int_eq(e, ERR_OK);
}

/*
 * Frames.
 */

static const size_t sizes[] = { 0, 1, 12, 13, 100, 4096, 65522, 65523, 65524, 65536, 200000,
	1000000, WIRE_PAYLOAD_MAX };

START_TEST(frames_of_every_size_arrive_in_order)
{
	struct wire_frame f;

	open_both();
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		send_bytes(registrar, WIRE_ANSWER, i, sizes[i]);
	for (size_t i = COUNT_OF(sizes); i-- > 0;)
		send_bytes(registrar, WIRE_DONE, i, sizes[i]);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		receive_while_flushed(registrar, broker, &f);
		assert_frame(&f, WIRE_ANSWER, i, sizes[i]);
	}
	for (size_t i = COUNT_OF(sizes); i-- > 0;) {
		receive_while_flushed(registrar, broker, &f);
		assert_frame(&f, WIRE_DONE, i, sizes[i]);
	}
	ck_assert_int_eq(receive(broker, &f), ERR_NOT_FOUND);
	close_all();
}
END_TEST

/* Three frames as bytes, to be written in pieces. */
static size_t
three_frames(uint8_t out[256])
{
	static const size_t lengths[] = { 5, 0, 60 };
	size_t at = 0;

	for (size_t i = 0; i < 3; i++) {
		struct wire_header h = { WIRE_LOG, i, lengths[i] };

		wire_put_header(&h, out + at);
		at += WIRE_HEADER_SIZE;
		for (size_t k = 0; k < lengths[i]; k++)
			out[at++] = byte_at(k);
	}
	return at;
}

static void
assert_three_frames(size_t *seen)
{
	static const size_t lengths[] = { 5, 0, 60 };
	struct wire_frame f;

	while (receive(broker, &f) == ERR_OK) {
		ck_assert_uint_lt(*seen, 3);
		assert_frame(&f, WIRE_LOG, *seen, lengths[*seen]);
		++*seen;
	}
}

START_TEST(a_frame_may_arrive_in_pieces_of_any_size)
{
	uint8_t bytes[256];
	size_t len = three_frames(bytes);

	open_broker();
	for (size_t piece = 1; piece <= len; piece++) {
		size_t seen = 0;

		for (size_t at = 0; at < len; at += piece) {
			size_t n = len - at < piece ? len - at : piece;

			ck_assert_int_eq(write(pair[1], bytes + at, n), (ssize_t)n);
			assert_three_frames(&seen);
		}
		ck_assert_uint_eq(seen, 3);
	}
	(void)close(pair[1]);
	close_all();
}
END_TEST

/* The receiver reads odd amounts, so that each write() of the link ends elsewhere. */
START_TEST(a_frame_may_leave_in_pieces_of_any_size)
{
	size_t total = 0, at = 0, got = 0, count = 300;
	uint8_t *all;
	int small = 1;

	ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	open_broker();
	for (size_t i = 0; i < count; i++) {
		send_bytes(broker, WIRE_REQUEST, i, i * 31 % 9000);
		total += WIRE_HEADER_SIZE + i * 31 % 9000;
	}
	all = __real_malloc(total);
	ck_assert_int_eq(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	for (size_t piece = 1; got < total; piece = piece % 997 + 1) {
		ssize_t n = read(pair[1], all + got, piece < total - got ? piece : total - got);

		if (n > 0)
			got += (size_t)n;
		ck_assert_int_eq(link_flush(broker), ERR_OK);
	}
	ck_assert_uint_eq(link_waiting(broker).frames, 0);
	for (size_t i = 0; i < count; i++) {
		struct wire_header h;

		ck_assert_int_eq(wire_get_header(all + at, WIRE_REGISTRAR, &h), ERR_OK);
		ck_assert_uint_eq(h.number, i);
		ck_assert_uint_eq(h.payload, i * 31 % 9000);
		at += WIRE_HEADER_SIZE;
		for (size_t k = 0; k < h.payload; k++)
			must(all[at + k] == byte_at(k));
		at += h.payload;
	}
	__real_free(all);
	(void)close(pair[1]);
	close_all();
}
END_TEST

START_TEST(a_view_is_valid_until_the_next_fill)
{
	struct wire_frame first, second;

	open_both();
	send_bytes(registrar, WIRE_LOG, 1, 100);
	send_bytes(registrar, WIRE_LOG, 2, 200);
	ck_assert_int_eq(link_flush(registrar), ERR_OK);
	ck_assert_int_eq(link_fill(broker), ERR_OK);
	ck_assert_int_eq(link_next(broker, &first), ERR_OK);
	ck_assert_int_eq(link_next(broker, &second), ERR_OK);
	assert_frame(&first, WIRE_LOG, 1, 100);
	assert_frame(&second, WIRE_LOG, 2, 200);
	close_all();
}
END_TEST

/* Frames that are not taken stay where they are; the socket keeps the rest. */
START_TEST(filling_without_taking_loses_nothing)
{
	struct wire_frame f;

	open_both();
	for (size_t i = 0; i < 2000; i++)
		send_bytes(registrar, WIRE_LOG, i, 90);
	for (size_t i = 0; i < 100; i++) {
		enum err e = link_fill(broker);

		ck_assert_int_eq(link_flush(registrar), ERR_OK);
		ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
	}
	for (size_t i = 0; i < 2000; i++) {
		receive_while_flushed(registrar, broker, &f);
		assert_frame(&f, WIRE_LOG, i, 90);
	}
	close_all();
}
END_TEST

/*
 * Bounds.
 */

START_TEST(a_full_queue_is_busy_until_it_was_sent)
{
	struct view payload = { (const uint8_t *)"ab", 2 };

	broker = open_end(pair[0], WIRE_BROKER, 2, 100);
	ck_assert_int_eq(link_send(broker, WIRE_LEFT, 0, &payload, 1), ERR_OK);
	ck_assert_int_eq(link_send(broker, WIRE_LEFT, 0, NULL, 0), ERR_OK);
	ck_assert_uint_eq(link_waiting(broker).frames, 2);
	ck_assert_uint_eq(link_waiting(broker).bytes, 2 * WIRE_HEADER_SIZE + 2);
	ck_assert_int_eq(link_send(broker, WIRE_LEFT, 0, NULL, 0), ERR_BUSY);
	ck_assert_int_eq(link_flush(broker), ERR_OK);
	ck_assert_uint_eq(link_waiting(broker).frames, 0);
	ck_assert_uint_eq(link_waiting(broker).bytes, 0);
	ck_assert_int_eq(link_send(broker, WIRE_LEFT, 0, NULL, 0), ERR_OK);
	(void)close(pair[1]);
	close_all();
}
END_TEST

START_TEST(the_bytes_that_wait_are_bounded)
{
	uint8_t bytes[200] = { 0 };

	broker = open_end(pair[0], WIRE_BROKER, 10, 100);
	ck_assert_int_eq(link_send(broker, WIRE_RECORD, 0, &(struct view){ bytes, 88 }, 1),
	    ERR_BUSY);
	ck_assert_int_eq(link_send(broker, WIRE_RECORD, 0, &(struct view){ bytes, 87 }, 1), ERR_OK);
	ck_assert_int_eq(link_send(broker, WIRE_RECORD, 0, NULL, 0), ERR_BUSY);
	ck_assert_uint_eq(link_waiting(broker).bytes, 100);
	(void)close(pair[1]);
	close_all();
}
END_TEST

START_TEST(a_payload_is_bounded)
{
	uint8_t *bytes = bytes_of(WIRE_PAYLOAD_MAX);
	struct view parts[] = { { bytes, WIRE_PAYLOAD_MAX }, { bytes, 1 } };
	struct view huge[] = { { bytes, 2 }, { bytes, SIZE_MAX } };

	open_both();
	ck_assert_int_eq(link_send(broker, WIRE_RECORD, 0, parts, 2), ERR_LIMIT);
	ck_assert_int_eq(link_send(broker, WIRE_RECORD, 0, huge, 2), ERR_LIMIT);
	ck_assert_int_eq(link_send(broker, WIRE_RECORD, 0, parts, 1), ERR_OK);
	ck_assert_uint_eq(link_waiting(broker).frames, 1);
	__real_free(bytes);
	close_all();
}
END_TEST

START_TEST(sending_never_waits_for_a_receiver_that_does_not_read)
{
	size_t sent = 0;

	broker = open_end(pair[0], WIRE_BROKER, LINK_FRAMES_MAX, 1 << 20);
	while (link_send(broker, WIRE_REQUEST, 0,
		   &(struct view){ (const uint8_t *)"0123456789", 10 }, 1) == ERR_OK) {
		ck_assert_int_eq(link_flush(broker), ERR_OK);
		sent++;
	}
	ck_assert_uint_gt(sent, (1 << 20) / 23 - 1);
	ck_assert_uint_le(link_waiting(broker).bytes, 1 << 20);
	ck_assert_int_eq(link_state(broker), LINK_OPEN);
	(void)close(pair[1]);
	close_all();
}
END_TEST

/*
 * Ends of a link.
 */

START_TEST(what_was_sent_before_the_end_is_read)
{
	struct wire_frame f;

	open_both();
	send_bytes(registrar, WIRE_LOG, 1, 10);
	send_bytes(registrar, WIRE_FAILED, 2, 20);
	ck_assert_int_eq(link_flush(registrar), ERR_OK);
	link_close(registrar);
	registrar = NULL;
	ck_assert_int_eq(receive(broker, &f), ERR_OK);
	ck_assert_int_eq(receive(broker, &f), ERR_OK);
	assert_frame(&f, WIRE_FAILED, 2, 20);
	ck_assert_int_eq(receive(broker, &f), ERR_STORAGE);
	ck_assert_int_eq(link_state(broker), LINK_ENDED);
	ck_assert_int_eq(link_send(broker, WIRE_STOP, 0, NULL, 0), ERR_STORAGE);
	ck_assert_int_eq(link_fill(broker), ERR_STORAGE);
	close_all();
}
END_TEST

/* Also when writing finds the end first; no signal ends the process. */
START_TEST(what_was_sent_before_a_failed_write_is_read)
{
	struct wire_frame f;

	open_both();
	send_bytes(registrar, WIRE_LOG, 1, 10);
	ck_assert_int_eq(link_flush(registrar), ERR_OK);
	link_close(registrar);
	registrar = NULL;
	send_bytes(broker, WIRE_REQUEST, 3, 10);
	ck_assert_int_eq(link_flush(broker), ERR_STORAGE);
	ck_assert_uint_eq(link_waiting(broker).frames, 0);
	ck_assert_uint_eq(link_waiting(broker).bytes, 0);
	ck_assert_int_eq(receive(broker, &f), ERR_OK);
	assert_frame(&f, WIRE_LOG, 1, 10);
	ck_assert_int_eq(receive(broker, &f), ERR_STORAGE);
	close_all();
}
END_TEST

/* The other end is closed with bytes unread: the kernel reports a reset. */
START_TEST(a_reset_is_an_end)
{
	struct wire_frame f;

	open_both();
	send_bytes(broker, WIRE_REQUEST, 3, 10);
	ck_assert_int_eq(link_flush(broker), ERR_OK);
	send_bytes(registrar, WIRE_LOG, 1, 10);
	ck_assert_int_eq(link_flush(registrar), ERR_OK);
	link_close(registrar);
	registrar = NULL;
	ck_assert_int_eq(receive(broker, &f), ERR_OK);
	assert_frame(&f, WIRE_LOG, 1, 10);
	ck_assert_int_eq(receive(broker, &f), ERR_STORAGE);
	ck_assert_int_eq(link_state(broker), LINK_ENDED);
	close_all();
}
END_TEST

START_TEST(an_end_in_the_middle_of_a_frame_is_an_end)
{
	uint8_t bytes[256];
	size_t len = three_frames(bytes), seen = 0;
	struct wire_frame f;

	open_broker();
	ck_assert_int_eq(write(pair[1], bytes, len - 1), (ssize_t)len - 1);
	(void)close(pair[1]);
	assert_three_frames(&seen);
	ck_assert_uint_eq(seen, 2);
	ck_assert_int_eq(link_next(broker, &f), ERR_STORAGE);
	close_all();
}
END_TEST

static const struct {
	const char *what;
	uint8_t header[WIRE_HEADER_SIZE];
} bad[] = {
	{ "no length", { 0, 0, 0, 0, WIRE_LOG } },
	{ "too short", { 0, 0, 0, 8, WIRE_LOG } },
	{ "too long", { 0, 0x20, 0, 10, WIRE_LOG } },
	{ "far too long", { 0xff, 0xff, 0xff, 0xff, WIRE_LOG } },
	{ "type 0", { 0, 0, 0, 9, 0 } },
	{ "unknown type", { 0, 0, 0, 9, 200 } },
	{ "for the other end", { 0, 0, 0, 9, WIRE_STOP } },
	{ "text", "HTTP/1.1 400" },
};

/* The frames before it are good, and nothing after it is read. */
START_TEST(a_bad_header_ends_the_link)
{
	uint8_t bytes[256];
	size_t len = three_frames(bytes), seen = 0;
	struct wire_frame f;

	open_broker();
	send_bytes(broker, WIRE_REQUEST, 0, 100);
	ck_assert_int_eq(write(pair[1], bytes, len), (ssize_t)len);
	ck_assert_int_eq(write(pair[1], bad[_i].header, WIRE_HEADER_SIZE), WIRE_HEADER_SIZE);
	ck_assert_int_eq(write(pair[1], bytes, len), (ssize_t)len);
	assert_three_frames(&seen);
	ck_assert_uint_eq(seen, 3);
	for (int again = 0; again < 2; again++) {
		ck_assert_msg(link_next(broker, &f) == ERR_CORRUPT, "%s", bad[_i].what);
		ck_assert_ptr_null(f.payload.data);
	}
	ck_assert_int_eq(link_state(broker), LINK_CORRUPT);
	ck_assert_uint_eq(link_waiting(broker).frames, 0);
	ck_assert_int_eq(link_send(broker, WIRE_STOP, 0, NULL, 0), ERR_STORAGE);
	ck_assert_int_eq(link_flush(broker), ERR_STORAGE);
	ck_assert_int_eq(link_fill(broker), ERR_STORAGE);
	(void)close(pair[1]);
	close_all();
}
END_TEST

/*
 * Memory.
 */

START_TEST(the_memory_of_a_burst_is_given_back)
{
	struct wire_frame f;
	size_t before;

	open_both();
	send_bytes(registrar, WIRE_LOG, 0, 10);
	receive_while_flushed(registrar, broker, &f);
	before = held;
	for (size_t i = 0; i < 20; i++)
		send_bytes(registrar, WIRE_ANSWER, i, WIRE_PAYLOAD_MAX - i);
	for (size_t i = 0; i < 10000; i++)
		send_bytes(registrar, WIRE_LOG, i, 10);
	ck_assert_uint_gt(held, 20 * (WIRE_PAYLOAD_MAX - 20));
	for (size_t i = 0; i < 10020; i++)
		receive_while_flushed(registrar, broker, &f);
	ck_assert_int_eq(receive(broker, &f), ERR_NOT_FOUND);
	ck_assert_uint_eq(held, before);
	close_all();
}
END_TEST

/* The sender announces the largest frame; the receiver holds no more than that. */
START_TEST(a_receiver_holds_at_most_one_large_frame)
{
	struct wire_frame f;

	open_both();
	send_bytes(registrar, WIRE_ANSWER, 0, WIRE_PAYLOAD_MAX);
	while (link_waiting(registrar).frames > 0) {
		ck_assert_int_eq(link_flush(registrar), ERR_OK);
		(void)!link_fill(broker);
		ck_assert_uint_lt(held, 2 * (WIRE_PAYLOAD_MAX + 65536));
	}
	ck_assert_int_eq(receive(broker, &f), ERR_OK);
	assert_frame(&f, WIRE_ANSWER, 0, WIRE_PAYLOAD_MAX);
	close_all();
}
END_TEST

START_TEST(without_memory_nothing_is_lost)
{
	struct link_config config = { pair[0], WIRE_BROKER, 1, 100 };
	struct wire_frame f;

	out_of_memory = true;
	ck_assert_int_eq(link_open(&config, &broker), ERR_NOMEM);
	out_of_memory = false;
	open_both();
	out_of_memory = true;
	ck_assert_int_eq(link_send(registrar, WIRE_LOG, 0, NULL, 0), ERR_NOMEM);
	out_of_memory = false;
	ck_assert_uint_eq(link_waiting(registrar).frames, 0);
	send_bytes(registrar, WIRE_LOG, 1, 10);
	send_bytes(registrar, WIRE_ANSWER, 2, 150000);
	ck_assert_int_eq(link_flush(registrar), ERR_OK);
	out_of_memory = true;
	ck_assert_int_eq(link_fill(broker), ERR_NOMEM);
	out_of_memory = false;
	ck_assert_int_eq(receive(broker, &f), ERR_OK);
	assert_frame(&f, WIRE_LOG, 1, 10);
	out_of_memory = true;
	ck_assert_int_eq(receive(broker, &f), ERR_NOMEM);
	out_of_memory = false;
	receive_while_flushed(registrar, broker, &f);
	assert_frame(&f, WIRE_ANSWER, 2, 150000);
	close_all();
}
END_TEST

/* A queue of any length costs the same for each frame: 60 000 frames take less than twenty
 * times as long as 6 000, where work in the square of their number takes a hundred times. */
static double
seconds_for(size_t count)
{
	struct timespec from, to;
	struct wire_frame f;
	size_t got = 0;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (size_t i = 0; i < count; i++)
		if (link_send(registrar, WIRE_LOG, i, NULL, 0) != ERR_OK)
			ck_abort();
	while (got < count) {
		(void)link_flush(registrar);
		while (receive(broker, &f) == ERR_OK)
			if (f.number != got++)
				ck_abort();
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

START_TEST(each_frame_costs_the_same)
{
	double few = 1, many = 1;

	open_both();
	for (int i = 0; i < 5; i++) {
		double t = seconds_for(6000);

		few = t < few ? t : few;
		t = seconds_for(60000);
		many = t < many ? t : many;
	}
	ck_assert_msg(many < 30 * few, "%g s for 6 000 frames, %g s for 60 000", few, many);
	close_all();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("link");
	TCase *t = suite_case(s, "frames");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, frames_of_every_size_arrive_in_order);
	tcase_add_test(t, a_frame_may_arrive_in_pieces_of_any_size);
	tcase_add_test(t, a_frame_may_leave_in_pieces_of_any_size);
	tcase_add_test(t, a_view_is_valid_until_the_next_fill);
	tcase_add_test(t, filling_without_taking_loses_nothing);
	t = suite_case(s, "bounds");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_full_queue_is_busy_until_it_was_sent);
	tcase_add_test(t, the_bytes_that_wait_are_bounded);
	tcase_add_test(t, a_payload_is_bounded);
	tcase_add_test(t, sending_never_waits_for_a_receiver_that_does_not_read);
	t = suite_case(s, "ends");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, what_was_sent_before_the_end_is_read);
	tcase_add_test(t, what_was_sent_before_a_failed_write_is_read);
	tcase_add_test(t, a_reset_is_an_end);
	tcase_add_test(t, an_end_in_the_middle_of_a_frame_is_an_end);
	tcase_add_loop_test(t, a_bad_header_ends_the_link, 0, COUNT_OF(bad));
	t = suite_case(s, "memory");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, the_memory_of_a_burst_is_given_back);
	tcase_add_test(t, a_receiver_holds_at_most_one_large_frame);
	tcase_add_test(t, without_memory_nothing_is_lost);
	tcase_add_test(t, each_frame_costs_the_same);
	return suite_run(s);
}
