/* test_flush.c - what is nearer to 0 than 2^-100 in the input, or 2^-95 in both parts of a state, becomes +0 and nothing else does */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_file.h"
#include "probe.h"
#include "suites.h"

enum { D = 20, N = 3, SNAPSHOT_FLOATS = 64 };

/* A unit that forgets most of its states at every step, and reads nothing into them when its input is 0. */
static void fading_probe(probe *p, int complex_state, int plain)
{
    model_config config;
    plain_config(&config, D, 4, N);
    config.unit.complex_state = config.unit.conjugate = (uint32_t)complex_state;
    config.unit.delta = B2S6_DELTA_CONSTANT;
    config.unit.skip = 0;
    config.unit.plain_states = plain;
    probe_make(p, &config.unit, D, 11);
    fill(probe_tensor(p, "A_log"), 0); /* the real part of A is -1 */
    for (size_t i = 0; i < D; i++)
        probe_tensor(p, "b")->values[i] = 0.03f * (float)i; /* delta from 1 to 1.8 */
    probe_open(p);
}

static float float_at(const unsigned char *snapshot, size_t i)
{
    const uint32_t bits = (uint32_t)get_le(snapshot + SNAPSHOT_FLOATS + 4 * i, 4);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/*
 * Counts the states that are +0 in all their parts. The others must have a part, real or imaginary, of 2^-95 or more. Floats
 * are lanes (groups, n, planes, 16), of which the first `parts` planes are the state itself.
 */
static size_t count_zeros(const unsigned char *snapshot, size_t n_floats, size_t parts, size_t planes, float *least)
{
    size_t n = 0;
    for (size_t i = 0; i < n_floats / planes; i++) {
        const size_t first = i / 16 * planes * 16 + i % 16;
        float largest = 0;
        int zero = 1;
        for (size_t k = 0; k < planes; k++) {
            zero = zero && get_le(snapshot + SNAPSHOT_FLOATS + 4 * (first + 16 * k), 4) == 0;
            if (k < parts)
                largest = fmaxf(largest, fabsf(float_at(snapshot, first + 16 * k)));
        }
        n += (size_t)zero;
        CHECK(zero || largest >= 0x1p-95f);
        if (!zero)
            *least = fminf(*least, largest);
    }
    return n;
}

static void check_states(int complex_state, int plain)
{
    static const float nothing[D];
    float something[D], least = 1;
    const size_t parts = complex_state ? 2 : 1, planes = parts * (plain ? 1 : 2);
    size_t size, n_floats, n_zeros = 0, step = 0;
    unsigned char *snapshot;
    b2s6_state *state;
    probe p;
    fading_probe(&p, complex_state, plain);
    for (size_t i = 0; i < D; i++)
        something[i] = 1 + 0.1f * (float)i;
    CHECK_OK(b2s6_state_create(&state, p.opened.model, NULL));
    size = b2s6_snapshot_size(p.opened.model);
    n_floats = (size - SNAPSHOT_FLOATS) / 4;
    snapshot = (unsigned char *)malloc(size);
    CHECK(snapshot != NULL && n_floats >= D * N);
    for (; step < 200 && (step == 0 || n_zeros < n_floats / planes); step++) {
        CHECK_OK(b2s6_step_features(state, step == 0 ? something : nothing, D, NULL, 0));
        CHECK_OK(b2s6_state_save(state, snapshot, size));
        n_zeros = count_zeros(snapshot, n_floats, parts, planes, &least);
    }
    CHECK_EQUAL_SIZE(n_floats / planes, n_zeros);
    CHECK(step > 30 && least < 0x1p-93f); /* they faded step by step, and most of the way */
    free(snapshot);
    b2s6_state_destroy(state);
    probe_free(&p);
}

static void test_states(void)
{
    for (int plain = 0; plain < 2; plain++)
        for (int complex_state = 0; complex_state < 2; complex_state++)
            check_states(complex_state, plain);
}

/* A probe's rows begin with its features: of those that become 0 nothing is left, the others come through. */
static void test_features(void)
{
    static const float small[] = { 0x1.fffffep-101f, 0x1p-101f, 0x1p-126f, 0x1p-149f, 0.0f };
    static const float large[] = { 0x1p-100f, 0x1.000002p-100f, 0x1p-99f };
    float features[2 * D], rows[2 * (D + 1)];
    static const float nothing[D];
    probe p;
    fading_probe(&p, 1, 1);
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t k = 0; k < sizeof small / sizeof small[0]; k++) {
            test_context("%a", (double)small[k] * sign);
            for (size_t i = 0; i < D; i++)
                features[i] = small[k] * (float)sign;
            probe_rows(&p, features, 1, rows);
            CHECK_BITS(nothing, rows, D);
        }
        for (size_t k = 0; k < sizeof large / sizeof large[0]; k++) {
            test_context("%a", (double)large[k] * sign);
            for (size_t i = 0; i < D; i++)
                features[i] = i % 2 ? large[k] * (float)sign : 0;
            probe_rows(&p, features, 1, rows);
            for (size_t i = 0; i < D; i++)
                CHECK((rows[i] != 0) == (i % 2 == 1));
        }
    }
    probe_free(&p);
}

static const test tests[] = { TEST(test_states), TEST(test_features) };
const test_suite suite_flush = TEST_SUITE("flush", tests);
