/* verb_generate.c - b2s6 generate: text from a byte model */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <unistd.h>

#include "support/machine_options.h"
#include "support/option_values.h"
#include "text/byte_model.h"
#include "text/sampler.h"

static const char help[] =
    "usage: b2s6 generate MODEL.b2s6 [--prompt TEXT] [-n N] [--temperature T] [--top-k K] [--seed S]\n"
    "                     [--threads N] [--isa NAME]\n"
    "\n"
    "Writes text that a language model of bytes makes up, as it comes. The same options give the same\n"
    "text on every machine.\n"
    "\n"
    "  --prompt TEXT    how the text begins (default: nothing)\n"
    "  -n N             how many bytes to add (default: 500)\n"
    "  --temperature T  below 1 likely bytes become likelier still, above 1 less so; 0: always the\n"
    "                   likeliest; else 0.01 to 100, four decimals at most (default: 0.8)\n"
    "  --top-k K        draw among the K likeliest bytes only, 1 to 256 (default: 256)\n"
    "  --seed S         another number, another text (default: 1)\n"
    "  --threads N      use N threads, 1 to 256 (default: 1); the text is the same\n"
    "  --isa NAME       use this instruction set (see `b2s6 bench --isa list`); the text is the same\n";

/* On a terminal, control bytes must not take effect. */
static void put_byte(unsigned char byte, int terminal)
{
    const int control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    putchar(terminal && control ? '?' : byte);
    if (terminal)
        fflush(stdout);
}

static int read_prompt(byte_stream *s, const char *prompt, message *m)
{
    for (; *prompt; prompt++) {
        if (byte_stream_next(s, NULL, m) != 0)
            return -1;
        byte_stream_take(s, (unsigned char)*prompt);
        put_byte((unsigned char)*prompt, 0);
    }
    return 0;
}

static int generate(byte_stream *s, sampler *draw, const char *prompt, uint64_t n, message *m)
{
    const int terminal = isatty(STDOUT_FILENO);
    float row[BYTE_VALUES];
    if (read_prompt(s, prompt, m) != 0)
        return -1;
    for (; n > 0 && !ferror(stdout); n--) {
        unsigned char byte;
        if (byte_stream_next(s, row, m) != 0)
            return -1;
        byte = sampler_draw(draw, row);
        byte_stream_take(s, byte);
        put_byte(byte, terminal);
    }
    if (terminal)
        putchar('\n');
    return 0;
}

static int open_and_generate(const char *path, const char *isa, const b2s6_parallel *parallel, sampler *draw, const char *prompt, uint64_t n)
{
    char text[300];
    message m = { text, sizeof text };
    b2s6_model *model = byte_model_open(path, isa, &m);
    byte_stream stream;
    int failed = -1;
    if (model && byte_stream_open(&stream, model, 1, parallel, &m) == 0) {
        failed = generate(&stream, draw, prompt, n, &m);
        byte_stream_close(&stream);
    }
    b2s6_model_close(model);
    return failed ? cli_fail("%s: %s", path, text) : 0;
}

static int run(int argc, char **argv)
{
    const char *prompt = "", *temperature = "0.8", *top_k = NULL, *seed = NULL, *n = NULL, *isa = NULL, *threads = NULL,
               *model;
    const cli_option options[] = {
        { "--prompt", &prompt, NULL }, { "--temperature", &temperature, NULL }, { "--top-k", &top_k, NULL },
        { "--seed", &seed, NULL }, { "-n", &n, NULL }, { "--isa", &isa, NULL },
        { "--threads", &threads, NULL },
    };
    uint64_t count = 500, likeliest = BYTE_VALUES;
    sampler draw = { 0, BYTE_VALUES, 1 };
    machine on;
    int status = cli_parse(&verb_generate, argc, argv, options, sizeof options / sizeof options[0], &model, 1);
    if (status != 0)
        return status;
    if (sampler_scale(temperature, &draw.scale) != 0)
        return cli_usage(&verb_generate, "generate: --temperature %.100s: 0, or 0.01 to 100, is needed", temperature);
    if (option_number(top_k, 1, BYTE_VALUES, &likeliest) != 0)
        return cli_usage(&verb_generate, "generate: --top-k %.100s: a number from 1 to 256 is needed", top_k);
    if (option_number(seed, 0, UINT64_MAX, &draw.state) != 0)
        return cli_usage(&verb_generate, "generate: --seed %.100s: a number below 2^64 is needed", seed);
    if (option_number(n, 0, UINT64_MAX, &count) != 0)
        return cli_usage(&verb_generate, "generate: -n %.100s: a number of bytes is needed", n);
    draw.top_k = (unsigned)likeliest;
    status = machine_take(&on, &verb_generate, threads, isa);
    if (status != 0)
        return status;
    status = open_and_generate(model, isa, thread_pool_parallel(on.pool), &draw, prompt, count);
    machine_release(&on);
    return status;
}

const cli_verb verb_generate = { "generate", "write text that a byte model makes up", help, run };
