/* safetensors.c - reads and checks the header of a safetensors file, and adds its tensors to a source */
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "../support/json.h"

static const struct { const char *name; size_t size; } types[] = {
    { "F32", 4 }, { "F16", 2 }, { "BF16", 2 }, { "F64", 8 }, { "I64", 8 }, { "I32", 4 }, { "I16", 2 }, { "I8", 1 },
    { "U64", 8 }, { "U32", 4 }, { "U16", 2 }, { "U8", 1 }, { "BOOL", 1 }, { "F8_E4M3", 1 }, { "F8_E5M2", 1 },
};

/* Strings are decoded into one block as large as the header: decoding makes none longer. */
typedef struct arena {
    char *next;
    size_t left;
} arena;

/* NULL if the string holds a zero byte. */
static const char *keep_string(arena *a, json string)
{
    char *text = a->next;
    size_t length = json_string(string, text, a->left);
    if (length == SIZE_MAX || strlen(text) != length)
        return NULL;
    a->next += length + 1;
    a->left -= length + 1;
    return text;
}

static int read_type(safetensors_entry *e, json value, message *m)
{
    if (json_kind_of(value) == JSON_STRING)
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
            if (json_equals(value, types[i].name)) {
                e->type = types[i].name;
                e->value_size = types[i].size;
                return 0;
            }
    return complain(m, "tensor %.80s: a dtype that is not known", e->name);
}

/* An array of at most n integers: *count of them into out. */
static int read_integers(json value, uint64_t *out, size_t n, size_t *count)
{
    json item;
    *count = 0;
    if (json_kind_of(value) != JSON_ARRAY)
        return 0;
    for (json_walk walk = json_begin(value); json_next(&walk, NULL, &item); ++*count)
        if (*count == n || json_kind_of(item) != JSON_NUMBER || !json_unsigned(item, &out[*count]))
            return 0;
    return 1;
}

/* Whether the bytes are what type and shape need. */
static int check_size(const safetensors_entry *e, uint64_t data_size, message *m)
{
    uint64_t bytes = e->value_size;
    for (size_t i = 0; i < e->n_dims; i++) {
        if (e->dims[i] != 0 && bytes > UINT64_MAX / e->dims[i])
            return complain(m, "tensor %.80s: the shape is too large", e->name);
        bytes *= e->dims[i];
    }
    if (e->begin > e->end || e->end > data_size)
        return complain(m, "tensor %.80s: data_offsets reach outside the file", e->name);
    if (e->end - e->begin != bytes)
        return complain(m, "tensor %.80s: %llu bytes of data, but its dtype and shape need %llu", e->name,
                        (unsigned long long)(e->end - e->begin), (unsigned long long)bytes);
    return 0;
}

static int read_entry(safetensors_entry *e, json value, uint64_t data_size, message *m)
{
    uint64_t offsets[2];
    size_t count;
    unsigned seen = 0, bit;
    json key, member;
    if (json_kind_of(value) != JSON_OBJECT)
        return complain(m, "tensor %.80s: not described by an object", e->name);
    for (json_walk walk = json_begin(value); json_next(&walk, &key, &member); seen |= bit) {
        if (json_equals(key, "dtype")) {
            bit = 1;
            if (read_type(e, member, m) != 0)
                return -1;
        } else if (json_equals(key, "shape")) {
            bit = 2;
            if (!read_integers(member, e->dims, SAFETENSORS_DIMS, &e->n_dims))
                return complain(m, "tensor %.80s: the shape is not a list of at most %d sizes", e->name, SAFETENSORS_DIMS);
        } else if (json_equals(key, "data_offsets")) {
            bit = 4;
            if (!read_integers(member, offsets, 2, &count) || count != 2)
                return complain(m, "tensor %.80s: data_offsets are not two offsets", e->name);
        } else {
            return complain(m, "tensor %.80s: a key besides dtype, shape and data_offsets", e->name);
        }
        if (seen & bit)
            return complain(m, "tensor %.80s: a key is given twice", e->name);
    }
    if (seen != 7)
        return complain(m, "tensor %.80s: dtype, shape or data_offsets are missing", e->name);
    e->begin = offsets[0];
    e->end = offsets[1];
    return check_size(e, data_size, m);
}

static size_t count_members(json object)
{
    json key, value;
    size_t n = 0;
    for (json_walk walk = json_begin(object); json_next(&walk, &key, &value); )
        n++;
    return n;
}

static int read_metadata(safetensors *file, json object, arena *a, message *m)
{
    json key, value;
    if (json_kind_of(object) != JSON_OBJECT)
        return complain(m, "__metadata__ is not an object");
    if (file->metadata)
        return complain(m, "__metadata__ is given twice");
    file->metadata = calloc(count_members(object) + 1, sizeof *file->metadata);
    if (!file->metadata)
        return complain(m, "out of memory");
    for (json_walk walk = json_begin(object); json_next(&walk, &key, &value); ) {
        metadata_pair *pair = &file->metadata[file->n_metadata];
        if (json_kind_of(value) != JSON_STRING)
            return complain(m, "__metadata__ holds something other than strings");
        pair->key = keep_string(a, key);
        pair->value = keep_string(a, value);
        if (!pair->key || !pair->value)
            return complain(m, "__metadata__ holds a string with a zero byte");
        file->n_metadata++;
    }
    return 0;
}

static int read_header(safetensors *file, json header, arena *a, uint64_t data_size, message *m)
{
    json key, value;
    for (json_walk walk = json_begin(header); json_next(&walk, &key, &value); ) {
        safetensors_entry *e = &file->entries[file->n_entries];
        if (json_equals(key, "__metadata__")) {
            if (read_metadata(file, value, a, m) != 0)
                return -1;
            continue;
        }
        e->name = keep_string(a, key);
        if (!e->name)
            return complain(m, "a tensor's name holds a zero byte");
        if (read_entry(e, value, data_size, m) != 0)
            return -1;
        file->n_entries++;
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const safetensors_entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const safetensors_entry *)a)->name, ((const safetensors_entry *)b)->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const metadata_pair *)a)->key, ((const metadata_pair *)b)->key);
}

/* The tensors fill the data; no name comes twice. Leaves everything sorted for the look-ups. */
static int check_whole(safetensors *file, uint64_t data_size, message *m)
{
    uint64_t end = 0;
    if (file->n_entries > 0)
        qsort(file->entries, file->n_entries, sizeof *file->entries, by_place);
    for (size_t i = 0; i < file->n_entries; i++) {
        if (file->entries[i].begin != end)
            return complain(m, "tensor %.80s: its data %s", file->entries[i].name,
                            file->entries[i].begin < end ? "overlap another tensor's" : "come after a gap");
        end = file->entries[i].end;
    }
    if (end != data_size)
        return complain(m, "%llu bytes after the last tensor", (unsigned long long)(data_size - end));
    if (file->n_entries > 0)
        qsort(file->entries, file->n_entries, sizeof *file->entries, by_name);
    for (size_t i = 1; i < file->n_entries; i++)
        if (strcmp(file->entries[i - 1].name, file->entries[i].name) == 0)
            return complain(m, "tensor %.80s is given twice", file->entries[i].name);
    if (file->n_metadata > 0)
        qsort(file->metadata, file->n_metadata, sizeof *file->metadata, by_key);
    for (size_t i = 1; i < file->n_metadata; i++)
        if (strcmp(file->metadata[i - 1].key, file->metadata[i].key) == 0)
            return complain(m, "__metadata__: %.80s is given twice", file->metadata[i].key);
    return 0;
}

static int parse(safetensors *file, const char *text, size_t text_size, uint64_t data_size, message *m)
{
    arena a = { NULL, text_size + 1 };
    json header;
    size_t at;
    const char *problem = json_check(&header, text, text_size, &at);
    if (problem)
        return complain(m, "not a safetensors file: the header is not JSON: %s (byte %zu)", problem, at + 8);
    if (json_kind_of(header) != JSON_OBJECT)
        return complain(m, "not a safetensors file: the header is not an object");
    file->entries = calloc(count_members(header) + 1, sizeof *file->entries);
    file->strings = a.next = malloc(a.left);
    if (!file->entries || !file->strings)
        return complain(m, "out of memory");
    if (read_header(file, header, &a, data_size, m) != 0)
        return -1;
    return check_whole(file, data_size, m);
}

int safetensors_open(safetensors *file, const unsigned char *bytes, size_t size, message *m)
{
    uint64_t header_size = 0;
    memset(file, 0, sizeof *file);
    if (size < 8)
        return complain(m, "not a safetensors file: shorter than 8 bytes");
    for (int i = 7; i >= 0; i--)
        header_size = header_size << 8 | bytes[i];
    if (header_size > SAFETENSORS_HEADER_MAX)
        return complain(m, "not a safetensors file; `b2s6 convert --help` says what can be converted");
    if (header_size > size - 8)
        return complain(m, "not a safetensors file, or cut short: %zu bytes, the header alone has %llu", size,
                        (unsigned long long)header_size);
    file->data = bytes + 8 + header_size;
    if (parse(file, (const char *)bytes + 8, (size_t)header_size, size - 8 - header_size, m) == 0)
        return 0;
    safetensors_close(file);
    return -1;
}

void safetensors_close(safetensors *file)
{
    free(file->entries);
    free(file->metadata);
    free(file->strings);
    memset(file, 0, sizeof *file);
}

int safetensors_add(const safetensors *file, const char *name, tensor_source *s, message *m)
{
    for (size_t i = 0; i < file->n_entries; i++) {
        const safetensors_entry *from = &file->entries[i];
        tensor_entry *e = tensor_source_add(s, from->name, name);
        uint64_t strides[SAFETENSORS_DIMS], stride = 1;
        if (!e)
            return complain(m, "out of memory");
        for (size_t k = from->n_dims; k-- > 0; stride *= from->dims[k])
            strides[k] = stride;
        tensor_entry_set_type(e, from->type);
        tensor_entry_set_shape(e, from->dims, strides, from->n_dims);
        e->view.data = file->data + from->begin;
    }
    s->metadata = file->metadata;
    s->n_metadata = file->n_metadata;
    return 0;
}
