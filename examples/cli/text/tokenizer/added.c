/* added.c - finds the added tokens in a text: see added.h */
#include "added.h"

#include <string.h>

#include "unicode.h"

typedef struct match {
    size_t start, end;
    uint32_t token, flags;
} match;

static const unsigned char *entry(const added_walk *w, uint32_t i)
{
    return w->t->sections[SECTION_RAW + w->set].bytes + ADDED_ENTRY * (size_t)i;
}

/* An entry's byte at a place; -1 after its end. */
static int byte_of(const added_walk *w, uint32_t i, size_t at)
{
    const unsigned char *e = entry(w, i);
    return at < table_read16(e + 4) ? w->t->sections[SECTION_ADDED].bytes[table_read32(e) + at] : -1;
}

/* The first of the entries low .. high - 1, alike up to a place, whose byte there is at least this. */
static uint32_t first_from(const added_walk *w, uint32_t low, uint32_t high, size_t at, int byte)
{
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (byte_of(w, middle, at) < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The longest token that begins at a place. Entries that begin alike are neighbours, the shortest first. */
static int longest_at(const added_walk *w, size_t start, match *found)
{
    uint32_t low = w->t->first[w->set][w->text[start]], high = w->t->first[w->set][w->text[start] + 1];
    int any = 0;
    for (size_t at = 1; low < high; at++) {
        if (byte_of(w, low, at) < 0) {
            const unsigned char *e = entry(w, low);
            found->start = start;
            found->end = start + at;
            found->token = table_read32(e + 8);
            found->flags = table_read16(e + 6);
            any = 1;
            low++;
        }
        if (start + at == w->size)
            break;
        low = first_from(w, low, high, at, w->text[start + at]);
        high = first_from(w, low, high, at, w->text[start + at] + 1);
    }
    return any;
}

/* White space at the end of text[0 .. at), not before a limit; characters are read backwards. */
static size_t strip_left(const unsigned char *text, size_t limit, size_t at)
{
    while (at > limit) {
        size_t start = at - 1;
        uint32_t c;
        while (start > limit && at - start < 4 && (text[start] & 0xc0) == 0x80)
            start--;
        if (utf8_read(text + start, at - start, &c) != at - start || unicode_class(c) != CLASS_SPACE)
            break;
        at = start;
    }
    return at;
}

static size_t strip_right(const unsigned char *text, size_t at, size_t size)
{
    while (at < size) {
        uint32_t c;
        const size_t length = utf8_read(text + at, size - at, &c);
        if (unicode_class(c) != CLASS_SPACE)
            break;
        at += length;
    }
    return at;
}

/* The next token that counts, from w->search on. */
static int find(added_walk *w, match *found)
{
    const uint32_t *first = w->t->first[w->set];
    if (first[0] == first[256])
        return 0;
    while (w->search < w->size) {
        const unsigned char byte = w->text[w->search];
        if (first[byte] == first[byte + 1] || !longest_at(w, w->search, found)) {
            w->search++;
            continue;
        }
        w->search = found->end;
        if (!w->plain || !table_bit(w->t, SECTION_SPECIAL, found->token))
            return 1;
    }
    return 0;
}

added_walk added_begin(const table *t, int set, int plain, const unsigned char *text, size_t size)
{
    added_walk w = { 0 };
    w.t = t;
    w.text = text;
    w.size = size;
    w.set = set;
    w.plain = plain;
    return w;
}

int added_next(added_walk *w, added_part *part)
{
    match found;
    if (w->pending) {
        *part = w->waiting;
        w->pending = 0;
        w->done = part->end;
        return 1;
    }
    part->start = w->done;
    part->token = TABLE_NONE;
    part->end = w->size;
    if (!find(w, &found)) {
        w->done = w->size;
        return part->start < part->end;
    }
    if (found.flags & ADDED_LSTRIP)
        found.start = strip_left(w->text, w->done < found.start ? w->done : found.start, found.start);
    if (found.flags & ADDED_RSTRIP)
        found.end = strip_right(w->text, found.end, w->size);
    w->waiting.start = found.start;
    w->waiting.end = found.end;
    w->waiting.token = found.token;
    if (w->done < found.start) {
        part->end = found.start;
        w->pending = 1;
        return 1;
    }
    *part = w->waiting;
    w->done = part->end;
    return 1;
}
