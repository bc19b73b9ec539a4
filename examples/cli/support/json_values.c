/* json_values.c - reads values of a JSON text that json_check has found right, so that no syntax is left to fail on */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "json_internal.h"

json_kind json_kind_of(json value)
{
    switch (value.text[0]) {
    case 'n': return JSON_NULL;
    case 'f': return JSON_FALSE;
    case 't': return JSON_TRUE;
    case '"': return JSON_STRING;
    case '[': return JSON_ARRAY;
    case '{': return JSON_OBJECT;
    default: return JSON_NUMBER;
    }
}

/* The end of the checked value that begins at c. */
static const char *value_end(const char *c, const char *end)
{
    size_t depth = 0;
    do {
        if (*c == '"') {
            for (c++; *c != '"'; c++)
                if (*c == '\\')
                    c++;
        } else if (*c == '{' || *c == '[') {
            depth++;
        } else if (*c == '}' || *c == ']') {
            depth--;
        } else if (depth == 0) {
            while (c < end && !json_is_space((unsigned char)*c) && *c != ',' && *c != '}' && *c != ']')
                c++;
            return c;
        }
        c++;
    } while (depth > 0);
    return c;
}

json_walk json_begin(json container)
{
    json_walk walk = { container.text + 1, container.text + container.size - 1, container.text[0] == '{' };
    return walk;
}

static json take(json_walk *walk)
{
    json value;
    while (json_is_space((unsigned char)*walk->at) || *walk->at == ',' || *walk->at == ':')
        walk->at++;
    value.text = walk->at;
    walk->at = value_end(walk->at, walk->end);
    value.size = (size_t)(walk->at - value.text);
    return value;
}

int json_next(json_walk *walk, json *key, json *value)
{
    while (walk->at < walk->end && (json_is_space((unsigned char)*walk->at) || *walk->at == ','))
        walk->at++;
    if (walk->at == walk->end)
        return 0;
    if (walk->object)
        *key = take(walk);
    *value = take(walk);
    return 1;
}

static size_t put_utf8(char *out, long c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* One character of a string: its bytes to out, at most 4; *c moved past it. */
static size_t decode_one(const unsigned char **c, const unsigned char *end, char *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *place;
    int escape;
    if (**c != '\\') {
        out[0] = (char)*(*c)++;
        return 1;
    }
    escape = (*c)[1];
    *c += 2;
    if (escape == 'u')
        return put_utf8(out, json_unicode_escape(c, end));
    place = strchr(from, escape);
    out[0] = place ? to[place - from] : (char)escape;
    return 1;
}

size_t json_string(json string, char *out, size_t size)
{
    const unsigned char *c = (const unsigned char *)string.text + 1;
    const unsigned char *end = (const unsigned char *)string.text + string.size - 1;
    size_t length = 0;
    while (c < end) {
        char bytes[4];
        size_t n = decode_one(&c, end, bytes);
        if (size - length <= n)
            return SIZE_MAX;
        memcpy(out + length, bytes, n);
        length += n;
    }
    if (length == size)
        return SIZE_MAX;
    out[length] = 0;
    return length;
}

int json_equals(json string, const char *other)
{
    const unsigned char *c = (const unsigned char *)string.text + 1;
    const unsigned char *end = (const unsigned char *)string.text + string.size - 1;
    while (c < end) {
        char bytes[4];
        size_t n = decode_one(&c, end, bytes);
        if (strncmp(bytes, other, n) != 0 || memchr(bytes, 0, n))
            return 0;
        other += n;
    }
    return *other == 0;
}

int json_unsigned(json value, uint64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < value.size; i++) {
        unsigned digit = (unsigned)value.text[i] - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return 0;
        number = number * 10 + digit;
    }
    *out = number;
    return 1;
}

int json_double(json value, double *out)
{
    char text[128];  /* strtod wants a zero at the end; no one needs a longer number */
    if (json_kind_of(value) != JSON_NUMBER || value.size >= sizeof text)
        return 0;
    memcpy(text, value.text, value.size);
    text[value.size] = 0;
    *out = strtod(text, NULL);
    return *out <= DBL_MAX && *out >= -DBL_MAX;
}
