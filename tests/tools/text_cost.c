/*
 * text_cost.c - what `generate` takes beside the library's own run and steps, in turns, so that a busy machine slows both
 *
 *     make build/tests/text_cost && build/tests/text_cost MODEL.b2s6 [TURNS]
 *
 * Time to the first token: a prompt of 512 tokens through generate, with its tokenizing, its stream and drawing, against a run
 * of 512 steps that answers to the last one, on a state and a workspace that have been used before, as bench does it. Text: 64
 * tokens of generate after a prompt of one character, against as many steps. CPU seconds of one thread, medians of pairs. A
 * model in the shape of Mamba-130M is to take at most 5 % more in both; exit status 1 if it does not, or a small model. For a
 * model with a tokenizer, or of bytes.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "b2s6.h"
#include "examples/cli/text/generate.h"
#include "examples/cli/text/text_model.h"
#include "examples/cli/text/text_output.h"
#include "examples/cli/text/tokenizer/token_list.h"

enum { PROMPT = 512, TEXT = 64, MOST_TURNS = 999 };

/* A prompt and what both ways need. */
typedef struct subject {
    text_model text;
    token_list ids;         /* (PROMPT) */
    char *prompt;           /* (prompt_size), the text of these ids */
    size_t prompt_size;
    b2s6_state *state;
    b2s6_run_options options;
    float *row;             /* (width) */
    FILE *nowhere;
} subject;

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "text_cost: %s\n", what);
    exit(2);
}

static double seconds_of_work(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *samples, size_t n)
{
    qsort(samples, n, sizeof *samples, ascending);
    return samples[n / 2];
}

/* The shortest prefix of a text that goes on and on with PROMPT tokens. */
static void make_prompt(subject *s)
{
    static const char words[] = "The library reads 512 tokens of a prompt at once, then it steps; each number is as it was. ";
    char line[200];
    message m = { line, sizeof line };
    const size_t most = 20 * PROMPT;
    s->prompt = malloc(most);
    check(s->prompt != NULL, "out of memory");
    for (size_t i = 0; i < most; i++)
        s->prompt[i] = words[i % (sizeof words - 1)];
    for (s->prompt_size = 1; s->prompt_size < most; s->prompt_size++) {
        s->ids.n = 0;
        check(text_encode(&s->text, &s->ids, s->prompt, s->prompt_size, 0, &m) == 0, line);
        if (s->ids.n == PROMPT)
            return;
    }
    check(0, "no prefix of the prompt has 512 tokens");
}

static void open_subject(subject *s, const char *path)
{
    char line[400];
    message m = { line, sizeof line };
    void *workspace;
    memset(s, 0, sizeof *s);
    check(text_model_open(&s->text, path, NULL, &m) == 0, line);
    make_prompt(s);
    s->options = (b2s6_run_options)B2S6_RUN_OPTIONS;
    s->options.flags = B2S6_RUN_LAST;
    s->options.workspace_size = b2s6_workspace_size(s->text.model, PROMPT);
    check(posix_memalign(&workspace, B2S6_ALIGNMENT, s->options.workspace_size) == 0, "out of memory");
    s->options.workspace = workspace;
    s->row = malloc(s->text.width * sizeof *s->row);
    s->nowhere = fopen("/dev/null", "w");
    check(s->row && s->nowhere && b2s6_state_create(&s->state, s->text.model, NULL) == B2S6_OK, "out of memory");
}

static void close_subject(subject *s)
{
    b2s6_state_destroy(s->state);
    fclose(s->nowhere);
    free(s->row);
    free(s->options.workspace);
    free(s->ids.ids);
    free(s->prompt);
    text_model_close(&s->text);
}

/* The program's way: n tokens after the prompt's first bytes. */
static double by_generate(subject *s, size_t prompt_size, uint64_t n)
{
    static const uint64_t seed = 1;
    char line[200];
    message m = { line, sizeof line };
    generate_report report;
    text_output out;
    text_model endless = s->text; /* no token ends it: every text is as long as the others */
    generate_job job = { .model = &endless, .prompt = s->prompt, .prompt_size = prompt_size, .n = n, .how = B2S6_SAMPLING,
                         .seed = &seed };
    const double began = seconds_of_work();
    endless.n_ends = 0;
    job.how.temperature = 0.8f;
    text_output_begin(&out, s->nowhere, NULL, 0);
    check(generate(&job, &out, &report, &m) == 0, line);
    text_output_end(&out);
    check(report.n_prompt == (prompt_size == 1 ? 1 : PROMPT) && report.n_added == n, "generate took other tokens");
    return seconds_of_work() - began;
}

static double by_run(subject *s)
{
    const double began = seconds_of_work();
    b2s6_state_reset(s->state);
    check(b2s6_run_tokens(s->state, s->ids.ids, PROMPT, s->row, s->text.width, &s->options) == B2S6_OK, "a run failed");
    return seconds_of_work() - began;
}

static double by_steps(subject *s, size_t n)
{
    const double began = seconds_of_work();
    for (size_t i = 0; i < n; i++)
        check(b2s6_step_token(s->state, s->ids.ids[i], s->row, s->text.width) == B2S6_OK, "a step failed");
    return seconds_of_work() - began;
}

/* Prints what the second way takes more than the first. 1 if that is over 5 %. */
static int report(const char *what, double *first, double *second, double *part, size_t n)
{
    const double more = median(part, n) - 1;
    printf("  %-28s %9.3f ms, the library alone %9.3f ms: %+.1f %%\n", what, 1e3 * median(second, n), 1e3 * median(first, n),
           100 * more);
    return more > 0.05;
}

int main(int argc, char **argv)
{
    const size_t turns = argc > 2 ? strtoul(argv[2], NULL, 10) : 15;
    double library[MOST_TURNS], program[MOST_TURNS], part[MOST_TURNS];
    double steps[MOST_TURNS], text[MOST_TURNS], text_part[MOST_TURNS];
    subject s;
    int status;
    check(argc >= 2 && turns >= 1 && turns <= MOST_TURNS, "usage: text_cost MODEL.b2s6 [TURNS]");
    open_subject(&s, argv[1]);
    by_run(&s);  /* warms up */
    for (size_t i = 0; i < turns; i++) {
        for (int way = 0; way < 2; way++) { /* each goes first every other time */
            if ((way + (int)i) % 2 == 0) {
                library[i] = by_run(&s);
                steps[i] = by_steps(&s, TEXT) / TEXT;
            } else {
                program[i] = by_generate(&s, s.prompt_size, 1);
                text[i] = by_generate(&s, 1, TEXT) / TEXT;
            }
        }
        part[i] = program[i] / library[i];
        text_part[i] = text[i] / steps[i];
    }
    printf("%s, %s\n", argv[1], b2s6_model_isa(s.text.model));
    status = report("the first token", library, program, part, turns);
    status |= report("a token of text", steps, text, text_part, turns);
    close_subject(&s);
    return status;
}
