/* draft.c - writes the table of a tokenizer: see draft.h, and docs/text.md for its layout */
#include "draft.h"

#include <stdlib.h>
#include <string.h>

#include "merge.h"

void draft_free(draft *d)
{
    free(d->texts.bytes);
    free(d->tokens);
    free(d->slots);
    free(d->merges);
    free(d->added[0].entries);
    free(d->added[1].entries);
    memset(d, 0, sizeof *d);
}

/* The slot of a text, or the free one where it would be. */
static uint32_t slot_of(const draft *d, const unsigned char *text, size_t size)
{
    uint32_t slot = (uint32_t)table_hash(text, size, 0) & (d->n_slots - 1);
    while (d->slots[slot] != TABLE_NONE) {
        const draft_token *token = &d->tokens[d->slots[slot]];
        if (token->size == size && memcmp(d->texts.bytes + token->text, text, size) == 0)
            break;
        slot = (slot + 1) & (d->n_slots - 1);
    }
    return slot;
}

uint32_t draft_find(const draft *d, const unsigned char *text, size_t size)
{
    return d->slots[slot_of(d, text, size)];
}

void draft_index(draft *d, uint32_t id)
{
    const draft_token *token = &d->tokens[id];
    d->slots[slot_of(d, d->texts.bytes + token->text, token->size)] = id;
}

/* -------------------------------------------------------------------------------------------------------------- the order */

/* Everything by rank: what the table is written from. */
typedef struct ranking {
    uint32_t *id_of, *rank_of; /* (n_tokens) */
    int plain;                 /* ranks are ids */
    uint8_t *splits;           /* the left sizes of all merges, token by token in the order of ranks */
    uint32_t *splits_at;       /* (n_tokens + 1): where a rank's begin */
    buffer late;
} ranking;

static void ranking_free(ranking *r)
{
    free(r->id_of);
    free(r->rank_of);
    free(r->splits);
    free(r->splits_at);
    free(r->late.bytes);
}

/* Ranks are ids. */
static void rank_by_id(const draft *d, ranking *r)
{
    r->plain = 1;
    for (uint32_t id = 0; id < d->n_tokens; id++)
        r->rank_of[id] = r->id_of[id] = id;
}

/* Ranks ascend with the first merge of a token; those without merges come first. */
static void rank_by_merge(const draft *d, ranking *r)
{
    uint32_t next = 0;
    r->plain = 0;
    for (uint32_t id = 0; id < d->n_tokens; id++) {
        r->rank_of[id] = TABLE_NONE;
        if (d->tokens[id].n_merges > 0)
            continue;
        r->rank_of[id] = next;
        r->id_of[next++] = id;
    }
    for (uint32_t i = 0; i < d->n_merges; i++) {
        const uint32_t id = d->merges[i].token;
        if (d->merges[i].dead || r->rank_of[id] != TABLE_NONE)
            continue;
        r->rank_of[id] = next;
        r->id_of[next++] = id;
    }
}

/* The splits of every token, in the order of the merges. */
static void place_splits(const draft *d, ranking *r)
{
    uint32_t at = 0;
    for (uint32_t rank = 0; rank < d->n_tokens; rank++) {
        r->splits_at[rank] = at;
        at += d->tokens[r->id_of[rank]].n_merges;
    }
    r->splits_at[d->n_tokens] = at;
    for (uint32_t rank = 0; rank < d->n_tokens; rank++) {
        const draft_token *token = &d->tokens[r->id_of[rank]];
        uint32_t k = token->n_merges;
        for (uint32_t i = token->first_merge; i != TABLE_NONE; i = d->merges[i].other)
            if (!d->merges[i].dead)
                r->splits[r->splits_at[rank] + --k] = d->merges[i].left;
    }
}

/* A late merge and the key that it has in truth. */
typedef struct late_merge {
    uint32_t key, truth;
} late_merge;

static int compare_late(const void *a, const void *b)
{
    const late_merge *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/*
 * Merges out of the order of their tokens: their key would be too low. They get one after all keys of the token whose merge
 * came before. Returns their number; SIZE_MAX if more of them follow each other than keys have room for.
 */
static size_t find_late(const draft *d, const ranking *r, uint32_t *seen, late_merge *late)
{
    uint32_t newest = 0, after = 0; /* the highest rank so far, and how many late ones followed its merges */
    size_t n = 0;
    memset(seen, 0, d->n_tokens * sizeof *seen);
    for (uint32_t i = 0; i < d->n_merges; i++) {
        const uint32_t rank = r->rank_of[d->merges[i].token];
        uint32_t count, place;
        if (d->merges[i].dead)
            continue;
        count = seen[rank]++;
        if (rank > newest) {
            newest = rank;
            after = 0;
        } else if (rank != newest || after > 0) {
            place = r->splits_at[newest + 1] - r->splits_at[newest] + after++;
            if (place > 255)
                return SIZE_MAX;
            late[n].key = rank << 8 | count;
            late[n++].truth = newest << 8 | place;
        }
    }
    qsort(late, n, sizeof *late, compare_late);
    return n;
}

/* Ids serve as ranks if few merges are out of their order. */
static int choose_ranks(const draft *d, ranking *r, uint32_t *seen, late_merge *late, message *m)
{
    size_t n;
    rank_by_id(d, r);
    place_splits(d, r);
    n = find_late(d, r, seen, late);
    if (n > d->n_tokens / 64 + 64) {
        rank_by_merge(d, r);
        place_splits(d, r);
        n = find_late(d, r, seen, late);
    }
    if (n == SIZE_MAX)
        return complain(m, "model.merges: more than 254 merges into earlier tokens one after the other");
    for (size_t i = 0; i < n; i++)
        if (buffer_append32(&r->late, late[i].key) != 0 || buffer_append32(&r->late, late[i].truth) != 0)
            return complain(m, "out of memory");
    return 0;
}

static int make_ranking(const draft *d, ranking *r, message *m)
{
    const size_t n = d->n_tokens;
    late_merge *late = malloc((d->n_merges + 1) * sizeof *late);
    uint32_t *seen = malloc(n * sizeof *seen);
    int failed = -1;
    r->id_of = malloc(n * sizeof *r->id_of);
    r->rank_of = malloc(n * sizeof *r->rank_of);
    r->splits = malloc(d->n_merges + 1);
    r->splits_at = malloc((n + 1) * sizeof *r->splits_at);
    if (!late || !seen || !r->id_of || !r->rank_of || !r->splits || !r->splits_at)
        complain(m, "out of memory");
    else
        failed = choose_ranks(d, r, seen, late, m);
    free(late);
    free(seen);
    return failed;
}

/* --------------------------------------------------------------------------------------------------------------- sections */

typedef struct sections {
    buffer of[N_SECTIONS];
    uint32_t longest, n_buckets, seed;
} sections;

static int write_records(const draft *d, const ranking *r, sections *s)
{
    buffer *records = &s->of[SECTION_RECORDS];
    int failed = 0;
    uint32_t place = 0;
    for (uint32_t rank = 0; rank < d->n_tokens; rank++) {
        const draft_token *token = &d->tokens[r->id_of[rank]];
        const unsigned char n_splits = (unsigned char)token->n_merges;
        if (rank % TABLE_BLOCK == 0) {
            place = (uint32_t)records->size;
            failed |= buffer_append32(&s->of[SECTION_PLACES], place);
        }
        failed |= buffer_append16(&s->of[SECTION_OFFSETS], (unsigned)(records->size - place)) |
                  buffer_append(records, &n_splits, 1) |
                  buffer_append(records, r->splits + r->splits_at[rank], n_splits) |
                  buffer_append(records, d->texts.bytes + token->text, token->size);
        if (token->flags & TOKEN_FOUND && token->size > s->longest)
            s->longest = token->size;
    }
    return failed | buffer_append32(&s->of[SECTION_PLACES], (unsigned long)records->size);
}

static int write_bits(const draft *d, const ranking *r, sections *s)
{
    const size_t size = (d->n_tokens + 7) / 8;
    buffer *whole = &s->of[SECTION_WHOLE], *special = &s->of[SECTION_SPECIAL];
    if (buffer_reserve(whole, size) != 0 || buffer_reserve(special, size) != 0)
        return -1;
    memset(whole->bytes, 0, size);
    memset(special->bytes, 0, size);
    whole->size = special->size = size;
    for (uint32_t rank = 0; rank < d->n_tokens; rank++) {
        const uint8_t flags = d->tokens[r->id_of[rank]].flags;
        if (flags & TOKEN_SPECIAL)
            special->bytes[rank / 8] |= (unsigned char)(1u << rank % 8);
    }
    return 0;
}

/* Counts the buckets' tokens into starts (n_buckets + 1) and fills index (the tokens). Returns the fullest bucket. */
static uint32_t fill_index(const draft *d, const ranking *r, uint32_t seed, uint32_t n_buckets, uint32_t *starts,
                           uint32_t *index)
{
    uint32_t fullest = 0;
    memset(starts, 0, (n_buckets + 1) * sizeof *starts);
    for (int round = 0; round < 2; round++) {
        for (uint32_t rank = 0; rank < d->n_tokens; rank++) {
            const draft_token *token = &d->tokens[r->id_of[rank]];
            const uint64_t hash = table_hash(d->texts.bytes + token->text, token->size, seed);
            const uint32_t bucket = (uint32_t)hash & (n_buckets - 1);
            if (!(token->flags & TOKEN_FOUND))
                continue;
            if (round == 0)
                starts[bucket + 1]++;
            else
                index[starts[bucket]++] = rank | (uint32_t)(hash >> 52) << 20;
        }
        for (uint32_t i = 0; round == 0 && i < n_buckets; i++) {
            fullest = starts[i + 1] > fullest ? starts[i + 1] : fullest;
            starts[i + 1] += starts[i];
        }
    }
    memmove(starts + 1, starts, n_buckets * sizeof *starts); /* each has moved on to its end */
    starts[0] = 0;
    return fullest;
}

/* Another seed where a bucket is too full: only tokens made for it could fill one under many seeds. */
static int write_index(const draft *d, const ranking *r, sections *s, message *m)
{
    uint32_t n_found = 0, *starts, *index;
    int failed = 0;
    for (uint32_t id = 0; id < d->n_tokens; id++)
        n_found += (d->tokens[id].flags & TOKEN_FOUND) != 0;
    for (s->n_buckets = 1; s->n_buckets * 8 <= n_found; )
        s->n_buckets *= 2;
    starts = malloc((s->n_buckets + 1) * sizeof *starts);
    index = malloc((n_found + 1) * sizeof *index);
    if (!starts || !index)
        failed = complain(m, "out of memory");
    for (s->seed = 0; !failed && fill_index(d, r, s->seed, s->n_buckets, starts, index) > TABLE_BUCKET_MAX; s->seed++)
        if (s->seed == 20)
            failed = complain(m, "too many tokens that are alike for the index");
    for (uint32_t i = 0; !failed && i <= s->n_buckets; i++)
        failed = buffer_append32(&s->of[SECTION_BUCKETS], starts[i]);
    for (uint32_t i = 0; !failed && i < n_found; i++)
        failed = buffer_append32(&s->of[SECTION_INDEX], index[i]);
    free(starts);
    free(index);
    return failed;
}

static int compare_added(const void *a, const void *b)
{
    const draft_added *x = a, *y = b;
    const int order = memcmp(x->bytes, y->bytes, x->size < y->size ? x->size : y->size);
    return order ? order : (int)x->size - (int)y->size;
}

static int write_added(const draft *d, const ranking *r, sections *s, int set)
{
    const draft_set *added = &d->added[set];
    int failed = 0;
    for (size_t i = 0; i < added->n; i++)
        added->entries[i].bytes = d->texts.bytes + added->entries[i].text;
    if (added->n)
        qsort(added->entries, added->n, sizeof *added->entries, compare_added);
    for (size_t i = 0; i < added->n; i++) {
        const draft_added *e = &added->entries[i];
        failed |= buffer_append32(&s->of[SECTION_RAW + set], (unsigned long)s->of[SECTION_ADDED].size) |
                  buffer_append16(&s->of[SECTION_RAW + set], e->size) | buffer_append16(&s->of[SECTION_RAW + set], e->flags) |
                  buffer_append32(&s->of[SECTION_RAW + set], r->rank_of[e->id]) |
                  buffer_append(&s->of[SECTION_ADDED], e->bytes, e->size);
    }
    return failed;
}

static int write_lists(const draft *d, const ranking *r, sections *s)
{
    int failed = buffer_append(&s->of[SECTION_LATE], r->late.bytes, r->late.size);
    for (int i = 0; i < 256; i++)
        failed |= buffer_append32(&s->of[SECTION_BYTES], d->bytes[i] == TABLE_NONE ? TABLE_NONE : r->rank_of[d->bytes[i]]);
    for (uint32_t i = 0; i < d->n_tokens && !r->plain; i++)
        failed |= buffer_append32(&s->of[SECTION_ID_OF], r->id_of[i]) |
                  buffer_append32(&s->of[SECTION_RANK_OF], r->rank_of[i]);
    for (size_t i = 0; i < d->n_before; i++)
        failed |= buffer_append32(&s->of[SECTION_BEFORE], d->before[i]);
    for (size_t i = 0; i < d->n_after; i++)
        failed |= buffer_append32(&s->of[SECTION_AFTER], d->after[i]);
    return failed;
}

static int join(const draft *d, const ranking *r, const sections *s, buffer *out)
{
    size_t size = TABLE_HEADER;
    int failed = buffer_append(out, TABLE_MAGIC, 8);
    for (int i = 0; i < N_SECTIONS; i++)
        size += s->of[i].size;
    failed |= buffer_append32(out, (unsigned long)size) | buffer_append32(out, d->flags) | buffer_append32(out, d->split) |
              buffer_append32(out, d->n_tokens) | buffer_append32(out, s->n_buckets) | buffer_append32(out, s->longest) |
              buffer_append32(out, d->unknown == TABLE_NONE ? TABLE_NONE : r->rank_of[d->unknown]) |
              buffer_append32(out, s->seed);
    size = TABLE_HEADER;
    for (int i = 0; i < N_SECTIONS; i++) {
        failed |= buffer_append32(out, (unsigned long)size) | buffer_append32(out, (unsigned long)s->of[i].size);
        size += s->of[i].size;
    }
    for (int i = 0; i < N_SECTIONS; i++)
        failed |= buffer_append(out, s->of[i].bytes, s->of[i].size);
    return failed;
}

/* Which tokens' own texts become that token when they are merged: most do, and need no merging when they are met. */
static int mark_whole(buffer *bytes, message *m)
{
    table t;
    merger work = { 0 };
    token_list list = { NULL, 0, 0 };
    int failed = table_open(&t, bytes->bytes, bytes->size, m);
    t.flags &= ~(uint32_t)TABLE_IGNORE_MERGES;
    for (uint32_t rank = 0; !failed && rank < t.n_tokens; rank++) {
        size_t size, at = (size_t)(t.sections[SECTION_WHOLE].bytes - bytes->bytes) + rank / 8;
        const unsigned char *text = table_text(&t, rank, &size);
        if (size == 0 || table_find(&t, text, size) != rank)
            continue;
        list.n = 0;
        if (merge_piece(&t, &work, text, size, &list) != 0)
            failed = complain(m, "out of memory");
        else if (list.n == 1 && (uint32_t)list.ids[0] == table_id(&t, rank))
            bytes->bytes[at] |= (unsigned char)(1u << rank % 8);
    }
    merger_free(&work);
    free(list.ids);
    return failed;
}

static int write_sections(const draft *d, const ranking *r, sections *s, buffer *out, message *m)
{
    if (write_index(d, r, s, m) != 0)
        return -1;
    if (write_records(d, r, s) || write_bits(d, r, s) || write_added(d, r, s, 0) || write_added(d, r, s, 1) ||
        write_lists(d, r, s) || join(d, r, s, out))
        return complain(m, "out of memory");
    return mark_whole(out, m);
}

int draft_write(const draft *d, unsigned char **bytes, size_t *size, message *m)
{
    ranking r = { 0 };
    sections s = { 0 };
    buffer out = { NULL, 0, 0 };
    int failed = make_ranking(d, &r, m);
    if (!failed)
        failed = write_sections(d, &r, &s, &out, m);
    ranking_free(&r);
    for (int i = 0; i < N_SECTIONS; i++)
        free(s.of[i].bytes);
    if (failed) {
        free(out.bytes);
        return -1;
    }
    *bytes = out.bytes;
    *size = out.size;
    return 0;
}
