/* convert.c - see convert.h: which reader a checkpoint needs, and what is done with the result */
#define _POSIX_C_SOURCE 200809L

#include "convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../support/folder.h"
#include "checkpoint.h"
#include "matrix_types.h"
#include "text_parts.h"
#include "weight_files.h"
#include "writer_b2s6.h"

/* What comes out, and how. */
typedef struct result {
    const convert_options *options;
    const byte_sink *sink;
    const convert_watch *watch;  /* or NULL */
    message report;              /* text may be NULL */
    const text_parts *text;      /* NULL: nothing */
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

/* --------------------------------------------------------------------------------------------------------- what was made */

/* "24 mamba layers", "2 s4 and 1 mamba layers" */
static void name_layers(const checkpoint *ck, char *text, size_t size)
{
    static const struct { uint32_t block; const char *name; } blocks[] = {
        { B2S6_BLOCK_S4, "s4" }, { B2S6_BLOCK_MAMBA, "mamba" }, { B2S6_BLOCK_MAMBA2, "mamba2" },
        { B2S6_BLOCK_MLP, "mlp" },
    };
    uint32_t left = ck->config.n_layers;
    int used = 0;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        uint32_t n = 0;
        for (uint32_t l = 0; l < ck->config.n_layers; l++)
            n += ck->layers[l].config.block == blocks[i].block;
        if (n > 0 && used >= 0 && (size_t)used < size)
            used += snprintf(text + used, size - (size_t)used, "%s%lu %s", used ? " and " : "", (unsigned long)n,
                             blocks[i].name);
        left -= n;
    }
    if (used >= 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, "%s layer%s", left > 0 ? " and other" : "",
                 ck->config.n_layers == 1 ? "" : "s");
}

/* A number of things in few digits: "129 million", "26 thousand". */
static void name_count(double n, char *text, size_t size)
{
    if (n >= 1e9)
        snprintf(text, size, "%.2f billion", n / 1e9);
    else if (n >= 1e6)
        snprintf(text, size, "%.1f million", n / 1e6);
    else if (n >= 1e4)
        snprintf(text, size, "%.0f thousand", n / 1e3);
    else
        snprintf(text, size, "%.0f", n);
}

static void write_report(const checkpoint *ck, const weight_files *w, const convert_options *o, message *report)
{
    const checkpoint_config *c = &ck->config;
    double n = 0;
    char layers[100] = "", weights[40];
    if (!report->text)
        return;
    for (size_t i = 0; i < w->source.n_entries; i++) {
        const tensor *t = &w->source.entries[i].view;
        if (!c->head_tied || strcmp(t->name, "lm_head.weight") != 0)  /* which is the embedding once more */
            n += (double)t->dims[0] * (double)t->dims[1] * (double)t->dims[2] * (double)t->dims[3];
    }
    name_layers(ck, layers, sizeof layers);
    name_count(n, weights, sizeof weights);
    snprintf(report->text, report->size, "%s of width %lu, %lu %s, %s weights as %s", layers, (unsigned long)c->d_model,
             (unsigned long)c->input_size, c->input_kind == B2S6_TOKENS ? "tokens" : "features", weights, o->type);
}

/* ------------------------------------------------------------------------------------------------------------ converting */

/* How far a conversion is. Everything is read twice: once to check it, once to write it. */
typedef struct distance {
    const convert_watch *watch;
    uint64_t total;
} distance;

static void tell(void *context, uint64_t read)
{
    const distance *d = context;
    d->watch->tell(d->watch->context, read < d->total ? read : d->total, d->total);
}

/* Bytes of a value of the weights, about. */
static size_t value_size(const weight_files *w)
{
    uint64_t bytes = 0, n = 0;
    for (size_t i = 0; i < w->source.n_entries; i++) {
        const tensor *t = &w->source.entries[i].view;
        bytes += (uint64_t)t->dims[0] * tensor_value_size(t->type);
        n += t->dims[0];
    }
    return n > 0 ? (size_t)(bytes / n) : 1;
}

/* A checkpoint that has been read, the entries and what belongs to text, as a file. */
static int write_checkpoint(const checkpoint *ck, const weight_files *w, const char *source, result r, message *m)
{
    const convert_options *o = r.options;
    const text_parts none = { 0 }, *text = r.text ? r.text : &none;
    named_entry *entries = malloc((o->n_entries + 1) * sizeof *entries);
    size_t n_pairs = 0;
    metadata_pair *pairs = text_parts_metadata(text, w->source.metadata, w->source.n_metadata, &n_pairs);
    writer_contents contents = { matrix_types_named(o->type), pairs, n_pairs, source, &w->source, value_size(w), entries,
                                 o->n_entries };
    int failed = !entries || !pairs ? complain(m, "out of memory") : text_parts_check(text, &ck->config, m);
    if (!failed) {
        if (o->n_entries > 0)
            memcpy(entries, o->entries, o->n_entries * sizeof *entries);
        if (text->table)
            entries[contents.n_entries++] = (named_entry){ TOKENIZER_ENTRY, text->table, text->table_size };
        failed = named_entries_sort(entries, contents.n_entries, m) != 0 || write_b2s6(ck, &contents, r.sink, m) != 0;
    }
    free(entries);
    free(pairs);
    return failed ? -1 : 0;
}

/* The common end: files are open; config is NULL for a checkpoint that brings its configuration along. */
static int convert(weight_files *w, const json *config, const char *name, result r, message *m)
{
    char source[256];
    checkpoint ck;
    distance d = { r.watch, 2 * weight_files_bytes(w) };
    int failed;
    if (!matrix_types_named(r.options->type))
        return complain(m, "there is no type %.40s", r.options->type);
    memset(&ck, 0, sizeof ck);
    last_part(name, source, sizeof source);
    if (r.watch) {
        w->watch.read = tell;
        w->watch.context = &d;
    }
    failed = config ? checkpoint_read_configured(&ck, &w->source, *config, m) : checkpoint_read_b2s6(&ck, &w->source, m);
    if (!failed)
        failed = set_states(&ck, r.options->states, m) != 0 || write_checkpoint(&ck, w, source, r, m) != 0;
    if (!failed)
        write_report(&ck, w, r.options, &r.report);
    checkpoint_free(&ck);
    return failed ? -1 : 0;
}

/* The weights of a folder, whose config.json has this text. */
static int convert_configured(weight_files *w, const char *text, size_t size, const char *name, result r, message *m)
{
    json config;
    size_t at;
    const char *problem = json_check_python(&config, text, size, &at);
    return problem ? complain(m, "config.json is not JSON: %s (byte %zu)", problem, at) : convert(w, &config, name, r, m);
}

static int convert_folder(const char *path, result r, message *m)
{
    file_bytes config;
    weight_files w;
    int failed;
    if (folder_read(&config, path, "config.json", m) != 0)
        return -1;
    failed = weight_files_open_folder(&w, path, m);
    if (!failed) {
        failed = convert_configured(&w, (const char *)config.bytes, config.size, path, r, m);
        weight_files_close(&w);
    }
    file_bytes_release(&config);
    return failed;
}

static int convert_file(const char *path, result r, message *m)
{
    weight_files w;
    int failed = weight_files_open_file(&w, path, m);
    if (!failed) {
        failed = convert(&w, NULL, path, r, m);
        weight_files_close(&w);
    }
    return failed;
}

static int has_entry(const convert_options *options, const char *name)
{
    for (size_t i = 0; i < options->n_entries; i++)
        if (strcmp(options->entries[i].name, name) == 0)
            return 1;
    return 0;
}

int convert_into(const char *path, const char *tokenizer, const convert_options *options, const byte_sink *sink,
                 const convert_watch *watch, char *report, size_t report_size, char *error, size_t error_size)
{
    message m = { error, error_size };
    text_parts text;
    const result r = { options, sink, watch, { report, report_size }, &text };
    struct stat status;
    const int folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    const int has_table = has_entry(options, TOKENIZER_ENTRY);
    int failed;
    if (folder && !folder_has(path, "config.json"))
        return complain(&m, "a folder without config.json; of a Hugging Face or original Mamba model give the folder, "
                            "of any other the file");
    if (text_parts_read(&text, folder ? path : NULL, tokenizer, has_table, &m) != 0)
        return -1;
    failed = folder ? convert_folder(path, r, &m) : convert_file(path, r, &m);
    text_parts_free(&text);
    return failed;
}

/* ------------------------------------------------------------------------------------------------------------ into memory */

typedef struct memory_file {
    unsigned char *bytes;
    size_t size;
} memory_file;

static int memory_begin(void *context, uint64_t size, message *m)
{
    memory_file *f = context;
    f->bytes = size > SIZE_MAX ? NULL : malloc((size_t)size);
    f->size = (size_t)size;
    return f->bytes ? 0 : complain(m, "out of memory: the model needs %llu bytes", (unsigned long long)size);
}

static int memory_put(void *context, uint64_t offset, const unsigned char *bytes, size_t n, message *m)
{
    const memory_file *f = context;
    (void)m;
    memcpy(f->bytes + offset, bytes, n);
    return 0;
}

/* Hands a file over; or frees what a failure left of it. */
static int memory_end(memory_file *f, int failed, unsigned char **bytes, size_t *n_bytes)
{
    if (failed) {
        free(f->bytes);
        return -1;
    }
    *bytes = f->bytes;
    *n_bytes = f->size;
    return 0;
}

int convert_checkpoint_with(const char *path, const char *tokenizer, const convert_options *options, unsigned char **bytes,
                            size_t *n_bytes, char *error, size_t error_size)
{
    memory_file f = { NULL, 0 };
    const byte_sink sink = { memory_begin, memory_put, &f };
    return memory_end(&f, convert_into(path, tokenizer, options, &sink, NULL, NULL, 0, error, error_size), bytes, n_bytes);
}

int convert_checkpoint(const char *path, const convert_options *options, unsigned char **bytes, size_t *n_bytes, char *error,
                       size_t error_size)
{
    return convert_checkpoint_with(path, NULL, options, bytes, n_bytes, error, error_size);
}

int convert_safetensors_memory(const unsigned char *data, size_t size, const char *name, const convert_options *options,
                               unsigned char **bytes, size_t *n_bytes, char *error, size_t error_size)
{
    message m = { error, error_size };
    memory_file f = { NULL, 0 };
    const byte_sink sink = { memory_begin, memory_put, &f };
    const result r = { options, &sink, NULL, { NULL, 0 }, NULL };
    weight_files w;
    int failed = weight_files_open_memory(&w, data, size, &m);
    if (!failed) {
        failed = convert(&w, NULL, name, r, &m);
        weight_files_close(&w);
    }
    return memory_end(&f, failed, bytes, n_bytes);
}

int convert_folder_memory(const char *config, size_t config_size, const unsigned char *data, size_t size, const char *name,
                          const convert_options *options, unsigned char **bytes, size_t *n_bytes, char *error,
                          size_t error_size)
{
    message m = { error, error_size };
    memory_file f = { NULL, 0 };
    const byte_sink sink = { memory_begin, memory_put, &f };
    const result r = { options, &sink, NULL, { NULL, 0 }, NULL };
    weight_files w;
    int failed = weight_files_open_memory(&w, data, size, &m);
    if (!failed) {
        failed = convert_configured(&w, config, config_size, name, r, &m);
        weight_files_close(&w);
    }
    return memory_end(&f, failed, bytes, n_bytes);
}
