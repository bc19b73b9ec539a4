/* pytorch.c - see pytorch.h: the archive's files, and each tensor as a view of its storage */
#include "pytorch.h"

#include <stdlib.h>
#include <string.h>

static int has(const unsigned char *bytes, size_t size, const char *mark, size_t n)
{
    return size >= n && memcmp(bytes, mark, n) == 0;
}

/* A pickled long number, the mark of files before 1.6. */
static int is_legacy(const unsigned char *bytes, size_t size)
{
    return has(bytes, size, "\x80\x02\x8a\x0a", 4);
}

int pytorch_is(const unsigned char *bytes, size_t size)
{
    return is_legacy(bytes, size) || has(bytes, size, "PK\3\4", 4);
}

/* ------------------------------------------------------------------------------------------------------------ the archive */

static int ends_with(const zip_entry *e, const char *end)
{
    const size_t n = strlen(end);
    return e->name_size >= n && memcmp(e->name + e->name_size - n, end, n) == 0;
}

/* Whether an entry is TOP followed by rest. */
static int is_in(const zip_entry *e, const char *folder, size_t folder_size, const char *rest)
{
    return e->name_size == folder_size + strlen(rest) && memcmp(e->name, folder, folder_size) == 0 && ends_with(e, rest);
}

/* The one pickle, TOP/data.pkl: *top_size is the length of "TOP/". NULL, with the line in m, if there is none or another. */
static const zip_entry *find_pickle(const zip *archive, size_t *top_size, message *m)
{
    const zip_entry *found = NULL;
    for (size_t i = 0; i < archive->n_entries; i++) {
        const zip_entry *e = &archive->entries[i];
        const char *slash = e->name_size ? memchr(e->name, '/', e->name_size) : NULL;
        const size_t top = slash ? (size_t)(slash - e->name) + 1 : 0;
        if (top == 0 || !is_in(e, e->name, top, "data.pkl"))
            continue;
        if (found) {
            complain(m, "not a PyTorch file: the zip archive has two files data.pkl");
            return NULL;
        }
        found = e;
        *top_size = top;
    }
    if (!found)
        complain(m, "not a PyTorch file: the zip archive has no data.pkl");
    return found;
}

/* What else is in the archive beside storages: nothing of a program, and no bytes the other way round. */
static int check_others(const zip *archive, const char *top, size_t top_size, message *m)
{
    for (size_t i = 0; i < archive->n_entries; i++) {
        const zip_entry *e = &archive->entries[i];
        const int inside = e->name_size > top_size && memcmp(e->name, top, top_size) == 0;
        if (is_in(e, top, top_size, "constants.pkl") ||
            (inside && e->name_size - top_size >= 5 && memcmp(e->name + top_size, "code/", 5) == 0))
            return complain(m, "a TorchScript program, not a state_dict: save model.state_dict() with torch.save");
        if (is_in(e, top, top_size, "byteorder") && (e->size != 6 || memcmp(e->data, "little", 6) != 0))
            return complain(m, "entry byteorder is not \"little\": load the model on a little-endian machine and save it "
                               "again");
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ the tensors */

/* Whether all elements are inside a storage of so many values, with no more of them than it has. */
static int fits(const pickle_tensor *t)
{
    uint64_t left = t->count, elements = 1;
    for (size_t i = 0; i < t->n_dims; i++)
        if (t->dims[i] == 0)
            return t->offset <= t->count;
    if (t->offset >= t->count)
        return 0;
    left = t->count - 1 - t->offset;  /* how far the last element may be from element 0 */
    for (size_t i = 0; i < t->n_dims; i++) {
        if (t->dims[i] > t->count / elements)
            return 0;
        elements *= t->dims[i];
        if (t->strides[i] != 0 && t->dims[i] - 1 > left / t->strides[i])
            return 0;
        left -= (t->dims[i] - 1) * t->strides[i];
    }
    return 1;
}

/* The storage of a tensor, of the length that the pickle says. NULL, with the line in m, if it is not there so. */
static const zip_entry *find_storage(const zip *archive, const char *top, size_t top_size, const pickle_tensor *t,
                                     const char *name, message *m)
{
    static const char folder[] = "data/";
    char path[512];
    const size_t size = top_size + sizeof folder - 1 + t->key_size;
    const zip_entry *e = NULL;
    if (t->key_size <= 64 && size < sizeof path) {
        memcpy(path, top, top_size);
        memcpy(path + top_size, folder, sizeof folder - 1);
        memcpy(path + top_size + sizeof folder - 1, t->key, t->key_size);
        e = zip_find(archive, path, size);
    }
    if (!e)
        complain(m, "tensor %.80s: its storage data/%.*s is not in the archive: copy or download the file again", name,
                 (int)(t->key_size < 64 ? t->key_size : 64), t->key);
    else if (t->count > SIZE_MAX / t->value_size || e->size != t->count * t->value_size)
        complain(m, "tensor %.80s: its storage data/%.*s has %zu bytes, but the pickle says %llu values of %s: copy or download "
                    "the file again", name, (int)t->key_size, t->key, e->size, (unsigned long long)t->count, t->type);
    else if (!fits(t))
        complain(m, "tensor %.80s: its shape and strides reach outside its storage, data/%.*s: save a copy of it, "
                    ".contiguous()", name, (int)t->key_size, t->key);
    else
        return e;
    return NULL;
}

static int add(const pytorch *file, const zip_entry *pickled, size_t top_size, const char *file_name, tensor_source *s,
               message *m)
{
    const char *name = file->names;
    uint64_t values = 0, most = 0;
    for (size_t i = 0; i < file->archive.n_entries; i++)
        most += file->archive.entries[i].size;
    for (size_t i = 0; i < file->state.n_tensors; i++) {
        const pickle_tensor *t = &file->state.tensors[i];
        const zip_entry *storage = find_storage(&file->archive, pickled->name, top_size, t, name, m);
        tensor_entry *e = storage ? tensor_source_add(s, name, file_name) : NULL;
        uint64_t bytes = t->value_size;
        if (!e)
            return storage ? complain(m, "out of memory") : -1;
        tensor_entry_set_type(e, t->type);
        tensor_entry_set_shape(e, t->dims, t->strides, t->n_dims);
        e->view.data = storage->data + t->offset * t->value_size;
        for (size_t k = 0; k < t->n_dims; k++)
            bytes *= t->dims[k];  /* at most what the storage has */
        values += bytes;
        if (values / 2 > most)  /* a tied head counts twice; a small file must not make a huge model */
            return complain(m, "tensor %.80s and those before it share storages so often that they are more than twice the "
                               "file: save copies of them, .clone()", name);
        name += t->name_size + 1;
    }
    return 0;
}

int pytorch_add(const pytorch *file, const char *name, tensor_source *s, message *m)
{
    size_t top_size = 0;
    const zip_entry *pickled = find_pickle(&file->archive, &top_size, m);
    return pickled ? add(file, pickled, top_size, name, s, m) : -1;
}

/* ------------------------------------------------------------------------------------------------------------ open, close */

/* The names with a zero after each, in the order of the state_dict. */
static int keep_names(pytorch *file, message *m)
{
    size_t size = 1;
    char *next;
    for (size_t i = 0; i < file->state.n_tensors; i++) {  /* one name of the pickle can stand for many tensors */
        size += file->state.tensors[i].name_size + 1;
        if (size > PICKLE_BYTES_MAX)
            return complain(m, "data.pkl: the names of its tensors take more than %u bytes", PICKLE_BYTES_MAX);
    }
    next = file->names = malloc(size);
    if (!next)
        return complain(m, "out of memory");
    for (size_t i = 0; i < file->state.n_tensors; i++) {
        const pickle_tensor *t = &file->state.tensors[i];
        memcpy(next, t->name, t->name_size);
        next[t->name_size] = 0;
        next += t->name_size + 1;
    }
    return 0;
}

int pytorch_open(pytorch *file, const unsigned char *bytes, size_t size, message *m)
{
    size_t top_size = 0;
    const zip_entry *pickled;
    memset(file, 0, sizeof *file);
    if (is_legacy(bytes, size))
        return complain(m, "saved by PyTorch before 1.6: load and save it again");
    if (zip_open(&file->archive, bytes, size, m) != 0)
        return -1;
    pickled = find_pickle(&file->archive, &top_size, m);
    if (pickled && check_others(&file->archive, pickled->name, top_size, m) == 0 &&
        pickle_read(&file->state, pickled->data, pickled->size, m) == 0 && keep_names(file, m) == 0)
        return 0;
    pytorch_close(file);
    return -1;
}

void pytorch_close(pytorch *file)
{
    zip_close(&file->archive);
    pickle_close(&file->state);
    free(file->names);
    file->names = NULL;
}
