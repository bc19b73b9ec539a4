/*
 * test_slow_modes.c - long memory: errors of the recurrence against float64, and that a reset leaves nothing of the past
 *
 * The kernel alone, as a model's other parts would hide its errors or add their own. On the best instruction set of the machine:
 * all have the same bits (test_isa.c). A hundred thousand steps; B2S6_TEST_STEPS says how many instead.
 * tests/tools/slow_modes.c prints the table of docs/arithmetic.md: more modes, plain states, a million steps.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../src/isa.h"
#include "random.h"
#include "suites.h"

enum { LANES = 16, CHUNK = 250 };

/* Sixteen channels of one state each, B' = 1 + i/2, C = 1, of which the first n_modes are looked at. */
typedef struct modes {
    int n_modes;
    double rate[LANES], turn[LANES]; /* A: 1 / the unit of delta, radians over it */
    double re[LANES], im[LANES], worst[LANES], size[LANES]; /* float64's states; the largest error, the largest state */
    float a[3 * LANES], bias[2 * LANES], c[LANES], x[4 * LANES];
    float u[CHUNK * LANES], delta[CHUNK * LANES], y[CHUNK * LANES];
    struct scan scan;
} modes;

static void modes_make(modes *m, int n_modes, const double *rates, double turn, int compensated)
{
    const double ln2 = 0.69314718055994530942, pi = 3.14159265358979323846;
    memset(m, 0, sizeof *m);
    m->n_modes = n_modes;
    for (int i = 0; i < LANES; i++) {
        const int k = i < n_modes ? i : 0;
        m->rate[i] = rates[k];
        m->turn[i] = turn;
        m->a[i] = (float)(rates[k] / ln2);
        m->a[LANES + i] = (float)(turn / pi);
        m->a[2 * LANES + i] = (float)(pi * (turn / pi - (double)m->a[LANES + i]));
        m->bias[i] = m->c[i] = 1;
        m->bias[LANES + i] = 0.5f;
    }
    m->scan.kind.is_complex = m->scan.kind.hold = m->scan.kind.b_bias = 1;
    m->scan.kind.compensated = (uint8_t)compensated;
    m->scan.kind.a = SCAN_A_LANES;
    m->scan.n = m->scan.blocks_a_row = m->scan.p = m->scan.end_group = 1;
    m->scan.d = LANES;
    m->scan.scale = 1;
    m->scan.turn_limit = turn > 0 ? 0x1p20f / m->a[LANES] : FLT_MAX;
    m->scan.a = m->a;
    m->scan.b_bias = m->bias;
    m->scan.c = m->c;
    m->scan.u = m->u;
    m->scan.delta = m->delta;
    m->scan.y = m->y;
    m->scan.x = m->x;
    m->scan.u_stride = m->scan.delta_stride = m->scan.y_stride = LANES;
}

/* One step of mode i in float64: the same recurrence, so that no formula of long sums is needed. */
static void step_exactly(modes *m, int i, double delta, double u)
{
    const double limited = delta < (double)m->scan.turn_limit ? delta : (double)m->scan.turn_limit;
    const double angle = limited * m->turn[i], half = sin(angle / 2), e = exp(delta * m->rate[i]);
    const double g_re = expm1(delta * m->rate[i]) * cos(angle) - 2 * half * half, g_im = e * sin(angle);
    const double v_re = m->re[i] + u, v_im = m->im[i] + 0.5 * u;
    m->re[i] += g_re * v_re - g_im * v_im;
    m->im[i] += g_re * v_im + g_im * v_re;
}

/* n steps, n at most CHUNK, whose u and delta are set: by the library and in float64. */
static void go(modes *m, size_t n)
{
    m->scan.n_steps = n;
    b2s6_isa_choose(NULL)->scan(&m->scan);
    for (size_t t = 0; t < n; t++)
        for (int i = 0; i < m->n_modes; i++) {
            step_exactly(m, i, (double)m->delta[t * LANES], (double)m->u[t * LANES]);
            m->worst[i] = fmax(m->worst[i], fabs((double)m->y[t * LANES + (size_t)i] - m->re[i]));
            m->size[i] = fmax(m->size[i], hypot(m->re[i], m->im[i]));
        }
}

static void set_step(modes *m, size_t t, float u, float delta)
{
    for (size_t i = 0; i < LANES; i++) {
        m->u[t * LANES + i] = u;
        m->delta[t * LANES + i] = delta;
    }
}

/* steps of them, in chunks; mean of delta, and whether it and the input are random. */
static void go_long(modes *m, size_t steps, double mean, int random_delta, int random_input)
{
    random_source random = { 7 };
    for (size_t t = 0; t < steps; t += CHUNK) {
        for (size_t k = 0; k < CHUNK; k++) {
            const float u = random_input ? random_uniform(&random) : 1.0f;
            set_step(m, k, u, (float)(random_delta ? mean * (1 + (double)random_uniform(&random)) : mean));
        }
        go(m, CHUNK);
    }
}

static const char *word(int random)
{
    return random ? "random" : "constant";
}

/* A step of 1e-4 and real parts down to -0.01: time constants up to a million steps. At most 1e-5 of the largest state. */
static void test_small_steps(void)
{
    static const double rates[] = { -0.5, -0.05, -0.01 }, turns[] = { 0, 3, 30 };
    double most = 0;
    for (int way = 0; way < 12; way++) {
        modes m;
        modes_make(&m, 3, rates, turns[way / 4], 1);
        go_long(&m, 20000, 1e-4, way & 1, way >> 1 & 1);
        for (int i = 0; i < 3; i++) {
            test_context("Re A %g, Im A %g, %s delta, %s input", rates[i], turns[way / 4], word(way & 1), word(way >> 1 & 1));
            CHECK_NEAR(0, m.worst[i] / m.size[i], 1e-5);
            most = fmax(most, m.worst[i] / m.size[i]);
        }
    }
    test_note("largest error %.1e", most);
    CHECK(most > 0);
}

static size_t long_steps(void)
{
    const char *given = getenv("B2S6_TEST_STEPS");
    return given ? (size_t)strtoul(given, NULL, 10) : 100000;
}

/*
 * Time constants of 10 to 100,000 steps: at most 1e-6 of the largest state; and where a mode turns, what the rounding of its
 * factor to a float comes to, the time constant times the angle times 2^-24.
 */
static void test_long_memory(void)
{
    enum { TAUS = 5 };
    static const double angles[] = { 0, 0.01, 0.3 };
    const double mean = 0.037;
    double rates[TAUS], most = 0, tau;
    for (int i = 0; i < TAUS; i++)
        rates[i] = -1 / (pow(10, 1 + i) * mean);
    for (int way = 0; way < 12; way++) {
        modes m;
        const double angle = angles[way / 4];
        modes_make(&m, TAUS, rates, angle / mean, 1);
        go_long(&m, long_steps(), mean, way & 1, way >> 1 & 1);
        for (int i = 0; i < TAUS; i++) {
            tau = pow(10, 1 + i);
            test_context("time constant %g, angle %g, %s delta, %s input", tau, angle, word(way & 1), word(way >> 1 & 1));
            CHECK_NEAR(0, m.worst[i] / m.size[i], 1e-6 + tau * angle * 0x1p-24);
            most = angle == 0 ? fmax(most, m.worst[i] / m.size[i]) : most;
        }
    }
    test_note("largest error of modes that do not turn over %zu steps: %.1e", long_steps(), most);
}

/*
 * A burst, then one step so long that everything is forgotten: from there on the stream is, to the bit, the one that has never
 * seen the burst. The bare difference form x + g v would keep 2^-25 of it.
 */
static void check_reset(double turn, int compensated)
{
    static const double rates[] = { -1, -0.01, -1e-4 };
    random_source random = { 9 };
    modes with, without;
    modes_make(&with, 3, rates, turn, compensated);
    modes_make(&without, 3, rates, turn, compensated);
    for (size_t t = 0; t < 100; t++)
        set_step(&with, t, 1e6f, 0.01f);
    go(&with, 100);
    for (size_t t = 0; t < CHUNK; t++) {
        const float u = random_uniform(&random);
        set_step(&with, t, u, t ? 0.01f : 1e9f);
        set_step(&without, t, u, t ? 0.01f : 1e9f);
    }
    go(&with, CHUNK);
    go(&without, CHUNK);
    test_context("turn %g, %s states", turn, compensated ? "compensated" : "plain");
    CHECK_BITS(without.y, with.y, CHUNK * LANES);
    CHECK_BITS(without.x, with.x, (size_t)(compensated ? 4 : 2) * LANES);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(0, without.worst[i] / without.size[i], 1e-5);
}

static void test_reset(void)
{
    for (int compensated = 0; compensated < 2; compensated++) {
        check_reset(0, compensated);
        check_reset(3, compensated);
    }
}

static const test tests[] = { TEST(test_small_steps), TEST(test_long_memory), TEST(test_reset) };
const test_suite suite_slow_modes = TEST_SUITE("slow_modes", tests);
