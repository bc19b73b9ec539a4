/* verb_compress.c - b2s6 compress and b2s6 decompress */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compress/compress.h"
#include "support/cli.h"
#include "support/machine_options.h"
#include "support/output_file.h"
#include "text/byte_model.h"

static const char compress_help[] =
    "usage: b2s6 compress MODEL.b2s6 FILE OUT [--threads N] [--isa NAME]\n"
    "\n"
    "Compresses a file without loss, with the predictions of a language model of bytes. '-' is standard\n"
    "input or output. Any file comes back as it was; text like the model's training text shrinks most, and\n"
    "a file that the model cannot predict grows by less than one part in a thousand and 24 bytes.\n"
    "\n"
    "Each byte takes a step of the model: this is for small files and narrow links, not for speed. The\n"
    "memory does not grow with the file. OUT appears complete or not at all.\n"
    "\n"
    "  --threads N  use N threads, 1 to 256 (default: 1); the compressed file is the same\n"
    "  --isa NAME   use this instruction set (see `b2s6 bench --isa list`); the file is the same\n";

static const char decompress_help[] =
    "usage: b2s6 decompress MODEL.b2s6 FILE OUT [--threads N] [--isa NAME]\n"
    "\n"
    "Restores the file that `b2s6 compress` read. It needs the same model file, byte for byte; the\n"
    "machine may be another one. '-' is standard input or output. A file that is damaged, cut short or made\n"
    "with another model is refused. OUT appears complete or not at all; on standard output, what was\n"
    "written before damage was found has to be thrown away if the exit status is not 0.\n"
    "\n"
    "  --threads N  use N threads, 1 to 256 (default: 1); the content is the same\n"
    "  --isa NAME   use this instruction set (see `b2s6 bench --isa list`); the content is the same\n";

typedef int work(compress_job *j, message *m);

static int is_stream(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* The work with its bar, and a word about the outcome for a person who watches. */
static int watched(work *do_work, compress_job *j, message *m)
{
    progress bar;
    int failed;
    progress_begin(&bar, bytes_to_read(j->in));
    j->bar = &bar;
    failed = do_work(j, m);
    progress_end(&bar);
    if (!failed && isatty(STDERR_FILENO))
        fprintf(stderr, "%llu -> %llu bytes, %.1f s\n", (unsigned long long)j->n_in, (unsigned long long)j->n_out,
                seconds_now() - bar.started);
    return failed;
}

static int to_output(work *do_work, compress_job *j, const char *out_path)
{
    char text[1000];
    message m = { text, sizeof text };
    output o;
    if (is_stream(out_path)) {
        j->out = stdout;
        return watched(do_work, j, &m) == 0 ? 0 : cli_fail("%s", text);
    }
    if (output_open(&o, out_path, &m) != 0)
        return cli_fail("%s: %s", out_path, text);
    j->out = o.stream;
    if (watched(do_work, j, &m) != 0) {
        output_abandon(&o);
        return cli_fail("%s", text);
    }
    return output_close(&o, &m) == 0 ? 0 : cli_fail("%s: %s", out_path, text);
}

static int with_model(work *do_work, compress_job *j, const char *const *operands, const char *isa)
{
    const char *in_path = operands[1], *out_path = operands[2];
    char text[300];
    message m = { text, sizeof text };
    int status;
    b2s6_model *model = byte_model_open(operands[0], isa, &m);
    if (!model)
        return cli_fail("%s: %s", operands[0], text);
    j->model = model;
    j->run = BYTE_RUN;
    j->in = is_stream(in_path) ? stdin : fopen(in_path, "rb");
    j->in_name = is_stream(in_path) ? "standard input" : in_path;
    j->out_name = is_stream(out_path) ? "standard output" : out_path;
    status = j->in ? to_output(do_work, j, out_path) : cli_fail("%s: %s", in_path, strerror(errno));
    if (j->in && j->in != stdin)
        fclose(j->in);
    b2s6_model_close(model);
    return status;
}

static int run(const cli_verb *verb, work *do_work, int argc, char **argv)
{
    const char *isa = NULL, *threads = NULL, *operands[3];
    const cli_option options[] = { { "--isa", &isa, NULL }, { "--threads", &threads, NULL } };
    compress_job j = { 0 };
    machine on;
    int status = cli_parse(verb, argc, argv, options, sizeof options / sizeof options[0], operands, 3);
    if (status != 0)
        return status;
    if (!is_stream(operands[2]) && (cli_same_file(operands[2], operands[1]) || cli_same_file(operands[2], operands[0])))
        return cli_fail("%s would overwrite what is being read", operands[2]);
    if (is_stream(operands[2]) && do_work == compress && isatty(STDOUT_FILENO))
        return cli_fail("standard output is a terminal, and compressed data are not for reading");
    status = machine_take(&on, verb, threads, isa);
    if (status != 0)
        return status;
    j.parallel = thread_pool_parallel(on.pool);
    status = with_model(do_work, &j, operands, isa);
    machine_release(&on);
    return status;
}

static int run_compress(int argc, char **argv)
{
    return run(&verb_compress, compress, argc, argv);
}

static int run_decompress(int argc, char **argv)
{
    return run(&verb_decompress, decompress, argc, argv);
}

const cli_verb verb_compress = { "compress", "compress a file with the predictions of a byte model", compress_help,
                                 run_compress };
const cli_verb verb_decompress = { "decompress", "restore a compressed file", decompress_help,
                                   run_decompress };
