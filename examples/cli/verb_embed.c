/* verb_embed.c - b2s6 embed: a model as a C array, with what it needs as macros */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/c_array.h"
#include "support/cli.h"
#include "support/file_bytes.h"
#include "support/option_values.h"
#include "support/output_file.h"

static const char help[] =
    "usage: b2s6 embed MODEL.b2s6 OUT.c [--name NAME] [--steps N]\n"
    "\n"
    "Writes the model as a constant array to OUT.c, and beside it OUT.h with the sizes of the handle, the\n"
    "state and the stack as macros: a program reserves its memory when it is compiled, and does not compile\n"
    "where the model does not fit the library.\n"
    "\n"
    "  --name NAME   what the array and the macros begin with: NAME_model, NAME_STATE_SIZE in capitals;\n"
    "                without it the name of OUT.c\n"
    "  --steps N     also the size of the workspace of a run of N steps, which a bidirectional model needs\n";

/* OUT.c without its ending; NULL if that is another one. */
static char *stem_of(const char *path)
{
    size_t length = strlen(path);
    char *stem;
    if (length < 3 || strcmp(path + length - 2, ".c") != 0)
        return NULL;
    stem = malloc(length + 1);
    if (stem)
        snprintf(stem, length + 1, "%.*s", (int)(length - 2), path);
    return stem;
}

/* What #include "..." takes on every compiler. */
static int is_plain(const char *name)
{
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("._-+", *name))
            return 0;
    return 1;
}

static int is_identifier(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return 0;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return 0;
    return 1;
}

/* The file's name, with what an identifier does not allow as an underscore. */
static const char *name_from(char *name, size_t size, const char *stem)
{
    const char *slash = strrchr(stem, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : stem);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    if (isdigit((unsigned char)*name))
        *name = '_';
    return name;
}

static int write_part(const char *stem, const char *ending, void (*write)(FILE *f, const embedding *e), const embedding *e,
                      message *m)
{
    size_t size = strlen(stem) + strlen(ending) + 1;
    char *path = malloc(size);
    output o;
    int failed = -1;
    if (!path)
        return complain(m, "out of memory");
    snprintf(path, size, "%s%s", stem, ending);
    if (output_open(&o, path, m) == 0) {
        write(o.stream, e);
        failed = output_close(&o, m);
    }
    free(path);
    return failed;
}

/* What an embedding is made of, out of an open model. */
static int describe(embedding *e, const b2s6_model *model, const file_bytes *file, message *m)
{
    e->bytes = file->bytes;
    e->size = file->size;
    e->model = model;
    e->info.struct_size = sizeof e->info;
    if (b2s6_model_describe(model, &e->info) != B2S6_OK)
        return complain(m, "the model cannot be described");
    e->state_size = b2s6_state_size(model);
    e->workspace_size = e->steps ? b2s6_workspace_size(model, e->steps) : 0;
    if (e->workspace_size == SIZE_MAX)
        return complain(m, "a run of so many steps needs more memory than there is");
    return 0;
}

static int embed(embedding *e, const char *path, const char *stem)
{
    char text[500];
    message m = { text, sizeof text };
    file_bytes file;
    b2s6_model *model = cli_open_model(path);
    int failed;
    if (!model)
        return CLI_FAILED;
    failed = file_bytes_read(&file, path, &m);
    if (!failed) {
        failed = describe(e, model, &file, &m) || write_part(stem, ".h", embed_header, e, &m) ||
                 write_part(stem, ".c", embed_source, e, &m);
        file_bytes_release(&file);
    }
    b2s6_model_close(model);
    return failed ? cli_fail("%s", text) : 0;
}

static int run(int argc, char **argv)
{
    const char *operands[2], *name = NULL, *steps = NULL;
    const cli_option options[] = { { "--name", &name, NULL }, { "--steps", &steps, NULL } };
    char name_of_file[200], *stem;
    uint64_t n_steps = 0;
    embedding e;
    int status = cli_parse(&verb_embed, argc, argv, options, sizeof options / sizeof options[0], operands, 2);
    if (status)
        return status;
    memset(&e, 0, sizeof e);
    if (option_number(steps, 1, UINT32_MAX, &n_steps) != 0)
        return cli_usage(&verb_embed, "embed: --steps must be a number from 1 to 4294967295");
    if (name && (!is_identifier(name) || strlen(name) >= sizeof name_of_file))
        return cli_usage(&verb_embed, "embed: %.200s is not a name in C", name);
    e.steps = (size_t)n_steps;
    stem = stem_of(operands[1]);
    if (!stem)
        return cli_usage(&verb_embed, "embed: %.200s does not end in .c", operands[1]);
    e.name = name ? name : name_from(name_of_file, sizeof name_of_file, stem);
    e.source = operands[0];
    e.header = strrchr(stem, '/') ? strrchr(stem, '/') + 1 : stem;
    status = is_plain(e.header) ? embed(&e, operands[0], stem)
                                : cli_usage(&verb_embed, "embed: %.200s is no name for a header", e.header);
    free(stem);
    return status;
}

const cli_verb verb_embed = { "embed", "write a model as a C array, for firmware", help, run };
