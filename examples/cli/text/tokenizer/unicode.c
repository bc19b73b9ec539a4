/* unicode.c - UTF-8, classes of characters, and composition (NFC): see unicode.h */
#include "unicode.h"

#include <stdlib.h>
#include <string.h>

#include "unicode_tables.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* In a nibble of the tables: composition has to look at this code point. */
#define UNSTABLE 4

/* Hangul syllables are computed, not stored (Unicode, section 3.12). */
enum {
    SYLLABLES = 0xac00, LEADS = 0x1100, VOWELS = 0x1161, TRAILS = 0x11a7, N_VOWELS = 21, N_TRAILS = 28, N_LEADS = 19,
    N_SYLLABLES = N_LEADS * N_VOWELS * N_TRAILS
};

size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_read(const unsigned char *text, size_t size, uint32_t *c)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const size_t length = utf8_length(text[0]);
    uint32_t code = text[0] & (0xffu >> (length + 1));
    if (length == 1) {
        *c = text[0];
        return 1;
    }
    *c = UTF8_INVALID;
    if (length == 0 || length > size)
        return 1;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 1;
        code = code << 6 | (text[i] & 0x3f);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 1;
    *c = code;
    return length;
}

unsigned utf8_unfinished(const unsigned char *text, size_t size)
{
    for (size_t n = 1; n <= 3 && n <= size; n++) {
        const unsigned char c = text[size - n];
        if ((c & 0xc0) == 0x80)
            continue;
        return utf8_length(c) > n ? (unsigned)n : 0;
    }
    return 0;
}

size_t utf8_write(unsigned char *out, uint32_t c)
{
    const size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (length == 1) {
        out[0] = (unsigned char)c;
        return 1;
    }
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        out[i] = (unsigned char)(0x80 | (c & 0x3f));
    out[0] = (unsigned char)((0xf00u >> length & 0xf0) | c);
    return length;
}

static unsigned nibble(uint32_t c)
{
    if (c > 0x10ffff)
        return CLASS_OTHER;
    return class_blocks[class_index[c / 128] * 64u + c % 128 / 2] >> (c % 2 * 4) & 15u;
}

int unicode_class(uint32_t c)
{
    return (int)(nibble(c) & 3);
}

const char *unicode_version(void)
{
    return UNICODE_TABLES_VERSION;
}

/* ------------------------------------------------------------------------------------------------------------------ NFC */

/*
 * Characters under way: a starter and all that follows up to the next one that is sure to compose with nothing before it.
 * A character is code point | combining class << 24.
 */
typedef struct run {
    uint32_t *characters; /* (room) */
    size_t n, room;
} run;

static uint32_t combining_class(uint32_t c)
{
    size_t low = 0, high = COUNT(combining_runs);
    if (c > 0x10ffff || !(nibble(c) & UNSTABLE))
        return 0;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (combining_runs[middle].first + combining_runs[middle].count <= c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < COUNT(combining_runs) && combining_runs[low].first <= c ? combining_runs[low].combining : 0;
}

static int put(run *r, uint32_t c)
{
    if (r->n == r->room) {
        const size_t room = r->room ? r->room * 2 : 64;
        uint32_t *characters = room <= SIZE_MAX / 8 ? realloc(r->characters, room * sizeof *characters) : NULL;
        if (!characters)
            return -1;
        r->characters = characters;
        r->room = room;
    }
    r->characters[r->n++] = c | combining_class(c) << 24;
    return 0;
}

/* The full canonical decomposition; the tables have it in steps, of which only the first part can go on. */
static int decompose(run *r, uint32_t c)
{
    size_t low = 0, high = COUNT(decompositions);
    if (c - SYLLABLES < N_SYLLABLES) {
        const uint32_t s = c - SYLLABLES;
        return put(r, LEADS + s / (N_VOWELS * N_TRAILS)) || put(r, VOWELS + s / N_TRAILS % N_VOWELS) ||
                       (s % N_TRAILS && put(r, TRAILS + s % N_TRAILS)) ? -1 : 0;
    }
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (decompositions[middle].whole < c)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == COUNT(decompositions) || decompositions[low].whole != c)
        return put(r, c);
    if (decompose(r, decompositions[low].first) != 0)
        return -1;
    return decompositions[low].second ? decompose(r, decompositions[low].second) : 0;
}

/* What two characters compose to; 0 if they do not. */
static uint32_t compose_pair(uint32_t a, uint32_t b)
{
    size_t low = 0, high = COUNT(compositions);
    if (a - LEADS < N_LEADS && b - VOWELS < N_VOWELS)
        return SYLLABLES + ((a - LEADS) * N_VOWELS + (b - VOWELS)) * N_TRAILS;
    if (a - SYLLABLES < N_SYLLABLES && (a - SYLLABLES) % N_TRAILS == 0 && b - TRAILS - 1 < N_TRAILS - 1)
        return a + (b - TRAILS);
    while (low < high) {
        const size_t middle = (low + high) / 2, at = compositions[middle];
        if (decompositions[at].first < a || (decompositions[at].first == a && decompositions[at].second < b))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == COUNT(compositions) || decompositions[compositions[low]].first != a ||
        decompositions[compositions[low]].second != b)
        return 0;
    return decompositions[compositions[low]].whole;
}

/* Marks between two starters in ascending order of their classes, equal ones as they were: counted, for long runs of them. */
static int sort_marks(uint32_t *marks, size_t n)
{
    size_t at[257] = { 0 };
    uint32_t *sorted;
    size_t in_order = 1;
    while (in_order < n && marks[in_order - 1] >> 24 <= marks[in_order] >> 24)
        in_order++;
    if (in_order >= n)
        return 0;
    sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return -1;
    for (size_t i = 0; i < n; i++)
        at[(marks[i] >> 24) + 1]++;
    for (size_t k = 1; k < 257; k++)
        at[k] += at[k - 1];
    for (size_t i = 0; i < n; i++)
        sorted[at[marks[i] >> 24]++] = marks[i];
    memcpy(marks, sorted, n * sizeof *marks);
    free(sorted);
    return 0;
}

static int order(run *r)
{
    for (size_t i = 0; i < r->n; ) {
        size_t end = i;
        while (end < r->n && r->characters[end] >> 24 != 0)
            end++;
        if (sort_marks(r->characters + i, end - i) != 0)
            return -1;
        i = end + 1;
    }
    return 0;
}

/* A character composes with the last starter, unless another starter or one of the same or a higher class is between. */
static void compose(run *r)
{
    size_t n = 0, starter = 0;
    int has_starter = 0;
    uint32_t before = 0; /* class of the last character kept; 0: it is the starter */
    for (size_t i = 0; i < r->n; i++) {
        const uint32_t c = r->characters[i] & 0xffffff, combining = r->characters[i] >> 24;
        uint32_t whole = 0;
        if (has_starter && (before == 0 || before < combining))
            whole = compose_pair(r->characters[starter] & 0xffffff, c);
        if (whole) {
            r->characters[starter] = whole;
            continue;
        }
        before = combining;
        if (combining == 0) {
            starter = n;
            has_starter = 1;
        }
        r->characters[n++] = r->characters[i];
    }
    r->n = n;
}

static int flush(buffer *out, run *r)
{
    if (order(r) != 0)
        return -1;
    compose(r);
    if (r->n > SIZE_MAX / 4 || buffer_reserve(out, r->n * 4) != 0)
        return -1;
    for (size_t i = 0; i < r->n; i++)
        out->size += utf8_write(out->bytes + out->size, r->characters[i] & 0xffffff);
    r->n = 0;
    return 0;
}

size_t nfc_prefix(const unsigned char *text, size_t size)
{
    size_t stable = 0, at = 0;
    while (at < size) {
        uint32_t c = text[at];
        const size_t length = c < 0x80 ? 1 : utf8_read(text + at, size - at, &c);
        if (c >= 0x300 && (nibble(c) & UNSTABLE))
            return stable;
        stable = at;
        at += length;
    }
    return size;
}

/* From a starter to before the next stable one: returns where that is. */
static size_t read_run(run *r, const unsigned char *text, size_t size, size_t at, int *failed)
{
    for (int first = 1; at < size; first = 0) {
        uint32_t c;
        const size_t length = utf8_read(text + at, size - at, &c);
        if (c == UTF8_INVALID || (!first && !(nibble(c) & UNSTABLE)))
            break;
        if (decompose(r, c) != 0) {
            *failed = -1;
            break;
        }
        at += length;
    }
    return at;
}

int nfc_append(buffer *out, const unsigned char *text, size_t size)
{
    run r = { NULL, 0, 0 };
    int failed = 0;
    for (size_t at = 0; at < size && !failed; ) {
        const size_t stable = nfc_prefix(text + at, size - at);
        uint32_t c;
        failed = buffer_append(out, text + at, stable);
        at += stable;
        if (at == size || failed)
            break;
        if (utf8_read(text + at, size - at, &c) == 1 && c == UTF8_INVALID) {
            failed = buffer_append(out, text + at, 1);
            at++;
            continue;
        }
        at = read_run(&r, text, size, at, &failed);
        failed = failed || flush(out, &r) != 0 ? -1 : 0;
    }
    free(r.characters);
    return failed;
}
