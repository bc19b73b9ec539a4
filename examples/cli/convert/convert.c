/* convert.c - see convert.h: which reader a checkpoint needs, and what is done with the result */
#define _POSIX_C_SOURCE 200809L

#include "convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../support/file_bytes.h"
#include "../support/file_kind.h"
#include "checkpoint.h"
#include "matrix_types.h"
#include "writer_b2s6.h"

/* What comes out, and how. */
typedef struct result {
    const convert_options *options;
    unsigned char **bytes;
    size_t *n_bytes;
} result;

/* "digits.safetensors" of "runs/3/digits.safetensors", "mamba" of "models/mamba/". */
static void last_part(const char *path, char *out, size_t size)
{
    size_t end = strlen(path), begin;
    while (end > 1 && path[end - 1] == '/')
        end--;
    for (begin = end; begin > 0 && path[begin - 1] != '/'; )
        begin--;
    snprintf(out, size, "%.*s", (int)(end - begin < size ? end - begin : size - 1), path + begin);
}

/* The states of all layers as the options have them. */
static int set_states(checkpoint *ck, const char *states, message *m)
{
    int plain;
    if (!states)
        return 0;
    plain = strcmp(states, "plain") == 0;
    if (!plain && strcmp(states, "compensated") != 0)
        return complain(m, "there are no states %.40s, only plain and compensated", states);
    for (uint32_t i = 0; i < ck->config.n_layers; i++)
        ck->layers[i].config.plain_states = (uint32_t)plain;
    return 0;
}

/* A checkpoint that has been read, and the entries, as a file. */
static int write_checkpoint(const checkpoint *ck, const safetensors *file, const char *source, result r, message *m)
{
    const convert_options *o = r.options;
    named_entry *entries = malloc((o->n_entries + 1) * sizeof *entries);
    writer_contents contents = { matrix_types_named(o->type), file->metadata, file->n_metadata, source, entries, o->n_entries };
    int failed;
    if (!entries)
        return complain(m, "out of memory");
    if (o->n_entries > 0)
        memcpy(entries, o->entries, o->n_entries * sizeof *entries);
    failed = named_entries_sort(entries, o->n_entries, m) != 0 || write_b2s6(ck, &contents, r.bytes, r.n_bytes, m) != 0;
    free(entries);
    return failed ? -1 : 0;
}

/* The common end: a file is open; config is NULL for a checkpoint that brings its configuration along. */
static int convert(const safetensors *file, const json *config, const char *name, result r, message *m)
{
    char source[256];
    checkpoint ck;
    int failed;
    if (!matrix_types_named(r.options->type))
        return complain(m, "there is no type %.40s", r.options->type);
    memset(&ck, 0, sizeof ck);
    last_part(name, source, sizeof source);
    failed = config ? checkpoint_read_configured(&ck, file, *config, m) : checkpoint_read_b2s6(&ck, file, m);
    if (!failed)
        failed = set_states(&ck, r.options->states, m) != 0 || write_checkpoint(&ck, file, source, r, m) != 0;
    checkpoint_free(&ck);
    return failed ? -1 : 0;
}

static int convert_bytes(const unsigned char *data, size_t size, const json *config, const char *name, result r, message *m)
{
    safetensors file;
    int failed;
    if (safetensors_open(&file, data, size, m) != 0)
        return -1;
    failed = convert(&file, config, name, r, m);
    safetensors_close(&file);
    return failed;
}

static int convert_hf(const char *config_text, size_t config_size, const unsigned char *data, size_t size, const char *name,
                      result r, message *m)
{
    json config;
    size_t at;
    const char *problem = json_check_python(&config, config_text, config_size, &at);
    if (problem)
        return complain(m, "config.json is not JSON: %s (byte %zu)", problem, at);
    return convert_bytes(data, size, &config, name, r, m);
}

/* folder/name as a path of its own, from malloc; NULL without memory. */
static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* A file of a folder. An error names it. */
static int read_part(file_bytes *file, const char *folder, const char *name, message *m)
{
    char inner_text[200] = "out of memory";
    message inner = { inner_text, sizeof inner_text };
    char *path = join(folder, name);
    int failed = !path || file_bytes_read(file, path, &inner) != 0;
    free(path);
    return failed ? complain(m, "%s: %s", name, inner_text) : 0;
}

static int exists(const char *folder, const char *name)
{
    struct stat status;
    char *path = join(folder, name);
    int found = path && stat(path, &status) == 0;
    free(path);
    return found;
}

/* What a folder has that is no model.safetensors, if that is known: then the message says what to do. 0 if it has one. */
static int check_folder(const char *path, message *m)
{
    static const char *const others[] = { "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5",
                                          "flax_model.msgpack" };
    if (!exists(path, "config.json"))
        return complain(m, "a folder without config.json; of a Hugging Face model give the folder, of any other the file");
    if (exists(path, "model.safetensors"))
        return 0;
    if (exists(path, "model.safetensors.index.json"))
        return complain(m, "the weights are in several files (model.safetensors.index.json); save them as one: "
                           "save_pretrained(..., max_shard_size=\"100GB\")");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (exists(path, others[i]))
            return complain(m, "the weights are in %s, not in model.safetensors; load the model in transformers and save it: "
                               "save_pretrained(...)", others[i]);
    return complain(m, "a folder with config.json, but without model.safetensors");
}

static int convert_folder(const char *path, result r, message *m)
{
    file_bytes config, data;
    int failed;
    if (check_folder(path, m) != 0 || read_part(&config, path, "config.json", m) != 0)
        return -1;
    failed = read_part(&data, path, "model.safetensors", m);
    if (!failed) {
        failed = convert_hf((const char *)config.bytes, config.size, data.bytes, data.size, path, r, m);
        file_bytes_release(&data);
    }
    file_bytes_release(&config);
    return failed;
}

/* A file of another kind is told so at once. What looks like no kind at all is for the reader of safetensors to judge. */
static int check_file(const file_bytes *data, message *m)
{
    const file_kind kind = file_kind_of(data->bytes, data->size < FILE_KIND_BYTES ? data->size : FILE_KIND_BYTES);
    if (kind.what && !kind.is_checkpoint)
        return complain(m, "not a safetensors file but %s: %s", kind.what, kind.advice);
    return 0;
}

static int convert_file(const char *path, result r, message *m)
{
    file_bytes data;
    int failed;
    if (file_bytes_read(&data, path, m) != 0)
        return -1;
    failed = check_file(&data, m);
    if (!failed)
        failed = convert_bytes(data.bytes, data.size, NULL, path, r, m);
    file_bytes_release(&data);
    return failed;
}

int convert_checkpoint(const char *path, const convert_options *options, unsigned char **bytes, size_t *n_bytes, char *error,
                       size_t error_size)
{
    message m = { error, error_size };
    result r = { options, bytes, n_bytes };
    struct stat status;
    int folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    return folder ? convert_folder(path, r, &m) : convert_file(path, r, &m);
}

int convert_safetensors_memory(const unsigned char *data, size_t size, const char *name, const convert_options *options,
                               unsigned char **bytes, size_t *n_bytes, char *error, size_t error_size)
{
    message m = { error, error_size };
    result r = { options, bytes, n_bytes };
    return convert_bytes(data, size, NULL, name, r, &m);
}

int convert_hf_memory(const char *config, size_t config_size, const unsigned char *data, size_t size, const char *name,
                      const convert_options *options, unsigned char **bytes, size_t *n_bytes, char *error,
                      size_t error_size)
{
    message m = { error, error_size };
    result r = { options, bytes, n_bytes };
    return convert_hf(config, config_size, data, size, name, r, &m);
}
