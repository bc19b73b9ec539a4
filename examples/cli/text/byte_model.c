/* byte_model.c - opens a language model of bytes and steps the stream that it reads */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */

#include "byte_model.h"

#include <stdlib.h>
#include <string.h>

#include "../support/open_model.h"

/* The byte that a model is told before the first one. */
#define BEFORE_FIRST '\n'

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

int byte_stream_open(byte_stream *s, const b2s6_model *model, size_t run, const b2s6_parallel *parallel, message *m)
{
    memset(s, 0, sizeof *s);
    s->run = run;
    s->width = describe(model).head_size;
    s->last = BEFORE_FIRST;
    s->parallel = parallel;
    s->workspace_size = run > 1 || parallel ? b2s6_workspace_size(model, run) : 0;
    if (s->workspace_size != 0 && posix_memalign(&s->workspace, B2S6_ALIGNMENT, s->workspace_size) != 0) {
        s->workspace = NULL; /* a causal model can do without */
        s->workspace_size = 0;
    }
    s->tokens = malloc(run * sizeof *s->tokens);
    s->wide = s->width > BYTE_VALUES ? malloc(run * s->width * sizeof *s->wide) : NULL;
    if (s->tokens && (s->wide || s->width == BYTE_VALUES) && b2s6_state_create(&s->state, model, NULL) == B2S6_OK)
        return 0;
    byte_stream_close(s);
    return complain(m, "out of memory");
}

void byte_stream_close(byte_stream *s)
{
    b2s6_state_destroy(s->state);
    free(s->tokens);
    free(s->wide);
    free(s->workspace);
    memset(s, 0, sizeof *s);
}

void byte_stream_reset(byte_stream *s)
{
    b2s6_state_reset(s->state);
    s->last = BEFORE_FIRST;
}

static int check(b2s6_status status, message *m)
{
    return status == B2S6_OK ? 0 : complain(m, "%s", b2s6_status_text(status));
}

/* The scores of the bytes of n rows of the model: rows (n, 256). */
static void keep_bytes(const byte_stream *s, size_t n, float *rows)
{
    for (size_t i = 0; i < n; i++)
        memcpy(rows + i * BYTE_VALUES, s->wide + i * s->width, BYTE_VALUES * sizeof *rows);
}

static b2s6_status run_tokens(byte_stream *s, size_t n, float *rows)
{
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    float *out = rows && s->wide ? s->wide : rows;
    b2s6_status status;
    options.workspace = s->workspace;
    options.workspace_size = s->workspace_size;
    options.parallel = s->parallel;
    status = b2s6_run_tokens(s->state, s->tokens, n, out, n * s->width, &options);
    if (status == B2S6_OK && out != rows)
        keep_bytes(s, n, rows);
    return status;
}

/* A step knows no threads; a run of one does. */
int byte_stream_next(byte_stream *s, float *row, message *m)
{
    float *out = row && s->wide ? s->wide : row;
    if (s->parallel) {
        s->tokens[0] = s->last;
        return check(run_tokens(s, 1, row), m);
    }
    if (check(b2s6_step_token(s->state, s->last, out, s->width), m) != 0)
        return -1;
    if (out != row)
        keep_bytes(s, 1, row);
    return 0;
}

void byte_stream_take(byte_stream *s, unsigned char byte)
{
    s->last = byte;
}

/* The state reads each byte one step late: it answers to the byte before with the scores for this one. */
int byte_stream_run(byte_stream *s, const unsigned char *bytes, size_t n, float *rows, message *m)
{
    if (n == 0)
        return 0;
    s->tokens[0] = s->last;
    for (size_t i = 1; i < n; i++)
        s->tokens[i] = bytes[i - 1];
    s->last = bytes[n - 1];
    return check(run_tokens(s, n, rows), m);
}
