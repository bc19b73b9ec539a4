/* merge.c - byte pair encoding of one piece of text: see merge.h */
#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "token_list.h"
#include "unicode.h"

/* Pieces of so many symbols are merged by looking through all of them each time: faster than a heap. */
enum { FEW = 24 };

void merger_free(merger *work)
{
    free(work->symbols);
    free(work->heap);
    free(work->kept.bytes);
    memset(work, 0, sizeof *work);
}

/* Symbols and a heap for n. */
static int make_room(merger *work, size_t n)
{
    size_t room = work->room ? work->room : 256;
    symbol *symbols;
    uint64_t *heap;
    if (n <= work->room)
        return 0;
    while (room < n)
        room *= 2;
    if (room > SIZE_MAX / 32)
        return -1;
    symbols = realloc(work->symbols, room * sizeof *symbols);
    if (!symbols)
        return -1;
    work->symbols = symbols;
    heap = realloc(work->heap, 2 * room * sizeof *heap);
    if (!heap)
        return -1;
    work->heap = heap;
    work->room = room;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------------- symbols */

/* Characters of the piece on their way to symbols. */
typedef struct reading {
    const table *t;
    symbol *symbols;
    size_t n;
    uint32_t unknown_start, unknown_size; /* unknown characters not yet made a symbol; size 0: none */
} reading;

static void add(reading *r, uint32_t start, uint32_t size, uint32_t token)
{
    symbol *s = &r->symbols[r->n];
    s->start = start;
    s->size = size;
    s->token = token;
    s->key = TABLE_NONE;
    s->previous = r->n ? (uint32_t)r->n - 1 : TABLE_NONE;
    s->next = (uint32_t)r->n + 1;
    r->n++;
}

static void add_unknown(reading *r)
{
    if (r->unknown_size)
        add(r, r->unknown_start, r->unknown_size, r->t->unknown | SYMBOL_APART);
    r->unknown_size = 0;
}

/* Whether all bytes of a character have tokens of their own. */
static int falls_back(const table *t, const unsigned char *text, size_t size)
{
    if (!(t->flags & TABLE_BYTE_FALLBACK))
        return 0;
    for (size_t i = 0; i < size; i++)
        if (table_u32(t, SECTION_BYTES, text[i]) == TABLE_NONE)
            return 0;
    return 1;
}

static uint32_t token_of(const table *t, const unsigned char *text, size_t size)
{
    return t->flags & TABLE_BYTE_LEVEL ? table_u32(t, SECTION_BYTES, text[0]) : table_find(t, text, size);
}

static size_t symbol_size(const table *t, const unsigned char *text, size_t size)
{
    uint32_t c;
    return t->flags & TABLE_BYTE_LEVEL ? 1 : utf8_read(text, size, &c);
}

/* A character that has no token. Unknown ones wait for more of their kind, and bytes of a character do not end the wait. */
static void add_other(reading *r, const unsigned char *piece, uint32_t start, uint32_t size)
{
    if (falls_back(r->t, piece + start, size)) {
        for (uint32_t i = 0; i < size; i++)
            add(r, start + i, 1, table_u32(r->t, SECTION_BYTES, piece[start + i]) | SYMBOL_APART);
        return;
    }
    if (!(r->t->flags & TABLE_FUSE_UNKNOWN))
        add_unknown(r);
    if (r->unknown_size == 0)
        r->unknown_start = start;
    r->unknown_size += size;
}

static size_t read_symbols(const table *t, symbol *symbols, const unsigned char *piece, size_t size)
{
    reading r = { t, symbols, 0, 0, 0 };
    for (size_t at = 0; at < size; ) {
        const size_t length = symbol_size(t, piece + at, size - at);
        const uint32_t token = token_of(t, piece + at, length);
        if (token != TABLE_NONE) {
            add_unknown(&r);
            add(&r, (uint32_t)at, (uint32_t)length, token);
        } else {
            add_other(&r, piece, (uint32_t)at, (uint32_t)length);
        }
        at += length;
    }
    add_unknown(&r);
    if (r.n)
        symbols[r.n - 1].next = TABLE_NONE;
    return r.n;
}

/* Without a token for the unknown, characters that have no token are left out, and their neighbours meet. */
static int keep_known(const table *t, merger *work, const unsigned char **piece, size_t *size)
{
    work->kept.size = 0;
    for (size_t at = 0; at < *size; ) {
        const size_t length = symbol_size(t, *piece + at, *size - at);
        if (token_of(t, *piece + at, length) != TABLE_NONE || falls_back(t, *piece + at, length))
            if (buffer_append(&work->kept, *piece + at, length) != 0)
                return -1;
        at += length;
    }
    *piece = work->kept.bytes;
    *size = work->kept.size;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------------- merging */

static table_merge merge_of(const table *t, const unsigned char *piece, const symbol *a, const symbol *b)
{
    const table_merge none = { TABLE_NONE, TABLE_NONE };
    if ((a->token | b->token) & SYMBOL_APART)
        return none;
    return table_find_merge(t, piece + a->start, a->size, a->size + b->size);
}

static int merge_few(const table *t, symbol *symbols, size_t n, const unsigned char *piece, token_list *out)
{
    uint32_t ranks[FEW];
    for (size_t i = 0; i + 1 < n; i++) {
        const table_merge merge = merge_of(t, piece, &symbols[i], &symbols[i + 1]);
        symbols[i].key = merge.key;
        ranks[i] = merge.rank;
    }
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (symbols[i].key < symbols[best].key)
                best = i;
        if (symbols[best].key == TABLE_NONE)
            break;
        symbols[best].token = ranks[best];
        symbols[best].size += symbols[best + 1].size;
        n--;
        memmove(&symbols[best + 1], &symbols[best + 2], (n - best - 1) * sizeof *symbols);
        memmove(&ranks[best + 1], &ranks[best + 2], (n - best - 1) * sizeof *ranks);
        for (size_t i = best ? best - 1 : 0; i <= best && i + 1 < n; i++) {
            const table_merge merge = merge_of(t, piece, &symbols[i], &symbols[i + 1]);
            symbols[i].key = merge.key;
            ranks[i] = merge.rank;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (token_list_add(out, table_id(t, symbols[i].token & ~SYMBOL_APART)) != 0)
            return -1;
    return 0;
}

/* A heap with four children a node: fewer lines of memory on the way down. */
static void sink(uint64_t *heap, size_t n, size_t i)
{
    const uint64_t item = heap[i];
    for (;;) {
        size_t least = 4 * i + 1;
        const size_t end = least + 4 < n ? least + 4 : n;
        if (least >= n)
            break;
        for (size_t k = least + 1; k < end; k++)
            if (heap[k] < heap[least])
                least = k;
        if (heap[least] >= item)
            break;
        heap[i] = heap[least];
        i = least;
    }
    heap[i] = item;
}

static void raise(uint64_t *heap, size_t i)
{
    const uint64_t item = heap[i];
    while (i > 0 && heap[(i - 1) / 4] > item) {
        heap[i] = heap[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    heap[i] = item;
}

/* The merge of symbol i with the next one, for the heap; UINT64_MAX if there is none. */
static uint64_t offer(const table *t, symbol *symbols, uint32_t i, const unsigned char *piece)
{
    symbol *s = &symbols[i];
    s->key = s->next == TABLE_NONE ? TABLE_NONE : merge_of(t, piece, s, &symbols[s->next]).key;
    return s->key == TABLE_NONE ? UINT64_MAX : (uint64_t)s->key << 32 | i;
}

/* Symbol i takes in the next one, of which nothing remains: its key is never met again. */
static void take_in(const table *t, symbol *symbols, uint32_t i, const unsigned char *piece)
{
    symbol *s = &symbols[i], *gone = &symbols[s->next];
    s->token = t->sections[SECTION_LATE].size ? merge_of(t, piece, s, gone).rank : s->key >> 8;
    s->size += gone->size;
    s->next = gone->next;
    gone->key = TABLE_NONE;
    if (s->next != TABLE_NONE)
        symbols[s->next].previous = i;
}

static int merge_many(const table *t, merger *work, size_t n, const unsigned char *piece, token_list *out)
{
    symbol *symbols = work->symbols;
    uint64_t *heap = work->heap;
    size_t n_heap = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t item = offer(t, symbols, i, piece);
        if (item != UINT64_MAX)
            heap[n_heap++] = item;
    }
    for (size_t i = n_heap / 4 + 1; i-- > 0; )
        if (i < n_heap)
            sink(heap, n_heap, i);
    while (n_heap > 0) {
        const uint64_t top = heap[0];
        const uint32_t i = (uint32_t)top;
        uint64_t items[2];
        heap[0] = heap[--n_heap];
        if (n_heap)
            sink(heap, n_heap, 0);
        if (symbols[i].key != top >> 32)
            continue; /* one of the two has been merged with another */
        take_in(t, symbols, i, piece);
        items[0] = offer(t, symbols, i, piece);
        items[1] = symbols[i].previous == TABLE_NONE ? UINT64_MAX : offer(t, symbols, symbols[i].previous, piece);
        for (int k = 0; k < 2; k++)
            if (items[k] != UINT64_MAX) {
                heap[n_heap] = items[k];
                raise(heap, n_heap++);
            }
    }
    for (uint32_t i = n ? 0 : TABLE_NONE; i != TABLE_NONE; i = symbols[i].next)
        if (token_list_add(out, table_id(t, symbols[i].token & ~SYMBOL_APART)) != 0)
            return -1;
    return 0;
}

int merge_piece(const table *t, merger *work, const unsigned char *piece, size_t size, token_list *out)
{
    uint32_t whole = table_find(t, piece, size);
    size_t n;
    if (whole != TABLE_NONE && table_bit(t, SECTION_WHOLE, whole))
        return token_list_add(out, table_id(t, whole));
    if (t->unknown == TABLE_NONE && !t->complete && keep_known(t, work, &piece, &size) != 0)
        return -1;
    if (make_room(work, size) != 0)
        return -1;
    n = read_symbols(t, work->symbols, piece, size);
    return n <= FEW ? merge_few(t, work->symbols, n, piece, out) : merge_many(t, work, n, piece, out);
}
