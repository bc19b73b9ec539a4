/*
 * slow_modes.c - errors of the library's recurrence against float64 over a million steps, for docs/arithmetic.md
 *
 *     make slow-modes            or build/tests/slow_modes [STEPS]
 *
 * Takes the scan of the library's kernels, on the best instruction set of the machine: all give the same bits.
 * One zero-order hold state a channel, B' = 1 + i/2, channels with time constants of 10 to 1,000,000 steps; the largest error
 * relative to the largest state, a line for each mode, step, input and kind of states.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/isa.h"

enum { CHANNELS = 16, TAUS = 6, CHUNK = 1000 };
static const char *const inputs[] = { "constant", "random", "alternating", "reset" };
static uint64_t seed;

/* Uniform in [0, 1). */
static double draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(seed >> 40) * 0x1p-24;
}

static float input_at(int kind, long t)
{
    switch (kind) {
    case 0: return 1;
    case 1: return (float)(2 * draw() - 1);
    case 2: return t & 1 ? -1.0f : 1.0f;
    default: return t % 5000 < 100 ? 1e6f : (float)(2 * draw() - 1); /* a burst; deltas are large once, after it */
    }
}

static void run(const struct b2s6_kernels *kernels, double angle, int random_delta, int input, int compensated, long steps)
{
    static float a[3 * CHANNELS], bias[2 * CHANNELS], c[CHANNELS], x[4 * CHANNELS], y[CHANNELS];
    static float u[CHANNELS], delta[CHANNELS];
    double re[TAUS] = { 0 }, im[TAUS] = { 0 }, worst[TAUS] = { 0 }, size[TAUS] = { 0 }, decay[TAUS], turn[TAUS];
    const double mean = 0.037, ln2 = 0.69314718055994530942, pi = 3.14159265358979323846;
    struct scan s;
    memset(&s, 0, sizeof s);
    memset(x, 0, sizeof x);
    for (int i = 0; i < CHANNELS; i++) {
        const double rate = -1 / (pow(10, 1 + (i < TAUS ? i : 0)) * mean) / ln2, turns = angle / mean / pi;
        a[i] = (float)rate;
        a[16 + i] = (float)turns;
        a[32 + i] = (float)(pi * (turns - (double)a[16 + i]));
        bias[i] = 1;
        bias[16 + i] = 0.5f;
        if (i < TAUS) {
            decay[i] = (double)a[i] * ln2;
            turn[i] = pi * (double)a[16 + i] + (double)a[32 + i];
        }
    }
    s.kind.is_complex = s.kind.hold = s.kind.b_bias = 1;
    s.kind.compensated = (uint8_t)compensated;
    s.kind.a = SCAN_A_LANES;
    s.n = s.blocks_a_row = 1;
    s.d = CHANNELS;
    s.p = 1;
    s.scale = 1;
    s.turn_limit = angle > 0 ? 0x1p20f / a[16] : FLT_MAX;
    s.a = a;
    s.b_bias = bias;
    s.c = c;
    s.u = u;
    s.delta = delta;
    s.y = y;
    s.x = x;
    s.n_steps = s.end_group = 1;
    seed = 1;
    for (long t = 0; t < steps; t++) {
        const float step = input == 3 && t % 5000 == 100 ? 1e9f : (float)(random_delta ? 2 * mean * draw() : mean);
        const float in = input_at(input, t);
        for (int i = 0; i < CHANNELS; i++) {
            u[i] = in;
            delta[i] = step;
        }
        kernels->scan(&s);
        for (int i = 0; i < TAUS; i++) {
            const double limited = step < s.turn_limit ? (double)step : (double)s.turn_limit;
            const double e = exp((double)step * decay[i]), b = limited * turn[i], h = sin(b / 2);
            const double g_re = expm1((double)step * decay[i]) * cos(b) - 2 * h * h, g_im = e * sin(b);
            const double v_re = re[i] + (double)in, v_im = im[i] + 0.5 * (double)in, old = re[i];
            re[i] = old + (g_re * v_re - g_im * v_im);
            im[i] += g_re * v_im + g_im * v_re;
            if (input == 3 && t % 5000 <= 100) /* judged after the reset, by the states that come after it */
                continue;
            worst[i] = fmax(worst[i], hypot((double)x[i] - re[i], (double)x[16 + i] - im[i]));
            size[i] = fmax(size[i], hypot(re[i], im[i]));
        }
    }
    printf("| %g | %s | %s | %s |", angle, random_delta ? "random" : "constant", inputs[input],
           compensated ? "compensated" : "plain");
    for (int i = 0; i < TAUS; i++)
        printf(" %.1e |", worst[i] / size[i]);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const double angles[] = { 0, 0.01, 0.3, 2 };
    const long steps = argc > 1 ? atol(argv[1]) : 1000000;
    printf("| angle a step | delta | input | states | tau 10 | 100 | 1e3 | 1e4 | 1e5 | 1e6 |\n"
           "|---|---|---|---|--:|--:|--:|--:|--:|--:|\n");
    for (int k = 0; k < 4; k++)
        for (int random_delta = 0; random_delta < 2; random_delta++)
            for (int input = 0; input < 4; input++)
                for (int compensated = 0; compensated < 2; compensated++)
                    run(b2s6_isa_choose(NULL), angles[k], random_delta, input, compensated, steps);
    return 0;
}
