/* merge.c - byte pair encoding of one piece of text: see merge.h */
#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "token_list.h"
#include "unicode.h"

/* Pieces of so many symbols are merged by looking through all of them each time. */
enum { FEW = 32, LISTS_AT_FIRST = 64 };

void merger_free(merger *work)
{
    free(work->symbols);
    free(work->pairs);
    free(work->lists.slots);
    free(work->lists.heap);
    free(work->lists.events);
    free(work->lists.batch);
    free(work->kept.bytes);
    memset(work, 0, sizeof *work);
}

/* Symbols and batches for n. */
static int make_room(merger *work, size_t n)
{
    size_t room = work->room ? work->room : 256;
    symbol *symbols;
    uint32_t *batch;
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
    batch = realloc(work->lists.batch, room * sizeof *batch);
    if (!batch)
        return -1;
    work->lists.batch = batch;
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
    if (t->flags & TABLE_BYTE_LEVEL)
        return table_u32(t, SECTION_BYTES, text[0]);
    return text[0] < 0x80 ? t->ascii[text[0]] : table_find(t, text, size);
}

static size_t symbol_size(const table *t, const unsigned char *text, size_t size)
{
    uint32_t c;
    return t->flags & TABLE_BYTE_LEVEL || text[0] < 0x80 ? 1 : utf8_read(text, size, &c);
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

/* Few pairs make most of a text: what was found for them is remembered, by the tokens of both. */
static int open_pairs(merger *work)
{
    if (work->pairs)
        return 0;
    work->pairs = malloc(MERGE_PAIRS * sizeof *work->pairs);
    if (!work->pairs)
        return -1;
    memset(work->pairs, 0xff, MERGE_PAIRS * sizeof *work->pairs);
    return 0;
}

static table_merge merge_of(const table *t, merger *work, const unsigned char *piece, const symbol *a, const symbol *b)
{
    const table_merge none = { TABLE_NONE, TABLE_NONE };
    const uint32_t hash = (a->token * UINT32_C(0x9e3779b1) ^ b->token) * UINT32_C(0x85ebca6b);
    merge_pair *pair = &work->pairs[hash >> (32 - MERGE_PAIRS_BITS)];
    if ((a->token | b->token) & SYMBOL_APART)
        return none;
    if (pair->first != a->token || pair->second != b->token) {
        pair->first = a->token;
        pair->second = b->token;
        pair->merge = table_find_merge(t, piece + a->start, a->size, a->size + b->size);
    }
    return pair->merge;
}

static int merge_few(const table *t, merger *work, size_t n, const unsigned char *piece, token_list *out)
{
    symbol *symbols = work->symbols;
    uint32_t ranks[FEW];
    for (size_t i = 0; i + 1 < n; i++) {
        const table_merge merge = merge_of(t, work, piece, &symbols[i], &symbols[i + 1]);
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
            const table_merge merge = merge_of(t, work, piece, &symbols[i], &symbols[i + 1]);
            symbols[i].key = merge.key;
            ranks[i] = merge.rank;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (token_list_add(out, table_id(t, symbols[i].token & ~SYMBOL_APART)) != 0)
            return -1;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- long pieces */

/*
 * Merges wait in a list for each key; a heap holds the keys. The list of the lowest key is worked through from left to right,
 * so that a long run of one letter costs no more than other text and memory is read in order.
 */

static void sink(uint32_t *heap, size_t n)
{
    const uint32_t item = heap[0];
    size_t i = 0;
    for (size_t least = 1; least < n; least = 2 * i + 1) {
        least += least + 1 < n && heap[least + 1] < heap[least];
        if (heap[least] >= item)
            break;
        heap[i] = heap[least];
        i = least;
    }
    heap[i] = item;
}

static void raise(uint32_t *heap, size_t i)
{
    const uint32_t item = heap[i];
    while (i > 0 && heap[(i - 1) / 2] > item) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = item;
}

/* The list of a key, or the free place for it. */
static merge_list *list_of(const merge_lists *q, uint32_t key)
{
    const uint32_t hash = key * UINT32_C(0x9e3779b1);
    size_t at = (hash ^ hash >> 15) & (q->n_slots - 1); /* the lower bits of most keys are 0 */
    while (q->slots[at].key != key && q->slots[at].key != TABLE_NONE)
        at = (at + 1) & (q->n_slots - 1);
    return &q->slots[at];
}

/* A table of lists of another size, with those that there are. */
static int resize_lists(merge_lists *q, size_t n_slots)
{
    merge_list *old = q->slots, *slots = malloc(n_slots * sizeof *slots);
    uint32_t *heap = slots ? realloc(q->heap, n_slots * sizeof *heap) : NULL;
    const size_t n_old = q->n_slots;
    if (!heap) {
        free(slots);
        return -1;
    }
    memset(slots, 0xff, n_slots * sizeof *slots);
    q->heap = heap;
    q->slots = slots;
    q->n_slots = n_slots;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].key != TABLE_NONE)
            *list_of(q, old[i].key) = old[i];
    free(old);
    return 0;
}

/* Few lists to begin with, whatever the last piece needed. */
static int empty_lists(merge_lists *q)
{
    q->n_heap = q->n_lists = q->n_events = 0;
    if (q->n_slots == LISTS_AT_FIRST) {
        memset(q->slots, 0xff, q->n_slots * sizeof *q->slots);
        return 0;
    }
    q->n_slots = 0; /* nothing to keep */
    return resize_lists(q, LISTS_AT_FIRST);
}

/* Symbol i waits for its merge with the next one. */
static int wait(merge_lists *q, uint32_t key, uint32_t i)
{
    merge_list *list = list_of(q, key);
    const uint32_t event = (uint32_t)q->n_events++;
    if (list->key == TABLE_NONE) {
        if (2 * ++q->n_lists > q->n_slots) {
            if (resize_lists(q, 2 * q->n_slots) != 0)
                return -1;
            list = list_of(q, key);
        }
        list->key = key;
    }
    q->events[event].symbol = i;
    q->events[event].next = TABLE_NONE;
    if (list->head == TABLE_NONE) {
        list->head = event;
        q->heap[q->n_heap] = key;
        raise(q->heap, q->n_heap++);
    } else {
        q->events[list->tail].next = event;
    }
    list->tail = event;
    return 0;
}

static int compare_symbols(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Takes the list of the lowest key: its symbols from left to right to batch. Returns their number. */
static size_t take_list(merge_lists *q, uint32_t *key)
{
    merge_list *list = list_of(q, *key = q->heap[0]);
    size_t n = 0;
    int in_order = 1;
    for (uint32_t e = list->head; e != TABLE_NONE; e = q->events[e].next) {
        q->batch[n] = q->events[e].symbol;
        in_order &= n == 0 || q->batch[n - 1] < q->batch[n];
        n++;
    }
    list->head = TABLE_NONE;
    q->heap[0] = q->heap[--q->n_heap];
    if (q->n_heap)
        sink(q->heap, q->n_heap);
    if (!in_order)
        qsort(q->batch, n, sizeof *q->batch, compare_symbols);
    return n;
}

/* Finds the merge of symbol i with the next one, if there is one. */
static int offer(const table *t, merger *work, uint32_t i, const unsigned char *piece)
{
    symbol *s = &work->symbols[i];
    s->key = s->next == TABLE_NONE ? TABLE_NONE : merge_of(t, work, piece, s, &work->symbols[s->next]).key;
    return s->key == TABLE_NONE ? 0 : wait(&work->lists, s->key, i);
}

/* Symbol i takes in the next one, of which nothing remains: its key is never met again. */
static void take_in(const table *t, merger *work, uint32_t i, const unsigned char *piece)
{
    symbol *symbols = work->symbols, *s = &symbols[i], *gone = &symbols[s->next];
    s->token = t->sections[SECTION_LATE].size ? merge_of(t, work, piece, s, gone).rank : s->key >> 8;
    s->size += gone->size;
    s->next = gone->next;
    gone->key = TABLE_NONE;
    if (s->next != TABLE_NONE)
        symbols[s->next].previous = i;
}

/* All merges of a key, unless one of them makes a lower one possible: then the rest waits again. */
static int merge_batch(const table *t, merger *work, uint32_t key, size_t n, const unsigned char *piece)
{
    merge_lists *q = &work->lists;
    symbol *symbols = work->symbols;
    for (size_t k = 0; k < n; k++) {
        const uint32_t i = q->batch[k];
        if (symbols[i].key != key)
            continue; /* one of the two has been merged with another */
        if (q->n_heap && q->heap[0] < key) {
            if (wait(q, key, i) != 0)
                return -1;
            continue;
        }
        take_in(t, work, i, piece);
        if (offer(t, work, i, piece) != 0 ||
            (symbols[i].previous != TABLE_NONE && offer(t, work, symbols[i].previous, piece) != 0))
            return -1;
    }
    return 0;
}

/* Events: one for each pair at first, two for each merge, and those that waited again; these may be any number. */
static int make_events(merge_lists *q, size_t more)
{
    size_t room = q->events_room ? q->events_room : 256;
    merge_event *events;
    if (q->n_events + more <= q->events_room)
        return 0;
    while (room < q->n_events + more)
        room *= 2;
    events = room < SIZE_MAX / 16 ? realloc(q->events, room * sizeof *events) : NULL;
    if (!events)
        return -1;
    q->events = events;
    q->events_room = room;
    return 0;
}

static int merge_many(const table *t, merger *work, size_t n, const unsigned char *piece, token_list *out)
{
    merge_lists *q = &work->lists;
    if (empty_lists(q) != 0 || make_events(q, n) != 0)
        return -1;
    for (uint32_t i = 0; i < n; i++)
        if (offer(t, work, i, piece) != 0)
            return -1;
    while (q->n_heap > 0) {
        uint32_t key;
        const size_t n_batch = take_list(q, &key);
        if (make_events(q, 2 * n_batch) != 0 || merge_batch(t, work, key, n_batch, piece) != 0)
            return -1;
    }
    for (uint32_t i = n ? 0 : TABLE_NONE; i != TABLE_NONE; i = work->symbols[i].next)
        if (token_list_add(out, table_id(t, work->symbols[i].token & ~SYMBOL_APART)) != 0)
            return -1;
    return 0;
}

static int merge_part(const table *t, merger *work, const unsigned char *part, size_t size, token_list *out)
{
    const uint32_t whole = table_find(t, part, size);
    size_t n;
    if (whole != TABLE_NONE && table_bit(t, SECTION_WHOLE, whole))
        return token_list_add(out, table_id(t, whole));
    if (t->unknown == TABLE_NONE && !t->complete && keep_known(t, work, &part, &size) != 0)
        return -1;
    if (make_room(work, size) != 0 || open_pairs(work) != 0)
        return -1;
    n = read_symbols(t, work->symbols, part, size);
    return n <= FEW ? merge_few(t, work, n, part, out) : merge_many(t, work, n, part, out);
}

/* Where no merge reaches across: between two bytes that no token has side by side, the second of which begins a character. */
static size_t part_size(const table *t, const unsigned char *piece, size_t size)
{
    size_t at = 1;
    while (at < size && (table_inside(t, piece[at - 1], piece[at]) || (piece[at] & 0xc0) == 0x80))
        at++;
    return at;
}

int merge_piece(const table *t, merger *work, const unsigned char *piece, size_t size, token_list *out)
{
    const uint32_t whole = table_find(t, piece, size);
    if (whole != TABLE_NONE && (t->flags & TABLE_IGNORE_MERGES || table_bit(t, SECTION_WHOLE, whole)))
        return token_list_add(out, table_id(t, whole));
    if (!t->complete) /* unknown characters may be one token across such a place */
        return merge_part(t, work, piece, size, out);
    while (size > 0) {
        const size_t n = part_size(t, piece, size);
        if (merge_part(t, work, piece, n, out) != 0)
            return -1;
        piece += n;
        size -= n;
    }
    return 0;
}
