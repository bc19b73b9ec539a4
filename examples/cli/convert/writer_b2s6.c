/* writer_b2s6.c - see writer_b2s6.h: the tensors and their table; what goes before them is in writer_header.c */
#include "writer_b2s6.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "writer.h"
#include "writer_header.h"

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

uint32_t writer_float_bits(double value)
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
        writer_store_u32(place + 4 * index, writer_float_bits(value));
}

unsigned char *writer_place(writer *w, const char *name, uint32_t role, uint32_t type, uint32_t layout, size_t count,
                            size_t rows, size_t cols, uint64_t bytes)
{
    uint64_t offset = w->data + w->end;
    w->name = name;
    w->end += writer_round_up(bytes);
    w->n_tensors++;
    if (!w->bytes || w->failed)
        return NULL;
    writer_store_u16(w->table + TENSOR_AT_ROLE, role);
    writer_store_u32(w->table + TENSOR_AT_SECTION, w->section);
    writer_store_u32(w->table + TENSOR_AT_TYPE, type);
    writer_store_u32(w->table + TENSOR_AT_LAYOUT, layout);
    writer_store_u32(w->table + TENSOR_AT_COUNT, (uint32_t)count);
    writer_store_u32(w->table + TENSOR_AT_ROWS, (uint32_t)rows);
    writer_store_u32(w->table + TENSOR_AT_COLS, (uint32_t)cols);
    writer_store_u64(w->table + TENSOR_AT_OFFSET, offset);
    writer_store_u64(w->table + TENSOR_AT_BYTES, bytes);
    w->table += FORMAT_TENSOR_ENTRY_BYTES;
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
    size_t d = layer->config.d_inner, taps = layer->config.d_conv;
    const tensor *t = &layer->conv_weight;
    unsigned char *place = writer_place_plain(w, t->name, ROLE_CONV_WEIGHT, 1, taps, pad16(d));
    for (size_t i = 0; place && i < d; i++)
        for (size_t k = 0; k < taps; k++)
            writer_store(w, place, k * pad16(d) + i, tensor_at(t, i, k, 0, 0));
    if (layer->conv_bias.data)
        writer_vector(w, ROLE_CONV_BIAS, &layer->conv_bias, 1, d);
    else
        writer_place_plain(w, "conv bias", ROLE_CONV_BIAS, 1, 1, pad16(d));
}

static void put_layer(writer *w, const checkpoint_layer *layer)
{
    const checkpoint_layer_config *c = &layer->config;
    int s4 = c->block == B2S6_BLOCK_S4;
    put_norm(w, ROLE_NORM_WEIGHT, &layer->norm, c->norm, c->norm_eps);
    if (c->block == B2S6_BLOCK_MAMBA2) {
        writer_mamba2(w, layer);
        return;
    }
    if (c->block == B2S6_BLOCK_MLP) {
        put_matrices(w, ROLE_IN_PROJ, w->types->projections, &layer->in_proj, 2);
        put_matrices(w, ROLE_OUT, w->types->projections, &layer->out, 1);
        return;
    }
    if (!s4) {
        put_matrices(w, ROLE_IN_PROJ, w->types->projections, &layer->in_proj, 2);
        if (c->in_proj_bias)
            writer_vector(w, ROLE_IN_BIAS, &layer->in_proj_bias, 2, c->d_inner);
        put_conv(w, layer);
    }
    writer_unit(w, ROLE_UNIT, c, &layer->unit);
    if (c->bidirectional)
        writer_unit(w, ROLE_UNIT_BACKWARDS, c, &layer->unit_rev);
    put_matrices(w, ROLE_OUT, w->types->projections, &layer->out, s4 ? 2 : 1);
    if (s4 || c->out_proj_bias)
        writer_vector(w, ROLE_OUT_BIAS, &layer->out_bias, s4 ? 2 : 1, w->ck->config.d_model);
}

static void put_model(writer *w)
{
    const checkpoint *ck = w->ck;
    const checkpoint_config *c = &ck->config;
    w->section = 0;
    if (c->input_kind == B2S6_TOKENS)
        put_matrices(w, ROLE_EMBEDDING, w->types->ends, &ck->encoder, 1);
    else
        put_matrices(w, ROLE_ENCODER, &matrix_f32, &ck->encoder, 1);
    if (c->input_kind == B2S6_FEATURES)
        writer_vector(w, ROLE_ENCODER_BIAS, &ck->encoder_bias, 1, c->d_model);
    for (uint32_t i = 0; i < c->n_layers && !w->failed; i++) {
        w->section = 1 + i;
        put_layer(w, &ck->layers[i]);
    }
    w->section = c->n_layers + 1;
    put_norm(w, ROLE_FINAL_NORM_WEIGHT, &ck->final_norm, c->final_norm, c->final_norm_eps);
    if (c->head_size > 0 && !c->head_tied)
        put_matrices(w, ROLE_HEAD, w->types->ends, &ck->head, 1);
    if (c->head_bias)
        writer_vector(w, ROLE_HEAD_BIAS, &ck->head_bias, 1, c->head_size);
}

/* -------------------------------------------------------------------------------------------------------- the whole file */

/* Bytes that the entries take after the last tensor, each at its alignment. */
static uint64_t entries_size(const writer_contents *contents)
{
    uint64_t size = 0;
    for (size_t i = 0; i < contents->n_entries; i++)
        size += writer_round_up(contents->entries[i].size);
    return size;
}

/* The whole file as soon as its sizes are known. 0, with w->bytes the file, or -1. */
static int write_parts(writer *w, const writer_layout *layout, const checkpoint *ck, const writer_contents *contents)
{
    w->bytes = layout->file > SIZE_MAX ? NULL : calloc(1, (size_t)layout->file);
    if (!w->bytes)
        return complain(w->m, "out of memory: the model needs %llu bytes", (unsigned long long)layout->file);
    w->data = layout->data;
    w->table = w->bytes + layout->table;
    put_model(w);
    if (w->failed) {
        free(w->bytes);
        return -1;
    }
    writer_put_header(w->bytes, layout, ck, contents);
    return 0;
}

int write_b2s6(const checkpoint *ck, const writer_contents *contents, unsigned char **bytes, size_t *n_bytes, message *m)
{
    writer measure = { ck, contents->types, NULL, 0, 0, NULL, 0, 0, "", m, 0 }, w = measure;
    writer_contents chosen = *contents;
    writer_layout layout;
    safetensors_pair *pairs = writer_choose_metadata(contents, &chosen.n_pairs, m);
    int failed;
    if (!pairs)
        return -1;
    chosen.pairs = pairs;
    put_model(&measure);
    layout.n_tensors = measure.n_tensors;
    layout.tensors = measure.end;
    layout.entries = entries_size(contents);
    failed = writer_lay_out(&layout, ck, &chosen, m) != 0 || write_parts(&w, &layout, ck, &chosen) != 0;
    free(pairs);
    if (failed)
        return -1;
    *bytes = w.bytes;
    *n_bytes = (size_t)layout.file;
    return 0;
}
