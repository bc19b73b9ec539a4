/* table.c - reading a tokenizer's table where it is: see table.h */
#include "table.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------------------------------- reading */

/* A token's record: number of splits, splits, text. */
typedef struct record {
    const unsigned char *splits, *text;
    size_t n_splits, size;
} record;

static const unsigned char *record_at(const table *t, uint32_t i)
{
    return t->sections[SECTION_RECORDS].bytes + table_u32(t, SECTION_PLACES, i / TABLE_BLOCK) +
           table_read16(t->sections[SECTION_OFFSETS].bytes + 2 * (size_t)i);
}

/* Where the next record begins; the next block, for the last one of a block. */
static const unsigned char *record_end(const table *t, uint32_t i)
{
    return (i + 1) % TABLE_BLOCK == 0 || i + 1 == t->n_tokens ?
               t->sections[SECTION_RECORDS].bytes + table_u32(t, SECTION_PLACES, i / TABLE_BLOCK + 1) : record_at(t, i + 1);
}

static record record_of(const table *t, uint32_t rank)
{
    const unsigned char *at = record_at(t, rank);
    record r;
    r.n_splits = at[0];
    r.splits = at + 1;
    r.text = at + 1 + r.n_splits;
    r.size = (size_t)(record_end(t, rank) - r.text);
    return r;
}

const unsigned char *table_text(const table *t, uint32_t rank, size_t *size)
{
    const record r = record_of(t, rank);
    *size = r.size;
    return r.text;
}

uint32_t table_id(const table *t, uint32_t rank)
{
    return t->sections[SECTION_ID_OF].size ? table_u32(t, SECTION_ID_OF, rank) : rank;
}

uint32_t table_rank(const table *t, uint32_t id)
{
    return t->sections[SECTION_RANK_OF].size ? table_u32(t, SECTION_RANK_OF, id) : id;
}

int table_bit(const table *t, int section, uint32_t rank)
{
    return t->sections[section].bytes[rank / 8] >> rank % 8 & 1;
}

/* ------------------------------------------------------------------------------------------------------------------- index */

static uint64_t read64(const unsigned char *p)
{
    return (uint64_t)table_read32(p) | (uint64_t)table_read32(p + 4) << 32;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
    return h ^ h >> 32;
}

uint64_t table_hash(const unsigned char *text, size_t size, uint32_t seed)
{
    uint64_t h = mix(seed, size);
    if (size >= 8) {
        for (size_t i = 0; i + 8 < size; i += 8)
            h = mix(h, read64(text + i));
        h = mix(h, read64(text + size - 8));
    } else if (size >= 4) {
        h = mix(h, (uint64_t)table_read32(text) | (uint64_t)table_read32(text + size - 4) << 32);
    } else if (size > 0) {
        h = mix(h, (uint64_t)text[0] | (uint64_t)text[size / 2] << 8 | (uint64_t)text[size - 1] << 16);
    }
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

/* A token's record by its text; rank is TABLE_NONE if there is none. */
static uint32_t find_record(const table *t, const unsigned char *text, size_t size, record *r)
{
    const uint64_t hash = table_hash(text, size, t->seed);
    const uint32_t bucket = (uint32_t)hash & (t->n_buckets - 1), print = (uint32_t)(hash >> 52);
    const uint32_t end = table_u32(t, SECTION_BUCKETS, bucket + 1);
    for (uint32_t i = table_u32(t, SECTION_BUCKETS, bucket); i < end; i++) {
        const uint32_t entry = table_u32(t, SECTION_INDEX, i), rank = entry & (TABLE_TOKENS_MAX - 1);
        if (entry >> 20 != print)
            continue;
        *r = record_of(t, rank);
        if (r->size == size && memcmp(r->text, text, size) == 0)
            return rank;
    }
    return TABLE_NONE;
}

uint32_t table_find(const table *t, const unsigned char *text, size_t size)
{
    record r;
    return size - 1 < t->longest ? find_record(t, text, size, &r) : TABLE_NONE;
}

/* A key that another one takes the place of, or the key itself. */
static uint32_t late_key(const table *t, uint32_t key)
{
    const unsigned char *late = t->sections[SECTION_LATE].bytes;
    size_t low = 0, high = t->sections[SECTION_LATE].size / 8;
    const size_t n = high;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (table_read32(late + 8 * middle) < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && table_read32(late + 8 * low) == key ? table_read32(late + 8 * low + 4) : key;
}

table_merge table_find_merge(const table *t, const unsigned char *text, size_t left, size_t size)
{
    table_merge none = { TABLE_NONE, TABLE_NONE }, found;
    record r;
    if (size > t->longest || left > 255)
        return none;
    found.rank = find_record(t, text, size, &r);
    if (found.rank == TABLE_NONE)
        return none;
    for (uint32_t i = 0; i < r.n_splits; i++)
        if (r.splits[i] == left) {
            found.key = found.rank << 8 | i;
            if (t->sections[SECTION_LATE].size)
                found.key = late_key(t, found.key);
            return found;
        }
    return none;
}

/* ---------------------------------------------------------------------------------------------------------------- checking */

static int check_header(table *t, const unsigned char *bytes, size_t size, message *m)
{
    const uint32_t n = size >= TABLE_HEADER ? table_read32(bytes + 20) : 0;
    uint32_t end = TABLE_HEADER;
    if (size < TABLE_HEADER || memcmp(bytes, TABLE_MAGIC, 8) != 0)
        return complain(m, "not a tokenizer of this program");
    if (table_read32(bytes + 8) != size)
        return complain(m, "the tokenizer is cut");
    t->flags = table_read32(bytes + 12);
    t->split = table_read32(bytes + 16);
    t->n_tokens = n;
    t->n_buckets = table_read32(bytes + 24);
    t->longest = table_read32(bytes + 28);
    t->unknown = table_read32(bytes + 32);
    t->seed = table_read32(bytes + 36);
    if (t->flags > TABLE_FLAGS || t->split >= N_SPLITS || n == 0 || n > TABLE_TOKENS_MAX || t->n_buckets == 0 ||
        t->n_buckets > TABLE_TOKENS_MAX || (t->n_buckets & (t->n_buckets - 1)) != 0 || t->longest > TABLE_TEXT_MAX ||
        (t->unknown >= n && t->unknown != TABLE_NONE))
        return complain(m, "a damaged tokenizer: its header");
    for (int i = 0; i < N_SECTIONS; i++) {
        const uint32_t offset = table_read32(bytes + 40 + 8 * i);
        t->sections[i].size = table_read32(bytes + 44 + 8 * i);
        if (offset != end || t->sections[i].size > size - offset)
            return complain(m, "a damaged tokenizer: section %d", i);
        t->sections[i].bytes = bytes + offset;
        end = offset + t->sections[i].size;
    }
    return end == size ? 0 : complain(m, "a damaged tokenizer: bytes after its end");
}

static int check_sizes(const table *t, message *m)
{
    const uint32_t n = t->n_tokens, bits = (n + 7) / 8;
    const uint32_t exact[][2] = {
        { SECTION_PLACES, 4 * ((n + TABLE_BLOCK - 1) / TABLE_BLOCK + 1) }, { SECTION_OFFSETS, 2 * n }, { SECTION_WHOLE, bits },
        { SECTION_SPECIAL, bits }, { SECTION_BUCKETS, 4 * (t->n_buckets + 1) }, { SECTION_BYTES, 4 * 256 },
    };
    const uint32_t multiple[][2] = {
        { SECTION_INDEX, 4 }, { SECTION_LATE, 8 }, { SECTION_RAW, ADDED_ENTRY }, { SECTION_NORMAL, ADDED_ENTRY },
        { SECTION_BEFORE, 4 }, { SECTION_AFTER, 4 },
    };
    int right = 1;
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++)
        right &= t->sections[exact[i][0]].size == exact[i][1];
    for (size_t i = 0; i < sizeof multiple / sizeof multiple[0]; i++)
        right &= t->sections[multiple[i][0]].size % multiple[i][1] == 0;
    right &= t->sections[SECTION_ID_OF].size == t->sections[SECTION_RANK_OF].size;
    right &= t->sections[SECTION_ID_OF].size == 0 || t->sections[SECTION_ID_OF].size == 4 * n;
    right &= t->sections[SECTION_BEFORE].size <= 4 * TABLE_AROUND_MAX;
    right &= t->sections[SECTION_AFTER].size <= 4 * TABLE_AROUND_MAX;
    return right ? 0 : complain(m, "a damaged tokenizer: the size of a section");
}

/* Records follow each other without a gap; each holds its splits and a text. */
static int check_records(const table *t, message *m)
{
    const uint32_t size = t->sections[SECTION_RECORDS].size;
    uint32_t at = 0;
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        const uint32_t place = table_u32(t, SECTION_PLACES, i / TABLE_BLOCK);
        const uint32_t offset = table_read16(t->sections[SECTION_OFFSETS].bytes + 2 * (size_t)i);
        const int last = (i + 1) % TABLE_BLOCK == 0 || i + 1 == t->n_tokens;
        uint32_t end, n_splits;
        if (place > size || at != place + offset || at >= size)
            return complain(m, "a damaged tokenizer: the place of token %u", (unsigned)i);
        end = last ? table_u32(t, SECTION_PLACES, i / TABLE_BLOCK + 1) :
                     place + table_read16(t->sections[SECTION_OFFSETS].bytes + 2 * ((size_t)i + 1));
        n_splits = t->sections[SECTION_RECORDS].bytes[at];
        if (end <= at || end > size || end - at - 1 < n_splits || end - at - 1 - n_splits > TABLE_TEXT_MAX)
            return complain(m, "a damaged tokenizer: the size of token %u", (unsigned)i);
        for (uint32_t k = 0; k < n_splits; k++) {
            const uint32_t left = t->sections[SECTION_RECORDS].bytes[at + 1 + k];
            if (left == 0 || left >= end - at - 1 - n_splits)
                return complain(m, "a damaged tokenizer: a split of token %u", (unsigned)i);
        }
        at = end;
    }
    return at == size ? 0 : complain(m, "a damaged tokenizer: the end of its tokens");
}

/* All entries of a section of u32 are below a limit, or TABLE_NONE where that is allowed. */
static int all_below(const table *t, int section, uint32_t limit, int none)
{
    const uint32_t n = t->sections[section].size / 4;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t value = table_u32(t, section, i);
        if (value >= limit && !(none && value == TABLE_NONE))
            return 0;
    }
    return 1;
}

static int check_index(const table *t, message *m)
{
    const uint32_t n = t->sections[SECTION_INDEX].size / 4;
    uint32_t at = 0;
    for (uint32_t i = 0; i <= t->n_buckets; i++) {
        const uint32_t next = table_u32(t, SECTION_BUCKETS, i);
        if (next < at || next > n || next - at > TABLE_BUCKET_MAX || (i == 0 && next != 0))
            return complain(m, "a damaged tokenizer: its index");
        at = next;
    }
    if (at != n)
        return complain(m, "a damaged tokenizer: its index");
    for (uint32_t i = 0; i < n; i++)
        if ((table_u32(t, SECTION_INDEX, i) & (TABLE_TOKENS_MAX - 1)) >= t->n_tokens)
            return complain(m, "a damaged tokenizer: its index");
    return 0;
}

static int check_ids(const table *t, message *m)
{
    const uint32_t n = t->n_tokens;
    if (!all_below(t, SECTION_BYTES, n, 1) || !all_below(t, SECTION_ID_OF, n, 0) || !all_below(t, SECTION_RANK_OF, n, 0) ||
        !all_below(t, SECTION_BEFORE, n, 0) || !all_below(t, SECTION_AFTER, n, 0))
        return complain(m, "a damaged tokenizer: an id outside the vocabulary");
    if (t->sections[SECTION_ID_OF].size)
        for (uint32_t i = 0; i < n; i++)
            if (table_u32(t, SECTION_RANK_OF, table_u32(t, SECTION_ID_OF, i)) != i)
                return complain(m, "a damaged tokenizer: ids that do not lead back");
    for (uint32_t i = 8; i < t->sections[SECTION_LATE].size; i += 8)
        if (table_read32(t->sections[SECTION_LATE].bytes + i - 8) >= table_read32(t->sections[SECTION_LATE].bytes + i))
            return complain(m, "a damaged tokenizer: late merges out of order");
    for (uint32_t i = 4; i < t->sections[SECTION_LATE].size; i += 8)
        if (table_read32(t->sections[SECTION_LATE].bytes + i) == TABLE_NONE)
            return complain(m, "a damaged tokenizer: a late merge");
    return 0;
}

/* Added tokens of one set, ascending by their texts; fills first. */
static int check_added(table *t, int set, message *m)
{
    const table_section *entries = &t->sections[SECTION_RAW + set], *texts = &t->sections[SECTION_ADDED];
    const uint32_t n = entries->size / ADDED_ENTRY;
    const unsigned char *before = NULL;
    size_t before_size = 0;
    int byte = 0;
    if (n > TABLE_ADDED_MAX)
        return complain(m, "a damaged tokenizer: too many added tokens");
    for (uint32_t i = 0; i < n; i++) {
        const unsigned char *e = entries->bytes + ADDED_ENTRY * (size_t)i, *text;
        const uint32_t at = table_read32(e), size = table_read16(e + 4);
        int order;
        if (size == 0 || size > TABLE_TEXT_MAX || at > texts->size || size > texts->size - at || table_read16(e + 6) > 3 ||
            table_read32(e + 8) >= t->n_tokens)
            return complain(m, "a damaged tokenizer: added token %u", (unsigned)i);
        text = texts->bytes + at;
        order = before ? memcmp(before, text, before_size < size ? before_size : size) : -1;
        if (order > 0 || (order == 0 && before_size >= size))
            return complain(m, "a damaged tokenizer: added tokens out of order");
        while (byte <= text[0])
            t->first[set][byte++] = i;
        before = text;
        before_size = size;
    }
    while (byte <= 256)
        t->first[set][byte++] = n;
    return 0;
}

/* What is looked up too often to be searched for each time. */
static void prepare(table *t)
{
    for (uint32_t rank = 0; rank < t->n_tokens; rank++) {
        const record r = record_of(t, rank);
        for (size_t i = 1; i < r.size && r.n_splits > 0; i++)
            t->inside[r.text[i - 1] << 5 | r.text[i] >> 3] |= (unsigned char)(1u << (r.text[i] & 7));
    }
    for (unsigned c = 0; c < 128; c++) {
        const unsigned char text = (unsigned char)c;
        t->ascii[c] = table_find(t, &text, 1);
    }
    t->complete = t->flags & (TABLE_BYTE_LEVEL | TABLE_BYTE_FALLBACK) ? all_below(t, SECTION_BYTES, t->n_tokens, 0) : 0;
}

int table_open(table *t, const void *bytes, size_t size, message *m)
{
    memset(t, 0, sizeof *t);
    if (size > 0x7fffffff)
        return complain(m, "the tokenizer is too large");
    if (check_header(t, bytes, size, m) != 0 || check_sizes(t, m) != 0 || check_records(t, m) != 0 || check_index(t, m) != 0 ||
        check_ids(t, m) != 0)
        return -1;
    prepare(t);
    return check_added(t, 0, m) != 0 || check_added(t, 1, m) != 0 ? -1 : 0;
}
