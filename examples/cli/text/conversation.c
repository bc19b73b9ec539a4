/* conversation.c - writes and reads the file of a conversation: see conversation.h */
#define _POSIX_C_SOURCE 200809L

#include "conversation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../support/checksum.h"
#include "../support/file_bytes.h"
#include "../support/output_file.h"
#include "tokenizer/buffer.h"
#include "tokenizer/table.h"

/* The last byte is the version of the file. */
#define MAGIC "b2s6txt\1"
enum { MAGIC_SIZE = 8, AT_GENERATOR = 8, AT_LAST = 16, AT_N_RECENT = 20, AT_WAITING = 24, AT_STARTED = 28, HEADER = 32 };

void conversation_take(conversation *c, int32_t token)
{
    if (c->n_recent == RECENT_MAX)
        memmove(c->recent, c->recent + 1, (RECENT_MAX - 1) * sizeof c->recent[0]);
    else
        c->n_recent++;
    c->recent[c->n_recent - 1] = token;
}

/* --------------------------------------------------------------------------------------------------------------- saving */

static int put(buffer *b, const conversation *c, const token_stream *s)
{
    const size_t size = b2s6_snapshot_size(b2s6_state_model(s->state));
    const token_decoder *d = &c->decoder;
    unsigned char waiting[4] = { (unsigned char)d->n_waiting, 0, 0, 0 };
    for (size_t i = 0; i < d->n_waiting && i < 3; i++)
        waiting[1 + i] = d->waiting[i];
    if (buffer_append(b, MAGIC, MAGIC_SIZE) != 0 || buffer_append32(b, c->generator & 0xffffffffu) != 0 ||
        buffer_append32(b, (unsigned long)(c->generator >> 32)) != 0 || buffer_append32(b, (uint32_t)s->last) != 0 ||
        buffer_append32(b, c->n_recent) != 0 || buffer_append(b, waiting, 4) != 0 ||
        buffer_append32(b, d->started != 0) != 0)
        return -1;
    for (size_t i = 0; i < c->n_recent; i++)
        if (buffer_append32(b, (uint32_t)c->recent[i]) != 0)
            return -1;
    if (buffer_append32(b, checksum(0, b->bytes, b->size)) != 0 || buffer_reserve(b, size) != 0 ||
        b2s6_state_save(s->state, b->bytes + b->size, size) != B2S6_OK)
        return -1;
    b->size += size;
    return 0;
}

int conversation_save(const conversation *c, const token_stream *s, const char *path, message *m)
{
    buffer b = { NULL, 0, 0 };
    output o;
    int failed = put(&b, c, s) != 0 ? complain(m, "out of memory") : output_open(&o, path, m);
    if (!failed) {
        fwrite(b.bytes, 1, b.size, o.stream); /* an error stays with the stream until output_close */
        failed = output_close(&o, m);
    }
    free(b.bytes);
    return failed;
}

/* -------------------------------------------------------------------------------------------------------------- loading */

/* Everything before the snapshot, which begins at *snapshot. Its ids are for the caller to check. */
static int read_head(conversation *c, int32_t *last, const file_bytes *file, size_t *snapshot, message *m)
{
    const unsigned char *bytes = file->bytes;
    uint32_t n;
    if (file->size < MAGIC_SIZE || memcmp(bytes, MAGIC, MAGIC_SIZE - 1) != 0)
        return complain(m, "not a conversation that b2s6 generate --state has saved");
    if (bytes[MAGIC_SIZE - 1] != MAGIC[MAGIC_SIZE - 1])
        return complain(m, "a conversation of version %d of its file, which this program does not know",
                        bytes[MAGIC_SIZE - 1]);
    n = file->size < HEADER ? 0 : table_read32(bytes + AT_N_RECENT);
    *snapshot = HEADER + 4 * (size_t)n + 4;
    if (file->size < HEADER || n > RECENT_MAX || file->size < *snapshot ||
        checksum(0, bytes, *snapshot - 4) != table_read32(bytes + *snapshot - 4) || bytes[AT_WAITING] > 3)
        return complain(m, "damaged or cut short");
    memset(c, 0, sizeof *c);
    *last = (int32_t)table_read32(bytes + AT_LAST);
    c->generator = table_read32(bytes + AT_GENERATOR) | (uint64_t)table_read32(bytes + AT_GENERATOR + 4) << 32;
    c->n_recent = n;
    c->decoder.n_waiting = bytes[AT_WAITING];
    memcpy(c->decoder.waiting, bytes + AT_WAITING + 1, 3);
    c->decoder.started = table_read32(bytes + AT_STARTED) != 0;
    for (size_t i = 0; i < n; i++)
        c->recent[i] = (int32_t)table_read32(bytes + HEADER + 4 * i);
    return 0;
}

/* The snapshot knows its model, so it is asked before the ids are looked at. */
static int restore(token_stream *s, const unsigned char *snapshot, size_t size, message *m)
{
    b2s6_status status = b2s6_state_restore(s->state, snapshot, size);
    if (status == B2S6_OK && size != b2s6_snapshot_size(b2s6_state_model(s->state)))
        status = B2S6_ERROR_SNAPSHOT;
    if (status == B2S6_ERROR_MODEL)
        return complain(m, "a conversation with another model");
    if (status == B2S6_ERROR_SNAPSHOT)
        return complain(m, "damaged or cut short");
    return status != B2S6_OK ? complain(m, "%s", b2s6_status_text(status)) : 0;
}

static int check_ids(const conversation *c, int32_t last, const token_stream *s, size_t n_tokens, message *m)
{
    int good = last >= 0 && (size_t)last < s->width;
    for (size_t i = 0; i < c->n_recent; i++)
        good &= c->recent[i] >= 0 && (size_t)c->recent[i] < n_tokens;
    return good ? 0 : complain(m, "it names a token that the model's vocabulary does not have");
}

int conversation_load(conversation *c, token_stream *s, size_t n_tokens, const char *path, message *m)
{
    struct stat status;
    conversation loaded;
    file_bytes file;
    int32_t last = NO_TOKEN;
    size_t snapshot = 0;
    int failed;
    if (stat(path, &status) != 0 && errno == ENOENT)
        return 0;
    if (file_bytes_read(&file, path, m) != 0)
        return -1;
    failed = read_head(&loaded, &last, &file, &snapshot, m) != 0 ||
             restore(s, file.bytes + snapshot, file.size - snapshot, m) != 0 || check_ids(&loaded, last, s, n_tokens, m) != 0;
    file_bytes_release(&file);
    if (failed)
        return -1;
    *c = loaded;
    s->last = last;
    return 1;
}
