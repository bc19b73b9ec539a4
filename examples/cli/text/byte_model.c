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
    else if (info.input_size != BYTE_VALUES)
        why = "its vocabulary is not the 256 bytes";
    else if (info.head_size != BYTE_VALUES)
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

int byte_stream_open(byte_stream *s, const b2s6_model *model, size_t run, const b2s6_parallel *parallel, message *m)
{
    static const int32_t before[] = { BYTE_BEFORE_FIRST };
    s->ids = malloc(run * sizeof *s->ids);
    if (!s->ids)
        return complain(m, "out of memory");
    if (token_stream_open(&s->tokens, model, run, parallel, m) == 0) {
        if (token_stream_begin(&s->tokens, before, 1, m) == 0)
            return 0;
        token_stream_close(&s->tokens);
    }
    free(s->ids);
    return -1;
}

void byte_stream_close(byte_stream *s)
{
    token_stream_close(&s->tokens);
    free(s->ids);
    s->ids = NULL;
}

int byte_stream_next(byte_stream *s, float *row, message *m)
{
    return token_stream_next(&s->tokens, row, m);
}

void byte_stream_take(byte_stream *s, unsigned char byte)
{
    token_stream_take(&s->tokens, byte);
}

int byte_stream_run(byte_stream *s, const unsigned char *bytes, size_t n, float *rows, message *m)
{
    for (size_t i = 0; i < n; i++)
        s->ids[i] = bytes[i];
    return token_stream_run(&s->tokens, s->ids, n, rows, m);
}
