/* checkpoints.c - see checkpoints.h */
#include "checkpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/convert/convert.h"
#include "generate.h"
#include "test.h"

void small_model(trained_model *model, b2s6_block block)
{
    random_source random = { 7 };
    memset(model, 0, sizeof *model);
    plain_config(&model->config, 4, 2, 3);
    model->config.n_layers = 2;
    model->config.input_size = 5;
    model->config.norm = B2S6_NORM_BATCH;
    model->config.final_norm = B2S6_NORM_LAYER;
    if (block == B2S6_BLOCK_MAMBA) {
        model->config.block = block;
        model->config.d_inner = 6;
        model->config.d_conv = 3;
        model->config.norm = model->config.final_norm = B2S6_NORM_RMS;
        model->config.unit.delta = B2S6_DELTA_LOWRANK;
        model->config.unit.dt_rank = 2;
        model->config.unit.a_scope = B2S6_SCOPE_CHANNEL;
    }
    generate_tensors(model, &random);
}

checkpoint_file checkpoint_of(const trained_model *model)
{
    checkpoint_file file;
    file.bytes = trained_write(model, &file.size);
    return file;
}

checkpoint_file checkpoint_copy(const checkpoint_file *file)
{
    checkpoint_file copy = { (unsigned char *)malloc(file->size), file->size };
    CHECK(copy.bytes != NULL);
    memcpy(copy.bytes, file->bytes, file->size);
    return copy;
}

static void put_length(unsigned char *bytes, size_t length)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> (8 * i));
}

checkpoint_file checkpoint_from(const char *header, size_t data_size)
{
    size_t length = strlen(header);
    checkpoint_file file = { (unsigned char *)calloc(1, 8 + length + data_size), 8 + length + data_size };
    CHECK(file.bytes != NULL);
    put_length(file.bytes, length);
    memcpy(file.bytes + 8, header, length);
    return file;
}

void checkpoint_release(checkpoint_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

/* With every ' as \" */
static char *escaped(const char *text)
{
    char *out = (char *)malloc(2 * strlen(text) + 1), *c = out;
    CHECK(out != NULL);
    for (; *text; text++) {
        if (*text == '\'')
            *c++ = '\\';
        *c++ = *text == '\'' ? '"' : *text;
    }
    *c = 0;
    return out;
}

static size_t header_length(const checkpoint_file *file)
{
    size_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | file->bytes[i];
    return length;
}

void checkpoint_edit(checkpoint_file *file, const char *from, const char *to)
{
    char *old = escaped(from), *new = escaped(to);
    size_t length = header_length(file), at = 8, cut = strlen(old), put = strlen(new);
    unsigned char *bytes;
    test_context("'%s' becomes '%s'", from, to);
    while (at + cut <= 8 + length && memcmp(file->bytes + at, old, cut) != 0)
        at++;
    CHECK(at + cut <= 8 + length);
    bytes = (unsigned char *)malloc(file->size - cut + put);
    CHECK(bytes != NULL);
    memcpy(bytes, file->bytes, at);
    memcpy(bytes + at, new, put);
    memcpy(bytes + at + put, file->bytes + at + cut, file->size - at - cut);
    put_length(bytes, length - cut + put);
    free(file->bytes);
    file->bytes = bytes;
    file->size = file->size - cut + put;
    free(old);
    free(new);
}

static const convert_options plainly = { "f32", NULL, NULL, 0 };

/* What an error must be like, besides what it says. */
static void check_error(int status, const unsigned char *bytes, size_t size, const char *error, const char *text)
{
    CHECK_EQUAL_INT(-1, status);
    CHECK(bytes == NULL && size == 77);
    CHECK(strchr(error, '\n') == NULL);
    if (strstr(error, text) == NULL)
        CHECK_STRING(text, error);
}

void check_refused_as(const char *type, const checkpoint_file *file, const char *text)
{
    unsigned char *bytes = NULL;
    size_t size = 77;
    char error[300] = "";
    const convert_options options = { type, NULL, NULL, 0 };
    int status = convert_safetensors_memory(file->bytes, file->size, "x", &options, &bytes, &size, error, sizeof error);
    check_error(status, bytes, size, error, text);
}

void check_refused(const checkpoint_file *file, const char *text)
{
    check_refused_as("f32", file, text);
}

void check_refused_hf(const char *config, const checkpoint_file *file, const char *text)
{
    unsigned char *bytes = NULL;
    size_t size = 77;
    char error[300] = "";
    int status = convert_folder_memory(config, strlen(config), file->bytes, file->size, "x", &plainly, &bytes, &size, error,
                                       sizeof error);
    check_error(status, bytes, size, error, text);
}

unsigned char *check_converts(const checkpoint_file *file, size_t *size)
{
    unsigned char *bytes = NULL;
    char error[300] = "";
    if (convert_safetensors_memory(file->bytes, file->size, "x", &plainly, &bytes, size, error, sizeof error) != 0)
        FAIL(error);
    return bytes;
}
