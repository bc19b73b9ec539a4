/* zip_file.c - see zip_file.h */
#include "zip_file.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { LOCAL = 30, ENTRY = 46, END = 22 };

void zip_set(unsigned char *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (unsigned char)(value >> (8 * i) & 0xff);
}

uint64_t zip_get(const unsigned char *at, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | at[n];
    return value;
}

/* The entry's own header, its name and its bytes. Returns what they take. */
static size_t put_local(unsigned char *at, const zip_part *part)
{
    const size_t name = strlen(part->name);
    memcpy(at, "PK\3\4", 4);
    zip_set(at + 18, part->size, 4);
    zip_set(at + 22, part->size, 4);
    zip_set(at + 26, name, 2);
    memcpy(at + LOCAL, part->name, name);
    if (part->size > 0)
        memcpy(at + LOCAL + name, part->bytes, part->size);
    return LOCAL + name + part->size;
}

static size_t put_entry(unsigned char *at, const zip_part *part, size_t offset)
{
    const size_t name = strlen(part->name);
    memcpy(at, "PK\1\2", 4);
    zip_set(at + 20, part->size, 4);
    zip_set(at + 24, part->size, 4);
    zip_set(at + 28, name, 2);
    zip_set(at + 42, offset, 4);
    memcpy(at + ENTRY, part->name, name);
    return ENTRY + name;
}

unsigned char *zip_make(const zip_part *parts, size_t n_parts, size_t *size, size_t *offsets)
{
    size_t at = 0, offset = 0, directory;
    unsigned char *bytes;
    *size = END;
    for (size_t i = 0; i < n_parts; i++)
        *size += LOCAL + ENTRY + 2 * strlen(parts[i].name) + parts[i].size;
    bytes = (unsigned char *)calloc(1, *size);
    CHECK(bytes != NULL);
    for (size_t i = 0; i < n_parts; i++) {
        if (offsets)
            offsets[i] = at;
        at += put_local(bytes + at, &parts[i]);
    }
    directory = at;
    for (size_t i = 0; i < n_parts; i++) {
        at += put_entry(bytes + at, &parts[i], offset);
        offset += LOCAL + strlen(parts[i].name) + parts[i].size;
    }
    memcpy(bytes + at, "PK\5\6", 4);
    zip_set(bytes + at + 8, n_parts, 2);
    zip_set(bytes + at + 10, n_parts, 2);
    zip_set(bytes + at + 12, at - directory, 4);
    zip_set(bytes + at + 16, directory, 4);
    return bytes;
}

size_t zip_directory_entry(const unsigned char *bytes, size_t size, size_t i)
{
    size_t at = (size_t)zip_get(bytes + size - END + 16, 4);
    while (i-- > 0)
        at += ENTRY + (size_t)zip_get(bytes + at + 28, 2) + (size_t)zip_get(bytes + at + 30, 2) + (size_t)zip_get(bytes + at + 32, 2);
    return at;
}
