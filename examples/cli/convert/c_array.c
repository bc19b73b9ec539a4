/* c_array.c - writes the two files of b2s6 embed: the header with the sizes, the source with the bytes */
#include "c_array.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "src/format_numbers.h"

/* A path in a comment, without what could end it. */
static void put_file_name(FILE *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    for (path = slash ? slash + 1 : path; *path; path++)
        putc(isalnum((unsigned char)*path) || strchr(" .-_+", *path) ? *path : '?', f);
}

static void put_capitals(FILE *f, const char *name)
{
    for (; *name; name++)
        putc(toupper((unsigned char)*name), f);
}

/* "#define NAME_WHAT value", the value as printf. */
#define DEFINE(f, e, what, ...) (fprintf(f, "#define "), put_capitals(f, (e)->name), fprintf(f, "_%s ", what), \
                                 fprintf(f, __VA_ARGS__), putc('\n', f))

static int is_b2s6(const b2s6_layer_info *i)
{
    return i->complex_state && !i->euler && i->a_scope == B2S6_SCOPE_LAYER && i->b_weight && i->b_bias && i->c_selective &&
           !i->c_complex && i->delta == B2S6_DELTA_BLOCK;
}

static uint32_t number_at(const embedding *e, size_t at)
{
    const unsigned char *b = e->bytes + at;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Whether a tensor has this type, by the file's table (docs/format.md): the library took the file, so the table is as it must be. */
static int has_type(const embedding *e, b2s6_type type)
{
    size_t entry = FORMAT_HEADER_BYTES + FORMAT_CONFIG_ENTRY_BYTES * (size_t)number_at(e, FORMAT_AT_N_CONFIG) +
                   number_at(e, FORMAT_AT_METADATA_BYTES);
    for (uint32_t n = number_at(e, FORMAT_AT_N_TENSORS); n > 0; n--, entry += FORMAT_TENSOR_ENTRY_BYTES)
        if (number_at(e, entry + TENSOR_AT_TYPE) == (uint32_t)type)
            return 1;
    return 0;
}

/* What all layers together need: each member tells whether any layer does. */
typedef struct layers_need {
    int s4, mamba, mamba2, mlp, bidirectional, norm_layer, norm_rms, lowrank, real, complex, compensated, other_units;
} layers_need;

static layers_need needs_of(const embedding *e)
{
    layers_need n = { 0 };
    for (uint32_t l = 0; l < e->info.n_layers; l++) {
        b2s6_layer_info layer = { .struct_size = sizeof layer };
        const b2s6_layer_info *i = &layer;
        b2s6_layer_describe(e->model, l, &layer);
        n.s4 |= i->block == B2S6_BLOCK_S4;
        n.mamba |= i->block == B2S6_BLOCK_MAMBA;
        n.mamba2 |= i->block == B2S6_BLOCK_MAMBA2;
        n.mlp |= i->block == B2S6_BLOCK_MLP;
        n.bidirectional |= i->bidirectional != 0;
        n.norm_layer |= i->norm == B2S6_NORM_LAYER;
        n.norm_rms |= i->norm == B2S6_NORM_RMS || i->gated_norm != B2S6_GATED_NORM_NONE;
        n.lowrank |= i->delta == B2S6_DELTA_LOWRANK;
        n.real |= i->h > 0 && !i->complex_state;
        n.complex |= i->complex_state != 0;
        n.compensated |= i->compensated != 0;
        n.other_units |= i->h > 0 && !is_b2s6(i);
    }
    n.norm_layer |= e->info.final_norm == B2S6_NORM_LAYER;
    n.norm_rms |= e->info.final_norm == B2S6_NORM_RMS;
    return n;
}

/* The switches of the library that would leave out what this model needs. */
static void refuse_switches(FILE *f, const embedding *e)
{
    const layers_need all = needs_of(e);
    const struct {
        int needed;
        const char *what;
    } switches[] = {
        { all.s4, "S4" },
        { all.mamba, "MAMBA" },
        { all.mamba2, "MAMBA2" },
        { all.mlp, "MLP" },
        { all.bidirectional, "BIDIRECTIONAL" },
        { all.norm_layer, "NORM_LAYER" },
        { all.norm_rms, "NORM_RMS" },
        { all.lowrank, "DELTA_LOWRANK" },
        { all.real, "REAL" },
        { all.complex, "COMPLEX" },
        { all.compensated, "COMPENSATED" },
        { all.other_units, "OTHER_UNITS" },
        { has_type(e, B2S6_F16), "F16" },
        { has_type(e, B2S6_Q8), "Q8" },
        { has_type(e, B2S6_Q4), "Q4" },
    };
    int n = 0;
    for (size_t k = 0; k < sizeof switches / sizeof switches[0]; k++)
        if (switches[k].needed)
            fprintf(f, "%s defined(B2S6_NO_%s)", n++ ? " ||" : "#if", switches[k].what);
    fprintf(f, "\n#  error \"the library is built without a part that this model needs\"\n#endif\n");
}

static void put_sizes(FILE *f, const embedding *e)
{
    fprintf(f, "/* Bytes: of the model; of memory for b2s6_model_place and b2s6_state_place, aligned as B2S6_ALIGNED says; of stack. */\n");
    DEFINE(f, e, "SIZE", "%luu", (unsigned long)e->size);
    fprintf(f, "#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__\n");
    DEFINE(f, e, "HANDLE_SIZE", "(B2S6_MODEL_SIZE(%lu) + %lu)", (unsigned long)e->info.n_layers,
           (unsigned long)(e->size + 63) / 64 * 64);
    fprintf(f, "#else\n");
    DEFINE(f, e, "HANDLE_SIZE", "B2S6_MODEL_SIZE(%lu)", (unsigned long)e->info.n_layers);
    fprintf(f, "#endif\n");
    DEFINE(f, e, "STATE_SIZE", "%luu", (unsigned long)e->state_size);
    if (e->steps)
        DEFINE(f, e, "WORKSPACE_SIZE", "%luu /* of a run of %lu steps */", (unsigned long)e->workspace_size,
               (unsigned long)e->steps);
    DEFINE(f, e, "STACK_SIZE", "B2S6_STACK_SIZE");
    fprintf(f, "\n/* Values of a feature vector, or tokens of the vocabulary; values of an output row. */\n");
    DEFINE(f, e, "INPUT_SIZE", "%luu", (unsigned long)e->info.input_size);
    DEFINE(f, e, "OUTPUT_SIZE", "%luu", (unsigned long)e->info.output_size);
    DEFINE(f, e, "FINGERPRINT", "UINT64_C(0x%016llx)", (unsigned long long)e->info.fingerprint);
}

void embed_header(FILE *f, const embedding *e)
{
    fprintf(f, "/* %s.h - made by b2s6 embed from ", e->header);
    put_file_name(f, e->source);
    fprintf(f, " */\n#ifndef ");
    put_capitals(f, e->name);
    fprintf(f, "_MODEL_H\n#define ");
    put_capitals(f, e->name);
    fprintf(f, "_MODEL_H\n\n#include \"b2s6.h\"\n\n"
               "#if B2S6_VERSION_MAJOR != %d || B2S6_VERSION_MINOR != %d\n"
               "#  error \"made for libb2s6 %d.%d: run b2s6 embed of this version again\"\n#endif\n",
            B2S6_VERSION_MAJOR, B2S6_VERSION_MINOR, B2S6_VERSION_MAJOR, B2S6_VERSION_MINOR);
    refuse_switches(f, e);
    putc('\n', f);
    put_sizes(f, e);
    fprintf(f, "\nextern const unsigned char %s_model[", e->name);
    put_capitals(f, e->name);
    fprintf(f, "_SIZE];\n\n#endif\n");
}

void embed_source(FILE *f, const embedding *e)
{
    int column = 120;
    fprintf(f, "/* %s.c - made by b2s6 embed from ", e->header);
    put_file_name(f, e->source);
    fprintf(f, " */\n#include \"%s.h\"\n\nB2S6_ALIGNED const unsigned char %s_model[", e->header, e->name);
    put_capitals(f, e->name);
    fprintf(f, "_SIZE] = {");
    for (size_t i = 0; i < e->size; i++) {
        if (column > 114) {
            fprintf(f, "\n   ");
            column = 3;
        }
        column += fprintf(f, column == 3 ? " %d," : "%d,", e->bytes[i]);
    }
    fprintf(f, "\n};\n");
}
