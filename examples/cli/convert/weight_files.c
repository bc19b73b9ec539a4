/* weight_files.c - see weight_files.h */
#include "weight_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/file_kind.h"
#include "../support/folder.h"
#include "weight_index.h"

/* Pages are let go of after so many bytes of tensors. */
#define KEPT_BYTES (16u << 20)

/* --------------------------------------------------------------------------------------------------------------- one file */

/* A file of another kind is told so at once. What looks like no kind at all is for the reader of safetensors to judge. */
static int check_kind(const file_bytes *data, message *m)
{
    const file_kind kind = file_kind_of(data->bytes, data->size < FILE_KIND_BYTES ? data->size : FILE_KIND_BYTES);
    if (kind.what && !kind.is_checkpoint)
        return complain(m, "not a safetensors file but %s: %s", kind.what, kind.advice);
    return 0;
}

static int is_named_bin(const char *name)
{
    const size_t n = strlen(name);
    return n >= 4 && strcmp(name + n - 4, ".bin") == 0;
}

/* Reads what the bytes of a file are, and adds its tensors; data are its own from now on. */
static int open_bytes(weight_files *w, file_bytes data, const char *name, message *m)
{
    weight_file *f = &w->files[w->n_files++];
    f->data = data;
    f->is_pytorch = pytorch_is(data.bytes, data.size) && file_kind_of(data.bytes, data.size).is_checkpoint;
    if (f->is_pytorch) {
        if (pytorch_open(&f->torch, data.bytes, data.size, m) != 0)
            return -1;
        return pytorch_add(&f->torch, name, &w->source, m);
    }
    if (check_kind(&data, m) != 0)
        return -1;
    if (is_named_bin(name))
        return complain(m, "not a file that PyTorch saved, or cut short: copy or download it again");
    if (safetensors_open(&f->safe, data.bytes, data.size, m) != 0)
        return -1;
    return safetensors_add(&f->safe, name, &w->source, m);
}

/* Room for n files; what the source's watch does is set, too. */
static int begin(weight_files *w, size_t n, message *m);

/* After the files: 0 with all in order, or -1 with everything closed. */
static int end(weight_files *w, int failed, message *m)
{
    if (!failed)
        failed = tensor_source_sort(&w->source, m) != 0;
    if (failed)
        weight_files_close(w);
    return failed ? -1 : 0;
}

/* ------------------------------------------------------------------------------------------------------------ what is read */

static void let_go(void *context, uint64_t n_bytes)
{
    weight_files *w = context;
    w->read += n_bytes;
    w->kept += n_bytes;
    if (w->kept >= KEPT_BYTES) {
        for (size_t i = 0; i < w->n_files; i++)
            file_bytes_let_go(&w->files[i].data);
        w->kept = 0;
    }
    if (w->watch.read)
        w->watch.read(w->watch.context, w->read);
}

static int begin(weight_files *w, size_t n, message *m)
{
    memset(w, 0, sizeof *w);
    w->source.where = w->where;
    w->source.watch.read = let_go;
    w->source.watch.context = w;
    w->files = calloc(n, sizeof *w->files);
    w->names = calloc(n, sizeof *w->names);
    if (w->files && w->names)
        return 0;
    weight_files_close(w);
    return complain(m, "out of memory");
}

uint64_t weight_files_bytes(const weight_files *w)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < w->source.n_entries; i++) {
        const tensor *t = &w->source.entries[i].view;
        if (!w->source.entries[i].problem[0])
            bytes += (uint64_t)t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3] * tensor_value_size(t->type);
    }
    return bytes;
}

/* --------------------------------------------------------------------------------------------------------------- opening */

int weight_files_open_file(weight_files *w, const char *path, message *m)
{
    file_bytes data;
    if (file_bytes_read(&data, path, m) != 0)
        return -1;
    if (begin(w, 1, m) != 0) {
        file_bytes_release(&data);
        return -1;
    }
    return end(w, open_bytes(w, data, "", m), m);
}

int weight_files_open_memory(weight_files *w, const unsigned char *bytes, size_t size, message *m)
{
    file_bytes data = { bytes, size, NULL, NULL };
    if (begin(w, 1, m) != 0)
        return -1;
    return end(w, open_bytes(w, data, "", m), m);
}

/* One of a folder's files, by name. */
static int open_part(weight_files *w, const char *folder, const char *name, message *m)
{
    char inner_text[400];
    message inner = { inner_text, sizeof inner_text };
    file_bytes data;
    char *kept;
    if (folder_read(&data, folder, name, m) != 0)
        return -1;
    kept = w->names[w->n_files] = malloc(strlen(name) + 1);
    if (!kept) {
        file_bytes_release(&data);
        return complain(m, "out of memory");
    }
    strcpy(kept, name);
    return open_bytes(w, data, kept, &inner) != 0 ? complain(m, "%.100s: %s", name, inner_text) : 0;
}

static int open_single(weight_files *w, const char *folder, const char *name, message *m)
{
    if (begin(w, 1, m) != 0)
        return -1;
    snprintf(w->where, sizeof w->where, "%s", name);
    return end(w, open_part(w, folder, name, m), m);
}

/* All files of an index, and that they agree with it. */
static int open_parts(weight_files *w, const char *folder, const char *name, const weight_index *index, message *m)
{
    char inner_text[300];
    message inner = { inner_text, sizeof inner_text };
    int failed = 0;
    if (begin(w, index->n_files, m) != 0)
        return -1;
    snprintf(w->where, sizeof w->where, "%s", name);
    for (size_t i = 0; i < index->n_files && !failed; i++)
        failed = open_part(w, folder, index->files[i], m) != 0;
    if (end(w, failed, m) != 0)
        return -1;
    if (weight_index_check(index, &w->source, &inner) == 0)
        return 0;
    weight_files_close(w);
    return complain(m, "%s: %s", name, inner_text);
}

static int open_index(weight_files *w, const char *folder, const char *name, message *m)
{
    char inner_text[300];
    message inner = { inner_text, sizeof inner_text };
    file_bytes text;
    weight_index index;
    int failed;
    if (folder_read(&text, folder, name, m) != 0)
        return -1;
    failed = weight_index_read(&index, (const char *)text.bytes, text.size, &inner);
    file_bytes_release(&text);
    if (failed)
        return complain(m, "%s: %s", name, inner_text);
    failed = open_parts(w, folder, name, &index, m);
    weight_index_close(&index);
    return failed;
}

int weight_files_open_folder(weight_files *w, const char *folder, message *m)
{
    static const struct {
        const char *name;
        int (*open)(weight_files *w, const char *folder, const char *name, message *m);
    } kinds[] = {
        { "model.safetensors", open_single },
        { "model.safetensors.index.json", open_index },
        { "pytorch_model.bin", open_single },
        { "pytorch_model.bin.index.json", open_index },
    };
    static const char *const others[] = { "tf_model.h5", "flax_model.msgpack" };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (folder_has(folder, kinds[i].name))
            return kinds[i].open(w, folder, kinds[i].name, m);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (folder_has(folder, others[i]))
            return complain(m, "the weights are in %s, not in model.safetensors; load the model in transformers and save it: "
                               "save_pretrained(...)", others[i]);
    return complain(m, "a folder with config.json, but without model.safetensors or pytorch_model.bin");
}

void weight_files_close(weight_files *w)
{
    for (size_t i = 0; i < w->n_files; i++) {
        weight_file *f = &w->files[i];
        if (f->is_pytorch)
            pytorch_close(&f->torch);
        else
            safetensors_close(&f->safe);
        file_bytes_release(&f->data);
    }
    for (size_t i = 0; w->names && i < w->n_files; i++)
        free(w->names[i]);
    free(w->files);
    free(w->names);
    tensor_source_free(&w->source);
    w->files = NULL;
    w->names = NULL;
    w->n_files = 0;
}
