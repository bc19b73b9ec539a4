/* verb_run.c - b2s6 run: a sequence from a .npy file through a model, rows to another */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cli.h"
#include "support/machine_options.h"
#include "support/npy.h"
#include "support/option_values.h"
#include "support/output_file.h"

static const char help[] =
    "usage: b2s6 run MODEL.b2s6 --in X.npy --out Y.npy [--chunk N] [--threads N] [--isa NAME]\n"
    "\n"
    "Runs a sequence through a model. X.npy holds int32 (or int64) tokens of shape (L), or float32 (or\n"
    "float64) features of shape (L, width). Y.npy gets float32 rows, one a step; of a bidirectional model\n"
    "that pools one row in all. Y.npy appears complete or not at all.\n"
    "\n"
    "A causal model is run piece by piece, in memory that does not grow with the sequence. The pieces\n"
    "make no difference to the values, nor do threads and instruction sets.\n"
    "\n"
    "  --chunk N     take N steps at a time; 1: single steps (not for a bidirectional model)\n"
    "  --threads N   use N threads, 1 to 256 (default: 1)\n"
    "  --isa NAME    use this instruction set instead of the best: see `b2s6 info`\n";

#define PIECE_VALUES ((size_t)1 << 20)  /* floats of input and output that a piece may have */
#define PIECE_STEPS ((size_t)4096)

/* Everything one run needs; whatever is not NULL is released at the end. */
typedef struct job {
    const char *model_path, *in_path, *out_path;
    machine on;
    b2s6_model *model;
    b2s6_state *state;
    b2s6_model_info info;
    npy_reader in;
    size_t piece;       /* steps taken at a time */
    int single_steps;
    int64_t *integers;  /* (piece) as read */
    int32_t *tokens;    /* (piece) */
    float *features;    /* (piece, input_size) */
    float *rows;        /* (piece, output_size), or one row */
    void *workspace;
    size_t workspace_size;
} job;

static int is_tokens(const job *j)
{
    return j->info.input_kind == B2S6_TOKENS;
}

static int one_row_in_all(const job *j)
{
    return j->info.bidirectional && j->info.pool != B2S6_POOL_NONE;
}

static int check_input(const job *j)
{
    int has_tokens = j->in.type == NPY_INT32 || j->in.type == NPY_INT64;
    if (has_tokens && !is_tokens(j))
        return cli_fail("%s: tokens, but the model reads features (%lu a step)", j->in_path, (unsigned long)j->info.input_size);
    if (!has_tokens && is_tokens(j))
        return cli_fail("%s: features, but the model reads tokens", j->in_path);
    if (!has_tokens && j->in.width != j->info.input_size)
        return cli_fail("%s: %llu features a step, but the model reads %lu", j->in_path, (unsigned long long)j->in.width,
                        (unsigned long)j->info.input_size);
    if (j->info.bidirectional && j->in.rows == 0)
        return cli_fail("%s: no steps; a bidirectional model has no answer to that", j->in_path);
    return 0;
}

/* count * size bytes, or NULL if there are not so many. */
static void *allocate(size_t count, size_t size)
{
    return size != 0 && count > SIZE_MAX / size ? NULL : malloc(count * size + 1);
}

/* How many steps at a time, and room for them. chunk 0: as is best. */
static int prepare(job *j, uint64_t chunk)
{
    size_t row = j->info.output_size, values = (is_tokens(j) ? 1 : (size_t)j->info.input_size) + row;
    uint64_t piece = j->info.bidirectional ? j->in.rows : chunk;
    if (piece == 0)
        piece = PIECE_VALUES / values < PIECE_STEPS ? PIECE_VALUES / values + 1 : PIECE_STEPS;
    if (piece > j->in.rows)
        piece = j->in.rows;
    j->piece = piece > SIZE_MAX / 64 ? SIZE_MAX / 64 : (size_t)piece;
    j->single_steps = chunk == 1 && !j->on.pool; /* only a run takes threads */
    if (is_tokens(j)) {
        j->integers = allocate(j->piece, sizeof *j->integers);
        j->tokens = allocate(j->piece, sizeof *j->tokens);
    } else {
        j->features = allocate(j->piece, j->info.input_size * sizeof *j->features);
    }
    j->rows = allocate(one_row_in_all(j) ? 1 : j->piece, row * sizeof *j->rows);
    j->workspace_size = j->single_steps ? 0 : b2s6_workspace_size(j->model, j->piece);
    if (j->workspace_size != 0 && (j->workspace_size == SIZE_MAX ||
                                   posix_memalign(&j->workspace, B2S6_ALIGNMENT, j->workspace_size) != 0)) {
        j->workspace = NULL;  /* a causal model can do without */
        j->workspace_size = 0;
    }
    if (!j->rows || !(is_tokens(j) ? j->integers && j->tokens : j->features != NULL) ||
        (j->info.bidirectional && !j->workspace))
        return cli_fail("out of memory: %llu steps at a time", (unsigned long long)piece);
    if (b2s6_state_create(&j->state, j->model, NULL) != B2S6_OK)
        return cli_fail("out of memory: a state has %zu bytes", b2s6_state_size(j->model));
    return 0;
}

/* The next n steps of input, checked; first is the number of the first. */
static int read_piece(job *j, uint64_t first, size_t n)
{
    char text[200];
    message m = { text, sizeof text };
    size_t width = is_tokens(j) ? 1 : j->info.input_size;
    if (is_tokens(j) ? npy_read_integers(&j->in, j->integers, n, &m) : npy_read_floats(&j->in, j->features, n * width, &m))
        return cli_fail("%s: %s", j->in_path, text);
    for (size_t i = 0; i < n * width; i++) {
        if (is_tokens(j)) {
            if (j->integers[i] < 0 || j->integers[i] >= (int64_t)j->info.input_size)
                return cli_fail("%s: step %llu: token %lld, but the vocabulary has %lu", j->in_path,
                                (unsigned long long)(first + i), (long long)j->integers[i],
                                (unsigned long)j->info.input_size);
            j->tokens[i] = (int32_t)j->integers[i];
        } else if (!isfinite(j->features[i])) {
            return cli_fail("%s: step %llu: feature %zu is infinite or not a number", j->in_path,
                            (unsigned long long)(first + i / width), i % width);
        }
    }
    return 0;
}

static int run_piece(job *j, size_t n)
{
    const size_t room = (one_row_in_all(j) ? 1 : n) * j->info.output_size; /* floats at j->rows */
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    b2s6_status status;
    options.workspace = j->workspace;
    options.workspace_size = j->workspace_size;
    options.parallel = thread_pool_parallel(j->on.pool);
    if (j->single_steps && is_tokens(j))
        status = b2s6_step_token(j->state, j->tokens[0], j->rows, j->info.output_size);
    else if (j->single_steps)
        status = b2s6_step_features(j->state, j->features, j->info.input_size, j->rows, j->info.output_size);
    else if (is_tokens(j))
        status = b2s6_run_tokens(j->state, j->tokens, n, j->rows, room, &options);
    else
        status = b2s6_run_features(j->state, j->features, j->info.input_size, n, j->rows, room, &options);
    return status == B2S6_OK ? 0 : cli_fail("%s: %s", j->model_path, b2s6_status_text(status));
}

static int run_all(job *j, FILE *out)
{
    size_t width = j->info.output_size;
    npy_write_header(out, one_row_in_all(j) ? 1 : j->in.rows, width);
    for (uint64_t at = 0; at < j->in.rows; ) {
        size_t n = j->in.rows - at < j->piece ? (size_t)(j->in.rows - at) : j->piece;
        if (read_piece(j, at, n) != 0 || run_piece(j, n) != 0)
            return CLI_FAILED;
        npy_write_floats(out, j->rows, (one_row_in_all(j) ? 1 : n) * width);
        if (ferror(out))
            break;  /* output_close says why */
        at += n;
    }
    return 0;
}

static int run_to_file(job *j)
{
    char text[200];
    message m = { text, sizeof text };
    output o;
    if (output_open(&o, j->out_path, &m) != 0)
        return cli_fail("%s: %s", j->out_path, text);
    if (run_all(j, o.stream) != 0) {
        output_abandon(&o);
        return CLI_FAILED;
    }
    return output_close(&o, &m) == 0 ? 0 : cli_fail("%s: %s", j->out_path, text);
}

static int do_job(job *j, uint64_t chunk)
{
    char text[200];
    message m = { text, sizeof text };
    j->model = cli_open_model_for(j->model_path, j->on.isa);
    if (!j->model)
        return CLI_FAILED;
    j->info.struct_size = sizeof j->info;
    b2s6_model_describe(j->model, &j->info);
    if (j->info.bidirectional && chunk != 0)
        return cli_fail("%s is bidirectional: it needs the whole sequence at once, without --chunk", j->model_path);
    if (npy_open(&j->in, j->in_path, &m) != 0)
        return cli_fail("%s: %s", j->in_path, text);
    if (check_input(j) != 0 || prepare(j, chunk) != 0)
        return CLI_FAILED;
    return run_to_file(j);
}

static void release(job *j)
{
    npy_close(&j->in);
    b2s6_state_destroy(j->state);
    b2s6_model_close(j->model);
    machine_release(&j->on);
    free(j->integers);
    free(j->tokens);
    free(j->features);
    free(j->rows);
    free(j->workspace);
}

static int run(int argc, char **argv)
{
    const char *in = NULL, *out = NULL, *chunk_text = NULL, *threads = NULL, *isa = NULL, *model;
    const cli_option options[] = {
        { "--in", &in, NULL }, { "--out", &out, NULL }, { "--chunk", &chunk_text, NULL }, { "--threads", &threads, NULL },
        { "--isa", &isa, NULL },
    };
    uint64_t chunk = 0;
    job j;
    int status = cli_parse(&verb_run, argc, argv, options, sizeof options / sizeof options[0], &model, 1);
    if (status != 0)
        return status;
    if (!in || !out)
        return cli_usage(&verb_run, "run: %s is missing", in ? "--out" : "--in");
    if (option_number(chunk_text, 1, UINT64_MAX, &chunk) != 0)
        return cli_usage(&verb_run, "run: --chunk %.100s: a number of steps is needed", chunk_text);
    if (cli_same_file(out, in) || cli_same_file(out, model))
        return cli_fail("%s would overwrite what is being read", out);
    memset(&j, 0, sizeof j);
    j.model_path = model;
    j.in_path = in;
    j.out_path = out;
    status = machine_take(&j.on, &verb_run, threads, isa);
    if (status == 0)
        status = do_job(&j, chunk);
    release(&j);
    return status;
}

const cli_verb verb_run = { "run", "run a sequence from a .npy file through a model", help, run };
