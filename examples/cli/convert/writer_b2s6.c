/* writer_b2s6.c - see writer_b2s6.h: the tensors and their table; what goes before them is in writer_header.c */
#include "writer_b2s6.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "writer.h"
#include "writer_header.h"

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

/* The named entries' bytes, in the order of their table. */
static void put_entries(writer *w, const writer_contents *contents)
{
    for (size_t i = 0; i < contents->n_entries; i++) {
        writer_put(w, contents->entries[i].bytes, contents->entries[i].size);
        writer_flush(w);
    }
}

/* The data, then the header in front of them. */
static int write_parts(writer *w, const writer_layout *layout, const checkpoint *ck, const writer_contents *contents)
{
    unsigned char *header = calloc(1, (size_t)layout->data);
    if (!header)
        return complain(w->m, "out of memory");
    w->data = w->offset = layout->data;
    w->table = header + layout->table;
    w->failed = w->sink->begin(w->sink->context, layout->file, w->m) != 0;
    if (!w->failed)
        put_model(w);
    writer_flush(w);
    put_entries(w, contents);
    if (!w->failed) {
        writer_put_header(header, layout, ck, contents, w->crc);
        w->failed = w->sink->put(w->sink->context, 0, header, (size_t)layout->data, w->m) != 0;
    }
    free(header);
    return w->failed ? -1 : 0;
}

int write_b2s6(const checkpoint *ck, const writer_contents *contents, const byte_sink *sink, message *m)
{
    writer w;
    writer_contents chosen = *contents;
    writer_layout layout;
    metadata_pair *pairs = writer_choose_metadata(contents, &chosen.n_pairs, m);
    int failed;
    if (!pairs)
        return -1;
    chosen.pairs = pairs;
    memset(&w, 0, sizeof w);
    w.ck = ck;
    w.types = contents->types;
    w.source = contents->tensors;
    w.value_size = contents->value_size;
    w.name = "";
    w.m = m;
    put_model(&w);
    layout.n_tensors = w.n_tensors;
    layout.tensors = w.end;
    layout.entries = entries_size(contents);
    w.n_tensors = 0;
    w.end = 0;
    w.sink = sink;
    crc_tables_make(&w.tables);
    failed = w.failed || writer_lay_out(&layout, ck, &chosen, m) != 0 || write_parts(&w, &layout, ck, &chosen) != 0;
    free(w.place);
    free(pairs);
    return failed ? -1 : 0;
}
