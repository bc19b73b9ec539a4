/*
 * fuzz_convert.c - checkpoints from anyone through the converter: nothing may crash or leak, and what it accepts must be a
 * model that the library opens with every check and can run
 *
 * The first byte says what the rest is:
 *
 *     s   a safetensors file
 *     h   the header of one; the length before it and the data after it are made to fit
 *     f   Hugging Face's config.json, a zero byte, a header as for h
 *     j   JSON text, for the reader alone: decoded strings must fit where they must, walks must end
 *     b   config.json, a zero byte, the weights as they are: a file that PyTorch saved, or safetensors
 *     p   a pickle, for its machine alone; P: the same in an archive with storages 0 and 1 of 64 bytes
 *     i   the index of a checkpoint in several files
 *
 * Link it with the sources of examples/cli but main.c and verb_*.c, and with the library, under clang's
 * -fsanitize=fuzzer,address,undefined; or with -DFUZZ_MAIN under any compiler, to run the files it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b2s6.h"
#include "examples/cli/convert/convert.h"
#include "examples/cli/convert/pytorch.h"
#include "examples/cli/convert/weight_index.h"
#include "examples/cli/support/json.h"
#include "tests/zip_file.h"

#define DATA_MAX ((size_t)1 << 18)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz_convert: %s\n", what);
    abort();
}

/* A few steps; values may overflow, weights are arbitrary. */
static void step(b2s6_state *state, const b2s6_model_info *info)
{
    float *out = malloc(info->output_size * sizeof *out);
    float *features = calloc(info->input_size, sizeof *features);
    must(out && features, "memory");
    for (int i = 0; i < 3; i++) {
        b2s6_status status = info->input_kind == B2S6_TOKENS ? b2s6_step_token(state, 0, out, info->output_size)
                                                             : b2s6_step_features(state, features, info->input_size, out,
                                                                                  info->output_size);
        must(status == B2S6_OK || (info->bidirectional && status == B2S6_ERROR_BIDIRECTIONAL), "a step failed");
    }
    free(out);
    free(features);
}

/* What the converter made must hold up. */
static void use(const unsigned char *file, size_t size)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model_info info;
    b2s6_model *model;
    b2s6_state *state;
    b2s6_error error;
    options.flags = B2S6_OPEN_VERIFY;
    if (b2s6_model_open_memory(&model, file, size, &options, &error) != B2S6_OK)
        must(0, error.message);
    info.struct_size = sizeof info;
    must(b2s6_model_describe(model, &info) == B2S6_OK, "describe failed");
    if (b2s6_state_size(model) < (size_t)1 << 22) {
        must(b2s6_state_create(&state, model, NULL) == B2S6_OK, "no state");
        step(state, &info);
        b2s6_state_destroy(state);
    }
    b2s6_model_close(model);
}

/* The largest second number of a "data_offsets", as far as it can be read without reading JSON. */
static size_t data_size(const char *header, size_t size)
{
    static const char key[] = "data_offsets\":[";
    size_t largest = 0;
    for (size_t i = 0; i + sizeof key < size; i++) {
        size_t end = 0;
        const char *c = memcmp(header + i, key, sizeof key - 1) == 0 ? memchr(header + i, ',', size - i) : NULL;
        if (!c)
            continue;
        for (c++; c < header + size && *c >= '0' && *c <= '9' && end < DATA_MAX; c++)
            end = end * 10 + (size_t)(*c - '0');
        if (end > largest)
            largest = end;
    }
    return largest < DATA_MAX ? largest : DATA_MAX;
}

/* A safetensors file with this header, and data that are small numbers as F32 and as F16. */
static unsigned char *make_file(const char *header, size_t header_size, size_t *size)
{
    size_t data = data_size(header, header_size);
    unsigned char *file = malloc(8 + header_size + data + 1);
    must(file != NULL, "memory");
    for (int i = 0; i < 8; i++)
        file[i] = (unsigned char)((uint64_t)header_size >> 8 * i & 0xff);
    memcpy(file + 8, header, header_size);
    for (size_t i = 0; i < data; i++)
        file[8 + header_size + i] = (unsigned char)(i % 4 == 3 ? 0x3c + i / 4 % 3 : i % 4 == 1 ? 0x30 : i * 7);
    *size = 8 + header_size + data;
    return file;
}

static void fuzz_file(const unsigned char *file, size_t size, const char *config, size_t config_size)
{
    const convert_options options = { "f32", NULL, NULL, 0 };
    unsigned char *bytes = NULL;
    size_t n_bytes = 0;
    char error[120] = "";
    int status = config ? convert_folder_memory(config, config_size, file, size, "fuzz", &options, &bytes, &n_bytes, error,
                                            sizeof error)
                        : convert_safetensors_memory(file, size, "fuzz", &options, &bytes, &n_bytes, error, sizeof error);
    must(status == 0 || (status == -1 && *error && !bytes), "neither a result nor an error");
    must(!strchr(error, '\n'), "an error of more than one line");
    if (status == 0)
        use(bytes, n_bytes);
    free(bytes);
}

static void fuzz_header(const char *header, size_t size, const char *config, size_t config_size)
{
    size_t file_size;
    unsigned char *file = make_file(header, size, &file_size);
    fuzz_file(file, file_size, config, config_size);
    free(file);
}

/* Everything inside a value, to the bottom. */
static void walk_json(json value)
{
    json stack[JSON_DEPTH + 1], key = { NULL, 0 }, inner;
    json_walk walks[JSON_DEPTH + 1];
    size_t depth = 0;
    stack[0] = value;
    walks[0] = json_begin(value);
    for (;;) {
        if (!json_next(&walks[depth], &key, &inner)) {
            must(walks[depth].at == stack[depth].text + stack[depth].size - 1, "a walk that ended elsewhere");
            if (depth-- == 0)
                return;
            continue;
        }
        if (json_kind_of(inner) == JSON_ARRAY || json_kind_of(inner) == JSON_OBJECT) {
            must(++depth < JSON_DEPTH, "nested too deeply");
            stack[depth] = inner;
            walks[depth] = json_begin(inner);
        } else if (json_kind_of(inner) == JSON_STRING) {
            char *text = malloc(inner.size);
            size_t length = json_string(inner, text, inner.size);
            must(length < inner.size && text[length] == 0, "a string that does not fit");
            must(json_equals(inner, text) == (strlen(text) == length), "a string that is not itself");
            free(text);
        } else {
            uint64_t integer;
            double real;
            (void)json_unsigned(inner, &integer);
            (void)json_double(inner, &real);
        }
    }
}

static void fuzz_json(const char *text, size_t size)
{
    json value;
    size_t at;
    const char *problem = json_check(&value, text, size, &at);
    must(at <= size, "a problem outside the text");
    if (!problem && (json_kind_of(value) == JSON_ARRAY || json_kind_of(value) == JSON_OBJECT))
        walk_json(value);
}

/* ------------------------------------------------------------------------------------------------- PyTorch's own files */

/* Every byte of every tensor that a file is said to have. */
static void read_tensors(const tensor_source *s)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        const tensor *t = &s->entries[i].view;
        size_t n = 0;
        for (size_t a = 0; !s->entries[i].problem[0] && a < t->dims[0] && n < 4096; a++)
            for (size_t b = 0; b < t->dims[1] && n < 4096; b++)
                for (size_t c = 0; c < t->dims[2] && n < 4096; c++)
                    for (size_t d = 0; d < t->dims[3] && n < 4096; d++, n++)
                        (void)tensor_at(t, t->dims[0] - 1 - a, b, t->dims[2] - 1 - c, d);
    }
}

static void fuzz_torch(const unsigned char *bytes, size_t size)
{
    char error[200] = "";
    message m = { error, sizeof error };
    tensor_source source;
    pytorch file;
    memset(&source, 0, sizeof source);
    if (pytorch_open(&file, bytes, size, &m) == 0) {
        if (pytorch_add(&file, "", &source, &m) == 0 && tensor_source_sort(&source, &m) == 0)
            read_tensors(&source);
        pytorch_close(&file);
    }
    must(!strchr(error, '\n'), "an error of more than one line");
    tensor_source_free(&source);
}

static void fuzz_pickle(const char *text, size_t size)
{
    char error[200] = "";
    message m = { error, sizeof error };
    pickle result;
    if (pickle_read(&result, (const unsigned char *)text, size, &m) == 0)
        pickle_close(&result);
    else
        must(*error && !strchr(error, '\n'), "neither a result nor one line");
}

static void fuzz_pickle_in_archive(const char *text, size_t size)
{
    static const unsigned char zeros[64];
    const zip_part parts[] = { { "x/data.pkl", text, size }, { "x/data/0", zeros, 64 }, { "x/data/1", zeros, 64 } };
    size_t archive_size;
    unsigned char *archive = zip_make(parts, 3, &archive_size, NULL);
    fuzz_torch(archive, archive_size);
    free(archive);
}

static void fuzz_index(const char *text, size_t size)
{
    char error[200] = "";
    message m = { error, sizeof error };
    weight_index index;
    if (weight_index_read(&index, text, size, &m) != 0)
        return;
    for (size_t i = 0; i < index.n_files; i++)
        must(!strchr(index.files[i], '/') && strcmp(index.files[i], "..") != 0, "a file outside the folder");
    weight_index_close(&index);
}

/* zip_file.c is of the tests, and says by this what went wrong. */
void check_true(int condition, const char *text, const char *file, int line);
void check_true(int condition, const char *text, const char *file, int line)
{
    (void)file, (void)line;
    must(condition, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);  /* of exactly its size for the sanitizer, with what comes first taken off */
    const char *zero;
    if (size == 0 || !text) {
        free(text);
        return 0;
    }
    memcpy(text, bytes + 1, size - 1);
    text = realloc(text, size > 1 ? size - 1 : 1);
    if (bytes[0] == 's')
        fuzz_file((const unsigned char *)text, size - 1, NULL, 0);
    else if (bytes[0] == 'h')
        fuzz_header(text, size - 1, NULL, 0);
    else if (bytes[0] == 'f' && (zero = memchr(text, 0, size - 1)) != NULL)
        fuzz_header(zero + 1, (size_t)(text + size - 1 - zero - 1), text, (size_t)(zero - text));
    else if (bytes[0] == 'j')
        fuzz_json(text, size - 1);
    else if (bytes[0] == 'b' && (zero = memchr(text, 0, size - 1)) != NULL) {
        fuzz_torch((const unsigned char *)zero + 1, (size_t)(text + size - 1 - zero - 1));
        fuzz_file((const unsigned char *)zero + 1, (size_t)(text + size - 1 - zero - 1), text, (size_t)(zero - text));
    } else if (bytes[0] == 'p')
        fuzz_pickle(text, size - 1);
    else if (bytes[0] == 'P')
        fuzz_pickle_in_archive(text, size - 1);
    else if (bytes[0] == 'i')
        fuzz_index(text, size - 1);
    free(text);
    return 0;
}

#ifdef FUZZ_MAIN
int main(int argc, char **argv)
{
    static uint8_t bytes[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
        must(file != NULL, argv[i]);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
#endif
