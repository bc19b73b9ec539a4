/* tensor_source.c - the list of a checkpoint's tensors, sorted by name */
#include "tensor_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

tensor_entry *tensor_source_add(tensor_source *s, const char *name, const char *file)
{
    tensor_entry *e;
    if (s->n_entries == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        tensor_entry *entries = room > SIZE_MAX / sizeof *entries ? NULL : realloc(s->entries, room * sizeof *entries);
        if (!entries)
            return NULL;
        s->entries = entries;
        s->room = room;
    }
    e = &s->entries[s->n_entries++];
    memset(e, 0, sizeof *e);
    e->view.name = name;
    e->file = file;
    return e;
}

void tensor_entry_set_type(tensor_entry *e, const char *type)
{
    static const char *const names[] = { "F16", "BF16", "F32", "F64" };  /* as tensor_type counts */
    size_t i = 0;
    while (i < 4 && strcmp(type, names[i]) != 0)
        i++;
    if (i < 4)
        e->view.type = (tensor_type)i;
    else
        snprintf(e->problem, sizeof e->problem, "%.7s where F32, F16, BF16 or F64 is needed", type);
}

void tensor_entry_set_shape(tensor_entry *e, const uint64_t *dims, const uint64_t *strides, size_t n_dims)
{
    if (n_dims > TENSOR_DIMS) {
        snprintf(e->problem, sizeof e->problem, "%u dimensions", (unsigned)n_dims);
        return;
    }
    e->view.n_dims = n_dims;
    for (size_t i = 0; i < TENSOR_DIMS; i++) {
        e->view.dims[i] = i < n_dims ? (size_t)dims[i] : 1;  /* fits: its bytes are in memory */
        e->view.strides[i] = i < n_dims && e->view.dims[i] > 1 ? (size_t)strides[i] : 0;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tensor_entry *)a)->view.name, ((const tensor_entry *)b)->view.name);
}

int tensor_source_sort(tensor_source *s, message *m)
{
    if (s->n_entries > 1)
        qsort(s->entries, s->n_entries, sizeof *s->entries, by_name);
    for (size_t i = 1; i < s->n_entries; i++) {
        const tensor_entry *a = &s->entries[i - 1], *b = &s->entries[i];
        if (strcmp(a->view.name, b->view.name) == 0)
            return complain(m, "tensor %.80s is given twice%s%.60s%s%.60s", a->view.name, *a->file ? ", in " : "", a->file,
                            *a->file ? " and in " : "", b->file);
    }
    return 0;
}

tensor_entry *tensor_source_find(const tensor_source *s, const char *name)
{
    tensor_entry key;
    key.view.name = name;
    return s->n_entries == 0 ? NULL : bsearch(&key, s->entries, s->n_entries, sizeof key, by_name);
}

const char *tensor_source_metadata(const tensor_source *s, const char *key)
{
    for (size_t i = 0; i < s->n_metadata; i++)
        if (strcmp(s->metadata[i].key, key) == 0)
            return s->metadata[i].value;
    return NULL;
}

void tensor_source_read(const tensor_source *s, uint64_t n_bytes)
{
    if (s->watch.read)
        s->watch.read(s->watch.context, n_bytes);
}

const char *tensor_file_prefix(char *text, size_t size, const char *file)
{
    snprintf(text, size, "%.100s%s", file, *file ? ": " : "");
    return text;
}

void tensor_source_free(tensor_source *s)
{
    free(s->entries);
    s->entries = NULL;
    s->n_entries = s->room = 0;
}
