/* reference_mamba2.c - Mamba-2 models in float64, equation by equation */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mamba2.h"

typedef struct walk {
    const mamba2_model *model;
    char prefix[64];
} walk;

static double *array(size_t count)
{
    double *values = (double *)calloc(count + 1, sizeof *values);
    if (values == NULL)
        exit(2);
    return values;
}

static const trained_tensor *tensor(const walk *w, const char *name)
{
    return trained_find(&w->model->tensors, w->prefix, name);
}

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static double softplus(double x)
{
    return log1p(exp(-fabs(x))) + (x > 0 ? x : 0);
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

/* x / sqrt(mean square + 1e-5) in runs of d values */
static void rms(double *x, size_t n, size_t d, const float *weight)
{
    for (size_t first = 0; first < n; first += d) {
        double square = 0;
        for (size_t i = first; i < first + d; i++)
            square += x[i] * x[i];
        for (size_t i = first; i < first + d; i++)
            x[i] = x[i] / sqrt(square / (double)d + 1e-5) * (double)weight[i];
    }
}

static void normalise(const walk *w, double *x)
{
    const size_t d = w->model->config.d_model;
    const trained_tensor *bias = tensor(w, "bias");
    double mean = 0;
    if (bias != NULL) {
        for (size_t i = 0; i < d; i++)
            mean += x[i] / (double)d;
        for (size_t i = 0; i < d; i++)
            x[i] -= mean;
    }
    rms(x, d, d, tensor(w, "weight")->values);
    for (size_t i = 0; bias != NULL && i < d; i++)
        x[i] += (double)bias->values[i];
}

/* xbc = silu(conv), in place; window (channels, taps) has the last inputs, oldest first. */
static void convolve(const walk *w, double *window, double *xbc, size_t channels)
{
    const size_t taps = w->model->config.d_conv;
    const trained_tensor *weight = tensor(w, "conv1d.weight"), *bias = tensor(w, "conv1d.bias");
    for (size_t i = 0; i < channels; i++) {
        double *row = window + i * taps, sum = bias ? (double)bias->values[i] : 0;
        memmove(row, row + 1, (taps - 1) * sizeof *row);
        row[taps - 1] = xbc[i];
        for (size_t k = 0; k < taps; k++)
            sum += (double)weight->values[i * taps + k] * row[k];
        xbc[i] = silu(sum);
    }
}

/* y (d_ssm) of one step; state (d_ssm, n) */
static void recur(const walk *w, double *state, const double *xbc, const double *dt, double *y)
{
    const mamba2_config *c = &w->model->config;
    const size_t d = c->d_ssm, n = c->d_state, heads = d / c->headdim;
    const trained_tensor *a_log = tensor(w, "A_log"), *skip = tensor(w, "D"), *dt_bias = tensor(w, "dt_bias");
    for (size_t i = 0; i < d; i++) {
        const size_t h = i / c->headdim, group = h / (heads / c->n_groups);
        const double *b = xbc + d + group * n, *readout = b + c->n_groups * n;
        double delta = softplus(dt[h] + (double)dt_bias->values[h]), sum = 0;
        if (c->has_limits)
            delta = fmin(fmax(delta, c->least), c->most);
        for (size_t s = 0; s < n; s++) {
            double *x = &state[i * n + s];
            *x = exp(-delta * exp((double)a_log->values[h])) * *x + delta * b[s] * xbc[i];
            sum += readout[s] * *x;
        }
        y[i] = sum + (double)skip->values[c->d_has_hdim ? i : h] * xbc[i];
    }
}

/* The mixer of one step: f (d_model) of u; window and state are the layer's. */
static void mix(const walk *w, double *window, double *state, const double *u, double *f)
{
    const mamba2_config *c = &w->model->config;
    const size_t inner = (size_t)c->expand * c->d_model, d = c->d_ssm, m = inner - d;
    const size_t channels = d + 2 * (size_t)c->n_groups * c->d_state;
    double *all = array(tensor(w, "in_proj.weight")->shape[0]), *y = array(inner);
    double *z = all + 2 * m, *xbc = z + d, *gated = y + m;
    affine(tensor(w, "in_proj.weight"), tensor(w, "in_proj.bias"), u, all);
    convolve(w, window, xbc, channels);
    recur(w, state, xbc, xbc + channels, gated);
    if (c->gated_norm && c->norm_before_gate)
        rms(gated, d, d / c->n_groups, tensor(w, "norm.weight")->values);
    for (size_t i = 0; i < d; i++)
        gated[i] *= silu(z[i]);
    if (c->gated_norm && !c->norm_before_gate)
        rms(gated, d, d / c->n_groups, tensor(w, "norm.weight")->values);
    for (size_t i = 0; i < m; i++)
        y[i] = silu(all[i]) * all[m + i];
    affine(tensor(w, "out_proj.weight"), tensor(w, "out_proj.bias"), y, f);
    free(all);
    free(y);
}

static void mlp(const walk *w, const double *u, double *f)
{
    const size_t width = tensor(w, "fc2.weight")->shape[1];
    double *yg = array(2 * width);
    affine(tensor(w, "fc1.weight"), NULL, u, yg);
    for (size_t i = 0; i < width; i++)
        yg[i] *= silu(yg[width + i]);
    affine(tensor(w, "fc2.weight"), NULL, yg, f);
    free(yg);
}

static void add_to(double *x, const double *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] += f[i];
}

/* Layer l over x (n_steps, d_model), in place. */
static void run_layer(const mamba2_model *model, uint32_t l, double *x, size_t n_steps)
{
    const mamba2_config *c = &model->config;
    const size_t d = c->d_model, channels = c->d_ssm + 2 * (size_t)c->n_groups * c->d_state;
    double *window = array(channels * c->d_conv), *state = array((size_t)c->d_ssm * c->d_state), *u = array(d), *f = array(d);
    walk w = { model, "" };
    for (size_t k = 0; k < n_steps; k++) {
        memcpy(u, x + k * d, d * sizeof *u);
        snprintf(w.prefix, sizeof w.prefix, "backbone.layers.%u.norm.", l);
        normalise(&w, u);
        snprintf(w.prefix, sizeof w.prefix, "backbone.layers.%u.mixer.", l);
        mix(&w, window, state, u, f);
        add_to(x + k * d, f, d);
        if (c->d_intermediate == 0)
            continue;
        memcpy(u, x + k * d, d * sizeof *u);
        snprintf(w.prefix, sizeof w.prefix, "backbone.layers.%u.norm2.", l);
        normalise(&w, u);
        snprintf(w.prefix, sizeof w.prefix, "backbone.layers.%u.mlp.", l);
        mlp(&w, u, f);
        add_to(x + k * d, f, d);
    }
    free(window);
    free(state);
    free(u);
    free(f);
}

void mamba2_reference(const mamba2_model *model, const int32_t *tokens, size_t n_steps, double *out)
{
    const mamba2_config *c = &model->config;
    const size_t d = c->d_model, rows = mamba2_rows(c);
    walk w = { model, "" };
    const trained_tensor *embedding = tensor(&w, "backbone.embedding.weight");
    const trained_tensor *head = c->tied ? embedding : tensor(&w, "lm_head.weight");
    double *x = array(n_steps * d);
    for (size_t k = 0; k < n_steps; k++)
        for (size_t i = 0; i < d; i++)
            x[k * d + i] = (double)embedding->values[(size_t)tokens[k] * d + i];
    for (uint32_t l = 0; l < c->n_layers; l++)
        run_layer(model, l, x, n_steps);
    snprintf(w.prefix, sizeof w.prefix, "backbone.norm_f.");
    for (size_t k = 0; k < n_steps; k++) {
        normalise(&w, x + k * d);
        affine(head, NULL, x + k * d, out + k * rows);
    }
    free(x);
}
