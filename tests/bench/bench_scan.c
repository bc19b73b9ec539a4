/* bench_scan.c - the recurrence alone */
#define _POSIX_C_SOURCE 200809L
#include "bench_scan.h"

#include <stdlib.h>
#include <string.h>

#include "examples/cli/bench/limits.h"
#include "src/model.h"

enum { STEPS = 64, REPEATS = 40 };

float *bench_floats(size_t n, float low, float high)
{
    void *memory;
    float *p;
    uint32_t x = 12345;
    if (posix_memalign(&memory, 64, n * sizeof *p + 64) != 0)
        return NULL;
    p = memory;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = low + (high - low) * ((float)(x >> 8) * 0x1p-24f);
    }
    return p;
}

double bench_scan(const struct b2s6_kernels *kernels, struct scan s)
{
    const size_t d = b2s6_pad16(s.d), rows = s.d / s.p / s.blocks_a_row;
    const size_t planes = (size_t)(s.kind.is_complex ? 2 : 1) * (s.kind.compensated ? 2 : 1);
    float *u = bench_floats(STEPS * d, -1, 1), *delta = bench_floats(STEPS * d, 0.001f, 0.1f);
    float *bc = bench_floats(STEPS * rows * s.bc_width + 16, -1, 1), *y = bench_floats(STEPS * d, 0, 1);
    float *x = bench_floats(d * s.n * planes, 0, 0);
    double best = 0;
    if (u && delta && bc && y && x) {
        s.u = u;
        s.delta = delta;
        s.bc = s.bc_width ? bc : NULL;
        s.y = y;
        s.x = x;
        s.u_stride = s.y_stride = (ptrdiff_t)d;
        s.delta_stride = s.kind.delta_constant ? 0 : (ptrdiff_t)d;
        s.bc_stride = (ptrdiff_t)(rows * s.bc_width);
        s.n_steps = STEPS;
        s.end_group = (uint32_t)(d / 16);
        for (int i = 0; i < REPEATS; i++) {
            double begin = limits_now();
            kernels->scan(&s);
            double rate = (double)s.d * s.n * STEPS / (limits_now() - begin);
            best = rate > best ? rate : best;
        }
    }
    free(u);
    free(delta);
    free(bc);
    free(y);
    free(x);
    return best;
}

/* A layer's unit as the library hands it to a scan (src/unit.c), a mamba2 block's included (src/block_mamba2.c). */
static struct scan scan_of_layer(const struct layer *layer)
{
    const struct layer_config *c = &layer->config;
    const struct unit *u = &layer->unit;
    struct scan s;
    memset(&s, 0, sizeof s);
    s.kind.is_complex = (uint8_t)config_is_complex(c);
    s.kind.hold = c->discretization == ZERO_ORDER_HOLD;
    s.kind.compensated = (uint8_t)config_is_compensated(c);
    s.kind.a = config_shares_a(c) ? SCAN_A_SHARED : config_a_is_scalar(c) ? SCAN_A_SCALAR : SCAN_A_LANES;
    s.kind.delta_constant = c->delta == B2S6_DELTA_CONSTANT;
    s.kind.b_weight = (c->b & B_HAS_WEIGHT) != 0;
    s.kind.b_bias = (c->b & B_HAS_BIAS) != 0;
    s.kind.c_selective = c->c == C_SELECTIVE;
    s.kind.c_complex = c->c_complex != 0;
    s.kind.b_over_a = (uint8_t)config_has_a_inverse(c);
    s.n = c->d_state;
    s.d = c->d_inner;
    s.p = c->d_inner / c->h;
    s.blocks_a_row = c->delta == B2S6_DELTA_INPUT ? c->h / c->n_groups : 1;
    s.scale = c->conjugate ? 2.0f : 1.0f;
    s.turn_limit = u->turn_limit;
    s.a = u->a;
    s.a_inverse = u->a_inverse;
    s.b_bias = u->b_bias;
    s.c = u->c;
    s.skip = u->d;
    s.bc_width = c->delta == B2S6_DELTA_INPUT ? config_bc_rows(c) : b2s6_pad16(config_bc_rows(c));
    return s;
}

double bench_scan_of_model(const b2s6_model *model)
{
    for (uint32_t i = 0; i < model->config.n_layers; i++)
        if (config_has_unit(&model->layers[i].config))
            return bench_scan(model->kernels, scan_of_layer(&model->layers[i]));
    return 0;
}
