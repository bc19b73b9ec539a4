/*
 * bench_kernels.c - each kernel alone, at sizes that say something
 *
 *     bench_kernels [--isa NAME] [MODEL.b2s6 ...]     each model: the scan of its own first unit as well
 *
 * Works on one thread. It looks past the public header, at the kernels, and so it is no part of the program b2s6.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_elementary.h"
#include "bench_scan.h"
#include "examples/cli/bench/limits.h"
#include "src/isa.h"

enum { REPEATS = 25 };

/* Best rate of REPEATS calls that do so many units of work each. */
#define BEST_RATE(rate, work, call)                                                                                      \
    do {                                                                                                                 \
        for (int repeat_ = 0; repeat_ < REPEATS; repeat_++) {                                                            \
            double begin_ = limits_now();                                                                                \
            call;                                                                                                        \
            double rate_ = (double)(work) / (limits_now() - begin_);                                                     \
            rate = rate_ > rate ? rate_ : rate;                                                                          \
        }                                                                                                                \
    } while (0)

static void bench_product(const struct b2s6_kernels *k, size_t n_rows, uint32_t rows, uint32_t cols, double peak, FILE *out)
{
    float *w = bench_floats((size_t)rows * cols, -1, 1), *x = bench_floats(n_rows * cols, -1, 1);
    float *y = bench_floats(n_rows * rows, 0, 0), *packed = bench_floats(n_rows * cols, 0, 0);
    double rate = 0;
    if (w && x && y && packed) {
        struct product p;
        struct pack pack = { x, packed, cols, n_rows, cols };
        memset(&p, 0, sizeof p);
        p.weight = w;
        p.x = x;
        p.y = y;
        p.x_stride = p.k = cols;
        p.y_stride = p.n_out = rows;
        p.n_rows = n_rows;
        p.end_panel = rows / 16;
        if (k->pack_rows && n_rows >= k->pack_rows && rows >= PACK_WORTH_ROWS) {
            k->pack(&pack, 0, n_rows / k->pack_rows);
            p.packed = packed;
            p.packed_stride = (size_t)cols * k->pack_rows;
        }
        BEST_RATE(rate, 2.0 * (double)n_rows * rows * cols, k->product[TYPE_F32](&p));
        fprintf(out, "product   %5lu x %-5lu  %4zu row%s   %8.1f GFLOP/s  %3.0f %% of the peak  %7.1f GB/s of weights\n",
                (unsigned long)rows, (unsigned long)cols, n_rows, n_rows == 1 ? " " : "s", 1e-9 * rate,
                1e-7 * rate / peak, 1e-9 * rate * 2 / (double)n_rows);
    }
    free(w);
    free(x);
    free(y);
    free(packed);
}

/* A unit with random numbers: B2S6 with A shared by the layer, or S6 with one a channel. */
static void bench_unit(const struct b2s6_kernels *k, int s6, uint32_t d, uint32_t n, FILE *out)
{
    struct config c;
    struct unit u;
    memset(&c, 0, sizeof c);
    memset(&u, 0, sizeof u);
    c.d_model = c.d_inner = d;
    c.h = s6 ? 1 : 8;
    c.d_state = n;
    c.complex_state = !s6;
    c.a_scope = s6 ? B2S6_SCOPE_CHANNEL : B2S6_SCOPE_LAYER;
    c.b = s6 ? B_HAS_WEIGHT : B_HAS_WEIGHT | B_HAS_BIAS;
    c.c = C_SELECTIVE;
    c.discretization = s6 ? EULER : ZERO_ORDER_HOLD;
    c.conjugate = c.skip = 1;
    float *a = bench_floats(s6 ? (size_t)d * n * 2 : (size_t)n * 4, -2, -0.1f);
    float *bias = s6 ? NULL : bench_floats((size_t)d * n * 2, -1, 1), *skip = bench_floats(d, -1, 1);
    u.a = a;
    u.b_bias = bias;
    u.d = skip;
    u.bc.data = skip; /* only that it is there matters: the products are not run */
    for (uint32_t i = 0; !s6 && a && i < n; i++) {
        a[4 * i + 1] = 0; /* lo parts */
        a[4 * i + 2] = 2.0f * (float)i;
        a[4 * i + 3] = 0;
    }
    if (a && skip && (s6 || bias))
        fprintf(out, "scan      %-7s d %-5lu n %-3lu          %8.3f G state updates/s\n", s6 ? "S6" : "B2S6", (unsigned long)d,
                (unsigned long)n, 1e-9 * bench_scan(k, &c, &u));
    free(a);
    free(bias);
    free(skip);
}

static void bench_values(const struct b2s6_kernels *k, FILE *out)
{
    const bench_elementary *e = bench_elementary_of(k->name);
    const struct span span = { 1, 4096, 0, 4096 };
    double softplus = 0, gelu = 0, gate = 0, exponential = 0, sincos = 0;
    float *x = bench_floats(4096, -3, 3), *z = bench_floats(2 * 4096, -3, 3);
    if (x && z) {
        BEST_RATE(exponential, 4096, e->exponential(x, z, 4096));
        BEST_RATE(sincos, 4096, e->sine_cosine(x, z, 4096));
        fprintf(out, "exp       %8.2f G elements/s\nsincos    %8.2f G elements/s\n", 1e-9 * exponential, 1e-9 * sincos);
        BEST_RATE(softplus, 4096, k->softplus(x, span)); /* exp and log1p */
        BEST_RATE(gelu, 4096, k->gelu(x, span));         /* exp and a polynomial */
        BEST_RATE(gate, 4096, k->gate_silu(x, z, 4096, span));
        fprintf(out, "softplus  %8.2f G values/s\ngelu      %8.2f G values/s\nsilu      %8.2f G values/s\n", 1e-9 * softplus,
                1e-9 * gelu, 1e-9 * gate);
    }
    free(x);
    free(z);
}

static void bench_kernels(const struct b2s6_kernels *k, FILE *out)
{
    static const size_t rows[] = { 1, 4, 12, 60 };
    const double peak = limits_fma_gflops(NULL, 1, k->name);
    fprintf(out, "%s, one thread; multiply-add peak %.0f GFLOP/s\n", k->name, peak);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench_product(k, rows[i], 64, 64, peak, out);
        bench_product(k, rows[i], 512, 256, peak, out);
        bench_product(k, rows[i], 3072, 768, peak, out);
    }
    bench_unit(k, 0, 512, 32, out);
    bench_unit(k, 0, 32, 8, out);
    bench_unit(k, 1, 1536, 16, out);
    bench_values(k, out);
}

static int bench_model(const char *path, const char *isa)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    b2s6_error error;
    options.isa = isa;
    if (b2s6_model_open_file(&model, path, &options, &error) != B2S6_OK) {
        fprintf(stderr, "bench_kernels: %s: %s\n", path, error.message);
        return 1;
    }
    printf("scan      %-34s %8.3f G state updates/s\n", path, 1e-9 * bench_scan_of_model(model));
    b2s6_model_close(model);
    return 0;
}

int main(int argc, char **argv)
{
    const char *isa = argc > 2 && strcmp(argv[1], "--isa") == 0 ? argv[2] : NULL;
    const struct b2s6_kernels *kernels = b2s6_isa_choose(isa);
    int status = 0;
    if (argc > 1 && !isa && argv[1][0] == '-') {
        fprintf(stderr, "usage: bench_kernels [--isa NAME] [MODEL.b2s6 ...]\n");
        return 2;
    }
    if (!kernels) {
        fprintf(stderr, "bench_kernels: instruction set %s: unknown, or this machine cannot run it\n", isa);
        return 2;
    }
    bench_kernels(kernels, stdout);
    for (int i = isa ? 3 : 1; i < argc; i++)
        status |= bench_model(argv[i], isa);
    return status;
}
