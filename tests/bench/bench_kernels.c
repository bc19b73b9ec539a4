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
#include "src/tensors.h" /* PACK_WORTH_ROWS */

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
        const struct pack pack = { .x = x, .packed = packed, .x_stride = cols, .width = cols };
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

/* Units of the kinds that models have: A is shared by the layer, one a state and channel, or one a channel. */
static const struct unit_kind {
    const char *name;
    struct scan_kind kind;
} units[] = {
    { "B2S6", { .is_complex = 1, .hold = 1, .compensated = 1, .a = SCAN_A_SHARED, .b_weight = 1, .b_bias = 1,
                .c_selective = 1 } },
    { "plain", { .is_complex = 1, .hold = 1, .a = SCAN_A_SHARED, .b_weight = 1, .b_bias = 1, .c_selective = 1 } },
    { "S6", { .compensated = 1, .a = SCAN_A_LANES, .b_weight = 1, .c_selective = 1 } },
    { "Mamba-2", { .compensated = 1, .a = SCAN_A_SCALAR, .b_weight = 1, .c_selective = 1 } },
};
enum { UNIT_B2S6, UNIT_B2S6_PLAIN, UNIT_S6, UNIT_MAMBA2 };

/* d channels in h blocks, which share a row of B and C in Mamba-2; n states each; random numbers. */
static void bench_unit(const struct b2s6_kernels *k, int number, uint32_t d, uint32_t h, uint32_t n, FILE *out)
{
    const struct unit_kind *unit = &units[number];
    float *a = bench_floats((size_t)d * n, -2, -0.1f), *skip = bench_floats(d, -1, 1);
    float *bias = bench_floats((size_t)d * n * 2, -1, 1);
    struct scan s;
    memset(&s, 0, sizeof s);
    s.kind = unit->kind;
    s.n = n;
    s.d = d;
    s.p = d / h;
    s.blocks_a_row = number == UNIT_MAMBA2 ? h : 1;
    s.scale = s.kind.is_complex ? 2.0f : 1.0f;
    s.turn_limit = s.kind.is_complex ? 0x1p20f / (2.0f * (float)n) : FLT_MAX;
    s.a = a;
    s.b_bias = s.kind.b_bias ? bias : NULL;
    s.skip = skip;
    s.bc_width = b2s6_pad16(n * (s.kind.is_complex ? 3 : 2));
    for (uint32_t i = 0; s.kind.is_complex && a && i < n; i++) { /* decay, turn, turn_lo */
        a[3 * i + 1] = 2.0f * (float)i;
        a[3 * i + 2] = 0;
    }
    if (a && bias && skip)
        fprintf(out, "scan      %-7s d %-5lu n %-3lu          %8.3f G state updates/s\n", unit->name, (unsigned long)d,
                (unsigned long)n, 1e-9 * bench_scan(k, s));
    free(a);
    free(bias);
    free(skip);
}

static void bench_values(const struct b2s6_kernels *k, FILE *out)
{
    const bench_elementary *e = bench_elementary_of(k->name);
    const struct span span = { 1, 4096, 0, 4096 };
    double softplus = 0, gelu = 0, gate = 0, exponential = 0, factor = 0;
    float *x = bench_floats(4096, -3, 3), *z = bench_floats(2 * 4096, -3, 3);
    if (x && z) {
        BEST_RATE(exponential, 4096, e->exponential(x, z, 4096));
        BEST_RATE(factor, 4096, e->factors(x, z, 4096)); /* exp, sine and cosine */
        fprintf(out, "exp       %8.2f G values/s\nfactors   %8.2f G values/s\n", 1e-9 * exponential, 1e-9 * factor);
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
    bench_unit(k, UNIT_B2S6, 512, 8, 32, out);
    bench_unit(k, UNIT_B2S6, 32, 8, 8, out);
    bench_unit(k, UNIT_B2S6_PLAIN, 32, 8, 8, out);
    bench_unit(k, UNIT_S6, 1536, 1, 16, out);
    bench_unit(k, UNIT_MAMBA2, 1536, 24, 128, out);
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
