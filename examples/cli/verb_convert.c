/* verb_convert.c - b2s6 convert: a trained checkpoint becomes a .b2s6 file */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cli.h"
#include "convert/convert.h"
#include "support/file_bytes.h"
#include "convert/matrix_types.h"
#include "support/output_file.h"

static const char help[] =
    "usage: b2s6 convert SRC DST.b2s6 [--type TYPE] [--states STATES] [--entry NAME=FILE]...\n"
    "\n"
    "Makes a .b2s6 file of a trained checkpoint. SRC is\n"
    "\n"
    "  FILE.safetensors   the state_dict of a B2S6 model (examples/pytorch), with its configuration as\n"
    "                     JSON under the metadata key b2s6\n"
    "  FOLDER             a Hugging Face MambaForCausalLM or Mamba2ForCausalLM, or a Mamba-2 of state-spaces:\n"
    "                     config.json and model.safetensors\n"
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
    "  --entry NAME=FILE   puts FILE's bytes into DST under NAME (at most 23 bytes), for the program that\n"
    "                reads the model: a tokenizer, labels. May be given several times\n";

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

/*
 * Takes every --entry out of the arguments, since it may be given several times, and reads the files. left gets the other
 * arguments. Returns the exit status, with the error printed.
 */
static int take_entries(entry_list *list, int argc, char **argv, char **left, int *n_left)
{
    static const char option[] = "--entry";
    const size_t length = sizeof option - 1;
    int status = 0, ended = 0;
    *n_left = 0;
    for (int i = 0; i < argc && status == 0; i++) {
        ended |= strcmp(argv[i], "--") == 0;
        if (ended || strncmp(argv[i], option, length) != 0 || (argv[i][length] != 0 && argv[i][length] != '='))
            left[(*n_left)++] = argv[i];
        else if (argv[i][length] == '=')
            status = add_entry(list, argv[i] + length + 1);
        else if (i + 1 < argc)
            status = add_entry(list, argv[++i]);
        else
            status = cli_usage(&verb_convert, "convert: --entry needs a value, NAME=FILE");
    }
    return status;
}

/* DST must not be what is being read. */
static int is_source(const char *source, const char *destination)
{
    static const char *const parts[] = { "/config.json", "/model.safetensors" };
    if (cli_same_file(source, destination))
        return 1;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t size = strlen(source) + strlen(parts[i]) + 1;
        char *path = malloc(size);
        int same;
        if (!path)
            return 0;
        snprintf(path, size, "%s%s", source, parts[i]);
        same = cli_same_file(path, destination);
        free(path);
        if (same)
            return 1;
    }
    return 0;
}

/* The line that says what went wrong ends up in m. */
static int write_file(const char *path, const unsigned char *bytes, size_t size, message *m)
{
    output o;
    if (output_open(&o, path, m) != 0)
        return -1;
    fwrite(bytes, 1, size, o.stream);  /* an error stays with the stream until output_close */
    return output_close(&o, m);
}

/* left: the arguments without those of --entry. */
static int run_with(entry_list *list, int n_left, char **left)
{
    const char *operands[2];
    convert_options o = { "f32", NULL, list->entries, list->n };
    const cli_option options[] = { { "--type", &o.type, NULL }, { "--states", &o.states, NULL } };
    unsigned char *bytes;
    size_t size;
    char text[400];
    message m = { text, sizeof text };
    int status = cli_parse(&verb_convert, n_left, left, options, 2, operands, 2);
    if (status != 0)
        return status;
    if (!matrix_types_named(o.type))
        return cli_usage(&verb_convert, "convert: --type %.100s: there is no such type, only f32, f16, q8 and q4", o.type);
    if (o.states && strcmp(o.states, "plain") != 0 && strcmp(o.states, "compensated") != 0)
        return cli_usage(&verb_convert, "convert: --states %.100s: states are plain or compensated", o.states);
    if (named_entries_sort(list->entries, list->n, &m) != 0)
        return cli_usage(&verb_convert, "convert: --entry: %s", text);
    if (is_source(operands[0], operands[1]))
        return cli_fail("%s would overwrite what is being converted", operands[1]);
    for (size_t i = 0; i < list->n; i++)
        if (cli_same_file(list->paths[i], operands[1]))
            return cli_fail("%s would overwrite an entry's file", operands[1]);
    if (convert_checkpoint(operands[0], &o, &bytes, &size, text, sizeof text) != 0)
        return cli_fail("%s: %s", operands[0], text);
    status = write_file(operands[1], bytes, size, &m) != 0 ? cli_fail("%s: %s", operands[1], text) : 0;
    free(bytes);
    return status;
}

static int run(int argc, char **argv)
{
    size_t n = (size_t)argc + 1;
    entry_list list = { calloc(n, sizeof *list.entries), calloc(n, sizeof *list.files), calloc(n, sizeof *list.names),
                        calloc(n, sizeof *list.paths), 0 };
    char **left = calloc(n, sizeof *left);
    int n_left = 0, status;
    if (!list.entries || !list.files || !list.names || !list.paths || !left)
        status = cli_fail("out of memory");
    else
        status = take_entries(&list, argc, argv, left, &n_left);
    if (status == 0)
        status = run_with(&list, n_left, left);
    entries_free(&list);
    free(left);
    return status;
}

const cli_verb verb_convert = { "convert", "make a .b2s6 file of a trained checkpoint", help, run };
