/* tokenizer.c - text to ids: added tokens, normalizing, pieces, merges; and ids to text: see tokenizer.h */
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "added.h"
#include "buffer.h"
#include "merge.h"
#include "split.h"
#include "table.h"
#include "token_list.h"
#include "unicode.h"

struct tokenizer {
    table t;
    merger work;
    buffer normal, prepared; /* text as normalized; as it is cut into pieces */
};

tokenizer *tokenizer_open(const void *bytes, size_t size, message *m)
{
    tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        complain(m, "out of memory");
        return NULL;
    }
    if (table_open(&t->t, bytes, size, m) == 0)
        return t;
    free(t);
    return NULL;
}

void tokenizer_close(tokenizer *t)
{
    if (!t)
        return;
    merger_free(&t->work);
    free(t->normal.bytes);
    free(t->prepared.bytes);
    free(t);
}

size_t tokenizer_size(const tokenizer *t)
{
    return t->t.n_tokens;
}

const char *tokenizer_unicode(void)
{
    return unicode_version();
}

/* --------------------------------------------------------------------------------------------------------------- encoding */

/* One text on its way. */
typedef struct encoding {
    tokenizer *t;
    token_list *out;
    int plain;
    int at_beginning; /* the part at hand begins where the text does */
} encoding;

/* Appends a text with its blanks as marks. */
static int append_marked(buffer *out, const unsigned char *text, size_t size)
{
    while (size > 0) {
        const unsigned char *blank = memchr(text, ' ', size);
        const size_t n = blank ? (size_t)(blank - text) : size;
        if (buffer_append(out, text, n) != 0 || (blank && buffer_append(out, MARK, MARK_SIZE) != 0))
            return -1;
        text += n + (blank != NULL);
        size -= n + (blank != NULL);
    }
    return 0;
}

/* The normalizers: composition, a mark in front, blanks to marks. Where nothing changes the text stays where it is. */
static int normalize(tokenizer *t, const unsigned char **text, size_t *size)
{
    const uint32_t flags = t->t.flags;
    const int compose = flags & TABLE_NFC && nfc_prefix(*text, *size) < *size;
    buffer *out = &t->normal;
    out->size = 0;
    if (*size == 0 || !(compose || flags & (TABLE_BLANKS_TO_MARKS | TABLE_PREPEND_MARK)))
        return 0;
    if (compose) {
        if (nfc_append(out, *text, *size) != 0)
            return -1;
        if (!(flags & (TABLE_BLANKS_TO_MARKS | TABLE_PREPEND_MARK))) {
            *text = out->bytes;
            *size = out->size;
            return 0;
        }
        t->prepared.size = 0;
        if (buffer_append(&t->prepared, out->bytes, out->size) != 0)
            return -1;
        *text = t->prepared.bytes;
        *size = t->prepared.size;
        out->size = 0;
    }
    if (flags & TABLE_PREPEND_MARK && buffer_append(out, MARK, MARK_SIZE) != 0)
        return -1;
    if ((flags & TABLE_BLANKS_TO_MARKS ? append_marked(out, *text, *size) : buffer_append(out, *text, *size)) != 0)
        return -1;
    *text = out->bytes;
    *size = out->size;
    return 0;
}

/* Before pieces are cut: blanks to marks, and a mark or blank in front. */
static int prepare(encoding *e, const unsigned char **text, size_t *size)
{
    const uint32_t flags = e->t->t.flags;
    buffer *out = &e->t->prepared;
    const int blank = **text == ' ', mark = blank || is_mark(*text, *size);
    const int missing = flags & TABLE_METASPACE ? !mark : !blank;
    const int prepend = missing && (flags & TABLE_PREPEND_UNLESS || (flags & TABLE_PREPEND_FIRST && e->at_beginning));
    if (!prepend && !(flags & TABLE_METASPACE))
        return 0;
    out->size = 0;
    if (prepend && buffer_append(out, flags & TABLE_METASPACE ? MARK : " ", flags & TABLE_METASPACE ? MARK_SIZE : 1) != 0)
        return -1;
    if ((flags & TABLE_METASPACE ? append_marked(out, *text, *size) : buffer_append(out, *text, *size)) != 0)
        return -1;
    *text = out->bytes;
    *size = out->size;
    return 0;
}

static int encode_pieces(encoding *e, const unsigned char *text, size_t size)
{
    if (prepare(e, &text, &size) != 0)
        return -1;
    while (size > 0) {
        const size_t n = split_piece(&e->t->t, text, size);
        if (merge_piece(&e->t->t, &e->t->work, text, n, e->out) != 0)
            return -1;
        text += n;
        size -= n;
    }
    return 0;
}

/* A part between the added tokens of the text as it comes. */
static int encode_part(encoding *e, const unsigned char *text, size_t size)
{
    const int at_beginning = e->at_beginning;
    added_walk walk;
    added_part part;
    if (normalize(e->t, &text, &size) != 0)
        return -1;
    walk = added_begin(&e->t->t, ADDED_NORMAL, e->plain, text, size);
    while (added_next(&walk, &part)) {
        e->at_beginning = at_beginning && part.start == 0;
        if (part.token != TABLE_NONE ? token_list_add(e->out, table_id(&e->t->t, part.token)) :
                                       encode_pieces(e, text + part.start, part.end - part.start))
            return -1;
    }
    return 0;
}

static int encode_text(encoding *e, const unsigned char *text, size_t size)
{
    added_walk walk = added_begin(&e->t->t, ADDED_RAW, e->plain, text, size);
    added_part part;
    while (added_next(&walk, &part)) {
        e->at_beginning = part.start == 0;
        if (part.token != TABLE_NONE ? token_list_add(e->out, table_id(&e->t->t, part.token)) :
                                       encode_part(e, text + part.start, part.end - part.start))
            return -1;
    }
    return 0;
}

static int add_around(const table *t, int section, token_list *out)
{
    for (uint32_t i = 0; i < t->sections[section].size / 4; i++)
        if (token_list_add(out, table_u32(t, section, i)) != 0)
            return -1;
    return 0;
}

int tokenizer_encode(tokenizer *t, token_list *out, const void *text, size_t size, unsigned flags, message *m)
{
    const size_t n = out->n;
    encoding e = { 0 };
    e.t = t;
    e.out = out;
    e.plain = (flags & TOKENIZER_PLAIN) != 0;
    if (size > MERGE_SIZE_MAX / 4) /* a blank becomes three bytes */
        return complain(m, "a text of more than %u bytes cannot be tokenized at once", MERGE_SIZE_MAX / 4);
    if ((flags & TOKENIZER_AROUND && add_around(&t->t, SECTION_BEFORE, out) != 0) ||
        encode_text(&e, (const unsigned char *)text, size) != 0 ||
        (flags & TOKENIZER_AROUND && add_around(&t->t, SECTION_AFTER, out) != 0)) {
        out->n = n;
        return complain(m, "out of memory");
    }
    return 0;
}

size_t tokenizer_before(const tokenizer *t, int32_t *out, size_t room)
{
    const size_t n = t->t.sections[SECTION_BEFORE].size / 4;
    for (size_t i = 0; out && i < n && i < room; i++)
        out[i] = (int32_t)table_u32(&t->t, SECTION_BEFORE, (uint32_t)i);
    return n;
}

/* --------------------------------------------------------------------------------------------------------------- decoding */

const unsigned char *tokenizer_token(const tokenizer *t, int32_t id, size_t *size, int *special)
{
    const uint32_t rank = table_rank(&t->t, (uint32_t)id);
    if (special)
        *special = table_bit(&t->t, SECTION_SPECIAL, rank);
    return table_text(&t->t, rank, size);
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

/* The byte that a token "<0x0A>" stands for; -1 if it is no such token. */
static int byte_token(const unsigned char *text, size_t size)
{
    int high, low;
    if (size != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>')
        return -1;
    high = hex_digit(text[3]);
    low = hex_digit(text[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* A token's text as it is in a text, marks as blanks. */
static size_t plain_text(const tokenizer *t, const unsigned char *text, size_t size, int first, unsigned char *out)
{
    const uint32_t flags = t->t.flags;
    const int byte = flags & TABLE_BYTE_FALLBACK ? byte_token(text, size) : -1;
    size_t n = 0;
    if (byte >= 0) {
        out[0] = (unsigned char)byte;
        n = 1;
    } else {
        for (size_t i = 0; i < size; ) {
            const int mark = flags & TABLE_MARKS_TO_BLANKS && is_mark(text + i, size - i);
            if (!mark)
                out[n++] = text[i];
            else if (!(first && flags & TABLE_STRIP_MARKS))
                out[n++] = ' ';
            i += mark ? MARK_SIZE : 1;
        }
    }
    if (first && flags & TABLE_STRIP_BLANK && n > 0 && out[0] == ' ')
        memmove(out, out + 1, --n);
    return n;
}

size_t tokenizer_decode(const tokenizer *t, token_decoder *d, int32_t id, int control, unsigned char *out)
{
    const unsigned char *text;
    size_t size, n = d->n_waiting;
    int special;
    text = tokenizer_token(t, id, &size, &special);
    if (special && !control)
        return 0;
    memcpy(out, d->waiting, n);
    if (special)
        memcpy(out + n, text, size);
    else
        size = plain_text(t, text, size, !d->started, out + n);
    d->started = 1;
    n += size;
    d->n_waiting = utf8_unfinished(out, n);
    n -= d->n_waiting;
    memcpy(d->waiting, out + n, d->n_waiting);
    return n;
}

size_t tokenizer_decode_end(token_decoder *d, unsigned char *out)
{
    const size_t n = d->n_waiting;
    memcpy(out, d->waiting, n);
    memset(d, 0, sizeof *d);
    return n;
}
