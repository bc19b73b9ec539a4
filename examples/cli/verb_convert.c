/* verb_convert.c - b2s6 convert: a trained checkpoint becomes a .b2s6 file */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/cli.h"
#include "convert/convert.h"
#include "support/file_bytes.h"
#include "convert/matrix_types.h"
#include "support/output_file.h"
#include "support/progress.h"

static const char help[] =
    "usage: b2s6 convert SRC DST.b2s6 [--type TYPE] [--states STATES] [--tokenizer FILE]\n"
    "                    [--entry NAME=FILE]...\n"
    "\n"
    "Makes a .b2s6 file of a trained checkpoint. SRC is\n"
    "\n"
    "  FILE.safetensors   the state_dict of a B2S6 model (examples/pytorch), with its configuration as\n"
    "                     JSON under the metadata key b2s6\n"
    "  FOLDER             a Hugging Face MambaForCausalLM or Mamba2ForCausalLM, or an original Mamba-1 or\n"
    "                     Mamba-2 of state-spaces/mamba: config.json and the weights, model.safetensors or\n"
    "                     pytorch_model.bin, in one file or in several with their index; and tokenizer.json\n"
    "                     if there is one\n"
    "\n"
    "Weights may be F32, F16, BF16 or F64. Every tensor is checked: there, of the right shape, finite, and\n"
    "of use to the configuration. DST appears complete or not at all.\n"
    "\n"
    "  --type TYPE   how matrices are stored; what steers the recurrence, and biases, is always f32\n"
    "                f32   floats, as they are (the default)\n"
    "                f16   half precision\n"
    "                q8    integers of 8 bits, with a scale for 64 weights of a row\n"
    "                q4    in_proj and out as integers of 4 bits, with a scale for 32; the rest as q8\n"
    "  --states STATES   what a stream keeps of its states; without it, what the checkpoint says\n"
    "                compensated   what roundings lost, too: right over millions of steps (the default)\n"
    "                plain         the states alone: half the memory, somewhat faster\n"
    "  --tokenizer FILE   the tokenizer.json that goes into DST, for `b2s6 generate`, `score` and `tokenize`;\n"
    "                without it FOLDER's own. 'none': no tokenizer, whatever FOLDER has\n"
    "  --entry NAME=FILE   puts FILE's bytes into DST under NAME (at most 23 bytes), for the program that\n"
    "                reads the model: labels, a calibration. May be given several times\n";

/* What --entry brought, with their files. */
typedef struct entry_list {
    named_entry *entries;  /* (n) */
    file_bytes *files;     /* (n) */
    char **names;          /* (n) */
    const char **paths;    /* (n) */
    size_t n;
} entry_list;

static void entries_free(entry_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        file_bytes_release(&list->files[i]);
        free(list->names[i]);
    }
    free(list->entries);
    free(list->files);
    free(list->names);
    free(list->paths);
}

/* One NAME=FILE. Returns the exit status, with the error printed. */
static int add_entry(entry_list *list, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0, i = list->n;
    char problem[300];
    message m = { problem, sizeof problem };
    if (!equals || length == 0 || equals[1] == 0)
        return cli_usage(&verb_convert, "convert: --entry %.200s: it must be NAME=FILE", text);
    list->names[i] = calloc(1, length + 1);
    if (!list->names[i])
        return cli_fail("out of memory");
    memcpy(list->names[i], text, length);
    if (file_bytes_read(&list->files[i], equals + 1, &m) != 0) {
        free(list->names[i]);
        return cli_fail("%s: %s", equals + 1, problem);
    }
    list->paths[i] = equals + 1;
    list->entries[i] = (named_entry){ list->names[i], list->files[i].bytes, list->files[i].size };
    list->n++;
    return 0;
}

/* Names that conversion reads in a folder. */
static int is_part(const char *name)
{
    static const char *const ends[] = { ".json", ".safetensors", ".bin" };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (strlen(name) >= strlen(ends[i]) && strcmp(name + strlen(name) - strlen(ends[i]), ends[i]) == 0)
            return 1;
    return 0;
}

/* DST must not be what is being read: a folder's config.json, the weights or the tokenizer beside it. */
static int is_source(const char *source, const char *destination)
{
    DIR *folder;
    int same = cli_same_file(source, destination);
    if (same || !(folder = opendir(source)))
        return same;
    for (struct dirent *e; !same && (e = readdir(folder)); ) {
        size_t size = strlen(source) + strlen(e->d_name) + 2;
        char *path = malloc(size);
        if (!path)
            break;
        snprintf(path, size, "%s/%s", source, e->d_name);
        same = is_part(e->d_name) && cli_same_file(path, destination);
        free(path);
    }
    closedir(folder);
    return same;
}

/* ---------------------------------------------------------------------------------------------------------------- writing */

/* DST, opened when the conversion begins to write. */
typedef struct destination {
    const char *path;
    output file;
    int open;
    uint64_t at;       /* where the next byte would go */
} destination;

static int begin_file(void *context, uint64_t size, message *m)
{
    destination *d = context;
    (void)size;
    d->open = output_open(&d->file, d->path, m) == 0;
    return d->open ? 0 : -1;
}

static int put_file(void *context, uint64_t offset, const unsigned char *bytes, size_t n, message *m)
{
    destination *d = context;
    if ((offset != d->at && fseeko(d->file.stream, (off_t)offset, SEEK_SET) != 0) || fwrite(bytes, 1, n, d->file.stream) != n)
        return complain(m, "cannot be written: %s", strerror(errno));
    d->at = offset + n;
    return 0;
}

static void show(void *context, uint64_t done, uint64_t total)
{
    progress *bar = context;
    if (bar->total != total)
        progress_begin(bar, total);
    progress_update(bar, done, done);
}

/* A regular file, or one that will be: the header can be written last. */
static int can_seek(const char *path)
{
    struct stat status;
    return stat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

/* "123.4 MB" */
static void name_size(uint64_t bytes, char *text, size_t size)
{
    if (bytes < 100000)
        snprintf(text, size, "%.1f kB", 1e-3 * (double)bytes);
    else if (bytes < 1000000000)
        snprintf(text, size, "%.1f MB", 1e-6 * (double)bytes);
    else
        snprintf(text, size, "%.2f GB", 1e-9 * (double)bytes);
}

/* Writes DST as it is made, and says in the end what that was. Returns the exit status. */
static int convert_to_file(const char *source, const char *path, const char *tokenizer, const convert_options *o)
{
    destination d = { .path = path };
    const byte_sink sink = { begin_file, put_file, &d };
    progress bar = { 0 };
    const convert_watch watch = { show, &bar };
    char text[400], report[300], size_text[40];
    message m = { text, sizeof text };
    struct stat status;
    int failed = convert_into(source, tokenizer, o, &sink, &watch, report, sizeof report, text, sizeof text);
    progress_end(&bar);
    if (failed && d.open)
        output_abandon(&d.file);
    if (failed)
        return cli_fail("%s: %s", strncmp(text, "cannot be written", 17) == 0 ? path : source, text);
    if (output_close(&d.file, &m) != 0)
        return cli_fail("%s: %s", path, text);
    name_size(stat(path, &status) == 0 ? (uint64_t)status.st_size : 0, size_text, sizeof size_text);
    printf("%s: %s, %s\n", path, report, size_text);
    return 0;
}

/* What cannot be written but from the first byte to the last, a pipe for example, is made in memory. */
static int convert_to_pipe(const char *source, const char *path, const char *tokenizer, const convert_options *o)
{
    unsigned char *bytes;
    size_t size;
    char text[400];
    message m = { text, sizeof text };
    output out;
    int failed;
    if (convert_checkpoint_with(source, tokenizer, o, &bytes, &size, text, sizeof text) != 0)
        return cli_fail("%s: %s", source, text);
    failed = output_open(&out, path, &m) != 0;
    if (!failed) {
        fwrite(bytes, 1, size, out.stream);  /* an error stays with the stream until output_close */
        failed = output_close(&out, &m) != 0;
    }
    free(bytes);
    return failed ? cli_fail("%s: %s", path, text) : 0;
}

/* Which files would be lost if DST were written. Returns the exit status, with the error printed. */
static int check_destination(const char *source, const char *path, const char *tokenizer, const entry_list *list)
{
    if (is_source(source, path))
        return cli_fail("%s would overwrite what is being converted", path);
    if (tokenizer && cli_same_file(tokenizer, path))
        return cli_fail("%s would overwrite the tokenizer", path);
    for (size_t i = 0; i < list->n; i++)
        if (cli_same_file(list->paths[i], path))
            return cli_fail("%s would overwrite an entry's file", path);
    return 0;
}

/* argv: the arguments without those of --entry. */
static int run_with(entry_list *list, int argc, char **argv)
{
    const char *operands[2], *tokenizer = NULL, *entry = NULL; /* --entry has been taken; here for its name */
    convert_options o = { "f32", NULL, list->entries, list->n };
    const cli_option options[] = {
        { "--type", &o.type, NULL }, { "--states", &o.states, NULL }, { "--tokenizer", &tokenizer, NULL },
        { "--entry", &entry, NULL },
    };
    char text[400];
    message m = { text, sizeof text };
    int status = cli_parse(&verb_convert, argc, argv, options, sizeof options / sizeof options[0], operands, 2);
    if (status != 0)
        return status;
    if (!matrix_types_named(o.type))
        return cli_usage(&verb_convert, "convert: --type %.100s: there is no such type, only f32, f16, q8 and q4", o.type);
    if (o.states && strcmp(o.states, "plain") != 0 && strcmp(o.states, "compensated") != 0)
        return cli_usage(&verb_convert, "convert: --states %.100s: states are plain or compensated", o.states);
    if (named_entries_sort(list->entries, list->n, &m) != 0)
        return cli_usage(&verb_convert, "convert: --entry: %s", text);
    status = check_destination(operands[0], operands[1], tokenizer, list);
    if (status != 0)
        return status;
    return can_seek(operands[1]) ? convert_to_file(operands[0], operands[1], tokenizer, &o)
                                 : convert_to_pipe(operands[0], operands[1], tokenizer, &o);
}

static int run(int argc, char **argv)
{
    const size_t room = (size_t)argc + 1;
    entry_list list = { calloc(room, sizeof *list.entries), calloc(room, sizeof *list.files), calloc(room, sizeof *list.names),
                        calloc(room, sizeof *list.paths), 0 };
    const char **texts = calloc(room, sizeof *texts); /* NAME=FILE each */
    size_t n = 0;
    int status;
    if (!list.entries || !list.files || !list.names || !list.paths || !texts)
        status = cli_fail("out of memory");
    else
        status = cli_take_repeated(&verb_convert, "--entry", &argc, argv, texts, &n);
    for (size_t i = 0; i < n && status == 0; i++)
        status = add_entry(&list, texts[i]);
    if (status == 0)
        status = run_with(&list, argc, argv);
    entries_free(&list);
    free(texts);
    return status;
}

const cli_verb verb_convert = { "convert", "make a .b2s6 file of a trained checkpoint", help, run };
