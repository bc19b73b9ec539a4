/* reference_unit.c - the recurrent unit in float64, equation by equation */
#include "reference.h"

#include <math.h>
#include <stdlib.h>

typedef struct complex64 {
    double re, im;
} complex64;

static complex64 multiply(complex64 a, complex64 b)
{
    complex64 c = { a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
    return c;
}

static complex64 divide(complex64 a, complex64 b)
{
    double square = b.re * b.re + b.im * b.im;
    complex64 c = { (a.re * b.re + a.im * b.im) / square, (a.im * b.re - a.re * b.im) / square };
    return c;
}

/* exp(z) and exp(z) - 1, the second without cancellation near 0. */
static complex64 exponential(complex64 z)
{
    complex64 e = { exp(z.re) * cos(z.im), exp(z.re) * sin(z.im) };
    return e;
}

static complex64 exponential_minus_1(complex64 z)
{
    double s = sin(z.im / 2);
    complex64 e = { expm1(z.re) * cos(z.im) - 2 * s * s, exp(z.re) * sin(z.im) };
    return e;
}

static double softplus(double x)
{
    return log1p(exp(-fabs(x))) + (x > 0 ? x : 0);
}

typedef struct unit {
    const unit_config *config;
    size_t h, p, d, n;
    const trained_tensor *A_log, *A_imag, *B_weight, *B_bias, *C, *w, *b, *x_weight, *dt_weight, *D;
    complex64 *x; /* (d, n) */
} unit;

/* Element i of a tensor whose elements are complex (a last axis of 2) or real. */
static complex64 element(const trained_tensor *t, int is_complex, size_t i)
{
    complex64 value = { 0, 0 };
    value.re = (double)t->values[is_complex ? 2 * i : i];
    if (is_complex)
        value.im = (double)t->values[2 * i + 1];
    return value;
}

/* A of channel c and state s: one row for all channels, one a block, or one a channel. */
static complex64 state_matrix(const unit *m, size_t c, size_t s)
{
    size_t rows = m->A_log->shape[0], i = c / (m->d / rows) * m->n + s;
    complex64 a = { -exp((double)m->A_log->values[i]), 0 };
    if (m->config->complex_state)
        a.im = (double)m->A_imag->values[i];
    return a;
}

/* delta (d) of one step. */
static void step_sizes(const unit *m, const double *u, double *delta)
{
    for (size_t c = 0; c < m->d; c++) {
        double sum = 0;
        size_t first = c / m->p * m->p; /* of the channel's block */
        if (m->config->delta == B2S6_DELTA_CONSTANT) {
            delta[c] = exp((double)m->b->values[c]);
            continue;
        }
        if (m->config->delta == B2S6_DELTA_BLOCK)
            for (size_t i = first; i < first + m->p; i++)
                sum += (double)m->w->values[i] * u[i];
        else
            for (size_t r = 0; r < m->config->dt_rank; r++) {
                double low = 0;
                for (size_t i = 0; i < m->d; i++)
                    low += (double)m->x_weight->values[r * m->d + i] * u[i];
                sum += (double)m->dt_weight->values[c * m->config->dt_rank + r] * low;
            }
        delta[c] = softplus(sum + (double)m->b->values[c]);
    }
}

/* B of channel c and state s. */
static complex64 input_matrix(const unit *m, const double *u, size_t c, size_t s)
{
    size_t j = c / m->p;
    complex64 b = { 0, 0 };
    if (m->config->b_weight) /* (h, n, p) */
        for (size_t i = 0; i < m->p; i++) {
            complex64 weight = element(m->B_weight, m->config->complex_state, (j * m->n + s) * m->p + i);
            b.re += weight.re * u[j * m->p + i];
            b.im += weight.im * u[j * m->p + i];
        }
    if (m->config->b_bias) { /* (h, p, n) */
        complex64 bias = element(m->B_bias, m->config->complex_state, c * m->n + s);
        b.re += bias.re;
        b.im += bias.im;
    }
    return b;
}

/* C of channel c and state s; its tensor is (h, p, n) either way. */
static complex64 output_matrix(const unit *m, const double *u, size_t c, size_t s)
{
    size_t first = c / m->p * m->p;
    complex64 sum = { 0, 0 };
    if (!m->config->c_selective)
        return element(m->C, m->config->c_complex, c * m->n + s);
    for (size_t i = first; i < first + m->p; i++) {
        complex64 weight = element(m->C, m->config->c_complex, i * m->n + s);
        sum.re += weight.re * u[i];
        sum.im += weight.im * u[i];
    }
    return sum;
}

static void step(unit *m, const double *u, double *delta, double *y)
{
    step_sizes(m, u, delta);
    for (size_t c = 0; c < m->d; c++) {
        double sum = 0;
        for (size_t s = 0; s < m->n; s++) {
            complex64 a = state_matrix(m, c, s), z = { delta[c] * a.re, delta[c] * a.im };
            complex64 scale = { delta[c], 0 }, *x = &m->x[c * m->n + s], input;
            if (!m->config->euler)
                scale = divide(exponential_minus_1(z), a);
            input = multiply(scale, input_matrix(m, u, c, s));
            *x = multiply(exponential(z), *x);
            x->re += input.re * u[c];
            x->im += input.im * u[c];
            sum += multiply(output_matrix(m, u, c, s), *x).re;
        }
        y[c] = m->config->conjugate ? 2 * sum : sum;
        if (m->config->skip)
            y[c] += (double)m->D->values[c] * u[c];
    }
}

void reference_unit(const trained_model *model, const char *prefix, const double *u, size_t n_steps, double *y)
{
    unit m;
    double *delta;
    m.config = &model->config.unit;
    m.d = model->config.d_inner;
    m.h = m.config->h;
    m.p = m.d / m.h;
    m.n = m.config->d_state;
    m.A_log = trained_find(model, prefix, "A_log");
    m.A_imag = trained_find(model, prefix, "A_imag");
    m.B_weight = trained_find(model, prefix, "B_weight");
    m.B_bias = trained_find(model, prefix, "B_bias");
    m.C = trained_find(model, prefix, "C");
    m.w = trained_find(model, prefix, "w");
    m.b = trained_find(model, prefix, "b");
    m.x_weight = trained_find(model, prefix, "x_weight");
    m.dt_weight = trained_find(model, prefix, "dt_weight");
    m.D = trained_find(model, prefix, "D");
    m.x = (complex64 *)calloc(m.d * m.n, sizeof *m.x);
    delta = (double *)malloc(m.d * sizeof *delta);
    if (m.x == NULL || delta == NULL)
        exit(2);
    for (size_t k = 0; k < n_steps; k++)
        step(&m, u + k * m.d, delta, y + k * m.d);
    free(m.x);
    free(delta);
}
