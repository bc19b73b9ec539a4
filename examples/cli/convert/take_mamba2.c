/* take_mamba2.c - see take_mamba2.h */
#include "take_mamba2.h"

#include <math.h>
#include <string.h>

void set_mamba2(checkpoint_layer_config *c)
{
    c->block = B2S6_BLOCK_MAMBA2;
    c->norm_groups = 1;
    c->delta_least = 0;
    c->delta_most = (double)INFINITY;
}

/* A finite number, or positive infinity in one of the two ways that Python's writers have. */
static int read_limit(json value, double *limit)
{
    json key = { NULL, 0 }, inner = { NULL, 0 };
    if (json_kind_of(value) == JSON_NUMBER && value.size == 8 && memcmp(value.text, "Infinity", 8) == 0) {
        *limit = (double)INFINITY;
        return 1;
    }
    if (json_kind_of(value) == JSON_OBJECT) {
        json_walk walk = json_begin(value);
        *limit = (double)INFINITY;
        return json_next(&walk, &key, &inner) && json_equals(key, "__float__") && json_kind_of(inner) == JSON_STRING &&
               json_equals(inner, "Infinity") && !json_next(&walk, &key, &inner);
    }
    return json_double(value, limit);
}

int read_delta_limits(checkpoint_layer_config *c, json limits, const char *key, message *m)
{
    double values[2];
    size_t n = 0;
    json value;
    int right = json_kind_of(limits) == JSON_ARRAY;
    if (right)
        for (json_walk walk = json_begin(limits); right && json_next(&walk, NULL, &value); n++)
            right = n < 2 && read_limit(value, &values[n]);
    if (!right || n != 2 || !(values[0] >= 0) || isinf(values[0]) || !(values[1] >= values[0]))
        return complain(m, "%s is not a list of two numbers in order, the first finite and >= 0, the second perhaps Infinity",
                        key);
    c->delta_least = values[0];
    c->delta_most = values[1];
    return 0;
}

void take_mamba2_mixer(tensor_taker *b, checkpoint_layer *layer, size_t d_model, int conv_bias)
{
    const checkpoint_layer_config *c = &layer->config;
    size_t d = c->d_inner, bc = 2 * (size_t)c->n_groups * c->d_state, rows = 2 * (c->d_mlp + d) + bc + c->h;
    tensor conv = { 0 };
    take_tensor(b, &layer->in_proj, "in_proj.weight", SHAPE(rows, d_model));
    take_tensor(b, &conv, "conv1d.weight", SHAPE(d + bc, 1, c->d_conv));
    if (conv_bias)
        take_tensor(b, &layer->conv_bias, "conv1d.bias", SHAPE(d + bc));
    take_tensor(b, &layer->unit.b, "dt_bias", SHAPE(c->h));
    take_tensor(b, &layer->unit.a_log, "A_log", SHAPE(c->h));
    take_tensor(b, &layer->unit.d, "D", SHAPE(c->d_channels ? d : c->h));
    if (c->gated_norm)
        take_tensor(b, &layer->gated_norm, "norm.weight", SHAPE(d));
    take_tensor(b, &layer->out, "out_proj.weight", SHAPE(d_model, c->d_mlp + d));
    if (c->in_proj_bias)
        take_tensor(b, &layer->in_proj_bias, "in_proj.bias", SHAPE(rows));
    if (c->out_proj_bias)
        take_tensor(b, &layer->out_bias, "out_proj.bias", SHAPE(d_model));
    if (!b->failed)
        layer->conv_weight = tensor_drop(conv, 1);
}
