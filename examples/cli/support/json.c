/* json.c - checks a JSON text once from end to end and accepts nothing else */
#include "json.h"

#include <string.h>

#include "json_internal.h"

typedef struct scanner {
    const unsigned char *at, *end;
    const char *problem;
    size_t n_words;  /* of the list in scan_scalar that are values */
} scanner;

static int stop(scanner *s, const char *problem)
{
    s->problem = problem;
    return 0;
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* The next byte without taking it; -1 at the end. */
static int peek(const scanner *s)
{
    return s->at < s->end ? *s->at : -1;
}

static int skip_space(scanner *s)
{
    while (json_is_space(peek(s)))
        s->at++;
    return peek(s);
}

/* One UTF-8 sequence: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static int scan_utf8(scanner *s)
{
    const unsigned char *c = s->at;
    size_t left = (size_t)(s->end - c);
    unsigned low = 0x80, high = 0xbf;  /* what the second byte may be */
    size_t length;
    if (c[0] >= 0xc2 && c[0] <= 0xdf)
        length = 2;
    else if (c[0] >= 0xe0 && c[0] <= 0xef)
        length = 3;
    else if (c[0] >= 0xf0 && c[0] <= 0xf4)
        length = 4;
    else
        return stop(s, "a byte that is not UTF-8");
    if (c[0] == 0xe0)
        low = 0xa0;
    if (c[0] == 0xed)
        high = 0x9f;
    if (c[0] == 0xf0)
        low = 0x90;
    if (c[0] == 0xf4)
        high = 0x8f;
    if (left < length || c[1] < low || c[1] > high)
        return stop(s, "a byte that is not UTF-8");
    for (size_t i = 2; i < length; i++)
        if (c[i] < 0x80 || c[i] > 0xbf)
            return stop(s, "a byte that is not UTF-8");
    s->at += length;
    return 1;
}

static int hex_value(int c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Four hexadecimal digits at c, or -1. */
static long hex4(const unsigned char *c, const unsigned char *end)
{
    long value = 0;
    if (end - c < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(c[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

long json_unicode_escape(const unsigned char **c, const unsigned char *end)
{
    long first = hex4(*c, end), second;
    if (first < 0 || (first >= 0xdc00 && first <= 0xdfff))
        return -1;
    *c += 4;
    if (first < 0xd800 || first > 0xdbff)
        return first;
    if (end - *c < 6 || (*c)[0] != '\\' || (*c)[1] != 'u')
        return -1;
    second = hex4(*c + 2, end);
    if (second < 0xdc00 || second > 0xdfff)
        return -1;
    *c += 6;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

static int scan_string(scanner *s)
{
    if (peek(s) != '"')
        return stop(s, "a string is missing");
    for (s->at++; s->at < s->end; ) {
        int c = *s->at;
        if (c == '"') {
            s->at++;
            return 1;
        }
        if (c < 0x20)
            return stop(s, "a control character in a string");
        if (c >= 0x80) {
            if (!scan_utf8(s))
                return 0;
        } else if (c != '\\') {
            s->at++;
        } else {
            if (s->end - s->at < 2 || !strchr("\"\\/bfnrtu", s->at[1]) || s->at[1] == 0)
                return stop(s, "an escape that JSON does not have");
            s->at += 2;
            if (s->at[-1] == 'u' && json_unicode_escape(&s->at, s->end) < 0)
                return stop(s, "a \\u escape that names no character");
        }
    }
    return stop(s, "a string without an end");
}

static int scan_digits(scanner *s)
{
    if (!is_digit(peek(s)))
        return stop(s, "a digit is missing");
    while (is_digit(peek(s)))
        s->at++;
    return 1;
}

static int scan_number(scanner *s)
{
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (!scan_digits(s))
        return 0;
    if (peek(s) == '.') {
        s->at++;
        if (!scan_digits(s))
            return 0;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        return scan_digits(s);
    }
    return 1;
}

static int scan_scalar(scanner *s)
{
    static const char *const words[] = { "null", "false", "true", "Infinity" };
    int c = peek(s);
    if (c == '"')
        return scan_string(s);
    if (c == '-' || is_digit(c))
        return scan_number(s);
    for (size_t i = 0; i < s->n_words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(s->end - s->at) >= length && memcmp(s->at, words[i], length) == 0) {
            s->at += length;
            return 1;
        }
    }
    return stop(s, c < 0 ? "the text ends too early" : "something that is not JSON");
}

static int scan_key(scanner *s)
{
    skip_space(s);
    if (!scan_string(s))
        return 0;
    if (skip_space(s) != ':')
        return stop(s, "a colon is missing");
    s->at++;
    return 1;
}

/* Any value. What is open is in closing[0 .. depth): the brackets that will close it. */
static int scan_value(scanner *s)
{
    char closing[JSON_DEPTH];
    size_t depth = 0;
    for (;;) {
        int c = skip_space(s), opened = c == '{' || c == '[';
        if (opened) {
            if (depth == JSON_DEPTH)
                return stop(s, "arrays and objects nested too deeply");
            closing[depth++] = c == '{' ? '}' : ']';
            s->at++;
            if (skip_space(s) != closing[depth - 1]) {
                if (c == '{' && !scan_key(s))
                    return 0;
                continue;
            }
        } else if (!scan_scalar(s)) {
            return 0;
        }
        /* a value has ended, or an empty container is about to */
        while (depth > 0 && (c = skip_space(s)) == closing[depth - 1]) {
            s->at++;
            depth--;
        }
        if (depth == 0)
            return 1;
        if (c != ',')
            return stop(s, c < 0 ? "the text ends too early" : "a comma or closing bracket is missing");
        s->at++;
        if (closing[depth - 1] == '}' && !scan_key(s))
            return 0;
    }
}

static const char *check(json *value, const char *text, size_t size, size_t *at, size_t n_words)
{
    const unsigned char *bytes = (const unsigned char *)text;
    scanner s = { bytes, bytes + size, NULL, n_words };
    skip_space(&s);
    value->text = (const char *)s.at;
    if (scan_value(&s)) {
        value->size = (size_t)((const char *)s.at - value->text);
        if (skip_space(&s) >= 0)
            stop(&s, "something after the end of the value");
    }
    *at = (size_t)(s.at - bytes);
    return s.problem;
}

const char *json_check(json *value, const char *text, size_t size, size_t *at)
{
    return check(value, text, size, at, 3);
}

const char *json_check_python(json *value, const char *text, size_t size, size_t *at)
{
    return check(value, text, size, at, 4);
}
