/* verb_convert.c - b2s6 convert: a trained checkpoint becomes a .b2s6 file */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/convert.h"
#include "convert/matrix_types.h"
#include "support/cli.h"
#include "support/output_file.h"

static const char help[] =
    "usage: b2s6 convert SRC DST.b2s6 [--type TYPE]\n"
    "\n"
    "Makes a .b2s6 file of a trained checkpoint. SRC is\n"
    "\n"
    "  FILE.safetensors   the state_dict of a B2S6 model (examples/pytorch), with its configuration as\n"
    "                     JSON under the metadata key b2s6\n"
    "  FOLDER             a Hugging Face MambaForCausalLM: config.json and model.safetensors\n"
    "\n"
    "Weights may be F32, F16, BF16 or F64. Every tensor is checked: there, of the right shape, finite, and\n"
    "of use to the configuration. DST appears complete or not at all.\n"
    "\n"
    "  --type TYPE   how matrices are stored; what steers the recurrence, and biases, is always f32\n"
    "                f32   floats, as they are (the default)\n"
    "                f16   half precision\n"
    "                q8    integers of 8 bits, with a scale for 64 weights of a row\n"
    "                q4    in_proj and out as integers of 4 bits, with a scale for 32; the rest as q8\n";

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

static int run(int argc, char **argv)
{
    const char *operands[2], *type = "f32";
    const cli_option options[] = { { "--type", &type, NULL } };
    unsigned char *bytes;
    size_t size;
    char text[400];
    message m = { text, sizeof text };
    int status = cli_parse(&verb_convert, argc, argv, options, 1, operands, 2);
    if (status != 0)
        return status;
    if (!matrix_types_named(type))
        return cli_usage(&verb_convert, "convert: --type %.100s: there is no such type, only f32, f16, q8 and q4", type);
    if (is_source(operands[0], operands[1]))
        return cli_fail("%s would overwrite what is being converted", operands[1]);
    if (convert_checkpoint(operands[0], type, &bytes, &size, text, sizeof text) != 0)
        return cli_fail("%s: %s", operands[0], text);
    status = write_file(operands[1], bytes, size, &m) != 0 ? cli_fail("%s: %s", operands[1], text) : 0;
    free(bytes);
    return status;
}

const cli_verb verb_convert = { "convert", "make a .b2s6 file of a trained checkpoint", help, run };
