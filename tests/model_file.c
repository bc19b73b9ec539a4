/* model_file.c - .b2s6 files taken apart, altered and put together again */
#include "model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "tests: out of memory\n");
        exit(2);
    }
    return memory;
}

static void *duplicate(const void *from, size_t size)
{
    return memcpy(must(malloc(size + 1)), from, size);
}

uint64_t get_le(const unsigned char *from, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | from[n];
    return value;
}

void put_le(unsigned char *to, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get32(const unsigned char *from)
{
    return (uint32_t)get_le(from, 4);
}

static size_t round_up(size_t x)
{
    return (x + 63) / 64 * 64;
}

/* The checksum of zlib and PNG, from its definition, a byte at a time. */
static uint32_t crc32_more(uint32_t crc, const unsigned char *data, size_t size)
{
    static uint32_t table[256];
    if (table[1] == 0)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int bit = 0; bit < 8; bit++)
                c = c >> 1 ^ (c & 1 ? 0xEDB88320u : 0);
            table[i] = c;
        }
    crc = ~crc;
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return ~crc;
}

void file_seal_header(unsigned char *file, size_t size)
{
    size_t header = (size_t)get32(file + AT_HEADER_BYTES);
    if (header > size)
        header = size;
    put_le(file + AT_HEADER_CRC, 0, 4);
    put_le(file + AT_HEADER_CRC, crc32_more(0, file, header), 4);
}

void file_seal(unsigned char *file, size_t size)
{
    size_t header = (size_t)get32(file + AT_HEADER_BYTES);
    if (header <= size)
        put_le(file + AT_DATA_CRC, crc32_more(0, file + header, size - header), 4);
    file_seal_header(file, size);
}

static size_t table_at(const unsigned char *file)
{
    return AT_CONFIG + 8 * (size_t)get32(file + AT_N_CONFIG) + (size_t)get32(file + AT_METADATA_BYTES);
}

size_t file_entry(const unsigned char *file, uint32_t i)
{
    return table_at(file) + 48 * (size_t)i;
}

size_t file_named_entry(const unsigned char *file, uint32_t i)
{
    return file_entry(file, get32(file + AT_N_TENSORS)) + 48 * (size_t)i;
}

/* ------------------------------------------------------------------------------------------------------------ the parts */

void file_take_apart(file_parts *parts, const unsigned char *file)
{
    memset(parts, 0, sizeof *parts);
    for (uint32_t i = 0, n = get32(file + AT_N_CONFIG); i < n; i++)
        file_insert_config(parts, i, get32(file + AT_CONFIG + 8 * (size_t)i), get32(file + AT_CONFIG + 8 * (size_t)i + 4));
    parts->n_metadata = get32(file + AT_N_METADATA);
    parts->metadata_bytes = get32(file + AT_METADATA_BYTES);
    parts->metadata = (unsigned char *)duplicate(file + table_at(file) - parts->metadata_bytes, parts->metadata_bytes);
    for (uint32_t i = 0, n = get32(file + AT_N_TENSORS); i < n; i++) {
        const unsigned char *entry = file + file_entry(file, i);
        file_tensor t;
        t.role = (uint32_t)get_le(entry, 2);
        t.flags = (uint32_t)get_le(entry + 2, 2);
        t.section = get32(entry + 4);
        t.type = get32(entry + 8);
        t.layout = get32(entry + 12);
        t.count = get32(entry + 16);
        t.rows = get32(entry + 20);
        t.cols = get32(entry + 24);
        t.reserved = get32(entry + 28);
        t.bytes = get_le(entry + 40, 8);
        t.data = NULL;
        file_insert_tensor(parts, i, &t, file + get_le(entry + 32, 8));
    }
    for (uint32_t i = 0, n = get32(file + AT_N_ENTRIES); i < n; i++) {
        const unsigned char *entry = file + file_named_entry(file, i);
        file_insert_named(parts, i, (const char *)entry, file + get_le(entry + 32, 8), (size_t)get_le(entry + 40, 8));
    }
}

/* The fixed part of the header and the configuration. */
static void put_header(unsigned char *file, const file_parts *parts, size_t header, size_t size)
{
    memcpy(file, "\x89" "B2S6\r\n\x1a", 8);
    put_le(file + AT_VERSION, 2, 4);
    put_le(file + AT_HEADER_BYTES, header, 4);
    put_le(file + AT_FILE_BYTES, size, 8);
    put_le(file + AT_N_CONFIG, parts->n_config, 4);
    put_le(file + AT_N_METADATA, parts->n_metadata, 4);
    put_le(file + AT_METADATA_BYTES, parts->metadata_bytes, 4);
    put_le(file + AT_N_TENSORS, parts->n_tensors, 4);
    put_le(file + AT_N_ENTRIES, parts->n_entries, 4);
    put_le(file + AT_FILE_ARITHMETIC, 2, 4);
    for (uint32_t i = 0; i < parts->n_config; i++) {
        put_le(file + AT_CONFIG + 8 * (size_t)i, parts->config[i][0], 4);
        put_le(file + AT_CONFIG + 8 * (size_t)i + 4, parts->config[i][1], 4);
    }
}

/* An entry of the tensor table and its data; returns where the next one's begin. */
static size_t put_tensor(unsigned char *file, unsigned char *entry, const file_tensor *t, size_t offset)
{
    const uint32_t fields[] = { t->section, t->type, t->layout, t->count, t->rows, t->cols, t->reserved };
    put_le(entry, t->role, 2);
    put_le(entry + 2, t->flags, 2);
    for (size_t k = 0; k < 7; k++)
        put_le(entry + 4 + 4 * k, fields[k], 4);
    put_le(entry + 32, offset, 8);
    put_le(entry + 40, t->bytes, 8);
    memcpy(file + offset, t->data, (size_t)t->bytes);
    return offset + round_up((size_t)t->bytes);
}

static size_t put_named(unsigned char *file, unsigned char *entry, const file_named *named, size_t offset)
{
    memcpy(entry, named->name, 24);
    put_le(entry + 24, named->reserved, 8);
    put_le(entry + 32, offset, 8);
    put_le(entry + 40, named->bytes, 8);
    memcpy(file + offset, named->data, (size_t)named->bytes);
    return offset + round_up((size_t)named->bytes);
}

unsigned char *file_build(const file_parts *parts, size_t *size)
{
    size_t metadata = AT_CONFIG + 8 * (size_t)parts->n_config, table = metadata + parts->metadata_bytes;
    size_t named = table + 48 * (size_t)parts->n_tensors, header = round_up(named + 48 * (size_t)parts->n_entries);
    size_t offset = header;
    unsigned char *file;
    *size = header;
    for (uint32_t i = 0; i < parts->n_tensors; i++)
        *size += round_up((size_t)parts->tensors[i].bytes);
    for (uint32_t i = 0; i < parts->n_entries; i++)
        *size += round_up((size_t)parts->entries[i].bytes);
    file = (unsigned char *)must(calloc(1, *size));
    put_header(file, parts, header, *size);
    memcpy(file + metadata, parts->metadata, parts->metadata_bytes);
    for (uint32_t i = 0; i < parts->n_tensors; i++)
        offset = put_tensor(file, file + table + 48 * (size_t)i, &parts->tensors[i], offset);
    for (uint32_t i = 0; i < parts->n_entries; i++)
        offset = put_named(file, file + named + 48 * (size_t)i, &parts->entries[i], offset);
    file_seal(file, *size);
    return file;
}

void file_free(file_parts *parts)
{
    for (uint32_t i = 0; i < parts->n_tensors; i++)
        free(parts->tensors[i].data);
    for (uint32_t i = 0; i < parts->n_entries; i++)
        free(parts->entries[i].data);
    free(parts->tensors);
    free(parts->entries);
    free(parts->config);
    free(parts->metadata);
    memset(parts, 0, sizeof *parts);
}

void file_insert_config(file_parts *parts, uint32_t i, uint32_t key, uint32_t value)
{
    parts->config = (uint32_t(*)[2])must(realloc(parts->config, (parts->n_config + 1) * sizeof *parts->config));
    memmove(parts->config + i + 1, parts->config + i, (parts->n_config++ - i) * sizeof *parts->config);
    parts->config[i][0] = key;
    parts->config[i][1] = value;
}

void file_remove_config(file_parts *parts, uint32_t i)
{
    memmove(parts->config + i, parts->config + i + 1, (--parts->n_config - i) * sizeof *parts->config);
}

uint32_t file_find_config(const file_parts *parts, uint32_t key)
{
    uint32_t i = 0;
    while (i < parts->n_config && parts->config[i][0] != key)
        i++;
    return i;
}

void file_insert_tensor(file_parts *parts, uint32_t i, const file_tensor *tensor, const unsigned char *data)
{
    file_tensor t = *tensor;
    t.data = (unsigned char *)duplicate(data, (size_t)tensor->bytes);
    parts->tensors = (file_tensor *)must(realloc(parts->tensors, (parts->n_tensors + 1) * sizeof *parts->tensors));
    memmove(parts->tensors + i + 1, parts->tensors + i, (parts->n_tensors++ - i) * sizeof *parts->tensors);
    parts->tensors[i] = t;
}

void file_remove_tensor(file_parts *parts, uint32_t i)
{
    free(parts->tensors[i].data);
    memmove(parts->tensors + i, parts->tensors + i + 1, (--parts->n_tensors - i) * sizeof *parts->tensors);
}

void file_insert_named(file_parts *parts, uint32_t i, const char *name, const void *data, size_t bytes)
{
    file_named named;
    memset(&named, 0, sizeof named);
    memcpy(named.name, name, strlen(name) < 24 ? strlen(name) : 24);
    named.bytes = bytes;
    named.data = (unsigned char *)duplicate(data, bytes);
    parts->entries = (file_named *)must(realloc(parts->entries, (parts->n_entries + 1) * sizeof *parts->entries));
    memmove(parts->entries + i + 1, parts->entries + i, (parts->n_entries++ - i) * sizeof *parts->entries);
    parts->entries[i] = named;
}

void file_remove_named(file_parts *parts, uint32_t i)
{
    free(parts->entries[i].data);
    memmove(parts->entries + i, parts->entries + i + 1, (--parts->n_entries - i) * sizeof *parts->entries);
}

uint32_t file_find_tensor(const file_parts *parts, uint32_t section, uint32_t role)
{
    uint32_t i = 0;
    while (i < parts->n_tensors && (parts->tensors[i].section != section || parts->tensors[i].role != role))
        i++;
    return i;
}

void file_set_metadata(file_parts *parts, uint32_t n, const char *strings, size_t bytes)
{
    parts->n_metadata = n;
    parts->metadata_bytes = (bytes + 7) / 8 * 8;
    free(parts->metadata);
    parts->metadata = (unsigned char *)must(calloc(1, parts->metadata_bytes + 1));
    memcpy(parts->metadata, strings, bytes);
}
