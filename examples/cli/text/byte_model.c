/* byte_model.c - opens a language model of bytes and steps the stream that it reads */
#include "byte_model.h"

#include <stdlib.h>
#include <string.h>

#include "../support/open_model.h"

static b2s6_model_info describe(const b2s6_model *model)
{
    b2s6_model_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    b2s6_model_describe(model, &info);
    return info;
}

int byte_model_check(const b2s6_model *model, message *m)
{
    const b2s6_model_info info = describe(model);
    const char *why = NULL;
    if (info.input_kind != B2S6_TOKENS)
        why = "it reads features";
    else if (b2s6_model_entry(model, "tokenizer", NULL))
        why = "it reads the tokens of a tokenizer";
    else if (info.input_size < BYTE_VALUES || info.input_size > BYTE_IDS_MAX)
        why = "its vocabulary is not the 256 bytes, nor these and a few tokens more";
    else if (info.head_size != info.input_size)
        why = "its answer is not one score for each of the 256 bytes";
    else if (info.bidirectional)
        why = "it is bidirectional";
    else if (info.pool != B2S6_POOL_NONE)
        why = "it answers for the stream so far, not for the next byte";
    return why ? complain(m, "not a language model of bytes: %s", why) : 0;
}

b2s6_model *byte_model_open(const char *path, const char *isa, message *m)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    options.flags = B2S6_OPEN_VERIFY; /* a damaged weight would pass for another model */
    options.isa = isa;
    model = open_model(path, &options, m);
    if (model && byte_model_check(model, m) == 0)
        return model;
    b2s6_model_close(model);
    return NULL;
}

uint64_t byte_model_fingerprint(const b2s6_model *model)
{
    return describe(model).fingerprint;
}

/* What the stream needs beside the tokens' stream. 0 or -1; byte_stream_close frees what is there. */
static int make_room(byte_stream *s, size_t run)
{
    const size_t width = s->tokens.width;
    s->ids = malloc(run * sizeof *s->ids);
    if (width > BYTE_VALUES)
        s->wide = malloc(run * width * sizeof *s->wide);
    return s->ids && (s->wide || width == BYTE_VALUES) ? 0 : -1;
}

int byte_stream_open(byte_stream *s, const b2s6_model *model, size_t run, const b2s6_parallel *parallel, message *m)
{
    static const int32_t before[] = { BYTE_BEFORE_FIRST };
    int failed;
    memset(s, 0, sizeof *s);
    if (token_stream_open(&s->tokens, model, run, parallel, m) != 0)
        return -1;
    failed = make_room(s, run) != 0 ? complain(m, "out of memory") : token_stream_begin(&s->tokens, before, 1, m);
    if (failed)
        byte_stream_close(s);
    return failed;
}

void byte_stream_close(byte_stream *s)
{
    token_stream_close(&s->tokens);
    free(s->ids);
    free(s->wide);
    s->ids = NULL;
    s->wide = NULL;
}

/* The scores of the bytes of n rows of the model: rows (n, 256). */
static void keep_bytes(const byte_stream *s, size_t n, float *rows)
{
    for (size_t i = 0; i < n; i++)
        memcpy(rows + i * BYTE_VALUES, s->wide + i * s->tokens.width, BYTE_VALUES * sizeof *rows);
}

int byte_stream_next(byte_stream *s, float *row, message *m)
{
    float *out = row && s->wide ? s->wide : row;
    if (token_stream_next(&s->tokens, out, m) != 0)
        return -1;
    if (out != row)
        keep_bytes(s, 1, row);
    return 0;
}

void byte_stream_take(byte_stream *s, unsigned char byte)
{
    token_stream_take(&s->tokens, byte);
}

int byte_stream_run(byte_stream *s, const unsigned char *bytes, size_t n, float *rows, message *m)
{
    float *out = s->wide ? s->wide : rows;
    for (size_t i = 0; i < n; i++)
        s->ids[i] = bytes[i];
    if (token_stream_run(&s->tokens, s->ids, n, out, m) != 0)
        return -1;
    if (out != rows)
        keep_bytes(s, n, rows);
    return 0;
}
