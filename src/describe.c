/*
 * What a model is: description, metadata and named entries, for hosts. Reads the handle and the file's
 * bytes, and changes nothing. Strings and bytes that it returns are those of the file: they were checked
 * when the model was opened (every string ends inside the metadata, every entry is inside the file) and
 * live as long as the model.
 *
 * The two structures that it fills may grow in later versions. A host says in struct_size how much of one
 * it knows, and gets no more: older programs run on a newer library, and newer ones on an older library,
 * which zeroes what it does not know.
 */
#include "block.h"
#include "memory.h"

/*
 * Copies what is known of a structure that begins with its own size into the host's, whose size has been
 * checked. *known has its struct_size as zero and gets the host's, so that the host finds the number it
 * wrote. Works on bytes, with memcpy: the host's structure may be of another version's type.
 */
static void give(void *to, void *known, size_t known_size)
{
    uint32_t size;

    /* the first member, whatever comes after it */
    memcpy(&size, to, sizeof size);
    memcpy(known, &size, sizeof size);
    memcpy(to, known, size < known_size ? size : known_size);
    if (size > known_size)
        memset((unsigned char *)to + known_size, 0, size - known_size);
}

/*
 * The widths of members by which b2s6_is_member_end judges a size hold only without padding. And the sizes
 * are the ABI's: a member that is added changes them, and is seen here.
 */
B2S6_STATIC_ASSERT(no_padding_in_model_info, sizeof(b2s6_model_info) == 88);
B2S6_STATIC_ASSERT(no_padding_in_layer_info, sizeof(b2s6_layer_info) == 104);

/* What most weights in matrices are stored as. Only a description asks, so it is counted here, in the file's table. */
static uint32_t main_type(const struct b2s6_model *model)
{
    uint64_t of_type[N_TYPES] = { 0 };
    uint32_t i, type, best = TYPE_F32;
    struct tensor t;

    for (i = 0; i < model->n_tensors; i++) {
        b2s6_format_tensor(&t, model->tensors, i);
        if (t.layout == LAYOUT_PANELS && !(t.flags & FORMAT_TENSOR_OPTIONAL))
            of_type[t.type] += (uint64_t)t.count * t.rows * t.cols;
    }
    for (type = TYPE_F32; type < N_TYPES; type++)
        if (of_type[type] > of_type[best])
            best = type;
    return best;
}

/*
 * The answer is made in full and then cut to what the host knows. Enumerations have the file's values,
 * which are pinned.
 */
b2s6_status b2s6_model_describe(const b2s6_model *model, b2s6_model_info *info)
{
    const struct model_config *c;
    b2s6_model_info full;

    /* first two numbers of 4 bytes, then three of 8, then all of 4 */
    if (!model || !info || !b2s6_is_member_end(info->struct_size, 8, 32, 8, 4))
        return B2S6_ERROR_ARGUMENT;
    c = &model->config;
    memset(&full, 0, sizeof full);
    full.arithmetic = FORMAT_ARITHMETIC;
    full.fingerprint = model->fingerprint;
    full.parameter_count = model->parameter_count;
    full.file_size = model->file_bytes;
    full.input_kind = (b2s6_input_kind)c->input_kind;
    full.input_size = c->input_size;
    full.output_size = config_output_size(c);
    full.head_size = c->head_size;
    full.head_tied = c->head_tied;
    full.d_model = c->d_model;
    full.n_layers = c->n_layers;
    full.bidirectional = model->bidirectional;
    full.final_norm = (b2s6_norm)c->final_norm;
    full.pool = (b2s6_pool)c->pool;
    full.weight_type = (b2s6_type)main_type(model);
    /* the bounds of the two functions that take an index */
    full.metadata_count = model->n_metadata;
    full.entry_count = model->n_entries;
    give(info, &full, sizeof full);
    return B2S6_OK;
}

/*
 * The unit's members are filled for blocks that have one; all others stay 0. Every layer has its
 * configuration in full, also one whose section of the file was left out because it is as the layer before
 * it. Values that the file has as flags or alternatives (B, C, discretization, norm place, states) become
 * the truth values of the public structure.
 */
b2s6_status b2s6_layer_describe(const b2s6_model *model, size_t index, b2s6_layer_info *info)
{
    const struct layer_config *c;
    b2s6_layer_info full;

    if (!model || index >= model->config.n_layers || !info || !b2s6_is_member_end(info->struct_size, 4, 4, 4, 4))
        return B2S6_ERROR_ARGUMENT;
    c = &model->layers[index].config;
    memset(&full, 0, sizeof full);
    full.block = (b2s6_block)c->block;
    full.norm = (b2s6_norm)c->norm;
    full.norm_post = c->norm_place == NORM_POST;
    full.bidirectional = c->bidirectional;
    full.d_inner = c->d_inner;
    full.d_conv = c->d_conv;
    /* blocks without a unit would leave keys of one that nobody has set */
    if (config_has_unit(c)) {
        full.h = c->h;
        full.d_state = c->d_state;
        full.complex_state = c->complex_state;
        full.compensated = c->states == STATES_COMPENSATED;
        full.a_scope = (b2s6_scope)c->a_scope;
        full.b_weight = (c->b & B_HAS_WEIGHT) != 0;
        full.b_bias = (c->b & B_HAS_BIAS) != 0;
        full.c_selective = c->c == C_SELECTIVE;
        full.c_complex = c->c_complex;
        full.delta = (b2s6_delta)c->delta;
        full.dt_rank = c->dt_rank;
        full.euler = c->discretization == EULER;
        full.conjugate = c->conjugate;
        full.skip = c->skip;
    }
#if B2S6_HAS_MAMBA2
    full.n_groups = c->n_groups;
    full.d_mlp = c->d_mlp;
    full.gated_norm = (b2s6_gated_norm)c->gated_norm;
    full.norm_groups = c->gated_norm ? c->norm_groups : 0;
#endif
    give(info, &full, sizeof full);
    return B2S6_OK;
}

/* The instruction set that was chosen when the model was opened; a static string. */
const char *b2s6_model_isa(const b2s6_model *model)
{
    return model ? model->kernels->name : NULL;
}

/*
 * The string after this one: past its zero. After the last value of the metadata it is the end of the
 * strings, which callers do not read: they count pairs.
 */
static const char *text_after(const char *text)
{
    while (*text)
        text++;
    return text + 1;
}

/*
 * Metadata are strings one after another without an index, key, value, key, value: pairs before this one
 * are walked over. There are at most 1024 pairs, and nobody asks for them step by step. An index would
 * have to be in the handle, whose size is promised by a macro.
 */
const char *b2s6_model_metadata_at(const b2s6_model *model, size_t index, const char **value)
{
    const char *key;

    if (!model || index >= model->n_metadata)
        return NULL;
    /* index is below the number of pairs, so every string walked over is there */
    key = model->metadata;
    for (; index; index--)
        key = text_after(text_after(key));
    /* the value is not asked for by callers that only list keys */
    if (value)
        *value = text_after(key);
    return key;
}

/* Keys ascend in the file, but strings of different lengths allow no binary search without an index. */
const char *b2s6_model_metadata(const b2s6_model *model, const char *key)
{
    const char *each;
    size_t i;

    if (!model || !key)
        return NULL;
    /* each is the key of pair i; after it comes its value */
    for (i = 0, each = model->metadata; i < model->n_metadata; i++, each = text_after(text_after(each)))
        /* bytes are compared; the library does not know UTF-8 */
        if (b2s6_compare_text(each, key) == 0)
            return text_after(each);
    return NULL;
}

/*
 * The name is in the table, zero-terminated inside its field of 24 bytes. The size fits size_t: the bytes
 * are in memory. On a big-endian machine too these are the file's own bytes; only tensors are turned
 * round.
 */
const char *b2s6_model_entry_at(const b2s6_model *model, size_t index, const void **data, size_t *size)
{
    const unsigned char *entry;

    if (!model || index >= model->n_entries)
        return NULL;
    /* every entry of the table has the same size, so no walk here */
    entry = model->entries + index * FORMAT_NAMED_ENTRY_BYTES;
    if (data)
        /* offsets were checked against the file's size when it was opened */
        *data = model->file + b2s6_read64(entry + ENTRY_AT_OFFSET);
    if (size)
        *size = (size_t)b2s6_read64(entry + ENTRY_AT_BYTES);
    return (const char *)entry + ENTRY_AT_NAME;
}

/*
 * The walk ends at the first index that has no name, so a NULL model ends it at once.
 */
const void *b2s6_model_entry(const b2s6_model *model, const char *name, size_t *size)
{
    const void *data = NULL;
    const char *each;
    size_t i, bytes = 0;

    /* an empty name finds nothing, since names have at least one byte */
    for (i = 0; name && (each = b2s6_model_entry_at(model, i, &data, &bytes)) != NULL; i++)
        if (b2s6_compare_text(each, name) == 0) {
            if (size)
                *size = bytes;
            return data;
        }
    return NULL;
}
