/* take_tensors.c - finds the tensors of a checkpoint by name, checks their shapes and values, and that none is left over */
#include "take_tensors.h"

#include <stdio.h>
#include <string.h>

static safetensors_entry *find(const tensor_taker *b, const char *name)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s", b->prefix, name);
    return safetensors_find(b->file, full);
}

void take_prefix(tensor_taker *b, const char *prefix)
{
    snprintf(b->prefix, sizeof b->prefix, "%s", prefix);
}

void take_layer_prefix(tensor_taker *b, const char *before, unsigned layer, const char *after)
{
    snprintf(b->prefix, sizeof b->prefix, "%s%u%s", before, layer, after);
}

/* "(16, 8)" */
static void write_shape(char *text, size_t size, const size_t *dims, size_t n_dims)
{
    int n = snprintf(text, size, "(");
    for (size_t i = 0; i < n_dims && n > 0 && (size_t)n < size; i++)
        n += snprintf(text + n, size - (size_t)n, "%s%zu", i ? ", " : "", dims[i]);
    if (n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, ")");
}

static int check_shape(const tensor *t, const size_t *dims, size_t n_dims, message *m)
{
    char is[100], should[100];
    int same = t->n_dims == n_dims;
    for (size_t i = 0; same && i < n_dims; i++)
        same = t->dims[i] == dims[i];
    if (same)
        return 0;
    write_shape(is, sizeof is, t->dims, t->n_dims);
    write_shape(should, sizeof should, dims, n_dims);
    return complain(m, "tensor %.80s: the shape is %s, the configuration needs %s", t->name, is, should);
}

static int take(tensor_taker *b, tensor *t, const char *name, const size_t *dims, size_t n_dims)
{
    char place[100];
    safetensors_entry *entry = find(b, name);
    if (!entry)
        return complain(b->m, "tensor %s%s is missing", b->prefix, name);
    if (safetensors_view(b->file, entry, t, b->m) != 0 || check_shape(t, dims, n_dims, b->m) != 0)
        return -1;
    if (tensor_find_not_finite(t, place, sizeof place))
        return complain(b->m, "tensor %.80s: the value at %s is infinite or not a number", t->name, place);
    entry->used = 1;
    return 0;
}

void take_tensor(tensor_taker *b, tensor *t, const char *name, const size_t *dims, size_t n_dims)
{
    if (!b->failed)
        b->failed = take(b, t, name, dims, n_dims) != 0;
}

int taker_has(const tensor_taker *b, const char *name)
{
    return find(b, name) != NULL;
}

void taker_ignore(tensor_taker *b, const char *name)
{
    safetensors_entry *entry = find(b, name);
    if (entry)
        entry->used = 1;
}

int taker_finish(tensor_taker *b)
{
    if (b->failed)
        return -1;
    for (size_t i = 0; i < b->file->n_entries; i++)
        if (!b->file->entries[i].used)
            return complain(b->m, "tensor %.80s: the configuration has no use for it", b->file->entries[i].name);
    return 0;
}
