/* test_properties.c - what must hold of the unit whatever the numbers are (docs/mathematics.md) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "reference.h"
#include "suites.h"

static unit_config b2s6_unit(uint32_t h, uint32_t d_state)
{
    model_config config;
    plain_config(&config, 16, h, d_state);
    return config.unit;
}

/* Inputs that a probe's unit can see: 0 .. 2, and the features that give them. */
static void random_u(double *u, float *features, size_t count, uint64_t seed)
{
    random_source random = { seed };
    for (size_t i = 0; i < count; i++)
        u[i] = 1 + (double)random_uniform(&random);
    features_for(u, features, count);
}

/* The probe itself: its y is the reference's unit. */
static void test_probe(void)
{
    enum { D = 24, L = 60 };
    static double u[L * D], y[L * D], expected[L * D];
    static float features[L * D];
    unit_config unit = b2s6_unit(4, 6);
    probe p;
    double largest = 0;
    probe_make(&p, &unit, D, 1);
    probe_open(&p);
    random_u(u, features, L * D, 2);
    probe_run(&p, features, L, y);
    reference_unit(&p.model, "layers.0.unit.", u, L, expected);
    for (size_t i = 0; i < L * D; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (size_t i = 0; i < L * D; i++)
        CHECK_NEAR(expected[i], y[i], 1e-5 * largest);
    probe_free(&p);
}

/*
 * The unit is as exact for steps of 1e-7 as for steps of 8: exp(delta A) - 1 must not cancel, nor must exp(delta A) lose the
 * little that it forgets. All kinds of A and both discretisations; y is magnified so that its own digits count.
 */
static void test_every_step_size(void)
{
    enum { D = 20, L = 40, N_KINDS = 12 };
    static const float log_deltas[] = { -16, -13, -10, -7, -4, -1, 2 };
    static double u[L * D], y[L * D], expected[L * D];
    static float features[L * D];
    random_u(u, features, L * D, 6);
    for (size_t s = 0; s < sizeof log_deltas / sizeof log_deltas[0]; s++)
        for (int kind = 0; kind < N_KINDS; kind++) {
            unit_config unit = b2s6_unit(4, 5);
            double largest = 0;
            float gain = 1;
            probe p;
            unit.complex_state = unit.conjugate = kind % 2;
            unit.euler = kind / 2 % 2;
            unit.a_scope = (b2s6_scope)(1 + kind / 4);
            unit.delta = B2S6_DELTA_CONSTANT;
            unit.skip = 0;
            test_context("delta about exp(%g), %s, %s, A of a %s", (double)log_deltas[s],
                         unit.complex_state ? "complex" : "real", unit.euler ? "euler" : "zero-order hold",
                         scope_names[unit.a_scope]);
            probe_make(&p, &unit, D, 100 + (uint64_t)kind);
            for (size_t i = 0; i < D; i++)
                probe_tensor(&p, "b")->values[i] = log_deltas[s] - 0.05f * (float)i;
            for (size_t i = 0; unit.complex_state && i < probe_tensor(&p, "A_imag")->count; i++)
                probe_tensor(&p, "A_imag")->values[i] = 0.75f * (float)(i % 9) - 2;
            reference_unit(&p.model, "layers.0.unit.", u, L, expected);
            for (size_t i = 0; i < L * D; i++)
                largest = fmax(largest, fabs(expected[i]));
            while ((double)gain * largest < 8)
                gain *= 2;
            probe_gain(&p, gain);
            probe_open(&p);
            probe_run(&p, features, L, y);
            for (size_t i = 0; i < L * D; i++)
                CHECK_NEAR(expected[i], y[i], 2e-6 * largest);
            probe_free(&p);
        }
}

/* A block sees only its own channels: other input in block j changes block j's output alone, and the others' not a bit. */
static void test_block_locality(void)
{
    enum { D = 24, L = 20 };
    static const uint32_t blocks[] = { 1, 2, 3, 8, 24 };
    static float features[L * D], other[L * D], rows[L * (D + 1)], changed[L * (D + 1)];
    static double u[L * D];
    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        size_t h = blocks[b], width = D / h;
        unit_config unit = b2s6_unit(blocks[b], 5);
        probe p;
        probe_make(&p, &unit, D, 3 + b);
        probe_open(&p);
        random_u(u, features, L * D, 4);
        probe_rows(&p, features, L, rows);
        for (size_t j = 0; j < h; j++) {
            test_context("block %zu of %zu", j, h);
            memcpy(other, features, sizeof other);
            for (size_t k = 0; k < L; k++)
                for (size_t i = j * width; i < (j + 1) * width; i++)
                    other[k * D + i] += 0.5f;
            probe_rows(&p, other, L, changed);
            for (size_t k = 0; k < L; k++) {
                size_t at = k * (D + 1), begin = at + j * width, end = begin + width;
                CHECK_BITS(rows + at, changed + at, begin - at);
                CHECK_BITS(rows + end, changed + end, at + D - end);
                for (size_t i = begin; i < end; i++) /* beyond the residual, which passes the 0.5 on */
                    CHECK(fabsf(changed[i] - rows[i] - 0.5f) > 1e-4f);
            }
        }
        probe_free(&p);
    }
}

/* With selective C, u_k = 0 gives y_k = 0 before D, whatever the state; of one block alone as well. */
static void test_zero_input_gives_zero(void)
{
    enum { D = 18, L = 30 };
    static float features[L * D], rows[L * (D + 1)];
    static double u[L * D];
    for (uint64_t seed = 0; seed < 24; seed++) {
        unit_config unit = b2s6_unit(3, 4);
        probe p;
        unit.skip = 0;
        unit.c_complex = (seed & 1) != 0;
        unit.euler = (seed & 2) != 0;
        unit.complex_state = (seed & 4) != 0 || unit.c_complex;
        unit.delta = (b2s6_delta)(1 + seed % 3);
        unit.dt_rank = unit.delta == B2S6_DELTA_LOWRANK ? 2 : 0;
        test_context("seed %d", (int)seed);
        probe_make(&p, &unit, D, seed);
        fill(probe_tensor(&p, "b"), -1); /* steps large enough to show in the output's last digits */
        probe_open(&p);
        random_u(u, features, L * D, seed);
        for (size_t k = 0; k < L; k++) {
            if (k % 5 == 3)
                memset(features + k * D, 0, D * sizeof *features);
            if (k % 5 == 4)
                memset(features + k * D + 6, 0, 6 * sizeof *features); /* the middle block */
        }
        probe_rows(&p, features, L, rows);
        for (size_t k = 0; k < L; k++)
            for (size_t i = 0; i < D; i++)
                if (features[k * D + i] == 0)
                    CHECK(rows[k * (D + 1) + i] == 0);
                else if (k % 5 != 3 && k > 0) /* elsewhere the unit does answer */
                    CHECK(rows[k * (D + 1) + i] != features[k * D + i]);
        probe_free(&p);
    }
}

/* --------------------------------------------------------------------------------------------------------- special cases */

/* Mamba's S6 as its authors write it, one channel after another: u (L, d) to y (L, d), real A (d, n), euler. */
static void s6(const probe *p, const trained_tensor *w, const double *u, size_t n_steps, double *y)
{
    const trained_model *m = &p->model;
    const float *A_log = trained_find(m, "layers.0.unit.", "A_log")->values;   /* (d, n) */
    const float *B = trained_find(m, "layers.0.unit.", "B_weight")->values;    /* (1, n, d) */
    const float *C = trained_find(m, "layers.0.unit.", "C")->values;           /* (1, d, n) */
    const float *b = trained_find(m, "layers.0.unit.", "b")->values;           /* (1, d) */
    size_t d = p->d, n = m->config.unit.d_state;
    double *x = (double *)calloc(d * n, sizeof *x);
    for (size_t k = 0; k < n_steps; k++, u += d, y += d) {
        double low = 0;
        for (size_t i = 0; i < d; i++)
            low += (double)w->values[i] * u[i];
        for (size_t i = 0; i < d; i++) {
            double delta = log1p(exp(low + (double)b[i]));
            y[i] = 0;
            for (size_t s = 0; s < n; s++) {
                double Bu = 0, Cu = 0;
                for (size_t l = 0; l < d; l++) {
                    Bu += (double)B[s * d + l] * u[l];
                    Cu += (double)C[l * n + s] * u[l];
                }
                x[i * n + s] = exp(-delta * exp((double)A_log[i * n + s])) * x[i * n + s] + delta * Bu * u[i];
                y[i] += Cu * x[i * n + s];
            }
        }
    }
    free(x);
}

/* h = 1 and no bias of B: B2S6 with one block, S6 with a delta of rank 1, and the textbook's loop are the same unit. */
static void test_one_block_without_bias_is_s6(void)
{
    enum { D = 12, L = 40 };
    static double u[L * D], y[L * D], expected[L * D];
    static float features[L * D];
    unit_config unit = b2s6_unit(1, 4);
    unit.complex_state = unit.conjugate = unit.skip = 0;
    unit.euler = 1;
    unit.a_scope = B2S6_SCOPE_CHANNEL;
    random_u(u, features, L * D, 8);
    for (int form = 0; form < 3; form++) { /* no bias, a bias of zeros, delta of rank 1 */
        probe p, same;
        double largest = 0;
        unit.b_bias = form == 1;
        unit.b_weight = 1;
        unit.delta = form == 2 ? B2S6_DELTA_LOWRANK : B2S6_DELTA_BLOCK;
        unit.dt_rank = form == 2;
        probe_make(&p, &unit, D, 5);
        unit.b_bias = 0;
        unit.delta = B2S6_DELTA_BLOCK;
        unit.dt_rank = 0;
        probe_make(&same, &unit, D, 9); /* all three forms take their numbers from this one */
        for (size_t i = 0; i < p.model.n_tensors; i++) {
            trained_tensor *t = &p.model.tensors[i];
            const trained_tensor *from = trained_find(&same.model, "", t->name);
            if (from != NULL)
                memcpy(t->values, from->values, t->count * sizeof(float));
        }
        if (form == 1)
            fill(probe_tensor(&p, "B_bias"), 0);
        if (form == 2) {
            memcpy(probe_tensor(&p, "x_weight")->values, probe_tensor(&same, "w")->values, D * sizeof(float));
            fill(probe_tensor(&p, "dt_weight"), 1);
        }
        probe_open(&p);
        probe_run(&p, features, L, y);
        s6(&same, probe_tensor(&same, "w"), u, L, expected);
        for (size_t i = 0; i < L * D; i++)
            largest = fmax(largest, fabs(expected[i]));
        for (size_t i = 0; i < L * D; i++)
            CHECK_NEAR(expected[i], y[i], 1e-5 * largest);
        probe_free(&p);
        probe_free(&same);
    }
}

typedef struct pair {
    double re, im;
} pair;

static pair times(pair a, pair b)
{
    pair c = { a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
    return c;
}

/* K (L) of channel i: K_k = s Re(sum C Bbar Abar^k), with step size delta, B = B_bias and a constant C. */
static void s4d_kernel(const probe *p, size_t i, double delta, double *K, size_t n_steps)
{
    const trained_model *m = &p->model;
    size_t n = m->config.unit.d_state;
    const float *A_log = trained_find(m, "layers.0.unit.", "A_log")->values;
    const float *A_imag = trained_find(m, "layers.0.unit.", "A_imag")->values;
    const float *B = trained_find(m, "layers.0.unit.", "B_bias")->values;
    const float *C = trained_find(m, "layers.0.unit.", "C")->values;
    for (size_t k = 0; k < n_steps; k++) {
        K[k] = 0;
        for (size_t s = i * n; s < (i + 1) * n; s++) {
            pair a = { -exp((double)A_log[s]), (double)A_imag[s] }, b = { (double)B[2 * s], (double)B[2 * s + 1] };
            pair c = { (double)C[2 * s], (double)C[2 * s + 1] };
            double square = a.re * a.re + a.im * a.im, e = exp(delta * a.re), t = (double)k * delta;
            pair Abar = { e * cos(delta * a.im), e * sin(delta * a.im) };
            pair power = { exp(t * a.re) * cos(t * a.im), exp(t * a.re) * sin(t * a.im) };
            pair minus_1 = { Abar.re - 1, Abar.im }, inverse = { a.re / square, -a.im / square };
            K[k] += 2 * times(times(c, power), times(times(minus_1, inverse), b)).re;
        }
    }
}

/* w = 0, B_weight = 0 and a constant C: S4D, a convolution with a kernel that can be written down. */
static void test_constant_unit_is_a_convolution(void)
{
    enum { D = 10, L = 80 };
    static double u[L * D], y[L * D], K[L];
    static float features[L * D];
    for (int form = 0; form < 2; form++) { /* constant delta, or a selective one whose weights are zero */
        unit_config unit = b2s6_unit(2, 6);
        probe p;
        unit.a_scope = B2S6_SCOPE_CHANNEL;
        unit.c_selective = 0;
        unit.c_complex = 1;
        unit.b_weight = form == 1;
        unit.delta = form == 1 ? B2S6_DELTA_BLOCK : B2S6_DELTA_CONSTANT;
        probe_make(&p, &unit, D, 11);
        if (form == 1) {
            fill(probe_tensor(&p, "w"), 0);
            fill(probe_tensor(&p, "B_weight"), 0);
        }
        for (size_t i = 0; i < D; i++) /* delta of 0.02 .. 0.4 */
            probe_tensor(&p, "b")->values[i] = (float)(-4 + 0.3 * (double)i);
        probe_open(&p);
        random_u(u, features, L * D, 12);
        probe_run(&p, features, L, y);
        for (size_t i = 0; i < D; i++) {
            double b = (double)probe_tensor(&p, "b")->values[i], largest = 0, skip = (double)probe_tensor(&p, "D")->values[i];
            s4d_kernel(&p, i, form == 1 ? log1p(exp(b)) : exp(b), K, L);
            for (size_t k = 0; k < L; k++)
                largest = fmax(largest, fabs(y[k * D + i]));
            for (size_t k = 0; k < L; k++) {
                double sum = skip * u[k * D + i];
                for (size_t l = 0; l <= k; l++)
                    sum += K[l] * u[(k - l) * D + i];
                test_context("form %d, channel %zu, step %zu", form, i, k);
                CHECK_NEAR(sum, y[k * D + i], 1e-5 * largest);
            }
        }
        probe_free(&p);
    }
}

/* ------------------------------------------------------------------------------------------------- theorems 2 and 5 */

/*
 * The influence of the first inputs on the last output when the input at step K0 is scaled by c: how far the last row
 * moves when the first inputs change.
 */
enum { THEOREM_D = 8, THEOREM_L = 12, K0 = 6 };

static double influence(const probe *p, double c)
{
    static double u[THEOREM_L * THEOREM_D], y[2][THEOREM_L * THEOREM_D];
    static float features[THEOREM_L * THEOREM_D];
    double largest = 0;
    for (int other = 0; other < 2; other++) {
        random_source random = { 21 };
        for (size_t i = 0; i < THEOREM_L * THEOREM_D; i++) {
            size_t k = i / THEOREM_D;
            u[i] = 0.5 + 0.25 * (double)random_uniform(&random);
            u[i] *= k == K0 ? c : 1;
            u[i] += k < 2 && other ? 0.5 : 0;
        }
        features_for(u, features, THEOREM_L * THEOREM_D);
        probe_run(p, features, THEOREM_L, y[other]);
    }
    for (size_t i = (THEOREM_L - 1) * THEOREM_D; i < THEOREM_L * THEOREM_D; i++)
        largest = fmax(largest, fabs(y[0][i] - y[1][i]));
    return largest;
}

/* w.u > 0 everywhere in S6; in B2S6 every other block has the other sign. */
static void theorem_unit(probe *p, uint32_t h, int b_bias)
{
    unit_config unit = b2s6_unit(h, 4);
    trained_tensor *w;
    size_t width = THEOREM_D / h;
    unit.b_bias = b_bias;
    unit.skip = 0;
    probe_make(p, &unit, THEOREM_D, 31);
    w = probe_tensor(p, "w");
    for (size_t i = 0; i < THEOREM_D; i++)
        w->values[i] = (i / width % 2 ? -1.0f : 1.0f) / (float)width;
    fill(probe_tensor(p, "b"), -3);
    fill(probe_tensor(p, "A_log"), 0);
    probe_open(p);
}

static void test_influence_of_the_past(void)
{
    static const double scales[] = { 1, 4, 8, 16, 24 };
    probe s6_unit, b2s6_probe;
    double s6_past[5], b2s6_past[5];
    theorem_unit(&s6_unit, 1, 0);
    theorem_unit(&b2s6_probe, 4, 1);
    for (size_t i = 0; i < 5; i++) {
        s6_past[i] = influence(&s6_unit, scales[i]);
        b2s6_past[i] = influence(&b2s6_probe, scales[i]);
        test_note("input scaled by %2.0f: influence of the past %.1e in S6, %.1e in B2S6", scales[i], s6_past[i],
                  b2s6_past[i]);
    }
    /* S6: delta grows by w.u = 0.5 or so for each unit of c, and exp(-delta) is what that step leaves of the past. */
    for (size_t i = 3; i < 5; i++)
        CHECK(s6_past[i] < s6_past[i - 1] * exp(-0.35 * (scales[i] - scales[i - 1])));
    CHECK(s6_past[4] < 1e-3 * s6_past[0]);
    /* B2S6: the blocks with w.u < 0 keep it, the more so the larger c. */
    CHECK(b2s6_past[4] > 0.99 * b2s6_past[3]);
    CHECK(b2s6_past[4] > 0.1 * b2s6_past[0]);
    probe_free(&s6_unit);
    probe_free(&b2s6_probe);
}

static const test tests[] = {
    TEST(test_probe), TEST(test_every_step_size), TEST(test_block_locality), TEST(test_zero_input_gives_zero), TEST(test_one_block_without_bias_is_s6),
    TEST(test_constant_unit_is_a_convolution), TEST(test_influence_of_the_past),
};
const test_suite suite_properties = TEST_SUITE("properties", tests);
