/*
 * writer_header.c - see writer_header.h: header, configuration, metadata, the table of named entries
 *
 * As in the writer of tensors, what measures and what writes is one function: with a place that is NULL it only measures.
 */
#include "writer_header.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "writer.h"

/* ---------------------------------------------------------------------------------------------------- the configuration */

enum { MAX_LAYER_ENTRIES = 24 };

/* The entries of a layer: keys without their section, and values. */
typedef struct layer_entries {
    uint32_t n, entries[MAX_LAYER_ENTRIES][2];
} layer_entries;

/* A batch norm is stored folded: an affine map, which has the file's code 3, and no eps. */
static uint32_t eps_bits(uint32_t norm, double eps)
{
    return norm == B2S6_NORM_LAYER || norm == B2S6_NORM_RMS ? writer_float_bits(eps) : 0;
}

static void add(layer_entries *e, uint32_t key, uint32_t value)
{
    e->entries[e->n][0] = key;
    e->entries[e->n++][1] = value;
}

/* What is a mamba2 block's alone, and its unit's. */
static void add_mamba2(layer_entries *e, const checkpoint_layer_config *c)
{
    add(e, KEY_D_INNER, c->d_inner);
    add(e, KEY_D_CONV, c->d_conv);
    add(e, KEY_PROJECTION_BIASES, (c->in_proj_bias ? BIAS_IN_PROJ : 0) | (c->out_proj_bias ? BIAS_OUT_PROJ : 0));
    add(e, KEY_D_MLP, c->d_mlp);
    add(e, KEY_N_GROUPS, c->n_groups);
    add(e, KEY_GATED_NORM, c->gated_norm);
    add(e, KEY_GATED_NORM_GROUPS, c->norm_groups);
    add(e, KEY_GATED_NORM_EPS, c->gated_norm ? writer_float_bits(c->gate_eps) : 0);
    add(e, KEY_DELTA_LEAST, writer_float_bits(c->delta_least));
    add(e, KEY_DELTA_MOST, writer_float_bits(c->delta_most > FLT_MAX ? (double)INFINITY : c->delta_most));
    add(e, KEY_D_SCOPE, c->d_channels ? D_A_CHANNEL : D_A_HEAD);
    add(e, KEY_H, c->h);
    add(e, KEY_D_STATE, c->d_state);
    add(e, KEY_STATES, c->plain_states ? STATES_PLAIN : STATES_COMPENSATED);
}

/* All that a block of this kind needs, keys ascending. */
static layer_entries entries_of(const checkpoint_layer_config *c)
{
    layer_entries e = { 0, { { 0 } } };
    add(&e, KEY_BLOCK, c->block);
    add(&e, KEY_NORM, c->norm);
    add(&e, KEY_NORM_PLACE, c->norm_post ? NORM_POST : NORM_PRE);
    add(&e, KEY_NORM_EPS, eps_bits(c->norm, c->norm_eps));
    if (c->block == B2S6_BLOCK_MAMBA2) {
        add_mamba2(&e, c);
        return e;
    }
    if (c->block == B2S6_BLOCK_MLP) {
        add(&e, KEY_D_INNER, c->d_inner);
        return e;
    }
    if (c->block == B2S6_BLOCK_S4) {
        add(&e, KEY_BIDIRECTIONAL, c->bidirectional);
    } else {
        add(&e, KEY_D_INNER, c->d_inner);
        add(&e, KEY_D_CONV, c->d_conv);
        add(&e, KEY_PROJECTION_BIASES, (c->in_proj_bias ? BIAS_IN_PROJ : 0) | (c->out_proj_bias ? BIAS_OUT_PROJ : 0));
    }
    add(&e, KEY_H, c->h);
    add(&e, KEY_D_STATE, c->d_state);
    add(&e, KEY_COMPLEX, c->complex_state);
    add(&e, KEY_A_SCOPE, c->a_scope);
    add(&e, KEY_B, (c->b_weight ? B_HAS_WEIGHT : 0) | (c->b_bias ? B_HAS_BIAS : 0));
    add(&e, KEY_C, c->c_selective ? C_SELECTIVE : C_CONSTANT);
    add(&e, KEY_C_COMPLEX, c->c_complex);
    add(&e, KEY_DELTA, c->delta);
    add(&e, KEY_DT_RANK, c->dt_rank);
    add(&e, KEY_DISCRETIZATION, c->euler ? EULER : ZERO_ORDER_HOLD);
    add(&e, KEY_CONJUGATE, c->conjugate);
    add(&e, KEY_SKIP, c->skip);
    add(&e, KEY_STATES, c->plain_states ? STATES_PLAIN : STATES_COMPENSATED);
    return e;
}

/* Entry number i, if there is a place for the entries. */
static void put_entry(unsigned char *place, uint32_t i, uint32_t section, uint32_t key, uint32_t value)
{
    if (!place)
        return;
    writer_store_u32(place + FORMAT_CONFIG_ENTRY_BYTES * (size_t)i, section << FORMAT_KEY_SECTION_SHIFT | key);
    writer_store_u32(place + FORMAT_CONFIG_ENTRY_BYTES * (size_t)i + 4, value);
}

/* The model's entries, then those of each layer that is not as the layer before it. Returns their number. */
static uint32_t put_config(unsigned char *place, const checkpoint *ck)
{
    const checkpoint_config *c = &ck->config;
    const uint32_t model[][2] = {
        { KEY_D_MODEL, c->d_model }, { KEY_N_LAYERS, c->n_layers }, { KEY_INPUT_KIND, c->input_kind },
        { KEY_INPUT_SIZE, c->input_size }, { KEY_HEAD_SIZE, c->head_size }, { KEY_HEAD_BIAS, c->head_bias },
        { KEY_HEAD_TIED, c->head_tied }, { KEY_FINAL_NORM, c->final_norm },
        { KEY_FINAL_NORM_EPS, eps_bits(c->final_norm, c->final_norm_eps) }, { KEY_POOL, c->pool },
    };
    layer_entries last = { 0, { { 0 } } };
    uint32_t n = 0;
    for (size_t i = 0; i < sizeof model / sizeof model[0]; i++)
        put_entry(place, n++, 0, model[i][0], model[i][1]);
    for (uint32_t l = 0; l < c->n_layers; l++) {
        layer_entries layer = entries_of(&ck->layers[l].config);
        if (layer.n == last.n && memcmp(layer.entries, last.entries, layer.n * sizeof layer.entries[0]) == 0)
            continue;
        for (uint32_t i = 0; i < layer.n; i++)
            put_entry(place, n++, l + 1, layer.entries[i][0], layer.entries[i][1]);
        last = layer;
    }
    return n;
}

/* --------------------------------------------------------------------------------------------------------- the metadata */

/* One pair, if there is a place for it. Returns the bytes it takes. */
static uint64_t put_pair(unsigned char *place, const char *key, const char *value)
{
    size_t key_size = strlen(key) + 1, value_size = strlen(value) + 1;
    if (place) {
        memcpy(place, key, key_size);
        memcpy(place + key_size, value, value_size);
    }
    return (uint64_t)key_size + value_size;
}

/* All pairs, in the file's order. Returns their bytes, padded. */
static uint64_t put_metadata(unsigned char *place, const metadata_pair *pairs, size_t n)
{
    uint64_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += put_pair(place ? place + size : NULL, pairs[i].key, pairs[i].value);
    return (size + FORMAT_METADATA_ALIGNMENT - 1) / FORMAT_METADATA_ALIGNMENT * FORMAT_METADATA_ALIGNMENT;
}

/* The order of metadata keys in the file: that of their bytes. */
static int by_key(const void *a, const void *b)
{
    return strcmp(((const metadata_pair *)a)->key, ((const metadata_pair *)b)->key);
}

metadata_pair *writer_choose_metadata(const writer_contents *contents, size_t *n, message *m)
{
    metadata_pair *pairs = malloc((contents->n_pairs + 1) * sizeof *pairs);
    int has_source = contents->source == NULL;
    *n = 0;
    if (!pairs) {
        complain(m, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < contents->n_pairs; i++) {
        if (strcmp(contents->pairs[i].key, "b2s6") == 0 || *contents->pairs[i].key == 0)
            continue;
        has_source |= strcmp(contents->pairs[i].key, "source") == 0;
        pairs[(*n)++] = contents->pairs[i];
    }
    if (!has_source)
        pairs[(*n)++] = (metadata_pair){ "source", contents->source };
    qsort(pairs, *n, sizeof *pairs, by_key);
    if (*n <= FORMAT_MAX_METADATA && put_metadata(NULL, pairs, *n) <= FORMAT_MAX_METADATA_BYTES)
        return pairs;
    complain(m, "the metadata are too many: %zu pairs of %llu bytes, a model file has room for %d pairs of %d bytes", *n,
             (unsigned long long)put_metadata(NULL, pairs, *n), (int)FORMAT_MAX_METADATA, (int)FORMAT_MAX_METADATA_BYTES);
    free(pairs);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------- the named entries */

/* Their table; their bytes follow the tensors. */
static void put_entries(unsigned char *header, const writer_layout *layout, const writer_contents *contents)
{
    uint64_t offset = layout->data + layout->tensors;
    for (size_t i = 0; i < contents->n_entries; i++) {
        const named_entry *e = &contents->entries[i];
        unsigned char *place = header + layout->entry_table + FORMAT_NAMED_ENTRY_BYTES * i;
        memcpy(place + ENTRY_AT_NAME, e->name, strlen(e->name));
        writer_store_u64(place + ENTRY_AT_OFFSET, offset);
        writer_store_u64(place + ENTRY_AT_BYTES, e->size);
        offset += writer_round_up(e->size);
    }
}

/* ----------------------------------------------------------------------------------------------------------- the header */

int writer_lay_out(writer_layout *layout, const checkpoint *ck, const writer_contents *contents, message *m)
{
    layout->n_config = put_config(NULL, ck);
    layout->metadata_bytes = (uint32_t)put_metadata(NULL, contents->pairs, contents->n_pairs);
    layout->metadata = FORMAT_HEADER_BYTES + (uint64_t)FORMAT_CONFIG_ENTRY_BYTES * layout->n_config;
    layout->table = layout->metadata + layout->metadata_bytes;
    layout->entry_table = layout->table + (uint64_t)FORMAT_TENSOR_ENTRY_BYTES * layout->n_tensors;
    layout->data = writer_round_up(layout->entry_table + FORMAT_NAMED_ENTRY_BYTES * (uint64_t)contents->n_entries);
    layout->file = layout->data + layout->tensors + layout->entries;
    return layout->data > UINT32_MAX ? complain(m, "the model's header is too large") : 0;
}

void writer_put_header(unsigned char *file, const writer_layout *layout, const checkpoint *ck,
                       const writer_contents *contents, uint32_t data_crc)
{
    crc_tables tables;
    memcpy(file + FORMAT_AT_MAGIC, FORMAT_MAGIC, FORMAT_MAGIC_BYTES);
    writer_store_u32(file + FORMAT_AT_VERSION, FORMAT_VERSION);
    writer_store_u32(file + FORMAT_AT_HEADER_BYTES, (uint32_t)layout->data);
    writer_store_u64(file + FORMAT_AT_FILE_BYTES, layout->file);
    writer_store_u32(file + FORMAT_AT_N_CONFIG, layout->n_config);
    writer_store_u32(file + FORMAT_AT_N_METADATA, (uint32_t)contents->n_pairs);
    writer_store_u32(file + FORMAT_AT_METADATA_BYTES, layout->metadata_bytes);
    writer_store_u32(file + FORMAT_AT_N_TENSORS, layout->n_tensors);
    writer_store_u32(file + FORMAT_AT_N_ENTRIES, (uint32_t)contents->n_entries);
    writer_store_u32(file + FORMAT_AT_ARITHMETIC, FORMAT_ARITHMETIC);
    put_config(file + FORMAT_HEADER_BYTES, ck);
    put_metadata(file + layout->metadata, contents->pairs, contents->n_pairs);
    put_entries(file, layout, contents);
    writer_store_u32(file + FORMAT_AT_DATA_CRC, data_crc);
    crc_tables_make(&tables);
    writer_store_u32(file + FORMAT_AT_HEADER_CRC, crc_of(&tables, 0, file, (size_t)layout->data)); /* its field zero */
}
