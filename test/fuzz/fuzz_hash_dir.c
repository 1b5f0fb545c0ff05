/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_hash_dir.c - a file in ca_path that another program may have written: its name is the
 * first line, its content the rest.
 *
 * A file is ours only if it begins with the whole mark and an id; a file that is not ours
 * stays as it is, whatever is registered and removed beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "tree.h"

#include "hash_dir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARK "# mosquitto-jitr: registered CA "

static char dir[64];

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
make_dir(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	(void)snprintf(dir, sizeof(dir), "%s/jitr-fuzz-XXXXXX", base);
	require(mkdtemp(dir) != NULL);
}

static void
write_file(const char *name, struct view content)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	require(f != NULL);
	require(fwrite(content.data, 1, content.len, f) == content.len || content.len == 0);
	require(fclose(f) == 0);
}

static bool
has_content(const char *name, struct view content)
{
	char path[256];
	uint8_t *bytes = malloc(content.len + 1);
	bool same;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	require(bytes != NULL);
	same = f != NULL && fread(bytes, 1, content.len + 1, f) == content.len &&
	    (content.len == 0 || memcmp(bytes, content.data, content.len) == 0);
	if (f != NULL)
		(void)fclose(f);
	free(bytes);
	return same;
}

static bool
is_marked(struct view content)
{
	size_t len = sizeof(MARK) - 1;
	struct certid id;

	return content.len >= len + 64 && memcmp(content.data, MARK, len) == 0 &&
	    certid_from_hex(&id, (struct view){ content.data + len, 64 });
}

/* A CA with the hash of the file is registered and removed again. */
static void
register_beside(uint32_t hash)
{
	static const struct certid id = { { 0xfe, 0xed } };
	struct diag diag = { "" };
	struct hash_file *f;
	struct hash_dir d;

	hash_dir_open(&d, dir, &diag);
	require(d.failed == ERR_OK && hash_dir_find(&d, &id) == NULL);
	f = hash_dir_add(&d, hash, &id);
	require(f != NULL);
	hash_dir_write(&d, f, "pem\n");
	hash_dir_close(&d);
	hash_dir_open(&d, dir, &diag);
	f = hash_dir_find(&d, &id);
	require(d.failed == ERR_OK && f != NULL && f->hash == hash);
	(void)hash_dir_remove(&d, f);
	require(d.failed == ERR_OK && diag.text[0] == '\0');
	hash_dir_close(&d);
}

static void
run(const char *name, struct view content)
{
	struct hash_file found = { .ours = false };
	struct diag diag = { "" };
	struct hash_dir d;

	write_file(name, content);
	hash_dir_open(&d, dir, &diag);
	require(d.failed == ERR_OK && d.count <= 1);
	if (d.count == 1) {
		found = d.files[0];
		require(found.ours == is_marked(content));
	}
	hash_dir_close(&d);
	register_beside(found.hash);
	require(found.ours || has_content(name, content));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view content = { size > 0 ? data : (const uint8_t *)"", size },
		    line = cut_line(&content);
	char name[40];

	if (line.len == 0 || line.len >= sizeof(name) || line.data[0] == '.' ||
	    memchr(line.data, '/', line.len) != NULL || memchr(line.data, 0, line.len) != NULL)
		return 0;
	memcpy(name, line.data, line.len);
	name[line.len] = '\0';
	make_dir();
	run(name, content);
	require(remove_tree(dir));
	return 0;
}
