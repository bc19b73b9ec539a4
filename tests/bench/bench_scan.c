/* bench_scan.c - the recurrence alone */
#define _POSIX_C_SOURCE 200809L
#include "bench_scan.h"

#include <stdlib.h>
#include <string.h>

#include "examples/cli/bench/limits.h"

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

double bench_scan(const struct b2s6_kernels *kernels, const struct config *c, const struct unit *unit)
{
    size_t d = b2s6_pad16(c->d_inner), width = b2s6_pad16(config_bc_rows(c));
    float *u = bench_floats(STEPS * d, -1, 1), *delta = bench_floats(STEPS * d, 0.001f, 0.1f);
    float *bc = bench_floats(STEPS * c->h * width + 16, -1, 1), *y = bench_floats(STEPS * d, 0, 1);
    float *x = bench_floats(d * c->d_state * config_planes(c), -1, 1);
    double best = 0;
    if (u && delta && bc && y && x) {
        struct scan s;
        memset(&s, 0, sizeof s);
        s.config = c;
        s.unit = unit;
        s.u = u;
        s.delta = delta;
        s.bc = unit->bc.data ? bc : NULL;
        s.y = y;
        s.x = x;
        s.u_stride = s.delta_stride = s.y_stride = (ptrdiff_t)d;
        s.bc_stride = (ptrdiff_t)(c->h * width);
        s.bc_width = (uint32_t)width;
        s.n_steps = STEPS;
        s.end_group = (uint32_t)(d / 16);
        for (int i = 0; i < REPEATS; i++) {
            double begin = limits_now();
            kernels->scan(&s);
            double rate = (double)c->d_inner * c->d_state * STEPS / (limits_now() - begin);
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

double bench_scan_of_model(const b2s6_model *model)
{
    return bench_scan(model->kernels, &model->config, &model->layers[0].unit[0]);
}
