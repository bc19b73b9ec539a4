/* score.c - reads a text through a language model and adds up the surprise of its tokens */
#define _POSIX_C_SOURCE 200809L

#include "score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "token_stream.h"
#include "tokenizer/buffer.h"

enum { BYTES_AT_ONCE = 1 << 16, RUN = 256, ROWS_FLOATS = 1 << 24 };

size_t score_run(const text_model *t)
{
    const size_t n = ROWS_FLOATS / t->width;
    return n < 1 ? 1 : n > RUN ? RUN : n;
}

typedef struct scorer {
    const score_job *job;
    score *result;
    token_stream stream;
    float *rows;           /* (run, width) */
    token_list list;       /* ids of the text at hand */
    buffer text;           /* the text at hand */
    token_decoder decoder;
    double waiting_bits;   /* of tokens whose text is no whole character yet, for the map */
} scorer;

/* What is there, up to n bytes; unlike fread it does not wait for the rest. */
static ssize_t read_some(FILE *in, unsigned char *bytes, size_t n)
{
    ssize_t got;
    do
        got = read(fileno(in), bytes, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* ------------------------------------------------------------------------------------------------------------- surprise */

static void show(scorer *s, int32_t id, double bits)
{
    const text_model *model = s->job->model;
    unsigned char text[TOKENIZER_TEXT_MAX];
    size_t n;
    if (!model->tokenizer) {
        map_byte(s->job->map, (unsigned char)id, bits);
        return;
    }
    s->waiting_bits += bits;
    n = text_decode(model, &s->decoder, id, 1, text);
    if (n > 0) {
        map_token(s->job->map, text, n, s->waiting_bits);
        s->waiting_bits = 0;
    }
}

static int add_rows(scorer *s, const int32_t *ids, size_t n, message *m)
{
    const size_t width = s->job->model->width, n_scored = s->job->model->n_scored;
    for (size_t i = 0; i < n; i++) {
        const double bits = -(double)b2s6_log_probability(s->rows + i * width, n_scored, ids[i]) / 0.69314718055994531;
        if (isnan(bits))
            return complain(m, "the model's answer before token %llu gives no probabilities",
                            (unsigned long long)(s->result->n_tokens + 1));
        s->result->bits += bits;
        s->result->n_tokens++;
        if (s->job->map)
            show(s, ids[i], bits);
    }
    return 0;
}

/* n_bytes of text, whose ids these are. Where nothing predicts the first token it is read all the same. */
static int score_ids(scorer *s, const int32_t *ids, size_t n, size_t n_bytes, message *m)
{
    const uint64_t before = s->result->n_bytes;
    size_t done = 0;
    if (n > 0 && s->stream.last == NO_TOKEN) {
        token_stream_take(&s->stream, ids[0]);
        if (s->job->map)
            show(s, ids[0], 0);
        done = 1;
    }
    while (done < n) {
        const size_t part = n - done < s->job->run ? n - done : s->job->run;
        if (token_stream_run(&s->stream, ids + done, part, s->rows, m) != 0 || add_rows(s, ids + done, part, m) != 0)
            return -1;
        done += part;
        s->result->n_bytes = before + (uint64_t)((double)n_bytes * (double)done / (double)n);
        if (s->job->bar)
            progress_update(s->job->bar, s->result->n_bytes, s->result->n_bytes);
        if (s->job->map && ferror(s->job->map->out))
            break; /* whoever closes it says why */
    }
    s->result->n_bytes = before + n_bytes;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------------- reading */

/* Up to most bytes: of a model of bytes what is there, for a tokenizer all of them. *end: the file is at its end. */
static int read_text(scorer *s, FILE *in, uint64_t most, int *end, message *m)
{
    s->text.size = 0;
    *end = 0;
    while (s->text.size < most && !*end) {
        const uint64_t left = most - s->text.size;
        const size_t n = left < BYTES_AT_ONCE ? (size_t)left : BYTES_AT_ONCE;
        ssize_t got;
        if (buffer_reserve(&s->text, n) != 0)
            return complain(m, "out of memory: a text of more than %zu bytes; --piece scores it in pieces", s->text.size);
        got = read_some(in, s->text.bytes + s->text.size, n);
        if (got < 0)
            return complain(m, "%s", strerror(errno));
        s->text.size += (size_t)got;
        *end = got == 0;
        if (!s->job->model->tokenizer)
            break;
    }
    return 0;
}

static int begin_piece(scorer *s, message *m)
{
    const text_model *model = s->job->model;
    memset(&s->decoder, 0, sizeof s->decoder);
    return token_stream_begin(&s->stream, model->before, model->n_before, m);
}

static int score_all(scorer *s, FILE *in, message *m)
{
    const uint64_t piece = s->job->piece;
    int end = 0;
    if (begin_piece(s, m) != 0)
        return -1;
    while (!end) {
        const uint64_t in_piece = piece ? s->result->n_bytes % piece : 0;
        if (piece && in_piece == 0 && begin_piece(s, m) != 0)
            return -1;
        s->list.n = 0;
        if (read_text(s, in, piece ? piece - in_piece : s->job->model->tokenizer ? UINT64_MAX : BYTES_AT_ONCE, &end, m) != 0 ||
            text_encode(s->job->model, &s->list, s->text.bytes, s->text.size, s->job->plain, m) != 0 ||
            score_ids(s, s->list.ids, s->list.n, s->text.size, m) != 0)
            return -1;
        if (s->job->map && ferror(s->job->map->out))
            break;
    }
    return 0;
}

int score_file(score *result, const score_job *job, FILE *in, message *m)
{
    scorer s = { 0 };
    int failed;
    s.job = job;
    s.result = result;
    memset(result, 0, sizeof *result);
    if (token_stream_open(&s.stream, job->model->model, job->run, job->parallel, m) != 0)
        return -1;
    if (job->map)
        job->map->tokens = job->model->tokenizer != NULL;
    s.rows = malloc(job->run * job->model->width * sizeof *s.rows);
    failed = s.rows ? score_all(&s, in, m) : complain(m, "out of memory");
    if (!failed && job->map && s.decoder.n_waiting > 0)
        map_token(job->map, s.decoder.waiting, s.decoder.n_waiting, s.waiting_bits);
    token_stream_close(&s.stream);
    free(s.rows);
    free(s.list.ids);
    free(s.text.bytes);
    return failed;
}
