/* token_stream.c - steps and runs of a language model's stream, with the newest token held back: see token_stream.h */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */

#include "token_stream.h"

#include <stdlib.h>
#include <string.h>

static int check(b2s6_status status, message *m)
{
    return status == B2S6_OK ? 0 : complain(m, "%s", b2s6_status_text(status));
}

int token_stream_open(token_stream *s, const b2s6_model *model, size_t run, const b2s6_parallel *parallel, message *m)
{
    b2s6_model_info info = { .struct_size = sizeof info };
    b2s6_model_describe(model, &info);
    memset(s, 0, sizeof *s);
    s->width = info.output_size;
    s->run = run;
    s->room = run + run / 4;
    s->last = NO_TOKEN;
    s->parallel = parallel;
    s->workspace_size = s->room > 1 || parallel ? b2s6_workspace_size(model, s->room) : 0;
    if (s->workspace_size != 0 && posix_memalign(&s->workspace, B2S6_ALIGNMENT, s->workspace_size) != 0) {
        s->workspace = NULL; /* a causal model can do without */
        s->workspace_size = 0;
    }
    s->tokens = malloc(s->room * sizeof *s->tokens);
    if (s->tokens && b2s6_state_create(&s->state, model, NULL) == B2S6_OK)
        return 0;
    token_stream_close(s);
    return complain(m, "out of memory");
}

void token_stream_close(token_stream *s)
{
    b2s6_state_destroy(s->state);
    free(s->tokens);
    free(s->workspace);
    memset(s, 0, sizeof *s);
}

int token_stream_begin(token_stream *s, const int32_t *before, size_t n, message *m)
{
    b2s6_state_reset(s->state);
    s->last = NO_TOKEN;
    return token_stream_read(s, before, n, NULL, NULL, m);
}

/* The first n of s->tokens. flags: of the run. */
static b2s6_status run_tokens(token_stream *s, size_t n, float *rows, size_t n_rows, uint32_t flags)
{
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    options.flags = flags;
    options.workspace = s->workspace;
    options.workspace_size = s->workspace_size;
    options.parallel = s->parallel;
    return b2s6_run_tokens(s->state, s->tokens, n, rows, n_rows * s->width, &options);
}

/* A step knows no threads; a run of one does. */
int token_stream_next(token_stream *s, float *row, message *m)
{
    if (!s->parallel)
        return check(b2s6_step_token(s->state, s->last, row, row ? s->width : 0), m);
    s->tokens[0] = s->last;
    return check(run_tokens(s, 1, row, row != NULL, 0), m);
}

void token_stream_take(token_stream *s, int32_t token)
{
    s->last = token;
}

int token_stream_run(token_stream *s, const int32_t *tokens, size_t n, float *rows, message *m)
{
    if (n == 0)
        return 0;
    s->tokens[0] = s->last;
    memcpy(s->tokens + 1, tokens, (n - 1) * sizeof *tokens);
    s->last = tokens[n - 1];
    return check(run_tokens(s, n, rows, n, 0), m);
}

int token_stream_read(token_stream *s, const int32_t *tokens, size_t n, float *row, progress *bar, message *m)
{
    const int has_last = s->last != NO_TOKEN;
    const int32_t newest = n > 0 ? tokens[n - 1] : s->last;
    const size_t all = n + (size_t)has_last, to_read = row || all == 0 ? all : all - 1;
    for (size_t done = 0, part; done < to_read; done += part) {
        const size_t left = to_read - done;
        int answer;
        part = left <= s->room ? left : s->run;
        answer = row && part == left;
        for (size_t i = 0; i < part; i++)
            s->tokens[i] = has_last && done + i == 0 ? s->last : tokens[done + i - (size_t)has_last];
        if (check(run_tokens(s, part, answer ? row : NULL, (size_t)answer, answer ? B2S6_RUN_LAST : 0), m) != 0)
            return -1;
        if (bar)
            progress_update(bar, done + part, done + part);
    }
    s->last = row ? NO_TOKEN : newest;
    return 0;
}
