/* probe.c - one unit alone, through the library */
#include "probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static const float gate = 4;

static double silu(double x)
{
    return x / (1 + exp(-x));
}

void probe_make(probe *p, const unit_config *unit, size_t d, uint64_t seed)
{
    random_source random = { seed };
    trained_model *m = &p->model;
    float *weight;
    memset(p, 0, sizeof *p);
    p->d = d;
    p->gain = 1;
    plain_config(&m->config, (uint32_t)d + 1, unit->h, unit->d_state);
    m->config.n_layers = 1;
    m->config.input_kind = B2S6_FEATURES;
    m->config.input_size = (uint32_t)d;
    m->config.norm = m->config.final_norm = B2S6_NORM_NONE;
    m->config.norm_eps = m->config.final_norm_eps = 0;
    m->config.block = B2S6_BLOCK_MAMBA;
    m->config.d_inner = (uint32_t)d;
    m->config.d_conv = 1;
    m->config.unit = *unit;
    m->config.head_size = 0;
    m->config.head_bias = 0;
    generate_tensors(m, &random);
    /* the unit's tensors stay; all else is replaced */
    weight = trained_find(m, "", "encoder.weight")->values; /* (d + 1, d): the channels */
    fill(trained_find(m, "", "encoder.weight"), 0);
    for (size_t i = 0; i < d; i++)
        weight[i * d + i] = 1;
    fill(trained_find(m, "", "encoder.bias"), 0);
    trained_find(m, "", "encoder.bias")->values[d] = 1; /* the constant */
    weight = trained_find(m, "layers.0.", "in_proj.weight")->values; /* (2 d, d + 1): v the channels, z the constant */
    fill(trained_find(m, "layers.0.", "in_proj.weight"), 0);
    for (size_t i = 0; i < d; i++) {
        weight[i * (d + 1) + i] = 1;
        weight[(d + i) * (d + 1) + d] = gate;
    }
    fill(trained_find(m, "layers.0.", "conv.weight"), 1);
    fill(trained_find(m, "layers.0.", "conv.bias"), 0);
    weight = trained_find(m, "layers.0.", "out_proj.weight")->values; /* (d + 1, d) */
    fill(trained_find(m, "layers.0.", "out_proj.weight"), 0);
    for (size_t i = 0; i < d; i++)
        weight[i * d + i] = 1;
}

void probe_gain(probe *p, float gain_wanted)
{
    trained_tensor *t = trained_find(&p->model, "layers.0.", "out_proj.weight");
    for (size_t i = 0; i < t->count; i++)
        t->values[i] *= gain_wanted / p->gain;
    p->gain = gain_wanted;
}

void probe_open(probe *p)
{
    open_trained(&p->opened, &p->model);
}

void probe_free(probe *p)
{
    if (p->opened.model != NULL)
        close_model(&p->opened);
    trained_free(&p->model);
}

trained_tensor *probe_tensor(probe *p, const char *name)
{
    trained_tensor *t = trained_find(&p->model, "layers.0.unit.", name);
    CHECK(t != NULL);
    return t;
}

void fill(trained_tensor *t, float value)
{
    for (size_t i = 0; i < t->count; i++)
        t->values[i] = value;
}

/* SiLU rises from -1.278 on: bisection, then u becomes what the rounded feature really gives. */
void features_for(double *u, float *features, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double low = -1.27, high = 40;
        CHECK(u[i] > -0.27 && u[i] < 39);
        for (int k = 0; k < 200; k++) {
            double middle = (low + high) / 2;
            if (silu(middle) < u[i])
                low = middle;
            else
                high = middle;
        }
        features[i] = u[i] == 0 ? 0 : (float)low;
        u[i] = silu((double)features[i]);
    }
}

void probe_rows(const probe *p, const float *features, size_t n_steps, float *rows)
{
    model_input input = { 0, NULL, NULL };
    input.n_steps = n_steps;
    input.features = (float *)malloc(n_steps * p->d * sizeof(float));
    memcpy(input.features, features, n_steps * p->d * sizeof(float));
    run_whole(&p->opened, &input, 0, rows);
    free(input.features);
}

void probe_run(const probe *p, const float *features, size_t n_steps, double *y)
{
    float *rows = (float *)malloc(n_steps * (p->d + 1) * sizeof *rows);
    probe_rows(p, features, n_steps, rows);
    for (size_t k = 0; k < n_steps; k++)
        for (size_t i = 0; i < p->d; i++)
            y[k * p->d + i] = ((double)rows[k * (p->d + 1) + i] - (double)features[k * p->d + i]) /
                              (silu((double)gate) * (double)p->gain);
    free(rows);
}
