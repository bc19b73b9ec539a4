/* verb_info.c - b2s6 info: what a model is and what it takes */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "support/cli.h"
#include "support/file_bytes.h"
#include "support/reflow.h"

static const char help[] =
    "usage: b2s6 info MODEL.b2s6 [--json]\n"
    "\n"
    "Says what a model is: input and output, layers, the unit and its options, the number of parameters,\n"
    "metadata, the memory that it needs, and the instruction sets that there are kernels for.\n"
    "\n"
    "  --json   the same for programs\n";

static const char *const norm_names[] = { "none", "layer", "rms", "batch" };
static const char *const pool_names[] = { "none", "mean", "last" };
static const char *const scope_names[] = { "", "layer", "block", "channel", "head" };
static const char *const delta_names[] = { "", "block", "lowrank", "constant", "input" };
static const char *const block_names[] = { "", "s4", "mamba", "mamba2", "mlp" };
static const char *const gated_norm_names[] = { "none", "after", "before" };
static const size_t workspace_steps[] = { 64, 1024, 16384 };

#define N_WORKSPACES (sizeof workspace_steps / sizeof workspace_steps[0])

/* What is shown, besides the model itself. */
typedef struct facts {
    const char *path;
    const b2s6_model *model;
    b2s6_model_info info;
    size_t handle_size, state_size;
} facts;

/* ------------------------------------------------------------------------------------------------------------- for people */

/* What people call this setting of the unit, as far as it has a name. */
static const char *unit_name(const b2s6_layer_info *i)
{
    if (i->b_weight && i->b_bias && i->c_selective && i->delta == B2S6_DELTA_BLOCK)
        return "B2S6";
    if (i->block == B2S6_BLOCK_MAMBA2)
        return "Mamba-2";
    if (i->h == 1 && i->b_weight && !i->b_bias && i->c_selective && i->delta != B2S6_DELTA_CONSTANT)
        return "S6";
    if (i->h == 1 && !i->b_weight && !i->c_selective && i->delta == B2S6_DELTA_CONSTANT)
        return "S4D";
    return "state-space";
}

/* 1234567 as "1,234,567". Good for four results at a time. */
static const char *grouped(uint64_t value)
{
    static char texts[4][32];
    static unsigned next;
    char digits[24], *out = texts[next++ % 4], *c = out;
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            *c++ = ',';
        *c++ = digits[i];
    }
    *c = 0;
    return out;
}

static void print_text(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
}

static void print_ends(const b2s6_model_info *i)
{
    static const char *const pools[] = { "", ", mean over time", ", last step" };
    if (i->input_kind == B2S6_TOKENS)
        printf("input         tokens, a vocabulary of %s\n", grouped(i->input_size));
    else
        printf("input         %s feature%s a step\n", grouped(i->input_size), i->input_size == 1 ? "" : "s");
    printf("output        %s values%s", grouped(i->output_size), i->pool <= B2S6_POOL_LAST ? pools[i->pool] : "");
    if (i->head_size == 0)
        printf(", no head: features of d_model\n");
    else
        printf(", %s\n", i->head_tied ? "the embedding as head" : "a linear head");
    printf("direction     %s\n", i->bidirectional ? "bidirectional: needs the whole sequence" : "causal: steps token by token");
}

/* Layers first .. last, which are alike. */
static void print_block(const facts *f, const b2s6_layer_info *i, uint32_t first, uint32_t last)
{
    if (first == 0 && last + 1 == f->info.n_layers)
        printf("layers        %s x ", grouped(f->info.n_layers));
    else if (first == last)
        printf("layer %-7lu ", (unsigned long)first);
    else
        printf("layers %lu-%-*lu ", (unsigned long)first, first < 10 ? 5 : 4, (unsigned long)last);
    printf("%s block, d_model %s", block_names[i->block], grouped(f->info.d_model));
    if (i->block != B2S6_BLOCK_S4)
        printf(", d_inner %s", grouped(i->d_inner));
    if (i->d_conv > 0)
        printf(", d_conv %lu", (unsigned long)i->d_conv);
    if (i->d_mlp > 0)
        printf(", and %s beside it", grouped(i->d_mlp));
    if (i->bidirectional)
        printf(", both directions");
    if (i->norm == B2S6_NORM_NONE)
        printf("\n  norm        none\n");
    else
        printf("\n  norm        %s, %s the block\n", norm_names[i->norm], i->norm_post ? "after" : "before");
}

/* What lies between a mamba2 block's unit and its out projection. */
static void print_gate(const b2s6_layer_info *i)
{
    if (i->gated_norm == B2S6_GATED_NORM_NONE)
        printf("    gate      silu, no norm\n");
    else
        printf("    gate      silu, an rms norm %s it, of %s\n", i->gated_norm == B2S6_GATED_NORM_AFTER ? "after" : "before",
               i->norm_groups == 1 ? "the whole width" : "each group of channels");
}

static void print_unit(const b2s6_layer_info *i)
{
    static const char *const scopes[] = { "", "one for the layer", "one a block", "one a channel", "one number a block" };
    printf("  unit        %s: h %lu block%s of p %lu channel%s, n %lu %s state%s%s\n", unit_name(i), (unsigned long)i->h,
           i->h == 1 ? "" : "s", (unsigned long)(i->d_inner / i->h), i->d_inner == i->h ? "" : "s", (unsigned long)i->d_state,
           i->complex_state ? "complex" : "real", i->d_state == 1 ? "" : "s",
           i->conjugate ? " (each a conjugate pair)" : "");
    printf("    A         %s, %s\n", i->complex_state ? "complex" : "real", scopes[i->a_scope]);
    printf("    B         %s%s%s\n", i->b_weight ? "selective (a weight)" : "", i->b_weight && i->b_bias ? " plus " : "",
           i->b_bias ? (i->b_weight ? "a bias for each channel" : "constant, for each channel") : "");
    printf("    C         %s, %s\n", i->c_complex ? "complex" : "real",
           i->c_selective ? "selective" : "constant, for each channel");
    if (i->delta == B2S6_DELTA_LOWRANK)
        printf("    delta     selective, of rank %lu\n", (unsigned long)i->dt_rank);
    else if (i->delta == B2S6_DELTA_INPUT)
        printf("    input     delta of each block, and B and C of %lu group%s of blocks, from the layer's input\n",
               (unsigned long)i->n_groups, i->n_groups == 1 ? "" : "s");
    else
        printf("    delta     %s\n", i->delta == B2S6_DELTA_BLOCK ? "selective, one product a block and a bias a channel"
                                                                  : "constant, one a channel");
    printf("    step      %s%s, states %s\n", i->euler ? "Bbar = delta B (euler)" : "zero-order hold",
           i->skip ? ", skip D" : ", no skip", i->compensated ? "compensated" : "plain");
    if (i->block == B2S6_BLOCK_MAMBA2)
        print_gate(i);
}

/* Alike layers that follow one another are shown once. */
static void print_layers(const facts *f)
{
    b2s6_layer_info layer = { .struct_size = sizeof layer }, next = layer;
    uint32_t first = 0;
    b2s6_layer_describe(f->model, 0, &layer);
    for (uint32_t l = 1; l <= f->info.n_layers; l++) {
        if (l < f->info.n_layers)
            b2s6_layer_describe(f->model, l, &next);
        if (l < f->info.n_layers && memcmp(&layer, &next, sizeof layer) == 0)
            continue;
        print_block(f, &layer, first, l - 1);
        if (layer.h > 0)
            print_unit(&layer);
        layer = next;
        first = l;
    }
    printf("at the end    norm %s\n", norm_names[f->info.final_norm]);
}

static const char *const type_texts[] = { "", "floats (f32)", "most of them halves (f16)", "most of them integers of 8 bits (q8)",
                                          "most of them integers of 4 bits (q4)" };

static void print_memory(const facts *f)
{
    printf("parameters    %s, %s\n", grouped(f->info.parameter_count), type_texts[f->info.weight_type]);
    printf("file          %s bytes, fingerprint %016llx\n", grouped(f->info.file_size),
           (unsigned long long)f->info.fingerprint);
    printf("memory        %s bytes for the handle, %s for a stream's state\n", grouped(f->handle_size), grouped(f->state_size));
    for (size_t k = 0; k < N_WORKSPACES; k++) {
        size_t size = b2s6_workspace_size(f->model, workspace_steps[k]);
        if (size == SIZE_MAX)
            printf("  workspace   more than this machine has for a run of %s steps\n", grouped(workspace_steps[k]));
        else
            printf("  workspace   %s bytes for a run of %s steps%s\n", grouped(size), grouped(workspace_steps[k]),
                   f->info.bidirectional ? "" : ", at most");
    }
}

/* "avx512; also here: portable, sse2, avx2; not here: amx" */
static void print_isas(const facts *f)
{
    static const char *const groups[] = { "; not here: ", "; also here: " };
    const char *used = b2s6_model_isa(f->model), *name;
    printf("kernels       %s", used);
    for (int here = 1; here >= 0; here--) {
        const char *before = groups[here];
        for (size_t i = 0; (name = b2s6_isa_name(i)) != NULL; i++)
            if (b2s6_isa_is_available(i) == here && strcmp(name, used) != 0) {
                printf("%s%s", before, name);
                before = ", ";
            }
    }
    printf("\n");
}

/* "tokenizer, 1,234 bytes; notes, 12 bytes" */
static void print_entries(const b2s6_model *model)
{
    const char *name;
    size_t size;
    for (size_t k = 0; (name = b2s6_model_entry_at(model, k, NULL, &size)) != NULL; k++) {
        printf("%s", k == 0 ? "entries       " : "; ");
        print_text(name);
        printf(", %s bytes", grouped(size));
    }
    if (b2s6_model_entry_at(model, 0, NULL, NULL))
        printf("\n");
}

static void print_for_people(const facts *f)
{
    const char *key, *value;
    printf("model         ");
    print_text(f->path);
    printf("\n");
    print_ends(&f->info);
    print_layers(f);
    print_memory(f);
    print_isas(f);
    print_entries(f->model);
    for (size_t k = 0; (key = b2s6_model_metadata_at(f->model, k, &value)) != NULL; k++) {
        printf("%s", k == 0 ? "metadata      " : "              ");
        print_text(key);
        printf(": ");
        print_text(value);
        printf("\n");
    }
}

/* ----------------------------------------------------------------------------------------------------------- for programs */

static void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            printf("\\u%04x", (unsigned)*text);
        else if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void json_number(const char *key, uint64_t value)
{
    printf(",\n  \"%s\": %llu", key, (unsigned long long)value);
}

static void json_truth(const char *key, uint32_t value)
{
    printf(",\n  \"%s\": %s", key, value ? "true" : "false");
}

static void json_word(const char *key, const char *value)
{
    printf(",\n  \"%s\": \"%s\"", key, value);
}

static void print_json_model(const b2s6_model_info *i)
{
    json_word("input_kind", i->input_kind == B2S6_TOKENS ? "tokens" : "features");
    json_number("input_size", i->input_size);
    json_number("output_size", i->output_size);
    json_number("head_size", i->head_size);
    json_truth("head_tied", i->head_tied);
    json_word("pool", pool_names[i->pool]);
    json_truth("bidirectional", i->bidirectional);
    json_number("d_model", i->d_model);
    json_number("n_layers", i->n_layers);
    json_word("final_norm", norm_names[i->final_norm]);
    json_number("arithmetic", i->arithmetic);
}

/* One object for each layer, all of its members on a line. */
static void print_json_layer(const b2s6_layer_info *i)
{
    printf("{\"block\": \"%s\", \"norm\": \"%s\", \"norm_place\": \"%s\", ", block_names[i->block],
           norm_names[i->norm], i->norm_post ? "post" : "pre");
    printf("\"bidirectional\": %s, \"d_inner\": %lu, \"d_conv\": %lu, ", i->bidirectional ? "true" : "false",
           (unsigned long)i->d_inner, (unsigned long)i->d_conv);
    printf("\"h\": %lu, \"p\": %lu, \"d_state\": %lu, ", (unsigned long)i->h, (unsigned long)(i->h ? i->d_inner / i->h : 0),
           (unsigned long)i->d_state);
    printf("\"complex\": %s, \"states\": \"%s\", \"a_scope\": \"%s\", ", i->complex_state ? "true" : "false",
           i->compensated ? "compensated" : "plain", scope_names[i->a_scope]);
    printf("\"b_weight\": %s, \"b_bias\": %s, ", i->b_weight ? "true" : "false", i->b_bias ? "true" : "false");
    printf("\"c\": \"%s\", \"c_complex\": %s, ", i->c_selective ? "selective" : "constant", i->c_complex ? "true" : "false");
    printf("\"delta\": \"%s\", \"dt_rank\": %lu, ", delta_names[i->delta], (unsigned long)i->dt_rank);
    printf("\"discretization\": \"%s\", \"conjugate\": %s, \"skip\": %s", i->euler ? "euler" : "zoh",
           i->conjugate ? "true" : "false", i->skip ? "true" : "false");
    if (i->block == B2S6_BLOCK_MAMBA2)
        printf(", \"n_groups\": %lu, \"d_mlp\": %lu, \"gated_norm\": \"%s\", \"norm_groups\": %lu", (unsigned long)i->n_groups,
               (unsigned long)i->d_mlp, gated_norm_names[i->gated_norm], (unsigned long)i->norm_groups);
    printf("}");
}

static void print_json_layers(const facts *f)
{
    b2s6_layer_info layer = { .struct_size = sizeof layer };
    printf(",\n  \"layers\": [");
    for (uint32_t l = 0; l < f->info.n_layers; l++) {
        b2s6_layer_describe(f->model, l, &layer);
        printf("%s\n    ", l ? "," : "");
        print_json_layer(&layer);
    }
    printf("\n  ]");
}

static void print_json_entries(const b2s6_model *model)
{
    const char *name;
    size_t size;
    printf(",\n  \"entries\": {");
    for (size_t k = 0; (name = b2s6_model_entry_at(model, k, NULL, &size)) != NULL; k++) {
        printf(k ? ", " : "");
        print_json_string(name);
        printf(": %zu", size);
    }
    printf("}");
}

static void print_for_programs(const facts *f)
{
    const char *key, *value;
    printf("{\n  \"path\": ");
    print_json_string(f->path);
    print_json_model(&f->info);
    print_json_layers(f);
    json_number("parameter_count", f->info.parameter_count);
    json_word("weight_type", cli_type_name(f->info.weight_type));
    json_number("file_size", f->info.file_size);
    printf(",\n  \"fingerprint\": \"%016llx\"", (unsigned long long)f->info.fingerprint);
    json_number("handle_size", f->handle_size);
    json_number("state_size", f->state_size);
    printf(",\n  \"workspace_size\": {");
    for (size_t k = 0; k < N_WORKSPACES; k++) {
        size_t size = b2s6_workspace_size(f->model, workspace_steps[k]);
        printf("%s\"%zu\": ", k ? ", " : "", workspace_steps[k]);
        if (size == SIZE_MAX)
            printf("null");
        else
            printf("%zu", size);
    }
    printf("},\n  \"isa\": \"%s\",\n  \"isas\": {", b2s6_model_isa(f->model));
    for (size_t k = 0; (key = b2s6_isa_name(k)) != NULL; k++)
        printf("%s\"%s\": %s", k ? ", " : "", key, b2s6_isa_is_available(k) ? "true" : "false");
    printf("},\n  \"metadata\": {");
    for (size_t k = 0; (key = b2s6_model_metadata_at(f->model, k, &value)) != NULL; k++) {
        printf(k ? ",\n    " : "\n    ");
        print_json_string(key);
        printf(": ");
        print_json_string(value);
    }
    printf("%s}", f->info.metadata_count ? "\n  " : "");
    print_json_entries(f->model);
    printf("\n}\n");
}

/* The handle's size can only be asked of the file's bytes. */
static int handle_size(facts *f)
{
    char text[200];
    message m = { text, sizeof text };
    file_bytes file;
    b2s6_error error;
    b2s6_status status;
    if (file_bytes_read(&file, f->path, &m) != 0)
        return cli_fail("%s: %s", f->path, text);
    status = b2s6_model_size(&f->handle_size, file.bytes, file.size, &error);
    file_bytes_release(&file);
    return status == B2S6_OK ? 0 : cli_fail("%s: %s", f->path, error.message);
}

static int run(int argc, char **argv)
{
    int json = 0;
    const cli_option options[] = { { "--json", NULL, &json } };
    facts f;
    reflow_rows rows;
    b2s6_model *model;
    int status;
    memset(&f, 0, sizeof f);
    status = cli_parse(&verb_info, argc, argv, options, 1, &f.path, 1);
    if (status != 0)
        return status;
    model = cli_open_model(f.path);
    if (!model)
        return CLI_FAILED;
    f.model = model;
    f.info.struct_size = sizeof f.info;
    b2s6_model_describe(model, &f.info);
    f.state_size = b2s6_state_size(model);
    status = handle_size(&f);
    if (status == 0 && json)
        print_for_programs(&f);
    if (status == 0 && !json) {
        reflow_rows_begin(&rows);
        print_for_people(&f);
        reflow_rows_end(&rows);
    }
    b2s6_model_close(model);
    return status;
}

const cli_verb verb_info = { "info", "say what a model is and what it takes", help, run };
