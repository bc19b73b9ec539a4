/* take_tensors.c - finds the tensors of a checkpoint by name, checks their shapes and values, and that none is left over */
#include "take_tensors.h"

#include <stdio.h>
#include <string.h>

/* Values are read in pieces of about so many bytes, so that whoever watches can let go of what has been read. */
enum { PIECE = 1 << 20 };

static tensor_entry *find(const tensor_taker *b, const char *name)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s", b->prefix, name);
    return tensor_source_find(b->source, full);
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

static int check_shape(const tensor_entry *e, const size_t *dims, size_t n_dims, message *m)
{
    const tensor *t = &e->view;
    char is[100], should[100], file[104];
    int same = t->n_dims == n_dims;
    for (size_t i = 0; same && i < n_dims; i++)
        same = t->dims[i] == dims[i];
    if (same)
        return 0;
    write_shape(is, sizeof is, t->dims, t->n_dims);
    write_shape(should, sizeof should, dims, n_dims);
    return complain(m, "%stensor %.80s: the shape is %s, the configuration needs %s",
                    tensor_file_prefix(file, sizeof file, e->file), t->name, is, should);
}

/* All values, some outermost rows at a time. */
static int check_finite(const tensor_source *source, const tensor_entry *e, message *m)
{
    const tensor *t = &e->view;
    const size_t row = t->dims[1] * t->dims[2] * t->dims[3] * tensor_value_size(t->type);
    const size_t rows = row > 0 && row < PIECE ? PIECE / row : 1;
    char place[100], file[104];
    for (size_t first = 0; first < t->dims[0]; first += rows) {
        size_t n = t->dims[0] - first < rows ? t->dims[0] - first : rows;
        if (tensor_find_not_finite(t, first, n, place, sizeof place))
            return complain(m, "%stensor %.80s: the value at %s is infinite or not a number",
                            tensor_file_prefix(file, sizeof file, e->file), t->name, place);
        tensor_source_read(source, (uint64_t)n * row);
    }
    return 0;
}

static int take(tensor_taker *b, tensor *t, const char *name, const size_t *dims, size_t n_dims)
{
    char file[104];
    tensor_entry *entry = find(b, name);
    if (!entry)
        return complain(b->m, "%stensor %s%s is missing", tensor_file_prefix(file, sizeof file, b->source->where), b->prefix,
                        name);
    if (entry->problem[0])
        return complain(b->m, "%stensor %.80s: %s", tensor_file_prefix(file, sizeof file, entry->file), entry->view.name,
                        entry->problem);
    if (check_shape(entry, dims, n_dims, b->m) != 0 || check_finite(b->source, entry, b->m) != 0)
        return -1;
    *t = entry->view;
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
    tensor_entry *entry = find(b, name);
    if (entry)
        entry->used = 1;
}

int taker_finish(tensor_taker *b)
{
    if (b->failed)
        return -1;
    for (size_t i = 0; i < b->source->n_entries; i++) {
        const tensor_entry *e = &b->source->entries[i];
        char file[104];
        if (!e->used)
            return complain(b->m, "%stensor %.80s: the configuration has no use for it",
                            tensor_file_prefix(file, sizeof file, e->file), e->view.name);
    }
    return 0;
}
