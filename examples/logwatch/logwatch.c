/*
 * logwatch.c - shows the lines of a log that a language model of bytes did not expect
 *
 *     cc -O2 logwatch.c $(pkg-config --cflags --libs b2s6) -o logwatch
 *     journalctl -f | ./logwatch bytes.b2s6               # lines among the most surprising 5 % of the last 1,000
 *     ./logwatch bytes.b2s6 100 < old.log | sort -rn      # every line, the most surprising first
 *
 * The model reads on from line to line and never forgets all: what a log says again and again soon costs next to nothing,
 * what it says for the first time stands out. Memory and time for a line do not grow however long the log is.
 */
#define _POSIX_C_SOURCE 200809L

#include <b2s6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 256
#define RECENT 1000 /* lines that a new one is compared with */
#define PIECE 512   /* bytes of a line that are read at once */

/* What the model made of the text so far. */
typedef struct reader {
    b2s6_state *state;
    b2s6_run_options options;
    float rows[PIECE + 1][BYTES]; /* row 0: what the model expects next; the rest is room for a piece */
} reader;

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "logwatch: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

/* Reads n bytes, at most PIECE. Returns how many bits they would have taken: the sum of their surprises. */
static double read_piece(reader *r, const unsigned char *text, size_t n)
{
    int32_t tokens[PIECE];
    double bits = 0;
    for (size_t i = 0; i < n; i++)
        tokens[i] = text[i];
    if (b2s6_run_tokens(r->state, tokens, n, r->rows[1], n * BYTES, &r->options) != B2S6_OK)
        abort(); /* cannot be: every byte is a token of this model */
    for (size_t i = 0; i < n; i++)
        bits -= b2s6_log_probability(r->rows[i], BYTES, tokens[i]) / 0.69314718056;
    memcpy(r->rows[0], r->rows[n], sizeof r->rows[0]);
    return bits;
}

/* Bits a byte of a line, its line feed among them. */
static double surprise(reader *r, const char *line, size_t n)
{
    double bits = 0;
    for (size_t i = 0; i < n; i += PIECE)
        bits += read_piece(r, (const unsigned char *)line + i, n - i < PIECE ? n - i : PIECE);
    return bits / (double)n;
}

/* The share of the last RECENT lines that were at least as surprising as this one, itself among them: above 0, at most 1. */
static double rank(double value)
{
    static double recent[RECENT];
    static size_t count;
    size_t n, as_surprising = 0;
    recent[count++ % RECENT] = value;
    n = count < RECENT ? count : RECENT;
    for (size_t i = 0; i < n; i++)
        as_surprising += recent[i] >= value;
    return (double)as_surprising / (double)n;
}

static void watch(reader *r, double share)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while ((n = getline(&line, &room, stdin)) > 0) {
        const double value = surprise(r, line, (size_t)n);
        if (rank(value) <= share) {
            printf("%6.2f  %.*s\n", value, (int)(n - (line[n - 1] == '\n')), line);
            fflush(stdout);
        }
    }
    free(line);
}

int main(int argc, char **argv)
{
    static reader r = { .options = B2S6_RUN_OPTIONS };
    const double share = argc == 3 ? strtod(argv[2], NULL) / 100 : 0.05;
    b2s6_model_info info = { .struct_size = sizeof info };
    b2s6_model *model;
    b2s6_error error;

    if (argc < 2 || argc > 3 || !(share > 0 && share <= 1))
        return fail("usage", "logwatch MODEL.b2s6 [PERCENT] < LOG, with PERCENT above 0, at most 100 (default: 5)");
    if (b2s6_model_open_file(&model, argv[1], NULL, &error) != B2S6_OK)
        return fail(argv[1], error.message);
    b2s6_model_describe(model, &info);
    if (info.input_kind != B2S6_TOKENS || info.input_size != BYTES || info.output_size != BYTES || info.bidirectional)
        return fail(argv[1], "not a language model of bytes, such as bytes.b2s6");

    r.options.workspace_size = b2s6_workspace_size(model, PIECE);
    if (posix_memalign(&r.options.workspace, B2S6_ALIGNMENT, r.options.workspace_size) != 0 ||
        b2s6_state_create(&r.state, model, NULL) != B2S6_OK)
        return fail(argv[1], "out of memory");
    read_piece(&r, (const unsigned char *)"\n", 1); /* so that the first line begins as every other does */
    watch(&r, share);

    b2s6_state_destroy(r.state);
    free(r.options.workspace);
    b2s6_model_close(model);
    return ferror(stdin) ? fail("standard input", "cannot be read") : EXIT_SUCCESS;
}
