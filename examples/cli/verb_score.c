/* verb_score.c - b2s6 score: how well a byte model predicts a file */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/machine_options.h"
#include "support/option_values.h"
#include "support/terminal.h"
#include "text/score.h"

static const char help[] =
    "usage: b2s6 score MODEL.b2s6 FILE [--map] [--color] [--piece N] [--json]\n"
    "                  [--threads N] [--isa NAME]\n"
    "\n"
    "Says how many bits a byte of a file would take if a language model of bytes compressed it, and how\n"
    "many bytes (its tokens) the model reads in a second. '-' is standard input. The memory does not\n"
    "grow with the file.\n"
    "\n"
    "  --map       show the text too, with the surprise that each character was: in colours on a terminal\n"
    "              (unless NO_COLOR is set), else as digits below the text\n"
    "  --color     colours also where standard output is no terminal\n"
    "  --piece N   start anew every N bytes, as if the file were many small ones\n"
    "  --json      print one JSON object (not with --map)\n"
    "  --threads N use N threads, 1 to 256 (default: 1)\n"
    "  --isa NAME  use this instruction set (see `b2s6 bench --isa list`)\n";

typedef struct options {
    const char *model_path, *in_path, *isa;
    int map, color, json;
    uint64_t piece;
} options;

static void print_score(const options *o, const score *s, double seconds)
{
    const double rate = seconds > 0 ? (double)s->n_bytes / seconds : 0;
    const double each = s->n_bytes ? s->bits / (double)s->n_bytes : 0;
    if (o->json) {
        printf("{\"bytes\": %llu, \"bits\": %.3f, \"bits_per_byte\": ", (unsigned long long)s->n_bytes, s->bits);
        printf(s->n_bytes ? "%.6f" : "null", each);
        printf(", \"seconds\": %.3f, \"tokens_per_second\": %.1f}\n", seconds, rate);
    } else if (s->n_bytes == 0) {
        printf("empty: nothing to score\n");
    } else {
        printf("%.4f bits per byte: %llu bytes as %.0f, %.1f %%\n", each, (unsigned long long)s->n_bytes, s->bits / 8,
               100 * each / 8);
        printf("%.0f tokens per second, %.2f s\n", rate, seconds);
    }
}

static int score_stream(const options *o, byte_stream *stream, FILE *in, message *m)
{
    surprise_map map;
    progress bar;
    score s;
    double started = seconds_now();
    int failed;
    map_begin(&map, stdout, o->color || terminal_colours(STDOUT_FILENO), terminal_columns(STDOUT_FILENO));
    progress_begin(&bar, bytes_to_read(in));
    failed = score_file(&s, stream, in, o->piece, o->map ? &map : NULL, o->map ? NULL : &bar, m);
    progress_end(&bar);
    if (o->map)
        map_end(&map);
    if (!failed)
        print_score(o, &s, seconds_now() - started);
    return failed;
}

static int score_with(const options *o, const b2s6_model *model, const b2s6_parallel *parallel)
{
    char text[300];
    message m = { text, sizeof text };
    const int piped = strcmp(o->in_path, "-") == 0;
    FILE *in = piped ? stdin : fopen(o->in_path, "rb");
    byte_stream stream;
    int failed = -1;
    if (!in)
        return cli_fail("%s: %s", o->in_path, strerror(errno));
    if (byte_stream_open(&stream, model, BYTE_RUN, parallel, &m) == 0) {
        failed = score_stream(o, &stream, in, &m);
        byte_stream_close(&stream);
    }
    if (!piped)
        fclose(in);
    return failed ? cli_fail("%s: %s", piped ? "standard input" : o->in_path, text) : 0;
}

static int open_and_score(const options *o, const b2s6_parallel *parallel)
{
    char text[300];
    message m = { text, sizeof text };
    b2s6_model *model = byte_model_open(o->model_path, o->isa, &m);
    int status;
    if (!model)
        return cli_fail("%s: %s", o->model_path, text);
    status = score_with(o, model, parallel);
    b2s6_model_close(model);
    return status;
}

static int run(int argc, char **argv)
{
    options o = { 0 };
    const char *piece = NULL, *threads = NULL, *operands[2];
    const cli_option known[] = {
        { "--map", NULL, &o.map }, { "--color", NULL, &o.color }, { "--json", NULL, &o.json },
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

const cli_verb verb_score = { "score", "say how well a byte model predicts a file", help, run };
