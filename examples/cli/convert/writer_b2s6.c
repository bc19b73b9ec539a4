/* writer_b2s6.c - see writer_b2s6.h: header, configuration, metadata, tensor table, data */
#include "writer_b2s6.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "writer.h"

enum { HEADER_SIZE = 64, CONFIG_ENTRY_SIZE = 8, TABLE_ENTRY_SIZE = 48, ALIGNMENT = 64 };

/* Roles of the tensors outside the units. */
enum {
    EMBEDDING = 1, ENCODER_WEIGHT = 2, ENCODER_BIAS = 3, NORM_WEIGHT = 16, NORM_BIAS = 17, IN_PROJ = 20, IN_PROJ_BIAS = 21,
    CONV_WEIGHT = 22, CONV_BIAS = 23, UNIT = 32, UNIT_REV = 64, OUT = 96, OUT_BIAS = 97, FINAL_NORM_WEIGHT = 112,
    FINAL_NORM_BIAS = 113, HEAD = 114, HEAD_BIAS = 115
};

void writer_store_u16(unsigned char *place, uint32_t value)
{
    place[0] = (unsigned char)(value & 0xff);
    place[1] = (unsigned char)(value >> 8 & 0xff);
}

void writer_store_u32(unsigned char *place, uint32_t value)
{
    writer_store_u16(place, value);
    writer_store_u16(place + 2, value >> 16);
}

void writer_store_u64(unsigned char *place, uint64_t value)
{
    writer_store_u32(place, (uint32_t)value);
    writer_store_u32(place + 4, (uint32_t)(value >> 32));
}

static uint32_t float_bits(double value)
{
    float rounded = (float)value;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

void writer_store(writer *w, unsigned char *place, size_t index, double value)
{
    if (w->failed)
        return;
    if (!(fabs(value) <= FLT_MAX))
        w->failed = complain(w->m, "tensor %.80s: a value of the model that is made from it is too large for a float", w->name);
    else
        writer_store_u32(place + 4 * index, float_bits(value));
}

unsigned char *writer_place(writer *w, const char *name, uint32_t role, uint32_t type, uint32_t layout, size_t count,
                            size_t rows, size_t cols, uint64_t bytes)
{
    uint64_t offset = w->data + w->end;
    w->name = name;
    w->end += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    w->n_tensors++;
    if (!w->bytes || w->failed)
        return NULL;
    writer_store_u16(w->table, role);
    writer_store_u32(w->table + 4, w->section);
    writer_store_u32(w->table + 8, type);
    writer_store_u32(w->table + 12, layout);
    writer_store_u32(w->table + 16, (uint32_t)count);
    writer_store_u32(w->table + 20, (uint32_t)rows);
    writer_store_u32(w->table + 24, (uint32_t)cols);
    writer_store_u64(w->table + 32, offset);
    writer_store_u64(w->table + 40, bytes);
    w->table += TABLE_ENTRY_SIZE;
    return w->bytes + offset;
}

unsigned char *writer_place_plain(writer *w, const char *name, uint32_t role, size_t count, size_t rows, size_t cols)
{
    return writer_place(w, name, role, TYPE_F32, LAYOUT_PLAIN, count, rows, cols, (uint64_t)count * rows * cols * 4);
}

void writer_matrix(writer *w, uint32_t role, const matrix_type *type, const matrix_source *source)
{
    unsigned char *place;
    if (type->size(source) >= matrix_f32.size(source))
        type = &matrix_f32;
    place = writer_place(w, source->name, role, type->type, LAYOUT_PANELS, source->count, source->rows, source->cols,
                         type->size(source));
    if (place)
        type->pack(w, place, source);
}

void writer_vector(writer *w, uint32_t role, const tensor *t, size_t count, size_t n)
{
    unsigned char *place = writer_place_plain(w, t->name, role, count, 1, pad16(n));
    for (size_t i = 0; place && i < count * n; i++)
        writer_store(w, place, i / n * pad16(n) + i % n,
                     t->n_dims == 2 ? tensor_at(t, i / t->dims[1], i % t->dims[1], 0, 0) : tensor_at(t, i, 0, 0, 0));
}

/* ------------------------------------------------------------------------------------------------- the tensors in order */

/* A tensor of count * rows x cols as count matrices. */
typedef struct stacked {
    const tensor *t;
    size_t rows;
} stacked;

static double stacked_at(const void *context, size_t i, size_t r, size_t k)
{
    const stacked *s = context;
    return tensor_at(s->t, i * s->rows + r, k, 0, 0);
}

static void put_matrices(writer *w, uint32_t role, const matrix_type *type, const tensor *t, size_t count)
{
    stacked s = { t, t->dims[0] / count };
    matrix_source source = { t->name, count, s.rows, t->dims[1], stacked_at, &s, NULL };
    writer_matrix(w, role, type, &source);
}

/* The scale that a batch norm comes down to, its square root taken once and for all. */
static double batch_scale(writer *w, const checkpoint_norm *norm, double eps, size_t i)
{
    double square = tensor_at(&norm->variance, i, 0, 0, 0) + eps;
    if (!(square > 0) && !w->failed)
        w->failed = complain(w->m, "tensor %.80s: variance plus eps is not positive (at [%zu])", norm->variance.name, i);
    return w->failed ? 0 : tensor_at(&norm->weight, i, 0, 0, 0) / sqrt(square);
}

static void put_batch_norm(writer *w, uint32_t role, const checkpoint_norm *norm, double eps)
{
    size_t d = norm->weight.dims[0];
    unsigned char *weight = writer_place_plain(w, norm->variance.name, role, 1, 1, pad16(d));
    unsigned char *bias;
    for (size_t i = 0; weight && i < d; i++)
        writer_store(w, weight, i, batch_scale(w, norm, eps, i));
    bias = writer_place_plain(w, norm->variance.name, role + 1, 1, 1, pad16(d));
    for (size_t i = 0; bias && i < d; i++)
        writer_store(w, bias, i, tensor_at(&norm->bias, i, 0, 0, 0) -
                                     tensor_at(&norm->mean, i, 0, 0, 0) * batch_scale(w, norm, eps, i));
}

static void put_norm(writer *w, uint32_t role, const checkpoint_norm *norm, uint32_t kind, double eps)
{
    size_t d = w->ck->config.d_model;
    if (kind == B2S6_NORM_BATCH) {
        put_batch_norm(w, role, norm, eps);
        return;
    }
    if (kind != B2S6_NORM_NONE)
        writer_vector(w, role, &norm->weight, 1, d);
    if (kind == B2S6_NORM_LAYER)
        writer_vector(w, role + 1, &norm->bias, 1, d);
}

/* (d_inner, d_conv) the other way round, so that the channels are lanes; the bias is stored even when it is zero. */
static void put_conv(writer *w, const checkpoint_layer *layer)
{
    size_t d = w->ck->config.d_inner, taps = w->ck->config.d_conv;
    const tensor *t = &layer->conv_weight;
    unsigned char *place = writer_place_plain(w, t->name, CONV_WEIGHT, 1, taps, pad16(d));
    for (size_t i = 0; place && i < d; i++)
        for (size_t k = 0; k < taps; k++)
            writer_store(w, place, k * pad16(d) + i, tensor_at(t, i, k, 0, 0));
    if (layer->conv_bias.data)
        writer_vector(w, CONV_BIAS, &layer->conv_bias, 1, d);
    else
        writer_place_plain(w, "conv bias", CONV_BIAS, 1, 1, pad16(d));
}

static void put_layer(writer *w, const checkpoint_layer *layer)
{
    const checkpoint_config *c = &w->ck->config;
    int s4 = c->block == B2S6_BLOCK_S4;
    put_norm(w, NORM_WEIGHT, &layer->norm, c->norm, c->norm_eps);
    if (!s4) {
        put_matrices(w, IN_PROJ, w->types->projections, &layer->in_proj, 2);
        if (c->in_proj_bias)
            writer_vector(w, IN_PROJ_BIAS, &layer->in_proj_bias, 2, c->d_inner);
        put_conv(w, layer);
    }
    writer_unit(w, UNIT, &layer->unit);
    if (c->bidirectional)
        writer_unit(w, UNIT_REV, &layer->unit_rev);
    put_matrices(w, OUT, w->types->projections, &layer->out, s4 ? 2 : 1);
    if (s4 || c->out_proj_bias)
        writer_vector(w, OUT_BIAS, &layer->out_bias, s4 ? 2 : 1, c->d_model);
}

static void put_model(writer *w)
{
    const checkpoint *ck = w->ck;
    const checkpoint_config *c = &ck->config;
    w->section = 0;
    if (c->input_kind == B2S6_TOKENS)
        put_matrices(w, EMBEDDING, w->types->ends, &ck->encoder, 1);
    else
        put_matrices(w, ENCODER_WEIGHT, &matrix_f32, &ck->encoder, 1);
    if (c->input_kind == B2S6_FEATURES)
        writer_vector(w, ENCODER_BIAS, &ck->encoder_bias, 1, c->d_model);
    for (uint32_t i = 0; i < c->n_layers && !w->failed; i++) {
        w->section = 1 + i;
        put_layer(w, &ck->layers[i]);
    }
    w->section = c->n_layers + 1;
    put_norm(w, FINAL_NORM_WEIGHT, &ck->final_norm, c->final_norm, c->final_norm_eps);
    if (c->head_size > 0 && !c->head_tied)
        put_matrices(w, HEAD, w->types->ends, &ck->head, 1);
    if (c->head_bias)
        writer_vector(w, HEAD_BIAS, &ck->head_bias, 1, c->head_size);
}

/* ------------------------------------------------------------------------------------------------- what lies before them */

/* A batch norm is stored folded: an affine map, which has the file's code 3, and no eps. */
static uint32_t eps_bits(uint32_t norm, double eps)
{
    return norm == B2S6_NORM_LAYER || norm == B2S6_NORM_RMS ? float_bits(eps) : 0;
}

/* Fills in the entries and returns their number; place may be NULL. */
static uint32_t put_config(unsigned char *place, const checkpoint_config *c)
{
    const uint32_t entries[][2] = {
        { 1, c->d_model }, { 2, c->n_layers }, { 3, c->input_kind }, { 4, c->input_size }, { 5, c->head_size },
        { 6, c->block }, { 7, c->bidirectional }, { 8, c->norm }, { 9, c->norm_post ? 2 : 1 },
        { 10, eps_bits(c->norm, c->norm_eps) }, { 11, c->final_norm }, { 12, eps_bits(c->final_norm, c->final_norm_eps) },
        { 13, c->pool }, { 14, c->head_tied }, { 15, c->head_bias }, { 16, c->d_inner }, { 17, c->d_conv },
        { 18, c->in_proj_bias | c->out_proj_bias << 1 },
        { 32, c->h }, { 33, c->d_state }, { 34, c->complex_state }, { 35, c->a_scope }, { 36, c->b_weight | c->b_bias << 1 },
        { 37, c->c_selective ? 1 : 2 }, { 38, c->c_complex }, { 39, c->delta }, { 40, c->dt_rank }, { 41, c->euler ? 2 : 1 },
        { 42, c->conjugate }, { 43, c->skip },
    };
    uint32_t n = (uint32_t)(sizeof entries / sizeof entries[0]);
    for (uint32_t i = 0; place && i < n; i++) {
        writer_store_u32(place + CONFIG_ENTRY_SIZE * i, entries[i][0]);
        writer_store_u32(place + CONFIG_ENTRY_SIZE * i + 4, entries[i][1]);
    }
    return n;
}

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
static uint64_t put_metadata(unsigned char *place, const safetensors_pair *pairs, uint32_t n)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < n; i++)
        size += put_pair(place ? place + size : NULL, pairs[i].key, pairs[i].value);
    return (size + 7) / 8 * 8;
}

/* The order of metadata keys in the file: that of their bytes. */
static int by_key(const void *a, const void *b)
{
    return strcmp(((const safetensors_pair *)a)->key, ((const safetensors_pair *)b)->key);
}

/* The pairs that go into the file, sorted, in *n elements to free; NULL without memory. */
static safetensors_pair *choose_metadata(const writer_metadata *metadata, uint32_t *n)
{
    safetensors_pair *pairs = malloc((metadata->n + 1) * sizeof *pairs);
    int has_source = metadata->source == NULL;
    *n = 0;
    for (size_t i = 0; pairs && i < metadata->n; i++) {
        if (strcmp(metadata->pairs[i].key, "b2s6") == 0 || *metadata->pairs[i].key == 0)
            continue;
        has_source |= strcmp(metadata->pairs[i].key, "source") == 0;
        pairs[(*n)++] = metadata->pairs[i];
    }
    if (!pairs)
        return NULL;
    if (!has_source)
        pairs[(*n)++] = (safetensors_pair){ "source", metadata->source };
    qsort(pairs, *n, sizeof *pairs, by_key);
    return pairs;
}

/* The common CRC-32, a bit at a time in a table made on the way: reflected polynomial 0xEDB88320. */
static uint32_t crc32(const unsigned char *bytes, size_t size)
{
    uint32_t table[256], crc = 0xffffffff;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
    }
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    return crc ^ 0xffffffff;
}

static void put_header(unsigned char *file, uint64_t header_size, uint64_t file_size, const uint32_t counts[4])
{
    static const unsigned char magic[8] = { 0x89, 'B', '2', 'S', '6', '\r', '\n', 0x1a };
    static const uint32_t version = 1;
    memcpy(file, magic, sizeof magic);
    writer_store_u32(file + 8, version);
    writer_store_u32(file + 12, (uint32_t)header_size);
    writer_store_u64(file + 16, file_size);
    writer_store_u32(file + 28, crc32(file + header_size, (size_t)(file_size - header_size)));
    for (int i = 0; i < 4; i++)
        writer_store_u32(file + 32 + 4 * i, counts[i]);
    writer_store_u32(file + 24, crc32(file, (size_t)header_size));
}

int write_b2s6(const checkpoint *ck, const matrix_types *types, const writer_metadata *metadata, unsigned char **bytes,
               size_t *n_bytes, message *m)
{
    writer measure = { ck, types, NULL, 0, 0, NULL, 0, 0, "", m, 0 }, w = measure;
    uint32_t n_config = put_config(NULL, &ck->config), n_metadata;
    safetensors_pair *pairs = choose_metadata(metadata, &n_metadata);
    uint64_t metadata_size = pairs ? put_metadata(NULL, pairs, n_metadata) : 0, header_size, file_size;
    put_model(&measure);
    header_size = HEADER_SIZE + (uint64_t)CONFIG_ENTRY_SIZE * n_config + metadata_size +
                  (uint64_t)TABLE_ENTRY_SIZE * measure.n_tensors;
    header_size = (header_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    file_size = header_size + measure.end;
    w.bytes = !pairs || header_size > UINT32_MAX || file_size > SIZE_MAX ? NULL : calloc(1, (size_t)file_size);
    if (!w.bytes) {
        free(pairs);
        return complain(m, "out of memory: the model needs %llu bytes", (unsigned long long)file_size);
    }
    w.data = header_size;
    w.table = w.bytes + HEADER_SIZE + (size_t)CONFIG_ENTRY_SIZE * n_config + metadata_size;
    put_config(w.bytes + HEADER_SIZE, &ck->config);
    put_metadata(w.bytes + HEADER_SIZE + (size_t)CONFIG_ENTRY_SIZE * n_config, pairs, n_metadata);
    free(pairs);
    put_model(&w);
    if (w.failed) {
        free(w.bytes);
        return -1;
    }
    put_header(w.bytes, header_size, file_size,
               (const uint32_t[4]){ n_config, n_metadata, (uint32_t)metadata_size, w.n_tensors });
    *bytes = w.bytes;
    *n_bytes = (size_t)file_size;
    return 0;
}
