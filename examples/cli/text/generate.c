/* generate.c - reads a prompt by runs, then draws, writes and steps token by token: see generate.h */
#include "generate.h"

#include <stdlib.h>
#include <string.h>

#include "../support/progress.h"
#include "conversation.h"
#include "token_stream.h"

enum { RUN = 512 };

typedef struct generator {
    const generate_job *job;
    text_output *out;
    token_stream stream;
    conversation talk;
    token_list prompt;
    float *row;         /* (width) */
    uint32_t *scratch;  /* (width) */
    unsigned char text[TOKENIZER_TEXT_MAX];
} generator;

/* ---------------------------------------------------------------------------------------------------------------- prompt */

/* The stream where the prompt begins: that of the conversation, or a new one. */
static int begin(generator *g, message *m)
{
    const generate_job *job = g->job;
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    int found = 0;
    g->talk.generator = 1;
    if (token_stream_begin(&g->stream, job->model->before, job->model->n_before, m) != 0)
        return -1;
    if (job->state_path)
        found = conversation_load(&g->talk, &g->stream, job->model->n_tokens, job->state_path, &inner);
    if (found < 0)
        return complain(m, "%s: %s", job->state_path, inner_text);
    if (job->seed)
        g->talk.generator = *job->seed;
    return 0;
}

/* After a prompt the first token is not the beginning of the text, and what waited of a character stays in pieces. */
static void write_prompt(generator *g)
{
    if (g->job->prompt_size == 0)
        return;
    text_output_plain(g->out, g->text, tokenizer_decode_end(&g->talk.decoder, g->text));
    text_output_plain(g->out, g->job->prompt, g->job->prompt_size);
    g->talk.decoder.started = 1;
}

static int read_prompt(generator *g, message *m)
{
    const generate_job *job = g->job;
    const size_t n = g->prompt.n;
    progress bar;
    int failed;
    if (n == 0 && g->stream.last == NO_TOKEN)
        return complain(m, "a prompt is needed: the model has no token that begins a text");
    for (size_t i = n > RECENT_MAX ? n - RECENT_MAX : 0; i < n; i++)
        conversation_take(&g->talk, g->prompt.ids[i]);
    progress_begin(&bar, n);
    bar.tokens = 1;
    failed = token_stream_read(&g->stream, g->prompt.ids, n, job->n > 0 ? g->row : NULL, &bar, m);
    progress_end(&bar);
    if (!failed)
        write_prompt(g);
    return failed;
}

/* ------------------------------------------------------------------------------------------------------------------ text */

/* Draws a token and writes its text; *end: nothing comes after it. */
static int add_token(generator *g, int *end, message *m)
{
    const text_model *model = g->job->model;
    b2s6_sampling how = g->job->how;
    b2s6_status status;
    int32_t token;
    how.recent = g->talk.n_recent ? g->talk.recent : NULL;
    how.n_recent = g->talk.n_recent;
    status = b2s6_sample(&token, g->row, model->n_tokens, &how, &g->talk.generator, g->scratch);
    if (status != B2S6_OK)
        return complain(m, "no token can be drawn: %s", b2s6_status_text(status));
    token_stream_take(&g->stream, token);
    conversation_take(&g->talk, token);
    *end = text_model_ends(model, token);
    if (!*end && text_output_put(g->out, g->text, text_decode(model, &g->talk.decoder, token, 0, g->text)) != 0)
        return complain(m, "out of memory");
    *end |= g->out->stopped || ferror(g->out->out);
    return 0;
}

static int add_tokens(generator *g, generate_report *report, message *m)
{
    for (int end = 0; report->n_added < g->job->n && !end; report->n_added++) {
        if (report->n_added > 0 && token_stream_next(&g->stream, g->row, m) != 0)
            return -1;
        if (add_token(g, &end, m) != 0)
            return -1;
    }
    return 0;
}

/* Without a conversation that may complete it, what waits of a character is written as it is. */
static int finish(generator *g, message *m)
{
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    if (!g->job->state_path)
        return text_output_put(g->out, g->text, tokenizer_decode_end(&g->talk.decoder, g->text)) != 0
                   ? complain(m, "out of memory") : 0;
    if (ferror(g->out->out))
        return 0; /* nobody has read it: the conversation stays as it was */
    return conversation_save(&g->talk, &g->stream, g->job->state_path, &inner) != 0
               ? complain(m, "%s: %s", g->job->state_path, inner_text) : 0;
}

static int run(generator *g, generate_report *report, message *m)
{
    const double started = seconds_now();
    if (begin(g, m) != 0 || read_prompt(g, m) != 0)
        return -1;
    report->prompt_seconds = seconds_now() - started;
    if (add_tokens(g, report, m) != 0)
        return -1;
    report->seconds = seconds_now() - started - report->prompt_seconds;
    return finish(g, m);
}

int generate(const generate_job *job, text_output *out, generate_report *report, message *m)
{
    generator g = { 0 };
    int failed;
    g.job = job;
    g.out = out;
    memset(report, 0, sizeof *report);
    if (text_encode(job->model, &g.prompt, job->prompt, job->prompt_size, job->plain, m) != 0)
        return -1;
    report->n_prompt = g.prompt.n;
    failed = token_stream_open(&g.stream, job->model->model, g.prompt.n < RUN ? g.prompt.n + 1 : RUN, job->parallel, m);
    if (!failed) {
        g.row = malloc(job->model->width * sizeof *g.row);
        g.scratch = malloc(job->model->width * sizeof *g.scratch);
        failed = g.row && g.scratch ? run(&g, report, m) : complain(m, "out of memory");
        token_stream_close(&g.stream);
    }
    free(g.row);
    free(g.scratch);
    free(g.prompt.ids);
    return failed;
}
