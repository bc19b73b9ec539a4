/* reference.c - blocks, norms, pooling and head around the unit in float64 */
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *array(size_t count)
{
    double *values = (double *)calloc(count + 1, sizeof *values);
    if (values == NULL)
        exit(2);
    return values;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double gelu(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2.0)));
}

/* y (rows) = weight (rows, cols) x + bias, which may be absent. */
static void affine(const trained_tensor *weight, const trained_tensor *bias, const double *x, double *y)
{
    size_t rows = weight->shape[0], cols = weight->shape[1];
    for (size_t r = 0; r < rows; r++) {
        y[r] = bias ? (double)bias->values[r] : 0;
        for (size_t k = 0; k < cols; k++)
            y[r] += (double)weight->values[r * cols + k] * x[k];
    }
}

/* Normalises x (n_steps, d) in place; prefix names the norm's tensors. */
static void normalise(const trained_model *model, b2s6_norm kind, double eps, const char *prefix, double *x, size_t n_steps)
{
    size_t d = model->config.d_model;
    const trained_tensor *weight = trained_find(model, prefix, "weight"), *bias = trained_find(model, prefix, "bias");
    const trained_tensor *mean = trained_find(model, prefix, "running_mean");
    const trained_tensor *variance = trained_find(model, prefix, "running_var");
    for (double *end = x + n_steps * d; kind != B2S6_NORM_NONE && x < end; x += d) {
        double sum = 0, squares = 0, centre = 0;
        for (size_t i = 0; i < d; i++)
            sum += x[i];
        if (kind == B2S6_NORM_LAYER)
            centre = sum / (double)d;
        for (size_t i = 0; i < d; i++)
            squares += (x[i] - centre) * (x[i] - centre);
        for (size_t i = 0; i < d; i++) {
            double m = centre, v = squares / (double)d;
            if (kind == B2S6_NORM_BATCH) {
                m = (double)mean->values[i];
                v = (double)variance->values[i];
            }
            x[i] = (x[i] - m) / sqrt(v + eps) * (double)weight->values[i];
            if (kind != B2S6_NORM_RMS)
                x[i] += (double)bias->values[i];
        }
    }
}

static void reverse(double *x, size_t n_steps, size_t d)
{
    for (size_t k = 0; k < n_steps / 2; k++)
        for (size_t i = 0; i < d; i++) {
            double *a = x + k * d + i, *b = x + (n_steps - 1 - k) * d + i, kept = *a;
            *a = *b;
            *b = kept;
        }
}

/* f (n_steps, d_model) = the s4 block of u, which is left reversed if the layer is bidirectional */
static void block_s4(const trained_model *model, const char *layer, double *u, size_t n_steps, double *f)
{
    size_t d = model->config.d_model;
    double *y = array(n_steps * d), *back = array(n_steps * d), *ag = array(2 * d);
    const trained_tensor *weight = trained_find(model, layer, "out.weight"), *bias = trained_find(model, layer, "out.bias");
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%sunit.", layer);
    reference_unit(model, prefix, u, n_steps, y);
    if (model->config.bidirectional) {
        snprintf(prefix, sizeof prefix, "%sunit_rev.", layer);
        reverse(u, n_steps, d);
        reference_unit(model, prefix, u, n_steps, back);
        reverse(back, n_steps, d);
    }
    for (size_t k = 0; k < n_steps; k++) {
        for (size_t i = k * d; i < (k + 1) * d; i++)
            y[i] = gelu(y[i] + back[i]);
        affine(weight, bias, y + k * d, ag);
        for (size_t i = 0; i < d; i++)
            f[k * d + i] = ag[i] * sigmoid(ag[d + i]);
    }
    free(y);
    free(back);
    free(ag);
}

/* f (n_steps, d_model) = the mamba block of u (n_steps, d_model) */
static void block_mamba(const trained_model *model, const char *layer, const double *u, size_t n_steps, double *f)
{
    size_t d = model->config.d_model, di = model->config.d_inner, taps = model->config.d_conv;
    double *vz = array(n_steps * 2 * di), *v = array(n_steps * di), *y = array(n_steps * di);
    const trained_tensor *in_bias = trained_find(model, layer, "in_proj.bias");
    const trained_tensor *out_bias = trained_find(model, layer, "out_proj.bias");
    const trained_tensor *conv = trained_find(model, layer, "conv.weight"), *conv_bias = trained_find(model, layer, "conv.bias");
    char prefix[64];
    for (size_t k = 0; k < n_steps; k++)
        affine(trained_find(model, layer, "in_proj.weight"), in_bias, u + k * d, vz + k * 2 * di);
    for (size_t k = 0; k < n_steps; k++)
        for (size_t i = 0; i < di; i++) {
            double sum = conv_bias ? (double)conv_bias->values[i] : 0;
            for (size_t tap = 0; tap < taps; tap++) /* the last tap is the present step */
                if (k + tap + 1 >= taps)
                    sum += (double)conv->values[i * taps + tap] * vz[(k + tap + 1 - taps) * 2 * di + i];
            v[k * di + i] = sum * sigmoid(sum);
        }
    snprintf(prefix, sizeof prefix, "%sunit.", layer);
    reference_unit(model, prefix, v, n_steps, y);
    for (size_t k = 0; k < n_steps; k++) {
        for (size_t i = 0; i < di; i++) {
            double z = vz[k * 2 * di + di + i];
            y[k * di + i] *= z * sigmoid(z);
        }
        affine(trained_find(model, layer, "out_proj.weight"), out_bias, y + k * di, f + k * d);
    }
    free(vz);
    free(v);
    free(y);
}

/* model's configuration is that of this layer. */
static void run_layer(const trained_model *model, const char *layer, double *x, size_t n_steps)
{
    const model_config *c = &model->config;
    size_t count = n_steps * c->d_model;
    double *u = array(count), *f = array(count);
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%snorm.", layer);
    memcpy(u, x, count * sizeof *u);
    if (!c->norm_post)
        normalise(model, c->norm, c->norm_eps, prefix, u, n_steps);
    if (c->block == B2S6_BLOCK_S4)
        block_s4(model, layer, u, n_steps, f);
    else
        block_mamba(model, layer, u, n_steps, f);
    for (size_t i = 0; i < count; i++)
        x[i] += f[i];
    if (c->norm_post)
        normalise(model, c->norm, c->norm_eps, prefix, x, n_steps);
    free(u);
    free(f);
}

static void encode(const trained_model *model, const int32_t *tokens, const float *features, size_t n_steps, double *x)
{
    size_t d = model->config.d_model, width = model->config.input_size;
    const trained_tensor *weight = trained_find(model, "", "encoder.weight"), *bias = trained_find(model, "", "encoder.bias");
    double *row = array(width);
    for (size_t k = 0; k < n_steps; k++)
        if (model->config.input_kind == B2S6_TOKENS) {
            for (size_t i = 0; i < d; i++)
                x[k * d + i] = (double)weight->values[(size_t)tokens[k] * d + i];
        } else {
            for (size_t i = 0; i < width; i++)
                row[i] = (double)features[k * width + i];
            affine(weight, bias, row, x + k * d);
        }
    free(row);
}

/* Row k becomes the mean of rows 0 .. k. */
static void running_mean(double *x, size_t n_steps, size_t d)
{
    for (size_t i = 0; i < d; i++) {
        double sum = 0;
        for (size_t k = 0; k < n_steps; k++) {
            sum += x[k * d + i];
            x[k * d + i] = sum / (double)(k + 1);
        }
    }
}

void reference_run(const trained_model *model, const int32_t *tokens, const float *features, size_t n_steps, double *hidden,
                   double *out)
{
    const model_config *c = &model->config;
    size_t d = c->d_model;
    double *x = array(n_steps * d);
    char layer[32];
    encode(model, tokens, features, n_steps, x);
    for (uint32_t l = 0; l < c->n_layers; l++) {
        trained_model view = *model; /* of the same tensors */
        view.config = config_of_layer(c, l);
        snprintf(layer, sizeof layer, "layers.%u.", l);
        run_layer(&view, layer, x, n_steps);
    }
    normalise(model, c->final_norm, c->final_norm_eps, "final_norm.", x, n_steps);
    if (c->pool == B2S6_POOL_MEAN)
        running_mean(x, n_steps, d);
    if (hidden != NULL)
        memcpy(hidden, x, n_steps * d * sizeof *x);
    if (c->head_size == 0)
        memcpy(out, x, n_steps * d * sizeof *x);
    for (size_t k = 0; c->head_size != 0 && k < n_steps; k++)
        affine(trained_find(model, "", c->head_tied ? "encoder.weight" : "head.weight"),
               c->head_bias ? trained_find(model, "", "head.bias") : NULL, x + k * d, out + k * c->head_size);
    free(x);
}

double relative_error(const double *expected, const float *value, size_t count)
{
    double error = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        error = fmax(error, fabs((double)value[i] - expected[i]));
        largest = fmax(largest, fabs(expected[i]));
        if (!isfinite(value[i]))
            return INFINITY;
    }
    return largest > 0 ? error / largest : error;
}
