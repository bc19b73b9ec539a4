/* split.c - cuts text into pieces: see split.h */
#include "split.h"

#include <string.h>

#include "unicode.h"

/* The classes of ASCII: o other, l letter, n number, s space. */
enum { o = CLASS_OTHER, l = CLASS_LETTER, n = CLASS_NUMBER, s = CLASS_SPACE };
static const unsigned char ascii_class[128] = {
    o, o, o, o, o, o, o, o, o, s, s, s, s, s, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o,
    s, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, n, n, n, n, n, n, n, n, n, n, o, o, o, o, o, o,
    o, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, o, o, o, o, o,
    o, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, o, o, o, o, o,
};

/* The text and how far it has been looked at. */
typedef struct view {
    const unsigned char *text;
    size_t size;
} view;

/* The class of the character at a place before the end, and its bytes. */
static int class_at(view v, size_t at, size_t *length)
{
    uint32_t c = v.text[at];
    if (c < 0x80) {
        *length = 1;
        return ascii_class[c];
    }
    *length = utf8_read(v.text + at, v.size - at, &c);
    return unicode_class(c);
}

/* Past all characters of a class from a place on, at most so many. */
static size_t skip(view v, size_t at, int kind, size_t most)
{
    size_t length;
    for (; at < v.size && most > 0 && class_at(v, at, &length) == kind; most--)
        at += length;
    return at;
}

static int is_newline(unsigned char c)
{
    return c == '\r' || c == '\n';
}

static size_t skip_newlines(view v, size_t at)
{
    while (at < v.size && is_newline(v.text[at]))
        at++;
    return at;
}

/* The bytes of 's 't 're 've 'm 'll 'd at the beginning, or 0. In any case the long s, U+017F, is an s. */
static size_t contraction(view v, int any_case)
{
    static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };
    if (v.size < 2 || v.text[0] != '\'')
        return 0;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t length = strlen(endings[i]);
        size_t k = 0;
        while (k < length && k + 1 < v.size &&
               (v.text[1 + k] == endings[i][k] || (any_case && v.text[1 + k] == endings[i][k] - 'a' + 'A')))
            k++;
        if (k == length)
            return 1 + length;
    }
    return any_case && v.size >= 3 && v.text[1] == 0xc5 && v.text[2] == 0xbf ? 3 : 0;
}

/*
 * A run of white space from the beginning, of which the first character has this length: \s+(?!\S)|\s+ leaves the last
 * character to what follows, unless that is the end or there is only one.
 */
static size_t white_space(view v, size_t length)
{
    size_t at = 0, last = 0;
    while (at < v.size && class_at(v, at, &length) == CLASS_SPACE) {
        last = at;
        at += length;
    }
    return at == v.size || last == 0 ? at : last;
}

static size_t piece_gpt2(view v)
{
    size_t length, after_blank, next;
    int kind = class_at(v, 0, &length);
    const size_t contracted = contraction(v, 0);
    if (contracted)
        return contracted;
    if (v.text[0] != ' ')
        return kind == CLASS_SPACE ? white_space(v, length) : skip(v, length, kind, SIZE_MAX);
    after_blank = 1;
    if (v.size == 1)
        return 1;
    kind = class_at(v, after_blank, &next);
    return kind == CLASS_SPACE ? white_space(v, length) : skip(v, after_blank + next, kind, SIZE_MAX);
}

/* \s*[\r\n]+ if there is a new line in the run, to the last one; else as white_space. */
static size_t white_space_or_lines(view v, size_t length)
{
    size_t at = 0, after_newline = 0;
    while (at < v.size && class_at(v, at, &length) == CLASS_SPACE) {
        at += length;
        if (is_newline(v.text[at - length]))
            after_newline = at;
    }
    return after_newline ? after_newline : white_space(v, length);
}

static size_t piece_llama3(view v, size_t digits)
{
    size_t length, next = 0;
    const int kind = class_at(v, 0, &length);
    const size_t contracted = contraction(v, 1);
    if (contracted)
        return contracted;
    if (kind == CLASS_LETTER)
        return skip(v, length, CLASS_LETTER, SIZE_MAX);
    if (kind == CLASS_NUMBER)
        return skip(v, length, CLASS_NUMBER, digits - 1);
    if (!is_newline(v.text[0]) && length < v.size && class_at(v, length, &next) == CLASS_LETTER)
        return skip(v, length + next, CLASS_LETTER, SIZE_MAX);
    if (kind == CLASS_OTHER)
        return skip_newlines(v, skip(v, length, CLASS_OTHER, SIZE_MAX));
    if (v.text[0] == ' ' && v.size > 1 && class_at(v, 1, &next) == CLASS_OTHER)
        return skip_newlines(v, skip(v, 1 + next, CLASS_OTHER, SIZE_MAX));
    return white_space_or_lines(v, length);
}

int is_mark(const unsigned char *text, size_t size)
{
    return size >= MARK_SIZE && memcmp(text, MARK, MARK_SIZE) == 0;
}

/* To before the next mark; where words are apart, to before a mark that follows something else. */
static size_t piece_marks(view v, int every_mark)
{
    size_t at = is_mark(v.text, v.size) ? MARK_SIZE : 1;
    int after_mark = at == MARK_SIZE;
    while (at < v.size) {
        const unsigned char *found = memchr(v.text + at, MARK[0] & 0xff, v.size - at);
        if (!found)
            return v.size;
        if (found != v.text + at)
            after_mark = 0;
        at = (size_t)(found - v.text);
        if (!is_mark(found, v.size - at)) {
            at++;
            after_mark = 0;
            continue;
        }
        if (every_mark || !after_mark)
            return at;
        at += MARK_SIZE;
    }
    return at;
}

size_t split_piece(const table *t, const unsigned char *text, size_t size)
{
    const view v = { text, size };
    switch (t->split) {
    case SPLIT_GPT2:
        return piece_gpt2(v);
    case SPLIT_LLAMA3:
        return piece_llama3(v, 3);
    case SPLIT_QWEN2:
        return piece_llama3(v, 1);
    default:
        if (t->flags & (TABLE_SPLIT_AT_MARKS | TABLE_WORDS_APART))
            return piece_marks(v, (t->flags & TABLE_SPLIT_AT_MARKS) != 0);
        return size;
    }
}
