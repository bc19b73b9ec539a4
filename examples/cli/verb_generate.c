/* verb_generate.c - b2s6 generate: text from a language model */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/file_bytes.h"
#include "support/machine_options.h"
#include "support/option_values.h"
#include "support/terminal.h"
#include "text/generate.h"

static const char help[] =
    "usage: b2s6 generate MODEL.b2s6 [--prompt TEXT] [--prompt-file FILE] [--plain] [-n N]\n"
    "                     [--temperature T] [--top-k K] [--top-p P] [--min-p P]\n"
    "                     [--repetition-penalty R] [--stop TEXT]... [--seed S] [--state FILE]\n"
    "                     [--threads N] [--isa NAME]\n"
    "\n"
    "Writes text that a language model makes up, as it comes, after the prompt. The model reads the tokens\n"
    "of the tokenizer in its file (see `b2s6 convert`), or bytes. The same options give the same text on\n"
    "every machine. A token that ends a text ends it here, too.\n"
    "\n"
    "  --prompt TEXT    how the text begins (default: nothing)\n"
    "  --prompt-file FILE   the same from a file, after that of --prompt; '-' is standard input\n"
    "  --plain          control tokens that are written out in the prompt (<|endoftext|>) are mere text\n"
    "  -n N             how many tokens to add at most (default: 500)\n"
    "  --temperature T  below 1 likely tokens become likelier still, above 1 less so; 0: always the\n"
    "                   likeliest; else 0.01 to 100 (default: 0.8)\n"
    "  --top-k K        draw among the K likeliest tokens only (default: all)\n"
    "  --top-p P        among the likeliest, as many as have the share P of the probability, 0 to 1\n"
    "  --min-p P        among those at least P times as likely as the likeliest, 0 to 1\n"
    "  --repetition-penalty R   above 1 the tokens among the last 64 become less likely, 0.01 to 100\n"
    "                   (default: 1)\n"
    "  --stop TEXT      stop before this text; may be given several times\n"
    "  --seed S         another number, another text (default: 1)\n"
    "  --state FILE     go on where FILE was saved, if there is one, and save it at the end; the prompt may\n"
    "                   be empty then, and without --seed the random numbers go on, too\n"
    "  --threads N      use N threads, 1 to 256 (default: 1); the text is the same\n"
    "  --isa NAME       use this instruction set (see `b2s6 bench --isa list`); the text is the same\n";

/* What the options say, as text and as numbers. */
typedef struct options {
    const char *model, *prompt, *prompt_file, *n, *temperature, *top_k, *top_p, *min_p, *penalty, *seed, *state,
               *threads, *isa;
    int plain;
    uint64_t seed_number;
    generate_job job;
    const char **stops;  /* (n_stops) */
    size_t n_stops;
} options;

/* How fast it was, for whoever sits at a terminal: in one line, or two if it is narrow. */
static void print_report(const generate_report *r, size_t columns)
{
    char prompt[80], text[80] = "";
    snprintf(prompt, sizeof prompt, "prompt: %llu tokens in %.2f s", (unsigned long long)r->n_prompt, r->prompt_seconds);
    if (r->n_added > 1 && r->seconds > 0)
        snprintf(text, sizeof text, "then %.1f tokens per second", (double)(r->n_added - 1) / r->seconds);
    fprintf(stderr, "%s%s%s\n", prompt, !*text ? "" : strlen(prompt) + strlen(text) + 2 < columns ? "; " : "\n", text);
}

static int generate_with(options *o, text_model *model, const b2s6_parallel *parallel)
{
    char text[400];
    message m = { text, sizeof text };
    generate_report report;
    text_output out;
    int failed;
    o->job.model = model;
    o->job.parallel = parallel;
    text_output_begin(&out, stdout, o->stops, o->n_stops);
    failed = generate(&o->job, &out, &report, &m);
    text_output_end(&out);
    if (failed)
        return cli_fail("%s: %s", o->model, text);
    if (terminal_columns(STDERR_FILENO) > 0)
        print_report(&report, terminal_columns(STDERR_FILENO));
    return 0;
}

static int open_and_generate(options *o, const b2s6_parallel *parallel)
{
    char text[400];
    message m = { text, sizeof text };
    text_model model;
    int status;
    if (text_model_open(&model, o->model, o->isa, &m) != 0)
        return cli_fail("%s: %s", o->model, text);
    status = generate_with(o, &model, parallel);
    text_model_close(&model);
    return status;
}

/* ---------------------------------------------------------------------------------------------------------------- options */

static int check_numbers(options *o)
{
    b2s6_sampling *how = &o->job.how;
    uint64_t top_k = 0;
    const struct {
        const char *name, *text, *needed;
        int failed;
    } numbers[] = {
        { "--temperature", o->temperature, "0, or 0.01 to 100,", option_real(o->temperature, 0, 100, &how->temperature) != 0 ||
          (how->temperature > 0 && how->temperature < 0.01f) },
        { "--top-k", o->top_k, "a number from 1 to 2147483647", option_number(o->top_k, 1, INT32_MAX, &top_k) },
        { "--top-p", o->top_p, "0 to 1", option_real(o->top_p, 0, 1, &how->top_p) },
        { "--min-p", o->min_p, "0 to 1", option_real(o->min_p, 0, 1, &how->min_p) },
        { "--repetition-penalty", o->penalty, "0.01 to 100", option_real(o->penalty, 0.01, 100, &how->repetition_penalty) },
        { "--seed", o->seed, "a number below 2^64", option_number(o->seed, 0, UINT64_MAX, &o->seed_number) },
        { "-n", o->n, "a number of tokens", option_number(o->n, 0, UINT64_MAX, &o->job.n) },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].failed)
            return cli_usage(&verb_generate, "generate: %s %.100s: %s is needed", numbers[i].name, numbers[i].text,
                             numbers[i].needed);
    how->top_k = (uint32_t)top_k;
    for (size_t i = 0; i < o->n_stops; i++)
        if (*o->stops[i] == 0)
            return cli_usage(&verb_generate, "generate: --stop: a text is needed");
    return 0;
}

static int parse(options *o, int argc, char **argv)
{
    const char *stop = NULL; /* which has been taken; here for the sake of its name */
    const cli_option known[] = {
        { "--prompt", &o->prompt, NULL }, { "--prompt-file", &o->prompt_file, NULL }, { "--plain", NULL, &o->plain },
        { "-n", &o->n, NULL }, { "--temperature", &o->temperature, NULL }, { "--top-k", &o->top_k, NULL },
        { "--top-p", &o->top_p, NULL }, { "--min-p", &o->min_p, NULL }, { "--repetition-penalty", &o->penalty, NULL },
        { "--seed", &o->seed, NULL }, { "--state", &o->state, NULL }, { "--threads", &o->threads, NULL },
        { "--isa", &o->isa, NULL }, { "--stop", &stop, NULL },
    };
    int status = cli_take_repeated(&verb_generate, "--stop", &argc, argv, o->stops, &o->n_stops);
    if (status == 0)
        status = cli_parse(&verb_generate, argc, argv, known, sizeof known / sizeof known[0], &o->model, 1);
    if (status == 0)
        status = check_numbers(o);
    o->job.plain = o->plain;
    o->job.seed = o->seed ? &o->seed_number : NULL;
    o->job.state_path = o->state;
    return status;
}

/* --prompt, then the file. *bytes is from malloc. Returns the exit status, with the error printed. */
static int take_prompt(options *o, char **bytes)
{
    const int piped = o->prompt_file && strcmp(o->prompt_file, "-") == 0;
    const size_t length = strlen(o->prompt);
    char text[300];
    message m = { text, sizeof text };
    file_bytes file = { NULL, 0, NULL, NULL };
    if (o->prompt_file && file_bytes_read(&file, piped ? "/dev/stdin" : o->prompt_file, &m) != 0)
        return cli_fail("%s: %s", piped ? "standard input" : o->prompt_file, text);
    *bytes = file.size < SIZE_MAX - length ? malloc(length + file.size + 1) : NULL;
    if (*bytes) {
        memcpy(*bytes, o->prompt, length);
        if (file.size > 0)
            memcpy(*bytes + length, file.bytes, file.size);
    }
    o->job.prompt = *bytes;
    o->job.prompt_size = length + file.size;
    file_bytes_release(&file);
    return *bytes ? 0 : cli_fail("out of memory");
}

static int run(int argc, char **argv)
{
    options o = { .prompt = "", .seed_number = 1 };
    char *prompt = NULL;
    machine on;
    int status;
    o.job.n = 500;
    o.job.how = (b2s6_sampling)B2S6_SAMPLING;
    o.job.how.temperature = 0.8f;
    o.stops = calloc((size_t)argc + 1, sizeof *o.stops);
    status = o.stops ? parse(&o, argc, argv) : cli_fail("out of memory");
    if (status == 0)
        status = take_prompt(&o, &prompt);
    if (status == 0)
        status = machine_take(&on, &verb_generate, o.threads, o.isa);
    if (status == 0) {
        status = open_and_generate(&o, thread_pool_parallel(on.pool));
        machine_release(&on);
    }
    free(prompt);
    free(o.stops);
    return status;
}

const cli_verb verb_generate = { "generate", "write text that a language model makes up", help, run };
