/* verb_score.c - b2s6 score: how well a language model predicts a file */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/machine_options.h"
#include "support/option_values.h"
#include "support/terminal.h"
#include "text/score.h"

static const char help[] =
    "usage: b2s6 score MODEL.b2s6 FILE [--map] [--color] [--piece N] [--plain] [--json]\n"
    "                  [--threads N] [--isa NAME]\n"
    "\n"
    "Says how many bits a byte of a file would take if a language model compressed it, how many bits and\n"
    "choices (perplexity) a token, and how many tokens the model reads in a second. Tokens are those of the\n"
    "tokenizer in the model's file, or bytes. '-' is standard input. For bytes the memory does not grow with\n"
    "the file; for a tokenizer the file is read whole, or in pieces.\n"
    "\n"
    "  --map       show the text too, with the surprise that each token was: in colours on a terminal\n"
    "              (unless NO_COLOR is set), else as digits below the text\n"
    "  --color     colours also where standard output is no terminal\n"
    "  --piece N   start anew every N bytes, as if the file were many small ones\n"
    "  --plain     control tokens that are written out in the file (<|endoftext|>) are mere text\n"
    "  --json      print one JSON object (not with --map)\n"
    "  --threads N use N threads, 1 to 256 (default: 1)\n"
    "  --isa NAME  use this instruction set (see `b2s6 bench --isa list`)\n";

typedef struct options {
    const char *model_path, *in_path, *isa;
    int map, color, plain, json;
    uint64_t piece;
} options;

/* A number of a JSON object; null if there is none. */
static void print_number(const char *name, const char *format, double value)
{
    printf(", \"%s\": ", name);
    if (isfinite(value))
        printf(format, value);
    else
        printf("null");
}

/* unit: what a token is called. */
static void print_score(const options *o, const score *s, const char *unit, double seconds)
{
    const double rate = seconds > 0 ? (double)s->n_tokens / seconds : 0;
    const double byte = s->n_bytes ? s->bits / (double)s->n_bytes : NAN;
    const double token = s->n_tokens ? s->bits / (double)s->n_tokens : NAN;
    if (o->json) {
        printf("{\"bytes\": %llu, \"tokens\": %llu", (unsigned long long)s->n_bytes, (unsigned long long)s->n_tokens);
        print_number("bits", "%.3f", s->bits);
        print_number("bits_per_byte", "%.6f", byte);
        print_number("bits_per_token", "%.6f", token);
        print_number("perplexity", "%.6g", exp2(token));
        printf(", \"seconds\": %.3f, \"tokens_per_second\": %.1f}\n", seconds, rate);
    } else if (s->n_tokens == 0) {
        printf("%s: nothing to score\n", s->n_bytes ? "one token, and nothing before it" : "empty");
    } else {
        printf("%.4f bits per byte: %llu bytes as %.0f, %.1f %%\n", byte, (unsigned long long)s->n_bytes, s->bits / 8,
               100 * byte / 8);
        printf("%.4f bits per %s, perplexity %.4g: %llu of them\n", token, unit, exp2(token), (unsigned long long)s->n_tokens);
        printf("%.0f tokens per second, %.2f s\n", rate, seconds);
    }
}

static int score_stream(const options *o, const text_model *model, const b2s6_parallel *parallel, FILE *in, message *m)
{
    surprise_map map;
    progress bar;
    score s;
    const score_job job = { model, parallel, score_run(model), o->piece, o->plain, o->map ? &map : NULL,
                            o->map ? NULL : &bar };
    const double started = seconds_now();
    int failed;
    map_begin(&map, stdout, o->color || terminal_colours(STDOUT_FILENO), terminal_columns(STDOUT_FILENO));
    progress_begin(&bar, bytes_to_read(in));
    failed = score_file(&s, &job, in, m);
    progress_end(&bar);
    if (o->map)
        map_end(&map);
    if (!failed)
        print_score(o, &s, model->tokenizer ? "token" : "byte", seconds_now() - started);
    return failed;
}

static int score_with(const options *o, const text_model *model, const b2s6_parallel *parallel)
{
    char text[300];
    message m = { text, sizeof text };
    const int piped = strcmp(o->in_path, "-") == 0;
    FILE *in = piped ? stdin : fopen(o->in_path, "rb");
    int failed;
    if (!in)
        return cli_fail("%s: %s", o->in_path, strerror(errno));
    failed = score_stream(o, model, parallel, in, &m);
    if (!piped)
        fclose(in);
    return failed ? cli_fail("%s: %s", piped ? "standard input" : o->in_path, text) : 0;
}

static int open_and_score(const options *o, const b2s6_parallel *parallel)
{
    char text[400];
    message m = { text, sizeof text };
    text_model model;
    int status;
    if (text_model_open(&model, o->model_path, o->isa, &m) != 0)
        return cli_fail("%s: %s", o->model_path, text);
    status = score_with(o, &model, parallel);
    text_model_close(&model);
    return status;
}

static int run(int argc, char **argv)
{
    options o = { 0 };
    const char *piece = NULL, *threads = NULL, *operands[2];
    const cli_option known[] = {
        { "--map", NULL, &o.map }, { "--color", NULL, &o.color }, { "--json", NULL, &o.json }, { "--plain", NULL, &o.plain },
        { "--piece", &piece, NULL }, { "--isa", &o.isa, NULL },
        { "--threads", &threads, NULL },
    };
    machine on;
    int status = cli_parse(&verb_score, argc, argv, known, sizeof known / sizeof known[0], operands, 2);
    if (status != 0)
        return status;
    if (option_number(piece, 1, UINT64_MAX, &o.piece) != 0)
        return cli_usage(&verb_score, "score: --piece %.100s: a number of bytes is needed", piece);
    if (o.map && o.json)
        return cli_usage(&verb_score, "score: --map and --json do not go together");
    o.model_path = operands[0];
    o.in_path = operands[1];
    status = machine_take(&on, &verb_score, threads, o.isa);
    if (status != 0)
        return status;
    status = open_and_score(&o, thread_pool_parallel(on.pool));
    machine_release(&on);
    return status;
}

const cli_verb verb_score = { "score", "say how well a language model predicts a file", help, run };
